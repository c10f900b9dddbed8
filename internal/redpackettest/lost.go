package redpackettest

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func lostCases() []testCase {
	return []testCase{
		{name: "AnswersThatAreLostAreSettledByTheSameCall", run: lostAnswers},
		{name: "GrabWhoseAnswerIsLostIsSettledByResolve", run: lostGrabResolved},
		{name: "AnswersOfReadingsThatAreLost", run: lostReadings},
		{name: "CallsThatAreNotSentChangeNothing", run: unsentCalls},
	}
}

// A stage is one call of a journey.
type stage struct {
	name string
	call func(p *redpacket.Packets) error
}

// journey returns one call of each verb that changes something, each of which works once the one
// before it has. It goes over three packets: one that finishes, one that is closed, and one that
// is paid too late.
func (s *scene) journey() []stage {
	do := func(name string, call func(ctx context.Context, p *redpacket.Packets) error) stage {
		return stage{name, func(p *redpacket.Packets) error { return call(s.Context(), p) }}
	}
	grab := func(id int64, person string) stage {
		return do("Grab", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Grab(ctx, id, person); return err })
	}
	send := func(packet redpacket.Packet) stage {
		return do("Send", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Send(ctx, packet); return err })
	}
	confirm := func(id int64) stage {
		return do("Confirm", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Confirm(ctx, id); return err })
	}
	closing := func(id int64) stage {
		return do("Close", func(ctx context.Context, p *redpacket.Packets) error { _, err := p.Close(ctx, id); return err })
	}
	return []stage{
		send(equal(1, 10, 3)), confirm(1), grab(1, anna), grab(1, ben),
		do("PayoutFailed", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := p.PayoutFailed(ctx, redpacket.PayoutNumber(1, 1), "no account")
			return err
		}),
		do("PaidOut", func(ctx context.Context, p *redpacket.Packets) error {
			_, err := p.PaidOut(ctx, redpacket.PayoutNumber(1, 1))
			return err
		}),
		grab(1, carol),
		send(equal(2, 20, 2)), confirm(2), grab(2, anna), closing(2),
		send(equal(3, 30, 2)), closing(3), confirm(3),
		send(equal(4, 40, 2)), closing(4),
	}
}

// journeyEnd ends the test unless every call of the journey happened once.
func (s *scene) journeyEnd() {
	s.Helper()
	s.packet(1, redpacket.Finished)
	s.holds(1, 3, 10, 0)
	suite.Same(s, "shares", []int64{4, 3, 3}, s.grabs(1, anna, ben, carol))
	suite.Same(s, "paid", s.payout(1, 1).Paid, true)
	s.packet(2, redpacket.Closed)
	s.holds(2, 1, 10, 10)
	s.goesBack(2, 10)
	s.packet(3, redpacket.Closed)
	s.goesBack(3, 30)
	s.packet(4, redpacket.Closed)
	s.keeps(4)
	s.Count("payouts that are due", len(s.pending()), 5)
}

// lossy returns packets that lose the answer of the n-th change that they send.
func (s *scene) lossy(n int) *redpacket.Packets {
	sent := 0
	return s.packets.On(&wire{store: s.Store, reply: func(call string) error {
		if changes(call) {
			if sent++; sent == n {
				return redpacket.ErrUnknown
			}
		}
		return nil
	}})
}

func lostAnswers(s *scene) {
	for _, stage := range s.journey() {
		for n := 1; ; n++ {
			err := stage.call(s.lossy(n))
			if err == nil {
				break // it sends fewer changes than that
			}
			s.only(err, redpacket.ErrUnknown)
			if err := stage.call(s.packets); err != nil {
				s.Fatalf("%s again: %v", stage.name, err)
			}
		}
	}
	s.journeyEnd()

	p := random(9, 100, 3) // a sweep whose answer is lost has done its work all the same
	p.End = s.now().Add(time.Hour)
	s.open(p)
	s.Advance(time.Hour)
	_, err := s.lossy(1).Expire(s.Context())
	s.only(err, redpacket.ErrUnknown)
	s.expire(0)
	s.goesBack(9, 100)
}

// lostGrabResolved asks what became of grabs that nobody answered: those that were done, and those that
// never arrived.
func lostGrabResolved(s *scene) {
	s.open(equal(1, 10, 3))
	_, err := s.lossy(1).Grab(s.Context(), 1, anna)
	s.only(err, redpacket.ErrUnknown)
	share, err := s.packets.Resolve(s.Context(), 1, anna)
	s.No(err)
	suite.Same(s, "amount", share.Amount, fen(4))
	suite.Same(s, "share", s.grab(1, anna), share)
	gone := s.packets.On(&wire{store: s.Store, send: func(call string) error {
		if changes(call) {
			return redpacket.ErrUnknown
		}
		return nil
	}})
	_, err = gone.Grab(s.Context(), 1, ben)
	s.only(err, redpacket.ErrUnknown)
	_, err = s.lossy(1).Resolve(s.Context(), 1, ben) // and so is the first answer to that
	s.only(err, redpacket.ErrUnknown)
	s.resolved(1, ben)
	s.refused(1, ben, redpacket.ErrCancelled)
	s.holds(1, 1, 4, 6)
}

// lostReadings has everything be done, and nobody able to read what came of it: that is not an
// error of something that was not done.
func lostReadings(s *scene) {
	for _, stage := range s.journey() {
		changed := false
		blind := s.packets.On(&wire{store: s.Store, send: func(call string) error {
			changed = changed || changes(call)
			if changed && !changes(call) {
				return redpacket.ErrUnavailable
			}
			return nil
		}})
		if err := stage.call(blind); err == nil || !errors.Is(err, redpacket.ErrUnknown) && stage.name != "Confirm" {
			s.Fatalf("%s, whose result cannot be read: %v", stage.name, err)
		} else if !redpacket.Retryable(err) {
			s.Fatalf("%s: %v is not retryable", stage.name, err)
		}
		if err := stage.call(s.packets); err != nil {
			s.Fatalf("%s again: %v", stage.name, err)
		}
	}
	s.journeyEnd()
}

func unsentCalls(s *scene) {
	broken := s.packets.On(&wire{store: s.Store, send: func(call string) error {
		if changes(call) {
			return redpacket.ErrUnavailable
		}
		return nil
	}})
	for _, stage := range s.journey() {
		was := s.all()
		s.only(stage.call(broken), redpacket.ErrUnavailable)
		suite.Same(s, "the books", s.all(), was)
		if err := stage.call(s.packets); err != nil {
			s.Fatalf("%s: %v", stage.name, err)
		}
	}
	suite.Same(s, "failures", s.payout(1, 1).Failures, 1)
	s.journeyEnd()
}

// all returns everything that is kept of the packets of a journey.
func (s *scene) all() (all []books) {
	s.Helper()
	for id := range int64(4) {
		all = append(all, s.everything(id+1))
	}
	return all
}
