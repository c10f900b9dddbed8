package groupbuytest

import (
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardCases ask the store itself: for what groups meet only in a race, or never.
func guardCases() []testCase {
	return []testCase{
		{Name: "StoreSaveActivityAsTheNextVersion", Run: guardActivity},
		{Name: "StoreSaveProductAsTheNextVersion", Run: guardProduct},
		{Name: "StoreEndOfTheRightVersionOnly", Run: guardEnd},
		{Name: "StoreEndOfSeveralTeams", Run: guardEnds},
		{Name: "StoreLateSeatsAndTeams", Run: guardLists},
		{Name: "StoreUnfinished", Run: guardUnfinished},
		{Name: "StoreCorrectOfTheRightVersionOnly", Run: guardCorrect},
	}
}

func guardActivity(s *scene) {
	now := s.now()
	a := s.activity()
	s.answers(stock.Done)(s.Store.SaveActivity(s.Context(), a, false, stock.Change{}))
	s.answers(stock.Exists)(s.Store.SaveActivity(s.Context(), a, false, stock.Change{}))
	kept, _, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	want := a
	want.Version, want.CreatedAt, want.UpdatedAt = kept.Version, now, now
	suite.Same(s, "activity", kept, want)
	s.Advance(time.Minute)
	next := kept
	next.Title = "Next"
	s.answers(stock.Done)(s.Store.SaveActivity(s.Context(), next, false, stock.Change{}))
	s.answers(stock.Refused)(s.Store.SaveActivity(s.Context(), kept, false, stock.Change{})) // it has another version by now
	read, _, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	suite.Same(s, "activity", []any{read.Title, read.EndedAt, read.Version > kept.Version}, []any{"Next", time.Time{}, true})
	s.SameTime("updated", read.UpdatedAt, s.now())
	s.SameTime("created", read.CreatedAt, now)
	s.answers(stock.Done)(s.Store.SaveActivity(s.Context(), read, true, stock.Change{}))
	read, clock, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	s.SameTime("ended", read.EndedAt, clock)
	s.Advance(time.Minute)
	s.answers(stock.Done)(s.Store.SaveActivity(s.Context(), read, true, stock.Change{}))
	again, _, err := s.Store.Activity(s.Context(), fair)
	s.No(err)
	s.SameTime("ended", again.EndedAt, read.EndedAt)
	next.ID = 9
	s.answers(stock.Refused)(s.Store.SaveActivity(s.Context(), next, false, stock.Change{})) // there is none
	none, _, err := s.Store.Activity(s.Context(), 9)
	s.No(err)
	suite.Same(s, "version of what is not there", none.Version, 0)
}

func guardProduct(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	p := s.shown(groupbuy.Offered)
	fresh := p
	fresh.Version = 0
	s.answers(stock.Exists)(s.Store.SaveProduct(s.Context(), fresh, stock.Change{}))
	s.Advance(time.Minute)
	next := p
	next.Name, next.Formed = "Next", 77
	s.answers(stock.Done)(s.Store.SaveProduct(s.Context(), next, stock.Change{}))
	s.answers(stock.Refused)(s.Store.SaveProduct(s.Context(), next, stock.Change{}))
	read := s.shown(groupbuy.Offered)
	suite.Same(s, "product", []any{read.Name, read.Formed, read.Version > p.Version}, []any{"Next", int64(2), true})
	s.SameTime("created", read.CreatedAt, p.CreatedAt)
	s.SameTime("updated", read.UpdatedAt, s.now())
	s.open("3", carol)
	s.pay("3")
	s.form(s.code("3")) // which is no change of the product
	s.answers(stock.Done)(s.Store.SaveProduct(s.Context(), read, stock.Change{}))
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 3)
	next.SKU = 43
	s.answers(stock.Refused)(s.Store.SaveProduct(s.Context(), next, stock.Change{}))
}

func guardEnd(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	s.Advance(hold - time.Minute)
	s.join(code, "2", ben)
	s.join(code, "3", carol)
	s.pay("2")
	t := s.is(code, groupbuy.Forming)
	end := func(code string, version int64, want stock.Verdict) {
		s.Helper()
		verdicts := suite.Must(s.Store.End(s.Context(), []groupbuy.TeamEnd{{
			Code: code, Version: version, To: groupbuy.Failed, Cause: groupbuy.ByOperator, Actor: "a", Reason: "r",
		}}))
		suite.Same(s, "verdicts", verdicts, []stock.Verdict{want})
	}
	s.unchanged(func() {
		end(code, t.Version-1, stock.Refused)
		end(code, t.Version+1, stock.Refused)
		end(sample, 1, stock.Refused)
	})
	s.Advance(time.Minute)
	end(code, t.Version, stock.Done)
	t = s.is(code, groupbuy.Failed)
	s.SameTime("ended", t.EndedAt, s.now())
	s.unchanged(func() { end(code, t.Version, stock.Refused) })
	s.seat("1", groupbuy.Expired)
	s.seat("2", groupbuy.RefundDue)
	s.seat("3", groupbuy.Cancelled)
	s.tells(code, hasFailed(), owes("2"), released("1"), released("3"))
	refund := suite.Must(s.Store.Units().RefundRecord(s.Context(), groupbuy.RefundID("2")))
	suite.Same(s, "refund", []bool{refund.Whole, refund.Restock, refund.Frees}, []bool{true, true, false})
	s.pool(stock.Quantities{Total: 90, Refunded: 1})
}

