package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Redis is a running Redis that belongs to the process that started it.
type Redis struct {
	instance

	addr    string
	version string
}

// StartRedis does for Redis what Start does for a database server. It writes an append-only file, with appendfsync always, and
// takes no snapshots, whose fork would disturb what is measured beside it.
func StartRedis(ctx context.Context, opts *Options) (*Redis, error) {
	if opts == nil {
		opts = &Options{}
	}
	path, version, err := findRedis(ctx, opts.Progress)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "holdfast-")
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	r := &Redis{instance: instance{folder: folder}, version: version}
	if err := r.start(ctx, path, opts.Args); err != nil {
		return nil, errors.Join(err, r.end(syscall.SIGKILL))
	}
	return r, nil
}

// Addr is where it listens, as host:port. There is no password.
func (r *Redis) Addr() string { return r.addr }

// Version is the name and version in one word, such as redis-7.0.15.
func (r *Redis) Version() string { return r.version }

func (r *Redis) start(ctx context.Context, path string, args []string) error {
	port, err := freePort(ctx)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	r.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	settings := []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", r.folder, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--save", "",
	}
	cmd := redisCommand(context.WithoutCancel(ctx), path, append(settings, args...)...)
	return r.run(ctx, cmd, func(ctx context.Context) error { return ping(ctx, r.addr) })
}

// findRedis looks for an installed Redis, and installs Debian's where there is none.
func findRedis(ctx context.Context, progress io.Writer) (path, version string, err error) {
	if progress == nil {
		progress = io.Discard
	}
	if path, version := installedRedis(ctx); path != "" {
		return path, version, nil
	}
	// The executable is in redis-tools; the package redis-server adds its name and a service, which apt-get would start.
	if err := aptInstall(ctx, progress, "redis-tools"); err != nil {
		return "", "", fmt.Errorf("server: Redis (redis-server): %w", err)
	}
	if path, version := installedRedis(ctx); path != "" {
		return path, version, nil
	}
	return "", "", errors.New("server: apt-get has installed redis-tools, but there is still no redis-server in it")
}

func installedRedis(ctx context.Context) (path, version string) {
	for _, name := range []string{"redis-server", "redis-check-rdb"} {
		path, ok := lookPath(name)
		if !ok {
			continue
		}
		about, err := output(redisCommand(ctx, path, "--version"))
		if rest, is := strings.CutPrefix(string(about), "Redis server v="); err == nil && is {
			number, _, _ := strings.Cut(rest, " ")
			return path, "redis-" + number
		}
	}
	return "", ""
}

// redisCommand runs the executable as a server: it goes by the name it was called by.
func redisCommand(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := command(ctx, path, args...)
	cmd.Args[0] = "redis-server"
	return cmd
}

// ping asks for a sign of life.
func ping(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	fmt.Fprint(conn, "PING\r\n")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(answer, "+PONG") {
		err = fmt.Errorf("it says %s", strings.TrimSpace(answer))
	}
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}
