package redpackettest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
)

// persons is how many there are in the small world of a model. They send and grab alike.
const persons = 6

// pick draws one of some values.
func pick[T any](m *model, of ...T) T { return of[m.rng.IntN(len(of))] }

// chance is true n times in a hundred.
func (m *model) chance(n int) bool { return m.rng.IntN(100) < n }

// next draws an operation. What an operation needs is looked for first, so that most of them
// do something; the rest are asked for in vain, which has to be answered alike, too.
func (m *model) next() operation {
	switch n := m.rng.IntN(100); {
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
		return operation{name: "Expire", call: func(s *side) (any, error) { return s.packets.Expire(s.Context()) }}
	}
	return m.read()
}

// A sending is a packet with its window after the beginning, which is another instant on each side.
type sending struct {
	redpacket.Packet

	start, end *time.Duration
}

// of returns the packet as one side sends it.
func (p sending) of(s *side) redpacket.Packet {
	if p.start != nil {
		p.Start = s.epoch.Add(*p.start)
	}
	if p.end != nil {
		p.End = s.epoch.Add(*p.end)
	}
	return p.Packet
}

// String returns the arguments for the log.
func (p sending) String() string {
	edge := func(at *time.Duration) string {
		if at == nil {
			return "nothing"
		}
		return at.String()
	}
	return fmt.Sprintf("%d by %d: %v in %d, %d places, min %v, max %v, equal %v, from %s until %s",
		p.ID, p.Sender, p.Total, p.Count, p.Places, p.Min, p.Max, p.Equal, edge(p.start), edge(p.end))
}

// remembered is how many packets are kept in mind for later operations.
const remembered = 24

// send sends a new packet, one in twenty of which cannot be.
func (m *model) send() operation {
	m.packets++
	p := sending{Packet: redpacket.Packet{
		ID: m.packets, Sender: m.person(), Places: pick[int32](m, 0, 2, 2, 2, 3, 8), Count: pick[int64](m, 1, 2, 3, 4, 5, 8), Equal: m.chance(25),
	}}
	p.Total, p.Min, p.Max = m.money(p.Places, p.Count)
	if m.chance(30) {
		p.start = m.moment(0)
	}
	if m.chance(40) {
		after := time.Duration(0)
		if p.start != nil {
			after = *p.start - m.elapsed()
		}
		p.end = m.moment(after)
	}
	if len(m.sent) == remembered {
		m.sent = m.sent[1:]
	}
	m.sent = append(m.sent, p)
	return m.sendOf(p)
}

// money draws an amount for some shares and their bounds, at times as much as there can be.
func (m *model) money(places int32, count int64) (total, least, most decimal.Decimal) {
	amount := func(minor int64) decimal.Decimal { return decimal.New(minor, -places) }
	if m.chance(8) {
		return amount(math.MaxInt64 - m.rng.Int64N(3)), amount(m.rng.Int64N(3)), amount(pick[int64](m, 0, math.MaxInt64, math.MaxInt64/count+1))
	}
	mean := pick(m, 1, m.rng.Int64N(10)+1, m.rng.Int64N(1000)+1)
	minor := mean*count + m.rng.Int64N(count+1)
	if m.chance(35) {
		least = amount(m.rng.Int64N(mean) + 1)
	}
	if m.chance(35) {
		most = amount(mean + 1 + m.rng.Int64N(mean+1))
	}
	if m.chance(5) { // too little, too much, or too fine
		return pick(m, amount(count-1), most.Mul(decimal.NewFromInt(count)).Add(amount(1)), decimal.New(1, -places-1)), least, most
	}
	return amount(minor), least, most
}

// moment draws a moment that is at most a few lives after a time from now.
func (m *model) moment(after time.Duration) *time.Duration {
	at := m.elapsed() + after + pick(m, -time.Hour, -time.Microsecond, 0, time.Microsecond, time.Minute, m.opts.LiveFor, 2*m.opts.LiveFor)
	return &at
}

// sendOf makes one Send.
func (m *model) sendOf(p sending) operation {
	return operation{name: fmt.Sprintf("Send(%v)", p), packet: p.ID, call: func(s *side) (any, error) { return s.packets.Send(s.Context(), p.of(s)) }}
}

