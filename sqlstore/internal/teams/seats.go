package teams

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// seatAndTeam is a seat and its team.
type seatAndTeam struct {
	seat groupbuy.Seat
	team groupbuy.Team
}

// targets scan seatColumns and teamColumns.
func (s *seatAndTeam) targets() []any { return append(seatTargets(&s.seat), teamTargets(&s.team)...) }

// Seat implements groupbuy.Store. Concurrent calls share one read, since each payment needs one.
func (g *Store) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	if err := g.units.Ready(); err != nil {
		return groupbuy.Seat{}, groupbuy.Team{}, time.Time{}, err
	}
	found, now, err := g.seats.Get(ctx, order)
	return found.seat, found.team, now, err
}

// seat reads one seat.
func (g *Store) seat(ctx context.Context, order string) (seatAndTeam, time.Time, error) {
	query := mysql.RenderList(g.sql.readSeats, []string{order})
	if g.units.Bound() {
		if seated, err := g.lockSeat(ctx, order); err != nil || !seated {
			now, err := g.units.Moment(ctx, 0, err)
			return seatAndTeam{}, now, err
		}
		query += " FOR UPDATE"
	}
	seats, now, err := g.seatsOf(ctx, query)
	return seats[order], now, err
}

// lockSeat locks, in the caller's transaction, the hold of an order, then its item, and then its seat, and reports whether
// there is one.
func (g *Store) lockSeat(ctx context.Context, order string) (seated bool, err error) {
	err = g.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		var key stock.Key
		err := mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockHold, order), &key.SKU, &key.Activity)
		if err != nil || key.Activity == 0 { // no hold, or that of an ordinary order
			return key.SKU == 0, err
		}
		var version, state int64
		if err := mysql.ReadRow(ctx, q, mysql.Render(g.books.SQL.LockItem, key.SKU, key.Activity), &version); err != nil {
			return false, err
		}
		free := g.sql.blankSeat.Of(order)
		if err := mysql.Insert(ctx, q, free.Insert, free.TakeBack); err != nil {
			return false, err
		}
		err = mysql.ReadRow(ctx, q, mysql.Render(g.sql.lockSeat, order), &state)
		seated = state > 0
		return !seated, err
	}, g.units.SQL.BlankHolds(order))
	return seated, err
}

// severalSeats reads several seats.
func (g *Store) severalSeats(ctx context.Context, orders []string) (map[string]seatAndTeam, time.Time, error) {
	return g.seatsOf(ctx, mysql.RenderList(g.sql.readSeats, orders))
}

// seatsOf reads seats with their teams, by order, and the clock.
func (g *Store) seatsOf(ctx context.Context, query string) (map[string]seatAndTeam, time.Time, error) {
	return activities.ByKey(ctx, g.units, query, (*seatAndTeam).targets, func(s seatAndTeam) string { return s.seat.Order })
}

// Team implements groupbuy.Store. Concurrent calls share one read, since each Join needs one.
func (g *Store) Team(ctx context.Context, code string, of stock.Key) (groupbuy.Team, time.Time, error) {
	if err := g.units.Ready(); err != nil {
		return groupbuy.Team{}, time.Time{}, err
	}
	if g.units.Bound() {
		return g.currentTeam(ctx, code, of)
	}
	return g.teams.Get(ctx, code)
}

// team reads one team.
func (g *Store) team(ctx context.Context, code string) (groupbuy.Team, time.Time, error) {
	teams, now, err := g.severalTeams(ctx, []string{code})
	return teams[code], now, err
}

// currentTeam reads a team in the caller's transaction, after locking its item. The product of a team never changes.
// If the caller does not know it, it is read from the transaction's snapshot. A team that is not in the snapshot may
// be new: it is locked without its item, so that it is found.
func (g *Store) currentTeam(ctx context.Context, code string, of stock.Key) (groupbuy.Team, time.Time, error) {
	if len(code) > codeBytes { // that of no team: the server would refuse a blank one
		now, err := g.units.Moment(ctx, 0, nil)
		return groupbuy.Team{}, now, err
	}
	if of == (stock.Key{}) {
		err := g.units.Query(ctx, mysql.Render(g.sql.keyOfTeam, code), func(rows *sql.Rows) error { return rows.Scan(&of.SKU, &of.Activity) })
		if err != nil {
			return groupbuy.Team{}, time.Time{}, err
		}
	}
	var blanks []mysql.Blank
	if of != (stock.Key{}) {
		blanks = append(blanks, g.units.SQL.BlankItems([]stock.Key{of}))
	}
	var team groupbuy.Team
	var clock int64
	err := g.units.Among(ctx, func(q mysql.Tx) (bool, error) {
		item := int64(1)
		if of != (stock.Key{}) {
			if err := mysql.ReadRow(ctx, q, mysql.Render(g.books.SQL.LockItem, of.SKU, of.Activity), &item); err != nil {
				return false, err
			}
		}
		query := mysql.RenderList(g.sql.readTeams, []string{code}) + " FOR UPDATE"
		err := mysql.ReadRow(ctx, q, query, append(teamTargets(&team), &clock)...)
		return item == 0 || team.Version == 0, err
	}, append(blanks, g.sql.blankTeam.Of(code))...)
	if team.Version == 0 { // a blank
		team = groupbuy.Team{}
	}
	return team, mysql.FromMicros(clock), err
}

// severalTeams reads several teams.
func (g *Store) severalTeams(ctx context.Context, codes []string) (map[string]groupbuy.Team, time.Time, error) {
	query := mysql.RenderList(g.sql.readTeams, codes)
	return activities.ByKey(ctx, g.units, query, teamTargets, func(t groupbuy.Team) string { return t.Code })
}

