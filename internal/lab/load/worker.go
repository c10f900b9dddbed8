package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// Job is what one worker process is to do of a point.
type Job struct {
	Point

	DSN     string        `json:"dsn"`
	Redis   string        `json:"redis"`
	Pool    int           `json:"pool"`
	Prepare bool          `json:"prepare"` // the server prepares the statements
	Index   int           `json:"index"`   // of this worker, from 0
	Warmup  time.Duration `json:"warmup_ns"`
	Measure time.Duration `json:"measure_ns"`
	Holds   int           `json:"holds"`   // how many are to expire, or to be paid
	Orders  int           `json:"orders"`  // of each buyer; 0 names none
	Profile string        `json:"profile"` // a folder for a CPU profile of the measurement; empty for none
}

// callers is this worker's share.
func (j Job) callers(kind contender.Kind) int {
	if kind.Limit() {
		return j.share(kind.Conns)
	}
	return j.share(j.Callers)
}

// share is what this worker has of a number.
func (j Job) share(n int) int {
	share := n / j.Processes
	if j.Index < n%j.Processes {
		share++
	}
	return share
}

// holdFor is how long a hold lives: longer than the measurement, except where that is about their death.
func (j Job) holdFor() time.Duration {
	if j.Scenario == Expire {
		return time.Second
	}
	return 15 * time.Minute
}

// Outcome is what a worker has measured.
type Outcome struct {
	contender.Tally

	Ops     int64         `json:"ops"`     // that ended within the measurement
	Beside  int64         `json:"beside"`  // of callers who are only there beside the others
	Took    time.Duration `json:"took_ns"` // the measurement
	Hot     int64         `json:"hot"`     // statements on items within it, where they are counted
	Latency []byte        `json:"latency"` // an HdrHistogram of microseconds, encoded
	Error   string        `json:"error"`   // the first of the calls that failed
}

// newHistogram has the resolution of all of them: microseconds up to ten minutes, three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 600_000_000, 3) }

