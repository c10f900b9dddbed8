package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/groupbuy"
)

// habit is how a buyer goes about a seat.
type habit uint8

const (
	pays      habit = iota
	paysTwice       // the callback of the payment comes twice, at once
	repeats         // loses the answer, and asks for the same seat again
	cancels
	lapses  // never pays
	isLate  // pays when the seat has expired, and the evening has not
	tooLate // pays when the evening is over
	leaves  // pays, and wants the money back at once
	greedy  // wants a second seat in the same team
)

// odds are how many of a hundred buyers have which habit.
var odds = [...]int{pays: 48, paysTwice: 8, repeats: 8, cancels: 8, lapses: 8, isLate: 6, tooLate: 4, leaves: 5, greedy: 5}

// buyer is what one buyer is going to do.
type buyer struct {
	groupbuy.Purchase

	habit habit
	taste int // for teams: which of those that can be joined
}

// newBuyer writes the script of a buyer. It depends on the seed and the buyer's number alone.
func newBuyer(seed uint64, number int) buyer {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	b := buyer{habit: demo.Pick[habit](random, odds[:]), taste: random.IntN(looked)}
	b.Order, b.Buyer, b.Product, b.Volume = fmt.Sprintf("evening-%d", number), int64(number), in(evening, cups), decimal.New(1, 0)
	b.Guest = groupbuy.Guest{Name: fmt.Sprintf("buyer %d", number)}
	if random.IntN(100) < 40 { // between one bag and twelve
		b.Product, b.Volume = in(evening, rice), decimal.New(int64(1+random.IntN(12))*25, -groupbuy.VolumePlaces)
	}
	return b
}

// queue returns the numbers of the buyers in the order in which they come.
func queue(seed uint64, buyers int) []int {
	order := rand.New(rand.NewPCG(seed, 0)).Perm(buyers)
	for i := range order {
		order[i]++
	}
	return order
}
