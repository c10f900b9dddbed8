package mysql

import (
	"context"
	"database/sql"
	"time"
)

// Blank inserts rows with nothing in them, leaves existing rows alone, and deletes its rows again.
type Blank struct{ Insert, TakeBack string }

// Among runs fn in the caller's transaction. fn reads rows with a lock, and the rows may not exist. Such a read would
// lock the gap and block all new rows beside it until the caller's transaction ends. So blanks are inserted first: an
// existing row is locked then, and nothing beside it. Where fn has met a blank row, the blanks are deleted.
func (h *Handle) Among(ctx context.Context, fn func(q Tx) (met bool, err error), blanks ...Blank) error {
	if err := h.Ready(ctx); err != nil {
		return err
	}
	if _, err := h.catchUp(ctx); err != nil {
		return err
	}
	_, err := h.nested(ctx, func(q Tx) (bool, error) {
		for _, b := range blanks {
			if err := Insert(ctx, q, b.Insert, b.TakeBack); err != nil {
				return false, err
			}
		}
		met, err := fn(q)
		return !met, err
	})
	return err
}

// QueryFunc is Handle.Query, or a function that reads as it does.
type QueryFunc func(ctx context.Context, statement string, scan func(*sql.Rows) error) error

// TakeBlank renders the DELETE of a blank row t by its whole key; see Blank.
func TakeBlank(table, key, is string) string {
	return "DELETE t FROM " + table + " t " + ByKey + " WHERE " + key + " AND " + is
}

// Of renders a blank for a key.
func (b Blank) Of(key ...any) Blank {
	return Blank{Insert: Render(b.Insert, key...), TakeBack: Render(b.TakeBack, key...)}
}

// QueryAmong is query for one row that may not be there; see among. Scan reports whether a row is there, and not a blank one.
func (h *Handle) QueryAmong(ctx context.Context, statement string, scan func(*sql.Rows) (there bool, err error), blanks ...Blank) error {
	met := false
	row := func(rows *sql.Rows) error {
		there, err := scan(rows)
		met = met || !there
		return err
	}
	if !h.Bound() {
		return h.Query(ctx, statement, row)
	}
	return h.Among(ctx, func(q Tx) (bool, error) {
		err := Read(ctx, q, statement+" FOR UPDATE", row)
		return met, err
	}, blanks...)
}

// Amid is Among at the beginning of a transaction that goes on, before it changes anything. In a transaction of the
// store's own there are no blanks: a gap that it locks is free again in a moment.
func (h *Handle) Amid(ctx context.Context, q Tx, fn func() (met bool, err error), blanks ...Blank) error {
	if !h.Bound() {
		_, err := fn()
		return err
	}
	for _, b := range blanks {
		if err := Insert(ctx, q, b.Insert, b.TakeBack); err != nil {
			return err
		}
	}
	met, err := fn()
	if err != nil || !met {
		return err
	}
	for _, b := range blanks {
		if _, err := q.ExecContext(ctx, b.TakeBack); err != nil {
			return err
		}
	}
	return nil
}

// ClockIn reads the store's clock within a transaction.
func ClockIn(ctx context.Context, q Tx) (time.Time, error) {
	var clock int64
	err := ReadRow(ctx, q, ReadClock, &clock)
	return FromMicros(clock), err
}

// KeepInsertID runs fn, whose statements set LAST_INSERT_ID, and in the caller's transaction sets it back.
func (h *Handle) KeepInsertID(ctx context.Context, q Tx, fn func() error) error {
	if !h.Bound() {
		return fn()
	}
	return KeepInsertID(ctx, q, fn)
}

// KeepInsertID runs fn, whose statements set LAST_INSERT_ID, and sets it back.
func KeepInsertID(ctx context.Context, q Tx, fn func() error) error {
	var id int64
	if err := ReadRow(ctx, q, "SELECT CAST(LAST_INSERT_ID() AS SIGNED)", &id); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, Render("DO LAST_INSERT_ID(?)", id))
	return err
}

// ReadIn reads within a transaction, as Handle.Query does by itself.
func ReadIn(q Tx) QueryFunc {
	return func(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
		return Read(ctx, q, statement, scan)
	}
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

// One scans a row of one column.
func One[T any](rows *sql.Rows) (value T, err error) {
	err = rows.Scan(&value)
	return value, err
}

// Mark marks where a transaction of the store's own has come to, and BackToMark undoes what it has done since. What was locked
// since has to be locked anew: where the mark was the first statement, the server rolls back all that InnoDB has of the transaction, and
// its locks go (seen on MariaDB 10.11 and MySQL 9.7; ha_rollback_to_savepoint in the sources of both).
func Mark(ctx context.Context, q Tx) error {
	_, err := q.ExecContext(ctx, setBegun)
	return err
}

// BackToMark is described there.
func BackToMark(ctx context.Context, q Tx) error {
	_, err := q.ExecContext(ctx, undoBegun)
	return err
}

// Borrowed reports whether a transaction is part of the caller's.
func Borrowed(q Tx) bool {
	_, ok := q.(*nestedTx)
	return ok
}

// Stay makes what was done so far stay, even where the transaction is refused afterwards: rows that count nothing, and whose INSERT
// must not be rolled back; see Insert. It makes no difference to a transaction of the store's own, nor where the shop's rows were written
// before.
func Stay(ctx context.Context, q Tx) error {
	n, ok := q.(*nestedTx)
	if !ok || n.all {
		return nil
	}
	savepoint := setBegun
	if len(n.takeBack) > 0 {
		savepoint = setClaimed
	}
	_, err := n.ExecContext(ctx, savepoint)
	return err
}

// Insert inserts rows that takeBack deletes where the transaction is refused afterwards. In the caller's transaction
// they are deleted rather than rolled back. At REPEATABLE READ, MySQL turns the lock on a row whose INSERT is rolled
// back to a savepoint into one on the gap, which blocks all new rows beside it until the caller's transaction ends
// (seen on 9.7, in performance_schema.data_locks). A deleted row keeps a lock on itself only.
func Insert(ctx context.Context, q Tx, statement, takeBack string) error {
	if _, err := q.ExecContext(ctx, statement); err != nil {
		return err
	}
	n, ok := q.(*nestedTx)
	if !ok {
		return nil
	}
	n.takeBack = append(n.takeBack, takeBack)
	_, err := n.ExecContext(ctx, setClaimed)
	return err
}
