package sqlstore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/stocktest"
)

// TestStockUnderSettings runs the conformance suite in sessions that are set as a few shops have them.
func TestStockUnderSettings(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: only the usual way")
	}
	for _, variant := range sqltest.Settings() {
		t.Run(variant.Name, func(t *testing.T) {
			t.Parallel()
			if variant.Name == "Serializable" && conflicts(t, prepared(t, defaults, stockTables)) {
				t.Skip("a crowd in SERIALIZABLE transactions is told to start over where innodb_snapshot_isolation is on")
			}
			stocktest.Run(t, func(t testing.TB) stocktest.Harness {
				t.Helper()
				return settingHarness(t, variant)
			})
		})
	}
}

func settingHarness(t testing.TB, variant sqltest.Variant) stocktest.Harness {
	t.Helper()
	db := frozen(t, variant, stockTables, stockLists).db
	store := sqlstore.NewStock(db.DB, nil)
	h := stockHarness(t, db, bound[stock.Store]{store, func(tx sqlstore.Tx) stock.Store { return store.WithTx(tx) }})
	if variant.Splitter {
		h.Store = laggard{store, t, db}
	}
	if variant.Name == "Serializable" { // which has no snapshot: to read all items would lock them
		h.Begin = func(t testing.TB) (stock.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "DUAL", func(tx sqlstore.Tx) stock.Store { return store.WithTx(tx) })
		}
	}
	return h
}

// laggard is a store behind a splitter. What only lists may be behind, so the suite lists what has arrived.
type laggard struct {
	stock.Store
	t  testing.TB
	db *sqltest.DB
}

// List implements stock.Store.
func (l laggard) List(ctx context.Context, spu int64, after stock.Key, limit int) ([]stock.Item, error) {
	l.db.CatchUp(l.t)
	return l.Store.List(ctx, spu, after, limit)
}

// Holds implements stock.Store.
func (l laggard) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	l.db.CatchUp(l.t)
	return l.Store.Holds(ctx, filter, after, limit)
}

// Refunds implements stock.Store.
func (l laggard) Refunds(ctx context.Context, order, after string, limit int) ([]stock.RefundRecord, error) {
	l.db.CatchUp(l.t)
	return l.Store.Refunds(ctx, order, after, limit)
}

// Changes implements stock.Store.
func (l laggard) Changes(ctx context.Context, key stock.Key, after stock.Change, limit int) ([]stock.Change, error) {
	l.db.CatchUp(l.t)
	return l.Store.Changes(ctx, key, after, limit)
}

// Ahead implements stock.Store.
func (l laggard) Ahead(ctx context.Context, hold stock.Hold) (ahead, waiting int64, err error) {
	l.db.CatchUp(l.t)
	return l.Store.Ahead(ctx, hold)
}

// Due implements stock.Store. The dead holds of some keys are in somebody's way; those of all are listed for a sweep.
func (l laggard) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	if keys == nil {
		l.db.CatchUp(l.t)
	}
	return l.Store.Due(ctx, keys, limit)
}

// uncommitting also has a session that ends with each COMMIT. The suite cannot run in it: database/sql meets the end of the
// connection after a caller's own COMMIT.
func uncommitting() []sqltest.Variant {
	return append(sqltest.Settings()[:2], sqltest.Variant{Name: "CompletionTypeRelease", Apply: func(c *mysql.Config) {
		c.Params["completion_type"] = "'RELEASE'"
	}})
}

// Whatever a verb has acknowledged in such a session, everybody sees, and whatever others do, its reads see.
func TestLivesWhereNothingCommitsByItself(t *testing.T) {
	t.Parallel()
	everyLife(t, func(t *testing.T, live life, opts *sqlstore.Options) {
		t.Helper()
		for _, variant := range uncommitting() {
			for turn, who := range []string{"ItsVerbs", "VerbsInTurn", "VerbsInTurnOthersFirst"} {
				if testing.Short() && turn > 0 {
					break
				}
				t.Run(variant.Name+who, func(t *testing.T) {
					t.Parallel()
					liveIn(t, live, variant, opts, turn)
				})
			}
		}
	})
}

// liveIn lives a life in an unusual session and an ordinary one, and demands that both read the same after each verb. With
// turn 0 all verbs are called in the unusual one.
func liveIn(t *testing.T, live life, variant sqltest.Variant, opts *sqlstore.Options, turn int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ordinary := prepared(t, defaults, live.tables...)
	unusual := ordinary.As(t, variant)
	unusual.SetMaxOpenConns(1) // so that no read comes from another connection than the last one's
	pools := []*sqltest.DB{unusual, ordinary}
	after := fixture{t, ordinary}.another()
	wait := func(d time.Duration) {
		for _, pool := range append(pools, after) {
			pool.Wire.Advance(d)
		}
	}
	var verbs [2][]verb
	var reads [2]func() []string
	for i, pool := range pools {
		pool.Wire.Freeze(start)
		verbs[i], reads[i] = live.begin(ctx, pool, opts, wait)
	}
	last := reads[0]()
	for i, verb := range verbs[0] {
		who := 0
		if turn > 0 {
			who = (i + turn + 1) % 2
		}
		require.NoError(t, verbs[who][i].call(), verb.name)
		seen := reads[1]()
		if slices.Equal(last, seen) {
			t.Fatal("others see nothing of " + verb.name)
		}
		require.Equal(t, seen, reads[0](), verb.name)
		last = seen
	}
	require.NoError(t, unusual.Close())
	_, read := live.begin(ctx, after, opts, nil)
	require.Equal(t, last, read(), "the process has ended")
}
