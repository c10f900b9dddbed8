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
)

// event is a line of go test -json; see go doc test2json.
type event struct {
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
// line for each package.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	skips                   map[string]int // by reason
	exit                    error          // of go test, nil when it ended well

	pending map[test][]string // the output of what has no result yet
	broken  map[string]bool   // packages with a failed test
}

// read takes events until r ends.
func (s *summary) read(r io.Reader) error {
	s.skips, s.pending, s.broken = map[string]int{}, map[test][]string{}, map[string]bool{}
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil {
			s.take(e)
		} else {
			fmt.Fprintf(s.out, "%s", line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	id := test{e.Package, e.Test}
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
}

// show prints the output of a test or package without the frames that only tell where go test was.
func (s *summary) show(id test) {
	for _, line := range s.pending[id] {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Fprint(s.out, line)
		}
	}
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
