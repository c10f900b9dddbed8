package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrMissing says that the engine is not here and that this process has no way to install it. To try again is no use.
var ErrMissing = errors.New("not installed, and cannot be installed")

func find(ctx context.Context, engine Engine, progress io.Writer) (*binary, error) {
	if progress == nil {
		progress = io.Discard
	}
	var candidates []Engine
	switch engine {
	case Auto:
		candidates = []Engine{MariaDB, MySQL}
	case MariaDB, MySQL:
		candidates = []Engine{engine}
	case Galera:
		return installGalera(ctx, progress)
	case MariaDB118:
		return installDebian(ctx, engine, progress)
	case TiDB:
		return installTiDB(ctx, progress)
	default:
		return nil, fmt.Errorf("server: unknown engine %q", engine)
	}
	for _, candidate := range candidates {
		if bin := installed(ctx, candidate); bin != nil {
			return bin, nil
		}
	}
	if engine == MySQL {
		return installDebian(ctx, engine, progress)
	}
	return installMariaDB(ctx, progress)
}

// Installed reports whether Start finds MariaDB or MySQL and installs nothing.
func Installed(ctx context.Context, engine Engine) bool {
	if installed(ctx, engine) != nil {
		return true
	}
	cache, err := os.UserCacheDir()
	if err != nil || engine != MySQL || os.Geteuid() != 0 {
		return false
	}
	_, err = os.Stat(filepath.Join(cache, "holdfast", debians[engine].folder))
	return err == nil
}

// installed looks for the engine's server, which either engine may have named mysqld.
func installed(ctx context.Context, engine Engine) *binary {
	for _, name := range []string{"mariadbd", "mysqld"} {
		path, ok := lookPath(name)
		if !ok {
			continue
		}
		about, err := output(command(ctx, path, "--no-defaults", "--version"))
		if err == nil && strings.Contains(string(about), "MariaDB") == (engine == MariaDB) {
			return &binary{engine: engine, path: path}
		}
	}
	return nil
}

// installMariaDB takes the package that holds only the server's executables: it brings no service that apt-get would start.
func installMariaDB(ctx context.Context, progress io.Writer) (*binary, error) {
	if err := aptInstall(ctx, progress, "mariadb-server-core", "mariadb-client-core"); err != nil {
		return nil, fmt.Errorf("server: MariaDB (mariadbd): %w", err)
	}
	if bin := installed(ctx, MariaDB); bin != nil {
		return bin, nil
	}
	return nil, errors.New("server: apt-get has installed MariaDB, but there is still no mariadbd")
}

// debian is a release of Debian that has an engine as this machine may not, in a folder of the user's cache.
type debian struct {
	name     string // of the engine, for people
	folder   string
	release  string
	packages string
	path     string // of the server
}

var debians = map[Engine]debian{
	MySQL:      {"MySQL 9.7", "mysql-9.7", "sid", "mysql-server-core", "/usr/sbin/mysqld"},
	MariaDB118: {"MariaDB 11.8", "mariadb-11.8", "trixie", "mariadb-server-core,mariadb-client-core", "/usr/sbin/mariadbd"},
}

// installDebian makes the Debian of an engine. It gets its final name when it is complete, so an interrupted one is never used; the
// lock keeps a second run from building the same.
func installDebian(ctx context.Context, engine Engine, progress io.Writer) (*binary, error) {
	d := debians[engine]
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("server: %s: %w in a chroot: that takes root", d.name, ErrMissing)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	root := filepath.Join(cache, "holdfast", d.folder)
	bin := &binary{engine: engine, path: d.path, root: root}
	unlock, err := lock(root + ".lock")
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	defer unlock()
	if _, err := os.Stat(root); err == nil {
		return bin, nil
	}
	if _, ok := lookPath("debootstrap"); !ok {
		if err := aptInstall(ctx, progress, "debootstrap", "debian-archive-keyring"); err != nil {
			return nil, fmt.Errorf("server: %s by way of debootstrap: %w", d.name, err)
		}
	}
	fmt.Fprintln(progress, "installing", d.name, "in", root)
	partial := root + ".partial"
	if err := d.bootstrap(ctx, partial); err != nil {
		return nil, fmt.Errorf("server: debootstrap: %w", err)
	}
	if err := os.Rename(partial, root); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return bin, nil
}

// bootstrap fills root anew, in namespaces of its own where the machine lets us have them.
func (d debian) bootstrap(ctx context.Context, root string) error {
	for _, mount := range []string{"proc", "sys"} {
		_ = syscall.Unmount(filepath.Join(root, mount), 0) // what an interrupted one may have left there
	}
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	path, _ := lookPath("debootstrap")
	args := []string{"--variant=minbase", "--include=" + d.packages, d.release, root}
	confined := command(ctx, path, args...)
	confine(confined.SysProcAttr)
	out, err := output(confined)
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		out, err = output(command(ctx, path, args...))
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(out))
	}
	return nil
}

// aptInstall installs Debian packages as root or through a sudo that asks for no password.
func aptInstall(ctx context.Context, progress io.Writer, packages ...string) error {
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return fmt.Errorf("%w: there is no apt-get", ErrMissing)
	}
	prefix := []string{"env", "DEBIAN_FRONTEND=noninteractive", apt, "-q", "-o", "DPkg::Lock::Timeout=300"}
	if os.Geteuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
			return fmt.Errorf("%w with apt-get: that takes root, or sudo without a password", ErrMissing)
		}
		prefix = append([]string{"sudo", "-n"}, prefix...)
	}
	run := func(args ...string) ([]byte, error) {
		args = append(prefix[1:len(prefix):len(prefix)], args...)
		cmd := exec.CommandContext(ctx, prefix[0], args...)
		// An installation that is cut off leaves dpkg in disorder: ask for the end, give it time, and let it outlive us.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = time.Minute
		return cmd.CombinedOutput()
	}
	fmt.Fprintln(progress, "installing", strings.Join(packages, ", "), "with apt-get")
	// Another source of the machine may be out of reach, which is no obstacle yet.
	outdated, _ := run("update")
	if out, err := run(append([]string{"install", "-y", "--no-install-recommends"}, packages...)...); err != nil {
		return fmt.Errorf("apt-get failed: %w\n%s\n%s", err, tail(outdated), tail(out))
	}
	return nil
}

// lookPath also knows the folders that Debian leaves out of an ordinary user's PATH.
func lookPath(name string) (string, bool) {
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, true
		}
	}
	return "", false
}

// lock waits for the exclusive use of a file, which is freed also when this process dies.
func lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { f.Close() }, nil
}
