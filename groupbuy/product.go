package groupbuy

import (
	"context"
	"errors"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Offer puts a product into an activity, with units that it first takes out of ordinary stock. If it cannot take all
// of them, the product is not offered. Create the item of ordinary stock with stock.Inventory.Define; Offer itself
// creates the item of the pool. Its SPU, OffShelf, Start, End, PerOrder and PerBuyer follow from the activity and the product; what else
// stock.Inventory.ChangeTerms gives it stays, but for its Backorder when the product is removed.
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
	is, offered, err := g.books().Offer(ctx, product)
	is.Replay = !offered
	return orZero(is, err)
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
	return orZero(g.books().Revise(ctx, product.normal()))
}

// Restock takes 1 or more units out of ordinary stock for an Offered product. Repeating an ID with the same product
// and number is a Replay, which changes nothing; an ID used with others, or for another change of stock, is
// ErrMismatch. Offer and Remove use IDs that begin with "gb+/" and "gb-/".
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct; for an ID that is used ErrMismatch; ErrPreparing,
// ErrRemoved; then those of ordinary stock, stock.ErrUnknownSKU, stock.ErrUnlimited, stock.ErrInsufficient, ErrOverflow.
func (g *Groups) Restock(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if err := g.ready(ctx); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return g.books().Restock(ctx, id, key, units)
}

// Withdraw gives 1 or more available units of a product back to ordinary stock. It shares its IDs with
// Restock.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct, ErrMismatch; stock.ErrUnknownSKU, for a product
// that never got so far as to have a pool; stock.ErrUnlimited, stock.ErrInsufficient. Dead seats are released first.
func (g *Groups) Withdraw(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if err := g.ready(ctx); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return g.books().Withdraw(ctx, id, key, units)
}

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
	if err := errors.Join(g.ready(ctx), allot.CheckKey(key)); err != nil {
		return Product{}, err
	}
	is, changed, err := g.books().Remove(ctx, key)
	is.Replay = !changed
	return orZero(is, err)
}
