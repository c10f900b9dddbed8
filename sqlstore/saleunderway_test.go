package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// fairEnd is when the sale of a fair ends.
var fairEnd = start.Add(time.Hour)

// fair is a database with a sale that is a draft, and 100 units of SKU 1 for it.
type fair struct {
	fixture
	*sale.Sales

	store *sqlstore.Sale
}

// openFair opens a database with the sale in it. Its clock stands at the start.
func openFair(t testing.TB) *fair {
	t.Helper()
	f := frozen(t, defaults, stockTables, saleTables)
	store := sqlstore.NewSale(f.db.DB, nil)
	sales := sale.New(store, nil)
	require.NoError(t, of(stock.New(store.Units(), nil).Define(t.Context(), stock.Key{SKU: 1}, 100, stock.Terms{})))
	require.NoError(t, of(sales.Define(t.Context(), sale.Activity{ID: 7, Title: "fair", End: fairEnd, Places: 2})))
	return &fair{f, sales, store}
}

// tea is the product of a fair at a price.
func tea(price int64) sale.Product {
	return sale.Product{Key: stock.Key{SKU: 1, Activity: 7}, Name: "tea", Price: decimal.NewFromInt(price)}
}

// An end whose COMMIT is on its way has looked for products already. One that is offered meanwhile is given back by the next Expire.
func TestOfferBesideAnEndThatIsUnderWayIsGivenBack(t *testing.T) {
	t.Parallel()
	f := openFair(t)
	tx := must(f.db.BeginTx(t.Context(), nil))(t)
	require.NoError(t, of(f.On(f.store.WithTx(tx)).End(t.Context(), 7)))
	require.NoError(t, of(f.Offer(t.Context(), tea(10), 30)))
	require.NoError(t, tx.Commit())
	require.NoError(t, of(f.Expire(t.Context())))
	require.Equal(t, sale.Settled, must(f.Product(t.Context(), tea(10).Key))(t).State)
	require.EqualValues(t, 100, must(stock.New(f.store.Units(), nil).Item(t.Context(), stock.Key{SKU: 1}))(t).Left)
}

// Approve and WithdrawSale whose COMMIT is on its way when the time of the sale is over are not refused for good when they are made
// again: the answer waits for the COMMIT.
func TestSaleCallsAgainWaitForTheirCommit(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*sale.Sales, context.Context, int64) (sale.Activity, error){
		"Approve": (*sale.Sales).Approve, "WithdrawSale": (*sale.Sales).WithdrawSale,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFair(t)
			tx := must(f.db.BeginTx(t.Context(), nil))(t)
			require.NoError(t, of(call(f.On(f.store.WithTx(tx)), t.Context(), 7)))
			late := f.another()
			late.Wire.Freeze(fairEnd)
			sales := sale.New(sqlstore.NewSale(late.DB, nil), nil)
			var is sale.Activity
			err := answerLater(t, f.db, func() (err error) {
				is, err = call(sales, t.Context(), 7)
				return err
			}, func() { require.NoError(t, tx.Commit()) })
			require.NoError(t, err)
			require.True(t, is.Replay)
		})
	}
}

// A new price has its notice from when the product is free to be changed.
func TestReviseDoesNotCountItsWaitAsNotice(t *testing.T) {
	t.Parallel()
	f := openFair(t)
	require.NoError(t, of(f.Offer(t.Context(), tea(10), 30)))
	tx := must(f.db.BeginTx(t.Context(), nil))(t)
	require.Equal(t, 1, value[int](t, tx, "SELECT SKU_ID FROM flash_sale_product WHERE ACTIVITY_ID = 7 AND SKU_ID = 1 FOR UPDATE"))
	var is sale.Product
	free := start.Add(5 * time.Second)
	err := answerLater(t, f.db, func() (err error) {
		is, err = f.Revise(t.Context(), tea(20))
		return err
	}, func() {
		f.db.Wire.Freeze(free)
		require.NoError(t, tx.Commit())
	})
	require.NoError(t, err)
	require.Equal(t, free.Add(sale.PriceNotice), is.PriceFrom)
}
