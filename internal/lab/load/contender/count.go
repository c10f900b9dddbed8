package contender

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync/atomic"
)

// Counter counts the statements that name a table of items: those that reach the hot row. It is safe for concurrent use. A nil
// Counter stays out of the way.
type Counter struct{ n atomic.Int64 }

// Count returns how many there were.
func (c *Counter) Count() int64 {
	if c == nil {
		return 0
	}
	return c.n.Load()
}

// watch returns a connector whose connections count.
func (c *Counter) watch(connector driver.Connector) driver.Connector {
	if c == nil {
		return connector
	}
	return &countingConnector{connector, c}
}

// note counts a statement if it names a table of items, whatever it does with it.
func (c *Counter) note(query string) {
	for rest := query; ; {
		i := strings.Index(rest, itemTable)
		if i < 0 {
			break
		}
		rest = rest[i+len(itemTable):]
		if !strings.HasPrefix(rest, "_") { // goods_stock_hold and the others are not the hot row
			c.n.Add(1)
			return
		}
	}
	if strings.Contains(query, publishedItems) {
		c.n.Add(1)
	}
}

type countingConnector struct {
	driver.Connector
	counter *Counter
}

// Connect implements driver.Connector.
func (c *countingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &countingConn{conn.(mysqlConn), c.counter}, nil
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

type countingConn struct {
	mysqlConn
	counter *Counter
}

// ExecContext implements driver.ExecerContext.
func (c *countingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.counter.note(query)
	return c.mysqlConn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *countingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.counter.note(query)
	return c.mysqlConn.QueryContext(ctx, query, args)
}
