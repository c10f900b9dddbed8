package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
)

// crowd makes calls at once, from two processes by turns, and returns their errors. The other process does not
// merge.
func (m *mall) crowd(n int, call func(c *coupon.Coupons, i int) error) []error {
	m.t.Helper()
	other, _ := m.process(&alone)
	return byTurns(n, []*coupon.Coupons{m.Coupons, other}, call)
}

// A refund, a revocation, reservations and redemptions want one coupon: one of them wins, and all books know which.
func TestEverybodyWantsOneCoupon(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.define(100, coupon.Rules{})
	for round := range 8 {
		id := fmt.Sprint("coupon-", round)
		m.claim(id)
		errs := m.crowd(16, func(c *coupon.Coupons, i int) error {
			var err error
			switch i / 2 % 4 {
			case 0:
				_, err = c.Refund(t.Context(), coupon.Refund{ID: fmt.Sprint(id, "refund", i), Coupon: id})
			case 1:
				_, err = c.Revoke(t.Context(), coupon.Revocation{ID: fmt.Sprint(id, "revoke", i), Coupon: id})
			case 2:
				_, err = c.Reserve(t.Context(), id, fmt.Sprint("order-", i), hundred)
			default:
				_, err = c.Redeem(t.Context(), id, fmt.Sprint("order-", i), hundred)
			}
			return err
		})
		require.Equal(t, 1, count(errs, nil), "%v", errs)
		for _, err := range errs {
			require.NotErrorIs(t, err, coupon.ErrUnavailable)
		}
	}
	m.balanced(1, 8)
}

// A statement that began before a reservation lapsed, and had to wait until another call had the coupon, must not
// redeem it.
func TestRedeemThatWaitedFindsTheCouponTaken(t *testing.T) {
	t.Parallel()
	late := coupon.Refund{ID: "r", Coupon: "a"}
	for want, take := range map[error]func(ctx context.Context, c *coupon.Coupons) error{
		coupon.ErrReserved: func(ctx context.Context, c *coupon.Coupons) error { return of(c.Reserve(ctx, "a", "late", hundred)) },
		coupon.ErrRedeemed: func(ctx context.Context, c *coupon.Coupons) error { return of(c.Redeem(ctx, "a", "late", hundred)) },
		coupon.ErrRefunded: func(ctx context.Context, c *coupon.Coupons) error { return of(c.Refund(ctx, late)) },
	} {
		m := openMall(t, nil)
		m.define(1, coupon.Rules{})
		m.claim("a")
		require.NoError(t, of(m.Reserve(t.Context(), "a", "early", hundred)))
		early, pool := m.process(nil)               // whose statement begins now
		m.db.Wire.Advance(coupon.DefaultReserveFor) // and for whom the reservation has lapsed
		release := m.blockCoupon("a")
		taken := going(func() error { return take(t.Context(), m.Coupons) })
		m.waiting()
		pool.Wire.Before("UPDATE coupon_wallet w FORCE INDEX (PRIMARY) STRAIGHT_JOIN", func() {
			release() // the one that waits has the row next
			if err := <-taken; err != nil {
				t.Error(err)
			}
		})
		pool.Wire.After("UPDATE coupon_wallet w FORCE INDEX (PRIMARY) STRAIGHT_JOIN", func() { pool.Wire.Advance(coupon.DefaultReserveFor) })
		require.ErrorIs(t, of(early.Redeem(t.Context(), "a", "early", hundred)), want)
		m.balanced(1, 1)
	}
}

// Those who pay at once, and those who get their money back at once, share transactions, and each code goes to one
// of them.
func TestConcurrentPaysGetEachACode(t *testing.T) {
	t.Parallel()
	const people = 120
	m := openMall(t, nil)
	codes := make([]string, people)
	for i := range codes {
		codes[i] = fmt.Sprintf("CODE-%03d", i)
	}
	m.pool(1, codes...)
	claim := func(i int) string { return fmt.Sprint("claim-", i) }
	for _, call := range []func(c *coupon.Coupons, i int) error{
		func(c *coupon.Coupons, i int) error { return of(c.For(fmt.Sprint(1+i)).Lock(t.Context(), claim(i), 1)) },
		func(c *coupon.Coupons, i int) error { return of(c.Pay(t.Context(), claim(i/2))) }, // twice each
		func(c *coupon.Coupons, i int) error { return of(c.Pay(t.Context(), claim(people-1-i/2))) },
		func(c *coupon.Coupons, i int) error {
			if i%3 == 0 {
				return of(c.Refund(t.Context(), coupon.Refund{ID: claim(i), Coupon: claim(i)}))
			}
			return of(c.Revoke(t.Context(), coupon.Revocation{ID: claim(i), Coupon: claim(i)}))
		},
	} {
		for _, err := range m.crowd(people, call) {
			require.NoError(t, err)
		}
	}
	m.balanced(1, people)
	require.Equal(t, coupon.Count{Refunded: people / 3, Revoked: people - people/3}, must(m.Progress(t.Context(), 1))(t))
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
	replays := 0
	for _, got := range issued {
		if got.Replay { // it has come after the others had given
			replays++
		}
		got.Replay = issued[0].Replay
		require.Equal(t, issued[0], got)
	}
	require.Less(t, replays, len(issued), "somebody has given them")
	require.Len(t, issued[0].Given, 1_000)
	require.Len(t, issued[0].Skipped, 200)
	m.balanced(1, 1_000)
}

