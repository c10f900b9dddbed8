package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
)

// clock reads the clock.
func (m *model) clock() operation {
	return operation{Name: "the clock", Call: func(s *side) (any, error) {
		_, now, err := s.Store.Coupon(s.Context(), "the clock")
		return now, err
	}}
}

// couponOf reads a coupon.
func (m *model) couponOf(claim string) operation {
	return operation{Name: fmt.Sprintf("Coupon(%q)", claim), Call: func(s *side) (any, error) { return s.shop.Coupon(s.Context(), claim) }}
}

// useOf reads the use of a coupon by an order.
func (m *model) useOf(claim, order string) operation {
	return operation{Name: fmt.Sprintf("UseOf(%q, %q)", claim, order), Call: func(s *side) (any, error) {
		use, _, err := s.Store.UseOf(s.Context(), claim, order)
		return use, err
	}}
}

// look reads what became of a coupon, and of its use by an order where there is one.
func (m *model) look(claim, order string) []operation {
	if order == "" {
		return []operation{m.couponOf(claim)}
	}
	return []operation{m.couponOf(claim), m.useOf(claim, order)}
}

// historyOf reads the life of a coupon.
func (m *model) historyOf(claim string) operation {
	return operation{Name: fmt.Sprintf("History(%q)", claim), Call: func(s *side) (any, error) { return s.shop.History(s.Context(), claim) }}
}

// usedBy reads what an order did.
func (m *model) usedBy(order string) operation {
	return operation{Name: fmt.Sprintf("UsedBy(%q)", order), Call: func(s *side) (any, error) { return s.shop.UsedBy(s.Context(), order) }}
}

// progressOf reads where the coupons of a campaign are.
func (m *model) progressOf(id int64) operation {
	return operation{Name: fmt.Sprintf("Progress(%d)", id), Call: func(s *side) (any, error) { return s.shop.Progress(s.Context(), id) }}
}

// recordOf reads what became of a batch.
func (m *model) recordOf(id string) operation {
	return operation{Name: fmt.Sprintf("Batch(%q)", id), Call: func(s *side) (any, error) {
		batch, results, err := s.Store.Batch(s.Context(), id)
		return []any{batch, results}, err
	}}
}

// walletOf reads the wallet of a buyer, with some statuses.
func (m *model) walletOf(buyer string, statuses ...coupon.Status) operation {
	return operation{Name: fmt.Sprintf("Wallet(%v) of %q", statuses, buyer), Call: func(s *side) (any, error) {
		return suite.Gather(s.shop.For(buyer).Wallet(s.Context(), statuses...))
	}}
}

// read asks for one thing.
func (m *model) read() operation {
	claim, buyer, id := m.claim(coupon.Usable, coupon.Reserved), m.buyer(), m.campaign()
	switch m.IntN(8) {
	case 0:
		return operation{Name: fmt.Sprintf("Coupon(%q) for %q", claim, buyer), Call: func(s *side) (any, error) {
			return s.shop.For(buyer).Coupon(s.Context(), claim)
		}}
	case 1:
		code := m.code()
		if given := m.held(claim).Code; given != "" && !isRandom(given) && m.Chance(80) {
			code = given
		}
		return operation{Name: fmt.Sprintf("ByCode(%q)", code), Call: func(s *side) (any, error) { return s.shop.ByCode(s.Context(), code) }}
	case 2:
		return m.walletOf(buyer, suite.Pick(m, coupon.Statuses()...), suite.Pick(m, coupon.Statuses()...))
	case 3:
		return m.progressOf(id)
	case 4:
		return m.historyOf(claim)
	case 5:
		order := m.order()
		return operation{Name: fmt.Sprintf("UsedBy(%q) for %q", order, buyer), Call: func(s *side) (any, error) {
			return s.shop.For(buyer).UsedBy(s.Context(), order)
		}}
	case 6:
		return operation{Name: fmt.Sprintf("Campaign(%d)", id), Call: func(s *side) (any, error) { return s.shop.Campaign(s.Context(), id) }}
	}
	return operation{Name: fmt.Sprintf("Repair(%d)", id), Call: func(s *side) (any, error) { return s.shop.Repair(s.Context(), id) }}
}

// now returns the clock of the first side.
func (m *model) now() time.Time {
	_, now, err := m.Sides[0].Store.Coupon(m.Context(), "the clock")
	m.Must(err)
	return now
}

// held returns a coupon as the first side has it.
func (m *model) held(claim string) coupon.Coupon {
	c, _, err := m.Sides[0].Store.Coupon(m.Context(), claim)
	m.Must(err)
	return c
}

// advance moves both clocks: by a little, by a lot, or to the edge of something.
func (m *model) advance() operation {
	by := suite.Pick(m, time.Microsecond, m.opts.HoldFor/5, m.opts.ReserveFor/5, m.opts.HoldFor/2, m.opts.ReserveFor/2)
	if m.Chance(8) {
		by = suite.Pick(m, time.Hour, day)
	}
	if edge, now := m.edge(), m.now(); edge.After(now) && edge.Sub(now) < 3*day {
		by = edge.Sub(now) - suite.Pick(m, 0, time.Microsecond)
	}
	by = by.Truncate(time.Microsecond)
	return operation{Name: fmt.Sprintf("Advance(%v)", by), Call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns a moment at which something about a coupon or a campaign changes, or often nothing.
func (m *model) edge() time.Time {
	switch {
	case m.Chance(35):
		return m.held(m.claim(coupon.Pending, coupon.Reserved)).Deadline
	case m.Chance(15):
		c := m.held(m.claim(coupon.Usable))
		return suite.Pick(m, c.From, c.Until)
	case m.Chance(20):
		c, _ := m.Sides[0].shop.Campaign(m.Context(), m.campaign()) // what does not exist has no edges
		return suite.Pick(m, c.Start, c.End, c.ValidFrom, c.ValidUntil)
	}
	return time.Time{}
}
