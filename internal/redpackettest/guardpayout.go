package redpackettest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func guardPayoutCases() []testCase {
	return []testCase{
		{Name: "StorePaid", Run: guardPaid},
		{Name: "StoreFailed", Run: guardFailed},
		{Name: "StorePayoutsThatAreDue", Run: guardPayouts},
		{Name: "StorePayoutsBehindACursor", Run: guardCursor},
	}
}

func guardReadingCases() []testCase {
	return []testCase{
		{Name: "StoreReadingWhatIsNotThere", Run: guardNothing},
		{Name: "StoreReadingUpToALimit", Run: guardLimits},
		{Name: "StoreDue", Run: guardDue},
		{Name: "StoreBook", Run: guardBook},
	}
}

func guardPaid(s *scene) {
	s.Answers(stock.Refused)(s.Store.Paid(s.Context(), 1, 1))
	s.open(equal(1, 10, 2))
	s.grab(1, anna)
	s.Answers(stock.Refused)(s.Store.Paid(s.Context(), 1, 0))
	s.Answers(stock.Refused)(s.Store.Paid(s.Context(), 1, 2))
	s.Advance(time.Minute)
	s.Answers(stock.Done)(s.Store.Paid(s.Context(), 1, 1))
	got, there, err := s.Store.Payout(s.Context(), 1, 1)
	s.No(err)
	suite.Same(s, "payout is there", there, true)
	suite.Same(s, "payout", got, redpacket.ShareRecord{
		Packet: 1, No: 1, Person: anna, Places: 2, Money: 5, Paid: true,
		CreatedAt: s.now().Add(-time.Minute), DueAt: s.now().Add(-time.Minute), PaidAt: s.now(),
	})
	s.Advance(time.Minute)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Paid(s.Context(), 1, 1)) })
}

func guardFailed(s *scene) {
	fail := func(no, failures int64, reason string) (stock.Verdict, error) {
		return s.Store.Failed(s.Context(), 1, no, failures, reason, time.Hour)
	}
	s.Answers(stock.Refused)(fail(1, 0, "no packet"))
	s.open(equal(1, 10, 2))
	s.grab(1, anna)
	at := s.now()
	s.Answers(stock.Refused)(fail(0, 0, "no remainder"))
	s.Answers(stock.Refused)(fail(2, 0, "no share"))
	s.Answers(stock.Refused)(fail(1, 1, "has not failed"))
	s.Advance(time.Minute)
	want := redpacket.ShareRecord{Packet: 1, No: 1, Person: anna, Places: 2, Money: 5, CreatedAt: at, DueAt: at}
	for n := range int64(3) {
		s.Answers(stock.Done)(fail(1, n, "first to say so"))
		s.Answers(stock.Refused)(fail(1, n, "said so before"))
		want.Failures, want.Reason, want.DueAt = n+1, "first to say so", s.now().Add(time.Hour)
		got, _, err := s.Store.Payout(s.Context(), 1, 1)
		s.No(err)
		suite.Same(s, "payout", got, want)
		share, _, err := s.Store.Share(s.Context(), 1, anna)
		s.No(err)
		suite.Same(s, "share", share, want)
		s.Advance(time.Second)
	}
	s.Answers(stock.Done)(s.Store.Paid(s.Context(), 1, 1))
	s.unchanged(1, func() { s.Answers(stock.Refused)(fail(1, 3, "paid")) })
}

// guardPayouts looks at a payout just before it is due again, and when it is.
func guardPayouts(s *scene) {
	s.open(equal(1, 30, 3))
	s.grabs(1, anna, ben, carol)
	due := func() (numbers []int64) {
		s.Helper()
		payouts := suite.Must(s.Store.Payouts(s.Context(), redpacket.Cursor{}, 10))
		for _, p := range payouts {
			numbers = append(numbers, p.No)
		}
		return numbers
	}
	suite.Same(s, "due", due(), []int64{1, 2, 3})
	s.Answers(stock.Done)(s.Store.Failed(s.Context(), 1, 1, 0, "no", time.Hour))
	s.Answers(stock.Done)(s.Store.Paid(s.Context(), 1, 2))
	suite.Same(s, "due", due(), []int64{3})
	s.Advance(time.Hour - time.Microsecond)
	suite.Same(s, "due", due(), []int64{3})
	s.Advance(time.Microsecond)
	suite.Same(s, "due", due(), []int64{3, 1}) // what is due longest first
	s.open(equal(2, 30, 3))
	s.close(2, redpacket.Closed)
	suite.Same(s, "due", due(), []int64{3, 1, 0})
}

// guardCursor pages through payouts of three packets, of which many are due at one moment, by pages of
// every size.
func guardCursor(s *scene) {
	for id := int64(3); id >= 1; id-- {
		s.open(equal(id, 300, 10))
		for person := range int64(4) {
			s.grab(id, fmt.Sprint(100+person))
			if person == 1 {
				s.Advance(time.Microsecond)
			}
		}
	}
	s.close(2, redpacket.Closed)
	var want []redpacket.ShareRecord
	for id := int64(1); id <= 3; id++ {
		want = append(want, s.everything(id).Shares...)
	}
	want = append(want, s.everything(2).Back)
	slices.SortFunc(want, func(a, b redpacket.ShareRecord) int {
		return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Packet, b.Packet), cmp.Compare(a.No, b.No))
	})
	for size := 1; size <= len(want)+1; size++ {
		var got []redpacket.ShareRecord
		for after := (redpacket.Cursor{}); ; {
			page := suite.Must(s.Store.Payouts(s.Context(), after, size))
			if got = append(got, page...); len(page) < size || len(got) > len(want) {
				break
			}
			last := page[len(page)-1]
			after = redpacket.Cursor{DueAt: last.DueAt, Packet: last.Packet, No: last.No}
		}
		suite.Same(s, "payouts", got, want)
	}
}

