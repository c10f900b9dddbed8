package redpacket

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeded returns a seed of its own for each number.
func seeded(n uint64) [32]byte { return sha256.Sum256(binary.BigEndian.AppendUint64(nil, n)) }

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		split Split
		want  []int64
	}{
		"Equal":               {Split{Total: 10, Count: 3, Min: 1, Equal: true}, []int64{4, 3, 3}},
		"EqualWithoutRest":    {Split{Total: 9, Count: 3, Min: 1, Equal: true}, []int64{3, 3, 3}},
		"EqualAllButOneMore":  {Split{Total: 11, Count: 3, Min: 1, Equal: true}, []int64{4, 4, 3}},
		"EqualForFive":        {Split{Total: 7, Count: 5, Min: 1, Equal: true}, []int64{2, 2, 1, 1, 1}},
		"EqualWithinBounds":   {Split{Total: 10, Count: 3, Min: 3, Max: 4, Equal: true}, []int64{4, 3, 3}},
		"EqualAndAllThereIs":  {Split{Total: math.MaxInt64, Count: 2, Min: 1, Equal: true}, []int64{1 << 62, 1<<62 - 1}},
		"EqualAndLeast":       {Split{Total: 3, Count: 3, Min: 1, Equal: true}, []int64{1, 1, 1}},
		"OneShareGetsAll":     {Split{Total: 100, Count: 1, Min: 1}, []int64{100}},
		"OneShareAtItsMax":    {Split{Total: 100, Count: 1, Min: 100, Max: 100}, []int64{100}},
		"AllMinimum":          {Split{Total: 4, Count: 4, Min: 1}, []int64{1, 1, 1, 1}},
		"AllAnotherMinimum":   {Split{Total: 15, Count: 3, Min: 5, Max: 9}, []int64{5, 5, 5}},
		"AllMaximum":          {Split{Total: 90, Count: 3, Min: 1, Max: 30}, []int64{30, 30, 30}},
		"AllMaximumOfInt64":   {Split{Total: math.MaxInt64, Count: 1, Min: math.MaxInt64, Max: math.MaxInt64}, []int64{math.MaxInt64}},
		"OneUnitAboveMinimum": {Split{Total: 3, Count: 2, Min: 1, Max: 2, Seed: seeded(1)}, []int64{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, c.split.check())
			require.Equal(t, c.want, slices.Collect(c.split.Shares()))
		})
	}
}

// TestSplitNeverChanges has shares as they were the first time. Books that are under way depend on them:
// what changes these numbers changes what somebody can work out from a seed.
func TestSplitNeverChanges(t *testing.T) {
	t.Parallel()
	split := Split{Total: 10_000, Count: 8, Min: 1, Seed: seeded(42)}
	require.Equal(t, []int64{198, 1831, 2290, 788, 642, 1230, 748, 2273}, slices.Collect(split.Shares()))
	split.Min, split.Max = 900, 2000
	require.Equal(t, []int64{955, 1413, 1542, 1120, 1079, 1244, 1110, 1537}, slices.Collect(split.Shares()))
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		split Split
		field string
	}{
		"NoShares":              {Split{Total: 10, Min: 1}, "count"},
		"FewerThanNoShares":     {Split{Total: 10, Count: -1, Min: 1}, "count"},
		"LeastNumber":           {Split{Total: 10, Count: math.MinInt64, Min: 1}, "count"},
		"OneShareTooMany":       {Split{Total: math.MaxInt64, Count: MaxCount + 1, Min: 1}, "count"},
		"LargestNumber":         {Split{Total: math.MaxInt64, Count: math.MaxInt64, Min: 1}, "count"},
		"NoMoney":               {Split{Count: 1, Min: 1}, "total"},
		"LessThanNoMoney":       {Split{Total: -1, Count: 1, Min: 1}, "total"},
		"OneUnitTooLittle":      {Split{Total: 29, Count: 3, Min: 10}, "total"},
		"TooLittleBeyondInt64":  {Split{Total: math.MaxInt64, Count: MaxCount, Min: math.MaxInt64 / MaxCount * 2}, "total"},
		"OneUnitTooMuch":        {Split{Total: 91, Count: 3, Min: 1, Max: 30}, "total"},
		"MaxBelowMin":           {Split{Total: 10, Count: 1, Min: 5, Max: 4}, "max"},
		"NegativeMax":           {Split{Total: 10, Count: 1, Min: 1, Max: -1}, "max"},
		"NoMin":                 {Split{Total: 10, Count: 1}, "min"},
		"NegativeMin":           {Split{Total: 10, Count: 1, Min: -1}, "min"},
		"EqualAsWell":           {Split{Total: 2, Count: 3, Min: 1, Equal: true}, "total"},
		"EqualAboveItsMaxAsWel": {Split{Total: 10, Count: 3, Min: 1, Max: 3, Equal: true}, "total"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.split.check()
			require.ErrorIs(t, err, ErrInvalid)
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, c.field, invalid.Field)
		})
	}
}

