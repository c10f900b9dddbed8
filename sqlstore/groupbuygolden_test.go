package sqlstore

import "github.com/holdfast-go/holdfast/groupbuy"

// statements renders all of them; those that grow with a batch for two.
func (q *groupBuySQL) statements() []statement {
	return append(q.readStatements(),
		statement{"Define: a new activity", q.addActivity},
		statement{"Define, End, Expire: an activity as it was read", q.setActivity},
		statement{"Offer: a new product", q.addProduct},
		statement{"Offer, Revise, Remove, Expire: a product as it was read", q.setProduct},
		statement{"The same in the caller's transaction 1: lock the item", q.lockItem},
		statement{"Deliver 1: lease the event", q.lease},
		statement{"Deliver 2: the seat whose refund was delivered", q.refunded},
		statement{"Deliver 3: lock the event", q.lockEvent},
		statement{"Deliver 4: the event", q.deliver},
		statement{"Deliver 4: an event that was set aside", q.deliverAside},
		statement{"Deliver failed, once more later", q.putOff},
		statement{"Deliver failed, set aside", q.putAside},
		statement{"Deliver of an event that was set aside failed", q.keepAside},
		statement{"Repair a team", q.correct},
		statement{"Open, Join 1: lock the teams", q.lockTeamsText()},
		statement{"Open, Join 2: who is in them, of two buyers", q.joinedText(2)},
		statement{"Open: teams, two", q.insertTeamsText(2)},
		statement{"Open, Join 3: seats, two", q.insertSeatsText(2)},
		statement{"Steps of seats 1: lock them and their teams", q.lockSeatsText()},
		statement{"Steps of seats 2: those of which the same becomes", q.updateSeatsText(groupbuy.Held) + " AND ORDER_NO IN (?)"},
		statement{"Steps of seats 3: the members of teams that are formed", q.formSeatsText()},
		statement{"Steps of seats 4: the next sponsor of a team", q.successorText()},
		statement{"Steps of seats 5, Join 4: teams, two", q.updateTeamsText(2)},
		statement{"Steps of seats 6: events, two", q.insertEventsText(2)},
		statement{"Steps of seats 7, Repair: the people of a product", q.addFormedText()},
		statement{"Refund: a product goes on giving back units", q.unsettleText()},
		statement{"End 1: the live seats of teams", q.liveSeatsText()},
		statement{"Late, Follow 1: whose items they have", q.keysOfText()},
		statement{"Late, Follow 2: lock them, two", q.lockItemsText(2)},
	)
}

// readStatements are those that change nothing.
func (q *groupBuySQL) readStatements() []statement {
	return []statement{
		{"Read an activity", q.readActivity},
		{"List activities", q.listActivities},
		{"Activities whose time has come", q.dueActivities},
		{"Read products with their activities, two", q.offers(2)},
		{"List the products of an activity", q.listProducts},
		{"Products that are removed", q.dueProducts},
		{"The shop window", q.shelf},
		{"Has a product teams or seats that are not over", q.unfinished("")},
		{"The same in the caller's transaction", q.unfinished(" FOR UPDATE")},
		{"Read seats with their teams", q.readSeats},
		{"Read a seat in the caller's transaction", q.currentSeat},
		{"List the seats of a team", q.seatsOfTeam},
		{"List the seats of a buyer", q.seatsOfBuyer},
		{"List the seats in a state", q.seatsInState},
		{"Dead seats", q.lateSeats},
		{"Dead seats of a team", q.lateSeatsOfTeam},
		{"Read teams", q.readTeams},
		{"Read a team in the caller's transaction 1: whose it is", q.keyOfTeam},
		{"Read a team in the caller's transaction 2", q.currentTeam},
		{"List teams", q.listTeams(false, false)},
		{"List the teams of a product that can be joined", q.listTeams(true, true)},
		{"Teams whose time has come", q.lateTeams},
		{"Events that are due", q.dueEvents},
		{"Read an event", q.readEvent},
		{"List the events of a team", q.listEvents},
		{"List events that were set aside", q.asideOfAll},
		{"List events of a team that were set aside", q.asideOfTeam},
		{"Audit teams", q.book},
		{"Audit teams: seats that are not where their holds are", q.astray},
		{"Audit the people of a product", q.formedPeople},
	}
}
