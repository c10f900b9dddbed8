package stock_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// untouchedStore is a store that must not be called: bad input is refused before any I/O.
type untouchedStore struct{ stock.Store }

// refusals returns an inventory on a store that must not be called, and the checks of what it refuses.
func refusals(t *testing.T) (*stock.Inventory, *suite.Checks) {
	t.Helper()
	return stock.New(untouchedStore{}, nil), &suite.Checks{TB: t, Retryable: stock.Retryable}
}

// TestUnusableInventoriesRefuseEveryCall: the constructors do not fail; each call does.
func TestUnusableInventoriesRefuseEveryCall(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	with := func(opts stock.Options) *stock.Inventory { return stock.New(untouchedStore{}, &opts) }
	c.RefusesEveryCall(nil, "no context", inv.For("1"), "context") //nolint:staticcheck // that is the test
	for _, broken := range []struct {
		name  string
		inv   *stock.Inventory
		field string
	}{
		{"nil", (*stock.Inventory)(nil), "inventory"},
		{"zero", new(stock.Inventory), "inventory"},
		{"zero on a store", new(stock.Inventory).On(untouchedStore{}), "inventory"},
		{"nil for a buyer", (*stock.Inventory)(nil).For("1"), "inventory"},
		{"without a store", stock.New(nil, nil), "store"},
		{"on nothing", inv.On(nil), "store"},
		{"on nothing, then on a store", inv.On(nil).On(untouchedStore{}), "store"},
		{"no buyer", inv.For(""), "buyer"},
		{"a long buyer", inv.For(strings.Repeat("é", 33)), "buyer"},
		{"no buyer on a store", inv.For("").On(untouchedStore{}), "buyer"},
		{"no actor", inv.By("", "because"), "actor"},
		{"a long actor", inv.By(strings.Repeat("x", 65), ""), "actor"},
		{"a long reason", inv.By("eve", strings.Repeat("x", 513)), "reason"},
		{"until 1969", inv.Until(time.Unix(-1, 0)), "until"},
		{"negative HoldFor", with(stock.Options{HoldFor: -1}), "HoldFor"},
		{"HoldFor of 1ns", with(stock.Options{HoldFor: 1}), "HoldFor"},
		{"endless HoldFor", with(stock.Options{HoldFor: stock.MaxHoldFor + 1}), "HoldFor"},
		{"unknown LatePay", with(stock.Options{LatePay: stock.Reacquire + 1}), "LatePay"},
		{"negative Sweep", with(stock.Options{Sweep: -1}), "Sweep"},
	} {
		c.RefusesEveryCall(t.Context(), broken.name, broken.inv, broken.field)
	}
}

func TestBadIDsAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	ctx, until, one := t.Context(), time.Unix(1<<32, 0), stock.Line{SKU: 1, Num: 1}
	for _, id := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		c.Invalid("Lock", suite.Err(inv.Lock(ctx, id, one)))
		c.Invalid("Pay", suite.Err(inv.Pay(ctx, id)))
		c.Invalid("Cancel", suite.Err(inv.Cancel(ctx, id)))
		c.Invalid("Redeem", suite.Err(inv.Redeem(ctx, id)))
		c.Invalid("Extend", suite.Err(inv.Extend(ctx, id, until)))
		c.Invalid("Shorten", suite.Err(inv.Shorten(ctx, id, until)))
		c.Invalid("Resolve", suite.Err(inv.Resolve(ctx, id)))
		c.Invalid("Hold", suite.Err(inv.Hold(ctx, id)))
		c.Invalid("Refund by an ID", suite.Err(inv.Refund(ctx, stock.Refund{ID: id, Order: "a"})))
		c.Invalid("Refund of an order", suite.Err(inv.Refund(ctx, stock.Refund{ID: "r", Order: id})))
		c.Invalid("Amend by an ID", suite.Err(inv.Amend(ctx, stock.Amendment{ID: id, Order: "a", Pay: true})))
		c.Invalid("Amend of an order", suite.Err(inv.Amend(ctx, stock.Amendment{ID: "a", Order: id, Pay: true})))
		c.Invalid("RedeemPart by an ID", suite.Err(inv.RedeemPart(ctx, id, "a", one)))
		c.Invalid("RedeemPart of an order", suite.Err(inv.RedeemPart(ctx, "p", id, one)))
		c.Invalid("PutBack", suite.Err(inv.PutBack(ctx, id)))
		c.Invalid("Restock", suite.Err(inv.Restock(ctx, id, one)))
		c.Invalid("RestockAll", suite.Err(suite.Gather(inv.RestockAll(ctx, id, one))))
		c.Invalid("Count", suite.Err(inv.Count(ctx, id, one.Key(), 1)))
		c.Invalid("Withdraw", suite.Err(inv.Withdraw(ctx, id, one)))
		c.Invalid("Transfer", suite.Err(inv.Transfer(ctx, id, stock.TransferLeg{SKU: 1, To: 7, Num: 1})))
	}
}

func TestBadListsOfOrdersAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	for name, orders := range map[string][]string{
		"an empty order":  {"a", ""},
		"a long order":    {"a", strings.Repeat("x", 65)},
		"too many orders": slices.Repeat([]string{"a"}, stock.MaxMissing+1),
	} {
		c.Invalid("Missing of "+name, suite.Err(inv.Missing(t.Context(), orders)))
	}
}

func TestBadLinesAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	for name, lines := range map[string][]stock.Line{
		"no lines":           nil,
		"no units":           {{SKU: 1, Num: 0}},
		"negative units":     {{SKU: 1, Num: 1}, {SKU: 2, Num: -1}},
		"fewest units":       {{SKU: 1, Num: math.MinInt64}},
		"SKU 0":              {{SKU: 0, Num: 1}},
		"SKU -1":             {{SKU: -1, Num: 1}},
		"activity -1":        {{SKU: 1, Activity: -1, Num: 1}},
		"an overflowing sum": {{SKU: 1, Num: math.MaxInt64}, {SKU: 2, Num: 1}, {SKU: 1, Num: 1}},
		"too many lines":     slices.Repeat([]stock.Line{{SKU: 1, Num: 1}}, stock.MaxLines+1),
	} {
		c.Invalid("Lock of "+name, suite.Err(inv.Lock(t.Context(), "a", lines...)))
		c.Invalid("Restock of "+name, suite.Err(inv.Restock(t.Context(), "c", lines...)))
		c.Invalid("Check of "+name, suite.Err(inv.Check(t.Context(), lines...)))
		if len(lines) <= stock.MaxLines {
			c.Invalid("RestockAll of "+name, suite.Err(suite.Gather(inv.RestockAll(t.Context(), "c", lines...))))
		}
		c.Invalid("RedeemPart of "+name, suite.Err(inv.RedeemPart(t.Context(), "p", "a", lines...)))
		c.Invalid("Withdraw of "+name, suite.Err(inv.Withdraw(t.Context(), "c", lines...)))
		if len(lines) > 0 { // a refund without lines is one of everything
			c.Invalid("Amend to "+name, suite.Err(inv.Amend(t.Context(), stock.Amendment{ID: "x", Order: "a", Lines: lines})))
			c.Invalid("Refund of "+name, suite.Err(inv.Refund(t.Context(), stock.Refund{ID: "r", Order: "a", Lines: lines})))
		}
	}
}

func TestBadMovesAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	for name, moves := range map[string][]stock.TransferLeg{
		"no moves":              nil,
		"no units":              {{SKU: 1, To: 7}},
		"negative units":        {{SKU: 1, To: 7, Num: -1}},
		"SKU 0":                 {{To: 7, Num: 1}},
		"activity -1":           {{SKU: 1, From: -1, To: 7, Num: 1}},
		"to activity -1":        {{SKU: 1, To: -1, Num: stock.Rest}},
		"a pool to itself":      {{SKU: 1, From: 7, To: 7, Num: 1}},
		"one pool twice":        {{SKU: 1, To: 7, Num: 1}, {SKU: 1, To: 8, Num: 1}},
		"a pool in and out":     {{SKU: 1, To: 7, Num: 1}, {SKU: 1, From: 7, To: 8, Num: 1}},
		"the same move again":   {{SKU: 1, To: 7, Num: 1}, {SKU: 2, To: 7, Num: 1}, {SKU: 1, To: 7, Num: 1}},
		"more moves than lines": slices.Repeat([]stock.TransferLeg{{SKU: 1, To: 7, Num: 1}}, stock.MaxLines+1),
	} {
		c.Invalid("Transfer of "+name, suite.Err(inv.Transfer(t.Context(), "c", moves...)))
	}
}

func TestBadTimesAndTermsAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	late := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, until := range map[string]time.Time{"the zero time": {}, "1969": time.Unix(-1, 0), "9999": late} {
		c.Invalid("Extend until "+name, suite.Err(inv.Extend(t.Context(), "a", until)))
		c.Invalid("Shorten until "+name, suite.Err(inv.Shorten(t.Context(), "a", until)))
	}
	for name, bad := range map[string]struct {
		total int64
		terms stock.Terms
	}{
		"a negative total":         {total: -1},
		"a total without a limit":  {total: 1, terms: stock.Terms{Unlimited: true}},
		"a negative SPU":           {terms: stock.Terms{SPU: -1}},
		"a negative PerOrder":      {terms: stock.Terms{PerOrder: -1}},
		"a negative PerBuyer":      {terms: stock.Terms{PerBuyer: -1}},
		"a negative LiveHolds":     {terms: stock.Terms{LiveHolds: -1}},
		"an empty window":          {terms: stock.Terms{Start: start, End: start}},
		"a window of under a µs":   {terms: stock.Terms{Start: start, End: start.Add(999)}},
		"an end before the start":  {terms: stock.Terms{Start: start, End: start.Add(-time.Hour)}},
		"a start before 1970":      {terms: stock.Terms{Start: time.Unix(-1, 0)}},
		"an end in the year 10000": {terms: stock.Terms{End: late.AddDate(1, 0, 0)}},
	} {
		c.Invalid("Define with "+name, suite.Err(inv.Define(t.Context(), stock.Key{SKU: 1}, bad.total, bad.terms)))
	}
}

func TestBadKeysAndStatesAreRefused(t *testing.T) {
	t.Parallel()
	inv, c := refusals(t)
	ctx, fine := t.Context(), stock.Key{SKU: 1}
	for _, key := range []stock.Key{{}, {SKU: -1}, {Activity: 7}, {SKU: 1, Activity: -1}} {
		c.Invalid(fmt.Sprint("Define of ", key), suite.Err(inv.Define(ctx, key, 1, stock.Terms{})))
		c.Invalid(fmt.Sprint("Item ", key), suite.Err(inv.Item(ctx, key)))
		c.Invalid(fmt.Sprint("Usage of ", key), suite.Err(inv.For("1").Usage(ctx, key)))
		c.Invalid(fmt.Sprint("Audit of ", key), suite.Err(inv.Audit(ctx, fine, key)))
		c.Invalid(fmt.Sprint("Repair of ", key), suite.Err(inv.Repair(ctx, fine, key)))
		c.Invalid(fmt.Sprint("RepairBackOnSale of ", key), suite.Err(inv.RepairBackOnSale(ctx, fine, key)))
		if key != (stock.Key{}) { // the zero key of a filter is every item
			c.Invalid(fmt.Sprint("Holds of ", key), suite.Err(suite.Gather(inv.Holds(ctx, stock.Filter{Key: key}))))
		}
	}
	c.Invalid("Usage of nobody", suite.Err(inv.Usage(ctx, fine)))
	for _, state := range []stock.State{stock.Unheld, stock.Archived + 1} {
		c.Invalid("Holds in a state", suite.Err(suite.Gather(inv.Holds(ctx, stock.Filter{States: []stock.State{stock.Paid, state}}))))
	}
}
