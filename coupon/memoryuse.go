package coupon

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Use implements Store.
func (m *Memory) Use(ctx context.Context, step Step, use Use, holdFor time.Duration) (stock.Verdict, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		t, key := step.Transition(), usage{use.Coupon, use.Order}
		coupon, exists := m.coupons[use.Coupon]
		was, known := m.uses[key]
		if !exists || !t.lets(was, known, now) || t.Takes && (!coupon.Free(now) || now.Before(coupon.From) || !now.Before(coupon.Until)) {
			return stock.Refused, nil
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		m.coupons[coupon.ID], m.uses[key] = t.after(coupon, was, use, now, now.Add(holdFor))
		return stock.Done, nil
	})
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
	return m.uses[usage{coupon, order}], now, nil
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
