package groupbuytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the test where the two
// disagree: in a result, in an error or its data, in the effects that the hook was told of, in what a handler was
// given, and from time to time in any activity, product, team, seat, event, item, hold or audit. Some of the calls go
// over a wire that breaks, and some are those of a shop that knows nothing of groups, where the harnesses have Stock.
// The report has the seed, the operation, both answers and the operations before it; the same seed gives the same run.
//
// The options of the groups are drawn from the seed as well, and so are the codes of teams. The store of a is also
// read to find out what is worth trying next; it should be the fast one.
//
// The clocks may begin at different instants: every time is compared as what it is after the beginning of its store.
// The Version and UpdatedAt of an item of stock are not compared: one store may count as one change what another
// counts as several, and may lock an item by writing to it.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	m.Run(ops, m.next, m.compareAll)
}

// A model is one run, and what is known of its world.
type model struct {
	suite.Model[*side]

	opts     groupbuy.Options
	delivery event.Options
	meddles  bool // the shop also moves the holds of seats, of which it knows nothing

	fairs   []fairOfModel // activities that were asked for, the youngest last
	offers  []offering    // the same of products
	buys    []purchase    // and of seats
	beside  []string      // orders of ordinary stock, the youngest last
	changes []operation   // of the units of products, that were asked for
	again   *operation    // what is to be made once more, since its answer was lost
	opened  int           // how many codes were drawn
}

// A side is one of the two under test.
type side struct {
	suite.Side
	Harness

	groups *groupbuy.Groups
	whole  *groupbuy.Groups // the same, always
	broken *groupbuy.Groups // the same over a wire that breaks
	shop   *stock.Inventory // the plain one of the harness; nil where there is none
	code   int              // of the next team

	breaks suite.Breakage // where the wire does next

	events *event.Events
	given  []groupbuy.Event // what handlers were
	failed []event.Event    // what they failed at
	owned  map[int64]int64  // how many units there ever were of a SKU
}

// An operation is one call with its arguments.
type operation = suite.Operation[*side]

// newModel draws the options, opens both sides, and fills the shop.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{Model: suite.NewModel[*side](t, seed)}
	m.opts = groupbuy.Options{
		HoldFor:          suite.Pick(m, 5*time.Microsecond, 20*time.Second, stock.DefaultHoldFor),
		LatePay:          suite.Pick(m, stock.Reject, stock.Reacquire),
		RefundFreesBuyer: m.Chance(50),
		RefundRedeemed:   m.Chance(50),
	}
	m.delivery = event.Options{
		LeaseFor:    suite.Pick(m, 20*time.Second, event.DefaultLeaseFor, time.Hour),
		RetryIn:     suite.Pick(m, time.Microsecond, event.DefaultRetryIn, time.Hour),
		MaxFailures: suite.Pick[int64](m, 1, 3, 20),
	}
	plainly := a.Stock != nil && b.Stock != nil
	m.meddles = plainly && m.Chance(25)
	m.Options = fmt.Sprintf("HoldFor %v, LatePay %v, RefundFreesBuyer %v, RefundRedeemed %v, LeaseFor %v, RetryIn %v, "+
		"MaxFailures %v, meddles %v",
		m.opts.HoldFor, m.opts.LatePay, m.opts.RefundFreesBuyer, m.opts.RefundRedeemed,
		m.delivery.LeaseFor, m.delivery.RetryIn, m.delivery.MaxFailures, m.meddles)
	m.Class = m.classOf
	for i, h := range []Harness{a, b} {
		m.Sides[i] = m.open(t, h, plainly)
	}
	for sku := int64(1); sku <= skusOfModel; sku++ {
		m.Do(operation{Name: fmt.Sprintf("Define SKU %d", sku), Call: func(s *side) (any, error) {
			return s.ordinary().Define(s.Context(), stock.Key{SKU: sku}, unitsOfModel, stock.Terms{})
		}})
	}
	return m
}

// open opens one side.
func (m *model) open(t testing.TB, h Harness, plainly bool) *side {
	t.Helper()
	_, now, err := h.Store.Activity(m.Context(), 1)
	m.Must(err)
	s := &side{Side: suite.Side{TB: t, Form: suite.Form{Epoch: now, Fix: unversioned}}, Harness: h, owned: map[int64]int64{}}
	for sku := int64(1); sku <= skusOfModel; sku++ {
		s.owned[sku] = unitsOfModel
	}
	opts := m.opts
	opts.Hook = func(_ context.Context, e groupbuy.Effect) { s.Told(e) }
	opts.Code = s.draw
	delivery := m.delivery
	delivery.OnError = func(err error) {
		if failed, ok := fault.As[*event.Error](err); ok {
			s.failed = append(s.failed, failed.Event)
		}
	}
	s.events = event.New(h.Events, &delivery)
	s.groups = groupbuy.New(h.Store, &opts)
	s.whole = s.groups
	s.broken = s.groups.On(&wire{s.breaks.Wire(), suite.InTurn(h.Store)})
	if plainly {
		s.shop = stock.New(h.Stock, &stock.Options{Hook: s.stocked})
	}
	return s
}

