package redpackettest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// guardCases asks the store itself: for what packets meet only in a race, or never.
func guardCases() []testCase {
	return []testCase{
		{Name: "StoreAdd", Run: guardAdd},
		{Name: "StoreAddClosesTheGrabOfTheSender", Run: guardSender},
		{Name: "StoreOpen", Run: guardOpen},
		{Name: "StoreOpenStrictlyBeforeTheEnd", Run: guardOpenEnd},
		{Name: "StoreEndAsClosed", Run: guardClose},
		{Name: "StoreEndAsExpired", Run: guardExpire},
		{Name: "StoreDrop", Run: guardDrop},
		{Name: "StoreReturnOfWhatIsOverAndUnpaid", Run: guardReturnExpired},
		{Name: "StoreReturnOfWhatWasClosedUnpaid", Run: guardReturnClosed},
		{Name: "StoreMovesFromTheRightStateOnly", Run: guardStates},
		{Name: "StoreUnitsAreTheShares", Run: guardUnits},
		{Name: "StoreUnitsOfWhatHasNoShareAreNotTaken", Run: guardNoShare},
		{Name: "StoreUnitsGoToGrabsOnly", Run: guardGrabs, Damages: true},
		{Name: "StoreTheLastShareFinishes", Run: guardLast},
	}
}

// recorded returns the record of a packet of the sender, as Packets hands it to a store.
func recorded(id, total, count int64) redpacket.Record {
	return redpacket.Record{
		ID: id, Sender: sender, Places: 2,
		Split: redpacket.Split{Total: total, Count: count, Min: 1, Seed: [32]byte{7, 255, 31: 1}},
	}
}

// add adds a record, which lives for a day where it has no end.
func (s *scene) add(r redpacket.Record) {
	s.Helper()
	s.Answers(stock.Done)(s.Store.Add(s.Context(), r, false, 24*time.Hour))
}

// record returns a packet as it is kept, and ends the test unless it is in a state.
func (s *scene) record(id int64, want redpacket.State) redpacket.Record {
	s.Helper()
	r, _, err := s.Store.Record(s.Context(), id)
	s.No(err)
	suite.Same(s, "state", r.State, want)
	return r
}

// take asks the units for the share of a person.
func (s *scene) take(id int64, person string) (stock.Verdict, error) {
	order := stock.Order{
		ID: redpacket.GrabID(id, person), Lines: []stock.Line{{SKU: id, Num: 1}}, Immediate: true,
		Beside: []stock.Companion{redpacket.Grab{Packet: id, Person: person}},
	}
	locking, err := s.Store.Units().Lock(s.Context(), order, time.Hour)
	return locking.Verdict, err
}

func guardAdd(s *scene) {
	now := s.now()
	r := recorded(1, 1000, 4)
	r.Split.Min, r.Split.Max, r.Split.Equal = 100, 400, true
	r.Start, r.End, r.OwnEnd = now.Add(time.Hour), now.Add(2*time.Hour), true
	s.add(r)
	want := r
	want.State, want.Left, want.CreatedAt = redpacket.Unpaid, 1000, now
	suite.Same(s, "record", s.record(1, redpacket.Unpaid), want)
	item := s.everything(1).Item
	suite.Same(s, "terms of the item", item.Terms, stock.Terms{OffShelf: true, Start: r.Start, End: r.End})
	suite.Same(s, "counters of the item", item.Quantities, stock.Quantities{Total: 4, Left: 4})

	s.Advance(time.Minute)
	other := recorded(1, 2000, 5)
	s.Answers(stock.Exists)(s.Store.Add(s.Context(), other, true, time.Hour))
	suite.Same(s, "record", s.record(1, redpacket.Unpaid), want)

	s.add(recorded(2, 1000, 4))
	added := s.record(2, redpacket.Unpaid)
	s.SameTime("end that was added", added.End, now.Add(time.Minute+24*time.Hour))
	suite.Same(s, "end was given", added.OwnEnd, false)
	suite.Same(s, "start", added.Start, time.Time{})
	s.SameTime("end of the item", s.everything(2).Item.End, added.End)

	big := recorded(math.MaxInt64, math.MaxInt64, redpacket.MaxCount)
	big.Sender, big.Places, big.Split.Max = fmt.Sprint(math.MaxInt64), 8, math.MaxInt64
	for i := range big.Split.Seed {
		big.Split.Seed[i] = byte(255 - i) // every bit of a seed counts
	}
	s.add(big)
	got := s.record(math.MaxInt64, redpacket.Unpaid)
	suite.Same(s, "split", got.Split, big.Split)
	suite.Same(s, "sender", got.Sender, big.Sender)
	suite.Same(s, "places", got.Places, big.Places)
}

