package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// database is made and dropped for each measurement.
const database = "holdfast_bench"

// Units are what an item has: more than any run can lock, except where it is about being sold out.
const (
	plenty     = 1_000_000_000
	fewUnits   = 20
	readyLimit = time.Minute     // for a worker to connect
	drainLimit = 2 * time.Minute // for the last calls of a measurement to end
)

// Bench measures points on one engine.
type Bench struct {
	DSN     string        // of the database server; it names no database
	Redis   string        // host:port
	Worker  []string      // the command that runs Work on its standard input and output
	Pool    int           // connections of each process
	Prepare bool          // the server prepares the statements: a DSN without interpolateParams
	Warmup  time.Duration // before each measurement
	Measure time.Duration // how long each is
	Holds   int           // how many expire; three times as many are paid
	Orders  int           // of each buyer, where buyers are named
	Profile string        // a folder for CPU profiles of the workers; empty for none
	Server  int           // the process of the database server, whose CPU time is wanted; 0 for none
}

// Run measures a point once: it makes the tables, starts the workers, lets them begin together, and then reads what they have
// left behind. The problems are what is wrong with that; an error means that there is no measurement.
func (b *Bench) Run(ctx context.Context, p Point) (round Round, problems []string, err error) {
	kind, err := contender.Find(p.Contender)
	if err != nil {
		return Round{}, nil, err
	}
	units := int64(plenty)
	if p.Scenario == SoldOut {
		units = fewUnits
	}
	cfg := p.Scenario.config(contender.Config{DSN: b.DSN + database, Redis: b.Redis, Pool: b.Pool, Orders: p.orders(b.Orders)})
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, kind.Clear(cleanup, cfg))
	}()
	if err := kind.Clear(ctx, cfg); err != nil {
		return Round{}, nil, err
	}
	if err := kind.Prepare(ctx, cfg, p.SKUs, units); err != nil {
		return Round{}, nil, err
	}
	outcomes, used, err := b.work(ctx, p)
	if err != nil {
		return Round{}, nil, err
	}
	if round, err = merge(outcomes); err != nil {
		return Round{}, nil, err
	}
	round.CPU = used
	books, err := kind.Inspect(ctx, cfg)
	if err != nil {
		return Round{}, nil, err
	}
	return round, books.Problems(round.Tally), nil
}

// work runs the workers of a point, and returns what they and the server have used meanwhile.
func (b *Bench) work(ctx context.Context, p Point) (outcomes []Outcome, used CPU, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit+b.Warmup+b.Measure+drainLimit,
		errors.New("load: the workers do not come to an end"))
	defer cancel()
	workers := make([]*child, 0, p.Processes)
	defer func() {
		for _, w := range workers {
			w.end()
		}
	}()
	for i := range p.Processes {
		job := Job{
			Point: p, DSN: b.DSN + database, Redis: b.Redis, Pool: b.Pool, Prepare: b.Prepare, Index: i,
			Warmup: b.Warmup, Measure: b.Measure, Holds: p.holds(b.Holds), Orders: p.orders(b.Orders), Profile: b.Profile,
		}
		w, err := spawn(ctx, b.Worker, job)
		if err != nil {
			return nil, CPU{}, err
		}
		workers = append(workers, w)
	}
	for _, w := range workers {
		var ready string
		if err := w.receive(ctx, &ready); err != nil {
			return nil, CPU{}, err
		}
	}
	before, err := b.cpu(workers)
	if err != nil {
		return nil, CPU{}, err
	}
	began := time.Now()
	for _, w := range workers {
		if err := w.send(true); err != nil {
			return nil, CPU{}, err
		}
	}
	outcomes = make([]Outcome, len(workers))
	for i, w := range workers {
		if err := w.receive(ctx, &outcomes[i]); err != nil {
			return nil, CPU{}, err
		}
	}
	used, err = b.cpu(workers)
	return outcomes, CPU{Client: used.Client - before.Client, Server: used.Server - before.Server, Took: time.Since(began)}, err
}

// child is a worker process.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
}

// spawn starts a worker and hands it its job. It has a process group of its own, so that a Ctrl-C reaches only us; it ends with its
// standard input, and so with us, however that happens.
func spawn(ctx context.Context, command []string, job Job) (*child, error) {
	w := &child{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	w.cmd.Stderr = &w.stderr
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	w.in, w.out = in, json.NewDecoder(out)
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("load: starting a worker: %w", err)
	}
	if err := w.send(job); err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

func (w *child) send(message any) error {
	if err := json.NewEncoder(w.in).Encode(message); err != nil {
		return fmt.Errorf("load: telling a worker: %w", err)
	}
	return nil
}

// receive waits for a message. A worker that ends instead has said why.
func (w *child) receive(ctx context.Context, message any) error {
	err := w.out.Decode(message)
	if err == nil {
		return nil
	}
	_ = w.in.Close()
	_ = w.cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("load: a worker has ended: %w: %s", err, strings.TrimSpace(w.stderr.String()))
}

// end waits for the process, which ends at the end of its input, or when the context does.
func (w *child) end() {
	_ = w.in.Close()
	if w.cmd.ProcessState == nil {
		_ = w.cmd.Wait()
	}
}

// WorkerCommand is the running program as a worker.
func WorkerCommand(args ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return append([]string{self}, args...), nil
}
