package groupbuy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// Drift is a number in the books of a team or a product that disagrees with the seats or the stock.
type Drift struct {
	stock.Key        // of the product
	Team      string // the code; empty for a number of the product itself

	// Quantity is "held", "paid" or "volume" of a team. Of a product it is "formed", the people whose teams
	// were formed; "allotted", the units that were taken out of ordinary stock for it; or "settled", the units that
	// are available although nothing should be left.
	Quantity string
	Counted  decimal.Decimal // what the books say
	Recount  decimal.Decimal // what they should say
}

// SeatBook is a seat whose state does not match its hold.
type SeatBook struct {
	Order string
	State SeatState
	Hold  stock.State
	Units int64 // of the hold
}

// By returns by how much the books are too high; negative is too low.
func (d Drift) By() decimal.Decimal { return d.Counted.Sub(d.Recount) }

// String returns a line for a log.
func (d Drift) String() string {
	return fmt.Sprintf("%s: %s is %v, should be %v", drifted(d.Key, d.Team), d.Quantity, d.Counted, d.Recount)
}

// drifted returns the name of a team, or of a product where the code is empty.
func drifted(product stock.Key, team string) string {
	if team == "" {
		return product.String()
	}
	return fmt.Sprintf("team %s of %v", team, product)
}

// takesBack reports whether a correction would undo payments.
func (d Drift) takesBack() bool {
	return d.By().IsPositive() && (d.Quantity == "paid" || d.Quantity == "volume" || d.Quantity == "formed")
}

// Report is the result of an audit.
type Report struct {
	Products int          // that were looked at
	Teams    int          // of these products
	Units    stock.Report // of the pools, and of the ordinary stock of the same SKUs
	Drifts   []Drift      // of teams and products
	// the Drifts that Repair left, because lowering the number would take payments back; those of items are in Units
	Kept       []Drift
	Mismatched []SeatBook // seats that do not agree with their holds
	Repaired   int        // teams, products and seats that Repair corrected; the items are in Units
}

// Balanced reports whether nothing was found.
func (r Report) Balanced() bool {
	return len(r.Units.Drifts) == 0 && len(r.Drifts) == 0 && len(r.Mismatched) == 0
}

// Audit recounts these products, or those of all activities where none is named: their units as stock.Inventory.Audit
// does, and their teams from the seats. It compares each seat with its hold. It can run during traffic and changes
// nothing.
//
// If something that knows only the stock, such as its sweeper, moves a hold, then the seat is behind until the next look at it or a
// Repair, or, where it is Held, until an Expire past its deadline. That is no fault. Audit recounts from the paid holds and seats:
// never delete those.
//
// Errors: ErrInvalid, ErrUnknownProduct.
func (g *Groups) Audit(ctx context.Context, keys ...stock.Key) (Report, error) {
	return g.audit(ctx, keys, &auditRun{})
}

// Repair is an Audit that also corrects what it finds. It corrects item counters by recorded changes, as
// stock.Inventory.Repair does, and moves seats that are behind their holds by the step they missed. It corrects the
// counts of teams, with an event for each team, and the numbers of products. The report shows everything as it was
// found. A drift that cannot be corrected gives ErrDrift, and the others are still corrected. A seat that no single
// step brings in line with its hold stays as it is.
//
// Each number of a team or a product is corrected once, however many repair at once, and recorded in the same transaction: by how
// much, and who did it and why, where By named somebody. ChangesPage shows it, and CorrectionOf reads it. A seat that follows its
// hold is no correction: it makes the step that the hold has made, with the events of that.
//
// It never takes payments back: it only raises the sold and refunded units of items, the paid counts of teams, and the
// people of formed teams. An ErrDrift names the numbers left alone for that reason; see stock.Inventory.Repair.
func (g *Groups) Repair(ctx context.Context, keys ...stock.Key) (Report, error) {
	return g.audit(ctx, keys, &auditRun{repair: true})
}

// RepairBackOnSale is a Repair that also takes payments back, as stock.Inventory.RepairBackOnSale does: units and
// places that are counted as paid, but that no paid hold or seat claims, become free again. The products must be
// named; none is ErrInvalid.
func (g *Groups) RepairBackOnSale(ctx context.Context, keys ...stock.Key) (Report, error) {
	if len(keys) == 0 {
		return Report{}, errors.Join(g.ready(ctx), fault.Invalid("keys", "must name the products whose units go back on sale"))
	}
	return g.audit(ctx, keys, &auditRun{repair: true, backOnSale: true})
}

// auditRun is an audit under way.
type auditRun struct {
	groups     *Groups
	repair     bool
	backOnSale bool // also where that takes payments back
	report     Report
	seen       map[stock.Key]bool // items
	refused    []error            // what cannot be corrected
}

// audit looks at each product, and repairs it if asked.
func (g *Groups) audit(ctx context.Context, keys []stock.Key, a *auditRun) (Report, error) {
	err := g.ready(ctx)
	for _, key := range keys {
		err = errors.Join(err, allot.CheckKey(key))
	}
	if err != nil {
		return Report{}, err
	}
	a.groups, a.seen = g, map[stock.Key]bool{}
	for _, key := range keys {
		if err := a.product(ctx, key); err != nil {
			return a.report, err
		}
	}
	if len(keys) == 0 {
		err = a.everything(ctx)
	}
	return a.report, errors.Join(append(a.refused, err)...)
}

