package sqltest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The oldest servers that statements are written for; sqlstore.Check refuses older ones.
const (
	OldestMySQL   = "8.0.16"
	OldestMariaDB = "10.6"
)

// never is the version of a server that does not have a feature.
const never = "-"

// Feature is something of SQL that not every server has: the first version of each that has it. TiDB is there to be read:
// what it lacks, the store's dialect for it does without.
type Feature struct {
	Name                 string
	MySQL, MariaDB, TiDB string
	pattern              *regexp.Regexp
}

// feature is a Feature whose use a pattern finds in a statement that has been cleaned.
func feature(name, mysql, mariadb, tidb, pattern string) Feature {
	return Feature{name, mysql, mariadb, tidb, regexp.MustCompile(pattern)}
}

// Features are those that somebody might use. The manuals say since when each is there:
// MySQL Reference Manual, "What Is New in MySQL 8.0" and the page of each statement (dev.mysql.com/doc/refman/8.0/en/),
// and the release notes (dev.mysql.com/doc/relnotes/mysql/8.0/en/); MariaDB, "Changes & Improvements" of each series and
// the page of each statement (mariadb.com/docs/); TiDB, "MySQL Compatibility" and "TiDB Features"
// (docs.pingcap.com/tidb/stable/), whose versions are as the pages say: nothing here rests on them.
var Features = []Feature{
	// insert-on-duplicate.html; WL#6312. MariaDB and TiDB have VALUES(column) only.
	feature("alias of the new row", "8.0.19", never, never, `VALUES .*\) (AS )?[a-z]\w*( \([^)]*\))? ON DUPLICATE`),
	feature("alias of the new row, after SET", "8.0.19", never, never, `INSERT .* SET [^()]* AS [a-z]\w* ON DUPLICATE`),
	// derived-tables.html: column names of a derived table. MariaDB 11.7 release notes.
	feature("column names of a derived table", "8.0.19", "11.7", never, `\) (AS )?[a-z]\w* ?\([A-Z_]+(, [A-Z_]+)*\)`),
	feature("VALUES ROW()", "8.0.19", never, never, `\bROW ?\(`),                       // values.html
	feature("VALUES as a table", "8.0.19", "10.3", never, `\( ?VALUES \(`),             // values.html
	feature("TABLE statement", "8.0.19", never, "6.1", `(^|\( ?|UNION (ALL )?)TABLE `), // table.html
	// innodb-locking-reads.html; MariaDB, SELECT: NOWAIT, SKIP LOCKED. TiDB parses SKIP LOCKED and ignores it.
	feature("SKIP LOCKED", "8.0.1", "10.6", never, `\bSKIP LOCKED\b`),
	feature("NOWAIT", "8.0.1", "10.3", "4.0", `\bNOWAIT\b`),
	feature("WAIT n", never, "10.3", never, `\bWAIT \d`),
	feature("FOR SHARE", "8.0.1", never, "4.0", `\bFOR SHARE\b`),
	feature("LOCK IN SHARE MODE", "5.7", "10.2", never, `\bLOCK IN SHARE MODE\b`),
	feature("lock of some tables", "8.0.1", never, "4.0", `FOR (UPDATE|SHARE) OF\b`),
	// insertreturning, delete, update (MariaDB).
	feature("RETURNING", never, "10.5", never, `\bRETURNING\b`),
	feature("INTERSECT", "8.0.31", "10.3", "5.0", `\bINTERSECT\b`), // intersect.html
	feature("EXCEPT", "8.0.31", "10.3", "5.0", `\bEXCEPT\b`),       // except.html
	feature("queries in parentheses within each other", "8.0.22", "10.4", "5.0", `^\( ?\(|UNION (ALL )?\( ?\(`),
	feature("common table expression", "8.0.1", "10.2.1", "5.1", `\bWITH (RECURSIVE )?\w+ (\([^)]*\) )?AS ?\(`), // with.html
	feature("window function", "8.0.2", "10.2", "3.0", `\bOVER( ?\(| \w)`),                                      // window-functions.html
	feature("LATERAL", "8.0.14", never, never, `\bLATERAL\b`),                                                   // lateral-derived-tables.html
	feature("JSON_TABLE", "8.0.4", "10.6", never, `\bJSON_TABLE\b`),                                             // json-table-functions.html
	feature("JSON_ARRAYAGG, JSON_OBJECTAGG", "5.7.22", "10.5", "2.1", `\bJSON_(ARRAY|OBJECT)AGG\b`),
	feature("JSON_VALUE ... RETURNING", "8.0.21", never, never, `\bJSON_VALUE\b`),
	feature("MEMBER OF", "8.0.17", never, "6.6", `\bMEMBER OF\b`),
	feature("REGEXP_LIKE", "8.0.4", never, "6.4", `\bREGEXP_LIKE\b`),
	feature("UUID_TO_BIN", "8.0.0", never, "3.0", `\b(UUID_TO_BIN|BIN_TO_UUID)\b`),
	feature("ANY_VALUE", "5.7.5", never, "2.0", `\bANY_VALUE\b`),
	feature("GROUPING", "8.0.1", never, "7.4", `\bGROUPING\b`),
	feature("optimizer hint", "5.7.7", never, "2.0", `/\*\+`), // MariaDB reads it as a comment
	feature("index hint by name, FOR ...", "5.7", "10.2", "4.0", `INDEX FOR\b`),
	// delete.html: an alias in a DELETE of one table. MariaDB 11.6 release notes.
	feature("alias in DELETE FROM", "8.0.16", "11.6", "2.1", `\bDELETE FROM \w+ (AS )?[a-z]\w*\b`),
	feature("RETURNING of a sequence", never, "10.3", "4.0", `\b(NEXTVAL|NEXT VALUE FOR)\b`),
	// create-table-check-constraints.html; MariaDB, CONSTRAINT. TiDB ignores them unless tidb_enable_check_constraint is on.
	feature("CHECK constraint", "8.0.16", "10.2.1", "7.2", `\bCHECK ?\(`),
	feature("NOT ENFORCED", "8.0.16", never, "7.2", `\bENFORCED\b`),
	feature("DEFAULT (expression)", "8.0.13", "10.2.1", "8.0", `\bDEFAULT ?\(`),                                 // data-type-defaults.html
	feature("index on an expression", "8.0.13", never, "5.0", `(KEY|INDEX)( [a-z]\w*)? \(([^()]|\(\d+\))*\(\D`), // create-index.html
	feature("descending index", "8.0.1", "10.8", never, `KEY [a-z]\w* \([^)]*\bDESC\b`),
	feature("invisible column", "8.0.23", "10.3", never, `NULL[^,]* INVISIBLE\b`), // invisible-columns.html
	feature("invisible index", "8.0.0", never, "5.0", `\) INVISIBLE\b`),           // invisible-indexes.html; MariaDB 10.6 says IGNORED
	feature("ignored index", never, "10.6", never, `\bIGNORED\b`),
	feature("generated column", "5.7", "10.2", "2.1", `\bGENERATED\b|\bSTORED\b|\bVIRTUAL\b`),
	feature("system-versioned table", never, "10.3", never, `SYSTEM VERSIONING|FOR SYSTEM_TIME`),
	// innodb-online-ddl-operations.html; MariaDB, InnoDB Online DDL Operations with the INSTANT Alter Algorithm.
	feature("ALGORITHM = INSTANT", "8.0.12", "10.3.2", "2.1", `\bALGORITHM ?= ?INSTANT\b`),
	feature("ADD, DROP ... IF [NOT] EXISTS", never, "10.0", "2.1", `(ADD|DROP|MODIFY|CHANGE) (COLUMN|KEY|INDEX|CONSTRAINT) IF `),
	feature("CREATE INDEX IF NOT EXISTS", never, "10.1", "2.1", `INDEX IF NOT EXISTS`),
	feature("CREATE OR REPLACE TABLE", never, "10.0.8", never, `CREATE OR REPLACE TABLE`),
	feature("RENAME COLUMN", "8.0.3", "10.5.2", "3.0", `\bRENAME COLUMN\b`), // alter-table.html
	feature("DROP CONSTRAINT", "8.0.19", "10.2.1", "7.2", `\bDROP CONSTRAINT\b`),
	feature("DROP CHECK", "8.0.16", never, "7.2", `\bDROP CHECK\b`),
	feature("SET STATEMENT", never, "10.1", never, `\bSET STATEMENT\b`), // only within a comment that only MariaDB reads
}

