package load

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// call is one caller.
func (w *worker) call(ctx context.Context, from, until time.Time) {
	var told contender.Tally
	var ops int64
	latencies := make([]uint32, 0, 1_024) // microseconds
	step := w.step()
	for begun := time.Now(); begun.Before(until) && ctx.Err() == nil; {
		done := step(ctx, &told)
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
	w.outcome.Ops += ops
	for _, l := range latencies {
		record(w.histogram, int64(l))
	}
}

// record takes what is out of range as the nearest that is in it.
func record(h *hdrhistogram.Histogram, micros int64) {
	_ = h.RecordValue(min(max(micros, h.LowestTrackableValue()), h.HighestTrackableValue()))
}

// step returns one round of what a caller does. It tells how many operations that were.
func (w *worker) step() func(context.Context, *contender.Tally) int64 {
	if batcher, ok := w.contender.(contender.Batcher); ok {
		return func(ctx context.Context, told *contender.Tally) int64 { return w.lockAll(ctx, batcher, told) }
	}
	second := func(context.Context, string, int64, *contender.Tally) bool { return true }
	switch w.job.Scenario {
	case LockPay, Fill:
		second = func(ctx context.Context, order string, sku int64, told *contender.Tally) bool {
			return w.ok(w.contender.Pay(ctx, order, sku), &told.Paid, told)
		}
	case LockCancel:
		second = func(ctx context.Context, order string, sku int64, told *contender.Tally) bool {
			return w.ok(w.contender.Cancel(ctx, order, sku), &told.Cancelled, told)
		}
	case Claim, Grab: // sold at once
		second = func(_ context.Context, _ string, _ int64, told *contender.Tally) bool {
			told.Paid++
			return true
		}
	case Lock, LockBuyer, SoldOut, Expire:
	}
	return func(ctx context.Context, told *contender.Tally) int64 {
		order, sku := w.next()
		refused := told.Refused
		locked := w.ok(w.contender.Lock(ctx, order, sku), &told.Locked, told)
		done := locked && second(ctx, order, sku, told)
		if w.job.Scenario == SoldOut {
			done = told.Refused > refused
		}
		if done {
			return 1
		}
		return 0
	}
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
	orders := make([]string, contender.LimitBatch)
	var sku int64
	for i := range orders {
		orders[i], sku = w.next()
	}
	err := batcher.LockAll(ctx, orders, sku)
	if err != nil {
		told.Failed += contender.LimitBatch - 1
	}
	var batches int64
	if !w.ok(err, &batches, told) {
		return 0
	}
	told.Locked += contender.LimitBatch
	return contender.LimitBatch
}

// next returns a new order and its SKU. Order numbers are as shops have them: 18 digits, about in the order of time, with the
// process that made them in the last.
func (w *worker) next() (string, int64) {
	const first, processes = 100_000_000_000_000_000, 64
	serial := w.serial.Add(1)
	return strconv.FormatInt(first+serial*processes+int64(w.job.Index), 10), serial%int64(w.job.SKUs) + 1
}
