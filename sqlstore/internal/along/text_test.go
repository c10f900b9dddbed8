package along

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
)

func TestTextsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"", " ", "-- INSERT INTO t VALUES (1)", "/* nothing */", ";",
		"SELECT 1", "SET x = 1", "CREATE TABLE t (a INT)", "COMMIT", "CALL p()", "WITH c AS (SELECT 1) UPDATE t SET a = 1",
		"(INSERT INTO t VALUES (1))",
		"INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1);;", "INSERT INTO t VALUES (1) ; -- one\nCOMMIT",
		"INSERT INTO t VALUES (@a)", "UPDATE t SET a = @a := 1", "UPDATE t SET a = @@version",
		"INSERT INTO t VALUES (LAST_INSERT_ID())", "insert into t values (last_insert_id())", "INSERT INTO t VALUES (`Last_Insert_Id`())",
		"INSERT INTO t VALUES ('a\\'b')", "INSERT INTO t VALUES (\"\\\\\")",
		"INSERT INTO t VALUES ('a)", "INSERT INTO t VALUES (`a)", "INSERT INTO t VALUES (1) /* no end", "INSERT INTO t VALUES ('it''s)",
		"INSERT INTO t VALUES (1) /*! ON DUPLICATE KEY UPDATE a = 1 */", "/*M!100000 INSERT */ INTO t VALUES (1)",
		"INSERT INTO t VALUES (" + strings.Repeat("?,", maxMarks) + "?)",
	} {
		_, err := read(sql)
		require.ErrorIs(t, err, fault.ErrInvalid, sql)
	}
}

// The shapes of texts, as they merge, and what three of them become; a statement that does not merge stands as it is.
func TestTextsAsTheyMerge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sql, merged string }{
		// INSERT.
		{"INSERT INTO t VALUES (?)", "INSERT INTO t VALUES (?), (?), (?)"},
		{"insert t values(?)", "insert t values(?), (?), (?)"},
		{"INSERT INTO t VALUE (?);", "INSERT INTO t VALUE (?), (?), (?)"},
		{"INSERT INTO shop.`order` (`a`, b) VALUES (?, 1)", "INSERT INTO shop.`order` (`a`, b) VALUES (?, 1), (?, 1), (?, 1)"},
		{"INSERT INTO t (a, b) VALUES (?, COALESCE(NOW(), ')?'))", "INSERT INTO t (a, b) VALUES (?, COALESCE(NOW(), ')?'))" +
			", (?, COALESCE(NOW(), ')?')), (?, COALESCE(NOW(), ')?'))"},
		{"-- name: PlaceOrder :exec\nINSERT INTO t VALUES (?) -- why?", "-- name: PlaceOrder :exec\n" +
			"INSERT INTO t VALUES (?), (?), (?) -- why?"},
		{"INSERT INTO t VALUES (?), (2)", "INSERT INTO t VALUES (?), (2), (?), (2), (?), (2)"},
		{"INSERT INTO t VALUES ('it''s', ?) # ?", "INSERT INTO t VALUES ('it''s', ?), ('it''s', ?), ('it''s', ?) # ?"},
		{"INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = 1", ""},
		{"INSERT INTO t VALUES (?) AS n ON DUPLICATE KEY UPDATE a = n.a", ""},
		{"INSERT INTO t VALUES (?) RETURNING a", ""},
		{"INSERT IGNORE INTO t VALUES (?)", ""},
		{"INSERT IGNORE t VALUES (?)", ""},
		{"INSERT INTO t PARTITION (p) VALUES (?)", ""},
		{"INSERT INTO t VALUES ROW(?)", ""},
		{"INSERT INTO t SET a = ?", ""},
		{"INSERT INTO t SELECT ?", ""},
		{"INSERT INTO t VALUES ((SELECT a FROM u WHERE b = ?))", ""},
		{"INSERT INTO t VALUES (?", ""},
		{"REPLACE INTO t VALUES (?)", ""},

		// UPDATE.
		{"UPDATE t SET a = 1 WHERE id = ?", "UPDATE t SET a = 1 WHERE id IN (?, ?, ?)"},
		{"update shop.t o set o.a = 'x', b=NOW() where o.`id`=? -- which?", "update shop.t o set o.a = 'x', b=NOW() where o.`id` IN (?, ?, ?)" +
			" -- which?"},
		{"UPDATE t SET a=1 WHERE id=?", "UPDATE t SET a=1 WHERE id IN (?, ?, ?)"},
		{"UPDATE t AS o SET paid_at = DATE_ADD(UTC_TIMESTAMP(6), INTERVAL 3 DAY) WHERE id = ?;",
			"UPDATE t AS o SET paid_at = DATE_ADD(UTC_TIMESTAMP(6), INTERVAL 3 DAY) WHERE id IN (?, ?, ?)"},
		{"UPDATE t AS o SET a = 1 WHERE (o.id = ?)", "UPDATE t AS o SET a = 1 WHERE (o.id IN (?, ?, ?))"},
		{"UPDATE t SET a = 1 WHERE (id = ?) AND b = 1", ""},
		{"UPDATE t SET a = 1 WHERE (id = ?", ""},
		{"UPDATE t SET a = 1 WHERE (id) = ?", ""},
		{"UPDATE t SET id = 1 WHERE (id = ?)", ""},
		{"UPDATE t SET a = 1 WHERE id >= ?", ""},
		{"UPDATE t SET a = 1 WHERE id <=> ?", ""},
		{"UPDATE t SET a = 1 WHERE NOT id = ?", ""},
		{"UPDATE t SET a = 1 WHERE id = ? AND b = 1", ""},
		{"UPDATE t SET a = 1 WHERE b = 1 AND id = ?", ""},
		{"UPDATE t SET a = 1 WHERE id = ? LIMIT 1", ""},
		{"UPDATE t SET a = 1 WHERE id = ? ORDER BY b", ""},
		{"UPDATE IGNORE t SET a = 1 WHERE id = ?", ""},
		{"UPDATE t, u SET a = 1 WHERE id = ?", ""},
		{"UPDATE t JOIN u USING (x) SET a = 1 WHERE id = ?", ""},
		{"UPDATE t SET id = 1 WHERE id = ?", ""},
		{"UPDATE t SET a = 1, t.`ID` = 2 WHERE id = ?", ""},
		{"UPDATE t SET a = (SELECT MAX(a) FROM u) WHERE id = ?", ""},
		{"UPDATE t SET a = ?", ""},
		{"DELETE FROM t WHERE id = ?", ""},
	} {
		var calls []*Rows
		for i := range 3 {
			var r *Rows
			calls = append(calls, r.Add(c.sql, i))
			require.NoError(t, calls[i].Err(), c.sql)
		}
		b := &batch{calls: calls}
		n := b.fitting([]int{0, 1, 2}, 0)
		if c.merged == "" {
			require.Equal(t, 1, n, c.sql)
			continue
		}
		require.Equal(t, 3, n, c.sql)
		query, args := b.merged([]int{0, 1, 2}, 0)
		require.Equal(t, c.merged, query)
		require.Equal(t, []any{int64(0), int64(1), int64(2)}, args)
	}
}

