package sqlstore_test

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

func TestRedPacket(t *testing.T)      { redPacketConformance().everyWay(t) }
func TestRedPacketModel(t *testing.T) { redPacketConformance().models(t, 26, 500) }
func FuzzRedPacketModel(f *testing.F) { redPacketConformance().fuzz(f) }

// redPacketConformance is the same as stockConformance.
func redPacketConformance() conformance[redpacket.Store, redpackettest.Harness] {
	return conformance[redpacket.Store, redpackettest.Harness]{
		tables:  []string{redPacketTables, redPacketLists},
		stores:  waysOf(sqlstore.NewRedPacket, redpackettest.Turns),
		harness: redPacketHarness,
		memory: func() redpackettest.Harness {
			now, advance := ticking()
			return redpackettest.Harness{Store: &redpacket.Memory{Clock: now}, Advance: advance}
		},
		run:   redpackettest.Run,
		model: redpackettest.Model,
	}
}

func redPacketHarness(t testing.TB, db *sqltest.DB, store bound[redpacket.Store]) redpackettest.Harness {
	t.Helper()
	return redpackettest.Harness{
		Store: store.Store, Advance: db.Wire.Advance, Conflicts: conflicts(t, db),
		Begin: func(t testing.TB) (redpacket.Store, func() error, func() error) {
			t.Helper()
			return begin(t, db, "red_packet", store.WithTx)
		},
	}
}
