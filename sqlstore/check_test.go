package sqlstore_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// problems returns what Check finds.
func problems(t testing.TB, db *sqltest.DB) []string {
	t.Helper()
	err := sqlstore.Check(t.Context(), db.DB, nil)
	if err == nil {
		return nil
	}
	var check *sqlstore.CheckError
	require.ErrorAs(t, err, &check)
	require.ErrorIs(t, err, stock.ErrStore)
	return check.Problems
}

// whole opens a database with all tables, without a record of migrations.
func whole(t testing.TB) *sqltest.DB {
	t.Helper()
	return prepared(t, defaults, stockTables, couponTables, redPacketTables, groupBuyTables, saleTables)
}

// Each part of a table that is not as Migrate makes it is one problem.
func TestCheckComparesTheTablesWithThoseThatMigrateMakes(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{ // what is done to each table is one problem
		"table goods_stock_change is missing: run Migrate":        "DROP TABLE goods_stock_change",
		"table coupon_code is not Holdfast's: set Options.Prefix": "ALTER TABLE coupon_code COMMENT = '', DROP INDEX coupon_code_position",
		"column PAY_TIME of table goods_stock_hold is missing":    "ALTER TABLE goods_stock_hold DROP COLUMN PAY_TIME",
		"column POSITION of table coupon_wallet is bigint NOT NULL, should be bigint": "ALTER TABLE" +
			" coupon_wallet MODIFY POSITION BIGINT NOT NULL",
		"column NUM of table coupon_stock_hold is int NOT NULL, should be bigint NOT NULL": "ALTER TABLE" +
			" coupon_stock_hold MODIFY NUM INT NOT NULL",
		"column SPU_ID of table coupon_stock is bigint NOT NULL, should be bigint NOT NULL DEFAULT '0'": "ALTER TABLE" +
			" coupon_stock ALTER SPU_ID DROP DEFAULT",
		"column REASON of table egl_group_event is varbinary(1024) NOT NULL, should be": "ALTER TABLE" +
			" egl_group_event ALTER REASON DROP DEFAULT",
		"column VOLUME_MIN of table egl_group_product is decimal(20,3)": "ALTER TABLE" +
			" egl_group_product MODIFY VOLUME_MIN DECIMAL(20, 3) NOT NULL DEFAULT 0",
		"index egl_group_due of table egl_group is missing": "ALTER TABLE egl_group DROP INDEX egl_group_due",
		"index red_packet_due of table red_packet is (END_TIME, STATE), should be (STATE": "ALTER TABLE red_packet" +
			" DROP INDEX red_packet_due; ALTER TABLE red_packet ADD INDEX red_packet_due (END_TIME, STATE)",
		"index red_packet_share_person of table red_packet_share is (PACKET_ID, PERSON_ID, REMAINDER), should be UN": "ALTER TABLE" +
			" red_packet_share DROP INDEX red_packet_share_person; ALTER TABLE red_packet_share ADD INDEX red_packet_share_person" +
			" (PACKET_ID, PERSON_ID, REMAINDER)",
		"constraint egl_group_participation_live of table egl_group_participation is missing": "ALTER TABLE" +
			" egl_group_participation DROP CONSTRAINT egl_group_participation_live",
		"constraint goods_stock_balance of table goods_stock is missing or demands something else": "ALTER TABLE goods_stock" +
			" DROP CONSTRAINT goods_stock_balance; ALTER TABLE goods_stock ADD CONSTRAINT goods_stock_balance CHECK (STOCK_LEFT_NUM >= 0)",
	}
	if sqltest.Rebuilds() {
		wrong["column BATCH_NO of table coupon_batch is varchar(64) NOT NULL, should be varbinary(64)"] = "ALTER TABLE" +
			" coupon_batch MODIFY BATCH_NO VARCHAR(64) NOT NULL"
		wrong["table goods_stock_refund uses the engine"] = "ALTER TABLE goods_stock_refund ENGINE = MyISAM"
		wrong["index PRIMARY of table coupon_use is UNIQUE (COUPON_NO(8), ORDER_NO), should be"] = "ALTER TABLE coupon_use" +
			" DROP PRIMARY KEY, ADD PRIMARY KEY (COUPON_NO(8), ORDER_NO)"
	}
	if sqltest.LeavesUnenforced() {
		wrong["constraint coupon_pool_not_negative of table coupon_pool is not enforced"] = "ALTER TABLE coupon_pool ALTER CHECK" +
			" coupon_pool_not_negative NOT ENFORCED"
	}
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	for _, statements := range wrong {
		run(t, db, strings.Split(statements, "; ")...)
	}
	found := problems(t, db)
	require.Len(t, found, len(wrong), "%q", found)
	for problem, statement := range wrong {
		require.True(t, slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, problem) }), "%s: %s is not in %q",
			statement, problem, found)
	}
	run(t, db, "DELETE FROM holdfast_schema")
	require.Contains(t, problems(t, db), fmt.Sprintf("the schema is at version 0 of %d: run Migrate", latest(t)))
}

