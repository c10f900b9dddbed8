package sqlstore_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// mixedCoupons are coupons by turns; see turns.
type mixedCoupons struct {
	turns[*sqlstore.Coupon]
	units *mixed
}

func newMixedCoupons(db *sql.DB) boundCoupons {
	merged, unmerged := sqlstore.NewCoupon(db, &together).AlwaysBatch(), sqlstore.NewCoupon(db, &alone)
	return &mixedCoupons{turns: turns[*sqlstore.Coupon]{merged: merged, unmerged: unmerged}, units: mixedUnits(merged, unmerged)}
}

func (m *mixedCoupons) WithTx(tx sqlstore.Tx) *sqlstore.Coupon { return m.turn().WithTx(tx) }

func (m *mixedCoupons) Units() stock.Store { return m.units }

func (m *mixedCoupons) AddTerms(ctx context.Context, campaign, no int64, terms coupon.Terms) (stock.Verdict, error) {
	return m.turn().AddTerms(ctx, campaign, no, terms)
}

func (m *mixedCoupons) Terms(ctx context.Context, campaign, no int64) (coupon.Terms, bool, error) {
	return m.turn().Terms(ctx, campaign, no)
}

func (m *mixedCoupons) Coupon(ctx context.Context, id string) (coupon.Coupon, time.Time, error) {
	return m.turn().Coupon(ctx, id)
}

func (m *mixedCoupons) ByCode(ctx context.Context, code string) (coupon.Coupon, time.Time, error) {
	return m.turn().ByCode(ctx, code)
}

func (m *mixedCoupons) Wallet(ctx context.Context, buyer string, statuses []coupon.Status, after coupon.Cursor, limit int) ([]coupon.Coupon, time.Time, error) {
	return m.turn().Wallet(ctx, buyer, statuses, after, limit)
}

func (m *mixedCoupons) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	return m.turn().Use(ctx, step, use, holdFor)
}

func (m *mixedCoupons) UseOf(ctx context.Context, id, order string) (coupon.Use, time.Time, error) {
	return m.turn().UseOf(ctx, id, order)
}

func (m *mixedCoupons) Uses(ctx context.Context, id string) ([]coupon.Use, error) {
	return m.turn().Uses(ctx, id)
}

func (m *mixedCoupons) UsedBy(ctx context.Context, order string) ([]coupon.Use, error) {
	return m.turn().UsedBy(ctx, order)
}

func (m *mixedCoupons) AddCodes(ctx context.Context, campaign, have int64, codes []string) ([]int64, stock.Verdict, error) {
	return m.turn().AddCodes(ctx, campaign, have, codes)
}

func (m *mixedCoupons) Codes(ctx context.Context, campaign int64) (int64, error) {
	return m.turn().Codes(ctx, campaign)
}

func (m *mixedCoupons) AddBatch(ctx context.Context, batch coupon.Batch) (stock.Verdict, error) {
	return m.turn().AddBatch(ctx, batch)
}

func (m *mixedCoupons) Batch(ctx context.Context, id string) (coupon.Batch, []coupon.Grant, error) {
	return m.turn().Batch(ctx, id)
}

func (m *mixedCoupons) Issue(ctx context.Context, batch coupon.Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]coupon.Grant, error) {
	return m.turn().Issue(ctx, batch, orders, holdFor, all)
}

func (m *mixedCoupons) Count(ctx context.Context, campaign int64) (coupon.Count, error) {
	return m.turn().Count(ctx, campaign)
}

func (m *mixedCoupons) Book(ctx context.Context, campaign int64) (coupon.Book, error) {
	return m.turn().Book(ctx, campaign)
}
