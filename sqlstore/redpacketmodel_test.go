package sqlstore_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/redpackettest"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
)

// redPacketModelRuns of redPacketModelOps random operations each are compared: 13,000 in all.
const (
	redPacketModelRuns = 26
	redPacketModelOps  = 500
)

// TestRedPacketModel drives the memory store and MySQL as TestModel does.
func TestRedPacketModel(t *testing.T) {
	t.Parallel()
	everyModel(t, redPacketStores(), redPacketModelRuns, func(t testing.TB, seed int64, variant sqltest.Variant, way func(*sql.DB) boundRedPackets) {
		t.Helper()
		redPacketModel(t, seed, redPacketModelOps, variant, way)
	})
}

// FuzzRedPacketModel looks for a seed in which the two differ: go test ./sqlstore -fuzz RedPacketModel.
func FuzzRedPacketModel(f *testing.F) {
	f.Add(int64(-1))
	f.Fuzz(func(t *testing.T, seed int64) {
		variant, way := choose(seed, redPacketStores())
		redPacketModel(t, seed, 300, variant, way)
	})
}

// redPacketModel compares the stores over some operations.
func redPacketModel(t testing.TB, seed int64, ops int, variant sqltest.Variant, way func(*sql.DB) boundRedPackets) {
	t.Helper()
	clock := start
	memory := redpackettest.Harness{
		Store:   &redpacket.Memory{Clock: func() time.Time { return clock }},
		Advance: func(d time.Duration) { clock = clock.Add(d) },
	}
	redpackettest.Model(t, seed, ops, memory, redPacketHarness(t, prepared(t, variant, redPacketTables), way))
}
