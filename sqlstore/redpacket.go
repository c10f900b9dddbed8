package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// packetStore is the redpacket.Store behind sqlstore.RedPacket.
type packetStore struct {
	units  *ledgerStore // which also has the handle, and what is wrong with the options
	sql    *redPacketSQL
	merged *redPacketReaders // nil where calls are not merged
}

// redPacketReaders merge the reads that come in crowds.
type redPacketReaders struct {
	records *merger[struct{}, int64, recordAt]             // after refusals
	shares  *merger[int64, string, *redpacket.ShareRecord] // after grabs, by packet
}

// newPackets returns the store in the tables of a prefix.
func newPackets(db *sql.DB, o settings) *packetStore {
	statements := newRedPacketSQL(o.prefix)
	r := &packetStore{units: newLedger(db, o, redPacketStock, packetCompanions{redPacketSQL: statements}), sql: statements}
	// A packet whose shares are gone gets none back; one that is off the shelf may be paid for, by
	// another process, at any moment.
	r.units.sights.worth = func(item stock.Item) bool { return item.Version > 0 && !item.OffShelf }
	if b := r.units.bounds; b != nil {
		r.merged = &redPacketReaders{
			records: newReader(b, r.recordBatch, r.record),
			shares:  newReader(b, r.sharesBatch, r.shareOf),
		}
	}
	return r
}

// withTx returns the same store inside the caller's transaction.
func (r *packetStore) withTx(tx Tx) *packetStore {
	return &packetStore{units: r.units.withTx(tx), sql: r.sql}
}

// Units implements redpacket.Store.
func (r *packetStore) Units() stock.Store { return r.units }

// Add implements redpacket.Store: the sender's grab, the item with the change that records its units, and
// the packet.
func (r *packetStore) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	if err := r.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	item := stock.Item{Key: stock.Key{SKU: record.ID}, Quantities: stock.Quantities{Total: record.Split.Count, Left: record.Split.Count}}
	defer r.units.freed(item.Key)
	if r.units.bound() { // where what collides is not to be rolled back; see insert
		if is, err := r.lockUnits(ctx, record.ID); err != nil || is {
			return stock.Exists, err
		}
	}
	kept, err := r.units.atomically(ctx, func(q Tx) (bool, error) {
		if !senderMayGrab {
			if _, err := q.ExecContext(ctx, render(r.sql.closeSender, redpacket.GrabID(record.ID, record.Sender))); err != nil {
				return false, err
			}
		}
		err := r.units.keepInsertID(ctx, q, func() error {
			_, err := q.ExecContext(ctx, render(r.sql.addItem, item.SKU, item.Total, item.Left, record.Start, record.End, liveFor.Microseconds()))
			return err
		})
		if err != nil {
			return false, err
		}
		err = r.units.record(ctx, q, stock.Change{Kind: stock.KindDefine, ID: item.Serial(1),
			Entries: []stock.Entry{{Key: item.Key, Delta: stock.Quantities{Total: item.Total}}}})
		if err != nil {
			return false, err
		}
		s := record.Split
		rows, err := affected(q.ExecContext(ctx, render(r.sql.addPacket, record.Sender, int64(record.Places), s.Total, s.Total, s.Count,
			s.Equal, s.Min, s.Max, string(s.Seed[:]), record.OwnEnd, record.ID)))
		if err != nil || rows != 1 {
			return false, missing(err)
		}
		return true, nil
	})
	if number(err) != errDuplicate {
		return verdict(kept), err
	}
	known := false
	err = r.units.query(ctx, render(r.sql.knownPacket, record.ID), func(*sql.Rows) error { known = true; return nil })
	if err != nil || !known { // a packet comes with its item: this one has come without
		return stock.Refused, missing(err)
	}
	return stock.Exists, nil
}

// lockUnits locks the item of a packet where a transaction of the caller's goes on, and reports whether there is one: then
// there is a packet.
func (r *packetStore) lockUnits(ctx context.Context, id int64) (is bool, err error) {
	if !r.units.bound() {
		return true, nil
	}
	var version int64
	err = r.units.among(ctx, func(q Tx) (bool, error) {
		err := readRow(ctx, q, render(r.sql.lockUnits, id), &version)
		return version == 0, err
	}, r.units.sql.blankItems([]stock.Key{{SKU: id}}))
	return version > 0, err
}

// change changes a packet that may not be there.
func (r *packetStore) change(ctx context.Context, id int64, statement string) (stock.Verdict, error) {
	if is, err := r.lockUnits(ctx, id); err != nil || !is {
		return stock.Refused, err
	}
	rows, err := r.units.exec(ctx, statement)
	return verdict(rows > 0), err
}

// Open implements redpacket.Store.
func (r *packetStore) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	if err := r.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer r.units.freed(stock.Key{SKU: id})
	return r.change(ctx, id, render(r.sql.open, id))
}

// End implements redpacket.Store. Grabs have the item's row locked until they commit, and from
// then on find it off the shelf.
func (r *packetStore) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	if err := r.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	defer r.units.freed(stock.Key{SKU: id})
	return r.giveBack(ctx, id, render(r.sql.end, int64(to), id, to != redpacket.Expired))
}

// Drop implements redpacket.Store. The item is off the shelf.
func (r *packetStore) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	if err := r.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	return r.change(ctx, id, render(r.sql.drop, id))
}

// Return implements redpacket.Store. The item is off the shelf.
func (r *packetStore) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	if err := r.units.ready(ctx); err != nil {
		return stock.Refused, err
	}
	return r.giveBack(ctx, id, render(r.sql.giveAllBack, id))
}

// giveBack ends a packet by a guarded UPDATE, and books what is left of it for its sender.
func (r *packetStore) giveBack(ctx context.Context, id int64, end string) (stock.Verdict, error) {
	if is, err := r.lockUnits(ctx, id); err != nil || !is {
		return stock.Refused, err
	}
	kept, err := r.units.atomically(ctx, func(q Tx) (bool, error) {
		rows, err := affected(q.ExecContext(ctx, end))
		if err != nil || rows == 0 {
			return false, err
		}
		rows, err = affected(q.ExecContext(ctx, render(r.sql.giveBack, id)))
		if err != nil || rows != 1 {
			return false, unclaimed(err)
		}
		return true, nil
	})
	return verdict(kept), err
}

var _ redpacket.Store = (*packetStore)(nil)
