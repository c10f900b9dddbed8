package stocktest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func amendCases() []testCase {
	return []testCase{
		{Name: "AmendMovesTheDifferenceAndKeepsNumberAndDeadline", Run: amendMoves},
		{Name: "AmendWithoutTheUnitsChangesNothing", Run: amendShort},
		{Name: "AmendedOrderCountsForTheLimits", Run: amendLimits},
		{Name: "AmendAgainIsAReplayAndUndoesNothing", Run: amendAgain},
		{Name: "AmendLeavesWhatALockComparesWith", Run: amendThenLock},
		{Name: "AmendRefusesByState", Run: amendStates},
		{Name: "AmendGrowsAndShrinksByLines", Run: amendLines},
		{Name: "AmendReleasesDeadHoldsInItsWay", Run: amendDead},
		{Name: "AmendPaysAPartAndFreesTheRest", Run: amendPays},
		{Name: "AmendGivesAnotherNumber", Run: amendNumber},
		{Name: "AmendGivesToAnotherBuyer", Run: amendBuyer},
		{Name: "AmendTakesFromAnotherPool", Run: amendPool},
		{Name: "AmendIsShownByHookAndMovements", Run: amendShown},
		{Name: "AmendOfARowOfTheLastOrderIsKeptApart", Run: amendNumbers},
		{Name: "AmendLosesItsAnswer", Run: amendLost},
		{Name: "AmendIsResolved", Run: amendResolved},
		{Name: "AmendAfterAnotherAmend", Run: amendAfterAmend},
	}
}

// amend gives an order other lines.
func (s *scene) amend(id, order string, lines ...stock.Line) stock.Hold {
	return suite.Must(s.inv.Amend(s.Context(), stock.Amendment{ID: id, Order: order, Lines: lines}))
}

// amends makes an amendment that may be refused.
func (s *scene) amends(a stock.Amendment) error { return suite.Err(s.inv.Amend(s.Context(), a)) }

// locked ends the test unless an item has so many units locked, and the books balance.
func (s *scene) locked(key stock.Key, want int64) {
	s.Helper()
	suite.Same(s, key.String()+" locked", s.item(key).Locked, want)
	s.Balanced()
}

func amendMoves(s *scene) {
	s.fill(10, sku(1), sku(2), sku(3))
	s.inv = s.inv.For("7")
	was := s.lock("a", units(1, 3), units(2, 2))
	s.Advance(hold / 2)
	got := s.amend("a1", "a", units(3, 1), units(1, 2), units(1, 3))
	suite.Same(s, "lines", got.Asked(), []stock.Line{units(1, 5), units(3, 1)})
	suite.Same(s, "deadline", got.Deadline, was.Deadline)
	is := s.state("a", stock.Locked)
	suite.Same(s, "lines", is.Lines, got.Lines)
	suite.Same(s, "locked at", is.LockedAt, was.LockedAt)
	s.usage("7", sku(1), stock.Usage{Held: 5, Holds: 1})
	s.usage("7", sku(2), stock.Usage{})
	s.usage("7", sku(3), stock.Usage{Held: 1, Holds: 1})
	s.locked(sku(1), 5)
	s.locked(sku(2), 0)
	s.pay("a")
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 5, Left: 5})
	s.counts(sku(3), stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.refund("r", "a", units(3, 1))
	s.usage("7", sku(3), stock.Usage{Bought: 1})
	s.Balanced()
}

func amendShort(s *scene) {
	s.fill(5, sku(1), sku(2))
	s.lock("a", units(1, 3))
	s.lock("b", units(2, 4))
	was := s.holdOf("a")
	s.unchanged(sku(1), func() {
		s.unchanged(sku(2), func() {
			s.shortage(s.amends(stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(1, 1), units(2, 2)}}), sku(2), 2, 1)
			s.shortage(s.amends(stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(1, 9)}}), sku(1), 6, 2)
			s.itemRefuses(s.amends(stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(9, 1)}}), sku(9), stock.ErrUnknownSKU)
		})
	})
	suite.Same(s, "hold", s.holdOf("a"), was)
	s.amend("a1", "a", units(1, 5)) // what was refused has not taken the ID
	s.locked(sku(1), 5)
}

