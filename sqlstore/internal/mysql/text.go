package mysql

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Now is the store's clock: the server's, in UTC and so independent of the session's time
// zone, the same throughout a statement.
const Now = "UTC_TIMESTAMP(6)"

// Epoch is where integer times begin.
const Epoch = "TIMESTAMP'1970-01-01 00:00:00'"

// Micros returns the expression that reads a time as microseconds since the epoch: an integer,
// whatever parseTime and loc are.
func Micros(expr string) string {
	return "TIMESTAMPDIFF(MICROSECOND, " + Epoch + ", " + expr + ")"
}

// FromMicros returns the time of such an integer.
func FromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// Render puts the arguments into the question marks of a statement as literals that no SQL
// mode, character set or DSN reads differently: decimal integers, hexadecimal strings, typed
// timestamps, NULL. So a statement is one round trip, where the driver by default prepares
// every statement that has arguments (github.com/go-sql-driver/mysql, interpolateParams), and
// the text is the same in the caller's transaction.
func Render(query string, args ...any) string {
	var b strings.Builder
	b.Grow(len(query) + 24*len(args))
	for _, arg := range args {
		i := strings.IndexByte(query, '?')
		b.WriteString(query[:i])
		query = query[i+1:]
		literal(&b, arg)
	}
	b.WriteString(query)
	return b.String()
}

// Expr is an expression as an argument of Render.
type Expr string

// literal writes one value.
func literal(b *strings.Builder, arg any) {
	switch v := arg.(type) {
	case int64:
		Integer(b, v)
	case int:
		Integer(b, int64(v))
	case bool:
		if v {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	case string:
		BytesLiteral(b, v)
	case time.Time:
		if v.IsZero() {
			b.WriteString("NULL")
			return
		}
		b.WriteString(v.UTC().Format("TIMESTAMP'2006-01-02 15:04:05.000000'"))
	case decimal.Decimal:
		b.WriteString(v.String()) // a decimal literal is exact
	case Expr:
		b.WriteString(string(v))
	case nil:
		b.WriteString("NULL")
	default:
		panic(fmt.Sprintf("sqlstore: no literal for %T", arg)) // a bug of this package
	}
}

// Timestamp returns a time, which is of UTC, as a column without a time zone takes it.
func Timestamp(t time.Time) string { return t.Format("'2006-01-02 15:04:05.000000'") }

// From returns the time behind which a page of an ascending list begins, and Before that of a descending one, whose newest rows come
// first. The beginning of a list is before or behind all times that are kept.
func From(beginning bool, at time.Time) time.Time {
	if beginning {
		return time.UnixMicro(0)
	}
	return at
}

// Before is From for a list whose newest rows come first.
func Before(beginning bool, at time.Time) time.Time {
	if beginning {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return at
}

// Integer writes a number.
func Integer(b *strings.Builder, n int64) {
	var digits [20]byte
	b.Write(strconv.AppendInt(digits[:0], n, 10))
}

// BytesLiteral writes a string, byte for byte.
func BytesLiteral(b *strings.Builder, s string) {
	const digits = "0123456789abcdef"
	b.WriteString("x'")
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	b.WriteByte('\'')
}

// RenderList renders a statement whose only question mark stands for a long list of strings.
func RenderList(query string, values []string) string {
	before, behind, _ := strings.Cut(query, "?")
	var b strings.Builder
	b.Grow(len(query) + 40*len(values))
	b.WriteString(before)
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		BytesLiteral(&b, v)
	}
	b.WriteString(behind)
	return b.String()
}

// ByLines lets a statement through whose join is driven by rows in its own text. MariaDB takes these for a table
// without a key, and refuses the statement with sql_safe_updates (error 1175), although it finds each changed row by
// its key. MySQL reads it as a comment.
const ByLines = "/*M! SET STATEMENT sql_safe_updates = 0 FOR */ "

// Driven puts ByLines in front of an UPDATE that brings n rows along; a single row is no table.
func Driven(n int, update string) string {
	if n < 2 {
		return update
	}
	return ByLines + update
}

// List returns item n times, separated by commas.
func List(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ")
}

// FromNullMicros is FromMicros with the zero time for NULL.
func FromNullMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return FromMicros(n.Int64)
}

// ReadClock reads the clock alone.
const ReadClock = "SELECT TIMESTAMPDIFF(MICROSECOND, " + Epoch + ", " + Now + ")"

// NullTimestamp is Timestamp with NULL for the zero time.
func NullTimestamp(t time.Time) string {
	if t.IsZero() {
		return "NULL"
	}
	return Timestamp(t)
}

// AnyOf returns values as arguments of Render.
func AnyOf[T any](values []T) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

// ByKey is the hint that finds the rows of a join by their primary key. Without it a server may scan a table
// that it takes for small, and lock every row of it.
const ByKey = "FORCE INDEX (PRIMARY)"

// By renders the hint for the index that a statement has to use.
func By(table, index string) string { return "FORCE INDEX (" + table + "_" + index + ")" }

// MaxList is how many values one list in a statement has at most: from 1,000 on MariaDB handles a list differently
// (in_predicate_conversion_threshold).
const MaxList = 900
