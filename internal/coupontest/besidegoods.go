package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// besideGoodsCases are about uses that go with the calls of the order's goods, in one.
func besideGoodsCases() []testCase {
	return []testCase{
		{Name: "OrderUsesACouponBesideItsGoods", Run: besideLife, Beside: true},
		{Name: "ReservationBesideALockLivesAsLongAsTheHold", Run: besideDeadline, Beside: true},
		{Name: "UseThatIsRefusedRefusesTheLock", Run: besideLockRefused, Beside: true},
		{Name: "UseThatIsRefusedRefusesTheStep", Run: besideStepRefused, Beside: true},
		{Name: "LockThatIsRefusedReservesNothing", Run: besideGoodsRefused, Beside: true},
		{Name: "UseThatIsThereIsAReplay", Run: besideReplay, Beside: true},
		{Name: "CancelOfAnUnknownOrderReleasesItsCoupon", Run: besideUnknown, Beside: true},
		{Name: "ReturnGoesWithTheLastRefund", Run: besidePartial, Beside: true},
		{Name: "TakeRedeemsAtOnce", Run: besideTake, Beside: true},
		{Name: "LatePaymentRedeemsWhatIsStillFree", Run: besideLate, Beside: true},
		{Name: "UseBelongsToItsCall", Run: besideOtherCalls, Beside: true},
		{Name: "OrdersRaceForOneCoupon", Run: besideRace, Beside: true},
		{Name: "OrderWithTwoCoupons", Run: besideTwo, Beside: true},
		{Name: "TransactionKeepsGoodsAndUse", Run: besideTransaction, Beside: true, Transactions: true},
	}
}

func (s *scene) reserving(id, order string) coupon.UseRequest {
	s.Helper()
	return suite.Must(s.shop.Reserving(s.Context(), id, order, dec("100")))
}

func (s *scene) redeeming(id, order string) coupon.UseRequest {
	s.Helper()
	return suite.Must(s.shop.Redeeming(s.Context(), id, order, dec("100")))
}

func (s *scene) releasing(id, order string) coupon.UseRequest {
	s.Helper()
	return suite.Must(s.shop.Releasing(s.Context(), id, order))
}

// returning is about the coupon c.
func (s *scene) returning(order string) coupon.UseRequest {
	s.Helper()
	return suite.Must(s.shop.Returning(s.Context(), "c", order, dec("90")))
}

// kept returns the use that a call has kept.
func (s *scene) kept(beside []stock.Companion) coupon.Use {
	s.Helper()
	r, ok := stock.CompanionOf[coupon.UseRequest](beside)
	if !ok || len(beside) != 1 {
		s.Fatalf("beside it is %v", beside)
	}
	read := r.Use
	read.Replay = false
	suite.Same(s, "as it is read", s.use(r.Coupon, r.Order), read)
	return r.Use
}

func besideLife(s *scene) {
	goods := s.stocked()
	use := s.reserving("c", "A")
	s.sameAmount("discount", use.Discount, "10")
	s.state("c", coupon.Usable) // nothing is done yet
	now := s.now()
	want := coupon.Use{
		Coupon: "c", Order: "A", State: coupon.UseReserved, Places: 2, Total: dec("100"), Discount: dec("10"),
		Deadline: now.Add(hold), CreatedAt: now, UpdatedAt: now,
	}
	suite.Same(s, "reserved", s.kept(suite.Must(goods.With(use).Lock(s.Context(), "A", one())).Beside), want)
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "A")
	s.left(stock.Quantities{Total: 10, Locked: 1, Left: 10})
	s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "B", dec("100"))), coupon.ErrReserved)

	s.Advance(time.Minute)
	redeeming := s.redeeming("c", "A")
	want.State, want.RedeemedAt, want.UpdatedAt = coupon.UseRedeemed, s.now(), s.now()
	suite.Same(s, "redeemed", s.kept(suite.Must(goods.With(redeeming).Pay(s.Context(), "A")).Beside), want)
	s.state("c", coupon.Redeemed)
	s.left(stock.Quantities{Total: 10, Sold: 1, Left: 9})

	s.Advance(time.Minute)
	returning := s.returning("A")
	want.State, want.UpdatedAt = coupon.UseReturned, s.now()
	refund := stock.Refund{ID: "r", Order: "A", Restock: true}
	suite.Same(s, "returned", s.kept(suite.Must(goods.With(returning).Refund(s.Context(), refund)).Beside), want)
	suite.Same(s, "order", s.state("c", coupon.Usable).Order, "")

	s.No(suite.Err(goods.With(s.reserving("c", "B")).Lock(s.Context(), "B", one())))
	suite.Same(s, "released", s.kept(suite.Must(goods.With(s.releasing("c", "B")).Cancel(s.Context(), "B")).Beside).State, coupon.UseReleased)
	s.state("c", coupon.Usable)
	s.left(stock.Quantities{Total: 10, Left: 10, Refunded: 1})
	s.claim("d", "5")
	s.reserve("d", "another")
	s.Is(suite.Err(s.shop.Reserving(s.Context(), "d", "B", dec("100"))), coupon.ErrReserved) // at once
}

