package sqlstore_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// items is the table of the items, and none whose name begins with it.
var items = regexp.MustCompile(`\bgoods_stock\b`)

// itemStatements returns how many statements have named the table of the items since the last call.
func (s *shop) itemStatements() (n int) {
	for _, statement := range s.db.Wire.Statements() {
		if items.MatchString(statement) {
			n++
		}
	}
	return n
}

// process returns the shop as another process sees it: on another pool, with a clock of its own that
// stands where it began.
func (s *shop) process(opts *sqlstore.Options) *shop {
	s.t.Helper()
	other := *s
	other.db = s.db.Pool(s.t)
	other.db.Wire.Freeze(start)
	return other.as(opts)
}

// units is a number of units of a SKU.
func units(sku, num int64) stock.Line { return stock.Line{SKU: sku, Num: num} }

// lock makes a Lock that must succeed.
func (s *shop) lock(order string, lines ...stock.Line) {
	s.t.Helper()
	require.NoError(s.t, of(s.Lock(s.t.Context(), order, lines...)), order)
}

// soldOut has the shop refuse one unit of a SKU, which it remembers, and says what it saw.
func (s *shop) soldOut(sku, available int64) {
	s.t.Helper()
	for range 2 { // the second time from memory
		s.short(units(sku, available+1), available)
	}
}

// short demands that a Lock is refused for a shortage, with its numbers.
func (s *shop) short(line stock.Line, available int64) {
	s.t.Helper()
	_, err := s.Lock(s.t.Context(), "refused", line)
	var shortage *stock.ShortageError
	require.ErrorAs(s.t, err, &shortage)
	require.Equal(s.t, stock.ShortageError{Key: line.Key(), Wanted: line.Num, Available: available}, *shortage)
}

// Hundreds of Locks of what is sold out reach the row of the item once in 150 ms at most: what is remembered for 200 ms is
// renewed after three quarters of that.
func TestRushForWhatIsSoldOutDoesNotReachTheItem(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.lock("all", units(1, 10))
	s.soldOut(1, 0)
	s.itemStatements()
	began := time.Now()
	errs := suite.Crowd(400, 20, func(i int) error { return of(s.Lock(t.Context(), fmt.Sprint("order-", i), one(1))) })
	require.Equal(t, 400, count(errs, stock.ErrInsufficient))
	looks := 1 + int(time.Since(began)/(sqlstore.MaxSoldOutFor*3/4))
	require.LessOrEqual(t, s.itemStatements(), looks, "looks at the item for 400 refusals")
	s.counters(1, 0, 10, 10)
}

// When what is remembered gets too old, one look is made for all who come then, and those who come
// meanwhile do not look again.
func TestRushLooksOnceWhenTheMemoryIsTooOld(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.lock("all", units(1, 10))
	s.soldOut(1, 0)
	s.itemStatements()
	began := time.Now()
	const rounds = 5
	for round := range rounds {
		s.db.Wire.Advance(sqlstore.MaxSoldOutFor + time.Microsecond)
		calls := make([]func() error, 64)
		for i := range calls {
			calls[i] = func() (err error) {
				for n := 0; n < 20 && (err == nil || errors.Is(err, stock.ErrInsufficient)); n++ {
					_, err = s.Lock(t.Context(), fmt.Sprint(round, "-", i, "-", n), one(1))
				}
				return err
			}
		}
		require.Equal(t, len(calls), count(suite.Meet(len(calls), calls...), stock.ErrInsufficient))
	}
	looks := 2 * (rounds + int(time.Since(began)/sqlstore.MaxSoldOutFor)) // two where the first was under way
	require.LessOrEqual(t, s.itemStatements(), looks)
	s.counters(1, 0, 10, 10)
}

// With no memory each Lock looks for itself, and sees at once what another process gave back.
func TestNegativeSoldOutForRemembersNothing(t *testing.T) {
	t.Parallel()
	s := open(t, nil).as(&sqlstore.Options{SoldOutFor: -1})
	other := s.process(nil)
	s.lock("a", one(1))
	s.lock("rest", units(1, 9))
	s.itemStatements()
	for range 10 {
		s.short(one(1), 0)
	}
	require.GreaterOrEqual(t, s.itemStatements(), 10)
	require.NoError(t, of(other.Cancel(t.Context(), "a")))
	s.lock("next", one(1))
}

