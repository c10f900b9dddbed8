// Package teams keeps activities, products, teams, seats and events beside the ledger of the shop's stock.
package teams

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Store is the groupbuy.Store behind sqlstore.GroupBuy.
type Store struct {
	units  *ledger.Store // which also has the handle, and what is wrong with the options
	sql    *groupBuySQL
	offers *batch.Lookup[stock.Key, groupbuy.Offer] // before each seat
	seats  *batch.Lookup[string, seatAndTeam]       // by order
	teams  *batch.Lookup[string, groupbuy.Team]     // by code

	// members reads the first seats of a team, up to a number; nil where calls are not merged.
	members *batch.Batcher[int, string, []groupbuy.Seat]
}

// New returns the store in the tables of a prefix.
func New(db *sql.DB, o ledger.Settings) *Store {
	g := over(ledger.New(db, o, ledger.GoodsStock, ledger.NoCompanions{}), newGroupBuySQL(o.Prefix))
	if b := g.units.Bounds; b != nil {
		g.members = batch.NewReader(b, g.membersBatch, g.membersOf)
	}
	return g
}

// over returns the store on a store of units.
func over(units *ledger.Store, statements *groupBuySQL) *Store {
	g := &Store{units: units, sql: statements}
	g.offers = batch.NewLookup(units.Bounds, g.offer, g.severalOffers)
	g.seats = batch.NewLookup(units.Bounds, g.seat, g.severalSeats)
	g.teams = batch.NewLookup(units.Bounds, g.team, g.severalTeams)
	units.Companions = g.companions()
	return g
}

// WithTx returns the same store inside the caller's transaction.
func (g *Store) WithTx(tx mysql.Tx) *Store { return over(g.units.WithTx(tx), g.sql) }

// Along returns the same store whose next call carries one more statement of the shop.
func (g *Store) Along(text string, args ...any) *Store { return g.on(g.units.Along(text, args...)) }

// Affects returns the same store with the number of rows that the last statement must affect.
func (g *Store) Affects(n int64) *Store { return g.on(g.units.Affects(n)) }

// Plain returns the same store whose calls carry nothing.
func (g *Store) Plain() *Store { return g.on(g.units.Plain()) }

// on returns the same store on another copy of the store of its units, with which it goes on sharing its reads.
func (g *Store) on(units *ledger.Store) *Store {
	other := *g
	other.units = units
	return &other
}

// SaveActivity implements groupbuy.Store.
func (g *Store) SaveActivity(ctx context.Context, a groupbuy.Activity, ended bool) (stock.Verdict, error) {
	statement := g.sql.addActivity
	args := []any{a.Title, a.Image, int64(a.Formation / time.Minute), a.Hidden, a.Start, a.End, a.Outlive, a.Sort, ended, a.ID}
	if a.Version != 0 {
		statement, args = g.sql.setActivity, append(args, a.Version)
	}
	return g.save(ctx, mysql.Render(statement, args...))
}

// SaveProduct implements groupbuy.Store.
func (g *Store) SaveProduct(ctx context.Context, product groupbuy.Product) (stock.Verdict, error) {
	terms, err := termArgs(product.Terms)
	if err != nil {
		return stock.Refused, err
	}
	args := append([]any{product.SPU, product.Name, product.Spec}, terms...)
	args = append(args, product.PerOrder, product.PerBuyer, int64(product.State), product.Allotted, product.Returns, product.Activity,
		product.SKU)
	statement := g.sql.addProduct
	if product.Version != 0 {
		if _, err := g.lockItem(ctx, product.Key); err != nil {
			return stock.Refused, err
		}
		statement, args = g.sql.setProduct, append(args, product.Version)
	}
	return g.save(ctx, mysql.Render(statement, args...))
}

// save writes a row that may exist, behind the statements of the shop.
func (g *Store) save(ctx context.Context, statement string) (stock.Verdict, error) {
	return ledger.ExistsOnDuplicate(g.units.ChangeBy(ctx, nil, statement))
}

// lockItem locks the item of a product in the caller's transaction, and returns its version; elsewhere it does nothing.
// Whoever takes or pays a seat locks the item first and the product last.
func (g *Store) lockItem(ctx context.Context, key stock.Key) (version int64, err error) {
	if !g.units.Bound() {
		return 0, nil
	}
	err = g.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		err := mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockItem, key.SKU, key.Activity), &version)
		return version == 0, err
	}, g.units.SQL.BlankItems([]stock.Key{key}))
	return version, err
}

// CorrectFormed implements groupbuy.Store.
func (g *Store) CorrectFormed(ctx context.Context, key stock.Key, by int64) error {
	if err := g.units.Ready(ctx); err != nil || by == 0 {
		return err
	}
	defer g.units.Mended()
	if _, err := g.lockItem(ctx, key); err != nil {
		return err
	}
	rows, err := g.units.Exec(ctx, mysql.Render(g.sql.addFormed, by, key.Activity, key.SKU))
	if err != nil || rows != 1 {
		return mysql.Missing(err)
	}
	return nil
}