func besideDeadline(s *scene) {
	goods := s.stocked()
	until := s.now().Add(time.Minute)
	hold := suite.Must(goods.With(s.reserving("c", "A")).Until(until).Lock(s.Context(), "A", one()))
	s.SameTime("hold", hold.Deadline, until)
	s.SameTime("coupon", s.state("c", coupon.Reserved).Deadline, until)
	use := s.reserving("c", "A")
	s.Advance(time.Minute)
	s.status("c", coupon.StatusUsable)
	s.Is(suite.Err(goods.With(use).Lock(s.Context(), "A", one())), stock.ErrExpired)
	s.No(suite.Err(goods.With(s.reserving("c", "B")).Lock(s.Context(), "B", one()))) // nobody has swept
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "B")
}

// refusedBeside makes a call whose request was made before something happened, and demands that the use is what refuses it, and
// that nothing is done.
func (s *scene) refusedBeside(use coupon.UseRequest, want error, call func(inv *stock.Inventory) error) {
	s.Helper()
	goods := s.goods()
	item, was := suite.Must(goods.Item(s.Context(), item(1))), s.use(use.Coupon, use.Order)
	s.unchanged(use.Coupon, func() { s.Is(call(goods.With(use)), want) })
	suite.Same(s, "item", suite.Must(goods.Item(s.Context(), item.Key)), item)
	suite.Same(s, "use", s.use(use.Coupon, use.Order), was)
}

func besideLockRefused(s *scene) {
	s.stocked()
	s.define(1, 10, coupon.Rules{}, until(tenOff(), s.now().Add(day)))
	lock := func(order string) func(inv *stock.Inventory) error {
		return func(inv *stock.Inventory) error { return suite.Err(inv.Lock(s.Context(), order, one())) }
	}
	for i, c := range []struct {
		want   error
		happen func(id string)
	}{
		{coupon.ErrReserved, func(id string) { s.reserve(id, "another") }},
		{coupon.ErrRedeemed, func(id string) { s.redeem(id, "another") }},
		{coupon.ErrRefunded, func(id string) { s.refund("refund of "+id, id) }},
		{coupon.ErrReleased, func(id string) { s.release(id, "order") }},
		{coupon.ErrReturned, func(id string) { s.redeem(id, "order"); s.giveBack(id, "order") }},
		{coupon.ErrReturned, func(id string) { s.redeem(id, "order"); s.giveBack(id, "order"); s.reserve(id, "another") }},
		{coupon.ErrMismatch, func(id string) {
			s.No(suite.Err(s.shop.Reserve(s.Context(), id, "order", dec("99"))))
		}},
		{coupon.ErrExpired, func(string) { s.Advance(day) }},
	} {
		id := fmt.Sprint("c", i)
		s.claim(id, "5")
		use := s.reserving(id, "order")
		c.happen(id)
		s.refusedBeside(use, c.want, lock("order"))
		s.Is(suite.Err(s.goods().Hold(s.Context(), "order")), stock.ErrNotFound)
		if _, err := s.shop.Reserving(s.Context(), id, "order", dec("100")); err != nil { // what the coupon itself refuses
			s.Is(err, c.want)
		}
	}
	s.Is(suite.Err(s.shop.Reserving(s.Context(), "unknown", "order", dec("100"))), coupon.ErrNotFound)
	s.Is(suite.Err(s.shop.For("6").Reserving(s.Context(), "c", "order", dec("100"))), coupon.ErrAnotherBuyer)
	s.Is(suite.Err(s.shop.Reserving(s.Context(), "c", "order", dec("49.99"))), coupon.ErrBelowMinimum)
	s.No(suite.Err(s.goods().Lock(s.Context(), "order", one()))) // without a coupon
}

