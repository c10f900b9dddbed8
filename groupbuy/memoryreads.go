package groupbuy

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/stock"
)

// first returns up to limit values that match, the first in order.
func first[T any](all iter.Seq[T], limit int, match func(T) bool, compare func(a, b T) int) []T {
	var kept []T
	for v := range all {
		if !match(v) {
			continue
		}
		if kept = append(kept, v); len(kept) >= 1024 && len(kept)/2 >= limit { // so that a long list is never stored whole
			slices.SortFunc(kept, compare)
			kept = kept[:limit]
		}
	}
	slices.SortFunc(kept, compare)
	return kept[:min(limit, len(kept))]
}

// Activity implements Store.
func (m *Memory) Activity(ctx context.Context, id int64) (Activity, time.Time, error) {
	return atNow(ctx, m, func(time.Time) Activity { return m.activities[id] })
}

// Activities implements Store.
func (m *Memory) Activities(ctx context.Context, after int64, limit int) ([]Activity, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) ([]Activity, error) {
		return first(maps.Values(m.activities), limit, func(a Activity) bool { return a.ID > after },
			func(a, b Activity) int { return cmp.Compare(a.ID, b.ID) }), nil
	})
}

// ActivitiesIn implements Store.
func (m *Memory) ActivitiesIn(ctx context.Context, state ActivityState, after Activity, limit int) ([]Activity, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Activity, error) {
		compare := func(a, b Activity) int {
			order := cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID))
			if state == ActivityEnded {
				return -order
			}
			return order
		}
		return first(maps.Values(m.activities), limit, func(a Activity) bool {
			return a.state(now) == state && (after.End.IsZero() || compare(a, after) > 0)
		}, compare), nil
	})
}

// state returns where an activity stands at now.
func (a Activity) state(now time.Time) ActivityState {
	switch {
	case a.ended(now):
		return ActivityEnded
	case now.Before(a.Start):
		return ActivityUpcoming
	}
	return ActivityRunning
}

// DueActivities implements Store.
func (m *Memory) DueActivities(ctx context.Context, limit int) ([]Activity, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Activity, error) {
		return first(maps.Values(m.activities), limit,
			func(a Activity) bool { return a.EndedAt.IsZero() && !a.End.IsZero() && !now.Before(a.End) },
			func(a, b Activity) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID)) }), nil
	})
}

// Offer implements Store.
func (m *Memory) Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error) {
	return atNow(ctx, m, func(time.Time) Offer { return m.offer(m.products[key], key.Activity) })
}

// offer returns a product with its activity.
func (m *Memory) offer(product Product, activity int64) Offer {
	return Offer{Product: product, Activity: m.activities[activity]}
}

// Products implements Store.
func (m *Memory) Products(ctx context.Context, activity, after int64, limit int) ([]Product, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) ([]Product, error) {
		return first(maps.Values(m.products), limit, func(p Product) bool { return p.Activity == activity && p.SKU > after },
			func(a, b Product) int { return cmp.Compare(a.SKU, b.SKU) }), nil
	})
}

// DueProducts implements Store.
func (m *Memory) DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) ([]Product, error) {
		return first(maps.Values(m.products), limit, func(p Product) bool { return p.State == Removed && byActivity(p.Key, after) > 0 },
			func(a, b Product) int { return byActivity(a.Key, b.Key) }), nil
	})
}

// byActivity orders keys by activity, then SKU.
func byActivity(a, b stock.Key) int {
	return cmp.Or(cmp.Compare(a.Activity, b.Activity), cmp.Compare(a.SKU, b.SKU))
}

// Shelf implements Store.
func (m *Memory) Shelf(ctx context.Context, after ShelfCursor, limit int) ([]Offer, time.Time, error) {
	offers := func(yield func(Offer) bool) {
		for _, p := range m.products {
			if p.State == Offered && !yield(m.offer(p, p.Activity)) {
				return
			}
		}
	}
	place := func(o Offer) ShelfCursor { return ShelfCursor{o.Activity.Sort, o.Key} }
	return atNow(ctx, m, func(now time.Time) []Offer {
		return first(offers, limit, func(o Offer) bool {
			return !o.Activity.Hidden && o.Activity.runs(now) && (after.Key == stock.Key{} || place(o).compare(after) > 0)
		}, func(a, b Offer) int { return place(a).compare(place(b)) })
	})
}

func (c ShelfCursor) compare(other ShelfCursor) int {
	return cmp.Or(cmp.Compare(c.Sort, other.Sort), byActivity(c.Key, other.Key))
}

// runs reports whether an activity has begun and is not over.
func (a Activity) runs(now time.Time) bool {
	return a.EndedAt.IsZero() && !now.Before(a.Start) && (a.End.IsZero() || now.Before(a.End))
}

// Seat implements Store.
func (m *Memory) Seat(ctx context.Context, order string) (Seat, Team, time.Time, error) {
	_, now, end, err := m.enter(ctx)
	if err != nil {
		return Seat{}, Team{}, time.Time{}, err
	}
	defer end()
	seat := m.seats[order]
	return seat, m.team(seat.Team), now, nil
}

// Team implements Store.
func (m *Memory) Team(ctx context.Context, code string, _ stock.Key) (Team, time.Time, error) {
	return atNow(ctx, m, func(time.Time) Team { return m.team(code) })
}

