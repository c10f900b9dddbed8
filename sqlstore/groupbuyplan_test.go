package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// However many activities, teams and seats there ever were, what is read of them is found by an index. What is
// sorted is what one team or one buyer has, or what is on offer.
func TestGroupBuyReadsScanNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	db := frozen(t, defaults, stockTables, groupBuyTables).db
	history(t, db)
	store, ctx := sqlstore.NewGroupBuy(db.DB, nil), t.Context()
	key := stock.Key{SKU: 3, Activity: 7}
	inTx := func(call func(*sqlstore.GroupBuy) error) func() error { return inTx(t, db, store.WithTx, call) }
	seats := func(filter groupbuy.SeatFilter, after groupbuy.SeatCursor) func() error {
		return func() error { return of(store.Seats(ctx, filter, after, 10)) }
	}
	teams := func(filter groupbuy.TeamFilter, after groupbuy.TeamCursor) func() error {
		return func() error { return of(store.Teams(ctx, filter, after, 10)) }
	}
	const product, team, seat = "egl_group_product", "egl_group_team", "egl_group_participation"
	seenSeat := groupbuy.SeatCursor{At: start, Order: "T0007-1"}
	seenTeam := groupbuy.TeamCursor{Deadline: start, Code: "T0007"}
	scansNoTable(t, db, []planCase{
		{"Activity", "PRIMARY", false, func() error { _, _, err := store.Activity(ctx, 7); return err }},
		{"Activity, in a transaction", "PRIMARY", false, inTx(func(s *sqlstore.GroupBuy) error { _, _, err := s.Activity(ctx, 7); return err })},
		{"Activities", "PRIMARY", false, func() error { return of(store.Activities(ctx, 7, 10)) }},
		{"DueActivities", "egl_group_due", false, func() error { return of(store.DueActivities(ctx, 10)) }},
		{"Offer", "PRIMARY", false, func() error { _, _, err := store.Offer(ctx, key); return err }},
		{"Offer, in a transaction", "PRIMARY", false, inTx(func(s *sqlstore.GroupBuy) error { _, _, err := s.Offer(ctx, key); return err })},
		{"Products", "PRIMARY", false, func() error { return of(store.Products(ctx, 7, 2, 10)) }},
		{"DueProducts", product + "_state", false, func() error { return of(store.DueProducts(ctx, key, 10)) }},
		{"Shelf", product + "_state", true, func() error { _, _, err := store.Shelf(ctx, groupbuy.ShelfCursor{}, 10); return err }},
		{
			"Shelf, a later page", product + "_state", true,
			func() error { _, _, err := store.Shelf(ctx, groupbuy.ShelfCursor{Sort: 3, Key: key}, 10); return err },
		},
		{"Unfinished", team + "_product", false, func() error { return of(store.Unfinished(ctx, key)) }},
		{"Unfinished, of seats", seat + "_product", false, func() error { return of(store.Unfinished(ctx, key)) }},
		{"Seat", "PRIMARY", false, func() error { _, _, _, err := store.Seat(ctx, "T0007-1"); return err }},
		{
			"Seat, in a transaction", "PRIMARY", false,
			inTx(func(s *sqlstore.GroupBuy) error { _, _, _, err := s.Seat(ctx, "T0007-1"); return err }),
		},
		{"Team", "PRIMARY", false, func() error { _, _, err := store.Team(ctx, "T0007", stock.Key{}); return err }},
		{
			"Team, in a transaction", "PRIMARY", false,
			inTx(func(s *sqlstore.GroupBuy) error { _, _, err := s.Team(ctx, "T0007", stock.Key{}); return err }),
		},
		{"Seats of a team", seat + "_buyer", true, seats(groupbuy.SeatFilter{Team: "T0007"}, groupbuy.SeatCursor{})},
		{"Seats of a buyer", seat + "_mine", true, seats(groupbuy.SeatFilter{Buyer: "3"}, groupbuy.SeatCursor{})},
		{"Seats of a buyer, a later page", seat + "_mine", true, seats(groupbuy.SeatFilter{Buyer: "3"}, seenSeat)},
		{"Seats in a state", seat + "_state", false, seats(groupbuy.SeatFilter{State: groupbuy.RefundDue}, groupbuy.SeatCursor{})},
		{"Seats in a state, a later page", seat + "_state", false, seats(groupbuy.SeatFilter{State: groupbuy.RefundDue}, seenSeat)},
		{"Teams", team + "_state", false, teams(groupbuy.TeamFilter{State: groupbuy.Formed}, groupbuy.TeamCursor{})},
		{"Teams of a product, a later page", team + "_product", false, teams(groupbuy.TeamFilter{Product: key}, seenTeam)},
		{"Teams to join", team + "_product", false, teams(groupbuy.TeamFilter{Product: key, Joinable: true}, groupbuy.TeamCursor{})},
		{"LateSeats", seat + "_state", false, func() error { return of(store.LateSeats(ctx, "", 10)) }},
		{"LateSeats of a team", seat + "_buyer", true, func() error { return of(store.LateSeats(ctx, "T0007", 10)) }},
		{"LateTeams", team + "_state", false, func() error { return of(store.LateTeams(ctx, 10)) }},
		{"CatchUp", team + "_event", false, func() error { return of(store.CatchUp(ctx)) }},
		{"Books", team + "_book", false, func() error { return of(store.Books(ctx, key, "T0003", 10)) }},
		{"FormedPeople", seat + "_product", false, func() error { return of(store.FormedPeople(ctx, key)) }},
		{"Return", "PRIMARY", false, func() error { return of(store.Return(ctx, "T0007-1")) }},
	})
}

