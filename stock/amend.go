package stock

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Amendment changes an order that has its units. What is left empty stays as it is.
type Amendment struct {
	ID    string // the caller's number of this amendment, unique over all orders: 1 to 64 bytes
	Order string
	Lines []Line // all that the order has from then on, in any pools; none leaves its lines

	NewOrder string // its number from then on; the old one is closed as by Cancel
	Buyer    string // whose it is from then on; the limits of the items count it for this buyer
	Pay      bool   // it is paid in the same step; what it had beside Lines is free
}

// Amend changes an order in one step, all of it or nothing. An order that is Locked may get more units, fewer, or others, and keeps
// its number and its deadline:
//
//	Amendment{ID: "a1", Order: "1001", Lines: []Line{{SKU: 42, Num: 3}}}             // now 3 units of SKU 42, and nothing else
//	Amendment{ID: "a2", Order: "1001", Lines: []Line{{SKU: 42, Num: 6}}, Pay: true}  // 6 of 9 units are paid, 3 are free again
//	Amendment{ID: "a3", Order: "cart-7", NewOrder: "1001", Buyer: "77"}              // the cart of a guest becomes an order
//	Amendment{ID: "a4", Order: "1001", Lines: []Line{{SKU: 42, Activity: 3, Num: 2}}} // the same units, out of pool 3
//
// An order that is Paid may change its number, its buyer, and the pools of its units: as many units of each SKU, as long as
// nothing of it is refunded or redeemed. Amend never gives all units back: that is Cancel.
//
// Lines that have grown obey the terms of their items as those of a Lock do: the limits count the order as it becomes, and nothing
// but the difference has to be there, or may be backordered. Lines that shrink give up first what has not come yet. Lines of an order
// that is Paid obey less: the limit per buyer, and that the difference is there or may be backordered. Lines that shrink or stay obey
// nothing. A change of the buyer counts all lines for the new buyer.
//
// The same amendment again returns the hold as it is by then, as a Replay, whatever has been amended since: a late retry undoes
// nothing. A repeated Lock of the order compares with what it was first locked with. Hook is told of StepAmend with the lines that
// the order has, then of StepLock, StepCancel, StepTake and StepPutBack with the units that came and went, and of StepPay.
//
// Errors, in the order of precedence: ErrInvalid; ErrMismatch (the ID is known with other arguments); ErrNotFound, ErrArchived,
// ErrWaiting, ErrRefunded, ErrRedeemed, ErrPaid (for what a paid order cannot change), ErrCancelled, ErrExpired (also where a late
// payment would be accepted); ErrMismatch where NewOrder is known; then those of the first line that refuses, by key, as for Lock.
func (inv *Inventory) Amend(ctx context.Context, amendment Amendment) (Hold, error) {
	step := Step(0)
	if amendment.Pay {
		step = StepPay
	}
	err := errors.Join(inv.readyFor(ctx, step, amendment.Order), input.ID("amendment ID", amendment.ID), input.ID("order", amendment.Order))
	if amendment.NewOrder != "" {
		err = errors.Join(err, input.ID("new order", amendment.NewOrder))
	}
	if amendment.Buyer != "" {
		err = errors.Join(err, input.ID("buyer", amendment.Buyer))
	}
	if amendment.NewOrder == amendment.Order {
		amendment.NewOrder = ""
	}
	if len(amendment.Lines) > 0 && err == nil {
		amendment.Lines, err = normalize(amendment.Lines)
	}
	if err == nil && len(amendment.Lines) == 0 && amendment.NewOrder == "" && amendment.Buyer == "" && !amendment.Pay {
		err = fault.Invalid("amendment", "must change something")
	}
	if err != nil {
		return Hold{}, err
	}
	return inv.amend(ctx, orderChange{
		kind: KindAmend, id: amendment.ID, order: amendment.Order, step: StepAmend, plan: amendment.of, asked: arguments{
			Lines: amendment.Lines, NewOrder: amendment.NewOrder, Buyer: amendment.Buyer, Pay: amendment.Pay,
		},
	})
}

