package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// TiDB comes from the module proxy, which has no release of it, but its branches: release-8.5. It panics at its start when a newer Go
// than its own has built it.
const (
	tidbName    = "TiDB 8.5"
	tidbFolder  = "tidb-8.5"
	tidbModule  = "github.com/pingcap/tidb@v1.1.0-beta.0.20260903095844-ac41d7e3c8fc"
	tidbParser  = "github.com/pingcap/tidb/pkg/parser@v0.0.0-20260903095844-ac41d7e3c8fc" // a module in a folder of the other
	tidbGo      = "go1.25.12"
	tidbVersion = "v8.5.0-20260903-ac41d7e3c8fc" // its build scripts set it; the source has a placeholder
)

// installTiDB builds the server once, below the user's cache folder. The lock keeps a second run from building the same.
func installTiDB(ctx context.Context, progress io.Writer) (*binary, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	folder := filepath.Join(cache, "holdfast", tidbFolder)
	unlock, err := lock(folder + ".lock")
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	defer unlock()
	bin := &binary{engine: TiDB, path: filepath.Join(folder, "tidb-server")}
	if _, err := os.Stat(bin.path); err == nil {
		return bin, nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("server: %s: %w: there is no go to build it with", tidbName, ErrMissing)
	}
	fmt.Fprintln(progress, "building", tidbName, "in", folder+", which takes ten minutes once")
	partial := folder + ".partial"
	if err := buildTiDB(ctx, partial); err != nil {
		return nil, fmt.Errorf("server: building %s: %w", tidbName, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if err := os.Rename(filepath.Join(partial, "tidb-server"), bin.path); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return bin, os.RemoveAll(partial) // some 100 MiB of source
}

// buildTiDB builds tidb-server in folder. Its own replace directives count, so it is built in its own tree.
func buildTiDB(ctx context.Context, folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for _, part := range []struct{ module, folder string }{{tidbModule, folder}, {tidbParser, filepath.Join(folder, "pkg", "parser")}} {
		source, err := download(ctx, part.module)
		if err != nil {
			return err
		}
		if err := os.CopyFS(part.folder, os.DirFS(source)); err != nil {
			return err
		}
	}
	build := command(ctx, "go", "build", "-o", "tidb-server", "-ldflags",
		"-X github.com/pingcap/tidb/pkg/parser/mysql.TiDBReleaseVersion="+tidbVersion, "./cmd/tidb-server")
	build.Dir = folder
	build.Env = append(os.Environ(), "GOTOOLCHAIN="+tidbGo, "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off")
	if out, err := output(build); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(out))
	}
	return nil
}

// download fetches a module and returns the folder that has its source.
func download(ctx context.Context, module string) (string, error) {
	fetch := command(ctx, "go", "mod", "download", "-json", module)
	fetch.Dir = os.TempDir() // of no module
	var message bytes.Buffer
	fetch.Stderr = &message
	out, err := fetch.Output()
	var is struct{ Dir, Error string }
	if failed := json.Unmarshal(out, &is); failed != nil || err != nil || is.Error != "" {
		return "", fmt.Errorf("go mod download %s: %w\n%s%s", module, errors.Join(err, failed), is.Error, tail(message.Bytes()))
	}
	return is.Dir, nil
}

// tidbSettings are those of one process with a store of its own. It is no proof of durability.
func tidbSettings(folder string, port, status int) []string {
	return []string{
		"-store", "unistore", "-path", filepath.Join(folder, "data"), "-temp-dir", folder, "-socket", filepath.Join(folder, "socket"),
		"-host", "127.0.0.1", "-P", strconv.Itoa(port), "-status-host", "127.0.0.1", "-status", strconv.Itoa(status), "-L", "warn",
		"-log-slow-query", filepath.Join(folder, "slow.log"), // not into the folder of whoever starts it
	}
}

// setTiDB makes TiDB keep CHECK constraints, which it drops as it comes, and read in one piece: behind a change of its own transaction,
// a read backwards of no rows never ends on its test store, which then hands out one empty page after the other.
func setTiDB(ctx context.Context, dsn string) error {
	return Exec(ctx, dsn, "SET GLOBAL tidb_enable_check_constraint = ON, GLOBAL tidb_enable_paging = OFF")
}
