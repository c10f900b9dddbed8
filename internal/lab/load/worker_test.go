package load

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// stub takes its time for each call, and answers with an error if it has one.
type stub struct {
	takes time.Duration
	err   error
}

func (s stub) Lock(context.Context, contender.Order) error {
	time.Sleep(s.takes)
	return s.err
}

func (s stub) Pay(context.Context, contender.Order) error {
	time.Sleep(s.takes)
	return nil
}

func (s stub) Cancel(ctx context.Context, order contender.Order) error { return s.Pay(ctx, order) }

func (stub) Fill(context.Context, []contender.Order) error { return nil }

func (stub) Close() error { return nil }
func (s stub) Expire(context.Context) (int, error) {
	time.Sleep(2 * time.Second)
	return 500, nil
}

func TestWorkerCountsWhatEndsWithinTheMeasurement(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		scenario Scenario
		stub     stub
		ops      int64
		told     contender.Tally // of all calls, before and after the measurement too
		p50      int64
	}{
		{"locks", Lock, stub{takes: 10 * time.Millisecond}, 4 * 200, contender.Tally{Locked: 4 * 300}, 10_000},
		{"pairs", LockPay, stub{takes: 10 * time.Millisecond}, 4 * 100, contender.Tally{Locked: 4 * 150, Paid: 4 * 150}, 20_000},
		{
			"locks and cancels", LockCancel, stub{takes: 10 * time.Millisecond}, 4 * 100, contender.Tally{Locked: 4 * 150, Cancelled: 4 * 150},
			20_000,
		},
		{"refusals", SoldOut, stub{10 * time.Millisecond, contender.ErrSoldOut}, 4 * 200, contender.Tally{Refused: 4 * 300}, 10_000},
		{"refusals are no locks", Lock, stub{10 * time.Millisecond, contender.ErrSoldOut}, 0, contender.Tally{Refused: 4 * 300}, 0},
		{"a call that hangs is late, not lost", Lock, stub{takes: time.Minute}, 0, contender.Tally{Locked: 4}, 60_000_000},
		{"who gave up has not called", Lock, stub{time.Second, contender.ErrGaveUp}, 0, contender.Tally{}, 0},
		{"expiry", Expire, stub{takes: time.Millisecond}, 500, contender.Tally{Locked: 100, Expired: 500}, 2_000_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				job := Job{Point: Point{setting{tc.scenario, 3, 1, 0}, contender.Ours, 4}, Warmup: time.Second, Measure: 2 * time.Second, Holds: 100}
				w := &worker{job: job, contender: tc.stub, over: make(chan struct{}), histogram: newHistogram()}
				got, err := w.run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				round, err := merge([]Outcome{got})
				if err != nil {
					t.Fatal(err)
				}
				if got.Ops != tc.ops || got.Tally != tc.told {
					t.Errorf("got %d operations and %+v, want %d and %+v", got.Ops, got.Tally, tc.ops, tc.told)
				}
				if p50 := latencyOf(round.Latency).P50; p50 < tc.p50*999/1_000 || p50 > tc.p50*1_001/1_000 {
					t.Errorf("p50: got %d µs, want %d µs", p50, tc.p50)
				}
			})
		})
	}
}

func TestWorkerTellsOfCallsThatFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		job := Job{Point: Point{setting{Lock, 1, 1, 0}, contender.Ours, 2}, Measure: time.Second}
		w := &worker{
			job: job, contender: stub{takes: 9 * time.Millisecond, err: errors.New("broken")}, over: make(chan struct{}), histogram: newHistogram(),
		}
		got, err := w.run(t.Context())
		if err != nil || got.Failed != 2*100 || got.Error != "broken" || got.Ops != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestWorkerPaysWhatWasLockedBeforehand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		job := Job{Point: Point{setting{Pay, 1, 1, 0}, contender.Ours, 4}, Warmup: time.Second, Measure: time.Minute, Holds: 2_000}
		w := &worker{job: job, contender: stub{takes: 10 * time.Millisecond}, over: make(chan struct{}), histogram: newHistogram()}
		if err := w.fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := w.run(t.Context())
		if err != nil || got.Ops < 1_600-4 || got.Ops > 1_600+4 || got.Tally != (contender.Tally{Locked: 2_000, Paid: 2_000}) ||
			got.Took < 4*time.Second || got.Took > 4*time.Second+10*time.Millisecond {
			t.Errorf("got %+v, %v: 2,000 orders at 400 a second, and a second of warm-up", got, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		job := Job{Point: Point{setting{Pay, 1, 1, 0}, contender.Ours, 4}, Warmup: time.Second, Measure: time.Minute, Holds: 100}
		w := &worker{job: job, contender: stub{takes: 10 * time.Millisecond}, over: make(chan struct{}), histogram: newHistogram()}
		if err := w.fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.run(t.Context()); err == nil {
			t.Error("no error, though nothing was left to measure")
		}
	})
}

