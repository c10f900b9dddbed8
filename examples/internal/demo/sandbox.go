package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// DSNForm is what -dsn looks like.
const DSNForm = "user:password@tcp(127.0.0.1:3306)/database"

// patience is how long a server may take to answer at first.
const patience = 5 * time.Second

// errLeft are tables that could not be removed, errInterrupted is what Ctrl-C leads to.
var (
	errLeft        = errors.New("tables are left behind")
	errInterrupted = fmt.Errorf("interrupted: %w", context.Canceled)
)

// Sandbox is a MySQL database with tables of one run alone, which Close removes. Without -dsn it is memory,
// where there is nothing to open and to close.
type Sandbox struct {
	DB     *sql.DB // nil in memory
	Prefix string  // of the name of every table
	Server string  // what the server says it is

	config *mysql.Config
	tables []string // the example's own, without those of sqlstore
}

// Open connects to a database, with conns connections at most, and creates the tables of
// sqlstore in it. Its errors are for people: what is wrong, and what to do next. The empty dsn is memory.
func Open(ctx context.Context, dsn string, conns int) (*Sandbox, error) {
	if dsn == "" {
		return &Sandbox{Server: "memory"}, nil
	}
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("-dsn cannot be read (%w); it looks like %s", err, DSNForm)
	}
	if config.DBName == "" {
		return nil, fmt.Errorf("-dsn names no database; it looks like %s", DSNForm)
	}
	if config.Timeout == 0 {
		config.Timeout = patience
	}
	config.ParseTime, config.Loc = true, time.UTC // for the examples' own tables; sqlstore does not mind
	config.Logger = new(mysql.NopLogger)          // the driver would print each error a second time
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("-dsn cannot be used (%w); it looks like %s", err, DSNForm)
	}
	s := &Sandbox{DB: sql.OpenDB(connector), Prefix: uniquePrefix(), config: config}
	s.DB.SetMaxOpenConns(conns)
	s.DB.SetMaxIdleConns(conns) // the default of 2 would reconnect for nearly every call

	hello, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var version string
	if err := s.DB.QueryRowContext(hello, "SELECT VERSION()").Scan(&version); err != nil {
		return nil, errors.Join(s.Explain(err), s.DB.Close())
	}
	s.Server = serverName(version)
	// A CREATE TABLE that is interrupted may still happen, after its table was removed.
	unhurried, cancel := Finish(ctx)
	defer cancel()
	if err := sqlstore.Migrate(unhurried, s.DB, s.Options()); err != nil {
		return nil, errors.Join(s.Explain(err), s.Close(ctx))
	}
	return s, nil
}

// serverName turns "10.11.19-MariaDB-log" into "MariaDB 10.11.19".
func serverName(version string) string {
	number, rest, _ := strings.Cut(version, "-")
	kind, release, _ := strings.Cut(rest, "-")
	switch kind {
	case "MariaDB":
		return "MariaDB " + number
	case "TiDB": // its number is the MySQL that it resembles
		return "TiDB " + release
	}
	return "MySQL " + number
}

// uniquePrefix returns a prefix that no other run has.
func uniquePrefix() string {
	var random [3]byte
	rand.Read(random[:]) // never fails
	return "hf_demo_" + hex.EncodeToString(random[:]) + "_"
}

// Options returns the options that lead sqlstore to the tables.
func (s *Sandbox) Options() *sqlstore.Options { return &sqlstore.Options{Prefix: s.Prefix} }

// CreateTable creates a table of the example's own and returns its full name.
func (s *Sandbox) CreateTable(ctx context.Context, name, columns string) (string, error) {
	unhurried, cancel := Finish(ctx)
	defer cancel()
	name = s.Prefix + name
	s.tables = append(s.tables, name)
	if _, err := s.DB.ExecContext(unhurried, "CREATE TABLE "+name+" ("+columns+") ENGINE=InnoDB"); err != nil {
		return "", s.Explain(err)
	}
	return name, nil
}

