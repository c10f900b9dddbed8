package coupontest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// The small world of a model.
const (
	ordersOfModel   = 6
	poolOfModel     = 3 // the campaigns with codes
	otherPool       = 5
	endlessOfModel  = 4
	unknownCampaign = 9
)

// buyersOfModel returns those who claim, who differ in a byte that a sloppy store does not see.
func buyersOfModel() []string { return []string{"o", "O", "o ", "o/o"} }

// campaigns returns the campaigns of the world.
func campaigns() []int64 { return []int64{1, 2, poolOfModel, endlessOfModel, otherPool} }

// next draws an operation. What an operation needs is looked for first, so that most of them do something;
// the rest are asked for in vain, which has to be answered alike, too.
func (m *model) next() operation {
	switch n := m.IntN(100); {
	case n < 11:
		return m.acquire("Claim")
	case n < 19:
		return m.acquire("Lock")
	case n < 22:
		return m.acquireAgain()
	case n < 28:
		return m.step("Pay", coupon.Pending)
	case n < 30:
		return m.step("Cancel", coupon.Pending)
	case n < 32:
		return m.step("Resolve", coupon.Pending, coupon.Usable)
	case n < 43:
		return m.take("Reserve")
	case n < 52:
		return m.take("Redeem")
	case n < 57:
		return m.release()
	case n < 63:
		return m.giveBack()
	case n < 68:
		return m.back()
	case n < 70:
		return m.backAgain()
	case n < 74:
		return m.issue()
	case n < 77:
		return m.change()
	case n < 80:
		return m.codes()
	case n < 84:
		return m.define(suite.Pick(m, campaigns()...))
	case n < 92:
		return m.advance()
	case n < 94:
		return operation{Name: "Expire", Call: func(s *side) (any, error) { return s.shop.Expire(s.Context()) }}
	}
	return m.read()
}

// buyer draws a buyer.
func (m *model) buyer() string { return suite.Pick(m, buyersOfModel()...) }

// campaign draws a campaign.
func (m *model) campaign() int64 {
	if m.Chance(1) {
		return unknownCampaign
	}
	return suite.Pick(m, campaigns()...)
}

// orderOfModel returns an order of the world.
func orderOfModel(n int) string {
	return []string{"order", "Order", "order ", "o", "é", "e"}[n]
}

// order draws an order.
func (m *model) order() string { return orderOfModel(m.IntN(ordersOfModel)) }

// total draws what an order comes to, in yuan.
func (m *model) total() decimal.Decimal {
	if m.Chance(75) {
		return dec("100")
	}
	return dec(suite.Pick(m, "0", "49.99", "50", "50.00", "99.99", "100.0", "123.45", "100.005", "-1"))
}

// claim draws a claim in one of the states, at times in any. It is one that is unknown seldom, and where
// there is no other.
func (m *model) claim(states ...coupon.State) string {
	fit := m.youngest()
	if m.Chance(90) {
		fit = slices.DeleteFunc(slices.Clone(fit), func(c string) bool { return !slices.Contains(states, m.held(c).State) })
	}
	if len(fit) == 0 || m.Chance(1) {
		return m.newClaim()
	}
	return suite.Pick(m, fit...)
}

// youngest returns the claims that are kept in mind for later operations.
func (m *model) youngest() []string { return m.claims[max(0, len(m.claims)-suite.Remembered):] }

// newClaim returns the number of a claim to come.
func (m *model) newClaim() string {
	claim := m.ID("c")
	m.claims = append(m.claims, claim)
	return claim
}

// acquire claims or locks a new coupon.
func (m *model) acquire(verb string) operation {
	return m.acquireOf(verb, m.newClaim(), m.campaign(), m.buyer())
}

// acquireOf claims or locks a coupon of a campaign for a buyer.
func (m *model) acquireOf(verb, claim string, campaign int64, buyer string) operation {
	return operation{Name: fmt.Sprintf("%s(%q, %d) for %q", verb, claim, campaign, buyer), Looks: m.look(claim, ""),
		Call: func(s *side) (any, error) {
			if verb == "Claim" {
				return s.shop.For(buyer).Claim(s.Context(), claim, campaign)
			}
			return s.shop.For(buyer).Lock(s.Context(), claim, campaign)
		}}
}

// acquireAgain replays a claim, or makes it as another one.
func (m *model) acquireAgain() operation {
	claim := m.claim(coupon.Pending, coupon.Usable, coupon.Redeemed, coupon.Dropped)
	c := m.held(claim)
	if c.State == coupon.None || m.Chance(15) {
		c.Campaign = m.campaign()
	}
	if c.Buyer == "" || m.Chance(15) {
		c.Buyer = m.buyer()
	}
	return m.acquireOf(suite.Pick(m, "Claim", "Lock"), claim, c.Campaign, c.Buyer)
}

