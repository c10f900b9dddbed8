package packets

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// redPacketStock is the table of the units of red packets.
const redPacketStock = "red_packet_stock"

// redPacketSQL has every statement of the red packet store for a prefix, except those of its units. A statement is rendered
// once, or for each call if it grows with a batch. testdata/statements.sql has all of them to read.
type redPacketSQL struct {
	packets, shares string // table names
	items, holds    string // and of the units

	closeSender, addItem, addPacket, findPacket string
	open, end, drop, giveAllBack, giveBack      string
	claimShares                                 string
	pay, fail                                   string
	lockItem, lockGrab, shareNo                 string
	listPackets, sent, mine, due, book          string
	listShares, payouts, payout                 string
	blankShare                                  mysql.Blank
}

// packetColumns are the columns of a packet p, in the order in which packetRow scans them.
var packetColumns = "p.PACKET_ID, p.SENDER_ID, p.PLACES, p.TOTAL_MONEY, p.TOTAL_NUM, p.MIN_MONEY, p.MAX_MONEY, p.SPLIT_EQUAL, p.SEED" +
	", " + mysql.Micros("p.START_TIME") + ", " + mysql.Micros("p.END_TIME") + ", p.OWN_END, p.STATE, p.SELL_NUM, p.SELL_MONEY, p.STOCK_MONEY" +
	", p.BEST_NO, p.BEST_PERSON, p.BEST_MONEY, " + mysql.Micros("p.BEST_TIME") +
	", " + mysql.Micros("p.CREATE_TIME") + ", " + mysql.Micros("p.CONFIRM_TIME") + ", " + mysql.Micros("p.OVER_TIME")

// shareColumns are the columns of a share b, in the order in which scanShare reads them.
var shareColumns = "b.PACKET_ID, b.SHARE_NO, b.PERSON_ID, b.PLACES, b.MONEY, b.PAY_STATE, b.FAIL_NUM, b.FAIL_REASON" +
	", " + mysql.Micros("b.CREATE_TIME") + ", " + mysql.Micros("b.DUE_TIME") + ", " + mysql.Micros("b.PAY_TIME")

// newRedPacketSQL renders the statements for a prefix.
func newRedPacketSQL(prefix string) *redPacketSQL {
	units := ledger.NewStatements(prefix + redPacketStock)
	q := &redPacketSQL{packets: prefix + "red_packet", shares: prefix + "red_packet_share", items: units.Items, holds: units.Holds}
	// The sender's grab is closed like any other order. It may be closed already.
	q.closeSender = units.CloseOrder + " ON DUPLICATE KEY UPDATE FENCE = FENCE"
	q.renderPackets()
	q.renderShares()
	q.renderPacketReads()
	return q
}

