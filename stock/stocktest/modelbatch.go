package stocktest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// draw draws an operation: one call, or several that share batches; with rows of the shop or without.
func (m *model) draw() operation {
	if m.Chance(4) && !m.anyWaits() {
		if op, ok := m.batch(); ok {
			return op
		}
	}
	return m.along(m.next(), m.Chance(15))
}

// anyWaits reports whether orders wait for an item: what several calls free by turns may go to others than what one batch frees.
func (m *model) anyWaits() bool {
	return slices.ContainsFunc(suite.Must(suite.Gather(m.Sides[0].inv.Items(m.Context()))), func(i stock.Item) bool { return i.Waiting > 0 })
}

// carries reports whether calls can carry rows of the shop on both sides.
func (m *model) carries() bool { return m.Sides[0].Along != nil && m.Sides[1].Along != nil }

// along has a call carry a row of the shop at times, which may be there already. A call that fails keeps none.
func (m *model) along(op operation, known bool) operation {
	if !m.carries() || !m.Chance(40) {
		return op
	}
	row := m.ID("row")
	if known && len(m.rows) > 0 {
		row = suite.Pick(m, m.rows...)
	}
	if !known && slices.Contains(m.rows, row) {
		return op
	}
	m.rows = suite.Remember(m.rows, row)
	call := op.Call
	op.Name = fmt.Sprintf("%s along %q", op.Name, row)
	op.Call = func(s *side) (any, error) {
		was := slices.Contains(s.Rows(), row)
		result, err := call(s.withRows(row))
		if err != nil && !was && slices.Contains(s.Rows(), row) {
			m.Wrongf("%s: %v, and its row is kept", op.Name, err)
		}
		return result, err
	}
	op.Looks = append(slices.Clip(op.Looks), operation{Name: "Rows", Call: func(s *side) (any, error) { return s.Rows(), nil }})
	return op
}

// withRows returns the side with an inventory whose calls carry a row.
func (s *side) withRows(row string) *side {
	return &side{Side: suite.Side{TB: s.TB, Form: s.Form}, Harness: s.Harness, inv: s.inv.On(s.Along(row))}
}

// batch draws up to eight calls of one verb, with different orders and an item in common. Dead holds are released before, since
// a call that releases them decides again, behind the others.
func (m *model) batch() (operation, bool) {
	m.Do(operation{Name: "Expire", Call: func(s *side) (any, error) { return s.inv.Expire(s.Context()) }})
	key := suite.Pick(m, slices.DeleteFunc(keys(), func(k stock.Key) bool { return k.SKU == hugeSKU })...)
	n := 2 + m.IntN(7)
	var ops []operation
	switch verb := suite.Pick(m, "Lock", "Lock", "Lock", "Pay", "Cancel", "Refund"); verb {
	case "Lock":
		take := m.Chance(20)
		for range n {
			ops = append(ops, m.lockIn(key, take))
		}
	default:
		ops = m.steps(verb, key, n)
	}
	if len(ops) < 2 {
		return operation{}, false
	}
	return m.together(key, ops), true
}

// lockIn locks a new order, or at times one that is known, of an item among others.
func (m *model) lockIn(key stock.Key, take bool) operation {
	order := m.ID("o")
	lines := []stock.Line{{SKU: key.SKU, Activity: key.Activity, Num: m.Int64N(4) + 1}}
	for range m.IntN(3) {
		if k := m.key(); k.SKU != hugeSKU {
			lines = append(lines, stock.Line{SKU: k.SKU, Activity: k.Activity, Num: m.Int64N(4) + 1})
		}
	}
	m.orders = suite.Remember(m.orders, order)
	return m.lockOf(order, suite.Pick(m, append(buyers(), "")...), lines, take)
}

// steps moves or refunds orders of an item.
func (m *model) steps(verb string, key stock.Key, n int) (ops []operation) {
	from := stock.Locked
	if verb == "Refund" {
		from = stock.Paid
	}
	for _, order := range m.orders {
		h := m.hold(order)
		ours := slices.ContainsFunc(h.Lines, func(l stock.HoldLine) bool { return l.Key() == key && l.Refunded < l.Num })
		if len(ops) == n || h.State != from || !ours {
			continue
		}
		if verb == "Refund" {
			ops = append(ops, m.refundOf(stock.Refund{ID: m.ID("r"), Order: order, Restock: m.Chance(60)}))
			continue
		}
		ops = append(ops, m.stepOf(verb, order))
	}
	return ops
}

// together makes calls that share batches. An order or a row that comes twice would be decided behind the others, so none does.
func (m *model) together(key stock.Key, ops []operation) operation {
	seen := map[string]bool{}
	ops = slices.DeleteFunc(ops, func(op operation) bool {
		was := seen[op.Looks[0].Name]
		seen[op.Looks[0].Name] = true
		return was
	})
	var names []string
	var looks []operation
	for i := range ops {
		ops[i] = m.along(ops[i], false)
		names = append(names, ops[i].Name)
		looks = append(looks, ops[i].Looks...)
	}
	name := "at once:\n    " + strings.Join(names, "\n    ")
	return operation{Name: name, Looks: looks, Call: func(s *side) (any, error) {
		answers := make([]suite.Answer, len(ops))
		calls := make([]func(), len(ops))
		for i, op := range ops {
			calls[i] = func() {
				result, err := op.Call(s)
				answers[i] = m.Told(s, result, err)
			}
		}
		if s.Together != nil {
			s.Together(key, calls...)
			return answers, nil
		}
		for _, call := range calls {
			call()
		}
		return answers, nil
	}}
}
