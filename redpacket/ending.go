package redpacket

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/sweep"
	"github.com/holdfast-go/holdfast/stock"
)

// expireBatch is how many packets Expire looks up at a time.
const expireBatch = 200

// Close ends a packet early. The caller has to check that it is the sender who asks. The money that was not
// grabbed is owed to the sender from then on, once, as the payout with No 0. A packet that is not paid
// yet is closed for good; see Confirm for a payment that still arrives.
//
// Closing again returns the packet as it is. So does closing one that is Finished or Expired, or one whose End
// has come, which is then Expired. That is not an error, and does not change the amount that goes back.
//
// Errors, in the order of precedence: ErrInvalid, ErrNotFound.
func (p *Packets) Close(ctx context.Context, id int64) (Packet, error) {
	if err := p.readyPacket(ctx, id); err != nil {
		return Packet{}, err
	}
	for range attempts {
		record, now, err := p.look(ctx, id)
		if err != nil {
			return Packet{}, err
		}
		var verdict stock.Verdict
		step := StepClose
		switch {
		case record.State == Unpaid:
			verdict, err = p.store.Drop(ctx, id)
		case record.State == Open && now.Before(record.End):
			verdict, err = p.store.End(ctx, id, Closed)
		case record.State == Open:
			step = StepExpire
			verdict, err = p.store.End(ctx, id, Expired)
		default:
			return p.replay(ctx, record)
		}
		switch {
		case err != nil:
			return Packet{}, err
		case verdict == stock.Done:
			p.took(ctx, Effect{Step: step, Packet: id})
			return p.changed(ctx, id)
		}
	}
	return Packet{}, contention("close", id)
}

// Expire ends every Open packet whose End has come, and returns how many this call ended. The money
// that was not grabbed is owed to the sender from then on, once, as the payout with No 0. Nobody can grab
// after the End, whether or not Expire has run, but no money goes back until it has. Any number of
// processes may run it at once. Packets whose counters have drifted are skipped, and their error is
// returned at the end. Only 200 or more such packets can block the rest. A caller's transaction that has a packet's rows locked holds up
// the packets that end after that one.
func (p *Packets) Expire(ctx context.Context) (int, error) {
	if err := p.ready(ctx); err != nil {
		return 0, err
	}
	total := 0
	for {
		ended, found, err := p.expireSome(ctx)
		total += ended
		if ended == 0 || ctx.Err() != nil || err == nil && found < expireBatch {
			return total, err // nothing is left, or only what others are at, or what fails
		}
	}
}

// expireSome ends a batch of packets. It returns how many it ended itself and how many were found.
func (p *Packets) expireSome(ctx context.Context) (ended, found int, err error) {
	due, err := p.store.Due(ctx, expireBatch)
	if err != nil {
		return 0, 0, err
	}
	var failed []error
	store := p.plain().store
	for _, id := range due {
		verdict, err := store.End(ctx, id, Expired)
		switch {
		case err != nil && !errors.Is(err, ErrDrift):
			return ended, len(due), errors.Join(append(failed, err)...)
		case err != nil:
			failed = append(failed, err)
		case verdict == stock.Done:
			ended++
			p.took(ctx, Effect{Step: StepExpire, Packet: id})
		}
	}
	return ended, len(due), errors.Join(failed...)
}

// Run calls Expire every Options.Sweep until the context ends, and returns its error. After a sweep that
// failed it calls Options.OnError and rests longer each time, half a minute at most.
func (p *Packets) Run(ctx context.Context) error {
	if err := p.ready(ctx); err != nil {
		return err
	}
	return sweep.Run(ctx, p.opts.Sweep, p.Expire, p.opts.OnError)
}
