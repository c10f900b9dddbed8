package stock_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

func TestTransitions(t *testing.T) {
	t.Parallel()
	var names []string
	for i, row := range stock.Transitions() {
		require.Equal(t, stock.Step(i+1), row.Step)
		require.Equal(t, row, row.Step.Transition())
		require.Equal(t, row.Name, row.Step.String())
		names = append(names, row.Name)
	}
	require.Equal(t, []string{
		"lock", "take", "cancel", "expire", "pay", "reacquire", "redeem", "refund", "discard", "restock", "withdraw", "amend",
		"put back", "wait", "offer", "leave", "cover", "archive",
	}, names)
	require.Zero(t, stock.Step(0).Transition())
	require.Zero(t, stock.Step(len(names)+1).Transition())
}

func TestTransitionsBelongToTheCaller(t *testing.T) {
	t.Parallel()
	rows := stock.Transitions()
	rows[0].Name, rows[0].From[0] = "scribble", stock.Expired
	require.Equal(t, "lock", stock.StepLock.String())
	require.Equal(t, []stock.State{stock.Unheld}, stock.StepLock.Transition().From)
}

// TestTransitionsKeepTheBooks proves total = sold + left for every row, and that one unit is the
// most that a row moves: the guards and the sums of several units follow from that.
func TestTransitionsKeepTheBooks(t *testing.T) {
	t.Parallel()
	for _, row := range stock.Transitions() {
		c := row.Delta
		require.Equal(t, c.Total, c.Sold+c.Left, row.Name)
		for _, n := range []int64{c.Total, c.Sold, c.Locked, c.Left, c.Refunded, c.Waiting} {
			require.True(t, -1 <= n && n <= 1, row.Name)
		}
		require.Equal(t, stock.Quantities{
			Total: 3 * c.Total, Sold: 3 * c.Sold, Locked: 3 * c.Locked, Left: 3 * c.Left, Refunded: 3 * c.Refunded, Waiting: 3 * c.Waiting,
			Backordered: 3 * c.Backordered,
		}, c.Times(3))
		unlimited := c.For(stock.Terms{Unlimited: true})
		require.Equal(t, stock.Quantities{
			Sold: c.Sold, Locked: c.Locked, Refunded: c.Refunded, Waiting: c.Waiting, Backordered: c.Backordered,
		}, unlimited, row.Name)
		require.Equal(t, c, c.For(stock.Terms{}))
	}
}

// TestTransitionsThatDraw applies every row to an item that has everything but available
// units: the rows that draw break it, and only they.
func TestTransitionsThatDraw(t *testing.T) {
	t.Parallel()
	var draws []string
	for _, row := range stock.Transitions() {
		full := stock.Quantities{Total: 10, Sold: 4, Locked: 7, Left: 6, Refunded: 2, Waiting: 3, Backordered: 1}
		if row.Step == stock.StepCover { // a unit has come
			full.Backordered++
		}
		require.True(t, full.Valid(stock.Terms{}))
		after, err := full.Plus(row.Delta)
		require.NoError(t, err)
		require.Equal(t, row.Draws(), !after.Valid(stock.Terms{}), row.Name)
		if row.Draws() {
			draws = append(draws, row.Name)
			one := stock.Quantities{Total: 10, Sold: 4, Locked: 6, Left: 6, Refunded: 2, Waiting: 3, Backordered: 1}
			after, err = one.Plus(row.Delta)
			require.NoError(t, err)
			require.True(t, after.Valid(stock.Terms{}), row.Name)
		}
	}
	require.Equal(t, []string{"lock", "take", "reacquire", "withdraw", "offer"}, draws)
}

// TestWeightIsTheSumOfTheWay walks every way that a hold can go: wherever it arrives, what it
// did to sold and locked on the way is the weight of the state, which Audit recounts with.
func TestWeightIsTheSumOfTheWay(t *testing.T) {
	t.Parallel()
	reached := map[stock.State]stock.Quantities{stock.Unheld: {}}
	for again := true; again; {
		again = false
		for _, row := range stock.Transitions() {
			for _, from := range row.From {
				way, ok := reached[from]
				if !ok || row.To == stock.Unheld {
					continue
				}
				sum, err := way.Plus(stock.Quantities{Sold: row.Delta.Sold, Locked: row.Delta.Locked, Waiting: row.Delta.Waiting})
				require.NoError(t, err)
				if known, ok := reached[row.To]; ok {
					require.Equal(t, known, sum, "%s from %v", row.Name, from)
				} else {
					reached[row.To], again = sum, true
				}
			}
		}
	}
	for state, way := range reached {
		require.Equal(t, way, state.Weight(), state)
	}
	// Refunded is where a refund of the last unit leads from the states that can be refunded. What
	// is back on sale is subtracted from its weight by line.
	require.NotContains(t, reached, stock.Refunded)
	for _, from := range stock.StepRefund.Transition().From {
		require.Equal(t, from.Weight(), stock.Refunded.Weight())
	}
	require.Equal(t, stock.StepRefund.Transition().From, stock.StepDiscard.Transition().From)
	require.Len(t, reached, 7)
}

