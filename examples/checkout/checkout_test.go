package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/examples/internal/demo/demotest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// fixture is a shop with 10 units, in which every buyer has a coupon, whose clock the test moves.
type fixture struct {
	*Shop
	t       *testing.T
	advance func(time.Duration)
}

// each runs a test with a shop in memory and with one in MySQL.
func each(t *testing.T, test func(f *fixture)) {
	t.Helper()
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		clock := &manualClock{now: time.Date(2026, 6, 18, 10, 0, 0, 0, time.UTC)}
		units, coupons := &stock.Memory{Clock: clock.Now}, &coupon.Memory{Clock: clock.Now}
		test(open(t, NewMemory(units, coupons, clock.Now), units, coupons, clock.Advance))
	})
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		books, wire := openMySQL(t)
		test(open(t, books, books.stock, books.coupons, wire.Advance))
	})
}

// open stocks a shop.
func open(t *testing.T, books Books, units stock.Store, coupons coupon.Store, advance func(time.Duration)) *fixture {
	t.Helper()
	f := &fixture{Shop: NewShop(books, units, coupons, holdInMemory), t: t, advance: advance}
	_, err := f.inv.Define(t.Context(), item, 10, stock.Terms{PerBuyer: perBuyer})
	require.NoError(t, err)
	_, err = f.coupons.Define(t.Context(), welcome, 100, coupon.Rules{}, welcomeTerms)
	require.NoError(t, err)
	_, err = f.coupons.Issue(t.Context(), coupon.Batch{ID: "welcome", Campaign: welcome, Buyers: []int64{1, 2, 3, 4, 5}, All: true})
	require.NoError(t, err)
	return f
}

// openMySQL returns books in a database of the test's own, whose clock stands still.
func openMySQL(t *testing.T) (*MySQL, *sqltest.Wire) {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variant{Apply: func(c *mysql.Config) {
		c.ParseTime = true
		c.InterpolateParams = true // statements that are prepared do not pass the wire
	}})
	box := &demo.Sandbox{DB: db.DB}
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, box.Options()))
	books, err := NewMySQL(t.Context(), box, sqlstore.NewStock(db.DB, box.Options()), sqlstore.NewCoupon(db.DB, box.Options()))
	require.NoError(t, err)
	db.Wire.Freeze(time.Date(2026, 6, 18, 10, 0, 0, 0, time.UTC))
	return books, db.Wire
}

// ask is an order of some units by a buyer.
func ask(id string, buyer, num int64) Order {
	return Order{ID: id, Buyer: buyer, SKU: sku, Num: num, Cents: num * unitPrice}
}

// with is the order with the coupon of its buyer.
func (o Order) with(coupon string) Order {
	o.Coupon = coupon
	return o
}

// place places an order that goes through.
func (f *fixture) place(id string, buyer, num int64) Order {
	f.t.Helper()
	o, err := f.PlaceOrder(f.t.Context(), ask(id, buyer, num))
	require.NoError(f.t, err)
	return o
}

// pay delivers a payment's callback.
func (f *fixture) pay(payment, order string, cents int64) (accepted bool) {
	f.t.Helper()
	accepted, err := f.PaymentArrived(f.t.Context(), Payment{ID: payment, Order: order, Cents: cents})
	require.NoError(f.t, err)
	return accepted
}

// requireItem demands what is sold and locked, that the books balance, and where the orders stand.
func (f *fixture) requireItem(sold, locked int64, statuses map[string]Status) {
	f.t.Helper()
	now, err := f.inv.Item(f.t.Context(), item)
	require.NoError(f.t, err)
	require.Equal(f.t, [2]int64{sold, locked}, [2]int64{now.Sold, now.Locked}, "sold, locked")
	report, err := f.inv.Audit(f.t.Context())
	require.NoError(f.t, err)
	require.Empty(f.t, report.Drifts)
	coupons, err := f.coupons.Audit(f.t.Context())
	require.NoError(f.t, err)
	require.True(f.t, coupons.Balanced(), coupons)
	orders, err := f.books.Orders(f.t.Context())
	require.NoError(f.t, err)
	found := map[string]Status{}
	for _, o := range orders {
		found[o.ID] = o.Status
	}
	require.Equal(f.t, statuses, found)
}

