package stocktest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func backorderCases() []testCase {
	return []testCase{
		{Name: "BackorderGoesBeyondWhatIsThereAndLeavesTheReserve", Run: backorderBeyond},
		{Name: "BackorderIsCoveredInTheOrderOfTheLocks", Run: coverInOrder},
		{Name: "BackorderedUnitsAreNotHandedOver", Run: backorderRedeem},
		{Name: "BackorderIsCoveredByWhatBecomesFree", Run: coverByVerbs},
		{Name: "BackorderOfAnOrderThatIsAmended", Run: backorderAmend},
		{Name: "BackorderOfALatePayment", Run: backorderLate},
		{Name: "BackorderTermsChange", Run: backorderTerms},
		{Name: "BackorderOfACount", Run: backorderCount},
		{Name: "BackorderDriftIsFoundAndRepaired", Run: backorderDrift},
		{Name: "BackorderLosesTheAnswerOfItsCover", Run: coverLost},
		{Name: "BackorderInATransaction", Run: backorderInTransaction},
		{Name: "RaceLocksAtTheEdgeOfBackorder", Run: raceBackorder},
		{Name: "RaceCoverBesideCancels", Run: raceCover},
	}
}

// owes demands how many units an order waits for.
func (s *scene) owes(order string, want int64) {
	s.Helper()
	var owed int64
	for _, l := range s.holdOf(order).Lines {
		owed += l.Backordered
	}
	suite.Same(s, "units that "+order+" waits for", owed, want)
}

// waits demands that a call is refused since units of an order have not come yet.
func (s *scene) waits(err error, order string, key stock.Key, wanted, backordered int64) {
	s.Helper()
	s.Is(err, stock.ErrBackordered)
	want := stock.BackorderError{Order: order, Key: key, Wanted: wanted, Backordered: backordered}
	suite.Same(s, "refusal", *suite.As[*stock.BackorderError](s, err), want)
}

// queue returns the orders that wait for units of an item, in the order in which they get them.
func (s *scene) queue(key stock.Key) []string {
	s.Helper()
	return ordersOf(suite.Listed(s, s.inv.Holds(s.Context(), stock.Filter{Key: key, Backordered: true})))
}

// restock adds units of SKU 1, and returns how many of them orders have waited for.
func (s *scene) restock(id string, num int64) int64 {
	s.Helper()
	return suite.Must(s.inv.Restock(s.Context(), id, units(1, num))).Covered
}

func backorderBeyond(s *scene) {
	s.define(sku(1), 10, stock.Terms{Reserve: 4, Backorder: 3})
	suite.Same(s, "available", s.item(sku(1)).Available(), 9)
	for _, l := range []struct {
		order           string
		num, wait, left int64
	}{{"a", 5, 0, 4}, {"b", 2, 1, 2}, {"c", 2, 2, 0}} {
		hold := s.lock(l.order, units(1, l.num))
		suite.Same(s, "waits", hold.Lines[0].Backordered, l.wait)
		suite.Same(s, "hold", s.holdOf(l.order), hold)
		suite.Same(s, "left for others", s.item(sku(1)).Available(), l.left)
		suite.Replays(s, "hold", s.lock(l.order, units(1, l.num)), hold)
	}
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "d", units(1, 1))), sku(1), 1, 0)
	suite.Same(s, "check", suite.Must(s.inv.Check(s.Context(), units(1, 1)))[0].Num, 0)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 9, Left: 10, Backordered: 3})
	s.shortage(suite.Err(s.inv.Withdraw(s.Context(), "w", units(1, 2))), sku(1), 2, 1)
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "w", units(1, 1)))) // an operator may take the reserve
	s.pay("b")
	s.define(sku(2), 0, stock.Terms{Backorder: 2})
	take := s.take("taken", units(2, 2))
	suite.Same(s, "waits", take.Lines[0].Backordered, 2)
	s.counts(sku(2), stock.Quantities{Sold: 2, Left: -2, Backordered: 2})
	s.define(sku(3), 5, stock.Terms{})
	mixed := s.inv.For("u")
	s.shortage(suite.Err(mixed.Lock(s.Context(), "mixed", units(2, 1), units(3, 1))), sku(2), 1, 0)
	s.terms(sku(2), stock.Terms{Backorder: 5})
	hold := suite.Must(mixed.Lock(s.Context(), "mixed", units(2, 1), units(3, 1)))
	suite.Same(s, "waits", []int64{hold.Lines[0].Backordered, hold.Lines[1].Backordered}, []int64{1, 0})
	s.Balanced()
}

