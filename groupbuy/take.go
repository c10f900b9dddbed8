package groupbuy

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// teamRetries is how often a purchase that a team refused is tried again because the reason seems to be gone. The
// snapshot of a caller's transaction may be older than what the store sees, so that the reason is still there.
const teamRetries = 3

// take takes a seat for a purchase: in the team of a code, or in a new team if there is no code. It first reads the
// team and the product, which give the number of units, and then tries. It looks for reasons only after a refusal.
func (g *Groups) take(ctx context.Context, code string, p Purchase) (Seat, error) {
	for n := range attempts {
		order, refusal := g.price(ctx, code, p)
		tried := refusal == nil
		if tried {
			var seat Seat
			if seat, refusal = g.lock(ctx, &order); seat.State != NoSeat {
				return seat, nil
			}
		}
		if failed(refusal) {
			return Seat{}, refusal
		}
		seat, err := g.explain(ctx, code, p, tried, refusal)
		switch {
		case err != nil, seat.State != NoSeat:
			return seat, err
		case n >= teamRetries && errors.As(refusal, new(*TeamError)):
			return Seat{}, refusal
		}
	}
	return Seat{}, contention("hold", p.Order)
}

// lock locks the units of a purchase and takes its seat in the same transaction. It returns no seat for a known order.
func (g *Groups) lock(ctx context.Context, order *seatOrder) (Seat, error) {
	seat := &order.Seat
	hold, err := g.units.With(order.SeatRequest).Until(order.until).Lock(ctx, seat.Order, order.line)
	if errors.Is(err, stock.ErrRefunded) { // the seat says so itself
		return Seat{}, nil
	}
	if err != nil {
		return Seat{}, err
	}
	kept, ok := stock.CompanionOf[SeatRequest](hold.Beside)
	if !ok {
		return Seat{}, nil
	}
	g.tell(ctx, Effect{Step: StepHold, Order: kept.Seat.Order, Team: kept.Seat.Team})
	return kept.Seat, nil
}

// seatOrder is the request of a seat, with the units that it needs.
type seatOrder struct {
	SeatRequest

	line  stock.Line
	until time.Time // the hold dies then at the latest
}

// price returns the seat that a purchase requests, with its units, or the reason why nobody can have it. Only the store
// decides whether the team is full, since it also knows whether the buyer is a member.
func (g *Groups) price(ctx context.Context, code string, p Purchase) (seatOrder, error) {
	offer, now, err := g.offer(ctx, p.Product)
	if err != nil {
		return seatOrder{}, err
	}
	var team Team
	if code != "" {
		if team, now, err = g.store.Team(ctx, code, p.Product); err != nil {
			return seatOrder{}, err
		}
		team.Code = code
	}
	if code != "" && team.Key == p.Product {
		offer.Terms = team.Terms // as they were when it was opened
	}
	if err := offer.refuses(p, code == "", now); err != nil {
		return seatOrder{}, err
	}
	if err := team.refuses(p.Product, false, now); code != "" && err != nil && !errors.Is(err, ErrFull) {
		return seatOrder{}, err
	}
	seat, units, err := p.seat(g.buyer, offer.Terms)
	if err != nil {
		return seatOrder{}, err
	}
	order := seatOrder{
		SeatRequest: SeatRequest{Seat: seat, Team: team}, until: team.Deadline,
		line: stock.Line{SKU: p.Product.SKU, Activity: p.Product.Activity, Num: units},
	}
	if code == "" {
		err = g.newTeam(&order, offer, now)
	}
	return order, err
}

// newTeam makes a request that of a new team.
func (g *Groups) newTeam(order *seatOrder, offer Offer, now time.Time) error {
	code, err := g.newCode()
	if err != nil {
		return err
	}
	order.Team = Team{Code: code, Key: offer.Key, Terms: offer.Terms}
	order.Opens, order.Formation, order.Closes = true, offer.Activity.Formation, offer.Activity.End
	order.until = now.Add(order.Formation)
	if end := offer.Activity.End; !offer.Activity.Outlive {
		order.Until = end
		if end.Before(order.until) {
			order.until = end
		}
	}
	return nil
}

