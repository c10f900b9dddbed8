package groupbuytest

import (
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenCases have something else happen between two statements of one call: the races that a crowd meets by luck,
// each of them for sure.
func betweenCases() []testCase {
	return []testCase{
		{Name: "TheProductIsRemovedBeforeItsUnitsAreLocked", Run: removedBeforeLock},
		{Name: "TheActivityEndsBeforeItsUnitsAreLocked", Run: endsBeforeLock},
		{Name: "TheTeamEndsBeforeItIsJoined", Run: endedBeforeJoin},
		{Name: "TheTeamFillsBeforeItIsJoined", Run: fullBeforeJoin},
		{Name: "TheSameSeatIsTakenTwice", Run: takenTwice},
		{Name: "TheSeatDiesBeforeItIsPaid", Run: diesBeforePay},
		{Name: "TheTeamEndsBeforeItsSeatIsPaid", Run: endedBeforePay},
		{Name: "TheSameLatePaymentIsMadeTwice", Run: lateTwice},
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

func removedBeforeLock(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	s.Is(suite.Err(buy("2", ben).Open(s.Context(), s.before("Units.Lock", func() { s.remove() }))), groupbuy.ErrRemoved)
	s.unjoined(code, buy("2", ben), groupbuy.ErrRemoved)
	s.seatless("2")
	s.shelf(inStock - 1)
}

func endsBeforeLock(s *scene) {
	s.live()
	s.Advance(runs - instant)
	code := s.open("1", anna).Team
	s.Is(suite.Err(buy("2", ben).Open(s.Context(), s.before("Units.Lock", func() { s.Advance(instant) }))), groupbuy.ErrEnded)
	s.seatless("2")
	s.unjoined(code, buy("3", carol), groupbuy.ErrEnded)
}

func endedBeforeJoin(s *scene) {
	s.live()
	for order, c := range map[string]struct {
		ends func(code string)
		why  error
	}{
		"form": {func(code string) { s.form(code) }, groupbuy.ErrTeamFormed},
		"fail": {func(code string) { s.fail(code) }, groupbuy.ErrTeamFailed},
		"over": {func(string) { s.Advance(forming) }, groupbuy.ErrTeamOver},
	} {
		code := s.open(order, anna).Team
		s.pay(order)
		s.Is(suite.Err(buy(order+" 2", ben).Join(s.Context(), s.before("Units.Lock", func() { c.ends(code) }), code)), c.why)
		s.seatless(order + " 2")
	}
	s.sweep()
}

func fullBeforeJoin(s *scene) {
	s.opened(people(2), 90)
	code := s.open("1", anna).Team
	s.only(suite.Err(buy("3", carol).Join(s.Context(), s.before("Units.Lock", func() { s.join(code, "2", ben) }), code)), groupbuy.ErrFull)
	s.cancel("2")
	_, err := buy("5", carol).Join(s.Context(), s.before("Units.Lock", func() { s.join(code, "4", carol) }), code)
	s.only(err, groupbuy.ErrJoined)
	s.pool(stock.Quantities{Total: 90, Locked: 2})
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
