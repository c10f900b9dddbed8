package teams

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// termColumns are the columns of the terms of a product or a team t, in the order of termTargets and termArgs.
const termColumns = "PLACES, PRICE, GROUP_PRICE, MEMBER_ONLY, FREE_SHIPPING, PEOPLE_LIMIT, VOLUME_LIMIT, VOLUME_UNITS, PEOPLE_MIN," +
	" VOLUME_MIN"

// teamColumns are the columns of a team t, in the order of teamTargets.
var teamColumns = "t.CODE, t.ACTIVITY_ID, t.SKU_ID, t." + strings.ReplaceAll(termColumns, ", ", ", t.") +
	", t.STATUS, t.SPONSOR_ID, t.SPONSOR_ORDER, t.HELD_NUM, t.PAID_NUM, t.PAID_VOLUME" +
	", " + mysql.Micros("t.START_TIME") + ", " + mysql.Micros("t.END_TIME") + ", " + mysql.Micros("t.OVER_TIME") +
	", t.CAUSE, t.FORM_ORDER, t.ACTOR, t.REASON, t.VERSION"

// newTeamColumns are the columns of a new team, in the order of teamArgs.
const newTeamColumns = "CODE, ACTIVITY_ID, SKU_ID, " + termColumns +
	", STATUS, SPONSOR_ID, SPONSOR_ORDER, HELD_NUM, PAID_NUM, PAID_VOLUME, START_TIME, END_TIME, UPDATE_TIME"

// seatColumns are the columns of a seat p, in the order of seatTargets.
var seatColumns = "p.ORDER_NO, p.TEAM_CODE, p.ACTIVITY_ID, p.SKU_ID, p.BUYER_ID, p.VOLUME, p.NAME, p.AVATAR, p.ADDRESS, p.PLACES" +
	", p.SHIPPING_FEE, p.BALANCE_USED, p.SPONSOR, p.STATE, p.STATUS, p.ADDED" +
	", " + mysql.Micros("p.START_TIME") + ", " + mysql.Micros("p.EXPIRE_TIME") + ", " + mysql.Micros("p.PAY_TIME") + ", " +
	mysql.Micros("p.END_TIME") +
	", p.ACTOR, p.REASON"

// termTargets scan termColumns.
func termTargets(t *groupbuy.Terms) []any {
	return []any{
		&t.Places, activities.Amount(&t.Price, &t.Places), activities.Amount(&t.GroupPrice, &t.Places), &t.MembersOnly, &t.FreeShipping,
		&t.People, &t.Volume,
		&t.UnitsPerVolume, &t.MinPeople, &t.MinVolume,
	}
}

// termArgs returns terms as arguments of Render.
func termArgs(t groupbuy.Terms) ([]any, error) {
	price, err := money.Minor("price", t.Price, t.Places)
	groupPrice, bad := money.Minor("group price", t.GroupPrice, t.Places)
	return []any{
		int64(t.Places), price, groupPrice, t.MembersOnly, t.FreeShipping, t.People, t.Volume, t.UnitsPerVolume, t.MinPeople, t.MinVolume,
	}, errors.Join(err, bad)
}

// teamTargets scan teamColumns.
func teamTargets(t *groupbuy.Team) []any {
	targets := append([]any{&t.Code, &t.Activity, &t.SKU}, termTargets(&t.Terms)...)
	return append(targets, &t.State, &t.Sponsor, &t.SponsorOrder, &t.Held, &t.Paid, &t.PaidVolume,
		activities.Time(&t.OpenedAt), activities.Time(&t.Deadline),
		activities.Time(&t.EndedAt), &t.Cause, &t.FormedBy, &t.Actor, &t.Reason, &t.Version)
}

// seatTargets scan seatColumns.
func seatTargets(s *groupbuy.Seat) []any {
	return []any{
		&s.Order, &s.Team, &s.Activity, &s.SKU, &s.Buyer, &s.Volume, &s.Name, &s.Avatar, &s.Address, &s.Places,
		activities.Amount(&s.ShippingFee, &s.Places), activities.Amount(&s.BalanceUsed, &s.Places), &s.Sponsor, &s.State,
		&s.Status, &s.Added, activities.Time(&s.TakenAt),
		activities.Time(&s.Deadline), activities.Time(&s.PaidAt), activities.Time(&s.EndedAt), &s.Actor, &s.Reason,
	}
}

// insertTeams renders the INSERT of new teams at a moment.
func (q *groupBuySQL) insertTeams(teams []groupbuy.Team, at time.Time) (string, error) {
	var args []any
	for _, t := range teams {
		team, err := teamArgs(t, at)
		if err != nil {
			return "", err
		}
		args = append(args, team...)
	}
	return mysql.Render(q.insertTeamsText(len(teams)), args...), nil
}

// teamArgs returns a team as arguments for newTeamColumns.
func teamArgs(t groupbuy.Team, at time.Time) ([]any, error) {
	terms, err := termArgs(t.Terms)
	args := append([]any{t.Code, t.Activity, t.SKU}, terms...)
	return append(args, int64(t.State), t.Sponsor, t.SponsorOrder, t.Held, t.Paid, t.PaidVolume, t.OpenedAt, t.Deadline, at), err
}

