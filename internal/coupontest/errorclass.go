package coupontest

import (
	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// sentinels returns every error that the package exports, and those of stock that come with them.
func sentinels() []error {
	return append(refusals(),
		coupon.ErrInvalid, coupon.ErrMismatch, coupon.ErrOverflow, coupon.ErrDrift, coupon.ErrUnknown, coupon.ErrUnavailable,
		coupon.ErrStore, coupon.ErrUnknownCampaign, coupon.ErrSoldOut, coupon.ErrClosed, coupon.ErrNotStarted, coupon.ErrEnded,
		coupon.ErrOutdated, coupon.ErrPerBuyer, coupon.ErrInUse, coupon.ErrUnlimited, coupon.ErrPool, coupon.ErrNoPool,
		coupon.ErrPaid, coupon.ErrCancelled, coupon.ErrHoldExpired, coupon.ErrAnotherBuyer, coupon.ErrNotFree,
		stock.ErrUnknownSKU, stock.ErrNotOnSale, stock.ErrLimit, stock.ErrInsufficient, stock.ErrInUse, stock.ErrUnlimited,
		stock.ErrNotFound, stock.ErrNotPaid, stock.ErrPaid, stock.ErrRefunded, stock.ErrCancelled, stock.ErrExpired,
	)
}

// classOf returns the class of an error.
func classOf(err error) suite.ErrorClass {
	return suite.ClassOf(err, sentinels(),
		suite.Data[coupon.InvalidError], suite.Data[coupon.MismatchError], suite.Data[coupon.StateError], suite.Data[coupon.ValidityError],
		suite.Data[coupon.MinimumError], suite.Data[coupon.PartialError], suite.Data[coupon.BatchError],
		suite.Data[stock.ShortageError], suite.Data[stock.ItemError], suite.Data[stock.WindowError],
		suite.Data[stock.LimitError], suite.Data[stock.InUseError], suite.Data[stock.StateError],
		suite.Data[stock.RefundError], suite.Data[stock.ContentionError],
		claimData,
	)
}

// claimData returns the data of a *coupon.ClaimError without what it wraps, which is in the class on its own.
func claimData(err error) (any, bool) {
	claim, ok := fault.As[*coupon.ClaimError](err)
	if !ok {
		return nil, false
	}
	return coupon.ClaimError{Campaign: claim.Campaign, Claim: claim.Claim}, true
}
