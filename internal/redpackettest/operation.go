package redpackettest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// persons is how many there are in the small world of a model. They send and grab alike.
const persons = 6

// next draws an operation. What an operation needs is looked for first, so that most of them
// do something; the rest are asked for in vain, which has to be answered alike, too.
func (m *model) next() operation {
	switch n := m.IntN(100); {
	case n < 11:
		return m.send()
	case n < 15:
		return m.sendAgain()
	case n < 26:
		return m.step("Confirm", redpacket.Unpaid)
	case n < 60:
		return m.grab("Grab")
	case n < 63:
		return m.grab("Resolve")
	case n < 67:
		return m.step("Close", redpacket.Open, redpacket.Unpaid)
	case n < 76:
		return m.paidOut()
	case n < 83:
		return m.failed()
	case n < 91:
		return m.advance()
	case n < 95:
		return operation{Name: "Expire", Call: func(s *side) (any, error) { return s.packets.Expire(s.Context()) }}
	}
	return m.read()
}

// A draft is a packet with its window after the beginning, which is another instant on each side.
type draft struct {
	redpacket.Packet

	start, end *time.Duration
}

// of returns the packet as one side sends it.
func (p draft) of(s *side) redpacket.Packet {
	if p.start != nil {
		p.Start = s.Epoch.Add(*p.start)
	}
	if p.end != nil {
		p.End = s.Epoch.Add(*p.end)
	}
	return p.Packet
}

// String returns the arguments for the log.
func (p draft) String() string {
	edge := func(at *time.Duration) string {
		if at == nil {
			return "nothing"
		}
		return at.String()
	}
	return fmt.Sprintf("%d by %q: %v in %d, %d places, min %v, max %v, equal %v, from %s until %s",
		p.ID, p.Sender, p.Total, p.Count, p.Places, p.Min, p.Max, p.Equal, edge(p.start), edge(p.end))
}

// send sends a new packet, one in twenty of which cannot be.
func (m *model) send() operation {
	m.packets++
	p := draft{Packet: redpacket.Packet{
		ID: m.packets, Sender: fmt.Sprint(m.person()), Places: suite.Pick[int32](m, 0, 2, 2, 2, 3, 8),
		Count: suite.Pick[int64](m, 1, 2, 3, 4, 5, 8), Equal: m.Chance(25),
	}}
	p.Total, p.Min, p.Max = m.money(p.Places, p.Count)
	if m.Chance(30) {
		p.start = m.moment(0)
	}
	if m.Chance(40) {
		after := time.Duration(0)
		if p.start != nil {
			after = *p.start - m.elapsed()
		}
		p.end = m.moment(after)
	}
	m.sent = suite.Remember(m.sent, p)
	return m.sendOf(p)
}

// money draws an amount for some shares and their bounds, at times as much as there can be.
func (m *model) money(places int32, count int64) (total, least, most decimal.Decimal) {
	amount := func(minor int64) decimal.Decimal { return decimal.New(minor, -places) }
	if m.Chance(8) {
		return amount(math.MaxInt64 - m.Int64N(3)), amount(m.Int64N(3)), amount(suite.Pick[int64](m, 0, math.MaxInt64, math.MaxInt64/count+1))
	}
	mean := suite.Pick(m, 1, m.Int64N(10)+1, m.Int64N(1000)+1)
	minor := mean*count + m.Int64N(count+1)
	if m.Chance(35) {
		least = amount(m.Int64N(mean) + 1)
	}
	if m.Chance(35) {
		most = amount(mean + 1 + m.Int64N(mean+1))
	}
	if m.Chance(5) { // too little, too much, or too fine
		return suite.Pick(m, amount(count-1), most.Mul(decimal.NewFromInt(count)).Add(amount(1)), decimal.New(1, -places-1)), least, most
	}
	return amount(minor), least, most
}

