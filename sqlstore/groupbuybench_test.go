package sqlstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// BenchmarkSettle ends b.N teams of one paid member each that have come to their deadline: as Expire does, some
// hundred at a time, and one by one. For 100,000 of them:
//
//	go test ./sqlstore -run - -bench Settle/Batches -benchtime 100000x
func BenchmarkSettle(b *testing.B) {
	b.Run("Batches", func(b *testing.B) {
		s := overdue(b, b.N)
		b.ResetTimer()
		ended, err := s.Expire(b.Context())
		b.StopTimer()
		require.NoError(b, err)
		require.GreaterOrEqual(b, ended, b.N)
		s.failed(b, b.N)
	})
	b.Run("OneByOne", func(b *testing.B) {
		s := overdue(b, b.N)
		teams := must(s.store.LateTeams(b.Context(), b.N))(b)
		b.ResetTimer()
		for _, t := range teams {
			verdicts, err := s.store.End(b.Context(), []groupbuy.TeamEnd{
				{Code: t.Code, Version: t.Version, To: groupbuy.Failed, Cause: groupbuy.ByDeadline},
			})
			require.NoError(b, err)
			require.Equal(b, []stock.Verdict{stock.Done}, verdicts)
		}
		b.StopTimer()
		s.failed(b, b.N)
	})
}

// overdue returns a bazaar with teams that have come to their deadline.
func overdue(b *testing.B, teams int) *bazaar {
	b.Helper()
	s := openBazaar(b, defaults, 2, int64(teams))
	s.db.SetMaxOpenConns(24)
	s.db.Wire.Freeze(time.Time{}) // each seat has times of its own
	errs := suite.Crowd(teams, 1024, func(i int) error {
		p := purchase(fmt.Sprint("order-", i), fmt.Sprint(i+1))
		if _, err := p.Open(b.Context(), s.Groups); err != nil {
			return err
		}
		return of(s.Pay(b.Context(), p.Order))
	})
	require.NoError(b, errors.Join(errs...))
	s.db.Wire.Freeze(time.Now().Add(2 * teamTime))
	return s
}

// failed demands that so many teams have failed, each with a refund that is due, and that all books balance.
func (b *bazaar) failed(t testing.TB, teams int) {
	t.Helper()
	var failed, due int
	row := b.db.QueryRowContext(t.Context(),
		"SELECT (SELECT COUNT(*) FROM egl_group_team WHERE STATUS = -1), (SELECT COUNT(*) FROM goods_stock_event WHERE KIND = 13)")
	require.NoError(t, row.Scan(&failed, &due))
	require.Equal(t, [2]int{teams, teams}, [2]int{failed, due})
	item := must(b.stock.Item(t.Context(), teamProduct))(t)
	require.Zero(t, item.Sold+item.Locked)
}
