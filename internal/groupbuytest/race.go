package groupbuytest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// raceCases have buyers meet.
func raceCases() []testCase {
	return []testCase{
		{Name: "TwoLastPaymentsAtOnceFormTheTeamOnce", Run: raceLastTwo},
		{Name: "AllPaymentsAtOnceFormTheTeamOnce", Run: raceAllPay},
		{Name: "FiftyBuyersForOneSeat", Run: raceOneSeat},
		{Name: "FiftyBuyersForASeatThatIsDead", Run: raceDeadSeat},
		{Name: "OneBuyerWithManyOrdersHasOneSeat", Run: raceOneBuyer},
		{Name: "OneOrderOfManyCallsIsOneSeat", Run: raceOneOrder},
		{Name: "OnePaymentManyTimesCountsOnce", Run: raceOnePayment},
		{Name: "PaymentsThatOvershootAtOnceFormTheTeamOnce", Run: raceVolume},
		{Name: "ManyTeamsForTheLastUnitsNeverOversell", Run: raceUnits},
		{Name: "RacePayAgainstCancel", Run: racePayCancel},
		{Name: "RaceOpenAgainstCancel", Run: raceOpenCancel},
		{Name: "RaceEverybodyLeavesAtOnce", Run: raceLeave},
		{Name: "RaceLatePaymentAgainstWhoJoins", Run: raceLate},
	}
}

// rounds is how often a race is run, each time with a team of its own.
const rounds = 12

// numbered returns the number of an order of a round.
func numbered(round int, n any) string { return fmt.Sprintf("%d/%v", round, n) }

// full opens a team with so many seats, pays the first of them, and returns its code.
func (s *scene) full(round, seats, paid int) string {
	s.Helper()
	code := s.open(numbered(round, 0), "100").Team
	for i := 1; i < seats; i++ {
		s.join(code, numbered(round, i), fmt.Sprint(100+i))
	}
	for i := range paid {
		s.pay(numbered(round, i))
	}
	return code
}

func raceLastTwo(s *scene) {
	s.live()
	repeat := int64(100)
	if testing.Short() {
		repeat = 20
	}
	s.No(suite.Err(s.groups.Restock(s.Context(), "more", key(), 3*repeat)))
	for n := range repeat {
		round := int(n)
		code := s.full(round, 3, 1)
		formed := make([]bool, 6)
		s.Each(suite.Together(len(formed), func(i int) error {
			p, err := s.groups.Pay(s.Context(), numbered(round, 1+i%2))
			formed[i] = p.Formed
			return err
		}))
		t := s.is(code, groupbuy.Formed)
		s.tells(code, hasFormed())
		for i := range formed {
			if formed[i] && numbered(round, 1+i%2) != t.FormedBy {
				s.Fatalf("%q says that it formed the team, which %q did", numbered(round, 1+i%2), t.FormedBy)
			}
		}
		suite.Same(s, "one says that it formed the team", slices.Contains(formed, true), true)
	}
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 3*repeat)
}

func raceAllPay(s *scene) {
	const size = 12
	s.opened(people(size), inStock/2)
	for round := range rounds {
		code := s.full(round, size, 0)
		paid := make([]groupbuy.Payment, size)
		s.Each(suite.Together(size, func(i int) (err error) {
			paid[i], err = s.groups.Pay(s.Context(), numbered(round, i))
			return err
		}))
		formed := 0
		for _, p := range paid {
			if p.Formed {
				formed++
				s.Count("members", len(p.Members), size)
			}
		}
		s.Count("payments that formed the team", formed, 1)
		s.counts(code, 0, size, strconv.Itoa(size))
	}
}

func raceOneSeat(s *scene) {
	const crowd = 50
	s.live()
	for round := range 6 {
		code := s.full(round, 2, 2)
		errs := suite.Together(crowd, func(i int) error {
			return suite.Err(buy(numbered(round, 10+i), fmt.Sprint(1000+i)).Join(s.Context(), s.groups, code))
		})
		s.Count("buyers who got the seat", s.Succeeded(errs, groupbuy.ErrFull), 1)
		s.counts(code, 1, 2, "2")
		for i, err := range errs {
			if err == nil {
				suite.Same(s, "formed", s.pay(numbered(round, 10+i)).Formed, true)
			} else {
				s.seatless(numbered(round, 10+i))
			}
		}
	}
	s.pool(stock.Quantities{Total: 90, Sold: 18})
}

