package coupontest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func raceCases() []testCase {
	return []testCase{
		{Name: "OneBuyerClaimsOneOfOne", Run: raceOneBuyer},
		{Name: "OneNumberIsOneClaim", Run: raceOneNumber},
		{Name: "ManyBuyersClaimOneOfOne", Run: raceManyBuyers},
		{Name: "ClaimsPerBuyerAreLimitedAtOnce", Run: racePerBuyer},
		{Name: "ThreeClaimsTakeThreeCodes", Run: raceThreeCodes},
		{Name: "TwoHundredClaimsTakeTwoHundredCodes", Run: raceManyCodes},
		{Name: "PaymentsGetDifferentCodes", Run: racePaidCodes},
		{Name: "OneOrderRedeemsACoupon", Run: raceRedeem},
		{Name: "OneOrderReservesACoupon", Run: raceReserve},
		{Name: "RaceRevokeAgainstRedeem", Run: raceRevoke},
		{Name: "RaceRefundAgainstReserve", Run: raceRefund},
		{Name: "RaceRefundAgainstRevoke", Run: raceRefundRevoke},
		{Name: "RaceImportAgainstClaim", Run: raceImport},
		{Name: "RaceReserveAgainstReleaseOfOneOrder", Run: raceRelease},
		{Name: "RaceRedeemAgainstReleaseOfOneOrder", Run: raceRedeemRelease},
		{Name: "RaceReturnAgainstTheNextRedeem", Run: raceReturn},
		{Name: "RaceALapsedReservation", Run: raceLapsed},
		{Name: "RacePayAgainstCancel", Run: racePay},
		{Name: "RaceClaimAgainstCancel", Run: raceClaimCancel},
		{Name: "RaceReplaysOfEveryVerb", Run: raceReplays},
	}
}

// rounds is how often a race is run, each time with coupons of its own.
const rounds = 16

// crowdSize is how many meet at once.
const crowdSize = 64

func raceOneBuyer(s *scene) {
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	errs := suite.Together(crowdSize, func(i int) error {
		_, err := s.shop.For("5").Claim(s.Context(), strconv.Itoa(i), 1)
		return err
	})
	s.Count("claims", s.Succeeded(errs, coupon.ErrPerBuyer, coupon.ErrSoldOut), 1)
	s.counts(stock.Quantities{Total: 1, Sold: 1})
	s.Count("coupons", len(suite.Listed(s, s.shop.For("5").Wallet(s.Context()))), 1)
}

func raceOneNumber(s *scene) {
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	got := make([]coupon.Coupon, crowdSize)
	s.Each(suite.Together(crowdSize, func(i int) (err error) {
		got[i], err = s.shop.For("5").Claim(s.Context(), "c", 1)
		return err
	}))
	for _, c := range got {
		suite.Same(s, "coupon", c, s.coupon("c"))
	}
	s.counts(stock.Quantities{Total: 1, Sold: 1})
}

func raceManyBuyers(s *scene) {
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	errs := suite.Together(crowdSize, func(i int) error {
		_, err := s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), strconv.Itoa(i), 1)
		return err
	})
	s.Count("claims", s.Succeeded(errs, coupon.ErrSoldOut), 1)
	s.counts(stock.Quantities{Total: 1, Sold: 1})
	for i, err := range errs {
		if err == nil {
			suite.Same(s, "buyer", s.coupon(strconv.Itoa(i)).Buyer, fmt.Sprint(i+1))
		} else {
			s.unclaimed(strconv.Itoa(i))
		}
	}
}

func racePerBuyer(s *scene) {
	s.define(1, 100, coupon.Rules{PerBuyer: 3}, tenOff())
	errs := suite.Together(crowdSize, func(i int) (err error) {
		buyer := s.shop.For(fmt.Sprint(i%2 + 1))
		if i%4 < 2 {
			_, err = buyer.Claim(s.Context(), strconv.Itoa(i), 1)
		} else {
			_, err = buyer.Lock(s.Context(), strconv.Itoa(i), 1)
		}
		return err
	})
	s.Count("claims", s.Succeeded(errs, coupon.ErrPerBuyer), 6)
}

