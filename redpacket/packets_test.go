package redpacket

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

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

// sent returns packets on a store that has packet 7, with these shares, open.
func sent(t *testing.T, store Store, opts *Options, count int64) *Packets {
	t.Helper()
	p := New(store, opts)
	_, err := p.Send(t.Context(), one(7, count))
	require.NoError(t, err)
	_, err = p.Confirm(t.Context(), 7)
	require.NoError(t, err)
	return p
}

// TestErrors has one of each typed error: what it matches, whether to retry, and what it says to whoever
// reads the log.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     error
		matches error
		retry   bool
		says    string
	}{
		{&PacketError{Packet: 7, Err: ErrUnpaid}, ErrUnpaid, false, "redpacket: the packet is not paid yet (packet 7)"},
		{
			&WindowError{Packet: 7, Err: ErrNotStarted, Start: noon, End: noon.Add(time.Hour)}, ErrNotStarted, false,
			"redpacket: grabbing has not begun (packet 7 begins at 2026-02-17T12:00:00Z)",
		},
		{
			&WindowError{Packet: 7, Err: ErrExpired, Start: noon, End: noon.Add(time.Hour)}, ErrExpired, false,
			"redpacket: the packet has expired (packet 7 ended at 2026-02-17T13:00:00Z)",
		},
		{&PayoutError{Number: "7-3", Err: ErrPaidOut}, ErrPaidOut, false, "redpacket: the payout is paid (7-3)"},
		{
			contention("grab", "7-2"), ErrUnavailable, true,
			`holdfast: store unavailable; nothing was done, retry: too much contention (grab "7-2")`,
		},
		{&InvalidError{Field: "count", Reason: "is odd"}, ErrInvalid, false, "holdfast: invalid argument: count is odd"},
	} {
		for _, wrapped := range []error{c.err, fmt.Errorf("chat: %w", c.err)} {
			require.ErrorIs(t, wrapped, c.matches)
			require.Equal(t, c.retry, Retryable(wrapped))
			require.NotErrorIs(t, wrapped, ErrDrift)
		}
		require.EqualError(t, c.err, c.says)
	}
	require.False(t, Retryable(nil))
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

func TestDefaults(t *testing.T) {
	t.Parallel()
	p := sent(t, at(noon), nil, 1)
	packet, err := p.Packet(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, noon.Add(24*time.Hour), packet.End)
	share, err := p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	payout, err := p.PayoutFailed(t.Context(), share.Payout, "no account")
	require.NoError(t, err)
	require.Equal(t, noon.Add(time.Minute), payout.DueAt)
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

func TestRandomSeedsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[[32]byte]bool{{}: true}
	for range 100 {
		seen[randomSeed()] = true
	}
	require.Len(t, seen, 101)
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

// TestHookIsToldTheShare has the share as Grab returns it.
func TestHookIsToldTheShare(t *testing.T) {
	t.Parallel()
	var seen []Share
	p := sent(t, at(noon), &Options{Hook: func(_ context.Context, e Effect) {
		if e.Step == StepGrab {
			seen = append(seen, e.Share)
		}
	}}, 2)
	share, err := p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	_, err = p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, []Share{share}, seen)
}

// blind is a store that makes its changes and cannot be read from some moment on.
type blind struct {
	Store

	sees bool
}

func (b *blind) Record(ctx context.Context, id int64) (Record, time.Time, error) {
	if !b.sees {
		return Record{}, time.Time{}, ErrUnavailable
	}
	return b.Store.Record(ctx, id)
}

func (b *blind) Share(ctx context.Context, packet int64, person string) (ShareRecord, bool, error) {
	if !b.sees {
		return ShareRecord{}, false, ErrUnavailable
	}
	return b.Store.Share(ctx, packet, person)
}

