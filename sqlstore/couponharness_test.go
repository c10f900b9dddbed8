package sqlstore_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// mall is coupons on a database of their own.
type mall struct {
	*coupon.Coupons
	fixture
	store *sqlstore.Coupon
}

// openMall returns a mall with a frozen clock.
func openMall(t testing.TB, opts *coupon.Options) *mall {
	t.Helper()
	f := frozen(t, defaults, couponTables)
	store := sqlstore.OneByOne(sqlstore.NewCoupon(f.db.DB, nil))
	return &mall{Coupons: coupon.New(store, opts), fixture: f, store: store}
}

// process returns the same coupons as another process has them.
func (m *mall) process(opts *sqlstore.Options) (*coupon.Coupons, *sqltest.DB) {
	m.t.Helper()
	pool := m.another()
	return coupon.New(sqlstore.NewCoupon(pool.DB, opts), nil), pool
}

// tenOff takes 10 off an order of 50 or more, for 30 days.
func tenOff() coupon.Terms {
	return coupon.Terms{
		Kind: coupon.AmountOff, Places: 2, Amount: decimal.New(10, 0), Minimum: decimal.New(50, 0), ForDays: 30, Zone: "Asia/Shanghai",
	}
}

// hundred is what the orders of these tests come to.
var hundred = decimal.New(100, 0)

// define makes campaign 1 of so many coupons.
func (m *mall) define(total int64, rules coupon.Rules) {
	m.t.Helper()
	require.NoError(m.t, of(m.Define(m.t.Context(), 1, total, rules, tenOff())))
}

// pool makes a campaign of these codes.
func (m *mall) pool(id int64, codes ...string) {
	m.t.Helper()
	terms := tenOff()
	terms.Pool = true
	require.NoError(m.t, of(m.Define(m.t.Context(), id, 0, coupon.Rules{}, terms)))
	_, verdict, err := m.store.AddCodes(m.t.Context(), id, 0, codes, "", "")
	require.NoError(m.t, err)
	require.Equal(m.t, "done", verdict.String())
}

// balanced demands how many coupons of a campaign were given, that all books balance, and that every code that was
// handed out has one coupon, and comes before every code that was not.
func (m *mall) balanced(campaign, given int64) {
	m.t.Helper()
	ctx := m.t.Context()
	is := must(m.Campaign(ctx, campaign))(m.t)
	require.Equal(m.t, given, is.Sold, "%+v", is.Quantities)
	report := must(m.Audit(ctx))(m.t)
	require.Empty(m.t, report.Drifts)
	require.Empty(m.t, report.Conflicts)
	if is.Pool {
		var handedOut, last int64
		require.NoError(m.t, m.db.QueryRowContext(ctx, "SELECT COUNT(DISTINCT k.CODE), COALESCE(MAX(w.POSITION), 0) FROM coupon_wallet w"+
			" JOIN coupon_code k ON k.CAMPAIGN_ID = w.CAMPAIGN_ID AND k.POSITION = w.POSITION WHERE w.CAMPAIGN_ID = ?", campaign).Scan(&handedOut,
			&last))
		require.Equal(m.t, [2]int64{given, given}, [2]int64{handedOut, last}, "codes handed out, and the last of them")
	}
}

// claim claims a coupon of campaign 1 for buyer 7.
func (m *mall) claim(id string) coupon.Coupon {
	m.t.Helper()
	c := must(m.For("7").Claim(m.t.Context(), id, 1))(m.t)
	return c
}

// blockCampaign locks the row of a campaign's units from another connection until the returned function is called.
func (m *mall) blockCampaign(id int64) (release func()) {
	return m.block("SELECT 1 FROM coupon_stock WHERE SKU_ID = ? AND ACTIVITY_ID = 0 FOR UPDATE", id)
}

// blockCoupon does the same with a coupon.
func (m *mall) blockCoupon(id string) (release func()) {
	return m.block("SELECT 1 FROM coupon_wallet WHERE COUPON_NO = ? FOR UPDATE", id)
}

// holdFor is how long holds and reservations of these tests live, where nobody asks.
const holdFor = 30 * time.Minute
