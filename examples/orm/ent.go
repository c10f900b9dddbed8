package orm

import (
	"context"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqlgraph"
	"entgo.io/ent/schema/field"
)

// Ent builds statements by the builder of ent, which needs no generated code. Hooks, defaults and validators do not run.
type Ent struct{}

// Insert is the INSERT of an order.
func (Ent) Insert(_ context.Context, o Order) (s Statement, err error) {
	s.Text, s.Args, err = entsql.Dialect(dialect.MySQL).Insert("shop_order").
		Columns("id", "buyer", "cents", "status", "created_at").
		Values(o.ID, o.Buyer, o.Cents, "new", o.CreatedAt).
		QueryErr()
	return s, err
}

// Paid is the UPDATE of its status.
func (Ent) Paid(_ context.Context, id string) (s Statement, err error) {
	s.Text, s.Args = entsql.Dialect(dialect.MySQL).Update("shop_order").Set("status", "paid").Where(entsql.EQ("id", id)).Query()
	return s, nil
}

// EntClient records what the generated client of ent executes. It calls what the client calls, so that 4,000 lines of generated
// code need not stand here. In a shop it is
//
//	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.MySQL, OpenRecorder())))
//	insert, err := Record(ctx, func(ctx context.Context) error {
//		return client.Order.Create().SetID(o.ID).SetBuyer(o.Buyer).SetCents(o.Cents).Exec(ctx)
//	})
//	paid, err := Record(ctx, func(ctx context.Context) error {
//		return client.Order.Update().Where(order.ID(id)).SetStatus("paid").Exec(ctx)
//	})
//
// UpdateOne does not go: it reads the row afterwards.
type EntClient struct{ driver dialect.Driver }

// OpenEntClient returns the driver of a client on a recorder.
func OpenEntClient() *EntClient { return &EntClient{entsql.OpenDB(dialect.MySQL, OpenRecorder())} }

// Insert is what Create executes.
func (c *EntClient) Insert(ctx context.Context, o Order) (Statement, error) {
	spec := sqlgraph.NewCreateSpec("shop_order", sqlgraph.NewFieldSpec("no", field.TypeInt64))
	spec.SetField("id", field.TypeString, o.ID)
	spec.SetField("buyer", field.TypeString, o.Buyer)
	spec.SetField("cents", field.TypeInt64, o.Cents)
	spec.SetField("status", field.TypeString, "new")
	spec.SetField("created_at", field.TypeTime, o.CreatedAt)
	return Record(ctx, func(ctx context.Context) error { return sqlgraph.CreateNode(ctx, c.driver, spec) })
}

// Paid is what Update executes.
func (c *EntClient) Paid(ctx context.Context, id string) (Statement, error) {
	spec := sqlgraph.NewUpdateSpec("shop_order", []string{"no", "id"}, sqlgraph.NewFieldSpec("no", field.TypeInt64))
	spec.SetField("status", field.TypeString, "paid")
	spec.Predicate = func(s *entsql.Selector) { s.Where(entsql.EQ(s.C("id"), id)) }
	return Record(ctx, func(ctx context.Context) error {
		_, err := sqlgraph.UpdateNodes(ctx, c.driver, spec)
		return err
	})
}
