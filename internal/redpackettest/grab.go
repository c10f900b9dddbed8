package redpackettest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func grabCases() []testCase {
	return []testCase{
		{Name: "ThreeSharesAreTheTotalAndThereIsNoFourth", Run: threeShares},
		{Name: "SameGrabAgainIsTheSameShareForEver", Run: sameGrab},
		{Name: "SameGrabAtOnceIsOneShare", Run: sameGrabAtOnce},
		{Name: "GrabThatWasRefusedMayBeMadeAgain", Run: refusedGrabAgain},
		{Name: "SenderGrabsWhereTheOptionLetsIt", Run: senderGrabs},
		{Name: "ShareIsBookedWithItsUnit", Run: bookedWithUnit},
		{Name: "GrabStrictlyBeforeTheEnd", Run: grabBeforeEnd},
		{Name: "GrabRefusalsInTheOrderOfPrecedence", Run: grabPrecedence},
		{Name: "GrabPacketsAreApart", Run: grabApart},
		{Name: "PeopleAreComparedByteForByte", Run: peopleByteForByte},
	}
}

// threeShares has packets from the first ID there can be to the last.
func threeShares(s *scene) {
	for _, id := range []int64{1, 2, 3, 4, math.MaxInt64 - 1, math.MaxInt64} {
		p := s.open(random(id, 100, 3))
		sum := int64(0)
		for i, person := range []string{anna, ben, carol} {
			share := s.grab(p.ID, person)
			amount := s.minor(share.Amount)
			if sum += amount; amount < 1 || amount > 98 {
				s.Fatalf("a share is %d of 100", amount)
			}
			want := redpacket.Share{
				Packet: p.ID, No: int64(i + 1), Person: person, Amount: share.Amount, GrabbedAt: s.now(),
				Payout: redpacket.PayoutNumber(p.ID, int64(i+1)),
			}
			suite.Same(s, "share", share, want)
			s.holds(p.ID, int64(i+1), sum, 100-sum)
			s.Advance(time.Second)
		}
		suite.Same(s, "sum of the shares", sum, int64(100))
		s.refused(p.ID, dan, redpacket.ErrFinished)
		s.SameTime("ended", s.packet(p.ID, redpacket.Finished).EndedAt, s.now().Add(-time.Second))
	}
}

// sameGrab replays grabs in every state that a packet can be in, and long after.
func sameGrab(s *scene) {
	s.open(random(1, 100, 2))
	first := s.grab(1, anna)
	again := func(id int64, want redpacket.Share) {
		s.Helper()
		s.unchanged(id, func() { suite.Replays(s, "replay", s.grab(id, anna), want) })
		suite.Same(s, "share", suite.Must(s.packets.For(anna).Share(s.Context(), id)), want)
	}
	again(1, first)
	s.Advance(time.Hour)
	again(1, first)
	s.grab(1, ben)
	again(1, first) // it is finished
	s.open(random(2, 100, 3))
	second := s.grab(2, anna)
	s.close(2, redpacket.Closed)
	again(2, second)
	s.open(random(3, 100, 3))
	third := s.grab(3, anna)
	s.Advance(24 * time.Hour)
	again(3, third) // it is over, and nobody has ended it yet
	s.expire(1)
	again(3, third)
	s.Advance(1000 * 24 * time.Hour)
	third.Paid = s.paidOut(3, 1).Paid
	again(3, third)
	again(1, first)
}

func sameGrabAtOnce(s *scene) {
	s.open(random(1, 10_000, 100))
	shares := make([]redpacket.Share, 100)
	s.Each(suite.Together(len(shares), func(i int) (err error) {
		shares[i], err = s.packets.For(anna).Grab(s.Context(), 1)
		return err
	}))
	suite.Once(s, "share", shares)
	s.holds(1, 1, s.minor(shares[0].Amount), 10_000-s.minor(shares[0].Amount))
}

func refusedGrabAgain(s *scene) {
	p := random(1, 100, 2)
	p.Start = s.now().Add(time.Hour)
	s.only(suite.Err(s.packets.For(anna).Grab(s.Context(), 1)), redpacket.ErrNotFound)
	s.send(p)
	s.refused(1, anna, redpacket.ErrUnpaid)
	s.confirm(1, redpacket.Open)
	s.refused(1, anna, redpacket.ErrNotStarted)
	s.Advance(time.Hour - time.Microsecond)
	s.refused(1, anna, redpacket.ErrNotStarted)
	s.Advance(time.Microsecond)
	share := s.grab(1, anna)
	suite.Replays(s, "replay", s.grab(1, anna), share)
}

func senderGrabs(s *scene) {
	s.open(random(1, 100, 2))
	s.refused(1, sender, redpacket.ErrSender)
	s.grabs(1, anna, ben) // both shares are there for others
	_, err := s.packets.For(sender).Share(s.Context(), 1)
	s.only(err, redpacket.ErrUnknownShare)

	s.packets = s.with(redpacket.Options{SenderMayGrab: true})
	s.open(random(2, 100, 2))
	share := s.grab(2, sender)
	suite.Same(s, "person", share.Person, sender)
	suite.Replays(s, "replay", s.grab(2, sender), share)
	s.grab(2, anna)
	s.packet(2, redpacket.Finished)

	s.open(random(3, 100, 2)) // Send decides: who grabs may have another option
	was := s.everything(1)
	if _, err := s.packets.For(sender).Grab(s.Context(), 1); !errors.Is(err, redpacket.ErrSender) && !errors.Is(err, redpacket.ErrCancelled) {
		s.Fatalf("a grab by the sender, whom Send has kept out: %v", err)
	}
	suite.Same(s, "the books", s.everything(1), was)
	s.packets = s.with(redpacket.Options{})
	s.grab(3, sender)

	s.packets = s.with(redpacket.Options{SenderMayGrab: true})
	s.open(random(4, 100, 2))
	s.resolved(4, sender)
	s.refused(4, sender, redpacket.ErrCancelled) // but for this the sender might
}

// bookedWithUnit has the program die right after each statement that a grab sends: the unit and
// its share are both there or neither is, and the grab that is made again finds them.
func bookedWithUnit(s *scene) {
	s.open(random(1, 1000, 50))
	booked := 0
	for person := range int64(15) {
		dying := s.over(suite.Wire{Send: suite.Fails(redpacket.ErrUnavailable, suite.From(int(person%5)+2))})
		_, err := dying.For(fmt.Sprint(100+person)).Grab(s.Context(), 1)
		if err != nil {
			s.Is(err, redpacket.ErrUnknown) // booked, and nobody was told
		}
		share, there, err := s.Store.Share(s.Context(), 1, fmt.Sprint(100+person))
		s.No(err)
		b := s.everything(1)
		held := slices.ContainsFunc(b.Holds, func(h stock.Hold) bool { return h.Order == redpacket.GrabID(1, fmt.Sprint(100+person)) })
		suite.Same(s, "the unit is taken", held, there)
		s.Balanced()
		if !there {
			continue
		}
		booked++
		again := s.grab(1, fmt.Sprint(100+person))
		suite.Same(s, "number of the share", again.No, share.No)
		suite.Same(s, "amount of the share", s.minor(again.Amount), share.Money)
	}
	s.Count("shares that were booked", booked, 15) // the first statement of a grab is the one that books
}

// grabBeforeEnd looks at the last moment, and at what comes after, with no sweeper running.
func grabBeforeEnd(s *scene) {
	p := random(1, 100, 3)
	p.End = s.now().Add(time.Hour)
	s.open(p)
	s.Advance(time.Hour - time.Microsecond)
	s.grab(1, anna)
	s.Advance(time.Microsecond)
	s.refused(1, ben, redpacket.ErrExpired)
	s.packet(1, redpacket.Open)
	s.expire(1)
	s.refused(1, ben, redpacket.ErrExpired)
}

// grabPrecedence has several reasons to refuse at once.
func grabPrecedence(s *scene) {
	now := s.now()
	p := random(1, 100, 1)
	p.Start, p.End = now.Add(time.Hour), now.Add(2*time.Hour)
	s.send(p)
	s.refused(1, anna, redpacket.ErrUnpaid) // before it starts
	s.refused(1, sender, redpacket.ErrUnpaid)
	s.confirm(1, redpacket.Open)
	s.refused(1, sender, redpacket.ErrNotStarted)
	s.Advance(time.Hour)
	s.refused(1, sender, redpacket.ErrSender)
	s.grab(1, anna)
	s.refused(1, sender, redpacket.ErrSender) // and finished
	s.Advance(time.Hour)
	s.refused(1, ben, redpacket.ErrFinished) // and over: it was finished first

	q := random(2, 100, 1)
	q.End = s.now().Add(time.Hour)
	s.open(q)
	s.close(2, redpacket.Closed)
	s.Advance(time.Hour)
	s.refused(2, anna, redpacket.ErrClosed) // and over: it was closed first
	s.refused(2, sender, redpacket.ErrSender)
}

func grabApart(s *scene) {
	s.open(equal(1, 10, 2))
	s.open(equal(2, 20, 2))
	s.open(equal(11, 30, 2)) // packet 1 of person 12 is not packet 11 of person 2
	suite.Same(s, "share of 1", s.grabs(1, anna), []int64{5})
	suite.Same(s, "share of 2", s.grabs(2, anna), []int64{10})
	suite.Same(s, "share of 11", s.grabs(11, "2"), []int64{15})
	s.holds(1, 1, 5, 5)
	s.holds(2, 1, 10, 10)
	s.holds(11, 1, 15, 15)
	s.close(1, redpacket.Closed)
	s.grab(2, ben)
	s.grab(11, ben)
}

// peopleByteForByte has each of some people send a packet to all others.
func peopleByteForByte(s *scene) {
	ids := suite.Lookalikes(64)
	shares := int64(len(ids) - 1)
	for i, from := range ids[:3] {
		p := equal(int64(i+1), shares, shares)
		p.Sender = from
		suite.Same(s, "sender", s.open(p).Sender, from)
		s.refused(p.ID, from, redpacket.ErrSender)
		for range 2 { // the second round replays the first
			no := int64(0)
			for _, person := range ids {
				if person == from {
					continue
				}
				no++
				share := s.grab(p.ID, person)
				suite.Same(s, "number", share.No, no)
				suite.Same(s, "person", share.Person, person)
			}
		}
		for no, share := range s.shares(p.ID) {
			suite.Same(s, "number", suite.Must(s.packets.For(share.Person).Share(s.Context(), p.ID)).No, int64(no+1))
		}
		s.packet(p.ID, redpacket.Finished)
	}
}
