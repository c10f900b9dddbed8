package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// farAway is behind every time that is kept.
var farAway = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// seatAt is a seat and its team as they are at a moment.
type seatAt struct {
	seat groupbuy.Seat
	team groupbuy.Team
	now  time.Time
}

// Seat implements groupbuy.Store. Those who ask at once are answered by one read: every payment asks.
func (g *GroupBuy) Seat(ctx context.Context, order string) (groupbuy.Seat, groupbuy.Team, time.Time, error) {
	if err := g.units.ready(ctx); err != nil {
		return groupbuy.Seat{}, groupbuy.Team{}, time.Time{}, err
	}
	read := g.seat
	if g.merged != nil {
		read = g.merged.seats.do
	}
	found, err := read(ctx, struct{}{}, order)
	return found.seat, found.team, found.now, err
}

// seat reads one seat.
func (g *GroupBuy) seat(ctx context.Context, _ struct{}, order string) (seatAt, error) {
	query := renderList(g.sql.readSeats, []string{order})
	if g.units.bound() {
		query = render(g.sql.currentSeat, order)
	}
	seats, now, err := g.seatsOf(ctx, query)
	found := seats[order]
	found.now = now
	return found, err
}

// seatBatch reads several.
func (g *GroupBuy) seatBatch(ctx context.Context, _ struct{}, orders []string) ([]reply[seatAt], error) {
	seats, now, err := g.seatsOf(ctx, renderList(g.sql.readSeats, orders))
	if err != nil {
		return nil, err
	}
	replies := make([]reply[seatAt], len(orders))
	for i, order := range orders {
		found := seats[order]
		found.now = now
		replies[i].answer = found
	}
	return replies, nil
}

// seatsOf reads seats with their teams, by order, and the clock.
func (g *GroupBuy) seatsOf(ctx context.Context, query string) (map[string]seatAt, time.Time, error) {
	found := map[string]seatAt{}
	var clock int64
	err := g.units.query(ctx, query, func(rows *sql.Rows) error {
		var seat seatRow
		var team teamRow
		err := rows.Scan(append(append(seat.targets(), team.targets()...), &clock)...)
		found[seat.seat.Order] = seatAt{seat: seat.finish(), team: team.finish()}
		return err
	})
	if err == nil && len(found) == 0 { // no row has brought the clock
		clock, err = g.units.clock(ctx)
	}
	return found, fromMicros(clock), err
}

// teamAt is a team as it is at a moment.
type teamAt struct {
	team groupbuy.Team
	now  time.Time
}

// Team implements groupbuy.Store. Those who ask at once are answered by one read: whoever joins asks.
func (g *GroupBuy) Team(ctx context.Context, code string) (groupbuy.Team, time.Time, error) {
	if err := g.units.ready(ctx); err != nil {
		return groupbuy.Team{}, time.Time{}, err
	}
	read := g.team
	if g.merged != nil {
		read = g.merged.teams.do
	}
	found, err := read(ctx, struct{}{}, code)
	return found.team, found.now, err
}

// team reads one team.
func (g *GroupBuy) team(ctx context.Context, _ struct{}, code string) (teamAt, error) {
	query := renderList(g.sql.readTeams, []string{code})
	if g.units.bound() {
		var err error
		if query, err = g.currentTeam(ctx, code); err != nil {
			return teamAt{}, err
		}
	}
	teams, now, err := g.teamsOf(ctx, query)
	return teamAt{team: teams[code], now: now}, err
}

// currentTeam returns the read of a team as it is now. The product of a team never changes: it may be read from
// the transaction's snapshot, and its item is locked before the team. A team that the snapshot does not have may be
// new; it is locked without its item, rather than not seen.
func (g *GroupBuy) currentTeam(ctx context.Context, code string) (string, error) {
	query := g.units.current(renderList(g.sql.readTeams, []string{code}))
	err := g.units.query(ctx, render(g.sql.keyOfTeam, code), func(rows *sql.Rows) error {
		var key stock.Key
		err := rows.Scan(&key.SKU, &key.Activity)
		query = render(g.sql.currentTeam, code, key.SKU, key.Activity)
		return err
	})
	return query, err
}

// teamBatch reads several.
func (g *GroupBuy) teamBatch(ctx context.Context, _ struct{}, codes []string) ([]reply[teamAt], error) {
	teams, now, err := g.teamsOf(ctx, renderList(g.sql.readTeams, codes))
	if err != nil {
		return nil, err
	}
	replies := make([]reply[teamAt], len(codes))
	for i, code := range codes {
		replies[i].answer = teamAt{team: teams[code], now: now}
	}
	return replies, nil
}

