package allot

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// The refusals of activities and products. A retry of the same call does not help.
var (
	ErrUnknownActivity = errors.New("holdfast: no such activity")
	ErrUnknownProduct  = errors.New("holdfast: no such product in this activity")
	ErrNotStarted      = errors.New("holdfast: the activity has not begun")
	ErrEnded           = errors.New("holdfast: the activity is over")
	ErrPreparing       = errors.New("holdfast: the product has not been offered yet")
	ErrRemoved         = errors.New("holdfast: the product is no longer offered")
)

// ProductError says which product or activity refused, and why.
type ProductError struct {
	stock.Key           // SKU is 0 where it is about the activity
	Err       error     // the reason
	Start     time.Time // for ErrNotStarted and ErrEnded: of the activity
	End       time.Time
	Now       time.Time // the store's clock when it was refused
}

// Error implements error.
func (e *ProductError) Error() string {
	if e.SKU == 0 {
		return fmt.Sprintf("%v (activity %d)", e.Err, e.Activity)
	}
	return fmt.Sprintf("%v (%v)", e.Err, e.Key)
}

// Unwrap returns the reason.
func (e *ProductError) Unwrap() error { return e.Err }
