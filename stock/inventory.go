package stock

import (
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
	MaxLines       = 500                       // lines of one order, refund or change
)

// attempts bounds how often a call starts over because the world changed between the
// refusal and the look at its reason.
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
	RefundRedeemed   bool // allow Refund after Redeem; otherwise it returns ErrRedeemed
	RefundFreesBuyer bool // a refund gives its units back to the buyer's limit

	// Hook is called after each effect, in the goroutine of the call. On a store that is bound
	// to a caller's transaction the effect is not committed yet. It must not block.
	Hook func(context.Context, Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is DefaultSweep
	OnError func(error)   // what Run does with an error of a sweep; nil drops it and goes on
}

// Effect is one step that took effect. A replay has none.
type Effect struct {
	Step  Step
	Order string // the order, where the step has one
	ID    string // the ID of a refund or change
	Lines []Line // what moved; nil for a step of a hold, which moves the lines of its order
}

// Outcome is what a step left behind.
type Outcome struct {
	Order  string
	State  State // the state of the order now
	Replay bool  // an earlier call had done it; this one changed nothing
	Late   bool  // Pay came after the deadline and bought the units again (Reacquire)
}

// Inventory is limited stock. All rules live here; the Store keeps the books.
//
// It is safe for concurrent use. On and For return a changed copy and leave the receiver
// alone. The zero Inventory refuses every call with ErrInvalid; use New.
type Inventory struct {
	store  Store
	opts   Options
	buyer  int64
	broken error // what is wrong with the arguments of New or For; every call returns it
}

// New returns an Inventory over a store. Nil options are the defaults. Bad options are
// reported by every call as ErrInvalid.
func New(store Store, opts *Options) *Inventory {
	inv := &Inventory{store: store}
	if opts != nil {
		inv.opts = *opts
	}
	o := &inv.opts
	if o.HoldFor == 0 {
		o.HoldFor = DefaultHoldFor
	}
	if o.Sweep == 0 {
		o.Sweep = DefaultSweep
	}
	switch {
	case store == nil:
		inv.broken = fault.Invalid("store", "must not be nil")
	case o.HoldFor < input.Precision || o.HoldFor > MaxHoldFor:
		inv.broken = fault.Invalid("HoldFor", "must lie between 1µs and %v, is %v", MaxHoldFor, o.HoldFor)
	case o.LatePay > Reacquire:
		inv.broken = fault.Invalid("LatePay", "is unknown: %d", o.LatePay)
	case o.Sweep < 0:
		inv.broken = fault.Invalid("Sweep", "must not be negative, is %v", o.Sweep)
	}
	o.HoldFor = o.HoldFor.Truncate(input.Precision)
	return inv
}

// On returns the same inventory on another store, as a rule on the caller's transaction:
//
//	inv.On(store.WithTx(tx)).Lock(ctx, order.ID, line)
func (inv *Inventory) On(store Store) *Inventory {
	bound := inv.copy()
	bound.store = store
	if store == nil {
		bound.broken = fault.Invalid("store", "must not be nil")
	}
	return bound
}

// For returns the same inventory with the buyer of its Locks. Units per buyer are counted from
// the first Lock that names one, whether or not the item limits them yet; an item that does
// limit them refuses a Lock without a buyer. Naming a buyer costs one more row for each item.
func (inv *Inventory) For(buyer int64) *Inventory {
	bound := inv.copy()
	bound.buyer = buyer
	if buyer < 1 && bound.broken == nil {
		bound.broken = fault.Invalid("buyer", "must be at least 1, is %d", buyer)
	}
	return bound
}

// copy returns a copy to bind. That of an inventory that New has not made stays unusable.
func (inv *Inventory) copy() *Inventory {
	if inv == nil || inv.store == nil && inv.broken == nil {
		return &Inventory{broken: fault.Invalid("inventory", "must be made by New")}
	}
	bound := *inv
	return &bound
}

