package stock

import (
	"errors"
	"math"
	"time"
)

// Refuses returns why an item does not let a line be locked, taken, reacquired, waited for or offered at now, or nil. The SQL
// store renders the same guard; the model test holds the two together. Nobody passes those who wait, unless the item is unlimited.
func (s ItemUsage) Refuses(step Step, line Line, buyer string, now time.Time) error {
	if step != StepReacquire {
		if refusal := s.notOnSale(line, buyer, now); refusal != nil {
			return refusal
		}
	}
	if step == StepLock || step == StepWait || step == StepOffer {
		if refusal := s.tooManyHolds(buyer); refusal != nil {
			return refusal
		}
	}
	if step == StepOffer { // it is their turn
		s.Waiting = 0
	}
	refusal := s.cannotSell(line.Key(), line.Num, line.Num, buyer)
	if step != StepWait || !errors.Is(refusal, ErrInsufficient) {
		return refusal
	}
	if line.Num > math.MaxInt64-s.Waiting {
		return ErrOverflow
	}
	return nil
}

// Refuses returns why an item does not let a line of the order be locked, taken or waited for at now, or nil.
func (o Order) Refuses(is ItemUsage, line Line, now time.Time) error {
	if o.PassWaiting {
		is.Waiting = 0
	}
	return is.Refuses(o.Step(), line, o.Buyer, now)
}

// closed returns why an item is for sale to nobody, or nil.
func (i Item) closed(key Key, now time.Time) error {
	switch {
	case i.Version == 0:
		return &ItemError{Key: key, Err: ErrUnknownSKU}
	case i.OffShelf:
		return &ItemError{Key: key, Err: ErrOffShelf}
	case !i.Start.IsZero() && now.Before(i.Start):
		return &WindowError{Key: key, Err: ErrNotStarted, Start: i.Start, End: i.End, Now: now}
	case !i.End.IsZero() && !now.Before(i.End):
		return &WindowError{Key: key, Err: ErrEnded, Start: i.Start, End: i.End, Now: now}
	}
	return nil
}

// notOnSale returns why an item is not for sale to an order that has a line of it, or nil.
func (s ItemUsage) notOnSale(line Line, buyer string, now time.Time) error {
	key := line.Key()
	if refusal := s.closed(key, now); refusal != nil {
		return refusal
	}
	switch {
	case s.PerOrder > 0 && line.Num > s.PerOrder:
		return &LimitError{Key: key, Err: ErrPerOrder, Limit: s.PerOrder, Wanted: line.Num}
	case buyer == "" && (s.PerBuyer > 0 || s.LiveHolds > 0):
		return &ItemError{Key: key, Err: ErrBuyerRequired}
	}
	return nil
}

// tooManyHolds returns why a buyer cannot have one more hold of an item, or nil.
func (s ItemUsage) tooManyHolds(buyer string) error {
	if s.LiveHolds == 0 || buyer == "" || s.Holds < s.LiveHolds {
		return nil
	}
	return &LimitError{Key: s.Key, Err: ErrLiveHolds, Buyer: buyer, Limit: s.LiveHolds, Has: s.Holds, Wanted: 1}
}

// cannotSell returns why an item cannot give num units, or its buyer not have own more, or nil. A late payment checks nothing else.
func (s ItemUsage) cannotSell(key Key, num, own int64, buyer string) error {
	switch {
	case s.Version == 0:
		return &ItemError{Key: key, Err: ErrUnknownSKU}
	case s.PerBuyer > 0 && buyer != "" && own > 0 && s.Held+s.Bought > s.PerBuyer-own:
		return &LimitError{Key: key, Err: ErrPerBuyer, Buyer: buyer, Limit: s.PerBuyer, Has: s.Held + s.Bought, Wanted: own}
	case !s.Unlimited && num > 0 && (s.Waiting > 0 || num > s.Available()):
		return &ShortageError{Key: key, Wanted: num, Available: s.Available(), Waiting: s.Waiting}
	case s.Unlimited && num > s.Available(), buyer != "" && own > math.MaxInt64-s.Held-s.Bought,
		num > 0 && s.Total > math.MaxInt64-s.Backordered-s.Backorders(num):
		return ErrOverflow
	}
	return nil
}

// usedUp reports whether other orders are the cause of a refusal.
func usedUp(refusal error) bool {
	return errors.Is(refusal, ErrInsufficient) || errors.Is(refusal, ErrOverflow) ||
		errors.Is(refusal, ErrPerBuyer) || errors.Is(refusal, ErrLiveHolds)
}
