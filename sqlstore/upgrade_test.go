package sqlstore_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// firstTables is how many migrations there were before the rules for those that are applied while the version before runs.
const firstTables = 4

// A migration that somebody has applied is never applied again, so another text of it would reach no database that has it.
// UPDATE=1 notes a new one, and no other text of an old one.
func TestMigrationsAreNeverEdited(t *testing.T) {
	t.Parallel()
	const file = "testdata/migrations.sum"
	noted, err := os.ReadFile(file)
	require.NoError(t, err)
	var lines []string
	for _, name := range must(fs.Glob(sqlstore.Schema(), "*.sql"))(t) {
		text := must(fs.ReadFile(sqlstore.Schema(), name))(t)
		line := fmt.Sprintf("%x  %s\n", sha256.Sum256(text), name)
		if strings.Contains(string(noted), "  "+name+"\n") {
			require.Contains(t, string(noted), line, "%s was edited: write a new migration", name)
		}
		lines = append(lines, line)
	}
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	}
	require.Equal(t, strings.Join(lines, ""), string(must(os.ReadFile(file))(t)), "run: UPDATE=1 go test ./sqlstore -run NeverEdited")
}

// What a migration may consist of, while the version before runs: tables of its own; columns that an INSERT need not name,
// which no server copies the table for; indexes that refuse no row, made beside the traffic.
var (
	comments   = regexp.MustCompile(`(?m)^--.*\n`)
	addsTable  = regexp.MustCompile(`^CREATE TABLE IF NOT EXISTS \w+ \(`)
	addsColumn = regexp.MustCompile(`^ALTER TABLE \w+(\n  ADD COLUMN [A-Z_]+ +[A-Z]+(\([\d, ]+\))? +(NULL|NOT NULL DEFAULT [^,\n]+)` +
		`( COMMENT '[^']*')?,)+\n  ALGORITHM = INSTANT$`)
	addsIndex = regexp.MustCompile(`^ALTER TABLE \w+(\n  ADD KEY \w+ \([A-Z_, ]+\),)+\n  ALGORITHM = INPLACE, LOCK = NONE$`)
)

// letsOthersRun reports whether a statement of a migration may be applied while the version before runs.
func letsOthersRun(statement string) bool {
	statement = strings.TrimSpace(comments.ReplaceAllString(statement, ""))
	return slices.ContainsFunc([]*regexp.Regexp{addsTable, addsColumn, addsIndex}, func(is *regexp.Regexp) bool {
		return is.MatchString(statement)
	})
}

func TestMigrationsOnlyAddWhatTheVersionBeforeDoesNotMiss(t *testing.T) {
	t.Parallel()
	for _, name := range must(fs.Glob(next(t), "*.sql"))(t)[firstTables:] {
		for _, statement := range statementsOf(t, next(t), name) {
			require.True(t, letsOthersRun(statement), "%s: %s\nCONTRIBUTING.md says what a migration may do", name, statement)
		}
	}
	const alter = "ALTER TABLE goods_stock\n  "
	for bad, why := range map[string]string{
		alter + "ADD COLUMN A BIGINT NOT NULL,\n  ALGORITHM = INSTANT":                         "an INSERT of the version before fails",
		alter + "ADD COLUMN A BIGINT NULL":                                                     "the server may copy the table",
		alter + "ADD COLUMN A BIGINT NULL,\n  ALGORITHM = COPY":                                "the server copies the table",
		alter + "ADD COLUMN A BIGINT NULL,\n  DROP KEY goods_stock_id,\n  ALGORITHM = INSTANT": "the version before may use it",
		alter + "DROP COLUMN SPU_ID,\n  ALGORITHM = INSTANT":                                   "the version before reads it",
		alter + "MODIFY COLUMN SPU_ID VARBINARY(64) NOT NULL DEFAULT ''":                       "the version before reads it as a number",
		alter + "RENAME COLUMN SPU_ID TO PRODUCT_ID":                                           "the version before reads it",
		alter + "ADD UNIQUE KEY a (SPU_ID),\n  ALGORITHM = INPLACE, LOCK = NONE":               "it may refuse a row",
		alter + "ADD CONSTRAINT a CHECK (SPU_ID > 0)":                                          "it may refuse a row",
		alter + "ADD KEY a (SPU_ID)":                                                           "the server may lock the table",
		alter + "ADD KEY a (SPU_ID),\n  ALGORITHM = INPLACE, LOCK = SHARED":                    "the server locks the table",
		"CREATE INDEX a ON goods_stock (SPU_ID)":                                               "the server may lock the table",
		"CREATE TABLE goods_stock_more (\n  ID BIGINT\n)":                                      "it cannot be repeated",
		"DROP TABLE goods_stock_change":                                                        "the version before uses it",
		"RENAME TABLE goods_stock TO goods":                                                    "the version before uses it",
		"UPDATE goods_stock SET SPU_ID = 1":                                                    "it locks every row",
	} {
		require.False(t, letsOthersRun(bad), "%s: %s", bad, why)
	}
}

