package stocktest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenCases have something else happen between two statements of one call: the races that
// a crowd meets by luck, each of them for sure.
func betweenCases() []testCase {
	return []testCase{
		{Name: "LockOvertakesCancel", Run: lockOvertakesCancel},
		{Name: "LockOvertakesResolve", Run: lockOvertakesResolve},
		{Name: "StockArrivesBeforeTheRefusal", Run: stockArrives},
		{Name: "TheSameLockTakesTheLastUnits", Run: sameLockTakes},
		{Name: "PayIsResolved", Run: payIsResolved},
		{Name: "PayAndASweepFindADeadHold", Run: deadReleasedElsewhere},
		{Name: "LatePaymentFindsUnitsAgain", Run: latePaymentFindsUnits},
		{Name: "RefundAfterAnotherRefund", Run: refundAfterRefund},
		{Name: "RefundAgainTellsTheStateOfNow", Run: refundTellsNow},
		{Name: "RefundAfterRedeem", Run: refundAfterRedeemed},
		{Name: "ExtendAfterShorten", Run: extendAfterShorten},
		{Name: "ExtendAfterPay", Run: extendAfterPay},
		{Name: "ALostExtendDoesNotComeTwice", Run: extendLost},
		{Name: "PayAfterExtend", Run: payAfterExtend},
		{Name: "ExtendOfADeadHoldWaitsForTheSameCall", Run: extendDead},
		{Name: "DefineAfterDefine", Run: defineAfterDefine},
		{Name: "SwitchAfterRestock", Run: switchAfterRestock},
		{Name: "ChangeAfterTheSameChange", Run: changeAfterChange},
		{Name: "WithdrawAfterLock", Run: withdrawAfterLock},
		{Name: "RestAfterLock", Run: restAfterLock},
		{Name: "ExpireAfterExpire", Run: expireAfterExpire},
		{Name: "RepairAfterRepair", Run: repairAfterRepair},
	}
}

// before returns an inventory, with the options of the scene's own, on a wire where something
// happens just before the n-th call of a method.
func (s *scene) before(method string, n int, happens func()) *stock.Inventory {
	return s.over(suite.Before(method, n, happens))
}

func lockOvertakesCancel(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	o := suite.Must(s.before("Void", 1, func() { s.lock("a", units(1, 2)) }).Cancel(s.Context(), "a"))
	suite.Same(s, "outcome", o, stock.Outcome{Order: "a", State: stock.Cancelled})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func lockOvertakesResolve(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h, err := s.before("Void", 1, func() { s.lock("a", units(1, 2)) }).Resolve(s.Context(), "a")
	s.No(err)
	suite.Same(s, "state", h.State, stock.Locked)
	suite.Same(s, "fence", h.Fence, 1)
	h = suite.Must(s.before("Void", 1, func() { _, err := s.inv.Cancel(s.Context(), "b"); s.No(err) }).Resolve(s.Context(), "b"))
	suite.Same(s, "state", h.State, stock.Cancelled)
}

// stockArrives has the reason of a refusal go away before anybody looks at it.
func stockArrives(s *scene) {
	s.define(sku(1), 1, stock.Terms{})
	in := func() { s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 1)))) }
	h, err := s.before("Items", 1, in).Lock(s.Context(), "a", units(1, 2))
	s.No(err)
	suite.Same(s, "state", h.State, stock.Locked)
	s.Is(suite.Err(s.before("Items", 1, func() {
		s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
		s.No(suite.Err(s.inv.Cancel(s.Context(), "a")))
	}).Lock(s.Context(), "b", units(1, 2))), stock.ErrCancelled)
	s.counts(sku(1), stock.Quantities{Total: 2, Left: 2})
}

// sameLockTakes delivers a Lock twice: the first delivery is refused, and the second has got
// what the first now finds missing.
func sameLockTakes(s *scene) {
	s.define(sku(1), 1, stock.Terms{})
	s.lock("b", units(1, 1))
	h := suite.Must(s.before("Items", 1, func() {
		s.No(suite.Err(s.inv.Cancel(s.Context(), "b")))
		s.lock("a", units(1, 1))
	}).Lock(s.Context(), "a", units(1, 1)))
	suite.Replays(s, "hold", h, s.holdOf("a"))
}

