package groupbuytest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// besideCases use the stock beside the groups, as a shop does that has always sold goods.
func besideCases() []testCase {
	return []testCase{
		{Name: "BesideGoodsAreSoldAsBefore", Run: besideGoods, Beside: true},
		{Name: "BesideASeatFollowsTheSweeperOfTheStock", Run: besideSwept, Beside: true},
		{Name: "BesideAJoinThatNeedsThePlaceFindsIt", Run: besideJoin, Beside: true},
		{Name: "BesideABuyerWhoseHoldIsGoneMayJoinAgain", Run: besideAgain, Beside: true},
		{Name: "BesideEveryCallSeesThatTheHoldIsGone", Run: besideCalls, Beside: true},
		{Name: "BesideALatePaymentTakesTheSeatAgain", Run: besideReacquire, Beside: true},
		{Name: "BesideALatePaymentFindsThePlaceOfASeatThatIsDead", Run: besideLate, Beside: true},
		{Name: "BesideAPaymentOfTheStockFormsTheTeam", Run: besidePaid, Beside: true},
		{Name: "BesideARefundOfTheStockIsOneOfTheSeat", Run: besideRefund, Beside: true},
		{Name: "BesideARefundAfterAllWasSettledGoesBackToo", Run: besideSettled, Beside: true},
		{Name: "BesideAnAuditNamesSeatsThatAreBehind", Run: besideAudit, Beside: true},
		{Name: "BesideATeamEndsWhereverItsHoldsAre", Run: besideEnd, Beside: true},
		{Name: "BesideWhatTheStockCancelledAndRefundedIsRepaired", Run: besideRepair, Beside: true},
		{Name: "CrashBetweenTheGoodsAndTheSeatIsMended", Run: besideCrash, Beside: true},
	}
}

// shop returns the inventory of the stock that knows nothing of groups.
func (s *scene) shop() *stock.Inventory { return stock.New(s.Stock, nil) }

// swept has the shop's own sweeper release so many holds.
func (s *scene) swept(want int) {
	s.Helper()
	s.Count("holds that the shop released", suite.Must(s.shop().Expire(s.Context())), want)
}

// one returns a line of one unit of the goods.
func one() stock.Line { return stock.Line{SKU: goods, Num: 1} }

func besideGoods(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	shop := s.shop()
	for _, order := range []string{"a", "b", "c"} {
		s.No(suite.Err(shop.Lock(s.Context(), order, one())))
	}
	s.No(suite.Err(shop.Pay(s.Context(), "a")))
	s.No(suite.Err(shop.Cancel(s.Context(), "b")))
	s.Advance(hold)
	s.sweep() // which leaves the goods alone
	suite.Same(s, "state of the goods", suite.Must(shop.Hold(s.Context(), "c")).State, stock.Locked)
	s.swept(1)
	s.shelf(inStock - 91)
	s.No(suite.Err(shop.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Restock: true})))
	s.shelf(inStock - 90)
	s.counts(code, 0, 1, "1")
	for _, order := range []string{"a", "b", "c"} {
		s.only(suite.Err(s.groups.Pay(s.Context(), order)), groupbuy.ErrNotFound)
	}
}

func besideSwept(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1")
	s.Advance(hold)
	s.swept(2)
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	suite.Same(s, "seats that follow", suite.Must(s.Store.Follow(s.Context(), []string{"2", "none", "1", "2"})), []string{"2"})
	s.sweep()
	s.seat("2", groupbuy.Expired)
	s.seat("3", groupbuy.Expired)
	s.counts(code, 0, 1, "1")
	suite.Same(s, "events", s.tally(code), map[news]int{released("2"): 1, released("3"): 1})
	s.pool(stock.Quantities{Total: 90, Sold: 1})
	s.swept(0)
	s.Count("what expires", s.sweep(), 0)
	other, alone := s.team2("4", dan, "5", ben), s.open("6", anna).Team
	s.pay("5")
	s.Advance(hold)
	s.swept(2)
	hears := s.hears()
	s.Count("what expires", suite.Must(hears.Expire(s.Context())), 2)
	suite.Same(s, "effects", hears.effects, []groupbuy.Effect{
		{Step: groupbuy.StepExpire, Order: "4", Team: other}, {Step: groupbuy.StepExpire, Order: "6", Team: alone, Ended: groupbuy.Failed},
	})
	s.sponsored(other, ben, "5")
}

func besideJoin(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.Advance(hold)
	s.swept(1)
	s.join(code, "4", dan)
	s.seat("3", groupbuy.Expired)
	s.counts(code, 1, 2, "2")
	s.tells(code, released("3"))
	suite.Same(s, "formed", s.pay("4").Formed, true)
}

func besideAgain(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	s.swept(1)
	s.join(code, "3", ben)
	s.counts(code, 1, 1, "1")
}

