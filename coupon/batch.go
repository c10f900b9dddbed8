package coupon

import "github.com/holdfast-go/holdfast/internal/enum"

// Batch is a gift of one coupon each to many buyers.
type Batch struct {
	ID       string // the caller's number, 1 to MaxBatchID bytes
	Campaign int64
	Buyers   []string // each once, 1 to MaxBuyers

	// All issues to all buyers or to none. Without it, the buyers that the campaign accepts get one, in order.
	All bool

	Digest [32]byte // of the buyers, to tell a replay from another batch; computed by Issue
}

// Grant is the outcome of a batch for one buyer.
type Grant struct {
	Buyer  string
	Coupon string // the ID of the coupon that the buyer got, or would have got
	Reason Reason // 0 where the buyer got it
}

// Reason says why a buyer of a batch got no coupon.
type Reason uint8

// The reasons. The numbers are those of the tables.
const (
	Given           Reason = 0
	ReasonSoldOut   Reason = 1
	ReasonPerBuyer  Reason = 2
	ReasonClosed    Reason = 3
	ReasonNotYet    Reason = 4 // claims have not begun
	ReasonEnded     Reason = 5 // claims are over, or the coupon would no longer be valid
	ReasonOverflow  Reason = 6
	ReasonTaken     Reason = 7 // another claim has the number of the coupon, or it was cancelled
	ReasonNoSuch    Reason = 8 // there is no such campaign
	reasonsInTables        = 9
)

// String returns the reason in words.
func (r Reason) String() string {
	return enum.Name("reason", r,
		"given", "sold out", "per buyer", "closed", "not yet open", "over", "overflow", "number taken", "no such campaign")
}

// Err returns the error with which a claim would have been refused for this reason; nil for Given.
// ReasonEnded is ErrEnded for both of its causes, and ReasonTaken is ErrMismatch.
func (r Reason) Err() error {
	errs := [reasonsInTables]error{
		nil, ErrSoldOut, ErrPerBuyer, ErrClosed, ErrNotStarted, ErrEnded, ErrOverflow, ErrMismatch, ErrUnknownCampaign,
	}
	if int(r) < len(errs) {
		return errs[r]
	}
	return ErrStore // of a later version
}
