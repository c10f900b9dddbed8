package redpacket

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// Packet returns a packet as it is now. One whose End has come but that nothing has ended yet is
// returned as Open, with an End in the past. Errors: ErrInvalid, ErrNotFound.
func (p *Packets) Packet(ctx context.Context, id int64) (Packet, error) {
	if err := p.readyPacket(ctx, id); err != nil {
		return Packet{}, err
	}
	record, _, err := p.look(ctx, id)
	if err != nil {
		return Packet{}, err
	}
	return p.packet(ctx, record)
}

// Share returns the share of the person of For in a packet. Errors, in the order of precedence: ErrInvalid,
// also where no person was named; ErrNotFound, ErrUnknownShare.
func (p *Packets) Share(ctx context.Context, id int64) (Share, error) {
	if err := p.readyFor(ctx, id); err != nil {
		return Share{}, err
	}
	return p.share(ctx, id)
}

// share returns the share of the person of For in a packet.
func (p *Packets) share(ctx context.Context, id int64) (Share, error) {
	booked, ok, err := p.store.Share(ctx, id, p.person)
	switch {
	case err != nil:
		return Share{}, err
	case ok:
		return booked.share(), nil
	}
	if _, _, err := p.look(ctx, id); err != nil {
		return Share{}, err
	}
	return Share{}, &PacketError{Packet: id, Err: ErrUnknownShare}
}

// Shares lists the shares of a packet in the order in which they were grabbed. Each page is its own snapshot.
// The listing ends with the first error: ErrInvalid, ErrNotFound.
func (p *Packets) Shares(ctx context.Context, id int64) iter.Seq2[Share, error] {
	return func(yield func(Share, error) bool) {
		err := p.readyPacket(ctx, id)
		if err == nil {
			_, _, err = p.look(ctx, id)
		}
		listing.Map(listing.Pages(err,
			func(after int64, limit int) ([]ShareRecord, error) { return p.store.Shares(ctx, id, after, limit) },
			func(s ShareRecord) int64 { return s.No },
		), ShareRecord.share)(yield)
	}
}

// newest is the place of a packet or a share in a list of the newest.
type newest struct {
	At time.Time
	ID int64 // of the packet
}

// SentPage returns a page of the packets that the person of For has sent, the newest first. Best is left out; Packet has it.
// Errors: ErrInvalid, also where no person was named.
func (p *Packets) SentPage(ctx context.Context, page stock.PageRequest) (stock.Page[Packet], error) { //nolint:dupl // of two things
	if err := p.readyPerson(ctx); err != nil {
		return stock.Page[Packet]{}, err
	}
	return listing.List[Packet, newest]{
		Read: func(after newest, limit int) ([]Packet, error) {
			records, err := p.store.Sent(ctx, p.person, Record{CreatedAt: after.At, ID: after.ID}, limit)
			return each(records, Record.packet), err
		},
		At: func(p Packet) newest { return newest{p.CreatedAt, p.ID} },
	}.Page(page, "sent by "+p.person)
}

// MinePage returns a page of the shares that the person of For has grabbed, the newest first. It needs an index that
// sqlstore.MigrateLists adds: without it the error is a *sqlstore.MissingIndexError. Errors: ErrInvalid, also where no person
// was named.
func (p *Packets) MinePage(ctx context.Context, page stock.PageRequest) (stock.Page[Share], error) { //nolint:dupl // of two things
	if err := p.readyPerson(ctx); err != nil {
		return stock.Page[Share]{}, err
	}
	return listing.List[Share, newest]{
		Read: func(after newest, limit int) ([]Share, error) {
			records, err := p.store.Mine(ctx, p.person, ShareRecord{CreatedAt: after.At, Packet: after.ID}, limit)
			return each(records, ShareRecord.share), err
		},
		At: func(s Share) newest { return newest{s.GrabbedAt, s.Packet} },
	}.Page(page, "shares of "+p.person)
}

// each returns what becomes of each record.
func each[R, T any](records []R, shown func(R) T) []T {
	all := make([]T, len(records))
	for i, r := range records {
		all[i] = shown(r)
	}
	return all
}

// look returns a packet as it is kept, and the clock, or ErrNotFound.
func (p *Packets) look(ctx context.Context, id int64) (Record, time.Time, error) {
	record, now, err := p.store.Record(ctx, id)
	if err == nil && record.State == None {
		err = &PacketError{Packet: id, Err: ErrNotFound}
	}
	return record, now, err
}

// changed returns a packet that this call has just changed.
func (p *Packets) changed(ctx context.Context, id int64) (Packet, error) {
	packet, err := p.Packet(ctx, id)
	return packet, fault.Unread(err)
}

// replay returns a packet that this call has found changed already.
func (p *Packets) replay(ctx context.Context, r Record) (Packet, error) {
	packet, err := p.packet(ctx, r)
	packet.Replay = err == nil
	return packet, err
}

// packet returns a packet as its caller sees it. The best luck is returned as a Share.
func (p *Packets) packet(ctx context.Context, r Record) (Packet, error) {
	packet := r.packet()
	if r.State != Finished {
		return packet, nil
	}
	best, ok, err := p.store.Share(ctx, r.ID, r.BestPerson)
	switch {
	case err != nil:
		return Packet{}, err
	case !ok:
		return Packet{}, fmt.Errorf("%w: the best share of packet %d is missing", ErrDrift, r.ID)
	}
	share := best.share()
	packet.Best = &share
	return packet, nil
}

// packet returns a packet as its caller sees it, without the best luck.
func (r Record) packet() Packet {
	amount := func(minor int64) decimal.Decimal { return money.Decimal(minor, r.Places) }
	return Packet{
		ID: r.ID, Sender: r.Sender, Places: r.Places, Total: amount(r.Split.Total), Count: r.Split.Count,
		Equal: r.Split.Equal, Min: amount(r.Split.Min), Max: amount(r.Split.Max), Start: r.Start, End: r.End,
		State: r.State, Taken: r.Taken, Grabbed: amount(r.Grabbed), Left: amount(r.Left),
		CreatedAt: r.CreatedAt, ConfirmedAt: r.ConfirmedAt, EndedAt: r.EndedAt,
	}
}

// share returns a share as its caller sees it.
func (b ShareRecord) share() Share {
	return Share{
		Packet: b.Packet, No: b.No, Person: b.Person, Amount: money.Decimal(b.Money, b.Places),
		GrabbedAt: b.CreatedAt, Payout: PayoutNumber(b.Packet, b.No), Paid: b.Paid,
	}
}
