package groupbuy

import (
	"fmt"
	"math"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/stock"
)

// idPrefix begins the IDs of the changes that group buying records.
const idPrefix = "gb"

// Correction is a number of a team or a product that Repair has corrected, as ChangesPage shows it; see CorrectionOf.
type Correction struct {
	stock.Key                 // of the product
	Team      string          // the code; empty for a number of the product itself
	Quantity  string          // as in Drift
	By        decimal.Decimal // what was added to the number; for "settled", less the units that go back
}

// CorrectionOf returns what a change of ChangesPage has corrected, and false for a change that is no correction of a team or a
// product. Its actor, reason and time are those of the change. Corrections of units are changes of stock.KindRepair.
func CorrectionOf(c stock.Change) (Correction, bool) {
	of, rest, _ := strings.Cut(c.ID, "/")
	mark, ours := strings.CutPrefix(of, idPrefix)
	if c.Kind != KindRevise || !ours || len(c.Entries) != 1 {
		return Correction{}, false
	}
	is := Correction{Key: c.Entries[0].Key, By: decimal.NewFromInt(c.Entries[0].Asked)}
	switch mark {
	case "h", "p", "v":
		is.Team, _, _ = strings.Cut(rest, "/")
		is.Quantity = map[string]string{"h": "held", "p": "paid", "v": "volume"}[mark]
	case "f", "a", "s":
		is.Quantity = map[string]string{"f": "formed", "a": "allotted", "s": "settled"}[mark]
	default: // a Revise
		return Correction{}, false
	}
	if is.Quantity == "volume" {
		is.By = is.By.Shift(-VolumePlaces)
	}
	return is, true
}

// String returns a line for a log.
func (c Correction) String() string {
	sign := ""
	if c.By.IsPositive() {
		sign = "+"
	}
	return fmt.Sprintf("%s: %s %s%v", drifted(c.Key, c.Team), c.Quantity, sign, c.By)
}

// correction returns the record of the correction of a drift, which leads its product, or its team, from a version to the next. A
// version is left once, so that of two repairs at once one is recorded.
//
// No units move by it. So the number is what the entry asks for: a volume in hundredths.
func (g *Groups) correction(d Drift, version int64) stock.Change {
	by := d.By().Neg()
	if d.Quantity == "volume" {
		by = by.Shift(VolumePlaces)
	}
	most := decimal.NewFromInt(math.MaxInt64) // of what somebody may have written into a table
	by = decimal.Max(decimal.Min(by, most), most.Neg())
	of := d.Serial(version + 1)
	if d.Team != "" {
		of = fmt.Sprintf("%s/%d", d.Team, version+1)
	}
	return stock.Change{
		Kind: KindRevise, ID: idPrefix + d.Quantity[:1] + "/" + of, // shorter than input.MaxID
		Entries: []stock.Entry{{Key: d.Key, Asked: by.IntPart()}}, Actor: g.actor, Reason: g.reason,
	}
}
