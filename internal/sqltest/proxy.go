package sqltest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy stands between a pool and the server, and can be taken down: to the pool the server is
// gone then, with every connection it had.
type Proxy struct {
	Address string

	target string
	mu     sync.Mutex
	listen net.Listener
	conns  []net.Conn
}

// NewProxy starts a proxy to the server of the database.
func (db *DB) NewProxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{target: db.Config.Addr, Address: "127.0.0.1:0"}
	p.Up(t)
	t.Cleanup(p.Down)
	return p
}

// Up starts it, at the same address as before.
func (p *Proxy) Up(t testing.TB) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", p.Address)
	require.NoError(t, err)
	p.mu.Lock()
	p.listen, p.Address = l, l.Addr().String()
	p.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.target)
			if err != nil {
				_ = conn.Close()
				continue
			}
			if p.keep(l, conn, server) {
				go pipe(conn, server)
				go pipe(server, conn)
			}
		}
	}()
}

// keep notes the two ends of a connection that l accepted. If the proxy was taken down meanwhile,
// it closes them.
func (p *Proxy) keep(l net.Listener, ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen != l {
		for _, end := range ends {
			_ = end.Close()
		}
		return false
	}
	p.conns = append(p.conns, ends...)
	return true
}

// pipe copies until one side is gone, and takes the other along.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// Down takes it away.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listen == nil {
		return
	}
	_ = p.listen.Close()
	p.listen = nil
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
}