func guardSender(s *scene) {
	s.add(recorded(1, 100, 2))
	s.Answers(stock.Done)(s.Store.Add(s.Context(), recorded(2, 100, 2), true, time.Hour))
	for id := int64(1); id <= 2; id++ {
		s.Answers(stock.Done)(s.Store.Open(s.Context(), id))
	}
	s.Answers(stock.Exists)(s.take(1, sender))
	s.Answers(stock.Done)(s.take(2, sender))
	h, _, err := s.Store.Units().Hold(s.Context(), redpacket.GrabID(1, sender))
	s.No(err)
	suite.Same(s, "state of the sender's grab", h.State, stock.Cancelled)
	s.holds(1, 0, 0, 100)
	suite.Same(s, "shares of the other", s.record(2, redpacket.Open).Taken, 1)
}

func guardOpen(s *scene) {
	s.Answers(stock.Refused)(s.Store.Open(s.Context(), 1))
	s.add(recorded(1, 100, 3))
	s.Answers(stock.Refused)(s.take(1, anna))
	s.Advance(time.Minute)
	s.Answers(stock.Done)(s.Store.Open(s.Context(), 1))
	r := s.record(1, redpacket.Open)
	s.SameTime("confirmed", r.ConfirmedAt, s.now())
	suite.Same(s, "ended", r.EndedAt, time.Time{})
	suite.Same(s, "off the shelf", s.everything(1).Item.OffShelf, false)
	s.Advance(time.Minute)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Open(s.Context(), 1)) })
	s.Answers(stock.Done)(s.take(1, anna))
}

func guardOpenEnd(s *scene) {
	s.add(recorded(1, 100, 3))
	s.add(recorded(2, 100, 3))
	s.Advance(24*time.Hour - time.Microsecond)
	s.Answers(stock.Done)(s.Store.Open(s.Context(), 1))
	s.Advance(time.Microsecond)
	s.unchanged(2, func() { s.Answers(stock.Refused)(s.Store.Open(s.Context(), 2)) })
	s.Answers(stock.Refused)(s.take(1, anna)) // it is over
}

func guardClose(s *scene) {
	s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, redpacket.Closed))
	s.open(equal(1, 100, 4))
	s.grabs(1, anna)
	s.Advance(time.Minute)
	now := s.now()
	s.Answers(stock.Done)(s.Store.End(s.Context(), 1, redpacket.Closed))
	s.SameTime("ended", s.record(1, redpacket.Closed).EndedAt, now)
	suite.Same(s, "off the shelf", s.everything(1).Item.OffShelf, true)
	want := redpacket.ShareRecord{Packet: 1, Person: sender, Places: 2, Money: 75, CreatedAt: now, DueAt: now}
	suite.Same(s, "what was left", s.everything(1).Back, want)
	suite.Same(s, "remainder", suite.Must(s.Store.Book(s.Context(), 1)).Remainder, 75)
	s.Advance(48 * time.Hour)
	s.unchanged(1, func() {
		s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, redpacket.Closed))
		s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, redpacket.Expired))
		s.Answers(stock.Refused)(s.take(1, ben))
		s.Answers(stock.Exists)(s.take(1, anna))
	})
}

