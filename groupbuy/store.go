package groupbuy

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/stock"
)

// Store keeps activities, products, teams, seats and events. It is mechanical, like stock.Store, and follows the same
// rules: methods are safe for concurrent use, and a change is atomic. Errors match ErrUnavailable, ErrStore, ErrDrift
// or ErrOverflow if nothing was done, and ErrUnknown if that is not known. Time is the store's own clock in whole
// microseconds, UTC. Decisions about a team come from the methods of TeamRecord, called with the team locked. Memory
// and sqlstore.GroupBuy implement it.
//
// A change of seats requires a lock on the item of their pool. The lock order is: holds, items, seats and teams.
type Store interface {
	// Units returns the store of the units: that of the shop's ordinary stock, in which the pools of activities
	// are items like others. A seat is an order of one line, in the pool of its product, and names its buyer. In
	// the same transaction
	//
	//   - a Lock with a SeatRequest also takes its seat: by SeatRequest.Open where it opens a team, or else by
	//     TeamRecord.Take, whose refusal is LockResult.Why. The deadline is that of the hold. A code that is another
	//     team's is refused with ErrDuplicateCode. The hold has the request Beside it, with the seat and the team;
	//   - a Move or Expire also moves the seat of its order by the step of SeatState.StepFor, with TeamRecord.Move, and a
	//     Refund likewise, whose SeatRefund the seat keeps. A refusal of TeamRecord.Move is the
	//     error of the Move. Seats that have fallen behind their holds stay where they are: Follow moves them.
	//
	// What the hold or the item refuses comes first: the seat and the team are asked only for what those let pass.
	//
	// Pay, Reacquire, Cancel and Refund of an order that has a hold and no seat are refused with ErrNotFound; Expire
	// leaves it to be an ordinary one. A Lock without a SeatRequest is one of ordinary stock.
	//
	// A step of a seat writes the events it returns, ends the sponsorship of who leaves (TeamRecord.NeedsSponsor), adds the
	// members of a team that is formed, and those added later, to Product.Formed, and puts a product that is
	// Settled back to Removed where units come back.
	// Seats of one team that leave by one Expire or Follow are moved together, by order number: only then is the
	// team found to need a sponsor or not.
	Units() stock.Store

	// SaveActivity keeps an activity whose Version is 0 as a new one, or Exists; another as the next version of
	// that one, or Refused where it has another Version by now. EndedAt is set to the clock where ended is true and
	// it is zero.
	SaveActivity(ctx context.Context, activity Activity, ended bool) (stock.Verdict, error)

	// Activity returns an activity and the clock. Version is 0 where there is none.
	Activity(ctx context.Context, id int64) (Activity, time.Time, error)

	// Activities returns up to limit activities behind an ID, by ID.
	Activities(ctx context.Context, after int64, limit int) ([]Activity, error)

	// DueActivities returns up to limit activities whose End has come and that have not EndedAt, by End and then ID.
	DueActivities(ctx context.Context, limit int) ([]Activity, error)

	// SaveProduct keeps a product, as SaveActivity does; Formed stays as it is.
	SaveProduct(ctx context.Context, product Product) (stock.Verdict, error)

	// Offer returns a product with its activity, and the clock. Version of the product is 0 where there is none.
	Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error)

	// Products returns up to limit products of an activity behind a SKU, by SKU.
	Products(ctx context.Context, activity, after int64, limit int) ([]Product, error)

	// DueProducts returns up to limit products that are Removed, behind a key, by activity and then SKU.
	DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error)

	// Shelf returns up to limit products that are Offered in activities that are not Hidden and run now, ordered by
	// Activity.Sort, then activity, then SKU, behind a cursor, and the clock.
	Shelf(ctx context.Context, after ShelfCursor, limit int) ([]Offer, time.Time, error)

	// Seat returns a seat, its team, and the clock. State is NoSeat where there is none.
	Seat(ctx context.Context, order string) (Seat, Team, time.Time, error)

	// Team returns a team and the clock. Version is 0 where there is none. The product is the one that the caller takes it to
	// be of, or zero where that is not known: a store that locks what it reads locks its item first.
	Team(ctx context.Context, code string, product stock.Key) (Team, time.Time, error)

	// Seats returns up to limit seats that match, behind a cursor: of a team by order number, of a buyer by TakenAt
	// descending and then order number, and of a state by Deadline and then order number.
	Seats(ctx context.Context, filter SeatFilter, after SeatCursor, limit int) ([]Seat, error)

	// Teams returns up to limit teams of a product, or of all, in a state, by Deadline and then Code, behind a cursor.
	// Joinable leaves out those that are not Live or have no seat Open.
	Teams(ctx context.Context, filter TeamFilter, after TeamCursor, limit int) ([]Team, error)

	// LateSeats returns up to limit orders of seats, of one team or of all, that are Held and past their deadline.
	LateSeats(ctx context.Context, team string, limit int) ([]string, error)

	// LateTeams returns up to limit teams that are Forming and past their deadline, by Deadline and then Code.
	LateTeams(ctx context.Context, limit int) ([]Team, error)

	// Unfinished reports whether a product has teams that are Forming, or seats that are Held.
	Unfinished(ctx context.Context, key stock.Key) (bool, error)

	// End ends teams by TeamRecord.End, with the holds of the seats that leave, and returns a verdict for each: Refused
	// if the team is not Forming or not of the Version of its TeamEnd. It may use several transactions, but never
	// splits a team.
	End(ctx context.Context, endings []TeamEnd) ([]stock.Verdict, error)

	// Late moves a seat by StepLate. Refused where it is in none of its states.
	Late(ctx context.Context, order string) (stock.Verdict, error)

	// Follow brings seats in line with their holds, by the steps of SeatState.CatchUpStep, and returns the orders of
	// those that it moved.
	Follow(ctx context.Context, orders []string) ([]string, error)

	// DueEvents returns up to limit events that are the first undone of their team and due now, oldest due first
	// and then by code. Their Team, Seat and Members are empty.
	DueEvents(ctx context.Context, limit int) ([]Event, error)

	// Lease counts a try of an event that is due, and puts it off for a while, so that nobody else gets it meanwhile.
	// Refused where it is not the first undone of its team, has had another number of tries, or is not due.
	Lease(ctx context.Context, event Event, holdFor time.Duration) (stock.Verdict, error)

	// Delivered marks an event as done, and moves the seat of a RefundOwed by StepReturn. The next event of the team
	// is due at once. Refused where it is done. An event that is Poisoned may be marked, too.
	Delivered(ctx context.Context, event Event) (stock.Verdict, error)

	// Undelivered keeps why a try of an event failed and puts it off for a while, or with poison sets it aside:
	// the next event of the team is due at once. Refused where the event has had another number of tries by now.
	Undelivered(ctx context.Context, event Event, failure string, retryIn time.Duration, poison bool) (stock.Verdict, error)

	// Event returns an event; Kind is 0 where there is none.
	Event(ctx context.Context, code string, no int64) (Event, error)

	// Events returns up to limit events of a team behind a number, by number; with poisoned only those that are
	// set aside, of all teams where the code is empty, by code and number behind the cursor.
	Events(ctx context.Context, code string, poisoned bool, after EventCursor, limit int) ([]Event, error)

	// Books returns what up to limit teams of a product say and what their seats say, behind a code, by code. Each is
	// of one moment.
	Books(ctx context.Context, key stock.Key, after string, limit int) ([]TeamBook, error)

	// FormedPeople returns how many seats of a product have the Status Formed, and Product.Formed of the same moment.
	FormedPeople(ctx context.Context, key stock.Key) (seats, counted int64, err error)

	// Correct gives a team the counts of its book by TeamRecord.Correct, with its event. Refused where it has another
	// Version by now. CorrectFormed adds to Product.Formed.
	Correct(ctx context.Context, book TeamBook) (stock.Verdict, error)
	CorrectFormed(ctx context.Context, key stock.Key, by int64) error

	// Await waits until no call that is under way in the store can still change a subject, and the changes of such
	// calls are visible. Only then is a refusal based on earlier reads final, since the call under way may be an earlier
	// copy of the refused one.
	Await(ctx context.Context, of Subject) error
}

