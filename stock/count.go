package stock

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// CountOutcome is what a Count left behind.
type CountOutcome struct {
	ID string
	Key
	Counted int64  // units that are there
	Changed int64  // by so many units Total and Left were changed
	Short   int64  // units that are promised to orders and are not there, backorders among them
	Hit     []Hold // the newest orders that wait for as many units as are Short, the newest first
	Replay  bool   // an earlier call had done it; this one changed nothing
}

// Count sets how many units of an item are there, as somebody has counted them (盘点) or another system tells. Those are all
// units in the warehouse: what is available, what is locked, and what is paid for and not handed over yet, which Redeem tells.
// Where 80 are counted, 29 are paid for and not redeemed, and 5 are locked, 46 are available. Total and Left are changed by
// the difference, at one moment, and while orders go on. The same ID again is a Replay; the IDs are shared with Restock.
// A count tells what is there at the moment of the call: units that arrive, leave or are redeemed between the counting and the
// call must be in it.
//
// Where fewer units are there than are promised, nothing is there for others any more, and the outcome has the units that are Short
// and the orders that they are missing for: these are Backordered from then on, whatever Terms.Backorder says, and cannot be redeemed
// as a whole. Units that come cover them, as a Restock does; or cancel or refund some of them. A Replay has the Short of the
// first call, and the newest orders of now.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, ErrUnknownSKU, ErrUnlimited, ErrOverflow.
func (inv *Inventory) Count(ctx context.Context, id string, key Key, units int64) (CountOutcome, error) {
	err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("ID", id), checkKey(key), input.NotNegative("units", units))
	if err != nil {
		return CountOutcome{}, err
	}
	released := false
	for range attempts {
		books, err := inv.store.Books(ctx, []Key{key})
		if err != nil {
			return CountOutcome{}, err
		}
		change, refusal := books[0].count(id, key, units)
		verdict := Refused
		if refusal == nil && (released || change.Entries[0].Short == 0) {
			change.Actor, change.Reason = inv.actor, inv.reason
			if verdict, err = inv.store.Apply(ctx, change, inv.beside...); err != nil {
				return CountOutcome{}, err
			}
		}
		if verdict == Done {
			inv.tookChange(ctx, change)
			inv.coverAfter(ctx, func(Item) bool { return change.Entries[0].Delta.Left > 0 }, books[0].Item)
			outcome, err := inv.counted(ctx, change)
			return outcome, fault.Unread(err)
		}
		was, err := inv.store.Applied(ctx, KindCount, id)
		if err != nil {
			return CountOutcome{}, err
		}
		if was.ID != "" {
			e := was.Entries[0]
			err := fault.Mismatch(id, fault.Equal("change", was.Kind, KindCount), fault.Equal("item", e.Key, key),
				fault.Equal("units", e.Asked, units))
			if err != nil {
				return CountOutcome{}, err
			}
			outcome, err := inv.counted(ctx, was)
			outcome.Replay = true
			return outcome, err
		}
		if refusal != nil {
			return CountOutcome{}, refusal
		}
		n, err := inv.release(ctx, releaseBatch, key) // nothing is promised to the dead
		if err != nil {
			return CountOutcome{}, err
		}
		released = released || n == 0
	}
	return CountOutcome{}, &ContentionError{Verb: KindCount.String(), ID: id}
}

// count returns the change that a count of an item makes, or why it makes none.
func (b Book) count(id string, key Key, units int64) (Change, error) {
	switch {
	case b.Version == 0:
		return Change{}, &ItemError{Key: key, Err: ErrUnknownSKU}
	case b.Unlimited:
		return Change{}, &ItemError{Key: key, Err: ErrUnlimited}
	}
	there, ok := input.Add(b.Left, b.Promised)
	if !ok {
		return Change{}, ErrOverflow
	}
	e := Entry{Key: key, Rest: true, Asked: units, From: b.Total}
	n := units - there
	e.Short = max(0, -(b.Quantities.Available() + n))
	e.Delta, e.Exactly = Quantities{Total: n, Left: n, Backordered: max(0, e.Short-b.Backordered)}, e.Short > 0
	_, err := b.Plus(e.Delta)
	return Change{Kind: KindCount, ID: id, Entries: []Entry{e}}, err
}

// counted returns what a count has left behind.
func (inv *Inventory) counted(ctx context.Context, c Change) (CountOutcome, error) {
	e := c.Entries[0]
	outcome := CountOutcome{ID: c.ID, Key: e.Key, Counted: e.Asked, Changed: e.Delta.Total, Short: e.Short}
	if e.Short == 0 {
		return outcome, nil
	}
	anybody := *inv
	anybody.buyer = ""
	for hold, err := range anybody.Holds(ctx, Filter{Key: e.Key, Backordered: true, Current: true}) {
		if err != nil {
			return outcome, err
		}
		outcome.Hit = append(outcome.Hit, hold)
	}
	slices.Reverse(outcome.Hit)
	missing := e.Short
	for i, hold := range outcome.Hit {
		if missing -= hold.owed(e.Key); missing <= 0 {
			outcome.Hit = outcome.Hit[:i+1]
			break
		}
	}
	return outcome, nil
}
