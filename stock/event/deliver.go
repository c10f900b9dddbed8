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
// one bad event does not keep the others back. Each call has all of Options.LeaseFor to return: its events were leased for it
// alone.
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
	d := e.delivery(one)
	return d.run(ctx, handle == nil, d.giveEach)
}

// DeliverBatch is Deliver for a BatchHandler.
func (e *Events) DeliverBatch(ctx context.Context, handle BatchHandler) (int, error) {
	d := e.delivery(handle)
	return d.run(ctx, handle == nil, d.giveBatch)
}

// delivery is one call of Deliver.
type delivery struct {
	*Events

	handle BatchHandler
	done   int            // events that are done
	failed map[int64]bool // events that have failed, which are not tried again however short their pause is
	alone  bool           // whether there may be more that has failed before, so that it is taken one by one
}

func (e *Events) delivery(handle BatchHandler) *delivery {
	return &delivery{Events: e, handle: handle, failed: map[int64]bool{}}
}

// run takes events and gives them to the handler, as long as there are some that this call has not given to it before.
func (d *delivery) run(ctx context.Context, none bool, give func(context.Context) (fresh bool, err error)) (int, error) {
	if err := cmp.Or(d.ready(ctx), checkHandler(none)); err != nil {
		return 0, err
	}
	for {
		if fresh, err := give(ctx); err != nil || !fresh {
			return d.done, err
		}
	}
}

// checkHandler refuses a handler that is none.
func checkHandler(none bool) error {
	if none {
		return fault.Invalid("handler", "must not be nil")
	}
	return nil
}

// giveEach takes some events and gives them to the handler one after the other, as long as half of their lease is left. It reports
// whether there was one that this call had not given to it before. What it does not give to the handler, it gives back.
func (d *delivery) giveEach(ctx context.Context) (fresh bool, err error) {
	events, err := d.store.Take(ctx, taken, d.opts.LeaseFor)
	if err != nil {
		return false, err
	}
	began, stopped := time.Now(), map[string]bool{} // queues that have to wait
	var back []Event
	for _, is := range events {
		if stopped[is.Queue] || d.failed[is.ID] || ctx.Err() != nil || time.Since(began) > d.opts.LeaseFor/2 {
			back = append(back, is)
			stopped[is.Queue] = true
			continue
		}
		fresh = true
		if is.Deliveries > d.opts.MaxDeliveries {
			err = d.fail(ctx, errLost, is)
		} else {
			stopped[is.Queue], err = d.deliver(ctx, []Event{is})
		}
		if err != nil {
			return fresh, err
		}
	}
	return fresh, cmp.Or(d.giveBack(ctx, back), ended(ctx, events))
}

// giveBatch takes some events and gives the handler those that have not failed before, or one that has: one call, so that its events
// do not spend their lease on waiting for another one. The rest it gives back first, for the next Take or for somebody else.
// While there may be more that has failed, it takes one event at a time: of a longer Take nearly all would go back.
func (d *delivery) giveBatch(ctx context.Context) (fresh bool, err error) {
	if d.alone {
		if fresh, err = d.giveSome(ctx, 1); fresh || err != nil {
			return fresh, err
		}
	}
	return d.giveSome(ctx, d.opts.Batch)
}

// giveSome is giveBatch with a limit. It reports whether there was an event that this call had not given to the handler before.
func (d *delivery) giveSome(ctx context.Context, limit int) (fresh bool, err error) {
	events, err := d.store.Take(ctx, limit, d.opts.LeaseFor)
	if err != nil {
		return false, err
	}
	batch, lost, back := d.together(events)
	if ctx.Err() != nil {
		batch, back = nil, append(back, batch...)
	}
	if err := d.giveBack(ctx, back); err != nil {
		return false, err
	}
	if len(lost) > 0 {
		if err := d.fail(ctx, errLost, lost...); err != nil {
			return true, err
		}
	}
	if len(batch) > 0 {
		if _, err := d.deliver(ctx, batch); err != nil {
			return true, err
		}
	}
	return len(batch)+len(lost) > 0, ended(ctx, events)
}

// together tells apart what the handler is given at once, what is set aside without it, and what goes back: whatever has failed, if
// there is anything else, and what comes behind it in its queue.
func (d *delivery) together(events []Event) (batch, lost, back []Event) {
	stopped, failed := map[string]bool{}, []Event(nil)
	for _, is := range events {
		switch {
		case stopped[is.Queue], d.failed[is.ID]:
			back = append(back, is)
			stopped[is.Queue] = true
		case is.Deliveries > d.opts.MaxDeliveries:
			lost = append(lost, is)
		case is.Failures > 0:
			failed = append(failed, is)
			stopped[is.Queue] = true
		default:
			batch = append(batch, is)
		}
	}
	d.alone = len(failed) > 0
	if d.alone && len(batch) == 0 {
		batch, failed = failed[:1], failed[1:]
	}
	return batch, lost, append(back, failed...)
}

// ended returns the error of a context that has ended while there were events to deliver.
func ended(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	return ctx.Err()
}

// errLost is the failure of an event with which processes die.
var errLost = errors.New("event: delivered too often, and no handler came back")

// deliver gives events to the handler, records what became of them, and reports whether they have failed.
func (d *delivery) deliver(ctx context.Context, events []Event) (failed bool, err error) {
	if err := d.handle(ctx, events); err != nil {
		if ctx.Err() != nil { // they may well be done next time
			return true, d.giveBack(ctx, events)
		}
		return true, d.fail(ctx, err, events...)
	}
	results := make([]Result, len(events))
	for i, is := range events {
		results[i] = Result{Event: is, Done: true}
	}
	n, err := d.settle(ctx, results...)
	d.done += n
	return false, err
}

// giveBack makes events due at once that no handler has tried to the end.
func (d *delivery) giveBack(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
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
