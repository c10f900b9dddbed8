package redpackettest

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func transactionCases() []testCase {
	return []testCase{
		{Name: "TransactionRolledBackLosesNoShareAndNoMoney", Run: rolledBackGrab, Transactions: true},
		{Name: "TransactionRolledBackVerbsLeaveNothing", Run: rolledBackVerbs, Transactions: true},
		{Name: "TransactionCommittedIsThere", Run: committed, Transactions: true},
		{Name: "TransactionInADeadlockIsRolledBackWhole", Run: deadlock, Transactions: true},
		{Name: "TransactionGoesOnAfterARefusal", Run: refusalInTransaction, Transactions: true},
		{Name: "TransactionSeesItsOwnChanges", Run: ownChanges, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfPackets", Run: stalePackets, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfShares", Run: staleShares, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfPayouts", Run: stalePayouts, Transactions: true},
	}
}

// begin opens a transaction and returns packets in it.
func (s *scene) begin() (packets *redpacket.Packets, commit, rollback func() error) {
	s.Helper()
	store, commit, rollback := s.Begin(s.TB)
	return s.packets.On(store), commit, rollback
}

// rolledBackGrab takes grabs back, that of the last share among them: others get the very shares.
func rolledBackGrab(s *scene) {
	s.open(random(1, 1000, 3))
	for no, person := range []string{anna, ben, carol} {
		was := s.everything(1)
		packets, _, rollback := s.begin()
		lost := suite.Must(packets.For(person).Grab(s.Context(), 1))
		suite.Same(s, "number", lost.No, int64(no+1))
		s.No(rollback())
		suite.Same(s, "the books", s.everything(1), was)
		s.only(suite.Err(s.packets.For(person).Share(s.Context(), 1)), redpacket.ErrUnknownShare)
		share := s.grab(1, "another "+person)
		suite.Same(s, "number", share.No, lost.No)
		suite.Same(s, "amount", share.Amount, lost.Amount) // the seed has it, not the person
	}
	s.holds(1, 3, 1000, 0)
	s.refused(1, anna, redpacket.ErrFinished)
}

// rolledBackVerbs takes a whole journey back, call by call, and a sweep.
func rolledBackVerbs(s *scene) {
	s.journey().RolledBack(s)
	suite.Same(s, "failures", s.payout(1, 1).Failures, 1)

	p := random(9, 100, 3)
	p.End = s.now().Add(time.Hour)
	s.open(p)
	s.Advance(time.Hour)
	packets, _, rollback := s.begin()
	s.Count("packets that expired in the transaction", suite.Must(packets.Expire(s.Context())), 1)
	s.No(rollback())
	s.keeps(9)
	s.expire(1)
}

func committed(s *scene) { s.journey().Committed(s) }

func deadlock(s *scene) {
	s.open(equal(1, 100, 10))
	s.open(equal(2, 100, 10))
	grab := func(id int64, person string) func(*redpacket.Packets) error {
		return func(p *redpacket.Packets) error { return suite.Err(p.For(person).Grab(s.Context(), id)) }
	}
	calls := [2][2]func(*redpacket.Packets) error{{grab(1, anna), grab(2, anna)}, {grab(2, ben), grab(1, ben)}}
	suite.Deadlock(s, s.begin, calls, func(i int) {
		for id := int64(1); id <= 2; id++ {
			s.only(suite.Err(s.packets.For([]string{anna, ben}[i]).Share(s.Context(), id)), redpacket.ErrUnknownShare)
		}
	})
	s.holds(1, 2, 20, 80)
	s.holds(2, 2, 20, 80)
}

// refusalInTransaction has refusals between calls that succeed: a refused call has changed nothing, and
// the caller may go on.
func refusalInTransaction(s *scene) {
	s.open(random(1, 100, 1))
	s.send(random(2, 100, 3))
	s.open(random(3, 100, 3))
	s.close(3, redpacket.Closed)
	s.open(random(4, 100, 3))
	packets, commit, _ := s.begin()
	s.No(suite.Err(packets.For(anna).Grab(s.Context(), 1)))
	for id, want := range []error{redpacket.ErrFinished, redpacket.ErrUnpaid, redpacket.ErrClosed} {
		s.only(suite.Err(packets.For(ben).Grab(s.Context(), int64(id+1))), want)
	}
	s.only(suite.Err(packets.For(sender).Grab(s.Context(), 4)), redpacket.ErrSender)
	s.only(suite.Err(packets.Send(s.Context(), random(2, 101, 3))), redpacket.ErrMismatch)
	s.only(suite.Err(packets.PaidOut(s.Context(), redpacket.PayoutNumber(4, 1))), redpacket.ErrUnknownPayout)
	s.only(suite.Err(packets.Confirm(s.Context(), 9)), redpacket.ErrNotFound)
	s.No(suite.Err(packets.For(ben).Grab(s.Context(), 4)))
	s.No(commit())
	s.packet(1, redpacket.Finished)
	s.packet(2, redpacket.Unpaid)
	suite.Same(s, "shares", s.packet(4, redpacket.Open).Taken, 1)
	s.grab(2+2, anna)
}

func ownChanges(s *scene) {
	packets, commit, _ := s.begin()
	s.No(suite.Err(packets.Send(s.Context(), equal(1, 10, 2))))
	s.only(suite.Err(packets.For(anna).Grab(s.Context(), 1)), redpacket.ErrUnpaid)
	suite.Same(s, "state", suite.Must(packets.Confirm(s.Context(), 1)).State, redpacket.Open)
	first := suite.Must(packets.For(anna).Grab(s.Context(), 1))
	suite.Replays(s, "replay", suite.Must(packets.For(anna).Grab(s.Context(), 1)), first)
	s.No(suite.Err(packets.For(ben).Grab(s.Context(), 1)))
	s.only(suite.Err(packets.For(carol).Grab(s.Context(), 1)), redpacket.ErrFinished)
	suite.Same(s, "best luck", suite.Must(packets.Packet(s.Context(), 1)).Best, &first)
	listed := suite.Must(suite.Gather(packets.Shares(s.Context(), 1)))
	s.Count("shares", len(listed), 2)
	s.No(suite.Err(packets.PaidOut(s.Context(), first.Payout)))
	owed := suite.Must(suite.Gather(packets.Payouts(s.Context())))
	s.Count("payouts that are due", len(owed), 1)
	suite.Same(s, "report", suite.Must(packets.Audit(s.Context())), redpacket.Report{Packets: 1})
	s.No(commit())
	s.packet(1, redpacket.Finished)
	suite.Same(s, "paid", s.payout(1, 1).Paid, true)
}

// behind makes calls in a transaction that has read before the world went on, and commits it. It reads what nobody else
// touches, so that a store that keeps snapshots has taken one.
func (s *scene) behind(meanwhile func(), calls func(packets *redpacket.Packets)) {
	s.Helper()
	s.send(random(99, 100, 1))
	suite.Behind(s, s.Conflicts, func() (*redpacket.Packets, func() error, func() error) {
		packets, commit, rollback := s.begin()
		s.No(suite.Err(packets.Packet(s.Context(), 99)))
		return packets, commit, rollback
	}, meanwhile, calls)
}

// stalePackets lets the world go on between the snapshot of a transaction and its steps: what it has
// read is no reason for anything.
func stalePackets(s *scene) {
	for id := int64(1); id <= 4; id++ {
		s.send(equal(id, 10, 2))
	}
	s.behind(func() {
		s.send(equal(5, 10, 2))
		s.confirm(1, redpacket.Open)
		s.close(2, redpacket.Closed)
		s.confirm(3, redpacket.Open)
		s.close(3, redpacket.Closed)
		s.confirm(4, redpacket.Open)
		s.grabs(4, anna, ben)
	}, func(packets *redpacket.Packets) {
		s.No(suite.Err(packets.For(carol).Grab(s.Context(), 1)))
		suite.Same(s, "state of 1", suite.Must(packets.Confirm(s.Context(), 1)).State, redpacket.Open)
		suite.Same(s, "state of 2", suite.Must(packets.Confirm(s.Context(), 2)).State, redpacket.Closed)
		suite.Same(s, "state of 3", suite.Must(packets.Close(s.Context(), 3)).State, redpacket.Closed)
		s.only(suite.Err(packets.For(carol).Grab(s.Context(), 3)), redpacket.ErrClosed)
		s.only(suite.Err(packets.For(carol).Grab(s.Context(), 4)), redpacket.ErrFinished)
		suite.Same(s, "state of 4", suite.Must(packets.Close(s.Context(), 4)).State, redpacket.Finished)
		suite.Same(s, "state of 5", suite.Must(packets.Send(s.Context(), equal(5, 10, 2))).State, redpacket.Unpaid)
		s.only(suite.Err(packets.Send(s.Context(), equal(5, 11, 2))), redpacket.ErrMismatch)
	})
	s.holds(1, 1, 5, 5)
	s.goesBack(2, 10)
	s.goesBack(3, 10)
	s.keeps(4)
}

// staleShares has others grab after the snapshot: numbers, amounts and what is left are those of the
// moment of the grab.
func staleShares(s *scene) {
	s.open(equal(1, 10, 4)) // 3+3+2+2
	s.behind(func() {
		s.grab(1, anna)
		s.grab(1, ben)
	}, func(packets *redpacket.Packets) {
		share := suite.Must(packets.For(carol).Grab(s.Context(), 1))
		suite.Same(s, "number", share.No, 3)
		suite.Same(s, "amount", share.Amount, fen(2))
		again, err := packets.For(anna).Grab(s.Context(), 1) // which was grabbed elsewhere
		s.No(err)
		suite.Same(s, "amount", again.Amount, fen(3))
		suite.Same(s, "what is left", suite.Must(packets.Close(s.Context(), 1)).Left, fen(2))
	})
	s.holds(1, 3, 8, 2)
	s.goesBack(1, 2)
}

// stalePayouts does the same with payouts.
func stalePayouts(s *scene) {
	s.open(equal(1, 10, 4))
	s.grabs(1, anna, ben, carol)
	var paid redpacket.Payout
	s.behind(func() {
		paid = s.paidOut(1, 1)
		s.failed(1, 2, "elsewhere")
	}, func(packets *redpacket.Packets) {
		suite.Replays(s, "payout", suite.Must(packets.PaidOut(s.Context(), paid.Number)), paid)
		s.only(suite.Err(packets.PayoutFailed(s.Context(), paid.Number, "here")), redpacket.ErrPaidOut)
		suite.Same(s, "failures", suite.Must(packets.PayoutFailed(s.Context(), redpacket.PayoutNumber(1, 2), "here")).Failures, 2)
	})
	s.SameTime("due", s.payout(1, 2).DueAt, s.now().Add(2*time.Minute))
}
