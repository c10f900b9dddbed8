package stocktest

import (
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func partCases() []testCase {
	return []testCase{
		{Name: "RedeemPartLeavesTheOtherParcelToRefund", Run: redeemParcels},
		{Name: "RedeemPartTwiceIsAReplay", Run: redeemPartTwice},
		{Name: "RedeemPartHandsOutNoMoreThanThereIs", Run: redeemPartOver},
		{Name: "RefundOfWhatWasHandedOverIsAllowedPerCall", Run: refundRedeemedCall},
		{Name: "PutBackSellsWhatCameBackLater", Run: putBack},
		{Name: "PutBackRefuses", Run: putBackRefuses},
		{Name: "PartsAreShownByHookAndMovements", Run: partsShown},
		{Name: "RefundOfWhatWasRedeemedByParts", Run: partsRefunded},
		{Name: "PartsLoseTheirAnswers", Run: partsLost},
		{Name: "RaceRefundAgainstRedeemPart", Run: raceRefundRedeemPart},
		{Name: "RacePutBackOfOneRefund", Run: racePutBack},
	}
}

// redeems hands over lines of an order.
func (s *scene) redeems(id, order string, lines ...stock.Line) error {
	return suite.Err(s.inv.RedeemPart(s.Context(), id, order, lines...))
}

// discard refunds lines of an order that do not go back on sale.
func (s *scene) discard(id, order string, lines ...stock.Line) {
	s.Helper()
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: id, Order: order, Lines: lines})))
}

func redeemParcels(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.buy("a", units(1, 3), units(2, 2))
	o := suite.Must(s.inv.RedeemPart(s.Context(), "parcel-1", "a", units(1, 2)))
	suite.Same(s, "outcome", o, stock.Outcome{Order: "a", State: stock.Paid})
	suite.Same(s, "handed over", s.holdOf("a").Lines[0].Redeemed, 2)
	s.refund("r1", "a", units(2, 1))
	s.Is(s.giveBack("r2", "a", units(1, 2)), stock.ErrRedeemed)
	s.Is(s.giveBack("r2", "a"), stock.ErrRedeemed) // all of it would take the parcel too
	s.refund("r3", "a", units(1, 1))
	suite.Same(s, "outcome", suite.Must(s.inv.RedeemPart(s.Context(), "parcel-2", "a", units(2, 1))), stock.Outcome{
		Order: "a", State: stock.Redeemed,
	})
	s.Is(s.giveBack("r4", "a", units(2, 1)), stock.ErrRedeemed)
	suite.Same(s, "redeemed as a whole", suite.Must(s.inv.Redeem(s.Context(), "a")).Replay, true)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 1})
	s.counts(sku(2), stock.Quantities{Total: 10, Sold: 1, Left: 9, Refunded: 1})

	s.buy("b", units(1, 2), units(2, 1))
	s.No(s.redeems("b1", "b", units(1, 2)))
	s.refund("b2", "b", units(2, 1)) // nothing is left to hand over
	s.state("b", stock.Redeemed)
	s.buy("c", units(1, 2))
	s.No(s.redeems("c1", "c", units(1, 1)))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "c"))) // the rest
	suite.Same(s, "handed over", s.state("c", stock.Redeemed).Lines[0].Redeemed, 2)
	s.Balanced()
}

func redeemPartTwice(s *scene) {
	s.fill(10, sku(1))
	s.buy("a", units(1, 3))
	s.No(s.redeems("p", "a", units(1, 1)))
	suite.Same(s, "again", suite.Must(s.inv.RedeemPart(s.Context(), "p", "a", units(1, 1))), stock.Outcome{
		Order: "a", State: stock.Paid, Replay: true,
	})
	s.Is(s.redeems("p", "a", units(1, 2)), stock.ErrMismatch)
	s.Is(s.amends(stock.Amendment{ID: "p", Order: "a", Buyer: "7"}), stock.ErrMismatch) // one set of IDs
	suite.Same(s, "handed over", s.holdOf("a").Lines[0].Redeemed, 1)
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	suite.Same(s, "again", suite.Must(s.inv.RedeemPart(s.Context(), "p", "a", units(1, 1))).State, stock.Redeemed)
	s.Balanced()
}