// of returns the hold as it is amended, or why it cannot be.
func (a Amendment) of(hold Hold) (Hold, error) {
	if hold.State != Locked && (hold.State != Paid || a.Pay || hold.touched()) {
		return Hold{}, stateError(hold, a.Order)
	}
	to := hold
	if len(a.Lines) > 0 && !slices.Equal(hold.Asked(), a.Lines) {
		if hold.State == Paid && !hold.repools(a.Lines) {
			return Hold{}, stateError(hold, a.Order)
		}
		to.Lines = make([]HoldLine, len(a.Lines))
		for i, l := range a.Lines {
			to.Lines[i] = HoldLine{Line: l, Backordered: max(0, hold.owed(l.Key())-max(0, hold.units(l.Key())-l.Num))}
		}
	}
	if a.NewOrder != "" {
		to.Order = a.NewOrder
	}
	if a.Buyer != "" {
		to.Buyer = a.Buyer
	}
	if a.Pay {
		to.State = Paid
	}
	if to.First == "" {
		to.First = digest(hold.Buyer, hold.Asked())
	}
	return to, nil
}

// touched reports whether units of the hold are refunded or redeemed.
func (h Hold) touched() bool {
	return slices.ContainsFunc(h.Lines, func(l HoldLine) bool { return l.Refunded > 0 || l.Redeemed > 0 })
}

// repools reports whether lines have as many units of each SKU as the hold.
func (h Hold) repools(lines []Line) bool {
	units := map[int64]int64{}
	for _, l := range h.Lines {
		units[l.SKU] += l.Num
	}
	for _, l := range lines {
		if l.Num > units[l.SKU] {
			return false
		}
		units[l.SKU] -= l.Num
	}
	for _, rest := range units {
		if rest > 0 {
			return false
		}
	}
	return true
}

// orderChange is a call that changes the hold of an order.
type orderChange struct {
	kind      Kind
	id, order string
	asked     arguments
	step      Step                               // that the hook is told of
	lines     []Line                             // and with which lines; nil: those that the order has then
	plan      func(hold Hold) (to Hold, _ error) // what the hold becomes, or why it does not
}

// amend replaces the hold of an order, and records that.
func (inv *Inventory) amend(ctx context.Context, call orderChange) (Hold, error) {
	for round := range attempts {
		hold, now, err := inv.store.Hold(ctx, call.order)
		if err != nil {
			return Hold{}, err
		}
		if hold.State == Locked && hold.dead(now) { // unless an Extend is under way: the release waits for that
			if err := inv.expire(ctx, call.order); err != nil {
				return Hold{}, err
			}
			continue
		}
		to, refusal := call.plan(hold)
		if refusal != nil {
			return inv.replayAmend(ctx, call, refusal)
		}
		to.Fence++
		change := Change{Kind: call.kind, ID: call.id, Order: call.order, Asked: call.asked.text(), Actor: inv.actor, Reason: inv.reason}
		record := newAmendRecord(change, hold, to)
		result, err := inv.store.Amend(ctx, record, inv.beside...)
		if err != nil {
			return Hold{}, err
		}
		switch result.Verdict {
		case Done:
			inv.tookAmend(ctx, call, record, result.Beside)
			record.To.Lines = result.Lines
			return inv.amended(ctx, record, result.Beside)
		case Exists:
			return inv.replayAmend(ctx, call, nil)
		case Refused:
			if refusal, err = inv.unamendable(ctx, round, record); err != nil {
				return Hold{}, err
			}
			if refusal != nil {
				return inv.replayAmend(ctx, call, refusal)
			}
		}
	}
	return Hold{}, &ContentionError{Verb: call.step.String(), ID: call.id}
}

// amended returns the hold that an amendment has left. When it was paid, only the store knows.
func (inv *Inventory) amended(ctx context.Context, record AmendRecord, beside []Companion) (Hold, error) {
	hold := record.To
	if hold.State != record.From.State {
		var err error
		if hold, _, err = inv.store.Hold(ctx, hold.Order); err != nil {
			return Hold{}, fault.Unread(err)
		}
	}
	hold.Beside = beside
	return hold, nil
}

