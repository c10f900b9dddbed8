//go:build go1.25

package batch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// mixedBatcher is a batcher of calls for any rows, whose flights a test lets through one at a time.
type mixedBatcher struct {
	*Batcher[string, string, string]
	gate    chan struct{}
	flights [][]string // in the order in which they begin
	answers chan string
}

// newMixed returns one of so many slots, of which two are left to batches.
func newMixed(slots int) *mixedBatcher {
	m := &mixedBatcher{gate: make(chan struct{}), answers: make(chan string, 100)}
	b := NewBounds(nil, Limits{Size: 16, Batches: slots, Waiting: 100})
	b.InFlight = func() int { return 2 }
	b.Alone = func() int { return slots - 2 }
	m.Batcher = NewMixed[string](b, func(_ context.Context, asked []string) ([]Reply[string], error) {
		m.fly(asked...)
		replies := make([]Reply[string], len(asked))
		for i, call := range asked {
			replies[i].Answer = call
		}
		return replies, nil
	}, func(_ context.Context, asked string) (string, error) { m.fly(asked); return asked, nil })
	return m
}

func (m *mixedBatcher) fly(asked ...string) {
	m.mu.Lock()
	m.flights = append(m.flights, asked)
	m.mu.Unlock()
	<-m.gate
}

// start makes calls one after the other. Each is for the rows that its letters name.
func (m *mixedBatcher) start(calls ...string) {
	for _, call := range calls {
		var more []string
		for _, row := range call[1:] {
			more = append(more, string(row))
		}
		go func() {
			answer, err := m.DoMixed(context.Background(), call, call[:1], more)
			m.answers <- fmt.Sprint(answer, err)
		}()
		synctest.Wait()
	}
}

// land lets so many flights through, the oldest first or not.
func (m *mixedBatcher) land(n int) {
	for range n {
		m.gate <- struct{}{}
		synctest.Wait()
	}
}

// seen returns the flights so far.
func (m *mixedBatcher) seen() [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.flights)
}

// finish lets all through, and demands that each of n calls was answered and nothing is left.
func (m *mixedBatcher) finish(t *testing.T, n int) {
	t.Helper()
	close(m.gate)
	synctest.Wait()
	require.Len(t, m.answers, n)
	require.Empty(t, m.queues)
	require.Empty(t, m.slots)
	require.Empty(t, m.beside)
	require.Zero(t, m.Pending.Load())
	require.Zero(t, m.free)
	require.Zero(t, m.queued)
	require.Empty(t, m.Batcher.flights)
}

func TestMixedCallsOfOtherRowsGoAtOnceWhileASlotIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(5)
		m.start("a", "b", "cd")
		require.Equal(t, [][]string{{"a"}, {"b"}, {"cd"}}, m.seen())
		m.finish(t, 3)
	})
}

func TestMixedCallsThatWaitShareABatchInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(3)
		m.start("a", "a", "a")
		require.Equal(t, [][]string{{"a"}}, m.seen())
		m.start("b") // beside the call that is alone
		require.Equal(t, [][]string{{"a"}, {"b"}}, m.seen())
		m.start("b", "ab", "c")
		require.Equal(t, [][]string{{"a"}, {"b"}, {"c"}}, m.seen())
		m.land(2)
		require.Equal(t, [][]string{{"a", "a"}, {"b", "ab"}}, m.seen()[3:], "ab has waited for a, and then for b")
		m.finish(t, 7)
	})
}

func TestMixedBatchesInFlightHaveNoRowInCommon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(6)
		m.start("ab", "bc", "cd", "d")
		require.Equal(t, [][]string{{"ab"}, {"cd"}}, m.seen(), "bc waits for b, d for d")
		m.start("e")
		require.Equal(t, [][]string{{"ab"}, {"cd"}, {"e"}}, m.seen())
		m.finish(t, 5)
	})
}

