package packets

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// Payouts implements redpacket.Store.
func (r *Store) Payouts(ctx context.Context, after redpacket.Cursor, limit int) ([]redpacket.ShareRecord, error) {
	at := after.DueAt
	if after.Packet == 0 {
		at = time.UnixMicro(0)
	}
	return r.sharesOf(ctx, r.units.Show, mysql.Render(r.sql.payouts, at, at, after.Packet, at, after.Packet, after.No, limit))
}

// Payout implements redpacket.Store.
func (r *Store) Payout(ctx context.Context, packet, no int64) (redpacket.ShareRecord, bool, error) {
	if err := r.units.Ready(); err != nil {
		return redpacket.ShareRecord{}, false, err
	}
	var payout redpacket.ShareRecord
	err := r.units.QueryAmong(ctx, mysql.Render(r.sql.payout, packet, no), func(rows *sql.Rows) (bool, error) {
		is, err := scanShare(rows)
		if is.Places >= 0 {
			payout = is
		}
		return is.Places >= 0, err
	}, r.sql.blankShareOf(packet, no))
	return payout, payout.Packet != 0, err
}

// Paid implements redpacket.Store.
func (r *Store) Paid(ctx context.Context, packet, no int64) (stock.Verdict, error) {
	if err := r.units.Ready(); err != nil {
		return stock.Refused, err
	}
	if r.units.Bound() { // there an UPDATE of a share that does not exist would lock its place
		if _, is, err := r.Payout(ctx, packet, no); err != nil || !is {
			return stock.Refused, err
		}
	}
	return r.exec(ctx, mysql.Render(r.sql.pay, packet, no))
}

// Failed implements redpacket.Store.
func (r *Store) Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error) {
	return r.exec(ctx, mysql.Render(r.sql.fail, reason, retryIn.Microseconds(), packet, no, failures))
}

// exec runs a guarded UPDATE, behind the statements of the shop.
func (r *Store) exec(ctx context.Context, statement string) (stock.Verdict, error) {
	verdict, err := r.units.ChangeBy(ctx, nil, statement)
	return verdict, mysql.Reason(err)
}

// sharesOf reads shares, with those of senders.
func (r *Store) sharesOf(ctx context.Context, by mysql.QueryFunc, query string) ([]redpacket.ShareRecord, error) {
	return ledger.ListOf(ctx, r.units, by, query, scanShare)
}

// scanShare reads shareColumns.
func scanShare(rows *sql.Rows) (redpacket.ShareRecord, error) {
	var b redpacket.ShareRecord
	var created, due int64
	var paid sql.NullInt64
	err := rows.Scan(&b.Packet, &b.No, &b.Person, &b.Places, &b.Money, &b.Paid, &b.Failures, &b.Reason, &created, &due, &paid)
	b.CreatedAt, b.DueAt, b.PaidAt = mysql.FromMicros(created), mysql.FromMicros(due), mysql.FromNullMicros(paid)
	return b, err
}
