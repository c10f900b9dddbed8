package groupbuy

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
)

// DueEvents implements Store.
func (m *Memory) DueEvents(ctx context.Context, limit int) ([]Event, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Event, error) {
		due := m.dueEvents.first(now, limit, func(d memoryDue) bool {
			team := m.teams[d.id]
			return d.no == team.first() && d.at.Equal(team.due)
		})
		events := make([]Event, len(due))
		for i, d := range due {
			events[i] = m.teams[d.id].events[d.no-1]
		}
		return events, nil
	})
}

// event returns the team of an event, and the stored event; nil where there is none.
func (m *Memory) event(code string, no int64) (*memoryTeam, *Event) {
	team := m.teams[code]
	if team == nil || no < 1 || no > int64(len(team.events)) {
		return nil, nil
	}
	return team, &team.events[no-1]
}

// openEvent is event for one that is next in its team or set aside.
func (m *Memory) openEvent(code string, no int64) (*memoryTeam, *Event) {
	team, is := m.event(code, no)
	if is == nil || !is.Poisoned && no != team.first() {
		return nil, nil
	}
	return team, is
}

// first returns the number of the next event of a team: the first that is neither done nor set aside. A team without
// such an event has the number of the event to come.
func (t *memoryTeam) first() int64 { return int64(t.next) + 1 }

// Lease implements Store.
func (m *Memory) Lease(ctx context.Context, event Event, holdFor time.Duration) (stock.Verdict, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		team, is := m.openEvent(event.Code, event.No)
		if is == nil || is.Poisoned || is.Tries != event.Tries || now.Before(team.due) {
			return stock.Refused, nil
		}
		is.Tries++
		m.schedule(team, now.Add(holdFor))
		return stock.Done, nil
	})
}

// Delivered implements Store.
func (m *Memory) Delivered(ctx context.Context, event Event) (stock.Verdict, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		team, is := m.openEvent(event.Code, event.No)
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
	})
}

// Undelivered implements Store.
func (m *Memory) Undelivered(ctx context.Context, event Event, failure string, retryIn time.Duration, poison bool) (stock.Verdict, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		team, is := m.openEvent(event.Code, event.No)
		if is == nil || is.Tries != event.Tries {
			return stock.Refused, nil
		}
		is.Failure = failure
		switch {
		case is.Poisoned: // and remains set aside
		case poison:
			is.Poisoned = true
			m.advance(team, now)
		default:
			m.schedule(team, now.Add(retryIn))
		}
		return stock.Done, nil
	})
}

// advance goes on to the next event of a team, after one that is done or set aside.
func (m *Memory) advance(team *memoryTeam, now time.Time) {
	if team.next++; team.next < len(team.events) {
		m.schedule(team, now)
	}
}

// Event implements Store.
func (m *Memory) Event(ctx context.Context, code string, no int64) (Event, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) (Event, error) {
		if _, is := m.event(code, no); is != nil {
			return *is, nil
		}
		return Event{}, nil
	})
}

// Events implements Store.
func (m *Memory) Events(ctx context.Context, code string, poisoned bool, after EventCursor, limit int) ([]Event, error) {
	return within(ctx, m, func(*stock.Memory, time.Time) ([]Event, error) {
		teams := maps.Values(m.teams)
		if team := m.teams[code]; team != nil {
			teams, after.Code = slices.Values([]*memoryTeam{team}), code
		} else if code != "" {
			return nil, nil
		}
		events := func(yield func(Event) bool) {
			for team := range teams {
				for _, e := range team.events {
					if !yield(e) {
						return
					}
				}
			}
		}
		place := func(e Event) EventCursor { return EventCursor{e.Code, e.No} }
		return allot.First(events, limit, func(e Event) bool { return place(e).compare(after) > 0 && (e.Poisoned || !poisoned) },
			func(a, b Event) int { return place(a).compare(place(b)) }), nil
	})
}

func (c EventCursor) compare(other EventCursor) int {
	return cmp.Or(strings.Compare(c.Code, other.Code), cmp.Compare(c.No, other.No))
}
