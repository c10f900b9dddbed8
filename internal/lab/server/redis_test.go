package server

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestRedisIsDurableAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if path, _ := installedRedis(t.Context()); path == "" {
		t.Skip("Redis is not installed")
	}
	r, err := StartRedis(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Version(), "redis-") {
		t.Errorf("version: got %q", r.Version())
	}
	if err := ping(t.Context(), r.Addr()); err != nil {
		t.Error(err)
	}
	if files, err := os.ReadDir(r.Folder()); err != nil || len(files) < 2 { // its log, and the append-only file
		t.Errorf("got %v, %v: want an append-only file", files, err)
	}
	pid := r.process.pid
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(r.Folder()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", r.Folder(), err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}
