package sale

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// ScheduleAhead is how long before its start a session is made.
const ScheduleAhead = 7 * day

const (
	day      = 24 * time.Hour
	maxLasts = 30 * day // of a session
)

// Series is a sale that repeats daily (场次). Each session is an activity of its own, with units of its own.
type Series struct {
	Activity Activity        // what each session is like, without ID, Start and End
	Zone     string          // whose clocks the times are of: an IANA name, such as Asia/Shanghai
	Times    []time.Duration // when sessions begin: whole minutes since midnight, such as 10*time.Hour
	Lasts    time.Duration   // how long each takes, up to 30 days
	From     time.Time       // sessions that begin from then on; zero is always
	Until    time.Time       // and before; zero is never
	Lots     []Lot           // what each session sells

	// ID returns the ID of the session that begins at a time: the same at every call and in every process, another for each
	// session, and none that the shop uses for anything else.
	ID func(start time.Time) int64
}

// Lot is a product of a series with its units.
type Lot struct {
	Product Product // without Activity
	Units   int64   // that each session takes out of ordinary stock
}

// Schedule makes the sessions of some series that begin within ScheduleAhead or run now, and returns how many. Making a session is
// Define, Offer of each lot, and Approve. A session that is there is completed where a call was cut off, or a product could not be
// offered; otherwise it is left alone: what an operator has changed, ended or withdrawn stays so. Any number of processes may
// schedule the same series.
//
// A time that the clocks of the zone skip on a day moves to the next minute that they show. One that they show twice is the first.
//
// Errors, in the order of precedence: ErrInvalid; ErrMismatch, for an ID that two sessions with other starts have; those of
// Define, Offer and Approve. If one session or product fails, the others are still made.
func (s *Sales) Schedule(ctx context.Context, series ...Series) (int, error) {
	if err := errors.Join(s.ready(ctx), checkAll(series)); err != nil {
		return 0, err
	}
	return s.schedule(ctx, series, map[int64]bool{})
}

// checkAll refuses series that contradict themselves.
func checkAll(series []Series) error {
	errs := make([]error, len(series))
	for i, one := range series {
		errs[i] = one.check()
	}
	return errors.Join(errs...)
}

// check refuses a series that contradicts itself.
func (r Series) check() error {
	session := r.Activity
	session.ID, session.Start, session.End = 1, time.Unix(0, 0), time.Unix(1, 0)
	err := session.check()
	if r.ID == nil {
		err = errors.Join(err, fault.Invalid("ID", "must not be nil"))
	}
	if _, unknown := time.LoadLocation(r.Zone); unknown != nil || r.Zone == "" || r.Zone == "Local" {
		err = errors.Join(err, fault.Invalid("zone", "must be the name of a time zone, is %q", r.Zone))
	}
	if len(r.Times) == 0 {
		err = errors.Join(err, fault.Invalid("times", "must be one at least"))
	}
	for _, t := range r.Times {
		if t < 0 || t >= day || t%time.Minute != 0 {
			err = errors.Join(err, fault.Invalid("times", "must be whole minutes of a day, not %v", t))
		}
	}
	if r.Lasts < time.Minute || r.Lasts > maxLasts {
		err = errors.Join(err, fault.Invalid("lasts", "must be %v to %v, is %v", time.Minute, maxLasts, r.Lasts))
	}
	for _, l := range r.Lots {
		l.Product.Activity = 1
		err = errors.Join(err, l.Product.check(), input.Positive("units", l.Units))
	}
	return err
}

// schedule is Schedule of series that are good. It leaves out sessions that are complete, and notes those that are now.
func (s *Sales) schedule(ctx context.Context, series []Series, complete map[int64]bool) (made int, err error) {
	if len(series) == 0 {
		return 0, nil
	}
	s = s.plain()
	_, now, err := s.store.Activity(ctx, 0)
	if err != nil {
		return 0, err
	}
	var errs []error
	starts := map[int64]time.Time{}
	for _, one := range series {
		for _, start := range one.sessions(now) {
			id := one.ID(start)
			if other, taken := starts[id]; taken && !other.Equal(start) {
				errs = append(errs, fault.Mismatch(named(id), fault.Alike("start", other, start)))
				continue
			}
			starts[id] = start
			if complete[id] {
				continue
			}
			is, err := s.session(ctx, one, id, start)
			if is {
				made++
			}
			if complete[id] = err == nil; err != nil {
				errs = append(errs, fmt.Errorf("session %d: %w", id, err))
			}
			if fault.Stops(err) && !errors.Is(err, ErrInvalid) || ctx.Err() != nil {
				return made, errors.Join(errs...)
			}
		}
	}
	return made, errors.Join(errs...)
}

// sessions returns when the sessions begin that are to be there at now.
func (r Series) sessions(now time.Time) []time.Time {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil
	}
	var starts []time.Time
	year, month, first := now.Add(-r.Lasts).In(zone).Date()
	days := int((r.Lasts+ScheduleAhead)/day) + 3 // the first may belong to the day before
	for n := range days {
		for _, t := range r.Times {
			start := clockTime(year, month, first-1+n, t, zone)
			if start.Add(r.Lasts).After(now) && start.Before(now.Add(ScheduleAhead)) &&
				!start.Before(r.From) && (r.Until.IsZero() || start.Before(r.Until)) {
				starts = append(starts, start)
			}
		}
	}
	return starts
}

// clockTime returns when the clocks of a zone first show a time of a day, or the next minute that they do.
func clockTime(year int, month time.Month, dayOf int, since time.Duration, zone *time.Location) time.Time {
	for minute := int(since / time.Minute); ; minute++ {
		wall := time.Date(year, month, dayOf, 0, minute, 0, 0, time.UTC)
		at := time.Date(year, month, dayOf, 0, minute, 0, 0, zone)
		if !shows(at, wall, zone) {
			continue // time.Date returns another time where there is none
		}
		if change, _ := at.ZoneBounds(); !change.IsZero() { // it may be the second of two
			_, before := change.Add(-time.Second).In(zone).Zone()
			_, since := at.Zone()
			if first := at.Add(-time.Duration(before-since) * time.Second); first.Before(change) && shows(first, wall, zone) {
				at = first
			}
		}
		return at.UTC()
	}
}

// shows reports whether the clocks of a zone show a time at a moment.
func shows(at, wall time.Time, zone *time.Location) bool {
	return at.In(zone).Format(time.DateTime) == wall.Format(time.DateTime)
}

// session makes or completes a session. It reports whether this call made it.
func (s *Sales) session(ctx context.Context, r Series, id int64, start time.Time) (made bool, err error) {
	if err := input.Positive("activity", id); err != nil {
		return false, err
	}
	is, now, err := s.store.Activity(ctx, id)
	switch {
	case err != nil:
		return false, err
	case is.Version == 0:
		is = r.Activity
		is.ID, is.Start, is.End = id, start, start.Add(r.Lasts)
		if is, err = s.Define(ctx, is); err != nil {
			return false, err
		}
		made = true
	case (Kind{}).Period(is).Ended(now):
		return false, nil
	}
	var errs []error
	for _, l := range r.Lots {
		l.Product.Activity = id
		_, err := s.Offer(ctx, l.Product, l.Units)
		if !errors.Is(err, ErrMismatch) { // an operator has changed it
			errs = append(errs, err)
		}
	}
	if is.ApprovedAt.IsZero() {
		_, err := s.Approve(ctx, id)
		errs = append(errs, err)
	}
	return made, errors.Join(errs...)
}
