package redpackettest

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func confirmCases() []testCase {
	return []testCase{
		{Name: "UnpaidPacketCannotBeGrabbed", Run: unpaidNotGrabbed},
		{Name: "ConfirmedTwiceIsOnePacket", Run: confirmedTwice},
		{Name: "ConfirmedAtOnceIsOnePacket", Run: confirmedAtOnce},
		{Name: "ConfirmedJustInTimeIsOpen", Run: confirmedInTime},
		{Name: "ConfirmedTooLateGoesBackWhole", Run: confirmedTooLate},
		{Name: "ConfirmedAfterItWasClosedGoesBackWhole", Run: confirmedAfterClose},
		{Name: "ConfirmedTooLateAtOnceGoesBackOnce", Run: confirmedTooLateAtOnce},
	}
}

func unpaidNotGrabbed(s *scene) {
	s.send(random(1, 100, 3))
	s.refused(1, anna, redpacket.ErrUnpaid)
	s.confirm(1, redpacket.Open)
	s.grab(1, anna) // a refusal is for now
}

// confirmedTwice confirms a packet in every state that comes after the first time.
func confirmedTwice(s *scene) {
	s.send(equal(1, 10, 2))
	first := s.confirm(1, redpacket.Open)
	s.Advance(time.Minute)
	suite.Replays(s, "replay", s.confirm(1, redpacket.Open), first)
	s.SameTime("confirmed", s.packet(1, redpacket.Open).ConfirmedAt, first.ConfirmedAt)
	again := func(id int64, state redpacket.State) {
		s.Helper()
		want := s.packet(id, state)
		s.unchanged(id, func() { suite.Replays(s, "replay", s.confirm(id, state), want) })
	}
	s.grab(1, anna)
	again(1, redpacket.Open)
	s.grab(1, ben)
	again(1, redpacket.Finished)
	s.open(equal(2, 10, 2))
	s.close(2, redpacket.Closed)
	again(2, redpacket.Closed)
	s.open(equal(3, 10, 2))
	s.Advance(24*time.Hour - time.Microsecond)
	again(3, redpacket.Open)
	s.Advance(time.Microsecond)
	again(3, redpacket.Open) // it is over, and nobody has ended it yet
	s.expire(1)
	again(3, redpacket.Expired)
}

func confirmedAtOnce(s *scene) {
	s.send(random(1, 100, 3))
	got := make([]redpacket.Packet, 16)
	s.Each(suite.Together(len(got), func(i int) (err error) {
		got[i], err = s.packets.Confirm(s.Context(), 1)
		return err
	}))
	suite.Once(s, "packet", got)
	suite.Same(s, "packet", got[0], s.packet(1, redpacket.Open))
	s.grabs(1, anna, ben, carol)
}

func confirmedInTime(s *scene) {
	end := s.send(random(1, 100, 3)).End
	s.Advance(24*time.Hour - time.Microsecond)
	s.confirm(1, redpacket.Open)
	s.SameTime("end", s.packet(1, redpacket.Open).End, end)
	s.grab(1, anna)
}

// confirmedTooLate confirms a packet at its end, and another one long after: nobody ever grabs,
// and the money goes back whole and once.
func confirmedTooLate(s *scene) {
	s.send(random(1, 100, 3))
	s.send(random(2, 100, 3))
	s.Advance(24 * time.Hour)
	s.refused(1, anna, redpacket.ErrUnpaid)
	s.expire(0) // what was not paid does not go back
	s.packet(1, redpacket.Unpaid)
	at := s.now()
	got := s.confirm(1, redpacket.Expired)
	s.SameTime("confirmed", got.ConfirmedAt, at)
	s.SameTime("ended", got.EndedAt, at)
	s.Advance(time.Hour)
	s.confirm(2, redpacket.Expired)
	for id := int64(1); id <= 2; id++ {
		s.holds(id, 0, 0, 100)
		s.refused(id, anna, redpacket.ErrExpired)
		back := s.goesBack(id, 100)
		s.Advance(time.Hour)
		s.unchanged(id, func() {
			suite.Replays(s, "replay", s.confirm(id, redpacket.Expired), s.packet(id, redpacket.Expired))
			s.close(id, redpacket.Expired)
			s.expire(0)
		})
		suite.Same(s, "what goes back", s.goesBack(id, 100), back)
	}
	s.Count("payouts", len(s.pending()), 2)
}

// confirmedAfterClose has the payment arrive after the sender has given the packet up.
func confirmedAfterClose(s *scene) {
	s.send(random(1, 100, 3))
	closed := s.close(1, redpacket.Closed)
	s.keeps(1)
	s.Advance(time.Hour)
	at := s.now()
	got := s.confirm(1, redpacket.Closed)
	s.SameTime("confirmed", got.ConfirmedAt, at)
	s.SameTime("ended", got.EndedAt, closed.EndedAt)
	s.refused(1, anna, redpacket.ErrClosed)
	back := s.goesBack(1, 100)
	s.Advance(48 * time.Hour)
	s.unchanged(1, func() {
		s.confirm(1, redpacket.Closed)
		s.close(1, redpacket.Closed)
		s.expire(0)
	})
	suite.Same(s, "what goes back", s.goesBack(1, 100), back)
	s.Count("payouts", len(s.pending()), 1)

	s.send(random(2, 100, 3)) // closed, paid, and both too late
	s.Advance(48 * time.Hour)
	s.close(2, redpacket.Closed)
	s.confirm(2, redpacket.Closed)
	s.goesBack(2, 100)
}

func confirmedTooLateAtOnce(s *scene) {
	for round := range int64(rounds) {
		p := random(round+1, 100, 3)
		p.End = s.now().Add(time.Hour)
		s.send(p)
		if round%2 == 0 {
			s.close(p.ID, redpacket.Closed)
		} else {
			s.Advance(time.Hour)
		}
		s.Each(suite.Together(6, func(int) error { return suite.Err(s.packets.Confirm(s.Context(), p.ID)) }))
		s.goesBack(p.ID, 100)
	}
	s.Count("payouts", len(s.pending()), rounds)
}
