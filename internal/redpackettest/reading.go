package redpackettest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

func readingCases() []testCase {
	return []testCase{
		{Name: "ReadingWhatIsNotThere", Run: readMissing},
		{Name: "ReadingSharesInTheirOrder", Run: readShares},
		{Name: "ReadingPacketsOfASenderPageByPage", Run: sentPages},
		{Name: "ReadingSharesOfAPersonPageByPage", Run: minePages},
		{Name: "ReadingListingsEndWithTheirError", Run: listingsEnd},
		{Name: "ReadingResultsBelongToTheCaller", Run: resultsBelong},
		{Name: "ReadingErrorsSayWhichAndWhen", Run: errorsSay},
	}
}

func readMissing(s *scene) {
	s.only(suite.Err(s.packets.Packet(s.Context(), 1)), redpacket.ErrNotFound)
	s.only(suite.Err(s.packets.For(anna).Share(s.Context(), 1)), redpacket.ErrNotFound)
	s.only(suite.Err(suite.Gather(s.packets.Shares(s.Context(), 1))), redpacket.ErrNotFound)
	s.only(suite.Err(s.packets.Audit(s.Context(), 1)), redpacket.ErrNotFound)
	suite.Same(s, "report", suite.Must(s.packets.Audit(s.Context())), redpacket.Report{})
	s.Count("payouts", len(s.pending()), 0)
	s.expire(0)
	s.open(random(1, 100, 3))
	s.only(suite.Err(s.packets.For(anna).Share(s.Context(), 1)), redpacket.ErrUnknownShare)
	s.Count("shares", len(s.shares(1)), 0)
	s.only(suite.Err(s.packets.Audit(s.Context(), 1, 2)), redpacket.ErrNotFound)
}

// readShares lists more shares than a listing reads at a time.
func readShares(s *scene) {
	const people = 410
	s.open(random(1, 100_000, people))
	s.open(random(2, 100, 3))
	s.grab(2, anna)
	got := make([]redpacket.Share, people)
	s.Each(suite.Crowd(people, 32, func(i int) (err error) {
		got[i], err = s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), 1)
		return err
	}))
	slices.SortFunc(got, func(a, b redpacket.Share) int { return int(a.No - b.No) })
	suite.Same(s, "shares", s.shares(1), got)
	for _, stop := range []int{1, 200, 201, 400} {
		n := 0
		for _, err := range s.packets.Shares(s.Context(), 1) {
			s.No(err)
			if n++; n == stop {
				break
			}
		}
		s.Count("shares", n, stop)
	}
}

// listingsEnd has a store that lists nothing any more, or stops after a page.
func listingsEnd(s *scene) {
	s.open(equal(1, 1000, 300))
	s.Each(suite.Crowd(300, 32, func(i int) error { return suite.Err(s.packets.For(fmt.Sprint(1000+i)).Grab(s.Context(), 1)) }))
	calls := 0
	lists := suite.Named("Shares", "Payouts", "Records")
	broken := s.over(suite.Wire{Send: suite.Fails(redpacket.ErrUnavailable, func(call string) bool {
		if lists(call) {
			calls++
		}
		return lists(call) && calls%2 == 0
	})})
	shares, err := suite.Gather(broken.Shares(s.Context(), 1))
	s.only(err, redpacket.ErrUnavailable)
	s.Count("shares before the error", len(shares), 200)
	payouts, err := suite.Gather(broken.Payouts(s.Context()))
	s.only(err, redpacket.ErrUnavailable)
	s.Count("payouts before the error", len(payouts), 200)
	calls = 1
	s.only(suite.Err(broken.Audit(s.Context())), redpacket.ErrUnavailable)
	n := 0
	for _, err := range broken.Shares(s.Context(), 2) { // of a packet that there is not
		s.only(err, redpacket.ErrNotFound)
		n++
	}
	for _, err := range s.over(suite.Wire{Send: suite.Fails(redpacket.ErrUnavailable, suite.Every)}).Payouts(s.Context()) {
		s.only(err, redpacket.ErrUnavailable)
		n++
	}
	s.Count("errors of two listings", n, 2)
}

// resultsBelong scribbles over everything that was handed out.
func resultsBelong(s *scene) {
	p := random(1, 100, 2)
	s.open(p)
	s.grabs(1, anna, ben)
	was := s.packet(1, redpacket.Finished)
	want := s.Normal(was)
	was.Best.Person, was.Best.Amount = "99", fen(99)
	suite.Same(s, "packet", s.Normal(s.packet(1, redpacket.Finished)), want)
	records := suite.Must(s.Store.Records(s.Context(), 0, 10))
	clear(records)
	booked := suite.Must(s.Store.Shares(s.Context(), 1, 0, 10))
	clear(booked)
	payouts := suite.Must(s.Store.Payouts(s.Context(), redpacket.Cursor{}, 10))
	clear(payouts)
	s.Count("payouts", len(s.pending()), 2)
	suite.Same(s, "packet", s.Normal(s.packet(1, redpacket.Finished)), want)
}

