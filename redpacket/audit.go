package redpacket

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Drift is something in the books of a packet that does not agree with its shares. Money is in the
// smallest unit of the packet's currency.
type Drift struct {
	Packet   int64
	Quantity string // "shares", "grabbed", "left", "grabs" (the units that were taken), "remainder" (what went back; -1 is nothing) or "state" (a State)
	Counted  int64  // what the books say
	Recount  int64  // what they should say
}

// By returns how much the books are too high; negative is too low.
func (d Drift) By() int64 { return d.Counted - d.Recount }

// String returns a line for a log.
func (d Drift) String() string {
	if d.Quantity == "state" {
		return fmt.Sprintf("packet %d: state is %v, should be %v", d.Packet, State(d.Counted), State(d.Recount)) //nolint:gosec // they were states before
	}
	return fmt.Sprintf("packet %d: %s is %d, should be %d (%+d)", d.Packet, d.Quantity, d.Counted, d.Recount, d.By())
}

// Report is the result of an audit.
type Report struct {
	Packets int           // packets that were looked at
	Drifts  []Drift       // empty when the books balance
	Units   []stock.Drift // the same for the units that grabs take: the item whose SKU is the packet's ID
}

// Audit recounts these packets, or all where none is named, from their shares, and their units from the
// grabs, while traffic runs. It changes nothing. What it finds was written from outside; money that was
// booked wrongly is for people to decide about.
//
// Errors: ErrInvalid, ErrNotFound.
func (p *Packets) Audit(ctx context.Context, ids ...int64) (Report, error) {
	err := p.ready(ctx)
	for _, id := range ids {
		err = errors.Join(err, input.Positive("packet", id))
	}
	if err != nil {
		return Report{}, err
	}
	var report Report
	for _, id := range ids {
		if err := p.audit(ctx, id, &report); err != nil {
			return report, err
		}
	}
	if len(ids) > 0 {
		return report, nil
	}
	var after int64
	for {
		page, err := p.store.Records(ctx, after, pageSize)
		if err != nil {
			return report, err
		}
		for _, record := range page {
			if err := p.audit(ctx, record.ID, &report); err != nil {
				return report, err
			}
			after = record.ID
		}
		if len(page) < pageSize {
			return report, nil
		}
	}
}

// audit looks at one packet.
func (p *Packets) audit(ctx context.Context, id int64, report *Report) error {
	book, err := p.store.Book(ctx, id)
	if err != nil {
		return err
	}
	if book.State == None {
		return &PacketError{Packet: id, Err: ErrNotFound}
	}
	report.Packets++
	report.Drifts = append(report.Drifts, book.drifts()...)
	units, err := p.units.Audit(ctx, stock.Key{SKU: id})
	if err != nil {
		return err
	}
	report.Units = append(report.Units, units.Drifts...)
	return nil
}

// drifts returns what is not as it should be.
func (b Book) drifts() []Drift {
	var drifts []Drift
	add := func(quantity string, counted, recount int64) {
		if counted != recount {
			drifts = append(drifts, Drift{Packet: b.ID, Quantity: quantity, Counted: counted, Recount: recount})
		}
	}
	left := b.Split.Total - b.Money
	add("shares", b.Taken, b.Shares)
	add("grabbed", b.Grabbed, b.Money)
	add("left", b.Left, left)
	add("grabs", b.Holds, b.Shares)
	back := int64(-1)
	if (b.State == Closed || b.State == Expired) && !b.ConfirmedAt.IsZero() {
		back = left
	}
	add("remainder", b.Remainder, back)
	if b.State == Open && b.Shares >= b.Split.Count {
		add("state", int64(b.State), int64(Finished))
	}
	if b.State == Finished && b.Shares < b.Split.Count {
		add("state", int64(b.State), int64(Open))
	}
	return drifts
}
