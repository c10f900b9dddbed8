package packets

import (
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
)

func TestGoldenStatementsOfRedPacket(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "red packet", "testdata/statements.sql",
		func(prefix string) []sqltest.Statement { return newRedPacketSQL(prefix).statements() })
}

// statements renders all of them; those that grow with a batch for two.
func (q *redPacketSQL) statements() []sqltest.Statement {
	at := time.UnixMicro(0).UTC()
	return []sqltest.Statement{
		{"Send 1: close the grab of the sender", q.closeSender},
		{"Send 2: the item (its units are recorded as those of any item)", q.addItem},
		{"Send 3: the packet", q.addPacket},
		{"Send again: a packet comes with its item", q.findPacket},
		{"Confirm", q.open},
		{"Confirm, too late 1", q.giveAllBack},
		{"Close, Expire 1: no grab from here on", q.end},
		{"Close, Expire, Confirm, too late 2: what is left goes back", q.giveBack},
		{"Close, not paid yet", q.drop},
		{"Grab, after Take 2 of its unit, 3: lock the packets, two", q.lockPackets(2)},
		{"Grab 4: the shares, two", q.insertShares([]redpacket.ShareRecord{
			{Packet: 42, No: 1, Person: "7", Places: 2, Money: 150, CreatedAt: at},
			{Packet: 42, No: 2, Person: "8", Places: 2, Money: 50, CreatedAt: at},
		})},
		{"Grab 5: the packets, two", q.takeShares(2)},
		{"A payout arrived", q.pay},
		{"A payout failed", q.fail},
		{"Read packets, two", q.readPackets(2)},
		{"In the caller's transaction: lock the item of a packet", q.lockItem},
		{"In the caller's transaction: which share a person has", q.shareNo},
		{"In the caller's transaction: lock the hold of a grab", q.lockGrab},
		{"In the caller's transaction: a blank share", strings.Replace(q.blankShare.Insert, "#", "?", 1)},
		{"In the caller's transaction: no blank share any more", q.blankShare.TakeBack},
		{"List packets", q.listPackets},
		{"List packets of a sender", q.sent},
		{"List shares of a person", q.mine},
		{"Packets whose time has come", q.due},
		{"Read the shares of people, two", q.sharesOf(2)},
		{"List the shares of a packet", q.listShares},
		{"List payouts that are due", q.payouts},
		{"Read a payout", q.payout},
		{"Audit a packet", q.book},
	}
}
