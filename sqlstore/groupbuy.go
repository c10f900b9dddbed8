package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// teamStore is the groupbuy.Store behind sqlstore.GroupBuy.
type teamStore struct {
	units  *ledgerStore // which also has the handle, and what is wrong with the options
	sql    *groupBuySQL
	merged *groupBuyReaders // nil where calls are not merged
}

// groupBuyReaders merge the reads that come in crowds.
type groupBuyReaders struct {
	offers *merger[struct{}, stock.Key, offerAt] // before each seat
	seats  *merger[struct{}, string, seatAt]     // by order
	teams  *merger[struct{}, string, teamAt]     // by code

	members *merger[int, string, []groupbuy.Seat] // the first of a team, up to so many
}

// newTeams returns the store in the tables of a prefix.
func newTeams(db *sql.DB, o settings) *teamStore {
	g := over(newLedger(db, o, goodsStock, noCompanions{}), newGroupBuySQL(o.prefix))
	if b := g.units.bounds; b != nil {
		g.merged = &groupBuyReaders{
			offers: newReader(b, g.offerBatch, g.offer),
			seats:  newReader(b, g.seatBatch, g.seat),
			teams:  newReader(b, g.teamBatch, g.team),

			members: newReader(b, g.membersBatch, g.membersOf),
		}
	}
	return g
}

// over puts group buying on the store of its units.
func over(units *ledgerStore, statements *groupBuySQL) *teamStore {
	g := &teamStore{units: units, sql: statements}
	units.companions = g.seats()
	return g
}

// withTx returns the same store inside the caller's transaction.
func (g *teamStore) withTx(tx Tx) *teamStore { return over(g.units.withTx(tx), g.sql) }

// activityArgs returns what a caller says of an activity as arguments of render.
func activityArgs(a groupbuy.Activity) []any {
	return []any{a.Title, a.Image, int64(a.Formation / time.Minute), a.Hidden, a.Start, a.End, a.Outlive, a.Sort}
}

// SaveActivity implements groupbuy.Store.
func (g *teamStore) SaveActivity(ctx context.Context, activity groupbuy.Activity, ended bool) (stock.Verdict, error) {
	if err := g.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	statement, args := g.sql.addActivity, append(activityArgs(activity), ended, activity.ID)
	if activity.Version != 0 {
		statement, args = g.sql.setActivity, append(args, activity.Version)
	}
	rows, err := g.units.exec(ctx, render(statement, args...))
	return taken(verdict(rows > 0), err)
}

// SaveProduct implements groupbuy.Store.
func (g *teamStore) SaveProduct(ctx context.Context, product groupbuy.Product) (stock.Verdict, error) {
	if err := g.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	terms, err := groupTermArgs(product.Terms)
	if err != nil {
		return stock.Refused, err
	}
	args := append([]any{product.SPU, product.Name, product.Spec}, terms...)
	args = append(args, product.PerOrder, product.PerBuyer, int64(product.State), product.Allotted, product.Returns, product.Activity, product.SKU)
	statement := g.sql.addProduct
	if product.Version != 0 {
		if _, err := g.lockItem(ctx, product.Key); err != nil {
			return stock.Refused, err
		}
		statement, args = g.sql.setProduct, append(args, product.Version)
	}
	rows, err := g.units.exec(ctx, render(statement, args...))
	return taken(verdict(rows > 0), err)
}

// lockItem locks the item of a product where a transaction of the caller's goes on, and returns its version then: seats
// are taken and paid with the item locked first and the product last.
func (g *teamStore) lockItem(ctx context.Context, key stock.Key) (version int64, err error) {
	if !g.units.bound() {
		return 0, nil
	}
	err = g.units.among(ctx, func(q Tx) (bool, error) {
		err := readRow(ctx, q, render(g.sql.lockItem, key.SKU, key.Activity), &version)
		return version == 0, err
	}, g.units.sql.blankItems([]stock.Key{key}))
	return version, err
}

// CorrectFormed implements groupbuy.Store.
func (g *teamStore) CorrectFormed(ctx context.Context, key stock.Key, by int64) error {
	if err := g.units.ready(ctx); err != nil || by == 0 {
		return err
	}
	if _, err := g.lockItem(ctx, key); err != nil {
		return err
	}
	rows, err := g.units.exec(ctx, render(g.sql.addFormedText(), by, key.Activity, key.SKU))
	if err != nil || rows != 1 {
		return missing(err)
	}
	return nil
}
