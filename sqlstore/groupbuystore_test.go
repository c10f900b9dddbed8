package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// stall is a store of group buying without its domain, with one product on offer, whose teams are of three.
type stall struct {
	*sqlstore.GroupBuy
	t     testing.TB
	db    *sqltest.DB
	terms groupbuy.Terms
}

// stallKey is its product.
var stallKey = stock.Key{SKU: 42, Activity: 7}

// openStall returns a stall with a frozen clock.
func openStall(t testing.TB, variant sqltest.Variant) *stall {
	t.Helper()
	ctx := t.Context()
	db := frozen(t, variant, stockTables, groupBuyTables).db
	s := &stall{GroupBuy: sqlstore.NewGroupBuy(db.DB, nil), t: t, db: db, terms: groupbuy.Terms{
		Places: 2, Price: decimal.New(1000, -2), GroupPrice: decimal.New(800, -2), People: 3, Volume: decimal.New(0, -2), UnitsPerVolume: 1,
		MinVolume: decimal.New(0, -2),
	}}
	week := groupbuy.Activity{ID: 7, Title: "week", Formation: time.Hour, End: start.Add(48 * time.Hour)}
	tea := groupbuy.Product{Key: stallKey, Terms: s.terms, Name: "tea", State: groupbuy.Offered, Allotted: 100}
	s.done(s.SaveActivity(ctx, week, false, stock.Change{}))
	s.done(s.SaveProduct(ctx, tea, stock.Change{}))
	require.NoError(t, of(stock.New(s.Units(), nil).Define(ctx, stallKey, 100, stock.Terms{})))
	return s
}

// done demands that a change happened.
func (s *stall) done(verdict stock.Verdict, err error) {
	s.t.Helper()
	require.NoError(s.t, err)
	require.Equal(s.t, stock.Done, verdict)
}

// refused demands that it did not.
func (s *stall) refused(verdict stock.Verdict, err error) {
	s.t.Helper()
	require.NoError(s.t, err)
	require.Equal(s.t, stock.Refused, verdict)
}

// take takes a seat, in a new team where the order is its sponsor's.
func (s *stall) take(code, order string, buyer string, opens bool) {
	s.t.Helper()
	request := groupbuy.SeatRequest{
		Seat:  groupbuy.Seat{Order: order, Key: stallKey, Buyer: buyer, Volume: decimal.New(100, -2), Places: 2},
		Team:  groupbuy.Team{Code: code, Key: stallKey, Terms: s.terms},
		Opens: opens, Formation: time.Hour, Closes: start.Add(10_000 * time.Hour),
	}
	_, err := s.units().With(request).For(buyer).
		Lock(s.t.Context(), order, stock.Line{SKU: stallKey.SKU, Activity: stallKey.Activity, Num: 1})
	require.NoError(s.t, err)
}

// units is the inventory of its pools.
func (s *stall) units() *stock.Inventory {
	return stock.New(s.Units(), nil)
}

// team opens a team of some and returns their orders; so many of them have paid.
func (s *stall) team(code string, members, paid int) (orders []string) {
	s.t.Helper()
	for i := range members {
		orders = append(orders, fmt.Sprintf("%s-%d", code, i+1))
		s.take(code, orders[i], fmt.Sprint(i+1), i == 0)
	}
	for _, order := range orders[:paid] {
		require.NoError(s.t, of(s.units().Pay(s.t.Context(), order)))
	}
	return orders
}

// refund refunds an order.
func (s *stall) refund(order string) {
	s.t.Helper()
	_, err := s.units().With(groupbuy.SeatRefund{Actor: "ann", Reason: "asked"}).
		Refund(s.t.Context(), stock.Refund{ID: groupbuy.RefundID(order), Order: order, Restock: true})
	require.NoError(s.t, err)
}

