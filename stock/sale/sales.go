package sale

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// DefaultNearlyGone is the percentage of NearlyGone by default.
const DefaultNearlyGone = 10

// Options are the rules of Sales. The zero value is the default.
type Options struct {
	// NearlyGone is the percentage of its units from which on a product that is not sold out is nearly gone (即将告罄), 1 to 100;
	// 0 is DefaultNearlyGone.
	NearlyGone int64

	// Hook is called after each effect on units, in the goroutine of the call: units that came to a pool or left one, and holds
	// that were released on the way. On a store that is bound to a caller's transaction the effect is not committed yet. It must
	// not block.
	Hook func(context.Context, stock.Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is stock.DefaultSweep
	OnError func(error)   // what Run does with the errors of sweeps; nil drops them
}

// Sales manages flash sales: activities, their products and prices. Orders buy from their pools through a stock.Inventory over
// the same store.
//
// It is safe for concurrent use. On, For and By return a changed copy and leave the receiver alone. The zero Sales
// refuses every call with ErrInvalid; use New.
type Sales struct {
	store  Store
	units  *stock.Inventory // of the pools and ordinary stock
	opts   Options
	buyer  string
	by     allot.By // set by By
	recent *recent  // what may be some seconds old
	broken error    // what is wrong with the arguments of New, On, For or By; every call returns it
}

// New returns Sales over a store. Nil options are the defaults. Bad options are reported by every call as ErrInvalid.
func New(store Store, opts *Options) *Sales {
	s := &Sales{recent: &recent{}}
	if opts != nil {
		s.opts = *opts
	}
	o := &s.opts
	o.NearlyGone = cmp.Or(o.NearlyGone, DefaultNearlyGone)
	if o.NearlyGone < 1 || o.NearlyGone > 100 {
		s.broken = fault.Invalid("NearlyGone", "must be 1 to 100, is %d", o.NearlyGone)
	}
	s.broken = cmp.Or(s.broken, input.Interval("Sweep", &o.Sweep, stock.DefaultSweep))
	return s.over(store)
}

// over puts the sales on a store.
func (s *Sales) over(store Store) *Sales {
	s.store = store
	if store == nil {
		s.broken = cmp.Or(s.broken, fault.Invalid("store", "must not be nil"))
	}
	if s.broken == nil {
		s.units = stock.New(store.Units(), &stock.Options{Hook: s.opts.Hook})
		if s.by.Actor != "" {
			s.units = s.units.By(s.by.Actor, s.by.Reason)
		}
	}
	return s
}

// On returns the same sales on another store, usually one bound to the caller's transaction:
//
//	sales.On(store.WithTx(tx)).Restock(ctx, id, key, 100)
func (s *Sales) On(store Store) *Sales { return s.copy().over(store) }

// For returns the same sales for one buyer, whose limits Quote then compares: any 1 to 64 bytes, compared byte for byte. The other
// calls need no buyer.
func (s *Sales) For(buyer string) *Sales {
	bound := s.copy()
	bound.buyer = buyer
	bound.broken = cmp.Or(bound.broken, input.ID("buyer", buyer))
	return bound
}

// By returns the same sales whose changes are recorded with who makes them and why: an actor of 1 to 64 bytes, and a reason of up
// to 512. These are the changes of Define, Approve, End and WithdrawSale to an activity, those of Offer, Revise, Restock, Withdraw
// and Remove to a product, and what follows from each for pools and ordinary stock. ChangesPage shows them. A replay keeps what
// the first call has recorded.
//
//	_, err := sales.By("Lin", "the supplier is late").End(ctx, 7)
func (s *Sales) By(actor, reason string) *Sales {
	bound := s.copy()
	if bound.broken != nil {
		return bound
	}
	bound.by = allot.By{Actor: actor, Reason: reason}
	if bound.broken = input.Actor(actor, reason); bound.broken == nil {
		bound.units = bound.units.By(actor, reason)
	}
	return bound
}

// plain returns the same sales whose calls carry nothing of the shop, for what is not the effect of a call itself.
func (s *Sales) plain() *Sales {
	if store, ok := s.store.(interface{ Plain() Store }); ok {
		return s.On(store.Plain())
	}
	return s
}

// copy returns a copy to bind. Sales that New did not make stay unusable.
func (s *Sales) copy() *Sales {
	if err := s.fault(); err != nil {
		return &Sales{broken: err}
	}
	bound := *s
	return &bound
}

// fault returns what is wrong with the sales.
func (s *Sales) fault() error {
	if s == nil {
		s = &Sales{}
	}
	return input.Made("sales", s.store != nil, s.broken)
}

// ready refuses a call before any I/O.
func (s *Sales) ready(ctx context.Context) error { return cmp.Or(s.fault(), input.Context(ctx)) }

// books returns the bookkeeping of the sales.
func (s *Sales) books() allot.Books[Activity, Product] {
	return allot.Books[Activity, Product]{
		Kind: Kind{}, Prefix: "fs", Store: bookStore{s.store}, Units: s.units, Kept: s.store.Units(),
		By: s.by, Plain: func() allot.Books[Activity, Product] { return s.plain().books() },
		Release: s.release,
	}
}

// bookStore is a store as the bookkeeping uses it.
type bookStore struct{ Store }

// Entry implements allot.Store.
func (b bookStore) Entry(ctx context.Context, key stock.Key) (Product, Activity, time.Time, error) {
	offer, now, err := b.Offer(ctx, key)
	return offer.Product, offer.Activity, now, err
}

// Unfinished implements allot.Store: as long as anything is held.
func (b bookStore) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	items, _, err := b.Units().Items(ctx, "", []stock.Key{key})
	return err == nil && items[0].Locked > 0, err
}

// AwaitChange implements allot.Store.
func (b bookStore) AwaitChange(ctx context.Context, activity int64, product stock.Key) error {
	return b.Await(ctx, activity, product)
}

// releaseBatch is how many dead holds are looked up at a time.
const releaseBatch = 900

// release releases the dead holds of a product. One that its books keep stays, as if it still lived: the sweeper of the stock
// reports it.
func (s *Sales) release(ctx context.Context, key stock.Key) error {
	units := s.store.Units()
	for ctx.Err() == nil {
		due, err := units.Due(ctx, []stock.Key{key}, releaseBatch)
		if err != nil || len(due) == 0 {
			return err
		}
		expired, err := units.Expire(ctx, due)
		for _, order := range expired {
			if s.opts.Hook != nil {
				s.opts.Hook(ctx, stock.Effect{Step: stock.StepExpire, Order: order})
			}
		}
		switch {
		case fault.Stops(err):
			return fault.Unsent(err)
		case len(expired) == 0 || len(due) < releaseBatch:
			return nil
		}
	}
	return errors.Join(ErrUnavailable, ctx.Err())
}
