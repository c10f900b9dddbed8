// Package orm shows how the statements of Stock.Along are taken from GORM, ent, bun, sqlc and squirrel: a file for each, to
// copy from. README.md tells what to mind.
package orm

import "time"

// Order is what the shop knows of an order.
type Order struct {
	ID, Buyer string
	Cents     int64
	CreatedAt time.Time
}

// Statement is what Along takes.
type Statement struct {
	Text string
	Args []any
}
