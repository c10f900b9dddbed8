package sqlstore

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// now is the store's clock: the server's, in UTC and so independent of the session's time
// zone, the same throughout a statement.
const now = "UTC_TIMESTAMP(6)"

// epoch is where integer times begin.
const epoch = "TIMESTAMP'1970-01-01 00:00:00'"

// micros returns the expression that reads a time as microseconds since the epoch: an integer,
// whatever parseTime and loc are.
func micros(expr string) string {
	return "TIMESTAMPDIFF(MICROSECOND, " + epoch + ", " + expr + ")"
}

// fromMicros returns the time of such an integer.
func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// render puts the arguments into the question marks of a statement as literals that no SQL
// mode, character set or DSN reads differently: decimal integers, hexadecimal strings, typed
// timestamps, NULL. So a statement is one round trip, where the driver by default prepares
// every statement that has arguments (github.com/go-sql-driver/mysql, interpolateParams), and
// the text is the same in the caller's transaction.
func render(query string, args ...any) string {
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

// literal writes one value.
func literal(b *strings.Builder, arg any) {
	switch v := arg.(type) {
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case int:
		b.WriteString(strconv.Itoa(v))
	case bool:
		if v {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	case string:
		b.WriteString("x'")
		b.WriteString(hex.EncodeToString([]byte(v)))
		b.WriteByte('\'')
	case time.Time:
		if v.IsZero() {
			b.WriteString("NULL")
			return
		}
		b.WriteString(v.UTC().Format("TIMESTAMP'2006-01-02 15:04:05.000000'"))
	case nil:
		b.WriteString("NULL")
	default:
		panic(fmt.Sprintf("sqlstore: no literal for %T", arg)) // a bug of this package
	}
}

// list returns item n times, separated by commas.
func list(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ")
}