// moment draws a moment that is at most a few lives after a time from now.
func (m *model) moment(after time.Duration) *time.Duration {
	at := m.elapsed() + after + suite.Pick(m, -time.Hour, -time.Microsecond, 0, time.Microsecond, time.Minute, m.opts.LiveFor,
		2*m.opts.LiveFor)
	return &at
}

// sendOf makes one Send.
func (m *model) sendOf(p draft) operation {
	return operation{
		Name: fmt.Sprintf("Send(%v)", p), Looks: look(p.ID), Call: func(s *side) (any, error) { return s.packets.Send(s.Context(), p.of(s)) },
	}
}

// sendAgain replays a Send, or sends another packet by its ID.
func (m *model) sendAgain() operation {
	if len(m.sent) == 0 {
		return m.send()
	}
	p := suite.Pick(m, m.sent...)
	if m.Chance(40) {
		switch m.IntN(6) {
		case 0:
			p.Sender = fmt.Sprint(m.person())
		case 1:
			p.Count = m.Int64N(5)
		case 2:
			p.Total = p.Total.Add(decimal.New(1, -p.Places))
		case 3:
			p.Equal = !p.Equal
		case 4:
			p.end = m.moment(time.Hour)
		case 5:
			p.Min, p.Total = decimal.New(1, -p.Places), decimal.RequireFromString(p.Total.StringFixed(p.Places+2)) // perhaps the same
		}
	}
	return m.sendOf(p)
}

// person draws one of the people.
func (m *model) person() int64 { return m.Int64N(persons) + 1 }

// packet draws a packet in one of the states, at times in any. It is one that is unknown seldom, and where
// there is no other.
func (m *model) packet(states ...redpacket.State) int64 {
	fit := m.sent
	if m.Chance(90) {
		fit = slices.DeleteFunc(slices.Clone(m.sent), func(p draft) bool { return !slices.Contains(states, m.record(p.ID).State) })
	}
	if len(fit) == 0 || m.Chance(1) {
		return suite.Pick(m, m.packets+1, math.MaxInt64)
	}
	return suite.Pick(m, fit...).ID
}

// any reports whether there is a packet in one of the states.
func (m *model) any(states ...redpacket.State) bool {
	return slices.ContainsFunc(m.sent, func(p draft) bool { return slices.Contains(states, m.record(p.ID).State) })
}

// record returns a packet of the first side.
func (m *model) record(id int64) redpacket.Record {
	r, _, err := m.Sides[0].Store.Record(m.Context(), id)
	m.Must(err)
	return r
}

// elapsed returns what the clock of the first side says after its beginning.
func (m *model) elapsed() time.Duration {
	_, now, err := m.Sides[0].Store.Record(m.Context(), 1)
	m.Must(err)
	return now.Sub(m.Sides[0].Epoch)
}

// step calls a verb that takes a packet and nothing else.
func (m *model) step(verb string, from ...redpacket.State) operation {
	if !m.any(from...) && m.Chance(80) {
		return m.send()
	}
	id := m.packet(from...)
	return operation{Name: fmt.Sprintf("%s(%d)", verb, id), Looks: look(id), Call: func(s *side) (any, error) {
		if verb == "Confirm" {
			return s.packets.Confirm(s.Context(), id)
		}
		return s.packets.Close(s.Context(), id)
	}}
}

// grab grabs for a person, who may have a share already, or resolves such a grab.
func (m *model) grab(verb string) operation {
	if !m.any(redpacket.Open) && m.Chance(80) {
		return m.step("Confirm", redpacket.Unpaid)
	}
	id, person := m.packet(redpacket.Open), m.person()
	return operation{Name: fmt.Sprintf("%s(%d, %d)", verb, id, person), Looks: look(id), Call: func(s *side) (any, error) {
		if verb == "Grab" {
			return s.packets.For(fmt.Sprint(person)).Grab(s.Context(), id)
		}
		return s.packets.For(fmt.Sprint(person)).Resolve(s.Context(), id)
	}}
}