// unamendable looks for the reason why an amendment was refused. It returns none where it should be tried once more: the order
// is another by now, or dead holds were released that may have been the reason.
func (inv *Inventory) unamendable(ctx context.Context, round int, record AmendRecord) (refusal, err error) {
	if record.To.Order != record.From.Order {
		taken, _, err := inv.store.Hold(ctx, record.To.Order)
		if err != nil {
			return nil, err
		}
		if taken.State != Unheld {
			return fault.Mismatch(record.To.Order, fault.Argument{
				Field: "new order", Recorded: "an order that is " + taken.State.String(), Asked: "the number of none",
			}), nil
		}
	}
	keys := make([]Key, len(record.Entries))
	for i, e := range record.Entries {
		keys[i] = e.Key
	}
	for _, e := range record.Entries {
		if e.drawn() <= 0 {
			continue
		}
		if released, err := inv.release(ctx, releaseOf(round), keys...); err != nil || released > 0 {
			return nil, err
		}
		break
	}
	items, now, err := inv.store.Items(ctx, record.To.Buyer, keys)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if refusal = record.Refuses(item, now); refusal == nil {
			continue
		}
		if usedUp(refusal) { // the same call, made at the same time, may be what has used it up
			hold, _, err := inv.store.Hold(ctx, record.From.Order)
			if err != nil || hold.Fence != record.From.Fence || hold.State != record.From.State {
				return nil, err
			}
		}
		return refusal, nil
	}
	return nil, nil
}

// replayAmend answers a call whose ID is known, and otherwise returns the refusal.
func (inv *Inventory) replayAmend(ctx context.Context, call orderChange, refusal error) (Hold, error) {
	was, err := inv.store.Applied(ctx, call.kind, call.id)
	switch {
	case err != nil:
		return Hold{}, err
	case was.ID == "" && refusal != nil:
		return Hold{}, refusal
	case was.ID == "":
		return Hold{}, &ContentionError{Verb: call.step.String(), ID: call.id}
	}
	recorded, err := argumentsOf(was.Asked)
	if err != nil {
		return Hold{}, err
	}
	differs := append([]fault.Argument{fault.Equal("order", was.Order, call.order)}, recorded.compare(call.asked)...)
	if err := fault.Mismatch(call.id, differs...); err != nil {
		return Hold{}, err
	}
	hold, _, err := inv.store.Hold(ctx, cmp.Or(call.asked.NewOrder, call.order))
	switch {
	case err != nil:
		return Hold{}, err
	case hold.State == Archived:
		return Hold{}, stateError(hold, hold.Order)
	}
	hold.Replay = true
	return hold, nil
}

// tookAmend tells the hook of an amendment: of itself, and of the units that it moved.
func (inv *Inventory) tookAmend(ctx context.Context, call orderChange, record AmendRecord, beside []Companion) {
	effect := Effect{Step: call.step, Order: record.To.Order, ID: record.ID, Lines: call.lines, Beside: beside}
	if call.lines == nil {
		effect.Lines = record.To.Asked()
	}
	inv.took(ctx, effect)
	effect.Beside = nil
	comes, goes := StepLock, StepCancel
	if record.From.State != Locked {
		comes, goes = StepTake, StepPutBack
	}
	came, gone := record.difference()
	for _, moved := range []struct {
		step  Step
		lines []Line
	}{{comes, came}, {goes, gone}} {
		if len(moved.lines) > 0 {
			effect.Step, effect.Lines = moved.step, moved.lines
			inv.took(ctx, effect)
		}
	}
	if record.From.State == Locked && record.To.State == Paid {
		effect.Step, effect.Lines = StepPay, record.To.Asked()
		inv.took(ctx, effect)
	}
}

