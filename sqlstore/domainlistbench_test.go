package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// BenchmarkListsOfDomains is BenchmarkLists for coupons, red packets, group buying and sales: a tenth of the coupons, packets, shares
// and seats are those of one person, and a tenth of the teams and refunds those of one activity.
func BenchmarkListsOfDomains(b *testing.B) {
	rows := benchRows()
	db := sqltest.Open(b, defaults)
	require.NoError(b, sqlstore.Migrate(b.Context(), db.DB, nil))
	require.NoError(b, sqlstore.MigrateLists(b.Context(), db.DB, nil))
	crowdOfDomains(b, db, rows)
	ctx, tenth := b.Context(), rows/10
	coupons := coupon.New(sqlstore.NewCoupon(db.DB, nil), nil).For("whale")
	packets := redpacket.New(sqlstore.NewRedPacket(db.DB, nil), nil).For("whale")
	groups := groupbuy.New(sqlstore.NewGroupBuy(db.DB, nil), nil)
	sales := sale.New(sqlstore.NewSale(db.DB, nil), nil)
	wallet := func(statuses ...coupon.Status) pageOf {
		return page(func(ask stock.PageRequest) (stock.Page[coupon.Coupon], error) {
			return coupons.WalletPage(ctx, ask, statuses...)
		})
	}
	over := func(state sale.State) pageOf {
		return page(func(ask stock.PageRequest) (stock.Page[sale.Activity], error) {
			return sales.ActivitiesPage(ctx, state, ask)
		})
	}
	teams := groupbuy.TeamFilter{Activity: 7, States: []groupbuy.TeamState{groupbuy.Forming, groupbuy.Formed, groupbuy.Failed}}
	benchLists(b, []benchList{
		{"CouponsOfABuyer", tenth * 9 / 10, wallet()},
		{"CouponsOfABuyerUsable", tenth / 4 * 7 / 10, wallet(coupon.StatusUsable)},
		{"CouponsOfABuyerUsed", tenth / 2 * 9 / 10, wallet(coupon.StatusUsed)},
		{"PacketsOfASender", tenth * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[redpacket.Packet], error) {
			return packets.SentPage(ctx, ask)
		})},
		{"SharesOfAPerson", tenth * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[redpacket.Share], error) {
			return packets.MinePage(ctx, ask)
		})},
		{"TeamsOfAnActivity", tenth * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[groupbuy.Team], error) {
			return groups.TeamsPage(ctx, teams, ask)
		})},
		{"RefundsOfAnActivity", tenth / 2 * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
			return groups.RefundsPage(ctx, 7, groupbuy.RefundDue, ask)
		})},
		{"SeatsOfABuyer", tenth * 9 / 10, page(func(ask stock.PageRequest) (stock.Page[groupbuy.Seat], error) {
			return groups.For("whale").SeatsPage(ctx, ask)
		})},
		{"SalesThatAreOver", rows / 100 * 8 / 10, over(sale.Ended)},
		{"SalesThatRun", rows / 100 / 20, over(sale.Running)},
	})
}

