package stocktest

import (
	"fmt"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func operatorCases() []testCase {
	return []testCase{
		{Name: "RestockTwiceIsOnce", Run: restockTwice},
		{Name: "RestockAllLinesOrNone", Run: restockAllOrNone},
		{Name: "RestockConcurrentReplays", Run: restockConcurrently},
		{Name: "WithdrawTakesWhatIsAvailable", Run: withdraw},
		{Name: "WithdrawReleasesTheDead", Run: withdrawReleases},
		{Name: "WithdrawConcurrentCallsTakeNoMoreThanThereIs", Run: withdrawConcurrently},
		{Name: "ChangesShareTheirIDs", Run: changesShareIDs},
		{Name: "TransferMovesBetweenPools", Run: transfer},
		{Name: "TransferAllMovesOrNone", Run: transferAllOrNone},
		{Name: "TransferWithOtherMovesIsAMismatch", Run: transferMismatch},
		{Name: "TransferRestTakesWhatIsAvailable", Run: transferRest},
		{Name: "TransferRestHappensOnce", Run: transferRestOnce},
		{Name: "TransferRestAgainstBuyers", Run: transferRestTraffic},
		{Name: "TransferOppositeWays", Run: transferOpposite},
	}
}

func restockTwice(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, again := range []bool{false, true} {
		got := suite.Must(s.inv.Restock(s.Context(), "in", units(1, 5)))
		suite.Same(s, "restock", got, stock.ChangeOutcome{ID: "in", Replay: again})
		s.counts(sku(1), stock.Quantities{Total: 15, Left: 15})
	}
	s.differs(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 7))), stock.MismatchError{
		ID: "in", Field: "units", Recorded: "+5 for SKU 1", Asked: "+7 for SKU 1",
	})
	s.counts(sku(1), stock.Quantities{Total: 15, Left: 15})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in-2", units(1, 2), units(1, 1)))) // lines are summed
	s.No(suite.Err(s.inv.Restock(s.Context(), "in-2", units(1, 3))))
	s.counts(sku(1), stock.Quantities{Total: 18, Left: 18})
}

func restockAllOrNone(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.unchanged(sku(1), func() {
		s.itemRefuses(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5), units(9, 5))), sku(9), stock.ErrUnknownSKU)
		err := suite.Err(s.inv.Restock(s.Context(), "in", units(9, 5), units(2, 5), units(1, 5)))
		s.itemRefuses(err, sku(2), stock.ErrUnlimited) // the first by key
	})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5)))) // the refused ID is free
	s.counts(sku(1), stock.Quantities{Total: 15, Left: 15})
}

func restockConcurrently(s *scene) {
	s.fill(0, sku(1), sku(2))
	same := make([]stock.ChangeOutcome, 32)
	s.Each(suite.Together(len(same), func(i int) (err error) {
		same[i], err = s.inv.Restock(s.Context(), "same", units(2, 2), units(1, 1))
		return err
	}))
	suite.Once(s, "restock", same)
	s.Each(suite.Together(32, func(i int) error {
		return suite.Err(s.inv.Restock(s.Context(), strconv.Itoa(i), units(1, 1), units(2, 2)))
	}))
	s.counts(sku(1), stock.Quantities{Total: 33, Left: 33})
	s.counts(sku(2), stock.Quantities{Total: 66, Left: 66})
	errs := suite.Together(8, func(i int) error { return suite.Err(s.inv.Restock(s.Context(), "contested", units(1, int64(1+i)))) })
	s.Count("restocks", s.Succeeded(errs, stock.ErrMismatch), 1)
}

func withdraw(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 2))
	s.lock("b", units(1, 3))
	s.unchanged(sku(1), func() {
		s.shortage(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 6))), sku(1), 6, 5)
	})
	for _, again := range []bool{false, true} {
		got := suite.Must(s.inv.Withdraw(s.Context(), "out", units(1, 5)))
		suite.Same(s, "withdrawal", got, stock.ChangeOutcome{ID: "out", Replay: again})
		s.counts(sku(1), stock.Quantities{Total: 5, Sold: 2, Locked: 3, Left: 3})
	}
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 4))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "out-2", units(9, 1))), stock.ErrUnknownSKU)
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "out-2", units(2, 1))), stock.ErrUnlimited)

	// An item that lost all of its units is sold out, not unlimited.
	s.define(sku(3), 5, stock.Terms{})
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "all", units(3, 5))))
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "c", units(3, 1))), sku(3), 1, 0)
}

