package coupon

import (
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// memoryCompanions keep the coupons of claims.
type memoryCompanions struct {
	stock.NoCompanions

	m *Memory
}

// Keeps implements stock.MemoryCompanions.
func (memoryCompanions) Keeps(c stock.Companion) bool { return Keeps(c) }

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
