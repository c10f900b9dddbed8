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
		{Name: "AnswersThatAreLostAreSettledByTheSameCall", Run: lostAnswers},
		{Name: "GrabWhoseAnswerIsLostIsSettledByResolve", Run: lostGrabResolved},
		{Name: "AnswersOfReadingsThatAreLost", Run: lostReadings},
		{Name: "CallsThatAreNotSentChangeNothing", Run: unsentCalls},
	}
}

// journey goes over four packets: one that finishes, one that is closed, one that is paid too late, and one that is closed
// unpaid.
func (s *scene) journey() suite.Journey[*redpacket.Packets] {
	ctx := s.Context()
	return suite.Journey[*redpacket.Packets]{
		Plain: s.packets, Over: s.over, Begin: s.begin, Sees: s.all, Ends: s.journeyEnd,
		Calls: func(p *redpacket.Packets) []suite.Call {
			send := func(packet redpacket.Packet) suite.Call {
				return suite.Call{Name: "Send", Do: func() error { return suite.Err(p.Send(ctx, packet)) }}
			}
			confirm := func(id int64) suite.Call {
				return suite.Call{Name: "Confirm", Do: func() error { return suite.Err(p.Confirm(ctx, id)) }}
			}
			grab := func(id int64, person string) suite.Call {
				return suite.Call{Name: "Grab", Do: func() error { return suite.Err(p.For(person).Grab(ctx, id)) }}
			}
			end := func(id int64) suite.Call {
				return suite.Call{Name: "Close", Do: func() error { return suite.Err(p.Close(ctx, id)) }}
			}
			number := redpacket.PayoutNumber(1, 1)
			return []suite.Call{
				send(equal(1, 10, 3)), confirm(1), grab(1, anna), grab(1, ben),
				{Name: "PayoutFailed", Do: func() error { return suite.Err(p.PayoutFailed(ctx, number, "no account")) }},
				{Name: "PaidOut", Do: func() error { return suite.Err(p.PaidOut(ctx, number)) }},
				grab(1, carol),
				send(equal(2, 20, 2)), confirm(2), grab(2, anna), end(2),
				send(equal(3, 30, 2)), end(3), confirm(3),
				send(equal(4, 40, 2)), end(4),
			}
		},
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
func (s *scene) lossy(n int) *redpacket.Packets { return s.over(suite.LosesAnswer(n)) }

func lostAnswers(s *scene) {
	s.journey().LostAnswers(s)
	p := random(9, 100, 3) // a sweep whose answer is lost has done its work all the same
	p.End = s.now().Add(time.Hour)
	s.open(p)
	s.Advance(time.Hour)
	s.only(suite.Err(s.lossy(1).Expire(s.Context())), redpacket.ErrUnknown)
	s.expire(0)
	s.goesBack(9, 100)
}

// lostGrabResolved asks what became of grabs that nobody answered: those that were done, and those that
// never arrived.
func lostGrabResolved(s *scene) {
	s.open(equal(1, 10, 3))
	s.only(suite.Err(s.lossy(1).For(anna).Grab(s.Context(), 1)), redpacket.ErrUnknown)
	share := suite.Must(s.packets.For(anna).Resolve(s.Context(), 1))
	suite.Same(s, "amount", share.Amount, fen(4))
	suite.Replays(s, "share", s.grab(1, anna), share)
	gone := s.over(suite.Wire{Send: suite.Fails(redpacket.ErrUnknown, suite.Changes)})
	s.only(suite.Err(gone.For(ben).Grab(s.Context(), 1)), redpacket.ErrUnknown)
	_, err := s.lossy(1).For(ben).Resolve(s.Context(), 1) // and so is the first answer to that
	s.only(err, redpacket.ErrUnknown)
	s.resolved(1, ben)
	s.refused(1, ben, redpacket.ErrCancelled)
	s.holds(1, 1, 4, 6)
}

// lostReadings never says that nothing was done when something was. The hook is told of what was done, once.
func lostReadings(s *scene) {
	told, journey := 0, s.journey()
	journey.Over = func(w suite.Wire) *redpacket.Packets {
		packets := s.with(redpacket.Options{Hook: func(context.Context, redpacket.Effect) { told++ }})
		return packets.On(&wire{w, suite.InTurn(s.Store)})
	}
	for name, err := range journey.LostReadings(s) {
		switch {
		case name == "Grab" && err == nil: // whose answer has the share
		case name == "Confirm" && errors.Is(err, redpacket.ErrUnavailable): // it may look before it does anything
		default:
			s.only(err, redpacket.ErrUnknown)
		}
	}
	s.Count("effects", told, len(journey.Calls(s.packets))-1)                                             // but for a Confirm that did nothing
	s.only(suite.Err(s.over(suite.Blind()).Send(s.Context(), equal(1, 10, 3))), redpacket.ErrUnavailable) // it did nothing either
}

func unsentCalls(s *scene) {
	s.journey().Unsent(s)
	suite.Same(s, "failures", s.payout(1, 1).Failures, 1)
}

// all returns everything that is kept of the packets of a journey.
func (s *scene) all() any {
	s.Helper()
	var all []books
	for id := range int64(4) {
		all = append(all, s.everything(id+1))
	}
	return all
}
