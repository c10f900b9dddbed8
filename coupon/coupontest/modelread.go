package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
)

// clock reads the clock.
func (m *model) clock() operation {
	return operation{name: "the clock", call: func(s *side) (any, error) {
		_, now, err := s.Store.Coupon(s.Context(), "the clock")
		return now, err
	}}
}

// couponOf reads a coupon.
func (m *model) couponOf(claim string) operation {
	return operation{name: fmt.Sprintf("Coupon(%q)", claim), call: func(s *side) (any, error) { return s.shop.Coupon(s.Context(), claim) }}
}

// useOf reads the use of a coupon by an order.
func (m *model) useOf(claim, order string) operation {
	return operation{name: fmt.Sprintf("UseOf(%q, %q)", claim, order), call: func(s *side) (any, error) {
		use, _, err := s.Store.UseOf(s.Context(), claim, order)
		return use, err
	}}
}

// historyOf reads the life of a coupon.
func (m *model) historyOf(claim string) operation {
	return operation{name: fmt.Sprintf("History(%q)", claim), call: func(s *side) (any, error) { return s.shop.History(s.Context(), claim) }}
}

// usedBy reads what an order did.
func (m *model) usedBy(order string) operation {
	return operation{name: fmt.Sprintf("UsedBy(%q)", order), call: func(s *side) (any, error) { return s.shop.UsedBy(s.Context(), order) }}
}

// progressOf reads where the coupons of a campaign are.
func (m *model) progressOf(id int64) operation {
	return operation{name: fmt.Sprintf("Progress(%d)", id), call: func(s *side) (any, error) { return s.shop.Progress(s.Context(), id) }}
}

// recordOf reads what became of a batch.
func (m *model) recordOf(id string) operation {
	return operation{name: fmt.Sprintf("Batch(%q)", id), call: func(s *side) (any, error) {
		batch, results, err := s.Store.Batch(s.Context(), id)
		return []any{batch, results}, err
	}}
}

// walletOf reads the wallet of a buyer, with some statuses.
func (m *model) walletOf(buyer int64, statuses ...coupon.Status) operation {
	return operation{name: fmt.Sprintf("Wallet(%v) of %d", statuses, buyer), call: func(s *side) (any, error) {
		return gather(s.shop.For(buyer).Wallet(s.Context(), statuses...))
	}}
}

// read asks for one thing.
func (m *model) read() operation {
	claim, buyer, id := m.claim(coupon.Usable, coupon.Reserved), m.buyer(), m.campaign()
	switch m.rng.IntN(8) {
	case 0:
		return operation{name: fmt.Sprintf("Coupon(%q) for %d", claim, buyer), call: func(s *side) (any, error) {
			return s.shop.For(buyer).Coupon(s.Context(), claim)
		}}
	case 1:
		code := m.code()
		if given := m.held(claim).Code; given != "" && known(given) == given && m.chance(80) {
			code = given
		}
		return operation{name: fmt.Sprintf("ByCode(%q)", code), call: func(s *side) (any, error) { return s.shop.ByCode(s.Context(), code) }}
	case 2:
		return m.walletOf(buyer, pick(m, coupon.Statuses()...), pick(m, coupon.Statuses()...))
	case 3:
		return m.progressOf(id)
	case 4:
		return m.historyOf(claim)
	case 5:
		order := m.order()
		return operation{name: fmt.Sprintf("UsedBy(%q) for %d", order, buyer), call: func(s *side) (any, error) {
			return s.shop.For(buyer).UsedBy(s.Context(), order)
		}}
	case 6:
		return operation{name: fmt.Sprintf("Campaign(%d)", id), call: func(s *side) (any, error) { return s.shop.Campaign(s.Context(), id) }}
	}
	return operation{name: fmt.Sprintf("Repair(%d)", id), call: func(s *side) (any, error) { return s.shop.Repair(s.Context(), id) }}
}

// now returns the clock of the first side.
func (m *model) now() time.Time {
	_, now, err := m.sides[0].Store.Coupon(m.Context(), "the clock")
	if err != nil {
		m.Fatalf("seed %d: %v", m.seed, err)
	}
	return now
}

// held returns a coupon as the first side has it.
func (m *model) held(claim string) coupon.Coupon {
	c, _, err := m.sides[0].Store.Coupon(m.Context(), claim)
	if err != nil {
		m.Fatalf("seed %d: %v", m.seed, err)
	}
	return c
}

// advance moves both clocks: by a little, by a lot, or to the edge of something.
func (m *model) advance() operation {
	by := pick(m, time.Microsecond, m.opts.HoldFor/5, m.opts.ReserveFor/5, m.opts.HoldFor/2, m.opts.ReserveFor/2)
	if m.chance(8) {
		by = pick(m, time.Hour, day)
	}
	if edge, now := m.edge(), m.now(); edge.After(now) && edge.Sub(now) < 3*day {
		by = edge.Sub(now) - pick(m, 0, time.Microsecond)
	}
	by = by.Truncate(time.Microsecond)
	return operation{name: fmt.Sprintf("Advance(%v)", by), call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns a moment at which something about a coupon or a campaign changes, or often nothing.
func (m *model) edge() time.Time {
	switch {
	case m.chance(35):
		return m.held(m.claim(coupon.Pending, coupon.Reserved)).Deadline
	case m.chance(15):
		c := m.held(m.claim(coupon.Usable))
		return pick(m, c.From, c.Until)
	case m.chance(20):
		c, _ := m.sides[0].shop.Campaign(m.Context(), m.campaign()) // what does not exist has no edges
		return pick(m, c.Start, c.End, c.ValidFrom, c.ValidUntil)
	}
	return time.Time{}
}
