package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// What a server cannot be made to do on demand: answers to the COMMIT of a Lock.
func TestAnswersToCommit(t *testing.T) {
	t.Parallel()
	server := func(n uint16) error { return &mysql.MySQLError{Number: n, Message: "as the test says"} }
	for name, c := range map[string]struct {
		answer error
		want   error
	}{
		"Galera refuses the certificate, for ever":  {server(1213), stock.ErrUnavailable},
		"TiDB meets a conflict":                     {server(9007), stock.ErrUnavailable},
		"TiDB's storage may be asked again":         {server(8022), stock.ErrUnavailable},
		"TiDB's storage does not answer in time":    {server(9002), stock.ErrUnknown},
		"the node has left its cluster":             {server(1047), stock.ErrUnknown},
		"the server ends while it commits":          {server(1053), stock.ErrUnknown},
		"the connection is killed while it commits": {server(1317), stock.ErrUnknown},
		"the disk is full":                          {server(1180), stock.ErrUnknown},
		"no answer":                                 {mysql.ErrInvalidConn, stock.ErrUnknown},
		"the context ends":                          {context.Canceled, stock.ErrUnknown},
	} {
		db, mock, err := sqlmock.New()
		require.NoError(t, err)
		mock.MatchExpectationsInOrder(false)
		mockSession(mock)
		for range 30 { // as often as a deadlock is tried again
			mock.ExpectExec("^START TRANSACTION$").WillReturnResult(sqlmock.NewResult(0, 0))
			mock.ExpectExec("^INSERT INTO goods_stock_hold").WillReturnResult(sqlmock.NewResult(1, 1))
			mock.ExpectExec("^UPDATE goods_stock").WillReturnResult(sqlmock.NewResult(1, 1))
			mock.ExpectExec("^COMMIT AND NO CHAIN NO RELEASE$").WillReturnError(c.answer)
			mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
		}
		_, err = stock.New(sqlstore.NewStock(db, nil), nil).Lock(t.Context(), "a", one(1))
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, err, c.answer, name)
		require.True(t, stock.Retryable(err), name)
	}
}

// A row count that no server gives: one line of two was locked. The other must not stay.
func TestLockOfOneLineOfTwoIsRolledBack(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New()
	require.NoError(t, err)
	mockSession(mock)
	mock.ExpectExec("^START TRANSACTION$").WillReturnResult(sqlmock.NewResult(0, 0))
	mock.ExpectExec("^INSERT INTO goods_stock_hold").WillReturnResult(sqlmock.NewResult(1, 2))
	mock.ExpectExec("UPDATE ").WillReturnResult(sqlmock.NewResult(1, 1))
	mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(sqlmock.NewResult(0, 0))
	store := sqlstore.NewStock(db, &sqlstore.Options{Unmerged: true})
	locking, err := store.Lock(t.Context(), stock.Order{ID: "a", Lines: []stock.Line{one(1), one(2)}}, stock.DefaultHoldFor)
	require.NoError(t, err)
	require.Equal(t, stock.Refused, locking.Verdict)
	require.NoError(t, mock.ExpectationsWereMet())
}

// Every answer of a server to a step has an error that can be matched and says whether to retry.
func TestServerErrorsAreClassified(t *testing.T) {
	t.Parallel()
	for number, want := range map[uint16]error{
		1205: stock.ErrUnavailable, // lock wait timeout
		1040: stock.ErrUnavailable, // too many connections
		1203: stock.ErrUnavailable,
		1226: stock.ErrUnavailable,
		1317: stock.ErrUnavailable, // KILL QUERY
		3024: stock.ErrUnavailable, // max_execution_time
		3032: stock.ErrUnavailable, // offline mode
		1047: stock.ErrUnavailable, // Galera
		9001: stock.ErrUnavailable, // ProxySQL has reached no server, or TiDB no placement driver
		9002: stock.ErrUnavailable, // TiDB's storage
		9003: stock.ErrUnavailable,
		9004: stock.ErrUnavailable,
		9005: stock.ErrUnavailable,
		8028: stock.ErrUnavailable, // TiDB: a table was changed meanwhile
		1053: stock.ErrUnknown,     // shutdown: the statement may be done
		1927: stock.ErrUnknown,     // the connection was killed
		2006: stock.ErrUnknown,     // a proxy has lost its server
		2013: stock.ErrUnknown,
		2003: stock.ErrUnknown, // MySQL Router and MaxScale have not got to it
		1105: stock.ErrUnknown, // anything
		1180: stock.ErrUnknown, // Galera, while it committed
		1175: stock.ErrStore,   // sql_safe_updates
		1146: stock.ErrStore,   // no table
		1142: stock.ErrStore,   // no right
		1045: stock.ErrStore,
		1054: stock.ErrStore,
		1114: stock.ErrStore, // the table is full
		3819: stock.ErrDrift,
		4025: stock.ErrDrift,
		1690: stock.ErrOverflow,
		1264: stock.ErrOverflow,
	} {
		db, mock, err := sqlmock.New()
		require.NoError(t, err)
		answer := &mysql.MySQLError{Number: number, Message: "as the test says"}
		mockSession(mock)
		mock.ExpectExec("^UPDATE").WillReturnError(answer)
		_, err = stock.New(sqlstore.NewStock(db, nil), nil).Pay(t.Context(), "a")
		require.ErrorIs(t, err, want, number)
		require.ErrorIs(t, err, answer, number)
		require.Equal(t, stock.Retryable(want), sqlstore.Retryable(err), number)
		require.Equal(t, stock.Retryable(err), sqlstore.Retryable(err), number)
		for _, other := range []error{stock.ErrUnavailable, stock.ErrUnknown, stock.ErrStore, stock.ErrDrift, stock.ErrOverflow} {
			require.Equal(t, errors.Is(other, want), errors.Is(err, other), "%d: %v", number, other)
		}
	}
}

