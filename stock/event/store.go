package event

import (
	"context"
	"time"
)

// Store keeps events. It is mechanical: it does as told, atomically. Memory and sqlstore.Events implement it. Whoever writes events
// does that in its own way, in the transaction of what they tell of.
//
// For every method: it is safe for concurrent use; an error matches ErrUnavailable or ErrStore where nothing was done, and ErrUnknown
// where that is not known; time is the store's own clock, in whole microseconds, UTC.
type Store interface {
	// Take leases up to limit events that are due, counts a delivery of each, and returns them by ID. Nobody else gets them until
	// the lease has ended. An event is left out while an earlier one of its queue is neither done, nor set aside, nor taken by the
	// same call.
	Take(ctx context.Context, limit int, leaseFor time.Duration) ([]Event, error)

	// Settle records what became of events, of each one that is not done yet. It returns how many were recorded. A result
	// that is not Done is dropped if the event was delivered again meanwhile, which its number of Deliveries shows.
	Settle(ctx context.Context, results []Result) (int, error)

	// Event returns an event; Kind is 0 where there is none.
	Event(ctx context.Context, id int64) (Event, error)

	// List returns up to limit events behind an ID, by ID: those of a queue, or with queue "" those of all queues that are set aside.
	List(ctx context.Context, queue string, after int64, limit int) ([]Event, error)

	// Prune deletes up to limit events that were done before a time, and returns how many.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// Result is what became of an event that was given to a handler.
type Result struct {
	Event   Event         // as Take has returned it
	Done    bool          // the handler has done it
	Failure string        // otherwise why not, which counts; "" where no handler was called, so that the delivery does not count
	RetryIn time.Duration // and how long it rests
	Aside   bool          // or it is set aside; one that is set aside stays so
}
