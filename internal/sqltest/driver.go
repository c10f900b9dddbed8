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
	moves  int // how often Failover was called

	replica *replica // reads plain SELECTs, where there is a splitter
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

	// Answer is what the caller is told, as by a proxy that has lost its server and keeps its client. Without one, the
	// caller's connection is lost.
	Answer error
}

// FaultKind says how far the statement gets.
type FaultKind int

// The faults of a connection.
const (
	LostRequest FaultKind = iota // the statement never reaches the server
	LostReply                    // the server executes it, the answer is lost
	NoReply                      // the statement never reaches the server, which is noticed only when the caller's context ends
)

// set changes what happens to statements from now on.
func (w *Wire) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// Freeze stops the clock of every statement at a time, in microseconds; the zero time lets it go.
func (w *Wire) Freeze(at time.Time) { w.set(func() { w.frozen = at }) }

// Advance moves a frozen clock.
func (w *Wire) Advance(d time.Duration) { w.set(func() { w.frozen = w.frozen.Add(d) }) }

// Inject adds a fault, which happens once.
func (w *Wire) Inject(f Fault) { w.set(func() { w.faults = append(w.faults, f) }) }

// Forget takes back the faults that no statement has met.
func (w *Wire) Forget() { w.set(func() { w.faults = nil }) }

// Failover makes the server of all connections that are open read-only, as an administrator does who moves the address to
// another server: connections that are opened from now on can write.
func (w *Wire) Failover() { w.set(func() { w.moves++ }) }

// moved counts the calls of Failover.
func (w *Wire) moved() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moves
}

// Before calls do once, before the next statement that contains match is sent. The statement waits for it.
func (w *Wire) Before(match string, do func()) { w.hook(hook{match: match, do: do}) }

// After calls do once, when the server has executed the next statement that contains match. Its
// answer waits for it.
func (w *Wire) After(match string, do func()) { w.hook(hook{match: match, after: true, do: do}) }

func (w *Wire) hook(h hook) { w.set(func() { w.hooks = append(w.hooks, h) }) }

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
	moves := c.wire.moved()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &wiredConn{mysqlConn: conn.(mysqlConn), wire: c.wire, moves: moves}, nil
}

// Close implements io.Closer, for the pool.
func (c *connector) Close() error { return c.wire.replica.close() }

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
	wire  *Wire
	moves int  // those before it was opened
	open  bool // within a transaction, as its statements say
}

// errReadOnly is the answer of a server that an administrator has made read-only.
var errReadOnly = &mysql.MySQLError{
	Number: 1290, Message: "The MySQL server is running with the --read-only option so it cannot execute this statement",
}

// ExecContext implements driver.ExecerContext.
func (c *wiredConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.wire.call(query, false)
	defer c.wire.call(query, true)
	query, fault := c.wire.pass(query)
	send := func() (driver.Result, error) {
		if c.moves < c.wire.moved() && changes(query) {
			return nil, errReadOnly
		}
		result, err := c.mysqlConn.ExecContext(ctx, query, args)
		c.follow(query, err)
		return result, err
	}
	if fault == nil {
		return send()
	}
	return nil, c.meet(ctx, fault, func() error { _, err := send(); return err })
}

// QueryContext implements driver.QueryerContext.
func (c *wiredConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.wire.call(query, false)
	defer c.wire.call(query, true)
	query, fault := c.wire.pass(query)
	switch {
	case fault != nil:
		return nil, c.meet(ctx, fault, func() error {
			rows, err := c.mysqlConn.QueryContext(ctx, query, args)
			if err != nil {
				return err
			}
			return rows.Close()
		})
	case c.wire.replica != nil && len(args) == 0 && !c.open && plain(query):
		return c.wire.replica.query(ctx, query)
	}
	return c.mysqlConn.QueryContext(ctx, query, args)
}

// meet does to a statement what the fault says, and returns what the caller is told.
func (c *wiredConn) meet(ctx context.Context, fault *Fault, send func() error) error {
	switch fault.Kind {
	case LostRequest:
	case LostReply:
		if err := send(); err != nil {
			return err
		}
	case NoReply:
		<-ctx.Done()
		_ = c.Close()
		return ctx.Err()
	}
	if fault.Answer != nil {
		return fault.Answer
	}
	_ = c.Close()
	return mysql.ErrInvalidConn
}
