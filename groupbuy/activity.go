package groupbuy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Define creates an activity, or changes one that exists. It is safe to call at every start of a program. Open
// teams keep their deadlines. The last of two concurrent changes wins.
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
	awaited := false
	for range attempts {
		was, now, err := g.store.Activity(ctx, activity.ID)
		if err != nil {
			return Activity{}, err
		}
		activity.EndedAt, activity.CreatedAt, activity.UpdatedAt, activity.Version = was.EndedAt, was.CreatedAt, was.UpdatedAt, was.Version
		switch {
		case activity == was: // a call that was cut off may have left the pools behind
			if err := g.shelve(ctx, was.ID); err != nil {
				return Activity{}, err
			}
			return was, nil
		case was.Version != 0 && was.ended(now) && !awaited: // the same call, made in time, may be under way
			if err := g.store.Await(ctx, Subject{Activity: activity.ID}); err != nil {
				return Activity{}, err
			}
			awaited = true
			continue
		case was.Version != 0 && was.ended(now):
			return Activity{}, was.refusal(ErrEnded, now)
		}
		verdict, err := g.store.SaveActivity(ctx, activity, false)
		switch {
		case err != nil:
			return Activity{}, err
		case verdict == stock.Done:
			if err := g.shelve(ctx, activity.ID); err != nil {
				return Activity{}, fault.Unread(err)
			}
			activity, _, err = g.store.Activity(ctx, activity.ID)
			return activity, fault.Unread(err)
		}
	}
	return Activity{}, contention("define", fmt.Sprintf("activity %d", activity.ID))
}

// check refuses an activity that contradicts itself.
func (a Activity) check() error {
	err := errors.Join(input.Positive("activity", a.ID), text("title", a.Title), text("image", a.Image))
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
	return errors.Join(err, input.Time("end of the last team", a.closes()))
}

// text refuses words that are too long to keep.
func text(field, s string) error {
	if n := len(s); n > MaxText {
		return fault.Invalid(field, "must have at most %d bytes, has %d", MaxText, n)
	}
	return nil
}

// ended reports whether no team can be opened any more at now.
func (a Activity) ended(now time.Time) bool { return !a.EndedAt.IsZero() || !now.Before(a.End) }

// closes returns when no team can be alive any more, so that the remainder can go back.
func (a Activity) closes() time.Time {
	if a.Outlive {
		return a.End.Add(a.Formation)
	}
	return a.End
}

// refusal returns a reason with the activity.
func (a Activity) refusal(reason error, now time.Time) *ProductError {
	return &ProductError{Key: stock.Key{Activity: a.ID}, Err: reason, Start: a.Start, End: a.End, Now: now}
}

// End ends an activity early: all its products are removed, as by Remove. Live teams may still finish, but
// nobody can join them. Ending again returns the activity as it is, as a Replay.
//
// What goes along with the call is done in the transaction that ends the activity, after its products are removed and before
// their remainders go back.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity; then the errors of remainders, as for Remove.
// If one product fails, the others are still removed and give back their units.
func (g *Groups) End(ctx context.Context, activity int64) (Activity, error) {
	if err := errors.Join(g.ready(ctx), input.Positive("activity", activity)); err != nil {
		return Activity{}, err
	}
	is, changed, err := g.end(ctx, activity)
	if err != nil {
		return Activity{}, err
	}
	var errs []error
	for product, err := range g.products(ctx, nil, activity) {
		if err != nil {
			return Activity{}, fault.Unread(err)
		}
		if product.State == Removed {
			_, gave, err := g.giveBack(ctx, product.Key)
			changed = changed || gave
			errs = append(errs, remains(product.Key, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Activity{}, err
	}
	is.Replay = !changed
	return is, nil
}

// end removes the products of an activity and then records that it is over, so that an interrupted Expire
// returns to it. Then it looks again: a product that was offered at the same time has either been seen
// here, or sees that the activity is over. It reports whether this call ended it.
func (g *Groups) end(ctx context.Context, id int64) (is Activity, ended bool, err error) {
	for range attempts {
		activity, _, err := g.activity(ctx, id)
		if err != nil {
			return Activity{}, ended, err
		}
		for product, err := range g.products(ctx, nil, id) {
			if err == nil && product.State != Settled {
				_, _, err = g.plain().remove(ctx, product.Key)
			}
			if err != nil {
				return Activity{}, ended, err
			}
		}
		if !activity.EndedAt.IsZero() {
			return activity, ended, nil
		}
		verdict, err := g.store.SaveActivity(ctx, activity, true)
		if err != nil {
			return Activity{}, ended, err
		}
		ended = ended || verdict == stock.Done
	}
	return Activity{}, ended, contention("end", fmt.Sprintf("activity %d", id))
}

// shelve brings the pools of an activity to its terms.
func (g *Groups) shelve(ctx context.Context, activity int64) error {
	for product, err := range g.products(ctx, nil, activity) {
		if err != nil {
			return err
		}
		if product.State == Settled {
			continue
		}
		if _, _, err := g.pool(ctx, product.Key); err != nil {
			return err
		}
	}
	return nil
}
