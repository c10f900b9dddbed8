package sqlstore

import (
	"regexp"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock/event"
)

// The defaults and bounds of the options.
const (
	DefaultBatchSize = mysql.MaxList        // 900: calls that one batch merges
	MaxBatchSize     = mysql.MaxList        // 900: and the most it can
	DefaultBatches   = 16                   // batches in flight
	DefaultWaiting   = 100_000              // callers who wait for a batch
	MaxSoldOutFor    = ledger.MaxSoldOutFor // 200 ms: how long "sold out" may be remembered, and is
	longestPrefix    = 16
	maxBatches       = 10_000
	maxWaiting       = 100_000_000
)

// Options say where the tables are and how they are used. The zero value is the default.
type Options struct {
	// Prefix is put in front of the name of each table: up to 16 of a-z, 0-9 and _, starting
	// with a letter.
	Prefix string

	// Unmerged makes each call a transaction of its own. By default, concurrent Locks share one, of any SKUs and of any
	// number of lines, and so do concurrent calls of Take, of Pay, of Cancel, of Redeem, of Refund, of Amend and of Expire, and
	// those of Wait for one item, with the same results. Calls in a caller's transaction are never merged.
	Unmerged bool

	// BatchSize is how many calls one transaction merges at most, 1 to MaxBatchSize; 0 is
	// DefaultBatchSize.
	BatchSize int

	// Batches is how many batches the store has in flight at once, for all SKUs together; one SKU has two of them. 0 is
	// DefaultBatches. Each is a connection of the pool. Half as many connections may be in use beside them, by calls that
	// wait in the server and calls that cannot go with a batch; and half as many again, though no more than a quarter of the
	// pool, by statements that wait for a row which others have locked. So batches and what goes beside them take up to twice as many
	// connections as a store has Batches. Calls of single items that are idle, such as Wait, and calls of operators come on top: only the
	// pool bounds those. Leave some of the pool's (sql.DB.SetMaxOpenConns) to other work, and count each store that has this pool.
	Batches int

	// Waiting is how many callers may wait for a batch in this process; beyond it a call is
	// refused with ErrBusy at once. 0 is DefaultWaiting.
	Waiting int

	// SoldOutFor is how long this process may refuse a Lock after it saw that the item had too
	// little: up to MaxSoldOutFor, which 0 stands for; a negative time is never. Units that this
	// store gives back end it at once. Units that a caller's transaction gives back may be refused
	// for that long after its commit. An order that has a hold is never refused so.
	SoldOutFor time.Duration

	// Tell names the events that changes write for the rest of the shop, each in the transaction of its change. None by
	// default, which costs nothing; those of teams are always written. Every process that changes the same stock has to name
	// the same ones. NewEvents returns the store that delivers them; see package event. CouponExpiring and CouponExpired
	// need the index of MigrateLists.
	Tell []event.Kind
}

var prefixPattern = regexp.MustCompile(`^([a-z][a-z0-9_]{0,15})?$`)

// complete returns the options with their defaults, or ErrInvalid. Nil options are the defaults.
func (o *Options) complete() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if !prefixPattern.MatchString(c.Prefix) {
		return Options{}, fault.Invalid("Prefix", "must be up to %d of a-z, 0-9 and _, starting with a letter, is %q", longestPrefix, c.Prefix)
	}
	for _, n := range []struct {
		name         string
		value        *int
		preset, most int
	}{
		{"BatchSize", &c.BatchSize, DefaultBatchSize, MaxBatchSize},
		{"Batches", &c.Batches, DefaultBatches, maxBatches},
		{"Waiting", &c.Waiting, DefaultWaiting, maxWaiting},
	} {
		if *n.value < 0 || *n.value > n.most {
			return Options{}, fault.Invalid(n.name, "must be 1 to %d, is %d", n.most, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.preset
		}
	}
	for _, kind := range c.Tell {
		if !kind.Known() {
			return Options{}, fault.Invalid("Tell", "must name kinds of events, has %v", kind)
		}
	}
	if c.SoldOutFor > MaxSoldOutFor {
		return Options{}, fault.Invalid("SoldOutFor", "must be %v at most, is %v", MaxSoldOutFor, c.SoldOutFor)
	}
	if c.SoldOutFor == 0 {
		c.SoldOutFor = MaxSoldOutFor
	}
	return c, nil
}

// settings returns what a store is made with.
func (o *Options) settings() ledger.Settings {
	c, err := o.complete()
	return ledger.Settings{
		Prefix: c.Prefix, Unmerged: c.Unmerged, Limits: batch.Limits{Size: c.BatchSize, Batches: c.Batches, Waiting: c.Waiting},
		SoldOutFor: c.SoldOutFor, Tell: event.KindsOf(c.Tell...), Broken: err,
	}
}

// prefix returns the prefix, or ErrInvalid for options that are none.
func (o *Options) prefix() (string, error) {
	c, err := o.complete()
	return c.Prefix, err
}
