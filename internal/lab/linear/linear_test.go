package linear

import (
	"context"
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-go/holdfast/internal/lab/server"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

var (
	histories = flag.Int("histories", 20, "histories of each setting and server")
	seed      = flag.Int64("seed", 1, "what is drawn: the items and the calls, not how these meet")
)

// atOnce is how many histories happen at the same time: their calls share batches.
const atOnce = 12

// few are the slots of a store whose calls share nearly all transactions: one goes alone, the others wait for the next batch.
const few = 2

// fresh is a store that remembers nothing of what is sold out.
var fresh = sqlstore.Options{SoldOutFor: -1, Batches: few}

// settings are the processes of a run. What is remembered is right within one process.
var settings = map[string][]*sqlstore.Options{
	"AsUsual":                   {nil},
	"OneProcess":                {{Batches: few}},
	"OneProcessWithoutMemory":   {&fresh},
	"TwoProcessesWithoutMemory": {&fresh, &fresh},
	"BesideOneThatDoesNotMerge": {&fresh, {SoldOutFor: -1, Unmerged: true}},
}

// Answers of concurrent calls for several items are those of the same calls made one after the other, on each server and in each
// setting.
func TestAnswersAreTrue(t *testing.T) {
	t.Parallel()
	for name, open := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := open(t)
			for name, opts := range settings {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					check(t, dsn, opts)
				})
			}
		})
	}
}

// check plays histories in a database of their own, and checks each.
func check(t *testing.T, dsn string, opts []*sqlstore.Options) {
	t.Helper()
	var stores []stock.Store
	var db *sql.DB
	config := database(t, dsn)
	for _, o := range opts {
		db = pool(t, config)
		stores = append(stores, sqlstore.NewStock(db, o))
	}
	if err := sqlstore.Migrate(t.Context(), db, nil); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	wrong, calls := 0, 0
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atOnce)
	for id := range *histories {
		group.Go(func() error {
			h, err := newWorld(*seed, id).play(ctx, stores)
			if err != nil {
				return err
			}
			problem := h.check(ctx)
			mu.Lock()
			defer mu.Unlock()
			calls += len(h.calls)
			if problem != "" {
				if wrong++; wrong <= 5 {
					t.Error(problem)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d histories, %d calls, %.1f Locks a transaction, %d wrong", *histories, calls, shared(t, db), wrong)
	audit(t, stores[0])
}

// shared returns how many of the holds share a transaction: those that have its clock.
func shared(t *testing.T, db *sql.DB) (n float64) {
	t.Helper()
	const query = "SELECT COUNT(*) / COUNT(DISTINCT CREATE_TIME) FROM goods_stock_hold WHERE LINE_NO = 1 AND SKU_ID > 0"
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// audit demands that the books balance.
func audit(t *testing.T, store stock.Store) {
	t.Helper()
	report, err := stock.New(store, nil).Audit(t.Context())
	if err != nil || len(report.Drifts) > 0 {
		t.Errorf("audit: %v, %v", report.Drifts, err)
	}
}

// servers returns the server of HOLDFAST_TEST_DSN, or those that are installed. No test installs one.
func servers(t *testing.T) map[string]func(t *testing.T) string {
	t.Helper()
	if dsn := os.Getenv("HOLDFAST_TEST_DSN"); dsn != "" {
		return map[string]func(*testing.T) string{"Named": func(*testing.T) string { return dsn }}
	}
	all := map[string]func(*testing.T) string{}
	for _, engine := range []server.Engine{server.MariaDB, server.MySQL} {
		if server.Installed(t.Context(), engine) {
			all[string(engine)] = func(t *testing.T) string { t.Helper(); return start(t, engine) }
		}
	}
	if len(all) == 0 {
		t.Skip("neither MariaDB nor MySQL is installed")
	}
	return all
}

// start starts a server that need not outlive its machine.
func start(t *testing.T, engine server.Engine) string {
	t.Helper()
	s, err := server.Start(t.Context(), engine, &server.Options{Args: []string{"--innodb-flush-method=nosync", "--sync-binlog=0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s.DSN()
}

// database creates a database and drops it when the test ends.
func database(t *testing.T, dsn string) *mysql.Config {
	t.Helper()
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprint("holdfast_linear_", rand.Text()[:8])
	admin := pool(t, config)
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name); err != nil {
			t.Error(err)
		}
	})
	config = config.Clone()
	config.DBName = name
	return config
}

// pool opens a database until the test ends.
func pool(t *testing.T, config *mysql.Config) *sql.DB {
	t.Helper()
	connector, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(24)
	db.SetMaxIdleConns(24)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
