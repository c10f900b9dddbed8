package teams

import (
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore/internal/activities"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
)

func TestGoldenStatementsOfGroupBuying(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "group buying", "testdata/statements.sql",
		func(prefix string) []sqltest.Statement {
			units := ledger.New(nil, ledger.Settings{Prefix: prefix, Unmerged: true}, ledger.GoodsStock, ledger.NoCompanions{})
			reads, changes := activities.New(schema(), prefix, units).SQL.Named()
			var all []sqltest.Statement
			for _, s := range append(reads, changes...) {
				all = append(all, s)
			}
			return append(all, newGroupBuySQL(prefix).statements()...)
		})
}

// statements renders all of them; those that grow with a batch for two.
func (q *groupBuySQL) statements() []sqltest.Statement {
	return append(q.readStatements(),
		sqltest.Statement{"Return: the money of a seat is back", q.refunded},
		sqltest.Statement{"Events of an earlier version 1: lock a team", q.lockEarlier},
		sqltest.Statement{"Events of an earlier version 2: read them", q.earlier},
		sqltest.Statement{"Events of an earlier version 3: they are done there", q.endEarlier},
		sqltest.Statement{"Events of an earlier version 4: their team has none", q.endEarlierOfTeam},
		sqltest.Statement{"Repair a team", q.correct},
		sqltest.Statement{"Repair the people of a product", q.correctFormed},
		sqltest.Statement{"Open, Join 1: lock the teams", q.readTeams + " FOR UPDATE"},
		sqltest.Statement{"Open, Join 2: who is in them, of two buyers", q.joinedText(2)},
		sqltest.Statement{"Open: teams, two", q.insertTeamsText(2)},
		sqltest.Statement{"Open, Join 3: seats, two", q.insertSeatsText(2)},
		sqltest.Statement{"Steps of seats 1: lock them and their teams", q.readSeats + " FOR UPDATE"},
		sqltest.Statement{"Steps of seats 2: those of which the same becomes", q.updateSeatsText(groupbuy.Held) + " AND ORDER_NO IN (?)"},
		sqltest.Statement{"Steps of seats 3: the members of teams that are formed", q.formSeatsOfTeams},
		sqltest.Statement{"Steps of seats 4: the next sponsor of a team", q.successor},
		sqltest.Statement{"Steps of seats 5, Join 4: teams, two", q.updateTeamsText(2)},
		sqltest.Statement{"Steps of seats 6: the people of a product", q.addFormed},
		sqltest.Statement{"End 1: the live seats of teams", q.liveSeats},
		sqltest.Statement{"Late, Follow 1: whose items they have", q.keysOf},
		sqltest.Statement{"In the caller's transaction: a blank team", q.blankTeam.Insert},
		sqltest.Statement{"In the caller's transaction: no blank team any more", q.blankTeam.TakeBack},
		sqltest.Statement{"In the caller's transaction: whose a team is", q.keyOfTeam},
		sqltest.Statement{"In the caller's transaction: a blank seat", q.blankSeat.Insert},
		sqltest.Statement{"In the caller's transaction: no blank seat any more", q.blankSeat.TakeBack},
		sqltest.Statement{"In the caller's transaction: which orders have a seat", q.ordersWithSeat},
		sqltest.Statement{"In the caller's transaction: lock the hold of a seat", q.lockHold},
		sqltest.Statement{"In the caller's transaction: lock a seat", q.lockSeat},
		sqltest.Statement{"Form, Fail: wait for who is at a team", q.versions + " FOR UPDATE"},
		sqltest.Statement{"In the caller's transaction: are the seats of the snapshot those of now", q.lockStates},
		sqltest.Statement{"In the caller's transaction: the members of teams that are formed 1: who they are", q.formingSeats},
		sqltest.Statement{"In the caller's transaction: the members of teams that are formed 2", q.formSeats},
	)
}

// readStatements are those that change nothing.
func (q *groupBuySQL) readStatements() []sqltest.Statement {
	return []sqltest.Statement{
		{"The shop window", q.shelf},
		{"Has a product teams or seats that are not over", q.unfinished("")},
		{"Read seats with their teams", q.readSeats},
		{"Archive of goods: which orders have a seat", q.seatOrders},
		{"List the seats of a team", q.seatsOfTeam},
		{"The first seats of several teams", q.seatsOfTeams},
		{"List the seats of a buyer", q.seatsOfBuyer},
		{"List the seats in a state", q.seatsInState},
		{"List the seats of an activity in a state", q.seatsOfActivity},
		{"List the activities that are to come", q.activitiesIn[groupbuy.ActivityUpcoming]},
		{"List the activities that run", q.activitiesIn[groupbuy.ActivityRunning]},
		{"List the activities that are over", q.activitiesIn[groupbuy.ActivityEnded]},
		{"Dead seats", q.lateSeats},
		{"Dead seats of a team", q.lateSeatsOfTeam},
		{"Read teams", q.readTeams},
		{"List teams", q.listTeams("state", false)},
		{"List the teams of an activity", q.listTeams("activity", false)},
		{"List the teams of a product that can be joined", q.listTeams("product", true)},
		{"Teams whose time has come", q.lateTeams},
		{"Teams with events of an earlier version", q.earlierDue},
		{"Teams with events of an earlier version that are set aside", q.earlierAside},
		{"Audit teams", q.book},
		{"Audit teams: seats that are not where their holds are", q.mismatched},
		{"Audit the people of a product", q.formedPeople},
	}
}
