package stocktest

import (
	"context"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func resolveCases() []testCase {
	return []testCase{
		{Name: "ResolveUnknownOrderIsClosed", Run: resolveUnknown},
		{Name: "ResolveFencesEveryLateStatement", Run: resolveFences},
		{Name: "ResolveFencesRefundsAndLatePayments", Run: resolveFencesLater},
		{Name: "ResolveReturnsEveryStateAsItIs", Run: resolveEveryState},
		{Name: "ResolveOfTheDeadReleases", Run: resolveDead},
		{Name: "ResolveAgainstLock", Run: resolveAgainstLock},
		{Name: "ResolveAgainstPay", Run: resolveAgainstPay},
		{Name: "AnswersThatAreLostAreSettledByTheSameCall", Run: lostAnswers},
		{Name: "AnswersThatAreLostAreSettledByResolve", Run: lostAnswersResolved},
		{Name: "AnswersOfReleasesOfOthersThatAreLostAreNotThoseOfTheCall", Run: lostReleases},
		{Name: "CallsThatAreNotSentChangeNothing", Run: unsentCalls},
	}
}

func resolveUnknown(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for range 2 {
		h := suite.Must(s.inv.Resolve(s.Context(), "a"))
		suite.Same(s, "state", h.State, stock.Cancelled)
		suite.Same(s, "hold", h, s.holdOf("a"))
	}
	locking := suite.Must(s.Store.Lock(s.Context(), stock.Order{ID: "a", Lines: []stock.Line{units(1, 2)}}, time.Hour))
	suite.Same(s, "a Lock that arrives now", locking.Verdict, stock.Exists)
	s.Is(suite.Err(s.inv.Lock(s.Context(), "a", units(1, 2))), stock.ErrCancelled)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

// refusedLate ends the test unless a statement that arrives late was refused.
func (s *scene) refusedLate(what string, verdict stock.Verdict, err error) {
	s.Helper()
	s.No(err)
	suite.Same(s, what+" that arrives late", verdict, stock.Refused)
}

// resolveFences has every statement arrive late that may have been under way while the order
// was locked: none takes effect, and new calls do.
func resolveFences(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	before := s.lock("a", units(1, 2))
	for n := range int64(2) {
		h := suite.Must(s.inv.Resolve(s.Context(), "a"))
		suite.Same(s, "state", h.State, stock.Locked)
		suite.Same(s, "fence", h.Fence, n+1)
	}
	for _, step := range []stock.Step{stock.StepPay, stock.StepCancel} {
		for fence := range int64(2) {
			verdict, err := suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: step, Order: "a", Fence: fence}))
			s.refusedLate(step.String(), verdict, err)
		}
	}
	verdict, err := s.Store.SetDeadline(s.Context(), before, before.Deadline.Add(hold))
	s.refusedLate("an Extend", verdict, err)
	s.counts(sku(1), stock.Quantities{Total: 100, Locked: 2, Left: 100})
	suite.Same(s, "replay", s.lock("a", units(1, 2)).State, stock.Locked)
	s.No(suite.Err(s.inv.Extend(s.Context(), "a", before.Deadline.Add(hold))))
	s.pay("a")

	s.lock("b", units(1, 5)) // a sweep does not ask: a dead hold is dead
	s.No(suite.Err(s.inv.Resolve(s.Context(), "b")))
	s.Advance(hold)
	suite.Same(s, "sweep", suite.Must(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepExpire, Order: "b"}))), stock.Done)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 2, Left: 98})
}

// resolveFencesLater does the same to an order that is paid, and to one that has expired.
func resolveFencesLater(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	s.buy("a", units(1, 2))
	paid := s.state("a", stock.Paid)
	s.No(suite.Err(s.inv.Resolve(s.Context(), "a")))
	verdict, err := suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepRedeem, Order: "a", Fence: paid.Fence}))
	s.refusedLate("a Redeem", verdict, err)
	refund := stock.RefundRecord{Refund: stock.Refund{ID: "late", Order: "a", Restock: true, Lines: []stock.Line{units(1, 1)}}}
	verdict, err = suite.Refunded(s.Store.Refund(s.Context(), refund, paid))
	s.refusedLate("a Refund", verdict, err)
	suite.Same(s, "refund recorded", suite.Must(s.Store.RefundRecord(s.Context(), "late")).ID, "")
	s.refund("r", "a", units(1, 1))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 1, Left: 99, Refunded: 1})

	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.lock("b", units(1, 3))
	s.Advance(hold)
	s.No(suite.Err(s.inv.Expire(s.Context())))
	s.No(suite.Err(s.inv.Resolve(s.Context(), "b")))
	verdict, err = suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepReacquire, Order: "b"}))
	s.refusedLate("a late payment", verdict, err)
	s.pay("b")
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 4, Left: 96, Refunded: 1})
}