func withdrawReleases(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 8))
	s.Advance(hold)
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 9))))
	s.state("a", stock.Expired)
	s.counts(sku(1), stock.Quantities{Total: 1, Left: 1})
}

func withdrawConcurrently(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	errs := suite.Together(24, func(i int) (err error) {
		if i%2 == 0 {
			return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), units(1, 1)))
		}
		return suite.Err(s.inv.Withdraw(s.Context(), strconv.Itoa(i), units(1, 1)))
	})
	s.Count("units", s.Succeeded(errs, stock.ErrInsufficient), 10)
	suite.Same(s, "available", s.item(sku(1)).Available(), 0)
}

// changesShareIDs uses the number of one kind of change for the others.
func changesShareIDs(s *scene) {
	s.fill(100, sku(1), pool(1, 7))
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5))))
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 5))))
	move := stock.TransferLeg{SKU: 1, To: 7, Num: 5}
	s.No(suite.Err(s.inv.Transfer(s.Context(), "move", move)))
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "in", units(1, 5))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "move", units(1, 5))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Restock(s.Context(), "out", units(1, 5))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Restock(s.Context(), "move", stock.Line{SKU: 1, Activity: 7, Num: 5})), stock.ErrMismatch)
	for _, id := range []string{"in", "out"} {
		s.Is(suite.Err(s.inv.Transfer(s.Context(), id, move)), stock.ErrMismatch)
	}
	// A mismatch comes before what the items say.
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "in", units(9, 1))), stock.ErrMismatch)
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 1_000_000))), stock.ErrMismatch)
	s.counts(sku(1), stock.Quantities{Total: 95, Left: 95})
	s.counts(pool(1, 7), stock.Quantities{Total: 105, Left: 105})

	errs := suite.Together(12, func(i int) (err error) {
		switch i % 3 {
		case 0:
			return suite.Err(s.inv.Restock(s.Context(), "contested", units(1, 5)))
		case 1:
			return suite.Err(s.inv.Withdraw(s.Context(), "contested", units(1, 5)))
		}
		return suite.Err(s.inv.Transfer(s.Context(), "contested", move))
	})
	s.Count("calls of the kind that won", s.Succeeded(errs, stock.ErrMismatch), 4)
}

func transfer(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.define(pool(1, 7), 0, stock.Terms{})
	s.define(pool(1, 8), 5, stock.Terms{})
	s.define(sku(2), 10, stock.Terms{})
	s.define(pool(2, 7), 0, stock.Terms{})
	moves := []stock.TransferLeg{{SKU: 2, From: 0, To: 7, Num: 4}, {SKU: 1, From: 0, To: 7, Num: 30}}
	for _, again := range []bool{false, true} {
		got := suite.Must(s.inv.Transfer(s.Context(), "begin", moves...))
		suite.Same(s, "transfer", got, stock.ChangeOutcome{ID: "begin", Moves: moves, Replay: again})
	}
	s.counts(sku(1), stock.Quantities{Total: 70, Left: 70})
	s.counts(pool(1, 7), stock.Quantities{Total: 30, Left: 30})
	s.counts(pool(2, 7), stock.Quantities{Total: 4, Left: 4})
	s.lock("a", stock.Line{SKU: 1, Activity: 7, Num: 28})
	s.unchanged(sku(1), func() { // what is locked does not go
		s.shortage(suite.Err(s.inv.Transfer(s.Context(), "back", stock.TransferLeg{SKU: 1, From: 7, To: 8, Num: 3})), pool(1, 7), 3, 2)
	})
	s.No(suite.Err(s.inv.Transfer(s.Context(), "back", stock.TransferLeg{SKU: 1, From: 7, To: 8, Num: 2})))
	s.counts(pool(1, 7), stock.Quantities{Total: 28, Locked: 28, Left: 28})
	s.counts(pool(1, 8), stock.Quantities{Total: 7, Left: 7})

	s.Advance(hold) // what is dead does
	s.No(suite.Err(s.inv.Transfer(s.Context(), "home", stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: 28})))
	s.counts(sku(1), stock.Quantities{Total: 98, Left: 98})
}