// statementsOf returns those of a migration.
func statementsOf(t testing.TB, schema fs.FS, name string) []string {
	t.Helper()
	text := must(fs.ReadFile(schema, name))(t)
	return strings.Split(strings.TrimSuffix(strings.TrimSpace(string(text)), ";"), ";\n")
}

// nextMigration is that of the version after this one.
const nextMigration = "9999_next.up.sql"

// part is some files of the schema, or all.
func part(t testing.TB, names ...string) fstest.MapFS {
	t.Helper()
	if len(names) == 0 {
		names = must(fs.Glob(sqlstore.Schema(), "*.sql"))(t)
	}
	files := fstest.MapFS{}
	for _, name := range withAlterations(names) {
		files[name] = &fstest.MapFile{Data: must(fs.ReadFile(sqlstore.Schema(), name))(t)}
	}
	return files
}

// next is part with one more migration, which does all that a migration may do, to every table.
func next(t testing.TB, names ...string) fs.FS {
	t.Helper()
	files := part(t, names...)
	text := "-- +goose Up\nCREATE TABLE IF NOT EXISTS goods_stock_next (\n  ID BIGINT NOT NULL,\n  PRIMARY KEY (ID)\n) ENGINE = InnoDB" +
		" COMMENT = 'holdfast';\n"
	made := regexp.MustCompile(`CREATE TABLE IF NOT EXISTS (\w+)`)
	for _, file := range files {
		for _, table := range made.FindAllStringSubmatch(string(file.Data), -1) {
			text += strings.ReplaceAll("ALTER TABLE %\n  ADD COLUMN NEXT_NOTE VARBINARY(64) NOT NULL DEFAULT '' COMMENT 'of the next version',\n"+
				"  ADD COLUMN NEXT_TIME DATETIME(6) NULL,\n  ALGORITHM = INSTANT;\n"+
				"ALTER TABLE %\n  ADD KEY %_next (NEXT_NOTE, NEXT_TIME),\n  ALGORITHM = INPLACE, LOCK = NONE;\n", "%", table[1])
		}
	}
	files[nextMigration] = &fstest.MapFile{Data: []byte(text)}
	return files
}

// This version is the one before the next: its calls go on while the next one migrates and afterwards, none fails, and no
// book is wrong. All verbs of all domains work on the tables of the next version as they do on those of this one.
func TestThisVersionRunsWhileTheNextOneMigrates(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.Migrate(ctx, db.DB, nil))
	found := sqlstore.ProblemsWith(ctx, next(t), db.DB)
	require.Contains(t, found, fmt.Sprintf("the schema is at version %d of 9999: run Migrate", applied(t, db)))

	more, stop := trade(t, db)
	require.NoError(t, sqlstore.MigrateTo(ctx, next(t), db.Pool(t).DB))
	require.NoError(t, sqlstore.Check(ctx, db.DB, nil), "this version on the tables of the next")
	require.NoError(t, sqlstore.Migrate(ctx, db.DB, nil), "there is nothing to do")
	more()
	stop()
	require.Empty(t, sqlstore.ProblemsWith(ctx, next(t), db.DB))
}