func (q *groupBuySQL) insertTeamsText(teams int) string {
	return "INSERT INTO " + q.teams + " (" + newTeamColumns + ") VALUES " + mysql.List("("+mysql.List("?", 22)+")", teams)
}

// insertSeats renders the INSERT of new seats at a moment.
func (q *groupBuySQL) insertSeats(seats []groupbuy.Seat, at time.Time) (string, error) {
	var args []any
	for _, s := range seats {
		fee, err := money.Minor("shipping fee", s.ShippingFee, s.Places)
		balance, bad := money.Minor("balance used", s.BalanceUsed, s.Places)
		if err := errors.Join(err, bad); err != nil {
			return "", err
		}
		args = append(args, s.Order, s.Team, s.Activity, s.SKU, s.Buyer, s.Volume, s.Name, s.Avatar, s.Address, int64(s.Places), fee, balance,
			s.Sponsor, int64(s.State), s.TakenAt, s.Deadline, at)
	}
	return mysql.Render(q.insertSeatsText(len(seats)), args...), nil
}

func (q *groupBuySQL) insertSeatsText(seats int) string {
	return "INSERT INTO " + q.seats + " (ORDER_NO, TEAM_CODE, ACTIVITY_ID, SKU_ID, BUYER_ID, VOLUME, NAME, AVATAR, ADDRESS, PLACES," +
		" SHIPPING_FEE, BALANCE_USED" +
		", SPONSOR, STATE, START_TIME, EXPIRE_TIME, UPDATE_TIME, LIVE) VALUES " + mysql.List("("+mysql.List("?", 17)+", 1)", seats)
}

// updateTeams renders the change of teams to their state at a moment. All of them are locked, so every row exists, and
// a list of rows is the shortest way to give each its own values. Terms, code and product of a team never change.
func (q *groupBuySQL) updateTeams(teams []*teamChange, at time.Time) (string, error) {
	var args []any
	for _, t := range teams {
		team, err := teamArgs(t.Team, at)
		if err != nil {
			return "", err
		}
		args = append(append(args, team...), t.EndedAt, int64(t.Cause), t.FormedBy, t.Actor, t.Reason, t.Version)
	}
	return mysql.Render(q.updateTeamsText(len(teams)), args...), nil
}

func (q *groupBuySQL) updateTeamsText(teams int) string {
	var set []string
	for c := range strings.SplitSeq("STATUS, SPONSOR_ID, SPONSOR_ORDER, HELD_NUM, PAID_NUM, PAID_VOLUME, UPDATE_TIME, OVER_TIME, CAUSE,"+
		" FORM_ORDER, ACTOR, REASON", ", ") {
		set = append(set, c+" = VALUES("+c+")")
	}
	// The version only grows: the table refuses NULL.
	return "INSERT INTO " + q.teams + " (" + newTeamColumns +
		", OVER_TIME, CAUSE, FORM_ORDER, ACTOR, REASON, VERSION) VALUES " +
		mysql.List("("+mysql.List("?", 28)+")", teams) + " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ") +
		", VERSION = IF(VALUES(VERSION) > VERSION, VALUES(VERSION), NULL)"
}

// updateSeats renders the UPDATE of seats that have the same change. A batch has few different changes.
func (q *groupBuySQL) updateSeats(to seatChange, orders []string, at time.Time) string {
	args := []any{int64(to.to), to.live(), int64(to.status), to.added, to.paidAt, to.endedAt, to.actor, to.reason, at}
	text := mysql.Render(q.updateSeatsText(to.from), args...)
	return mysql.RenderList(text+" AND ORDER_NO IN (?)", orders)
}

func (q *groupBuySQL) updateSeatsText(from groupbuy.SeatState) string {
	return "UPDATE " + q.seats + " " + mysql.ByKey +
		" SET STATE = ?, LIVE = ?, STATUS = ?, ADDED = ?, PAY_TIME = COALESCE(?, PAY_TIME), END_TIME = ?, ACTOR = ?, REASON = ?, UPDATE_TIME =" +
		" ?" +
		fmt.Sprintf(" WHERE STATE = %d", from)
}

// seatChange is a change of a seat.
type seatChange struct {
	from, to        groupbuy.SeatState
	status          groupbuy.TeamState
	added           bool
	paidAt, endedAt time.Time
	actor, reason   string
}

// live is the column of the unique key that lets a buyer have one live seat in a team.
func (c seatChange) live() any {
	if c.to.Live() {
		return 1
	}
	return nil
}

// changeOf returns the change of a seat that was in a state. Only a seat that is paid now sets its time of payment. Each
// earlier payment has a time of its own, so that its seat would need a statement of its own.
func changeOf(from groupbuy.SeatState, s groupbuy.Seat) seatChange {
	change := seatChange{from: from, to: s.State, status: s.Status, added: s.Added, endedAt: s.EndedAt, actor: s.Actor, reason: s.Reason}
	if s.State == groupbuy.Paid {
		change.paidAt = s.PaidAt
	}
	return change
}

// teamChange is a team with its changes, and the version that it had when it was locked.
type teamChange struct {
	groupbuy.TeamRecord

	was int64
}
