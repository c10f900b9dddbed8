package allot

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// Remove takes a product out of its activity and gives its available units back. It reports whether this call did any
// of it.
func (b Books[A, P]) Remove(ctx context.Context, key stock.Key) (is P, changed bool, err error) {
	is, removed, err := b.remove(ctx, key)
	if err != nil {
		return is, removed, err
	}
	is, gave, err := b.giveBack(ctx, key)
	return is, removed || gave, remains(key, err)
}

// remains returns the error of a remainder whose product is removed: that was done.
func remains(key stock.Key, err error) error {
	if err == nil {
		return nil
	}
	return fault.Unread(fmt.Errorf("%v is removed, and its remainder has not gone back: %w", key, err))
}

// remove removes a product that is not yet. It reports whether this call did it.
func (b Books[A, P]) remove(ctx context.Context, key stock.Key) (is P, removed bool, err error) {
	for range attempts {
		product, share, err := b.product(ctx, key)
		if removed {
			err = fault.Unread(err)
		}
		if err != nil || share.State.Over() {
			return product, removed, err
		}
		share.State = Removed
		verdict, err := b.Store.SaveProduct(ctx, b.Kind.SetShare(product, share), b.record(KindRemove, key, share.Version))
		if err != nil {
			return product, removed, err
		}
		removed = verdict == stock.Done
	}
	return is, removed, contention("remove", key.String())
}

// giveBack returns the units of a product that is Removed and that are available to ordinary stock, as often as
// there are some, and settles it once there can be no more. It reports whether this call did any of it. Any
// number of calls may do this at once: a transfer happens once, and who was overtaken looks again.
//
// A call that ends after a transfer and before it is counted leaves Share.Returns behind. The next one then makes
// the same transfer again, which moves nothing, counts it, and finds what has come since by the one after. So does whoever finds
// nothing available any more, since another call may have moved it and not counted it yet; and whoever has moved something
// counts it, although another call has settled the product meanwhile.
func (b Books[A, P]) giveBack(ctx context.Context, key stock.Key) (is P, changed bool, err error) {
	b = b.plain()
	for range attempts {
		at, err := b.freed(ctx, key)
		share := b.Kind.Share(at.product)
		if err != nil || !share.State.Over() {
			return at.product, changed, err
		}
		next, err := b.Kept.Applied(ctx, stock.KindTransfer, b.returnID(key, share.Returns+1))
		switch {
		case err != nil:
			return at.product, changed, err
		case next.ID != "", share.State == Removed && at.item.Quantities.Available() > 0:
			rest := stock.TransferLeg{SKU: key.SKU, From: key.Activity, To: 0, Num: stock.Rest}
			moved, err := b.Units.Transfer(ctx, b.returnID(key, share.Returns+1), rest)
			if err != nil {
				return at.product, changed, err
			}
			share.Returns++
			share.Returned += moved.Moves[0].Num
		case share.State == Settled:
			return at.product, changed, nil
		default:
			if unfinished, err := b.Store.Unfinished(ctx, key); err != nil || unfinished {
				return at.product, changed, err
			}
			if err := b.forestall(ctx, key); err != nil {
				return at.product, changed, err
			}
			share.State = Settled
		}
		verdict, err := b.Store.SaveProduct(ctx, b.Kind.SetShare(at.product, share), stock.Change{})
		if err != nil {
			return at.product, changed, err
		}
		changed = changed || verdict == stock.Done
		if verdict == stock.Done && share.State == Settled {
			if is, err = b.reopen(ctx, key); err != nil {
				return is, changed, err
			}
		}
	}
	return is, changed, contention("give back", key.String())
}

// freed returns the pool of a product, off the shelf if that is Removed, whose dead holds are released.
func (b Books[A, P]) freed(ctx context.Context, key stock.Key) (poolEntry[A, P], error) {
	at, err := b.pool(ctx, key)
	if err != nil || b.Release == nil || at.item.Locked == 0 || b.Kind.Share(at.product).State != Removed {
		return at, err
	}
	if err := b.Release(ctx, key); err != nil {
		return at, err
	}
	return b.pool(ctx, key)
}

// forestall makes sure that an Offer which was cut off, or sleeps, cannot bring units to a product that is to be
// settled: it uses up the ID of that transfer, for a remainder that is nothing. Mostly the ID is used already.
func (b Books[A, P]) forestall(ctx context.Context, key stock.Key) error {
	rest := stock.TransferLeg{SKU: key.SKU, From: key.Activity, To: 0, Num: stock.Rest}
	_, err := b.Units.Transfer(ctx, b.takeID(key), rest)
	if errors.Is(err, fault.ErrMismatch) {
		return nil
	}
	return err
}

// reopen makes a product that is Settled, and has units nevertheless, Removed again: they came while it was being
// settled. It returns the product as it is then.
func (b Books[A, P]) reopen(ctx context.Context, key stock.Key) (is P, err error) {
	for range attempts {
		product, share, err := b.product(ctx, key)
		if err != nil || share.State != Settled {
			return product, err
		}
		item, err := b.Units.Item(ctx, key)
		if err != nil || item.Quantities.Available() <= 0 {
			return product, err
		}
		share.State = Removed
		if _, err := b.plain().Store.SaveProduct(ctx, b.Kind.SetShare(product, share), stock.Change{}); err != nil {
			return product, err
		}
	}
	return is, contention("reopen", key.String())
}

// ExpireProducts gives back what is left of the products that are due for it, and returns of how many.
func (b Books[A, P]) ExpireProducts(ctx context.Context) (int, error) {
	total := 0
	var errs []error
	due := listing.Pages(nil,
		func(after stock.Key, limit int) ([]P, error) { return b.Store.DueProducts(ctx, after, limit) },
		func(p P) stock.Key { return b.Kind.Share(p).Key })
	for product, err := range due {
		changed := false
		if err == nil {
			changed, err = b.expireProduct(ctx, b.Kind.Share(product))
		}
		errs = append(errs, err)
		if changed {
			total++
		}
		if ctx.Err() != nil || fault.Stops(err) {
			break
		}
	}
	return total, errors.Join(errs...)
}

// expireProduct gives back what is left of a product. It first removes one that the end of its activity did not see.
func (b Books[A, P]) expireProduct(ctx context.Context, share Share) (changed bool, err error) {
	switch {
	case !share.State.Over():
		_, changed, err = b.plain().Remove(ctx, share.Key)
		return changed, err
	case share.State == Settled:
		if _, err := b.plain().reopen(ctx, share.Key); err != nil {
			return false, err
		}
	}
	_, changed, err = b.giveBack(ctx, share.Key)
	return changed, err
}
