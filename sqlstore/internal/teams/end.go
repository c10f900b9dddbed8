package teams

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// One transaction ends at most so many teams, and about so many of their seats.
const (
	endsAtOnce  = 300
	seatsAtOnce = 900
)

// End implements groupbuy.Store. One transaction ends some hundred teams.
func (g *Store) End(ctx context.Context, endings []groupbuy.TeamEnd) ([]stock.Verdict, error) {
	verdicts := make([]stock.Verdict, 0, len(endings))
	for part := range slices.Chunk(endings, endsAtOnce) {
		ended, err := g.endSome(ctx, part)
		for _, e := range part {
			verdicts = append(verdicts, ledger.DoneIf(ended[e.Code]))
		}
		if err != nil { // some may have been ended before it
			return verdicts, err
		}
	}
	return verdicts, nil
}

// endSome ends teams in transactions of about seatsAtOnce seats, and returns the codes of those that it ended.
func (g *Store) endSome(ctx context.Context, endings []groupbuy.TeamEnd) (map[string]bool, error) {
	ended := map[string]bool{}
	seats, err := g.liveSeats(ctx, endings)
	if err != nil {
		return nil, err
	}
	var part []groupbuy.TeamEnd
	var of []groupbuy.Seat
	for i, e := range endings {
		if len(seats[e.Code]) > 0 { // a team without any is over or does not exist
			part, of = append(part, e), append(of, seats[e.Code]...)
		}
		if len(of) < seatsAtOnce && i < len(endings)-1 {
			continue
		}
		done, err := g.endThese(ctx, part, of)
		for _, code := range done {
			ended[code] = true
		}
		if err != nil {
			return ended, err
		}
		part, of = nil, nil
	}
	return ended, nil
}

// liveSeats reads the live seats of teams, by team, since their holds must be locked before the teams. Each change of a
// seat changes the version of its team. Where the snapshot of the caller's transaction has another version than the one that is
// to be ended, the seats are read with a lock. It may have the version, but not all seats: see unitOfWork.whole.
func (g *Store) liveSeats(ctx context.Context, endings []groupbuy.TeamEnd) (map[string][]groupbuy.Seat, error) {
	seats, versions, err := liveSeatsOf(ctx, g.units.Query, mysql.RenderList(g.sql.liveSeats, codesOf(endings)))
	if err != nil || !g.units.Bound() {
		return seats, err
	}
	var others []string
	for _, e := range endings {
		if versions[e.Code] != e.Version {
			others = append(others, e.Code)
			delete(seats, e.Code)
		}
	}
	if len(others) > 0 {
		var now map[string][]groupbuy.Seat
		now, err = g.lockLiveSeats(ctx, others)
		maps.Copy(seats, now)
	}
	return seats, err
}

// lockLiveSeats reads the live seats of teams with a lock, by team, as they are now.
func (g *Store) lockLiveSeats(ctx context.Context, codes []string) (map[string][]groupbuy.Seat, error) {
	seats, _, err := liveSeatsOf(ctx, g.units.Query, mysql.RenderList(g.sql.liveSeats, codes)+" FOR UPDATE")
	return seats, err
}

// codesOf returns the codes of teams that end.
func codesOf(endings []groupbuy.TeamEnd) []string {
	codes := make([]string, len(endings))
	for i, e := range endings {
		codes[i] = e.Code
	}
	return codes
}

// liveSeatsOf reads live seats by team, and the versions of the teams.
func liveSeatsOf(ctx context.Context, by mysql.QueryFunc, query string) (map[string][]groupbuy.Seat, map[string]int64, error) {
	seats, versions := map[string][]groupbuy.Seat{}, map[string]int64{}
	err := by(ctx, query, func(rows *sql.Rows) error {
		var seat groupbuy.Seat
		var version int64
		err := rows.Scan(append(seatTargets(&seat), &version)...)
		seats[seat.Team] = append(seats[seat.Team], seat)
		versions[seat.Team] = version
		return err
	})
	return seats, versions, err
}