// sentPages lists packets of one sender, some of them of one moment.
func sentPages(s *scene) {
	for id := int64(1); id <= 7; id++ {
		p := random(id, 100, 1)
		if id == 4 {
			p.Sender = "somebody else"
		}
		s.send(p)
		if id%2 == 0 {
			s.Advance(time.Microsecond)
		}
	}
	s.confirm(7, redpacket.Open)
	s.grab(7, anna)
	for _, limit := range []int{50, 3, 1} {
		var ids []int64
		for _, p := range suite.Paged(s, limit, func(page stock.PageRequest) (stock.Page[redpacket.Packet], error) {
			return s.packets.For(fmt.Sprint(sender)).SentPage(s.Context(), page)
		}) {
			want := suite.Must(s.packets.Packet(s.Context(), p.ID))
			want.Best = nil
			suite.Same(s, "packet", s.Normal(p), s.Normal(want))
			ids = append(ids, p.ID)
		}
		suite.Same(s, "packets", ids, []int64{7, 6, 5, 3, 2, 1})
	}
	s.only(suite.Err(s.packets.SentPage(s.Context(), stock.PageRequest{})), redpacket.ErrInvalid)
}

// minePages lists what one person has grabbed and, as a sender, got back.
func minePages(s *scene) {
	for id := int64(1); id <= 6; id++ {
		p := random(id, 100, 2)
		if id == 3 {
			p.Sender = anna
		}
		s.open(p)
		if id != 3 {
			s.grab(id, anna)
		}
		s.grab(id, ben)
		if id%2 == 0 {
			s.Advance(time.Microsecond)
		}
	}
	s.No(suite.Err(s.packets.Close(s.Context(), 3)))
	for _, limit := range []int{50, 2, 1} {
		var ids []int64
		for _, share := range suite.Paged(s, limit, func(page stock.PageRequest) (stock.Page[redpacket.Share], error) {
			return s.packets.For(anna).MinePage(s.Context(), page)
		}) {
			suite.Same(s, "share", s.Normal(share), s.Normal(suite.Must(s.packets.For(anna).Share(s.Context(), share.Packet))))
			ids = append(ids, share.Packet)
		}
		suite.Same(s, "shares", ids, []int64{6, 5, 4, 2, 1})
	}
	s.only(suite.Err(s.packets.MinePage(s.Context(), stock.PageRequest{})), redpacket.ErrInvalid)
}

// errorsSay looks into the typed errors.
func errorsSay(s *scene) {
	p := random(1, 100, 1)
	p.Start = s.now().Add(time.Hour)
	p.End = p.Start.Add(time.Hour)
	refusal := func(want error) error {
		s.Helper()
		_, err := s.packets.For(anna).Grab(s.Context(), 1)
		s.only(err, want)
		return err
	}
	packet := func(want error) {
		s.Helper()
		suite.Same(s, "typed error", *suite.As[*redpacket.PacketError](s, refusal(want)), redpacket.PacketError{Packet: 1, Err: want})
	}
	window := func(want error) {
		s.Helper()
		got := *suite.As[*redpacket.WindowError](s, refusal(want))
		suite.Same(s, "typed error", got, redpacket.WindowError{Packet: 1, Err: want, Start: p.Start, End: p.End, Now: s.now()})
	}
	packet(redpacket.ErrNotFound)
	s.send(p)
	packet(redpacket.ErrUnpaid)
	s.confirm(1, redpacket.Open)
	window(redpacket.ErrNotStarted)
	s.Advance(2 * time.Hour)
	window(redpacket.ErrExpired)
	s.expire(1)
	window(redpacket.ErrExpired)

	p.ID, p.Start, p.End = 2, time.Time{}, time.Time{}
	s.open(p)
	s.grab(2, ben)
	for person, want := range map[string]error{sender: redpacket.ErrSender, anna: redpacket.ErrFinished} {
		_, err := s.packets.For(fmt.Sprint(person)).Grab(s.Context(), 2)
		suite.Same(s, "typed error", *suite.As[*redpacket.PacketError](s, err), redpacket.PacketError{Packet: 2, Err: want})
	}
	for name, call := range map[string]func(ctx context.Context) error{
		"Share":   func(ctx context.Context) error { return suite.Err(s.packets.For(anna).Share(ctx, 9)) },
		"Close":   func(ctx context.Context) error { return suite.Err(s.packets.Close(ctx, 9)) },
		"Confirm": func(ctx context.Context) error { return suite.Err(s.packets.Confirm(ctx, 9)) },
	} {
		suite.Same(s, "typed error of "+name, *suite.As[*redpacket.PacketError](s, call(s.Context())),
			redpacket.PacketError{Packet: 9, Err: redpacket.ErrNotFound})
	}
}
