package stock

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Drift is one counter that is not what the holds and changes say.
type Drift struct {
	Key
	Buyer    int64  // 0 for a counter of the item itself
	Quantity string // "total", "sold", "locked", "left", "refunded"; for a buyer "held", "bought", "holds"
	Counted  int64  // what the counter says
	Recount  int64  // what it should say
}

// By returns how much the counter is too high; negative is too low.
func (d Drift) By() int64 { return d.Counted - d.Recount }

// String returns a line for a log.
func (d Drift) String() string {
	who := d.Key.String()
	if d.Buyer != 0 {
		who = fmt.Sprintf("%v, buyer %d", d.Key, d.Buyer)
	}
	return fmt.Sprintf("%s: %s is %d, should be %d (%+d)", who, d.Quantity, d.Counted, d.Recount, d.By())
}

// Report is the result of an audit.
type Report struct {
	Items    int     // items that were looked at
	Drifts   []Drift // empty when the books balance
	Repaired int     // items that Repair corrected
}

// Audit recounts every counter of these items, or of all items where none is named, from the
// holds and the recorded changes, while traffic runs. It changes nothing.
// Errors: ErrInvalid, ErrUnknownSKU.
func (inv *Inventory) Audit(ctx context.Context, keys ...Key) (Report, error) {
	return inv.audit(ctx, keys, false)
}

// Repair is Audit that also corrects each drift, by a recorded change and while traffic runs.
// The report has the drifts as they were found. Corrections that would break the books, because
// the holds themselves claim more than there is, are refused with ErrDrift; the other items are
// corrected all the same.
func (inv *Inventory) Repair(ctx context.Context, keys ...Key) (Report, error) {
	return inv.audit(ctx, keys, true)
}

// audit looks at each item, and repairs it if asked.
func (inv *Inventory) audit(ctx context.Context, keys []Key, repair bool) (Report, error) {
	err := inv.ready(ctx)
	for _, key := range keys {
		err = errors.Join(err, checkKey(key))
	}
	if err != nil {
		return Report{}, err
	}
	var report Report
	var failed []error
	one := func(key Key) error {
		drifts, err := inv.auditItem(ctx, key, repair)
		report.Items++
		report.Drifts = append(report.Drifts, drifts...)
		switch {
		case err == nil && repair && len(drifts) > 0:
			report.Repaired++
		case errors.Is(err, ErrDrift):
			failed = append(failed, err)
			return nil
		}
		return err
	}
	if len(keys) > 0 {
		for _, key := range keys {
			if err := one(key); err != nil {
				return report, err
			}
		}
		return report, errors.Join(failed...)
	}
	for item, err := range inv.Items(ctx) {
		if err != nil {
			return report, err
		}
		if err := one(item.Key); err != nil {
			return report, err
		}
	}
	return report, errors.Join(failed...)
}

// auditItem recounts one item. The correction is the difference, not the new value: it stays
// right while traffic moves counter and recount together.
func (inv *Inventory) auditItem(ctx context.Context, key Key, repair bool) ([]Drift, error) {
	for range attempts {
		book, err := inv.store.Book(ctx, key)
		if err != nil {
			return nil, err
		}
		if book.Version == 0 {
			return nil, &ItemError{Key: key, Err: ErrUnknownSKU}
		}
		if !book.Unlimited {
			book.Recount.Left = book.Recount.Total - book.Recount.Sold
		}
		drifts := book.drifts()
		if len(drifts) == 0 || !repair {
			return drifts, nil
		}
		verdict, err := inv.store.Apply(ctx, book.correction())
		switch {
		case err != nil:
			return drifts, err
		case verdict == Done:
			return drifts, nil
		case verdict == Refused:
			return drifts, fmt.Errorf("%w: %v cannot be corrected: its holds claim more than it has", fault.ErrDrift, key)
		}
		// Exists: another repair was faster; look again.
	}
	return nil, contention("repair", key.String())
}

// drifts returns the counters that are not what they should be.
func (b Book) drifts() []Drift {
	var drifts []Drift
	add := func(buyer int64, quantity string, counted, recount int64) {
		if counted != recount {
			drifts = append(drifts, Drift{Key: b.Key, Buyer: buyer, Quantity: quantity, Counted: counted, Recount: recount})
		}
	}
	add(0, "total", b.Total, b.Recount.Total)
	add(0, "sold", b.Sold, b.Recount.Sold)
	add(0, "locked", b.Locked, b.Recount.Locked)
	add(0, "left", b.Left, b.Recount.Left)
	add(0, "refunded", b.Refunded, b.Recount.Refunded)
	for _, buyer := range b.Buyers {
		add(buyer.Buyer, "held", buyer.Usage.Held, buyer.Recount.Held)
		add(buyer.Buyer, "bought", buyer.Usage.Bought, buyer.Recount.Bought)
		add(buyer.Buyer, "holds", buyer.Usage.Holds, buyer.Recount.Holds)
	}
	return drifts
}

// correction returns the change that makes the book right. Its ID is taken as soon as another
// repair of the item was faster.
func (b Book) correction() Change {
	c := Change{Kind: KindRepair, ID: b.Serial(b.Repairs + 1)}
	c.Entries = append(c.Entries, Entry{Key: b.Key, Delta: Quantities{
		Total:    b.Recount.Total - b.Total,
		Sold:     b.Recount.Sold - b.Sold,
		Locked:   b.Recount.Locked - b.Locked,
		Left:     b.Recount.Left - b.Left,
		Refunded: b.Recount.Refunded - b.Refunded,
	}})
	for _, buyer := range b.Buyers {
		c.Entries = append(c.Entries, Entry{
			Key: b.Key, Buyer: buyer.Buyer, Holds: buyer.Recount.Holds - buyer.Usage.Holds,
			Delta: Quantities{Locked: buyer.Recount.Held - buyer.Usage.Held, Sold: buyer.Recount.Bought - buyer.Usage.Bought},
		})
	}
	return c
}
