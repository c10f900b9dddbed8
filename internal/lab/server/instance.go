package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// instance is a server's process with the folder that goes when it goes.
type instance struct {
	folder  string
	process *process
}

// Folder is where the server keeps its data: the place to measure its disk at. It is gone after Stop.
func (i *instance) Folder() string { return i.folder }

// PID is the process of the server.
func (i *instance) PID() int { return i.process.pid }

// Stop ends the server and removes its data; call it once. It fails, with the end of the server's log, when the server was no
// longer running.
func (i *instance) Stop() error {
	select {
	case <-i.process.done:
		return errors.Join(i.failure("ended before it was stopped", i.process.err), i.end(syscall.SIGKILL))
	default:
		return i.end(syscall.SIGTERM)
	}
}

// run starts the process, which then belongs to the instance, and returns once answers has no error.
func (i *instance) run(ctx context.Context, cmd *exec.Cmd, answers func(context.Context) error) error {
	log, err := os.Create(i.logFile())
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if i.process, err = launch(cmd); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	const limit = 90 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	for answers(ctx) != nil {
		select {
		case <-i.process.done:
			return i.failure("did not start", i.process.err)
		case <-ctx.Done():
			return i.failure("did not start", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (i *instance) end(sig syscall.Signal) error {
	if i.process != nil {
		i.process.end(sig)
	}
	return os.RemoveAll(i.folder)
}

func (i *instance) failure(what string, err error) error {
	log, _ := os.ReadFile(i.logFile())
	return fmt.Errorf("server: %s: %w\n%s", what, err, tail(log))
}

func (i *instance) logFile() string { return filepath.Join(i.folder, "log") }

// tail returns the last lines of a log.
func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
