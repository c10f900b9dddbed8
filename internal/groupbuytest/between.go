package groupbuytest

import (
	"errors"
	"strconv"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenCases have something else happen between two statements of one call: the races that a crowd meets by luck,
// each of them for sure.
func betweenCases() []testCase {
	return []testCase{
		{Name: "TheActivityEndsOrItsProductIsRemovedBeforeItsUnitsAreLocked", Run: endsBeforeLock},
		{Name: "JoinMeetsWhatHasChangedSinceItLooked", Run: joinMeets},
		{Name: "JoinWaitsForNobodyWhoIsDead", Run: joinDead},
		{Name: "TheSameSeatIsTakenTwice", Run: takenTwice},
		{Name: "TheSeatDiesBeforeItIsPaid", Run: diesBeforePay},
		{Name: "TheTeamEndsBeforeItsSeatIsPaid", Run: endedBeforePay},
		{Name: "TheSameLatePaymentIsMadeTwice", Run: lateTwice},
		{Name: "TheSameLatePaymentIsMadeByOtherOptions", Run: lateOtherwise},
		{Name: "TheSameRefundIsMadeTwice", Run: refundedTwice},
		{Name: "TheTeamIsFormedBeforeTheRefund", Run: formedBeforeRefund},
		{Name: "TheTeamChangesBeforeItIsEnded", Run: changesBeforeEnd},
		{Name: "TheLastPaymentBeforeTheOperator", Run: paidBeforeEnd},
	}
}

// before returns groups, with the options of the scene's own, on a wire where something happens just before the first
// call of a method.
func (s *scene) before(method string, happens func()) *groupbuy.Groups {
	return s.over(suite.Before(method, 1, happens))
}

func endsBeforeLock(s *scene) {
	s.live()
	other := s.offerIn(8, 3, 10)
	s.Is(suite.Err(buy("2", ben).of(other.Key).Open(s.Context(), s.before("Units.Lock", func() {
		s.No(suite.Err(s.groups.Remove(s.Context(), other.Key)))
	}))), groupbuy.ErrRemoved)
	s.seatless("2")
	s.shelf(inStock - 90)
	s.Advance(runs - instant)
	code := s.open("1", anna).Team
	s.Is(suite.Err(buy("2", ben).Open(s.Context(), s.before("Units.Lock", func() { s.Advance(instant) }))), groupbuy.ErrEnded)
	s.seatless("2")
	s.unjoined(code, buy("3", carol), groupbuy.ErrEnded)
}

// joinMeets has something happen after a Join, of an order of dan, has found nothing in its way.
func joinMeets(s *scene) {
	s.stocked(goods, inStock)
	for i, c := range []struct {
		happens func(p groupbuy.Product, code, order string)
		why     []error
	}{
		{func(p groupbuy.Product, code, order string) { s.joinAs(code, buy(order+" 3", carol).of(p.Key)) }, []error{groupbuy.ErrFull}},
		{func(p groupbuy.Product, code, order string) { s.joinAs(code, buy(order+" 3", dan).of(p.Key)) }, []error{groupbuy.ErrJoined}},
		{func(p groupbuy.Product, _, order string) { s.openAs(buy(order, dan).of(p.Key)) }, []error{groupbuy.ErrMismatch}},
		{func(_ groupbuy.Product, _, order string) { s.cancel(order) }, []error{groupbuy.ErrCancelled, stock.ErrCancelled}},
		{func(_ groupbuy.Product, _, order string) {
			s.No(suite.Err(s.ordinary().Lock(s.Context(), order, one())))
		}, []error{groupbuy.ErrMismatch}},
		{func(_ groupbuy.Product, code, order string) { s.pay(order + " 1"); s.form(code) }, []error{groupbuy.ErrTeamFormed}},
		{func(_ groupbuy.Product, code, _ string) { s.fail(code) }, []error{groupbuy.ErrTeamFailed}},
		{func(groupbuy.Product, string, string) { s.Advance(forming) }, []error{groupbuy.ErrTeamOver}},
		{func(p groupbuy.Product, _, _ string) {
			s.No(suite.Err(s.groups.Remove(s.Context(), p.Key)))
		}, []error{groupbuy.ErrRemoved, stock.ErrOffShelf}},
		{func(p groupbuy.Product, _, _ string) {
			s.No(suite.Err(s.groups.End(s.Context(), p.Activity)))
		}, []error{groupbuy.ErrRemoved, stock.ErrOffShelf}},
		{func(p groupbuy.Product, _, _ string) {
			later := s.activity()
			later.ID, later.Start = p.Activity, s.now().Add(hour)
			s.define(later)
		}, []error{groupbuy.ErrNotStarted, stock.ErrNotStarted}},
		{func(p groupbuy.Product, _, _ string) {
			s.No(suite.Err(s.ordinary().Define(s.Context(), p.Key, 0, stock.Terms{OffShelf: true})))
		}, []error{groupbuy.ErrPreparing, stock.ErrOffShelf}},
		{func(p groupbuy.Product, _, _ string) {
			s.No(suite.Err(s.ordinary().Define(s.Context(), p.Key, 0, stock.Terms{End: s.now()})))
		}, []error{groupbuy.ErrEnded, stock.ErrEnded}},
		{func(p groupbuy.Product, _, order string) {
			s.No(suite.Err(s.groups.Withdraw(s.Context(), order, p.Key, 8)))
		}, []error{stock.ErrInsufficient}},
		{func(p groupbuy.Product, code, order string) { // what a team refuses comes before what the stock refuses
			s.joinAs(code, buy(order+" 3", dan).of(p.Key))
			s.No(suite.Err(s.groups.Withdraw(s.Context(), order, p.Key, 7)))
		}, []error{groupbuy.ErrJoined}},
	} {
		p, order := s.offerIn(int64(i+100), 3, 10), strconv.Itoa(i)
		code := s.openAs(buy(order+" 1", anna).of(p.Key)).Team
		s.joinAs(code, buy(order+" 2", ben).of(p.Key))
		groups := s.before("Units.Lock", func() { c.happens(p, code, order) })
		_, err := buy(order, dan).of(p.Key).Join(s.Context(), groups, code)
		s.Is(err, c.why...)
		if len(c.why) == 1 {
			s.only(err, c.why[0])
		}
		if !errors.Is(c.why[0], groupbuy.ErrMismatch) {
			s.seatless(order)
		}
	}
	s.sweep()
}

// joinDead has whoever else releases a dead seat before a Join does whose buyer has it.
func joinDead(s *scene) {
	s.opened(people(3), 90)
	for round, release := range []func(){
		func() {},
		func() { s.sweep() },
		func() {
			if s.Stock != nil {
				s.No(suite.Err(s.shop().Expire(s.Context())))
			}
		},
	} {
		code := s.full(round, 3, 1)
		s.Advance(hold)
		s.No(suite.Err(buy(numbered(round, "new"), "102").Join(s.Context(), s.before("LateSeats", release), code)))
		s.counts(code, 1, 1, "1")
	}
	s.sweep()
}

// takenTwice delivers an Open and a Join twice, the second before each statement of the first.
func takenTwice(s *scene) {
	s.live()
	for _, method := range []string{"Offer", "Units.Lock"} {
		var first groupbuy.Seat
		seat := suite.Must(buy("open "+method, anna).Open(s.Context(), s.before(method, func() { first = s.open("open "+method, anna) })))
		suite.Replays(s, "seat", seat, first)
		code := seat.Team
		seat, err := buy("join "+method, ben).Join(s.Context(), s.before(method, func() { first = s.join(code, "join "+method, ben) }), code)
		s.No(err)
		suite.Replays(s, "seat", seat, first)
		s.counts(code, 2, 0, "0")
	}
	s.Count("teams", len(s.teams()), 2)
}

func diesBeforePay(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold - instant)
	p := suite.Must(s.before("Units.Move", func() { s.Advance(instant) }).Pay(s.Context(), "2"))
	suite.Same(s, "due", p.Due, true)
	s.Is(p.Why, groupbuy.ErrExpired)
	s.tells(code, released("2"), owes("2"))
}