// Whatever this process gives back, the very next Lock may have.
func TestWhatComesBackHereEndsTheMemoryAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	brief := stock.New(s.store, &stock.Options{HoldFor: 50 * time.Millisecond})
	for i, c := range []struct {
		name string
		lock func(order string, line stock.Line) error // of the unit that comes back; nil is an ordinary Lock
		back func(order string, sku int64) error
	}{
		{"Cancel", nil, func(order string, _ int64) error { return of(s.Cancel(ctx, order)) }},
		{"Cancel of several lines", func(order string, line stock.Line) error {
			return of(s.Lock(ctx, order, line, one(1)))
		}, func(order string, _ int64) error { return of(s.Cancel(ctx, order)) }},
		{"Refund", nil, func(order string, _ int64) error {
			_, paid := s.Pay(ctx, order)
			_, refunded := s.Refund(ctx, stock.Refund{ID: order, Order: order, Restock: true})
			return errors.Join(paid, refunded)
		}},
		{"Restock", nil, func(order string, sku int64) error { return of(s.Restock(ctx, order, one(sku))) }},
		{"Transfer", nil, func(order string, sku int64) error {
			_, defined := s.Define(ctx, stock.Key{SKU: sku, Activity: 7}, 10, stock.Terms{})
			_, moved := s.Transfer(ctx, order, stock.TransferLeg{SKU: sku, From: 7, To: 0, Num: 1})
			return errors.Join(defined, moved)
		}},
		{"Define without a limit", nil, func(_ string, sku int64) error {
			return of(s.Define(ctx, stock.Key{SKU: sku}, 0, stock.Terms{Unlimited: true}))
		}},
		{"Expire", func(order string, line stock.Line) error { return of(brief.Lock(ctx, order, line)) }, func(string, int64) error {
			s.db.Wire.Advance(50 * time.Millisecond)
			return of(s.Expire(ctx))
		}},
		{"Shorten", nil, func(order string, _ int64) error { return of(s.Shorten(ctx, order, start)) }},
		{"Repair", nil, func(order string, sku int64) error {
			_, failed := s.db.ExecContext(ctx, "DELETE FROM goods_stock_hold WHERE ORDER_NO = ?", order)
			_, err := s.Repair(ctx, stock.Key{SKU: sku})
			return errors.Join(failed, err)
		}},
	} {
		sku := int64(100 + i)
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, stock.Terms{})), c.name)
		if c.lock == nil {
			s.lock(c.name, one(sku))
		} else {
			require.NoError(t, c.lock(c.name, one(sku)), c.name)
		}
		s.lock(c.name+", the rest", units(sku, 9))
		s.soldOut(sku, 0)
		require.NoError(t, c.back(c.name, sku), c.name)
		require.NoError(t, of(s.Lock(ctx, c.name+", next", one(sku))), c.name)
	}
	for i, c := range []struct {
		name          string
		before, after stock.Terms
		why           error
	}{
		{"back on the shelf", stock.Terms{OffShelf: true}, stock.Terms{}, stock.ErrOffShelf},
		{"more for an order", stock.Terms{PerOrder: 1}, stock.Terms{PerOrder: 2}, stock.ErrPerOrder},
		{"a sale that lasts", stock.Terms{End: start}, stock.Terms{}, stock.ErrEnded},
		{"more for a buyer", stock.Terms{PerBuyer: 1}, stock.Terms{PerBuyer: 2}, stock.ErrPerBuyer},
	} {
		sku := int64(200 + i)
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, c.before)), c.name)
		buyer := s.For("5")
		for range 2 {
			require.ErrorIs(t, of(buyer.Lock(ctx, c.name, units(sku, 2))), c.why, c.name)
		}
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, c.after)), c.name)
		require.NoError(t, of(buyer.Lock(ctx, c.name, units(sku, 2))), c.name)
	}
	require.Empty(t, must(s.Audit(ctx))(t).Drifts)
}

// An order that has a hold is answered with it, also where another process made it, and where this
// one remembers that nothing is left.
func TestReplayOfAnOrderThatHoldsIsNeverRefusedFromMemory(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	other := s.process(nil)
	ctx := t.Context()
	other.lock("before", one(1))
	s.lock("rest", units(1, 9))
	s.soldOut(1, 0)
	require.NoError(t, of(other.Cancel(ctx, "before")))
	other.lock("after", one(1))
	require.NoError(t, of(other.Cancel(ctx, "closed")))
	replays := func() {
		s.soldOut(1, 0)
		hold := must(s.Lock(ctx, "after", one(1)))(t)
		require.Equal(t, "after", hold.Order)
		require.Equal(t, stock.Locked, hold.State)
		require.ErrorIs(t, of(s.Lock(ctx, "after", units(1, 2))), stock.ErrMismatch)
		require.ErrorIs(t, of(s.For("5").Lock(ctx, "after", one(1))), stock.ErrMismatch)
		for _, order := range []string{"before", "closed"} {
			require.ErrorIs(t, of(s.Lock(ctx, order, one(1))), stock.ErrCancelled, order)
		}
	}
	replays()
	require.NoError(t, of(other.Pay(ctx, "after")))
	s.soldOut(1, 0)
	require.Equal(t, stock.Paid, must(s.Lock(ctx, "after", one(1)))(t).State)
	s.counters(1, 1, 9, 9)
}