func amendLimits(s *scene) {
	terms := stock.Terms{PerOrder: 4, PerBuyer: 5, LiveHolds: 1}
	s.define(sku(1), 100, terms)
	s.define(sku(2), 100, terms)
	s.inv = s.inv.For("7")
	s.lock("a", units(1, 2))
	s.lock("b", units(2, 1))
	lines := func(order string, lines ...stock.Line) error {
		return s.amends(stock.Amendment{ID: "x", Order: order, Lines: lines})
	}
	s.overLimit(lines("a", units(1, 5)), stock.LimitError{Key: sku(1), Err: stock.ErrPerOrder, Limit: 4, Wanted: 5})
	s.overLimit(lines("a", units(1, 2), units(2, 1)),
		stock.LimitError{Key: sku(2), Err: stock.ErrLiveHolds, Buyer: "7", Limit: 1, Has: 1, Wanted: 1})
	s.amend("a1", "a", units(1, 4)) // its own hold does not count against it
	s.pay("a")
	s.lock("c", units(1, 1))
	s.overLimit(lines("c", units(1, 2)), stock.LimitError{Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "7", Limit: 5, Has: 5, Wanted: 1})

	s.define(sku(1), 100, stock.Terms{OffShelf: true, PerOrder: 1, PerBuyer: 1}) // what shrinks or stays obeys nothing
	s.amend("b1", "b", units(2, 1))
	s.amend("c1", "c", units(1, 1))
	s.itemRefuses(lines("c", units(1, 2)), sku(1), stock.ErrOffShelf)
	s.Balanced()
}

func amendAgain(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.lock("a", units(1, 3))
	first := stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(2, 4)}}
	s.No(s.amends(first))
	s.amend("a2", "a", units(1, 1))
	again := suite.Must(s.inv.Amend(s.Context(), first))
	suite.Replays(s, "late retry", again, s.holdOf("a"))
	suite.Same(s, "lines", again.Asked(), []stock.Line{units(1, 1)})
	s.locked(sku(2), 0)

	for field, a := range map[string]stock.Amendment{
		"lines":     {ID: "a1", Order: "a", Lines: []stock.Line{units(2, 5)}},
		"pay":       {ID: "a1", Order: "a", Lines: []stock.Line{units(2, 4)}, Pay: true},
		"new order": {ID: "a1", Order: "a", Lines: []stock.Line{units(2, 4)}, NewOrder: "c"},
		"buyer":     {ID: "a1", Order: "a", Lines: []stock.Line{units(2, 4)}, Buyer: "c"},
	} {
		err := s.amends(a)
		s.Is(err, stock.ErrMismatch)
		suite.Same(s, "field", suite.As[*stock.MismatchError](s, err).Field, field)
	}
	s.lock("b", units(1, 1))
	s.differs(s.amends(stock.Amendment{ID: "a1", Order: "b", Lines: []stock.Line{units(2, 4)}}),
		stock.MismatchError{ID: "a1", Field: "order", Recorded: "a", Asked: "b"})
	s.pay("a")
	suite.Same(s, "state", suite.Must(s.inv.Amend(s.Context(), first)).State, stock.Paid)
	s.Balanced()
}

func amendThenLock(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.inv = s.inv.For("7")
	s.lock("a", units(1, 3))
	s.amend("a1", "a", units(2, 4))
	s.No(s.amends(stock.Amendment{ID: "a2", Order: "a", Buyer: "8"}))
	again := s.lock("a", units(1, 1), units(1, 2))
	suite.Replays(s, "repeated Lock", again, s.holdOf("a"))
	suite.Same(s, "lines", again.Asked(), []stock.Line{units(2, 4)})
	s.differs(suite.Err(s.inv.Lock(s.Context(), "a", units(2, 4))), stock.MismatchError{ID: "a", Field: "lines or buyer"})
	s.differs(suite.Err(s.inv.For("8").Lock(s.Context(), "a", units(1, 3))), stock.MismatchError{ID: "a", Field: "lines or buyer"})
	s.Balanced()
}

