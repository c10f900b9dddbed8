package saletest

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

func inputCases() []testCase {
	return []testCase{{Name: "BadInputIsRefusedBeforeAnything", Run: badInput}}
}

func badInput(s *scene) {
	s.live()
	ctx := s.Context()
	a, p := s.activity(), product()
	define := func(change func(*sale.Activity)) error {
		bad := a
		change(&bad)
		return suite.Err(s.sales.Define(ctx, bad))
	}
	offer := func(change func(*sale.Product)) error {
		bad := p
		bad.SKU = 43
		change(&bad)
		return suite.Err(s.sales.Offer(ctx, bad, 1))
	}
	s.unchanged(func() {
		for name, err := range map[string]error{
			"ID":         define(func(a *sale.Activity) { a.ID = 0 }),
			"title":      define(func(a *sale.Activity) { a.Title = strings.Repeat("x", sale.MaxText+1) }),
			"note":       define(func(a *sale.Activity) { a.Note = strings.Repeat("x", sale.MaxNote+1) }),
			"label":      define(func(a *sale.Activity) { a.Label = strings.Repeat("x", sale.MaxLabel+1) }),
			"end":        define(func(a *sale.Activity) { a.End = time.Time{} }),
			"window":     define(func(a *sale.Activity) { a.Start = a.End }),
			"places":     define(func(a *sale.Activity) { a.Places = sale.MaxPlaces + 1 }),
			"SKU":        offer(func(p *sale.Product) { p.SKU = 0 }),
			"pool":       offer(func(p *sale.Product) { p.Activity = 0 }),
			"price":      offer(func(p *sale.Product) { p.Price = dec("-1") }),
			"cents":      offer(func(p *sale.Product) { p.Price = dec("1.001") }),
			"list price": offer(func(p *sale.Product) { p.ListPrice = dec("1") }),
			"limit":      offer(func(p *sale.Product) { p.PerBuyer = -1 }),
			"units":      suite.Err(s.sales.Offer(ctx, p, 0)),
			"approve":    suite.Err(s.sales.Approve(ctx, 0)),
			"end of 0":   suite.Err(s.sales.End(ctx, 0)),
			"withdraw":   suite.Err(s.sales.WithdrawSale(ctx, -1)),
			"remove":     suite.Err(s.sales.Remove(ctx, stock.Key{SKU: 1})),
			"restock":    suite.Err(s.sales.Restock(ctx, "", key(), 1)),
			"no lines":   suite.Err(s.sales.Quote(ctx)),
			"ordinary":   suite.Err(s.sales.Quote(ctx, stock.Line{SKU: goods, Num: 1})),
			"order":      suite.Err(s.sales.PriceOf(ctx, "")),
			"shelf":      suite.Err(suite.Gather(s.sales.Shelf(ctx, sale.ShelfQuery{State: sale.Draft}))),
			"best":       suite.Err(s.sales.Best(ctx, 0)),
			"buyer":      suite.Err(s.sales.For("").Quote(ctx, of(key(), 1))),
			"options":    suite.Err(sale.New(s.Store, &sale.Options{NearlyGone: 101}).Expire(ctx)),
			"no store":   suite.Err(sale.New(nil, nil).Expire(ctx)),
			"zero":       suite.Err(new(sale.Sales).Expire(ctx)),
			"context":    suite.Err(s.sales.Expire(context.Context(nil))), //nolint:staticcheck // which is bad
		} {
			s.Invalid(name, err)
		}
	})
}

func activityCases() []testCase {
	return []testCase{
		{Name: "ActivityIsKeptAsItWasDefined", Run: activityKept},
		{Name: "ActivityGoesFromDraftToItsEnd", Run: activityStates},
		{Name: "ActivityThatIsNotApprovedSellsNothing", Run: activityDraft},
		{Name: "ActivityItsPoolsFollowItsTimes", Run: activityTimes},
		{Name: "ActivityThatIsOverStaysAsItIs", Run: activityOver},
		{Name: "ActivityIsWithdrawnByAnOperator", Run: activityWithdrawn},
	}
}