// ordinary returns the inventory of all units, by the store of groups.
func (s *side) ordinary() *stock.Inventory { return stock.New(s.Store.Units(), nil) }

// stocked is the hook of the plain inventory.
func (s *side) stocked(_ context.Context, e stock.Effect) {
	s.Told(e)
	if e.Step == stock.StepRestock {
		for _, l := range e.Lines {
			s.owned[l.SKU] += l.Num
		}
	}
}

// draw returns the code of the next team: the same on both sides.
func (s *side) draw() string {
	s.code++
	return codeOfModel(s.code - 1)
}

// codeOfModel returns the n-th code; they are in no order.
func codeOfModel(n int) string {
	const letters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	code := make([]byte, groupbuy.CodeLength)
	for i, mixed := 0, uint64(n+1)*0x9E3779B97F4A7C15; i < len(code); i++ { //nolint:gosec // as good as any
		code[i] = letters[mixed%uint64(len(letters))]
		mixed /= uint64(len(letters))
	}
	return string(code)
}

// unversioned gives decimals one form and leaves out how many changes an item of stock has seen, and when.
func unversioned(v any) any {
	if item, ok := v.(stock.Item); ok {
		item.Version, item.UpdatedAt = min(item.Version, 1), time.Time{}
		return item
	}
	return plain(v)
}

// classOf returns the class of an error, which must be one that is exported.
func (m *model) classOf(err error) suite.ErrorClass {
	class := classOf(err)
	if len(class.Matches) == 1 && !slices.Contains(sentinels(), class.Matches[0]) && !errors.Is(err, errOfModel) {
		m.Wrongf("an error of no known kind: %v", err)
	}
	return class
}

// compareAll compares everything that the stores can be asked. What nobody has meddled with has to balance then,
// once all has been swept up.
func (m *model) compareAll() {
	m.Helper()
	for _, what := range m.due() {
		m.Compare(what)
	}
	m.Do(operation{Name: "Expire before the books", Call: func(s *side) (any, error) { return s.groups.Expire(s.Context()) }})
	if m.meddles {
		m.Compare(operation{Name: "Repair of all", Call: func(s *side) (any, error) { return s.groups.Repair(s.Context()) }})
	}
	m.compareBooks()
	if m.meddles {
		return
	}
	first := m.Sides[0]
	checks := suite.Checks{TB: m.TB, Retryable: groupbuy.Retryable, Normal: suite.Form{Fix: plain}.Normal}
	books := &scene{Checks: checks, Harness: first.Harness, groups: first.groups, events: first.events, owned: first.owned}
	books.Balanced()
}

// compareBooks compares all that is kept: of products and teams one by one what is youngest, and in the end all.
func (m *model) compareBooks() {
	m.Helper()
	m.Compare(clockOfModel())
	m.Compare(operation{Name: "Items", Call: func(s *side) (any, error) { return suite.Gather(s.ordinary().Items(s.Context())) }})
	m.Compare(operation{Name: "Holds", Call: func(s *side) (any, error) {
		return suite.Gather(s.ordinary().Holds(s.Context(), stock.Filter{}))
	}})
	m.Compare(operation{Name: "Activities", Call: func(s *side) (any, error) { return suite.Gather(s.groups.Activities(s.Context())) }})
	m.Compare(operation{Name: "Shelf", Call: func(s *side) (any, error) { return suite.Gather(s.groups.Shelf(s.Context())) }})
	m.Compare(operation{Name: "Poisoned", Call: func(s *side) (any, error) {
		aside, err := suite.Gather(s.events.Poisoned(s.Context()))
		return byTeam(aside), err
	}})
	m.Compare(operation{Name: "Audit", Call: func(s *side) (any, error) {
		report, err := s.groups.Audit(s.Context())
		if drifts := len(report.Drifts) + len(report.Units.Drifts); drifts > 0 {
			m.Wrongf("drifts: %+v, %+v", report.Drifts, report.Units.Drifts)
		}
		return report, err
	}})
	m.compareLists()
	for _, fair := range m.fairs {
		m.Compare(productsOf(fair.ID))
	}
	for _, key := range m.youngest() {
		m.compareProduct(key)
	}
	for _, state := range []groupbuy.TeamState{groupbuy.Forming, groupbuy.Formed, groupbuy.Failed} {
		m.Compare(teamsOf(groupbuy.TeamFilter{State: state}))
		teams := m.teams(state)
		if !m.Ended() {
			teams = teams[max(0, len(teams)-suite.Remembered/2):]
		}
		for _, team := range teams {
			m.compareTeam(team.Code)
		}
	}
	for _, buyer := range buyersOfModel() {
		m.Compare(seatsOf(buyer))
	}
	for _, state := range []groupbuy.SeatState{groupbuy.RefundDue, groupbuy.Refunded} {
		m.Compare(operation{Name: fmt.Sprintf("Refunds(%v)", state), Call: func(s *side) (any, error) {
			return suite.Gather(s.groups.Refunds(s.Context(), state))
		}})
	}
	for _, buy := range m.buys {
		m.Compare(seatOf(buy.Order))
	}
}
