package groupbuytest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func historyCases() []testCase {
	return []testCase{
		{Name: "HistoryRandomCallsKeepTheBooks", Run: randomHistory},
		{Name: "HistoryRandomCallsByVolumeKeepTheBooks", Run: volumeHistory},
		{Name: "HistoryCrashesAtEveryStatement", Run: crashes},
		{Name: "HookIsToldOfEveryEffectOnce", Run: effectsOnce},
		{Name: "HookIsToldWhatEachCallDid", Run: effectsOf},
		{Name: "HookIsToldOfEndsAndByWhatCannotReadItsResult", Run: effectsOfEnds},
	}
}

// A walk makes one random call on a few teams, among others.
type walk func(*rand.Rand) error

// walker returns a walk by groups over the product of a scene.
func (s *scene) walker(groups *groupbuy.Groups) walk {
	var mu sync.Mutex
	var teams []string
	ctx := s.Context()
	team := func(rng *rand.Rand) string {
		mu.Lock()
		defer mu.Unlock()
		if len(teams) == 0 {
			return sample
		}
		return teams[max(len(teams)-1-rng.IntN(4), 0)] // one of the youngest
	}
	seat := func(got groupbuy.Seat, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if err == nil && got.Sponsor {
			teams = append(teams, got.Team)
		}
		return err
	}
	return func(rng *rand.Rand) error {
		order, buyer := strconv.Itoa(rng.IntN(60)), rng.Int64N(8)+1
		p := buyVolume(order, fmt.Sprint(rng.IntN(8)+1), []string{"1", "2", "0.5"}[rng.IntN(3)])
		switch n := rng.IntN(60); {
		case n < 6:
			return seat(p.Open(ctx, groups))
		case n < 20:
			return suite.Err(p.Join(ctx, groups, team(rng)))
		case n < 40:
			return suite.Err(groups.Pay(ctx, order))
		case n < 44:
			return suite.Err(groups.Cancel(ctx, order))
		case n < 47:
			return suite.Err(groups.Refund(ctx, groupbuy.Refund{Order: order, Restock: buyer%2 == 0}))
		case n == 47:
			return suite.Err(groups.Form(ctx, team(rng), decided()))
		case n == 48:
			return suite.Err(groups.Fail(ctx, team(rng), decided()))
		case n < 52:
			return suite.Err(groups.Expire(ctx))
		case n < 55:
			return suite.Err(s.events.Deliver(ctx, groups.Handle(func(context.Context, groupbuy.Event) error {
				if buyer == 1 {
					return errFailing
				}
				return nil
			})))
		case n == 55:
			return suite.Err(groups.Restock(ctx, fmt.Sprint("more ", rng.IntN(4)), key(), buyer))
		case n == 56:
			return suite.Err(groups.Withdraw(ctx, fmt.Sprint("less ", rng.IntN(4)), key(), buyer))
		case n == 57:
			return suite.Err(groups.Resolve(ctx, order))
		case n == 58:
			return suite.Err(groups.Seat(ctx, order))
		default:
			return suite.Err(suite.Gather(groups.Joinable(ctx, key())))
		}
	}
}

// explained reports whether an error is an answer: a refusal, or that a volume is no whole number of units.
func explained(err error) bool {
	return suite.Matches(err, refusals()...) || suite.Matches(err, groupbuy.ErrInvalid)
}

// walks lets walkers go at once by groups, and ends the test on an error that is no answer.
func (s *scene) walks(groups *groupbuy.Groups, seed int64) {
	s.Helper()
	s.Walk(seed, 40, s.walker(groups), groupbuy.Retryable, explained)
}

// randomHistory looks at the books each time all walkers rest.
func randomHistory(s *scene) {
	terms := people(3)
	terms.UnitsPerVolume, terms.MinPeople = 2, 2
	s.opened(terms, 60)
	groups := s.with(groupbuy.Options{LatePay: stock.Reacquire})
	for n := range int64(4) {
		s.walks(groups, 100*n)
		s.Balanced()
		s.Advance(7 * hour)
	}
	s.settles()
}

