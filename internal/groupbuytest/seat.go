package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func seatCases() []testCase {
	return []testCase{
		{Name: "OpenMakesATeamWithItsFirstSeat", Run: openMakes},
		{Name: "OpenAgainReturnsTheSeat", Run: openAgain},
		{Name: "OpenWithOtherArgumentsIsAMismatch", Run: openOther},
		{Name: "OpenAfterCancelIsRefusedForEver", Run: openCancelled},
		{Name: "OpenAfterItsSeatHasExpired", Run: openExpired},
		{Name: "OpenIsRefusedInTheOrderOfPrecedence", Run: openRefused},
		{Name: "OpenARefusedOrderMayBeTriedAgain", Run: openRetried},
		{Name: "OpenObeysTheLimitsOfTheProduct", Run: openLimits},
		{Name: "SeatIsNeverHeldLongerThanItsTeamLives", Run: seatDeadline},
		{Name: "TeamLivesUntilTheActivityEndsAtTheLatest", Run: teamDeadline},
		{Name: "HeldSeatIsNotPaidAndIsNobodyElses", Run: heldSeat},
		{Name: "SeatThatExpiresGoesBackOnce", Run: expiredSeat},
		{Name: "SeatLivesStrictlyBeforeItsDeadline", Run: seatToTheMicrosecond},
	}
}

func openMakes(s *scene) {
	terms := people(3)
	terms.UnitsPerVolume, terms.MinPeople = 2, 2
	p := s.opened(terms, 90)
	purchase := buyVolume("1", anna, "1.5")
	s.Advance(time.Minute)
	now := s.now()
	seat := s.openAs(purchase)
	want := groupbuy.Seat{
		Order: "1", Team: seat.Team, Key: key(), Buyer: anna, Volume: dec("1.5"), Guest: purchase.Guest, Sponsor: true,
		State: groupbuy.Held, Places: 2, TakenAt: now, Deadline: now.Add(hold),
	}
	suite.Same(s, "seat", seat, want)
	suite.Same(s, "seat as it is read", s.seat("1", groupbuy.Held), want)
	if seat.Volume.Exponent() != -groupbuy.VolumePlaces {
		s.Fatalf("a volume of %v has the exponent %d", seat.Volume, seat.Volume.Exponent())
	}
	team := s.is(seat.Team, groupbuy.Forming)
	suite.Same(s, "team", team, groupbuy.Team{
		Code: seat.Team, Key: key(), Terms: p.Terms, Sponsor: anna, SponsorOrder: "1", Held: 1,
		PaidVolume: dec("0"), OpenedAt: now, Deadline: now.Add(forming), Version: team.Version,
	})
	s.pool(stock.Quantities{Total: 90, Locked: 3})
	suite.Same(s, "members", s.members(seat.Team), []groupbuy.Seat{want})
	s.tells(seat.Team)
	h := suite.Must(s.ordinary().Hold(s.Context(), "1"))
	s.SameTime("deadline of the hold", h.Deadline, seat.Deadline)
	suite.Same(s, "buyer of the hold", h.Buyer, anna)
}

func openAgain(s *scene) {
	s.live()
	seat := s.open("1", anna)
	again := func() {
		s.Helper()
		s.unchanged(func() {
			got := suite.Must(buy("1", anna).Open(s.Context(), s.groups))
			seat = suite.Must(s.groups.Seat(s.Context(), "1"))
			suite.Replays(s, "seat", got, seat)
		})
	}
	again()
	s.pay("1")
	again()
	s.form(seat.Team)
	again()
	s.otherTerms()
	again()
	_, err := s.groups.Remove(s.Context(), key()) // what is known is known, whatever else has changed
	s.No(err)
	again()
	s.refund("1")
	again()
	s.deliver()
	again()
	suite.Same(s, "state", seat.State, groupbuy.Refunded)
	s.sweep()
}

// otherTerms gives the product terms by which no purchase of a scene is in order.
func (s *scene) otherTerms() {
	s.Helper()
	p := product(people(4))
	p.UnitsPerVolume, p.Places, p.MembersOnly, p.PerOrder, p.Price, p.GroupPrice = 7, 0, true, 1, dec("9"), dec("8")
	s.No(suite.Err(s.groups.Revise(s.Context(), p)))
}

