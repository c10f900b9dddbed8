package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	placeOrder = "INSERT INTO shop_order (id, status) VALUES (?, 'new')"
	markPaid   = "UPDATE shop_order SET status = 'paid' WHERE id = ?"
	note       = "INSERT INTO shop_note (about) VALUES (?)"
)

// withOrders is a shop with tables of its own, and a store whose calls are merged or not.
func withOrders(t testing.TB, opts *sqlstore.Options) *shop {
	t.Helper()
	s := open(t, nil)
	s.store = sqlstore.NewStock(s.db.DB, opts)
	s.Inventory = s.On(s.store)
	shopTables(t, s.db)
	return s
}

// shopTables creates the tables of the shop.
func shopTables(t testing.TB, db *sqltest.DB) {
	t.Helper()
	for _, table := range []string{
		"CREATE TABLE shop_order (id VARBINARY(64) PRIMARY KEY, status VARCHAR(8) NOT NULL) ENGINE = InnoDB",
		"CREATE TABLE shop_note (no INT AUTO_INCREMENT PRIMARY KEY, about VARCHAR(64) NOT NULL) ENGINE = InnoDB",
	} {
		require.NoError(t, of(db.ExecContext(t.Context(), table)))
	}
}

// rows counts the rows of a shop's table.
func (s *shop) rows(query string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRowContext(s.t.Context(), "SELECT COUNT(*) FROM "+query, args...).Scan(&n))
	return n
}

// along returns the inventory with a statement.
func (s *shop) along(text string, args ...any) *stock.Inventory {
	return s.On(s.store.Along(text, args...))
}

// failed demands that a statement of the shop has failed for good, and returns the server's number.
func failed(t testing.TB, err error, index int) uint16 {
	t.Helper()
	var refused *sqlstore.AlongError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, index, refused.Index)
	var server *mysql.MySQLError
	require.ErrorAs(t, err, &server)
	require.False(t, stock.Retryable(err))
	require.False(t, sqlstore.Retryable(err))
	return server.Number
}

// eachWay runs a test on a shop whose calls are merged, and on one whose calls are not.
func eachWay(t *testing.T, test func(s *shop)) {
	t.Helper()
	for name, opts := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(withOrders(t, opts))
		})
	}
}

// Every verb that names an order or an operator's ID carries the shop's rows: once, and not where it is a replay.
func TestRowsGoAlongWithEachVerb(t *testing.T) {
	t.Parallel()
	eachWay(t, func(s *shop) {
		ctx := s.t.Context()
		for i, call := range []func(inv *stock.Inventory) error{
			func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "a", one(1), one(2))) },
			func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "b", one(1))) },
			func(inv *stock.Inventory) error { return of(inv.Extend(ctx, "b", start.Add(time.Hour))) },
			func(inv *stock.Inventory) error { return of(inv.Pay(ctx, "a")) },
			func(inv *stock.Inventory) error { return of(inv.Take(ctx, "b", one(1))) }, // which is locked: a Pay
			func(inv *stock.Inventory) error { return of(inv.Take(ctx, "c", one(3))) },
			func(inv *stock.Inventory) error {
				return of(inv.Refund(ctx, stock.Refund{ID: "r", Order: "a", Lines: []stock.Line{one(1)}}))
			},
			func(inv *stock.Inventory) error { return of(inv.Redeem(ctx, "b")) },
			func(inv *stock.Inventory) error { return of(inv.Cancel(ctx, "unknown")) },
			func(inv *stock.Inventory) error { return of(inv.Restock(ctx, "s", stock.Line{SKU: 1, Num: 5})) },
			func(inv *stock.Inventory) error { return of(inv.Define(ctx, stock.Key{SKU: 4}, 5, stock.Terms{})) },
		} {
			require.NoError(s.t, call(s.along(note, fmt.Sprint("call ", i)).For("buyer")), i)
			require.Equal(s.t, 1, s.rows("shop_note WHERE about = ?", fmt.Sprint("call ", i)), i)
			require.NoError(s.t, call(s.along(note, fmt.Sprint("replay ", i)).For("buyer")), i)
			require.Zero(s.t, s.rows("shop_note WHERE about LIKE 'replay%'"), i)
		}
		require.Empty(s.t, must(s.Audit(ctx))(s.t).Drifts)
	})
}

