package coupon

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Store keeps campaigns, coupons and their uses by orders. It is mechanical, like stock.Store, and follows the
// same rules: methods are safe for concurrent use, and a change is atomic. Errors match ErrUnavailable, ErrStore,
// ErrDrift or ErrOverflow if nothing was done, and ErrUnknown if that is not known. Time is the store's own
// clock in whole microseconds, UTC. Memory and sqlstore.Coupon implement it.
type Store interface {
	// Units returns the store of the units of all campaigns, of which claims are the orders: a campaign
	// is the item whose SKU is its ID, and whose SPU is the number of its terms. An order is one line of one
	// unit, and names its buyer. In the same transaction
	//
	//   - a Lock carries a Claim, and also records the Coupon of the order's ID, for its buyer and with the terms of the
	//     item: Pending for StepLock, and for StepTake Usable, as Pay leaves it. Without a Claim it is ErrDrift;
	//   - a Move by StepPay or StepReacquire also makes the coupon Usable: its validity is Terms.Validity
	//     of that moment, and with a Pool its Position is the item's Sold afterwards, or of several
	//     in one go the next of them each;
	//   - a Refund also gives the coupon the state of the GiveBack that it carries, and without one Refunded. It is
	//     refused with ErrNotFree unless the coupon is Free; then nothing is done.
	//
	// The hold of a Lock has the Coupon Beside it, with a Pool perhaps without its Code.
	//
	// A coupon that is Pending while its hold is dead, Cancelled or Expired is read as Dropped.
	Units() stock.Store

	// AddTerms records terms of a campaign. Exists where the campaign has terms of that number.
	AddTerms(ctx context.Context, campaign, no int64, terms Terms) (stock.Verdict, error)

	// Terms returns what was recorded; false where there is nothing.
	Terms(ctx context.Context, campaign, no int64) (Terms, bool, error)

	// Coupon returns a coupon as it is now, and the clock. State is None where there is none.
	Coupon(ctx context.Context, id string) (Coupon, time.Time, error)

	// ByCode returns the coupon that has a code. State is None where no coupon has it.
	ByCode(ctx context.Context, code string) (Coupon, time.Time, error)

	// Wallet returns up to limit coupons of a buyer that have one of the statuses now, ordered by Until,
	// then by ID, after the cursor of the last coupon seen before, and the clock.
	Wallet(ctx context.Context, buyer string, statuses []Status, after Cursor, limit int) ([]Coupon, time.Time, error)

	// Use applies a step to the use of a coupon by an order: Done, or Refused where a guard of the
	// transition does not let it. StepReserve, StepRedeem and StepSpend record its Places, Total and Discount:
	// an order may come to another total than the one it reserved with. So does whatever step begins a use.
	// StepReserve sets the deadline to the clock plus holdFor; a use that begins with another step has the
	// clock for its deadline.
	Use(ctx context.Context, step Step, use Use, holdFor time.Duration) (stock.Verdict, error)

	// TellExpiry writes the events CouponExpiring and CouponExpired of up to limit coupons that are Free, each once, and returns of how
	// many: those whose validity ends within lead, and those whose validity has ended since ExpiredWithin. Use with StepReturn writes
	// CouponReturned, as a UseRequest does beside goods. All of it only as far as the store tells it.
	TellExpiry(ctx context.Context, lead time.Duration, limit int) (int, error)

	// UseOf returns the use of a coupon by an order, and the clock. State is Unused where there is none.
	UseOf(ctx context.Context, coupon, order string) (Use, time.Time, error)

	// Uses returns all uses of a coupon, by CreatedAt, then by Order.
	Uses(ctx context.Context, coupon string) ([]Use, error)

	// UsedBy returns the uses by an order, by Coupon.
	UsedBy(ctx context.Context, order string) ([]Use, error)

	// AddCodes appends the codes that no campaign has yet to a campaign's pool, in their order, and adds as
	// many units to it, recorded as a change of stock.KindImport. The codes are canonical and each occurs
	// once. It returns for each code the campaign that had it before, 0 for those it added. Refused if the
	// campaign does not exist, or if have is not negative and the pool has had a different number of codes:
	// only one of two calls that would each fill the pool does so. Actor and reason are recorded with the change; both may
	// be empty.
	AddCodes(ctx context.Context, campaign, have int64, codes []string, actor, reason string) ([]int64, stock.Verdict, error)

	// Codes returns how many codes a campaign's pool ever had.
	Codes(ctx context.Context, campaign int64) (int64, error)

	// AddBatch records a batch that is to be issued. Exists where the ID is taken.
	AddBatch(ctx context.Context, batch Batch) (stock.Verdict, error)

	// Batch returns a batch that was recorded, and what became of its buyers so far, in the order in which
	// they were given; ID is empty where there is none. Buyers of the result is nil.
	Batch(ctx context.Context, id string) (Batch, []Grant, error)

	// Issue takes one unit, in order, for each of the orders that the campaign accepts, with its coupon
	// as for a Lock of Units, and records the grant of each in the same transaction. With all, it does so
	// only if every order is accepted; otherwise it records nothing and returns only the grant of the first
	// order that was refused. Orders that are recorded already stay as they are, and are
	// returned as such.
	Issue(ctx context.Context, batch Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]Grant, error)

	// Count returns how many coupons of a campaign have each state now. Reserved are those with a live
	// reservation. Expired are those that could be used if their validity were not over; they are not
	// counted as Usable.
	Count(ctx context.Context, campaign int64) (Count, error)

	// Book returns the totals of a campaign's coupons and uses, all from one snapshot.
	Book(ctx context.Context, campaign int64) (Book, error)
}

