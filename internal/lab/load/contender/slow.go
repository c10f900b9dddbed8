package contender

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// slowConn is a connection over a longer wire: what is written arrives later by the delay of a whole round trip, and answers come
// at once. Writers do not wait for it, and what is written meanwhile is under way at the same time. (The delay is all in one
// direction because a Go program that rests wakes up by whole milliseconds.)
type slowConn struct {
	net.Conn

	delay time.Duration
	wire  chan parcel
	close sync.Once
	gone  chan struct{}
}

// parcel is what one Write has written.
type parcel struct {
	due  time.Time
	data []byte
}

// wireLength is how many writes may be under way at once.
const wireLength = 4_096

// dialSlow opens a connection with a delay.
func dialSlow(ctx context.Context, network, addr string, delay time.Duration) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("contender: %w", err)
	}
	return slow(conn, delay), nil
}

func slow(conn net.Conn, delay time.Duration) *slowConn {
	c := &slowConn{Conn: conn, delay: delay, wire: make(chan parcel, wireLength), gone: make(chan struct{})}
	go c.deliver()
	return c
}

// Write implements net.Conn. An error of the delivery ends the connection, and shows at the next call.
func (c *slowConn) Write(data []byte) (int, error) {
	select {
	case <-c.gone: // the other case may be open too
		return 0, net.ErrClosed
	default:
	}
	select {
	case <-c.gone:
		return 0, net.ErrClosed
	case c.wire <- parcel{time.Now().Add(c.delay), append([]byte(nil), data...)}:
		return len(data), nil
	}
}

// Close implements net.Conn. What is under way is lost.
func (c *slowConn) Close() error {
	c.close.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// deliver hands over each parcel when it is due.
func (c *slowConn) deliver() {
	for {
		select {
		case <-c.gone:
			return
		case p := <-c.wire:
			time.Sleep(time.Until(p.due))
			if _, err := c.Conn.Write(p.data); err != nil {
				_ = c.Close()
				return
			}
		}
	}
}
