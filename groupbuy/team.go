package groupbuy

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Open makes the new team of a request, with its sponsor's seat, at a moment, or returns why not. The deadline is that of
// the hold.
func (r SeatRequest) Open(at, deadline time.Time) (SeatRequest, error) {
	if !at.Before(r.Closes) {
		return SeatRequest{}, &ProductError{Key: stock.Key{Activity: r.Team.Activity}, Err: ErrEnded, End: r.Closes, Now: at}
	}
	t := TeamRecord{Team: r.Team}
	t.State, t.OpenedAt, t.Deadline = Forming, at, at.Add(r.Formation)
	if !r.Until.IsZero() && r.Until.Before(t.Deadline) {
		t.Deadline = r.Until
	}
	t.Sponsor, t.SponsorOrder = r.Seat.Buyer, r.Seat.Order
	t.Held, t.Paid, t.PaidVolume, t.Version = 0, 0, decimal.New(0, -VolumePlaces), 1
	r.Seat.Sponsor = true
	t.take(&r.Seat, at, deadline)
	r.Team = t.Team
	return r, nil
}

// Take gives the seat of a request its place in the team at a moment, or returns why not. Joined says that the
// buyer has a live seat in the team already.
func (t *TeamRecord) Take(seat *Seat, joined bool, at, deadline time.Time) error {
	if err := t.refuses(seat.Key, joined, at); err != nil {
		return err
	}
	t.take(seat, at, deadline)
	t.Version++
	return nil
}

// take books the seat.
func (t *TeamRecord) take(seat *Seat, at, deadline time.Time) {
	seat.Team, seat.Places, seat.TakenAt, seat.Deadline = t.Code, t.Places, at, deadline
	t.count(StepHold, seat)
}

// refuses returns why nobody can take a seat of a team at a moment, or nil; in the order of precedence
// ErrUnknownTeam, ErrOtherProduct, ErrTeamFormed, ErrTeamFailed, ErrTeamOver, ErrJoined, ErrFull.
func (t Team) refuses(product stock.Key, joined bool, at time.Time) error {
	var reason error
	switch {
	case t.Version == 0:
		reason = ErrUnknownTeam
	case t.Key != product:
		reason = ErrOtherProduct
	case t.State == Formed:
		reason = ErrTeamFormed
	case t.State == Failed:
		reason = ErrTeamFailed
	case !at.Before(t.Deadline):
		reason = ErrTeamOver
	case joined:
		reason = ErrJoined
	case t.FreeSeats() == 0:
		reason = ErrFull
	default:
		return nil
	}
	return &TeamError{Team: t.Code, Err: reason}
}

// RefusesRegain returns why a late payment (stock.StepReacquire) cannot have a seat of a team at a moment, or nil, as refuses
// does. A seat that is Held still, since its hold has expired by itself, has its place, but no more time than others.
func (t *TeamRecord) RefusesRegain(seat Seat, joined bool, at time.Time) error {
	err := t.refuses(seat.Key, joined && seat.State != Held, at)
	if seat.State == Held && errors.Is(err, ErrFull) {
		return nil
	}
	return err
}

// count moves a seat by a step, and the counts of its team with it.
func (t *TeamRecord) count(step Step, seat *Seat) {
	row := step.Transition()
	t.Held += row.Held
	t.Paid += row.Paid
	t.PaidVolume = t.PaidVolume.Add(seat.Volume.Mul(decimal.NewFromInt(row.Paid)))
	seat.State = row.To
}

// Move moves a seat of the team by a step at a moment, together with a step of its hold, and returns the events. The
// caller has checked Transition.From, and for stock.StepReacquire also RefusesRegain. StepRegain is refused as
// Take is, and then nothing is changed.
//
// When all moves of one transaction are made, the caller asks NeedsSponsor, and then calls SetSponsor or Close.
func (t *TeamRecord) Move(step Step, seat *Seat, joined bool, at time.Time) ([]event.Event, error) {
	if step == StepRegain {
		if err := t.refuses(seat.Key, joined, at); err != nil {
			return nil, err
		}
	}
	if step == StepReturn {
		seat.State = step.Transition().To
		return nil, nil
	}
	row := step.Transition()
	t.count(step, seat)
	t.Version++
	var events []event.Event
	if row.To == Paid {
		seat.PaidAt, seat.EndedAt, seat.Status = at, time.Time{}, Forming // a seat that is regained had expired
		events = t.paid(seat, at)
	} else {
		seat.EndedAt = at
		if seat.Status == Forming { // it leaves without having been in a team that was formed
			seat.Status = Failed
		}
	}
	if row.Event != 0 {
		events = append(events, t.tell(row.Event, *seat, at))
	}
	if !row.To.Live() && t.State == Forming && t.SponsorOrder == seat.Order {
		t.needsSponsor = true // SetSponsor or Close comes
	}
	return events, nil
}

