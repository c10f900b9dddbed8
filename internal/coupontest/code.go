package coupontest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func codeCases() []testCase {
	return []testCase{
		{Name: "ClaimsAreAsManyAsCodes", Run: asManyAsCodes},
		{Name: "OnlyWhatIsPaidTakesACode", Run: onlyPaidTakesCode},
		{Name: "CodesHaveOneCanonicalForm", Run: oneCanonical},
		{Name: "ImportAgainAddsNothing", Run: importAgain},
		{Name: "ImportReportsCollisions", Run: collisions},
		{Name: "ImportReportsWhatIsNoCode", Run: invalidCodes},
		{Name: "ByCodeTellsApart", Run: byCode},
		{Name: "ImportOfManyCodes", Run: importMany},
		{Name: "ImportNeedsAPool", Run: importNeedsPool},
		{Name: "ImportAtOnceAddsEachOnce", Run: importAtOnce},
		{Name: "GenerateFillsUpThePool", Run: generateFills},
		{Name: "GenerateObeysItsStyle", Run: generateStyle},
		{Name: "GenerateAtOnceMakesNoneTooMany", Run: generateAtOnce},
	}
}

func asManyAsCodes(s *scene) {
	s.pool("C1", "C2", "C3")
	suite.Same(s, "codes", s.campaign(1).Codes, 3)
	for i, want := range []string{"C1", "C2", "C3"} {
		c := s.claim(want, fmt.Sprint(i+1))
		suite.Same(s, "code", c.Code, want)
		suite.Same(s, "position", c.Position, int64(i+1))
		suite.Same(s, "coupon", c, s.coupon(want))
	}
	s.Is(suite.Err(s.shop.For("9").Claim(s.Context(), "more", 1)), coupon.ErrSoldOut)
	s.counts(stock.Quantities{Total: 3, Sold: 3})
	s.load(1, "C4")
	suite.Same(s, "code", s.claim("more", "9").Code, "C4")
	suite.Same(s, "claimed again", s.claim("C1", "1").Code, "C1")
	suite.Same(s, "codes", s.campaign(1).Codes, 4)
}

// onlyPaidTakesCode locks coupons that are never paid: no code is lost by it.
func onlyPaidTakesCode(s *scene) {
	s.pool("C1", "C2", "C3")
	for _, id := range []string{"dead", "cancelled", "paid"} {
		c := s.lock(id, "5")
		suite.Same(s, "code", c.Code, "")
		suite.Same(s, "position", c.Position, 0)
	}
	_, err := s.shop.For("5").Lock(s.Context(), "more", 1) // for each of them there is one
	s.Is(err, coupon.ErrSoldOut)
	s.cancel("cancelled")
	suite.Same(s, "code", s.pay("paid").Code, "C1")
	suite.Same(s, "paid again", s.pay("paid").Code, "C1")
	s.Advance(hold)
	suite.Same(s, "code", s.claim("claimed", "5").Code, "C2")
	suite.Same(s, "code", suite.Must(s.with(coupon.Options{LatePay: stock.Reacquire}).Pay(s.Context(), "dead")).Code, "C3")
	s.counts(stock.Quantities{Total: 3, Sold: 3})
}

// writings are ways to write one code.
func writings() []string {
	return []string{"abc", "ABC", " abc ", "\tAbC\n", "\u3000abc\u00a0", "aBc\r\n"}
}

func oneCanonical(s *scene) {
	s.define(1, 0, coupon.Rules{}, pooled(tenOff()))
	got := suite.Must(s.shop.Import(s.Context(), 1, slices.Values(writings())))
	suite.Same(s, "imported", got, coupon.ImportResult{Added: 1, Known: int64(len(writings()) - 1)})
	s.counts(stock.Quantities{Total: 1, Left: 1})
	for _, code := range writings() {
		suite.Same(s, "imported again", suite.Must(s.shop.Import(s.Context(), 1, slices.Values([]string{code}))), coupon.ImportResult{Known: 1})
		_, err := s.shop.ByCode(s.Context(), code)
		s.Is(err, coupon.ErrNotFound) // nobody has it yet
	}
	want := s.claim("c", "5")
	suite.Same(s, "code", want.Code, "ABC")
	for _, code := range writings() {
		suite.Same(s, "coupon by code", suite.Must(s.shop.ByCode(s.Context(), code)), want)
	}
	s.load(1, "é", "e", "e\u0301", "AB", "ABCD", "A-BC") // which are others
	for _, code := range []string{"É", "E"} {
		s.Is(suite.Err(s.shop.ByCode(s.Context(), code)), coupon.ErrNotFound)
	}
	suite.Same(s, "code", s.claim("d", "5").Code, "É")
	suite.Same(s, "code", s.claim("e", "5").Code, "E")
	suite.Same(s, "coupon", suite.Must(s.shop.ByCode(s.Context(), "É")).ID, "d")
	suite.Same(s, "coupon", suite.Must(s.shop.ByCode(s.Context(), "e")).ID, "e")
}

