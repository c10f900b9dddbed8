package coupontest

import (
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func useCases() []testCase {
	return []testCase{
		{Name: "ReserveIsForOneOrder", Run: reserveForOne},
		{Name: "ReservationLapsesAtItsDeadline", Run: reservationLapses},
		{Name: "LapsedReservationIsRenewedByItsOrder", Run: lapsedRenewed},
		{Name: "RedeemFromReserved", Run: redeemReserved},
		{Name: "RedeemAtOnce", Run: redeemAtOnce},
		{Name: "ReservedBeforeTheEndIsHonoured", Run: reservedBeforeEnd},
		{Name: "ReturnMakesACouponUsableOnce", Run: returnOnce},
		{Name: "ReturnAfterTheEndLeavesACouponExpired", Run: returnAfterEnd},
		{Name: "ReleaseFreesWhatIsReserved", Run: releaseReserved},
		{Name: "PartialRefundRestoresNothing", Run: partialRefund},
		{Name: "MinimumIsCheckedAgain", Run: minimumAgain},
		{Name: "UseAgainReturnsTheUse", Run: useAgain},
		{Name: "UseWithAnotherTotalIsAMismatch", Run: useOtherTotal},
		{Name: "UseReleaseBeforeReserveIsForEver", Run: releaseFirst},
		{Name: "UseReleaseOfALapsedReservation", Run: releaseLapsed},
		{Name: "UseReleaseOfWhatIsUsedIsRefused", Run: releaseUsed},
		{Name: "UseReturnOfWhatIsNotUsedIsRefused", Run: returnUnused},
	}
}

func reserveForOne(s *scene) {
	s.open(10)
	s.claim("c", "5")
	now := s.now()
	want := coupon.Use{
		Coupon: "c", Order: "A", State: coupon.UseReserved, Places: 2, Total: dec("100"), Discount: dec("10"),
		Deadline: now.Add(reserve), CreatedAt: now, UpdatedAt: now,
	}
	suite.Same(s, "use", s.reserve("c", "A"), want)
	s.Advance(time.Minute)
	suite.Replays(s, "use again", s.reserve("c", "A"), want)
	suite.Same(s, "use read again", s.use("c", "A"), want)
	c := s.state("c", coupon.Reserved)
	s.SameTime("deadline", c.Deadline, want.Deadline)
	s.status("c", coupon.StatusReserved)
	s.progress(coupon.Count{Reserved: 1})
	s.onlyOrderA(c, coupon.ErrReserved)
}

// onlyOrderA ends the test unless the one coupon that was claimed is that of order A, and another order is told so.
func (s *scene) onlyOrderA(c coupon.Coupon, told error) {
	s.Helper()
	suite.Same(s, "order", c.Order, "A")
	s.unchanged("c", func() {
		s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "B", dec("100"))), told)
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "B", dec("100"))), told)
	})
	s.used("c", "B", coupon.Unused)
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func reservationLapses(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	s.Advance(reserve - time.Microsecond)
	s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "B", dec("100"))), coupon.ErrReserved)
	s.progress(coupon.Count{Reserved: 1})
	s.Advance(time.Microsecond)
	s.status("c", coupon.StatusUsable) // nobody has swept
	s.progress(coupon.Count{Usable: 1})
	s.reserve("c", "B")
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "B")
	s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("100"))), coupon.ErrReserved)
	s.redeem("c", "B")
	s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("100"))), coupon.ErrRedeemed)

	short := s.with(coupon.Options{ReserveFor: time.Microsecond})
	s.claim("d", "5")
	s.SameTime("deadline", suite.Must(short.Reserve(s.Context(), "d", "A", dec("100"))).Deadline, s.now().Add(time.Microsecond))
}

func lapsedRenewed(s *scene) {
	s.open(10)
	s.claim("c", "5")
	first := s.reserve("c", "A")
	s.Advance(reserve)
	suite.Same(s, "lapsed", s.use("c", "A").Lapsed(s.now()), true)
	again, err := s.shop.Reserve(s.Context(), "c", "A", dec("70")) // of a new reservation the total may be another
	s.No(err)
	s.SameTime("deadline", again.Deadline, s.now().Add(reserve))
	s.SameTime("created", again.CreatedAt, first.CreatedAt)
	s.sameAmount("total", again.Total, "70")
	s.Advance(reserve)
	u := s.redeem("c", "A") // lapsed once more, and still free
	suite.Same(s, "state", u.State, coupon.UseRedeemed)
	s.SameTime("redeemed", u.RedeemedAt, s.now())
	s.Count("uses", len(s.usesOf("c")), 1)
}

