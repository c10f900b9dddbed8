// Package example has what the examples share: start and end of a run, a scratch database, a crowd, and tables.
package example

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/sqlstore"
)

// Variable is the environment variable that -dsn falls back to.
const Variable = "HOLDFAST_DSN"

// Func is an example. Its db is nil where it runs in memory, and what it prints goes to w.
type Func func(ctx context.Context, db *sql.DB, w io.Writer) error

// Main is the main function of an example: it adds -dsn to the flags, parses them, runs the example and exits.
// Ctrl-C ends the context of the example, and a second Ctrl-C the program.
func Main(f Func) {
	dsn := flag.String("dsn", "", "the `address` of a MySQL or MariaDB server, "+dsnForm+
		";\nthe example creates a database there and drops it at the end (default $"+Variable+")")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := Run(ctx, cmp.Or(*dsn, os.Getenv(Variable)), os.Stdout, f)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(exitCode(err))
}

// exitCode returns what a shell is told: 130 is its code for Ctrl-C.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrInterrupted):
		return 130
	}
	return 1
}

// Run runs an example in a database of its own on the server of a DSN, or in memory where that is empty. The
// database is gone when Run returns. An example whose context ended returns ErrInterrupted.
func Run(ctx context.Context, dsn string, w io.Writer, f Func) error {
	if dsn == "" {
		return interrupted(ctx, f(ctx, nil, w))
	}
	d, err := create(ctx, dsn)
	if err != nil {
		return interrupted(ctx, err)
	}
	fmt.Fprintf(w, "Store: the server at %s (%s), database %s.\n", d.config.Addr, d.server, d.config.DBName)
	err = interrupted(ctx, f(ctx, d.db, w))
	return errors.Join(err, d.drop(ctx))
}

// ErrInterrupted is the error of an example whose context ended.
var ErrInterrupted = errors.New("interrupted")

// interrupted returns ErrInterrupted in place of an error that came after the end of ctx.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// patience is how long Again goes on.
const patience = 30 * time.Second

// Again makes a call, and makes it again while sqlstore.Retryable asks for that: every call of Holdfast is safe to
// repeat. It gives up with the last error after half a minute, or when ctx ends.
func Again(ctx context.Context, call func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := call()
		if !sqlstore.Retryable(err) || !Rest(ctx, pause) {
			return err
		}
	}
}

// Rest reports whether it could rest that long before ctx ended.
func Rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// Rush lets so many callers go at once, numbered from 1, and waits for all of them. The first error ends the
// context of the others, and is returned.
func Rush(ctx context.Context, callers int, call func(ctx context.Context, caller int) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make(chan error, max(callers, 0))
	for caller := 1; caller <= callers; caller++ {
		go func() { errs <- call(ctx, caller) }()
	}
	var first error
	for range callers {
		if err := <-errs; err != nil {
			first = cmp.Or(first, err)
			stop()
		}
	}
	return first
}
