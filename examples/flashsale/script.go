package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// ending is what a buyer does with a unit.
type ending uint8

const (
	pays      ending = iota // once, in time
	paysTwice               // in time, and the callback is delivered twice
	paysLate                // after the hold's deadline
	cancels
	leaves  // and lets the hold expire
	returns // pays, and has it refunded
)

// odds are how many of a hundred buyers end how.
var odds = [...]int{pays: 55, paysTwice: 12, paysLate: 6, cancels: 12, leaves: 8, returns: 7}

// buyer is what one buyer is going to do. It depends on the seed and the buyer's number alone.
type buyer struct {
	order    string
	comeback []time.Duration // how long to wait before each further look, while it is sold out
	ending   ending
	decides  time.Duration // how long after the lock
	then     time.Duration // how long after the payment: the second callback, or the refund
}

// newBuyer writes the script of a buyer. Its times are parts of how long a hold lives.
func newBuyer(seed uint64, number int, hold time.Duration) buyer {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	part := func(from, to float64) time.Duration {
		return time.Duration((from + (to-from)*random.Float64()) * float64(hold))
	}
	b := buyer{order: fmt.Sprintf("order-%d", number)}
	for range random.IntN(4) {
		b.comeback = append(b.comeback, part(0.1, 0.8))
	}
	b.ending = demo.Pick[ending](random, odds[:])
	b.decides = part(0.05, 0.6)
	if b.ending == paysLate || b.ending == leaves {
		b.decides = part(1.1, 1.4)
	}
	if b.ending == paysTwice || b.ending == returns {
		b.then = part(0, 0.5)
	}
	return b
}