// TestWhatWasDoneAndCannotBeReadIsUnknown never says that nothing was done when something was. The hook is
// told all the same, and the same call again returns the result.
func TestWhatWasDoneAndCannotBeReadIsUnknown(t *testing.T) {
	t.Parallel()
	var seen []Effect
	store := &blind{Store: at(noon)}
	p := New(store, &Options{Hook: func(_ context.Context, e Effect) { seen = append(seen, e) }})
	calls := []func() error{
		func() error { _, err := p.Send(t.Context(), one(7, 2)); return err },
		func() error { _, err := p.Confirm(t.Context(), 7); return err },
	}
	for _, call := range calls {
		store.sees = false
		err := call()
		require.ErrorIs(t, err, ErrUnknown)
		require.NotErrorIs(t, err, ErrUnavailable)
		err = call() // nothing was done by this one
		require.NotErrorIs(t, err, ErrUnknown)
		require.ErrorIs(t, err, ErrUnavailable)
		store.sees = true
		require.NoError(t, call())
	}
	store.sees = false
	share, err := p.For("2").Grab(t.Context(), 7) // whose answer has the share
	require.NoError(t, err)
	_, err = p.For("2").Grab(t.Context(), 7)
	require.ErrorIs(t, err, ErrUnavailable)
	require.Equal(t, []Effect{{Step: StepSend, Packet: 7}, {Step: StepConfirm, Packet: 7}, {Step: StepGrab, Packet: 7, Share: share}}, seen)
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
	p := sent(t, store, nil, 2)
	_, err := p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	_, err = p.Send(t.Context(), one(8, 2))
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

// drifting is a store in which one packet cannot be ended.
type drifting struct {
	Store

	broken int64
}

func (d drifting) End(ctx context.Context, id int64, to State) (stock.Verdict, error) {
	if id == d.broken {
		return stock.Refused, ErrDrift
	}
	return d.Store.End(ctx, id, to)
}

// TestExpireGoesPastWhatHasDrifted ends the others, and returns the error.
func TestExpireGoesPastWhatHasDrifted(t *testing.T) {
	t.Parallel()
	now := noon
	store := &Memory{Clock: func() time.Time { return now }}
	p := New(drifting{store, 2}, nil)
	for id := int64(1); id <= 3; id++ {
		_, err := p.Send(t.Context(), one(id, 1))
		require.NoError(t, err)
		_, err = p.Confirm(t.Context(), id)
		require.NoError(t, err)
	}
	now = now.Add(24 * time.Hour)
	for _, want := range []int{2, 0} {
		ended, err := p.Expire(t.Context())
		require.ErrorIs(t, err, ErrDrift)
		require.Equal(t, want, ended)
	}
}

// TestEndCountsFromTheStart gives a packet that starts later its whole life.
func TestEndCountsFromTheStart(t *testing.T) {
	t.Parallel()
	p := New(at(noon), &Options{LiveFor: time.Hour})
	packet := one(7, 1)
	packet.Start = noon.Add(48 * time.Hour)
	got, err := p.Send(t.Context(), packet)
	require.NoError(t, err)
	require.Equal(t, noon.Add(49*time.Hour), got.End)
	again, err := New(p.store, nil).Send(t.Context(), packet) // an option is not an argument
	require.NoError(t, err)
	require.True(t, again.Replay)
	again.Replay = false
	require.Equal(t, got, again)
}

// TestResolve settles a grab: the share it got, or none for ever.
func TestResolve(t *testing.T) {
	t.Parallel()
	p := sent(t, at(noon), &Options{SenderMayGrab: true}, 3)
	share, err := p.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	resolved, err := p.For("2").Resolve(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, share, resolved)
	for _, person := range []int64{1, 3} { // the sender may, but for this
		for range 2 {
			_, err = p.For(fmt.Sprint(person)).Resolve(t.Context(), 7)
			require.ErrorIs(t, err, ErrCancelled)
			_, err = p.For(fmt.Sprint(person)).Grab(t.Context(), 7)
			require.ErrorIs(t, err, ErrCancelled)
			require.NotErrorIs(t, err, ErrSender)
		}
	}
	_, err = p.For("2").Resolve(t.Context(), 8)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = p.Send(t.Context(), one(8, 1))
	require.NoError(t, err)
	_, err = p.Confirm(t.Context(), 8)
	require.NoError(t, err)
	_, err = p.For("2").Grab(t.Context(), 8) // nothing was closed
	require.NoError(t, err)
}

// TestAuditNamesWhatIsWrong has one of each.
func TestAuditNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	sound := func() Book {
		return Book{
			Record: Record{ID: 7, Split: Split{Total: 100, Count: 3}, State: Open, ConfirmedAt: noon, Taken: 2, Grabbed: 60, Left: 40},
			Shares: 2, Money: 60, Holds: 2, Remainder: -1,
		}
	}
	over := func(b *Book, to State) { b.State, b.EndedAt, b.Remainder = to, noon, 40 }
	for name, c := range map[string]struct {
		change func(b *Book)
		want   []string
	}{
		"Sound":        {func(*Book) {}, nil},
		"SoundClosed":  {func(b *Book) { over(b, Closed) }, nil},
		"SoundExpired": {func(b *Book) { over(b, Expired) }, nil},
		"SoundDropped": {func(b *Book) {
			*b = Book{Record: Record{ID: 7, Split: Split{Total: 100, Count: 3}, State: Closed, Left: 100}, Remainder: -1}
		}, nil},
		"Shares":        {func(b *Book) { b.Taken = 3 }, []string{"packet 7: shares is 3, should be 2 (+1)"}},
		"Grabbed":       {func(b *Book) { b.Grabbed = 61 }, []string{"packet 7: grabbed is 61, should be 60 (+1)"}},
		"Left":          {func(b *Book) { b.Left = 39 }, []string{"packet 7: left is 39, should be 40 (-1)"}},
		"Grabs":         {func(b *Book) { b.Holds = 3 }, []string{"packet 7: grabs is 3, should be 2 (+1)"}},
		"GaveBackOpen":  {func(b *Book) { b.Remainder = 40 }, []string{"packet 7: remainder is 40, should be -1 (+41)"}},
		"GaveNotBack":   {func(b *Book) { over(b, Closed); b.Remainder = -1 }, []string{"packet 7: remainder is -1, should be 40 (-41)"}},
		"GaveBackMore":  {func(b *Book) { over(b, Expired); b.Remainder = 41 }, []string{"packet 7: remainder is 41, should be 40 (+1)"}},
		"FinishedEarly": {func(b *Book) { b.State = Finished }, []string{"packet 7: state is finished, should be open"}},
		"NeverFinished": {func(b *Book) { b.Split.Count = 2 }, []string{"packet 7: state is open, should be finished"}},
		"SeveralAtATime": {func(b *Book) { b.Shares = 1; b.Money = 50 },
			[]string{"packet 7: shares is 2, should be 1 (+1)", "packet 7: grabbed is 60, should be 50 (+10)",
				"packet 7: left is 40, should be 50 (-10)", "packet 7: grabs is 2, should be 1 (+1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book := sound()
			c.change(&book)
			var lines []string
			for _, d := range book.drifts() {
				lines = append(lines, d.String())
			}
			require.Equal(t, c.want, lines)
		})
	}
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

func TestReasonsAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	require.Equal(t, "no account", shorten("no account"))
	require.Equal(t, strings.Repeat("x", MaxReason), shorten(strings.Repeat("x", MaxReason+1)))
	require.Equal(t, strings.Repeat("包", MaxReason/3), shorten(strings.Repeat("包", MaxReason)))
	require.Equal(t, "x\uFFFD", shorten("x\xff"))
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

// TestListingsEndWithTheFirstError yields it once, and nothing after it.
func TestListingsEndWithTheFirstError(t *testing.T) {
	t.Parallel()
	p := New(at(noon), nil)
	n := 0
	for _, err := range p.Shares(t.Context(), 7) {
		require.ErrorIs(t, err, ErrNotFound)
		n++
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for _, err := range p.Payouts(ended) {
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorIs(t, err, context.Canceled)
		n++
	}
	require.Equal(t, 2, n)
}