func besideCalls(s *scene) {
	s.opened(people(9), 90)
	code := s.open("0", anna).Team
	s.pay("0")
	for i, order := range []string{"join", "pay", "cancel", "refund", "resolve", "closed", "gone"} {
		s.join(code, order, fmt.Sprint(100+i))
	}
	for _, order := range []string{"closed", "gone"} {
		s.No(suite.Err(s.shop().Cancel(s.Context(), order)))
		s.seat(order, groupbuy.Held)
	}
	s.cancel("closed")
	s.late(s.groups, "gone", groupbuy.ErrCancelled, stock.ErrCancelled)
	s.Advance(hold)
	s.swept(5)
	s.only(suite.Err(buy("join", "100").Join(s.Context(), s.groups, code)), groupbuy.ErrExpired)
	s.late(s.groups, "pay", groupbuy.ErrExpired)
	s.only(suite.Err(s.groups.Cancel(s.Context(), "cancel")), groupbuy.ErrExpired)
	s.only(suite.Err(s.groups.Refund(s.Context(), byHand("refund"))), groupbuy.ErrExpired)
	s.resolved("resolve", groupbuy.Expired)
	s.sweep()
	s.counts(code, 0, 1, "1")
}

func besideReacquire(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.Advance(hold)
	s.swept(1)
	p := suite.Must(s.reacquires().Pay(s.Context(), "3"))
	suite.Same(s, "payment", []any{p.Due, p.Formed}, []any{false, true})
	s.is(code, groupbuy.Formed)
	s.counts(code, 0, 3, "3")
	s.pool(stock.Quantities{Total: 90, Sold: 3})
	over := s.team2("4", dan, "5", anna)
	s.pay("4")
	s.Advance(forming)
	s.swept(1)
	s.late(s.reacquires(), "5", groupbuy.ErrTeamOver)
	s.is(over, groupbuy.Failed)
}

// besideLate is lateDead with the holds released by the shop.
func besideLate(s *scene) {
	s.live()
	full := s.team([]string{anna, ben, carol}, "1", "2")
	joined := s.open("4", anna).Team
	s.join(joined, "5", ben)
	s.pay("4")
	s.Advance(hold)
	s.join(full, "6", dan)
	s.join(joined, "7", ben)
	s.Advance(hold)
	s.swept(2)
	for _, order := range []string{"3", "5"} {
		p := suite.Must(s.reacquires().Pay(s.Context(), order))
		suite.Same(s, "payment", []any{p.Due, p.Seat.State}, []any{false, groupbuy.Paid})
	}
	s.is(full, groupbuy.Formed)
	s.counts(joined, 0, 2, "2")
}

func besidePaid(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.No(suite.Err(s.shop().Pay(s.Context(), "3")))
	s.is(code, groupbuy.Forming) // nobody has told it
	p := s.pay("3")
	suite.Same(s, "formed", p.Formed, true)
	s.is(code, groupbuy.Formed)
	other := s.open("4", anna).Team
	s.No(suite.Err(s.shop().Pay(s.Context(), "4")))
	s.only(suite.Err(s.groups.Cancel(s.Context(), "4")), groupbuy.ErrPaid)
	s.counts(other, 0, 1, "1")
	s.pool(stock.Quantities{Total: 90, Sold: 4})
}

func besideRefund(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.No(suite.Err(s.shop().Refund(s.Context(), stock.Refund{ID: "r", Order: "2", Restock: true})))
	s.No(suite.Err(s.groups.Refund(s.Context(), byHand("2"))))
	s.seat("2", groupbuy.RefundDue)
	s.refundOwed("2")
	s.counts(code, 0, 1, "1")
	s.pool(stock.Quantities{Total: 90, Sold: 1, Refunded: 1})
	s.form(code)
	s.No(suite.Err(s.shop().Refund(s.Context(), stock.Refund{ID: "s", Order: "1", Restock: true})))
	s.seat("1", groupbuy.Paid) // of a formed team, refunds of the stock are those of an ordinary order
	s.only(suite.Err(s.groups.Refund(s.Context(), byHand("1"))), groupbuy.ErrRefunded)
	s.tells(code, owes("2"), hasFormed())
	s.open("3", carol)
	s.pay("3")
	seat := suite.Must(s.before("Units.Refund", func() {
		s.No(suite.Err(s.shop().Refund(s.Context(), stock.Refund{ID: "t", Order: "3", Restock: true})))
	}).Refund(s.Context(), byHand("3")))
	suite.Same(s, "seat", seat.State, groupbuy.RefundDue)
	s.refundOwed("3")
}

func besideSettled(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.end()
	s.sweep()
	s.shown(groupbuy.Settled)
	refund := stock.Refund{ID: "r", Order: "2", Restock: true}
	s.No(suite.Err(s.shop().Refund(s.Context(), refund)))
	s.shown(groupbuy.Removed)
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock - 1)
	s.No(suite.Err(s.shop().Refund(s.Context(), refund)))
	s.Count("what expires once more", s.sweep(), 0)
	s.pool(stock.Quantities{Total: 1, Sold: 1, Refunded: 1})
}

