package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// TestRedPacket runs the conformance suite as TestStock does.
func TestRedPacket(t *testing.T) {
	t.Parallel()
	everyWay(t, redPacketStores(), func(t *testing.T, variant sqltest.Variant, newStore func(*sql.DB) boundRedPackets) {
		t.Helper()
		redpackettest.Run(t, func(t testing.TB) redpackettest.Harness {
			t.Helper()
			return redPacketHarness(t, prepared(t, variant, redPacketTables), newStore)
		})
	})
}

// redPacketStores are the ways to use the tables, beside the usual.
func redPacketStores() map[string]func(*sql.DB) boundRedPackets {
	return map[string]func(*sql.DB) boundRedPackets{
		"Unmerged": func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, &alone) },
		"Batches":  func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, nil).AlwaysBatch() },
		"Mixed":    newMixedRedPackets,
	}
}

// boundRedPackets is a store that can join a transaction.
type boundRedPackets interface {
	redpacket.Store
	WithTx(tx sqlstore.Tx) *sqlstore.RedPacket
}

// redPacketHarness returns a store in fresh tables of the database, with a frozen clock. No way to make
// it is the usual one.
func redPacketHarness(t testing.TB, db *sqltest.DB, newStore func(*sql.DB) boundRedPackets) redpackettest.Harness {
	t.Helper()
	db.Wire.Freeze(start)
	if newStore == nil {
		newStore = func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, nil) }
	}
	store := newStore(db.DB)
	return redpackettest.Harness{
		Store:   store,
		Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (redpacket.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "red_packet", func(tx sqlstore.Tx) redpacket.Store { return store.WithTx(tx) })
		},
	}
}