func resolveEveryState(s *scene) {
	s.define(sku(1), 100, stock.Terms{})
	for state := stock.Locked; state <= stock.Expired; state++ {
		s.reach(state, state.String())
	}
	was := s.item(sku(1))
	for state := stock.Locked; state <= stock.Expired; state++ {
		want := s.state(state.String(), state)
		h := suite.Must(s.inv.Resolve(s.Context(), state.String()))
		want.Fence++
		suite.Same(s, "hold", h, want)
		suite.Same(s, "hold read again", s.holdOf(state.String()), want)
	}
	suite.Same(s, "item", s.item(sku(1)), was)
}

func resolveDead(s *scene) {
	var effects []stock.Effect
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	s.Advance(hold)
	suite.Same(s, "state", suite.Must(s.with(stock.Options{Hook: record(&effects)}).Resolve(s.Context(), "a")).State, stock.Expired)
	suite.Same(s, "effects", effects, []stock.Effect{{Step: stock.StepExpire, Order: "a"}})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

// resolveAgainstLock settles an order whose Lock is still under way: either it is held, or it
// never will be, and both callers know which.
func resolveAgainstLock(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	for round := range rounds {
		order := strconv.Itoa(round)
		states := make([]stock.State, 6)
		errs := suite.Together(len(states), func(i int) error {
			if i%2 == 0 {
				return suite.Err(s.inv.Lock(s.Context(), order, units(1, 1)))
			}
			h, err := s.inv.Resolve(s.Context(), order)
			states[i] = h.State
			return err
		})
		s.Succeeded(errs, stock.ErrCancelled)
		final := s.holdOf(order).State
		for i, err := range errs {
			switch {
			case i%2 == 1 && (err != nil || states[i] != final):
				s.Fatalf("order is %v, resolved as %v: %v", final, states[i], err)
			case i%2 == 0 && (err == nil) != (final == stock.Locked):
				s.Fatalf("order is %v, locked: %v", final, err)
			}
		}
	}
}

// resolveAgainstPay resolves an order while it is paid: the payment gets through all the same,
// because it is a call that is still being made.
func resolveAgainstPay(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	for round := range rounds {
		order := strconv.Itoa(round)
		s.lock(order, units(1, 1))
		s.Each(suite.Meet(6,
			func() error { return suite.Err(s.inv.Pay(s.Context(), order)) },
			func() error { return suite.Err(s.inv.Resolve(s.Context(), order)) },
		))
		suite.Same(s, "fence", s.state(order, stock.Paid).Fence, 3)
	}
	s.counts(sku(1), stock.Quantities{Total: 1000, Sold: rounds, Left: 1000 - rounds})
}

// journey returns one call of each verb that changes something.
func (s *scene) journey() suite.Journey[*stock.Inventory] {
	return suite.Journey[*stock.Inventory]{
		Plain: s.inv, Over: s.over, Begin: s.begin, Sees: s.everything, Ends: s.journeyEnd,
		Resolve: func(order string) error { return suite.Err(s.inv.Resolve(s.Context(), order)) },
		Calls:   func(inv *stock.Inventory) []suite.Call { return changes(s.Context(), inv) },
	}
}

// changes are the calls of a journey.
func changes(ctx context.Context, inv *stock.Inventory) []suite.Call {
	late := time.Unix(1<<32, 0)
	define := func(key stock.Key, total int64, terms stock.Terms) func() error {
		return func() error { return suite.Err(inv.Define(ctx, key, total, terms)) }
	}
	transfer := func(id string, move stock.TransferLeg) func() error {
		return func() error { return suite.Err(inv.Transfer(ctx, id, move)) }
	}
	amend := func(a stock.Amendment) func() error {
		return func() error { return suite.Err(inv.Amend(ctx, a)) }
	}
	broken := stock.Refund{ID: "broken", Order: "g", Lines: []stock.Line{units(1, 1)}}
	part := stock.Refund{ID: "r", Order: "a", Restock: true, Lines: []stock.Line{units(1, 1)}}
	return []suite.Call{
		{Name: "Define", Do: define(sku(1), 100, stock.Terms{PerBuyer: 50})},
		{Name: "Define again", Do: define(sku(1), 100, stock.Terms{PerBuyer: 60})},
		{Name: "Define a pool", Do: define(pool(1, 7), 0, stock.Terms{})},
		{Name: "Restock", Do: func() error { return suite.Err(inv.Restock(ctx, "in", units(1, 10))) }},
		{Name: "Withdraw", Do: func() error { return suite.Err(inv.Withdraw(ctx, "out", units(1, 5))) }},
		{Name: "Transfer", Do: transfer("move", stock.TransferLeg{SKU: 1, To: 7, Num: 20})},
		{Name: "Transfer the rest", Do: transfer("rest", stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest})},
		{Name: "Lock", Of: "a", Do: func() error { return suite.Err(inv.For("5").Lock(ctx, "a", units(1, 4))) }},
		{Name: "Extend", Of: "a", Do: func() error { return suite.Err(inv.Extend(ctx, "a", late)) }},
		{Name: "Shorten", Of: "a", Do: func() error { return suite.Err(inv.Shorten(ctx, "a", late.Add(-hold))) }},
		{Name: "Pay", Of: "a", Do: func() error { return suite.Err(inv.Pay(ctx, "a")) }},
		{Name: "Refund", Of: "a", Do: func() error { return suite.Err(inv.Refund(ctx, part)) }},
		{Name: "RedeemPart", Of: "a", Do: func() error { return suite.Err(inv.RedeemPart(ctx, "parcel", "a", units(1, 1))) }},
		{Name: "Redeem", Of: "a", Do: func() error { return suite.Err(inv.Redeem(ctx, "a")) }},
		{Name: "Lock another", Of: "b", Do: func() error { return suite.Err(inv.For("5").Lock(ctx, "b", units(1, 2))) }},
		{Name: "Cancel", Of: "b", Do: func() error { return suite.Err(inv.Cancel(ctx, "b")) }},
		{Name: "Cancel first", Of: "c", Do: func() error { return suite.Err(inv.Cancel(ctx, "c")) }},
		{Name: "Resolve", Of: "d", Do: func() error { return suite.Err(inv.Resolve(ctx, "d")) }},
		{Name: "Take", Of: "e", Do: func() error { return suite.Err(inv.For("5").Take(ctx, "e", units(1, 3))) }},
		{Name: "DefineAll", Do: func() error { return suite.Err(suite.Gather(inv.DefineAll(ctx, newItem(2, 10), newItem(3, 20)))) }},
		{Name: "DefineAll of an item that was read", Do: func() error {
			read := newItem(3, 20)
			read.Version, read.SPU = 1, 9
			return suite.Err(suite.Gather(inv.DefineAll(ctx, read)))
		}},
		{Name: "ChangeTerms", Do: func() error {
			return suite.Err(inv.ChangeTerms(ctx, sku(2), func(is stock.Item) (stock.Terms, error) {
				is.PerOrder = 5
				return is.Terms, nil
			}))
		}},
		{Name: "RestockAll", Do: func() error { return suite.Err(suite.Gather(inv.RestockAll(ctx, "all", units(2, 1), units(3, 2)))) }},
		{Name: "Count", Do: func() error { return suite.Err(inv.Count(ctx, "count", sku(3), 21)) }},
		{Name: "Lock for CancelAll", Of: "bulk", Do: func() error { return suite.Err(inv.Lock(ctx, "bulk", units(2, 2))) }},
		{Name: "CancelAll", Of: "bulk", Do: func() error { return suite.Err(suite.Gather(inv.CancelAll(ctx, stock.Filter{Key: sku(2)}))) }},
		{Name: "Lock a cart", Of: "f", Do: func() error { return suite.Err(inv.For("4").Lock(ctx, "f", units(1, 2))) }},
		{Name: "Amend", Of: "f", Do: amend(stock.Amendment{ID: "more", Order: "f", Lines: []stock.Line{units(1, 3)}})},
		{Name: "Amend to another number", Of: "g", Do: amend(stock.Amendment{ID: "login", Order: "f", NewOrder: "g", Buyer: "6"})},
		{Name: "Amend and pay", Of: "g", Do: amend(stock.Amendment{ID: "part", Order: "g", Lines: []stock.Line{units(1, 2)}, Pay: true})},
		{Name: "Refund for good", Of: "g", Do: func() error { return suite.Err(inv.Refund(ctx, broken)) }},
		{Name: "PutBack", Of: "g", Do: func() error { return suite.Err(inv.PutBack(ctx, "broken")) }},
	}
}

