package redpacket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// beginning is when the clocks of these tests begin: any instant will do.
var beginning = time.Date(2026, time.February, 16, 20, 0, 0, 0, time.UTC)

// memory returns a store in the process on a clock that only the test moves.
func memory(t testing.TB) redpackettest.Harness {
	t.Helper()
	return memoryFrom(t, beginning)
}

// memoryFrom is memory with another beginning of its clock.
func memoryFrom(_ testing.TB, from time.Time) redpackettest.Harness {
	clock := &suite.Clock{From: from}
	return redpackettest.Harness{Store: &redpacket.Memory{Clock: clock.Now}, Advance: clock.Advance}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	redpackettest.Run(t, memory)
}

// FuzzModel compares the memory store with itself on another clock: it holds the tool to its
// promise to compare nothing but what two stores must agree about. sqlstore compares the memory
// store with MySQL.
func FuzzModel(f *testing.F) {
	for seed := range int64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		redpackettest.Model(t, seed, 400, memoryFrom(t, beginning), memoryFrom(t, beginning.AddDate(3, 1, 4)))
	})
}

// TestModelFindsDifferences breaks one rule of the store at a time: the model must see it.
func TestModelFindsDifferences(t *testing.T) {
	t.Parallel()
	suite.FindsDifferences(t, map[string]func(redpacket.Store) redpacket.Store{
		"a clock that is read too early":      func(s redpacket.Store) redpacket.Store { return slowClock{s} },
		"a sender whose grab is forgotten":    func(s redpacket.Store) redpacket.Store { return anySender{s} },
		"a payout that forgets when":          func(s redpacket.Store) redpacket.Store { return lostDate{s} },
		"a failure that puts nothing off":     func(s redpacket.Store) redpacket.Store { return impatient{s} },
		"a sweep that does nothing":           func(s redpacket.Store) redpacket.Store { return noSweep{s} },
		"a listing out of order":              func(s redpacket.Store) redpacket.Store { return shuffledPages{s} },
		"a window in seconds":                 func(s redpacket.Store) redpacket.Store { return coarseWindow{s} },
		"a seed that loses its last byte":     func(s redpacket.Store) redpacket.Store { return shortSeed{s} },
		"a payment too late that is lost":     func(s redpacket.Store) redpacket.Store { return lostReturn{s} },
		"a best share that is the latest one": func(s redpacket.Store) redpacket.Store { return latestBest{s} },
	}, func(t testing.TB, seed int64, breaks func(redpacket.Store) redpacket.Store) {
		t.Helper()
		faulty := memory(t)
		faulty.Store = breaks(faulty.Store)
		redpackettest.Model(t, seed, 500, memory(t), faulty)
	})
}

// The broken stores of TestModelFindsDifferences.
type (
	slowClock     struct{ redpacket.Store }
	anySender     struct{ redpacket.Store }
	lostDate      struct{ redpacket.Store }
	impatient     struct{ redpacket.Store }
	noSweep       struct{ redpacket.Store }
	shuffledPages struct{ redpacket.Store }
	coarseWindow  struct{ redpacket.Store }
	shortSeed     struct{ redpacket.Store }
	lostReturn    struct{ redpacket.Store }
	latestBest    struct{ redpacket.Store }
)

func (s slowClock) Record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	record, now, err := s.Store.Record(ctx, id)
	return record, now.Add(-time.Microsecond), err
}

func (s anySender) Add(ctx context.Context, record redpacket.Record, _ bool, liveFor time.Duration) (stock.Verdict, error) {
	return s.Store.Add(ctx, record, true, liveFor)
}

func (s lostDate) Payout(ctx context.Context, packet, no int64) (redpacket.ShareRecord, bool, error) {
	booked, ok, err := s.Store.Payout(ctx, packet, no)
	booked.PaidAt = time.Time{}
	return booked, ok, err
}

func (s impatient) Failed(ctx context.Context, packet, no, failures int64, reason string, _ time.Duration) (stock.Verdict, error) {
	return s.Store.Failed(ctx, packet, no, failures, reason, 0)
}

func (s noSweep) Due(context.Context, int) ([]int64, error) { return nil, nil }

func (s shuffledPages) Payouts(ctx context.Context, after redpacket.Cursor, limit int) ([]redpacket.ShareRecord, error) {
	payouts, err := s.Store.Payouts(ctx, after, limit)
	slices.Reverse(payouts)
	return payouts, err
}

func (s coarseWindow) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	record.Start, record.End = record.Start.Truncate(time.Second), record.End.Truncate(time.Second)
	return s.Store.Add(ctx, record, senderMayGrab, liveFor)
}

func (s shortSeed) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	record.Split.Seed[31] = 0
	return s.Store.Add(ctx, record, senderMayGrab, liveFor)
}

func (s lostReturn) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	record, _, err := s.Record(ctx, id)
	if err != nil || record.State != redpacket.Unpaid {
		return s.Store.Return(ctx, id)
	}
	return s.Drop(ctx, id)
}

func (s latestBest) Records(ctx context.Context, after int64, limit int) ([]redpacket.Record, error) {
	records, err := s.Store.Records(ctx, after, limit)
	for i, r := range records {
		if r.BestNo > 0 {
			records[i].BestNo = r.Taken
		}
	}
	return records, err
}

// opened returns packets in a fresh store, of which 7 is open: a yuan for each of so many.
func opened(b *testing.B, count int64) *redpacket.Packets {
	b.Helper()
	packets := redpacket.New(new(redpacket.Memory), nil)
	_, err := packets.Send(b.Context(), redpacket.Packet{ID: 7, Sender: "1", Places: 2, Total: decimal.NewFromInt(count), Count: count})
	require.NoError(b, err)
	_, err = packets.Confirm(b.Context(), 7)
	require.NoError(b, err)
	return packets
}

// TestMemoryZeroValue uses the wall clock, to the microsecond.
func TestMemoryZeroValue(t *testing.T) {
	t.Parallel()
	var store redpacket.Memory
	before := time.Now().Truncate(time.Microsecond)
	record, now, err := store.Record(t.Context(), 7)
	require.NoError(t, err)
	require.Zero(t, record)
	require.False(t, now.Before(before) || now.After(time.Now()))
	require.Equal(t, now.UTC().Truncate(time.Microsecond), now)

	var units redpacket.Memory // asked for before anything else
	_, err = stock.New(units.Units(), nil).Hold(t.Context(), redpacket.GrabID(7, "2"))
	require.ErrorIs(t, err, stock.ErrNotFound)
}

func BenchmarkMemoryGrab(b *testing.B) {
	var packets *redpacket.Packets
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ {
		if n%redpacket.MaxCount == 0 {
			packets = opened(b, redpacket.MaxCount)
		}
		if _, err := packets.For(fmt.Sprint(n+2)).Grab(b.Context(), 7); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryFinished(b *testing.B) {
	packets := opened(b, 1)
	_, err := packets.For("2").Grab(b.Context(), 7)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := packets.For("3").Grab(b.Context(), 7); !errors.Is(err, redpacket.ErrFinished) {
			b.Fatal(err)
		}
	}
}