func encode(h *hdrhistogram.Histogram) ([]byte, error) {
	return h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// Work is the other side of a run, in a process of its own: it reads a job, says when it is ready, starts when it is told to, and
// writes what it has measured. It ends early when in ends, since then nobody waits for it.
func Work(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, answers := json.NewDecoder(in), json.NewEncoder(out)
	var job Job
	if err := messages.Decode(&job); err != nil {
		return fmt.Errorf("load: the job: %w", err)
	}
	w, err := newWorker(ctx, job)
	if err != nil {
		return err
	}
	defer w.contender.Close()
	var start bool
	if err := errors.Join(answers.Encode("ready"), messages.Decode(&start)); err != nil {
		return fmt.Errorf("load: waiting for the start: %w", err)
	}
	go func() {
		_ = messages.Decode(&start) // nothing more comes: this is the end of in
		cancel()
	}()
	outcome, err := w.run(ctx)
	if err != nil {
		return err
	}
	return answers.Encode(outcome)
}

// worker is a job at work.
type worker struct {
	job       Job
	kind      contender.Kind
	contender contender.Contender
	counter   *contender.Counter
	over      chan struct{} // closed when no more calls are to begin
	serial    atomic.Int64
	filled    int64 // orders that were locked beforehand

	mu        sync.Mutex
	failure   string
	histogram *hdrhistogram.Histogram
	outcome   Outcome
}

func newWorker(ctx context.Context, job Job) (*worker, error) {
	kind, err := contender.Find(job.Contender)
	if err != nil {
		return nil, err
	}
	w := &worker{job: job, kind: kind, over: make(chan struct{}), histogram: newHistogram()}
	if job.Scenario == SoldOut {
		w.counter = new(contender.Counter)
	}
	w.contender, err = kind.Open(ctx, job.Scenario.config(contender.Config{
		DSN: job.DSN, Redis: job.Redis, Pool: job.Pool, Prepare: job.Prepare, Delay: job.Delay, HoldFor: job.holdFor(), Orders: job.Orders,
		Count: w.counter, Done: w.over,
	}))
	if err == nil && job.Scenario == Pay {
		err = w.fill(ctx)
	}
	return w, err
}

// fill locks the orders that are to be paid.
func (w *worker) fill(ctx context.Context) error {
	filler, ok := w.contender.(contender.Filler)
	if !ok {
		return fmt.Errorf("load: %s cannot lock orders beforehand: %w", w.job.Contender, errors.ErrUnsupported)
	}
	const chunk, atOnce = 500, 4
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	w.filled = int64(w.job.share(w.job.Holds))
	for left := w.filled; left > 0; left -= chunk {
		orders := w.nextOrders(min(chunk, left))
		group.Go(func() error { return filler.Fill(ctx, orders) })
	}
	w.outcome.Locked = w.filled
	w.serial.Store(0)
	return group.Wait()
}

func (w *worker) run(ctx context.Context) (Outcome, error) {
	var err error
	if w.job.Scenario == Expire {
		err = w.expire(ctx)
	} else {
		err = w.measure(ctx)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return Outcome{}, err
	}
	w.outcome.Error = w.failure
	w.outcome.Latency, err = encode(w.histogram)
	return w.outcome, err
}

// measure lets the callers call. What ends within the measurement counts for the rate; the latency is that of all calls that ended
// since its start, so that one that hangs until after its end is not lost. It is over when there is nothing left to do.
func (w *worker) measure(ctx context.Context) error {
	from := time.Now().Add(w.job.Warmup)
	until := from.Add(w.job.Measure)
	var callers sync.WaitGroup
	for range w.job.callers(w.kind) {
		callers.Go(func() { w.call(ctx, from, until, w.job.Scenario == ColdBesideHot) })
	}
	if w.job.Scenario == ColdBesideHot {
		for range w.job.share(coldCallers) {
			callers.Go(func() { w.call(ctx, from, until, false) })
		}
	}
	idle := make(chan struct{})
	go func() {
		callers.Wait()
		close(idle)
	}()
	time.Sleep(time.Until(from))
	hot := w.counter.Count()
	stop := w.profile()
	select {
	case <-idle:
	case <-time.After(time.Until(until)):
	}
	stop()
	w.outcome.Took = min(time.Since(from), w.job.Measure)
	w.outcome.Hot = w.counter.Count() - hot
	close(w.over)
	<-idle
	if w.filled > 0 && w.outcome.Ops == 0 && w.failure == "" {
		return fmt.Errorf("load: all %d orders were paid in the warm-up; -holds makes more", w.filled)
	}
	return nil
}

// profile begins a CPU profile of this process, if one is wanted. A profile that fails is only missed.
func (w *worker) profile() (stop func()) {
	if w.job.Profile == "" {
		return func() {}
	}
	j := w.job
	name := fmt.Sprintf("%s-%s-callers=%d-skus=%d-delay=%v-worker=%d-of-%d.pprof", j.Scenario, j.Contender, j.Callers, j.SKUs, j.Delay,
		j.Index+1, j.Processes)
	f, err := os.Create(filepath.Join(j.Profile, name))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load: no profile:", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}

// expire locks what is to die, waits until it is dead, and measures its release.
func (w *worker) expire(ctx context.Context) error {
	expirer, ok := w.contender.(contender.Expirer)
	if !ok {
		return fmt.Errorf("load: %s cannot release dead holds: %w", w.job.Contender, errors.ErrUnsupported)
	}
	var locking atomic.Int64
	var callers sync.WaitGroup
	for range w.job.callers(w.kind) {
		callers.Go(func() {
			var told contender.Tally
			for ctx.Err() == nil {
				if locking.Add(1) > int64(w.job.Holds) {
					break
				}
				w.ok(w.contender.Lock(ctx, w.next()), &told.Locked, &told)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outcome.Add(told)
		})
	}
	callers.Wait()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(w.job.holdFor() + 10*time.Millisecond):
	}
	begun := time.Now()
	released, err := expirer.Expire(ctx)
	if err != nil {
		return fmt.Errorf("load: expiry: %w", err)
	}
	w.outcome.Took = time.Since(begun)
	w.outcome.Ops, w.outcome.Expired = int64(released), int64(released)
	record(w.histogram, w.outcome.Took.Microseconds())
	return nil
}