func guardExpire(s *scene) {
	s.open(equal(1, 100, 4))
	s.grabs(1, anna)
	s.Advance(24*time.Hour - time.Microsecond)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, redpacket.Expired)) })
	s.Advance(time.Microsecond)
	now := s.now()
	s.Answers(stock.Done)(s.Store.End(s.Context(), 1, redpacket.Expired))
	s.SameTime("ended", s.record(1, redpacket.Expired).EndedAt, now)
	suite.Same(s, "off the shelf", s.everything(1).Item.OffShelf, true)
	s.goesBack(1, 75)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, redpacket.Expired)) })
	s.open(equal(2, 100, 4)) // whose end comes while its sender closes it
	s.Advance(24 * time.Hour)
	s.Answers(stock.Done)(s.Store.End(s.Context(), 2, redpacket.Closed))
	s.goesBack(2, 100)
}

func guardDrop(s *scene) {
	s.Answers(stock.Refused)(s.Store.Drop(s.Context(), 1))
	s.add(recorded(1, 100, 3))
	s.add(recorded(2, 100, 3))
	s.Advance(time.Minute)
	s.Answers(stock.Done)(s.Store.Drop(s.Context(), 1))
	r := s.record(1, redpacket.Closed)
	s.SameTime("ended", r.EndedAt, s.now())
	suite.Same(s, "confirmed", r.ConfirmedAt, time.Time{})
	suite.Same(s, "left", r.Left, 100)
	s.keeps(1)
	s.Advance(24 * time.Hour)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Drop(s.Context(), 1)) })
	s.Answers(stock.Done)(s.Store.Drop(s.Context(), 2)) // its end does not matter
	s.keeps(2)
}

func guardReturnExpired(s *scene) {
	s.Answers(stock.Refused)(s.Store.Return(s.Context(), 1))
	s.add(recorded(1, 100, 3))
	s.Advance(24*time.Hour - time.Microsecond)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Return(s.Context(), 1)) })
	s.Advance(time.Microsecond)
	now := s.now()
	s.Answers(stock.Done)(s.Store.Return(s.Context(), 1))
	r := s.record(1, redpacket.Expired)
	s.SameTime("ended", r.EndedAt, now)
	s.SameTime("confirmed", r.ConfirmedAt, now)
	suite.Same(s, "what goes back", s.everything(1).Back, redpacket.ShareRecord{
		Packet: 1, Person: sender, Places: 2, Money: 100, CreatedAt: now, DueAt: now,
	})
	s.Advance(time.Minute)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Return(s.Context(), 1)) })
	s.Answers(stock.Refused)(s.take(1, anna))
}

func guardReturnClosed(s *scene) {
	s.add(recorded(1, 100, 3))
	s.Answers(stock.Done)(s.Store.Drop(s.Context(), 1))
	closed := s.record(1, redpacket.Closed)
	s.Advance(time.Minute)
	now := s.now()
	s.Answers(stock.Done)(s.Store.Return(s.Context(), 1))
	r := s.record(1, redpacket.Closed)
	s.SameTime("ended", r.EndedAt, closed.EndedAt)
	s.SameTime("confirmed", r.ConfirmedAt, now)
	suite.Same(s, "what goes back", s.everything(1).Back, redpacket.ShareRecord{
		Packet: 1, Person: sender, Places: 2, Money: 100, CreatedAt: now, DueAt: now,
	})
	s.Advance(48 * time.Hour)
	s.unchanged(1, func() { s.Answers(stock.Refused)(s.Store.Return(s.Context(), 1)) })

	s.open(random(2, 100, 3)) // one that was confirmed before it was closed has given back what it had
	s.grab(2, anna)
	s.close(2, redpacket.Closed)
	s.unchanged(2, func() { s.Answers(stock.Refused)(s.Store.Return(s.Context(), 2)) })
}