func openOther(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	s.open("other", ben)
	s.unchanged(func() {
		for name, change := range map[string]func(p *Basket){
			"buyer":  func(p *Basket) { p.Buyer = ben },
			"volume": func(p *Basket) { p.Volume = dec("2") },
		} {
			p := buy("1", anna)
			change(&p)
			_, err := p.Open(s.Context(), s.groups)
			if !suite.Matches(err, groupbuy.ErrMismatch) {
				s.Fatalf("Open with another %s: %v", name, err)
			}
		}
		s.unjoined(code, buy("other", ben), groupbuy.ErrMismatch) // which has opened another team
		err := suite.Err(buyVolume("1", anna, "2").Open(s.Context(), s.groups))
		suite.Same(s, "what differs", *suite.As[*groupbuy.MismatchError](s, err),
			groupbuy.MismatchError{ID: "1", Field: "volume", Recorded: "1", Asked: "2"})
	})
}

func openCancelled(s *scene) {
	s.live()
	closed := groupbuy.Seat{Order: "1", State: groupbuy.Cancelled}
	suite.Same(s, "seat", s.cancel("1"), closed)
	suite.Replays(s, "seat", s.cancel("1"), closed)
	s.unopened(buy("1", anna), groupbuy.ErrCancelled)
	s.unopened(buyVolume("1", ben, "2"), groupbuy.ErrCancelled)
	code := s.open("2", anna).Team
	s.unjoined(code, buy("1", ben), groupbuy.ErrCancelled)
	s.cancel("2")
	s.unopened(buy("2", anna), groupbuy.ErrCancelled)
	s.seatless("1")
	s.pool(stock.Quantities{Total: 90})
}

func openExpired(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "2")
	s.Advance(hold)
	s.unopened(buy("1", anna), groupbuy.ErrExpired) // with no sweeper
	s.sweep()
	seat, err := buy("1", anna).Open(s.Context(), s.groups)
	s.only(err, groupbuy.ErrExpired)
	suite.Same(s, "seat", seat, s.seat("1", groupbuy.Expired))
	s.join(code, "3", anna)
}

func openRefused(s *scene) {
	next := s.now().Add(hour)
	s.stocked(goods, 10)
	purchase := buyVolume("1", anna, "7")
	s.unopened(purchase, groupbuy.ErrUnknownActivity)
	a := s.activity()
	a.Hidden, a.Start, a.End = true, next, next.Add(hour)
	s.define(a)
	s.unopened(purchase, groupbuy.ErrUnknownProduct)
	terms := people(3)
	terms.MembersOnly = true
	p := product(terms)
	p.PerOrder = 6
	_, err := s.groups.Offer(s.Context(), p, 11) // which is not done
	s.only(err, stock.ErrInsufficient)
	s.unopened(purchase, groupbuy.ErrHidden)
	a.Hidden = false
	s.define(a)
	s.unopened(purchase, groupbuy.ErrNotStarted)
	s.Advance(hour)
	s.unopened(purchase, groupbuy.ErrPreparing)
	s.offer(p, 5)
	s.unopened(purchase, groupbuy.ErrMembersOnly)
	purchase.Member = true
	s.unopened(purchase, stock.ErrPerOrder)
	purchase.Volume = dec("6")
	s.unopened(purchase, stock.ErrInsufficient)
	s.No(suite.Err(s.groups.Remove(s.Context(), key())))
	s.unopened(purchase, groupbuy.ErrRemoved)
	s.Advance(hour)
	s.unopened(purchase, groupbuy.ErrEnded)
	s.Count("teams", len(s.teams()), 0)
	s.seatless("1")
}

func openRetried(s *scene) {
	s.opened(people(3), 2)
	p := buyVolume("1", anna, "3")
	s.unopened(p, stock.ErrInsufficient)
	s.No(suite.Err(s.groups.Restock(s.Context(), "more", key(), 1)))
	s.openAs(p)
	s.pool(stock.Quantities{Total: 3, Locked: 3})
	s.unopened(buy("2", ben), stock.ErrInsufficient)
	s.Advance(hold)
	s.open("2", ben) // what is missing is not missing because of the dead
	s.seat("1", groupbuy.Expired)
}

