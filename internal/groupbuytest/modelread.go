package groupbuytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// manyOfModel is more than there is of anything in a model.
const manyOfModel = 10_000

// clockOfModel reads the clock.
func clockOfModel() operation {
	return operation{Name: "the clock", Call: func(s *side) (any, error) {
		_, now, err := s.Store.Activity(s.Context(), 1)
		return now, err
	}}
}

// seatOf reads a seat.
func seatOf(order string) operation {
	return operation{Name: fmt.Sprintf("Seat(%q)", order), Call: func(s *side) (any, error) { return s.groups.Seat(s.Context(), order) }}
}

// teamOf reads a team.
func teamOf(code string) operation {
	return operation{Name: fmt.Sprintf("Team(%q)", code), Call: func(s *side) (any, error) { return s.groups.Team(s.Context(), code) }}
}

// teamOfSeat reads the team of a seat, as the store has it.
func teamOfSeat(order string) operation {
	return operation{Name: fmt.Sprintf("Store.Seat(%q)", order), Call: func(s *side) (any, error) {
		seat, team, now, err := s.Store.Seat(s.Context(), order)
		return struct {
			Seat groupbuy.Seat
			Team groupbuy.Team
			Now  time.Time
		}{seat, team, now}, err
	}}
}

// membersOf reads the seats of a team.
func membersOf(code string) operation {
	return operation{Name: fmt.Sprintf("Members(%q)", code), Call: func(s *side) (any, error) {
		return suite.Gather(s.groups.Members(s.Context(), code))
	}}
}

// eventsOf reads the events of a team.
func eventsOf(code string) operation {
	return operation{Name: fmt.Sprintf("Events(%q)", code), Call: func(s *side) (any, error) {
		events, err := suite.Gather(s.events.Of(s.Context(), event.TeamQueue(code)))
		return byTeam(events), err
	}}
}

// productOf reads a product.
func productOf(key stock.Key) operation {
	return operation{Name: fmt.Sprintf("Product(%v)", key), Call: func(s *side) (any, error) { return s.groups.Product(s.Context(), key) }}
}

// productsOf reads the products of an activity.
func productsOf(activity int64) operation {
	return operation{Name: fmt.Sprintf("Products(%d)", activity), Call: func(s *side) (any, error) {
		return suite.Gather(s.groups.Products(s.Context(), activity))
	}}
}

// teamsOf reads the teams of a filter.
func teamsOf(filter groupbuy.TeamFilter) operation {
	return operation{Name: fmt.Sprintf("Teams(%+v)", filter), Call: func(s *side) (any, error) {
		return suite.Gather(s.groups.Teams(s.Context(), filter))
	}}
}

// joinable reads the teams of a product that can be joined.
func joinable(key stock.Key) operation {
	return operation{Name: fmt.Sprintf("Joinable(%v)", key), Call: func(s *side) (any, error) {
		return suite.Gather(s.groups.Joinable(s.Context(), key))
	}}
}

// seatsOf reads the seats of a buyer.
func seatsOf(buyer string) operation {
	return operation{Name: fmt.Sprintf("Seats of %q", buyer), Call: func(s *side) (any, error) {
		return suite.Gather(s.groups.For(buyer).Seats(s.Context()))
	}}
}

// look reads what became of a seat, its team, its hold and the item of that; no order is none.
func look(order string) []operation {
	if order == "" {
		return nil
	}
	return []operation{teamOfSeat(order), {Name: fmt.Sprintf("Hold(%q)", order), Call: func(s *side) (any, error) {
		hold, _, err := s.Store.Units().Hold(s.Context(), order)
		return hold, err
	}}, {Name: fmt.Sprintf("the item of %q", order), Call: func(s *side) (any, error) {
		hold, _, err := s.Store.Units().Hold(s.Context(), order)
		if err != nil || len(hold.Lines) == 0 {
			return nil, err
		}
		items, _, err := s.Store.Units().Items(s.Context(), hold.Buyer, []stock.Key{hold.Lines[0].Key()})
		return items, err
	}}}
}

// lookAtTeam reads what became of a team and its seats.
func lookAtTeam(code string) []operation {
	return []operation{teamOf(code), membersOf(code), eventsOf(code)}
}

// due returns readings of what a sweep and a delivery would find.
func (m *model) due() []operation {
	limit := suite.Pick(m, 1, 2, 3, manyOfModel)
	return []operation{
		{Name: "LateSeats", Call: func(s *side) (any, error) {
			late, err := s.Store.LateSeats(s.Context(), "", manyOfModel)
			slices.Sort(late) // they are in no order
			return late, err
		}},
		{Name: fmt.Sprintf("LateTeams of %d", limit), Call: func(s *side) (any, error) { return s.Store.LateTeams(s.Context(), limit) }},
		{Name: fmt.Sprintf("DueActivities of %d", limit), Call: func(s *side) (any, error) { return s.Store.DueActivities(s.Context(), limit) }},
		{Name: fmt.Sprintf("DueProducts of %d", limit), Call: func(s *side) (any, error) {
			return s.Store.DueProducts(s.Context(), stock.Key{}, limit)
		}},
	}
}

