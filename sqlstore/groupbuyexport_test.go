package sqlstore

// AlwaysBatch returns groups whose every call that could be merged is done by the code of a batch; see
// Stock.AlwaysBatch.
func (g *GroupBuy) AlwaysBatch() *GroupBuy {
	g.units.AlwaysBatch()
	m := g.merged
	m.offers.alone = batched(m.offers.batch, m.offers.alone)
	m.seats.alone = batched(m.seats.batch, m.seats.alone)
	m.teams.alone = batched(m.teams.batch, m.teams.alone)
	m.members.alone = batched(m.members.batch, m.members.alone)
	return g
}