func openLimits(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	p := product(people(2))
	p.PerOrder, p.PerBuyer = 2, 3
	s.offer(p, 90)
	s.unopened(buyVolume("1", anna, "3"), stock.ErrPerOrder)
	s.openAs(buyVolume("1", anna, "2"))
	s.unopened(buyVolume("2", anna, "2"), stock.ErrPerBuyer)
	there := s.open("3", ben).Team
	s.unjoined(there, buyVolume("2", anna, "2"), stock.ErrPerBuyer) // over all teams of the product
	_, err := buyVolume("2", anna, "2").Join(s.Context(), s.groups, there)
	got := *suite.As[*stock.LimitError](s, err)
	suite.Same(s, "limit", got, stock.LimitError{Key: key(), Err: stock.ErrPerBuyer, Buyer: anna, Limit: 3, Has: 2, Wanted: 2})
	s.cancel("1")
	s.joinAs(there, buyVolume("2", anna, "2"))
	s.pay("2")
	s.openAs(buyVolume("4", anna, "1"))
	s.refund("2")
	s.unopened(buyVolume("5", anna, "1"), stock.ErrPerBuyer) // a refund does not free the buyer
	s.Advance(hold)
	frees := s.with(groupbuy.Options{RefundFreesBuyer: true})
	code := s.openAs(buyVolume("6", carol, "2")).Team
	s.pay("6")
	s.unopened(buyVolume("7", carol, "2"), stock.ErrPerBuyer)
	s.No(suite.Err(frees.Refund(s.Context(), byHand("6"))))
	s.is(code, groupbuy.Failed)
	s.openAs(buyVolume("7", carol, "2")) // unless an option says so
	s.sweep()
}

// seatDeadline takes seats for longer than their team has.
func seatDeadline(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	team := s.is(code, groupbuy.Forming)
	s.Advance(forming - time.Minute)
	s.SameTime("deadline", s.join(code, "2", ben).Deadline, team.Deadline)
	long := s.with(groupbuy.Options{HoldFor: 10 * day})
	s.SameTime("deadline", suite.Must(buy("3", carol).Join(s.Context(), long, code)).Deadline, team.Deadline)
	seat := suite.Must(buy("4", dan).Open(s.Context(), long))
	s.SameTime("deadline", seat.Deadline, s.is(seat.Team, groupbuy.Forming).Deadline)
	s.SameTime("deadline of the hold", suite.Must(s.ordinary().Hold(s.Context(), "4")).Deadline, seat.Deadline)
	s.Advance(time.Minute)
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.is(seat.Team, groupbuy.Forming)
}

func teamDeadline(s *scene) {
	s.live()
	end := s.activity().End
	s.Advance(runs - hour)
	seat := s.open("1", anna)
	s.SameTime("deadline", s.is(seat.Team, groupbuy.Forming).Deadline, end)
	s.Advance(hour - time.Minute)
	s.SameTime("deadline of a seat", s.join(seat.Team, "2", ben).Deadline, end)
	s.Advance(time.Minute - instant)
	code := s.open("3", carol).Team
	s.SameTime("deadline of the last", s.is(code, groupbuy.Forming).Deadline, end)
	s.Advance(instant)
	s.unjoined(code, buy("4", dan), groupbuy.ErrEnded)
	s.sweep()
	s.is(code, groupbuy.Failed)
	s.is(seat.Team, groupbuy.Failed)
	s.shelf(inStock)
}

func heldSeat(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.counts(code, 1, 2, "2")
	suite.Same(s, "seats that are open", func() int64 { t := s.is(code, groupbuy.Forming); return t.FreeSeats() }(), 0)
	s.unjoined(code, buy("4", dan), groupbuy.ErrFull)
	_, err := buy("4", dan).Join(s.Context(), s.groups, code)
	suite.Same(s, "error", *suite.As[*groupbuy.TeamError](s, err), groupbuy.TeamError{Team: code, Err: groupbuy.ErrFull})
	s.Advance(hold - instant)
	s.unjoined(code, buy("4", dan), groupbuy.ErrFull)
	s.Advance(instant)
	s.join(code, "4", dan) // with no sweeper
	s.seat("3", groupbuy.Expired)
	s.counts(code, 1, 2, "2")
	s.tells(code, released("3"))
	suite.Same(s, "formed", s.pay("4").Formed, true)
}

func expiredSeat(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.pool(stock.Quantities{Total: 90, Locked: 1, Sold: 1})
	s.Advance(hold)
	suite.Same(s, "seats that expired", s.sweep() > 0, true)
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	s.counts(code, 0, 1, "1")
	seat := s.seat("2", groupbuy.Expired)
	s.SameTime("ended", seat.EndedAt, s.now())
	suite.Same(s, "status", seat.Status, groupbuy.Failed)
	s.Advance(time.Minute)
	s.Count("seats that expire once more", s.sweep(), 0)
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	s.tells(code, released("2"))
	s.join(code, "3", carol)
	s.counts(code, 1, 1, "1")
}

func seatToTheMicrosecond(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	s.Advance(hold - instant)
	s.pay("1")
	s.Count("seats that expired", s.sweep(), 0)
	s.Advance(instant)
	s.late(s.groups, "2", groupbuy.ErrExpired)
	s.seat("3", groupbuy.Held) // nobody has looked
	s.sweep()
	s.seat("3", groupbuy.Expired)
	s.counts(code, 0, 1, "1")
}
