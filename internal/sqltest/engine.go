package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What the tests assume of a server that not all of them do is here.

// version is what the server calls itself, in small letters; empty where there is none.
var version = sync.OnceValue(func() string { return answer("SELECT VERSION()") })

// galera is "1" where the server is a node of a Galera cluster.
var galera = sync.OnceValue(func() string { return answer("SELECT @@wsrep_on") })

// answer asks the server for a value; empty where there is no server, or it has no such value.
func answer(query string) (value string) {
	config, err := parseServer()
	if err != nil || os.Getenv(Variable) == "" {
		return ""
	}
	db, err := connect(config, &Wire{})
	if err != nil {
		return ""
	}
	defer func() { _ = db.Close() }()
	if db.QueryRowContext(context.Background(), query).Scan(&value) != nil {
		return ""
	}
	return strings.ToLower(value)
}

// MariaDB reports whether the server is one; false where there is none.
func MariaDB() bool { return strings.Contains(version(), "mariadb") }

// TiDB reports whether the server is one; false where there is none.
func TiDB() bool { return strings.Contains(version(), "tidb") }

// Galera reports whether the server is a node of a Galera cluster; false where there is none.
func Galera() bool { return galera() == "1" }

// Decisive returns what the last statement of a change contains that one statement makes, and that match finds where it commits
// itself. On TiDB it is the COMMIT behind it.
func Decisive(match string) string {
	if TiDB() {
		return "COMMIT AND"
	}
	return match
}

// OfOne returns what a call has to say whose only statement was cut off: cut where that commits itself, and none where, as on TiDB, it
// is inside a transaction, of which nothing is done then.
func OfOne(cut, none error) error {
	if TiDB() {
		return none
	}
	return cut
}

// Rebuilds reports whether a table can get another engine or another primary key. TiDB has one engine, and rows that stay where their
// first key has put them.
func Rebuilds() bool { return !TiDB() }

// LeavesUnenforced reports whether the server can have constraints that it does not enforce. MariaDB has none.
func LeavesUnenforced() bool { return !MariaDB() }

// Slow reports whether a statement takes tens of milliseconds, and a migration a minute: TiDB does on its test store, among other tests.
func Slow() bool { return TiDB() }

// Kills returns how many of some sessions a test kills in the middle of a transaction. TiDB keeps the locks of one that waits for its
// client until they expire, 20 s later: a crowd that needs the same row would stand that long for each.
func Kills(sessions int) int {
	if TiDB() {
		return min(sessions, 2)
	}
	return sessions
}

// Commits returns how many COMMITs of changes were sent where that of so many changes of one statement each may be left to the
// server. TiDB gets a transaction for each of them.
func Commits(others, alone int) int {
	if TiDB() {
		return others + alone
	}
	return others
}

// Step returns how many statements a step of one order is, which one UPDATE makes where that joins hold, items and buyers. TiDB gets
// a statement for each, behind one that locks the hold, and so many more.
func Step(more int) int {
	if TiDB() {
		return 1 + more
	}
	return 1
}

// LookAtKeys is how many statements find out which of some keys have a row that may not be committed yet, and what time it is. TiDB
// shows no such row, so each key is locked, and the clock is read behind that.
func LookAtKeys() int {
	if TiDB() {
		return 2
	}
	return 1
}

// PassingOver is how a locking read ends that does not wait for what others have locked.
func PassingOver() string {
	if TiDB() {
		return "NOWAIT"
	}
	return "SKIP LOCKED"
}

// Transactions is the table of the transactions that are under way.
func Transactions() string {
	if TiDB() {
		return "information_schema.CLUSTER_TIDB_TRX"
	}
	return "information_schema.INNODB_TRX"
}

// ReadOnlyVariable is the setting of a server that takes no changes. TiDB refuses the other name.
func ReadOnlyVariable() string {
	if TiDB() {
		return "tidb_super_read_only"
	}
	return "read_only"
}

// IsolationVariable is what the server calls the isolation level of a session.
func IsolationVariable() string {
	if MariaDB() {
		return "tx_isolation"
	}
	return "transaction_isolation"
}

// lacks reports whether the server has no such setting. TiDB refuses SERIALIZABLE.
func lacks(setting string) bool { return TiDB() && setting == "Serializable" }

// Accepts reports whether a session can have these settings. TiDB refuses two isolation levels and a session that only reads, and
// has no binary log.
func Accepts(settings map[string]string) bool {
	for name, value := range settings {
		switch {
		case !TiDB():
		case value == "'READ-UNCOMMITTED'", value == "'SERIALIZABLE'", strings.HasSuffix(name, "read_only"), name == "binlog_format":
			return false
		}
	}
	return true
}

// purging is where InnoDB says how far its purge has come.
var purging = regexp.MustCompile(`Trx id counter (\d+)\s+Purge done for trx's n:o < (\d+)[^\n]*\s+History list length (\d+)`)

// purged asks the server how far its purge has come: which transactions have left nothing behind, and the number of the next one.
// TiDB locks no gaps, so what it has not purged yet is in nobody's way.
func purged(ctx context.Context, admin *sql.DB) (done, next int64, err error) {
	if TiDB() {
		return 0, 0, nil
	}
	var kind, name, status string
	if err := admin.QueryRowContext(ctx, "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status); err != nil {
		return 0, 0, err
	}
	found := purging.FindStringSubmatch(status)
	if found == nil {
		return 0, 0, fmt.Errorf("%w: the server does not say how far its purge has come", errSpoilt)
	}
	var numbers [3]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(found[i+1], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	if next, done = numbers[0], numbers[1]; numbers[2] == 0 { // nothing is left to purge
		done = next
	}
	return done, next, nil
}

// AwaitKilled waits until the server has closed the connections that it was told to kill. Those of TiDB end a moment after it has
// said so, and a pool could still take one of them for good.
func AwaitKilled(t testing.TB, admin *sql.DB, ids []string) {
	t.Helper()
	for TiDB() && len(ids) > 0 {
		left, err := Strings(t.Context(), admin, "SELECT ID FROM information_schema.PROCESSLIST WHERE ID IN ("+strings.Join(ids, ", ")+")")
		if err != nil {
			t.Error(err)
			return
		}
		ids = left
	}
}

// NeedsInnoDB skips a test of what TiDB does in ways of its own, such as its plans.
func NeedsInnoDB(t testing.TB, what string) {
	t.Helper()
	if TiDB() {
		t.Skip("of InnoDB alone: " + what)
	}
}

// NeedsChangesThatWait skips a test of a change of a table that waits for who uses it. That of Galera ends their transactions.
func NeedsChangesThatWait(t testing.TB) {
	t.Helper()
	NeedsInnoDB(t, "the change of a table holds up who comes after it")
	if Galera() {
		t.Skip("the change of a table waits for nobody on Galera")
	}
}