// renderPackets renders the statements that change a packet and its item: the steps of the state machine,
// redpacket.Transitions. Where both change, one UPDATE locks first the row of the item and then the row of the packet, as
// a grab does. So it waits for running grabs, and cannot end in a deadlock with one.
func (q *redPacketSQL) renderPackets() {
	// The packet copies its window and its times from its item, so that the two agree.
	q.addItem = "INSERT INTO " + q.items +
		" (SKU_ID, ACTIVITY_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, STATUS, START_TIME, END_TIME, CREATE_TIME, UPDATE_TIME)" +
		" VALUES (?, 0, ?, ?, 1, ?, COALESCE(?, TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + ")), " + mysql.List(mysql.Now, 2) + ")"
	q.addPacket = "INSERT INTO " + q.packets +
		" (PACKET_ID, SENDER_ID, PLACES, TOTAL_MONEY, STOCK_MONEY, TOTAL_NUM, SPLIT_EQUAL, MIN_MONEY, MAX_MONEY," +
		" SEED, OWN_END, STATE, START_TIME, END_TIME, CREATE_TIME, UPDATE_TIME)" +
		fmt.Sprintf(" SELECT s.SKU_ID, %s, %d, s.START_TIME, s.END_TIME, s.CREATE_TIME, s.UPDATE_TIME FROM %s s WHERE s.SKU_ID = ?"+
			" AND s.ACTIVITY_ID = 0",
			mysql.List("?", 10), redpacket.Unpaid, q.items)
	q.findPacket = "SELECT 1 FROM " + q.packets + " WHERE PACKET_ID = ?"

	move := func(offShelf int, to string) string {
		return "UPDATE " + q.items + " s " + mysql.ByKey + " STRAIGHT_JOIN " + q.packets + " p " + mysql.ByKey + " ON p.PACKET_ID = s.SKU_ID" +
			fmt.Sprintf(" SET s.STATUS = %d, s.%s, p.STATE = %s, p.UPDATE_TIME = %s", offShelf, ledger.Touch, to, mysql.Now)
	}
	one := " WHERE s.SKU_ID = ? AND s.ACTIVITY_ID = 0 AND "
	confirm := redpacket.Unpaid.After(redpacket.StepConfirm)
	q.open = move(0, strconv.Itoa(int(confirm.To))) + ", p.CONFIRM_TIME = " + mysql.Now + one + guard("p.", confirm)
	// Close and Expire share a statement. Its last argument is true for Close, which need not wait for the End.
	end := redpacket.Open.After(redpacket.StepClose)
	q.end = move(1, "?") + ", p.OVER_TIME = " + mysql.Now + one + guard("p.", end) + " AND (? OR p.END_TIME <= " + mysql.Now + ")"

	// The item is off the shelf during the following steps.
	alone := "UPDATE " + q.packets + " " + mysql.ByKey + " SET STATE = "
	drop := redpacket.Unpaid.After(redpacket.StepClose)
	q.drop = fmt.Sprintf("%s%d, OVER_TIME = %s, UPDATE_TIME = %[3]s WHERE PACKET_ID = ? AND %s", alone, drop.To, mysql.Now, guard("", drop))
	late, closed := redpacket.Unpaid.After(redpacket.StepReturn), redpacket.Closed.After(redpacket.StepReturn)
	q.giveAllBack = fmt.Sprintf("%sIF(STATE = %d, %d, STATE), OVER_TIME = COALESCE(OVER_TIME, %s), CONFIRM_TIME = %[4]s, UPDATE_TIME = %[4]s",
		alone, late.From, late.To, mysql.Now) +
		" WHERE PACKET_ID = ? AND CONFIRM_TIME IS NULL AND (" + guard("", late) + " OR " + guard("", closed) + ")"
	q.giveBack = "INSERT INTO " + q.shares + " (PACKET_ID, SHARE_NO, PERSON_ID, REMAINDER, PLACES, MONEY, DUE_TIME, CREATE_TIME)" +
		" SELECT p.PACKET_ID, 0, p.SENDER_ID, 1, p.PLACES, p.STOCK_MONEY, p.UPDATE_TIME, p.UPDATE_TIME FROM " + q.packets +
		" p WHERE p.PACKET_ID = ?"
}

// guard renders the condition of a row of the state machine, with a prefix in front of the columns. Of several steps that
// race for a packet it lets one through.
func guard(prefix string, t redpacket.Transition) string {
	text := fmt.Sprintf("%sSTATE = %d", prefix, t.From)
	switch t.When {
	case stock.Live:
		text += " AND " + prefix + "END_TIME > " + mysql.Now
	case stock.Dead:
		text += " AND " + prefix + "END_TIME <= " + mysql.Now
	case stock.Anytime:
	}
	return text
}

// renderShares renders the statements on shares.
func (q *redPacketSQL) renderShares() {
	q.claimShares = "INSERT INTO " + q.shares + " (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, DUE_TIME, CREATE_TIME) VALUES "
	q.pay = "UPDATE " + q.shares + " " + mysql.ByKey + " SET PAY_STATE = 1, PAY_TIME = " + mysql.Now +
		" WHERE PACKET_ID = ? AND SHARE_NO = ? AND PAY_STATE = 0"
	q.fail = "UPDATE " + q.shares + " " + mysql.ByKey +
		" SET FAIL_NUM = FAIL_NUM + 1, FAIL_REASON = ?, DUE_TIME = TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + ")" +
		" WHERE PACKET_ID = ? AND SHARE_NO = ? AND PAY_STATE = 0 AND FAIL_NUM = ?"
}

