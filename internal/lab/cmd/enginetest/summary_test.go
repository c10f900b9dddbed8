package main

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		events  string
		exit    error
		counts  string
		skips   map[string]int
		printed string
		verdict string
	}{
		{
			name: "tests and subtests count alike, and only the line of the package is printed",
			events: `
{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA/sub","Output":"    a_test.go:3: noise\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.01s\n"}
{"Action":"pass","Package":"p"}
{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}
{"Action":"skip","Package":"q"}`,
			counts:  "2 passed, 0 failed, 0 skipped",
			printed: "ok  \tp\t0.01s\n?   \tq\t[no test files]\n",
		},
		{
			name: "a failing test is shown with its package",
			events: `
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: wrong\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.01s\n"}
{"Action":"fail","Package":"p"}`,
			counts:  "0 passed, 1 failed, 0 skipped",
			printed: "    a_test.go:3: wrong\n--- FAIL: TestA (0.00s)\nFAIL\tp\t0.01s\n",
			verdict: "failures",
		},
		{
			name: "a package that does not build is a failure, and the compiler is heard",
			events: `
{"Action":"pass","Package":"p","Test":"TestA"}
{"ImportPath":"q","Action":"build-output","Output":"q.go:1:1: wrong\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q"}`,
			counts:  "1 passed, 1 failed, 0 skipped",
			printed: "q.go:1:1: wrong\nFAIL\tq [build failed]\n",
			verdict: "failures",
		},
		{
			name: "a test that was running when its package died is shown",
			events: `
{"Action":"output","Package":"p","Test":"TestA","Output":"fatal error: oh\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.01s\n"}
{"Action":"fail","Package":"p"}`,
			counts:  "0 passed, 1 failed, 0 skipped",
			printed: "fatal error: oh\nFAIL\tp\t0.01s\n",
			verdict: "failures",
		},
		{
			name: "skips are counted by their reason",
			events: `
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:3: a log before\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:4: too slow:\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"        an hour\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:9: too slow: an hour\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Test":"TestD","Output":"--- SKIP: TestD (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestD"}`,
			counts: "1 passed, 0 failed, 3 skipped",
			skips:  map[string]int{"too slow: an hour": 2, "no reason given": 1},
		},
		{
			name: "a test that misses its server fails the run",
			events: `
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:4: HOLDFAST_TEST_DSN is not set\n"}
{"Action":"skip","Package":"p","Test":"TestB"}`,
			counts:  "1 passed, 0 failed, 1 skipped",
			skips:   map[string]int{"HOLDFAST_TEST_DSN is not set": 1},
			verdict: "for want of a server",
		},
		{
			name:    "no test at all fails the run",
			counts:  "0 passed, 0 failed, 0 skipped",
			verdict: "no test has run",
		},
		{
			name:    "what go test says itself is passed on, and its exit counts",
			events:  `{"Action":"pass","Package":"p","Test":"TestA"}` + "\nnot an event",
			exit:    errors.New("exit status 2"),
			counts:  "1 passed, 0 failed, 0 skipped",
			printed: "not an event",
			verdict: "exit status 2",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s := newSummary(&out)
			s.exit = tc.exit
			if err := s.read(strings.NewReader(strings.TrimSpace(tc.events))); err != nil {
				t.Fatal(err)
			}
			if got := s.counts(); got != tc.counts {
				t.Errorf("counts: got %q, want %q", got, tc.counts)
			}
			if !maps.Equal(s.skips, tc.skips) {
				t.Errorf("skips: got %v, want %v", s.skips, tc.skips)
			}
			if out.String() != tc.printed {
				t.Errorf("printed: got %q, want %q", out.String(), tc.printed)
			}
			switch err := s.verdict(); {
			case tc.verdict == "" && err != nil:
				t.Errorf("verdict: got %v, want none", err)
			case tc.verdict != "" && (err == nil || !strings.Contains(err.Error(), tc.verdict)):
				t.Errorf("verdict: got %v, want %q", err, tc.verdict)
			}
		})
	}
}

func TestProgressNamesWhatHasBeenRunningLongest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, events, printed string
	}{
		{
			name: "a test that waits for its subtests is not the one, nor is one that waits for its turn",
			events: `
{"Time":"2026-01-01T00:00:00Z","Action":"run","Package":"p","Test":"TestA"}
{"Time":"2026-01-01T00:00:01Z","Action":"run","Package":"p","Test":"TestA/paused"}
{"Time":"2026-01-01T00:00:01Z","Action":"pause","Package":"p","Test":"TestA/paused"}
{"Time":"2026-01-01T00:00:02Z","Action":"run","Package":"p","Test":"TestA/slow"}
{"Time":"2026-01-01T00:00:03Z","Action":"run","Package":"p","Test":"TestB"}
{"Time":"2026-01-01T00:00:04Z","Action":"pass","Package":"p","Test":"TestB"}
{"Time":"2026-01-01T00:00:05Z","Action":"run","Package":"p","Test":"TestC"}
{"Time":"2026-01-01T00:00:00Z","Action":"run","Package":"p","Test":"TestD"}
{"Time":"2026-01-01T00:00:00Z","Action":"run","Package":"p","Test":"TestD/paused"}
{"Time":"2026-01-01T00:00:00Z","Action":"pause","Package":"p","Test":"TestD/paused"}`,
			printed: "… 1 passed, 0 failed, 0 skipped; running for 58s: p TestA/slow\n",
		},
		{
			name: "time begins when the turn comes",
			events: `
{"Time":"2026-01-01T00:00:00Z","Action":"run","Package":"p","Test":"TestA"}
{"Time":"2026-01-01T00:00:00Z","Action":"pause","Package":"p","Test":"TestA"}
{"Time":"2026-01-01T00:00:50Z","Action":"cont","Package":"p","Test":"TestA"}`,
			printed: "… 0 passed, 0 failed, 0 skipped; running for 10s: p TestA\n",
		},
		{
			name: "a package that died runs no test",
			events: `
{"Time":"2026-01-01T00:00:00Z","Action":"run","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}`,
			printed: "… 0 passed, 1 failed, 0 skipped\n",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s := newSummary(&out)
			if err := s.read(strings.NewReader(strings.TrimSpace(tc.events))); err != nil {
				t.Fatal(err)
			}
			s.progress(time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC))
			if out.String() != tc.printed {
				t.Errorf("printed: got %q, want %q", out.String(), tc.printed)
			}
		})
	}
}
