package coupon

import (
	"errors"
	"time"
	_ "time/tzdata" // a zone is where it is, whatever the host knows of it

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
)

// wholePercent is 100 % in hundredths of a percent.
const wholePercent = 100_00

// longestOffset is more than the clocks of any zone are ever off from UTC.
const longestOffset = 24 * time.Hour

// amounts are the numbers of terms in the smallest unit of the currency, and hundredths of a percent.
type amounts struct {
	amount, percent, limit, minimum int64
}

// amounts returns the numbers of the terms, or what is wrong with them.
func (t Terms) amounts() (amounts, error) {
	if err := money.Places(t.Places); err != nil {
		return amounts{}, err
	}
	var a amounts
	var errs [4]error
	a.amount, errs[0] = money.Minor("amount", t.Amount, t.Places)
	a.percent, errs[1] = money.Minor("percent", t.Percent, 2)
	a.limit, errs[2] = money.Minor("cap", t.Cap, t.Places)
	a.minimum, errs[3] = money.Minor("minimum", t.Minimum, t.Places)
	if err := errors.Join(errs[:]...); err != nil {
		return amounts{}, err
	}
	switch {
	case t.Kind < AmountOff || t.Kind > Gift:
		return amounts{}, fault.Invalid("kind", "is unknown: %d", t.Kind)
	case t.Kind == AmountOff && a.amount == 0:
		return amounts{}, fault.Invalid("amount", "must be above 0")
	case t.Kind != AmountOff && a.amount != 0:
		return amounts{}, fault.Invalid("amount", "must be 0 for %v", t.Kind)
	case t.Kind == PercentOff && (a.percent == 0 || a.percent > wholePercent):
		return amounts{}, fault.Invalid("percent", "must be above 0 and at most 100, is %v", t.Percent)
	case t.Kind != PercentOff && (a.percent != 0 || a.limit != 0):
		return amounts{}, fault.Invalid("percent and cap", "must be 0 for %v", t.Kind)
	}
	return a, nil
}

// Discount returns what the coupon takes off an order with this total, never more than the total. A
// percentage is rounded down to the currency's places before the cap is applied. A Gift takes nothing off.
//
// Errors, in the order of precedence: ErrInvalid, where the total is negative, has more places than the
// currency or does not fit in an int64 of its smallest unit, or where no campaign could have these terms;
// ErrBelowMinimum.
func (t Terms) Discount(total decimal.Decimal) (decimal.Decimal, error) {
	a, err := t.amounts()
	if err != nil {
		return decimal.Decimal{}, err
	}
	minor, err := money.Minor("total", total, t.Places)
	if err != nil {
		return decimal.Decimal{}, err
	}
	if minor < a.minimum {
		return decimal.Decimal{}, &MinimumError{Places: t.Places, Minimum: t.Minimum, Total: total}
	}
	var off int64
	switch t.Kind {
	case AmountOff:
		off = min(a.amount, minor)
	case PercentOff:
		// As minor * percent / 100 %, but for a product that would overflow.
		off = minor/wholePercent*a.percent + minor%wholePercent*a.percent/wholePercent
		if a.limit > 0 {
			off = min(off, a.limit)
		}
	case Gift:
	}
	return money.Decimal(off, t.Places), nil
}

// Validity returns the validity [from, until) of a coupon with these terms that is claimed, or paid, at a given
// moment. A fixed validity is taken from the terms, and begins with the claim if they have no ValidFrom.
//
// Otherwise days are counted in the zone of the terms. A day begins when the zone's clocks leave the day before for
// good, which matters where a clock change skips or repeats midnight. So a day lasts 23, 24 or 25 hours, and none
// is lost or counted twice.
// Terms that no campaign accepts give the zero time twice.
func (t Terms) Validity(at time.Time) (from, until time.Time) {
	at = input.Instant(at)
	if t.fixed() {
		from, until = input.Instant(t.ValidFrom), input.Instant(t.ValidUntil)
		if from.IsZero() {
			from = at
		}
		return from, until
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return time.Time{}, time.Time{}
	}
	year, month, day := at.In(zone).Date()
	from = at
	if t.AfterDays > 0 {
		from = dayBegins(year, month, day+t.AfterDays, zone)
	}
	return from, dayBegins(year, month, day+t.AfterDays+t.ForDays, zone)
}

