package teams

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Units implements groupbuy.Store. Calls of groups and of the stores that it returns share batches.
func (g *Store) Units() stock.Store { return g.units }

func (seatCompanions) Keeps(c stock.Companion) bool { return groupbuy.Keeps(c) }

// Needs implements ledger.Companions.
func (g seatCompanions) Needs(ctx context.Context, by mysql.QueryFunc, holds []stock.Hold) ([]string, error) {
	return g.sql.seated(ctx, by, holds)
}

// Locked takes the seats of requests, in the order of the calls. The items of their products are locked. It locks their
// teams.
func (g seatCompanions) Locked(ctx context.Context, q mysql.Tx, at time.Time, calls []ledger.LockCall) error {
	b := seatTaker{unitOfWork: g.begin(at), calls: calls}
	var codes []string
	var buyers []any
	for i, c := range calls {
		request, ok := stock.CompanionOf[groupbuy.SeatRequest](c.Beside)
		if !ok {
			continue
		}
		b.requests = append(b.requests, seatRequest{SeatRequest: request, call: i, deadline: c.Order.Deadline(at, c.HoldFor)})
		if !request.Opens {
			codes = append(codes, request.Team.Code)
			buyers = append(buyers, request.Team.Code, request.Seat.Buyer)
		}
	}
	if len(b.requests) == 0 {
		return nil
	}
	err := b.lockTeams(ctx, q, codes)
	if err != nil {
		return err
	}
	if b.joined, err = b.joinedBy(ctx, q, buyers); err != nil {
		return err
	}
	why, refused := make([]error, len(calls)), false
	for i := range b.requests {
		err := b.take(&b.requests[i])
		why[b.requests[i].call] = err
		refused = refused || err != nil
	}
	if refused {
		return &mysql.RefusalError{Why: why}
	}
	if err := b.insert(ctx, q); err != nil {
		return err
	}
	if err := b.flush(ctx, q); err != nil {
		return err
	}
	for _, r := range b.requests {
		calls[r.call].Kept = []stock.Companion{r.SeatRequest}
	}
	return nil
}

// seatRequest is the request of a call, with the deadline of its hold. It gets the seat and the team.
type seatRequest struct {
	groupbuy.SeatRequest

	call     int
	deadline time.Time
}

// seatTaker takes seats one after the other.
type seatTaker struct {
	*unitOfWork
	calls    []ledger.LockCall
	requests []seatRequest
	joined   map[groupBuyer]bool
}

// groupBuyer is a buyer in a team.
type groupBuyer struct {
	team, buyer string
}

// take takes the seat of a request, or returns the refusal.
func (b *seatTaker) take(r *seatRequest) (err error) {
	if r.Opens {
		r.SeatRequest, err = r.Open(b.at, r.deadline)
		return err
	}
	team := b.team(r.Team.Code)
	me := groupBuyer{r.Team.Code, r.Seat.Buyer}
	if err := team.Take(&r.Seat, b.joined[me], b.at, r.deadline); err != nil {
		return err
	}
	b.joined[me] = true
	r.Team = team.Team
	return nil
}

// insert inserts the rows of new teams and seats.
func (b *seatTaker) insert(ctx context.Context, q mysql.Tx) error {
	var opened []groupbuy.Team
	seats := make([]groupbuy.Seat, len(b.requests))
	for i, r := range b.requests {
		seats[i] = r.Seat
		if r.Opens {
			opened = append(opened, r.Team)
		}
	}
	if len(opened) > 0 {
		statement, err := b.sql.insertTeams(opened, b.at)
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, statement)
		if mysql.Number(err) == mysql.ErrDuplicate && len(b.calls) == 1 {
			return &mysql.RefusalError{Why: []error{groupbuy.ErrDuplicateCode}}
		}
		if err != nil {
			return mysql.Unclaimed(err) // some code is a duplicate: each call is tried alone
		}
	}
	statement, err := b.sql.insertSeats(seats, b.at)
	if err != nil {
		return err
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, statement))
	switch {
	case mysql.Number(err) == mysql.ErrDuplicate && b.units.Bound(): // see joinedBy
		me := groupBuyer{seats[0].Team, seats[0].Buyer}
		joined, failed := b.readJoined(ctx, q, b.sql.joinedIn(me.team, me.buyer)+" FOR UPDATE")
		if failed != nil {
			return failed
		}
		if joined[me] {
			return joinedAlready(me.team)
		}
		return mysql.Unclaimed(err)
	case err != nil || rows != int64(len(seats)):
		return mysql.Unclaimed(err)
	}
	return nil
}

// joinedAlready is the refusal of the only call of a transaction, whose buyer has a seat in the team.
func joinedAlready(team string) error {
	return &mysql.RefusalError{Why: []error{&groupbuy.TeamError{Team: team, Err: groupbuy.ErrJoined}}}
}