// renderPacketReads renders the reads.
func (q *redPacketSQL) renderPacketReads() {
	// In the caller's transaction the row of the item is locked before the row of the packet, as everywhere.
	q.lockItem = "SELECT VERSION FROM " + q.items + " WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE"
	q.lockGrab = "SELECT SKU_ID FROM " + q.holds + " WHERE ORDER_NO = ? AND LINE_NO = 1 FOR UPDATE"
	// A blank share has PLACES -1, and a random person each time: where a row with the same key has just been deleted, MySQL
	// looks for duplicates with a lock on the gap.
	q.blankShare = mysql.Blank{Insert: "INSERT INTO " + q.shares +
		" (PACKET_ID, SHARE_NO, PERSON_ID, REMAINDER, PLACES, MONEY, DUE_TIME, CREATE_TIME)" +
		" VALUES (?, ?, #, 2, -1, 1, " + mysql.List(mysql.Now, 2) + ") ON DUPLICATE KEY UPDATE FAIL_NUM = FAIL_NUM",
		TakeBack: mysql.TakeBlank(q.shares, "t.PACKET_ID = ? AND t.SHARE_NO = ?", "t.PLACES = -1")}
	q.listPackets = "SELECT " + packetColumns + " FROM " + q.packets + " p WHERE p.PACKET_ID > ? ORDER BY p.PACKET_ID LIMIT ?"
	q.sent = "SELECT " + packetColumns + " FROM " + q.packets + " p " + mysql.By(q.packets, "sender") + " WHERE p.SENDER_ID = ?" +
		" AND (p.CREATE_TIME < ? OR (p.CREATE_TIME = ? AND p.PACKET_ID < ?)) ORDER BY p.CREATE_TIME DESC, p.PACKET_ID DESC LIMIT ?"
	q.due = "SELECT p.PACKET_ID FROM " + q.packets + " p FORCE INDEX (" + q.packets + "_due)" +
		fmt.Sprintf(" WHERE p.STATE = %d AND p.END_TIME <= %s ORDER BY p.END_TIME LIMIT ?", redpacket.Open, mysql.Now)

	share := "SELECT " + shareColumns + " FROM " + q.shares + " b"
	q.listShares = share + " WHERE b.PACKET_ID = ? AND b.SHARE_NO > ? ORDER BY b.SHARE_NO LIMIT ?"
	q.mine = share + " " + mysql.By(q.shares, "mine") + " WHERE b.PERSON_ID = ? AND b.SHARE_NO > 0" +
		" AND (b.CREATE_TIME < ? OR (b.CREATE_TIME = ? AND b.PACKET_ID < ?)) ORDER BY b.CREATE_TIME DESC, b.PACKET_ID DESC LIMIT ?"
	q.payouts = share + " FORCE INDEX (" + q.shares + "_due) WHERE b.PAY_STATE = 0 AND b.DUE_TIME <= " + mysql.Now + " AND (b.DUE_TIME > ?" +
		" OR (b.DUE_TIME = ? AND b.PACKET_ID > ?) OR (b.DUE_TIME = ? AND b.PACKET_ID = ? AND b.SHARE_NO > ?))" +
		" ORDER BY b.DUE_TIME, b.PACKET_ID, b.SHARE_NO LIMIT ?"
	q.shareNo = "SELECT b.SHARE_NO FROM " + q.shares + " b " + mysql.By(q.shares, "person") +
		" WHERE b.PACKET_ID = ? AND b.PERSON_ID = ? AND b.REMAINDER = 0"
	q.payout = share + " WHERE b.PACKET_ID = ? AND b.SHARE_NO = ?"

	// One statement, and so one snapshot, also at READ COMMITTED.
	_, sold := ledger.CountedStates()
	sum := func(expr string) string { return "CAST(COALESCE(SUM(" + expr + "), 0) AS SIGNED)" }
	q.book = "SELECT " + packetColumns + ", c.NUM, c.MONEY, r.MONEY, h.NUM FROM " + q.packets + " p" +
		" CROSS JOIN (SELECT COUNT(*) AS NUM, " + sum("MONEY") + " AS MONEY FROM " + q.shares + " WHERE PACKET_ID = ? AND SHARE_NO > 0) c" +
		" CROSS JOIN (SELECT COALESCE(MAX(MONEY), -1) AS MONEY FROM " + q.shares + " WHERE PACKET_ID = ? AND SHARE_NO = 0) r" +
		" CROSS JOIN (SELECT " + sum("NUM - RESTOCK_NUM") + " AS NUM FROM " + q.holds + " WHERE SKU_ID = ? AND ACTIVITY_ID = 0 AND STATE " +
		ledger.In(sold) + ") h" +
		" WHERE p.PACKET_ID = ?"
}

