package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// MovedHolds are the holds of a batch of steps: locked, then moved and added up.
type MovedHolds struct {
	*Tally

	holds map[string]*lockedHold // by order
	at    time.Time              // the moment at which the guard let them through
}

// lockedHold is the hold of an order that is locked.
type lockedHold struct {
	buyer string
	lines []stock.Line
	backs []int64 // of each line, the units that have not come yet
}

// delta is what a step does to the item of its i-th line.
func (h *lockedHold) delta(t stock.Transition, i int) stock.Quantities {
	d := t.Delta.Times(h.lines[i].Num)
	switch {
	case t.Draws():
		d.Backordered = h.backs[i]
	case forgets(t):
		d.Backordered = -h.backs[i]
	}
	return d
}

// keys returns its items.
func (h *lockedHold) keys() []stock.Key {
	keys := make([]stock.Key, len(h.lines))
	for i, l := range h.lines {
		keys[i] = l.Key()
	}
	return keys
}

// NewMovedHolds returns holds that add up to what a tally has.
func NewMovedHolds(t *Tally) *MovedHolds {
	return &MovedHolds{Tally: t, holds: map[string]*lockedHold{}}
}

// Move moves the wanted orders that allow the step, and adds up what their units do.
func (m *MovedHolds) Move(
	ctx context.Context, q mysql.Tx, statements *Statements, step stock.Step, orders []string, wanted func(order string, fence int64) bool,
) error {
	many, t := statements.Many[step], step.Transition()
	first := func(scan func(*sql.Rows) error) error {
		return mysql.Read(ctx, q, mysql.RenderList(many.lock, orders), scan)
	}
	if err := m.lock(ctx, q, statements, first, wanted); err != nil {
		return err
	}
	return m.move(ctx, q, many, t)
}

// lock locks the wanted orders that allow the step. From then on nothing can come between: the step has the time of
// the lock. The first line of an order stands for it, and tells how many there are: first locks and reads those.
func (m *MovedHolds) lock(
	ctx context.Context, q mysql.Tx, statements *Statements, first func(scan func(*sql.Rows) error) error,
	wanted func(order string, fence int64) bool,
) error {
	further, lines := lineKeys{}, int64(0)
	err := first(func(rows *sql.Rows) error {
		var order string
		var n int
		var l stock.Line
		var back, fence, clock int64
		hold := &lockedHold{}
		if err := rows.Scan(&order, &n, &l.SKU, &l.Activity, &l.Num, &back, &hold.buyer, &fence, &clock); err != nil {
			return err
		}
		m.at = mysql.FromMicros(clock)
		if !wanted(order, fence) {
			return nil
		}
		hold.lines, hold.backs = append(make([]stock.Line, 0, n), l), append(make([]int64, 0, n), back)
		m.holds[order] = hold
		if lines += int64(n); n > 1 {
			further.addSpan(order, 2, n)
		}
		return nil
	})
	switch {
	case err != nil || len(further) == 0:
		return err
	case lines > maxLines && len(m.holds) > 1:
		return errManyLines
	}
	rest := further.rows()
	err = mysql.Read(ctx, q, statements.lockLines(further), func(rows *sql.Rows) error {
		var order string
		var l stock.Line
		var back int64
		err := rows.Scan(&order, &l.SKU, &l.Activity, &l.Num, &back)
		if hold := m.holds[order]; hold != nil {
			hold.lines, hold.backs = append(hold.lines, l), append(hold.backs, back)
		}
		rest--
		return err
	})
	if err != nil || rest != 0 {
		return mysql.Missing(err)
	}
	return nil
}

// move moves what is locked, and adds up what that does.
func (m *MovedHolds) move(ctx context.Context, q mysql.Tx, many moveManySQL, t stock.Transition) error {
	if len(m.holds) == 0 {
		return nil
	}
	keys := lineKeys{}
	for _, order := range slices.Sorted(maps.Keys(m.holds)) {
		hold := m.holds[order]
		keys.addSpan(order, 1, len(hold.lines))
		for i, l := range hold.lines {
			if !m.add(hold.delta(t, i), buyerKey{l.Key(), hold.buyer}, usageOf(t.Delta, l.Num)) {
				return fault.ErrOverflow
			}
		}
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, many.Moved(m.at, keys)))
	if err != nil || rows != keys.rows() {
		return mysql.Missing(err)
	}
	return nil
}

