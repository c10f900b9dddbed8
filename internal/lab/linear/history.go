package linear

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/holdfast-go/holdfast/stock"
)

// history is the calls that were made in a world.
type history struct {
	*world
	calls []Call[*shop]
}

// play makes the calls of a world: those before and after one by one, those of its clients at once. Clients use the stores by
// turns.
func (w *world) play(ctx context.Context, stores []stock.Store) (*history, error) {
	shops := make([]*shop, len(stores))
	for i, store := range stores {
		shops[i] = newShop(store, w.opts)
	}
	if err := w.define(ctx, shops[0]); err != nil {
		return nil, err
	}
	h := &history{world: w}
	var mu sync.Mutex
	var clock atomic.Int64
	run := func(client int, s *shop, acts []act) {
		for _, a := range acts {
			c := Call[*shop]{Name: a.name, Client: client, Do: func(on *shop) string { return a.do(ctx, on) }}
			c.Began = clock.Add(1)
			c.Answer = a.do(ctx, s)
			c.Ended = clock.Add(1)
			mu.Lock()
			h.calls = append(h.calls, c)
			mu.Unlock()
		}
	}
	run(-1, shops[0], w.before)
	var clients sync.WaitGroup
	gate := make(chan struct{})
	for i, acts := range w.clients {
		clients.Go(func() {
			<-gate
			run(i, shops[i%len(shops)], acts)
		})
	}
	close(gate)
	clients.Wait()
	run(-1, shops[len(shops)-1], w.after)
	slices.SortFunc(h.calls, func(a, b Call[*shop]) int { return int(a.Began - b.Began) })
	return h, nil
}

// check returns what is wrong with the answers of a history, or nothing.
func (h *history) check(ctx context.Context) string {
	for _, c := range h.calls {
		if strings.HasPrefix(c.Answer, failed) {
			return "a call has no answer" + h.String()
		}
	}
	fresh, digest := func() *shop { return h.model(ctx) }, func(s *shop) string { return digest(ctx, s) }
	if Order(h.calls, fresh, digest) != nil {
		return ""
	}
	var text strings.Builder
	text.WriteString("no order of the calls gives these answers" + h.String())
	for i, told := range Excuses(h.calls, fresh, digest) {
		fmt.Fprintf(&text, "  all would be well if call %d were told: %s\n", h.calls[i].Began, told)
	}
	return text.String()
}

// String returns the history for a report: when each call began and ended, and what it was told.
func (h *history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nhistory %d, %+v\n", h.id, h.opts)
	for _, i := range h.items {
		fmt.Fprintf(&b, "  %v: %d units, %d a buyer, %d live holds, %d an order, off the shelf: %v\n",
			i.Key, i.Total, i.PerBuyer, i.LiveHolds, i.PerOrder, i.OffShelf)
	}
	for _, c := range h.calls {
		fmt.Fprintf(&b, "  %3d..%-3d client %2d: %s\n%24s%s\n", c.Began, c.Ended, c.Client, c.Name, "", c.Answer)
	}
	return b.String()
}
