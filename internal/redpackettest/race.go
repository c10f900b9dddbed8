package redpackettest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func raceCases() []testCase {
	return []testCase{
		{Name: "ThousandPeopleGrabHundredShares", Run: thousandPeople},
		{Name: "EveryoneGrabsThreeTimesAndNobodyTwice", Run: everyoneThreeTimes},
		{Name: "RaceGrabsOfManyPackets", Run: manyPackets},
		{Name: "RaceCloseAgainstGrabs", Run: closeAgainstGrabs},
		{Name: "RaceCloseAgainstTheLastShare", Run: closeAgainstLast},
		{Name: "RaceConfirmAgainstClose", Run: confirmAgainstClose},
		{Name: "RaceConfirmAgainstGrabs", Run: confirmAgainstGrabs},
		{Name: "RaceManySweepersAtOnce", Run: manySweepers},
		{Name: "RaceCloseAgainstExpiryAgainstGrabs", Run: closeAgainstExpiry},
		{Name: "RaceLateConfirmAgainstCloseAgainstExpiry", Run: lateConfirm},
	}
}

// rounds is how often a race is run, each time on a packet of its own.
const rounds = 8

// thousandPeople has a thousand people at once at each of three packets with a hundred shares.
func thousandPeople(s *scene) {
	const people, count, total = 1000, 100, 100_000
	for _, p := range []redpacket.Packet{random(1, total, count), equal(2, total, count), bounded(3, total, count, 900, 1200)} {
		s.open(p)
		shares := make([]redpacket.Share, people)
		errs := suite.Crowd(people, 128, func(i int) (err error) {
			shares[i], err = s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), p.ID)
			return err
		})
		s.Count("winners", s.Succeeded(errs, redpacket.ErrFinished), count)
		sum, numbers := int64(0), map[int64]bool{}
		for i, share := range shares {
			if errs[i] != nil {
				continue
			}
			amount := s.minor(share.Amount)
			sum += amount
			numbers[share.No] = true
			if amount < max(s.minor(p.Min), 1) || p.Max.IsPositive() && amount > s.minor(p.Max) {
				s.Fatalf("share %d is %d", share.No, amount)
			}
			suite.Same(s, "person", share.Person, fmt.Sprint(1000+i))
			suite.Replays(s, "share", s.grab(p.ID, share.Person), share)
		}
		suite.Same(s, "sum of the shares", sum, int64(total))
		s.Count("numbers of shares", len(numbers), count)
		s.packet(p.ID, redpacket.Finished)
		s.holds(p.ID, count, total, 0)
		s.keeps(p.ID)
	}
}

// everyoneThreeTimes delivers every grab three times.
func everyoneThreeTimes(s *scene) {
	const people, count = 60, 40
	s.open(random(1, 10_000, count))
	shares := make([]redpacket.Share, 3*people)
	errs := suite.Crowd(len(shares), 64, func(i int) (err error) {
		shares[i], err = s.packets.For(fmt.Sprint(1000+i%people)).Grab(s.Context(), 1)
		return err
	})
	s.Count("grabs that found a share", s.Succeeded(errs, redpacket.ErrFinished), 3*count)
	for i := range people {
		if got := []redpacket.Share{shares[i], shares[i+people], shares[i+2*people]}; got[0].No > 0 {
			suite.Once(s, "share", got)
		} else {
			suite.Same(s, "shares", got, make([]redpacket.Share, 3))
		}
	}
	s.holds(1, count, 10_000, 0)
}

// manyPackets has the same people at several packets at once, in different orders.
func manyPackets(s *scene) {
	const packets, people, count = 5, 20, 15
	for id := range int64(packets) {
		s.open(random(id+1, 1000, count))
	}
	errs := suite.Crowd(packets*people, 32, func(i int) error {
		return suite.Err(s.packets.For(fmt.Sprint(1000+i/packets)).Grab(s.Context(), int64(i*7%packets+1)))
	})
	s.Count("winners", s.Succeeded(errs, redpacket.ErrFinished), packets*count)
	for id := range int64(packets) {
		s.holds(id+1, count, 1000, 0)
	}
}

// closeAgainstGrabs ends packets while people grab: shares and remainder are the total.
func closeAgainstGrabs(s *scene) {
	for id := range int64(rounds) {
		s.open(random(id+1, 1000, 50))
		var grabbed atomic.Int64
		errs := suite.Together(24, func(i int) error {
			if i%8 == 3 {
				return suite.Err(s.packets.Close(s.Context(), id+1))
			}
			share, err := s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), id+1)
			grabbed.Add(share.Amount.Shift(2).IntPart())
			return err
		})
		won := s.Succeeded(errs, redpacket.ErrClosed) - 3
		s.packet(id+1, redpacket.Closed)
		s.holds(id+1, int64(won), grabbed.Load(), 1000-grabbed.Load())
		s.goesBack(id+1, 1000-grabbed.Load())
		s.refused(id+1, dan, redpacket.ErrClosed)
	}
}

