package coupontest

import (
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
)

func validityCases() []testCase {
	return []testCase{
		{Name: "FixedValidityIsFromItsStartToItsEnd", Run: fixedValidity},
		{Name: "FixedValidityIsKeptToTheMicrosecond", Run: fixedPrecision},
		{Name: "ValidityBeginsTheNextDay", Run: fromTheNextDay},
		{Name: "ValidityIsThatOfEachMoment", Run: validityOfEachMoment},
		{Name: "ValidityEveryWayToClaimGivesTheSame", Run: everyWaySame},
	}
}

// refusedAt ends the test unless a coupon of buyer 5 is refused now for its validity.
func (s *scene) refusedAt(id string, want error) {
	s.Helper()
	c := s.coupon(id)
	for _, call := range []func() error{
		func() error { return suite.Err(s.shop.Reserve(s.Context(), id, "refused", dec("100"))) },
		func() error { return suite.Err(s.shop.For("5").Redeem(s.Context(), id, "refused", dec("100"))) },
	} {
		err := call()
		s.Is(err, want)
		suite.Same(s, "validity", *suite.As[*coupon.ValidityError](s, err), coupon.ValidityError{
			Coupon: id, Err: want, From: c.From, Until: c.Until, Now: s.now(),
		})
	}
	s.used(id, "refused", coupon.Unused)
}

func fixedValidity(s *scene) {
	from := s.now().Add(time.Hour)
	end := from.Add(time.Hour)
	s.define(1, 10, coupon.Rules{}, between(tenOff(), from, end))
	for _, id := range []string{"first", "last", "late"} {
		c := s.claim(id, "5")
		suite.Same(s, "from", c.From, from)
		suite.Same(s, "until", c.Until, end)
	}
	s.refusedAt("first", coupon.ErrNotYetValid)
	s.status("first", coupon.StatusWaiting)
	s.progress(coupon.Count{Usable: 3})
	s.Advance(time.Hour - time.Microsecond)
	s.refusedAt("first", coupon.ErrNotYetValid)
	s.Advance(time.Microsecond)
	s.status("first", coupon.StatusUsable)
	s.redeem("first", "A")
	s.Advance(time.Hour - time.Microsecond)
	s.reserve("last", "A")
	s.redeem("last", "A")
	s.Advance(time.Microsecond)
	s.refusedAt("late", coupon.ErrExpired)
	s.status("late", coupon.StatusExpired)
	s.progress(coupon.Count{Redeemed: 2, Expired: 1})
}

func fixedPrecision(s *scene) {
	zone := time.FixedZone("elsewhere", -5*3600)
	from := s.now().Add(3 * time.Microsecond)
	end := from.Add(2 * time.Microsecond)
	s.define(1, 10, coupon.Rules{}, between(tenOff(), from.Add(999).In(zone), end.Add(1).In(zone)))
	c := s.claim("c", "5")
	suite.Same(s, "terms", c.Terms, between(tenOff(), from, end))
	suite.Same(s, "terms of the campaign", s.campaign(1).Terms, between(tenOff(), from, end))
	suite.Same(s, "from", c.From, from)
	suite.Same(s, "until", c.Until, end)
	s.define(1, 10, coupon.Rules{}, between(tenOff(), from, end)) // which are no other terms
	suite.Same(s, "number of the terms", s.campaign(1).TermsNo, 1)
	s.Advance(2 * time.Microsecond)
	s.refusedAt("c", coupon.ErrNotYetValid)
	s.Advance(2 * time.Microsecond)
	s.reserve("c", "A")
	s.release("c", "A")
	s.Advance(time.Microsecond)
	s.refusedAt("c", coupon.ErrExpired)
}

// relative returns the terms with a validity that is counted from the claim.
func relative(after, days int, zone string) coupon.Terms {
	t := tenOff()
	t.AfterDays, t.ForDays, t.Zone = after, days, zone
	return t
}

// turn moves the clock to a time of day in a zone, of the next day that has that time to come.
func (s *scene) turn(zone string, hour, minute int) {
	s.Helper()
	loc := suite.Must(time.LoadLocation(zone))
	now := s.now().In(loc)
	next := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, loc)
	if !next.After(now) {
		next = time.Date(now.Year(), now.Month(), now.Day()+1, hour, minute, 0, 0, loc)
	}
	s.Advance(next.Sub(now))
}

// fromTheNextDay claims at ten in the evening in Shanghai what is good for two days from tomorrow.
func fromTheNextDay(s *scene) {
	s.define(1, 10, coupon.Rules{}, relative(1, 2, "Asia/Shanghai"))
	s.turn("Asia/Shanghai", 22, 0)
	c := s.claim("c", "5")
	s.SameTime("from", c.From, s.now().Add(2*time.Hour))
	s.SameTime("until", c.Until, s.now().Add(2*time.Hour+2*day))
	s.refusedAt("c", coupon.ErrNotYetValid)
	s.Advance(2*time.Hour - time.Microsecond)
	s.refusedAt("c", coupon.ErrNotYetValid)
	s.Advance(time.Microsecond)
	s.reserve("c", "A")
	s.release("c", "A")
	s.Advance(2*day - time.Microsecond)
	s.reserve("c", "B")
	s.release("c", "B")
	s.Advance(time.Microsecond)
	s.refusedAt("c", coupon.ErrExpired)
}

// validityOfEachMoment lives through a year by steps of some days: the store counts the days as
// Terms.Validity does, through summer times, leap days and the days that some zones have skipped.
func validityOfEachMoment(s *scene) {
	zones := []string{
		"America/New_York", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Shanghai",
	}
	for i, zone := range zones {
		s.define(int64(i+1), 100, coupon.Rules{}, relative(i%3, i+1, zone))
	}
	for n := range 24 {
		for i, zone := range zones {
			terms := relative(i%3, i+1, zone)
			id := numbered(zone, n+1)[n]
			c := suite.Must(s.shop.For("5").Claim(s.Context(), id, int64(i+1)))
			from, end := terms.Validity(s.now())
			suite.Same(s, "from in "+zone, c.From, from)
			suite.Same(s, "until in "+zone, c.Until, end)
			suite.Same(s, "coupon read again", s.coupon(id), c)
		}
		s.Advance(15*day + 7*time.Hour + 13*time.Minute)
	}
}

// everyWaySame gets a coupon by each of the ways that there are, at one moment.
func everyWaySame(s *scene) {
	terms := relative(1, 7, "America/New_York")
	s.define(1, 10, coupon.Rules{}, terms)
	s.lock("late", "5")
	s.Advance(hold)
	s.lock("paid", "5")
	s.lock("claimed after a lock", "5")
	s.Advance(time.Minute)
	s.claim("claimed", "5")
	s.claim("claimed after a lock", "5")
	s.pay("paid")
	s.No(suite.Err(s.with(coupon.Options{LatePay: 1}).Pay(s.Context(), "late")))
	issued := suite.Must(s.shop.Issue(s.Context(), coupon.Batch{ID: "batch", Campaign: 1, Buyers: []string{"5"}}))
	want := s.coupon("claimed")
	from, end := terms.Validity(s.now())
	suite.Same(s, "from", want.From, from)
	suite.Same(s, "until", want.Until, end)
	for _, id := range []string{"paid", "claimed after a lock", "late", issued.Given[0].Coupon} {
		want.ID = id
		suite.Same(s, id, s.coupon(id), want)
	}
}
