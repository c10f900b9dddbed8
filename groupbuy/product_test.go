package groupbuy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// TestRemainderThatCannotGoBackIsUnknown removes a product whose ordinary stock has no total any more.
func TestRemainderThatCannotGoBackIsUnknown(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	ordinary := stock.Key{SKU: onMarket.SKU}
	_, err := m.units.Define(t.Context(), ordinary, 0, stock.Terms{Unlimited: true})
	require.NoError(t, err)
	for range 2 {
		_, err = m.Remove(t.Context(), onMarket)
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorIs(t, err, stock.ErrUnlimited)
		_, err = m.End(t.Context(), 7)
		require.ErrorIs(t, err, ErrUnknown)
		require.Equal(t, Removed, m.stands().State)
	}
	_, err = m.Expire(t.Context())
	require.ErrorIs(t, err, stock.ErrUnlimited)
	require.False(t, Retryable(err))
	_, err = m.units.Define(t.Context(), ordinary, 70, stock.Terms{})
	require.NoError(t, err)
	_, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, Settled, m.stands().State)
	m.left(100, 0, 0)
}

// faultStore is a store whose n-th change is met by something: before it, which it may keep from happening, or after it.
type faultStore struct {
	Store

	n      int // counts down
	before func() error
	after  func() error
}

func (s *faultStore) around(change func() error) error {
	s.n--
	if s.n == 0 && s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	hit := s.n == 0
	err := change()
	if err == nil && hit && s.after != nil {
		return s.after()
	}
	return err
}

func (s *faultStore) SaveActivity(ctx context.Context, activity Activity, ended bool, by stock.Change) (verdict stock.Verdict, err error) {
	err = s.around(func() error { verdict, err = s.Store.SaveActivity(ctx, activity, ended, by); return err })
	return verdict, err
}

func (s *faultStore) SaveProduct(ctx context.Context, product Product, by stock.Change) (verdict stock.Verdict, err error) {
	err = s.around(func() error { verdict, err = s.Store.SaveProduct(ctx, product, by); return err })
	return verdict, err
}

func (s *faultStore) Units() stock.Store {
	return &faultUnits{Store: s.Store.Units(), s: s}
}

type faultUnits struct {
	stock.Store

	s *faultStore
}

func (u *faultUnits) Create(
	ctx context.Context, items []stock.Item, defines []stock.Change, beside ...stock.Companion,
) (verdict stock.Verdict, err error) {
	err = u.s.around(func() error { verdict, err = u.Store.Create(ctx, items, defines, beside...); return err })
	return verdict, err
}

func (u *faultUnits) SetTerms(
	ctx context.Context, from stock.Item, to stock.Terms, total int64, define stock.Change, beside ...stock.Companion,
) (verdict stock.Verdict, err error) {
	err = u.s.around(func() error { verdict, err = u.Store.SetTerms(ctx, from, to, total, define, beside...); return err })
	return verdict, err
}

func (u *faultUnits) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (verdict stock.Verdict, err error) {
	err = u.s.around(func() error { verdict, err = u.Store.Apply(ctx, change, beside...); return err })
	return verdict, err
}

// operatorCalls are what an operator may do with the product of a market.
var operatorCalls = map[string]func(ctx context.Context, g *Groups) error{
	"Define": func(ctx context.Context, g *Groups) error {
		a := fair()
		a.Title, a.End = "another", a.End.Add(time.Hour)
		_, err := g.Define(ctx, a)
		return err
	},
	"Offer":      func(ctx context.Context, g *Groups) error { _, err := g.Offer(ctx, tea(3), 30); return err },
	"OfferMore":  func(ctx context.Context, g *Groups) error { _, err := g.Offer(ctx, tea(3), 40); return err },
	"OfferOther": func(ctx context.Context, g *Groups) error { _, err := g.Offer(ctx, tea(2), 30); return err },
	"Revise":     func(ctx context.Context, g *Groups) error { _, err := g.Revise(ctx, tea(2)); return err },
	"Restock":    func(ctx context.Context, g *Groups) error { _, err := g.Restock(ctx, "+", onMarket, 5); return err },
	"Withdraw":   func(ctx context.Context, g *Groups) error { _, err := g.Withdraw(ctx, "-", onMarket, 5); return err },
	"Remove":     func(ctx context.Context, g *Groups) error { _, err := g.Remove(ctx, onMarket); return err },
	"End":        func(ctx context.Context, g *Groups) error { _, err := g.End(ctx, 7); return err },
	"Expire":     func(ctx context.Context, g *Groups) error { _, err := g.Expire(ctx); return err },
}

