package redpackettest

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// Model applies the same operations, random by the seed, to two empty stores, and ends the
// test where the two disagree: in a result, in an error or its data, in the effects that the
// hook was told of, and from time to time in any packet, share, payout, hold or audit. The report has
// the seed, the operation, both answers and the operations before it; the same seed gives the same
// run.
//
// The options of the packets are drawn from the seed as well, and so is what their shares follow from. The
// store of a is also read to find out what is worth trying next; it should be the fast one.
//
// The clocks may begin at different instants: every time is compared as what it is after the
// beginning of its store. The Version of a packet's item is not compared, because one store may count as
// one change what another counts as several.
func Model(t testing.TB, seed int64, ops int, a, b Harness) {
	t.Helper()
	m := newModel(t, seed, a, b)
	for m.done = range ops {
		m.do(m.next())
		if m.done%checkEvery == checkEvery-1 {
			m.compareAll()
		}
	}
	m.compareAll()
	t.Logf("seed %d: %d of %d operations took effect or were replays", seed, m.accepted, ops)
}

// checkEvery is how many operations there are between two comparisons of everything.
const checkEvery = 50

// A model is one run: two sides, and what is known of them.
type model struct {
	testing.TB
	seed     int64
	rng      *rand.Rand
	opts     redpacket.Options
	sides    [2]*side
	done     int // operations before this one
	accepted int // operations without an error
	log      []string
	sent     []sending // packets that were asked for, the youngest last
	packets  int64     // IDs that were given out
}

// A side is one of the two under test.
type side struct {
	testing.TB
	Harness

	packets *redpacket.Packets
	epoch   time.Time // the store's clock at the beginning
	seeds   *rand.Rand
	effects []redpacket.Effect
}

// An operation is one call with its arguments.
type operation struct {
	name   string
	packet int64 // the packet that it names; 0 is none
	call   func(s *side) (any, error)
}

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{TB: t, seed: seed, rng: repeatable(seed)}
	m.opts = redpacket.Options{
		LiveFor:       pick(m, 5*time.Microsecond, time.Minute, redpacket.DefaultLiveFor),
		SenderMayGrab: m.chance(50),
		RetryIn:       pick(m, time.Microsecond, redpacket.DefaultRetryIn, 13*time.Hour),
	}
	for i, h := range []Harness{a, b} {
		s := &side{TB: t, Harness: h, seeds: repeatable(seed)}
		opts := m.opts
		opts.Hook = func(_ context.Context, e redpacket.Effect) { s.effects = append(s.effects, e) }
		opts.Seed = s.draw
		s.packets = redpacket.New(h.Store, &opts)
		_, now, err := h.Store.Record(s.Context(), 1)
		if err != nil {
			t.Fatalf("side %d: %v", i, err)
		}
		s.epoch = now
		m.sides[i] = s
	}
	return m
}

// draw returns the seed of the next packet that is sent: the same on both sides.
func (s *side) draw() (seed [32]byte) {
	for i := 0; i < len(seed); i += 8 {
		binary.BigEndian.PutUint64(seed[i:], s.seeds.Uint64())
	}
	return seed
}

// answered is all that a call said and did.
type answered struct {
	Result  any
	Error   errorClass
	Effects any
}

// run makes the call on one side.
func (s *side) run(op operation) answered {
	s.effects = nil
	result, err := op.call(s)
	slices.SortFunc(s.effects, func(a, b redpacket.Effect) int { // the order in which packets expire is the store's own
		return cmp.Or(cmp.Compare(a.Packet, b.Packet), cmp.Compare(a.Step, b.Step))
	})
	return answered{Result: s.normal(result), Error: classOf(s, err), Effects: s.normal(s.effects)}
}

// do makes the call on both sides, and looks at what it did to the packet that it names.
func (m *model) do(op operation) {
	m.Helper()
	m.log = append(m.log, op.name)
	if m.compare(op).Error.none() {
		m.accepted++
	}
	if op.packet > 0 {
		m.compare(packetOf(op.packet))
	}
}

