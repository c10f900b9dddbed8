package coupon

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Memory is a Store in memory: for tests, examples and single programs that may lose their data.
// The zero value is empty and ready; it must not be copied after first use. It is safe for
// concurrent use and gives the same results as the SQL store.
type Memory struct {
	// Clock is the store's clock; nil is time.Now. Set it before the first call.
	Clock func() time.Time

	once    sync.Once
	units   stock.Memory // the rest is only touched while it stands still; see stock.Memory.Enter
	terms   map[campaignNo]Terms
	coupons map[string]Coupon
	uses    map[usage]Use
	codes   map[int64][]string    // of each campaign, by position less one
	owners  map[string]campaignNo // of each code, its position
	holders map[campaignNo]string // the coupon that has a position
	batches map[string]Batch
	granted map[string][]Grant
}

// campaignNo is the number of terms, or of a code, within a campaign.
type campaignNo struct{ campaign, no int64 }

// usage is an order's use of a coupon.
type usage struct{ coupon, order string }

// begin locks the store and reads the clock.
func (m *Memory) begin(ctx context.Context) (units *stock.Memory, now time.Time, end func(), err error) {
	m.prepare()
	return m.units.Enter(ctx)
}

// prepare makes the zero value usable.
func (m *Memory) prepare() {
	m.once.Do(func() {
		m.units.Clock = m.Clock
		m.terms, m.coupons, m.uses = map[campaignNo]Terms{}, map[string]Coupon{}, map[usage]Use{}
		m.codes, m.owners, m.holders = map[int64][]string{}, map[string]campaignNo{}, map[campaignNo]string{}
		m.batches, m.granted = map[string]Batch{}, map[string][]Grant{}
	})
}

// Units implements Store.
func (m *Memory) Units() stock.Store {
	m.prepare()
	return m.units.With(memoryCompanions{m: m})
}

// AddTerms implements Store.
func (m *Memory) AddTerms(ctx context.Context, campaign, no int64, terms Terms) (stock.Verdict, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	key := campaignNo{campaign, no}
	if _, ok := m.terms[key]; ok {
		return stock.Exists, nil
	}
	m.terms[key] = terms.normal()
	return stock.Done, nil
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
	coupon, err := m.read(ctx, units, m.coupons[id])
	return coupon, now, err
}

// ByCode implements Store.
func (m *Memory) ByCode(ctx context.Context, code string) (Coupon, time.Time, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return Coupon{}, time.Time{}, err
	}
	defer end()
	coupon, err := m.read(ctx, units, m.coupons[m.holders[m.owners[code]]])
	return coupon, now, err
}

// read returns a coupon as callers see it: the state of a Pending coupon depends on its hold.
func (m *Memory) read(ctx context.Context, units *stock.Memory, coupon Coupon) (Coupon, error) {
	if coupon.State != Pending {
		return coupon, nil
	}
	hold, now, err := units.Hold(ctx, coupon.ID)
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