// difference returns the lines by which an order has grown, and those by which it has shrunk.
func (r AmendRecord) difference() (came, gone []Line) {
	for _, e := range r.Entries {
		l := Line{SKU: e.SKU, Activity: e.Activity}
		switch more := r.To.units(e.Key) - r.From.units(e.Key); {
		case more > 0:
			l.Num = more
			came = append(came, l)
		case more < 0:
			l.Num = -more
			gone = append(gone, l)
		}
	}
	return came, gone
}

// AmendRecord is a change of an order as it is recorded: the Change has what the items of the order gain and lose.
type AmendRecord struct {
	Change

	From Hold // as it was read
	To   Hold // what it becomes; its fence is one higher. When it is paid, and what more of it is Backordered, the store says

	Buyers []Entry // what its buyers have more or less, by key and buyer; see Entry.Buyer
}

// newAmendRecord works out what an amendment does to items and buyers. An item whose terms it has to obey has an entry, and so has
// its first, for the list of movements.
func newAmendRecord(change Change, from, to Hold) AmendRecord {
	r := AmendRecord{Change: change, From: from, To: to}
	r.Entries = nil
	deltas, usages := map[Key]Entry{}, map[buyerKey]Entry{}
	for _, side := range []struct {
		hold Hold
		sign int64
	}{{from, -1}, {to, 1}} {
		for _, l := range side.hold.Lines {
			e := deltas[l.Key()]
			e.Key = l.Key()
			e.Delta, _ = e.Delta.Plus(side.hold.weigh(l).Times(side.sign)) // each line is counted
			deltas[l.Key()] = e
			if side.hold.Buyer == "" {
				continue
			}
			u, key := side.hold.usage(l), buyerKey{l.Key(), side.hold.Buyer}
			b := usages[key]
			b.Key, b.Buyer, b.Holds = l.Key(), side.hold.Buyer, b.Holds+side.sign*u.Holds
			b.Delta.Locked, b.Delta.Sold = b.Delta.Locked+side.sign*u.Held, b.Delta.Sold+side.sign*u.Bought
			usages[key] = b
		}
	}
	for key, e := range deltas {
		if e.Delta != (Quantities{}) || r.handsOver() && to.units(key) > 0 {
			r.Entries = append(r.Entries, e)
		}
	}
	if len(r.Entries) == 0 {
		r.Entries = []Entry{{Key: to.Lines[0].Key()}}
	}
	for _, e := range usages {
		if e.Delta != (Quantities{}) || e.Holds != 0 {
			r.Buyers = append(r.Buyers, e)
		}
	}
	slices.SortFunc(r.Entries, Entry.compare)
	slices.SortFunc(r.Buyers, Entry.compare)
	return r
}

// handsOver reports whether the order has another buyer.
func (r AmendRecord) handsOver() bool { return r.From.Buyer != r.To.Buyer }

// Refuses returns why an item of an entry does not allow it at now, given what the buyer of To has, or nil. A store asks for each.
func (r AmendRecord) Refuses(is ItemUsage, now time.Time) error {
	at, ok := slices.BinarySearchFunc(r.Entries, is.Key, func(e Entry, key Key) int { return e.Compare(key) })
	if !ok {
		return nil
	}
	more, num := r.Entries[at].drawn(), r.To.units(is.Key)
	own := max(more, 0) // units that the buyer has more
	if r.handsOver() {
		own = num
	}
	if more <= 0 && own == 0 {
		return nil
	}
	if more > 0 && r.From.State == Locked {
		if refusal := is.notOnSale(Line{SKU: is.SKU, Activity: is.Activity, Num: num}, r.To.Buyer, now); refusal != nil {
			return refusal
		}
	}
	if r.To.State == Locked && (r.handsOver() || r.From.units(is.Key) == 0) {
		if refusal := is.tooManyHolds(r.To.Buyer); refusal != nil {
			return refusal
		}
	}
	return is.cannotSell(is.Key, more, own, r.To.Buyer)
}

// drawn is how many units an entry takes from what is available; negative where it gives them.
func (e Entry) drawn() int64 { return -e.Delta.Available() }
