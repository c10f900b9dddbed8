package teams

import (
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

// groupBuySQL has the statements of the group buying store for a prefix, without those of its units, activities and products. They
// are rendered once; statements that grow with a batch are rendered for each. testdata/statements.sql has all of them to read.
type groupBuySQL struct {
	activities, products, teams, seats, events string // table names
	items, holds                               string // and of the units

	blankTeam, blankSeat                  mysql.Blank
	lockHold, lockSeat, seatOrders        string
	itemVersion, versions, ordersWithSeat string

	formSeats, formSeatsOfTeams, formingSeats string
	liveSeats, successor, keysOf              string
	addFormed                                 string

	activitiesIn                                map[groupbuy.ActivityState]string
	shelf                                       string
	readSeats                                   string
	seatsOfTeam, seatsOfTeams                   string
	seatsOfBuyer, seatsInState, seatsOfActivity string
	lateSeats, lateSeatsOfTeam                  string
	readTeams, keyOfTeam                        string
	lateTeams                                   string

	dueEvents, readEvent, listEvents string
	asideOfAll, asideOfTeam          string
	lease, lockEvent                 string
	deliver, deliverAside            string
	putOff, putAside, keepAside      string
	refunded                         string

	book, mismatched, formedPeople string
	correct                        string
}

// eventColumns are the columns of an event e of a team t, in the order of scanEvent. The row of a team counts the tries of
// its next event.
var eventColumns = "e.TEAM_CODE, e.EVENT_NO, e.KIND, e.ORDER_NO, e.STATE, IF(e.EVENT_NO = t.EVENT_DONE + 1, t.EVENT_TRIES, e.TRIES)," +
	" e.REASON" +
	", " + mysql.Micros("e.CREATE_TIME") + ", " + mysql.Micros("e.DONE_TIME")

// The states of events, as the tables have them.
const (
	eventDue   = 0
	eventDone  = 1
	eventAside = 2
)

// newGroupBuySQL renders the statements for a prefix.
func newGroupBuySQL(prefix string) *groupBuySQL {
	q := &groupBuySQL{
		activities: prefix + "egl_group", products: prefix + "egl_group_product", teams: prefix + "egl_group_team",
		seats: prefix + "egl_group_participation", events: prefix + "egl_group_event",
		items: prefix + ledger.GoodsStock, holds: prefix + ledger.GoodsStock + "_hold",
	}
	q.renderShelf()
	q.renderSeats()
	q.renderSteps()
	q.renderTeams()
	q.renderEvents()
	q.renderDeliveries()
	q.renderGroupBooks()
	q.renderGroupBlanks()
	return q
}

// renderShelf renders the shop window, and the activities by where they stand.
func (q *groupBuySQL) renderShelf() {
	live := "a.OVER_TIME IS NULL AND a.END_TIME > " + mysql.Now + " AND "
	in := func(where string, last bool) string { return activities.In(q.activities, activityColumns, where, last) }
	q.activitiesIn = map[groupbuy.ActivityState]string{
		groupbuy.ActivityUpcoming: in(live+"a.START_TIME > "+mysql.Now, false),
		groupbuy.ActivityRunning:  in(live+"(a.START_TIME IS NULL OR a.START_TIME <= "+mysql.Now+")", false),
		groupbuy.ActivityEnded:    in("(a.OVER_TIME IS NOT NULL OR a.END_TIME <= "+mysql.Now+")", true),
	}
	q.itemVersion = "SELECT VERSION FROM " + q.items + " WHERE SKU_ID = ? AND ACTIVITY_ID = ?"
	// Few activities are not over, and their products are sorted by keys alone.
	q.shelf = "SELECT " + productColumns + ", " + activityColumns + ", " + mysql.Micros(mysql.Now) +
		" FROM (SELECT a.SORT, g.ACTIVITY_ID, g.SKU_ID FROM " + q.activities + " a " + mysql.By(q.activities, "due") +
		" STRAIGHT_JOIN " + q.products + " g " + mysql.By(q.products, "state") +
		fmt.Sprintf(" ON g.STATE = %d AND g.ACTIVITY_ID = a.ID", groupbuy.Offered) +
		" WHERE a.OVER_TIME IS NULL AND a.END_TIME > " + mysql.Now + " AND (a.START_TIME IS NULL OR a.START_TIME <= " + mysql.Now +
		") AND a.HIDDEN = 0" +
		" AND (? OR a.SORT > ? OR (a.SORT = ? AND (g.ACTIVITY_ID > ? OR (g.ACTIVITY_ID = ? AND g.SKU_ID > ?))))" +
		" ORDER BY a.SORT, g.ACTIVITY_ID, g.SKU_ID LIMIT ?) k" +
		" STRAIGHT_JOIN " + q.products + " g " + mysql.ByKey + " ON g.ACTIVITY_ID = k.ACTIVITY_ID AND g.SKU_ID = k.SKU_ID" +
		" STRAIGHT_JOIN " + q.activities + " a " + mysql.ByKey + " ON a.ID = k.ACTIVITY_ID ORDER BY k.SORT, k.ACTIVITY_ID, k.SKU_ID"
}

// renderSeats renders the reads of seats.
func (q *groupBuySQL) renderSeats() {
	q.readSeats = "SELECT " + seatColumns + ", " + teamColumns + ", " + mysql.Micros(mysql.Now) + " FROM " + q.seats + " p " + mysql.ByKey +
		" STRAIGHT_JOIN " + q.teams + " t " + mysql.ByKey + " ON t.CODE = p.TEAM_CODE WHERE p.ORDER_NO IN (?)"
	q.ordersWithSeat = "SELECT ORDER_NO FROM " + q.holds + " " + mysql.ByKey +
		" WHERE ORDER_NO IN (?) AND LINE_NO = 1 AND ACTIVITY_ID > 0 FOR UPDATE"
	q.lockHold = "SELECT SKU_ID, ACTIVITY_ID FROM " + q.holds + " WHERE ORDER_NO = ? AND LINE_NO = 1 FOR UPDATE"
	q.seatOrders = "SELECT ORDER_NO FROM " + q.seats + " " + mysql.ByKey + " WHERE ORDER_NO IN (?)"
	q.lockSeat = "SELECT STATE FROM " + q.seats + " WHERE ORDER_NO = ? FOR UPDATE"

	// The seats of one team or buyer are sorted within an index that has all columns for that. Only the rows of the
	// page are read then.
	page := func(index, where, order string) string {
		return "SELECT " + seatColumns + " FROM (SELECT p.ORDER_NO FROM " + q.seats + " p " + mysql.By(q.seats, index) + " WHERE " + where +
			" ORDER BY " + order + " LIMIT ?) k STRAIGHT_JOIN " + q.seats + " p " + mysql.ByKey + " ON p.ORDER_NO = k.ORDER_NO ORDER BY " + order
	}
	q.seatsOfTeam = page("buyer", "p.TEAM_CODE = ? AND p.ORDER_NO > ?", "p.ORDER_NO")
	q.seatsOfTeams = "SELECT " + seatColumns + " FROM " + q.seats + " p " + mysql.By(q.seats, "buyer") + " WHERE p.TEAM_CODE IN (?) LIMIT ?"
	q.seatsOfBuyer = page("mine", "p.BUYER_ID = ? AND (p.START_TIME < ? OR (p.START_TIME = ? AND p.ORDER_NO < ?))",
		"p.START_TIME DESC, p.ORDER_NO DESC")
	inState := func(index, where string) string {
		return "SELECT " + seatColumns + " FROM " + q.seats + " p " + mysql.By(q.seats, index) + " WHERE " + where +
			" AND (p.EXPIRE_TIME > ? OR (p.EXPIRE_TIME = ? AND p.ORDER_NO > ?)) ORDER BY p.EXPIRE_TIME, p.ORDER_NO LIMIT ?"
	}
	q.seatsInState = inState("state", "p.STATE = ?")
	q.seatsOfActivity = inState("refund", "p.ACTIVITY_ID = ? AND p.STATE = ?")

	late := fmt.Sprintf("p.STATE = %d AND p.EXPIRE_TIME <= ", groupbuy.Held) + mysql.Now
	q.lateSeats = "SELECT p.ORDER_NO FROM " + q.seats + " p " + mysql.By(q.seats, "state") + " WHERE " + late +
		" ORDER BY p.EXPIRE_TIME, p.ORDER_NO LIMIT ?"
	// Only live seats of the team are read.
	q.lateSeatsOfTeam = "SELECT p.ORDER_NO FROM " + q.seats + " p " + mysql.By(q.seats, "buyer") +
		" WHERE p.TEAM_CODE = ? AND p.LIVE = 1 AND " + late + " ORDER BY p.EXPIRE_TIME, p.ORDER_NO LIMIT ?"
}

// renderSteps renders what accompanies the steps of seats.
func (q *groupBuySQL) renderSteps() {
	// The paid seats of a team that is formed get its Status.
	forming := fmt.Sprintf(" IN (?) AND STATE = %d AND STATUS = %d", groupbuy.Paid, groupbuy.Forming)
	formed := fmt.Sprintf(" SET STATUS = %d, UPDATE_TIME = %s WHERE ", groupbuy.Formed, mysql.Now)
	q.formSeats = "UPDATE " + q.seats + " " + mysql.ByKey + formed + "ORDER_NO" + forming
	q.formSeatsOfTeams = "UPDATE " + q.seats + " " + mysql.By(q.seats, "buyer") + formed + "TEAM_CODE" + forming
	q.formingSeats = "SELECT ORDER_NO FROM " + q.seats + " " + mysql.By(q.seats, "buyer") + " WHERE TEAM_CODE" + forming

	q.liveSeats = "SELECT " + seatColumns + ", t.VERSION FROM " + q.teams + " t " + mysql.ByKey + " STRAIGHT_JOIN " + q.seats + " p " +
		mysql.By(q.seats, "buyer") + " ON p.TEAM_CODE = t.CODE WHERE t.CODE IN (?) AND p.LIVE = 1"
	// The first of the live seats of a team by groupbuy.CompareSuccessors.
	q.successor = "SELECT " + seatColumns + " FROM " + q.seats + " p " + mysql.By(q.seats, "buyer") + " WHERE p.TEAM_CODE = ? AND p.LIVE = 1" +
		fmt.Sprintf(" ORDER BY p.STATE DESC, IF(p.STATE = %d, p.PAY_TIME, p.START_TIME), p.ORDER_NO LIMIT 1", groupbuy.Paid)
	q.keysOf = "SELECT DISTINCT h.SKU_ID, h.ACTIVITY_ID FROM " + q.holds + " h " + mysql.ByKey +
		" WHERE h.ORDER_NO IN (?) AND h.LINE_NO = 1 AND h.SKU_ID > 0 ORDER BY h.SKU_ID, h.ACTIVITY_ID FOR UPDATE"
	q.addFormed = "UPDATE " + q.products + " " + mysql.ByKey + " SET FORMED_NUM = FORMED_NUM + ? WHERE ACTIVITY_ID = ? AND SKU_ID = ?"
}

// renderTeams renders the reads of teams.
func (q *groupBuySQL) renderTeams() {
	team := "SELECT " + teamColumns + ", " + mysql.Micros(mysql.Now) + " FROM "
	q.readTeams = team + q.teams + " t " + mysql.ByKey + " WHERE t.CODE IN (?)"
	q.keyOfTeam = "SELECT SKU_ID, ACTIVITY_ID FROM " + q.teams + " WHERE CODE = ?"
	q.versions = "SELECT CODE, VERSION FROM " + q.teams + " " + mysql.ByKey + " WHERE CODE IN (?)"
	q.lateTeams = "SELECT " + teamColumns + " FROM " + q.teams + " t " + mysql.By(q.teams, "state") +
		fmt.Sprintf(" WHERE t.STATUS = %d AND t.END_TIME <= ", groupbuy.Forming) + mysql.Now + " ORDER BY t.END_TIME, t.CODE LIMIT ?"
}

// listTeams renders a page of the teams in a state, by one of the indexes: of a product, of an activity, or of a state alone.
func (q *groupBuySQL) listTeams(index string, joinable bool) string {
	text := "SELECT " + teamColumns + " FROM " + q.teams + " t " + mysql.By(q.teams, index) + " WHERE "
	switch index {
	case "product":
		text += "t.ACTIVITY_ID = ? AND t.SKU_ID = ? AND "
	case "activity":
		text += "t.ACTIVITY_ID = ? AND "
	}
	text += "t.STATUS = ? AND (t.END_TIME > ? OR (t.END_TIME = ? AND t.CODE > ?))"
	if joinable { // as groupbuy.Team.Live and FreeSeats
		text += " AND t.END_TIME > " + mysql.Now + " AND (t.PEOPLE_LIMIT = 0 OR t.HELD_NUM + t.PAID_NUM < t.PEOPLE_LIMIT)"
	}
	return text + " ORDER BY t.END_TIME, t.CODE LIMIT ?"
}

// unfinished renders whether a product has teams that are forming, or seats that are held: their teams may be formed.
func (q *groupBuySQL) unfinished(lock string) string {
	return "(SELECT 1 FROM " + q.teams + " " + mysql.By(q.teams, "product") +
		fmt.Sprintf(" WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND STATUS = %d LIMIT 1%s)", groupbuy.Forming, lock) +
		" UNION ALL (SELECT 1 FROM " + q.seats + " " + mysql.By(q.seats, "product") +
		fmt.Sprintf(" WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND STATUS = %d AND STATE = %d LIMIT 1%s)", groupbuy.Forming, groupbuy.Held, lock)
}

// renderEvents renders the reads of events.
func (q *groupBuySQL) renderEvents() {
	// If these rows are locked, the team comes before its event.
	of := "SELECT " + eventColumns + " FROM " + q.teams + " t %s STRAIGHT_JOIN " + q.events + " e " + mysql.ByKey + " ON e.TEAM_CODE = t.CODE"
	next := fmt.Sprintf(of, mysql.By(q.teams, "event"))
	q.dueEvents = next + " AND e.EVENT_NO = t.EVENT_DONE + 1 WHERE t.EVENT_TIME <= " + mysql.Now + " ORDER BY t.EVENT_TIME, t.CODE LIMIT ?"
	one := fmt.Sprintf(of, mysql.ByKey) + " WHERE t.CODE = ? AND "
	q.readEvent = one + "e.EVENT_NO = ?"
	q.listEvents = one + "e.EVENT_NO > ? ORDER BY e.EVENT_NO LIMIT ?"

	aside := "SELECT " + eventColumns + " FROM " + q.events + " e " + mysql.By(q.events, "state") + " STRAIGHT_JOIN " + q.teams + " t " +
		mysql.ByKey + " ON t.CODE = e.TEAM_CODE" +
		fmt.Sprintf(" WHERE e.STATE = %d AND ", eventAside)
	q.asideOfAll = aside + "(e.TEAM_CODE > ? OR (e.TEAM_CODE = ? AND e.EVENT_NO > ?)) ORDER BY e.TEAM_CODE, e.EVENT_NO LIMIT ?"
	q.asideOfTeam = aside + "e.TEAM_CODE = ? AND e.EVENT_NO > ? ORDER BY e.EVENT_NO LIMIT ?"
}

// renderDeliveries renders the delivery of events. It does not change the VERSION of a team, since no decision of a team
// depends on it.
func (q *groupBuySQL) renderDeliveries() {
	// Of several calls for one event one succeeds. For the others the number of tries has changed.
	q.lease = "UPDATE " + q.teams + " " + mysql.ByKey + " SET EVENT_TIME = TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now +
		"), EVENT_TRIES = EVENT_TRIES + 1" +
		" WHERE CODE = ? AND EVENT_DONE = ? AND EVENT_TRIES = ? AND EVENT_TIME <= " + mysql.Now
	q.refunded = "UPDATE " + q.seats + " " + mysql.ByKey +
		fmt.Sprintf(" SET STATE = %d, UPDATE_TIME = %s WHERE ORDER_NO = ? AND STATE = %d", groupbuy.Refunded, mysql.Now, groupbuy.RefundDue)
	q.lockEvent = "SELECT t.EVENT_DONE, t.EVENT_TRIES, e.STATE, e.TRIES FROM " + q.teams + " t " + mysql.ByKey + " STRAIGHT_JOIN " + q.events +
		" e " + mysql.ByKey +
		" ON e.TEAM_CODE = t.CODE AND e.EVENT_NO = ? WHERE t.CODE = ? FOR UPDATE"

	head := "UPDATE " + q.teams + " t " + mysql.ByKey + " STRAIGHT_JOIN " + q.events + " e " + mysql.ByKey + " ON e.TEAM_CODE = t.CODE SET "
	moveOn := head + "t.EVENT_DONE = ?, t.EVENT_TRIES = 0, t.EVENT_TIME = IF(t.EVENT_NUM > ?, " + mysql.Now + ", NULL), e.TRIES = ?"
	where := fmt.Sprintf(" WHERE t.CODE = ? AND e.EVENT_NO = ? AND e.STATE = %d", eventDue)
	q.deliver = moveOn + fmt.Sprintf(", e.STATE = %d, e.DONE_TIME = %s", eventDone, mysql.Now) + where
	q.putAside = moveOn + fmt.Sprintf(", e.STATE = %d, e.REASON = ?", eventAside) + where
	q.putOff = head + "t.EVENT_TIME = TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + "), e.REASON = ?" + where

	aside := fmt.Sprintf(" WHERE TEAM_CODE = ? AND EVENT_NO = ? AND STATE = %d", eventAside)
	q.deliverAside = "UPDATE " + q.events + " " + mysql.ByKey + fmt.Sprintf(" SET STATE = %d, DONE_TIME = %s", eventDone, mysql.Now) + aside
	q.keepAside = "UPDATE " + q.events + " " + mysql.ByKey + " SET REASON = ?" + aside
}

