package groupbuy_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// modelled returns a store in the process, on a clock that begins at an instant and that only the test moves.
func modelled(from time.Time) groupbuytest.Harness {
	clock := &suite.Clock{From: from}
	units := &stock.Memory{Clock: clock.Now, Events: &event.Memory{Clock: clock.Now}}
	return harness(&groupbuy.Memory{Stock: units}, units, units.Events, clock)
}

// modelStart is when the clocks of models begin: any instant will do.
var modelStart = time.Date(2026, time.June, 18, 19, 59, 59, 999_999_000, time.UTC)

// FuzzModel compares the memory store with itself on another clock: it holds the tool to its promise to compare
// nothing but what two stores must agree about. sqlstore compares the memory store with MySQL.
func FuzzModel(f *testing.F) {
	for seed := range int64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		groupbuytest.Model(t, seed, 400, modelled(modelStart), modelled(modelStart.AddDate(3, 1, 4)))
	})
}

// TestModelFindsDifferences breaks one rule of the store at a time: the model must see it.
func TestModelFindsDifferences(t *testing.T) {
	t.Parallel()
	type store = groupbuy.Store
	suite.FindsDifferences(t, map[string]func(store) store{
		"a seat that is held a microsecond late": func(s store) store { return lateSeat{s} },
		"a team that lives a microsecond longer": func(s store) store { return lateTeam{s} },
		"a guest who is forgotten":               func(s store) store { return forgetsGuest{s} },
		"a refund without a reason":              func(s store) store { return lostReason{s} },
		"an activity that cannot be outlived":    func(s store) store { return mortal{s} },
		"a product that forgets its minimum":     func(s store) store { return forgetsMinimum{s} },
		"a clock that is slow":                   func(s store) store { return slowClock{s} },
		"a team formed by nobody":                func(s store) store { return formedByNobody{s} },
		"a late payment that is lost":            func(s store) store { return lostLate{s} },
		"a team that is not ended by hand":       func(s store) store { return endless{s} },
		"an ending without a reason":             func(s store) store { return unsaid{s} },
		"a sweep that finds no team":             func(s store) store { return noLateTeams{s} },
		"a sweep that finds no seat":             func(s store) store { return noLateSeats{s} },
		"units that never go back":               func(s store) store { return noDueProducts{s} },
		"a product that is settled too early":    func(s store) store { return hasty{s} },
		"a seat that follows and is not named":   func(s store) store { return silentFollow{s} },
		"a refund that is paid and is still due": func(s store) store { return undone{s} },
		"a list that loses a seat":               func(s store) store { return losesSeat{s} },
		"teams that are full in the shop window": func(s store) store { return showsFull{s} },
		"a shop window out of order":             func(s store) store { return unsortedShelf{s} },
		"one person too many in teams":           func(s store) store { return miscounts{s} },
	}, func(t testing.TB, seed int64, breaks func(store) store) {
		t.Helper()
		faulty := modelled(modelStart)
		faulty.Store = breaks(faulty.Store)
		groupbuytest.Model(t, seed, 500, modelled(modelStart), faulty)
	})
}

// TestModelFindsDifferencesOfDelivery does the same with the store of events.
func TestModelFindsDifferencesOfDelivery(t *testing.T) {
	t.Parallel()
	suite.FindsDifferences(t, map[string]func(event.Store) event.Store{
		"an event that is never set aside": func(s event.Store) event.Store { return noPoison{s} },
		"a failure that puts nothing off":  func(s event.Store) event.Store { return impatient{s} },
	}, func(t testing.TB, seed int64, breaks func(event.Store) event.Store) {
		t.Helper()
		faulty := modelled(modelStart)
		faulty.Events = breaks(faulty.Events)
		groupbuytest.Model(t, seed, 500, modelled(modelStart), faulty)
	})
}

// The broken stores of events.
type (
	noPoison  struct{ event.Store }
	impatient struct{ event.Store }
)

func (s noPoison) Settle(ctx context.Context, results []event.Result) (int, error) {
	for i := range results {
		results[i].Aside = false
	}
	return s.Store.Settle(ctx, results)
}

func (s impatient) Settle(ctx context.Context, results []event.Result) (int, error) {
	for i := range results {
		results[i].RetryIn = time.Microsecond
	}
	return s.Store.Settle(ctx, results)
}

// The broken stores of TestModelFindsDifferences.
type (
	lateSeat       struct{ groupbuy.Store }
	lateTeam       struct{ groupbuy.Store }
	forgetsGuest   struct{ groupbuy.Store }
	lostReason     struct{ groupbuy.Store }
	mortal         struct{ groupbuy.Store }
	forgetsMinimum struct{ groupbuy.Store }
	slowClock      struct{ groupbuy.Store }
	formedByNobody struct{ groupbuy.Store }
	lostLate       struct{ groupbuy.Store }
	endless        struct{ groupbuy.Store }
	unsaid         struct{ groupbuy.Store }
	noLateTeams    struct{ groupbuy.Store }
	noLateSeats    struct{ groupbuy.Store }
	noDueProducts  struct{ groupbuy.Store }
	hasty          struct{ groupbuy.Store }
	silentFollow   struct{ groupbuy.Store }
	undone         struct{ groupbuy.Store }
	losesSeat      struct{ groupbuy.Store }
	showsFull      struct{ groupbuy.Store }
	unsortedShelf  struct{ groupbuy.Store }
	miscounts      struct{ groupbuy.Store }
)