func amendStates(s *scene) {
	s.fill(1000, sku(1))
	lines := []stock.Line{units(1, 5)}
	s.Is(s.amends(stock.Amendment{ID: "x", Order: "nobody", Lines: lines}), stock.ErrNotFound)
	for state, want := range map[stock.State]error{
		stock.Paid: stock.ErrPaid, stock.Redeemed: stock.ErrRedeemed, stock.Refunded: stock.ErrRefunded,
		stock.Cancelled: stock.ErrCancelled, stock.Expired: stock.ErrExpired,
	} {
		order := state.String()
		s.reach(state, order)
		for _, a := range []stock.Amendment{{Lines: lines}, {Pay: true}} {
			a.ID, a.Order = "x", order
			s.unchanged(sku(1), func() { s.inState(s.amends(a), order, state, want) })
		}
	}
	s.lock("dead", units(1, 1))
	s.Advance(hold)
	s.inState(s.amends(stock.Amendment{ID: "x", Order: "dead", Lines: lines, Pay: true}), "dead", stock.Expired, stock.ErrExpired)
	for name, a := range map[string]stock.Amendment{
		"nothing":   {ID: "x", Order: "a"},
		"itself":    {ID: "x", Order: "a", NewOrder: "a"},
		"no ID":     {Order: "a", Lines: lines},
		"no order":  {ID: "x", Lines: lines},
		"long":      {ID: "x", Order: "a", NewOrder: strings.Repeat("o", 65)},
		"buyer":     {ID: "x", Order: "a", Buyer: strings.Repeat("o", 65)},
		"no number": {ID: "x", Order: "a", Lines: []stock.Line{units(1, 0)}},
	} {
		s.Invalid(name, s.amends(a))
	}
	s.Balanced()
}

// amendLines has an order lose lines and get others again, as it is read, listed, moved and refunded.
func amendLines(s *scene) {
	s.fill(100, sku(1), sku(2), sku(3), sku(4), sku(5))
	s.inv = s.inv.For("7")
	all := func(n int64) (lines []stock.Line) {
		for i := range n {
			lines = append(lines, units(i+1, i+1))
		}
		return lines
	}
	for n, end := range []func(order string){
		func(o string) { s.pay(o) },
		func(o string) { s.No(suite.Err(s.inv.Cancel(s.Context(), o))) },
		func(o string) {
			s.No(suite.Err(s.inv.Shorten(s.Context(), o, s.now())))
			s.No(suite.Err(s.inv.Expire(s.Context())))
		},
		func(o string) { s.No(suite.Err(s.inv.Resolve(s.Context(), o))); s.pay(o); s.refund("r-"+o, o) },
	} {
		order := strconv.Itoa(n)
		s.lock(order, all(3)...)
		for i, count := range []int64{1, 5, 2, 3, 1, 4} {
			lines := all(count)
			slices.Reverse(lines)
			s.amend(fmt.Sprint(order, "/", i), order, lines...)
			suite.Same(s, "lines", s.holdOf(order).Asked(), all(count))
			for i := range int64(5) {
				want := int64(0)
				if i < count {
					want = i + 1
				}
				suite.Same(s, "units locked", s.item(sku(i+1)).Locked, want)
			}
		}
		end(order)
		s.Balanced()
		s.locked(sku(4), 0)
	}
	h := s.state("0", stock.Paid)
	suite.Same(s, "lines that are paid", h.Asked(), all(4))
	s.inv = s.with(stock.Options{})
	for n, want := range map[int64]int{5: 0, 4: 1} {
		paid := suite.Listed(s, s.inv.Holds(s.Context(), stock.Filter{Key: sku(n), States: []stock.State{stock.Paid}}))
		s.Count(fmt.Sprintf("orders that have SKU %d", n), len(paid), want)
	}
}

func amendDead(s *scene) {
	s.fill(5, sku(1), sku(2))
	s.lock("dead", units(1, 4))
	s.Advance(hold / 2)
	s.lock("a", units(2, 1))
	s.Advance(hold / 2)
	s.amend("a1", "a", units(1, 5))
	s.locked(sku(1), 5)
	s.state("dead", stock.Expired)
}

