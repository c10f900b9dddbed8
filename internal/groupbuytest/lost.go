package groupbuytest

import (
	"context"
	"slices"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func lostCases() []testCase {
	return []testCase{
		{name: "AnswersThatAreLostAreSettledByTheSameCall", run: lostAnswers},
		{name: "AnswersOfReadingsThatAreLost", run: lostReadings},
		{name: "AnswersOfAnOpenThatAreLostAreSettledByResolve", run: lostResolved},
		{name: "AnswersOfReleasesOfOthersThatAreLostAreNotThoseOfTheCall", run: lostReleases},
		{name: "CallsThatAreNotSentAreMadeByTheSameCall", run: unsentCalls},
		{name: "OfferCutOffBetweenItsSteps", run: offerCutOff},
		{name: "OfferCutOffAndMadeWithOtherUnits", run: offerCutOffOther},
		{name: "ExpireCutOffBetweenItsSteps", run: expireCutOff},
	}
}

// A stage is one call of a journey.
type stage struct {
	name string
	call func(g *groupbuy.Groups) error
}

// code returns the team of an order.
func (s *scene) code(order string) string {
	s.Helper()
	seat, err := s.groups.Seat(s.Context(), order)
	s.No(err)
	return seat.Team
}

// does is a stage with the context of the scene.
func (s *scene) does(name string, call func(ctx context.Context, g *groupbuy.Groups) error) stage {
	return stage{name, func(g *groupbuy.Groups) error { return call(s.Context(), g) }}
}

// opens, joins, decides and moves are stages: of a new team, of one that an order is in, of its end, and of a seat.
func (s *scene) opens(order string) stage {
	return s.does("Open", func(ctx context.Context, g *groupbuy.Groups) error {
		return suite.Outcome(g.Open(ctx, buy(order, anna)))
	})
}

func (s *scene) joins(with, order string, buyer string) stage {
	return s.does("Join", func(ctx context.Context, g *groupbuy.Groups) error {
		seat, err := g.Seat(ctx, with)
		if err != nil {
			return err
		}
		return suite.Outcome(g.Join(ctx, seat.Team, buy(order, buyer)))
	})
}

func (s *scene) decides(name, order string, by func(*groupbuy.Groups, context.Context, string, groupbuy.Decision) (groupbuy.Team, error)) stage {
	return s.does(name, func(ctx context.Context, g *groupbuy.Groups) error {
		seat, err := g.Seat(ctx, order)
		if err != nil {
			return err
		}
		return suite.Outcome(by(g, ctx, seat.Team, decided()))
	})
}

func moves[T any](s *scene, name, order string, by func(*groupbuy.Groups, context.Context, string) (T, error)) stage {
	return s.does(name, func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(by(g, ctx, order)) })
}

// journey returns one call of each verb that changes something, each of which works once the one before it has. It
// goes over three teams: one is formed by its last payment, one by hand, and one fails.
func (s *scene) journey() []stage {
	s.Helper()
	s.stocked(goods, inStock)
	a, revised := s.activity(), product(people(3))
	revised.Name = "Revised"
	pay := func(order string) stage { return moves(s, "Pay", order, (*groupbuy.Groups).Pay) }
	cancel := func(order string) stage { return moves(s, "Cancel", order, (*groupbuy.Groups).Cancel) }
	refund := func(order string) stage {
		return s.does("Refund", func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Outcome(g.Refund(ctx, byHand(order)))
		})
	}
	return []stage{
		s.does("Define", func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(g.Define(ctx, a)) }),
		s.does("Offer", func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Outcome(g.Offer(ctx, product(people(3)), 90))
		}),
		s.does("AddStock", func(ctx context.Context, g *groupbuy.Groups) error { return g.AddStock(ctx, "more", key(), 10) }),
		s.does("WithdrawStock", func(ctx context.Context, g *groupbuy.Groups) error { return g.WithdrawStock(ctx, "less", key(), 20) }),
		s.opens("1"), s.joins("1", "2", ben), s.joins("1", "3", carol), pay("1"), pay("2"), cancel("3"), pay("3"),
		s.joins("1", "4", dan), pay("4"), refund("2"),
		s.opens("5"), pay("5"), s.decides("Form", "5", (*groupbuy.Groups).Form),
		cancel("closed"),
		s.opens("6"), s.joins("6", "7", ben), pay("6"), pay("7"), refund("6"), s.decides("Fail", "6", (*groupbuy.Groups).Fail),
		s.opens("8"),
		s.does("Revise", func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(g.Revise(ctx, revised)) }),
		s.does("Remove", func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(g.Remove(ctx, key())) }),
		s.does("End", func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(g.End(ctx, fair)) }),
		cancel("8"),
	}
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
func (s *scene) lossy(n int) *groupbuy.Groups {
	sent := 0
	return s.groups.On(&wire{store: s.Store, reply: func(call string) error {
		if changes(call) {
			if sent++; sent == n {
				return groupbuy.ErrUnknown
			}
		}
		return nil
	}})
}

