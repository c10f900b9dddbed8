package groupbuytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func readingCases() []testCase {
	return []testCase{
		{Name: "ReadingWhatIsNotThere", Run: readMissing},
		{Name: "JoinableListsTeamsThatHaveAPlace", Run: joinableLists},
		{Name: "TeamsAreListedByTheirDeadline", Run: teamsByDeadline},
		{Name: "SeatsOfABuyerTheNewestFirst", Run: seatsOfBuyer},
		{Name: "SeatsOfATeamByTheirOrders", Run: seatsOfTeam},
		{Name: "RefundsByTheirState", Run: refundsByState},
		{Name: "ListingsEndWithTheFirstError", Run: listingsEnd},
		{Name: "ResultsBelongToTheCaller", Run: resultsBelong},
	}
}

func readMissing(s *scene) {
	ctx := s.Context()
	s.only(suite.Err(s.groups.Activity(ctx, fair)), groupbuy.ErrUnknownActivity)
	s.only(suite.Err(s.groups.Product(ctx, key())), groupbuy.ErrUnknownActivity)
	s.only(suite.Err(suite.Gather(s.groups.Products(ctx, fair))), groupbuy.ErrUnknownActivity)
	s.only(suite.Err(suite.Gather(s.groups.Joinable(ctx, key()))), groupbuy.ErrUnknownActivity)
	s.only(suite.Err(s.groups.Team(ctx, sample)), groupbuy.ErrUnknownTeam)
	s.only(suite.Err(suite.Gather(s.groups.Members(ctx, sample))), groupbuy.ErrUnknownTeam)
	s.seatless("1")
	s.define(s.activity())
	s.only(suite.Err(s.groups.Product(ctx, key())), groupbuy.ErrUnknownProduct)
	s.only(suite.Err(suite.Gather(s.groups.Joinable(ctx, key()))), groupbuy.ErrUnknownProduct)
	s.only(suite.Err(s.groups.Audit(ctx, key())), groupbuy.ErrUnknownProduct)
	s.Count("products", len(suite.Listed(s, s.groups.Products(ctx, fair))), 0)
	s.Count("products in the shop window", len(suite.Listed(s, s.groups.Shelf(ctx))), 0)
	s.Count("teams", len(s.teams()), 0)
	s.Count("seats", len(suite.Listed(s, s.groups.For(anna).Seats(ctx))), 0)
	s.Count("refunds", len(suite.Listed(s, s.groups.Refunds(ctx, groupbuy.RefundDue))), 0)
	s.Count("events", len(s.deliver()), 0)
	s.Count("what expires", s.sweep(), 0)
	suite.Same(s, "report", suite.Must(s.groups.Audit(ctx)), groupbuy.Report{})
}

// codes returns the codes of teams.
func codes(teams []groupbuy.Team) []string {
	var got []string
	for _, t := range teams {
		got = append(got, t.Code)
	}
	return got
}

func joinableLists(s *scene) {
	s.live()
	lists := func(want ...string) {
		s.Helper()
		var found []groupbuy.Team
		for _, t := range suite.Listed(s, s.groups.Joinable(s.Context(), key())) {
			found = append(found, t)
			suite.Same(s, "team", t, s.is(t.Code, groupbuy.Forming))
		}
		suite.Same(s, "teams that can be joined", codes(found), want)
		filter := groupbuy.TeamFilter{Product: key(), Joinable: true}
		suite.Same(s, "teams that are listed so", suite.Listed(s, s.groups.Teams(s.Context(), filter)), found)
	}
	lists()
	first := s.open("1", anna).Team
	s.Advance(time.Minute)
	second := s.team2("2", ben, "3", carol)
	s.Advance(time.Minute)
	third := s.open("4", dan).Team
	lists(first, second, third)
	s.join(second, "5", anna)
	lists(first, third)
	s.cancel("5")
	lists(first, second, third)
	s.fail(third)
	lists(first, second)
	s.pay("1")
	s.pay("2")
	s.pay("3")
	s.form(second)
	lists(first)
	s.Advance(forming - 2*time.Minute - instant)
	lists(first)
	s.Advance(instant)
	lists() // with no sweeper
	last := s.open("6", anna).Team
	hidden, members := s.activity(), product(people(3))
	hidden.Hidden, members.MembersOnly = true, true
	s.define(hidden)
	s.No(suite.Err(s.groups.Revise(s.Context(), members)))
	lists(last) // somebody can join it
	s.remove()
	s.Count("teams that can be joined", len(suite.Listed(s, s.groups.Joinable(s.Context(), key()))), 0)
}

// team2 opens a team with a member.
func (s *scene) team2(sponsor, first, member, second string) string {
	s.Helper()
	code := s.open(sponsor, first).Team
	s.join(code, member, second)
	return code
}

