package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

func TestRedPacket(t *testing.T)      { redPacketConformance().everyWay(t) }
func TestRedPacketModel(t *testing.T) { redPacketConformance().models(t, 26, 500) }
func FuzzRedPacketModel(f *testing.F) { redPacketConformance().fuzz(f) }

// redPacketConformance has the ways of stockConformance.
func redPacketConformance() conformance[boundRedPackets, redpackettest.Harness] {
	return conformance[boundRedPackets, redpackettest.Harness]{
		tables: []string{redPacketTables},
		stores: map[string]func(*sql.DB) boundRedPackets{
			usual:      func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, nil) },
			"Unmerged": func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, &alone) },
			"Batches":  func(db *sql.DB) boundRedPackets { return sqlstore.NewRedPacket(db, nil).AlwaysBatch() },
			"Mixed":    newMixedRedPackets,
		},
		harness: redPacketHarness,
		memory: func() redpackettest.Harness {
			now, advance := ticking()
			return redpackettest.Harness{Store: &redpacket.Memory{Clock: now}, Advance: advance}
		},
		run:   redpackettest.Run,
		model: redpackettest.Model,
	}
}

// boundRedPackets is a store that can join a transaction.
type boundRedPackets interface {
	redpacket.Store
	WithTx(tx sqlstore.Tx) *sqlstore.RedPacket
}

func redPacketHarness(t testing.TB, db *sqltest.DB, store boundRedPackets) redpackettest.Harness {
	t.Helper()
	return redpackettest.Harness{
		Store: store, Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (redpacket.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "red_packet", func(tx sqlstore.Tx) redpacket.Store { return store.WithTx(tx) })
		},
	}
}
