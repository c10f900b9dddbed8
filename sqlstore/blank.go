package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// queryFunc is handle.query, or what reads as it does.
type queryFunc func(ctx context.Context, statement string, scan func(*sql.Rows) error) error

// takeBlank renders the DELETE of a blank row t by its whole key; see blank.
func takeBlank(table, key, is string) string {
	return "DELETE t FROM " + table + " t " + byKey + " WHERE " + key + " AND " + is
}

// of renders a blank for a key.
func (b blank) of(key ...any) blank {
	return blank{insert: render(b.insert, key...), takeBack: render(b.takeBack, key...)}
}

// queryAmong is query for one row that may not be there; see among. Scan reports whether a row is there, and not a blank one.
func (h *handle) queryAmong(ctx context.Context, statement string, scan func(*sql.Rows) (there bool, err error), blanks ...blank) error {
	met := false
	row := func(rows *sql.Rows) error {
		there, err := scan(rows)
		met = met || !there
		return err
	}
	if !h.bound() {
		return h.query(ctx, statement, row)
	}
	return h.among(ctx, func(q Tx) (bool, error) {
		err := read(ctx, q, statement+" FOR UPDATE", row)
		return met, err
	}, blanks...)
}

// amid is among at the beginning of a transaction that goes on, before it changes anything. In a transaction of the store's own
// there are no blanks: a gap that it locks is free again in a moment.
func (h *handle) amid(ctx context.Context, q Tx, fn func() (met bool, err error), blanks ...blank) error {
	if !h.bound() {
		_, err := fn()
		return err
	}
	for _, b := range blanks {
		if err := insert(ctx, q, b.insert, b.takeBack); err != nil {
			return err
		}
	}
	met, err := fn()
	if err != nil || !met {
		return err
	}
	for _, b := range blanks {
		if _, err := q.ExecContext(ctx, b.takeBack); err != nil {
			return err
		}
	}
	return nil
}

// clockIn reads the store's clock within a transaction.
func clockIn(ctx context.Context, q Tx) (time.Time, error) {
	var clock int64
	err := readRow(ctx, q, readClock, &clock)
	return fromMicros(clock), err
}

// keepInsertID runs fn, whose statements set LAST_INSERT_ID, and in the caller's transaction sets it back.
func (h *handle) keepInsertID(ctx context.Context, q Tx, fn func() error) error {
	if !h.bound() {
		return fn()
	}
	var id int64
	if err := readRow(ctx, q, "SELECT CAST(LAST_INSERT_ID() AS SIGNED)", &id); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, render("DO LAST_INSERT_ID(?)", id))
	return err
}

// readIn reads within a transaction, as handle.query does by itself.
func readIn(q Tx) queryFunc {
	return func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
		return read(ctx, q, statement, scan)
	}
}
