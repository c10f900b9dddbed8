package groupbuytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// What an operator, a handler of events, and a shop that knows nothing of groups do in a model.

// A fairOfModel is an activity with its times after the beginning, which is another instant on each side.
type fairOfModel struct {
	groupbuy.Activity

	start, end *time.Duration
}

// of returns the activity as one side defines it.
func (f fairOfModel) of(s *side) groupbuy.Activity {
	if f.start != nil {
		f.Start = s.Epoch.Add(*f.start)
	}
	if f.end != nil {
		f.End = s.Epoch.Add(*f.end)
	}
	return f.Activity
}

// String returns the arguments for the log.
func (f fairOfModel) String() string {
	edge := func(at *time.Duration) string {
		if at == nil {
			return "nothing"
		}
		return at.String()
	}
	return fmt.Sprintf("%d, title %.20q, forming for %v, hidden %v, outlive %v, sort %d, from %s until %s",
		f.ID, f.Title, f.Formation, f.Hidden, f.Outlive, f.Sort, edge(f.start), edge(f.end))
}

// An offering is a product that was offered, with units.
type offering struct {
	groupbuy.Product

	units int64
}

// activity draws an activity.
func (m *model) activity() int64 {
	if len(m.fairs) == 0 || m.Chance(2) {
		return unknownOfModel
	}
	return suite.Pick(m, m.fairs[max(0, len(m.fairs)-3):]...).ID
}

// product draws a product: mostly one that is offered.
func (m *model) product() stock.Key {
	fit := slices.Clone(m.offers)
	if m.Chance(85) {
		fit = slices.DeleteFunc(fit, func(o offering) bool { return !m.runs(o.Key) })
	}
	if len(fit) == 0 || m.Chance(1) {
		return stock.Key{SKU: m.Int64N(skusOfModel) + 1, Activity: max(m.activity(), 1)}
	}
	return suite.Pick(m, fit...).Key
}

