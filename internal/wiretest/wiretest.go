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
	case "Items", "List", "Hold", "Holds", "Due", "RefundRecord", "Applied", "Book":
		return false
	}
	return true
}

// Create implements stock.Store.
func (s *Stock) Create(ctx context.Context, item stock.Item, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Create", func() (stock.Verdict, error) { return s.Store.Create(ctx, item, beside...) })
}

// SetTerms implements stock.Store.
func (s *Stock) SetTerms(ctx context.Context, from stock.Item, to stock.Terms, total int64, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"SetTerms", func() (stock.Verdict, error) { return s.Store.SetTerms(ctx, from, to, total, beside...) })
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
func (s *Stock) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Lock", func() (stock.LockResult, error) {
		result, err := s.Store.Lock(ctx, order, holdFor)
		result.Why = nil
		return result, err
	})
}

// Move implements stock.Store.
func (s *Stock) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Move", func() (stock.MoveResult, error) { return s.Store.Move(ctx, move) })
}

// Void implements stock.Store.
func (s *Stock) Void(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Void", func() (stock.Verdict, error) { return s.Store.Void(ctx, order, beside...) })
}

// Fence implements stock.Store.
func (s *Stock) Fence(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Fence", func() (stock.Verdict, error) { return s.Store.Fence(ctx, order, beside...) })
}

// SetDeadline implements stock.Store.
func (s *Stock) SetDeadline(
	ctx context.Context, hold stock.Hold, deadline time.Time, beside ...stock.Companion,
) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"SetDeadline", func() (stock.Verdict, error) {
		return s.Store.SetDeadline(ctx, hold, deadline, beside...)
	})
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
func (s *Stock) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Refund", func() (stock.RefundResult, error) { return s.Store.Refund(ctx, refund, hold, beside...) })
}

// RefundRecord implements stock.Store.
func (s *Stock) RefundRecord(ctx context.Context, id string) (stock.RefundRecord, error) {
	return Over(s.Send, s.Reply, s.Prefix+"RefundRecord", func() (stock.RefundRecord, error) { return s.Store.RefundRecord(ctx, id) })
}

// Apply implements stock.Store.
func (s *Stock) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(s.Send, s.Reply, s.Prefix+"Apply", func() (stock.Verdict, error) { return s.Store.Apply(ctx, change, beside...) })
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

// Moved returns the verdict of a movement.
func Moved(result stock.MoveResult, err error) (stock.Verdict, error) { return result.Verdict, err }

// Refunded returns the verdict of a refund.
func Refunded(result stock.RefundResult, err error) (stock.Verdict, error) {
	return result.Verdict, err
}
