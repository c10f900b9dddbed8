package stocktest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// The small world of a model. SKU 4 has counters near the limits of int64.
const (
	hugeSKU    = 4
	unknownSKU = 9
)

// buyers returns those who buy, who differ in a byte that a sloppy store does not see.
func buyers() []string { return []string{"o", "O", "o "} }

// keys returns the items of the world.
func keys() []stock.Key {
	return []stock.Key{
		{SKU: 1}, {SKU: 1, Activity: 7}, {SKU: 1, Activity: 8}, {SKU: 2}, {SKU: 2, Activity: 7},
		{SKU: 3}, {SKU: hugeSKU}, {SKU: hugeSKU, Activity: 7},
	}
}

// next draws an operation of one call. What an operation needs is looked for first, so that most of them
// do something; the rest are asked for in vain, which has to be answered alike, too.
func (m *model) next() operation {
	switch n := m.IntN(100); {
	case n < 21:
		return m.lock()
	case n < 26:
		return m.amend()
	case n < 28:
		return m.part()
	case n < 31:
		return m.lockAgain()
	case n < 44:
		return m.step("Pay", stock.Locked)
	case n < 49:
		return m.step("Cancel", stock.Locked, stock.Locked, stock.Waiting)
	case n < 53:
		return m.step("Redeem", stock.Paid)
	case n < 58:
		return m.redate()
	case n < 61:
		return m.step("Resolve", stock.Locked, stock.Paid)
	case n < 70:
		return m.refund()
	case n < 73:
		return m.refundAgain()
	case n < 82:
		return m.change()
	case n < 84:
		return m.define(suite.Pick(m, keys()...))
	case n < 87:
		return m.bulk()
	case n < 94:
		return m.advance()
	case n < 96:
		return operation{Name: "Expire", Call: func(s *side) (any, error) { return s.inv.Expire(s.Context()) }}
	}
	return m.read()
}

// key draws an item.
func (m *model) key() stock.Key {
	if m.Chance(1) {
		return stock.Key{SKU: unknownSKU}
	}
	return suite.Pick(m, keys()...)
}

// num draws a number of units, small but for the item of the large ones.
func (m *model) num(key stock.Key) int64 {
	if key.SKU == hugeSKU && m.Chance(40) || m.Chance(1) {
		return suite.Pick[int64](m, math.MaxInt64, math.MaxInt64-1, math.MaxInt64/2, math.MaxInt64/2+1, 1<<40, 1<<62)
	}
	return m.Int64N(5) + 1
}

// lines draws one to three lines, now and then two of one item.
func (m *model) lines() []stock.Line {
	lines := make([]stock.Line, suite.Pick(m, 1, 1, 1, 2, 2, 3))
	for i := range lines {
		key := m.key()
		lines[i] = stock.Line{SKU: key.SKU, Activity: key.Activity, Num: m.num(key)}
	}
	return lines
}

// order draws an order in one of the states, at times in any. It is one that is unknown
// seldom, and where there is no other.
func (m *model) order(states ...stock.State) string {
	fit := m.orders
	if m.Chance(90) {
		fit = slices.DeleteFunc(slices.Clone(m.orders), func(o string) bool { return !slices.Contains(states, m.hold(o).State) })
	}
	if len(fit) == 0 || m.Chance(1) {
		order := m.ID("o")
		m.orders = suite.Remember(m.orders, order)
		return order
	}
	return suite.Pick(m, fit...)
}

// any reports whether there is an order in one of the states.
func (m *model) any(states ...stock.State) bool {
	return slices.ContainsFunc(m.orders, func(o string) bool { return slices.Contains(states, m.hold(o).State) })
}

// hold returns an order's hold on the first side.
func (m *model) hold(order string) stock.Hold {
	h, _, err := m.Sides[0].Store.Hold(m.Context(), order)
	m.Must(err)
	return h
}

// lock asks for a new order, mostly with a buyer, whom some items require.
func (m *model) lock() operation {
	order := m.ID("o")
	m.orders = suite.Remember(m.orders, order)
	buyer := suite.Pick(m, buyers()...)
	if m.Chance(15) {
		buyer = ""
	}
	if m.Chance(12) {
		return m.waitOf(order, buyer)
	}
	return m.lockOf(order, buyer, m.lines(), m.Chance(15))
}

