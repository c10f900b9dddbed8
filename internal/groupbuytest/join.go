package groupbuytest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func joinCases() []testCase {
	return []testCase{
		{Name: "JoinTakesASeatInTheTeam", Run: joinTakes},
		{Name: "JoinAgainReturnsTheSeat", Run: joinAgain},
		{Name: "BuyerHasOneSeatInATeam", Run: oneSeat},
		{Name: "BuyerMayHaveSeatsInManyTeams", Run: manySeats},
		{Name: "BuyerWhoseSeatIsOverMayJoinAgain", Run: seatAgain},
		{Name: "DeadSeatKeepsItsBuyerFromNothing", Run: deadSeatAgain},
		{Name: "PoolThatIsSoldOutRefusesTheNext", Run: poolSoldOut},
		{Name: "FormedTeamsNeverOversellThePool", Run: poolNeverOversold},
		{Name: "TeamSaysWhyNobodyCanJoinIt", Run: teamRefuses},
		{Name: "TeamRefusalsHaveAnOrder", Run: teamRefusesInOrder},
		{Name: "JoinIsForMembersOnlyWhereTheTeamWasOpenedSo", Run: joinMembersOnly},
	}
}

func joinTakes(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	s.Advance(time.Minute)
	now := s.now()
	p := buyVolume("2", ben, "3")
	p.Guest = groupbuy.Guest{Name: "Ben", BalanceUsed: dec("3")}
	seat := s.joinAs(code, p)
	want := groupbuy.Seat{
		Order: "2", Team: code, Key: key(), Buyer: ben, Volume: dec("3"), Guest: p.Guest,
		State: groupbuy.Held, Places: 2, TakenAt: now, Deadline: now.Add(hold),
	}
	suite.Same(s, "seat", seat, want)
	suite.Same(s, "seat as it is read", s.seat("2", groupbuy.Held), want)
	team := s.is(code, groupbuy.Forming)
	suite.Same(s, "sponsor", team.Sponsor, anna)
	suite.Same(s, "seats that are open", team.FreeSeats(), 1)
	s.counts(code, 2, 0, "0")
	s.pool(stock.Quantities{Total: 90, Locked: 4})
	suite.Same(s, "members", orders(s.members(code)), []string{"1", "2"})
}

func joinAgain(s *scene) {
	s.live()
	code := s.team([]string{anna, ben})
	other := s.open("o", dan).Team
	again := func() {
		s.Helper()
		s.unchanged(func() {
			got := suite.Must(buy("2", ben).Join(s.Context(), s.groups, code))
			want := suite.Must(s.groups.Seat(s.Context(), "2"))
			suite.Replays(s, "seat", got, want)
			s.unjoined(code, buyVolume("2", ben, "2"), groupbuy.ErrMismatch)
			s.unjoined(code, buy("2", carol), groupbuy.ErrMismatch)
			s.unjoined(other, buy("2", ben), groupbuy.ErrMismatch)
		})
	}
	again()
	s.pay("2")
	again()
	s.join(code, "3", carol) // who makes it full
	again()
	s.pay("1")
	s.pay("3")
	again()
	s.refund("2")
	again()
	s.otherTerms()
	again()
	s.No(suite.Err(s.groups.End(s.Context(), fair)))
	again()
	s.Advance(forming)
	again()
	s.sweep()
}

func oneSeat(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "2")
	s.unchanged(func() {
		s.unjoined(code, buy("x", anna), groupbuy.ErrJoined) // who is the sponsor
		s.unjoined(code, buy("x", ben), groupbuy.ErrJoined)
		s.unjoined(code, buyVolume("x", ben, "5"), groupbuy.ErrJoined)
	})
	s.counts(code, 1, 1, "1")
	s.join(code, "x", carol)
}

func manySeats(s *scene) {
	s.live()
	first := s.open("1", anna).Team
	second := s.open("2", ben).Team
	third := s.open("3", anna).Team
	s.join(second, "4", anna)
	s.join(first, "5", ben)
	s.join(third, "6", ben)
	s.Count("seats", len(suite.Listed(s, s.groups.For(anna).Seats(s.Context()))), 3)
}

// seatAgain lets a buyer join again whose seat was cancelled, has expired, and was refunded.
func seatAgain(s *scene) {
	s.live()
	code := s.team([]string{anna}, "1")
	s.join(code, "cancelled", ben)
	s.cancel("cancelled")
	s.join(code, "expired", ben)
	s.Advance(hold)
	s.sweep()
	s.seat("expired", groupbuy.Expired)
	s.join(code, "refunded", ben)
	s.pay("refunded")
	s.refund("refunded")
	s.join(code, "paid", ben)
	s.pay("paid")
	s.unjoined(code, buy("again", ben), groupbuy.ErrJoined)
	s.counts(code, 0, 2, "2")
	suite.Same(s, "members", orders(s.members(code)), []string{"1", "cancelled", "expired", "paid", "refunded"})
	s.pool(stock.Quantities{Total: 90, Sold: 2, Refunded: 1})
	s.tells(code, released("expired"), owes("refunded"))
}