// renderGroupBooks renders the counts. Each is one statement, and so of one moment even at READ COMMITTED: it sees whole
// transactions.
func (q *groupBuySQL) renderGroupBooks() {
	count := func(s groupbuy.SeatState) string { return fmt.Sprintf("COUNT(CASE WHEN p.STATE = %d THEN 1 END)", s) }
	q.book = "SELECT " + teamColumns + ", b.HELD_NUM, b.PAID_NUM, b.PAID_VOLUME" +
		", (SELECT COALESCE(MAX(e.EVENT_NO), 0) FROM " + q.events + " e WHERE e.TEAM_CODE = t.CODE)" +
		" FROM (SELECT k.CODE, " + count(groupbuy.Held) + " AS HELD_NUM, " + count(groupbuy.Paid) + " AS PAID_NUM" +
		fmt.Sprintf(", COALESCE(SUM(CASE WHEN p.STATE = %d THEN p.VOLUME END), 0) AS PAID_VOLUME", groupbuy.Paid) +
		" FROM (SELECT CODE FROM " + q.teams + " " + mysql.By(q.teams, "book") +
		" WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND CODE > ? ORDER BY CODE LIMIT ?) k" +
		" LEFT JOIN " + q.seats + " p " + mysql.By(q.seats, "buyer") + " ON p.TEAM_CODE = k.CODE GROUP BY k.CODE) b" +
		" STRAIGHT_JOIN " + q.teams + " t " + mysql.ByKey + " ON t.CODE = b.CODE ORDER BY b.CODE"
	q.mismatched = "SELECT p.TEAM_CODE, p.ORDER_NO, p.STATE, COALESCE(h.STATE, 0), COALESCE(h.NUM, 0) FROM " + q.seats + " p " +
		mysql.By(q.seats, "buyer") +
		" STRAIGHT_JOIN " + q.teams + " t " + mysql.ByKey + " ON t.CODE = p.TEAM_CODE" +
		" LEFT JOIN " + q.holds + " h " + mysql.ByKey + " ON h.ORDER_NO = p.ORDER_NO AND h.LINE_NO = 1" +
		" WHERE p.TEAM_CODE IN (?) AND NOT (" + matching() + ")"
	q.formedPeople = "SELECT g.FORMED_NUM, (SELECT COUNT(*) FROM " + q.seats + " p " + mysql.By(q.seats, "product") +
		fmt.Sprintf(" WHERE p.ACTIVITY_ID = g.ACTIVITY_ID AND p.SKU_ID = g.SKU_ID AND p.STATUS = %d)", groupbuy.Formed) +
		" FROM " + q.products + " g WHERE g.ACTIVITY_ID = ? AND g.SKU_ID = ?"

	// Every change of a seat changes the version of its team, so that the recount is still right. If the last events are
	// missing, the next events take their numbers.
	q.correct = "UPDATE " + q.teams + " " + mysql.ByKey +
		" SET HELD_NUM = ?, PAID_NUM = ?, PAID_VOLUME = ?, EVENT_NUM = ?, EVENT_DONE = LEAST(EVENT_DONE, ?)" +
		", EVENT_TIME = COALESCE(EVENT_TIME, ?), UPDATE_TIME = ?, VERSION = ? WHERE CODE = ? AND VERSION = ?"
}