// A database that nobody has migrated has one problem, not one for each table.
func TestCheckOfAnEmptyDatabaseNamesOneProblem(t *testing.T) {
	t.Parallel()
	found := problems(t, sqltest.Open(t, defaults))
	require.Equal(t, []string{"there are no tables: run Migrate, or set Options.Prefix to that of the tables"}, found)
}

// A part that the comparison does not know could be lost in silence.
func TestCheckKnowsEveryPartOfEveryTable(t *testing.T) {
	t.Parallel()
	db := whole(t)
	for kind, query := range map[string]string{
		"column":     "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
		"index":      "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND SEQ_IN_INDEX = 1",
		"constraint": "SELECT COUNT(*) FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
	} {
		parts := value[int](t, db, query)
		require.Equal(t, parts, sqlstore.Parts(kind), kind)
		require.NotZero(t, parts)
	}
}

// Tools for online schema changes put a copy in the place of a table; shops add columns and indexes.
func TestACopyOfATableAndWhatAShopAddsAreNoProblem(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	for _, table := range []string{"goods_stock", "goods_stock_hold", "egl_group_team", "coupon_terms"} {
		run(t, db,
			"CREATE TABLE new_"+table+" LIKE "+table,
			"ALTER TABLE new_"+table+" ADD COLUMN SHOP_NOTE VARCHAR(20) NOT NULL DEFAULT 'none' FIRST",
			"ALTER TABLE new_"+table+" ADD INDEX shop (SHOP_NOTE)",
			"ALTER TABLE new_"+table+" ADD CHECK (SHOP_NOTE <> 'x')",
			"RENAME TABLE "+table+" TO old_"+table+", new_"+table+" TO "+table,
			"DROP TABLE old_"+table)
	}
	require.Empty(t, problems(t, db))
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	inv := stock.New(sqlstore.NewStock(db.DB, nil), nil)
	require.NoError(t, of(inv.Define(t.Context(), stock.Key{SKU: 1}, 1, stock.Terms{})))
	require.NoError(t, of(inv.Take(t.Context(), "a", one(1))))
	require.NoError(t, sqlstore.Drop(t.Context(), db.DB, nil))
}

// Each setting that is refused, or has a price, is one problem, and says what to do.
func TestCheckNamesEachSetting(t *testing.T) {
	t.Parallel()
	db := whole(t)
	isolation := sqltest.IsolationVariable()
	readOnly := strings.Replace(isolation, "isolation", "read_only", 1)
	type params = map[string]string
	cases := map[string]params{
		"sql_mode is not strict: add STRICT_TRANS_TABLES":           {"sql_mode": "''"},
		"autocommit is off: Holdfast works":                         {"autocommit": "0"},
		"completion_type is CHAIN: Holdfast works":                  {"completion_type": "'CHAIN'"},
		"completion_type is RELEASE: Holdfast works":                {"completion_type": "'RELEASE'"},
		"the isolation level is READ UNCOMMITTED":                   {isolation: "'READ-UNCOMMITTED'"},
		"binlog_format is STATEMENT, with which the server refuses": {isolation: "'READ-COMMITTED'", "binlog_format": "'STATEMENT'"},
		readOnly + "): connect to the primary":                      {readOnly: "1"},
	}
	if sqltest.Galera() {
		delete(cases, "binlog_format is STATEMENT, with which the server refuses")
		cases["binlog_format is STATEMENT, and Galera"] = params{"binlog_format": "'STATEMENT'"}
		cases["binlog_format is MIXED, and Galera"] = params{"binlog_format": "'MIXED'"}
	}
	if sqltest.MariaDB() {
		cases["CHECK constraints are switched off: set check_constraint_checks = 1"] = params{"check_constraint_checks": "0"}
	}
	maps.DeleteFunc(cases, func(_ string, settings params) bool { return !sqltest.Accepts(settings) })
	for problem, settings := range cases {
		found := problems(t, withParams(t, db, settings))
		require.Len(t, found, 1, "%v", settings)
		require.Contains(t, found[0], problem)
	}
	found := problems(t, db.As(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.MaxAllowedPacket = 256 << 10 }}))
	require.Len(t, found, 1)
	require.Contains(t, found[0], "the driver refuses batches of many calls: set maxAllowedPacket=0")
}

