package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// Each list finds its page by an index, at its beginning and behind a row, and sorts no table.
func TestListsScanAndSortNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	db := frozen(t, defaults, stockTables, stockLists, couponTables, redPacketTables, redPacketLists, groupBuyTables, groupBuyLists,
		saleTables).db
	crowdOfHolds(t, db, 2_000)
	history(t, db)
	run(t, db, "INSERT INTO red_packet (PACKET_ID, SENDER_ID, PLACES, TOTAL_MONEY, STOCK_MONEY, TOTAL_NUM, SPLIT_EQUAL, MIN_MONEY, SEED,"+
		" STATE, END_TIME, OWN_END, CREATE_TIME, UPDATE_TIME) SELECT SKU_ID, SKU_ID MOD 9, 2, 100, 100, 5, 0, 1, REPEAT('s', 32), 4,"+
		" CREATE_TIME, 0, CREATE_TIME, CREATE_TIME FROM goods_stock WHERE ACTIVITY_ID = 0",
		"INSERT INTO red_packet_share (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, DUE_TIME, CREATE_TIME)"+
			" SELECT PACKET_ID, 1, PACKET_ID MOD 8, 2, 1, CREATE_TIME, CREATE_TIME FROM red_packet", "ANALYZE TABLE red_packet, red_packet_share")
	s, ctx := sqlstore.NewStock(db.DB, nil), t.Context()
	coupons, packets, groups := sqlstore.NewCoupon(db.DB, nil), sqlstore.NewRedPacket(db.DB, nil), sqlstore.NewGroupBuy(db.DB, nil)
	locked, hold := []stock.State{stock.Locked}, "goods_stock_hold"
	holds := func(filter stock.Filter, after stock.Cursor) func() error {
		return func() error { return of(s.Holds(ctx, filter, after, 10)) }
	}
	sales := sqlstore.NewSale(db.DB, nil)
	inSale := func(state sale.State, after sale.Activity) func() error {
		return func() error { return of(sales.ActivitiesIn(ctx, state, after, 10)) }
	}
	seen := stock.Cursor{At: start, Order: "order-7"}
	for _, c := range []struct {
		name  string
		index string // of the table that is listed
		call  func() error
	}{
		{"Holds of a buyer", hold + "_buyer", holds(stock.Filter{Buyer: "whale"}, stock.Cursor{})},
		{"Holds of a buyer, a later page", hold + "_buyer", holds(stock.Filter{Buyer: "whale"}, seen)},
		{"Holds of a buyer in a state", hold + "_buyer", holds(stock.Filter{Buyer: "whale", States: locked}, seen)},
		{"Holds of an item", hold + "_due", holds(stock.Filter{Key: stock.Key{SKU: 1}, States: locked}, stock.Cursor{})},
		{"Holds of an item, a later page", hold + "_due", holds(stock.Filter{Key: stock.Key{SKU: 1}, States: locked}, seen)},
		{"Holds by deadline", hold + "_state", holds(stock.Filter{ByDeadline: true, States: locked}, stock.Cursor{})},
		{"Holds by deadline, a later page", hold + "_state", holds(stock.Filter{ByDeadline: true, States: locked}, seen)},
		{"Items of a product", "goods_stock_spu", func() error { return of(s.List(ctx, 3, stock.Key{SKU: 310}, 10)) }},
		{"Items", "PRIMARY", func() error { return of(s.List(ctx, 0, stock.Key{SKU: 310}, 10)) }},
		{"Refunds of an order", "goods_stock_refund_order", func() error { return of(s.Refunds(ctx, "order-0", "r5", 10)) }},
		{"Changes of an item", "goods_stock_change_time", func() error { return of(s.Changes(ctx, stock.Key{SKU: 1}, stock.Change{}, 10)) }},
		{"Changes of an item, a later page", "goods_stock_change_time", func() error {
			return of(s.Changes(ctx, stock.Key{SKU: 1}, stock.Change{Kind: stock.KindRestock, ID: "c7", At: start}, 10))
		}},
		{"Wallet", "coupon_wallet_buyer", func() error {
			_, _, err := coupons.Wallet(ctx, "7", coupon.Statuses(), coupon.Cursor{}, 10)
			return err
		}},
		{"Packets of a sender", "red_packet_sender", func() error {
			return of(packets.Sent(ctx, "3", redpacket.Record{CreatedAt: start, ID: 7}, 10))
		}},
		{"Shares of a person", "red_packet_share_mine", func() error { return of(packets.Mine(ctx, "3", redpacket.ShareRecord{}, 10)) }},
		{"Shares of a person, a later page", "red_packet_share_mine", func() error {
			return of(packets.Mine(ctx, "3", redpacket.ShareRecord{CreatedAt: start, Packet: 7}, 10))
		}},
		{"Activities that run", "egl_group_end", func() error {
			return of(groups.ActivitiesIn(ctx, groupbuy.ActivityRunning, groupbuy.Activity{}, 10))
		}},
		{"Activities that are over, a later page", "egl_group_end", func() error {
			return of(groups.ActivitiesIn(ctx, groupbuy.ActivityEnded, groupbuy.Activity{End: start, ID: 7}, 10))
		}},
		{"Sales that are drafts", "flash_sale_end", inSale(sale.Draft, sale.Activity{})},
		{"Sales that come", "flash_sale_end", inSale(sale.Approved, sale.Activity{})},
		{"Sales that run, a later page", "flash_sale_end", inSale(sale.Running, sale.Activity{End: start, ID: 7})},
		{"Sales that are over, a later page", "flash_sale_end", inSale(sale.Ended, sale.Activity{End: start, ID: 7})},
		{"Sales that were withdrawn", "flash_sale_end", inSale(sale.Withdrawn, sale.Activity{})},
		{"Teams of an activity", "egl_group_team_activity", func() error {
			return of(groups.Teams(ctx, groupbuy.TeamFilter{Activity: 7, State: groupbuy.Formed}, groupbuy.TeamCursor{}, 10))
		}},
		{"Refunds of an activity", "egl_group_participation_refund", func() error {
			return of(groups.Seats(ctx, groupbuy.SeatFilter{Activity: 7, State: groupbuy.RefundDue}, groupbuy.SeatCursor{At: start, Order: "T"}, 10))
		}},
		{"Seats of a buyer, a later page", "egl_group_participation_mine", func() error {
			return of(groups.Seats(ctx, groupbuy.SeatFilter{Buyer: "3"}, groupbuy.SeatCursor{At: start, Order: "T"}, 10))
		}},
	} {
		db.Wire.Statements()
		require.NoError(t, c.call(), c.name)
		var indexes []string
		for _, statement := range db.Wire.Statements() {
			if strings.HasPrefix(statement, "SELECT") {
				indexes = append(indexes, plan(t, db, c.name, statement, false)...)
			}
		}
		require.Contains(t, indexes, c.index, c.name)
	}
}

