package saletest

import (
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// transactionCases join a caller's transaction.
func transactionCases() []testCase {
	return []testCase{
		{Name: "TransactionRolledBackLeavesNothing", Run: rolledBack, Transactions: true},
		{Name: "TransactionCommittedIsThere", Run: committed, Transactions: true},
		{Name: "TransactionGoesOnAfterARefusal", Run: refusalInTransaction, Transactions: true},
		{Name: "TransactionARefundIsFollowedWithItsCommit", Run: refundInTransaction, Transactions: true},
		{Name: "TransactionThatEndsGivesBackWhatItsSnapshotDoesNotShow", Run: endBehind, Transactions: true},
	}
}

// life makes all calls of an operator, one after the other.
func (s *scene) life(sales *sale.Sales) {
	s.Helper()
	ctx := s.Context()
	s.No(suite.Err(sales.Define(ctx, s.activity())))
	s.No(suite.Err(sales.Offer(ctx, product(), units)))
	s.No(suite.Err(sales.Approve(ctx, fair)))
	s.No(suite.Err(sales.Restock(ctx, "more", key(), 5)))
	s.No(suite.Err(sales.Withdraw(ctx, "less", key(), 2)))
	p := product()
	p.Price = dec("9.90")
	s.No(suite.Err(sales.Revise(ctx, p)))
	s.No(suite.Err(sales.Quote(ctx, of(key(), 1))))
	suite.Same(s, "what is shown", len(suite.Listed(s, sales.Shelf(ctx, sale.ShelfQuery{}))), 1)
	suite.Same(s, "units", suite.Must(sales.Product(ctx, key())).Allotted, units)
	s.No(suite.Err(sales.Remove(ctx, key())))
	s.No(suite.Err(sales.End(ctx, fair)))
	s.No(suite.Err(sales.Expire(ctx)))
	suite.Same(s, "state", suite.Must(sales.Product(ctx, key())).State, sale.Settled)
}

func rolledBack(s *scene) {
	s.stocked(goods, inStock)
	s.unchanged(func() {
		store, _, rollback := s.Begin(s.TB)
		s.life(s.sales.By("lin", "all in one").On(store))
		s.No(rollback())
	})
}

func committed(s *scene) {
	s.stocked(goods, inStock)
	store, commit, _ := s.Begin(s.TB)
	s.life(s.sales.By("lin", "all in one").On(store))
	s.No(commit())
	s.stands(sale.Settled)
	s.is(sale.Ended)
	s.sameChanges(stock.Key{Activity: fair},
		[]string{"end by lin: all in one", "approve by lin: all in one", "define by lin: all in one"})
	s.ordinary(inStock)
	s.pool(stock.Quantities{})
}

func refusalInTransaction(s *scene) {
	s.stocked(goods, inStock)
	store, commit, _ := s.Begin(s.TB)
	sales := s.sales.On(store)
	ctx := s.Context()
	s.only(suite.Err(sales.Approve(ctx, fair)), sale.ErrUnknownActivity)
	s.only(suite.Err(sales.Offer(ctx, product(), 1)), sale.ErrUnknownActivity)
	s.No(suite.Err(sales.Define(ctx, s.activity())))
	s.only(suite.Err(sales.Remove(ctx, key())), sale.ErrUnknownProduct)
	s.only(suite.Err(sales.Offer(ctx, product(), inStock+1)), stock.ErrInsufficient)
	s.No(suite.Err(sales.Offer(ctx, product(), units)))
	s.only(suite.Err(sales.Restock(ctx, "too many", key(), inStock)), stock.ErrInsufficient)
	s.No(commit())
	s.stands(sale.Offered)
	s.pool(stock.Quantities{Total: units})
	s.ordinary(inStock - units)
}

func refundInTransaction(s *scene) {
	s.live()
	s.lock("1", 1)
	s.pay("1")
	s.No(suite.Err(s.sales.End(s.Context(), fair)))
	refund := func() (commit, rollback func() error) {
		store, commit, rollback := s.Begin(s.TB)
		s.No(suite.Err(stock.New(store.Units(), nil).Refund(s.Context(), stock.Refund{ID: "r", Order: "1", Restock: true})))
		return commit, rollback
	}
	_, rollback := refund()
	s.No(rollback())
	s.Count("what expires", s.expire(), 0)
	s.stands(sale.Settled)
	commit, _ := refund()
	s.No(commit())
	s.Count("what expires", s.expire(), 1)
	s.ordinary(inStock)
}

// endBehind ends an activity in a transaction that has read before a product was offered.
func endBehind(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.approve(fair)
	begin := func() (sales *sale.Sales, commit, rollback func() error) {
		store, commit, rollback := s.Begin(s.TB)
		return s.sales.On(store), commit, rollback
	}
	suite.Behind(s, s.Conflicts, begin, func() { s.offer(product(), units) },
		func(sales *sale.Sales) { s.No(suite.Err(sales.End(s.Context(), fair))) })
	s.expire()
	s.stands(sale.Settled)
	s.ordinary(inStock)
	s.pool(stock.Quantities{})
	s.Is(suite.Err(s.shop.Lock(s.Context(), "1", of(key(), 1))), stock.ErrOffShelf)
}
