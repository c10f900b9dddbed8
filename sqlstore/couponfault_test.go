package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// couponVerb is a call that changes something in several statements.
type couponVerb struct {
	name    string
	prepare func(m *mall, id string) // what comes before it
	call    func(ctx context.Context, c *coupon.Coupons, id string) error
	matches []string // its statements up to the COMMIT, by what they contain
	given   int64    // how many coupons it gives of campaign 1
}

func couponVerbs() []couponVerb {
	claim := func(m *mall, id string) { m.claim(id) }
	return []couponVerb{
		{
			name:    "Claim",
			prepare: func(*mall, string) {},
			call:    func(ctx context.Context, c *coupon.Coupons, id string) error { return of(c.For("7").Claim(ctx, id, 1)) },
			matches: []string{
				"INSERT INTO coupon_stock_hold", "INSERT INTO coupon_stock_buyer", "UPDATE coupon_stock s",
				"SELECT SKU_ID, STOCK_SALE_NUM",
				"INSERT INTO coupon_wallet",
			},
			given: 1,
		},
		{
			name: "Pay",
			prepare: func(m *mall, id string) {
				require.NoError(m.t, of(m.For("7").Lock(m.t.Context(), id, 1)))
			},
			call:    func(ctx context.Context, c *coupon.Coupons, id string) error { return of(c.Pay(ctx, id)) },
			matches: []string{"UPDATE coupon_stock_hold ", "h.PAY_TIME)", "AS POSITION"},
			given:   1,
		},
		{
			name:    "Reserve",
			prepare: claim,
			call: func(ctx context.Context, c *coupon.Coupons, id string) error {
				return of(c.Reserve(ctx, id, "order-"+id, hundred))
			},
			matches: []string{"UPDATE coupon_wallet w FORCE INDEX (PRIMARY) SET", "INSERT INTO coupon_use"},
			given:   1,
		},
		{
			name:    "Redeem",
			prepare: claim,
			call: func(ctx context.Context, c *coupon.Coupons, id string) error {
				return of(c.Redeem(ctx, id, "order-"+id, hundred))
			},
			matches: []string{"UPDATE coupon_wallet w FORCE INDEX (PRIMARY) SET", "INSERT INTO coupon_use"},
			given:   1,
		},
		{
			name:    "Refund",
			prepare: claim,
			call: func(ctx context.Context, c *coupon.Coupons, id string) error {
				return of(c.Refund(ctx, coupon.Refund{ID: "refund-" + id, Coupon: id, Restock: true}))
			},
			matches: []string{
				"SELECT h.LINE_NO, h.REFUND_NUM", "INSERT INTO coupon_stock_refund", "UPDATE coupon_wallet w FORCE", "UPDATE coupon_stock_hold h",
				"UPDATE coupon_stock_hold FORCE INDEX (PRIMARY) SET STATE",
			},
		},
		{
			name:    "Issue",
			prepare: func(*mall, string) {},
			call: func(ctx context.Context, c *coupon.Coupons, id string) error {
				return of(c.Issue(ctx, coupon.Batch{ID: id, Campaign: 1, Buyers: []string{"8", "9"}}))
			},
			matches: []string{
				"SELECT BUYER_NUM", "INSERT INTO coupon_stock_hold", "INSERT INTO coupon_stock_buyer", "UPDATE coupon_stock s",
				"SELECT SKU_ID, STOCK_SALE_NUM",
				"INSERT INTO coupon_wallet", "INSERT INTO coupon_batch_buyer", "UPDATE coupon_batch",
			},
			given: 2,
		},
	}
}

// A connection that is lost at each statement: before the COMMIT nothing is done, at the COMMIT nobody knows, and the
// same call settles it.
func TestCouponVerbsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for _, verb := range couponVerbs() {
		t.Run(verb.name, func(t *testing.T) {
			t.Parallel()
			m := openMall(t, nil)
			m.define(1000, coupon.Rules{})
			m.claim("before") // the terms are known from now on
			given := int64(1)
			for i, match := range append(slices.Clone(verb.matches), "COMMIT AND") {
				for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
					name := fmt.Sprintf("%s, %q, %d", verb.name, match, kind)
					id := fmt.Sprint(verb.name, "-", i, "-", kind)
					verb.prepare(m, id)
					want := coupon.ErrUnavailable
					if match == "COMMIT AND" {
						want = coupon.ErrUnknown
					}
					before := m.books(1)
					m.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind})
					err := verb.call(t.Context(), m.Coupons, id)
					require.ErrorIs(t, err, want, name)
					require.True(t, sqlstore.Retryable(err), name)
					if errors.Is(want, coupon.ErrUnavailable) && verb.name != "Issue" { // which records its batch by itself
						require.Equal(t, before, m.books(1), name)
					}
					require.NoError(t, verb.call(t.Context(), m.Coupons, id), name)
					require.NoError(t, verb.call(t.Context(), m.Coupons, id), name)
					given += verb.given
					m.balanced(1, given)
				}
			}
		})
	}
}

