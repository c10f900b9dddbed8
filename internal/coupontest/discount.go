package coupontest

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
)

func discountCases() []testCase {
	return []testCase{
		{Name: "DiscountOfAnAmount", Run: discountAmount},
		{Name: "DiscountOfAPart", Run: discountPart},
		{Name: "DiscountOfAGift", Run: discountGift},
		{Name: "DiscountInCurrenciesWithOtherPlaces", Run: discountPlaces},
		{Name: "DiscountOfAmountsBeyondComparison", Run: discountHuge},
	}
}

// takes ends the test unless a coupon with these terms takes so much off, by a reservation and at once.
func (s *scene) takes(id int64, terms coupon.Terms, off map[string]string) {
	s.Helper()
	s.define(id, 1000, coupon.Rules{}, terms)
	for total, want := range off {
		name := fmt.Sprintf("%d/%s", id, total)
		s.No(suite.Err(s.shop.For("5").Claim(s.Context(), name, id)))
		u := suite.Must(s.shop.Reserve(s.Context(), name, "A", dec(total)))
		s.sameAmount("discount off "+total, u.Discount, want)
		s.sameAmount("total", u.Total, total)
		suite.Same(s, "places", u.Places, terms.Places)
		s.release(name, "A")
		u = suite.Must(s.shop.Redeem(s.Context(), name, "B", dec(total)))
		s.sameAmount("discount off "+total, u.Discount, want)
		suite.Same(s, "use", s.use(name, "B"), u)
		pure := suite.Must(terms.Discount(dec(total)))
		s.sameAmount("discount off "+total+", worked out", pure, want)
	}
}

func discountAmount(s *scene) {
	terms := tenOff()
	s.takes(1, terms, map[string]string{"50": "10", "50.01": "10", "99999999.99": "10"})
	terms.Minimum = dec("0")
	s.takes(2, terms, map[string]string{"0": "0", "0.01": "0.01", "9.99": "9.99", "10": "10", "10.01": "10"}) // never more than there is
	terms.Amount = dec("0.01")
	s.takes(3, terms, map[string]string{"0": "0", "5": "0.01"})
}

func discountPart(s *scene) {
	terms := tenOff()
	terms.Kind, terms.Amount, terms.Minimum, terms.Percent = coupon.PercentOff, dec("0"), dec("0"), dec("15")
	s.takes(1, terms, map[string]string{"0": "0", "0.01": "0", "0.06": "0", "0.07": "0.01", "9.99": "1.49", "100": "15", "33.33": "4.99"})
	terms.Cap = dec("20")
	s.takes(2, terms, map[string]string{"133.33": "19.99", "133.34": "20", "99999999.99": "20"})
	terms.Percent, terms.Cap = dec("100"), dec("0")
	s.takes(3, terms, map[string]string{"0": "0", "0.01": "0.01", "77.77": "77.77"})
	terms.Percent = dec("0.01")
	s.takes(4, terms, map[string]string{"99.99": "0", "100": "0.01", "12345.67": "1.23"})
	terms.Percent, terms.Minimum = dec("12.34"), dec("10")
	s.takes(5, terms, map[string]string{"10": "1.23", "99.99": "12.33"})
}

func discountGift(s *scene) {
	terms := tenOff()
	terms.Kind, terms.Amount = coupon.Gift, dec("0")
	s.takes(1, terms, map[string]string{"50": "0", "500": "0"})
	s.No(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)))
	s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec("49.99"))), coupon.ErrBelowMinimum)
}

func discountPlaces(s *scene) {
	terms := tenOff()
	terms.Places, terms.Kind, terms.Amount, terms.Minimum, terms.Percent = 0, coupon.PercentOff, dec("0"), dec("100"), dec("15")
	s.takes(1, terms, map[string]string{"100": "15", "105": "15", "106": "15", "107": "16"})
	terms.Places, terms.Minimum = 3, dec("0.001")
	s.takes(2, terms, map[string]string{"0.001": "0", "0.007": "0.001", "1.234": "0.185"})
	terms.Places, terms.Minimum = 8, dec("0")
	s.takes(3, terms, map[string]string{"0.00000007": "0.00000001", "1": "0.15"})
	s.No(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)))
	for _, total := range []string{"100.5", "-1", "9223372036854775808"} { // the yen has no such amount
		s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", dec(total))), coupon.ErrInvalid)
		s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", dec(total))), coupon.ErrInvalid)
	}
	s.used("c", "A", coupon.Unused)
}

func discountHuge(s *scene) {
	const most = "92233720368547758.07"
	terms := tenOff()
	s.takes(1, terms, map[string]string{most: "10"})
	terms.Amount = dec(most)
	s.takes(2, terms, map[string]string{most: most, "50": "50"})
	terms.Kind, terms.Amount, terms.Percent = coupon.PercentOff, dec("0"), dec("99.99")
	s.takes(3, terms, map[string]string{most: "92224496996510903.29"})
	terms.Percent = dec("100")
	s.takes(4, terms, map[string]string{most: most})
	s.No(suite.Err(s.shop.For("5").Claim(s.Context(), "c", 1)))
	for _, total := range []decimal.Decimal{dec("92233720368547758.08"), decimal.New(1, 1<<30), decimal.New(1, -1<<30)} {
		s.unchanged("c", func() {
			s.Is(suite.Err(s.shop.Reserve(s.Context(), "c", "A", total)), coupon.ErrInvalid)
			s.Is(suite.Err(s.shop.Redeem(s.Context(), "c", "A", total)), coupon.ErrInvalid)
			s.Is(suite.Err(s.shop.Return(s.Context(), "c", "A", total)), coupon.ErrInvalid)
		})
	}
}