// compareProduct compares all that is kept of a product.
func (m *model) compareProduct(key stock.Key) {
	m.Helper()
	m.Compare(productOf(key))
	m.Compare(joinable(key))
	m.Compare(operation{
		Name: fmt.Sprintf("Unfinished(%v)", key), Call: func(s *side) (any, error) { return s.Store.Unfinished(s.Context(), key) },
	})
	m.Compare(operation{Name: fmt.Sprintf("Books(%v)", key), Call: func(s *side) (any, error) {
		return s.Store.Books(s.Context(), key, "", manyOfModel)
	}})
	m.Compare(operation{Name: fmt.Sprintf("FormedPeople(%v)", key), Call: func(s *side) (any, error) {
		return s.Store.FormedPeople(s.Context(), key)
	}})
	m.Compare(operation{Name: fmt.Sprintf("ChangesPage(%v)", key), Call: func(s *side) (any, error) {
		return suite.GatherChanges(50, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
			return s.groups.ChangesPage(s.Context(), key, page)
		})
	}})
	for _, buyer := range buyersOfModel() {
		m.Compare(operation{Name: fmt.Sprintf("Usage of %v by %q", key, buyer), Call: func(s *side) (any, error) {
			return s.ordinary().For(buyer).Usage(s.Context(), key)
		}})
	}
}

// compareTeam compares all that is kept of a team.
func (m *model) compareTeam(code string) {
	m.Helper()
	for _, what := range lookAtTeam(code) {
		m.Compare(what)
	}
}

// now returns the clock of the first side.
func (m *model) now() time.Time {
	_, now, err := m.Sides[0].Store.Activity(m.Context(), 1)
	m.Must(err)
	return now
}

// seat returns a seat of the first side.
func (m *model) seat(order string) groupbuy.Seat {
	seat, _, _, err := m.Sides[0].Store.Seat(m.Context(), order)
	m.Must(err)
	return seat
}

// teams returns the teams of the first side that are in a state.
func (m *model) teams(state groupbuy.TeamState) []groupbuy.Team {
	teams, err := m.Sides[0].Store.Teams(m.Context(), groupbuy.TeamFilter{State: state}, groupbuy.TeamCursor{}, manyOfModel)
	m.Must(err)
	return teams
}

// offer returns a product of the first side.
func (m *model) offer(key stock.Key) groupbuy.Offer {
	offer, _, err := m.Sides[0].Store.Offer(m.Context(), key)
	m.Must(err)
	return offer
}

// read asks for one thing: as a page of a listing, or by a code that was typed.
func (m *model) read() operation {
	limit, code, order, key := m.IntN(4)+1, m.code(groupbuy.Forming, groupbuy.Formed), m.order(groupbuy.Held, groupbuy.Paid), m.product()
	switch m.IntN(8) {
	case 0:
		return m.page("Teams", limit)
	case 1:
		return m.page("Seats", limit)
	case 2:
		return m.page("Shelf", limit)
	case 3:
		return teamOf(typed(code))
	case 4:
		return seatOf(order)
	case 5:
		return joinable(key)
	case 6:
		return operation{Name: fmt.Sprintf("Audit(%v)", key), Call: func(s *side) (any, error) { return s.groups.Audit(s.Context(), key) }}
	}
	return operation{Name: fmt.Sprintf("Activity(%d)", key.Activity), Call: func(s *side) (any, error) {
		return s.groups.Activity(s.Context(), key.Activity)
	}}
}

// page reads a page of a list behind one of its places.
func (m *model) page(list string, limit int) operation {
	teams := groupbuy.TeamFilter{State: suite.Pick(m, groupbuy.Forming, groupbuy.Formed, groupbuy.Failed), Joinable: m.Chance(30)}
	if m.Chance(50) {
		teams.Product = m.product()
	}
	if teams.State != groupbuy.Forming {
		teams.Joinable = false
	}
	code := m.code(groupbuy.Formed, groupbuy.Failed)
	seats := suite.Pick(m, groupbuy.SeatFilter{Team: code}, groupbuy.SeatFilter{Buyer: m.buyer()}, groupbuy.SeatFilter{State: suite.Pick(m,
		groupbuy.Held, groupbuy.Paid, groupbuy.Cancelled, groupbuy.Expired, groupbuy.RefundDue, groupbuy.Refunded)})
	return operation{Name: fmt.Sprintf("%s of %d, %+v, %+v", list, limit, teams, seats),
		Call: func(s *side) (any, error) {
			switch list {
			case "Teams":
				return pages(limit, func(after *groupbuy.Team) ([]groupbuy.Team, error) {
					return s.Store.Teams(s.Context(), teams, groupbuy.TeamCursor{Deadline: after.Deadline, Code: after.Code}, limit)
				})
			case "Seats":
				return pages(limit, func(after *groupbuy.Seat) ([]groupbuy.Seat, error) {
					cursor := groupbuy.SeatCursor{At: after.TakenAt, Order: after.Order}
					if seats.State != groupbuy.NoSeat {
						cursor.At = after.Deadline
					}
					return s.Store.Seats(s.Context(), seats, cursor, limit)
				})
			}
			return pages(limit, func(after *groupbuy.Offer) ([]groupbuy.Offer, error) {
				shown, _, err := s.Store.Shelf(s.Context(), groupbuy.ShelfCursor{Sort: after.Activity.Sort, Key: after.Key}, limit)
				return shown, err
			})
		}}
}