// Two processes hand out one pool, while claims are rolled back, connections are killed, and codes are added: no code
// goes to two, and none is lost.
func TestTwoProcessesHandOutOnePool(t *testing.T) {
	t.Parallel()
	const workers, claims = 8, 30
	m := openMall(t, nil)
	m.pool(1, "FIRST")
	other, otherPool := m.process(nil)
	stores := []struct {
		coupons *coupon.Coupons
		db      *sqltest.DB
	}{{m.Coupons, m.db}, {other, otherPool}}
	var group suite.Group
	codes := make([]map[string]string, workers)
	group.Go(func() { // codes come while they go
		for i := range workers * claims / 10 {
			batch := make([]string, 10)
			for j := range batch {
				batch[j] = fmt.Sprintf("CODE-%d-%d", i, j)
			}
			require.NoError(t, settle(t, func() error {
				_, _, err := m.store.AddCodes(t.Context(), 1, -1, batch, "", "")
				return err
			}))
		}
	})
	for worker := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(worker)))
			s := stores[worker%2]
			codes[worker] = map[string]string{}
			for i := range claims {
				id := fmt.Sprintf("%d-%d", worker, i)
				switch random.IntN(5) {
				case 0:
					m.rollBack(s.db, "rolled-back-"+id, false)
				case 1:
					m.rollBack(s.db, "killed-"+id, i < sqltest.Kills(claims))
				case 2:
					s.db.Wire.Inject(sqltest.Fault{Match: "INSERT INTO coupon_wallet", Kind: sqltest.FaultKind(random.IntN(2))})
				case 3:
					s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.FaultKind(random.IntN(2))})
				}
				require.NoError(t, settle(t, func() error {
					c, err := s.coupons.For(fmt.Sprint(1+worker)).Claim(t.Context(), id, 1)
					if errors.Is(err, coupon.ErrSoldOut) { // more codes are on their way
						return coupon.ErrUnavailable
					}
					codes[worker][c.Code] = id
					return err
				}))
			}
		})
	}
	group.Wait()
	handedOut := map[string]string{}
	for _, own := range codes {
		delete(own, "") // of calls that failed
		for code, id := range own {
			require.NotContains(t, handedOut, code, "%s and %s have one code", id, handedOut[code])
			handedOut[code] = id
		}
	}
	require.Len(t, handedOut, workers*claims)
	m.balanced(1, workers*claims)
}

// rollBack claims a coupon in a transaction that comes to nothing: it is rolled back, or its connection is killed.
func (m *mall) rollBack(db *sqltest.DB, id string, kill bool) {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		m.t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	var number int64
	tx, err := conn.BeginTx(ctx, nil)
	if err == nil {
		err = tx.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&number)
	}
	if err != nil {
		return // an injected fault has met it
	}
	_, _ = m.On(m.store.WithTx(tx)).For("1").Claim(ctx, id, 1) // whatever it says, it does not stay
	if kill {
		_, _ = m.db.ExecContext(ctx, fmt.Sprintf("KILL %d", number))
	}
	_ = tx.Rollback()
}

// Two callers' transactions ask for one coupon, by its number and by its code: one of them waits, and neither meets a deadlock.
func TestByCodeLocksTheHoldFirst(t *testing.T) {
	t.Parallel()
	m := openMall(t, nil)
	m.pool(1, "CODE")
	m.claim("a")
	ctx := t.Context()
	byNumber, byCode := must(m.db.BeginTx(ctx, nil))(t), must(m.db.BeginTx(ctx, nil))(t)
	defer func() { _ = byNumber.Rollback() }()
	defer func() { _ = byCode.Rollback() }()
	var answer <-chan error
	m.db.Wire.After("LINE_NO = 1 FOR UPDATE", func() {
		answer = going(func() error { return of(m.On(m.store.WithTx(byCode)).ByCode(ctx, "CODE")) })
		m.waiting()
	})
	require.NoError(t, of(m.On(m.store.WithTx(byNumber)).Coupon(ctx, "a")))
	require.NoError(t, byNumber.Rollback())
	require.NoError(t, <-answer)
}