func redeemPartOver(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.buy("a", units(1, 3))
	s.refund("r", "a", units(1, 1))
	s.shortage(s.redeems("p", "a", units(1, 3)), sku(1), 3, 2)
	s.shortage(s.redeems("p", "a", units(2, 1)), sku(2), 1, 0)
	s.No(s.redeems("p", "a", units(1, 1)))
	s.shortage(s.redeems("q", "a", units(1, 2)), sku(1), 2, 1)
	s.Is(s.redeems("q", "nobody", units(1, 1)), stock.ErrNotFound)
	for state, want := range map[stock.State]error{
		stock.Locked: stock.ErrNotPaid, stock.Redeemed: stock.ErrRedeemed, stock.Refunded: stock.ErrRefunded,
		stock.Cancelled: stock.ErrCancelled, stock.Expired: stock.ErrExpired,
	} {
		s.reach(state, state.String())
		s.inState(s.redeems("q", state.String(), units(1, 1)), state.String(), state, want)
	}
	s.Invalid("no lines", s.redeems("q", "a"))
	s.Invalid("no ID", s.redeems("", "a", units(1, 1)))
}

func refundRedeemedCall(s *scene) {
	s.fill(20, sku(1))
	s.buy("a", units(1, 5))
	s.No(s.redeems("p", "a", units(1, 3)))
	refund := stock.Refund{ID: "r1", Order: "a", Restock: true, Redeemed: true, Lines: []stock.Line{units(1, 2)}}
	s.No(suite.Err(s.inv.Refund(s.Context(), refund)))
	suite.Same(s, "handed over", s.holdOf("a").Lines[0].Redeemed, 1) // those come back first
	s.shortage(s.redeems("q", "a", units(1, 3)), sku(1), 3, 2)
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	s.Is(s.giveBack("r2", "a", units(1, 1)), stock.ErrRedeemed)
	whole := stock.Refund{ID: "r2", Order: "a", Redeemed: true}
	suite.Same(s, "state", suite.Must(s.inv.Refund(s.Context(), whole)).State, stock.Refunded)
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 3, Left: 17, Refunded: 5})
	s.Balanced()
}

func putBack(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.inv = s.inv.For("7")
	s.buy("a", units(1, 4), units(2, 1))
	s.discard("r1", "a", units(1, 2), units(2, 1))
	s.discard("r2", "a", units(1, 1))
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 4, Left: 6, Refunded: 3})
	back := suite.Must(s.inv.PutBack(s.Context(), "r1"))
	suite.Same(s, "lines", back.Refund.Lines, []stock.Line{units(1, 2), units(2, 1)})
	suite.Same(s, "outcome", back.Outcome, stock.Outcome{Order: "a", State: stock.Paid})
	for range 2 {
		suite.Replays(s, "again", suite.Must(s.inv.PutBack(s.Context(), "r1")).Outcome, back.Outcome)
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 3})
	s.counts(sku(2), stock.Quantities{Total: 10, Left: 10, Refunded: 1})
	s.usage("7", sku(1), stock.Usage{Bought: 4})
	s.discard("r2", "a", units(1, 1)) // again: it is as it was asked for

	s.discard("r3", "a") // the last: the order is over, what comes back is not
	s.No(suite.Err(s.inv.PutBack(s.Context(), "r3")))
	s.No(suite.Err(s.inv.PutBack(s.Context(), "r2")))
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 4})
	s.state("a", stock.Refunded)
	s.Balanced()
}

func putBackRefuses(s *scene) {
	s.fill(10, sku(1))
	s.Is(suite.Err(s.inv.PutBack(s.Context(), "nothing")), stock.ErrNotFound)
	s.Invalid("no ID", suite.Err(s.inv.PutBack(s.Context(), "")))
	s.buy("a", units(1, 4))
	s.refund("r", "a", units(1, 1))
	s.unchanged(sku(1), func() { suite.Same(s, "on sale already", suite.Must(s.inv.PutBack(s.Context(), "r")).Replay, true) })
}

