package example

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	dsnForm     = "user:password@tcp(127.0.0.1:3306)/"
	connections = 64
	hello       = 5 * time.Second  // how long a server may take to answer at first
	farewell    = 30 * time.Second // and to drop the database
)

// database is a database of one run alone.
type database struct {
	db     *sql.DB
	server string // what it says it is
	config *mysql.Config
}

// create connects to a server and creates a database there. Its name begins with the one that the DSN names.
// The errors are for people: what is wrong, and what to do next.
func create(ctx context.Context, dsn string) (*database, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("-dsn cannot be read: %w; it looks like %s", err, dsnForm)
	}
	var random [4]byte
	rand.Read(random[:])
	name := cmp.Or(config.DBName, "holdfast") + "_demo_" + hex.EncodeToString(random[:])
	config.DBName = ""
	config.Timeout = cmp.Or(config.Timeout, hello)
	config.Logger = new(mysql.NopLogger) // the driver would print each error a second time
	server, err := open(config)
	if err != nil {
		return nil, err
	}
	defer server.Close()

	d := &database{config: config.Clone()}
	d.config.DBName = name
	hurried, cancel := context.WithTimeout(ctx, hello)
	defer cancel()
	if err := server.QueryRowContext(hurried, "SELECT VERSION()").Scan(&d.server); err != nil {
		return nil, fmt.Errorf("cannot use the server at %s: %w; %s", config.Addr, err, advice(err))
	}
	// A CREATE that is interrupted may still take effect, so this one is not.
	if _, err := server.ExecContext(context.WithoutCancel(ctx), "CREATE DATABASE `"+name+"`"); err != nil {
		return nil, fmt.Errorf("cannot create database %s: %w; %s", name, err, advice(err))
	}
	d.db, err = open(d.config)
	return d, err
}

// open returns a pool that keeps its connections: the default of 2 would reconnect for nearly every call.
func open(config *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("-dsn cannot be used: %w; it looks like %s", err, dsnForm)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// advice says what to do about an error of the server or of the network.
func advice(err error) string {
	var refused *mysql.MySQLError
	switch {
	case !errors.As(err, &refused):
		return "start one there, or correct host and port in -dsn"
	case refused.Number == 1045, refused.Number == 1698:
		return "correct user and password in -dsn"
	case refused.Number == 1044:
		return "name a user in -dsn who may create databases"
	}
	return "see the error's number in the server's manual"
}

// drop drops the database, also when ctx has ended.
func (d *database) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_, err := d.db.ExecContext(ctx, "DROP DATABASE `"+d.config.DBName+"`")
	if err != nil {
		err = fmt.Errorf("database %s is left behind: %w", d.config.DBName, err)
	}
	return errors.Join(err, d.db.Close())
}
