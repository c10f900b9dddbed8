package stock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// arguments are what a change of an order asks for.
type arguments struct {
	Lines, Redeems  []Line
	NewOrder, Buyer string
	Pay             bool
}

// recordedArguments are arguments as they are recorded. A line is its SKU, its activity and its units.
type recordedArguments struct {
	Lines    [][3]int64 `json:"lines,omitempty"`
	Redeems  [][3]int64 `json:"redeems,omitempty"`
	NewOrder []byte     `json:"new_order,omitempty"` // any bytes, as the buyer
	Buyer    []byte     `json:"buyer,omitempty"`
	Pay      bool       `json:"pay,omitempty"`
}

// text returns them as stores keep them.
func (a arguments) text() string {
	triples := func(lines []Line) (all [][3]int64) {
		for _, l := range lines {
			all = append(all, [3]int64{l.SKU, l.Activity, l.Num})
		}
		return all
	}
	text, _ := json.Marshal(recordedArguments{ //nolint:errchkjson // numbers and bytes cannot fail
		Lines: triples(a.Lines), Redeems: triples(a.Redeems), NewOrder: []byte(a.NewOrder), Buyer: []byte(a.Buyer), Pay: a.Pay,
	})
	return string(text)
}

// argumentsOf reads them.
func argumentsOf(text string) (arguments, error) {
	var r recordedArguments
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return arguments{}, fmt.Errorf("%w: the arguments of an amendment cannot be read: %w", ErrDrift, err)
	}
	lines := func(triples [][3]int64) (all []Line) {
		for _, t := range triples {
			all = append(all, Line{SKU: t[0], Activity: t[1], Num: t[2]})
		}
		return all
	}
	return arguments{
		Lines: lines(r.Lines), Redeems: lines(r.Redeems), NewOrder: string(r.NewOrder), Buyer: string(r.Buyer), Pay: r.Pay,
	}, nil
}

// compare compares them with those of another call.
func (a arguments) compare(asked arguments) []fault.Argument {
	redeems := compareLines(a.Redeems, asked.Redeems)
	redeems.Field = "units redeemed"
	return []fault.Argument{
		compareLines(a.Lines, asked.Lines), redeems, fault.Equal("new order", a.NewOrder, asked.NewOrder),
		fault.Private("buyer", a.Buyer, asked.Buyer), fault.Equal("pay", a.Pay, asked.Pay),
	}
}

// digest is what a hold keeps of its Lock.
func digest(buyer string, lines []Line) string {
	sum := sha256.Sum256([]byte(arguments{Buyer: buyer, Lines: lines}.text()))
	return hex.EncodeToString(sum[:])
}

// compare orders entries by key, then by buyer.
func (e Entry) compare(other Entry) int {
	return cmp.Or(e.Compare(other.Key), cmp.Compare(e.Buyer, other.Buyer))
}

// units is how many units a hold has of an item.
func (h Hold) units(key Key) int64 {
	for _, l := range h.Lines {
		if l.Key() == key {
			return l.Num
		}
	}
	return 0
}

// weigh returns what a line of the hold contributes to the counters of its item, but for those of units that are there anyway.
func (h Hold) weigh(l HoldLine) Quantities {
	weight := h.State.Weight()
	sold := weight.Sold * (l.Num - l.Restocked)
	return Quantities{Sold: sold, Locked: weight.Locked * l.Num, Left: -sold, Refunded: l.Refunded, Waiting: weight.Waiting * l.Num}
}

// usage returns what the buyer of the hold has of a line.
func (h Hold) usage(l HoldLine) Usage {
	weight := h.State.Weight()
	return Usage{Held: weight.Locked * l.Num, Bought: weight.Sold * (l.Num - l.Freed), Holds: weight.Locked}
}