// Claim is the stock.Companion of an order that claims a coupon: the coupon is to be recorded beside the unit.
type Claim struct{}

// Companion implements stock.Companion.
func (Claim) Companion() string { return "claim" }

// GiveBack is the stock.Companion of the refund of a claim: it says what becomes of the coupon.
type GiveBack struct {
	To State // Refunded by its buyer or Revoked by the shop
}

// Companion implements stock.Companion.
func (GiveBack) Companion() string { return "give-back" }

// Companion implements stock.Companion: a claim is stored as its coupon.
func (Coupon) Companion() string { return "coupon" }

// Keeps reports whether a store of coupons knows what to do with a companion.
func Keeps(c stock.Companion) bool {
	switch c := c.(type) {
	case Claim:
		return true
	case GiveBack:
		return c.To == Refunded || c.To == Revoked
	}
	return false
}

// Told returns an event of a coupon; order is whose it is about, if any.
func Told(kind event.Kind, c Coupon, order string) event.Event {
	return event.Event{Kind: kind, Queue: event.CouponQueue(c.ID), SKU: c.Campaign, Order: order, Buyer: c.Buyer, Ref: c.ID}
}

// BackTo returns the state that a refund which carries companions gives its coupon.
func BackTo(beside []stock.Companion) State {
	if back, ok := stock.CompanionOf[GiveBack](beside); ok {
		return back.To
	}
	return Refunded
}

// Cursor is a place in a wallet.
type Cursor struct {
	Until time.Time
	ID    string // empty is the beginning
}

// Book is what an audit compares, in coupons of one campaign. Each pair must be equal.
type Book struct {
	Held, Coupons  int64 // holds that were ever paid, and coupons that are not Pending
	HeldBack, Back int64 // holds that are Refunded, and coupons that are Refunded or Revoked
	// Reserved coupons, and those of them whose order has a use that is UseReserved, or UseReleased since it lapsed
	Reserved, ReservedBy  int64
	Redeemed, RedeemedBy  int64 // coupons that are Redeemed, and the UseRedeemed uses
	Positioned, Codes     int64 // coupons with a Position, and how many of them have the code of that position
	LastPosition, SoldOut int64 // with a pool, the highest Position, and the item's Sold; 0 and 0 without
}

// ReasonFor returns the reason for what stock.ItemUsage.Refuses says of a campaign; Given for nil.
func ReasonFor(refusal error) Reason {
	if refusal == nil {
		return Given
	}
	is := reasonOf(refusal)
	for reason := ReasonSoldOut; reason < ReasonOverflow; reason++ {
		if errors.Is(is, reason.Err()) {
			return reason
		}
	}
	if errors.Is(refusal, ErrOverflow) {
		return ReasonOverflow
	}
	return ReasonNoSuch
}
