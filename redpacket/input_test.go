package redpacket

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// untouchedStore is a store that must not be called: bad input is refused before any I/O.
type untouchedStore struct{ Store }

func (untouchedStore) Units() stock.Store { return struct{ stock.Store }{} }

// refusals returns packets on a store that must not be called, and the checks of what they refuse.
func refusals(t *testing.T) (*Packets, *suite.Checks) {
	t.Helper()
	return New(untouchedStore{}, nil), &suite.Checks{TB: t, Retryable: Retryable}
}

// fen returns an amount of a currency with two places.
func fen(n int64) decimal.Decimal { return decimal.New(n, -2) }

// TestUnusablePacketsRefuseEveryCall: the constructor does not fail; each call does.
func TestUnusablePacketsRefuseEveryCall(t *testing.T) {
	t.Parallel()
	p, c := refusals(t)
	with := func(opts Options) *Packets { return New(untouchedStore{}, &opts) }
	c.RefusesEveryCall(nil, "no context", p, "context") //nolint:staticcheck // that is the test
	c.RefuseEveryCall([]suite.Broken{
		{Name: "nil", Of: (*Packets)(nil), Field: "packets"},
		{Name: "zero", Of: new(Packets), Field: "packets"},
		{Name: "nil on a store", Of: (*Packets)(nil).On(untouchedStore{}), Field: "packets"},
		{Name: "zero on a store", Of: new(Packets).On(untouchedStore{}), Field: "packets"},
		{Name: "without a store", Of: New(nil, nil), Field: "store"},
		{Name: "on nothing", Of: p.On(nil), Field: "store"},
		{Name: "negative LiveFor", Of: with(Options{LiveFor: -1}), Field: "LiveFor"},
		{Name: "negative LiveFor on a store", Of: with(Options{LiveFor: -1}).On(untouchedStore{}), Field: "LiveFor"},
		{Name: "LiveFor of 1ns", Of: with(Options{LiveFor: 1}), Field: "LiveFor"},
		{Name: "endless LiveFor", Of: with(Options{LiveFor: MaxLiveFor + 1}), Field: "LiveFor"},
		{Name: "negative RetryIn", Of: with(Options{RetryIn: -1}), Field: "RetryIn"},
		{Name: "RetryIn of 1ns", Of: with(Options{RetryIn: 1}), Field: "RetryIn"},
		{Name: "endless RetryIn", Of: with(Options{RetryIn: MaxRetryIn + 1}), Field: "RetryIn"},
		{Name: "negative Sweep", Of: with(Options{Sweep: -1}), Field: "Sweep"},
	})
}

// TestBadPacketsAreRefused spoils a packet of 1.00 in three shares in one way after the other.
func TestBadPacketsAreRefused(t *testing.T) {
	t.Parallel()
	p, c := refusals(t)
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	of := func(p *Packet, total, count, least, most int64) {
		p.Total, p.Count, p.Min, p.Max = fen(total), count, fen(least), fen(most)
	}
	for name, spoil := range map[string]func(*Packet){
		"less than a fen for each":    func(p *Packet) { of(p, 2, 3, 0, 0) },
		"nothing":                     func(p *Packet) { of(p, 0, 1, 0, 0) },
		"nothing for nobody":          func(p *Packet) { of(p, 0, 0, 0, 0) },
		"less than the smallest":      func(p *Packet) { of(p, 100, 3, 34, 0) },
		"more than the largest":       func(p *Packet) { of(p, 100, 3, 0, 30) },
		"bounds that cross":           func(p *Packet) { of(p, 100, 3, 40, 30) },
		"no shares":                   func(p *Packet) { of(p, 100, 0, 0, 0) },
		"a share less than none":      func(p *Packet) { of(p, 100, -1, 0, 0) },
		"fewest shares":               func(p *Packet) { of(p, 100, math.MinInt64, 0, 0) },
		"too many shares":             func(p *Packet) { of(p, math.MaxInt64, MaxCount+1, 0, 0) },
		"most shares":                 func(p *Packet) { of(p, math.MaxInt64, math.MaxInt64, 0, 0) },
		"minima that overflow":        func(p *Packet) { of(p, math.MaxInt64, 3, math.MaxInt64/2, 0) },
		"equal shares of too little":  func(p *Packet) { of(p, 2, 3, 0, 0); p.Equal = true },
		"equal shares over a maximum": func(p *Packet) { of(p, 10, 3, 0, 3); p.Equal = true },
		"no ID":                       func(p *Packet) { p.ID = 0 },
		"a negative ID":               func(p *Packet) { p.ID = -1 },
		"no sender":                   func(p *Packet) { p.Sender = "" },
		"a long sender":               func(p *Packet) { p.Sender = strings.Repeat("é", 33) },
		"negative places":             func(p *Packet) { p.Places = -1 },
		"nine places":                 func(p *Packet) { p.Places = 9 },
		"a negative total":            func(p *Packet) { p.Total = fen(-100) },
		"a negative min":              func(p *Packet) { p.Min = fen(-1) },
		"a negative max":              func(p *Packet) { p.Max = fen(-1) },
		"a total with three places":   func(p *Packet) { p.Total = decimal.New(1001, -3) },
		"a min with three places":     func(p *Packet) { p.Min = decimal.New(1, -3) },
		"a max with three places":     func(p *Packet) { p.Max = decimal.New(999, -3) },
		"a total that overflows":      func(p *Packet) { p.Total = decimal.New(math.MaxInt64, 0) },
		"a total by a fen too large":  func(p *Packet) { p.Total = fen(math.MaxInt64).Add(fen(1)) },
		"a total of a million zeros":  func(p *Packet) { p.Total = decimal.New(1, 1_000_000) },
		"a min that overflows":        func(p *Packet) { p.Min = decimal.New(math.MaxInt64, 0) },
		"a max that overflows":        func(p *Packet) { p.Max = decimal.New(math.MaxInt64, 0) },
		"an end at its start":         func(p *Packet) { p.Start, p.End = noon, noon },
		"an end before its start":     func(p *Packet) { p.Start, p.End = noon, noon.Add(-time.Microsecond) },
		"a window of a nanosecond":    func(p *Packet) { p.Start, p.End = noon, noon.Add(time.Nanosecond) },
		"a start in 1969":             func(p *Packet) { p.Start = year(1969) },
		"a start in 9999":             func(p *Packet) { p.Start = year(9999) },
		"an end in 1969":              func(p *Packet) { p.End = year(1969) },
		"an end in 9999":              func(p *Packet) { p.End = year(9999) },
		"an added end in 9999":        func(p *Packet) { p.Start = year(9999).AddDate(0, -5, -1).Add(time.Hour) },
		"half a yen":                  func(p *Packet) { p.Places, p.Total = 0, decimal.New(35, -1) },
		"nine places of eight":        func(p *Packet) { p.Places, p.Total = 8, decimal.New(1_000_000_001, -9) },
	} {
		packet := one(1, 3)
		spoil(&packet)
		c.Invalid("Send of a packet with "+name, suite.Err(p.Send(t.Context(), packet)))
	}
}