// newItem is an item as DefineAll takes it.
func newItem(n, total int64) stock.Item {
	return stock.Item{Key: sku(n), Quantities: stock.Quantities{Total: total}}
}

// everything returns all that can be seen of the items and the holds; nobody sees the fence of a hold, which Resolve raises.
func (s *scene) everything() any {
	s.Helper()
	holds := suite.Listed(s, s.inv.Holds(s.Context(), stock.Filter{}))
	for i := range holds {
		holds[i].Fence = 0
	}
	return []any{suite.Listed(s, s.inv.Items(s.Context())), holds}
}

// journeyEnd ends the test unless every call of the journey happened once.
func (s *scene) journeyEnd() {
	s.Helper()
	s.counts(sku(1), stock.Quantities{Total: 105, Sold: 7, Left: 98, Refunded: 2})
	s.counts(pool(1, 7), stock.Quantities{})
	s.usage("5", sku(1), stock.Usage{Bought: 7})
	s.state("a", stock.Redeemed)
	s.state("e", stock.Paid)
	s.counts(sku(2), stock.Quantities{Total: 11, Left: 11})
	s.counts(sku(3), stock.Quantities{Total: 21, Left: 21})
	suite.Same(s, "terms", []stock.Terms{s.item(sku(2)).Terms, s.item(sku(3)).Terms}, []stock.Terms{{PerOrder: 5}, {SPU: 9}})
	s.usage("6", sku(1), stock.Usage{Bought: 2})
	s.state("g", stock.Paid)
	for _, order := range []string{"b", "c", "d", "f"} {
		s.state(order, stock.Cancelled)
	}
}

