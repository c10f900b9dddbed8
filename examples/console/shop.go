package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// shop is what the console is for: stock, a flash sale, and what the shop itself keeps.
type shop struct {
	inv     *stock.Inventory
	goods   stock.Store // under inv
	sales   *sale.Sales
	events  *event.Events
	notes   notes
	lately  journal
	names   map[int64]string // of SKUs: the shop knows them, the library does not
	pools   map[int64]string // and those of activities
	holdFor time.Duration
}

// tell names the events that the page of what happened lately shows.
func tell() []event.Kind {
	return []event.Kind{
		event.SoldOut, event.BackInStock, event.LowStock, event.SaleStarted, event.SaleEnded,
		event.HoldExpired, event.HoldCancelled, event.OrderPaid, event.OrderRefunded, event.Offered, event.Covered,
	}
}

// open returns an empty shop, in memory or in a database.
func open(ctx context.Context, db *sql.DB, holdFor time.Duration) (*shop, error) {
	s := &shop{names: map[int64]string{}, pools: map[int64]string{}, holdFor: holdFor}
	failed := func(err error) { s.lately.failed("a job of the shop", err) }
	var sales sale.Store
	var events event.Store
	if db != nil {
		err := errors.Join(sqlstore.Migrate(ctx, db, nil), sqlstore.MigrateLists(ctx, db, nil)) // lists of buyers and of states
		if err != nil {
			return nil, err
		}
		if _, err := db.ExecContext(ctx, createNotes); err != nil {
			return nil, err
		}
		opts := &sqlstore.Options{Tell: tell()}
		goods := sqlstore.NewStock(db, opts)
		s.goods, s.notes = goods, tableNotes{db, goods}
		sales, events = sqlstore.NewSale(db, opts), sqlstore.NewEvents(db, opts)
	} else {
		kept := new(memoryNotes)
		goods := &stock.Memory{OnAlong: kept.keep, Events: new(event.Memory), Tell: tell()}
		kept.goods = goods
		s.goods, s.notes = goods, kept
		sales, events = &sale.Memory{Stock: goods}, goods.Events
	}
	s.inv = stock.New(s.goods, &stock.Options{HoldFor: holdFor, OnError: failed})
	s.sales = sale.New(sales, &sale.Options{OnError: failed})
	s.events = event.New(events, &event.Options{OnError: failed})
	return s, nil
}

// work starts what a shop has running all the time, and its buyers. The func that it returns ends that.
func (s *shop) work(ctx context.Context, every time.Duration) (rest func()) {
	ctx, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	for _, job := range []func(){
		func() { _ = s.inv.Run(ctx) }, // the error is that ctx has ended
		func() { _ = s.sales.Run(ctx) },
		func() { _ = s.events.Run(ctx, s.lately.handle) },
		func() { s.crowd(ctx, every) },
	} {
		jobs.Add(1)
		go func() {
			defer jobs.Done()
			job()
		}()
	}
	return func() {
		stop()
		jobs.Wait()
	}
}

// pool returns the name of the pool of an activity.
func (s *shop) pool(activity int64) string {
	return cmp.Or(s.pools[activity], fmt.Sprint("activity ", activity))
}

// operator is who makes a change, and why.
type operator struct{ name, reason string }

// offer returns the product that a flash sale sells out of a pool. Its Version is 0 for ordinary stock, and for a pool of anything else.
func (s *shop) offer(ctx context.Context, key stock.Key) (sale.Offer, error) {
	if key.Activity == 0 {
		return sale.Offer{}, nil
	}
	offer, err := s.sales.Product(ctx, key)
	if errors.Is(err, sale.ErrUnknownActivity) || errors.Is(err, sale.ErrUnknownProduct) {
		return sale.Offer{}, nil
	}
	return offer, err
}

// restock adds units to an item. Those of a flash sale come out of ordinary stock.
func (s *shop) restock(ctx context.Context, by operator, id string, line stock.Line) (stock.ChangeOutcome, error) {
	offer, err := s.offer(ctx, line.Key())
	switch {
	case err != nil:
		return stock.ChangeOutcome{}, err
	case offer.Version > 0:
		return s.sales.By(by.name, by.reason).Restock(ctx, id, line.Key(), line.Num)
	}
	return s.inv.By(by.name, by.reason).Restock(ctx, id, line)
}

// withdraw takes units away from an item. Those of a flash sale go back to ordinary stock.
func (s *shop) withdraw(ctx context.Context, by operator, id string, line stock.Line) (stock.ChangeOutcome, error) {
	offer, err := s.offer(ctx, line.Key())
	switch {
	case err != nil:
		return stock.ChangeOutcome{}, err
	case offer.Version > 0:
		return s.sales.By(by.name, by.reason).Withdraw(ctx, id, line.Key(), line.Num)
	}
	return s.inv.By(by.name, by.reason).Withdraw(ctx, id, line)
}

// changeTerms changes the terms of an item, once for each form. The change is given the item as it is.
func (s *shop) changeTerms(
	ctx context.Context, by operator, form string, key stock.Key, change func(stock.Item) (stock.Terms, error),
) error {
	switch offer, err := s.offer(ctx, key); {
	case err != nil:
		return err
	case offer.Version > 0:
		return errSaleTerms
	}
	inv := s.inv.On(s.notes.along(note{form: form, by: by})).By(by.name, by.reason)
	_, err := inv.ChangeTerms(ctx, key, change)
	return s.sent(err)
}

// cancel closes an order that is not paid, with a note of who did it. An order that nobody has placed is stock.ErrNotFound: Cancel would
// close its number for ever.
func (s *shop) cancel(ctx context.Context, by operator, form, order string) (stock.Outcome, error) {
	if _, err := s.inv.Hold(ctx, order); err != nil {
		return stock.Outcome{}, err
	}
	inv := s.inv.On(s.notes.along(note{form, order, by})).By(by.name, by.reason) // which refuses a name or a reason that is too long
	outcome, err := inv.Cancel(ctx, order)
	return outcome, s.sent(err)
}

// sent returns errSent in place of an error that means it.
func (s *shop) sent(err error) error {
	if s.notes.duplicate(err) {
		return errSent
	}
	return err
}
