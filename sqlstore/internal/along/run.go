package along

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// The savepoint before a merged UPDATE whose rows are counted.
const (
	setCounted  = "SAVEPOINT holdfast_7d1c94e2_counted"
	undoCounted = "ROLLBACK TO SAVEPOINT holdfast_7d1c94e2_counted"
)

// Run runs the statements of some calls in a transaction, before the store's own first statement. It returns why single
// calls are refused, in their order, and whether the transaction is clean: nothing of the refused calls is left in it, and it
// may go on with the others. If it is not, roll it back, and run the others again.
//
// A refusal is *Error or *AffectedError. An error is *AloneError where some of the calls have to be made alone, and the others
// again without them. Any other error ends the transaction.
//
// Calls with the same texts are merged, statement by statement. Calls go sorted by their texts and each statement by its
// values, so two batches lock rows in the same order.
func Run(ctx context.Context, q mysql.Tx, calls []*Rows) (why []error, clean bool, err error) {
	b := &batch{q: q, calls: calls, why: make([]error, len(calls)), clean: true}
	order := make([]int, 0, len(calls))
	for i, c := range calls {
		if c != nil {
			order = append(order, i)
		}
	}
	if !slices.IsSortedFunc(order, b.compareTexts) { // mostly they have the same
		slices.SortStableFunc(order, b.compareTexts)
	}
	for len(order) > 0 {
		n := 1
		for n < len(order) && b.compareTexts(order[0], order[n]) == 0 {
			n++
		}
		switch err := b.run(ctx, order[:n:n]); {
		case errors.Is(err, errEnds):
			return b.why, false, nil
		case err != nil:
			return nil, false, err
		}
		order = order[n:]
	}
	return b.why, b.clean, nil
}

// errEnds is a transaction of which nobody knows what is left after the failure of one call.
var errEnds = errors.New("along: the transaction has to be rolled back")

// batch is the calls of one transaction.
type batch struct {
	q     mysql.Tx
	calls []*Rows
	why   []error
	clean bool
}

// compareTexts orders calls by their texts.
func (b *batch) compareTexts(i, j int) int {
	return slices.CompareFunc(b.calls[i].statements, b.calls[j].statements, func(s, t statement) int { return cmp.Compare(s.sql, t.sql) })
}

// run runs the statements of calls that have the same texts.
func (b *batch) run(ctx context.Context, calls []int) error {
	for at := range b.calls[calls[0]].statements {
		slices.SortFunc(calls, func(i, j int) int { // of the same values, the one that came first
			return cmp.Or(slices.CompareFunc(b.calls[i].statements[at].args, b.calls[j].statements[at].args, compare), cmp.Compare(i, j))
		})
		for rest := calls; len(rest) > 0; {
			n := b.fitting(rest, at)
			if err := b.exec(ctx, rest[:n], at); err != nil {
				return err
			}
			rest = rest[n:]
		}
		if calls = slices.DeleteFunc(calls, func(i int) bool { return b.why[i] != nil }); len(calls) == 0 {
			return nil
		}
	}
	return nil
}

// fitting returns how many of some calls, from the first on, have a statement that can be one.
func (b *batch) fitting(calls []int, at int) int {
	first := b.calls[calls[0]].statements[at]
	size := first.bytes
	for n := 1; n < len(calls); n++ {
		last, next := b.calls[calls[n-1]].statements[at], b.calls[calls[n]].statements[at]
		size += next.bytes
		if !last.joins(next) || (n+1)*first.marks > maxMarks || size > maxMerged || first.shape == update && n == maxKeys {
			return n
		}
	}
	return len(calls)
}

// joins reports whether a statement becomes one with another, of the same text, that is the next by its values.
func (s statement) joins(next statement) bool {
	if s.want != next.want || s.want >= 0 && s.want != s.rows {
		return false
	}
	switch s.shape {
	case insert:
		return true
	case update:
		last := len(s.args) - 1
		key, other := s.args[last], next.args[last]
		// A column IN a list is compared otherwise where the values are of several types. Two keys that differ only as values may
		// be the same to the column; not so integers that a double has exactly.
		return rank(key) == rank(other) && key != nil && compare(key, other) != 0 && (!s.counts || exact(key) && exact(other)) &&
			slices.EqualFunc(s.args[:last], next.args[:last], func(a, b any) bool { return compare(a, b) == 0 })
	case single:
	}
	return false
}