// crowdOfDomains writes so many coupons, packets, shares, teams and seats, and a hundredth as many sales.
func crowdOfDomains(b testing.TB, db *sqltest.DB, rows int) {
	b.Helper()
	const part = 100_000
	old := secondsAfter(2020, "0")
	run(b, db, "INSERT INTO coupon_terms (CAMPAIGN_ID, TERMS_NO, TITLE, SCOPE, KIND, PLACES, AMOUNT, VALID_UNTIL, ZONE, CREATE_TIME)"+
		" SELECT n + 1, 1, '', '', 1, 2, 500, "+secondsAfter(2037, "0")+", 'UTC', "+old+" FROM "+numbers(100),
		"INSERT INTO flash_sale (ID, TITLE, IMAGE, NOTE, LABEL, START_TIME, END_TIME, PLACES, APPROVE_TIME, CREATE_TIME, UPDATE_TIME)"+
			" SELECT n + 1, '', '', '', '', "+old+", IF(n MOD 10 = 0, "+secondsAfter(2037, "n")+", "+secondsAfter(2020, "n")+"), 2, "+old+", "+old+
			", "+old+" FROM "+numbers(rows/100))
	for from := 0; from < rows; from += part {
		n := fmt.Sprintf("(n + %d)", from)
		at, all := secondsAfter(2026, n+" DIV 9"), " FROM "+numbers(min(part, rows-from))
		who := "IF(n MOD 10 = 3, 'whale', CONCAT('buyer-', " + n + " MOD 100000))"
		activity := "IF(n MOD 10 = 3, 7, 8 + n MOD 50)"
		run(b, db,
			// a quarter can be used, a quarter is too old, and half were used
			"INSERT INTO coupon_wallet (COUPON_NO, CAMPAIGN_ID, BUYER_ID, TERMS_NO, STATE, VALID_FROM, VALID_UNTIL, ORDER_NO, CLAIM_TIME,"+
				" UPDATE_TIME)"+
				" SELECT CONCAT('c', "+n+"), 1 + n MOD 100, "+who+", 1, IF(n DIV 10 MOD 2 = 0, 4, 2), "+old+","+
				" IF(n DIV 10 MOD 4 < 2, "+secondsAfter(2020, n)+", "+secondsAfter(2037, n)+"), IF(n DIV 10 MOD 2 = 0, 'o', NULL), "+old+", "+old+all,
			"INSERT INTO red_packet (PACKET_ID, SENDER_ID, PLACES, TOTAL_MONEY, STOCK_MONEY, TOTAL_NUM, SPLIT_EQUAL, MIN_MONEY, SEED, STATE,"+
				" END_TIME, OWN_END, CREATE_TIME, UPDATE_TIME)"+
				" SELECT "+n+" + 1, "+who+", 2, 100, 100, 5, 0, 1, REPEAT('s', 32), 4, "+at+", 0, "+at+", "+at+all,
			"INSERT INTO red_packet_share (PACKET_ID, SHARE_NO, PERSON_ID, PLACES, MONEY, DUE_TIME, CREATE_TIME)"+
				" SELECT "+n+" + 1, 1, "+who+", 2, 1, "+at+", "+at+all,
			"INSERT INTO egl_group_team (CODE, ACTIVITY_ID, SKU_ID, PLACES, PRICE, GROUP_PRICE, MEMBER_ONLY, FREE_SHIPPING, PEOPLE_LIMIT,"+
				" VOLUME_LIMIT, VOLUME_UNITS, PEOPLE_MIN, VOLUME_MIN, STATUS, SPONSOR_ID, SPONSOR_ORDER, HELD_NUM, PAID_NUM, PAID_VOLUME,"+
				" START_TIME, END_TIME, UPDATE_TIME) SELECT CONCAT('T', LPAD("+n+", 9, '0')), "+activity+", 1, 2, 10, 8, 0, 0, 9, 0, 1, 0, 0,"+
				" n DIV 10 MOD 3 - 1, 'x', 'x', 0, 0, 0, "+at+", "+at+", "+at+all,
			"INSERT INTO egl_group_participation (ORDER_NO, TEAM_CODE, ACTIVITY_ID, SKU_ID, BUYER_ID, VOLUME, NAME, AVATAR, ADDRESS, PLACES,"+
				" SHIPPING_FEE, BALANCE_USED, SPONSOR, STATE, START_TIME, EXPIRE_TIME, UPDATE_TIME)"+
				" SELECT CONCAT('o', "+n+"), CONCAT('T', LPAD("+n+", 9, '0')), "+activity+", 1, "+who+", 1, '', '', '', 2, 0, 0, 1,"+
				" 5 + n DIV 10 MOD 2, "+at+", "+at+", "+at+all)
	}
	run(b, db, "ANALYZE TABLE coupon_wallet, coupon_terms, red_packet, red_packet_share, egl_group_team, egl_group_participation, flash_sale")
}
