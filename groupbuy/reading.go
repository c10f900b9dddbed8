package groupbuy

import (
	"context"
	"errors"
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

// Teams lists the teams of one product, or of all, in a given state, by deadline. It returns ErrInvalid for a filter
// that no team could match.
func (g *Groups) Teams(ctx context.Context, filter TeamFilter) iter.Seq2[Team, error] {
	err := g.ready(ctx)
	if filter.Product != (stock.Key{}) {
		err = errors.Join(err, allot.CheckKey(filter.Product))
	}
	if s := filter.State; s != Forming && s != Formed && s != Failed {
		err = errors.Join(err, fault.Invalid("state", "is unknown: %d", int(s)))
	}
	if filter.Joinable && filter.State != Forming {
		err = errors.Join(err, fault.Invalid("state", "must be forming for teams that can be joined, is %v", filter.State))
	}
	return g.teams(ctx, err, filter)
}

// teams lists teams that match, or an error.
func (g *Groups) teams(ctx context.Context, err error, filter TeamFilter) iter.Seq2[Team, error] {
	return listing.Pages(err,
		func(after TeamCursor, limit int) ([]Team, error) { return g.store.Teams(ctx, filter, after, limit) },
		func(t Team) TeamCursor { return TeamCursor{Deadline: t.Deadline, Code: t.Code} })
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

// Refunds lists the seats whose money has to go back, RefundDue, or went back, Refunded, by Deadline. It returns
// ErrInvalid for another state.
func (g *Groups) Refunds(ctx context.Context, state SeatState) iter.Seq2[Seat, error] {
	err := g.ready(ctx)
	if state != RefundDue && state != Refunded {
		err = errors.Join(err, fault.Invalid("state", "must be refund due or refunded, is %v", state))
	}
	return g.seats(ctx, err, SeatFilter{State: state})
}

// seats lists seats that match, or an error.
func (g *Groups) seats(ctx context.Context, err error, filter SeatFilter) iter.Seq2[Seat, error] {
	return listing.Pages(err,
		func(after SeatCursor, limit int) ([]Seat, error) { return g.store.Seats(ctx, filter, after, limit) },
		func(s Seat) SeatCursor {
			if filter.Buyer != "" {
				return SeatCursor{At: s.TakenAt, Order: s.Order}
			}
			return SeatCursor{At: s.Deadline, Order: s.Order}
		})
}

// TeamFilter picks teams.
type TeamFilter struct {
	Product  stock.Key // zero is all
	State    TeamState
	Joinable bool // with Forming: Live at now, with a seat Open
}
