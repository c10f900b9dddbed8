package groupbuytest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/wiretest"
	"github.com/holdfast-go/holdfast/stock"
)

// wire stands between groups and their store as a network does: it may break before a call is sent, or lose the
// answer of a call that was done. Calls of the store of the units count as well; their names begin with Units. Set
// send and reply before the first call.
type wire struct {
	store groupbuy.Store
	send  func(call string) error // before the call; nil lets all of them through
	reply func(call string) error // after a call that was done; nil lets all answers through
}

// unitsPrefix is in front of the names of the calls of the units' store.
const unitsPrefix = "Units."

// changes reports whether a method, as the wire names it, changes something.
func changes(call string) bool {
	if units, ok := strings.CutPrefix(call, unitsPrefix); ok {
		return wiretest.Changes(units)
	}
	switch call {
	case "SaveActivity", "SaveProduct", "End", "Late", "Follow", "Lease", "Delivered", "Undelivered", "Correct", "CorrectFormed":
		return true
	}
	return false
}

// over makes one call over the wire.
func over[T any](w *wire, name string, call func() (T, error)) (T, error) {
	return wiretest.Over(w.send, w.reply, name, call)
}

// over2 makes one call with two results over the wire.
func over2[A, B any](w *wire, name string, call func() (A, B, error)) (A, B, error) {
	return wiretest.Over2(w.send, w.reply, name, call)
}

// Await implements groupbuy.Store.
func (w *wire) Await(ctx context.Context, of groupbuy.Subject) error {
	_, err := over(w, "Await", func() (struct{}, error) { return struct{}{}, w.store.Await(ctx, of) })
	return err
}

// Units implements groupbuy.Store. It is no call itself: nothing is sent.
func (w *wire) Units() stock.Store {
	units := wiredUnits{&wiretest.Stock{Prefix: unitsPrefix, Send: w.send, Reply: w.reply}}
	if w.store != nil {
		units.Store = w.store.Units()
	}
	return units
}

// wiredUnits are units behind a wire.
type wiredUnits struct{ *wiretest.Stock }

// Lock implements stock.Store. As wiretest.Stock does, it keeps the reason to itself why an item refused, which a
// store need not know; that of a team belongs to the answer.
func (u wiredUnits) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	return wiretest.Over(u.Send, u.Reply, unitsPrefix+"Lock", func() (stock.LockResult, error) {
		locking, err := u.Store.Lock(ctx, order, holdFor)
		if _, ok := fault.As[*groupbuy.TeamError](locking.Why); !ok && !errors.Is(locking.Why, groupbuy.ErrCodeTaken) {
			locking.Why = nil
		}
		return locking, err
	})
}

// SaveActivity implements groupbuy.Store.
func (w *wire) SaveActivity(ctx context.Context, activity groupbuy.Activity, ended bool) (stock.Verdict, error) {
	return over(w, "SaveActivity", func() (stock.Verdict, error) { return w.store.SaveActivity(ctx, activity, ended) })
}

// Activity implements groupbuy.Store.
func (w *wire) Activity(ctx context.Context, id int64) (groupbuy.Activity, time.Time, error) {
	return over2(w, "Activity", func() (groupbuy.Activity, time.Time, error) { return w.store.Activity(ctx, id) })
}

// Activities implements groupbuy.Store.
func (w *wire) Activities(ctx context.Context, after int64, limit int) ([]groupbuy.Activity, error) {
	return over(w, "Activities", func() ([]groupbuy.Activity, error) { return w.store.Activities(ctx, after, limit) })
}

// DueActivities implements groupbuy.Store.
func (w *wire) DueActivities(ctx context.Context, limit int) ([]groupbuy.Activity, error) {
	return over(w, "DueActivities", func() ([]groupbuy.Activity, error) { return w.store.DueActivities(ctx, limit) })
}

// SaveProduct implements groupbuy.Store.
func (w *wire) SaveProduct(ctx context.Context, product groupbuy.Product) (stock.Verdict, error) {
	return over(w, "SaveProduct", func() (stock.Verdict, error) { return w.store.SaveProduct(ctx, product) })
}

// Offer implements groupbuy.Store.
func (w *wire) Offer(ctx context.Context, key stock.Key) (groupbuy.Offer, time.Time, error) {
	return over2(w, "Offer", func() (groupbuy.Offer, time.Time, error) { return w.store.Offer(ctx, key) })
}

// Products implements groupbuy.Store.
func (w *wire) Products(ctx context.Context, activity, after int64, limit int) ([]groupbuy.Product, error) {
	return over(w, "Products", func() ([]groupbuy.Product, error) { return w.store.Products(ctx, activity, after, limit) })
}

// DueProducts implements groupbuy.Store.
func (w *wire) DueProducts(ctx context.Context, after stock.Key, limit int) ([]groupbuy.Product, error) {
	return over(w, "DueProducts", func() ([]groupbuy.Product, error) { return w.store.DueProducts(ctx, after, limit) })
}

// Shelf implements groupbuy.Store.
func (w *wire) Shelf(ctx context.Context, after groupbuy.ShelfCursor, limit int) ([]groupbuy.Offer, time.Time, error) {
	return over2(w, "Shelf", func() ([]groupbuy.Offer, time.Time, error) { return w.store.Shelf(ctx, after, limit) })
}

