// Command layercheck holds the module to its layers: what it requires, which of its packages import which, what the domain
// packages may reach, and that nothing which is there for tests reaches a user's binary. It also holds types to nouns for
// names. It prints one line for each breach.
//
//	go -C internal/lab run ./cmd/layercheck [-dir ROOT]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/holdfast-go/holdfast"

var (
	domains = []string{"stock", "coupon", "redpacket", "groupbuy"}

	allowedRequirements = []string{
		"github.com/DATA-DOG/go-sqlmock",
		"github.com/go-sql-driver/mysql",
		"github.com/shopspring/decimal",
		"github.com/stretchr/testify",
	}
	allowedInDomains   = []string{"github.com/shopspring/decimal"}
	forbiddenInDomains = []string{"database/sql", "net/http"}
	forTestsOnly       = []string{"github.com/DATA-DOG/go-sqlmock", "github.com/stretchr/testify"}
)

// layers are the packages of the module from the lowest layer on; what lies below a package belongs to it, unless it has a
// layer of its own. A package imports what is in lower layers, never what is in its own or a higher one. So the ledger, which
// is below the domains that sell something else than goods, knows none of them.
var layers = [][]string{
	{"internal"},
	{"stock/event"},
	{"stock"},
	{"internal/allot"},
	{"sqlstore/internal/mysql"},
	{"sqlstore/internal/batch", "sqlstore/internal/along", "sqlstore/internal/events"},
	{"sqlstore/internal/ledger"},
	{"sqlstore/internal/activities"},
	{"coupon", "redpacket", "groupbuy", "stock/sale"},
	{"sqlstore/internal/coupons", "sqlstore/internal/packets", "sqlstore/internal/teams", "sqlstore/internal/sales"},
	{"sqlstore"},
	{"examples"},
	// What is there for tests comes last, so that nothing else imports it.
	{"internal/sqltest", "internal/suite"},
	{
		"stock/stocktest", "internal/coupontest", "internal/redpackettest", "internal/groupbuytest", "internal/saletest", "internal/eventtest",
		"examples/internal/example/exampletest",
	},
}

// pkg is what go list tells about a package, without its tests; Deps are its dependencies near and far.
type pkg struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	Deps       []string
}

// requirement is an entry of go.mod.
type requirement struct {
	Path     string
	Indirect bool
}

func main() {
	dir := flag.String("dir", "../..", "the root of the module")
	flag.Parse()
	breaches, err := check(context.Background(), *dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "layercheck:", err)
		os.Exit(1)
	}
	for _, breach := range breaches {
		fmt.Println("layercheck:", breach)
	}
	if len(breaches) > 0 {
		os.Exit(1)
	}
}

func check(ctx context.Context, dir string) ([]string, error) {
	mod, err := goCommand(ctx, dir, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var requires struct{ Require []requirement }
	if err := json.Unmarshal(mod, &requires); err != nil {
		return nil, err
	}
	list, err := goCommand(ctx, dir, "list", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps", "./...")
	if err != nil {
		return nil, err
	}
	pkgs, err := parse(list)
	if err != nil {
		return nil, err
	}
	names, err := checkNames(dir)
	return slices.Concat(checkRequirements(requires.Require), checkPackages(pkgs), names), err
}

func checkRequirements(requires []requirement) (breaches []string) {
	for _, r := range requires {
		if !r.Indirect && !slices.Contains(allowedRequirements, r.Path) {
			breaches = append(breaches, "go.mod requires "+r.Path)
		}
	}
	return breaches
}

func checkPackages(pkgs []pkg) (breaches []string) {
	standard := map[string]bool{}
	for _, p := range pkgs {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range pkgs {
		breaches = append(breaches, checkImports(p)...)
		for _, dep := range p.Deps {
			switch {
			case isDomain(p) && !inDomain(dep, standard[dep]):
				breaches = append(breaches, p.ImportPath+" is a domain package and reaches "+dep)
			case isImportable(p) && within(dep, forTestsOnly...):
				breaches = append(breaches, p.ImportPath+" reaches "+dep+" outside its tests")
			}
		}
	}
	return breaches
}

// checkImports compares the layer of a package with those of its imports.
func checkImports(p pkg) (breaches []string) {
	owner, layer := layerOf(p.ImportPath)
	if owner == "" {
		return nil
	}
	for _, path := range p.Imports {
		switch imported, lower := layerOf(path); {
		case imported == "", imported == owner, lower < layer:
		case lower == layer:
			breaches = append(breaches, p.ImportPath+" imports "+path+" of its own layer")
		default:
			breaches = append(breaches, p.ImportPath+" imports "+path+" of a higher layer")
		}
	}
	return breaches
}

// layerOf returns the entry of layers that a path belongs to, which is the longest, and its layer; "" is none.
func layerOf(path string) (owner string, layer int) {
	inside, _ := strings.CutPrefix(path, module+"/")
	for i, entries := range layers {
		for _, entry := range entries {
			if path != inside && len(entry) > len(owner) && within(inside, entry) {
				owner, layer = entry, i
			}
		}
	}
	return owner, layer
}

// isDomain takes in what lies below a domain package, such as stock/stocktest.
func isDomain(p pkg) bool {
	inside, ok := strings.CutPrefix(p.ImportPath, module+"/")
	return ok && within(inside, domains...)
}

func inDomain(dep string, standard bool) bool {
	return !slices.Contains(forbiddenInDomains, dep) && (standard || within(dep, module) || within(dep, allowedInDomains...))
}

// isImportable tells the packages that a user may import; whatever reaches a user's binary does so through one of them.
func isImportable(p pkg) bool {
	return within(p.ImportPath, module) && p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal")
}

// within reports whether path is one of the roots or lies below one.
func within(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

func parse(list []byte) (pkgs []pkg, err error) {
	for dec := json.NewDecoder(bytes.NewReader(list)); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pkgs, nil
		case err != nil:
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}
