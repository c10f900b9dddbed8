package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/fault"
)

// A batch of more buyers than a statement takes is issued in one transaction: all of it, or nothing.
func TestIssueToThousands(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.define(2_500, coupon.Rules{PerBuyer: 1})
	batch := coupon.Batch{ID: "all", Campaign: 1, All: true}
	for buyer := range int64(2_500) {
		batch.Buyers = append(batch.Buyers, fmt.Sprint(1+buyer))
	}
	require.NoError(t, of(m.For("2400").Claim(t.Context(), "before", 1)))
	_, err := m.Issue(t.Context(), batch)
	refused, ok := fault.As[*coupon.BatchError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "2400", refused.Buyer)
	require.ErrorIs(t, err, coupon.ErrPerBuyer)
	m.balanced(1, 1)

	batch.ID, batch.All = "some", false
	issued := must(m.Issue(t.Context(), batch))(t)
	require.Len(t, issued.Given, 2_499)
	require.Equal(t, []coupon.Grant{{Buyer: "2400", Coupon: batch.CouponOf("2400"), Reason: coupon.ReasonPerBuyer}}, issued.Skipped)
	m.balanced(1, 2_500)

	require.NoError(t, of(m.Define(t.Context(), 1, 0, coupon.Rules{Unlimited: true}, tenOff())))
	batch.ID, batch.All = "all again", true
	issued = must(m.Issue(t.Context(), batch))(t)
	require.Len(t, issued.Given, 2_500)
	require.Empty(t, issued.Skipped)
	require.Equal(t, issued, must(m.Issue(t.Context(), batch))(t))
	m.balanced(1, 5_000)
}

// Two processes that issue one batch at the same time give each of its buyers one coupon.
func TestTwoProcessesIssueOneBatch(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.define(1_000, coupon.Rules{})
	batch := coupon.Batch{ID: "b", Campaign: 1}
	for buyer := range int64(1_200) {
		batch.Buyers = append(batch.Buyers, fmt.Sprint(1+buyer))
	}
	issued := make([]coupon.IssueResult, 6)
	for _, err := range m.crowd(len(issued), func(c *coupon.Coupons, i int) error {
		var err error
		issued[i], err = c.Issue(t.Context(), batch)
		return err
	}) {
		require.NoError(t, err)
	}
	for _, got := range issued {
		require.Equal(t, issued[0], got)
	}
	require.Len(t, issued[0].Given, 1_000)
	require.Len(t, issued[0].Skipped, 200)
	m.balanced(1, 1_000)
}