func importAgain(s *scene) {
	s.pool("A", "B", "C")
	s.claim("c", "5")
	for range 2 {
		got := suite.Must(s.shop.Import(s.Context(), 1, slices.Values([]string{"C", "A", "B"})))
		suite.Same(s, "imported", got, coupon.ImportResult{Known: 3})
	}
	got := suite.Must(s.shop.Import(s.Context(), 1, slices.Values([]string{"D", "A", "E", "D"})))
	suite.Same(s, "imported", got, coupon.ImportResult{Added: 2, Known: 2})
	s.counts(stock.Quantities{Total: 5, Sold: 1, Left: 4})
	var codes []string
	for i := range 4 {
		codes = append(codes, s.claim(fmt.Sprint("d", i), "5").Code)
	}
	suite.Same(s, "codes in their order", codes, []string{"B", "C", "D", "E"})
	suite.Same(s, "nothing imported", suite.Must(s.shop.Import(s.Context(), 1, slices.Values([]string(nil)))), coupon.ImportResult{})
}

func collisions(s *scene) {
	s.pool("A", "B")
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	got := suite.Must(s.shop.Import(s.Context(), 2, slices.Values([]string{"C", "b", "D", "A"})))
	suite.Same(s, "imported", got, coupon.ImportResult{
		Added: 2, Collisions: []coupon.Collision{{Code: "B", Campaign: 1}, {Code: "A", Campaign: 1}},
	})
	suite.Same(s, "the second campaign", s.campaign(2).Quantities, stock.Quantities{Total: 2, Left: 2})
	s.counts(stock.Quantities{Total: 2, Left: 2})
	suite.Same(s, "code", suite.Must(s.shop.For("5").Claim(s.Context(), "c", 2)).Code, "C")
	suite.Same(s, "code", s.claim("d", "5").Code, "A")
}

func invalidCodes(s *scene) {
	bad := []string{
		"", " ", "\u3000", strings.Repeat("x", 65), "a b", "a\tb", "a\x00", "\xff", "a\u200bb", "a\u00a0b", strings.Repeat("é", 33),
	}
	s.define(1, 0, coupon.Rules{}, pooled(tenOff()))
	got, err := s.shop.Import(s.Context(), 1,
		slices.Values(append(append([]string{"good"}, bad...), " better ", strings.Repeat("é", 32), " "+strings.Repeat("x", 64))))
	s.No(err)
	suite.Same(s, "imported", got, coupon.ImportResult{Added: 4, Invalid: bad})
	s.counts(stock.Quantities{Total: 4, Left: 4})
	for _, code := range bad {
		s.Is(suite.Err(s.shop.ByCode(s.Context(), code)), coupon.ErrInvalid)
	}
}

func byCode(s *scene) {
	s.define(1, 0, coupon.Rules{}, pooled(until(tenOff(), s.now().Add(day))))
	s.load(1, "FREE", "REVOKED", "REFUNDED", "USED", "NOBODYS")
	for _, id := range []string{"free", "revoked", "refunded", "used"} {
		s.claim(id, "5")
	}
	s.No(suite.Err(s.shop.Revoke(s.Context(), coupon.Revocation{ID: "r1", Coupon: "revoked"})))
	s.No(suite.Err(s.shop.Refund(s.Context(), coupon.Refund{ID: "r2", Coupon: "refunded"})))
	s.redeem("used", "A")
	use := func(shop *coupon.Coupons, code string) error {
		c, err := shop.ByCode(s.Context(), code)
		if err != nil {
			return err
		}
		return suite.Err(shop.Reserve(s.Context(), c.ID, "B", dec("100")))
	}
	buyer, another := s.shop.For("5"), s.shop.For("6")
	s.Is(use(buyer, "revoked"), coupon.ErrRevoked)
	s.Is(use(buyer, "refunded"), coupon.ErrRefunded)
	s.Is(use(buyer, "used"), coupon.ErrRedeemed)
	unknown, foreign, unclaimed := use(another, "unknown"), use(another, "free"), use(another, "nobodys")
	for code, err := range map[string]error{"UNKNOWN": unknown, "FREE": foreign, "NOBODYS": unclaimed} {
		s.Is(err, coupon.ErrNotFound)
		if a, b := strings.ReplaceAll(err.Error(), code, "…"), strings.ReplaceAll(unknown.Error(), "UNKNOWN", "…"); a != b {
			s.Fatalf("a buyer can tell %q from %q", a, b)
		}
	}
	s.Is(foreign, coupon.ErrAnotherBuyer)
	s.IsNot(unclaimed, coupon.ErrAnotherBuyer)
	s.Advance(day)
	s.Is(use(buyer, "free"), coupon.ErrExpired)
	suite.Same(s, "coupon", suite.Must(buyer.ByCode(s.Context(), " free")), s.coupon("free"))
}

func importMany(s *scene) {
	const many = 2500
	s.define(1, 0, coupon.Rules{}, pooled(tenOff()))
	codes := make([]string, many)
	for i := range codes {
		codes[i] = fmt.Sprintf("CODE-%05d", many-i)
	}
	s.load(1, codes...)
	suite.Same(s, "campaign", s.campaign(1).Quantities, stock.Quantities{Total: many, Left: many})
	suite.Same(s, "codes", s.campaign(1).Codes, many)
	got := suite.Must(s.shop.Import(s.Context(), 1, slices.Values(append(slices.Clone(codes), "ONE-MORE"))))
	suite.Same(s, "imported", got, coupon.ImportResult{Added: 1, Known: many})
	suite.Same(s, "the first", s.claim("c", "5").Code, "CODE-02500")
	suite.Same(s, "the second", s.claim("d", "5").Code, "CODE-02499")
}

