package suite

import (
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
)

// A Wire stands between a domain and its store as a network does: it may break before a call is sent, or lose the
// answer of a call that was done. Calls have the names of the store's methods; those of the units beside a domain's
// store begin with Units. Set both before the first call; nil lets everything through.
type Wire struct {
	Send  func(call string) error
	Reply func(call string) error

	prefix  string // of the names
	through bool   // also reasons pass, which a store need not tell
}

// Through returns a wire that lets everything through as it is.
func Through() Wire { return Wire{through: true} }

// InTurn returns what gives the stores in turn. It is safe for concurrent use.
func InTurn[S any](stores ...S) func() S {
	var calls atomic.Int64
	return func() S { return stores[int(calls.Add(1)-1)%len(stores)] }
}

// Units is in front of the names of the calls of the store of the units.
const Units = "Units."

// Changes reports whether a call changes something.
func Changes(call string) bool {
	switch strings.TrimPrefix(call, Units) {
	case "Items", "Defined", "List", "Hold", "Missing", "Holds", "Due", "RefundRecord", "Applied", "Changes",
		"Refunds", "Ahead", // of stock.Store
		"Terms", "Coupon", "ByCode", "Wallet", "UseOf", "Uses", "UsedBy", "Codes", "Batch", "Count", // of coupon.Store
		"Record", "Share", "Shares", "Payouts", "Payout", "Records", "Sent", "Mine", // of redpacket.Store
		"Activity", "Activities", "DueActivities", "Offer", "Products", "DueProducts", "Shelf", "Seat", "Team", "Seats", "Teams",
		"ActivitiesIn", "LateSeats", "LateTeams", "Unfinished", "Books", "FormedPeople",
		"Await",                            // of groupbuy.Store
		"Prices", "Best", "Look", "Buyers": // of sale.Store
		return false
	}
	return true
}

// Over returns a method of a store, as a function of the same type, whose calls go over a wire. What is lost with an answer
// is zero.
func Over[F any](w Wire, method F) F {
	f := reflect.ValueOf(method)
	call := runtime.FuncForPC(f.Pointer()).Name() // path/package.Store.Method-fm
	call = w.prefix + strings.TrimSuffix(call[strings.LastIndex(call, ".")+1:], "-fm")
	over := reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		results := make([]reflect.Value, f.Type().NumOut())
		for i := range results {
			results[i] = reflect.Zero(f.Type().Out(i))
		}
		failure := &results[len(results)-1]
		lost := func(hook func(string) error) bool {
			if hook == nil {
				return false
			}
			err := hook(call)
			*failure = reflect.ValueOf(&err).Elem()
			return err != nil
		}
		if lost(w.Send) {
			return results
		}
		send := f.Call
		if f.Type().IsVariadic() {
			send = f.CallSlice
		}
		if got := send(args); !got[len(got)-1].IsNil() || !lost(w.Reply) {
			return got
		}
		return results
	})
	return over.Interface().(F)
}
