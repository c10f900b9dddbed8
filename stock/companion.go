package stock

// Companion is a record kept beside a hold and changed in the same transaction: the coupon of a claim, the share of a
// grab, the seat of a team. It is a value: Inventory.With passes it to a call, and Hold.Beside or Outcome.Beside of
// the result has it as it was kept. A replay keeps nothing.
//
// Each store keeps the companions of its domain, and refuses others with ErrInvalid.
type Companion interface {
	// Companion returns its name in messages, such as "seat".
	Companion() string
}

// StepCompanion is a Companion that belongs to certain steps of one order.
type StepCompanion interface {
	Companion

	// Belongs returns ErrInvalid unless the companion may go with a step of an order. An Inventory asks before any I/O. Step is
	// what was called, such as StepPay also for a payment that is late, and 0 for a call that is none of a hold's steps.
	Belongs(step Step, order string) error
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
