package redpackettest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func luckCases() []testCase {
	return []testCase{
		{Name: "BestLuckIsKnownWhenTheLastShareIsGone", Run: bestLuck},
		{Name: "BestLuckOfEqualSharesIsTheEarliest", Run: bestOfEqual},
		{Name: "BestLuckNeedsTheLastShare", Run: noBest},
	}
}

// bestLuck looks for the largest share of many packets, which is the first of some and not of others.
func bestLuck(s *scene) {
	positions := map[int64]bool{}
	for id := range int64(8) {
		s.packets = s.seeded(byte(id))
		s.open(random(id+1, 10_000, 5))
		var best redpacket.Share
		for person := range int64(5) {
			suite.Same(s, "best luck", s.packet(id+1, redpacket.Open).Best, nil)
			share := s.grab(id+1, fmt.Sprint(100+person))
			if share.Amount.GreaterThan(best.Amount) {
				best = share
			}
			s.Advance(time.Second)
		}
		got := s.packet(id+1, redpacket.Finished).Best
		suite.Same(s, "best luck", got, &best)
		positions[got.No] = true
	}
	if len(positions) < 2 {
		s.Fatalf("the best share of eight packets is always the same: %v", positions)
	}
}

func bestOfEqual(s *scene) {
	s.open(equal(1, 12, 4))
	s.grabs(1, dan, carol, ben, anna)
	suite.Same(s, "person", s.packet(1, redpacket.Finished).Best.Person, dan)
	s.open(equal(2, 14, 4)) // 4+4+3+3
	s.grabs(2, carol, dan, ben, anna)
	best := s.packet(2, redpacket.Finished).Best
	suite.Same(s, "number", best.No, 1)
	suite.Same(s, "person", best.Person, carol)
	suite.Same(s, "amount", best.Amount, fen(4))

	for id := int64(3); id < 11; id++ { // 1+1+2+2 or the like: the best one is the first of the two, wherever it is
		s.packets = s.seeded(byte(id))
		s.open(bounded(id, 6, 4, 1, 2))
		want := int64(0)
		for i, amount := range s.grabs(id, anna, ben, carol, dan) {
			if amount == 2 && want == 0 {
				want = int64(i + 1)
			}
		}
		suite.Same(s, "number", s.packet(id, redpacket.Finished).Best.No, want)
	}
}

func noBest(s *scene) {
	s.open(random(1, 100, 3))
	s.open(random(2, 100, 3))
	for id := int64(1); id <= 2; id++ {
		s.grabs(id, anna, ben)
	}
	suite.Same(s, "best luck of one that was closed", s.close(1, redpacket.Closed).Best, nil)
	s.Advance(24 * time.Hour)
	suite.Same(s, "best luck of one that is over", s.packet(2, redpacket.Open).Best, nil)
	s.expire(1)
	suite.Same(s, "best luck of one that expired", s.packet(2, redpacket.Expired).Best, nil)
	s.send(random(3, 100, 3))
	suite.Same(s, "best luck of one that was given up", s.close(3, redpacket.Closed).Best, nil)
	s.Advance(48 * time.Hour)
	suite.Same(s, "best luck of one that was paid too late", s.confirm(3, redpacket.Closed).Best, nil)
}
