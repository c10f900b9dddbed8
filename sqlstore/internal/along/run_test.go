package along

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	ours "github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

const (
	order  = "INSERT INTO shop_order (id, buyer, cents) VALUES (?, ?, ?)"
	paid   = "UPDATE shop_order SET status = 'paid' WHERE id = ?"
	count  = "UPDATE shop_buyer SET orders = orders + 1 WHERE id = ?"
	upsert = "INSERT INTO shop_buyer (id, orders) VALUES (?, 1) ON DUPLICATE KEY UPDATE orders = orders + 1"
)

// shop is a database with tables of a shop.
type shop struct {
	t      testing.TB
	db     *sqltest.DB
	handle *ours.Handle
}

// open makes a shop, with the buyers 1 to 3.
func open(t testing.TB, variant sqltest.Variant) *shop {
	t.Helper()
	s := &shop{t: t, db: sqltest.Open(t, variant)}
	s.handle = ours.NewHandle(s.db.DB)
	for _, statement := range []string{
		"CREATE TABLE shop_buyer (id INT PRIMARY KEY, orders INT NOT NULL DEFAULT 0) ENGINE = InnoDB",
		"CREATE TABLE shop_order (id VARBINARY(64) PRIMARY KEY, buyer INT NOT NULL, cents INT NOT NULL, status VARCHAR(8), at DATETIME(6)," +
			" CONSTRAINT cents_positive CHECK (cents >= 0), CONSTRAINT buyer_known FOREIGN KEY (buyer) REFERENCES shop_buyer (id)) ENGINE = InnoDB",
		"INSERT INTO shop_buyer (id) VALUES (1), (2), (3)",
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	s.db.Wire.Statements()
	return s
}

// run runs the statements of calls in a transaction that is kept where it is clean. A busy server may have no answer in time; then it
// runs them again, as a batch does.
func (s *shop) run(calls ...*Rows) (why []error, clean bool, err error) {
	s.t.Helper()
	for range 20 {
		if why, clean, err = s.once(calls...); !errors.Is(err, ours.ErrStuck) {
			break
		}
	}
	return why, clean, err
}

// once does so without running them again.
func (s *shop) once(calls ...*Rows) (why []error, clean bool, err error) {
	s.t.Helper()
	for i, c := range calls {
		require.NoError(s.t, c.Err(), i)
	}
	kept, err := s.handle.Atomically(s.t.Context(), func(q ours.Tx) (bool, error) {
		why, clean, err = Run(s.t.Context(), s.handle.WatchForeign(q), calls)
		return clean, err
	})
	require.Equal(s.t, clean && err == nil, kept)
	return why, clean, err
}

// sent returns the statements of the shop that were sent since the last call.
func (s *shop) sent() []string {
	return slices.DeleteFunc(s.db.Wire.Statements(), func(statement string) bool {
		return strings.HasPrefix(statement, "SELECT") || !strings.Contains(statement, "shop_") && !strings.Contains(statement, "SAVEPOINT")
	})
}

// number reads a number.
func (s *shop) number(query string) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.db.QueryRowContext(s.t.Context(), query).Scan(&n))
	return n
}

// orders returns calls that each place an order of buyer 1, from o-000 on.
func orders(n int) []*Rows {
	calls := make([]*Rows, n)
	for i := range calls {
		calls[i] = calls[i].Add(order, fmt.Sprintf("o-%03d", i), 1, i)
	}
	return calls
}

// refused returns the places of calls that are refused.
func refused(why []error) (at []int) {
	for i, err := range why {
		if err != nil {
			at = append(at, i)
		}
	}
	return at
}

// failure demands that an error is that of a statement, for a reason that the server has numbers for.
func failure(t testing.TB, err error, index int, numbers ...uint16) {
	t.Helper()
	var failed *Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, index, failed.Index)
	var server *mysql.MySQLError
	require.ErrorAs(t, err, &server)
	require.Contains(t, numbers, server.Number)
	for _, class := range []error{
		fault.ErrInvalid, fault.ErrUnavailable, fault.ErrUnknown, fault.ErrStore, fault.ErrDrift, fault.ErrOverflow,
	} {
		require.NotErrorIs(t, err, class, "what it means is for the shop to say")
	}
}