func transferAllOrNone(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(pool(1, 7), 0, stock.Terms{})
	s.define(sku(2), 3, stock.Terms{})
	s.define(pool(2, 7), 0, stock.Terms{})
	s.define(sku(3), 0, stock.Terms{Unlimited: true})
	s.define(pool(3, 7), 0, stock.Terms{})
	good := stock.TransferLeg{SKU: 1, To: 7, Num: 5}
	move := func(other stock.TransferLeg) error {
		return suite.Err(s.inv.Transfer(s.Context(), "move", good, other))
	}
	s.unchanged(sku(1), func() {
		s.unchanged(pool(1, 7), func() {
			s.shortage(move(stock.TransferLeg{SKU: 2, To: 7, Num: 4}), sku(2), 4, 3)
			s.itemRefuses(move(stock.TransferLeg{SKU: 2, To: 9, Num: 1}), pool(2, 9), stock.ErrUnknownSKU)
			s.itemRefuses(move(stock.TransferLeg{SKU: 9, To: 7, Num: stock.Rest}), sku(9), stock.ErrUnknownSKU)
			for _, num := range []int64{1, stock.Rest} {
				s.itemRefuses(move(stock.TransferLeg{SKU: 3, To: 7, Num: num}), sku(3), stock.ErrUnlimited)
				s.Is(move(stock.TransferLeg{SKU: 3, From: 7, To: 0, Num: num}), stock.ErrUnlimited)
			}
		})
	})
	s.No(suite.Err(s.inv.Transfer(s.Context(), "move", good)))
}

func transferMismatch(s *scene) {
	s.fill(100, sku(1), pool(1, 7), pool(1, 8), sku(2), pool(2, 7))
	s.No(suite.Err(s.inv.Transfer(s.Context(), "move", stock.TransferLeg{SKU: 1, To: 7, Num: 5})))
	s.No(suite.Err(s.inv.Transfer(s.Context(), "rest", stock.TransferLeg{SKU: 1, From: 8, To: 7, Num: stock.Rest})))
	for id, moves := range map[string][]stock.TransferLeg{
		"move": {
			{SKU: 1, To: 7, Num: 6}, {SKU: 1, To: 7, Num: stock.Rest}, {SKU: 1, To: 8, Num: 5},
			{SKU: 1, From: 7, To: 0, Num: 5}, {SKU: 2, To: 7, Num: 5},
		},
		"rest": {{SKU: 1, From: 8, To: 7, Num: 100}, {SKU: 1, From: 7, To: 8, Num: stock.Rest}, {SKU: 1, From: 8, To: 0, Num: stock.Rest}},
	} {
		for _, move := range moves {
			s.Is(suite.Err(s.inv.Transfer(s.Context(), id, move)), stock.ErrMismatch)
		}
	}
	_, err := s.inv.Transfer(s.Context(), "move", stock.TransferLeg{SKU: 1, To: 7, Num: 5}, stock.TransferLeg{SKU: 2, To: 7, Num: 5})
	s.Is(err, stock.ErrMismatch)
	s.counts(sku(1), stock.Quantities{Total: 95, Left: 95})
	s.counts(pool(1, 7), stock.Quantities{Total: 205, Left: 205})
	s.counts(pool(1, 8), stock.Quantities{})
}