// pages reads a list to its end, so many at a time.
func pages[T any](limit int, next func(after *T) ([]T, error)) ([]T, error) {
	var all []T
	after := new(T)
	for {
		page, err := next(after)
		all = append(all, page...)
		if err != nil || len(page) < limit || len(all) > manyOfModel {
			return all, err
		}
		after = &page[len(page)-1]
	}
}

// advance moves both clocks: by a little, by a lot, or to the edge of something.
func (m *model) advance() operation {
	by := suite.Pick(m, time.Microsecond, m.opts.HoldFor/5, m.opts.HoldFor/2, m.delivery.LeaseFor/2, m.delivery.RetryIn, 10*time.Second)
	if m.Chance(5) {
		by = suite.Pick(m, 30*time.Second, 10*time.Minute, 2*time.Hour)
	}
	if edge, now := m.edge(), m.now(); edge.After(now) && edge.Sub(now) < 3*time.Hour {
		by = edge.Sub(now) - suite.Pick(m, 0, time.Microsecond)
	}
	by = by.Truncate(time.Microsecond)
	return operation{Name: fmt.Sprintf("Advance(%v)", by), Call: func(s *side) (any, error) {
		s.Advance(by)
		return nil, nil
	}}
}

// edge returns a moment at which something about a seat, a team or an activity changes, or often nothing.
func (m *model) edge() time.Time {
	switch {
	case m.Chance(35):
		return m.seat(m.order(groupbuy.Held)).Deadline
	case m.Chance(25):
		if teams := m.teams(groupbuy.Forming); len(teams) > 0 {
			return suite.Pick(m, teams...).Deadline
		}
	case m.Chance(12) && len(m.fairs) > 0:
		activity, _, err := m.Sides[0].Store.Activity(m.Context(), m.activity())
		m.Must(err)
		return suite.Pick(m, activity.Start, activity.End)
	}
	return time.Time{}
}

// pagesOf reads a list of screens, page by page.
func pagesOf[T any](limit int, of string, list func(*side, stock.PageRequest) (stock.Page[T], error)) operation {
	return operation{Name: fmt.Sprintf("%s by %d", of, limit), Call: func(s *side) (any, error) {
		return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[T], error) { return list(s, ask) })
	}}
}

// compareLists compares the lists of screens, in pages of some size.
func (m *model) compareLists() {
	m.Helper()
	limit := suite.Pick(m, 1, 3, 50)
	for _, state := range []groupbuy.ActivityState{groupbuy.ActivityUpcoming, groupbuy.ActivityRunning, groupbuy.ActivityEnded} {
		of := fmt.Sprintf("ActivitiesPage(%d)", state)
		m.Compare(pagesOf(limit, of, func(s *side, ask stock.PageRequest) (stock.Page[groupbuy.Activity], error) {
			return s.groups.ActivitiesPage(s.Context(), state, ask)
		}))
	}
	for _, f := range m.fairs[max(0, len(m.fairs)-3):] {
		filter := groupbuy.TeamFilter{Activity: f.ID, States: []groupbuy.TeamState{groupbuy.Failed, groupbuy.Forming}}
		m.Compare(pagesOf(limit, fmt.Sprintf("TeamsPage(%+v)", filter), func(s *side, ask stock.PageRequest) (stock.Page[groupbuy.Team], error) {
			return s.groups.TeamsPage(s.Context(), filter, ask)
		}))
		m.Compare(pagesOf(limit, fmt.Sprintf("RefundsPage(%d)", f.ID), func(s *side, ask stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
			return s.groups.RefundsPage(s.Context(), f.ID, groupbuy.Refunded, ask)
		}))
	}
	for _, buyer := range buyersOfModel() {
		m.Compare(pagesOf(limit, fmt.Sprintf("SeatsPage of %q", buyer), func(s *side, ask stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
			return s.groups.For(buyer).SeatsPage(s.Context(), ask)
		}))
	}
	for _, key := range m.youngest() {
		m.Compare(operation{Name: fmt.Sprintf("ChangesPage(%v) by %d", key, limit), Call: func(s *side) (any, error) {
			return suite.GatherChanges(limit, func(ask stock.PageRequest) (stock.Page[stock.Change], error) {
				return s.groups.ChangesPage(s.Context(), key, ask)
			})
		}})
	}
}