// process is what a program of the shop has of each domain.
type process struct {
	stock   *stock.Inventory
	coupons *coupon.Coupons
	packets *redpacket.Packets
	groups  *groupbuy.Groups
}

// processOn opens a pool of its own.
func processOn(t testing.TB, db *sqltest.DB, opts *sqlstore.Options) process {
	t.Helper()
	pool := db.Pool(t).DB
	return process{
		stock:   stock.New(sqlstore.NewStock(pool, opts), nil),
		coupons: coupon.New(sqlstore.NewCoupon(pool, opts), nil),
		packets: redpacket.New(sqlstore.NewRedPacket(pool, opts), nil),
		groups:  groupbuy.New(sqlstore.NewGroupBuy(pool, opts), nil),
	}
}

// define puts plenty of everything on sale.
func (p process) define(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	const plenty = 1_000_000
	require.NoError(t, of(p.stock.Define(ctx, stock.Key{SKU: 1}, plenty, stock.Terms{PerBuyer: plenty})))
	require.NoError(t, of(p.coupons.Define(ctx, 1, plenty, coupon.Rules{}, tenOff())))
	week := groupbuy.Activity{ID: 7, Title: "week", Formation: time.Hour, End: time.Now().Add(time.Hour)}
	require.NoError(t, of(p.groups.Define(ctx, week)))
	require.NoError(t, of(p.groups.Offer(ctx, groupbuy.Product{Key: teamProduct, Name: "tea", Terms: groupbuy.Terms{
		Places: 2, Price: decimal.NewFromInt(10), GroupPrice: decimal.NewFromInt(8), People: 2,
	}}, 100_000)))
}

// journey makes the calls of one shopper in one of the domains; names and numbers are new each time.
func (p process) journey(ctx context.Context, domain int, name string, no int64) error {
	inv, order := p.stock.For("u"), purchase(name, name)
	return firstError([][]func() error{
		{
			func() error { return of(inv.Lock(ctx, name, one(1))) },
			func() error { return of(inv.Pay(ctx, name)) },
			func() error { return of(inv.Refund(ctx, stock.Refund{ID: name, Order: name, Restock: true})) },
			func() error { return of(inv.Lock(ctx, name+"c", one(1))) },
			func() error { return of(inv.Cancel(ctx, name+"c")) },
			func() error { return of(inv.Restock(ctx, name, one(1))) },
		},
		{
			func() error { return of(p.coupons.For("u").Claim(ctx, name, 1)) },
			func() error { return of(p.coupons.Reserve(ctx, name, name, hundred)) },
			func() error { return of(p.coupons.Redeem(ctx, name, name, hundred)) },
		},
		{
			func() error { return of(p.packets.Send(ctx, packetOf(no, 100, 2))) },
			func() error { return of(p.packets.Confirm(ctx, no)) },
			func() error { return of(p.packets.For(name).Grab(ctx, no)) },
			func() error { return of(p.packets.Close(ctx, no)) },
		},
		{
			func() error { return of(order.Open(ctx, p.groups)) },
			func() error { return of(p.groups.Pay(ctx, name)) },
			func() error { return of(p.groups.Seat(ctx, name)) },
		},
	}[domain%4]...)
}

// balanced demands that all books do.
func (p process) balanced(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	require.Empty(t, must(p.stock.Audit(ctx))(t).Drifts)
	require.Empty(t, must(p.coupons.Audit(ctx))(t).Drifts)
	require.Empty(t, must(p.packets.Audit(ctx))(t).Drifts)
	require.Empty(t, must(p.groups.Audit(ctx))(t).Drifts)
}