// A list whose index the shop has left out says which one it needs. MigrateLists adds it, and Check accepts both.
func TestAListSaysWhichIndexItNeeds(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "shop_"} {
		db, ctx := sqltest.Open(t, defaults), t.Context()
		opts := &sqlstore.Options{Prefix: prefix}
		require.NoError(t, sqlstore.Migrate(ctx, db.DB, opts))
		inv := stock.New(sqlstore.NewStock(db.DB, opts), nil)
		packets := redpacket.New(sqlstore.NewRedPacket(db.DB, opts), nil)
		groups := groupbuy.New(sqlstore.NewGroupBuy(db.DB, opts), nil)
		tells := &sqlstore.Options{Prefix: prefix, Tell: []event.Kind{event.CouponExpired}}
		var page stock.PageRequest
		lists := map[string]func() error{
			"goods_stock_hold_buyer": func() error { return of(inv.For("7").HoldsPage(ctx, stock.Filter{}, page)) },
			"goods_stock_hold_state": func() error { return of(inv.HoldsPage(ctx, stock.Filter{ByDeadline: true}, page)) },
			"red_packet_share_mine":  func() error { return of(packets.For("7").MinePage(ctx, page)) },
			"egl_group_team_activity": func() error {
				return of(groups.TeamsPage(ctx, groupbuy.TeamFilter{Activity: 7}, page))
			},
			"coupon_wallet_told":             func() error { return of(coupon.New(sqlstore.NewCoupon(db.DB, tells), nil).Expire(ctx)) },
			"egl_group_participation_refund": func() error { return of(groups.RefundsPage(ctx, 7, groupbuy.RefundDue, page)) },
		}
		for index, list := range lists {
			err := list()
			require.ErrorIs(t, err, stock.ErrStore, index)
			missing, ok := fault.As[*sqlstore.MissingIndexError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, prefix+index, missing.Index)
			require.False(t, sqlstore.Retryable(err))
			require.ErrorContains(t, err, "run MigrateLists")
		}
		require.NoError(t, of(coupon.New(sqlstore.NewCoupon(db.DB, opts), nil).Expire(ctx)), "which tells nothing")
		require.NoError(t, sqlstore.Check(ctx, db.DB, opts))
		for range 2 {
			require.NoError(t, sqlstore.MigrateLists(ctx, db.DB, opts))
			require.NoError(t, sqlstore.Check(ctx, db.DB, opts))
		}
		for index, list := range lists {
			require.NoError(t, list(), index)
		}
		run(t, db, fmt.Sprintf("ALTER TABLE %sgoods_stock_hold DROP INDEX %[1]sgoods_stock_hold_state", prefix))
		require.NoError(t, sqlstore.Check(ctx, db.DB, opts), "one may be left out")
		require.NoError(t, sqlstore.MigrateLists(ctx, db.DB, opts))
		require.NoError(t, lists["goods_stock_hold_state"](), "or added by itself")
		run(t, db, fmt.Sprintf("ALTER TABLE %sgoods_stock_hold DROP INDEX %[1]sgoods_stock_hold_state", prefix))
		run(t, db, fmt.Sprintf("ALTER TABLE %sgoods_stock_hold ADD INDEX %[1]sgoods_stock_hold_state (EXPIRE_TIME)", prefix))
		err := sqlstore.Check(ctx, db.DB, opts)
		require.ErrorContains(t, err,
			"goods_stock_hold_state of table "+prefix+"goods_stock_hold is (EXPIRE_TIME), should be (STATE, EXPIRE_TIME)")
	}
	db := sqltest.Open(t, defaults)
	require.ErrorIs(t, sqlstore.MigrateLists(t.Context(), db.DB, nil), stock.ErrStore, "there are no tables yet")
	require.ErrorIs(t, sqlstore.MigrateLists(t.Context(), nil, nil), stock.ErrInvalid)
}