func TestWorkerMeasuresColdCallersBesideHotOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		job := Job{Point: Point{setting{ColdBesideHot, 101, 1, 0}, contender.Ours, 64}, Measure: time.Second}
		w := &worker{job: job, contender: hotIsSlow{}, over: make(chan struct{}), histogram: newHistogram()}
		got, err := w.run(t.Context())
		if err != nil || got.Ops != coldCallers*100 || got.Beside != 64 {
			t.Errorf("got %+v, %v", got, err)
		}
		round, err := merge([]Outcome{got})
		if err != nil || latencyOf(round.Latency).Max > 10_010 {
			t.Errorf("the latency is that of the cold ones: got %+v, %v", latencyOf(round.Latency), err)
		}
	})
}

// hotIsSlow takes long for the hot SKU only.
type hotIsSlow struct{ stub }

func (hotIsSlow) Lock(_ context.Context, order contender.Order) error {
	takes := 10*time.Millisecond - time.Microsecond
	if order.SKUs[0] == contender.HotSKU {
		takes = 900 * time.Millisecond
	}
	time.Sleep(takes)
	return nil
}

func TestOrdersAreNewAndOfOneLength(t *testing.T) {
	t.Parallel()
	for scenario, lines := range map[Scenario]int{Lock: 1, Catalogue: 1, ColdBesideHot: 1, OrderItems: 2, Cart: 3} {
		seen, longest := map[string]bool{}, 0
		for index := range 4 {
			w := &worker{job: Job{Point: Point{setting: setting{Scenario: scenario, SKUs: 5}}, Index: index}}
			for range 1_000 {
				order := w.next()
				if seen[order.No] || len(order.No) != 18 {
					t.Fatalf("%s: got order %s", scenario, order.No)
				}
				seen[order.No] = true
				longest = max(longest, len(order.SKUs))
				if !slices.IsSorted(order.SKUs) || len(slices.Compact(slices.Clone(order.SKUs))) != len(order.SKUs) ||
					order.SKUs[0] < 1 || order.SKUs[len(order.SKUs)-1] > 5 {
					t.Fatalf("%s: got SKUs %v", scenario, order.SKUs)
				}
				if hot := order.SKUs[0] == contender.HotSKU; hot && scenario == ColdBesideHot || !hot && lines > 1 {
					t.Fatalf("%s: got SKUs %v", scenario, order.SKUs)
				}
			}
		}
		if longest != lines {
			t.Errorf("%s: the longest order has %d lines", scenario, longest)
		}
	}
}

func TestCallersAreSharedOut(t *testing.T) {
	t.Parallel()
	ours, err := contender.Find(contender.Ours)
	limit, failed := contender.Find(contender.Limit)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	sum := 0
	for index := range 4 {
		sum += Job{Point: Point{setting{Lock, 1, 4, 0}, contender.Ours, 10}, Index: index}.callers(ours)
	}
	if sum != 10 {
		t.Errorf("4 workers have %d callers of 10", sum)
	}
	if got := (Job{Point: Point{setting{Lock, 1, 1, 0}, contender.Limit, 1_024}}).callers(limit); got != limit.Conns {
		t.Errorf("the limit has %d callers", got)
	}
}

func TestWorkRefusesAJobItDoesNotKnow(t *testing.T) {
	t.Parallel()
	if err := Work(t.Context(), strings.NewReader(`{"contender":"nobody"}`), new(strings.Builder)); err == nil {
		t.Error("no error")
	}
	if err := Work(t.Context(), strings.NewReader(""), new(strings.Builder)); err == nil {
		t.Error("no error without a job")
	}
}

func TestShoppersChooseAtRandom(t *testing.T) {
	t.Parallel()
	w := &worker{job: Job{Point: Point{setting: setting{Scenario: Catalogue, SKUs: 100}}}}
	chosen := map[int64]int{}
	for range 10_000 {
		chosen[w.next().SKUs[0]]++
	}
	for sku := range int64(100) {
		if n := chosen[sku+1]; n < 50 || n > 150 {
			t.Errorf("SKU %d was chosen %d times", sku+1, n)
		}
	}
}
