package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Memory is Books in this process. Its transactions come one after the other. An error takes
// back what one did to orders, but not to stock; that does, because every transaction of Shop
// changes the stock last.
type Memory struct {
	clock func() time.Time
	stock stock.Store

	mu       sync.Mutex
	orders   map[string]Order
	paybacks map[string]Payback
}

// NewMemory returns empty books over a store with the same clock.
func NewMemory(store stock.Store, clock func() time.Time) *Memory {
	return &Memory{clock: clock, stock: store, orders: map[string]Order{}, paybacks: map[string]Payback{}}
}

// Transact implements Books.
func (m *Memory) Transact(_ context.Context, do func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx := &memoryTx{Memory: m, orders: maps.Clone(m.orders), paybacks: maps.Clone(m.paybacks)}
	if err := do(tx); err != nil {
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
}

// Stock implements Tx.
func (tx *memoryTx) Stock() stock.Store { return tx.stock }

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
	tx.orders[o.ID] = o
	return nil
}

// PayBack implements Tx.
func (tx *memoryTx) PayBack(_ context.Context, p Payback) error {
	if _, ok := tx.paybacks[p.ID]; !ok {
		tx.paybacks[p.ID] = p
	}
	return nil
}