func raceDeadSeat(s *scene) {
	const crowd = 50
	s.live()
	for round := range 6 {
		code := s.full(round, 3, 2)
		s.Advance(hold)
		errs := suite.Together(crowd, func(i int) error {
			if i%10 == 9 {
				_, err := s.groups.Expire(s.Context())
				return errors.Join(err, groupbuy.ErrFull) // it is no buyer
			}
			return suite.Err(buy(numbered(round, 10+i), fmt.Sprint(1000+i)).Join(s.Context(), s.groups, code))
		})
		s.Count("buyers who got the seat", s.Succeeded(errs, groupbuy.ErrFull), 1)
		s.counts(code, 1, 2, "2")
		s.tells(code, released(numbered(round, 2)))
	}
}

func raceOneBuyer(s *scene) {
	s.opened(people(40), 90)
	code := s.open("sponsor", anna).Team
	errs := suite.Together(30, func(i int) error { return suite.Err(buy(numbered(0, i), ben).Join(s.Context(), s.groups, code)) })
	s.Count("seats", s.Succeeded(errs, groupbuy.ErrJoined), 1)
	s.counts(code, 2, 0, "0")
	s.pool(stock.Quantities{Total: 90, Locked: 2})
}

func raceOneOrder(s *scene) {
	s.live()
	for round := range rounds {
		opened := make([]groupbuy.Seat, 8)
		s.Each(suite.Together(len(opened), func(i int) (err error) {
			opened[i], err = buy(numbered(round, 0), anna).Open(s.Context(), s.groups)
			return err
		}))
		joined := make([]groupbuy.Seat, 8)
		s.Each(suite.Together(len(joined), func(i int) (err error) {
			joined[i], err = buy(numbered(round, 1), ben).Join(s.Context(), s.groups, opened[0].Team)
			return err
		}))
		suite.Once(s, "seat of the sponsor", opened)
		suite.Once(s, "seat of the member", joined)
		s.counts(opened[0].Team, 2, 0, "0")
	}
	s.Count("teams", len(s.teams()), rounds)
}

func raceOnePayment(s *scene) {
	s.live()
	for round := range rounds {
		code := s.full(round, 2, 0)
		s.Each(suite.Together(10, func(int) error { return suite.Err(s.groups.Pay(s.Context(), numbered(round, 1))) }))
		s.counts(code, 1, 1, "1")
	}
	s.pool(stock.Quantities{Total: 90, Locked: rounds, Sold: rounds})
}

// raceVolume has payments meet of which two would be enough.
func raceVolume(s *scene) {
	s.opened(volume("1"), 5000)
	for round := range rounds {
		code := s.openAs(buyVolume(numbered(round, 0), "100", "0.5")).Team
		for i := 1; i < 4; i++ {
			s.joinAs(code, buyVolume(numbered(round, i), fmt.Sprint(100+i), "0.5"))
		}
		s.Each(suite.Together(4, func(i int) error { return suite.Err(s.groups.Pay(s.Context(), numbered(round, i))) }))
		s.is(code, groupbuy.Formed)
		s.counts(code, 0, 4, "2")
		joinedLater := 0
		for _, seat := range s.members(code) {
			if seat.Added {
				joinedLater++
			}
		}
		s.Count("members that were added", joinedLater, 2)
	}
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 4*rounds)
}

func raceUnits(s *scene) {
	const units = 25
	s.opened(people(2), units)
	var codes []string
	for i := range 10 {
		codes = append(codes, s.open(numbered(0, i), fmt.Sprint(100+i)).Team)
	}
	errs := suite.Crowd(60, 20, func(i int) error {
		if i%3 == 0 {
			return suite.Err(buy(numbered(1, i), fmt.Sprint(1000+i)).Open(s.Context(), s.groups))
		}
		return suite.Err(buy(numbered(1, i), fmt.Sprint(1000+i)).Join(s.Context(), s.groups, codes[i%10]))
	})
	s.Count("seats", s.Succeeded(errs, groupbuy.ErrFull, stock.ErrInsufficient), units-10)
	s.pool(stock.Quantities{Total: units, Locked: units})
}

