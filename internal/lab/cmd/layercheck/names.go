package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// nouns are the words that end like a participle and name a thing nevertheless.
var nouns = []string{"nothing", "offering", "ring", "seed", "setting"}

// checkNames returns the types that are named after a participle, such as carried or hearing. A type is named by a noun.
func checkNames(dir string) (breaches []string, err error) {
	tree := os.DirFS(dir)
	err = fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		source, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && isParticiple(spec.Name.Name) {
				breaches = append(breaches, fmt.Sprintf("%s: type %s is named after a participle", path, spec.Name.Name))
			}
			return true
		})
		return nil
	})
	return breaches, err
}

// isParticiple reports whether the last word of a name is a participle.
func isParticiple(name string) bool {
	last := strings.LastIndexFunc(name, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	word := strings.ToLower(name[max(last, 0):])
	return (strings.HasSuffix(word, "ed") || strings.HasSuffix(word, "ing")) && !slices.Contains(nouns, word)
}
