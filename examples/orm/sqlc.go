package orm

import (
	"context"

	"github.com/holdfast-go/holdfast/examples/orm/shopdb"
)

// SQLC takes the statements of code that sqlc has generated. Its texts are unexported, so they are recorded.
type SQLC struct{ queries *shopdb.Queries }

// OpenSQLC returns the queries on a recorder.
func OpenSQLC() *SQLC { return &SQLC{shopdb.New(OpenRecorder())} }

// Insert is the INSERT of an order.
func (s *SQLC) Insert(ctx context.Context, o Order) (Statement, error) {
	return Record(ctx, func(ctx context.Context) error {
		return s.queries.CreateOrder(ctx, shopdb.CreateOrderParams{ID: o.ID, Buyer: o.Buyer, Cents: o.Cents, CreatedAt: o.CreatedAt})
	})
}

// Paid is the UPDATE of its status. The number of rows is that of the recorder: Affects counts those of the server.
func (s *SQLC) Paid(ctx context.Context, id string) (Statement, error) {
	return Record(ctx, func(ctx context.Context) error {
		_, err := s.queries.MarkPaid(ctx, id)
		return err
	})
}