// compare makes the call on both sides and ends the test where the answers differ.
func (m *model) compare(op operation) answered {
	m.Helper()
	a, b := m.sides[0].run(op), m.sides[1].run(op)
	if !reflect.DeepEqual(a, b) {
		a.Result, b.Result = difference(a.Result, b.Result)
		recent := m.log[max(0, len(m.log)-20):]
		opts := fmt.Sprintf("LiveFor %v, SenderMayGrab %v, RetryIn %v", m.opts.LiveFor, m.opts.SenderMayGrab, m.opts.RetryIn)
		m.Fatalf("seed %d, operation %d, %s: the stores disagree about\n  %s\na: %v\nb: %v\nthe last operations:\n  %s",
			m.seed, m.done, opts, op.name, a, b, strings.Join(recent, "\n  "))
	}
	return a
}

// difference leaves out of two listings what is the same in both.
func difference(a, b any) (left, right any) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() != reflect.Slice || y.Kind() != reflect.Slice {
		return a, b
	}
	keep := func(x, y reflect.Value) []any {
		var kept []any
		for i := range x.Len() {
			if i >= y.Len() || !reflect.DeepEqual(x.Index(i).Interface(), y.Index(i).Interface()) {
				kept = append(kept, x.Index(i).Interface())
			}
		}
		return kept
	}
	return keep(x, y), keep(y, x)
}

// String returns an answer for a report.
func (a answered) String() string {
	return fmt.Sprintf("%+v\n   error: %v\n   effects: %+v", a.Result, a.Error, a.Effects)
}

// normal returns a copy of what a call returned, without what two stores need not agree about: times count
// from the side's beginning, versions are dropped.
func (s *side) normal(v any) any {
	if items, ok := v.([]stock.Item); ok {
		for i := range items {
			items[i].Version = min(items[i].Version, 1)
		}
	}
	return normalize(v, s.epoch)
}

// compareAll compares everything that the stores can be asked.
func (m *model) compareAll() {
	m.Helper()
	m.compare(operation{name: "Records", call: func(s *side) (any, error) {
		return s.Store.Records(s.Context(), 0, 1_000_000)
	}})
	m.compare(operation{name: "Payouts", call: func(s *side) (any, error) { return gather(s.packets.Payouts(s.Context())) }})
	m.compare(operation{name: "Items", call: func(s *side) (any, error) {
		return gather(stock.New(s.Store.Units(), nil).Items(s.Context()))
	}})
	m.compare(operation{name: "Holds", call: func(s *side) (any, error) {
		return gather(stock.New(s.Store.Units(), nil).Holds(s.Context(), stock.Filter{}))
	}})
	m.compare(operation{name: "Audit", call: func(s *side) (any, error) {
		report, err := s.packets.Audit(s.Context())
		if len(report.Drifts)+len(report.Units) > 0 {
			m.Errorf("seed %d, operation %d: drift: %v, %v", m.seed, m.done, report.Drifts, report.Units)
		}
		return report, err
	}})
	for id := range m.packets {
		m.compareBooks(id + 1)
	}
	m.compare(operation{name: "the clock", call: func(s *side) (any, error) {
		_, now, err := s.Store.Record(s.Context(), 1)
		return now, err
	}})
	if m.Failed() {
		m.FailNow()
	}
}

// compareBooks compares all that is kept of one packet.
func (m *model) compareBooks(id int64) {
	m.Helper()
	m.compare(packetOf(id))
	m.compare(operation{name: fmt.Sprintf("Shares(%d)", id), call: func(s *side) (any, error) { return s.Store.Shares(s.Context(), id, 0, 1_000_000) }})
	m.compare(operation{name: fmt.Sprintf("Payout(%d, 0)", id), call: func(s *side) (any, error) {
		return s.packets.Payout(s.Context(), redpacket.PayoutNumber(id, 0))
	}})
	book := m.compare(operation{name: fmt.Sprintf("Book(%d)", id), call: func(s *side) (any, error) { return s.Store.Book(s.Context(), id) }})
	if b, ok := book.Result.(redpacket.Book); ok && b.State != redpacket.None && (b.Money != b.Grabbed || b.Grabbed+b.Left != b.Split.Total) {
		m.Errorf("seed %d, operation %d: the money of packet %d does not add up: %+v", m.seed, m.done, id, b)
	}
}

// packetOf reads a packet.
func packetOf(id int64) operation {
	return operation{name: fmt.Sprintf("Packet(%d)", id), call: func(s *side) (any, error) { return s.packets.Packet(s.Context(), id) }}
}
