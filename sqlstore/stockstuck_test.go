package sqlstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// crowd is a shop with carts of one to three lines, of the SKUs 1 to 6, for buyers that all have rows.
type crowd struct {
	*shop
	n int
}

func newCrowd(t *testing.T, n int) crowd {
	t.Helper()
	s := wide(t, 6)
	s.store = sqlstore.NewStock(s.db.DB, nil)
	s.Inventory = stock.New(s.store, nil)
	for i := range n { // a row of each buyer and item
		require.NoError(t, of(s.For(s.buyer(i)).Lock(t.Context(), fmt.Sprint("first-", i), s.lines(i)...)))
	}
	return crowd{s, n}
}

func (s *shop) buyer(i int) string { return fmt.Sprint("buyer-", i) }

// lines of a cart: of every third one, two and three.
func (s *shop) lines(i int) (lines []stock.Line) {
	for n := range 1 + i%3 {
		lines = append(lines, one(int64(1+(i+2*n)%6)))
	}
	return lines
}

// has reports whether a cart has a SKU.
func (s *shop) has(i int, sku int64) bool {
	for _, l := range s.lines(i) {
		if l.SKU == sku {
			return true
		}
	}
	return false
}

// crowdVerb is a call on one of the orders of a crowd.
type crowdVerb struct {
	name, order string
	call        func(i int) error
}

// verbs are in the order in which they can be made.
func (c crowd) verbs(ctx context.Context) []crowdVerb {
	number := func(order string, i int) string { return fmt.Sprint(order, i) }
	return []crowdVerb{
		{"Lock", "order-", func(i int) error { return of(c.For(c.buyer(i)).Lock(ctx, number("order-", i), c.lines(i)...)) }},
		{"Take", "taken-", func(i int) error { return of(c.For(c.buyer(i)).Take(ctx, number("taken-", i), c.lines(i)...)) }},
		{"Pay", "order-", func(i int) error { return of(c.Pay(ctx, number("order-", i))) }},
		{"Refund", "order-", func(i int) error {
			return of(c.Refund(ctx, stock.Refund{ID: number("refund-", i), Order: number("order-", i), Restock: true}))
		}},
		{"Cancel", "first-", func(i int) error { return of(c.Cancel(ctx, number("first-", i))) }},
	}
}

// balanced demands that the orders of a crowd have come to their ends.
func (c crowd) balanced() {
	c.t.Helper()
	require.Empty(c.t, must(c.Audit(c.t.Context()))(c.t).Drifts)
	for i := range c.n {
		for order, state := range map[string]stock.State{"order-": stock.Refunded, "taken-": stock.Paid, "first-": stock.Cancelled} {
			require.Equal(c.t, state, must(c.Hold(c.t.Context(), fmt.Sprint(order, i)))(c.t).State, "%s%d", order, i)
		}
	}
}

// keeps demands that the calls that do not need a row are done while somebody has it locked, that the others wait, and that
// these are done when it is free.
func (c crowd) keeps(row string, call func(i int) error, needs func(i int) bool) {
	c.t.Helper()
	var free, kept []int
	for i := range c.n {
		if needs(i) {
			kept = append(kept, i)
		} else {
			free = append(free, i)
		}
	}
	release := c.block(row)
	answers := make([]<-chan error, len(kept))
	for n, i := range kept {
		answers[n] = going(func() error { return call(i) })
	}
	for part := range slices.Chunk(free, (len(free)+1)/2) { // with them, and after them
		for n, err := range suite.Together(len(part), func(n int) error { return call(part[n]) }) {
			require.NoError(c.t, err, part[n])
		}
	}
	for n, answer := range answers {
		require.Empty(c.t, answer, "%d did not wait: %s", kept[n], row)
	}
	release()
	for n, answer := range answers {
		require.NoError(c.t, <-answer, "%d: %s", kept[n], row)
	}
}

// Somebody has an item locked: the calls of that item wait for it, whatever the verb, and no call of another item does.
func TestLockedItemKeepsItsOwnCallsWaiting(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 40)
	for _, v := range c.verbs(t.Context()) {
		c.keeps("SELECT 1 FROM goods_stock WHERE SKU_ID = 5 AND ACTIVITY_ID = 0 FOR UPDATE", v.call, func(i int) bool { return c.has(i, 5) })
	}
	c.balanced()
}

