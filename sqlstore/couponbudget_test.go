package sqlstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// The statement budget of coupons: round trips in the ordinary case, transaction brackets not counted. What a
// verb returns is a read of its own behind its change.
func TestCouponStatementBudget(t *testing.T) {
	t.Parallel()
	m := openMall(t, &coupon.Options{LatePay: stock.Reacquire})
	ctx := t.Context()
	buyer := m.For("7")
	m.define(10, coupon.Rules{})
	m.pool(2, "A", "B")
	claim := func(id string, campaign int64) error { return of(buyer.Claim(ctx, id, campaign)) }
	use := func(verb func(id, order string) error, id, order string) func() error {
		return func() error { return verb(id, order) }
	}
	reserve := func(id, order string) error { return of(m.Reserve(ctx, id, order, hundred)) }
	redeem := func(id, order string) error { return of(m.Redeem(ctx, id, order, hundred)) }
	release := func(id, order string) error { return of(m.Release(ctx, id, order)) }
	giveBack := func(id, order string) error { return of(m.Return(ctx, id, order, hundred)) }
	issue := func(id string, buyers ...string) error {
		return of(m.Issue(ctx, coupon.Batch{ID: id, Campaign: 1, Buyers: buyers}))
	}
	m.keepsTo([]budget{
		{"Claim", 5, func() error { return claim("a", 1) }},
		{"Claim of a code", 6, func() error { return claim("b", 2) }},
		{"Claim again", 3, func() error { return claim("a", 1) }},
		{"Lock", 5, func() error { return of(buyer.Lock(ctx, "c", 1)) }},
		{"Pay", 3 + sqltest.Step(3), func() error { return of(m.Pay(ctx, "c")) }},
		{"Pay again", 3, func() error { return of(m.Pay(ctx, "c")) }},
		{"Lock of one more", 5, func() error { return of(buyer.Lock(ctx, "d", 1)) }},
		{"Cancel", sqltest.Step(3), func() error { return of(m.Cancel(ctx, "d")) }},
		{"Reserve", 4, use(reserve, "a", "o1")},
		{"Reserve again", 3, use(reserve, "a", "o1")},
		{"Redeem of what is reserved", 3, use(redeem, "a", "o1")},
		{"Redeem again", 3, use(redeem, "a", "o1")},
		{"Return", 4, use(giveBack, "a", "o1")},
		{"Redeem of what is not reserved", 4, use(redeem, "a", "o2")},
		{"Reserve of another", 4, use(reserve, "b", "o3")},
		{"Release", 3, use(release, "b", "o3")},
		{"Release of what was never reserved", 4, use(release, "b", "o4")},
		{"Refund", 8, func() error { return of(m.Refund(ctx, coupon.Refund{ID: "r", Coupon: "b"})) }},
		{"Coupon", 1, func() error { return of(m.Coupon(ctx, "a")) }},
		{"ByCode", 1, func() error { return of(m.ByCode(ctx, "a")) }},
		{"Issue to three", 12, func() error { return issue("i", "1", "2", "3") }},
		{"Issue again", 4, func() error { return issue("i", "1", "2", "3") }},
		{"Import of two codes", 6, func() error {
			got, err := m.Import(ctx, 2, slices.Values([]string{"C", "D"}))
			require.Equal(t, int64(2), got.Added)
			return err
		}},
		{"Import of codes that are known", 7, func() error {
			got, err := m.Import(ctx, 2, slices.Values([]string{"C", "D"}))
			require.Equal(t, int64(2), got.Known)
			return err
		}},
	})
	m.balanced(1, 5)
	m.balanced(2, 1)
}

// However many claim of one campaign, they share transactions, and so do the reads of what they got; and each
// code goes to one of them.
func TestConcurrentClaimsShareTransactions(t *testing.T) {
	t.Parallel()
	const people = 400
	m := openMall(t, nil)
	codes := make([]string, people)
	for i := range codes {
		codes[i] = fmt.Sprintf("CODE-%04d", i)
	}
	m.pool(1, codes...)
	m.db.Wire.Statements()
	errs := m.behindOne(m.blockCampaign(1), people, func(i int) error {
		return of(m.For(fmt.Sprint(1+i)).Claim(t.Context(), fmt.Sprint("claim-", i), 1))
	})
	require.Equal(t, people, count(errs, nil))
	sent := strings.Join(m.db.Wire.Statements(), "\n")
	require.Less(t, strings.Count(sent, "COMMIT AND"), people/4, "transactions")
	require.Less(t, strings.Count(sent, "LEFT JOIN coupon_code"), people/4, "reads")
	require.LessOrEqual(t, strings.Count(sent, "FROM coupon_terms"), 1, "reads of terms")
	m.balanced(1, people)
	_, err := m.For("1").Claim(t.Context(), "one too many", 1)
	require.ErrorIs(t, err, coupon.ErrSoldOut)
	require.NotErrorIs(t, err, coupon.ErrUnavailable)
}
