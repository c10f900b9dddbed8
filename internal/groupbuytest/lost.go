package groupbuytest

import (
	"context"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func lostCases() []testCase {
	return []testCase{
		{Name: "AnswersThatAreLostAreSettledByTheSameCall", Run: lostAnswers},
		{Name: "AnswersOfReadingsThatAreLost", Run: lostReadings},
		{Name: "AnswersOfAnOpenThatAreLostAreSettledByResolve", Run: lostResolved},
		{Name: "AnswersOfReleasesOfOthersThatAreLostAreNotThoseOfTheCall", Run: lostReleases},
		{Name: "CallsThatAreNotSentAreMadeByTheSameCall", Run: unsentCalls},
		{Name: "OfferCutOffBetweenItsSteps", Run: offerCutOff},
		{Name: "OfferCutOffAndMadeWithOtherUnits", Run: offerCutOffOther},
		{Name: "ExpireCutOffBetweenItsSteps", Run: expireCutOff},
	}
}

// code returns the team of an order.
func (s *scene) code(order string) string {
	s.Helper()
	seat := suite.Must(s.groups.Seat(s.Context(), order))
	return seat.Team
}

// journey goes over three teams: one is formed by its last payment, one by hand, and one fails.
func (s *scene) journey() suite.Journey[*groupbuy.Groups] {
	s.Helper()
	s.stocked(goods, inStock)
	activity := s.activity()
	return suite.Journey[*groupbuy.Groups]{
		Plain: s.groups, Over: s.over, Begin: s.beginGroups, Sees: s.everything, Ends: s.journeyEnd,
		Calls: func(g *groupbuy.Groups) []suite.Call { return stages{s, g}.all(activity) },
	}
}

// stages are the calls of a journey, by groups.
type stages struct {
	of *scene
	g  *groupbuy.Groups
}

// all returns one call of each verb that changes something.
func (s stages) all(activity groupbuy.Activity) []suite.Call {
	ctx, g, revised := s.of.Context(), s.g, product(people(3))
	revised.Name = "Revised"
	return []suite.Call{
		{Name: "Define", Do: func() error { return suite.Err(g.Define(ctx, activity)) }},
		{Name: "Offer", Do: func() error { return suite.Err(g.Offer(ctx, product(people(3)), 90)) }},
		{Name: "Restock", Do: func() error { return suite.Err(g.Restock(ctx, "more", key(), 10)) }},
		{Name: "Withdraw", Do: func() error { return suite.Err(g.Withdraw(ctx, "less", key(), 20)) }},
		s.open("1"), s.join("1", "2", ben), s.join("1", "3", carol), s.pay("1"), s.pay("2"), s.cancel("3"), s.pay("3"),
		s.join("1", "4", dan), s.pay("4"), s.refund("2"),
		s.open("5"), s.pay("5"), s.decide("Form", "5", g.Form),
		s.cancel("closed"),
		s.open("6"), s.join("6", "7", ben), s.pay("6"), s.pay("7"), s.refund("6"), s.decide("Fail", "6", g.Fail),
		s.open("8"),
		{Name: "Revise", Do: func() error { return suite.Err(g.Revise(ctx, revised)) }},
		{Name: "Remove", Do: func() error { return suite.Err(g.Remove(ctx, key())) }},
		{Name: "End", Do: func() error { return suite.Err(g.End(ctx, fair)) }},
		s.cancel("8"),
	}
}

func (s stages) open(order string) suite.Call {
	return suite.Call{Name: "Open", Do: func() error { return suite.Err(buy(order, anna).Open(s.of.Context(), s.g)) }}
}

func (s stages) pay(order string) suite.Call {
	return suite.Call{Name: "Pay", Do: func() error { return suite.Err(s.g.Pay(s.of.Context(), order)) }}
}

func (s stages) cancel(order string) suite.Call {
	return suite.Call{Name: "Cancel", Do: func() error { return suite.Err(s.g.Cancel(s.of.Context(), order)) }}
}

func (s stages) refund(order string) suite.Call {
	return suite.Call{Name: "Refund", Do: func() error { return suite.Err(s.g.Refund(s.of.Context(), byHand(order))) }}
}

// join joins the team that an order is in.
func (s stages) join(with, order, buyer string) suite.Call {
	return suite.Call{Name: "Join", Do: func() error {
		seat, err := s.g.Seat(s.of.Context(), with)
		if err != nil {
			return err
		}
		return suite.Err(buy(order, buyer).Join(s.of.Context(), s.g, seat.Team))
	}}
}

// decide ends the team that an order is in.
func (s stages) decide(name, order string, by func(context.Context, string, groupbuy.Decision) (groupbuy.Team, error)) suite.Call {
	return suite.Call{Name: name, Do: func() error {
		seat, err := s.g.Seat(s.of.Context(), order)
		if err != nil {
			return err
		}
		return suite.Err(by(s.of.Context(), seat.Team, decided()))
	}}
}

// journeyEnd ends the test unless every call of the journey happened once.
func (s *scene) journeyEnd() {
	s.Helper()
	s.sweep()
	for order, state := range map[string]groupbuy.SeatState{
		"1": groupbuy.Paid, "2": groupbuy.RefundDue, "3": groupbuy.RefundDue, "4": groupbuy.Paid, "5": groupbuy.Paid,
		"6": groupbuy.RefundDue, "7": groupbuy.RefundDue, "8": groupbuy.Cancelled,
	} {
		s.seat(order, state)
	}
	s.tells(s.code("1"), owes("3"), hasFormed(), owes("2"))
	s.tells(s.code("5"), hasFormed())
	s.tells(s.code("6"), owes("6"), hasFailed(), owes("7"))
	s.tells(s.code("8"), hasFailed())
	p := s.shown(groupbuy.Settled)
	suite.Same(s, "product", []any{p.Name, p.Formed, p.Allotted}, []any{"Revised", int64(4), int64(90)})
	s.pool(stock.Quantities{Total: 3, Sold: 3, Refunded: 3})
	s.shelf(inStock - 3)
}

// lossy returns groups that lose the answer of the n-th change that they send.
func (s *scene) lossy(n int) *groupbuy.Groups { return s.over(suite.LosesAnswer(n)) }

// breaking returns groups whose wire breaks at the n-th call, whatever it is.
func (s *scene) breaking(n int) *groupbuy.Groups {
	return s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnavailable, suite.From(n))})
}

