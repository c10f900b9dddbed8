package sqltest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each statement has one thing that a server does not have whom the statements are for, or that the list does not know.
func TestTooNewFinds(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		"INSERT INTO goods_stock (A) VALUES (?) AS n ON DUPLICATE KEY UPDATE A = n.A":   "alias of the new row",
		"INSERT INTO goods_stock (A) VALUES (?), (?) n ON DUPLICATE KEY UPDATE A = n.A": "alias of the new row",
		"INSERT INTO goods_stock SET A = ? AS n ON DUPLICATE KEY UPDATE A = n.A":        "alias of the new row, after SET",
		"SELECT A FROM (SELECT 1) l (A)":                                                "column names of a derived table",
		"VALUES ROW(1, 2)":                                                              "VALUES ROW()",
		"TABLE goods_stock":                                                             "TABLE statement",
		"INSERT INTO goods_stock (A) VALUES (?) RETURNING A":                            "RETURNING",
		"DELETE FROM goods_stock WHERE A = ? RETURNING A":                               "RETURNING",
		"SELECT A FROM goods_stock INTERSECT SELECT A FROM red_packet":                  "INTERSECT",
		"SELECT A FROM goods_stock EXCEPT SELECT A FROM red_packet":                     "EXCEPT",
		"SELECT A FROM goods_stock WHERE A = ? FOR SHARE":                               "FOR SHARE",
		"SELECT A FROM goods_stock s WHERE A = ? FOR UPDATE OF s":                       "lock of some tables",
		"SELECT A FROM goods_stock s FOR UPDATE WAIT 1":                                 "WAIT n",
		"SELECT s.A FROM goods_stock s JOIN LATERAL (SELECT 1) l":                       "LATERAL",
		"SELECT ANY_VALUE(A) FROM goods_stock":                                          "ANY_VALUE",
		"SELECT REGEXP_LIKE(A, ?) FROM goods_stock":                                     "REGEXP_LIKE",
		"SELECT UUID_TO_BIN(A) FROM goods_stock":                                        "UUID_TO_BIN",
		"SELECT JSON_VALUE(A, ?) FROM goods_stock":                                      "JSON_VALUE",
		"SELECT /*+ NO_INDEX(s) */ A FROM goods_stock s":                                "optimizer hint",
		"DELETE FROM goods_stock s WHERE s.A = ?":                                       "alias in DELETE FROM",
		"ALTER TABLE goods_stock ADD COLUMN IF NOT EXISTS A INT NULL":                   "ADD, DROP ... IF [NOT] EXISTS",
		"CREATE INDEX IF NOT EXISTS a ON goods_stock (A)":                               "CREATE INDEX IF NOT EXISTS",
		"ALTER TABLE goods_stock DROP CONSTRAINT a":                                     "DROP CONSTRAINT",
		"ALTER TABLE goods_stock DROP CHECK a":                                          "DROP CHECK",
		"CREATE TABLE goods_stock (A INT NOT NULL INVISIBLE)":                           "invisible column",
		"CREATE TABLE goods_stock (A INT NOT NULL, KEY a (A) INVISIBLE)":                "invisible index",
		"CREATE TABLE goods_stock (A INT NOT NULL, KEY a (A DESC))":                     "descending index",
		"CREATE TABLE goods_stock (A INT NOT NULL, KEY a ((A + 1)))":                    "index on an expression",
		"SET STATEMENT sql_safe_updates = 0 FOR UPDATE goods_stock SET A = 1":           "SET STATEMENT",
		"SELECT A FROM goods_stock WHERE A = FANCY(1)":                                  "not known: FANCY",
		"SELECT A FROM goods_stock WHERE A = fancy(1)":                                  "not known: fancy",
		"SELECT A FROM goods_stock QUALIFY A = 1":                                       "not known: QUALIFY",
		"SELECT A(1) FROM goods_stock":                                                  "not known: A",
		"SELECT COUNT(*) FROM goods_stock WHERE A = MAX_BY(A, A)":                       "not known: MAX_BY",
		"/*M! DELETE FROM goods_stock s WHERE A = 1 */ SELECT A FROM goods_stock":       "alias in DELETE FROM",
	} {
		found := TooNew(statement, []string{"A"})
		require.Len(t, found, 1, "%s: %q", statement, found)
		require.Contains(t, found[0], want, statement)
	}
	for _, statement := range []string{
		"/*M! SET STATEMENT sql_safe_updates = 0 FOR */ UPDATE goods_stock s FORCE INDEX (PRIMARY) SET s.A = IF(?, 'JSON_TABLE(', x'00')",
		"SELECT A FROM goods_stock WHERE A = ? FOR UPDATE SKIP LOCKED",
		"SELECT A FROM goods_stock WHERE A = ? FOR UPDATE NOWAIT",
		"WITH l AS (SELECT A, COUNT(*) OVER (ORDER BY A) AS N FROM goods_stock) SELECT A, N FROM l",
		"CREATE TABLE goods_stock (\n  A INT NOT NULL DEFAULT (1 + 1) COMMENT 'it''s FANCY(1)',\n  CONSTRAINT a CHECK (A >= 0)\n)",
		"ALTER TABLE goods_stock\n  ADD COLUMN A INT NULL,\n  ALGORITHM = INSTANT",
		"-- FANCY(1)\nDELETE s FROM goods_stock s WHERE s.A = ?",
	} {
		require.Empty(t, TooNew(statement, []string{"A"}), statement)
	}
}

func TestFeaturesOlderThanTheOldestServers(t *testing.T) {
	t.Parallel()
	require.False(t, older("8.0.16", "8.0.16"))
	require.True(t, older("8.0.16", "8.0.19"))
	require.False(t, older("10.6", "10.5.2"))
	require.True(t, older("10.6", "10.6.1"))
	require.True(t, older("10.6", never))
}