// matching renders groupbuy.SeatState.Matches of a seat p, its hold h and its team t.
func matching() string {
	var pairs []string
	for s := groupbuy.Held; s <= groupbuy.Refunded; s++ {
		var always, formed []stock.State
		for h := stock.Unheld; h <= stock.Expired; h++ {
			switch {
			case s.Matches(h, false):
				always = append(always, h)
			case s.Matches(h, true):
				formed = append(formed, h)
			}
		}
		pairs = append(pairs, fmt.Sprintf("p.STATE = %d AND COALESCE(h.STATE, 0) %s", s, ledger.In(always)))
		if len(formed) > 0 {
			pairs = append(pairs, fmt.Sprintf("p.STATE = %d AND COALESCE(h.STATE, 0) %s AND t.STATUS = %d", s, ledger.In(formed), groupbuy.Formed))
		}
	}
	return strings.Join(pairs, " OR ")
}

// renderGroupBlanks renders blank rows; see Handle.Among. They have VERSION 0, and a blank seat has STATE 0.
func (q *groupBuySQL) renderGroupBlanks() {
	row := func(table, values, key string) mysql.Blank {
		return mysql.Blank{
			Insert:   "INSERT INTO " + table + " (" + values + ", 0) ON DUPLICATE KEY UPDATE VERSION = VERSION",
			TakeBack: mysql.TakeBlank(table, key, "t.VERSION = 0"),
		}
	}
	q.blankTeam = row(q.teams, newTeamColumns+", VERSION) VALUES (?, "+mysql.List("0", 13)+", x'', x'00', 0, 0, 0, "+mysql.List(mysql.Now, 3),
		"t.CODE = ?")
	q.blankSeat = mysql.Blank{Insert: "INSERT INTO " + q.seats +
		" (ORDER_NO, TEAM_CODE, ACTIVITY_ID, SKU_ID, BUYER_ID, VOLUME, NAME, AVATAR, ADDRESS, PLACES, SHIPPING_FEE, BALANCE_USED" +
		", SPONSOR, STATE, START_TIME, EXPIRE_TIME, UPDATE_TIME) VALUES (?, x'', 0, 0, x'', 1, x'', x'', x'', 0, 0, 0, 0, 0, " +
		mysql.List(mysql.Now, 3) + ")" +
		" ON DUPLICATE KEY UPDATE STATE = STATE", TakeBack: mysql.TakeBlank(q.seats, "t.ORDER_NO = ?", "t.STATE = 0")}
}
