package server

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// binary is the executable of a database server.
type binary struct {
	engine Engine // not Auto
	path   string // as seen from root
	root   string // the chroot it runs in, or empty
}

func (b *binary) tempDir() string {
	if b.root == "" {
		return os.TempDir()
	}
	return filepath.Join(b.root, "tmp")
}

// inside turns a path of ours into the server's.
func (b *binary) inside(path string) string { return strings.TrimPrefix(path, b.root) }

// command prepares a program of the engine, whose path is as seen from root.
func (b *binary) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := command(ctx, path, append([]string{"--no-defaults"}, asRoot(args)...)...)
	cmd.SysProcAttr.Chroot = b.root
	cmd.Dir = "/"
	return cmd
}

// prepare makes the data folder.
func (b *binary) prepare(ctx context.Context, folder string) error {
	if b.engine == TiDB { // makes it by itself
		return nil
	}
	if out, err := output(b.initialize(ctx, folder)); err != nil {
		return fmt.Errorf("server: preparing the data folder: %w\n%s", err, tail(out))
	}
	return nil
}

// server returns the command that runs the server, which outlives the context.
func (b *binary) server(ctx context.Context, folder string, port int, args []string) (*exec.Cmd, error) {
	lasting := context.WithoutCancel(ctx)
	if b.engine == TiDB {
		status, err := freePort(ctx)
		cmd := command(lasting, b.path, append(tidbSettings(folder, port, status), args...)...)
		cmd.Dir = folder // it leaves a folder oom_record where it starts
		return cmd, err
	}
	cmd := b.command(lasting, b.path, append(b.settings(folder, port), args...)...)
	if b.engine == Galera {
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH")) // see transferScript
	}
	return cmd, nil
}

// initialize makes the data folder, whose root has no password and may connect from this machine only.
func (b *binary) initialize(ctx context.Context, folder string) *exec.Cmd {
	if b.engine == MySQL {
		return b.command(ctx, b.path, append(places(folder), "--initialize-insecure")...)
	}
	installer := "mariadb-install-db"
	if b.root != "" {
		installer = "/usr/bin/" + installer // it is not to be looked for in our PATH
	}
	// The force is needed where a machine cannot look up its own name; nothing here goes by name.
	return b.command(ctx, installer, append(places(folder), "--force", "--auth-root-authentication-method=normal")...)
}

// settings are durable: each commit is in the binary log and on disk before it is answered. MySQL does that by default.
func (b *binary) settings(folder string, port int) []string {
	args := append(places(folder),
		"--socket="+filepath.Join(folder, "socket"),
		"--port="+strconv.Itoa(port),
		"--bind-address=127.0.0.1",
		"--max-connections=1000",
		"--innodb-buffer-pool-size=512M",
	)
	if b.engine == MySQL {
		return append(args, "--mysqlx=OFF", "--secure-file-priv=NULL") // the folder that Debian has in mind is not there
	}
	return append(args, "--log-bin", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1")
}

// places include a folder for temporary tables, since a MariaDB that starts removes those of others where it keeps its own.
func places(folder string) []string {
	return []string{"--datadir=" + filepath.Join(folder, "data"), "--tmpdir=" + folder}
}

// asRoot adds the consent that both engines ask for before they run as root.
func asRoot(args []string) []string {
	if os.Geteuid() == 0 {
		return append(args, "--user=root")
	}
	return args
}