func transferRest(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.define(pool(1, 7), 20, stock.Terms{})
	line := func(n int64) stock.Line { return stock.Line{SKU: 1, Activity: 7, Num: n} }
	s.buy("sold", line(3))
	s.lock("dead", line(5))
	s.Advance(hold)
	s.lock("live", line(4))
	home := stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest}
	want := home
	want.Num = 13
	for range 2 {
		suite.Same(s, "moves", suite.Must(s.inv.Transfer(s.Context(), "end", home)).Moves, []stock.TransferLeg{want})
		s.Advance(hold) // what comes free later is not part of the first time
	}
	s.state("dead", stock.Expired)
	s.counts(sku(1), stock.Quantities{Total: 113, Left: 113})
	for _, num := range []int64{4, 0} { // the live one has died; then there is nothing
		got := suite.Must(s.inv.Transfer(s.Context(), fmt.Sprint("later ", num), home))
		want.Num = num
		suite.Same(s, "moves", got.Moves, []stock.TransferLeg{want})
	}
	suite.Same(s, "moves", suite.Must(s.inv.Transfer(s.Context(), "later 0", home)).Moves, []stock.TransferLeg{want})
	s.counts(pool(1, 7), stock.Quantities{Total: 3, Sold: 3})
	s.counts(sku(1), stock.Quantities{Total: 117, Left: 117})
	got := suite.Must(s.inv.Transfer(s.Context(), "out again", stock.TransferLeg{SKU: 1, From: 0, To: 7, Num: stock.Rest}))
	suite.Same(s, "moves", got.Moves, []stock.TransferLeg{{SKU: 1, From: 0, To: 7, Num: 117}})
	s.counts(pool(1, 7), stock.Quantities{Total: 120, Sold: 3, Left: 117})
}

// transferRestOnce ends an activity by its time, an operator and a removal, all at once.
func transferRestOnce(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.define(pool(1, 7), 20, stock.Terms{})
	s.define(sku(2), 100, stock.Terms{})
	s.define(pool(2, 7), 30, stock.Terms{})
	s.lock("a", stock.Line{SKU: 1, Activity: 7, Num: 8})
	moved := make([]stock.ChangeOutcome, 32)
	s.Each(suite.Together(len(moved), func(i int) (err error) {
		moved[i], err = s.inv.Transfer(s.Context(), "end of 7",
			stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest}, stock.TransferLeg{SKU: 2, From: 7, To: 0, Num: stock.Rest})
		return err
	}))
	suite.Once(s, "transfer", moved)
	for _, got := range moved {
		suite.Same(s, "moves", got.Moves, []stock.TransferLeg{{SKU: 1, From: 7, To: 0, Num: 12}, {SKU: 2, From: 7, To: 0, Num: 30}})
	}
	s.counts(sku(1), stock.Quantities{Total: 112, Left: 112})
	s.counts(sku(2), stock.Quantities{Total: 130, Left: 130})
	s.counts(pool(1, 7), stock.Quantities{Total: 8, Locked: 8, Left: 8})
	s.counts(pool(2, 7), stock.Quantities{})
}

// transferRestTraffic ends an activity while its buyers lock and cancel.
func transferRestTraffic(s *scene) {
	s.define(sku(1), 0, stock.Terms{})
	s.define(pool(1, 7), 200, stock.Terms{})
	moved := make([]stock.ChangeOutcome, 40)
	errs := suite.Together(len(moved), func(i int) (err error) {
		if i%10 == 9 {
			moved[i], err = s.inv.Transfer(s.Context(), "end of 7", stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest})
			return err
		}
		if _, err = s.inv.Lock(s.Context(), strconv.Itoa(i), stock.Line{SKU: 1, Activity: 7, Num: 2}); err == nil && i%2 == 0 {
			_, err = s.inv.Cancel(s.Context(), strconv.Itoa(i))
		}
		return err
	})
	s.Succeeded(errs, stock.ErrInsufficient)
	for i := 9; i < len(moved); i += 10 {
		s.No(errs[i])
		suite.Same(s, "moves", moved[i].Moves, moved[9].Moves)
	}
	suite.Same(s, "units moved", s.item(sku(1)).Total, moved[9].Moves[0].Num)
	suite.Same(s, "units kept", s.item(pool(1, 7)).Total, 200-moved[9].Moves[0].Num)
}

func transferOpposite(s *scene) {
	s.fill(100, sku(1), pool(1, 7))
	s.Each(suite.Together(64, func(i int) error {
		move := stock.TransferLeg{SKU: 1, From: 0, To: 7, Num: 1}
		if i%2 == 1 {
			move.From, move.To = move.To, move.From
		}
		return suite.Err(s.inv.Transfer(s.Context(), strconv.Itoa(i), move))
	}))
	s.counts(sku(1), stock.Quantities{Total: 100, Left: 100})
	s.counts(pool(1, 7), stock.Quantities{Total: 100, Left: 100})
}
