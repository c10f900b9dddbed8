package packets

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// packetRow scans packetColumns.
type packetRow struct {
	record                        redpacket.Record
	seed                          []byte
	start, best, confirmed, ended sql.NullInt64
	end, created                  int64
}

func (r *packetRow) targets() []any {
	p := &r.record
	s := &p.Split
	return []any{
		&p.ID, &p.Sender, &p.Places, &s.Total, &s.Count, &s.Min, &s.Max, &s.Equal, &r.seed,
		&r.start, &r.end, &p.OwnEnd, &p.State, &p.Taken, &p.Grabbed, &p.Left,
		&p.BestNo, &p.BestPerson, &p.BestMoney, &r.best, &r.created, &r.confirmed, &r.ended,
	}
}

func (r *packetRow) finish() redpacket.Record {
	p := &r.record
	copy(p.Split.Seed[:], r.seed)
	p.Start, p.End, p.BestAt = mysql.FromNullMicros(r.start), mysql.FromMicros(r.end), mysql.FromNullMicros(r.best)
	p.CreatedAt, p.ConfirmedAt, p.EndedAt = mysql.FromMicros(r.created), mysql.FromNullMicros(r.confirmed), mysql.FromNullMicros(r.ended)
	return *p
}

// Record implements redpacket.Store. Concurrent calls share one read, because each refused grab asks for the reason.
func (r *Store) Record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	if err := r.units.Ready(); err != nil {
		return redpacket.Record{}, time.Time{}, err
	}
	return r.records.Get(ctx, id)
}

// record reads one packet.
func (r *Store) record(ctx context.Context, id int64) (redpacket.Record, time.Time, error) {
	query := r.sql.readPackets(1)
	if r.units.Bound() {
		query += " FOR UPDATE"
	}
	is, err := r.lockItem(ctx, id)
	if err != nil || !is {
		now, err := r.units.Moment(ctx, 0, err)
		return redpacket.Record{}, now, err
	}
	found, now, err := r.recordsOf(ctx, mysql.Render(query, id))
	return found[id], now, err
}

// severalRecords reads several packets.
func (r *Store) severalRecords(ctx context.Context, ids []int64) (map[int64]redpacket.Record, time.Time, error) {
	return r.recordsOf(ctx, mysql.Render(r.sql.readPackets(len(ids)), mysql.AnyOf(ids)...))
}

// recordsOf reads packets and the clock.
func (r *Store) recordsOf(ctx context.Context, query string) (map[int64]redpacket.Record, time.Time, error) {
	found := map[int64]redpacket.Record{}
	var clock int64
	err := r.units.Query(ctx, query, func(rows *sql.Rows) error {
		var row packetRow
		err := rows.Scan(append(row.targets(), &clock)...)
		found[row.record.ID] = row.finish()
		return err
	})
	now, err := r.units.Moment(ctx, clock, err)
	return found, now, err
}

