package sqltest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// Variable names the server that SQL tests use.
const Variable = "HOLDFAST_TEST_DSN"

// Private is set where the server is the tests' own, so that they may change it as a whole.
const Private = "HOLDFAST_TEST_PRIVATE"

// NeedsPrivate skips a test that changes the server as a whole, where that is not the tests' own.
func NeedsPrivate(t testing.TB) {
	t.Helper()
	if os.Getenv(Private) == "" {
		t.Skip("the server is not the tests' own: make test starts one if none is named")
	}
}

// StandbyVariable names a node of the same Galera cluster to which nobody writes.
const StandbyVariable = "HOLDFAST_TEST_STANDBY"

// maxConns is how many connections one test may open.
const maxConns = 24

// Variant is a way to open the same database that must change nothing.
type Variant struct {
	Name     string
	Apply    func(*mysql.Config)
	Splitter bool // sends plain SELECTs to a replica that lags; see DB.CatchUp
}

// Variants returns the ways in which the whole suite runs. What does not touch each other is changed together.
func Variants() []Variant {
	return []Variant{
		{Name: "Default", Apply: func(*mysql.Config) {}},
		param("FoundRowsInterpolateParseShanghaiTimeZonePlus8", "time_zone", "'+08:00'").and(Variant{Apply: func(c *mysql.Config) {
			c.ClientFoundRows, c.InterpolateParams, c.ParseTime = true, true, true
			c.Loc = time.FixedZone("Asia/Shanghai", 8*60*60)
		}}),
		isolated("ReadCommitted", "READ-COMMITTED"),
	}
}

// Settings returns what is less usual and must change nothing either. Under the first two, no statement commits by itself.
func Settings() []Variant {
	return slices.DeleteFunc([]Variant{
		param("AutocommitOff", "autocommit", "0").and(param("SafeUpdates", "sql_safe_updates", "1")),
		param("CompletionTypeChain", "completion_type", "'CHAIN'").and(
			param("AnsiQuotesNoBackslashEscapes", "sql_mode", "CONCAT(@@sql_mode, ',ANSI_QUOTES,NO_BACKSLASH_ESCAPES')")),
		isolated("Serializable", "SERIALIZABLE"),
		Splitter(),
	}, func(v Variant) bool { return lacks(v.Name) })
}

// and returns both ways at once.
func (v Variant) and(other Variant) Variant {
	return Variant{Name: v.Name + other.Name, Apply: func(c *mysql.Config) { v.Apply(c); other.Apply(c) }}
}

// Splitter sends plain SELECTs to a replica that has what there was when it last caught up.
func Splitter() Variant {
	return Variant{Name: "Splitter", Apply: func(*mysql.Config) {}, Splitter: true}
}

// param is a session that has a variable of another value.
func param(name, variable, value string) Variant {
	return Variant{Name: name, Apply: func(c *mysql.Config) { c.Params[variable] = value }}
}

// isolated is a session of another isolation level. What it is called depends on the server, which is asked only when there is one.
func isolated(name, level string) Variant {
	return Variant{Name: name, Apply: func(c *mysql.Config) { c.Params[IsolationVariable()] = "'" + level + "'" }}
}

// DB is a database of a test's own.
type DB struct {
	*sql.DB
	Wire   *Wire
	Config *mysql.Config // the DSN it was opened with
}

// Open creates a database and opens it, and drops it when the test ends. The test is skipped where
// no server is named.
func Open(t testing.TB, variant Variant) *DB {
	t.Helper()
	config := server(t)
	name := newName()
	admin := openPool(t, config, &Wire{})
	_, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name) //nolint:noctx // the test's context has ended
		require.NoError(t, err)
		require.NoError(t, admin.Close())
	})
	return open(t, config, name, variant)
}

// newName returns the name of a database that no other test has.
func newName() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return "holdfast_test_" + hex.EncodeToString(b[:])
}

// open opens a database that is there, until the test ends.
func open(t testing.TB, config *mysql.Config, name string, variant Variant) *DB {
	t.Helper()
	own := config.Clone()
	own.DBName = name
	return (&DB{Config: own}).As(t, variant)
}

// Pool opens the same database once more, as another process would, which has no splitter.
func (db *DB) Pool(t testing.TB) *DB {
	t.Helper()
	return db.As(t, Variant{Apply: func(*mysql.Config) {}})
}

// Standby opens the same database at the node to which nobody writes. The test is skipped where there is none.
func (db *DB) Standby(t testing.TB) *DB {
	t.Helper()
	dsn := os.Getenv(StandbyVariable)
	if dsn == "" {
		t.Skip("no cluster: make test ENGINE=galera starts one")
	}
	config, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	return db.As(t, Variant{Apply: func(c *mysql.Config) { c.Net, c.Addr = config.Net, config.Addr }})
}

// As opens the same database once more, in a way that is added to how it was opened.
func (db *DB) As(t testing.TB, variant Variant) *DB {
	t.Helper()
	config, wire := db.Config.Clone(), &Wire{}
	config.Params = map[string]string{} // Clone does not copy an empty one
	maps.Copy(config.Params, db.Config.Params)
	variant.Apply(config)
	if variant.Splitter {
		connector, err := mysql.NewConnector(config)
		require.NoError(t, err)
		wire.replica = &replica{connector: connector}
		require.NoError(t, wire.replica.catchUp(t.Context()))
	}
	pool := openPool(t, config, wire)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return &DB{DB: pool, Wire: wire, Config: config}
}

// Admin opens the server without a database, for what concerns the whole of it.
func Admin(t testing.TB) *sql.DB {
	t.Helper()
	pool := openPool(t, server(t), &Wire{})
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

// server returns the server's DSN, or skips the test.
func server(t testing.TB) *mysql.Config {
	t.Helper()
	dsn := os.Getenv(Variable)
	if dsn == "" {
		t.Skip("no server: set " + Variable + ", for example root@tcp(127.0.0.1:3306)/")
	}
	config, err := parseServer()
	require.NoError(t, err)
	return config
}

// parseServer returns the server's DSN.
func parseServer() (*mysql.Config, error) { return mysql.ParseDSN(os.Getenv(Variable)) }

// openPool opens a pool through a wire.
func openPool(t testing.TB, config *mysql.Config, wire *Wire) *sql.DB {
	t.Helper()
	db, err := connect(config, wire)
	require.NoError(t, err)
	return db
}

// connect opens a pool that nobody closes.
func connect(config *mysql.Config, wire *Wire) (*sql.DB, error) {
	config = config.Clone()
	config.Logger = &mysql.NopLogger{} // lost connections are what some tests are about
	c, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(&connector{Connector: c, wire: wire})
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	return db, nil
}
