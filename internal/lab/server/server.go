// Package server runs a private database server, or a Redis, for the length of a test run or a measurement: its own data folder, port and
// socket, durable settings with a binary log, and nothing left behind, save the data folder of a process that was killed hard.
package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Engine names a kind of database server.
type Engine string

const (
	// Auto takes the server that is installed, MariaDB before MySQL, and installs MariaDB when there is none.
	Auto Engine = "auto"
	// MariaDB takes an installed MariaDB, or installs Debian's with apt-get.
	MariaDB Engine = "mariadb"
	// MariaDB118 takes the current long-term version, 11.8, of Debian trixie in a chroot below the user's cache folder, which needs
	// root. Its transactions refuse to change what is newer than their snapshot (innodb_snapshot_isolation).
	MariaDB118 Engine = "mariadb-11.8"
	// MySQL takes an installed MySQL, or the one of Debian sid in a chroot below the user's cache folder, which needs root.
	MySQL Engine = "mysql"
	// TiDB takes TiDB 8.5 with a store of its own in the same process, built from source below the user's cache folder, once, which takes
	// ten minutes. It checks CHECK constraints.
	TiDB Engine = "tidb"
	// Galera takes an installed MariaDB with the library of Galera, or installs both with apt-get. It is for StartCluster.
	Galera Engine = "galera"
)

// Options change how Start works. The zero value is ready for use.
type Options struct {
	// Progress receives a line before each slow step, such as an installation. Nil discards them.
	Progress io.Writer
	// Args are further arguments of the server. They come last, so they win.
	Args []string
}

// Server is a running database server that belongs to the process that started it.
type Server struct {
	instance

	bin     *binary
	port    int
	args    []string
	dsn     string
	version string
}

// Start finds or installs the engine, starts a server on an empty data folder and returns once it answers a query. When ctx
// ends before that, Start fails and leaves nothing running. Afterwards ctx has no hold on the server: it lives until Stop, or
// until this process dies, however that happens.
func Start(ctx context.Context, engine Engine, opts *Options) (*Server, error) {
	if opts == nil {
		opts = &Options{}
	}
	bin, err := find(ctx, engine, opts.Progress)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(bin.tempDir(), "holdfast-")
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{instance: instance{folder: folder}}
	if err := s.start(ctx, bin, opts.Args); err != nil {
		return nil, errors.Join(err, s.end(syscall.SIGKILL))
	}
	return s, nil
}

// DSN is the data source name of the server for go-sql-driver/mysql. It names no database.
func (s *Server) DSN() string { return s.dsn }

// Version is the engine's name and version in one word, such as mariadb-10.11.14.
func (s *Server) Version() string { return s.version }

func dsnOf(port int) string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port) }

func (s *Server) start(ctx context.Context, bin *binary, args []string) (err error) {
	s.bin, s.args = bin, args
	if s.port, err = freePort(ctx); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	s.dsn = dsnOf(s.port)
	if err := bin.prepare(ctx, bin.inside(s.folder)); err != nil {
		return err
	}
	return s.serve(ctx)
}

// serve runs the server on its data folder, until it answers. More arguments are for this time.
func (s *Server) serve(ctx context.Context, more ...string) error {
	cmd, err := s.bin.server(ctx, s.bin.inside(s.folder), s.port, slices.Concat(s.args, more))
	if err != nil {
		return err
	}
	return s.run(ctx, cmd, func(ctx context.Context) (err error) {
		if s.version, err = Version(ctx, s.dsn); err != nil {
			return err
		}
		switch s.bin.engine {
		case TiDB:
			return setTiDB(ctx, s.dsn)
		case Galera:
			return joined(ctx, s.dsn)
		default:
			return nil
		}
	})
}

// Runs reports whether the server was started and has not ended.
func (s *Server) Runs() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.done:
		return false
	default:
		return true
	}
}

// Kill ends the server as kill -9 does. Its data stay, so that Restart may follow.
func (s *Server) Kill() { s.process.end(syscall.SIGKILL) }

// Discard is Stop for a server that may have been killed.
func (s *Server) Discard() error {
	if s.Runs() {
		return s.Stop()
	}
	return s.end(syscall.SIGKILL)
}

// Restart starts a server that has ended on its data and its port.
func (s *Server) Restart(ctx context.Context) error {
	if s.bin.engine != Galera {
		return s.serve(ctx)
	}
	position, err := s.recover(ctx)
	if err != nil {
		return err
	}
	return s.serve(ctx, "--wsrep-start-position="+position)
}

// Version asks the server behind dsn for its engine and version, in one word such as mysql-9.7.1.
func Version(ctx context.Context, dsn string) (string, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	cfg.Logger = &mysql.NopLogger{} // a server that is still starting drops connections, which is no news
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var version string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return "", fmt.Errorf("server: %w", err)
	}
	return word(version), nil
}

// Exec runs statements on the server behind dsn, each by itself, until one fails.
func Exec(ctx context.Context, dsn string, statements ...string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("server: %s: %w", statement, err)
		}
	}
	return nil
}

// word turns what VERSION() says (10.11.14-MariaDB-log, 8.0.11-TiDB-v8.5.3, 9.7.1-2) into engine-version.
func word(version string) string {
	number, rest, _ := strings.Cut(version, "-")
	if tidb, ok := strings.CutPrefix(rest, "TiDB-v"); ok {
		number, _, _ = strings.Cut(tidb, "-")
		return "tidb-" + number
	}
	if strings.Contains(rest, "MariaDB") {
		return "mariadb-" + number
	}
	return "mysql-" + number
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
