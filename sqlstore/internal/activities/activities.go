// Package activities keeps activities and their products beside the ledger of the shop's stock: what the stores of flash
// sales and of group buying have in common. The rules are those of internal/allot.
package activities

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Schema says how the tables of a domain keep its activities A and products P.
type Schema[A comparable, P any] struct {
	Kind allot.Kind[A, P]

	Activities, Products string // the tables, without a prefix

	// What is read of a row: the columns of an activity a and a product g, and what they are scanned into.
	ActivityColumns, ProductColumns string
	ActivityTargets                 func(*A) []any
	ProductTargets                  func(*P) []any

	// What is written to a row, but for its key, times and version, and OVER_TIME of an activity.
	SetActivity, SetProduct string // columns, separated by commas
	ActivityArgs            func(A) []any
	ProductArgs             func(P) ([]any, error)

	BlankActivity, BlankProduct Blank
}

// Blank has the columns that a row must have beside its key, times and version, and values for them that mean nothing.
type Blank struct{ Columns, Values string }

// Entry is a product with its activity.
type Entry[A, P any] struct {
	Product  P
	Activity A
}

// Store keeps activities and products in the tables of a schema.
type Store[A comparable, P any] struct {
	*Schema[A, P]

	SQL     *Statements
	units   *ledger.Store
	entries *batch.Lookup[stock.Key, Entry[A, P]]
}

// New returns the store of a schema in the tables of a prefix, on a store of units.
func New[A comparable, P any](schema *Schema[A, P], prefix string, units *ledger.Store) *Store[A, P] {
	return over(schema, newStatements(schema, prefix), units)
}

// over returns the store on a store of units.
func over[A comparable, P any](schema *Schema[A, P], statements *Statements, units *ledger.Store) *Store[A, P] {
	s := &Store[A, P]{Schema: schema, SQL: statements, units: units}
	s.entries = batch.NewLookup(units.Bounds, s.entry, s.several)
	return s
}

// Within returns the same store on the units of a caller's transaction.
func (s *Store[A, P]) Within(units *ledger.Store) *Store[A, P] { return over(s.Schema, s.SQL, units) }

// On returns the same store on another copy of the store of its units, with which it goes on sharing its reads.
func (s *Store[A, P]) On(units *ledger.Store) *Store[A, P] {
	other := *s
	other.units = units
	return &other
}

// SaveActivity implements allot.Store.
func (s *Store[A, P]) SaveActivity(ctx context.Context, activity A, ended bool, by stock.Change) (stock.Verdict, error) {
	period := s.Kind.Period(activity)
	statement, args := s.SQL.AddActivity, append(s.ActivityArgs(activity), ended, period.ID)
	if period.Version != 0 {
		statement, args = s.SQL.SetActivity, append(args, period.Version)
	}
	return s.save(ctx, mysql.Render(statement, args...), by, nil, nil)
}

// save writes a row that may exist, behind the statements of the shop. First and behind are what comes before and after it in the same
// transaction, which also records by. Each may be nothing.
func (s *Store[A, P]) save(
	ctx context.Context, statement string, by stock.Change, first, behind func(q mysql.Tx) error,
) (stock.Verdict, error) {
	if first == nil && by.ID == "" && behind == nil {
		return ledger.ExistsOnDuplicate(s.units.ChangeBy(ctx, nil, statement))
	}
	kept, err := s.units.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		if first != nil {
			if err := first(q); err != nil {
				return false, err
			}
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, statement))
		if err != nil || rows == 0 {
			return false, err
		}
		if behind != nil {
			if err := behind(q); err != nil {
				return false, err
			}
		}
		return true, s.units.Record(ctx, q, by)
	})
	return ledger.ExistsOnDuplicate(ledger.DoneIf(kept), err)
}

// SaveProduct implements allot.Store. First and behind are what comes before and after it in the same transaction; nil is nothing.
func (s *Store[A, P]) SaveProduct(
	ctx context.Context, product P, by stock.Change, first, behind func(mysql.Tx) error,
) (stock.Verdict, error) {
	args, err := s.ProductArgs(product)
	if err != nil {
		return stock.Refused, err
	}
	share := s.Kind.Share(product)
	statement, args := s.SQL.AddProduct, append(args, share.Activity, share.SKU)
	if share.Version != 0 {
		if _, err := s.LockItem(ctx, share.Key); err != nil {
			return stock.Refused, err
		}
		statement, args = s.SQL.SetProduct, append(args, share.Version)
	}
	if share.State == allot.Settled && !s.units.Bound() {
		first = func(q mysql.Tx) error { return s.awaitRefunds(ctx, q, share.Key) }
	}
	return s.save(ctx, mysql.Render(statement, args...), by, first, behind)
}

// awaitRefunds locks the item of a product that is about to be settled. A refund that gives units back locks the item first, and
// then makes a settled product Removed again: it is committed by now, and whoever settled the product sees its units; or it
// begins after that, and sees a settled product.
func (s *Store[A, P]) awaitRefunds(ctx context.Context, q mysql.Tx, key stock.Key) error {
	return mysql.Read(ctx, q, mysql.Render(s.SQL.LockItem, key.SKU, key.Activity), func(*sql.Rows) error { return nil })
}