func importNeedsPool(s *scene) {
	s.open(10)
	codes := slices.Values([]string{"A"})
	s.Is(suite.Err(s.shop.Import(s.Context(), 1, codes)), coupon.ErrNoPool)
	s.Is(suite.Err(s.shop.Generate(s.Context(), 1, 10, nil)), coupon.ErrNoPool)
	s.Is(suite.Err(s.shop.Import(s.Context(), 2, codes)), coupon.ErrUnknownCampaign)
	s.Is(suite.Err(s.shop.Generate(s.Context(), 2, 10, nil)), coupon.ErrUnknownCampaign)
	s.counts(stock.Quantities{Total: 10, Left: 10})
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	s.load(2, "A")
}

// importAtOnce has two campaigns import the same codes, each from several places.
func importAtOnce(s *scene) {
	s.pool()
	s.define(2, 0, coupon.Rules{}, pooled(tenOff()))
	codes := numbered("CODE", 300)
	imported := make([]coupon.ImportResult, 8)
	s.Each(suite.Together(len(imported), func(i int) (err error) {
		turned := slices.Clone(codes)
		if i%4 > 1 {
			slices.Reverse(turned)
		}
		imported[i], err = s.shop.Import(s.Context(), int64(i%2+1), slices.Values(turned))
		return err
	}))
	added := [2]int64{}
	for i, got := range imported {
		added[i%2] += got.Added
		if sum := got.Added + got.Known + int64(len(got.Collisions)); sum != 300 {
			s.Fatalf("%d codes of 300 are accounted for", sum)
		}
	}
	for i, n := range added {
		suite.Same(s, "units", s.campaign(int64(i+1)).Quantities, stock.Quantities{Total: n, Left: n})
		suite.Same(s, "codes", s.campaign(int64(i+1)).Codes, n)
	}
	suite.Same(s, "added by all", added[0]+added[1], 300)
}

func generateFills(s *scene) {
	s.pool("MINE")
	s.claim("first", "5")
	for _, c := range []struct{ upTo, added int64 }{{20, 19}, {20, 0}, {5, 0}, {1500, 1480}, {1501, 1}} {
		suite.Same(s, "generated", suite.Must(s.shop.Generate(s.Context(), 1, c.upTo, nil)), coupon.ImportResult{Added: c.added})
	}
	s.counts(stock.Quantities{Total: 1501, Sold: 1, Left: 1500})
	seen := map[string]bool{}
	for i := range 40 {
		code := s.claim(fmt.Sprint("c", i), "5").Code
		s.looks(code, coupon.DefaultCodeLength, coupon.DefaultAlphabet)
		if seen[code] {
			s.Fatalf("%q comes twice", code)
		}
		seen[code] = true
	}
}

// looks ends the test unless a code has this length and these letters, and is as it is kept.
func (s *scene) looks(code string, length int, alphabet string) {
	s.Helper()
	canonical, err := coupon.Canonical(code)
	if err != nil || canonical != code || len(code) != length || strings.Trim(code, alphabet) != "" {
		s.Fatalf("%q is no code of %d letters out of %s: %v", code, length, alphabet, err)
	}
}

func generateStyle(s *scene) {
	s.pool()
	letters := map[rune]bool{}
	for i, style := range []coupon.CodeStyle{{Length: 9}, {Length: 8, Alphabet: "ABCDEFGHJKMNPQRSTUVWXYZ0123456789"}, {Length: 40},
		{Alphabet: "AB", Length: 40}, {Alphabet: "2345679", Length: 15}, {Alphabet: "0123456789", Length: 13}} {
		suite.Same(s, "generated", suite.Must(s.shop.Generate(s.Context(), 1, int64(i+1)*10, &style)), coupon.ImportResult{Added: 10})
		length, alphabet := style.Length, style.Alphabet
		if alphabet == "" {
			alphabet = coupon.DefaultAlphabet
		}
		for n := range 10 {
			code := s.claim(fmt.Sprint(i, "/", n), "5").Code
			s.looks(code, length, alphabet)
			for _, r := range code {
				letters[r] = true
			}
		}
	}
	if len(letters) < 20 {
		s.Fatalf("only the letters %v come", letters)
	}
}

func generateAtOnce(s *scene) {
	s.pool()
	generated := make([]coupon.ImportResult, 8)
	s.Each(suite.Together(len(generated), func(i int) (err error) {
		generated[i], err = s.shop.Generate(s.Context(), 1, int64(60+5*(i%2)), nil)
		return err
	}))
	sum := int64(0)
	for _, got := range generated {
		sum += got.Added
	}
	suite.Same(s, "added by all", sum, 65)
	s.counts(stock.Quantities{Total: 65, Left: 65})
}
