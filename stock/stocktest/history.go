package stocktest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func historyCases() []testCase {
	return []testCase{
		{Name: "HistoryAtRandomKeepsTheBooksAndItsEffectsGiveTheCounters", Run: randomHistory},
		{Name: "HistoryWithCrashesAtEveryStatementKeepsTheBooks", Run: crashes},
	}
}

// A walker makes random calls on a few orders of a few items, among other walkers. Seeds are
// fixed: what is random is how the walkers meet.
type walker struct {
	rng *rand.Rand
	inv *stock.Inventory
}

// walk lets walkers make forty calls each, and ends the test on an error that none of the explanations covers.
func (s *scene) walk(inv *stock.Inventory, explain ...func(error) bool) {
	s.Helper()
	s.Walk(0, 40, func(rng *rand.Rand) error { return (&walker{rng: rng, inv: inv}).step(s.Context()) }, explain...)
}

// expected reports whether an error is an answer that a walker must be ready for.
func expected(err error) bool {
	return suite.Matches(err,
		stock.ErrMismatch, stock.ErrLimit, stock.ErrInsufficient, stock.ErrUnlimited, stock.ErrInUse, stock.ErrNotFound,
		stock.ErrNotPaid, stock.ErrPaid, stock.ErrRefunded, stock.ErrCancelled, stock.ErrExpired, stock.ErrOverRefund,
	)
}

// step makes one call.
func (w *walker) step(ctx context.Context) (err error) {
	order := strconv.Itoa(w.rng.IntN(40))
	line := func() stock.Line {
		return stock.Line{SKU: w.rng.Int64N(3) + 1, Activity: 7 * w.rng.Int64N(2), Num: w.rng.Int64N(4) + 1}
	}
	inv := w.inv
	if buyer := w.rng.IntN(4); buyer > 0 {
		inv = inv.For(fmt.Sprint(buyer))
	}
	id := fmt.Sprintf("%d/%d", w.rng.IntN(4), w.rng.IntN(30))
	switch n := w.rng.IntN(25); {
	case n < 7:
		_, err = inv.Lock(ctx, order, []stock.Line{line(), line(), line()}[:w.rng.IntN(3)+1]...)
	case n < 10:
		_, err = inv.Pay(ctx, order)
	case n == 10:
		_, err = inv.Cancel(ctx, order)
	case n == 11:
		_, err = inv.Redeem(ctx, order)
	case n < 14:
		refund := stock.Refund{ID: id, Order: order, Restock: w.rng.IntN(2) == 0}
		if w.rng.IntN(3) > 0 {
			refund.Lines = []stock.Line{line()}
		}
		_, err = inv.Refund(ctx, refund)
	case n == 14:
		err = suite.Err(inv.Restock(ctx, id, line(), line()))
	case n == 15:
		err = suite.Err(inv.Withdraw(ctx, id, line()))
	case n == 16:
		move := stock.TransferLeg{SKU: w.rng.Int64N(2) + 1, From: 7, To: 0, Num: stock.Rest}
		if w.rng.IntN(4) > 0 {
			move = stock.TransferLeg{SKU: move.SKU, From: 0, To: 7, Num: w.rng.Int64N(5) + 1}
		}
		_, err = inv.Transfer(ctx, id, move)
	case n == 17:
		_, err = inv.Shorten(ctx, order, time.Unix(0, 0))
	case n == 18:
		_, err = inv.Expire(ctx)
	case n < 24:
		err = w.amend(ctx, id, order, line(), line())
	default:
		_, err = inv.Resolve(ctx, order)
	}
	return err
}

// amend makes a call that changes an order.
func (w *walker) amend(ctx context.Context, id, order string, lines ...stock.Line) error {
	switch w.rng.IntN(5) {
	case 0:
		return suite.Err(w.inv.RedeemPart(ctx, id, order, lines[0]))
	case 1:
		return suite.Err(w.inv.PutBack(ctx, id))
	}
	a := stock.Amendment{ID: id, Order: order, Lines: lines[:w.rng.IntN(2)+1], Pay: w.rng.IntN(4) == 0}
	return suite.Err(w.inv.Amend(ctx, a))
}

// open defines the items that walkers know.
func (s *scene) open() {
	s.Helper()
	for n := range int64(2) {
		s.define(sku(n+1), 20, stock.Terms{})
		s.define(pool(n+1, 7), 10, stock.Terms{PerOrder: 6})
	}
	s.define(sku(3), 0, stock.Terms{Unlimited: true})
	s.define(pool(3, 7), 10, stock.Terms{})
}

// randomHistory keeps every effect that the hook was told of: together they are the books.
func randomHistory(s *scene) {
	s.open()
	initial := map[stock.Key]stock.Quantities{}
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		initial[item.Key] = item.Quantities
	}
	var mu sync.Mutex
	var effects []stock.Effect
	hook := func(_ context.Context, e stock.Effect) {
		mu.Lock()
		defer mu.Unlock()
		effects = append(effects, e)
	}
	inv := s.with(stock.Options{LatePay: stock.Reacquire, RefundRedeemed: true, RefundFreesBuyer: true, Hook: hook})
	for range 4 {
		s.walk(inv, expected)
		s.Balanced()
		s.Advance(hold / 2)
	}
	orders, locked := map[string][]stock.Line{}, map[string]bool{}
	for _, e := range effects {
		switch {
		case e.Step == stock.StepLock:
			if e.ID == "" && locked[e.Order] {
				s.Fatalf("order %q was locked twice", e.Order)
			}
			locked[e.Order] = locked[e.Order] || e.ID == ""
			orders[e.Order] = append(orders[e.Order], e.Lines...)
		case e.Step == stock.StepCancel && e.ID != "": // by an amendment
			for _, l := range e.Lines {
				l.Num = -l.Num
				orders[e.Order] = append(orders[e.Order], l)
			}
		}
	}
	for _, e := range effects {
		lines := e.Lines
		if lines == nil {
			lines = orders[e.Order]
		}
		for _, l := range lines {
			sum := suite.Must(initial[l.Key()].Plus(e.Step.Transition().Delta.Times(l.Num)))
			initial[l.Key()] = sum
		}
	}
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		want := initial[item.Key].For(item.Terms)
		want.Sold, want.Locked, want.Refunded = initial[item.Key].Sold, initial[item.Key].Locked, initial[item.Key].Refunded
		suite.Same(s, item.Key.String(), item.Quantities, want)
	}
}

// crashes breaks the wire before and after statements at random: the books balance all the
// same, and every order can be settled.
func crashes(s *scene) {
	s.open()
	faulty := s.with(stock.Options{LatePay: stock.Reacquire, RefundRedeemed: true, RefundFreesBuyer: true}).
		On(suite.WireStock(s.Store, suite.Breaks(suite.Repeatable(7))))
	for range 3 {
		s.walk(faulty, expected, stock.Retryable)
		s.Balanced()
		s.Advance(hold / 2)
	}
	var orders []string
	for _, h := range suite.Listed(s, s.inv.Holds(s.Context(), stock.Filter{})) {
		orders = append(orders, h.Order)
	}
	for _, order := range orders {
		h := suite.Must(s.inv.Resolve(s.Context(), order))
		if h.State == stock.Locked {
			s.No(suite.Err(s.inv.Cancel(s.Context(), order)))
		}
	}
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		suite.Same(s, "locked in the end", item.Locked, 0)
	}
}
