package coupon

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// refused turns a stock error about units into what it means for coupons. The result matches both. Errors
// that all domains share stay as they are.
func (c *Coupons) refused(ctx context.Context, campaign int64, claim string, cause error) error {
	reason := reasonOf(cause)
	switch {
	case reason == nil:
		return cause
	case errors.Is(reason, ErrEnded):
		outdated, err := c.outdated(ctx, campaign, cause)
		if err != nil {
			return err
		}
		if outdated {
			reason = ErrOutdated
		}
	case errors.Is(reason, ErrRefunded):
		coupon, _, err := c.store.Coupon(ctx, claim)
		if err != nil {
			return err
		}
		if coupon.State == Revoked {
			reason = ErrRevoked
		}
	}
	return &ClaimError{Campaign: campaign, Claim: claim, Err: reason, Cause: cause}
}

// reasonOf returns the error of this package for one of stock, and nil for one that all domains share.
func reasonOf(cause error) error {
	late := errors.Is(cause, stock.ErrExpired)
	for _, pair := range [...]struct{ of, is error }{
		{stock.ErrUnknownSKU, ErrUnknownCampaign},
		{stock.ErrOffShelf, ErrClosed},
		{stock.ErrNotStarted, ErrNotStarted},
		{stock.ErrEnded, ErrEnded},
		{stock.ErrPerBuyer, ErrPerBuyer},
		{stock.ErrInsufficient, ErrSoldOut},
		{stock.ErrInUse, ErrInUse},
		{stock.ErrUnlimited, ErrUnlimited},
		{stock.ErrNotFound, ErrNotFound},
		{stock.ErrNotPaid, ErrPending},
		{stock.ErrRefunded, ErrRefunded},
		{stock.ErrPaid, ErrPaid},
		{stock.ErrCancelled, ErrCancelled},
	} {
		switch {
		case !errors.Is(cause, pair.of):
		case late: // a late payment that found too little
			return fmt.Errorf("%w; %w", ErrHoldExpired, pair.is)
		default:
			return pair.is
		}
	}
	if late {
		return ErrHoldExpired
	}
	return nil
}

// outdated distinguishes coupons that would no longer be valid from claims that are over: the item of a
// campaign ends with whichever comes first.
func (c *Coupons) outdated(ctx context.Context, campaign int64, cause error) (bool, error) {
	window, ok := fault.As[*stock.WindowError](cause)
	if !ok {
		return false, nil
	}
	item, err := c.units.Item(ctx, stock.Key{SKU: campaign})
	if err != nil {
		return false, err
	}
	terms, _, err := c.store.Terms(ctx, campaign, item.SPU)
	return err == nil && terms.fixed() && !window.Now.Before(terms.ValidUntil), err
}
