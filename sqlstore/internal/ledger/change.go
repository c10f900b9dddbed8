package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Apply implements stock.Store.
func (s *Store) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.Refused, err
	}
	if change.Kind == stock.KindRepair { // of a sweep
		s = s.Plain()
	}
	defer s.Freed() // few, and of many items
	defer s.Mended()
	if s.batchers == nil {
		return s.apply(ctx, change, beside)
	}
	var rows callRows
	for _, e := range change.Entries {
		rows.keys = append(rows.keys, e.Key)
	}
	apply := func() (stock.Verdict, error) {
		return single(ctx, s, rows, func(s *Store) (stock.Verdict, error) { return s.apply(ctx, change, beside) })
	}
	verdict, err := apply()
	return unstuck(ctx, s, verdict, err, apply)
}

// apply applies a change by itself.
func (s *Store) apply(ctx context.Context, change stock.Change, beside []stock.Companion) (stock.Verdict, error) {
	var newest []lineAt
	short := change.Kind == stock.KindCount && change.Entries[0].Delta.Backordered > 0
	if short {
		var err error
		if newest, err = s.newestOf(ctx, change.Entries[0]); err != nil {
			return stock.Refused, err
		}
	}
	kept, err := s.WithHandover(ctx, s.changeBeside(beside), func(q mysql.Tx, h *Handover) (bool, error) {
		q = s.watched(q)
		if short {
			if ok, err := s.lack(ctx, q, change.Entries[0], newest); err != nil || !ok {
				return false, err
			}
		}
		if err := s.Record(ctx, q, change); err != nil {
			return false, err
		}
		if err := h.Lock(ctx, q); err != nil {
			return false, err
		}
		if ok, err := s.applyEntries(ctx, q, h, change); err != nil || !ok {
			return false, err
		}
		t := s.told()
		t.change(change)
		return h.Finish(ctx, q, freedBy(change), t)
	})
	if errors.Is(err, fault.ErrDrift) || errors.Is(err, fault.ErrOverflow) {
		return stock.Refused, nil // a constraint: the counters would not be valid
	}
	return ExistsOnDuplicate(DoneIf(kept), err)
}

// applyEntries adds what a change does to its buyers and items, and reports whether all of them let it. Buyers are locked before
// items, as by every call. Where the server splits, items are changed one by one: a statement for several of them, with others at
// each, would begin again until it gives up.
func (s *Store) applyEntries(ctx context.Context, q mysql.Tx, h *Handover, change stock.Change) (bool, error) {
	if moveOnly(change) {
		splits, err := s.SplitsIn(ctx, q)
		if err != nil {
			return false, err
		}
		if !splits {
			rows, err := h.exec(ctx, q, s.SQL.moveUnits(change.Entries))
			return rows == int64(len(change.Entries)), err
		}
	}
	if err := s.applyToBuyers(ctx, q, change.Entries); err != nil {
		return false, err
	}
	for _, e := range change.Entries {
		if e.Buyer == "" {
			rows, err := h.exec(ctx, q, s.SQL.applyToItem(change.Kind, e))
			if err != nil || rows == 0 {
				return false, err
			}
		}
	}
	return true, nil
}

// applyToBuyers adds the entries of buyers to what these have.
func (s *Store) applyToBuyers(ctx context.Context, q mysql.Tx, entries []stock.Entry) error {
	var buyers []buyerKey
	for _, e := range entries {
		if e.Buyer != "" {
			buyers = append(buyers, buyerKey{e.Key, e.Buyer})
		}
	}
	if err := s.stayingBuyers(ctx, q, buyers); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Buyer == "" {
			continue
		}
		_, err := q.ExecContext(ctx, mysql.Render(s.SQL.changeBuyer, e.Delta.Locked, e.Delta.Sold, e.Holds, e.SKU, e.Activity, e.Buyer))
		if err != nil {
			return err
		}
	}
	return nil
}

// Record writes changes into the journal, unless they have no ID. Several have an entry each, and one scope.
func (s *Store) Record(ctx context.Context, q mysql.Tx, changes ...stock.Change) error {
	if changes[0].ID == "" {
		return nil
	}
	return mysql.Insert(ctx, q, s.SQL.insertChanges(changes), s.SQL.deleteChanges(changes))
}

// moveOnly reports whether a change only adds given numbers of units to several items, or takes them away: one UPDATE does that.
func moveOnly(c stock.Change) bool {
	return len(c.Entries) > 1 && !slices.ContainsFunc(c.Entries, func(e stock.Entry) bool {
		return e.Buyer != "" || e.Exactly || e.Delta != stock.Quantities{Total: e.Delta.Left, Left: e.Delta.Left}
	})
}

// moveUnits renders the guarded UPDATE of all items of such a change. It affects as many rows as there are items, or is undone.
func (q *Statements) moveUnits(entries []stock.Entry) string {
	args := make([]any, 0, 3*len(entries))
	for _, e := range entries {
		args = append(args, e.SKU, e.Activity, e.Delta.Left)
	}
	return mysql.Render(q.moveUnitsText(len(entries)), args...)
}

func (q *Statements) moveUnitsText(items int) string {
	return mysql.Driven(items, "UPDATE "+q.itemsOf(items)+
		" SET s.STOCK_TOTAL_NUM = s.STOCK_TOTAL_NUM + l.NUM, s.STOCK_LEFT_NUM = s.STOCK_LEFT_NUM + l.NUM, "+asksWaiting+", s."+Touch+
		" WHERE s.UNLIMITED = 0 AND (l.NUM > 0 OR "+free+" >= -l.NUM)"+
		fmt.Sprintf(" AND s.STOCK_TOTAL_NUM <= %d - GREATEST(l.NUM, 0)", int64(math.MaxInt64)))
}
