// Package wiretest stands between a domain and its store as a network does, for the conformance suites: it
// may break before a call is sent, or lose the answer of a call that was done.
package wiretest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Over makes one call: send is asked before it, and reply after one that was done. Where they return an error,
// the caller gets that. Nil lets all through.
func Over[T any](send, reply func(call string) error, name string, call func() (T, error)) (T, error) {
	var none T
	if send != nil {
		if err := send(name); err != nil {
			return none, err
		}
	}
	got, err := call()
	if err != nil {
		return none, err
	}
	if reply != nil {
		if err := reply(name); err != nil {
			return none, err
		}
	}
	return got, nil
}

// Over2 is Over for a call with two results.
func Over2[A, B any](send, reply func(call string) error, name string, call func() (A, B, error)) (A, B, error) {
	type answer struct {
		first  A
		second B
	}
	a, err := Over(send, reply, name, func() (a answer, err error) {
		a.first, a.second, err = call()
		return a, err
	})
	return a.first, a.second, err
}

// Stock is a stock.Store behind a wire. Set Send and Reply before the first call.
type Stock struct {
	Store  stock.Store
	Prefix string                  // of the names of the calls
	Send   func(call string) error // before the call; nil lets all of them through
	Reply  func(call string) error // after a call that was done; nil lets all answers through
}

// Changes reports whether a method of a stock.Store changes something.
func Changes(call string) bool {
	switch call {
	case "Items", "List", "Hold", "Holds", "Due", "Refunding", "Applied", "Book":
		return false
	}
	return true
}

// Create implements stock.Store.
func (s *Stock) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Create", func() (stock.Verdict, error) { return s.Store.Create(ctx, item) })
}

// Change implements stock.Store.
func (s *Stock) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Change", func() (stock.Verdict, error) { return s.Store.Change(ctx, from, to, total) })
}

// Items implements stock.Store.
func (s *Stock) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.Standing, time.Time, error) {
	return Over2(s.Send, s.Reply, s.Prefix+"Items", func() ([]stock.Standing, time.Time, error) { return s.Store.Items(ctx, buyer, keys) })
}

// List implements stock.Store.
func (s *Stock) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return Over(s.Send, s.Reply, s.Prefix+"List", func() ([]stock.Item, error) { return s.Store.List(ctx, after, limit) })
}

// Lock implements stock.Store. It keeps the reason of a refusal to itself, so that the inventory
// looks for it over the wire.
func (s *Stock) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Lock", func() (stock.Locking, error) {
		locking, err := s.Store.Lock(ctx, order, holdFor)
		locking.Why = nil
		return locking, err
	})
}

// Move implements stock.Store.
func (s *Stock) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Move", func() (stock.Verdict, error) { return s.Store.Move(ctx, step, order, fence) })
}

// Close implements stock.Store.
func (s *Stock) Close(ctx context.Context, order string) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Close", func() (stock.Verdict, error) { return s.Store.Close(ctx, order) })
}

// Fence implements stock.Store.
func (s *Stock) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Fence", func() (stock.Verdict, error) { return s.Store.Fence(ctx, order) })
}

// SetDeadline implements stock.Store.
func (s *Stock) SetDeadline(ctx context.Context, h stock.Hold, deadline time.Time) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"SetDeadline", func() (stock.Verdict, error) { return s.Store.SetDeadline(ctx, h, deadline) })
}

// Hold implements stock.Store.
func (s *Stock) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	return Over2(s.Send, s.Reply, s.Prefix+"Hold", func() (stock.Hold, time.Time, error) { return s.Store.Hold(ctx, order) })
}

// Holds implements stock.Store.
func (s *Stock) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Holds", func() ([]stock.Hold, error) { return s.Store.Holds(ctx, filter, after, limit) })
}

// Due implements stock.Store.
func (s *Stock) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Due", func() ([]string, error) { return s.Store.Due(ctx, keys, limit) })
}

// Expire implements stock.Store.
func (s *Stock) Expire(ctx context.Context, orders []string) ([]string, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Expire", func() ([]string, error) { return s.Store.Expire(ctx, orders) })
}

// Refund implements stock.Store.
func (s *Stock) Refund(ctx context.Context, refund stock.Refunding, h stock.Hold) (stock.Refunding, stock.Verdict, error) {
	return Over2(s.Send, s.Reply, s.Prefix+"Refund", func() (stock.Refunding, stock.Verdict, error) { return s.Store.Refund(ctx, refund, h) })
}

// Refunding implements stock.Store.
func (s *Stock) Refunding(ctx context.Context, id string) (stock.Refunding, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Refunding", func() (stock.Refunding, error) { return s.Store.Refunding(ctx, id) })
}

// Apply implements stock.Store.
func (s *Stock) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Apply", func() (stock.Verdict, error) { return s.Store.Apply(ctx, change) })
}

// Applied implements stock.Store.
func (s *Stock) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Applied", func() (stock.Change, error) { return s.Store.Applied(ctx, kind, id) })
}

// Book implements stock.Store.
func (s *Stock) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Book", func() (stock.Book, error) { return s.Store.Book(ctx, key) })
}

var _ stock.Store = (*Stock)(nil)
