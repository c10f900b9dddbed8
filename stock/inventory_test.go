package stock_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// TestOptionsHaveDefaultsAndAreCopied changes the options after New.
func TestOptionsHaveDefaultsAndAreCopied(t *testing.T) {
	t.Parallel()
	require.Equal(t, stock.DefaultHoldFor, 15*time.Minute)
	for holdFor, opts := range map[time.Duration]*stock.Options{15 * time.Minute: nil, time.Minute: {HoldFor: time.Minute}} {
		inv := stock.New(memory(t).Store, opts)
		if opts != nil {
			*opts = stock.Options{HoldFor: -1}
		}
		require.NoError(t, suite.Err(inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})))
		hold, err := inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 1})
		require.NoError(t, err)
		require.Equal(t, start.Add(holdFor), hold.Deadline)
	}
}

func TestOnAndForLeaveTheReceiverAlone(t *testing.T) {
	t.Parallel()
	inv := stock.New(memory(t).Store, nil)
	other := inv.On(memory(t).Store)
	buyer := inv.For("5")
	for _, i := range []*stock.Inventory{inv, other} {
		require.NoError(t, suite.Err(i.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{PerBuyer: 3})))
	}
	require.ErrorIs(t, suite.Err(inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 1})), stock.ErrBuyerRequired)
	require.NoError(t, suite.Err(buyer.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 1})))
	require.NoError(t, suite.Err(buyer.For("6").Lock(t.Context(), "order-2", stock.Line{SKU: 42, Num: 1})))
	usage, err := buyer.Usage(t.Context(), stock.Key{SKU: 42})
	require.NoError(t, err)
	require.Equal(t, stock.Usage{Held: 1, Holds: 1}, usage)
	require.ErrorIs(t, suite.Err(other.Hold(t.Context(), "order-1")), stock.ErrNotFound)
	require.ErrorIs(t, suite.Err(buyer.On(memory(t).Store).Usage(t.Context(), stock.Key{SKU: 42})), stock.ErrUnknownSKU) // keeps the buyer
}

// TestMemoryZeroValue uses the wall clock, to the microsecond.
func TestMemoryZeroValue(t *testing.T) {
	t.Parallel()
	var store stock.Memory
	before := time.Now().Truncate(time.Microsecond)
	_, now, err := store.Hold(t.Context(), "order-1")
	require.NoError(t, err)
	require.False(t, now.Before(before) || now.After(time.Now()))
	require.Equal(t, now.UTC().Truncate(time.Microsecond), now)
}

// TestHookIsCalledInTheGoroutineOfTheCall has the hook see the context of its call.
func TestHookIsCalledInTheGoroutineOfTheCall(t *testing.T) {
	t.Parallel()
	type key struct{}
	var seen []string
	inv := stock.New(memory(t).Store, &stock.Options{Hook: func(ctx context.Context, e stock.Effect) {
		seen = append(seen, fmt.Sprintf("%v: %v %q %q %v", ctx.Value(key{}), e.Step, e.Order, e.ID, e.Lines))
	}})
	ctx := context.WithValue(t.Context(), key{}, "trace-1")
	require.NoError(t, suite.Err(inv.Define(ctx, stock.Key{SKU: 42}, 10, stock.Terms{})))
	for range 2 { // a replay has no effect
		require.NoError(t, suite.Err(inv.Lock(ctx, "order-1", stock.Line{SKU: 42, Num: 2})))
		require.NoError(t, suite.Err(inv.Pay(ctx, "order-1")))
		_, err := inv.Refund(ctx, stock.Refund{ID: "refund-1", Order: "order-1", Lines: []stock.Line{{SKU: 42, Num: 1}}})
		require.NoError(t, err)
		require.NoError(t, suite.Err(inv.Restock(ctx, "in-1", stock.Line{SKU: 42, Num: 5})))
		require.NoError(t, suite.Err(inv.Withdraw(ctx, "out-1", stock.Line{SKU: 42, Num: 3})))
		require.NoError(t, suite.Err(inv.Cancel(ctx, "never locked")))
	}
	require.Equal(t, []string{
		`trace-1: lock "order-1" "" [{42 0 2}]`,
		`trace-1: pay "order-1" "" []`,
		`trace-1: discard "order-1" "refund-1" [{42 0 1}]`,
		`trace-1: restock "" "in-1" [{42 0 5}]`,
		`trace-1: withdraw "" "out-1" [{42 0 3}]`,
	}, seen)
}

// restless is a store whose refusals have no reason by the time one looks.
type restless struct{ stock.Store }

func (restless) Lock(context.Context, stock.Order, time.Duration) (stock.LockResult, error) {
	return stock.LockResult{Verdict: stock.Refused}, nil
}

func (restless) Move(context.Context, stock.Movement) (stock.MoveResult, error) {
	return stock.MoveResult{}, nil
}

func (restless) Apply(context.Context, stock.Change, ...stock.Companion) (stock.Verdict, error) {
	return stock.Refused, nil
}

