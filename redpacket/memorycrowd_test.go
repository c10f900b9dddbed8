package redpacket_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// yuan returns a packet of one yuan for each of so many.
func yuan(id, count int64) redpacket.Packet {
	return redpacket.Packet{ID: id, Sender: "1", Places: 2, Total: decimal.NewFromInt(count), Count: count}
}

// opened returns packets on a store, one of which is open.
func opened(t testing.TB, store redpacket.Store, packet redpacket.Packet) *redpacket.Packets {
	t.Helper()
	packets := redpacket.New(store, nil)
	_, err := packets.Send(t.Context(), packet)
	require.NoError(t, err)
	_, err = packets.Confirm(t.Context(), packet.ID)
	require.NoError(t, err)
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

// TestMemoryCrowd has a thousand people grab a hundred shares, each of them twice, while others audit.
func TestMemoryCrowd(t *testing.T) {
	t.Parallel()
	packets := opened(t, new(redpacket.Memory), yuan(7, 100))
	var won atomic.Int64
	errs := make(chan error, 2000)
	var wg suite.Group
	for person := range int64(1000) {
		wg.Go(func() {
			first, err := packets.For(fmt.Sprint(100+person)).Grab(t.Context(), 7)
			again, err2 := packets.For(fmt.Sprint(100+person)).Grab(t.Context(), 7)
			switch {
			case err == nil && err2 == nil && first.No == again.No && first.Amount.Equal(again.Amount):
				won.Add(1)
			case !errors.Is(err, redpacket.ErrFinished) || !errors.Is(err2, redpacket.ErrFinished):
				errs <- fmt.Errorf("person %d: %v and %v, %w and %w", person, first, again, err, err2)
			}
		})
		if person%50 == 0 {
			wg.Go(func() {
				report, err := packets.Audit(t.Context())
				if err != nil || len(report.Drifts) > 0 {
					errs <- fmt.Errorf("%v, %w", report.Drifts, err)
				}
			})
		}
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	require.Equal(t, int64(100), won.Load())
	got, err := packets.Packet(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, redpacket.Finished, got.State)
	require.True(t, got.Grabbed.Equal(decimal.NewFromInt(100)))
	require.True(t, got.Left.IsZero())
}

// TestMemoryUnitsWithoutMoney gives a packet's item more units from outside than the packet has shares: no
// grab gets one.
func TestMemoryUnitsWithoutMoney(t *testing.T) {
	t.Parallel()
	store := new(redpacket.Memory)
	packets, units := opened(t, store, yuan(7, 1)), stock.New(store.Units(), nil)
	_, err := packets.For("2").Grab(t.Context(), 7)
	require.NoError(t, err)
	require.NoError(t, units.Restock(t.Context(), "by hand", stock.Line{SKU: 7, Num: 1}))
	_, err = packets.For("3").Grab(t.Context(), 7)
	require.ErrorIs(t, err, redpacket.ErrDrift)
	_, err = packets.For("2").Grab(t.Context(), 7) // who has a share keeps it
	require.NoError(t, err)

	_, err = packets.Send(t.Context(), yuan(8, 1))
	require.NoError(t, err)
	_, err = units.Define(t.Context(), stock.Key{SKU: 8}, 0, stock.Terms{}) // on the shelf, and not paid
	require.NoError(t, err)
	_, err = packets.For("3").Grab(t.Context(), 8)
	require.ErrorIs(t, err, redpacket.ErrDrift)
	_, err = units.Take(t.Context(), "no grab", stock.Line{SKU: 8, Num: 1})
	require.ErrorIs(t, err, redpacket.ErrDrift)

	_, err = units.Define(t.Context(), stock.Key{SKU: 9}, 1, stock.Terms{}) // in the way of a packet
	require.NoError(t, err)
	_, err = packets.Send(t.Context(), yuan(9, 1))
	require.ErrorIs(t, err, redpacket.ErrDrift)

	report, err := packets.Audit(t.Context())
	require.NoError(t, err)
	require.Equal(t, redpacket.Report{Packets: 2}, report) // nothing was booked
}

func BenchmarkMemoryGrab(b *testing.B) {
	var packets *redpacket.Packets
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ {
		if n%redpacket.MaxCount == 0 {
			packets = opened(b, new(redpacket.Memory), yuan(7, redpacket.MaxCount))
		}
		if _, err := packets.For(fmt.Sprint(n+2)).Grab(b.Context(), 7); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryFinished(b *testing.B) {
	packets := opened(b, new(redpacket.Memory), yuan(7, 1))
	_, err := packets.For("2").Grab(b.Context(), 7)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := packets.For("3").Grab(b.Context(), 7); !errors.Is(err, redpacket.ErrFinished) {
			b.Fatal(err)
		}
	}
}
