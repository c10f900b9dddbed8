package groupbuytest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// The small world of a model.
const (
	skusOfModel    = 3
	unitsOfModel   = 2000
	unknownOfModel = 99 // an activity and a SKU
)

// buyersOfModel returns those who buy, some of whom differ in a byte that a sloppy store does not see.
func buyersOfModel() []string { return []string{"o", "O", "o ", "1", "2", "3"} }

// next draws an operation, or makes one again whose answer was lost. What an operation needs is looked for first, so
// that most of them do something; the rest are asked for in vain, which has to be answered alike, too.
func (m *model) next() operation {
	if again := m.again; again != nil && m.Chance(60) {
		m.again = nil
		return *again
	}
	op := m.draw()
	if !m.Chance(8) {
		return op
	}
	m.again = &op
	return m.lossy(op)
}

// lossy makes an operation over a wire that breaks before one of its changes, loses the answer, or breaks at the next
// reading.
func (m *model) lossy(op operation) operation {
	breaks := m.Breakage()
	return operation{Name: fmt.Sprintf("over a wire that breaks %v: %s", breaks, op.Name), Looks: op.Looks,
		Call: func(s *side) (any, error) {
			whole := s.groups
			s.groups, s.breaks = s.broken, breaks
			defer func() { s.groups, s.breaks = whole, suite.Breakage{} }()
			return op.Call(s)
		}}
}

// draw draws an operation.
func (m *model) draw() operation {
	if len(m.offers) < 3 || m.offered() < 2 && m.Chance(40) {
		return m.prepare()
	}
	switch n := m.IntN(100); {
	case n < 14:
		return m.openTeam()
	case n < 31:
		return m.join()
	case n < 35:
		return m.buyAgain()
	case n < 51:
		return m.step("Pay", groupbuy.Held)
	case n < 55:
		return m.step("Cancel", groupbuy.Held)
	case n < 57:
		return m.step("Resolve", groupbuy.Held, groupbuy.Paid)
	case n < 62:
		return m.refund()
	case n < 65:
		return m.decide()
	case n < 70:
		return m.prepare()
	case n < 74:
		return m.operate()
	case n < 82:
		return m.advance()
	case n < 85:
		return operation{Name: "Expire", Call: func(s *side) (any, error) { return s.groups.Expire(s.Context()) }}
	case n < 90:
		return m.deliver()
	case n < 91:
		return m.redeliver()
	case n < 96 && m.Sides[0].shop != nil:
		return m.plain()
	}
	return m.read()
}

// A purchase is one that was asked for, and in which team; the code is empty where it opened one.
type purchase struct {
	Basket

	code string
}

// buyer draws a buyer.
func (m *model) buyer() string { return suite.Pick(m, buyersOfModel()...) }

// order draws an order with a seat in one of the states, at times in any. It is one that is unknown, or one of
// ordinary stock, seldom, and where there is no other.
func (m *model) order(states ...groupbuy.SeatState) string {
	fit := make([]string, 0, len(m.buys))
	whatever := m.Chance(10)
	for _, buy := range m.buys {
		if whatever || slices.Contains(states, m.seat(buy.Order).State) {
			fit = append(fit, buy.Order)
		}
	}
	switch {
	case len(m.beside) > 0 && m.Chance(2):
		return suite.Pick(m, m.beside...)
	case len(fit) == 0 || m.Chance(1):
		order := m.ID("o")
		m.buys = suite.Remember(m.buys, m.purchase(order, m.product()))
		return order
	}
	return suite.Pick(m, fit...)
}

// code draws the code of a team in one of the states, at times in any, and seldom none that there is.
func (m *model) code(states ...groupbuy.TeamState) string {
	if m.Chance(10) {
		states = []groupbuy.TeamState{groupbuy.Forming, groupbuy.Formed, groupbuy.Failed}
	}
	var fit []string
	for _, state := range states {
		for _, team := range m.teams(state) {
			fit = append(fit, team.Code)
		}
	}
	if len(fit) == 0 || m.Chance(1) {
		return codeOfModel(-2)
	}
	return suite.Pick(m, fit...)
}