// Records implements redpacket.Store.
func (r *Store) Records(ctx context.Context, after int64, limit int) ([]redpacket.Record, error) {
	query := mysql.Render(r.sql.listPackets, after, limit)
	return ledger.ListOf(ctx, r.units, r.units.Show, query, func(rows *sql.Rows) (redpacket.Record, error) {
		var row packetRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Sent implements redpacket.Store.
func (r *Store) Sent(ctx context.Context, sender string, after redpacket.Record, limit int) ([]redpacket.Record, error) {
	from := mysql.Before(after.CreatedAt.IsZero(), after.CreatedAt)
	query := mysql.Render(r.sql.sent, sender, from, from, after.ID, limit)
	return ledger.ListOf(ctx, r.units, r.units.Show, query, func(rows *sql.Rows) (redpacket.Record, error) {
		var row packetRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// Mine implements redpacket.Store.
func (r *Store) Mine(ctx context.Context, person string, after redpacket.ShareRecord, limit int) ([]redpacket.ShareRecord, error) {
	from := mysql.Before(after.CreatedAt.IsZero(), after.CreatedAt)
	shares, err := r.sharesOf(ctx, r.units.Show, mysql.Render(r.sql.mine, person, from, from, after.Packet, limit))
	return shares, mysql.NeedsIndex(err, r.sql.shares, "mine")
}

// Due implements redpacket.Store. It locks nothing, also in the caller's transaction: a lock on the list would block
// calls that open packets. End checks the state itself.
func (r *Store) Due(ctx context.Context, limit int) ([]int64, error) {
	return ledger.ListOf(ctx, r.units, r.units.Show, mysql.Render(r.sql.due, limit), mysql.One[int64])
}

// Share implements redpacket.Store. Concurrent calls for one packet share one read, because each replay of a grab ends
// with it.
func (r *Store) Share(ctx context.Context, packet int64, person string) (redpacket.ShareRecord, bool, error) {
	read := r.shareOf
	if r.shares != nil {
		read = r.shares.Do
	}
	share, err := read(ctx, packet, person)
	if err != nil || share == nil {
		return redpacket.ShareRecord{}, false, err
	}
	return *share, true, nil
}

// shareOf reads the share of one person; nil where there is none.
func (r *Store) shareOf(ctx context.Context, packet int64, person string) (*redpacket.ShareRecord, error) {
	query := mysql.Render(r.sql.sharesOf(1), packet, person)
	if r.units.Bound() {
		var err error
		if query, err = r.currentShare(ctx, packet, person); err != nil || query == "" {
			return nil, err
		}
	}
	found, err := r.sharesOf(ctx, r.units.Query, query)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// currentShare returns the statement that reads a share in the caller's transaction, or nothing if there is no share. It
// first locks the hold of the grab: if there is one, then there is a share, which can be locked. The number of a share
// never changes, so it may come from the snapshot of the transaction. To look it up with a lock would, on MariaDB, lock
// the place beside it in the index of people.
func (r *Store) currentShare(ctx context.Context, packet int64, person string) (string, error) {
	var grabbed, no int64
	id := redpacket.GrabID(packet, person)
	err := r.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		err := mysql.ReadRow(ctx, q, mysql.Render(r.sql.lockGrab, id), &grabbed)
		return grabbed == 0, err
	}, r.units.SQL.BlankHolds(id))
	if err != nil || grabbed == 0 {
		return "", err
	}
	err = r.units.Query(ctx, mysql.Render(r.sql.shareNo, packet, person), func(rows *sql.Rows) error { return rows.Scan(&no) })
	if no == 0 {
		return mysql.Render(r.sql.sharesOf(1), packet, person) + " FOR UPDATE", err
	}
	return mysql.Render(r.sql.payout, packet, no) + " FOR UPDATE", err
}

// sharesBatch reads the shares of several people.
func (r *Store) sharesBatch(ctx context.Context, packet int64, people []string) ([]batch.Reply[*redpacket.ShareRecord], error) {
	found, err := r.sharesOf(ctx, r.units.Query, mysql.Render(r.sql.sharesOf(len(people)), append([]any{packet}, mysql.AnyOf(people)...)...))
	if err != nil {
		return nil, err
	}
	of := make(map[string]*redpacket.ShareRecord, len(found))
	for i := range found {
		of[found[i].Person] = &found[i]
	}
	replies := make([]batch.Reply[*redpacket.ShareRecord], len(people))
	for i, person := range people {
		replies[i].Answer = of[person]
	}
	return replies, nil
}

// Shares implements redpacket.Store.
func (r *Store) Shares(ctx context.Context, packet, after int64, limit int) ([]redpacket.ShareRecord, error) {
	return r.sharesOf(ctx, r.units.Show, mysql.Render(r.sql.listShares, packet, max(after, 0), limit))
}

// Book implements redpacket.Store.
func (r *Store) Book(ctx context.Context, id int64) (redpacket.Book, error) {
	var book redpacket.Book
	err := r.units.Query(ctx, mysql.Render(r.sql.book, id, id, id, id), func(rows *sql.Rows) error {
		var row packetRow
		err := rows.Scan(append(row.targets(), &book.Shares, &book.Money, &book.Remainder, &book.Holds)...)
		book.Record = row.finish()
		return err
	})
	if err != nil {
		return redpacket.Book{}, err
	}
	return book, nil
}
