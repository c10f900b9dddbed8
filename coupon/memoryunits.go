package coupon

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// memoryUnits is the store of the units of a Memory. Each call is one of the Memory, and those of a claim
// book its coupon as well.
type memoryUnits struct {
	m  *Memory
	to State // what a refund makes of a coupon
}

// Lock implements stock.Store.
func (u memoryUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	_, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Locking{}, err
	}
	defer end()
	return u.m.lock(ctx, order, holdFor)
}

// lock makes a claim and books its coupon.
func (m *Memory) lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.Locking, error) {
	hold, now, err := m.units.Hold(ctx, order.ID)
	if err != nil {
		return stock.Locking{}, err
	}
	item, terms, err := m.campaign(ctx, order.Lines[0].SKU)
	if err != nil {
		return stock.Locking{}, err
	}
	if hold.State == stock.Unheld && item.Version > 0 {
		_, known := m.terms[numbered{item.SKU, item.SPU}]
		if !known || order.Taken && m.handedOut(terms, item, 1) {
			return stock.Locking{}, ErrDrift
		}
	}
	locking, err := m.units.Lock(ctx, order, holdFor)
	if err != nil || locking.Verdict != stock.Done {
		return locking, err
	}
	coupon := Coupon{ID: order.ID, Campaign: item.SKU, Buyer: order.Buyer, Terms: terms, TermsNo: item.SPU, State: Pending, UpdatedAt: now}
	if order.Taken {
		m.give(coupon, item.Sold+1, now)
	} else {
		m.coupons[coupon.ID] = coupon
	}
	return locking, nil
}

// handedOut reports whether the code of the n-th coupon that an item gives out from now on is some coupon's
// already: its Sold has drifted.
func (m *Memory) handedOut(terms Terms, item stock.Item, n int64) bool {
	return terms.Pool && m.holders[numbered{item.SKU, item.Sold + n}] != ""
}

// give makes a coupon usable. It is the sold-th of its campaign.
func (m *Memory) give(coupon Coupon, sold int64, now time.Time) {
	coupon.State, coupon.ClaimedAt, coupon.UpdatedAt = Usable, now, now
	coupon.From, coupon.Until = coupon.Validity(now)
	if coupon.Pool {
		coupon.Position = sold
		if pool := m.codes[coupon.Campaign]; sold <= int64(len(pool)) {
			coupon.Code = pool[sold-1]
		}
		m.holders[numbered{coupon.Campaign, sold}] = coupon.ID
	}
	m.coupons[coupon.ID] = coupon
}

// Move implements stock.Store.
func (u memoryUnits) Move(ctx context.Context, step stock.Step, order string, fence int64) (stock.Verdict, error) {
	now, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	coupon, known := u.m.coupons[order]
	if !known || step != stock.StepPay && step != stock.StepReacquire || coupon.State != Pending {
		return u.m.units.Move(ctx, step, order, fence)
	}
	item, _, err := u.m.campaign(ctx, coupon.Campaign)
	if err != nil {
		return stock.Refused, err
	}
	if u.m.handedOut(coupon.Terms, item, 1) {
		return stock.Refused, ErrDrift
	}
	verdict, err := u.m.units.Move(ctx, step, order, fence)
	if err == nil && verdict == stock.Done {
		u.m.give(coupon, item.Sold+1, now)
	}
	return verdict, err
}

// Refund implements stock.Store.
func (u memoryUnits) Refund(ctx context.Context, refund stock.Refunding, hold stock.Hold) (stock.Refunding, stock.Verdict, error) {
	now, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Refunding{}, stock.Refused, err
	}
	defer end()
	was, err := u.m.units.Refunding(ctx, refund.ID)
	if err != nil {
		return stock.Refunding{}, stock.Refused, err
	}
	coupon, known := u.m.coupons[refund.Order]
	if was.ID == "" && known && !coupon.Free(now) {
		return stock.Refunding{}, stock.Refused, ErrNotFree
	}
	booked, verdict, err := u.m.units.Refund(ctx, refund, hold)
	if err == nil && verdict == stock.Done {
		coupon.State, coupon.Order, coupon.Deadline, coupon.UpdatedAt = u.to, "", time.Time{}, now
		u.m.coupons[coupon.ID] = coupon
	}
	return booked, verdict, err
}

// Create implements stock.Store.
func (u memoryUnits) Create(ctx context.Context, item stock.Item) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.Create(ctx, item) })
}

// Change implements stock.Store.
func (u memoryUnits) Change(ctx context.Context, from stock.Item, to stock.Terms, total int64) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.Change(ctx, from, to, total) })
}

// List implements stock.Store.
func (u memoryUnits) List(ctx context.Context, after stock.Key, limit int) ([]stock.Item, error) {
	return under(ctx, u.m, func() ([]stock.Item, error) { return u.m.units.List(ctx, after, limit) })
}

// Close implements stock.Store.
func (u memoryUnits) Close(ctx context.Context, order string) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.Close(ctx, order) })
}

// Fence implements stock.Store.
func (u memoryUnits) Fence(ctx context.Context, order string) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.Fence(ctx, order) })
}

// SetDeadline implements stock.Store.
func (u memoryUnits) SetDeadline(ctx context.Context, hold stock.Hold, deadline time.Time) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.SetDeadline(ctx, hold, deadline) })
}

// Holds implements stock.Store.
func (u memoryUnits) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return under(ctx, u.m, func() ([]stock.Hold, error) { return u.m.units.Holds(ctx, filter, after, limit) })
}

// Due implements stock.Store.
func (u memoryUnits) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return under(ctx, u.m, func() ([]string, error) { return u.m.units.Due(ctx, keys, limit) })
}

// Expire implements stock.Store.
func (u memoryUnits) Expire(ctx context.Context, orders []string) ([]string, error) {
	return under(ctx, u.m, func() ([]string, error) { return u.m.units.Expire(ctx, orders) })
}

// Refunding implements stock.Store.
func (u memoryUnits) Refunding(ctx context.Context, id string) (stock.Refunding, error) {
	return under(ctx, u.m, func() (stock.Refunding, error) { return u.m.units.Refunding(ctx, id) })
}

// Apply implements stock.Store.
func (u memoryUnits) Apply(ctx context.Context, change stock.Change) (stock.Verdict, error) {
	return under(ctx, u.m, func() (stock.Verdict, error) { return u.m.units.Apply(ctx, change) })
}

// Applied implements stock.Store.
func (u memoryUnits) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return under(ctx, u.m, func() (stock.Change, error) { return u.m.units.Applied(ctx, kind, id) })
}

// Book implements stock.Store.
func (u memoryUnits) Book(ctx context.Context, key stock.Key) (stock.Book, error) {
	return under(ctx, u.m, func() (stock.Book, error) { return u.m.units.Book(ctx, key) })
}

// Items implements stock.Store.
func (u memoryUnits) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.Standing, time.Time, error) {
	_, end, err := u.m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer end()
	return u.m.units.Items(ctx, buyer, keys)
}

// Hold implements stock.Store.
func (u memoryUnits) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	_, end, err := u.m.begin(ctx)
	if err != nil {
		return stock.Hold{}, time.Time{}, err
	}
	defer end()
	return u.m.units.Hold(ctx, order)
}

// under makes a call on the units as one of the Memory.
func under[T any](ctx context.Context, m *Memory, call func() (T, error)) (T, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		var none T
		return none, err
	}
	defer end()
	return call()
}

var _ stock.Store = memoryUnits{}
