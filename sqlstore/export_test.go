package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/stock"
)

// unitsOf returns the store of the units of a domain's store.
func unitsOf(store any) *ledger.Store {
	switch s := store.(type) {
	case *Stock:
		return s.ledger
	case *Coupon:
		return s.coupons.Units().(*ledger.Store)
	case *RedPacket:
		return s.packets.Units().(*ledger.Store)
	}
	if s, ok := store.(*Sale); ok {
		return s.sales.Units().(*ledger.Store)
	}
	return store.(*GroupBuy).teams.Units().(*ledger.Store)
}

// AlwaysBatch returns a store with every call that could be merged done by the code of a batch, alone
// or not, so that a test without concurrency sees that code.
func AlwaysBatch[S any](store S) S {
	unitsOf(store).Bounds.Always = true
	return store
}

// OneByOne returns a store with one batch of a row in flight at a time, which nothing overtakes, so that a test can form a
// batch.
func OneByOne[S any](store S) S {
	if bounds := unitsOf(store).Bounds; bounds != nil {
		bounds.InFlight = func() int { return 1 }
		bounds.Slow = time.Hour
	}
	return store
}

// Patient returns a store in which nothing overtakes a flight, however slow the machine is.
func Patient[S any](store S) S {
	unitsOf(store).Bounds.Slow = time.Hour
	return store
}

// Waiting returns how many calls of a store wait for a batch that changes something.
func (s *Stock) Waiting() int64 { return int64(s.ledger.Waiting()) }

// Merges reports whether the store merges calls.
func (s *Stock) Merges() bool { return s.ledger.Bounds != nil }

// Mended makes the store forget the dead holds that it could not release.
func (s *Stock) Mended() { s.ledger.Mended() }

// LockBatch locks orders as one batch.
func LockBatch(ctx context.Context, s *Stock, orders ...stock.Order) ([]stock.LockResult, error) {
	calls := make([]ledger.LockCall, len(orders))
	for i, order := range orders {
		calls[i] = ledger.LockCall{Order: order, HoldFor: stock.DefaultHoldFor, Cargo: ledger.Cargo{Beside: order.Beside}}
	}
	replies, err := s.ledger.LockBatch(ctx, calls)
	if err != nil {
		return nil, err
	}
	results := make([]stock.LockResult, len(calls))
	for i, c := range calls {
		results[i] = c.Result(replies[i].Answer)
	}
	return results, nil
}

// The settings of options that say nothing are the documented ones.
func TestSettingsAreTheDefaultsWhereOptionsAreZero(t *testing.T) {
	t.Parallel()
	for _, opts := range []*Options{nil, {}} {
		s := opts.settings()
		require.NoError(t, s.Broken)
		require.Equal(t, batch.Limits{Size: DefaultBatchSize, Batches: DefaultBatches, Waiting: DefaultWaiting}, s.Limits)
		require.Equal(t, MaxSoldOutFor, s.SoldOutFor)
		require.False(t, s.Unmerged)
	}
}

// MigrateTo brings the tables to a schema of another version.
func MigrateTo(ctx context.Context, schema fs.FS, db *sql.DB) error {
	return migrate(ctx, db, nil, schema)
}

// ProblemsWith returns what Check of a version with another schema finds.
func ProblemsWith(ctx context.Context, schema fs.FS, db *sql.DB) []string {
	err := check(ctx, db, nil, schema)
	if found, ok := fault.As[*CheckError](err); ok {
		return found.Problems
	}
	if err != nil {
		return []string{err.Error()}
	}
	return nil
}

// Parts returns how many parts of a kind the tables of Schema have, as Check knows them.
func Parts(kind string) (n int) {
	all, _ := migrationsOf(Schema()) // read by other tests
	for _, m := range all {
		for _, t := range m.tables {
			for _, p := range t.parts {
				if p.kind == kind {
					n++
				}
			}
		}
	}
	return n
}

func TestPrefixIsInFrontOfEveryName(t *testing.T) {
	t.Parallel()
	all, err := migrationsOf((&Options{Prefix: "shop_"}).Schema())
	require.NoError(t, err)
	for _, m := range all {
		for _, s := range m.statements {
			require.NotRegexp(t, sqltest.Bare, s)
		}
	}
}
