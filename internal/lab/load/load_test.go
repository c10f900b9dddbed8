package load

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

func TestContendersTakeTurns(t *testing.T) {
	t.Parallel()
	plan := []Comparison{{Rounds: 2, Measurements: []Measurement{
		{Scenario: Lock, Contenders: []string{"a", "b"}, Callers: []int{1}}, {Scenario: Lock, Contenders: []string{"a", "b"}, Callers: []int{64}},
	}}}
	var got []string
	for _, step := range Steps(plan) {
		got = append(got, step.String())
	}
	want := []string{
		"Lock, 1 SKU, 1 caller, a", "Lock, 1 SKU, 1 caller, b", "Lock, 1 SKU, 64 callers, a", "Lock, 1 SKU, 64 callers, b",
		"Lock, 1 SKU, 1 caller, b", "Lock, 1 SKU, 1 caller, a", "Lock, 1 SKU, 64 callers, b", "Lock, 1 SKU, 64 callers, a",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlansAskNobodyForWhatHeCannotDo(t *testing.T) {
	t.Parallel()
	locks := []Scenario{Order, OrderItems, Cart, Catalogue, Lock}
	for name, plan := range map[string][]Comparison{"full": Full(), "smoke": Smoke(), "shown": Shown()} {
		scenarios, contenders := map[Scenario]bool{}, map[string]bool{}
		for _, step := range Steps(plan) {
			kind, err := contender.Find(step.Contender)
			if err != nil {
				t.Error(err)
			}
			scenarios[step.Scenario], contenders[step.Contender] = true, true
			if kind.Limit() && !slices.Contains(locks, step.Scenario) || step.Scenario == Expire && !kind.Ours() {
				t.Errorf("%s: %v", name, step)
			}
			if rows := step.Scenario.describe().row; rows != kind.Shop() && step.Contender != contender.Batches {
				t.Errorf("%s: %v: one has rows of the shop, the other none", name, step)
			}
		}
		if name != "shown" && (len(scenarios) != len(Scenarios()) || len(contenders) != len(contender.Kinds())) {
			t.Errorf("%s leaves somebody out: %v %v", name, scenarios, contenders)
		}
	}
}

func TestWhatReadmeShowsIsMeasuredInTime(t *testing.T) {
	t.Parallel()
	const each, all = 4 * time.Second, 25 * time.Minute // with making and auditing the tables, on two cores; two engines
	steps := Steps(Shown())
	if takes := 2 * time.Duration(len(steps)) * each; takes > all {
		t.Errorf("%d measurements for each engine take %v", len(steps), takes)
	}
	full := map[Point]bool{}
	for _, step := range Steps(Full()) {
		full[step.Point] = true
	}
	for _, step := range steps {
		if !full[step.Point] {
			t.Errorf("the full plan leaves out %v", step)
		}
	}
}

func TestChoiceNarrowsThePlan(t *testing.T) {
	t.Parallel()
	plan, err := Choice{Scenarios: []string{"lock"}, Contenders: []string{"ours", "limit"}, Callers: []int{7}, SKUs: []int{1},
		Processes: []int{4}, Rounds: 2}.From(Full())
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(plan); !strings.Contains(got, "4 processes") || !strings.Contains(got, "[7]") ||
		!strings.Contains(got, "\n2 measurements") {
		t.Errorf("got %s", got)
	}
	for _, c := range []Choice{{Scenarios: []string{"x"}}, {Contenders: []string{"x"}}, {SKUs: []int{3}}, {Delays: []time.Duration{1}}} {
		if _, err := c.From(Full()); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
	if !slices.Equal(Full()[0].Measurements[0].Contenders, sellers()) {
		t.Error("the choice has changed the plan it chose from")
	}
}

// outcome is what a worker reports after n operations of a latency.
func outcome(t *testing.T, n int64, took, latency time.Duration) Outcome {
	t.Helper()
	h := newHistogram()
	for range n {
		record(h, latency.Microseconds())
	}
	encoded, err := encode(h)
	if err != nil {
		t.Fatal(err)
	}
	return Outcome{Tally: contender.Tally{Locked: n}, Ops: n, Took: took, Hot: 3, Latency: encoded}
}

func TestMergeAddsWorkersUp(t *testing.T) {
	t.Parallel()
	failed := outcome(t, 100, 2*time.Second, 9*time.Millisecond)
	failed.Error, failed.Failed = "broken", 1
	round, err := merge([]Outcome{outcome(t, 300, 2*time.Second, time.Millisecond), failed})
	if err != nil {
		t.Fatal(err)
	}
	if round.Rate() != 200 || round.Locked != 400 || round.Hot != 6 || round.Error != "broken" || round.Failed != 1 {
		t.Errorf("got %+v, rate %v", round, round.Rate())
	}
	if l := latencyOf(round.Latency); l.P50 != 1_000 || l.P99 < 8_990 || l.P99 > 9_010 || l.Max < l.P99 {
		t.Errorf("got %+v", l)
	}
	if _, err := merge([]Outcome{{Latency: []byte("no histogram")}}); err == nil {
		t.Error("merged what is no histogram")
	}
}

func TestResultIsTheMedianOfItsRounds(t *testing.T) {
	t.Parallel()
	r := &Results{Engine: "e"}
	p := Point{setting{Lock, 1, 1, 0}, contender.Ours, 1}
	for i, n := range []int64{10, 1_000, 20} {
		round, err := merge([]Outcome{outcome(t, n, time.Second, time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		r.Add(Step{p, i + 1}, round, nil)
	}
	got := r.Find(p)
	if len(r.All()) != 1 || got.Rate != 20 || len(got.Rounds) != 3 || got.Locked != 1_030 || got.HotRate != 3 {
		t.Errorf("got %+v", got)
	}
	if len(r.Wrong()) != 0 {
		t.Error("nothing was wrong")
	}
	r.Add(Step{p, 4}, Round{}, []string{"lost 1"})
	r.Add(Step{Point{p.setting, contender.Published, 1}, 4}, Round{}, []string{"sold 5 too many"})
	if wrong := r.Wrong(); len(wrong) != 1 || wrong[0] != got {
		t.Errorf("got %v: wrong is what this library gets wrong, and nothing else", wrong)
	}
}

func TestWhatIsComparedWasMeasuredInTheSameRound(t *testing.T) {
	t.Parallel()
	// A machine that slows down: twice as fast in each round that both were in, though not by their medians.
	a := &Result{Rate: 100, Rates: []float64{1_000, 100, 10}, Rounds: []int{1, 2, 3}}
	b := &Result{Rate: 27.5, Rates: []float64{50, 5}, Rounds: []int{2, 3}}
	if got := compare(a, b); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := compare(a, &Result{Rate: 50, Rates: []float64{50}, Rounds: []int{9}}); got != 2 {
		t.Errorf("without a round in common: got %v, want 2", got)
	}
	if got := compare(a, &Result{}); got != 0 {
		t.Errorf("got %v of nothing", got)
	}
}

// full are results with the same rate for every point of the plan, but for those given.
func full(rates map[Point]float64) *Results {
	r := &Results{Engine: "mysql-9"}
	latency := newHistogram()
	record(latency, 5_000)
	for _, step := range Steps(Full()) {
		rate, ok := rates[step.Point]
		if !ok {
			rate = 1_000
		}
		r.Add(step, Round{Ops: int64(rate), Took: time.Second, Latency: latency}, nil)
	}
	return r
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	lock := setting{Lock, 1, 1, 0}
	results := full(map[Point]float64{
		{lock, contender.Ours, hot}:                               40_000,
		{lock, contender.Ours, 4_096}:                             31_000,
		{lock, contender.Limit, hot}:                              50_000,
		{lock, contender.RedisAlways, hot}:                        25_000,
		{setting{SoldOut, 1, 1, 0}, contender.Ours, hot}:          260_000,
		{setting{LockPay, 1, 1, 0}, contender.Ours, hot}:          15_000,
		{setting{Expire, 1, 1, 0}, contender.Ours, hot}:           25_000,
		{setting{Catalogue, 1_000, 1, 0}, contender.Unmerged, 64}: 2_000,
		{setting{OrderItems, 1_000, 1, 0}, contender.Along, hot}:  11_000,
	})
	held := map[string]bool{}
	for _, v := range Judge(results, "mysql") {
		if !v.Known {
			t.Errorf("%s: the plan does not measure it", v.Claim)
		}
		held[v.Claim] = v.Held
	}
	for claim, want := range map[string]bool{
		"1,024 callers: Holdfast ÷ FOR UPDATE":                           true,  // 40
		"1,024 callers: Holdfast ÷ Redis Lua, fsync always":              true,  // 1.6
		"1,024 callers: Holdfast ÷ raw INSERT":                           true,  // 0.8
		"no collapse: 4,096 callers ÷ the maximum":                       false, // 0.775
		"1,024 callers: p99 of Redis ÷ p99 of Holdfast":                  true,  // the same
		"1,000 SKUs, 64 callers: Holdfast ÷ unmerged":                    false, // 0.5
		"cold SKUs beside a hot one: p99 of Holdfast ÷ p99 by hand":      true,  // the same
		"1,000 SKUs: Holdfast ÷ unmerged":                                false, // 1
		"sold out: refusals ÷ raw INSERT":                                true,  // 5.2
		"sold out: statements/s that reach the item":                     true,  // none
		"Lock→Pay ÷ Lock":                                                false, // 0.375
		"expiry of dead holds ÷ Lock":                                    true,  // 0.625
		"no oversell, no lost hold, zero drift: points with wrong books": true,
	} {
		if got, ok := held[claim]; !ok || got != want {
			t.Errorf("%s: got %v (known: %v), want %v", claim, got, ok, want)
		}
	}
	for _, v := range Judge(results, "mariadb") {
		if v.Claim == "1,024 callers: Holdfast ÷ Redis Lua, fsync always" && v.Held {
			t.Errorf("%s: 1.6 is not enough on MariaDB", v.Claim)
		}
	}
	var out strings.Builder
	WriteVerdicts(&out, Judge(&Results{Engine: "e"}, "mysql"))
	if strings.Contains(out.String(), "  held") || !strings.Contains(out.String(), "not measured") {
		t.Errorf("nothing was measured:\n%s", out.String())
	}
}

func TestTablesAreAligned(t *testing.T) {
	t.Parallel()
	r := &Results{Engine: "mysql-9"}
	s := setting{SoldOut, 1_000, 4, time.Millisecond}
	ours := r.Add(Step{Point{s, contender.Ours, hot}, 1}, Round{Ops: 12_345, Took: time.Second}, nil)
	ours.P99 = 1_500
	r.Add(Step{Point{s, contender.ForUpdate, hot}, 1}, Round{Ops: 100, Took: time.Second, Hot: 250}, []string{"sold 3 too many"})
	var out strings.Builder
	WriteTables(&out, r)
	want := `
mysql-9: Lock of a SKU that is sold out, 1,000 SKUs, 4 processes, 1ms more for each round trip

  callers                       refusals/s  × FOR UPDATE  × Holdfast  p50     p99  p99.9  max
    1,024  SELECT … FOR UPDATE         100                    0.0081                           250 statements/s on the item; sold 3 too many
           Holdfast                 12,345           123                   1.5 ms
`
	if out.String() != want {
		t.Errorf("got %s\nwant %s", out.String(), want)
	}
}

func TestChartsAreWellFormed(t *testing.T) {
	t.Parallel()
	charts, err := Charts(full(nil))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, chart := range charts {
		names = append(names, chart.Name)
		texts, paths := elements(t, chart.SVG)
		slowest := "by hand"
		if strings.HasPrefix(chart.Name, "-lock") {
			slowest = "SELECT … FOR UPDATE"
		}
		for _, want := range []string{"Holdfast", slowest, "1,024", "mysql-9"} {
			if !slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, want) }) {
				t.Errorf("%q: no text %q in %q", chart.Name, want, texts)
			}
		}
		if paths < len(sellers()) {
			t.Errorf("%q: %d paths", chart.Name, paths)
		}
		limit := slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, "limit: ") })
		if limit == strings.HasSuffix(chart.Name, "-p99") {
			t.Errorf("%q: the limit is in it: %v", chart.Name, limit)
		}
		if strings.Contains(string(chart.SVG), "NaN") || strings.Contains(string(chart.SVG), "#-") {
			t.Errorf("%q has a number that is none", chart.Name)
		}
	}
	if !slices.Equal(names, []string{"", "-p99", "-lock", "-lock-p99"}) {
		t.Errorf("got %q: orders come first", names)
	}
	if _, err := Charts(&Results{}); err == nil {
		t.Error("drew nothing")
	}
}

// elements returns the texts of an SVG and the number of its paths.
func elements(t *testing.T, svg []byte) (texts []string, paths int) {
	t.Helper()
	inText := false
	for dec := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return texts, paths
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
			if token.Name.Local == "path" {
				paths++
			}
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		}
	}
}
