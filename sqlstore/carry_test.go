package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/saletest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// carrier is a store whose calls carry rows.
type carrier[T any] interface {
	Along(text string, args ...any) T
	Affects(n int64) T
	WithTx(tx sqlstore.Tx) T
}

// carrying returns the rows of a shop that go along with the calls of a store, which are by themselves or each within a transaction.
func carrying[S any, T carrier[T]](t testing.TB, db *sqltest.DB, store T, within bool) suite.Shop[S] {
	t.Helper()
	ctx := t.Context()
	shopTables(t, db)
	require.NoError(t, of(db.ExecContext(ctx, placeOrder, "taken")))
	with := func(store T, row suite.Row, about string) S {
		switch row {
		case suite.GoodRow:
			store = store.Along(note, about)
		case suite.TakenRow:
			store = store.Along(note, about).Along(placeOrder, "taken")
		case suite.ShortRow:
			store = store.Along(note, about).Along(markPaid, "missing").Affects(1)
		case suite.BadRow:
			store = store.Along("SELECT 1").Along(note, about)
		}
		return any(store).(S)
	}
	return suite.Shop[S]{
		With: func(row suite.Row, about string, call func(S) error) error {
			if !within {
				db.Wire.Statements()
				err := call(with(store, row, about))
				if row == suite.BadRow {
					require.Empty(t, db.Wire.Statements(), about)
				}
				return err
			}
			tx := must(db.BeginTx(ctx, nil))(t)
			err := call(with(store.WithTx(tx), row, about))
			require.NoError(t, tx.Commit())
			return err
		},
		Refuses: map[suite.Row]func(error) bool{
			suite.TakenRow: func(err error) bool {
				refused, ok := fault.As[*sqlstore.AlongError](err)
				return ok && refused.Index == 1 && refused.Text == placeOrder && !sqlstore.Retryable(err)
			},
			suite.ShortRow: func(err error) bool {
				short, ok := fault.As[*sqlstore.AffectedError](err)
				return ok && *short == sqlstore.AffectedError{Index: 1, Text: markPaid, Want: 1}
			},
			suite.BadRow: func(err error) bool { return errors.Is(err, stock.ErrInvalid) },
		},
		Rows: func() []string { return notes(t, db) },
	}
}

// notes returns what the notes of the shop are about, and removes them.
func notes(t testing.TB, db *sqltest.DB) []string {
	t.Helper()
	var about sql.NullString
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT GROUP_CONCAT(about ORDER BY no) FROM shop_note").Scan(&about))
	if !about.Valid {
		return nil
	}
	require.NoError(t, of(db.ExecContext(t.Context(), "DELETE FROM shop_note")))
	return strings.Split(about.String, ",")
}

// everyCarrier runs a test of a store whose calls carry rows: merged or not, also where each is a batch, and in the caller's transaction.
func everyCarrier[T any](
	t *testing.T, open func(db *sql.DB, opts *sqlstore.Options) T,
	test func(t *testing.T, db *sqltest.DB, store T, within bool), tables ...string,
) {
	t.Helper()
	for name, way := range map[string]struct {
		opts            *sqlstore.Options
		batches, within bool
	}{"Merged": {}, "Unmerged": {opts: &alone}, "Batches": {batches: true}, "WithTx": {within: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && way.batches {
				t.Skip("-short: only what shops use")
			}
			db := frozen(t, defaults, tables...).db
			store := open(db.DB, way.opts)
			if way.batches {
				store = sqlstore.AlwaysBatch(store)
			}
			test(t, db, store, way.within)
		})
	}
}

// Every verb of red packets that names one carries the shop's rows.
func TestRowsGoAlongWithPackets(t *testing.T) {
	t.Parallel()
	everyCarrier(t, sqlstore.NewRedPacket, func(t *testing.T, db *sqltest.DB, store *sqlstore.RedPacket, within bool) {
		t.Helper()
		shop := carrying[redpacket.Store](t, db, store, within)
		redpackettest.Along(t, redpackettest.Harness{Store: store, Advance: db.Wire.Advance}, shop)
	}, redPacketTables)
}

// Every verb of group buying that names one order, team, product, activity or ID carries the shop's rows.
func TestRowsGoAlongWithGroups(t *testing.T) {
	t.Parallel()
	everyCarrier(t, sqlstore.NewGroupBuy, func(t *testing.T, db *sqltest.DB, store *sqlstore.GroupBuy, within bool) {
		t.Helper()
		shop := carrying[groupbuy.Store](t, db, store, within)
		h := groupbuytest.Harness{Events: sqlstore.NewEvents(db.DB, nil)}
		h.Store, h.Advance = store, db.Wire.Advance
		groupbuytest.Along(t, h, shop)
	}, stockTables, groupBuyTables)
}

// Every verb of sales that names an activity, a product or an ID carries the shop's rows.
func TestRowsGoAlongWithSales(t *testing.T) {
	t.Parallel()
	everyCarrier(t, sqlstore.NewSale, func(t *testing.T, db *sqltest.DB, store *sqlstore.Sale, within bool) {
		t.Helper()
		shop := carrying[sale.Store](t, db, store, within)
		goods := sqlstore.NewStock(db.DB, &together)
		saletest.Along(t, saletest.Harness{Store: store, Stock: goods, Advance: db.Wire.Advance}, shop)
	}, stockTables, saleTables)
}

// Grabs and Joins that go together are done but for the one whose row fails.
func TestRowThatFailsSpoilsNoneBesideIt(t *testing.T) {
	t.Parallel()
	const calls, bad = 20, 7
	t.Run("Grab", func(t *testing.T) {
		t.Parallel()
		p := openPurse(t)
		p.fill(1, 10_000, calls)
		spoiled(t, p.fixture, func() func() { return p.blockUnits(1) }, calls, bad, func(i int, id string) error {
			return of(p.On(p.store.Along(placeOrder, id)).For(fmt.Sprint(1000+i)).Grab(t.Context(), 1))
		})
		p.balanced(1, calls-1, redpacket.Open)
	})
	t.Run("Join", func(t *testing.T) {
		t.Parallel()
		b := openBazaar(t, defaults, calls+1, 100)
		sqlstore.OneByOne(b.store)
		code, _ := b.team("a", 1)
		block := func() func() {
			return b.block("SELECT 1 FROM goods_stock WHERE SKU_ID = 1 AND ACTIVITY_ID = 7 FOR UPDATE")
		}
		spoiled(t, b.fixture, block, calls, bad, func(i int, id string) error {
			p := purchase(id, fmt.Sprint(1000+i))
			return of(p.Join(t.Context(), b.On(b.store.Along(placeOrder, id)), code))
		})
		require.EqualValues(t, calls, must(b.Team(t.Context(), code))(t).Held)
		b.balanced()
	})
}

// spoiled makes calls together, one of which carries a row whose key is taken.
func spoiled(t *testing.T, f fixture, block func() func(), calls, bad int, call func(i int, id string) error) {
	t.Helper()
	shopTables(t, f.db)
	id := func(i int) string { return fmt.Sprint("order ", i) }
	require.NoError(t, of(f.db.ExecContext(t.Context(), placeOrder, id(bad))))
	errs := f.behindOne(block(), calls, func(i int) error { return call(i, id(i)) })
	require.Equal(t, uint16(1062), failed(t, errs[bad], 0))
	require.Equal(t, calls-1, count(errs, nil))
	var orders int
	require.NoError(t, f.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM shop_order").Scan(&orders))
	require.Equal(t, calls, orders)
}