func TestCallsOfOneTextAreOneStatement(t *testing.T) {
	t.Parallel()
	for _, variant := range sqltest.Variants() {
		t.Run(variant.Name, func(t *testing.T) {
			t.Parallel()
			s := open(t, variant)
			calls := orders(256)
			for i := range calls {
				calls[i] = calls[i].Add(count, i%3+1)
			}
			slices.Reverse(calls)
			calls = append(calls, nil) // one that carries nothing
			why, clean, err := s.run(calls...)
			require.NoError(t, err)
			require.True(t, clean)
			require.Empty(t, refused(why))
			require.Len(t, why, 257)
			require.Equal(t, 256, s.number("SELECT COUNT(*) FROM shop_order"))
			require.Equal(t, 86, s.number("SELECT orders FROM shop_buyer WHERE id = 1"), "each call has counted")
			sent := s.sent()
			require.True(t, strings.HasPrefix(sent[0], order+", (?, ?, ?), (?"), sent[0])
			require.Len(t, sent, 1+254, "two calls that follow each other count for different buyers")

			calls = nil
			for i := range 256 {
				var none *Rows
				calls = append(calls, none.Add(paid, fmt.Sprintf("o-%03d", i)).Affects(1))
			}
			_, clean, err = s.run(calls...)
			require.NoError(t, err)
			require.True(t, clean)
			require.Equal(t, 256, s.number("SELECT COUNT(*) FROM shop_order WHERE status = 'paid'"))
			sent = s.sent()
			require.Len(t, sent, 2*256/maxKeys, "savepoints and UPDATEs")
			require.True(t, strings.HasPrefix(sent[1], "UPDATE shop_order SET status = 'paid' WHERE id IN (?, ?"), sent[1])
		})
	}
}

// Values are what a statement of the shop's own would have written: times in the time zone of the DSN.
func TestValuesFollowTheDSN(t *testing.T) {
	t.Parallel()
	for _, variant := range sqltest.Variants() {
		s := open(t, variant)
		const timed = "INSERT INTO shop_order (id, buyer, cents, status, at) VALUES (?, ?, ?, ?, ?)"
		at := time.Date(2026, 11, 11, 20, 0, 0, 0, time.UTC)
		_, err := s.db.ExecContext(t.Context(), timed, "by hand", 1, uint8(5), "it's ?", at)
		require.NoError(t, err)
		var none *Rows
		why, clean, err := s.run(none.Add(timed, "a", 1, uint8(5), "it's ?", at), none.Add(timed, "b", 1, uint8(5), "it's ?", &at))
		require.NoError(t, err)
		require.True(t, clean)
		require.Empty(t, refused(why))
		require.Equal(t, 1, s.number("SELECT COUNT(DISTINCT at, status, cents) FROM shop_order"), variant.Name)
	}
}

func TestDuplicateInTheMiddleOf256(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	_, err := s.db.ExecContext(t.Context(), order, "o-128", 2, 7)
	require.NoError(t, err)
	s.sent()
	why, clean, err := s.run(orders(256)...)
	require.NoError(t, err)
	require.True(t, clean, "the server has undone the statement")
	require.Equal(t, []int{128}, refused(why))
	failure(t, why[128], 0, 1062)
	require.Equal(t, 256, s.number("SELECT COUNT(*) FROM shop_order"))
	require.Equal(t, 2, s.number("SELECT buyer FROM shop_order WHERE id = 'o-128'"))
	if !sqltest.TiDB() { // which may have the transaction made again
		require.LessOrEqual(t, len(s.sent()), 2*9, "by halves")
	}
}