func TestCallOfTwoHotRowsIsNotKeptForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(6)
		m.start("a", "b", "ab")
		for range 3 {
			m.start("a", "b")
		}
		for range 20 {
			m.land(1)
			for _, calls := range m.seen() {
				if slices.Contains(calls, "ab") {
					m.finish(t, 9)
					return
				}
			}
		}
		t.Fatal("ab never went", m.seen())
	})
}

func TestSlowFlightOfAKindIsOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		first := l.start(t, 1)
		second := l.start(t, 2)
		time.Sleep(slowTime) // by the bubble's clock
		synctest.Wait()
		require.Equal(t, [][]int{{2}}, l.batches, "the first is still in flight")
		close(l.open)
		require.Equal(t, "20 <nil>", <-second[0])
		close(l.alone)
		require.Equal(t, "1 <nil>", <-first[0])
		l.idle(t)
	})
}

func TestRowThatIsStuckIsOvertakenTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(8)
		pass := func() {
			time.Sleep(slowTime)
			synctest.Wait()
		}
		for n := range 3 {
			m.start("a")
			pass()
			require.Len(t, m.seen(), n+1)
		}
		m.start("a")
		pass()
		m.start("a")
		pass()
		require.Len(t, m.seen(), 3, "nobody waits in the server in vain any more")
		m.start("b", "c", "d", "e", "f", "g")
		require.Len(t, m.seen(), 9, "who needs another row goes")
		m.finish(t, 11)
	})
}

func TestFurtherMixedBatchWaitsUntilItIsWorthACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(8)
		m.Alone = func() int { return 1 }
		m.start("a", "b", "c")
		require.Equal(t, [][]string{{"a"}, {"b"}, {"c"}}, m.seen(), "one waits beside one")
		m.start("d")
		require.Len(t, m.seen(), 3, "one beside two")
		m.start("ef")
		require.Equal(t, []string{"d", "ef"}, m.seen()[3], "two beside two")
		m.start("g", "h", "i", "j")
		require.Len(t, m.seen(), 4, "four beside five")
		m.land(2)
		require.Equal(t, []string{"g", "h", "i", "j"}, m.seen()[4], "four beside four")
		m.finish(t, 9)
	})
}

func TestMixedCallJoinsABatchBesideAnotherOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMixed(8)
		m.Alone = func() int { return 1 }
		m.start("a", "bc")
		m.land(1)
		require.Equal(t, [][]string{{"a"}, {"bc"}}, m.seen())
		m.start("d", "e")
		require.Equal(t, []string{"d", "e"}, m.seen()[2], "although no call is alone any more")
		m.finish(t, 4)
	})
}

// A kind of calls is overtaken twice at most too, so that it does not collect all slots.
func TestKindThatIsStuckIsOvertakenTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newRoad()
		l.Batcher.Bounds = NewBounds(nil, Limits{Size: 1, Batches: 8, Waiting: 10})
		l.Batcher.InFlight = func() int { return 1 }
		var answers []chan string
		for n := range 6 {
			answers = append(answers, l.start(t, n)...)
			time.Sleep(2 * slowTime)
			synctest.Wait()
		}
		require.Equal(t, [][]int{{1}, {2}}, l.batches, "beside the one that is alone")
		close(l.alone)
		close(l.open)
		for _, answer := range answers {
			<-answer
		}
		l.idle(t)
	})
}

// What is taken to be long follows what is usual, up to a bound, and stuck batches do not change it much.
func TestPatienceFollowsTheUsualTimeOfABatch(t *testing.T) {
	t.Parallel()
	b := NewBounds(nil, Limits{Size: 1, Batches: 1, Waiting: 1})
	require.Equal(t, slowTime, b.Patience())
	b.took(time.Minute)
	require.Less(t, b.Patience(), 2*slowTime)
	for range 100 {
		b.took(2 * slowTime)
	}
	require.InDelta(t, 8*slowTime, b.Patience(), float64(slowTime))
	for range 100 {
		b.took(time.Minute)
	}
	require.InDelta(t, 10*slowTime, b.Patience(), float64(slowTime))
}
