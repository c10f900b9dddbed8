package stocktest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/wiretest"
	"github.com/holdfast-go/holdfast/stock"
)

func inputCases() []testCase {
	return []testCase{
		{name: "LockOfNoUnitsIsRefused", run: lockOfNoUnits},
		{name: "CallsWithoutAContextAreRefused", run: noContext},
		{name: "BadIDsAreRefused", run: badIDs},
		{name: "BadLinesAndMovesAreRefused", run: badLinesAndMoves},
		{name: "AsManyLinesAndMovesAsThereMayBeAreTaken", run: mostLinesAndMoves},
		{name: "BadTimesAndTermsAreRefused", run: badTimesAndTerms},
		{name: "BadKeysAndStatesAreRefused", run: badKeysAndStates},
		{name: "BadInventoriesRefuseEveryCall", run: badInventories},
		{name: "AContextThatEndedChangesNothing", run: contextThatEnded},
	}
}

// A verb is one exported method with arguments that are in order.
type verb struct {
	name string
	call func(context.Context, *stock.Inventory) error
}

// verbs returns one call of each method that takes a context.
func verbs() []verb {
	return []verb{
		{"Define", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Define(ctx, sku(1), 10, stock.Terms{})
			return err
		}},
		{"Lock", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Lock(ctx, "a", units(1, 2))
			return err
		}},
		{"Pay", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Pay(ctx, "a"); return err }},
		{"Cancel", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Cancel(ctx, "b"); return err }},
		{"Redeem", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Redeem(ctx, "a"); return err }},
		{"Extend", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Extend(ctx, "c", time.Unix(1<<32, 0))
			return err
		}},
		{"Shorten", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Shorten(ctx, "c", time.Unix(1<<32, 0))
			return err
		}},
		{"Resolve", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Resolve(ctx, "d"); return err }},
		{"Refund", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Refund(ctx, stock.Refund{ID: "r", Order: "a"})
			return err
		}},
		{"Restock", func(ctx context.Context, inv *stock.Inventory) error { return inv.Restock(ctx, "in", units(1, 5)) }},
		{"Withdraw", func(ctx context.Context, inv *stock.Inventory) error { return inv.Withdraw(ctx, "out", units(1, 1)) }},
		{"Transfer", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.Transfer(ctx, "move", stock.Move{SKU: 1, From: 0, To: 7, Num: 1})
			return err
		}},
		{"Expire", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Expire(ctx); return err }},
		{"Item", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Item(ctx, sku(1)); return err }},
		{"Usage", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.For("1").Usage(ctx, sku(1))
			return err
		}},
		{"Hold", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Hold(ctx, "a"); return err }},
		{"Items", func(ctx context.Context, inv *stock.Inventory) error { return listed(inv.Items(ctx)) }},
		{"Holds", func(ctx context.Context, inv *stock.Inventory) error { return listed(inv.Holds(ctx, stock.Filter{})) }},
		{"Audit", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Audit(ctx, sku(1)); return err }},
		{"Repair", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Repair(ctx, sku(1)); return err }},
		{"Audit of all", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Audit(ctx); return err }},
		{"RepairBackOnSale", func(ctx context.Context, inv *stock.Inventory) error {
			_, err := inv.RepairBackOnSale(ctx, sku(1))
			return err
		}},
		{"Repair of all", func(ctx context.Context, inv *stock.Inventory) error { _, err := inv.Repair(ctx); return err }},
	}
}

// listed runs through a listing and returns its error.
func listed[T any](listing func(func(T, error) bool)) error {
	for _, err := range listing {
		if err != nil {
			return err
		}
	}
	return nil
}

// silent returns an inventory whose store must not be called.
func (s *scene) silent() *stock.Inventory {
	return stock.New(&wiretest.Stock{Send: s.MustNotCall}, nil)
}

func lockOfNoUnits(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, num := range []int64{0, -1, math.MinInt64} {
		_, err := s.silent().Lock(s.Context(), "a", units(1, num))
		s.Invalid(fmt.Sprintf("Lock of %d", num), err)
	}
	_, err := s.silent().Lock(s.Context(), "a", units(1, math.MaxInt64), units(1, 1))
	s.Invalid("Lock of more than an int64", err)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	s.unheld("a")
}

func noContext(s *scene) {
	for _, v := range append(verbs(), verb{"Run", func(ctx context.Context, inv *stock.Inventory) error { return inv.Run(ctx) }}) {
		s.Invalid(v.name, v.call(nil, s.silent()))
	}
}