func amendPays(s *scene) {
	s.fill(20, sku(1), sku(2))
	s.inv = s.inv.For("7")
	s.lock("a", units(1, 9), units(2, 1))
	paid := suite.Must(s.inv.Amend(s.Context(), stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(1, 6)}, Pay: true}))
	suite.Same(s, "state", paid.State, stock.Paid)
	suite.Same(s, "paid at", paid.PaidAt, s.now())
	suite.Same(s, "hold", paid, s.holdOf("a"))
	s.usage("7", sku(1), stock.Usage{Bought: 6})
	s.usage("7", sku(2), stock.Usage{})
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 6, Left: 14})
	s.counts(sku(2), stock.Quantities{Total: 20, Left: 20})
	suite.Same(s, "payment again", s.pay("a").Replay, true)

	s.lock("b", units(1, 1)) // more may come with it, also beyond what may be held unpaid
	s.define(sku(2), 20, stock.Terms{LiveHolds: 1})
	s.lock("c", units(2, 1))
	s.No(s.amends(stock.Amendment{ID: "b1", Order: "b", Lines: []stock.Line{units(1, 2), units(2, 3)}, Pay: true}))
	s.counts(sku(2), stock.Quantities{Total: 20, Sold: 3, Locked: 1, Left: 17})
	s.No(s.amends(stock.Amendment{ID: "c1", Order: "c", Pay: true}))
	s.state("c", stock.Paid)
	s.Balanced()
}

func amendNumber(s *scene) {
	s.fill(20, sku(1), sku(2))
	was := s.lock("cart", units(1, 2), units(2, 1))
	a := stock.Amendment{ID: "a1", Order: "cart", NewOrder: "1001", Buyer: "7"}
	got := suite.Must(s.inv.Amend(s.Context(), a))
	suite.Same(s, "order", got.Order, "1001")
	is := s.state("1001", stock.Locked)
	suite.Same(s, "hold", is.Lines, was.Lines)
	suite.Same(s, "deadline", is.Deadline, was.Deadline)
	s.usage("7", sku(1), stock.Usage{Held: 2, Holds: 1})
	s.Count("lines of the old number", len(s.state("cart", stock.Cancelled).Lines), 0)
	s.Is(suite.Err(s.inv.Lock(s.Context(), "cart", units(1, 2), units(2, 1))), stock.ErrCancelled)
	suite.Same(s, "cancel of the old number", suite.Must(s.inv.Cancel(s.Context(), "cart")), stock.Outcome{
		Order: "cart", State: stock.Cancelled, Replay: true, Void: true,
	})
	suite.Replays(s, "again", suite.Must(s.inv.Amend(s.Context(), a)), s.holdOf("1001"))

	s.lock("b", units(1, 1))
	err := s.amends(stock.Amendment{ID: "b1", Order: "b", NewOrder: "1001"})
	s.Is(err, stock.ErrMismatch)
	suite.Same(s, "field", suite.As[*stock.MismatchError](s, err).Field, "new order")
	s.Is(s.amends(stock.Amendment{ID: "b1", Order: "b", NewOrder: "cart"}), stock.ErrMismatch)
	s.No(s.amends(stock.Amendment{ID: "b1", Order: "b", NewOrder: "1002", Lines: []stock.Line{units(1, 1), units(2, 2)}, Pay: true}))
	s.counts(sku(2), stock.Quantities{Total: 20, Sold: 2, Locked: 1, Left: 18})
	s.pay("1001")
	s.No(s.amends(stock.Amendment{ID: "p", Order: "1001", NewOrder: "1003"}))
	s.state("1003", stock.Paid)
	s.refund("r", "1003", units(1, 1))
	s.Is(s.amends(stock.Amendment{ID: "p2", Order: "1003", NewOrder: "1004"}), stock.ErrPaid) // its refunds name it
	s.Balanced()
}

// amendNumbers hands the number of an order of several lines to and fro among others.
func amendNumbers(s *scene) {
	s.fill(50, sku(1), sku(2), sku(3))
	s.lock("z", units(1, 1), units(2, 1), units(3, 1))
	s.amend("z1", "z", units(2, 1))
	s.No(s.amends(stock.Amendment{ID: "z2", Order: "z", NewOrder: "y"}))
	s.lock("zz", units(1, 1), units(2, 1))
	s.amend("y1", "y", units(1, 1), units(2, 2), units(3, 3))
	suite.Same(s, "lines", s.holdOf("y").Asked(), []stock.Line{units(1, 1), units(2, 2), units(3, 3)})
	s.pay("y")
	s.pay("zz")
	s.counts(sku(3), stock.Quantities{Total: 50, Sold: 3, Left: 47})
	s.Balanced()
}

