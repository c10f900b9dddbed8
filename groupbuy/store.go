package groupbuy

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
)

// Store keeps activities, products, teams and seats, and writes their events (package event). It is mechanical, like
// stock.Store, and follows the same rules: methods are safe for concurrent use, and a change is atomic. Errors match
// ErrUnavailable, ErrStore, ErrDrift or ErrOverflow if nothing was done, and ErrUnknown if the outcome is not known. Time
// is the store's own clock in whole microseconds, UTC. Decisions about a team come from the methods of TeamRecord, called
// with the team locked. Memory and sqlstore.GroupBuy implement it.
//
// A store may carry what the shop does in the transaction of a call; see sqlstore.GroupBuy.Along. Calls of Units, SaveActivity,
// SaveProduct, End and Late then do that where they change anything. It also has a method Plain() Store, which returns
// the same store without it, for Groups to make the calls with that are not the effect of a verb.
//
// A change of seats requires a lock on the item of their pool. The lock order is: holds, items, seats and teams.
type Store interface {
	// Units returns the store of the units: that of the shop's ordinary stock, in which the pools of activities
	// are items like others. A seat is an order of one line, in the pool of its product, and names its buyer. In
	// the same transaction
	//
	//   - a Lock with a SeatRequest also takes its seat: by SeatRequest.Open where it opens a team, or else by
	//     TeamRecord.Take, whose refusal is LockResult.Why. The deadline is that of the hold. A code that another
	//     team has is refused with ErrDuplicateCode. The hold has the request Beside it, with the seat and the team;
	//   - a Move or Expire also moves the seat of its order by the step of SeatState.StepFor, with TeamRecord.Move. So does
	//     a Refund, and the seat keeps its SeatRefund. A refusal of TeamRecord.Move is the error of the Move. A seat
	//     that is behind its hold stays as it is: Follow moves it.
	//
	// Refusals of the hold and of the item come first. The seat and the team decide only about calls that passed those.
	//
	// Pay, Reacquire, Cancel and Refund of an order that has a hold and no seat are refused with ErrNotFound. Its Expire
	// is that of ordinary stock. A Lock without a SeatRequest is one of ordinary stock.
	//
	// A step of a seat writes the events that it returns, and ends the sponsorship of a member who leaves
	// (TeamRecord.NeedsSponsor). It adds the members of a team that is formed, and members added later, to Product.Formed.
	// If units come back to a product that is Settled, the product becomes Removed.
	// Seats of one team that leave by one Expire or Follow are moved together, by order number. Whether the team needs a
	// sponsor is decided after all of them.
	Units() stock.Store

	// SaveActivity keeps an activity whose Version is 0 as a new one; the verdict is Exists if there is one. It keeps any
	// other as the next version; the verdict is Refused if the stored one has another Version. With ended it sets
	// EndedAt to the clock, unless it is set. The same transaction records by, unless its ID is empty; see stock.Store.Changes.
	SaveActivity(ctx context.Context, activity Activity, ended bool, by stock.Change) (stock.Verdict, error)

	// Activity returns an activity and the clock. Version is 0 where there is none.
	Activity(ctx context.Context, id int64) (Activity, time.Time, error)

	// Activities returns up to limit activities after an ID, by ID.
	Activities(ctx context.Context, after int64, limit int) ([]Activity, error)

	// ActivitiesIn returns up to limit activities in a state behind another, by End and then ID; those that are ended in descending
	// order. Of after only these two count; a zero End is the beginning.
	ActivitiesIn(ctx context.Context, state ActivityState, after Activity, limit int) ([]Activity, error)

	// DueActivities returns up to limit activities whose End has come and that have not EndedAt, by End and then ID.
	DueActivities(ctx context.Context, limit int) ([]Activity, error)

	// SaveProduct keeps a product, as SaveActivity does; Formed stays as it is.
	SaveProduct(ctx context.Context, product Product, by stock.Change) (stock.Verdict, error)

	// Offer returns a product with its activity, and the clock. Version of the product is 0 where there is none.
	Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error)

	// Products returns up to limit products of an activity after a SKU, by SKU.
	Products(ctx context.Context, activity, after int64, limit int) ([]Product, error)

	// DueProducts returns up to limit products that are Removed, or Preparing or Offered in an activity that has EndedAt, after a key,
	// by activity and then SKU.
	DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error)

	// Shelf returns up to limit products that are Offered in activities that are not Hidden and run now, ordered by
	// Activity.Sort, then activity, then SKU, after a cursor, and the clock.
	Shelf(ctx context.Context, after ShelfCursor, limit int) ([]Offer, time.Time, error)

	// Seat returns a seat, its team, and the clock. State is NoSeat where there is none.
	Seat(ctx context.Context, order string) (Seat, Team, time.Time, error)

	// Team returns a team and the clock. Version is 0 where there is none. The product is the team's, as far as the caller
	// knows, or zero: a store that locks what it reads locks the item of the product first.
	Team(ctx context.Context, code string, product stock.Key) (Team, time.Time, error)

	// Seats returns up to limit seats that match, after a cursor: of a team by order number, of a buyer by TakenAt
	// and then order number, both descending, and of a state by Deadline and then order number.
	Seats(ctx context.Context, filter SeatFilter, after SeatCursor, limit int) ([]Seat, error)

	// Teams returns up to limit teams of a product, of an activity or of all, in a state, by Deadline and then Code, after a cursor.
	// Joinable leaves out teams that are not Live or have no FreeSeats.
	Teams(ctx context.Context, filter TeamFilter, after TeamCursor, limit int) ([]Team, error)

	// LateSeats returns up to limit orders of seats, of one team or of all, that are Held and past their deadline.
	LateSeats(ctx context.Context, team string, limit int) ([]string, error)

	// LateTeams returns up to limit teams that are Forming and past their deadline, by Deadline and then Code.
	LateTeams(ctx context.Context, limit int) ([]Team, error)

	// Unfinished reports whether a product has teams that are Forming, or seats that are Held.
	Unfinished(ctx context.Context, key stock.Key) (bool, error)

	// End ends teams by TeamRecord.End, with the holds of the seats that leave, records TeamEnd.Change, and returns a verdict for
	// each. It is Refused
	// if the team is not Forming or does not have the Version of its TeamEnd. It may use several transactions, but
	// never splits a team.
	End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error)

	// Late moves a seat by StepLate. The verdict is Refused if the step does not begin in the state of the seat.
	Late(ctx context.Context, order string) (stock.Verdict, error)

	// Follow brings seats in line with their holds, by the steps of SeatState.CatchUpStep, and returns the orders of
	// those that it moved.
	Follow(ctx context.Context, orders []string) ([]string, error)

	// Return moves a seat that exists by StepReturn. The verdict is Refused if the seat is not RefundDue.
	Return(ctx context.Context, order string) (stock.Verdict, error)

	// Books returns up to limit teams of a product after a code, by code, each with a recount of its seats. Each book is
	// of one moment.
	Books(ctx context.Context, key stock.Key, after string, limit int) ([]TeamBook, error)

	// FormedPeople returns the people of a product whose teams were formed, all of one moment. Version is 0 where there is no product.
	FormedPeople(ctx context.Context, key stock.Key) (FormedBook, error)

	// Correct gives a team the counts of its book by TeamRecord.Correct, with its event. The verdict is Refused if the
	// team has another Version. The same transaction records by.
	Correct(ctx context.Context, book TeamBook, by ...stock.Change) (stock.Verdict, error)

	// CorrectFormed adds to Product.Formed what the book counts too few, or takes away what it counts too many, and keeps the product
	// as the next version. The verdict is Refused if the product has another Version: another repair may have added the same. The
	// same transaction records by, unless its ID is empty.
	CorrectFormed(ctx context.Context, book FormedBook, by stock.Change) (stock.Verdict, error)

	// Await waits until no call that is under way in the store can still change a subject, and the changes of such
	// calls are visible. A refusal based on earlier reads is final only after that, since the call under way may be an
	// earlier copy of the refused one.
	Await(ctx context.Context, of Subject) error
}