// offer returns a product with its activity, each of which may not exist.
func (g *Groups) offer(ctx context.Context, key stock.Key) (Offer, time.Time, error) {
	offer, now, err := g.store.Offer(ctx, key)
	if err == nil && offer.Version == 0 && offer.Activity.Version == 0 {
		offer.Activity, now, err = g.store.Activity(ctx, key.Activity)
	}
	offer.Key, offer.Activity.ID = key, key.Activity
	return offer, now, err
}

// refuses returns why a purchase can neither open a team nor join one at now, as far as the activity, the product
// and its terms say, or nil.
func (o Offer) refuses(p Purchase, opens bool, now time.Time) error {
	switch a := o.Activity; {
	case a.Version == 0:
		return a.period().Refusal(ErrUnknownActivity, now)
	case o.Version == 0:
		return o.because(ErrUnknownProduct, now)
	case opens && a.Hidden:
		return a.period().Refusal(ErrHidden, now)
	case now.Before(a.Start):
		return a.period().Refusal(ErrNotStarted, now)
	case opens && a.period().Ended(now), !now.Before(a.period().Closes):
		return a.period().Refusal(ErrEnded, now)
	case o.State == Preparing:
		return o.because(ErrPreparing, now)
	case o.State != Offered:
		return o.because(ErrRemoved, now)
	case o.MembersOnly && !p.Member:
		return o.because(ErrMembersOnly, now)
	}
	return nil
}

// because returns a reason with the product.
func (o Offer) because(reason error, now time.Time) error {
	return &ProductError{Key: o.Key, Err: reason, Start: o.Activity.Start, End: o.Activity.End, Now: now}
}

// explain looks for the reason why a purchase was refused, before or after a try. It returns the seat of a
// known order, and neither seat nor error if the purchase should be tried once more.
func (g *Groups) explain(ctx context.Context, code string, p Purchase, tried bool, refusal error) (Seat, error) {
	state, ofOrder := fault.As[*stock.StateError](refusal)
	_, ofTeam := fault.As[*TeamError](refusal)
	bySeats := errors.Is(refusal, ErrJoined) || errors.Is(refusal, ErrFull) // which may be dead
	switch {
	case !tried, refusal == nil, ofOrder, errors.Is(refusal, ErrMismatch), errors.Is(refusal, ErrDuplicateCode):
		if !tried { // a try has waited for the calls of its order that are under way
			if err := g.store.Await(ctx, Subject{Order: p.Order}); err != nil {
				return Seat{}, err
			}
		}
		seat, known, err := g.replay(ctx, code, p)
		if known && ofOrder && err != nil {
			err = inBoth(err, state)
		}
		if known || err != nil || tried {
			return seat, err
		}
		return Seat{}, refusal
	case errors.Is(refusal, stock.ErrNotOnSale), errors.Is(refusal, stock.ErrUnknownSKU):
		return Seat{}, g.explainUnits(ctx, code, p, refusal)
	case code == "", ofTeam && !bySeats:
		return Seat{}, refusal
	}
	if released, err := g.releaseSeats(ctx, code); err != nil || released > 0 {
		return Seat{}, err
	}
	reason, err := g.teamRefusal(ctx, code, p)
	switch {
	case err != nil:
		return Seat{}, err
	case reason != nil:
		return Seat{}, reason
	case ofTeam:
		return Seat{}, nil // the reason is gone
	}
	return Seat{}, refusal
}

// replay returns the answer of an order that is known.
func (g *Groups) replay(ctx context.Context, code string, p Purchase) (seat Seat, known bool, err error) {
	seen, err := g.look(ctx, p.Order)
	switch {
	case err != nil, seen.seat.State == NoSeat && seen.hold.State == stock.Unheld:
		return Seat{}, false, err
	case seen.seat.State == NoSeat && seen.hold.State == stock.Cancelled:
		return Seat{}, true, seatError(p.Order, Cancelled)
	case seen.seat.State == Cancelled:
		return seen.seat, true, seen.refusal()
	}
	if err := p.differs(g.buyer, seen.seat, code); err != nil {
		return Seat{}, true, err
	}
	if seen.dead() {
		return seen.seat, true, seen.refusal()
	}
	seen.seat.Replay = true
	return seen.seat, true, nil
}