// closeAgainstLast closes a packet while its last share is grabbed: it is finished and nothing goes
// back, or the share does.
func closeAgainstLast(s *scene) {
	for id := range int64(rounds) {
		s.open(equal(id+1, 10, 2))
		s.grab(id+1, anna)
		var after [4]redpacket.Packet
		errs := suite.Together(len(after), func(i int) (err error) {
			if i%2 == 0 {
				return suite.Err(s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), id+1))
			}
			after[i], err = s.packets.Close(s.Context(), id+1)
			return err
		})
		won := s.Succeeded(errs, redpacket.ErrClosed, redpacket.ErrFinished) - 2
		want := redpacket.Closed
		if won == 1 {
			want = redpacket.Finished
			s.keeps(id + 1)
		} else {
			s.Count("winners", won, 0)
			s.goesBack(id+1, 5)
		}
		s.packet(id+1, want)
		suite.Same(s, "state that Close returned", after[1].State, want)
		suite.Same(s, "state that Close returned", after[3].State, want)
	}
}

// confirmAgainstClose has the payment arrive while the sender gives up: all of it goes back, once.
func confirmAgainstClose(s *scene) {
	for id := range int64(rounds) {
		s.send(random(id+1, 100, 3))
		s.Each(suite.Meet(6,
			func() error { return suite.Err(s.packets.Confirm(s.Context(), id+1)) },
			func() error { return suite.Err(s.packets.Close(s.Context(), id+1)) },
		))
		s.packet(id+1, redpacket.Closed)
		s.goesBack(id+1, 100)
	}
	s.Count("payouts", len(s.pending()), rounds)
}

func confirmAgainstGrabs(s *scene) {
	for id := range int64(rounds) {
		s.send(random(id+1, 100, 20))
		errs := suite.Together(10, func(i int) (err error) {
			if i%5 == 2 {
				_, err = s.packets.Confirm(s.Context(), id+1)
			} else {
				_, err = s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), id+1)
			}
			return err
		})
		won := s.Succeeded(errs, redpacket.ErrUnpaid) - 2
		suite.Same(s, "shares", s.packet(id+1, redpacket.Open).Taken, int64(won))
	}
}

func manySweepers(s *scene) {
	const packets = 40
	for id := range int64(packets) {
		s.open(random(id+1, 100, 3))
		s.grab(id+1, anna)
	}
	s.Advance(24 * time.Hour)
	ended := make([]int, 8)
	s.Each(suite.Together(len(ended), func(i int) (err error) {
		ended[i], err = s.packets.Expire(s.Context())
		return err
	}))
	sum := 0
	for _, n := range ended {
		sum += n
	}
	s.Count("packets that ended", sum, packets)
	s.Count("payouts", len(s.pending()), 2*packets)
	for id := range int64(packets) {
		s.packet(id+1, redpacket.Expired)
	}
}

// closeAgainstExpiry has everybody at a packet whose end has come: it ends once, and nobody grabs.
func closeAgainstExpiry(s *scene) {
	for id := range int64(rounds) {
		s.open(random(id+1, 100, 3))
		share := s.minor(s.grab(id+1, anna).Amount)
		s.Advance(24 * time.Hour)
		errs := s.allEnd(id + 1)
		s.Count("calls that were told yes", s.Succeeded(errs, redpacket.ErrExpired), 9)
		s.packet(id+1, redpacket.Expired)
		s.goesBack(id+1, 100-share)
		s.holds(id+1, 1, share, 100-share)
	}
}

// allEnd has everybody at a packet whose end has come: three of each kind at once.
func (s *scene) allEnd(id int64) []error {
	s.Helper()
	return suite.Together(12, func(i int) (err error) {
		switch i % 4 {
		case 0:
			_, err = s.packets.Close(s.Context(), id)
		case 1:
			_, err = s.packets.Expire(s.Context())
		case 2:
			_, err = s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), id)
		case 3:
			_, err = s.packets.Confirm(s.Context(), id)
		}
		return err
	})
}

// lateConfirm has the payment arrive too late, while everybody else ends the packet.
func lateConfirm(s *scene) {
	for id := range int64(rounds) {
		s.send(random(id+1, 100, 3))
		s.Advance(24 * time.Hour)
		errs := s.allEnd(id + 1)
		s.Count("calls that were told yes", s.Succeeded(errs, redpacket.ErrUnpaid, redpacket.ErrClosed, redpacket.ErrExpired), 9)
		s.goesBack(id+1, 100)
		s.holds(id+1, 0, 0, 100)
	}
	s.Count("payouts", len(s.pending()), rounds)
}