// settles requires what holds of a market in which operators did what they liked, once they have gone and a sweep has
// passed: what is not offered has no units, and the pool of what is has the terms of the product, unless a call was
// cut off and not made again.
func (m *market) settles(name string, mended bool) {
	m.t.Helper()
	_, err := m.Expire(m.t.Context())
	require.NoError(m.t, err, name)
	items, _, err := m.store.Units().Items(m.t.Context(), "", []stock.Key{{SKU: onMarket.SKU}, onMarket})
	require.NoError(m.t, err)
	offer, _, err := m.store.Offer(m.t.Context(), onMarket)
	require.NoError(m.t, err)
	require.EqualValues(m.t, 100, items[0].Left+items[1].Left, name)
	switch offer.State {
	case Preparing: // what was taken for it waits for the next Offer, or for Remove
	case Offered:
		if mended {
			require.Equal(m.t, Kind{}.Terms(offer.Activity, offer.Product), items[1].Terms, name)
		}
		require.Zero(m.t, offer.Activity.EndedAt, name)
		num, taken, err := m.books().Allotment(m.t.Context(), onMarket)
		require.NoError(m.t, err)
		require.True(m.t, taken, name)
		require.Equal(m.t, offer.Allotted, num, name)
	case Settled:
		require.Zero(m.t, items[1].Left, name)
		require.True(m.t, items[1].OffShelf, name)
	case Removed:
		m.t.Errorf("%s: no team keeps the product from being settled", name)
	}
	if offer.State != Preparing {
		m.sound()
	}
}

// TestOperatorsAreCutOffAnywhere fails each change that a call makes, in a market in which the product is not offered,
// is offered, or is removed: before it happens, and after. The same call again mends it, or a sweep does.
func TestOperatorsAreCutOffAnywhere(t *testing.T) {
	t.Parallel()
	prepared := map[string][]string{
		"nothing": nil, "a product that is offered": {"Offer"}, "a product that is removed": {"Offer", "Remove"},
		"a product with stock": {"Offer", "Restock"}, "an activity that is ended": {"Offer", "End"},
	}
	for before, calls := range prepared {
		for name, call := range operatorCalls {
			for _, after := range []bool{false, true} {
				for _, again := range []string{name, "Remove", "End", "Expire"} {
					for n := 1; ; n++ {
						title := fmt.Sprintf("%s: %s is cut off at its change %d (made: %v), then %s", before, name, n, after, again)
						m := newMarket(t)
						for _, c := range calls {
							require.NoError(t, operatorCalls[c](t.Context(), m.Groups), title)
						}
						s := &faultStore{Store: m.store, n: n}
						if after {
							s.after = func() error { return ErrUnknown }
						} else {
							s.before = func() error { return ErrUnavailable }
						}
						err := call(t.Context(), m.On(s))
						if s.n > 0 {
							break // it makes no more changes
						}
						require.Error(t, err, title)
						require.True(t, Retryable(err), title)
						if err := operatorCalls[again](t.Context(), m.Groups); again == name {
							want := newMarket(t)
							for _, c := range calls {
								require.NoError(t, operatorCalls[c](t.Context(), want.Groups))
							}
							require.Equal(t, call(t.Context(), want.Groups), err, title)
							require.Equal(t, want.stands().State, m.stands().State, title)
						}
						m.settles(title, again == name)
					}
				}
			}
		}
	}
}