// What a proxy says instead of a server when a connection is made, and what a server says to a snapshot of a table that was changed
// since, are over in a moment.
func TestWhatIsOverInAMomentIsRetryable(t *testing.T) {
	t.Parallel()
	for _, answer := range []*mysql.MySQLError{
		packet(2003, "Can't connect to remote MySQL server for client connected to '127.0.0.1:6446'"),
		packet(1412, "Table definition has changed, please retry transaction"),
	} {
		require.True(t, sqlstore.Retryable(answer), "%v", answer)
		db, mock, err := sqlmock.New()
		require.NoError(t, err)
		mock.ExpectQuery("^SHOW SESSION VARIABLES").WillReturnError(answer)
		mock.MatchExpectationsInOrder(false)
		_, err = stock.New(sqlstore.NewStock(db, nil), nil).Pay(t.Context(), "a")
		require.ErrorIs(t, err, stock.ErrUnavailable, "%v", answer)
		require.NotErrorIs(t, err, stock.ErrStore, "%v", answer)
	}
}

// mockSession lets the store ask how a connection commits.
func mockSession(mock sqlmock.Sqlmock) {
	mock.ExpectQuery("^SHOW SESSION VARIABLES").WillReturnRows(sqlmock.NewRows([]string{"Variable_name", "Value"}).
		AddRow("autocommit", "ON").AddRow("completion_type", "NO_CHAIN").AddRow("tx_isolation", "REPEATABLE-READ"))
}

// TiDB has one number for all that has none. A statement that has met others on a hot row too often runs again, with all of its
// transaction; where it is the caller's, the caller is told so.
func TestWhatTiDBHasRolledBackRunsAgain(t *testing.T) {
	t.Parallel()
	for number, message := range map[uint16]string{
		1105: "pessimistic lock retry limit reached", 8002: "can not retry select for update statement", 8022: "try again later",
		9007: "Write conflict",
	} {
		again := &mysql.MySQLError{Number: number, Message: message}
		db, mock, err := sqlmock.New()
		require.NoError(t, err)
		mockSession(mock)
		mock.ExpectExec("^UPDATE").WillReturnError(again)
		mock.ExpectExec("^UPDATE").WillReturnResult(sqlmock.NewResult(0, 2))
		result, err := sqlstore.NewStock(db, nil).Move(t.Context(), stock.Movement{Step: stock.StepPay, Order: "a"})
		require.NoError(t, err, message)
		require.Equal(t, stock.Done, result.Verdict)
		require.NoError(t, mock.ExpectationsWereMet())
		require.True(t, sqlstore.Retryable(again))
	}
}

// Errors of the caller's own statements, as they come out of the caller's transaction.
func TestRetryableKnowsTheCallersErrors(t *testing.T) {
	t.Parallel()
	require.True(t, sqlstore.Retryable(fmt.Errorf("place order: %w", &mysql.MySQLError{Number: 1213})))
	require.True(t, sqlstore.Retryable(mysql.ErrInvalidConn))
	require.False(t, sqlstore.Retryable(&mysql.MySQLError{Number: 1062}))
	require.False(t, sqlstore.Retryable(context.Canceled))
	require.False(t, sqlstore.Retryable(nil))
	require.False(t, sqlstore.Retryable(stock.ErrInsufficient))
}