// What was changed from outside is found, each by how much, and corrected, which is told.
func TestTeamsAreRecountedAndCorrected(t *testing.T) {
	t.Parallel()
	s, ctx := openStall(t, defaults), t.Context()
	s.team("AAAA", 3, 3)
	orders := s.team("BBBB", 3, 1)
	s.refund("BBBB-1")
	books := must(s.Books(ctx, stallKey, "", 10))(t)
	require.Len(t, books, 2)
	for _, book := range books {
		require.Equal(t, book.Held, book.Recount.Held, book.Code)
		require.Equal(t, book.Paid, book.Recount.Paid, book.Code)
		require.True(t, book.PaidVolume.Equal(book.Recount.PaidVolume), book.Code)
		require.Empty(t, book.Mismatched)
	}
	formed := must(s.FormedPeople(ctx, stallKey))(t)
	require.Equal(t, groupbuy.FormedBook{Key: stallKey, Version: formed.Version, Formed: 3, Recount: 3}, formed)

	for _, statement := range []string{
		"UPDATE egl_group_team SET HELD_NUM = 0, PAID_NUM = 1, PAID_VOLUME = 7.5 WHERE CODE = 'BBBB'",
		"UPDATE goods_stock_hold SET STATE = 2 WHERE ORDER_NO = 'BBBB-2'",
		"DELETE FROM goods_stock_hold WHERE ORDER_NO = 'BBBB-1'",
		"UPDATE egl_group_product SET FORMED_NUM = 8",
	} {
		require.NoError(t, of(s.db.ExecContext(ctx, statement)))
	}
	books = must(s.Books(ctx, stallKey, "AAAA", 10))(t)
	require.Len(t, books, 1)
	require.Equal(t, []groupbuy.SeatBook{
		{Order: orders[0], State: groupbuy.RefundDue},
		{Order: orders[1], State: groupbuy.Held, Hold: stock.Paid, Units: 1},
	}, books[0].Mismatched)
	recount := books[0].Recount
	require.True(t, recount.PaidVolume.IsZero())
	recount.PaidVolume = decimal.Zero
	require.Equal(t, groupbuy.Counts{Held: 2}, recount)
	s.done(s.Correct(ctx, books[0]))
	s.refused(s.Correct(ctx, books[0]))
	told := must(sqlstore.NewEvents(s.db.DB, nil).List(ctx, event.TeamQueue("BBBB"), 0, 10))(t)
	require.Equal(t, event.TeamCorrected, told[len(told)-1].Kind)
	team, _, err := s.Team(ctx, "BBBB", stock.Key{})
	require.NoError(t, err)
	require.Equal(t, [3]int64{2, 0, books[0].Version + 1}, [3]int64{team.Held, team.Paid, team.Version})

	formed = must(s.FormedPeople(ctx, stallKey))(t)
	require.Equal(t, [2]int64{8, 3}, [2]int64{formed.Formed, formed.Recount})
	s.done(s.CorrectFormed(ctx, formed, stock.Change{}))
	s.refused(s.CorrectFormed(ctx, formed, stock.Change{}))
	formed = must(s.FormedPeople(ctx, stallKey))(t)
	require.Equal(t, int64(3), formed.Formed)
	formed.Recount = -1
	require.ErrorIs(t, of(s.CorrectFormed(ctx, formed, stock.Change{})), stock.ErrDrift)
	s.refused(s.CorrectFormed(ctx, groupbuy.FormedBook{Key: stock.Key{SKU: 1, Activity: 7}, Recount: 1}, stock.Change{}))
}

// A caller's transaction decides from teams and seats as they are now, also where its snapshot is older.
func TestGroupBuyReadsInATransactionAreOfNow(t *testing.T) {
	t.Parallel()
	s, ctx := openStall(t, defaults), t.Context()
	s.team("AAAA", 1, 0)
	tx := reader(t, s.db, "egl_group_team")
	s.team("BBBB", 1, 0)
	s.take("AAAA", "late", "2", false)
	product, _, err := s.Offer(ctx, stallKey)
	require.NoError(t, err)
	product.State = groupbuy.Removed
	s.done(s.SaveProduct(ctx, product.Product, stock.Change{}))

	in := s.WithTx(tx)
	if conflicts(t, s.db) { // it is told to start over
		_, _, err := in.Team(ctx, "AAAA", stock.Key{})
		require.ErrorIs(t, err, stock.ErrUnavailable)
		require.NoError(t, tx.Rollback())
		tx = reader(t, s.db, "egl_group_team")
		in = s.WithTx(tx)
	}
	team, now, err := in.Team(ctx, "BBBB", stock.Key{})
	require.NoError(t, err)
	require.Equal(t, start, now)
	require.Equal(t, int64(1), team.Held)
	team, _, err = in.Team(ctx, "AAAA", stock.Key{})
	require.NoError(t, err)
	require.Equal(t, int64(2), team.Held)
	none, now, err := in.Team(ctx, "CCCC", stock.Key{})
	require.NoError(t, err)
	require.Equal(t, start, now)
	require.Zero(t, none.Version)
	seat, _, _, err := in.Seat(ctx, "late")
	require.NoError(t, err)
	require.Equal(t, groupbuy.Held, seat.State)
	offer, _, err := in.Offer(ctx, stallKey)
	require.NoError(t, err)
	require.Equal(t, groupbuy.Removed, offer.State)
	require.True(t, must(in.Unfinished(ctx, stallKey))(t))
	require.NoError(t, tx.Commit())
}

