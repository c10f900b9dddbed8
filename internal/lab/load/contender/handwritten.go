package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The statements of the contenders that are written by hand. A hold is the rows that this library writes.
const (
	insertHold  = "INSERT INTO " + holdTable + holdColumns
	holdColumns = " (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, BUYER_ID, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME) VALUES "
	holdValues  = "(?, ?, ?, ?, 0, 1, NULL, 1, TIMESTAMPADD(MICROSECOND, ?, UTC_TIMESTAMP(6)), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"
	// settleHold is the second step, where exactly one may follow the Lock.
	settleHold = "UPDATE " + holdTable + " SET STATE = ?, PAY_TIME = IF(? = 2, UTC_TIMESTAMP(6), NULL), UPDATE_TIME = UTC_TIMESTAMP(6)" +
		" WHERE ORDER_NO = ? AND LINE_NO = 1 AND STATE = 1 AND EXPIRE_TIME > UTC_TIMESTAMP(6)"
	lockHold = "SELECT STATE = 1 AND EXPIRE_TIME > UTC_TIMESTAMP(6) FROM " + holdTable + " WHERE ORDER_NO = ? AND LINE_NO = 1 FOR UPDATE"

	ofItem = " WHERE SKU_ID = ? AND ACTIVITY_ID = 0"
	// takeUnit is the guard: the row is locked from its evaluation to the commit, so nothing is sold twice.
	takeUnit    = "UPDATE " + itemTable + " SET " + locked + ofItem + " AND STATUS = 0 AND STOCK_LEFT_NUM >= STOCK_LOCK_NUM + 1"
	lockItem    = "SELECT STATUS = 0 AND STOCK_LEFT_NUM >= STOCK_LOCK_NUM + 1 FROM " + itemTable + ofItem + " FOR UPDATE"
	readVersion = "SELECT STATUS = 0 AND STOCK_LEFT_NUM >= STOCK_LOCK_NUM + 1, VERSION FROM " + itemTable + ofItem
)

// What the steps do to an item.
const (
	touched   = ", UPDATE_TIME = UTC_TIMESTAMP(6), VERSION = VERSION + 1"
	locked    = "STOCK_LOCK_NUM = STOCK_LOCK_NUM + 1" + touched
	paid      = "STOCK_LOCK_NUM = STOCK_LOCK_NUM - 1, STOCK_LEFT_NUM = STOCK_LEFT_NUM - 1, STOCK_SALE_NUM = STOCK_SALE_NUM + 1" + touched
	cancelled = "STOCK_LOCK_NUM = STOCK_LOCK_NUM - 1" + touched
)

// The states of a hold after a second step, with what it does to the item.
const (
	statePaid      = 2
	stateCancelled = 5
)

var changeOf = map[int]string{statePaid: paid, stateCancelled: cancelled}

// errNotLocked is the refusal of a second step.
var errNotLocked = errors.New("contender: the order is not locked")

// byHand is what the contenders on SQL share.
type byHand struct {
	*sql.DB
	cfg Config
}

func openByHand(ctx context.Context, cfg Config) (byHand, error) {
	db, err := openPool(ctx, cfg)
	return byHand{db, cfg}, err
}

// transaction runs do as one. It rolls back on an error.
func (h byHand) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := h.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// hold writes the rows of a hold.
func (h byHand) hold(ctx context.Context, tx *sql.Tx, order Order) error {
	var rows rowList
	for i, sku := range order.SKUs {
		rows.add(holdValues, order.No, i+1, len(order.SKUs), sku, h.cfg.HoldFor.Microseconds())
	}
	return rows.insert(ctx, tx, insertHold)
}

// take changes the items of an order, one after the other, where its guard allows that.
func take(ctx context.Context, tx *sql.Tx, order Order) error {
	for _, sku := range order.SKUs {
		if err := one(ctx, tx, ErrSoldOut, takeUnit, sku); err != nil {
			return err
		}
	}
	return nil
}

// one runs a statement that has to change a row, or else refuses.
func one(ctx context.Context, tx *sql.Tx, refusal error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 1 {
		return err
	}
	return refusal
}

// guardContender is how it should be written by hand: the hold first, the hot row last and under its guard.
type guardContender struct{ byHand }

func openGuarded(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return guardContender{h}, err
}

// Lock implements Contender.
func (g guardContender) Lock(ctx context.Context, order Order) error {
	return g.transaction(ctx, func(tx *sql.Tx) error {
		if err := g.hold(ctx, tx, order); err != nil {
			return err
		}
		return take(ctx, tx, order)
	})
}

// Pay implements Contender.
func (g guardContender) Pay(ctx context.Context, order Order) error {
	return g.settle(ctx, order, statePaid)
}

// Cancel implements Contender.
func (g guardContender) Cancel(ctx context.Context, order Order) error {
	return g.settle(ctx, order, stateCancelled)
}

func (g guardContender) settle(ctx context.Context, order Order, state int) error {
	return g.transaction(ctx, func(tx *sql.Tx) error {
		if err := one(ctx, tx, errNotLocked, settleHold, state, state, order.No); err != nil {
			return err
		}
		return one(ctx, tx, errNotLocked, "UPDATE "+itemTable+" SET "+changeOf[state]+ofItem, order.sku())
	})
}

