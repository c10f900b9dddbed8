package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/groupbuy"
)

// result is what -json prints.
type result struct {
	Store       string     `json:"store"`
	Buyers      int        `json:"buyers"`
	Units       []unitLine `json:"units"`
	Seed        uint64     `json:"seed"`
	Interrupted bool       `json:"interrupted"`
	Tale        []step     `json:"tale"`
	Race        raceLine   `json:"race"`
	Evening     rush       `json:"evening"`
	Teams       []teamLine `json:"teams"`
	Events      eventLine  `json:"events"`
	Money       moneyLine  `json:"money"`
	Seconds     float64    `json:"seconds"`
	Audited     bool       `json:"audited"`
	Drifts      []string   `json:"drifts"` // what is not as it should be
}

// raceLine is how the race for the last seat went.
type raceLine struct {
	Tapped int `json:"tapped"`
	Won    int `json:"won"`
	Full   int `json:"full"`
}

// rush is how the evening went, as its buyers were told.
type rush struct {
	Visits    int `json:"visits"`
	Opened    int `json:"opened"`
	Joined    int `json:"joined"`
	SoldOut   int `json:"sold_out"`
	Closed    int `json:"closed"`
	Missed    int `json:"missed_seats"`
	Greedy    int `json:"second_seats_refused"`
	Replays   int `json:"replays"`
	Cancelled int `json:"cancelled"`
	Lapsed    int `json:"lapsed"`
	Left      int `json:"left"`
	Regained  int `json:"late_accepted"`
	Late      int `json:"late_refused"`
	Swept     int `json:"swept"`
	Retries   int `json:"retries"` // of the whole run, as are the waits

	Seats int         `json:"seat_calls"`
	P50   demo.Micros `json:"seat_p50_us"`
	P99   demo.Micros `json:"seat_p99_us"`
}

// teamLine is what became of the teams of one product in one activity.
type teamLine struct {
	Activity   string `json:"activity"`
	Product    string `json:"product"`
	Teams      int    `json:"teams"`
	ByPayment  int    `json:"formed_by_payment"`
	ByOperator int    `json:"formed_by_operator"`
	AtDeadline int    `json:"formed_at_deadline"`
	Failed     int    `json:"failed_at_deadline"`
	Abandoned  int    `json:"failed_by_leaving"`
	Forming    int    `json:"forming"`
	Members    int    `json:"members"` // of those that are formed
	Volume     string `json:"volume"`  // what they have now; empty for what is sold by the piece

	volume decimal.Decimal
}

// add counts a team.
func (l *teamLine) add(t groupbuy.Team) {
	l.Teams++
	switch {
	case t.State == groupbuy.Forming:
		l.Forming++
	case t.State == groupbuy.Formed && t.Cause == groupbuy.ByPayment:
		l.ByPayment++
	case t.State == groupbuy.Formed && t.Cause == groupbuy.ByOperator:
		l.ByOperator++
	case t.State == groupbuy.Formed:
		l.AtDeadline++
	case t.Cause == groupbuy.ByLeaving:
		l.Abandoned++
	default:
		l.Failed++
	}
}

// unitLine is where the units of a product are.
type unitLine struct {
	Product   string `json:"product"`
	Had       int64  `json:"there_were"`
	Deducted  int64  `json:"deducted"`   // for activities
	Sold      int64  `json:"sold"`       // in them
	GivenBack int64  `json:"given_back"` // to ordinary stock
	InPools   int64  `json:"in_pools"`   // of activities, still
	Ordinary  int64  `json:"ordinary"`
}

// eventLine is what the rest of the shop made of what teams told.
type eventLine struct {
	Formed   int `json:"team_formed"`
	Added    int `json:"member_added"`
	Failed   int `json:"team_failed"`
	Refunds  int `json:"refund_owed"`
	Released int `json:"seat_released"`
	Again    int `json:"came_again"`
	Made     int `json:"found_made"` // orders and refunds that an event which came again found made
	Died     int `json:"workers_died"`
	Failures int `json:"handler_failures"`
}

// moneyLine is where the money is.
type moneyLine struct {
	Received string `json:"received"`
	Orders   int    `json:"orders"` // that are not refunded
	InOrders string `json:"in_orders"`
	Refunds  int    `json:"refunds"`
	Refunded string `json:"refunded"`
	Waiting  string `json:"waiting"` // for its team, or for an event to be delivered
}

// told returns what the shop itself knows.
func (s *shop) told(store string) *result {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, o := s.crowd, s.outside
	return &result{
		Store: store, Buyers: s.buyers, Seed: s.Seed, Seconds: s.took.Seconds(),
		Units: []unitLine{}, Teams: []teamLine{}, Drifts: []string{}, Tale: append([]step{}, s.tale.story...),
		Race: raceLine{Tapped: len(s.tale.winners) + s.tale.told, Won: len(s.tale.winners), Full: s.tale.told},
		Evening: rush{
			Visits: c.visits, Opened: c.opened, Joined: c.joined, SoldOut: c.soldOut, Closed: c.closed, Missed: c.missed, Greedy: c.seconds,
			Replays: c.heldUp, Cancelled: c.cancelled, Lapsed: c.lapsed, Left: c.left, Regained: c.regained, Late: c.lateRefused,
			Swept: c.swept, Retries: s.retries,
			Seats: len(s.waits), P50: demo.Quantile(s.waits, 0.50), P99: demo.Quantile(s.waits, 0.99),
		},
		Events: eventLine{
			Formed: o.events[groupbuy.TeamFormed], Added: o.events[groupbuy.MemberAdded], Failed: o.events[groupbuy.TeamFailed],
			Refunds: o.events[groupbuy.RefundOwed], Released: o.events[groupbuy.SeatReleased],
			Again: o.seconds, Made: o.made, Died: o.died, Failures: o.failures,
		},
	}
}