func amendBuyer(s *scene) {
	s.define(sku(1), 20, stock.Terms{})
	s.lock("guest", units(1, 3))
	s.define(sku(1), 20, stock.Terms{PerBuyer: 4, LiveHolds: 2, OffShelf: true})
	s.No(s.amends(stock.Amendment{ID: "a1", Order: "guest", Buyer: "7"})) // the units are its own: they need not be for sale
	s.usage("7", sku(1), stock.Usage{Held: 3, Holds: 1})
	suite.Same(s, "buyer", s.holdOf("guest").Buyer, "7")
	s.define(sku(1), 20, stock.Terms{PerBuyer: 4, LiveHolds: 1})
	suite.Must(s.inv.For("8").Lock(s.Context(), "b", units(1, 1)))
	s.overLimit(s.amends(stock.Amendment{ID: "a2", Order: "guest", Buyer: "8"}),
		stock.LimitError{Key: sku(1), Err: stock.ErrLiveHolds, Buyer: "8", Limit: 1, Has: 1, Wanted: 1})
	s.define(sku(1), 20, stock.Terms{PerBuyer: 3})
	s.overLimit(s.amends(stock.Amendment{ID: "a2", Order: "guest", Buyer: "8"}),
		stock.LimitError{Key: sku(1), Err: stock.ErrPerBuyer, Buyer: "8", Limit: 3, Has: 1, Wanted: 3})
	s.No(s.amends(stock.Amendment{ID: "a2", Order: "guest", Buyer: "8", Lines: []stock.Line{units(1, 2)}}))
	s.usage("7", sku(1), stock.Usage{})
	s.usage("8", sku(1), stock.Usage{Held: 3, Holds: 2})
	s.pay("guest")
	s.No(s.amends(stock.Amendment{ID: "a3", Order: "guest", Buyer: "9"}))
	s.usage("8", sku(1), stock.Usage{Held: 1, Holds: 1})
	s.usage("9", sku(1), stock.Usage{Bought: 2})
	s.Balanced()
}

func amendPool(s *scene) {
	s.fill(5, pool(1, 7), pool(1, 8))
	s.lock("a", stock.Line{SKU: 1, Activity: 7, Num: 3})
	s.amend("a1", "a", stock.Line{SKU: 1, Activity: 8, Num: 3})
	s.locked(pool(1, 7), 0)
	s.locked(pool(1, 8), 3)
	s.pay("a")
	s.define(pool(1, 7), 5, stock.Terms{OffShelf: true})
	s.amend("a2", "a", stock.Line{SKU: 1, Activity: 7, Num: 2}, stock.Line{SKU: 1, Activity: 8, Num: 1}) // an arrival
	s.counts(pool(1, 7), stock.Quantities{Total: 5, Sold: 2, Left: 3})
	s.counts(pool(1, 8), stock.Quantities{Total: 5, Sold: 1, Left: 4})
	suite.Must(s.inv.Lock(s.Context(), "b", stock.Line{SKU: 1, Activity: 8, Num: 1}))
	for _, lines := range [][]stock.Line{
		{{SKU: 1, Activity: 7, Num: 2}},
		{{SKU: 1, Activity: 7, Num: 4}},
		{{SKU: 1, Activity: 7, Num: 3}, {SKU: 2, Activity: 7, Num: 1}},
	} {
		s.Is(s.amends(stock.Amendment{ID: "x", Order: "a", Lines: lines}), stock.ErrPaid) // which is a purchase or a refund
	}
	s.refund("r", "a", stock.Line{SKU: 1, Activity: 8, Num: 1})
	s.Is(s.amends(stock.Amendment{ID: "x", Order: "a", Lines: []stock.Line{{SKU: 1, Activity: 7, Num: 3}}}), stock.ErrPaid)
	s.Balanced()
}

