package sqlstore_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// Terms that a caller's transaction has recorded and rolled back are not remembered.
func TestTermsOfATransactionThatIsRolledBack(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	ctx := t.Context()
	define := func(c *coupon.Coupons, amount coupon.Terms) (coupon.Campaign, error) {
		return c.Define(ctx, 1, 10, coupon.Rules{}, amount)
	}
	tx := must(m.db.BeginTx(ctx, nil))(t)
	inside := m.On(m.store.WithTx(tx))
	require.NoError(t, of(define(inside, tenOff())))
	require.Equal(t, coupon.AmountOff, must(inside.For("7").Claim(ctx, "a", 1))(t).Kind)
	require.NoError(t, tx.Rollback())

	gift := coupon.Terms{Kind: coupon.Gift, Title: "a cup", ForDays: 1, Zone: "UTC"}
	require.NoError(t, of(define(m.Coupons, gift)))
	require.Equal(t, "a cup", m.claim("a").Title)
	m.balanced(1, 1)
}

// Orders of two callers' transactions that end with coupons they never had, or have just taken, do not lock each
// other out: a use that is not there is looked for without a lock on where it would be.
func TestTransactionsOfTwoOrdersDoNotMeet(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	ctx := t.Context()
	m.define(10, coupon.Rules{})
	m.claim("a")
	m.claim("b")
	m.db.Config.Params["innodb_lock_wait_timeout"] = "2"
	pool := m.another()
	store := sqlstore.NewCoupon(pool.DB, nil)
	for _, c := range []struct {
		name  string
		steps []coupon.Step
	}{
		{"Release", []coupon.Step{coupon.StepRelease, coupon.StepForgo}},
		{"Redeem", []coupon.Step{coupon.StepRedeem, coupon.StepSpend}},
	} {
		txs := make([]*sql.Tx, 2)
		for i := range txs {
			var err error
			txs[i], err = pool.BeginTx(ctx, nil)
			require.NoError(t, err)
			defer func() { _ = txs[i].Rollback() }()
		}
		for n, step := range c.steps {
			for i, tx := range txs {
				use := coupon.Use{Coupon: []string{"a", "b"}[i], Order: fmt.Sprint(c.name, i), Places: 2, Total: hundred}
				verdict := must(store.WithTx(tx).Use(ctx, step, use, holdFor))(t, "%s, order %d, step %v", c.name, i, step)
				require.Equal(t, n == len(c.steps)-1, verdict.String() == "done", "%s: %v", c.name, step)
			}
		}
		for _, tx := range txs {
			require.NoError(t, tx.Commit())
		}
	}
	m.balanced(1, 2)
}
