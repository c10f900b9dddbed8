package stock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Rest as the Num of a TransferLeg takes everything that is available at that moment.
const Rest int64 = math.MinInt64

// TransferLeg is a number of units that go from one pool of a SKU to another.
type TransferLeg struct {
	SKU      int64
	From, To int64 // activities; 0 is ordinary stock
	Num      int64 // units, at least 1, or Rest
}

// ChangeOutcome is what a Restock, Withdraw or Transfer left behind.
type ChangeOutcome struct {
	ID     string
	Moves  []TransferLeg // what a Transfer has moved; nil for the others
	Lines  int           // of a RestockAll: how many lines are added by then
	Replay bool          // an earlier call had done it; this one changed nothing

	Covered int64 // units that this call has given to orders that waited for them; Expire gives what is left, as after a Cancel
}

// Restock adds units: all lines or none. The same ID with the same lines again is a Replay, which changes nothing;
// with other lines, or used for a Withdraw or Transfer, it is ErrMismatch. Behind it, units go to the orders that wait for them, the
// one that has waited longest first, 500 in a transaction; see Terms.Backorder.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, then for the first line that
// refuses, by key: ErrUnknownSKU, ErrUnlimited, ErrOverflow.
func (inv *Inventory) Restock(ctx context.Context, id string, lines ...Line) (ChangeOutcome, error) {
	return inv.adjust(ctx, KindRestock, StepRestock, id, lines)
}

// Withdraw takes units away that are there and promised to no order, also those of the Terms.Reserve: all lines or none. Its IDs are
// shared with Restock.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, then for the first line that
// refuses, by key: ErrUnknownSKU, ErrUnlimited, ErrInsufficient. Dead holds are released first.
func (inv *Inventory) Withdraw(ctx context.Context, id string, lines ...Line) (ChangeOutcome, error) {
	return inv.adjust(ctx, KindWithdraw, StepWithdraw, id, lines)
}

// adjust applies one step to some items.
func (inv *Inventory) adjust(ctx context.Context, kind Kind, step Step, id string, lines []Line) (ChangeOutcome, error) {
	if err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("ID", id)); err != nil {
		return ChangeOutcome{}, err
	}
	lines, err := normalize(lines)
	if err != nil {
		return ChangeOutcome{}, err
	}
	asked := adjustment(kind, step, id, lines)
	_, outcome, err := inv.apply(ctx, func([]ItemUsage) Change { return asked })
	return outcome, err
}

// adjustment returns the change of one step for some lines.
func adjustment(kind Kind, step Step, id string, lines []Line) Change {
	asked := Change{Kind: kind, ID: id}
	for _, l := range lines {
		asked.Entries = append(asked.Entries, Entry{Key: l.Key(), Delta: step.Transition().Delta.Times(l.Num)})
	}
	return asked
}

// Transfer moves units that are there and promised to no order, those of the Terms.Reserve among them, from one pool of a SKU to
// another: all moves or none. What comes covers backorders, as a Restock does. It returns the moves with the
// numbers of units moved; a Rest may have moved 0. Its IDs are shared with Restock: the same ID with the same moves
// again is a Replay, which returns what was moved the first time.
//
// An activity takes its stock with one Transfer, and returns what is left with another whose Num is Rest. The second
// one happens once, whoever calls it and however often.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, then for the first item that
// refuses, by key: ErrUnknownSKU (of either pool), ErrUnlimited, ErrInsufficient, ErrOverflow.
func (inv *Inventory) Transfer(ctx context.Context, id string, moves ...TransferLeg) (ChangeOutcome, error) {
	if err := errors.Join(inv.readyFor(ctx, 0, ""), input.ID("ID", id)); err != nil {
		return ChangeOutcome{}, err
	}
	moves, err := checkMoves(moves)
	if err != nil {
		return ChangeOutcome{}, err
	}
	for _, m := range moves {
		for m.Num == Rest { // dead holds are part of what is available
			if released, err := inv.release(ctx, releaseBatch, Key{m.SKU, m.From}); err != nil {
				return ChangeOutcome{}, err
			} else if released == 0 {
				break
			}
		}
	}
	change, outcome, err := inv.apply(ctx, func(items []ItemUsage) Change { return transfer(id, moves, items) })
	if err != nil {
		return ChangeOutcome{}, err
	}
	for i := range moves {
		from := Key{SKU: moves[i].SKU, Activity: moves[i].From}
		for _, e := range change.Entries {
			if e.Key == from {
				moves[i].Num = -e.Delta.Left
			}
		}
	}
	outcome.Moves = moves
	return outcome, nil
}

