package stocktest

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func refundCases() []testCase {
	return []testCase{
		{Name: "RefundOfMoreThanWasSoldIsRefused", Run: refundTooMuch},
		{Name: "RefundNotBackOnSaleIsDiscarded", Run: refundDiscard},
		{Name: "RefundIsCappedByItsOrder", Run: refundCappedByOrder},
		{Name: "RefundAfterRedeemIsAnOption", Run: refundAfterRedeem},
		{Name: "RefundTwiceIsOnce", Run: refundReplays},
		{Name: "RefundWithOtherArgumentsIsAMismatch", Run: refundMismatch},
		{Name: "RefundWholeTakesWhatIsLeft", Run: refundWhole},
		{Name: "RefundAllLinesOrNone", Run: refundAllOrNone},
		{Name: "RefundSumsLines", Run: refundSumsLines},
		{Name: "RefundConcurrentReplays", Run: refundConcurrentReplays},
		{Name: "RefundConcurrentRefundsKeepTheCap", Run: refundConcurrentCap},
		{Name: "RefundManyPartsOfOneOrderAtOnce", Run: refundManyParts},
		{Name: "RefundConcurrentMismatches", Run: refundConcurrentMismatches},
		{Name: "RefundFreesTheBuyersLimitByOption", Run: refundFreesBuyer},
	}
}

func refundTooMuch(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	s.refund("r1", "a", units(1, 3))
	s.unchanged(sku(1), func() {
		err := s.giveBack("r2", "a", units(1, 3))
		s.Is(err, stock.ErrOverRefund)
		suite.Same(s, "error", *suite.As[*stock.RefundError](s, err), stock.RefundError{Key: sku(1), Order: "a", Wanted: 3, Refundable: 2})
	})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 3})
	s.state("a", stock.Paid)
	s.refund("r2", "a", units(1, 2))
	suite.Same(s, "lines", s.state("a", stock.Refunded).Lines, []stock.HoldLine{{Line: units(1, 5), Refunded: 5, Restocked: 5}})
}

func refundDiscard(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r1", Order: "a", Lines: []stock.Line{units(1, 3)}})))
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 5, Left: 5, Refunded: 3})
	s.Is(s.giveBack("r2", "a", units(1, 3)), stock.ErrOverRefund)
	s.refund("r3", "a") // the other two go back on sale
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 3, Left: 7, Refunded: 5})
	suite.Same(s, "lines", s.state("a", stock.Refunded).Lines, []stock.HoldLine{{Line: units(1, 5), Refunded: 5, Restocked: 2}})
}

func refundCappedByOrder(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.Is(s.giveBack("r", "a"), stock.ErrNotFound)
	s.lock("unpaid", units(1, 2))
	s.inState(s.giveBack("r", "unpaid"), "unpaid", stock.Locked, stock.ErrNotPaid)
	s.buy("a", units(1, 2))
	s.buy("b", units(1, 50))
	s.Is(s.giveBack("r", "a", units(1, 3)), stock.ErrOverRefund)
	err := s.giveBack("r", "a", units(2, 1)) // not an item of this order
	s.Is(err, stock.ErrOverRefund)
	suite.Same(s, "error", *suite.As[*stock.RefundError](s, err), stock.RefundError{Key: sku(2), Order: "a", Wanted: 1})
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 52, Locked: 2, Left: 48})
	s.pay("unpaid")
	s.refund("r", "unpaid") // the refused ID is free
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 52, Left: 48, Refunded: 2})
}

func refundAfterRedeem(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 3))
	s.refund("before", "a", units(1, 1))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	s.inState(s.giveBack("after", "a"), "a", stock.Redeemed, stock.ErrRedeemed)
	s.refund("before", "a", units(1, 1)) // the replay is a replay
	s.inv = s.with(stock.Options{RefundRedeemed: true})
	s.refund("after", "a", units(1, 1))
	s.state("a", stock.Redeemed)
	s.refund("last", "a")
	s.state("a", stock.Refunded)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 3})
}

func refundReplays(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.buy("a", units(1, 5), units(2, 3))
	part := stock.Refund{ID: "part", Order: "a", Restock: true, Lines: []stock.Line{units(2, 1), units(1, 2)}}
	whole := stock.Refund{ID: "whole", Order: "a"}
	want := map[string]stock.Refund{
		"part":  {ID: "part", Order: "a", Restock: true, Lines: []stock.Line{units(1, 2), units(2, 1)}},
		"whole": {ID: "whole", Order: "a", Lines: []stock.Line{units(1, 3), units(2, 2)}},
	}
	for i := range 3 { // later rounds find the order refunded
		for _, refund := range []stock.Refund{part, whole} {
			got := suite.Must(s.inv.Refund(s.Context(), refund))
			suite.Same(s, "refund", got.Refund, want[refund.ID])
			suite.Same(s, "replay", got.Replay, i > 0)
		}
		s.Advance(hold)
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 3, Left: 7, Refunded: 5})
	s.counts(sku(2), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 3})
	s.state("a", stock.Refunded)
}

