package stocktest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardCases asks the store itself: for what an inventory meets only in a race, or never.
func guardCases() []testCase {
	return []testCase{
		{Name: "StoreCreate", Run: guardCreate},
		{Name: "StoreChangeOfTerms", Run: guardChange},
		{Name: "StoreChangeBetweenLimitedAndUnlimited", Run: guardSwitch},
		{Name: "StoreLock", Run: guardLock},
		{Name: "StoreMoveFromTheRightState", Run: guardMove},
		{Name: "StoreMoveOnTheRightSideOfTheDeadline", Run: guardMoveDeadline},
		{Name: "StoreMoveThatDraws", Run: guardMoveDraws},
		{Name: "StoreCloseAndFence", Run: guardClose},
		{Name: "StoreSetDeadline", Run: guardDeadline},
		{Name: "StoreRefund", Run: guardRefund},
		{Name: "StoreApply", Run: guardApply},
		{Name: "StoreReadingWhatIsNotThere", Run: readNothing},
		{Name: "StoreReadingUpToALimit", Run: readLimits},
		{Name: "StoreDue", Run: readDue},
		{Name: "StoreExpire", Run: guardExpire},
		{Name: "StoreExpireEachOrderAsAWhole", Run: guardExpireDrift},
	}
}

// answers ends the test unless a store gave this verdict.
func (s *scene) answers(want stock.Verdict) func(stock.Verdict, error) {
	return func(got stock.Verdict, err error) {
		s.Helper()
		s.No(err)
		suite.Same(s, "verdict", got, want)
	}
}

func guardCreate(s *scene) {
	item := stock.Item{Key: sku(1), Terms: stock.Terms{SPU: 3}, Quantities: stock.Quantities{Total: 10, Left: 10}}
	verdicts := make([]stock.Verdict, 8) // the key is unique, whoever looked before
	s.Each(suite.Together(len(verdicts), func(i int) (err error) {
		verdicts[i], err = s.create(item)
		return err
	}))
	slices.Sort(verdicts)
	suite.Same(s, "verdicts", verdicts, append([]stock.Verdict{stock.Done}, slices.Repeat([]stock.Verdict{stock.Exists}, 7)...))
	item.SPU, item.Total, item.Left = 4, 11, 11
	s.answers(stock.Exists)(s.create(item))
	other := item
	other.Key = sku(2)
	s.answers(stock.Exists)(s.create(item, other)) // all or none
	suite.Same(s, "totals of definitions", suite.Must(s.Store.Defined(s.Context(), []stock.Key{sku(1), sku(2)})), []int64{10, -1})
	suite.Same(s, "SPU", s.item(sku(1)).SPU, 3)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	change := suite.Must(s.Store.Applied(s.Context(), stock.KindDefine, sku(1).Serial(1)))
	suite.Same(s, "kind of the record", change.Kind, stock.KindDefine)
	suite.Same(s, "units recorded", change.Entries[0].Delta.Total, 10)
}

func guardChange(s *scene) {
	was := s.define(sku(1), 10, stock.Terms{SPU: 1})
	for spu := int64(2); spu < 4; spu++ {
		for _, want := range []stock.Verdict{stock.Done, stock.Refused} { // the terms must be those that were looked at
			s.answers(want)(s.Store.SetTerms(s.Context(), was, stock.Terms{SPU: spu}, 99, stock.Change{}))
		}
		was.SPU = spu
		suite.Same(s, "SPU", s.item(sku(1)).SPU, spu)
		s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
		s.lock(strconv.FormatInt(spu, 10), units(1, 1))
		s.No(suite.Err(s.inv.Cancel(s.Context(), strconv.FormatInt(spu, 10))))
	}
	s.define(sku(1), 0, stock.Terms{Unlimited: true}) // but the flag must
	s.answers(stock.Refused)(s.Store.SetTerms(s.Context(), was, stock.Terms{SPU: 4}, 10, stock.Change{}))
	suite.Same(s, "terms", s.item(sku(1)).Terms, stock.Terms{Unlimited: true})
	was.Key = sku(2)
	s.answers(stock.Refused)(s.Store.SetTerms(s.Context(), was, stock.Terms{}, 10, stock.Change{}))
}