// codesOf returns the codes that coupons have, and ends the test if two have the same, or one none.
func (s *scene) codesOf(ids []string) []string {
	s.Helper()
	var codes []string
	for _, id := range ids {
		c := s.state(id, coupon.Usable)
		if c.Code == "" || slices.Contains(codes, c.Code) {
			s.Fatalf("coupon %q has the code %q, the others have %q", id, c.Code, codes)
		}
		codes = append(codes, c.Code)
		suite.Same(s, "coupon by its code", suite.Must(s.shop.ByCode(s.Context(), c.Code)).ID, id)
	}
	slices.Sort(codes)
	return codes
}

func raceThreeCodes(s *scene) {
	codes := []string{"C1", "C2", "C3"}
	s.pool(codes...)
	ids := numbered("c", 3)
	s.Each(suite.Together(3, func(i int) error {
		_, err := s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), ids[i], 1)
		return err
	}))
	suite.Same(s, "codes", s.codesOf(ids), codes)
	s.Is(suite.Err(s.shop.For("9").Claim(s.Context(), "fourth", 1)), coupon.ErrSoldOut)
}

func raceManyCodes(s *scene) {
	const many = 200
	codes := numbered("CODE", many)
	s.pool(codes...)
	ids := numbered("c", many+20)
	errs := suite.Together(len(ids), func(i int) error {
		_, err := s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), ids[i], 1)
		return err
	})
	s.Count("claims", s.Succeeded(errs, coupon.ErrSoldOut), many)
	var given []string
	for i, err := range errs {
		if err == nil {
			given = append(given, ids[i])
		}
	}
	slices.Sort(codes)
	suite.Same(s, "codes", s.codesOf(given), codes)
	s.counts(stock.Quantities{Total: many, Sold: many})
}

// racePaidCodes pays, claims and issues at once.
func racePaidCodes(s *scene) {
	codes := numbered("CODE", 60)
	s.pool(codes...)
	ids := numbered("c", 40)
	for _, id := range ids[:20] {
		s.lock(id, "5")
	}
	s.Each(suite.Together(44, func(i int) (err error) {
		switch {
		case i < 20:
			_, err = s.shop.Pay(s.Context(), ids[i])
		case i < 40:
			_, err = s.shop.For("5").Claim(s.Context(), ids[i], 1)
		default:
			_, err = s.shop.Issue(s.Context(), gift(fmt.Sprint("b", i), buyers(1, 5)...))
		}
		return err
	}))
	for i := 40; i < 44; i++ {
		for _, buyer := range buyers(1, 5) {
			ids = append(ids, gifted(fmt.Sprint("b", i), buyer))
		}
	}
	slices.Sort(codes)
	suite.Same(s, "codes", s.codesOf(ids), codes)
}

func raceRedeem(s *scene) {
	s.open(10)
	s.claim("c", "5")
	errs := suite.Together(100, func(i int) error {
		_, err := s.shop.Redeem(s.Context(), "c", strconv.Itoa(i), dec("100"))
		return err
	})
	s.Count("uses", s.Succeeded(errs, coupon.ErrRedeemed), 1)
	s.wonBy("c", errs, coupon.UseRedeemed)
	s.progress(coupon.Count{Redeemed: 1})
}

// wonBy ends the test unless the one order of a crowd that was told yes has the coupon.
func (s *scene) wonBy(id string, errs []error, state coupon.UseState) {
	s.Helper()
	winner := strconv.Itoa(slices.IndexFunc(errs, func(err error) bool { return err == nil }))
	suite.Same(s, "order of the coupon", s.coupon(id).Order, winner)
	uses := s.usesOf(id)
	s.Count("uses", len(uses), 1)
	suite.Same(s, "order of the use", uses[0].Order, winner)
	suite.Same(s, "state of the use", uses[0].State, state)
}

