package redpackettest

import (
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

func sendCases() []testCase {
	return []testCase{
		{Name: "SendAPacketIsUnpaidAndWhole", Run: sendWhole},
		{Name: "SendWithoutAnEndItLivesForAsLongAsTheOptionSays", Run: sendWithoutEnd},
		{Name: "SendTwiceIsOnePacketForEver", Run: sendTwice},
		{Name: "SendTheSameTermsInAnotherForm", Run: sendOtherForm},
		{Name: "SendOtherTermsAreAMismatch", Run: sendMismatch},
		{Name: "SendAtOnceIsOnePacket", Run: sendAtOnce},
		{Name: "SendAtOnceWithOtherTermsIsOneOfThem", Run: sendRivals},
		{Name: "SendWhatIsTheLibrarysIsNotLookedAt", Run: sendIgnores},
		{Name: "SendCurrenciesOfAllPlaces", Run: sendPlaces},
		{Name: "SendAsMuchAsThereMayBe", Run: sendMost},
	}
}

func sendWhole(s *scene) {
	now := s.now()
	p := bounded(7, 1000, 4, 100, 400)
	p.Start, p.End = now.Add(time.Hour), now.Add(2*time.Hour)
	got := s.send(p)
	want := p
	want.State, want.Left, want.Grabbed, want.CreatedAt = redpacket.Unpaid, fen(1000), fen(0), now
	suite.Same(s, "packet that was sent", got, want)
	suite.Same(s, "packet", s.packet(7, redpacket.Unpaid), want)
	s.Count("shares", len(s.shares(7)), 0)
	s.Count("payouts", len(s.pending()), 0)
	s.Advance(time.Minute)
	want.State, want.ConfirmedAt = redpacket.Open, now.Add(time.Minute)
	suite.Same(s, "packet that was confirmed", s.confirm(7, redpacket.Open), want)
	suite.Same(s, "packet", s.packet(7, redpacket.Open), want)
}

func sendWithoutEnd(s *scene) {
	now := s.now()
	s.SameTime("end", s.send(random(1, 100, 3)).End, now.Add(24*time.Hour))
	s.packets = s.with(redpacket.Options{LiveFor: time.Hour})
	s.SameTime("end by the option", s.send(random(2, 100, 3)).End, now.Add(time.Hour))
	p := random(3, 100, 3)
	p.End = now.Add(48 * time.Hour)
	s.SameTime("end that was given", s.send(p).End, p.End)
	s.Advance(time.Minute)
	p = random(4, 100, 3)
	p.Start = now.Add(100 * time.Hour)
	late := s.send(p)
	s.SameTime("end that counts from the start", late.End, now.Add(101*time.Hour))
	suite.Replays(s, "replay", suite.Must(s.with(redpacket.Options{}).Send(s.Context(), p)), late) // an option is no argument
	s.SameTime("end of a replay", s.send(random(1, 100, 3)).End, now.Add(24*time.Hour))
}

// sendTwice replays Send in every state that a packet can be in.
func sendTwice(s *scene) {
	terms := map[redpacket.State]redpacket.Packet{}
	for state := redpacket.Unpaid; state <= redpacket.Expired; state++ {
		p := equal(int64(state), 10, 2)
		terms[state] = p
		s.send(p)
		if state != redpacket.Unpaid {
			s.confirm(p.ID, redpacket.Open)
			s.grab(p.ID, anna)
		}
		if state == redpacket.Finished {
			s.grab(p.ID, ben)
		}
		if state == redpacket.Closed {
			s.close(p.ID, redpacket.Closed)
		}
	}
	late := equal(9, 10, 2)
	late.End = s.now().Add(time.Hour)
	terms[redpacket.Expired] = late
	s.open(late)
	s.close(int64(redpacket.Expired), redpacket.Closed)
	s.Advance(time.Hour)
	s.expire(1)
	for state, p := range terms {
		want := s.packet(p.ID, state)
		s.unchanged(p.ID, func() { suite.Replays(s, "replay", s.send(p), want) })
		s.Advance(time.Minute)
		s.unchanged(p.ID, func() { suite.Replays(s, "replay", s.send(p), want) })
	}
}

func sendOtherForm(s *scene) {
	now := s.now()
	p := random(1, 1000, 3)
	p.Min, p.Start, p.End = fen(1), now, now.Add(time.Hour)
	want := s.send(p)
	p.Total = decimal.RequireFromString("10.000")
	p.Min = decimal.Decimal{}
	p.Max = decimal.New(0, -1)
	p.Start, p.End = now.In(time.FixedZone("", 8*3600)), p.End.In(time.FixedZone("", -3600)).Add(time.Nanosecond)
	suite.Replays(s, "replay", s.send(p), want)
}

func sendMismatch(s *scene) {
	now := s.now()
	was := bounded(1, 1000, 3, 100, 500)
	was.Start, was.End = now.Add(time.Hour), now.Add(2*time.Hour)
	s.send(was)
	s.send(random(2, 1000, 3))
	changed := map[string]func(p *redpacket.Packet){
		"sender":       func(p *redpacket.Packet) { p.Sender += "!" },
		"places":       func(p *redpacket.Packet) { p.Places = 3 },
		"total":        func(p *redpacket.Packet) { p.Total = fen(1001) },
		"count":        func(p *redpacket.Packet) { p.Count = 4 },
		"equal shares": func(p *redpacket.Packet) { p.Equal = true },
		"min":          func(p *redpacket.Packet) { p.Min = fen(101) },
		"no min":       func(p *redpacket.Packet) { p.Min = decimal.Decimal{} },
		"max":          func(p *redpacket.Packet) { p.Max = fen(501) },
		"no max":       func(p *redpacket.Packet) { p.Max = decimal.Decimal{} },
		"start":        func(p *redpacket.Packet) { p.Start = p.Start.Add(time.Microsecond) },
		"no start":     func(p *redpacket.Packet) { p.Start = time.Time{} },
		"end":          func(p *redpacket.Packet) { p.End = p.End.Add(time.Microsecond) },
		"no end":       func(p *redpacket.Packet) { p.End = time.Time{} },
	}
	refused := func() {
		s.Helper()
		for name, change := range changed {
			p := was
			change(&p)
			_, err := s.packets.Send(s.Context(), p)
			if err == nil {
				s.Fatalf("Send with another %s was accepted", name)
			}
			s.only(err, redpacket.ErrMismatch)
		}
	}
	s.unchanged(1, refused)
	s.confirm(1, redpacket.Open)
	s.unchanged(1, refused)
	s.close(1, redpacket.Closed)
	s.unchanged(1, refused)

	p := random(2, 1000, 3) // the end that it has, but has not been given
	p.End = now.Add(24 * time.Hour)
	err := suite.Err(s.packets.Send(s.Context(), p))
	s.only(err, redpacket.ErrMismatch)
	suite.Same(s, "what differs", *suite.As[*redpacket.MismatchError](s, err),
		redpacket.MismatchError{ID: "2", Field: "own end", Recorded: "false", Asked: "true"})
}

func sendAtOnce(s *scene) {
	got := make([]redpacket.Packet, 16)
	s.Each(suite.Together(len(got), func(i int) (err error) {
		got[i], err = s.packets.Send(s.Context(), random(1, 1000, 5))
		return err
	}))
	suite.Once(s, "packet", got)
	s.confirm(1, redpacket.Open)
	s.grabs(1, anna, ben, carol, dan, "15")
	s.holds(1, 5, 1000, 0)
}

func sendRivals(s *scene) {
	errs := suite.Together(12, func(i int) error { return suite.Err(s.packets.Send(s.Context(), random(1, int64(1000+i%3), 5))) })
	s.Count("calls that were told yes", s.Succeeded(errs, redpacket.ErrMismatch), 4)
	won := s.minor(s.packet(1, redpacket.Unpaid).Total) - 1000
	for i, err := range errs {
		if (err == nil) != (int64(i%3) == won) {
			s.Fatalf("the total is %d, call %d said %v", 1000+won, i, err)
		}
	}
}

func sendIgnores(s *scene) {
	now := s.now()
	p := random(1, 100, 3)
	p.State, p.Taken, p.Grabbed, p.Left = redpacket.Finished, 3, fen(100), fen(7)
	p.Best = &redpacket.Share{Packet: 1, No: 1, Person: anna, Amount: fen(99)}
	p.CreatedAt, p.ConfirmedAt, p.EndedAt = now.Add(time.Hour), now.Add(time.Hour), now.Add(time.Hour)
	want := random(1, 100, 3)
	want.State, want.Left, want.CreatedAt = redpacket.Unpaid, fen(100), now
	want.Min, want.End = fen(1), now.Add(24*time.Hour) // what it gets where nothing is given
	suite.Same(s, "packet", s.send(p), want)
	suite.Replays(s, "replay", s.send(random(1, 100, 3)), want)
	s.confirm(1, redpacket.Open)
	s.grabs(1, anna, ben, carol)
}

func sendPlaces(s *scene) {
	for places := range int32(9) {
		p := random(int64(places)+1, 0, 4)
		p.Places, p.Total, p.Min, p.Max = places, decimal.New(1003, -places), decimal.New(2, -places), decimal.New(900, -places)
		s.open(p)
		sum := decimal.Decimal{}
		for person := range int64(4) {
			share := s.grab(p.ID, fmt.Sprint(person+1_000))
			sum = sum.Add(share.Amount)
			if !share.Amount.Shift(places).IsInteger() {
				s.Fatalf("a share of a currency with %d places is %v", places, share.Amount)
			}
		}
		suite.Same(s, fmt.Sprintf("sum of a currency with %d places", places), sum, p.Total)
		suite.Same(s, "what was grabbed", s.packet(p.ID, redpacket.Finished).Grabbed, p.Total)
	}
}

// sendMost sends as much money, and as many shares, as there may be.
func sendMost(s *scene) {
	p := random(1, math.MaxInt64, redpacket.MaxCount)
	s.open(p)
	s.grabs(1, anna, ben, carol)
	q := equal(2, math.MaxInt64, 2)
	q.Max = fen(math.MaxInt64)
	s.open(q)
	suite.Same(s, "shares", s.grabs(2, anna, ben), []int64{math.MaxInt64/2 + 1, math.MaxInt64 / 2})
	r := bounded(3, math.MaxInt64, 3, math.MaxInt64/3, math.MaxInt64)
	s.open(r)
	s.grabs(3, anna, ben, carol)
	s.holds(3, 3, math.MaxInt64, 0)
	t := bounded(4, redpacket.MaxCount, redpacket.MaxCount, 1, 1)
	s.open(t)
	suite.Same(s, "shares", s.grabs(4, anna, ben), []int64{1, 1})
}
