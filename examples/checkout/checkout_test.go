package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// fixture is a shop with 10 units, whose clock the test moves.
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
		store := &stock.Memory{Clock: clock.Now}
		test(open(t, NewMemory(store, clock.Now), store, clock.Advance))
	})
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		books, wire := openMySQL(t)
		test(open(t, books, books.stock, wire.Advance))
	})
}

// open stocks a shop.
func open(t *testing.T, books Books, store stock.Store, advance func(time.Duration)) *fixture {
	t.Helper()
	f := &fixture{Shop: NewShop(books, store, holdInMemory), t: t, advance: advance}
	_, err := f.inv.Define(t.Context(), item, 10, stock.Terms{PerBuyer: perBuyer})
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
	books, err := NewMySQL(t.Context(), box, sqlstore.NewStock(db.DB, box.Options()))
	require.NoError(t, err)
	db.Wire.Freeze(time.Date(2026, 6, 18, 10, 0, 0, 0, time.UTC))
	return books, db.Wire
}

// ask is an order of some units by a buyer.
func ask(id string, buyer, num int64) Order {
	return Order{ID: id, Buyer: buyer, SKU: sku, Num: num, Cents: num * unitPrice}
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
	orders, err := f.books.Orders(f.t.Context())
	require.NoError(f.t, err)
	found := map[string]Status{}
	for _, o := range orders {
		found[o.ID] = o.Status
	}
	require.Equal(f.t, statuses, found)
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
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "a", "r0"), stock.ErrNotPaid)
		require.True(f.t, f.pay("p1", "b", b.Cents))
		require.True(f.t, f.pay("p2", "c", c.Cents))
		for range 2 {
			require.NoError(f.t, f.CancelOrder(f.t.Context(), "a"))
			require.NoError(f.t, f.CancelOrder(f.t.Context(), "b"), "paid: refunded")
			require.NoError(f.t, f.RefundOrder(f.t.Context(), "c", "r1"))
		}
		require.ErrorIs(f.t, f.RefundOrder(f.t.Context(), "c", "r2"), stock.ErrRefunded)
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

// lossy is a store whose Lock takes effect and loses its answer.
type lossy struct{ stock.Store }

func (l lossy) Lock(ctx context.Context, o stock.Order, holdFor time.Duration) (stock.Locking, error) {
	if _, err := l.Store.Lock(ctx, o, holdFor); err != nil {
		return stock.Locking{}, err
	}
	return stock.Locking{}, stock.ErrUnknown
}

func TestUnknownOutcomeIsSettled(t *testing.T) {
	t.Parallel()
	store := new(stock.Memory)
	f := open(t, NewMemory(lossy{store}, time.Now), store, nil)
	_, err := f.PlaceOrder(t.Context(), ask("a", 1, 2))
	require.ErrorIs(t, err, ErrTryAgain)
	f.requireItem(0, 0, map[string]Status{})
}

func TestLostConnectionRunsTheTransactionAgain(t *testing.T) {
	t.Parallel()
	books, wire := openMySQL(t)
	f := open(t, books, books.stock, wire.Advance)
	for _, statement := range []string{"INSERT INTO shop_order", "INSERT INTO goods_stock_hold", "UPDATE goods_stock "} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			wire.Inject(sqltest.Fault{Match: statement, Kind: kind})
			wire.Statements()
			o := f.place("a", 1, 1)
			require.Equal(t, 2, strings.Count(strings.Join(wire.Statements(), ";"), statement), "sent and sent again")
			require.NoError(t, f.CancelOrder(t.Context(), o.ID))
			_, err := books.db.ExecContext(t.Context(), "DELETE FROM shop_order")
			require.NoError(t, err)
			_, err = books.db.ExecContext(t.Context(), "DELETE FROM goods_stock_hold")
			require.NoError(t, err)
			f.requireItem(0, 0, map[string]Status{})
		}
	}
}

func TestStoryInMemory(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	require.Equal(t, demo.OK, run(t.Context(), nil, &stdout, &stderr), stderr.String())
	require.Empty(t, stderr.String())
	requireStory(t, stdout.String())
	require.Contains(t, stdout.String(), "to be paid by 10:15:00")
}

func TestStoryInMySQL(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, sqltest.Variants()[0])
	var stdout, stderr bytes.Buffer
	require.Equal(t, demo.OK, run(t.Context(), []string{"-dsn", db.Config.FormatDSN()}, &stdout, &stderr), stderr.String())
	require.Empty(t, stderr.String())
	requireStory(t, stdout.String())
	var tables int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&tables))
	require.Zero(t, tables, "tables are left")
}

// requireStory demands the steps that matter and the sums.
func requireStory(t *testing.T, story string) {
	t.Helper()
	for _, line := range []string{
		"Dora orders 1 → sold out: 1 wanted, 0 free",
		"Ann orders 3 → refused: 4 for each buyer, and Ann has 2",
		"Chen pays order-C → not accepted: 39.80 go back",
		"the timeout worker comes by → overdue orders closed: 1",
		"Ann cancels order-A → it was paid: its units are free again, 39.80 go back",
		"SKU 42      6     3       0     3         3",
		"Audit: the books balance",
	} {
		require.Contains(t, story, line)
	}
}

func TestInterruptedStory(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr bytes.Buffer
	require.Equal(t, demo.Interrupted, run(ctx, nil, &stdout, &stderr))
	require.Empty(t, stderr.String())
}

func TestWrongDSNIsOneLine(t *testing.T) {
	t.Parallel()
	for dsn, says := range map[string]string{
		"nonsense":                   "-dsn cannot be read",
		"root@tcp(127.0.0.1:3306)/":  "-dsn names no database",
		"root@tcp(127.0.0.1:1)/shop": "no server at 127.0.0.1:1",
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, demo.Failed, run(t.Context(), []string{"-dsn", dsn}, &stdout, &stderr))
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), says)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
	var stdout, stderr bytes.Buffer
	require.Equal(t, demo.Usage, run(t.Context(), []string{"-dsn", ""}, &stdout, &stderr))
}
