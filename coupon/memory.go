package coupon

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// Memory is a Store in memory: for tests, examples and single programs that may lose their data.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	// Events is where the store writes the events that Tell names; nil is nowhere. Deliver them with event.New. Set both before the
	// first call.
	Events *event.Memory
	Tell   []event.Kind

	// OnAlong is called for a call that carries what Along was given, as stock.Memory.OnAlong is. Set it before the first call;
	// without it, Along is refused with ErrInvalid.
	OnAlong func(ctx context.Context, rows []stock.MemoryRow) error

	once   sync.Once
	*books                   // that it shares with its views
	rows   []stock.MemoryRow // that the calls on this view carry
}

// books are what a Memory keeps.
type books struct {
	units   stock.Memory // the rest is only touched while it stands still; see stock.Memory.Enter
	terms   map[campaignNo]Terms
	coupons map[string]Coupon
	uses    map[useKey]Use
	codes   map[int64][]string    // of each campaign, by position less one
	owners  map[string]campaignNo // of each code, its position
	holders map[campaignNo]string // the coupon that has a position
	batches map[string]Batch
	granted map[string][]Grant

	events *event.Memory
	tells  event.Kinds
	told   map[string]event.Kind // the last event of the validity of a coupon
}

// campaignNo is the number of terms, or of a code, within a campaign.
type campaignNo struct{ campaign, no int64 }

// useKey names an order's use of a coupon.
type useKey struct{ coupon, order string }

// Along returns a view of the store whose next call carries a statement of the shop, as that of sqlstore.Coupon does. The store
// executes nothing: it hands text and arguments to OnAlong where the call takes effect.
func (m *Memory) Along(text string, args ...any) *Memory {
	m.prepare()
	return &Memory{OnAlong: m.OnAlong, books: m.books, rows: append(slices.Clip(m.rows), stock.MemoryRow{Text: text, Args: args})}
}

// alongside calls OnAlong where a call carries anything. The call is allowed, and has changed nothing.
func (m *Memory) alongside(ctx context.Context) error {
	if len(m.rows) == 0 {
		return nil
	}
	return m.OnAlong(ctx, m.rows)
}

// begin locks the store and reads the clock.
func (m *Memory) begin(ctx context.Context) (units *stock.Memory, now time.Time, end func(), err error) {
	m.prepare()
	if len(m.rows) > 0 && m.OnAlong == nil {
		return nil, time.Time{}, nil, fault.Invalid("along", "needs Memory.OnAlong")
	}
	return m.units.Enter(ctx)
}

// during does something in the store, which nobody else changes meanwhile.
func during[T any](ctx context.Context, m *Memory, do func(units *stock.Memory, now time.Time) (T, error)) (result T, err error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return result, err
	}
	defer end()
	return do(units, now)
}

// prepare makes the zero value usable.
func (m *Memory) prepare() {
	m.once.Do(func() {
		if m.books != nil { // it is a view
			return
		}
		m.books = &books{
			terms: map[campaignNo]Terms{}, coupons: map[string]Coupon{}, uses: map[useKey]Use{},
			codes: map[int64][]string{}, owners: map[string]campaignNo{}, holders: map[campaignNo]string{},
			batches: map[string]Batch{}, granted: map[string][]Grant{},
			events: m.Events, tells: event.KindsOf(m.Tell...), told: map[string]event.Kind{},
		}
		m.units.Clock, m.units.OnAlong = m.Clock, m.OnAlong
	})
}

// Units implements Store.
func (m *Memory) Units() stock.Store {
	m.prepare()
	units := m.units.With(memoryCompanions{m: m})
	for _, row := range m.rows {
		units = units.Along(row.Text, row.Args...)
	}
	return units
}

// memoryCompanions keep the coupons of claims.
type memoryCompanions struct {
	stock.NoCompanions

	m *Memory
}

// Keeps implements stock.MemoryCompanions.
func (memoryCompanions) Keeps(c stock.Companion) bool { return Keeps(c) }

// NeedsHolds implements stock.MemoryCompanions.
func (memoryCompanions) NeedsHolds() bool { return true }

// Locked implements stock.MemoryCompanions: it records the coupon of a claim.
func (c memoryCompanions) Locked(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0]
	_, claims := stock.CompanionOf[Claim](call.Companions)
	item := call.Items[0]
	terms, known := c.m.terms[campaignNo{item.SKU, item.SPU}]
	if !claims || !known || call.Step == stock.StepTake && c.m.handedOut(terms, item.SKU, item.Sold) {
		return nil, ErrDrift
	}
	coupon := Coupon{
		ID: call.Hold.Order, Campaign: item.SKU, Buyer: call.Hold.Buyer, Terms: terms, TermsNo: item.SPU,
		State: Pending, Deadline: call.Hold.Deadline, UpdatedAt: at,
	}
	return func() {
		if call.Step == stock.StepTake {
			coupon = c.m.give(coupon, item.Sold, at)
		}
		c.m.coupons[coupon.ID] = coupon
		call.Companions = []stock.Companion{coupon}
	}, nil
}

