package allot

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Offer puts a product into an activity, with units that it first takes out of ordinary stock: all of them, or the
// product is not offered. It reports whether this call offered it. The product is ready to be kept, and has its units
// as Share.Allotted.
func (b Books[A, P]) Offer(ctx context.Context, asked P) (is P, offered bool, err error) {
	share, awaited := b.Kind.Share(asked), false
	for range attempts {
		was, err := b.offerable(ctx, asked)
		if errors.Is(err, ErrEnded) && !awaited { // the same call, made in time, may be under way
			err, awaited = b.Store.AwaitChange(ctx, 0, share.Key), true
			if err == nil {
				continue
			}
		}
		if err != nil {
			return was, false, err
		}
		is := b.Kind.Share(was)
		switch {
		case is.State == Offered:
			was, err = b.onShelf(ctx, share.Key)
			return was, offered, err
		case is.State != Preparing:
			return was, offered, nil
		case is.Version == 0 || b.mismatch(was, asked) != nil:
			_, err = b.plain().Store.SaveProduct(ctx, b.with(was, asked), stock.Change{}) // and then look whether the activity still runs
		default:
			offered, err = b.allot(ctx, was)
		}
		if err != nil {
			return was, false, err
		}
	}
	return is, false, contention("offer", share.String())
}

// offerable returns the current product, if it may be offered like this or already is. It looks at the activity
// after the product: an activity that is not over yet will find the product when it ends.
func (b Books[A, P]) offerable(ctx context.Context, asked P) (P, error) {
	key := b.Kind.Share(asked).Key
	was, _, _, err := b.Store.Entry(ctx, key)
	if err != nil {
		return was, err
	}
	share, differs := b.Kind.Share(was), b.mismatch(was, asked)
	if share.Version != 0 && share.State != Preparing {
		return was, differs
	}
	if share.Version != 0 && differs != nil {
		num, taken, err := b.Allotment(ctx, key)
		if err == nil && taken {
			err = compareUnits(key, num, b.Kind.Share(asked).Allotted)
		}
		if err != nil {
			return was, err
		}
	}
	activity, now, err := b.Activity(ctx, key.Activity)
	if period := b.Kind.Period(activity); err == nil && period.Ended(now) {
		err = period.Refusal(ErrEnded, now)
	}
	if err != nil {
		return was, err
	}
	ordinary := stock.Key{SKU: key.SKU}
	item, err := b.Units.Item(ctx, ordinary)
	if err == nil && item.Unlimited {
		err = &stock.ItemError{Key: ordinary, Err: stock.ErrUnlimited}
	}
	return was, err
}

// mismatch returns ErrMismatch for a product that is offered in another way, or with other units, than it was.
func (b Books[A, P]) mismatch(was, asked P) error {
	if err := b.Kind.Mismatch(was, asked); err != nil {
		return err
	}
	recorded := b.Kind.Share(was)
	return compareUnits(recorded.Key, recorded.Allotted, b.Kind.Share(asked).Allotted)
}

// compareUnits returns ErrMismatch for a product that is offered with other units than it was.
func compareUnits(key stock.Key, recorded, asked int64) error {
	return fault.Mismatch(key.String(), fault.Equal("units", recorded, asked))
}

// with returns a product as it is asked for, with what the store keeps of it.
func (b Books[A, P]) with(was, asked P) P {
	share := b.Kind.Share(was)
	share.Allotted = b.Kind.Share(asked).Allotted
	return b.Kind.SetShare(b.Kind.KeepProduct(asked, was), share)
}

// allot takes the units of a product that is Preparing and then offers it. The transfer has one ID for each
// product, so that of two calls with different units one is refused, and so that settling a product makes sure
// that a transfer which is still under way comes to nothing. It reports whether this call offered the product.
func (b Books[A, P]) allot(ctx context.Context, product P) (offered bool, err error) {
	share := b.Kind.Share(product)
	if _, err := b.pool(ctx, share.Key); err != nil {
		return false, err
	}
	move := stock.TransferLeg{SKU: share.SKU, From: 0, To: share.Activity, Num: share.Allotted}
	if _, err := b.Units.Transfer(ctx, b.takeID(share.Key), move); err != nil {
		is, _, _, unread := b.Store.Entry(ctx, share.Key)
		if errors.Is(err, fault.ErrMismatch) && unread == nil && b.Kind.Share(is).Version != share.Version {
			return false, nil // it was removed, or offered with other units: look again
		}
		return false, err
	}
	share.State = Offered
	verdict, err := b.plain().Store.SaveProduct(ctx, b.Kind.SetShare(product, share), stock.Change{})
	return verdict == stock.Done, fault.Unread(err)
}

// Allotment returns how many units the transfer of Offer has taken, and whether that ID is used.
func (b Books[A, P]) Allotment(ctx context.Context, key stock.Key) (int64, bool, error) {
	change, err := b.Kept.Applied(ctx, stock.KindTransfer, b.takeID(key))
	for _, e := range change.Entries {
		if e.Key == key {
			return e.Delta.Left, true, err
		}
	}
	return 0, change.ID != "", err
}

// takeID is the ID of the transfer that takes the units of a product out of ordinary stock, and returnID that of
// the n-th that gives some back. Both are shorter than input.MaxID.
func (b Books[A, P]) takeID(key stock.Key) string { return b.Prefix + "+/" + key.Serial(1) }
func (b Books[A, P]) returnID(key stock.Key, nth int64) string {
	return b.Prefix + "-/" + key.Serial(nth)
}

