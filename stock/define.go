package stock

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Define creates an item, or replaces the terms of one that exists. Its total is what a new item begins with. An item that
// exists keeps its units; Restock, Withdraw and Count change them. So the same Define never changes units, whatever was restocked
// since, but it undoes what ChangeTerms has changed, such as OffShelf: at the start of a program use DefineAll, which leaves an item
// that exists as it is. With a total that the item neither has nor was defined with it is ErrMismatch.
// There is one exception: when an unlimited item becomes limited, total is its new Total, and must cover what is sold and
// locked. A limited item that becomes unlimited gives up its Total and Left. The total of an unlimited item must be 0.
//
// Of two concurrent changes the last one wins. ChangeTerms and DefineAll undo nobody's change.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, ErrInUse.
func (inv *Inventory) Define(ctx context.Context, key Key, total int64, terms Terms) (Item, error) {
	asked := Item{Key: key, Terms: terms, Quantities: Quantities{Total: total}}
	if err := errors.Join(inv.readyFor(ctx, 0, ""), asked.define()); err != nil {
		return Item{}, err
	}
	for range attempts {
		items, _, err := inv.store.Items(ctx, "", []Key{key})
		if err != nil {
			return Item{}, err
		}
		item := items[0].Item
		var verdict Verdict
		if item.Version == 0 {
			verdict, err = inv.create(ctx, asked)
		} else if err = inv.otherTotals(ctx, []Item{item}, []Item{asked})[0]; err == nil {
			if item.Terms == asked.Terms {
				return item, nil
			}
			verdict, err = inv.setTerms(ctx, item, asked)
		}
		if err != nil {
			return Item{}, err
		}
		if verdict == Done {
			item, err := inv.Item(ctx, key)
			return item, fault.Unread(err)
		}
	}
	return Item{}, &ContentionError{Verb: "define", ID: key.String()}
}

// DefineAll defines any number of items, each by its Key, Terms, Total and Version; what else an Item has is ignored. It
// undoes nobody's change:
//
//   - Version 0 is a new item. One that exists stays as it is, terms and units, so that the same call is safe at every start
//     of a program.
//   - Any other Version is that of an item which was read before. It gets the terms, unless it has changed since: that is
//     ErrMismatch, with both versions. Orders change an item as well, so for one that sells use ChangeTerms.
//
// It returns each item as it is then, or why it was not defined, in the order of keys. Go on after an error of one item; an
// error of the store is the last that comes. Items are created 500 in a transaction, just before they are returned; what is
// not ranged over is not defined. The companions of With, and rows of the shop, go with each transaction.
//
// Errors of all: ErrInvalid, also for a key that comes twice. Errors of an item, with its Key, in the order of precedence:
// ErrUnknownSKU, where it has a Version and does not exist, ErrMismatch, ErrInUse.
func (inv *Inventory) DefineAll(ctx context.Context, items ...Item) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		err := inv.readyFor(ctx, 0, "")
		asked := slices.SortedFunc(slices.Values(items), func(a, b Item) int { return a.Compare(b.Key) })
		for i := range asked {
			if i > 0 && asked[i].Key == asked[i-1].Key {
				err = errors.Join(err, fault.Invalid("items", "must name %v once", asked[i].Key))
			}
			err = errors.Join(err, asked[i].define())
		}
		if err != nil {
			yield(Item{}, err)
			return
		}
		for part := range slices.Chunk(asked, MaxLines) {
			found, err := inv.createMissing(ctx, part)
			if err != nil {
				yield(Item{}, err)
				return
			}
			for i, why := range inv.otherTotals(ctx, found, part) {
				item := found[i]
				if why == nil && part[i].Version != 0 {
					item, why = inv.redefine(ctx, item, part[i])
				}
				if why != nil {
					item = Item{Key: item.Key}
				}
				if !yield(item, why) || fault.Stops(why) {
					return
				}
			}
		}
	}
}