// Subject is what Await waits for: one of the four.
type Subject struct {
	Order    string    // the seat of an order, whether or not it has one
	Team     string    // a team, by its code
	Product  stock.Key // a product
	Activity int64     // or an activity
}

// SeatFilter selects seats by one of the three.
type SeatFilter struct {
	Team  string    // of a team
	Buyer string    // or of a buyer
	State SeatState // or in a state

	Activity int64 // with State: of this activity; 0 is all
}

// SeatCursor is a place in a list of seats: the last one of the page before. An empty Order is the beginning.
type SeatCursor struct {
	At    time.Time // TakenAt of a buyer's, Deadline of a state's
	Order string
}

// TeamCursor is a place in a list of teams. An empty Code is the beginning.
type TeamCursor struct {
	Deadline time.Time
	Code     string
}

// ShelfCursor is a place in the shop window. A zero Key is the beginning.
type ShelfCursor struct {
	Sort int64
	stock.Key
}

// Counts are the counts that a team keeps of its seats.
type Counts struct {
	Held, Paid int64
	PaidVolume decimal.Decimal
}

// TeamBook is a team with a recount of its seats.
type TeamBook struct {
	Team
	Recount    Counts
	Mismatched []SeatBook // the seats that do not agree with their holds
}

// FormedBook has how many people of a product are in teams that were formed.
type FormedBook struct {
	stock.Key
	Version int64 // of the product
	Formed  int64 // Product.Formed
	Recount int64 // the seats of the product that have the Status Formed
}

