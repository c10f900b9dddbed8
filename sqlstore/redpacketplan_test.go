package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// However many packets and shares there are, what is read of them is found by an index: the work list and
// the list of what is due grow with what is in them, not with what there ever was.
func TestRedPacketReadsScanNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	const packets, shares = 40, 50
	p := openPurse(t)
	ctx := t.Context()
	var rows, people, grabs []string
	for id := range packets {
		p.fill(int64(id+1), 10_000, shares)
		for no := range shares {
			paid := no % 5 // most are
			grabs = append(grabs, fmt.Sprintf("('%s', 1, %d, 0, 1, %d, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
				redpacket.GrabID(int64(id+1), fmt.Sprint(1000+no)), id+1, stock.Paid))
			people = append(people, fmt.Sprintf("(%d, %d, %d, 2, 1, %d, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", id+1, no+1, 1000+no, min(paid, 1)))
		}
		rows = append(rows, fmt.Sprintf("(%d, 2, 9, 2, 100, 100, 5, 0, 1, REPEAT('s', 32), 4, UTC_TIMESTAMP(6), 0, UTC_TIMESTAMP(6),"+
			" UTC_TIMESTAMP(6))",
			1000+id))
	}
	for _, statement := range []string{
		"INSERT INTO red_packet_share (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, PAY_STATE, DUE_TIME, CREATE_TIME) VALUES " +
			strings.Join(people, ", "),
		"INSERT INTO red_packet (PACKET_ID, SENDER_ID, PLACES, BEST_NO, TOTAL_MONEY, STOCK_MONEY, TOTAL_NUM, SPLIT_EQUAL, MIN_MONEY, SEED," +
			" STATE, END_TIME, OWN_END, CREATE_TIME, UPDATE_TIME) VALUES " +
			strings.Join(rows, ", "),
		"INSERT INTO red_packet_stock_hold (ORDER_NO, LINE_NO, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME) VALUES " +
			strings.Join(grabs, ", "),
		"ANALYZE TABLE red_packet, red_packet_share, red_packet_stock, red_packet_stock_hold",
	} {
		require.NoError(t, of(p.db.ExecContext(ctx, statement)))
	}
	seen := redpacket.Cursor{DueAt: start, Packet: 7, No: 3}
	inTx := func(call func(*sqlstore.RedPacket) error) func() error { return inTx(t, p.db, p.store.WithTx, call) }
	scansNoTable(t, p.db, []planCase{
		{"Payouts", "red_packet_share_due", false, func() error { return of(p.store.Payouts(ctx, redpacket.Cursor{}, 10)) }},
		{"Payouts, a later page", "red_packet_share_due", false, func() error { return of(p.store.Payouts(ctx, seen, 10)) }},
		{"Due", "red_packet_due", false, func() error { return of(p.store.Due(ctx, 10)) }},
		{"Shares", "PRIMARY", false, func() error { return of(p.store.Shares(ctx, 7, 3, 10)) }},
		{"Share", "red_packet_share_person", false, func() error { _, _, err := p.store.Share(ctx, 7, "1003"); return err }},
		{
			"Share, in a transaction", "red_packet_share_person", false,
			inTx(func(s *sqlstore.RedPacket) error { _, _, err := s.Share(ctx, 7, "1003"); return err }),
		},
		{"Payout", "PRIMARY", false, func() error { _, _, err := p.store.Payout(ctx, 7, 3); return err }},
		{"Record", "PRIMARY", false, func() error { _, _, err := p.store.Record(ctx, 7); return err }},
		{"Record, in a transaction", "PRIMARY", false, inTx(func(s *sqlstore.RedPacket) error { _, _, err := s.Record(ctx, 7); return err })},
		{"Records", "PRIMARY", false, func() error { return of(p.store.Records(ctx, 7, 10)) }},
		{"Book", "PRIMARY", false, func() error { return of(p.store.Book(ctx, 7)) }},
		{"Paid", "PRIMARY", false, func() error { return of(p.store.Paid(ctx, 7, 49)) }},
		{"Failed", "PRIMARY", false, func() error { return of(p.store.Failed(ctx, 7, 41, 0, "", time.Minute)) }},
	})
}
