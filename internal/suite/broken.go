package suite

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A Clock is one that only the test moves. It is safe for concurrent use.
type Clock struct {
	From    time.Time // what it says in the beginning
	elapsed atomic.Int64
}

// Now returns what it says.
func (c *Clock) Now() time.Time { return c.From.Add(time.Duration(c.elapsed.Load())) }

// Advance moves it forward.
func (c *Clock) Advance(d time.Duration) { c.elapsed.Add(int64(d)) }

// FindsDifferences runs a model of a store against one that was broken in one way, and fails the test unless one of
// twenty seeds sees it, for each of the ways.
func FindsDifferences[S any](t *testing.T, ways map[string]func(S) S, model func(t testing.TB, seed int64, breaks func(S) S)) {
	t.Helper()
	for name, breaks := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := ""
			for seed := int64(1); seed <= 20 && found == ""; seed++ {
				found = failure(t, func(caught testing.TB) { model(caught, seed, breaks) }) //nolint:thelper // it is the test
			}
			if !strings.Contains(found, "the stores disagree about") {
				t.Errorf("the model saw no difference; it said: %q", found)
			}
		})
	}
}

// failure runs a test that may fail and returns what it said when it did.
func failure(t *testing.T, run func(testing.TB)) string {
	t.Helper()
	caught := &catcher{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(caught)
	}()
	<-done
	return caught.said
}

// catcher keeps a failure to itself.
type catcher struct {
	testing.TB

	said string
}

func (c *catcher) Errorf(format string, args ...any) { c.said += fmt.Sprintf(format, args...) + "\n" }
func (c *catcher) Failed() bool                      { return c.said != "" }
func (c *catcher) FailNow()                          { runtime.Goexit() }
func (c *catcher) Logf(string, ...any)               {}
func (c *catcher) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	c.FailNow()
}