func besideStepRefused(s *scene) {
	goods := s.stocked()
	s.No(suite.Err(goods.With(s.reserving("c", "A")).Lock(s.Context(), "A", one())))
	pay := func(inv *stock.Inventory) error { return suite.Err(inv.Pay(s.Context(), "A")) }
	cancel := func(inv *stock.Inventory) error { return suite.Err(inv.Cancel(s.Context(), "A")) }
	use, releasing := s.redeeming("c", "A"), s.releasing("c", "A")
	s.No(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("120"))))
	s.refusedBeside(use, coupon.ErrMismatch, pay)
	s.refusedBeside(releasing, coupon.ErrRedeemed, cancel)
	returning := suite.Must(s.shop.Returning(s.Context(), "c", "A", dec("110")))
	s.No(suite.Err(s.shop.Return(s.Context(), "c", "A", dec("110"))))
	s.refusedBeside(use, coupon.ErrReturned, pay)
	s.refusedBeside(releasing, coupon.ErrReturned, cancel)
	s.No(suite.Err(goods.Pay(s.Context(), "A")))

	s.claim("d", "5") // another order: its Return is not due
	returning.Coupon, returning.Order = "d", "A"
	refund := func(inv *stock.Inventory) error {
		return suite.Err(inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "A"}))
	}
	s.refusedBeside(returning, coupon.ErrNotRedeemed, refund)
	s.reserve("d", "A")
	s.refusedBeside(returning, coupon.ErrNotRedeemed, refund)
	s.No(refund(s.goods()))
}

func besideGoodsRefused(s *scene) {
	goods := s.stocked()
	use := s.reserving("c", "A")
	s.Is(suite.Err(goods.With(use).Lock(s.Context(), "A", stock.Line{SKU: 1, Num: 11})), stock.ErrInsufficient)
	s.used("c", "A", coupon.Unused)
	s.state("c", coupon.Usable)
	s.reserve("c", "B")
	// What the goods say comes first.
	s.Is(suite.Err(goods.With(use).Lock(s.Context(), "A", stock.Line{SKU: 1, Num: 11})), stock.ErrInsufficient)
	s.No(suite.Err(goods.Lock(s.Context(), "A", one())))
	s.Is(suite.Err(goods.With(use).Lock(s.Context(), "A", stock.Line{SKU: 1, Num: 2})), stock.ErrMismatch)
	hold := suite.Must(goods.With(use).Lock(s.Context(), "A", one())) // a replay keeps nothing
	suite.Same(s, "replay", hold.Replay, true)
	s.Count("beside", len(hold.Beside), 0)
	s.used("c", "A", coupon.Unused)
}

func besideReplay(s *scene) {
	goods := s.stocked()
	was := s.reserve("c", "A")
	kept := s.kept(suite.Must(goods.With(s.reserving("c", "A")).Lock(s.Context(), "A", one())).Beside)
	suite.Replays(s, "reserved before", kept, was)
	was = s.redeem("c", "A")
	kept = s.kept(suite.Must(goods.With(s.redeeming("c", "A")).Pay(s.Context(), "A")).Beside)
	suite.Replays(s, "redeemed before", kept, was)
	use := s.returning("A")
	was = s.giveBack("c", "A")
	s.reserve("c", "B") // the coupon goes on
	s.Advance(time.Minute)
	kept = s.kept(suite.Must(goods.With(use).Refund(s.Context(), stock.Refund{ID: "r", Order: "A"})).Beside)
	suite.Replays(s, "returned before", kept, was)

	s.No(suite.Err(goods.Lock(s.Context(), "B", one())))
	was = s.release("c", "B")
	s.redeem("c", "C")
	kept = s.kept(suite.Must(goods.With(s.releasing("c", "B")).Cancel(s.Context(), "B")).Beside)
	suite.Replays(s, "released before", kept, was)
	suite.Same(s, "order", s.state("c", coupon.Redeemed).Order, "C")
}

func besideUnknown(s *scene) {
	goods := s.stocked()
	s.reserve("c", "A")
	suite.Same(s, "void", suite.Must(goods.With(s.releasing("c", "A")).Cancel(s.Context(), "A")).Void, true)
	s.used("c", "A", coupon.UseReleased)
	s.state("c", coupon.Usable)
	releasing := s.releasing("c", "B")
	s.redeem("c", "B")
	s.refusedBeside(releasing, coupon.ErrRedeemed, func(inv *stock.Inventory) error { return suite.Err(inv.Cancel(s.Context(), "B")) })
	s.No(suite.Err(goods.Lock(s.Context(), "B", one()))) // the order was not closed
	s.No(suite.Err(goods.With(s.releasing("c", "C")).Cancel(s.Context(), "C")))
	s.used("c", "C", coupon.UseReleased) // for ever
}

