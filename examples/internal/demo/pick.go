package demo

import "math/rand/v2"

// Pick returns which of some things a script has: i as often as odds[i] of a hundred. The odds add up to a hundred.
func Pick[T ~uint8](random *rand.Rand, odds []int) (which T) {
	roll := random.IntN(100)
	for roll >= odds[which] {
		roll -= odds[which]
		which++
	}
	return which
}