// checkMoves refuses moves that go nowhere and pools that take part twice, and returns a copy.
func checkMoves(moves []TransferLeg) ([]TransferLeg, error) {
	if n := len(moves); n < 1 || n > MaxLines {
		return nil, fault.Invalid("moves", "must be 1 to %d, are %d", MaxLines, n)
	}
	seen := map[Key]bool{}
	for _, m := range moves {
		from, to := Key{m.SKU, m.From}, Key{m.SKU, m.To}
		if err := errors.Join(checkKey(from), checkKey(to)); err != nil {
			return nil, err
		}
		if m.Num != Rest {
			if err := input.Positive("num", m.Num); err != nil {
				return nil, err
			}
		}
		if from == to || seen[from] || seen[to] {
			return nil, fault.Invalid("moves", "must name each pool of a SKU once")
		}
		seen[from], seen[to] = true, true
	}
	return slices.Clone(moves), nil
}

// transfer returns the change of some moves. The number of a Rest is what the items have
// available; without items it stays 0.
func transfer(id string, moves []TransferLeg, items []ItemUsage) Change {
	change := Change{Kind: KindTransfer, ID: id}
	for _, m := range moves {
		from, to, num := Key{m.SKU, m.From}, Key{m.SKU, m.To}, m.Num
		if m.Num == Rest {
			num = 0
			if i := slices.IndexFunc(items, func(s ItemUsage) bool { return s.Key == from }); i >= 0 {
				num = max(0, items[i].Quantities.Available())
			}
		}
		change.Entries = append(change.Entries,
			Entry{Key: from, Delta: StepWithdraw.Transition().Delta.Times(num), Rest: m.Num == Rest, Exactly: m.Num == Rest},
			Entry{Key: to, Delta: StepRestock.Transition().Delta.Times(num), Rest: m.Num == Rest})
	}
	slices.SortFunc(change.Entries, func(a, b Entry) int { return a.Compare(b.Key) })
	return change
}

// apply books an operator's change, or finds it booked, and returns it as it is booked. The change is completed
// from its items just before each attempt.
func (inv *Inventory) apply(ctx context.Context, complete func(items []ItemUsage) Change) (Change, ChangeOutcome, error) {
	asked := complete(nil)
	keys := make([]Key, len(asked.Entries))
	for i, e := range asked.Entries {
		keys[i] = e.Key
	}
	looked := false // at the items after the last release, so that dead holds are not the reason for what is missing
	for range attempts {
		items, _, err := inv.store.Items(ctx, "", keys)
		if err != nil {
			return Change{}, ChangeOutcome{}, err
		}
		change := complete(items)
		change.Actor, change.Reason = inv.actor, inv.reason
		refusal := refusesChange(change, items)
		verdict := Refused
		if refusal == nil {
			if verdict, err = inv.store.Apply(ctx, change, inv.beside...); err != nil {
				return Change{}, ChangeOutcome{}, err
			}
		}
		if verdict == Done {
			inv.tookChange(ctx, change)
			return change, ChangeOutcome{ID: change.ID, Covered: inv.coverChange(ctx, change, items)}, nil
		}
		was, err := inv.store.Applied(ctx, asked.Kind, asked.ID)
		if err != nil {
			return Change{}, ChangeOutcome{}, err
		}
		if was.ID != "" {
			if err := sameChange(was, asked); err != nil {
				return was, ChangeOutcome{}, err
			}
			return was, ChangeOutcome{ID: was.ID, Replay: true, Covered: inv.coverChange(ctx, was, items)}, nil
		}
		if shortage, ok := fault.As[*ShortageError](refusal); ok {
			released, err := inv.release(ctx, releaseBatch, shortage.Key)
			if err != nil {
				return Change{}, ChangeOutcome{}, err
			}
			if released > 0 || !looked {
				looked = released == 0
				continue
			}
		}
		if refusal != nil {
			return Change{}, ChangeOutcome{}, refusal
		}
	}
	return Change{}, ChangeOutcome{}, &ContentionError{Verb: asked.Kind.String(), ID: asked.ID}
}

