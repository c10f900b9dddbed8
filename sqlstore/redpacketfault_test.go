package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// A connection that is lost at each statement of a Grab: before the COMMIT nothing is done, from there on
// nobody knows, and the same call settles it.
func TestGrabLosesItsConnection(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	p.fill(1, 10_000, 30)
	taken := int64(0)
	for i, c := range []struct {
		match string
		want  error
	}{
		{"START TRANSACTION", stock.ErrUnavailable},
		{"INSERT INTO red_packet_stock_hold", stock.ErrUnavailable},
		{"UPDATE red_packet_stock s", stock.ErrUnavailable},
		{"p.PACKET_ID IN (1) FOR UPDATE", stock.ErrUnavailable},
		{"INSERT INTO red_packet_share", stock.ErrUnavailable},
		{"STRAIGHT_JOIN red_packet p", stock.ErrUnavailable},
		{"COMMIT AND", stock.ErrUnknown},
	} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			name, person := fmt.Sprintf("%s %v", c.match, kind), int64(1000+2*i)+int64(kind)
			p.db.Wire.Inject(sqltest.Fault{Match: c.match, Kind: kind})
			_, err := p.For(fmt.Sprint(person)).Grab(t.Context(), 1)
			require.ErrorIs(t, err, c.want, name)
			require.True(t, redpacket.Retryable(err), name)
			if errors.Is(c.want, stock.ErrUnavailable) {
				require.ErrorIs(t, of(p.For(fmt.Sprint(person)).Share(t.Context(), 1)), redpacket.ErrUnknownShare, name)
				p.balanced(1, taken, redpacket.Open)
			}
			share := must(p.For(fmt.Sprint(person)).Grab(t.Context(), 1))(t, name)
			taken++
			require.Equal(t, taken, share.No, name)
			p.balanced(1, taken, redpacket.Open)
		}
	}
}

// The same with everything that happens to a packet beside grabs.
func TestPacketsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	send := func(ctx context.Context, id int64) error { return of(p.Send(ctx, packetOf(id, 100, 3))) }
	confirm := func(ctx context.Context, id int64) error { return of(p.Confirm(ctx, id)) }
	shut := func(ctx context.Context, id int64) error { return of(p.Close(ctx, id)) }
	grab := func(ctx context.Context, id int64) error { return of(p.For("1000").Grab(ctx, id)) }
	paid := func(ctx context.Context, id int64) error { return of(p.PaidOut(ctx, redpacket.PayoutNumber(id, 1))) }
	type step = func(context.Context, int64) error
	id := int64(0)
	for _, c := range []struct {
		name    string
		before  []step
		call    step
		matches []string // the statements of a transaction, or one that commits by itself
		after   redpacket.State
		taken   int64
	}{
		{"Send", nil, send, []string{"START TRANSACTION", "INSERT INTO red_packet_stock_hold", "INSERT INTO red_packet_stock (",
			"INSERT INTO red_packet_stock_change",
			"INSERT INTO red_packet (", "COMMIT AND"}, redpacket.Unpaid, 0},
		{"Confirm", []step{send}, confirm, []string{"p.STATE = 2"}, redpacket.Open, 0},
		{"Close, not paid yet", []step{send}, shut, []string{"STATE = 4, OVER_TIME"}, redpacket.Closed, 0},
		{
			"Close", []step{send, confirm, grab}, shut, []string{"START TRANSACTION", "p.STATE = 4", "INSERT INTO red_packet_share", "COMMIT AND"},
			redpacket.Closed, 1,
		},
		{
			"Confirm, too late", []step{send, shut}, confirm,
			[]string{"START TRANSACTION", "CONFIRM_TIME IS NULL", "INSERT INTO red_packet_share", "COMMIT AND"}, redpacket.Closed, 0,
		},
		{"PaidOut", []step{send, confirm, grab}, paid, []string{"PAY_STATE = 1"}, redpacket.Open, 1},
	} {
		for i, match := range c.matches {
			for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
				id++
				for _, before := range c.before {
					require.NoError(t, before(t.Context(), id))
				}
				want := stock.ErrUnavailable
				if i == len(c.matches)-1 {
					want = stock.ErrUnknown
				}
				name := fmt.Sprintf("%s: %s %v", c.name, match, kind)
				inject := func() { p.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind}) }
				if match == "COMMIT" { // not that of a read
					p.db.Wire.After(c.matches[i-1], inject)
				} else {
					inject()
				}
				err := c.call(t.Context(), id)
				require.ErrorIs(t, err, want, name)
				require.True(t, redpacket.Retryable(err), name)
				require.NoError(t, c.call(t.Context(), id), name)
				require.NoError(t, c.call(t.Context(), id), name)
				if c.after != redpacket.Closed || c.taken > 0 || c.name == "Confirm, too late" {
					p.balanced(id, c.taken, c.after)
				}
			}
		}
	}
}