func endedBeforePay(s *scene) {
	s.live()
	for name, ends := range map[string]func(code string){"form": func(code string) { s.form(code) },
		"fail": func(code string) { s.fail(code) }} {
		code := s.open(name+" 1", anna).Team
		s.pay(name + " 1")
		s.join(code, name+" 2", ben)
		p := suite.Must(s.before("Units.Move", func() { ends(code) }).Pay(s.Context(), name+" 2"))
		suite.Same(s, "payment", []any{p.Due, p.Seat.State, p.Seat.Status}, []any{true, groupbuy.RefundDue, groupbuy.Failed})
		s.Is(p.Why, groupbuy.ErrCancelled)
		s.refundOwed(name + " 2")
	}
}

func lateTwice(s *scene) {
	s.live()
	s.team([]string{anna, ben, carol}, "1")
	s.Advance(hold)
	for _, c := range []struct{ method, order string }{{"Units.Move", "2"}, {"Late", "3"}} {
		p := suite.Must(s.before(c.method, func() { s.late(s.groups, c.order, groupbuy.ErrExpired) }).Pay(s.Context(), c.order))
		suite.Same(s, "payment", []any{p.Due, p.Formed, p.Seat}, []any{true, false, s.seat(c.order, groupbuy.RefundDue)})
		s.refundOwed(c.order)
	}
}

