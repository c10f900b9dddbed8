// Package sales keeps flash sales, their products and prices beside the ledger of the shop's stock.
package sales

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Store is the sale.Store behind sqlstore.Sale.
type Store struct {
	units *ledger.Store
	books *activities.Store[sale.Activity, sale.Product]
	sql   *saleSQL
}

// New returns the store in the tables of a prefix, beside units that keep companions of their own.
func New(db *sql.DB, o ledger.Settings, by ledger.Companions) *Store {
	units := ledger.New(db, o, ledger.GoodsStock, by)
	return &Store{units: units, books: activities.New(schema(), o.Prefix, units), sql: newSaleSQL(o.Prefix)}
}

// WithTx returns the same store inside the caller's transaction.
func (s *Store) WithTx(tx mysql.Tx) *Store {
	units := s.units.WithTx(tx)
	return &Store{units: units, books: s.books.Within(units), sql: s.sql}
}

// Along returns the same store whose next call carries one more statement of the shop.
func (s *Store) Along(text string, args ...any) *Store { return s.on(s.units.Along(text, args...)) }

// Affects returns the same store with the number of rows that the last statement must affect.
func (s *Store) Affects(n int64) *Store { return s.on(s.units.Affects(n)) }

// Plain returns the same store whose calls carry nothing.
func (s *Store) Plain() *Store { return s.on(s.units.Plain()) }

// on returns the same store on another copy of the store of its units.
func (s *Store) on(units *ledger.Store) *Store {
	return &Store{units: units, books: s.books.On(units), sql: s.sql}
}

// Units implements sale.Store.
func (s *Store) Units() stock.Store { return s.units }

// SaveActivity implements sale.Store.
func (s *Store) SaveActivity(ctx context.Context, a sale.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	return s.books.SaveActivity(ctx, a, ended, by)
}

// Activity implements sale.Store.
func (s *Store) Activity(ctx context.Context, id int64) (sale.Activity, time.Time, error) {
	return s.books.Activity(ctx, id)
}

// Activities implements sale.Store.
func (s *Store) Activities(ctx context.Context, after int64, limit int) ([]sale.Activity, error) {
	return s.books.Activities(ctx, after, limit)
}

// ActivitiesIn implements sale.Store.
func (s *Store) ActivitiesIn(ctx context.Context, state sale.State, after sale.Activity, limit int) ([]sale.Activity, error) {
	return s.books.ActivitiesIn(ctx, s.sql.activitiesIn(state), after, state == sale.Ended || state == sale.Withdrawn, limit)
}

// DueActivities implements sale.Store.
func (s *Store) DueActivities(ctx context.Context, limit int) ([]sale.Activity, error) {
	return s.books.DueActivities(ctx, limit)
}

// SaveProduct implements sale.Store. A new price is in force PriceNotice after the clock of the statement that writes it, whose
// time is that of its beginning. The product is locked before that, so that no wait for it counts as notice.
func (s *Store) SaveProduct(ctx context.Context, p sale.Product, by stock.Change) (stock.Verdict, error) {
	var first, behind func(mysql.Tx) error
	switch {
	case p.PriceFrom.IsZero():
		if p.Version != 0 && !s.units.Bound() {
			first = func(q mysql.Tx) error {
				lock := mysql.Render(s.books.SQL.LockProduct, p.Activity, p.SKU)
				return mysql.Read(ctx, q, lock, func(*sql.Rows) error { return nil })
			}
		}
		behind = func(q mysql.Tx) error {
			_, err := q.ExecContext(ctx, mysql.Render(s.sql.keepPrice, p.Activity, p.SKU))
			return err
		}
	case p.State == sale.Removed && s.units.Tells(event.SaleStarted, event.SaleEnded):
		var told []event.Event
		first = func(q mysql.Tx) (err error) {
			told, err = s.ending(ctx, q, p.Key)
			return err
		}
		behind = func(q mysql.Tx) error { return s.units.WriteTold(ctx, q, told...) }
	}
	return s.books.SaveProduct(ctx, p, by, first, behind)
}

// Offer implements sale.Store.
func (s *Store) Offer(ctx context.Context, key stock.Key) (sale.Offer, time.Time, error) {
	entry, now, err := s.books.Entry(ctx, key)
	return sale.Offer{Product: entry.Product, Activity: entry.Activity}, now, err
}

// Products implements sale.Store.
func (s *Store) Products(ctx context.Context, activity, after int64, limit int) ([]sale.Product, error) {
	return s.books.Products(ctx, activity, after, limit)
}

// DueProducts implements sale.Store.
func (s *Store) DueProducts(ctx context.Context, after stock.Key, limit int) ([]sale.Product, error) {
	return s.books.DueProducts(ctx, after, limit)
}

// Await implements sale.Store.
func (s *Store) Await(ctx context.Context, activity int64, product stock.Key) error {
	return s.books.Await(ctx, activity, product)
}