// waitOf has an order wait, mostly for the item that has the least.
func (m *model) waitOf(order, buyer string) operation {
	key := m.key()
	if m.Chance(70) {
		key = m.scarce().Key()
	}
	line := stock.Line{SKU: key.SKU, Activity: key.Activity, Num: m.num(key)}
	place := operation{Name: fmt.Sprintf("Position(%q)", order), Call: func(s *side) (any, error) {
		place, length, err := s.inv.Position(s.Context(), order)
		return [2]int64{place, length}, err
	}}
	return operation{Name: fmt.Sprintf("Wait(%q, %v) for %q", order, line, buyer), Looks: append(m.look(order), place),
		Call: func(s *side) (any, error) {
			inv := s.inv
			if buyer != "" {
				inv = inv.For(buyer)
			}
			return inv.Wait(s.Context(), order, line)
		}}
}

// lockOf locks or takes lines for an order and a buyer; "" is none.
func (m *model) lockOf(order, buyer string, lines []stock.Line, take bool) operation {
	verb := "Lock"
	if take {
		verb = "Take"
	}
	return operation{Name: fmt.Sprintf("%s(%q, %v) for %q", verb, order, lines, buyer), Looks: m.look(order),
		Call: func(s *side) (any, error) {
			inv := s.inv
			if buyer != "" {
				inv = inv.For(buyer)
			}
			if take {
				return inv.Take(s.Context(), order, lines...)
			}
			return inv.Lock(s.Context(), order, lines...)
		}}
}

// lockAgain replays a Lock, with its lines turned round or split, or as another one.
func (m *model) lockAgain() operation {
	order := m.order(stock.Locked, stock.Paid, stock.Refunded)
	h := m.hold(order)
	var lines []stock.Line
	for _, l := range h.Lines {
		if l.Num > 1 && m.Chance(50) {
			lines = append(lines, stock.Line{SKU: l.SKU, Activity: l.Activity, Num: 1})
			l.Num--
		}
		lines = append(lines, l.Line)
	}
	slices.Reverse(lines)
	switch {
	case len(lines) == 0 || m.Chance(20):
		lines = m.lines()
	case m.Chance(20):
		h.Buyer = suite.Pick(m, append(buyers(), "")...)
	}
	return m.lockOf(order, h.Buyer, lines, m.Chance(25))
}

// step calls a verb that takes an order and nothing else.
func (m *model) step(verb string, from ...stock.State) operation {
	if verb == "Pay" && m.Chance(20) && m.any(stock.Expired) {
		from = []stock.State{stock.Expired}
	}
	if !m.any(from...) && m.Chance(80) {
		return m.lock()
	}
	return m.stepOf(verb, m.order(from...))
}

// stepOf calls a verb with an order.
func (m *model) stepOf(verb, order string) operation {
	return operation{Name: fmt.Sprintf("%s(%q)", verb, order), Looks: m.look(order), Call: func(s *side) (any, error) {
		switch verb {
		case "Pay":
			return s.inv.Pay(s.Context(), order)
		case "Cancel":
			return s.inv.Cancel(s.Context(), order)
		case "Redeem":
			return s.inv.Redeem(s.Context(), order)
		default:
			return s.inv.Resolve(s.Context(), order)
		}
	}}
}

// redate moves a deadline, sometimes in the direction that does nothing.
func (m *model) redate() operation {
	order := m.order(stock.Locked)
	by := suite.Pick(m, -time.Hour, -time.Microsecond, 0, 1, time.Microsecond, time.Minute, m.opts.HoldFor)
	until := m.now().Add(by)
	if deadline := m.hold(order).Deadline; m.Chance(70) && !deadline.IsZero() {
		until = deadline.Add(by)
	}
	after := until.Sub(m.Sides[0].Epoch)
	verb := suite.Pick(m, "Extend", "Shorten")
	return operation{Name: fmt.Sprintf("%s(%q, %v)", verb, order, after), Looks: m.look(order), Call: func(s *side) (any, error) {
		if verb == "Extend" {
			return s.inv.Extend(s.Context(), order, s.Epoch.Add(after))
		}
		return s.inv.Shorten(s.Context(), order, s.Epoch.Add(after))
	}}
}

// now returns the clock of the first side.
func (m *model) now() time.Time {
	_, now, err := m.Sides[0].Store.Hold(m.Context(), "the clock")
	m.Must(err)
	return now
}

// refund asks for a part of an order or all of it.
func (m *model) refund() operation {
	states := []stock.State{stock.Paid}
	if m.opts.RefundRedeemed {
		states = append(states, stock.Redeemed)
	}
	if !m.any(states...) && m.Chance(80) {
		return m.lock()
	}
	refund := stock.Refund{ID: m.ID("r"), Order: m.order(states...), Restock: m.Chance(60), Redeemed: m.Chance(15)}
	if h := m.hold(refund.Order); m.Chance(65) {
		for _, l := range h.Lines {
			if rest := l.Num - l.Refunded; rest > 0 && m.Chance(70) {
				l.Num = m.Int64N(rest) + 1
				if l.Num < math.MaxInt64 && m.Chance(10) {
					l.Num++ // at times one too many
				}
				refund.Lines = append(refund.Lines, l.Line)
			}
		}
	}
	m.refunds = suite.Remember(m.refunds, refund)
	return m.refundOf(refund)
}

