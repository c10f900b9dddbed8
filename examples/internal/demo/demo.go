// Package demo is what the examples share: a start and an end, tables and progress to look at,
// and a corner of a database to play in.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// The exit codes of an example.
const (
	OK          = 0
	Failed      = 1
	Usage       = 2
	Interrupted = 130 // by Ctrl-C, as a shell reports it
)

// cleanup is how long an example may take to tidy up after it was interrupted: a busy server needs a
// while for some dozens of tables.
const cleanup = 30 * time.Second

// Main runs an example and exits with its code. Ctrl-C and SIGTERM end the context; the
// example tidies up and returns.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Finish returns a context for tidying up: it outlives ctx, but not for long.
func Finish(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanup)
}

// End prints an error in one line and returns the exit code that goes with it. Nothing is said
// about an interruption that left nothing behind: who pressed Ctrl-C knows.
func End(stderr io.Writer, program string, err error) int {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, context.Canceled) && !errors.Is(err, errLeft):
		return Interrupted
	}
	fmt.Fprintf(stderr, "%s: %s\n", program, oneLine(err))
	return Failed
}

// oneLine returns the text of an error without line breaks.
func oneLine(err error) string { return strings.Join(strings.Split(err.Error(), "\n"), "; ") }