// TeamRecord is a team as a store keeps it, with the rules of teams. A store locks and reads a team, applies the rules, and
// writes back the result, so that Memory and the SQL store cannot disagree. The store also writes the events that the
// rules return, in their order, while the team is locked.
type TeamRecord struct {
	Team

	needsSponsor bool // see NeedsSponsor
}

// SeatRequest is the stock.Companion of an order that requests a seat along with its units. The hold has the request
// Beside it, with the seat and its team as they are then.
type SeatRequest struct {
	Seat Seat // without State, TakenAt and Deadline, which the store sets
	Team Team // for Join its Code and Key are enough; for Open it is the new team, without what the store sets

	Opens     bool          // Open: the team is new
	Formation time.Duration // Open: how long the team has
	Until     time.Time     // Open: the team dies then at the latest; zero is never
	Closes    time.Time     // Open: from then on the request is refused with ErrEnded
}

// Companion implements stock.Companion.
func (SeatRequest) Companion() string { return "seat" }

// SeatRefund is the stock.Companion of a refund by hand, which the seat keeps.
type SeatRefund struct {
	Actor, Reason string
}

// Companion implements stock.Companion.
func (SeatRefund) Companion() string { return "seat refund" }

// Keeps reports whether a store of groups keeps a companion.
func Keeps(c stock.Companion) bool {
	switch c.(type) {
	case SeatRequest, SeatRefund:
		return true
	}
	return false
}

// TeamEnd ends a team, by an operator or by its deadline.
type TeamEnd struct {
	Code    string
	Version int64 // of the team when this was decided; Refused if it has another
	To      TeamState
	Cause   Cause
	Actor   string
	Reason  string
	Frees   bool // the refunds give their units back to the limit of their buyers
}

// The kinds of the changes by hand that move no units. Those that record the end of a team have its code as their ID. Those of
// activities and products are recorded where Groups.By named somebody; stock.KindDefine records a definition of an activity. Each
// number of a team or a product that Repair corrects is a KindRevise as well, whoever does it; see CorrectionOf.
const (
	KindForm   stock.Kind = 8
	KindFail   stock.Kind = 9
	KindEnd               = allot.KindEnd
	KindRevise            = allot.KindRevise
	KindRemove            = allot.KindRemove
)

// Change returns the end of a team of a product as a change of its pool, for the list of its movements. Its ID is empty where no
// operator ended the team.
func (e TeamEnd) Change(key stock.Key) stock.Change {
	if e.Cause != ByOperator {
		return stock.Change{}
	}
	kind := KindForm
	if e.To == Failed {
		kind = KindFail
	}
	return stock.Change{Kind: kind, ID: e.Code, Entries: []stock.Entry{{Key: key}}, Actor: e.Actor, Reason: e.Reason}
}