// step calls a verb that takes a claim and nothing else.
func (m *model) step(verb string, from ...coupon.State) operation {
	if verb == "Pay" && m.Chance(20) {
		from = []coupon.State{coupon.Dropped}
	}
	claim, buyer := m.claim(from...), ""
	if m.Chance(20) {
		buyer = m.buyer()
	}
	return operation{Name: fmt.Sprintf("%s(%q) for %q", verb, claim, buyer), Looks: m.look(claim, ""), Call: func(s *side) (any, error) {
		shop := s.shop
		if buyer != "" {
			shop = shop.For(buyer)
		}
		switch verb {
		case "Pay":
			return shop.Pay(s.Context(), claim)
		case "Cancel":
			return shop.Cancel(s.Context(), claim)
		default:
			return shop.Resolve(s.Context(), claim)
		}
	}}
}

// take reserves or redeems, mostly what is free or what the order has reserved.
func (m *model) take(verb string) operation {
	claim, order, total := m.claim(coupon.Usable), m.order(), m.total()
	if m.Chance(45) {
		claim = m.claim(coupon.Reserved, coupon.Redeemed)
		if c := m.held(claim); c.Order != "" && m.Chance(80) {
			order = c.Order
		}
	}
	return operation{Name: fmt.Sprintf("%s(%q, %q, %v)", verb, claim, order, total), Looks: m.look(claim, order),
		Call: func(s *side) (any, error) {
			if verb == "Reserve" {
				return s.shop.Reserve(s.Context(), claim, order, total)
			}
			return s.shop.Redeem(s.Context(), claim, order, total)
		}}
}

// release gives up what an order reserved, or might reserve.
func (m *model) release() operation {
	claim, order := m.claim(coupon.Reserved), m.order()
	if c := m.held(claim); c.Order != "" && m.Chance(80) {
		order = c.Order
	}
	return operation{Name: fmt.Sprintf("Release(%q, %q)", claim, order), Looks: m.look(claim, order), Call: func(s *side) (any, error) {
		return s.shop.Release(s.Context(), claim, order)
	}}
}

// giveBack returns what an order redeemed.
func (m *model) giveBack() operation {
	claim, order, refunded := m.claim(coupon.Redeemed), m.order(), m.total()
	if c := m.held(claim); c.Order != "" && m.Chance(85) {
		order = c.Order
	}
	return operation{Name: fmt.Sprintf("Return(%q, %q, %v)", claim, order, refunded), Looks: m.look(claim, order),
		Call: func(s *side) (any, error) {
			return s.shop.Return(s.Context(), claim, order, refunded)
		}}
}

// back refunds or revokes a coupon.
func (m *model) back() operation {
	r := coupon.Refund{ID: m.ID("r"), Coupon: m.claim(coupon.Usable, coupon.Usable, coupon.Reserved)}
	r.Restock = m.Chance(50) && !m.held(r.Coupon).Pool || m.Chance(5)
	m.backs = suite.Remember(m.backs, r)
	return m.backOf(suite.Pick(m, "Refund", "Revoke"), r)
}

// backAgain replays a refund or revocation, or makes it as another one.
func (m *model) backAgain() operation {
	if len(m.backs) == 0 {
		return m.back()
	}
	r := suite.Pick(m, m.backs...)
	switch m.IntN(8) {
	case 0:
		r.Restock = !r.Restock
	case 1:
		r.Coupon = m.claim(coupon.Usable)
	}
	return m.backOf(suite.Pick(m, "Refund", "Revoke"), r)
}

// backOf makes one refund or revocation.
func (m *model) backOf(verb string, r coupon.Refund) operation {
	return operation{Name: fmt.Sprintf("%s(%+v)", verb, r), Looks: m.look(r.Coupon, ""), Call: func(s *side) (any, error) {
		if verb == "Refund" {
			return s.shop.Refund(s.Context(), r)
		}
		return s.shop.Revoke(s.Context(), coupon.Revocation(r))
	}}
}

// issue makes a batch, a new one or one that was made before, or as another one.
func (m *model) issue() operation {
	if len(m.batches) > 0 && m.Chance(30) {
		b := suite.Pick(m, m.batches...)
		b.Buyers = slices.Clone(b.Buyers)
		switch m.IntN(6) {
		case 0:
			slices.Reverse(b.Buyers)
		case 1:
			b.All = !b.All
		case 2:
			b.Campaign = m.campaign()
		}
		return m.issueOf(b)
	}
	b := coupon.Batch{ID: m.ID("b"), Campaign: m.campaign(), All: m.Chance(40)}
	all := append(buyersOfModel(), "5", "6")
	for _, n := range m.Perm(len(all))[:m.IntN(5)+1] {
		b.Buyers = append(b.Buyers, all[n])
	}
	if m.Chance(15) { // one of the numbers is taken
		m.claims = append(m.claims, b.CouponOf(b.Buyers[0]))
		return m.acquireOf("Claim", m.claims[len(m.claims)-1], b.Campaign, m.buyer())
	}
	for _, buyer := range b.Buyers {
		m.claims = append(m.claims, b.CouponOf(buyer))
	}
	m.batches = suite.Remember(m.batches, b)
	return m.issueOf(b)
}

