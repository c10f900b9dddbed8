package groupbuy

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of Groups.
const (
	MaxText      = allot.MaxText    // bytes of a title, name, address or reason
	MaxPlaces    = money.MaxPlaces  // decimal places of a currency
	MaxPeople    = 10_000           // of a team
	MaxFormation = stock.MaxHoldFor // of a team
	MaxOrder     = 56               // bytes of an order: the number of its refund is made of it
	MaxUnits     = 1_000_000_000    // of Terms.UnitsPerVolume
	VolumePlaces = 2                // decimal places of a volume
	CodeLength   = 10               // letters of a team's code
	minFormation = time.Minute
	maxVolume    = 1_000_000_000_000 // of a purchase, and of what a team is formed by
)

// codeLetters are what codes are made of: no I, L, O, 0 and 1. 31 of them make 49.5 bits in a code.
const codeLetters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"

// Activity is a period in which some products can be bought in teams. The pools of its products have its ID as
// their Activity.
type Activity struct {
	ID        int64         // at least 1
	Title     string        // up to MaxText bytes
	Image     string        // where it is, up to MaxText bytes
	Formation time.Duration // how long a new team has: whole minutes, at least one, at most MaxFormation; see Define where it gets shorter
	Hidden    bool          // it is in no shop window, and no team can be opened
	Start     time.Time     // teams can be opened, inclusive; zero is always
	End       time.Time     // exclusive
	Outlive   bool          // a new team lives for Formation even past End; otherwise until End at the latest; see Define where it is cleared
	Sort      int64         // the shop window shows low numbers first

	// What the store keeps; Define ignores it.
	EndedAt   time.Time // when it was ended, by Groups.End or since End has come; zero before
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // grows with every change; 0 is an activity that does not exist

	Replay bool // set by End: an earlier call had done it, and this one changed nothing
}

// Terms are the conditions of a product for its teams. A team keeps the terms from the moment at which it was opened.
type Terms struct {
	Places     int32           // decimal places of the currency, 0 to MaxPlaces
	Price      decimal.Decimal // what one costs alone
	GroupPrice decimal.Decimal // what one costs in a team; at most Price

	MembersOnly  bool // whoever opens or joins a team has to be Purchase.Member
	FreeShipping bool

	// A team is formed by people, once People members have paid, 2 to MaxPeople; or by volume, once its paid
	// members buy Volume in all, with two decimal places. One of the two is 0. By people, a seat counts from the
	// moment it is held, so that no one pays for a full team. By volume, the pool is the only bound, and
	// whoever holds a seat may still pay when the team is formed.
	People int64
	Volume decimal.Decimal

	// UnitsPerVolume is how many units of stock a volume of 1 is, at least 1; 0 is 1.
	UnitsPerVolume int64

	// At its deadline an incomplete team is still formed if it has this many paid members, or this much paid
	// volume; 0 is never. At most People or Volume, and 0 for the one by which teams are not formed.
	MinPeople int64
	MinVolume decimal.Decimal
}

// ByVolume reports whether teams are formed by volume, not by people.
func (t Terms) ByVolume() bool { return t.People == 0 }

// ProductState is the state of a product.
type ProductState = allot.State

// The states of a product. The numbers are those of the tables.
const (
	Preparing = allot.Preparing // its units are being taken out of ordinary stock
	Offered   = allot.Offered   // teams can be opened and joined while its activity runs
	Removed   = allot.Removed   // no new teams and no joins; live teams may still finish, and units go back
	Settled   = allot.Settled   // all teams are over, and all units that were left went back
)

// nameOf returns the name of a number, or the number with what it is of where it has none.
func nameOf(of string, n uint8, names ...string) string {
	if int(n) < len(names) && names[n] != "" {
		return names[n]
	}
	return fmt.Sprintf("%s %d", of, n)
}

// Product is a SKU that can be bought in teams. Its Key is the key of its pool: the SKU in the activity.
type Product struct {
	stock.Key
	Terms
	SPU      int64  // what the SKU belongs to; 0 where there is none
	Name     string // up to MaxText bytes
	Spec     string // its specification, up to MaxText bytes
	PerOrder int64  // units per order at most; 0 is no limit
	PerBuyer int64  // units per buyer at most, held and bought; 0 is no limit

	// What the store keeps; Offer and Revise ignore it.
	State     ProductState
	Allotted  int64 // units that Offer took out of ordinary stock
	Formed    int64 // people whose teams were formed
	Returns   int64 // how often units that were left went back to ordinary stock
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // grows with every change but that of Formed by a team; 0 is a product that does not exist

	Replay bool // set by Offer and Remove: an earlier call had done it, and this one changed nothing
}

// String returns the product and its state.
func (p Product) String() string {
	return fmt.Sprintf("%v: %v, %d people in teams that were formed", p.Key, p.State, p.Formed)
}

// Offer is a product in the shop window.
type Offer struct {
	Product
	Activity Activity
}

// TeamState is where a team stands, and STATUS of the published participation.
type TeamState int8

// The states of a team. The numbers are those of the tables.
const (
	Forming TeamState = 0
	Formed  TeamState = 1
	Failed  TeamState = -1
)

// String returns the state in lower case.
func (s TeamState) String() string {
	if s >= Failed && s <= Formed {
		return [...]string{"failed", "forming", "formed"}[s-Failed]
	}
	return "state " + strconv.Itoa(int(s))
}

// Cause is why a team is over.
type Cause uint8

