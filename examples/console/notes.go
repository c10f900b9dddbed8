package main

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// errSent is the refusal of a note whose form was sent before.
var errSent = errors.New("the form was sent before")

// note is what the console itself keeps of a change, under the number of its form: who cancelled an order and why, which the library does
// not record, and that terms were changed, so that a form which comes twice does not change them back.
type note struct {
	form, order string // order is empty where the change is of none
	by          operator
}

// notes go along with the calls of the library: both take effect, or neither.
type notes interface {
	along(n note) stock.Store // the goods, whose next call carries a note
	duplicate(err error) bool // whether a call was refused because the form of its note was sent before
	of(ctx context.Context, order string) (operator, error)
}

// The shop's table, and its statements.
const (
	createNotes = `CREATE TABLE console_note (FORM VARBINARY(64) PRIMARY KEY, ORDER_NO VARBINARY(64) NOT NULL,
		ACTOR VARBINARY(64) NOT NULL, REASON VARBINARY(512) NOT NULL, INDEX (ORDER_NO))`
	insertNote = "INSERT INTO console_note (FORM, ORDER_NO, ACTOR, REASON) VALUES (?, ?, ?, ?)"
	selectNote = "SELECT ACTOR, REASON FROM console_note WHERE ORDER_NO = ?"
)

// tableNotes are rows in MySQL.
type tableNotes struct {
	db    *sql.DB
	goods *sqlstore.Stock
}

func (t tableNotes) along(n note) stock.Store {
	return t.goods.Along(insertNote, n.form, n.order, n.by.name, n.by.reason)
}

func (t tableNotes) duplicate(err error) bool {
	var failed *sqlstore.AlongError
	var refused *mysql.MySQLError
	return errors.As(err, &failed) && errors.As(failed, &refused) && refused.Number == 1062
}

// of returns the zero operator where the console did not cancel the order.
func (t tableNotes) of(ctx context.Context, order string) (by operator, err error) {
	err = t.db.QueryRowContext(ctx, selectNote, order).Scan(&by.name, &by.reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return by, err
}

// memoryNotes are rows in the process.
type memoryNotes struct {
	goods   *stock.Memory
	forms   sync.Map // true by form
	cancels sync.Map // operators by order
}

func (m *memoryNotes) along(n note) stock.Store { return m.goods.Along(insertNote, n) }

func (m *memoryNotes) duplicate(err error) bool { return errors.Is(err, errSent) }

// keep keeps the note of a call where that takes effect. The goods call it for one call at a time.
func (m *memoryNotes) keep(_ context.Context, rows []stock.MemoryRow) error {
	n := rows[0].Args[0].(note)
	if _, sent := m.forms.LoadOrStore(n.form, true); sent {
		return errSent
	}
	m.cancels.Store(n.order, n.by)
	return nil
}

func (m *memoryNotes) of(_ context.Context, order string) (by operator, err error) {
	if kept, ok := m.cancels.Load(order); ok {
		by = kept.(operator)
	}
	return by, nil
}
