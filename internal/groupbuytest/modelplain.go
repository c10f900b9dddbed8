package groupbuytest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// plain does what a shop does that sells the same SKUs and knows nothing of groups: it sells them, fills them up, and
// sweeps up all holds that are dead, those of seats among them. Where it meddles, it moves other holds of seats, too.
func (m *model) plain() operation {
	line := stock.Line{SKU: m.Int64N(skusOfModel) + 1, Num: m.Int64N(9) + 1}
	switch n := m.IntN(100); {
	case n < 20:
		order := m.ID("p")
		m.beside = suite.Remember(m.beside, order)
		if len(m.buys) > 0 && m.Chance(10) {
			order = suite.Pick(m, m.buys...).Order
		}
		return m.plainLock(order, line)
	case n < 40 && len(m.beside) > 0:
		return m.plainStep(suite.Pick(m, m.beside...), suite.Pick(m, "Pay", "Cancel", "Redeem"))
	case n < 50:
		id := m.ID("c")
		return operation{Name: fmt.Sprintf("the shop's Restock(%q, %v)", id, line), Looks: lookAtPool(m.product()),
			Call: func(s *side) (any, error) {
				return s.shop.Restock(s.Context(), id, line)
			}}
	case n < 65 && m.meddles:
		return m.meddle()
	}
	return operation{Name: "the shop's Expire", Call: func(s *side) (any, error) { return s.shop.Expire(s.Context()) }}
}

// plainLock locks units for an order of the shop.
func (m *model) plainLock(order string, line stock.Line) operation {
	return operation{Name: fmt.Sprintf("the shop's Lock(%q, %+v)", order, line), Looks: look(order), Call: func(s *side) (any, error) {
		return s.shop.For("1").Lock(s.Context(), order, line)
	}}
}

// plainStep moves an order of the shop by a step.
func (m *model) plainStep(order, verb string) operation {
	return operation{Name: fmt.Sprintf("the shop's %s(%q)", verb, order), Looks: look(order), Call: func(s *side) (any, error) {
		switch verb {
		case "Pay":
			return s.shop.Pay(s.Context(), order)
		case "Cancel":
			return s.shop.Cancel(s.Context(), order)
		case "Redeem":
			return s.shop.Redeem(s.Context(), order)
		default:
			return s.shop.Refund(s.Context(), stock.Refund{ID: "by the shop of " + order, Order: order, Restock: true})
		}
	}}
}

// meddle moves the hold of a seat, or sells units of a pool.
func (m *model) meddle() operation {
	if m.Chance(10) {
		key, order := m.product(), m.ID("p")
		m.beside = suite.Remember(m.beside, order)
		return m.plainLock(order, stock.Line{SKU: key.SKU, Activity: key.Activity, Num: 1})
	}
	if m.Chance(50) {
		return m.plainStep(m.order(groupbuy.Held), suite.Pick(m, "Pay", "Cancel"))
	}
	return m.plainStep(m.order(groupbuy.Paid), suite.Pick(m, "Redeem", "Refund"))
}
