package event

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/internal/sweep"
)

// The defaults and bounds of Events.
const (
	DefaultLeaseFor      = time.Minute    // how long a BatchHandler may take
	MaxLeaseFor          = 24 * time.Hour // and the most that may be
	DefaultRetryIn       = time.Second    // the first pause after a handler failed
	MaxRetryIn           = time.Hour      // the longest pause
	DefaultMaxFailures   = 20             // then an event is set aside
	DefaultMaxDeliveries = 100            // and after so many deliveries of which no handler came back
	DefaultBatch         = 500            // events that a BatchHandler is given at once
	MaxBatch             = 900            // and the most that may be
	DefaultEvery         = time.Second    // how long Run rests where nothing is due
)

// Options are the rules of Events. The zero value is the default.
type Options struct {
	// LeaseFor is how long a BatchHandler may take until its events go to another process, 1 µs to MaxLeaseFor; 0 is
	// DefaultLeaseFor. A Handler may take half of it, since it is given several events one after the other.
	LeaseFor time.Duration

	// RetryIn is the first pause after an error, 1 µs to MaxRetryIn; each further one is twice as long; 0 is DefaultRetryIn.
	RetryIn time.Duration

	MaxFailures   int64         // an event is set aside after so many errors; 0 is DefaultMaxFailures
	MaxDeliveries int64         // or after so many deliveries, where processes die with it; 0 is DefaultMaxDeliveries
	Batch         int           // events that a BatchHandler is given at once, up to MaxBatch; 0 is DefaultBatch
	Every         time.Duration // how long Run rests where nothing is due; 0 is DefaultEvery

	// OnError is told of the errors of handlers, each an *Error, and Run also tells it of those of the store. Nil drops them.
	OnError func(error)
}

// Events delivers the events of a store to handlers. It is safe for concurrent use. The zero Events refuses every call with
// ErrInvalid; use New.
type Events struct {
	store  Store
	opts   Options
	broken error // what is wrong with the arguments of New; every call returns it
}

// New returns Events over a store. Nil options are the defaults. Bad options are reported by every call as ErrInvalid.
func New(store Store, opts *Options) *Events {
	e := &Events{store: store}
	if opts != nil {
		e.opts = *opts
	}
	o := &e.opts
	o.MaxFailures = cmp.Or(o.MaxFailures, DefaultMaxFailures)
	o.MaxDeliveries = cmp.Or(o.MaxDeliveries, DefaultMaxDeliveries)
	o.Batch = cmp.Or(o.Batch, DefaultBatch)
	e.broken = cmp.Or(
		input.Span("LeaseFor", &o.LeaseFor, DefaultLeaseFor, MaxLeaseFor),
		input.Span("RetryIn", &o.RetryIn, DefaultRetryIn, MaxRetryIn),
		input.NotNegative("MaxFailures", o.MaxFailures),
		input.NotNegative("MaxDeliveries", o.MaxDeliveries),
		input.Positive("Batch", int64(o.Batch)),
		input.Interval("Every", &o.Every, DefaultEvery),
	)
	if e.broken == nil && o.Batch > MaxBatch {
		e.broken = fault.Invalid("Batch", "must be %d at most, is %d", MaxBatch, o.Batch)
	}
	if store == nil {
		e.broken = cmp.Or(e.broken, fault.Invalid("store", "must not be nil"))
	}
	return e
}

// ready refuses a call before any I/O.
func (e *Events) ready(ctx context.Context) error {
	if e == nil {
		e = &Events{}
	}
	return cmp.Or(input.Made("events", e.store != nil, e.broken), input.Context(ctx))
}

// Run delivers events to a handler until the context ends, and returns the error of the context. It looks for what is due
// every Options.Every, and less often while the store fails. Run it in any number of processes.
//
//	go events.Run(ctx, handle)
//
// Errors: ErrInvalid, or that of the context.
func (e *Events) Run(ctx context.Context, handle Handler) error {
	return e.run(ctx, handle == nil, func(ctx context.Context) (int, error) { return e.Deliver(ctx, handle) })
}

// RunBatch is Run for a BatchHandler.
func (e *Events) RunBatch(ctx context.Context, handle BatchHandler) error {
	return e.run(ctx, handle == nil, func(ctx context.Context) (int, error) { return e.DeliverBatch(ctx, handle) })
}

func (e *Events) run(ctx context.Context, none bool, deliver func(context.Context) (int, error)) error {
	if err := cmp.Or(e.ready(ctx), checkHandler(none)); err != nil {
		return err
	}
	return sweep.Run(ctx, e.opts.Every, deliver, e.opts.OnError)
}

// Redeliver gives an event that was set aside to a handler, by hand. Call it once the cause of the failures is fixed. An event
// that is done is returned as it is, without calling the handler. Two concurrent calls may both call theirs.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrNotPoisoned (Deliver will deliver it), then the error of the
// handler, within an *Error: the event stays set aside.
func (e *Events) Redeliver(ctx context.Context, id int64, handle Handler) (Event, error) {
	if err := cmp.Or(e.ready(ctx), input.Positive("event", id), checkHandler(handle == nil)); err != nil {
		return Event{}, err
	}
	is, err := e.store.Event(ctx, id)
	switch {
	case err != nil:
		return Event{}, err
	case is.Kind == 0:
		return Event{}, &Error{Event: Event{ID: id}, Err: ErrNotFound}
	case !is.DoneAt.IsZero():
		return is, nil
	case !is.Poisoned:
		return Event{}, &Error{Event: is, Err: ErrNotPoisoned}
	}
	if err := handle(ctx, is); err != nil {
		failed := &Error{Event: is, Err: err}
		_, err := e.settle(ctx, Result{Event: is, Failure: shorten(err.Error()), Aside: true})
		return Event{}, errors.Join(failed, err)
	}
	if _, err := e.settle(ctx, Result{Event: is, Done: true}); err != nil {
		return Event{}, err
	}
	is, err = e.store.Event(ctx, id)
	return is, fault.Unread(err)
}

// Poisoned lists the events of all queues that were set aside after too many failures, by ID. Redeliver each once the cause of
// its failures is fixed. It reads page by page, and ends with the first error.
func (e *Events) Poisoned(ctx context.Context) iter.Seq2[Event, error] {
	return e.list(ctx, e.ready(ctx), "")
}

// Of lists the events of a queue that were not pruned, by ID; see ItemQueue and its like. It reads page by page, and ends with the
// first error.
func (e *Events) Of(ctx context.Context, queue string) iter.Seq2[Event, error] {
	err := e.ready(ctx)
	if err == nil && (queue == "" || len(queue) > MaxQueue) {
		err = fault.Invalid("queue", "must have 1 to %d bytes, has %d", MaxQueue, len(queue))
	}
	return e.list(ctx, err, queue)
}

func (e *Events) list(ctx context.Context, err error, queue string) iter.Seq2[Event, error] {
	return listing.Pages(err,
		func(after int64, limit int) ([]Event, error) { return e.store.List(ctx, queue, after, limit) },
		func(is Event) int64 { return is.ID })
}

// Prune deletes the events that were done before a time, in small batches, and returns how many. What is not done stays.
func (e *Events) Prune(ctx context.Context, before time.Time) (int, error) {
	if err := cmp.Or(e.ready(ctx), input.Time("before", before)); err != nil {
		return 0, err
	}
	pruned := 0
	for {
		n, err := e.store.Prune(ctx, before, MaxBatch)
		if pruned += n; err != nil || n < MaxBatch {
			return pruned, err
		}
	}
}
