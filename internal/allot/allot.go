// Package allot is the bookkeeping of activities: each product of one gets units that are taken out of ordinary stock
// beforehand, and what is left when it ends goes back, once. Flash sales and group buying are built on it. A domain has
// activities A and products P of its own, and tells by its Kind what the bookkeeping has to know of them.
package allot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/holdfast-go/holdfast/internal/enum"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/stock"
)

// MaxText is how many bytes a title or a name may have.
const MaxText = 512

// attempts bounds how often a call starts over because the state changed between a look and its change.
const attempts = 100

// State is the state of a product.
type State uint8

// The states of a product. The numbers are those of the tables.
const (
	Preparing State = 0 // its units are being taken out of ordinary stock
	Offered   State = 1 // it is for sale while its activity runs
	Removed   State = 2 // nobody can buy it any more, and units that are left go back
	Settled   State = 3 // nothing is held any more, and all units that were left went back
)

// String returns the state in lower case.
func (s State) String() string {
	return enum.Name("state", s, "preparing", "offered", "removed", "settled")
}

// Over reports whether nobody can buy a product any more.
func (s State) Over() bool { return s == Removed || s == Settled }

// Period is what the bookkeeping has to know of an activity.
type Period struct {
	ID         int64
	Start, End time.Time
	Closes     time.Time // when the remainder goes back: at End or later
	Over       error     // why it ended before its End, where that is not ErrEnded

	EndedAt   time.Time // when it was ended; zero before
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // 0 is an activity that does not exist
}

// Ended reports whether an activity is over at now.
func (p Period) Ended(now time.Time) bool { return !p.EndedAt.IsZero() || !now.Before(p.End) }

// Runs reports whether an activity has begun and is not over at now.
func (p Period) Runs(now time.Time) bool { return !p.Ended(now) && !now.Before(p.Start) }

// Refusal returns a reason with the activity. An activity that is over has its own reason where it has one.
func (p Period) Refusal(reason error, now time.Time) *ProductError {
	if p.Over != nil && errors.Is(reason, ErrEnded) {
		reason = p.Over
	}
	return &ProductError{Key: stock.Key{Activity: p.ID}, Err: reason, Start: p.Start, End: p.End, Now: now}
}

// Share is what the bookkeeping has to know of a product.
type Share struct {
	stock.Key

	State    State
	Allotted int64 // units that Offer took out of ordinary stock
	Returns  int64 // how often units that were left went back
	Returned int64 // how many of them there were

	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // 0 is a product that does not exist
}

// Kind says what the activities A and products P of a domain are. Its methods change copies.
type Kind[A comparable, P any] interface {
	Period(activity A) Period
	SetPeriod(activity A, to Period) A // EndedAt, CreatedAt, UpdatedAt and Version
	Share(product P) Share
	SetShare(product P, to Share) P // all but the key
	KeepActivity(asked, was A) A    // a change of an activity, with what it may not change
	KeepProduct(asked, was P) P     // a change of a product, likewise
	Mismatch(was, asked P) error    // in what a product that is known is offered in another way
	Terms(activity A, product P) stock.Terms
}

// Store keeps activities and products; each domain documents it in full. It is mechanical, as stock.Store is.
type Store[A comparable, P any] interface {
	SaveActivity(ctx context.Context, activity A, ended bool, by stock.Change) (stock.Verdict, error)
	Activity(ctx context.Context, id int64) (A, time.Time, error)
	Activities(ctx context.Context, after int64, limit int) ([]A, error)
	DueActivities(ctx context.Context, limit int) ([]A, error)

	SaveProduct(ctx context.Context, product P, by stock.Change) (stock.Verdict, error)
	Entry(ctx context.Context, key stock.Key) (P, A, time.Time, error)
	Products(ctx context.Context, activity, after int64, limit int) ([]P, error)
	DueProducts(ctx context.Context, after stock.Key, limit int) ([]P, error)

	Unfinished(ctx context.Context, key stock.Key) (bool, error)              // whether units may still come back to its pool
	AwaitChange(ctx context.Context, activity int64, product stock.Key) error // of one of the two
}

