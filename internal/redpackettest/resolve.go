package redpackettest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func resolveCases() []testCase {
	return []testCase{
		{Name: "ResolveAGrabThatWasMadeIsItsShare", Run: resolveMade},
		{Name: "ResolveAGrabThatWasNotMadeNeverWillBe", Run: resolveNotMade},
		{Name: "ResolveOfAnUnknownPacketChangesNothing", Run: resolveUnknown},
		{Name: "ResolveLeavesTheOtherReasonsTheirPrecedence", Run: resolvePrecedence},
		{Name: "ResolveAgainstTheGrab", Run: resolveAgainstGrab},
	}
}

// resolved ends the test unless a grab is resolved as not made.
func (s *scene) resolved(id int64, person string) {
	s.Helper()
	_, err := s.packets.For(person).Resolve(s.Context(), id)
	s.only(err, redpacket.ErrCancelled)
	suite.Same(s, "typed error", *suite.As[*redpacket.PacketError](s, err), redpacket.PacketError{Packet: id, Err: redpacket.ErrCancelled})
}

func resolveMade(s *scene) {
	s.open(random(1, 100, 3))
	share := s.grab(1, anna)
	again := func() {
		s.Helper()
		suite.Same(s, "share", suite.Must(s.packets.For(anna).Resolve(s.Context(), 1)), share)
		suite.Replays(s, "share that is grabbed again", s.grab(1, anna), share)
	}
	again()
	again()
	s.close(1, redpacket.Closed)
	again()
	s.Advance(48 * time.Hour)
	again()
	share.Paid = s.paidOut(1, 1).Paid
	again()
}

func resolveNotMade(s *scene) {
	s.open(random(1, 100, 2))
	s.resolved(1, anna)
	order := stock.Order{
		ID: redpacket.GrabID(1, anna), Lines: []stock.Line{{SKU: 1, Num: 1}}, Immediate: true,
		Beside: []stock.Companion{redpacket.Grab{Packet: 1, Person: anna}},
	}
	suite.Same(s, "a grab that arrives now", suite.Must(s.Store.Units().Lock(s.Context(), order, time.Hour)).Verdict, stock.Exists)
	s.refused(1, anna, redpacket.ErrCancelled)
	s.resolved(1, anna)
	s.only(suite.Err(s.packets.For(anna).Share(s.Context(), 1)), redpacket.ErrUnknownShare)
	s.holds(1, 0, 0, 100)
	s.grabs(1, ben, carol) // no share was lost by it
	s.packet(1, redpacket.Finished)
}

func resolveUnknown(s *scene) {
	s.only(suite.Err(s.packets.For(anna).Resolve(s.Context(), 1)), redpacket.ErrNotFound)
	s.open(random(1, 100, 2))
	s.grab(1, anna)
}

func resolvePrecedence(s *scene) {
	p := random(1, 100, 1)
	p.Start = s.now().Add(time.Hour)
	s.send(p)
	s.resolved(1, anna)
	s.resolved(1, sender)
	s.refused(1, anna, redpacket.ErrUnpaid)
	s.confirm(1, redpacket.Open)
	s.refused(1, anna, redpacket.ErrNotStarted)
	s.Advance(time.Hour)
	s.refused(1, anna, redpacket.ErrCancelled)
	s.refused(1, sender, redpacket.ErrSender)
	s.grab(1, ben)
	s.refused(1, anna, redpacket.ErrCancelled) // and finished
	s.open(random(2, 100, 1))
	s.resolved(2, anna)
	s.close(2, redpacket.Closed)
	s.refused(2, anna, redpacket.ErrCancelled) // and closed
	s.Advance(24 * time.Hour)
	s.refused(2, anna, redpacket.ErrCancelled) // and over
}

// resolveAgainstGrab settles grabs that are still under way: all callers are told the same.
func resolveAgainstGrab(s *scene) {
	s.open(random(1, 10_000, 2*rounds))
	for round := range int64(rounds) {
		shares := make([]redpacket.Share, 6)
		errs := suite.Together(len(shares), func(i int) (err error) {
			if i%2 == 0 {
				shares[i], err = s.packets.For(fmt.Sprint(100+round)).Grab(s.Context(), 1)
			} else {
				shares[i], err = s.packets.For(fmt.Sprint(100+round)).Resolve(s.Context(), 1)
			}
			return err
		})
		if n := s.Succeeded(errs, redpacket.ErrCancelled); n != 0 && n != len(errs) {
			s.Fatalf("%d of %d calls found a share", n, len(errs))
		}
		for _, share := range shares {
			share.Replay = shares[0].Replay // which Resolve does not say
			suite.Same(s, "share", share, shares[0])
		}
	}
}
