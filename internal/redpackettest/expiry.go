package redpackettest

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func expiryCases() []testCase {
	return []testCase{
		{Name: "ExpireAtTheEndAndNotAMicrosecondBefore", Run: expireAtEnd},
		{Name: "ExpireEndsWhatIsOpenAndOverAndNothingElse", Run: expireOthers},
		{Name: "ExpireMoreThanItLooksUpAtATime", Run: expireMany},
		{Name: "ExpireOnePacketThatCannotBeEndedDoesNotKeepTheOthers", Run: expireDrift},
		{Name: "ExpireRunSweepsUntilItsContextEnds", Run: runSweeps},
		{Name: "ExpireRunGoesOnAfterAnError", Run: runGoesOn},
	}
}

func expireAtEnd(s *scene) {
	end := s.open(random(1, 100, 3)).End
	share := s.minor(s.grab(1, anna).Amount)
	s.Advance(24*time.Hour - time.Microsecond)
	s.expire(0)
	s.packet(1, redpacket.Open)
	s.keeps(1)
	s.Advance(time.Microsecond)
	s.expire(1)
	p := s.packet(1, redpacket.Expired)
	s.SameTime("ended", p.EndedAt, end)
	back := s.goesBack(1, 100-share)
	s.SameTime("due", back.DueAt, end)
	s.Advance(time.Hour)
	s.unchanged(1, func() { s.expire(0) })
	suite.Same(s, "what goes back", s.goesBack(1, 100-share), back)
}

func expireOthers(s *scene) {
	s.send(random(1, 100, 3))
	s.open(equal(2, 10, 1))
	s.grab(2, anna)
	s.open(random(3, 100, 3))
	s.close(3, redpacket.Closed)
	p := random(4, 100, 3)
	p.End = s.now().Add(48 * time.Hour)
	s.open(p)
	s.open(random(5, 100, 3))
	s.Advance(24 * time.Hour)
	s.expire(1)
	for id, state := range []redpacket.State{redpacket.Unpaid, redpacket.Finished, redpacket.Closed, redpacket.Open, redpacket.Expired} {
		s.packet(int64(id+1), state)
	}
	s.grab(4, anna)
}

func expireMany(s *scene) {
	const many = 210
	s.Each(suite.Crowd(many, 16, func(i int) error {
		_, err := s.packets.Send(s.Context(), random(int64(i+1), 100, 3))
		if err == nil {
			_, err = s.packets.Confirm(s.Context(), int64(i+1))
		}
		return err
	}))
	s.Advance(24 * time.Hour)
	s.expire(many)
	s.expire(0)
	s.Count("payouts", len(s.pending()), many)
}

// brokenStore is a store in which one packet cannot be ended.
type brokenStore struct {
	redpacket.Store

	id  int64
	err error // what End says; nil is Refused
}

// End implements redpacket.Store.
func (b brokenStore) End(ctx context.Context, id int64, to redpacket.State) (stock.Verdict, error) {
	if id == b.id {
		return stock.Refused, b.err
	}
	return b.Store.End(ctx, id, to)
}

func expireDrift(s *scene) {
	for id := range int64(5) {
		s.open(random(id+1, 100, 3))
	}
	s.Advance(24 * time.Hour)
	for _, want := range []int{4, 0} {
		n, err := s.packets.On(brokenStore{s.Store, 3, redpacket.ErrDrift}).Expire(s.Context())
		s.only(err, redpacket.ErrDrift)
		s.Count("packets that expired", n, want)
	}
	s.packet(3, redpacket.Open)
	s.only(suite.Err(s.packets.On(brokenStore{s.Store, 3, redpacket.ErrUnavailable}).Expire(s.Context())), redpacket.ErrUnavailable)
	n, err := s.packets.On(brokenStore{s.Store, 3, nil}).Expire(s.Context()) // which others are at, for ever
	s.No(err)
	s.Count("packets that expired", n, 0)
	s.only(suite.Err(s.packets.On(brokenStore{s.Store, 3, nil}).Close(s.Context(), 3)), redpacket.ErrUnavailable)
	s.expire(1)
}

// patience is how long Run may take to find what is over: a store that does not see it fails then.
const patience = time.Minute

// runSweeps lets Run find what is over, and ends it then.
func runSweeps(s *scene) {
	s.open(random(1, 100, 3))
	s.open(random(2, 100, 3))
	s.Advance(24 * time.Hour)
	ctx, stop := context.WithTimeout(s.Context(), patience)
	defer stop()
	var ended []int64
	err := s.with(redpacket.Options{Sweep: time.Microsecond, Hook: func(_ context.Context, e redpacket.Effect) {
		suite.Same(s, "step", e.Step, redpacket.StepExpire)
		if ended = append(ended, e.Packet); len(ended) == 2 {
			stop()
		}
	}}).Run(ctx)
	s.Is(err, context.Canceled)
	s.Count("packets that ended", len(ended), 2)
	s.packet(1, redpacket.Expired)
	s.packet(2, redpacket.Expired)
	s.Is(s.packets.Run(ctx), context.Canceled)
}

func runGoesOn(s *scene) {
	s.open(random(1, 100, 3))
	s.Advance(24 * time.Hour)
	ctx, stop := context.WithTimeout(s.Context(), patience)
	defer stop()
	looked, told := 0, 0
	away := func(call string) bool {
		if call == "Due" {
			looked++
		}
		return call == "Due" && looked < 3
	}
	store := &wire{suite.Wire{Send: suite.Fails(redpacket.ErrUnavailable, away)}, suite.InTurn(s.Store)}
	opts := redpacket.Options{
		Sweep:   time.Microsecond,
		OnError: func(err error) { s.Is(err, redpacket.ErrUnavailable); told++ },
		Hook:    func(context.Context, redpacket.Effect) { stop() },
	}
	if err := redpacket.New(store, &opts).Run(ctx); !errors.Is(err, context.Canceled) {
		s.Fatalf("Run returned %v", err)
	}
	s.Count("errors", told, 2)
	s.goesBack(1, 100)
}
