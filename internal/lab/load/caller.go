package load

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// call is one caller, who goes on until the end, or until there is no order left. One who is only there beside the others counts
// apart, and nobody asks how long it waits.
func (w *worker) call(ctx context.Context, from, until time.Time, beside bool) {
	var told contender.Tally
	var ops int64
	latencies := make([]uint32, 0, 1_024) // microseconds
	step := w.step(beside)
	for begun := time.Now(); begun.Before(until) && ctx.Err() == nil; {
		done, more := step(ctx, &told)
		if !more {
			break
		}
		ended := time.Now()
		if done > 0 && !ended.Before(from) {
			latencies = append(latencies, uint32(min(ended.Sub(begun).Microseconds(), 1<<32-1)))
			if ended.Before(until) {
				ops += done
			}
		}
		begun = ended
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcome.Add(told)
	if beside {
		w.outcome.Beside += ops
		return
	}
	w.outcome.Ops += ops
	for _, l := range latencies {
		record(w.histogram, int64(l))
	}
}

// record takes what is out of range as the nearest that is in it.
func record(h *hdrhistogram.Histogram, micros int64) {
	_ = h.RecordValue(min(max(micros, h.LowestTrackableValue()), h.HighestTrackableValue()))
}

// step returns one round of what a caller does. It tells how many operations that were, and whether there was an order.
func (w *worker) step(beside bool) func(context.Context, *contender.Tally) (done int64, more bool) {
	if batcher, ok := w.contender.(contender.Batcher); ok {
		return func(ctx context.Context, told *contender.Tally) (int64, bool) {
			return w.lockAll(ctx, batcher, told), true
		}
	}
	if w.job.Scenario == Pay {
		return func(ctx context.Context, told *contender.Tally) (int64, bool) {
			serial := w.serial.Add(1)
			if serial > w.filled {
				return 0, false
			}
			return number(w.ok(w.contender.Pay(ctx, w.order(serial)), &told.Paid, told)), true
		}
	}
	second := w.second()
	return func(ctx context.Context, told *contender.Tally) (int64, bool) {
		order := w.next()
		if beside {
			order.SKUs = []int64{contender.HotSKU}
		}
		refused := told.Refused
		done := w.ok(w.contender.Lock(ctx, order), &told.Locked, told) && second(ctx, order, told)
		if w.job.Scenario == SoldOut {
			done = told.Refused > refused
		}
		return number(done), true
	}
}

// second returns what follows a Lock.
func (w *worker) second() func(context.Context, contender.Order, *contender.Tally) bool {
	switch w.job.Scenario.describe().then {
	case payIt:
		return func(ctx context.Context, order contender.Order, told *contender.Tally) bool {
			return w.ok(w.contender.Pay(ctx, order), &told.Paid, told)
		}
	case cancelIt:
		return func(ctx context.Context, order contender.Order, told *contender.Tally) bool {
			return w.ok(w.contender.Cancel(ctx, order), &told.Cancelled, told)
		}
	case soldAlready:
		return func(_ context.Context, _ contender.Order, told *contender.Tally) bool {
			told.Paid++
			return true
		}
	case nothing:
	}
	return func(context.Context, contender.Order, *contender.Tally) bool { return true }
}

func number(done bool) int64 {
	if done {
		return 1
	}
	return 0
}

// ok counts what came of a call.
func (w *worker) ok(err error, done *int64, told *contender.Tally) bool {
	switch {
	case err == nil:
		*done++
		return true
	case errors.Is(err, contender.ErrSoldOut):
		told.Refused++
	case errors.Is(err, contender.ErrGaveUp):
	default:
		told.Failed++
		w.mu.Lock()
		if w.failure == "" {
			w.failure = err.Error()
		}
		w.mu.Unlock()
		time.Sleep(time.Millisecond) // whatever it is, do not make it worse
	}
	return false
}

func (w *worker) lockAll(ctx context.Context, batcher contender.Batcher, told *contender.Tally) int64 {
	size := int64(w.kind.Batch)
	orders := w.nextOrders(size)
	err := batcher.LockAll(ctx, orders)
	if err != nil {
		told.Failed += size - 1
	}
	var batches int64
	if !w.ok(err, &batches, told) {
		return 0
	}
	told.Locked += size
	return size
}

// nextOrders returns as many new orders.
func (w *worker) nextOrders(n int64) []contender.Order {
	orders := make([]contender.Order, n)
	for i := range orders {
		orders[i] = w.next()
	}
	return orders
}

// next returns a new order.
func (w *worker) next() contender.Order { return w.order(w.serial.Add(1)) }

// order returns the order with a serial number. Order numbers are as shops have them: 18 digits, about in the order of time, with
// the process that made them in the last.
func (w *worker) order(serial int64) contender.Order {
	const first, processes = 100_000_000_000_000_000, 64
	number := first + serial*processes + int64(w.job.Index)
	return contender.Order{
		No:   strconv.FormatInt(number, 10),
		SKUs: w.job.Scenario.describe().skus(number, serial, int64(w.job.SKUs)),
	}
}
