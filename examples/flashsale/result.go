package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/stock"
)

// result is what -json prints.
type result struct {
	Store       string   `json:"store"`
	Buyers      int      `json:"buyers"`
	Units       int64    `json:"units"`
	Seed        uint64   `json:"seed"`
	Hold        float64  `json:"hold_seconds"`
	Interrupted bool     `json:"interrupted"`
	Holdfast    outcome  `json:"holdfast"`
	Published   *outcome `json:"published,omitempty"`
}

// outcome is how one sale went. The first numbers are buyers, as they were told.
type outcome struct {
	Sold      int `json:"sold"`
	Held      int `json:"held"` // neither paid nor over; only where the sale was cut short
	SoldOut   int `json:"sold_out"`
	Cancelled int `json:"cancelled"`
	Expired   int `json:"expired"`
	Refunded  int `json:"refunded"`

	Replays      int `json:"replays"`       // callbacks that came again and changed nothing
	CountedTwice int `json:"counted_twice"` // callbacks that came again and were counted again
	Late         int `json:"late_refused"`  // late payments whose money goes back
	PaidClosed   int `json:"late_accepted"` // payments of orders that were closed, counted all the same
	Retries      int `json:"retries"`

	Locks   int         `json:"locks"`
	P50     demo.Micros `json:"lock_p50_us"`
	P99     demo.Micros `json:"lock_p99_us"`
	Rate    float64     `json:"rush_locks_per_second"` // until each buyer had been at the counter once
	Seconds float64     `json:"seconds"`

	Counters counters `json:"counters"` // of the item, in the end
	Oversold int64    `json:"oversold"` // units sold that there never were
	Audited  bool     `json:"audited"`
	Drifts   []string `json:"drifts"` // counters that are not what they should be
}

// counters are stock.Quantities with names for JSON.
type counters struct {
	Total    int64 `json:"total"`
	Sold     int64 `json:"sold"`
	Locked   int64 `json:"locked"`
	Left     int64 `json:"left"`
	Refunded int64 `json:"refunded"`
}

// outcomeAsTold returns what the sale itself knows.
func (s *sale) outcomeAsTold() outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := outcome{
		Sold: s.tally[stock.Paid], Held: s.tally[stock.Locked], SoldOut: s.refused,
		Cancelled: s.tally[stock.Cancelled], Expired: s.tally[stock.Expired], Refunded: s.tally[stock.Refunded],
		Replays: s.replays, Late: s.late, Retries: s.retries,
		Locks: len(s.waits), P50: demo.Quantile(s.waits, 0.50), P99: demo.Quantile(s.waits, 0.99),
		Seconds: s.elapsed.Seconds(), Drifts: []string{},
	}
	if s.rush > 0 {
		o.Rate = float64(s.served) / s.rush.Seconds()
	}
	return o
}

// outcome completes it with the item's counters, and holds three accounts of the sale against
// each other: the counters, the holds (that is the audit) and what the buyers were told.
func (s *sale) outcome(ctx context.Context, inv *stock.Inventory) (outcome, error) {
	o := s.outcomeAsTold()
	now, err := inv.Item(ctx, item)
	if err != nil {
		return o, err
	}
	report, err := inv.Audit(ctx, item)
	if err != nil {
		return o, err
	}
	o.Audited = true
	for _, drift := range report.Drifts {
		o.Drifts = append(o.Drifts, drift.String())
	}
	o.weigh(s.units, now.Quantities)
	if int64(o.Refunded) != now.Refunded {
		o.Drifts = append(o.Drifts, fmt.Sprintf("refunded is %d, but %d buyers were refunded", now.Refunded, o.Refunded))
	}
	return o, nil
}

// publishedOutcome is outcome for the published design, which has no holds to audit.
func (s *sale) publishedOutcome(ctx context.Context, p *published) (outcome, error) {
	o := s.outcomeAsTold()
	o.CountedTwice, o.PaidClosed = p.countedTwice, p.paidClosed
	counters, err := p.counters(ctx)
	if err == nil {
		o.weigh(s.units, counters)
	}
	return o, err
}

// weigh holds what buyers were told against the counters.
func (o *outcome) weigh(units int64, q stock.Quantities) {
	o.Counters = counters(q)
	o.Oversold = max(0, int64(o.Sold)-units)
	if int64(o.Sold) != q.Sold {
		o.Drifts = append(o.Drifts, fmt.Sprintf("sold is %d, but %d buyers have a unit", q.Sold, o.Sold))
	}
	if q.Total != units || q.Total != q.Sold+q.Left {
		o.Drifts = append(o.Drifts, fmt.Sprintf("total is %d of %d units, with %d sold and %d left", q.Total, units, q.Sold, q.Left))
	}
	if q.Locked < 0 || q.Left < q.Locked {
		o.Drifts = append(o.Drifts, fmt.Sprintf("locked is %d of %d left", q.Locked, q.Left))
	}
}