// The events that an earlier version has left in a table of its own are delivered, but for those that it is at, and so is what it
// writes there meanwhile.
func TestEventsOfAnEarlierVersionAreDelivered(t *testing.T) {
	t.Parallel()
	s, ctx := openStall(t, defaults), t.Context()
	orders := s.team("AAAA", 2, 2)
	s.team("BBBB", 1, 0)
	groups, events := groupbuy.New(s, nil), event.New(sqlstore.NewEvents(s.db.DB, nil), nil)
	var told []string
	deliver := func() {
		told = nil
		require.NoError(t, of(groups.Expire(ctx)))
		require.NoError(t, of(events.Deliver(ctx, groups.Handle(func(_ context.Context, e groupbuy.Event) error {
			told = append(told, fmt.Sprint(e.Team.Code, " ", e.Kind, " ", e.Order, e.Seat.Buyer, " ", e.SKU, " ", e.At.Sub(start)))
			return nil
		}))))
	}
	s.db.Wire.Advance(time.Minute)
	run(t, s.db, // the first of AAAA is delivered, the second set aside; BBBB is at its handler
		"UPDATE egl_group_participation SET STATE = 5, LIVE = NULL WHERE ORDER_NO = 'AAAA-2'",
		"INSERT INTO egl_group_event (TEAM_CODE, EVENT_NO, KIND, ORDER_NO, STATE, CREATE_TIME) VALUES"+
			" ('AAAA', 1, 3, '', 1, UTC_TIMESTAMP(6)), ('AAAA', 2, 5, 'AAAA-1', 2, UTC_TIMESTAMP(6)),"+
			" ('AAAA', 3, 4, 'AAAA-2', 0, UTC_TIMESTAMP(6)), ('AAAA', 4, 6, '', 0, UTC_TIMESTAMP(6)), ('BBBB', 1, 3, '', 0, UTC_TIMESTAMP(6))",
		"UPDATE egl_group_team SET EVENT_NUM = 4, EVENT_DONE = 2, EVENT_TIME = UTC_TIMESTAMP(6) WHERE CODE = 'AAAA'",
		"UPDATE egl_group_team SET EVENT_NUM = 1, EVENT_TRIES = 1, EVENT_TIME = TIMESTAMPADD(MINUTE, 1, UTC_TIMESTAMP(6)) WHERE CODE = 'BBBB'")
	s.db.Wire.Advance(time.Second)
	deliver()
	require.Equal(t, []string{
		"AAAA seat released AAAA-11 42 1m0s", "AAAA refund owed AAAA-22 42 1m0s", "AAAA team corrected  42 1m0s",
	}, told)
	seat, _, _, err := s.Seat(ctx, orders[1])
	require.NoError(t, err)
	require.Equal(t, groupbuy.Refunded, seat.State)
	require.Equal(t, 1, value[int](t, s.db, "SELECT COUNT(*) FROM egl_group_event WHERE STATE <> 1"))
	deliver()
	require.Empty(t, told, "each once")

	s.db.Wire.Advance(time.Minute) // its process has died
	run(t, s.db,                   // and another of that version has gone on
		"INSERT INTO egl_group_event (TEAM_CODE, EVENT_NO, KIND, ORDER_NO, CREATE_TIME) VALUES ('BBBB', 2, 5, 'BBBB-1', UTC_TIMESTAMP(6))",
		"UPDATE egl_group_team SET EVENT_NUM = 2 WHERE CODE = 'BBBB'")
	deliver()
	require.Equal(t, []string{"BBBB team failed  42 1m0s", "BBBB seat released BBBB-11 42 2m1s"}, told)
	require.Zero(t, value[int](t, s.db, "SELECT COUNT(*) FROM egl_group_team WHERE EVENT_TIME IS NOT NULL OR EVENT_DONE < EVENT_NUM"))
}

