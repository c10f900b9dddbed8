package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// offerCases are about products and their units.
func offerCases() []testCase {
	return []testCase{
		{Name: "OfferTakesUnitsOutOfOrdinaryStock", Run: offerTakes},
		{Name: "OfferOfTooLittleStockOpensNothingAndMovesNothing", Run: offerTooLittle},
		{Name: "OfferIntoWhatIsNotThereIsRefused", Run: offerNowhere},
		{Name: "OfferAgainChangesNothing", Run: offerAgain},
		{Name: "OfferOfOneSKUInTwoActivitiesIsTwoProducts", Run: offerTwice},
		{Name: "PoolKeepsTheTermsThatTheShopGaveIt", Run: poolTerms},
		{Name: "StockGoesIntoThePoolAndOutOfIt", Run: stockMoves},
		{Name: "StockMoreThanThereIsMovesNothing", Run: stockShort},
		{Name: "ReviseTeamsKeepTheRulesTheyWereOpenedBy", Run: reviseSnapshot},
		{Name: "ReviseLimitsHoldAtOnce", Run: reviseLimits},
		{Name: "ReviseOfWhatIsNotOfferedIsRefused", Run: reviseNothing},
	}
}

func offerTakes(s *scene) {
	s.stocked(goods, 150)
	s.define(s.activity())
	now := s.now()
	p := product(people(3))
	p.PerOrder, p.PerBuyer, p.MembersOnly, p.FreeShipping = 5, 6, true, true
	p.MinPeople = 2
	got := s.offer(p, 100)
	if got.Price.Exponent() != -2 || got.UnitsPerVolume != 1 {
		s.Fatalf("a price of %v has the exponent %d, a volume %d units", got.Price, got.Price.Exponent(), got.UnitsPerVolume)
	}
	want := p
	want.UnitsPerVolume = got.UnitsPerVolume
	want.State, want.Allotted, want.CreatedAt, want.UpdatedAt, want.Version = groupbuy.Offered, 100, now, now, got.Version
	suite.Same(s, "product", got, want)
	suite.Same(s, "product as it is read", s.shown(groupbuy.Offered), want)
	s.pool(stock.Quantities{Total: 100})
	s.shelf(50)
	item := s.item(key())
	suite.Same(s, "limits of the pool", [3]int64{item.SPU, item.PerOrder, item.PerBuyer}, [3]int64{4, 5, 6})
	s.Is(suite.Err(s.ordinary().Lock(s.Context(), "goods", stock.Line{SKU: goods, Num: 51})), stock.ErrInsufficient)
}

func offerTooLittle(s *scene) {
	s.stocked(goods, 99)
	s.define(s.activity())
	_, err := s.groups.Offer(s.Context(), product(people(3)), 100)
	s.only(err, stock.ErrInsufficient)
	suite.Same(s, "shortage", *suite.As[*stock.ShortageError](s, err), stock.ShortageError{
		Key: stock.Key{SKU: goods}, Wanted: 100, Available: 99,
	})
	s.shelf(99)
	s.shown(groupbuy.Preparing)
	s.pool(stock.Quantities{})
	s.unopened(buy("1", anna), groupbuy.ErrPreparing)
	s.Count("products in the shop window", len(suite.Listed(s, s.groups.Shelf(s.Context()))), 0)
	suite.Same(s, "allotted", s.offer(product(people(2)), 99).Allotted, int64(99))
	s.shelf(0)
	s.pool(stock.Quantities{Total: 99})
	suite.Same(s, "people", s.is(s.open("1", anna).Team, groupbuy.Forming).People, 2)
}

func offerNowhere(s *scene) {
	s.only(suite.Err(s.groups.Offer(s.Context(), product(people(3)), 10)), groupbuy.ErrUnknownActivity)
	s.define(s.activity())
	_, err := s.groups.Offer(s.Context(), product(people(3)), 10)
	s.only(err, stock.ErrUnknownSKU) // there are no such goods
	unlimited := stock.Key{SKU: 44}
	s.No(suite.Err(s.ordinary().Define(s.Context(), unlimited, 0, stock.Terms{Unlimited: true})))
	endless := product(people(3))
	endless.SKU = unlimited.SKU
	s.only(suite.Err(s.groups.Offer(s.Context(), endless, 10)), stock.ErrUnlimited)
	s.Count("products", len(suite.Listed(s, s.groups.Products(s.Context(), fair))), 0) // nothing was prepared
	s.stocked(goods, inStock)
	s.offer(product(people(3)), 10)
	s.No(suite.Err(s.groups.End(s.Context(), fair)))
	other := product(people(3))
	other.SKU = 43
	s.stocked(43, 10)
	s.only(suite.Err(s.groups.Offer(s.Context(), other, 10)), groupbuy.ErrEnded)
	suite.Same(s, "ordinary stock", s.item(stock.Key{SKU: 43}).Left, 10)
}

