package redpackettest

import (
	"errors"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// Balanced ends the test unless all books balance: the audits find no drift, every packet's total
// is what was grabbed and what is left, every share keeps its bounds, and payouts add up to what
// left the packet.
func (s *scene) Balanced() {
	s.Helper()
	report := suite.Must(s.packets.Audit(s.Context()))
	for _, drift := range report.Drifts {
		s.Errorf("drift: %v", drift)
	}
	inUnits := suite.Must(stock.New(s.Store.Units(), nil).Audit(s.Context()))
	for _, drift := range inUnits.Drifts {
		s.Errorf("drift of the units: %v", drift)
	}
	packets := 0
	for after := int64(0); ; {
		page := suite.Must(s.Store.Records(s.Context(), after, 50))
		for _, record := range page {
			packets++
			s.balances(record)
			after = record.ID
		}
		if len(page) < 50 {
			break
		}
	}
	if report.Packets != packets || inUnits.Items != packets {
		s.Errorf("the audits looked at %d packets and %d items of %d", report.Packets, inUnits.Items, packets)
	}
	if s.Failed() {
		s.FailNow()
	}
}

// balances looks at one packet.
func (s *scene) balances(r redpacket.Record) {
	s.Helper()
	b := s.money(r.ID)
	if r.Split.Total-r.Grabbed != r.Left || r.Left < 0 || r.Taken < 0 || r.Taken > r.Split.Count {
		s.Errorf("packet %d: total %d, grabbed %d in %d of %d shares, left %d", r.ID, r.Split.Total, r.Grabbed, r.Taken, r.Split.Count, r.Left)
	}
	money, people := int64(0), map[string]bool{}
	var best redpacket.ShareRecord
	for i, share := range b.Shares {
		money += share.Money
		switch {
		case share.No != int64(i+1):
			s.Errorf("packet %d: share %d has the number %d", r.ID, i+1, share.No)
		case people[share.Person]:
			s.Errorf("packet %d: person %q has two shares", r.ID, share.Person)
		case share.Money < max(r.Split.Min, 1), r.Split.Max > 0 && share.Money > r.Split.Max:
			s.Errorf("packet %d: share %d is %d, bounds are %d and %d", r.ID, share.No, share.Money, r.Split.Min, r.Split.Max)
		}
		people[share.Person] = true
		if share.Money > best.Money {
			best = share
		}
		s.owes(r, share)
	}
	if money != r.Grabbed || int64(len(b.Shares)) != r.Taken {
		s.Errorf("packet %d: grabbed %d in %d shares, its shares are %d of %d", r.ID, r.Grabbed, r.Taken, len(b.Shares), money)
	}
	if r.BestNo != best.No || r.BestPerson != best.Person || r.BestMoney != best.Money || !r.BestAt.Equal(best.CreatedAt) {
		s.Errorf("packet %d: the best share is %+v, the record has %d of %d by %q", r.ID, best, r.BestNo, r.BestMoney, r.BestPerson)
	}
	if b.Item.Total != r.Split.Count || b.Item.Sold != r.Taken || b.Item.Left != r.Split.Count-r.Taken || b.Item.Locked != 0 {
		s.Errorf("packet %d: %d of %d shares are gone; its item is %v", r.ID, r.Taken, r.Split.Count, b.Item)
	}
	if r.State == redpacket.Finished != (r.Taken == r.Split.Count) {
		s.Errorf("packet %d is %v with %d of %d shares gone", r.ID, r.State, r.Taken, r.Split.Count)
	}
	s.remains(r, b)
}

// owes looks at the payout of a share.
func (s *scene) owes(r redpacket.Record, share redpacket.ShareRecord) {
	s.Helper()
	p, err := s.packets.Payout(s.Context(), redpacket.PayoutNumber(r.ID, share.No))
	switch {
	case err != nil:
		s.Errorf("packet %d: payout of share %d: %v", r.ID, share.No, err)
	case p.Person != share.Person, !p.Amount.Shift(r.Places).IsInteger(), p.Amount.Shift(r.Places).IntPart() != share.Money:
		s.Errorf("packet %d: the payout of share %+v is %+v", r.ID, share, p)
	}
}

// remains looks at what goes back to the sender: all that was left, of a packet that is over and was
// paid for.
func (s *scene) remains(r redpacket.Record, b books) {
	s.Helper()
	over := (r.State == redpacket.Closed || r.State == redpacket.Expired) && !r.ConfirmedAt.IsZero()
	book := suite.Must(s.Store.Book(s.Context(), r.ID))
	want := int64(-1)
	if over {
		want = r.Left
	}
	if book.Remainder != want || over != (b.Back.Packet == r.ID) || over && b.Back.Money != r.Left || over && b.Back.Person != r.Sender {
		s.Errorf("packet %d is %v with %d left; booked to go back: %d, %+v", r.ID, r.State, r.Left, book.Remainder, b.Back)
	}
	_, err := s.packets.Payout(s.Context(), redpacket.PayoutNumber(r.ID, 0))
	if over != (err == nil) || err != nil && !errors.Is(err, redpacket.ErrUnknownPayout) {
		s.Errorf("packet %d is %v: payout of what was left: %v", r.ID, r.State, err)
	}
	if (r.State == redpacket.Unpaid || r.State == redpacket.Open) != r.EndedAt.IsZero() {
		s.Errorf("packet %d is %v and ended at %v", r.ID, r.State, r.EndedAt)
	}
}