// Each call has the error of its own row.
func TestRowsThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	calls := orders(64)
	var none *Rows
	calls[3] = none.Add(order, "o-004", 1, 0) // of the next one, and in front of it
	calls[7] = none.Add(order, "o-007", 1, -1)
	calls[20] = none.Add(order, "o-020", 1, nil)
	calls[21] = none.Add(order, "o-021", 9, 1)
	calls[40] = none.Add(order, strings.Repeat("o", 65), 1, 1)
	calls[63] = none.Add(order, "o-063", 1, int64(1)<<40)
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Equal(t, []int{4, 7, 20, 21, 40, 63}, refused(why))
	failure(t, why[4], 0, 1062)
	failure(t, why[7], 0, 3819, 4025)
	failure(t, why[20], 0, 1048)
	failure(t, why[21], 0, 1452)
	failure(t, why[40], 0, 1406)
	failure(t, why[63], 0, 1264)
	require.Equal(t, 58, s.number("SELECT COUNT(*) FROM shop_order"))
}

// A text that the server does not take is wrong for each of its calls, and for no other.
func TestTextThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	calls := orders(32)
	var none *Rows
	for i := range 8 {
		calls[i] = none.Add("INSERT INTO shop_order (id, sku) VALUES (?, ?)", i, 1)
		calls[i+8] = none.Add("INSERT INTO shop_item VALUES (?)", i)
	}
	s.sent()
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, refused(why))
	failure(t, why[7], 0, 1054)
	failure(t, why[8], 0, 1146)
	require.Equal(t, 16, s.number("SELECT COUNT(*) FROM shop_order"))
	require.Len(t, s.sent(), 1+2+2)
}

// A call whose second statement fails has done its first: the transaction must not go on.
func TestSecondStatementThatFails(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	calls := orders(8)
	for i := range calls {
		calls[i] = calls[i].Add("INSERT INTO shop_buyer (id) VALUES (?)", 10+i)
	}
	var none *Rows
	calls[5] = none.Add(order, "o-005", 1, 1).Add("INSERT INTO shop_buyer (id) VALUES (?)", 1)
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.False(t, clean)
	require.Equal(t, []int{5}, refused(why))
	failure(t, why[5], 1, 1062)
	require.Zero(t, s.number("SELECT COUNT(*) FROM shop_order"))

	why, clean, err = s.run(slices.Delete(calls, 5, 6)...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Empty(t, refused(why))
	require.Equal(t, 7, s.number("SELECT COUNT(*) FROM shop_order"))
	require.Equal(t, 10, s.number("SELECT COUNT(*) FROM shop_buyer"))
}

func TestAffectedRows(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	_, _, err := s.run(orders(64)...)
	require.NoError(t, err)
	var calls []*Rows
	for i := range 64 {
		var none *Rows
		id := fmt.Sprintf("o-%03d", i)
		if i == 9 || i == 50 {
			id = "missing-" + id
		}
		calls = append(calls, none.Add(paid, id).Affects(1))
	}
	s.sent()
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.True(t, clean, "they have changed nothing")
	require.Equal(t, []int{9, 50}, refused(why))
	require.Equal(t, &AffectedError{Text: paid, Want: 1}, why[9])
	require.Equal(t, 62, s.number("SELECT COUNT(*) FROM shop_order WHERE status = 'paid'"))
	require.Less(t, len(s.sent()), 64, "by halves")

	// One that changes too many rows has changed them.
	var none *Rows
	why, clean, err = s.run(none.Add("UPDATE shop_order SET status = 'void' WHERE buyer = ?", 1).Affects(2),
		none.Add(paid, "o-000").Affects(0))
	require.NoError(t, err)
	require.False(t, clean)
	require.Equal(t, []int{0}, refused(why))
	var affected *AffectedError
	require.ErrorAs(t, why[0], &affected)
	require.Equal(t, int64(64), affected.Got)

	// An INSERT is counted, too.
	why, clean, err = s.run(none.Add(order, "new", 1, 1).Affects(1), none.Add(order, "new-2", 1, 1).Affects(1),
		none.Add(upsert, 1).Affects(2), none.Add(order+", (?, 1, 1)", "new-3", 1, 1, "new-4").Affects(2))
	require.NoError(t, err)
	require.True(t, clean)
	require.Empty(t, refused(why))
}

// Statements that do not merge run one by one, in the order of their calls' texts and values.
func TestStatementsRunInOneOrder(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	var none *Rows
	calls := []*Rows{
		none.Add(upsert, 3), none.Add(order, "b", 1, 1).Add(upsert, 2), none.Add(upsert, 1), none.Add(order, "a", 1, 1).Add(upsert, 2),
		none.Add("DELETE FROM shop_order WHERE id = ?", "x"),
	}
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Empty(t, refused(why))
	require.Equal(t, []string{"DELETE FROM shop_order WHERE id = ?", upsert, upsert, order + ", (?, ?, ?)", upsert, upsert}, s.sent())
	require.Equal(t, 2, s.number("SELECT orders FROM shop_buyer WHERE id = 2"))
}

// Another transaction has a row. Its call has to go alone, and the others need not wait for it.
func TestStuckStatement(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variants()[0])
	tx, err := s.db.Pool(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), order, "o-003", 1, 1)
	require.NoError(t, err)

	calls := orders(8)
	var none *Rows
	calls = append(calls, none.Add(upsert, 2))
	for range 5 {
		began := time.Now()
		_, _, err = s.once(calls...)
		var alone *AloneError
		require.ErrorAs(t, err, &alone)
		require.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, alone.Calls)
		require.ErrorIs(t, err, ours.ErrStuck)
		require.ErrorIs(t, err, fault.ErrUnavailable)
		require.Less(t, time.Since(began), 3*time.Second)

		// The others go at once, and none of them meets the KILL.
		for range 20 {
			_, clean, err := s.run(calls[8])
			require.NoError(t, err)
			require.True(t, clean)
		}
	}
	require.NoError(t, tx.Rollback())
	why, clean, err := s.run(calls...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Empty(t, refused(why))
	require.Equal(t, 101, s.number("SELECT orders FROM shop_buyer WHERE id = 2"))
}

