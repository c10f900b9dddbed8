package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load"
	"github.com/holdfast-go/holdfast/internal/lab/server"
)

// report is what a run leaves behind, as JSON.
type report struct {
	Began    time.Time      `json:"began"`
	Host     load.Host      `json:"host"`
	Pool     int            `json:"pool"`
	Prepare  bool           `json:"prepare"` // the server has prepared the statements
	Measure  time.Duration  `json:"measure_ns"`
	Warmup   time.Duration  `json:"warmup_ns"`
	Engines  []engineReport `json:"engines"`
	Verdicts []load.Verdict `json:"verdicts"`

	wrong []string // what fails the run
}

// engineReport is one database server with its results.
type engineReport struct {
	Version  string         `json:"version"`
	Settings []string       `json:"settings"`
	Fsync    load.Fsync     `json:"fsync"`
	Redis    string         `json:"redis"`
	Results  []*load.Result `json:"results"`
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.list {
		fmt.Print(load.Describe(o.plan))
		return nil
	}
	r := &report{
		Began: time.Now().UTC().Truncate(time.Second), Host: load.ThisHost(), Pool: o.pool, Prepare: o.prepare,
		Measure: o.measure, Warmup: o.warmup,
	}
	for _, engine := range o.engines {
		err := r.engine(ctx, o, server.Engine(engine))
		if errors.Is(err, server.ErrMissing) && engine == string(server.MySQL) && len(o.engines) > 1 {
			fmt.Fprintf(os.Stderr, "bench: left out: %v\n", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return r.finish(o)
}

// wrongIn names what fails a run: the books of this library, and in a smoke test whatever call has failed.
func wrongIn(results *load.Results, smoke bool) []string {
	var wrong []string
	for _, result := range results.All() {
		if result.Broken {
			wrong = append(wrong, fmt.Sprintf("%s, %v: %s", results.Engine, result.Point, strings.Join(result.Problems, "; ")))
		}
		if smoke && result.Failed > 0 {
			wrong = append(wrong, fmt.Sprintf("%s, %v: %d calls failed: %s", results.Engine, result.Point, result.Failed, result.LastError))
		}
	}
	return wrong
}

// finish prints the verdicts and writes the file.
func (r *report) finish(o *options) error {
	if len(r.Engines) == 0 {
		return errors.New("no engine was there to measure on")
	}
	missed := 0
	if !o.smoke {
		fmt.Println()
		load.WriteVerdicts(os.Stdout, r.Verdicts)
		for _, v := range r.Verdicts {
			if !v.Held {
				missed++
			}
		}
	}
	if o.jsonFile != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.jsonFile, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if len(r.wrong) > 0 {
		return fmt.Errorf("this went wrong:\n  %s", strings.Join(r.wrong, "\n  "))
	}
	fmt.Printf("\nNo unit sold twice, no hold lost, no counter off after any measurement of Holdfast.\n")
	if o.strict && missed > 0 {
		return fmt.Errorf("%d of the ratios that must hold do not", missed)
	}
	return nil
}

// engine measures the plan on one engine.
func (r *report) engine(ctx context.Context, o *options, engine server.Engine) (err error) {
	db, err := server.Start(ctx, engine, &server.Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	redis, err := server.StartRedis(ctx, &server.Options{Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Stop()) }()

	if engine == server.TiDB { // as sqlstore advises; it costs the others nothing
		if err := server.Exec(ctx, db.DSN(), "SET GLOBAL transaction_isolation = 'READ-COMMITTED'"); err != nil {
			return err
		}
	}
	about := engineReport{Version: db.Version(), Redis: redis.Version()}
	if about.Settings, err = load.Settings(ctx, db.DSN()); err != nil {
		return err
	}
	if about.Fsync, err = load.MeasureFsync(db.Folder()); err != nil {
		return err
	}
	r.print(os.Stdout, &about)
	worker, err := load.WorkerCommand(workerFlag)
	if err != nil {
		return err
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	bench := &load.Bench{
		DSN: db.DSN(), Redis: redis.Addr(), Worker: worker, Pool: o.pool, Prepare: o.prepare,
		Warmup: o.warmup, Measure: o.measure, Holds: o.holds, Orders: o.orders, Profile: o.profile,
	}
	results := &load.Results{Engine: db.Version()}
	err = r.measure(ctx, bench, load.Steps(o.plan), results)
	load.WriteTables(os.Stdout, results) // also of a run that was interrupted
	if err != nil {
		return err
	}
	r.wrong = append(r.wrong, wrongIn(results, o.smoke)...)
	about.Results = results.All()
	r.Engines = append(r.Engines, about)
	r.Verdicts = append(r.Verdicts, load.Judge(results, string(engine))...)
	if o.svgDir != "" {
		return drawCharts(o.svgDir, string(engine), results)
	}
	return nil
}

// print says what the figures were measured on.
func (r *report) print(w io.Writer, about *engineReport) {
	h := r.Host
	fmt.Fprintf(w, "%s and %s, at the same time as the load on %d cores (%s), %.0f GiB, %s, Linux %s, %s\n",
		about.Version, about.Redis, h.Cores, h.CPU, h.Memory, h.System, h.Kernel, h.Go)
	fmt.Fprintf(w, "fsync of 4 KiB beside the data: p50 %d µs, p99 %d µs\n", about.Fsync.P50, about.Fsync.P99)
	fmt.Fprintln(w, strings.Join(about.Settings, ", "))
	dsn := "interpolateParams=true"
	if r.Prepare {
		dsn = "no interpolateParams"
	}
	fmt.Fprintf(w, "Redis: appendonly yes, appendfsync as named, no snapshots, no rewriting. Pool: %d connections, %s. Each measurement: %v"+
		" after %v. Rates are medians of the rounds,\nratios those of the rounds in which both took part.\n",
		r.Pool, dsn, r.Measure, r.Warmup)
}

// measure takes the steps one after the other. One that cannot be measured fails the run, at its end.
func (r *report) measure(ctx context.Context, bench *load.Bench, steps []load.Step, results *load.Results) error {
	for i, step := range steps {
		round, problems, err := bench.Run(ctx, step.Point)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := load.ProgressLine(results.Engine, step.Point, round, problems)
		if err != nil {
			line = fmt.Sprintf("%s %v: %v", results.Engine, step.Point, err)
			r.wrong = append(r.wrong, line)
		} else {
			results.Add(step, round, problems)
		}
		fmt.Fprintf(os.Stderr, "[%d/%d] %s\n", i+1, len(steps), line)
	}
	return nil
}

func drawCharts(folder, engine string, results *load.Results) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	charts, err := load.Charts(results)
	if err != nil {
		return err
	}
	for _, chart := range charts {
		if err := os.WriteFile(filepath.Join(folder, "bench-"+engine+chart.Name+".svg"), chart.SVG, 0o644); err != nil {
			return err
		}
	}
	return nil
}