// Subject is what a call is about: one of the four.
type Subject struct {
	Order    string    // the seat of an order, whether or not it has one
	Team     string    // a team, by its code
	Product  stock.Key // a product
	Activity int64     // or an activity
}

// SeatFilter picks seats: by one of the three.
type SeatFilter struct {
	Team  string    // of a team
	Buyer string    // or of a buyer
	State SeatState // or in a state
}

// SeatCursor is a place in a list of seats: the last that was seen. An empty Order is the beginning.
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

// EventCursor is a place in a list of events. An empty Code is the beginning.
type EventCursor struct {
	Code string
	No   int64
}

// Counts are what a team counts of its seats.
type Counts struct {
	Held, Paid int64
	PaidVolume decimal.Decimal
	Events     int64 // the highest number of an event
}

// TeamBook is what a team says, and what its seats say.
type TeamBook struct {
	Team
	Recount    Counts
	Mismatched []SeatBook // the seats that do not agree with their holds
}

// TeamRecord is a team as a store keeps it, with the rules of teams. A store applies them to a team that it has locked
// and read, so that Memory and the SQL store cannot disagree, and writes back the result. The store must also record
// the events that they return, which are already numbered.
type TeamRecord struct {
	Team

	needsSponsor bool // see NeedsSponsor
}

// SeatRequest is the stock.Companion of an order that asks for a seat, which is to be taken along with its units. The hold
// has it Beside it with the seat and its team as they were taken.
type SeatRequest struct {
	Seat Seat // without what the store knows: State, TakenAt, Deadline
	Team Team // for Join its Code and Key are enough; for Open it is the new team, without what the store knows

	Opens     bool          // Open: the team is new
	Formation time.Duration // Open: how long the team has
	Until     time.Time     // Open: it dies then at the latest; zero is never
	Closes    time.Time     // Open: strictly before that; from then on it is ErrEnded
}

// Companion implements stock.Companion.
func (SeatRequest) Companion() string { return "seat" }

// SeatRefund is the stock.Companion of a refund by hand: the seat keeps it.
type SeatRefund struct {
	Actor, Reason string
}

// Companion implements stock.Companion.
func (SeatRefund) Companion() string { return "seat refund" }

// Keeps reports whether a store of groups knows what to do with a companion.
func Keeps(c stock.Companion) bool {
	switch c.(type) {
	case SeatRequest, SeatRefund:
		return true
	}
	return false
}

// TeamEnd is a team that is to be over, by an operator or by its deadline.
type TeamEnd struct {
	Code    string
	Version int64 // of the team as it was when this was decided; with another it is Refused
	To      TeamState
	Cause   Cause
	Actor   string
	Reason  string
	Frees   bool // the refunds give their units back to the limit of their buyers
}
