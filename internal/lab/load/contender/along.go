package contender

import "context"

func alongKinds() []Kind {
	return []Kind{{
		Name: Along, Title: "Holdfast, Along", About: "this library, which takes the order row along: one merged transaction", ours: true,
		sells: orders, open: openAlong, base: tables{},
	}}
}

// along lets the library write the rows of the shop, in the transaction of the batch.
type along struct {
	*ours

	cfg Config
}

func openAlong(ctx context.Context, cfg Config) (Contender, error) {
	o, err := open(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	return along{o, cfg}, nil
}

// Lock implements Contender.
func (a along) Lock(ctx context.Context, order Order) error {
	rows := a.store.Along(insertOrderRow+orderValues, orderArgs(order)...)
	if a.cfg.Items {
		for _, sku := range order.SKUs {
			rows = rows.Along(insertLineRow+lineValues, order.id(), sku, cents)
		}
	}
	return a.lock(ctx, a.inv.On(rows), order)
}

// Pay implements Contender.
func (a along) Pay(ctx context.Context, order Order) error {
	_, err := a.inv.On(a.store.Along(payOrderRow, rowPaid, order.id()).Affects(1)).Pay(ctx, order.No)
	return err
}

// Fill implements Filler.
func (a along) Fill(ctx context.Context, orders []Order) error {
	return batches{byHand: byHand{a.db, a.cfg}}.LockAll(ctx, orders)
}