// ChangeTerms changes terms of an item and leaves the others as they are: change is given the item, and returns its terms.
//
//	item, err := inv.ChangeTerms(ctx, key, func(is stock.Item) (stock.Terms, error) {
//		is.OffShelf = true
//		return is.Terms, nil
//	})
//
// Where somebody else changes the terms meanwhile, change is called again, with the item of then: neither change is lost. It
// may look at anything of the item, such as its Version, and refuse with an error, which ChangeTerms returns. Orders go on
// meanwhile, so the counters may have moved when the terms are changed. Whether the item is unlimited stays, since Define
// has the total.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownSKU, that of change, ErrInvalid for its terms.
func (inv *Inventory) ChangeTerms(ctx context.Context, key Key, change func(Item) (Terms, error)) (Item, error) {
	err := errors.Join(inv.readyFor(ctx, 0, ""), checkKey(key))
	if change == nil {
		err = errors.Join(err, fault.Invalid("change", "must not be nil"))
	}
	if err != nil {
		return Item{}, err
	}
	for range attempts {
		item, err := inv.Item(ctx, key)
		if err != nil {
			return Item{}, err
		}
		asked := item
		if asked.Terms, err = change(item); err != nil {
			return Item{}, err
		}
		if asked.Unlimited != item.Unlimited {
			return Item{}, fault.Invalid("unlimited", "must stay %v; Define changes it", item.Unlimited)
		}
		if err := asked.define(); err != nil {
			return Item{}, err
		}
		if asked.Terms == item.Terms {
			return item, nil
		}
		verdict, err := inv.setTerms(ctx, item, asked)
		if err != nil {
			return Item{}, err
		}
		if verdict == Done {
			item, err := inv.Item(ctx, key)
			return item, fault.Unread(err)
		}
	}
	return Item{}, &ContentionError{Verb: "change terms", ID: key.String()}
}

// createMissing creates the items that do not exist, and returns all as they are.
func (inv *Inventory) createMissing(ctx context.Context, asked []Item) ([]Item, error) {
	keys := make([]Key, len(asked))
	for i, item := range asked {
		keys[i] = item.Key
	}
	created := false
	for range attempts {
		usages, _, err := inv.store.Items(ctx, "", keys)
		if created {
			err = fault.Unread(err)
		}
		if err != nil {
			return nil, err
		}
		found, missing := make([]Item, len(asked)), []Item(nil)
		for i, usage := range usages {
			if found[i] = usage.Item; usage.Version == 0 && asked[i].Version == 0 {
				missing = append(missing, asked[i])
			}
		}
		if len(missing) == 0 {
			return found, nil
		}
		verdict, err := inv.create(ctx, missing...)
		if err != nil {
			return nil, err
		}
		created = verdict == Done // or somebody else has created some
	}
	return nil, &ContentionError{Verb: "define", ID: keys[0].String()}
}

// redefine gives an item other terms if it has the version that was asked for.
func (inv *Inventory) redefine(ctx context.Context, item, asked Item) (Item, error) {
	for range attempts {
		switch {
		case item.Version == 0:
			return Item{}, &ItemError{Key: item.Key, Err: ErrUnknownSKU}
		case item.Terms == asked.Terms:
			return item, nil
		case item.Version != asked.Version:
			return Item{}, fault.Mismatch(item.Key.String(), fault.Equal("version", item.Version, asked.Version))
		}
		verdict, err := inv.setTerms(ctx, item, asked)
		if err != nil {
			return Item{}, err
		}
		now, err := inv.itemUsage(ctx, item.Key, "")
		if verdict == Done {
			return now.Item, fault.Unread(err)
		}
		if err != nil {
			return Item{}, err
		}
		item = now.Item
	}
	return Item{}, &ContentionError{Verb: "define", ID: item.Key.String()}
}

// create creates items.
func (inv *Inventory) create(ctx context.Context, items ...Item) (Verdict, error) {
	created, defines := make([]Item, len(items)), make([]Change, len(items))
	for i, item := range items {
		created[i] = Item{Key: item.Key, Terms: item.Terms, Quantities: Quantities{Total: item.Total, Left: item.Total}}
		defines[i] = inv.defines(item.Key, 1, item.Total)
	}
	return inv.store.Create(ctx, created, defines, inv.beside...)
}

