package stocktest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func expiryCases() []testCase {
	return []testCase{
		{Name: "LockReleasesDeadHolds", Run: lockReleasesTheDead},
		{Name: "PayAtTheDeadlineIsTooLate", Run: payAtTheDeadline},
		{Name: "ExtendMovesTheDeadline", Run: extend},
		{Name: "ShortenMovesTheDeadline", Run: shorten},
		{Name: "ExpireLeavesPaidOrders", Run: sweepAfterPay},
		{Name: "ExpireCountsWhatItReleased", Run: expireCounts},
		{Name: "ExpireConcurrentSweepsReleaseOnce", Run: expireConcurrently},
		{Name: "ExpireGoesOnBeyondOneBatch", Run: expireManyBatches},
		{Name: "ExpireFollowsTheDeadline", Run: expireFollowsTheDeadline},
		{Name: "DeadlineIsTheSameForEveryVerb", Run: deadlineForEveryVerb},
		{Name: "DeadlineIsKeptToTheMicrosecond", Run: deadlinePrecision},
		{Name: "DeadlineFreesTheBuyersLimits", Run: deadlineFreesLimits},
		{Name: "ExtendConcurrentCallsKeepTheLatest", Run: extendConcurrently},
	}
}

func lockReleasesTheDead(s *scene) {
	s.define(sku(1), 3, stock.Terms{})
	s.define(sku(2), 9, stock.Terms{})
	s.lock("a", units(1, 3), units(2, 5))
	s.Advance(hold - time.Microsecond)
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 1))), sku(1), 1, 0)
	s.state("a", stock.Locked)
	s.Advance(time.Microsecond)
	s.lock("b", units(1, 1)) // nobody has swept
	s.state("a", stock.Expired)
	s.counts(sku(1), stock.Quantities{Total: 3, Locked: 1, Left: 3})
	s.counts(sku(2), stock.Quantities{Total: 9, Left: 9}) // with every line of the dead order
}

func payAtTheDeadline(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("in time", units(1, 2))
	s.lock("too late", units(1, 3))
	s.Advance(hold - time.Microsecond)
	s.pay("in time")
	s.Advance(time.Microsecond)
	for range 2 {
		err := suite.Err(s.inv.Pay(s.Context(), "too late"))
		s.inState(err, "too late", stock.Expired, stock.ErrExpired)
		s.IsNot(err, stock.ErrInsufficient)
		s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8}) // released by the payment, once
	}
	s.state("too late", stock.Expired)
	s.Count("released again", suite.Must(s.inv.Expire(s.Context())), 0)
}

func extend(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	longer := h.Deadline.Add(hold)
	for range 2 { // the second is a replay
		got := suite.Must(s.inv.Extend(s.Context(), "a", longer))
		s.SameTime("deadline", got.Deadline, longer)
	}
	got, err := s.inv.Extend(s.Context(), "a", h.Deadline) // never shortens
	s.No(err)
	s.SameTime("deadline", got.Deadline, longer)
	suite.Same(s, "hold", s.holdOf("a"), got)
	s.Advance(2*hold - time.Microsecond)
	s.state("a", stock.Locked)
	s.No(suite.Err(s.inv.Extend(s.Context(), "a", longer.Add(time.Microsecond)))) // at the last moment
	s.Advance(time.Microsecond)
	s.pay("a")

	s.lock("b", units(1, 2))
	s.Advance(hold)
	_, err = s.inv.Extend(s.Context(), "b", s.now().Add(hold))
	s.inState(err, "b", stock.Expired, stock.ErrExpired)                                  // which it is by then
	s.Is(suite.Err(s.inv.Extend(s.Context(), "b", s.now().Add(-hold))), stock.ErrExpired) // not even by nothing
	s.No(suite.Err(s.inv.Expire(s.Context())))
	s.inState(suite.Err(s.inv.Extend(s.Context(), "b", s.now().Add(hold))), "b", stock.Expired, stock.ErrExpired)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
}

