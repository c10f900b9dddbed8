package groupbuy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// ShelfItem is a product in the shop window.
type ShelfItem struct {
	Offer

	Available int64         // units that could be taken now
	EndsIn    time.Duration // how long teams can still be opened
}

// Activity returns an activity as it is now. Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity.
func (g *Groups) Activity(ctx context.Context, id int64) (Activity, error) {
	if err := errors.Join(g.ready(ctx), input.Positive("activity", id)); err != nil {
		return Activity{}, err
	}
	activity, _, err := g.books().Activity(ctx, id)
	return orZero(activity, err)
}

// Activities lists all activities by ID. Each page of a listing is its own snapshot, here and below; a listing
// ends with the first error.
func (g *Groups) Activities(ctx context.Context) iter.Seq2[Activity, error] {
	return allot.Listed(g.ready(ctx), g.books, func(b allot.Books[Activity, Product]) iter.Seq2[Activity, error] { return b.Activities(ctx) })
}

// ActivityState is where an activity stands, by the store's clock.
type ActivityState uint8

// The states of an activity.
const (
	ActivityUpcoming ActivityState = 1 // it has not begun
	ActivityRunning  ActivityState = 2
	ActivityEnded    ActivityState = 3 // its End has come, or somebody ended it
)

// activityPlace is the place of an activity in a list.
type activityPlace struct {
	End time.Time
	ID  int64
}

// ActivitiesPage returns a page of the activities in a state, by End and then ID: those that end first, or of those that have
// ended the last. Errors: ErrInvalid.
func (g *Groups) ActivitiesPage(ctx context.Context, state ActivityState, page stock.PageRequest) (stock.Page[Activity], error) {
	err := g.ready(ctx)
	if state < ActivityUpcoming || state > ActivityEnded {
		err = errors.Join(err, fault.Invalid("state", "is unknown: %d", state))
	}
	return listing.List[Activity, activityPlace]{
		Err: err,
		Read: func(after activityPlace, limit int) ([]Activity, error) {
			return g.store.ActivitiesIn(ctx, state, Activity{End: after.End, ID: after.ID}, limit)
		},
		At: func(a Activity) activityPlace { return activityPlace{a.End, a.ID} },
	}.Page(page, fmt.Sprint("activities in ", state))
}

// Product returns a product as it is now, with its activity. Errors, in the order of precedence: ErrInvalid,
// ErrUnknownActivity, ErrUnknownProduct.
func (g *Groups) Product(ctx context.Context, key stock.Key) (Offer, error) {
	if err := errors.Join(g.ready(ctx), allot.CheckKey(key)); err != nil {
		return Offer{}, err
	}
	offer, now, err := g.offer(ctx, key)
	switch {
	case err != nil:
		return Offer{}, err
	case offer.Activity.Version == 0:
		return Offer{}, offer.Activity.period().Refusal(ErrUnknownActivity, now)
	case offer.Version == 0:
		return Offer{}, offer.because(ErrUnknownProduct, now)
	}
	return offer, nil
}

// Products lists the products of an activity by SKU. Errors, in the order of precedence: ErrInvalid,
// ErrUnknownActivity.
func (g *Groups) Products(ctx context.Context, activity int64) iter.Seq2[Product, error] {
	err := errors.Join(g.ready(ctx), input.Positive("activity", activity))
	return allot.Listed(err, g.books, func(b allot.Books[Activity, Product]) iter.Seq2[Product, error] { return b.Products(ctx, activity) })
}

