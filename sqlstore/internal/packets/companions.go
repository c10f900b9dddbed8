package packets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// packetCompanions book the shares of grabs.
type packetCompanions struct {
	ledger.NoCompanions
	*redPacketSQL
}

func (packetCompanions) Keeps(c stock.Companion) bool { _, ok := c.(redpacket.Grab); return ok }

// Locked books a share for each grab that has taken a unit, in their order. Each is computed from the money that the
// packet still has. The row of the packet is locked and read, and the UPDATE is guarded all the same. A packet that has
// no share for a grab is ErrDrift, and nothing is taken.
func (q packetCompanions) Locked(ctx context.Context, tx mysql.Tx, at time.Time, calls []ledger.LockCall) error {
	if !calls[0].Order.Immediate { // no grab: it only sets units aside
		return nil
	}
	var row packetRow
	err := mysql.ReadRow(ctx, tx, mysql.Render(q.lockPacket, calls[0].Line().SKU), row.targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		err = mysql.Missing(nil)
	}
	if err != nil {
		return err
	}
	was := row.finish()
	is, shares := was, make([]redpacket.ShareRecord, len(calls))
	for i, c := range calls {
		grab, _ := stock.CompanionOf[redpacket.Grab](c.Beside)
		if !grab.Of(c.Order.ID, c.Order.Lines) || grab.Packet != is.ID || is.State != redpacket.Open || is.Taken >= is.Split.Count {
			return fmt.Errorf("%w: the packet of grab %q has no share for it", fault.ErrDrift, c.Order.ID)
		}
		shares[i] = is.Take(grab.Person, at)
		calls[i].Kept = []stock.Companion{shares[i]}
	}
	if rows, err := mysql.Affected(tx.ExecContext(ctx, q.insertShares(shares))); err != nil || rows != int64(len(shares)) {
		return mysql.Unclaimed(err)
	}
	rows, err := mysql.Affected(tx.ExecContext(ctx, mysql.Render(q.takeShares, is.Taken, is.Grabbed, is.Left,
		is.BestNo, is.BestPerson, is.BestMoney, is.BestAt, int64(is.State), is.EndedAt, at, is.ID, was.Taken, was.Left)))
	if err != nil || rows != 1 {
		return mysql.Missing(err)
	}
	return nil
}