// coverChange covers behind a change of some items, or where an earlier call that has made it was cut off.
func (inv *Inventory) coverChange(ctx context.Context, change Change, items []ItemUsage) int64 {
	is := make([]Item, len(items))
	for i, item := range items {
		is[i] = item.Item
	}
	return inv.coverAfter(ctx, func(item Item) bool {
		return slices.ContainsFunc(change.Entries, func(e Entry) bool { return e.Key == item.Key && e.Delta.Left > 0 })
	}, is...)
}

// tookChange tells the hook of each item that moved.
func (inv *Inventory) tookChange(ctx context.Context, change Change) {
	for _, e := range change.Entries {
		step, num := StepRestock, e.Delta.Left
		if num < 0 {
			step, num = StepWithdraw, -num
		}
		if num > 0 { // the rest may have been nothing
			inv.took(ctx, Effect{Step: step, ID: change.ID, Lines: []Line{{SKU: e.SKU, Activity: e.Activity, Num: num}}})
		}
	}
}

// refusesChange returns why the items do not let a change happen, or nil.
func refusesChange(change Change, items []ItemUsage) error {
	for i, e := range change.Entries {
		s := items[i]
		switch {
		case s.Version == 0:
			return &ItemError{Key: e.Key, Err: ErrUnknownSKU}
		case s.Unlimited:
			return &ItemError{Key: e.Key, Err: ErrUnlimited}
		case e.Delta.Left < 0 && -e.Delta.Left > s.Quantities.Available():
			return &ShortageError{Key: e.Key, Wanted: -e.Delta.Left, Available: max(0, s.Quantities.Available())}
		}
		if _, err := s.Plus(e.Delta); err != nil {
			return err
		}
	}
	return nil
}

// sameChange compares a change that was booked with one that has the same ID.
func sameChange(was, asked Change) error {
	same := slices.EqualFunc(was.Entries, asked.Entries, func(a, b Entry) bool {
		return a.Key == b.Key && a.Rest == b.Rest && a.Exactly == b.Exactly && (a.Rest || a.Delta == b.Delta)
	})
	return fault.Mismatch(asked.ID, fault.Equal("change", was.Kind, asked.Kind),
		fault.Argument{Field: "lines", Same: was.Entries[0].Asked == asked.Entries[0].Asked, Recorded: was.lines(), Asked: asked.lines()},
		fault.Argument{Field: "units", Same: same, Recorded: was.units(), Asked: asked.units()})
}

// units returns how many units a change adds to each item, for people.
func (c Change) units() string {
	units := make([]string, len(c.Entries))
	for i, e := range c.Entries {
		switch {
		case c.Kind == KindCount:
			units[i] = fmt.Sprintf("%d counted of %v", e.Asked, e.Key)
		case e.Exactly:
			units[i] = fmt.Sprintf("the rest of %v", e.Key)
		case e.Rest:
			units[i] = fmt.Sprintf("the rest for %v", e.Key)
		default:
			units[i] = fmt.Sprintf("%+d for %v", e.Delta.Left, e.Key)
		}
	}
	return strings.Join(units, ", ")
}

// lines returns how many lines a change has, with those of its other parts.
func (c Change) lines() int64 {
	if n := c.Entries[0].Asked; n > 0 {
		return n
	}
	return int64(len(c.Entries))
}