// Await implements Store: nothing is ever under way.
func (m *Memory) Await(ctx context.Context, _ Subject) error {
	_, _, err := atNow(ctx, m, time.Time.IsZero)
	return err
}

// Seats implements Store.
func (m *Memory) Seats(ctx context.Context, filter SeatFilter, after SeatCursor, limit int) ([]Seat, error) {
	return within(ctx, m, func(_ *stock.Memory, _ time.Time) ([]Seat, error) {
		var seats iter.Seq[Seat]
		var compare func(a, b SeatCursor) int
		at := func(s Seat) time.Time { return s.Deadline }
		switch {
		case filter.Team != "":
			team := m.teams[filter.Team]
			if team == nil {
				return nil, nil
			}
			seats = m.seatsOf(team.orders)
			compare = func(a, b SeatCursor) int { return strings.Compare(a.Order, b.Order) }
		case filter.Buyer != "":
			seats = m.seatsOf(m.buyers[filter.Buyer])
			at = func(s Seat) time.Time { return s.TakenAt }
			compare = func(a, b SeatCursor) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(b.Order, a.Order)) }
		default:
			seats = maps.Values(m.seats)
			compare = func(a, b SeatCursor) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Order, b.Order)) }
		}
		place := func(s Seat) SeatCursor { return SeatCursor{at(s), s.Order} }
		return first(seats, limit, func(s Seat) bool {
			return (filter.State == NoSeat || s.State == filter.State) && (filter.Activity == 0 || s.Activity == filter.Activity) && (after.Order == "" || compare(place(s), after) > 0)
		}, func(a, b Seat) int { return compare(place(a), place(b)) }), nil
	})
}

// seatsOf returns the seats of orders.
func (m *Memory) seatsOf(orders []string) iter.Seq[Seat] {
	return func(yield func(Seat) bool) {
		for _, order := range orders {
			if !yield(m.seats[order]) {
				return
			}
		}
	}
}

// Teams implements Store.
func (m *Memory) Teams(ctx context.Context, filter TeamFilter, after TeamCursor, limit int) ([]Team, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Team, error) {
		place := func(t *memoryTeam) TeamCursor { return TeamCursor{t.Deadline, t.Code} }
		teams := maps.Values(m.teams)
		if filter.Product != (stock.Key{}) {
			teams = slices.Values(m.pool(filter.Product).teams)
		}
		found := first(teams, limit, func(t *memoryTeam) bool {
			return t.State == filter.State && (filter.Activity == 0 || t.Activity == filter.Activity) && (!filter.Joinable || t.Live(now) && t.FreeSeats() > 0) &&
				(after.Code == "" || place(t).compare(after) > 0)
		}, func(a, b *memoryTeam) int { return place(a).compare(place(b)) })
		are := make([]Team, len(found))
		for i, t := range found {
			are[i] = t.Team
		}
		return are, nil
	})
}

func (c TeamCursor) compare(other TeamCursor) int {
	return cmp.Or(c.Deadline.Compare(other.Deadline), strings.Compare(c.Code, other.Code))
}

// Books implements Store.
func (m *Memory) Books(ctx context.Context, key stock.Key, after string, limit int) ([]TeamBook, error) {
	return within(ctx, m, func(units *stock.Memory, _ time.Time) ([]TeamBook, error) {
		teams := first(slices.Values(m.pool(key).teams), limit, func(t *memoryTeam) bool { return t.Code > after },
			func(a, b *memoryTeam) int { return strings.Compare(a.Code, b.Code) })
		books := make([]TeamBook, len(teams))
		for i, team := range teams {
			var err error
			if books[i], err = m.book(ctx, units, team); err != nil {
				return nil, err
			}
		}
		return books, nil
	})
}

// book recounts a team.
func (m *Memory) book(ctx context.Context, units *stock.Memory, team *memoryTeam) (TeamBook, error) {
	book := TeamBook{Team: team.Team}
	book.Recount.PaidVolume = decimal.New(0, -VolumePlaces)
	book.Recount.Events = int64(len(team.events))
	for seat := range m.seatsOf(slices.Sorted(slices.Values(team.orders))) {
		switch seat.State { //nolint:exhaustive // teams do not count the others
		case Held:
			book.Recount.Held++
		case Paid:
			book.Recount.Paid++
			book.Recount.PaidVolume = book.Recount.PaidVolume.Add(seat.Volume)
		}
		hold, _, err := units.Hold(ctx, seat.Order)
		if err != nil {
			return TeamBook{}, err
		}
		if seat.State.Matches(hold.State, team.State == Formed) {
			continue
		}
		mismatch := SeatBook{Order: seat.Order, State: seat.State, Hold: hold.State}
		for _, l := range hold.Lines {
			mismatch.Units += l.Num
		}
		book.Mismatched = append(book.Mismatched, mismatch)
	}
	return book, nil
}

// FormedPeople implements Store.
func (m *Memory) FormedPeople(ctx context.Context, key stock.Key) (seats, counted int64, err error) {
	_, _, end, err := m.enter(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer end()
	for _, team := range m.pool(key).teams {
		for seat := range m.seatsOf(team.orders) {
			seats += count(seat.Status == Formed)
		}
	}
	return seats, m.products[key].Formed, nil
}
