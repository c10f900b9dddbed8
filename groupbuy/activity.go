package groupbuy

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Define creates an activity, or changes one that exists. It is safe to call at every start of a program. Open
// teams keep their deadlines. The last of two concurrent changes wins.
//
// Teams can be joined until the activity closes: at its End, or with Outlive at End and Formation after it, as these are now. A shorter
// Formation, an earlier End, or no Outlive any more can thus close it before teams that live already are over. From then on, joining
// them is ErrEnded, and what their pools have left goes back to ordinary stock. Seats that are taken can still be paid, and such a
// team forms or fails as its members, its own deadline or an operator decide.
//
// An activity whose End has come, or that was ended, stays as it is: with the same arguments it is returned.
//
// What goes along with the call (sqlstore.GroupBuy.Along) is done in the transaction that changes the activity, before its pools follow.
//
// Errors, in the order of precedence: ErrInvalid, ErrEnded.
func (g *Groups) Define(ctx context.Context, activity Activity) (Activity, error) {
	if err := errors.Join(g.ready(ctx), activity.check()); err != nil {
		return Activity{}, err
	}
	activity.Start, activity.End = input.Instant(activity.Start), input.Instant(activity.End) // as every store keeps them
	activity.Replay = false
	return orZero(g.books().Define(ctx, activity))
}

// orZero returns nothing where a call failed.
func orZero[T any](is T, err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return is, nil
}

// check refuses an activity that contradicts itself.
func (a Activity) check() error {
	err := errors.Join(input.Positive("activity", a.ID), allot.Text("title", a.Title), allot.Text("image", a.Image))
	if a.Formation < minFormation || a.Formation > MaxFormation || a.Formation%time.Minute != 0 {
		err = errors.Join(err, fault.Invalid("formation", "must be whole minutes from 1 to %d, is %v", int64(MaxFormation/time.Minute),
			a.Formation))
	}
	if !a.Start.IsZero() {
		err = errors.Join(err, input.Time("start", a.Start))
	}
	if bad := input.Time("end", a.End); bad != nil {
		return errors.Join(err, bad)
	}
	if !input.Instant(a.Start).Before(input.Instant(a.End)) {
		err = errors.Join(err, fault.Invalid("end", "must be after the start"))
	}
	return errors.Join(err, input.Time("end of the last team", a.period().Closes))
}

// End ends an activity early: all its products are removed, as by Remove. Live teams may still finish, but
// nobody can join them. Ending again returns the activity as it is, as a Replay.
//
// What goes along with the call is done in the transaction that ends the activity, after its products are removed and before
// their remainders go back.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity; then the errors of remainders, as for Remove.
// If one product fails, the others are still removed and give back their units. An End that was cut off once it had removed a
// product matches ErrUnknown: repeating the call ends the rest. A product that is offered meanwhile, and that the
// snapshot of the caller's transaction does not show, is removed by the next Expire.
func (g *Groups) End(ctx context.Context, activity int64) (Activity, error) {
	if err := errors.Join(g.ready(ctx), input.Positive("activity", activity)); err != nil {
		return Activity{}, err
	}
	is, changed, err := g.books().End(ctx, activity, KindEnd, nil)
	is.Replay = !changed
	return orZero(is, err)
}
