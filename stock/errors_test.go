package stock_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// TestErrors has one of each typed error: what it matches, whether to retry, and what it says to
// whoever reads the log.
func TestErrors(t *testing.T) {
	t.Parallel()
	key := stock.Key{SKU: 42, Activity: 7}
	for _, c := range []struct {
		err     error
		matches []error
		retry   bool
		says    string
	}{
		{
			&stock.ShortageError{Key: key, Wanted: 3, Available: 2},
			[]error{stock.ErrInsufficient}, false,
			"stock: insufficient: SKU 42 of activity 7: wanted 3, available 2",
		},
		{
			&stock.ItemError{Key: key, Err: stock.ErrOffShelf},
			[]error{stock.ErrOffShelf, stock.ErrNotOnSale}, false,
			"stock: not on sale: off the shelf (SKU 42 of activity 7)",
		},
		{
			&stock.WindowError{Key: key, Err: stock.ErrNotStarted, Start: start, End: start.Add(time.Hour)},
			[]error{stock.ErrNotStarted, stock.ErrNotOnSale}, false,
			"stock: not on sale: the sale has not begun (SKU 42 of activity 7 begins at 2026-11-11T00:00:00Z)",
		},
		{
			&stock.WindowError{Key: key, Err: stock.ErrEnded, Start: start, End: start.Add(time.Hour)},
			[]error{stock.ErrEnded, stock.ErrNotOnSale}, false,
			"stock: not on sale: the sale is over (SKU 42 of activity 7 ended at 2026-11-11T01:00:00Z)",
		},
		{
			&stock.LimitError{Key: key, Err: stock.ErrPerBuyer, Buyer: "5", Limit: 2, Has: 1, Wanted: 3},
			[]error{stock.ErrPerBuyer, stock.ErrLimit}, false,
			"stock: over a limit: units per buyer (SKU 42 of activity 7: limit 2, has 1, wanted 3 more)",
		},
		{
			&stock.InUseError{Key: key, Wanted: 3, Sold: 2, Locked: 2},
			[]error{stock.ErrInUse}, false,
			"stock: more units are sold and locked than that: SKU 42 of activity 7: total 3, sold 2, locked 2",
		},
		{
			&stock.StateError{Order: "o-1", State: stock.Redeemed, Err: stock.ErrRedeemed},
			[]error{stock.ErrRedeemed, stock.ErrPaid}, false,
			`stock: the order is paid and redeemed (order "o-1")`,
		},
		{
			&stock.RefundError{Key: key, Order: "o-1", Wanted: 3, Refundable: 2},
			[]error{stock.ErrOverRefund}, false,
			`stock: more than the order can still refund (order "o-1", SKU 42 of activity 7: wanted 3, refundable 2)`,
		},
		{
			&stock.ContentionError{Verb: "lock", ID: "o-1"},
			[]error{stock.ErrUnavailable}, true,
			`holdfast: store unavailable; nothing was done, retry: too much contention (lock "o-1")`,
		},
		{
			&stock.InvalidError{Field: "order", Reason: "must be 1 to 64 bytes, has 0"},
			[]error{stock.ErrInvalid}, false,
			"holdfast: invalid argument: order must be 1 to 64 bytes, has 0",
		},
		{
			&stock.MismatchError{ID: "o-1", Field: "lines", Recorded: "1 of SKU 42", Asked: "2 of SKU 42"},
			[]error{stock.ErrMismatch}, false,
			`holdfast: the ID is known with other arguments: "o-1": lines: recorded 1 of SKU 42, asked 2 of SKU 42`,
		},
		{
			&stock.MismatchError{ID: "o-1", Field: "buyer"}, []error{stock.ErrMismatch}, false,
			`holdfast: the ID is known with other arguments: "o-1": buyer differs`,
		},
		{fmt.Errorf("%w: gone", stock.ErrUnknown), []error{stock.ErrUnknown}, true, stock.ErrUnknown.Error() + ": gone"},
	} {
		for _, wrapped := range []error{c.err, fmt.Errorf("checkout: %w", c.err), errors.Join(stock.ErrExpired, c.err)} {
			for _, target := range c.matches {
				require.ErrorIs(t, wrapped, target)
			}
			require.Equal(t, c.retry, stock.Retryable(wrapped))
			require.NotErrorIs(t, wrapped, stock.ErrDrift)
		}
		require.EqualError(t, c.err, c.says)
	}
	require.False(t, stock.Retryable(nil))
}
