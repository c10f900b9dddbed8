package sale

import (
	"context"
	"errors"
	"iter"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/money"
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
// What goes along with the call (sqlstore.Sale.Along) is done in the transaction that takes the units.
//
// Errors, in the order of precedence: ErrInvalid; ErrUnknownActivity; ErrInvalid also for a price with more places than the
// currency; ErrMismatch, for a product that is known; ErrWithdrawn, ErrEnded; then those of ordinary stock, stock.ErrUnknownSKU,
// stock.ErrUnlimited, stock.ErrInsufficient.
func (s *Sales) Offer(ctx context.Context, product Product, units int64) (Product, error) {
	if err := errors.Join(s.ready(ctx), product.check(), input.Positive("units", units)); err != nil {
		return Product{}, err
	}
	product, err := s.priced(ctx, product)
	if err != nil {
		return Product{}, err
	}
	product.Allotted = units
	is, offered, err := s.books().Offer(ctx, product)
	is.Replay = !offered
	return orNone(is, err)
}

// check refuses a product that is bad in every activity.
func (p Product) check() error {
	return errors.Join(allot.CheckKey(p.Key), input.NotNegative("SPU", p.SPU), allot.Text("name", p.Name), allot.Text("specification", p.Spec),
		allot.TextOf("label", p.Label, MaxLabel), money.Amount("price", p.Price), money.Amount("list price", p.ListPrice),
		input.NotNegative("units per order", p.PerOrder), input.NotNegative("units per buyer", p.PerBuyer))
}

// priced returns a product as every store keeps it: prices with the places of the activity's currency.
func (s *Sales) priced(ctx context.Context, p Product) (Product, error) {
	activity, _, err := s.books().Activity(ctx, p.Activity)
	if err != nil {
		return Product{}, err
	}
	p.Places, p.Replay = activity.Places, false
	price, err := money.Minor("price", p.Price, p.Places)
	list, bad := money.Minor("list price", p.ListPrice, p.Places)
	if err = errors.Join(err, bad); err == nil && list != 0 && list < price {
		err = fault.Invalid("list price", "must be at least the price %v, is %v", p.Price, p.ListPrice)
	}
	p.Price, p.ListPrice = money.Decimal(price, p.Places), money.Decimal(list, p.Places)
	return p, err
}

// mismatch returns ErrMismatch for a product that is offered in another way than it was.
func (p Product) mismatch(asked Product) error {
	return fault.Mismatch(p.Key.String(), fault.Equal("product", p.Key, asked.Key), fault.Equal("SPU", p.SPU, asked.SPU),
		fault.Equal("name", p.Name, asked.Name), fault.Equal("spec", p.Spec, asked.Spec), fault.Equal("label", p.Label, asked.Label),
		fault.Alike("price", p.Price, asked.Price), fault.Alike("list price", p.ListPrice, asked.ListPrice),
		fault.Equal("units per order", p.PerOrder, asked.PerOrder), fault.Equal("units per buyer", p.PerBuyer, asked.PerBuyer),
		fault.Equal("sort", p.Sort, asked.Sort))
}

// Revise gives an Offered product another price, other words and limits. Limits hold at once. A new price comes into force
// PriceNotice later, as Product.PriceFrom says; holds keep the price at which they were locked. The last of two concurrent
// changes wins; a change that changes nothing always succeeds. In the caller's transaction, commit within PriceNotice.
//
// What goes along with the call is done in the transaction that changes the product, before its pool follows.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownActivity, ErrInvalid as for Offer, ErrUnknownProduct, ErrPreparing,
// ErrRemoved.
func (s *Sales) Revise(ctx context.Context, product Product) (Product, error) {
	if err := errors.Join(s.ready(ctx), product.check()); err != nil {
		return Product{}, err
	}
	product, err := s.priced(ctx, product)
	if err != nil {
		return Product{}, err
	}
	return orNone(s.books().Revise(ctx, product))
}

// Restock takes 1 or more units out of ordinary stock for an Offered product. Repeating an ID with the same product
// and number is a Replay, which changes nothing; an ID used with others, or for another change of stock, is
// ErrMismatch. Offer and Remove use IDs that begin with "fs+/" and "fs-/".
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct; for an ID that is used ErrMismatch; ErrPreparing,
// ErrRemoved; then those of ordinary stock, stock.ErrUnknownSKU, stock.ErrUnlimited, stock.ErrInsufficient, ErrOverflow.
func (s *Sales) Restock(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if err := s.ready(ctx); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return s.books().Restock(ctx, id, key, units)
}

// Withdraw gives 1 or more available units of a product back to ordinary stock. It shares its IDs with
// Restock.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct, ErrMismatch; stock.ErrUnknownSKU, for a product
// that never got so far as to have a pool; stock.ErrInsufficient. Dead holds are released first.
func (s *Sales) Withdraw(ctx context.Context, id string, key stock.Key, units int64) (stock.ChangeOutcome, error) {
	if err := s.ready(ctx); err != nil {
		return stock.ChangeOutcome{}, err
	}
	return s.books().Withdraw(ctx, id, key, units)
}

// Remove takes a product out of its activity: nobody can buy it any more, and holds may still be paid. Its
// available units go back to ordinary stock at once, and units that become free later go back with the next Expire.
// Removing again returns the product as it is, as a Replay.
//
// What goes along with the call (sqlstore.Sale.Along) is done in the transaction that removes the product, before its remainder
// goes back.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownProduct. If the product is removed but its remainder
// could not go back, the error matches ErrUnknown, and also the cause if that is an error of stock. Repeating the
// call, or Expire, tries again.
func (s *Sales) Remove(ctx context.Context, key stock.Key) (Product, error) {
	if err := errors.Join(s.ready(ctx), allot.CheckKey(key)); err != nil {
		return Product{}, err
	}
	is, changed, err := s.books().Remove(ctx, key)
	is.Replay = !changed
	return orNone(is, err)
}

// Product returns a product as it is now, with its activity. Errors, in the order of precedence: ErrInvalid,
// ErrUnknownActivity, ErrUnknownProduct.
func (s *Sales) Product(ctx context.Context, key stock.Key) (Offer, error) {
	if err := errors.Join(s.ready(ctx), allot.CheckKey(key)); err != nil {
		return Offer{}, err
	}
	product, activity, _, err := s.books().Entry(ctx, key)
	if errors.Is(err, ErrUnknownProduct) {
		if _, _, none := s.books().Activity(ctx, key.Activity); none != nil {
			err = none
		}
	}
	return orNone(Offer{Product: product, Activity: activity}, err)
}

// Products lists the products of an activity by SKU. Errors, in the order of precedence: ErrInvalid,
// ErrUnknownActivity.
func (s *Sales) Products(ctx context.Context, activity int64) iter.Seq2[Product, error] {
	return allot.Listed(s.readyActivity(ctx, activity), s.books,
		func(b allot.Books[Activity, Product]) iter.Seq2[Product, error] { return b.Products(ctx, activity) })
}

// ChangesPage returns a page of the movements of the pool of a product, the newest first, as stock.Inventory.ChangesPage does: its
// definitions, Offer, Restock, Withdraw and what went back, and the refunds that stock.Inventory.By named somebody for. Changes of
// the product itself, KindRevise and KindRemove, are among them where By named somebody. A key without a SKU asks for the changes
// of the activity itself that By named somebody for: its definitions, KindApprove, KindEnd and KindWithdrawSale.
//
// Errors: ErrInvalid; stock.ErrUnknownSKU, or ErrUnknownActivity.
func (s *Sales) ChangesPage(ctx context.Context, key stock.Key, page stock.PageRequest) (stock.Page[stock.Change], error) {
	if err := errors.Join(s.ready(ctx), allot.CheckChanged(key)); err != nil {
		return stock.Page[stock.Change]{}, err
	}
	return s.books().ChangesPage(ctx, key, page)
}
