package coupontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

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
	s.raceForOne(func(int) string { return "5" }, coupon.ErrPerBuyer, coupon.ErrSoldOut)
}

func raceManyBuyers(s *scene) {
	s.raceForOne(func(i int) string { return fmt.Sprint(i + 1) }, coupon.ErrSoldOut)
}

// raceForOne has a crowd of buyers claim the one coupon that there is.
func (s *scene) raceForOne(buyer func(i int) string, told ...error) {
	s.Helper()
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	errs := suite.Together(crowdSize, func(i int) error {
		return suite.Err(s.shop.For(buyer(i)).Claim(s.Context(), strconv.Itoa(i), 1))
	})
	s.Count("claims", s.Succeeded(errs, told...), 1)
	s.counts(stock.Quantities{Total: 1, Sold: 1})
	for i, err := range errs {
		if err == nil {
			suite.Same(s, "buyer", s.coupon(strconv.Itoa(i)).Buyer, buyer(i))
			s.Count("coupons", len(suite.Listed(s, s.shop.For(buyer(i)).Wallet(s.Context()))), 1)
		} else {
			s.unclaimed(strconv.Itoa(i))
		}
	}
}

func raceOneNumber(s *scene) {
	s.define(1, 1, coupon.Rules{PerBuyer: 1}, tenOff())
	got := make([]coupon.Coupon, crowdSize)
	s.Each(suite.Together(crowdSize, func(i int) (err error) {
		got[i], err = s.shop.For("5").Claim(s.Context(), "c", 1)
		return err
	}))
	suite.Once(s, "coupon", got)
	suite.Same(s, "coupon", got[0], s.coupon("c"))
	s.counts(stock.Quantities{Total: 1, Sold: 1})
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

func raceManyCodes(s *scene) {
	const many = 200
	codes := numbered("CODE", many)
	s.pool(codes...)
	ids := numbered("c", many+20)
	errs := suite.Together(len(ids), func(i int) error {
		return suite.Err(s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), ids[i], 1))
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

func raceRedeem(s *scene)  { s.crowdUses(s.shop.Redeem, coupon.ErrRedeemed, coupon.UseRedeemed) }
func raceReserve(s *scene) { s.crowdUses(s.shop.Reserve, coupon.ErrReserved, coupon.UseReserved) }

// crowdUses has a hundred orders use one coupon: it is the one's that is told so.
func (s *scene) crowdUses(
	use func(ctx context.Context, id, order string, total decimal.Decimal) (coupon.Use, error), told error, state coupon.UseState,
) {
	s.Helper()
	s.open(10)
	s.claim("c", "5")
	errs := suite.Together(100, func(i int) error { return suite.Err(use(s.Context(), "c", strconv.Itoa(i), dec("100"))) })
	s.Count("uses", s.Succeeded(errs, told), 1)
	winner := strconv.Itoa(slices.IndexFunc(errs, func(err error) bool { return err == nil }))
	suite.Same(s, "order of the coupon", s.coupon("c").Order, winner)
	uses := s.usesOf("c")
	s.Count("uses", len(uses), 1)
	suite.Same(s, "order of the use", uses[0].Order, winner)
	suite.Same(s, "state of the use", uses[0].State, state)
}

// raceImport hands codes out while they come in.
func raceImport(s *scene) {
	s.pool()
	codes := numbered("CODE", 120)
	ids := numbered("c", 40)
	errs := suite.Together(52, func(i int) error {
		if i >= 40 {
			part := codes[(i-40)*10 : (i-40)*10+10]
			return suite.Err(s.shop.Import(s.Context(), 1, slices.Values(part)))
		}
		return suite.Err(s.shop.For(fmt.Sprint(i+1)).Claim(s.Context(), ids[i], 1))
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

// A duel is two calls about one coupon that exclude each other.
type duel struct {
	before        func(id string, round int)
	first, second func(id string) error
	told          []error    // what the losers are
	ends          [2]raceEnd // where the first has won, and where the second has
}

// A raceEnd is how a coupon stands, and the use of it by order A; the zero state is no coupon.
type raceEnd struct {
	state coupon.State
	use   coupon.UseState
}

// fight lets both calls of a duel meet, four times each, in some rounds: one of them wins, and every call of it is told so.
func (s *scene) fight(d duel) {
	s.Helper()
	s.open(100)
	var sold, refunded int64
	for round := range rounds {
		id := strconv.Itoa(round)
		d.before(id, round)
		errs := suite.Meet(8, func() error { return d.first(id) }, func() error { return d.second(id) })
		s.Count("calls that were told yes", s.Succeeded(errs, d.told...), 4)
		end := d.ends[0]
		if errs[0] != nil {
			end = d.ends[1]
		}
		switch end.state {
		case coupon.None:
			s.unclaimed(id)
		case coupon.Refunded, coupon.Revoked:
			refunded++
		case coupon.Usable, coupon.Reserved, coupon.Redeemed:
			sold++
		default: // it never was, or is no more
		}
		if end.state != coupon.None {
			s.state(id, end.state)
			s.used(id, "A", end.use)
		}
	}
	s.counts(stock.Quantities{Total: 100, Sold: sold, Left: 100 - sold, Refunded: refunded})
}

// The calls of duels.
func (s *scene) claims(id string, _ int) { s.Helper(); s.claim(id, "5") }
func (s *scene) revokes(id string) error {
	return suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "revocation " + id, Coupon: id, Restock: true}))
}

func (s *scene) refunds(id string) error {
	return suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "refund " + id, Coupon: id, Restock: true}))
}
func (s *scene) redeems(id string) error {
	return suite.Err(s.shop.Redeem(s.Context(), id, "A", dec("100")))
}
func (s *scene) reserves(id string) error {
	return suite.Err(s.shop.Reserve(s.Context(), id, "A", dec("100")))
}
func (s *scene) releases(id string) error { return suite.Err(s.shop.Release(s.Context(), id, "A")) }
func (s *scene) cancels(id string) error  { return suite.Err(s.shop.Cancel(s.Context(), id)) }

