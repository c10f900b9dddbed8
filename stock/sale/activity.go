package sale

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// Define creates an activity as a Draft, or changes one that exists and keeps its approval. It is safe to call at every start of
// a program. The pools of its products follow its times. The last of two concurrent changes wins.
//
// An activity whose End has come, or that was ended or withdrawn, stays as it is: with the same arguments it is returned.
//
// What goes along with the call (sqlstore.Sale.Along) is done in the transaction that changes the activity, before its pools follow.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch (other Places), ErrWithdrawn, ErrEnded.
func (s *Sales) Define(ctx context.Context, activity Activity) (Activity, error) {
	if err := errors.Join(s.ready(ctx), activity.check()); err != nil {
		return Activity{}, err
	}
	activity.Start, activity.End = input.Instant(activity.Start), input.Instant(activity.End) // as every store keeps them
	activity.Replay = false
	was, _, err := s.store.Activity(ctx, activity.ID)
	if err == nil && was.Version != 0 {
		err = fault.Mismatch(named(activity.ID), fault.Equal("places", was.Places, activity.Places))
	}
	if err != nil {
		return Activity{}, err
	}
	return orNone(s.books().Define(ctx, activity))
}

// orNone returns nothing where a call failed.
func orNone[T any](is T, err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return is, nil
}

// named returns an activity as messages name it.
func named(id int64) string { return stock.Key{Activity: id}.String() }

// check refuses an activity that contradicts itself.
func (a Activity) check() error {
	err := errors.Join(input.Positive("activity", a.ID), allot.Text("title", a.Title), allot.Text("image", a.Image),
		allot.TextOf("note", a.Note, MaxNote), allot.TextOf("label", a.Label, MaxLabel), money.Places(a.Places))
	if !a.Start.IsZero() {
		err = errors.Join(err, input.Time("start", a.Start))
	}
	if bad := input.Time("end", a.End); bad != nil {
		return errors.Join(err, bad)
	}
	if !input.Instant(a.Start).Before(input.Instant(a.End)) {
		err = errors.Join(err, fault.Invalid("end", "must be after the start"))
	}
	return err
}

// Approve lets an activity sell: its products can be bought from its Start on. Approving again returns the activity as it is, as
// a Replay.
//
// What goes along with the call is done in the transaction that changes the activity, before its pools follow.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity; ErrWithdrawn, ErrEnded, for one that was never approved.
func (s *Sales) Approve(ctx context.Context, id int64) (Activity, error) {
	if err := s.readyActivity(ctx, id); err != nil {
		return Activity{}, err
	}
	is, did, err := s.books().Alter(ctx, id, KindApprove, func(a Activity, now time.Time) (Activity, error) {
		period := (Kind{}).Period(a)
		switch {
		case !a.ApprovedAt.IsZero():
			return a, nil
		case period.Ended(now):
			return a, period.Refusal(ErrEnded, now)
		}
		a.ApprovedAt = now
		return a, nil
	})
	is.Replay = !did
	return orNone(is, err)
}

// End ends an activity early: nobody can buy any more, and what is left goes back to ordinary stock. Holds that are not paid live
// until their deadline and may be paid; what becomes free later goes back with the next Expire. Ending again
// returns the activity as it is, as a Replay.
//
// What goes along with the call is done in the transaction that ends the activity, after its products are removed and before
// their remainders go back.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity; then the errors of remainders, as for Remove.
// If one product fails, the others are still removed and give back their units. An End that was cut off once it had removed a
// product matches ErrUnknown: repeating the call ends the rest. A product that is offered meanwhile, and that the
// snapshot of the caller's transaction does not show, is removed by the next Expire.
func (s *Sales) End(ctx context.Context, id int64) (Activity, error) {
	return s.end(ctx, id, KindEnd, nil)
}

// end ends an activity, and changes it along with that.
func (s *Sales) end(ctx context.Context, id int64, kind stock.Kind, last func(Activity) Activity) (Activity, error) {
	if err := s.readyActivity(ctx, id); err != nil {
		return Activity{}, err
	}
	is, changed, err := s.books().End(ctx, id, kind, last)
	is.Replay = !changed
	return orNone(is, err)
}

// WithdrawSale ends an activity as End does, also one that is a Draft, and leaves it Withdrawn. The units of its products go
// back. Withdrawing again returns the activity as it is, as a Replay.
//
// Errors are those of End; and ErrEnded, before the errors of remainders, for an activity that has ended otherwise.
func (s *Sales) WithdrawSale(ctx context.Context, id int64) (Activity, error) {
	if err := s.readyActivity(ctx, id); err != nil {
		return Activity{}, err
	}
	_, now, err := s.books().Allowed(ctx, id, func(a Activity, now time.Time) error {
		if period := (Kind{}).Period(a); period.Ended(now) && a.WithdrawnAt.IsZero() {
			return period.Refusal(ErrEnded, now)
		}
		return nil
	})
	if err != nil {
		return Activity{}, err
	}
	is, err := s.end(ctx, id, KindWithdrawSale, func(a Activity) Activity {
		a.WithdrawnAt = now
		return a
	})
	if err == nil && is.WithdrawnAt.IsZero() { // it was ended meanwhile
		err = (Kind{}).Period(is).Refusal(ErrEnded, now)
	}
	return orNone(is, err)
}

// readyActivity is ready for a call that names an activity.
func (s *Sales) readyActivity(ctx context.Context, id int64) error {
	return errors.Join(s.ready(ctx), input.Positive("activity", id))
}

// Activity returns an activity as it is now. Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity.
func (s *Sales) Activity(ctx context.Context, id int64) (Activity, error) {
	if err := s.readyActivity(ctx, id); err != nil {
		return Activity{}, err
	}
	is, _, err := s.books().Activity(ctx, id)
	return orNone(is, err)
}

// activityPlace is the place of an activity in a list.
type activityPlace struct {
	End time.Time
	ID  int64
}

// ActivitiesPage returns a page of the activities in a state, hidden ones too, by End and then ID: those that end first, or of those
// that are Ended or Withdrawn the last. Errors: ErrInvalid.
func (s *Sales) ActivitiesPage(ctx context.Context, state State, page stock.PageRequest) (stock.Page[Activity], error) {
	err := s.ready(ctx)
	if state < Draft || state > Withdrawn {
		err = errors.Join(err, fault.Invalid("state", "is unknown: %d", state))
	}
	return listing.List[Activity, activityPlace]{
		Err: err,
		Read: func(after activityPlace, limit int) ([]Activity, error) {
			return s.store.ActivitiesIn(ctx, state, Activity{End: after.End, ID: after.ID}, limit)
		},
		At: func(a Activity) activityPlace { return activityPlace{a.End, a.ID} },
	}.Page(page, fmt.Sprint("activities in ", state))
}

// Activities lists all activities by ID. Each page of a listing is its own snapshot, here and below; a listing
// ends with the first error.
func (s *Sales) Activities(ctx context.Context) iter.Seq2[Activity, error] {
	return allot.Listed(s.ready(ctx), s.books, func(b allot.Books[Activity, Product]) iter.Seq2[Activity, error] { return b.Activities(ctx) })
}
