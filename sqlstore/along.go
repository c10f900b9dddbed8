package sqlstore

import "github.com/holdfast-go/holdfast/sqlstore/internal/along"

// The bounds of what one call carries; see Stock.Along.
const (
	MaxAlong      = along.MaxStatements // statements
	MaxAlongBytes = along.MaxBytes      // bytes of their texts and values
)

// AlongError is a statement of Along that failed. Nothing of its call was done, no unit moved. It unwraps to the driver's
// error:
//
//	var refused *mysql.MySQLError
//	if errors.As(err, &refused) && refused.Number == 1062 { … } // a key of the shop's own table is taken
//
// It matches stock.ErrUnavailable, and Retryable says so, where the same call may succeed when it is made again, such as after
// a lock wait that took too long. Otherwise it matches no error of this library: what it means is for the shop to say. Index is the
// statement, from 0 on, Text as it was given, and Err the driver's error.
type AlongError = along.Error

// AffectedError is a statement of Along that affected another number of rows than Affects says. Nothing of its call was done. Index is
// the statement, from 0 on, Text as it was given, and Want and Got are rows.
type AffectedError = along.AffectedError

// Along returns the same store whose next call carries a statement of the shop, such as the INSERT of its order row. Statement
// and call take effect in one transaction, both or neither:
//
//	row := store.Along("INSERT INTO shop_order (id, buyer, cents) VALUES (?, ?, ?)", o.ID, o.Buyer, o.Cents)
//	hold, err := inv.On(row).Lock(ctx, o.ID, line)
//
// Along of the result adds another statement, up to MaxAlong with MaxAlongBytes. Each is one INSERT, REPLACE, UPDATE or DELETE;
// variables and LAST_INSERT_ID are refused, and so is a backslash in quotes, which sessions read differently. The arguments
// are converted at once, by the driver's rules. What is wrong with text or arguments is ErrInvalid, returned by the call.
//
// The statements run where the call takes effect: not for a replay, not for a refusal, and not twice when the store tries
// again. So a Pay that was first made without them is a replay later, and its row is the shop's to write. They belong to calls
// that name one order, refund or change. Resolve runs them each time, whatever it finds. Reads, sweeps such as Expire and Repair,
// and what comes before a call, such as the release of dead holds, do not run them.
//
// What is said here holds for every store that has Along; RedPacket.Along and GroupBuy.Along name their verbs.
//
// Refusals of the call itself take precedence: what is known of the order, then its items, then its companions. After that
// comes *AlongError for a statement that failed, or *AffectedError. A duplicate key in the shop's table never passes for a
// known order.
//
// The statements use a connection of the store's pool, with its database and session. The tables must be InnoDB. A key of
// AUTO_INCREMENT is not returned: read it by the order's number, or use WithTx. The folder examples/orm takes texts from GORM,
// ent, bun, sqlc and squirrel, and tells which of their hooks run.
//
// Statements of one text may become one for several calls. An INSERT … VALUES with nothing behind the values becomes one of
// several rows. An UPDATE … WHERE column = ? whose other arguments are equal becomes one with a list; the column has to be a
// unique key where Affects counts its rows. All others run one by one.
//
// In the caller's transaction a refused call is undone by a savepoint. At REPEATABLE READ, MySQL may then keep a lock on the gap
// where the row was.
func (s *Stock) Along(text string, args ...any) *Stock {
	with := s.ledger.Along(text, args...)
	return &Stock{Store: with, ledger: with}
}

// Affects returns the same store with the number of rows that the last statement of Along must affect. If it affects another
// number, the call is refused with *AffectedError. Rows are counted as the session does: by default an UPDATE that sets what is
// there already affects none; with clientFoundRows it does.
func (s *Stock) Affects(n int64) *Stock {
	with := s.ledger.Affects(n)
	return &Stock{Store: with, ledger: with}
}
