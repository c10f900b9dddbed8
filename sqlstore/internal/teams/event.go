package teams

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Return implements groupbuy.Store.
func (g *Store) Return(ctx context.Context, order string) (stock.Verdict, error) {
	rows, err := g.units.Exec(ctx, mysql.Render(g.sql.refunded, order))
	return ledger.DoneIf(rows > 0), err
}

// The states of the events of an earlier version, as its table has them.
const (
	earlierOpen  = 0
	earlierDone  = 1
	earlierAside = 2
)

// earlierKinds is what to add to a kind of the earlier version for that of package event.
const earlierKinds = event.TeamFormed - 1

// earlierAtOnce is how many teams with such events CatchUp looks up at a time.
const earlierAtOnce = 200

// CatchUp writes the events that an earlier version of this module has left in a table of its own as events of package event, team by
// team and in their order, and returns of how many teams. What that version has set aside is open again. A process of that version may
// go on writing and delivering there meanwhile: what it is at is left to it. In the caller's transaction there is nothing to do.
func (g *Store) CatchUp(ctx context.Context) (int, error) {
	if err := g.units.Ready(); err != nil || g.units.Bound() {
		return 0, err
	}
	total := 0
	for {
		var codes []string
		for _, statement := range []string{g.sql.earlierDue, g.sql.earlierAside} {
			some, err := ledger.ListOf(ctx, g.units, g.units.Show, mysql.Render(statement, earlierAtOnce), mysql.One[string])
			if err != nil {
				return total, err
			}
			codes = append(codes, some...)
		}
		slices.Sort(codes)
		moved := 0
		for _, code := range slices.Compact(codes) {
			kept, err := g.units.Atomically(ctx, func(q mysql.Tx) (bool, error) { return g.catchUp(ctx, q, code) })
			if err != nil {
				return total + moved, err
			}
			if kept {
				moved++
			}
		}
		if total += moved; moved == 0 || len(codes) < earlierAtOnce {
			return total, nil
		}
	}
}

// catchUp moves the earlier events of one team, and reports whether there were any.
func (g *Store) catchUp(ctx context.Context, q mysql.Tx, code string) (bool, error) {
	var key stock.Key
	var done int64
	var due bool
	err := mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockEarlier, code), &key.SKU, &key.Activity, &done, &due)
	if errors.Is(err, sql.ErrNoRows) { // somebody has deleted the team
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var events []event.Event
	err = mysql.Read(ctx, q, mysql.Render(g.sql.earlier, code, due, done), func(rows *sql.Rows) error {
		e := event.Event{Queue: event.TeamQueue(code), SKU: key.SKU, Activity: key.Activity, Ref: code}
		var no int64
		err := rows.Scan(&no, &e.Kind, &e.Order, activities.Time(&e.At), &e.Buyer)
		e.Kind += earlierKinds
		events = append(events, e)
		return err
	})
	if err != nil || len(events) == 0 && !due {
		return false, err
	}
	if err := g.units.WriteEvents(ctx, q, events); err != nil {
		return false, err
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(g.sql.endEarlier, code, due, done)))
	if err != nil || rows != int64(len(events)) {
		return false, mysql.Missing(err)
	}
	if due {
		if _, err := q.ExecContext(ctx, mysql.Render(g.sql.endEarlierOfTeam, code)); err != nil {
			return false, err
		}
	}
	return true, nil
}
