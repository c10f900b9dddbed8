package orm

import (
	"context"

	"github.com/Masterminds/squirrel"
)

// Squirrel builds statements by squirrel, whose placeholders are ? by default.
type Squirrel struct{}

// Insert is the INSERT of an order.
func (Squirrel) Insert(_ context.Context, o Order) (Statement, error) {
	return squirreled(squirrel.Insert("shop_order").
		Columns("id", "buyer", "cents", "status", "created_at").
		Values(o.ID, o.Buyer, o.Cents, "new", o.CreatedAt))
}

// Paid is the UPDATE of its status.
func (Squirrel) Paid(_ context.Context, id string) (Statement, error) {
	return squirreled(squirrel.Update("shop_order").Set("status", "paid").Where(squirrel.Eq{"id": id}))
}

func squirreled(query squirrel.Sqlizer) (Statement, error) {
	text, args, err := query.ToSql()
	return Statement{text, args}, err
}