func guardSwitch(s *scene) {
	was := s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 4))
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 1))))
	s.answers(stock.Refused)(s.setTerms(was, stock.Terms{Unlimited: true}, 0)) // the total has moved
	was = s.item(sku(1))
	s.buy("b", units(1, 1))                                                 // what is sold and locked may move
	s.answers(stock.Done)(s.setTerms(was, stock.Terms{Unlimited: true}, 0)) // the serial is that of was
	s.counts(sku(1), stock.Quantities{Sold: 1, Locked: 4})
	change := suite.Must(s.Store.Applied(s.Context(), stock.KindDefine, sku(1).Serial(was.Version+1)))
	suite.Same(s, "units recorded", change.Entries[0].Delta.Total, -11)
	was = s.item(sku(1))
	s.answers(stock.Refused)(s.setTerms(was, stock.Terms{}, 4))
	s.answers(stock.Done)(s.setTerms(was, stock.Terms{}, 5))
	s.counts(sku(1), stock.Quantities{Total: 5, Sold: 1, Locked: 4, Left: 4})
}

func guardLock(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	lock := func(order string, key stock.Key) (stock.Verdict, error) {
		locking, err := s.Store.Lock(s.Context(), stock.Order{ID: order, Lines: []stock.Line{{SKU: key.SKU, Num: 1}}}, time.Hour)
		return locking.Verdict, err
	}
	s.answers(stock.Refused)(lock("a", sku(9)))
	s.answers(stock.Done)(lock("a", sku(1)))
	s.answers(stock.Exists)(lock("a", sku(1)))
	s.answers(stock.Exists)(lock("a", sku(9))) // which comes before what the item says
	s.answers(stock.Done)(s.Store.Void(s.Context(), "b"))
	s.answers(stock.Exists)(lock("b", sku(1)))
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 1, Left: 10})
}

// guardMove tries every step from every state: the table says which of them happen.
func guardMove(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	ways := [][]stock.Step{{}, {stock.StepPay}, {stock.StepPay, stock.StepRedeem}, {stock.StepCancel}, {stock.StepExpire}}
	n := 0
	for _, row := range stock.Transitions() {
		if row.To == stock.Unheld || slices.Contains(row.From, stock.Unheld) {
			continue // not a step of a hold that exists
		}
		s.answers(stock.Refused)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: row.Step, Order: "unknown"})))
		s.unheld("unknown")
		for _, way := range ways {
			n++
			order := strconv.Itoa(n)
			s.lock(order, units(1, 2))
			for _, step := range append(slices.Clone(way), row.Step) {
				s.moveByTheTable(step, order, 2)
			}
		}
	}
}

// moveByTheTable applies a step to an order of units of SKU 1, on the right side of its
// deadline, and ends the test unless it does what the table says.
func (s *scene) moveByTheTable(step stock.Step, order string, num int64) {
	s.Helper()
	row, was := step.Transition(), s.holdOf(order)
	if row.When == stock.Dead && was.State == stock.Locked {
		s.answers(stock.Done)(s.Store.SetDeadline(s.Context(), was, s.now()))
		was = s.holdOf(order)
	}
	counted := s.item(sku(1)).Quantities
	if !slices.Contains(row.From, was.State) {
		s.answers(stock.Refused)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: step, Order: order, Fence: was.Fence})))
		suite.Same(s, "hold", s.holdOf(order), was)
		s.counts(sku(1), counted)
		return
	}
	s.answers(stock.Done)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: step, Order: order, Fence: was.Fence})))
	s.state(order, row.To)
	after := suite.Must(counted.Plus(row.Delta.Times(num)))
	s.counts(sku(1), after)
}

func guardMoveDeadline(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, order := range []string{"pay", "cancel", "expire", "pay late"} {
		s.lock(order, units(1, 1))
	}
	s.Advance(hold - time.Microsecond)
	s.answers(stock.Refused)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepExpire, Order: "expire"})))
	s.answers(stock.Done)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "pay"})))
	s.Advance(time.Microsecond)
	s.answers(stock.Refused)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepPay, Order: "pay late"})))
	s.answers(stock.Refused)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepCancel, Order: "cancel"})))
	s.answers(stock.Done)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepExpire, Order: "expire"})))
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 1, Locked: 2, Left: 9})
}

func guardMoveDraws(s *scene) {
	s.define(sku(1), 4, stock.Terms{})
	s.define(sku(2), 100, stock.Terms{})
	s.No(suite.Err(s.inv.For("5").Lock(s.Context(), "a", units(1, 3), units(2, 3))))
	s.Advance(hold)
	s.answers(stock.Done)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepExpire, Order: "a"})))
	reacquire := func(want stock.Verdict) {
		s.Helper()
		s.answers(want)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepReacquire, Order: "a"})))
	}
	s.lock("b", units(1, 2))
	reacquire(stock.Refused) // one item has too little
	s.counts(sku(2), stock.Quantities{Total: 100, Left: 100})
	s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
	s.terms(sku(2), stock.Terms{PerBuyer: 2})
	reacquire(stock.Refused) // the limit is reached
	s.counts(sku(1), stock.Quantities{Total: 4, Left: 4})
	s.terms(sku(2), stock.Terms{PerBuyer: 3})
	reacquire(stock.Done)
	s.counts(sku(1), stock.Quantities{Total: 4, Sold: 3, Left: 1})
	s.usage("5", sku(2), stock.Usage{Bought: 3})
}