// youngest returns the products that were offered last, each once; in the end of a run all of them.
func (m *model) youngest() []stock.Key {
	var keys []stock.Key
	for _, o := range slices.Backward(m.offers) {
		if few := m.Ended() || len(keys) < 6; few && !slices.Contains(keys, o.Key) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// runs reports whether teams of a product can be opened.
func (m *model) runs(key stock.Key) bool {
	offer, now := m.offer(key), m.now()
	return offer.State == groupbuy.Offered && now.Before(offer.Activity.End) && !now.Before(offer.Activity.Start)
}

// offered returns how many products have teams that can be opened.
func (m *model) offered() int {
	n := 0
	for _, o := range m.offers {
		if m.runs(o.Key) {
			n++
		}
	}
	return n
}

// prepare makes or changes an activity or a product.
func (m *model) prepare() operation {
	switch n := m.IntN(100); {
	case len(m.fairs) == 0 || n < 25 && m.offered() < 3:
		return m.define(int64(len(m.fairs)) + 1)
	case n < 35:
		return m.define(max(m.activity(), 1))
	case n < 45 && len(m.offers) > 0:
		return m.offerAgain()
	case n < 60 && len(m.offers) > 0:
		return m.revise()
	}
	key := stock.Key{SKU: m.Int64N(skusOfModel) + 1, Activity: m.activity()}
	o := offering{Product: m.productOf(key), units: m.Int64N(60) + 3}
	if m.Chance(5) {
		o.units = suite.Pick[int64](m, 0, -1, 10*unitsOfModel)
	}
	m.offers = append(m.offers, o)
	return m.offerOf(o)
}

// define defines a new activity or another one of a known number.
func (m *model) define(id int64) operation {
	f := fairOfModel{Activity: groupbuy.Activity{
		ID: id, Title: suite.Pick(m, "", "春节", "Fair "), Image: suite.Pick(m, "", "a.png"), Sort: m.Int64N(5) - 2,
		Formation: suite.Pick(m, time.Minute, time.Minute, 3*time.Minute, time.Hour), Hidden: m.Chance(5), Outlive: m.Chance(30),
	}}
	now := m.now().Sub(m.Sides[0].Epoch)
	end := now + suite.Pick(m, 45*time.Second, 5*time.Minute, time.Hour, 24*time.Hour, 24*time.Hour)
	f.end = &end
	if m.Chance(25) {
		start := now + suite.Pick(m, -time.Hour, 0, time.Microsecond, 20*time.Second)
		f.start = &start
	}
	if m.Chance(5) {
		switch m.IntN(4) {
		case 0:
			f.Formation = suite.Pick(m, 0, time.Second, 90*time.Second, groupbuy.MaxFormation+time.Minute)
		case 1:
			f.end = f.start
		case 2:
			f.Title = strings.Repeat("t", groupbuy.MaxText+1)
		case 3:
			f.end = nil
		}
	}
	if id == int64(len(m.fairs))+1 {
		m.fairs = append(m.fairs, f)
	}
	return operation{Name: fmt.Sprintf("Define(%v)", f), Looks: []operation{productsOf(id)}, Call: func(s *side) (any, error) {
		return s.groups.Define(s.Context(), f.of(s))
	}}
}

// productOf draws what is asked of the teams of a product, one in thirty of which cannot be.
func (m *model) productOf(key stock.Key) groupbuy.Product {
	p := groupbuy.Product{Key: key, SPU: m.Int64N(3), Name: suite.Pick(m, "", "Tea", "茶"), Spec: suite.Pick(m, "", "500 g")}
	p.Places, p.Price, p.GroupPrice = 2, dec(suite.Pick(m, "100", "100.00")), dec(suite.Pick(m, "79.9", "79.90", "100", "0"))
	p.MembersOnly, p.FreeShipping = m.Chance(10), m.Chance(30)
	p.UnitsPerVolume = suite.Pick[int64](m, 0, 1, 1, 2, 10)
	if m.Chance(65) {
		p.People = suite.Pick[int64](m, 2, 2, 3, 4)
		if m.Chance(30) {
			p.MinPeople = m.Int64N(p.People) + 1
		}
	} else {
		p.Volume = dec(suite.Pick(m, "3", "4.00", "7.5"))
		if m.Chance(30) {
			p.MinVolume = dec(suite.Pick(m, "0.5", "2", "3.00"))
		}
	}
	if m.Chance(15) {
		p.PerOrder = m.Int64N(6) + 2
	}
	if m.Chance(20) {
		p.PerBuyer = m.Int64N(40) + 3
	}
	if m.Chance(4) {
		switch m.IntN(6) {
		case 0:
			p.People, p.Volume = suite.Pick[int64](m, 0, 1, -1, groupbuy.MaxPeople+1), dec("0")
		case 1:
			p.People, p.Volume = 2, dec("2")
		case 2:
			p.GroupPrice = dec(suite.Pick(m, "100.01", "-1", "1.001"))
		case 3:
			p.UnitsPerVolume = -1
		case 4:
			p.MinPeople = p.People + 1
		case 5:
			p.PerBuyer, p.Places = -1, groupbuy.MaxPlaces+1
		}
	}
	return p
}

// offerAgain offers a product again, or as another one.
func (m *model) offerAgain() operation {
	o := suite.Pick(m, m.offers...)
	switch m.IntN(6) {
	case 0:
		o.units = m.Int64N(50) + 1
	case 1:
		o.Name += "!"
	case 2:
		o.Product = m.productOf(o.Key)
	}
	return m.offerOf(o)
}

// offerOf makes one offer.
func (m *model) offerOf(o offering) operation {
	return operation{Name: fmt.Sprintf("Offer(%+v, %d)", o.Product, o.units), Looks: lookAtPool(o.Key), Call: func(s *side) (any, error) {
		return s.groups.Offer(s.Context(), o.Product, o.units)
	}}
}

// lookAtPool reads what became of a product and its units.
func lookAtPool(key stock.Key) []operation {
	if key.SKU < 1 || key.Activity < 1 {
		return nil
	}
	return []operation{productOf(key), {Name: fmt.Sprintf("Items of SKU %d", key.SKU), Call: func(s *side) (any, error) {
		items, _, err := s.Store.Units().Items(s.Context(), "", []stock.Key{{SKU: key.SKU}, key})
		return items, err
	}}}
}

// revise changes what is asked of the teams of a product.
func (m *model) revise() operation {
	p := m.productOf(m.product())
	return operation{Name: fmt.Sprintf("Revise(%+v)", p), Looks: lookAtPool(p.Key), Call: func(s *side) (any, error) {
		return s.groups.Revise(s.Context(), p)
	}}
}

// operate moves units of a product, removes it, or ends an activity.
func (m *model) operate() operation {
	key := m.product()
	switch n := m.IntN(100); {
	case n < 15:
		return operation{Name: fmt.Sprintf("Remove(%v)", key), Looks: lookAtPool(key), Call: func(s *side) (any, error) {
			return s.groups.Remove(s.Context(), key)
		}}
	case n < 25:
		return operation{Name: fmt.Sprintf("End(%d)", key.Activity), Looks: lookAtPool(key), Call: func(s *side) (any, error) {
			return s.groups.End(s.Context(), key.Activity)
		}}
	case n < 40 && len(m.changes) > 0:
		return suite.Pick(m, m.changes...)
	}
	verb, id, units := suite.Pick(m, "Restock", "Restock", "Withdraw"), m.ID("c"), m.Int64N(20)+1
	if m.Chance(5) {
		units = suite.Pick[int64](m, 0, -1, 10*unitsOfModel, stock.Rest)
	}
	op := operation{Name: fmt.Sprintf("%s(%q, %v, %d)", verb, id, key, units), Looks: lookAtPool(key), Call: func(s *side) (any, error) {
		if verb == "Restock" {
			return s.groups.Restock(s.Context(), id, key, units)
		}
		return s.groups.Withdraw(s.Context(), id, key, units)
	}}
	m.changes = suite.Remember(m.changes, op)
	return op
}

// errOfModel is what the handlers of a model fail with.
var errOfModel = errors.New("the handler of the model failed")

// handler returns a handler that keeps what it is given, and fails for none, all or some of it: the same on each side.
func (s *side) handler(fails int) event.Handler {
	s.given, s.failed = nil, nil
	return s.whole.Handle(func(_ context.Context, e groupbuy.Event) error {
		s.given = append(s.given, e)
		switch n := int64(e.Kind) + e.Deliveries + int64(len(e.Order)); {
		case fails == 1, fails == 2 && n%3 == 0:
			return fmt.Errorf("%w: %s", errOfModel, strings.Repeat("余", int(n)*30))
		}
		return nil
	})
}

// delivery is what a call that delivers came to, and what its handler was given.
type delivery struct {
	Delivered int
	Event     []event.Event
	Given     []groupbuy.Event
	Failed    []event.Event
}

// delivered returns what a call that delivers came to, team by team: there is no order between these.
func (s *side) delivered(n int, of ...event.Event) delivery {
	for i := range s.given {
		s.given[i].ID = 0
	}
	slices.SortStableFunc(s.given, func(a, b groupbuy.Event) int { return strings.Compare(a.Queue, b.Queue) })
	return delivery{Delivered: n, Event: byTeam(of), Given: s.given, Failed: byTeam(s.failed)}
}

// byTeam returns events team by team, without their IDs, in which the stores differ.
func byTeam(events []event.Event) []event.Event {
	for i := range events {
		events[i].ID = 0
	}
	slices.SortStableFunc(events, func(a, b event.Event) int { return strings.Compare(a.Queue, b.Queue) })
	return events
}

// deliver delivers what is due. Its calls go over no wire that breaks, since it would break for another team on each side.
func (m *model) deliver() operation {
	fails := suite.Pick(m, 0, 0, 1, 2, 2)
	return operation{Name: fmt.Sprintf("Deliver (fails: %d)", fails), Call: func(s *side) (any, error) {
		n, err := s.events.Deliver(s.Context(), s.handler(fails))
		return s.delivered(n), err
	}}
}

// redeliver delivers an event by hand: mostly one that was set aside.
func (m *model) redeliver() operation {
	fails, code, no := suite.Pick(m, 0, 0, 1), m.code(groupbuy.Formed, groupbuy.Failed), m.IntN(5)
	queue := event.TeamQueue(code)
	if aside, err := suite.Gather(m.Sides[0].events.Poisoned(m.Context())); err == nil && len(aside) > 0 && m.Chance(80) {
		e := suite.Pick(m, byTeam(slices.Clone(aside))...)
		queue, no = e.Queue, 0
		told, err := suite.Gather(m.Sides[0].events.Of(m.Context(), queue))
		m.Must(err)
		for _, is := range told {
			if is.Poisoned && is.Kind == e.Kind && is.Order == e.Order {
				break
			}
			no++
		}
	}
	return operation{Name: fmt.Sprintf("Redeliver(%q, %d) (fails: %d)", queue, no, fails), Looks: []operation{eventsOf(code)},
		Call: func(s *side) (any, error) {
			told, err := suite.Gather(s.events.Of(s.Context(), queue))
			if err != nil || no >= len(told) {
				return nil, err
			}
			e, err := s.events.Redeliver(s.Context(), told[no].ID, s.handler(fails))
			return s.delivered(0, e), err
		}}
}