// payIsResolved raises the fence after the payment has looked at it.
func payIsResolved(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	resolve := func() { _, err := s.inv.Resolve(s.Context(), "a"); s.No(err) }
	resolve()
	o, err := s.before("Move", 2, resolve).Pay(s.Context(), "a") // the first is refused for the fence as well
	s.No(err)
	suite.Same(s, "outcome", o, stock.Outcome{Order: "a", State: stock.Paid})
	suite.Same(s, "fence", s.holdOf("a").Fence, 2)
}

// deadReleasedElsewhere has a payment find a dead hold that somebody else releases first: that
// is not an effect of the payment.
func deadReleasedElsewhere(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	s.Advance(hold)
	var effects []stock.Effect
	elsewhere := s.inv
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	sweep := func() { _, err := elsewhere.Expire(s.Context()); s.No(err) }
	s.Is(suite.Err(s.before("Move", 2, sweep).Pay(s.Context(), "a")), stock.ErrExpired)
	s.Count("effects of the payment", len(effects), 0)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

// latePaymentFindsUnits has a payment refused because b has the units. By the time one looks they are free, or sold to this very
// order, whose payment was delivered twice.
func latePaymentFindsUnits(s *scene) {
	s.inv = s.with(stock.Options{LatePay: stock.Reacquire})
	for n, twice := range []bool{false, true} {
		line, order, other := units(int64(n+1), 2), fmt.Sprint("a", n), fmt.Sprint("b", n)
		s.define(line.Key(), 2, stock.Terms{})
		s.lock(order, line)
		s.Advance(hold)
		s.No(suite.Err(s.inv.Expire(s.Context())))
		s.lock(other, line)
		o := suite.Must(s.before("Items", 1, func() {
			s.No(suite.Err(s.inv.Cancel(s.Context(), other)))
			if twice {
				s.pay(order)
			}
		}).Pay(s.Context(), order))
		suite.Same(s, "outcome", o, stock.Outcome{Order: order, State: stock.Paid, Replay: twice, Late: true})
		s.counts(line.Key(), stock.Quantities{Total: 2, Sold: 2})
	}
}

func refundAfterRefund(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	n := 0
	refund := func(id string, lines ...stock.Line) (stock.RefundOutcome, error) {
		n++
		other := strconv.Itoa(n)
		return s.before("Refund", 1, func() { s.refund(other, "a", units(1, 1)) }).
			Refund(s.Context(), stock.Refund{ID: id, Order: "a", Restock: true, Lines: lines})
	}
	s.No(suite.Err(refund("r1", units(1, 1)))) // five, four, three
	s.Is(suite.Err(refund("r2", units(1, 3))), stock.ErrOverRefund)
	suite.Same(s, "the rest", suite.Must(refund("r3")).Refund.Lines, []stock.Line{units(1, 1)})
	s.state("a", stock.Refunded)

	s.buy("b", units(1, 5)) // the same refund, made at the same time
	same3 := stock.Refund{ID: "same", Order: "b", Restock: true, Lines: []stock.Line{units(1, 3)}}
	got := suite.Must(s.before("Refund", 1, func() { s.refund("same", "b", units(1, 3)) }).Refund(s.Context(), same3))
	suite.Same(s, "refund", got, stock.RefundOutcome{Outcome: stock.Outcome{Order: "b", State: stock.Paid, Replay: true}, Refund: same3})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8, Refunded: 8})
}

// refundTellsNow has an order bought and refunded after a call of the same refund has looked at it.
func refundTellsNow(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for order, method := range map[string]string{"a": "RefundRecord", "b": "Refund"} {
		elsewhere := func() { s.refund("r"+order, order) }
		if method == "Refund" {
			s.buy(order, units(1, 2))
		} else {
			elsewhere = func() { s.buy(order, units(1, 2)); s.refund("r"+order, order) }
		}
		got := suite.Must(s.before(method, 1, elsewhere).Refund(s.Context(), stock.Refund{ID: "r" + order, Order: order, Restock: true}))
		suite.Same(s, "outcome", got.Outcome, stock.Outcome{Order: order, State: stock.Refunded, Replay: true})
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10, Refunded: 4})
}

func refundAfterRedeemed(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("a", units(1, 5))
	_, err := s.before("Refund", 1, func() { _, err := s.inv.Redeem(s.Context(), "a"); s.No(err) }).
		Refund(s.Context(), stock.Refund{ID: "r", Order: "a"})
	s.inState(err, "a", stock.Redeemed, stock.ErrRedeemed)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 5, Left: 5})
}