// requireCoupon demands where a buyer's coupon stands, and with which order.
func (f *fixture) requireCoupon(id string, state coupon.State, order string) {
	f.t.Helper()
	c, err := f.coupons.Coupon(f.t.Context(), id)
	require.NoError(f.t, err)
	require.Equal(f.t, state, c.State)
	require.Equal(f.t, order, c.Order)
}

// requirePaybacks demands the money that goes back.
func (f *fixture) requirePaybacks(want map[string]int64) {
	f.t.Helper()
	paybacks, err := f.books.Paybacks(f.t.Context())
	require.NoError(f.t, err)
	found := map[string]int64{}
	for _, p := range paybacks {
		found[p.ID] = p.Cents
	}
	require.Equal(f.t, want, found)
}

func TestPlaceOrder(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		o := f.place("a", 1, 2)
		require.Equal(f.t, Placed, o.Status)
		require.True(f.t, o.PayBy.Equal(time.Date(2026, 6, 18, 10, 15, 0, 0, time.UTC)), o.PayBy)
		require.True(f.t, o.PayBy.Equal(f.place("a", 1, 2).PayBy), "pressed twice")
		_, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 3))
		require.ErrorIs(f.t, err, stock.ErrMismatch)
		_, err = f.PlaceOrder(f.t.Context(), ask("b", 1, 3))
		require.ErrorIs(f.t, err, ErrLimit)
		for buyer := int64(2); buyer <= 5; buyer++ {
			f.place("c"+string(rune('0'+buyer)), buyer, 2)
		}
		_, err = f.PlaceOrder(f.t.Context(), ask("d", 6, 1))
		require.ErrorIs(f.t, err, ErrSoldOut)
		f.requireItem(0, 10, map[string]Status{"a": Placed, "c2": Placed, "c3": Placed, "c4": Placed, "c5": Placed})
	})
}

func TestManyBuyersAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		var all sync.WaitGroup
		statuses := map[string]Status{}
		var mu sync.Mutex
		for buyer := int64(1); buyer <= 40; buyer++ {
			all.Go(func() {
				id := "order-" + string(rune('A'+buyer))
				o, err := f.PlaceOrder(f.t.Context(), ask(id, buyer, 1))
				if err != nil {
					if !errors.Is(err, ErrSoldOut) {
						f.t.Error(err)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[o.ID] = Placed
			})
		}
		all.Wait()
		require.Len(f.t, statuses, 10)
		f.requireItem(0, 10, statuses)
	})
}

func TestPaymentTwice(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		o := f.place("a", 1, 2)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				accepted, err := f.PaymentArrived(f.t.Context(), Payment{ID: "p", Order: "a", Cents: o.Cents})
				if err != nil || !accepted {
					f.t.Errorf("accepted %t, %v", accepted, err)
				}
			})
		}
		all.Wait()
		require.False(f.t, f.pay("q", "a", o.Cents), "with another card")
		require.False(f.t, f.pay("q", "a", o.Cents))
		f.requireItem(2, 0, map[string]Status{"a": Paid})
		f.requirePaybacks(map[string]int64{"q": o.Cents})
	})
}

