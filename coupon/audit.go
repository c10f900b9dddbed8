package coupon

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Report is the result of an audit.
type Report struct {
	Campaigns int           // how many were checked
	Drifts    []stock.Drift // unit counters that disagree with the claims; a campaign is the item whose SKU is its ID
	Kept      []stock.Drift // the Drifts that Repair left alone, because lowering the counter would take claims back
	Repaired  int           // campaigns whose counters Repair corrected
	Conflicts []Conflict    // disagreements between coupons, claims, codes and uses
}

// Balanced reports whether nothing was found.
func (r Report) Balanced() bool { return len(r.Drifts) == 0 && len(r.Conflicts) == 0 }

// Conflict is a pair of numbers in the books of a campaign that must be equal and are not.
type Conflict struct {
	Campaign   int64
	What       string // the fields of Book that differ, for example "Redeemed, RedeemedBy"
	One, Other int64  // the two, in this order
}

// String returns a line for a log.
func (c Conflict) String() string {
	return fmt.Sprintf("campaign %d: %s are %d and %d", c.Campaign, c.What, c.One, c.Other)
}

// Audit recounts every unit counter of these campaigns, or of all campaigns where none is named, as
// stock.Inventory.Audit does. It also checks that coupons, claims, codes and uses agree. It can run during traffic
// and changes nothing. It recounts from the claims whose holds are paid: never delete those.
// Errors: ErrInvalid, ErrUnknownCampaign.
func (c *Coupons) Audit(ctx context.Context, campaigns ...int64) (Report, error) {
	return c.audit(ctx, campaigns, (*stock.Inventory).Audit)
}

// Repair is an Audit that also corrects the counters, as stock.Inventory.Repair does: it only raises the counts of
// claims and refunds. Conflicts need a person to look at them: no count shows which of two rows is wrong.
func (c *Coupons) Repair(ctx context.Context, campaigns ...int64) (Report, error) {
	return c.audit(ctx, campaigns, (*stock.Inventory).Repair)
}

// RepairBackOnSale is a Repair that also takes claims back, as stock.Inventory.RepairBackOnSale does: a unit that is
// counted but has no claim can be claimed again. The campaigns must be named; none is ErrInvalid.
func (c *Coupons) RepairBackOnSale(ctx context.Context, campaigns ...int64) (Report, error) {
	if len(campaigns) == 0 {
		return Report{}, errors.Join(c.ready(ctx), fault.Invalid("campaigns", "must be named"))
	}
	return c.audit(ctx, campaigns, (*stock.Inventory).RepairBackOnSale)
}

// audit checks each campaign. It goes on after a campaign that cannot be repaired.
func (c *Coupons) audit(
	ctx context.Context, campaigns []int64, units func(*stock.Inventory, context.Context, ...stock.Key) (stock.Report, error),
) (Report, error) {
	err := c.ready(ctx)
	for _, id := range campaigns {
		err = errors.Join(err, input.Positive("campaign", id))
	}
	if err != nil {
		return Report{}, err
	}
	var report Report
	var failed error
	one := func(id int64) error {
		found, err := units(c.units, ctx, stock.Key{SKU: id})
		if err != nil && !errors.Is(err, ErrDrift) {
			return c.refused(ctx, id, "", err)
		}
		failed = errors.Join(failed, err)
		report.Campaigns++
		report.Drifts = append(report.Drifts, found.Drifts...)
		report.Kept = append(report.Kept, found.Kept...)
		report.Repaired += found.Repaired
		book, err := c.store.Book(ctx, id)
		report.Conflicts = append(report.Conflicts, book.conflicts(id)...)
		return err
	}
	if len(campaigns) > 0 {
		for _, id := range campaigns {
			if err := one(id); err != nil {
				return report, err
			}
		}
		return report, failed
	}
	for item, err := range c.units.Items(ctx) {
		if err != nil {
			return report, err
		}
		if err := one(item.SKU); err != nil {
			return report, err
		}
	}
	return report, failed
}

// conflicts returns the pairs that differ.
func (b Book) conflicts(campaign int64) []Conflict {
	var conflicts []Conflict
	for _, pair := range [...]struct {
		what       string
		one, other int64
	}{
		{"Held, Coupons", b.Held, b.Coupons},
		{"HeldBack, Back", b.HeldBack, b.Back},
		{"Reserved, ReservedBy", b.Reserved, b.ReservedBy},
		{"Redeemed, RedeemedBy", b.Redeemed, b.RedeemedBy},
		{"Positioned, Codes", b.Positioned, b.Codes},
		{"LastPosition, SoldOut", b.LastPosition, b.SoldOut},
	} {
		if pair.one != pair.other {
			conflicts = append(conflicts, Conflict{Campaign: campaign, What: pair.what, One: pair.one, Other: pair.other})
		}
	}
	return conflicts
}