// judge locks the buyers' rows and the items of the holds, both in the order of their keys. Then it leaves the holds
// out whose step these do not allow, in the order of arrival, and returns why. This is the guard of a step that draws:
// no order can take what another one of its batch has, and none is refused for what it does not lack. It also finds
// the order whose books have drifted.
func (m *MovedHolds) judge(
	ctx context.Context, q mysql.Tx, statements *Statements, t stock.Transition, arrived []string,
) (map[string]error, error) {
	why := map[string]error{}
	if t.Delta == (stock.Quantities{}) || len(m.holds) == 0 {
		return why, nil
	}
	keys, buyers := map[stock.Key]bool{}, map[buyerKey]bool{}
	for _, hold := range m.holds {
		for _, l := range hold.lines {
			if keys[l.Key()] = true; hold.buyer != "" {
				buyers[buyerKey{l.Key(), hold.buyer}] = true
			}
		}
	}
	j := judgement{t: t, at: m.at, items: map[stock.Key]stock.Item{}, usages: map[buyerKey]stock.Usage{}}
	if err := j.lockBuyers(ctx, q, statements, slices.SortedFunc(maps.Keys(buyers), buyerKey.compare)); err != nil {
		return nil, err
	}
	if err := j.lockItems(ctx, q, statements, slices.SortedFunc(maps.Keys(keys), stock.Key.Compare)); err != nil {
		return nil, err
	}
	for _, order := range arrived {
		hold := m.holds[order]
		if hold == nil {
			continue
		}
		if err := j.allow(order, hold); err != nil {
			why[order] = err
			delete(m.holds, order)
		}
	}
	return why, nil
}

// judgeEach is judge with the reasons of the orders, in their order.
func (m *MovedHolds) judgeEach(
	ctx context.Context, q mysql.Tx, statements *Statements, t stock.Transition, orders []string,
) ([]error, error) {
	refused, err := m.judge(ctx, q, statements, t, orders)
	why := make([]error, len(orders))
	for i, order := range orders {
		why[i] = refused[order]
	}
	return why, err
}

// judgement is what locked items and buyers have, less what the orders take that were allowed.
type judgement struct {
	t      stock.Transition
	at     time.Time
	items  map[stock.Key]stock.Item
	usages map[buyerKey]stock.Usage
}

func (j *judgement) lockBuyers(ctx context.Context, q mysql.Tx, statements *Statements, buyers []buyerKey) error {
	for part := range slices.Chunk(buyers, mysql.MaxList) {
		if err := mysql.Read(ctx, q, statements.lockBuyers(part), scanUsages(j.usages)); err != nil {
			return err
		}
	}
	return nil
}

func (j *judgement) lockItems(ctx context.Context, q mysql.Tx, statements *Statements, keys []stock.Key) error {
	for part := range slices.Chunk(keys, mysql.MaxList) {
		err := mysql.Read(ctx, q, statements.lockItemRows(part), func(rows *sql.Rows) error {
			var row itemRow
			err := rows.Scan(row.targets()...)
			item := row.finish()
			j.items[item.Key] = item
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// miscounted is an item, or a buyer of it, that does not count what an order holds.
func miscounted(key stock.Key, order string) error {
	return fmt.Errorf("%w: %v or its buyer does not count what order %q holds", fault.ErrDrift, key, order)
}

// allow takes the step of an order, or returns why not. The items of an order differ.
func (j *judgement) allow(order string, hold *lockedHold) error {
	after := make([]stock.ItemUsage, len(hold.lines))
	for i, l := range hold.lines {
		key := buyerKey{l.Key(), hold.buyer}
		usage, known := j.usages[key]
		is := stock.ItemUsage{Item: j.items[l.Key()], Usage: usage}
		if j.t.Draws() {
			if is.Refuses(j.t.Step, l, hold.buyer, j.at) != nil {
				return errRefused
			}
			hold.backs[i] = is.Backorders(l.Num)
		}
		counters, err := is.Plus(hold.delta(j.t, i).For(is.Terms))
		if err != nil {
			return err
		}
		is.Quantities, is.Usage = counters, plusUsage(usage, usageOf(j.t.Delta, l.Num))
		if is.Version == 0 || !counters.Valid(is.Terms) || hold.buyer != "" && (!known || min(is.Held, is.Bought, is.Holds) < 0) {
			return miscounted(l.Key(), order)
		}
		after[i] = is
	}
	for i, l := range hold.lines {
		j.items[l.Key()] = after[i].Item
		if hold.buyer != "" {
			j.usages[buyerKey{l.Key(), hold.buyer}] = after[i].Usage
		}
	}
	return nil
}
