package redpackettest

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// Bad input is refused before any I/O, whatever the store: the tests of package redpacket have it.
func inputCases() []testCase {
	return []testCase{{Name: "AContextThatEndedChangesNothing", Run: contextThatEnded}}
}

// calls returns one call of each method that takes a context, on packet 1.
func (s *scene) calls(ctx context.Context) []suite.Call {
	p, number := s.packets, redpacket.PayoutNumber(1, 1)
	return []suite.Call{
		{Name: "Send", Do: func() error { return suite.Err(p.Send(ctx, random(1, 100, 3))) }},
		{Name: "Confirm", Do: func() error { return suite.Err(p.Confirm(ctx, 1)) }},
		{Name: "Grab", Do: func() error { return suite.Err(p.For(anna).Grab(ctx, 1)) }},
		{Name: "Resolve", Do: func() error { return suite.Err(p.For(anna).Resolve(ctx, 1)) }},
		{Name: "Packet", Do: func() error { return suite.Err(p.Packet(ctx, 1)) }},
		{Name: "Share", Do: func() error { return suite.Err(p.For(anna).Share(ctx, 1)) }},
		{Name: "Shares", Do: func() error { return suite.Err(suite.Gather(p.Shares(ctx, 1))) }},
		{Name: "Payouts", Do: func() error { return suite.Err(suite.Gather(p.Payouts(ctx))) }},
		{Name: "Payout", Do: func() error { return suite.Err(p.Payout(ctx, number)) }},
		{Name: "PayoutFailed", Do: func() error { return suite.Err(p.PayoutFailed(ctx, number, "no account")) }},
		{Name: "PaidOut", Do: func() error { return suite.Err(p.PaidOut(ctx, number)) }},
		{Name: "Close", Do: func() error { return suite.Err(p.Close(ctx, 1)) }},
		{Name: "Expire", Do: func() error { return suite.Err(p.Expire(ctx)) }},
		{Name: "Audit", Do: func() error { return suite.Err(p.Audit(ctx, 1)) }},
		{Name: "Audit of all", Do: func() error { return suite.Err(p.Audit(ctx)) }},
	}
}

func contextThatEnded(s *scene) {
	s.open(random(1, 100, 3))
	s.grab(1, anna)
	s.EndedContext(s.calls, func() any { return s.everything(1) })
	ended, end := context.WithCancel(s.Context())
	end()
	s.Is(s.packets.Run(ended), context.Canceled)
	s.packet(1, redpacket.Closed)
	s.Count("failures", int(s.payout(1, 1).Failures), 1)
}
