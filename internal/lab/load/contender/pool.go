package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"

	"github.com/go-sql-driver/mysql"
)

// openPool opens the connections of a contender, all of them, so that none is made while it is measured. Each begins with the
// statements of setup.
func openPool(ctx context.Context, cfg Config, setup ...string) (*sql.DB, error) {
	parsed, err := mysql.ParseDSN(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("contender: %w", err)
	}
	parsed.InterpolateParams = !cfg.Prepare // one round trip a statement
	if cfg.Delay > 0 {
		parsed.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialSlow(ctx, network, addr, cfg.Delay)
		}
	}
	connector, err := mysql.NewConnector(parsed)
	if err != nil {
		return nil, fmt.Errorf("contender: %w", err)
	}
	db := sql.OpenDB(cfg.Count.watch(connector))
	db.SetMaxOpenConns(cfg.Pool)
	db.SetMaxIdleConns(cfg.Pool)
	conns := make([]*sql.Conn, 0, cfg.Pool)
	for range cfg.Pool {
		var conn *sql.Conn
		if conn, err = db.Conn(ctx); err != nil {
			break
		}
		conns = append(conns, conn)
		for _, statement := range setup {
			_, failed := conn.ExecContext(ctx, statement)
			err = errors.Join(err, failed)
		}
		if err != nil {
			break
		}
	}
	for _, conn := range conns {
		_ = conn.Close() // back to the pool
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("contender: connecting: %w", err)
	}
	return db, nil
}

// connections are what preparing and inspecting use.
const connections = 8

// withDB does something on a pool of its own, without delay.
func withDB(ctx context.Context, cfg Config, do func(*sql.DB) error) error {
	db, err := openPool(ctx, Config{DSN: cfg.DSN, Pool: connections})
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}