// joinedBy returns which buyers have a live seat in their team. The list has a code and a buyer in turn. The teams are
// locked, so that nobody gets a seat meanwhile. In a transaction of the store's own no read came before the lock, and so
// this one sees what was committed before it; see Handle.Atomically. The snapshot of the caller's transaction may be older: who has
// a seat there is looked for again, with a lock. Who has got one since is found by its key, when it gets another one; a lock would
// cover the gap where there is none.
func (k *unitOfWork) joinedBy(ctx context.Context, q mysql.Tx, buyers []any) (map[groupBuyer]bool, error) {
	if len(buyers) == 0 {
		return map[groupBuyer]bool{}, nil
	}
	query := k.sql.joinedIn(buyers...)
	joined, err := k.readJoined(ctx, q, query)
	if err == nil && k.units.Bound() && len(joined) > 0 {
		return k.readJoined(ctx, q, query+" FOR UPDATE")
	}
	return joined, err
}

// readJoined reads buyers with their teams.
func (k *unitOfWork) readJoined(ctx context.Context, q mysql.Tx, query string) (map[groupBuyer]bool, error) {
	joined := map[groupBuyer]bool{}
	err := mysql.Read(ctx, q, query, func(rows *sql.Rows) error {
		var b groupBuyer
		err := rows.Scan(&b.team, &b.buyer)
		joined[b] = true
		return err
	})
	return joined, err
}

// joinedIn renders the read of the buyers that have a live seat in their team.
func (q *groupBuySQL) joinedIn(buyers ...any) string {
	return mysql.Render(q.joinedText(len(buyers)/2), buyers...)
}

func (q *groupBuySQL) joinedText(buyers int) string {
	return "SELECT p.TEAM_CODE, p.BUYER_ID FROM (SELECT ? AS CODE, ? AS BUYER" + strings.Repeat(" UNION ALL SELECT ?, ?", buyers-1) +
		") l STRAIGHT_JOIN " + q.seats +
		" p FORCE INDEX (" + q.seats + "_buyer) ON p.TEAM_CODE = l.CODE AND p.BUYER_ID = l.BUYER AND p.LIVE = 1"
}

// moveSeats moves the seats of orders whose holds have made a step. All of their items are locked. An order without a
// seat is one of ordinary stock, and may only expire.
func (g seatCompanions) moveSeats(
	ctx context.Context, q mysql.Tx, step stock.Step, orders []string, finish func(i int, seat *groupbuy.Seat),
) error {
	k := g.begin(time.Time{})
	seats, err := k.lockSeats(ctx, q, orders)
	if err != nil {
		return err
	}
	why := make([]error, len(orders))
	no := false
	for i, order := range orders {
		seat, ok := seats[order]
		if !ok {
			if step != stock.StepExpire {
				why[i], no = &groupbuy.SeatError{Order: order, State: groupbuy.NoSeat, Err: groupbuy.ErrNotFound}, true
			}
			continue
		}
		along := seat.State.StepFor(step)
		if along == 0 {
			return mysql.Missing(nil) // the seat did not match its hold
		}
		joined := false
		if step == stock.StepReacquire {
			is, err := k.joinedBy(ctx, q, []any{seat.Team, seat.Buyer})
			if err != nil {
				return err
			}
			joined = len(is) > 0
			why[i] = k.team(seat.Team).RefusesRegain(*seat, joined, k.at)
		}
		if why[i] == nil {
			why[i] = k.move(along, seat, joined)
		}
		if why[i] != nil {
			no = true
			continue
		}
		if finish != nil {
			finish(i, seat)
		}
		k.dirty(seat, along)
	}
	if no {
		return &mysql.RefusalError{Why: why}
	}
	err = k.flush(ctx, q)
	if step == stock.StepReacquire && k.units.Bound() && mysql.Number(err) == mysql.ErrDuplicate { // see joinedBy
		return joinedAlready(seats[orders[0]].Team)
	}
	return err
}

func (seatCompanions) Moves(t stock.Transition) bool {
	return t.Step == stock.StepPay || t.Step == stock.StepReacquire || t.Step == stock.StepCancel || t.Step == stock.StepExpire
}

// Moved moves the seats of orders in the transaction of their holds.
func (g seatCompanions) Moved(ctx context.Context, q mysql.Tx, t stock.Transition, calls []ledger.MoveCall) error {
	if !g.Moves(t) {
		return nil
	}
	orders := make([]string, len(calls))
	for i, c := range calls {
		orders[i] = c.Order
	}
	return g.moveSeats(ctx, q, t.Step, orders, nil)
}

// Refunded moves the seats of orders that are refunded out of their teams.
func (g seatCompanions) Refunded(ctx context.Context, q mysql.Tx, calls []ledger.RefundCall) error {
	orders := make([]string, len(calls))
	var restocked []stock.Key
	for i, c := range calls {
		orders[i] = c.Hold.Order
		if c.Refund.Restock {
			restocked = append(restocked, ledger.KeysOf(c.Hold)...)
		}
	}
	err := g.moveSeats(ctx, q, stock.StepRefund, orders, func(i int, seat *groupbuy.Seat) {
		by, _ := stock.CompanionOf[groupbuy.SeatRefund](calls[i].Beside)
		seat.Actor, seat.Reason, calls[i].Kept = by.Actor, by.Reason, calls[i].Beside
	})
	if err != nil {
		return err
	}
	return activities.Reopen(ctx, q, g.reopen, restocked)
}