// usesOf returns the uses of a coupon.
func (s *scene) usesOf(id string) []coupon.Use {
	s.Helper()
	h := suite.Must(s.shop.History(s.Context(), id))
	return h.Uses
}

func redeemReserved(s *scene) {
	s.open(10)
	s.claim("c", "5")
	want := s.reserve("c", "A")
	s.Advance(time.Minute)
	now := s.now()
	want.State, want.RedeemedAt, want.UpdatedAt = coupon.UseRedeemed, now, now
	suite.Same(s, "use", s.redeem("c", "A"), want)
	s.Advance(1000 * day)
	suite.Replays(s, "use again", s.redeem("c", "A"), want)
	suite.Same(s, "use read again", s.use("c", "A"), want)
	c := s.state("c", coupon.Redeemed)
	suite.Same(s, "deadline", c.Deadline, time.Time{})
	s.status("c", coupon.StatusUsed)
	s.progress(coupon.Count{Redeemed: 1})
	s.onlyOrderA(c, coupon.ErrRedeemed)
}

func redeemAtOnce(s *scene) {
	s.open(10)
	s.claim("c", "5")
	now := s.now()
	want := coupon.Use{
		Coupon: "c", Order: "A", State: coupon.UseRedeemed, Places: 2, Total: dec("100"), Discount: dec("10"),
		Deadline: now, CreatedAt: now, RedeemedAt: now, UpdatedAt: now,
	}
	suite.Same(s, "use", s.redeem("c", "A"), want)
	s.Advance(time.Minute)
	suite.Replays(s, "use again", s.redeem("c", "A"), want)
	suite.Replays(s, "reserved after it was used", s.reserve("c", "A"), want)
	s.progress(coupon.Count{Redeemed: 1})
}

func reservedBeforeEnd(s *scene) {
	end := s.now().Add(day)
	s.define(1, 10, coupon.Rules{}, until(tenOff(), end))
	for _, id := range []string{"honoured", "lapsed", "free"} {
		s.claim(id, "5")
	}
	s.Advance(day - time.Microsecond)
	s.reserve("honoured", "A")
	s.reserve("lapsed", "A")
	s.Advance(reserve - time.Microsecond)
	s.status("honoured", coupon.StatusReserved)
	s.progress(coupon.Count{Reserved: 2, Expired: 1})
	_, err := s.shop.Redeem(s.Context(), "free", "A", dec("100"))
	s.Is(err, coupon.ErrExpired)
	s.redeem("honoured", "A")
	s.Advance(time.Microsecond)
	for _, call := range []func() error{
		func() error { return suite.Err(s.shop.Redeem(s.Context(), "lapsed", "A", dec("100"))) },
		func() error { return suite.Err(s.shop.Reserve(s.Context(), "lapsed", "A", dec("100"))) },
		func() error { return suite.Err(s.shop.Reserve(s.Context(), "lapsed", "B", dec("100"))) },
	} {
		err := call()
		s.Is(err, coupon.ErrExpired)
		validity := suite.As[*coupon.ValidityError](s, err)
		s.SameTime("until", validity.Until, end)
		s.SameTime("now", validity.Now, s.now())
	}
	s.status("lapsed", coupon.StatusExpired)
	s.progress(coupon.Count{Redeemed: 1, Expired: 2})
}

