package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// txCase is a call in a caller's transaction. Cases are numbered: whatever names things takes them from numbered, so that
// those of a case are the newest there are when it begins.
type txCase struct {
	name    string
	prepare func(n int)                                            // what is there before the transaction
	call    func(ctx context.Context, tx sqlstore.Tx, n int) error // in it; nil is none
	want    error                                                  // nil: it takes effect
}

// neighbour is a call elsewhere, on things that the transaction has nothing to do with: also those whose keys come right
// before or behind its own.
type neighbour struct {
	name string
	call func(ctx context.Context, n int) error
}

// The places of the names of a case.
const (
	earlier = 2
	own     = 5
	later   = 8
)

// numbered returns a name of a case, which sort by case and place.
func numbered(n, place int) string { return fmt.Sprintf("%04d-%d", n, place) }

// number returns the same as a number.
func number(n, place int) int64 { return int64(1000 + 10*n + place) }

// elsewhere is a pool whose statements give up a second after they have met the lock of somebody else.
func elsewhere(t testing.TB, db *sqltest.DB) *sqltest.DB {
	t.Helper()
	impatient().Apply(db.Config)
	return fixture{t, db}.another()
}

// inTransactions makes each call in a transaction that stays open, calls look in it, and takes it back. Cases are numbered behind n.
func inTransactions(t *testing.T, db *sqltest.DB, n int, cases []txCase, before, look func(tx *sql.Tx, n int, name string)) {
	t.Helper()
	ctx := t.Context()
	for _, level := range levels() {
		if testing.Short() && level != sql.LevelRepeatableRead {
			continue
		}
		for _, c := range cases {
			n++
			if c.prepare != nil {
				c.prepare(n)
			}
			name := caseName(level, c)
			tx := must(db.BeginTx(ctx, &sql.TxOptions{Isolation: level}))(t)
			before(tx, n, name)
			require.ErrorIs(t, c.call(ctx, tx, n), c.want, name)
			look(tx, n, name)
			require.NoError(t, tx.Rollback(), name)
		}
	}
}

// caseName names a case at a level.
func caseName(level sql.IsolationLevel, c txCase) string { return fmt.Sprintf("%v: %s", level, c.name) }

// keepNobodyWaiting demands that what happens elsewhere goes through while the transaction of a case is open.
func keepNobodyWaiting(t *testing.T, db *sqltest.DB, cases []txCase, neighbours []neighbour) {
	t.Helper()
	waits := func(n int, cases []txCase) (waited map[string]string) {
		waited = map[string]string{}
		inTransactions(t, db, n, cases, func(*sql.Tx, int, string) {}, func(_ *sql.Tx, n int, name string) {
			for _, other := range neighbours {
				if err := other.call(t.Context(), n); err != nil {
					waited[name] += fmt.Sprintf("%s keeps waiting: %s: %v\n", name, other.name, err)
				}
			}
		})
		return waited
	}
	// Where a neighbour's row splits a page before the row of a case, InnoDB hands the lock of that row on to the gap in front of it.
	// That happens once a page, whatever a statement locks: what keeps others waiting does so again, with other rows.
	waited := waits(0, cases)
	again := slices.DeleteFunc(slices.Clone(cases), func(c txCase) bool {
		return !slices.ContainsFunc(levels(), func(l sql.IsolationLevel) bool { return waited[caseName(l, c)] != "" })
	})
	for _, lines := range waits(len(levels())*len(cases), again) {
		t.Error(lines)
	}
}

// leaveTheInsertID demands that LAST_INSERT_ID is the caller's after each call.
func leaveTheInsertID(t *testing.T, db *sqltest.DB, cases []txCase) {
	t.Helper()
	inTransactions(t, db, 0, cases,
		func(tx *sql.Tx, _ int, _ string) { run(t, tx, "DO LAST_INSERT_ID(777)") },
		func(tx *sql.Tx, _ int, name string) {
			if id := value[int](t, tx, "SELECT LAST_INSERT_ID()"); id != 777 {
				t.Errorf("%s: LAST_INSERT_ID is %d", name, id)
			}
		})
}

// both returns the first of two errors.
func both(errs ...error) error { return cmp.Or(errs...) }

// readAll reads a listing to its end.
func readAll[T any](listing iter.Seq2[T, error]) error { return of(suite.Gather(listing)) }

// ordinary makes an ordinary item of 10,000 units.
func ordinary(t testing.TB, db *sqltest.DB, skus ...int64) {
	t.Helper()
	inv := stock.New(sqlstore.NewStock(db.DB, nil), nil)
	for _, sku := range skus {
		require.NoError(t, of(inv.Define(t.Context(), stock.Key{SKU: sku}, 10_000, stock.Terms{})))
	}
}

// noneStartsOver runs transactions of a caller, so many at a time, each until it has committed. It demands that none of them was
// told to start over.
func noneStartsOver(t *testing.T, db *sqltest.DB, width, transactions int, do func(tx *sql.Tx, i int) error) {
	t.Helper()
	once := func(i int) error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := do(tx, i); err != nil {
			return err
		}
		return tx.Commit()
	}
	var again atomic.Int64
	for _, err := range suite.Crowd(transactions, width, func(i int) error {
		err := once(i)
		for ; sqlstore.Retryable(err); err = once(i) {
			again.Add(1)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	if !conflicts(t, db) && !sqltest.TiDB() { // which locks the rows of one INSERT in no order
		require.Zero(t, again.Load(), "transactions that had to start over")
	}
}

// Parallel imports of what is new, each in a transaction and a range of its own, never meet in a deadlock.
func TestDefinitionsInTransactionsMeetNoDeadlock(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (db *sqltest.DB, each int64, define func(tx *sql.Tx, id int64) error){
		"campaigns": func(t *testing.T) (*sqltest.DB, int64, func(tx *sql.Tx, id int64) error) {
			t.Helper()
			m := openMall(t, nil)
			return m.db, 30, func(tx *sql.Tx, id int64) error {
				return of(m.On(m.store.WithTx(tx)).Define(t.Context(), id, 5, coupon.Rules{}, tenOff()))
			}
		},
		"packets": func(t *testing.T) (*sqltest.DB, int64, func(tx *sql.Tx, id int64) error) {
			t.Helper()
			p := openPurse(t)
			return p.db, 30, func(tx *sql.Tx, id int64) error {
				return of(p.On(p.store.WithTx(tx)).Send(t.Context(), packetOf(id, 100, 2)))
			}
		},
		"activities and products": func(t *testing.T) (*sqltest.DB, int64, func(tx *sql.Tx, id int64) error) {
			t.Helper()
			b := openBazaar(t, defaults, 3, 10)
			for i := range int64(4) {
				ordinary(t, b.db, 1000+i*1000, 1001+i*1000, 1002+i*1000)
			}
			return b.db, 3, func(tx *sql.Tx, id int64) error {
				g := b.On(b.store.WithTx(tx))
				activity := groupbuy.Activity{ID: id, Title: "week", Formation: teamTime, End: start.Add(time.Hour)}
				return both(of(g.Define(t.Context(), activity)), of(g.Offer(t.Context(), productOf(stock.Key{SKU: id, Activity: id}), 5)))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, each, define := open(t)
			noneStartsOver(t, db, 4, 4, func(tx *sql.Tx, i int) (err error) {
				for id := int64(0); id < each && err == nil; id++ {
					err = define(tx, int64(i+1)*1000+id)
				}
				return err
			})
		})
	}
}
