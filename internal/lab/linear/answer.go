package linear

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// refusals are the errors that are answers.
var refusals = []error{
	stock.ErrMismatch, stock.ErrUnknownSKU, stock.ErrOffShelf, stock.ErrPerOrder, stock.ErrBuyerRequired, stock.ErrLiveHolds,
	stock.ErrPerBuyer, stock.ErrInsufficient, stock.ErrNotFound, stock.ErrNotPaid, stock.ErrRedeemed, stock.ErrPaid,
	stock.ErrRefunded, stock.ErrCancelled, stock.ErrExpired, stock.ErrOverRefund,
}

// failed begins the answer of a call that has none.
const failed = "failed: "

// answer is what a caller was told: a result, or a reason with its numbers.
func answer(err error, format string, args ...any) string {
	if err == nil {
		return fmt.Sprintf(format, args...)
	}
	var told []string
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			told = append(told, refusal.Error())
		}
	}
	if len(told) == 0 {
		return failed + err.Error()
	}
	if e, ok := fault.As[*stock.ShortageError](err); ok {
		told = append(told, fmt.Sprintf("%v wanted %d, available %d", e.Key, e.Wanted, e.Available))
	}
	if e, ok := fault.As[*stock.LimitError](err); ok {
		told = append(told, fmt.Sprintf("%v limit %d, has %d, wanted %d", e.Key, e.Limit, e.Has, e.Wanted))
	}
	if e, ok := fault.As[*stock.RefundError](err); ok {
		told = append(told, fmt.Sprintf("%v wanted %d, refundable %d", e.Key, e.Wanted, e.Refundable))
	}
	return strings.Join(told, "; ")
}
