package packets

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
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

// Needs implements ledger.Companions.
func (packetCompanions) Needs(_ context.Context, _ mysql.QueryFunc, holds []stock.Hold) ([]string, error) {
	return ledger.NeedAll(holds), nil
}

// Locked books a share for each of the grabs that have taken a unit, in their order, each computed from what its packet
// still has. The rows of the packets are locked and read as they are, and guarded all the same. A share that does not fit
// is ErrDrift, and takes nothing.
func (q packetCompanions) Locked(ctx context.Context, tx mysql.Tx, at time.Time, calls []ledger.LockCall) error {
	if !calls[0].Order.Immediate { // no grab: it only sets units aside
		return nil
	}
	ids := map[int64]bool{}
	for _, c := range calls {
		ids[c.Line().SKU] = true
	}
	were, err := q.lock(ctx, tx, slices.Sorted(maps.Keys(ids))...)
	if err != nil {
		return err
	}
	packets, shares := maps.Clone(were), make([]redpacket.ShareRecord, len(calls))
	for i, c := range calls {
		grab, _ := stock.CompanionOf[redpacket.Grab](c.Beside)
		is := packets[c.Line().SKU]
		if !grab.Of(c.Order.ID, c.Order.Lines) || grab.Packet != is.ID || is.State != redpacket.Open || is.Taken >= is.Split.Count {
			return fmt.Errorf("%w: the packet of grab %q has no share for it", fault.ErrDrift, c.Order.ID)
		}
		shares[i] = is.Take(grab.Person, at)
		packets[is.ID] = is
		calls[i].Kept = []stock.Companion{shares[i]}
	}
	if rows, err := mysql.Affected(tx.ExecContext(ctx, q.insertShares(shares))); err != nil || rows != int64(len(shares)) {
		return mysql.Unclaimed(err)
	}
	rows, err := mysql.Affected(tx.ExecContext(ctx, q.take(were, packets, at)))
	if err != nil || rows != int64(len(packets)) {
		return mysql.Missing(err)
	}
	return nil
}

// lock locks packets and returns them as they are.
func (q *redPacketSQL) lock(ctx context.Context, tx mysql.Tx, ids ...int64) (map[int64]redpacket.Record, error) {
	packets := make(map[int64]redpacket.Record, len(ids))
	err := mysql.Read(ctx, tx, mysql.Render(q.lockPackets(len(ids)), mysql.AnyOf(ids)...), func(rows *sql.Rows) error {
		var row packetRow
		err := rows.Scan(row.targets()...)
		is := row.finish()
		packets[is.ID] = is
		return err
	})
	if err != nil || len(packets) != len(ids) {
		return nil, mysql.Missing(err)
	}
	return packets, nil
}

// take renders the guarded UPDATE of packets that have lost shares.
func (q *redPacketSQL) take(were, packets map[int64]redpacket.Record, at time.Time) string {
	var args []any
	for _, id := range slices.Sorted(maps.Keys(packets)) {
		was, is := were[id], packets[id]
		args = append(args, is.ID, was.Taken, was.Left, is.Taken, is.Grabbed, is.Left, is.BestNo, is.BestPerson, is.BestMoney, is.BestAt,
			int64(is.State), is.EndedAt, at)
	}
	return mysql.Render(q.takeShares(len(packets)), args...)
}