// A hold that dies while its item is taken for sold out is not kept from the next Lock, by an order of one line or more: also
// where the hold was made after what is remembered was seen.
func TestHoldThatDiesWhileItsItemIsTakenForSoldOut(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]stock.Line{{one(1)}, {one(1), one(2)}} {
		for _, available := range []int64{0, 1} { // by what is remembered
			s := open(t, nil)
			brief := stock.New(s.store, &stock.Options{HoldFor: 50 * time.Millisecond})
			dies := func() { require.NoError(t, of(brief.Lock(t.Context(), "dies", lines...))) }
			if available == 0 {
				dies()
			}
			s.lock("most", units(1, 9))
			s.soldOut(1, available)
			if available == 1 {
				dies()
			}
			s.db.Wire.Advance(50*time.Millisecond - time.Microsecond)
			s.short(one(1), 0)
			s.db.Wire.Advance(time.Microsecond)
			s.lock("next", one(1))
			s.counters(1, 0, 10, 10)
		}
	}
}

// A buyer's dead hold counts against no limit, whenever it was made.
func TestBuyersHoldThatDiesWhileItsItemIsTakenForSoldOut(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]stock.Line{{one(1)}, {one(1), one(2)}} {
		s := open(t, nil)
		ctx := t.Context()
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: 1}, 10, stock.Terms{LiveHolds: 1})))
		require.ErrorIs(t, of(s.For("8").Lock(ctx, "refused", units(1, 11))), stock.ErrInsufficient)
		brief := stock.New(s.store, &stock.Options{HoldFor: 50 * time.Millisecond}).For("7")
		require.NoError(t, of(brief.Lock(ctx, "dies", lines...)))
		require.ErrorIs(t, of(brief.Lock(ctx, "next", one(1))), stock.ErrLiveHolds)
		s.db.Wire.Advance(50 * time.Millisecond)
		require.NoError(t, of(brief.Lock(ctx, "next", one(1))))
		s.counters(1, 0, 1, 10)
	}
}

// What another process gives back is seen after 200 ms at the latest.
func TestWhatComesBackElsewhereIsSeenInTime(t *testing.T) {
	t.Parallel()
	for name, see := range map[string]func(s *shop){
		"by the store's clock": func(s *shop) {
			s.db.Wire.Advance(sqlstore.MaxSoldOutFor + time.Microsecond)
			s.lock("next", one(1))
		},
		"by the process's clock": func(s *shop) {
			back := time.Now()
			for {
				asked := time.Now()
				_, err := s.Lock(s.t.Context(), "next", one(1))
				if err == nil {
					return
				}
				require.ErrorIs(s.t, err, stock.ErrInsufficient)
				require.LessOrEqual(s.t, asked.Sub(back), sqlstore.MaxSoldOutFor)
			}
		},
	} {
		s := open(t, nil)
		s.lock("a", one(1))
		s.lock("rest", units(1, 9))
		s.soldOut(1, 0)
		require.NoError(t, of(s.process(nil).Cancel(t.Context(), "a")), name)
		see(s)
		s.counters(1, 0, 10, 10)
	}
}

// From memory or from the item: the same refusals in the same order of precedence, with the same numbers.
func TestRefusalsFromMemoryAreThoseOfTheItem(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	plain := s.process(&sqlstore.Options{Unmerged: true})
	ctx := t.Context()
	for sku, terms := range map[int64]stock.Terms{
		11: {},
		12: {PerBuyer: 3},
		13: {LiveHolds: 1},
		14: {PerBuyer: 3, LiveHolds: 1, PerOrder: 4},
		15: {PerBuyer: 3, OffShelf: true},
		16: {LiveHolds: 1, Start: start.Add(time.Second)},
		17: {End: start},
	} {
		closed := terms
		terms.OffShelf, terms.Start, terms.End = false, time.Time{}, time.Time{}
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, terms)))
		for buyer := int64(1); buyer <= 3; buyer++ {
			require.NoError(t, of(s.For(fmt.Sprint(buyer)).Lock(ctx, fmt.Sprint(sku, "-", buyer), units(sku, buyer))))
		}
		require.NoError(t, of(s.Pay(ctx, fmt.Sprint(sku, "-", 3))))
		require.NoError(t, of(s.For("4").Lock(ctx, fmt.Sprint(sku, "-", 4), units(sku, 2))))
		require.NoError(t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, closed)))
		refuse := func(inv *stock.Inventory, num int64) error {
			_, err := inv.Lock(ctx, "refused", units(sku, num))
			require.Error(t, err)
			return err
		}
		for range 2 {
			for _, num := range []int64{3, 4, 5, 11} {
				require.Equal(t, refuse(plain.Inventory, num), refuse(s.Inventory, num), "SKU %d, %d units", sku, num)
				for buyer := int64(1); buyer <= 5; buyer++ {
					require.Equal(t, refuse(plain.For(fmt.Sprint(buyer)), num), refuse(s.For(fmt.Sprint(buyer)), num), "SKU %d, buyer %d, %d units", sku,
						buyer, num)
				}
			}
		}
	}
}

