// Command scale measures what an order costs here, and compares what the simulator says of it with what 1, 2 and 4 processes
// reach in the same run: go -C internal/lab run ./cmd/scale. The figures of internal/SCALE.md are from it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load"
	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
	"github.com/holdfast-go/holdfast/internal/lab/scale"
	"github.com/holdfast-go/holdfast/internal/lab/server"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// workerFlag makes the program a worker of another: see load.Work.
const workerFlag = "-worker"

// inFlight is how many transactions a process has on one hot SKU at a time: one waits for the disk, the server works on the other.
const inFlight = 2

// processes are those of the runs that the simulator is compared with. It is calibrated with the first, and with one caller.
var processes = []int{1, 2, 4}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once, and the kernel ends the servers
	var err error
	if len(os.Args) == 2 && os.Args[1] == workerFlag {
		err = load.Work(ctx, os.Stdin, os.Stdout)
	} else {
		err = run(ctx)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	engine := flag.String("engine", string(server.MariaDB), "`engine` to measure on")
	seconds := flag.Float64("seconds", 4, "`seconds` of each measurement")
	callers := flag.Int("callers", 1_024, "`callers`, of all processes together")
	rounds := flag.Int("rounds", 3, "`rounds`, the medians of which count")
	paper := flag.Bool("paper", false, "measure nothing: compute what larger servers reach by the costs of package scale")
	flag.Parse()
	if *paper {
		onPaper(os.Stdout)
		return nil
	}
	db, err := server.Start(ctx, server.Engine(*engine), &server.Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	worker, err := load.WorkerCommand(workerFlag)
	if err != nil {
		return err
	}
	bench := &load.Bench{
		DSN: db.DSN(), Worker: worker, Pool: 24, Server: db.PID(),
		Warmup: time.Second, Measure: time.Duration(*seconds * float64(time.Second)),
	}
	points := []load.Point{point(1, 1)}
	for _, n := range processes {
		points = append(points, point(n, *callers))
	}
	all := make([][]sample, len(points))
	for range *rounds {
		for i, p := range points {
			s, err := measure(ctx, bench, p)
			if err != nil {
				return err
			}
			all[i] = append(all[i], s)
		}
	}
	report(os.Stdout, db.Version(), *callers, all)
	return nil
}

// onPaper prints what larger servers reach.
func onPaper(out *os.File) {
	for _, engine := range slices.Sorted(maps.Keys(scale.Here)) {
		for _, step := range scale.Steps {
			one, many := scale.Paper(scale.Here[engine], step)
			fmt.Fprintf(out, "%s, %v: one SKU %.0f/s, %.0f orders a transaction, %.0f %% busy; many SKUs %.0f/s\n", engine, step, one.Orders, one.Batch,
				100*one.Busy, many)
		}
	}
}

// point is order row and Lock in one transaction, of one SKU.
func point(processes, callers int) (p load.Point) {
	p.Scenario, p.Contender, p.SKUs, p.Processes, p.Callers = load.Order, contender.Along, 1, processes, callers
	return p
}

// sample is one measurement.
type sample struct {
	scale.Measurement

	cores float64 // that worked for it
}

func measure(ctx context.Context, bench *load.Bench, p load.Point) (sample, error) {
	round, problems, err := bench.Run(ctx, p)
	if err != nil {
		return sample{}, err
	}
	if len(problems) > 0 || round.Failed > 0 {
		return sample{}, fmt.Errorf("%v: %d calls failed, %q", p, round.Failed, problems)
	}
	orders := round.Rate() * round.CPU.Took.Seconds()
	s := sample{cores: (round.CPU.Client + round.CPU.Server).Seconds() / round.CPU.Took.Seconds()}
	s.Rate = round.Rate()
	s.Client, s.Server = round.CPU.Client.Seconds()/orders, round.CPU.Server.Seconds()/orders
	fmt.Fprintf(os.Stderr, "%v: %.0f/s, %.0f + %.0f µs of a core each, %.2f cores\n", p, s.Rate, s.Client*1e6, s.Server*1e6, s.cores)
	return s, nil
}

// median is the one in the middle.
func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

// of returns the median of something that the samples have.
func of(samples []sample, value func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, value(s))
	}
	return median(all)
}

// report compares each round with a simulation of the costs of that round, with as many cores as the run in question got: the
// machine may have had other work, and other work in each round.
func report(out *os.File, version string, callers int, all [][]sample) {
	var costs []scale.Costs
	simulated, ratios := make([][]float64, len(all)), make([][]float64, len(all))
	for round, alone := range all[0] {
		setup := scale.Setup{
			Cores: all[1][round].cores, Processes: 1, Callers: callers, Batch: sqlstore.DefaultBatchSize, InFlight: inFlight,
		}
		setup.Costs = scale.Calibrate(alone.Measurement, all[1][round].Measurement, setup)
		costs = append(costs, setup.Costs)
		for i, samples := range all {
			s := setup
			s.Cores = samples[round].cores
			if i == 0 {
				s.Cores, s.Callers = 1, 1
			} else {
				s.Processes = processes[i-1]
			}
			rate := scale.Simulate(s, 5).Orders
			simulated[i], ratios[i] = append(simulated[i], rate), append(ratios[i], rate/samples[round].Rate)
		}
	}
	cost := func(value func(scale.Costs) float64) float64 {
		var each []float64
		for _, c := range costs {
			each = append(each, 1e6*value(c))
		}
		return median(each)
	}
	fmt.Fprintf(out, "%s, %d cores, %d rounds; medians\n", version, runtime.NumCPU(), len(costs))
	fmt.Fprintf(out, "client %.1f µs an order, %.0f µs a transaction; server %.1f µs and %.0f µs; commit %.0f µs\n",
		cost(func(c scale.Costs) float64 { return c.ClientOrder }), cost(func(c scale.Costs) float64 { return c.ClientBatch }),
		cost(func(c scale.Costs) float64 { return c.ServerOrder }), cost(func(c scale.Costs) float64 { return c.ServerBatch }),
		cost(func(c scale.Costs) float64 { return c.Commit }))
	fmt.Fprintln(out, "processes  callers  measured/s  cores  simulated/s  simulated ÷ measured in the same round")
	for i, samples := range all {
		n, c := 1, 1
		if i > 0 {
			n, c = processes[i-1], callers
		}
		fmt.Fprintf(out, "%9d  %7d  %10.0f  %5.2f  %11.0f  %.2f of %.2f\n", n, c, of(samples, func(s sample) float64 { return s.Rate }),
			of(samples, func(s sample) float64 { return s.cores }), median(simulated[i]), median(ratios[i]), ratios[i])
	}
}
