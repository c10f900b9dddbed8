package stocktest

import (
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// lockUntilOver has a Lock whose hold would be dead from the beginning, by the store's clock.
func lockUntilOver(s *scene) {
	s.fill(10, sku(1), sku(2))
	lines := []stock.Line{units(1, 2), units(2, 1)}
	for n, lines := range [][]stock.Line{lines[:1], lines} {
		order := strconv.Itoa(n)
		for _, until := range []time.Time{s.now(), s.now().Add(-time.Hour)} {
			s.inState(suite.Err(s.inv.Until(until).Lock(s.Context(), order, lines...)), order, stock.Unheld, stock.ErrExpired)
			s.unheld(order)
			s.Is(suite.Err(s.inv.Until(until).For("5").Lock(s.Context(), order, lines...)), stock.ErrExpired)
			s.usage("5", sku(1), stock.Usage{})
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	s.shortage(suite.Err(s.inv.Until(s.now()).Lock(s.Context(), "0", units(1, 11))), sku(1), 11, 10) // what the item refuses comes first
	s.Is(suite.Err(s.inv.Until(s.now()).Lock(s.Context(), "0", units(9, 1))), stock.ErrUnknownSKU)

	until := s.now().Add(time.Microsecond)
	h, err := s.inv.Until(until).Lock(s.Context(), "0", lines...) // a refused order may be locked
	s.No(err)
	s.SameTime("deadline", h.Deadline, until)
	replay, err := s.inv.Until(s.now()).Lock(s.Context(), "0", lines...) // and what is known of it comes before
	s.No(err)
	suite.Replays(s, "replay", replay, h)
	s.pay("0")
	s.Advance(hold)
	suite.Same(s, "state", suite.Must(s.inv.Until(until).Lock(s.Context(), "0", lines...)).State, stock.Paid)
	s.No(suite.Err(s.inv.Until(until).Take(s.Context(), "taken", units(1, 1)))) // what is sold at once has no deadline
}

// lockUntilOverCrowd has every other order of a crowd be too late: the others are not in its way.
func lockUntilOverCrowd(s *scene) {
	s.define(sku(1), 20, stock.Terms{})
	now := s.now()
	errs := suite.Together(40, func(i int) error {
		return suite.Err(s.inv.Until(now.Add(time.Duration(i%2)*time.Minute)).Lock(s.Context(), strconv.Itoa(i), units(1, 1)))
	})
	for i, err := range errs {
		switch {
		case i%2 == 1:
			s.No(err)
		case !suite.Matches(err, stock.ErrExpired, stock.ErrInsufficient):
			s.Fatalf("order %d, which is too late: %v", i, err)
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 20, Locked: 20, Left: 20})
}