// Lock sets units aside for an order: all lines or none. Lines of the same item are summed.
// The hold lives for Options.HoldFor; Pay it before its Deadline.
//
// Locking the same order again with the same lines and buyer returns the hold as it is by then
// and no error while it is locked, paid or beyond; other lines or another buyer are
// ErrMismatch. Two Locks of one order at once give one hold.
//
// Errors, in the order of precedence: ErrInvalid; for an order that is known ErrCancelled,
// ErrMismatch, ErrExpired, the first and last with the hold as it is; then for the first line that
// refuses, by key: ErrUnknownSKU, ErrOffShelf, ErrNotStarted, ErrEnded, ErrPerOrder,
// ErrBuyerRequired, ErrLiveHolds, ErrPerBuyer, ErrInsufficient, ErrOverflow. A refused order may be
// locked again. Before a shortage or a buyer's limit is final, the dead holds of the item are
// released.
func (inv *Inventory) Lock(ctx context.Context, order string, lines ...Line) (Hold, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order)); err != nil {
		return Hold{}, err
	}
	lines, err := normalize(lines)
	if err != nil {
		return Hold{}, err
	}
	asked := Order{ID: order, Buyer: inv.buyer, Lines: lines}
	for range attempts {
		hold, verdict, err := inv.store.Lock(ctx, asked, inv.opts.HoldFor)
		if err != nil {
			return Hold{}, err
		}
		switch verdict {
		case Done:
			inv.took(ctx, Effect{Step: StepLock, Order: order, Lines: lines})
			return hold, nil
		case Exists:
			hold, now, err := inv.store.Hold(ctx, order)
			if err != nil {
				return Hold{}, err
			}
			if hold.State == Unheld {
				continue // the Lock that was in the way has been refused itself
			}
			return replayLock(hold, asked, now)
		case Refused:
			if err := inv.unlockable(ctx, asked); err != nil {
				return Hold{}, err
			}
		}
	}
	return Hold{}, contention("lock", order)
}

// replayLock answers a Lock of an order that is known.
func replayLock(hold Hold, asked Order, now time.Time) (Hold, error) {
	same := hold.Buyer == asked.Buyer && slices.EqualFunc(hold.Lines, asked.Lines, func(h HoldLine, l Line) bool { return h.Line == l })
	switch {
	case hold.State == Cancelled:
		return hold, stateError(hold, asked.ID)
	case !same:
		return Hold{}, ErrMismatch
	case hold.State == Expired, hold.State == Locked && hold.dead(now):
		return hold, &StateError{Order: asked.ID, State: hold.State, Err: ErrExpired}
	}
	return hold, nil
}

// unlockable looks for the reason of a refused Lock. It returns nil when the Lock should be
// tried once more: the reason is gone, or dead holds were released that may have been it. It
// looks after the release, not before: what is missing then is not missing because of the dead.
func (inv *Inventory) unlockable(ctx context.Context, asked Order) error {
	keys := make([]Key, len(asked.Lines))
	for i, l := range asked.Lines {
		keys[i] = l.Key()
	}
	if released, err := inv.release(ctx, keys...); err != nil || released > 0 {
		return err
	}
	standings, now, err := inv.store.Items(ctx, asked.Buyer, keys)
	if err != nil {
		return err
	}
	for i, line := range asked.Lines {
		refusal := standings[i].refuses(line, asked.Buyer, now)
		if refusal == nil {
			continue
		}
		if usedUp(refusal) { // the same Lock, made at the same time, may be what has used it up
			hold, _, err := inv.store.Hold(ctx, asked.ID)
			if err != nil || hold.State != Unheld {
				return err
			}
		}
		return refusal
	}
	return nil
}

// Pay sells what the order has locked. Paying twice is safe: the second call is a replay.
// After Redeem or Refund it still is: the order was paid.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrCancelled, ErrExpired. From the
// deadline on the hold is dead, and Options.LatePay decides; see Reacquire.
func (inv *Inventory) Pay(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepPay, order)
}

// Cancel gives back what the order has locked. Cancelling twice is safe. An order that is not
// known is closed for good: a Lock of it that arrives later is refused with ErrCancelled.
//
// Errors, in the order of precedence: ErrInvalid, ErrRefunded, ErrRedeemed, ErrPaid (use Refund),
// ErrExpired (the units are back already).
func (inv *Inventory) Cancel(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepCancel, order)
}