// guardStates tries every move on packets in every state, before their end and after it. The moves that
// happen are tried by the other cases.
func guardStates(s *scene) {
	moves := map[string]func(id int64) (stock.Verdict, error){
		"Open":    func(id int64) (stock.Verdict, error) { return s.Store.Open(s.Context(), id) },
		"Close":   func(id int64) (stock.Verdict, error) { return s.Store.End(s.Context(), id, redpacket.Closed) },
		"Expire":  func(id int64) (stock.Verdict, error) { return s.Store.End(s.Context(), id, redpacket.Expired) },
		"Drop":    func(id int64) (stock.Verdict, error) { return s.Store.Drop(s.Context(), id) },
		"Return":  func(id int64) (stock.Verdict, error) { return s.Store.Return(s.Context(), id) },
		"Take":    func(id int64) (stock.Verdict, error) { return s.take(id, dan) },
		"Unknown": func(id int64) (stock.Verdict, error) { return s.Store.Open(s.Context(), id+1000) },
	}
	happen := map[bool]map[redpacket.State][]string{
		false: {redpacket.Unpaid: {"Open", "Drop"}, redpacket.Open: {"Close", "Take"}},
		true:  {redpacket.Unpaid: {"Drop", "Return"}, redpacket.Open: {"Close", "Expire"}},
	}
	s.send(equal(int64(redpacket.Unpaid), 10, 2))
	for state := redpacket.Open; state <= redpacket.Expired; state++ {
		s.open(equal(int64(state), 10, 2))
		s.grab(int64(state), anna)
	}
	s.grab(int64(redpacket.Finished), ben)
	s.close(int64(redpacket.Closed), redpacket.Closed)
	late := equal(int64(redpacket.Expired)+1, 10, 2)
	late.End = s.now().Add(time.Hour)
	s.open(late)
	s.Advance(time.Hour)
	s.expire(1)
	for _, over := range []bool{false, true} {
		for _, id := range []redpacket.State{redpacket.Unpaid, redpacket.Open, redpacket.Finished, redpacket.Closed, redpacket.Expired + 1} {
			state := min(id, redpacket.Expired)
			for name, move := range moves {
				if does := happen[over][state]; !slices.Contains(does, name) {
					s.unchanged(int64(id), func() {
						verdict := suite.Must(move(int64(id)))
						if verdict != stock.Refused {
							s.Fatalf("%s of a packet that is %v (over: %v) was %v", name, state, over, verdict)
						}
					})
				}
			}
		}
		s.Advance(24 * time.Hour)
	}
}

func guardUnits(s *scene) {
	s.Answers(stock.Refused)(s.take(1, anna))
	s.add(recorded(1, 1000, 5))
	s.Answers(stock.Done)(s.Store.Open(s.Context(), 1))
	split := s.record(1, redpacket.Open).Split
	left := split.Total
	for taken := range int64(3) {
		now := s.now()
		s.Answers(stock.Done)(s.take(1, fmt.Sprint(100+taken)))
		money := split.Next(left, taken)
		left -= money
		want := redpacket.ShareRecord{
			Packet: 1, No: taken + 1, Person: fmt.Sprint(100 + taken), Places: 2, Money: money, CreatedAt: now, DueAt: now,
		}
		got, there, err := s.Store.Share(s.Context(), 1, fmt.Sprint(100+taken))
		s.No(err)
		suite.Same(s, "share is there", there, true)
		suite.Same(s, "share", got, want)
		r := s.record(1, redpacket.Open)
		suite.Same(s, "taken, grabbed and left", [3]int64{r.Taken, r.Grabbed, r.Left}, [3]int64{taken + 1, 1000 - left, left})
		h, _, err := s.Store.Units().Hold(s.Context(), redpacket.GrabID(1, fmt.Sprint(100+taken)))
		s.No(err)
		suite.Same(s, "state of the grab", h.State, stock.Paid)
		suite.Same(s, "lines of the grab", h.Lines, []stock.HoldLine{{Line: stock.Line{SKU: 1, Num: 1}}})
		s.unchanged(1, func() { s.Answers(stock.Exists)(s.take(1, fmt.Sprint(100+taken))) })
		s.Advance(time.Second)
	}
	suite.Same(s, "sold", s.everything(1).Item.Quantities, stock.Quantities{Total: 5, Sold: 3, Left: 2})
	s.Answers(stock.Done)(s.Store.Units().Void(s.Context(), redpacket.GrabID(1, anna)))
	s.Answers(stock.Exists)(s.take(1, anna))
	s.holds(1, 3, 1000-left, left)
}

