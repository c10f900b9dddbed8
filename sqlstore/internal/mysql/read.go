package mysql

import (
	"context"
	"database/sql"
	"time"
)

// Query runs a statement that reads what a call decides by, or what its caller may: scan is called for each row.
// It is a transaction, so that a proxy that splits reads from writes sends it to the primary.
func (h *Handle) Query(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	if err := h.Ready(); err != nil {
		return err
	}
	if h.Bound() {
		if _, err := h.catchUp(ctx); err != nil {
			return err
		}
		return Classify(Read(ctx, h.tx, statement, scan), Unsent)
	}
	return h.Again(ctx, func(a *Attempt) error { return a.readTx(ctx, statement, scan) })
}

// read runs a statement that reads.
func (a *Attempt) read(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	return Read(ctx, a, statement, func(rows *sql.Rows) error { a.given = true; return scan(rows) })
}

// readTx runs it as a transaction, which locks nothing.
func (a *Attempt) readTx(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	if a.is.locks {
		if err := a.setLevel(ctx, "READ COMMITTED"); err != nil {
			return err
		}
	}
	return a.Reading(ctx, func() error { return a.read(ctx, statement, scan) })
}

// Reading runs fn as a transaction that changes nothing. Its reads are current.
func (a *Attempt) Reading(ctx context.Context, fn func() error) error {
	if err := a.beginCurrent(ctx); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	if _, err := a.ExecContext(ctx, endReadTx); err == nil {
		a.open = false
	}
	return nil
}

// Show is Query for what is only shown: a proxy may let a replica answer it.
func (h *Handle) Show(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	if err := h.Ready(); err != nil {
		return err
	}
	if h.Bound() {
		return Classify(Read(ctx, h.tx, statement, scan), Unsent)
	}
	return h.Again(ctx, func(a *Attempt) error {
		if a.is.commits {
			return a.read(ctx, statement, scan)
		}
		return a.readTx(ctx, statement, scan) // or it would open a snapshot and leave it
	})
}

// Read runs a statement that reads, as a part of a transaction or by itself.
func Read(ctx context.Context, q Tx, statement string, scan func(*sql.Rows) error) error {
	if w, ok := q.(*watchedTx); ok { // up to the last row
		return w.watched(ctx, func() error { return Read(ctx, w.Attempt, statement, scan) })
	}
	rows, err := q.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ReadRow reads the first row of a statement, and returns sql.ErrNoRows where there is none.
func ReadRow(ctx context.Context, q Tx, statement string, targets ...any) error {
	err := sql.ErrNoRows
	failed := Read(ctx, q, statement, func(rows *sql.Rows) error {
		if err == nil {
			return nil
		}
		err = nil
		return rows.Scan(targets...)
	})
	if failed != nil {
		return failed
	}
	return err
}

// QueryFunc is Handle.Query, or a function that reads as it does.
type QueryFunc func(ctx context.Context, statement string, scan func(*sql.Rows) error) error

// ReadIn reads within a transaction, as Handle.Query does by itself.
func ReadIn(q Tx) QueryFunc {
	return func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
		return Read(ctx, q, statement, scan)
	}
}

// One scans a row of one column.
func One[T any](rows *sql.Rows) (value T, err error) {
	err = rows.Scan(&value)
	return value, err
}

// ClockIn reads the store's clock within a transaction.
func ClockIn(ctx context.Context, q Tx) (time.Time, error) {
	var clock int64
	err := ReadRow(ctx, q, ReadClock, &clock)
	return FromMicros(clock), err
}

// Moment returns the time of a clock that came with some rows, after a read that ended with err. It reads the clock
// where no row came.
func (h *Handle) Moment(ctx context.Context, clock int64, err error) (time.Time, error) {
	if err == nil && clock == 0 {
		err = h.Query(ctx, ReadClock, func(rows *sql.Rows) error { return rows.Scan(&clock) })
	}
	if err != nil {
		return time.Time{}, err
	}
	return FromMicros(clock), nil
}
