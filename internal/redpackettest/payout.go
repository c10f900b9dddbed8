package redpackettest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func payoutCases() []testCase {
	return []testCase{
		{Name: "FailedPayoutStaysWithWhoGrabbed", Run: failedStays},
		{Name: "FailedPayoutIsDueAgainAfterLongerAndLongerPauses", Run: failedPauses},
		{Name: "FailedPayoutIsNoPartOfWhatGoesBack", Run: failedNotReturned},
		{Name: "UnknownOutcomeStaysPending", Run: unknownStays},
		{Name: "PaidOutTwiceIsOncePaid", Run: paidTwice},
		{Name: "PaidOutAtOnceIsOncePaid", Run: paidAtOnce},
		{Name: "PayoutFailedAfterItWasPaid", Run: failedAfterPaid},
		{Name: "PayoutPaidAgainstFailed", Run: paidAgainstFailed},
		{Name: "PayoutFailuresAtOnceAreAllCounted", Run: failuresAtOnce},
		{Name: "PayoutWhatWasLeftIsPaidLikeAShare", Run: remainderPaid},
		{Name: "PayoutThatIsUnknownIsRefused", Run: unknownPayout},
		{Name: "PayoutReasonsAreKeptAsTheyCanBe", Run: reasons},
		{Name: "PayoutsAreListedByWhenTheyAreDue", Run: payoutsListed},
		{Name: "PayoutsThatFailDuringTheListingComeLater", Run: payoutsFailing},
	}
}

// failedStays has the payout of a share fail while the packet goes on, finishes, and after that.
func failedStays(s *scene) {
	s.open(equal(1, 10, 3))
	share := s.grab(1, anna)
	at := s.now()
	want := redpacket.Payout{
		Number: share.Payout, Packet: 1, No: 1, Person: anna, Amount: fen(4), DueAt: at, CreatedAt: at,
	}
	suite.Same(s, "payout", s.payout(1, 1), want)
	suite.Same(s, "payouts", s.pending(), []redpacket.Payout{want})
	s.Advance(time.Second)
	want.Failures, want.Reason, want.DueAt = 1, "no account", s.now().Add(time.Minute)
	suite.Same(s, "payout that failed", s.failed(1, 1, "no account"), want)
	suite.Same(s, "payout", s.payout(1, 1), want)
	s.Count("payouts that are due", len(s.pending()), 0)
	suite.Replays(s, "share", s.grab(1, anna), share) // nothing has become of it
	s.holds(1, 1, 4, 6)
	suite.Same(s, "other shares", s.grabs(1, ben, carol), []int64{3, 3})
	s.refused(1, dan, redpacket.ErrFinished)
	s.Advance(time.Minute)
	suite.Same(s, "payout that is due again", s.pending()[2], want)
	want.Paid, want.PaidAt = true, s.now()
	suite.Same(s, "payout that was paid", s.paidOut(1, 1), want)
	suite.Same(s, "payout", s.payout(1, 1), want)
	share.Paid = true
	suite.Replays(s, "share", s.grab(1, anna), share)
	suite.Same(s, "shares", s.shares(1)[0], share)
	suite.Same(s, "best luck", s.packet(1, redpacket.Finished).Best, &share)
}

func failedPauses(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	s.packets = s.with(redpacket.Options{RetryIn: time.Hour})
	for n, hours := range []int64{1, 2, 4, 8, 16, 24, 24, 24} {
		pause := time.Duration(hours) * time.Hour
		got := s.failed(1, 1, fmt.Sprint("reason ", n))
		suite.Same(s, "failures", got.Failures, int64(n+1))
		suite.Same(s, "reason", got.Reason, fmt.Sprint("reason ", n))
		s.SameTime("due", got.DueAt, s.now().Add(pause))
		s.Advance(pause - time.Microsecond)
		s.Count("payouts that are due too soon", len(s.pending()), 0)
		s.Advance(time.Microsecond)
		suite.Same(s, "payouts that are due", s.pending(), []redpacket.Payout{got})
	}
	// It may also fail before it is due again, and another process may have other pauses.
	s.failed(1, 1, "")
	s.packets = s.with(redpacket.Options{RetryIn: time.Microsecond})
	suite.Same(s, "failures", s.failed(1, 1, "").Failures, 10)
	s.SameTime("due", s.payout(1, 1).DueAt, s.now().Add(512*time.Microsecond))
	for range 60 { // for as long as it takes until doubling would overflow
		s.failed(1, 1, "")
	}
	s.SameTime("due", s.payout(1, 1).DueAt, s.now().Add(24*time.Hour))
}