// guardNoShare puts an item on the shelf from outside, whose packet is not open: its units are there, and
// its shares are not.
func guardNoShare(s *scene) {
	s.add(recorded(1, 100, 3))
	item := s.everything(1).Item
	terms := item.Terms
	terms.OffShelf = false
	s.Answers(stock.Done)(s.Store.Units().SetTerms(s.Context(), item, terms, 0, stock.Change{}))
	s.unchanged(1, func() {
		s.only(suite.Err(s.take(1, anna)), redpacket.ErrDrift)
	})
	s.Answers(stock.Done)(s.Store.Open(s.Context(), 1))
	s.Answers(stock.Done)(s.take(1, anna))
}

// guardGrabs has orders of the units that are no grab: they get no share, whatever the units have. Nor does a packet get an item
// that was there before it.
func guardGrabs(s *scene) {
	s.open(random(1, 100, 3))
	s.open(random(2, 100, 3))
	one, other := stock.Line{SKU: 1, Num: 1}, stock.Line{SKU: 2, Num: 1}
	for _, order := range []stock.Order{
		{ID: "mine", Lines: []stock.Line{one}},
		{ID: redpacket.GrabID(2, anna), Lines: []stock.Line{one}},
		{ID: redpacket.GrabID(1, ben), Lines: []stock.Line{one}},
		{ID: redpacket.GrabID(1, anna), Lines: []stock.Line{{SKU: 1, Num: 2}}},
		{ID: redpacket.GrabID(1, anna), Lines: []stock.Line{one, other}},
		{ID: "01-" + anna, Lines: []stock.Line{one}},
	} {
		order.Immediate = true
		for _, beside := range [][]stock.Companion{nil, {redpacket.Grab{Packet: 1, Person: anna}}} {
			order.Beside = beside
			s.only(suite.Err(s.Store.Units().Lock(s.Context(), order, time.Hour)), redpacket.ErrDrift)
		}
	}
	s.holds(1, 0, 0, 100)
	s.holds(2, 0, 0, 100)
	suite.Same(s, "report", s.audited(), redpacket.Report{Packets: 2})

	units := stock.New(s.Store.Units(), nil)
	s.No(suite.Err(units.Define(s.Context(), stock.Key{SKU: 3}, 1, stock.Terms{})))
	s.only(suite.Err(s.packets.Send(s.Context(), random(3, 100, 1))), redpacket.ErrDrift)
}

func guardLast(s *scene) {
	s.add(recorded(1, 100, 2))
	s.Answers(stock.Done)(s.Store.Open(s.Context(), 1))
	s.Answers(stock.Done)(s.take(1, anna))
	suite.Same(s, "ended", s.record(1, redpacket.Open).EndedAt, time.Time{})
	s.Advance(time.Minute)
	s.Answers(stock.Done)(s.take(1, ben))
	r := s.record(1, redpacket.Finished)
	s.SameTime("ended", r.EndedAt, s.now())
	suite.Same(s, "left", r.Left, 0)
	suite.Same(s, "grabbed", r.Grabbed, 100)
	s.Answers(stock.Refused)(s.take(1, carol))
	s.Advance(24 * time.Hour)
	for _, to := range []redpacket.State{redpacket.Closed, redpacket.Expired} {
		s.Answers(stock.Refused)(s.Store.End(s.Context(), 1, to))
	}
	s.keeps(1)
}