// issueOf issues one batch.
func (m *model) issueOf(b coupon.Batch) operation {
	return operation{Name: fmt.Sprintf("Issue(%q, %d, %v, all: %v)", b.ID, b.Campaign, b.Buyers, b.All), Call: func(s *side) (any, error) {
		return s.shop.Issue(s.Context(), b)
	}}
}

// change makes an operator's change, a new one or one that was made before.
func (m *model) change() operation {
	if len(m.changes) > 0 && m.Chance(20) {
		return suite.Pick(m, m.changes...)
	}
	id, campaign, num := m.ID("m"), m.campaign(), m.Int64N(12)+1
	op := operation{Name: fmt.Sprintf("Restock(%q, %d, %d)", id, campaign, num), Call: func(s *side) (any, error) {
		return s.shop.Restock(s.Context(), id, campaign, num)
	}}
	if m.Chance(30) {
		op = operation{Name: fmt.Sprintf("Withdraw(%q, %d, %d)", id, campaign, num), Call: func(s *side) (any, error) {
			return s.shop.Withdraw(s.Context(), id, campaign, num)
		}}
	}
	m.changes = suite.Remember(m.changes, op)
	return op
}

// code draws a code, which may be one that is known, one that is new, or none.
func (m *model) code() string {
	return suite.Pick(m, "CODE-", "code-", " Code-", "É-", "é-", "é - ") + strconv.Itoa(m.IntN(60+m.IDs/4))
}

// codes imports or makes codes.
func (m *model) codes() operation {
	campaign := suite.Pick(m, int64(poolOfModel), poolOfModel, otherPool, m.campaign())
	if m.Chance(20) {
		upTo := m.Int64N(60) + 1
		return operation{Name: fmt.Sprintf("Generate(%d, %d)", campaign, upTo), Call: func(s *side) (any, error) {
			return s.shop.Generate(s.Context(), campaign, upTo, nil)
		}}
	}
	all := make([]string, m.IntN(12)+1)
	for i := range all {
		all[i] = m.code()
	}
	return operation{Name: fmt.Sprintf("Import(%d, %q)", campaign, all), Call: func(s *side) (any, error) {
		return s.shop.Import(s.Context(), campaign, slices.Values(all))
	}}
}

// define creates a campaign or changes its rules or terms; most of them let a claim pass.
func (m *model) define(id int64) operation {
	var rules coupon.Rules
	total := m.Int64N(40) + 20
	terms := m.terms()
	terms.Pool = id == poolOfModel || id == otherPool
	if id == 2 || m.Chance(20) {
		rules.PerBuyer = m.Int64N(40) + 1
	}
	rules.Unlimited = id == endlessOfModel && m.Chance(80)
	rules.Closed = m.Chance(5)
	defined, err := m.Sides[0].Store.Units().Defined(m.Context(), []stock.Key{{SKU: id}})
	m.Must(err)
	if defined[0] >= 0 && m.Chance(80) {
		total = defined[0] // another one is mostly refused
	}
	if terms.Pool || rules.Unlimited {
		total = 0
	}
	if m.Chance(15) {
		rules.Start = m.now().Add(suite.Pick(m, -time.Hour, 0, time.Microsecond, m.opts.HoldFor))
		rules.End = rules.Start.Add(suite.Pick(m, time.Microsecond, time.Hour, 2*m.opts.HoldFor, 24*time.Hour))
	}
	if m.Chance(2) { // which must not be
		terms.Pool = !terms.Pool
	}
	return operation{Name: fmt.Sprintf("Define(%d, %d, %+v, %+v)", id, total, rules, terms), Call: func(s *side) (any, error) {
		return s.shop.Define(s.Context(), id, total, rules, terms)
	}}
}

// terms draws terms of each kind, with a validity of each kind.
func (m *model) terms() coupon.Terms {
	t := coupon.Terms{
		Title: suite.Pick(m, "", "满减", "a ", "A"), Scope: suite.Pick(m, "", "{}"), Kind: coupon.AmountOff, Places: 2,
		Amount: dec(suite.Pick(m, "10", "10.00", "100", "0.01")),
	}
	switch m.IntN(4) {
	case 0:
		t.Kind, t.Amount, t.Percent, t.Cap = coupon.PercentOff, decimal.Zero, dec(suite.Pick(m, "15", "33.33", "100")),
			dec(suite.Pick(m, "0", "20"))
	case 1:
		t.Kind, t.Amount = coupon.Gift, decimal.Zero
	}
	if m.Chance(40) {
		t.Minimum = dec("50")
	}
	if m.Chance(60) {
		t.AfterDays, t.ForDays = suite.Pick(m, 0, 0, 0, 1), suite.Pick(m, 1, 2, 30)
		t.Zone = suite.Pick(m, "Asia/Shanghai", "America/New_York", "UTC", "Australia/Lord_Howe")
		return t
	}
	now := m.now()
	t.ValidUntil = now.Add(suite.Pick(m, time.Microsecond, time.Hour, day, 30*day, -time.Hour))
	if m.Chance(40) {
		t.ValidFrom = t.ValidUntil.Add(-suite.Pick(m, time.Microsecond, time.Hour, 2*day))
	}
	return t
}
