package stock

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// Companion is what somebody keeps beside a hold, changed in the same transaction as the hold: the coupon of a
// claim, the share of a grab, the seat of a team. It is a value: it goes in with a call, see Inventory.With, and the
// result of the call has it as it was kept, see Hold.Beside and Outcome.Beside. A replay keeps nothing.
//
// Each store keeps the companions of its domain, and refuses others with ErrInvalid.
type Companion interface {
	// Companion returns what it is called in messages, such as "seat".
	Companion() string
}

// CompanionCall is a call on the hold of an order, as MemoryCompanions see it.
type CompanionCall struct {
	Step       Step
	Hold       Hold         // as a Lock or step leaves it; as a refund finds it
	Items      []Item       // of its lines, as a Lock or step leaves them; nil of a refund, and of an expiry
	Refund     RefundRecord // with StepRefund and StepDiscard
	Companions []Companion  // that the call carries; a moment may put what the call returns in their place
}

// MemoryCompanions keep companions beside the holds of a Memory: they are told of each call at five moments of its
// transaction, and may refuse it with an error there. Where a moment lets the calls pass, it returns what it has to
// change, or nil; that happens when all moments have let them pass, and must not fail. Nobody else is in the store
// meanwhile. The SQL store has the same five moments.
type MemoryCompanions interface {
	Keeps(c Companion) bool // whether it knows what to do with a companion

	Before(at time.Time, calls []*CompanionCall) (keep func(), err error)    // before anything else; the only one of calls that move no units
	Locked(at time.Time, calls []*CompanionCall) (keep func(), err error)    // a Lock or Take has locked its units
	Moved(at time.Time, calls []*CompanionCall) (keep func(), err error)     // the units of orders were moved by a step, the same for all
	Refunding(at time.Time, calls []*CompanionCall) (keep func(), err error) // units are about to be refunded
	Refunded(at time.Time, calls []*CompanionCall) (keep func(), err error)  // they are refunded
}

// NoCompanions keep nothing. Embed it to be told of some moments only.
type NoCompanions struct{}

// Keeps implements MemoryCompanions.
func (NoCompanions) Keeps(Companion) bool { return false }

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

// CompanionOf returns the first companion of a type, and whether there is one.
func CompanionOf[C Companion](beside []Companion) (c C, ok bool) {
	for _, b := range beside {
		if c, ok = b.(C); ok {
			return c, true
		}
	}
	return c, false
}

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
