package server

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestVersionIsOneWord(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"10.11.14-MariaDB-0+deb12u1-log": "mariadb-10.11.14",
		"9.7.1-2":                        "mysql-9.7.1",
		"8.4.0":                          "mysql-8.4.0",
		"8.0.11-TiDB-v8.5.3":             "tidb-8.5.3",
		"8.0.11-TiDB-v8.5.3-12-gabcdef":  "tidb-8.5.3",
	} {
		if got := word(version); got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
}

func TestServerIsDurableAndLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	db, err := sql.Open("mysql", s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var binlog, sync, flush int
	var temporary string
	row := db.QueryRowContext(t.Context(), "SELECT @@log_bin, @@sync_binlog, @@innodb_flush_log_at_trx_commit, @@tmpdir")
	if err := row.Scan(&binlog, &sync, &flush, &temporary); err != nil {
		t.Fatal(err)
	}
	if temporary != s.folder { // a MariaDB that starts removes the temporary tables of all who share the folder
		t.Errorf("tmpdir %s: want one of its own, %s", temporary, s.folder)
	}
	if binlog != 1 || sync != 1 || flush != 1 {
		t.Errorf("log_bin %d, sync_binlog %d, innodb_flush_log_at_trx_commit %d: want 1 for each", binlog, sync, flush)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	gone(t, s)
}

func TestStopTellsOfAServerThatDied(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.process.end(syscall.SIGKILL)
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "ready for connections") {
		t.Errorf("got %v, want an error with the end of the log", err)
	}
	gone(t, s)
}

func TestStartShowsWhyItFails(t *testing.T) {
	t.Parallel()
	needServer(t)
	_, err := Start(t.Context(), Auto, &Options{Args: []string{"--no-such-option"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("got %v, want an error with the end of the log", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	needServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Auto, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func start(t *testing.T) *Server {
	t.Helper()
	needServer(t)
	s, err := Start(t.Context(), Auto, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// needServer keeps go test from installing anything.
func needServer(t *testing.T) {
	t.Helper()
	if installed(t.Context(), MariaDB) == nil && installed(t.Context(), MySQL) == nil {
		t.Skip("neither MariaDB nor MySQL is installed")
	}
}

func gone(t *testing.T, s *Server) {
	t.Helper()
	if _, err := os.Stat(s.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", s.folder, err)
	}
	if err := syscall.Kill(s.process.pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", s.process.pid, err)
	}
}