// Which statements of one text become one depends on their values.
func TestStatementsThatJoin(t *testing.T) {
	t.Parallel()
	type values []any
	const (
		status = "UPDATE t SET status = ? WHERE id = ?"
		count  = "UPDATE t SET orders = orders + ? WHERE id = ?"
		quoted = `UPDATE t SET a = "b", c = ? WHERE id = ?` // a column with ANSI_QUOTES
		insert = "INSERT INTO t VALUES (?, ?)"
	)
	for _, c := range []struct {
		sql   string
		a, b  values
		joins bool
	}{
		{insert, values{1, 1}, values{1, "x"}, true},
		{status, values{"paid", "a"}, values{"paid", "b"}, true},
		{status, values{"paid", 1}, values{"paid", 2}, true},
		{status, values{"paid", "a"}, values{"void", "b"}, false},
		{status, values{"paid", "a"}, values{"paid", "a"}, false}, // a trigger may count them
		{status, values{"paid", 1}, values{"paid", "a"}, false},   // a list of several types compares numbers
		{status, values{"paid", nil}, values{"paid", nil}, false},
		{count, values{1, 1}, values{1, 2}, true},
		{count, values{1, "a"}, values{1, "A"}, false}, // one row, where the collation says so
		{count, values{1, int64(1) << 53}, values{1, int64(1)<<53 + 1}, false},
		{quoted, values{1, "a"}, values{1, "b"}, false},
		{quoted, values{1, 1}, values{1, 2}, true},
	} {
		var none *Rows
		a, b := none.Add(c.sql, c.a...), none.Add(c.sql, c.b...)
		require.NoError(t, a.Err())
		require.NoError(t, b.Err())
		require.Equal(t, c.joins, a.statements[0].joins(b.statements[0]), "%s: %v, %v", c.sql, c.a, c.b)
		a = a.Affects(1)
		require.False(t, a.statements[0].joins(b.statements[0]), "one is counted")
		require.Equal(t, c.joins, a.statements[0].joins(b.Affects(1).statements[0]), "both are")
		require.False(t, a.Affects(2).statements[0].joins(b.Affects(2).statements[0]), "of a sum nobody knows the parts")
	}
}

func TestMergedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	var none *Rows
	fit := func(row *Rows, n int) int {
		b, order := &batch{}, make([]int, n)
		for i := range n {
			b.calls, order[i] = append(b.calls, row), i
		}
		return b.fitting(order, 0)
	}
	require.Equal(t, 900, fit(none.Add("INSERT INTO t VALUES (?)", 1), 900))
	b, order := &batch{}, make([]int, 900)
	for i := range order {
		b.calls, order[i] = append(b.calls, none.Add("UPDATE t SET a = 1 WHERE id = ?", i)), i
	}
	require.Equal(t, maxKeys, b.fitting(order, 0))
	require.Equal(t, maxMarks/100, fit(none.Add("INSERT INTO t VALUES (?"+strings.Repeat(", ?", 99)+")", make([]any, 100)...), 900))
	require.Equal(t, maxMerged/1000, fit(none.Add("INSERT INTO t VALUES (?)", strings.Repeat("x", 1000)), 900))
}

// A list of statements does not change: what is added to it is in another one.
func TestRowsAreValues(t *testing.T) {
	t.Parallel()
	var none *Rows
	one := none.Add("DELETE FROM t")
	two, other := one.Add("DELETE FROM u").Affects(1), one.Add("DELETE FROM v")
	require.NoError(t, one.Affects(3).Err())
	require.Len(t, one.statements, 1)
	require.Equal(t, int64(-1), one.statements[0].want)
	require.Equal(t, "DELETE FROM u", two.statements[1].sql)
	require.Equal(t, int64(1), two.statements[1].want)
	require.Equal(t, "DELETE FROM v", other.statements[1].sql)
	require.Zero(t, none.Bytes())
	require.Equal(t, len("DELETE FROM t"), one.Bytes())
}

func TestRowsThatAreRefused(t *testing.T) {
	t.Parallel()
	var none, many *Rows
	for range MaxStatements {
		many = many.Add("DELETE FROM t WHERE a = ?", 1)
		require.NoError(t, many.Err())
	}
	for name, rows := range map[string]*Rows{
		"too many":                    many.Add("DELETE FROM t"),
		"too long":                    none.Add("DELETE FROM t WHERE a = ?", strings.Repeat("x", MaxBytes)),
		"an argument is missing":      none.Add("DELETE FROM t WHERE a = ?"),
		"an argument too many":        none.Add("DELETE FROM t WHERE a = '?'", 1),
		"a value that is none":        none.Add("DELETE FROM t WHERE a = ?", struct{}{}),
		"Affects of nothing":          none.Affects(1),
		"Affects of less":             none.Add("DELETE FROM t").Affects(-1),
		"something wrong, then right": none.Add("SELECT 1").Add("DELETE FROM t"),
	} {
		require.ErrorIs(t, rows.Err(), fault.ErrInvalid, name)
		require.ErrorIs(t, rows.Affects(1).Err(), fault.ErrInvalid, name)
	}
}

// Whatever the text is, a statement of several calls has the placeholders of each, or the key of each.
func FuzzTexts(f *testing.F) {
	for _, sql := range []string{
		"INSERT INTO t (a) VALUES (?, NOW(), '(?') -- ?", "UPDATE t SET a = ?, b = \"c\" WHERE `id`=?;", "REPLACE INTO t VALUES (?), (?)",
		"INSERT INTO t VALUES ((?), (?", "UPDATE t SET WHERE = ?", "DELETE /* ? */ FROM t # ?", "UPDATE SET SET a WHERE b.c = ?",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		read, err := parse(sql)
		if err != nil {
			require.ErrorIs(t, err, fault.ErrInvalid)
			return
		}
		var none *Rows
		rows := none.Add(sql, make([]any, read.marks)...)
		if rows.Err() != nil || read.shape == single {
			return
		}
		query, args := (&batch{calls: []*Rows{rows, rows, rows}}).merged([]int{0, 1, 2}, 0)
		merged, err := parse(query)
		require.NoError(t, err, query)
		require.Len(t, args, merged.marks, query)
	})
}