func guardClose(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 1))
	s.answers(stock.Exists)(s.Store.Void(s.Context(), "a"))
	suite.Same(s, "hold", s.holdOf("a"), h)
	s.answers(stock.Refused)(s.Store.Fence(s.Context(), "b"))
	s.unheld("b")
	s.answers(stock.Done)(s.Store.Void(s.Context(), "b"))
	s.answers(stock.Exists)(s.Store.Void(s.Context(), "b"))
	s.answers(stock.Done)(s.Store.Fence(s.Context(), "a"))
	s.answers(stock.Done)(s.Store.Fence(s.Context(), "b"))
	suite.Same(s, "fences", []int64{s.holdOf("a").Fence, s.holdOf("b").Fence}, []int64{1, 1})
}

func guardDeadline(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 1))
	later, sooner := h.Deadline.Add(hold), h.Deadline.Add(-hold/2)
	set := func(h stock.Hold, deadline time.Time, want stock.Verdict) {
		s.Helper()
		s.answers(want)(s.Store.SetDeadline(s.Context(), h, deadline))
	}
	unknown, fenced, moved := h, h, h
	unknown.Order, fenced.Fence, moved.Deadline = "b", 1, later
	set(unknown, later, stock.Refused)
	set(fenced, later, stock.Refused)
	set(moved, later, stock.Refused)
	suite.Same(s, "hold", s.holdOf("a"), h)
	set(h, later, stock.Done)
	set(h, later, stock.Refused) // it is not that deadline any more
	h = s.holdOf("a")
	set(h, sooner, stock.Done)
	h = s.holdOf("a")
	s.SameTime("deadline", h.Deadline, sooner)
	s.Advance(hold/2 - time.Microsecond)
	set(h, later, stock.Done)
	h = s.holdOf("a")
	s.Advance(later.Sub(s.now()))
	set(h, later.Add(hold), stock.Refused) // it is dead

	h = s.lock("paid", units(1, 1))
	s.pay("paid")
	set(h, h.Deadline.Add(hold), stock.Refused)
	s.No(suite.Err(s.inv.Cancel(s.Context(), "closed")))
	set(s.holdOf("closed"), h.Deadline, stock.Refused)
}

func guardRefund(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.buy("a", units(1, 4), units(2, 4))
	was := s.holdOf("a")
	refund := func(id string) stock.RefundRecord {
		return stock.RefundRecord{Refund: stock.Refund{ID: id, Order: "a", Restock: true, Lines: []stock.Line{units(1, 1)}}, Frees: true}
	}
	try := func(id string, h stock.Hold, want stock.Verdict) {
		s.Helper()
		s.answers(want)(suite.Refunded(s.Store.Refund(s.Context(), refund(id), h)))
	}
	try("r1", was, stock.Done)
	try("r1", s.holdOf("a"), stock.Exists)
	fenced := s.holdOf("a")
	fenced.Fence++
	try("r2", fenced, stock.Refused)
	was = s.holdOf("a")
	s.No(suite.Err(s.inv.Redeem(s.Context(), "a")))
	try("r2", was, stock.Refused) // the state has
	try("r2", s.holdOf("a"), stock.Done)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 2})
	suite.Same(s, "record", suite.Must(s.Store.RefundRecord(s.Context(), "r2")), refund("r2"))
	whole := stock.RefundRecord{Refund: stock.Refund{ID: "rest", Order: "a"}, Whole: true}
	suite.Same(s, "result", suite.Must(s.Store.Refund(s.Context(), whole, was)), stock.RefundResult{}) // its state is another
	// the units of the hold are not asked, which have moved since
	was.State = stock.Redeemed
	result := suite.Must(s.Store.Refund(s.Context(), whole, was))
	whole.Lines = []stock.Line{units(1, 2), units(2, 4)}
	suite.Same(s, "result", result, stock.RefundResult{Verdict: stock.Done, Refund: whole, State: stock.Refunded})
	s.state("a", stock.Refunded)
	unknown := was
	unknown.Order = "b"
	try("r3", unknown, stock.Refused)
	suite.Same(s, "record of what was refused", suite.Must(s.Store.RefundRecord(s.Context(), "r3")).ID, "")
}