// TestSplitOfAMillion divides as much money as there can be into as many shares as there can be.
func TestSplitOfAMillion(t *testing.T) {
	t.Parallel()
	for name, split := range map[string]Split{
		"Random":  {Total: math.MaxInt64, Count: MaxCount, Min: 1, Seed: seeded(7)},
		"Bounded": {Total: math.MaxInt64, Count: MaxCount, Min: 9_000_000_000_000, Max: 9_300_000_000_000, Seed: seeded(7)},
		"Equal":   {Total: math.MaxInt64, Count: MaxCount, Min: 1, Equal: true},
		"AllMin":  {Total: MaxCount, Count: MaxCount, Min: 1, Seed: seeded(7)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, split.check())
			left, n := split.Total, int64(0)
			for share := range split.Shares() {
				if share < split.Min || split.Max > 0 && share > split.Max {
					t.Fatalf("share %d is %d", n, share)
				}
				left, n = left-share, n+1
			}
			require.Equal(t, split.Count, n)
			require.Zero(t, left)
		})
	}
}

// TestSameSeedSameSplit works each share out again, alone and last to first.
func TestSameSeedSameSplit(t *testing.T) {
	t.Parallel()
	split := Split{Total: 100_000, Count: 100, Min: 10, Max: 5000, Seed: seeded(3)}
	shares := slices.Collect(split.Shares())
	require.Equal(t, shares, slices.Collect(split.Shares()))
	for share := range split.Shares() { // and nobody has to take them all
		require.Equal(t, shares[0], share)
		break
	}
	left := int64(0)
	for taken := split.Count - 1; taken >= 0; taken-- {
		left += shares[taken]
		require.Equal(t, shares[taken], split.Next(left, taken))
	}
}

func TestDifferentSeedsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[[100]int64]bool{}
	for n := range uint64(1000) {
		split := Split{Total: 100_000, Count: 100, Min: 1, Seed: seeded(n)}
		seen[[100]int64(slices.Collect(split.Shares()))] = true
	}
	require.Len(t, seen, 1000)
	one := Split{Total: 100_000, Count: 100, Min: 1, Seed: seeded(1)}
	other := one
	other.Seed[31] ^= 1 // the last bit counts
	require.NotEqual(t, slices.Collect(one.Shares()), slices.Collect(other.Shares()))
}

// TestNoPositionIsFavoured draws many packets and compares what each position got on average with what it
// should get: Total / Count, however the bounds lie. The seeds are fixed, so that the test is.
func TestNoPositionIsFavoured(t *testing.T) {
	t.Parallel()
	for name, split := range map[string]Split{
		"Plenty":      {Total: 20_000, Count: 10, Min: 1},
		"HardlyAny":   {Total: 15, Count: 10, Min: 1},
		"WithARest":   {Total: 1007, Count: 9, Min: 1},
		"LowMax":      {Total: 1000, Count: 8, Min: 1, Max: 130},
		"HighMin":     {Total: 1000, Count: 8, Min: 110, Max: 900},
		"NarrowAbove": {Total: 83, Count: 8, Min: 1, Max: 11},
		"Two":         {Total: 5, Count: 2, Min: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const packets = 20_000
			sum, squares := make([]float64, split.Count), make([]float64, split.Count)
			for n := range uint64(packets) {
				split.Seed = seeded(n)
				i := 0
				for share := range split.Shares() {
					sum[i] += float64(share)
					squares[i] += float64(share) * float64(share)
					i++
				}
			}
			want := float64(split.Total) / float64(split.Count)
			for i := range sum {
				mean := sum[i] / packets
				deviation := math.Sqrt((squares[i]/packets - mean*mean) / packets) // of the mean
				require.InDelta(t, want, mean, 4.5*deviation+1e-9, "position %d", i+1)
			}
		})
	}
}

// TestFirstShareIsUniform looks at the shape beside the mean: from 1 to twice the mean less 1, each as often.
func TestFirstShareIsUniform(t *testing.T) {
	t.Parallel()
	const packets = 90_000
	split := Split{Total: 50, Count: 10, Min: 1}
	seen := map[int64]int{}
	for n := range uint64(packets) {
		split.Seed = seeded(n)
		seen[split.Next(50, 0)]++
	}
	require.Len(t, seen, 9)
	for share := int64(1); share <= 9; share++ {
		require.InDelta(t, packets/9, seen[share], 450, "share %d", share) // four and a half deviations
	}
}

// FuzzSplit divides whatever can be divided, and refuses what cannot: the first shares, of which each
// leaves what the others need, and the last.
func FuzzSplit(f *testing.F) {
	f.Add(int64(100), int64(3), int64(1), int64(0), false, uint64(1))
	f.Add(int64(90), int64(3), int64(1), int64(30), false, uint64(2))
	f.Add(int64(10), int64(3), int64(1), int64(4), true, uint64(3))
	f.Add(int64(math.MaxInt64), int64(MaxCount), int64(1), int64(0), false, uint64(4))
	f.Add(int64(math.MaxInt64), int64(MaxCount), int64(1), int64(math.MaxInt64), false, uint64(5))
	f.Add(int64(math.MaxInt64), int64(MaxCount), int64(math.MaxInt64), int64(math.MaxInt64), false, uint64(6))
	f.Add(int64(math.MaxInt64), int64(2), int64(1), int64(math.MaxInt64-1), false, uint64(7))
	f.Add(int64(math.MaxInt64), int64(2), int64(math.MaxInt64/2), int64(math.MaxInt64/2+1), false, uint64(8))
	f.Add(int64(MaxCount), int64(MaxCount), int64(1), int64(1), false, uint64(9))
	f.Add(int64(math.MinInt64), int64(math.MinInt64), int64(math.MinInt64), int64(math.MinInt64), true, uint64(10))
	f.Fuzz(func(t *testing.T, total, count, least, most int64, equal bool, seed uint64) {
		split := Split{Total: total, Count: count, Min: least, Max: most, Equal: equal, Seed: seeded(seed)}
		err := split.check()
		require.Equal(t, divisible(split), err == nil, "%v", err)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		left, first := total, int64(0)
		for taken := range min(count, 300) {
			share := split.Next(left, taken)
			require.Equal(t, share, split.Next(left, taken))
			if equal {
				first = max(first, share)
				require.LessOrEqual(t, first-share, int64(1))
			}
			require.GreaterOrEqual(t, share, least)
			require.True(t, most == 0 || share <= most)
			left -= share
			require.True(t, taken == count-1 && left == 0 || divisible(Split{Total: left, Count: count - taken - 1, Min: least, Max: most}))
		}
		require.Equal(t, left, split.Next(left, count-1))
	})
}

// FuzzNext asks for shares that cannot be: it answers, and gives no more than there is.
func FuzzNext(f *testing.F) {
	f.Add(int64(100), int64(0), int64(3), int64(1), int64(0), false)
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), int64(MaxCount), int64(math.MaxInt64), int64(math.MaxInt64), false)
	f.Add(int64(math.MinInt64), int64(-1), int64(MaxCount), int64(1), int64(1), true)
	f.Add(int64(1), int64(0), int64(MaxCount), int64(5), int64(9), false)
	f.Fuzz(func(t *testing.T, left, taken, count, least, most int64, equal bool) {
		split := Split{Total: math.MaxInt64, Count: count, Min: least, Max: most, Equal: equal}
		if least < 1 || most < 0 || count < 1 || count > MaxCount {
			t.Skip()
		}
		share := split.Next(left, taken)
		require.True(t, share == left || share >= 0 && share < left, "%d of %d", share, left)
	})
}

// divisible is check once more, with numbers that do not end.
func divisible(s Split) bool {
	product := func(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }
	total := big.NewInt(s.Total)
	return s.Count >= 1 && s.Count <= MaxCount && s.Min >= 1 && s.Max >= 0 &&
		product(s.Count, s.Min).Cmp(total) <= 0 && (s.Max == 0 || s.Min <= s.Max && product(s.Count, s.Max).Cmp(total) >= 0)
}

func BenchmarkSplitNext(b *testing.B) {
	for name, equal := range map[string]bool{"Random": false, "Equal": true} {
		b.Run(name, func(b *testing.B) {
			split := Split{Total: 1_000_000, Count: 1000, Min: 1, Max: 100_000, Equal: equal, Seed: seeded(1)}
			b.ReportAllocs()
			for b.Loop() {
				split.Next(500_000, 500)
			}
		})
	}
}

func BenchmarkSplitShares(b *testing.B) {
	split := Split{Total: 1_000_000, Count: 1000, Min: 1, Seed: seeded(1)}
	b.ReportAllocs()
	for b.Loop() {
		for share := range split.Shares() {
			_ = share
		}
	}
}