// Balanced implements demo.Result.
func (r *result) Balanced() bool { return r.Audited && len(r.Drifts) == 0 }

// CutShort implements demo.Result.
func (r *result) CutShort() bool { return r.Interrupted }

// Print implements demo.Result.
func (r *result) Print(w io.Writer) {
	fmt.Fprintf(w, "Cups and rice for groups (拼团). %s buyers in the evening. Store: %s. Seed %d.\n", demo.Count(r.Buyers), r.Store, r.Seed)
	if len(r.Tale) > 0 {
		fmt.Fprint(w, "\nAt the fair, before and after that evening:\n\n")
	}
	for i, s := range r.Tale {
		fmt.Fprintf(w, "%3d. %s → %s\n", i+1, s.What, s.Answer)
	}
	fmt.Fprintln(w)
	demo.Table(w, "lrl", r.Evening.rows())
	if r.Audited {
		fmt.Fprintln(w)
		demo.Table(w, "llrrrrrrrrr", r.teamRows())
		fmt.Fprintln(w)
		demo.Table(w, "lrrrrrr", r.unitRows())
		fmt.Fprintln(w)
		demo.Table(w, "lrl", r.eventRows())
	}
	fmt.Fprintln(w)
	if r.Interrupted {
		fmt.Fprintln(w, "Interrupted: this is what happened so far.")
	}
	fmt.Fprintln(w, r.verdict())
}

// rows returns the lines of the evening.
func (o *rush) rows() [][]string {
	return [][]string{
		{"the evening's buyers", demo.Count(o.Visits), ""},
		{"  opened a team", demo.Count(o.Opened), ""},
		{"  joined one", demo.Count(o.Joined), ""},
		{"  sold out", demo.Count(o.SoldOut), "went home with nothing"},
		{"  too late", demo.Count(o.Closed), "the evening was over"},
		{"missed seats", demo.Count(o.Missed), "others had the last one; tried another team"},
		{"second seats", demo.Count(o.Greedy), "in the same team: refused"},
		{"asked or paid twice", demo.Count(o.Replays), "the same answer again, counted once"},
		{"cancelled", demo.Count(o.Cancelled), ""},
		{"never paid", demo.Count(o.Lapsed), "the seat expired"},
		{"left after paying", demo.Count(o.Left), "the money goes back"},
		{"paid late", demo.Count(o.Regained), "and got the expired seat again"},
		{"paid too late", demo.Count(o.Late), "the money goes back"},
		{"seat p50", o.P50.String(), ""},
		{"seat p99", o.P99.String(), ""},
	}
}

// teamRows returns the table of the teams.
func (r *result) teamRows() [][]string {
	rows := [][]string{{
		"activity", "product", "teams", "formed: all paid", "by hand", "from the minimum", "failed: deadline", "all left", "forming", "members", "volume",
	}}
	for _, l := range r.Teams {
		row := []string{l.Activity, l.Product}
		for _, n := range []int{l.Teams, l.ByPayment, l.ByOperator, l.AtDeadline, l.Failed, l.Abandoned, l.Forming, l.Members} {
			row = append(row, demo.Count(n))
		}
		rows = append(rows, append(row, l.Volume))
	}
	return rows
}

// unitRows returns the table of the units.
func (r *result) unitRows() [][]string {
	rows := [][]string{{"units", "there were", "deducted", "sold", "given back", "still in activities", "ordinary stock now"}}
	for _, l := range r.Units {
		row := []string{l.Product}
		for _, n := range []int64{l.Had, l.Deducted, l.Sold, l.GivenBack, l.InPools, l.Ordinary} {
			row = append(row, demo.Count(n))
		}
		rows = append(rows, row)
	}
	return rows
}

// eventRows returns the table of what the rest of the shop did.
func (r *result) eventRows() [][]string {
	e, m := r.Events, r.Money
	return [][]string{
		{"orders", demo.Count(m.Orders), m.InOrders + ", of teams that were formed"},
		{"refunds", demo.Count(m.Refunds), m.Refunded},
		{"events", demo.Count(e.Formed + e.Added + e.Failed + e.Refunds + e.Released), fmt.Sprintf("%s teams formed, %s members added, %s teams failed, %s refunds owed, %s seats released",
			demo.Count(e.Formed), demo.Count(e.Added), demo.Count(e.Failed), demo.Count(e.Refunds), demo.Count(e.Released))},
		{"workers who died", demo.Count(e.Died), fmt.Sprintf("between two orders of a team; %s events came again and found %s orders made", demo.Count(e.Again), demo.Count(e.Made))},
		{"handler failures", demo.Count(e.Failures), "the money could not be sent; it was tried again"},
	}
}

// verdict says whether everything adds up.
func (r *result) verdict() string {
	switch {
	case !r.Audited:
		return "Audit: not done; the store could not be read any more."
	case !r.Balanced():
		return "Audit: WRONG: " + strings.Join(r.Drifts, "; ") + "."
	}
	var units []string
	for _, l := range r.Units {
		units = append(units, fmt.Sprintf("%s ordinary + %s in activities + %s sold = %s %s",
			demo.Count(l.Ordinary), demo.Count(l.InPools), demo.Count(l.Sold), demo.Count(l.Had), l.Product))
	}
	m := r.Money
	verdict := fmt.Sprintf("Audit: the books balance. %s;\nof %s that buyers paid, %s is in %s orders and %s went back in %s refunds",
		strings.Join(units, ", "), m.Received, m.InOrders, demo.Count(m.Orders), m.Refunded, demo.Count(m.Refunds))
	if r.Interrupted {
		verdict += ", and " + m.Waiting + " was waiting for that"
	}
	return verdict + "; no team has a member too many."
}