// typed spells a code as people do.
func typed(code string) string { return " " + strings.ToLower(code) + "\t" }

// purchase asks for a seat for a product, one in thirty of which cannot be.
func (m *model) purchase(order string, key stock.Key) purchase {
	units := max(m.offer(key).UnitsPerVolume, 1)
	p := Basket{Buyer: m.buyer(), Purchase: groupbuy.Purchase{Order: order, Product: key, Member: m.Chance(70)}}
	p.Volume = decimal.NewFromInt(m.Int64N(3) + 1)
	if units > 1 && m.Chance(70) {
		p.Volume = decimal.NewFromInt(m.Int64N(3*units)+1).DivRound(decimal.NewFromInt(units), groupbuy.VolumePlaces)
	}
	p.Guest = groupbuy.Guest{
		Name: suite.Pick(m, "", "安娜", "Ben ", "ben"), Avatar: suite.Pick(m, "", "a.png"), Address: suite.Pick(m, "", "\x00 É"),
	}
	p.ShippingFee, p.BalanceUsed = dec(suite.Pick(m, "0", "8", "8.00", "12.5")), dec(suite.Pick(m, "0", "0", "0.01", "99"))
	if m.Chance(3) {
		switch m.IntN(7) {
		case 0:
			p.Order = suite.Pick(m, "", strings.Repeat("o", groupbuy.MaxOrder+1))
		case 1:
			p.Buyer = suite.Pick(m, "", strings.Repeat("b", 65))
		case 2:
			p.Volume = dec(suite.Pick(m, "0", "-1", "0.001", "0.15", "1000000000001", "9999999"))
		case 3:
			p.Product = suite.Pick(m, stock.Key{SKU: key.SKU}, stock.Key{SKU: -1, Activity: key.Activity})
		case 4:
			p.Name = suite.Pick(m, "\xff", strings.Repeat("n", groupbuy.MaxText+1))
		case 5:
			p.ShippingFee = dec(suite.Pick(m, "-1", "0.005"))
		case 6:
			p.Product = suite.Pick(m, stock.Key{SKU: unknownOfModel, Activity: key.Activity}, stock.Key{SKU: key.SKU, Activity: unknownOfModel})
		}
	}
	return purchase{Basket: p}
}

// openTeam opens a team for a new order.
func (m *model) openTeam() operation {
	p := m.purchase(m.ID("o"), m.product())
	m.buys = suite.Remember(m.buys, p)
	return m.take(p)
}

// join joins a team with a new order: mostly one that can be joined, of the product that it is of.
func (m *model) join() operation {
	forming := m.teams(groupbuy.Forming)
	if len(forming) == 0 {
		return m.openTeam()
	}
	team := suite.Pick(m, forming...)
	p := m.purchase(m.ID("o"), team.Key)
	p.code = team.Code
	switch {
	case m.Chance(5):
		p.code = m.code(groupbuy.Formed, groupbuy.Failed)
	case m.Chance(4):
		p.Product = m.product()
	case m.Chance(3):
		p.code = suite.Pick(m, typed(team.Code), "", team.Code[1:], "IIIIIIIIII", "é")
	}
	m.buys = suite.Remember(m.buys, p)
	return m.take(p)
}

// take opens a team with a purchase or joins one. The code of a new team is seldom one that is taken.
func (m *model) take(p purchase) operation {
	at := m.opened
	if m.opened += 8; m.Chance(5) {
		at = max(m.opened-8*(m.IntN(4)+2), 0)
	}
	if p.code != "" {
		return operation{Name: fmt.Sprintf("Join(%q, %+v)", p.code, p.Basket), Looks: look(p.Order), Call: func(s *side) (any, error) {
			return p.Join(s.Context(), s.groups, p.code)
		}}
	}
	return operation{Name: fmt.Sprintf("Open(%+v)", p.Basket), Looks: look(p.Order), Call: func(s *side) (any, error) {
		s.code = at
		return p.Open(s.Context(), s.groups)
	}}
}

