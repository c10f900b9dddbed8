package sale

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Quote returns the prices in force now of some lines of sales, in their order, and says for each why it could not be bought now,
// by a Lock of these lines for the buyer of For. A quote sets nothing aside. Lines of ordinary stock are ErrInvalid: the shop knows
// what they cost.
//
// LinePrice.Err is nil for a line that could be bought. Otherwise it is, in the order of precedence, ErrUnknownActivity,
// ErrUnknownProduct, ErrNotApproved, ErrWithdrawn, ErrNotStarted, ErrEnded, ErrPreparing, ErrRemoved, or what the stock refuses:
// stock.ErrPerOrder, stock.ErrBuyerRequired (the product limits buyers, and nobody was named), stock.ErrPerBuyer,
// stock.ErrInsufficient. Dead holds that nothing has released yet count as held.
//
// Errors: ErrInvalid, also for no lines and for more than stock.MaxLines.
func (s *Sales) Quote(ctx context.Context, lines ...stock.Line) ([]LinePrice, error) {
	wanted, err := sums(lines)
	if err := errors.Join(s.ready(ctx), err); err != nil {
		return nil, err
	}
	keys := slices.SortedFunc(maps.Keys(wanted), stock.Key.Compare)
	items, now, err := s.store.Look(ctx, keys)
	if err != nil {
		return nil, err
	}
	usages, _, err := s.store.Units().Items(ctx, s.buyer, keys)
	if err != nil {
		return nil, err
	}
	refusals := map[stock.Key]error{}
	for i, key := range keys {
		line := stock.Line{SKU: key.SKU, Activity: key.Activity, Num: wanted[key]}
		if refusals[key], err = s.refusal(ctx, items[key].Offer, usages[i], line, now); err != nil {
			return nil, err
		}
	}
	quotes := make([]LinePrice, len(lines))
	for i, l := range lines {
		item := items[l.Key()]
		quotes[i] = LinePrice{Line: l, Places: item.Places, Price: item.Current, Err: refusals[l.Key()]}
	}
	return quotes, nil
}

// sums checks lines, and returns how many units they want of each item.
func sums(lines []stock.Line) (map[stock.Key]int64, error) {
	if n := len(lines); n < 1 || n > stock.MaxLines {
		return nil, fault.Invalid("lines", "must be 1 to %d, are %d", stock.MaxLines, n)
	}
	wanted := map[stock.Key]int64{}
	for _, l := range lines {
		key := l.Key()
		if err := errors.Join(allot.CheckKey(key), input.Positive("num", l.Num)); err != nil {
			return nil, err
		}
		sum, fits := input.Add(wanted[key], l.Num)
		if !fits {
			return nil, fault.Invalid("num", "overflows for %v", key)
		}
		wanted[key] = sum
	}
	return wanted, nil
}

// refusal returns why a line could not be bought at now, or nil.
func (s *Sales) refusal(ctx context.Context, o Offer, usage stock.ItemUsage, line stock.Line, now time.Time) (refusal, err error) {
	if o.Version == 0 {
		_, _, err := s.books().Activity(ctx, line.Activity)
		if errors.Is(err, ErrUnknownActivity) {
			return err, nil
		}
		return &ProductError{Key: line.Key(), Err: ErrUnknownProduct, Now: now}, err
	}
	if reason := o.refuses(now); reason != nil {
		return reason, nil
	}
	return usage.Refuses(stock.StepLock, line, s.buyer, now), nil
}

// refuses returns why nobody can buy a product at now, as far as the activity and the product say, or nil.
func (o Offer) refuses(now time.Time) error {
	period := (Kind{}).Period(o.Activity)
	because := func(reason error) error {
		return &ProductError{Key: o.Key, Err: reason, Start: o.Activity.Start, End: o.Activity.End, Now: now}
	}
	switch o.Activity.StateAt(now) {
	case Draft:
		return period.Refusal(ErrNotApproved, now)
	case Approved:
		return period.Refusal(ErrNotStarted, now)
	case Ended, Withdrawn:
		return period.Refusal(ErrEnded, now)
	case Running:
	}
	switch {
	case o.State == Preparing:
		return because(ErrPreparing)
	case o.State != Offered:
		return because(ErrRemoved)
	}
	return nil
}

// PriceOf returns what the lines of an order cost, in the order of their keys: the prices in force when its hold was locked, whatever
// has become of prices and activities since. A payment that was accepted late changes nothing. Lines that are in no sale, such as
// those of ordinary stock, have the Err ErrUnknownProduct and no price.
//
// Errors, in the order of precedence: ErrInvalid, stock.ErrNotFound.
func (s *Sales) PriceOf(ctx context.Context, order string) ([]LinePrice, error) {
	if err := errors.Join(s.ready(ctx), input.ID("order", order)); err != nil {
		return nil, err
	}
	hold, err := s.units.Hold(ctx, order)
	if err != nil || len(hold.Lines) == 0 {
		return nil, err
	}
	var keys []stock.Key
	for _, l := range hold.Lines {
		if l.Activity > 0 {
			keys = append(keys, l.Key())
		}
	}
	prices := map[stock.Key]LinePrice{}
	if len(keys) > 0 {
		if prices, err = s.store.Prices(ctx, keys, hold.LockedAt); err != nil {
			return nil, err
		}
	}
	lines := make([]LinePrice, len(hold.Lines))
	for i, l := range hold.Lines {
		price, ok := prices[l.Key()]
		if !ok {
			price.Err = &ProductError{Key: l.Key(), Err: ErrUnknownProduct}
		}
		price.Line = l.Line
		lines[i] = price
	}
	return lines, nil
}
