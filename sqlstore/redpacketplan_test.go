package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
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
	for _, c := range []struct {
		name  string
		index string // of the table that the statement is about
		call  func() error
	}{
		{"Payouts", "red_packet_share_due", func() error { return of(p.store.Payouts(ctx, redpacket.Cursor{}, 10)) }},
		{"Payouts, a later page", "red_packet_share_due", func() error { return of(p.store.Payouts(ctx, seen, 10)) }},
		{"Due", "red_packet_due", func() error { return of(p.store.Due(ctx, 10)) }},
		{"Shares", "PRIMARY", func() error { return of(p.store.Shares(ctx, 7, 3, 10)) }},
		{"Share", "red_packet_share_person", func() error { _, _, err := p.store.Share(ctx, 7, "1003"); return err }},
		{
			"Share, in a transaction", "red_packet_share_person",
			inTx(func(s *sqlstore.RedPacket) error { _, _, err := s.Share(ctx, 7, "1003"); return err }),
		},
		{"Payout", "PRIMARY", func() error { _, _, err := p.store.Payout(ctx, 7, 3); return err }},
		{"Record", "PRIMARY", func() error { _, _, err := p.store.Record(ctx, 7); return err }},
		{"Record, in a transaction", "PRIMARY", inTx(func(s *sqlstore.RedPacket) error { _, _, err := s.Record(ctx, 7); return err })},
		{"Records", "PRIMARY", func() error { return of(p.store.Records(ctx, 7, 10)) }},
		{"Book", "PRIMARY", func() error { return of(p.store.Book(ctx, 7)) }},
		{"Paid", "PRIMARY", func() error { return of(p.store.Paid(ctx, 7, 49)) }},
		{"Failed", "PRIMARY", func() error { return of(p.store.Failed(ctx, 7, 41, 0, "", time.Minute)) }},
	} {
		p.db.Wire.Statements()
		require.NoError(t, c.call(), c.name)
		var indexes []string
		for _, statement := range p.db.Wire.Statements() {
			if strings.HasPrefix(statement, "SELECT") || strings.HasPrefix(statement, "UPDATE") {
				indexes = append(indexes, plan(t, p.db, c.name, statement)...)
			}
		}
		require.Contains(t, indexes, c.index, c.name)
	}
}

// plan demands that a statement scans no table and no index, nor sorts one, and returns the indexes it uses.
func plan(t *testing.T, db *sqltest.DB, name, statement string) (indexes []string) {
	t.Helper()
	for _, step := range explain(t, db, name, statement) {
		require.NotContains(t, step.extra, "filesort", "%s sorts %s:\n%s", name, step.table, statement)
		indexes = append(indexes, step.index)
	}
	return indexes
}

// planStep is how a server goes about one table of a statement.
type planStep struct{ table, index, extra string }

// explain demands that a statement scans no table and no index, and returns what it does.
func explain(t *testing.T, db *sqltest.DB, name, statement string) (steps []planStep) {
	t.Helper()
	explain := "EXPLAIN FORMAT=TRADITIONAL "
	if sqltest.MariaDB() { // which has no other, nor a name for it
		explain = "EXPLAIN "
	}
	rows, err := db.QueryContext(t.Context(), explain+statement)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns := must(rows.Columns())(t)
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	column := func(name string) string { return values[slices.Index(columns, name)].String }
	for rows.Next() {
		require.NoError(t, rows.Scan(targets...))
		if table := column("table"); strings.HasPrefix(table, "<") || table == "" { // a result in between
			continue
		}
		require.NotContains(t, []string{"ALL", "index"}, column("type"), "%s scans %s:\n%s", name, column("table"), statement)
		steps = append(steps, planStep{table: column("table"), index: column("key"), extra: column("Extra")})
	}
	require.NoError(t, rows.Err())
	return steps
}
