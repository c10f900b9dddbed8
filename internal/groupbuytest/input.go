package groupbuytest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Bad input is refused before any I/O, whatever the store: the tests of package groupbuy have it.
func inputCases() []testCase {
	return []testCase{
		{Name: "TermsAtTheirEdgesAreOffered", Run: edges},
		{Name: "AContextThatEndedChangesNothing", Run: contextThatEnded},
	}
}

func edges(s *scene) {
	s.define(s.activity())
	for sku, terms := range []groupbuy.Terms{people(2), people(groupbuy.MaxPeople), volume("0.01"), volume("1000000")} {
		p := product(terms)
		p.SKU = int64(100 + sku)
		s.stocked(p.SKU, 10)
		s.offer(p, 10)
	}
}

// sample is a team's code that is in order.
const sample = "ABCDEFGHJK"

// ignore is a handler that does nothing.
func ignore(context.Context, groupbuy.Event) error { return nil }

// calls returns one call of each method that takes a context and returns by itself.
func calls(ctx context.Context, g *groupbuy.Groups) []suite.Call {
	a := groupbuy.Activity{ID: fair, Formation: forming, End: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	return []suite.Call{
		{Name: "Define", Do: func() error { return suite.Err(g.Define(ctx, a)) }},
		{Name: "Offer", Do: func() error { return suite.Err(g.Offer(ctx, product(people(3)), 9)) }},
		{Name: "Revise", Do: func() error { return suite.Err(g.Revise(ctx, product(people(3)))) }},
		{Name: "Restock", Do: func() error { return suite.Err(g.Restock(ctx, "c", key(), 1)) }},
		{Name: "Withdraw", Do: func() error { return suite.Err(g.Withdraw(ctx, "d", key(), 1)) }},
		{Name: "Open", Do: func() error { return suite.Err(buy("1", anna).Open(ctx, g)) }},
		{Name: "Join", Do: func() error { return suite.Err(buy("2", ben).Join(ctx, g, sample)) }},
		{Name: "Pay", Do: func() error { return suite.Err(g.Pay(ctx, "1")) }},
		{Name: "Cancel", Do: func() error { return suite.Err(g.Cancel(ctx, "3")) }},
		{Name: "Refund", Do: func() error { return suite.Err(g.Refund(ctx, byHand("1"))) }},
		{Name: "Resolve", Do: func() error { return suite.Err(g.Resolve(ctx, "1")) }},
		{Name: "Form", Do: func() error { return suite.Err(g.Form(ctx, sample, decided())) }},
		{Name: "Fail", Do: func() error { return suite.Err(g.Fail(ctx, sample, decided())) }},
		{Name: "Expire", Do: func() error { return suite.Err(g.Expire(ctx)) }},
		{Name: "Return", Do: func() error { return suite.Err(g.Return(ctx, "1")) }},
		{Name: "Handle", Do: func() error {
			return g.Handle(ignore)(ctx, event.Event{ID: 1, Kind: event.RefundOwed, Queue: event.TeamQueue(sample), Order: "1", Ref: sample})
		}},
		{Name: "Activity", Do: func() error { return suite.Err(g.Activity(ctx, fair)) }},
		{Name: "Activities", Do: func() error { return suite.Err(suite.Gather(g.Activities(ctx))) }},
		{Name: "Product", Do: func() error { return suite.Err(g.Product(ctx, key())) }},
		{Name: "Products", Do: func() error { return suite.Err(suite.Gather(g.Products(ctx, fair))) }},
		{Name: "Shelf", Do: func() error { return suite.Err(suite.Gather(g.Shelf(ctx))) }},
		{Name: "Joinable", Do: func() error { return suite.Err(suite.Gather(g.Joinable(ctx, key()))) }},
		{Name: "Teams", Do: func() error { return suite.Err(suite.Gather(g.Teams(ctx, groupbuy.TeamFilter{}))) }},
		{Name: "Team", Do: func() error { return suite.Err(g.Team(ctx, sample)) }},
		{Name: "Members", Do: func() error { return suite.Err(suite.Gather(g.Members(ctx, sample))) }},
		{Name: "Seat", Do: func() error { return suite.Err(g.Seat(ctx, "1")) }},
		{Name: "Seats", Do: func() error { return suite.Err(suite.Gather(g.For(anna).Seats(ctx))) }},
		{Name: "Refunds", Do: func() error { return suite.Err(suite.Gather(g.Refunds(ctx, groupbuy.RefundDue))) }},
		{Name: "Audit", Do: func() error { return suite.Err(g.Audit(ctx, key())) }},
		{Name: "Audit of all", Do: func() error { return suite.Err(g.Audit(ctx)) }},
		{Name: "Repair", Do: func() error { return suite.Err(g.Repair(ctx, key())) }},
		{Name: "RepairBackOnSale", Do: func() error { return suite.Err(g.RepairBackOnSale(ctx, key())) }},
		{Name: "Repair of all", Do: func() error { return suite.Err(g.Repair(ctx)) }},
		{Name: "Remove", Do: func() error { return suite.Err(g.Remove(ctx, key())) }},
		{Name: "End", Do: func() error { return suite.Err(g.End(ctx, fair)) }},
	}
}

// contextThatEnded makes every call with a context that is over: nothing is done, and the error says that it may be
// made again.
func contextThatEnded(s *scene) {
	s.live()
	s.open("1", anna)
	was := s.everything()
	ended, end := context.WithCancel(s.Context())
	end()
	for _, call := range calls(ended, s.groups) {
		if err := call.Do(); err == nil || !groupbuy.Retryable(err) {
			s.Fatalf("%s with a context that has ended: %v", call.Name, err)
		}
	}
	s.Is(s.groups.Run(ended), context.Canceled)
	suite.Same(s, "the books", s.everything(), was)
	s.pay("1")
}
