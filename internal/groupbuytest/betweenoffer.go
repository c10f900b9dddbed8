package groupbuytest

import (
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenOfferCases do it to operators, sweepers and handlers.
func betweenOfferCases() []testCase {
	return []testCase{
		{Name: "UnitsComeBackWhileTheRemainderGoes", Run: unitsBeforeReturn},
		{Name: "TheSameOfferIsMadeTwice", Run: offeredTwice},
		{Name: "TheActivityEndsBeforeItsProductIsOffered", Run: endsBeforeOffer},
		{Name: "DefineAfterDefine", Run: defineAfterDefine},
	}
}

// unitsBeforeReturn has units come free just before each statement of the return.
func unitsBeforeReturn(s *scene) {
	s.stocked(goods, inStock)
	for i, method := range []string{"SaveProduct", "Units.Items", "Units.Apply", "Offer", "Unfinished"} {
		p := s.offerIn(int64(i+1), 2, 10)
		for j, buyer := range []string{anna, ben, carol} {
			s.openAs(buy(numbered(i, j), buyer).of(p.Key))
		}
		s.pay(numbered(i, 0))
		s.cancel(numbered(i, 2))
		s.No(suite.Err(s.before(method, func() { s.refund(numbered(i, 0)); s.cancel(numbered(i, 1)) }).Remove(s.Context(), p.Key)))
		s.sweep()
		offer := suite.Must(s.groups.Product(s.Context(), p.Key))
		if offer.State != groupbuy.Settled { // what was to happen has not: no such call is made
			s.refund(numbered(i, 0))
			s.cancel(numbered(i, 1))
			s.sweep()
		}
		s.shelf(inStock)
		suite.Same(s, "pool", s.item(p.Key).Total, 0)
	}
}

func offeredTwice(s *scene) {
	s.define(s.activity())
	for i, method := range []string{"SaveProduct", "Units.Create", "Units.Apply", "Units.SetTerms", "Offer"} {
		p := product(people(2))
		p.SKU = int64(100 + i)
		s.stocked(p.SKU, 30)
		got := suite.Must(s.before(method, func() { s.offer(p, 20) }).Offer(s.Context(), p, 20))
		suite.Same(s, "product", []any{got.State, got.Allotted}, []any{groupbuy.Offered, int64(20)})
		suite.Same(s, "units", [2]int64{s.item(stock.Key{SKU: p.SKU}).Left, s.item(p.Key).Left}, [2]int64{10, 20})
	}
}

// endsBeforeOffer ends an activity just before each statement of an Offer: its units do not stay there.
func endsBeforeOffer(s *scene) {
	s.stocked(goods, inStock)
	ended := 0
	for i, method := range []string{"SaveProduct", "Units.Create", "Units.Apply", "Units.SetTerms", "Offer", "Activity"} {
		a := s.activity()
		a.ID = int64(i + 1)
		s.define(a)
		p := product(people(2))
		p.Activity = a.ID
		_, err := s.before(method, func() {
			_, err := s.groups.End(s.Context(), a.ID)
			s.No(err)
		}).Offer(s.Context(), p, 20)
		if err != nil {
			s.only(err, groupbuy.ErrEnded)
		}
		s.sweep()
		is := suite.Must(s.groups.Activity(s.Context(), a.ID))
		if is.EndedAt.IsZero() {
			_, err = s.groups.End(s.Context(), a.ID) // an Offer makes no such call
			s.No(err)
			continue
		}
		ended++
		s.shelf(inStock)
		if _, err := buy("x", anna).of(p.Key).Open(s.Context(), s.groups); err == nil {
			s.Fatalf("a team was opened after the end, which came before %s", method)
		}
	}
	suite.Same(s, "Offers that were overtaken", ended >= 3, true)
}

func defineAfterDefine(s *scene) {
	s.live()
	a, b := s.activity(), s.activity()
	a.Title, b.Title = "A", "B"
	suite.Same(s, "title of the last", suite.Must(s.before("SaveActivity", func() { s.define(b) }).Define(s.Context(), a)).Title, "A")
	p := product(people(4))
	got2 := suite.Must(s.before("SaveProduct", func() {
		_, err := s.groups.Revise(s.Context(), product(people(5)))
		s.No(err)
	}).Revise(s.Context(), p))
	suite.Same(s, "people", got2.People, 4)
	s.only(suite.Err(s.before("SaveProduct", func() { s.remove() }).Revise(s.Context(), product(people(5)))), groupbuy.ErrRemoved)
	s.only(suite.Err(s.before("SaveActivity", func() { s.end() }).Define(s.Context(), b)), groupbuy.ErrEnded)
	s.shelf(inStock)
}