// Books do the bookkeeping of a domain in a store.
type Books[A comparable, P any] struct {
	Kind   Kind[A, P]
	Prefix string // of the IDs of transfers, without + and -

	Store Store[A, P]
	Units *stock.Inventory // of the pools and of ordinary stock
	Kept  stock.Store      // that of Units
	By    By               // who makes the changes

	// Plain are the same books whose calls carry nothing of the shop, for what is not the effect of a call itself.
	Plain func() Books[A, P]

	// Release releases the dead holds of a product; nil where its domain does so beforehand.
	Release func(ctx context.Context, key stock.Key) error
}

// plain returns the books whose calls carry nothing of the shop.
func (b Books[A, P]) plain() Books[A, P] {
	if b.Plain == nil {
		return b
	}
	return b.Plain()
}

// Text refuses words that are too long to keep.
func Text(field, s string) error { return TextOf(field, s, MaxText) }

// TextOf refuses words of more than so many bytes.
func TextOf(field, s string, most int) error {
	if n := len(s); n > most {
		return fault.Invalid(field, "must have at most %d bytes, has %d", most, n)
	}
	return nil
}

// CheckKey refuses a key that names no product of an activity.
func CheckKey(key stock.Key) error {
	if err := input.Positive("SKU", key.SKU); err != nil {
		return err
	}
	return input.Positive("activity", key.Activity)
}

// CheckChanged refuses a key that names neither a product nor, without a SKU, an activity.
func CheckChanged(key stock.Key) error {
	return errors.Join(input.NotNegative("SKU", key.SKU), input.Positive("activity", key.Activity))
}

// contention is the answer when the state kept changing under a call.
func contention(verb, id string) error { return &stock.ContentionError{Verb: verb, ID: id} }

// named returns an activity as messages name it.
func named(id int64) string { return fmt.Sprintf("activity %d", id) }

// Activity returns an activity that exists, and the clock.
func (b Books[A, P]) Activity(ctx context.Context, id int64) (A, time.Time, error) {
	activity, now, err := b.Store.Activity(ctx, id)
	if err == nil && b.Kind.Period(activity).Version == 0 {
		err = Period{ID: id}.Refusal(ErrUnknownActivity, now)
	}
	return activity, now, err
}

// Activities lists all activities by ID.
func (b Books[A, P]) Activities(ctx context.Context) iter.Seq2[A, error] {
	return listing.Pages(nil,
		func(after int64, limit int) ([]A, error) { return b.Store.Activities(ctx, after, limit) },
		func(a A) int64 { return b.Kind.Period(a).ID })
}

// Entry returns a product that exists with its activity, and the clock.
func (b Books[A, P]) Entry(ctx context.Context, key stock.Key) (P, A, time.Time, error) {
	product, activity, now, err := b.Store.Entry(ctx, key)
	if err == nil && b.Kind.Share(product).Version == 0 {
		err = &ProductError{Key: key, Err: ErrUnknownProduct, Now: now}
	}
	return product, activity, now, err
}

// product returns a product that exists.
func (b Books[A, P]) product(ctx context.Context, key stock.Key) (P, Share, error) {
	product, _, _, err := b.Entry(ctx, key)
	return product, b.Kind.Share(product), err
}

// all lists the products of an activity.
func (b Books[A, P]) all(ctx context.Context, activity int64) iter.Seq2[P, error] {
	return listing.Pages(nil,
		func(after int64, limit int) ([]P, error) { return b.Store.Products(ctx, activity, after, limit) },
		func(p P) int64 { return b.Kind.Share(p).SKU })
}

// Products lists the products of an activity by SKU. Where there are none it asks for the activity.
func (b Books[A, P]) Products(ctx context.Context, activity int64) iter.Seq2[P, error] {
	return OrNone(b.all(ctx, activity), func() error {
		_, _, err := b.Activity(ctx, activity)
		return err
	})
}

// Listed lists from books, or the error that is why there are none.
func Listed[A comparable, P, T any](err error, books func() Books[A, P], list func(Books[A, P]) iter.Seq2[T, error]) iter.Seq2[T, error] {
	if err != nil {
		return func(yield func(T, error) bool) { yield(*new(T), err) }
	}
	return list(books())
}

// OrNone lists the same, and where that is nothing asks why.
func OrNone[T any](listing iter.Seq2[T, error], why func() error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		empty := true
		for v, err := range listing {
			empty = false
			if !yield(v, err) {
				return
			}
		}
		if !empty {
			return
		}
		if err := why(); err != nil {
			yield(*new(T), err)
		}
	}
}