// schema returns how the tables keep activities and products.
func schema() *activities.Schema[sale.Activity, sale.Product] {
	return &activities.Schema[sale.Activity, sale.Product]{
		Kind: sale.Kind{}, Activities: "flash_sale", Products: "flash_sale_product",
		ActivityColumns: activityColumns, ProductColumns: productColumns,
		ActivityTargets: activityTargets, ProductTargets: productTargets,
		SetActivity: "TITLE, IMAGE, NOTE, LABEL, HIDDEN, START_TIME, END_TIME, SORT, PLACES, APPROVE_TIME, WITHDRAW_TIME",
		SetProduct: "SPU_ID, NAME, SPEC, LABEL, PLACES, LIST_PRICE, PRICE, PRICE_TIME, ORDER_LIMIT, BUYER_LIMIT, SORT, STATE, STOCK_NUM," +
			" RETURN_NUM, RETURN_UNITS",
		ActivityArgs: activityArgs, ProductArgs: productArgs,
		BlankActivity: activities.Blank{Columns: "TITLE, IMAGE, NOTE, LABEL, END_TIME, PLACES",
			Values: "x'', x'', x'', x'', " + mysql.Now + ", 0"},
		BlankProduct: activities.Blank{Columns: "NAME, SPEC, LABEL, PLACES, LIST_PRICE, PRICE, PRICE_TIME, STATE, STOCK_NUM",
			Values: "x'', x'', x'', 0, 0, 0, " + mysql.Now + ", 0, 0"},
	}
}

// activityColumns are the columns of an activity a, in the order of activityTargets.
var activityColumns = "a.ID, a.TITLE, a.IMAGE, a.NOTE, a.LABEL, a.HIDDEN, " + mysql.Micros("a.START_TIME") + ", " +
	mysql.Micros("a.END_TIME") + ", a.SORT, a.PLACES, " + mysql.Micros("a.APPROVE_TIME") + ", " + mysql.Micros("a.WITHDRAW_TIME") + ", " +
	mysql.Micros("a.OVER_TIME") + ", " + mysql.Micros("a.CREATE_TIME") + ", " + mysql.Micros("a.UPDATE_TIME") + ", a.VERSION, " +
	mysql.Micros(mysql.Now)

// productColumns are the columns of a product g, in the order of productTargets.
var productColumns = "g.ACTIVITY_ID, g.SKU_ID, g.SPU_ID, g.NAME, g.SPEC, g.LABEL, g.PLACES, g.LIST_PRICE, g.PRICE, " +
	mysql.Micros("g.PRICE_TIME") + ", g.ORDER_LIMIT, g.BUYER_LIMIT, g.SORT, g.STATE, g.STOCK_NUM, g.RETURN_NUM, g.RETURN_UNITS, " +
	mysql.Micros("g.CREATE_TIME") + ", " + mysql.Micros("g.UPDATE_TIME") + ", g.VERSION"

// activityTargets scan activityColumns.
func activityTargets(a *sale.Activity) []any {
	return []any{
		&a.ID, &a.Title, &a.Image, &a.Note, &a.Label, &a.Hidden, activities.Time(&a.Start), activities.Time(&a.End), &a.Sort,
		&a.Places, activities.Time(&a.ApprovedAt), activities.Time(&a.WithdrawnAt), activities.Time(&a.EndedAt),
		activities.Time(&a.CreatedAt), activities.Time(&a.UpdatedAt), &a.Version,
		// the clock, last
		activities.Number(func(n sql.NullInt64) { a.State = a.StateAt(mysql.FromNullMicros(n)) }),
	}
}

// activityArgs returns what is written of an activity.
func activityArgs(a sale.Activity) []any {
	return []any{a.Title, a.Image, a.Note, a.Label, a.Hidden, a.Start, a.End, a.Sort, int64(a.Places), a.ApprovedAt, a.WithdrawnAt}
}

// productTargets scan productColumns.
func productTargets(p *sale.Product) []any {
	return []any{
		&p.Activity, &p.SKU, &p.SPU, &p.Name, &p.Spec, &p.Label, &p.Places, activities.Amount(&p.ListPrice, &p.Places),
		activities.Amount(&p.Price, &p.Places), activities.Time(&p.PriceFrom), &p.PerOrder, &p.PerBuyer, &p.Sort, &p.State,
		&p.Allotted, &p.Returns, &p.Returned, activities.Time(&p.CreatedAt), activities.Time(&p.UpdatedAt), &p.Version,
	}
}

// productArgs returns what is written of a product. The time of a new price is worked out by the statement.
func productArgs(p sale.Product) ([]any, error) {
	list, err := money.Minor("list price", p.ListPrice, p.Places)
	price, bad := money.Minor("price", p.Price, p.Places)
	return []any{
		p.SPU, p.Name, p.Spec, p.Label, int64(p.Places), list, price, priceTime(p), p.PerOrder, p.PerBuyer, p.Sort, int64(p.State), p.Allotted,
		p.Returns, p.Returned,
	}, errors.Join(err, bad)
}

// inNotice is when a price comes into force that is new for buyers.
var inNotice = mysql.Expr(fmt.Sprintf("TIMESTAMPADD(MICROSECOND, %d, %s)", sale.PriceNotice.Microseconds(), mysql.Now))

// priceTime returns when the price of a product comes into force.
func priceTime(p sale.Product) any {
	switch {
	case !p.PriceFrom.IsZero():
		return p.PriceFrom
	case p.State == sale.Preparing:
		return mysql.Expr(mysql.Now)
	}
	return inNotice
}
