package coupontest

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
)

func discountCases() []testCase {
	return []testCase{
		{Name: "DiscountIsWhatItsTermsSay", Run: discountOfTerms},
		{Name: "DiscountOfWhatNoOrderComesToIsRefused", Run: discountRefused},
	}
}

// most is the largest amount of a currency with two places.
const most = "92233720368547758.07"

// discountOfTerms uses coupons of every kind and currency for orders of all sizes, by a reservation and at once. What terms take off
// a total, the tests of package coupon have.
func discountOfTerms(s *scene) {
	ten, huge, gift := tenOff(), tenOff(), tenOff()
	huge.Amount = dec(most)
	gift.Kind, gift.Amount = coupon.Gift, dec("0")
	part := func(percent, limit string, places int32, minimum string) coupon.Terms {
		terms := tenOff()
		terms.Kind, terms.Amount, terms.Percent, terms.Cap = coupon.PercentOff, dec("0"), dec(percent), dec(limit)
		terms.Places, terms.Minimum = places, dec(minimum)
		return terms
	}
	for i, c := range []struct {
		terms  coupon.Terms
		totals []string
	}{
		{ten, []string{"50", "50.01", most}},
		{huge, []string{"50", most}},
		{gift, []string{"50", "500"}},
		{part("15", "20", 2, "0"), []string{"0", "0.06", "0.07", "133.33", "133.34", most}},
		{part("99.99", "0", 2, "10"), []string{"10", most}},
		{part("15", "0", 0, "100"), []string{"100", "106", "107"}},
		{part("15", "0", 3, "0.001"), []string{"0.001", "0.007", "1.234"}},
		{part("15", "0", 8, "0"), []string{"0.00000007", "1"}},
	} {
		id := int64(i + 1)
		s.define(id, 1000, coupon.Rules{}, c.terms)
		for _, total := range c.totals {
			name, want := fmt.Sprintf("%d/%s", id, total), suite.Must(c.terms.Discount(dec(total)))
			s.No(suite.Err(s.shop.For("5").Claim(s.Context(), name, id)))
			u := suite.Must(s.shop.Reserve(s.Context(), name, "A", dec(total)))
			suite.Same(s, "discount off "+total, u.Discount, want)
			s.sameAmount("total", u.Total, total)
			suite.Same(s, "places", u.Places, c.terms.Places)
			s.release(name, "A")
			u = suite.Must(s.shop.Redeem(s.Context(), name, "B", dec(total)))
			suite.Same(s, "discount off "+total, u.Discount, want)
			suite.Same(s, "use", s.use(name, "B"), u)
		}
	}
}

func discountRefused(s *scene) {
	yen := tenOff()
	yen.Places = 0
	for id, terms := range map[int64]coupon.Terms{1: yen, 2: tenOff()} {
		s.define(id, 10, coupon.Rules{}, terms)
		name := fmt.Sprint("c", id)
		s.No(suite.Err(s.shop.For("5").Claim(s.Context(), name, id)))
		totals := []decimal.Decimal{dec("-1"), dec("92233720368547758.08"), decimal.New(1, 1<<30), decimal.New(1, -1<<30)}
		if id == 1 {
			totals = append(totals, dec("100.5"), dec("9223372036854775808")) // the yen has no such amount
		}
		for _, total := range totals {
			s.unchanged(name, func() {
				s.Is(suite.Err(s.shop.Reserve(s.Context(), name, "A", total)), coupon.ErrInvalid)
				s.Is(suite.Err(s.shop.Redeem(s.Context(), name, "A", total)), coupon.ErrInvalid)
				s.Is(suite.Err(s.shop.Return(s.Context(), name, "A", total)), coupon.ErrInvalid)
			})
		}
		s.used(name, "A", coupon.Unused)
	}
}
