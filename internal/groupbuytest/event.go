package groupbuytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
)

// eventCases are about what leaves the library.
func eventCases() []testCase {
	return []testCase{
		{Name: "EventsTellWhatHappenedInItsOrder", Run: eventsInOrder},
		{Name: "EventsCarryWhatAHandlerNeeds", Run: eventsCarry},
		{Name: "EventsOfATeamWaitForTheOneBefore", Run: eventsWait},
		{Name: "EventsOfOtherTeamsDoNotWait", Run: eventsApart},
		{Name: "EventsAreGivenToOneHandlerAtATime", Run: eventsOneAtATime},
		{Name: "EventsAreDoneOnce", Run: eventsOnce},
		{Name: "EventsAHandlerMayUseTheGroups", Run: eventsReentrant},
		{Name: "RefundWhoseHandlerFailsStaysDue", Run: refundFails},
		{Name: "RunSweepsAndDelivers", Run: runDelivers},
	}
}

func eventsInOrder(s *scene) {
	s.opened(people(4), 90)
	code := s.team([]string{anna, ben, carol, dan}, "1", "2")
	s.refund("2")
	s.Advance(hold)
	s.sweep()
	s.late(s.groups, "3", groupbuy.ErrExpired)
	s.form(code)
	s.refund("1")
	got := s.told(code)
	var kinds []groupbuy.EventKind
	for i, e := range got {
		kinds = append(kinds, e.Kind)
		suite.Same(s, "number", e.No, int64(i+1))
		suite.Same(s, "ID", e.ID(), fmt.Sprintf("%s/%d", code, i+1))
	}
	released, owed, formed := groupbuy.SeatReleased, groupbuy.RefundOwed, groupbuy.TeamFormed
	suite.Same(s, "events", kinds, []groupbuy.EventKind{owed, released, released, owed, formed, owed})
	s.SameTime("first", got[0].At, s.now().Add(-hold))
	s.SameTime("last", got[5].At, s.now())
	for i, e := range s.deliver() {
		suite.Same(s, "event that is delivered", [2]any{e.ID(), e.Kind}, [2]any{got[i].ID(), got[i].Kind})
		suite.Same(s, "tries", e.Tries, 1)
	}
	for _, e := range s.told(code) {
		s.SameTime("done", e.DoneAt, s.now())
	}
	s.Count("events that are left", len(s.deliver()), 0)
	s.only(suite.Err(suite.Gather(s.groups.Events(s.Context(), sample))), groupbuy.ErrUnknownTeam)
}

func eventsCarry(s *scene) {
	s.opened(volume("10"), 10_000)
	code := s.openAs(buyVolume("1", anna, "5")).Team
	for order, buyer := range map[string]string{"2": ben, "3": carol, "4": dan} {
		s.joinAs(code, buyVolume(order, fmt.Sprint(buyer), "5"))
	}
	s.pay("2")
	s.Advance(time.Second)
	s.pay("1")
	s.pay("3")
	s.refund("2")
	s.Advance(hold)
	s.sweep()
	team := s.is(code, groupbuy.Formed)
	events := s.deliver()
	s.Count("events", len(events), 4)
	for i, want := range []news{hasFormed(), added("3"), owes("2"), released("4")} {
		e := events[i]
		suite.Same(s, "event", news{e.Kind, e.Order}, want)
		suite.Same(s, "team", e.Team, team)
		if want.order == "" {
			suite.Same(s, "seat of the team", e.Seat, groupbuy.Seat{})
			suite.Same(s, "members", orders(e.Members), []string{"2", "1"})
			suite.Same(s, "a member now", e.Members[0].State, groupbuy.RefundDue)
			suite.Same(s, "guest", e.Members[1].Guest, buy("1", anna).Guest)
			continue
		}
		s.Count("members", len(e.Members), 0)
		suite.Same(s, "order of the seat", e.Seat.Order, want.order)
		suite.Same(s, "refund", e.Refund(), groupbuy.RefundID(want.order))
	}
	suite.Same(s, "seat", events[3].Seat, s.seat("4", groupbuy.Expired))
}

// failingHandler is a handler that keeps what it was given and fails for some of it.
type failingHandler struct {
	mu    sync.Mutex
	given []groupbuy.Event
	fails func(e groupbuy.Event) bool
}

// errFailing is how a handler fails.
var errFailing = errors.New("groupbuytest: the handler failed")

// handle is a groupbuy.Handler.
func (f *failingHandler) handle(_ context.Context, e groupbuy.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.given = append(f.given, e)
	if f.fails != nil && f.fails(e) {
		return errFailing
	}
	return nil
}

// numbers returns the numbers of what a handler was given of a team, and forgets it.
func (f *failingHandler) numbers(code string) []int64 {
	var got []int64
	for _, e := range f.given {
		if e.Code == code {
			got = append(got, e.No)
		}
	}
	f.given = nil
	return got
}

// deliverTo delivers what is due to a handler, and ends the test unless it was done with so much of it.
func (s *scene) deliverTo(f *failingHandler, want int) {
	s.Helper()
	s.Count("events that are done", suite.Must(s.groups.Deliver(s.Context(), f.handle)), want)
}

func eventsWait(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.fail(code)
	f := &failingHandler{fails: func(e groupbuy.Event) bool { return e.No == 2 }}
	s.deliverTo(f, 1)
	suite.Same(s, "events", f.numbers(code), []int64{1, 2})
	s.deliverTo(f, 0)
	suite.Same(s, "events", f.numbers(code), nil)
	f.fails = nil
	s.Advance(groupbuy.DefaultRetryIn)
	s.deliverTo(f, 2)
	suite.Same(s, "events", f.numbers(code), []int64{2, 3})
}

