package contender

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"time"
)

// limit inserts the rows of holds and does nothing else: no merging of locks could be faster.
type limit struct{ byHand }

func openLimit(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return limit{h}, err
}

// LockAll implements Batcher, with a statement as this library writes it.
func (l limit) LockAll(ctx context.Context, orders []string, sku int64) error {
	const timestamp = "'2006-01-02 15:04:05.000000'"
	now := time.Now().UTC()
	clock, deadline := now.Format(timestamp), now.Add(l.cfg.HoldFor).Format(timestamp)
	text := make([]byte, 0, 256+192*len(orders))
	text = append(text, "INSERT INTO "+copiedHolds+
		" (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME) VALUES "...)
	for i, order := range orders {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(text, "(x'"...)
		text = hex.AppendEncode(text, []byte(order))
		text = append(text, "', 1, "...)
		text = strconv.AppendInt(text, sku, 10)
		text = append(text, ", 0, 1, NULL, 1, "+deadline+", "+clock+", "+clock+")"...)
	}
	_, err := l.ExecContext(ctx, string(text))
	return err
}

// Lock implements Contender, for one.
func (l limit) Lock(ctx context.Context, order string, sku int64) error {
	return l.LockAll(ctx, []string{order}, sku)
}

// Pay implements Contender: there is none.
func (limit) Pay(context.Context, string, int64) error { return errors.ErrUnsupported }

// Cancel implements Contender: there is none.
func (limit) Cancel(context.Context, string, int64) error { return errors.ErrUnsupported }
