package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// BenchmarkHotGrab is 1,024 callers who grab one packet, each call for another person: its shares are many
// at first, and in the last case gone. The share that a grab returns is read back.
func BenchmarkHotGrab(b *testing.B) {
	for _, c := range []struct {
		name  string
		opts  sqlstore.Options
		count int64
		may   error // what a grab may be refused with
	}{
		{"Merged", sqlstore.Options{}, redpacket.MaxCount, nil},
		{"Unmerged", alone, redpacket.MaxCount, nil},
		{"Finished", sqlstore.Options{}, 1_000, redpacket.ErrFinished},
	} {
		b.Run(c.name, func(b *testing.B) {
			db := prepared(b, defaults, redPacketTables)
			db.SetMaxOpenConns(24)
			packets := redpacket.New(sqlstore.NewRedPacket(db.DB, &c.opts), nil)
			require.NoError(b, of(packets.Send(b.Context(), packetOf(1, 1<<40, c.count))))
			require.NoError(b, of(packets.Confirm(b.Context(), 1)))
			rush(b, "grabs/s", func(n int64) error {
				_, err := packets.For(fmt.Sprint(1000+n)).Grab(b.Context(), 1)
				if c.may != nil && err != nil {
					require.ErrorIs(b, err, c.may)
					return nil
				}
				return err
			})
			report := must(packets.Audit(b.Context()))(b)
			require.Empty(b, report.Drifts)
			require.Empty(b, report.Units)
		})
	}
}