// forUpdate locks a row, looks at it, and then changes it.
type forUpdate struct{ byHand }

func openForUpdate(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return forUpdate{h}, err
}

// Lock implements Contender.
func (f forUpdate) Lock(ctx context.Context, order Order) error {
	return f.transaction(ctx, func(tx *sql.Tx) error {
		if err := f.look(ctx, tx, ErrSoldOut, lockItem, order.sku()); err != nil {
			return err
		}
		if err := f.hold(ctx, tx, order); err != nil {
			return err
		}
		return one(ctx, tx, ErrSoldOut, "UPDATE "+itemTable+" SET "+locked+ofItem, order.sku())
	})
}

// Pay implements Contender.
func (f forUpdate) Pay(ctx context.Context, order Order) error {
	return f.settle(ctx, order, statePaid)
}

// Cancel implements Contender.
func (f forUpdate) Cancel(ctx context.Context, order Order) error {
	return f.settle(ctx, order, stateCancelled)
}

func (f forUpdate) settle(ctx context.Context, order Order, state int) error {
	return f.transaction(ctx, func(tx *sql.Tx) error {
		if err := f.look(ctx, tx, errNotLocked, lockHold, order.No); err != nil {
			return err
		}
		if err := one(ctx, tx, errNotLocked, settleHold, state, state, order.No); err != nil {
			return err
		}
		return one(ctx, tx, errNotLocked, "UPDATE "+itemTable+" SET "+changeOf[state]+ofItem, order.sku())
	})
}

// look reads, and locks, what a statement says may go on.
func (f forUpdate) look(ctx context.Context, tx *sql.Tx, refusal error, statement string, arg any) error {
	var ok bool
	err := tx.QueryRowContext(ctx, statement, arg).Scan(&ok)
	if err == nil && !ok || errors.Is(err, sql.ErrNoRows) {
		return refusal
	}
	return err
}

// optimistic reads without a lock, and writes only what nobody has changed since. The row comes first here: most attempts fail, and
// then there is nothing to undo.
type optimistic struct{ byHand }

func openOptimistic(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return optimistic{h}, err
}

// Lock implements Contender.
func (o optimistic) Lock(ctx context.Context, order Order) error {
	return o.change(ctx, order.sku(), locked, true, func(tx *sql.Tx) error { return o.hold(ctx, tx, order) })
}

// Pay implements Contender.
func (o optimistic) Pay(ctx context.Context, order Order) error {
	return o.settle(ctx, order, statePaid)
}

// Cancel implements Contender.
func (o optimistic) Cancel(ctx context.Context, order Order) error {
	return o.settle(ctx, order, stateCancelled)
}

func (o optimistic) settle(ctx context.Context, order Order, state int) error {
	return o.change(ctx, order.sku(), changeOf[state], false, func(tx *sql.Tx) error {
		return one(ctx, tx, errNotLocked, settleHold, state, state, order.No)
	})
}

// errStale says that somebody was faster.
var errStale = errors.New("contender: the version has changed")

// change tries until it goes, with pauses that spread those that met.
func (o optimistic) change(ctx context.Context, sku int64, set string, needs bool, do func(*sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		var available bool
		var version int64
		if err := o.QueryRowContext(ctx, readVersion, sku).Scan(&available, &version); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		if needs && !available {
			return ErrSoldOut
		}
		err := o.transaction(ctx, func(tx *sql.Tx) error {
			if err := one(ctx, tx, errStale, "UPDATE "+itemTable+" SET "+set+ofItem+" AND VERSION = ?", sku, version); err != nil {
				return err
			}
			return do(tx)
		})
		if !errors.Is(err, errStale) {
			return err
		}
		if o.cfg.over() {
			return ErrGaveUp
		}
		time.Sleep(rand.N(time.Duration(min(attempt, 20)) * time.Millisecond))
	}
}

// published is the UPDATE as it was published: its guard looks at what it does not change.
type publishedContender struct{ byHand }

func openPublished(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return publishedContender{h}, err
}

// Lock implements Contender.
func (p publishedContender) Lock(ctx context.Context, order Order) error {
	return p.update(ctx, ErrSoldOut, locked, "STOCK_LEFT_NUM >= 1", order.sku())
}

// Pay implements Contender. Its guard looks at the pool of all locks, whoever has made them.
func (p publishedContender) Pay(ctx context.Context, order Order) error {
	return p.update(ctx, errNotLocked, paid, "STOCK_LOCK_NUM >= 1", order.sku())
}

// Cancel implements Contender. It has no guard.
func (p publishedContender) Cancel(ctx context.Context, order Order) error {
	return p.update(ctx, errNotLocked, cancelled, "TRUE", order.sku())
}

func (p publishedContender) update(ctx context.Context, refusal error, set, guard string, sku int64) error {
	result, err := p.ExecContext(ctx, "UPDATE "+publishedItems+" SET "+set+" WHERE SKU_ID = ? AND STATUS = 0 AND "+guard, sku)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 1 {
		return err
	}
	return refusal
}