// refundAgain replays a refund, or asks for another one with its number.
func (m *model) refundAgain() operation {
	if len(m.refunds) == 0 {
		return m.refund()
	}
	refund := suite.Pick(m, m.refunds...)
	refund.Lines = slices.Clone(refund.Lines)
	if m.Chance(40) {
		switch m.IntN(4) {
		case 0:
			refund.Restock = !refund.Restock
		case 1:
			refund.Order = m.order(stock.Paid)
		case 2:
			refund.Lines = nil
		case 3:
			refund.Lines = append(refund.Lines, m.lines()...)
		}
	}
	return m.refundOf(refund)
}

// refundOf makes one refund.
func (m *model) refundOf(refund stock.Refund) operation {
	return operation{
		Name: fmt.Sprintf("Refund(%+v)", refund), Looks: m.look(refund.Order),
		Call: func(s *side) (any, error) { return s.inv.Refund(s.Context(), refund) },
	}
}

// change makes an operator's change, a new one or one that was made before.
func (m *model) change() operation {
	if len(m.changes) > 0 && m.Chance(20) {
		return suite.Pick(m, m.changes...)
	}
	id, lines := m.ID("c"), m.lines()
	if m.Chance(10) && m.IDs > 30 {
		id = fmt.Sprint("c", m.IDs/3-m.IntN(5)) // which may be another kind's
	}
	if m.Chance(40) {
		lines = []stock.Line{m.scarce()}
	}
	var op operation
	switch m.IntN(6) {
	case 0:
		op = operation{
			Name: fmt.Sprintf("Withdraw(%q, %v)", id, lines),
			Call: func(s *side) (any, error) { return s.inv.Withdraw(s.Context(), id, lines...) },
		}
	case 1, 2, 3:
		op = operation{
			Name: fmt.Sprintf("Restock(%q, %v)", id, lines),
			Call: func(s *side) (any, error) { return s.inv.Restock(s.Context(), id, lines...) },
		}
	default:
		moves := m.moves()
		op = operation{
			Name: fmt.Sprintf("Transfer(%q, %+v)", id, moves), Call: func(s *side) (any, error) { return s.inv.Transfer(s.Context(), id, moves...) },
		}
	}
	m.changes = suite.Remember(m.changes, op)
	return op
}

// scarce returns a line with units for the item that has the least.
func (m *model) scarce() stock.Line {
	least := stock.Line{SKU: 1, Num: m.Int64N(30) + 10}
	available := int64(math.MaxInt64)
	for item, err := range m.Sides[0].inv.Items(m.Context()) {
		if err == nil && item.Available() < available {
			least.SKU, least.Activity, available = item.SKU, item.Activity, item.Available()
		}
	}
	return least
}

// moves draws one or two moves, a quarter of them of all that is there.
func (m *model) moves() []stock.TransferLeg {
	moves := []stock.TransferLeg{{SKU: 1, From: 0, To: 7}, {SKU: 2, From: 7, To: 0}}
	switch m.IntN(4) {
	case 0:
		moves = []stock.TransferLeg{{SKU: 1, From: suite.Pick[int64](m, 7, 8), To: 0}}
	case 1:
		moves = moves[:1]
	case 2:
		moves = []stock.TransferLeg{{SKU: hugeSKU, From: suite.Pick[int64](m, 0, 7), To: suite.Pick[int64](m, 7, 7, 7, 9, 0)}}
	}
	for i := range moves {
		moves[i].Num = m.num(stock.Key{SKU: moves[i].SKU})
		if m.Chance(25) {
			moves[i].Num = stock.Rest
		}
	}
	return moves
}