// teamsOf reads teams, by code, and the clock.
func (g *GroupBuy) teamsOf(ctx context.Context, query string) (map[string]groupbuy.Team, time.Time, error) {
	found := map[string]groupbuy.Team{}
	var clock int64
	err := g.units.query(ctx, query, func(rows *sql.Rows) error {
		var row teamRow
		err := rows.Scan(append(row.targets(), &clock)...)
		found[row.team.Code] = row.finish()
		return err
	})
	if err == nil && len(found) == 0 { // no row has brought the clock
		clock, err = g.units.clock(ctx)
	}
	return found, fromMicros(clock), err
}

// Seats implements groupbuy.Store. Those who ask for the first page of a team at once are answered by one read: every
// payment that forms one asks.
func (g *GroupBuy) Seats(ctx context.Context, filter groupbuy.SeatFilter, after groupbuy.SeatCursor, limit int) ([]groupbuy.Seat, error) {
	if err := g.units.ready(ctx); err != nil {
		return nil, err
	}
	var query string
	switch at := after.At; {
	case filter.Team != "" && after.Order == "" && g.merged != nil:
		return g.merged.members.do(ctx, limit, filter.Team)
	case filter.Team != "":
		query = render(g.sql.seatsOfTeam, filter.Team, after.Order, limit)
	case filter.Buyer != 0:
		if after.Order == "" {
			at = farAway
		}
		query = render(g.sql.seatsOfBuyer, filter.Buyer, at, at, after.Order, limit)
	default:
		if after.Order == "" {
			at = time.UnixMicro(0)
		}
		query = render(g.sql.seatsInState, int64(filter.State), at, at, after.Order, limit)
	}
	return g.listSeats(ctx, query)
}

// listSeats lists seats.
func (g *GroupBuy) listSeats(ctx context.Context, query string) ([]groupbuy.Seat, error) {
	return listOf(ctx, g.units, query, func(rows *sql.Rows) (groupbuy.Seat, error) {
		var row seatRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// membersOf reads the first page of the seats of one team.
func (g *GroupBuy) membersOf(ctx context.Context, limit int, code string) ([]groupbuy.Seat, error) {
	return g.listSeats(ctx, render(g.sql.seatsOfTeam, code, "", limit))
}

// mostMembers is how many seats of several teams are read at once. Larger teams are read one by one.
const mostMembers = 2_000

// membersBatch reads those of several.
func (g *GroupBuy) membersBatch(ctx context.Context, limit int, codes []string) ([]reply[[]groupbuy.Seat], error) {
	replies := make([]reply[[]groupbuy.Seat], len(codes))
	seats, err := g.listSeats(ctx, render(renderList(g.sql.seatsOfTeams, codes), mostMembers+1))
	if err != nil {
		return nil, err
	}
	if len(seats) > mostMembers {
		return allAlone(replies), nil
	}
	of := make(map[string][]groupbuy.Seat, len(codes))
	for _, s := range seats {
		of[s.Team] = append(of[s.Team], s)
	}
	for i, code := range codes {
		page := slices.Clone(of[code]) // each caller's own
		slices.SortFunc(page, func(a, b groupbuy.Seat) int { return cmp.Compare(a.Order, b.Order) })
		replies[i].answer = page[:min(limit, len(page))]
	}
	return replies, nil
}

// Teams implements groupbuy.Store.
func (g *GroupBuy) Teams(ctx context.Context, filter groupbuy.TeamFilter, after groupbuy.TeamCursor, limit int) ([]groupbuy.Team, error) {
	ofProduct := filter.Product != stock.Key{}
	var args []any
	if ofProduct {
		args = append(args, filter.Product.Activity, filter.Product.SKU)
	}
	from := after.Deadline
	if after.Code == "" {
		from = time.UnixMicro(0)
	}
	args = append(args, int64(filter.State), from, from, after.Code, limit)
	joinable := filter.Joinable && filter.State == groupbuy.Forming
	return g.teams(ctx, render(g.sql.listTeams(ofProduct, joinable), args...))
}

// LateTeams implements groupbuy.Store.
func (g *GroupBuy) LateTeams(ctx context.Context, limit int) ([]groupbuy.Team, error) {
	return g.teams(ctx, render(g.sql.lateTeams, limit))
}

// teams lists teams.
func (g *GroupBuy) teams(ctx context.Context, query string) ([]groupbuy.Team, error) {
	return listOf(ctx, g.units, query, func(rows *sql.Rows) (groupbuy.Team, error) {
		var row teamRow
		err := rows.Scan(row.targets()...)
		return row.finish(), err
	})
}

// LateSeats implements groupbuy.Store. It locks nothing, also in the caller's transaction: the holds come first, and
// who releases them looks for itself.
func (g *GroupBuy) LateSeats(ctx context.Context, team string, limit int) ([]string, error) {
	query := render(g.sql.lateSeats, limit)
	if team != "" {
		query = render(g.sql.lateSeatsOfTeam, team, limit)
	}
	return listOf(ctx, g.units, query, func(rows *sql.Rows) (string, error) {
		var order string
		err := rows.Scan(&order)
		return order, err
	})
}