// setTerms gives an item the terms that are asked for, unless it has others by now than those that were read.
func (inv *Inventory) setTerms(ctx context.Context, is, asked Item) (Verdict, error) {
	var define Change
	switch {
	case is.Unlimited && !asked.Unlimited && asked.Total-is.Sold < is.Locked:
		return Refused, &InUseError{Key: is.Key, Wanted: asked.Total, Sold: is.Sold, Locked: is.Locked}
	case is.Unlimited != asked.Unlimited:
		define = inv.defines(is.Key, is.Version+1, asked.Total-is.Total)
	case inv.actor != "":
		define = inv.defines(is.Key, is.Version+1, 0)
	}
	verdict, err := inv.store.SetTerms(ctx, is, asked.Terms, asked.Total, define, inv.beside...)
	if err == nil && verdict == Done {
		inv.coverAfter(ctx, func(Item) bool { return asked.Reserve < is.Reserve || is.Unlimited != asked.Unlimited }, is)
	}
	return verdict, err
}

// otherTotals returns ErrMismatch for each item that exists, in the version that is asked for, and is asked for with a total that
// it neither has nor was defined with; or the error of the store for each whose total differs.
func (inv *Inventory) otherTotals(ctx context.Context, items, asked []Item) []error {
	why := make([]error, len(items))
	var keys []Key
	var at []int
	for i, is := range items {
		known := is.Version != 0 && (asked[i].Version == 0 || asked[i].Version == is.Version)
		if known && is.Unlimited == asked[i].Unlimited && is.Total != asked[i].Total {
			keys, at = append(keys, is.Key), append(at, i)
		}
	}
	if len(keys) == 0 {
		return why
	}
	defined, err := inv.store.Defined(ctx, keys)
	for n, i := range at {
		switch {
		case err != nil:
			why[i] = err
		case defined[n] != asked[i].Total:
			why[i] = fault.Mismatch(items[i].Key.String(), fault.Equal("total", items[i].Total, asked[i].Total))
		}
	}
	return why
}

// defines returns the change that records a definition: the n-th of the item, by which units came or went.
func (inv *Inventory) defines(key Key, n, units int64) Change {
	return Change{
		Kind: KindDefine, ID: key.Serial(n), Entries: []Entry{{Key: key, Delta: Quantities{Total: units}}},
		Actor: inv.actor, Reason: inv.reason,
	}
}

// define refuses what an item cannot be defined with, and brings its times into the form that every store keeps.
func (i *Item) define() error {
	err := errors.Join(checkKey(i.Key), input.NotNegative("total", i.Total), input.NotNegative("version", i.Version),
		checkTerms(i.Terms, i.Total))
	i.Start, i.End = input.Instant(i.Start), input.Instant(i.End)
	return err
}

// checkTerms refuses terms that contradict themselves.
func checkTerms(t Terms, total int64) error {
	var windows error
	if !t.Start.IsZero() {
		windows = errors.Join(windows, input.Time("start", t.Start))
	}
	if !t.End.IsZero() {
		windows = errors.Join(windows, input.Time("end", t.End))
	}
	if !t.Start.IsZero() && !t.End.IsZero() && !input.Instant(t.Start).Before(input.Instant(t.End)) {
		windows = errors.Join(windows, fault.Invalid("end", "must be after the start"))
	}
	if t.Unlimited && total != 0 {
		windows = errors.Join(windows, fault.Invalid("total", "must be 0 for an unlimited item, is %d", total))
	}
	if t.Unlimited && (t.Reserve != 0 || t.Backorder != 0) {
		windows = errors.Join(windows, fault.Invalid("reserve and backorder", "must be 0 for an unlimited item"))
	}
	return errors.Join(windows,
		input.NotNegative("SPU", t.SPU), input.NotNegative("units per order", t.PerOrder),
		input.NotNegative("units per buyer", t.PerBuyer), input.NotNegative("live holds per buyer", t.LiveHolds),
		input.NotNegative("low stock", t.Low), input.NotNegative("reserve", t.Reserve), input.NotNegative("backorder", t.Backorder))
}
