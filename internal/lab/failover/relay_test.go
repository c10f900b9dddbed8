package failover

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"
)

// echo starts a server that answers each line with its name in front.
func echo(t *testing.T, name string) (addr string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintf(conn, "%s %s\n", name, lines.Text())
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// client is a connection to a relay.
type client struct {
	net.Conn
	lines *bufio.Scanner
}

func dial(t *testing.T, r *Relay) *client {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{conn, bufio.NewScanner(conn)}
}

// ask sends a line and returns the answer; empty where the connection has ended.
func (c *client) ask(line string) string {
	fmt.Fprintln(c, line)
	c.lines.Scan()
	return c.lines.Text()
}

func TestRelayMovesNewConnectionsAndCutsOldOnes(t *testing.T) {
	t.Parallel()
	r, err := NewRelay(t.Context(), echo(t, "a"), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	old := dial(t, r)
	if got := old.ask("1"); got != "a 1" {
		t.Errorf("got %q, want the first server's answer", got)
	}
	r.Move(echo(t, "b"))
	if got := old.ask("2"); got != "a 2" {
		t.Errorf("got %q: a connection that is open does not move", got)
	}
	if got := dial(t, r).ask("3"); got != "b 3" {
		t.Errorf("got %q, want the second server's answer", got)
	}
	r.Cut()
	if got := old.ask("4"); got != "" {
		t.Errorf("got %q from a connection that was cut", got)
	}
}

func TestRelayDelaysEachWay(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	r, err := NewRelay(t.Context(), echo(t, "a"), delay)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := dial(t, r)
	began := time.Now()
	if got := c.ask("1"); got != "a 1" || time.Since(began) < 2*delay {
		t.Errorf("got %q after %v, want an answer after %v at least", got, time.Since(began), 2*delay)
	}
}
