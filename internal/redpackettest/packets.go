package redpackettest

import (
	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// fen returns an amount of a currency with two places.
func fen(n int64) decimal.Decimal { return decimal.New(n, -2) }

// random returns a packet of the sender with random shares, its money in fen.
func random(id, total, count int64) redpacket.Packet {
	return redpacket.Packet{ID: id, Sender: sender, Places: 2, Total: fen(total), Count: count}
}

// equal returns one with equal shares.
func equal(id, total, count int64) redpacket.Packet {
	p := random(id, total, count)
	p.Equal = true
	return p
}

// bounded returns one whose random shares lie between two bounds, in fen; 0 is none.
func bounded(id, total, count, least, most int64) redpacket.Packet {
	p := random(id, total, count)
	p.Min, p.Max = fen(least), fen(most)
	return p
}

// send sends a packet.
func (s *scene) send(p redpacket.Packet) redpacket.Packet {
	return suite.Must(s.packets.Send(s.Context(), p))
}

// open sends a packet and confirms that it was paid for.
func (s *scene) open(p redpacket.Packet) redpacket.Packet {
	s.Helper()
	s.send(p)
	return s.confirm(p.ID, redpacket.Open)
}

// confirm confirms a packet and ends the test unless it is in a state then.
func (s *scene) confirm(id int64, want redpacket.State) redpacket.Packet {
	s.Helper()
	got := suite.Must(s.packets.Confirm(s.Context(), id))
	suite.Same(s, "state of the packet that was confirmed", got.State, want)
	return got
}

// grab grabs a share for a person.
func (s *scene) grab(id int64, person string) redpacket.Share {
	return suite.Must(s.packets.For(person).Grab(s.Context(), id))
}

// grabs lets several people grab, one after the other, and returns what each got in fen.
func (s *scene) grabs(id int64, people ...string) []int64 {
	s.Helper()
	amounts := make([]int64, len(people))
	for i, person := range people {
		amounts[i] = s.minor(s.grab(id, person).Amount)
	}
	return amounts
}

// refused ends the test unless a grab is refused for this reason, and changes nothing.
func (s *scene) refused(id int64, person string, reason error) {
	s.Helper()
	was := s.everything(id)
	s.only(suite.Err(s.packets.For(person).Grab(s.Context(), id)), reason)
	suite.Same(s, "the books after a grab that was refused", s.everything(id), was)
}

// close closes a packet and ends the test unless it is in a state then.
func (s *scene) close(id int64, want redpacket.State) redpacket.Packet {
	s.Helper()
	got := suite.Must(s.packets.Close(s.Context(), id))
	suite.Same(s, "state of the packet that was closed", got.State, want)
	return got
}

// expire ends what is over and ends the test unless it were as many packets.
func (s *scene) expire(want int) {
	s.Helper()
	s.Count("packets that expired", suite.Must(s.packets.Expire(s.Context())), want)
}

// packet returns a packet as it is, and ends the test unless it is in a state.
func (s *scene) packet(id int64, want redpacket.State) redpacket.Packet {
	s.Helper()
	p := suite.Must(s.packets.Packet(s.Context(), id))
	suite.Same(s, "state", p.State, want)
	return p
}

// holds ends the test unless a packet has given away this much in as many shares, in fen.
func (s *scene) holds(id, taken, grabbed, left int64) {
	s.Helper()
	p := suite.Must(s.packets.Packet(s.Context(), id))
	suite.Same(s, "shares that were grabbed", p.Taken, taken)
	suite.Same(s, "money that was grabbed", p.Grabbed, fen(grabbed))
	suite.Same(s, "money that is left", p.Left, fen(left))
}

// shares returns all shares of a packet.
func (s *scene) shares(id int64) []redpacket.Share {
	return suite.Must(suite.Gather(s.packets.Shares(s.Context(), id)))
}

// pending returns all payouts that are due.
func (s *scene) pending() []redpacket.Payout {
	return suite.Must(suite.Gather(s.packets.Payouts(s.Context())))
}

// payout returns a payout.
func (s *scene) payout(packet, no int64) redpacket.Payout {
	return suite.Must(s.packets.Payout(s.Context(), redpacket.PayoutNumber(packet, no)))
}

// paidOut confirms a payout.
func (s *scene) paidOut(packet, no int64) redpacket.Payout {
	s.Helper()
	p := suite.Must(s.packets.PaidOut(s.Context(), redpacket.PayoutNumber(packet, no)))
	suite.Same(s, "paid", p.Paid, true)
	return p
}

// failed reports a failure of a payout.
func (s *scene) failed(packet, no int64, reason string) redpacket.Payout {
	s.Helper()
	p := suite.Must(s.packets.PayoutFailed(s.Context(), redpacket.PayoutNumber(packet, no), reason))
	suite.Same(s, "paid", p.Paid, false)
	return p
}

// goesBack ends the test unless this much of a packet is booked to go back to its sender.
func (s *scene) goesBack(id, amount int64) redpacket.Payout {
	s.Helper()
	p := s.payout(id, 0)
	suite.Same(s, "number of what goes back", p.Number, redpacket.PayoutNumber(id, 0))
	suite.Same(s, "who it goes to", p.Person, sender)
	suite.Same(s, "what goes back", p.Amount, fen(amount))
	return p
}

// keeps ends the test if anything of a packet is booked to go back to its sender.
func (s *scene) keeps(id int64) {
	s.Helper()
	_, there, err := s.Store.Payout(s.Context(), id, 0)
	s.No(err)
	suite.Same(s, "something goes back", there, false)
}

// minor returns an amount in fen.
func (s *scene) minor(amount decimal.Decimal) int64 {
	s.Helper()
	shifted := amount.Shift(2)
	if !shifted.IsInteger() {
		s.Fatalf("%v has more than two places", amount)
	}
	return shifted.IntPart()
}

// books is everything that is kept of one packet.
type books struct {
	Record redpacket.Record
	Shares []redpacket.ShareRecord
	Back   redpacket.ShareRecord
	Item   stock.Item
	Holds  []stock.Hold
}

// everything returns it.
func (s *scene) everything(id int64) books {
	s.Helper()
	b := s.money(id)
	for h, err := range stock.New(s.Store.Units(), nil).Holds(s.Context(), stock.Filter{Key: stock.Key{SKU: id}}) {
		s.No(err)
		b.Holds = append(b.Holds, h)
	}
	return b
}

// money returns all of it but the holds.
func (s *scene) money(id int64) books {
	s.Helper()
	var b books
	var err error
	b.Record, _, err = s.Store.Record(s.Context(), id)
	s.No(err)
	b.Shares, err = s.Store.Shares(s.Context(), id, 0, 10_000)
	s.No(err)
	b.Back, _, err = s.Store.Payout(s.Context(), id, 0)
	s.No(err)
	standings, _, err := s.Store.Units().Items(s.Context(), "", []stock.Key{{SKU: id}})
	s.No(err)
	b.Item = standings[0].Item
	return b
}

// unchanged runs a call and ends the test if anything of a packet changed by it.
func (s *scene) unchanged(id int64, call func()) {
	s.Helper()
	was := s.everything(id)
	call()
	suite.Same(s, "the books", s.everything(id), was)
}