// Await implements groupbuy.Store. It does nothing in the caller's transaction, whose reads are locked. For an order it
// first reads uncommitted rows, and waits only if it finds one.
func (g *Store) Await(ctx context.Context, of groupbuy.Subject) error {
	if err := g.units.Ready(); err != nil || g.units.Bound() {
		return err
	}
	var statement string
	switch {
	case of.Order != "":
		known, _, err := g.units.Orders.Get(ctx, of.Order)
		if err != nil || known != ledger.UnderWay {
			return err
		}
		statement = mysql.Render(g.sql.lockHold, of.Order)
	case of.Team != "":
		statement = mysql.RenderList(g.sql.versions, []string{of.Team}) + " FOR UPDATE"
	default:
		return g.books.Await(ctx, of.Activity, of.Product)
	}
	return g.units.Query(ctx, statement, func(*sql.Rows) error { return nil })
}

// Seats implements groupbuy.Store. Concurrent calls for the first page of a team share one read, since each payment that
// forms a team needs one.
func (g *Store) Seats(ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int) ([]groupbuy.Seat, error) {
	var query string
	by := g.units.Query // which decides the answer for a team or a buyer
	needs := "mine"     // an index
	switch first := after.Order == ""; {
	case filter.Team != "" && after.Order == "" && g.members != nil:
		return g.members.Do(ctx, limit, filter.Team)
	case filter.Team != "":
		query = mysql.Render(g.sql.seatsOfTeam, filter.Team, after.Order, limit)
	case filter.Buyer != "":
		at := mysql.Before(first, after.At)
		query = mysql.Render(g.sql.seatsOfBuyer, filter.Buyer, at, at, after.Order, limit)
	default:
		at := mysql.From(first, after.At)
		args := []any{int64(filter.State), at, at, after.Order, limit}
		query, by, needs = mysql.Render(g.sql.seatsInState, args...), g.units.Show, "state"
		if filter.Activity != 0 {
			query, needs = mysql.Render(g.sql.seatsOfActivity, append([]any{filter.Activity}, args...)...), "refund"
		}
	}
	seats, err := ledger.ListOf(ctx, g.units, by, query, activities.Scan(seatTargets))
	return seats, mysql.NeedsIndex(err, g.sql.seats, needs)
}

// membersOf reads the first page of the seats of one team.
func (g *Store) membersOf(ctx context.Context, limit int, code string) ([]groupbuy.Seat, error) {
	return ledger.ListOf(ctx, g.units, g.units.Query, mysql.Render(g.sql.seatsOfTeam, code, "", limit), activities.Scan(seatTargets))
}

// mostMembers is how many seats of several teams are read at once. Larger teams are read one by one.
const mostMembers = 2_000

// membersBatch reads the first pages of the seats of several teams.
func (g *Store) membersBatch(ctx context.Context, limit int, codes []string) ([]batch.Reply[[]groupbuy.Seat], error) {
	replies := make([]batch.Reply[[]groupbuy.Seat], len(codes))
	query := mysql.Render(mysql.RenderList(g.sql.seatsOfTeams, codes), mostMembers+1)
	seats, err := ledger.ListOf(ctx, g.units, g.units.Query, query, activities.Scan(seatTargets))
	if err != nil {
		return nil, err
	}
	if len(seats) > mostMembers {
		return ledger.AllAlone(replies), nil
	}
	of := make(map[string][]groupbuy.Seat, len(codes))
	for _, s := range seats {
		of[s.Team] = append(of[s.Team], s)
	}
	for i, code := range codes {
		page := slices.Clone(of[code]) // which its caller owns
		slices.SortFunc(page, func(a, b groupbuy.Seat) int { return cmp.Compare(a.Order, b.Order) })
		replies[i].Answer = page[:min(limit, len(page))]
	}
	return replies, nil
}

// Teams implements groupbuy.Store.
func (g *Store) Teams(ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int) ([]groupbuy.Team, error) {
	index := "state"
	var args []any
	switch {
	case filter.Product != stock.Key{}:
		index, args = "product", append(args, filter.Product.Activity, filter.Product.SKU)
	case filter.Activity != 0:
		index, args = "activity", append(args, filter.Activity)
	}
	from := mysql.From(after.Code == "", after.Deadline)
	args = append(args, int64(filter.State), from, from, after.Code, limit)
	joinable := filter.Joinable && filter.State == groupbuy.Forming
	query := mysql.Render(g.sql.listTeams(index, joinable), args...)
	teams, err := ledger.ListOf(ctx, g.units, g.units.Show, query, activities.Scan(teamTargets))
	return teams, mysql.NeedsIndex(err, g.sql.teams, index)
}

// LateTeams implements groupbuy.Store.
func (g *Store) LateTeams(ctx context.Context, limit int) ([]groupbuy.Team, error) {
	return ledger.ListOf(ctx, g.units, g.units.Show, mysql.Render(g.sql.lateTeams, limit), activities.Scan(teamTargets))
}

// LateSeats implements groupbuy.Store. It locks nothing, even in the caller's transaction, since holds are locked before
// seats. The release of a hold checks the deadline again.
func (g *Store) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	most := limit + g.units.LeftOut()
	query, by := mysql.Render(g.sql.lateSeats, most), g.units.Show
	if team != "" { // whether it has a free seat depends on them
		query, by = mysql.Render(g.sql.lateSeatsOfTeam, team, most), g.units.Query
	}
	late, err := ledger.ListOf(ctx, g.units, by, query, mysql.One[string])
	return g.units.LeaveOut(late, limit), err
}