func shorten(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	sooner := h.LockedAt.Add(time.Minute)
	for range 2 {
		got := suite.Must(s.inv.Shorten(s.Context(), "a", sooner))
		s.SameTime("deadline", got.Deadline, sooner)
	}
	got, err := s.inv.Shorten(s.Context(), "a", h.Deadline) // never extends
	s.No(err)
	s.SameTime("deadline", got.Deadline, sooner)
	s.Advance(time.Minute - time.Microsecond)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 2, Left: 10})
	s.Count("released too soon", suite.Must(s.inv.Expire(s.Context())), 0)
	s.Advance(time.Microsecond)
	s.Is(suite.Err(s.inv.Pay(s.Context(), "a")), stock.ErrExpired)

	h = s.lock("b", units(1, 2)) // a time that has passed ends it at once
	s.No(suite.Err(s.inv.Shorten(s.Context(), "b", h.LockedAt.Add(-time.Hour))))
	s.Is(suite.Err(s.inv.Pay(s.Context(), "b")), stock.ErrExpired)
	s.Is(suite.Err(s.inv.Shorten(s.Context(), "b", h.LockedAt.Add(-time.Hour))), stock.ErrExpired)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func sweepAfterPay(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 2))
	s.lock("b", units(1, 3))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "never locked")))
	s.Advance(100 * hold)
	s.Count("released", suite.Must(s.inv.Expire(s.Context())), 0)
	s.state("a", stock.Paid)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
}

func expireCounts(s *scene) {
	s.fill(100, sku(1), sku(2))
	var effects []stock.Effect
	inv := s.with(stock.Options{Hook: record(&effects)})
	s.Count("released of nothing", suite.Must(inv.Expire(s.Context())), 0)
	for i := range 5 { // an order counts once, however many lines it has
		s.lock(fmt.Sprint("a", i), units(1, 1), units(2, 1))
	}
	s.Advance(hold / 2)
	for i := range 3 {
		s.lock(fmt.Sprint("b", i), units(2, 1))
	}
	s.Advance(hold / 2)
	for _, want := range []int{5, 0} {
		s.Count("released", suite.Must(inv.Expire(s.Context())), want)
	}
	s.Count("effects", len(effects), 5)
	s.counts(sku(1), stock.Quantities{Total: 100, Left: 100})
	s.counts(sku(2), stock.Quantities{Total: 100, Locked: 3, Left: 100})
	s.Advance(hold / 2)
	s.Count("released", suite.Must(inv.Expire(s.Context())), 3)
}

func expireConcurrently(s *scene) {
	s.fill(100, sku(1), sku(2))
	for i := range 40 {
		s.lock(strconv.Itoa(i), units(1, 1), units(2, 2))
	}
	s.Advance(hold)
	released := make([]int, 8)
	s.Each(suite.Together(len(released), func(i int) (err error) {
		released[i], err = s.inv.Expire(s.Context())
		return err
	}))
	sum := 0
	for _, n := range released {
		sum += n
	}
	s.Count("released by all", sum, 40)
	s.counts(sku(1), stock.Quantities{Total: 100, Left: 100})
	s.counts(sku(2), stock.Quantities{Total: 100, Left: 100})
}

func expireManyBatches(s *scene) {
	const orders = 600
	s.define(sku(1), orders, stock.Terms{})
	s.Each(suite.Crowd(orders, 16, func(i int) error { return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), units(1, 1))) }))
	s.Advance(hold)
	s.Count("released", suite.Must(s.inv.Expire(s.Context())), orders)
	s.counts(sku(1), stock.Quantities{Total: orders, Left: orders})
}

// expireFollowsTheDeadline moves a deadline to and fro before a sweep.
func expireFollowsTheDeadline(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	sweep := func(want int) {
		s.Helper()
		s.Count("released", suite.Must(s.inv.Expire(s.Context())), want)
	}
	s.No(suite.Err(s.inv.Extend(s.Context(), "a", h.Deadline.Add(hold))))
	s.No(suite.Err(s.inv.Shorten(s.Context(), "a", h.Deadline)))
	s.No(suite.Err(s.inv.Extend(s.Context(), "a", h.Deadline.Add(2*hold))))
	s.Advance(hold)
	sweep(0)
	s.No(suite.Err(s.inv.Shorten(s.Context(), "a", h.Deadline.Add(hold))))
	s.Advance(hold - time.Microsecond)
	sweep(0)
	s.Advance(time.Microsecond)
	sweep(1)
	s.state("a", stock.Expired)
}

