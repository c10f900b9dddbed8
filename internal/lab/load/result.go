package load

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// Round is one measurement of a point: what all workers together have done.
type Round struct {
	contender.Tally

	Ops     int64
	Beside  int64
	Took    time.Duration
	Hot     int64
	CPU     CPU
	Latency *hdrhistogram.Histogram // microseconds
	Error   string
}

// Rate is operations a second.
func (r Round) Rate() float64 { return perSecond(r.Ops, r.Took) }

func perSecond(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}

// merge adds up what workers have done at the same time.
func merge(outcomes []Outcome) (Round, error) {
	round := Round{Latency: newHistogram()}
	for _, o := range outcomes {
		histogram, err := hdrhistogram.Decode(o.Latency)
		if err != nil {
			return Round{}, fmt.Errorf("load: the histogram of a worker: %w", err)
		}
		if dropped := round.Latency.Merge(histogram); dropped > 0 {
			return Round{}, fmt.Errorf("load: the histogram of a worker has %d values out of range", dropped)
		}
		round.Add(o.Tally)
		round.Ops += o.Ops
		round.Beside += o.Beside
		round.Hot += o.Hot
		round.Took = max(round.Took, o.Took)
		round.Error = cmp.Or(round.Error, o.Error)
	}
	return round, nil
}

// Latency is the distribution of the time that an operation took; for the limit an operation is a statement, for a pair both calls,
// and for an expiry all of it.
type Latency struct {
	P50  int64 `json:"p50_us"`
	P99  int64 `json:"p99_us"`
	P999 int64 `json:"p999_us"`
	Max  int64 `json:"max_us"`
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	return Latency{P50: h.ValueAtPercentile(50), P99: h.ValueAtPercentile(99), P999: h.ValueAtPercentile(99.9), Max: h.Max()}
}

// Result is a point after all its rounds.
type Result struct {
	Point
	contender.Tally
	Latency

	Engine    string    `json:"engine"`
	Rate      float64   `json:"rate_per_s"`    // the median of the rounds
	Rates     []float64 `json:"rates_per_s"`   // of the rounds
	Beside    float64   `json:"beside_per_s"`  // of the callers beside those whose rate it is
	P99s      []float64 `json:"p99s_us"`       // of the rounds
	HotRate   float64   `json:"hot_row_per_s"` // statements on items; sold-out only
	Problems  []string  `json:"problems"`      // what is wrong with the books afterwards
	Broken    bool      `json:"broken"`        // the problems are those of this library
	LastError string    `json:"error"`         // one of the calls that failed
	Rounds    []int     `json:"rounds"`        // of the run, those that the rates are of
	histogram *hdrhistogram.Histogram
	hot       int64
	beside    int64
	took      time.Duration
}

// Results are those of one engine, in the order of their first measurement.
type Results struct {
	Engine string
	list   []*Result
}

// Add takes a step in, with the problems that its books have, and returns the result of its point so far.
func (r *Results) Add(step Step, round Round, problems []string) *Result {
	result := r.Find(step.Point)
	if result == nil {
		result = &Result{Point: step.Point, Engine: r.Engine, histogram: newHistogram()}
		r.list = append(r.list, result)
	}
	result.Rounds = append(result.Rounds, step.Round)
	result.Add(round.Tally)
	result.Rates = append(result.Rates, round.Rate())
	result.Rate = median(result.Rates)
	result.hot += round.Hot
	result.beside += round.Beside
	result.took += round.Took
	result.HotRate, result.Beside = perSecond(result.hot, result.took), perSecond(result.beside, result.took)
	p99 := 0.0
	if round.Latency != nil {
		result.histogram.Merge(round.Latency)
		p99 = float64(latencyOf(round.Latency).P99)
	}
	result.P99s = append(result.P99s, p99)
	result.Latency = latencyOf(result.histogram)
	result.LastError = cmp.Or(round.Error, result.LastError)
	result.Problems = append(result.Problems, problems...)
	kind, err := contender.Find(step.Contender)
	result.Broken = result.Broken || len(problems) > 0 && (err != nil || kind.Ours())
	return result
}

// Find returns the result of a point, or nil.
func (r *Results) Find(p Point) *Result {
	if i := slices.IndexFunc(r.list, func(result *Result) bool { return result.Point == p }); i >= 0 {
		return r.list[i]
	}
	return nil
}

// All returns the results.
func (r *Results) All() []*Result { return r.list }

// Wrong returns those that must not be.
func (r *Results) Wrong() []*Result {
	return slices.DeleteFunc(slices.Clone(r.list), func(result *Result) bool { return !result.Broken })
}

// compare divides the rates of two results: round by round, where both have rounds in common, and of these ratios the median. So
// what the machine did otherwise in one round does not count for another. It is 0 where there is nothing to divide by.
func compare(a, b *Result) float64 {
	ratios := inRounds(a, b, func(r *Result) []float64 { return r.Rates })
	if len(ratios) == 0 && b.Rate > 0 {
		return a.Rate / b.Rate
	}
	return median(ratios)
}

// compareP99 divides the 99th percentiles of their latency in the same way.
func compareP99(a, b *Result) float64 {
	return median(inRounds(a, b, func(r *Result) []float64 { return r.P99s }))
}

// inRounds divides what two results have of the rounds that both were in.
func inRounds(a, b *Result, of func(*Result) []float64) []float64 {
	var ratios []float64
	for i, round := range a.Rounds {
		if j := slices.Index(b.Rounds, round); j >= 0 && of(b)[j] > 0 {
			ratios = append(ratios, of(a)[i]/of(b)[j])
		}
	}
	return ratios
}

// median of nothing is 0.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