func refundMismatch(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.buy("a", units(1, 5), units(2, 5))
	s.buy("b", units(1, 5))
	s.lock("unpaid", units(1, 1))
	s.refund("r", "a", units(1, 2))
	s.refund("all", "b")
	was := s.holdOf("a")
	for name, refund := range map[string]stock.Refund{
		"more units":        {ID: "r", Order: "a", Restock: true, Lines: []stock.Line{units(1, 3)}},
		"another item":      {ID: "r", Order: "a", Restock: true, Lines: []stock.Line{units(2, 2)}},
		"one line more":     {ID: "r", Order: "a", Restock: true, Lines: []stock.Line{units(1, 2), units(2, 1)}},
		"everything":        {ID: "r", Order: "a", Restock: true},
		"not back on sale":  {ID: "r", Order: "a", Lines: []stock.Line{units(1, 2)}},
		"another order":     {ID: "r", Order: "b", Restock: true, Lines: []stock.Line{units(1, 2)}},
		"an unpaid order":   {ID: "r", Order: "unpaid", Restock: true, Lines: []stock.Line{units(1, 2)}},
		"an unknown order":  {ID: "r", Order: "c", Restock: true, Lines: []stock.Line{units(1, 2)}},
		"too many units":    {ID: "r", Order: "a", Restock: true, Lines: []stock.Line{units(1, 99)}},
		"lines for a whole": {ID: "all", Order: "b", Restock: true, Lines: []stock.Line{units(1, 5)}},
	} {
		_, err := s.inv.Refund(s.Context(), refund)
		s.Log(name)
		s.Is(err, stock.ErrMismatch)
	}
	suite.Same(s, "hold", s.holdOf("a"), was)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 3, Locked: 1, Left: 97, Refunded: 7})
}

func refundWhole(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.buy("a", units(1, 3), units(2, 2))
	s.refund("part", "a", units(1, 3))
	s.state("a", stock.Paid)
	got := suite.Must(s.inv.Refund(s.Context(), stock.Refund{ID: "rest", Order: "a", Restock: true}))
	suite.Same(s, "refund", got.Refund, stock.Refund{ID: "rest", Order: "a", Restock: true, Lines: []stock.Line{units(2, 2)}})
	s.state("a", stock.Refunded)
	s.inState(s.giveBack("more", "a"), "a", stock.Refunded, stock.ErrRefunded)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 3})
	s.counts(sku(2), stock.Quantities{Total: 10, Left: 10, Refunded: 2})
	suite.Same(s, "payment after that", s.pay("a"), replay("a", stock.Refunded))
	s.lock("b", units(1, 10)) // what is back on sale is on sale
}

func refundAllOrNone(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.buy("a", units(1, 3), units(2, 2))
	was := s.holdOf("a")
	s.unchanged(sku(1), func() {
		s.Is(s.giveBack("r", "a", units(1, 3), units(2, 3)), stock.ErrOverRefund)
	})
	suite.Same(s, "hold", s.holdOf("a"), was)
	s.refund("r", "a", units(1, 3), units(2, 1)) // the refused ID is free
}

func refundSumsLines(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	s.Is(s.giveBack("r", "a", units(1, 3), units(1, 3)), stock.ErrOverRefund)
	s.refund("r", "a", units(1, 2), units(1, 2))
	s.refund("r", "a", units(1, 4))
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 1, Left: 9, Refunded: 4})
}

func refundConcurrentReplays(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	for _, refund := range []stock.Refund{
		{ID: "part", Order: "a", Restock: true, Lines: []stock.Line{units(1, 2)}},
		{ID: "whole", Order: "a", Restock: true},
	} {
		got := make([]stock.Refund, 32)
		s.Each(suite.Together(len(got), func(i int) error {
			outcome, err := s.inv.Refund(s.Context(), refund)
			got[i] = outcome.Refund
			return err
		}))
		for _, r := range got {
			suite.Same(s, "refund", r, got[0])
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 5})
}

// refundConcurrentCap has more refunds than the order has units, of both kinds.
func refundConcurrentCap(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.buy("a", units(1, 10))
	s.buy("b", units(1, 10))
	errs := suite.Together(16, func(i int) error {
		_, err := s.inv.Refund(s.Context(), stock.Refund{ID: strconv.Itoa(i), Order: "a", Restock: i%2 == 0, Lines: []stock.Line{units(1, 3)}})
		return err
	})
	s.Count("refunds", s.Succeeded(errs, stock.ErrOverRefund), 3)
	h := s.state("a", stock.Paid)
	suite.Same(s, "refunded", h.Lines[0].Refunded, 9)
	back := h.Lines[0].Restocked
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 20 - back, Left: 80 + back, Refunded: 9})

	errs = suite.Together(8, func(i int) error { // whole refunds: one takes it all
		return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: fmt.Sprint("whole ", i), Order: "b", Restock: true}))
	})
	s.Count("whole refunds", s.Succeeded(errs, stock.ErrRefunded), 1)
}