func raceReserve(s *scene) {
	s.open(10)
	s.claim("c", "5")
	errs := suite.Together(100, func(i int) error {
		_, err := s.shop.Reserve(s.Context(), "c", strconv.Itoa(i), dec("100"))
		return err
	})
	s.Count("reservations", s.Succeeded(errs, coupon.ErrReserved), 1)
	s.wonBy("c", errs, coupon.UseReserved)
}

func raceRevoke(s *scene) {
	s.open(100)
	revoked := int64(0)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		errs := suite.Meet(8,
			func() error {
				return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: id, Coupon: id, Restock: true}))
			},
			func() error { return suite.Err(s.shop.Redeem(s.Context(), id, "A", dec("100"))) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrRevoked, coupon.ErrRedeemed), 4)
		if errs[0] == nil {
			revoked++
			s.state(id, coupon.Revoked)
			s.used(id, "A", coupon.Unused)
		} else {
			s.state(id, coupon.Redeemed)
		}
	}
	s.counts(stock.Quantities{Total: 100, Sold: rounds - revoked, Left: 100 - rounds + revoked, Refunded: revoked})
}

func raceRefund(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		errs := suite.Meet(8,
			func() error {
				return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: id, Coupon: id, Restock: true}))
			},
			func() error { return suite.Err(s.shop.Reserve(s.Context(), id, "A", dec("100"))) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrRefunded, coupon.ErrReserved), 4)
		if errs[0] == nil {
			s.state(id, coupon.Refunded)
			s.used(id, "A", coupon.Unused)
		} else {
			s.state(id, coupon.Reserved)
			s.used(id, "A", coupon.UseReserved)
		}
	}
}

func raceRefundRevoke(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		errs := suite.Meet(8,
			func() error {
				return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "refund " + id, Coupon: id, Restock: true}))
			},
			func() error {
				return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "revocation " + id, Coupon: id, Restock: true}))
			},
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrRefunded, coupon.ErrRevoked), 4)
		want := coupon.Refunded
		if errs[0] != nil {
			want = coupon.Revoked
		}
		s.state(id, want)
	}
	s.counts(stock.Quantities{Total: 100, Left: 100, Refunded: rounds})
}

// raceImport hands codes out while they come in.
func raceImport(s *scene) {
	s.pool()
	codes := numbered("CODE", 120)
	ids := numbered("c", 40)
	errs := suite.Together(52, func(i int) error {
		if i >= 40 {
			part := codes[(i-40)*10 : (i-40)*10+10]
			_, err := s.shop.Import(s.Context(), 1, slices.Values(part))
			return err
		}
		_, err := s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), ids[i], 1)
		return err
	})
	s.Succeeded(errs, coupon.ErrSoldOut) // who came too early comes again
	for i, id := range ids {
		s.claim(id, fmt.Sprint(i+1))
	}
	s.codesOf(ids)
	s.counts(stock.Quantities{Total: 120, Sold: 40, Left: 80})
}

func raceRelease(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		errs := suite.Meet(8,
			func() error { return suite.Err(s.shop.Reserve(s.Context(), id, "A", dec("100"))) },
			func() error { return suite.Err(s.shop.Release(s.Context(), id, "A")) },
		)
		s.Succeeded(errs, coupon.ErrReleased)
		for i := 1; i < len(errs); i += 2 {
			s.No(errs[i])
		}
		s.used(id, "A", coupon.UseReleased)
		s.state(id, coupon.Usable)
	}
}

func raceRedeemRelease(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		if round%2 == 0 {
			s.reserve(id, "A")
		}
		errs := suite.Meet(8,
			func() error { return suite.Err(s.shop.Redeem(s.Context(), id, "A", dec("100"))) },
			func() error { return suite.Err(s.shop.Release(s.Context(), id, "A")) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrReleased, coupon.ErrRedeemed), 4)
		if errs[0] == nil {
			s.state(id, coupon.Redeemed)
			s.used(id, "A", coupon.UseRedeemed)
		} else {
			s.state(id, coupon.Usable)
			s.used(id, "A", coupon.UseReleased)
		}
	}
}