// Redeem records that the units of a paid order were handed over (核销). It moves no counter.
// Redeeming twice is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrNotPaid, ErrCancelled, ErrExpired,
// ErrRefunded (every unit was).
func (inv *Inventory) Redeem(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepRedeem, order)
}

// step moves an order. It tries first and looks only when that was refused, so that the
// ordinary case is one statement.
func (inv *Inventory) step(ctx context.Context, step Step, order string) (Outcome, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order)); err != nil {
		return Outcome{}, err
	}
	asked, fence := step, int64(0)
	for range attempts {
		verdict, err := inv.store.Move(ctx, step, order, fence)
		if err != nil {
			return Outcome{}, err
		}
		if verdict == Done {
			inv.took(ctx, Effect{Step: step, Order: order})
			return Outcome{Order: order, State: step.Transition().To, Late: step == StepReacquire}, nil
		}
		hold, now, err := inv.store.Hold(ctx, order)
		if err != nil {
			return Outcome{}, err
		}
		hold.Order = order
		outcome, settled, err := settledStep(asked, hold, now)
		if settled {
			return outcome, err
		}
		if step, err = inv.nextStep(ctx, asked, hold, now); err != nil {
			return Outcome{}, err
		}
		if step == 0 {
			return Outcome{Order: order, State: Cancelled}, nil
		}
		fence = hold.Fence
	}
	return Outcome{}, contention(asked.String(), order)
}

// settledStep answers a step whose order is where it leads to, or where it can never go.
func settledStep(asked Step, hold Hold, now time.Time) (Outcome, bool, error) {
	t := asked.Transition()
	paying := asked == StepPay
	switch {
	case hold.State == t.To, paying && (hold.State == Redeemed || hold.State == Refunded):
		return Outcome{Order: hold.Order, State: hold.State, Replay: true, Late: paying && hold.dead(hold.PaidAt)}, true, nil
	case hold.State == Locked && hold.dead(now), // has to expire first
		slices.Contains(t.From, hold.State), // has moved since, or was resolved
		hold.State == Unheld && asked == StepCancel,
		hold.State == Expired && paying:
		return Outcome{}, false, nil
	}
	return Outcome{}, true, stateError(hold, hold.Order)
}

// nextStep does what has to come before a refused step, and returns what to try next: mostly the
// same. It returns no step for an order that is closed now, which had no hold.
func (inv *Inventory) nextStep(ctx context.Context, asked Step, hold Hold, now time.Time) (Step, error) {
	switch {
	case hold.State == Unheld:
		if verdict, err := inv.store.Close(ctx, hold.Order); err != nil || verdict == Done {
			return 0, err
		}
		return asked, nil // a Lock came first
	case hold.State == Locked && hold.dead(now):
		_, err := inv.expire(ctx, hold.Order)
		return asked, err
	case hold.State != Expired:
		return asked, nil
	case inv.opts.LatePay == Reject:
		return 0, stateError(hold, hold.Order)
	}
	return StepReacquire, inv.unbuyable(ctx, hold)
}

// unbuyable looks for the reason why the units of an expired order could not be sold again. It
// returns nil when that should be tried once more, as unlockable does.
func (inv *Inventory) unbuyable(ctx context.Context, hold Hold) error {
	if released, err := inv.release(ctx, hold.keys()...); err != nil || released > 0 {
		return err
	}
	standings, _, err := inv.store.Items(ctx, hold.Buyer, hold.keys())
	if err != nil {
		return err
	}
	for i, line := range hold.Lines {
		refusal := standings[i].cannotSell(line.Line, hold.Buyer)
		if refusal == nil {
			continue
		}
		is, _, err := inv.store.Hold(ctx, hold.Order) // the same Pay may be what has used it up
		if err != nil || is.State != hold.State {
			return err
		}
		return errors.Join(stateError(hold, hold.Order), refusal)
	}
	return nil
}

