// Command failover drives a shop through failovers of servers that it starts, and demands that nothing acknowledged is lost, that no
// answer is final and wrong, and that nobody gives up:
//
//	go -C internal/lab run ./cmd/failover [-rounds N] [-callers N] [-load 3s] SCENARIO...
//
// Without a scenario it lists them. It prints a line for each round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/failover"
	"github.com/holdfast-go/holdfast/internal/lab/server"
)

// scenarios are what can be run, each with its rounds.
var scenarios = map[string]struct {
	rounds int
	run    func(ctx context.Context, o *failover.Options) error
}{
	"galera-kill":       {10, func(ctx context.Context, o *failover.Options) error { return failover.Galera(ctx, o, false) }},
	"galera-switch":     {5, func(ctx context.Context, o *failover.Options) error { return failover.Galera(ctx, o, true) }},
	"semi-sync-mariadb": {5, on(failover.SemiSync, server.MariaDB)},
	"semi-sync-mysql":   {5, on(failover.SemiSync, server.MySQL)},
	"async-mariadb":     {3, on(failover.Async, server.MariaDB)},
	"async-mysql":       {3, on(failover.Async, server.MySQL)},
	"read-only-mariadb": {3, on(failover.ReadOnly, server.MariaDB)},
	"read-only-mysql":   {3, on(failover.ReadOnly, server.MySQL)},
}

// on is a failover of one engine.
func on(
	run func(context.Context, *failover.Options, server.Engine) error, engine server.Engine,
) func(context.Context, *failover.Options) error {
	return func(ctx context.Context, o *failover.Options) error { return run(ctx, o, engine) }
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once, and the kernel ends the servers
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "failover:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	count := flag.Int("rounds", 0, "rounds of each scenario; 0 is as many as it is made for")
	callers := flag.Int("callers", 128, "callers at once")
	load := flag.Duration("load", 3*time.Second, "how long they order before a failover, and after it")
	flag.Parse()
	if flag.NArg() == 0 {
		return errors.New("name the scenarios: " + strings.Join(slices.Sorted(maps.Keys(scenarios)), ", "))
	}
	var errs []error
	for _, name := range flag.Args() {
		scenario, ok := scenarios[name]
		if !ok {
			return fmt.Errorf("there is no scenario %s: call it without one for a list", name)
		}
		o := &failover.Options{Rounds: scenario.rounds, Callers: *callers, Load: *load, Out: os.Stdout}
		if *count > 0 {
			o.Rounds = *count
		}
		if err := scenario.run(ctx, o); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