// The statement budget of the reads, and of what is saved: round trips, transaction brackets not counted.
func TestGroupBuyStatementBudget(t *testing.T) {
	t.Parallel()
	s, ctx := openStall(t, defaults), t.Context()
	s.team("AAAA", 2, 2)
	s.refund("AAAA-1")
	none := stock.Key{SKU: 1, Activity: 8}
	formed := must(s.FormedPeople(ctx, stallKey))(t)
	record := stock.Change{Kind: groupbuy.KindRevise, ID: "repair", Entries: []stock.Entry{{Key: stallKey, Asked: 1}}}
	inTx := func(call func(*sqlstore.GroupBuy) error) func() error { return inTx(t, s.db, s.WithTx, call) }
	fixture{t, s.db}.keepsTo([]budget{
		{"Activity", 1, func() error { _, _, err := s.Activity(ctx, 7); return err }},
		{"Activity of none", 2, func() error { _, _, err := s.Activity(ctx, 8); return err }},
		{"Offer", 1, func() error { _, _, err := s.Offer(ctx, stallKey); return err }},
		{"Offer of none", 2, func() error { _, _, err := s.Offer(ctx, none); return err }},
		{"Offer, in a transaction", 9, inTx(func(g *sqlstore.GroupBuy) error { _, _, err := g.Offer(ctx, stallKey); return err })},
		{"Seat", 1, func() error { _, _, _, err := s.Seat(ctx, "AAAA-1"); return err }},
		{"Seat, in a transaction", 10, inTx(func(g *sqlstore.GroupBuy) error { _, _, _, err := g.Seat(ctx, "AAAA-1"); return err })},
		{"Team", 1, func() error { _, _, err := s.Team(ctx, "AAAA", stock.Key{}); return err }},
		{"Team, in a transaction", 9, inTx(func(g *sqlstore.GroupBuy) error { _, _, err := g.Team(ctx, "AAAA", stock.Key{}); return err })},
		{"Shelf", 1, func() error { _, _, err := s.Shelf(ctx, groupbuy.ShelfCursor{}, 10); return err }},
		{"Seats", 1, func() error { return of(s.Seats(ctx, groupbuy.SeatFilter{Team: "AAAA"}, groupbuy.SeatCursor{}, 10)) }},
		{"Teams", 1, func() error { return of(s.Teams(ctx, groupbuy.TeamFilter{}, groupbuy.TeamCursor{}, 10)) }},
		{"LateSeats", 1, func() error { return of(s.LateSeats(ctx, "", 10)) }},
		{"LateTeams", 1, func() error { return of(s.LateTeams(ctx, 10)) }},
		{"Unfinished", 1, func() error { return of(s.Unfinished(ctx, stallKey)) }},
		{"Return", 1, func() error { return of(s.Return(ctx, "AAAA-1")) }},
		{"CatchUp", 2, func() error { return of(s.CatchUp(ctx)) }},
		{"Books", 2, func() error { return of(s.Books(ctx, stallKey, "", 100)) }},
		{"Books of none", 1, func() error { return of(s.Books(ctx, none, "", 100)) }},
		{"FormedPeople", 1, func() error { return of(s.FormedPeople(ctx, stallKey)) }},
		{"CorrectFormed", 2, func() error { return of(s.CorrectFormed(ctx, formed, record)) }},
	})
}

// However many look at one product at once, few reads answer them.
func TestConcurrentReadsOfAnOfferShareStatements(t *testing.T) {
	t.Parallel()
	const people = 400
	s := openStall(t, defaults)
	s.db.Wire.Statements()
	var group suite.Group
	for range people {
		group.Go(func() {
			offer, now, err := s.Offer(t.Context(), stallKey)
			if err != nil || offer.Name != "tea" || offer.Activity.Title != "week" || !now.Equal(start) {
				t.Errorf("%+v at %v: %v", offer, now, err)
			}
		})
	}
	group.Wait()
	require.Less(t, len(s.db.Wire.Statements()), people/2)
}