func TestNoStateIsLeftForGoodBehindADeadline(t *testing.T) {
	t.Parallel()
	for _, row := range stock.Transitions() {
		if row.When == stock.Anytime {
			continue
		}
		require.Equal(t, []stock.State{stock.Locked}, row.From, "only a locked hold has a deadline: %s", row.Name)
		require.Equal(t, row.When == stock.Dead, row.Step == stock.StepExpire)
	}
	for _, row := range stock.Transitions() { // what is over stays over, but for a late payment and for goods that come back later
		if row.Step == stock.StepArchive {
			continue
		}
		require.False(t, slices.Contains(row.From, stock.Cancelled), row.Name)
		require.Equal(t, row.Step == stock.StepPutBack, slices.Contains(row.From, stock.Refunded), row.Name)
		require.Equal(t, row.Step == stock.StepReacquire, slices.Contains(row.From, stock.Expired), row.Name)
	}
}

func TestQuantitiesPlus(t *testing.T) {
	t.Parallel()
	for _, at := range []func(q *stock.Quantities) *int64{
		func(q *stock.Quantities) *int64 { return &q.Total },
		func(q *stock.Quantities) *int64 { return &q.Sold },
		func(q *stock.Quantities) *int64 { return &q.Locked },
		func(q *stock.Quantities) *int64 { return &q.Left },
		func(q *stock.Quantities) *int64 { return &q.Refunded },
		func(q *stock.Quantities) *int64 { return &q.Waiting },
		func(q *stock.Quantities) *int64 { return &q.Backordered },
	} {
		var q, d stock.Quantities
		*at(&q), *at(&d) = math.MaxInt64-1, 1
		sum, err := q.Plus(d)
		require.NoError(t, err)
		require.Equal(t, int64(math.MaxInt64), *at(&sum))
		_, err = sum.Plus(d)
		require.ErrorIs(t, err, stock.ErrOverflow)
		*at(&q), *at(&d) = math.MinInt64+1, -1
		sum, err = q.Plus(d)
		require.NoError(t, err)
		require.Equal(t, int64(math.MinInt64), *at(&sum))
		*at(&q) = math.MinInt64
		_, err = q.Plus(d)
		require.ErrorIs(t, err, stock.ErrOverflow)
		_, err = d.Plus(q)
		require.ErrorIs(t, err, stock.ErrOverflow)
	}
}

// Stores keep what is owed and what is there in one counter.
func TestQuantitiesPlusCountsWhatIsOwedWithTheTotal(t *testing.T) {
	t.Parallel()
	q := stock.Quantities{Total: math.MaxInt64 - 3, Left: math.MaxInt64 - 3}
	q, err := q.Plus(stock.Quantities{Locked: 3, Backordered: 3})
	require.NoError(t, err)
	_, err = q.Plus(stock.Quantities{Locked: 1, Backordered: 1})
	require.ErrorIs(t, err, stock.ErrOverflow)
	_, err = q.Plus(stock.StepRestock.Transition().Delta)
	require.ErrorIs(t, err, stock.ErrOverflow)
}

// An item has free units that are there and promised to nobody. A Lock leaves the reserve, and may go beyond what is there.
func TestItemWithReserveAndBackorder(t *testing.T) {
	t.Parallel()
	const most = math.MaxInt64
	for _, c := range []struct {
		left, locked, back, reserve, backorder int64
		available, ofFive, coverable           int64
	}{
		{left: 10, locked: 4, available: 6},
		{left: 10, locked: 4, reserve: 2, available: 4, ofFive: 1},
		{left: 10, locked: 4, reserve: 6, available: 0, ofFive: 5},
		{left: 10, locked: 4, reserve: 9, available: 0, ofFive: 5},
		{left: 10, locked: 4, backorder: 3, available: 9},
		{left: 10, locked: 4, reserve: 8, backorder: 3, available: 1, ofFive: 5},
		{left: -2, locked: 1, back: 3, backorder: 5, available: 2, ofFive: 5},
		{left: -2, locked: 1, back: 3, backorder: 2, available: 0, ofFive: 5}, // its terms have changed
		{left: 0, locked: 1, back: 3, backorder: 5, available: 4, ofFive: 5, coverable: 2},
		{left: 2, locked: 1, back: 3, reserve: 2, available: 0, ofFive: 5, coverable: 2},
		{left: 9, locked: 1, back: 3, available: 8, coverable: 3},
		{left: 9, locked: 1, backorder: most, available: most},
		{left: -9, back: 9, backorder: most, available: most - 9, ofFive: 5},
		{left: -9, back: 9, reserve: most, backorder: 0, available: 0, ofFive: 5},
	} {
		item := stock.Item{
			Terms:      stock.Terms{Reserve: c.reserve, Backorder: c.backorder},
			Quantities: stock.Quantities{Left: c.left, Locked: c.locked, Backordered: c.back},
		}
		require.Equal(t, [3]int64{c.available, c.ofFive, c.coverable}, [3]int64{item.Available(), item.Backorders(5), item.Coverable()}, "%+v", c)
	}
	unlimited := stock.Item{Terms: stock.Terms{Unlimited: true}, Quantities: stock.Quantities{Sold: 4, Backordered: 2}}
	require.Equal(t, [3]int64{most - 4, 0, 2}, [3]int64{unlimited.Available(), unlimited.Backorders(5), unlimited.Coverable()})
}

