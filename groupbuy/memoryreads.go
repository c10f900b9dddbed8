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

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/stock"
)

// Activity implements Store.
func (m *Memory) Activity(ctx context.Context, id int64) (Activity, time.Time, error) {
	return atNow(ctx, m, func(time.Time) Activity { return m.Rows.Activities[id] })
}

// Activities implements Store.
func (m *Memory) Activities(ctx context.Context, after int64, limit int) ([]Activity, error) {
	return within(ctx, m, func(*stock.Memory, time.Time) ([]Activity, error) { return m.After(after, limit), nil })
}

// ActivitiesIn implements Store.
func (m *Memory) ActivitiesIn(ctx context.Context, state ActivityState, after Activity, limit int) ([]Activity, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Activity, error) {
		return m.In(after, state == ActivityEnded, limit, func(a Activity) bool { return a.state(now) == state }), nil
	})
}

// state returns where an activity stands at now.
func (a Activity) state(now time.Time) ActivityState {
	switch {
	case a.period().Ended(now):
		return ActivityEnded
	case now.Before(a.Start):
		return ActivityUpcoming
	}
	return ActivityRunning
}

// DueActivities implements Store.
func (m *Memory) DueActivities(ctx context.Context, limit int) ([]Activity, error) {
	return within(ctx, m, func(_ *stock.Memory, now time.Time) ([]Activity, error) { return m.Rows.DueActivities(now, limit), nil })
}

// Offer implements Store.
func (m *Memory) Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error) {
	return atNow(ctx, m, func(time.Time) Offer { return m.offer(m.Rows.Products[key], key.Activity) })
}

// offer returns a product with its activity.
func (m *Memory) offer(product Product, activity int64) Offer {
	return Offer{Product: product, Activity: m.Rows.Activities[activity]}
}

// Products implements Store.
func (m *Memory) Products(ctx context.Context, activity, after int64, limit int) ([]Product, error) {
	return within(ctx, m, func(*stock.Memory, time.Time) ([]Product, error) { return m.ProductsOf(activity, after, limit), nil })
}

// DueProducts implements Store.
func (m *Memory) DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error) {
	return within(ctx, m, func(*stock.Memory, time.Time) ([]Product, error) {
		return m.Rows.DueProducts(after, limit), nil
	})
}

// Shelf implements Store.
func (m *Memory) Shelf(ctx context.Context, after ShelfCursor, limit int) ([]Offer, time.Time, error) {
	offers := func(yield func(Offer) bool) {
		for _, p := range m.Rows.Products {
			if p.State == Offered && !yield(m.offer(p, p.Activity)) {
				return
			}
		}
	}
	place := func(o Offer) ShelfCursor { return ShelfCursor{o.Activity.Sort, o.Key} }
	return atNow(ctx, m, func(now time.Time) []Offer {
		return allot.First(offers, limit, func(o Offer) bool {
			return !o.Activity.Hidden && o.Activity.period().Runs(now) && (after.Key == stock.Key{} || place(o).compare(after) > 0)
		}, func(a, b Offer) int { return place(a).compare(place(b)) })
	})
}

func (c ShelfCursor) compare(other ShelfCursor) int {
	return cmp.Or(cmp.Compare(c.Sort, other.Sort), allot.ByActivity(c.Key, other.Key))
}

// Seat implements Store.
func (m *Memory) Seat(ctx context.Context, order string) (Seat, Team, time.Time, error) {
	var team Team
	seat, now, err := atNow(ctx, m, func(time.Time) Seat {
		team = m.team(m.seats[order].Team)
		return m.seats[order]
	})
	return seat, team, now, err
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
		return allot.First(seats, limit, func(s Seat) bool {
			return (filter.State == NoSeat || s.State == filter.State) && (filter.Activity == 0 || s.Activity == filter.Activity) &&
				(after.Order == "" || compare(place(s), after) > 0)
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
		found := allot.First(teams, limit, func(t *memoryTeam) bool {
			return t.State == filter.State && (filter.Activity == 0 || t.Activity == filter.Activity) &&
				(!filter.Joinable || t.Live(now) && t.FreeSeats() > 0) &&
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
		teams := allot.First(slices.Values(m.pool(key).teams), limit, func(t *memoryTeam) bool { return t.Code > after },
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
func (m *Memory) FormedPeople(ctx context.Context, key stock.Key) (FormedBook, error) {
	book, _, err := atNow(ctx, m, func(time.Time) FormedBook {
		product := m.Rows.Products[key]
		book := FormedBook{Key: key, Version: product.Version, Formed: product.Formed}
		for _, team := range m.pool(key).teams {
			for seat := range m.seatsOf(team.orders) {
				book.Recount += count(seat.Status == Formed)
			}
		}
		return book
	})
	return book, err
}
