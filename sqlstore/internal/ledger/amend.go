package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// amendCall is an Amend as it waits for its batch.
type amendCall struct {
	record stock.AmendRecord
	Cargo
}

// rows returns the rows of a call.
func (c amendCall) rows() callRows {
	r := callRows{order: c.record.From.Order, buyer: c.record.To.Buyer}
	for _, e := range c.record.Entries {
		r.keys = append(r.keys, e.Key)
	}
	return r
}

// gives returns the items of which it makes units available.
func (c amendCall) gives() (keys []stock.Key) {
	for _, e := range c.record.Entries {
		if e.Delta.Available() > 0 {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// pays reports whether the order is paid by it.
func (c amendCall) pays() bool {
	return c.record.From.State == stock.Locked && c.record.To.State == stock.Paid
}

// Amend implements stock.Store. An order that gets another number goes by itself, since its row moves to another place.
func (s *Store) Amend(ctx context.Context, record stock.AmendRecord, beside ...stock.Companion) (stock.MoveResult, error) {
	if err := s.Ready(beside...); err != nil {
		return stock.MoveResult{}, err
	}
	call := amendCall{record: record, Cargo: s.cargo(beside)}
	if gives := call.gives(); len(gives) > 0 {
		defer s.Freed(gives...) // also where the answer to the COMMIT is lost
	}
	if s.batchers == nil {
		return s.amend(ctx, call)
	}
	do := func() (stock.MoveResult, error) { return s.batchers.amends.Do(ctx, struct{}{}, call) }
	if record.From.Order != record.To.Order {
		do = func() (stock.MoveResult, error) { return s.amendSingle(ctx, struct{}{}, call) }
	}
	result, err := do()
	return unstuck(ctx, s, result, err, do)
}

// amendSingle makes one amendment by itself, and is told where it is stuck.
func (s *Store) amendSingle(ctx context.Context, _ struct{}, call amendCall) (stock.MoveResult, error) {
	return single(ctx, s, call.rows(), func(s *Store) (stock.MoveResult, error) { return s.amend(ctx, call) })
}

// amend makes one amendment by itself. In a transaction of the store's own, the guarded UPDATE of its hold comes first, and locks it.
// In the caller's, what is refused must not have changed anything: the hold is only locked, and changed once nothing refuses.
func (s *Store) amend(ctx context.Context, call amendCall) (stock.MoveResult, error) {
	s = s.withRows(call.Rows)
	b := newAmendments(s, []amendCall{call})
	kept, err := s.WithHandover(ctx, s.changeBeside(call.Beside), func(q mysql.Tx, h *Handover) (bool, error) {
		b = newAmendments(s, []amendCall{call})
		return b.make(ctx, s.watched(q), h, !s.Bound())
	})
	verdict, err := ExistsOnDuplicate(DoneIf(kept), err)
	return stock.MoveResult{Verdict: verdict, Beside: b.calls[0].Kept, Lines: b.lines[0]}, err
}

// amendBatch makes amendments in as few transactions as they allow. Those of one order, or with one number, go alone but for the first.
func (s *Store) amendBatch(ctx context.Context, _ struct{}, calls []amendCall) ([]batch.Reply[stock.MoveResult], error) {
	replies := make([]batch.Reply[stock.MoveResult], len(calls))
	t := tries{
		tried: func() { s.Bounds.Tried(len(calls)) },
		stuck: stuckAmong(ctx, s, calls, amendCall.rows),
		try: func(in []int, _ bool) ([]error, error) {
			b, err := s.amendMany(ctx, pick(calls, in))
			for n, i := range in {
				if err == nil && b.why[n] == nil {
					replies[i].Answer = stock.MoveResult{Verdict: stock.Done, Beside: b.calls[n].Kept, Lines: b.lines[n]}
				}
			}
			return b.why, err
		},
		leave: leaveIn(replies, batch.Reply[stock.MoveResult]{}, stock.MoveResult{Verdict: stock.Exists}),
	}
	firsts := firstOfEach(calls, replies, func(c amendCall) []string {
		return []string{"order " + c.record.From.Order, "number " + c.record.ID}
	})
	t.run(firsts, true)
	return replies, nil
}

// amendMany makes amendments in one transaction, those that their holds and items allow. What a call carries must not be kept where it
// is not made: such calls are refused, and none is made.
func (s *Store) amendMany(ctx context.Context, calls []amendCall) (b *amendments, err error) {
	b = newAmendments(s, calls) // of a transaction that cannot begin
	_, err = s.WithHandover(ctx, s.Atomically, func(q mysql.Tx, h *Handover) (bool, error) {
		b = newAmendments(s, slices.Clone(calls))
		q = s.watched(q)
		if err := beforeTry(ctx, s, q, calls); err != nil {
			return false, err
		}
		made, err := b.make(ctx, q, h, false)
		if mysql.Number(err) == mysql.ErrDuplicate {
			err = errKnown
		}
		return made, err
	})
	return b, err
}

// amendments are amendments within a transaction.
type amendments struct {
	*Store

	calls []amendCall
	in    []int              // those that are still made, in the order of arrival
	why   []error            // of each call; nil where it is made
	lines [][]stock.HoldLine // of each call that is made: those that its order has then
}

func newAmendments(s *Store, calls []amendCall) *amendments {
	return &amendments{
		Store: s, calls: calls, in: numbers(len(calls)), why: make([]error, len(calls)), lines: make([][]stock.HoldLine, len(calls)),
	}
}

// renames reports whether it is of an order that gets another number.
func (b *amendments) renames() bool {
	return b.calls[0].record.From.Order != b.calls[0].record.To.Order
}

// make makes them: the holds, the records, the buyers, and the items last, each sorted by key. At once changes the holds before it
// asks the items, so that these are locked as briefly as possible; whatever refuses then undoes the transaction. It reports whether any
// is made.
func (b *amendments) make(ctx context.Context, q mysql.Tx, h *Handover, atOnce bool) (bool, error) {
	var err error
	if atOnce {
		if err = b.write(ctx, q, true); err == nil {
			err = b.record(ctx, q)
		}
	} else {
		err = b.lock(ctx, q)
	}
	if err != nil || len(b.in) == 0 {
		return false, err
	}
	if err := h.Lock(ctx, q); err != nil {
		return false, err
	}
	t := NewTally()
	if err := b.judge(ctx, q, t); err != nil || len(b.in) == 0 {
		return false, err
	}
	if !atOnce {
		if err := b.record(ctx, q); err != nil {
			return false, err
		}
		if err := b.write(ctx, q, false); err != nil || len(b.in) == 0 {
			return false, err
		}
	}
	if err := t.Apply(ctx, q, h); err != nil {
		return false, err
	}
	if err := b.backorder(ctx, q); err != nil {
		return false, err
	}
	if err := b.tell(ctx, q); err != nil {
		return false, err
	}
	return h.Finish(ctx, q, t.Freed(), b.toldAmendments())
}

// toldAmendments returns what the amendments have to tell. An order that only gets another number has lost nothing.
func (b *amendments) toldAmendments() *Told {
	t := b.told()
	for _, i := range b.in {
		c := b.calls[i]
		t.change(c.record.Change)
		if c.pays() {
			t.pay(c.record.To)
		}
	}
	return t
}

// leave leaves a call out.
func (b *amendments) leave(refused func(i int) error) error {
	b.in = slices.DeleteFunc(b.in, func(i int) bool {
		b.why[i] = refused(i)
		return b.why[i] != nil
	})
	if len(b.calls) == 1 {
		return nil // it is undone as a whole
	}
	carry := make([]error, len(b.calls))
	for i, c := range b.calls {
		if c.any() {
			carry[i] = b.why[i]
		}
	}
	return mysql.RefuseEach(carry)
}

// records returns what is made.
func (b *amendments) records() []stock.AmendRecord {
	records := make([]stock.AmendRecord, len(b.in))
	for n, i := range b.in {
		records[n] = b.calls[i].record
	}
	return records
}

// lock locks the holds, and leaves out the calls whose holds are no longer as they were read.
func (b *amendments) lock(ctx context.Context, q mysql.Tx) error {
	keys, at, left := lineKeys{}, map[string]int{}, make([]int, len(b.calls))
	for i, c := range b.calls {
		keys.addSpan(c.record.From.Order, 1, len(c.record.From.Lines))
		at[c.record.From.Order], left[i] = i, len(c.record.From.Lines)
	}
	if keys.rows() > maxLines && len(b.calls) > 1 {
		return errManyLines
	}
	err := mysql.Read(ctx, q, b.SQL.lockAmended(keys), func(rows *sql.Rows) error {
		var order string
		var no int
		var state stock.State
		var fence, refunded, back int64
		var live bool
		if err := rows.Scan(&order, &no, &state, &fence, &refunded, &back, &live); err != nil {
			return err
		}
		i, ok := at[order]
		if was := b.calls[i].record.From; ok && live && state == was.State && fence == was.Fence &&
			refunded == was.Lines[no-1].Refunded && back == was.Lines[no-1].Backordered {
			left[i]--
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.leave(func(i int) error {
		if left[i] > 0 {
			return errRefused
		}
		return nil
	})
}

// write changes the holds, live ones only where they are not locked yet.
func (b *amendments) write(ctx context.Context, q mysql.Tx, live bool) error {
	records := b.records()
	slices.SortFunc(records, func(a, b stock.AmendRecord) int { return strings.Compare(a.From.Order, b.From.Order) })
	text, rows := b.SQL.amendHolds(records, live)
	changed, err := mysql.Affected(q.ExecContext(ctx, text))
	switch {
	case mysql.Number(err) == mysql.ErrDuplicate, // the new number is that of another order
		err == nil && changed != rows && live:
		return b.leave(func(int) error { return errRefused })
	case err != nil:
		return err
	case changed != rows:
		return mysql.Missing(nil)
	}
	if add := b.SQL.addLines(records); add != "" {
		if _, err := q.ExecContext(ctx, add); err != nil {
			return mysql.Unclaimed(err)
		}
	}
	if b.renames() { // by itself
		_, err = q.ExecContext(ctx, mysql.Render(b.SQL.CloseOrder, records[0].From.Order))
	}
	return err
}

// record claims their numbers.
func (b *amendments) record(ctx context.Context, q mysql.Tx) error {
	if len(b.in) == 0 {
		return nil
	}
	if len(b.in) == 1 {
		return b.Record(ctx, q, b.calls[b.in[0]].record.Change)
	}
	changes := make([]stock.Change, len(b.in))
	for n, i := range b.in {
		changes[n] = b.calls[i].record.Change
	}
	_, err := q.ExecContext(ctx, b.SQL.insertChanges(changes))
	return err
}

// judge locks what their buyers have, and their items, and leaves the calls out that these do not allow, in the order of arrival: no
// order can take what another one has. It adds up what the others do.
func (b *amendments) judge(ctx context.Context, q mysql.Tx, t *Tally) error {
	j, err := b.lockBuyersAndItems(ctx, q)
	if err != nil {
		return err
	}
	var broken error
	err = b.leave(func(i int) error {
		record := b.calls[i].record
		lines, sums, why := j.amend(record)
		if why != nil {
			if !errors.Is(why, errRefused) && len(b.calls) == 1 {
				broken = why
			}
			return why
		}
		b.lines[i] = lines
		for n, e := range record.Entries {
			if !t.add(sums[n], buyerKey{Key: e.Key}, stock.Usage{}) {
				return fault.ErrOverflow
			}
		}
		for _, e := range record.Buyers {
			key := buyerKey{e.Key, e.Buyer}
			t.buyers[key] = plusUsage(t.buyers[key], usageOfEntry(e))
		}
		return nil
	})
	return errors.Join(broken, err)
}

// lockBuyersAndItems locks what the buyers have, and the items, both in the order of their keys.
func (b *amendments) lockBuyersAndItems(ctx context.Context, q mysql.Tx) (*judgement, error) {
	var gets, buyers []buyerKey
	var keys []stock.Key
	for _, r := range b.records() {
		for _, e := range r.Entries {
			if e.Delta != (stock.Quantities{}) || len(r.Buyers) > 0 {
				keys = append(keys, e.Key)
			}
		}
		for _, e := range r.Buyers {
			if buyers = append(buyers, buyerKey{e.Key, e.Buyer}); e.Buyer != r.From.Buyer || lineOf(r.From, e.Key) == 0 { // who may have none
				gets = append(gets, buyerKey{e.Key, e.Buyer})
			}
		}
	}
	j := &judgement{items: map[stock.Key]stock.Item{}, usages: map[buyerKey]stock.Usage{}}
	if err := b.stayingBuyers(ctx, q, unique(gets, buyerKey.compare)); err != nil {
		return nil, err
	}
	if err := j.lockBuyers(ctx, q, b.SQL, unique(buyers, buyerKey.compare)); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(unique(keys, stock.Key.Compare), mysql.MaxList) {
		entries, scan := scanLooks(part)
		err := mysql.Read(ctx, q, b.SQL.lookAtItems(part, false)+" FOR UPDATE", func(rows *sql.Rows) error {
			_, err := scan(rows)
			return err
		})
		if err != nil {
			return nil, err
		}
		for key, e := range entries {
			j.items[key], j.at = e.Item, e.now
		}
	}
	return j, nil
}

// unique sorts keys, and returns each once.
func unique[K comparable](keys []K, compare func(a, b K) int) []K {
	slices.SortFunc(keys, compare)
	return slices.Compact(keys)
}

// usageOfEntry is what an entry adds to what a buyer has.
func usageOfEntry(e stock.Entry) stock.Usage {
	return stock.Usage{Held: e.Delta.Locked, Bought: e.Delta.Sold, Holds: e.Holds}
}

// amend takes an amendment, and returns the lines that the order has then and what its entries add to the items, or why not. The items
// of an order differ, and so do its buyers.
func (j *judgement) amend(record stock.AmendRecord) (lines []stock.HoldLine, sums []stock.Quantities, why error) {
	items, usages := make([]stock.Item, len(record.Entries)), make([]stock.Usage, len(record.Buyers))
	lines, sums = slices.Clone(record.To.Lines), make([]stock.Quantities, len(record.Entries))
	for i, e := range record.Entries {
		is := j.items[e.Key] // not locked where it stays as it is
		is.Key = e.Key
		if record.Refuses(stock.ItemUsage{Item: is, Usage: j.usages[buyerKey{e.Key, record.To.Buyer}]}, j.at) != nil {
			return nil, nil, errRefused
		}
		sums[i] = e.Delta
		if no := lineOf(record.To, e.Key); no > 0 {
			lines[no-1].Backordered += is.Backorders(max(0, -e.Delta.Available()))
			sums[i].Backordered = lines[no-1].Backordered
		}
		if no := lineOf(record.From, e.Key); no > 0 {
			sums[i].Backordered -= record.From.Lines[no-1].Backordered
		}
		counters, err := is.Plus(sums[i].For(is.Terms))
		if err != nil {
			return nil, nil, err
		}
		if !counters.Valid(is.Terms) {
			return nil, nil, miscounted(e.Key, record.From.Order)
		}
		items[i] = is
		items[i].Quantities = counters
	}
	for i, e := range record.Buyers {
		usages[i] = plusUsage(j.usages[buyerKey{e.Key, e.Buyer}], usageOfEntry(e))
		if min(usages[i].Held, usages[i].Bought, usages[i].Holds) < 0 {
			return nil, nil, miscounted(e.Key, record.From.Order)
		}
	}
	for i, e := range record.Entries {
		j.items[e.Key] = items[i]
	}
	for i, e := range record.Buyers {
		j.usages[buyerKey{e.Key, e.Buyer}] = usages[i]
	}
	return lines, sums, nil
}

// tell tells the companions of the orders that are paid, and of units that are back on sale though they were sold, as of a refund.
func (b *amendments) tell(ctx context.Context, q mysql.Tx) error {
	var paid []int
	var moves []MoveCall
	var backs []RefundCall
	for _, i := range b.in {
		c := b.calls[i]
		if c.pays() {
			paid = append(paid, i)
			moves = append(moves, MoveCall{Order: c.record.To.Order, Cargo: c.Cargo})
		}
		back := stock.RefundRecord{Refund: stock.Refund{ID: c.record.ID, Order: c.record.To.Order, Restock: true}}
		for _, e := range c.record.Entries {
			if e.Delta.Left > 0 {
				back.Lines = append(back.Lines, stock.Line{SKU: e.SKU, Activity: e.Activity, Num: e.Delta.Left})
			}
		}
		if len(back.Lines) > 0 {
			backs = append(backs, RefundCall{Refund: back, Hold: c.record.To})
		}
	}
	if len(moves) > 0 {
		err := b.Companions.Moved(ctx, q, stock.StepPay.Transition(), moves)
		for n, i := range paid {
			b.calls[i].Kept = moves[n].Kept
		}
		if err != nil {
			return namedOf(err, len(b.calls), paid)
		}
	}
	if len(backs) == 0 {
		return nil
	}
	return b.Companions.Refunded(ctx, q, backs)
}