// breaking returns groups whose wire breaks at the n-th call, whatever it is.
func (s *scene) breaking(n int) *groupbuy.Groups {
	sent := 0
	return s.groups.On(&wire{store: s.Store, send: func(string) error {
		if sent++; sent >= n {
			return groupbuy.ErrUnavailable
		}
		return nil
	}})
}

func lostAnswers(s *scene) {
	for _, stage := range s.journey() {
		for n := 1; ; n++ {
			err := stage.call(s.lossy(n))
			if err == nil {
				break // it sends fewer changes than that
			}
			s.Is(err, groupbuy.ErrUnknown)
			if n > 20 {
				s.Fatalf("%s is never done", stage.name)
			}
		}
		if err := stage.call(s.groups); err != nil {
			s.Fatalf("%s again: %v", stage.name, err)
		}
	}
	s.journeyEnd()
}

// lostReadings has everything be done, and nobody able to read what came of it: that is not an error of something
// that was not done.
func lostReadings(s *scene) {
	for _, stage := range s.journey() {
		changed := false
		blind := s.groups.On(&wire{store: s.Store, send: func(call string) error {
			changed = changed || changes(call)
			if changed && !changes(call) {
				return groupbuy.ErrUnavailable
			}
			return nil
		}})
		if err := stage.call(blind); err != nil && !groupbuy.Retryable(err) {
			s.Fatalf("%s, whose result cannot be read: %v", stage.name, err)
		}
		if err := stage.call(s.groups); err != nil {
			s.Fatalf("%s again: %v", stage.name, err)
		}
	}
	s.journeyEnd()
}

// lostResolved asks what became of calls that nobody answered: those that were done, and those that never arrived.
func lostResolved(s *scene) {
	s.live()
	_, err := s.lossy(1).Open(s.Context(), buy("1", anna))
	s.only(err, groupbuy.ErrUnknown)
	seat := s.resolved("1", groupbuy.Held)
	suite.Same(s, "seat", s.seat("1", groupbuy.Held), seat)
	gone := s.groups.On(&wire{store: s.Store, send: func(call string) error {
		if changes(call) {
			return groupbuy.ErrUnknown
		}
		return nil
	}})
	_, err = gone.Join(s.Context(), seat.Team, buy("2", ben))
	s.only(err, groupbuy.ErrUnknown)
	_, err = s.lossy(1).Resolve(s.Context(), "2") // and so is the first answer to that
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
		return s.groups.On(&wire{store: s.Store, reply: func(call string) error {
			if slices.Contains(calls, call) {
				return groupbuy.ErrUnknown
			}
			return nil
		}})
	}
	code := s.open("1", anna).Team
	s.pay("1")
	s.join(code, "2", ben)
	s.join(code, "3", carol)
	s.Advance(hold)
	_, err := deaf(unitsPrefix+"Expire").Join(s.Context(), code, buy("4", dan))
	s.only(err, groupbuy.ErrUnavailable)
	s.join(code, "4", dan)
	s.Advance(forming)
	_, err = deaf("End").Refund(s.Context(), byHand("1"))
	s.only(err, groupbuy.ErrUnavailable)
	s.is(code, groupbuy.Failed)
	s.open("5", anna)
	s.Advance(hold)
	_, err = deaf(unitsPrefix + "Expire").Expire(s.Context())
	s.only(err, groupbuy.ErrUnknown)
}

// unsentCalls cuts each call off before its first statement, its second, and so on, and makes it again.
func unsentCalls(s *scene) {
	for _, stage := range s.journey() {
		for n := 1; ; n++ {
			err := stage.call(s.breaking(n))
			if err == nil {
				break
			}
			if !groupbuy.Retryable(err) || n > 60 {
				s.Fatalf("%s, cut off at call %d: %v", stage.name, n, err)
			}
		}
		if err := stage.call(s.groups); err != nil {
			s.Fatalf("%s again: %v", stage.name, err)
		}
	}
	s.journeyEnd()
}

// offerCutOff stops an Offer after each of its calls, for each a product of its own.
func offerCutOff(s *scene) {
	s.define(s.activity())
	for n := 1; ; n++ {
		p := product(people(2))
		p.SKU = int64(100 + n)
		s.stocked(p.SKU, 50)
		_, cut := s.breaking(n).Offer(s.Context(), p, 20)
		b := buy("x", anna)
		b.Product = p.Key
		if cut != nil {
			s.Is(cut)
			got := s.offer(p, 20)
			suite.Same(s, "product", []any{got.State, got.Allotted}, []any{groupbuy.Offered, int64(20)})
		}
		suite.Same(s, "units", [2]int64{s.item(stock.Key{SKU: p.SKU}).Left, s.item(p.Key).Left}, [2]int64{30, 20})
		b.Order = "o" + string(rune('a'+n))
		s.openAs(b)
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
