package groupbuy

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
)

// Remove takes a product out of its activity: no new teams and no joins, but live teams may still finish. Its
// available units go back to ordinary stock at once, and units that become free later go back with the next Expire.
// Removing again returns the product as it is, as a Replay.
//
// What goes along with the call (sqlstore.GroupBuy.Along) is done in the transaction that removes the product, before its remainder
// goes back.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct. If the product is removed but its remainder
// could not go back, the error matches ErrUnknown, and also the cause if that is an error of stock. Repeating the
// call, or Expire, tries again.
func (g *Groups) Remove(ctx context.Context, key stock.Key) (Product, error) {
	if err := errors.Join(g.ready(ctx), checkKey(key)); err != nil {
		return Product{}, err
	}
	_, removed, err := g.remove(ctx, key)
	if err != nil {
		return Product{}, err
	}
	product, gave, err := g.giveBack(ctx, key)
	if err != nil {
		return Product{}, remains(key, err)
	}
	product.Replay = !removed && !gave
	return product, nil
}

// remains returns the error of a remainder whose product is removed: that was done.
func remains(key stock.Key, err error) error {
	if err == nil {
		return nil
	}
	return fault.Unread(fmt.Errorf("%v is removed, and its remainder has not gone back: %w", key, err))
}

// remove removes a product that is not yet. It reports whether this call did it.
func (g *Groups) remove(ctx context.Context, key stock.Key) (is Product, removed bool, err error) {
	for range attempts {
		product, err := g.product(ctx, key)
		if removed {
			err = fault.Unread(err)
		}
		if err != nil || product.State == Removed || product.State == Settled {
			return product, removed, err
		}
		product.State = Removed
		verdict, err := g.store.SaveProduct(ctx, product)
		if err != nil {
			return Product{}, removed, err
		}
		removed = verdict == stock.Done
	}
	return Product{}, removed, contention("remove", key.String())
}

// giveBack returns the units of a product that is Removed and that are available to ordinary stock, as often as
// there are some, and settles it once there can be no more. It reports whether this call did any of it. Any
// number of calls may do this at once: a transfer happens once, and who was overtaken looks again.
//
// A call that ends after a transfer and before it is counted leaves Product.Returns behind. The next one then makes
// the same transfer again, which moves nothing, counts it, and finds what has come since by the one after.
func (g *Groups) giveBack(ctx context.Context, key stock.Key) (Product, bool, error) {
	g, changed := g.plain(), false
	for range attempts {
		offer, item, err := g.pool(ctx, key)
		if err != nil || offer.State != Removed {
			return offer.Product, changed, err
		}
		product := offer.Product
		if item.Available() > 0 {
			rest := stock.TransferLeg{SKU: key.SKU, From: key.Activity, To: 0, Num: stock.Rest}
			if _, err := g.units.Transfer(ctx, returnID(key, product.Returns+1), rest); err != nil {
				return product, changed, err
			}
			product.Returns++
		} else {
			if unfinished, err := g.store.Unfinished(ctx, key); err != nil || unfinished {
				return product, changed, err
			}
			if err := g.forestall(ctx, key); err != nil {
				return product, changed, err
			}
			product.State = Settled
		}
		verdict, err := g.store.SaveProduct(ctx, product)
		if err != nil {
			return product, changed, err
		}
		changed = changed || verdict == stock.Done
		if verdict == stock.Done && product.State == Settled {
			if product, err = g.reopen(ctx, key); err != nil || product.State == Settled {
				return product, changed, err
			}
		}
	}
	return Product{}, changed, contention("give back", key.String())
}

// forestall makes sure that an Offer which was cut off, or sleeps, cannot bring units to a product that is to be
// settled: it uses up the ID of that transfer, for a remainder that is nothing. Mostly the ID is used already.
func (g *Groups) forestall(ctx context.Context, key stock.Key) error {
	rest := stock.TransferLeg{SKU: key.SKU, From: key.Activity, To: 0, Num: stock.Rest}
	_, err := g.units.Transfer(ctx, takeID(key), rest)
	if errors.Is(err, ErrMismatch) {
		return nil
	}
	return err
}

// reopen makes a product that is Settled, and has units nevertheless, Removed again: they came while it was being
// settled. It returns the product as it is then.
func (g *Groups) reopen(ctx context.Context, key stock.Key) (Product, error) {
	for range attempts {
		product, err := g.product(ctx, key)
		if err != nil || product.State != Settled {
			return product, err
		}
		item, err := g.units.Item(ctx, key)
		if err != nil || item.Available() == 0 {
			return product, err
		}
		product.State = Removed
		if _, err := g.plain().store.SaveProduct(ctx, product); err != nil {
			return Product{}, err
		}
	}
	return Product{}, contention("reopen", key.String())
}