func coverInOrder(s *scene) {
	s.define(sku(1), 1, stock.Terms{Backorder: 100})
	for i, num := range []int64{2, 3, 1, 2} { // waits for 1, 3, 1 and 2
		s.lock(strconv.Itoa(9-i), units(1, num))
		if i != 1 { // two of them at one moment: by their numbers
			s.Advance(time.Second)
		}
	}
	suite.Same(s, "queue", s.queue(sku(1)), []string{"9", "7", "8", "6"})
	filter := stock.Filter{Key: sku(1), Backordered: true}
	page := suite.Must(s.inv.HoldsPage(s.Context(), filter, stock.PageRequest{Limit: 3}))
	page = suite.Must(s.inv.HoldsPage(s.Context(), filter, stock.PageRequest{Limit: 3, After: page.Next}))
	suite.Same(s, "second page", ordersOf(page.Rows), []string{"6"})
	s.pay("8")
	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	suite.Same(s, "covered", s.restock("r1", 4), 4)
	cover := func(order string, num int64) stock.Effect {
		return stock.Effect{Step: stock.StepCover, Order: order, Lines: []stock.Line{units(1, num)}}
	}
	suite.Same(s, "effects", effects[1:], []stock.Effect{cover("9", 1), cover("7", 1), cover("8", 2)})
	suite.Same(s, "queue", s.queue(sku(1)), []string{"8", "6"})
	s.owes("8", 1)
	s.counts(sku(1), stock.Quantities{Total: 5, Sold: 3, Locked: 5, Left: 2, Backordered: 3})
	suite.Same(s, "covered", s.restock("r1", 4), 0)
	s.lock("late", units(1, 1)) // does not pass those who wait
	s.owes("late", 1)
	suite.Same(s, "covered", s.restock("r2", 10), 4)
	suite.Same(s, "queue", len(s.queue(sku(1))), 0)
	s.counts(sku(1), stock.Quantities{Total: 15, Sold: 3, Locked: 6, Left: 12})
	s.Balanced()
}

func backorderRedeem(s *scene) {
	s.define(sku(1), 2, stock.Terms{Backorder: 100})
	s.fill(9, sku(2))
	s.buy("a", units(1, 5), units(2, 1)) // waits for 3
	s.waits(suite.Err(s.inv.Redeem(s.Context(), "a")), "a", sku(1), 5, 3)
	s.state("a", stock.Paid)
	s.waits(s.redeems("p1", "a", units(1, 3)), "a", sku(1), 3, 3)
	s.No(s.redeems("p1", "a", units(1, 2), units(2, 1)))
	refund := func(id string, num int64, restock bool) error {
		return suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: id, Order: "a", Restock: restock, Lines: []stock.Line{units(1, num)}}))
	}
	s.waits(refund("r1", 1, false), "a", sku(1), 1, 3)
	s.No(refund("r1", 1, true)) // what has not come goes first
	s.owes("a", 2)
	s.counts(sku(1), stock.Quantities{Total: 2, Sold: 4, Left: -2, Refunded: 1, Backordered: 2})
	suite.Same(s, "covered", s.restock("in", 1), 1)
	s.No(refund("r2", 1, false)) // the one that has come
	s.owes("a", 1)
	s.waits(suite.Err(s.inv.Redeem(s.Context(), "a")), "a", sku(1), 1, 1)
	s.restock("more", 1)
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	s.state("a", stock.Redeemed)
	s.buy("b", units(1, 4))
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{ID: "all", Order: "b", Restock: true})))
	s.state("b", stock.Refunded)
	s.counts(sku(1), stock.Quantities{Total: 4, Sold: 4, Refunded: 6})
	s.Balanced()
}

// freeingVerb is a verb that frees 2 units of an item, or of an order that has them. Some give them to those who wait themselves.
type freeingVerb struct {
	name   string
	frees  func(key stock.Key, line stock.Line, has string) error
	itself bool
}