// deadlineForEveryVerb asks every verb about a hold that is dead and that nobody has swept
// up: the answer is the one after a sweep.
func deadlineForEveryVerb(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	verbs := map[string]func(order string) error{
		"Lock":    func(o string) error { return suite.Err(s.inv.Lock(s.Context(), o, units(1, 1))) },
		"Pay":     func(o string) error { return suite.Err(s.inv.Pay(s.Context(), o)) },
		"Cancel":  func(o string) error { return suite.Err(s.inv.Cancel(s.Context(), o)) },
		"Redeem":  func(o string) error { return suite.Err(s.inv.Redeem(s.Context(), o)) },
		"Extend":  func(o string) error { return suite.Err(s.inv.Extend(s.Context(), o, s.now().Add(hold))) },
		"Shorten": func(o string) error { return suite.Err(s.inv.Shorten(s.Context(), o, s.now())) },
		"Refund":  func(o string) error { return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: o, Order: o})) },
	}
	for name := range verbs {
		s.lock(name, units(1, 1))
	}
	s.Advance(hold)
	for range 2 {
		for name, call := range verbs {
			s.Is(call(name), stock.ErrExpired)
			s.IsNot(call(name), stock.ErrNotPaid)
		}
		s.No(suite.Err(s.inv.Expire(s.Context())))
	}
	s.counts(sku(1), stock.Quantities{Total: 100, Left: 100})
}

func deadlinePrecision(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	inv := s.with(stock.Options{HoldFor: 2*time.Microsecond + 999})
	h := suite.Must(inv.Lock(s.Context(), "a", units(1, 1)))
	s.SameTime("deadline", h.Deadline, h.LockedAt.Add(2*time.Microsecond))
	zone := time.FixedZone("elsewhere", 8*3600)
	until := h.Deadline.Add(3*time.Microsecond + 999).In(zone)
	h = suite.Must(inv.Extend(s.Context(), "a", until))
	suite.Same(s, "deadline", h.Deadline, until.UTC().Truncate(time.Microsecond))
	suite.Same(s, "hold", s.holdOf("a"), h)
	s.Advance(4 * time.Microsecond)
	s.state("a", stock.Locked)
	s.Count("released too soon", suite.Must(inv.Expire(s.Context())), 0)
	s.Advance(time.Microsecond)
	s.Is(suite.Err(inv.Pay(s.Context(), "a")), stock.ErrExpired)

	h = suite.Must(s.with(stock.Options{HoldFor: time.Microsecond}).Lock(s.Context(), "shortest", units(1, 1)))
	s.SameTime("deadline", h.Deadline, h.LockedAt.Add(time.Microsecond))
	longest := s.with(stock.Options{HoldFor: stock.MaxHoldFor})
	h = suite.Must(longest.Lock(s.Context(), "b", units(1, 1)))
	s.SameTime("deadline", h.Deadline, h.LockedAt.Add(stock.MaxHoldFor))
	s.Advance(1000 * time.Hour)
	s.pay("b")
}

func deadlineFreesLimits(s *scene) {
	s.define(sku(1), 100, stock.Terms{PerBuyer: 2})
	s.define(sku(2), 100, stock.Terms{LiveHolds: 1})
	buyer := s.inv.For("5")
	lock := func(order string) {
		s.Helper()
		s.No(suite.Err(buyer.Lock(s.Context(), order, units(1, 2))))
		s.No(suite.Err(buyer.Lock(s.Context(), order+" of the other", units(2, 2))))
	}
	lock("a")
	s.Advance(hold - time.Microsecond)
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 2))), stock.ErrPerBuyer)
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(2, 2))), stock.ErrLiveHolds)
	s.Advance(time.Microsecond)
	lock("b")
	s.usage("5", sku(1), stock.Usage{Held: 2, Holds: 1})
	s.usage("5", sku(2), stock.Usage{Held: 2, Holds: 1})
}

func extendConcurrently(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	s.Each(suite.Together(16, func(i int) error {
		return suite.Err(s.inv.Extend(s.Context(), "a", h.Deadline.Add(time.Duration(i)*time.Minute)))
	}))
	s.SameTime("deadline", s.holdOf("a").Deadline, h.Deadline.Add(15*time.Minute))
}
