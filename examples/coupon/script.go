package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// habit is how a buyer goes about a claim.
type habit uint8

const (
	calm         habit = iota // claims once
	retries                   // loses the answer, and makes the same claim again
	doubleClicks              // makes the same claim twice at once
	wantsMore                 // claims once more, under another number
	twoPhones                 // claims with both at once, under two numbers
)

// odds are how many of a hundred buyers have which habit.
var odds = [...]int{calm: 60, retries: 12, doubleClicks: 8, wantsMore: 10, twoPhones: 10}

// buyer is what one buyer is going to do.
type buyer struct {
	number int64
	habit  habit
	again  int // how often one who retries does
}

// newBuyer writes the script of a buyer. It depends on the seed and the buyer's number alone.
func newBuyer(seed uint64, number int64) buyer {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	return buyer{number: number, again: 1 + random.IntN(3), habit: demo.Pick[habit](random, odds[:])}
}

// claims are the numbers of the claims that the buyer makes, and whether all at once. A claim that comes
// twice is the same one made again.
func (b buyer) claims() (numbers []string, atOnce bool) {
	claim := fmt.Sprintf("claim-%d", b.number)
	numbers = []string{claim}
	switch b.habit {
	case calm:
	case retries:
		for range b.again {
			numbers = append(numbers, claim)
		}
	case doubleClicks:
		numbers, atOnce = append(numbers, claim), true
	case wantsMore:
		numbers = append(numbers, claim+"-more")
	case twoPhones:
		numbers, atOnce = append(numbers, claim+"-phone-2"), true
	}
	return numbers, atOnce
}

// queue returns the numbers of the buyers in the order in which they come.
func queue(seed uint64, buyers int) []int64 {
	order := make([]int64, buyers)
	for i, n := range rand.New(rand.NewPCG(seed, 0)).Perm(buyers) {
		order[i] = int64(n + 1)
	}
	return order
}
