package sqlstore

// Parts returns how many parts of a kind the tables of Schema have, as Check knows them.
func Parts(kind string) (n int) {
	all, _ := migrationsOf(Schema()) // read by other tests
	for _, m := range all {
		for _, t := range m.tables {
			for _, p := range t.parts {
				if p.kind == kind {
					n++
				}
			}
		}
	}
	return n
}
