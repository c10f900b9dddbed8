package redpacket

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Grab takes the next share of a packet for the person of For. When Grab returns, the share is booked, its payout is
// owed, and nobody else can get it. One person has one share: grabbing again always returns the same share.
//
// Errors, in the order of precedence: ErrInvalid, also where no person was named; ErrNotFound, ErrUnpaid,
// ErrNotStarted, ErrSender (or ErrCancelled, see Resolve), ErrClosed, ErrExpired, ErrFinished. A packet that was
// finished or closed before its End stays so after it. A person who was refused may try again.
func (p *Packets) Grab(ctx context.Context, id int64) (Share, error) {
	if err := p.readyFor(ctx, id); err != nil {
		return Share{}, err
	}
	grab := GrabID(id, p.person)
	units := p.units.With(Grab{Packet: id, Person: p.person})
	for range attempts {
		hold, err := units.Take(ctx, grab, stock.Line{SKU: id, Num: 1})
		if err != nil {
			if err = p.ungrabbable(ctx, id, err); err != nil {
				return Share{}, err
			}
			continue
		}
		booked, ok := stock.CompanionOf[ShareRecord](hold.Beside)
		if !ok { // it was grabbed before
			share, err := p.share(ctx, id)
			share.Replay = err == nil
			return share, err
		}
		p.took(ctx, Effect{Step: StepGrab, Packet: id, Share: booked.share()})
		return booked.share(), nil
	}
	return Share{}, contention("grab", grab)
}

// Resolve settles a grab for good after ErrUnknown, as stock.Inventory.Resolve does. It waits for a running grab of
// the person of For, and makes sure that one which has not arrived yet can no longer take
// effect. It returns the share if there is one. Otherwise it returns ErrCancelled, and this person cannot grab the
// packet any more. To make the lost grab happen, grab again instead.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound, ErrCancelled.
func (p *Packets) Resolve(ctx context.Context, id int64) (Share, error) {
	if err := p.readyFor(ctx, id); err != nil {
		return Share{}, err
	}
	if _, _, err := p.look(ctx, id); err != nil {
		return Share{}, err
	}
	hold, err := p.units.Resolve(ctx, GrabID(id, p.person))
	if err != nil {
		return Share{}, err
	}
	if hold.State == stock.Cancelled {
		return Share{}, &PacketError{Packet: id, Err: ErrCancelled}
	}
	share, err := p.share(ctx, id)
	return share, fault.Unread(err)
}

// Take takes the next share of a packet that has one, for a person at a moment, and returns it. It is the rule for
// a grab: a store applies it to a packet that nobody else changes meanwhile.
func (r *Record) Take(person string, at time.Time) ShareRecord {
	money := r.Split.Next(r.Left, r.Taken)
	r.Taken++
	r.Grabbed += money
	r.Left -= money
	if money > r.BestMoney { // of several the first
		r.BestNo, r.BestPerson, r.BestMoney, r.BestAt = r.Taken, person, money, at
	}
	if r.Taken == r.Split.Count {
		r.State, r.EndedAt = r.State.After(StepGrab).Last, at
	}
	return ShareRecord{Packet: r.ID, No: r.Taken, Person: person, Places: r.Places, Money: money, CreatedAt: at, DueAt: at}
}

// ungrabbable returns why a packet has no share for the person of For, given how its units refused. It returns nil
// when the grab should be tried once more.
func (p *Packets) ungrabbable(ctx context.Context, id int64, refusal error) error {
	cancelled := errors.Is(refusal, stock.ErrCancelled)
	switch {
	case errors.Is(refusal, stock.ErrInsufficient): // known without another look: most grabs of a packet end so
		return &PacketError{Packet: id, Err: ErrFinished}
	case errors.Is(refusal, stock.ErrUnknownSKU):
		return &PacketError{Packet: id, Err: ErrNotFound}
	case !cancelled && !errors.Is(refusal, stock.ErrNotOnSale):
		return refusal
	}
	record, now, err := p.look(ctx, id)
	if err != nil {
		return err
	}
	if cancelled {
		cause := ErrCancelled
		if p.person == record.Sender && !p.opts.SenderMayGrab {
			cause = ErrSender
		}
		return record.refuses(now, &PacketError{Packet: id, Err: cause})
	}
	return record.refuses(now, nil)
}

// refuses returns why a packet has no share for a person at now, or nil. Person is the reason why this person
// could never have one.
func (r Record) refuses(now time.Time, person error) error {
	switch {
	case r.State == Unpaid:
		return &PacketError{Packet: r.ID, Err: ErrUnpaid}
	case !r.Start.IsZero() && now.Before(r.Start):
		return &WindowError{Packet: r.ID, Err: ErrNotStarted, Start: r.Start, End: r.End, Now: now}
	case person != nil:
		return person
	case r.State == Closed:
		return &PacketError{Packet: r.ID, Err: ErrClosed}
	case r.State == Finished:
		return &PacketError{Packet: r.ID, Err: ErrFinished}
	case r.State == Expired, !now.Before(r.End):
		return &WindowError{Packet: r.ID, Err: ErrExpired, Start: r.Start, End: r.End, Now: now}
	}
	return nil
}
