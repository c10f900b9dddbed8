package sqlstore

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

func (g *gate) batch(ctx context.Context, _ string, asked []int) ([]reply[int], error) {
	g.mu.Lock()
	g.batches = append(g.batches, asked)
	g.mu.Unlock()
	<-g.open
	replies := make([]reply[int], len(asked))
	for i, n := range asked {
		replies[i] = reply[int]{answer: n * 10, alone: n < 0}
	}
	return replies, errors.Join(g.err, ctx.Err())
}

// road is a merger with a gate before its batches and one before the calls that go alone.
type road struct {
	*gate
	merger *merger[string, int, int]
	alone  chan struct{}
}

func newRoad() *road {
	r := &road{gate: &gate{open: make(chan struct{})}, alone: make(chan struct{})}
	b := newBounds(Options{BatchSize: 3, Batches: 2, Waiting: 4})
	r.merger = newMerger(b, r.batch, func(_ context.Context, _ string, n int) (int, error) { <-r.alone; return n, nil })
	return r
}

// do makes a call; alone it answers with n itself, in a batch with ten times n.
func (l *road) do(ctx context.Context, n int) (int, error) {
	return l.merger.do(ctx, "key", n)
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
		require.Empty(t, l.merger.lanes, "nothing is left of it")
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
		require.Empty(t, l.merger.lanes)
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