func TestPaymentThatIsNotAccepted(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		a, b := f.place("a", 1, 2), f.place("b", 2, 2)
		require.False(f.t, f.pay("p1", "nothing", 100))
		require.False(f.t, f.pay("p2", "a", a.Cents-1))
		f.requireItem(0, 4, map[string]Status{"a": Placed, "b": Placed})

		f.advance(holdInMemory)
		require.False(f.t, f.pay("p3", "a", a.Cents), "too late")
		closed, err := f.CloseOverdue(f.t.Context())
		require.NoError(f.t, err)
		require.Equal(f.t, 1, closed)
		require.False(f.t, f.pay("p4", "b", b.Cents), "too late")
		require.False(f.t, f.pay("p4", "b", b.Cents), "too late, twice")
		f.requireItem(0, 0, map[string]Status{"a": Closed, "b": Closed})
		f.requirePaybacks(map[string]int64{"p1": 100, "p2": a.Cents - 1, "p3": a.Cents, "p4": b.Cents})
	})
}

func TestCancelAndRefund(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		f.place("a", 1, 2)
		b, c := f.place("b", 2, 2), f.place("c", 3, 3)
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r0", 0), stock.ErrNotPaid)
		require.True(f.t, f.pay("p1", "b", b.Cents))
		require.True(f.t, f.pay("p2", "c", c.Cents))
		for range 2 {
			require.NoError(f.t, f.CancelOrder(f.t.Context(), "a"))
			require.NoError(f.t, f.CancelOrder(f.t.Context(), "b"), "paid: refunded")
			require.NoError(f.t, f.RefundOrder(f.t.Context(), "c", "r1", 0))
		}
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "c", "r2", 0), stock.ErrRefunded)
		require.ErrorIs(f.t, f.CancelOrder(f.t.Context(), "d"), ErrNoOrder)
		f.requireItem(0, 0, map[string]Status{"a": Closed, "b": Refunded, "c": Refunded})
		f.requirePaybacks(map[string]int64{"cancel-b": b.Cents, "r1": c.Cents})
	})
}

func TestOverdueOrders(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		f.place("a", 1, 2)
		b := f.place("b", 2, 2)
		require.True(f.t, f.pay("p", "b", b.Cents))
		for _, closed := range []int{0, 1, 0} {
			n, err := f.CloseOverdue(f.t.Context())
			require.NoError(f.t, err)
			require.Equal(f.t, closed, n)
			f.advance(holdInMemory)
		}
		f.requireItem(2, 0, map[string]Status{"a": Closed, "b": Paid})
	})
}

func TestCouponThroughCheckout(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		asked := ask("a", 1, 2).with("welcome/1")
		for range 2 { // the button is pressed twice
			o, err := f.PlaceOrder(f.t.Context(), asked)
			require.NoError(f.t, err)
			require.EqualValues(f.t, 2980, o.ToPay())
			f.requireCoupon("welcome/1", coupon.Reserved, "a")
		}
		require.False(f.t, f.pay("p0", "a", 3980), "without the discount")
		for range 2 { // the callback comes twice
			require.True(f.t, f.pay("p1", "a", 2980))
			f.requireCoupon("welcome/1", coupon.Redeemed, "a")
		}
		f.requireItem(2, 0, map[string]Status{"a": Paid})
		f.requirePaybacks(map[string]int64{"p0": 3980})
	})
}

func TestCancelReleasesTheCoupon(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		for _, id := range []string{"a", "b"} { // it can be had again
			_, err := f.PlaceOrder(f.t.Context(), ask(id, 1, 2).with("welcome/1"))
			require.NoError(f.t, err)
			f.requireCoupon("welcome/1", coupon.Reserved, id)
			for range 2 {
				require.NoError(f.t, f.CancelOrder(f.t.Context(), id))
				f.requireCoupon("welcome/1", coupon.Usable, "")
			}
		}
		f.requireItem(0, 0, map[string]Status{"a": Closed, "b": Closed})
	})
}

func TestOverdueOrderGivesItsCouponBack(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		_, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 2).with("welcome/1"))
		require.NoError(f.t, err)
		f.advance(holdInMemory)
		f.requireCoupon("welcome/1", coupon.Reserved, "a")
		closed, err := f.CloseOverdue(f.t.Context())
		require.NoError(f.t, err)
		require.Equal(f.t, 1, closed)
		f.requireCoupon("welcome/1", coupon.Usable, "")
	})
}

