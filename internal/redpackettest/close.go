package redpackettest

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func closeCases() []testCase {
	return []testCase{
		{Name: "WhatIsLeftGoesBackToTheSenderOnce", Run: leftGoesBack},
		{Name: "FinishedPacketHasNothingToGiveBack", Run: finishedGivesNothing},
		{Name: "SomeGrabbedAndTheRestGoesBack", Run: restGoesBack},
		{Name: "CloseAnUnpaidPacketGivesNothingBack", Run: closeUnpaid},
		{Name: "CloseBeforeItsStart", Run: closeBeforeStart},
		{Name: "CloseAfterItsEndIsAnExpiry", Run: closeAfterEnd},
	}
}

func leftGoesBack(s *scene) {
	s.open(random(1, 100, 3))
	first := s.minor(s.grab(1, anna).Amount)
	s.Advance(time.Hour)
	at := s.now()
	closed := s.close(1, redpacket.Closed)
	s.SameTime("ended", closed.EndedAt, at)
	back := s.goesBack(1, 100-first)
	s.SameTime("due", back.DueAt, at)
	s.SameTime("created", back.CreatedAt, at)
	suite.Same(s, "paid", back.Paid, false)
	s.holds(1, 1, first, 100-first)
	again := func() {
		s.Helper()
		s.unchanged(1, func() {
			suite.Replays(s, "replay", s.close(1, redpacket.Closed), closed)
			s.expire(0)
			s.confirm(1, redpacket.Closed)
			s.only(suite.Err(s.packets.For(ben).Grab(s.Context(), 1)), redpacket.ErrClosed)
		})
		suite.Same(s, "number of what goes back", s.goesBack(1, 100-first).Number, back.Number)
	}
	again()
	s.Advance(48 * time.Hour)
	again()
	s.paidOut(1, 0)
	again()
	s.Count("payouts that are due", len(s.pending()), 1)
}

func finishedGivesNothing(s *scene) {
	s.open(random(1, 100, 2))
	s.grabs(1, anna, ben)
	want := s.packet(1, redpacket.Finished)
	s.unchanged(1, func() {
		suite.Replays(s, "packet", s.close(1, redpacket.Finished), want)
		s.Advance(48 * time.Hour)
		suite.Replays(s, "packet", s.close(1, redpacket.Finished), want)
		s.expire(0)
	})
	s.keeps(1)
	s.Count("payouts", len(s.pending()), 2)
}

func restGoesBack(s *scene) {
	for grabbed := range int64(6) {
		for i, end := range []func(id int64){
			func(id int64) { s.close(id, redpacket.Closed) },
			func(int64) { s.Advance(24 * time.Hour); s.expire(1) },
		} {
			id := 2*grabbed + int64(i) + 1
			s.open(bounded(id, 600, 6, 50, 250))
			left := int64(600)
			for person := range grabbed {
				left -= s.minor(s.grab(id, fmt.Sprint(100+person)).Amount)
			}
			end(id)
			s.goesBack(id, left)
			s.holds(id, grabbed, 600-left, left)
		}
	}
}

func closeUnpaid(s *scene) {
	for id, later := range []time.Duration{0, time.Hour, 24 * time.Hour, 48 * time.Hour} {
		id := int64(id + 1)
		s.send(random(id, 100, 3))
		s.Advance(later)
		at := s.now()
		closed := s.close(id, redpacket.Closed)
		s.SameTime("ended", closed.EndedAt, at)
		suite.Same(s, "confirmed", closed.ConfirmedAt, time.Time{})
		s.refused(id, anna, redpacket.ErrClosed)
		s.Advance(time.Hour)
		suite.Replays(s, "replay", s.close(id, redpacket.Closed), closed)
		s.keeps(id)
	}
	s.expire(0)
	s.Count("payouts", len(s.pending()), 0)
}

func closeBeforeStart(s *scene) {
	p := random(1, 100, 3)
	p.Start = s.now().Add(time.Hour)
	s.open(p)
	s.close(1, redpacket.Closed)
	s.goesBack(1, 100)
	s.Advance(time.Hour)
	s.refused(1, anna, redpacket.ErrClosed)
}

// closeAfterEnd closes at the last moment and at the first that is too late.
func closeAfterEnd(s *scene) {
	s.open(random(1, 100, 3))
	s.open(random(2, 100, 3))
	s.Advance(24*time.Hour - time.Microsecond)
	s.close(1, redpacket.Closed)
	s.Advance(time.Microsecond)
	var steps []redpacket.Step
	s.packets = s.with(redpacket.Options{Hook: func(_ context.Context, e redpacket.Effect) { steps = append(steps, e.Step) }})
	s.close(2, redpacket.Expired)
	s.close(2, redpacket.Expired)
	suite.Same(s, "steps", steps, []redpacket.Step{redpacket.StepExpire})
	s.goesBack(1, 100)
	s.goesBack(2, 100)
	s.expire(0)
}
