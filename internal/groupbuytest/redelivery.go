package groupbuytest

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
)

// redeliveryCases are about events whose delivery did not go well.
func redeliveryCases() []testCase {
	return []testCase{
		{Name: "RedeliveryAfterAPauseThatDoubles", Run: pausesDouble},
		{Name: "RedeliveryAfterAnHourAtMost", Run: pausesEnd},
		{Name: "RedeliveryOfWhatAHandlerNeverCameBackFrom", Run: handlerCrashed},
		{Name: "RedeliveryWhenTheContextEnds", Run: handlerInterrupted},
		{Name: "RedeliveryASlowHandlerMeetsAnother", Run: handlerSlow},
		{Name: "RedeliveryWhenTheAnswerIsLost", Run: deliveredLost},
		{Name: "PoisonIsSetAsideAndTheOthersGoOn", Run: poisoned},
		{Name: "PoisonIsRedeliveredByHand", Run: poisonRedelivered},
		{Name: "PoisonAHandlerThatAlwaysCrashesIsSetAside", Run: poisonCrashes},
		{Name: "RedeliverIsForWhatIsSetAside", Run: redeliverRefused},
	}
}

// lost returns a team with one event, which a handler is to be given.
func (s *scene) lost() string {
	s.Helper()
	s.live()
	code := s.open("1", anna).Team
	s.cancel("1")
	s.tells(code, hasFailed())
	return code
}

// first returns the first event of a team.
func (s *scene) first(code string) groupbuy.Event {
	s.Helper()
	return s.told(code)[0]
}

// always fails.
func always(groupbuy.Event) bool { return true }

func pausesDouble(s *scene) {
	code := s.lost()
	var told []error
	s.groups = s.with(groupbuy.Options{RetryIn: 10 * time.Second, OnError: func(err error) { told = append(told, err) }})
	f := &failingHandler{fails: always}
	pause := 10 * time.Second
	for try := range 5 {
		s.deliverTo(f, 0)
		suite.Same(s, "events", f.numbers(code), []int64{1})
		e := s.first(code)
		suite.Same(s, "tries and failure", []any{e.Tries, e.Failure, e.Poisoned}, []any{int64(try + 1), errFailing.Error(), false})
		s.Advance(pause - instant)
		s.deliverTo(f, 0)
		suite.Same(s, "events", f.numbers(code), nil)
		s.Advance(instant)
		pause *= 2
	}
	s.Count("errors", len(told), 5)
	s.Is(told[0], errFailing)
	suite.Same(s, "event", suite.As[*groupbuy.EventError](s, told[4]).Event.ID(), code+"/1")
	f.fails = nil
	s.deliverTo(f, 1)
	suite.Same(s, "tries", f.given[0].Tries, 6)
	suite.Same(s, "ID", f.given[0].ID(), code+"/1")
	s.SameTime("done", s.first(code).DoneAt, s.now())
}

func pausesEnd(s *scene) {
	code := s.lost()
	s.groups = s.with(groupbuy.Options{RetryIn: 50 * time.Minute, MaxTries: 1000})
	f := &failingHandler{fails: always}
	s.deliverTo(f, 0)
	suite.Same(s, "events", f.numbers(code), []int64{1})
	s.Advance(50 * time.Minute)
	for range 60 {
		s.deliverTo(f, 0)
		suite.Same(s, "events", f.numbers(code), []int64{1})
		s.Advance(hour - instant)
		s.deliverTo(f, 0)
		suite.Same(s, "events", f.numbers(code), nil)
		s.Advance(instant)
	}
}

// crashes delivers to a handler that does not come back.
func (s *scene) crashes(groups *groupbuy.Groups) {
	s.Helper()
	defer func() {
		if recover() == nil {
			s.Fatalf("the panic of a handler was not seen")
		}
	}()
	_, err := groups.Deliver(s.Context(), func(context.Context, groupbuy.Event) error { panic("the process is gone") })
	s.Fatalf("Deliver came back: %v", err)
}

func handlerCrashed(s *scene) {
	code := s.lost()
	s.crashes(s.groups)
	e := s.first(code)
	suite.Same(s, "tries", []any{e.Tries, e.DoneAt.IsZero()}, []any{int64(1), true})
	s.Count("events before the lease has run out", len(s.deliver()), 0)
	s.Advance(groupbuy.DefaultLeaseFor - instant)
	s.Count("events before the lease has run out", len(s.deliver()), 0)
	s.Advance(instant)
	events := s.deliver()
	s.Count("events after it", len(events), 1)
	suite.Same(s, "event", []any{events[0].ID(), events[0].Tries}, []any{code + "/1", int64(2)})
	s.crashesNot()
}

// crashesNot ends the test if a handler is given anything.
func (s *scene) crashesNot() {
	s.Helper()
	s.Advance(10 * day)
	s.Count("events", len(s.deliver()), 0)
}