// What refuses the call by itself takes precedence over the shop's statement, and leaves no row.
func TestRefusalsTakePrecedenceOverTheRow(t *testing.T) {
	t.Parallel()
	eachWay(t, func(s *shop) {
		ctx := s.t.Context()
		require.NoError(s.t, of(s.Lock(ctx, "held", one(1))))
		require.NoError(s.t, of(s.Cancel(ctx, "closed")))
		require.NoError(s.t, of(s.Take(ctx, "paid", one(1))))
		require.NoError(s.t, of(s.db.ExecContext(ctx, placeOrder, "taken")))
		for name, c := range map[string]struct {
			call func(inv *stock.Inventory) error
			want error
		}{
			"sold out": {func(inv *stock.Inventory) error {
				return of(inv.Lock(ctx, "x", stock.Line{SKU: 1, Num: 11}))
			}, stock.ErrInsufficient},
			"unknown SKU":   {func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "x", one(9))) }, stock.ErrUnknownSKU},
			"mismatch":      {func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "held", one(2))) }, stock.ErrMismatch},
			"closed":        {func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "closed", one(2))) }, stock.ErrCancelled},
			"replay":        {func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "held", one(1))) }, nil},
			"Pay a closed":  {func(inv *stock.Inventory) error { return of(inv.Pay(ctx, "closed")) }, stock.ErrCancelled},
			"Cancel a paid": {func(inv *stock.Inventory) error { return of(inv.Cancel(ctx, "paid")) }, stock.ErrPaid},
			"over a refund": {func(inv *stock.Inventory) error {
				return of(inv.Refund(ctx, stock.Refund{ID: "r", Order: "paid", Lines: []stock.Line{{SKU: 1, Num: 2}}}))
			}, stock.ErrOverRefund},
		} {
			for row, store := range map[string]*sqlstore.Stock{
				"a row":                      s.store.Along(note, "x"),
				"a row that fails":           s.store.Along(placeOrder, "taken"),
				"a row, and one that fails":  s.store.Along(note, "x").Along(placeOrder, "taken"),
				"a row that changes nothing": s.store.Along(markPaid, "missing").Affects(1),
			} {
				if c.want == nil {
					require.NoError(s.t, c.call(s.On(store)), "%s, %s", name, row)
				} else {
					require.ErrorIs(s.t, c.call(s.On(store)), c.want, "%s, %s", name, row)
				}
				require.Zero(s.t, s.rows("shop_note"), "%s, %s", name, row)
			}
		}
		require.Equal(s.t, 1, s.rows("shop_order"))
		s.counters(1, 1, 1, 9)
	})
}