func besideAudit(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1")
	s.Advance(hold)
	s.No(suite.Err(s.shop().Refund(s.Context(), stock.Refund{ID: "r", Order: "1", Restock: true})))
	s.swept(2)
	states := []stock.State{stock.Paid, stock.Redeemed, stock.Refunded, stock.Cancelled, stock.Expired}
	for _, inv := range []*stock.Inventory{s.shop(), s.ordinary()} { // an archive leaves what seats have to catch up with
		s.Count("parts archived", len(suite.Listed(s, inv.Archive(s.Context(), s.now().Add(hold), stock.Filter{States: states}, nil))), 0)
	}
	report := s.audited()
	s.Count("seats that are astray", len(report.Mismatched), 3)
	want := map[string]groupbuy.SeatBook{
		"1": {Order: "1", State: groupbuy.Paid, Hold: stock.Refunded, Units: 1},
		"2": {Order: "2", State: groupbuy.Held, Hold: stock.Expired, Units: 1},
		"3": {Order: "3", State: groupbuy.Held, Hold: stock.Expired, Units: 1},
	}
	for _, astray := range report.Mismatched {
		suite.Same(s, "seat that is astray", astray, want[astray.Order])
	}
	suite.Same(s, "balanced", report.Balanced(), false)
	report = s.repaired()
	s.Count("repaired", report.Repaired, 3)
	suite.Same(s, "balanced", s.audited().Balanced(), true)
	s.is(code, groupbuy.Failed)
	s.seat("1", groupbuy.RefundDue)
	s.seat("2", groupbuy.Expired)
	suite.Same(s, "events", s.tally(code), map[news]int{owes("1"): 1, released("2"): 1, released("3"): 1, hasFailed(): 1})
	s.pool(stock.Quantities{Total: 90, Refunded: 1})
}

// besideEnd ends teams whose dead holds the shop has released.
func besideEnd(s *scene) {
	s.opened(people(9), 90)
	for _, round := range []string{"fail", "form", "over"} {
		code := s.open(round+"1", anna).Team
		s.pay(round + "1")
		for i := range 3 {
			s.join(code, round+string(rune('2'+i)), fmt.Sprint(100+i))
		}
		s.pay(round + "2")
		s.Advance(hold)
		s.swept(2)
		end := map[string]func(){"fail": func() { s.fail(code) }, "form": func() { s.form(code) }, "over": func() { s.Advance(forming) }}
		end[round]()
		s.sweep()
		t := suite.Must(s.groups.Team(s.Context(), code))
		suite.Same(s, "is over", t.State == groupbuy.Forming, false)
		for _, order := range []string{round + "3", round + "4"} {
			suite.Same(s, "status of a seat whose hold is gone", s.seat(order, groupbuy.Expired).Status, groupbuy.Failed)
		}
	}
	s.pool(stock.Quantities{Total: 90, Sold: 2, Refunded: 4})
}

// besideRepair ends a team whose holds the shop has cancelled and refunded by itself: a repair tells it first.
func besideRepair(s *scene) {
	s.opened(people(9), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1", "2")
	s.No(suite.Err(s.shop().Cancel(s.Context(), "3")))
	s.No(suite.Err(s.shop().Refund(s.Context(), stock.Refund{ID: "r", Order: "2", Restock: true})))
	hears := s.hears()
	s.Count("repaired", suite.Must(hears.Repair(s.Context())).Repaired, 2)
	suite.Same(s, "effects", hears.effects, []groupbuy.Effect{
		{Step: groupbuy.StepRefund, Order: "2", Team: code}, {Step: groupbuy.StepCancel, Order: "3", Team: code},
	})
	s.seat("3", groupbuy.Cancelled)
	s.seat("2", groupbuy.RefundDue)
	s.form(code)
	s.counts(code, 0, 1, "1")
	suite.Same(s, "events", s.tally(code), map[news]int{owes("2"): 1, released("4"): 1, hasFormed(): 1})
	s.pool(stock.Quantities{Total: 90, Sold: 1, Refunded: 1})
}

// besideCrash stops an order that buys goods and takes a seat after each of its steps, and closes it.
func besideCrash(s *scene) {
	s.live()
	shop := s.shop()
	for steps := range 3 {
		for turn := range 2 {
			order := numbered(steps, turn)
			if steps > 0 {
				s.No(suite.Err(shop.Lock(s.Context(), order+" goods", one())))
			}
			if steps > 1 {
				s.open(order, anna)
			}
			closing := []func() error{
				func() error { return suite.Err(shop.Cancel(s.Context(), order+" goods")) },
				func() error { return suite.Err(s.groups.Cancel(s.Context(), order)) },
			}
			for range 2 {
				s.No(closing[turn]())
				s.No(closing[1-turn]())
			}
			s.shelf(inStock - 90)
			s.pool(stock.Quantities{Total: 90})
			s.unopened(buy(order, anna), groupbuy.ErrCancelled) // what was on its way comes too late
		}
	}
}
