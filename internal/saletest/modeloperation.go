package saletest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// What operators and orders do in a model.

// A fairOfModel is an activity with its times after the beginning, which is another instant on each side.
type fairOfModel struct {
	sale.Activity

	start, end time.Duration // no start is 0
}

// of returns the activity as one side defines it.
func (f fairOfModel) of(s *side) sale.Activity {
	if f.start != 0 {
		f.Start = s.Epoch.Add(f.start)
	}
	f.End = s.Epoch.Add(f.end)
	return f.Activity
}

// An offering is a product that was offered, with units.
type offering struct {
	sale.Product

	units int64
}

// An orderOfModel is an order that was asked for.
type orderOfModel struct {
	id, buyer string
	lines     []stock.Line
}

// by draws who makes a call of an operator: the call, and how to say it.
func (m *model) by(name string, looks []operation, call func(s *side, sales *sale.Sales) (any, error)) operation {
	actor, reason := suite.Pick(m, "", "lin", "Lin", "lin "), suite.Pick(m, "", "夏天", "it's broken")
	if actor == "" && !m.Chance(3) { // who is named must have a name
		return operation{Name: name, Looks: looks, Call: func(s *side) (any, error) { return call(s, s.sales) }}
	}
	return operation{Name: fmt.Sprintf("%s by %q: %q", name, actor, reason), Looks: looks, Call: func(s *side) (any, error) {
		return call(s, s.sales.By(actor, reason))
	}}
}

// activity draws an activity.
func (m *model) activity() int64 {
	if len(m.fairs) == 0 || m.Chance(3) {
		return unknownOfModel
	}
	return suite.Pick(m, m.fairs[max(0, len(m.fairs)-3):]...).ID
}

// product draws a product: mostly one that can be bought.
func (m *model) product() stock.Key {
	var fit []stock.Key
	all := !m.Chance(85)
	for _, o := range m.offers {
		if all || m.runs(o.Key) {
			fit = append(fit, o.Key)
		}
	}
	if len(fit) == 0 || m.Chance(1) {
		return stock.Key{SKU: m.Int64N(skusOfModel) + 1, Activity: max(m.activity(), 1)}
	}
	return suite.Pick(m, fit...)
}

// runs reports whether a product can be bought.
func (m *model) runs(key stock.Key) bool {
	offer, now, err := m.Sides[0].Store.Offer(m.Context(), key)
	m.Must(err)
	return offer.State == sale.Offered && offer.Activity.StateAt(now) == sale.Running
}

// onSale returns how many products can be bought.
func (m *model) onSale() int {
	n := 0
	for _, o := range m.offers {
		if m.runs(o.Key) {
			n++
		}
	}
	return n
}

// prepare makes or changes an activity or a product.
func (m *model) prepare() operation {
	switch n := m.IntN(100); {
	case len(m.fairs) == 0 || n < 20 && m.onSale() < 4:
		return m.define(int64(len(m.fairs)) + 1)
	case n < 30:
		return m.define(max(m.activity(), 1))
	case n < 50:
		id := m.activity()
		return m.by(fmt.Sprintf("Approve(%d)", id), nil, func(s *side, sales *sale.Sales) (any, error) { return sales.Approve(s.Context(), id) })
	case n < 57 && len(m.offers) > 0:
		return m.offerAgain()
	case n < 70 && len(m.offers) > 0:
		p := m.productOf(m.product())
		return m.by(fmt.Sprintf("Revise(%+v)", p), lookAt(p.Key), func(s *side, sales *sale.Sales) (any, error) {
			return sales.Revise(s.Context(), p)
		})
	}
	o := offering{m.productOf(stock.Key{SKU: m.Int64N(skusOfModel) + 1, Activity: m.activity()}), m.Int64N(20) + 1}
	if m.Chance(5) {
		o.units = suite.Pick[int64](m, 0, -1, 10*unitsOfModel)
	}
	m.offers = append(m.offers, o)
	return m.offer(o)
}

