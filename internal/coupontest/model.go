package coupontest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the test where
// the two disagree: in a result, in an error or its data, in the effects that the hook was told of,
// and from time to time in any campaign, coupon, claim, use, batch, wallet or audit. The report has the
// seed, the operation, both answers and the operations before it; the same seed gives the same run.
//
// The options of the coupons are drawn from the seed as well. The store of a is also read to find out what
// is worth trying next; it should be the fast one.
//
// The clocks have to begin at the same instant, because days of a calendar are counted. What is
// compared of a code that was made at random is that there is one.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	m.Run(ops, m.next, m.compareAll)
}

// A model is one run, and what is known of its world.
type model struct {
	suite.Model[*side]

	opts    coupon.Options
	claims  []string        // all that were asked for, the youngest last
	backs   []coupon.Refund // refunds and revocations that were asked for, the youngest last
	batches []coupon.Batch  // the same of batches
	changes []operation     // restocks and withdrawals that were made, the youngest last
}

// A side is one of the two shops under test.
type side struct {
	suite.Side
	Harness

	shop *coupon.Coupons
}

// An operation is one call with its arguments.
type operation = suite.Operation[*side]

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{Model: suite.NewModel[*side](t, seed)}
	m.opts = coupon.Options{
		HoldFor:          suite.Pick(m, 5*time.Microsecond, time.Minute, stock.DefaultHoldFor),
		ReserveFor:       suite.Pick(m, 3*time.Microsecond, 10*time.Minute, coupon.DefaultReserveFor),
		LatePay:          suite.Pick(m, stock.Reject, stock.Reacquire),
		RefundFreesBuyer: suite.Pick(m, false, true),
		RevokeFreesBuyer: suite.Pick(m, false, true),
	}
	m.Options, m.Class = m.opts, classOf
	for i, h := range []Harness{a, b} {
		s := &side{Side: suite.Side{TB: t, Form: suite.Form{Fix: known}}, Harness: h}
		opts := m.opts
		opts.Hook = func(_ context.Context, e coupon.Effect) { s.Told(e) }
		s.shop = coupon.New(h.Store, &opts)
		m.Sides[i] = s
	}
	m.Compare(m.clock())
	for _, id := range campaigns() {
		m.Do(m.define(id))
	}
	return m
}

// known gives amounts one form, and leaves out a code that was made at random, which is another in each store.
func known(v any) any {
	if text, ok := v.(string); ok && isRandom(text) {
		return "made at random"
	}
	return plain(v)
}

// isRandom reports whether a text looks like a code that was made at random.
func isRandom(text string) bool {
	return len(text) == coupon.DefaultCodeLength && strings.Trim(text, coupon.DefaultAlphabet) == ""
}

// compareAll compares everything that the stores can be asked: of the youngest claims one by one, and in the end of
// all of them.
func (m *model) compareAll() {
	m.Helper()
	m.Compare(m.clock())
	m.Compare(operation{Name: "Campaigns", Call: func(s *side) (any, error) { return suite.Gather(s.shop.Campaigns(s.Context())) }})
	m.Compare(operation{Name: "Holds", Call: func(s *side) (any, error) {
		return suite.Gather(stock.New(s.Store.Units(), nil).Holds(s.Context(), stock.Filter{}))
	}})
	m.Compare(operation{Name: "Audit", Call: func(s *side) (any, error) {
		report, err := s.shop.Audit(s.Context())
		if !report.Balanced() {
			m.Wrongf("drifts %v, conflicts %v", report.Drifts, report.Conflicts)
		}
		return report, err
	}})
	for _, id := range campaigns() {
		m.Compare(m.progressOf(id))
		m.Compare(operation{Name: fmt.Sprint("ChangesPage of ", id), Call: func(s *side) (any, error) {
			return suite.GatherChanges(50, func(ask stock.PageRequest) (stock.Page[stock.Change], error) {
				return s.shop.ChangesPage(s.Context(), id, ask)
			})
		}})
		m.Compare(operation{Name: fmt.Sprint("Book of ", id), Call: func(s *side) (any, error) { return s.Store.Book(s.Context(), id) }})
	}
	limit := suite.Pick(m, 1, 3, 50)
	for _, buyer := range buyersOfModel() {
		m.Compare(m.walletOf(buyer))
		m.Compare(operation{Name: fmt.Sprintf("WalletPage of %q by %d", buyer, limit), Call: func(s *side) (any, error) {
			return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[coupon.Coupon], error) {
				return s.shop.For(buyer).WalletPage(s.Context(), ask, coupon.StatusUsable, coupon.StatusUsed)
			})
		}})
	}
	for n := range ordersOfModel {
		m.Compare(m.usedBy(orderOfModel(n)))
	}
	for _, batch := range m.batches {
		m.Compare(m.recordOf(batch.ID))
	}
	claims := m.claims
	if !m.Ended() {
		claims = m.youngest()
	}
	for _, claim := range claims {
		m.Compare(m.historyOf(claim))
	}
}
