// Package failover drives a shop through failovers: of Galera nodes, of replicas that are promoted, and of a server that becomes
// read-only. It knows what was acknowledged, and demands it of the server that has taken over.
package failover

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Relay is one address in front of servers, of which it leads new connections to one. It may delay what goes through.
type Relay struct {
	listener net.Listener
	target   atomic.Pointer[string]
	delay    time.Duration

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// NewRelay listens on a free port of this machine, until Close. It is safe for concurrent use.
func NewRelay(ctx context.Context, target string, delay time.Duration) (*Relay, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Relay{listener: listener, delay: delay, conns: map[net.Conn]bool{}}
	r.Move(target)
	go r.accept()
	return r, nil
}

// Addr is where it listens, as host:port.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Move leads new connections to another server. Those that are open stay.
func (r *Relay) Move(target string) { r.target.Store(&target) }

// Cut closes the connections that are open.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		_ = conn.Close()
	}
}

// Close ends the relay and its connections.
func (r *Relay) Close() error {
	err := r.listener.Close()
	r.Cut()
	return err
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.serve(client)
	}
}

// serve joins a client with the server. Where one of them ends, both do.
func (r *Relay) serve(client net.Conn) {
	defer r.keep(client)()
	server, err := net.DialTimeout("tcp", *r.target.Load(), time.Second) //nolint:noctx // it ends with the connection
	if err != nil {
		return
	}
	defer r.keep(server)()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			r.pass(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// keep notes a connection, and returns what closes it.
func (r *Relay) keep(conn net.Conn) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.conns, conn)
		_ = conn.Close()
	}
}

// packet is what arrived at a moment.
type packet struct {
	at   time.Time
	data []byte
}

// pass passes on what one end sends to the other, each part after the delay.
func (r *Relay) pass(from, to net.Conn) {
	if r.delay == 0 {
		_, _ = io.Copy(to, from)
		return
	}
	packets := make(chan packet, 1<<16)
	go func() {
		defer close(packets)
		for {
			buffer := make([]byte, 1<<14)
			n, err := from.Read(buffer)
			if n > 0 {
				packets <- packet{time.Now(), buffer[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range packets {
		time.Sleep(time.Until(p.at.Add(r.delay)))
		if _, err := to.Write(p.data); errors.Is(err, net.ErrClosed) {
			break
		}
	}
	_ = from.Close()
	for range packets { // what is still under way is lost
		continue
	}
}