// Settings that change nothing are no problem.
func TestCheckFindsNothingWhereAllIsWell(t *testing.T) {
	t.Parallel()
	db := whole(t)
	cases := []map[string]string{
		{"sql_mode": "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'"},
		{"sql_safe_updates": "1"},
		{"time_zone": "'+08:00'"},
		{"group_concat_max_len": "4"},
		{"character_set_client": "gbk", "character_set_connection": "gbk"},
	}
	if !sqltest.Galera() {
		cases = append(cases, map[string]string{"binlog_format": "'STATEMENT'"})
	}
	if sqltest.MariaDB() {
		cases = append(cases, map[string]string{"sql_mode": "'ORACLE,STRICT_TRANS_TABLES'"},
			map[string]string{"sql_mode": "'EMPTY_STRING_IS_NULL,STRICT_TRANS_TABLES'"}, map[string]string{"innodb_snapshot_isolation": "1"})
	}
	for _, level := range []string{"READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"} {
		cases = append(cases, map[string]string{sqltest.IsolationVariable(): "'" + level + "'"})
	}
	for _, settings := range slices.DeleteFunc(cases, func(settings map[string]string) bool { return !sqltest.Accepts(settings) }) {
		require.Empty(t, problems(t, withParams(t, db, settings)), "%v", settings)
	}
}

// Settings of the server as a whole, before the tests that are parallel: they would see them.
//
//nolint:paralleltest // see above
func TestCheckNamesSettingsOfTheServer(t *testing.T) {
	sqltest.NeedsPrivate(t)
	db := whole(t)
	for problem, setting := range map[string]string{
		"the server is read-only (" + sqltest.ReadOnlyVariable() + "):": sqltest.ReadOnlyVariable() + " = 1",
		"max_allowed_packet is 524288, with which the server refuses":   "max_allowed_packet = 524288",
	} {
		name, _, _ := strings.Cut(setting, " ")
		run(t, db, "SET GLOBAL "+setting)
		found := problems(t, db.Pool(t))
		run(t, db, "SET GLOBAL "+name+" = DEFAULT")
		require.Len(t, found, 1)
		require.Contains(t, found[0], problem)
	}
	require.Empty(t, problems(t, db.Pool(t)))
}

// TiDB drops CHECK constraints without a word unless it is told to keep them. Migrate makes no table then, and Check names the
// setting.
//
//nolint:paralleltest // the setting is the server's
func TestAServerThatDropsChecksIsRefused(t *testing.T) {
	if !sqltest.TiDB() {
		t.Skip("of TiDB alone: no other server drops CHECK constraints")
	}
	sqltest.NeedsPrivate(t)
	db, ctx := sqltest.Open(t, defaults), t.Context()
	keeps := func(value string) { run(t, db, "SET GLOBAL tidb_enable_check_constraint = "+value) }
	defer keeps("ON")
	keeps("OFF")
	err := sqlstore.Migrate(ctx, db.DB, nil)
	require.ErrorIs(t, err, stock.ErrStore)
	require.ErrorContains(t, err, "SET GLOBAL tidb_enable_check_constraint = ON")
	require.Zero(t, value[int](t, db, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"))
	keeps("ON")
	require.NoError(t, sqlstore.Migrate(ctx, db.DB, nil))
	require.Empty(t, problems(t, db))
	keeps("OFF")
	found := problems(t, db)
	require.Len(t, found, 1)
	require.Contains(t, found[0], "SET GLOBAL tidb_enable_check_constraint = ON")
}