// trade has callers do what shops do in all domains, in two processes, one of which does not merge. The first result waits until
// each has made some more rounds, the second ends them and demands that all books balance.
func trade(t *testing.T, db *sqltest.DB) (more, stop func()) {
	t.Helper()
	processes := []process{processOn(t, db, nil), processOn(t, db, &alone)}
	processes[0].define(t)
	const callers = 16
	var rounds [callers]chan struct{}
	for i := range rounds {
		rounds[i] = make(chan struct{}, 1)
	}
	end := meanwhile(t, callers, func(caller, n int) error {
		err := processes[caller%2].journey(t.Context(), caller/2, fmt.Sprintf("%d-%d", caller, n), int64(1+caller+callers*n))
		select {
		case rounds[caller] <- struct{}{}:
		default:
		}
		return err
	})
	more = func() {
		for range 3 { // the round of which one was told may be old, and the one after it may have begun before
			for _, round := range rounds {
				<-round
			}
		}
	}
	more()
	return more, func() {
		end()
		processes[0].balanced(t)
	}
}

// firstError makes calls until one fails.
func firstError(calls ...func() error) error {
	for i, call := range calls {
		if err := call(); err != nil {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
	}
	return nil
}

// teamCode is drawn anew for each team.
var teamCode = regexp.MustCompile(`"(team/)?[0-9A-Z]{10}"`)

// Every verb leaves the same behind on the tables of the next version.
func TestEveryVerbWorksOnTheTablesOfTheNextVersion(t *testing.T) {
	t.Parallel()
	for name, live := range lives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			later := sqltest.Open(t, defaults)
			require.NoError(t, sqlstore.MigrateTo(t.Context(), next(t, live.tables...), later.DB))
			var seen []string
			for _, db := range []*sqltest.DB{prepared(t, defaults, live.tables...), later} {
				db.Wire.Freeze(start)
				verbs, read := live.begin(t.Context(), db, nil, db.Wire.Advance)
				for _, v := range verbs {
					require.NoError(t, v.call(), v.name)
				}
				seen = append(seen, teamCode.ReplaceAllString(strings.Join(read(), ""), `"code"`))
			}
			require.Equal(t, seen[0], seen[1])
		})
	}
}

// awaitAlters waits until so many changes of the table of items wait for those who use it.
func awaitAlters(t *testing.T, db *sqltest.DB, n int) {
	t.Helper()
	const waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST" +
		" WHERE DB = DATABASE() AND INFO LIKE '%ALTER TABLE goods_stock\n%' AND STATE = 'Waiting for table metadata lock'"
	for soonest := soon(t); value[int](t, db, waiting) != n; {
		require.NoError(t, soonest.Err(), "not %d changes wait", n)
	}
}

// On Galera, the change of a table waits for nobody: it ends the transactions that use the table, which can be made again.
func TestMigrateEndsTransactionsOnGalera(t *testing.T) {
	t.Parallel()
	if !sqltest.Galera() {
		t.Skip("of Galera alone")
	}
	ctx := t.Context()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.MigrateTo(ctx, part(t, stockTables), db.DB))
	s := sqlstore.NewStock(db.DB, nil)
	inv := stock.New(s, nil)
	require.NoError(t, of(inv.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{})))
	tx := must(db.BeginTx(ctx, nil))(t)
	require.NoError(t, of(stock.New(s.WithTx(tx), nil).Lock(ctx, "a", one(1))))
	require.NoError(t, sqlstore.MigrateTo(ctx, next(t, stockTables), db.Pool(t).DB))
	require.True(t, sqlstore.Retryable(tx.Commit()))
	require.ErrorIs(t, of(inv.Hold(ctx, "a")), stock.ErrNotFound)
	require.NoError(t, of(inv.Lock(ctx, "a", one(1))))
}