// badInventories calls everything on inventories that were made from nothing or with bad
// options. The constructors do not fail; each call does.
func badInventories(s *scene) {
	silent := s.silent()
	with := func(opts stock.Options) *stock.Inventory {
		return stock.New(&wiretest.Stock{Send: s.MustNotCall}, &opts)
	}
	bad := map[string]*stock.Inventory{
		"nil":              nil,
		"zero":             {},
		"without a store":  stock.New(nil, nil),
		"on nothing":       silent.On(nil),
		"zero on a store":  new(stock.Inventory).On(s.Store),
		"nil for a buyer":  (*stock.Inventory)(nil).For("1"),
		"no buyer":         silent.For(""),
		"a long buyer":     silent.For(strings.Repeat("é", 33)),
		"no buyer on":      silent.For("").On(&wiretest.Stock{Send: s.MustNotCall}),
		"negative HoldFor": with(stock.Options{HoldFor: -1}),
		"HoldFor of 1ns":   with(stock.Options{HoldFor: 1}),
		"endless HoldFor":  with(stock.Options{HoldFor: stock.MaxHoldFor + 1}),
		"unknown LatePay":  with(stock.Options{LatePay: stock.Reacquire + 1}),
		"negative Sweep":   with(stock.Options{Sweep: -1}),
	}
	all := append(verbs(), verb{"Run", func(ctx context.Context, inv *stock.Inventory) error { return inv.Run(ctx) }})
	for name, inv := range bad {
		for _, v := range all {
			s.Invalid(v.name+" of an inventory: "+name, v.call(s.Context(), inv))
		}
	}
}

func badIDs(s *scene) {
	inv, until := s.silent(), time.Unix(1<<32, 0)
	for _, id := range []string{"", strings.Repeat("x", 65), strings.Repeat("é", 33)} {
		for verb, call := range map[string]func() error{
			"Lock":               func() error { _, err := inv.Lock(s.Context(), id, units(1, 1)); return err },
			"Pay":                func() error { _, err := inv.Pay(s.Context(), id); return err },
			"Cancel":             func() error { _, err := inv.Cancel(s.Context(), id); return err },
			"Redeem":             func() error { _, err := inv.Redeem(s.Context(), id); return err },
			"Extend":             func() error { _, err := inv.Extend(s.Context(), id, until); return err },
			"Shorten":            func() error { _, err := inv.Shorten(s.Context(), id, until); return err },
			"Resolve":            func() error { _, err := inv.Resolve(s.Context(), id); return err },
			"Hold":               func() error { _, err := inv.Hold(s.Context(), id); return err },
			"Refund by an ID":    func() error { _, err := inv.Refund(s.Context(), stock.Refund{ID: id, Order: "a"}); return err },
			"Refund of an order": func() error { _, err := inv.Refund(s.Context(), stock.Refund{ID: "r", Order: id}); return err },
			"Restock":            func() error { return inv.Restock(s.Context(), id, units(1, 1)) },
			"Withdraw":           func() error { return inv.Withdraw(s.Context(), id, units(1, 1)) },
			"Transfer":           func() error { _, err := inv.Transfer(s.Context(), id, stock.Move{SKU: 1, To: 7, Num: 1}); return err },
		} {
			s.Invalid(fmt.Sprintf("%s by %d bytes", verb, len(id)), call())
		}
	}
}

func badLinesAndMoves(s *scene) {
	inv := s.silent()
	for name, lines := range badLines() {
		_, err := inv.Lock(s.Context(), "a", lines...)
		s.Invalid("Lock of "+name, err)
		s.Invalid("Restock of "+name, inv.Restock(s.Context(), "c", lines...))
		s.Invalid("Withdraw of "+name, inv.Withdraw(s.Context(), "c", lines...))
		if len(lines) > 0 { // a refund without lines is one of everything
			_, err = inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: lines})
			s.Invalid("Refund of "+name, err)
		}
	}
	for name, moves := range badMoves() {
		_, err := inv.Transfer(s.Context(), "c", moves...)
		s.Invalid("Transfer of "+name, err)
	}
}

// mostLinesAndMoves asks for as much as there may be in one call: it is not the arguments that
// are refused.
func mostLinesAndMoves(s *scene) {
	lines, moves := make([]stock.Line, stock.MaxLines), make([]stock.Move, stock.MaxLines)
	for i := range stock.MaxLines {
		lines[i], moves[i] = units(int64(i+1), 1), stock.Move{SKU: int64(i + 1), From: 0, To: 7, Num: 1}
	}
	_, err := s.inv.Lock(s.Context(), "a", lines...)
	s.Is(err, stock.ErrUnknownSKU)
	s.Is(s.inv.Restock(s.Context(), "in", lines...), stock.ErrUnknownSKU)
	s.Is(s.inv.Withdraw(s.Context(), "out", lines...), stock.ErrUnknownSKU)
	_, err = s.inv.Transfer(s.Context(), "move", moves...)
	s.Is(err, stock.ErrUnknownSKU)
	_, err = s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: lines})
	s.Is(err, stock.ErrNotFound)
}