func activityKept(s *scene) {
	now := s.now()
	a := s.activity()
	a.Note, a.Hidden, a.Start, a.Sort = "one each", true, now.Add(hour), -5
	a.End = a.End.Add(999)
	got := s.define(a)
	want := a
	want.End, want.State, want.CreatedAt, want.UpdatedAt, want.Version = now.Add(runs), sale.Draft, now, now, got.Version
	suite.Same(s, "activity", got, want)
	suite.Same(s, "activity as it is read", suite.Must(s.sales.Activity(s.Context(), fair)), want)
	suite.Same(s, "activities", suite.Listed(s, s.sales.Activities(s.Context())), []sale.Activity{want})
	s.Advance(time.Minute)
	a.EndedAt, a.ApprovedAt, a.Version = now, now, 77 // what the store keeps is not what a caller says
	suite.Same(s, "activity that is defined again", s.define(a), want)
	a.Title = "Another"
	got = s.define(a)
	want.Title, want.UpdatedAt, want.Version = a.Title, s.now(), got.Version
	suite.Same(s, "activity that is changed", got, want)
	a.Places = 3
	s.only(suite.Err(s.sales.Define(s.Context(), a)), sale.ErrMismatch)
	_, err := s.sales.Activity(s.Context(), 8)
	s.only(err, sale.ErrUnknownActivity)
}

func activityStates(s *scene) {
	a := s.activity()
	a.Start = s.now().Add(hour)
	s.define(a)
	s.only(suite.Err(s.sales.Approve(s.Context(), 8)), sale.ErrUnknownActivity)
	s.Advance(time.Minute)
	got := s.approve(fair)
	suite.Same(s, "state", got.State, sale.Approved)
	s.SameTime("approved", got.ApprovedAt, s.now())
	suite.Same(s, "replay", got.Replay, false)
	s.Advance(time.Minute)
	s.unchanged(func() { suite.Replays(s, "activity", s.approve(fair), got) })
	s.Advance(hour - 2*time.Minute - instant)
	s.is(sale.Approved)
	s.Advance(instant)
	s.is(sale.Running)
	s.Advance(hour - instant)
	s.is(sale.Running)
	s.Advance(instant)
	s.is(sale.Ended) // with no sweeper
	s.Count("what expires", s.expire(), 1)
	s.SameTime("ended", s.is(sale.Ended).EndedAt, s.now())
	suite.Same(s, "replay", s.approve(fair).Replay, true)
}

func activityDraft(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.offer(product(), units)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "early", of(key(), 1))), stock.ErrOffShelf)
	s.approve(fair)
	s.lock("1", 1)
	s.define(s.activity()) // which keeps the approval
	s.lock("2", 1)
	other := s.activity()
	other.ID = 8
	s.define(other)
	s.Advance(runs)
	s.only(suite.Err(s.sales.Approve(s.Context(), 8)), sale.ErrEnded)
	s.expire()
	s.ordinary(inStock)
	s.pool(stock.Quantities{})
}

func activityTimes(s *scene) {
	s.live()
	a := s.activity()
	a.Start, a.End = s.now().Add(hour), s.now().Add(3*hour)
	s.define(a)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "1", of(key(), 1))), stock.ErrNotStarted)
	s.Advance(hour)
	s.lock("1", 1)
	s.Advance(2*hour - instant)
	s.lock("2", 1)
	s.Advance(instant)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "3", of(key(), 1))), stock.ErrEnded)
}

func activityOver(s *scene) {
	s.live()
	was := s.activity()
	s.Advance(runs)
	s.expire()
	s.unchanged(func() {
		suite.Same(s, "state", s.define(was).State, sale.Ended)
		was.Title = "Another"
		s.only(suite.Err(s.sales.Define(s.Context(), was)), sale.ErrEnded)
		p := product()
		p.SKU = 43
		s.only(suite.Err(s.sales.Offer(s.Context(), p, 1)), sale.ErrEnded)
		s.only(suite.Err(s.sales.WithdrawSale(s.Context(), fair)), sale.ErrEnded)
	})
}

func activityWithdrawn(s *scene) {
	s.live()
	s.lock("1", 2)
	s.Advance(time.Minute)
	got := suite.Must(s.sales.WithdrawSale(s.Context(), fair))
	s.SameTime("withdrawn", got.WithdrawnAt, s.now())
	suite.Same(s, "state", got.State, sale.Withdrawn)
	s.ordinary(inStock - 2)
	s.Is(suite.Err(s.shop.Lock(s.Context(), "2", of(key(), 1))), stock.ErrOffShelf)
	s.pay("1") // which is held still
	s.expire()
	s.unchanged(func() {
		suite.Replays(s, "activity", suite.Must(s.sales.WithdrawSale(s.Context(), fair)), got)
		suite.Replays(s, "activity", suite.Must(s.sales.End(s.Context(), fair)), got)
		changed := s.activity()
		changed.Title = "Another"
		s.only(suite.Err(s.sales.Define(s.Context(), changed)), sale.ErrWithdrawn)
		p := product()
		p.SKU = 43
		s.only(suite.Err(s.sales.Offer(s.Context(), p, 1)), sale.ErrWithdrawn)
	})
	s.Advance(runs)
	s.expire()
	s.is(sale.Withdrawn)
	s.stands(sale.Settled)
}