// balanced reports whether all accounts agree and nothing was sold twice.
func (o *outcome) balanced() bool { return o.Audited && o.Oversold == 0 && len(o.Drifts) == 0 }

// Balanced implements demo.Result. That the published design goes wrong is no failure of the example.
func (r *result) Balanced() bool { return r.Holdfast.balanced() }

// CutShort implements demo.Result.
func (r *result) CutShort() bool { return r.Interrupted }

// Print implements demo.Result.
func (r *result) Print(w io.Writer) {
	fmt.Fprintf(w, "%s buyers rush for %s units. Store: %s. Seed %d. An order holds its unit for %v.\n\n",
		demo.Count(r.Buyers), demo.Count(r.Units), r.Store, r.Seed, time.Duration(r.Hold*float64(time.Second)))
	align := "lrl"
	if r.Published != nil {
		align = "lrrl"
	}
	demo.Table(w, align, r.rows())
	fmt.Fprintln(w)
	if r.Interrupted {
		fmt.Fprintln(w, "Interrupted: this is what happened so far.")
	}
	fmt.Fprintln(w, r.Holdfast.verdict(r.Units))
	if r.Published != nil {
		fmt.Fprintln(w, r.Published.publishedVerdict(r.Units))
	}
}

// rows returns the lines of the table.
func (r *result) rows() [][]string {
	var rows [][]string
	row := func(label, note string, value func(o *outcome) string) {
		cells := []string{label, value(&r.Holdfast)}
		if r.Published != nil {
			cells = append(cells, value(r.Published))
		}
		rows = append(rows, append(cells, note))
	}
	number := func(label, note string, value func(o *outcome) int) {
		row(label, note, func(o *outcome) string { return demo.Count(value(o)) })
	}
	if r.Published != nil {
		rows = append(rows, []string{"", "Holdfast", "published", ""})
	}
	number("sold", "", func(o *outcome) int { return o.Sold })
	if r.Published != nil || r.Holdfast.Oversold > 0 {
		number("  too many", "units that there never were", func(o *outcome) int { return int(o.Oversold) })
	}
	if r.Holdfast.Held > 0 {
		number("held", "neither paid nor over", func(o *outcome) int { return o.Held })
	}
	number("sold out", "buyers who went home with nothing", func(o *outcome) int { return o.SoldOut })
	number("cancelled", "", func(o *outcome) int { return o.Cancelled })
	number("expired", "not paid in time; the unit is free again", func(o *outcome) int { return o.Expired })
	number("refunded", "back on sale", func(o *outcome) int { return o.Refunded })
	number("replays", "callbacks that came twice and were counted once", func(o *outcome) int { return o.Replays })
	number("late payments", "refused; the money goes back", func(o *outcome) int { return o.Late })
	if r.Published != nil {
		number("counted twice", "callbacks that came twice", func(o *outcome) int { return o.CountedTwice })
		number("paid when closed", "with the lock of somebody else's order", func(o *outcome) int { return o.PaidClosed })
		number("counter: sold", "", func(o *outcome) int { return int(o.Counters.Sold) })
		number("counter: locked", "0 in the end", func(o *outcome) int { return int(o.Counters.Locked) })
		number("counter: left", "never below 0", func(o *outcome) int { return int(o.Counters.Left) })
	}
	row("Lock p50", "", func(o *outcome) string { return o.P50.String() })
	row("Lock p99", "", func(o *outcome) string { return o.P99.String() })
	row("Locks a second", "while everybody came for the first time", func(o *outcome) string { return demo.Count(int(o.Rate)) })
	row("whole sale", "", func(o *outcome) string { return fmt.Sprintf("%.1fs", o.Seconds) })
	return rows
}

// verdict says whether the books balance.
func (o *outcome) verdict(units int64) string {
	switch {
	case !o.Audited:
		return "Audit: not done; the store could not be read any more."
	case !o.balanced():
		return fmt.Sprintf("Audit: WRONG, %s units too many were sold; %s.", demo.Count(o.Oversold), strings.Join(o.Drifts, "; "))
	}
	return fmt.Sprintf("Audit: the books balance. Of %s units %s are sold, %s held, %s free; every buyer who paid has one.",
		demo.Count(units), demo.Count(o.Counters.Sold), demo.Count(o.Counters.Locked), demo.Count(o.Counters.Left-o.Counters.Locked))
}

// publishedVerdict says the same of the published design.
func (o *outcome) publishedVerdict(units int64) string {
	if o.Oversold == 0 && len(o.Drifts) == 0 {
		return "Published: its counters came out right this time."
	}
	return fmt.Sprintf("Published: WRONG, %s buyers were told that they have one of %s units; its row says %s sold, %s locked, %s left.",
		demo.Count(o.Sold), demo.Count(units), demo.Count(o.Counters.Sold), demo.Count(o.Counters.Locked), demo.Count(o.Counters.Left))
}