// freeingVerbs returns them all.
func (s *scene) freeingVerbs() []freeingVerb {
	ctx := s.Context()
	return []freeingVerb{
		{name: "Cancel", frees: func(_ stock.Key, _ stock.Line, has string) error { return suite.Err(s.inv.Cancel(ctx, has)) }},
		{name: "Expire", frees: func(_ stock.Key, _ stock.Line, has string) error {
			_, err := s.inv.Shorten(ctx, has, s.now().Add(time.Second))
			s.Advance(time.Second)
			return err
		}},
		{name: "Refund", frees: func(_ stock.Key, _ stock.Line, has string) error {
			s.pay(has)
			return suite.Err(s.inv.Refund(ctx, stock.Refund{ID: has, Order: has, Restock: true}))
		}},
		{name: "PutBack", frees: func(_ stock.Key, _ stock.Line, has string) error {
			s.pay(has)
			s.No(suite.Err(s.inv.Refund(ctx, stock.Refund{ID: has, Order: has})))
			return suite.Err(s.inv.PutBack(ctx, has))
		}},
		{name: "Amend", frees: func(_ stock.Key, _ stock.Line, has string) error {
			return s.amends(stock.Amendment{ID: has, Order: has, Lines: []stock.Line{units(99, 1)}})
		}},
		{name: "Transfer", itself: true, frees: func(key stock.Key, _ stock.Line, has string) error {
			return suite.Err(s.inv.Transfer(ctx, has, stock.TransferLeg{SKU: key.SKU, From: 7, Num: 2}))
		}},
		{name: "RestockAll", itself: true, frees: func(_ stock.Key, line stock.Line, has string) error {
			return suite.Err(suite.Gather(s.inv.RestockAll(ctx, has, line)))
		}},
		{name: "Count", itself: true, frees: func(key stock.Key, _ stock.Line, has string) error {
			return suite.Err(s.inv.Count(ctx, has, key, 6))
		}},
		{name: "ChangeTerms", itself: true, frees: func(key stock.Key, _ stock.Line, _ string) error {
			return suite.Err(s.inv.ChangeTerms(ctx, key, func(is stock.Item) (stock.Terms, error) { is.Reserve = 0; return is.Terms, nil }))
		}},
		{name: "Define as unlimited", itself: true, frees: func(key stock.Key, _ stock.Line, _ string) error {
			return suite.Err(s.inv.Define(ctx, key, 0, stock.Terms{Unlimited: true}))
		}},
	}
}

// coverByVerbs frees units by each verb that can: the next Expire, or the verb itself, gives them to who has waited longest.
func coverByVerbs(s *scene) {
	ctx := s.Context()
	for i, v := range s.freeingVerbs() {
		key, has := sku(int64(i+1)), "has "+v.name
		s.fill(9, pool(key.SKU, 7))
		if i == 0 {
			s.fill(9, sku(99))
		}
		s.define(key, 4, stock.Terms{Reserve: 2, Backorder: 9})
		s.lock(has, units(key.SKU, 2))
		s.lock("first "+v.name, units(key.SKU, 2))
		s.Advance(time.Microsecond)
		s.lock("second "+v.name, units(key.SKU, 2))
		s.No(v.frees(key, units(key.SKU, 2), has))
		if !v.itself {
			suite.Same(s, "queue before the sweep of "+v.name, len(s.queue(key)), 2)
			s.No(suite.Err(s.inv.Expire(ctx)))
		}
		s.owes("first "+v.name, 0)
		if v.name == "Define as unlimited" {
			s.owes("second "+v.name, 0)
		} else {
			suite.Same(s, "queue after "+v.name, s.queue(key), []string{"second " + v.name})
		}
		s.Balanced()
	}
}

func backorderAmend(s *scene) {
	s.define(sku(1), 2, stock.Terms{Backorder: 5})
	s.define(pool(1, 7), 1, stock.Terms{Backorder: 5})
	s.fill(9, sku(2))
	s.lock("a", units(1, 1))
	hold := s.amend("grows", "a", units(1, 4), units(2, 1)) // waits for 2
	suite.Same(s, "waits", hold.Lines[0].Backordered, 2)
	suite.Same(s, "hold", s.holdOf("a"), hold)
	s.amend("shrinks", "a", units(1, 3))
	s.owes("a", 1)
	s.counts(sku(1), stock.Quantities{Total: 2, Locked: 3, Left: 2, Backordered: 1})
	hold = suite.Must(s.inv.Amend(s.Context(), stock.Amendment{
		ID: "moves", Order: "a", NewOrder: "b", Lines: []stock.Line{{SKU: 1, Activity: 7, Num: 3}, units(2, 1)}, Pay: true,
	}))
	suite.Same(s, "hold", s.holdOf("b"), hold)
	s.owes("b", 2)
	s.counts(sku(1), stock.Quantities{Total: 2, Left: 2})
	suite.Same(s, "queue", len(s.queue(sku(1))), 0)
	suite.Same(s, "queue", s.queue(pool(1, 7)), []string{"b"})
	s.No(s.amends(stock.Amendment{ID: "back", Order: "b", Lines: []stock.Line{units(1, 3), units(2, 1)}}))
	suite.Same(s, "queue", s.queue(sku(1)), []string{"b"})
	s.owes("b", 1)
	s.lock("c", units(2, 1))
	s.shortage(s.amends(stock.Amendment{ID: "too many", Order: "c", Lines: []stock.Line{units(1, 5)}}), sku(1), 5, 4)
	s.Balanced()
}

