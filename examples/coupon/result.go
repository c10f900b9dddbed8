package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// result is what -json prints.
type result struct {
	Store       string        `json:"store"`
	Buyers      int           `json:"buyers"`
	Codes       int64         `json:"codes"`
	Seed        uint64        `json:"seed"`
	Interrupted bool          `json:"interrupted"`
	Rush        outcome       `json:"rush"`
	Tale        []step        `json:"tale"`
	Wallet      []walletRow   `json:"wallet"`  // of the tale's first buyer
	History     []historyRow  `json:"history"` // of that buyer's first coupon
	Campaigns   []campaignRow `json:"campaigns"`
	Audited     bool          `json:"audited"`
	Drifts      []string      `json:"drifts"` // numbers that are not what they should be
}

// newResult returns a result in which nothing has happened yet.
func newResult(c *config, store string) *result {
	return &result{
		Store: store, Buyers: c.buyers, Codes: c.codes, Seed: c.Seed, Rush: outcome{Wrong: []string{}},
		Tale: []step{}, Wallet: []walletRow{}, History: []historyRow{}, Campaigns: []campaignRow{}, Drifts: []string{},
	}
}

// outcome is how the rush went, as the buyers were told.
type outcome struct {
	Given     int `json:"given"`      // codes that buyers were told of
	SoldOut   int `json:"sold_out"`   // buyers who went home without
	OverLimit int `json:"over_limit"` // buyers who got more than one
	Seconds   int `json:"second_tries_refused"`
	Replays   int `json:"replays"` // claims made again that gave the same coupon
	Retries   int `json:"retries"` // calls made again because the store asked for it

	Claims int         `json:"claims"`
	P50    demo.Micros `json:"claim_p50_us"`
	P99    demo.Micros `json:"claim_p99_us"`
	Rate   float64     `json:"claims_per_second"`
	Took   float64     `json:"took_seconds"`
	Wrong  []string    `json:"wrong"` // codes that are not what their owner was told
}

// step is what happened in the tale, and what the library answered.
type step struct {
	What   string `json:"what"`
	Answer string `json:"answer"`
}

// walletRow is a coupon as its buyer sees it.
type walletRow struct {
	Coupon string    `json:"coupon"`
	Title  string    `json:"title"`
	Status string    `json:"status"`
	Code   string    `json:"code"`
	Order  string    `json:"order"`
	Until  time.Time `json:"until"`
}

// historyRow is one thing that happened to a coupon.
type historyRow struct {
	At       time.Time `json:"at"`
	State    string    `json:"state"`
	Code     string    `json:"code,omitempty"`
	Order    string    `json:"order,omitempty"`
	Total    string    `json:"total,omitempty"`
	Discount string    `json:"discount,omitempty"`
}

// campaignRow is how far a campaign has come.
type campaignRow struct {
	ID       int64  `json:"id"`
	Title    string `json:"title"`
	Total    int64  `json:"total"`
	Claimed  int64  `json:"claimed"`
	Left     int64  `json:"left"`
	Usable   int64  `json:"usable"`
	Reserved int64  `json:"reserved"`
	Redeemed int64  `json:"redeemed"`
	Expired  int64  `json:"expired"`
	Gone     int64  `json:"refunded_or_revoked"`
}

// outcome returns how the rush went.
func (r *rush) outcome() outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := outcome{
		Given: len(r.owners), SoldOut: r.soldOut, OverLimit: r.overLimit, Seconds: r.seconds, Replays: r.replays, Retries: r.retries,
		Claims: r.calls, P50: demo.Quantile(r.waits, 0.50), P99: demo.Quantile(r.waits, 0.99), Took: r.took.Seconds(), Wrong: append([]string{}, r.wrong...),
	}
	if r.took > 0 {
		o.Rate = float64(r.calls) / r.took.Seconds()
	}
	return o
}

// audit completes the result, and holds three accounts against each other: the campaigns' counters, the
// coupons and claims (that is the library's audit) and what the buyers of the rush were told.
func (r *result) audit(ctx context.Context, coupons *coupon.Coupons) error {
	report, err := coupons.Audit(ctx)
	if err != nil {
		return err
	}
	r.Drifts = append(r.Drifts, r.Rush.Wrong...)
	for _, d := range report.Drifts {
		r.Drifts = append(r.Drifts, d.String())
	}
	for _, c := range report.Conflicts {
		r.Drifts = append(r.Drifts, c.String())
	}
	for c, err := range coupons.Campaigns(ctx) {
		if err != nil {
			return err
		}
		count, err := coupons.Progress(ctx, c.ID)
		if err != nil {
			return err
		}
		r.Campaigns = append(r.Campaigns, campaignRow{
			ID: c.ID, Title: c.Title, Total: c.Total, Claimed: c.Sold, Left: c.Left,
			Usable: count.Usable, Reserved: count.Reserved, Redeemed: count.Redeemed, Expired: count.Expired, Gone: count.Refunded + count.Revoked,
		})
		if c.ID == spring {
			r.weigh(c)
		}
	}
	r.Audited = true
	return nil
}

