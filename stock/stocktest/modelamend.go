package stocktest

import (
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// amend changes an order that is unpaid, or at times one that is paid, or makes an amendment again as it was or with other arguments.
func (m *model) amend() operation {
	if len(m.amends) > 0 && m.Chance(20) {
		a := suite.Pick(m, m.amends...)
		if m.Chance(30) {
			a.Lines = m.lines()
		}
		return m.amendOf(a)
	}
	a := stock.Amendment{ID: m.ID("a"), Order: m.order(stock.Locked), Pay: m.Chance(20)}
	paid := m.Chance(15)
	if paid {
		a.Order, a.Pay = m.order(stock.Paid), m.Chance(5)
	}
	switch h := m.hold(a.Order); {
	case m.Chance(15):
	case paid: // other pools
		for _, l := range h.Lines {
			if l.Activity = 7 - l.Activity; l.Activity < 0 || m.Chance(30) {
				l.Activity = 0
			}
			a.Lines = append(a.Lines, l.Line)
		}
	case len(h.Lines) > 0 && m.Chance(60):
		for _, l := range h.Lines {
			if l.Num = max(1, l.Num+suite.Pick[int64](m, -1, 0, 1)); m.Chance(80) {
				a.Lines = append(a.Lines, l.Line)
			}
		}
	default:
		a.Lines = m.lines()
	}
	if m.Chance(15) {
		a.Buyer = suite.Pick(m, buyers()...)
	}
	if m.Chance(15) {
		a.NewOrder = m.ID("o")
		if m.Chance(10) {
			a.NewOrder = m.order(stock.Cancelled)
		}
		m.orders = suite.Remember(m.orders, a.NewOrder)
	}
	m.amends = suite.Remember(m.amends, a)
	return m.amendOf(a)
}

// amendOf makes one amendment.
func (m *model) amendOf(a stock.Amendment) operation {
	looks := m.look(a.Order)
	if a.NewOrder != "" {
		looks = append(looks, m.holdOf(a.NewOrder))
	}
	return operation{Name: fmt.Sprintf("Amend(%+v)", a), Looks: looks, Call: func(s *side) (any, error) {
		return s.inv.Amend(s.Context(), a)
	}}
}

// part hands over units of a paid order, or puts back what a refund has not.
func (m *model) part() operation {
	switch {
	case len(m.refunds) > 0 && m.Chance(50):
		refund := suite.Pick(m, m.refunds...)
		return operation{Name: fmt.Sprintf("PutBack(%q)", refund.ID), Looks: m.look(refund.Order), Call: func(s *side) (any, error) {
			return s.inv.PutBack(s.Context(), refund.ID)
		}}
	case len(m.parts) > 0 && m.Chance(20):
		return suite.Pick(m, m.parts...)
	}
	id, order := m.ID("p"), m.order(stock.Paid)
	var lines []stock.Line
	for _, l := range m.hold(order).Lines {
		if left := l.Num - l.Refunded - l.Redeemed; left > 0 && m.Chance(70) {
			l.Num = m.Int64N(left) + 1
			lines = append(lines, l.Line)
		}
	}
	if len(lines) == 0 || m.Chance(10) {
		lines = m.lines()
	}
	slices.Reverse(lines)
	op := operation{Name: fmt.Sprintf("RedeemPart(%q, %q, %v)", id, order, lines), Looks: m.look(order), Call: func(s *side) (any, error) {
		return s.inv.RedeemPart(s.Context(), id, order, lines...)
	}}
	m.parts = suite.Remember(m.parts, op)
	return op
}
