package groupbuytest

import (
	"context"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
)

// A verb is one exported method with arguments that are in order.
type verb struct {
	name string
	call func(context.Context, *groupbuy.Groups) error
}

// sample is a team's code that is in order.
const sample = "ABCDEFGHJK"

// verbOf is a verb whose result does not matter.
func verbOf[T any](name string, call func(context.Context, *groupbuy.Groups) (T, error)) verb {
	return verb{name, func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(call(ctx, g)) }}
}

// listing is a verb that lists.
func listing[T any](name string, call func(context.Context, *groupbuy.Groups) iter.Seq2[T, error]) verb {
	return verb{name, func(ctx context.Context, g *groupbuy.Groups) error { return suite.Outcome(suite.Gather(call(ctx, g))) }}
}

// ignore is a handler that does nothing.
func ignore(context.Context, groupbuy.Event) error { return nil }

// verbs returns one call of each method that takes a context and returns by itself.
func verbs() []verb {
	type g = *groupbuy.Groups
	a := groupbuy.Activity{ID: fair, Formation: forming, End: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	return []verb{
		verbOf("Define", func(ctx context.Context, g g) (groupbuy.Activity, error) { return g.Define(ctx, a) }),
		verbOf("Offer", func(ctx context.Context, g g) (groupbuy.Product, error) { return g.Offer(ctx, product(people(3)), 9) }),
		verbOf("Revise", func(ctx context.Context, g g) (groupbuy.Product, error) { return g.Revise(ctx, product(people(3))) }),
		{"AddStock", func(ctx context.Context, g g) error { return g.AddStock(ctx, "c", key(), 1) }},
		{"WithdrawStock", func(ctx context.Context, g g) error { return g.WithdrawStock(ctx, "d", key(), 1) }},
		verbOf("Open", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Open(ctx, buy("1", anna)) }),
		verbOf("Join", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Join(ctx, sample, buy("2", ben)) }),
		verbOf("Pay", func(ctx context.Context, g g) (groupbuy.Payment, error) { return g.Pay(ctx, "1") }),
		verbOf("Cancel", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Cancel(ctx, "3") }),
		verbOf("Refund", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Refund(ctx, byHand("1")) }),
		verbOf("Resolve", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Resolve(ctx, "1") }),
		verbOf("Form", func(ctx context.Context, g g) (groupbuy.Team, error) { return g.Form(ctx, sample, decided()) }),
		verbOf("Fail", func(ctx context.Context, g g) (groupbuy.Team, error) { return g.Fail(ctx, sample, decided()) }),
		verbOf("Expire", func(ctx context.Context, g g) (int, error) { return g.Expire(ctx) }),
		verbOf("Deliver", func(ctx context.Context, g g) (int, error) { return g.Deliver(ctx, ignore) }),
		verbOf("Redeliver", func(ctx context.Context, g g) (groupbuy.Event, error) { return g.Redeliver(ctx, sample, 1, ignore) }),
		listing("Poisoned", func(ctx context.Context, g g) iter.Seq2[groupbuy.Event, error] { return g.Poisoned(ctx) }),
		listing("Events", func(ctx context.Context, g g) iter.Seq2[groupbuy.Event, error] { return g.Events(ctx, sample) }),
		verbOf("Activity", func(ctx context.Context, g g) (groupbuy.Activity, error) { return g.Activity(ctx, fair) }),
		listing("Activities", func(ctx context.Context, g g) iter.Seq2[groupbuy.Activity, error] { return g.Activities(ctx) }),
		verbOf("Product", func(ctx context.Context, g g) (groupbuy.Offer, error) { return g.Product(ctx, key()) }),
		listing("Products", func(ctx context.Context, g g) iter.Seq2[groupbuy.Product, error] { return g.Products(ctx, fair) }),
		listing("Shelf", func(ctx context.Context, g g) iter.Seq2[groupbuy.Shown, error] { return g.Shelf(ctx) }),
		listing("Joinable", func(ctx context.Context, g g) iter.Seq2[groupbuy.Team, error] { return g.Joinable(ctx, key()) }),
		listing("Teams", func(ctx context.Context, g g) iter.Seq2[groupbuy.Team, error] {
			return g.Teams(ctx, groupbuy.TeamFilter{})
		}),
		verbOf("Team", func(ctx context.Context, g g) (groupbuy.Team, error) { return g.Team(ctx, sample) }),
		listing("Members", func(ctx context.Context, g g) iter.Seq2[groupbuy.Seat, error] { return g.Members(ctx, sample) }),
		verbOf("Seat", func(ctx context.Context, g g) (groupbuy.Seat, error) { return g.Seat(ctx, "1") }),
		listing("SeatsOf", func(ctx context.Context, g g) iter.Seq2[groupbuy.Seat, error] { return g.SeatsOf(ctx, anna) }),
		listing("Refunds", func(ctx context.Context, g g) iter.Seq2[groupbuy.Seat, error] {
			return g.Refunds(ctx, groupbuy.RefundDue)
		}),
		verbOf("Audit", func(ctx context.Context, g g) (groupbuy.Report, error) { return g.Audit(ctx, key()) }),
		verbOf("Audit of all", func(ctx context.Context, g g) (groupbuy.Report, error) { return g.Audit(ctx) }),
		verbOf("Repair", func(ctx context.Context, g g) (groupbuy.Report, error) { return g.Repair(ctx, key()) }),
		verbOf("RepairBackOnSale", func(ctx context.Context, g g) (groupbuy.Report, error) { return g.RepairBackOnSale(ctx, key()) }),
		verbOf("Repair of all", func(ctx context.Context, g g) (groupbuy.Report, error) { return g.Repair(ctx) }),
		verbOf("Remove", func(ctx context.Context, g g) (groupbuy.Product, error) { return g.Remove(ctx, key()) }),
		verbOf("End", func(ctx context.Context, g g) (groupbuy.Activity, error) { return g.End(ctx, fair) }),
	}
}

// everyVerb takes in Run.
func everyVerb() []verb {
	return append(verbs(), verb{"Run", func(ctx context.Context, g *groupbuy.Groups) error { return g.Run(ctx, nil) }})
}

// silent returns groups whose store must not be called.
func (s *scene) silent() *groupbuy.Groups { return groupbuy.New(&wire{send: s.MustNotCall}, nil) }