// grabStatements are the statements of a Take of a share, as sqlmock knows them.
func grabStatements(mock sqlmock.Sqlmock, upTo int, answer error) {
	inserted, updated := sqlmock.NewResult(1, 1), sqlmock.NewResult(0, 1)
	packet := sqlmock.NewRows(make([]string, 23)).AddRow(1, 1, 2, 100, 5, 1, 0, 1, make([]byte, 32), nil, 0, 0, redpacket.Open, 0, 0, 100, 0,
		0, 0, nil, 0, 0, nil)
	for i, c := range []struct {
		statement string
		result    func(statement string, err error)
	}{
		{"^INSERT INTO red_packet_stock_hold", func(s string, err error) { mock.ExpectExec(s).WillReturnResult(inserted).WillReturnError(err) }},
		{"^UPDATE red_packet_stock s", func(s string, err error) { mock.ExpectExec(s).WillReturnResult(updated).WillReturnError(err) }},
		{"FOR UPDATE$", func(s string, err error) { mock.ExpectQuery(s).WillReturnRows(packet).WillReturnError(err) }},
		{"^INSERT INTO red_packet_share", func(s string, err error) { mock.ExpectExec(s).WillReturnResult(updated).WillReturnError(err) }},
		{"STRAIGHT_JOIN red_packet p", func(s string, err error) { mock.ExpectExec(s).WillReturnResult(updated).WillReturnError(err) }},
	} {
		if i == upTo {
			c.result(c.statement, answer)
			return
		}
		c.result(c.statement, nil)
	}
}

// What a server cannot be made to do on demand: an error at each statement of a grab. After a deadlock
// all of it runs again; after others nothing is done.
func TestAnswersToEachStatementOfAGrab(t *testing.T) {
	t.Parallel()
	const statements = 5
	begun := sqlmock.NewResult(0, 0)
	for at := range statements {
		for number, want := range map[uint16]error{
			1213: nil,                  // deadlock
			1205: stock.ErrUnavailable, // lock wait timeout
			1114: stock.ErrStore,       // the table is full
			3819: stock.ErrDrift,       // a constraint
			4025: stock.ErrDrift,
		} {
			db, mock, err := sqlmock.New()
			require.NoError(t, err)
			mockSession(mock)
			mock.ExpectExec("^START TRANSACTION$").WillReturnResult(begun)
			grabStatements(mock, at, &mysql.MySQLError{Number: number, Message: "as the test says"})
			mock.ExpectExec("^ROLLBACK AND NO CHAIN NO RELEASE$").WillReturnResult(begun)
			if want == nil {
				mock.ExpectExec("^START TRANSACTION$").WillReturnResult(begun)
				grabStatements(mock, statements, nil)
				mock.ExpectExec("^COMMIT AND NO CHAIN NO RELEASE$").WillReturnResult(begun)
			}
			units := sqlstore.NewRedPacket(db, &alone).Units()
			locking, err := units.Lock(t.Context(), grabOrder(1, "1000"), stock.DefaultHoldFor)
			if want == nil {
				require.NoError(t, err)
				require.Equal(t, stock.Done, locking.Verdict)
			} else {
				require.ErrorIs(t, err, want, "%d at statement %d", number, at)
			}
			require.NoError(t, mock.ExpectationsWereMet(), "%d at statement %d", number, at)
		}
	}
}

// grabOrder is the order of a grab.
func grabOrder(packet int64, person string) stock.Order {
	return stock.Order{
		ID: redpacket.GrabID(packet, person), Lines: []stock.Line{one(packet)}, Immediate: true,
		Beside: []stock.Companion{redpacket.Grab{Packet: packet, Person: person}},
	}
}

// Books that were changed from outside: a grab that has no share to book takes no unit, and says so rather
// than that it was made before.
func TestGrabOfAPacketWhoseBooksHaveDrifted(t *testing.T) {
	t.Parallel()
	for way, newStore := range redPacketConformance().stores {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			p := openPurse(t)
			packets := redpacket.New(newStore(p.db.DB).Store, nil)
			for i, drift := range []string{
				"INSERT INTO red_packet_share (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, DUE_TIME, CREATE_TIME)" +
					" VALUES (?, 1, '7', 2, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
				"INSERT INTO red_packet_share (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, DUE_TIME, CREATE_TIME)" +
					" VALUES (?, 3, '1000', 2, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
				"UPDATE red_packet SET STATE = 4 WHERE PACKET_ID = ?",
				"UPDATE red_packet SET SELL_NUM = 3 WHERE PACKET_ID = ?",
				"DELETE FROM red_packet WHERE PACKET_ID = ?",
			} {
				id := int64(i + 1)
				p.fill(id, 100, 3)
				require.NoError(t, of(p.db.ExecContext(t.Context(), drift, id)))
				require.ErrorIs(t, of(packets.For("1000").Grab(t.Context(), id)), redpacket.ErrDrift, drift)
				require.Zero(t, must(stock.New(p.store.Units(), nil).Item(t.Context(), stock.Key{SKU: id}))(t).Sold, drift)
			}
		})
	}
}
