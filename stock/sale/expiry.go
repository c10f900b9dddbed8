package sale

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/sweep"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Expire does all work that is due by time. It tells which products are on sale now (event.SaleStarted), removes the
// products of activities that are over, releases dead holds in their pools, and gives what is left back to ordinary
// stock: of products that were removed now or earlier, and units that came back by cancelled holds or refunds since. It
// returns how many activities and products this call changed. Nobody can buy from an activity that is over without it,
// but no units go back until it runs. Any number of processes may run it at once. If one product fails, the others still
// give back, and its error is returned at the end.
func (s *Sales) Expire(ctx context.Context) (int, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	total := 0
	var errs []error
	for _, sweep := range [...]func(context.Context) (int, error){s.tellStarted, s.books().ExpireActivities, s.books().ExpireProducts} {
		changed, err := sweep(ctx)
		total += changed
		if errs = append(errs, err); fault.Stops(err) || ctx.Err() != nil {
			break
		}
	}
	return total, errors.Join(errs...)
}

// tellBatch is how many products that are on sale now are told of at a time.
const tellBatch = 200

// tellStarted tells of the products that are on sale now, each once.
func (s *Sales) tellStarted(ctx context.Context) (int, error) {
	total := 0
	for {
		told, err := s.store.TellStarted(ctx, tellBatch)
		if total += told; err != nil || told < tellBatch {
			return total, err
		}
	}
}

// Told returns an event of the pool of a product, for authors of a store.
func Told(kind event.Kind, key stock.Key) event.Event {
	return event.Event{Kind: kind, Queue: event.ItemQueue(key.SKU, key.Activity), SKU: key.SKU, Activity: key.Activity}
}

// Run calls Expire every Options.Sweep until the context ends, and returns its error. It also makes the sessions of some series,
// as Schedule does. After a sweep that failed it calls Options.OnError and rests longer each time, half a minute at most. The stock
// has a Run of its own, which releases the holds of all pools.
func (s *Sales) Run(ctx context.Context, series ...Series) error {
	if err := errors.Join(s.ready(ctx), checkAll(series)); err != nil {
		return err
	}
	complete := map[int64]bool{}
	return sweep.Run(ctx, s.opts.Sweep, func(ctx context.Context) (int, error) {
		changed, err := s.Expire(ctx)
		if fault.Stops(err) || ctx.Err() != nil {
			return changed, err
		}
		made, bad := s.schedule(ctx, series, complete)
		return changed + made, errors.Join(err, bad)
	}, s.opts.OnError)
}
