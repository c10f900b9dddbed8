package groupbuy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Decision says who ends a team by hand, and why. The team keeps both. The zero Decision is that of Groups.By.
type Decision struct {
	Actor  string // 1 to 64 bytes
	Reason string // 1 to MaxText bytes
}

// check refuses a decision that nobody has taken, or for no reason.
func (d Decision) check() error {
	err := input.ID("actor", d.Actor)
	if n := len(d.Reason); n < 1 || n > MaxText {
		err = errors.Join(err, fault.Invalid("reason", "must be 1 to %d bytes, has %d", MaxText, n))
	}
	return err
}

// Form forms an incomplete team, with the members who have paid. Seats that are not paid yet are released.
// Forming a team that is already formed, by any cause, returns it as it is; the first decision is kept.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownTeam, ErrTeamFailed, ErrTeamOver from its deadline on,
// ErrNobodyPaid.
func (g *Groups) Form(ctx context.Context, code string, by Decision) (Team, error) {
	return g.decide(ctx, code, by, Formed)
}

// Fail fails a team: the refund of everyone who has paid is due, and seats that are not paid yet are released.
// Failing a team that has already failed, by any cause, returns it as it is. From its deadline on, a team first
// forms or fails by its minimum, and then this call answers.
//
// What goes along with the call (sqlstore.GroupBuy.Along) is done in the transaction that fails the team, also at its deadline.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownTeam, ErrTeamFormed.
func (g *Groups) Fail(ctx context.Context, code string, by Decision) (Team, error) {
	return g.decide(ctx, code, by, Failed)
}

// undecidable returns why a team cannot be ended by hand at a moment, or nil.
func undecidable(team Team, now time.Time, to TeamState) error {
	switch {
	case team.Version == 0:
		return ErrUnknownTeam
	case team.State == Formed:
		return ErrTeamFormed
	case team.State == Failed:
		return ErrTeamFailed
	case !team.Live(now):
		return ErrTeamOver
	case to == Formed && team.Paid == 0:
		return ErrNobodyPaid
	}
	return nil
}

// decide ends a team by hand.
func (g *Groups) decide(ctx context.Context, code string, by Decision, to TeamState) (Team, error) {
	if g != nil && by == (Decision{}) {
		by = Decision{Actor: g.actor, Reason: g.reason}
	}
	code, err := Canonical(code)
	if err := errors.Join(g.ready(ctx), err, by.check()); err != nil {
		return Team{}, err
	}
	awaited, settled := false, false
	for range attempts {
		team, now, err := g.store.Team(ctx, code, stock.Key{})
		reason := undecidable(team, now, to)
		switch over := errors.Is(reason, ErrTeamOver); {
		case err != nil:
			return Team{}, err
		case team.Version > 0 && team.State == to:
			team.Replay = !settled
			return team, nil
		case over && to == Failed:
			by := g.plain()
			if team.atDeadline() == to { // this is what the call does
				by = g
			}
			ended, err := by.settle(ctx, []Team{team})
			if err != nil {
				return Team{}, err
			}
			settled = settled || ended > 0
			continue
		case over && !awaited: // the same call, made in time, may be under way
			if err := g.store.Await(ctx, Subject{Team: code}); err != nil {
				return Team{}, err
			}
			awaited = true
			continue
		case reason != nil:
			return Team{}, &TeamError{Team: code, Err: reason}
		}
		ended, err := g.finish(ctx, []TeamEnd{{
			Code: code, Version: team.Version, To: to, Cause: ByOperator, Actor: by.Actor, Reason: by.Reason, Frees: g.opts.RefundFreesBuyer,
		}})
		switch {
		case err != nil:
			return Team{}, err
		case ended > 0:
			team, _, err = g.store.Team(ctx, code, team.Key)
			return team, fault.Unread(err)
		}
	}
	return Team{}, contention(map[TeamState]string{Formed: "form", Failed: "fail"}[to], code)
}

// settle ends Forming teams that are past their deadline: each forms or fails by its minimum. It returns how
// many this call ended; the others have changed since, and must be read again. If a team cannot be ended, because
// its books have drifted, the others still are; its error is returned.
func (g *Groups) settle(ctx context.Context, teams []Team) (int, error) {
	total := 0
	err := each(ctx, slices.Collect(slices.Chunk(teams, endBatch)), notDrift, func(chunk []Team) error {
		endings := make([]TeamEnd, 0, len(chunk))
		for _, t := range chunk {
			if t.State == Forming {
				endings = append(endings, TeamEnd{
					Code: t.Code, Version: t.Version, To: t.atDeadline(), Cause: ByDeadline, Frees: g.opts.RefundFreesBuyer,
				})
			}
		}
		ended, err := g.finish(ctx, endings)
		total += ended
		return err
	})
	return total, err
}

// finish ends teams and returns how many this call ended. Where the books of one refuse, each half of the teams is ended
// by itself.
func (g *Groups) finish(ctx context.Context, endings []TeamEnd) (int, error) {
	if len(endings) == 0 {
		return 0, nil
	}
	verdicts, err := g.store.End(ctx, endings)
	ended := 0
	var left []TeamEnd
	for i, e := range endings {
		if i < len(verdicts) && verdicts[i] == stock.Done {
			ended++
			g.tell(ctx, Effect{Team: e.Code, Ended: e.To})
		} else {
			left = append(left, e)
		}
	}
	if !errors.Is(err, ErrDrift) {
		return ended, err
	}
	if len(endings) == 1 {
		done, err := g.finishOne(ctx, endings[0])
		if done {
			ended++
		}
		return ended, err
	}
	half := len(left) / 2
	err = each(ctx, [][]TeamEnd{left[:half], left[half:]}, notDrift, func(part []TeamEnd) error {
		more, err := g.finish(ctx, part)
		ended += more
		return err
	})
	return ended, err
}

// finishOne ends a team and reports whether this call did. If something that knows only the stock has moved the
// holds of its seats, the seats follow first. An operator's decision must then be checked again.
func (g *Groups) finishOne(ctx context.Context, e TeamEnd) (bool, error) {
	for followed := false; ; followed = true {
		verdicts, err := g.store.End(ctx, []TeamEnd{e})
		switch {
		case err == nil && verdicts[0] == stock.Done:
			g.tell(ctx, Effect{Team: e.Code, Ended: e.To})
			return true, nil
		case followed || !errors.Is(err, ErrDrift):
			return false, err
		}
		var live []string
		for seat, bad := range g.seats(ctx, nil, SeatFilter{Team: e.Code}) {
			if bad != nil {
				return false, bad
			}
			if seat.State.Live() {
				live = append(live, seat.Order)
			}
		}
		moved, bad := g.follow(ctx, live)
		if bad != nil || len(moved) == 0 {
			return false, errors.Join(err, bad)
		}
		team, _, err := g.store.Team(ctx, e.Code, stock.Key{})
		if err != nil || team.State != Forming || e.Cause != ByDeadline {
			return false, err
		}
		e.Version = team.Version
		if to := team.atDeadline(); to != e.To { // not what the call is for, if it carries anything
			e.To, g = to, g.plain()
		}
	}
}