func extendAfterShorten(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	later := h.Deadline.Add(hold)
	h = suite.Must(s.before("SetDeadline", 1, func() {
		s.No(suite.Err(s.inv.Shorten(s.Context(), "a", h.LockedAt.Add(hold/2))))
	}).Extend(s.Context(), "a", later))
	s.SameTime("deadline", h.Deadline, later)
	suite.Same(s, "hold", s.holdOf("a"), h)
	h = suite.Must(s.before("SetDeadline", 1, func() {
		s.No(suite.Err(s.inv.Extend(s.Context(), "a", later.Add(2*hold))))
	}).Extend(s.Context(), "a", later.Add(hold))) // which it reaches already by then
	s.SameTime("deadline", h.Deadline, later.Add(2*hold))
}

func extendAfterPay(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	h := s.lock("a", units(1, 2))
	_, err := s.before("SetDeadline", 1, func() { s.pay("a") }).Extend(s.Context(), "a", h.Deadline.Add(hold))
	s.inState(err, "a", stock.Paid, stock.ErrPaid)
	s.SameTime("deadline", s.holdOf("a").Deadline, h.Deadline)
}

// extendLost has the statement of an Extend arrive when another has done what it asked for, and a Shorten has undone it.
func extendLost(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	was := s.lock("a", units(1, 2))
	later := was.Deadline.Add(hold)
	h := suite.Must(s.inv.Extend(s.Context(), "a", later))
	suite.Same(s, "hold", s.holdOf("a"), h)
	h = suite.Must(s.inv.Shorten(s.Context(), "a", was.Deadline))
	verdict, err := s.Store.SetDeadline(s.Context(), was, later)
	s.refusedLate("an Extend", verdict, err)
	suite.Same(s, "hold", s.holdOf("a"), h)
	verdict, err = s.Store.SetDeadline(s.Context(), was, was.LockedAt) // and so would be a Shorten
	s.refusedLate("a Shorten", verdict, err)
	s.pay("a")
}

// payAfterExtend has a payment and a cancellation on their way while the deadline moves.
func payAfterExtend(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for order, step := range map[string]func(*stock.Inventory) (stock.Outcome, error){
		"paid":      func(inv *stock.Inventory) (stock.Outcome, error) { return inv.Pay(s.Context(), "paid") },
		"cancelled": func(inv *stock.Inventory) (stock.Outcome, error) { return inv.Cancel(s.Context(), "cancelled") },
	} {
		h := s.lock(order, units(1, 2))
		extend := func() {
			h = s.holdOf(order)
			s.No(suite.Err(s.inv.Extend(s.Context(), order, h.Deadline.Add(hold))))
		}
		o := suite.Must(step(s.before("Move", 1, func() {
			extend()
			extend()
		})))
		suite.Same(s, "state", o.State.String(), order)
		suite.Same(s, "replay", o.Replay, false)
	}
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Left: 8})
}

// extendDead has the same Extend, still under way when the deadline passes, take effect before the second call has
// released the hold: that is not refused. Where nothing comes, the hold is released.
func extendDead(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	h := s.lock("a", units(1, 2))
	later := h.Deadline.Add(hold)
	s.No(suite.Err(s.inv.Extend(s.Context(), "a", later)))
	s.SameTime("deadline", suite.Must(s.inv.On(&staleHold{s.Store, &h}).Extend(s.Context(), "a", later)).Deadline, later)

	s.lock("b", units(1, 2))
	s.Advance(hold)
	effects = nil
	s.inState(suite.Err(s.inv.Extend(s.Context(), "b", s.now().Add(hold))), "b", stock.Expired, stock.ErrExpired)
	s.state("b", stock.Expired)
	suite.Same(s, "effects", effects, []stock.Effect{{Step: stock.StepExpire, Order: "b"}})
	s.inState(suite.Err(s.inv.Shorten(s.Context(), "b", s.now())), "b", stock.Expired, stock.ErrExpired)
}

// staleHold is a store whose first look at a hold is of before a change that is under way, and at its old deadline.
type staleHold struct {
	stock.Store

	was *stock.Hold
}

// Hold implements stock.Store.
func (s *staleHold) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	if was := s.was; was != nil {
		s.was = nil
		return *was, was.Deadline, nil
	}
	return s.Store.Hold(ctx, order)
}