func guardApply(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.define(pool(1, 7), 5, stock.Terms{})
	s.No(suite.Err(s.inv.For("5").Lock(s.Context(), "a", units(1, 4))))
	units := func(key stock.Key, n int64) stock.Entry {
		return stock.Entry{Key: key, Delta: stock.Quantities{Total: n, Left: n}}
	}
	try := func(want stock.Verdict, kind stock.Kind, entries ...stock.Entry) {
		s.Helper()
		s.answers(want)(s.Store.Apply(s.Context(), stock.Change{Kind: kind, ID: "t", Entries: entries}))
	}
	rest := units(sku(1), -5)
	rest.Rest, rest.Exactly = true, true
	try(stock.Refused, stock.KindTransfer, rest, units(pool(1, 7), 5)) // six are available
	try(stock.Refused, stock.KindRestock, units(sku(1), 1), units(sku(9), 1))
	try(stock.Refused, stock.KindRestock, units(sku(1), 1), units(sku(2), 1))
	try(stock.Refused, stock.KindWithdraw, units(sku(1), -7), units(pool(1, 7), -1))
	try(stock.Refused, stock.KindRepair, stock.Entry{Key: sku(1), Buyer: "5", Delta: stock.Quantities{Locked: -5}})
	try(stock.Refused, stock.KindRepair, stock.Entry{Key: sku(1), Delta: stock.Quantities{Sold: 1}})
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 4, Left: 10})
	s.counts(pool(1, 7), stock.Quantities{Total: 5, Left: 5})

	rest.Delta.Total, rest.Delta.Left = -6, -6
	came := units(pool(1, 7), 6)
	came.Rest = true
	try(stock.Done, stock.KindTransfer, rest, came)
	for _, kind := range []stock.Kind{stock.KindRestock, stock.KindWithdraw, stock.KindTransfer} {
		try(stock.Exists, kind, units(sku(1), 1)) // they share their IDs
		got := suite.Must(s.Store.Applied(s.Context(), kind, "t"))
		suite.Same(s, "record", got, stock.Change{Kind: stock.KindTransfer, ID: "t", Entries: []stock.Entry{rest, came}, At: s.now()})
	}
	suite.Same(s, "a repair with that ID", suite.Must(s.Store.Applied(s.Context(), stock.KindRepair, "t")).ID, "")
	s.counts(pool(1, 7), stock.Quantities{Total: 11, Left: 11})
}

func readNothing(s *scene) {
	h, now, err := s.Store.Hold(s.Context(), "a")
	s.No(err)
	suite.Same(s, "state", h.State, stock.Unheld)
	suite.Same(s, "clock", now, now.UTC().Truncate(time.Microsecond))
	suite.Same(s, "refund", suite.Must(s.Store.RefundRecord(s.Context(), "a")).ID, "")
	suite.Same(s, "change", suite.Must(s.Store.Applied(s.Context(), stock.KindRestock, "a")).ID, "")
	suite.Same(s, "version of the book", suite.Must(s.Store.Books(s.Context(), []stock.Key{sku(1)}))[0].Version, 0)
	s.define(sku(1), 10, stock.Terms{})
	standings, at, err := s.Store.Items(s.Context(), "5", []stock.Key{sku(1), pool(1, 7), sku(2)})
	s.No(err)
	s.SameTime("clock", at, now)
	s.Count("standings", len(standings), 3)
	for i, key := range []stock.Key{sku(1), pool(1, 7), sku(2)} {
		suite.Same(s, "key", standings[i].Key, key)
		suite.Same(s, "there", standings[i].Version > 0, i == 0)
		suite.Same(s, "usage", standings[i].Usage, stock.Usage{})
	}
}

func readLimits(s *scene) {
	for n := range int64(5) {
		s.define(sku(n+1), 10, stock.Terms{})
		s.lock(strconv.FormatInt(n, 10), units(n+1, 1), units(1, 1))
	}
	items := suite.Must(s.Store.List(s.Context(), 0, sku(2), 2))
	s.Count("items", len(items), 2)
	suite.Same(s, "items", []stock.Key{items[0].Key, items[1].Key}, []stock.Key{sku(3), sku(4)})
	holds := suite.Must(s.Store.Holds(s.Context(), stock.Filter{}, stock.Cursor{Order: "2"}, 1))
	s.Count("holds", len(holds), 1)
	suite.Same(s, "order", holds[0].Order, "3")
	filter := stock.Filter{Key: sku(1), States: []stock.State{stock.Locked}}
	holds = suite.Must(s.Store.Holds(s.Context(), filter, stock.Cursor{At: holds[0].Deadline, Order: "1"}, 2))
	s.Count("holds", len(holds), 2)
	suite.Same(s, "orders", []string{holds[0].Order, holds[1].Order}, []string{"2", "3"})
}