// onShelf brings the pool of a product to what the product is now. One that was offered while its activity was
// ended is removed.
func (b Books[A, P]) onShelf(ctx context.Context, key stock.Key) (P, error) {
	at, err := b.pool(ctx, key)
	if err != nil {
		return at.product, fault.Unread(err)
	}
	if b.Kind.Share(at.product).State == Offered && !b.Kind.Period(at.activity).EndedAt.IsZero() {
		product, _, err := b.plain().remove(ctx, key)
		return product, fault.Unread(err)
	}
	return at.product, nil
}

// poolEntry is a product with its activity and the item of its pool.
type poolEntry[A, P any] struct {
	product  P
	activity A
	item     stock.Item
}

// pool gives the item of a product the terms that follow from the product and its activity, and returns the three
// of that moment, or a later one. It comes back as often as it was overtaken, so that the last to write has
// seen the last state.
func (b Books[A, P]) pool(ctx context.Context, key stock.Key) (at poolEntry[A, P], err error) {
	at.product, at.activity, _, err = b.Store.Entry(ctx, key)
	for range attempts {
		if err != nil {
			return at, err
		}
		if at.item, err = b.definePool(ctx, key, b.Kind.Terms(at.activity, at.product), b.Kind.Share(at.product).State.Over()); err != nil {
			return at, err
		}
		was := [2]int64{b.Kind.Share(at.product).Version, b.Kind.Period(at.activity).Version}
		at.product, at.activity, _, err = b.Store.Entry(ctx, key)
		if err == nil && was == [2]int64{b.Kind.Share(at.product).Version, b.Kind.Period(at.activity).Version} {
			return at, nil
		}
	}
	return at, contention("define", key.String())
}

// definePool gives the item of a pool the terms that the activity says, and creates it without units. Terms that the shop has given
// it stay, as do units that it was defined with by hand. A pool stays limited, and where it is over it takes no backorders.
func (b Books[A, P]) definePool(ctx context.Context, key stock.Key, said stock.Terms, over bool) (item stock.Item, err error) {
	units := b.plain().Units
	change := func() (stock.Item, error) {
		return units.ChangeTerms(ctx, key, func(is stock.Item) (stock.Terms, error) {
			to := is.Terms
			to.SPU, to.OffShelf, to.Start, to.End, to.PerOrder, to.PerBuyer =
				said.SPU, said.OffShelf, said.Start, said.End, said.PerOrder, said.PerBuyer
			if over {
				to.Backorder = 0
			}
			return to, nil
		})
	}
	item, err = change()
	if errors.Is(err, stock.ErrUnknownSKU) {
		for _, err = range units.DefineAll(ctx, stock.Item{Key: key, Terms: said}) { // which leaves alone one that has come meanwhile
			if err != nil && !errors.Is(err, stock.ErrMismatch) {
				return item, err
			}
		}
		item, err = change()
	}
	if err == nil && item.Unlimited {
		item.Unlimited = false
		return units.Define(ctx, key, 0, item.Terms)
	}
	return item, err
}

// Revise gives an Offered product other terms, words and limits.
func (b Books[A, P]) Revise(ctx context.Context, asked P) (P, error) {
	key := b.Kind.Share(asked).Key
	for range attempts {
		was, share, err := b.product(ctx, key)
		switch {
		case err != nil:
			return was, err
		case b.Kind.Mismatch(was, asked) == nil:
			if share.State == Offered {
				return b.onShelf(ctx, key)
			}
			return was, nil
		case share.State != Offered:
			return was, share.refusal()
		}
		verdict, err := b.Store.SaveProduct(ctx, b.Kind.SetShare(b.Kind.KeepProduct(asked, was), share), b.record(KindRevise, key, share.Version))
		switch {
		case err != nil:
			return was, err
		case verdict == stock.Done:
			return b.onShelf(ctx, key)
		}
	}
	return asked, contention("revise", key.String())
}

// refusal says why a product that is not Offered refuses.
func (s Share) refusal() error {
	if s.State == Preparing {
		return &ProductError{Key: s.Key, Err: ErrPreparing}
	}
	return &ProductError{Key: s.Key, Err: ErrRemoved}
}

// Restock takes units out of ordinary stock for an Offered product.
func (b Books[A, P]) Restock(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	share, err := b.readyChange(ctx, id, key, units)
	if err != nil {
		return stock.ChangeOutcome{}, err
	}
	if share.State != Offered {
		change, err := b.Kept.Applied(ctx, stock.KindTransfer, id)
		if err == nil && change.ID == "" {
			err = share.refusal()
		}
		if err != nil {
			return stock.ChangeOutcome{}, err
		}
	}
	outcome, err := b.Units.Transfer(ctx, id, stock.TransferLeg{SKU: key.SKU, To: key.Activity, Num: units})
	if err != nil {
		return stock.ChangeOutcome{}, err
	}
	if _, err := b.reopen(ctx, key); err != nil { // it may have been settled just before
		return stock.ChangeOutcome{}, fault.Unread(err)
	}
	return outcome, nil
}

// Withdraw gives available units of a product back to ordinary stock.
func (b Books[A, P]) Withdraw(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if _, err := b.readyChange(ctx, id, key, units); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return b.Units.Transfer(ctx, id, stock.TransferLeg{SKU: key.SKU, From: key.Activity, Num: units})
}

// readyChange refuses a change of units before any I/O, and then one of a product that does not exist.
func (b Books[A, P]) readyChange(ctx context.Context, id string, key stock.Key, units int64) (Share, error) {
	if err := errors.Join(input.ID("ID", id), CheckKey(key), input.Positive("units", units)); err != nil {
		return Share{}, err
	}
	_, share, err := b.product(ctx, key)
	return share, err
}