// What a library from before the columns of who and why writes is listed with nobody.
func TestAnOlderLibraryRecordsNobody(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	run(t, s.db, "INSERT INTO goods_stock_change (SCOPE, CHANGE_NO, LINE_NO, LINE_NUM, KIND, SKU_ID, ACTIVITY_ID, BUYER_ID, TOTAL_NUM,"+
		" SALE_NUM, LOCK_NUM, LEFT_NUM, REFUND_NUM, HOLD_NUM, REST, CREATE_TIME)"+
		" VALUES (2, 'old', 1, 1, 2, 1, 0, NULL, 3, 0, 0, 3, 0, 0, 0, '2031-01-01')")
	page := must(s.ChangesPage(t.Context(), stock.Key{SKU: 1}, stock.PageRequest{Limit: 1}))(t)
	require.Equal(t, "old", page.Rows[0].ID)
	require.Empty(t, page.Rows[0].Actor+page.Rows[0].Reason)
}

// A table that is missing is made again with what later migrations add to it.
func TestMigrateMakesATableAgainWithItsLaterColumns(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	run(t, db, "DROP TABLE goods_stock_change")
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	require.NoError(t, sqlstore.Check(t.Context(), db.DB, nil))
	run(t, db, "ALTER TABLE coupon_stock_change DROP COLUMN REASON")
	require.ErrorContains(t, sqlstore.Check(t.Context(), db.DB, nil), "column REASON of table coupon_stock_change is missing")
}
