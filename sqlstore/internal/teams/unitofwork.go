package teams

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// seatCompanions take and move seats in the transaction of their holds.
type seatCompanions struct {
	ledger.NoCompanions

	units  *ledger.Store
	sql    *groupBuySQL
	reopen string // makes a settled product Removed again
}

// unitOfWork is the change of one transaction to the teams and seats that it has locked. The rules of groupbuy change them
// in memory, and flush writes them back at once.
type unitOfWork struct {
	seatCompanions

	at    time.Time
	teams map[string]*teamChange

	changes map[seatChange][]string // orders, by the change of their seats
	events  []event.Event
	formed  []string         // teams that are formed here
	added   map[string]int64 // members of teams that were formed already
}

// begin begins the change of a transaction at a time; zero is that of its first lock.
func (g seatCompanions) begin(at time.Time) *unitOfWork {
	return &unitOfWork{
		seatCompanions: g, at: at,
		teams: map[string]*teamChange{}, changes: map[seatChange][]string{}, added: map[string]int64{},
	}
}

// team returns a locked team. A team that does not exist refuses everything.
func (k *unitOfWork) team(code string) *teamChange {
	if t := k.teams[code]; t != nil {
		return t
	}
	return &teamChange{TeamRecord: groupbuy.TeamRecord{Team: groupbuy.Team{Code: code}}}
}

// lockTeams locks and reads teams. They exist, since each call has read its team before.
func (k *unitOfWork) lockTeams(ctx context.Context, q mysql.Tx, codes []string) error {
	if len(codes) == 0 {
		return nil
	}
	return mysql.Read(ctx, q, mysql.RenderList(k.sql.readTeams, codes)+" FOR UPDATE", func(rows *sql.Rows) error {
		var team groupbuy.Team
		var clock time.Time
		err := rows.Scan(append(teamTargets(&team), activities.Time(&clock))...)
		k.load(team, clock)
		return err
	})
}

// load keeps a team that is locked, and the time of the lock unless the time was given.
func (k *unitOfWork) load(team groupbuy.Team, clock time.Time) {
	if k.at.IsZero() {
		k.at = clock
	}
	if k.teams[team.Code] == nil {
		k.teams[team.Code] = &teamChange{TeamRecord: groupbuy.TeamRecord{Team: team}, was: team.Version}
	}
}

// whole reports whether some seats, which were read from the snapshot of the caller's transaction, are the live seats of the
// locked teams as they are now. The versions of the teams do not tell: where the transaction has changed a team itself, it sees
// the newest version, and not who has joined since its snapshot. So the seats are locked by their keys. If they are live still,
// and as many as the teams count, there are no others.
func (k *unitOfWork) whole(ctx context.Context, q mysql.Tx, seats []groupbuy.Seat, codes ...string) (bool, error) {
	left := int64(0)
	for _, code := range codes {
		left += k.team(code).Held + k.team(code).Paid
	}
	if left != int64(len(seats)) || left == 0 {
		return left == int64(len(seats)), nil
	}
	states := make(map[string]groupbuy.SeatState, len(seats))
	for _, seat := range seats {
		states[seat.Order] = seat.State
	}
	err := mysql.Read(ctx, q, mysql.RenderList(k.sql.lockStates, slices.Sorted(maps.Keys(states))), func(rows *sql.Rows) error {
		var order string
		var state groupbuy.SeatState
		err := rows.Scan(&order, &state)
		if state == states[order] {
			left--
		}
		return err
	})
	return left == 0, err
}

// withSeat returns which of some orders, whose holds are locked, have a seat: those in the pool of an activity.
func (g seatCompanions) withSeat(ctx context.Context, q mysql.Tx, orders []string) ([]string, error) {
	return ledger.ListOf(ctx, g.units, mysql.ReadIn(q), mysql.RenderList(g.sql.ordersWithSeat, orders), mysql.One[string])
}

