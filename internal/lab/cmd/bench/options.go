package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load"
	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
	"github.com/holdfast-go/holdfast/internal/lab/server"
)

// options are what the flags say.
type options struct {
	engines  []string
	choice   load.Choice
	smoke    bool
	list     bool
	strict   bool
	full     bool
	prepare  bool
	warmup   time.Duration
	measure  time.Duration
	pool     int
	holds    int
	orders   int
	dir      string
	jsonFile string
	svgDir   string
	profile  string
	plan     []load.Comparison
}

// parse reads the flags. It returns flag.ErrHelp after the help has been printed.
func parse(args []string, help io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Usage = func() { usage(flags) }
	engines := flags.String("engine", "mariadb,mysql", "the `engines`; MySQL is left out where it is not installed and cannot be")
	scenarios := flags.String("scenario", "", "only these `scenarios`")
	contenders := flags.String("contender", "", "only these `contenders`")
	callers := flags.String("callers", "", "these `numbers` of callers instead of those of the plan")
	skus := flags.String("skus", "", "only the measurements with these `numbers` of SKUs (1, 1000)")
	processes := flags.String("processes", "", "only the measurements with these `numbers` of processes (1, 4)")
	delays := flags.String("delay", "", "only the measurements with these added `times` for each round trip (0, 1ms)")
	seconds := flags.Float64("seconds", 2, "how long a measurement takes, in `seconds`")
	warmup := flags.Float64("warmup", 0.7, "how long the callers call before it, in `seconds`")
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("what is %q? bench takes flags only", flags.Arg(0))
	}
	if o.smoke {
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		o.makeSmall(given, engines, seconds, warmup)
	}
	o.engines, o.measure, o.warmup = words(*engines), duration(*seconds), duration(*warmup)
	o.choice.Scenarios, o.choice.Contenders = words(*scenarios), words(*contenders)
	var errs [4]error
	o.choice.Callers, errs[0] = numbers("callers", *callers)
	o.choice.SKUs, errs[1] = numbers("skus", *skus)
	o.choice.Processes, errs[2] = numbers("processes", *processes)
	o.choice.Delays, errs[3] = durations("delay", *delays)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return o, o.check()
}

// define adds the flags that are options as they stand.
func (o *options) define(flags *flag.FlagSet) {
	flags.IntVar(&o.choice.Rounds, "rounds", 0, "`rounds` of each comparison instead of those of the plan")
	flags.BoolVar(&o.smoke, "smoke", false, "everything once and for a moment, on MariaDB: does it work? The figures mean nothing")
	flags.BoolVar(&o.full, "full", false, "everything, in 90 minutes, instead of what README shows; who chooses, chooses from everything")
	flags.BoolVar(&o.prepare, "prepare", false, "a DSN without interpolateParams: the server prepares each statement")
	flags.BoolVar(&o.list, "list", false, "print the plan and end")
	flags.BoolVar(&o.strict, "strict", false, "fail also where a ratio that must hold does not")
	flags.IntVar(&o.pool, "pool", 24, "`connections` of each process, of everybody but pipelined Redis and the limit, which need fewer")
	flags.IntVar(&o.holds, "holds", 50_000, "how many dead `holds` are to expire; three times as many are locked to be paid")
	flags.IntVar(&o.orders, "orders", 1, "how many `orders` each buyer places, in lock-buyer")
	flags.StringVar(&o.dir, "dir", ".", "the `folder` that the next three are relative to")
	flags.StringVar(&o.jsonFile, "json", "", "write the results to a `file` as JSON")
	flags.StringVar(&o.svgDir, "svg", "", "write charts to a `folder`: bench-mysql.svg of orders, -lock.svg of Locks, each with a -p99.svg")
	flags.StringVar(&o.profile, "profile", "", "write CPU profiles of the load, with the library in it, to a `folder`")
}

// makeSmall sets what the flags have left open to what a smoke test needs.
func (o *options) makeSmall(given map[string]bool, engines *string, seconds, warmup *float64) {
	if !given["engine"] {
		*engines = string(server.MariaDB)
	}
	if !given["seconds"] {
		*seconds = 0.15
	}
	if !given["warmup"] {
		*warmup = 0.05
	}
	if !given["holds"] {
		o.holds = 1_000
	}
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
}

// place resolves the path of a file.
func (o *options) place(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.dir, path)
}

// check refuses what cannot be run, and makes the plan.
func (o *options) check() error {
	for _, engine := range o.engines {
		if !slices.Contains([]server.Engine{server.MariaDB, server.MySQL, server.TiDB}, server.Engine(engine)) {
			return fmt.Errorf("-engine %s: there are mariadb, mysql and tidb", engine)
		}
	}
	if len(o.engines) == 0 || o.measure <= 0 || o.warmup < 0 || o.pool < 1 || o.holds < 1 || o.orders < 1 || o.choice.Rounds < 0 {
		return errors.New("-engine, -seconds, -pool, -holds and -orders have to be something, and no flag may be negative")
	}
	plan := load.Shown()
	switch {
	case o.smoke:
		plan = load.Smoke()
	case o.full || o.choice.Any():
		plan = load.Full()
	}
	o.jsonFile, o.svgDir, o.profile = o.place(o.jsonFile), o.place(o.svgDir), o.place(o.profile)
	var err error
	o.plan, err = o.choice.From(plan)
	return err
}

// words splits a list; nothing is nil.
func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func numbers(name, list string) ([]int, error) {
	var all []int
	for _, word := range words(list) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-%s %s: want numbers from 1 on, with commas between them", name, list)
		}
		all = append(all, n)
	}
	return all, nil
}

func durations(name, list string) ([]time.Duration, error) {
	var all []time.Duration
	for _, word := range words(list) {
		d, err := time.ParseDuration(word)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("-%s %s: want times such as 0 or 1ms, with commas between them", name, list)
		}
		all = append(all, d)
	}
	return all, nil
}

func usage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprint(out, `bench measures Holdfast against what people use instead. It starts the servers it needs on this machine, with data folders
of their own, binary log and every commit on disk, and stops them at the end, also after Ctrl-C. Missing ones are installed with apt-get.

Everybody does the same: a caller is a goroutine that places a new order, again and again, without a pause. Contenders
take turns, so that what else goes on in the machine meets each of them. Load and servers share its cores: ratios of one run say
something, absolute figures do not. After each measurement the books are audited, and the rows of the shop compared with the holds.

Contenders:

`)
	for _, kind := range contender.Kinds() {
		fmt.Fprintf(out, "  %-16s %s\n", kind.Name, kind.About)
	}
	fmt.Fprint(out, `
Scenarios:

`)
	for _, scenario := range load.Scenarios() {
		fmt.Fprintf(out, "  %-16s %s\n", scenario, scenario.About())
	}
	fmt.Fprint(out, `
Examples:

  bench -engine mariadb -scenario lock -contender ours,redis-always,limit -callers 1024 -rounds 3
  bench -json bench.json -svg .          what README shows, about 25 minutes
  bench -scenario order,order-items -rounds 3
  bench -smoke                           does everything work?

Flags:

`)
	flags.PrintDefaults()
}
