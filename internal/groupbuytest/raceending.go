package groupbuytest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// raceEndingCases have what ends teams, products and activities meet with everything else.
func raceEndingCases() []testCase {
	return []testCase{
		{Name: "RaceLastPayerAgainstTheDeadline", Run: raceDeadline},
		{Name: "RaceRefundByHandAgainstFailure", Run: raceRefundFail},
		{Name: "RaceRefundByHandAgainstTheDeadline", Run: raceRefundDeadline},
		{Name: "RaceRefundAgainstTheLastPayment", Run: raceRefundFormation},
		{Name: "RaceFormAgainstTheLastPayment", Run: raceFormPay},
		{Name: "RaceFormAgainstFail", Run: raceFormFail},
		{Name: "RaceMinimumAgainstARefund", Run: raceMinimum},
	}
}

// raceDeadline moves the clock to just before the deadline, or onto it, and lets the last payer meet the sweeper.
func raceDeadline(s *scene) {
	s.live()
	whole := s.with(groupbuy.Options{HoldFor: 2 * day})
	for round := range rounds {
		var codes [2]string
		for k := range codes {
			for i := range 3 {
				p := buy(numbered(round, fmt.Sprint(k, i)), fmt.Sprint(100+i))
				var seat groupbuy.Seat
				var err error
				if i == 0 {
					seat, err = p.Open(s.Context(), whole)
				} else {
					seat, err = p.Join(s.Context(), whole, codes[k])
				}
				s.No(err)
				codes[k] = seat.Team
			}
			s.pay(numbered(round, fmt.Sprint(k, 0)))
			s.pay(numbered(round, fmt.Sprint(k, 1)))
		}
		for k, state := range []groupbuy.TeamState{groupbuy.Formed, groupbuy.Failed} {
			if s.Advance(instant); k == 0 {
				s.Advance(forming - 2*instant)
			}
			last := numbered(round, fmt.Sprint(k, 2))
			s.Each(suite.Meet(6,
				func() error { return suite.Err(s.groups.Pay(s.Context(), last)) },
				func() error { return suite.Err(s.groups.Expire(s.Context())) }))
			s.is(codes[k], state)
			if state == groupbuy.Failed {
				s.seat(last, groupbuy.RefundDue)
				s.refundOwed(last)
			}
		}
		s.prolong()
	}
	s.pool(stock.Quantities{Total: 90, Sold: 3 * rounds, Refunded: 2 * rounds})
}

func raceRefundFail(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(6,
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Err(s.groups.Fail(s.Context(), code, decided())) }))
		s.is(code, groupbuy.Failed)
		s.refundOwed(numbered(round, 0))
		s.refundOwed(numbered(round, 1))
	}
	s.pool(stock.Quantities{Total: 90, Refunded: 2 * rounds})
}

func raceRefundDeadline(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 2, 2)
		s.Advance(forming)
		s.Each(suite.Meet(6,
			func() error { return suite.Err(s.groups.Expire(s.Context())) },
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 0)))) },
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) }))
		s.sweep()
		s.is(code, groupbuy.Failed)
		s.refundOwed(numbered(round, 0))
		s.refundOwed(numbered(round, 1))
		s.prolong()
	}
	s.pool(stock.Quantities{Total: 90, Refunded: 2 * rounds})
}

// prolong lets the activity run for a week from now on.
func (s *scene) prolong() { s.Helper(); s.define(s.activity()) }

// raceRefundFormation has a member leave while the last one pays.
func raceRefundFormation(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(2,
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) },
			func() error { return suite.Err(s.groups.Pay(s.Context(), numbered(round, 2))) }))
		s.seat(numbered(round, 1), groupbuy.RefundDue)
		t := suite.Must(s.groups.Team(s.Context(), code))
		if t.State == groupbuy.Formed { // and left after that
			s.tells(code, hasFormed(), owes(numbered(round, 1)))
			s.stands(groupbuy.Formed, numbered(round, 1))
			continue
		}
		s.tells(code, owes(numbered(round, 1)))
		s.stands(groupbuy.Failed, numbered(round, 1))
		s.fail(code)
	}
}

func raceFormPay(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Each(suite.Meet(4,
			func() error { return suite.Err(s.groups.Pay(s.Context(), numbered(round, 2))) },
			func() error { return suite.Err(s.groups.Form(s.Context(), code, decided())) }))
		t := s.is(code, groupbuy.Formed)
		last := suite.Must(s.groups.Seat(s.Context(), numbered(round, 2)))
		paid := t.Cause == groupbuy.ByPayment
		if paid != (last.State == groupbuy.Paid) || paid == (last.State == groupbuy.RefundDue) {
			s.Fatalf("the team is formed by %v, and the last seat is %+v", t.Cause, last)
		}
	}
}

func raceFormFail(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 3, 2)
		errs := suite.Meet(6,
			func() error { return suite.Err(s.groups.Form(s.Context(), code, decided())) },
			func() error { return suite.Err(s.groups.Fail(s.Context(), code, decided())) })
		s.Count("calls of the one that won", s.Succeeded(errs, groupbuy.ErrTeamFormed, groupbuy.ErrTeamFailed), 3)
	}
}

// raceMinimum has a member leave while the deadline counts whether there are enough.
func raceMinimum(s *scene) {
	terms := people(4)
	terms.MinPeople = 2
	s.opened(terms, 200)
	for round := range rounds {
		code := s.full(round, 2, 2)
		s.Advance(forming)
		s.Each(suite.Meet(4,
			func() error { return suite.Err(s.groups.Expire(s.Context())) },
			func() error { return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, 1)))) }))
		s.sweep()
		t := suite.Must(s.groups.Team(s.Context(), code))
		suite.Same(s, "is over", t.State != groupbuy.Forming, true)
		s.refundOwed(numbered(round, 1))
		s.prolong()
	}
}
