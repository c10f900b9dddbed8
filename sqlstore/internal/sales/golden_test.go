package sales

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

func TestGoldenStatementsOfFlashSales(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "flash sale", "testdata/statements.sql", statements)
}

// statements renders all of them; those that grow with a list for two.
func statements(prefix string) []sqltest.Statement {
	q := newSaleSQL(prefix)
	units := ledger.New(nil, ledger.Settings{Prefix: prefix, Unmerged: true}, ledger.GoodsStock, ledger.NoCompanions{})
	reads, changes := activities.New(schema(), prefix, units).SQL.Named()
	after := sale.ShelfCursor{Rank: time.Unix(1, 0).UnixMicro(), Sort: 3, Key: stock.Key{SKU: 1, Activity: 2}}
	var all []sqltest.Statement
	for _, s := range append(reads, changes...) {
		all = append(all, s)
	}
	return append(all,
		sqltest.Statement{"Offer, Revise 2: a new price", q.keepPrice},
		sqltest.Statement{"Expire, where it tells, 1: what is on sale and not told of", q.started},
		sqltest.Statement{"Expire, where it tells, 2: lock it, behind its items, two", q.lockStarted(2)},
		sqltest.Statement{"Expire, where it tells, 3: it is told of, two", q.markStarted(2)},
		sqltest.Statement{"Remove, End, where they tell: lock the product, behind its item", q.lockEnding},
		sqltest.Statement{"List the activities that are drafts", q.activitiesIn(sale.Draft)},
		sqltest.Statement{"List the activities that are to come", q.activitiesIn(sale.Approved)},
		sqltest.Statement{"List the activities that run", q.activitiesIn(sale.Running)},
		sqltest.Statement{"List the activities that are over", q.activitiesIn(sale.Ended)},
		sqltest.Statement{"List the activities that were withdrawn", q.activitiesIn(sale.Withdrawn)},
		sqltest.Statement{"PriceOf, two", q.pricesAt(2)},
		sqltest.Statement{"Quote, Best 2: products as a page shows them, two", q.look(2)},
		sqltest.Statement{"Best 1: the best sellers", q.best},
		sqltest.Statement{"Shelf: what runs", q.shelf(sale.ShelfQuery{State: sale.Running}, sale.ShelfCursor{}, 20)},
		sqltest.Statement{"Shelf: what runs, of one SKU, a later page", q.shelf(sale.ShelfQuery{State: sale.Running, SKU: 5}, after, 20)},
		sqltest.Statement{"Shelf: what comes, a later page", q.shelf(sale.ShelfQuery{State: sale.Approved}, after, 20)},
		sqltest.Statement{"Shelf: what has ended, of one SPU, a later page", q.shelf(sale.ShelfQuery{State: sale.Ended, SPU: 5}, after, 20)},
		sqltest.Statement{"Shelf: how many buyers, of two", q.countBuyers(2)},
	)
}
