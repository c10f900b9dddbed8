// Package packets keeps red packets, shares and payouts beside the ledger of their units.
package packets

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Store is the redpacket.Store behind sqlstore.RedPacket.
type Store struct {
	units   *ledger.Store // also has the handle, and what is wrong with the options
	sql     *redPacketSQL
	records *batch.Lookup[int64, redpacket.Record]                // after refusals
	shares  *batch.Batcher[int64, string, *redpacket.ShareRecord] // by packet; nil where calls are not merged
}

// New returns the store in the tables of a prefix.
func New(db *sql.DB, o ledger.Settings) *Store {
	statements := newRedPacketSQL(o.Prefix)
	r := over(ledger.New(db, o, redPacketStock, packetCompanions{redPacketSQL: statements}), statements)
	// The sold-out cache may keep a packet without shares: none ever comes back. It must not keep one that is off the
	// shelf: another process may confirm the payment at any moment.
	r.units.SoldOut.Worth = func(item stock.Item) bool { return item.Version > 0 && !item.OffShelf }
	if b := r.units.Bounds; b != nil {
		r.shares = batch.NewReader(b, r.sharesBatch, r.shareOf)
	}
	return r
}

// over puts red packets on the store of their units.
func over(units *ledger.Store, statements *redPacketSQL) *Store {
	r := &Store{units: units, sql: statements}
	r.records = batch.NewLookup(units.Bounds, r.record, r.severalRecords)
	return r
}

// WithTx returns the same store inside the caller's transaction.
func (r *Store) WithTx(tx mysql.Tx) *Store {
	return over(r.units.WithTx(tx), r.sql)
}

// Along returns the same store whose next call carries one more statement of the shop.
func (r *Store) Along(text string, args ...any) *Store { return r.on(r.units.Along(text, args...)) }

// Affects returns the same store with the number of rows that the last statement must affect.
func (r *Store) Affects(n int64) *Store { return r.on(r.units.Affects(n)) }

// Plain returns the same store whose calls carry nothing.
func (r *Store) Plain() *Store { return r.on(r.units.Plain()) }

// on returns the same store on another copy of the store of its units, with which it goes on sharing its reads.
func (r *Store) on(units *ledger.Store) *Store {
	other := *r
	other.units = units
	return &other
}

// Units implements redpacket.Store.
func (r *Store) Units() stock.Store { return r.units }

// Add implements redpacket.Store. It closes the sender's grab, and inserts the item, the change that records its units,
// and the packet.
func (r *Store) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	item := stock.Item{Key: stock.Key{SKU: record.ID}, Quantities: stock.Quantities{Total: record.Split.Count, Left: record.Split.Count}}
	defer r.units.Freed(item.Key)
	is, err := r.lockItem(ctx, record.ID)
	if err != nil || is && r.units.Bound() { // an INSERT must not collide there; see mysql.Insert
		return stock.Exists, err
	}
	kept, err := r.units.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		if !senderMayGrab {
			if _, err := q.ExecContext(ctx, mysql.Render(r.sql.closeSender, redpacket.GrabID(record.ID, record.Sender))); err != nil {
				return false, err
			}
		}
		err := r.units.KeepInsertID(ctx, q, func() error {
			_, err := q.ExecContext(ctx, mysql.Render(r.sql.addItem, item.SKU, item.Total, item.Left, record.Start, record.End,
				liveFor.Microseconds()))
			return err
		})
		if err != nil {
			return false, err
		}
		err = r.units.Record(ctx, q, stock.Change{Kind: stock.KindDefine, ID: item.Serial(1),
			Entries: []stock.Entry{{Key: item.Key, Delta: stock.Quantities{Total: item.Total}}}})
		if err != nil {
			return false, err
		}
		s := record.Split
		rows, err := mysql.Affected(q.ExecContext(ctx,
			mysql.Render(r.sql.addPacket, record.Sender, int64(record.Places), s.Total, s.Total, s.Count,
				s.Equal, s.Min, s.Max, string(s.Seed[:]), record.OwnEnd, record.ID)))
		if err != nil || rows != 1 {
			return false, mysql.Missing(err)
		}
		return true, nil
	})
	if mysql.Number(err) != mysql.ErrDuplicate {
		return ledger.DoneIf(kept), mysql.Reason(err)
	}
	known := false
	err = r.units.Query(ctx, mysql.Render(r.sql.findPacket, record.ID), func(*sql.Rows) error { known = true; return nil })
	if err != nil || !known { // there is an item without its packet
		return stock.Refused, mysql.Missing(err)
	}
	return stock.Exists, nil
}

// lockItem refuses what cannot work before any I/O. In the caller's transaction it then locks the item of a packet, and
// reports whether there is one: each packet has an item.
func (r *Store) lockItem(ctx context.Context, id int64) (is bool, err error) {
	if err := r.units.Ready(); err != nil || !r.units.Bound() {
		return err == nil, err
	}
	var version int64
	err = r.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		err := mysql.ReadRow(ctx, q, mysql.Render(r.sql.lockItem, id), &version)
		return version == 0, err
	}, r.units.SQL.BlankItems([]stock.Key{{SKU: id}}))
	return version > 0, err
}

// change changes a packet that may not exist.
func (r *Store) change(ctx context.Context, id int64, statement string) (stock.Verdict, error) {
	if is, err := r.lockItem(ctx, id); err != nil || !is {
		return stock.Refused, err
	}
	return r.exec(ctx, statement)
}

// Open implements redpacket.Store.
func (r *Store) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	defer r.units.Freed(stock.Key{SKU: id})
	return r.change(ctx, id, mysql.Render(r.sql.open, id))
}

// End implements redpacket.Store. It waits for grabs, which lock the row of the item until they commit. Later grabs find
// the item off the shelf.
func (r *Store) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	defer r.units.Freed(stock.Key{SKU: id})
	step := redpacket.StepClose
	if to == redpacket.Expired {
		step = redpacket.StepExpire
	}
	t := redpacket.Open.After(step)
	return r.giveBack(ctx, id, mysql.Render(r.sql.end, int64(t.To), id, t.When == stock.Anytime))
}

// Drop implements redpacket.Store. The item is off the shelf.
func (r *Store) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return r.change(ctx, id, mysql.Render(r.sql.drop, id))
}

// Return implements redpacket.Store. The item is off the shelf.
func (r *Store) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return r.giveBack(ctx, id, mysql.Render(r.sql.giveAllBack, id))
}

// giveBack ends a packet by a guarded UPDATE, and books the money that is left for its sender.
func (r *Store) giveBack(ctx context.Context, id int64, end string) (stock.Verdict, error) {
	if is, err := r.lockItem(ctx, id); err != nil || !is {
		return stock.Refused, err
	}
	kept, err := r.units.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		rows, err := mysql.Affected(q.ExecContext(ctx, end))
		if err != nil || rows == 0 {
			return false, err
		}
		rows, err = mysql.Affected(q.ExecContext(ctx, mysql.Render(r.sql.giveBack, id)))
		if err != nil || rows != 1 {
			return false, mysql.Unclaimed(err)
		}
		return true, nil
	})
	return ledger.DoneIf(kept), mysql.Reason(err)
}

var _ redpacket.Store = (*Store)(nil)