func handlerInterrupted(s *scene) {
	code := s.lost()
	for i := range 3 { // whose events are left to the next
		s.cancel(s.open(numbered(0, i), ben).Order)
	}
	var told []error
	s.groups = s.with(groupbuy.Options{OnError: func(err error) { told = append(told, err) }})
	for try, failure := range []error{context.Canceled, errFailing, nil} {
		ctx, end := context.WithCancel(s.Context())
		f := &failingHandler{}
		n, err := s.groups.Deliver(ctx, func(ctx context.Context, e groupbuy.Event) error {
			end()
			return errors.Join(f.handle(ctx, e), failure)
		})
		s.Is(err, context.Canceled)
		s.Count("calls", len(f.given), 1)
		e := suite.Must(s.Store.Event(s.Context(), f.given[0].Code, 1))
		suite.Same(s, "tries and failure", []any{e.Tries, e.Failure}, []any{int64(1), ""})
		s.Count("errors", len(told), 0) // an end is no failure of the handler
		suite.Same(s, "done", []any{n, e.DoneAt.IsZero()}, []any{try / 2, failure != nil})
	}
	s.Count("events", len(s.deliver()), 1)
	s.Advance(groupbuy.DefaultLeaseFor)
	s.Count("events", len(s.deliver()), 2)
	suite.Same(s, "is done", s.first(code).DoneAt.IsZero(), false)
	s.crashesNot()
}

// handlerSlow has the lease run out while the handler works.
func handlerSlow(s *scene) {
	code := s.lost()
	n := suite.Must(s.groups.Deliver(s.Context(), func(context.Context, groupbuy.Event) error {
		s.Advance(groupbuy.DefaultLeaseFor)
		s.Count("events that another is given", len(s.deliver()), 1)
		return nil
	}))
	s.Count("events that are done once more", n, 0)
	suite.Same(s, "tries", s.first(code).Tries, 2)
	s.open("2", anna)
	failed := s.open("3", ben).Team
	s.cancel("3")
	n = suite.Must(s.groups.Deliver(s.Context(), func(context.Context, groupbuy.Event) error {
		s.Advance(groupbuy.DefaultLeaseFor)
		s.Count("events that another is given", len(s.deliver()), 1)
		return errFailing // which is not how it ended
	}))
	s.Count("events that are done once more", n, 0)
	suite.Same(s, "failure", []any{s.first(failed).Failure, s.first(failed).DoneAt.IsZero()}, []any{"", false})
}

func deliveredLost(s *scene) {
	s.live()
	code := s.open("1", anna).Team
	s.pay("1")
	s.fail(code)
	for _, method := range []string{"Lease", "Team"} { // before the handler is given anything
		f := &failingHandler{}
		deaf := s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnknown, suite.Named(method))})
		s.only(suite.Err(deaf.Deliver(s.Context(), f.handle)), groupbuy.ErrUnknown)
		s.Count("events", len(f.given), 0)
	}
	for _, before := range []bool{true, false} {
		w := suite.Wire{Reply: suite.Fails(groupbuy.ErrUnknown, suite.Named("Delivered"))}
		if before {
			w = suite.Wire{Send: w.Reply}
		}
		f := &failingHandler{}
		s.only(suite.Err(s.over(w).Deliver(s.Context(), f.handle)), groupbuy.ErrUnknown)
		s.Count("events", len(f.given), 1)
		suite.Same(s, "ID", f.given[0].ID(), code+"/1")
		if before {
			s.Advance(groupbuy.DefaultLeaseFor)
		}
	}
	suite.Same(s, "tries", s.first(code).Tries, 2)
	deaf := s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnknown, suite.Named("Seat"))})
	s.only(suite.Err(deaf.Deliver(s.Context(), ignore)), groupbuy.ErrUnknown)
	suite.Same(s, "the rest", len(s.deliver()), 1)
	s.seat("1", groupbuy.Refunded)
}

// poisoning returns groups that set an event aside after three tries, and what was set aside, by now.
func (s *scene) poisoning() (list func() []string) {
	s.groups = s.with(groupbuy.Options{MaxTries: 3, OnError: func(err error) {
		e := suite.As[*groupbuy.EventError](s, err).Event
		suite.Same(s, "event that failed is set aside", e.Poisoned, e.Tries == 3)
	}})
	return func() []string {
		s.Helper()
		var ids []string
		for _, e := range suite.Listed(s, s.groups.Poisoned(s.Context())) {
			suite.Same(s, "poisoned", e.Poisoned, true)
			ids = append(ids, e.ID())
		}
		return ids
	}
}