func returnOnce(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.redeem("c", "A")
	s.Advance(time.Minute)
	want := s.use("c", "A")
	want.State, want.UpdatedAt = coupon.UseReturned, s.now()
	suite.Same(s, "use", s.giveBack("c", "A"), want)
	c := s.state("c", coupon.Usable)
	suite.Same(s, "order", c.Order, "")
	s.progress(coupon.Count{Usable: 1})
	s.reserve("c", "B")
	s.redeem("c", "B")
	s.unchanged("c", func() { suite.Replays(s, "returned twice", s.giveBack("c", "A"), want) })
	suite.Same(s, "order", s.state("c", coupon.Redeemed).Order, "B")
	s.unchanged("c", func() { // it is over for that order
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("100"))), coupon.ErrReturned)
		s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", dec("100"))), coupon.ErrReturned)
	})
	s.giveBack("c", "B")
	suite.Same(s, "history", s.usesOf("c"), []coupon.Use{want, s.use("c", "B")})
	s.counts(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func returnAfterEnd(s *scene) {
	s.define(1, 10, coupon.Rules{}, until(tenOff(), s.now().Add(day)))
	s.claim("c", "5")
	s.redeem("c", "A")
	s.Advance(day)
	s.giveBack("c", "A")
	s.status("c", coupon.StatusExpired)
	s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "B", dec("100"))), coupon.ErrExpired)
	s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "B", dec("100"))), coupon.ErrExpired)
	s.progress(coupon.Count{Expired: 1})
}

func releaseReserved(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	s.Advance(time.Minute)
	want := s.use("c", "A")
	want.State, want.UpdatedAt = coupon.UseReleased, s.now()
	suite.Same(s, "use", s.release("c", "A"), want)
	s.Advance(time.Minute)
	s.unchanged("c", func() { suite.Replays(s, "released twice", s.release("c", "A"), want) })
	c := s.state("c", coupon.Usable)
	suite.Same(s, "order", c.Order, "")
	s.progress(coupon.Count{Usable: 1})
	for range 2 {
		s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", dec("100"))), coupon.ErrReleased)
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("100"))), coupon.ErrReleased)
		s.reserve("c", "B")
	}
	s.unchanged("c", func() { s.release("c", "A") }) // which leaves B alone
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "B")
}

func partialRefund(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.redeem("c", "A")
	for _, refunded := range []string{"0", "0.01", "89.99"} {
		s.unchanged("c", func() {
			_, err := s.shop.Return(s.Context(), "c", "A", dec(refunded))
			s.Is(err, coupon.ErrPartial)
			partial := suite.As[*coupon.PartialError](s, err)
			s.sameAmount("refunded", partial.Refunded, refunded)
			s.sameAmount("paid", partial.Paid, "90")
		})
	}
	s.state("c", coupon.Redeemed)
	s.No(suite.Err(s.shop.Return(s.Context(), "c", "A", dec("90"))))
	s.state("c", coupon.Usable)
	s.No(suite.Err(s.shop.Return(s.Context(), "c", "A", dec("90.00"))))
}

// minimumAgain changes the cart between the reservation and the payment.
func minimumAgain(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	s.unchanged("c", func() {
		_, err := s.shop.Redeem(s.Context(), "c", "A", dec("49.99"))
		s.Is(err, coupon.ErrBelowMinimum)
		below := suite.As[*coupon.MinimumError](s, err)
		s.sameAmount("minimum", below.Minimum, "50")
		s.sameAmount("total", below.Total, "49.99")
	})
	s.state("c", coupon.Reserved)
	u := suite.Must(s.shop.Redeem(s.Context(), "c", "A", dec("50")))
	s.sameAmount("total", u.Total, "50")
	s.sameAmount("discount", u.Discount, "10")
	suite.Same(s, "use", s.use("c", "A"), u)
	s.claim("d", "5")
	s.Is(suite.Err(s.shop.Reserve(s.Context(), "d", "A", dec("49.99"))), coupon.ErrBelowMinimum)
	s.Is(suite.Err(s.shop.Redeem(s.Context(), "d", "A", dec("49.99"))), coupon.ErrBelowMinimum)
	s.used("d", "A", coupon.Unused)
	s.state("d", coupon.Usable)
}

