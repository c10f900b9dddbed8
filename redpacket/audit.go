package redpacket

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// Drift is a number or state in the books of a packet that disagrees with its shares. Money is in the
// smallest unit of the packet's currency.
type Drift struct {
	Packet int64
	// "shares", "grabbed", "left", "grabs" (the units that were taken), "remainder" (what went back; -1 is nothing) or "state" (a State)
	Quantity string
	Counted  int64 // what the books say
	Recount  int64 // what they should say
}

// By returns by how much the books are too high; negative is too low.
func (d Drift) By() int64 { return d.Counted - d.Recount }

// String returns a line for a log.
func (d Drift) String() string {
	if d.Quantity == "state" {
		counted, recount := State(d.Counted), State(d.Recount) //nolint:gosec // they were states before
		return fmt.Sprintf("packet %d: state is %v, should be %v", d.Packet, counted, recount)
	}
	return fmt.Sprintf("packet %d: %s is %d, should be %d (%+d)", d.Packet, d.Quantity, d.Counted, d.Recount, d.By())
}

// Report is the result of an audit.
type Report struct {
	Packets  int           // how many packets were checked
	Drifts   []Drift       // disagreements between packets and shares
	Units    []stock.Drift // counters of the units that grabs take: a packet is the item whose SKU is its ID
	Kept     []stock.Drift // the Units that Repair left alone, because lowering the counter would take grabs back
	Repaired int           // packets whose Units Repair corrected
}

// Balanced reports whether nothing was found.
func (r Report) Balanced() bool { return len(r.Drifts) == 0 && len(r.Units) == 0 }

// Audit recounts these packets, or all where none is named, from their shares, and their units from the
// grabs. It can run during traffic and changes nothing. Anything it finds was written from outside.
//
// Errors: ErrInvalid, ErrNotFound.
func (p *Packets) Audit(ctx context.Context, ids ...int64) (Report, error) {
	return p.audit(ctx, ids, (*stock.Inventory).Audit)
}

// Repair is an Audit that also corrects the counters of the units, as stock.Inventory.Repair does: it only raises the
// count of grabs. Drifts of packets and shares stay: people decide about money that was booked wrongly.
func (p *Packets) Repair(ctx context.Context, ids ...int64) (Report, error) {
	return p.audit(ctx, ids, (*stock.Inventory).Repair)
}

// RepairBackOnSale is a Repair that also takes grabs back, as stock.Inventory.RepairBackOnSale does: a unit that is
// counted but has no grab can be grabbed again. The packets must be named; none is ErrInvalid.
func (p *Packets) RepairBackOnSale(ctx context.Context, ids ...int64) (Report, error) {
	if len(ids) == 0 {
		return Report{}, errors.Join(p.ready(ctx), fault.Invalid("packets", "must be named"))
	}
	return p.audit(ctx, ids, (*stock.Inventory).RepairBackOnSale)
}

// audit checks each packet. It goes on after a packet that cannot be repaired.
func (p *Packets) audit(
	ctx context.Context, ids []int64, units func(*stock.Inventory, context.Context, ...stock.Key) (stock.Report, error),
) (Report, error) {
	err := p.ready(ctx)
	for _, id := range ids {
		err = errors.Join(err, input.Positive("packet", id))
	}
	if err != nil {
		return Report{}, err
	}
	var report Report
	var failed error
	one := func(id int64) error {
		book, err := p.store.Book(ctx, id)
		switch {
		case err != nil:
			return err
		case book.State == None:
			return &PacketError{Packet: id, Err: ErrNotFound}
		}
		report.Packets++
		report.Drifts = append(report.Drifts, book.drifts()...)
		found, err := units(p.units, ctx, stock.Key{SKU: id})
		if err != nil && !errors.Is(err, ErrDrift) {
			return err
		}
		failed = errors.Join(failed, err)
		report.Units = append(report.Units, found.Drifts...)
		report.Kept = append(report.Kept, found.Kept...)
		report.Repaired += found.Repaired
		return nil
	}
	for _, id := range ids {
		if err := one(id); err != nil {
			return report, err
		}
	}
	if len(ids) > 0 {
		return report, failed
	}
	records := listing.Pages(nil,
		func(after int64, limit int) ([]Record, error) { return p.store.Records(ctx, after, limit) },
		func(r Record) int64 { return r.ID })
	for record, err := range records {
		if err == nil {
			err = one(record.ID)
		}
		if err != nil {
			return report, err
		}
	}
	return report, failed
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