// deadSeatAgain does it with a seat that is dead and that nothing has swept up.
func deadSeatAgain(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold - instant)
	s.unjoined(code, buy("3", ben), groupbuy.ErrJoined)
	s.Advance(instant)
	s.join(code, "3", ben)
	s.seat("2", groupbuy.Expired)
	s.counts(code, 1, 1, "1")
	s.tells(code, released("2"))
	s.pool(stock.Quantities{Total: 90, Locked: 1, Sold: 1})
}

func poolSoldOut(s *scene) {
	s.opened(people(3), 2)
	code := s.team([]string{anna, ben}, "1", "2")
	s.unjoined(code, buy("3", carol), stock.ErrInsufficient)
	s.unopened(buy("3", carol), stock.ErrInsufficient)
	s.counts(code, 0, 2, "2")
	s.refund("2")
	s.join(code, "3", carol)
	s.pay("3")
	s.unjoined(code, buy("4", dan), stock.ErrInsufficient)
	s.Advance(forming)
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.pool(stock.Quantities{Total: 2, Refunded: 3})
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 3)
}

func poolNeverOversold(s *scene) {
	s.opened(people(2), 5)
	formed := int64(0)
	for i := range 10 {
		seat, err := buy(fmt.Sprint("a", i), fmt.Sprint(100+i)).Open(s.Context(), s.groups)
		if err != nil {
			s.only(err, stock.ErrInsufficient)
			continue
		}
		s.pay(seat.Order)
		if _, err = buy(fmt.Sprint("b", i), fmt.Sprint(200+i)).Join(s.Context(), s.groups, seat.Team); err != nil {
			s.only(err, stock.ErrInsufficient)
			continue
		}
		s.pay(fmt.Sprint("b", i))
		formed++
	}
	suite.Same(s, "teams that were formed", formed, 2)
	s.pool(stock.Quantities{Total: 5, Sold: 5})
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 4)
}

func teamRefuses(s *scene) {
	s.live()
	elsewhere := s.offerIn(8, 3, 10)
	code := s.open("1", anna).Team
	refused := func(code string, p Basket, why error) {
		s.Helper()
		s.unjoined(code, p, why)
		_, err := p.Join(s.Context(), s.groups, code)
		suite.Same(s, "error", *suite.As[*groupbuy.TeamError](s, err), groupbuy.TeamError{Team: code, Err: why})
		s.seatless(p.Order)
	}
	p := buy("2", ben)
	refused(sample, p, groupbuy.ErrUnknownTeam)
	refused(code, p.of(elsewhere.Key), groupbuy.ErrOtherProduct)
	s.pay("1")
	s.form(code)
	refused(code, p, groupbuy.ErrTeamFormed)
	failed := s.open("3", anna).Team
	s.fail(failed)
	refused(failed, p, groupbuy.ErrTeamFailed)
	full := s.open("4", anna).Team
	s.join(full, "5", carol)
	s.join(full, "6", dan)
	refused(full, p, groupbuy.ErrFull)
	for _, order := range []string{"4", "5", "6"} {
		s.pay(order)
	}
	refused(full, p, groupbuy.ErrTeamFormed)
	over := s.open("7", anna).Team
	s.Advance(forming)
	refused(over, p, groupbuy.ErrTeamOver) // with no sweeper
	s.sweep()
	refused(over, p, groupbuy.ErrTeamFailed)
	s.join(s.open("8", anna).Team, "2", ben) // a refused order may be tried again
	s.pool(stock.Quantities{Total: 90, Locked: 2, Sold: 4})
}

// teamRefusesInOrder has more than one reason at a time.
func teamRefusesInOrder(s *scene) {
	s.opened(people(2), 2)
	full := s.team([]string{anna, ben}, "1")
	s.unjoined(full, buy("x", ben), groupbuy.ErrJoined) // and full
	s.unjoined(full, buy("x", carol), groupbuy.ErrFull) // and sold out
	s.unjoined(sample, buy("x", carol), groupbuy.ErrUnknownTeam)
	s.Advance(hold)
	s.sweep()
	s.join(full, "3", carol)
	s.pay("3")
	s.unjoined(full, buy("x", carol), groupbuy.ErrTeamFormed) // and joined, and full
	s.No(suite.Err(s.groups.Remove(s.Context(), key())))
	s.unjoined(full, buy("x", carol), groupbuy.ErrRemoved) // before whatever the team says
	got, err := buy("3", carol).Join(s.Context(), s.groups, full)
	s.No(err) // but for who has the seat
	suite.Replays(s, "seat", got, s.seat("3", groupbuy.Paid))
}

func joinMembersOnly(s *scene) {
	terms := people(3)
	terms.MembersOnly = true
	s.opened(terms, 90)
	member := func(order string, buyer string) Basket {
		p := buy(order, buyer)
		p.Member = true
		return p
	}
	s.unopened(buy("1", anna), groupbuy.ErrMembersOnly)
	code := s.openAs(member("1", anna)).Team
	s.unjoined(code, buy("2", ben), groupbuy.ErrMembersOnly)
	s.joinAs(code, member("2", ben))
	s.No(suite.Err(s.groups.Revise(s.Context(), product(people(3)))))
	s.unjoined(code, buy("3", carol), groupbuy.ErrMembersOnly) // it was opened so
	s.open("4", dan)
}
