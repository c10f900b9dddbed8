// Package server runs a private database server for the length of a test run or a measurement: its own data folder, port and
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
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Engine names a kind of database server.
type Engine string

const (
	// Auto takes the server that is installed, MariaDB before MySQL, and installs MariaDB when there is none.
	Auto Engine = "auto"
	// MariaDB takes an installed MariaDB, or installs Debian's with apt-get.
	MariaDB Engine = "mariadb"
	// MySQL takes an installed MySQL, or the one of Debian sid in a chroot below the user's cache folder, which needs root.
	MySQL Engine = "mysql"
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
	dsn     string
	version string
	folder  string
	process *process
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
	s := &Server{folder: folder}
	if err := s.start(ctx, bin, opts.Args); err != nil {
		return nil, errors.Join(err, s.end(syscall.SIGKILL))
	}
	return s, nil
}

// DSN is the data source name of the server for go-sql-driver/mysql. It names no database.
func (s *Server) DSN() string { return s.dsn }

// Version is the engine's name and version in one word, such as mariadb-10.11.14.
func (s *Server) Version() string { return s.version }

// Stop ends the server and removes its data; call it once. It fails, with the end of the server's log, when the server was no
// longer running.
func (s *Server) Stop() error {
	select {
	case <-s.process.done:
		return errors.Join(s.failure("ended before it was stopped", s.process.err), s.end(syscall.SIGKILL))
	default:
		return s.end(syscall.SIGTERM)
	}
}

func (s *Server) start(ctx context.Context, bin *binary, args []string) error {
	folder := bin.inside(s.folder)
	if out, err := output(bin.initialize(ctx, folder)); err != nil {
		return fmt.Errorf("server: preparing the data folder: %w\n%s", err, tail(out))
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer log.Close()
	port, err := freePort(ctx)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	s.dsn = fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port)

	cmd := bin.command(context.WithoutCancel(ctx), append(bin.settings(folder, port), args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = launch(cmd); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return s.awaitReady(ctx)
}

func (s *Server) awaitReady(ctx context.Context) error {
	const limit = 90 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	for {
		version, err := Version(ctx, s.dsn)
		if err == nil {
			s.version = version
			return nil
		}
		select {
		case <-s.process.done:
			return s.failure("did not start", s.process.err)
		case <-ctx.Done():
			return s.failure("did not start", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) end(sig syscall.Signal) error {
	if s.process != nil {
		s.process.end(sig)
	}
	return os.RemoveAll(s.folder)
}

func (s *Server) failure(what string, err error) error {
	log, _ := os.ReadFile(s.logFile())
	return fmt.Errorf("server: %s: %w\n%s", what, err, tail(log))
}

func (s *Server) logFile() string { return filepath.Join(s.folder, "log") }

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

// tail returns the last lines of a log.
func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
