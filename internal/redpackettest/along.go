package redpackettest

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// Along proves of each verb that rows of a shop go along with it.
func Along(t *testing.T, h Harness, shop suite.Shop[redpacket.Store]) {
	t.Helper()
	s := newScene(t, h)
	suite.Carry(s, shop, s.all, s.carrying())
	s.Balanced()
}

// carrying returns the verbs, in the order of the life cycle, and what they are refused for.
func (s *scene) carrying() []suite.Carrying[redpacket.Store] {
	type call = suite.Carrying[redpacket.Store]
	by := func(verb func(ctx context.Context, p *redpacket.Packets) error) func(redpacket.Store) error {
		return func(store redpacket.Store) error { return verb(s.Context(), s.packets.On(store)) }
	}
	send := func(id, total int64) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error {
			return suite.Err(p.Send(ctx, equal(id, total, 2)))
		})
	}
	confirm := func(id int64) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Confirm(ctx, id)) })
	}
	closes := func(id int64) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Close(ctx, id)) })
	}
	grab := func(id int64, person string) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.For(person).Grab(ctx, id)) })
	}
	paidOut := func(number string) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.PaidOut(ctx, number)) })
	}
	fails := func(number string) func(redpacket.Store) error {
		return by(func(ctx context.Context, p *redpacket.Packets) error {
			return suite.Err(p.PayoutFailed(ctx, number, "no"))
		})
	}
	resolve := by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.For(dan).Resolve(ctx, 1)) })
	expire := by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Expire(ctx)) })
	sent := func(id int64, paid bool) {
		s.send(equal(id, 1000, 2))
		if paid {
			s.confirm(id, redpacket.Open)
		}
	}
	overdue := func(id int64, paid bool) func() {
		return func() { sent(id, paid); s.Advance(25 * time.Hour) }
	}
	return []call{
		{Name: "Send", Call: send(1, 1000)},
		{Name: "Send another under its ID", Call: send(1, 1100), Refusal: redpacket.ErrMismatch},
		{Name: "Grab before the payment", Call: grab(1, anna), Refusal: redpacket.ErrUnpaid},
		{Name: "Confirm", Call: confirm(1)},
		{Name: "Confirm nothing", Call: confirm(9), Refusal: redpacket.ErrNotFound},
		{Name: "Grab", Call: grab(1, anna)},
		{Name: "Grab by the sender", Call: grab(1, sender), Refusal: redpacket.ErrSender},
		{Name: "Resolve", Call: resolve, Answer: redpacket.ErrCancelled, Each: true},
		{Name: "Grab what was resolved", Call: grab(1, dan), Refusal: redpacket.ErrCancelled},
		{Name: "Grab the last share", Call: grab(1, ben)},
		{Name: "Grab of a packet that is finished", Call: grab(1, carol), Refusal: redpacket.ErrFinished},
		{Name: "PayoutFailed", Call: fails("1-1"), Each: true},
		{Name: "PaidOut", Call: paidOut("1-1")},
		{Name: "PayoutFailed of what is paid", Call: fails("1-1"), Refusal: redpacket.ErrPaidOut},
		{Name: "PaidOut of nothing", Call: paidOut("1-9"), Refusal: redpacket.ErrUnknownPayout},
		{Name: "Close", Before: func() { sent(2, true) }, Call: closes(2)},
		{Name: "Grab of a packet that is closed", Call: grab(2, anna), Refusal: redpacket.ErrClosed},
		{Name: "PaidOut of what is left", Call: paidOut("2-0")},
		{Name: "Close before the payment", Before: func() { sent(3, false) }, Call: closes(3)},
		{Name: "Confirm of what was closed", Call: confirm(3)},
		{Name: "Confirm too late", Before: overdue(4, false), Call: confirm(4)},
		{Name: "Close too late", Before: overdue(5, true), Call: closes(5)},
		{Name: "Grab too late", Before: overdue(6, true), Call: grab(6, anna), Refusal: redpacket.ErrExpired},
		{Name: "Expire", Call: expire, Sweeps: true},
	}
}