func TestWholeRefundReturnsTheCouponAndAPartialOneDoesNot(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		o, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 3).with("welcome/1"))
		require.NoError(f.t, err)
		require.True(f.t, f.pay("p", "a", o.ToPay()))
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r0", 4), stock.ErrOverRefund)
		for range 2 {
			require.NoError(f.t, f.RefundOrder(f.t.Context(), "a", "r1", 1))
			f.requireCoupon("welcome/1", coupon.Redeemed, "a")
			f.requireItem(2, 0, map[string]Status{"a": Paid})
		}
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r1", 2), stock.ErrMismatch)
		for range 2 {
			require.NoError(f.t, f.RefundOrder(f.t.Context(), "a", "r2", 0))
			f.requireCoupon("welcome/1", coupon.Usable, "")
			f.requireItem(0, 0, map[string]Status{"a": Refunded})
		}
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r3", 0), stock.ErrRefunded)
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r3", 1), stock.ErrRefunded)
		f.requirePaybacks(map[string]int64{"r1": 1656, "r2": 4970 - 1656})
	})
}

func TestARefundUnderTheNumberOfAPaymentIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		o := f.place("a", 1, 2)
		require.True(f.t, f.pay("p", "a", o.Cents))
		require.False(f.t, f.pay("q", "a", o.Cents))
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "q", 0), stock.ErrMismatch)
		f.requireItem(2, 0, map[string]Status{"a": Paid})
	})
}

func TestCouponThatAnOrderCannotHave(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		_, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 2).with("welcome/1"))
		require.NoError(f.t, err)
		for _, refused := range []struct {
			o   Order
			why error
		}{
			{ask("b", 1, 2).with("welcome/1"), coupon.ErrReserved}, // the coupon is another order's
			{ask("c", 1, 2).with("welcome/2"), coupon.ErrAnotherBuyer},
			{ask("d", 1, 2).with("nonsense"), coupon.ErrUnknownCoupon},
			{ask("e", 2, 1).with("welcome/2"), coupon.ErrBelowMinimum},
		} {
			_, err := f.PlaceOrder(f.t.Context(), refused.o)
			require.ErrorIs(f.t, err, ErrCoupon, refused.o.ID)
			require.ErrorIs(f.t, err, refused.why, refused.o.ID)
			hold, err := f.inv.Hold(f.t.Context(), refused.o.ID)
			require.Empty(f.t, hold.Lines, err)
		}
		f.requireItem(0, 2, map[string]Status{"a": Placed})
		f.requireCoupon("welcome/1", coupon.Reserved, "a")
		f.requireCoupon("welcome/2", coupon.Usable, "")
	})
}

func TestRefusedUnitsLeaveTheCouponFree(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		for buyer := int64(2); buyer <= 3; buyer++ {
			f.place("other"+string(rune('0'+buyer)), buyer, 4)
		}
		_, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 3).with("welcome/1"))
		require.ErrorIs(f.t, err, ErrSoldOut)
		_, err = f.PlaceOrder(f.t.Context(), ask("b", 1, 5).with("welcome/1"))
		require.ErrorIs(f.t, err, ErrLimit)
		f.requireCoupon("welcome/1", coupon.Usable, "")
		o, err := f.PlaceOrder(f.t.Context(), ask("c", 1, 2).with("welcome/1"))
		require.NoError(f.t, err)
		require.True(f.t, f.pay("p", "c", o.ToPay()))
		f.requireItem(2, 8, map[string]Status{"other2": Placed, "other3": Placed, "c": Paid})
	})
}

