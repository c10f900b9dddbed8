package sqlstore_test

import (
	"database/sql"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestSchemaIsPlainNumberedFiles(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(sqlstore.Schema(), "*.sql")
	require.NoError(t, err)
	require.Contains(t, names, "0001_stock.up.sql")
	text, err := fs.ReadFile(sqlstore.Schema(), "0001_stock.up.sql")
	require.NoError(t, err)
	require.Contains(t, string(text), "CREATE TABLE IF NOT EXISTS goods_stock (")
	require.True(t, strings.HasPrefix(string(text), "-- +goose Up\n"))

	_, err = fs.ReadFile((&sqlstore.Options{Prefix: "a; DROP"}).Schema(), "0001_stock.up.sql")
	require.ErrorIs(t, err, stock.ErrInvalid)
}

// TestUnitsOfEveryKindHaveTheSameTables keeps the tables that one piece of code uses alike.
func TestUnitsOfEveryKindHaveTheSameTables(t *testing.T) {
	t.Parallel()
	tables := func(file, name string) (all []string) {
		text, err := fs.ReadFile(sqlstore.Schema(), file)
		require.NoError(t, err)
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if _, create, ok := strings.Cut(statement, "CREATE TABLE IF NOT EXISTS "+name); ok {
				all = append(all, strings.ReplaceAll(create, name, ""))
			}
		}
		return all
	}
	goods := tables("0001_stock.up.sql", "goods_stock")
	require.Len(t, goods, 5)
	require.Equal(t, goods, tables("0002_coupon.up.sql", "coupon_stock"))
	require.Equal(t, goods, tables("0003_red_packet.up.sql", "red_packet_stock"))
}

func TestMigrateFromManyProcessesAtOnce(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		pool := db.Pool(t)
		group.Go(func() { errs[i] = sqlstore.Migrate(t.Context(), pool.DB, nil) })
	}
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
	var applied int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM holdfast_schema").Scan(&applied))
	require.Equal(t, 4, applied)
}

func TestPrefixedTablesLiveBesideOthersAndAreDroppedAlone(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	ctx := t.Context()
	shop := &sqlstore.Options{Prefix: "shop_"}
	require.NoError(t, sqlstore.Migrate(ctx, db.DB, nil))
	require.NoError(t, sqlstore.Migrate(ctx, db.DB, shop))
	require.NoError(t, sqlstore.Check(ctx, db.DB, shop))
	for _, opts := range []*sqlstore.Options{nil, shop} {
		inv := stock.New(sqlstore.NewStock(db.DB, opts), nil)
		_, err := inv.Define(ctx, stock.Key{SKU: 1}, 1, stock.Terms{})
		require.NoError(t, err)
		_, err = inv.Lock(ctx, "a", one(1))
		require.NoError(t, err)
	}
	require.NoError(t, sqlstore.Drop(ctx, db.DB, shop))
	require.NoError(t, sqlstore.Check(ctx, db.DB, nil))
	require.ErrorIs(t, sqlstore.Check(ctx, db.DB, shop), stock.ErrStore)
	_, err := stock.New(sqlstore.NewStock(db.DB, shop), nil).Lock(ctx, "b", one(1))
	require.ErrorIs(t, err, stock.ErrStore)
	require.False(t, sqlstore.Retryable(err))
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	drop := "ALTER TABLE goods_stock DROP CONSTRAINT goods_stock_locked_is_left"
	for problem, breakIt := range map[string]string{
		"table goods_stock_refund is missing: run Migrate":                    "DROP TABLE goods_stock_refund",
		"table goods_stock_refund uses the engine":                            "ALTER TABLE goods_stock_refund ENGINE = MyISAM",
		"constraint goods_stock_locked_is_left is missing: compare the table": drop,
		"table egl_group_event is missing: run Migrate":                       "DROP TABLE egl_group_event",
		"constraint egl_group_participation_live is missing: compare":         "ALTER TABLE egl_group_participation DROP CONSTRAINT egl_group_participation_live",
		"the schema is at version 0 of 4: run Migrate":                        "DELETE FROM holdfast_schema",
	} {
		db := sqltest.Open(t, defaults)
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
		_, err := db.ExecContext(t.Context(), breakIt)
		require.NoError(t, err)
		err = sqlstore.Check(t.Context(), db.DB, nil)
		var check *sqlstore.CheckError
		require.ErrorAs(t, err, &check)
		require.Len(t, check.Problems, 1)
		require.Contains(t, check.Problems[0], problem)
	}
	db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Params["sql_mode"] = "''" }})
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	require.ErrorContains(t, sqlstore.Check(t.Context(), db.DB, nil), "sql_mode is not strict")
}

// A caller's own SQL mode does not change what the statements mean.
func TestLaxSQLModeChangesNothing(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"''", "'ANSI'", "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_UNSIGNED_SUBTRACTION'"} {
		db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Params["sql_mode"] = mode }})
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
		s := &shop{Inventory: stock.New(sqlstore.NewStock(db.DB, nil), nil), t: t, db: db}
		_, err := s.Define(t.Context(), stock.Key{SKU: 1}, 3, stock.Terms{})
		require.NoError(t, err)
		long := strings.Repeat("'\\", 32)
		_, err = s.Lock(t.Context(), long, stock.Line{SKU: 1, Num: 2})
		require.NoError(t, err)
		_, err = s.Lock(t.Context(), "b", stock.Line{SKU: 1, Num: 2})
		require.ErrorIs(t, err, stock.ErrInsufficient)
		_, err = s.Pay(t.Context(), long)
		require.NoError(t, err)
		s.counters(1, 2, 0, 1)
	}
}

func TestBadOptionsAndNilAreRefusedBeforeAnyIO(t *testing.T) {
	t.Parallel()
	bad := &sqlstore.Options{Prefix: "Shop-"}
	ctx := t.Context()
	db, err := sql.Open("mysql", "nobody@tcp(127.0.0.1:1)/none")
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	require.ErrorIs(t, sqlstore.Migrate(ctx, nil, nil), stock.ErrInvalid)
	require.ErrorIs(t, sqlstore.Migrate(ctx, db, bad), stock.ErrInvalid)
	require.ErrorIs(t, sqlstore.Drop(ctx, db, bad), stock.ErrInvalid)
	require.ErrorIs(t, sqlstore.Check(ctx, db, bad), stock.ErrInvalid)
	for _, store := range []*sqlstore.Stock{
		sqlstore.NewStock(nil, nil), sqlstore.NewStock(db, bad), sqlstore.NewStock(db, bad).WithTx(&sql.Tx{}), sqlstore.NewStock(db, nil).WithTx(nil),
	} {
		_, err := stock.New(store, nil).Lock(ctx, "a", one(1))
		require.ErrorIs(t, err, stock.ErrInvalid)
		_, err = stock.New(store, nil).Pay(ctx, "a")
		require.ErrorIs(t, err, stock.ErrInvalid)
		_, err = stock.New(store, nil).Audit(ctx)
		require.ErrorIs(t, err, stock.ErrInvalid)
	}
	_, err = stock.New(sqlstore.NewStock(db, nil), nil).Lock(ctx, "a", one(1))
	require.ErrorIs(t, err, stock.ErrUnavailable, "nobody listens there")
}
