package redpackettest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func inputCases() []testCase {
	return []testCase{
		{name: "PacketsThatCannotBeDividedAreRefused", run: indivisible},
		{name: "CallsWithoutAContextAreRefused", run: noContext},
		{name: "BadPacketsAreRefused", run: badPackets},
		{name: "BadIDsAreRefused", run: badIDs},
		{name: "BadPayoutNumbersAreRefused", run: badNumbers},
		{name: "BadOptionsRefuseEveryCall", run: badOptions},
		{name: "AContextThatEndedChangesNothing", run: contextThatEnded},
	}
}

// A verb is one exported method with arguments that are in order.
type verb struct {
	name string
	call func(context.Context, *redpacket.Packets) error
}

// verbs returns one call of each method that takes a context and returns by itself.
func verbs() []verb {
	number := redpacket.PayoutNumber(1, 1)
	return []verb{
		{"Send", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := p.Send(ctx, random(1, 100, 3))
			return err
		}},
		{"Confirm", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Confirm(ctx, 1); return err }},
		{"Grab", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Grab(ctx, 1, anna); return err }},
		{"Resolve", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Resolve(ctx, 1, anna); return err }},
		{"Packet", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Packet(ctx, 1); return err }},
		{"Share", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Share(ctx, 1, anna); return err }},
		{"Shares", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := suite.Gather(p.Shares(ctx, 1))
			return err
		}},
		{"Payouts", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := suite.Gather(p.Payouts(ctx))
			return err
		}},
		{"Payout", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Payout(ctx, number); return err }},
		{"PayoutFailed", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := p.PayoutFailed(ctx, number, "no account")
			return err
		}},
		{"PaidOut", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.PaidOut(ctx, number); return err }},
		{"Close", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Close(ctx, 1); return err }},
		{"Expire", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Expire(ctx); return err }},
		{"Audit", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Audit(ctx, 1); return err }},
		{"Audit of all", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Audit(ctx); return err }},
	}
}

// everyVerb takes in Run.
func everyVerb() []verb {
	return append(verbs(), verb{"Run", func(ctx context.Context, p *redpacket.Packets) error { return p.Run(ctx) }})
}

// silent returns packets whose store must not be called.
func (s *scene) silent() *redpacket.Packets {
	return redpacket.New(&wire{send: s.MustNotCall}, nil)
}

// unsendable ends the test unless each of some packets is refused as bad input.
func (s *scene) unsendable(bad map[string]redpacket.Packet) {
	s.Helper()
	for name, p := range bad {
		_, err := s.silent().Send(s.Context(), p)
		s.Invalid("Send of a packet with "+name, err)
	}
}

func indivisible(s *scene) {
	s.unsendable(map[string]redpacket.Packet{
		"less than a fen for each":    random(1, 2, 3),
		"nothing":                     random(1, 0, 1),
		"nothing for nobody":          random(1, 0, 0),
		"less than the smallest":      bounded(1, 100, 3, 34, 0),
		"more than the largest":       bounded(1, 100, 3, 0, 30),
		"bounds that cross":           bounded(1, 100, 3, 40, 30),
		"no shares":                   random(1, 100, 0),
		"a share less than none":      random(1, 100, -1),
		"fewest shares":               random(1, 100, math.MinInt64),
		"too many shares":             random(1, math.MaxInt64, redpacket.MaxCount+1),
		"most shares":                 random(1, math.MaxInt64, math.MaxInt64),
		"minima that overflow":        bounded(1, math.MaxInt64, 3, math.MaxInt64/2, 0),
		"equal shares of too little":  equal(1, 2, 3),
		"equal shares over a maximum": {ID: 1, Sender: sender, Places: 2, Total: fen(10), Count: 3, Equal: true, Max: fen(3)},
	})
	s.open(bounded(1, 90, 3, 30, 30)) // which is as close as it gets
	s.open(bounded(2, math.MaxInt64, 2, math.MaxInt64/2, math.MaxInt64/2+1))
}

func noContext(s *scene) {
	for _, v := range everyVerb() {
		s.Invalid(v.name, v.call(nil, s.silent()))
	}
}

func badPackets(s *scene) {
	with := func(change func(p *redpacket.Packet)) redpacket.Packet {
		p := random(1, 100, 3)
		change(&p)
		return p
	}
	now := s.now()
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	s.unsendable(map[string]redpacket.Packet{
		"no ID":                      with(func(p *redpacket.Packet) { p.ID = 0 }),
		"a negative ID":              with(func(p *redpacket.Packet) { p.ID = -1 }),
		"no sender":                  with(func(p *redpacket.Packet) { p.Sender = "" }),
		"a long sender":              with(func(p *redpacket.Packet) { p.Sender = strings.Repeat("é", 33) }),
		"negative places":            with(func(p *redpacket.Packet) { p.Places = -1 }),
		"nine places":                with(func(p *redpacket.Packet) { p.Places = 9 }),
		"a negative total":           with(func(p *redpacket.Packet) { p.Total = fen(-100) }),
		"a negative min":             with(func(p *redpacket.Packet) { p.Min = fen(-1) }),
		"a negative max":             with(func(p *redpacket.Packet) { p.Max = fen(-1) }),
		"a total with three places":  with(func(p *redpacket.Packet) { p.Total = decimal.New(1001, -3) }),
		"a min with three places":    with(func(p *redpacket.Packet) { p.Min = decimal.New(1, -3) }),
		"a max with three places":    with(func(p *redpacket.Packet) { p.Max = decimal.New(999, -3) }),
		"a total that overflows":     with(func(p *redpacket.Packet) { p.Total = decimal.New(math.MaxInt64, 0) }),
		"a total by a fen too large": with(func(p *redpacket.Packet) { p.Total = fen(math.MaxInt64).Add(fen(1)) }),
		"a total of a million zeros": with(func(p *redpacket.Packet) { p.Total = decimal.New(1, 1_000_000) }),
		"a min that overflows":       with(func(p *redpacket.Packet) { p.Min = decimal.New(math.MaxInt64, 0) }),
		"a max that overflows":       with(func(p *redpacket.Packet) { p.Max = decimal.New(math.MaxInt64, 0) }),
		"an end at its start":        with(func(p *redpacket.Packet) { p.Start, p.End = now, now }),
		"an end before its start":    with(func(p *redpacket.Packet) { p.Start, p.End = now, now.Add(-time.Microsecond) }),
		"a window of a nanosecond":   with(func(p *redpacket.Packet) { p.Start, p.End = now, now.Add(time.Nanosecond) }),
		"a start in 1969":            with(func(p *redpacket.Packet) { p.Start = year(1969) }),
		"a start in 9999":            with(func(p *redpacket.Packet) { p.Start = year(9999) }),
		"an end in 1969":             with(func(p *redpacket.Packet) { p.End = year(1969) }),
		"an end in 9999":             with(func(p *redpacket.Packet) { p.End = year(9999) }),
		"an added end in 9999":       with(func(p *redpacket.Packet) { p.Start = year(9999).AddDate(0, -5, -1).Add(time.Hour) }),
	})
	for places, bad := range map[int32]decimal.Decimal{0: decimal.New(35, -1), 8: decimal.New(1_000_000_001, -9)} {
		p := random(1, 0, 3)
		p.Places, p.Total = places, bad
		s.unsendable(map[string]redpacket.Packet{fmt.Sprintf("more than %d places", places): p})
	}
}