// lockSeats locks and reads the seats of orders, whose holds are locked, and their teams. In the caller's transaction
// it first finds out which orders have a seat: orders of ordinary stock have none.
func (k *unitOfWork) lockSeats(ctx context.Context, q mysql.Tx, orders []string) (map[string]*groupbuy.Seat, error) {
	seats := make(map[string]*groupbuy.Seat, len(orders))
	if k.units.Bound() {
		var err error
		if orders, err = k.withSeat(ctx, q, orders); err != nil || len(orders) == 0 {
			return seats, err
		}
	}
	err := mysql.Read(ctx, q, mysql.RenderList(k.sql.readSeats, orders)+" FOR UPDATE", func(rows *sql.Rows) error {
		var row seatAndTeam
		var clock time.Time
		err := rows.Scan(append(row.targets(), activities.Time(&clock))...)
		seats[row.seat.Order] = &row.seat
		k.load(row.team, clock)
		return err
	})
	return seats, err
}

// move moves a seat in memory; dirty must be called next. It returns the refusal of the team.
func (k *unitOfWork) move(step groupbuy.Step, seat *groupbuy.Seat, joined bool) error {
	team := k.team(seat.Team)
	was := team.State
	events, err := team.Move(step, seat, joined, k.at)
	if err != nil {
		return err
	}
	k.events = append(k.events, events...)
	k.noteFormed(team, was)
	if seat.Added && seat.State == groupbuy.Paid {
		k.added[seat.Team]++
	}
	return nil
}

// noteFormed remembers a team that is formed now and was not before.
func (k *unitOfWork) noteFormed(team *teamChange, was groupbuy.TeamState) {
	if was != team.State && team.State == groupbuy.Formed {
		k.formed = append(k.formed, team.Code)
	}
}

// dirty remembers how a step has changed a seat.
func (k *unitOfWork) dirty(seat *groupbuy.Seat, step groupbuy.Step) {
	for _, from := range step.Transition().From { // with several, the others match no row
		change := changeOf(from, *seat)
		k.changes[change] = append(k.changes[change], seat.Order)
	}
}

