package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// holdFor is how long a hold lives: longer than any history.
const holdFor = 24 * time.Hour

// shop is an inventory as a history uses it, in the database or as a model.
type shop struct {
	live  *stock.Inventory
	dying *stock.Inventory // whose holds are dead at once
}

// newShop returns a shop with the options of a world.
func newShop(store stock.Store, opts stock.Options) *shop {
	live, dying := opts, opts
	live.HoldFor, dying.HoldFor = holdFor, time.Microsecond
	return &shop{stock.New(store, &live), stock.New(store, &dying)}
}

// act is a call that a client makes.
type act struct {
	name string
	do   func(ctx context.Context, s *shop) string
}

// world is what a history happens in: a few items with few units, a few orders, and what its clients do. No other history
// names them.
type world struct {
	rng  *rand.Rand
	id   int
	opts stock.Options

	items   []stock.Item
	orders  []string
	before  []act
	clients [][]act
	after   []act
}

// newWorld draws the world of a seed.
func newWorld(seed int64, id int) *world {
	w := &world{rng: rand.New(rand.NewPCG(uint64(seed), uint64(id))), id: id}
	w.opts = stock.Options{
		LatePay: pick(w, stock.Reject, stock.Reacquire), RefundFreesBuyer: w.chance(50), RefundRedeemed: true,
	}
	for n := range 2 + w.rng.IntN(2) {
		item := stock.Item{Key: stock.Key{SKU: int64(10*id + n + 1)}}
		item.Total = 1 + w.rng.Int64N(5)
		if w.chance(35) {
			item.PerBuyer = 1 + w.rng.Int64N(3)
		}
		if w.chance(20) {
			item.LiveHolds = 1 + w.rng.Int64N(2)
		}
		if w.chance(10) {
			item.PerOrder = 1 + w.rng.Int64N(2)
		}
		item.OffShelf = w.chance(3)
		w.items = append(w.items, item)
	}
	for n := range 7 {
		w.orders = append(w.orders, fmt.Sprintf("%d-%d", id, n))
	}
	for n := range w.rng.IntN(4) {
		w.before = append(w.before, w.acquire(w.orders[n], false))
	}
	if w.chance(30) {
		w.before = append(w.before, w.acquire(fmt.Sprintf("%d-dead", id), true))
		w.orders = append(w.orders, fmt.Sprintf("%d-dead", id))
	}
	clients, each := 6, 2
	if w.chance(40) {
		clients, each = 4, 3
	}
	for range clients {
		var acts []act
		for range each {
			acts = append(acts, w.draw())
		}
		w.clients = append(w.clients, acts)
	}
	for _, order := range w.orders {
		w.after = append(w.after, hold(order))
	}
	for _, item := range w.items {
		w.after = append(w.after, counters(item.Key))
	}
	return w
}

func (w *world) chance(n int) bool { return w.rng.IntN(100) < n }

func pick[T any](w *world, of ...T) T { return of[w.rng.IntN(len(of))] }

// draw draws what a client does.
func (w *world) draw() act {
	order := pick(w, w.orders...)
	switch n := w.rng.IntN(100); {
	case n < 50:
		return w.acquire(order, false)
	case n < 62:
		return step("Pay", order)
	case n < 78:
		return step("Cancel", order)
	case n < 90:
		return w.refund(order)
	case n < 93:
		return restock(fmt.Sprintf("%d-%d", w.id, w.rng.IntN(2)), stock.Line{SKU: pick(w, w.items...).SKU, Num: 1})
	case n < 97:
		return hold(order)
	}
	return counters(pick(w, w.items...).Key)
}

// acquire draws a Lock or a Take of an order, mostly with the same lines each time.
func (w *world) acquire(order string, dies bool) act {
	rng := w.rng
	if w.chance(85) { // by the order alone
		rng = rand.New(rand.NewPCG(uint64(w.id), uint64(order[len(order)-1])))
	}
	buyer := []string{"", "a", "b", "b"}[rng.IntN(4)]
	var lines []stock.Line
	for _, n := range rng.Perm(len(w.items))[:1+rng.IntN(len(w.items))] {
		lines = append(lines, stock.Line{SKU: w.items[n].SKU, Num: 1 + rng.Int64N(2)})
	}
	verb := "Lock"
	if w.chance(20) && !dies {
		verb = "Take"
	}
	name := fmt.Sprintf("%s(%s, %v) for %q", verb, order, lines, buyer)
	return act{name, func(ctx context.Context, s *shop) string {
		inv := s.live
		if dies {
			inv = s.dying
		}
		if buyer != "" {
			inv = inv.For(fmt.Sprint(w.id, buyer))
		}
		call := inv.Lock
		if verb == "Take" {
			call = inv.Take
		}
		h, err := call(ctx, order, lines...)
		return answer(err, "%v, replay %v, %v", h.State, h.Replay, linesOf(h))
	}}
}

