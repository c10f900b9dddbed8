// Command enginetest runs the tests of this repository against a real database server: one that it starts for the run, or the
// one that HOLDFAST_TEST_DSN names. It prints what go test would, every reason for a skip, and one closing line of counts and time:
//
//	go -C internal/lab run ./cmd/enginetest [-engine auto|mariadb|mariadb-11.8|mysql|tidb|galera] [-summary FILE] [-- go test arguments]
//
// It fails when a test or a package fails, when nothing has run, and when a test was skipped for want of a server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/lab/server"
)

const dsnVariable = "HOLDFAST_TEST_DSN"

// privateVariable tells the tests that the server is their own, to be changed as a whole.
const privateVariable = "HOLDFAST_TEST_PRIVATE"

// standbyVariable names the node of a cluster to which the tests do not write.
const standbyVariable = "HOLDFAST_TEST_STANDBY"

// progressInterval is how often the run says where it is. Packages say so when they end, the longest after half an hour on TiDB.
const progressInterval = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends us at once, and the kernel ends the server
	err := run(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "enginetest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	engine := flag.String("engine", string(server.Auto),
		"auto (the server of "+dsnVariable+" if set), mariadb, mariadb-11.8, mysql, tidb or galera")
	dir := flag.String("dir", "../..", "the folder to run go test in")
	summaryFile := flag.String("summary", "", "a file to append the closing line to")
	flag.Parse()
	args := flag.Args()
	if len(args) == 0 {
		args = []string{"./..."}
	}
	if server.Engine(*engine) == server.TiDB {
		args = slices.Insert(args, 0, "-p=1") // a test makes the server read-only, which spares no account there
	}

	env, version, stop, err := open(ctx, server.Engine(*engine))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	began := time.Now()
	summary, err := goTest(ctx, *dir, env, args)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s: %s in %v", version, summary.counts(), time.Since(began).Round(time.Second))
	summary.printSkips()
	fmt.Println(line)
	if *summaryFile != "" {
		if err := appendLine(*summaryFile, line); err != nil {
			return err
		}
	}
	return summary.verdict()
}

// forgetful are the settings of a server that need not outlive its machine: each test makes tables of its own, and waiting for the
// disk is most of what that takes. All else is as in production, the binary log included; measurements never use them.
var forgetful = []string{"--innodb-flush-method=nosync", "--sync-binlog=0"}

// open returns the environment that names the server to test against, and what stops it when the tests are done.
func open(ctx context.Context, engine server.Engine) (env []string, version string, stop func() error, err error) {
	if dsn := os.Getenv(dsnVariable); dsn != "" && engine == server.Auto {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		version, err := server.Version(ctx, dsn)
		if err != nil {
			return nil, "", nil, fmt.Errorf("the server of %s does not answer: %w", dsnVariable, err)
		}
		return nil, version, func() error { return nil }, nil
	}
	opts := &server.Options{Progress: os.Stdout, Args: forgetful}
	switch engine {
	case server.TiDB:
		opts.Args = nil
	case server.Galera:
		return openCluster(ctx, opts)
	default:
	}
	s, err := server.Start(ctx, engine, opts)
	if errors.Is(err, server.ErrMissing) {
		return nil, "", nil, fmt.Errorf("%w; install it, or set %s to the DSN of a server to make databases on", err, dsnVariable)
	}
	if err != nil {
		return nil, "", nil, err
	}
	fmt.Println("testing on", s.Version())
	return []string{dsnVariable + "=" + s.DSN(), privateVariable + "=1"}, s.Version(), s.Stop, nil
}

// openCluster starts a cluster of Galera. The tests write to one node, and look at what the other one says that takes over.
func openCluster(ctx context.Context, opts *server.Options) (env []string, version string, stop func() error, err error) {
	c, err := server.StartCluster(ctx, 2, opts)
	if err != nil {
		return nil, "", nil, err
	}
	version = "galera-" + c.Nodes[0].Version()
	fmt.Println("testing on", version)
	return []string{
		dsnVariable + "=" + c.Nodes[0].DSN(), standbyVariable + "=" + c.Nodes[1].DSN(), privateVariable + "=1",
	}, version, c.Stop, nil
}

// goTest runs go test and reports on it as it goes. The error is that of the run; what became of the tests is in the summary.
func goTest(ctx context.Context, dir string, env, args []string) (*summary, error) {
	// A result from the cache may stem from another server behind the same DSN.
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-count=1"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	// The group holds the test binaries too, which a signal to the go command alone would leave running.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	summary := newSummary(os.Stdout)
	stop := every(progressInterval, summary.progress)
	readErr := summary.read(stdout)
	stop()
	waitErr := cmd.Wait()
	if ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a test binary may have ignored the interrupt
		return nil, ctx.Err()
	}
	if _, exited := fault.As[*exec.ExitError](waitErr); exited {
		summary.exit, waitErr = waitErr, nil
	}
	return summary, errors.Join(readErr, waitErr)
}

// every calls f in each interval until stop is called, which waits for the last call to end.
func every(interval time.Duration, f func(now time.Time)) (stop func()) {
	ticker, quit, ended := time.NewTicker(interval), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case now := <-ticker.C:
				f(now)
			case <-quit:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-ended
	}
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}
