package redpackettest

import (
	"context"
	"slices"
	"testing"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// Along proves of each verb that rows of a shop go along with it.
func Along(t *testing.T, h Harness, shop suite.Shop[redpacket.Store]) {
	t.Helper()
	c := carrier{newScene(t, h)}
	suite.Carry(c.scene, shop, c.sent, slices.Concat(c.inTime(), c.late()))
	c.Balanced()
}

// carryCase is a call of Along.
type carryCase = suite.CarryCase[redpacket.Store]

// carrier makes the calls of Along.
type carrier struct{ *scene }

// sent returns all that is kept of the packets that were sent so far, which are numbered from 1 on, and of the next.
func (c carrier) sent() any {
	c.Helper()
	var all []books
	for id := int64(1); ; id++ {
		all = append(all, c.everything(id))
		if all[id-1].Record.State == redpacket.None {
			return all
		}
	}
}

// by returns a call of packets.
func (c carrier) by(verb func(ctx context.Context, p *redpacket.Packets) error) func(redpacket.Store) error {
	return func(store redpacket.Store) error { return verb(c.Context(), c.packets.On(store)) }
}

func (c carrier) sends(id, total int64) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error {
		return suite.Err(p.Send(ctx, equal(id, total, 2)))
	})
}

func (c carrier) confirms(id int64) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Confirm(ctx, id)) })
}

func (c carrier) closes(id int64) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Close(ctx, id)) })
}

func (c carrier) grabs(id int64, person string) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.For(person).Grab(ctx, id)) })
}

func (c carrier) pays(number string) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.PaidOut(ctx, number)) })
}

func (c carrier) fails(number string) func(redpacket.Store) error {
	return c.by(func(ctx context.Context, p *redpacket.Packets) error {
		return suite.Err(p.PayoutFailed(ctx, number, "no"))
	})
}

// inTime returns the verbs, in the order of the life cycle, and what they are refused for.
func (c carrier) inTime() []carryCase {
	resolves := c.by(func(ctx context.Context, p *redpacket.Packets) error {
		return suite.Err(p.For(dan).Resolve(ctx, 1))
	})
	return []carryCase{
		{Name: "Send", Call: c.sends(1, 1000)},
		{Name: "Send another under its ID", Call: c.sends(1, 1100), Refusal: redpacket.ErrMismatch},
		{Name: "Grab before the payment", Call: c.grabs(1, anna), Refusal: redpacket.ErrUnpaid},
		{Name: "Confirm", Call: c.confirms(1)},
		{Name: "Confirm nothing", Call: c.confirms(9), Refusal: redpacket.ErrNotFound},
		{Name: "Grab", Call: c.grabs(1, anna)},
		{Name: "Grab by the sender", Call: c.grabs(1, sender), Refusal: redpacket.ErrSender},
		{Name: "Resolve", Call: resolves, Answer: redpacket.ErrCancelled, Each: true},
		{Name: "Grab what was resolved", Call: c.grabs(1, dan), Refusal: redpacket.ErrCancelled},
		{Name: "Grab the last share", Call: c.grabs(1, ben)},
		{Name: "Grab of a packet that is finished", Call: c.grabs(1, carol), Refusal: redpacket.ErrFinished},
		{Name: "PayoutFailed", Call: c.fails("1-1"), Each: true},
		{Name: "PaidOut", Call: c.pays("1-1")},
		{Name: "PayoutFailed of what is paid", Call: c.fails("1-1"), Refusal: redpacket.ErrPaidOut},
		{Name: "PaidOut of nothing", Call: c.pays("1-9"), Refusal: redpacket.ErrUnknownPayout},
		{Name: "Close", Before: func() { c.open(equal(2, 1000, 2)) }, Call: c.closes(2)},
		{Name: "Grab of a packet that is closed", Call: c.grabs(2, anna), Refusal: redpacket.ErrClosed},
		{Name: "PaidOut of what is left", Call: c.pays("2-0")},
		{Name: "Close before the payment", Before: func() { c.send(equal(3, 1000, 2)) }, Call: c.closes(3)},
		{Name: "Confirm of what was closed", Call: c.confirms(3)},
	}
}

// late returns those of packets whose time is over.
func (c carrier) late() []carryCase {
	overdue := func(id int64) func() {
		return func() { c.open(equal(id, 1000, 2)); c.Advance(redpacket.DefaultLiveFor) }
	}
	unpaid := func() { c.send(equal(4, 1000, 2)); c.Advance(redpacket.DefaultLiveFor) }
	expires := c.by(func(ctx context.Context, p *redpacket.Packets) error { return suite.Err(p.Expire(ctx)) })
	return []carryCase{
		{Name: "Confirm too late", Before: unpaid, Call: c.confirms(4)},
		{Name: "Close too late", Before: overdue(5), Call: c.closes(5)},
		{Name: "Grab too late", Before: overdue(6), Call: c.grabs(6, anna), Refusal: redpacket.ErrExpired},
		{Name: "Expire", Call: expires, Sweeps: true},
	}
}