func volumeHistory(s *scene) {
	s.opened(volume("4"), 3000)
	for n := range int64(4) {
		s.walks(s.groups, 100*n)
		s.Balanced()
		s.Advance(5 * time.Minute)
	}
	s.settles()
}

// settles lets everything come to its end: all that was not sold is in ordinary stock again.
func (s *scene) settles() {
	s.Helper()
	s.end()
	s.Advance(2 * forming)
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock - s.item(key()).Sold)
	for range 12 {
		s.deliver()
		s.Advance(hour)
	}
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 0)
}

// crashes breaks the wire before and after statements at random: the books balance all the same.
func crashes(s *scene) {
	s.opened(people(3), 60)
	faulty := s.with(groupbuy.Options{LatePay: stock.Reacquire}).On(&wire{suite.Breaks(suite.Repeatable(7)), suite.InTurn(s.Store)})
	for n := range int64(4) {
		s.walks(faulty, 100*n)
		s.Balanced()
		s.Advance(7 * hour)
	}
	s.settles()
}

// effectsOnce keeps every effect that the hook was told of: no step of a seat is told twice, and no team ends twice.
func effectsOnce(s *scene) {
	s.opened(people(3), 60)
	var mu sync.Mutex
	steps, ended := map[string]int{}, map[string]groupbuy.TeamState{}
	groups := s.with(groupbuy.Options{Hook: func(_ context.Context, e groupbuy.Effect) {
		mu.Lock()
		defer mu.Unlock()
		if e.Step != 0 {
			steps[fmt.Sprintf("%v %s", e.Step, e.Order)]++
		}
		if e.Ended != groupbuy.Forming {
			if was, ok := ended[e.Team]; ok {
				s.Errorf("the hook was told twice that team %q is %v, and %v", e.Team, was, e.Ended)
			}
			ended[e.Team] = e.Ended
		}
	}})
	for n := range int64(3) {
		s.walks(groups, 1000+100*n)
		s.Advance(7 * hour)
	}
	for step, n := range steps {
		if n > 1 {
			s.Errorf("the hook was told %d times of %q", n, step)
		}
	}
	for _, t := range s.teams() {
		suite.Same(s, "end of "+t.Code, ended[t.Code], t.State)
		for _, seat := range s.members(t.Code) {
			took := steps[fmt.Sprintf("%v %s", groupbuy.StepHold, seat.Order)] == 1
			paid := steps[fmt.Sprintf("%v %s", groupbuy.StepPay, seat.Order)] == 1
			if !took || paid != !seat.PaidAt.IsZero() {
				s.Errorf("seat %+v; the hook was told of %v", seat, steps)
			}
		}
	}
}

// effectsOf looks at the effects of some calls, one by one.
func effectsOf(s *scene) {
	s.live()
	h := s.hears()
	groups, told := h.Groups, h.told
	ctx := s.Context()
	code := suite.Must(buy("1", anna).Open(ctx, groups)).Team
	of := func(step groupbuy.Step, order string, ended groupbuy.TeamState) groupbuy.Effect {
		return groupbuy.Effect{Step: step, Order: order, Team: code, Ended: ended}
	}
	suite.Same(s, "effects", h.effects, []groupbuy.Effect{of(groupbuy.StepHold, "1", groupbuy.Forming)})
	told(func() error { return suite.Err(buy("1", anna).Open(ctx, groups)) })
	for order, buyer := range map[string]string{"2": ben, "3": carol} {
		told(func() error { return suite.Err(buy(order, buyer).Join(ctx, groups, code)) }, of(groupbuy.StepHold, order, groupbuy.Forming))
	}
	told(func() error { return suite.Err(groups.Cancel(ctx, "3")) }, of(groupbuy.StepCancel, "3", groupbuy.Forming))
	told(func() error { return suite.Err(buy("4", dan).Join(ctx, groups, code)) }, of(groupbuy.StepHold, "4", groupbuy.Forming))
	for _, order := range []string{"1", "2"} {
		told(func() error { return suite.Err(groups.Pay(ctx, order)) }, of(groupbuy.StepPay, order, groupbuy.Forming))
	}
	told(func() error { return suite.Err(groups.Pay(ctx, "3")) }, of(groupbuy.StepLate, "3", groupbuy.Forming))
	told(func() error { return suite.Err(groups.Pay(ctx, "4")) }, of(groupbuy.StepPay, "4", groupbuy.Formed))
	told(func() error { return suite.Err(groups.Refund(ctx, byHand("4"))) }, of(groupbuy.StepRefund, "4", groupbuy.Forming))
	returned := of(groupbuy.StepReturn, "3", groupbuy.Forming)
	delivers := func() error { return suite.Err(s.events.Deliver(ctx, groups.Handle(ignore))) }
	told(delivers, returned, of(groupbuy.StepReturn, "4", groupbuy.Forming))
	moved := func(step stock.Step, id string, num int64) groupbuy.Effect {
		return groupbuy.Effect{Units: step, Key: key(), Num: num, ID: id}
	}
	told(func() error { return suite.Err(groups.Restock(ctx, "a", key(), 5)) }, moved(stock.StepRestock, "a", 5))
	told(func() error { return suite.Err(groups.Withdraw(ctx, "b", key(), 7)) }, moved(stock.StepWithdraw, "b", 7))
	told(func() error { return suite.Err(groups.Remove(ctx, key())) }, moved(stock.StepWithdraw, "gb-/42/7/1", 86))
}

