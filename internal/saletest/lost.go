package saletest

import (
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// lostCases are about connections that end.
func lostCases() []testCase {
	return []testCase{
		{Name: "AnswersThatAreLostAreSettledByTheSameCall", Run: func(s *scene) { s.journey().LostAnswers(s) }},
		{Name: "AnswersOfReadingsThatAreLost", Run: func(s *scene) { s.journey().LostReadings(s) }},
		{Name: "CallsThatAreCutOffAreMadeByTheSameCall", Run: func(s *scene) { s.journey().CutOff(s) }},
		{Name: "TransactionsOfEachCallRolledBack", Run: func(s *scene) { s.journey().RolledBack(s) }, Transactions: true},
		{Name: "TransactionsOfSomeCallsCommitted", Run: func(s *scene) { s.journey().Committed(s) }, Transactions: true},
	}
}

// other is an activity beside that of a scene.
const other = fair + 1

// seller has the calls of an operator and those of orders, on one store.
type seller struct {
	sales *sale.Sales
	shop  *stock.Inventory
}

// seller returns the seller on a store.
func (s *scene) seller(store sale.Store) seller {
	return seller{sales: s.sales.By("lin", "journey").On(store), shop: stock.New(store.Units(), nil)}
}

// journey goes over one activity that ends with orders in it, and one that is withdrawn.
func (s *scene) journey() suite.Journey[seller] {
	s.Helper()
	s.stocked(goods, inStock)
	activity := s.activity()
	return suite.Journey[seller]{
		Plain: s.seller(s.Store), Sees: s.everything, Ends: s.journeyEnd,
		Calls: func(by seller) []suite.Call { return s.journeyCalls(by, activity) },
		Over:  func(w suite.Wire) seller { return s.seller(Over(w, s.Store)) },
		Begin: func() (bound seller, commit, rollback func() error) {
			store, commit, rollback := s.Begin(s.TB)
			return s.seller(store), commit, rollback
		},
	}
}

// journeyCalls returns one call of each verb that changes something. Orders come between them.
func (s *scene) journeyCalls(by seller, activity sale.Activity) []suite.Call {
	ctx, sales, cheap, beside, second := s.Context(), by.sales, product(), product(), activity
	cheap.Price = dec("9.90")
	beside.Activity, second.ID = other, other
	call := func(name string, do func() error) suite.Call { return suite.Call{Name: name, Do: do} }
	return []suite.Call{
		call("Define", func() error { return suite.Err(sales.Define(ctx, activity)) }),
		call("Offer", func() error { return suite.Err(sales.Offer(ctx, product(), units)) }),
		call("Approve", func() error { return suite.Err(sales.Approve(ctx, fair)) }),
		call("Restock", func() error { return suite.Err(sales.Restock(ctx, "more", key(), 10)) }),
		call("Withdraw", func() error { return suite.Err(sales.Withdraw(ctx, "less", key(), 5)) }),
		call("Revise", func() error { return suite.Err(sales.Revise(ctx, cheap)) }),
		call("Define the other", func() error { return suite.Err(sales.Define(ctx, second)) }),
		call("Offer in the other", func() error { return suite.Err(sales.Offer(ctx, beside, units)) }),
		call("WithdrawSale", func() error { return suite.Err(sales.WithdrawSale(ctx, other)) }),
		call("Lock", func() error { return suite.Err(by.shop.Lock(ctx, "1", of(key(), 1))) }),
		call("Lock the other", func() error { return suite.Err(by.shop.Lock(ctx, "2", of(key(), 2))) }),
		call("Pay", func() error { return suite.Err(by.shop.Pay(ctx, "1")) }),
		call("Remove", func() error { return suite.Err(sales.Remove(ctx, key())) }),
		call("End", func() error { return suite.Err(sales.End(ctx, fair)) }),
		call("Cancel", func() error { return suite.Err(by.shop.Cancel(ctx, "2")) }),
		call("Expire", func() error { return suite.Err(sales.Expire(ctx)) }),
	}
}

// journeyEnd ends the test unless every call of the journey happened once.
func (s *scene) journeyEnd() {
	s.Helper()
	s.expire()
	s.is(sale.Ended)
	p := s.stands(sale.Settled)
	suite.Same(s, "product", []any{p.Price, p.Allotted, p.Returns, p.Returned}, []any{dec("9.90"), int64(units), int64(2), int64(units + 4)})
	s.pool(stock.Quantities{Total: 1, Sold: 1})
	s.ordinary(inStock - 1)
	suite.Same(s, "withdrawn", suite.Must(s.sales.Activity(s.Context(), other)).State, sale.Withdrawn)
	for id, want := range map[int64][]string{fair: {"end", "approve", "define"}, other: {"withdraw sale", "define"}} {
		for i, kind := range want {
			want[i] = kind + " by lin: journey"
		}
		s.sameChanges(stock.Key{Activity: id}, want)
	}
	count := map[string]int{}
	for _, line := range s.changes(key()) {
		count[line]++
	}
	suite.Same(s, "revised and removed", [2]int{count["revise by lin: journey"], count["remove by lin: journey"]}, [2]int{1, 1})
	suite.Same(s, "transfers", count["transfer by lin: journey"], 5)
}
