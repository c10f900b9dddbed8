package server

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"
)

func TestClusterGetsBackANodeThatWasKilled(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(provider); err != nil || installed(t.Context(), MariaDB) == nil {
		t.Skip("MariaDB and Galera are not installed")
	}
	c, err := StartCluster(t.Context(), 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	pools := make([]*sql.DB, len(c.Nodes))
	for i, node := range c.Nodes {
		if pools[i], err = sql.Open("mysql", node.DSN()); err != nil {
			t.Fatal(err)
		}
		defer pools[i].Close()
	}
	exec := func(node int, statement string) {
		t.Helper()
		err := errors.New("not asked yet")
		for began := time.Now(); err != nil && time.Since(began) < time.Minute; { // the others vote first about who is left
			_, err = pools[node].ExecContext(t.Context(), statement)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	exec(0, "CREATE DATABASE a")
	exec(0, "CREATE TABLE a.n (n INT PRIMARY KEY)")
	exec(0, "INSERT INTO a.n VALUES (1)")
	c.Nodes[0].Kill()
	exec(1, "INSERT INTO a.n VALUES (2)")
	if err := c.Nodes[0].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range c.Nodes {
		if n := rows(t.Context(), t, pools[i]); n != 2 {
			t.Errorf("node %d has %d rows, want 2", i, n)
		}
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	for _, node := range c.Nodes {
		gone(t, node)
	}
}

func rows(ctx context.Context, t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(ctx, "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT COUNT(*) FROM a.n").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
