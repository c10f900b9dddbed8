//go:build go1.25

package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// gate is a batch function that a test lets through one batch at a time.
type gate struct {
	mu      sync.Mutex
	batches [][]int
	open    chan struct{}
	err     error
}

func (g *gate) batch(ctx context.Context, _ string, asked []int) ([]Reply[int], error) {
	g.mu.Lock()
	g.batches = append(g.batches, asked)
	g.mu.Unlock()
	<-g.open
	replies := make([]Reply[int], len(asked))
	for i, n := range asked {
		replies[i] = Reply[int]{Answer: n * 10}
		if n < 0 {
			replies[i].Alone = Refused
		}
	}
	return replies, errors.Join(g.err, ctx.Err())
}

// road is a batcher with a gate before its batches and one before the calls that go alone.
type road struct {
	*gate
	Batcher *Batcher[string, int, int]
	alone   chan struct{}
}

func newRoad() *road {
	r := &road{gate: &gate{open: make(chan struct{})}, alone: make(chan struct{})}
	b := NewBounds(nil, Limits{Size: 3, Batches: 2, Waiting: 4})
	b.InFlight = func() int { return 1 }
	b.Alone = func() int { return 1 }
	r.Batcher = New(b, r.batch, func(_ context.Context, _ string, n int) (int, error) { <-r.alone; return n, nil })
	return r
}

// do makes a call; alone it answers with n itself, in a batch with ten times n.
func (l *road) do(ctx context.Context, n int) (int, error) {
	return l.Batcher.Do(ctx, "key", n)
}

// start makes calls one after the other, each in a goroutine, and returns where their answers come.
func (l *road) start(t *testing.T, calls ...int) []chan string {
	t.Helper()
	answers := make([]chan string, len(calls))
	for i, n := range calls {
		answers[i] = make(chan string, 1)
		go func() {
			answer, err := l.do(t.Context(), n)
			answers[i] <- fmt.Sprint(answer, err)
		}()
		synctest.Wait()
	}
	return answers
}

func TestCallAloneGoesByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		close(l.alone)
		for n := range 3 {
			answer, err := l.do(t.Context(), n)
			require.NoError(t, err)
			require.Equal(t, n, answer)
		}
		require.Empty(t, l.batches)
		require.Empty(t, l.Batcher.queues, "nothing is left of it")
	})
}

func TestCallsThatWaitGoTogetherInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which ends only when no goroutine is left
		l := newRoad()
		first := l.start(t, 1)
		second := l.start(t, 2, -3, 4)
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		synctest.Wait()
		third := l.start(t, 5, 6) // while the second batch is in flight
		require.Equal(t, [][]int{{2, -3, 4}}, l.batches)
		l.open <- struct{}{}
		require.Equal(t, "20 <nil>", <-second[0])
		require.Equal(t, "-3 <nil>", <-second[1], "what cannot go with the others goes alone")
		require.Equal(t, "40 <nil>", <-second[2])
		l.open <- struct{}{}
		require.Equal(t, "50 <nil>", <-third[0])
		require.Equal(t, "60 <nil>", <-third[1])
		require.Equal(t, [][]int{{2, -3, 4}, {5, 6}}, l.batches)
		synctest.Wait()
		require.Empty(t, l.Batcher.queues)
	})
}

func TestCallerWhoLeavesHarmsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		first := l.start(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := l.do(ctx, 2); left <- err }()
		synctest.Wait()
		others := l.start(t, 3)
		cancel()
		err := <-left
		require.ErrorIs(t, err, fault.ErrUnavailable, "it waited: nothing was done")
		require.ErrorIs(t, err, context.Canceled)

		ctx, cancel = context.WithCancel(t.Context())
		go func() { _, err := l.do(ctx, 4); left <- err }()
		synctest.Wait()
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		synctest.Wait()
		require.Equal(t, [][]int{{3, 4}}, l.batches)
		cancel()
		err = <-left
		require.ErrorIs(t, err, fault.ErrUnknown, "its batch was in flight")
		require.ErrorIs(t, err, context.Canceled)
		l.open <- struct{}{}
		require.Equal(t, "30 <nil>", <-others[0])
	})
}

func TestErrorOfABatchIsThatOfAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		l.err = fault.ErrUnknown
		first := l.start(t, 1)
		others := l.start(t, 2, 3)
		close(l.alone)
		<-first[0]
		l.open <- struct{}{}
		for _, answer := range others {
			require.Equal(t, fmt.Sprint(0, " ", fault.ErrUnknown), <-answer)
		}
	})
}

func TestCallsBeyondWaitingAreBusyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		first := l.start(t, 1)
		waiting := l.start(t, 2, 3, 4, 5)
		for range 3 {
			_, err := l.do(t.Context(), 6) // which would wait for ever
			require.ErrorIs(t, err, fault.ErrBusy)
			require.ErrorIs(t, err, fault.ErrUnavailable)
			require.True(t, fault.Retryable(err))
		}
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		synctest.Wait() // three of the four are in flight
		again := l.start(t, 7, 8, 9)
		_, err := l.do(t.Context(), 10)
		require.ErrorIs(t, err, fault.ErrBusy, "there was room for three")
		close(l.open)
		for i, n := range []int{2, 3, 4, 5} {
			require.Equal(t, fmt.Sprint(n*10, " <nil>"), <-waiting[i])
		}
		for i, n := range []int{7, 8, 9} {
			require.Equal(t, fmt.Sprint(n*10, " <nil>"), <-again[i])
		}
		require.Equal(t, [][]int{{2, 3, 4}, {5, 7, 8}, {9}}, l.batches, "three at most, in the order of arrival")
		l.idle(t)
	})
}