func backorderLate(s *scene) {
	late := s.with(stock.Options{LatePay: stock.Reacquire})
	s.define(sku(1), 2, stock.Terms{Backorder: 2})
	s.fill(9, sku(2))
	s.lock("late", units(1, 2), units(2, 1))
	s.lock("too late", units(1, 2))
	s.Advance(hold)
	s.No(suite.Err(late.Expire(s.Context())))
	s.lock("a", units(1, 1))
	outcome := suite.Must(late.Pay(s.Context(), "late"))
	suite.Same(s, "late", outcome.Late, true)
	s.owes("late", 1)
	s.Is(suite.Err(late.Pay(s.Context(), "too late")), stock.ErrInsufficient)
	s.waits(suite.Err(s.inv.Redeem(s.Context(), "late")), "late", sku(1), 2, 1)
	s.restock("in", 1)
	s.No(suite.Err(s.inv.Redeem(s.Context(), "late")))
	s.Balanced()
}

func backorderTerms(s *scene) {
	s.Invalid("reserve", suite.Err(s.inv.Define(s.Context(), sku(1), 1, stock.Terms{Reserve: -1})))
	s.Invalid("backorder", suite.Err(s.inv.Define(s.Context(), sku(1), 1, stock.Terms{Backorder: -1})))
	s.Invalid("unlimited", suite.Err(s.inv.Define(s.Context(), sku(1), 0, stock.Terms{Unlimited: true, Backorder: 1})))
	s.Invalid("filter", suite.Err(suite.Gather(s.inv.Holds(s.Context(), stock.Filter{Backordered: true}))))
	s.define(sku(1), 1, stock.Terms{Backorder: 5})
	s.lock("a", units(1, 4))
	item := s.terms(sku(1), stock.Terms{Reserve: 9, Backorder: 1}) // fewer than are ordered: nothing new fits
	suite.Same(s, "available", item.Available(), 0)
	s.shortage(suite.Err(s.inv.Lock(s.Context(), "b", units(1, 1))), sku(1), 1, 0)
	suite.Same(s, "covered", s.restock("in", 5), 0) // they are kept
	s.owes("a", 3)
	item = s.terms(sku(1), stock.Terms{Backorder: 1})
	suite.Same(s, "available", item.Available(), 3)
	s.owes("a", 0)
	s.Balanced()
}

// backorderCount finds fewer units than are promised: the newest orders wait, whatever the terms say, until units come.
func backorderCount(s *scene) {
	s.define(sku(1), 9, stock.Terms{})
	for _, order := range []string{"a", "b", "c"} {
		s.lock(order, units(1, 3))
		s.Advance(time.Second)
	}
	s.pay("b")
	got := suite.Must(s.inv.Count(s.Context(), "c1", sku(1), 5))
	suite.Same(s, "hit", ordersOf(got.Hit), []string{"c", "b"})
	suite.Same(s, "short", got.Short, 4)
	s.owes("c", 3)
	s.owes("b", 1)
	s.counts(sku(1), stock.Quantities{Total: 5, Sold: 3, Locked: 6, Left: 2, Backordered: 4})
	s.terms(sku(1), stock.Terms{Backorder: 6})
	s.lock("d", units(1, 2))
	got = suite.Must(s.inv.Count(s.Context(), "c2", sku(1), 4)) // one more is gone
	suite.Same(s, "short", got.Short, 7)
	suite.Same(s, "hit", ordersOf(got.Hit), []string{"d", "c", "b"})
	s.owes("b", 2)
	got = suite.Must(s.inv.Count(s.Context(), "c3", sku(1), 9))
	suite.Same(s, "short", got.Short, 2)
	suite.Same(s, "queue", s.queue(sku(1)), []string{"d"})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "d")))
	s.counts(sku(1), stock.Quantities{Total: 9, Sold: 3, Locked: 6, Left: 6})
	s.Balanced()
}