// A statement that fails is the answer of its call, which has done nothing.
func TestRowThatFailsRefusesTheCall(t *testing.T) {
	t.Parallel()
	eachWay(t, func(s *shop) {
		ctx := s.t.Context()
		require.NoError(s.t, of(s.db.ExecContext(ctx, placeOrder, "a")))
		_, err := s.along(placeOrder, "a").Lock(ctx, "a", one(1))
		require.Equal(s.t, uint16(1062), failed(s.t, err, 0))
		require.ErrorIs(s.t, of(s.Hold(ctx, "a")), stock.ErrNotFound, "the shop's key is not that of an order")

		_, err = s.On(s.store.Along(note, "a").Along(note, nil)).Lock(ctx, "a", one(1))
		require.Equal(s.t, uint16(1048), failed(s.t, err, 1))
		_, err = s.along("INSERT INTO shop_nothing VALUES (1)").Lock(ctx, "a", one(1))
		require.Equal(s.t, uint16(1146), failed(s.t, err, 0))
		require.NotContains(s.t, err.Error(), "Migrate")
		s.counters(1, 0, 0, 10)

		var affected *sqlstore.AffectedError
		_, err = s.On(s.store.Along(note, "a").Along(markPaid, "missing").Affects(1)).Lock(ctx, "a", one(1))
		require.ErrorAs(s.t, err, &affected)
		require.Equal(s.t, sqlstore.AffectedError{Index: 1, Text: markPaid, Want: 1}, *affected)
		require.False(s.t, stock.Retryable(err))
		require.Zero(s.t, s.rows("shop_note"))

		// The same of a step.
		require.NoError(s.t, of(s.Lock(ctx, "a", one(1))))
		_, err = s.On(s.store.Along(markPaid, "missing").Affects(1)).Pay(ctx, "a")
		require.ErrorAs(s.t, err, &affected)
		_, err = s.On(s.store.Along(note, "a").Along(placeOrder, "a")).Cancel(ctx, "a")
		require.Equal(s.t, uint16(1062), failed(s.t, err, 1))
		s.counters(1, 0, 1, 10)
		require.NoError(s.t, of(s.On(s.store.Along(markPaid, "a").Affects(1)).Pay(ctx, "a")))
		require.Equal(s.t, 1, s.rows("shop_order WHERE status = 'paid'"))
		require.Zero(s.t, s.rows("shop_note"))
		s.counters(1, 1, 0, 9)
	})
}

// Whatever becomes of the COMMIT, there is a row where there is a hold, and the same call settles it.
func TestRowAndHoldShareALostCommit(t *testing.T) {
	t.Parallel()
	eachWay(t, func(s *shop) {
		for order, kind := range map[string]sqltest.FaultKind{"request": sqltest.LostRequest, "reply": sqltest.LostReply} {
			inv := s.On(s.store.Along(placeOrder, order).Along(note, order))
			s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: kind})
			require.ErrorIs(s.t, of(inv.Lock(s.t.Context(), order, one(1))), stock.ErrUnknown)
			hold := must(inv.Lock(s.t.Context(), order, one(1)))(s.t, order)
			require.Equal(s.t, kind == sqltest.LostReply, hold.Replay)
			require.Equal(s.t, 1, s.rows("shop_note WHERE about = ?", order))
			require.Equal(s.t, 1, s.rows("shop_order WHERE id = ?", order))
		}
		// Resolve settles both: the row of an order that it closes can never be there.
		s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostRequest})
		require.ErrorIs(s.t, of(s.along(placeOrder, "gone").Lock(s.t.Context(), "gone", one(1))), stock.ErrUnknown)
		require.Equal(s.t, stock.Cancelled, must(s.Resolve(s.t.Context(), "gone"))(s.t).State)
		require.ErrorIs(s.t, of(s.along(placeOrder, "gone").Lock(s.t.Context(), "gone", one(1))), stock.ErrCancelled)
		require.Zero(s.t, s.rows("shop_order WHERE id = 'gone'"))
	})
}

// A dead hold is released on the way to a refusal: the row is not kept with it.
func TestNoRowGoesWithAHoldThatHasDied(t *testing.T) {
	t.Parallel()
	for name, opts := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withOrders(t, opts)
			ctx := t.Context()
			late := stock.New(s.store.Along(note, "late"), &stock.Options{LatePay: stock.Reacquire})
			for i, call := range []func(order string) error{
				func(order string) error { return of(s.along(note, "x").Pay(ctx, order)) },
				func(order string) error { return of(s.along(note, "x").Cancel(ctx, order)) },
				func(order string) error { return of(s.along(note, "x").Extend(ctx, order, start.Add(24*time.Hour))) },
			} {
				order := fmt.Sprint(i)
				s.lock(order, one(1))
				s.db.Wire.Advance(stock.DefaultHoldFor)
				require.ErrorIs(t, call(order), stock.ErrExpired)
				require.Zero(t, s.rows("shop_note"), i)
			}
			s.lock("late", one(1))
			s.db.Wire.Advance(stock.DefaultHoldFor)
			require.NoError(t, of(late.Pay(ctx, "late")))
			require.Equal(t, 1, s.rows("shop_note"), "the units were taken again: once")
		})
	}
}