// endThese ends teams with these live seats in one transaction, and returns their codes. It leaves out teams that have
// changed since they were read, and starts over without them. In the caller's transaction the seats may be those of an older
// snapshot, which looks like a drift: then they are read with a lock, and it starts over with those.
func (g *Store) endThese(ctx context.Context, endings []groupbuy.TeamEnd, seats []groupbuy.Seat) ([]string, error) {
	for older := g.units.Bound(); len(endings) > 0; {
		e := endBatch{seatCompanions: g.companions(), endings: endings, ends: map[string]groupbuy.TeamEnd{}, seats: seats}
		for _, t := range endings {
			e.ends[t.Code] = t
		}
		kept, err := g.units.WithHandover(ctx, g.units.Alongside, func(q mysql.Tx, h *ledger.Handover) (bool, error) { return e.run(ctx, q, h) })
		g.units.Freed(e.keys()...) // also where the answer to the COMMIT is lost
		if older && errors.Is(err, stock.ErrDrift) {
			older = false
			now, err := g.lockLiveSeats(ctx, codesOf(endings))
			if err != nil {
				return nil, err
			}
			seats = slices.Concat(slices.Collect(maps.Values(now))...)
			continue
		}
		if err != nil {
			return nil, mysql.Reason(err)
		}
		if kept {
			return codesOf(endings), nil
		}
		endings = slices.DeleteFunc(slices.Clone(endings), func(t groupbuy.TeamEnd) bool { return e.stale[t.Code] })
		seats = slices.DeleteFunc(slices.Clone(seats), func(s groupbuy.Seat) bool { return e.stale[s.Team] })
		if len(e.stale) == 0 {
			return nil, mysql.Missing(nil)
		}
	}
	return nil, nil
}

// endBatch is one transaction that ends teams.
type endBatch struct {
	seatCompanions

	endings []groupbuy.TeamEnd
	ends    map[string]groupbuy.TeamEnd // the same, by their codes
	seats   []groupbuy.Seat             // live when they were read
	stale   map[string]bool             // teams that have changed since then
}

