package stock

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
)

// Pay sells what the order has locked. Paying twice is safe: the second call is a replay, also after Redeem or Refund, and
// Outcome.State says which. It does not know by which payment the order was paid: a shop that keeps the payment's number in its row
// sees that another one has come, and sends that back.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrArchived, ErrWaiting, ErrCancelled, ErrExpired. From the
// deadline on the hold is dead, and Options.LatePay decides:
// with Reacquire, the error matches ErrExpired and what the item lacks, such as ErrInsufficient.
func (inv *Inventory) Pay(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepPay, order)
}

// Cancel gives back what the order has locked; an order that waits leaves the queue. Cancelling twice is safe. An order that is not
// known is closed for good: a Lock of it that arrives later is refused with ErrCancelled.
//
// Errors, in the order of precedence: ErrInvalid, ErrArchived, ErrRefunded, ErrRedeemed, ErrPaid (use Refund),
// ErrExpired (the units are back already).
func (inv *Inventory) Cancel(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepCancel, order)
}

// Redeem records that the units of a paid order were handed over (核销). It moves no counter.
// Redeeming twice is safe.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrArchived, ErrNotPaid (ErrWaiting for one that waits), ErrCancelled,
// ErrExpired, ErrRefunded (every unit was), ErrBackordered (as a *BackorderError, for the first line with units that have not come yet).
func (inv *Inventory) Redeem(ctx context.Context, order string) (Outcome, error) {
	return inv.step(ctx, StepRedeem, order)
}

// step moves an order. It tries first and looks only when that was refused, so that the
// ordinary case is one statement.
func (inv *Inventory) step(ctx context.Context, step Step, order string) (Outcome, error) {
	if err := errors.Join(inv.readyFor(ctx, step, order), input.ID("order", order)); err != nil {
		return Outcome{}, err
	}
	asked, move := step, Movement{Step: step, Order: order, Beside: inv.beside}
	for round := range attempts {
		result, err := inv.store.Move(ctx, move)
		if err != nil {
			return Outcome{}, err
		}
		if result.Verdict == Done {
			inv.took(ctx, Effect{Step: move.Step, Order: order, Beside: result.Beside})
			return Outcome{Order: order, State: move.Step.Transition().To, Late: move.Step == StepReacquire, Beside: result.Beside}, nil
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
		if err = inv.nextStep(ctx, round, asked, hold, now, &move); err != nil {
			return Outcome{}, err
		}
		if move.Step == 0 {
			return Outcome{Order: order, State: Cancelled, Void: true}, nil
		}
		move.Fence = hold.Fence
	}
	return Outcome{}, &ContentionError{Verb: asked.String(), ID: order}
}

// settledStep answers a step whose order is already in the step's target state, or can never reach it.
func settledStep(asked Step, hold Hold, now time.Time) (Outcome, bool, error) {
	t := asked.Transition()
	paying := asked == StepPay
	switch {
	case hold.State == t.To, paying && (hold.State == Redeemed || hold.State == Refunded):
		return Outcome{
			Order: hold.Order, State: hold.State, Replay: true, Late: paying && hold.dead(hold.PaidAt),
			Void: asked == StepCancel && len(hold.Lines) == 0,
		}, true, nil
	case asked == StepRedeem && hold.State == Paid && hold.backordered() != nil:
		return Outcome{}, true, hold.backordered()
	case hold.State == Locked && hold.dead(now), // has to expire first
		slices.Contains(t.From, hold.State), // has moved since, or was resolved
		(hold.State == Unheld || hold.State == Waiting) && asked == StepCancel,
		hold.State == Expired && paying:
		return Outcome{}, false, nil
	}
	return Outcome{}, true, stateError(hold, hold.Order)
}

// nextStep does what has to come before a refused step, and says in move what to try next: mostly the
// same. It is no step for an order that is closed now, which had no hold.
func (inv *Inventory) nextStep(ctx context.Context, round int, asked Step, hold Hold, now time.Time, move *Movement) error {
	move.Step = asked
	switch {
	case hold.State == Unheld:
		verdict, err := inv.store.Void(ctx, hold.Order, inv.beside...)
		if verdict == Done {
			move.Step = 0
		}
		return err // or a Lock came first
	case hold.State == Locked && hold.dead(now):
		return inv.expire(ctx, hold.Order)
	case hold.State == Waiting && asked == StepCancel:
		move.Step = StepLeave
		return nil
	case hold.State != Expired:
		return nil
	case inv.opts.LatePay == Reject:
		return stateError(hold, hold.Order)
	}
	move.Step = StepReacquire
	again := Order{ID: hold.Order, Buyer: hold.Buyer, Lines: hold.Asked()}
	return inv.refusal(ctx, round, again, Expired, func(item ItemUsage, line Line, _ time.Time) error {
		move.Backorder = move.Backorder || item.asksBackorder(line.Num)
		if refusal := item.cannotSell(line.Key(), line.Num, line.Num, hold.Buyer); refusal != nil {
			return errors.Join(stateError(hold, hold.Order), refusal)
		}
		return nil
	})
}
