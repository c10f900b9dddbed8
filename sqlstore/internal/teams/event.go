package teams

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// scanEvent reads eventColumns.
func scanEvent(rows *sql.Rows) (e groupbuy.Event, err error) {
	var state int64
	err = rows.Scan(&e.Code, &e.No, &e.Kind, &e.Order, &state, &e.Tries, &e.Failure, activities.Time(&e.At), activities.Time(&e.DoneAt))
	e.Poisoned = state == eventAside
	return e, err
}

// eventsOf lists events.
func (g *Store) eventsOf(ctx context.Context, query string) ([]groupbuy.Event, error) {
	return ledger.ListOf(ctx, g.units, g.units.Show, query, scanEvent)
}

// DueEvents implements groupbuy.Store. It locks nothing: Lease checks again.
func (g *Store) DueEvents(ctx context.Context, limit int) ([]groupbuy.Event, error) {
	return g.eventsOf(ctx, mysql.Render(g.sql.dueEvents, limit))
}

// Event implements groupbuy.Store. In the caller's transaction it locks the seat and the team before the event. The order
// of an event never changes, and may come from the transaction's snapshot.
func (g *Store) Event(ctx context.Context, code string, no int64) (groupbuy.Event, error) {
	query := mysql.Render(g.sql.readEvent, code, no)
	event, err := g.event(ctx, query)
	if err != nil || !g.units.Bound() {
		return event, err
	}
	if event.Order != "" {
		if _, _, err := g.seat(ctx, event.Order); err != nil {
			return groupbuy.Event{}, err
		}
	}
	team, _, err := g.Team(ctx, code, stock.Key{})
	if err != nil || no > team.Events { // events are numbered without gaps
		return groupbuy.Event{}, err
	}
	return g.event(ctx, query+" FOR UPDATE")
}

// event reads one event.
func (g *Store) event(ctx context.Context, query string) (event groupbuy.Event, err error) {
	err = g.units.Query(ctx, query, func(rows *sql.Rows) (err error) {
		event, err = scanEvent(rows)
		return err
	})
	return event, err
}

// Events implements groupbuy.Store.
func (g *Store) Events(ctx context.Context, code string, poisoned bool, after groupbuy.EventCursor, limit int) ([]groupbuy.Event, error) {
	switch {
	case !poisoned:
		return g.eventsOf(ctx, mysql.Render(g.sql.listEvents, code, after.No, limit))
	case code != "":
		return g.eventsOf(ctx, mysql.Render(g.sql.asideOfTeam, code, after.No, limit))
	}
	return g.eventsOf(ctx, mysql.Render(g.sql.asideOfAll, after.Code, after.Code, after.No, limit))
}

// Lease implements groupbuy.Store.
func (g *Store) Lease(ctx context.Context, event groupbuy.Event, holdFor time.Duration) (stock.Verdict, error) {
	rows, err := g.units.Exec(ctx, mysql.Render(g.sql.lease, holdFor.Microseconds(), event.Code, event.No-1, event.Tries))
	return ledger.DoneIf(rows > 0), err
}

// eventState is how the delivery of an event stands whose team is locked.
type eventState struct {
	next  bool // it is the next event of its team
	aside bool
	tries int64
}

// lockEvent locks a team and then its event. An event that does not exist is neither next nor aside.
func (g *Store) lockEvent(ctx context.Context, q mysql.Tx, event groupbuy.Event) (eventState, error) {
	var is eventState
	err := mysql.Read(ctx, q, mysql.Render(g.sql.lockEvent, event.No, event.Code), func(rows *sql.Rows) error {
		var done, teamTries, state, tries int64
		err := rows.Scan(&done, &teamTries, &state, &tries)
		switch {
		case state == eventAside:
			is = eventState{aside: true, tries: tries}
		case state == eventDue && event.No == done+1:
			is = eventState{next: true, tries: teamTries}
		}
		return err
	})
	return is, err
}

// Delivered implements groupbuy.Store. The seat is locked before its team, as everywhere. A seat that is not RefundDue any
// more does not stop the delivery.
func (g *Store) Delivered(ctx context.Context, event groupbuy.Event) (stock.Verdict, error) {
	kept, err := g.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		if event.Kind == groupbuy.RefundOwed {
			if _, err := q.ExecContext(ctx, mysql.Render(g.sql.refunded, event.Order)); err != nil {
				return false, err
			}
		}
		is, err := g.lockEvent(ctx, q, event)
		if err != nil || !is.next && !is.aside {
			return false, err
		}
		statement := mysql.Render(g.sql.deliverAside, event.Code, event.No)
		if is.next {
			statement = mysql.Render(g.sql.deliver, event.No, event.No, is.tries, event.Code, event.No)
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, statement))
		if err != nil || rows == 0 {
			return false, mysql.Missing(err)
		}
		return true, nil
	})
	return ledger.DoneIf(kept), err
}

// Undelivered implements groupbuy.Store. It ignores the number of rows, since a failure may be the same as the last one. An
// event that is set aside remains set aside.
func (g *Store) Undelivered(
	ctx context.Context, event groupbuy.Event, failure string, retryIn time.Duration, poison bool,
) (stock.Verdict, error) {
	kept, err := g.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		is, err := g.lockEvent(ctx, q, event)
		if err != nil || !is.next && !is.aside || is.tries != event.Tries {
			return false, err
		}
		var statement string
		switch {
		case is.aside:
			statement = mysql.Render(g.sql.keepAside, failure, event.Code, event.No)
		case poison:
			statement = mysql.Render(g.sql.putAside, event.No, event.No, is.tries, failure, event.Code, event.No)
		default:
			statement = mysql.Render(g.sql.putOff, retryIn.Microseconds(), failure, event.Code, event.No)
		}
		_, err = q.ExecContext(ctx, statement)
		return err == nil, err
	})
	return ledger.DoneIf(kept), err
}
