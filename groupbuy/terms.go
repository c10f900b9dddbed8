package groupbuy

import (
	"errors"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
)

// check refuses a product that contradicts itself.
func (p Product) check() error {
	return errors.Join(allot.CheckKey(p.Key), p.Terms.check(),
		input.NotNegative("SPU", p.SPU), allot.Text("name", p.Name), allot.Text("specification", p.Spec),
		input.NotNegative("units per order", p.PerOrder), input.NotNegative("units per buyer", p.PerBuyer))
}

// check refuses terms that contradict themselves.
func (t Terms) check() error {
	if err := money.Places(t.Places); err != nil {
		return err
	}
	price, err := money.Minor("price", t.Price, t.Places)
	group, bad := money.Minor("group price", t.GroupPrice, t.Places)
	if err = errors.Join(err, bad); err == nil && group > price {
		err = fault.Invalid("group price", "must be at most the price %v, is %v", t.Price, t.GroupPrice)
	}
	if t.UnitsPerVolume < 0 || t.UnitsPerVolume > MaxUnits {
		err = errors.Join(err, fault.Invalid("units per volume", "must be 0 to %d, are %d", int64(MaxUnits), t.UnitsPerVolume))
	}
	return errors.Join(err, t.checkGoal())
}

// checkGoal refuses terms with no goal for a team, with two goals, or with a goal that makes no team.
func (t Terms) checkGoal() error {
	volume, err := hundredths("volume", t.Volume)
	least, bad := hundredths("minimum volume", t.MinVolume)
	if err = errors.Join(err, bad); err != nil {
		return err
	}
	switch {
	case (t.People == 0) == (volume == 0):
		return fault.Invalid("people", "or volume must be what a team is formed by, one of them and not both")
	case volume == 0 && (t.People < 2 || t.People > MaxPeople):
		return fault.Invalid("people", "must be 2 to %d, are %d", MaxPeople, t.People)
	case t.MinPeople < 0 || t.MinPeople > t.People:
		return fault.Invalid("minimum people", "must be 0 to %d, are %d", t.People, t.MinPeople)
	case least > volume:
		return fault.Invalid("minimum volume", "must be at most %v, is %v", t.Volume, t.MinVolume)
	}
	return nil
}

// hundredths returns a volume in hundredths; it refuses one that is negative, too large or too fine.
func hundredths(field string, volume decimal.Decimal) (int64, error) {
	n, err := money.Minor(field, volume, VolumePlaces)
	if err == nil && n > maxVolume*100 {
		err = fault.Invalid(field, "must be at most %d, is %v", int64(maxVolume), volume)
	}
	return n, err
}

// canonicalVolume returns what somebody buys as every store keeps it, with two places. It refuses one that is
// not above 0.
func canonicalVolume(volume decimal.Decimal) (decimal.Decimal, error) {
	n, err := hundredths("volume", volume)
	if err == nil && n == 0 {
		err = fault.Invalid("volume", "must be above 0")
	}
	return money.Decimal(n, VolumePlaces), err
}

// Units returns how many units of stock a volume is. ErrInvalid refuses a volume that is not above 0, has more than
// two places or is not a whole number of units.
func (t Terms) Units(volume decimal.Decimal) (int64, error) {
	volume, err := canonicalVolume(volume)
	if err != nil {
		return 0, err
	}
	units := volume.Mul(decimal.NewFromInt(max(t.UnitsPerVolume, 1)))
	if !units.IsInteger() {
		return 0, fault.Invalid("volume", "must come to a whole number of units, %v is %v", volume, units)
	}
	n := units.BigInt()
	if !n.IsInt64() {
		return 0, fault.Invalid("volume", "must come to fewer units, %v is %v", volume, units)
	}
	return n.Int64(), nil
}

// normal returns the product as every store keeps it: prices with the places of the currency, volumes with two.
// Check has found nothing wrong.
func (p Product) normal() Product {
	t := &p.Terms
	t.Price, t.GroupPrice = rescaled(t.Price, t.Places), rescaled(t.GroupPrice, t.Places)
	t.Volume, t.MinVolume = rescaled(t.Volume, VolumePlaces), rescaled(t.MinVolume, VolumePlaces)
	t.UnitsPerVolume = max(t.UnitsPerVolume, 1)
	p.Replay = false
	return p
}

// rescaled returns a number with exactly so many places; it has no more.
func rescaled(d decimal.Decimal, places int32) decimal.Decimal {
	return money.Decimal(d.Shift(places).IntPart(), places)
}

// differs returns ErrMismatch for a product that is offered in another way than it was.
func (p Product) differs(asked Product) error {
	return fault.Mismatch(p.Key.String(), append(p.compare(asked.Terms), fault.Equal("product", p.Key, asked.Key),
		fault.Equal("SPU", p.SPU, asked.SPU), fault.Equal("name", p.Name, asked.Name), fault.Equal("spec", p.Spec, asked.Spec),
		fault.Equal("units per order", p.PerOrder, asked.PerOrder), fault.Equal("units per buyer", p.PerBuyer, asked.PerBuyer))...)
}

// compare compares two terms.
func (t Terms) compare(asked Terms) []fault.Argument {
	return []fault.Argument{
		fault.Equal("places", t.Places, asked.Places),
		fault.Alike("price", t.Price, asked.Price), fault.Alike("group price", t.GroupPrice, asked.GroupPrice),
		fault.Equal("members only", t.MembersOnly, asked.MembersOnly), fault.Equal("free shipping", t.FreeShipping, asked.FreeShipping),
		fault.Equal("people", t.People, asked.People), fault.Alike("volume", t.Volume, asked.Volume),
		fault.Equal("units per volume", t.UnitsPerVolume, asked.UnitsPerVolume),
		fault.Equal("min people", t.MinPeople, asked.MinPeople), fault.Alike("min volume", t.MinVolume, asked.MinVolume),
	}
}
