package groupbuy

import (
	"context"
	"errors"
	"iter"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// Offer puts a product into an activity, with units that it first takes out of ordinary stock. If it cannot take all
// of them, the product is not offered. Create the item of ordinary stock with stock.Inventory.Define; Offer itself
// creates the item of the pool.
//
// Repeating the call returns the product in its current state, as a Replay, even after Remove. Other terms or units
// are ErrMismatch, also those from before a Revise. A product that could not be offered is Preparing, without
// units: until its units are taken, Offer may be called with other terms and units.
//
// What goes along with the call (sqlstore.GroupBuy.Along) is done in the transaction that takes the units.
//
// Errors, in the order of precedence: ErrInvalid; ErrMismatch, for a product that is known; ErrUnknownActivity,
// ErrEnded; then those of ordinary stock, stock.ErrUnknownSKU, stock.ErrUnlimited, stock.ErrInsufficient.
func (g *Groups) Offer(ctx context.Context, product Product, units int64) (Product, error) {
	if err := errors.Join(g.ready(ctx), product.check(), input.Positive("units", units)); err != nil {
		return Product{}, err
	}
	product = product.normal()
	product.Allotted = units
	awaited, offered := false, false // offered by this call
	for range attempts {
		was, err := g.offerable(ctx, product)
		if errors.Is(err, ErrEnded) && !awaited { // the same call, made in time, may be under way
			err, awaited = g.store.Await(ctx, Subject{Product: product.Key}), true
			if err == nil {
				continue
			}
		}
		if err != nil {
			return Product{}, err
		}
		same := product.same(was) && was.Allotted == units && was.Version != 0
		switch {
		case was.State == Offered:
			was, err = g.onShelf(ctx, was.Key)
			was.Replay = err == nil && !offered
			return was, err
		case was.State != Preparing:
			was.Replay = !offered
			return was, nil
		case !same:
			_, err = g.plain().store.SaveProduct(ctx, was.with(product)) // and then look whether the activity still runs
		default:
			offered, err = g.allot(ctx, was)
		}
		if err != nil {
			return Product{}, err
		}
	}
	return Product{}, contention("offer", product.Key.String())
}

// offerable returns the current product, if it may be offered like this or already is. It looks at the activity
// after the product: an activity that is not over yet will find the product when it ends.
func (g *Groups) offerable(ctx context.Context, asked Product) (Product, error) {
	offer, _, err := g.store.Offer(ctx, asked.Key)
	if err != nil {
		return Product{}, err
	}
	was := offer.Product
	differs := was.differs(asked)
	if differs == nil {
		differs = compareUnits(was.Key, was.Allotted, asked.Allotted)
	}
	if was.Version != 0 && was.State != Preparing {
		return was, differs
	}
	if was.Version != 0 && differs != nil {
		num, taken, err := g.allotment(ctx, asked.Key)
		if err == nil && taken {
			err = compareUnits(asked.Key, num, asked.Allotted)
		}
		if err != nil {
			return Product{}, err
		}
	}
	activity, now, err := g.activity(ctx, asked.Activity)
	switch {
	case err != nil:
		return Product{}, err
	case activity.ended(now):
		return Product{}, activity.refusal(ErrEnded, now)
	}
	ordinary := stock.Key{SKU: asked.SKU}
	item, err := g.units.Item(ctx, ordinary)
	if err == nil && item.Unlimited {
		err = &stock.ItemError{Key: ordinary, Err: stock.ErrUnlimited}
	}
	return was, err
}

// compareUnits returns ErrMismatch for a product that is offered with other units than it was.
func compareUnits(key stock.Key, recorded, asked int64) error {
	return fault.Mismatch(key.String(), fault.Equal("units", recorded, asked))
}

// with returns the product with other terms, words and limits, and the units of those.
func (p Product) with(asked Product) Product {
	asked.State, asked.Formed, asked.Returns = p.State, p.Formed, p.Returns
	asked.CreatedAt, asked.UpdatedAt, asked.Version = p.CreatedAt, p.UpdatedAt, p.Version
	return asked
}

// allot takes the units of a product that is Preparing and then offers it. The transfer has one ID for each
// product, so that of two calls with different units one is refused, and so that settling a product makes sure
// that a transfer which is still under way comes to nothing. It reports whether this call offered the product.
func (g *Groups) allot(ctx context.Context, product Product) (offered bool, err error) {
	if _, _, err := g.pool(ctx, product.Key); err != nil {
		return false, err
	}
	move := stock.TransferLeg{SKU: product.SKU, From: 0, To: product.Activity, Num: product.Allotted}
	if _, err := g.units.Transfer(ctx, takeID(product.Key), move); err != nil {
		is, _, unread := g.store.Offer(ctx, product.Key)
		if errors.Is(err, ErrMismatch) && unread == nil && is.Version != product.Version {
			return false, nil // it was removed, or offered with other units: look again
		}
		return false, err
	}
	product.State = Offered
	verdict, err := g.plain().store.SaveProduct(ctx, product)
	return verdict == stock.Done, fault.Unread(err)
}

// allotment returns how many units the transfer of allot has taken, and whether that ID is used.
func (g *Groups) allotment(ctx context.Context, key stock.Key) (int64, bool, error) {
	change, err := g.store.Units().Applied(ctx, stock.KindTransfer, takeID(key))
	for _, e := range change.Entries {
		if e.Key == key {
			return e.Delta.Left, true, err
		}
	}
	return 0, change.ID != "", err
}

// takeID is the ID of the transfer that takes the units of a product out of ordinary stock, and returnID that of
// the n-th that gives some back. Both are shorter than input.MaxID.
func takeID(key stock.Key) string              { return "gb+/" + key.Serial(1) }
func returnID(key stock.Key, nth int64) string { return "gb-/" + key.Serial(nth) }

// onShelf brings the pool of a product to what the product is now. One that was offered while its activity was
// ended is removed.
func (g *Groups) onShelf(ctx context.Context, key stock.Key) (Product, error) {
	offer, _, err := g.pool(ctx, key)
	if err != nil {
		return Product{}, fault.Unread(err)
	}
	if offer.State == Offered && !offer.Activity.EndedAt.IsZero() {
		product, _, err := g.plain().remove(ctx, key)
		return product, fault.Unread(err)
	}
	return offer.Product, nil
}

// pool gives the item of a product the terms that follow from the product and its activity, and returns the two
// of that moment, or a later one. It comes back as often as it was overtaken, so that the last to write has
// seen the last state.
func (g *Groups) pool(ctx context.Context, key stock.Key) (Offer, stock.Item, error) {
	offer, _, err := g.store.Offer(ctx, key)
	for range attempts {
		if err != nil {
			return Offer{}, stock.Item{}, err
		}
		item, err := g.plain().units.Define(ctx, key, 0, offer.terms())
		if err != nil {
			return Offer{}, stock.Item{}, err
		}
		is, _, err := g.store.Offer(ctx, key)
		if err != nil {
			return Offer{}, stock.Item{}, err
		}
		if is.Version == offer.Version && is.Activity.Version == offer.Activity.Version {
			return is, item, nil
		}
		offer = is
	}
	return Offer{}, stock.Item{}, contention("define", key.String())
}

// terms returns those of the pool. It is on the shelf before the product is Offered, which Groups sees to, so that
// an Offer that is cut off leaves nothing that looks as if it were on sale. An activity that its teams outlive sells
// to who joins them for so long; that nobody opens one Groups sees to as well.
func (o Offer) terms() stock.Terms {
	return stock.Terms{
		SPU: o.SPU, OffShelf: o.State == Removed || o.State == Settled, Start: o.Activity.Start, End: o.Activity.closes(),
		PerOrder: o.PerOrder, PerBuyer: o.PerBuyer,
	}
}

// Revise gives an Offered product other terms, words and limits. Open teams keep the terms they were opened with.
// The last of two concurrent changes wins; a change that changes nothing always succeeds.
//
// What goes along with the call is done in the transaction that changes the product, before its pool follows.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct, ErrPreparing, ErrRemoved.
func (g *Groups) Revise(ctx context.Context, product Product) (Product, error) {
	if err := errors.Join(g.ready(ctx), product.check()); err != nil {
		return Product{}, err
	}
	product = product.normal()
	for range attempts {
		was, err := g.product(ctx, product.Key)
		if err != nil {
			return Product{}, err
		}
		product.Allotted = was.Allotted
		switch {
		case product.same(was):
			if was.State == Offered {
				return g.onShelf(ctx, was.Key)
			}
			return was, nil
		case was.State != Offered:
			return Product{}, was.refusal()
		}
		verdict, err := g.store.SaveProduct(ctx, was.with(product))
		switch {
		case err != nil:
			return Product{}, err
		case verdict == stock.Done:
			return g.onShelf(ctx, was.Key)
		}
	}
	return Product{}, contention("revise", product.Key.String())
}

// product returns a product that exists.
func (g *Groups) product(ctx context.Context, key stock.Key) (Product, error) {
	offer, now, err := g.store.Offer(ctx, key)
	if err == nil && offer.Version == 0 {
		err = &ProductError{Key: key, Err: ErrUnknownProduct, Now: now}
	}
	return offer.Product, err
}

// refusal says why a product that is not Offered refuses.
func (p Product) refusal() error {
	if p.State == Preparing {
		return &ProductError{Key: p.Key, Err: ErrPreparing}
	}
	return &ProductError{Key: p.Key, Err: ErrRemoved}
}

// Restock takes 1 or more units out of ordinary stock for an Offered product. Repeating an ID with the same product
// and number is a Replay, which changes nothing; an ID used with others, or for another change of stock, is
// ErrMismatch. Offer and Remove use IDs that begin with "gb+/" and "gb-/".
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct; for an ID that is used ErrMismatch; ErrPreparing,
// ErrRemoved; then those of ordinary stock, stock.ErrUnknownSKU, stock.ErrUnlimited, stock.ErrInsufficient, ErrOverflow.
func (g *Groups) Restock(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	product, err := g.readyChange(ctx, id, key, units)
	if err != nil {
		return stock.ChangeOutcome{}, err
	}
	if product.State != Offered {
		change, err := g.store.Units().Applied(ctx, stock.KindTransfer, id)
		if err == nil && change.ID == "" {
			err = product.refusal()
		}
		if err != nil {
			return stock.ChangeOutcome{}, err
		}
	}
	outcome, err := g.units.Transfer(ctx, id, stock.TransferLeg{SKU: key.SKU, To: key.Activity, Num: units})
	if err != nil {
		return stock.ChangeOutcome{}, err
	}
	if _, err := g.reopen(ctx, key); err != nil { // it may have been settled just before
		return stock.ChangeOutcome{}, fault.Unread(err)
	}
	return outcome, nil
}

// Withdraw gives 1 or more available units of a product back to ordinary stock. It shares its IDs with
// Restock.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct, ErrMismatch; stock.ErrUnknownSKU, for a product
// that never got so far as to have a pool; stock.ErrUnlimited, stock.ErrInsufficient. Dead seats are released first.
func (g *Groups) Withdraw(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if _, err := g.readyChange(ctx, id, key, units); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return g.units.Transfer(ctx, id, stock.TransferLeg{SKU: key.SKU, From: key.Activity, Num: units})
}

// readyChange refuses a change of units before any I/O, and then one of a product that does not exist.
func (g *Groups) readyChange(ctx context.Context, id string, key stock.Key, units int64) (Product, error) {
	if err := errors.Join(g.ready(ctx), input.ID("ID", id), checkKey(key), input.Positive("units", units)); err != nil {
		return Product{}, err
	}
	return g.product(ctx, key)
}

// products lists the products of an activity, or an error.
func (g *Groups) products(ctx context.Context, err error, activity int64) iter.Seq2[Product, error] {
	return listing.Pages(err,
		func(after int64, limit int) ([]Product, error) { return g.store.Products(ctx, activity, after, limit) },
		func(p Product) int64 { return p.SKU })
}
