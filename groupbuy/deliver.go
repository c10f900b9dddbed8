package groupbuy

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	eventBatch = 100              // how many events Deliver looks up at a time, each of another team
	recordFor  = 30 * time.Second // how long it may take to record that an event is done
)

// A Handler does what an event asks for. It turns the members of a formed team into orders, pays a refund
// under Event.Refund, or closes the order of a released seat. Each event is delivered at least once, so a Handler
// has to recognise an event it has already done, by Event.ID, which is the same at every delivery.
//
// Once it returns nil, the event is done; a RefundOwed makes its seat Refunded. It has Options.LeaseFor to
// return; after that the event may be given to another process.
type Handler func(ctx context.Context, e Event) error

// Deliver gives every due event to a handler, and returns how many events are done. The events of one team are
// delivered one after the other, in the order in which they happened; there is no order between teams. Any number
// of processes may run it at once, and share the work.
//
// An error of the handler does not end Deliver: it is stored with the event, and passed to Options.OnError as an
// *EventError. The event is due again after a pause: Options.RetryIn, then twice as long each time, an hour at most.
// The later events of its team wait for it. After Options.MaxTries tries it is set aside (see Poisoned), and they go
// on. A panic of a handler is not recovered; its event is due again when its lease ends, which counts as a try.
//
// When the context ends while a handler runs, the context's error is returned. An event that the handler completed is
// recorded as done; one for which it returned an error is due again when its lease ends.
//
// Errors: ErrInvalid, or of the store.
func (g *Groups) Deliver(ctx context.Context, handle Handler) (int, error) {
	if err := errors.Join(g.ready(ctx), checkHandler(handle)); err != nil {
		return 0, err
	}
	delivered, tried := 0, map[string]bool{} // what failed, which is not tried twice however short the pause
	for {
		due, err := g.store.DueEvents(ctx, eventBatch)
		if err != nil {
			return delivered, err
		}
		leased := false
		for _, event := range due {
			if tried[event.ID()] {
				continue
			}
			done, ours, err := g.deliver(ctx, event, handle)
			if done {
				delivered++
			}
			if err != nil {
				return delivered, err
			}
			leased = leased || ours
			if ours && !done {
				tried[event.ID()] = true
			}
		}
		if !leased { // nothing is due, or only what others are at, or what has just failed
			return delivered, nil
		}
	}
}

// checkHandler refuses a handler that is none.
func checkHandler(handle Handler) error {
	if handle == nil {
		return fault.Invalid("handler", "must not be nil")
	}
	return nil
}

// deliver gives one event to a handler. Ours reports whether it was this call's to deal with, and done whether
// this call was done with it.
func (g *Groups) deliver(ctx context.Context, event Event, handle Handler) (done, ours bool, err error) {
	if event.Tries >= g.opts.MaxTries { // and nobody ever came back to say what became of the last
		return g.undelivered(ctx, event, errors.New("no handler came back from it")) //nolint:err113 // for people
	}
	event, err = g.filled(ctx, event)
	if err != nil {
		return false, false, err
	}
	verdict, err := g.store.Lease(ctx, event, g.opts.LeaseFor)
	if err != nil || verdict != stock.Done {
		return false, false, err
	}
	event.Tries++
	if err := handle(ctx, event); err != nil {
		if ctx.Err() != nil {
			return false, true, ctx.Err()
		}
		return g.undelivered(ctx, event, err)
	}
	if done, err = g.delivered(ctx, event); err == nil {
		err = ctx.Err()
	}
	return done, true, err
}

// delivered records that a handler has done an event, and reports whether this call did. It does so even if the
// context has ended meanwhile.
func (g *Groups) delivered(ctx context.Context, event Event) (bool, error) {
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer end()
	verdict, err := g.store.Delivered(ctx, event)
	done := err == nil && verdict == stock.Done
	if done && event.Kind == RefundOwed {
		g.tell(ctx, Effect{Step: StepReturn, Order: event.Order, Team: event.Code})
	}
	return done, err
}

