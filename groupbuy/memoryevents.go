package groupbuy

import (
	"cmp"
	"context"
	"iter"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// DueEvents implements Store.
func (m *Memory) DueEvents(ctx context.Context, limit int) ([]Event, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	due := m.dueEvents.first(now, limit, func(d memoryDue) bool {
		team := m.teams[d.id]
		return d.no == team.first() && d.at.Equal(team.due)
	})
	events := make([]Event, len(due))
	for i, d := range due {
		events[i] = m.teams[d.id].events[d.no-1]
	}
	return events, nil
}

// event returns the team of an event, and the event as it is kept, to be changed there; nil where there is none, or
// it is neither the first undone of its team nor set aside.
func (m *Memory) event(code string, no int64) (*memoryTeam, *Event) {
	team := m.teams[code]
	if team == nil || no < 1 || no > int64(len(team.events)) {
		return nil, nil
	}
	if is := &team.events[no-1]; is.Poisoned || no == team.first() {
		return team, is
	}
	return nil, nil
}

// first returns the number of the first undone event of a team; where it has none, that of the next it will have.
func (t *memoryTeam) first() int64 { return int64(t.next) + 1 }

// Lease implements Store.
func (m *Memory) Lease(ctx context.Context, event Event, holdFor time.Duration) (stock.Verdict, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	team, is := m.event(event.Code, event.No)
	if is == nil || is.Poisoned || is.Tries != event.Tries || now.Before(team.due) {
		return stock.Refused, nil
	}
	is.Tries++
	m.schedule(team, now.Add(holdFor))
	return stock.Done, nil
}

// Delivered implements Store.
func (m *Memory) Delivered(ctx context.Context, event Event) (stock.Verdict, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	team, is := m.event(event.Code, event.No)
	if is == nil {
		return stock.Refused, nil
	}
	if is.Kind == RefundOwed && m.seats[is.Order].State == RefundDue {
		change := m.change(now)
		if err := change.move(StepReturn, 0, is.Order); err != nil {
			return stock.Refused, err
		}
		change.keep()
	}
	is.DoneAt, is.Poisoned = now, false
	if is.No == team.first() {
		m.advance(team, now)
	}
	return stock.Done, nil
}

// Undelivered implements Store.
func (m *Memory) Undelivered(ctx context.Context, event Event, failure string, retryIn time.Duration, poison bool) (stock.Verdict, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	team, is := m.event(event.Code, event.No)
	if is == nil || is.Tries != event.Tries {
		return stock.Refused, nil
	}
	is.Failure = failure
	switch {
	case is.Poisoned: // it stays so
	case poison:
		is.Poisoned = true
		m.advance(team, now)
	default:
		m.schedule(team, now.Add(retryIn))
	}
	return stock.Done, nil
}

// advance goes on to the next event of a team, whose first is done or set aside.
func (m *Memory) advance(team *memoryTeam, now time.Time) {
	if team.next++; team.next < len(team.events) {
		m.schedule(team, now)
	}
}

// Event implements Store.
func (m *Memory) Event(ctx context.Context, code string, no int64) (Event, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return Event{}, err
	}
	defer end()
	if team := m.teams[code]; team != nil && no >= 1 && no <= int64(len(team.events)) {
		return team.events[no-1], nil
	}
	return Event{}, nil
}

// Events implements Store.
func (m *Memory) Events(ctx context.Context, code string, poisoned bool, after EventCursor, limit int) ([]Event, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	match := func(e Event) bool {
		if code != "" && e.No <= after.No || code == "" && (EventCursor{e.Code, e.No}).compare(after) <= 0 {
			return false
		}
		return e.Poisoned || !poisoned
	}
	return first(m.eventsOf(code), limit, match, func(a, b Event) int {
		return EventCursor{a.Code, a.No}.compare(EventCursor{b.Code, b.No})
	}), nil
}

func (c EventCursor) compare(other EventCursor) int {
	return cmp.Or(strings.Compare(c.Code, other.Code), cmp.Compare(c.No, other.No))
}

// eventsOf returns the events of a team, or of all where it is empty.
func (m *Memory) eventsOf(code string) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		each := func(team *memoryTeam) bool {
			for _, e := range team.events {
				if !yield(e) {
					return false
				}
			}
			return true
		}
		if code != "" {
			if team := m.teams[code]; team != nil {
				each(team)
			}
			return
		}
		for _, team := range m.teams {
			if !each(team) {
				return
			}
		}
	}
}