// A transaction that runs again runs the shop's statements again, and once in the end.
func TestRowsGoAgainWithTheirTransaction(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	s.db.Wire.Inject(sqltest.Fault{Match: "UPDATE goods_stock", Kind: sqltest.LostReply, Answer: &mysql.MySQLError{Number: 1213}})
	require.NoError(t, of(s.along(note, "a").Lock(t.Context(), "a", one(1))))
	require.Equal(t, 1, s.rows("shop_note"))
}

// In the caller's transaction the rows share its fate, a refusal undoes them, and its own LAST_INSERT_ID stays.
func TestRowsInTheCallersTransaction(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.db.ExecContext(ctx, placeOrder, "taken")))
	tx := must(s.db.BeginTx(ctx, nil))(t)
	own := must(must(tx.ExecContext(ctx, note, "mine"))(t).LastInsertId())(t)
	in := s.store.WithTx(tx)
	require.NoError(t, of(s.On(in.Along(note, "a")).Lock(ctx, "a", one(1))))
	require.NoError(t, of(s.On(s.store.Along(note, "b").WithTx(tx)).Lock(ctx, "b", one(1))))
	require.ErrorIs(t, of(s.On(in.Along(note, "c")).Lock(ctx, "c", stock.Line{SKU: 1, Num: 10})), stock.ErrInsufficient)
	_, err := s.On(in.Along(note, "d").Along(placeOrder, "taken")).Lock(ctx, "d", one(1))
	require.Equal(t, uint16(1062), failed(t, err, 1))
	_, err = s.On(in.Along(placeOrder, "taken")).Pay(ctx, "a")
	require.Equal(t, uint16(1062), failed(t, err, 0))
	var id int64
	require.NoError(t, tx.QueryRowContext(ctx, "SELECT LAST_INSERT_ID()").Scan(&id))
	require.Equal(t, own, id)
	require.NoError(t, tx.Commit())
	require.Equal(t, 3, s.rows("shop_note WHERE about IN ('mine', 'a', 'b')"))
	require.Equal(t, 3, s.rows("shop_note"))
	s.counters(1, 0, 2, 10)

	tx = must(s.db.BeginTx(ctx, nil))(t)
	require.NoError(t, of(s.On(s.store.WithTx(tx).Along(note, "e")).Lock(ctx, "e", one(1))))
	require.NoError(t, tx.Rollback())
	require.Zero(t, s.rows("shop_note WHERE about = 'e'"))
}

// A row that another transaction has keeps its own call waiting.
func TestRowOfAnotherTransaction(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.db.ExecContext(ctx, placeOrder, "a")))
	release := s.block("SELECT 1 FROM shop_order WHERE id = 'a' FOR UPDATE")
	waits := going(func() error { return of(s.along(markPaid, "a").Lock(ctx, "a", one(1))) })
	s.waiting()
	require.NoError(t, of(s.along(placeOrder, "b").Lock(ctx, "b", one(1))))
	release()
	require.NoError(t, <-waits)
	s.counters(1, 0, 2, 10)

	release = s.block("SELECT 1 FROM shop_order WHERE id = 'a' FOR UPDATE")
	left, cancel := context.WithCancel(ctx)
	waits = going(func() error { return of(s.along(markPaid, "a").Lock(left, "c", one(1))) })
	s.waiting()
	cancel()
	require.True(t, stock.Retryable(<-waits))
	release()
	s.counters(1, 0, 2, 10)
}