func offerAgain(s *scene) {
	s.live()
	offered := s.shown(groupbuy.Offered)
	s.Advance(time.Minute)
	s.unchanged(func() {
		suite.Replays(s, "product", s.offer(product(people(3)), 90), offered)
		for name, change := range map[string]func(p *groupbuy.Product){
			"people": func(p *groupbuy.Product) { p.People = 4 },
			"price":  func(p *groupbuy.Product) { p.GroupPrice = dec("79.91") },
			"name":   func(p *groupbuy.Product) { p.Name = "Coffee" },
			"limit":  func(p *groupbuy.Product) { p.PerBuyer = 1 },
		} {
			p := product(people(3))
			change(&p)
			_, err := s.groups.Offer(s.Context(), p, 90)
			if !suite.Matches(err, groupbuy.ErrMismatch) {
				s.Fatalf("Offer with another %s: %v", name, err)
			}
		}
		err := suite.Err(s.groups.Offer(s.Context(), product(people(3)), 91))
		s.only(err, groupbuy.ErrMismatch)
		suite.Same(s, "what differs", *suite.As[*groupbuy.MismatchError](s, err),
			groupbuy.MismatchError{ID: key().String(), Field: "units", Recorded: "90", Asked: "91"})
	})
}

func offerTwice(s *scene) {
	s.live()
	p := s.offerIn(8, 2, 10)
	s.shelf(inStock - 100)
	code := s.open("1", anna).Team
	there := s.openAs(buy("2", ben).of(p.Key)).Team
	s.pool(stock.Quantities{Total: 90, Locked: 1})
	s.joinAs(there, buy("3", anna).of(p.Key)) // who has a seat of the other product
	s.No(suite.Err(s.groups.End(s.Context(), 8)))
	s.join(code, "4", ben)
	s.is(there, groupbuy.Forming)
}

func stockMoves(s *scene) {
	s.live()
	for _, again := range []bool{false, true} {
		more := suite.Must(s.groups.Restock(s.Context(), "more", key(), 10))
		moves := []stock.TransferLeg{{SKU: key().SKU, To: fair, Num: 10}}
		suite.Same(s, "restock", more, stock.ChangeOutcome{ID: "more", Moves: moves, Replay: again})
		less := suite.Must(s.groups.Withdraw(s.Context(), "less", key(), 95))
		moves = []stock.TransferLeg{{SKU: key().SKU, From: fair, Num: 95}}
		suite.Same(s, "withdrawal", less, stock.ChangeOutcome{ID: "less", Moves: moves, Replay: again})
	}
	s.pool(stock.Quantities{Total: 5})
	s.shelf(inStock - 5)
	s.unchanged(func() {
		s.only(suite.Err(s.groups.Restock(s.Context(), "more", key(), 11)), groupbuy.ErrMismatch)
		s.only(suite.Err(s.groups.Restock(s.Context(), "less", key(), 95)), groupbuy.ErrMismatch)
		s.only(suite.Err(s.groups.Withdraw(s.Context(), "less", key(), 94)), groupbuy.ErrMismatch)
		s.only(suite.Err(s.groups.Withdraw(s.Context(), "more", key(), 10)), groupbuy.ErrMismatch)
		k := stock.Key{SKU: goods, Activity: 8}
		s.only(suite.Err(s.groups.Restock(s.Context(), "other", k, 1)), groupbuy.ErrUnknownProduct)
		s.only(suite.Err(s.groups.Withdraw(s.Context(), "other", k, 1)), groupbuy.ErrUnknownProduct)
	})
	suite.Same(s, "allotted", s.shown(groupbuy.Offered).Allotted, 90) // what Offer took, at first
}

func stockShort(s *scene) {
	s.live()
	s.unchanged(func() {
		s.only(suite.Err(s.groups.Restock(s.Context(), "a", key(), inStock-90+1)), stock.ErrInsufficient)
		s.only(suite.Err(s.groups.Withdraw(s.Context(), "b", key(), 91)), stock.ErrInsufficient)
	})
	s.team([]string{anna, ben}, "1")
	s.only(suite.Err(s.groups.Withdraw(s.Context(), "b", key(), 89)), stock.ErrInsufficient)
	s.Advance(hold)
	s.No(suite.Err(s.groups.Withdraw(s.Context(), "b", key(), 89))) // a seat that is dead keeps nothing back
	s.seat("2", groupbuy.Expired)
	s.pool(stock.Quantities{Total: 1, Sold: 1})
	s.shelf(inStock - 1)
}

