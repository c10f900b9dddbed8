package orm

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

//go:embed shopdb/schema.sql
var schemaSQL string

// library is what a file of this package shows.
type library interface {
	Insert(ctx context.Context, o Order) (Statement, error)
	Paid(ctx context.Context, id string) (Statement, error)
}

// shop is an inventory and order rows in one database.
type shop struct {
	*stock.Inventory

	t     *testing.T
	db    *sqltest.DB
	store *sqlstore.Stock
}

// open returns a shop that has 100 units of SKU 1.
func open(t *testing.T) *shop {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.ParseTime = true }})
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	_, err := db.ExecContext(t.Context(), schemaSQL)
	require.NoError(t, err)
	store := sqlstore.NewStock(db.DB, nil)
	s := &shop{stock.New(store, nil), t, db, store}
	_, err = s.Define(t.Context(), stock.Key{SKU: 1}, 100, stock.Terms{})
	require.NoError(t, err)
	return s
}

// along returns the inventory with a statement that affects one row.
func (s *shop) along(statement Statement, err error) *stock.Inventory {
	s.t.Helper()
	require.NoError(s.t, err)
	return s.On(s.store.Along(statement.Text, statement.Args...).Affects(1))
}

// rows counts the orders of a buyer.
func (s *shop) rows(buyer string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRowContext(s.t.Context(), "SELECT COUNT(*) FROM shop_order WHERE buyer = ?", buyer).Scan(&n))
	return n
}

// Each library's statements go along: row and hold together, or neither.
func TestStatementsOfALibraryGoAlong(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(pool *sql.DB) (library, error){
		"GORM":      func(pool *sql.DB) (library, error) { return OpenGORM(pool) },
		"Ent":       func(*sql.DB) (library, error) { return Ent{}, nil },
		"EntClient": func(*sql.DB) (library, error) { return OpenEntClient(), nil },
		"Bun":       func(pool *sql.DB) (library, error) { return OpenBun(pool), nil },
		"SQLC":      func(*sql.DB) (library, error) { return OpenSQLC(), nil },
		"Squirrel":  func(*sql.DB) (library, error) { return Squirrel{}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			l, err := build(s.db.DB)
			require.NoError(t, err)
			s.live(l)
			s.rush(l)
			report, err := s.Audit(t.Context())
			require.NoError(t, err)
			require.Empty(t, report.Drifts)
		})
	}
}

// live places an order, tries one that is sold out, and pays the first.
func (s *shop) live(l library) {
	s.t.Helper()
	t, ctx := s.t, s.t.Context()
	o := Order{ID: "order", Buyer: `O'Neill \`, Cents: 1999, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
	line := stock.Line{SKU: 1, Num: 1}
	for _, replay := range []bool{false, true} {
		hold, err := s.along(l.Insert(ctx, o)).For(o.Buyer).Lock(ctx, o.ID, line)
		require.NoError(t, err)
		require.Equal(t, replay, hold.Replay)
	}
	row, status := Order{ID: o.ID}, ""
	read := func() {
		require.NoError(t, s.db.QueryRowContext(ctx, "SELECT buyer, cents, created_at, status FROM shop_order WHERE id = ?", o.ID).
			Scan(&row.Buyer, &row.Cents, &row.CreatedAt, &status))
	}
	read()
	require.Equal(t, o, row)
	require.Equal(t, "new", status)

	late := o
	late.ID += "-late"
	_, err := s.along(l.Insert(ctx, late)).For(o.Buyer).Lock(ctx, late.ID, stock.Line{SKU: 1, Num: 100})
	require.ErrorIs(t, err, stock.ErrInsufficient)
	require.Equal(t, 1, s.rows(o.Buyer), "sold out, and the row is there")
	_, err = s.Hold(ctx, late.ID)
	require.ErrorIs(t, err, stock.ErrNotFound)

	_, err = s.along(l.Paid(ctx, o.ID)).Pay(ctx, o.ID)
	require.NoError(t, err)
	read()
	require.Equal(t, "paid", status)
	hold, err := s.Hold(ctx, o.ID)
	require.NoError(t, err)
	require.Equal(t, stock.Paid, hold.State)
}

// rush places and pays orders all at once. Their statements merge.
func (s *shop) rush(l library) {
	s.t.Helper()
	const orders = 24
	ctx, buyer := s.t.Context(), "many"
	s.merge(orders, func(id string) (Statement, error) {
		return l.Insert(ctx, Order{ID: id, Buyer: buyer, CreatedAt: time.Now()})
	}, func(inv *stock.Inventory, id string) error {
		_, err := inv.Lock(ctx, id, stock.Line{SKU: 1, Num: 1})
		return err
	})
	s.merge(orders, func(id string) (Statement, error) { return l.Paid(ctx, id) }, func(inv *stock.Inventory, id string) error {
		_, err := inv.Pay(ctx, id)
		return err
	})
	require.Equal(s.t, orders, s.rows(buyer))
}

// merge makes calls at once, each with a statement. One is sent that has the values of several.
func (s *shop) merge(calls int, build func(id string) (Statement, error), call func(inv *stock.Inventory, id string) error) {
	s.t.Helper()
	s.db.Wire.Statements() // forgets those before
	errs := make([]error, calls)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			id := fmt.Sprint("order-", i)
			statement, err := build(id)
			errs[i] = errors.Join(err, call(s.On(s.store.Along(statement.Text, statement.Args...).Affects(1)), id))
		})
	}
	wg.Wait()
	require.NoError(s.t, errors.Join(errs...))
	statement, err := build("")
	require.NoError(s.t, err)
	require.True(s.t, slices.ContainsFunc(s.db.Wire.Statements(), func(sent string) bool {
		return strings.Contains(sent, "shop_order") && strings.Count(sent, "?") > strings.Count(statement.Text, "?")
	}), "each statement was sent by itself: %s", statement.Text)
}