// buyAgain makes a purchase again, or makes it as another one.
func (m *model) buyAgain() operation {
	if len(m.buys) == 0 {
		return m.openTeam()
	}
	p := suite.Pick(m, m.buys...)
	switch m.IntN(12) {
	case 0:
		p.Buyer = m.buyer()
	case 1:
		p.Volume = p.Volume.Add(decimal.NewFromInt(1))
	case 2:
		p.Address += "!"
	case 3:
		p.Product = m.product()
	case 4:
		p.code = m.code(groupbuy.Forming)
	case 5:
		p.code = ""
	case 6:
		p.Member = !p.Member
	case 7:
		if len(m.beside) > 0 {
			p.Order = suite.Pick(m, m.beside...)
		}
	}
	return m.take(p)
}

// step calls a verb that takes an order and nothing else.
func (m *model) step(verb string, from ...groupbuy.SeatState) operation {
	if verb == "Pay" && m.Chance(20) {
		from = []groupbuy.SeatState{groupbuy.Expired, groupbuy.Cancelled, groupbuy.RefundDue}
	}
	if verb == "Cancel" && m.Chance(10) {
		order := m.ID("o") // whose purchase comes later
		m.buys = suite.Remember(m.buys, m.purchase(order, m.product()))
	}
	order := m.order(from...)
	return operation{Name: fmt.Sprintf("%s(%q)", verb, order), Looks: look(order), Call: func(s *side) (any, error) {
		switch verb {
		case "Pay":
			return s.pay(order)
		case "Cancel":
			return s.groups.Cancel(s.Context(), order)
		default:
			return s.groups.Resolve(s.Context(), order)
		}
	}}
}

// payment is a groupbuy.Payment, with the class of what was in its way.
type payment struct {
	groupbuy.Payment

	Class string
}

// pay pays a seat.
func (s *side) pay(order string) (any, error) {
	paid, err := s.groups.Pay(s.Context(), order)
	class := classOf(paid.Why)
	for i, data := range class.Typed {
		class.Typed[i] = s.Normal(data)
	}
	paid.Why = nil
	return payment{paid, class.String()}, err
}

// actor draws an actor, who seldom cannot be one.
func (m *model) actor() string {
	if m.Chance(3) {
		return suite.Pick(m, "", strings.Repeat("a", 65), "\xff")
	}
	return suite.Pick(m, "operator", "Operator", "张")
}

// reason draws a reason.
func (m *model) reason() string {
	if m.Chance(3) {
		return suite.Pick(m, "", strings.Repeat("é", groupbuy.MaxText), "\xff")
	}
	return suite.Pick(m, "changed mind", "sold elsewhere ", "不要了")
}

// refund gives a member's money back by hand.
func (m *model) refund() operation {
	states := []groupbuy.SeatState{groupbuy.Paid}
	if m.Chance(20) {
		states = []groupbuy.SeatState{groupbuy.RefundDue, groupbuy.Refunded}
	}
	refund := groupbuy.Refund{Order: m.order(states...), Actor: m.actor(), Reason: m.reason(), Restock: m.Chance(50)}
	return operation{Name: fmt.Sprintf("Refund(%+.60v)", refund), Looks: look(refund.Order), Call: func(s *side) (any, error) {
		return s.groups.Refund(s.Context(), refund)
	}}
}

// decide forms or fails a team by hand.
func (m *model) decide() operation {
	verb, code := suite.Pick(m, "Form", "Form", "Fail"), m.code(groupbuy.Forming)
	decision := groupbuy.Decision{Actor: m.actor(), Reason: m.reason()}
	return operation{Name: fmt.Sprintf("%s(%q, %+.60v)", verb, code, decision), Looks: lookAtTeam(code), Call: func(s *side) (any, error) {
		if verb == "Form" {
			return s.groups.Form(s.Context(), code, decision)
		}
		return s.groups.Fail(s.Context(), code, decision)
	}}
}