func reviseSnapshot(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	was := s.is(code, groupbuy.Forming)
	p := product(people(2))
	p.GroupPrice, p.MembersOnly, p.FreeShipping, p.UnitsPerVolume, p.Name = dec("60"), true, true, 2, "Another"
	s.Advance(time.Minute)
	revised := suite.Must(s.groups.Revise(s.Context(), p))
	suite.Same(s, "name", revised.Name, "Another")
	suite.Same(s, "state and units", [2]int64{int64(revised.State), revised.Allotted}, [2]int64{int64(groupbuy.Offered), 90})
	s.SameTime("updated", revised.UpdatedAt, s.now())
	suite.Same(s, "product", s.shown(groupbuy.Offered), revised)
	suite.Same(s, "product that is revised again", suite.Must(s.groups.Revise(s.Context(), p)), revised)
	s.only(suite.Err(s.groups.Offer(s.Context(), product(people(3)), 90)), groupbuy.ErrMismatch) // it is another by now

	suite.Same(s, "team", s.is(code, groupbuy.Forming), was)
	s.join(code, "3", carol) // no member, with a volume of one unit
	s.pool(stock.Quantities{Total: 90, Locked: 1, Sold: 2})
	suite.Same(s, "formed", s.pay("3").Formed, true)

	s.unopened(buy("4", dan), groupbuy.ErrMembersOnly)
	member := buy("4", dan)
	member.Member = true
	team := s.is(s.openAs(member).Team, groupbuy.Forming)
	suite.Same(s, "people", team.People, 2)
	s.sameAmount("group price", team.GroupPrice, "60")
	s.pool(stock.Quantities{Total: 90, Locked: 2, Sold: 3})
}

func reviseLimits(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	p := product(people(3))
	p.PerOrder, p.PerBuyer = 2, 3
	s.No(suite.Err(s.groups.Revise(s.Context(), p)))
	s.unjoined(code, buyVolume("2", ben, "3"), stock.ErrPerOrder)
	s.joinAs(code, buyVolume("2", ben, "2"))
	s.unopened(buyVolume("3", ben, "2"), stock.ErrPerBuyer)
	s.openAs(buyVolume("3", ben, "1"))
}

func reviseNothing(s *scene) {
	revise := func() error { return suite.Err(s.groups.Revise(s.Context(), product(people(2)))) }
	if err := revise(); !suite.Matches(err, groupbuy.ErrUnknownProduct, groupbuy.ErrUnknownActivity) {
		s.Fatalf("Revise of nothing: %v", err)
	}
	s.define(s.activity())
	s.only(revise(), groupbuy.ErrUnknownProduct)
	s.stocked(goods, 10)
	s.only(suite.Err(s.groups.Offer(s.Context(), product(people(3)), 11)), stock.ErrInsufficient)
	s.only(revise(), groupbuy.ErrPreparing)
	s.only(suite.Err(s.groups.Restock(s.Context(), "early", key(), 1)), groupbuy.ErrPreparing)
	s.offer(product(people(3)), 9)
	s.No(suite.Err(s.groups.Restock(s.Context(), "more", key(), 1)))
	s.No(suite.Err(s.groups.Remove(s.Context(), key())))
	s.only(revise(), groupbuy.ErrRemoved)
	removed := s.shown(groupbuy.Settled)
	suite.Same(s, "product that is revised again", suite.Must(s.groups.Revise(s.Context(), product(people(3)))), removed)
	s.only(suite.Err(s.groups.Restock(s.Context(), "late", key(), 1)), groupbuy.ErrRemoved)
	s.only(suite.Err(s.groups.Restock(s.Context(), "more", key(), 2)), groupbuy.ErrMismatch)
	s.No(suite.Err(s.groups.Restock(s.Context(), "more", key(), 1))) // a replay
	s.shelf(10)
}

// poolTerms has an operator give the pool terms that the activity says nothing of.
func poolTerms(s *scene) {
	s.live()
	s.No(suite.Err(s.ordinary().ChangeTerms(s.Context(), key(), func(is stock.Item) (stock.Terms, error) {
		is.Low, is.LiveHolds, is.PerOrder = 10, 2, 99 // the activity has the last
		return is.Terms, nil
	})))
	s.define(s.activity())
	p := product(people(3))
	p.PerOrder = 5
	s.No(suite.Err(s.groups.Revise(s.Context(), p)))
	is := s.item(key())
	suite.Same(s, "terms of the pool", []int64{is.SPU, is.PerOrder, is.Low, is.LiveHolds}, []int64{4, 5, 10, 2})
}