// define defines a new activity or another one of a known number.
func (m *model) define(id int64) operation {
	f := fairOfModel{Activity: sale.Activity{
		ID: id, Title: m.word(sale.MaxText, "", "双十一", "Fair "), Image: suite.Pick(m, "", "a.png"), Note: m.word(sale.MaxNote, "", "one each"),
		Label: suite.Pick(m, "", sale.LabelCrowd, "今日特价"), Hidden: m.Chance(15), Sort: m.Int64N(4) - 2, Places: 2,
	}, end: m.since() + suite.Pick(m, 45*time.Second, 5*time.Minute, hour, day)}
	if m.Chance(30) {
		f.start = max(m.since()+suite.Pick(m, -hour, time.Microsecond, 20*time.Second), time.Microsecond)
	}
	switch m.IntN(50) {
	case 0:
		f.end = f.start
	case 1:
		f.Places = m.Int32N(12)
	}
	if id == int64(len(m.fairs))+1 {
		m.fairs = append(m.fairs, f)
	}
	name := fmt.Sprintf("Define(%+v from %v until %v)", f.Activity, f.start, f.end)
	return m.by(name, []operation{productsOf(id)}, func(s *side, sales *sale.Sales) (any, error) { return sales.Define(s.Context(), f.of(s)) })
}

// productOf draws a product, one in twenty of which cannot be.
func (m *model) productOf(key stock.Key) sale.Product {
	p := sale.Product{
		Key: key, SPU: m.Int64N(3), Name: m.word(sale.MaxText, "", "Tea", "茶"), Spec: suite.Pick(m, "", "500 g"),
		Label: suite.Pick(m, "", sale.LabelClearance), ListPrice: dec(suite.Pick(m, "0", "99", "99.00")),
		Price: dec(suite.Pick(m, "19.9", "19.90", "5", "0.01", "99")), Sort: m.Int64N(3),
	}
	if m.Chance(20) {
		p.PerOrder = m.Int64N(4) + 1
	}
	if m.Chance(30) {
		p.PerBuyer = m.Int64N(6) + 1
	}
	if m.Chance(5) {
		p.Price = dec(suite.Pick(m, "-1", "1.001", "100", "99.000"))
	}
	return p
}

// offerAgain offers a product again, or as another one.
func (m *model) offerAgain() operation {
	o := suite.Pick(m, m.offers...)
	switch m.IntN(4) {
	case 0:
		o.units++
	case 1:
		o.Product = m.productOf(o.Key)
	}
	return m.offer(o)
}

// offer makes one offer.
func (m *model) offer(o offering) operation {
	return m.by(fmt.Sprintf("Offer(%+v, %d)", o.Product, o.units), lookAt(o.Key), func(s *side, sales *sale.Sales) (any, error) {
		return sales.Offer(s.Context(), o.Product, o.units)
	})
}

// operate moves units of a product, removes it, or ends or withdraws an activity.
func (m *model) operate() operation {
	key := m.product()
	switch n := m.IntN(100); {
	case n < 15:
		return m.by(fmt.Sprintf("Remove(%v)", key), lookAt(key), func(s *side, sales *sale.Sales) (any, error) {
			return sales.Remove(s.Context(), key)
		})
	case n < 23:
		return m.by(fmt.Sprintf("End(%d)", key.Activity), lookAt(key), func(s *side, sales *sale.Sales) (any, error) {
			return sales.End(s.Context(), key.Activity)
		})
	case n < 31:
		id := max(m.activity(), 1)
		return m.by(fmt.Sprintf("WithdrawSale(%d)", id), lookAt(key), func(s *side, sales *sale.Sales) (any, error) {
			return sales.WithdrawSale(s.Context(), id)
		})
	case n < 45 && len(m.changes) > 0:
		return suite.Pick(m, m.changes...)
	}
	verb, id, units := suite.Pick(m, "Restock", "Restock", "Withdraw"), m.ID("c"), m.Int64N(10)+1
	if m.Chance(5) {
		units = suite.Pick[int64](m, 0, -1, 10*unitsOfModel, stock.Rest)
	}
	op := m.by(fmt.Sprintf("%s(%q, %v, %d)", verb, id, key, units), lookAt(key), func(s *side, sales *sale.Sales) (any, error) {
		if verb == "Restock" {
			return sales.Restock(s.Context(), id, key, units)
		}
		return sales.Withdraw(s.Context(), id, key, units)
	})
	m.changes = suite.Remember(m.changes, op)
	return op
}

