// Checkout is order code to copy: the row of an order, its units and its coupon change in one call, or none of them does.
// Payments arrive twice or too late, and buyers cancel. An event closes an order that was not paid in time.
//
//	go run ./examples/checkout # or, on MySQL, -dsn 'user:password@tcp(127.0.0.1:3306)/'
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func main() { example.Main(run) }

// open returns a shop, on MySQL or in memory, with 6 units and a coupon for Ann that takes 10 off.
func open(ctx context.Context, db *sql.DB) (*shop, error) {
	var s shop
	if db != nil {
		if err := errors.Join(tables{db: db}.exec(ctx, createOrders), sqlstore.Migrate(ctx, db, nil)); err != nil {
			return nil, err
		}
		goods := sqlstore.NewStock(db, &sqlstore.Options{Tell: tell()})
		s = shop{rows: tables{db, goods}, coupons: coupon.New(sqlstore.NewCoupon(db, nil), nil)}
		s.inv, s.events = stock.New(goods, &stock.Options{HoldFor: holdFor}), event.New(sqlstore.NewEvents(db, nil), nil)
	} else {
		coupons, m := new(coupon.Memory), new(memory)
		onAlong := func(ctx context.Context, rows []stock.MemoryRow) error {
			return m.exec(ctx, rows[0].Text, rows[0].Args...)
		}
		events := new(event.Memory)
		m.goods = (&stock.Memory{OnAlong: onAlong, Events: events, Tell: tell()}).With(coupons.BesideGoods())
		s = shop{rows: m, coupons: coupon.New(coupons, nil)}
		s.inv, s.events = stock.New(m.goods, &stock.Options{HoldFor: holdFor}), event.New(events, nil)
	}
	s.mail = func(string, string) {}
	terms := coupon.Terms{Kind: coupon.AmountOff, Amount: decimal.New(10, 0), ForDays: 30, Zone: "Asia/Shanghai"}
	_, err1 := s.inv.Define(ctx, stock.Key{SKU: 42}, 6, stock.Terms{PerBuyer: 4})
	_, err2 := s.coupons.Define(ctx, 1, 100, coupon.Rules{PerBuyer: 1}, terms)
	_, err3 := s.coupons.For("Ann").Claim(ctx, "gift", 1)
	return &s, errors.Join(err1, err2, err3)
}

// run tells a story, and shows what each step leaves behind.
func run(ctx context.Context, db *sql.DB, w io.Writer) error {
	s, err := open(ctx, db)
	if err != nil {
		return err
	}
	s.mail = func(buyer, text string) { fmt.Fprintf(w, "   to %s: %s\n", buyer, text) }
	place := func(o order) func() error { return func() error { return s.place(ctx, o) } }
	pay := func(payment, id string) func() error {
		return func() error { return s.paymentArrived(ctx, payment, id) }
	}
	for _, step := range []struct {
		what, order string
		do          func() error
	}{
		{"Ann orders 2 with her coupon", "A", place(order{id: "A", buyer: "Ann", num: 2, coupon: "gift"})},
		{"Ann presses the button twice", "A", place(order{id: "A", buyer: "Ann", num: 2, coupon: "gift"})},
		{"Ann orders 1 with the same coupon", "B", place(order{id: "B", buyer: "Ann", num: 1, coupon: "gift"})},
		{"Bo orders 4", "C", place(order{id: "C", buyer: "Bo", num: 4})},
		{"Chen orders 1", "D", place(order{id: "D", buyer: "Chen", num: 1})},
		{"a payment arrives", "A", pay("pay-1", "A")},
		{"it arrives a second time", "A", pay("pay-1", "A")},
		{"another payment arrives", "A", pay("pay-2", "A")},
		{"time passes, a payment is late", "C", func() error { example.Rest(ctx, holdFor); return pay("pay-3", "C")() }},
		{"the sweeper tells that it expired", "C", func() error { return s.sweep(ctx) }},
		{"Ann wants her money back", "A", func() error { return s.cancel(ctx, "A") }},
		{"Ann orders 2 with her coupon", "E", place(order{id: "E", buyer: "Ann", num: 2, coupon: "gift"})},
	} {
		refused := step.do()
		if stock.Retryable(refused) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), refused)
		}
		if fmt.Fprintf(w, "%s: %-33s → ", step.order, step.what); refused != nil {
			fmt.Fprintln(w, refused)
			continue
		}
		o, err1 := s.order(ctx, step.order)
		item, err2 := s.inv.Item(ctx, stock.Key{SKU: 42})
		gift, err3 := s.coupons.Coupon(ctx, "gift")
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		fmt.Fprintf(w, "%s; %d sold, %d locked, %d left; coupon %s\n", o.state, item.Sold, item.Locked, item.Left, gift.State)
	}
	report1, err1 := s.inv.Audit(ctx)
	report2, err2 := s.coupons.Audit(ctx)
	fmt.Fprintf(w, "Audit: %d drifts.\n", len(report1.Drifts)+len(report2.Drifts)+len(report2.Conflicts))
	return errors.Join(err1, err2)
}

// rows are the orders, beside the goods.
type rows interface {
	along(text string, args ...any) stock.Store // the goods, whose next call carries a statement
	exec(ctx context.Context, text string, args ...any) error
	order(ctx context.Context, id string) (order, error)
}

// tables are rows in MySQL.
type tables struct {
	db    *sql.DB
	goods *sqlstore.Stock
}

func (t tables) along(text string, args ...any) stock.Store { return t.goods.Along(text, args...) }

func (t tables) exec(ctx context.Context, text string, args ...any) error {
	_, err := t.db.ExecContext(ctx, text, args...)
	return err
}

func (t tables) order(ctx context.Context, id string) (o order, err error) {
	row := t.db.QueryRowContext(ctx, "SELECT ID, BUYER, NUM, COUPON, TO_PAY, STATE, PAYMENT FROM orders WHERE ID = ?", id)
	err = row.Scan(&o.id, &o.buyer, &o.num, &o.coupon, &o.toPay, &o.state, &o.payment)
	return o, err
}

// memory is rows in the process. The goods hand over the statements of a call where it takes effect.
type memory struct {
	goods *stock.Memory
	kept  sync.Map // orders by ID
}

func (m *memory) along(text string, args ...any) stock.Store { return m.goods.Along(text, args...) }

func (m *memory) exec(_ context.Context, text string, args ...any) error {
	if text == placeOrder {
		id, _ := args[0].(string)
		buyer, gift := args[1].(string), args[3].(string)
		m.kept.Store(id, order{id: id, buyer: buyer, coupon: gift, state: "placed", num: args[2].(int64), toPay: args[4].(decimal.Decimal)})
		return nil
	}
	o, err := m.order(context.Background(), args[1].(string))
	switch {
	case text == closeOrder && o.state != "placed":
		return err
	case text == payOrder:
		o.state, o.payment = "paid", args[0].(string)
	default:
		o.state = args[0].(string)
	}
	m.kept.Store(o.id, o)
	return err
}

func (m *memory) order(_ context.Context, id string) (order, error) {
	o, ok := m.kept.Load(id)
	if !ok {
		return order{}, sql.ErrNoRows
	}
	return o.(order), nil
}
