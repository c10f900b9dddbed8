package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// yuan is money to look at: 88.80.
type yuan struct{ decimal.Decimal }

// String implements fmt.Stringer.
func (y yuan) String() string { return y.StringFixed(places) }

// MarshalJSON implements json.Marshaler.
func (y yuan) MarshalJSON() ([]byte, error) { return json.Marshal(y.String()) }

// plus adds to it.
func (y *yuan) plus(amount decimal.Decimal) { y.Decimal = y.Add(amount) }

// result is what -json prints.
type result struct {
	Store       string       `json:"store"`
	People      int          `json:"people"`
	Seed        uint64       `json:"seed"`
	Interrupted bool         `json:"interrupted"`
	Packets     []packetLine `json:"packets"` // those that fell
	All         packetLine   `json:"all"`
	Luck        []luck       `json:"luck"` // the shares of packet 1
	Taps        taps         `json:"taps"`
	ToWinners   payoutLine   `json:"to_winners"`
	ToSenders   payoutLine   `json:"to_senders"`
	Received    yuan         `json:"received"` // what senders paid
	Seconds     float64      `json:"seconds"`
	Audited     bool         `json:"audited"`
	Drifts      []string     `json:"drifts"` // what is not as it should be
}

// packetLine is a packet in the end.
type packetLine struct {
	Packet   int64  `json:"packet,omitempty"`
	Kind     string `json:"kind,omitempty"`
	State    string `json:"state,omitempty"`
	Total    yuan   `json:"total"`
	Grabbed  yuan   `json:"grabbed"`
	Left     yuan   `json:"left"`
	Shares   int64  `json:"shares"`
	Winners  int64  `json:"winners"`
	GoneBack yuan   `json:"gone_back"`
}

// luck is a share of the packet that is shown in full.
type luck struct {
	Share  int64 `json:"share"`
	Person int64 `json:"person"`
	Amount yuan  `json:"amount"`
	Best   bool  `json:"best"`
}

// taps is what people were told.
type taps struct {
	Won      int         `json:"won"`
	Again    int         `json:"again"`
	TooEarly int         `json:"too_early"`
	Own      int         `json:"own"`
	Finished int         `json:"finished"`
	Closed   int         `json:"closed"`
	Expired  int         `json:"expired"`
	Lost     int         `json:"lost_answers"`
	Repeated int         `json:"repeated_callbacks"`
	Retries  int         `json:"retries"`
	Grabs    int         `json:"grabs"`
	P50      demo.Micros `json:"grab_p50_us"`
	P99      demo.Micros `json:"grab_p99_us"`
}

// payoutLine is what became of the payouts of one kind.
type payoutLine struct {
	Payouts        int  `json:"payouts"`
	Amount         yuan `json:"amount"`
	Paid           int  `json:"paid"`
	Asked          int  `json:"asked"` // so often was the wallet
	Failures       int  `json:"failures"`
	Unanswered     int  `json:"unanswered"`
	AnsweredTwice  int  `json:"answered_twice"`
	Credited       int  `json:"credited"`
	CreditedAmount yuan `json:"credited_amount"`
}

// told returns what the rain itself knows.
func (r *rain) told(store string) *result {
	return &result{
		Store: store, People: r.people, Seed: r.Seed, Seconds: r.elapsed.Seconds(),
		Packets: []packetLine{}, Luck: []luck{}, Drifts: []string{},
		Taps: taps{
			Won: r.tally[won], Again: r.tally[again], TooEarly: r.tally[tooEarly], Own: r.tally[own],
			Finished: r.tally[gone], Closed: r.tally[ended], Expired: r.tally[over],
			Lost: r.lost, Repeated: r.repeated, Retries: r.retries, Grabs: len(r.waits),
			P50: demo.Quantile(r.waits, 0.50), P99: demo.Quantile(r.waits, 0.99),
		},
	}
}

// add adds a packet.
func (r *result) add(line packetLine, confirmed bool) {
	r.Packets = append(r.Packets, line)
	r.All.Total.plus(line.Total.Decimal)
	r.All.Grabbed.plus(line.Grabbed.Decimal)
	r.All.Left.plus(line.Left.Decimal)
	r.All.GoneBack.plus(line.GoneBack.Decimal)
	r.All.Shares += line.Shares
	r.All.Winners += line.Winners
	if confirmed {
		r.Received.plus(line.Total.Decimal)
	}
}

// add adds a payout, of which the wallet knows this.
func (l *payoutLine) add(amount decimal.Decimal, paid bool, e entry) {
	l.Payouts++
	l.Amount.plus(amount)
	l.Asked += e.asked
	l.Failures += e.failed
	if paid {
		l.Paid++
	}
	if e.credited {
		l.Credited++
		l.CreditedAmount.plus(e.amount)
		if e.trouble.mute {
			l.Unanswered++
		} else if e.trouble.echo {
			l.AnsweredTwice++
		}
	}
}

