package redpacket

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// at returns a store in memory whose clock stands still.
func at(now time.Time) *Memory { return &Memory{Clock: func() time.Time { return now }} }

// noon is when these tests happen: any instant will do.
var noon = time.Date(2026, time.February, 17, 12, 0, 0, 0, time.UTC)

// one returns a packet of one yuan in so many shares.
func one(id, count int64) Packet {
	return Packet{ID: id, Sender: "1", Places: 2, Total: decimal.NewFromInt(1), Count: count}
}

// TestErrors has one of each typed error: what it matches, whether to retry, and what it says to whoever
// reads the log.
func TestErrors(t *testing.T) {
	t.Parallel()
	(&suite.Checks{TB: t, Retryable: Retryable}).TypedErrors([]suite.TypedError{
		{
			Err: &PacketError{Packet: 7, Err: ErrUnpaid}, Matches: []error{ErrUnpaid},
			Says: "redpacket: the packet is not paid yet (packet 7)",
		},
		{
			Err: &WindowError{Packet: 7, Err: ErrNotStarted, Start: noon, End: noon.Add(time.Hour)}, Matches: []error{ErrNotStarted},
			Says: "redpacket: grabbing has not begun (packet 7 begins at 2026-02-17T12:00:00Z)",
		},
		{
			Err: &WindowError{Packet: 7, Err: ErrExpired, Start: noon, End: noon.Add(time.Hour)}, Matches: []error{ErrExpired},
			Says: "redpacket: the packet has expired (packet 7 ended at 2026-02-17T13:00:00Z)",
		},
		{
			Err: &PayoutError{Number: "7-3", Err: ErrPaidOut}, Matches: []error{ErrPaidOut},
			Says: "redpacket: the payout is paid (7-3)",
		},
		{
			Err: contention("grab", "7-2"), Matches: []error{ErrUnavailable},
			Says: `holdfast: store unavailable; nothing was done, retry: too much contention (grab "7-2")`,
		},
		{
			Err: &InvalidError{Field: "count", Reason: "is odd"}, Matches: []error{ErrInvalid},
			Says: "holdfast: invalid argument: count is odd",
		},
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]fmt.Stringer{
		"none": None, "unpaid": Unpaid, "open": Open, "finished": Finished, "closed": Closed, "expired": Expired,
		"state 6": State(6), "send": StepSend, "confirm": StepConfirm, "grab": StepGrab, "close": StepClose,
		"expire": StepExpire, "return": StepReturn, "paid out": StepPaidOut, "payout failed": StepFailed, "step 9": Step(9),
		"packet 7: grabbed is 5, should be 3 (+2)":      Drift{Packet: 7, Quantity: "grabbed", Counted: 5, Recount: 3},
		"packet 7: state is open, should be finished":   Drift{Packet: 7, Quantity: "state", Counted: int64(Open), Recount: int64(Finished)},
		"packet 7: remainder is -1, should be 40 (-41)": Drift{Packet: 7, Quantity: "remainder", Counted: -1, Recount: 40},
	} {
		require.Equal(t, want, s.String())
	}
}

// TestOptionsAreCopied changes the options after New.
func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	opts := &Options{LiveFor: time.Hour}
	p := New(at(noon), opts)
	*opts = Options{LiveFor: -1}
	packet, err := p.Send(t.Context(), one(7, 1))
	require.NoError(t, err)
	require.Equal(t, noon.Add(time.Hour), packet.End)
}

// TestSeedIsDrawnForWhatIsSent takes no seed for what is refused, and one of its own for each packet.
func TestSeedIsDrawnForWhatIsSent(t *testing.T) {
	t.Parallel()
	drawn := byte(0)
	store := at(noon)
	p := New(store, &Options{Seed: func() [32]byte { drawn++; return [32]byte{drawn} }})
	_, err := p.Send(t.Context(), Packet{ID: 7, Sender: "1", Count: 1})
	require.ErrorIs(t, err, ErrInvalid)
	require.Zero(t, drawn)
	for id := int64(7); id <= 8; id++ {
		_, err := p.Send(t.Context(), one(id, 1))
		require.NoError(t, err)
		record, _, err := store.Record(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, [32]byte{byte(id - 6)}, record.Split.Seed)
	}
}