// partsRefunded refunds what was handed over by parts: nothing is handed over any more.
func partsRefunded(s *scene) {
	s.fill(10, sku(1))
	s.buy("a", units(1, 2))
	s.No(s.redeems("p", "a", units(1, 2)))
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Redeemed: true})))
	suite.Same(s, "line", s.state("a", stock.Refunded).Lines[0], stock.HoldLine{Line: units(1, 2), Refunded: 2})
}

func partsShown(s *scene) {
	s.fill(10, sku(1))
	s.buy("a", units(1, 4))
	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	s.No(s.redeems("p", "a", units(1, 2)))
	redeemed := stock.Change{Kind: stock.KindAmend, ID: "p", At: s.now(), Order: "a", Entries: []stock.Entry{{Key: sku(1)}}}
	s.Advance(time.Second)
	s.discard("r", "a", units(1, 1))
	s.No(suite.Err(s.inv.By("eve", "sound").PutBack(s.Context(), "r")))
	suite.Same(s, "effects", effects, []stock.Effect{
		{Step: stock.StepRedeem, Order: "a", ID: "p", Lines: []stock.Line{units(1, 2)}},
		{Step: stock.StepDiscard, Order: "a", ID: "r", Lines: []stock.Line{units(1, 1)}},
		{Step: stock.StepPutBack, Order: "a", ID: "r", Lines: []stock.Line{units(1, 1)}},
	})
	delta := stock.Quantities{Sold: -1, Left: 1}
	suite.Same(s, "movements", s.movements(sku(1))[:2], []stock.Change{
		{
			Kind: stock.KindPutBack, ID: "r", At: s.now(), Order: "a", Actor: "eve", Reason: "sound",
			Entries: []stock.Entry{{Key: sku(1), Delta: delta}},
		},
		redeemed,
	})
}

func partsLost(s *scene) {
	s.fill(10, sku(1))
	s.buy("a", units(1, 4))
	lost := func() *stock.Inventory { return s.over(suite.LosesAnswer(1)) }
	s.Is(suite.Err(lost().RedeemPart(s.Context(), "p", "a", units(1, 2))), stock.ErrUnknown)
	suite.Same(s, "replay", suite.Must(s.inv.RedeemPart(s.Context(), "p", "a", units(1, 2))).Replay, true)
	s.discard("r", "a", units(1, 1))
	s.Is(suite.Err(lost().PutBack(s.Context(), "r")), stock.ErrUnknown)
	suite.Same(s, "replay", suite.Must(s.inv.PutBack(s.Context(), "r")).Replay, true)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 3, Left: 7, Refunded: 1})
}

// raceRefundRedeemPart has one unit handed over or refunded, never both.
func raceRefundRedeemPart(s *scene) {
	s.fill(1000, sku(1))
	for round := range rounds {
		order := strconv.Itoa(round)
		s.buy(order, units(1, 2))
		errs := suite.Meet(4,
			func() error { return s.redeems(order, order, units(1, 2)) },
			func() error { return s.giveBack(order, order, units(1, 1)) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, stock.ErrInsufficient, stock.ErrRedeemed), 2)
		if l := s.holdOf(order).Lines[0]; l.Redeemed+l.Refunded > 2 || l.Redeemed == 0 == (l.Refunded == 0) {
			s.Fatalf("%d handed over, %d refunded", l.Redeemed, l.Refunded)
		}
	}
	s.Balanced()
}

// racePutBack puts refunds back beside further refunds of their order: each once.
func racePutBack(s *scene) {
	s.fill(100, sku(1))
	for round := range rounds / 2 {
		order := strconv.Itoa(round)
		s.buy(order, units(1, 3))
		s.discard(order, order, units(1, 1))
		s.Each(suite.Meet(6,
			func() error { return suite.Err(s.inv.PutBack(s.Context(), order)) },
			func() error { return s.giveBack("more "+order, order, units(1, 1)) },
		))
	}
	n := int64(rounds / 2)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: n, Left: 100 - n, Refunded: 2 * n})
	s.Balanced()
}
