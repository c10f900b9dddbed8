package coupontest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// errorClass is everything that a caller can tell about an error: which sentinels it matches, and the
// data of the typed errors in it.
type errorClass struct {
	Matches []error
	Typed   []any
}

// none reports whether there was no error.
func (c errorClass) none() bool { return len(c.Matches) == 0 }

// String returns the class for a report.
func (c errorClass) String() string {
	if c.none() {
		return "none"
	}
	parts := make([]string, 0, len(c.Matches)+len(c.Typed))
	for _, e := range c.Matches {
		parts = append(parts, e.Error())
	}
	for _, typed := range c.Typed {
		parts = append(parts, fmt.Sprintf("%T%+v", typed, typed))
	}
	return strings.Join(parts, "; ")
}

// errOther stands for an error that matches none of the package's sentinels; there must be none such.
var errOther = errors.New("coupontest: an error of no known kind")

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
func classOf(err error) errorClass {
	var c errorClass
	if err == nil {
		return c
	}
	for _, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			c.Matches = append(c.Matches, sentinel)
		}
	}
	if len(c.Matches) == 0 {
		c.Matches = append(c.Matches, errOther)
	}
	typed(&c, new(coupon.InvalidError), err)
	typed(&c, new(coupon.StateError), err)
	typed(&c, new(coupon.ValidityError), err)
	typed(&c, new(coupon.MinimumError), err)
	typed(&c, new(coupon.PartialError), err)
	typed(&c, new(coupon.BatchError), err)
	typed(&c, new(stock.ShortageError), err)
	typed(&c, new(stock.ItemError), err)
	typed(&c, new(stock.WindowError), err)
	typed(&c, new(stock.LimitError), err)
	typed(&c, new(stock.InUseError), err)
	typed(&c, new(stock.StateError), err)
	typed(&c, new(stock.RefundError), err)
	typed(&c, new(stock.ContentionError), err)
	if claim, ok := errors.AsType[*coupon.ClaimError](err); ok { // what it wraps is above
		c.Typed = append(c.Typed, coupon.ClaimError{Campaign: claim.Campaign, Claim: claim.Claim})
	}
	return c
}

// typed adds the data of one type of error, if it is there.
func typed[T any, E interface {
	*T
	error
}](c *errorClass, target E, err error) {
	if errors.As(err, &target) {
		c.Typed = append(c.Typed, canonical(*target))
	}
}