func amendShown(s *scene) {
	s.fill(20, sku(1), sku(2))
	var effects []stock.Effect
	s.lock("a", units(1, 5))
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	a := stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(1, 2), units(2, 4)}, Pay: true}
	s.No(suite.Err(s.inv.By("eve", "by phone").Amend(s.Context(), a)))
	at := s.now()
	s.No(s.amends(a))
	suite.Same(s, "effects", effects, []stock.Effect{
		{Step: stock.StepAmend, Order: "a", ID: "a1", Lines: a.Lines},
		{Step: stock.StepLock, Order: "a", ID: "a1", Lines: []stock.Line{units(2, 4)}},
		{Step: stock.StepCancel, Order: "a", ID: "a1", Lines: []stock.Line{units(1, 3)}},
		{Step: stock.StepPay, Order: "a", ID: "a1", Lines: a.Lines},
	})
	suite.Same(s, "movement", s.movements(sku(1))[0], stock.Change{
		Kind: stock.KindAmend, ID: "a1", At: at, Order: "a", Actor: "eve", Reason: "by phone",
		Entries: []stock.Entry{{Key: sku(1), Delta: stock.Quantities{Sold: 2, Locked: -5, Left: -2}}},
	})
	s.Balanced()
}

// amendLost loses the answer of an amendment: the same call settles it.
func amendLost(s *scene) {
	s.fill(20, sku(1), sku(2))
	for n, a := range []stock.Amendment{
		{Lines: []stock.Line{units(2, 2)}}, {Lines: []stock.Line{units(1, 1)}, Pay: true}, {NewOrder: "other", Buyer: "7"},
	} {
		a.ID, a.Order = fmt.Sprint("a", n), fmt.Sprint("o", n)
		s.lock(a.Order, units(1, 2))
		s.Is(suite.Err(s.over(suite.LosesAnswer(1)).Amend(s.Context(), a)), stock.ErrUnknown)
		suite.Same(s, "replay", suite.Must(s.inv.Amend(s.Context(), a)).Replay, true)
		s.Balanced()
	}
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 1, Locked: 2, Left: 19})
}

// amendResolved resolves an order before an amendment that was sent arrives.
func amendResolved(s *scene) {
	s.fill(20, sku(1))
	s.lock("a", units(1, 2))
	record := stock.AmendRecord{From: s.holdOf("a"), To: s.holdOf("a")}
	record.To.Lines, record.To.Fence = []stock.HoldLine{{Line: units(1, 3)}}, record.From.Fence+1
	record.Change = stock.Change{Kind: stock.KindAmend, ID: "late", Order: "a", Asked: "{}", Entries: []stock.Entry{
		{Key: sku(1), Delta: stock.Quantities{Locked: 1}},
	}}
	s.No(suite.Err(s.inv.Resolve(s.Context(), "a")))
	verdict, err := suite.Moved(s.Store.Amend(s.Context(), record))
	s.refusedLate("an Amend", verdict, err)
	suite.Same(s, "recorded", suite.Must(s.Store.Applied(s.Context(), stock.KindAmend, "late")).ID, "")
	s.amend("a1", "a", units(1, 4))
	s.locked(sku(1), 4)
}

// amendAfterAmend has another call change the order between the look and the amendment.
func amendAfterAmend(s *scene) {
	s.fill(20, sku(1), sku(2))
	s.lock("a", units(1, 2))
	inv := s.before("Amend", 1, func() { s.amend("other", "a", units(2, 7)) })
	h := suite.Must(inv.Amend(s.Context(), stock.Amendment{ID: "a1", Order: "a", Lines: []stock.Line{units(1, 1)}}))
	suite.Same(s, "lines", h.Asked(), []stock.Line{units(1, 1)})
	s.locked(sku(2), 0)
	a := stock.Amendment{ID: "a2", Order: "a", Lines: []stock.Line{units(1, 20)}}
	inv = s.before("Amend", 1, func() { s.No(s.amends(a)) })
	suite.Same(s, "replay", suite.Must(inv.Amend(s.Context(), a)).Replay, true)
	inv = s.before("Amend", 1, func() { s.pay("a") })
	s.Is(suite.Err(inv.Amend(s.Context(), stock.Amendment{ID: "a3", Order: "a", Lines: []stock.Line{units(2, 1)}})), stock.ErrPaid)
	s.Balanced()
}
