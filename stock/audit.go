package stock

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Drift is one counter that is not what the holds and changes say.
type Drift struct {
	Key
	Buyer    string // "" for a counter of the item itself
	Quantity string // "total", "sold", "locked", "left", "refunded", "waiting", "backordered"; for a buyer "held", "bought", "holds"
	Counted  int64  // what the counter says
	Recount  int64  // what it should say
}

// By returns how much the counter is too high; negative is too low.
func (d Drift) By() int64 { return d.Counted - d.Recount }

// String returns a line for a log.
func (d Drift) String() string {
	who := d.Key.String()
	if d.Buyer != "" {
		who = fmt.Sprintf("%v, buyer %q", d.Key, d.Buyer)
	}
	return fmt.Sprintf("%s: %s is %d, should be %d (%+d)", who, d.Quantity, d.Counted, d.Recount, d.By())
}

// Report is the result of an audit.
type Report struct {
	Items    int     // items that were looked at
	Drifts   []Drift // empty when the books balance
	Kept     []Drift // of Drifts, those that Repair left because lowering the counter would take sales back
	Repaired int     // items that Repair corrected
}

// Balanced reports whether nothing was found.
func (r Report) Balanced() bool { return len(r.Drifts) == 0 }

// repair is what an audit does about what it finds.
type repair uint8

const (
	look       repair = iota // nothing
	mend                     // corrects it, unless that takes sales back
	backOnSale               // corrects all of it
)

// Audit recounts every counter of these items, or of all items where none is named, from the holds and the recorded
// changes, while traffic runs. It changes nothing. Sales are recounted from paid holds, so these must not be deleted.
// AuditAll tells how far it has come.
// Errors: ErrInvalid, ErrUnknownSKU.
func (inv *Inventory) Audit(ctx context.Context, keys ...Key) (Report, error) {
	return inv.audit(ctx, keys, look)
}

// Repair is Audit that also corrects each drift, by a recorded change and while traffic runs.
// The report has the drifts as they were found.
//
// It never takes sales back: it only raises the counters of units sold, refunded, and bought by a buyer. A counter
// above its recount is mostly one whose paid holds somebody has deleted, and lowering it would sell the units twice.
// Repair leaves it, lists it in Report.Kept, and returns an ErrDrift that names the item. It corrects the item's other
// counters. RepairBackOnSale lowers it.
//
// Corrections that would break the books, because the holds themselves claim more than there is, are refused
// with ErrDrift as well. The other items are corrected all the same.
func (inv *Inventory) Repair(ctx context.Context, keys ...Key) (Report, error) {
	return inv.audit(ctx, keys, mend)
}

// RepairBackOnSale is Repair that also takes sales back: units that are counted as sold, and that no paid hold
// claims, go back on sale, and to the limits of their buyers. It is for counters that were changed by hand, never
// for holds that were deleted. The items must be named; none is ErrInvalid.
func (inv *Inventory) RepairBackOnSale(ctx context.Context, keys ...Key) (Report, error) {
	if len(keys) == 0 {
		return Report{}, errors.Join(inv.ready(ctx), fault.Invalid("keys", "must name the items whose units go back on sale"))
	}
	return inv.audit(ctx, keys, backOnSale)
}

// AuditAll is Audit, part by part: each Report is that of up to 500 items, or of fewer that have sold a lot, in the order of keys, as
// soon as they are recounted. It ends with the first error.
func (inv *Inventory) AuditAll(ctx context.Context, keys ...Key) iter.Seq2[Report, error] {
	return inv.audits(ctx, keys, look)
}

// audit looks at each item, and repairs it if asked.
func (inv *Inventory) audit(ctx context.Context, keys []Key, do repair) (Report, error) {
	var report Report
	var failed []error
	for found, err := range inv.audits(ctx, keys, do) {
		report.Items += found.Items
		report.Drifts = append(report.Drifts, found.Drifts...)
		report.Kept = append(report.Kept, found.Kept...)
		report.Repaired += found.Repaired
		failed = append(failed, err)
	}
	return report, errors.Join(failed...)
}

// audits looks at items part by part, and repairs them if asked. ErrDrift is the error of a part; the others are the last.
func (inv *Inventory) audits(ctx context.Context, keys []Key, do repair) iter.Seq2[Report, error] {
	return func(yield func(Report, error) bool) {
		for part, err := range inv.parts(ctx, keys) {
			var report Report
			if err == nil {
				report, err = inv.auditPart(ctx, part, do)
			}
			if !yield(report, err) || err != nil && !errors.Is(err, ErrDrift) {
				return
			}
		}
	}
}

// mostCounted bounds the units that the items of a part have sold, locked and refunded, where it has several: a statement does not
// recount many items that have sold a lot.
const mostCounted = 100_000