// LockItem locks the item of a product in the caller's transaction, and returns how many of its units orders have; elsewhere it does
// nothing. Whoever moves units of a product locks the item first and the product last.
func (s *Store[A, P]) LockItem(ctx context.Context, key stock.Key) (taken int64, err error) {
	if !s.units.Bound() {
		return 0, nil
	}
	err = s.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		var version int64
		err := mysql.ReadRow(ctx, q, mysql.Render(s.SQL.lockTaken, key.SKU, key.Activity), &version, &taken)
		return version == 0, err
	}, s.units.SQL.BlankItems([]stock.Key{key}))
	return taken, err
}

// Reopen makes settled products Removed again, after units have come back to them.
func Reopen(ctx context.Context, q mysql.Tx, statement string, keys []stock.Key) error {
	keys = slices.Compact(slices.SortedFunc(slices.Values(keys), stock.Key.Compare))
	for _, key := range keys {
		if _, err := q.ExecContext(ctx, mysql.Render(statement, key.Activity, key.SKU)); err != nil {
			return err
		}
	}
	return nil
}

// Refunds has settled products follow refunds of goods.
type Refunds struct{ has, reopen string }

// NewRefunds returns what does so for the products of a table.
func NewRefunds(table string) Refunds {
	return Refunds{has: hasProduct(table), reopen: reopens(table)}
}

// Reopen is Reopen for the products of the pools that refunds have put units into. A shop that has not migrated so far has no
// products. The pool may be that of another kind of activity. In the caller's transaction it looks for the product first: the UPDATE
// would lock the gap where there is none.
func (r Refunds) Reopen(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	var keys []stock.Key
	for _, c := range calls {
		for _, l := range c.Refund.Lines {
			if !c.Refund.Restock || l.Activity == 0 {
				continue
			}
			maybe := !mysql.Borrowed(q)
			if !maybe {
				err := mysql.Read(ctx, q, mysql.Render(r.has, l.Activity, l.SKU), func(*sql.Rows) error { maybe = true; return nil })
				if err != nil {
					return unlessNoTable(err)
				}
			}
			if maybe {
				keys = append(keys, l.Key())
			}
		}
	}
	return unlessNoTable(Reopen(ctx, q, r.reopen, keys))
}

// unlessNoTable returns an error, unless it says that there is no table.
func unlessNoTable(err error) error {
	if mysql.NoTable(err) {
		return nil
	}
	return err
}

// Activity implements allot.Store.
func (s *Store[A, P]) Activity(ctx context.Context, id int64) (A, time.Time, error) {
	var activity, none A
	if err := s.units.Ready(); err != nil {
		return none, time.Time{}, err
	}
	var clock int64
	err := s.units.QueryAmong(ctx, mysql.Render(s.SQL.ReadActivity, id), func(rows *sql.Rows) (bool, error) {
		err := rows.Scan(append(s.ActivityTargets(&activity), &clock)...)
		return s.Kind.Period(activity).Version > 0, err
	}, s.SQL.BlankActivity.Of(id))
	if s.Kind.Period(activity).Version == 0 { // a blank
		activity = none
	}
	now, err := s.units.Moment(ctx, clock, err)
	return activity, now, err
}

// Activities implements allot.Store.
func (s *Store[A, P]) Activities(ctx context.Context, after int64, limit int) ([]A, error) {
	return ledger.ListOf(ctx, s.units, s.units.Show, mysql.Render(s.SQL.ListActivities, after, limit), Scan(s.ActivityTargets))
}

// ActivitiesIn returns up to limit activities behind another, by a statement of In.
func (s *Store[A, P]) ActivitiesIn(ctx context.Context, statement string, after A, last bool, limit int) ([]A, error) {
	period := s.Kind.Period(after)
	from := mysql.From(period.End.IsZero(), period.End)
	if last {
		from = mysql.Before(period.End.IsZero(), period.End)
	}
	query := mysql.Render(statement, from, from, period.ID, limit)
	return ledger.ListOf(ctx, s.units, s.units.Show, query, Scan(s.ActivityTargets))
}

// DueActivities implements allot.Store. It locks nothing, like all listings: the end of an activity reads it again.
func (s *Store[A, P]) DueActivities(ctx context.Context, limit int) ([]A, error) {
	return ledger.ListOf(ctx, s.units, s.units.Show, mysql.Render(s.SQL.DueActivities, limit), Scan(s.ActivityTargets))
}

// Products implements allot.Store. The end of an activity decides by it.
func (s *Store[A, P]) Products(ctx context.Context, activity, after int64, limit int) ([]P, error) {
	query := mysql.Render(s.SQL.ListProducts, activity, after, limit)
	return ledger.ListOf(ctx, s.units, s.units.Query, query, Scan(s.ProductTargets))
}

// DueProducts implements allot.Store.
func (s *Store[A, P]) DueProducts(ctx context.Context, after stock.Key, limit int) ([]P, error) {
	part := []any{after.Activity, after.Activity, after.SKU, limit}
	query := mysql.Render(s.SQL.DueProducts, slices.Concat(part, part, []any{limit})...)
	return ledger.ListOf(ctx, s.units, s.units.Show, query, Scan(s.ProductTargets))
}