// sendAgain replays a Send, or sends another packet by its ID.
func (m *model) sendAgain() operation {
	if len(m.sent) == 0 {
		return m.send()
	}
	p := pick(m, m.sent...)
	if m.chance(40) {
		switch m.rng.IntN(6) {
		case 0:
			p.Sender = m.person()
		case 1:
			p.Count = m.rng.Int64N(5)
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
func (m *model) person() int64 { return m.rng.Int64N(persons) + 1 }

// packet draws a packet in one of the states, at times in any. It is one that is unknown seldom, and where
// there is no other.
func (m *model) packet(states ...redpacket.State) int64 {
	fit := m.sent
	if m.chance(90) {
		fit = slices.DeleteFunc(slices.Clone(m.sent), func(p sending) bool { return !slices.Contains(states, m.record(p.ID).State) })
	}
	if len(fit) == 0 || m.chance(1) {
		return pick(m, m.packets+1, math.MaxInt64)
	}
	return pick(m, fit...).ID
}

// any reports whether there is a packet in one of the states.
func (m *model) any(states ...redpacket.State) bool {
	return slices.ContainsFunc(m.sent, func(p sending) bool { return slices.Contains(states, m.record(p.ID).State) })
}

// record returns a packet of the first side.
func (m *model) record(id int64) redpacket.Record {
	r, _, err := m.sides[0].Store.Record(m.Context(), id)
	if err != nil {
		m.Fatalf("seed %d: %v", m.seed, err)
	}
	return r
}

// elapsed returns what the clock of the first side says after its beginning.
func (m *model) elapsed() time.Duration {
	_, now, err := m.sides[0].Store.Record(m.Context(), 1)
	if err != nil {
		m.Fatalf("seed %d: %v", m.seed, err)
	}
	return now.Sub(m.sides[0].epoch)
}

// step calls a verb that takes a packet and nothing else.
func (m *model) step(verb string, from ...redpacket.State) operation {
	if !m.any(from...) && m.chance(80) {
		return m.send()
	}
	id := m.packet(from...)
	return operation{name: fmt.Sprintf("%s(%d)", verb, id), packet: id, call: func(s *side) (any, error) {
		if verb == "Confirm" {
			return s.packets.Confirm(s.Context(), id)
		}
		return s.packets.Close(s.Context(), id)
	}}
}

// grab grabs for a person, who may have a share already, or resolves such a grab.
func (m *model) grab(verb string) operation {
	if !m.any(redpacket.Open) && m.chance(80) {
		return m.step("Confirm", redpacket.Unpaid)
	}
	id, person := m.packet(redpacket.Open), m.person()
	return operation{name: fmt.Sprintf("%s(%d, %d)", verb, id, person), packet: id, call: func(s *side) (any, error) {
		if verb == "Grab" {
			return s.packets.Grab(s.Context(), id, person)
		}
		return s.packets.Resolve(s.Context(), id, person)
	}}
}

// payout draws the number of a payout: mostly one that is due, then any of a packet, then what is none.
func (m *model) payout() (packet int64, number string) {
	if due, err := m.sides[0].Store.Payouts(m.Context(), redpacket.Cursor{}, 50); err == nil && len(due) > 0 && m.chance(70) {
		p := pick(m, due...)
		return p.Packet, redpacket.PayoutNumber(p.Packet, p.No)
	}
	if m.chance(3) {
		return 0, pick(m, "", "1", "1-", "01-1", "-1-1", "1-1 ")
	}
	packet = m.packet(redpacket.Open, redpacket.Finished, redpacket.Closed, redpacket.Expired)
	return packet, redpacket.PayoutNumber(packet, m.rng.Int64N(5))
}

// paidOut reports that a payout arrived.
func (m *model) paidOut() operation {
	packet, number := m.payout()
	return operation{name: fmt.Sprintf("PaidOut(%q)", number), packet: packet, call: func(s *side) (any, error) {
		return s.packets.PaidOut(s.Context(), number)
	}}
}

// failed reports that a payout failed.
func (m *model) failed() operation {
	packet, number := m.payout()
	reason := pick(m, "", "no account", "余额不足 ", "\xff", strings.Repeat("é", 600))
	return operation{name: fmt.Sprintf("PayoutFailed(%q, %.20q)", number, reason), packet: packet, call: func(s *side) (any, error) {
		return s.packets.PayoutFailed(s.Context(), number, reason)
	}}
}

// advance moves both clocks: by a little, by a lot, or to the edge of a window or of a pause.
func (m *model) advance() operation {
	by := pick(m, time.Microsecond, m.opts.LiveFor/5, m.opts.RetryIn, m.opts.LiveFor/2).Truncate(time.Microsecond)
	if to := m.edge() - m.elapsed(); to > 0 {
		by = to - pick(m, 0, time.Microsecond)
	}
	return operation{name: fmt.Sprintf("Advance(%v)", by), call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns the edge of a packet's window, or when a payout is due again, or often nothing.
func (m *model) edge() time.Duration {
	at := time.Time{}
	switch {
	case m.chance(40) && m.any(redpacket.Open, redpacket.Unpaid):
		r := m.record(m.packet(redpacket.Open, redpacket.Unpaid))
		at = pick(m, r.Start, r.End, r.End)
	case m.chance(20):
		_, number := m.payout()
		p, _ := m.sides[0].packets.Payout(m.Context(), number) // what does not exist has no edges
		at = p.DueAt
	}
	if at.IsZero() {
		return 0
	}
	return at.Sub(m.sides[0].epoch)
}

// read asks for one thing.
func (m *model) read() operation {
	id, person := m.packet(redpacket.Open, redpacket.Finished), m.person()
	switch m.rng.IntN(6) {
	case 0:
		return operation{name: fmt.Sprintf("Share(%d, %d)", id, person), call: func(s *side) (any, error) { return s.packets.Share(s.Context(), id, person) }}
	case 1:
		return operation{name: fmt.Sprintf("Shares(%d)", id), call: func(s *side) (any, error) { return gather(s.packets.Shares(s.Context(), id)) }}
	case 2:
		return operation{name: "Payouts", call: func(s *side) (any, error) { return gather(s.packets.Payouts(s.Context())) }}
	case 3:
		limit := m.rng.IntN(4) + 1
		return operation{name: fmt.Sprintf("Store.Payouts of %d", limit), call: func(s *side) (any, error) {
			return s.Store.Payouts(s.Context(), redpacket.Cursor{}, limit)
		}}
	case 4:
		_, number := m.payout()
		return operation{name: fmt.Sprintf("Payout(%q)", number), call: func(s *side) (any, error) { return s.packets.Payout(s.Context(), number) }}
	}
	return operation{name: fmt.Sprintf("Audit(%d)", id), call: func(s *side) (any, error) { return s.packets.Audit(s.Context(), id) }}
}