func guardEnds(s *scene) {
	s.opened(people(3), 500)
	var endings []groupbuy.TeamEnd
	for i := range 40 {
		order := strconv.Itoa(i)
		seat := s.open(order, anna)
		s.pay(order)
		to := []groupbuy.TeamState{groupbuy.Formed, groupbuy.Failed}[i%2]
		e := groupbuy.TeamEnd{
			Code: seat.Team, Version: s.is(seat.Team, groupbuy.Forming).Version, To: to, Cause: groupbuy.ByOperator, Actor: "a", Reason: "r",
		}
		if i%10 == 9 {
			e.Version++
		}
		endings = append(endings, e)
	}
	verdicts := suite.Must(s.Store.End(s.Context(), endings))
	s.Count("verdicts", len(verdicts), len(endings))
	for i, v := range verdicts {
		want, state := stock.Done, endings[i].To
		if i%10 == 9 {
			want, state = stock.Refused, groupbuy.Forming
		}
		suite.Same(s, "verdict", v, want)
		s.is(endings[i].Code, state)
	}
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 20)
	s.pool(stock.Quantities{Total: 500, Sold: 24, Refunded: 16})
	none := suite.Must(s.Store.End(s.Context(), nil))
	s.Count("verdicts of nothing", len(none), 0)
}

func guardLists(s *scene) {
	s.live()
	first := s.team([]string{anna, ben, carol}, "1")
	s.Advance(time.Minute)
	second := s.open("4", dan).Team
	seats := func(team string, limit, want int) {
		s.Helper()
		late := suite.Must(s.Store.LateSeats(s.Context(), team, limit))
		s.Count("seats that are late", len(late), want)
	}
	s.Advance(hold - time.Minute - instant)
	seats("", 10, 0)
	s.Advance(instant)
	seats("", 10, 2)
	seats("", 1, 1)
	seats(first, 10, 2)
	seats(first, 1, 1)
	seats(second, 10, 0)
	seats(sample, 10, 0)
	s.Advance(time.Minute)
	seats("", 10, 3)
	seats(second, 10, 1)
	s.open("5", ben)
	s.pay("5")
	s.Advance(forming - hold - time.Minute - instant)
	teams := func(limit int, want ...string) {
		s.Helper()
		late := suite.Must(s.Store.LateTeams(s.Context(), limit))
		suite.Same(s, "teams that are late", codes(late), want)
		for _, t := range late {
			suite.Same(s, "team", t, s.is(t.Code, groupbuy.Forming))
		}
	}
	teams(10)
	s.Advance(instant)
	teams(10, first)
	s.Advance(time.Minute)
	teams(10, first, second)
	teams(1, first)
	s.sweep()
	teams(10)
	seats("", 10, 0)
}

func guardUnfinished(s *scene) {
	s.opened(volume("1"), 500)
	is := func(want bool) {
		s.Helper()
		suite.Same(s, "unfinished", suite.Must(s.Store.Unfinished(s.Context(), key())), want)
	}
	is(false)
	code := s.openAs(buyVolume("1", anna, "1")).Team
	is(true)
	s.joinAs(code, buyVolume("2", ben, "1"))
	s.pay("1")
	s.is(code, groupbuy.Formed)
	is(true) // a seat is held
	s.pay("2")
	is(false)
	s.openAs(buyVolume("3", anna, "0.5"))
	s.pay("3")
	is(true)
	s.fail(s.code("3"))
	is(false)
	suite.Same(s, "unfinished", suite.Must(s.Store.Unfinished(s.Context(), stock.Key{SKU: 43, Activity: fair})), false)
}

func guardCorrect(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	book := s.books()[0]
	suite.Same(s, "book", []any{book.Code, book.Recount.Held, book.Recount.Paid}, []any{code, int64(1), int64(1)})
	s.sameAmount("volume", book.Recount.PaidVolume, "1")
	s.Count("seats that are astray", len(book.Mismatched), 0)
	s.pay("2")
	s.unchanged(func() { s.answers(stock.Refused)(s.Store.Correct(s.Context(), book)) })
	book = s.books()[0]
	s.answers(stock.Done)(s.Store.Correct(s.Context(), book))
	suite.Same(s, "version", s.is(code, groupbuy.Forming).Version, book.Version+1)
	formed := suite.Must(s.Store.FormedPeople(s.Context(), key()))
	suite.Same(s, "people", formed, groupbuy.FormedBook{Key: key(), Version: s.shown(groupbuy.Offered).Version})
	formed.Recount = -1
	s.unchanged(func() { s.Is(suite.Err(s.Store.CorrectFormed(s.Context(), formed, stock.Change{})), groupbuy.ErrDrift) })
	none := suite.Must(s.Store.FormedPeople(s.Context(), stock.Key{SKU: 43, Activity: fair}))
	suite.Same(s, "people of no product", none, groupbuy.FormedBook{Key: stock.Key{SKU: 43, Activity: fair}})
	none.Recount = 1
	s.unchanged(func() { s.answers(stock.Refused)(s.Store.CorrectFormed(s.Context(), none, stock.Change{})) })
}
