// Package along runs the shop's own statements in the transactions of the store: INSERT, REPLACE, UPDATE and DELETE of the
// shop's tables. Statements of several calls become one where that has the same effect.
package along

import (
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// The bounds of one call and of one statement.
const (
	MaxStatements = 64        // of one call
	MaxBytes      = 256 << 10 // of the texts and values of one call
	maxKeys       = 64        // of one UPDATE; with more of them than a tenth of the table, a server reads and locks all of it
	maxMarks      = 65_535    // placeholders of one statement; the protocol counts them in 16 bits
	maxMerged     = 256 << 10 // bytes of the values of one merged statement; escapes may double them, and a packet has 1 MiB
)

// Rows are the statements of one call, in their order. They do not change: Add and Affects return others. Nil has none.
type Rows struct {
	statements []statement
	bytes      int
	err        error
}

// statement is a text with its values.
type statement struct {
	*text
	args  []any // converted: what a driver takes
	bytes int   // of the values
	want  int64 // how many rows it must affect; any where it is negative
}

// Add returns the statements with another one behind them. It reads the text and converts the values at once. What is wrong
// with them is in Err.
func (r *Rows) Add(sql string, args ...any) *Rows {
	added := r.copy()
	s := statement{want: -1}
	var err error
	if s.text, err = read(sql); err == nil {
		s.args, s.bytes, err = values(args)
	}
	added.bytes += len(sql) + s.bytes
	switch {
	case added.err != nil:
		return added
	case err != nil:
	case len(args) != s.marks:
		err = fault.Invalid("along", "has %d placeholders and %d arguments: %q", s.marks, len(args), sql)
	case len(added.statements) == MaxStatements:
		err = fault.Invalid("along", "must have %d statements at most", MaxStatements)
	case added.bytes > MaxBytes:
		err = fault.Invalid("along", "must have %d bytes at most, has %d", MaxBytes, added.bytes)
	}
	added.err = err
	added.statements = append(added.statements, s)
	return added
}

// Affects returns the statements with the number of rows that the last of them must affect.
func (r *Rows) Affects(n int64) *Rows {
	counted := r.copy()
	switch last := len(counted.statements) - 1; {
	case counted.err != nil:
	case last < 0:
		counted.err = fault.Invalid("affects", "must follow a statement")
	case n < 0:
		counted.err = fault.Invalid("affects", "must not be negative, is %d", n)
	default:
		counted.statements[last].want = n
	}
	return counted
}

// copy returns the statements in a list of their own.
func (r *Rows) copy() *Rows {
	if r == nil {
		return &Rows{}
	}
	own := *r
	own.statements = slices.Clone(r.statements)
	return &own
}

// Err returns what is wrong with the statements, which is ErrInvalid, or nil.
func (r *Rows) Err() error {
	if r == nil {
		return nil
	}
	return r.err
}

// Bytes returns how long the statements are, with their values.
func (r *Rows) Bytes() int {
	if r == nil {
		return 0
	}
	return r.bytes
}