func TestLatePaymentLeavesTheCouponFree(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		o, err := f.PlaceOrder(f.t.Context(), ask("a", 1, 2).with("welcome/1"))
		require.NoError(f.t, err)
		f.advance(holdInMemory)

		// The payment's own transaction changes nothing, and its error names the part. The coupon's reservation lives.
		err = f.books.Transact(f.t.Context(), func(tx Tx) error {
			if m, ok := tx.(*memoryTx); ok { // has no transaction over its books
				_, err := f.inv.On(m.stock).Pay(f.t.Context(), "a")
				return err
			}
			_, err := f.accept(f.t.Context(), tx, Payment{ID: "p", Order: "a", Cents: o.ToPay()}, false)
			return err
		})
		require.ErrorIs(f.t, err, stock.ErrExpired)
		f.requireCoupon("welcome/1", coupon.Reserved, "a")

		require.False(f.t, f.pay("p", "a", o.ToPay()))
		require.False(f.t, f.pay("p", "a", o.ToPay()))
		f.requireCoupon("welcome/1", coupon.Usable, "")
		f.requireItem(0, 0, map[string]Status{"a": Closed})
		f.requirePaybacks(map[string]int64{"p": o.ToPay()})
	})
}

// TestCrashWithoutATransaction cuts an order off after each of its steps, as a shop does that crashes and has its
// orders elsewhere than its stock.
func TestCrashWithoutATransaction(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		ctx := f.t.Context()
		lock := func(o Order) error {
			_, err := f.inv.For(o.Buyer).Lock(ctx, o.ID, stock.Line{SKU: o.SKU, Num: o.Num})
			return err
		}
		reserve := func(o Order) error {
			_, err := f.Shop.coupons.For(o.Buyer).Reserve(ctx, o.Coupon, o.ID, amount(o.Cents))
			return err
		}
		for name, steps := range map[string][]func(Order) error{
			"nothing": nil, "lock": {lock}, "coupon": {reserve}, "lock, coupon": {lock, reserve}, "coupon, lock": {reserve, lock},
		} {
			o := ask("after "+name, 1, 2).with("welcome/1")
			for _, step := range steps {
				require.NoError(f.t, step(o), name)
			}
			for range 3 {
				require.NoError(f.t, f.free(ctx, o), name)
			}
			require.ErrorIs(f.t, lock(o), stock.ErrCancelled, "a request that was on its way")
			require.ErrorIs(f.t, reserve(o), coupon.ErrReleased)
			_, err := f.PlaceOrder(ctx, o)
			require.ErrorIs(f.t, err, ErrTryAgain)
			f.requireCoupon("welcome/1", coupon.Usable, "")
			f.requireItem(0, 0, map[string]Status{})
		}
	})
}

func TestManyOrdersWithOneCoupon(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		var all sync.WaitGroup
		var mu sync.Mutex
		statuses := map[string]Status{}
		for i := range 16 {
			all.Go(func() {
				o, err := f.PlaceOrder(f.t.Context(), ask("order-"+string(rune('A'+i)), 1, 2).with("welcome/1"))
				switch {
				case err == nil:
					mu.Lock()
					statuses[o.ID] = Placed
					mu.Unlock()
				case !errors.Is(err, ErrCoupon):
					f.t.Error(err)
				}
			})
		}
		all.Wait()
		require.Len(f.t, statuses, 1)
		f.requireItem(0, 2, statuses)
	})
}

// forgetful is a store whose Use takes effect and loses its answer.
type forgetful struct{ coupon.Store }

func (l forgetful) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	if _, err := l.Store.Use(ctx, step, use, holdFor); err != nil || step != coupon.StepReserve {
		return stock.Refused, err
	}
	return stock.Refused, stock.ErrUnknown
}

