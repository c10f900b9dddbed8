package groupbuy

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sweep"
)

// How much a sweep looks up at a time.
const (
	seatBatch  = 900 // seats
	endBatch   = 100 // teams that are ended in one call of the store
	sweepBatch = 200 // teams
)

// Expire does all work that is due by time. It releases seats that were not paid in time, ends teams that are past
// their deadline, removes the products of activities that are over, and gives the remainders of removed products back
// to ordinary stock. It returns how many of these this call changed. Seats and teams are dead from their deadline on
// without it, but nobody is told, no refunds are due and no units go back until it runs. Any number of processes
// may run it at once. Seats and teams whose counts have drifted are skipped, and their error is returned at the end.
// Only 900 or more such seats, or 200 such teams, can block the rest.
func (g *Groups) Expire(ctx context.Context) (int, error) {
	if err := g.ready(ctx); err != nil {
		return 0, err
	}
	total := 0
	books := g.books()
	sweeps := [...]func(context.Context) (int, error){
		g.expireSeats, g.expireTeams, books.ExpireActivities, books.ExpireProducts, g.catchUp,
	}
	err := each(ctx, sweeps[:], stops, func(sweep func(context.Context) (int, error)) error {
		changed, err := sweep(ctx)
		total += changed
		return err
	})
	return total, err
}

// Run calls Expire every Options.Sweep until the context ends, and returns its error. After a sweep that failed it calls
// Options.OnError and rests longer each time, half a minute at most. Run the delivery of events beside it: see Handle.
func (g *Groups) Run(ctx context.Context) error {
	if err := g.ready(ctx); err != nil {
		return err
	}
	return sweep.Run(ctx, g.opts.Sweep, g.Expire, g.opts.OnError)
}

// stops reports whether an error is one of the whole store, so that nothing else can be done either.
func stops(err error) bool { return fault.Stops(err) }

// notDrift reports whether an error is more than the drift of one team.
func notDrift(err error) bool { return err != nil && !errors.Is(err, ErrDrift) }

// each makes a call for one after the other, and returns all errors. It ends with the context, and with an error that stops it.
func each[T any](ctx context.Context, all []T, stops func(error) bool, call func(T) error) error {
	var errs []error
	for _, one := range all {
		err := call(one)
		errs = append(errs, err)
		if ctx.Err() != nil || stops(err) {
			break
		}
	}
	return errors.Join(errs...)
}

// catchUp has a store hand over the events that an earlier version of this module has written in a table of its own.
func (g *Groups) catchUp(ctx context.Context) (int, error) {
	if store, ok := g.store.(interface {
		CatchUp(ctx context.Context) (int, error)
	}); ok {
		return store.CatchUp(ctx)
	}
	return 0, nil
}

// expireSeats releases every seat that is Held and past its deadline.
func (g *Groups) expireSeats(ctx context.Context) (int, error) {
	total := 0
	var skipped error
	for {
		released, found, err := g.releaseSome(ctx, "")
		total += released
		switch {
		case stops(err), released == 0 && err != nil:
			return total, err
		case released == 0, ctx.Err() != nil, err == nil && found < seatBatch:
			return total, skipped // nothing is left, or only what others are at
		case err != nil:
			skipped = err
		}
	}
}

// releaseSeats releases dead seats of a team, or with no code of all, and returns how many were found: they were
// released by this call, or by another that came first. They are in the way of a call that is not sent before.
func (g *Groups) releaseSeats(ctx context.Context, team string) (int, error) {
	released, found, err := g.releaseSome(ctx, team)
	if err != nil && !stops(err) { // a seat that cannot be released is as if it still lived
		return released, nil
	}
	return found, fault.Unsent(err)
}

// releaseSome looks up a batch of dead seats and releases it. Seats whose hold has ended by itself, as it does
// where something else sweeps up the stock, follow it. It returns how many this call released and how many were
// found.
func (g *Groups) releaseSome(ctx context.Context, team string) (released, found int, err error) {
	late, err := g.store.LateSeats(ctx, team, seatBatch)
	if err != nil || len(late) == 0 {
		return 0, 0, err
	}
	expired, err := g.expireHolds(ctx, late)
	if stops(err) {
		return len(expired), len(late), err
	}
	behind := slices.DeleteFunc(slices.Clone(late), func(order string) bool { return slices.Contains(expired, order) })
	followed, bad := g.follow(ctx, behind)
	return len(expired) + len(followed), len(late), errors.Join(err, bad)
}

// expireHolds releases the holds of dead seats, and the seats along with them, and returns the orders of those that
// this call released.
func (g *Groups) expireHolds(ctx context.Context, late []string) ([]string, error) {
	expired, err := g.store.Units().Expire(ctx, late)
	for _, order := range expired {
		g.tellSeat(ctx, order, StepExpire)
	}
	return expired, err
}

// follow brings seats in line with their holds, and returns the orders of those that this call moved. If the
// books of one refuse, each half of the seats is moved by itself.
func (g *Groups) follow(ctx context.Context, orders []string) ([]string, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	moved, err := g.store.Follow(ctx, orders)
	for _, order := range moved {
		g.tellSeat(ctx, order, 0)
	}
	if !errors.Is(err, ErrDrift) || len(orders) == 1 {
		return moved, err
	}
	half := len(orders) / 2
	err = each(ctx, [][]string{orders[:half], orders[half:]}, stops, func(part []string) error {
		some, err := g.follow(ctx, part)
		moved = append(moved, some...)
		return err
	})
	return moved, err
}

// expireTeams ends every team that is Forming and past its deadline.
func (g *Groups) expireTeams(ctx context.Context) (int, error) {
	total := 0
	for {
		late, err := g.store.LateTeams(ctx, sweepBatch)
		if err != nil {
			return total, err
		}
		ended, err := g.plain().settle(ctx, late)
		total += ended
		if ended == 0 || ctx.Err() != nil || stops(err) || err == nil && len(late) < sweepBatch {
			return total, err
		}
	}
}
