package sqlstore_test

import (
	"database/sql"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// start is where the frozen clock of a test begins.
var start = time.Date(2030, 1, 31, 23, 59, 0, 0, time.UTC)

// defaults is the DSN as it comes.
var defaults = sqltest.Variants()[0]

// shop is an inventory on a database of its own.
type shop struct {
	*stock.Inventory
	t     testing.TB
	db    *sqltest.DB
	store *sqlstore.Stock
}

// open returns a shop with 10 units each of the SKUs 1, 2 and 3, and a frozen clock.
func open(t testing.TB, opts *stock.Options) *shop {
	t.Helper()
	db := sqltest.Open(t, defaults)
	prepare(t, db, "0001_stock.up.sql")
	db.Wire.Freeze(start)
	store := sqlstore.NewStock(db.DB, nil).OneByOne()
	s := &shop{Inventory: stock.New(store, opts), t: t, db: db, store: store}
	for sku := int64(1); sku <= 3; sku++ {
		_, err := s.Define(t.Context(), stock.Key{SKU: sku}, 10, stock.Terms{})
		require.NoError(t, err)
	}
	s.db.Wire.Statements()
	return s
}

// counters demands what an item has sold, locked and left, and that all books balance.
func (s *shop) counters(sku, sold, locked, left int64) {
	s.t.Helper()
	item, err := s.Item(s.t.Context(), stock.Key{SKU: sku})
	require.NoError(s.t, err)
	require.Equal(s.t, [3]int64{sold, locked, left}, [3]int64{item.Sold, item.Locked, item.Left}, "sold, locked, left of %v", item)
	report, err := s.Audit(s.t.Context())
	require.NoError(s.t, err)
	require.Empty(s.t, report.Drifts)
}

// prepare makes the tables of one part of the schema, as a tool that applies plain SQL files would:
// most tests need no more, and making tables is what takes them longest.
func prepare(t testing.TB, db *sqltest.DB, file string) {
	t.Helper()
	text, err := fs.ReadFile(sqlstore.Schema(), file)
	require.NoError(t, err)
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) != "" {
			_, err := db.ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
}

// one is a unit of a SKU.
func one(sku int64) stock.Line { return stock.Line{SKU: sku, Num: 1} }

// waiting returns the connection of a statement that changes something, once there is one: it
// asks the server until it says so. With the rows it needs blocked, it waits for them.
func (s *shop) waiting() (connection int64) {
	s.t.Helper()
	for {
		err := s.db.QueryRowContext(s.t.Context(), "SELECT ID FROM information_schema.PROCESSLIST"+
			" WHERE DB = DATABASE() AND (INFO LIKE 'UPDATE%' OR INFO LIKE 'INSERT%') LIMIT 1").Scan(&connection)
		if err == nil {
			return connection
		}
		require.ErrorIs(s.t, err, sql.ErrNoRows)
	}
}

// blockItem locks an item's row from another connection until the returned function is called.
func (s *shop) blockItem(sku int64) (release func()) {
	return s.block("SELECT 1 FROM goods_stock WHERE SKU_ID = ? FOR UPDATE", sku)
}

// blockOrder does the same with the holds of an order.
func (s *shop) blockOrder(order string) (release func()) {
	return s.block("SELECT 1 FROM goods_stock_hold WHERE ORDER_NO = ? FOR UPDATE", order)
}

func (s *shop) block(query string, args ...any) (release func()) {
	s.t.Helper()
	tx, err := s.db.Pool(s.t).BeginTx(s.t.Context(), nil)
	require.NoError(s.t, err)
	var locked int
	require.NoError(s.t, tx.QueryRowContext(s.t.Context(), query, args...).Scan(&locked))
	return func() { require.NoError(s.t, tx.Rollback()) }
}
