package groupbuy

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
)

// Kind tells the bookkeeping of this module what activities and products of group buying are. It is for authors of a store.
type Kind struct{}

// Period implements allot.Kind. Units go back only once no team can be alive any more.
func (Kind) Period(a Activity) allot.Period {
	closes := a.End
	if a.Outlive {
		closes = a.End.Add(a.Formation)
	}
	return allot.Period{
		ID: a.ID, Start: a.Start, End: a.End, Closes: closes, EndedAt: a.EndedAt, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		Version: a.Version,
	}
}

// SetPeriod implements allot.Kind.
func (Kind) SetPeriod(a Activity, to allot.Period) Activity {
	a.EndedAt, a.CreatedAt, a.UpdatedAt, a.Version = to.EndedAt, to.CreatedAt, to.UpdatedAt, to.Version
	return a
}

// KeepActivity implements allot.Kind.
func (Kind) KeepActivity(asked, _ Activity) Activity { return asked }

// Share implements allot.Kind.
func (Kind) Share(p Product) allot.Share {
	return allot.Share{
		Key: p.Key, State: p.State, Allotted: p.Allotted, Returns: p.Returns, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Version: p.Version,
	}
}

// SetShare implements allot.Kind.
func (Kind) SetShare(p Product, to allot.Share) Product {
	p.State, p.Allotted, p.Returns = to.State, to.Allotted, to.Returns
	p.CreatedAt, p.UpdatedAt, p.Version = to.CreatedAt, to.UpdatedAt, to.Version
	return p
}

// KeepProduct implements allot.Kind.
func (Kind) KeepProduct(asked, was Product) Product {
	asked.Formed = was.Formed
	return asked
}

// Mismatch implements allot.Kind.
func (Kind) Mismatch(was, asked Product) error { return was.differs(asked) }

// Terms implements allot.Kind. The pool is on the shelf before the product is Offered, which Groups sees to, so that
// an Offer that is cut off leaves nothing that looks as if it were on sale. An activity that its teams outlive sells
// to who joins them for so long; that nobody opens one Groups sees to as well.
func (Kind) Terms(a Activity, p Product) stock.Terms {
	return stock.Terms{
		SPU: p.SPU, OffShelf: p.State.Over(), Start: a.Start, End: a.period().Closes, PerOrder: p.PerOrder, PerBuyer: p.PerBuyer,
	}
}

// period returns what the bookkeeping has to know of an activity.
func (a Activity) period() allot.Period { return Kind{}.Period(a) }

// books returns the bookkeeping of the activities.
func (g *Groups) books() allot.Books[Activity, Product] {
	return allot.Books[Activity, Product]{
		Kind: Kind{}, Prefix: idPrefix, Store: bookStore{g.store}, Units: g.units, Kept: g.store.Units(),
		By:    allot.By{Actor: g.actor, Reason: g.reason},
		Plain: func() allot.Books[Activity, Product] { return g.plain().books() },
	}
}

// product returns a product that exists.
func (g *Groups) product(ctx context.Context, key stock.Key) (Product, error) {
	product, _, _, err := g.books().Entry(ctx, key)
	return product, err
}

// bookStore is a store as the bookkeeping uses it.
type bookStore struct{ Store }

// Entry implements allot.Store.
func (b bookStore) Entry(ctx context.Context, key stock.Key) (Product, Activity, time.Time, error) {
	offer, now, err := b.Offer(ctx, key)
	return offer.Product, offer.Activity, now, err
}

// AwaitChange implements allot.Store.
func (b bookStore) AwaitChange(ctx context.Context, activity int64, product stock.Key) error {
	return b.Await(ctx, Subject{Activity: activity, Product: product})
}
