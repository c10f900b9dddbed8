package stock

// Companion is what somebody keeps beside a hold, changed in the same transaction as the hold: the coupon of a
// claim, the share of a grab, the seat of a team. It is a value: it goes in with a call, see Inventory.With, and the
// result of the call has it as it was kept, see Hold.Beside and Outcome.Beside. A replay keeps nothing.
//
// Each store keeps the companions of its domain, and refuses others with ErrInvalid.
type Companion interface {
	// Companion returns what it is called in messages, such as "seat".
	Companion() string
}

// CompanionOf returns the first companion of a type, and whether there is one.
func CompanionOf[C Companion](beside []Companion) (c C, ok bool) {
	for _, b := range beside {
		if c, ok = b.(C); ok {
			return c, true
		}
	}
	return c, false
}