func TestQuantitiesValid(t *testing.T) {
	t.Parallel()
	limited, unlimited := stock.Terms{}, stock.Terms{Unlimited: true}
	for _, c := range []struct {
		q         stock.Quantities
		limited   bool
		unlimited bool
	}{
		{stock.Quantities{}, true, true},
		{stock.Quantities{Total: 10, Sold: 4, Locked: 6, Left: 6, Refunded: 99}, true, false},
		{stock.Quantities{Total: 10, Sold: 4, Locked: 7, Left: 6}, false, false},
		{stock.Quantities{Total: 10, Sold: 4, Left: 5}, false, false},
		{stock.Quantities{Total: 10, Sold: 11, Left: -1}, false, false},
		{stock.Quantities{Total: 10, Locked: -1, Left: 10}, false, false},
		{stock.Quantities{Total: 10, Left: 10, Refunded: -1}, false, false},
		{stock.Quantities{Sold: 4, Locked: 7, Refunded: 1}, false, true},
		{stock.Quantities{Left: 5}, false, false},
		{stock.Quantities{Total: 5}, false, false},
		{stock.Quantities{Sold: math.MaxInt64}, false, true},
		{stock.Quantities{Sold: math.MaxInt64, Locked: 1}, false, false},
		{stock.Quantities{Total: math.MaxInt64, Locked: math.MaxInt64, Left: math.MaxInt64}, true, false},
		{stock.Quantities{Total: 10, Sold: 12, Locked: 3, Left: -2, Backordered: 5}, true, false},
		{stock.Quantities{Total: 10, Sold: 12, Locked: 3, Left: -2, Backordered: 4}, false, false},
		{stock.Quantities{Total: 10, Left: 10, Backordered: -1}, false, false},
		{stock.Quantities{Sold: 4, Backordered: 2}, false, true},
		{stock.Quantities{Total: math.MinInt64, Sold: 1, Left: math.MaxInt64}, false, false},
	} {
		require.Equal(t, c.limited, c.q.Valid(limited), "limited %+v", c.q)
		require.Equal(t, c.unlimited, c.q.Valid(unlimited), "unlimited %+v", c.q)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "SKU 42", stock.Key{SKU: 42}.String())
	require.Equal(t, "SKU 42 of activity 7", stock.Key{SKU: 42, Activity: 7}.String())
	require.Equal(t, "paid", stock.Paid.String())
	require.Equal(t, "waiting archived state 9", stock.Waiting.String()+" "+stock.Archived.String()+" "+stock.State(9).String())
	require.Equal(t, "refused done exists", stock.Refused.String()+" "+stock.Done.String()+" "+stock.Exists.String())
	require.Equal(t, "transfer", stock.KindTransfer.String())
	require.Equal(t, "refund", stock.KindRefund.String())
	require.Equal(t, "unknown", stock.Kind(200).String())
	drift := stock.Drift{Key: stock.Key{SKU: 42}, Quantity: "locked", Counted: 5, Recount: 2}
	require.Equal(t, "SKU 42: locked is 5, should be 2 (+3)", drift.String())
	drift.Buyer, drift.Counted = "9", 1
	require.Equal(t, "SKU 42, buyer \"9\": locked is 1, should be 2 (-1)", drift.String())
}

// TestSerialFits keeps the longest number that the library gives to a change of its own within
// what a caller's may have.
func TestSerialFits(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(stock.Key{SKU: math.MaxInt64, Activity: math.MaxInt64}.Serial(math.MaxInt64)), 64)
}

func TestKeyCompare(t *testing.T) {
	t.Parallel()
	sorted := []stock.Key{{}, {SKU: 1}, {SKU: 1, Activity: 1}, {SKU: 1, Activity: 2}, {SKU: 2}, {SKU: math.MaxInt64}}
	for i, a := range sorted {
		for j, b := range sorted {
			require.Equal(t, min(max(i-j, -1), 1), a.Compare(b), "%v, %v", a, b)
		}
	}
}