func badTimesAndTerms(s *scene) {
	inv := s.silent()
	for name, until := range map[string]time.Time{"the zero time": {}, "1969": time.Unix(-1, 0), "9999": time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := inv.Extend(s.Context(), "a", until)
		s.Invalid("Extend until "+name, err)
		_, err = inv.Shorten(s.Context(), "a", until)
		s.Invalid("Shorten until "+name, err)
	}
	for name, bad := range badTerms() {
		_, err := inv.Define(s.Context(), sku(1), bad.total, bad.terms)
		s.Invalid("Define with "+name, err)
	}
}

func badKeysAndStates(s *scene) {
	inv := s.silent()
	for _, key := range []stock.Key{{}, {SKU: -1}, {Activity: 7}, {SKU: 1, Activity: -1}} {
		_, err := inv.Define(s.Context(), key, 1, stock.Terms{})
		s.Invalid("Define", err)
		_, err = inv.Item(s.Context(), key)
		s.Invalid("Item", err)
		_, err = inv.For("1").Usage(s.Context(), key)
		s.Invalid("Usage", err)
		_, err = inv.Audit(s.Context(), sku(1), key)
		s.Invalid("Audit", err)
		_, err = inv.Repair(s.Context(), sku(1), key)
		s.Invalid("Repair", err)
		if key != (stock.Key{}) { // the zero key of a filter is every item
			s.Invalid("Holds", listed(inv.Holds(s.Context(), stock.Filter{Key: key})))
		}
	}
	_, err := inv.Usage(s.Context(), sku(1))
	s.Invalid("Usage of nobody", err)
	for _, state := range []stock.State{stock.Unheld, stock.Expired + 1} {
		s.Invalid("Holds in a state", listed(inv.Holds(s.Context(), stock.Filter{States: []stock.State{stock.Paid, state}})))
	}
}

// badLines returns lines that no order, refund or change may have.
func badLines() map[string][]stock.Line {
	return map[string][]stock.Line{
		"no lines":           nil,
		"no units":           {units(1, 0)},
		"negative units":     {units(1, 1), units(2, -1)},
		"SKU 0":              {units(0, 1)},
		"SKU -1":             {units(-1, 1)},
		"activity -1":        {{SKU: 1, Activity: -1, Num: 1}},
		"an overflowing sum": {units(1, math.MaxInt64), units(2, 1), units(1, 1)},
		"too many lines":     slices.Repeat([]stock.Line{units(1, 1)}, stock.MaxLines+1),
	}
}

// badMoves returns moves that no transfer may have.
func badMoves() map[string][]stock.Move {
	return map[string][]stock.Move{
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
		"more moves than lines": slices.Repeat([]stock.Move{{SKU: 1, To: 7, Num: 1}}, stock.MaxLines+1),
	}
}

// badTerms returns terms that contradict themselves.
func badTerms() map[string]struct {
	total int64
	terms stock.Terms
} {
	at := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	return map[string]struct {
		total int64
		terms stock.Terms
	}{
		"a negative total":         {total: -1},
		"a total without a limit":  {total: 1, terms: stock.Terms{Unlimited: true}},
		"a negative SPU":           {terms: stock.Terms{SPU: -1}},
		"a negative PerOrder":      {terms: stock.Terms{PerOrder: -1}},
		"a negative PerBuyer":      {terms: stock.Terms{PerBuyer: -1}},
		"a negative LiveHolds":     {terms: stock.Terms{LiveHolds: -1}},
		"an empty window":          {terms: stock.Terms{Start: at, End: at}},
		"a window of under a µs":   {terms: stock.Terms{Start: at, End: at.Add(999)}},
		"an end before the start":  {terms: stock.Terms{Start: at, End: at.Add(-time.Hour)}},
		"a start before 1970":      {terms: stock.Terms{Start: time.Unix(-1, 0)}},
		"an end in the year 10000": {terms: stock.Terms{End: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
}

// contextThatEnded makes every call with a context that is over: nobody may be told that it
// worked, and the same call with a context that lives does what was asked.
func contextThatEnded(s *scene) {
	s.define(pool(1, 7), 0, stock.Terms{})
	ended, end := context.WithCancel(s.Context())
	end()
	for _, v := range verbs() {
		if v.name == "Extend" || v.name == "Shorten" {
			s.lock("c", units(1, 1))
		}
		err := v.call(ended, s.inv)
		if err == nil || !stock.Retryable(err) {
			s.Fatalf("%s with a context that ended: %v", v.name, err)
		}
		if err := v.call(s.Context(), s.inv); err != nil && v.name != "Redeem" {
			s.Fatalf("%s again: %v", v.name, err)
		}
		if v.name == "Redeem" {
			s.state("a", stock.Redeemed)
			s.inv = s.with(stock.Options{RefundRedeemed: true})
		}
	}
	s.counts(sku(1), stock.Quantities{Total: 13, Sold: 2, Locked: 1, Left: 11, Refunded: 2})
}
