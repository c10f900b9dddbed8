package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// coupons claims coupons: each order number is also its buyer.
type coupons struct {
	db      *sql.DB
	coupons *coupon.Coupons
}

func openCoupons(opts *sqlstore.Options) func(context.Context, Config) (Contender, error) {
	return func(ctx context.Context, cfg Config) (Contender, error) {
		db, err := openPool(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return &coupons{db: db, coupons: coupon.New(sqlstore.NewCoupon(db, opts), nil)}, nil
	}
}

// Lock implements Contender: it claims a coupon of the campaign that the SKU numbers.
func (c *coupons) Lock(ctx context.Context, order Order) error {
	_, err := c.coupons.For(order.No).Claim(ctx, order.No, order.sku())
	if errors.Is(err, coupon.ErrSoldOut) {
		return ErrSoldOut
	}
	return err
}

// Pay implements Contender.
func (c *coupons) Pay(context.Context, Order) error { return errors.ErrUnsupported }

// Cancel implements Contender.
func (c *coupons) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// Close implements Contender.
func (c *coupons) Close() error { return c.db.Close() }

// campaigns are the tables of coupons.
type campaigns struct {
	codes int64 // of each campaign; 0 is without
}

func (b campaigns) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		all := coupon.New(sqlstore.NewCoupon(db, nil), nil)
		terms := coupon.Terms{
			Title: "5 off 30", Kind: coupon.AmountOff, Places: 2, Amount: decimal.NewFromInt(5), Minimum: decimal.NewFromInt(30),
			ForDays: 7, Zone: "Asia/Shanghai", Pool: b.codes > 0,
		}
		if terms.Pool {
			units = 0 // the codes bring them
		}
		for campaign := range items {
			id := int64(campaign) + 1
			if _, err := all.Define(ctx, id, units, coupon.Rules{}, terms); err != nil {
				return err
			}
			if !terms.Pool {
				continue
			}
			if _, err := all.Import(ctx, id, serials(id, b.codes)); err != nil {
				return err
			}
		}
		return settle(ctx, db)
	})
}

// settle writes the codes to the disk, which the server would otherwise do beside the measurement: it is about a pool that is there,
// not about one that has just been filled.
func settle(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	defer conn.Close()
	for _, statement := range []string{"FLUSH TABLES coupon_code FOR EXPORT", "UNLOCK TABLES"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("contender: %s: %w", statement, err)
		}
	}
	return nil
}

// serials are the codes of a campaign. They are as long as real ones, and all of them can be guessed.
func serials(campaign, n int64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("C%03dX%011d", campaign, i*7_919%1_000_003*97)) {
				return
			}
		}
	}
}

func (campaigns) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if books, err = readBooks(ctx, db, "coupon_stock"); err != nil {
			return err
		}
		report, err := coupon.New(sqlstore.NewCoupon(db, nil), nil).Audit(ctx)
		for _, drift := range report.Drifts {
			books.Drifts = append(books.Drifts, drift.String())
		}
		return err
	})
	return books, err
}

// readBooks adds up the units and holds in the tables of a name. The first line of a hold stands for its order.
func readBooks(ctx context.Context, db *sql.DB, name string) (books Books, err error) {
	row := db.QueryRowContext(ctx, "SELECT SUM(STOCK_LOCK_NUM), SUM(STOCK_SALE_NUM), SUM(STOCK_TOTAL_NUM) FROM "+name)
	if err := row.Scan(&books.Locked, &books.Sold, &books.Total); err != nil {
		return Books{}, err
	}
	row = db.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(IF(STATE = 1, 1, NULL)), COUNT(IF(STATE = 2, 1, NULL)) FROM "+name+"_hold"+
		" WHERE LINE_NO = 1")
	if err := row.Scan(&books.Holds, &books.Live, &books.Paid); err != nil {
		return Books{}, err
	}
	row = db.QueryRowContext(ctx, "SELECT COALESCE(SUM(IF(STATE = 1, NUM, 0)), 0), COALESCE(SUM(IF(STATE = 2, NUM, 0)), 0) FROM "+name+"_hold")
	return books, row.Scan(&books.LiveUnits, &books.PaidUnits)
}

func (campaigns) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }
