package money_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/money"
)

func TestMinor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount string
		places int32
		minor  int64
	}{
		{"0", 0, 0},
		{"0", 8, 0},
		{"0.000", 0, 0},
		{"-0", 2, 0},
		{"1", 0, 1},
		{"1", 2, 100},
		{"1.5", 2, 150},
		{"1.50", 2, 150},
		{"1.5000", 1, 15}, // zeros are no places
		{"0.01", 2, 1},
		{"0.00000001", 8, 1},
		{"1e3", 2, 100_000},
		{"100e-2", 0, 1},
		{"9223372036854775807", 0, math.MaxInt64},
		{"92233720368547758.07", 2, math.MaxInt64},
		{"92233720368.54775807", 8, math.MaxInt64},
	} {
		minor, err := money.Minor("total", decimal.RequireFromString(c.amount), c.places)
		require.NoError(t, err, c.amount)
		require.Equal(t, c.minor, minor, c.amount)
	}
	minor, err := money.Minor("total", decimal.Decimal{}, 2)
	require.NoError(t, err)
	require.Zero(t, minor)
}

func TestMinorRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount decimal.Decimal
		places int32
		reason string
	}{
		{decimal.RequireFromString("-0.01"), 2, "must not be negative, is -0.01"},
		{decimal.RequireFromString("-0.001"), 2, "must not be negative, is -0.001"},
		{decimal.RequireFromString("1.5"), 0, "must have 0 decimal places at most, is 1.5"},
		{decimal.RequireFromString("0.005"), 2, "must have 2 decimal places at most, is 0.005"},
		{decimal.RequireFromString("9223372036854775808"), 0, "must be 9223372036854775807 at most, is 9223372036854775808"},
		{decimal.RequireFromString("92233720368547758.08"), 2, "must be 92233720368547758.07 at most, is 92233720368547758.08"},
		{decimal.New(1, 1_000_000_000), 2, "must have 40 digits at most"},
		{decimal.New(1, math.MaxInt32), 8, "must have 40 digits at most"},
		{decimal.New(1, -1_000_000_000), 2, "must have 40 digits at most"},
		{decimal.New(-1, math.MinInt32), 2, "must have 40 digits at most"},
		{decimal.New(0, math.MinInt32), 2, "must have 40 digits at most"},
		{decimal.NewFromBigInt(new(big.Int).Lsh(big.NewInt(1), 1<<20), 0), 2, "must have 40 digits at most"},
	} {
		_, err := money.Minor("total", c.amount, c.places)
		require.ErrorIs(t, err, fault.ErrInvalid)
		require.EqualError(t, err, "holdfast: invalid argument: total "+c.reason)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for places := int32(0); places <= money.MaxPlaces; places++ {
		require.NoError(t, money.Places(places))
	}
	for _, places := range []int32{-1, money.MaxPlaces + 1, math.MinInt32, math.MaxInt32} {
		require.ErrorIs(t, money.Places(places), fault.ErrInvalid)
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0.07", money.Decimal(7, 2).String())
	require.Equal(t, "-0.07", money.Decimal(-7, 2).String())
	require.Equal(t, "7", money.Decimal(7, 0).String())
	require.Equal(t, "92233720368.54775807", money.Decimal(math.MaxInt64, 8).String())
}

// FuzzMinor goes there and back: what is taken comes back as the same number.
func FuzzMinor(f *testing.F) {
	f.Add(int64(150), int32(-2), int32(2))
	f.Add(int64(math.MaxInt64), int32(0), int32(8))
	f.Add(int64(math.MinInt64), int32(math.MinInt32), int32(0))
	f.Add(int64(1), int32(math.MaxInt32), int32(3))
	f.Fuzz(func(t *testing.T, coefficient int64, exponent, places int32) {
		if money.Places(places) != nil {
			t.Skip()
		}
		amount := decimal.New(coefficient, exponent)
		minor, err := money.Minor("total", amount, places)
		if err != nil {
			require.ErrorIs(t, err, fault.ErrInvalid)
			return
		}
		require.GreaterOrEqual(t, minor, int64(0))
		require.True(t, money.Decimal(minor, places).Equal(amount))
		whole, err := money.Minor("total", money.Decimal(minor, places), places)
		require.NoError(t, err)
		require.Equal(t, minor, whole)
	})
}
