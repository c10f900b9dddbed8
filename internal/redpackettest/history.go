package redpackettest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func historyCases() []testCase {
	return []testCase{
		{Name: "HistoryRandomCallsKeepTheBooks", Run: randomHistory},
		{Name: "HistoryWithCrashesAtEveryStatementKeepsTheBooks", Run: crashes},
		{Name: "HookIsToldOfEveryEffectOnce", Run: effectsOnce},
	}
}

// walk lets walkers make sixty random calls each, on a few packets, and ends the test on an error that is no answer.
func (s *scene) walk(packets *redpacket.Packets, seed int64) {
	s.Helper()
	step := func(rng *rand.Rand) error { return step(s.Context(), rng, packets) }
	refused := func(err error) bool { return suite.Matches(err, refusals()...) }
	s.Walk(seed, 60, step, redpacket.Retryable, refused)
}

// step makes one call.
func step(ctx context.Context, rng *rand.Rand, packets *redpacket.Packets) (err error) {
	id, person := rng.Int64N(8)+1, rng.Int64N(8)+1 // of whom 1 is the sender
	number := redpacket.PayoutNumber(id, rng.Int64N(6))
	switch n := rng.IntN(40); {
	case n < 6:
		_, err = packets.Send(ctx, random(id, 100*id, 6))
	case n < 12:
		_, err = packets.Confirm(ctx, id)
	case n < 26:
		_, err = packets.For(fmt.Sprint(person)).Grab(ctx, id)
	case n == 26:
		_, err = packets.For(fmt.Sprint(person)).Resolve(ctx, id)
	case n == 27:
		_, err = packets.Close(ctx, id)
	case n < 30:
		_, err = packets.Expire(ctx)
	case n < 34:
		_, err = packets.PaidOut(ctx, number)
	case n < 37:
		_, err = packets.PayoutFailed(ctx, number, "no")
	case n == 37:
		_, err = packets.For(fmt.Sprint(person)).Share(ctx, id)
	case n == 38:
		_, err = suite.Gather(packets.Shares(ctx, id))
	default:
		_, err = suite.Gather(packets.Payouts(ctx))
	}
	return err
}

// randomHistory looks at the books each time all walkers rest.
func randomHistory(s *scene) {
	for n := range int64(4) {
		s.walk(s.packets, 1000+100*n)
		s.Balanced()
		s.Advance(7 * time.Hour)
	}
}

// crashes breaks the wire before and after statements at random: the books balance all the same, and
// every grab can be made again.
func crashes(s *scene) {
	faulty := s.over(suite.Breaks(suite.Repeatable(7)))
	for n := range int64(4) {
		s.walk(faulty, 100*n)
		s.Balanced()
		s.Advance(7 * time.Hour)
	}
	for id := range int64(8) {
		s.send(random(id+1, 100*(id+1), 6))
		for _, share := range s.shares(id + 1) {
			suite.Replays(s, "share that is grabbed again", s.grab(share.Packet, share.Person), share)
		}
		s.No(suite.Err(s.packets.Close(s.Context(), id+1)))
	}
}

// effectsOnce keeps every effect that the hook was told of: together they are the books.
func effectsOnce(s *scene) {
	var mu sync.Mutex
	effects := map[redpacket.Effect]int{}
	grabbed := map[string]redpacket.Share{}
	steps := map[int64][]redpacket.Step{}
	packets := s.with(redpacket.Options{Hook: func(_ context.Context, e redpacket.Effect) {
		mu.Lock()
		defer mu.Unlock()
		if e.Step == redpacket.StepGrab {
			grabbed[e.Share.Payout] = e.Share
			e.Share = redpacket.Share{No: e.Share.No} // an amount is no key
		} else if e.Payout == "" {
			steps[e.Packet] = append(steps[e.Packet], e.Step)
		}
		effects[e]++
	}})
	for n := range int64(4) {
		s.walk(packets, 100*n)
		s.Advance(7 * time.Hour)
	}
	for id := range int64(8) {
		p := suite.Must(s.packets.Packet(s.Context(), id+1))
		for _, share := range s.shares(id + 1) {
			told := grabbed[share.Payout]
			told.Paid = share.Paid
			suite.Same(s, "share that the hook was told of", told, share)
			delete(grabbed, share.Payout)
		}
		s.leads(p, steps[id+1])
		for no := int64(0); no <= p.Taken; no++ {
			s.toldOfPayout(id+1, no, effects)
		}
	}
	s.Count("shares that only the hook knows", len(grabbed), 0)
	for e, n := range effects {
		if n > 1 && e.Step != redpacket.StepFailed {
			s.Errorf("the hook was told %d times of %+v", n, e)
		}
	}
}

// leads ends the test unless the steps of a packet lead to where it stands.
func (s *scene) leads(p redpacket.Packet, steps []redpacket.Step) {
	s.Helper()
	has := func(step redpacket.Step) bool { return slices.Contains(steps, step) }
	paid := has(redpacket.StepConfirm) || has(redpacket.StepReturn)
	switch {
	case !has(redpacket.StepSend),
		paid == p.ConfirmedAt.IsZero(),
		has(redpacket.StepConfirm) && has(redpacket.StepReturn),
		has(redpacket.StepClose) != (p.State == redpacket.Closed),
		has(redpacket.StepExpire) != (p.State == redpacket.Expired && has(redpacket.StepConfirm)):
		s.Errorf("packet %d is %v; the hook was told of %v", p.ID, p.State, steps)
	}
}

// toldOfPayout ends the test unless the hook knows what became of a payout.
func (s *scene) toldOfPayout(packet, no int64, effects map[redpacket.Effect]int) {
	s.Helper()
	number := redpacket.PayoutNumber(packet, no)
	p, err := s.packets.Payout(s.Context(), number)
	if errors.Is(err, redpacket.ErrUnknownPayout) {
		return
	}
	s.No(err)
	suite.Same(s, "paid", effects[redpacket.Effect{Step: redpacket.StepPaidOut, Packet: packet, Payout: number}] == 1, p.Paid)
	suite.Same(s, "failures", int64(effects[redpacket.Effect{Step: redpacket.StepFailed, Packet: packet, Payout: number}]), p.Failures)
}