// exact reports whether a value is an integer that a double has exactly.
func exact(v any) bool {
	const most = 1 << 53
	n, ok := v.(int64)
	return ok && -most < n && n < most
}

// merged returns the statement that some calls have in common, and its values.
func (b *batch) merged(calls []int, at int) (query string, args []any) {
	s := b.calls[calls[0]].statements[at]
	if len(calls) == 1 {
		return s.sql, s.args
	}
	if s.shape == update {
		args = slices.Clone(s.args)
		for _, i := range calls[1:] {
			args = append(args, b.calls[i].statements[at].args[len(s.args)-1])
		}
		return s.head + " IN (" + mysql.List("?", len(calls)) + ")" + s.tail, args
	}
	args = make([]any, 0, len(calls)*s.marks)
	for _, i := range calls {
		args = append(args, b.calls[i].statements[at].args...)
	}
	return s.head + strings.TrimSuffix(strings.Repeat(s.groups+", ", len(calls)), ", ") + s.tail, args
}

// exec runs the statement that some calls have in common. What only one of them can be blamed for is found by halves.
func (b *batch) exec(ctx context.Context, calls []int, at int) error {
	s := b.calls[calls[0]].statements[at]
	counted := s.want >= 0 && (len(calls) == 1 || s.shape == update)
	if counted && len(calls) > 1 {
		if _, err := b.q.ExecContext(ctx, setCounted); err != nil {
			return err
		}
	}
	query, args := b.merged(calls, at)
	rows, err := mysql.Affected(b.q.ExecContext(ctx, query, args...))
	switch {
	case err != nil:
		return b.failed(ctx, calls, at, &Error{Index: at, Text: s.sql, Err: err})
	case !counted || rows == s.want*int64(len(calls)):
		return nil
	case len(calls) == 1:
		b.refuse(calls[0], &AffectedError{Index: at, Text: s.sql, Want: s.want, Got: rows}, at == 0 && rows == 0)
		return nil
	}
	if _, err := b.q.ExecContext(ctx, undoCounted); err != nil {
		return err
	}
	return b.halves(ctx, calls, at)
}

// halves runs a statement for the first half of its calls, and then for the second.
func (b *batch) halves(ctx context.Context, calls []int, at int) error {
	half := len(calls) / 2
	if err := b.exec(ctx, calls[:half], at); err != nil {
		return err
	}
	return b.exec(ctx, calls[half:], at)
}

// refuse refuses a call. It leaves the transaction clean where nothing of the call was done.
func (b *batch) refuse(call int, why error, clean bool) {
	b.why[call] = why
	b.clean = b.clean && clean
}

// failed finds the calls whose statement failed.
func (b *batch) failed(ctx context.Context, calls []int, at int, err *Error) error {
	scope := mysql.ScopeOf(err.Err)
	switch {
	case scope == mysql.WholeTransaction:
		return err
	case len(calls) > 1 && mysql.Unsendable(err):
		return b.halves(ctx, calls, at)
	case len(calls) > 1 && mysql.TooLarge(err): // the server has closed the connection
		return err
	case errors.Is(err, mysql.ErrStuck), scope == mysql.SomeStatement && len(calls) > 1:
		return &AloneError{Calls: slices.Clone(calls), Err: err}
	case len(calls) == 1:
		b.refuse(calls[0], err, at == 0)
		if scope == mysql.SomeStatement {
			return errEnds
		}
		return nil
	case scope == mysql.OneRow:
		return b.halves(ctx, calls, at)
	}
	// The text is wrong, for each call. The first shows whether that comes from the text as it was merged.
	if err := b.exec(ctx, calls[:1], at); err != nil {
		return err
	}
	if _, wrong := b.why[calls[0]].(*Error); !wrong { //nolint:errorlint // it is not wrapped
		return b.exec(ctx, calls[1:], at)
	}
	for _, i := range calls[1:] {
		b.refuse(i, b.why[calls[0]], at == 0)
	}
	return nil
}
