package main

import (
	"slices"
	"testing"
)

func TestRequirementsBeyondTheFourAreBreaches(t *testing.T) {
	t.Parallel()
	got := checkRequirements([]requirement{
		{Path: "github.com/go-sql-driver/mysql"},
		{Path: "github.com/redis/go-redis/v9"},
		{Path: "filippo.io/edwards25519", Indirect: true},
	})
	if want := []string{"go.mod requires github.com/redis/go-redis/v9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPackagesKeepToTheirLayer(t *testing.T) {
	t.Parallel()
	standard := func(path string) pkg { return pkg{ImportPath: path, Standard: true} }
	foreign := []pkg{standard("context"), standard("database/sql"), standard("database/sql/driver"), standard("net/http")}
	for _, tc := range []struct {
		name string
		pkg  pkg
		want []string
	}{
		{
			name: "a domain may reach the standard library, decimals and its own module",
			pkg: pkg{ImportPath: module + "/stock", Deps: []string{
				"context", "database/sql/driver", "github.com/shopspring/decimal", module + "/internal/input",
			}},
		},
		{
			name: "a domain may not reach the network, a database or a library",
			pkg:  pkg{ImportPath: module + "/groupbuy", Deps: []string{"database/sql", "net/http", "example.com/x"}},
			want: []string{
				module + "/groupbuy is a domain package and reaches database/sql",
				module + "/groupbuy is a domain package and reaches net/http",
				module + "/groupbuy is a domain package and reaches example.com/x",
			},
		},
		{
			name: "what lies below a domain belongs to it",
			pkg:  pkg{ImportPath: module + "/stock/stocktest", Deps: []string{"github.com/stretchr/testify/require"}},
			want: []string{module + "/stock/stocktest is a domain package and reaches github.com/stretchr/testify/require"},
		},
		{
			name: "a store may reach the database, but nothing that is there for tests",
			pkg: pkg{ImportPath: module + "/sqlstore", Deps: []string{
				"database/sql", "github.com/go-sql-driver/mysql", "github.com/DATA-DOG/go-sqlmock",
			}},
			want: []string{module + "/sqlstore reaches github.com/DATA-DOG/go-sqlmock outside its tests"},
		},
		{
			name: "nobody can import a helper of our tests",
			pkg:  pkg{ImportPath: module + "/internal/testdb", Deps: []string{"github.com/stretchr/testify/require"}},
		},
		{
			name: "a name that begins like a domain is none",
			pkg:  pkg{ImportPath: module + "/stockroom", Deps: []string{"net/http"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := checkPackages(append(foreign, tc.pkg)); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
