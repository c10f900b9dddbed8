package saletest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// listCases are about the lists that screens show.
func listCases() []testCase {
	return []testCase{
		{Name: "ListsOfActivitiesByState", Run: activitiesByState},
		{Name: "ListsOfChangesSayWhoAndWhy", Run: changesByOperators},
		{Name: "ListsOfChangesLeaveOutWhatFailed", Run: changesThatFailed},
	}
}

func activitiesByState(s *scene) {
	for id := int64(1); id <= 9; id++ {
		a := s.activity()
		a.ID, a.Hidden = id, id == 1
		switch {
		case id == 2:
			a.End = s.now().Add(day)
		case id > 4:
			a.Start = s.now().Add(hour)
		}
		s.define(a)
		if id < 8 {
			s.approve(id)
		}
	}
	s.No(suite.Err(s.sales.End(s.Context(), 3)))
	s.No(suite.Err(s.sales.WithdrawSale(s.Context(), 7)))
	s.No(suite.Err(s.sales.WithdrawSale(s.Context(), 8)))
	list := func(state sale.State, want ...int64) {
		s.Helper()
		for _, limit := range []int{50, 2, 1} {
			var got []int64
			for _, a := range suite.Paged(s, limit, func(page stock.PageRequest) (stock.Page[sale.Activity], error) {
				return s.sales.ActivitiesPage(s.Context(), state, page)
			}) {
				got = append(got, a.ID)
				suite.Same(s, "state", a.State, state)
			}
			suite.Same(s, fmt.Sprintf("those that are %v in pages of %d", state, limit), got, want)
		}
	}
	list(sale.Draft, 9)
	list(sale.Approved, 5, 6)
	list(sale.Running, 1, 4, 2)
	list(sale.Ended, 3)
	list(sale.Withdrawn, 8, 7)
	s.Advance(runs)
	list(sale.Draft)
	list(sale.Approved)
	list(sale.Running, 2)
	list(sale.Ended, 9, 6, 5, 4, 3, 1)
	list(sale.Withdrawn, 8, 7)
	for _, state := range []sale.State{0, sale.Withdrawn + 1} {
		s.only(suite.Err(s.sales.ActivitiesPage(s.Context(), state, stock.PageRequest{})), sale.ErrInvalid)
	}
}

// changes returns the changes of a product, or of an activity, as a screen shows them.
func (s *scene) changes(k stock.Key) (lines []string) {
	s.Helper()
	for _, c := range suite.Paged(s, 3, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
		return s.sales.ChangesPage(s.Context(), k, page)
	}) {
		lines = append(lines, fmt.Sprintf("%v by %s: %s", c.Kind, c.Actor, c.Reason))
		suite.Same(s, "key of what was changed", c.Entries[0].Key, k)
	}
	return lines
}

// sameChanges ends the test unless the changes of a product, or of an activity, are these.
func (s *scene) sameChanges(k stock.Key, want []string) {
	s.Helper()
	suite.Same(s, "changes of "+k.String(), s.changes(k), want)
}

func changesByOperators(s *scene) {
	s.stocked(goods, inStock)
	ctx, whole := s.Context(), stock.Key{Activity: fair}
	by := func(reason string) *sale.Sales {
		s.Advance(time.Second)
		return s.sales.By("lin", reason)
	}
	s.No(suite.Err(by("spring").Define(ctx, s.activity())))
	s.No(suite.Err(by("the best tea").Offer(ctx, product(), units)))
	a := s.activity()
	a.Title, a.End = "Double twelve", a.End.Add(-2*time.Second)
	s.No(suite.Err(by("a better title").Define(ctx, a)))
	s.No(suite.Err(by("looks good").Approve(ctx, fair)))
	s.No(suite.Err(s.sales.By("eve", "looks good to me, too").Approve(ctx, fair)))
	s.No(suite.Err(by("more of it").Restock(ctx, "more", key(), 10)))
	s.No(suite.Err(by("too much of it").Withdraw(ctx, "less", key(), 1)))
	p := product()
	p.Price = dec("9.90")
	s.No(suite.Err(by("cheaper").Revise(ctx, p)))
	p.PerOrder = 2
	s.Advance(time.Second)
	s.No(suite.Err(s.sales.Revise(ctx, p))) // by nobody
	s.No(suite.Err(by("broken").Remove(ctx, key())))
	s.No(suite.Err(by("nothing is left").End(ctx, fair)))
	s.sameChanges(whole, []string{
		"end by lin: nothing is left", "approve by lin: looks good", "define by lin: a better title", "define by lin: spring",
	})
	s.sameChanges(key(), []string{
		"remove by lin: broken", "transfer by lin: broken", "define by lin: broken",
		"revise by lin: cheaper", "transfer by lin: too much of it", "transfer by lin: more of it", "define by lin: looks good",
		"define by lin: a better title", "transfer by lin: the best tea", "define by lin: the best tea",
	})
	a.ID = 8
	s.define(a)
	s.No(suite.Err(by("nobody wants it").WithdrawSale(ctx, 8)))
	s.sameChanges(stock.Key{Activity: 8}, []string{"withdraw sale by lin: nobody wants it"})
	s.Balanced()

	none := func(k stock.Key) error { return suite.Err(s.sales.ChangesPage(ctx, k, stock.PageRequest{})) }
	s.Is(none(stock.Key{SKU: 43, Activity: fair}), stock.ErrUnknownSKU)
	s.only(none(stock.Key{Activity: 9}), sale.ErrUnknownActivity)
	s.only(none(stock.Key{SKU: goods}), sale.ErrInvalid)
	s.only(none(stock.Key{SKU: -1, Activity: fair}), sale.ErrInvalid)
	s.only(suite.Err(s.sales.By("", "").End(ctx, fair)), sale.ErrInvalid)
}

// What fails, or changes nothing, is recorded by nobody.
func changesThatFailed(s *scene) {
	s.live()
	was := s.changes(key())
	by, ctx := s.sales.By("lin", "in vain"), s.Context()
	s.No(suite.Err(by.Define(ctx, suite.Must(s.sales.Activity(ctx, fair)))))
	s.No(suite.Err(by.Approve(ctx, fair)))
	s.No(suite.Err(by.Offer(ctx, product(), units)))
	s.No(suite.Err(by.Revise(ctx, product())))
	s.only(suite.Err(by.Restock(ctx, "too much", key(), inStock)), stock.ErrInsufficient)
	s.only(suite.Err(by.Withdraw(ctx, "too much", key(), inStock)), stock.ErrInsufficient)
	s.only(suite.Err(by.End(ctx, 8)), sale.ErrUnknownActivity)
	s.sameChanges(key(), was)
	s.sameChanges(stock.Key{Activity: fair}, nil)
}
