package allot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// sweepBatch is how many activities a sweep looks up at a time.
const sweepBatch = 200

// Define creates an activity, or changes one that is not over. The pools of its products follow. It is ready to be
// kept: times are as every store keeps them.
func (b Books[A, P]) Define(ctx context.Context, asked A) (A, error) {
	id, awaited := b.Kind.Period(asked).ID, false
	for range attempts {
		was, now, err := b.Store.Activity(ctx, id)
		if err != nil {
			return was, err
		}
		period := b.Kind.Period(was)
		asked = b.Kind.SetPeriod(b.Kind.KeepActivity(asked, was), period)
		switch over := period.Version != 0 && period.Ended(now); {
		case asked == was: // a call that was cut off may have left the pools behind
			return was, b.shelve(ctx, id)
		case over && !awaited: // the same call, made in time, may be under way
			if err := b.Store.AwaitChange(ctx, id, stock.Key{}); err != nil {
				return was, err
			}
			awaited = true
			continue
		case over:
			return was, period.Refusal(ErrEnded, now)
		}
		is, saved, err := b.save(ctx, asked, stock.KindDefine)
		if err != nil || saved {
			return is, err
		}
	}
	return asked, contention("define", named(id))
}

// save keeps a change of an activity, has its pools follow, and returns it as it is then. Kind says what an operator did. It reports
// whether it was kept.
func (b Books[A, P]) save(ctx context.Context, asked A, kind stock.Kind) (is A, saved bool, err error) {
	verdict, err := b.Store.SaveActivity(ctx, asked, false, b.recordOf(asked, kind))
	if err != nil || verdict != stock.Done {
		return is, false, err
	}
	id := b.Kind.Period(asked).ID
	if err := b.shelve(ctx, id); err != nil {
		return is, true, fault.Unread(err)
	}
	is, _, err = b.Store.Activity(ctx, id)
	return is, true, fault.Unread(err)
}

// Allowed returns an activity that exists, and the clock, or why it refuses a call. It looks twice before it refuses: the same call,
// made in time, may be under way.
func (b Books[A, P]) Allowed(ctx context.Context, id int64, refusal func(is A, now time.Time) error) (A, time.Time, error) {
	for awaited := false; ; awaited = true {
		is, now, err := b.Activity(ctx, id)
		if err != nil {
			return is, now, err
		}
		if err = refusal(is, now); err == nil || awaited {
			return is, now, err
		}
		if err := b.Store.AwaitChange(ctx, id, stock.Key{}); err != nil {
			return is, now, err
		}
	}
}

// Alter changes an activity that exists, as change says, and has its pools follow. It reports whether this call did it: change
// may return the activity as it is.
func (b Books[A, P]) Alter(
	ctx context.Context, id int64, kind stock.Kind, change func(was A, now time.Time) (A, error),
) (is A, did bool, err error) {
	for range attempts {
		var asked A
		was, _, err := b.Allowed(ctx, id, func(is A, now time.Time) (err error) {
			asked, err = change(is, now)
			return err
		})
		switch {
		case err != nil:
			return was, false, err
		case asked == was:
			return was, false, b.shelve(ctx, id)
		}
		is, saved, err := b.save(ctx, asked, kind)
		if err != nil || saved {
			return is, saved, err
		}
	}
	return is, false, contention("change", named(id))
}

// shelve brings the pools of an activity to its terms.
func (b Books[A, P]) shelve(ctx context.Context, activity int64) error {
	for product, err := range b.all(ctx, activity) {
		if err != nil {
			return err
		}
		share := b.Kind.Share(product)
		if share.State == Settled {
			continue
		}
		if _, err := b.pool(ctx, share.Key); err != nil {
			return err
		}
	}
	return nil
}

// End ends an activity: it removes its products and gives their units back. It reports whether this call did any of it.
// Kind says what an operator did. Last changes the activity along with its end; nil is nothing. If one product fails, the others
// still give back.
func (b Books[A, P]) End(ctx context.Context, id int64, kind stock.Kind, last func(A) A) (is A, changed bool, err error) {
	is, changed, err = b.end(ctx, id, kind, last)
	if err != nil {
		return is, changed, err
	}
	var errs []error
	for product, err := range b.all(ctx, id) {
		if err != nil {
			return is, changed, fault.Unread(err)
		}
		if share := b.Kind.Share(product); share.State == Removed {
			_, gave, err := b.giveBack(ctx, share.Key)
			changed = changed || gave
			errs = append(errs, remains(share.Key, err))
		}
	}
	return is, changed, errors.Join(errs...)
}

// end removes the products of an activity and then records that it is over, so that an interrupted sweep
// returns to it. Then it looks again: a product that was offered at the same time has either been seen
// here, or sees that the activity is over. Only the caller's transaction may miss one that came after its snapshot: the sweeper
// finds that. It reports whether this call ended it.
func (b Books[A, P]) end(ctx context.Context, id int64, kind stock.Kind, last func(A) A) (is A, ended bool, err error) {
	did := false // anything, which stays where the rest fails
	defer func() {
		if did && fault.Retryable(err) { // what is final is the answer, also of the call that is made again
			err = fault.Unread(fmt.Errorf("%s has ended in part: %w", named(id), err))
		}
	}()
	for range attempts {
		activity, _, err := b.Activity(ctx, id)
		if err != nil {
			return activity, ended, err
		}
		for product, err := range b.all(ctx, id) {
			if err == nil && b.Kind.Share(product).State != Settled {
				var removed bool
				_, removed, err = b.plain().remove(ctx, b.Kind.Share(product).Key)
				did = did || removed
			}
			if err != nil {
				return activity, ended, err
			}
		}
		if !b.Kind.Period(activity).EndedAt.IsZero() {
			return activity, ended, nil
		}
		if last != nil {
			activity = last(activity)
		}
		verdict, err := b.Store.SaveActivity(ctx, activity, true, b.recordOf(activity, kind))
		if err != nil {
			return activity, ended, err
		}
		ended = ended || verdict == stock.Done
		did = did || ended
	}
	return is, ended, contention("end", named(id))
}

// ExpireActivities ends the activities that are over, and returns how many. An activity whose pools close later than it
// ends is over only then. Such activities are due already, so as many more are looked up.
func (b Books[A, P]) ExpireActivities(ctx context.Context) (int, error) {
	total := 0
	var errs []error
	tried := map[int64]bool{}
	for limit := sweepBatch; ; limit += sweepBatch {
		due, err := b.Store.DueActivities(ctx, limit)
		if err != nil {
			return total, errors.Join(append(errs, err)...)
		}
		for _, activity := range due {
			id := b.Kind.Period(activity).ID
			if tried[id] {
				continue
			}
			tried[id] = true
			ended, err := b.expireActivity(ctx, b.Kind.Period(activity))
			errs = append(errs, err)
			if ended {
				total++
			}
			if ctx.Err() != nil || fault.Stops(err) {
				return total, errors.Join(errs...)
			}
		}
		if len(due) < limit {
			return total, errors.Join(errs...)
		}
	}
}

// expireActivity ends an activity whose End has come, once its pools close.
func (b Books[A, P]) expireActivity(ctx context.Context, period Period) (bool, error) {
	if period.Closes.After(period.End) {
		_, now, err := b.Store.Activity(ctx, period.ID)
		if err != nil || now.Before(period.Closes) {
			return false, err
		}
	}
	_, ended, err := b.plain().end(ctx, period.ID, KindEnd, nil)
	return ended, err
}