func lostAnswers(s *scene)         { s.journey().LostAnswers(s) }
func lostAnswersResolved(s *scene) { s.journey().LostAnswersResolved(s) }
func unsentCalls(s *scene)         { s.journey().Unsent(s) }

// lostReleases loses the answer to the release of somebody's dead hold, which is in the way of a call that has not been
// sent, or was refused. A sweep says what it knows of its own work.
func lostReleases(s *scene) {
	s.define(sku(1), 3, stock.Terms{})
	s.define(pool(1, 7), 0, stock.Terms{})
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	s.lock("late", units(1, 3))
	s.Advance(hold)
	s.No(suite.Err(s.inv.Expire(s.Context())))
	calls := []func(inv *stock.Inventory) error{
		func(inv *stock.Inventory) error { return suite.Err(inv.Lock(s.Context(), "order", units(1, 2))) },
		func(inv *stock.Inventory) error { return suite.Err(inv.Take(s.Context(), "order", units(1, 2))) },
		func(inv *stock.Inventory) error { return suite.Err(inv.Pay(s.Context(), "late")) },
		func(inv *stock.Inventory) error { return suite.Err(inv.Withdraw(s.Context(), "out", units(1, 2))) },
		func(inv *stock.Inventory) error {
			return suite.Err(inv.Transfer(s.Context(), "rest", stock.TransferLeg{SKU: 1, To: 7, Num: stock.Rest}))
		},
	}
	deaf := s.over(suite.Wire{Reply: suite.Fails(stock.ErrUnknown, suite.Named("Expire"))})
	for i, call := range calls {
		s.lock("dead "+strconv.Itoa(i), units(1, 3))
		s.Advance(hold)
		err := call(deaf)
		s.Is(err, stock.ErrUnavailable)
		s.IsNot(err, stock.ErrUnknown)
	}
	s.unheld("order")
	s.counts(sku(1), stock.Quantities{Total: 3, Left: 3})
	s.lock("dead", units(1, 3))
	s.Advance(hold)
	s.Is(suite.Err(deaf.Expire(s.Context())), stock.ErrUnknown)
}
