package saletest

import (
	"context"
	"testing"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// carryCase is a call of Along.
type carryCase = suite.CarryCase[sale.Store]

// Along proves of each verb that rows of a shop go along with it, and with a Lock in the pool of a sale.
func Along(t *testing.T, h Harness, shop suite.Shop[sale.Store]) {
	t.Helper()
	s := newScene(t, h)
	s.stocked(goods, inStock)
	suite.Carry(s, shop, s.everything, append(s.carryBeginnings(), s.carryEndings()...))
	s.Balanced()
}

// by returns a call of an operator.
func (s *scene) by(verb func(ctx context.Context, sales *sale.Sales) error) func(sale.Store) error {
	return func(store sale.Store) error { return verb(s.Context(), s.sales.By("lin", "along").On(store)) }
}

// carryBeginnings are the calls until orders come, and an order.
func (s *scene) carryBeginnings() []carryCase {
	a, titled := s.activity(), s.activity()
	titled.Title = "Double twelve"
	defines := func(a sale.Activity) func(sale.Store) error {
		return s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.Define(ctx, a)) })
	}
	approves := func(id int64) func(sale.Store) error {
		return s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.Approve(ctx, id)) })
	}
	offers := func(n int64) func(sale.Store) error {
		return s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.Offer(ctx, product(), n)) })
	}
	revises := func(activity int64) func(sale.Store) error {
		p := product()
		p.Price, p.Activity = dec("9.90"), activity
		return s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.Revise(ctx, p)) })
	}
	restocks := func(n int64) func(sale.Store) error {
		return s.by(func(ctx context.Context, sales *sale.Sales) error {
			return suite.Err(sales.Restock(ctx, "r", key(), n))
		})
	}
	withdraws := s.by(func(ctx context.Context, sales *sale.Sales) error {
		return suite.Err(sales.Withdraw(ctx, "w", key(), 5))
	})
	return []carryCase{
		{Name: "Define", Call: defines(a)},
		{Name: "Define other words", Call: defines(titled)},
		{Name: "Offer too many", Call: offers(inStock + 1), Refusal: stock.ErrInsufficient, Helps: true},
		{Name: "Offer", Call: offers(units), Helps: true},
		{Name: "Offer others", Call: offers(units + 1), Refusal: sale.ErrMismatch},
		{Name: "Approve", Call: approves(fair)},
		{Name: "Approve nothing", Call: approves(99), Refusal: sale.ErrUnknownActivity},
		{Name: "Restock", Call: restocks(5)},
		{Name: "Restock others", Call: restocks(6), Refusal: sale.ErrMismatch},
		{Name: "Withdraw", Call: withdraws},
		{Name: "Lock", Call: s.locks("1")},
		{Name: "Revise", Call: revises(fair)},
		{Name: "Revise nothing", Call: revises(99), Refusal: sale.ErrUnknownActivity},
		{Name: "Lock at the new price", Before: func() { s.Advance(sale.PriceNotice) }, Call: s.locks("2")},
	}
}

// locks makes an order of two units in the pool for an order, whose row goes along.
func (s *scene) locks(order string) func(sale.Store) error {
	return func(store sale.Store) error {
		return suite.Err(stock.New(store.Units(), nil).For(anna).Lock(s.Context(), order, of(key(), 2)))
	}
}

// carryEndings are the calls that end products and activities, and the sweep.
func (s *scene) carryEndings() []carryCase {
	ends := func(id int64) func(sale.Store) error {
		return s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.End(ctx, id)) })
	}
	beside := func(id int64) func() {
		return func() {
			a, p := s.activity(), product()
			a.ID, p.Activity = id, id
			s.define(a)
			s.offer(p, 1)
		}
	}
	return []carryCase{
		{Name: "Remove", Before: func() {
			s.priced("1", "19.90")
			s.priced("2", "9.90")
		}, Call: s.by(func(ctx context.Context, sales *sale.Sales) error { return suite.Err(sales.Remove(ctx, key())) })},
		{Name: "End", Before: beside(other), Call: ends(other), Helps: true},
		{Name: "End nothing", Call: ends(99), Refusal: sale.ErrUnknownActivity},
		{Name: "WithdrawSale", Before: beside(other + 1), Call: s.by(func(ctx context.Context, sales *sale.Sales) error {
			return suite.Err(sales.WithdrawSale(ctx, other+1))
		}), Helps: true},
		{Name: "WithdrawSale of what has ended", Call: s.by(func(ctx context.Context, sales *sale.Sales) error {
			return suite.Err(sales.WithdrawSale(ctx, other))
		}), Refusal: sale.ErrEnded},
		{Name: "Expire", Before: func() { s.Advance(runs) }, Call: s.by(func(ctx context.Context, sales *sale.Sales) error {
			return suite.Err(sales.Expire(ctx))
		}), Sweeps: true},
	}
}
