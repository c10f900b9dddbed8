package load

import (
	"math/rand/v2"
	"slices"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// Scenario is what a caller does, over and over.
type Scenario string

// The scenarios.
const (
	Order         Scenario = "order"
	OrderItems    Scenario = "order-items"
	Cart          Scenario = "cart"
	Catalogue     Scenario = "catalogue"
	Pay           Scenario = "pay"
	ColdBesideHot Scenario = "cold-beside-hot"
	Lock          Scenario = "lock"
	LockBuyer     Scenario = "lock-buyer"
	LockPay       Scenario = "lock-pay"
	LockCancel    Scenario = "lock-cancel"
	SoldOut       Scenario = "sold-out"
	Expire        Scenario = "expire"
	Claim         Scenario = "claim"
	Grab          Scenario = "grab"
	Fill          Scenario = "fill"
)

// description is what there is to know about a scenario.
type description struct {
	scenario Scenario
	title    string // for headings
	unit     string // what its rate counts
	about    string // one line, for the help
	lines    int    // of an order; 0 is 1. Of several, one is of the hot SKU
	more     bool   // every second order has another line
	row      bool   // the shop keeps a row for each order
	items    bool   // and one for each line
	then     then
}

// then is what follows a Lock.
type then int

const (
	nothing then = iota
	payIt
	cancelIt
	soldAlready // what is locked is sold at once
)

// descriptions of all scenarios, in the order of the help.
var descriptions = []description{
	{
		scenario: Order, title: "Order row and Lock", unit: "orders/s", row: true,
		about: "write the order row and Lock one unit, in one transaction where that goes",
	},
	{
		scenario: OrderItems, title: "Order row, two item rows and Lock of two lines", unit: "orders/s", lines: 2, row: true, items: true,
		about: "the same for an order of two lines, a hot SKU and one of the others, with a row for each",
	},
	{
		scenario: Cart, title: "Lock of two or three lines", unit: "orders/s", lines: 2, more: true,
		about: "Lock a hot SKU and one or two of the others, without rows of the shop",
	},
	{scenario: Catalogue, title: "Lock, each of any SKU", unit: "locks/s", about: "Lock one unit of any SKU"},
	{
		scenario: Pay, title: "Pay with the status of the order row", unit: "pays/s", row: true,
		about: "Pay and set the status of the order row; the orders are locked before, -holds says how many",
	},
	{
		scenario: ColdBesideHot, title: "Lock of cold SKUs beside a hot one", unit: "locks/s",
		about: "16 callers Lock cold SKUs beside those of the hot one: what counts is their rate and latency",
	},
	{scenario: Lock, title: "Lock", unit: "locks/s", about: "Lock one unit"},
	{
		scenario: LockBuyer, title: "Lock for a buyer", unit: "locks/s",
		about: "Lock one unit for a buyer, whose units the item limits; -orders says how many orders a buyer places",
	},
	{scenario: LockPay, title: "Lock, then Pay", unit: "pairs/s", then: payIt, about: "Lock one unit, and Pay for it"},
	{scenario: LockCancel, title: "Lock, then Cancel", unit: "pairs/s", then: cancelIt, about: "Lock one unit, and give it back"},
	{
		scenario: SoldOut, title: "Lock of a SKU that is sold out", unit: "refusals/s",
		about: "Lock where nothing is left: counts refusals, and the statements that reach the item",
	},
	{scenario: Expire, title: "Expiry of dead holds", unit: "holds/s", about: "release dead holds with one call of Expire"},
	{scenario: Claim, title: "Claim of a coupon", unit: "claims/s", then: soldAlready, about: "claim a coupon"},
	{scenario: Grab, title: "Grab of a share of a red packet", unit: "grabs/s", then: soldAlready, about: "grab a share of a red packet"},
	{scenario: Fill, title: "Seat of a team, taken and paid", unit: "seats/s", then: payIt, about: "take a seat of a team and pay for it"},
}

// Scenarios returns all of them.
func Scenarios() []Scenario {
	var all []Scenario
	for _, d := range descriptions {
		all = append(all, d.scenario)
	}
	return all
}

// describe returns what there is to know; of one that does not exist, nothing.
func (s Scenario) describe() description {
	if i := slices.IndexFunc(descriptions, func(d description) bool { return d.scenario == s }); i >= 0 {
		return descriptions[i]
	}
	return description{scenario: s}
}

// About says in a line what callers do.
func (s Scenario) About() string { return s.describe().about }

// config sets what the scenario asks of a contender.
func (s Scenario) config(cfg contender.Config) contender.Config {
	d := s.describe()
	cfg.Row, cfg.Items = d.row, d.items
	return cfg
}

// skus are those of the order with this number, and this serial number in its process, out of as many as there are. Shoppers choose
// at random. Where it is about one item a call, and not about which, all items are asked for in turn.
func (d description) skus(number, serial, all int64) []int64 {
	cold := all - contender.HotSKU
	other := func(n int64) int64 { return n%cold + contender.HotSKU + 1 }
	switch {
	case d.scenario == Catalogue:
		return []int64{scatter(number)%all + 1}
	case d.scenario == ColdBesideHot:
		return []int64{other(scatter(number))}
	case d.lines < 2:
		return []int64{serial%all + 1}
	}
	skus := []int64{contender.HotSKU, other(scatter(number))}
	if d.more && serial%2 == 0 {
		skus = append(skus, other(scatter(number)+cold/2))
	}
	slices.Sort(skus)
	return skus
}

// scatter makes a random number of another, always the same.
func scatter(n int64) int64 {
	return rand.New(rand.NewPCG(uint64(n), 0)).Int64N(1 << 32)
}
