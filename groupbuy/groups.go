package groupbuy

import (
	"cmp"
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// attempts bounds how often a call starts over because the state changed between a refusal and the lookup
// of its reason.
const attempts = 100

// Options are the rules of Groups. The zero value is the default.
type Options struct {
	// HoldFor is how long a seat is held unpaid, 1 µs to stock.MaxHoldFor; 0 is stock.DefaultHoldFor. It is never
	// longer than its team lives.
	HoldFor          time.Duration
	LatePay          stock.LatePay // what Pay does when the seat has expired
	RefundFreesBuyer bool          // a refund gives its units back to the buyer's limit
	RefundRedeemed   bool          // allow Refund of a seat whose units were redeemed; otherwise it is stock.ErrRedeemed

	// Code makes the code of a team: CodeLength bytes, each a capital letter or a digit. Nil is crypto/rand, and
	// anything that can be guessed lets teams be guessed.
	Code func() string

	// Hook is called after each effect, in the goroutine of the call. On a store that is bound to a
	// caller's transaction the effect is not committed yet. It must not block.
	Hook func(context.Context, Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is stock.DefaultSweep
	OnError func(error)   // what Run does with the errors of sweeps; nil drops them
}

// Effect is one change that took effect. A replay has none. Seats that leave because their team ended have none
// either: the events of the team name them.
type Effect struct {
	Step  Step      // of a seat; 0 otherwise
	Order string    // the seat's
	Team  string    // the code of the team, where it is known
	Ended TeamState // Formed or Failed where this ended the team; Forming otherwise

	Units stock.Step // what an operator's call did to a pool: StepRestock into it, StepWithdraw from it; 0 otherwise
	Key   stock.Key  // the pool
	Num   int64      // how many units
	ID    string     // of the change, as stock has recorded it
}

// Groups manages activities, their products, and the teams that buy them. All rules live here and in the methods of
// TeamRecord; the Store keeps the books, including those of the units.
//
// It is safe for concurrent use. On, For and By return a changed copy and leave the receiver alone. The zero Groups
// refuses every call with ErrInvalid; use New.
type Groups struct {
	store  Store
	units  *stock.Inventory // of the pools, the seats and ordinary stock
	opts   Options
	buyer  string
	actor  string // set by By, with reason; "" is nobody
	reason string
	broken error // what is wrong with the arguments of New, On, For or By; every call returns it
}

// New returns Groups over a store. Nil options are the defaults. Bad options are reported by every call as
// ErrInvalid.
func New(store Store, opts *Options) *Groups {
	g := &Groups{}
	if opts != nil {
		g.opts = *opts
	}
	o := &g.opts
	g.broken = cmp.Or(
		input.Span("HoldFor", &o.HoldFor, stock.DefaultHoldFor, stock.MaxHoldFor),
		input.Known("LatePay", o.LatePay, stock.Reacquire),
		input.Interval("Sweep", &o.Sweep, stock.DefaultSweep),
	)
	return g.over(store)
}

// over puts the groups on a store.
func (g *Groups) over(store Store) *Groups {
	g.store = store
	if store == nil {
		g.broken = cmp.Or(g.broken, fault.Invalid("store", "must not be nil"))
	}
	if g.broken == nil {
		g.units = g.inventory()
	}
	return g
}

// On returns the same groups on another store, usually one bound to the caller's transaction:
//
//	groups.On(store.WithTx(tx)).Pay(ctx, order.ID)
func (g *Groups) On(store Store) *Groups { return g.copy().over(store) }

// For returns the same groups for one buyer, for Open, Join and Seats: any 1 to 64 bytes, compared byte for byte.
// The other calls need no buyer.
//
//	groups.For(buyer).Open(ctx, purchase)
func (g *Groups) For(buyer string) *Groups {
	bound := g.copy()
	if bound.broken != nil {
		return bound
	}
	bound.buyer = buyer
	if bound.broken = input.ID("buyer", buyer); bound.broken == nil {
		bound.units = bound.units.For(buyer)
	}
	return bound
}

// By returns the same groups whose changes by an operator are recorded with who makes them and why: an actor of 1 to 64
// bytes, and a reason of up to 512. These are the changes of Define and End to an activity, those of Offer, Revise, Restock,
// Withdraw, Remove, Repair and RepairBackOnSale to a product, Form, Fail and Refund, and what follows from each for pools and
// ordinary stock. ChangesPage shows them. A replay keeps what the first call has recorded.
func (g *Groups) By(actor, reason string) *Groups {
	bound := g.copy()
	if bound.broken != nil {
		return bound
	}
	bound.actor, bound.reason = actor, reason
	if bound.broken = input.Actor(actor, reason); bound.broken == nil {
		bound.units = bound.units.By(actor, reason)
	}
	return bound
}

// plain returns the same groups whose calls carry nothing of the shop, for what is not the effect of a call itself.
func (g *Groups) plain() *Groups {
	if store, ok := g.store.(interface{ Plain() Store }); ok {
		return g.On(store.Plain())
	}
	return g
}

// copy returns a copy to bind. A copy of Groups that New did not make stays unusable.
func (g *Groups) copy() *Groups {
	if err := g.fault(); err != nil {
		return &Groups{broken: err}
	}
	bound := *g
	return &bound
}

// fault returns what is wrong with the groups.
func (g *Groups) fault() error {
	if g == nil {
		g = &Groups{}
	}
	return input.Made("groups", g.store != nil, g.broken)
}

// ready refuses a call before any I/O.
func (g *Groups) ready(ctx context.Context) error { return cmp.Or(g.fault(), input.Context(ctx)) }

// readyFor is ready for a call that needs a buyer.
func (g *Groups) readyFor(ctx context.Context) error {
	if err := g.ready(ctx); err != nil {
		return err
	}
	return input.Named("buyer", g.buyer)
}

// tell tells the hook.
func (g *Groups) tell(ctx context.Context, e Effect) {
	if g.opts.Hook != nil {
		g.opts.Hook(ctx, e)
	}
}

// tellSeat tells the hook of a seat that was moved without its own call, by a sweep or a look at what was in the way.
// Step is the step that moved it; 0 if only its state shows which. It reports nothing for an order without a
// seat, and reads only if there is a hook.
func (g *Groups) tellSeat(ctx context.Context, order string, step Step) {
	if g.opts.Hook == nil {
		return
	}
	seat, team, _, err := g.store.Seat(ctx, order)
	if step == 0 {
		step = map[SeatState]Step{Paid: StepPay, Cancelled: StepCancel, Expired: StepExpire, RefundDue: StepRefund}[seat.State]
	}
	if err != nil || seat.State == NoSeat || step == 0 {
		return
	}
	g.tell(ctx, seatView{seat: seat, team: team}.effect(step))
}

// inventory returns the inventory of the pools, the seats and ordinary stock. The calls for seats report their own
// steps, except for dead seats that are released along the way. Changes of a pool by an operator are reported here.
func (g *Groups) inventory() *stock.Inventory {
	opts := &stock.Options{
		HoldFor: g.opts.HoldFor, LatePay: g.opts.LatePay,
		RefundFreesBuyer: g.opts.RefundFreesBuyer, RefundRedeemed: g.opts.RefundRedeemed,
	}
	if g.opts.Hook != nil {
		opts.Hook = func(ctx context.Context, e stock.Effect) {
			switch e.Step { //nolint:exhaustive // the others are told by their calls
			case stock.StepExpire:
				g.tellSeat(ctx, e.Order, StepExpire)
			case stock.StepRestock, stock.StepWithdraw:
				for _, l := range e.Lines {
					if l.Activity != 0 { // what ordinary stock gives or gets is told by its pool
						g.tell(ctx, Effect{Units: e.Step, Key: l.Key(), Num: l.Num, ID: e.ID})
					}
				}
			}
		}
	}
	inv := stock.New(g.store.Units(), opts)
	if g.buyer != "" {
		inv = inv.For(g.buyer)
	}
	if g.actor != "" {
		inv = inv.By(g.actor, g.reason)
	}
	return inv
}