// A transaction that has a row waits for a table that is to be changed, whose change waits for a call, which waits for the
// row: the change gives way.
func TestMigrateGivesWayToThoseItWouldHold(t *testing.T) {
	t.Parallel()
	sqltest.NeedsChangesThatWait(t)
	ctx := t.Context()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.MigrateTo(ctx, part(t, stockTables), db.DB))
	inv := stock.New(sqlstore.NewStock(db.DB, nil), nil)
	require.NoError(t, of(inv.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{})))
	require.NoError(t, of(inv.Lock(ctx, "a", one(1))))

	tx := must(db.BeginTx(ctx, nil))(t)
	value[int](t, tx, "SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = 'a' AND LINE_NO = 1 FOR UPDATE")
	paid := going(func() error { return of(stock.New(sqlstore.NewStock(db.DB, &alone), nil).Pay(ctx, "a")) })
	fixture{t, db}.waiting()
	migrated := going(func() error { return sqlstore.MigrateTo(ctx, next(t, stockTables), db.Pool(t).DB) })
	awaitAlters(t, db, 1)
	require.Equal(t, 1, value[int](t, tx, "SELECT STOCK_LOCK_NUM FROM goods_stock WHERE SKU_ID = 1"))
	require.NoError(t, tx.Rollback())
	require.NoError(t, <-paid)
	require.NoError(t, <-migrated)
}

// A Migrate whose caller leaves while the change of a table waits for a transaction takes that change along: nobody waits for it any
// more, and the next Migrate can begin.
func TestMigrateThatIsCutOffLeavesNoChangeThatWaits(t *testing.T) {
	t.Parallel()
	sqltest.NeedsChangesThatWait(t)
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.MigrateTo(t.Context(), part(t, stockTables), db.DB))
	require.NoError(t, of(stock.New(sqlstore.NewStock(db.DB, nil), nil).Define(t.Context(), stock.Key{SKU: 1}, 10, stock.Terms{})))
	tx := must(db.BeginTx(t.Context(), nil))(t)
	defer func() { _ = tx.Rollback() }()
	value[int](t, tx, "SELECT STOCK_LOCK_NUM FROM goods_stock WHERE SKU_ID = 1")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	migrated := going(func() error { return sqlstore.MigrateTo(ctx, next(t, stockTables), db.Pool(t).DB) })
	awaitAlters(t, db, 1)
	leave()
	require.Error(t, <-migrated)
	awaitAlters(t, db, 0)
	require.NoError(t, of(stock.New(sqlstore.NewStock(db.DB, nil), nil).Lock(t.Context(), "a", one(1))))
	require.NoError(t, tx.Rollback())
	require.NoError(t, sqlstore.MigrateTo(t.Context(), next(t, stockTables), db.DB))
}

// A process that dies before a migration is recorded leaves it to the next one, and a table that is made again gets what
// later migrations have added to it.
func TestMigrateAddsAgainWhatIsThereAndWhatIsNot(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := sqltest.Open(t, defaults)
	for _, statement := range []string{"DELETE FROM holdfast_schema WHERE VERSION = 9999", "DROP TABLE coupon_use"} {
		require.NoError(t, sqlstore.MigrateTo(ctx, next(t, couponTables), db.DB))
		run(t, db, statement)
		require.NotEmpty(t, sqlstore.ProblemsWith(ctx, next(t, couponTables), db.DB), statement)
	}
	require.NoError(t, sqlstore.MigrateTo(ctx, next(t, couponTables), db.DB))
	require.Empty(t, sqlstore.ProblemsWith(ctx, next(t, couponTables), db.DB))
	run(t, db, // what InnoDB does by itself, and TiDB refuses: it drops no column of an index
		"ALTER TABLE coupon_use DROP KEY coupon_use_next", "ALTER TABLE coupon_use ADD KEY coupon_use_next (NEXT_NOTE)",
		"ALTER TABLE coupon_use DROP COLUMN NEXT_TIME")
	require.Equal(t, []string{
		"column NEXT_TIME of table coupon_use is missing: compare the table with Schema",
		"index coupon_use_next of table coupon_use is (NEXT_NOTE), should be (NEXT_NOTE, NEXT_TIME): compare the table with Schema",
	}, sqlstore.ProblemsWith(ctx, next(t, couponTables), db.DB))
}
