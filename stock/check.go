package stock

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"
)

// Availability says whether a line could be locked.
type Availability struct {
	Line Line
	Num  int64     // the most units that such a line could have now
	Why  error     // what Lock would refuse the line with; nil where it would not
	From time.Time // when that may change: the start of the sale, or the next deadline of a hold of the item; zero where no time tells
}

// Check asks whether an order for these lines could be locked now, for a page of a product or a cart: for each item, in the order
// of keys, why not, how many units could be had, and from when. The lines are those of Lock, and so is the buyer, who is named
// with For. All items are looked at in one moment. Nothing is locked, so a Lock that follows may still be refused.
//
// A hold that dies at From may be paid before. It does not tell when the limits of a buyer end.
//
// Errors: ErrInvalid. What else would refuse a line, such as ErrUnknownSKU, is in Why.
func (inv *Inventory) Check(ctx context.Context, lines ...Line) ([]Availability, error) {
	if err := inv.ready(ctx); err != nil {
		return nil, err
	}
	lines, err := normalize(lines)
	if err != nil {
		return nil, err
	}
	keys := Order{Lines: lines}.keys()
	for range attempts {
		items, now, err := inv.store.Items(ctx, inv.buyer, keys)
		if err != nil {
			return nil, err
		}
		all, short := make([]Availability, len(lines)), []Key(nil)
		for i, line := range lines {
			item := items[i]
			if inv.opts.PassWaiting {
				item.Waiting = 0
			}
			all[i] = Availability{Line: line, Num: item.most(inv.buyer, now), Why: item.Refuses(StepLock, line, inv.buyer, now)}
			if errors.Is(all[i].Why, ErrNotStarted) {
				all[i].From = item.Start
			}
			if usedUp(all[i].Why) {
				short = append(short, line.Key())
			}
		}
		if len(short) == 0 {
			return all, nil
		}
		if released, err := inv.release(ctx, releaseBatch, short...); err != nil || released == 0 {
			return all, errors.Join(err, inv.nextDeadlines(ctx, all, now))
		}
	}
	return nil, &ContentionError{Verb: "check", ID: keys[0].String()}
}

// nextDeadlines looks up when the next hold dies of each item that has too little.
func (inv *Inventory) nextDeadlines(ctx context.Context, all []Availability, now time.Time) error {
	for i, a := range all {
		if !errors.Is(a.Why, ErrInsufficient) {
			continue
		}
		filter := Filter{Key: a.Line.Key(), States: []State{Locked}}
		holds, err := inv.store.Holds(ctx, filter, Cursor{}, 1)
		if err != nil {
			return err
		}
		if n := slices.IndexFunc(holds, func(h Hold) bool { return !h.dead(now) }); n >= 0 {
			all[i].From = holds[n].Deadline
		}
	}
	return nil
}

// most returns the most units that a line of a Lock could have at now.
func (s ItemUsage) most(buyer string, now time.Time) int64 {
	key := s.Key
	if s.Refuses(StepLock, Line{SKU: key.SKU, Activity: key.Activity, Num: 1}, buyer, now) != nil {
		return 0
	}
	num, has := s.Available(), s.Held+s.Bought
	if s.PerOrder > 0 {
		num = min(num, s.PerOrder)
	}
	if s.PerBuyer > 0 {
		num = min(num, s.PerBuyer-has)
	}
	if buyer != "" {
		num = min(num, math.MaxInt64-has)
	}
	return num
}
