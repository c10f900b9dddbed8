package coupon

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/enum"
	"github.com/holdfast-go/holdfast/stock"
)

// Kind is what a coupon takes off an order.
type Kind uint8

// The kinds. The numbers are those of the tables.
const (
	AmountOff  Kind = 1 // an amount of money (满减券)
	PercentOff Kind = 2 // a part of the order's total, up to a cap (折扣券)
	Gift       Kind = 3 // nothing: what it is worth, a gift or free shipping, is the shop's business (兑换券)
)

// String returns the kind in lower case.
func (k Kind) String() string {
	return enum.Name("kind", k, "kind 0", "amount off", "percent off", "gift")
}

// Terms are what a coupon promises. Each coupon keeps the terms from the moment at which it was claimed or
// locked, even if its campaign gets other terms later.
type Terms struct {
	Title  string // the shop's words, up to MaxText bytes
	Scope  string // what it can be used for, in the shop's own words or JSON, up to MaxText bytes; the library only stores it
	Kind   Kind
	Places int32 // decimal places of the currency, 0 to MaxPlaces: 2 for yuan, 0 for yen; no amount may have more

	Amount  decimal.Decimal // AmountOff: above 0
	Percent decimal.Decimal // PercentOff: above 0, at most 100, with two places: 15 takes 15 % off
	Cap     decimal.Decimal // PercentOff: the most that it takes off; 0 is no cap
	Minimum decimal.Decimal // the order's total must be at least this; 0 is no minimum

	// Fixed validity is [ValidFrom, ValidUntil); a zero ValidFrom is at once. Validity is fixed where
	// ValidUntil is set.
	ValidFrom, ValidUntil time.Time

	// Otherwise validity begins AfterDays days after the claim: at once for 0, or else at the start of that
	// day. It lasts ForDays days, at least 1, to the end of the last one. A coupon claimed on Monday with
	// AfterDays 1 and ForDays 2 is valid all Tuesday and Wednesday. Days are counted in Zone, an IANA name
	// such as Asia/Shanghai.
	AfterDays, ForDays int
	Zone               string

	// Pool gives each coupon a code from the campaign's pool; see Coupons.Import and Generate. It cannot
	// be changed later.
	Pool bool
}

// Rules say who may claim. Claim, Issue and Lock obey them; they do not affect coupons already claimed.
type Rules struct {
	Unlimited bool      // coupons are counted, never refused; not with a Pool
	Closed    bool      // no claims for now: ErrClosed
	Start     time.Time // claims begin, inclusive; zero is always
	End       time.Time // claims end, exclusive; zero is never
	PerBuyer  int64     // coupons per buyer at most, including those that await payment; 0 is no limit
}

// Campaign is a kind of coupon that a shop gives out.
type Campaign struct {
	ID int64
	Rules
	Terms
	stock.Quantities       // in coupons; of an unlimited campaign Total and Left stay 0
	TermsNo          int64 // which terms it has now, from 1
	Codes            int64 // codes that its pool ever had
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// State is the state of a coupon.
type State uint8

// The states of a coupon. The numbers are those of the tables.
const (
	None     State = 0 // there is no coupon
	Pending  State = 1 // locked for a buyer who has not paid yet
	Usable   State = 2 // to be used within its validity
	Reserved State = 3 // set aside for an order until a deadline; from then on it counts as Usable
	Redeemed State = 4 // used by an order (核销)
	Refunded State = 5 // given back by its buyer
	Revoked  State = 6 // taken back by the shop
	Dropped  State = 7 // it was Pending, and was cancelled or not paid in time; not in the tables
)

// String returns the state in lower case.
func (s State) String() string {
	return enum.Name("state", s, "none", "pending", "usable", "reserved", "redeemed", "refunded", "revoked", "dropped")
}

// Coupon is one coupon of one buyer.
type Coupon struct {
	ID       string // the number of its claim
	Campaign int64
	Buyer    string
	Terms    // as they were when it was claimed or locked
	TermsNo  int64
	Position int64  // which code of the pool it has, from 1; 0 is none
	Code     string // empty where the campaign has no pool, and before it is paid
	State    State

	// From and Until are its validity [From, Until), both zero while it is Pending.
	From, Until time.Time

	Order    string    // which reserves or used it
	Deadline time.Time // when what is Pending or Reserved ends; zero otherwise

	ClaimedAt time.Time // when it was claimed or paid; zero before
	UpdatedAt time.Time

	Replay bool // set by a call that changes coupons: an earlier one had done it, and this one changed nothing
}

// Free reports whether an order may take the coupon at now, apart from its validity: nobody has used it or
// holds a live reservation of it.
func (c Coupon) Free(now time.Time) bool {
	return c.State == Usable || c.State == Reserved && !now.Before(c.Deadline)
}

// Status is what a buyer sees of a coupon at one moment.
type Status uint8

// The statuses. Each coupon has exactly one at a time, except Pending and Dropped ones, which have none:
// they are not the buyer's.
const (
	StatusUsable   Status = 1 // can be used now
	StatusWaiting  Status = 2 // can be used later
	StatusReserved Status = 3 // set aside for an order of the buyer
	StatusUsed     Status = 4 // redeemed
	StatusExpired  Status = 5 // was not used in time
	StatusGone     Status = 6 // refunded or revoked
)

// Statuses returns all of them, in their order.
func Statuses() []Status {
	return []Status{StatusUsable, StatusWaiting, StatusReserved, StatusUsed, StatusExpired, StatusGone}
}

// String returns the status in lower case.
func (s Status) String() string {
	return enum.Name("status", s, "none", "usable", "waiting", "reserved", "used", "expired", "gone")
}

// Status returns what a buyer sees of the coupon at now; 0 if the buyer does not have it.
func (c Coupon) Status(now time.Time) Status {
	switch c.State {
	case Redeemed:
		return StatusUsed
	case Refunded, Revoked:
		return StatusGone
	case None, Pending, Dropped:
		return 0
	case Usable, Reserved:
	}
	switch {
	case !c.Free(now):
		return StatusReserved
	case !now.Before(c.Until):
		return StatusExpired
	case now.Before(c.From):
		return StatusWaiting
	}
	return StatusUsable
}

// UseState is the state of the use of a coupon by an order.
type UseState uint8

// The states of a use. The numbers are those of the tables.
const (
	Unused      UseState = 0 // the order has nothing to do with the coupon
	UseReserved UseState = 1 // set aside until the deadline; afterwards it has lapsed
	UseRedeemed UseState = 2
	UseReleased UseState = 3 // given up before it was redeemed, or before it was reserved
	UseReturned UseState = 4 // given back after it was redeemed
)

// String returns the state in lower case.
func (s UseState) String() string {
	return enum.Name("use state", s, "unused", "reserved", "redeemed", "released", "returned")
}

// Use is what one order does with one coupon. Each pair of order and coupon has one Use, which runs through its
// states once: a released or returned use is over for that order.
type Use struct {
	Coupon   string
	Order    string
	State    UseState
	Places   int32           // of the amounts
	Total    decimal.Decimal // of the order, before the discount
	Discount decimal.Decimal // what the coupon takes off it
	Deadline time.Time       // when a reservation lapses; for a use without a reservation, when it was made

	CreatedAt  time.Time
	RedeemedAt time.Time // zero before
	UpdatedAt  time.Time

	Replay bool // set by a call that changes uses: an earlier one had done it, and this one changed nothing
}

// Lapsed reports whether the use is a reservation that is past its deadline at now. It lives strictly
// before the deadline.
func (u Use) Lapsed(now time.Time) bool {
	return u.State == UseReserved && !now.Before(u.Deadline)
}