// paid says what a payment does to the team.
func (t *TeamRecord) paid(seat *Seat, at time.Time) []event.Event {
	switch {
	case t.State == Formed: // held when its team, which is by volume, was formed
		seat.Status, seat.Added = Formed, true
		return []event.Event{t.tell(event.MemberAdded, *seat, at)}
	case t.State == Forming && t.reached():
		t.FormedBy = seat.Order
		return []event.Event{t.end(Formed, ByPayment, at)}
	}
	return nil
}

// reached reports whether enough is paid.
func (t *TeamRecord) reached() bool {
	if t.ByVolume() {
		return t.PaidVolume.Cmp(t.Volume) >= 0
	}
	return t.Paid >= t.People
}

// end gives the team its last state. Where it is formed, the store gives every seat of it that is Paid the Status
// Formed, which has none yet.
func (t *TeamRecord) end(to TeamState, cause Cause, at time.Time) event.Event {
	t.State, t.Cause, t.EndedAt = to, cause, at
	kind := event.TeamFormed
	if to == Failed {
		kind = event.TeamFailed
	}
	return t.tell(kind, Seat{}, at)
}

// tell makes an event of the team, or of a seat of it.
func (t *TeamRecord) tell(kind event.Kind, of Seat, at time.Time) event.Event {
	return event.Event{
		Kind: kind, Queue: event.TeamQueue(t.Code), SKU: t.SKU, Activity: t.Activity, Order: of.Order, Buyer: of.Buyer, Ref: t.Code, At: at,
	}
}

// NeedsSponsor reports whether the sponsor has left a Forming team: it needs another sponsor, or has nobody left.
func (t *TeamRecord) NeedsSponsor() bool { return t.needsSponsor }

// SetSponsor gives a team that NeedsSponsor its next sponsor: the first of its live seats by CompareSuccessors.
func (t *TeamRecord) SetSponsor(seat Seat) {
	t.Sponsor, t.SponsorOrder, t.needsSponsor = seat.Buyer, seat.Order, false
}

// Close fails a team that NeedsSponsor and has no live seat: there is nothing left to expire.
func (t *TeamRecord) Close(at time.Time) event.Event {
	t.needsSponsor = false
	return t.end(Failed, ByLeaving, at)
}

// CompareSuccessors orders the live seats of a team by succession to its sponsor: paid seats before unpaid ones,
// then by the time of payment or of taking the seat, then by order number.
func CompareSuccessors(a, b Seat) int {
	if a.State == Paid && b.State == Paid {
		return comparePaid(a, b)
	}
	return cmp.Or(cmp.Compare(b.State, a.State), a.TakenAt.Compare(b.TakenAt), strings.Compare(a.Order, b.Order)) // Paid is the higher
}

// comparePaid orders seats by the time of payment, then by order number.
func comparePaid(a, b Seat) int {
	return cmp.Or(a.PaidAt.Compare(b.PaidAt), strings.Compare(a.Order, b.Order))
}

// atDeadline returns the state of a team after its deadline: Formed if it has reached its minimum.
func (t Team) atDeadline() TeamState {
	if t.MinPeople > 0 && t.Paid >= t.MinPeople || t.MinVolume.IsPositive() && t.PaidVolume.Cmp(t.MinVolume) >= 0 {
		return Formed
	}
	return Failed
}

// Leaves returns the step of a live seat when its team is ended at a moment; 0 where it stays. The step of its hold
// is Transition.With; a refund puts the units back on sale.
func (e TeamEnd) Leaves(seat Seat, at time.Time) Step {
	switch {
	case seat.State == Held && !at.Before(seat.Deadline):
		return StepExpire
	case seat.State == Held:
		return StepCancel
	case seat.State == Paid && e.To == Failed:
		return StepRefund
	}
	return 0
}

// End ends the team, whose live seats are given in the order of CompareSuccessors, and moves each by its step of Leaves. The
// seats that stay are Paid, and get the Status Formed.
func (t *TeamRecord) End(e TeamEnd, seats []Seat, at time.Time) []event.Event {
	events := []event.Event{t.end(e.To, e.Cause, at)}
	t.Actor, t.Reason = e.Actor, e.Reason
	for i := range seats {
		seat := &seats[i]
		step := e.Leaves(*seat, at)
		if step == 0 {
			seat.Status = Formed
			continue
		}
		if e.To == Formed && seat.Order == t.SponsorOrder { // who has not paid hands over to who paid first
			t.SetSponsor(seats[0])
		}
		t.count(step, seat)
		seat.Status, seat.EndedAt = Failed, at
		kind := event.SeatReleased
		if step == StepRefund {
			kind = event.RefundOwed
		}
		events = append(events, t.tell(kind, *seat, at))
	}
	t.Version++
	return events
}

// Correct sets the counts of the team to those found in its seats.
func (t *TeamRecord) Correct(counts Counts, at time.Time) event.Event {
	t.Held, t.Paid, t.PaidVolume = counts.Held, counts.Paid, counts.PaidVolume
	t.Version++
	return t.tell(event.TeamCorrected, Seat{}, at)
}