func backorderDrift(s *scene) {
	s.define(sku(1), 1, stock.Terms{Backorder: 9})
	s.lock("a", units(1, 3))
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Backordered: 4}})
	want := []stock.Drift{{Key: sku(1), Quantity: "backordered", Counted: 6, Recount: 2}}
	suite.Same(s, "drifts", s.drifts(), want)
	suite.Same(s, "repaired", suite.Must(s.inv.Repair(s.Context())).Repaired, 1)
	s.Balanced()
}

// coverLost loses the answer of a part: what was given is given once, and the next call gives the rest.
func coverLost(s *scene) {
	s.define(sku(1), 0, stock.Terms{Backorder: 9})
	s.lock("a", units(1, 3))
	s.lock("b", units(1, 3))
	for i, w := range []suite.Wire{suite.LosesAnswer(2), {Send: suite.Fails(stock.ErrUnavailable, suite.Nth(2, suite.Changes))}} {
		s.No(suite.Err(s.over(w).Restock(s.Context(), strconv.Itoa(i), units(1, 1))))
		s.No(suite.Err(s.inv.Expire(s.Context())))
	}
	s.owes("a", 1)
	s.owes("b", 3)
	s.counts(sku(1), stock.Quantities{Total: 2, Locked: 6, Left: 2, Backordered: 4})
	s.Balanced()
}

// backorderInTransaction locks in a caller's transaction, which covers nothing: the sweep does.
func backorderInTransaction(s *scene) {
	if s.Begin == nil {
		return
	}
	s.define(sku(1), 1, stock.Terms{Backorder: 9})
	for _, end := range []string{"rolled back", "kept"} {
		inv, commit, rollback := s.begin()
		hold := suite.Must(inv.Lock(s.Context(), end, units(1, 3)))
		suite.Same(s, "waits", hold.Lines[0].Backordered, 2)
		s.No(suite.Err(inv.Restock(s.Context(), end, units(1, 1))))
		if end == "kept" {
			s.No(commit())
		} else {
			s.No(rollback())
		}
	}
	s.owes("kept", 2)
	s.No(suite.Err(s.inv.Expire(s.Context())))
	s.owes("kept", 1)
	s.Balanced()
}

// raceBackorder has more orders than what is there and the backorders together: exactly as many fit, and all that is owed is counted.
func raceBackorder(s *scene) {
	s.define(sku(1), 8, stock.Terms{Reserve: 2, Backorder: 7})
	errs := suite.Together(40, func(i int) error {
		return suite.Err(s.inv.Lock(s.Context(), strconv.Itoa(i), units(1, 1)))
	})
	s.Count("orders that fit", s.Succeeded(errs, stock.ErrInsufficient), 13)
	s.counts(sku(1), stock.Quantities{Total: 8, Locked: 13, Left: 8, Backordered: 7})
	suite.Same(s, "orders that wait", len(s.queue(sku(1))), 7)
	s.Balanced()
}

// raceCover has units come while orders that wait for them are cancelled, paid, and joined by others.
func raceCover(s *scene) {
	s.define(sku(1), 0, stock.Terms{Backorder: 1000})
	const orders = 60
	for i := range orders {
		s.lock(strconv.Itoa(i), units(1, 1+int64(i%3)))
	}
	calls := []func(ctx context.Context, i int) error{
		func(ctx context.Context, i int) error { return suite.Err(s.inv.Cancel(ctx, strconv.Itoa(i))) },
		func(ctx context.Context, i int) error { return suite.Err(s.inv.Pay(ctx, strconv.Itoa(i))) },
		func(ctx context.Context, i int) error {
			return suite.Err(s.inv.Restock(ctx, strconv.Itoa(i), units(1, 2)))
		},
		func(ctx context.Context, i int) error {
			return suite.Err(s.inv.Lock(ctx, fmt.Sprint("new ", i), units(1, 1)))
		},
		func(ctx context.Context, _ int) error { return suite.Err(s.inv.Expire(ctx)) },
	}
	s.Each(suite.Together(orders, func(i int) error { return calls[i%len(calls)](s.Context(), i) }))
	s.No(suite.Err(s.inv.Expire(s.Context())))
	item := s.item(sku(1))
	suite.Same(s, "what is owed is what is missing", item.Backordered, max(0, item.Locked-item.Left))
	s.Balanced()
	s.restock("the rest", 1000)
	suite.Same(s, "queue", len(s.queue(sku(1))), 0)
	s.Balanced()
}