// explainUnits returns the refusal of a pool in the words of this package: what has changed since the product was read.
func (g *Groups) explainUnits(ctx context.Context, code string, p Purchase, refusal error) error {
	offer, now, err := g.offer(ctx, p.Product)
	if err != nil {
		return err
	}
	p.Member = true // which was checked before
	reason := offer.refuses(p, code == "", now)
	switch {
	case reason != nil:
	case errors.Is(refusal, stock.ErrNotStarted):
		reason = offer.Activity.period().Refusal(ErrNotStarted, now)
	case errors.Is(refusal, stock.ErrEnded):
		reason = offer.Activity.period().Refusal(ErrEnded, now)
	default:
		reason = offer.because(ErrPreparing, now) // its pool will be on sale in a moment
	}
	return inBoth(reason, refusal)
}

// teamRefusal returns why the buyer cannot join the team of a code, or nil.
func (g *Groups) teamRefusal(ctx context.Context, code string, p Purchase) (refusal, err error) {
	joined := false
	for seat, err := range g.seats(ctx, nil, SeatFilter{Buyer: g.buyer}) {
		if err != nil {
			return nil, err
		}
		if joined = seat.Team == code && seat.State.Live(); joined && seat.Order == p.Order {
			return nil, nil // the same call, made at the same time, has taken it
		}
		if joined {
			break
		}
	}
	team, now, err := g.store.Team(ctx, code, p.Product)
	if err != nil {
		return nil, err
	}
	team.Code = code
	return team.refuses(p.Product, joined, now), nil
}

// check refuses a purchase that is bad input for every product.
func (p Purchase) check() error {
	_, err := canonicalVolume(p.Volume)
	return errors.Join(checkOrder(p.Order), allot.CheckKey(p.Product), err,
		allot.Text("name", p.Name), allot.Text("avatar", p.Avatar), allot.Text("address", p.Address),
		money.Amount("shipping fee", p.ShippingFee), money.Amount("balance used", p.BalanceUsed))
}

// seat returns the seat that a purchase requests for a buyer, with volume and amounts as every store keeps them, and its
// number of units. It returns ErrInvalid for a volume or an amount that does not fit the terms.
func (p Purchase) seat(buyer string, terms Terms) (Seat, int64, error) {
	units, err := terms.Units(p.Volume)
	fee, badFee := money.Minor("shipping fee", p.ShippingFee, terms.Places)
	used, badUsed := money.Minor("balance used", p.BalanceUsed, terms.Places)
	if err := errors.Join(err, badFee, badUsed); err != nil {
		return Seat{}, 0, err
	}
	seat := Seat{Order: p.Order, Key: p.Product, Buyer: buyer, Volume: rescaled(p.Volume, VolumePlaces), Guest: p.Guest}
	seat.ShippingFee, seat.BalanceUsed = money.Decimal(fee, terms.Places), money.Decimal(used, terms.Places)
	return seat, units, nil
}

// differs returns ErrMismatch for a purchase of a buyer that is not that of a seat: in the team of a code, or in the team that
// it opened.
func (p Purchase) differs(buyer string, seat Seat, code string) error {
	if seat.State == NoSeat {
		return fault.Mismatch(p.Order, fault.Argument{Field: "what was ordered"}) // ordinary stock
	}
	return fault.Mismatch(p.Order, fault.Private("buyer", seat.Buyer, buyer),
		fault.Equal("product", seat.Key, p.Product), fault.Equal("sponsor", seat.Sponsor, code == ""),
		fault.Argument{Field: "team", Same: code == "" || seat.Team == code, Recorded: seat.Team, Asked: code},
		fault.Alike("volume", seat.Volume, p.Volume),
		fault.Private("name", seat.Name, p.Name), fault.Private("avatar", seat.Avatar, p.Avatar),
		fault.Private("address", seat.Address, p.Address),
		fault.Alike("shipping fee", seat.ShippingFee, p.ShippingFee), fault.Alike("balance used", seat.BalanceUsed, p.BalanceUsed))
}
