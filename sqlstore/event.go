package sqlstore

import (
	"database/sql"

	"github.com/holdfast-go/holdfast/sqlstore/internal/events"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Events is an event.Store on MySQL or MariaDB: what the stores with the same prefix have to tell. It is safe for concurrent use.
type Events struct{ event.Store }

// NewEvents returns the store in the table that Migrate made with the same options, of which it uses the prefix. Nil options are
// the defaults. It does no I/O; bad options and a nil db are reported by every call as ErrInvalid.
func NewEvents(db *sql.DB, opts *Options) *Events {
	prefix, err := opts.prefix()
	return &Events{events.New(db, prefix, err)}
}
