package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// OpenRecorder returns a pool that has no server. It is for libraries that hand out no text: what they execute within Record is
// kept and not run.
func OpenRecorder() *sql.DB { return sql.OpenDB(recorder{}) }

// Record returns the one statement that call executes on a pool of OpenRecorder, with the context that it is given.
func Record(ctx context.Context, call func(ctx context.Context) error) (Statement, error) {
	var s Statement
	if err := call(context.WithValue(ctx, recorder{}, &s)); err != nil {
		return Statement{}, err
	}
	if s.Text == "" {
		return Statement{}, errors.New("nothing was executed")
	}
	return s, nil
}

// recorder is the driver, a connection and a transaction; the zero value is also the key of a context.
type recorder struct{}

// ExecContext implements driver.ExecerContext.
func (recorder) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, ok := ctx.Value(recorder{}).(*Statement)
	switch {
	case !ok:
		return nil, errors.New("a statement was executed outside of Record")
	case s.Text != "":
		return nil, errors.New("a second statement was executed")
	}
	s.Text = query
	for _, arg := range args {
		s.Args = append(s.Args, arg.Value)
	}
	return oneRow{}, nil
}

// oneRow is the result of a statement that was not run: one row, with no key of AUTO_INCREMENT.
type oneRow struct{}

func (oneRow) LastInsertId() (int64, error) { return 0, nil }
func (oneRow) RowsAffected() (int64, error) { return 1, nil }

// CheckNamedValue implements driver.NamedValueChecker: arguments stay as they are, and Along converts them.
func (recorder) CheckNamedValue(*driver.NamedValue) error { return nil }

// Prepare implements driver.Conn. Queries come here too.
func (recorder) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("a recorder takes what is executed, and neither queries nor prepares")
}

func (recorder) Connect(context.Context) (driver.Conn, error) { return recorder{}, nil }
func (recorder) Driver() driver.Driver                        { return recorder{} }
func (recorder) Open(string) (driver.Conn, error)             { return recorder{}, nil }
func (recorder) Begin() (driver.Tx, error)                    { return recorder{}, nil }
func (recorder) Commit() error                                { return nil }
func (recorder) Rollback() error                              { return nil }
func (recorder) Close() error                                 { return nil }