// blankShareOf renders a blank share; see Handle.Among.
func (q *redPacketSQL) blankShareOf(packet, no int64) mysql.Blank {
	person := "\x00" + strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // keeps no secret
	return mysql.Blank{Insert: strings.Replace(q.blankShare.Insert, "#", mysql.Render("?", person), 1),
		TakeBack: q.blankShare.TakeBack}.Of(packet, no)
}

// readPackets reads several packets with the clock.
func (q *redPacketSQL) readPackets(packets int) string {
	return "SELECT " + packetColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + q.packets +
		" p FORCE INDEX (PRIMARY) WHERE p.PACKET_ID IN (" + mysql.List("?", packets) + ")"
}

// sharesOf reads the shares of some people.
func (q *redPacketSQL) sharesOf(people int) string {
	return "SELECT " + shareColumns + " FROM " + q.shares + " b FORCE INDEX (" + q.shares + "_person)" +
		" WHERE b.PACKET_ID = ? AND b.PERSON_ID IN (" + mysql.List("?", people) + ") AND b.REMAINDER = 0"
}

// insertShares renders the INSERT of the shares of a batch, which have all the same time. It writes the text at once,
// because no other statement grows as much.
func (q *redPacketSQL) insertShares(shares []redpacket.ShareRecord) string {
	clock := mysql.Timestamp(shares[0].CreatedAt)
	var b strings.Builder
	b.Grow(len(q.claimShares) + 120*len(shares))
	b.WriteString(q.claimShares)
	for i, s := range shares {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		mysql.Integer(&b, s.Packet)
		b.WriteByte(',')
		mysql.Integer(&b, s.No)
		b.WriteByte(',')
		mysql.BytesLiteral(&b, s.Person)
		b.WriteByte(',')
		mysql.Integer(&b, int64(s.Places))
		b.WriteByte(',')
		mysql.Integer(&b, s.Money)
		b.WriteByte(',')
		b.WriteString(clock)
		b.WriteByte(',')
		b.WriteString(clock)
		b.WriteByte(')')
	}
	return b.String()
}

// lockPackets locks packets, in the order of their keys, and reads them.
func (q *redPacketSQL) lockPackets(n int) string {
	return "SELECT " + packetColumns + " FROM " + q.packets + " p " + mysql.ByKey + " WHERE p.PACKET_ID IN (" + mysql.List("?", n) +
		") FOR UPDATE"
}

// takeShares changes packets that have lost shares. Their rows are locked, so that the guard holds: it is there to prove it.
func (q *redPacketSQL) takeShares(n int) string {
	columns := []string{
		"SELL_NUM", "SELL_MONEY", "STOCK_MONEY", "BEST_NO", "BEST_PERSON", "BEST_MONEY", "BEST_TIME", "STATE", "OVER_TIME", "UPDATE_TIME",
	}
	brought, set := []string{"? AS PACKET_ID", "? AS WAS_NUM", "? AS WAS_MONEY"}, make([]string, len(columns))
	for i, column := range columns {
		brought = append(brought, "? AS "+column)
		set[i] = "p." + column + " = l." + column
	}
	return mysql.Driven(n+1, "UPDATE (SELECT "+strings.Join(brought, ", ")+
		strings.Repeat(" UNION ALL SELECT "+mysql.List("?", len(columns)+3), n-1)+
		") l STRAIGHT_JOIN "+q.packets+" p "+mysql.ByKey+" ON p.PACKET_ID = l.PACKET_ID SET "+strings.Join(set, ", ")+
		fmt.Sprintf(" WHERE p.STATE = %d AND p.SELL_NUM = l.WAS_NUM AND p.STOCK_MONEY = l.WAS_MONEY", redpacket.Open))
}
