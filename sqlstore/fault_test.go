package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// A connection that is lost at each statement of a Lock: before the COMMIT nothing is done, at the
// COMMIT nobody knows, and the same call settles it.
func TestLockLosesItsConnection(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	locked := int64(0)
	for i, c := range []struct {
		fault sqltest.Fault
		want  error
	}{
		{sqltest.Fault{Match: "START TRANSACTION", Kind: sqltest.LostRequest}, stock.ErrUnavailable},
		{sqltest.Fault{Match: "INSERT INTO goods_stock_hold", Kind: sqltest.LostRequest}, stock.ErrUnavailable},
		{sqltest.Fault{Match: "INSERT INTO goods_stock_hold", Kind: sqltest.LostReply}, stock.ErrUnavailable},
		{sqltest.Fault{Match: "UPDATE goods_stock s", Kind: sqltest.LostRequest}, stock.ErrUnavailable},
		{sqltest.Fault{Match: "UPDATE goods_stock s", Kind: sqltest.LostReply}, stock.ErrUnavailable},
		{sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostRequest}, stock.ErrUnknown},
		{sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostReply}, stock.ErrUnknown},
	} {
		name := fmt.Sprintf("%+v", c.fault)
		order := fmt.Sprint("order-", i)
		s.db.Wire.Inject(c.fault)
		_, err := s.Lock(t.Context(), order, one(1))
		require.ErrorIs(t, err, c.want, name)
		require.True(t, stock.Retryable(err), name)
		require.True(t, sqlstore.Retryable(err), name)
		if errors.Is(c.want, stock.ErrUnavailable) {
			require.ErrorIs(t, of(s.Hold(t.Context(), order)), stock.ErrNotFound, name)
			s.counters(1, 0, locked, 10)
		}
		require.Equal(t, stock.Locked, must(s.Lock(t.Context(), order, one(1)))(t, name).State, name)
		locked++
		s.counters(1, 0, locked, 10)
	}
}

// A step is one statement: whether its request or its reply was lost, nobody knows, and the same
// call settles it.
func TestStepsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for match, do := range map[string]step{"h.STATE = 2": s.Pay, "h.STATE = 5": s.Cancel} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			order := fmt.Sprint(match, kind)
			require.NoError(t, of(s.Lock(t.Context(), order, one(2))))
			s.db.Wire.Inject(sqltest.Fault{Match: sqltest.Decisive(match), Kind: kind})
			_, err := do(t.Context(), order)
			require.ErrorIs(t, err, stock.ErrUnknown, order)
			require.True(t, stock.Retryable(err))
			require.Equal(t, kind == sqltest.LostReply, must(do(t.Context(), order))(t, order).Replay, order)
		}
	}
	s.counters(2, 2, 0, 8)
}

// An unknown order is closed for good: a Lock whose COMMIT was lost is either there or can never be.
func TestResolveSettlesALostCommit(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostReply})
	require.ErrorIs(t, of(s.Lock(t.Context(), "there", one(1))), stock.ErrUnknown)
	require.Equal(t, stock.Locked, must(s.Resolve(t.Context(), "there"))(t).State)

	s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostRequest})
	require.ErrorIs(t, of(s.Lock(t.Context(), "gone", one(1))), stock.ErrUnknown)
	require.Equal(t, stock.Cancelled, must(s.Resolve(t.Context(), "gone"))(t).State)
	require.ErrorIs(t, of(s.Lock(t.Context(), "gone", one(1))), stock.ErrCancelled)
	s.counters(1, 0, 1, 9+1)
}

// A context that ends does not end the statement. Resolve waits for it and tells the truth.
func TestResolveWaitsForAStatementWhoseCallerHasLeft(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	require.NoError(t, of(s.Lock(t.Context(), "a", one(1))))

	release := s.blockItem(1)
	left := s.leave(func(ctx context.Context) error { return of(s.Pay(ctx, "a")) })
	require.ErrorIs(t, left, sqltest.OfOne(stock.ErrUnknown, stock.ErrUnavailable))
	var hold stock.Hold
	resolve := going(func() (err error) {
		hold, err = s.Resolve(t.Context(), "a")
		return err
	})
	release()
	require.NoError(t, <-resolve)
	require.Equal(t, hold.State == stock.Paid, must(s.Pay(t.Context(), "a"))(t).Replay, "Resolve said %v", hold.State)
	s.counters(1, 1, 0, 9)
}

// A Lock whose context ends before its COMMIT is not done.
func TestLockWhoseCallerHasLeftIsNotDone(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	release := s.blockItem(1)
	require.ErrorIs(t, s.leave(func(ctx context.Context) error { return of(s.Lock(ctx, "a", one(1))) }), stock.ErrUnavailable)
	release()
	hold := must(s.Resolve(t.Context(), "a"))(t)
	require.Equal(t, stock.Cancelled, hold.State)
	require.Empty(t, hold.Lines)
	s.counters(1, 0, 0, 10)
}

// KILL QUERY is an answer: not done. KILL of the connection is none.
func TestStatementIsKilled(t *testing.T) {
	t.Parallel()
	for kill, want := range map[string]error{
		"KILL QUERY ": stock.ErrUnavailable,
		"KILL ":       sqltest.OfOne(stock.ErrUnknown, stock.ErrUnavailable),
	} {
		s := open(t, nil)
		require.NoError(t, of(s.Lock(t.Context(), "a", one(1))))
		release := s.blockItem(1)
		done := going(func() error { return of(s.Pay(t.Context(), "a")) })
		require.NoError(t, of(s.db.ExecContext(t.Context(), kill+strconv.FormatInt(s.waiting(), 10))))
		err := <-done
		require.ErrorIs(t, err, want, kill)
		require.True(t, stock.Retryable(err))
		release()
		require.NoError(t, of(s.Pay(t.Context(), "a")))
		s.counters(1, 1, 0, 9)
	}
}

