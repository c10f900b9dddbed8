// Package load measures ways of locking stock against each other: in one run, with the same work for all, taken in turns so that
// what else goes on in the machine meets each of them. It has the plan, the callers, the tables and charts, and the verdict.
package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// setting is what all in one comparison have in common, the number of callers aside.
type setting struct {
	Scenario  Scenario      `json:"scenario"`
	SKUs      int           `json:"skus"`
	Processes int           `json:"processes"`
	Delay     time.Duration `json:"delay_ns"` // added to each round trip
}

// String describes it as a heading.
func (s setting) String() string {
	text := s.Scenario.describe().title
	text += ", " + count(s.SKUs, "SKU", "SKUs")
	if s.Processes > 1 {
		text += ", " + count(s.Processes, "process", "processes")
	}
	if s.Delay > 0 {
		text += fmt.Sprintf(", %v more for each round trip", s.Delay)
	}
	return text
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(float64(n)) + " " + many
}

// Point is one measurement of one contender.
type Point struct {
	setting

	Contender string `json:"contender"`
	Callers   int    `json:"callers"`
}

// String describes it in a line.
func (p Point) String() string {
	return fmt.Sprintf("%v, %s, %s", p.setting, count(p.Callers, "caller", "callers"), p.Contender)
}

// orders is how many each buyer places, of those wanted: none where buyers are not named.
func (p Point) orders(wanted int) int {
	if p.Scenario != LockBuyer {
		return 0
	}
	return max(1, wanted)
}

// holds is how many are locked beforehand: more where they are to be paid, and the measurement is not to end before its time.
func (p Point) holds(wanted int) int {
	if p.Scenario == Pay {
		return 3 * wanted
	}
	return wanted
}

// Measurement is what contenders do side by side.
type Measurement struct {
	Scenario   Scenario
	Contenders []string
	Callers    []int
	SKUs       int           // 0 is 1
	Processes  int           // 0 is 1
	Delay      time.Duration // added to each round trip
}

// points returns what is measured, the contenders next to each other. In each round another begins, so that nobody always
// comes after the same other, who may have left the server something to tidy up.
func (m Measurement) points(round int) []Point {
	var points []Point
	first := round % len(m.Contenders)
	for _, callers := range m.Callers {
		for _, name := range slices.Concat(m.Contenders[first:], m.Contenders[:first]) {
			points = append(points, Point{setting{m.Scenario, max(1, m.SKUs), max(1, m.Processes), m.Delay}, name, callers})
		}
	}
	return points
}

// Comparison is measured in rounds, each of which has everything in it once. So whatever is divided by something else was
// measured within the same minute or two, several times.
type Comparison struct {
	Rounds       int
	Measurements []Measurement
}

// once is a comparison of one round.
func once(measurements ...Measurement) Comparison {
	return Comparison{Rounds: 1, Measurements: measurements}
}

// Step is a point at its turn.
type Step struct {
	Point

	Round int // of the whole run
}

// Steps returns what is measured, in this order, and nothing twice in a round.
func Steps(plan []Comparison) []Step {
	var steps []Step
	round := 0
	for _, c := range plan {
		for turn := range c.Rounds {
			round++
			seen := map[Point]bool{}
			for _, m := range c.Measurements {
				for _, p := range m.points(turn) {
					if !seen[p] {
						steps = append(steps, Step{p, round})
					}
					seen[p] = true
				}
			}
		}
	}
	return steps
}

// Choice narrows a plan. What is nil narrows nothing.
type Choice struct {
	Scenarios  []string
	Contenders []string
	Callers    []int           // replaces those of the plan
	SKUs       []int           // keeps the measurements with one of these
	Processes  []int           // the same
	Delays     []time.Duration // the same
	Rounds     int             // replaces those of the plan; 0 does not
}

// From returns what is left of a plan.
func (c Choice) From(plan []Comparison) ([]Comparison, error) {
	for _, name := range c.Scenarios {
		if !slices.Contains(Scenarios(), Scenario(name)) {
			return nil, fmt.Errorf("load: there is no scenario %q; bench -h lists them", name)
		}
	}
	for _, name := range c.Contenders {
		if _, err := contender.Find(name); err != nil {
			return nil, err
		}
	}
	var left []Comparison
	for _, comparison := range plan {
		narrowed := Comparison{Rounds: comparison.Rounds}
		if c.Rounds > 0 {
			narrowed.Rounds = c.Rounds
		}
		for _, m := range comparison.Measurements {
			if m, ok := c.narrow(m); ok {
				narrowed.Measurements = append(narrowed.Measurements, m)
			}
		}
		if narrowed.Measurements != nil {
			left = append(left, narrowed)
		}
	}
	if left == nil {
		return nil, errors.New("load: nothing of the plan is left by the flags; see bench -list")
	}
	return left, nil
}

// Any reports whether it narrows anything. Callers and rounds do not: they replace those of the plan.
func (c Choice) Any() bool {
	return c.Scenarios != nil || c.Contenders != nil || c.SKUs != nil || c.Processes != nil || c.Delays != nil
}

// narrow returns what is left of a measurement, if anything is.
func (c Choice) narrow(m Measurement) (Measurement, bool) {
	m.Contenders = slices.DeleteFunc(slices.Clone(m.Contenders), func(name string) bool { return !admits(c.Contenders, name) })
	if c.Callers != nil {
		m.Callers = c.Callers
	}
	return m, len(m.Contenders) > 0 && admits(c.Scenarios, string(m.Scenario)) &&
		admits(c.SKUs, max(1, m.SKUs)) && admits(c.Processes, max(1, m.Processes)) && admits(c.Delays, m.Delay)
}

// admits reports whether a choice lets a value in.
func admits[T comparable](choice []T, value T) bool {
	return choice == nil || slices.Contains(choice, value)
}

// Describe lists a plan, a measurement a line.
func Describe(plan []Comparison) string {
	var b strings.Builder
	for _, c := range plan {
		fmt.Fprintf(&b, "%s of\n", count(c.Rounds, "round", "rounds"))
		for _, m := range c.Measurements {
			fmt.Fprintf(&b, "  %-46s %-24s %s\n", m.points(0)[0].setting, fmt.Sprint(m.Callers), strings.Join(m.Contenders, " "))
		}
	}
	fmt.Fprintf(&b, "%d measurements for each engine\n", len(Steps(plan)))
	return b.String()
}