// books returns what a campaign's counters and coupons say.
func (m *mall) books(campaign int64) any {
	m.t.Helper()
	is := must(m.Campaign(m.t.Context(), campaign))(m.t)
	progress := must(m.Progress(m.t.Context(), campaign))(m.t)
	return []any{is, progress}
}

// A step of a use that is there is one statement: whether its request or its reply was lost, nobody knows, and the
// same call settles it.
func TestUsesLoseTheirConnection(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	ctx := t.Context()
	m.define(100, coupon.Rules{})
	for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
		id := fmt.Sprint("coupon-", kind)
		m.claim(id)
		for _, step := range []struct {
			name, match string
			call        func() error
		}{
			{"Reserve", "", func() error { return of(m.Reserve(ctx, id, "a", hundred)) }},
			{"Release", sqltest.Decisive("u.STATE = 3"), func() error { return of(m.Release(ctx, id, "a")) }},
			{"Release of what was never reserved", sqltest.Decisive("INSERT INTO coupon_use"), func() error { return of(m.Release(ctx, id, "b")) }},
			{"Reserve for another", "", func() error { return of(m.Reserve(ctx, id, "c", hundred)) }},
			{"Redeem", sqltest.Decisive("u.STATE = 2"), func() error { return of(m.Redeem(ctx, id, "c", hundred)) }},
			{"Return", sqltest.Decisive("u.STATE = 4"), func() error { return of(m.Return(ctx, id, "c", hundred)) }},
		} {
			if step.match != "" {
				m.db.Wire.Inject(sqltest.Fault{Match: step.match, Kind: kind})
				require.ErrorIs(t, step.call(), coupon.ErrUnknown, "%s, %s", step.name, id)
			}
			require.NoError(t, step.call(), "%s, %s", step.name, id)
		}
		m.balanced(1, int64(kind)+1)
	}
}

// A lost Import has added all of a chunk or nothing, and the same call goes on.
func TestImportLosesItsConnection(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.pool(1, "FIRST")
	added := int64(1)
	for i, match := range []string{"INSERT INTO coupon_pool", "INSERT INTO coupon_code", "INSERT INTO coupon_stock_change",
		"UPDATE coupon_stock s", "COMMIT AND"} {
		for _, kind := range []sqltest.FaultKind{sqltest.LostRequest, sqltest.LostReply} {
			codes := []string{fmt.Sprintf("A%d%d", i, kind), fmt.Sprintf("B%d%d", i, kind)}
			m.db.Wire.Inject(sqltest.Fault{Match: match, Kind: kind})
			_, err := m.Import(t.Context(), 1, slices.Values(codes))
			require.True(t, coupon.Retryable(err), match)
			got := must(m.Import(t.Context(), 1, slices.Values(codes)))(t, match)
			require.Equal(t, int64(2), got.Added+got.Known, match)
			added += 2
			is := must(m.Campaign(t.Context(), 1))(t)
			require.Equal(t, [2]int64{added, added}, [2]int64{is.Codes, is.Total}, match)
		}
	}
	for i := range added {
		m.claim(fmt.Sprint("claim-", i))
	}
	m.balanced(1, added)
}

// A coupon that somebody else has locked for too long: nothing is done, and the same call settles it.
func TestLockWaitOfACoupon(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.define(10, coupon.Rules{})
	m.claim("a")
	m.db.Config.Params["innodb_lock_wait_timeout"] = "1"
	impatient, _ := m.process(nil)
	release := m.blockCoupon("a")
	_, err := impatient.Reserve(t.Context(), "a", "order", hundred)
	require.ErrorIs(t, err, coupon.ErrUnavailable)
	require.True(t, sqlstore.Retryable(err))
	require.ErrorIs(t, of(impatient.Refund(t.Context(), coupon.Refund{ID: "r", Coupon: "a"})), coupon.ErrUnavailable)
	release()
	require.NoError(t, of(impatient.Redeem(t.Context(), "a", "order", hundred)))
	m.balanced(1, 1)
}
