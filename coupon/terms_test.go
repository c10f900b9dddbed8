package coupon_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
)

// yuan returns an amount.
func yuan(amount string) decimal.Decimal { return decimal.RequireFromString(amount) }

// amountOff returns terms that take an amount off from a minimum on, for a week in Shanghai.
func amountOff(amount, minimum string) coupon.Terms {
	return coupon.Terms{
		Kind: coupon.AmountOff, Places: 2, Amount: yuan(amount), Minimum: yuan(minimum), ForDays: 7, Zone: "Asia/Shanghai",
	}
}

// percentOff returns terms that take a part off, up to a cap.
func percentOff(percent, limit string) coupon.Terms {
	return coupon.Terms{Kind: coupon.PercentOff, Places: 2, Percent: yuan(percent), Cap: yuan(limit), ForDays: 7, Zone: "Asia/Shanghai"}
}

func TestDiscount(t *testing.T) {
	t.Parallel()
	yen, mill := percentOff("10", "0"), percentOff("15", "0")
	yen.Places, mill.Places = 0, 3
	gift := coupon.Terms{Kind: coupon.Gift, Places: 2, Minimum: yuan("50"), ForDays: 1, Zone: "UTC"}
	for _, c := range []struct {
		name         string
		terms        coupon.Terms
		total, wants string
	}{
		{"an amount", amountOff("20", "100"), "150", "20"},
		{"exactly the minimum", amountOff("20", "100"), "100.00", "20"},
		{"never more than the total", amountOff("20", "0"), "12.34", "12.34"},
		{"as much as the total", amountOff("10", "0"), "10", "10"},
		{"a cent less than the total", amountOff("10", "0"), "10.01", "10"},
		{"nothing off nothing", amountOff("20", "0"), "0", "0"},
		{"a cent off", amountOff("0.01", "0"), "5", "0.01"},
		{"the largest amount", amountOff("92233720368547758.07", "0"), "92233720368547758.07", "92233720368547758.07"},
		{"zeros behind the last place", amountOff("0.01", "0"), "1.00000", "0.01"},
		{"a part", percentOff("15", "0"), "100", "15"},
		{"a part is rounded down", percentOff("15", "0"), "0.99", "0.14"},
		{"a part of a cent is none", percentOff("15", "0"), "0.06", "0"},
		{"a cent and a part is a cent", percentOff("15", "0"), "0.07", "0.01"},
		{"a part of an odd total", percentOff("12.34", "0"), "99.99", "12.33"},
		{"hundredths of a percent", percentOff("0.01", "0"), "1234.56", "0.12"},
		{"less than a cent of a percent", percentOff("0.01", "0"), "99.99", "0"},
		{"all of it", percentOff("100", "0"), "12.34", "12.34"},
		{"all of a cent", percentOff("100", "0"), "0.01", "0.01"},
		{"up to a cap", percentOff("50", "30"), "100", "30"},
		{"a cent below the cap", percentOff("15", "20"), "133.33", "19.99"},
		{"a cent that reaches the cap", percentOff("15", "20"), "133.34", "20"},
		{"no half yen", yen, "99", "9"},
		{"a mill", mill, "0.007", "0.001"},
		{"less than a mill", mill, "0.006", "0"},
		{"the largest total", percentOff("99.99", "0"), "92233720368547758.07", "92224496996510903.29"},
		{"all of the largest total", percentOff("100", "0"), "92233720368547758.07", "92233720368547758.07"},
		{"a gift takes nothing off", gift, "50", "0"},
	} {
		off, err := c.terms.Discount(yuan(c.total))
		require.NoError(t, err, c.name)
		require.Truef(t, off.Equal(yuan(c.wants)), "%s: %v", c.name, off)
		require.LessOrEqual(t, -off.Exponent(), c.terms.Places, c.name)
	}
}

func TestDiscountRefuses(t *testing.T) {
	t.Parallel()
	_, err := amountOff("20", "100").Discount(yuan("99.99"))
	var minimum *coupon.MinimumError
	require.ErrorAs(t, err, &minimum)
	require.ErrorIs(t, err, coupon.ErrBelowMinimum)
	require.EqualError(t, err, "coupon: the order is below its minimum: minimum 100.00, total 99.99")
	require.True(t, minimum.Minimum.Equal(yuan("100")))
	require.True(t, minimum.Total.Equal(yuan("99.99")))
	for _, total := range []decimal.Decimal{
		yuan("-0.01"), yuan("100.001"), yuan("92233720368547758.08"), yuan("1e30"), decimal.New(1, 2_000_000_000),
	} {
		_, err := amountOff("20", "0").Discount(total)
		require.ErrorIs(t, err, coupon.ErrInvalid)
	}
	_, err = coupon.Terms{}.Discount(yuan("1"))
	require.ErrorIs(t, err, coupon.ErrInvalid)
}

// FuzzDiscount compares the discount with one that is worked out in fractions.
func FuzzDiscount(f *testing.F) {
	f.Add(int64(15000), int64(1500), int64(0), int64(0), int32(2))
	f.Add(int64(99), int64(1500), int64(10), int64(99), int32(2))
	f.Add(int64(math.MaxInt64), int64(9999), int64(0), int64(0), int32(0))
	f.Add(int64(math.MaxInt64), int64(1), int64(math.MaxInt64), int64(math.MaxInt64), int32(8))
	f.Fuzz(func(t *testing.T, total, percent, limit, minimum int64, places int32) {
		if total < 0 || percent < 1 || percent > 10_000 || limit < 0 || minimum < 0 || places < 0 || places > coupon.MaxPlaces {
			t.Skip()
		}
		minor := func(n int64) decimal.Decimal { return decimal.New(n, -places) }
		order := minor(total)
		part := coupon.Terms{
			Kind: coupon.PercentOff, Places: places, Percent: decimal.New(percent, -2), Cap: minor(limit), Minimum: minor(minimum),
		}
		off, err := part.Discount(order)
		if total < minimum {
			require.ErrorIs(t, err, coupon.ErrBelowMinimum)
			return
		}
		require.NoError(t, err)
		exact := new(big.Int).Mul(big.NewInt(total), big.NewInt(percent))
		want := exact.Quo(exact, big.NewInt(10_000)).Int64() // which rounds down
		if limit > 0 {
			want = min(want, limit)
		}
		require.Truef(t, off.Equal(minor(want)), "%v off %v, not %d", off, order, want)

		fixed := coupon.Terms{Kind: coupon.AmountOff, Places: places, Amount: minor(max(limit, 1)), Minimum: minor(minimum)}
		off, err = fixed.Discount(order)
		require.NoError(t, err)
		require.True(t, off.Equal(minor(min(max(limit, 1), total))))
	})
}

// at reads a moment.
func at(s string) time.Time {
	moment, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return moment.UTC()
}

func TestFixedValidityIsThatOfTheTerms(t *testing.T) {
	t.Parallel()
	terms := coupon.Terms{ValidFrom: at("2026-11-11T00:00:00+08:00"), ValidUntil: at("2026-11-12T00:00:00+08:00")}
	from, until := terms.Validity(at("2026-11-01T00:00:00Z"))
	require.Equal(t, at("2026-11-10T16:00:00Z"), from)
	require.Equal(t, at("2026-11-11T16:00:00Z"), until)
	terms.ValidFrom = time.Time{}
	from, until = terms.Validity(at("2026-11-01T10:20:30.1234567Z"))
	require.Equal(t, at("2026-11-01T10:20:30.123456Z"), from, "at once, in whole microseconds")
	require.Equal(t, at("2026-11-11T16:00:00Z"), until)
}

// TestValidityInDays has days of all lengths. The offsets are those of the zones at that time.
func TestValidityInDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		zone        string
		after, days int
		claimed     string
		from, until string
	}{
		{"to the end of the day", "Asia/Shanghai", 0, 1, "2026-11-11T15:59:59.999999Z", "2026-11-11T15:59:59.999999Z", "2026-11-11T16:00:00Z"},
		{"which begins at midnight there", "Asia/Shanghai", 0, 1, "2026-11-11T16:00:00Z", "2026-11-11T16:00:00Z", "2026-11-12T16:00:00Z"},
		{"from tomorrow, two days", "Asia/Shanghai", 1, 2, "2026-11-09T04:00:00Z", "2026-11-09T16:00:00Z", "2026-11-11T16:00:00Z"},
		{"over the end of a month and a leap day", "UTC", 1, 3, "2028-02-27T10:00:00Z", "2028-02-28T00:00:00Z", "2028-03-02T00:00:00Z"},
		{"23 hours", "America/New_York", 1, 1, "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		{"25 hours", "America/New_York", 1, 1, "2026-10-31T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"a day that begins at 01:00", "America/Sao_Paulo", 1, 1, "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"a midnight that comes twice", "America/Havana", 1, 1, "2026-10-31T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{
			"an hour before midnight that comes twice", "America/Sao_Paulo", 0, 1, "2018-02-17T12:00:00Z", "2018-02-17T12:00:00Z",
			"2018-02-18T03:00:00Z",
		},
		{
			"a day that begins, ends after a minute, and begins again", "America/St_Johns", 0, 1, "2006-10-28T12:00:00Z", "2006-10-28T12:00:00Z",
			"2006-10-29T03:30:00Z",
		},
		{"a day that never was", "Pacific/Apia", 0, 2, "2011-12-30T00:00:00Z", "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z"},
		{
			"as long as can be", "Pacific/Kiritimati", coupon.MaxDays, coupon.MaxDays, "2026-01-01T00:00:00Z", "2125-12-07T10:00:00Z",
			"2225-11-13T10:00:00Z",
		},
	} {
		terms := coupon.Terms{AfterDays: c.after, ForDays: c.days, Zone: c.zone}
		from, until := terms.Validity(at(c.claimed))
		require.Equal(t, at(c.from), from, c.name)
		require.Equal(t, at(c.until), until, c.name)
	}
	from, until := coupon.Terms{ForDays: 1, Zone: "Middle/Earth"}.Validity(at("2026-01-01T00:00:00Z"))
	require.True(t, from.IsZero() && until.IsZero())
}

// FuzzValidity holds both ends of a validity against the calendar of the zone: it is that day from there
// on, and was a day before until then.
func FuzzValidity(f *testing.F) {
	zones := []string{
		"UTC", "Asia/Shanghai", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Africa/Cairo", "Asia/Beirut",
		"Australia/Lord_Howe",
	}
	for i := range zones {
		f.Add(int64(1_500_000_000+i*10_000_000), uint8(i), uint16(1), uint16(30))
	}
	f.Fuzz(func(t *testing.T, unix int64, zone uint8, after, days uint16) {
		terms := coupon.Terms{AfterDays: int(after), ForDays: int(days) + 1, Zone: zones[int(zone)%len(zones)]}
		claimed := time.Unix(unix&(1<<33-1), 0).UTC() // until 2242
		place, err := time.LoadLocation(terms.Zone)
		require.NoError(t, err)
		from, until := terms.Validity(claimed)
		require.True(t, from.Before(until))
		require.False(t, from.Before(claimed))
		day := func(at time.Time, plus int) time.Time {
			y, m, d := at.In(place).Date()
			return time.Date(y, m, d+plus, 0, 0, 0, 0, time.UTC)
		}
		begins := func(at, want time.Time) {
			require.False(t, day(at, 0).Before(want), "%v is before %v", at.In(place), want)
			require.True(t, day(at.Add(-time.Microsecond), 0).Before(want), "%v is not the beginning of %v", at.In(place), want)
		}
		begins(until, day(claimed, terms.AfterDays+terms.ForDays))
		if terms.AfterDays > 0 {
			begins(from, day(claimed, terms.AfterDays))
		}
	})
}

func TestTermsEqual(t *testing.T) {
	t.Parallel()
	terms := coupon.Terms{
		Title: "Singles' Day", Scope: "shoes", Kind: coupon.PercentOff, Places: 2, Percent: yuan("15"), Cap: yuan("30"), Minimum: yuan("100"),
		ValidFrom: at("2026-11-11T00:00:00Z"), ValidUntil: at("2026-11-12T00:00:00Z"),
	}
	same := terms
	same.Percent, same.Cap, same.ValidFrom = yuan("15.00"), yuan("3e1"), terms.ValidFrom.Add(time.Nanosecond).In(time.FixedZone("", 3600))
	require.True(t, terms.Equal(same))
	for i, change := range []func(*coupon.Terms){
		func(t *coupon.Terms) { t.Title = "" },
		func(t *coupon.Terms) { t.Scope = "boots" },
		func(t *coupon.Terms) { t.Kind = coupon.AmountOff },
		func(t *coupon.Terms) { t.Places = 0 },
		func(t *coupon.Terms) { t.Amount = yuan("1") },
		func(t *coupon.Terms) { t.Percent = yuan("15.01") },
		func(t *coupon.Terms) { t.Cap = yuan("0") },
		func(t *coupon.Terms) { t.Minimum = yuan("0") },
		func(t *coupon.Terms) { t.ValidFrom = t.ValidFrom.Add(time.Microsecond) },
		func(t *coupon.Terms) { t.ValidUntil = time.Time{} },
		func(t *coupon.Terms) { t.AfterDays = 1 },
		func(t *coupon.Terms) { t.ForDays = 1 },
		func(t *coupon.Terms) { t.Zone = "UTC" },
		func(t *coupon.Terms) { t.Pool = true },
	} {
		other := terms
		change(&other)
		require.False(t, terms.Equal(other), i)
		require.False(t, other.Equal(terms), i)
	}
}