// A caller's transaction gives units back when it commits: what is looked at within 200 ms before is not kept. A machine that
// takes longer tries once more.
func TestCancelInATransactionEndsTheMemory(t *testing.T) {
	t.Parallel()
	for _, looks := range []int{0, 3} {
		s := open(t, nil)
		for sku := int64(100); !s.cancelsInTime(sku, looks); sku++ {
			if sqltest.Slow() {
				t.Skip("the memory is over before a transaction is")
			}
			require.Less(t, sku, int64(200), "it always takes longer than the memory lasts")
		}
	}
}

// cancelsInTime cancels an order of a new item in a caller's transaction, and looks a few times whether its unit is back before the
// commit. If all that was done while nothing is remembered, it is there afterwards.
func (s *shop) cancelsInTime(sku int64, looks int) bool {
	s.t.Helper()
	ctx := s.t.Context()
	order := func(of string) string { return fmt.Sprint(of, "-", sku) }
	require.NoError(s.t, of(s.Define(ctx, stock.Key{SKU: sku}, 10, stock.Terms{})))
	s.lock(order("a"), one(sku))
	s.lock(order("rest"), units(sku, 9))
	s.soldOut(sku, 0)
	tx := must(s.db.BeginTx(ctx, nil))(s.t)
	began := time.Now()
	require.NoError(s.t, of(s.On(s.store.WithTx(tx)).Cancel(ctx, order("a"))))
	for range looks {
		s.short(one(sku), 0)
	}
	inTime := time.Since(began) < sqlstore.MaxSoldOutFor
	require.NoError(s.t, tx.Commit())
	if inTime {
		s.lock(order("next"), one(sku))
		s.counters(sku, 0, 10, 10)
	}
	return inTime
}

// What a Lock took, also of what is remembered, is not there for the next; what it did not keep is.
func TestShortageIsRightAfterALockTookAPart(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	s.lock("most", units(1, 5))
	s.short(units(1, 6), 5)
	s.lock("one", one(1))
	s.short(units(1, 6), 4)
	s.lock("two lines", one(1), one(2))
	s.short(units(1, 6), 3)
	s.lock("all but one", units(1, 2))
	s.short(units(1, 2), 1)

	tx := must(s.db.BeginTx(ctx, nil))(t)
	require.NoError(t, of(s.On(s.store.WithTx(tx)).Lock(ctx, "never", one(1))))
	require.NoError(t, tx.Rollback())
	s.short(units(1, 2), 1)
	s.lock("last", one(1))
	s.short(one(1), 0)
	s.counters(1, 0, 10, 10)
}

// A Lock that commits just before its item is looked at is counted once.
func TestLockIsNotCountedTwiceInWhatIsRemembered(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.db.Wire.After("COMMIT AND", func() { // before the store has forgotten what it remembers
		refused, err := sqlstore.LockBatch(t.Context(), s.store, stock.Order{ID: "refused", Lines: []stock.Line{units(1, 11)}})
		require.NoError(t, err)
		var shortage *stock.ShortageError
		require.ErrorAs(t, refused[0].Why, &shortage)
		require.Equal(t, int64(6), shortage.Available)
	})
	s.lock("two lines", units(1, 4), one(2))
	s.short(units(1, 7), 6)
	s.lock("rest", units(1, 6))
	s.counters(1, 0, 10, 10)
}

// While others are refused without end, and look, and have it remembered, what comes back here is there
// for the very next Lock.
func TestNextLockAfterACancelSucceedsAmongRefusals(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	s.lock("rest", units(1, 9))
	s.lock("0", one(1))
	stop := meanwhile(t, 8, func(caller, n int) error {
		_, err := s.For(fmt.Sprint(1+caller)).Lock(t.Context(), fmt.Sprint("refused-", caller, "-", n), units(1, 11))
		if errors.Is(err, stock.ErrInsufficient) {
			return nil
		}
		return fmt.Errorf("it was not refused: %w", err)
	})
	lines := [][]stock.Line{{one(1)}, {one(1), one(2)}}
	for n := range 100 {
		require.NoError(t, of(s.Cancel(t.Context(), strconv.Itoa(n))))
		s.lock(strconv.Itoa(n+1), lines[n%2]...)
	}
	stop()
	s.counters(1, 0, 10, 10)
}