func TestUnknownOutcomeIsSettled(t *testing.T) {
	t.Parallel()
	units, coupons := new(stock.Memory), new(coupon.Memory)
	lossy := demotest.Lossy{Store: units, Loses: func(stock.Verdict) bool { return true }}
	for _, books := range []Books{
		NewMemory(lossy, coupons, time.Now), NewMemory(units, forgetful{coupons}, time.Now),
	} {
		f := open(t, books, units, coupons, nil)
		for range 2 {
			_, err := f.PlaceOrder(t.Context(), ask("a", 1, 2).with("welcome/1"))
			require.ErrorIs(t, err, ErrTryAgain)
			f.requireItem(0, 0, map[string]Status{})
			f.requireCoupon("welcome/1", coupon.Usable, "")
		}
	}
}

func TestLostConnectionRunsTheTransactionAgain(t *testing.T) {
	t.Parallel()
	books, wire := openMySQL(t)
	f := open(t, books, books.stock, books.coupons, wire.Advance)
	for i, statement := range []string{
		"INSERT INTO shop_order", "UPDATE coupon_wallet ", "INSERT INTO coupon_use (COUPON_NO, ORDER_NO, PLACES", "INSERT INTO goods_stock_hold", "UPDATE goods_stock ",
	} {
		for j, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			wire.Inject(sqltest.Fault{Match: statement, Kind: kind})
			wire.Statements()
			o, err := f.PlaceOrder(t.Context(), ask("order-"+string(rune('a'+2*i+j)), 1, 2).with("welcome/1"))
			require.NoError(t, err)
			require.Equal(t, 2, strings.Count(strings.Join(wire.Statements(), ";"), statement), "sent and sent again: "+statement)
			f.requireItem(0, 2, map[string]Status{o.ID: Placed})
			f.requireCoupon("welcome/1", coupon.Reserved, o.ID)
			require.NoError(t, f.CancelOrder(t.Context(), o.ID))
			f.requireCoupon("welcome/1", coupon.Usable, "")
			_, err = books.db.ExecContext(t.Context(), "DELETE FROM shop_order")
			require.NoError(t, err)
		}
	}
}

func TestStoryInMemory(t *testing.T) {
	t.Parallel()
	story := requireStory(t)
	require.Contains(t, story, "to be paid by 10:15:00")
}

func TestStoryInMySQL(t *testing.T) {
	t.Parallel()
	requireStory(t, "-dsn", demotest.Database(t))
}

// requireStory runs the program, demands the steps that matter and the sums, and returns what it tells.
func requireStory(t *testing.T, args ...string) string {
	t.Helper()
	code, story, complaint := demotest.Run(t.Context(), run, args...)
	require.Equal(t, demo.OK, code, complaint)
	require.Empty(t, complaint)
	for _, line := range []string{
		"Ann orders 2 with the coupon → order-A is placed, 39.80 less 10.00 to be paid by",
		"Dora orders 1 → sold out: 1 wanted, 0 free",
		"Bo cancels order-B → closed, its units and the coupon are free again",
		"Bo orders 1 with the coupon that is free again → refused: for orders of 30.00, this one is 19.90",
		"Ann orders 3 → refused: 4 for each buyer, and Ann has 2",
		"Chen orders 1 with the coupon of order-C → refused: the coupon is another order's, and nothing is held",
		"Chen pays order-C → not accepted: 29.80 go back",
		"the timeout worker comes by → overdue orders closed: 1",
		"Ann cancels order-A → it was paid: its units and the coupon are free again, 29.80 go back",
		"the shop refunds 1 of the 3 units of order-J → on sale again, the coupon stays used",
		"SKU 42      6     2       0     4         4",
		"welcome/5  Eve    redeemed  order-J redeemed",
		"Audit: the books balance",
	} {
		require.Contains(t, story, line)
	}
	return story
}

func TestInterruptedStory(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	code, _, complaint := demotest.Run(ctx, run)
	require.Equal(t, demo.Interrupted, code)
	require.Empty(t, complaint)
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	demotest.BadFlags(t, run, "checkout", nil)
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	demotest.WrongDSN(t, run)
}