// Shelf lists the shop window: the products that are Offered in activities that are not Hidden and run now, by
// Activity.Sort, then activity, then SKU. Sold-out products are among them.
func (g *Groups) Shelf(ctx context.Context) iter.Seq2[ShelfItem, error] {
	return listing.Pages(g.ready(ctx), func(after ShelfCursor, limit int) ([]ShelfItem, error) {
		offers, now, err := g.store.Shelf(ctx, after, limit)
		if err != nil || len(offers) == 0 {
			return nil, err
		}
		keys := make([]stock.Key, len(offers))
		for i, o := range offers {
			keys[i] = o.Key
		}
		slices.SortFunc(keys, stock.Key.Compare)
		standings, _, err := g.store.Units().Items(ctx, "", keys)
		if err != nil {
			return nil, err
		}
		shown := make([]ShelfItem, len(offers))
		for i, o := range offers {
			at, _ := slices.BinarySearchFunc(keys, o.Key, stock.Key.Compare)
			shown[i] = ShelfItem{Offer: o, Available: standings[at].Available(), EndsIn: o.Activity.End.Sub(now)}
		}
		return shown, nil
	}, func(s ShelfItem) ShelfCursor { return ShelfCursor{Sort: s.Activity.Sort, Key: s.Key} })
}

// Selling lists the products of Shelf that are this SKU and of this SPU, where 0 is any: whether, and in which activities, teams can
// buy it now. It reads the whole shop window. It returns ErrInvalid for a number below 0.
func (g *Groups) Selling(ctx context.Context, sku, spu int64) iter.Seq2[ShelfItem, error] {
	return func(yield func(ShelfItem, error) bool) {
		if err := errors.Join(input.NotNegative("SKU", sku), input.NotNegative("SPU", spu)); err != nil {
			yield(ShelfItem{}, err)
			return
		}
		for item, err := range g.Shelf(ctx) {
			if (err != nil || (sku == 0 || item.SKU == sku) && (spu == 0 || item.SPU == spu)) && !yield(item, err) {
				return
			}
		}
	}
}

// Team returns a team as it is now. One whose deadline has passed but which nothing has ended yet is returned as
// Forming. Errors, in the order of precedence: ErrInvalid, ErrUnknownTeam.
func (g *Groups) Team(ctx context.Context, code string) (Team, error) {
	code, err := Canonical(code)
	if err := errors.Join(g.ready(ctx), err); err != nil {
		return Team{}, err
	}
	return g.team(ctx, code)
}

// team returns a team that exists.
func (g *Groups) team(ctx context.Context, code string) (Team, error) {
	team, _, err := g.store.Team(ctx, code, stock.Key{})
	if err == nil && team.Version == 0 {
		err = &TeamError{Team: code, Err: ErrUnknownTeam}
	}
	return team, err
}

// Joinable lists the teams of a product that can be joined now, by deadline; none if the product itself refuses joins.
// A place taken by a dead seat does not count as free until the seat is released. Errors, in the order of precedence:
// ErrInvalid, ErrUnknownActivity, ErrUnknownProduct.
func (g *Groups) Joinable(ctx context.Context, key stock.Key) iter.Seq2[Team, error] {
	return func(yield func(Team, error) bool) {
		err := errors.Join(g.ready(ctx), allot.CheckKey(key))
		if err == nil {
			var offer Offer
			var now time.Time
			if offer, now, err = g.offer(ctx, key); err == nil {
				err = offer.refuses(Purchase{Member: true}, false, now)
			}
		}
		if _, closed := fault.As[*ProductError](err); closed && !errors.Is(err, ErrUnknownActivity) && !errors.Is(err, ErrUnknownProduct) {
			return
		}
		g.teams(ctx, err, TeamFilter{Product: key, Joinable: true})(yield)
	}
}

// Teams lists the teams of one product, of one activity or of all, in a given state, by deadline. With several States it lists
// those that are Forming first, then Formed, then Failed. It returns ErrInvalid for a filter that no team could match.
func (g *Groups) Teams(ctx context.Context, filter TeamFilter) iter.Seq2[Team, error] {
	return g.teamList(ctx, g.checkTeams(ctx, filter), filter).All()
}

// TeamsPage returns a page of Teams, for a screen. With an Activity it needs an index that sqlstore.MigrateLists adds: without it
// the error is a *sqlstore.MissingIndexError. Errors: ErrInvalid.
func (g *Groups) TeamsPage(ctx context.Context, filter TeamFilter, page stock.PageRequest) (stock.Page[Team], error) {
	return g.teamList(ctx, g.checkTeams(ctx, filter), filter).Page(page, fmt.Sprintf("teams %+v", filter))
}

