package redpackettest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
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
	m.Run(ops, m.next, m.compareAll)
}

// A model is one run, and what is known of its world.
type model struct {
	suite.Model[*side]

	opts    redpacket.Options
	sent    []draft // packets that were asked for, the youngest last
	packets int64   // IDs that were given out
}

// A side is one of the two under test.
type side struct {
	suite.Side
	Harness

	packets *redpacket.Packets
	seeds   *rand.Rand
}

// An operation is one call with its arguments.
type operation = suite.Operation[*side]

// newModel draws the options and opens both sides.
func newModel(t testing.TB, seed int64, a, b Harness) *model {
	t.Helper()
	m := &model{Model: suite.NewModel[*side](t, seed)}
	m.opts = redpacket.Options{
		LiveFor:       suite.Pick(m, 5*time.Microsecond, time.Minute, redpacket.DefaultLiveFor),
		SenderMayGrab: m.Chance(50),
		RetryIn:       suite.Pick(m, time.Microsecond, redpacket.DefaultRetryIn, 13*time.Hour),
	}
	m.Options = fmt.Sprintf("LiveFor %v, SenderMayGrab %v, RetryIn %v", m.opts.LiveFor, m.opts.SenderMayGrab, m.opts.RetryIn)
	m.Class = classOf
	for i, h := range []Harness{a, b} {
		_, now, err := h.Store.Record(m.Context(), 1)
		m.Must(err)
		s := &side{Side: suite.Side{TB: t, Form: suite.Form{Epoch: now, Fix: unversioned}}, Harness: h, seeds: suite.Repeatable(seed)}
		opts := m.opts
		opts.Hook = func(_ context.Context, e redpacket.Effect) { s.Told(e) }
		opts.Seed = s.draw
		s.packets = redpacket.New(h.Store, &opts)
		m.Sides[i] = s
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

// unversioned gives amounts one form and leaves out how many changes an item has seen.
func unversioned(v any) any {
	if item, ok := v.(stock.Item); ok {
		item.Version = min(item.Version, 1)
		return item
	}
	return plain(v)
}

// compareAll compares everything that the stores can be asked.
func (m *model) compareAll() {
	m.Helper()
	m.Compare(operation{Name: "Records", Call: func(s *side) (any, error) { return s.Store.Records(s.Context(), 0, 1_000_000) }})
	m.Compare(operation{Name: "Payouts", Call: func(s *side) (any, error) { return suite.Gather(s.packets.Payouts(s.Context())) }})
	m.Compare(operation{Name: "Items", Call: func(s *side) (any, error) {
		return suite.Gather(stock.New(s.Store.Units(), nil).Items(s.Context()))
	}})
	m.Compare(operation{Name: "Holds", Call: func(s *side) (any, error) {
		return suite.Gather(stock.New(s.Store.Units(), nil).Holds(s.Context(), stock.Filter{}))
	}})
	m.Compare(operation{Name: "Audit", Call: func(s *side) (any, error) {
		report, err := s.packets.Audit(s.Context())
		if len(report.Drifts)+len(report.Units) > 0 {
			m.Wrongf("drift: %v, %v", report.Drifts, report.Units)
		}
		return report, err
	}})
	for id := range m.packets {
		m.compareBooks(id + 1)
	}
	limit := suite.Pick(m, 1, 3, 50)
	for person := range int64(persons) {
		who := fmt.Sprint(person + 1)
		m.Compare(operation{Name: fmt.Sprintf("SentPage of %s by %d", who, limit), Call: func(s *side) (any, error) {
			return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[redpacket.Packet], error) {
				return s.packets.For(who).SentPage(s.Context(), ask)
			})
		}})
		m.Compare(operation{Name: fmt.Sprintf("MinePage of %s by %d", who, limit), Call: func(s *side) (any, error) {
			return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[redpacket.Share], error) {
				return s.packets.For(who).MinePage(s.Context(), ask)
			})
		}})
	}
	m.Compare(operation{Name: "the clock", Call: func(s *side) (any, error) {
		_, now, err := s.Store.Record(s.Context(), 1)
		return now, err
	}})
}

// compareBooks compares all that is kept of one packet.
func (m *model) compareBooks(id int64) {
	m.Helper()
	m.Compare(packetOf(id))
	m.Compare(operation{
		Name: fmt.Sprintf("Shares(%d)", id), Call: func(s *side) (any, error) { return s.Store.Shares(s.Context(), id, 0, 1_000_000) },
	})
	m.Compare(operation{Name: fmt.Sprintf("Payout(%d, 0)", id), Call: func(s *side) (any, error) {
		return s.packets.Payout(s.Context(), redpacket.PayoutNumber(id, 0))
	}})
	book := m.Compare(operation{Name: fmt.Sprintf("Book(%d)", id), Call: func(s *side) (any, error) { return s.Store.Book(s.Context(), id) }})
	if b, ok := book.Result.(redpacket.Book); ok && b.State != redpacket.None && (b.Money != b.Grabbed || b.Grabbed+b.Left != b.Split.Total) {
		m.Wrongf("the money of packet %d does not add up: %+v", id, b)
	}
}

// packetOf reads a packet.
func packetOf(id int64) operation {
	return operation{Name: fmt.Sprintf("Packet(%d)", id), Call: func(s *side) (any, error) { return s.packets.Packet(s.Context(), id) }}
}

// look reads what became of a packet; 0 is none.
func look(id int64) []operation {
	if id <= 0 {
		return nil
	}
	return []operation{packetOf(id)}
}