// words are those of statements that every server has: in MySQL 5.7 and MariaDB 10.2, the oldest whose manuals were looked at.
const words = `ADD ALGORITHM ALL ALTER AND AS AUTO_INCREMENT BEGIN BETWEEN BIGINT BINARY BY CASE CAST CHAIN CHAR CHARACTER COALESCE
 COLUMN COMMENT COMMIT COMMITTED CONCAT CONNECTION_ID CONSTRAINT COUNT CREATE CROSS DATABASE DATE DATETIME DECIMAL
 DEFAULT DELETE DESC DISTINCT DO DROP DUPLICATE ELSE END ENGINE EXISTS EXPLAIN FALSE FOR FORCE FROM GET_LOCK GLOBAL
 GREATEST GROUP HAVING HOUR IF IGNORE IN INDEX INNER INNODB_TRX INPLACE INSERT INT INTERVAL INTO IS ISOLATION InnoDB
 JOIN KEY KILL LAST_INSERT_ID LEAST LEFT LENGTH LEVEL LIKE LIMIT LOCK MAX MICROSECOND MIN MINUTE MOD NO NONE NOT NULL NULLIF
 ON OR ORDER PRIMARY PROCESSLIST QUERY READ RELEASE RELEASE_LOCK REPEATABLE REPLACE ROLLBACK SAVEPOINT SECOND SELECT
 SESSION SET SHA2 SHARE SHOW SIGNED SMALLINT START STATISTICS STATUS STRAIGHT_JOIN SUM TABLE TABLES TABLE_CONSTRAINTS
 THEN TIMESTAMP TIMESTAMPADD TIMESTAMPDIFF TINYINT TO TRANSACTION TRUE UNCOMMITTED UNION UNIQUE UPDATE USING
 UTC_TIMESTAMP VALUES VARBINARY VARCHAR VARIABLES VERSION WHEN WHERE`