// refundManyParts refunds each unit of an order by itself, all of them at once, some back on sale, and one that takes
// what is left: none is in the way of another.
func refundManyParts(s *scene) {
	const parts = 150
	for n, lines := range [][]stock.Line{{units(1, parts)}, {units(2, parts), units(3, parts)}} {
		order := strconv.Itoa(n)
		for _, l := range lines {
			s.define(l.Key(), parts, stock.Terms{PerBuyer: 2 * parts})
		}
		s.No(suite.Err(s.inv.For("5").Lock(s.Context(), order, lines...)))
		s.pay(order)
		frees := s.with(stock.Options{RefundFreesBuyer: true})
		s.Each(suite.Together(parts-1, func(i int) error {
			part := stock.Line{SKU: lines[i%len(lines)].SKU, Num: 1}
			inv := s.inv
			if i%3 == 0 {
				inv = frees
			}
			return suite.Err(inv.Refund(s.Context(), stock.Refund{
				ID: fmt.Sprint(order, "/", i), Order: order, Restock: i%2 == 0, Lines: []stock.Line{part},
			}))
		}))
		h := s.state(order, stock.Paid)
		refunded, freed := int64(0), int64(0)
		for _, l := range h.Lines {
			refunded, freed = refunded+l.Refunded, freed+l.Freed
		}
		suite.Same(s, "refunded, freed", [2]int64{refunded, freed}, [2]int64{parts - 1, 50})
		errs := suite.Together(4, func(i int) error {
			return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: fmt.Sprint(order, "/rest ", i), Order: order, Restock: true}))
		})
		s.Count("refunds of the rest", s.Succeeded(errs, stock.ErrRefunded), 1)
		s.state(order, stock.Refunded)
	}
}

func refundConcurrentMismatches(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	for i := range 8 {
		s.buy(strconv.Itoa(i), units(1, 8))
	}
	errs := suite.Together(8, func(i int) error { // one ID for refunds of eight orders
		_, err := s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: strconv.Itoa(i), Restock: true, Lines: []stock.Line{units(1, 2)}})
		return err
	})
	s.Count("refunds", s.Succeeded(errs, stock.ErrMismatch), 1)
	winner := s.holdOf(strconv.Itoa(slices.Index(errs, nil)))
	suite.Same(s, "refunded", winner.Lines[0].Refunded, 2)
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: 62, Left: 938, Refunded: 2})
}

func refundFreesBuyer(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 4})
	frees := s.with(stock.Options{RefundFreesBuyer: true})
	buyer := s.inv.For("5")
	s.No(suite.Err(buyer.Lock(s.Context(), "a", units(1, 4))))
	s.pay("a")
	s.refund("kept", "a", units(1, 2)) // this inventory does not give units back to the limit
	s.usage("5", sku(1), stock.Usage{Bought: 4})
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))), stock.ErrPerBuyer)
	s.No(suite.Err(frees.Refund(s.Context(), stock.Refund{ID: "freed", Order: "a", Lines: []stock.Line{units(1, 1)}})))
	s.usage("5", sku(1), stock.Usage{Bought: 3})
	_, err := frees.Refund(s.Context(), stock.Refund{ID: "kept", Order: "a", Restock: true, Lines: []stock.Line{units(1, 2)}})
	s.No(err) // the replay frees nothing
	s.differs(suite.Err(s.inv.Refund(s.Context(), stock.Refund{
		ID: "kept", Order: "a", Restock: true, FreesBuyer: true, Lines: []stock.Line{units(1, 2)},
	})), stock.MismatchError{ID: "kept", Field: "frees buyer", Recorded: "false", Asked: "true"})
	s.usage("5", sku(1), stock.Usage{Bought: 3})
	suite.Same(s, "lines", s.holdOf("a").Lines, []stock.HoldLine{{Line: units(1, 4), Refunded: 3, Restocked: 2, Freed: 1}})
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 2))), stock.ErrPerBuyer)
	s.No(suite.Err(buyer.Lock(s.Context(), "b", units(1, 1))))
	s.pay("b")
	s.No(suite.Err(frees.Refund(s.Context(), stock.Refund{ID: "all", Order: "b", Restock: true})))
	s.usage("5", sku(1), stock.Usage{Bought: 3})
	s.No(suite.Err(s.inv.For("6").Lock(s.Context(), "c", units(1, 4))))
	s.pay("c")
	s.No(suite.Err(frees.Refund(s.Context(), stock.Refund{ID: "all of c", Order: "c", Restock: true})))
	s.usage("6", sku(1), stock.Usage{})
}