func failedNotReturned(s *scene) {
	s.open(equal(1, 10, 2))
	s.open(equal(2, 10, 2))
	for id := int64(1); id <= 2; id++ {
		s.grab(id, anna)
		s.failed(id, 1, "no account")
	}
	s.close(1, redpacket.Closed)
	s.Advance(24 * time.Hour)
	s.expire(1)
	for id := int64(1); id <= 2; id++ {
		s.goesBack(id, 5)
		p := s.payout(id, 1)
		suite.Same(s, "person", p.Person, anna)
		suite.Same(s, "amount", p.Amount, fen(5))
		suite.Same(s, "paid", s.paidOut(id, 1).Paid, true)
		s.holds(id, 1, 5, 5)
	}
	s.Count("payouts that are due", len(s.pending()), 2)
}

// unknownStays reports nothing of a payout: it is listed for ever, under the same number.
func unknownStays(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	want := s.pending()
	for range 5 {
		s.Advance(30 * 24 * time.Hour)
		suite.Same(s, "payouts", s.pending(), want)
	}
	s.expire(1)
	suite.Same(s, "the payout of the share", s.pending()[0], want[0])
	s.Count("payouts", len(s.pending()), 2)
}

func paidTwice(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	s.Advance(time.Second)
	want := s.paidOut(1, 1)
	s.SameTime("paid", want.PaidAt, s.now())
	for range 3 {
		s.Advance(time.Hour)
		s.unchanged(1, func() { suite.Replays(s, "replay", s.paidOut(1, 1), want) })
	}
	s.Count("payouts that are due", len(s.pending()), 0)
	s.holds(1, 1, s.minor(want.Amount), 100-s.minor(want.Amount))
}

func paidAtOnce(s *scene) {
	s.open(random(1, 1000, rounds))
	for no := range int64(rounds) {
		s.grab(1, fmt.Sprint(100+no))
		got := make([]redpacket.Payout, 6)
		s.Each(suite.Together(len(got), func(i int) (err error) {
			got[i], err = s.packets.PaidOut(s.Context(), redpacket.PayoutNumber(1, no+1))
			return err
		}))
		suite.Once(s, "payout", got)
		s.Advance(time.Second)
	}
	s.Count("payouts that are due", len(s.pending()), 0)
}

func failedAfterPaid(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	s.failed(1, 1, "first")
	want := s.paidOut(1, 1)
	suite.Same(s, "failures", want.Failures, 1)
	s.unchanged(1, func() {
		_, err := s.packets.PayoutFailed(s.Context(), want.Number, "second")
		s.only(err, redpacket.ErrPaidOut)
		suite.Same(s, "typed error", *suite.As[*redpacket.PayoutError](s, err), redpacket.PayoutError{
			Number: want.Number, Err: redpacket.ErrPaidOut,
		})
	})
	suite.Same(s, "payout", s.payout(1, 1), want)
}

func paidAgainstFailed(s *scene) {
	s.open(random(1, 1000, rounds))
	for no := range int64(rounds) {
		s.grab(1, fmt.Sprint(100+no))
		number := redpacket.PayoutNumber(1, no+1)
		errs := suite.Meet(6,
			func() error { return suite.Err(s.packets.PaidOut(s.Context(), number)) },
			func() error { return suite.Err(s.packets.PayoutFailed(s.Context(), number, "no")) },
		)
		failures := s.Succeeded(errs, redpacket.ErrPaidOut) - 3
		p := s.payout(1, no+1)
		suite.Same(s, "paid", p.Paid, true)
		suite.Same(s, "failures", p.Failures, int64(failures))
		for i := 0; i < len(errs); i += 2 {
			s.No(errs[i])
		}
	}
}

func failuresAtOnce(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	s.Each(suite.Together(10, func(int) error {
		return suite.Err(s.packets.PayoutFailed(s.Context(), redpacket.PayoutNumber(1, 1), "no"))
	}))
	p := s.payout(1, 1)
	suite.Same(s, "failures", p.Failures, 10)
	s.SameTime("due", p.DueAt, s.now().Add(512*time.Minute))
}

func remainderPaid(s *scene) {
	s.open(random(1, 100, 3))
	s.close(1, redpacket.Closed)
	suite.Same(s, "payouts", s.pending(), []redpacket.Payout{s.goesBack(1, 100)})
	suite.Same(s, "failures", s.failed(1, 0, "no account").Failures, 1)
	s.Count("payouts that are due", len(s.pending()), 0)
	want := s.paidOut(1, 0)
	s.Advance(time.Hour)
	suite.Replays(s, "replay", s.paidOut(1, 0), want)
	s.Count("payouts that are due", len(s.pending()), 0)
	s.Count("shares", len(s.shares(1)), 0)
	s.only(suite.Err(s.packets.For(sender).Share(s.Context(), 1)), redpacket.ErrUnknownShare)
}