// TestHookIsToldOfEachEffectOnce has the hook see the context of its call; a replay has no effect.
func TestHookIsToldOfEachEffectOnce(t *testing.T) {
	t.Parallel()
	type key struct{}
	now := noon
	var seen []string
	p := New(&Memory{Clock: func() time.Time { return now }}, &Options{Hook: func(ctx context.Context, e Effect) {
		seen = append(seen, fmt.Sprintf("%v: %v %d %v %q", ctx.Value(key{}), e.Step, e.Packet, e.Share.Amount, e.Payout))
	}})
	ctx := context.WithValue(t.Context(), key{}, "trace-1")
	for id := int64(1); id <= 4; id++ {
		_, err := p.Send(ctx, one(id, 2))
		require.NoError(t, err)
	}
	twice := func(call func() error) {
		t.Helper()
		require.NoError(t, call())
		require.NoError(t, call())
	}
	twice(func() error { _, err := p.Send(ctx, one(1, 2)); return err })
	for id := int64(1); id <= 3; id++ {
		twice(func() error { _, err := p.Confirm(ctx, id); return err })
	}
	_, err := p.PayoutFailed(ctx, PayoutNumber(1, 1), "no account")
	require.ErrorIs(t, err, ErrUnknownPayout) // a refusal is no effect either
	twice(func() error { _, err := p.Close(ctx, 1); return err })
	now = now.Add(24 * time.Hour)
	twice(func() error { _, err := p.Close(ctx, 2); return err })
	twice(func() error { _, err := p.Expire(ctx); return err })
	twice(func() error { _, err := p.Confirm(ctx, 4); return err })
	_, err = p.PayoutFailed(ctx, "4-0", "no account")
	require.NoError(t, err)
	twice(func() error { _, err := p.PaidOut(ctx, "4-0"); return err })
	require.Equal(t, []string{
		`trace-1: send 1 0 ""`, `trace-1: send 2 0 ""`, `trace-1: send 3 0 ""`, `trace-1: send 4 0 ""`,
		`trace-1: confirm 1 0 ""`, `trace-1: confirm 2 0 ""`, `trace-1: confirm 3 0 ""`,
		`trace-1: close 1 0 ""`, `trace-1: expire 2 0 ""`, `trace-1: expire 3 0 ""`, `trace-1: return 4 0 ""`,
		`trace-1: payout failed 4 0 "4-0"`, `trace-1: paid out 4 0 "4-0"`,
	}, seen)
}

// restless is a store whose refusals have no reason by the time one looks.
type restless struct{ Store }

func (restless) Add(context.Context, Record, bool, time.Duration) (stock.Verdict, error) {
	return stock.Exists, nil
}
func (restless) Open(context.Context, int64) (stock.Verdict, error)       { return stock.Refused, nil }
func (restless) End(context.Context, int64, State) (stock.Verdict, error) { return stock.Refused, nil }
func (restless) Paid(context.Context, int64, int64) (stock.Verdict, error) {
	return stock.Refused, nil
}

func (restless) Failed(context.Context, int64, int64, int64, string, time.Duration) (stock.Verdict, error) {
	return stock.Refused, nil
}

// TestContentionEnds gives up in the end, and says that nothing was done.
func TestContentionEnds(t *testing.T) {
	t.Parallel()
	store := at(noon)
	p := New(store, nil)
	for id := int64(7); id <= 8; id++ {
		_, err := p.Send(t.Context(), one(id, 2))
		require.NoError(t, err)
	}
	_, err := p.Confirm(t.Context(), 7)
	require.NoError(t, err)
	_, err = p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	p = p.On(restless{store})
	_, send := p.Send(t.Context(), one(9, 2))
	_, confirm := p.Confirm(t.Context(), 8)
	_, end := p.Close(t.Context(), 7)
	_, paid := p.PaidOut(t.Context(), "7-1")
	_, failed := p.PayoutFailed(t.Context(), "7-1", "no account")
	for verb, err := range map[string]error{"send": send, "confirm": confirm, "close": end, "pay out": paid, "fail": failed} {
		require.ErrorIs(t, err, ErrUnavailable)
		require.True(t, Retryable(err))
		var contention *stock.ContentionError
		require.ErrorAs(t, err, &contention)
		require.Equal(t, verb, contention.Verb)
	}
	_, err = p.For("2").Grab(t.Context(), 8)
	require.ErrorIs(t, err, ErrUnpaid)
}

func TestPauseDoublesUpToADay(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int64]time.Duration{
		0: time.Minute, 1: 2 * time.Minute, 5: 32 * time.Minute, 10: 1024 * time.Minute, 11: MaxRetryIn, math.MaxInt64: MaxRetryIn,
	} {
		require.Equal(t, want, pause(time.Minute, failures))
	}
	require.Equal(t, MaxRetryIn, pause(MaxRetryIn, 1))
	require.Equal(t, MaxRetryIn, pause(time.Microsecond, math.MaxInt64))
}

// FuzzNumber reads numbers back: that of a payout is what PayoutNumber was given, and nothing else is one.
func FuzzNumber(f *testing.F) {
	f.Add("7-3", int64(7), int64(3))
	f.Add("007-3", int64(1), int64(0))
	f.Add("+7-3", int64(math.MaxInt64), int64(math.MaxInt64))
	f.Add("7--3", int64(-1), int64(1))
	f.Add("7", int64(1), int64(-1))
	f.Add("", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, number string, packet, no int64) {
		if p, n, ok := parseNumber(number); ok {
			require.Equal(t, number, PayoutNumber(p, n))
			require.True(t, p > 0 && n >= 0)
		}
		p, n, ok := parseNumber(PayoutNumber(packet, no))
		require.Equal(t, packet > 0 && no >= 0, ok)
		if ok {
			require.Equal(t, []int64{packet, no}, []int64{p, n})
		}
	})
}
