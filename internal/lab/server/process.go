package server

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child, with a process group of its own, so that a Ctrl-C at the terminal reaches only us and we decide when
// the child goes.
type process struct {
	pid  int
	done chan struct{} // closed when the child has ended, after err is set
	err  error
}

// command prepares a child that is killed with its whole group when ctx ends, and by the kernel when we die.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// For the kernel the parent is the thread that forked, so this one has to outlive the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// end sends the signal to the group, and SIGKILL when that has not helped within half a minute.
func (p *process) end(sig syscall.Signal) {
	for _, sig := range []syscall.Signal{sig, syscall.SIGKILL} {
		select {
		case <-p.done:
			return
		default:
			_ = syscall.Kill(-p.pid, sig) // fails only when the group has just ended
		}
		select {
		case <-p.done:
		case <-time.After(30 * time.Second):
		}
	}
}

// output runs a command to its end and returns all that it wrote.
func output(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := launch(cmd)
	if err != nil {
		return nil, err
	}
	<-p.done
	return out.Bytes(), p.err
}