// The causes. The numbers are those of the tables.
const (
	Undecided  Cause = 0 // it is not over
	ByPayment  Cause = 1 // the last payment formed it
	ByOperator Cause = 2 // Groups.Form or Groups.Fail; Team.Actor and Team.Reason say more
	ByDeadline Cause = 3 // the deadline failed it, or formed it from its minimum
	ByLeaving  Cause = 4 // its last member left
)

// String returns the cause in lower case.
func (c Cause) String() string {
	return nameOf("cause", uint8(c), "undecided", "payment", "operator", "deadline", "leaving")
}

// Team is a group of buyers of one product. A Forming team is alive strictly before its Deadline.
type Team struct {
	Code      string // generated: CodeLength letters and digits that nobody can guess
	stock.Key        // of the product
	Terms            // as they were when it was opened
	State     TeamState

	// The sponsor opened it. A sponsor who leaves hands over to the member who paid first, or held a seat first
	// if none has paid. A failed team keeps its last sponsor.
	Sponsor      string // the buyer
	SponsorOrder string // and the order

	Held       int64           // seats that are set aside and not paid yet
	Paid       int64           // seats that are paid, and not refunded since
	PaidVolume decimal.Decimal // what those buy, with two places

	OpenedAt time.Time
	Deadline time.Time
	EndedAt  time.Time // when it was formed or failed; zero before
	Cause    Cause
	FormedBy string // the order whose payment formed it; empty otherwise
	Actor    string // who formed or failed it by hand
	Reason   string // and why

	Version int64 // grows with every change; 0 is a team that does not exist

	Replay bool // set by Form and Fail: an earlier call had done it, and this one changed nothing
}

// String returns the team and its counts.
func (t Team) String() string {
	goal := fmt.Sprintf("%d people", t.People)
	if t.ByVolume() {
		goal = "a volume of " + t.Volume.StringFixed(VolumePlaces)
	}
	return fmt.Sprintf("team %s of %v, by %s: %v, held %d, paid %d, volume %s", t.Code, t.Key, goal, t.State, t.Held, t.Paid,
		t.PaidVolume.StringFixed(VolumePlaces))
}

// Live reports whether a team that is Forming has time left at now.
func (t Team) Live(now time.Time) bool { return t.State == Forming && now.Before(t.Deadline) }

// FreeSeats returns how many more seats can be taken; for a team by volume, which has no bound, 1 while it is Forming.
func (t Team) FreeSeats() int64 {
	switch {
	case t.State != Forming:
		return 0
	case t.ByVolume():
		return 1
	}
	return max(t.People-t.Held-t.Paid, 0)
}

// Guest is what a shop wants to remember about a buyer until the seat becomes an order. The library only stores it.
type Guest struct {
	Name        string          // up to MaxText bytes
	Avatar      string          // up to MaxText bytes
	Address     string          // up to MaxText bytes
	ShippingFee decimal.Decimal // with the currency's places
	BalanceUsed decimal.Decimal // with the currency's places
}

// Purchase is the request of the buyer of Groups.For.
type Purchase struct {
	Order   string          // the caller's number, 1 to MaxOrder bytes; orders of the shop's stock share one set of them
	Product stock.Key       // with its activity
	Volume  decimal.Decimal // above 0, with two decimal places at most; a whole number of units of stock
	Member  bool            // the caller's answer for a product that is for members only
	Guest
}

// SeatState is the state of a seat.
type SeatState uint8

// The states of a seat. The numbers are those of the tables.
const (
	NoSeat    SeatState = 0 // there is none
	Held      SeatState = 1 // set aside until the deadline
	Paid      SeatState = 2
	Cancelled SeatState = 3 // closed by Cancel, or not paid yet when its team was over
	Expired   SeatState = 4 // not paid in time
	RefundDue SeatState = 5 // paid, and the money has to go back: an event says so
	Refunded  SeatState = 6 // that event was delivered
)

// String returns the state in lower case.
func (s SeatState) String() string {
	return nameOf("state", uint8(s), "no seat", "held", "paid", "cancelled", "expired", "refund due", "refunded")
}

// Live reports whether a seat in this state takes a place in its team.
func (s SeatState) Live() bool { return s == Held || s == Paid }

// Seat is one buyer's part in a team (参团记录): the hold of an order, with what belongs to the team.
type Seat struct {
	Order     string
	Team      string // the code
	stock.Key        // of the product
	Buyer     string
	Volume    decimal.Decimal // with two places
	Guest
	Sponsor bool // it opened the team; for the current sponsor see the team
	State   SeatState

	// Status is the outcome of the team for this seat: Formed if it was paid when the team was formed or
	// since then, Failed if it left before that or the team failed.
	Status TeamState
	Added  bool // it was paid when the team was formed already

	Places   int32 // decimal places of the currency
	TakenAt  time.Time
	Deadline time.Time // when a seat that is Held dies
	PaidAt   time.Time // zero before
	EndedAt  time.Time // when it was cancelled, expired, or its refund became due; zero before
	Actor    string    // who refunded it by hand
	Reason   string    // and why

	Replay bool // set by Open, Join, Cancel and Refund: an earlier call had done it, and this one changed nothing
}

// String returns the seat and where it stands.
func (s Seat) String() string {
	return fmt.Sprintf("seat %q of buyer %q in team %s: %v", s.Order, s.Buyer, s.Team, s.State)
}

// RefundID returns the number of the one refund that an order can have.
func RefundID(order string) string { return "group/" + order }