// Close removes the tables and closes the database, also when ctx has ended.
func (s *Sandbox) Close(ctx context.Context) error {
	if s.DB == nil {
		return nil
	}
	unhurried, cancel := Finish(ctx)
	defer cancel()
	var err error // the first one; without a server each attempt has one
	for _, table := range slices.Backward(s.tables) {
		_, failed := s.DB.ExecContext(unhurried, "DROP TABLE IF EXISTS "+table)
		err = cmp.Or(err, failed)
	}
	err = cmp.Or(err, sqlstore.Drop(unhurried, s.DB, s.Options()))
	if err != nil && s.leftNothing(unhurried) {
		err = nil // there was nothing to remove, and no right to do it
	}
	if err != nil {
		err = fmt.Errorf("%w: remove %s* from database %s (%w)", errLeft, s.Prefix, s.config.DBName, err)
	}
	return errors.Join(err, s.DB.Close())
}

// leftNothing reports whether no table with the prefix is there.
func (s *Sandbox) leftNothing(ctx context.Context) bool {
	left := -1
	err := s.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, ?) = ?",
		len(s.Prefix), s.Prefix).Scan(&left)
	return err == nil && left == 0
}

// AdviceError is an error that says what to do next.
type AdviceError struct {
	What, Next string
	Err        error // what the server or the network said
}

// Error implements error.
func (e *AdviceError) Error() string {
	return fmt.Sprintf("%s (%s); %s", e.What, oneLine(e.Err), e.Next)
}

// Unwrap returns what the server or the network said.
func (e *AdviceError) Unwrap() error { return e.Err }

// Explain turns an error of the database into one for people. In memory it leaves it alone.
func (s *Sandbox) Explain(err error) error {
	if s.config == nil || err == nil {
		return err
	}
	c := s.config
	problem := func(err error, what, next string) error { return &AdviceError{What: what, Next: next, Err: err} }
	if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch refused.Number {
		case 1045, 1698, 1251, 1820: // access denied, by password, by plugin, password expired
			return problem(refused, "the server at "+c.Addr+" does not let the user in", "check user and password in -dsn")
		case 1049:
			return problem(refused, "the server at "+c.Addr+" has no such database", "create it (CREATE DATABASE "+c.DBName+"), or name another in -dsn")
		case 1044, 1142, 1143, 1227, 1370:
			return problem(refused, "the user lacks rights in database "+c.DBName, "grant them (GRANT ALL ON "+c.DBName+".* TO …), or name another user or database in -dsn")
		case 1040, 1203, 1226:
			return problem(refused, "the server at "+c.Addr+" takes no more connections", "raise its max_connections, or try when it is less busy")
		case 1290, 1836:
			return problem(refused, "the server at "+c.Addr+" is read-only", "name the primary in -dsn")
		}
		return problem(refused, "MySQL refused", "see the error's number in the server's manual")
	}
	if nobody, ok := errors.AsType[*net.DNSError](err); ok {
		return problem(errors.New("no such host"), "cannot find the host "+nobody.Name, "correct it in -dsn")
	}
	lost, network := errors.AsType[*net.OpError](err)
	if network {
		err = lost
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist): // the latter of a socket's file
		return problem(err, "no server at "+c.Addr, "start MySQL there, or correct host and port in -dsn")
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return problem(errors.New("timeout"), "the server at "+c.Addr+" does not answer", "correct host and port in -dsn, or look at the server")
	case network, errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.ErrUnexpectedEOF):
		return problem(err, "lost the server at "+c.Addr, "look at its log, then run this again")
	case errors.Is(err, stock.ErrStore):
		return problem(err, "the database cannot be used", "mend that, or name another database in -dsn")
	}
	return problem(err, "cannot use MySQL at "+c.Addr, "see the error in brackets, and check -dsn")
}