func defineAfterDefine(s *scene) {
	item, err := s.before("Create", 1, func() { s.define(sku(1), 10, stock.Terms{SPU: 1}) }).
		Define(s.Context(), sku(1), 10, stock.Terms{SPU: 2})
	s.No(err)
	suite.Same(s, "terms", item.Terms, stock.Terms{SPU: 2})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10}) // the first has brought its units
	_, err = s.before("Create", 1, func() { s.define(sku(2), 10, stock.Terms{}) }).Define(s.Context(), sku(2), 20, stock.Terms{})
	s.Is(err, stock.ErrMismatch)
	item, err = s.before("SetTerms", 1, func() { s.define(sku(1), 0, stock.Terms{Unlimited: true}) }).
		Define(s.Context(), sku(1), 10, stock.Terms{SPU: 3})
	s.No(err)
	suite.Same(s, "terms", item.Terms, stock.Terms{SPU: 3})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10}) // the last makes it limited
}

func switchAfterRestock(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	_, err := s.before("SetTerms", 1, func() { s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5)))) }).
		Define(s.Context(), sku(1), 0, stock.Terms{Unlimited: true})
	s.No(err)
	s.counts(sku(1), stock.Quantities{})
	_, err = s.before("SetTerms", 1, func() { s.lock("a", units(1, 20)) }).Define(s.Context(), sku(1), 19, stock.Terms{})
	s.Is(err, stock.ErrInUse)
	s.counts(sku(1), stock.Quantities{Locked: 20})
}

func changeAfterChange(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	in := func() { s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5)))) }
	s.No(suite.Err(s.before("Apply", 1, in).Restock(s.Context(), "in", units(1, 5))))
	s.counts(sku(1), stock.Quantities{Total: 15, Left: 15})
	out := func() { s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 5)))) }
	s.Is(suite.Err(s.before("Apply", 1, out).Withdraw(s.Context(), "out", units(1, 6))), stock.ErrMismatch)
	s.Is(suite.Err(s.before("Applied", 1, out).Withdraw(s.Context(), "out", units(1, 99))), stock.ErrMismatch)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func withdrawAfterLock(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	err := suite.Err(s.before("Apply", 1, func() { s.lock("a", units(1, 4)) }).Withdraw(s.Context(), "out", units(1, 7)))
	s.shortage(err, sku(1), 7, 6)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 4, Left: 10})
}

func restAfterLock(s *scene) {
	s.fill(10, sku(1), pool(1, 7))
	rest := stock.TransferLeg{SKU: 1, From: 7, To: 0, Num: stock.Rest}
	got, err := s.before("Apply", 1, func() { s.lock("a", stock.Line{SKU: 1, Activity: 7, Num: 4}) }).
		Transfer(s.Context(), "end", rest)
	s.No(err)
	suite.Same(s, "units moved", got.Moves[0].Num, 6)
	s.No(suite.Err(s.inv.Cancel(s.Context(), "a")))
	got, err = s.before("Apply", 1, func() { s.No(suite.Err(s.inv.Restock(s.Context(), "in", stock.Line{SKU: 1, Activity: 7, Num: 3}))) }).
		Transfer(s.Context(), "end again", rest)
	s.No(err)
	suite.Same(s, "units moved", got.Moves[0].Num, 7)
	s.counts(pool(1, 7), stock.Quantities{})
	s.counts(sku(1), stock.Quantities{Total: 23, Left: 23})
}

func expireAfterExpire(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.lock("a", units(1, 2))
	s.lock("b", units(1, 2))
	s.Advance(hold)
	n, err := s.before("Expire", 1, func() {
		s.answers(stock.Done)(suite.Moved(s.Store.Move(s.Context(), stock.Movement{Step: stock.StepExpire, Order: "b"})))
	}).Expire(s.Context())
	s.No(err)
	s.Count("released by this call", n, 1)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

func repairAfterRepair(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.damage("damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 4}})
	report := suite.Must(s.before("Apply", 1, func() { _, err := s.inv.Repair(s.Context()); s.No(err) }).Repair(s.Context()))
	s.Count("repaired by this call", report.Repaired, 0)
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
	s.damage("more damage", stock.Entry{Key: sku(1), Delta: stock.Quantities{Locked: 4}})
	report, err := s.before("Apply", 1, func() { s.lock("a", units(1, 2)) }).Repair(s.Context()) // traffic goes on
	s.No(err)
	s.Count("repaired by this call", report.Repaired, 1)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 2, Left: 10})
}