// linesOf returns the lines of a hold as a text.
func linesOf(h stock.Hold) string {
	var all []string
	for _, l := range h.Lines {
		all = append(all, fmt.Sprintf("%d of %d (%d, %d)", l.Num, l.SKU, l.Refunded, l.Restocked))
	}
	return strings.Join(all, ", ")
}

// step is Pay or Cancel.
func step(verb, order string) act {
	return act{fmt.Sprintf("%s(%s)", verb, order), func(ctx context.Context, s *shop) string {
		call := s.live.Pay
		if verb == "Cancel" {
			call = s.live.Cancel
		}
		o, err := call(ctx, order)
		return answer(err, "%v, replay %v, late %v, void %v", o.State, o.Replay, o.Late, o.Void)
	}}
}

// refund draws a refund of an order, of a part or of all of it.
func (w *world) refund(order string) act {
	refund := stock.Refund{ID: fmt.Sprintf("%s-%d", order, w.rng.IntN(2)), Order: order, Restock: w.chance(70)}
	if w.chance(50) {
		refund.Lines = []stock.Line{{SKU: pick(w, w.items...).SKU, Num: 1}}
	}
	return act{fmt.Sprintf("Refund(%+v)", refund), func(ctx context.Context, s *shop) string {
		o, err := s.live.Refund(ctx, refund)
		return answer(err, "%v, replay %v, %v", o.State, o.Replay, o.Refund.Lines)
	}}
}

// restock adds units.
func restock(id string, line stock.Line) act {
	return act{fmt.Sprintf("Restock(%s, %v)", id, line), func(ctx context.Context, s *shop) string {
		o, err := s.live.Restock(ctx, id, line)
		return answer(err, "replay %v", o.Replay)
	}}
}

// hold reads an order. A dead hold counts as expired, whether or not it was released.
func hold(order string) act {
	return act{fmt.Sprintf("Hold(%s)", order), func(ctx context.Context, s *shop) string {
		h, err := s.live.Hold(ctx, order)
		if h.State == stock.Locked && strings.HasSuffix(order, "dead") && h.Deadline.Sub(h.LockedAt) < holdFor {
			h.State = stock.Expired
		}
		return answer(err, "%v, %v", h.State, linesOf(h))
	}}
}

// counters reads an item, but for the units that dead holds may or may not have any more.
func counters(key stock.Key) act {
	return act{fmt.Sprintf("Item(%v)", key), func(ctx context.Context, s *shop) string {
		i, err := s.live.Item(ctx, key)
		return answer(err, "total %d, sold %d, left %d, refunded %d", i.Total, i.Sold, i.Left, i.Refunded)
	}}
}

// model returns a fresh model of the world, whose clock ticks with each look at it.
func (w *world) model(ctx context.Context) *shop {
	now := time.Unix(2_000_000_000, 0)
	store := &stock.Memory{Clock: func() time.Time { now = now.Add(time.Millisecond); return now }}
	s := newShop(store, w.opts)
	if err := w.define(ctx, s); err != nil {
		panic(err) // it cannot be
	}
	return s
}

// define creates the items.
func (w *world) define(ctx context.Context, s *shop) error {
	for _, item := range w.items {
		if _, err := s.live.Define(ctx, item.Key, item.Total, item.Terms); err != nil {
			return err
		}
	}
	return nil
}

// digest returns all that matters of a model.
func digest(ctx context.Context, s *shop) string {
	var all []string
	for item, err := range s.live.Items(ctx) {
		all = append(all, fmt.Sprint(item.Key, item.Quantities, err))
	}
	for h, err := range s.live.Holds(ctx, stock.Filter{}) {
		all = append(all, fmt.Sprint(h.Order, h.Buyer, h.State, h.Lines, err))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