// keys returns the products of the teams.
func (e *endBatch) keys() []stock.Key {
	var keys []stock.Key
	for _, s := range e.seats {
		if !slices.Contains(keys, s.Key) {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// run moves the holds of the seats that leave, then locks the teams, checks that they are unchanged, and ends them.
func (e *endBatch) run(ctx context.Context, q mysql.Tx, h *ledger.Handover) (bool, error) {
	e.stale = map[string]bool{}
	t := ledger.NewTally()
	for _, key := range e.keys() {
		t.Lock(key)
	}
	moved, err := e.release(ctx, q, t)
	if err != nil {
		return false, err
	}
	refunds, err := e.refund(ctx, q, t)
	if err != nil {
		return false, err
	}
	if err := h.Lock(ctx, q); err != nil {
		return false, err
	}
	if err := t.Apply(ctx, q, h); err != nil {
		return false, err
	}
	k := e.begin(time.Time{})
	if err := k.lockTeams(ctx, q, codesOf(e.endings)); err != nil {
		return false, err
	}
	for _, ending := range e.endings {
		if team := k.team(ending.Code); team.Version != ending.Version || team.State != groupbuy.Forming {
			e.stale[ending.Code] = true
		}
	}
	if len(e.stale) > 0 {
		return false, nil
	}
	if e.units.Bound() {
		if whole, err := k.whole(ctx, q, e.seats, codesOf(e.endings)...); err != nil || !whole {
			return false, mysql.Missing(err)
		}
	}
	if err := e.end(ctx, q, k); err != nil {
		return false, err
	}
	for _, ending := range e.endings {
		if err := e.units.Record(ctx, q, ending.Change(k.team(ending.Code).Key)); err != nil {
			return false, err
		}
	}
	if err := k.flush(ctx, q); err != nil {
		return false, err
	}
	return h.Finish(ctx, q, t.Freed(), e.units.ToldOf(moved, refunds))
}

// orders returns the orders of the seats in a state, of the teams that end so.
func (e *endBatch) orders(state groupbuy.SeatState, to ...groupbuy.TeamState) []string {
	var orders []string
	for _, s := range e.seats {
		if s.State == state && slices.Contains(to, e.ends[s.Team].To) {
			orders = append(orders, s.Order)
		}
	}
	return orders
}

// release ends the holds that are not paid, and returns them: those that are dead expire, the others are cancelled.
func (e *endBatch) release(ctx context.Context, q mysql.Tx, t *ledger.Tally) (map[stock.Step]*ledger.MovedHolds, error) {
	held := e.orders(groupbuy.Held, groupbuy.Formed, groupbuy.Failed)
	moved := map[stock.Step]*ledger.MovedHolds{}
	if len(held) == 0 {
		return moved, nil
	}
	for _, step := range [...]stock.Step{stock.StepExpire, stock.StepCancel} {
		moved[step] = ledger.NewMovedHolds(t)
		if err := moved[step].Move(ctx, q, e.units.SQL, step, held, func(string, int64) bool { return true }); err != nil {
			return nil, err
		}
	}
	return moved, nil
}

// refund refunds the paid orders of teams that fail, and returns the refunds. Holds that are refunded already stay as they are.
func (e *endBatch) refund(ctx context.Context, q mysql.Tx, t *ledger.Tally) (b ledger.RefundBatch, err error) {
	paid := e.orders(groupbuy.Paid, groupbuy.Failed)
	if len(paid) == 0 {
		return b, nil
	}
	frees := map[string]bool{}
	for _, s := range e.seats {
		frees[s.Order] = e.ends[s.Team].Frees
	}
	var r ledger.HoldReader
	if err := mysql.Read(ctx, q, mysql.RenderList(e.units.SQL.LockHolds, paid), r.Scan); err != nil {
		return b, err
	}
	var calls []ledger.RefundCall
	for _, hold := range r.Holds {
		if hold.State != stock.Paid && hold.State != stock.Redeemed {
			continue
		}
		refund := stock.Refund{ID: groupbuy.RefundID(hold.Order), Order: hold.Order, Restock: true}
		record := stock.RefundRecord{Refund: refund, Whole: true, Frees: frees[hold.Order], Redeemable: true}
		calls = append(calls, ledger.RefundCall{Refund: record, Hold: hold})
	}
	if len(calls) == 0 {
		return b, nil
	}
	b = ledger.NewRefundBatch(calls)
	if err := b.Lock(ctx, q, e.units.SQL, t); err != nil || len(b.Done) != len(calls) {
		return b, mysql.Missing(err)
	}
	if err := e.units.BookRefunds(ctx, q, b); err != nil {
		return b, mysql.Unclaimed(err)
	}
	return b, nil
}

// end ends the teams in memory. The state of each hold decides the change of its seat.
func (e *endBatch) end(ctx context.Context, q mysql.Tx, k *unitOfWork) error {
	orders := make([]string, len(e.seats))
	for i, s := range e.seats {
		orders[i] = s.Order
	}
	holds, err := e.holdStates(ctx, q, orders)
	if err != nil {
		return err
	}
	seats := map[string][]groupbuy.Seat{}
	for _, s := range e.seats {
		switch hold := holds[s.Order]; {
		case s.State == groupbuy.Held && hold == stock.Expired: // at its deadline, or somebody has made it shorter
			s.Deadline = k.at
		case s.State == groupbuy.Held && hold == stock.Cancelled: // or longer
			s.Deadline = k.at.Add(time.Microsecond)
		case s.State == groupbuy.Held:
			return mysql.Missing(nil)
		}
		seats[s.Team] = append(seats[s.Team], s)
	}
	for _, ending := range e.endings {
		team, of := k.team(ending.Code), seats[ending.Code]
		slices.SortFunc(of, groupbuy.CompareSuccessors)
		steps := make([]groupbuy.Step, len(of))
		for i, s := range of {
			steps[i] = ending.Leaves(s, k.at)
		}
		k.events = append(k.events, team.End(ending, of, k.at)...)
		k.noteFormed(team, groupbuy.Forming)
		for i := range of {
			if steps[i] != 0 {
				k.dirty(&of[i], steps[i])
			}
		}
	}
	return nil
}

// holdStates locks the holds of orders and returns their states.
func (g seatCompanions) holdStates(ctx context.Context, q mysql.Tx, orders []string) (map[string]stock.State, error) {
	states := make(map[string]stock.State, len(orders))
	err := mysql.Read(ctx, q, mysql.RenderList(g.units.SQL.LockStates, orders), func(rows *sql.Rows) error {
		var order string
		var state stock.State
		err := rows.Scan(&order, &state)
		states[order] = state
		return err
	})
	return states, err
}

// Late implements groupbuy.Store.
func (g *Store) Late(ctx context.Context, order string) (stock.Verdict, error) {
	moved, err := g.moveAlone(ctx, g.units, []string{order}, func(seat groupbuy.Seat, _ groupbuy.Team, _ stock.State) groupbuy.Step {
		if slices.Contains(groupbuy.StepLate.Transition().From, seat.State) {
			return groupbuy.StepLate
		}
		return 0
	})
	return ledger.DoneIf(len(moved) > 0), err
}

// Follow implements groupbuy.Store. It carries nothing of the shop: it comes before a call, or is a sweep.
func (g *Store) Follow(ctx context.Context, orders []string) ([]string, error) {
	var moved []string
	for part := range slices.Chunk(orders, seatsAtOnce) {
		some, err := g.moveAlone(ctx, g.units.Plain(), part, func(seat groupbuy.Seat, team groupbuy.Team, hold stock.State) groupbuy.Step {
			return seat.State.CatchUpStep(hold, team.State == groupbuy.Formed)
		})
		moved = append(moved, some...)
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// moveAlone moves seats without their holds by the chosen steps, and returns the orders of the seats that moved. The
// statements of the shop are those of a copy of the units.
func (g *Store) moveAlone(
	ctx context.Context, with *ledger.Store, orders []string, choose func(groupbuy.Seat, groupbuy.Team, stock.State) groupbuy.Step,
) ([]string, error) {
	if err := g.units.Ready(); err != nil || len(orders) == 0 {
		return nil, err
	}
	beside := g.companions()
	var moved []string
	kept, err := with.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		moved = nil
		var states map[string]stock.State
		var held []string
		err := beside.units.Amid(ctx, q, func() (met bool, err error) {
			states, err = beside.holdStates(ctx, q, orders)
			held = slices.DeleteFunc(slices.Clone(orders), func(order string) bool { return states[order] == stock.Unheld })
			return len(held) < len(orders), err
		}, beside.units.SQL.BlankHolds(orders...))
		if err != nil {
			return false, err
		}
		if len(held) == 0 {
			return false, nil
		}
		if err := beside.lockItemsOf(ctx, q, held); err != nil {
			return false, err
		}
		k := beside.begin(time.Time{})
		seats, err := k.lockSeats(ctx, q, held)
		if err != nil {
			return false, err
		}
		for _, order := range orders {
			seat := seats[order]
			if seat == nil {
				continue
			}
			step := choose(*seat, k.team(seat.Team).Team, states[order])
			if step == 0 {
				continue
			}
			if err := k.move(step, seat, false); err != nil {
				return false, err
			}
			k.dirty(seat, step)
			delete(seats, order) // an order may be named twice
			moved = append(moved, order)
		}
		return len(moved) > 0, k.flush(ctx, q)
	})
	if !kept {
		moved = nil
	}
	return moved, mysql.Reason(err)
}

// lockItemsOf locks the items of the locked holds of some orders, in the order of their keys. Each of these items exists.
func (g seatCompanions) lockItemsOf(ctx context.Context, q mysql.Tx, orders []string) error {
	var keys []stock.Key
	err := mysql.Read(ctx, q, mysql.RenderList(g.sql.keysOf, orders), func(rows *sql.Rows) error {
		var key stock.Key
		err := rows.Scan(&key.SKU, &key.Activity)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return err
	}
	return g.units.LockItems(ctx, q, keys)
}

// companions returns what keeps seats beside their holds.
func (g *Store) companions() seatCompanions {
	return seatCompanions{units: g.units, sql: g.sql, reopen: g.books.SQL.Reopen}
}

var _ groupbuy.Store = (*Store)(nil)