// undelivered records that a try of an event failed, and reports it.
func (g *Groups) undelivered(ctx context.Context, event Event, failure error) (done, ours bool, err error) {
	event.Failure = shorten(failure.Error())
	poison := event.Tries >= g.opts.MaxTries
	verdict, err := g.store.Undelivered(ctx, event, event.Failure, pause(g.opts.RetryIn, event.Tries-1), poison)
	if err != nil {
		return false, true, err
	}
	event.Poisoned = poison && verdict == stock.Done
	if g.opts.OnError != nil {
		g.opts.OnError(&EventError{Event: event, Err: failure})
	}
	return false, true, nil
}

// filled returns an event with what a handler is given.
func (g *Groups) filled(ctx context.Context, event Event) (Event, error) {
	var err error
	if event.Order != "" {
		event.Seat, event.Team, _, err = g.store.Seat(ctx, event.Order)
	} else {
		event.Team, _, err = g.store.Team(ctx, event.Code, stock.Key{})
	}
	if err == nil && event.Kind == TeamFormed {
		event.Members, err = g.members(ctx, event.Code)
	}
	return event, err
}

// Redeliver gives an event that was set aside to a handler, by hand. Call it once the cause of the failures is fixed.
// An event that is done is returned as it is, without calling the handler. Two concurrent calls may both call theirs.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownTeam, ErrUnknownEvent, ErrNotPoisoned (Deliver will
// deliver it), then the error of the handler, within an *EventError: the event stays set aside.
func (g *Groups) Redeliver(ctx context.Context, code string, no int64, handle Handler) (Event, error) {
	code, err := Canonical(code)
	if err := errors.Join(g.ready(ctx), err, input.Positive("number", no), checkHandler(handle)); err != nil {
		return Event{}, err
	}
	event, err := g.event(ctx, code, no)
	if err != nil || !event.DoneAt.IsZero() {
		return event, err
	}
	if !event.Poisoned {
		return Event{}, &EventError{Event: event, Err: ErrNotPoisoned}
	}
	if event, err = g.filled(ctx, event); err != nil {
		return Event{}, err
	}
	if err := handle(ctx, event); err != nil {
		return Event{}, &EventError{Event: event, Err: err}
	}
	if _, err := g.delivered(ctx, event); err != nil {
		return Event{}, err
	}
	event, err = g.event(ctx, code, no)
	return event, fault.Unread(err)
}

// event returns an event that exists.
func (g *Groups) event(ctx context.Context, code string, no int64) (Event, error) {
	event, err := g.store.Event(ctx, code, no)
	if err != nil || event.Kind != 0 {
		return event, err
	}
	if _, err := g.team(ctx, code); err != nil {
		return Event{}, err
	}
	return Event{}, &EventError{Event: Event{Code: code, No: no}, Err: ErrUnknownEvent}
}

// Poisoned lists the events of all teams that were set aside after too many tries, by team and number, without
// Team, Seat and Members. Redeliver each once the cause of its failures is fixed.
func (g *Groups) Poisoned(ctx context.Context) iter.Seq2[Event, error] {
	return g.events(ctx, g.ready(ctx), "", true)
}

// Events lists the events of a team in order, without Team, Seat and Members. Errors, in the order of precedence:
// ErrInvalid, ErrUnknownTeam.
func (g *Groups) Events(ctx context.Context, code string) iter.Seq2[Event, error] {
	code, err := Canonical(code)
	return allot.OrNone(g.events(ctx, errors.Join(g.ready(ctx), err), code, false), func() error {
		_, err := g.team(ctx, code)
		return err
	})
}

// events lists the events of a team, or those of all that are set aside, or an error.
func (g *Groups) events(ctx context.Context, err error, code string, poisoned bool) iter.Seq2[Event, error] {
	return listing.Pages(err,
		func(after EventCursor, limit int) ([]Event, error) {
			return g.store.Events(ctx, code, poisoned, after, limit)
		},
		func(e Event) EventCursor { return EventCursor{Code: e.Code, No: e.No} })
}

// pause returns how long an event rests after so many earlier failures.
func pause(first time.Duration, failures int64) time.Duration {
	for ; failures > 0 && first < MaxRetryIn; failures-- {
		first *= 2
	}
	return min(first, MaxRetryIn)
}

// shorten returns a failure as every store can keep it: UTF-8, and cut between two characters.
func shorten(failure string) string {
	failure = strings.ToValidUTF8(failure, "\uFFFD")
	return strings.ToValidUTF8(failure[:min(len(failure), MaxText)], "")
}
