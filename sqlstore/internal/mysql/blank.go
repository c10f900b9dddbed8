package mysql

import (
	"context"
	"database/sql"
)

// Blank inserts rows with nothing in them, leaves existing rows alone, and deletes its rows again.
type Blank struct{ Insert, TakeBack string }

// Among runs fn in the caller's transaction. fn reads rows with a lock, and the rows may not exist. Such a read would
// lock the gap and block all new rows beside it until the caller's transaction ends. So blanks are inserted first: an
// existing row is locked then, and nothing beside it. Where fn has met a blank row, the blanks are deleted.
func (h *Handle) Among(ctx context.Context, fn func(q Tx) (met bool, err error), blanks ...Blank) error {
	if err := h.Ready(); err != nil {
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

// TakeBlank renders the DELETE of a blank row t by its whole key; see Blank.
func TakeBlank(table, key, is string) string {
	return "DELETE t FROM " + table + " t " + ByKey + " WHERE " + key + " AND " + is
}

// Of renders a blank for a key.
func (b Blank) Of(key ...any) Blank {
	return Blank{Insert: Render(b.Insert, key...), TakeBack: Render(b.TakeBack, key...)}
}

// QueryAmong is Query for one row that may not be there; see Among. Scan reports whether a row is there, and not a blank one.
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