// payout draws the number of a payout: mostly one that is due, then any of a packet, then what is none.
func (m *model) payout() (packet int64, number string) {
	if due, err := m.Sides[0].Store.Payouts(m.Context(), redpacket.Cursor{}, 50); err == nil && len(due) > 0 && m.Chance(70) {
		p := suite.Pick(m, due...)
		return p.Packet, redpacket.PayoutNumber(p.Packet, p.No)
	}
	if m.Chance(3) {
		return 0, suite.Pick(m, "", "1", "1-", "01-1", "-1-1", "1-1 ")
	}
	packet = m.packet(redpacket.Open, redpacket.Finished, redpacket.Closed, redpacket.Expired)
	return packet, redpacket.PayoutNumber(packet, m.Int64N(5))
}

// paidOut reports that a payout arrived.
func (m *model) paidOut() operation {
	packet, number := m.payout()
	return operation{Name: fmt.Sprintf("PaidOut(%q)", number), Looks: look(packet), Call: func(s *side) (any, error) {
		return s.packets.PaidOut(s.Context(), number)
	}}
}

// failed reports that a payout failed.
func (m *model) failed() operation {
	packet, number := m.payout()
	reason := suite.Pick(m, "", "no account", "余额不足 ", "\xff", strings.Repeat("é", 600))
	return operation{Name: fmt.Sprintf("PayoutFailed(%q, %.20q)", number, reason), Looks: look(packet), Call: func(s *side) (any, error) {
		return s.packets.PayoutFailed(s.Context(), number, reason)
	}}
}

// advance moves both clocks: by a little, by a lot, or to the edge of a window or of a pause.
func (m *model) advance() operation {
	by := suite.Pick(m, time.Microsecond, m.opts.LiveFor/5, m.opts.RetryIn, m.opts.LiveFor/2).Truncate(time.Microsecond)
	if to := m.edge() - m.elapsed(); to > 0 {
		by = to - suite.Pick(m, 0, time.Microsecond)
	}
	return operation{Name: fmt.Sprintf("Advance(%v)", by), Call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns the edge of a packet's window, or when a payout is due again, or often nothing.
func (m *model) edge() time.Duration {
	at := time.Time{}
	switch {
	case m.Chance(40) && m.any(redpacket.Open, redpacket.Unpaid):
		r := m.record(m.packet(redpacket.Open, redpacket.Unpaid))
		at = suite.Pick(m, r.Start, r.End, r.End)
	case m.Chance(20):
		_, number := m.payout()
		p, _ := m.Sides[0].packets.Payout(m.Context(), number) // what does not exist has no edges
		at = p.DueAt
	}
	if at.IsZero() {
		return 0
	}
	return at.Sub(m.Sides[0].Epoch)
}

// read asks for one thing.
func (m *model) read() operation {
	id, person := m.packet(redpacket.Open, redpacket.Finished), m.person()
	switch m.IntN(6) {
	case 0:
		return operation{
			Name: fmt.Sprintf("Share(%d, %d)", id, person),
			Call: func(s *side) (any, error) { return s.packets.For(fmt.Sprint(person)).Share(s.Context(), id) },
		}
	case 1:
		return operation{
			Name: fmt.Sprintf("Shares(%d)", id), Call: func(s *side) (any, error) { return suite.Gather(s.packets.Shares(s.Context(), id)) },
		}
	case 2:
		return operation{Name: "Payouts", Call: func(s *side) (any, error) { return suite.Gather(s.packets.Payouts(s.Context())) }}
	case 3:
		limit := m.IntN(4) + 1
		return operation{Name: fmt.Sprintf("Store.Payouts of %d", limit), Call: func(s *side) (any, error) {
			return s.Store.Payouts(s.Context(), redpacket.Cursor{}, limit)
		}}
	case 4:
		_, number := m.payout()
		return operation{
			Name: fmt.Sprintf("Payout(%q)", number), Call: func(s *side) (any, error) { return s.packets.Payout(s.Context(), number) },
		}
	}
	return operation{Name: fmt.Sprintf("Audit(%d)", id), Call: func(s *side) (any, error) { return s.packets.Audit(s.Context(), id) }}
}
