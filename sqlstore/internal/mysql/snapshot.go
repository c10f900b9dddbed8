package mysql

import "context"

// Snapshot runs fn as a transaction that changes nothing, whose reads are all of one moment. It runs fn again where the
// server says that a retry may help.
func (h *Handle) Snapshot(ctx context.Context, fn func(q Tx) error) error {
	if err := h.Ready(); err != nil {
		return err
	}
	return h.Again(ctx, func(a *Attempt) error {
		if !a.is.repeats {
			if err := a.setLevel(ctx, "REPEATABLE READ"); err != nil {
				return err
			}
		}
		return a.Reading(ctx, func() error { return fn(a) })
	})
}