func besidePartial(s *scene) {
	goods := s.stocked()
	two := stock.Line{SKU: 1, Num: 2}
	s.No(suite.Err(goods.With(s.reserving("c", "A")).Lock(s.Context(), "A", two)))
	s.No(suite.Err(goods.With(s.redeeming("c", "A")).Pay(s.Context(), "A")))
	_, err := s.shop.Returning(s.Context(), "c", "A", dec("45"))
	s.Is(err, coupon.ErrPartial)
	s.sameAmount("paid", suite.As[*coupon.PartialError](s, err).Paid, "90")
	part := s.returning("A")
	part.Refunded = dec("45")
	s.refusedBeside(part, coupon.ErrPartial, func(inv *stock.Inventory) error {
		return suite.Err(inv.Refund(s.Context(), stock.Refund{ID: "r1", Order: "A", Lines: []stock.Line{one()}}))
	})
	s.No(suite.Err(goods.Refund(s.Context(), stock.Refund{ID: "r1", Order: "A", Lines: []stock.Line{one()}})))
	s.state("c", coupon.Redeemed)
	s.No(suite.Err(goods.With(s.returning("A")).Refund(s.Context(), stock.Refund{ID: "r2", Order: "A", Restock: true})))
	s.state("c", coupon.Usable)
	s.left(stock.Quantities{Total: 10, Sold: 1, Left: 9, Refunded: 2})
}

func besideTake(s *scene) {
	goods := s.stocked()
	now := s.now()
	suite.Same(s, "use", s.kept(suite.Must(goods.With(s.redeeming("c", "A")).Take(s.Context(), "A", one())).Beside), coupon.Use{
		Coupon: "c", Order: "A", State: coupon.UseRedeemed, Places: 2, Total: dec("100"), Discount: dec("10"),
		Deadline: now, CreatedAt: now, RedeemedAt: now, UpdatedAt: now,
	})
	s.state("c", coupon.Redeemed)
	s.claim("d", "5")
	s.No(suite.Err(goods.With(s.reserving("d", "B")).Lock(s.Context(), "B", one())))
	s.No(suite.Err(goods.With(s.redeeming("d", "B")).Take(s.Context(), "B", one()))) // which is locked: a Pay
	s.state("d", coupon.Redeemed)
}

func besideLate(s *scene) {
	s.stocked()
	goods := stock.New(s.Stock, &stock.Options{LatePay: stock.Reacquire})
	s.claim("d", "5")
	for _, id := range []string{"c", "d"} {
		s.No(suite.Err(goods.With(s.reserving(id, "of "+id)).Lock(s.Context(), "of "+id, one())))
	}
	ours := s.redeeming("d", "of d")
	s.Advance(hold)
	s.reserve("d", "another")
	suite.Same(s, "late", suite.Must(goods.With(s.redeeming("c", "of c")).Pay(s.Context(), "of c")).Late, true)
	s.state("c", coupon.Redeemed)
	s.Is(suite.Err(goods.With(ours).Pay(s.Context(), "of d")), coupon.ErrReserved)
	suite.Same(s, "hold", suite.Must(goods.Hold(s.Context(), "of d")).State, stock.Expired)
}