// checkTeams refuses a filter that no team could match.
func (g *Groups) checkTeams(ctx context.Context, filter TeamFilter) error {
	err := errors.Join(g.ready(ctx), input.NotNegative("activity", filter.Activity))
	if filter.Activity != 0 && filter.Product != (stock.Key{}) {
		err = errors.Join(err, fault.Invalid("filter", "must have one of a product and an activity"))
	}
	if filter.Product != (stock.Key{}) {
		err = errors.Join(err, allot.CheckKey(filter.Product))
	}
	for _, s := range append(slices.Clone(filter.States), filter.State) {
		if s != Forming && s != Formed && s != Failed {
			err = errors.Join(err, fault.Invalid("state", "is unknown: %d", int(s)))
		}
	}
	if states := filter.states(); filter.Joinable && (len(states) > 1 || states[0] != Forming) {
		err = errors.Join(err, fault.Invalid("state", "must be forming for teams that can be joined"))
	}
	return err
}

// states returns the states of the teams that match, in the order in which they are listed.
func (f TeamFilter) states() []TeamState {
	if len(f.States) == 0 {
		return []TeamState{f.State}
	}
	return slices.DeleteFunc([]TeamState{Forming, Formed, Failed}, func(s TeamState) bool { return !slices.Contains(f.States, s) })
}

// teamPlace is the place of a team in a list: how many states are listed before its own, and its cursor.
type teamPlace struct {
	States int
	Cursor TeamCursor
}

// teams lists teams that match, or an error.
func (g *Groups) teams(ctx context.Context, err error, filter TeamFilter) iter.Seq2[Team, error] {
	return g.teamList(ctx, err, filter).All()
}

// teamList is the list of the teams that match, those of one state after the other.
func (g *Groups) teamList(ctx context.Context, err error, filter TeamFilter) listing.List[Team, teamPlace] {
	states := filter.states()
	filter.States = nil
	return listing.List[Team, teamPlace]{
		Err: err,
		Read: func(after teamPlace, limit int) ([]Team, error) {
			var all []Team
			for n := after.States; n < len(states) && len(all) < limit; n++ {
				filter := filter
				filter.State = states[n]
				teams, err := g.store.Teams(ctx, filter, after.Cursor, limit-len(all))
				if err != nil {
					return nil, err
				}
				all, after.Cursor = append(all, teams...), TeamCursor{}
			}
			return all, nil
		},
		At: func(t Team) teamPlace {
			return teamPlace{slices.Index(states, t.State), TeamCursor{Deadline: t.Deadline, Code: t.Code}}
		},
	}
}

// Members lists all seats of a team, including those of members who left, by order number. Errors, in the order of
// precedence: ErrInvalid, ErrUnknownTeam.
func (g *Groups) Members(ctx context.Context, code string) iter.Seq2[Seat, error] {
	code, err := Canonical(code)
	return allot.OrNone(g.seats(ctx, errors.Join(g.ready(ctx), err), SeatFilter{Team: code}), func() error {
		_, err := g.team(ctx, code)
		return err
	})
}

// Seat returns a seat as it is now. One that is dead but not released yet is returned as Held, with a Deadline that
// has passed. Errors, in the order of precedence: ErrInvalid, ErrNotFound.
func (g *Groups) Seat(ctx context.Context, order string) (Seat, error) {
	if err := g.readyOrder(ctx, order); err != nil {
		return Seat{}, err
	}
	seat, _, _, err := g.store.Seat(ctx, order)
	if err == nil && seat.State == NoSeat {
		err = seatError(order, NoSeat)
	}
	return seat, err
}

// Seats lists all seats that the buyer of For ever took, the newest first. It returns ErrInvalid where no buyer was named.
func (g *Groups) Seats(ctx context.Context) iter.Seq2[Seat, error] {
	if err := g.readyFor(ctx); err != nil {
		return g.seats(ctx, err, SeatFilter{})
	}
	return g.seats(ctx, nil, SeatFilter{Buyer: g.buyer})
}

