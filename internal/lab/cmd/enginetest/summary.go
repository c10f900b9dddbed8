package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is a line of go test -json; see go doc test2json.
type event struct {
	Time    time.Time
	Action  string
	Package string
	Test    string
	Output  string
}

// test names a test or, without a name, its package.
type test struct {
	pkg, name string
}

// summary counts tests and subtests alike, and prints what a reader of a long run wants to see at once: failures in full and a
// line for each package. Its progress names a test that hangs.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	skips                   map[string]int // by reason
	exit                    error          // of go test, nil when it ended well

	mu      sync.Mutex         // between events and progress; all else is read when the events have ended
	pending map[test][]string  // the output of what has no result yet
	broken  map[string]bool    // packages with a failed test
	begun   map[test]time.Time // when a test that has not ended came to its turn, zero while it waits for that
}

// newSummary returns an empty summary that prints to out.
func newSummary(out io.Writer) *summary {
	return &summary{
		out: out, skips: map[string]int{}, pending: map[test][]string{}, broken: map[string]bool{}, begun: map[test]time.Time{},
	}
}

// read takes events until r ends.
func (s *summary) read(r io.Reader) error {
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		s.readLine(line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) readLine(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e event
	if json.Unmarshal(line, &e) == nil {
		s.take(e)
	} else {
		fmt.Fprintf(s.out, "%s", line)
	}
}

func (s *summary) take(e event) {
	id := test{e.Package, e.Test}
	switch e.Action {
	case "run", "cont":
		s.begun[id] = e.Time
	case "pause":
		s.begun[id] = time.Time{}
	case "pass", "fail", "skip":
		delete(s.begun, id)
	}
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.out, e.Output)
	case e.Action == "output":
		s.pending[id] = append(s.pending[id], e.Output)
	case e.Action != "pass" && e.Action != "fail" && e.Action != "skip":
		return
	case e.Test == "":
		s.endPackage(id, e.Action)
	default:
		s.endTest(id, e.Action)
	}
}

func (s *summary) endTest(id test, action string) {
	switch action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
		s.skips[skipReason(s.pending[id])]++
	case "fail":
		s.failed++
		s.broken[id.pkg] = true
		s.show(id)
	}
	delete(s.pending, id)
}

func (s *summary) endPackage(id test, action string) {
	if action == "fail" {
		for unfinished := range s.pending {
			if unfinished.pkg == id.pkg && unfinished.name != "" {
				s.show(unfinished)
			}
		}
		s.show(id)
		if !s.broken[id.pkg] { // it did not build, or died outside of any test
			s.failed++
		}
	} else {
		for _, line := range s.pending[id] {
			if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
				fmt.Fprint(s.out, line)
			}
		}
	}
	maps.DeleteFunc(s.pending, func(t test, _ []string) bool { return t.pkg == id.pkg })
	maps.DeleteFunc(s.begun, func(t test, _ time.Time) bool { return t.pkg == id.pkg })
}

// show prints the output of a test or package without the frames that only tell where go test was.
func (s *summary) show(id test) {
	for _, line := range s.pending[id] {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(s.out, line)
		}
	}
}

// progress prints how far the tests are, and which one has been running longest: a test that hangs is the one named each time.
func (s *summary) progress(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var longest test
	for id, since := range s.begun {
		if since.IsZero() || s.waitsForSubtests(id) {
			continue
		}
		if first, found := s.begun[longest]; !found || since.Before(first) {
			longest = id
		}
	}
	if longest.name == "" {
		fmt.Fprintf(s.out, "… %s\n", s.counts())
		return
	}
	fmt.Fprintf(s.out, "… %s; running for %v: %s %s\n",
		s.counts(), now.Sub(s.begun[longest]).Round(time.Second), longest.pkg, longest.name)
}

func (s *summary) waitsForSubtests(id test) bool {
	for other := range s.begun {
		if other.pkg == id.pkg && strings.HasPrefix(other.name, id.name+"/") {
			return true
		}
	}
	return false
}

// counts is the second half of the closing line.
func (s *summary) counts() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", s.passed, s.failed, s.skipped)
}

func (s *summary) printSkips() {
	for _, reason := range slices.Sorted(maps.Keys(s.skips)) {
		fmt.Fprintf(s.out, "skipped %d: %s\n", s.skips[reason], reason)
	}
}

// verdict is nil when the run proves something: tests ran, all passed, and none was left out for want of a server.
func (s *summary) verdict() error {
	if s.failed > 0 {
		return errors.New("there are failures")
	}
	if s.exit != nil {
		return fmt.Errorf("go test: %w", s.exit)
	}
	if s.passed == 0 {
		return errors.New("no test has run")
	}
	for reason := range s.skips {
		if strings.Contains(reason, dsnVariable) {
			return errors.New("tests were skipped for want of a server, which was there")
		}
	}
	return nil
}

var logPrefix = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// skipReason finds what t.Skip was told: the last thing logged before the verdict.
func skipReason(output []string) string {
	reason := []string{"no reason given"}
	for _, line := range output {
		switch {
		case logPrefix.MatchString(line):
			reason = strings.Fields(logPrefix.ReplaceAllString(line, ""))
		case strings.HasPrefix(line, "        "): // the reason goes on
			reason = append(reason, strings.Fields(line)...)
		case strings.HasPrefix(strings.TrimSpace(line), "--- SKIP"):
			return strings.Join(reason, " ")
		}
	}
	return strings.Join(reason, " ")
}