// unknownPayout asks for what nobody is owed.
func unknownPayout(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	for _, number := range []string{redpacket.PayoutNumber(1, 0), redpacket.PayoutNumber(1, 2), redpacket.PayoutNumber(2, 1),
		redpacket.PayoutNumber(1<<62, 1<<62)} {
		for name, call := range map[string]func() (redpacket.Payout, error){
			"Payout":       func() (redpacket.Payout, error) { return s.packets.Payout(s.Context(), number) },
			"PaidOut":      func() (redpacket.Payout, error) { return s.packets.PaidOut(s.Context(), number) },
			"PayoutFailed": func() (redpacket.Payout, error) { return s.packets.PayoutFailed(s.Context(), number, "no") },
		} {
			s.unchanged(1, func() {
				_, err := call()
				if err == nil {
					s.Fatalf("%s(%q) was accepted", name, number)
				}
				s.only(err, redpacket.ErrUnknownPayout)
				suite.Same(s, "typed error", *suite.As[*redpacket.PayoutError](s, err), redpacket.PayoutError{
					Number: number, Err: redpacket.ErrUnknownPayout,
				})
			})
		}
	}
}

// reasons reports what banks say: nothing, any script, too much, and no text at all.
func reasons(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	long := strings.Repeat("红", redpacket.MaxReason)
	for _, c := range []struct{ reason, want string }{
		{"", ""}, {" ", " "}, {"红包 🧧 à la carte\n'\"\\%_`", "红包 🧧 à la carte\n'\"\\%_`"}, {"\x00", "\x00"},
		{long, long[:redpacket.MaxReason/3*3]},
		{strings.Repeat("x", redpacket.MaxReason+1), strings.Repeat("x", redpacket.MaxReason)},
		{"a\xff\xfeb", "a\uFFFDb"},
	} {
		suite.Same(s, "reason", s.failed(1, 1, c.reason).Reason, c.want)
		suite.Same(s, "reason", s.payout(1, 1).Reason, c.want)
	}
}

// payoutsListed has more payouts than a listing reads at a time, many of them due at one moment, and some
// that are paid or put off.
func payoutsListed(s *scene) {
	const people = 260
	for id := int64(1); id <= 2; id++ {
		s.open(equal(id, 1000, 500))
	}
	grab := func(from, to int) {
		s.Helper()
		s.Each(suite.Crowd(to-from, 16, func(i int) error {
			return suite.Err(s.packets.For(fmt.Sprint(1000+from+i)).Grab(s.Context(), int64(i%2+1)))
		}))
	}
	grab(0, people-40)
	s.Advance(time.Microsecond)
	grab(people-40, people)
	for no := int64(1); no <= 20; no++ {
		s.paidOut(1, no)
		s.failed(2, no, "no")
	}
	listed := s.pending()
	s.Count("payouts that are due", len(listed), people-40)
	byDue := func(a, b redpacket.Payout) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Packet, b.Packet), cmp.Compare(a.No, b.No))
	}
	if !slices.IsSortedFunc(listed, byDue) {
		s.Fatal("the payouts are out of order")
	}
	s.Count("different payouts", len(slices.CompactFunc(slices.Clone(listed),
		func(a, b redpacket.Payout) bool { return a.Number == b.Number })), people-40)
	for _, stop := range []int{1, 200, 201} {
		n := 0
		for _, err := range s.packets.Payouts(s.Context()) {
			s.No(err)
			if n++; n == stop {
				break
			}
		}
		s.Count("payouts", n, stop)
	}
	s.Advance(time.Minute)
	s.Count("payouts that are due in a minute", len(s.pending()), people-20)
}

// payoutsFailing reports each payout while the listing goes on: every one of them comes once.
func payoutsFailing(s *scene) {
	const people = 230
	s.open(equal(1, 1000, 500))
	s.Each(suite.Crowd(people, 16, func(i int) error { return suite.Err(s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), 1)) }))
	n := 0
	for p, err := range s.packets.Payouts(s.Context()) {
		s.No(err)
		if n++; p.No%2 == 0 {
			s.failed(1, p.No, "no")
		} else {
			s.paidOut(1, p.No)
		}
	}
	s.Count("payouts", n, people)
	s.Count("payouts that are due", len(s.pending()), 0)
	s.Advance(time.Minute)
	s.Count("payouts that are due again", len(s.pending()), people/2)
}