// weigh compares the campaign of the rush with what its buyers were told.
func (r *result) weigh(c coupon.Campaign) {
	if int64(r.Rush.Given) != c.Sold {
		r.Drifts = append(r.Drifts, fmt.Sprintf("%d coupons are claimed, but buyers were told of %d codes", c.Sold, r.Rush.Given))
	}
	if c.Sold+c.Left != c.Codes {
		r.Drifts = append(r.Drifts, fmt.Sprintf("of %d codes %d are claimed and %d left", c.Codes, c.Sold, c.Left))
	}
	if n := r.Rush.OverLimit; n > 0 {
		r.Drifts = append(r.Drifts, fmt.Sprintf("%d buyers got more than one coupon", n))
	}
}

// Balanced implements demo.Result.
func (r *result) Balanced() bool { return r.Audited && len(r.Drifts) == 0 }

// CutShort implements demo.Result.
func (r *result) CutShort() bool { return r.Interrupted }

// Print implements demo.Result.
func (r *result) Print(w io.Writer) {
	fmt.Fprintf(w, "%s buyers rush for %s codes (%s), one for each buyer. Store: %s. Seed %d.\n\n",
		demo.Count(r.Buyers), demo.Count(r.Codes), springTerms.Title, r.Store, r.Seed)
	demo.Table(w, "lrl", r.Rush.rows())
	if len(r.Tale) > 0 {
		fmt.Fprint(w, "\nAt the checkout:\n\n")
	}
	for i, s := range r.Tale {
		fmt.Fprintf(w, "%3d. %s → %s\n", i+1, s.What, s.Answer)
	}
	r.writeTables(w)
	fmt.Fprintln(w)
	if r.Interrupted {
		fmt.Fprintln(w, "Interrupted: this is what happened so far.")
	}
	fmt.Fprintln(w, r.verdict())
}

// rows returns the lines of the rush.
func (o *outcome) rows() [][]string {
	rows := [][]string{
		{"got a code", demo.Count(o.Given), ""},
		{"sold out", demo.Count(o.SoldOut), "buyers who went home with nothing"},
		{"second tries", demo.Count(o.Seconds), "for one more, after the first or at the same time: refused"},
		{"asked again", demo.Count(o.Replays), "double clicks and lost answers: the same code again"},
		{"claims", demo.Count(o.Claims), ""},
		{"claim p50", o.P50.String(), ""},
		{"claim p99", o.P99.String(), ""},
		{"claims a second", demo.Count(int(o.Rate)), ""},
		{"whole rush", fmt.Sprintf("%.1fs", o.Took), ""},
	}
	if o.OverLimit > 0 {
		rows = append(rows, []string{"got too many", demo.Count(o.OverLimit), "buyers"})
	}
	return rows
}

// writeTables prints the tables that the tale left behind.
func (r *result) writeTables(w io.Writer) {
	if len(r.Wallet) > 0 {
		rows := [][]string{{"Ann's wallet", "what", "status", "order", "until"}}
		for _, c := range r.Wallet {
			rows = append(rows, []string{c.Coupon, c.Title, c.Status, c.Order, c.Until.In(shopTime).Format(time.DateTime)})
		}
		fmt.Fprintln(w)
		demo.Table(w, "lllll", rows)
	}
	if len(r.History) > 0 {
		rows := [][]string{{"history", "at", "order", "total", "off"}}
		for _, h := range r.History {
			rows = append(rows, []string{h.State, clockTime(h.At), h.Order + h.Code, h.Total, h.Discount})
		}
		fmt.Fprintln(w)
		demo.Table(w, "lllrr", rows)
	}
	if len(r.Campaigns) > 0 {
		rows := [][]string{{"campaign", "total", "claimed", "left", "usable", "reserved", "redeemed", "expired", "gone"}}
		for _, c := range r.Campaigns {
			row := []string{c.Title}
			for _, n := range []int64{c.Total, c.Claimed, c.Left, c.Usable, c.Reserved, c.Redeemed, c.Expired, c.Gone} {
				row = append(row, demo.Count(n))
			}
			rows = append(rows, row)
		}
		fmt.Fprintln(w)
		demo.Table(w, "lrrrrrrrr", rows)
	}
}

// verdict says whether the books balance.
func (r *result) verdict() string {
	switch {
	case !r.Audited:
		return "Audit: not done; the store could not be read any more."
	case !r.Balanced():
		return "Audit: WRONG: " + strings.Join(r.Drifts, "; ") + "."
	case len(r.Campaigns) == 0:
		return "Audit: there is nothing yet."
	}
	c := r.Campaigns[0]
	return fmt.Sprintf("Audit: the books balance. Of %s codes %s are out, each with one owner, and %s are left; none is lost.",
		demo.Count(c.Total), demo.Count(c.Claimed), demo.Count(c.Left))
}