// TestBoundsAsCloseAsTheyGetAreTaken has bounds that leave nothing, or one unit, to chance.
func TestBoundsAsCloseAsTheyGetAreTaken(t *testing.T) {
	t.Parallel()
	p := New(at(noon), nil)
	for id, packet := range []Packet{
		{Total: fen(90), Count: 3, Min: fen(30), Max: fen(30)},
		{Total: fen(math.MaxInt64), Count: 2, Min: fen(math.MaxInt64 / 2), Max: fen(math.MaxInt64/2 + 1)},
	} {
		packet.ID, packet.Sender, packet.Places = int64(id+1), "1", 2
		_, err := p.Send(t.Context(), packet)
		require.NoError(t, err)
	}
}

func TestBadIDsAreRefused(t *testing.T) {
	t.Parallel()
	p, c := refusals(t)
	ctx := t.Context()
	for _, id := range []int64{0, -1, math.MinInt64} {
		c.Invalid("Confirm", suite.Err(p.Confirm(ctx, id)))
		c.Invalid("Grab of a packet", suite.Err(p.For("2").Grab(ctx, id)))
		c.Invalid("Resolve of a packet", suite.Err(p.For("2").Resolve(ctx, id)))
		c.Invalid("Close", suite.Err(p.Close(ctx, id)))
		c.Invalid("Packet", suite.Err(p.Packet(ctx, id)))
		c.Invalid("Share of a packet", suite.Err(p.For("2").Share(ctx, id)))
		c.Invalid("Shares", suite.Err(suite.Gather(p.Shares(ctx, id))))
		c.Invalid("Audit", suite.Err(p.Audit(ctx, 1, id)))
	}
	for _, person := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		c.Invalid("Grab of a person", suite.Err(p.For(person).Grab(ctx, 1)))
		c.Invalid("Resolve of a person", suite.Err(p.For(person).Resolve(ctx, 1)))
		c.Invalid("Share of a person", suite.Err(p.For(person).Share(ctx, 1)))
	}
}

// TestBadPayoutNumbersAreRefused asks for payouts by what is no number of one.
func TestBadPayoutNumbersAreRefused(t *testing.T) {
	t.Parallel()
	p, c := refusals(t)
	for _, number := range []string{
		"", "-", "1", "1-", "-1", "-1-1", "1--1", "0-1", "01-1", "1-01", "+1-1", "1-+1", " 1-1", "1-1 ", "1-1\n", "1-1-1", "1_0-1", "１-1",
		"0x1-1", "a-b", "1.0-1", "9223372036854775808-1", "1-9223372036854775808", "1-1\x00", "'",
	} {
		c.Invalid(fmt.Sprintf("Payout of %q", number), suite.Err(p.Payout(t.Context(), number)))
		c.Invalid(fmt.Sprintf("PaidOut of %q", number), suite.Err(p.PaidOut(t.Context(), number)))
		c.Invalid(fmt.Sprintf("PayoutFailed of %q", number), suite.Err(p.PayoutFailed(t.Context(), number, "no")))
	}
}
