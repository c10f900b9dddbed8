package event

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

const (
	taken     = 16               // events that Deliver takes at a time, to give them to its handler one after the other
	recordFor = 30 * time.Second // how long it may take to record what became of events
)

// A Handler does what an event asks for. Each event is delivered at least once, so a Handler has to recognise an event that it
// has already done, by Event.ID, which is the same at every delivery. Once it returns nil, the event is done. It has half of
// Options.LeaseFor to return. A panic is not recovered; its event is due again when the lease has ended.
type Handler func(ctx context.Context, e Event) error

// A BatchHandler does what many events ask for at once, such as an update of a search index. Those of one queue are in order. Once
// it returns nil, all of them are done. An error counts as a failure of each. Whatever has failed before comes by itself, so that
// one bad event does not keep the others back. It has Options.LeaseFor to return.
type BatchHandler func(ctx context.Context, events []Event) error

// Deliver gives every event that is due to a handler, one after the other, and returns how many are done. Use it for a job of its
// own; Run calls it again and again. Any number of processes may run it at once, and share the work.
//
// An error of the handler does not end Deliver: it is kept with the event, and passed to Options.OnError as an *Error. The event
// is due again after a pause: Options.RetryIn, then twice as long each time, an hour at most. The later events of its queue
// wait for it. After Options.MaxFailures errors it is set aside (see Poisoned), and they go on.
//
// When the context ends while a handler runs, the error of the context is returned. An event that the handler has done is
// recorded as done, and one for which it returned an error is due again at once.
//
// Errors: ErrInvalid, that of the context, or of the store.
func (e *Events) Deliver(ctx context.Context, handle Handler) (int, error) {
	one := func(ctx context.Context, events []Event) error { return handle(ctx, events[0]) }
	return e.deliver(ctx, handle == nil, taken, 1, one)
}

// DeliverBatch is Deliver for a BatchHandler.
func (e *Events) DeliverBatch(ctx context.Context, handle BatchHandler) (int, error) {
	return e.deliver(ctx, handle == nil, e.opts.Batch, MaxBatch, handle)
}

// checkHandler refuses a handler that is none.
func checkHandler(none bool) error {
	if none {
		return fault.Invalid("handler", "must not be nil")
	}
	return nil
}

// deliver takes events, so many at a time, and gives them to a handler, up to so many at once.
func (e *Events) deliver(ctx context.Context, none bool, take, most int, handle BatchHandler) (int, error) {
	if err := cmp.Or(e.ready(ctx), checkHandler(none)); err != nil {
		return 0, err
	}
	d := delivery{Events: e, handle: handle, most: most, failed: map[int64]bool{}}
	for {
		events, err := e.store.Take(ctx, take, e.opts.LeaseFor)
		if err != nil || len(events) == 0 {
			return d.done, err
		}
		if fresh, err := d.give(ctx, events); err != nil || !fresh {
			return d.done, err
		}
	}
}

// delivery is one call of Deliver.
type delivery struct {
	*Events

	handle BatchHandler
	most   int            // events that the handler is given at once
	done   int            // events that are done
	failed map[int64]bool // events that have failed, which are not tried again however short their pause is
}

// give gives events to the handler, by the parts that it takes at once. It reports whether there was one that this call had not
// given to it before. What it does not give to the handler, it gives back.
func (d *delivery) give(ctx context.Context, events []Event) (fresh bool, err error) {
	began, stopped := time.Now(), map[string]bool{} // queues that have to wait
	var back []Result
	for len(events) > 0 {
		part := events[:d.together(events)]
		events = events[len(part):]
		var ready []Event
		for _, is := range part {
			switch {
			case stopped[is.Queue], d.failed[is.ID], ctx.Err() != nil, d.most == 1 && time.Since(began) > d.opts.LeaseFor/2:
				back = append(back, Result{Event: is})
				stopped[is.Queue] = true
			case is.Deliveries > d.opts.MaxDeliveries:
				fresh = true
				if err := d.fail(ctx, errLost, is); err != nil {
					return fresh, err
				}
			default:
				ready = append(ready, is)
			}
		}
		if len(ready) == 0 {
			continue
		}
		fresh = true
		failed, err := d.handOver(ctx, ready)
		if err != nil {
			return fresh, err
		}
		for _, is := range failed {
			stopped[is.Queue] = true
		}
	}
	if len(back) > 0 {
		if _, err := d.settle(ctx, back...); err != nil {
			return fresh, err
		}
	}
	return fresh, ctx.Err()
}

// errLost is the failure of an event with which processes die.
var errLost = errors.New("event: delivered too often, and no handler came back")

// together returns how many of the first events the handler is given at once: one that has failed before, or as many as have not.
func (d *delivery) together(events []Event) int {
	n := 0
	for n < min(d.most, len(events)) && events[n].Failures == 0 {
		n++
	}
	return max(n, 1)
}

// handOver gives events to the handler, records what became of them, and returns those that have failed.
func (d *delivery) handOver(ctx context.Context, events []Event) (failed []Event, err error) {
	if err := d.handle(ctx, events); err != nil {
		if ctx.Err() != nil { // they may well be done next time
			return events, d.giveBack(ctx, events)
		}
		return events, d.fail(ctx, err, events...)
	}
	results := make([]Result, len(events))
	for i, is := range events {
		results[i] = Result{Event: is, Done: true}
	}
	n, err := d.settle(ctx, results...)
	d.done += n
	return nil, err
}

// giveBack makes events due at once that a handler could not do because the context has ended.
func (d *delivery) giveBack(ctx context.Context, events []Event) error {
	back := make([]Result, len(events))
	for i, is := range events {
		back[i] = Result{Event: is}
	}
	_, err := d.settle(ctx, back...)
	return err
}

// fail records that events have failed, and reports it.
func (d *delivery) fail(ctx context.Context, why error, events ...Event) error {
	results := make([]Result, len(events))
	for i, is := range events {
		d.failed[is.ID] = true
		is.Failures++
		aside := is.Failures >= d.opts.MaxFailures || is.Deliveries > d.opts.MaxDeliveries
		results[i] = Result{Event: is, Failure: shorten(why.Error()), RetryIn: pause(d.opts.RetryIn, is.Failures-1), Aside: aside}
	}
	_, err := d.settle(ctx, results...)
	if d.opts.OnError != nil && err == nil {
		for _, r := range results {
			is := r.Event
			is.Failure, is.Poisoned = r.Failure, r.Aside
			d.opts.OnError(&Error{Event: is, Err: why})
		}
	}
	return err
}

// settle records what became of events, even if the context has ended meanwhile.
func (e *Events) settle(ctx context.Context, results ...Result) (int, error) {
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), recordFor)
	defer end()
	return e.store.Settle(ctx, results)
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
	failure = cmp.Or(strings.ToValidUTF8(failure, "\uFFFD"), "no reason given")
	return strings.ToValidUTF8(failure[:min(len(failure), MaxFailure)], "")
}