// Extend lets a live hold live until a later time by the store's clock; take it from the
// hold's own Deadline rather than from the caller's clock. It never shortens: a hold that
// lives that long anyway stays as it is. Extending twice to the same time is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrRefunded, ErrRedeemed, ErrPaid,
// ErrCancelled, ErrExpired.
func (inv *Inventory) Extend(ctx context.Context, order string, until time.Time) (Hold, error) {
	return inv.redate(ctx, order, until, func(deadline, until time.Time) bool { return until.After(deadline) })
}

// Shorten lets a live hold die at an earlier time; a time that has passed ends it at once. A
// hold that dies before stays as it is. Errors are those of Extend.
func (inv *Inventory) Shorten(ctx context.Context, order string, until time.Time) (Hold, error) {
	return inv.redate(ctx, order, until, func(deadline, until time.Time) bool { return until.Before(deadline) })
}

// redate moves the deadline of a live hold where the new one is wanted.
func (inv *Inventory) redate(ctx context.Context, order string, until time.Time, wanted func(deadline, until time.Time) bool) (Hold, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order), input.Time("until", until)); err != nil {
		return Hold{}, err
	}
	until = instant(until)
	for range attempts {
		hold, now, err := inv.store.Hold(ctx, order)
		if err != nil {
			return Hold{}, err
		}
		switch {
		case hold.State != Locked:
			return Hold{}, stateError(hold, order)
		case hold.dead(now):
			return Hold{}, &StateError{Order: order, State: Locked, Err: ErrExpired}
		case !wanted(hold.Deadline, until):
			return hold, nil
		}
		verdict, err := inv.store.SetDeadline(ctx, hold, until)
		if err != nil {
			return Hold{}, err
		}
		if verdict == Done {
			hold.Deadline = until
			return hold, nil
		}
	}
	return Hold{}, contention("extend", order)
}

// Resolve settles an order after ErrUnknown, for good: it waits for every statement of the
// order that is still under way in the store, and makes sure that one which has not arrived
// yet can no longer take effect. It returns the order's hold as it is then. An order that has
// none is closed as by Cancel, and returned as Cancelled.
//
// A hold that comes back Locked is live and may be paid or cancelled by a new call. To make the
// lost call happen, make it again instead; Resolve is for a caller that wants to know.
func (inv *Inventory) Resolve(ctx context.Context, order string) (Hold, error) {
	if err := errors.Join(inv.ready(ctx), input.ID("order", order)); err != nil {
		return Hold{}, err
	}
	for range attempts {
		verdict, err := inv.store.Fence(ctx, order)
		if err != nil {
			return Hold{}, err
		}
		if verdict != Done {
			if verdict, err = inv.store.Close(ctx, order); err != nil {
				return Hold{}, err
			}
			if verdict != Done {
				continue // a Lock came first: fence it
			}
		}
		hold, now, err := inv.store.Hold(ctx, order)
		if err != nil {
			return Hold{}, err
		}
		if hold.State == Locked && hold.dead(now) {
			if _, err := inv.expire(ctx, order); err != nil {
				return Hold{}, err
			}
			if hold, _, err = inv.store.Hold(ctx, order); err != nil {
				return Hold{}, err
			}
		}
		return hold, nil
	}
	return Hold{}, contention("resolve", order)
}

// ready refuses a call before any I/O.
func (inv *Inventory) ready(ctx context.Context) error {
	switch {
	case inv == nil || inv.store == nil && inv.broken == nil:
		return fault.Invalid("inventory", "must be made by New")
	case inv.broken != nil:
		return inv.broken
	}
	return input.Context(ctx)
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
	if n := len(lines); n < 1 || n > MaxLines {
		return nil, fault.Invalid("lines", "must be 1 to %d, are %d", MaxLines, n)
	}
	sorted := make([]Line, 0, len(lines))
	for _, l := range lines {
		if err := errors.Join(checkKey(l.Key()), input.Positive("num", l.Num)); err != nil {
			return nil, err
		}
		sorted = append(sorted, l)
	}
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

// contention is the answer when the world kept changing under a call.
func contention(verb, id string) error {
	return &ContentionError{Verb: verb, ID: id}
}