func teamsByDeadline(s *scene) {
	s.live()
	var all []string
	for i := range 6 {
		all = append(all, s.open(string(rune('a'+i)), fmt.Sprint(100+i)).Team)
		s.Advance(time.Second)
	}
	same := []string{s.open("x", anna).Team, s.open("y", anna).Team, s.open("z", anna).Team}
	slices.Sort(same) // at one moment: by code
	s.pay("b")
	s.form(all[1])
	s.fail(all[3])
	s.cancel("f")
	listed := func(filter groupbuy.TeamFilter) []string {
		s.Helper()
		return codes(suite.Listed(s, s.groups.Teams(s.Context(), filter)))
	}
	for _, k := range []stock.Key{{}, key()} {
		suite.Same(s, "forming", listed(groupbuy.TeamFilter{Product: k}), append([]string{all[0], all[2], all[4]}, same...))
		suite.Same(s, "formed", listed(groupbuy.TeamFilter{Product: k, State: groupbuy.Formed}), []string{all[1]})
		suite.Same(s, "failed", listed(groupbuy.TeamFilter{Product: k, State: groupbuy.Failed}), []string{all[3], all[5]})
	}
	suite.Same(s, "of another", listed(groupbuy.TeamFilter{Product: stock.Key{SKU: 43, Activity: fair}}), nil)
}

func seatsOfBuyer(s *scene) {
	s.live()
	var want []string
	for i := range 5 {
		order := string(rune('e' - i))
		s.open(order, anna)
		want = append([]string{order}, want...)
		s.Advance(time.Second)
	}
	code := s.open("z", ben).Team
	s.join(code, "z anna", anna)
	s.open("A", anna) // at the same moment: by order number, the highest first
	want = append([]string{"z anna", "A"}, want...)
	s.cancel("c")
	s.pay("d")
	seats := suite.Listed(s, s.groups.For(anna).Seats(s.Context()))
	suite.Same(s, "orders", orders(seats), want)
	for _, seat := range seats {
		suite.Same(s, "seat", seat, s.seat(seat.Order, seat.State))
	}
	suite.Same(s, "orders of another", orders(suite.Listed(s, s.groups.For(ben).Seats(s.Context()))), []string{"z"})
}

func seatsOfTeam(s *scene) {
	s.opened(people(5), 90)
	code := s.open("m", anna).Team
	for i, order := range []string{"z", "B", "a", "\x00", "b"} {
		s.join(code, order, fmt.Sprint(100+i))
		if i == 2 {
			s.cancel("z")
		}
	}
	suite.Same(s, "orders", orders(s.members(code)), []string{"\x00", "B", "a", "b", "m", "z"})
}

func refundsByState(s *scene) {
	s.opened(people(5), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1", "2", "3", "4")
	s.Advance(time.Minute)
	later := s.open("0", anna).Team
	s.pay("0")
	s.fail(later)
	s.refund("3")
	s.refund("2")
	suite.Same(s, "refunds that are due", orders(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), []string{"2", "3", "0"})
	n := 0
	s.deliverTo(func(e groupbuy.Event) error {
		if n++; e.Order == "3" {
			return nil
		}
		return errFailing
	})
	suite.Same(s, "refunds that are due", orders(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), []string{"2", "0"})
	done := suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.Refunded))
	suite.Same(s, "refunds that are done", done, []groupbuy.Seat{s.seat("3", groupbuy.Refunded)})
	s.is(code, groupbuy.Forming)
}

// listingsEnd has a store that lists nothing any more.
func listingsEnd(s *scene) {
	s.live()
	s.open("1", anna)
	broken := s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnavailable, suite.Every)})
	for _, call := range calls(s.Context(), broken) {
		if err := call.Do(); !suite.Matches(err, groupbuy.ErrUnavailable, groupbuy.ErrUnknown) {
			s.Fatalf("%s of a store that is away: %v", call.Name, err)
		}
	}
	n := 0
	for _, err := range broken.Members(s.Context(), sample) {
		s.only(err, groupbuy.ErrUnavailable)
		n++
	}
	s.Count("errors of a listing", n, 1)
}

// resultsBelong scribbles over everything that was handed out.
func resultsBelong(s *scene) {
	s.opened(people(2), 90)
	code := s.team([]string{anna, ben}, "1", "2")
	s.unchanged(func() {
		p := s.pay("2")
		clear(p.Members)
		clear(suite.Listed(s, s.groups.Members(s.Context(), code)))
		seats := suite.Must(s.Store.Seats(s.Context(), groupbuy.SeatFilter{Team: code}, groupbuy.SeatCursor{}, 10))
		clear(seats)
		teams := suite.Must(s.Store.Teams(s.Context(), groupbuy.TeamFilter{State: groupbuy.Formed}, groupbuy.TeamCursor{}, 10))
		clear(teams)
		books := suite.Must(s.Store.Books(s.Context(), key(), "", 10))
		clear(books)
		rows := groupbuy.Transitions()
		rows[0].From[0] = groupbuy.Refunded
		clear(rows)
	})
	suite.Same(s, "first row of the table", groupbuy.Transitions()[0].From, []groupbuy.SeatState{groupbuy.NoSeat})
}
