package coupon

import "fmt"

// Batch is a gift of one coupon each to many buyers.
type Batch struct {
	ID       string // the caller's number, 1 to MaxBatchID bytes
	Campaign int64
	Buyers   []string // each once, 1 to MaxBuyers

	// All issues to all of them or to none. Otherwise those get one that the campaign lets, in their order.
	All bool

	Digest [32]byte // of the buyers, by which a replay is told from another batch; Issue works it out
}

// Grant is what became of one buyer of a batch.
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
	ReasonEnded     Reason = 5 // claims are over, or what would be claimed is no longer valid
	ReasonOverflow  Reason = 6
	ReasonTaken     Reason = 7 // the number of the coupon is that of another claim, or was cancelled
	ReasonNoSuch    Reason = 8 // there is no such campaign
	reasonsInTables        = 9
)

// String returns the reason in words.
func (r Reason) String() string {
	names := [reasonsInTables]string{
		"given", "sold out", "per buyer", "closed", "not yet open", "over", "overflow", "number taken", "no such campaign",
	}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Err returns the error that a claim would have been refused with for this reason; nil for Given.
// ReasonEnded is ErrEnded whichever of its two causes it has, and ReasonTaken is ErrMismatch.
func (r Reason) Err() error {
	switch r {
	case ReasonSoldOut:
		return ErrSoldOut
	case ReasonPerBuyer:
		return ErrPerBuyer
	case ReasonClosed:
		return ErrClosed
	case ReasonNotYet:
		return ErrNotStarted
	case ReasonEnded:
		return ErrEnded
	case ReasonOverflow:
		return ErrOverflow
	case ReasonTaken:
		return ErrMismatch
	case ReasonNoSuch:
		return ErrUnknownCampaign
	case Given:
	default: // of a later version
		return ErrStore
	}
	return nil
}