// What has to be cut out of a statement, or put in its place, before its words are looked at.
var (
	quoted      = regexp.MustCompile(`'(?:[^'\\]|''|\\.)*'`)
	lineComment = regexp.MustCompile(`(?m)^\s*--.*$`)
	onlyMariaDB = regexp.MustCompile(`/\*M!\d* (.*?)\*/`)
	comment     = regexp.MustCompile(`/\*[^!+M].*?\*/`)
	hint        = regexp.MustCompile(`/\*\+.*?\*/`)
	spaces      = regexp.MustCompile(`\s+`)
	word        = regexp.MustCompile(`\.?\b[A-Za-z_][A-Za-z_0-9]*\b`)
	named       = regexp.MustCompile(`\bAS ([A-Z_0-9]+)\b`)
	column      = regexp.MustCompile(`(?m)^  (?:ADD COLUMN )?([A-Z_]+) +[A-Z]+(?:\([\d, ]+\))? +(?:NOT )?NULL`)
)

// ColumnsOf returns the names of the columns that migrations make, which are no words of SQL where they stand alone.
func ColumnsOf(migrations string) (names []string) {
	for _, c := range column.FindAllStringSubmatch(migrations, -1) {
		names = append(names, c[1])
	}
	return names
}

// TooNew says what in a statement one of the oldest servers does not have, or what is not known: a word in capitals that is
// neither SQL of long ago nor a column, and every function.
func TooNew(statement string, columns []string) (found []string) {
	text := lineComment.ReplaceAllString(statement, "")
	text = spaces.ReplaceAllString(comment.ReplaceAllString(quoted.ReplaceAllString(text, "'s'"), ""), " ")
	only := onlyMariaDB.FindAllStringSubmatch(text, -1)
	text = strings.TrimSpace(onlyMariaDB.ReplaceAllString(text, ""))
	sql, names := strings.Fields(words), slices.Clone(columns)
	for _, f := range Features {
		at := f.pattern.FindString(text)
		if at != "" && (older(OldestMySQL, f.MySQL) || older(OldestMariaDB, f.MariaDB)) {
			found = append(found, fmt.Sprintf("%s: MySQL %s, MariaDB %s", f.Name, f.MySQL, f.MariaDB))
		}
		for _, m := range only {
			if f.pattern.MatchString(m[1]) && older(OldestMariaDB, f.MariaDB) {
				found = append(found, fmt.Sprintf("%s: MariaDB %s", f.Name, f.MariaDB))
			}
		}
		sql = append(sql, word.FindAllString(at, -1)...)
	}
	for _, n := range named.FindAllStringSubmatch(text, -1) {
		names = append(names, n[1])
	}
	text = hint.ReplaceAllString(text, "")
	for _, at := range word.FindAllStringIndex(text, -1) {
		w, calls := text[at[0]:at[1]], strings.HasPrefix(text[at[1]:], "(")
		switch {
		case strings.HasPrefix(w, "."), w == "x", !calls && w == strings.ToLower(w): // a column, a string, a table
		case slices.Contains(sql, w), !calls && slices.Contains(names, w):
		default:
			found = append(found, "not known: "+w)
		}
	}
	return slices.Compact(found)
}

// older reports whether a server of a version lacks what another version has first.
func older(server, first string) bool { return first == never || numbers(server) < numbers(first) }

// numbers makes versions comparable.
func numbers(version string) (n int) {
	parts := strings.SplitN(version, ".", 3)
	for i := range 3 {
		var part int
		if i < len(parts) {
			_, _ = fmt.Sscan(parts[i], &part)
		}
		n = n*1000 + part
	}
	return n
}
