package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// Memory is Books in this process. Its transactions come one after the other. An error takes
// back what one did to orders, but not to stock and coupons, which are books of their own. That does for
// most of them: every transaction of Shop changes the stock last, and goes on where it broke off when it
// is run again. The one that needs more tells with Undo what that is.
type Memory struct {
	clock   func() time.Time
	stock   stock.Store
	coupons coupon.Store

	mu       sync.Mutex
	orders   map[string]Order
	paybacks map[string]Payback
}

// NewMemory returns empty books over stores with the same clock.
func NewMemory(units stock.Store, coupons coupon.Store, clock func() time.Time) *Memory {
	return &Memory{clock: clock, stock: units, coupons: coupons, orders: map[string]Order{}, paybacks: map[string]Payback{}}
}

// Transact implements Books.
func (m *Memory) Transact(ctx context.Context, do func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx := &memoryTx{Memory: m, orders: maps.Clone(m.orders), paybacks: maps.Clone(m.paybacks)}
	if err := do(tx); err != nil {
		if tx.undo != nil {
			err = errors.Join(err, tx.undo(context.WithoutCancel(ctx)))
		}
		return err
	}
	m.orders, m.paybacks = tx.orders, tx.paybacks
	return nil
}

// Overdue implements Books.
func (m *Memory) Overdue(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var overdue []string
	for id, o := range m.orders {
		if o.Status == Placed && !m.clock().Before(o.PayBy) {
			overdue = append(overdue, id)
		}
	}
	slices.Sort(overdue)
	return overdue, nil
}

// Orders implements Books.
func (m *Memory) Orders(context.Context) ([]Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.orders), func(a, b Order) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// Paybacks implements Books.
func (m *Memory) Paybacks(context.Context) ([]Payback, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.paybacks), func(a, b Payback) int { return cmp.Compare(a.ID, b.ID) }), nil
}

// memoryTx is a copy of the orders, which takes their place at the end.
type memoryTx struct {
	*Memory
	orders   map[string]Order
	paybacks map[string]Payback
	undo     func(context.Context) error // nil where there is nothing to undo
}

// Stock implements Tx.
func (tx *memoryTx) Stock() stock.Store { return tx.stock }

// Coupons implements Tx.
func (tx *memoryTx) Coupons() coupon.Store { return tx.coupons }

// Undo implements Tx.
func (tx *memoryTx) Undo(do func(context.Context) error) { tx.undo = do }

// Insert implements Tx.
func (tx *memoryTx) Insert(_ context.Context, o Order, payWithin time.Duration) error {
	if _, ok := tx.orders[o.ID]; ok {
		return ErrExists
	}
	o.PayBy = tx.clock().Add(payWithin)
	tx.orders[o.ID] = o
	return nil
}

// Find implements Tx.
func (tx *memoryTx) Find(_ context.Context, id string) (Order, error) {
	o, ok := tx.orders[id]
	if !ok {
		return Order{}, ErrNoOrder
	}
	return o, nil
}

// Update implements Tx.
func (tx *memoryTx) Update(_ context.Context, o Order) error {
	o.PayBy = tx.orders[o.ID].PayBy // only Insert sets it
	tx.orders[o.ID] = o
	return nil
}

// PayBack implements Tx.
func (tx *memoryTx) PayBack(_ context.Context, p Payback) (Payback, error) {
	was, ok := tx.paybacks[p.ID]
	if !ok {
		tx.paybacks[p.ID] = p
	}
	return was, nil
}
