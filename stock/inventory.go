package stock

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// The defaults and bounds of an Inventory.
const (
	DefaultHoldFor = 15 * time.Minute          // how long a hold lives
	MaxHoldFor     = 10 * 365 * 24 * time.Hour // the longest a hold can be asked to live
	DefaultSweep   = time.Second               // how long Run rests between two sweeps
	MaxLines       = 500                       // lines of one order, refund or change, and of one part of a RestockAll
	MaxMissing     = 10_000                    // orders of one Missing
)

// attempts bounds how often a call starts over because something changed between the refusal and the look at its
// reason.
const attempts = 100

// LatePay says what Pay does when the hold has expired.
type LatePay uint8

const (
	// Reject refuses a late payment with ErrExpired.
	Reject LatePay = iota
	// Reacquire sells the units again if they are still there, whatever the sale window says;
	// otherwise Pay returns an error that matches both ErrExpired and ErrInsufficient (or
	// ErrPerBuyer).
	Reacquire
)

// Options are the rules of an Inventory. The zero value is the default.
type Options struct {
	HoldFor          time.Duration // how long a Lock holds, 1 µs to MaxHoldFor; 0 is DefaultHoldFor
	LatePay          LatePay
	PassWaiting      bool // a Lock or Take may have units though orders wait for them; see Wait
	RefundRedeemed   bool // allow Refund after Redeem; otherwise it returns ErrRedeemed
	RefundFreesBuyer bool // a refund gives its units back to the buyer's limit

	// Hook is called after each effect, in the goroutine of the call. On a store that is bound
	// to a caller's transaction the effect is not committed yet. It must not block. A Wait that has its units at once is told as
	// StepWait and StepOffer. An offer to an order that has waited is no effect of the call that makes it: event.Offered tells of it.
	Hook func(context.Context, Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is DefaultSweep
	OnError func(error)   // called with the error of a sweep; nil drops the error
}

// Effect is one step that took effect. A replay has none. An Amend has several, which add up to what it has done.
type Effect struct {
	Step  Step
	Order string // the order, where the step has one
	ID    string // the ID of a refund or change
	Lines []Line // what moved; nil for a step of a hold, which moves the lines that its order has by then; see Amend

	Beside []Companion // companions that were kept
}

// Outcome is what a step left behind.
type Outcome struct {
	Order  string
	State  State // the state of the order now
	Replay bool  // an earlier call had done it; this one changed nothing
	Late   bool  // Pay came after the deadline and bought the units again (Reacquire)
	Void   bool  // Cancel closed a number that has no hold and can never have one

	Beside []Companion // companions that were kept; nil for a replay
}

// Inventory is limited stock. All rules live here; the Store keeps the books.
//
// It is safe for concurrent use. On, For, Until, With and By return a changed copy and leave the
// receiver alone. The zero Inventory refuses every call with ErrInvalid; use New.
type Inventory struct {
	store  Store
	opts   Options
	buyer  string
	until  time.Time   // set by Until; zero is none
	beside []Companion // set by With
	actor  string      // set by By, with reason; "" is nobody
	reason string

	leaderboards *leaderboards // of the items of the store
	broken       error         // what is wrong with the arguments of New or For; every call returns it
}

// New returns an Inventory over a store. Nil options are the defaults. Bad options are
// reported by every call as ErrInvalid.
func New(store Store, opts *Options) *Inventory {
	inv := &Inventory{}
	if opts != nil {
		inv.opts = *opts
	}
	o := &inv.opts
	inv.broken = cmp.Or(
		input.Span("HoldFor", &o.HoldFor, DefaultHoldFor, MaxHoldFor),
		input.Known("LatePay", o.LatePay, Reacquire),
		input.Interval("Sweep", &o.Sweep, DefaultSweep),
	)
	return inv.over(store)
}

// over puts the inventory on a store.
func (inv *Inventory) over(store Store) *Inventory {
	inv.store, inv.leaderboards = store, new(leaderboards)
	if store == nil {
		inv.broken = cmp.Or(inv.broken, fault.Invalid("store", "must not be nil"))
	}
	return inv
}

// On returns the same inventory on another store, usually one bound to the caller's transaction:
//
//	inv.On(store.WithTx(tx)).Lock(ctx, order.ID, line)
func (inv *Inventory) On(store Store) *Inventory { return inv.copy().over(store) }

// For returns the same inventory with the buyer of its Locks: any 1 to 64 bytes, which are compared byte for
// byte. Units per buyer are counted from the first Lock that names one, whether or not the item limits them
// yet; an item that does limit them refuses a Lock without a buyer. Naming a buyer costs one more row for each
// item.
func (inv *Inventory) For(buyer string) *Inventory {
	bound := inv.copy()
	bound.buyer = buyer
	bound.broken = cmp.Or(bound.broken, input.ID("buyer", buyer))
	return bound
}

// Until returns the same inventory whose holds end at the deadline at the latest, whatever Options.HoldFor says: for
// example when a group's time is over. The store's clock decides. From the deadline on, Locks are refused with
// ErrExpired. A replay does not compare the deadline.
func (inv *Inventory) Until(deadline time.Time) *Inventory {
	bound := inv.copy()
	bound.until = input.Instant(deadline)
	bound.broken = cmp.Or(bound.broken, input.Time("until", deadline))
	return bound
}

// With returns the same inventory whose calls carry companions. A call that takes effect keeps them in its own
// transaction, or does not take effect. Companions that the store does not keep are refused with ErrInvalid; their
// domain says what else refuses them. A replay keeps nothing, and neither does Expire.
func (inv *Inventory) With(companions ...Companion) *Inventory {
	bound := inv.copy()
	bound.beside = append(slices.Clip(bound.beside), companions...)
	if slices.Contains(companions, nil) {
		bound.broken = cmp.Or(bound.broken, fault.Invalid("companion", "must not be nil"))
	}
	return bound
}

// By returns the same inventory whose changes are recorded with who makes them and why: an actor of 1 to 64 bytes, and a reason
// of up to 512. These are the changes of Define, DefineAll, ChangeTerms, Restock, RestockAll, Withdraw, Transfer, Count, Refund,
// Repair, RepairBackOnSale, Amend, RedeemPart and PutBack, and ChangesPage shows them. A replay keeps what the first call has
// recorded. The other verbs are those of buyers and record nobody.
func (inv *Inventory) By(actor, reason string) *Inventory {
	bound := inv.copy()
	bound.actor, bound.reason = actor, reason
	bound.broken = cmp.Or(bound.broken, input.Actor(actor, reason))
	return bound
}

// copy returns a copy to bind. An inventory that New has not made stays unusable.
func (inv *Inventory) copy() *Inventory {
	if err := inv.fault(); err != nil {
		return &Inventory{broken: err}
	}
	bound := *inv
	return &bound
}

// fault returns what is wrong with the inventory.
func (inv *Inventory) fault() error {
	if inv == nil {
		inv = &Inventory{}
	}
	return input.Made("inventory", inv.store != nil, inv.broken)
}

// ready refuses a call before any I/O.
func (inv *Inventory) ready(ctx context.Context) error {
	return cmp.Or(inv.fault(), input.Context(ctx))
}

// readyFor is ready for a call that carries companions, which have to belong to it.
func (inv *Inventory) readyFor(ctx context.Context, step Step, order string) error {
	if err := inv.ready(ctx); err != nil {
		return err
	}
	for _, c := range inv.beside {
		if c, ok := c.(StepCompanion); ok {
			if err := c.Belongs(step, order); err != nil {
				return err
			}
		}
	}
	return nil
}

// took tells the hook.
func (inv *Inventory) took(ctx context.Context, e Effect) {
	if inv.opts.Hook != nil {
		inv.opts.Hook(ctx, e)
	}
}

// normalize checks lines, sums those of one item and sorts them by key: two orders with the
// same lines in another order are the same, and stores lock in one order.
func normalize(lines []Line) ([]Line, error) {
	if n := len(lines); n > MaxLines {
		return nil, fault.Invalid("lines", "must be 1 to %d, are %d", MaxLines, n)
	}
	return merge(lines)
}

// merge is normalize for any number of lines.
func merge(lines []Line) ([]Line, error) {
	if len(lines) == 0 {
		return nil, fault.Invalid("lines", "must be 1 at least")
	}
	for _, l := range lines {
		if err := errors.Join(checkKey(l.Key()), input.Positive("num", l.Num)); err != nil {
			return nil, err
		}
	}
	sorted := slices.Clone(lines)
	slices.SortFunc(sorted, func(a, b Line) int { return a.Key().Compare(b.Key()) })
	merged := sorted[:1]
	for _, l := range sorted[1:] {
		last := &merged[len(merged)-1]
		if last.Key() != l.Key() {
			merged = append(merged, l)
			continue
		}
		sum, ok := input.Add(last.Num, l.Num)
		if !ok {
			return nil, fault.Invalid("num", "overflows for %v", l.Key())
		}
		last.Num = sum
	}
	return merged, nil
}

// checkKey refuses a key that names nothing.
func checkKey(k Key) error {
	return errors.Join(input.Positive("SKU", k.SKU), input.NotNegative("activity", k.Activity))
}