// everything looks at the products of all activities.
func (a *auditRun) everything(ctx context.Context) error {
	for activity, err := range a.groups.Activities(ctx) {
		if err != nil {
			return err
		}
		for product, err := range a.groups.books().Products(ctx, activity.ID) {
			if err == nil {
				err = a.product(ctx, product.Key)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// tolerates records an error after which the audit can go on, and returns any other.
func (a *auditRun) tolerates(err error) error {
	if errors.Is(err, ErrDrift) {
		a.refused = append(a.refused, err)
		return nil
	}
	return err
}

// product looks at one product: its seats first, since a seat that follows its hold moves counts with it.
func (a *auditRun) product(ctx context.Context, key stock.Key) error {
	if _, err := a.groups.product(ctx, key); err != nil {
		return err
	}
	a.report.Products++
	for _, look := range [...]func(context.Context, stock.Key) error{a.teams, a.formed, a.units, a.allotted, a.settled} {
		if err := a.tolerates(look(ctx, key)); err != nil {
			return err
		}
	}
	return nil
}

// units looks at the pool of a product and at the ordinary stock of its SKU, once.
func (a *auditRun) units(ctx context.Context, key stock.Key) error {
	for _, item := range [...]stock.Key{{SKU: key.SKU}, key} {
		if a.seen[item] {
			continue
		}
		a.seen[item] = true
		look := a.groups.units.Audit
		switch {
		case a.backOnSale:
			look = a.groups.units.RepairBackOnSale
		case a.repair:
			look = a.groups.units.Repair
		}
		found, err := look(ctx, item)
		if errors.Is(err, stock.ErrUnknownSKU) {
			continue // it never got a pool
		}
		a.report.Units.Items += found.Items
		a.report.Units.Repaired += found.Repaired
		a.report.Units.Drifts = append(a.report.Units.Drifts, found.Drifts...)
		a.report.Units.Kept = append(a.report.Units.Kept, found.Kept...)
		if err := a.tolerates(err); err != nil {
			return err
		}
	}
	return nil
}

// teams looks at the teams of a product.
func (a *auditRun) teams(ctx context.Context, key stock.Key) error {
	behind := ""
	books := listing.Pages(nil,
		func(after string, limit int) ([]TeamBook, error) { return a.groups.store.Books(ctx, key, after, limit) },
		func(b TeamBook) string { return b.Code })
	for book, err := range books {
		if err != nil {
			return err
		}
		a.report.Teams++
		a.report.Drifts = append(a.report.Drifts, book.drifts()...)
		a.report.Mismatched = append(a.report.Mismatched, book.Mismatched...)
		if a.repair {
			if err := a.tolerates(a.mend(ctx, book, behind)); err != nil {
				return err
			}
		}
		behind = book.Code
	}
	return nil
}

// drifts returns the numbers of the team that disagree with its seats.
func (b TeamBook) drifts() []Drift {
	var drifts []Drift
	add := func(quantity string, counted, recount decimal.Decimal) {
		if !counted.Equal(recount) {
			drifts = append(drifts, Drift{Key: b.Key, Team: b.Code, Quantity: quantity, Counted: counted, Recount: recount})
		}
	}
	add("held", decimal.NewFromInt(b.Held), decimal.NewFromInt(b.Recount.Held))
	add("paid", decimal.NewFromInt(b.Paid), decimal.NewFromInt(b.Recount.Paid))
	add("volume", b.PaidVolume, b.Recount.PaidVolume)
	return drifts
}

// mend corrects the team of a book that was listed after a code: the seats that are behind follow their holds, and
// then the counts of the team are set to what its seats are by then.
func (a *auditRun) mend(ctx context.Context, book TeamBook, behind string) error {
	var orders []string
	for _, seat := range book.Mismatched {
		if seat.State.CatchUpStep(seat.Hold, book.State == Formed) != 0 {
			orders = append(orders, seat.Order)
		}
	}
	moved, err := a.groups.follow(ctx, orders)
	a.report.Repaired += len(moved)
	if err := a.tolerates(err); err != nil {
		return err
	}
	for range attempts {
		if len(orders) > 0 { // it has moved
			if book, err = a.book(ctx, book, behind); err != nil {
				return err
			}
		}
		var kept []Drift
		if !a.backOnSale {
			kept = book.keepPaid()
		}
		if len(book.drifts()) == 0 {
			return a.keeps(kept...)
		}
		verdict, err := a.groups.store.Correct(ctx, book, a.corrections(book)...)
		switch {
		case err != nil:
			return err
		case verdict == stock.Done:
			a.report.Repaired++
			return a.keeps(kept...)
		}
		if book, err = a.book(ctx, book, behind); err != nil {
			return err
		}
	}
	return contention("repair", book.Code)
}

// corrections returns the records of what is corrected of a team.
func (a *auditRun) corrections(book TeamBook) []stock.Change {
	var changes []stock.Change
	for _, d := range book.drifts() {
		changes = append(changes, a.groups.correction(d, book.Version))
	}
	return changes
}

// keepPaid raises the recount to at least the paid counts, and returns the drifts that it leaves by that.
func (b *TeamBook) keepPaid() []Drift {
	kept := slices.DeleteFunc(b.drifts(), func(d Drift) bool { return !d.takesBack() })
	b.Recount.Paid, b.Recount.PaidVolume = max(b.Recount.Paid, b.Paid), decimal.Max(b.Recount.PaidVolume, b.PaidVolume)
	return kept
}

// keeps reports drifts that are left, and returns why.
func (a *auditRun) keeps(kept ...Drift) error {
	a.report.Kept = append(a.report.Kept, kept...)
	var errs []error
	for _, d := range kept {
		errs = append(errs, fmt.Errorf("%w: %v; it is left: paid seats may have been deleted", ErrDrift, d))
	}
	return errors.Join(errs...)
}

// book reads the book of a team again. Teams that were opened since may stand before it.
func (a *auditRun) book(ctx context.Context, was TeamBook, behind string) (TeamBook, error) {
	for {
		page, err := a.groups.store.Books(ctx, was.Key, behind, 1)
		if err != nil {
			return TeamBook{}, err
		}
		if len(page) == 0 || page[0].Code > was.Code {
			return TeamBook{}, fmt.Errorf("%w: team %q is gone", ErrDrift, was.Code)
		}
		if page[0].Code == was.Code {
			return page[0], nil
		}
		behind = page[0].Code
	}
}

// formed checks how many people of a product are in teams that were formed.
func (a *auditRun) formed(ctx context.Context, key stock.Key) error {
	for first := range attempts {
		book, err := a.groups.store.FormedPeople(ctx, key)
		if err != nil || book.Recount == book.Formed {
			return err
		}
		found := difference(key, "formed", book.Formed, book.Recount)
		if first == 0 {
			a.report.Drifts = append(a.report.Drifts, found)
		}
		switch {
		case !a.repair:
			return nil
		case !a.backOnSale && found.takesBack():
			return a.keeps(found)
		}
		// The difference, not the number: it stays right while traffic moves both. Only another repair would make it wrong, and that
		// leaves another version.
		verdict, err := a.groups.store.CorrectFormed(ctx, book, a.groups.correction(found, book.Version))
		switch {
		case err != nil:
			return err
		case verdict == stock.Done:
			a.report.Repaired++
			return nil
		}
	}
	return contention("repair", key.String())
}

// allotted looks at what was taken out of ordinary stock for a product.
func (a *auditRun) allotted(ctx context.Context, key stock.Key) error {
	return a.correct(ctx, key, func(product Product) (Product, error) {
		num, taken, err := a.groups.books().Allotment(ctx, key)
		switch {
		case err != nil || product.Allotted == num:
			return product, err
		case product.State == Offered, product.State != Preparing && taken && num > 0: // and not removed without ever having been offered
			a.differs(key, "allotted", product.Allotted, num)
			product.Allotted = num
		}
		return product, nil
	})
}

// settled looks for units of a product that is settled. Expire gives them back once it is removed again.
func (a *auditRun) settled(ctx context.Context, key stock.Key) error {
	return a.correct(ctx, key, func(product Product) (Product, error) {
		if product.State != Settled {
			return product, nil
		}
		item, err := a.groups.units.Item(ctx, key)
		if err != nil || item.Quantities.Available() <= 0 {
			return product, err
		}
		is, err := a.groups.product(ctx, key)
		if err == nil && is.Version == product.Version { // they did not come with a refund, just now
			a.differs(key, "settled", item.Quantities.Available(), 0)
			product.State = Removed
		}
		return product, err
	})
}

// correct keeps what a look at a product finds it should be.
func (a *auditRun) correct(ctx context.Context, key stock.Key, look func(Product) (Product, error)) error {
	for range attempts {
		found := len(a.report.Drifts)
		product, err := a.groups.product(ctx, key)
		if err != nil {
			return err
		}
		if product, err = look(product); err != nil || len(a.report.Drifts) == found || !a.repair {
			return err
		}
		record := a.groups.correction(a.report.Drifts[found], product.Version)
		verdict, err := a.groups.plain().store.SaveProduct(ctx, product, record)
		switch {
		case err != nil:
			return err
		case verdict == stock.Done:
			a.report.Repaired++
			return nil
		}
		a.report.Drifts = a.report.Drifts[:found] // it has changed: look again
	}
	return contention("repair", key.String())
}

// differs keeps a number of a product that is not right.
func (a *auditRun) differs(key stock.Key, quantity string, counted, recount int64) {
	a.report.Drifts = append(a.report.Drifts, difference(key, quantity, counted, recount))
}

// difference returns a number of a product that is not right.
func difference(key stock.Key, quantity string, counted, recount int64) Drift {
	return Drift{Key: key, Quantity: quantity, Counted: decimal.NewFromInt(counted), Recount: decimal.NewFromInt(recount)}
}
