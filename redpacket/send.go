package redpacket

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// Send records a packet, which nobody can grab before Confirm. It returns the packet as it is stored, with
// defaults for a Min and an End that were not given.
//
// Sending the same packet again returns it in its current state; the same ID with another sender, amount, division
// or window is ErrMismatch.
//
// Errors, in the order of precedence: ErrInvalid, also where Total cannot be divided into Count shares of
// Min to Max; ErrMismatch.
func (p *Packets) Send(ctx context.Context, packet Packet) (Packet, error) {
	if err := p.readyPacket(ctx, packet.ID); err != nil {
		return Packet{}, err
	}
	asked, err := p.record(packet)
	if err != nil {
		return Packet{}, err
	}
	for range attempts {
		verdict, err := p.store.Add(ctx, asked, p.opts.SenderMayGrab, p.opts.LiveFor)
		if err != nil {
			return Packet{}, err
		}
		if verdict == stock.Done {
			p.took(ctx, Effect{Step: StepSend, Packet: packet.ID})
			return p.changed(ctx, packet.ID)
		}
		record, _, err := p.store.Record(ctx, packet.ID)
		switch {
		case err != nil:
			return Packet{}, err
		case record.State == None: // the Send that was in the way has been undone
			continue
		}
		if err := record.differs(asked); err != nil {
			return Packet{}, err
		}
		return p.replay(ctx, record)
	}
	return Packet{}, contention("send", packet.ID)
}

// record checks a packet that is to be sent, and returns it as it is kept.
func (p *Packets) record(packet Packet) (Record, error) {
	if err := errors.Join(input.ID("sender", packet.Sender), money.Places(packet.Places)); err != nil {
		return Record{}, err
	}
	total, err1 := money.Minor("total", packet.Total, packet.Places)
	least, err2 := money.Minor("min", packet.Min, packet.Places)
	most, err3 := money.Minor("max", packet.Max, packet.Places)
	if err := errors.Join(err1, err2, err3); err != nil {
		return Record{}, err
	}
	split := Split{Total: total, Count: packet.Count, Min: max(least, 1), Max: most, Equal: packet.Equal}
	if err := errors.Join(split.check(), window(packet.Start, packet.End)); err != nil {
		return Record{}, err
	}
	split.Seed = p.opts.Seed()
	record := Record{
		ID: packet.ID, Sender: packet.Sender, Places: packet.Places, Split: split,
		Start: input.Instant(packet.Start), End: input.Instant(packet.End), OwnEnd: !packet.End.IsZero(),
	}
	if !record.OwnEnd && !record.Start.IsZero() {
		record.End = record.Start.Add(p.opts.LiveFor)
		if err := input.Time("end", record.End); err != nil {
			return Record{}, err
		}
	}
	return record, nil
}

// window refuses a window that no store can keep, or that is empty.
func window(start, end time.Time) error {
	var err error
	if !start.IsZero() {
		err = errors.Join(err, input.Time("start", start))
	}
	if !end.IsZero() {
		err = errors.Join(err, input.Time("end", end))
	}
	if !start.IsZero() && !end.IsZero() && !input.Instant(start).Before(input.Instant(end)) {
		err = errors.Join(err, fault.Invalid("end", "must be after the start"))
	}
	return err
}

// differs returns ErrMismatch for a Send with the same ID that asks for another packet. It ignores the seed, which each
// Send draws anew, and an End that was not given.
func (r Record) differs(asked Record) error {
	amount := func(field string, recorded, asked int64) fault.Argument {
		return fault.Alike(field, money.Decimal(recorded, r.Places), money.Decimal(asked, r.Places))
	}
	was, is := r.Split, asked.Split
	differs := []fault.Argument{
		fault.Private("sender", r.Sender, asked.Sender), fault.Equal("places", r.Places, asked.Places),
		amount("total", was.Total, is.Total), fault.Equal("count", was.Count, is.Count), fault.Equal("equal", was.Equal, is.Equal),
		amount("min", was.Min, is.Min), amount("max", was.Max, is.Max),
		fault.Alike("start", r.Start, asked.Start), fault.Equal("own end", r.OwnEnd, asked.OwnEnd),
	}
	if r.OwnEnd {
		differs = append(differs, fault.Alike("end", r.End, asked.End))
	}
	return fault.Mismatch(strconv.FormatInt(r.ID, 10), differs...)
}

// Confirm records that the sender's payment arrived: from then on, and within its window, the packet can be
// grabbed. Confirming twice is safe. It does not know by which payment the packet was paid: a shop that keeps the payment's number in
// its row sees that another one has come, and sends that back.
//
// A packet that is paid too late can never be grabbed. It becomes Expired if its End has come, and stays Closed if
// it was closed. All of its money is then owed to its sender, as the payout with No 0. That is not an
// error: look at the State.
//
// What goes along with the call (sqlstore.RedPacket.Along) is done in the transaction that opens the packet, or that gives all of it
// back.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound.
func (p *Packets) Confirm(ctx context.Context, id int64) (Packet, error) {
	if err := p.readyPacket(ctx, id); err != nil {
		return Packet{}, err
	}
	step, move := StepConfirm, p.store.Open
	for range attempts {
		verdict, err := move(ctx, id)
		if err != nil {
			return Packet{}, err
		}
		if verdict == stock.Done {
			p.took(ctx, Effect{Step: step, Packet: id})
			return p.changed(ctx, id)
		}
		record, now, err := p.look(ctx, id)
		switch {
		case err != nil:
			return Packet{}, err
		case record.State == Unpaid && now.Before(record.End):
			step, move = StepConfirm, p.store.Open
		case record.State == Unpaid, record.State == Closed && record.ConfirmedAt.IsZero():
			step, move = StepReturn, p.store.Return
		default:
			return p.replay(ctx, record)
		}
	}
	return Packet{}, contention("confirm", id)
}
