//go:build !along

package contender

// alongKinds is empty until the store takes the rows of a shop along.
func alongKinds() []Kind { return nil }
