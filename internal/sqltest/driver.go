// Package sqltest gives the SQL tests real databases: one of its own for each test, on the server
// that HOLDFAST_TEST_DSN names, behind a driver that lets a test hold the store's clock, see the
// statements, and take connections away at the worst moment.
package sqltest

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// clockText is the clock of every statement of the store.
const clockText = "UTC_TIMESTAMP(6)"

// Wire is what a test can do to the statements on their way. The zero value lets them pass. It is
// safe for concurrent use.
type Wire struct {
	mu     sync.Mutex
	frozen time.Time
	log    []string
	faults []Fault
	hooks  []hook
}

// hook is what happens once, before or after the next statement that contains match.
type hook struct {
	match string
	after bool
	do    func()
}

// Fault is what happens to the next statement that contains Match, once so many of them have passed.
type Fault struct {
	Match  string
	Behind int
	Kind   FaultKind
}

// FaultKind says when the connection is lost.
type FaultKind int

// The faults of a connection.
const (
	LostRequest FaultKind = iota // the statement never reaches the server
	LostReply                    // the server executes it, the answer is lost
)

// Freeze stops the clock of every statement at a time, in microseconds; the zero time lets it go.
func (w *Wire) Freeze(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = at
}

// Advance moves a frozen clock.
func (w *Wire) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = w.frozen.Add(d)
}

// Inject adds a fault, which happens once.
func (w *Wire) Inject(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, f)
}

// Forget takes back the faults that no statement has met.
func (w *Wire) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// Before calls do once, before the next statement that contains match is sent. The statement waits for it.
func (w *Wire) Before(match string, do func()) { w.hook(hook{match: match, do: do}) }

// After calls do once, when the server has executed the next statement that contains match. Its
// answer waits for it.
func (w *Wire) After(match string, do func()) { w.hook(hook{match: match, after: true, do: do}) }

func (w *Wire) hook(h hook) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hooks = append(w.hooks, h)
}

// call calls the hook that waits for a statement on one side of it.
func (w *Wire) call(query string, after bool) {
	w.mu.Lock()
	do := func() {}
	for i, h := range w.hooks {
		if h.after == after && strings.Contains(query, h.match) {
			do = h.do
			w.hooks = append(w.hooks[:i:i], w.hooks[i+1:]...)
			break
		}
	}
	w.mu.Unlock()
	do()
}

// Statements returns what was sent since the last call.
func (w *Wire) Statements() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

// pass notes a statement, puts the clock in, and returns the fault that waits for it.
func (w *Wire) pass(query string) (string, *Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, query)
	if len(w.log) > 10_000 { // nobody reads that far back
		w.log = w.log[5_000:]
	}
	var fault *Fault
	for i, f := range w.faults {
		if strings.Contains(query, f.Match) {
			if w.faults[i].Behind--; f.Behind > 0 {
				continue
			}
			fault = &f
			w.faults = append(w.faults[:i:i], w.faults[i+1:]...)
			break
		}
	}
	if !w.frozen.IsZero() {
		query = strings.ReplaceAll(query, clockText, w.frozen.UTC().Format("TIMESTAMP'2006-01-02 15:04:05.000000'"))
	}
	return query, fault
}

// connector is a driver.Connector whose connections pass their statements through a wire.
type connector struct {
	driver.Connector
	wire *Wire
}

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &wiredConn{mysqlConn: conn.(mysqlConn), wire: c.wire}, nil
}

// mysqlConn is what database/sql uses of a connection of go-sql-driver/mysql.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type wiredConn struct {
	mysqlConn
	wire *Wire
}

// ExecContext implements driver.ExecerContext.
func (c *wiredConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.wire.call(query, false)
	defer c.wire.call(query, true)
	query, fault := c.wire.pass(query)
	if fault == nil {
		return c.mysqlConn.ExecContext(ctx, query, args)
	}
	if fault.Kind == LostReply {
		if _, err := c.mysqlConn.ExecContext(ctx, query, args); err != nil {
			return nil, err
		}
	}
	_ = c.Close()
	return nil, mysql.ErrInvalidConn
}

// QueryContext implements driver.QueryerContext.
func (c *wiredConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.wire.call(query, false)
	defer c.wire.call(query, true)
	query, fault := c.wire.pass(query)
	if fault != nil {
		_ = c.Close()
		return nil, mysql.ErrInvalidConn
	}
	return c.mysqlConn.QueryContext(ctx, query, args)
}