func TestBadRowsAreRefusedBeforeAnyIO(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	ctx := t.Context()
	s.db.Wire.Statements()
	for name, store := range map[string]*sqlstore.Stock{
		"a SELECT":                 s.store.Along("SELECT 1"),
		"two":                      s.store.Along("INSERT INTO shop_note VALUES (1); COMMIT"),
		"a variable":               s.store.Along("INSERT INTO shop_note VALUES (@a)"),
		"LAST_INSERT_ID":           s.store.Along("INSERT INTO shop_note VALUES (LAST_INSERT_ID())"),
		"too few arguments":        s.store.Along(note),
		"a struct":                 s.store.Along(note, struct{}{}),
		"Affects without a row":    s.store.Affects(1),
		"one that is right behind": s.store.Along("SELECT 1").Along(note, "x"),
		"too many bytes":           s.store.Along(note, strings.Repeat("x", sqlstore.MaxAlongBytes)),
		"in a transaction":         s.store.Along("SELECT 1").WithTx(s.db.DB),
	} {
		for _, call := range []func(inv *stock.Inventory) error{
			func(inv *stock.Inventory) error { return of(inv.Lock(ctx, "a", one(1))) },
			func(inv *stock.Inventory) error { return of(inv.Pay(ctx, "a")) },
			func(inv *stock.Inventory) error { return of(inv.Restock(ctx, "a", one(1))) },
		} {
			require.ErrorIs(t, call(s.On(store)), stock.ErrInvalid, name)
		}
	}
	require.Empty(t, s.db.Wire.Statements())
	require.NoError(t, of(s.along(note, "x").Lock(ctx, "a", one(1))))
}

// What comes before a call, such as the release of its own dead hold, carries no rows. Nor does a repair.
func TestReleaseOnTheWayCarriesNoRows(t *testing.T) {
	t.Parallel()
	for name, opts := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := withOrders(t, opts)
			ctx := t.Context()
			for _, order := range []string{"a", "b", "c"} {
				require.NoError(t, of(s.Lock(ctx, order, one(1))))
			}
			s.db.Wire.Advance(time.Hour)
			inv := s.along(note, "x")
			require.ErrorIs(t, of(inv.Pay(ctx, "a")), stock.ErrExpired)
			require.ErrorIs(t, of(inv.Extend(ctx, "b", start.Add(2*time.Hour))), stock.ErrExpired)
			require.Zero(t, s.rows("shop_note"))
			require.Equal(t, stock.Expired, must(inv.Resolve(ctx, "c"))(t).State)
			require.Equal(t, 1, s.rows("shop_note"))

			require.NoError(t, of(s.db.ExecContext(ctx, "UPDATE goods_stock SET STOCK_LOCK_NUM = 1 WHERE SKU_ID = 1")))
			require.Equal(t, 1, must(inv.Repair(ctx))(t).Repaired)
			require.Equal(t, 1, s.rows("shop_note"))
		})
	}
}

// An item whose row fails in the caller's transaction is not defined.
func TestRowThatFailsUndoesADefinition(t *testing.T) {
	t.Parallel()
	s := withOrders(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.db.ExecContext(ctx, placeOrder, "taken")))
	tx := must(s.db.BeginTx(ctx, nil))(t)
	in := s.On(s.store.WithTx(tx).Along(note, "x").Along(placeOrder, "taken"))
	require.Equal(t, uint16(1062), failed(t, of(in.Define(ctx, stock.Key{SKU: 9}, 5, stock.Terms{})), 1))
	require.Equal(t, uint16(1062), failed(t, of(in.Define(ctx, stock.Key{SKU: 1}, 0, stock.Terms{Unlimited: true})), 1))
	require.NoError(t, tx.Commit())
	require.ErrorIs(t, of(s.Item(ctx, stock.Key{SKU: 9})), stock.ErrUnknownSKU)
	s.counters(1, 0, 0, 10)
	require.Zero(t, s.rows("shop_note"))
}