func poisoned(s *scene) {
	s.live()
	list := s.poisoning()
	code := s.team([]string{anna, ben}, "1", "2")
	s.fail(code)
	f := &failingHandler{fails: func(e groupbuy.Event) bool { return e.Order == "1" }}
	for try := range 3 {
		s.Count("events that are set aside", len(list()), 0)
		s.Advance(hour)
		n := suite.Must(s.groups.Deliver(s.Context(), f.handle))
		suite.Same(s, "events that are done", n, []int{1, 0, 1}[try]) // with the last try, the next is due at once
	}
	suite.Same(s, "events", f.numbers(code), []int64{1, 2, 2, 2, 3})
	suite.Same(s, "events that are set aside", list(), []string{code + "/2"})
	e := s.told(code)[1]
	suite.Same(s, "event", []any{e.Tries, e.Failure, e.Poisoned, e.DoneAt}, []any{int64(3), errFailing.Error(), true, time.Time{}})
	s.seat("1", groupbuy.RefundDue)
	s.seat("2", groupbuy.Refunded)
	s.crashesNot()
	s.seat("1", groupbuy.RefundDue)
}

func poisonRedelivered(s *scene) {
	s.live()
	list := s.poisoning()
	code := s.team([]string{anna}, "1")
	s.fail(code)
	f := &failingHandler{fails: func(e groupbuy.Event) bool { return e.Kind == groupbuy.RefundOwed }}
	var told []groupbuy.Effect
	s.groups = s.with(groupbuy.Options{MaxTries: 3, Hook: func(_ context.Context, e groupbuy.Effect) { told = append(told, e) }})
	for range 3 {
		s.Advance(hour)
		s.No(suite.Err(s.groups.Deliver(s.Context(), f.handle)))
	}
	suite.Same(s, "events that are set aside", list(), []string{code + "/2"})
	_, err := s.groups.Redeliver(s.Context(), code, 2, f.handle)
	s.Is(err, errFailing)
	suite.Same(s, "event", suite.As[*groupbuy.EventError](s, err).Event.ID(), code+"/2")
	deaf := s.over(suite.Wire{Send: suite.Fails(groupbuy.ErrUnavailable, suite.Named("Delivered"))})
	s.only(suite.Err(deaf.Redeliver(s.Context(), code, 2, ignore)), groupbuy.ErrUnavailable)
	suite.Same(s, "events that are set aside", list(), []string{code + "/2"})
	s.seat("1", groupbuy.RefundDue)
	f.fails, f.given = nil, nil
	e := suite.Must(s.groups.Redeliver(s.Context(), code, 2, f.handle))
	s.SameTime("done", e.DoneAt, s.now())
	s.Count("events", len(f.given), 1)
	suite.Same(s, "refund", f.given[0].Refund(), groupbuy.RefundID("1"))
	suite.Same(s, "seat", []any{f.given[0].Seat.Order, f.given[0].Seat.State}, []any{"1", groupbuy.RefundDue})
	s.seat("1", groupbuy.Refunded)
	s.Count("events that are set aside", len(list()), 0)
	s.Advance(time.Minute)
	s.SameTime("done", suite.Must(s.groups.Redeliver(s.Context(), code, 2, f.handle)).DoneAt, e.DoneAt)
	s.Count("events", len(f.given), 1)
	suite.Same(s, "effects", told, []groupbuy.Effect{{Step: groupbuy.StepReturn, Order: "1", Team: code}})
}

// poisonCrashes has every process that is given the event die of it.
func poisonCrashes(s *scene) {
	s.live()
	code := s.failed3(1)
	list := s.poisoning()
	var failed []groupbuy.Event
	s.groups = s.with(groupbuy.Options{MaxTries: 3, OnError: func(err error) {
		failed = append(failed, suite.As[*groupbuy.EventError](s, err).Event)
	}})
	for range 3 {
		s.crashes(s.groups)
		s.Count("events before the lease has run out", len(s.deliver()), 0)
		s.Advance(groupbuy.DefaultLeaseFor)
	}
	s.Count("events that are done", len(s.deliver()), 2) // without a fourth try the next goes on
	suite.Same(s, "events that are set aside", list(), []string{code + "/1"})
	suite.Same(s, "tries", s.first(code).Tries, 3)
	suite.Same(s, "failure", s.first(code).Failure != "", true)
	s.Count("failures", len(failed), 1)
	suite.Same(s, "event that failed", []any{failed[0].Poisoned, failed[0].Tries}, []any{true, int64(3)})
	s.No(suite.Err(s.groups.Redeliver(s.Context(), code, 1, ignore)))
}

func redeliverRefused(s *scene) {
	code := s.lost()
	never := func(context.Context, groupbuy.Event) error {
		s.Errorf("a handler was called")
		return errors.New("groupbuytest: called") //nolint:err113 // the test has failed
	}
	s.only(suite.Err(s.groups.Redeliver(s.Context(), sample, 1, never)), groupbuy.ErrUnknownTeam)
	s.only(suite.Err(s.groups.Redeliver(s.Context(), code, 2, never)), groupbuy.ErrUnknownEvent)
	_, err := s.groups.Redeliver(s.Context(), code, 1, never) // Deliver comes to it
	s.only(err, groupbuy.ErrNotPoisoned)
	s.deliver()
	e := suite.Must(s.groups.Redeliver(s.Context(), code, 1, never))
	suite.Same(s, "done", e.DoneAt.IsZero(), false)
}
