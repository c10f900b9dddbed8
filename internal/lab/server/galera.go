package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// provider is the library of Galera, as Debian has it.
const provider = "/usr/lib/galera/libgalera_smm.so"

// installGalera finds or installs MariaDB, and the library.
func installGalera(ctx context.Context, progress io.Writer) (*binary, error) {
	bin := installed(ctx, MariaDB)
	if bin == nil {
		var err error
		if bin, err = installMariaDB(ctx, progress); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(provider); err != nil {
		if err := aptInstall(ctx, progress, "galera-4"); err != nil {
			return nil, fmt.Errorf("server: the library of Galera: %w", err)
		}
	}
	return &binary{engine: Galera, path: bin.path}, nil
}

// Cluster is a Galera cluster on this machine. Its nodes begin alike and empty, and get what is written to one of them. A node that
// was killed comes back with Restart, and receives what it has missed.
type Cluster struct {
	Nodes []*Server
}

// StartCluster does for a cluster of so many nodes what Start does for a server.
func StartCluster(ctx context.Context, nodes int, opts *Options) (c *Cluster, err error) {
	if opts == nil {
		opts = &Options{}
	}
	bin, err := find(ctx, Galera, opts.Progress)
	if err != nil {
		return nil, err
	}
	c = &Cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
		}
	}()
	places := make([]string, nodes) // where the nodes speak to each other
	for i := range places {
		port, err := freePort(ctx)
		if err != nil {
			return c, fmt.Errorf("server: %w", err)
		}
		places[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	for i := range nodes {
		node, err := newNode(ctx, bin, places, i, opts.Args)
		if err != nil {
			return c, fmt.Errorf("server: %w", err)
		}
		c.Nodes = append(c.Nodes, node)
	}
	return c, c.start(ctx)
}

// newNode makes a node, which does not run yet.
func newNode(ctx context.Context, bin *binary, places []string, i int, args []string) (*Server, error) {
	folder, err := os.MkdirTemp(bin.tempDir(), "holdfast-")
	if err != nil {
		return nil, err
	}
	n := &Server{instance: instance{folder: folder}, bin: bin}
	if n.port, err = freePort(ctx); err != nil {
		return nil, errors.Join(err, n.end(syscall.SIGKILL))
	}
	missed, err := freePort(ctx) // where it receives what it has missed
	if err != nil {
		return nil, errors.Join(err, n.end(syscall.SIGKILL))
	}
	n.args = append([]string{
		"--skip-log-bin", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-buffer-pool-size=128M",
		"--wsrep-on=ON", "--wsrep-provider=" + provider,
		"--wsrep-cluster-address=gcomm://" + strings.Join(places, ","), "--wsrep-node-address=" + places[i], "--wsrep-sst-method=holdfast",
		fmt.Sprintf("--wsrep-provider-options=gmcast.listen_addr=tcp://%s;ist.recv_addr=127.0.0.1:%d;gcache.size=256M", places[i], missed),
	}, args...)
	n.dsn = dsnOf(n.port)
	err = os.WriteFile(filepath.Join(folder, "wsrep_sst_holdfast"), []byte(transferScript), 0o755)
	return n, err
}

// start makes the cluster: the first node alone, whose data the others begin with.
func (c *Cluster) start(ctx context.Context) error {
	first := c.Nodes[0]
	if err := first.bin.prepare(ctx, first.folder); err != nil {
		return err
	}
	if err := first.serve(ctx, "--wsrep-new-cluster"); err != nil {
		return err
	}
	first.process.end(syscall.SIGTERM)
	for _, node := range c.Nodes[1:] {
		if err := os.CopyFS(filepath.Join(node.folder, "data"), os.DirFS(filepath.Join(first.folder, "data"))); err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
	if err := first.serve(ctx, "--wsrep-new-cluster"); err != nil {
		return err
	}
	for _, node := range c.Nodes[1:] {
		if err := node.Restart(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends all nodes and removes their data, also of nodes that were killed.
func (c *Cluster) Stop() error {
	var errs []error
	for _, node := range slices.Backward(c.Nodes) {
		errs = append(errs, node.Discard())
	}
	return errors.Join(errs...)
}

// transferScript is what nodes call to get the data of another one. A node here has them, but for the last of them, which the
// library transfers by itself: the donor only tells from where on. It refuses where it has dropped these from its cache.
const transferScript = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
  --role) role=$2; shift ;;
  --address) address=$2; shift ;;
  --datadir) data=$2; shift ;;
  --gtid) position=$2; shift ;;
  --bypass) bypass=yes ;;
  esac
  shift
done
case $role in
joiner)
  pipe=$data/position
  rm -f "$pipe"
  mkfifo "$pipe"
  echo "ready $pipe"
  cat "$pipe"
  ;;
donor)
  [ -n "$bypass" ] || exit 1
  echo "$position" >"$address"
  echo "done $position"
  ;;
esac
`

// recovered is where a node says how far it had come.
var recovered = regexp.MustCompile(`WSREP: Recovered position: ([0-9a-f-]+:\d+)`)

// recover asks a node that was killed how far it had come.
func (s *Server) recover(ctx context.Context) (string, error) {
	args := slices.Concat(s.bin.settings(s.folder, s.port), s.args, []string{"--wsrep-recover"})
	out, err := output(s.bin.command(ctx, s.bin.path, args...))
	found := recovered.FindSubmatch(out)
	if err != nil || found == nil {
		return "", fmt.Errorf("server: the node does not say how far it had come: %w\n%s", err, tail(out))
	}
	return string(found[1]), nil
}

// joined returns an error until a node is up to date and takes statements.
func joined(ctx context.Context, dsn string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	var name, state string
	if err := db.QueryRowContext(ctx, "SHOW STATUS LIKE 'wsrep_local_state_comment'").Scan(&name, &state); err != nil {
		return err
	}
	if state != "Synced" {
		return errors.New(state)
	}
	return nil
}
