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
)

// What the tests assume of a server that not all of them do is here.

// version is what the server calls itself, in small letters; empty where there is none.
var version = sync.OnceValue(func() (version string) {
	config, err := parseServer()
	if err != nil || os.Getenv(Variable) == "" {
		return ""
	}
	db, err := connect(config, &Wire{})
	if err != nil {
		return ""
	}
	defer func() { _ = db.Close() }()
	if db.QueryRow("SELECT VERSION()").Scan(&version) != nil {
		return ""
	}
	return strings.ToLower(version)
})

// MariaDB reports whether the server is one; false where there is none.
func MariaDB() bool { return strings.Contains(version(), "mariadb") }

// TiDB reports whether the server is one; false where there is none.
func TiDB() bool { return strings.Contains(version(), "tidb") }

// IsolationVariable is what the server calls the isolation level of a session.
func IsolationVariable() string {
	if MariaDB() {
		return "tx_isolation"
	}
	return "transaction_isolation"
}

// lacks reports whether the server has no such setting. TiDB refuses SERIALIZABLE.
func lacks(setting string) bool { return TiDB() && setting == "Serializable" }

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