// SeatsPage returns a page of Seats, for a screen. Errors: ErrInvalid, also where no buyer was named.
func (g *Groups) SeatsPage(ctx context.Context, page stock.PageRequest) (stock.Page[Seat], error) {
	if err := g.readyFor(ctx); err != nil {
		return stock.Page[Seat]{}, err
	}
	return g.seatList(ctx, nil, SeatFilter{Buyer: g.buyer}).Page(page, "seats of "+g.buyer)
}

// Refunds lists the seats whose money has to go back, RefundDue, or went back, Refunded, by Deadline. It returns
// ErrInvalid for another state.
func (g *Groups) Refunds(ctx context.Context, state SeatState) iter.Seq2[Seat, error] {
	return g.seats(ctx, g.checkRefunds(ctx, 0, state), SeatFilter{State: state})
}

// RefundsPage returns a page of Refunds, for a screen: of one activity, or of all for 0. With an activity it needs an index that
// sqlstore.MigrateLists adds: without it the error is a *sqlstore.MissingIndexError. Errors: ErrInvalid.
func (g *Groups) RefundsPage(ctx context.Context, activity int64, state SeatState, page stock.PageRequest) (stock.Page[Seat], error) {
	filter := SeatFilter{State: state, Activity: activity}
	return g.seatList(ctx, g.checkRefunds(ctx, activity, state), filter).Page(page, fmt.Sprintf("refunds %+v", filter))
}

// checkRefunds refuses a list of refunds that no seat could be in.
func (g *Groups) checkRefunds(ctx context.Context, activity int64, state SeatState) error {
	err := errors.Join(g.ready(ctx), input.NotNegative("activity", activity))
	if state != RefundDue && state != Refunded {
		err = errors.Join(err, fault.Invalid("state", "must be refund due or refunded, is %v", state))
	}
	return err
}

// seats lists seats that match, or an error.
func (g *Groups) seats(ctx context.Context, err error, filter SeatFilter) iter.Seq2[Seat, error] {
	return g.seatList(ctx, err, filter).All()
}

// seatList is the list of the seats that match.
func (g *Groups) seatList(ctx context.Context, err error, filter SeatFilter) listing.List[Seat, SeatCursor] {
	return listing.List[Seat, SeatCursor]{
		Err:  err,
		Read: func(after SeatCursor, limit int) ([]Seat, error) { return g.store.Seats(ctx, filter, after, limit) },
		At: func(s Seat) SeatCursor {
			if filter.Buyer != "" {
				return SeatCursor{At: s.TakenAt, Order: s.Order}
			}
			return SeatCursor{At: s.Deadline, Order: s.Order}
		},
	}
}

// ChangesPage returns a page of the movements of the pool of a product, the newest first, as stock.Inventory.ChangesPage does:
// its definitions, Offer, Restock, Withdraw and what went back; refunds by hand, and teams that were formed or failed by hand.
// Changes of the product itself, KindRevise and KindRemove, are among them where By named somebody, and all corrections by Repair:
// CorrectionOf tells what each has corrected. A key without a SKU asks for the changes of the activity itself that By named
// somebody for: its definitions and KindEnd.
//
// Errors: ErrInvalid; stock.ErrUnknownSKU, or ErrUnknownActivity.
func (g *Groups) ChangesPage(ctx context.Context, key stock.Key, page stock.PageRequest) (stock.Page[stock.Change], error) {
	if err := errors.Join(g.ready(ctx), allot.CheckChanged(key)); err != nil {
		return stock.Page[stock.Change]{}, err
	}
	return g.books().ChangesPage(ctx, key, page)
}

// TeamFilter picks teams.
type TeamFilter struct {
	Product  stock.Key // zero is all
	Activity int64     // 0 is all; not with a Product
	State    TeamState
	States   []TeamState // several in place of State; Store.Teams is not asked for them
	Joinable bool        // with Forming: Live at now, with a seat Open
}