// listener is groups with what their hook was told.
type listener struct {
	*groupbuy.Groups

	of      *scene
	effects []groupbuy.Effect
}

// hears returns groups whose effects are kept.
func (s *scene) hears() *listener {
	h := &listener{of: s}
	h.Groups = s.with(groupbuy.Options{Hook: func(_ context.Context, e groupbuy.Effect) { h.effects = append(h.effects, e) }})
	return h
}

// told ends the test unless a call has just these effects, and none when it is made again.
func (h *listener) told(call func() error, want ...groupbuy.Effect) {
	h.of.Helper()
	for _, want := range [][]groupbuy.Effect{want, nil} {
		h.effects = nil
		h.of.No(call())
		suite.Same(h.of, "effects", h.effects, want)
	}
}

// effectsOfEnds looks at the effects of offers, of operators, of seats that are dead, and of calls whose result cannot be read.
func effectsOfEnds(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	h, ctx := s.hears(), s.Context()
	h.told(func() error { return suite.Err(h.Offer(ctx, product(people(3)), 90)) },
		groupbuy.Effect{Units: stock.StepRestock, Key: key(), Num: 90, ID: "gb+/42/7/1"})
	formed, failed := s.open("1", anna).Team, s.open("2", anna).Team
	s.pay("1")
	h.told(func() error { return suite.Err(h.Form(ctx, formed, decided())) }, groupbuy.Effect{Team: formed, Ended: groupbuy.Formed})
	h.told(func() error { return suite.Err(h.Fail(ctx, failed, decided())) }, groupbuy.Effect{Team: failed, Ended: groupbuy.Failed})
	h.told(func() error { return suite.Err(h.Cancel(ctx, "none")) }) // which closes an order, and moves nothing
	code := s.team2("3", anna, "4", ben)
	s.Advance(hold)
	h.told(func() error { return suite.Err(h.Pay(ctx, "3")) },
		groupbuy.Effect{Step: groupbuy.StepExpire, Order: "3", Team: code}, groupbuy.Effect{Step: groupbuy.StepLate, Order: "3", Team: code})
	h.told(func() error { return suite.Err(h.Resolve(ctx, "4")) },
		groupbuy.Effect{Step: groupbuy.StepExpire, Order: "4", Team: code, Ended: groupbuy.Failed})
	s.open("5", anna)
	s.open("6", anna)
	h.effects = nil
	deaf := h.On(Over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnavailable, suite.Named("Seat"))}, s.Store))
	s.only(suite.Err(deaf.Pay(ctx, "5")), groupbuy.ErrUnknown)
	s.only(suite.Err(deaf.Cancel(ctx, "6")), groupbuy.ErrUnknown)
	suite.Same(s, "effects", h.effects, []groupbuy.Effect{{Step: groupbuy.StepPay, Order: "5"}, {Step: groupbuy.StepCancel, Order: "6"}})
}