// TestOperatorsInterleave makes a whole call at each change of another.
func TestOperatorsInterleave(t *testing.T) {
	t.Parallel()
	for _, calls := range [][]string{nil, {"Offer"}} {
		for name, call := range operatorCalls {
			for other, meanwhile := range operatorCalls {
				for n := 1; ; n++ {
					title := fmt.Sprintf("after %v, %s at change %d of %s", calls, other, n, name)
					m := newMarket(t)
					for _, c := range calls {
						require.NoError(t, operatorCalls[c](t.Context(), m.Groups), title)
					}
					s := &faultStore{Store: m.store, n: n, before: func() error { _ = meanwhile(t.Context(), m.Groups); return nil }}
					_ = call(t.Context(), m.On(s))
					if s.n > 0 {
						break
					}
					m.settles(title, true)
				}
			}
		}
	}
}

// TestASleepingOfferMovesNothing lets a product be settled while an Offer of it sleeps before its transfer.
func TestASleepingOfferMovesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	asleep := &faultStore{Store: m.store, n: 3, before: func() error {
		_, err := m.Remove(t.Context(), onMarket)
		require.NoError(t, err)
		require.Equal(t, Settled, m.stands().State)
		return nil
	}}
	product, err := m.On(asleep).Offer(t.Context(), tea(3), 30) // the product, its pool, and then the transfer
	require.NoError(t, err)
	require.Equal(t, Settled, product.State)
	require.LessOrEqual(t, asleep.n, 0)
	m.left(100, 0, 0)
	m.sound()
}

// TestUnitsThatComeWhileAProductIsSettledGoBack refunds a seat just before the product is settled, and a moment after
// a sweep has seen that nothing is left.
func TestUnitsThatComeWhileAProductIsSettledGoBack(t *testing.T) {
	t.Parallel()
	m := offering(t, 2)
	m.buys("a", "b")
	m.pays("a", "b")
	interrupted := false
	refunding := &faultStore{Store: m.store, n: 6, before: func() error { // removed, shelved, returned, counted, forestalled
		interrupted = true
		require.Equal(t, Removed, m.stands().State)
		_, err := m.Refund(t.Context(), Refund{Order: "a", Actor: "ann", Reason: "broken", Restock: true})
		return err
	}}
	product, err := m.On(refunding).Remove(t.Context(), onMarket)
	require.NoError(t, err)
	require.True(t, interrupted)
	require.Equal(t, Settled, product.State)
	require.EqualValues(t, 2, product.Returns)
	m.left(99, 0, 0)
	m.sound()
}

// TestAProductThatSlippedThroughAnEndIsRemovedLater offers it while an End, which is then cut off, has seen that there
// is none: whoever offers it again, as every start of a program does, removes it.
func TestAProductThatSlippedThroughAnEndIsRemovedLater(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	cut := &faultStore{
		Store: m.store, n: 1,
		before: func() error { _, err := m.Offer(t.Context(), tea(3), 30); return err },
		after:  func() error { return ErrUnknown },
	}
	_, err := m.On(cut).End(t.Context(), 7)
	require.ErrorIs(t, err, ErrUnknown)
	require.Equal(t, Offered, m.stands().State)
	_, err = m.For("1").Open(t.Context(), Purchase{Order: "a", Product: onMarket, Volume: amount("1")})
	require.ErrorIs(t, err, ErrEnded)
	product, err := m.Offer(t.Context(), tea(3), 30)
	require.NoError(t, err)
	require.Equal(t, Removed, product.State)
	_, err = m.Expire(t.Context())
	require.NoError(t, err)
	require.Equal(t, Settled, m.stands().State)
	m.left(100, 0, 0)
	m.sound()
}

// TestUnitsThatWereTakenAreNotTakenAnew offers other units after a call that was cut off when it had taken some.
func TestUnitsThatWereTakenAreNotTakenAnew(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	cut := &faultStore{Store: m.store, n: 3, after: func() error { return ErrUnknown }}
	_, err := m.On(cut).Offer(t.Context(), tea(3), 30)
	require.ErrorIs(t, err, ErrUnknown)
	was := m.stands()
	require.Equal(t, Preparing, was.State)
	m.left(70, 30, 0)
	_, err = m.Offer(t.Context(), tea(3), 40)
	require.ErrorIs(t, err, ErrMismatch)
	require.Equal(t, was, m.stands())
	product, err := m.Offer(t.Context(), tea(2), 30)
	require.NoError(t, err, "other terms are fine until it is offered")
	require.EqualValues(t, 2, product.People)
	m.left(70, 30, 0)
	m.sound()
}