// TestContentionEnds gives up in the end, and says that nothing was done.
func TestContentionEnds(t *testing.T) {
	t.Parallel()
	store := memory(t).Store
	inv := stock.New(store, nil)
	require.NoError(t, suite.Err(inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})))
	require.NoError(t, suite.Err(inv.Lock(t.Context(), "order-1", stock.Line{SKU: 42, Num: 1})))
	inv = inv.On(restless{store})
	_, lock := inv.Lock(t.Context(), "order-2", stock.Line{SKU: 42, Num: 1})
	_, pay := inv.Pay(t.Context(), "order-1")
	restock := suite.Err(inv.Restock(t.Context(), "in-1", stock.Line{SKU: 42, Num: 1}))
	for verb, err := range map[string]error{"lock": lock, "pay": pay, "restock": restock} {
		require.ErrorIs(t, err, stock.ErrUnavailable)
		require.True(t, stock.Retryable(err))
		var contention *stock.ContentionError
		require.ErrorAs(t, err, &contention)
		require.Equal(t, verb, contention.Verb)
	}
}

// FuzzLines locks lines as they come: the hold has one line for each item, in the order of
// keys, with the sum; any order of the same lines is the same Lock.
func FuzzLines(f *testing.F) {
	f.Add([]byte{})
	f.Add(line(1, 0, 2))
	f.Add(slices.Concat(line(2, 0, 1), line(1, 7, 3), line(2, 0, 5), line(1, 0, 1)))
	f.Add(slices.Concat(line(1, 0, math.MaxInt64), line(1, 0, 1)))
	f.Add(slices.Concat(line(1, 0, 1), line(0, 0, 1)))
	f.Add(slices.Concat(line(1, 0, 1), line(1, 0, -1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		lines, valid := parseLines(raw)
		inv := stock.New(memory(t).Store, nil)
		for _, l := range lines {
			if l.SKU > 0 && l.Activity >= 0 {
				require.NoError(t, suite.Err(inv.Define(t.Context(), l.Key(), math.MaxInt64, stock.Terms{})))
			}
		}
		hold, err := inv.Lock(t.Context(), "order-1", lines...)
		if !valid {
			require.ErrorIs(t, err, stock.ErrInvalid)
			return
		}
		require.NoError(t, err)
		sums := map[stock.Key]int64{}
		for _, l := range lines {
			sums[l.Key()] += l.Num
		}
		require.Len(t, hold.Lines, len(sums))
		require.True(t, slices.IsSortedFunc(hold.Lines, func(a, b stock.HoldLine) int { return a.Key().Compare(b.Key()) }))
		for _, l := range hold.Lines {
			require.Equal(t, sums[l.Key()], l.Num)
		}
		slices.Reverse(lines)
		again, err := inv.Lock(t.Context(), "order-1", lines...)
		require.NoError(t, err)
		require.True(t, again.Replay)
		again.Replay = false
		require.Equal(t, hold, again)
	})
}

// lineSize is how many bytes a line has in the corpus of FuzzLines.
const lineSize = 10

// line writes a line as parseLines reads it.
func line(sku, activity int8, num int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(sku), byte(activity)}, uint64(num))
}

// parseLines reads lines and reports whether a Lock of them is in order.
func parseLines(raw []byte) (lines []stock.Line, valid bool) {
	sums := map[stock.Key]*big.Int{}
	valid = true
	for ; len(raw) >= lineSize; raw = raw[lineSize:] {
		l := stock.Line{SKU: int64(int8(raw[0])), Activity: int64(int8(raw[1])), Num: int64(binary.BigEndian.Uint64(raw[2:lineSize]))}
		lines = append(lines, l)
		if sums[l.Key()] == nil {
			sums[l.Key()] = new(big.Int)
		}
		valid = valid && l.SKU > 0 && l.Activity >= 0 && l.Num > 0
		valid = valid && sums[l.Key()].Add(sums[l.Key()], big.NewInt(l.Num)).IsInt64()
	}
	return lines, valid && len(lines) >= 1 && len(lines) <= stock.MaxLines
}

// FuzzIDs uses any two strings as order numbers: those of 1 to 64 bytes are two orders, or one
// where they are equal byte for byte.
func FuzzIDs(f *testing.F) {
	f.Add("order", "order ")
	f.Add("order", "Order")
	f.Add("é", "e\u0301")
	f.Add("\xff\x00", "\xff")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, a, b string) {
		inv := stock.New(memory(t).Store, nil)
		require.NoError(t, suite.Err(inv.Define(t.Context(), stock.Key{SKU: 42}, 10, stock.Terms{})))
		orders := map[string]bool{}
		for _, id := range []string{a, b} {
			_, err := inv.Lock(t.Context(), id, stock.Line{SKU: 42, Num: 1})
			if len(id) < 1 || len(id) > 64 {
				require.ErrorIs(t, err, stock.ErrInvalid)
				continue
			}
			require.NoError(t, err)
			orders[id] = true
		}
		item, err := inv.Item(t.Context(), stock.Key{SKU: 42})
		require.NoError(t, err)
		require.Equal(t, int64(len(orders)), item.Locked)
	})
}
