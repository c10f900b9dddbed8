package teams

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Books implements groupbuy.Store. One statement reads teams and recounts them, and another finds the seats that do not
// match their holds. Each is consistent in itself.
func (g *Store) Books(ctx context.Context, key stock.Key, after string, limit int) ([]groupbuy.TeamBook, error) {
	books, err := ledger.ListOf(ctx, g.units, g.units.Query, mysql.Render(g.sql.book, key.Activity, key.SKU, after, limit),
		activities.Scan(func(b *groupbuy.TeamBook) []any {
			c := &b.Recount
			return append(teamTargets(&b.Team), &c.Held, &c.Paid, &c.PaidVolume)
		}))
	if err != nil || len(books) == 0 {
		return nil, err
	}
	at := make(map[string]int, len(books))
	codes := make([]string, len(books))
	for i, book := range books {
		at[book.Code], codes[i] = i, book.Code
	}
	for part := range slices.Chunk(codes, mysql.MaxList) {
		err := g.units.Query(ctx, mysql.RenderList(g.sql.mismatched, part), func(rows *sql.Rows) error {
			var code string
			var seat groupbuy.SeatBook
			err := rows.Scan(&code, &seat.Order, &seat.State, &seat.Hold, &seat.Units)
			book := &books[at[code]]
			book.Mismatched = append(book.Mismatched, seat)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, book := range books {
		slices.SortFunc(book.Mismatched, func(a, b groupbuy.SeatBook) int { return cmp.Compare(a.Order, b.Order) })
	}
	return books, nil
}

// FormedPeople implements groupbuy.Store.
func (g *Store) FormedPeople(ctx context.Context, key stock.Key) (groupbuy.FormedBook, error) {
	book := groupbuy.FormedBook{Key: key}
	err := g.units.Query(ctx, mysql.Render(g.sql.formedPeople, key.Activity, key.SKU),
		func(rows *sql.Rows) error { return rows.Scan(&book.Version, &book.Formed, &book.Recount) })
	return book, err
}

// Correct implements groupbuy.Store.
func (g *Store) Correct(ctx context.Context, book groupbuy.TeamBook, by ...stock.Change) (stock.Verdict, error) {
	defer g.units.Mended()
	kept, err := g.units.Atomically(ctx, func(q mysql.Tx) (bool, error) {
		at, err := mysql.ClockIn(ctx, q)
		if err != nil {
			return false, err
		}
		team := groupbuy.TeamRecord{Team: book.Team}
		corrected := team.Correct(book.Recount, at)
		rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(g.sql.correct, team.Held, team.Paid, team.PaidVolume, at,
			team.Version, team.Code, book.Version)))
		if err != nil || rows == 0 {
			return false, err
		}
		if len(by) > 0 {
			if err := g.units.Record(ctx, q, by...); err != nil {
				return false, err
			}
		}
		return true, g.units.WriteEvents(ctx, q, []event.Event{corrected})
	})
	return ledger.DoneIf(kept), err
}
