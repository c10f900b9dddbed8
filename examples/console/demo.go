package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// The items of the shop.
const (
	tea      = 42
	teapot   = 43
	tin      = 44
	card     = 45
	mooncake = 46
	kettle   = 47
	cup      = 48
	tray     = 49

	flash = 7 // the flash sale of tea
)

// good is an item of ordinary stock.
type good struct {
	sku   int64
	name  string
	total int64
	terms stock.Terms
}

// assortment returns the items of a shop that opens now: each shows another of the terms.
func assortment(now time.Time) []good {
	return []good{
		{tea, "Green tea, 100 g", 900, stock.Terms{SPU: 4, PerBuyer: 5, Low: 50}},
		{teapot, "Teapot", 60, stock.Terms{PerOrder: 2, Low: 20}},
		{tin, "Tea tin, numbered", 12, stock.Terms{PerBuyer: 1}},
		{card, "Gift card", 0, stock.Terms{Unlimited: true, PerBuyer: 3}},
		{mooncake, "Mooncakes", 300, stock.Terms{Start: now.Add(2 * time.Minute).Truncate(time.Second), LiveHolds: 1}},
		{kettle, "Kettle, old model", 25, stock.Terms{OffShelf: true}},
		{cup, "Cup, next batch", 8, stock.Terms{Backorder: 40}},
		{tray, "Tea tray", 30, stock.Terms{Reserve: 6, End: now.Add(24 * time.Hour).Truncate(time.Second)}},
	}
}

// furnish defines the items, and a flash sale that takes units out of ordinary stock and has begun.
func (s *shop) furnish(ctx context.Context, now time.Time) error {
	inv := s.inv.By("Lin", "the shop opens")
	for _, g := range assortment(now) {
		s.names[g.sku] = g.name
		if _, err := inv.Define(ctx, stock.Key{SKU: g.sku}, g.total, g.terms); err != nil {
			return err
		}
	}
	sales := s.sales.By("Lin", "the shop opens")
	s.pools[flash] = "Double eleven"
	_, err := sales.Define(ctx, sale.Activity{
		ID: flash, Title: s.pools[flash], Label: sale.LabelSubsidy, End: now.Add(time.Hour).Truncate(time.Second), Places: 2,
	})
	if err != nil {
		return err
	}
	product := sale.Product{
		Key: stock.Key{SKU: tea, Activity: flash}, Name: s.names[tea], Price: decimal.RequireFromString("19.90"), PerBuyer: 2,
		ListPrice: decimal.New(99, 0),
	}
	if _, err = sales.Offer(ctx, product, 100); err != nil {
		return err
	}
	_, err = sales.Approve(ctx, flash)
	return err
}

// tamper raises a counter of the kettle by hand. An audit knows no reason for that, as it knows none for an UPDATE on the table.
func (s *shop) tamper(ctx context.Context) error {
	key := stock.Key{SKU: kettle}
	_, err := s.goods.Apply(ctx, stock.Change{
		Kind: stock.KindRepair, ID: "by hand", Entries: []stock.Entry{{Key: key, Delta: stock.Quantities{Locked: 3}}},
		Actor: "somebody", Reason: "the demo changes a counter by hand",
	})
	return err
}

// crowd lets a buyer come every so often until ctx ends, and waits for those who are there.
func (s *shop) crowd(ctx context.Context, every time.Duration) {
	var buyers sync.WaitGroup
	defer buyers.Wait()
	for number := 1; every > 0 && example.Rest(ctx, every); number++ {
		buyers.Add(1)
		go func() {
			defer buyers.Done()
			if err := s.visit(ctx, number); err != nil && ctx.Err() == nil {
				s.lately.failed("a buyer", err)
			}
		}()
	}
}

// wanted is what buyers order, the more often the more lines it has.
var wanted = []stock.Key{
	{SKU: tea}, {SKU: tea}, {SKU: tea, Activity: flash}, {SKU: tea, Activity: flash}, {SKU: teapot}, {SKU: tin}, {SKU: card},
	{SKU: mooncake}, {SKU: cup}, {SKU: tray},
}

// visit is one buyer, who orders something, and then pays, cancels or forgets about it. Refusals of the shop are none of the program.
func (s *shop) visit(ctx context.Context, number int) error {
	order, inv := fmt.Sprint("order-", number), s.inv.For(fmt.Sprint("u-", rand.IntN(500)))
	key := wanted[rand.IntN(len(wanted))]
	line := stock.Line{SKU: key.SKU, Activity: key.Activity, Num: 1 + rand.Int64N(2)}
	_, err := again(ctx, func() (stock.Hold, error) { return inv.Lock(ctx, order, line) })
	if errors.Is(err, stock.ErrInsufficient) && number%4 == 0 {
		_, err = again(ctx, func() (stock.Hold, error) { return inv.Wait(ctx, order, line) })
	}
	if err != nil {
		return unless(err, stock.ErrInsufficient, stock.ErrLimit, stock.ErrNotOnSale)
	}
	if !example.Rest(ctx, rand.N(s.holdFor/2+1)) {
		return nil
	}
	if number%5 == 0 { // changes its mind, or has forgotten about it
		if number%2 == 0 {
			_, err = again(ctx, func() (stock.Outcome, error) { return inv.Cancel(ctx, order) })
		}
		return unless(err, stock.ErrExpired, stock.ErrPaid)
	}
	_, err = again(ctx, func() (stock.Outcome, error) { return inv.Pay(ctx, order) })
	if err != nil {
		return unless(err, stock.ErrExpired, stock.ErrCancelled, stock.ErrWaiting)
	}
	return s.afterwards(ctx, number, order)
}

// afterwards is what follows a payment: some goods are handed over, and some come back.
func (s *shop) afterwards(ctx context.Context, number int, order string) (err error) {
	if !example.Rest(ctx, rand.N(s.holdFor/2+1)) {
		return nil
	}
	switch {
	case number%7 == 0:
		refund := stock.Refund{ID: "refund-" + order, Order: order, Restock: true}
		_, err = again(ctx, func() (stock.RefundOutcome, error) { return s.inv.Refund(ctx, refund) })
	case number%3 == 0:
		_, err = again(ctx, func() (stock.Outcome, error) { return s.inv.Redeem(ctx, order) })
	}
	return unless(err, stock.ErrRefunded, stock.ErrRedeemed, stock.ErrBackordered)
}

// again makes a call, and makes it again while that may help.
func again[T any](ctx context.Context, call func() (T, error)) (result T, err error) {
	err = example.Again(ctx, func() error {
		result, err = call()
		return err
	})
	return result, err
}

// unless returns an error, unless it is one of the answers that a buyer may get.
func unless(err error, answers ...error) error {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return nil
		}
	}
	return err
}
