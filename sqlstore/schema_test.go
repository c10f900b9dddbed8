package sqlstore_test

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestSchemaIsPlainNumberedFiles(t *testing.T) {
	t.Parallel()
	require.Contains(t, must(fs.Glob(sqlstore.Schema(), "*.sql"))(t), "0001_stock.up.sql")
	text := must(fs.ReadFile(sqlstore.Schema(), "0001_stock.up.sql"))(t)
	require.Contains(t, string(text), "CREATE TABLE IF NOT EXISTS goods_stock (")
	require.True(t, strings.HasPrefix(string(text), "-- +goose Up\n"))

	require.ErrorIs(t, of(fs.ReadFile((&sqlstore.Options{Prefix: "a; DROP"}).Schema(), "0001_stock.up.sql")), stock.ErrInvalid)
}

// TestUnitsOfEveryKindHaveTheSameTables keeps the tables that one piece of code uses alike.
func TestUnitsOfEveryKindHaveTheSameTables(t *testing.T) {
	t.Parallel()
	tables := func(file, name string) (all []string) {
		text := must(fs.ReadFile(sqlstore.Schema(), file))(t)
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
	pools := make([]*sqltest.DB, 8)
	for i := range pools {
		pools[i] = db.Pool(t)
	}
	for _, err := range suite.Together(8, func(i int) error {
		err := sqlstore.Migrate(t.Context(), pools[i].DB, nil)
		for sqltest.Slow() && errors.Is(err, stock.ErrUnavailable) { // another is at it for longer than they wait
			err = sqlstore.Migrate(t.Context(), pools[i].DB, nil)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
	require.Equal(t, latest(t), applied(t, db))
}

// TiDB refuses the change of a table while others are changed, and says to try again.
func TestMigrateTriesAgainWhileOthersChangeTables(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	refused := []string{"CREATE TABLE IF NOT EXISTS coupon_code", "ALTER TABLE coupon_stock\n  ADD COLUMN LOW_NUM"}
	for _, match := range refused {
		db.Wire.Inject(sqltest.Fault{Match: match, Kind: sqltest.LostRequest, Answer: packet(8028, "Information schema is changed")})
	}
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	sent := db.Wire.Statements()
	for _, match := range refused {
		require.Len(t, slices.DeleteFunc(slices.Clone(sent), func(s string) bool { return !strings.Contains(s, match) }), 2, match)
	}
	require.Equal(t, latest(t), applied(t, db))
}

// Nothing is recorded that is lost with the session, and nothing stays open.
func TestMigrateIsKeptWhateverTheSessionCommits(t *testing.T) {
	t.Parallel()
	for _, params := range []map[string]string{
		{"completion_type": "'CHAIN'"},
		{"autocommit": "0", "completion_type": "'RELEASE'"},
	} {
		db := sqltest.Open(t, defaults)
		session := withParams(t, db, params)
		require.NoError(t, sqlstore.Migrate(t.Context(), session.DB, nil))
		require.Equal(t, latest(t), applied(t, db), "%v", params)
		require.NoError(t, sqlstore.Migrate(t.Context(), session.DB, nil))
		require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
		require.NoError(t, sqlstore.Drop(t.Context(), db.DB, nil), "nothing of it is locked")
		require.NoError(t, sqlstore.Migrate(t.Context(), session.DB, nil), "what it sees is not what it once saw")
		require.Equal(t, latest(t), applied(t, db), "%v", params)
	}
}

// applied returns how many migrations are recorded.
func applied(t testing.TB, db *sqltest.DB) int {
	t.Helper()
	return value[int](t, db, "SELECT COUNT(*) FROM holdfast_schema")
}

// withParams opens the same database with other settings of the session.
func withParams(t testing.TB, db *sqltest.DB, params map[string]string) *sqltest.DB {
	t.Helper()
	return db.As(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Params = maps.Clone(params) }})
}

func TestMigrateWithNothingToDoNeedsNoRightToCreate(t *testing.T) {
	t.Parallel()
	for rights, check := range map[string]bool{"SELECT": false, "SELECT, INSERT, UPDATE": true} {
		db := sqltest.Open(t, defaults)
		user := account(t, db, rights, "")
		require.ErrorIs(t, sqlstore.Migrate(t.Context(), user.DB, nil), stock.ErrStore, "there is something to do")
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
		require.NoError(t, sqlstore.Migrate(t.Context(), user.DB, nil), rights)
		if check { // MariaDB shows constraints to those who may write
			require.NoError(t, sqlstore.Check(t.Context(), user.DB, nil), rights)
		}
	}
}

// latest returns how many migrations there are.
func latest(t testing.TB) int {
	t.Helper()
	return len(must(fs.Glob(sqlstore.Schema(), "*.sql"))(t))
}

func TestMigrateMakesATableAgainThatIsMissing(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	run(t, db, "DROP TABLE goods_stock_refund")
	require.ErrorContains(t, sqlstore.Check(t.Context(), db.DB, nil), "table goods_stock_refund is missing: run Migrate")
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
	require.Equal(t, latest(t), applied(t, db))
}

// run executes statements.
func run(t testing.TB, db sqlstore.Tx, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		require.NoError(t, of(db.ExecContext(t.Context(), statement)), statement)
	}
}

// A shop's own table of a name of ours is not adopted, not changed and not dropped, wherever it stands.
func TestATableOfTheShopsIsNotOurs(t *testing.T) {
	t.Parallel()
	for table, create := range map[string][]string{
		"goods_stock": {
			"CREATE TABLE goods_stock (id INT PRIMARY KEY, goods_id INT, stock_num INT)", "INSERT INTO goods_stock VALUES (1, 2, 3)",
		},
		"egl_group_event": {
			"CREATE TABLE egl_group_event (id INT PRIMARY KEY) COMMENT 'of the shop'", "INSERT INTO egl_group_event VALUES (1)",
		},
		"coupon_use":      {"CREATE VIEW coupon_use AS SELECT 1 AS id"},
		"holdfast_schema": {"CREATE TABLE holdfast_schema (id INT PRIMARY KEY)", "INSERT INTO holdfast_schema VALUES (1)"},
	} {
		db := sqltest.Open(t, defaults)
		run(t, db, create...)
		stays := func(why string) {
			tables := value[int](t, db, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
			rows := value[int](t, db, "SELECT COUNT(*) FROM "+table)
			require.Equal(t, [2]int{1, 1}, [2]int{tables, rows}, "%s: %s", table, why)
		}
		err := sqlstore.Migrate(t.Context(), db.DB, nil)
		require.ErrorIs(t, err, sqlstore.ErrNotOurs)
		require.ErrorIs(t, err, stock.ErrStore)
		require.False(t, sqlstore.Retryable(err))
		require.ErrorContains(t, err, table+": set Options.Prefix")
		stays("Migrate")
		require.NoError(t, sqlstore.Drop(t.Context(), db.DB, nil))
		stays("Drop")

		shop := &sqlstore.Options{Prefix: "hf_"}
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, shop))
		require.NoError(t, sqlstore.Check(t.Context(), db.DB, shop))
		require.NoError(t, sqlstore.Drop(t.Context(), db.DB, shop))
		stays("Drop of the others")
	}
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
		require.NoError(t, of(inv.Define(ctx, stock.Key{SKU: 1}, 1, stock.Terms{})))
		require.NoError(t, of(inv.Lock(ctx, "a", one(1))))
	}
	require.NoError(t, sqlstore.Drop(ctx, db.DB, shop))
	require.NoError(t, sqlstore.Check(ctx, db.DB, nil))
	require.ErrorIs(t, sqlstore.Check(ctx, db.DB, shop), stock.ErrStore)
	_, err := stock.New(sqlstore.NewStock(db.DB, shop), nil).Lock(ctx, "b", one(1))
	require.ErrorIs(t, err, stock.ErrStore)
	require.False(t, sqlstore.Retryable(err))
}

// A caller's own SQL mode does not change what the statements mean.
func TestLaxSQLModeChangesNothing(t *testing.T) {
	t.Parallel()
	modes := []string{"''", "'ANSI'", "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_UNSIGNED_SUBTRACTION'"}
	if sqltest.MariaDB() {
		modes = append(modes, "'EMPTY_STRING_IS_NULL'", "'SIMULTANEOUS_ASSIGNMENT'")
	}
	for _, mode := range modes {
		db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Params["sql_mode"] = mode }})
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
		s := &shop{Inventory: stock.New(sqlstore.NewStock(db.DB, nil), nil), fixture: fixture{t, db}}
		require.NoError(t, of(s.Define(t.Context(), stock.Key{SKU: 1}, 3, stock.Terms{})))
		long := strings.Repeat("'\\", 32)
		require.NoError(t, of(s.Lock(t.Context(), long, stock.Line{SKU: 1, Num: 2})))
		require.ErrorIs(t, of(s.Lock(t.Context(), "b", stock.Line{SKU: 1, Num: 2})), stock.ErrInsufficient)
		require.NoError(t, of(s.Pay(t.Context(), long)))
		s.counters(1, 2, 0, 1)
	}
}