func lostAnswers(s *scene)  { s.journey().LostAnswers(s) }
func lostReadings(s *scene) { s.journey().LostReadings(s) }
func unsentCalls(s *scene)  { s.journey().CutOff(s) }

// lostResolved asks what became of calls that nobody answered: those that were done, and those that never arrived.
func lostResolved(s *scene) {
	s.live()
	s.only(suite.Err(buy("1", anna).Open(s.Context(), s.lossy(1))), groupbuy.ErrUnknown)
	seat := s.resolved("1", groupbuy.Held)
	suite.Same(s, "seat", s.seat("1", groupbuy.Held), seat)
	gone := s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnknown, suite.Changes)})
	s.only(suite.Err(buy("2", ben).Join(s.Context(), gone, seat.Team)), groupbuy.ErrUnknown)
	_, err := s.lossy(1).Resolve(s.Context(), "2") // and so is the first answer to that
	s.only(err, groupbuy.ErrUnknown)
	s.resolved("2", groupbuy.Cancelled)
	s.unjoined(seat.Team, buy("2", ben), groupbuy.ErrCancelled)
	s.counts(seat.Team, 1, 0, "0")
	s.pool(stock.Quantities{Total: 90, Locked: 1})
}

// lostReleases loses what became of the dead seats and the team that are in the way of a call, which has not been sent or
// was refused. A sweep says what it knows of its own work.
func lostReleases(s *scene) {
	s.live()
	deaf := func(calls ...string) *groupbuy.Groups {
		return s.over(suite.Wire{Reply: suite.Fails(groupbuy.ErrUnknown, suite.Named(calls...))})
	}
	code := s.open("1", anna).Team
	s.pay("1")
	s.join(code, "2", ben)
	s.join(code, "3", carol)
	s.Advance(hold)
	s.only(suite.Err(buy("4", dan).Join(s.Context(), deaf(suite.Units+"Expire"), code)), groupbuy.ErrUnavailable)
	s.join(code, "4", dan)
	s.Advance(forming)
	s.only(suite.Err(deaf("End").Refund(s.Context(), byHand("1"))), groupbuy.ErrUnavailable)
	s.is(code, groupbuy.Failed)
	s.open("5", anna)
	s.Advance(hold)
	s.only(suite.Err(deaf(suite.Units+"Expire").Expire(s.Context())), groupbuy.ErrUnknown)
}

// offerCutOff stops an Offer after each of its calls, for each a product of its own.
func offerCutOff(s *scene) {
	s.define(s.activity())
	for n := 1; ; n++ {
		p := product(people(2))
		p.SKU = int64(100 + n)
		s.stocked(p.SKU, 50)
		_, cut := s.breaking(n).Offer(s.Context(), p, 20)
		if cut != nil {
			s.Is(cut)
			got := s.offer(p, 20)
			suite.Same(s, "product", []any{got.State, got.Allotted}, []any{groupbuy.Offered, int64(20)})
		}
		suite.Same(s, "units", [2]int64{s.item(stock.Key{SKU: p.SKU}).Left, s.item(p.Key).Left}, [2]int64{30, 20})
		s.openAs(buy("o"+string(rune('a'+n)), anna).of(p.Key))
		if cut == nil {
			s.Count("calls of an Offer, more than three", min(n, 4), 4)
			return
		}
	}
}

// offerCutOffOther makes it with other units after that: it is one or the other.
func offerCutOffOther(s *scene) {
	s.define(s.activity())
	for n := 1; ; n++ {
		p := product(people(2))
		p.SKU = int64(100 + n)
		s.stocked(p.SKU, 50)
		_, cut := s.breaking(n).Offer(s.Context(), p, 20)
		got, err := s.groups.Offer(s.Context(), p, 7)
		if err != nil { // what was booked stays booked
			s.only(err, groupbuy.ErrMismatch)
			got = s.offer(p, 20)
		}
		want := got.Allotted
		suite.Same(s, "units", [2]int64{s.item(stock.Key{SKU: p.SKU}).Left, s.item(p.Key).Left}, [2]int64{50 - want, want})
		if cut == nil {
			return
		}
	}
}

// expireCutOff stops a sweep after each of its calls: the next goes on from there.
func expireCutOff(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.open("3", carol)
	s.Advance(runs)
	for n := 1; ; n++ {
		_, err := s.breaking(n).Expire(s.Context())
		if err == nil {
			break
		}
		if !groupbuy.Retryable(err) || n > 60 {
			s.Fatalf("Expire is never done: %v", err)
		}
	}
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.seat("1", groupbuy.RefundDue)
	s.shown(groupbuy.Settled)
	s.shelf(inStock)
}
