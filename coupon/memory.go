package coupon

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Memory is a Store in the process: for tests, examples and single programs that may forget.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	mu      sync.Mutex
	now     time.Time    // the clock at the call that has mu
	units   stock.Memory // is only called under mu, and takes now for its clock
	terms   map[numbered]Terms
	coupons map[string]Coupon
	uses    map[usage]Use
	codes   map[int64][]string  // of each campaign, by position less one
	owners  map[string]numbered // of each code, its position
	holders map[numbered]string // the coupon that has a position
	batches map[string]Batch
	granted map[string][]Granted
}

// numbered is something that has a number in its campaign: terms, or a code.
type numbered struct{ campaign, no int64 }

// usage is an order's use of a coupon.
type usage struct{ coupon, order string }

// begin locks the store, makes the zero value usable and reads the clock.
func (m *Memory) begin(ctx context.Context) (now time.Time, end func(), err error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, nil, errors.Join(ErrUnavailable, err)
	}
	m.mu.Lock()
	if m.terms == nil {
		m.units.Clock = func() time.Time { return m.now }
		m.terms, m.coupons, m.uses = map[numbered]Terms{}, map[string]Coupon{}, map[usage]Use{}
		m.codes, m.owners, m.holders = map[int64][]string{}, map[string]numbered{}, map[numbered]string{}
		m.batches, m.granted = map[string]Batch{}, map[string][]Granted{}
	}
	clock := m.Clock
	if clock == nil {
		clock = time.Now
	}
	m.now = input.Instant(clock())
	return m.now, m.mu.Unlock, nil
}

// Units implements Store.
func (m *Memory) Units(to State) stock.Store { return memoryUnits{m: m, to: to} }

// AddTerms implements Store.
func (m *Memory) AddTerms(ctx context.Context, campaign, no int64, terms Terms) (stock.Verdict, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	key := numbered{campaign, no}
	if _, ok := m.terms[key]; ok {
		return stock.Exists, nil
	}
	m.terms[key] = terms.normal()
	return stock.Done, nil
}

// Terms implements Store.
func (m *Memory) Terms(ctx context.Context, campaign, no int64) (Terms, bool, error) {
	_, end, err := m.begin(ctx)
	if err != nil {
		return Terms{}, false, err
	}
	defer end()
	terms, ok := m.terms[numbered{campaign, no}]
	return terms, ok, nil
}

// Coupon implements Store.
func (m *Memory) Coupon(ctx context.Context, id string) (Coupon, time.Time, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Coupon{}, time.Time{}, err
	}
	defer end()
	coupon, err := m.read(ctx, m.coupons[id])
	return coupon, now, err
}

// ByCode implements Store.
func (m *Memory) ByCode(ctx context.Context, code string) (Coupon, time.Time, error) {
	now, end, err := m.begin(ctx)
	if err != nil {
		return Coupon{}, time.Time{}, err
	}
	defer end()
	coupon, err := m.read(ctx, m.coupons[m.holders[m.owners[code]]])
	return coupon, now, err
}

// read returns a coupon as it is to be read: what is Pending goes by its hold.
func (m *Memory) read(ctx context.Context, coupon Coupon) (Coupon, error) {
	if coupon.State != Pending {
		return coupon, nil
	}
	hold, now, err := m.units.Hold(ctx, coupon.ID)
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
	now, end, err := m.begin(ctx)
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
func (m *Memory) campaign(ctx context.Context, campaign int64) (stock.Item, Terms, error) {
	standings, _, err := m.units.Items(ctx, "", []stock.Key{{SKU: campaign}})
	if err != nil {
		return stock.Item{}, Terms{}, err
	}
	return standings[0].Item, m.terms[numbered{campaign, standings[0].SPU}], nil
}

var _ Store = (*Memory)(nil)