// EntryTargets scan ProductColumns and ActivityColumns.
func (s *Schema[A, P]) EntryTargets(e *Entry[A, P]) []any {
	return append(s.ProductTargets(&e.Product), s.ActivityTargets(&e.Activity)...)
}

// Entry returns a product with its activity, and the clock. Concurrent calls share one read.
func (s *Store[A, P]) Entry(ctx context.Context, key stock.Key) (Entry[A, P], time.Time, error) {
	if err := s.units.Ready(); err != nil {
		return Entry[A, P]{}, time.Time{}, err
	}
	return s.entries.Get(ctx, key)
}

// entry reads one product. In the caller's transaction it locks the item, then the product, then the activity. The activity
// exists because the product does. Its lock is a shared one, since others read it as well.
func (s *Store[A, P]) entry(ctx context.Context, key stock.Key) (Entry[A, P], time.Time, error) {
	if !s.units.Bound() {
		entries, now, err := s.several(ctx, []stock.Key{key})
		return entries[key], now, err
	}
	var found Entry[A, P]
	var clock int64
	err := s.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		var item, product int64
		err := mysql.ReadRow(ctx, q, mysql.Render(s.SQL.LockItem, key.SKU, key.Activity), &item)
		if err == nil {
			err = mysql.ReadRow(ctx, q, mysql.Render(s.SQL.LockProduct, key.Activity, key.SKU), &product)
		}
		if err != nil || product == 0 {
			return true, err
		}
		err = s.units.ReadShared(ctx, q, mysql.Render(s.SQL.Entries(1), key.Activity, key.SKU), "g", func(rows *sql.Rows) error {
			return rows.Scan(append(s.EntryTargets(&found), &clock)...)
		})
		return item == 0, err
	}, s.units.SQL.BlankItems([]stock.Key{key}), s.SQL.BlankProduct.Of(key.Activity, key.SKU))
	now, err := s.units.Moment(ctx, clock, err)
	return found, now, err
}

// several reads several products.
func (s *Store[A, P]) several(ctx context.Context, keys []stock.Key) (map[stock.Key]Entry[A, P], time.Time, error) {
	keys = slices.Compact(slices.SortedFunc(slices.Values(keys), stock.Key.Compare))
	return ByKey(ctx, s.units, mysql.Render(s.SQL.Entries(len(keys)), KeyArgs(keys)...), s.EntryTargets,
		func(e Entry[A, P]) stock.Key { return s.Kind.Share(e.Product).Key })
}

// Await waits until nobody who is under way can still change an activity, or a product of another key than zero. It does nothing
// in the caller's transaction, whose reads are locked.
func (s *Store[A, P]) Await(ctx context.Context, activity int64, product stock.Key) error {
	if err := s.units.Ready(); err != nil || s.units.Bound() {
		return err
	}
	statement := mysql.Render(s.SQL.ReadActivity, activity) + " FOR UPDATE"
	if product != (stock.Key{}) {
		statement = mysql.Render(s.SQL.LockProduct, product.Activity, product.SKU)
	}
	return s.units.Query(ctx, statement, func(*sql.Rows) error { return nil })
}

// KeyArgs returns keys as arguments of Statements.Entries.
func KeyArgs(keys []stock.Key) []any {
	var args []any
	for _, key := range keys {
		args = append(args, key.Activity, key.SKU)
	}
	return args
}

// ByKey reads things by their keys, and the clock.
func ByKey[K comparable, T any](
	ctx context.Context, units *ledger.Store, query string, targets func(*T) []any, key func(T) K,
) (map[K]T, time.Time, error) {
	found := map[K]T{}
	var clock int64
	err := units.Query(ctx, query, func(rows *sql.Rows) error {
		var one T
		err := rows.Scan(append(targets(&one), &clock)...)
		found[key(one)] = one
		return err
	})
	now, err := units.Moment(ctx, clock, err)
	return found, now, err
}

// Scan returns a function that reads one row into what some targets point to.
func Scan[T any](targets func(*T) []any) func(*sql.Rows) (T, error) {
	return func(rows *sql.Rows) (one T, err error) {
		err = rows.Scan(targets(&one)...)
		return one, err
	}
}

// Number scans an integer, or NULL, and hands it over.
type Number func(sql.NullInt64)

// Scan implements sql.Scanner.
func (f Number) Scan(value any) error {
	var n sql.NullInt64
	err := n.Scan(value)
	f(n)
	return err
}

// Time scans mysql.Micros into a time; NULL is the zero time.
func Time(to *time.Time) Number { return func(n sql.NullInt64) { *to = mysql.FromNullMicros(n) } }

// Amount scans an amount of the smallest unit of a currency, whose places are scanned before it; NULL is 0.
func Amount(to *decimal.Decimal, places *int32) Number {
	return func(n sql.NullInt64) { *to = money.Decimal(n.Int64, *places) }
}

// count returns how many columns a list has.
func count(columns string) int { return strings.Count(columns, ",") + 1 }
