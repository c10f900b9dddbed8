package contender

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// batches sends what a merged batch of orders consists of, and does nothing else: no merging of orders could be faster.
type batches struct {
	byHand

	rowsOnly bool // the order rows are the holds
}

func openBatches(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return batches{byHand: h}, err
}

// LockAll implements Batcher: the rows of the shop, the holds, and last the items by their sums.
func (b batches) LockAll(ctx context.Context, orders []Order) error {
	return b.transaction(ctx, func(tx *sql.Tx) error {
		if err := insertShopRows(ctx, tx, b.cfg, orders...); err != nil {
			return err
		}
		if !b.rowsOnly {
			text := appendHolds([]byte("INSERT INTO "+holdTable), orders, b.cfg.HoldFor)
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
		}
		text, items := takeSums(orders)
		result, err := tx.ExecContext(ctx, text)
		if err != nil {
			return err
		}
		if rows, err := result.RowsAffected(); err != nil || rows == items {
			return err
		}
		return ErrSoldOut
	})
}

// Lock implements Contender, for one.
func (b batches) Lock(ctx context.Context, order Order) error { return b.LockAll(ctx, []Order{order}) }

// Pay implements Contender: there is none.
func (batches) Pay(context.Context, Order) error { return errors.ErrUnsupported }

// Cancel implements Contender: there is none.
func (batches) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// appendHolds adds the columns and rows of holds to an INSERT, as this library writes them.
func appendHolds(text []byte, orders []Order, holdFor time.Duration) []byte {
	const timestamp = "'2006-01-02 15:04:05.000000'"
	now := time.Now().UTC()
	clock, deadline := now.Format(timestamp), now.Add(holdFor).Format(timestamp)
	text = slices.Grow(text, 256+192*len(orders))
	text = append(text, holdColumns...)
	separator := ""
	for _, order := range orders {
		for i, sku := range order.SKUs {
			text = append(text, separator+"(x'"...)
			text = hex.AppendEncode(text, []byte(order.No))
			text = append(text, "', "...)
			text = strconv.AppendInt(text, int64(i)+1, 10)
			text = append(text, ", "...)
			text = strconv.AppendInt(text, int64(len(order.SKUs)), 10)
			text = append(text, ", "...)
			text = strconv.AppendInt(text, sku, 10)
			text = append(text, ", 0, 1, NULL, 1, "+deadline+", "+clock+", "+clock+")"...)
			separator = ", "
		}
	}
	return text
}

// takeSums is the UPDATE that locks the units of all orders, and the number of items that it must change. The sum of an item is
// put together from its binary digits, each a list of keys that the server searches: a CASE of all items would try one after the
// other for each. The hint keeps the server from locking all items where many of them are named.
func takeSums(orders []Order) (text string, items int64) {
	sums := map[int64]int64{}
	for _, order := range orders {
		for _, sku := range order.SKUs {
			sums[sku]++
		}
	}
	keys := slices.Sorted(maps.Keys(sums))
	sum := " + " + strconv.FormatInt(sums[keys[0]], 10)
	if len(keys) > 1 {
		sum = binarySum(keys, sums)
	}
	return "UPDATE " + itemTable + " FORCE INDEX (PRIMARY) SET STOCK_LOCK_NUM = STOCK_LOCK_NUM" + sum + touched +
		" WHERE SKU_ID IN " + list(keys) + " AND ACTIVITY_ID = 0 AND STATUS = 0 AND STOCK_LEFT_NUM >= STOCK_LOCK_NUM" + sum, int64(len(keys))
}

// binarySum is what is added to the items of keys.
func binarySum(keys []int64, sums map[int64]int64) string {
	var text strings.Builder
	for digit, most := int64(1), slices.Max(slices.Collect(maps.Values(sums))); digit <= most; digit *= 2 {
		having := slices.DeleteFunc(slices.Clone(keys), func(sku int64) bool { return sums[sku]&digit == 0 })
		if len(having) > 0 {
			fmt.Fprintf(&text, " + %d * (SKU_ID IN %s)", digit, list(having))
		}
	}
	return text.String()
}

// list writes numbers as a list of SQL.
func list(numbers []int64) string {
	text := []byte("(")
	for i, n := range numbers {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ')'))
}
