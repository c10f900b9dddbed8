package suite

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// WireStock returns a store of stock behind a wire.
func WireStock(store stock.Store, w Wire) stock.Store {
	return &wiredStock{store: InTurn(store), Wire: w}
}

// TurnsOfStock returns stores of stock on the same tables as one store, whose calls they get in turn.
func TurnsOfStock(stores ...stock.Store) stock.Store {
	return &wiredStock{store: InTurn(stores...), Wire: Through()}
}

// WireUnits returns the units of another domain behind its wire; a call asks for their store. The reason of a refusal that is
// the domain's own belongs to the answer; ownReason may be nil.
func WireUnits(units func() stock.Store, w Wire, ownReason func(error) bool) stock.Store {
	w.prefix = Units
	return &wiredStock{store: units, Wire: w, ownReason: ownReason}
}

// A wiredStock is a stock.Store behind a wire.
type wiredStock struct {
	Wire

	store     func() stock.Store // whose turn it is
	ownReason func(error) bool
}

// Lock keeps the reason why an item refused to itself, so that the domain looks for it over the wire.
func (w *wiredStock) Lock(ctx context.Context, order stock.Order, holdFor time.Duration) (stock.LockResult, error) {
	locking, err := Over(w.Wire, w.store().Lock)(ctx, order, holdFor)
	if !w.through && (w.ownReason == nil || !w.ownReason(locking.Why)) {
		locking.Why = nil
	}
	return locking, err
}

func (w *wiredStock) Create(
	ctx context.Context, items []stock.Item, defines []stock.Change, beside ...stock.Companion,
) (stock.Verdict, error) {
	return Over(w.Wire, w.store().Create)(ctx, items, defines, beside...)
}

func (w *wiredStock) SetTerms(
	ctx context.Context, from stock.Item, to stock.Terms, total int64, define stock.Change, beside ...stock.Companion,
) (stock.Verdict, error) {
	return Over(w.Wire, w.store().SetTerms)(ctx, from, to, total, define, beside...)
}

func (w *wiredStock) Items(ctx context.Context, buyer string, keys []stock.Key) ([]stock.ItemUsage, time.Time, error) {
	return Over(w.Wire, w.store().Items)(ctx, buyer, keys)
}

func (w *wiredStock) Defined(ctx context.Context, keys []stock.Key) ([]int64, error) {
	return Over(w.Wire, w.store().Defined)(ctx, keys)
}

func (w *wiredStock) List(ctx context.Context, spu int64, after stock.Key, limit int) ([]stock.Item, error) {
	return Over(w.Wire, w.store().List)(ctx, spu, after, limit)
}

func (w *wiredStock) Move(ctx context.Context, move stock.Movement) (stock.MoveResult, error) {
	return Over(w.Wire, w.store().Move)(ctx, move)
}

func (w *wiredStock) MoveAll(ctx context.Context, moves []stock.Movement) ([]string, error) {
	return Over(w.Wire, w.store().MoveAll)(ctx, moves)
}

func (w *wiredStock) HandOver(ctx context.Context) error {
	return Over(w.Wire, w.store().HandOver)(ctx)
}

func (w *wiredStock) Ahead(ctx context.Context, hold stock.Hold) (ahead, waiting int64, err error) {
	return Over(w.Wire, w.store().Ahead)(ctx, hold)
}

func (w *wiredStock) Void(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(w.Wire, w.store().Void)(ctx, order, beside...)
}

func (w *wiredStock) Fence(ctx context.Context, order string, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(w.Wire, w.store().Fence)(ctx, order, beside...)
}

func (w *wiredStock) SetDeadline(
	ctx context.Context, hold stock.Hold, deadline time.Time, beside ...stock.Companion,
) (stock.Verdict, error) {
	return Over(w.Wire, w.store().SetDeadline)(ctx, hold, deadline, beside...)
}

func (w *wiredStock) Hold(ctx context.Context, order string) (stock.Hold, time.Time, error) {
	return Over(w.Wire, w.store().Hold)(ctx, order)
}

func (w *wiredStock) Missing(ctx context.Context, orders []string) ([]string, error) {
	return Over(w.Wire, w.store().Missing)(ctx, orders)
}

func (w *wiredStock) Holds(ctx context.Context, filter stock.Filter, after stock.Cursor, limit int) ([]stock.Hold, error) {
	return Over(w.Wire, w.store().Holds)(ctx, filter, after, limit)
}

func (w *wiredStock) Due(ctx context.Context, keys []stock.Key, limit int) ([]string, error) {
	return Over(w.Wire, w.store().Due)(ctx, keys, limit)
}

func (w *wiredStock) Expire(ctx context.Context, orders []string) ([]string, error) {
	return Over(w.Wire, w.store().Expire)(ctx, orders)
}

func (w *wiredStock) Cover(ctx context.Context, keys []stock.Key, limit int) ([]stock.Effect, error) {
	return Over(w.Wire, w.store().Cover)(ctx, keys, limit)
}

func (w *wiredStock) Refund(
	ctx context.Context, refund stock.RefundRecord, hold stock.Hold, beside ...stock.Companion,
) (stock.RefundResult, error) {
	return Over(w.Wire, w.store().Refund)(ctx, refund, hold, beside...)
}

func (w *wiredStock) RefundRecord(ctx context.Context, id string) (stock.RefundRecord, error) {
	return Over(w.Wire, w.store().RefundRecord)(ctx, id)
}

func (w *wiredStock) Refunds(ctx context.Context, order, after string, limit int) ([]stock.RefundRecord, error) {
	return Over(w.Wire, w.store().Refunds)(ctx, order, after, limit)
}

func (w *wiredStock) Changes(ctx context.Context, key stock.Key, after stock.Change, limit int) ([]stock.Change, error) {
	return Over(w.Wire, w.store().Changes)(ctx, key, after, limit)
}

func (w *wiredStock) Amend(ctx context.Context, record stock.AmendRecord, beside ...stock.Companion) (stock.MoveResult, error) {
	return Over(w.Wire, w.store().Amend)(ctx, record, beside...)
}

func (w *wiredStock) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	return Over(w.Wire, w.store().Apply)(ctx, change, beside...)
}

func (w *wiredStock) Applied(ctx context.Context, kind stock.Kind, id string) (stock.Change, error) {
	return Over(w.Wire, w.store().Applied)(ctx, kind, id)
}

func (w *wiredStock) Archive(ctx context.Context, holds []stock.Hold, by stock.Change) ([]string, error) {
	return Over(w.Wire, w.store().Archive)(ctx, holds, by)
}

func (w *wiredStock) Books(ctx context.Context, keys []stock.Key) ([]stock.Book, error) {
	return Over(w.Wire, w.store().Books)(ctx, keys)
}

// Moved returns the verdict of a movement.
func Moved(result stock.MoveResult, err error) (stock.Verdict, error) { return result.Verdict, err }

// Refunded returns the verdict of a refund.
func Refunded(result stock.RefundResult, err error) (stock.Verdict, error) {
	return result.Verdict, err
}
