package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// wrapper is a transaction as another library hands it out: a type this package does not know.
type wrapper struct{ sqlstore.Tx }

// handles are the ways in which a caller's transaction comes.
func handles() map[string]func(*sql.Tx) sqlstore.Tx {
	return map[string]func(*sql.Tx) sqlstore.Tx{
		"*sql.Tx": func(tx *sql.Tx) sqlstore.Tx { return tx },
		"wrapped": func(tx *sql.Tx) sqlstore.Tx { return wrapper{tx} },
	}
}

func TestOrderRowAndStockAreOneTransaction(t *testing.T) {
	t.Parallel()
	for name, wrap := range handles() {
		s := open(t, nil)
		ctx := t.Context()
		require.NoError(t, of(s.db.ExecContext(ctx, "CREATE TABLE shop_order (NO VARBINARY(64) PRIMARY KEY) ENGINE = InnoDB")))
		place := func(order string, end func(*sql.Tx) error, lines ...stock.Line) error {
			tx := must(s.db.BeginTx(ctx, nil))(t)
			require.NoError(t, of(tx.ExecContext(ctx, "INSERT INTO shop_order VALUES (?)", order)))
			_, err := s.On(s.store.WithTx(wrap(tx))).Lock(ctx, order, lines...)
			require.NoError(t, end(tx))
			return err
		}
		require.NoError(t, place("kept", (*sql.Tx).Commit, one(1), one(2)), name)
		require.NoError(t, place("undone", (*sql.Tx).Rollback, one(1), one(2)), name)
		// A refusal takes back what it did and leaves the rest of the transaction alone.
		require.ErrorIs(t, place("refused", (*sql.Tx).Commit, one(1), units(2, 10)), stock.ErrInsufficient, name)

		require.Equal(t, 2, value[int](t, s.db, "SELECT COUNT(*) FROM shop_order"), name)
		require.NoError(t, of(s.Hold(ctx, "kept")), name)
		for _, order := range []string{"undone", "refused"} {
			require.ErrorIs(t, of(s.Hold(ctx, order)), stock.ErrNotFound, name)
		}
		s.counters(1, 0, 1, 10)
		s.counters(2, 0, 1, 10)
	}
}

func TestHandleOutsideATransactionIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	conn := must(s.db.Conn(ctx))(t)
	defer func() { _ = conn.Close() }()
	require.ErrorIs(t, of(s.On(s.store.WithTx(conn)).Lock(ctx, "a", one(1))), stock.ErrInvalid, "*sql.Conn without BEGIN")
	require.ErrorIs(t, of(s.On(s.store.WithTx(conn)).Cancel(ctx, "a")), stock.ErrInvalid, "*sql.Conn without BEGIN")
	require.ErrorIs(t, of(s.Hold(ctx, "a")), stock.ErrNotFound)

	tx := must(s.db.BeginTx(ctx, nil))(t)
	require.NoError(t, tx.Commit())
	_, err := s.On(s.store.WithTx(tx)).Lock(ctx, "a", one(1))
	require.ErrorIs(t, err, stock.ErrStore, "a transaction that is over")
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.False(t, sqlstore.Retryable(err))

	require.NoError(t, of(conn.ExecContext(ctx, "BEGIN")))
	require.NoError(t, of(s.On(s.store.WithTx(conn)).Lock(ctx, "a", one(1))), "*sql.Conn after BEGIN")
	require.NoError(t, of(conn.ExecContext(ctx, "COMMIT")))
	s.counters(1, 0, 1, 10)
}

// A lock wait timeout rolls back the statement alone. In a transaction of the store's own and in the
// caller's, even if the caller commits all the same, no hold is left without its units.
func TestLockWaitTimeoutLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	impatient := elsewhere(t, s.db)
	store := sqlstore.NewStock(impatient.DB, nil)
	ctx := t.Context()

	release := s.blockItem(2)
	_, err := s.On(store).Lock(ctx, "own", one(1), one(2))
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.True(t, sqlstore.Retryable(err))

	tx := must(impatient.BeginTx(ctx, nil))(t)
	_, err = s.On(store.WithTx(tx)).Lock(ctx, "caller", one(1), one(2))
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.True(t, sqlstore.Retryable(err))
	require.NoError(t, tx.Commit())
	release()

	for _, order := range []string{"own", "caller"} {
		require.ErrorIs(t, of(s.Hold(ctx, order)), stock.ErrNotFound, order)
	}
	s.counters(1, 0, 0, 10)
	s.counters(2, 0, 0, 10)
}

// The dead hold of an order that another transaction is just working on does not hold up the
// caller's.
func TestReleaseInATransactionWaitsForNobody(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	require.NoError(t, of(s.Lock(ctx, "dead-1", units(1, 5))))
	require.NoError(t, of(s.Lock(ctx, "dead-2", units(1, 5))))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	release := s.blockOrder("dead-1")
	tx := must(s.db.BeginTx(ctx, nil))(t)
	require.NoError(t, of(s.On(s.store.WithTx(tx)).Lock(ctx, "live", units(1, 5))))
	require.NoError(t, tx.Commit())
	release()
	s.counters(1, 0, 10, 10)
}

var _ sqlstore.Tx = (*sqltest.DB)(nil)

// A refusal leaves the transaction as it was, but for holds that were dead: they may be released on the way to it, in any call.
func TestRefusalReleasesWhatIsDeadAndNothingElse(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	ctx := t.Context()
	s.lock("dead", one(1))
	s.lock("dead, too", one(1))
	s.db.Wire.Advance(stock.DefaultHoldFor)
	tx := must(s.db.BeginTx(ctx, nil))(t)
	require.ErrorIs(t, of(s.On(s.store.WithTx(tx)).Pay(ctx, "dead")), stock.ErrExpired)
	require.NoError(t, tx.Rollback())
	s.counters(1, 0, 2, 10)
	s.lock("live", units(1, 9)) // which releases one of them, or both
	s.lock("last", one(1))
	tx = must(s.db.BeginTx(ctx, nil))(t)
	in := s.On(s.store.WithTx(tx))
	require.ErrorIs(t, of(in.Pay(ctx, "dead")), stock.ErrExpired)
	require.ErrorIs(t, of(in.Lock(ctx, "too many", one(1))), stock.ErrInsufficient)
	require.NoError(t, tx.Commit())
	require.Equal(t, stock.Expired, must(s.Hold(ctx, "dead"))(t).State)
	require.ErrorIs(t, of(s.Hold(ctx, "too many")), stock.ErrNotFound)
	s.counters(1, 0, 10, 10)
}