// Moved implements stock.MemoryCompanions: a claim that is paid has its coupon.
func (c memoryCompanions) Moved(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0] // of several, which expire, none is paid
	coupon, known := c.m.coupons[call.Hold.Order]
	if call.Hold.State != stock.Paid || !known || coupon.State != Pending {
		return func() {}, nil
	}
	sold := call.Items[0].Sold
	if c.m.handedOut(coupon.Terms, coupon.Campaign, sold) {
		return nil, ErrDrift
	}
	return func() { c.m.coupons[coupon.ID] = c.m.give(coupon, sold, at) }, nil
}

// Refunding implements stock.MemoryCompanions: a coupon that is free is given back.
func (c memoryCompanions) Refunding(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	call := calls[0]
	coupon, known := c.m.coupons[call.Hold.Order]
	if known && !coupon.Free(at) {
		return nil, ErrNotFree
	}
	coupon.State, coupon.Order, coupon.Deadline, coupon.UpdatedAt = BackTo(call.Companions), "", time.Time{}, at
	return func() { c.m.coupons[call.Hold.Order] = coupon }, nil
}

// handedOut reports whether another coupon already has the code of the sold-th coupon: the item's Sold has drifted.
func (m *Memory) handedOut(terms Terms, campaign, sold int64) bool {
	return terms.Pool && m.holders[campaignNo{campaign, sold}] != ""
}

// give returns a coupon as Usable. It is the sold-th of its campaign.
func (m *Memory) give(coupon Coupon, sold int64, now time.Time) Coupon {
	coupon.State, coupon.Deadline, coupon.ClaimedAt, coupon.UpdatedAt = Usable, time.Time{}, now, now
	coupon.From, coupon.Until = coupon.Validity(now)
	if coupon.Pool {
		coupon.Position = sold
		if pool := m.codes[coupon.Campaign]; sold <= int64(len(pool)) {
			coupon.Code = pool[sold-1]
		}
		m.holders[campaignNo{coupon.Campaign, sold}] = coupon.ID
	}
	return coupon
}

// AddTerms implements Store.
func (m *Memory) AddTerms(ctx context.Context, campaign, no int64, terms Terms) (stock.Verdict, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) (stock.Verdict, error) {
		key := campaignNo{campaign, no}
		if _, ok := m.terms[key]; ok {
			return stock.Exists, nil
		}
		m.terms[key] = terms.normal()
		return stock.Done, nil
	})
}

// Terms implements Store.
func (m *Memory) Terms(ctx context.Context, campaign, no int64) (Terms, bool, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return Terms{}, false, err
	}
	defer end()
	terms, ok := m.terms[campaignNo{campaign, no}]
	return terms, ok, nil
}

// Coupon implements Store.
func (m *Memory) Coupon(ctx context.Context, id string) (Coupon, time.Time, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return Coupon{}, time.Time{}, err
	}
	defer end()
	coupon, err := m.read(ctx, units, m.coupons[id], now)
	return coupon, now, err
}

// ByCode implements Store.
func (m *Memory) ByCode(ctx context.Context, code string) (Coupon, time.Time, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return Coupon{}, time.Time{}, err
	}
	defer end()
	coupon, err := m.read(ctx, units, m.coupons[m.holders[m.owners[code]]], now)
	return coupon, now, err
}

// read returns a coupon as callers see it at now: the state of a Pending coupon depends on its hold.
func (m *Memory) read(ctx context.Context, units *stock.Memory, coupon Coupon, now time.Time) (Coupon, error) {
	if coupon.State != Pending {
		return coupon, nil
	}
	hold, _, err := units.Hold(ctx, coupon.ID)
	if err != nil {
		return Coupon{}, err
	}
	if coupon.Deadline = hold.Deadline; hold.State != stock.Locked || !now.Before(hold.Deadline) {
		coupon.State, coupon.Deadline = Dropped, time.Time{}
	}
	return coupon, nil
}

// Wallet implements Store.
func (m *Memory) Wallet(ctx context.Context, buyer string, statuses []Status, after Cursor, limit int) ([]Coupon, time.Time, error) {
	_, now, end, err := m.begin(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer end()
	compare := func(a, b Cursor) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) }
	place := func(c Coupon) Cursor { return Cursor{Until: c.Until, ID: c.ID} }
	var coupons []Coupon
	for _, c := range m.coupons {
		if c.Buyer == buyer && slices.Contains(statuses, c.Status(now)) && (after.ID == "" || compare(place(c), after) > 0) {
			coupons = append(coupons, c)
		}
	}
	slices.SortFunc(coupons, func(a, b Coupon) int { return compare(place(a), place(b)) })
	return coupons[:min(limit, len(coupons))], now, nil
}

// campaign returns the item of a campaign and its terms.
func (m *Memory) campaign(ctx context.Context, units *stock.Memory, campaign int64) (stock.Item, Terms, error) {
	standings, _, err := units.Items(ctx, "", []stock.Key{{SKU: campaign}})
	if err != nil {
		return stock.Item{}, Terms{}, err
	}
	return standings[0].Item, m.terms[campaignNo{campaign, standings[0].SPU}], nil
}

var _ Store = (*Memory)(nil)
