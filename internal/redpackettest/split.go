package redpackettest

import (
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func splitCases() []testCase {
	return []testCase{
		{Name: "SameSeedGivesTheSameShares", Run: sameSeed},
		{Name: "OtherSeedsGiveOtherShares", Run: otherSeeds},
		{Name: "SeedThatIsNotGivenIsUnknown", Run: secretSeed},
		{Name: "SeedIsThatOfTheFirstSend", Run: firstSeed},
		{Name: "EveryShareFollowsFromTheSeedAlone", Run: followsSplit},
	}
}

// seeded returns packets whose seeds are all this one.
func (s *scene) seeded(seed byte) *redpacket.Packets {
	return s.with(redpacket.Options{Seed: func() [32]byte { return [32]byte{seed} }})
}

// shares20 grabs all of the twenty shares of a packet and returns them.
func (s *scene) shares20(id int64) []int64 {
	s.Helper()
	s.open(random(id, 100_000, 20))
	people := make([]string, 20)
	for i := range people {
		people[i] = fmt.Sprint(id, "-", i) // the shares do not depend on who grabs
	}
	return s.grabs(id, people...)
}

func sameSeed(s *scene) {
	s.packets = s.seeded(7)
	suite.Same(s, "shares of another packet with the seed", s.shares20(2), s.shares20(1))
}

func otherSeeds(s *scene) {
	var all [][]int64
	for id := range int64(4) {
		s.packets = s.seeded(byte(id))
		shares := s.shares20(id + 1)
		if slices.ContainsFunc(all, func(other []int64) bool { return slices.Equal(other, shares) }) {
			s.Fatalf("two seeds give the shares %v", shares)
		}
		all = append(all, shares)
	}
}

// secretSeed has two packets that are alike in all that is public, the time among them: nothing of
// it says what their shares are.
func secretSeed(s *scene) {
	for id := range int64(4) {
		s.open(random(id+1, 100_000, 20))
	}
	seen := map[[32]byte]bool{}
	for id := range int64(4) {
		seen[s.everything(id+1).Record.Split.Seed] = true
	}
	s.Count("different seeds", len(seen), 4)
	suite.Same(s, "a seed is zero", seen[[32]byte{}], false)
}

// firstSeed sends a packet again, which draws a new seed: it is not the packet's.
func firstSeed(s *scene) {
	s.packets = s.seeded(1)
	want := s.shares20(1)
	s.send(random(2, 100_000, 20))
	s.packets = s.seeded(2)
	s.send(random(2, 100_000, 20))
	s.confirm(2, redpacket.Open)
	for i, amount := range want[:6] {
		suite.Same(s, "share", s.grabs(2, fmt.Sprint(100+i)), []int64{amount})
		s.packets = s.seeded(byte(i))
	}
}

// followsSplit works out every share from the record alone: of packets that leave much to chance, little or nothing. What the
// shares of a split are, the tests of package redpacket have.
func followsSplit(s *scene) {
	for i, p := range []redpacket.Packet{
		random(1, 100_000, 12), equal(2, 100_000, 12), bounded(3, 100_000, 12, 8_000, 9_000), bounded(4, 12, 12, 1, 0),
		random(5, 5, 5), bounded(6, 60, 3, 20, 0), equal(7, 3, 3), random(8, 12345, 1), equal(9, 1, 1),
		equal(10, 10, 3), equal(11, 9, 3), equal(12, 11, 3), equal(13, 7, 5),
		bounded(14, 90, 3, 0, 30), bounded(15, 1000, 10, 60, 400), bounded(16, 1600, 10, 60, 400), bounded(17, 2200, 10, 60, 400),
	} {
		s.open(p)
		split := s.everything(p.ID).Record.Split
		left := split.Total
		for taken := range p.Count {
			want := split.Next(left, taken)
			suite.Same(s, "share", s.grabs(p.ID, fmt.Sprint(100+taken)), []int64{want})
			left -= want
			s.holds(p.ID, taken+1, split.Total-left, left)
		}
		suite.Same(s, "left in the end", left, 0)
		s.packet(int64(i+1), redpacket.Finished)
	}
}
