package orm

import (
	"context"
	_ "embed"
	"fmt"
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

// open returns a shop that has 100 units of each SKU.
func open(t *testing.T, skus int) *shop {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.ParseTime = true }})
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	_, err := db.ExecContext(t.Context(), schemaSQL)
	require.NoError(t, err)
	s := (&shop{db: db}).as(t)
	for sku := range skus {
		_, err := s.Define(t.Context(), stock.Key{SKU: int64(sku + 1)}, 100, stock.Terms{})
		require.NoError(t, err)
	}
	return s
}

// as opens the same shop with a pool of its own.
func (s *shop) as(t *testing.T) *shop {
	t.Helper()
	db := s.db.Pool(t)
	store := sqlstore.NewStock(db.DB, nil)
	return &shop{stock.New(store, nil), t, db, store}
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
	s := open(t, 6)
	orm, err := OpenGORM(s.db.DB)
	require.NoError(t, err)
	for i, c := range []struct {
		name    string
		library library
	}{
		{name: "GORM", library: orm},
		{name: "Ent", library: Ent{}},
		{name: "EntClient", library: OpenEntClient()},
		{name: "Bun", library: OpenBun(s.db.DB)},
		{name: "SQLC", library: OpenSQLC()},
		{name: "Squirrel", library: Squirrel{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := s.as(t)
			sku := int64(i + 1)
			s.live(c.library, sku, c.name)
			s.rush(c.library, sku, c.name)
			require.Empty(t, s.audit().Drifts)
		})
	}
}

func (s *shop) audit() stock.Report {
	s.t.Helper()
	report, err := s.Audit(s.t.Context())
	require.NoError(s.t, err)
	return report
}

// live places an order, tries one that is sold out, and pays the first.
func (s *shop) live(l library, sku int64, name string) {
	s.t.Helper()
	t, ctx := s.t, s.t.Context()
	buyer := name + ` O'Neill \`
	o := Order{ID: name, Buyer: buyer, Cents: 1999, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
	line := stock.Line{SKU: sku, Num: 1}
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
	_, err := s.along(l.Insert(ctx, late)).For(o.Buyer).Lock(ctx, late.ID, stock.Line{SKU: sku, Num: 100})
	require.ErrorIs(t, err, stock.ErrInsufficient)
	require.Equal(t, 1, s.rows(buyer), "sold out, and the row is there")
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

// rush places and pays orders all at once. Their rows are written by fewer statements.
func (s *shop) rush(l library, sku int64, name string) {
	s.t.Helper()
	const orders = 24
	ctx, buyer := s.t.Context(), name+" and others"
	s.together(orders, func(i int) error {
		o := Order{ID: fmt.Sprint(name, i), Buyer: buyer, CreatedAt: time.Now()}
		statement, err := l.Insert(ctx, o)
		if err == nil {
			_, err = s.On(s.store.Along(statement.Text, statement.Args...)).Lock(ctx, o.ID, stock.Line{SKU: sku, Num: 1})
		}
		return err
	})
	require.Equal(s.t, orders, s.rows(buyer))
	require.Less(s.t, s.sent("INSERT"), orders)
	s.together(orders, func(i int) error {
		id := fmt.Sprint(name, i)
		statement, err := l.Paid(ctx, id)
		if err == nil {
			_, err = s.On(s.store.Along(statement.Text, statement.Args...).Affects(1)).Pay(ctx, id)
		}
		return err
	})
	require.Less(s.t, s.sent("UPDATE"), orders)
}

// together makes calls at once.
func (s *shop) together(calls int, call func(i int) error) {
	s.t.Helper()
	s.db.Wire.Statements() // forgets those before
	errs := make([]error, calls)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(s.t, err)
	}
}

// sent counts the statements on order rows with a keyword.
func (s *shop) sent(keyword string) (n int) {
	for _, statement := range s.db.Wire.Statements() {
		if strings.Contains(statement, keyword) && strings.Contains(statement, "shop_order") {
			n++
		}
	}
	return n
}
