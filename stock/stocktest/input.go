package stocktest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Bad input is refused before any I/O, whatever the store: the tests of package stock have it.
func inputCases() []testCase {
	return []testCase{
		{Name: "AsManyLinesAndMovesAsThereMayBeAreTaken", Run: mostLinesAndMoves},
		{Name: "AContextThatEndedChangesNothing", Run: contextThatEnded},
	}
}

// mostLinesAndMoves asks for as much as there may be in one call: it is not the arguments that
// are refused.
func mostLinesAndMoves(s *scene) {
	lines, moves := make([]stock.Line, stock.MaxLines), make([]stock.TransferLeg, stock.MaxLines)
	for i := range stock.MaxLines {
		lines[i], moves[i] = units(int64(i+1), 1), stock.TransferLeg{SKU: int64(i + 1), From: 0, To: 7, Num: 1}
	}
	s.Is(suite.Err(s.inv.Lock(s.Context(), "a", lines...)), stock.ErrUnknownSKU)
	s.Is(s.inv.Restock(s.Context(), "in", lines...), stock.ErrUnknownSKU)
	s.Is(s.inv.Withdraw(s.Context(), "out", lines...), stock.ErrUnknownSKU)
	s.Is(suite.Err(s.inv.Transfer(s.Context(), "move", moves...)), stock.ErrUnknownSKU)
	s.Is(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: lines})), stock.ErrNotFound)
}

// calls returns one call of each method that takes a context, each of which works once those before it have.
func (s *scene) calls(ctx context.Context) []suite.Call {
	inv, late := s.with(stock.Options{RefundRedeemed: true}), time.Unix(1<<32, 0)
	return []suite.Call{
		{Name: "Define", Do: func() error { return suite.Err(inv.Define(ctx, sku(1), 10, stock.Terms{})) }},
		{Name: "Lock", Do: func() error { return suite.Err(inv.Lock(ctx, "a", units(1, 2))) }},
		{Name: "Pay", Do: func() error { return suite.Err(inv.Pay(ctx, "a")) }},
		{Name: "Cancel", Do: func() error { return suite.Err(inv.Cancel(ctx, "b")) }},
		{Name: "Redeem", Do: func() error { return suite.Err(inv.Redeem(ctx, "a")) }},
		{Name: "Lock of another", Do: func() error { return suite.Err(inv.Lock(ctx, "c", units(1, 1))) }},
		{Name: "Extend", Do: func() error { return suite.Err(inv.Extend(ctx, "c", late)) }},
		{Name: "Shorten", Do: func() error { return suite.Err(inv.Shorten(ctx, "c", late)) }},
		{Name: "Resolve", Do: func() error { return suite.Err(inv.Resolve(ctx, "d")) }},
		{Name: "Refund", Do: func() error { return suite.Err(inv.Refund(ctx, stock.Refund{ID: "r", Order: "a"})) }},
		{Name: "Restock", Do: func() error { return inv.Restock(ctx, "in", units(1, 5)) }},
		{Name: "Withdraw", Do: func() error { return inv.Withdraw(ctx, "out", units(1, 1)) }},
		{Name: "Transfer", Do: func() error {
			return suite.Err(inv.Transfer(ctx, "move", stock.TransferLeg{SKU: 1, From: 0, To: 7, Num: 1}))
		}},
		{Name: "Expire", Do: func() error { return suite.Err(inv.Expire(ctx)) }},
		{Name: "Item", Do: func() error { return suite.Err(inv.Item(ctx, sku(1))) }},
		{Name: "Usage", Do: func() error { return suite.Err(inv.For("1").Usage(ctx, sku(1))) }},
		{Name: "Hold", Do: func() error { return suite.Err(inv.Hold(ctx, "a")) }},
		{Name: "Items", Do: func() error { return suite.Err(suite.Gather(inv.Items(ctx))) }},
		{Name: "Holds", Do: func() error { return suite.Err(suite.Gather(inv.Holds(ctx, stock.Filter{}))) }},
		{Name: "Audit", Do: func() error { return suite.Err(inv.Audit(ctx, sku(1))) }},
		{Name: "Audit of all", Do: func() error { return suite.Err(inv.Audit(ctx)) }},
		{Name: "Repair", Do: func() error { return suite.Err(inv.Repair(ctx, sku(1))) }},
		{Name: "Repair of all", Do: func() error { return suite.Err(inv.Repair(ctx)) }},
		{Name: "RepairBackOnSale", Do: func() error { return suite.Err(inv.RepairBackOnSale(ctx, sku(1))) }},
	}
}

func contextThatEnded(s *scene) {
	s.define(pool(1, 7), 0, stock.Terms{})
	s.EndedContext(s.calls, s.everything)
	s.counts(sku(1), stock.Quantities{Total: 13, Sold: 2, Locked: 1, Left: 11, Refunded: 2})
	s.state("a", stock.Refunded)
}
