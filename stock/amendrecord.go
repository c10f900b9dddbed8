package stock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// arguments are what a change of an order asks for, as they are recorded with it.
type arguments struct {
	Lines    []Line `json:",omitempty"`
	NewOrder []byte `json:",omitempty"` // any bytes, as the buyer
	Buyer    []byte `json:",omitempty"`
	Pay      bool   `json:",omitempty"`
	Redeems  []Line `json:",omitempty"`
}

// text returns them as stores keep them.
func (a arguments) text() string {
	text, _ := json.Marshal(a) // of numbers and bytes: cannot fail
	return string(text)
}

// argumentsOf reads them.
func argumentsOf(text string) (a arguments, err error) {
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("%w: the arguments of an amendment cannot be read: %w", ErrDrift, err)
	}
	return a, nil
}

// compare compares them with those of another call.
func (a arguments) compare(asked arguments) []fault.Argument {
	redeems := compareLines(a.Redeems, asked.Redeems)
	redeems.Field = "units redeemed"
	return []fault.Argument{
		compareLines(a.Lines, asked.Lines), redeems, fault.Equal("new order", string(a.NewOrder), string(asked.NewOrder)),
		fault.Private("buyer", string(a.Buyer), string(asked.Buyer)), fault.Equal("pay", a.Pay, asked.Pay),
	}
}

// digest is what a hold keeps of its Lock.
func digest(buyer string, lines []Line) string {
	sum := sha256.Sum256([]byte(arguments{Buyer: []byte(buyer), Lines: lines}.text()))
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
	return Quantities{Sold: sold, Locked: weight.Locked * l.Num, Left: -sold, Refunded: l.Refunded}
}

// usage returns what the buyer of the hold has of a line.
func (h Hold) usage(l HoldLine) Usage {
	weight := h.State.Weight()
	return Usage{Held: weight.Locked * l.Num, Bought: weight.Sold * (l.Num - l.Freed), Holds: weight.Locked}
}
