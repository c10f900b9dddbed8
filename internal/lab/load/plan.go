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

// Scenario is what a caller does, over and over.
type Scenario string

// The scenarios.
const (
	Lock       Scenario = "lock"        // Lock one unit
	LockBuyer  Scenario = "lock-buyer"  // Lock one unit for a buyer, whose units the item limits
	LockPay    Scenario = "lock-pay"    // Lock one unit and Pay for it
	LockCancel Scenario = "lock-cancel" // Lock one unit and give it back
	SoldOut    Scenario = "sold-out"    // Lock where there is nothing left: what counts is the refusals
	Expire     Scenario = "expire"      // release dead holds, which were locked before; one caller
	Claim      Scenario = "claim"       // claim a coupon
	Grab       Scenario = "grab"        // grab a share of a red packet
	Fill       Scenario = "fill"        // take a seat of a team and pay for it
)

// Scenarios returns all of them.
func Scenarios() []Scenario {
	return []Scenario{Lock, LockBuyer, LockPay, LockCancel, SoldOut, Expire, Claim, Grab, Fill}
}

// unit is what the rate of a scenario counts.
func (s Scenario) unit() string {
	switch s {
	case LockPay, LockCancel:
		return "pairs/s"
	case SoldOut:
		return "refusals/s"
	case Expire:
		return "holds/s"
	case Claim:
		return "claims/s"
	case Grab:
		return "grabs/s"
	case Fill:
		return "seats/s"
	case Lock, LockBuyer:
	}
	return "locks/s"
}

// setting is what all in one comparison have in common, the number of callers aside.
type setting struct {
	Scenario  Scenario      `json:"scenario"`
	SKUs      int           `json:"skus"`
	Processes int           `json:"processes"`
	Delay     time.Duration `json:"delay_ns"` // added to each round trip
}

// String describes it as a heading.
func (s setting) String() string {
	text := map[Scenario]string{
		Lock: "Lock", LockBuyer: "Lock for a buyer", LockPay: "Lock, then Pay", LockCancel: "Lock, then Cancel",
		SoldOut: "Lock of a SKU that is sold out", Expire: "Expiry of dead holds", Claim: "Claim of a coupon",
		Grab: "Grab of a share of a red packet", Fill: "Seat of a team, taken and paid",
	}[s.Scenario]
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

// hot is the number of callers that most is asked about.
const hot = 1_024

// everybody are the contenders whose rate depends on the number of callers.
func everybody() []string {
	var names []string
	for _, kind := range contender.Kinds() {
		if kind.Stock() && kind.Name != contender.Limit {
			names = append(names, kind.Name)
		}
	}
	return names
}

// Full is the plan of a whole run: everything once, and what the verdicts divide by each other in several rounds.
func Full() []Comparison {
	ours := []string{contender.Ours}
	some := []string{contender.ForUpdate, contender.Guarded, contender.Unmerged, contender.Ours, contender.RedisAlways}
	most := slices.Insert(slices.Clone(some), 1, contender.Optimistic, contender.Published)
	return []Comparison{
		once(Measurement{Scenario: Lock, Contenders: everybody(), Callers: []int{1, 16, 64, 256, hot, 4_096}}),
		{Rounds: 4, Measurements: []Measurement{
			{Scenario: Lock, Contenders: []string{contender.ForUpdate, contender.RedisAlways, contender.Ours, contender.Limit}, Callers: []int{hot}},
			{Scenario: SoldOut, Contenders: ours, Callers: []int{hot}},
			{Scenario: LockBuyer, Contenders: ours, Callers: []int{hot}},
			{Scenario: LockPay, Contenders: ours, Callers: []int{hot}},
			{Scenario: Expire, Contenders: ours, Callers: []int{hot}},
			{Scenario: Lock, Contenders: []string{contender.RedisAlways, contender.Ours}, Callers: []int{2_048}},
			{Scenario: Lock, Contenders: ours, Callers: []int{4_096, 256}},
		}},
		{Rounds: 5, Measurements: []Measurement{
			{Scenario: Lock, Contenders: []string{contender.Guarded, contender.Ours}, Callers: []int{1}},
			{Scenario: Lock, Contenders: []string{contender.Unmerged, contender.Ours}, Callers: []int{64}, SKUs: 1_000},
		}},
		{Rounds: 3, Measurements: []Measurement{
			{Scenario: Claim, Contenders: claims(), Callers: []int{hot}},
			{Scenario: Grab, Contenders: grabs(), Callers: []int{hot}},
			{Scenario: Fill, Contenders: fills(), Callers: []int{256}, SKUs: 10_000},
		}},
		once(
			Measurement{Scenario: Lock, Contenders: some, Callers: []int{hot}, SKUs: 1_000},
			Measurement{Scenario: Lock, Contenders: some, Callers: []int{hot}, Processes: 4},
			Measurement{Scenario: Lock, Contenders: some, Callers: []int{64, hot}, Delay: time.Millisecond},
		),
		once(
			Measurement{Scenario: LockBuyer, Contenders: buyers(), Callers: []int{hot}},
			Measurement{Scenario: LockPay, Contenders: most, Callers: []int{hot}},
			Measurement{Scenario: LockCancel, Contenders: most, Callers: []int{hot}},
			Measurement{Scenario: SoldOut, Contenders: most, Callers: []int{hot}},
		),
	}
}

// buyers, claims, grabs and fills are the contenders of their scenarios.
func buyers() []string { return []string{contender.Unmerged, contender.Ours} }

func claims() []string {
	return []string{contender.CouponUnmerged, contender.Coupon, contender.CouponMillion}
}

func fills() []string { return []string{contender.GroupsPlain, contender.Groups} }

func grabs() []string { return []string{contender.RedPacketUnmerged, contender.RedPacket} }

// Smoke has everything once and small: it shows that all of it works, and no figure.
func Smoke() []Comparison {
	pairs := slices.DeleteFunc(everybody(), func(name string) bool { return name == contender.RedisEverysec })
	return []Comparison{once(
		Measurement{Scenario: Lock, Contenders: append(everybody(), contender.Limit), Callers: []int{64}},
		Measurement{Scenario: Lock, Contenders: []string{contender.Ours, contender.RedisAlways, contender.Limit}, Callers: []int{hot}},
		Measurement{Scenario: Lock, Contenders: []string{contender.Guarded, contender.Ours}, Callers: []int{1}},
		Measurement{Scenario: Lock, Contenders: []string{contender.Unmerged, contender.Ours}, Callers: []int{64}, SKUs: 50, Processes: 4},
		Measurement{Scenario: Lock, Contenders: []string{contender.Ours, contender.RedisPipelined}, Callers: []int{64}, Delay: time.Millisecond},
		Measurement{Scenario: LockBuyer, Contenders: buyers(), Callers: []int{64}},
		Measurement{Scenario: LockPay, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: LockCancel, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: SoldOut, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: Expire, Contenders: []string{contender.Ours, contender.Unmerged}, Callers: []int{64}},
		Measurement{Scenario: Claim, Contenders: claims(), Callers: []int{64}},
		Measurement{Scenario: Grab, Contenders: grabs(), Callers: []int{64}},
		Measurement{Scenario: Fill, Contenders: fills(), Callers: []int{64}, SKUs: 50},
	)}
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
