package groupbuytest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func volumeCases() []testCase {
	return []testCase{
		{Name: "OvershootFormsTheTeam", Run: overshoot},
		{Name: "OneBuyerAloneFormsATeamByVolume", Run: aloneByVolume},
		{Name: "TenTenthsAreOne", Run: tenths},
		{Name: "VolumeHeldSeatsDoNotCount", Run: heldVolume},
		{Name: "VolumeWhoHeldASeatMayPayWhenTheTeamIsFormed", Run: addedMembers},
		{Name: "VolumeWhoHeldASeatAndDidNotPayIsReleased", Run: notAdded},
		{Name: "VolumeWhoLeavesTakesItAlong", Run: volumeLeaves},
		{Name: "VolumeIsUnitsOfStock", Run: volumeUnits},
	}
}

func overshoot(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "4")).Team
	s.pay("1")
	s.joinAs(code, buyVolume("2", ben, "4"))
	s.pay("2")
	s.counts(code, 0, 2, "8")
	s.is(code, groupbuy.Forming)
	s.joinAs(code, buyVolume("3", carol, "5"))
	suite.Same(s, "formed", s.pay("3").Formed, true)
	s.counts(code, 0, 3, "13")
	s.stands(groupbuy.Formed, "1", "2", "3")
	s.pool(stock.Quantities{Total: 10_000, Sold: 1300})
	s.unjoined(code, buyVolume("4", dan, "1"), groupbuy.ErrTeamFormed)
}

func aloneByVolume(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "10")).Team
	p := s.pay("1")
	suite.Same(s, "payment", []any{p.Formed, orders(p.Members)}, []any{true, []string{"1"}})
	s.tells(code, hasFormed())
	s.openAs(buyVolume("2", anna, "9.99"))
	suite.Same(s, "formed", s.pay("2").Formed, false)
}

func tenths(s *scene) {
	s.opened(volume("1.0"), 1000)
	code := ""
	for i := range 10 {
		p := buyVolume(strconv.Itoa(i), fmt.Sprint(100+i), "0.1")
		if i == 0 {
			code = s.openAs(p).Team
		} else {
			s.joinAs(code, p)
		}
		suite.Same(s, fmt.Sprint("formed at ", i), s.pay(p.Order).Formed, i == 9)
	}
	team := s.is(code, groupbuy.Formed)
	s.sameAmount("volume", team.PaidVolume, "1")
	if team.PaidVolume.Exponent() != -groupbuy.VolumePlaces {
		s.Fatalf("a volume of %v has the exponent %d", team.PaidVolume, team.PaidVolume.Exponent())
	}
}

func heldVolume(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "9")).Team
	for i := range 5 { // by volume, nothing but the pool bounds how many may try
		s.joinAs(code, buyVolume(fmt.Sprint("h", i), fmt.Sprint(100+i), "9"))
	}
	s.counts(code, 6, 0, "0")
	s.pay("1")
	s.is(code, groupbuy.Forming)
	s.counts(code, 5, 1, "9")
	s.unjoined(code, buyVolume("x", dan, "100"), stock.ErrInsufficient)
	s.pool(stock.Quantities{Total: 10_000, Locked: 4500, Sold: 900})
	s.Advance(hold)
	s.sweep()
	s.counts(code, 0, 1, "9")
}

func addedMembers(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "6")).Team
	s.joinAs(code, buyVolume("2", ben, "6"))
	s.joinAs(code, buyVolume("3", carol, "7"))
	s.pay("1")
	suite.Same(s, "formed", s.pay("2").Formed, true)
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 2)
	s.stands(groupbuy.Forming, "3")
	s.Advance(time.Minute)
	p := s.pay("3")
	suite.Same(s, "payment", []any{p.Formed, len(p.Members), p.Seat.Added, p.Seat.Status}, []any{false, 0, true, groupbuy.Formed})
	suite.Replays(s, "payment", suite.Must(s.groups.Pay(s.Context(), "3")), p)
	s.counts(code, 0, 3, "19")
	suite.Same(s, "formed by", p.Team.FormedBy, "2")
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 3)
	s.tells(code, hasFormed(), added("3"))
	events := s.deliver()
	suite.Same(s, "members", orders(events[0].Members), []string{"1", "2"})
	suite.Same(s, "member that was added", events[1].Seat, s.seat("3", groupbuy.Paid))
	s.refund("3")
	s.tells(code, hasFormed(), added("3"), owes("3"))
}

func notAdded(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "10")).Team
	s.joinAs(code, buyVolume("2", ben, "1"))
	s.joinAs(code, buyVolume("3", carol, "1"))
	s.joinAs(code, buyVolume("4", dan, "1"))
	s.pay("1")
	s.cancel("2")
	s.Advance(hold)
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.late(s.reacquires(), "4", groupbuy.ErrTeamFormed) // it would be a new one
	s.stands(groupbuy.Failed, "2", "3", "4")
	s.counts(code, 0, 1, "10")
	s.tells(code, hasFormed(), released("3"), owes("3"), released("4"), owes("4"))
	s.pool(stock.Quantities{Total: 10_000, Sold: 1000})
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 1)
}

func volumeLeaves(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "5.5")).Team
	s.joinAs(code, buyVolume("2", ben, "4.25"))
	s.pay("1")
	s.pay("2")
	s.counts(code, 0, 2, "9.75")
	s.refund("2")
	s.counts(code, 0, 1, "5.5")
	s.joinAs(code, buyVolume("3", carol, "4.49"))
	s.pay("3")
	s.counts(code, 0, 2, "9.99")
	s.is(code, groupbuy.Forming)
	s.joinAs(code, buyVolume("4", dan, "0.01"))
	suite.Same(s, "formed", s.pay("4").Formed, true)
	s.counts(code, 0, 3, "10")
	s.refund("1")
	s.counts(code, 0, 2, "4.5")
	s.is(code, groupbuy.Formed)
	s.stands(groupbuy.Formed, "1", "3", "4")
	s.stands(groupbuy.Failed, "2")
}

// volumeUnits sells what comes by the hundredth, and by the dozen.
func volumeUnits(s *scene) {
	for sku, c := range map[int64]struct {
		per, units int64
		v          string
		fits       bool
	}{
		101: {0, 3, "3", true}, 102: {0, 0, "2.5", false}, 103: {1, 3, "3.00", true}, 104: {100, 1, "0.01", true},
		105: {12, 18, "1.5", true}, 106: {10, 0, "0.05", false}, 107: {4, 1, "0.25", true}, 108: {1000, 10, "0.01", true},
	} {
		if _, err := s.groups.Activity(s.Context(), fair); err != nil {
			s.define(s.activity())
		}
		s.stocked(sku, 100)
		p := product(people(2))
		p.SKU, p.UnitsPerVolume = sku, c.per
		s.offer(p, 100)
		_, err := buyVolume(strconv.FormatInt(sku, 10), anna, c.v).of(p.Key).Open(s.Context(), s.groups)
		if !c.fits {
			s.Invalid("Open of "+c.v, err)
			continue
		}
		s.No(err)
		suite.Same(s, "units", s.item(p.Key).Locked, c.units)
	}
}