// In the caller's transaction nobody ends its statements. The server does, and what is left of the transaction is not known.
func TestLockWaitBelongsToItsCall(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Params["innodb_lock_wait_timeout"] = "1" }})
	other, err := s.db.Pool(t).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = other.Rollback() }()
	_, err = other.ExecContext(t.Context(), count, 1)
	require.NoError(t, err)

	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	q := s.handle.Within(tx).WatchForeign(tx)
	require.Equal(t, ours.Tx(tx), q)
	var none *Rows
	why, clean, err := Run(t.Context(), q, []*Rows{none.Add(count, 1)})
	require.NoError(t, err)
	require.False(t, clean)
	require.ErrorIs(t, why[0], fault.ErrUnavailable)
	require.True(t, ours.Retryable(why[0]))
	require.NotErrorIs(t, why[0], fault.ErrUnknown)

	// Where several share the statement, nobody knows whose row it is.
	var alone *AloneError
	_, _, err = Run(t.Context(), q, []*Rows{none.Add(count, 1), none.Add(count, 2)})
	require.ErrorAs(t, err, &alone)
	require.ElementsMatch(t, []int{0, 1}, alone.Calls)
}

// A lost connection ends the transaction, and a deadlock runs it again: neither is the answer of a call.
func TestTransactionThatEnds(t *testing.T) {
	t.Parallel()
	s := open(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.InterpolateParams = true }})
	s.db.Wire.Inject(sqltest.Fault{Match: order, Kind: sqltest.LostReply})
	_, _, err := s.run(orders(4)...)
	require.ErrorIs(t, err, fault.ErrUnavailable)
	require.NotErrorAs(t, err, new(*AloneError))

	s.db.Wire.Inject(sqltest.Fault{Match: order, Kind: sqltest.LostReply, Answer: &mysql.MySQLError{Number: 1213}})
	why, clean, err := s.run(orders(4)...)
	require.NoError(t, err)
	require.True(t, clean)
	require.Empty(t, refused(why))
	require.Equal(t, 4, s.number("SELECT COUNT(*) FROM shop_order"))
}