// define creates an item or changes its terms; most terms let a Lock pass.
func (m *model) define(key stock.Key) operation {
	terms := stock.Terms{SPU: m.Int64N(3)}
	total := m.Int64N(60) + 20
	if key.SKU == hugeSKU {
		total = math.MaxInt64 - m.Int64N(3)
	}
	if m.Chance(15) {
		terms.PerOrder = m.Int64N(6) + 1
	}
	if m.Chance(20) {
		terms.PerBuyer = m.Int64N(60) + 1
	}
	if m.Chance(15) {
		terms.LiveHolds = m.Int64N(4) + 1
	}
	if m.Chance(15) {
		terms.Reserve = m.Int64N(20)
	}
	if m.Chance(25) {
		terms.Backorder = suite.Pick(m, m.Int64N(30), math.MaxInt64)
	}
	terms.OffShelf = m.Chance(5)
	if key.SKU >= 3 && m.Chance(40) {
		terms.Unlimited, total, terms.Reserve, terms.Backorder = true, 0, 0, 0
	}
	defined, err := m.Sides[0].Store.Defined(m.Context(), []stock.Key{key})
	m.Must(err)
	if defined[0] >= 0 && !terms.Unlimited && m.Chance(80) { // another total is mostly refused
		total = defined[0]
	}
	name := fmt.Sprintf("Define(%v, %d, %+v)", key, total, terms)
	if !m.Chance(12) {
		return operation{Name: name, Call: func(s *side) (any, error) { return s.inv.Define(s.Context(), key, total, terms) }}
	}
	start := m.now().Sub(m.Sides[0].Epoch) + suite.Pick(m, -time.Hour, -time.Microsecond, 0, time.Microsecond, m.opts.HoldFor)
	end := start + suite.Pick(m, 0, time.Microsecond, time.Hour, 2*time.Hour, 2*m.opts.HoldFor, 24*time.Hour)
	open := m.Chance(30) // without a start
	return operation{Name: fmt.Sprintf("%s from %v (open: %v) to %v", name, start, open, end), Call: func(s *side) (any, error) {
		terms := terms
		terms.End = s.Epoch.Add(end)
		if !open {
			terms.Start = s.Epoch.Add(start)
		}
		return s.inv.Define(s.Context(), key, total, terms)
	}}
}

// advance moves both clocks: by a little, by a lot, or to the edge of a deadline or window.
func (m *model) advance() operation {
	by := suite.Pick(m, time.Microsecond, m.opts.HoldFor/5, m.opts.HoldFor/5, m.opts.HoldFor/2).Truncate(time.Microsecond)
	if edge, now := m.edge(), m.now(); edge.After(now) {
		by = edge.Sub(now) - suite.Pick(m, 0, time.Microsecond)
	}
	return operation{Name: fmt.Sprintf("Advance(%v)", by), Call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns the deadline of an order or the edge of a sale window, or often nothing.
func (m *model) edge() time.Time {
	switch {
	case m.Chance(40) && m.any(stock.Locked):
		return m.hold(m.order(stock.Locked)).Deadline
	case m.Chance(10):
		item, _ := m.Sides[0].inv.Item(m.Context(), m.key()) // what does not exist has no edges
		return suite.Pick(m, item.Start, item.End)
	}
	return time.Time{}
}

// holdOf reads the hold of an order.
func (m *model) holdOf(order string) operation {
	return operation{Name: fmt.Sprintf("Hold(%q)", order), Call: func(s *side) (any, error) { return s.inv.Hold(s.Context(), order) }}
}

// look reads what became of the hold of an order.
func (m *model) look(order string) []operation { return []operation{m.holdOf(order)} }

// state draws a state that a hold can be in.
func (m *model) state() stock.State {
	return suite.Pick(m, stock.Locked, stock.Paid, stock.Redeemed, stock.Refunded, stock.Cancelled, stock.Expired, stock.Archived)
}

// read asks for one thing.
func (m *model) read() operation {
	key, order, buyer := m.key(), m.order(stock.Locked, stock.Paid), suite.Pick(m, buyers()...)
	states := []stock.State{m.state(), m.state()}
	switch m.IntN(7) {
	case 0:
		return m.holdOf(order)
	case 5:
		orders := append(slices.Clone(m.orders), order, m.ID("o"))
		return operation{Name: fmt.Sprintf("Missing(%q)", orders), Call: func(s *side) (any, error) { return s.inv.Missing(s.Context(), orders) }}
	case 1:
		return operation{Name: fmt.Sprintf("Item(%v)", key), Call: func(s *side) (any, error) { return s.inv.Item(s.Context(), key) }}
	case 2:
		return operation{
			Name: fmt.Sprintf("Usage(%v) of %q", key, buyer), Call: func(s *side) (any, error) { return s.inv.For(buyer).Usage(s.Context(), key) },
		}
	case 3:
		return operation{Name: fmt.Sprintf("Holds(%v, %v)", key, states), Call: func(s *side) (any, error) {
			return suite.Gather(s.inv.Holds(s.Context(), stock.Filter{Key: key, States: states}))
		}}
	case 4:
		return operation{Name: fmt.Sprintf("Holds(%v)", states), Call: func(s *side) (any, error) {
			return suite.Gather(s.inv.Holds(s.Context(), stock.Filter{States: states}))
		}}
	}
	return operation{Name: fmt.Sprintf("Repair(%v)", key), Call: func(s *side) (any, error) { return s.inv.Repair(s.Context(), key) }}
}
