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
		{
			name: "imports go down the layers",
			pkg: pkg{ImportPath: module + "/sqlstore/internal/coupons", Imports: []string{
				"fmt", module + "/coupon", module + "/internal/fault", module + "/sqlstore/internal/ledger", module + "/stock",
			}},
		},
		{
			name: "the ledger knows no domain but stock, and none of its neighbours",
			pkg: pkg{ImportPath: module + "/sqlstore/internal/ledger", Imports: []string{
				module + "/coupon", module + "/sqlstore/internal/teams", module + "/stock",
			}},
			want: []string{
				module + "/sqlstore/internal/ledger imports " + module + "/coupon of a higher layer",
				module + "/sqlstore/internal/ledger imports " + module + "/sqlstore/internal/teams of a higher layer",
			},
		},
		{
			name: "a new room counts as the front of the store until it has a layer",
			pkg:  pkg{ImportPath: module + "/sqlstore/internal/batch", Imports: []string{module + "/sqlstore/internal/new"}},
			want: []string{module + "/sqlstore/internal/batch imports " + module + "/sqlstore/internal/new of a higher layer"},
		},
		{
			name: "domains do not know each other, but all know stock",
			pkg:  pkg{ImportPath: module + "/groupbuy", Imports: []string{module + "/coupon", module + "/stock"}},
			want: []string{module + "/groupbuy imports " + module + "/coupon of its own layer"},
		},
		{
			name: "packages below one entry may import each other",
			pkg:  pkg{ImportPath: module + "/examples/coupon", Imports: []string{module + "/examples/internal/example"}},
		},
		{
			name: "only tests import what is there for tests",
			pkg:  pkg{ImportPath: module + "/stock", Imports: []string{module + "/stock/stocktest"}},
			want: []string{module + "/stock imports " + module + "/stock/stocktest of a higher layer"},
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

func TestTypesAreNamedByNouns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"carried": true, "Carried": true, "ownedRow": false, "rowOwned": true, "hearing": true,
		"offering": false, "sqlNothing": false, "tableState": false, "T": false,
	} {
		if got := isParticiple(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
