package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// The table of the units that are prepared, and how many of an item are at most.
const (
	unitTable   = "bench_unit"
	createUnits = "CREATE TABLE " + unitTable +
		" (SKU_ID BIGINT NOT NULL, UNIT_ID BIGINT NOT NULL, PRIMARY KEY (SKU_ID, UNIT_ID)) ENGINE = InnoDB"
	maxPrepared = 1_000
	refillAfter = 250 // claims of this process
)

// The statements of unitRows. The counter of an item counts its prepared units as locked.
const (
	findUnit    = "SELECT UNIT_ID FROM " + unitTable + " WHERE SKU_ID = ? LIMIT 1 FOR UPDATE SKIP LOCKED"
	claimUnit   = "DELETE FROM " + unitTable + " WHERE SKU_ID = ? AND UNIT_ID = ?"
	lockCounter = "SELECT STOCK_LOCK_NUM, STOCK_LEFT_NUM - STOCK_LOCK_NUM FROM " + itemTable + ofItem + " AND STATUS = 0 FOR UPDATE"
	countUnits  = "SELECT COUNT(*) FROM " + unitTable + " WHERE SKU_ID = ?"
	setUnits    = "UPDATE " + itemTable + " SET STOCK_LOCK_NUM = STOCK_LOCK_NUM + ?" + touched + ofItem
)

const readCommitted = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"

// unitRows is the design that Shopify published in 2026 (shopify.engineering/scaling-inventory-reservations): each unit has a row,
// which a caller claims without waiting for the others, at READ COMMITTED. At most 1,000 rows of an item are prepared; they are
// replenished from its counter.
type unitRows struct {
	byHand

	claims  sync.Map // of each SKU, *atomic.Int64
	refills chan int64
	done    sync.WaitGroup
}

func openUnitRows(ctx context.Context, cfg Config) (Contender, error) {
	db, err := openPool(ctx, cfg, readCommitted)
	if err != nil {
		return nil, err
	}
	u := &unitRows{byHand: byHand{db, cfg}, refills: make(chan int64, 1_000)}
	u.done.Go(func() {
		for sku := range u.refills {
			_, _ = u.refill(context.WithoutCancel(ctx), sku, maxPrepared) // who finds none asks again, and is told
		}
	})
	return u, nil
}

// errNoUnit says that nothing is prepared that nobody has claimed.
var errNoUnit = errors.New("contender: no unit is prepared")

// Lock implements Contender.
func (u *unitRows) Lock(ctx context.Context, order Order) error {
	for {
		err := u.transaction(ctx, func(tx *sql.Tx) error {
			if err := insertShopRows(ctx, tx, u.cfg, order); err != nil {
				return err
			}
			for _, sku := range order.SKUs {
				if err := u.claim(ctx, tx, sku); err != nil {
					return err
				}
			}
			return u.hold(ctx, tx, order)
		})
		if !errors.Is(err, errNoUnit) {
			u.count(order, err)
			return err
		}
		if u.cfg.over() {
			return ErrGaveUp
		}
		for _, sku := range order.SKUs {
			if free, err := u.refill(ctx, sku, maxPrepared); err != nil || free == 0 {
				return errors.Join(err, ErrSoldOut)
			}
		}
	}
}

func (u *unitRows) claim(ctx context.Context, tx *sql.Tx, sku int64) error {
	var unit int64
	err := tx.QueryRowContext(ctx, findUnit, sku).Scan(&unit)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoUnit
	}
	if err != nil {
		return err
	}
	return one(ctx, tx, errNoUnit, claimUnit, sku, unit)
}

// count asks for more units after some claims, before there are none.
func (u *unitRows) count(order Order, err error) {
	if err != nil {
		return
	}
	for _, sku := range order.SKUs {
		n, _ := u.claims.LoadOrStore(sku, new(atomic.Int64))
		if n.(*atomic.Int64).Add(1)%refillAfter == 0 {
			select {
			case u.refills <- sku:
			default: // enough others are asked for
			}
		}
	}
}

// refill prepares units of an item up to that many, as far as there are some. It returns how many are there then. The lock of the
// counter keeps two from doing it at once.
func (u *unitRows) refill(ctx context.Context, sku, most int64) (free int64, err error) {
	err = u.transaction(ctx, func(tx *sql.Tx) error {
		var last, left, there int64
		if err := tx.QueryRowContext(ctx, lockCounter, sku).Scan(&last, &left); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, countUnits, sku).Scan(&there); err != nil {
			return err
		}
		n := min(most-there, left)
		free = there + max(0, n)
		if n < most/20 && there > 0 {
			return nil // somebody else was faster
		}
		var rows rowList
		for i := range n {
			rows.add("(?, ?)", sku, last+i+1)
		}
		if err := rows.insert(ctx, tx, "INSERT INTO "+unitTable+" (SKU_ID, UNIT_ID) VALUES "); err != nil || n <= 0 {
			return err
		}
		return one(ctx, tx, ErrSoldOut, setUnits, n, sku)
	})
	return free, err
}

// Pay implements Contender: no measurement asks for it.
func (*unitRows) Pay(context.Context, Order) error { return errors.ErrUnsupported }

// Cancel implements Contender: no measurement asks for it.
func (*unitRows) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// Close implements Contender.
func (u *unitRows) Close() error {
	close(u.refills)
	u.done.Wait()
	return u.byHand.Close()
}

// unitTables are those of this library, with the prepared units beside them.
type unitTables struct{ tables }

// prepare makes 1,000 units of one item; of many items fewer, since no measurement takes that many.
func (t unitTables) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := t.tables.prepare(ctx, cfg, items, units); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if _, err := db.ExecContext(ctx, createUnits); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		u, most := &unitRows{byHand: byHand{db, cfg}}, max(maxPrepared/20, maxPrepared/int64(items))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(connections)
		for sku := range int64(items) {
			group.Go(func() error {
				_, err := u.refill(ctx, sku+1, most)
				return err
			})
		}
		return group.Wait()
	})
}

// inspect takes the prepared units off those that are locked. An audit would miss their holds.
func (unitTables) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if books, err = readBooks(ctx, db, itemTable); err != nil {
			return err
		}
		if err := readShop(ctx, db, cfg, &books); err != nil {
			return err
		}
		var prepared int64
		err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+unitTable).Scan(&prepared)
		books.Locked -= prepared
		return err
	})
	return books, err
}