// Balanced implements demo.Result.
func (r *result) Balanced() bool { return r.Audited && len(r.Drifts) == 0 }

// CutShort implements demo.Result.
func (r *result) CutShort() bool { return r.Interrupted }

// Print implements demo.Result.
func (r *result) Print(w io.Writer) {
	fmt.Fprintf(w, "It rains red packets on %s people (红包雨). Store: %s. Seed %d.\n\n", demo.Count(r.People), r.Store, r.Seed)
	if r.Audited {
		r.writeLuck(w)
		demo.Table(w, "rlrrrrrlr", r.packetRows())
		fmt.Fprintln(w)
		demo.Table(w, "lrrrrrrrrr", r.payoutRows())
		fmt.Fprintln(w)
	}
	demo.Table(w, "lrl", r.tapRows())
	fmt.Fprintln(w)
	if r.Interrupted {
		fmt.Fprintln(w, "Interrupted: this is what happened so far.")
	}
	fmt.Fprintln(w, r.verdict())
}

// packetRows returns the table of the packets.
func (r *result) packetRows() [][]string {
	rows := [][]string{{"packet", "kind", "total", "grabbed", "left", "shares", "winners", "state", "gone back to the sender"}}
	row := func(id string, p packetLine) {
		back := ""
		if p.GoneBack.IsPositive() {
			back = p.GoneBack.String()
		}
		rows = append(rows, []string{
			id, p.Kind, p.Total.String(), p.Grabbed.String(), p.Left.String(),
			demo.Count(p.Shares), demo.Count(p.Winners), p.State, back,
		})
	}
	for _, p := range r.Packets {
		row(demo.Count(p.Packet), p)
	}
	row("all", r.All)
	return rows
}

// payoutRows returns the table of the payouts.
func (r *result) payoutRows() [][]string {
	rows := [][]string{{"payouts", "number", "amount", "paid", "wallet asked", "failed", "no answer", "two answers", "credited", "credited amount"}}
	row := func(label string, l payoutLine) {
		rows = append(rows, []string{
			label, demo.Count(l.Payouts), l.Amount.String(), demo.Count(l.Paid), demo.Count(l.Asked), demo.Count(l.Failures),
			demo.Count(l.Unanswered), demo.Count(l.AnsweredTwice), demo.Count(l.Credited), l.CreditedAmount.String(),
		})
	}
	row("to winners", r.ToWinners)
	row("to senders", r.ToSenders)
	return rows
}

// tapRows returns the table of what people were told.
func (r *result) tapRows() [][]string {
	t := r.Taps
	rows := [][]string{{"taps", demo.Count(t.Grabs), ""}}
	number := func(label string, n int, note string) {
		rows = append(rows, []string{"  " + label, demo.Count(n), note})
	}
	number("won a share", t.Won, "")
	number("same share", t.Again, fmt.Sprintf("tapped twice, or again after one of %s lost answers", demo.Count(t.Lost)))
	number("not paid yet", t.TooEarly, "and came again")
	number("finished", t.Finished, "every share was gone")
	number("closed", t.Closed, "its sender had ended it")
	number("expired", t.Expired, "its time was over")
	number("his own", t.Own, "senders who tried")
	rows = append(rows,
		[]string{"callbacks twice", demo.Count(t.Repeated), "payments and payouts reported again; they changed nothing"},
		[]string{"Grab p50", t.P50.String(), ""},
		[]string{"Grab p99", t.P99.String(), ""},
		[]string{"whole rain", fmt.Sprintf("%.1fs", r.Seconds), ""},
	)
	return rows
}

// verdict says whether the books balance.
func (r *result) verdict() string {
	switch {
	case !r.Audited:
		return "Audit: not done; the store could not be read any more."
	case !r.Balanced():
		return fmt.Sprintf("Audit: WRONG; %s.", strings.Join(r.Drifts, "; "))
	}
	verdict := fmt.Sprintf("Audit: the books balance. Of %v that senders paid, %v are with %s winners and %v went back;\n"+
		"every packet has total = grabbed + left, and nobody two shares of it; no payout was credited twice.",
		r.Received, r.All.Grabbed, demo.Count(r.All.Winners), r.All.GoneBack)
	if owed := r.owed(); owed > 0 {
		verdict += fmt.Sprintf("\n%s payouts are still owed.", demo.Count(owed))
	}
	return verdict
}

// owed returns how many payouts are not paid.
func (r *result) owed() int {
	return r.ToWinners.Payouts + r.ToSenders.Payouts - r.ToWinners.Paid - r.ToSenders.Paid
}
