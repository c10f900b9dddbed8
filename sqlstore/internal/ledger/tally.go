package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// buyerKey is what one buyer has of one item.
type buyerKey struct {
	stock.Key
	buyer string
}

// compare orders them as the primary key does.
func (a buyerKey) compare(b buyerKey) int {
	return cmp.Or(a.Compare(b.Key), cmp.Compare(a.buyer, b.buyer))
}

// Tally adds up what the steps of many orders do to items and buyers, so that each row is changed
// once: a join of several holds to one row would change it for one of them.
type Tally struct {
	items  map[stock.Key]stock.Quantities
	buyers map[buyerKey]stock.Usage
	Locked map[stock.Key]bool // items whose rows Apply locks even if nothing of them changes
}

// NewTally returns a tally of nothing.
func NewTally() *Tally {
	return &Tally{items: map[stock.Key]stock.Quantities{}, buyers: map[buyerKey]stock.Usage{}, Locked: map[stock.Key]bool{}}
}

// add counts a change of an item, and what it does to what the buyer has. It reports
// whether the sums are still in range.
func (t *Tally) add(change stock.Quantities, key buyerKey, usage stock.Usage) bool {
	sum, err := t.items[key.Key].Plus(change)
	if err != nil {
		return false
	}
	t.items[key.Key] = sum
	if key.buyer == "" {
		return true
	}
	t.buyers[key] = plusUsage(t.buyers[key], usage) // a buyer has no more than the item has given
	return true
}

// Lock makes Apply lock the row of an item, whether or not it changes.
func (t *Tally) Lock(key stock.Key) {
	if _, ok := t.items[key]; !ok {
		t.items[key] = stock.Quantities{}
	}
	t.Locked[key] = true
}

// plusUsage adds up what a buyer has.
func plusUsage(a, b stock.Usage) stock.Usage {
	return stock.Usage{Held: a.Held + b.Held, Bought: a.Bought + b.Bought, Holds: a.Holds + b.Holds}
}

// usageOf is what a step of a hold does to what its buyer has: held follows locked, bought follows
// sold, and a hold is one whatever its units.
func usageOf(change stock.Quantities, num int64) stock.Usage {
	return stock.Usage{Held: change.Locked * num, Bought: change.Sold * num, Holds: change.Locked}
}

// keys returns the items in the order of their keys.
func (t *Tally) keys() []stock.Key { return slices.SortedFunc(maps.Keys(t.items), stock.Key.Compare) }

// Freed returns the items of which more is available by it, in the order of their keys.
func (t *Tally) Freed() []stock.Key {
	return slices.DeleteFunc(t.keys(), func(key stock.Key) bool { return t.items[key].Available() <= 0 })
}

// buyerGroup is buyers of one item with the same change: mostly all of a batch, who buy one unit each.
type buyerGroup struct {
	stock.Key
	stock.Usage
	buyers []string
}

// buyerGroups returns the buyers in the order of the primary key, but for groups of one item, which follow each other.
func (t *Tally) buyerGroups() []*buyerGroup {
	var groups []*buyerGroup
	first := 0 // group of the item
	for _, key := range slices.SortedFunc(maps.Keys(t.buyers), buyerKey.compare) {
		usage := t.buyers[key]
		if len(groups) > 0 && groups[first].Key != key.Key {
			first = len(groups)
		}
		i := slices.IndexFunc(groups[first:], func(g *buyerGroup) bool { return g.Usage == usage })
		if i < 0 {
			groups = append(groups, &buyerGroup{Key: key.Key, Usage: usage})
			i = len(groups) - 1 - first
		}
		g := groups[first+i]
		g.buyers = append(g.buyers, key.buyer)
	}
	return groups
}

// fewGroups is up to how many groups of buyers have a statement each. A row that a statement brings along costs a server
// more than one that a list names.
const fewGroups = 4

// applyToBuyers changes the buyers' rows.
func (t *Tally) applyToBuyers(ctx context.Context, q mysql.Tx, statements *Statements) error {
	groups := t.buyerGroups()
	if len(groups) > fewGroups {
		keys := slices.SortedFunc(maps.Keys(t.buyers), buyerKey.compare)
		for part := range slices.Chunk(keys, mysql.MaxList) {
			rows, err := mysql.Affected(q.ExecContext(ctx, statements.tallyEachBuyer(part, t.buyers)))
			if err != nil || rows != int64(len(part)) {
				return mysql.Missing(err)
			}
		}
		return nil
	}
	for _, g := range groups {
		rows, err := mysql.Affected(q.ExecContext(ctx, statements.tallyBuyers(g)))
		if err != nil || rows != int64(len(g.buyers)) {
			return mysql.Missing(err)
		}
	}
	return nil
}

// Apply changes the buyers' rows first and the hot rows last, both in the order of their keys. If the books balance,
// the counters suffice; if not, a constraint refuses.
func (t *Tally) Apply(ctx context.Context, q mysql.Tx, h *Handover) error {
	maps.DeleteFunc(t.buyers, func(_ buyerKey, u stock.Usage) bool { return u == stock.Usage{} })
	maps.DeleteFunc(t.items, func(key stock.Key, change stock.Quantities) bool {
		return change == stock.Quantities{} && !t.Locked[key]
	})
	if err := t.applyToBuyers(ctx, q, h.SQL); err != nil {
		return err
	}
	if len(t.items) == 0 {
		return nil
	}
	rows, err := h.exec(ctx, q, h.SQL.tally(t.keys(), t.items))
	if err != nil || rows != int64(len(t.items)) {
		return mysql.Missing(err)
	}
	return nil
}
