package mysql

import (
	"context"
	"database/sql"
	"maps"
	"slices"
)

// Peek is Query that also sees what other transactions have written and not committed, where the server shows that.
func (h *Handle) Peek(ctx context.Context, statement string, scan func(*sql.Rows) error) error {
	if err := h.Ready(); err != nil {
		return err
	}
	return h.Again(ctx, func(a *Attempt) error {
		return a.peeking(ctx, func() error { return a.read(ctx, statement, scan) })
	})
}

// peeking runs fn as a transaction whose reads see that.
func (a *Attempt) peeking(ctx context.Context, fn func() error) error {
	if a.is.uncommitted {
		if err := a.setLevel(ctx, "READ UNCOMMITTED"); err != nil {
			return err
		}
	}
	return a.Reading(ctx, fn)
}

// ReadSettled reads rows that a transaction under way may be inserting: it waits for that one. Key is a locking read of the whole
// key of the first of them. It does not wait, and locks nothing, where the server shows that nobody is.
func (h *Handle) ReadSettled(ctx context.Context, statement, key string, scan func(*sql.Rows) error) error {
	if err := h.Ready(); err != nil {
		return err
	}
	nothing := func(*sql.Rows) error { return nil }
	return h.Again(ctx, func(a *Attempt) error {
		if !a.is.uncommitted {
			if err := a.readTx(ctx, key, nothing); err != nil {
				return err
			}
			return a.readTx(ctx, statement, scan)
		}
		written := false
		err := a.peeking(ctx, func() error {
			return Read(ctx, a, statement, func(*sql.Rows) error { written = true; return nil })
		})
		if err != nil || !written {
			return err
		}
		return a.readTx(ctx, statement+" FOR UPDATE", scan)
	})
}

// ReadWritten reads which of some keys have a row, and whether it is committed: false is one that a transaction under way is
// inserting. Plain and lock read the rows of a list of keys, the latter with a lock on the whole key of each. Key returns the key
// of a row, or none.
func (h *Handle) ReadWritten(
	ctx context.Context, keys []string, plain, lock string, key func(*sql.Rows) (string, error),
) (written map[string]bool, err error) {
	if err := h.Ready(); err != nil {
		return nil, err
	}
	note := func(committed bool) func(*sql.Rows) error {
		return func(rows *sql.Rows) error {
			k, err := key(rows)
			if k != "" {
				written[k] = committed
			}
			return err
		}
	}
	err = h.Again(ctx, func(a *Attempt) error {
		written = map[string]bool{}
		if !a.is.uncommitted {
			return a.peeking(ctx, func() error {
				skipped, err := ReadFree(ctx, h, a, keys, ByList(lock), note(true))
				for _, k := range skipped {
					written[k] = false
				}
				return err
			})
		}
		err := a.peeking(ctx, func() error { return Read(ctx, a, RenderList(plain, keys), note(false)) })
		if err != nil || len(written) == 0 {
			return err
		}
		return a.readTx(ctx, RenderList(plain, slices.Sorted(maps.Keys(written))), note(true))
	})
	return written, err
}

// ByList returns what renders a statement for some of its keys, whose only question mark stands for a list of them.
func ByList(statement string) func(keys []string) string {
	return func(keys []string) string { return RenderList(statement, keys) }
}

// QueryFree is ReadFree in the caller's transaction, or by itself: then also of rows that others have written and not committed,
// where the server shows them.
func QueryFree[K any](
	ctx context.Context, h *Handle, keys []K, statement func(keys []K) string, scan func(*sql.Rows) error,
) (skipped []K, err error) {
	if err := h.Ready(); err != nil {
		return nil, err
	}
	if h.Bound() {
		skipped, err = ReadFree(ctx, h, h.tx, keys, statement, scan)
		return skipped, Classify(err, Unsent)
	}
	err = h.Again(ctx, func(a *Attempt) error {
		return a.peeking(ctx, func() (err error) {
			skipped, err = ReadFree(ctx, h, a, keys, statement, func(rows *sql.Rows) error { a.given = true; return scan(rows) })
			return err
		})
	})
	return skipped, err
}

// ReadFree reads rows with a lock, by their keys, without those that others have locked: it waits for nobody. Statement
// renders the read of some keys, which ends with FOR UPDATE. Where the server says which it skips, their keys are returned, and
// if they are whole keys, those of rows that others are inserting as well.
func ReadFree[K any](
	ctx context.Context, h *Handle, q Tx, keys []K, statement func(keys []K) string, scan func(*sql.Rows) error,
) (skipped []K, err error) {
	d, err := h.dialectIn(ctx, q)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	if d.skips {
		return nil, Read(ctx, q, statement(keys)+" SKIP LOCKED", scan)
	}
	err = Read(ctx, q, statement(keys)+" NOWAIT", scan) // fails before it brings any row
	switch {
	case Number(err) != errNoWait:
		return nil, err
	case len(keys) == 1:
		return keys, nil
	}
	half := len(keys) / 2
	for _, part := range [][]K{keys[:half], keys[half:]} {
		some, err := ReadFree(ctx, h, q, part, statement, scan)
		if err != nil {
			return nil, err
		}
		skipped = append(skipped, some...)
	}
	return skipped, nil
}
