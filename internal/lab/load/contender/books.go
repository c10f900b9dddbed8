package contender

import "fmt"

// Books are what a contender has left behind, read when nothing moves any more.
type Books struct {
	Holds                int64    // in whatever state: one an order
	Live, Paid           int64    // holds in these states; where nobody counts them, the units of the counters
	LiveUnits, PaidUnits int64    // units of these holds
	Locked, Sold         int64    // units, by the counters
	Total                int64    // units there were
	Rows, PaidRows       int64    // of the shop, one an order
	Shop                 bool     // the shop has rows
	NoHolds              bool     // counters without holds: the published UPDATE
	NoCounters           bool     // holds without counters: the limit
	Loose                bool     // rows and holds are not one transaction: a call that failed may have left one of them
	Drifts               []string // what the audit of this library has found
}

// Tally is what the callers were told.
type Tally struct {
	Locked    int64 `json:"locked"`    // Locks that succeeded
	Paid      int64 `json:"paid"`      // Pays that did
	Cancelled int64 `json:"cancelled"` // Cancels that did
	Expired   int64 `json:"expired"`   // holds that Expire released
	Refused   int64 `json:"refused"`   // Locks that were refused
	Failed    int64 `json:"failed"`    // calls with an error, whose outcome may be unknown
}

// Add adds another tally.
func (t *Tally) Add(other Tally) {
	t.Locked += other.Locked
	t.Paid += other.Paid
	t.Cancelled += other.Cancelled
	t.Expired += other.Expired
	t.Refused += other.Refused
	t.Failed += other.Failed
}

// Problems names what is wrong with the books, given what the callers were told. Calls that failed may have taken effect or not,
// and so explain as much.
func (b Books) Problems(told Tally) []string {
	var problems []string
	compare := func(what string, have, want int64) {
		switch diff := have - want; {
		case diff < -told.Failed:
			problems = append(problems, fmt.Sprintf("lost %d %s: %d there, %d reported", -diff, what, have, want))
		case diff > told.Failed:
			problems = append(problems, fmt.Sprintf("%d %s nobody was told of: %d there, %d reported", diff, what, have, want))
		}
	}
	if !b.NoHolds {
		compare("holds", b.Holds, told.Locked)
	}
	compare("live holds", b.Live, told.Locked-told.Paid-told.Cancelled-told.Expired)
	compare("paid holds", b.Paid, told.Paid)
	if b.Shop {
		compare("shop rows", b.Rows, told.Locked)
		explained := b.Loose && told.Failed > 0
		if differ := b.Rows != b.Holds || b.PaidRows != b.Paid; differ && !explained {
			problems = append(problems, fmt.Sprintf("%d shop rows for %d holds, %d paid for %d paid", b.Rows, b.Holds, b.PaidRows, b.Paid))
		}
	}
	if b.NoCounters {
		return problems
	}
	if b.LiveUnits != b.Locked || b.PaidUnits != b.Sold {
		problems = append(problems, fmt.Sprintf("the counters say %d locked and %d sold, the holds %d and %d",
			b.Locked, b.Sold, b.LiveUnits, b.PaidUnits))
	}
	if over := b.Locked + b.Sold - b.Total; over > 0 {
		problems = append(problems, fmt.Sprintf("sold %d too many", over))
	}
	return append(problems, b.Drifts...)
}