// history writes what a shop may have after some time: most of it is over.
func history(t *testing.T, db *sqltest.DB) {
	t.Helper()
	const activities, products, teams, seats = 40, 5, 400, 4
	begun, soon := "TIMESTAMP'2030-01-01 00:00:00'", "TIMESTAMP'2030-02-01 00:00:00'"
	rows := map[string][]string{}
	row := func(into, format string, args ...any) {
		rows[into] = append(rows[into], "("+fmt.Sprintf(format, args...)+")")
	}
	for a := range activities {
		over, state := "NULL", groupbuy.Offered
		if a > 10 {
			over, state = begun, groupbuy.Settled
		}
		row("egl_group (ID, TITLE, IMAGE, FORM_MINUTES, END_TIME, SORT, OVER_TIME, CREATE_TIME, UPDATE_TIME)",
			"%d, '', '', 60, %s, %d, %s, %s, %s", a+1, soon, a%4, over, begun, begun)
		for p := range products {
			row("egl_group_product (ACTIVITY_ID, SKU_ID, NAME, SPEC, PLACES, PRICE, GROUP_PRICE, PEOPLE_LIMIT, VOLUME_LIMIT, VOLUME_UNITS, STATE,"+
				" STOCK_NUM, CREATE_TIME, UPDATE_TIME)",
				"%d, %d, '', '', 2, 10, 8, 9, 0, 1, %d, 100, %s, %s", a+1, p+1, state, begun, begun)
			row("goods_stock (SKU_ID, ACTIVITY_ID, STOCK_TOTAL_NUM, STOCK_LEFT_NUM, CREATE_TIME, UPDATE_TIME)", "%d, %d, 100, 100, %s, %s", p+1, a+1,
				begun, begun)
		}
	}
	for n := range teams {
		code, activity, sku, state, due := fmt.Sprintf("T%04d", n), n%activities+1, n%products+1, groupbuy.Formed, "NULL"
		switch n % 10 {
		case 7, 8:
			state, due = groupbuy.Failed, begun
		case 9:
			state = groupbuy.Forming
		}
		row("egl_group_team (CODE, ACTIVITY_ID, SKU_ID, PLACES, PRICE, GROUP_PRICE, MEMBER_ONLY, FREE_SHIPPING, PEOPLE_LIMIT, VOLUME_LIMIT,"+
			" VOLUME_UNITS, PEOPLE_MIN, VOLUME_MIN,"+
			" STATUS, SPONSOR_ID, SPONSOR_ORDER, HELD_NUM, PAID_NUM, PAID_VOLUME, START_TIME, END_TIME, EVENT_NUM, EVENT_TIME, UPDATE_TIME)",
			"'%s', %d, %d, 2, 10, 8, 0, 0, 9, 0, 1, 0, 0, %d, 1, '%s-1', 0, 0, 0, %s, %s, 2, %s, %s", code, activity, sku, state, code, begun, soon,
			due, begun)
		for s := range seats {
			state, live := groupbuy.RefundDue, "NULL"
			if s > 0 {
				state, live = groupbuy.Paid, "1"
			}
			row("egl_group_participation (ORDER_NO, TEAM_CODE, ACTIVITY_ID, SKU_ID, BUYER_ID, VOLUME, NAME, AVATAR, ADDRESS, PLACES,"+
				" SHIPPING_FEE, BALANCE_USED, SPONSOR,"+
				" STATE, LIVE, STATUS, START_TIME, EXPIRE_TIME, UPDATE_TIME)",
				"'%s-%d', '%s', %d, %d, %d, 1, '', '', '', 2, 0, 0, 0, %d, %s, 1, %s, %s, %s", code, s+1, code, activity, sku, s+n%7+1, state, live,
				begun, begun, begun)
			row("goods_stock_hold (ORDER_NO, LINE_NO, LINE_NUM, SKU_ID, ACTIVITY_ID, NUM, STATE, EXPIRE_TIME, CREATE_TIME, UPDATE_TIME)",
				"'%s-%d', 1, 1, %d, %d, 1, 2, %s, %s, %s", code, s+1, sku, activity, begun, begun, begun)
		}
		for no := range 2 {
			row("egl_group_event (TEAM_CODE, EVENT_NO, KIND, STATE, CREATE_TIME)", "'%s', %d, %d, %d, %s", code, no+1, 4,
				min(n%10%8, 2)*min(no, 1), begun)
		}
	}
	var tables []string
	for into, values := range rows {
		require.NoError(t, of(db.ExecContext(t.Context(), "INSERT INTO "+into+" VALUES "+strings.Join(values, ", "))))
		table, _, _ := strings.Cut(into, " ")
		tables = append(tables, table)
	}
	require.NoError(t, of(db.ExecContext(t.Context(), "ANALYZE TABLE "+strings.Join(tables, ", "))))
}
