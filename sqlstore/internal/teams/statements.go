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

// codeBytes is how long the code of a team may be in the tables.
const codeBytes = 16

// groupBuySQL has the statements of the group buying store for a prefix, without those of its units, activities and products. They
// are rendered once; statements that grow with a batch are rendered for each. testdata/statements.sql has all of them to read.
type groupBuySQL struct {
	activities, products, teams, seats, events string // table names
	holds                                      string // and of the units

	blankTeam, blankSeat                 mysql.Blank
	lockHold, lockSeat, seatOrders       string
	lockStates, versions, ordersWithSeat string

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

	refunded                                       string
	earlierDue, earlierAside, lockEarlier, earlier string
	endEarlier, endEarlierOfTeam                   string

	book, mismatched, formedPeople string
	correct, correctFormed         string
}

// newGroupBuySQL renders the statements for a prefix.
func newGroupBuySQL(prefix string) *groupBuySQL {
	q := &groupBuySQL{
		activities: prefix + "egl_group", products: prefix + "egl_group_product", teams: prefix + "egl_group_team",
		seats: prefix + "egl_group_participation", events: prefix + "egl_group_event",
		holds: prefix + ledger.GoodsStock + "_hold",
	}
	q.renderShelf()
	q.renderSeats()
	q.renderSteps()
	q.renderTeams()
	q.renderEarlier()
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
	q.lockStates = "SELECT ORDER_NO, STATE FROM " + q.seats + " " + mysql.ByKey + " WHERE ORDER_NO IN (?) FOR UPDATE"
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
	q.refunded = "UPDATE " + q.seats + " " + mysql.ByKey +
		fmt.Sprintf(" SET STATE = %d, UPDATE_TIME = %s WHERE ORDER_NO = ? AND STATE = %d", groupbuy.Refunded, mysql.Now, groupbuy.RefundDue)
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

// renderEarlier renders what becomes of the events that an earlier version has written in a table of its own. It changes no VERSION of a
// team, since no decision of a team depends on it.
func (q *groupBuySQL) renderEarlier() {
	q.earlierDue = "SELECT CODE FROM " + q.teams + " " + mysql.By(q.teams, "event") + " WHERE EVENT_TIME <= " + mysql.Now +
		" ORDER BY EVENT_TIME, CODE LIMIT ?"
	q.earlierAside = "SELECT DISTINCT TEAM_CODE FROM " + q.events + " " + mysql.By(q.events, "state") +
		fmt.Sprintf(" WHERE STATE = %d LIMIT ?", earlierAside)
	// While a process of that version is at an event, its team is not due.
	q.lockEarlier = "SELECT SKU_ID, ACTIVITY_ID, EVENT_DONE, COALESCE(EVENT_TIME <= " + mysql.Now + ", 0) FROM " + q.teams +
		" WHERE CODE = ? FOR UPDATE"
	state := fmt.Sprintf("(STATE = %d OR (? AND EVENT_NO > ? AND STATE = %d))", earlierAside, earlierOpen)
	q.earlier = "SELECT EVENT_NO, KIND, ORDER_NO, " + mysql.Micros("CREATE_TIME") + ", COALESCE((SELECT p.BUYER_ID FROM " + q.seats +
		" p WHERE p.ORDER_NO = e.ORDER_NO), x'') FROM " + q.events + " e " + mysql.ByKey + " WHERE TEAM_CODE = ? AND " + state +
		" ORDER BY EVENT_NO FOR UPDATE"
	q.endEarlier = "UPDATE " + q.events + " " + mysql.ByKey + fmt.Sprintf(" SET STATE = %d, DONE_TIME = %s", earlierDone, mysql.Now) +
		" WHERE TEAM_CODE = ? AND " + state
	q.endEarlierOfTeam = "UPDATE " + q.teams + " SET EVENT_DONE = EVENT_NUM, EVENT_TIME = NULL, EVENT_TRIES = 0 WHERE CODE = ?"
}

// renderGroupBooks renders the counts. Each is one statement, and so of one moment even at READ COMMITTED: it sees whole
// transactions.
func (q *groupBuySQL) renderGroupBooks() {
	count := func(s groupbuy.SeatState) string { return fmt.Sprintf("COUNT(CASE WHEN p.STATE = %d THEN 1 END)", s) }
	q.book = "SELECT " + teamColumns + ", b.HELD_NUM, b.PAID_NUM, b.PAID_VOLUME" +
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
	q.formedPeople = "SELECT g.VERSION, g.FORMED_NUM, (SELECT COUNT(*) FROM " + q.seats + " p " + mysql.By(q.seats, "product") +
		fmt.Sprintf(" WHERE p.ACTIVITY_ID = g.ACTIVITY_ID AND p.SKU_ID = g.SKU_ID AND p.STATUS = %d)", groupbuy.Formed) +
		" FROM " + q.products + " g WHERE g.ACTIVITY_ID = ? AND g.SKU_ID = ?"

	// Every change of a seat changes the version of its team, so that the recount is still right.
	q.correct = "UPDATE " + q.teams + " " + mysql.ByKey +
		" SET HELD_NUM = ?, PAID_NUM = ?, PAID_VOLUME = ?, UPDATE_TIME = ?, VERSION = ? WHERE CODE = ? AND VERSION = ?"
	// Of two repairs that have read the same version one succeeds. Teams that are formed meanwhile leave the version alone.
	q.correctFormed = "UPDATE " + q.products + " " + mysql.ByKey + " SET FORMED_NUM = FORMED_NUM + ?, UPDATE_TIME = " + mysql.Now +
		", VERSION = VERSION + 1 WHERE ACTIVITY_ID = ? AND SKU_ID = ? AND VERSION = ?"
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
