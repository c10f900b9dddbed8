package sqlstore_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// benchMall returns coupons on a database of their own, on a clock that goes.
func benchMall(b *testing.B, opts *sqlstore.Options) *mall {
	b.Helper()
	db := prepared(b, defaults, couponTables)
	db.SetMaxOpenConns(24)
	store := sqlstore.NewCoupon(db.DB, opts)
	return &mall{Coupons: coupon.New(store, nil), fixture: fixture{b, db}, store: store}
}

// fill puts so many codes into a new pool: CODE-0000000 and on.
func (m *mall) fill(campaign int64, codes int) {
	m.t.Helper()
	m.pool(campaign, codeOf(campaign, 0))
	for first := 1; first < codes; first += 10_000 {
		batch := make([]string, 0, 10_000)
		for i := first; i < min(first+10_000, codes); i++ {
			batch = append(batch, codeOf(campaign, i))
		}
		_, _, err := m.store.AddCodes(m.t.Context(), campaign, int64(first), batch, "", "")
		require.NoError(m.t, err)
	}
}

// codeOf returns a code of a pool. They come in no order, as those that are made at random do.
func codeOf(campaign int64, i int) string {
	scattered := uint64(i+1) * 0x9E3779B97F4A7C15 // an odd multiple: each number is there once
	return fmt.Sprintf("%d-%016X", campaign, scattered)
}

// BenchmarkHotClaim is 1,024 callers and one campaign, each with its buyer: with and without merging, and out of a pool
// that has little more codes than there are claims, or a million more.
func BenchmarkHotClaim(b *testing.B) {
	for _, c := range []struct {
		name string
		opts sqlstore.Options
		more int // codes beside those that are claimed; negative: no pool
	}{
		{"NoPool", sqlstore.Options{}, -1},
		{"NoPoolUnmerged", alone, -1},
		{"Pool", sqlstore.Options{}, 0},
		{"PoolOfAMillion", sqlstore.Options{}, 1_000_000},
		{"PoolUnmerged", alone, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := benchMall(b, &c.opts)
			if c.more >= 0 {
				m.fill(1, b.N+c.more)
			} else {
				m.define(int64(b.N), coupon.Rules{PerBuyer: 1})
			}
			rush(b, "claims/s", func(n int64) error {
				return of(m.For(fmt.Sprint(n)).Claim(b.Context(), "claim-"+strconv.FormatInt(n, 10), 1))
			})
			m.balanced(1, int64(b.N))
		})
	}
}

// BenchmarkImport adds codes by chunks of 1,000, as Import does, and compares it with the limit: INSERTs of as many of the
// same rows and nothing else, in the same run. An operation is a chunk of each.
func BenchmarkImport(b *testing.B) {
	const chunk = 1_000
	m := benchMall(b, nil)
	m.pool(1, "FIRST")
	ctx := context.Background()
	require.NoError(b, of(m.db.ExecContext(ctx, "CREATE TABLE raw LIKE coupon_code")))
	var ours, raw time.Duration
	for n := 0; b.Loop(); n++ {
		codes := make([]string, chunk)
		var text strings.Builder
		text.WriteString("INSERT INTO raw (CAMPAIGN_ID, POSITION, CODE) VALUES ")
		for i := range codes {
			codes[i] = codeOf(1, n*chunk+i)
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "(1,%d,'%s')", n*chunk+i+1, codes[i])
		}
		start := time.Now()
		got, err := m.Import(ctx, 1, slices.Values(codes))
		ours += time.Since(start)
		require.NoError(b, err)
		require.Equal(b, int64(chunk), got.Added)
		start = time.Now()
		_, err = m.db.ExecContext(ctx, text.String())
		raw += time.Since(start)
		require.NoError(b, err)
	}
	codes := float64(b.N * chunk)
	b.ReportMetric(codes/ours.Seconds(), "codes/s")
	b.ReportMetric(codes/raw.Seconds(), "raw-rows/s")
	b.ReportMetric(100*raw.Seconds()/ours.Seconds(), "%-of-raw")
}
