package coupon

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// BesideGoods returns what keeps requests beside goods in memory; see UseRequest:
//
//	inv := stock.New(goods.With(coupons.BesideGoods()), nil)
//
// A call has the clock of the goods. OnAlong of the goods must not call this store.
func (m *Memory) BesideGoods() stock.MemoryCompanions {
	m.prepare()
	return &memoryUses{m: &Memory{books: m.books}}
}

// memoryUses keep the uses of coupons by orders for goods.
type memoryUses struct {
	stock.NoCompanions

	m     *Memory
	units *stock.Memory // while it is locked
	leave func()
}

// Lock implements sync.Locker: nobody else changes the coupons while a call is in the store of the goods.
func (u *memoryUses) Lock() {
	units, _, leave, _ := u.m.begin(context.Background()) // which does not end
	u.units, u.leave = units, leave
}

// Unlock implements sync.Locker.
func (u *memoryUses) Unlock() { u.leave() }

// Keeps implements stock.MemoryCompanions.
func (*memoryUses) Keeps(c stock.Companion) bool { return KeepsUse(c) }

// Locked implements stock.MemoryCompanions.
func (u *memoryUses) Locked(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	return u.apply(at, calls)
}

// Moved implements stock.MemoryCompanions.
func (u *memoryUses) Moved(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	return u.apply(at, calls)
}

// Refunded implements stock.MemoryCompanions.
func (u *memoryUses) Refunded(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	return u.apply(at, calls)
}

// apply decides the requests of calls, one after the other.
func (u *memoryUses) apply(at time.Time, calls []*stock.CompanionCall) (func(), error) {
	coupons, uses := map[string]Coupon{}, map[useKey]Use{} // as they become
	var told []event.Event
	for _, call := range calls {
		call.Companions = slices.Clone(call.Companions)
		for i, c := range call.Companions {
			r, ok := c.(UseRequest)
			if !ok {
				continue
			}
			key := useKey{r.Coupon, r.Order}
			was, known := coupons[r.Coupon]
			if !known {
				var err error
				if was, err = u.m.read(context.Background(), u.units, u.m.coupons[r.Coupon], at); err != nil {
					return nil, err
				}
			}
			use, known := uses[key]
			if !known {
				use = u.m.uses[key]
			}
			is, use, err := r.Apply(was, use, at, call.Hold.Deadline)
			if err != nil {
				return nil, err
			}
			if is != was {
				coupons[r.Coupon] = is
			}
			if use.State == UseReturned && !use.Replay {
				told = append(told, Told(event.CouponReturned, is, use.Order))
			}
			r.Use = use
			call.Companions[i] = r
			use.Replay = false
			uses[key] = use
		}
	}
	return func() {
		maps.Copy(u.m.coupons, coupons)
		maps.Copy(u.m.uses, uses)
		for _, e := range told {
			u.m.tell(at, e)
		}
	}, nil
}