// lateUnits are the units of a lateSeat.
type lateUnits struct{ stock.Store }

func (s lateSeat) Units() stock.Store { return lateUnits{s.Store.Units()} }

func (u lateUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return u.Store.Lock(ctx, order, holdFor+time.Microsecond)
}

// besideUnits are units that change what a call carries.
type besideUnits struct {
	stock.Store

	change func(stock.Companion) stock.Companion
}

func (u besideUnits) changed(beside []stock.Companion) []stock.Companion {
	changed := slices.Clone(beside)
	for i, c := range changed {
		changed[i] = u.change(c)
	}
	return changed
}

func (u besideUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	order.Beside = u.changed(order.Beside)
	return u.Store.Lock(ctx, order, holdFor)
}

func (u besideUnits) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	return u.Store.Refund(ctx, refund, hold, u.changed(beside)...)
}

// requests returns units that change the seats which are asked for.
func requests(units stock.Store, change func(*groupbuy.SeatRequest)) stock.Store {
	return besideUnits{units, func(c stock.Companion) stock.Companion {
		request, ok := c.(groupbuy.SeatRequest)
		if !ok {
			return c
		}
		change(&request)
		return request
	}}
}

func (s lateTeam) Units() stock.Store {
	return requests(s.Store.Units(), func(r *groupbuy.SeatRequest) { r.Formation += time.Microsecond })
}

func (s forgetsGuest) Units() stock.Store {
	return requests(s.Store.Units(), func(r *groupbuy.SeatRequest) { r.Seat.Address = "" })
}

func (s lostReason) Units() stock.Store {
	return besideUnits{s.Store.Units(), func(c stock.Companion) stock.Companion {
		if by, ok := c.(groupbuy.SeatRefund); ok {
			by.Reason = ""
			return by
		}
		return c
	}}
}

func (s mortal) SaveActivity(ctx context.Context, activity groupbuy.Activity, ended bool, by stock.Change) (stock.Verdict, error) {
	activity.Outlive = false
	return s.Store.SaveActivity(ctx, activity, ended, by)
}

func (s forgetsMinimum) SaveProduct(ctx context.Context, product groupbuy.Product, by stock.Change) (stock.Verdict, error) {
	product.MinPeople = 0
	return s.Store.SaveProduct(ctx, product, by)
}

func (s slowClock) Team(ctx context.Context, code string, product stock.Key) (groupbuy.Team, time.Time, error) {
	team, now, err := s.Store.Team(ctx, code, product)
	return team, now.Add(-time.Microsecond), err
}

func (s formedByNobody) Team(ctx context.Context, code string, product stock.Key) (groupbuy.Team, time.Time, error) {
	team, now, err := s.Store.Team(ctx, code, product)
	team.FormedBy = ""
	return team, now, err
}

func (s lostLate) Late(context.Context, string) (stock.Verdict, error) { return stock.Done, nil }

func (s endless) End(ctx context.Context, endings []groupbuy.TeamEnd) ([]stock.Verdict, error) {
	if len(endings) == 1 && endings[0].Cause == groupbuy.ByOperator {
		return []stock.Verdict{stock.Done}, nil
	}
	return s.Store.End(ctx, endings)
}

func (s unsaid) End(ctx context.Context, endings []groupbuy.TeamEnd) ([]stock.Verdict, error) {
	for i := range endings {
		endings[i].Reason = ""
	}
	return s.Store.End(ctx, endings)
}

func (s noLateTeams) LateTeams(context.Context, int) ([]groupbuy.Team, error) { return nil, nil }

func (s noLateSeats) LateSeats(context.Context, string, int) ([]string, error) { return nil, nil }

func (s noDueProducts) DueProducts(context.Context, stock.Key, int) ([]groupbuy.Product, error) {
	return nil, nil
}

func (s hasty) Unfinished(context.Context, stock.Key) (bool, error) { return false, nil }

func (s silentFollow) Follow(ctx context.Context, orders []string) ([]string, error) {
	_, err := s.Store.Follow(ctx, orders)
	return nil, err
}

func (s undone) Return(context.Context, string) (stock.Verdict, error) { return stock.Done, nil }

func (s losesSeat) Seats(
	ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int,
) ([]groupbuy.Seat, error) {
	seats, err := s.Store.Seats(ctx, filter, after, limit)
	return seats[:min(len(seats), 2)], err
}

func (s showsFull) Teams(
	ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int,
) ([]groupbuy.Team, error) {
	filter.Joinable = false
	return s.Store.Teams(ctx, filter, after, limit)
}

func (s unsortedShelf) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	offers, now, err := s.Store.Shelf(ctx, after, limit)
	slices.Reverse(offers)
	return offers, now, err
}

func (s miscounts) FormedPeople(ctx context.Context, key stock.Key) (groupbuy.FormedBook, error) {
	book, err := s.Store.FormedPeople(ctx, key)
	book.Recount++
	return book, err
}