// Seat implements groupbuy.Store.
func (w *wire) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	type both struct {
		groupbuy.Seat
		groupbuy.Team
	}
	found, now, err := over2(w, "Seat", func() (both, time.Time, error) {
		seat, team, now, err := w.store.Seat(ctx, order)
		return both{seat, team}, now, err
	})
	return found.Seat, found.Team, now, err
}

// Team implements groupbuy.Store.
func (w *wire) Team(ctx context.Context, code string, product stock.Key) (groupbuy.Team, time.Time, error) {
	return over2(w, "Team", func() (groupbuy.Team, time.Time, error) { return w.store.Team(ctx, code, product) })
}

// Seats implements groupbuy.Store.
func (w *wire) Seats(ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int) ([]groupbuy.Seat, error) {
	return over(w, "Seats", func() ([]groupbuy.Seat, error) { return w.store.Seats(ctx, filter, after, limit) })
}

// Teams implements groupbuy.Store.
func (w *wire) Teams(ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int) ([]groupbuy.Team, error) {
	return over(w, "Teams", func() ([]groupbuy.Team, error) { return w.store.Teams(ctx, filter, after, limit) })
}

// LateSeats implements groupbuy.Store.
func (w *wire) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	return over(w, "LateSeats", func() ([]string, error) { return w.store.LateSeats(ctx, team, limit) })
}

// LateTeams implements groupbuy.Store.
func (w *wire) LateTeams(ctx context.Context, limit int) ([]groupbuy.Team, error) {
	return over(w, "LateTeams", func() ([]groupbuy.Team, error) { return w.store.LateTeams(ctx, limit) })
}

// Unfinished implements groupbuy.Store.
func (w *wire) Unfinished(ctx context.Context, key stock.Key) (bool, error) {
	return over(w, "Unfinished", func() (bool, error) { return w.store.Unfinished(ctx, key) })
}

// End implements groupbuy.Store.
func (w *wire) End(ctx context.Context, endings []groupbuy.Ending) ([]stock.Verdict, error) {
	return over(w, "End", func() ([]stock.Verdict, error) { return w.store.End(ctx, endings) })
}

// Late implements groupbuy.Store.
func (w *wire) Late(ctx context.Context, order string) (stock.Verdict, error) {
	return over(w, "Late", func() (stock.Verdict, error) { return w.store.Late(ctx, order) })
}

// Follow implements groupbuy.Store.
func (w *wire) Follow(ctx context.Context, orders []string) ([]string, error) {
	return over(w, "Follow", func() ([]string, error) { return w.store.Follow(ctx, orders) })
}

// DueEvents implements groupbuy.Store.
func (w *wire) DueEvents(ctx context.Context, limit int) ([]groupbuy.Event, error) {
	return over(w, "DueEvents", func() ([]groupbuy.Event, error) { return w.store.DueEvents(ctx, limit) })
}

// Lease implements groupbuy.Store.
func (w *wire) Lease(ctx context.Context, event groupbuy.Event, holdFor time.Duration) (stock.Verdict, error) {
	return over(w, "Lease", func() (stock.Verdict, error) { return w.store.Lease(ctx, event, holdFor) })
}

// Delivered implements groupbuy.Store.
func (w *wire) Delivered(ctx context.Context, event groupbuy.Event) (stock.Verdict, error) {
	return over(w, "Delivered", func() (stock.Verdict, error) { return w.store.Delivered(ctx, event) })
}

// Undelivered implements groupbuy.Store.
func (w *wire) Undelivered(
	ctx context.Context, event groupbuy.Event, failure string, retryIn time.Duration, poison bool,
) (stock.Verdict, error) {
	return over(w, "Undelivered", func() (stock.Verdict, error) {
		return w.store.Undelivered(ctx, event, failure, retryIn, poison)
	})
}

// Event implements groupbuy.Store.
func (w *wire) Event(ctx context.Context, code string, no int64) (groupbuy.Event, error) {
	return over(w, "Event", func() (groupbuy.Event, error) { return w.store.Event(ctx, code, no) })
}

// Events implements groupbuy.Store.
func (w *wire) Events(ctx context.Context, code string, poisoned bool, after groupbuy.EventCursor, limit int) ([]groupbuy.Event, error) {
	return over(w, "Events", func() ([]groupbuy.Event, error) { return w.store.Events(ctx, code, poisoned, after, limit) })
}

// Books implements groupbuy.Store.
func (w *wire) Books(ctx context.Context, key stock.Key, after string, limit int) ([]groupbuy.TeamBook, error) {
	return over(w, "Books", func() ([]groupbuy.TeamBook, error) { return w.store.Books(ctx, key, after, limit) })
}

// FormedPeople implements groupbuy.Store.
func (w *wire) FormedPeople(ctx context.Context, key stock.Key) (seats, counted int64, err error) {
	return over2(w, "FormedPeople", func() (int64, int64, error) { return w.store.FormedPeople(ctx, key) })
}

// Correct implements groupbuy.Store.
func (w *wire) Correct(ctx context.Context, book groupbuy.TeamBook) (stock.Verdict, error) {
	return over(w, "Correct", func() (stock.Verdict, error) { return w.store.Correct(ctx, book) })
}

// CorrectFormed implements groupbuy.Store.
func (w *wire) CorrectFormed(ctx context.Context, key stock.Key, by int64) error {
	_, err := over(w, "CorrectFormed", func() (struct{}, error) { return struct{}{}, w.store.CorrectFormed(ctx, key, by) })
	return err
}

var _ groupbuy.Store = (*wire)(nil)