// Crashes at random statements of a random history: whatever was lost, the books balance, and
// every call that is made again settles.
func TestRandomFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	matches := []string{
		"START TRANSACTION", "COMMIT AND", "INSERT INTO goods_stock_hold", "INSERT INTO goods_stock_refund", "UPDATE goods_stock s",
		"UPDATE goods_stock_hold ",
	}
	var group suite.Group
	for worker := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for i := range 40 {
				order := fmt.Sprintf("%d-%d", worker, i)
				for range random.IntN(3) {
					s.db.Wire.Inject(sqltest.Fault{Match: matches[random.IntN(len(matches))], Kind: sqltest.FaultKind(random.IntN(2))})
				}
				line := one(1 + random.Int64N(3))
				if settle(t, func() error { return of(s.Lock(t.Context(), order, line)) }) != nil {
					continue // it is refused
				}
				if random.IntN(3) == 0 {
					require.NoError(t, settle(t, func() error { return of(s.Pay(t.Context(), order)) }))
					require.NoError(t, settle(t, func() error { return of(s.Refund(t.Context(), stock.Refund{ID: order, Order: order, Restock: true})) }))
					continue
				}
				require.NoError(t, settle(t, func() error { return of(s.Cancel(t.Context(), order)) }))
			}
		})
	}
	group.Wait()
	for sku := int64(1); sku <= 3; sku++ {
		s.counters(sku, 0, 0, 10)
	}
}

// An Extend whose caller has left takes effect when the deadline is over. The same call is not refused before.
func TestExtendAgainWaitsForTheFirstBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "a statement commits itself after its caller has left")
	s := open(t, nil)
	hold := must(s.Lock(t.Context(), "a", one(1)))(t)
	later := hold.Deadline.Add(stock.DefaultHoldFor)

	release := s.blockOrder("a")
	require.ErrorIs(t, s.leave(func(ctx context.Context) error { return of(s.Extend(ctx, "a", later)) }), stock.ErrUnknown)
	s.db.Wire.Advance(stock.DefaultHoldFor)
	answer := going(func() error { return of(s.Extend(t.Context(), "a", later)) })
	const waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'UPDATE%'"
	for value[int](t, s.db, waits) < 2 {
		require.Empty(t, answer, "it has not waited")
	}
	release()
	refusal := <-answer
	hold = must(s.Hold(t.Context(), "a"))(t)
	if refusal != nil { // MySQL does not always let the one go first that came first: then that one does nothing any more
		require.ErrorIs(t, refusal, stock.ErrExpired)
		require.Equal(t, stock.Expired, hold.State)
		s.counters(1, 0, 0, 10)
		return
	}
	require.Equal(t, stock.Locked, hold.State)
	require.Equal(t, later, hold.Deadline)
	s.counters(1, 0, 1, 10)
}

// A batch whose transaction cannot begin, or a call whose reads cannot, is to be made again, whatever the verb, and then is made.
func TestBatchThatCannotBegin(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 4}, 0, stock.Terms{})))
	merged := s.On(sqlstore.AlwaysBatch(sqlstore.NewStock(s.db.DB, nil)))
	for _, order := range []string{"pay", "cancel", "amend"} {
		require.NoError(t, of(s.Lock(ctx, order, one(1))))
	}
	for _, order := range []string{"redeem", "part", "refund", "back"} {
		require.NoError(t, of(s.Take(ctx, order, one(2))))
	}
	require.NoError(t, of(s.Refund(ctx, stock.Refund{ID: "back", Order: "back"})))
	for name, call := range map[string]func() error{
		"Lock":       func() error { return of(merged.Lock(ctx, "lock", one(3))) },
		"Take":       func() error { return of(merged.Take(ctx, "take", one(3))) },
		"Wait":       func() error { return of(merged.Wait(ctx, "wait", one(4))) },
		"Pay":        func() error { return of(merged.Pay(ctx, "pay")) },
		"Cancel":     func() error { return of(merged.Cancel(ctx, "cancel")) },
		"Redeem":     func() error { return of(merged.Redeem(ctx, "redeem")) },
		"RedeemPart": func() error { return of(merged.RedeemPart(ctx, "part", "part", one(2))) },
		"Refund":     func() error { return of(merged.Refund(ctx, stock.Refund{ID: "refund", Order: "refund"})) },
		"PutBack":    func() error { return of(merged.PutBack(ctx, "back")) },
		"Amend": func() error {
			return of(merged.Amend(ctx, stock.Amendment{ID: "a", Order: "amend", Lines: []stock.Line{{SKU: 1, Num: 2}}}))
		},
	} {
		err := stock.ErrUnavailable
		for reads := 0; err != nil; reads++ { // which are transactions as well
			s.db.Wire.Inject(sqltest.Fault{Match: "START TRANSACTION", Behind: reads, Kind: sqltest.LostRequest})
			err = call()
			require.True(t, err == nil || stock.Retryable(err), "%s: %v", name, err)
		}
		s.db.Wire.Forget()
	}
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}