// useAgain makes every call again, whatever the coupon has been through since.
func useAgain(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	redeemed := s.redeem("c", "A")
	suite.Replays(s, "reserved again", s.reserve("c", "A"), redeemed)
	returned := s.giveBack("c", "A")
	s.reserve("c", "B")
	released := s.release("c", "B")
	s.redeem("c", "C")
	s.giveBack("c", "C")
	s.refund("r", "c")
	s.Advance(1000 * day)
	s.unchanged("c", func() {
		suite.Replays(s, "returned again", s.giveBack("c", "A"), returned)
		suite.Replays(s, "released again", s.release("c", "B"), released)
	})
	s.claim("d", "5")
	used := s.redeem("d", "A")
	s.Advance(1000 * day)
	s.rules(coupon.Rules{Closed: true}, tenOff())
	s.unchanged("d", func() { suite.Replays(s, "redeemed again", s.redeem("d", "A"), used) })
}

func useOtherTotal(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	s.unchanged("c", func() {
		for _, total := range []string{"100.01", "99", "10"} {
			s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", dec(total))), coupon.ErrMismatch)
		}
		_, err := s.shop.Reserve(s.Context(), "c", "A", dec("100.00")) // the same total, written in another way
		s.No(err)
	})
	u := suite.Must(s.shop.Redeem(s.Context(), "c", "A", dec("120")))
	s.sameAmount("total", u.Total, "120")
	s.unchanged("c", func() {
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("130"))), coupon.ErrMismatch)
	})
}

// releaseFirst gives a coupon up for orders that have not asked for it yet: their calls come too late.
func releaseFirst(s *scene) {
	s.open(10)
	s.claim("c", "5")
	now := s.now()
	want := coupon.Use{Coupon: "c", Order: "A", State: coupon.UseReleased, Places: 2, Deadline: now, CreatedAt: now, UpdatedAt: now}
	for _, replay := range []bool{false, true} {
		want.Replay = replay
		suite.Same(s, "use", s.release("c", "A"), want)
		s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", dec("100"))), coupon.ErrReleased)
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("100"))), coupon.ErrReleased)
		s.Advance(1000 * time.Hour)
	}
	s.state("c", coupon.Usable)
	s.claim("d", "5")
	s.reserve("d", "A") // another coupon
	s.redeem("d", "A")
	s.claim("e", "5")
	s.reserve("e", "B")
	s.release("e", "A")
	suite.Same(s, "order", s.state("e", coupon.Reserved).Order, "B")
	s.redeem("e", "B")
	s.release("e", "C")
	suite.Same(s, "order", s.state("e", coupon.Redeemed).Order, "B")
}

func releaseLapsed(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.reserve("c", "A")
	s.Advance(reserve)
	s.reserve("c", "B")
	s.release("c", "A")
	s.used("c", "A", coupon.UseReleased)
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "B")
	s.Advance(reserve)
	s.release("c", "B")
	s.used("c", "B", coupon.UseReleased)
	s.status("c", coupon.StatusUsable)
	for _, order := range []string{"A", "B"} {
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", order, dec("100"))), coupon.ErrReleased)
	}
	s.redeem("c", "C")
}

func releaseUsed(s *scene) {
	s.open(10)
	s.claim("c", "5")
	s.redeem("c", "A")
	s.unchanged("c", func() {
		s.Is(suite.Err(s.shop.Release(s.Context(), "c", "A")), coupon.ErrRedeemed)
	})
	s.giveBack("c", "A")
	s.unchanged("c", func() {
		s.Is(suite.Err(s.shop.Release(s.Context(), "c", "A")), coupon.ErrReturned)
	})
	s.Is(suite.Err(s.shop.Release(s.Context(), "unknown", "A")), coupon.ErrNotFound)
	s.used("unknown", "A", coupon.Unused)
}

func returnUnused(s *scene) {
	s.open(10)
	s.claim("c", "5")
	refused := func(order string) {
		s.Helper()
		s.unchanged("c", func() {
			for _, refunded := range []string{"0", "100"} {
				_, err := s.shop.Return(s.Context(), "c", order, dec(refunded))
				s.Is(err, coupon.ErrNotRedeemed)
				s.IsNot(err, coupon.ErrPartial)
			}
		})
	}
	refused("A")
	s.reserve("c", "A")
	refused("A")
	refused("B")
	s.release("c", "A")
	refused("A")
	s.redeem("c", "B")
	refused("C")
	s.Is(suite.Err(s.shop.Return(s.Context(), "unknown", "A", dec("100"))), coupon.ErrNotFound)
}
