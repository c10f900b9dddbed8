package groupbuytest

import (
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// refusals returns every error by which groups say no: to an order, a team, an event, a product or an activity.
func refusals() []error {
	return []error{
		groupbuy.ErrMismatch, groupbuy.ErrUnknownActivity, groupbuy.ErrUnknownProduct, groupbuy.ErrHidden,
		groupbuy.ErrNotStarted, groupbuy.ErrEnded, groupbuy.ErrPreparing, groupbuy.ErrRemoved, groupbuy.ErrMembersOnly,
		groupbuy.ErrUnknownTeam, groupbuy.ErrOtherProduct, groupbuy.ErrTeamFormed, groupbuy.ErrTeamFailed,
		groupbuy.ErrTeamOver, groupbuy.ErrJoined, groupbuy.ErrFull, groupbuy.ErrNobodyPaid, groupbuy.ErrNotFound,
		groupbuy.ErrNotPaid, groupbuy.ErrPaid, groupbuy.ErrCancelled, groupbuy.ErrExpired, groupbuy.ErrRefunded,
		event.ErrNotFound, event.ErrNotPoisoned,
		stock.ErrPerOrder, stock.ErrPerBuyer, stock.ErrInsufficient,
	}
}

// sentinels returns every error that the package exports, and those of stock that come with them.
func sentinels() []error {
	return append(refusals(),
		groupbuy.ErrInvalid, groupbuy.ErrOverflow, groupbuy.ErrDrift, groupbuy.ErrUnknown, groupbuy.ErrUnavailable,
		groupbuy.ErrStore, groupbuy.ErrDuplicateCode,
		stock.ErrUnknownSKU, stock.ErrNotOnSale, stock.ErrOffShelf, stock.ErrNotStarted, stock.ErrEnded, stock.ErrLimit,
		stock.ErrLiveHolds, stock.ErrBuyerRequired, stock.ErrInUse, stock.ErrUnlimited, stock.ErrNotFound,
		stock.ErrNotPaid, stock.ErrPaid, stock.ErrRedeemed, stock.ErrRefunded, stock.ErrCancelled, stock.ErrExpired,
		stock.ErrOverRefund,
	)
}

// classOf returns the class of an error.
func classOf(err error) suite.ErrorClass {
	return suite.ClassOf(err, sentinels(),
		suite.Data[groupbuy.InvalidError], suite.Data[groupbuy.MismatchError], suite.Data[groupbuy.ProductError], suite.Data[groupbuy.TeamError],
		suite.Data[groupbuy.SeatError],
		suite.Data[stock.ShortageError], suite.Data[stock.ItemError], suite.Data[stock.WindowError],
		suite.Data[stock.LimitError], suite.Data[stock.InUseError], suite.Data[stock.StateError],
		suite.Data[stock.RefundError], suite.Data[stock.ContentionError],
	)
}
