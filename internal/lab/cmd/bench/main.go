// Command bench measures Holdfast against what people use instead, on servers that it starts and stops itself, in one run and with
// the same work for all:
//
//	go -C internal/lab run ./cmd/bench [flags]
//
// bench -h explains the contenders, the scenarios and the flags. It fails when a measurement does, and when the books of this
// library are wrong after one; with -strict also when one of the ratios that must hold does not.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/holdfast-go/holdfast/internal/lab/load"
)

// workerFlag makes the program a worker of another: see load.Work.
const workerFlag = "-worker"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once, and the kernel ends the servers
	var err error
	if len(os.Args) == 2 && os.Args[1] == workerFlag {
		err = load.Work(ctx, os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:])
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