func guardNothing(s *scene) {
	r, now, err := s.Store.Record(s.Context(), 1)
	s.No(err)
	suite.Same(s, "record", r, redpacket.Record{})
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		s.Fatalf("the clock says %v", now)
	}
	s.SameTime("clock", now, s.now())
	_, there, err := s.Store.Share(s.Context(), 1, anna)
	s.No(err)
	suite.Same(s, "share is there", there, false)
	_, there, err = s.Store.Payout(s.Context(), 1, 0)
	s.No(err)
	suite.Same(s, "payout is there", there, false)
	shares := suite.Must(s.Store.Shares(s.Context(), 1, 0, 10))
	s.Count("shares", len(shares), 0)
	payouts := suite.Must(s.Store.Payouts(s.Context(), redpacket.Cursor{}, 10))
	s.Count("payouts", len(payouts), 0)
	due := suite.Must(s.Store.Due(s.Context(), 10))
	s.Count("packets that are due", len(due), 0)
	records := suite.Must(s.Store.Records(s.Context(), 0, 10))
	s.Count("records", len(records), 0)
	suite.Same(s, "state of the book", suite.Must(s.Store.Book(s.Context(), 1)).State, redpacket.None)
	s.send(random(1, 100, 3))
	_, there, err = s.Store.Share(s.Context(), 1, anna)
	s.No(err)
	suite.Same(s, "share is there", there, false)
}

func guardLimits(s *scene) {
	for id := int64(5); id >= 1; id-- {
		s.open(equal(id, 100, 10))
	}
	for person := range int64(6) {
		s.grab(2, fmt.Sprint(100+person))
	}
	s.close(2, redpacket.Closed)
	ids := func(after int64, limit int) (ids []int64) {
		s.Helper()
		records := suite.Must(s.Store.Records(s.Context(), after, limit))
		for _, r := range records {
			suite.Same(s, "record", r, s.everything(r.ID).Record)
			ids = append(ids, r.ID)
		}
		return ids
	}
	suite.Same(s, "records", ids(0, 10), []int64{1, 2, 3, 4, 5})
	suite.Same(s, "records", ids(0, 2), []int64{1, 2})
	suite.Same(s, "records", ids(3, 5), []int64{4, 5})
	suite.Same(s, "records", ids(5, 5), nil)
	numbers := func(after int64, limit int) (numbers []int64) {
		s.Helper()
		shares := suite.Must(s.Store.Shares(s.Context(), 2, after, limit))
		for _, share := range shares {
			suite.Same(s, "person", share.Person, fmt.Sprint(99+share.No))
			numbers = append(numbers, share.No)
		}
		return numbers
	}
	suite.Same(s, "shares", numbers(0, 10), []int64{1, 2, 3, 4, 5, 6}) // what was left is none of them
	suite.Same(s, "shares", numbers(0, 2), []int64{1, 2})
	suite.Same(s, "shares", numbers(4, 5), []int64{5, 6})
	suite.Same(s, "shares", numbers(6, 5), nil)
	suite.Same(s, "shares", numbers(99, 5), nil)
}

func guardDue(s *scene) {
	due := func(limit int) []int64 {
		s.Helper()
		ids := suite.Must(s.Store.Due(s.Context(), limit))
		slices.Sort(ids)
		return ids
	}
	s.send(random(1, 100, 2))
	for id := int64(2); id <= 6; id++ {
		s.open(random(id, 100, 2))
	}
	s.grabs(2, anna, ben)
	s.close(3, redpacket.Closed)
	s.Advance(24*time.Hour - time.Microsecond)
	suite.Same(s, "due too soon", due(10), nil)
	s.Advance(time.Microsecond)
	s.open(random(7, 100, 2))
	suite.Same(s, "due", due(10), []int64{4, 5, 6})
	s.Count("due up to a limit", len(due(2)), 2)
	s.close(5, redpacket.Expired)
	suite.Same(s, "due", due(10), []int64{4, 6})
}

// guardBook recounts packets in several states.
func guardBook(s *scene) {
	book := func(id int64) redpacket.Book {
		s.Helper()
		b := suite.Must(s.Store.Book(s.Context(), id))
		suite.Same(s, "record in the book", b.Record, s.everything(id).Record)
		return b
	}
	counts := func(id, shares, money, remainder int64) {
		s.Helper()
		b := book(id)
		suite.Same(s, "shares, money, remainder, holds", [4]int64{b.Shares, b.Money, b.Remainder, b.Holds},
			[4]int64{shares, money, remainder, shares})
	}
	s.send(equal(1, 100, 4))
	counts(1, 0, 0, -1)
	s.confirm(1, redpacket.Open)
	s.grabs(1, anna, ben)
	s.resolved(1, carol) // a grab that was not made is none
	counts(1, 2, 50, -1)
	s.close(1, redpacket.Closed)
	s.paidOut(1, 0)
	counts(1, 2, 50, 50)
	s.open(equal(2, 100, 1))
	s.grab(2, anna)
	counts(2, 1, 100, -1)
	s.send(equal(3, 100, 1))
	s.close(3, redpacket.Closed)
	counts(3, 0, 0, -1)
	s.confirm(3, redpacket.Closed)
	counts(3, 0, 0, 100)
	s.Advance(time.Hour)
}
