// Package teams keeps activities, products, teams and seats beside the ledger of the shop's stock.
package teams

import (
	"context"
	"database/sql"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Store is the groupbuy.Store behind sqlstore.GroupBuy.
type Store struct {
	units *ledger.Store // which also has the handle, and what is wrong with the options
	sql   *groupBuySQL
	books *activities.Store[groupbuy.Activity, groupbuy.Product]
	seats *batch.Lookup[string, seatAndTeam]   // by order
	teams *batch.Lookup[string, groupbuy.Team] // by code

	// members reads the first seats of a team, up to a number; nil where calls are not merged.
	members *batch.Batcher[int, string, []groupbuy.Seat]
}

// New returns the store in the tables of a prefix.
func New(db *sql.DB, o ledger.Settings) *Store {
	units := ledger.New(db, o, ledger.GoodsStock, ledger.NoCompanions{})
	g := over(units, newGroupBuySQL(o.Prefix), activities.New(schema(), o.Prefix, units))
	if b := g.units.Bounds; b != nil {
		g.members = batch.NewReader(b, g.membersBatch, g.membersOf)
	}
	return g
}

// over returns the store on a store of units.
func over(units *ledger.Store, statements *groupBuySQL, books *activities.Store[groupbuy.Activity, groupbuy.Product]) *Store {
	g := &Store{units: units, sql: statements, books: books}
	g.seats = batch.NewLookup(units.Bounds, g.seat, g.severalSeats)
	g.teams = batch.NewLookup(units.Bounds, g.team, g.severalTeams)
	units.Companions = g.companions()
	return g
}

// WithTx returns the same store inside the caller's transaction.
func (g *Store) WithTx(tx mysql.Tx) *Store {
	units := g.units.WithTx(tx)
	return over(units, g.sql, g.books.Within(units))
}

// Along returns the same store whose next call carries one more statement of the shop.
func (g *Store) Along(text string, args ...any) *Store { return g.on(g.units.Along(text, args...)) }

// Affects returns the same store with the number of rows that the last statement must affect.
func (g *Store) Affects(n int64) *Store { return g.on(g.units.Affects(n)) }

// Plain returns the same store whose calls carry nothing.
func (g *Store) Plain() *Store { return g.on(g.units.Plain()) }

// on returns the same store on another copy of the store of its units, with which it goes on sharing its reads.
func (g *Store) on(units *ledger.Store) *Store {
	other := *g
	other.units, other.books = units, g.books.On(units)
	return &other
}

// CorrectFormed implements groupbuy.Store.
func (g *Store) CorrectFormed(ctx context.Context, book groupbuy.FormedBook, by stock.Change) (stock.Verdict, error) {
	if err := g.units.Ready(); err != nil {
		return stock.Refused, err
	}
	defer g.units.Mended()
	if _, err := g.books.LockItem(ctx, book.Key); err != nil {
		return stock.Refused, err
	}
	statement := mysql.Render(g.sql.correctFormed, book.Recount-book.Formed, book.Activity, book.SKU, book.Version)
	kept, err := g.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		rows, err := mysql.Affected(q.ExecContext(ctx, statement))
		if err != nil || rows == 0 {
			return false, err
		}
		return true, g.units.Record(ctx, q, by)
	})
	return ledger.DoneIf(kept), err
}