// parts lists these keys, or those of all items, in their order and as many at a time as one statement has.
func (inv *Inventory) parts(ctx context.Context, keys []Key) iter.Seq2[[]Key, error] {
	return func(yield func([]Key, error) bool) {
		err := inv.ready(ctx)
		for _, key := range keys {
			err = errors.Join(err, checkKey(key))
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if len(keys) > 0 {
			for part := range slices.Chunk(slices.Compact(slices.SortedFunc(slices.Values(keys), Key.Compare)), MaxLines) {
				if !yield(part, nil) {
					return
				}
			}
			return
		}
		for after, full := (Key{}), true; full; {
			items, err := inv.store.List(ctx, 0, after, MaxLines)
			if err != nil {
				yield(nil, err)
				return
			}
			full = len(items) == MaxLines
			for len(items) > 0 {
				part := lightest(items)
				if !yield(part, nil) {
					return
				}
				items, after = items[len(part):], part[len(part)-1]
			}
		}
	}
}

// lightest returns the keys of the first items that are recounted together: one at least.
func lightest(items []Item) (keys []Key) {
	counted := int64(0)
	for _, item := range items {
		counted += min(item.Sold, mostCounted) + min(item.Locked, mostCounted) + min(item.Refunded, mostCounted)
		if counted > mostCounted && len(keys) > 0 {
			break
		}
		keys = append(keys, item.Key)
	}
	return keys
}

// auditPart recounts some items.
func (inv *Inventory) auditPart(ctx context.Context, keys []Key, do repair) (Report, error) {
	var report Report
	books, err := inv.store.Books(ctx, keys)
	if err != nil {
		return report, err
	}
	var failed error
	for i, book := range books {
		if book.Version == 0 {
			return report, errors.Join(failed, &ItemError{Key: keys[i], Err: ErrUnknownSKU})
		}
		found, err := inv.settle(ctx, book, do)
		report.Items++
		report.Drifts = append(report.Drifts, found.Drifts...)
		report.Kept = append(report.Kept, found.Kept...)
		report.Repaired += found.Repaired
		failed = errors.Join(failed, err)
		if err != nil && !errors.Is(err, ErrDrift) {
			break
		}
	}
	return report, failed
}

// settle compares a book with its recount, and corrects it if asked. The correction is the difference, not the new value: it
// stays right while traffic moves counter and recount together.
func (inv *Inventory) settle(ctx context.Context, book Book, do repair) (Report, error) {
	key := book.Key
	for range attempts {
		book.balance()
		found, kept := Report{Drifts: book.drifts()}, error(nil)
		if do == mend {
			found.Kept, kept = book.keepSales()
		}
		if do == look || len(book.drifts()) == 0 {
			return found, kept
		}
		correction := book.correction()
		correction.Actor, correction.Reason = inv.actor, inv.reason
		verdict, err := inv.store.Apply(ctx, correction)
		switch {
		case err != nil:
			return found, err
		case verdict == Done:
			found.Repaired++
			return found, kept
		case verdict == Refused:
			return found, errors.Join(kept, fmt.Errorf("%w: %v cannot be corrected: its holds claim more than it has", fault.ErrDrift, key))
		}
		books, err := inv.store.Books(ctx, []Key{key}) // Exists: another repair was faster; look again
		if err != nil {
			return Report{}, err
		}
		book = books[0]
	}
	return Report{}, &ContentionError{Verb: "repair", ID: key.String()}
}

// balance works out what should be left.
func (b *Book) balance() {
	if !b.Unlimited {
		b.Recount.Left = b.Recount.Total - b.Recount.Sold
	}
}

// keepSales makes the recount claim no fewer sales than are counted, and returns the drifts that it leaves by that.
func (b *Book) keepSales() (kept []Drift, err error) {
	for _, d := range b.drifts() {
		if d.By() > 0 && slices.Contains([]string{"sold", "refunded", "bought"}, d.Quantity) { // a correction would undo sales
			kept = append(kept, d)
			err = errors.Join(err, fmt.Errorf("%w: %v; it is left: paid holds may have been deleted, and their units would be sold twice",
				fault.ErrDrift, d))
		}
	}
	b.Recount.Sold, b.Recount.Refunded = max(b.Recount.Sold, b.Sold), max(b.Recount.Refunded, b.Refunded)
	b.balance()
	for i := range b.Buyers {
		b.Buyers[i].Recount.Bought = max(b.Buyers[i].Recount.Bought, b.Buyers[i].Usage.Bought)
	}
	return kept, err
}

// drifts returns the counters that are not what they should be.
func (b Book) drifts() []Drift {
	var drifts []Drift
	add := func(buyer, quantity string, counted, recount int64) {
		if counted != recount {
			drifts = append(drifts, Drift{Key: b.Key, Buyer: buyer, Quantity: quantity, Counted: counted, Recount: recount})
		}
	}
	add("", "total", b.Total, b.Recount.Total)
	add("", "sold", b.Sold, b.Recount.Sold)
	add("", "locked", b.Locked, b.Recount.Locked)
	add("", "left", b.Left, b.Recount.Left)
	add("", "refunded", b.Refunded, b.Recount.Refunded)
	add("", "waiting", b.Waiting, b.Recount.Waiting)
	add("", "backordered", b.Backordered, b.Recount.Backordered)
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
		Waiting:  b.Recount.Waiting - b.Waiting,

		Backordered: b.Recount.Backordered - b.Backordered,
	}})
	for _, buyer := range b.Buyers {
		c.Entries = append(c.Entries, Entry{
			Key: b.Key, Buyer: buyer.Buyer, Holds: buyer.Recount.Holds - buyer.Usage.Holds,
			Delta: Quantities{Locked: buyer.Recount.Held - buyer.Usage.Held, Sold: buyer.Recount.Bought - buyer.Usage.Bought},
		})
	}
	return c
}
