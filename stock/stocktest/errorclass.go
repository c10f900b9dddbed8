package stocktest

import (
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// sentinels returns every error that the package exports.
func sentinels() []error {
	return []error{
		stock.ErrInvalid, stock.ErrMismatch, stock.ErrOverflow, stock.ErrDrift, stock.ErrUnknown, stock.ErrUnavailable,
		stock.ErrStore, stock.ErrUnknownSKU, stock.ErrNotOnSale, stock.ErrOffShelf, stock.ErrNotStarted, stock.ErrEnded,
		stock.ErrLimit, stock.ErrPerOrder, stock.ErrLiveHolds, stock.ErrPerBuyer, stock.ErrBuyerRequired,
		stock.ErrInsufficient, stock.ErrInUse, stock.ErrUnlimited, stock.ErrNotFound, stock.ErrNotPaid, stock.ErrWaiting, stock.ErrPaid,
		stock.ErrRedeemed, stock.ErrRefunded, stock.ErrCancelled, stock.ErrExpired, stock.ErrOverRefund,
	}
}

// classOf returns the class of an error.
func classOf(err error) suite.ErrorClass {
	return suite.ClassOf(err, sentinels(),
		suite.Data[stock.InvalidError], suite.Data[stock.MismatchError], suite.Data[stock.ShortageError], suite.Data[stock.ItemError],
		suite.Data[stock.WindowError], suite.Data[stock.LimitError], suite.Data[stock.InUseError],
		suite.Data[stock.StateError], suite.Data[stock.RefundError], suite.Data[stock.ContentionError],
	)
}