func besideOtherCalls(s *scene) {
	goods := s.stocked()
	s.redeem("c", "R")
	s.claim("d", "5")
	uses := map[coupon.Step]coupon.UseRequest{
		coupon.StepReserve: s.reserving("d", "A"), coupon.StepRedeem: s.redeeming("d", "A"),
		coupon.StepRelease: s.releasing("d", "A"), coupon.StepReturn: s.returning("R"),
	}
	for belongs, call := range map[coupon.Step]func(inv *stock.Inventory, order string) error{
		coupon.StepReserve: func(inv *stock.Inventory, order string) error { return suite.Err(inv.Lock(s.Context(), order, one())) },
		coupon.StepRedeem:  func(inv *stock.Inventory, order string) error { return suite.Err(inv.Pay(s.Context(), order)) },
		coupon.StepRelease: func(inv *stock.Inventory, order string) error { return suite.Err(inv.Cancel(s.Context(), order)) },
		coupon.StepReturn: func(inv *stock.Inventory, order string) error {
			return suite.Err(inv.Refund(s.Context(), stock.Refund{ID: "r", Order: order}))
		},
		coupon.StepSpend: func(inv *stock.Inventory, order string) error { return suite.Err(inv.Redeem(s.Context(), order)) },
		coupon.StepForgo: func(inv *stock.Inventory, order string) error {
			return suite.Err(inv.Extend(s.Context(), order, s.now()))
		},
		coupon.StepReturn + 1: func(inv *stock.Inventory, order string) error { return suite.Err(inv.Resolve(s.Context(), order)) },
		coupon.StepReturn + 2: func(inv *stock.Inventory, _ string) error { return suite.Err(inv.Restock(s.Context(), "id", one())) },
	} {
		for step, use := range uses {
			if step != belongs {
				s.Is(call(goods.With(use), use.Order), coupon.ErrInvalid)
			}
			s.Is(call(goods.With(use), "another order"), coupon.ErrInvalid)
		}
	}
	spoiled := uses[coupon.StepReserve]
	spoiled.Total = dec("-1")
	s.Is(suite.Err(goods.With(spoiled).Lock(s.Context(), "A", one())), coupon.ErrInvalid)
	s.Is(suite.Err(goods.With(coupon.UseRequest{Use: coupon.Use{Order: "A"}}).Lock(s.Context(), "A", one())), coupon.ErrInvalid)
	s.left(stock.Quantities{Total: 10, Left: 10})
}

// besideRace has stock for all and a coupon for one.
func besideRace(s *scene) {
	goods := s.stocked()
	s.No(suite.Err(goods.Restock(s.Context(), "more", stock.Line{SKU: 1, Num: 90})))
	const orders = 64
	uses := make([]coupon.UseRequest, orders)
	for i := range uses {
		uses[i] = s.reserving("c", fmt.Sprint("order-", i))
	}
	got := 0
	for _, err := range suite.Together(orders, func(i int) error {
		return suite.Err(goods.With(uses[i]).Lock(s.Context(), uses[i].Order, one()))
	}) {
		if err == nil {
			got++
			continue
		}
		s.Is(err, coupon.ErrReserved)
	}
	s.Count("orders that have it", got, 1)
	s.left(stock.Quantities{Total: 100, Locked: 1, Left: 100})
	s.Count("uses", len(s.usesOf("c")), 1)
	s.progress(coupon.Count{Reserved: 1})
}

func besideTwo(s *scene) {
	goods := s.stocked()
	s.claim("d", "5")
	both := []stock.Companion{s.reserving("d", "A"), s.reserving("c", "A")}
	s.Count("beside", len(suite.Must(goods.With(both...).Lock(s.Context(), "A", one())).Beside), 2)
	s.state("c", coupon.Reserved)
	s.state("d", coupon.Reserved)
	s.No(suite.Err(goods.With(s.redeeming("c", "A"), s.redeeming("d", "A")).Pay(s.Context(), "A")))

	s.claim("e", "5")
	s.claim("f", "5")
	both = []stock.Companion{s.reserving("e", "B"), s.reserving("f", "B")}
	s.reserve("f", "another")
	s.Is(suite.Err(goods.With(both...).Lock(s.Context(), "B", one())), coupon.ErrReserved)
	s.state("e", coupon.Usable)
	s.left(stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func besideTransaction(s *scene) {
	s.stocked()
	s.claim("d", "5")
	s.reserve("d", "another")
	use, refused := s.reserving("c", "A"), s.reserving("c", "B")
	refused.Coupon = "d"
	tx, _, rollback := s.begin()
	s.No(suite.Err(tx.goods.With(use).Lock(s.Context(), "A", one())))
	s.No(rollback())
	s.used("c", "A", coupon.Unused)
	s.left(stock.Quantities{Total: 10, Left: 10})

	tx, commit, _ := s.begin()
	s.No(suite.Err(tx.goods.With(use).Lock(s.Context(), "A", one())))
	s.Is(suite.Err(tx.goods.With(refused).Lock(s.Context(), "B", one())), coupon.ErrReserved)
	redeeming := suite.Must(tx.shop.Redeeming(s.Context(), "c", "A", dec("100")))
	s.No(suite.Err(tx.goods.With(redeeming).Pay(s.Context(), "A")))
	s.No(commit())
	s.state("c", coupon.Redeemed)
	s.left(stock.Quantities{Total: 10, Sold: 1, Left: 9})
	s.Is(suite.Err(s.goods().Hold(s.Context(), "B")), stock.ErrNotFound)
}