func eventsApart(s *scene) {
	s.live()
	codes := map[string]bool{}
	for i := range 150 { // more than are looked up at a time
		order := strconv.Itoa(i)
		code := s.open(order, anna).Team
		codes[code] = i == 7
		s.cancel(order)
	}
	f := &failingHandler{fails: func(e groupbuy.Event) bool { return codes[e.Code] }}
	s.deliverTo(f, len(codes)-1)
	s.Count("events", len(f.given), len(codes))
}

// eventsOneAtATime has many processes deliver at once.
func eventsOneAtATime(s *scene) {
	s.live()
	for i := range 12 {
		orders := [3]string{fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i)}
		code := s.open(orders[0], anna).Team
		s.join(code, orders[1], ben)
		s.join(code, orders[2], carol)
		s.pay(orders[0])
		s.pay(orders[1])
		s.fail(code)
	}
	var mu sync.Mutex
	busy, done := map[string]bool{}, map[string][]int64{}
	errs := suite.Together(6, func(int) error {
		return suite.Err(s.groups.Deliver(s.Context(), func(_ context.Context, e groupbuy.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if busy[e.Code] {
				return fmt.Errorf("two handlers at once are at team %q", e.Code) //nolint:err113 // the test says so below
			}
			busy[e.Code] = true
			mu.Unlock()
			_, err := s.groups.Team(s.Context(), e.Code) // takes a while
			mu.Lock()
			busy[e.Code] = false
			done[e.Code] = append(done[e.Code], e.No)
			return err
		}))
	})
	s.Each(errs)
	s.Count("events that were left", len(s.deliver()), 0)
	s.Count("teams", len(done), 12)
	for code, numbers := range done {
		suite.Same(s, "events of "+code, numbers, []int64{1, 2, 3, 4})
		for _, e := range s.told(code) {
			suite.Same(s, "how it was delivered", []any{e.Tries, e.Failure, e.DoneAt.IsZero()}, []any{int64(1), "", false})
		}
	}
}

func eventsOnce(s *scene) {
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	s.Count("events", len(s.deliver()), 1)
	s.Advance(10 * day)
	s.Count("events", len(s.deliver()), 0)
	s.refund("1")
	s.Advance(time.Minute)
	s.Count("events", len(s.deliver()), 1)
	s.sweep()
}

// eventsReentrant has a handler do what shops do.
func eventsReentrant(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2", "3")
	n := suite.Must(s.groups.Deliver(s.Context(), func(ctx context.Context, e groupbuy.Event) error {
		if e.Kind == groupbuy.TeamFormed { // and one of them cannot be turned into an order
			return suite.Err(s.groups.Refund(ctx, byHand(e.Members[1].Order)))
		}
		seat, err := s.groups.Seat(ctx, e.Order)
		if err == nil && seat.State != groupbuy.RefundDue {
			err = fmt.Errorf("the seat is %v", seat.State) //nolint:err113 // the event would fail
		}
		return err
	}))
	s.Count("events", n, 2)
	s.seat("2", groupbuy.Refunded)
	s.tells(code, hasFormed(), owes("2"))
}

func refundFails(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol}, "1", "2")
	s.fail(code)
	f := &failingHandler{fails: func(e groupbuy.Event) bool { return e.Order == "1" }}
	s.deliverTo(f, 1)
	s.seat("1", groupbuy.RefundDue)
	s.seat("2", groupbuy.RefundDue)
	f.fails = nil
	s.Advance(groupbuy.DefaultRetryIn)
	s.deliverTo(f, 3)
	s.seat("1", groupbuy.Refunded)
	s.seat("2", groupbuy.Refunded)
	s.is(code, groupbuy.Failed)
	given := map[string]int{}
	for _, e := range f.given {
		if e.Kind == groupbuy.RefundOwed {
			given[e.Refund()]++
		}
	}
	suite.Same(s, "refunds that were paid or tried", given, map[string]int{groupbuy.RefundID("1"): 2, groupbuy.RefundID("2"): 1})
	for _, e := range s.told(code) {
		if e.Order == "1" {
			suite.Same(s, "tries and last failure", []any{e.Tries, e.Failure}, []any{int64(2), errFailing.Error()})
		}
	}
	s.deliverTo(f, 0)
	s.Count("refunds that are due", len(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.RefundDue))), 0)
	refunded := orders(suite.Listed(s, s.groups.Refunds(s.Context(), groupbuy.Refunded)))
	slices.Sort(refunded)
	suite.Same(s, "refunds that are done", refunded, []string{"1", "2"})
}

// runDelivers lets Run work until the handler ends it.
func runDelivers(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1", "2")
	s.Advance(forming)
	ctx, end := context.WithCancel(s.Context())
	defer end()
	var got []news
	err := s.groups.Run(ctx, func(_ context.Context, e groupbuy.Event) error {
		if got = append(got, news{e.Kind, e.Order}); len(got) == 3 {
			end()
		}
		return nil
	})
	s.Is(err, context.Canceled)
	suite.Same(s, "events", got, []news{hasFailed(), owes("1"), owes("2")})
	s.is(code, groupbuy.Failed)
	s.seat("2", groupbuy.Refunded)
}