func raceRevoke(s *scene) {
	s.fight(duel{
		before: s.claims, first: s.revokes, second: s.redeems, told: []error{coupon.ErrRevoked, coupon.ErrRedeemed},
		ends: [2]raceEnd{{coupon.Revoked, coupon.Unused}, {coupon.Redeemed, coupon.UseRedeemed}},
	})
}

func raceRefund(s *scene) {
	s.fight(duel{
		before: s.claims, first: s.refunds, second: s.reserves, told: []error{coupon.ErrRefunded, coupon.ErrReserved},
		ends: [2]raceEnd{{coupon.Refunded, coupon.Unused}, {coupon.Reserved, coupon.UseReserved}},
	})
}

func raceRefundRevoke(s *scene) {
	s.fight(duel{
		before: s.claims, first: s.refunds, second: s.revokes, told: []error{coupon.ErrRefunded, coupon.ErrRevoked},
		ends: [2]raceEnd{{coupon.Refunded, coupon.Unused}, {coupon.Revoked, coupon.Unused}},
	})
}

func raceRedeemRelease(s *scene) {
	s.fight(duel{
		before: func(id string, round int) {
			s.claim(id, "5")
			if round%2 == 0 {
				s.reserve(id, "A")
			}
		},
		first: s.redeems, second: s.releases, told: []error{coupon.ErrReleased, coupon.ErrRedeemed},
		ends: [2]raceEnd{{coupon.Redeemed, coupon.UseRedeemed}, {coupon.Usable, coupon.UseReleased}},
	})
}

func racePay(s *scene) {
	s.fight(duel{
		before: func(id string, _ int) { s.lock(id, "5") },
		first:  func(id string) error { return suite.Err(s.shop.Pay(s.Context(), id)) }, second: s.cancels,
		told: []error{coupon.ErrPaid, coupon.ErrCancelled},
		ends: [2]raceEnd{{coupon.Usable, coupon.Unused}, {coupon.Dropped, coupon.Unused}},
	})
}

func raceClaimCancel(s *scene) {
	s.fight(duel{
		before: func(string, int) {},
		first:  func(id string) error { return suite.Err(s.shop.For("5").Claim(s.Context(), id, 1)) }, second: s.cancels,
		told: []error{coupon.ErrPaid, coupon.ErrCancelled},
		ends: [2]raceEnd{{coupon.Usable, coupon.Unused}, {}},
	})
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
