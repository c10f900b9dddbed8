package groupbuytest

import (
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardEventCases ask the store itself for the delivery of events.
func guardEventCases() []testCase {
	return []testCase{
		{Name: "StoreDueEventsAreTheFirstOfTheirTeams", Run: guardDue},
		{Name: "StoreLeaseOfWhatIsDueOnly", Run: guardLease},
		{Name: "StoreDeliveredOnce", Run: guardDelivered},
		{Name: "StoreUndeliveredOfTheLastTryOnly", Run: guardUndelivered},
		{Name: "StoreEventsBehindACursor", Run: guardEvents},
	}
}

// due returns what is due, and ends the test unless it is this.
func (s *scene) due(limit int, want ...string) []groupbuy.Event {
	s.Helper()
	events := suite.Must(s.Store.DueEvents(s.Context(), limit))
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID())
		suite.Same(s, "what is not filled in", []any{e.Team.Code, e.Seat.Order, len(e.Members)}, []any{"", "", 0})
	}
	suite.Same(s, "events that are due", ids, want)
	return events
}

// failed3 opens a team of two who have paid, and fails it: it tells three events.
func (s *scene) failed3(round int) string {
	s.Helper()
	code := s.full(round, 2, 2)
	s.fail(code)
	return code
}

func guardDue(s *scene) {
	s.live()
	s.due(10)
	first := s.failed3(1)
	s.Advance(time.Second)
	second := s.failed3(2)
	s.due(10, first+"/1", second+"/1") // the longest due first
	due := s.due(1, first+"/1")
	s.answers(stock.Done)(s.Store.Delivered(s.Context(), due[0]))
	s.Advance(time.Second)
	third := s.failed3(3)
	events := suite.Must(s.Store.DueEvents(s.Context(), 10))
	s.Count("events that are due", len(events), 3)
	for _, e := range events {
		if e.Code == second {
			s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Minute))
		}
	}
	events = suite.Must(s.Store.DueEvents(s.Context(), 10))
	for _, e := range events {
		if e.Code == second || e.Code == third && e.No != 1 || e.Code == first && e.No != 2 {
			s.Fatalf("event %s is due", e.ID())
		}
	}
}

func guardLease(s *scene) {
	s.live()
	code := s.failed3(1)
	e := s.due(10, code+"/1")[0]
	refused := func(e groupbuy.Event) {
		s.Helper()
		s.unchanged(func() { s.answers(stock.Refused)(s.Store.Lease(s.Context(), e, time.Minute)) })
	}
	second := e
	second.No = 2
	refused(second)
	tried := e
	tried.Tries = 1
	refused(tried)
	other := e
	other.Code = sample
	refused(other)
	s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Minute))
	s.due(10)
	refused(e)
	refused(tried) // it is not due
	suite.Same(s, "tries", suite.Must(s.Store.Event(s.Context(), code, 1)).Tries, 1)
	s.Advance(time.Minute - instant)
	refused(tried)
	s.Advance(instant)
	refused(e)
	s.answers(stock.Done)(s.Store.Lease(s.Context(), s.due(10, code+"/1")[0], time.Minute))
}

func guardDelivered(s *scene) {
	s.live()
	code := s.failed3(1)
	for no := range int64(3) {
		e := s.told(code)[no]
		s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Hour))
		e.Tries++
		s.Advance(time.Second)
		s.answers(stock.Done)(s.Store.Delivered(s.Context(), e))
		s.unchanged(func() { s.answers(stock.Refused)(s.Store.Delivered(s.Context(), e)) })
		s.SameTime("done", s.told(code)[no].DoneAt, s.now())
	}
	s.seat(numbered(1, 0), groupbuy.Refunded)
	s.seat(numbered(1, 1), groupbuy.Refunded)
	s.due(10)
	s.unchanged(func() {
		s.answers(stock.Refused)(s.Store.Delivered(s.Context(), groupbuy.Event{Code: code, No: 4, Kind: groupbuy.TeamFailed}))
	})
}

func guardUndelivered(s *scene) {
	s.live()
	code := s.failed3(1)
	e := s.told(code)[0]
	s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Hour))
	stale := e
	e.Tries++
	s.unchanged(func() {
		s.answers(stock.Refused)(s.Store.Undelivered(s.Context(), stale, "stale", time.Second, false))
		s.answers(stock.Refused)(s.Store.Undelivered(s.Context(), stale, "stale", time.Second, true))
	})
	s.answers(stock.Done)(s.Store.Undelivered(s.Context(), e, "first", 3*time.Second, false))
	s.Advance(3*time.Second - instant)
	s.due(10)
	s.Advance(instant)
	e = s.due(10, code+"/1")[0]
	suite.Same(s, "event", []any{e.Tries, e.Failure}, []any{int64(1), "first"})
	s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Hour))
	e.Tries++
	s.answers(stock.Done)(s.Store.Undelivered(s.Context(), e, "second", time.Second, true))
	s.due(10, code+"/2") // at once
	kept := suite.Must(s.Store.Event(s.Context(), code, 1))
	suite.Same(s, "event", []any{kept.Tries, kept.Failure, kept.Poisoned, kept.DoneAt}, []any{int64(2), "second", true, time.Time{}})
	s.answers(stock.Done)(s.Store.Delivered(s.Context(), kept))
	s.answers(stock.Refused)(s.Store.Delivered(s.Context(), kept))
	kept = suite.Must(s.Store.Event(s.Context(), code, 1))
	suite.Same(s, "event", []any{kept.Poisoned, kept.DoneAt.IsZero()}, []any{false, false})
	s.due(10, code+"/2")
	suite.Same(s, "kind of what is not there", suite.Must(s.Store.Event(s.Context(), code, 9)).Kind, 0)
}

func guardEvents(s *scene) {
	s.live()
	code := s.failed3(1)
	list := func(code string, poisoned bool, after groupbuy.EventCursor, limit int, want ...string) {
		s.Helper()
		events := suite.Must(s.Store.Events(s.Context(), code, poisoned, after, limit))
		var ids []string
		for _, e := range events {
			ids = append(ids, e.ID())
		}
		suite.Same(s, "events", ids, want)
	}
	list(code, false, groupbuy.EventCursor{}, 10, code+"/1", code+"/2", code+"/3")
	list(code, false, groupbuy.EventCursor{}, 2, code+"/1", code+"/2")
	list(code, false, groupbuy.EventCursor{Code: code, No: 2}, 10, code+"/3")
	list("", true, groupbuy.EventCursor{}, 10)
	e := s.told(code)[0]
	s.answers(stock.Done)(s.Store.Lease(s.Context(), e, time.Hour))
	e.Tries++
	s.answers(stock.Done)(s.Store.Undelivered(s.Context(), e, "x", time.Second, true))
	list("", true, groupbuy.EventCursor{}, 10, code+"/1")
	list(code, true, groupbuy.EventCursor{}, 10, code+"/1")
	list("", true, groupbuy.EventCursor{Code: code, No: 1}, 10)
	list(sample, true, groupbuy.EventCursor{}, 10)
}
