package groupbuytest

import (
	"slices"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Balanced ends the test unless all books balance: the audit finds no drift, no unit came or went, every team counts
// its seats, nobody who left is in a formed team, and each order has the refund that it is owed, once.
func (s *scene) Balanced() {
	s.Helper()
	report := suite.Must(s.groups.Audit(s.Context()))
	for _, drift := range report.Drifts {
		s.Errorf("drift: %+v", drift)
	}
	for _, drift := range report.Units.Drifts {
		s.Errorf("drift of the units: %v", drift)
	}
	for _, seat := range report.Mismatched {
		s.Errorf("seat astray: %+v", seat)
	}
	products := 0
	pooled := map[int64]int64{}
	for _, activity := range suite.Listed(s, s.groups.Activities(s.Context())) {
		for _, p := range suite.Listed(s, s.groups.Products(s.Context(), activity.ID)) {
			products++
			pooled[p.SKU] += s.pooled(p)
		}
	}
	for sku, owned := range s.owned {
		if got := s.item(stock.Key{SKU: sku}).Total + pooled[sku]; got != owned {
			s.Errorf("SKU %d: %d units in ordinary stock and pools, there were %d", sku, got, owned)
		}
	}
	teams := s.teams()
	for _, team := range teams {
		s.balances(team)
	}
	if report.Products != products || report.Teams != len(teams) {
		s.Errorf("the audit looked at %d products and %d teams of %d and %d", report.Products, report.Teams, products, len(teams))
	}
	if s.Failed() {
		s.FailNow()
	}
}

// teams returns all teams there are.
func (s *scene) teams() []groupbuy.Team {
	s.Helper()
	var all []groupbuy.Team
	for _, state := range []groupbuy.TeamState{groupbuy.Forming, groupbuy.Formed, groupbuy.Failed} {
		all = append(all, suite.Listed(s, s.groups.Teams(s.Context(), groupbuy.TeamFilter{State: state}))...)
	}
	return all
}

// pooled looks at a product and returns how many units there are in its pool.
func (s *scene) pooled(p groupbuy.Product) int64 {
	s.Helper()
	book, err := s.Store.FormedPeople(s.Context(), p.Key)
	s.No(err)
	if book.Recount != p.Formed || book.Formed != p.Formed {
		s.Errorf("%v: %d people formed, of %d seats (and %d)", p.Key, p.Formed, book.Recount, book.Formed)
	}
	item, err := s.ordinary().Item(s.Context(), p.Key)
	if suite.Matches(err, stock.ErrUnknownSKU) && p.State == groupbuy.Preparing {
		return 0 // that is as far as its Offer came
	}
	s.No(err)
	if p.State == groupbuy.Settled && (item.Left != 0 || item.Locked != 0) {
		s.Errorf("%v is settled, its pool is %v", p.Key, item)
	}
	return item.Total
}

// balances looks at one team.
func (s *scene) balances(t groupbuy.Team) {
	s.Helper()
	seats := s.members(t.Code)
	held, paid, live, bought := int64(0), int64(0), map[string]bool{}, decimal.Decimal{}
	for _, seat := range seats {
		if seat.Team != t.Code || seat.Key != t.Key {
			s.Errorf("team %q of %v has the seat %+v", t.Code, t.Key, seat)
		}
		switch seat.State {
		case groupbuy.Held:
			held++
		case groupbuy.Paid:
			paid++
			bought = bought.Add(seat.Volume)
		default: // it is none of the team any more
		}
		if seat.State.Live() {
			if live[seat.Buyer] {
				s.Errorf("team %q: buyer %q has two seats", t.Code, seat.Buyer)
			}
			live[seat.Buyer] = true
		}
		s.follows(t, seat)
	}
	if t.Held != held || t.Paid != paid || !t.PaidVolume.Equal(bought) {
		s.Errorf("team %q counts %d held, %d paid, %v; its seats are %d, %d, %v", t.Code, t.Held, t.Paid, t.PaidVolume, held, paid, bought)
	}
	if !t.ByVolume() && held+paid > t.People {
		s.Errorf("team %q of %d has %d seats", t.Code, t.People, held+paid)
	}
	sponsor := slices.IndexFunc(seats, func(seat groupbuy.Seat) bool { return seat.Order == t.SponsorOrder })
	switch {
	case sponsor < 0 || seats[sponsor].Buyer != t.Sponsor:
		s.Errorf("team %q: sponsor %q by %q is none of its members", t.Code, t.Sponsor, t.SponsorOrder)
	case t.State == groupbuy.Formed && !t.ByVolume() && seats[sponsor].Status != groupbuy.Formed,
		t.State == groupbuy.Forming && !seats[sponsor].State.Live():
		s.Errorf("team %q: its sponsor's seat is %v", t.Code, seats[sponsor].State)
	}
	s.ended(t, seats)
	s.tellsAll(t, seats)
}

// follows looks at one seat of a team, and at its hold.
func (s *scene) follows(t groupbuy.Team, seat groupbuy.Seat) {
	s.Helper()
	h := suite.Must(s.ordinary().Hold(s.Context(), seat.Order))
	if !seat.State.Matches(h.State, t.State == groupbuy.Formed && seat.Status == groupbuy.Formed) {
		s.Errorf("seat %q is %v, its hold is %v", seat.Order, seat.State, h.State)
	}
	if len(h.Lines) != 1 || h.Lines[0].Key() != seat.Key || h.Buyer != seat.Buyer || !h.Deadline.Equal(seat.Deadline) {
		s.Errorf("seat %+v has the hold %+v", seat, h)
	}
	if seat.Deadline.After(t.Deadline) {
		s.Errorf("seat %q is held until %v, its team lives until %v", seat.Order, seat.Deadline, t.Deadline)
	}
	back := seat.State == groupbuy.RefundDue || seat.State == groupbuy.Refunded
	left := back || seat.State == groupbuy.Cancelled || seat.State == groupbuy.Expired
	switch {
	case seat.EndedAt.IsZero() == left:
		s.Errorf("seat %q is %v and ended at %v", seat.Order, seat.State, seat.EndedAt)
	case seat.State == groupbuy.Paid && seat.PaidAt.IsZero(), !seat.PaidAt.IsZero() && !back && seat.State != groupbuy.Paid:
		s.Errorf("seat %q is %v and was paid at %v", seat.Order, seat.State, seat.PaidAt)
	case seat.Status == groupbuy.Formed && (t.State != groupbuy.Formed || seat.PaidAt.IsZero()):
		s.Errorf("seat %q, paid at %v, is in a formed team, and the team is %v", seat.Order, seat.PaidAt, t.State)
	case seat.Status == groupbuy.Formed && left && seat.EndedAt.Before(t.EndedAt):
		s.Errorf("seat %q left at %v, before its team was formed", seat.Order, seat.EndedAt)
	case seat.Status == groupbuy.Forming && !seat.State.Live():
		s.Errorf("seat %q is %v, and waits for its team", seat.Order, seat.State)
	case seat.State == groupbuy.Paid && seat.Status != t.State:
		s.Errorf("seat %q is paid and its team %v; it says %v", seat.Order, t.State, seat.Status)
	}
}

// ended looks at how a team came to its end.
func (s *scene) ended(t groupbuy.Team, seats []groupbuy.Seat) {
	s.Helper()
	in, in2 := int64(0), decimal.Decimal{} // who was there when it was formed, and with how much
	for _, seat := range seats {
		if seat.Status == groupbuy.Formed && !seat.Added {
			in++
			in2 = in2.Add(seat.Volume)
		}
	}
	reached := t.ByVolume() && in2.Cmp(t.Volume) >= 0 || !t.ByVolume() && in == t.People
	minimum := t.MinPeople > 0 && in >= t.MinPeople || t.MinVolume.IsPositive() && in2.Cmp(t.MinVolume) >= 0
	paid := t.State == groupbuy.Formed && t.Cause == groupbuy.ByPayment
	ok := (t.State == groupbuy.Forming) == t.EndedAt.IsZero() && (t.FormedBy != "") == paid
	ok = ok && (t.State != groupbuy.Failed || t.Held+t.Paid == 0)
	if !ok || !causes(t, seats, in, reached, minimum) {
		s.Errorf("team %+v ended so, with %d members and a volume of %v", t, in, in2)
	}
}

// causes reports whether what ended a team could: there were so many in it then, who were enough, or at least for
// its minimum.
func causes(t groupbuy.Team, seats []groupbuy.Seat, in int64, reached, minimum bool) bool {
	switch t.Cause {
	case groupbuy.Undecided:
		return t.State == groupbuy.Forming && !reached && t.Held+t.Paid > 0
	case groupbuy.ByPayment:
		return t.State == groupbuy.Formed && reached && slices.ContainsFunc(seats, func(seat groupbuy.Seat) bool {
			return seat.Order == t.FormedBy && seat.PaidAt.Equal(t.EndedAt)
		})
	case groupbuy.ByOperator:
		return t.Actor != "" && t.Reason != "" && (t.State == groupbuy.Formed) == (in > 0)
	case groupbuy.ByDeadline:
		return !t.EndedAt.Before(t.Deadline) && (t.State == groupbuy.Formed) == minimum
	case groupbuy.ByLeaving:
		return t.State == groupbuy.Failed
	}
	return false
}

// tellsAll looks at the events of a team: one tells how it ended, one of each refund that is owed, in the order in
// which they were done.
func (s *scene) tellsAll(t groupbuy.Team, seats []groupbuy.Seat) {
	s.Helper()
	kinds, refunds, done := map[event.Kind]int{}, map[string]event.Event{}, true
	told := s.told(t.Code)
	for i, e := range told {
		kinds[e.Kind]++
		if e.Ref != t.Code || i > 0 && e.ID <= told[i-1].ID {
			s.Errorf("team %q: event %d is %+v", t.Code, i+1, e)
		}
		if over := !e.DoneAt.IsZero() || e.Poisoned; over && !done {
			s.Errorf("team %q: event %d was delivered before the one before it", t.Code, e.ID)
		} else {
			done = over
		}
		if e.Kind == event.RefundOwed {
			if refunds[e.Order].ID > 0 {
				s.Errorf("team %q owes %q two refunds", t.Code, e.Order)
			}
			refunds[e.Order] = e
		}
	}
	formed, failed, joinedLater := 0, 0, 0
	switch t.State {
	case groupbuy.Formed:
		formed = 1
	case groupbuy.Failed:
		failed = 1
	case groupbuy.Forming:
	}
	for _, seat := range seats {
		if seat.Added {
			joinedLater++
		}
		e, owed := refunds[seat.Order]
		back := seat.State == groupbuy.RefundDue || seat.State == groupbuy.Refunded
		if owed != back || seat.State == groupbuy.RefundDue && !e.DoneAt.IsZero() {
			s.Errorf("seat %q is %v; the event of its refund is %+v", seat.Order, seat.State, e)
		}
	}
	if kinds[event.TeamFormed] != formed || kinds[event.TeamFailed] != failed ||
		kinds[event.MemberAdded] != joinedLater {
		s.Errorf("team %q is %v, has %d members that were added, and tells %v", t.Code, t.State, joinedLater, kinds)
	}
}