// An operator's Transfer that waits for one item keeps no call of the other one waiting, also where somebody watches the
// server's transactions.
func TestTransferThatWaitsForAnItemKeepsTheOtherFree(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 4)
	ctx := t.Context()
	require.NoError(t, of(c.Define(ctx, stock.Key{SKU: 1, Activity: 7}, 10, stock.Terms{})))
	release := c.block("SELECT 1 FROM goods_stock WHERE SKU_ID = 1 AND ACTIVITY_ID = 7 FOR UPDATE")
	ask := "SELECT COUNT(*) FROM " + sqltest.Transactions() // of which the server tells what is old, if asked all the time
	defer meanwhile(t, 1, func(int, int) error { return c.db.QueryRowContext(ctx, ask).Scan(new(int)) })()
	transfer := going(func() error { return of(c.Transfer(ctx, "t", stock.TransferLeg{SKU: 1, To: 7, Num: 5})) })
	c.waiting()
	for i := range 5 {
		require.NoError(t, of(c.Lock(ctx, fmt.Sprint("a", i), one(1))))
	}
	require.Empty(t, transfer, "it waits")
	release()
	require.NoError(t, <-transfer)
	require.Empty(t, must(c.Audit(ctx))(t).Drifts)
}

// Somebody has locked what a buyer has of an item: the call of that buyer waits.
func TestLockedBuyerKeepsItsOwnCallWaiting(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 40)
	for _, v := range c.verbs(t.Context()) {
		c.keeps("SELECT 1 FROM goods_stock_buyer WHERE SKU_ID = 5 AND ACTIVITY_ID = 0 AND BUYER_ID = 'buyer-8' FOR UPDATE", v.call,
			func(i int) bool { return i == 8 && v.name != "Refund" }) // which gives the buyer nothing back
	}
	c.balanced()
}

// Somebody has locked a line of an order, which is not its first: the call of that order waits.
func TestLockedOrderKeepsItsOwnCallWaiting(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 40)
	for _, v := range c.verbs(t.Context()) {
		if v.name == "Lock" || v.name == "Take" {
			for _, err := range suite.Together(c.n, v.call) {
				require.NoError(t, err)
			}
			continue
		}
		c.keeps("SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = '"+v.order+"8' AND LINE_NO = 3 FOR UPDATE", v.call,
			func(i int) bool { return i == 8 })
	}
	c.balanced()
}

// A Lock waits for the same Lock in a caller's transaction, and the others do not.
func TestOrderThatACallerIsMakingKeepsItsOwnLockWaiting(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 40)
	ctx := t.Context()
	tx := must(c.db.Pool(t).BeginTx(ctx, nil))(t)
	require.NoError(t, of(tx.ExecContext(ctx, "INSERT INTO goods_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME,"+
		" CREATE_TIME, UPDATE_TIME) SELECT 'order-8', 1, 0, 0, 0, 5, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME FROM goods_stock_hold LIMIT 1")))
	lock := c.verbs(ctx)[0].call
	kept := going(func() error { return lock(8) })
	for _, err := range suite.Together(c.n, func(i int) error {
		if i == 8 {
			return nil
		}
		return lock(i)
	}) {
		require.NoError(t, err)
	}
	require.Empty(t, kept, "it waits")
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-kept)
	require.Empty(t, must(c.Audit(ctx))(t).Drifts)
}

// A call that waits for a locked row ends with its context, and has done nothing.
func TestCallThatWaitsForALockedItemEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 6)
	release := c.blockItem(5)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for i, err := range suite.Together(c.n, c.verbs(ctx)[0].call) {
		if !c.has(i, 5) {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, stock.Retryable(err))
		require.ErrorIs(t, of(c.Hold(t.Context(), fmt.Sprint("order-", i))), stock.ErrNotFound)
	}
	release()
	for _, err := range suite.Together(c.n, c.verbs(t.Context())[0].call) {
		require.NoError(t, err)
	}
	require.Empty(t, must(c.Audit(t.Context()))(t).Drifts)
}

// A dead hold that others had locked, and have left by the time of the look for it, is released all the same.
func TestExpiryOfAHoldThatIsFreeByTheLook(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.Inventory = stock.New(sqlstore.NewStock(s.db.DB, nil), nil)
	s.lock("a", one(1))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	s.db.Wire.Before(sqltest.PassingOver(), s.block("SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = 'a' AND LINE_NO = 1 FOR UPDATE"))
	require.Equal(t, 1, must(s.Expire(t.Context()))(t))
	s.counters(1, 0, 0, 10)
}
