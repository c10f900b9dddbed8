package ledger

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// buyerUsage is what a batch adds to what one buyer has of one item.
type buyerUsage struct {
	buyerKey
	stock.Usage
}

// usagesOf adds up what some Locks add to their buyers, in the order of the primary key.
func usagesOf(calls []LockCall) (usages []buyerUsage) {
	for _, c := range calls {
		if c.Order.Buyer == "" {
			continue
		}
		for _, l := range c.Order.Lines {
			usages = append(usages, buyerUsage{buyerKey{l.Key(), c.Order.Buyer}, usageOf(c.transition().Delta, l.Num)})
		}
	}
	slices.SortFunc(usages, func(a, b buyerUsage) int { return a.compare(b.buyerKey) })
	merged := usages[:0]
	for _, u := range usages {
		if n := len(merged); n > 0 && merged[n-1].buyerKey == u.buyerKey {
			merged[n-1].Usage = plusUsage(merged[n-1].Usage, u.Usage) // their sum was checked
			continue
		}
		merged = append(merged, u)
	}
	return merged
}

// buyersOfCalls returns the keys of usagesOf.
func buyersOfCalls(calls []LockCall) (keys []buyerKey) {
	for _, u := range usagesOf(calls) {
		keys = append(keys, u.buyerKey)
	}
	return keys
}

// itemSum is what some Locks take of one item.
type itemSum struct {
	stock.Key
	num       int64 // together
	most      int64 // of one order
	anonymous bool  // one of them names no buyer
	yields    bool  // one of them must not pass those who wait
}

// sumsOf adds up what some Locks take of their items, in the order of the primary key. It reports whether the sums are in
// range.
func sumsOf(calls []LockCall) ([]itemSum, bool) {
	var sums []itemSum
	at := make(map[stock.Key]int, 1)
	for _, c := range calls {
		for _, l := range c.Order.Lines {
			key := l.Key()
			i, ok := at[key]
			if !ok {
				i = len(sums)
				at[key], sums = i, append(sums, itemSum{Key: key})
			}
			sum := &sums[i]
			if sum.num, ok = input.Add(sum.num, l.Num); !ok {
				return nil, false
			}
			sum.most, sum.anonymous = max(sum.most, l.Num), sum.anonymous || c.Order.Buyer == ""
			sum.yields = sum.yields || !c.Order.PassWaiting
		}
	}
	slices.SortFunc(sums, func(a, b itemSum) int { return a.Compare(b.Key) })
	return sums, true
}