// dayBegins returns the first moment from which on the clocks of a zone never show a day before this one.
func dayBegins(year int, month time.Month, day int, zone *time.Location) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC) // if the zone were UTC
	from, last := midnight.Add(-longestOffset), midnight.Add(longestOffset)
	begins := from
	for from.Before(last) { // from one change of the clocks to the next
		_, offset := from.In(zone).Zone()
		_, change := from.In(zone).ZoneBounds()
		if change.IsZero() || change.After(last) {
			change = last
		}
		at := midnight.Add(-time.Duration(offset) * time.Second)
		if at.After(change) {
			at = change
		}
		if at.After(from) { // the clocks show a day before until then
			begins = at
		}
		from = change
	}
	return begins.UTC()
}

// Equal reports whether two terms promise the same. Amounts are compared by value, times as moments.
func (t Terms) Equal(other Terms) bool {
	a, b := t.normal(), other.normal()
	same := a.Amount.Equal(b.Amount) && a.Percent.Equal(b.Percent) && a.Cap.Equal(b.Cap) && a.Minimum.Equal(b.Minimum)
	a.Amount, a.Percent, a.Cap, a.Minimum = b.Amount, b.Percent, b.Cap, b.Minimum // which == would not compare by value
	return same && a == b
}

// normal returns the terms as every store keeps them: UTC, whole microseconds.
func (t Terms) normal() Terms {
	t.ValidFrom, t.ValidUntil = input.Instant(t.ValidFrom), input.Instant(t.ValidUntil)
	return t
}

// fixed reports whether validity does not depend on the claim.
func (t Terms) fixed() bool { return !t.ValidUntil.IsZero() }

// check refuses terms that contradict themselves.
func (t Terms) check() error {
	_, err := t.amounts()
	for field, text := range map[string]string{"title": t.Title, "scope": t.Scope} {
		if n := len(text); n > MaxText {
			err = errors.Join(err, fault.Invalid(field, "must be %d bytes at most, has %d", MaxText, n))
		}
	}
	if t.fixed() {
		return errors.Join(err, t.checkFixed())
	}
	return errors.Join(err, t.checkDays())
}

// checkFixed refuses a fixed validity that never is, and days beside it.
func (t Terms) checkFixed() error {
	err := input.Time("valid until", t.ValidUntil)
	if !t.ValidFrom.IsZero() {
		err = errors.Join(err, input.Time("valid from", t.ValidFrom))
		if !input.Instant(t.ValidFrom).Before(input.Instant(t.ValidUntil)) {
			err = errors.Join(err, fault.Invalid("valid until", "must be after valid from"))
		}
	}
	if t.AfterDays != 0 || t.ForDays != 0 || t.Zone != "" {
		err = errors.Join(err, fault.Invalid("days and zone", "must not be given beside a fixed validity"))
	}
	return err
}

// checkDays refuses days that cannot be counted.
func (t Terms) checkDays() error {
	var err error
	if !t.ValidFrom.IsZero() {
		err = fault.Invalid("valid from", "needs a valid until")
	}
	if t.AfterDays < 0 || t.AfterDays > MaxDays {
		err = errors.Join(err, fault.Invalid("after days", "must be 0 to %d, are %d", MaxDays, t.AfterDays))
	}
	if t.ForDays < 1 || t.ForDays > MaxDays {
		err = errors.Join(err, fault.Invalid("for days", "must be 1 to %d, are %d", MaxDays, t.ForDays))
	}
	if err := input.ID("zone", t.Zone); err != nil {
		return err
	}
	if _, unknown := time.LoadLocation(t.Zone); unknown != nil || t.Zone == "Local" {
		err = errors.Join(err, fault.Invalid("zone", "must be the name of a time zone, is %q", t.Zone))
	}
	return err
}
