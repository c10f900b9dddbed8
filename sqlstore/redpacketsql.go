package sqlstore

// redPacketSQL is every statement of the red packet store for a prefix, beside those of its units.
type redPacketSQL struct {
	packets, shares string // table names
}

// newRedPacketSQL renders the statements for a prefix.
func newRedPacketSQL(prefix string) *redPacketSQL {
	return &redPacketSQL{packets: prefix + "red_packet", shares: prefix + "red_packet_share"}
}

// tables returns the names of all tables.
func (q *redPacketSQL) tables() []string { return []string{q.packets, q.shares} }

// constraints returns the names of all CHECK constraints.
func (q *redPacketSQL) constraints() []string {
	return []string{q.packets + "_not_negative", q.packets + "_balance", q.shares + "_money"}
}