func readDue(s *scene) {
	for n := range int64(3) {
		s.define(sku(n+1), 100, stock.Terms{})
	}
	s.lock("both", units(1, 1), units(2, 1))
	s.lock("first", units(1, 1))
	s.lock("third", units(3, 1))
	s.lock("paid", units(1, 1), units(3, 1))
	s.pay("paid")
	due := func(limit int, keys ...stock.Key) []string {
		s.Helper()
		orders := suite.Must(s.Store.Due(s.Context(), keys, limit))
		slices.Sort(orders)
		return orders
	}
	s.Advance(hold - time.Microsecond)
	s.Count("due too soon", len(due(10))+len(due(10, sku(1))), 0)
	s.Advance(time.Microsecond)
	s.lock("live", units(1, 1), units(2, 1), units(3, 1))
	suite.Same(s, "due", due(10), []string{"both", "first", "third"})
	suite.Same(s, "due of SKU 1", due(10, sku(1)), []string{"both", "first"})
	suite.Same(s, "due of SKU 2", due(10, sku(2)), []string{"both"})
	suite.Same(s, "due of SKU 1 and 2", due(10, sku(1), sku(2)), []string{"both", "first"})
	s.Count("due of an unknown item", len(due(10, sku(9))), 0)
	s.Count("due up to a limit", len(due(2)), 2)
	s.Count("due of SKU 1 up to a limit", len(due(1, sku(1))), 1)
}

func guardExpire(s *scene) {
	s.fill(100, sku(1), sku(2))
	s.lock("paid", units(1, 1))
	s.pay("paid")
	for _, order := range []string{"a", "b", "c"} {
		s.No(suite.Err(s.inv.For("5").Lock(s.Context(), order, units(1, 1), units(2, 2))))
	}
	s.Advance(hold)
	s.lock("live", units(1, 1))
	expire := func(orders ...string) []string {
		s.Helper()
		expired := suite.Must(s.Store.Expire(s.Context(), orders))
		slices.Sort(expired)
		return expired
	}
	s.Count("expired of none", len(expire("live", "paid", "unknown")), 0)
	suite.Same(s, "expired", expire("live", "b", "unknown", "paid", "a"), []string{"a", "b"})
	suite.Same(s, "expired", expire("a", "b", "c"), []string{"c"})
	s.state("a", stock.Expired)
	s.state("live", stock.Locked)
	s.counts(sku(1), stock.Quantities{Total: 100, Sold: 1, Locked: 1, Left: 99})
	s.counts(sku(2), stock.Quantities{Total: 100, Left: 100})
	s.usage("5", sku(1), stock.Usage{})
}

// guardExpireDrift has one order among others whose books refuse: it alone does not expire.
func guardExpireDrift(s *scene) {
	for name, entry := range map[string]stock.Entry{
		"item":  {Key: sku(2), Delta: stock.Quantities{Locked: -1}},
		"buyer": {Key: sku(2), Buyer: "2", Delta: stock.Quantities{Locked: -1}},
	} {
		s.fill(100, sku(1), sku(2))
		var orders []string
		for buyer := range int64(4) {
			lines := []stock.Line{units(1, 1), units(2, 1)}
			if buyer == 3 {
				lines = lines[1:]
			}
			order := fmt.Sprint(name, buyer)
			orders = append(orders, order)
			s.No(suite.Err(s.inv.For(fmt.Sprint(buyer+1)).Lock(s.Context(), order, lines...)))
		}
		s.Advance(hold)
		s.damage("damage to the "+name, entry)
		expired, err := s.Store.Expire(s.Context(), orders)
		s.Is(err, stock.ErrDrift)
		live, locked := 0, int64(0)
		for i, order := range orders {
			state := stock.Locked
			if slices.Contains(expired, order) {
				state = stock.Expired
			} else if live++; i < 3 {
				locked++
			}
			s.state(order, state)
		}
		s.counts(sku(1), stock.Quantities{Total: 100, Locked: locked, Left: 100})
		s.No(suite.Err(s.inv.Repair(s.Context())))
		s.Count("released", suite.Must(s.inv.Expire(s.Context())), live)
	}
}
