package coupon

import (
	"cmp"
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// The defaults and bounds of Coupons.
const (
	DefaultReserveFor = 30 * time.Minute // how long a reservation lives
	DefaultExpiringIn = 24 * time.Hour   // how long before its end a coupon is about to expire
	MaxExpiringIn     = 366 * 24 * time.Hour
	ExpiredWithin     = 7 * 24 * time.Hour // an end that nobody has told of for so long is not told of any more
	MaxText           = 512                // bytes of a title or scope
	MaxPlaces         = money.MaxPlaces    // decimal places of a currency
	MaxDays           = 36_500             // of Terms.AfterDays and Terms.ForDays each
	MaxBuyers         = 10_000             // buyers of one batch
	MaxBatchID        = 41                 // bytes: a slash and the digest of a buyer follow it
)

// attempts bounds how often a call starts over because the state changed between a refusal and the lookup
// of its reason.
const attempts = 100

// Options are the rules of Coupons. The zero value is the default.
type Options struct {
	HoldFor          time.Duration // how long a Lock holds, 1 µs to stock.MaxHoldFor; 0 is stock.DefaultHoldFor
	ReserveFor       time.Duration // how long a Reserve lives, 1 µs to stock.MaxHoldFor; 0 is DefaultReserveFor
	LatePay          stock.LatePay // what Pay does when the hold has expired
	RefundFreesBuyer bool          // a refunded coupon no longer counts against Rules.PerBuyer
	RevokeFreesBuyer bool          // nor does a revoked one

	// ExpiringIn is how long before its end a coupon is about to expire (event.CouponExpiring), 1 µs to MaxExpiringIn; 0 is
	// DefaultExpiringIn.
	ExpiringIn time.Duration

	// Hook is called after each effect, in the goroutine of the call. On a store that is bound to a
	// caller's transaction the effect is not committed yet. It must not block.
	Hook func(context.Context, Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is stock.DefaultSweep
	OnError func(error)   // what Run does with an error of a sweep; nil drops it and goes on
}

// Effect is one change that took effect. A replay has none. One exception: two concurrent calls of Issue for the
// same batch may both report a coupon.
type Effect struct {
	Units  stock.Step // what it did to the units of a campaign; 0 for a step of a use
	Use    Step       // the step of a use; 0 otherwise
	Coupon string     // the coupon, where there is one
	State  State      // what the coupon became; None where it stayed as it was
	Order  string     // the order of a use
	ID     string     // of a refund, revocation, batch or change of units

	Campaign int64 // with Num how many of its coupons came or went; 0 where the call named only the claim
	Num      int64
}

// Coupons manages campaigns, the coupons that buyers claim from them, and the orders that use those. All rules
// live here and in the stock.Inventory of the units; the Store keeps the books.
//
// It is safe for concurrent use. On, For and By return a changed copy and leave the receiver alone.
// The zero Coupons refuses every call with ErrInvalid; use New.
type Coupons struct {
	store  Store
	opts   Options
	buyer  string
	units  *stock.Inventory
	actor  string // set by By, with reason; "" is nobody
	reason string
	broken error // what is wrong with the arguments of New, On, For or By; every call returns it
}

// New returns Coupons over a store. Nil options are the defaults. Bad options are reported by every
// call as ErrInvalid.
func New(store Store, opts *Options) *Coupons {
	c := &Coupons{}
	if opts != nil {
		c.opts = *opts
	}
	o := &c.opts
	c.broken = cmp.Or(
		input.Span("HoldFor", &o.HoldFor, stock.DefaultHoldFor, stock.MaxHoldFor),
		input.Span("ReserveFor", &o.ReserveFor, DefaultReserveFor, stock.MaxHoldFor),
		input.Span("ExpiringIn", &o.ExpiringIn, DefaultExpiringIn, MaxExpiringIn),
		input.Known("LatePay", o.LatePay, stock.Reacquire),
		input.Interval("Sweep", &o.Sweep, stock.DefaultSweep),
	)
	return c.over(store)
}

// over puts the coupons on a store.
func (c *Coupons) over(store Store) *Coupons {
	c.store = store
	if store == nil {
		c.broken = cmp.Or(c.broken, fault.Invalid("store", "must not be nil"))
	}
	if c.broken != nil {
		return c
	}
	opts := stock.Options{HoldFor: c.opts.HoldFor, LatePay: c.opts.LatePay, Sweep: c.opts.Sweep, OnError: c.opts.OnError}
	if hook := c.opts.Hook; hook != nil {
		opts.Hook = func(ctx context.Context, e stock.Effect) { hook(ctx, effectOfUnits(e)) }
	}
	c.units = stock.New(store.Units(), &opts)
	if c.buyer != "" {
		c.units = c.units.For(c.buyer)
	}
	if c.actor != "" {
		c.units = c.units.By(c.actor, c.reason)
	}
	return c
}

// effectOfUnits tells of an effect on units as one on coupons.
func effectOfUnits(e stock.Effect) Effect {
	states := map[stock.Step]State{
		stock.StepLock: Pending, stock.StepTake: Usable, stock.StepPay: Usable, stock.StepReacquire: Usable,
		stock.StepCancel: Dropped, stock.StepExpire: Dropped, stock.StepRefund: BackTo(e.Beside), stock.StepDiscard: BackTo(e.Beside),
	}
	told := Effect{Units: e.Step, Coupon: e.Order, State: states[e.Step], ID: e.ID}
	for _, l := range e.Lines {
		told.Campaign, told.Num = l.SKU, l.Num
	}
	return told
}

// On returns the same coupons on another store, usually on the caller's transaction:
//
//	coupons.On(store.WithTx(tx)).Reserve(ctx, coupon, order.ID, order.Total)
func (c *Coupons) On(store Store) *Coupons { return c.copy().over(store) }

// For returns the same coupons for one buyer: 1 to 64 bytes, compared byte for byte. Claims are made for this
// buyer. The coupons of others are ErrAnotherBuyer, which looks as if they did not exist.
func (c *Coupons) For(buyer string) *Coupons {
	bound := c.copy()
	if bound.broken != nil {
		return bound
	}
	bound.buyer = buyer
	if bound.broken = input.ID("buyer", buyer); bound.broken != nil {
		return bound
	}
	bound.units = bound.units.For(buyer)
	return bound
}

// By returns the same coupons whose changes by an operator are recorded with who makes them and why: an actor of 1 to 64
// bytes, and a reason of up to 512. These are the changes of Define, Restock, Withdraw, Import, Generate, Refund, Revoke and
// Repair, and ChangesPage shows them. A replay keeps what the first call has recorded.
func (c *Coupons) By(actor, reason string) *Coupons {
	bound := c.copy()
	if bound.broken != nil {
		return bound
	}
	bound.actor, bound.reason = actor, reason
	if bound.broken = input.Actor(actor, reason); bound.broken == nil {
		bound.units = bound.units.By(actor, reason)
	}
	return bound
}

// copy returns a copy to bind. A copy of Coupons that New did not make stays unusable.
func (c *Coupons) copy() *Coupons {
	if err := c.fault(); err != nil {
		return &Coupons{broken: err}
	}
	bound := *c
	return &bound
}

// fault returns what is wrong with the coupons.
func (c *Coupons) fault() error {
	if c == nil {
		c = &Coupons{}
	}
	return input.Made("coupons", c.store != nil, c.broken)
}

// ready refuses a call before any I/O.
func (c *Coupons) ready(ctx context.Context) error { return cmp.Or(c.fault(), input.Context(ctx)) }

// readyFor refuses a call before any I/O that needs a buyer.
func (c *Coupons) readyFor(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	return input.Named("buyer", c.buyer)
}

// took tells the hook.
func (c *Coupons) took(ctx context.Context, e Effect) {
	if c.opts.Hook != nil {
		c.opts.Hook(ctx, e)
	}
}

// contention is the answer when the state kept changing under a call.
func contention(verb, id string) error { return &stock.ContentionError{Verb: verb, ID: id} }
