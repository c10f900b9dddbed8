package stock

import (
	"cmp"
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Store keeps items and holds. It is mechanical: it does as told, atomically, or reports that the guard refused. It
// knows no rules beyond the Transition table and its arguments. Memory and sqlstore.Stock implement it.
//
// For every method:
//
//   - it is safe for concurrent use, and a change is atomic: all of it happens or none;
//   - an error matches ErrUnavailable, ErrStore, ErrDrift or ErrOverflow when nothing was
//     done, and ErrUnknown when that is not known;
//   - time is the store's own clock, in whole microseconds, UTC;
//   - lines and keys arrive sorted by Key, each key once;
//   - the companions that a change carries are kept with it or not at all; one that the store does not keep is
//     ErrInvalid. Whoever keeps them may refuse the call with an error that matches none of these; then nothing was done.
type Store interface {
	// Create adds items and records the first units of each as the change in defines at its place: all or none. Exists
	// where a key is taken. Item.Quantities holds Total and Left, nothing else.
	Create(ctx context.Context, items []Item, defines []Change, beside ...Companion) (Verdict, error)

	// SetTerms replaces the terms of an item, and records the change define, unless its ID is empty. Where to.Unlimited
	// differs from from.Unlimited it also sets Total to total and Left to what is left of it.
	// Refused where the item is gone, or its terms are no longer those of from, or the ID of define is taken, or where the flag
	// differs and the item's Total is no longer that of from, or total is less than what is sold and locked.
	SetTerms(ctx context.Context, from Item, to Terms, total int64, define Change, beside ...Companion) (Verdict, error)

	// Items returns the items of the keys in their order, with what the buyer has of each
	// (nothing for buyer ""), and the clock at that moment. A key that does not exist comes
	// back with Version 0.
	Items(ctx context.Context, buyer string, keys []Key) ([]ItemUsage, time.Time, error)

	// Defined returns the total that each item was last defined with, or became limited with, and -1 where no definition is to be
	// seen.
	Defined(ctx context.Context, keys []Key) ([]int64, error)

	// List returns up to limit items of a product, or of all for spu 0, behind a key, in the order of keys.
	List(ctx context.Context, spu int64, after Key, limit int) ([]Item, error)

	// Lock records the hold and applies Order.Step, StepLock, StepTake or StepWait, to every line, if all terms and limits allow
	// it: Done with the hold. One that waits may be offered its units at once; see HandOver. Exists where the order has a hold or
	// was closed. Refused where one item does not exist or does not allow it, at that one moment; then by whoever keeps
	// Order.Beside; then by Order.Lapsed; see LockResult.Why.
	Lock(ctx context.Context, order Order, holdFor time.Duration) (LockResult, error)

	// Move applies a step with a hold to an order and all of its lines: Done, or Refused where
	// the order does not exist, is in another state, has another fence, is on the wrong side
	// of its deadline, or, for a step that draws, where one item has too little or the
	// buyer's limit is reached. StepExpire does not look at the fence, and leaves the rows of the shop to the step that it makes
	// way for. StepOffer is refused: HandOver makes it.
	Move(ctx context.Context, move Movement) (MoveResult, error)

	// MoveAll makes movements of one step, of different orders, as Move does, each completely or not at all, and many in one
	// transaction. It returns the orders that it moved, even with an error. It may leave out an order that Move would move or
	// wait for. Companions and rows of the shop are ErrInvalid.
	MoveAll(ctx context.Context, moves []Movement) ([]string, error)

	// HandOver gives the units that items have available to orders that wait for them: of each item in the order of arrival, which is
	// that of Deadline and then Order, to each that ItemUsage.Refuses allows StepOffer, while the others keep their places. The hold is
	// Locked then, for as long as its Lock has asked for. Every change that makes units of an item available, or changes its terms, does
	// that as well, for that item and in the same transaction. HandOver itself is for what was left: a sale has begun, a limit of a buyer
	// has ended, or a change in a caller's transaction has not seen who waits. It may leave out for a minute what no call of this
	// process has met.
	HandOver(ctx context.Context) error

	// Ahead returns how many holds wait for the item of one that is Waiting, and how many of them came before it.
	Ahead(ctx context.Context, hold Hold) (ahead, waiting int64, err error)

	// Void records the order as Cancelled without lines, so that no later Lock of it can
	// succeed; companions are told as of StepCancel. Exists where the order has a hold or was closed before.
	Void(ctx context.Context, order string, beside ...Companion) (Verdict, error)

	// Fence raises the fence of an order by one, whatever its state, once every change of
	// the order that is under way has ended. Refused where the order does not exist.
	Fence(ctx context.Context, order string, beside ...Companion) (Verdict, error)

	// SetDeadline moves the deadline of a hold that is Locked and live, has this fence and
	// this deadline, and raises its fence by one, so that the same call, arriving once more after
	// another has moved the deadline back, is not let through. Refused otherwise.
	SetDeadline(ctx context.Context, hold Hold, deadline time.Time, beside ...Companion) (Verdict, error)

	// Hold returns the hold of an order as it is now, and the clock. State is Unheld where
	// there is none.
	Hold(ctx context.Context, order string) (Hold, time.Time, error)

	// Missing returns which of the orders have no hold with a line, in their order.
	Missing(ctx context.Context, orders []string) ([]string, error)

	// Holds returns up to limit holds that match, in the order of their cursors, behind the
	// cursor of the last hold that was seen before. A filter with a Key or ByDeadline names exactly one
	// state, and no buyer; one with a Buyer has neither. One that is Backordered names a Key alone. One with FinishedBefore, which has a
	// Key, leaves out what does not match Filter.Finished, and what whoever keeps companions needs.
	Holds(ctx context.Context, filter Filter, after Cursor, limit int) ([]Hold, error)

	// Due returns up to limit orders with a dead hold that is still Locked, of any of the keys; without keys, of all
	// items that count locked units. It may leave out for a minute what Expire had to skip.
	Due(ctx context.Context, keys []Key, limit int) ([]string, error)

	// Expire applies StepExpire to the orders that are Locked and dead, each completely or not at all. It returns the
	// orders that it expired, even with an error. An order that its books or a companion keep is skipped, and its error
	// returned with those of others. It waits for other calls that work on one of the orders.
	Expire(ctx context.Context, orders []string) ([]string, error)

	// Cover gives units that have come to the orders that wait for them, the earliest LockedAt first, then by order: up to limit lines of
	// one of the items of the keys; without keys, of any item. It gives what is Item.Coverable, and no more: a line may get some of
	// its units. It returns what it gave to each order, as a StepCover, also with an error; nothing where there is nothing to give.
	// A store that is bound to a caller's transaction gives nothing.
	Cover(ctx context.Context, keys []Key, limit int) ([]Effect, error)

	// Refund works a refund out of the hold as it is at that moment, by RefundRecord.Of; records it,
	// applies StepRefund or StepDiscard to each of its lines and moves the order to the state that
	// leads to: Done with the refund as it is recorded. A refund with an Actor is recorded by RefundRecord.Change as well.
	// Exists where the refund's ID is taken.
	// Refused otherwise where the state or the fence are no longer those of the hold, or Of refuses.
	Refund(ctx context.Context, refund RefundRecord, hold Hold, beside ...Companion) (RefundResult, error)

	// RefundRecord returns a recorded refund; ID is empty where there is none. At, Actor and Reason are left
	// out.
	RefundRecord(ctx context.Context, id string) (RefundRecord, error)

	// Refunds returns up to limit refunds of an order behind an ID, by ID.
	Refunds(ctx context.Context, order, after string, limit int) ([]RefundRecord, error)

	// Amend replaces the hold From of an order by To, adds what the Entries of the record say to its items, and what Buyers say to its
	// buyers, and records the Change; StepPay is told to companions where it leads from Locked to Paid, whose PaidAt the store sets.
	// Where To has another order, the old one is closed as by Void. Exists where the ID of the change is taken. Refused where the
	// order's state, its fence, or what is refunded and Backordered of it, are no longer those of From; where it is Locked and dead; where
	// the other order exists; or where AmendRecord.Refuses, asked for the item of each entry at that moment. The lines of To have
	// Backordered what the order keeps of that. The store adds what Item.Backorders says of the units that an entry draws, and changes
	// what is Backordered of the items alike, which the entries leave out.
	Amend(ctx context.Context, record AmendRecord, beside ...Companion) (MoveResult, error)

	// Apply records an operator's change and adds its deltas. Exists where the ID is taken. The Delta.Backordered of a count are units
	// that the holds which are Locked or Paid lack from then on, those with the latest LockedAt first, then by order descending: as
	// many of each as are neither refunded nor handed over, nor Backordered before.
	// Refused where an item does not exist, is unlimited while a Total moves, or would end
	// with counters that are not Valid; or where an entry names Exactly and something else is
	// available, or of a KindCount names another Total than the item has; or where holds lack fewer units than that.
	Apply(ctx context.Context, change Change, beside ...Companion) (Verdict, error)

	// Applied returns a recorded change with its entries as they were, Rest and Exactly among
	// them; ID is empty where there is none.
	Applied(ctx context.Context, kind Kind, id string) (Change, error)

	// Changes returns up to limit changes of an item behind another, the newest first: by At, then by Kind.Scope, then by ID, each
	// descending. Each has the entry of the item alone, and none of its buyers. A zero At is the beginning.
	Changes(ctx context.Context, key Key, after Change, limit int) ([]Change, error)

	// Archive archives those of the holds, which are finished, that still are as they were read; see Hold.SameAs. Their lines and
	// refunds are gone, and each order is Archived, with no buyer, LockedAt and Fence as they were, and the clock for the other times.
	// What Hold.Weights says is added up in one change for each item, with the kind, actor and reason of by, the ID Serial(1) of the
	// key, and the time of the last call; and for each buyer of an item. Books count both. It returns the orders that it archived, all
	// in one transaction, and may leave out those that others work on. Companions and rows of the shop are ErrInvalid, and so is a
	// store that is bound to a caller's transaction.
	Archive(ctx context.Context, holds []Hold, by Change) ([]string, error)

	// Books returns the items of the keys in their order, as they are and as their holds and changes say they should be, each
	// with its recount of one moment. Version is 0 where an item does not exist.
	Books(ctx context.Context, keys []Key) ([]Book, error)
}

// Verdict is what became of a change.
type Verdict uint8

// The verdicts of a Store.
const (
	Refused Verdict = iota // a guard did not let it; nothing changed
	Done                   // it happened now
	Exists                 // the ID is taken; nothing changed
)

// String returns the verdict in lower case.
func (v Verdict) String() string {
	names := map[Verdict]string{Done: "done", Exists: "exists"}
	return cmp.Or(names[v], "refused")
}

// Order is what a Lock or a Take asks for.
type Order struct {
	ID        string
	Buyer     string // "" is nobody
	Lines     []Line
	Immediate bool        // the units are sold at once
	Backorder bool        // units that are not there may be among them; without it, a store may refuse an order that needs that
	Until     time.Time   // the hold dies then at the latest; zero where holdFor alone decides
	Waits     bool        // it waits where the units are not there, or where others wait; it has one line
	Beside    []Companion // what is to be kept beside the hold

	PassWaiting bool // it takes units though others wait for them
}

// keys returns the items of the order.
func (o Order) keys() []Key {
	keys := make([]Key, len(o.Lines))
	for i, l := range o.Lines {
		keys[i] = l.Key()
	}
	return keys
}

// Deadline returns the deadline of a hold of the order that is locked at the given time.
func (o Order) Deadline(at time.Time, holdFor time.Duration) time.Time {
	deadline := at.Add(holdFor)
	if !o.Until.IsZero() && o.Until.Before(deadline) {
		return o.Until
	}
	return deadline
}

// Lapsed returns why an order locked at the given time could not live, because its Until has passed, or nil.
func (o Order) Lapsed(at time.Time) error {
	if o.Until.IsZero() || at.Before(o.Until) {
		return nil
	}
	return &StateError{Order: o.ID, State: Unheld, Err: ErrExpired}
}

// Step returns StepTake for an order that is Immediate, StepWait for one that Waits, and StepLock for others.
func (o Order) Step() Step {
	switch {
	case o.Immediate:
		return StepTake
	case o.Waits:
		return StepWait
	}
	return StepLock
}

// LockResult is what became of a Lock.
type LockResult struct {
	Verdict Verdict
	Hold    Hold // where it is Done; Beside has what was kept

	// Why is the reason of Refused, if the store knows it: the error of a companion, or of ItemUsage.Refuses for the
	// first line that it refused. Then, at a moment at most 200 ms before the Lock, the items refused and had no dead
	// hold, and the order had no hold later.
	Why error

	// Dead says of an order that is Refused without a reason that an item has dead holds. With these released, the Lock
	// may succeed, or has a reason.
	Dead bool
}

// Movement is a step that an order is to make.
type Movement struct {
	Step   Step
	Order  string
	Fence  int64       // of the order's hold
	Beside []Companion // what is to be kept beside it

	Backorder bool // as in Order, for a step that draws
}

// MoveResult is what became of a Movement.
type MoveResult struct {
	Verdict Verdict
	Beside  []Companion // where it is Done: what was kept
	Lines   []HoldLine  // where an Amend is Done: those that the order has now
}

// RefundResult is what became of a Refund.
type RefundResult struct {
	Verdict Verdict
	Refund  RefundRecord // where it is Done: as it is recorded
	State   State        // and the state that it led the order to
	Beside  []Companion  // and what was kept
}

// ItemUsage is an item and what one buyer has of it.
type ItemUsage struct {
	Item
	Usage
}

// Cursor is a place in a listing of holds. With a Key or ByDeadline, holds are listed by deadline, then by order; with a Buyer
// by LockedAt descending, then by order descending; those that are Backordered by LockedAt, then by order; without any of these by
// order alone.
type Cursor struct {
	At    time.Time // the deadline, or LockedAt with a Buyer or where they are Backordered
	Order string    // empty is the beginning
}

// RefundRecord is a Refund as it is recorded.
type RefundRecord struct {
	Refund
	Whole bool // the lines were not given but found: everything not refunded yet
	Frees bool // the units went back to the buyer's limit

	Redeemable bool // units that were handed over may be among them; only asked for, not recorded

	At            time.Time // when it was made, by the store's clock
	Actor, Reason string    // who made it and why, where Inventory.By named somebody
}

// Change returns the refund as a change of its items, for the list of their movements. Its ID is empty where nobody is named.
func (r RefundRecord) Change() Change {
	if r.Actor == "" {
		return Change{}
	}
	c := Change{Kind: KindRefund, ID: r.ID, Actor: r.Actor, Reason: r.Reason}
	for _, l := range r.Lines {
		c.Entries = append(c.Entries, Entry{Key: l.Key(), Delta: r.step().Transition().Delta.Times(l.Num)})
	}
	return c
}

// Kind is the kind of a Change.
type Kind uint8

// The kinds of changes. Those of an operator share one set of IDs, each of the others has its own. Sales and group buying have more,
// of changes that move no units.
const (
	KindDefine   Kind = 1 // the first units of an item, a switch between limited and unlimited, or other terms by somebody
	KindRestock  Kind = 2
	KindWithdraw Kind = 3
	KindTransfer Kind = 4
	KindRepair   Kind = 5  // a correction found by an audit; not part of the recount
	KindImport   Kind = 6  // units that came with what is handed out for them: the codes of coupons
	KindRefund   Kind = 7  // a refund that somebody made by hand; its ID is that of the refund
	KindCount    Kind = 15 // units that were counted: Entry.Asked; 8 to 14 are of sales and group buying
	KindAmend    Kind = 16 // an order was amended, or redeemed in part
	KindPutBack  Kind = 17 // what was refunded is back on sale; its ID is that of the refund
	KindArchive  Kind = 18 // what the archived holds of an item have weighed, all in one; it changes no counter
)

// String returns the kind in lower case.
func (k Kind) String() string {
	names := [...]string{
		"", "define", "restock", "withdraw", "transfer", "repair", "import", "refund", "form", "fail",
		"approve", "end", "withdraw sale", "revise", "remove", "count", "amend", "put back", "archive",
	}
	if int(k) < len(names) {
		return cmp.Or(names[k], "unknown")
	}
	return "unknown"
}

// Scope returns the kind under which the IDs of a change are unique: an operator's kinds share
// KindRestock.
func (k Kind) Scope() Kind {
	if k == KindWithdraw || k == KindTransfer || k == KindCount {
		return KindRestock
	}
	return k
}

// Change is a movement of units that is no step of an order.
type Change struct {
	Kind    Kind
	ID      string // the caller's for restock, withdraw, transfer, count and refund
	Entries []Entry

	Order string // of KindAmend and KindPutBack: the order, by the number that it had before
	Asked string // of these: what was asked for, for a replay to compare; stores keep it, and leave it out of Changes

	At            time.Time // when it was made, by the store's clock; set by the store
	Actor, Reason string    // who made it and why, where Inventory.By named somebody
}

// Entry is what a Change does to one item, or with Buyer to what that buyer has of it.
type Entry struct {
	Key
	Buyer   string     // "" for the item itself
	Delta   Quantities // with Buyer: Locked is Usage.Held, Sold is Usage.Bought
	Holds   int64      // with Buyer: the change of Usage.Holds
	Asked   int64      // without: the units of a count; the lines of a RestockAll of several parts, in its first part; lines archived
	Short   int64      // of a count: units that are promised to orders and are not there; Delta.Backordered has those that were not
	From    int64      // of a count: the Total that it starts from; it is not recorded
	Rest    bool       // the number was not given but found: everything available, or what a count differs by
	Exactly bool       // only where exactly -Delta.Left - Short units are there and promised to nobody
}

// Book is an item and its recount.
type Book struct {
	Item
	// Total from the changes, Sold and Locked from the holds by State.Weight, Refunded and Backordered from the holds, Sold and Refunded
	// also from what is archived; the store leaves Left at 0
	Recount Quantities
	Buyers  []BuyerBook
	Repairs int64 // how many repairs the item has had

	Promised int64 // units of the holds that are Paid, neither refunded nor handed over yet
}

// BuyerBook is what one buyer has of an item, as counted and as recounted. Only those are
// listed in which the two differ.
type BuyerBook struct {
	Buyer   string
	Usage   Usage
	Recount Usage
}

// CompanionCall is a call on the hold of an order, as MemoryCompanions see it.
type CompanionCall struct {
	Step       Step
	Hold       Hold         // as a Lock or step leaves it; as a refund finds it
	Items      []Item       // of its lines, as a Lock or step leaves them; nil for a refund or an expiry
	Refund     RefundRecord // with StepRefund and StepDiscard
	Companions []Companion  // that the call carries; a moment may put what the call returns in their place
}

// MemoryCompanions keep companions beside the holds of a Memory. They are told of each call at five moments of its
// transaction, and may refuse it there with an error. A moment that allows the calls returns a function that makes its
// changes, or nil. It runs once all moments have allowed the calls, and must not fail. Nobody else is in the store
// meanwhile. The SQL store has the same five moments.
type MemoryCompanions interface {
	Keeps(c Companion) bool // whether it knows what to do with a companion
	NeedsHolds() bool       // whether the holds of the Locks that it is told of must not be archived

	Before(at time.Time, calls []*CompanionCall) (keep func(), err error)    // before anything else; the only one of calls that move no units
	Locked(at time.Time, calls []*CompanionCall) (keep func(), err error)    // a Lock or Take has locked its units
	Moved(at time.Time, calls []*CompanionCall) (keep func(), err error)     // orders have made a step, the same for all, or Void carries any
	Refunding(at time.Time, calls []*CompanionCall) (keep func(), err error) // units are about to be refunded
	Refunded(at time.Time, calls []*CompanionCall) (keep func(), err error)  // they are refunded
}

// NoCompanions keep nothing. Embed it to be told of some moments only.
type NoCompanions struct{}

// Keeps implements MemoryCompanions.
func (NoCompanions) Keeps(Companion) bool { return false }

// NeedsHolds implements MemoryCompanions.
func (NoCompanions) NeedsHolds() bool { return false }

// Before implements MemoryCompanions.
func (NoCompanions) Before(time.Time, []*CompanionCall) (func(), error) { return nil, nil } //nolint:nilnil // nothing to keep

// Locked implements MemoryCompanions.
func (NoCompanions) Locked(time.Time, []*CompanionCall) (func(), error) { return nil, nil } //nolint:nilnil // nothing to keep

// Moved implements MemoryCompanions.
func (NoCompanions) Moved(time.Time, []*CompanionCall) (func(), error) { return nil, nil } //nolint:nilnil // nothing to keep

// Refunding implements MemoryCompanions.
func (NoCompanions) Refunding(time.Time, []*CompanionCall) (func(), error) { return nil, nil } //nolint:nilnil // nothing to keep

// Refunded implements MemoryCompanions.
func (NoCompanions) Refunded(time.Time, []*CompanionCall) (func(), error) { return nil, nil } //nolint:nilnil // nothing to keep

// KeepsAll returns ErrInvalid for the first companion that a store does not keep, or nil.
func KeepsAll(beside []Companion, keeps func(Companion) bool) error {
	for _, c := range beside {
		if c == nil {
			return fault.Invalid("companion", "must not be nil")
		}
		if !keeps(c) {
			return fault.Invalid("companion", "is not kept by this store: %s", c.Companion())
		}
	}
	return nil
}