// schedule makes the next sessions of a series, whose times are those of the clock, which both sides have to share.
func (m *model) schedule() operation {
	a, b := m.Sides[0].Epoch, m.Sides[1].Epoch
	if !a.Equal(b) {
		return m.read()
	}
	at := m.since().Truncate(hour)
	series := sale.Series{
		Activity: sale.Activity{Title: "Session", Places: 2}, Zone: suite.Pick(m, "UTC", "America/New_York"), Lasts: hour,
		Times: []time.Duration{suite.Pick(m, 2*hour, 14*hour+30*time.Minute)}, From: a.Add(at), Until: a.Add(at + 25*hour),
		ID: func(start time.Time) int64 { return start.Unix() }, Lots: []sale.Lot{{Product: m.productOf(stock.Key{SKU: 1}), Units: 1}},
	}
	return m.by(fmt.Sprintf("Schedule(%v in %s from %v)", series.Times, series.Zone, at), nil, func(s *side, sales *sale.Sales) (any, error) {
		return sales.Schedule(s.Context(), series)
	})
}

// lock locks units of a product, and at times of ordinary stock, for an order that is new, or one that was asked for.
func (m *model) lock() operation {
	key := m.product()
	o := orderOfModel{id: m.ID("o"), lines: []stock.Line{of(key, m.Int64N(3)+1)}}
	if m.Chance(80) {
		o.buyer = suite.Pick(m, buyersOfModel()...)
	}
	if m.Chance(20) {
		o.lines = append(o.lines, stock.Line{SKU: m.Int64N(skusOfModel) + 1, Num: 1})
	}
	if m.Chance(20) {
		o.lines = append(o.lines, of(m.product(), 1))
	}
	if len(m.orders) > 0 && m.Chance(5) {
		o.id = suite.Pick(m, m.orders...).id
	}
	m.orders = suite.Remember(m.orders, o)
	return operation{Name: fmt.Sprintf("Lock(%q for %q, %+v)", o.id, o.buyer, o.lines), Looks: o.looks(),
		Call: func(s *side) (any, error) {
			if o.buyer != "" {
				return s.shop.For(o.buyer).Lock(s.Context(), o.id, o.lines...)
			}
			return s.shop.Lock(s.Context(), o.id, o.lines...)
		}}
}

// looks reads what became of the products of an order.
func (o orderOfModel) looks() (looks []operation) {
	for _, l := range o.lines {
		looks = append(looks, lookAt(l.Key())...)
	}
	return append(looks, priceOf(o.id))
}

// step pays, cancels or refunds an order.
func (m *model) step() operation {
	if len(m.orders) == 0 {
		return m.lock()
	}
	o, verb, restock := suite.Pick(m, m.orders...), suite.Pick(m, "Pay", "Pay", "Cancel", "Refund"), m.Chance(70)
	return operation{Name: fmt.Sprintf("%s(%q)", verb, o.id), Looks: o.looks(),
		Call: func(s *side) (any, error) {
			switch verb {
			case "Pay":
				return s.shop.Pay(s.Context(), o.id)
			case "Cancel":
				return s.shop.Cancel(s.Context(), o.id)
			}
			return s.shop.Refund(s.Context(), stock.Refund{ID: "r" + o.id, Order: o.id, Restock: restock})
		}}
}
