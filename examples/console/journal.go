package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// journalSize is how many entries a list of a journal keeps.
const journalSize = 50

// journal is what happened lately, as long as this process runs. Orders have a list of their own, since they are many. The zero journal
// is empty.
type journal struct {
	mu     sync.Mutex
	items  []entry // of items, sales, and what went wrong; the newest last
	orders []entry
}

// entry is one thing that happened.
type entry struct {
	stock.Key // SKU 0 is none

	ID    int64 // of an event; 0 for a failure
	At    time.Time
	What  string
	Order string
	Buyer string
	Num   int64
}

// handle keeps an event. It may come twice.
func (j *journal) handle(_ context.Context, e event.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := entry{stock.Key{SKU: e.SKU, Activity: e.Activity}, e.ID, e.At, e.Kind.String(), e.Order, e.Buyer, e.Num}
	if e.Order == "" {
		j.items = appended(j.items, kept)
	} else {
		j.orders = appended(j.orders, kept)
	}
	return nil
}

// failed keeps that something went wrong.
func (j *journal) failed(who string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.items = appended(j.items, entry{At: time.Now(), What: who + ": " + err.Error()})
}

// appended returns a list with an entry, unless its event is there already.
func appended(list []entry, e entry) []entry {
	if e.ID > 0 && slices.ContainsFunc(list, func(is entry) bool { return is.ID == e.ID }) {
		return list
	}
	list = append(list, e)
	if len(list) > journalSize {
		list = slices.Delete(list, 0, 1)
	}
	return list
}

// newest returns both lists, the newest first.
func (j *journal) newest() (items, orders []entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	items, orders = slices.Clone(j.items), slices.Clone(j.orders)
	slices.Reverse(items)
	slices.Reverse(orders)
	return items, orders
}