// idle demands that nothing is left of a batcher. That no goroutine is, the end of the bubble proves.
func (l *road) idle(t *testing.T) {
	t.Helper()
	synctest.Wait()
	require.Empty(t, l.Batcher.queues)
	require.Empty(t, l.Batcher.slots)
	require.Zero(t, l.Batcher.Pending.Load())
}

// Who leaves keeps a place in the queue until the batch that would have had it is formed.
func TestTicketsCountUntilTheirBatchIsFormed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		first := l.start(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 4)
		for n := range 4 {
			go func() { _, err := l.do(ctx, n); left <- err }()
		}
		synctest.Wait()
		cancel()
		for range 4 {
			require.ErrorIs(t, <-left, fault.ErrUnavailable)
		}
		_, err := l.do(t.Context(), 5)
		require.ErrorIs(t, err, fault.ErrBusy)
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		l.idle(t)
		require.Empty(t, l.batches, "nobody was left to do anything for")
		answer, err := l.do(t.Context(), 6)
		require.NoError(t, err)
		require.Equal(t, 6, answer)
	})
}

// Two slots for three queues of two batchers: the third waits, and grows while it does.
func TestBatchesInFlightAreBoundedOverKeysAndMergers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		other := New(l.Batcher.Bounds, l.batch, l.Batcher.alone)
		answers := make(chan string, 8)
		call := func(m *Batcher[string, int, int], key string, n int) {
			go func() {
				answer, err := m.Do(t.Context(), key, n)
				answers <- fmt.Sprint(answer, err)
			}()
			synctest.Wait()
		}
		call(l.Batcher, "a", 1)
		call(l.Batcher, "b", 2)
		call(other, "a", 3) // another batcher's key is another queue
		call(l.Batcher, "a", 11)
		call(l.Batcher, "b", 12)
		call(other, "a", 13)
		for range 3 {
			l.alone <- struct{}{}
			<-answers
			synctest.Wait()
		}
		require.Equal(t, [][]int{{11}, {12}}, l.batches)
		call(other, "a", 14)
		call(other, "a", 15)
		l.open <- struct{}{}
		synctest.Wait()
		require.Equal(t, [][]int{{11}, {12}, {13, 14, 15}}, l.batches)
		close(l.open)
		got := []string{<-answers, <-answers, <-answers, <-answers, <-answers}
		require.ElementsMatch(t, []string{"110 <nil>", "120 <nil>", "130 <nil>", "140 <nil>", "150 <nil>"}, got)
		l.idle(t)
		require.Empty(t, other.queues)
	})
}

// A batch that hangs ends at a deadline of its own, for all of it, whatever its callers' contexts say.
func TestBatchHasADeadlineOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		l.Batcher.batch = func(ctx context.Context, _ string, _ []int) ([]Reply[int], error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		first := l.start(t, 1)
		others := l.start(t, 2, 3)
		close(l.alone)
		<-first[0]
		for _, answer := range others { // the bubble's clock jumps to it
			require.Equal(t, fmt.Sprint(0, " ", context.DeadlineExceeded), <-answer)
		}
		l.idle(t)
	})
}

// Whom a batch does not take along goes alone, on the context of its caller.
func TestCallOutsideItsBatchEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		l.Batcher.alone = func(ctx context.Context, _ string, n int) (int, error) {
			select {
			case <-l.alone:
			case <-ctx.Done():
			}
			return n, ctx.Err()
		}
		first := l.start(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := l.do(ctx, -2); left <- err }()
		synctest.Wait()
		l.alone <- struct{}{}
		require.Equal(t, "1 <nil>", <-first[0])
		l.open <- struct{}{}
		synctest.Wait()
		cancel()
		require.Equal(t, context.Canceled, <-left)
		l.idle(t)
	})
}

// Where there is room, two are in flight for a key. Who leaves a read has asked for nothing to be done.
func TestBatchesGoTwoAbreast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		l.Batcher = NewReader(l.Batcher.Bounds, l.batch, l.Batcher.alone)
		l.Batcher.InFlight = func() int { return 2 }
		first := l.start(t, 1)
		second := l.start(t, 2)
		third := l.start(t, 3)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { _, err := l.do(ctx, 4); left <- err }()
		synctest.Wait()
		require.Equal(t, [][]int{{2}}, l.batches, "beside the first, and the others behind them")
		l.open <- struct{}{}
		require.Equal(t, "20 <nil>", <-second[0])
		synctest.Wait()
		require.Equal(t, [][]int{{2}, {3, 4}}, l.batches)
		cancel()
		err := <-left
		require.ErrorIs(t, err, fault.ErrUnavailable, "also in flight")
		require.NotErrorIs(t, err, fault.ErrUnknown)
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		l.open <- struct{}{}
		require.Equal(t, "30 <nil>", <-third[0])
		l.idle(t)
	})
}