// flush writes all changes: seats before teams, and products last, which no other transaction locks along with these.
func (k *unitOfWork) flush(ctx context.Context, q mysql.Tx) error {
	for _, write := range [...]func(context.Context, mysql.Tx) error{
		k.flushSeats, k.replaceSponsors, k.flushTeams, k.flushEvents, k.flushProducts,
	} {
		if err := write(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// flushSeats writes the seats, and gives those that are paid in teams that are formed here their Status.
func (k *unitOfWork) flushSeats(ctx context.Context, q mysql.Tx) error {
	moved := map[string]bool{}
	sum := int64(0)
	for change, orders := range k.changes {
		rows, err := mysql.Affected(q.ExecContext(ctx, k.sql.updateSeats(change, orders, k.at)))
		if err != nil {
			return err
		}
		sum += rows
		for _, order := range orders {
			moved[order] = true
		}
	}
	if sum != int64(len(moved)) {
		return mysql.Missing(nil)
	}
	if len(k.formed) == 0 {
		return nil
	}
	paid := int64(0)
	for _, code := range k.formed {
		paid += k.teams[code].Paid - k.added[code]
	}
	rows, err := k.formSeats(ctx, q, paid)
	if err != nil || rows != paid {
		return mysql.Missing(err)
	}
	return nil
}

// formSeats gives the paid seats of teams that are formed here their Status, and returns how many. It finds them by their teams.
// The caller's transaction finds them by their orders, since a lock in the index of teams covers gaps, too. Only if its snapshot
// does not have all that the teams count, it reads the others with such a lock.
func (k *unitOfWork) formSeats(ctx context.Context, q mysql.Tx, paid int64) (rows int64, err error) {
	if !k.units.Bound() {
		return mysql.Affected(q.ExecContext(ctx, mysql.RenderList(k.sql.formSeatsOfTeams, k.formed)))
	}
	for _, lock := range [...]string{"", " FOR UPDATE"} {
		orders, err := ledger.ListOf(ctx, k.units, mysql.ReadIn(q), mysql.RenderList(k.sql.formingSeats, k.formed)+lock, mysql.One[string])
		if err != nil {
			return 0, err
		}
		if len(orders) > 0 {
			some, err := mysql.Affected(q.ExecContext(ctx, mysql.RenderList(k.sql.formSeats, orders)))
			if err != nil {
				return 0, err
			}
			rows += some
		}
		if rows == paid {
			break
		}
	}
	return rows, nil
}

// replaceSponsors gives teams whose sponsor has left a new sponsor, and closes the teams that are empty.
func (k *unitOfWork) replaceSponsors(ctx context.Context, q mysql.Tx) error {
	for _, code := range slices.Sorted(maps.Keys(k.teams)) {
		team := k.teams[code]
		if !team.NeedsSponsor() {
			continue
		}
		if team.Held+team.Paid == 0 {
			k.events = append(k.events, team.Close(k.at))
			continue
		}
		next, err := k.successor(ctx, q, code)
		if err != nil {
			return err
		}
		team.SetSponsor(next)
	}
	return nil
}

// successor returns the first of the live seats of a locked team by groupbuy.CompareSuccessors.
func (k *unitOfWork) successor(ctx context.Context, q mysql.Tx, code string) (groupbuy.Seat, error) {
	if !k.units.Bound() {
		var next groupbuy.Seat
		err := mysql.ReadRow(ctx, q, mysql.Render(k.sql.successor, code), seatTargets(&next)...)
		if errors.Is(err, sql.ErrNoRows) {
			err = mysql.Missing(nil)
		}
		return next, err
	}
	live := mysql.RenderList(k.sql.liveSeats, []string{code})
	seats, _, err := liveSeatsOf(ctx, mysql.ReadIn(q), live)
	if err != nil {
		return groupbuy.Seat{}, err
	}
	whole, err := k.whole(ctx, q, seats[code], code)
	if err == nil && !whole {
		seats, _, err = liveSeatsOf(ctx, mysql.ReadIn(q), live+" FOR UPDATE")
	}
	if err != nil || len(seats[code]) == 0 {
		return groupbuy.Seat{}, mysql.Missing(err)
	}
	return slices.MinFunc(seats[code], groupbuy.CompareSuccessors), nil
}

// teamsAtOnce is how many teams one statement writes.
const teamsAtOnce = 300

// flushTeams writes the teams that have changed.
func (k *unitOfWork) flushTeams(ctx context.Context, q mysql.Tx) error {
	var changed []*teamChange
	for _, code := range slices.Sorted(maps.Keys(k.teams)) {
		if team := k.teams[code]; team.Version != team.was {
			team.Version = team.was + 1 // one version for each transaction
			changed = append(changed, team)
		}
	}
	for part := range slices.Chunk(changed, teamsAtOnce) {
		statement, err := k.sql.updateTeams(part, k.at)
		if err != nil {
			return err
		}
		// 2 for each row that is there (MySQL Reference Manual, INSERT ... ON DUPLICATE KEY UPDATE).
		rows, err := mysql.Affected(q.ExecContext(ctx, statement))
		if err != nil || rows != 2*int64(len(part)) {
			return mysql.Missing(err)
		}
	}
	return nil
}

// flushEvents writes the events.
func (k *unitOfWork) flushEvents(ctx context.Context, q mysql.Tx) error {
	return k.units.WriteEvents(ctx, q, k.events)
}

// flushProducts counts the people of teams that are formed.
func (k *unitOfWork) flushProducts(ctx context.Context, q mysql.Tx) error {
	people := map[stock.Key]int64{}
	for _, code := range k.formed {
		people[k.teams[code].Key] += k.teams[code].Paid - k.added[code]
	}
	for code, n := range k.added {
		people[k.teams[code].Key] += n
	}
	for _, key := range slices.SortedFunc(maps.Keys(people), stock.Key.Compare) {
		rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(k.sql.addFormed, people[key], key.Activity, key.SKU)))
		if err != nil || rows != 1 {
			return mysql.Missing(err)
		}
	}
	return nil
}
