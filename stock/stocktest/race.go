package stocktest

import (
	"fmt"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func raceCases() []testCase {
	return []testCase{
		{Name: "RacePayAgainstCancel", Run: racePayCancel},
		{Name: "RacePayAgainstCancelAgainstExpireOfADeadHold", Run: raceDead},
		{Name: "RaceLatePaymentsForTheLastUnits", Run: raceLatePayments},
		{Name: "RaceRefundsAgainstRedeem", Run: raceRefundRedeem},
		{Name: "RaceLockAgainstCancel", Run: raceLockCancel},
		{Name: "RaceShortenAgainstPay", Run: raceShortenPay},
	}
}

// rounds is how often a race is run, each time on orders of its own.
const rounds = 16

// racePayCancel lets payments and cancellations of one order meet: one kind wins, and the
// other is told so.
func racePayCancel(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	paid := int64(0)
	for round := range rounds {
		order := strconv.Itoa(round)
		s.lock(order, units(1, 2))
		errs := suite.Meet(8,
			func() error { return suite.Err(s.inv.Pay(s.Context(), order)) },
			func() error { return suite.Err(s.inv.Cancel(s.Context(), order)) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, stock.ErrPaid, stock.ErrCancelled), 4)
		h := s.holdOf(order)
		for i, err := range errs {
			if won := (i%2 == 0) == (h.State == stock.Paid); (err == nil) != won {
				s.Fatalf("order is %v, call %d said %v", h.State, i, err)
			}
		}
		if h.State == stock.Paid {
			paid += 2
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: paid, Left: 1000 - paid})
}

// raceDead lets everybody who may notice a dead hold notice it at once: it is released once.
func raceDead(s *scene) {
	s.define(sku(1), 4, stock.Terms{})
	s.define(sku(2), 100, stock.Terms{})
	for round := range rounds {
		order := strconv.Itoa(round)
		s.lock(order, units(1, 4), units(2, 3))
		s.Advance(hold)
		released := make([]int, 12)
		errs := suite.Together(12, func(i int) (err error) {
			switch i % 6 {
			case 0:
				_, err = s.inv.Pay(s.Context(), order)
			case 1:
				_, err = s.inv.Cancel(s.Context(), order)
			case 2:
				released[i], err = s.inv.Expire(s.Context())
			case 3:
				_, err = s.inv.Lock(s.Context(), fmt.Sprint("next ", round), units(1, 4))
			case 4:
				_, err = s.inv.Refund(s.Context(), stock.Refund{ID: order, Order: order})
			case 5:
				_, err = s.inv.Redeem(s.Context(), order)
			}
			return err
		})
		for i, err := range errs {
			if i%6 == 2 || i%6 == 3 {
				s.No(err)
			} else {
				s.Is(err, stock.ErrExpired)
			}
		}
		if sum := released[2] + released[8]; sum > 1 {
			s.Fatalf("released %d times", sum)
		}
		s.state(order, stock.Expired)
		s.counts(sku(1), stock.Quantities{Total: 4, Locked: 4, Left: 4})
		s.counts(sku(2), stock.Quantities{Total: 100, Left: 100})
		s.No(suite.Err(s.inv.Cancel(s.Context(), fmt.Sprint("next ", round))))
	}
}

// raceLatePayments has ten orders that all come back late for three orders' worth of units.
func raceLatePayments(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.define(sku(1), 20, stock.Terms{})
	for i := range 10 {
		s.lock(strconv.Itoa(i), units(1, 2))
	}
	s.Advance(hold)
	s.buy("other", units(1, 13))
	errs := suite.Together(20, func(i int) error {
		_, err := s.inv.Pay(s.Context(), strconv.Itoa(i/2)) // each delivered twice
		return err
	})
	s.Count("payments", s.Succeeded(errs, stock.ErrInsufficient), 6)
	s.counts(sku(1), stock.Quantities{Total: 20, Sold: 19, Left: 1})
}

// raceRefundRedeem hands an order over while it is refunded, by an inventory that forbids a
// refund of what was handed over.
func raceRefundRedeem(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	for round := range rounds {
		order := strconv.Itoa(round)
		s.buy(order, units(1, 2))
		errs := suite.Meet(8,
			func() error {
				return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: order, Order: order, Restock: true}))
			},
			func() error { return suite.Err(s.inv.Redeem(s.Context(), order)) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, stock.ErrRedeemed, stock.ErrRefunded), 4)
		if state := s.holdOf(order).State; (state == stock.Refunded) != (errs[0] == nil) {
			s.Fatalf("order is %v, the refund said %v", state, errs[0])
		}
	}
}

// raceLockCancel lets a cancellation overtake its Lock, or not: either way nothing stays held.
func raceLockCancel(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	for round := range rounds {
		order := strconv.Itoa(round)
		errs := suite.Meet(8,
			func() error { return suite.Err(s.inv.Lock(s.Context(), order, units(1, 2))) },
			func() error { return suite.Err(s.inv.Cancel(s.Context(), order)) },
		)
		for i, err := range errs {
			if err != nil && i%2 == 1 {
				s.Fatalf("cancel: %v", err)
			}
		}
		s.Succeeded(errs, stock.ErrCancelled)
		s.state(order, stock.Cancelled)
		s.counts(sku(1), stock.Quantities{Total: 1000, Left: 1000})
	}
}

// raceShortenPay ends a hold at once while it is paid.
func raceShortenPay(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	sold := int64(0)
	for round := range rounds {
		order := strconv.Itoa(round)
		h := s.lock(order, units(1, 2))
		errs := suite.Meet(4,
			func() error { return suite.Err(s.inv.Pay(s.Context(), order)) },
			func() error { return suite.Err(s.inv.Shorten(s.Context(), order, h.LockedAt)) },
		)
		s.Succeeded(errs, stock.ErrPaid, stock.ErrExpired)
		if errs[0] == nil {
			sold += 2
			s.state(order, stock.Paid)
		} else {
			s.state(order, stock.Expired)
		}
		if (errs[0] == nil) != (errs[2] == nil) {
			s.Fatalf("two payments of one order: %v, %v", errs[0], errs[2])
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: sold, Left: 1000 - sold})
}
