package stocktest

import (
	"context"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Bad input is refused before any I/O, whatever the store: the tests of package stock have it.
func inputCases() []testCase {
	return []testCase{
		{Name: "AsManyLinesAndMovesAsThereMayBeAreTaken", Run: mostLinesAndMoves},
		{Name: "AContextThatEndedChangesNothing", Run: contextThatEnded},
		{Name: "ACompanionThatIsNotKeptIsRefusedBeforeAllElse", Run: strangeCompanion},
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
	s.Is(suite.Err(s.inv.Restock(s.Context(), "in", lines...)), stock.ErrUnknownSKU)
	s.Is(suite.Err(s.inv.Withdraw(s.Context(), "out", lines...)), stock.ErrUnknownSKU)
	s.Is(suite.Err(s.inv.Transfer(s.Context(), "move", moves...)), stock.ErrUnknownSKU)
	s.Is(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a", Lines: lines})), stock.ErrNotFound)
	s.Is(s.amends(stock.Amendment{ID: "a", Order: "a", Lines: lines}), stock.ErrNotFound)
}

// calls returns one call of each method that takes a context, each of which works once those before it have.
func (s *scene) calls(ctx context.Context) []suite.Call {
	inv := s.inv
	return append(changes(ctx, inv), []suite.Call{
		{Name: "Expire", Do: func() error { return suite.Err(inv.Expire(ctx)) }},
		{Name: "Item", Do: func() error { return suite.Err(inv.Item(ctx, sku(1))) }},
		{Name: "Usage", Do: func() error { return suite.Err(inv.For("1").Usage(ctx, sku(1))) }},
		{Name: "Hold", Do: func() error { return suite.Err(inv.Hold(ctx, "a")) }},
		{Name: "Missing", Do: func() error { return suite.Err(inv.Missing(ctx, []string{"a"})) }},
		{Name: "Items", Do: func() error { return suite.Err(suite.Gather(inv.Items(ctx))) }},
		{Name: "Holds", Do: func() error { return suite.Err(suite.Gather(inv.Holds(ctx, stock.Filter{}))) }},
		{Name: "Audit", Do: func() error { return suite.Err(inv.Audit(ctx, sku(1))) }},
		{Name: "Audit of all", Do: func() error { return suite.Err(inv.Audit(ctx)) }},
		{Name: "Repair", Do: func() error { return suite.Err(inv.Repair(ctx, sku(1))) }},
		{Name: "Repair of all", Do: func() error { return suite.Err(inv.Repair(ctx)) }},
		{Name: "RepairBackOnSale", Do: func() error { return suite.Err(inv.RepairBackOnSale(ctx, sku(1))) }},
	}...)
}

func contextThatEnded(s *scene) {
	s.EndedContext(s.calls, s.everything)
	s.journeyEnd()
}

// stranger is a companion that no store keeps.
type stranger struct{}

// Companion implements stock.Companion.
func (stranger) Companion() string { return "a stranger" }

// strangeCompanion makes calls that would be replays, refusals or changes without the companion.
func strangeCompanion(s *scene) {
	s.define(sku(1), 5, stock.Terms{})
	s.lock("locked", units(1, 1))
	s.lock("paid", units(1, 1))
	s.pay("paid")
	s.refund("r", "paid", units(1, 1))
	for _, c := range []stock.Companion{stranger{}, nil} {
		inv := s.inv.With(c)
		for _, call := range []suite.Call{
			{Name: "Lock", Do: func() error { return suite.Err(inv.Lock(s.Context(), "new", units(1, 1))) }},
			{Name: "Lock again", Do: func() error { return suite.Err(inv.Lock(s.Context(), "locked", units(1, 1))) }},
			{Name: "Lock too much", Do: func() error { return suite.Err(inv.Lock(s.Context(), "new", units(1, 9))) }},
			{Name: "Lock of nothing", Do: func() error { return suite.Err(inv.Lock(s.Context(), "new", units(2, 1))) }},
			{Name: "Pay", Do: func() error { return suite.Err(inv.Pay(s.Context(), "locked")) }},
			{Name: "Pay again", Do: func() error { return suite.Err(inv.Pay(s.Context(), "paid")) }},
			{Name: "Pay of nothing", Do: func() error { return suite.Err(inv.Pay(s.Context(), "new")) }},
			{Name: "Extend", Do: func() error { return suite.Err(inv.Extend(s.Context(), "locked", s.now().Add(2*hold))) }},
			{Name: "Cancel", Do: func() error { return suite.Err(inv.Cancel(s.Context(), "paid")) }},
			{Name: "Cancel of nothing", Do: func() error { return suite.Err(inv.Cancel(s.Context(), "new")) }},
		} {
			s.Is(call.Do(), stock.ErrInvalid)
		}
	}
	s.unheld("new")
	s.state("locked", stock.Locked)
	s.counts(sku(1), stock.Quantities{Total: 5, Locked: 1, Left: 5, Refunded: 1})
}