func badIDs(s *scene) {
	p := s.silent()
	for _, id := range []int64{0, -1, math.MinInt64} {
		for name, call := range map[string]func() error{
			"Confirm":             func() error { _, err := p.Confirm(s.Context(), id); return err },
			"Grab of a packet":    func() error { _, err := p.Grab(s.Context(), id, anna); return err },
			"Resolve of a packet": func() error { _, err := p.Resolve(s.Context(), id, anna); return err },
			"Close":               func() error { _, err := p.Close(s.Context(), id); return err },
			"Packet":              func() error { _, err := p.Packet(s.Context(), id); return err },
			"Share of a packet":   func() error { _, err := p.Share(s.Context(), id, anna); return err },
			"Shares":              func() error { _, err := suite.Gather(p.Shares(s.Context(), id)); return err },
			"Audit":               func() error { _, err := p.Audit(s.Context(), 1, id); return err },
		} {
			s.Invalid(fmt.Sprintf("%s %d", name, id), call())
		}
	}
	for _, person := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		for name, call := range map[string]func() error{
			"Grab":    func() error { _, err := p.Grab(s.Context(), 1, person); return err },
			"Resolve": func() error { _, err := p.Resolve(s.Context(), 1, person); return err },
			"Share":   func() error { _, err := p.Share(s.Context(), 1, person); return err },
		} {
			s.Invalid(fmt.Sprintf("%s of a person of %d bytes", name, len(person)), call())
		}
	}
}

// badNumbers asks for payouts by what is no number of one.
func badNumbers(s *scene) {
	p := s.silent()
	for _, number := range []string{
		"", "-", "1", "1-", "-1", "-1-1", "1--1", "0-1", "01-1", "1-01", "+1-1", "1-+1", " 1-1", "1-1 ", "1-1\n", "1-1-1", "1_0-1", "１-1",
		"0x1-1", "a-b", "1.0-1", "9223372036854775808-1", "1-9223372036854775808", "1-1\x00", "'",
	} {
		for name, call := range map[string]func() error{
			"Payout":       func() error { _, err := p.Payout(s.Context(), number); return err },
			"PaidOut":      func() error { _, err := p.PaidOut(s.Context(), number); return err },
			"PayoutFailed": func() error { _, err := p.PayoutFailed(s.Context(), number, "no"); return err },
		} {
			s.Invalid(fmt.Sprintf("%s of %q", name, number), call())
		}
	}
}

// badOptions calls everything on packets that were made from nothing or with bad options. The constructor
// does not fail; each call does.
func badOptions(s *scene) {
	with := func(opts redpacket.Options) *redpacket.Packets {
		return redpacket.New(&wire{send: s.MustNotCall}, &opts)
	}
	bad := map[string]*redpacket.Packets{
		"nil":              nil,
		"zero":             {},
		"without a store":  redpacket.New(nil, nil),
		"on nothing":       s.silent().On(nil),
		"nil on a store":   (*redpacket.Packets)(nil).On(s.Store),
		"zero on a store":  new(redpacket.Packets).On(s.Store),
		"negative LiveFor": with(redpacket.Options{LiveFor: -1}),
		"LiveFor of 1ns":   with(redpacket.Options{LiveFor: 1}),
		"endless LiveFor":  with(redpacket.Options{LiveFor: redpacket.MaxLiveFor + 1}),
		"bad, on a store":  with(redpacket.Options{LiveFor: -1}).On(s.Store),
		"negative RetryIn": with(redpacket.Options{RetryIn: -1}),
		"RetryIn of 1ns":   with(redpacket.Options{RetryIn: 1}),
		"endless RetryIn":  with(redpacket.Options{RetryIn: redpacket.MaxRetryIn + 1}),
		"negative Sweep":   with(redpacket.Options{Sweep: -1}),
	}
	for name, p := range bad {
		for _, v := range everyVerb() {
			s.Invalid(v.name+" of packets: "+name, v.call(s.Context(), p))
		}
	}
}

// contextThatEnded makes every call with a context that is over: nothing is done, and the error says
// that it may be made again.
func contextThatEnded(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	ended, end := context.WithCancel(s.Context())
	end()
	s.unchanged(1, func() {
		for _, v := range verbs() {
			if err := v.call(ended, s.packets); err == nil || !redpacket.Retryable(err) {
				s.Fatalf("%s with a context that has ended: %v", v.name, err)
			}
		}
	})
	s.Is(s.packets.Run(ended), context.Canceled)
	for _, v := range verbs() {
		if v.name == "Resolve" || v.name == "PayoutFailed" {
			continue // they do something each time
		}
		if err := v.call(s.Context(), s.packets); err != nil {
			s.Fatalf("%s again: %v", v.name, err)
		}
	}
	s.packet(1, redpacket.Closed)
}
