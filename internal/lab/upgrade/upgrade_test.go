// Package upgrade runs the version before and this one side by side on one database, under load, while this one migrates.
package upgrade

import (
	"bufio"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/internal/lab/server"
)

// before is the version whose programs still run when this one is deployed: the last commit with four migrations. After a
// release it is the tag of that release.
const before = "ce91381"

const root = "../../.."

// command runs a program to its end and returns what it has printed.
func command(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text)
}

// build compiles the shop with the version before, and with this one.
func build(t *testing.T) (old, now string) {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "git", "-C", root, "cat-file", "-e", before+"^{commit}").Run(); err != nil {
		t.Skipf("the version before, %s, is not in this clone: git fetch --unshallow", before)
	}
	folder := t.TempDir()
	tree, archive := filepath.Join(folder, "tree"), filepath.Join(folder, "tree.tar")
	command(t, root, "git", "archive", "-o", archive, before)
	shop := filepath.Join(tree, "internal", "shop")
	if err := os.MkdirAll(shop, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, tree, "tar", "-xf", archive)
	source, err := os.ReadFile("shop/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop, "main.go"), source, 0o600); err != nil {
		t.Fatal(err)
	}
	old, now = filepath.Join(folder, "old"), filepath.Join(folder, "now")
	command(t, tree, "go", "build", "-o", old, "./internal/shop")
	command(t, ".", "go", "build", "-o", now, "./shop")
	return old, now
}

// The version before has made the tables, and rows in them, and goes on while this one migrates and trades. Neither meets an
// error, and the books of both balance. Then the version before starts once more, on the tables of this one.
func TestTheVersionBeforeRunsBesideThisOne(t *testing.T) {
	t.Parallel()
	old, now := build(t)
	db, err := server.Start(t.Context(), server.MariaDB, &server.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Stop(); err != nil {
			t.Error(err)
		}
	})
	dsn := db.DSN() + "test_upgrade"
	create(t, db.DSN())
	t.Log(command(t, ".", old, dsn, "first", "1", "migrate"))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	running := exec.CommandContext(ctx, old, dsn, "old", "4")
	running.Stderr = os.Stderr
	said, err := running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	lines.Scan() // it is open: a Check beside the change of a table may not see its columns
	t.Log(lines.Text())
	t.Log(command(t, ".", now, dsn, "new", "2", "migrate"))
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := running.Wait(); err != nil {
		t.Fatalf("the version before: %v", err)
	}
	t.Log(command(t, ".", old, dsn, "again", "1", "migrate"))
	t.Log(command(t, ".", now, dsn, "last", "1"))
}

// create makes the database.
func create(t *testing.T, dsn string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE test_upgrade"); err != nil {
		t.Fatal(err)
	}
}
