package groupbuytest

import (
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// pagingCases list more than the library reads at a time, and stop early.
func pagingCases() []testCase {
	return []testCase{
		{Name: "PagingActivities", Run: pageActivities},
		{Name: "PagingProductsAndTheShopWindow", Run: pageProducts},
		{Name: "PagingTeamsAndSeatsOfABuyer", Run: pageTeams},
		{Name: "PagingMembersAndEventsOfATeam", Run: pageMembers},
		{Name: "PagingRefundsAndWhatIsSetAside", Run: pageRefunds},
	}
}

// page is how much the library reads at a time.
const page = 200

// ordered ends the test unless a listing has so many things in order, from its beginning until wherever it stops.
func ordered[T any](s *scene, want int, listing func() iter.Seq2[T, error], before func(a, b T) bool) {
	s.Helper()
	all := suite.Listed(s, listing())
	s.Count("what is listed", len(all), want)
	for i := range all {
		if i > 0 && !before(all[i-1], all[i]) {
			s.Fatalf("number %d stands behind\n  %+v\n  %+v", i, all[i-1], all[i])
		}
	}
	for _, stop := range []int{1, page, page + 1} {
		n := 0
		for v, err := range listing() {
			s.No(err)
			suite.Same(s, "what is listed", v, all[n])
			if n++; n == stop {
				break
			}
		}
		s.Count("what is listed until it stops", n, min(stop, want))
	}
}

func pageActivities(s *scene) {
	suite.Pages(s, page, []int{1, page}, func(from, to int) {
		a := s.activity()
		s.Each(suite.Crowd(to-from, 8, func(i int) error {
			a := a
			a.ID = int64(from + i + 1)
			return suite.Err(s.groups.Define(s.Context(), a))
		}))
	}, func() iter.Seq2[groupbuy.Activity, error] {
		return s.groups.Activities(s.Context())
	}, func(n int, a groupbuy.Activity) {
		suite.Same(s, "activity", a.ID, int64(n+1))
	})
}

func pageProducts(s *scene) {
	s.define(s.activity())
	add := func(from, to int) {
		s.Each(suite.Crowd(to-from, 8, func(i int) error {
			p := product(people(2))
			p.SKU = int64(from + i + 1)
			if _, err := s.ordinary().Define(s.Context(), stock.Key{SKU: p.SKU}, 5, stock.Terms{}); err != nil {
				return err
			}
			return suite.Err(s.groups.Offer(s.Context(), p, 2))
		}))
	}
	suite.Pages(s, page, []int{1, page}, add, func() iter.Seq2[groupbuy.Product, error] {
		return s.groups.Products(s.Context(), fair)
	}, func(n int, p groupbuy.Product) {
		suite.Same(s, "product", p.SKU, int64(n+1))
	})
	ordered(s, page+1, func() iter.Seq2[groupbuy.ShelfItem, error] { return s.groups.Shelf(s.Context()) },
		func(a, b groupbuy.ShelfItem) bool { return a.SKU+1 == b.SKU && b.Available == 2 })
	s.Count("products that an audit looks at", suite.Must(s.groups.Audit(s.Context())).Products, page+1)
	s.end() // and all of them go back
	for _, p := range suite.Listed(s, s.groups.Products(s.Context(), fair)) {
		if p.State != groupbuy.Settled {
			s.Fatalf("%v is %v", p.Key, p.State)
		}
		suite.Same(s, "ordinary stock", s.item(stock.Key{SKU: p.SKU}).Left, 5)
	}
}

func pageTeams(s *scene) {
	s.live()
	for i := range page + 30 {
		s.open(fmt.Sprintf("%03d", i), anna)
		if i%3 > 0 { // some at one moment
			s.Advance(time.Second)
		}
		if i%89 == 88 {
			s.No(suite.Err(s.groups.Restock(s.Context(), fmt.Sprint("more ", i), key(), 90)))
		}
	}
	earlier := func(a, b groupbuy.Team) bool {
		return a.Deadline.Before(b.Deadline) || a.Deadline.Equal(b.Deadline) && a.Code < b.Code
	}
	ordered(s, page+30, func() iter.Seq2[groupbuy.Team, error] {
		return s.groups.Teams(s.Context(), groupbuy.TeamFilter{State: groupbuy.Forming})
	}, earlier)
	ordered(s, page+30, func() iter.Seq2[groupbuy.Team, error] { return s.groups.Joinable(s.Context(), key()) }, earlier)
	ordered(s, page+30, func() iter.Seq2[groupbuy.Seat, error] { return s.groups.For(anna).Seats(s.Context()) },
		func(a, b groupbuy.Seat) bool {
			return a.TakenAt.After(b.TakenAt) || a.TakenAt.Equal(b.TakenAt) && a.Order > b.Order
		})
	s.Count("teams that an audit looks at", suite.Must(s.groups.Audit(s.Context())).Teams, page+30)
}

func pageMembers(s *scene) {
	const many = page + 50
	s.opened(people(many), many)
	code := s.open("000", "1000").Team
	s.Each(suite.Crowd(many-1, 8, func(i int) error {
		return suite.Err(buy(fmt.Sprintf("%03d", i+1), fmt.Sprint(1001+i)).Join(s.Context(), s.groups, code))
	}))
	s.Each(suite.Crowd(many-1, 8, func(i int) error { return suite.Err(s.groups.Pay(s.Context(), fmt.Sprintf("%03d", i))) }))
	s.Advance(time.Second)
	p := s.pay(fmt.Sprintf("%03d", many-1))
	suite.Same(s, "formed", p.Formed, true)
	s.Count("members", len(p.Members), many)
	suite.Same(s, "the last to pay", p.Members[many-1].Order, fmt.Sprintf("%03d", many-1))
	ordered(s, many, func() iter.Seq2[groupbuy.Seat, error] { return s.groups.Members(s.Context(), code) },
		func(a, b groupbuy.Seat) bool { return a.Order < b.Order })
	suite.Same(s, "members that a handler is given", s.deliver()[0].Members, p.Members)
	for i := range many {
		s.refund(fmt.Sprintf("%03d", i))
	}
	s.Count("events", len(s.told(code)), many+1)
}

func pageRefunds(s *scene) {
	const many = page + 20
	s.opened(people(2), many)
	for i := range many {
		order := fmt.Sprintf("%03d", i)
		s.open(order, anna)
		s.pay(order)
		if i%2 == 0 {
			s.Advance(time.Second)
		}
	}
	s.Each(suite.Crowd(many, 8, func(i int) error { return suite.Err(s.groups.Refund(s.Context(), byHand(fmt.Sprintf("%03d", i)))) }))
	earlier := func(a, b groupbuy.Seat) bool {
		return a.Deadline.Before(b.Deadline) || a.Deadline.Equal(b.Deadline) && a.Order < b.Order
	}
	ordered(s, many, func() iter.Seq2[groupbuy.Seat, error] { return s.groups.Refunds(s.Context(), groupbuy.RefundDue) }, earlier)
	s.Count("events that are done", len(s.deliver()), 2*many)
	ordered(s, many, func() iter.Seq2[groupbuy.Seat, error] { return s.groups.Refunds(s.Context(), groupbuy.Refunded) }, earlier)
}