// raceReturn has an order give a coupon back again and again while another one takes it.
func raceReturn(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		s.redeem(id, "A")
		errs := suite.Meet(8,
			func() error { return suite.Err(s.shop.Return(s.Context(), id, "A", dec("90"))) },
			func() error { return suite.Err(s.shop.Redeem(s.Context(), id, "B", dec("100"))) },
		)
		for i, err := range errs {
			if err != nil && (i%2 == 0 || !errors.Is(err, coupon.ErrRedeemed)) {
				s.Fatalf("call %d: %v", i, err)
			}
		}
		s.used(id, "A", coupon.UseReturned)
		s.redeem(id, "B") // by now, if not before
		suite.Same(s, "order", s.state(id, coupon.Redeemed).Order, "B")
	}
}

// raceLapsed lets everybody take a coupon whose reservation has lapsed, its order among them.
func raceLapsed(s *scene) {
	s.open(100)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.claim(id, "5")
		s.reserve(id, "0")
		s.Advance(reserve)
		errs := suite.Together(9, func(i int) (err error) {
			order := strconv.Itoa(i / 3)
			switch i % 3 {
			case 0:
				_, err = s.shop.Reserve(s.Context(), id, order, dec("100"))
			case 1:
				_, err = s.shop.Redeem(s.Context(), id, order, dec("100"))
			case 2:
				_, err = s.shop.Refund(s.Context(), coupon.Refund{ID: id, Coupon: id})
			}
			return err
		})
		s.Succeeded(errs, coupon.ErrReserved, coupon.ErrRedeemed, coupon.ErrRefunded)
		c := s.coupon(id)
		for i, err := range errs {
			won := c.State == coupon.Refunded && i%3 == 2 || c.State != coupon.Refunded && i%3 != 2 && c.Order == strconv.Itoa(i/3)
			if (err == nil) != won {
				s.Fatalf("coupon is %v of %q, call %d said %v", c.State, c.Order, i, err)
			}
		}
	}
}

func racePay(s *scene) {
	s.open(100)
	paid := int64(0)
	for round := range rounds {
		id := strconv.Itoa(round)
		s.lock(id, "5")
		errs := suite.Meet(8,
			func() error { return suite.Err(s.shop.Pay(s.Context(), id)) },
			func() error { return s.shop.Cancel(s.Context(), id) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrPaid, coupon.ErrCancelled), 4)
		if errs[0] == nil {
			paid++
			s.state(id, coupon.Usable)
		} else {
			s.state(id, coupon.Dropped)
		}
	}
	s.counts(stock.Quantities{Total: 100, Sold: paid, Left: 100 - paid})
}

func raceClaimCancel(s *scene) {
	s.open(100)
	given := int64(0)
	for round := range rounds {
		id := strconv.Itoa(round)
		errs := suite.Meet(8,
			func() error { return suite.Err(s.shop.For("5").Claim(s.Context(), id, 1)) },
			func() error { return s.shop.Cancel(s.Context(), id) },
		)
		s.Count("calls that were told yes", s.Succeeded(errs, coupon.ErrPaid, coupon.ErrCancelled), 4)
		if errs[0] == nil {
			given++
			s.state(id, coupon.Usable)
		} else {
			s.unclaimed(id)
		}
	}
	s.counts(stock.Quantities{Total: 100, Sold: given, Left: 100 - given})
}

// raceReplays makes each call of a whole journey eight times at once.
func raceReplays(s *scene) {
	for _, step := range changing(s.Context(), s.shop) {
		errs := suite.Together(8, func(int) error { return step.Do() })
		for _, err := range errs {
			if err != nil {
				s.Fatalf("%s: %v", step.Name, err)
			}
		}
	}
	s.journeyEnd()
}
