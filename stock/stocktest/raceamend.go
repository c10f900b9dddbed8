package stocktest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func raceAmendCases() []testCase {
	return []testCase{
		{Name: "RaceAmendOfTwoItemsInOppositeDirections", Run: raceSwaps},
		{Name: "RaceTheSameAmend", Run: raceSameAmend},
		{Name: "RaceAmendAgainstPayAgainstCancel", Run: raceAmendPay},
		{Name: "RaceAmendsForTheLastUnits", Run: raceAmendLast},
	}
}

// raceSwaps has 8 workers swap one item for another in orders of their own, half of them the other way: no call fails.
func raceSwaps(s *scene) {
	s.fill(100, sku(1), sku(2))
	for w := range 8 {
		s.lock(strconv.Itoa(w), units(int64(w%2+1), 2))
	}
	errs := suite.Together(8, func(w int) error {
		for n := range 20 {
			line := units(int64((w+n+1)%2+1), 2)
			a := stock.Amendment{ID: fmt.Sprint(w, "/", n), Order: strconv.Itoa(w), Lines: []stock.Line{line}}
			if _, err := s.inv.Amend(s.Context(), a); err != nil {
				return err
			}
		}
		return nil
	})
	s.Each(errs)
	s.locked(sku(1), 8)
	s.locked(sku(2), 8)
}

func raceSameAmend(s *scene) {
	s.fill(100, sku(1), sku(2))
	for round := range rounds / 2 {
		order := strconv.Itoa(round)
		s.lock(order, units(1, 2))
		a := stock.Amendment{ID: order, Order: order, Lines: []stock.Line{units(2, 3)}, Pay: round%2 == 0}
		holds := make([]stock.Hold, 6)
		s.Each(suite.Together(6, func(i int) (err error) {
			holds[i], err = s.inv.Amend(s.Context(), a)
			return err
		}))
		first := 0
		for _, h := range holds {
			if !h.Replay {
				first++
			}
		}
		s.Count("calls that did it", first, 1)
	}
	s.locked(sku(1), 0)
	s.locked(sku(2), 3*rounds/4)
}

func raceAmendPay(s *scene) {
	s.fill(1000, sku(1), sku(2))
	for round := range rounds {
		order := strconv.Itoa(round)
		s.lock(order, units(1, 2))
		errs := suite.Meet(6,
			func() error { return suite.Err(s.inv.Pay(s.Context(), order)) },
			func() error { return suite.Err(s.inv.Cancel(s.Context(), order)) },
			func() error {
				return s.amends(stock.Amendment{ID: order, Order: order, Lines: []stock.Line{units(2, 3)}})
			},
		)
		s.Succeeded(errs, stock.ErrPaid, stock.ErrCancelled)
		amended := errs[2] == nil || errs[5] == nil
		if h := s.holdOf(order); amended != slices.Equal(h.Asked(), []stock.Line{units(2, 3)}) {
			s.Fatalf("order has %v after %v", h.Asked(), errs)
		}
	}
	s.locked(sku(1), 0)
	s.locked(sku(2), 0)
}

// raceAmendLast has more orders want the last units than there are: each gets them or is told.
func raceAmendLast(s *scene) {
	s.fill(100, sku(1))
	s.fill(5, sku(2))
	for w := range 8 {
		s.lock(strconv.Itoa(w), units(1, 1))
	}
	errs := suite.Together(8, func(w int) error {
		return s.amends(stock.Amendment{ID: strconv.Itoa(w), Order: strconv.Itoa(w), Lines: []stock.Line{units(2, 2)}})
	})
	s.Count("orders that got them", s.Succeeded(errs, stock.ErrInsufficient), 2)
	for w, err := range errs {
		s.Count("units of an order", int(s.holdOf(strconv.Itoa(w)).Lines[0].Num), 2-btoi(errors.Is(err, stock.ErrInsufficient)))
	}
	s.locked(sku(1), 6)
	s.locked(sku(2), 4)
}

// btoi returns 1 for true.
func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