func racePayCancel(s *scene) {
	s.live()
	repeat := int64(100)
	if testing.Short() {
		repeat = 20
	}
	s.No(suite.Err(s.groups.Restock(s.Context(), "more", key(), 3*repeat)))
	for n := range repeat {
		round := int(n)
		code := s.full(round, 3, 1)
		errs := suite.Meet(6,
			func() error { return suite.Err(s.groups.Pay(s.Context(), numbered(round, 1))) },
			func() error { return suite.Err(s.groups.Cancel(s.Context(), numbered(round, 1))) })
		s.Succeeded(errs, groupbuy.ErrPaid)
		seat := suite.Must(s.groups.Seat(s.Context(), numbered(round, 1)))
		switch seat.State {
		case groupbuy.Paid:
			s.counts(code, 1, 2, "2")
			s.tells(code)
		case groupbuy.RefundDue: // cancelled, and paid after that
			s.counts(code, 1, 1, "1")
			s.tells(code, owes(seat.Order))
		default:
			s.Fatalf("seat that was paid and cancelled is %v", seat.State)
		}
	}
}

func raceOpenCancel(s *scene) {
	s.live()
	for round := range rounds {
		errs := suite.Meet(6,
			func() error { return suite.Err(buy(numbered(round, 0), anna).Open(s.Context(), s.groups)) },
			func() error { return suite.Err(s.groups.Cancel(s.Context(), numbered(round, 0))) })
		s.Succeeded(errs, groupbuy.ErrCancelled)
		s.unopened(buy(numbered(round, 0), anna), groupbuy.ErrCancelled)
	}
	s.pool(stock.Quantities{Total: 90})
	s.Count("teams that are forming", len(suite.Listed(s, s.groups.Teams(s.Context(), groupbuy.TeamFilter{}))), 0)
}

func raceLeave(s *scene) {
	s.opened(people(8), inStock/2)
	for round := range rounds {
		code := s.full(round, 7, 4)
		s.Each(suite.Together(7, func(i int) error {
			if i < 4 {
				return suite.Err(s.groups.Refund(s.Context(), byHand(numbered(round, i))))
			}
			return suite.Err(s.groups.Cancel(s.Context(), numbered(round, i)))
		}))
		suite.Same(s, "cause", s.is(code, groupbuy.Failed).Cause, groupbuy.ByLeaving)
		s.counts(code, 0, 0, "0")
	}
	s.pool(stock.Quantities{Total: inStock / 2, Refunded: 4 * rounds})
}

// raceLate has who pays too late and who joins want the same place.
func raceLate(s *scene) {
	s.live()
	groups := s.reacquires()
	for round := range rounds {
		code := s.full(round, 3, 2)
		s.Advance(hold)
		errs := suite.Meet(6,
			func() error { return suite.Err(groups.Pay(s.Context(), numbered(round, 2))) },
			func() error { return suite.Err(buy(numbered(round, "new"), dan).Join(s.Context(), groups, code)) })
		s.Succeeded(errs, groupbuy.ErrFull, groupbuy.ErrTeamFormed)
		seat := suite.Must(s.groups.Seat(s.Context(), numbered(round, 2)))
		switch seat.State {
		case groupbuy.Paid:
			s.is(code, groupbuy.Formed)
			s.seatless(numbered(round, "new"))
		case groupbuy.RefundDue:
			s.counts(code, 1, 2, "2")
			s.seat(numbered(round, "new"), groupbuy.Held)
			s.refundOwed(seat.Order)
		default:
			s.Fatalf("seat that was paid late is %v", seat.State)
		}
		s.cancelIfHeld(numbered(round, "new"))
		if t, err := s.groups.Team(s.Context(), code); err == nil && t.State == groupbuy.Forming {
			s.fail(code)
		}
	}
}

// cancelIfHeld cancels a seat if there is one.
func (s *scene) cancelIfHeld(order string) {
	s.Helper()
	if seat, err := s.groups.Seat(s.Context(), order); err == nil && seat.State == groupbuy.Held {
		s.cancel(order)
	}
}
