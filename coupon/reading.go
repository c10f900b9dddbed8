package coupon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// History is the whole life of a coupon. Each part is its own snapshot.
type History struct {
	Coupon

	Hold stock.Hold // when it was locked, paid, and what was refunded of its unit
	Uses []Use      // by the time at which they began
}

// Coupon returns a coupon as it is now. Errors, in the order of precedence: ErrInvalid, ErrNotFound,
// ErrAnotherBuyer.
func (c *Coupons) Coupon(ctx context.Context, id string) (Coupon, error) {
	if err := errors.Join(c.ready(ctx), input.ID("coupon", id)); err != nil {
		return Coupon{}, err
	}
	return c.own(ctx, id, "")
}

// ByCode returns the coupon that has a code, which may be written as people type it: see Canonical. A pool
// code that nobody has claimed yet belongs to no coupon. Errors are those of Coupon.
func (c *Coupons) ByCode(ctx context.Context, code string) (Coupon, error) {
	if err := c.ready(ctx); err != nil {
		return Coupon{}, err
	}
	canonical, err := Canonical(code)
	if err != nil {
		return Coupon{}, err
	}
	coupon, _, err := c.store.ByCode(ctx, canonical)
	if err != nil {
		return Coupon{}, err
	}
	return c.visible(coupon, canonical, "")
}

// Wallet lists the coupons of the buyer of For that have one of the statuses, or all where none is named, ordered by
// the end of their validity, then by ID. Pending coupons are left out. Each page is its own snapshot. The listing
// ends with the first error.
func (c *Coupons) Wallet(ctx context.Context, statuses ...Status) iter.Seq2[Coupon, error] {
	list, _ := c.wallet(ctx, statuses)
	return list.All()
}

// WalletPage returns a page of Wallet, for a screen. Errors: ErrInvalid.
func (c *Coupons) WalletPage(ctx context.Context, page stock.PageRequest, statuses ...Status) (stock.Page[Coupon], error) {
	list, statuses := c.wallet(ctx, statuses)
	if list.Err != nil {
		return stock.Page[Coupon]{}, list.Err
	}
	return list.Page(page, fmt.Sprintf("wallet of %q %v", c.buyer, statuses))
}

// wallet is the list of the coupons of the buyer of For that have one of the statuses, and these in order.
func (c *Coupons) wallet(ctx context.Context, statuses []Status) (listing.List[Coupon, Cursor], []Status) {
	err := c.readyFor(ctx)
	for _, s := range statuses {
		if s < StatusUsable || s > StatusGone {
			err = errors.Join(err, fault.Invalid("status", "is unknown: %d", s))
		}
	}
	if len(statuses) == 0 {
		statuses = Statuses()
	}
	statuses = slices.Compact(slices.Sorted(slices.Values(statuses)))
	return listing.List[Coupon, Cursor]{
		Err: err,
		Read: func(after Cursor, limit int) ([]Coupon, error) {
			page, _, err := c.store.Wallet(ctx, c.buyer, statuses, after, limit)
			return page, err
		},
		At: func(c Coupon) Cursor { return Cursor{Until: c.Until, ID: c.ID} },
	}, statuses
}

// ChangesPage returns a page of the movements of the units of a campaign, the newest first, as stock.Inventory.ChangesPage does: its
// definitions, Restock, Withdraw, codes that were added, and the refunds and revocations that By named somebody for.
// Errors: ErrInvalid, ErrUnknownCampaign.
func (c *Coupons) ChangesPage(ctx context.Context, campaign int64, page stock.PageRequest) (stock.Page[stock.Change], error) {
	if err := errors.Join(c.ready(ctx), input.Positive("campaign", campaign)); err != nil {
		return stock.Page[stock.Change]{}, err
	}
	changes, err := c.units.ChangesPage(ctx, stock.Key{SKU: campaign}, page)
	if err != nil {
		return stock.Page[stock.Change]{}, c.refused(ctx, campaign, "", err)
	}
	return changes, nil
}

// History returns the whole life of a coupon. Errors are those of Coupon.
func (c *Coupons) History(ctx context.Context, id string) (History, error) {
	coupon, err := c.Coupon(ctx, id)
	if err != nil {
		return History{}, err
	}
	hold, err := c.units.Hold(ctx, id)
	if err != nil {
		return History{}, c.refused(ctx, coupon.Campaign, id, err)
	}
	uses, err := c.store.Uses(ctx, id)
	if err != nil {
		return History{}, err
	}
	return History{Coupon: coupon, Hold: hold, Uses: uses}, nil
}

// UsedBy returns the uses of coupons by an order, ordered by coupon ID; with For, only for coupons of that buyer.
// Errors: ErrInvalid.
func (c *Coupons) UsedBy(ctx context.Context, order string) ([]Use, error) {
	if err := errors.Join(c.ready(ctx), input.ID("order", order)); err != nil {
		return nil, err
	}
	uses, err := c.store.UsedBy(ctx, order)
	if err != nil || c.buyer == "" {
		return uses, err
	}
	var own []Use
	for _, use := range uses {
		switch _, err := c.own(ctx, use.Coupon, ""); {
		case err == nil:
			own = append(own, use)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return own, nil
}
