package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	itemTable      = "goods_stock"
	holdTable      = "goods_stock_hold"
	copiedHolds    = "bench_hold"
	publishedItems = "bench_stock"
)

// tables are those of this library, in a database that is made for the measurement, and those of the shop if it has some.
type tables struct{}

func (tables) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		if err := createShop(ctx, db, cfg); err != nil {
			return err
		}
		inv := stock.New(sqlstore.NewStock(db, nil), nil)
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(connections)
		for sku := range items {
			group.Go(func() error {
				_, err := inv.Define(ctx, stock.Key{SKU: int64(sku) + 1}, units, stock.Terms{PerBuyer: int64(cfg.Orders)})
				return err
			})
		}
		return group.Wait()
	})
}

func (tables) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if books, err = readBooks(ctx, db, itemTable); err != nil {
			return err
		}
		if err := readShop(ctx, db, cfg, &books); err != nil {
			return err
		}
		drifts, err := audit(ctx, stock.New(sqlstore.NewStock(db, nil), nil))
		books.Drifts = append(books.Drifts, drifts...)
		return err
	})
	return books, err
}

// audit has this library recount the counters of every item, some items at a time.
func audit(ctx context.Context, inv *stock.Inventory) ([]string, error) {
	var keys []stock.Key
	for item, err := range inv.Items(ctx) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, item.Key)
	}
	var mu sync.Mutex
	var drifts []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for some := range slices.Chunk(keys, 50) {
		group.Go(func() error {
			report, err := inv.Audit(ctx, some...)
			mu.Lock()
			defer mu.Unlock()
			for _, drift := range report.Drifts {
				drifts = append(drifts, drift.String())
			}
			return err
		})
	}
	err := group.Wait()
	return drifts, err
}

func (tables) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }

// publishedTable is the published one, with a key on the SKU, which it would need.
type publishedTable struct{}

func (publishedTable) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	rows := make([]string, items)
	for i := range rows {
		rows[i] = fmt.Sprintf("(%d, %d, %d, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", i+1, units, units)
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "CREATE TABLE "+publishedItems+` (
			ID BIGINT NOT NULL AUTO_INCREMENT, SPU_ID BIGINT NOT NULL DEFAULT 0, SKU_ID BIGINT NOT NULL,
			STOCK_LEFT_NUM BIGINT NOT NULL, STOCK_SALE_NUM BIGINT NOT NULL DEFAULT 0, STOCK_LOCK_NUM BIGINT NOT NULL DEFAULT 0,
			STOCK_TOTAL_NUM BIGINT NOT NULL, STATUS TINYINT NOT NULL DEFAULT 0,
			CREATE_TIME DATETIME(6) NOT NULL, UPDATE_TIME DATETIME(6) NOT NULL, VERSION BIGINT NOT NULL DEFAULT 1,
			PRIMARY KEY (ID), UNIQUE KEY (SKU_ID)) ENGINE = InnoDB`)
		if err == nil {
			_, err = db.ExecContext(ctx, "INSERT INTO "+publishedItems+
				" (SKU_ID, STOCK_LEFT_NUM, STOCK_TOTAL_NUM, CREATE_TIME, UPDATE_TIME) VALUES "+strings.Join(rows, ", "))
		}
		return err
	})
}

// inspect believes the counters: there is nothing else.
func (publishedTable) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		row := db.QueryRowContext(ctx, "SELECT SUM(STOCK_LOCK_NUM), SUM(STOCK_SALE_NUM), SUM(STOCK_TOTAL_NUM) FROM "+publishedItems)
		return row.Scan(&books.Locked, &books.Sold, &books.Total)
	})
	books.NoHolds, books.Live, books.Paid = true, books.Locked, books.Sold
	books.LiveUnits, books.PaidUnits = books.Locked, books.Sold
	return books, err
}

func (publishedTable) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }

// rawTable is a copy of the hold table, indexes included.
type rawTable struct{}

func (rawTable) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := (tables{}).prepare(ctx, cfg, items, units); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "CREATE TABLE "+copiedHolds+" LIKE "+holdTable)
		return err
	})
}

func (rawTable) inspect(ctx context.Context, cfg Config) (Books, error) {
	books := Books{NoCounters: true}
	err := withDB(ctx, cfg, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(IF(STATE = 1, 1, NULL)) FROM "+copiedHolds).Scan(&books.Holds, &books.Live)
	})
	return books, err
}

func (rawTable) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }

func createDatabase(ctx context.Context, cfg Config) error {
	return onServer(ctx, cfg, "CREATE DATABASE `%s`")
}

// dropDatabase takes the binary logs along, where the server has some: they would fill the disk in the course of a run.
func dropDatabase(ctx context.Context, cfg Config) error {
	if err := onServer(ctx, cfg, "DROP DATABASE IF EXISTS `%s`"); err != nil {
		return err
	}
	var name, logs string
	err := withServer(cfg, func(db *sql.DB, _ string) error {
		return db.QueryRowContext(ctx, "SHOW VARIABLES LIKE 'log_bin'").Scan(&name, &logs)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && logs != "ON": // TiDB has no such variable
		return nil
	case err != nil:
		return fmt.Errorf("contender: %w", err)
	}
	return onServer(ctx, cfg, "FLUSH BINARY LOGS", "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
}

// onServer runs statements outside of the database of the DSN, whose name is put in for %s.
func onServer(ctx context.Context, cfg Config, statements ...string) error {
	return withServer(cfg, func(db *sql.DB, name string) error {
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, strings.ReplaceAll(statement, "%s", name)); err != nil {
				return fmt.Errorf("contender: %s: %w", statement, err)
			}
		}
		return nil
	})
}

// withServer opens the server without the database of the DSN, whose name do gets.
func withServer(cfg Config, do func(db *sql.DB, name string) error) error {
	parsed, err := mysql.ParseDSN(cfg.DSN)
	if err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	name := parsed.DBName
	if name == "" || strings.ContainsAny(name, "`") {
		return errors.New("contender: the DSN has to name a database that can be made and dropped")
	}
	parsed.DBName = ""
	connector, err := mysql.NewConnector(parsed)
	if err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	return do(db, name)
}