// lateOtherwise has a late payment be made at the same time by groups that reject it and by groups that take the seat again:
// what is decided first stays.
func lateOtherwise(s *scene) {
	s.opened(people(9), 90)
	code := s.full(0, 5, 1)
	s.Advance(hold)
	for n := 3; n > 0; n-- { // before the step that pays, and those that follow where it is refused
		order := numbered(0, n)
		w := suite.Before("Units.Move", n, func() { s.late(s.groups, order, groupbuy.ErrExpired) })
		for range 2 {
			p := suite.Must(s.reacquires().On(Over(w, s.Store)).Pay(s.Context(), order))
			suite.Same(s, "payment", []any{p.Due, p.Seat.State}, []any{true, groupbuy.RefundDue})
		}
		s.refundOwed(order)
	}
	p := suite.Must(s.before("Late", func() {
		s.No(suite.Err(s.reacquires().Pay(s.Context(), numbered(0, 4))))
	}).Pay(s.Context(), numbered(0, 4)))
	suite.Same(s, "payment", []any{p.Due, p.Why, p.Seat.State}, []any{false, nil, groupbuy.Paid})
	s.counts(code, 0, 2, "2")
}

func refundedTwice(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2", "3")
	for method, order := range map[string]string{"Seat": "1", "Units.Refund": "2"} {
		other := groupbuy.Refund{Order: order, Actor: "first"}
		seat := suite.Must(s.before(method, func() {
			_, err := s.groups.Refund(s.Context(), other)
			s.No(err)
		}).Refund(s.Context(), byHand(order)))
		suite.Replays(s, "seat", seat, s.seat(order, groupbuy.RefundDue))
		suite.Same(s, "who refunded it", seat.Actor, "first")
		s.refundOwed(order)
	}
	s.counts(code, 0, 1, "1")
	s.pool(stock.Quantities{Total: 90, Sold: 3, Refunded: 2}) // neither said that they go back on sale
	other := s.open("4", anna).Team
	s.pay("4")
	seat := suite.Must(s.before("Units.Refund", func() { s.fail(other) }).Refund(s.Context(), byHand("4")))
	suite.Same(s, "seat", seat.State, groupbuy.RefundDue)
	s.refundOwed("4")
}

func formedBeforeRefund(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	seat := suite.Must(s.before("Units.Refund", func() { s.pay("3") }).Refund(s.Context(), groupbuy.Refund{Order: "2"}))
	suite.Same(s, "seat", []any{seat.State, seat.Status}, []any{groupbuy.RefundDue, groupbuy.Formed})
	s.tells(code, hasFormed(), owes("2"))
	s.counts(code, 0, 2, "2")
}

func changesBeforeEnd(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben}, "1", "2")
	team := suite.Must(s.before("End", func() { s.join(code, "3", carol); s.pay("3") }).Fail(s.Context(), code, decided()))
	suite.Same(s, "team", team, s.is(code, groupbuy.Failed))
	s.tells(code, hasFailed(), owes("1"), owes("2"), owes("3"))
	alone := s.open("4", anna).Team
	s.pay("4")
	_, err := s.before("End", func() { s.join(alone, "5", ben); s.refund("4") }).Form(s.Context(), alone, decided())
	s.only(err, groupbuy.ErrNobodyPaid)
	s.pay("5")
	s.Advance(forming - instant)
	team, err = s.before("End", func() { s.Advance(instant) }).Form(s.Context(), alone, decided())
	if err != nil { // decided in time, or not
		s.only(err, groupbuy.ErrTeamOver)
		return
	}
	suite.Same(s, "team", team, s.is(alone, groupbuy.Formed))
}

func paidBeforeEnd(s *scene) {
	s.opened(people(2), 90)
	code := s.team([]string{anna, ben}, "1")
	team := suite.Must(s.before("End", func() { s.pay("2") }).Form(s.Context(), code, decided()))
	suite.Same(s, "how", []any{team.Cause, team.FormedBy, team.Actor}, []any{groupbuy.ByPayment, "2", ""})
	other := s.open("3", anna).Team
	s.join(other, "4", ben)
	s.pay("3")
	s.only(suite.Err(s.before("End", func() { s.pay("4") }).Fail(s.Context(), other, decided())), groupbuy.ErrTeamFormed)
	third := s.open("5", anna).Team
	s.pay("5")
	s.Advance(forming)
	s.Count("teams that this call ended", suite.Must(s.before("End", func() { s.sweep() }).Expire(s.Context())), 0)
	s.tells(third, hasFailed(), owes("5"))
}
