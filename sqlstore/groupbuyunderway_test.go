package sqlstore_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// lasting is the activity of a bazaar with other times: its teams may live an hour longer than it.
func lasting(end time.Time, hidden bool) groupbuy.Activity {
	return groupbuy.Activity{ID: 7, Title: "week", Formation: teamTime, End: end, Outlive: true, Hidden: hidden}
}

// answerLater demands that a call waits in the server for one that is under way, lets that one go on, and returns the answer.
func answerLater(t *testing.T, db *sqltest.DB, call func() error, goOn func()) error {
	t.Helper()
	answer, once := going(call), sync.OnceFunc(goOn)
	defer once() // also where it did not wait
	waits(t, db, answer, "SELECT%FOR UPDATE")
	once()
	return <-answer
}

// An Open whose COMMIT is on its way is not refused for good when it is made again: the answer waits for the COMMIT.
func TestOpenAgainWaitsForItsCommit(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bazaar, again *sqltest.DB){
		"when the activity is over": func(_ *bazaar, again *sqltest.DB) { again.Wire.Freeze(start.Add(30 * time.Minute)) },
		"when it is hidden": func(b *bazaar, _ *sqltest.DB) {
			require.NoError(b.t, of(b.process(nil).Define(b.t.Context(), lasting(start.Add(30*time.Minute), true))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBazaar(t, defaults, 3, 100)
			require.NoError(t, of(b.Define(t.Context(), lasting(start.Add(30*time.Minute), false))))
			arrived, land := make(chan struct{}), make(chan struct{})
			b.db.Wire.After("INSERT INTO egl_group_participation", func() {
				b.db.Wire.Before("COMMIT", func() { close(arrived); <-land })
			})
			first := going(func() error { return of(purchase("a", "1").Open(t.Context(), b.Groups)) })
			<-arrived
			again := b.another()
			change(b, again)
			groups := b.over(again)
			var seat groupbuy.Seat
			err := answerLater(t, b.db, func() (err error) {
				seat, err = purchase("a", "1").Open(t.Context(), groups)
				return err
			}, func() { close(land) })
			require.NoError(t, err)
			require.NoError(t, <-first)
			require.Equal(t, groupbuy.Held, seat.State)
			_, err = purchase("b", "2").Open(t.Context(), groups)
			require.Error(t, err)
			require.True(t, errors.Is(err, groupbuy.ErrEnded) || errors.Is(err, groupbuy.ErrHidden), "%v", err)
		})
	}
}

// A Form whose COMMIT is on its way when the time of the team is over.
func TestFormAgainWaitsForItsCommit(t *testing.T) {
	t.Parallel()
	b := openBazaar(t, defaults, 3, 100)
	code, orders := b.team("t", 2)
	require.NoError(t, of(b.Pay(t.Context(), orders[0])))
	decision := groupbuy.Decision{Actor: "clerk", Reason: "why not"}
	arrived, land := make(chan struct{}), make(chan struct{})
	b.db.Wire.After("INSERT INTO goods_stock_event", func() {
		b.db.Wire.Before("COMMIT", func() { close(arrived); <-land })
	})
	first := going(func() error { return of(b.Form(t.Context(), code, decision)) })
	<-arrived
	again := b.db.Pool(t)
	again.Wire.Freeze(start.Add(teamTime))
	groups := b.over(again)
	var team groupbuy.Team
	err := answerLater(t, again, func() (err error) {
		team, err = groups.Form(t.Context(), code, decision)
		return err
	}, func() { close(land) })
	require.NoError(t, err)
	require.NoError(t, <-first)
	require.Equal(t, groupbuy.Formed, team.State)
}

// A change that waits for its row when the activity ends.
func TestChangeAgainWaitsForTheOneUnderWay(t *testing.T) {
	t.Parallel()
	later := func(b *bazaar) (*groupbuy.Groups, *sqltest.DB) {
		pool := b.db.Pool(b.t)
		pool.Wire.Freeze(start.Add(30 * time.Minute))
		return b.over(pool), pool
	}
	t.Run("Define", func(t *testing.T) {
		t.Parallel()
		b := openBazaar(t, defaults, 3, 100)
		require.NoError(t, of(b.Define(t.Context(), lasting(start.Add(30*time.Minute), false))))
		longer := lasting(start.Add(time.Hour), false)
		release := b.block("SELECT 1 FROM egl_group WHERE ID = ? FOR UPDATE", 7)
		first := going(func() error { return of(b.Define(t.Context(), longer)) })
		b.waiting()
		groups, pool := later(b)
		require.NoError(t, answerLater(t, pool, func() error { return of(groups.Define(t.Context(), longer)) }, release))
		require.NoError(t, <-first)
	})
	t.Run("Offer", func(t *testing.T) {
		t.Parallel()
		b := openBazaar(t, defaults, 3, 100)
		require.NoError(t, of(b.Define(t.Context(), lasting(start.Add(30*time.Minute), false))))
		ordinary(t, b.db, 2)
		product := productOf(stock.Key{SKU: 2, Activity: 7})
		var release func()
		b.db.Wire.After(sqltest.Decisive("INSERT INTO egl_group_product"), func() {
			release = b.block("SELECT 1 FROM egl_group_product WHERE SKU_ID = ? AND ACTIVITY_ID = 7 FOR UPDATE", 2)
		})
		first := going(func() error { return of(b.Offer(t.Context(), product, 10)) })
		ctx := soon(t)
		for last := int64(0); last == 0; { // until the last of its steps waits
			require.NoError(t, b.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.PROCESSLIST"+
				" WHERE DB = DATABASE() AND INFO LIKE 'UPDATE egl_group_product%'").Scan(&last))
		}
		groups, pool := later(b)
		var is groupbuy.Product
		require.NoError(t, answerLater(t, pool, func() (err error) { is, err = groups.Offer(t.Context(), product, 10); return err },
			func() { release() }))
		require.NoError(t, <-first)
		require.Equal(t, groupbuy.Offered, is.State)
	})
}
