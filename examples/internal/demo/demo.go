// Package demo is what the examples share: a start and an end, tables and progress to look at,
// and a corner of a database to play in.
package demo

import (
	"context"
	"errors"
	"flag"
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

// cleanup is how long an example may take to tidy up after it was interrupted.
const cleanup = 10 * time.Second

// Main runs an example and exits with its code. Ctrl-C and SIGTERM end the context; the
// example tidies up and returns.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Parse parses the flags of an example, which takes no other arguments, and then asks check what
// is wrong with them. It reports false with the exit code where the example should not go on.
func Parse(flags *flag.FlagSet, args []string, stderr io.Writer, check func() error) (code int, ok bool) {
	flags.SetOutput(stderr)
	err := flags.Parse(args) // prints what is wrong, and the usage
	switch {
	case errors.Is(err, flag.ErrHelp):
		return OK, false
	case err != nil:
		return Usage, false
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	default:
		err = check()
	}
	flags.Visit(func(f *flag.Flag) {
		if f.Name == "dsn" && f.Value.String() == "" { // a shell variable that is not set
			err = errors.New("-dsn is empty; it looks like " + DSNForm)
		}
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
		return Usage, false
	}
	return OK, true
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
