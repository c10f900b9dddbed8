package stock

import (
	"errors"
	"math"
	"time"
)

// Refuses returns why an item does not let a line be locked, taken or reacquired at now, or nil. The SQL
// store renders the same guard; the model test holds the two together.
func (s ItemUsage) Refuses(step Step, line Line, buyer string, now time.Time) error {
	key := line.Key()
	switch {
	case step == StepReacquire:
	case s.Version == 0:
		return &ItemError{Key: key, Err: ErrUnknownSKU}
	case s.OffShelf:
		return &ItemError{Key: key, Err: ErrOffShelf}
	case !s.Start.IsZero() && now.Before(s.Start):
		return &WindowError{Key: key, Err: ErrNotStarted, Start: s.Start, End: s.End, Now: now}
	case !s.End.IsZero() && !now.Before(s.End):
		return &WindowError{Key: key, Err: ErrEnded, Start: s.Start, End: s.End, Now: now}
	case s.PerOrder > 0 && line.Num > s.PerOrder:
		return &LimitError{Key: key, Err: ErrPerOrder, Limit: s.PerOrder, Wanted: line.Num}
	case buyer == "" && (s.PerBuyer > 0 || s.LiveHolds > 0):
		return &ItemError{Key: key, Err: ErrBuyerRequired}
	case s.LiveHolds > 0 && step == StepLock && s.Holds >= s.LiveHolds:
		return &LimitError{Key: key, Err: ErrLiveHolds, Buyer: buyer, Limit: s.LiveHolds, Has: s.Holds, Wanted: 1}
	}
	return s.cannotSell(line, buyer)
}

// cannotSell returns why an item cannot give a line's units to the buyer, or nil. A late payment checks nothing else.
func (s ItemUsage) cannotSell(line Line, buyer string) error {
	key := line.Key()
	switch {
	case s.Version == 0:
		return &ItemError{Key: key, Err: ErrUnknownSKU}
	case s.PerBuyer > 0 && buyer != "" && s.Held+s.Bought > s.PerBuyer-line.Num:
		return &LimitError{Key: key, Err: ErrPerBuyer, Buyer: buyer, Limit: s.PerBuyer, Has: s.Held + s.Bought, Wanted: line.Num}
	case !s.Unlimited && line.Num > s.Available():
		return &ShortageError{Key: key, Wanted: line.Num, Available: s.Available()}
	case s.Unlimited && line.Num > s.Available(), buyer != "" && line.Num > math.MaxInt64-s.Held-s.Bought:
		return ErrOverflow
	}
	return nil
}

// usedUp reports whether other orders are the cause of a refusal.
func usedUp(refusal error) bool {
	return errors.Is(refusal, ErrInsufficient) || errors.Is(refusal, ErrOverflow) ||
		errors.Is(refusal, ErrPerBuyer) || errors.Is(refusal, ErrLiveHolds)
}
