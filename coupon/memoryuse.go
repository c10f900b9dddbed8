package coupon

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Use implements Store.
func (m *Memory) Use(ctx context.Context, step Step, use Use, holdFor time.Duration) (stock.Verdict, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		t, key := step.Transition(), useKey{use.Coupon, use.Order}
		coupon, exists := m.coupons[use.Coupon]
		was, known := m.uses[key]
		if !exists || !t.lets(was, known, now) || t.Takes && (!coupon.Free(now) || now.Before(coupon.From) || !now.Before(coupon.Until)) {
			return stock.Refused, nil
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		m.coupons[coupon.ID], m.uses[key] = t.after(coupon, was, use, now, now.Add(holdFor))
		if t.To == UseReturned {
			m.tell(now, Told(event.CouponReturned, coupon, use.Order))
		}
		return stock.Done, nil
	})
}

// tell writes an event, as far as it is told.
func (b *books) tell(now time.Time, e event.Event) {
	if b.events != nil && b.tells.Has(e.Kind) {
		b.events.Add(now, e)
	}
}

// TellExpiry implements Store.
func (m *Memory) TellExpiry(ctx context.Context, lead time.Duration, limit int) (int, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) (int, error) {
		n := 0
		for _, id := range slices.Sorted(maps.Keys(m.coupons)) {
			kind := m.coupons[id].expiry(now, lead)
			if kind == 0 || n == limit || !m.tells.Has(kind) || m.told[id] >= kind {
				continue
			}
			m.told[id] = kind
			m.tell(now, Told(kind, m.coupons[id], ""))
			n++
		}
		return n, nil
	})
}

// expiry returns the event that tells of the end of the validity of a coupon at now; 0 is none.
func (c Coupon) expiry(now time.Time, lead time.Duration) event.Kind {
	switch {
	case !c.Free(now), !c.Until.Add(ExpiredWithin).After(now), c.Until.Add(-lead).After(now):
		return 0
	case c.Until.After(now):
		return event.CouponExpiring
	}
	return event.CouponExpired
}

// after returns a coupon and the use of it as a step leaves them at now. A reservation lives until the deadline.
func (t Transition) after(coupon Coupon, is, use Use, now, deadline time.Time) (Coupon, Use) {
	begins := is.State == Unused
	if begins {
		is = Use{Coupon: use.Coupon, Order: use.Order, Deadline: now, CreatedAt: now}
	}
	if begins || t.To == UseReserved || t.To == UseRedeemed {
		is.Places, is.Total, is.Discount = use.Places, use.Total, use.Discount
	}
	if is.State, is.UpdatedAt = t.To, now; t.To == UseRedeemed {
		is.RedeemedAt = now
	}
	if t.To == UseReserved {
		is.Deadline = deadline
	}
	if t.Coupon == None {
		return coupon, is
	}
	coupon.State, coupon.Order, coupon.Deadline, coupon.UpdatedAt = t.Coupon, use.Order, time.Time{}, now
	switch t.Coupon { //nolint:exhaustive // those of the table
	case Usable:
		coupon.Order = ""
	case Reserved:
		coupon.Deadline = is.Deadline
	}
	return coupon, is
}

// lets reports whether a use is in the state from which the transition starts.
func (t Transition) lets(use Use, known bool, now time.Time) bool {
	dead := !now.Before(use.Deadline)
	switch {
	case !known:
		return t.New
	case t.When == stock.Live && dead, t.When == stock.Dead && !dead:
		return false
	}
	return use.State == t.From
}

// UseOf implements Store.
func (m *Memory) UseOf(ctx context.Context, coupon, order string) (Use, time.Time, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return Use{}, time.Time{}, err
	}
	defer end()
	return m.uses[useKey{coupon, order}], now, nil
}

// Uses implements Store.
func (m *Memory) Uses(ctx context.Context, coupon string) ([]Use, error) {
	return m.usesThat(ctx, func(u Use) bool { return u.Coupon == coupon }, func(a, b Use) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Order, b.Order))
	})
}

// UsedBy implements Store.
func (m *Memory) UsedBy(ctx context.Context, order string) ([]Use, error) {
	return m.usesThat(ctx, func(u Use) bool { return u.Order == order }, func(a, b Use) int { return cmp.Compare(a.Coupon, b.Coupon) })
}

// usesThat returns the uses that match, in an order.
func (m *Memory) usesThat(ctx context.Context, match func(Use) bool, compare func(a, b Use) int) ([]Use, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) ([]Use, error) {
		var uses []Use
		for _, u := range m.uses {
			if match(u) {
				uses = append(uses, u)
			}
		}
		slices.SortFunc(uses, compare)
		return uses, nil
	})
}
