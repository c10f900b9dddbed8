// Package contender has the ways of selling stock that the load tool compares: what people write by hand on MySQL, what they
// use Redis for, this library, and the limits, programs that only send what has to be written.
//
// Those on SQL use the tables of this library, so that the work is the same: an order's hold is a row for each of its lines with
// all columns, and an audit of this library can judge what each of them has left behind. Only the published UPDATE has a table of
// its own, since the constraints of ours would not let it do what it does. The rows of the shop are in tables beside them.
package contender

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// ErrSoldOut is the refusal of a Lock.
var ErrSoldOut = errors.New("contender: sold out")

// ErrGaveUp is what a Lock returns whose measurement was over before it got through. It has changed nothing.
var ErrGaveUp = errors.New("contender: gave up, the measurement is over")

// HotSKU is the item that everybody wants, where there are others.
const HotSKU = 1

// Order is what a caller places: one unit of each SKU. Some contenders know orders of one line only.
type Order struct {
	No   string
	SKUs []int64 // ascending, each once
}

// sku is that of an order of one line.
func (o Order) sku() int64 { return o.SKUs[0] }

// id is the number as the key of the shop's row.
func (o Order) id() int64 {
	id, err := strconv.ParseInt(o.No, 10, 64)
	if err != nil {
		panic(err) // the load tool numbers its orders
	}
	return id
}

// Contender locks the units of an order. It is safe for concurrent use.
type Contender interface {
	// Lock sets the units aside, and writes the rows of the shop where the measurement has some. Errors: ErrSoldOut, ErrGaveUp;
	// any other is a failure.
	Lock(ctx context.Context, order Order) error
	// Pay sells what an order has locked, and says so in the row of the shop.
	Pay(ctx context.Context, order Order) error
	// Cancel gives it back.
	Cancel(ctx context.Context, order Order) error
	// Close gives the connections back. What the contender has put off is done before.
	Close() error
}

// Batcher is a contender that does not take one order but many: a limit.
type Batcher interface {
	LockAll(ctx context.Context, orders []Order) error
}

// Filler is a contender that locks orders beforehand and fast, for others to measure what comes next.
type Filler interface {
	Fill(ctx context.Context, orders []Order) error
}

// Expirer is a contender that releases dead holds.
type Expirer interface {
	// Expire releases all there are and returns how many.
	Expire(ctx context.Context) (int, error)
}

// Config says where a contender works and with what.
type Config struct {
	DSN     string          // of the database server, with the database of the measurement
	Redis   string          // host:port
	Pool    int             // connections
	Prepare bool            // the server prepares each statement: a DSN without interpolateParams
	Delay   time.Duration   // added to each round trip
	HoldFor time.Duration   // how long a hold lives
	Row     bool            // the shop keeps a row for each order
	Items   bool            // and one for each of its lines
	Orders  int             // of each buyer, whose units are limited to as many; 0 names no buyer
	Count   *Counter        // counts the statements on items; nil does not
	Done    <-chan struct{} // closed when the measurement is over; nil is never
}

// over reports whether the measurement is over.
func (c Config) over() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// backend is where a contender keeps its books.
type backend interface {
	prepare(ctx context.Context, cfg Config, items int, units int64) error
	inspect(ctx context.Context, cfg Config) (Books, error)
	clear(ctx context.Context, cfg Config) error
}
