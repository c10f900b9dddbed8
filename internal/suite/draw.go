package suite

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// Repeatable returns a source of numbers that a seed repeats.
func Repeatable(seed int64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 42)) //nolint:gosec // a test that failed must be run again
}

// Pick draws one of some values from a model or another source of numbers.
func Pick[T any](from interface{ IntN(n int) int }, of ...T) T { return of[from.IntN(len(of))] }

// Chance is true n times in a hundred.
func (m *Model[S]) Chance(n int) bool { return m.IntN(100) < n }

// ID draws a new number with a prefix; some of them differ in a byte that a sloppy store does not see, and now and then
// one is that before it.
func (m *Model[S]) ID(prefix string) string {
	m.IDs++
	return prefix + strconv.Itoa(m.IDs/3) + Pick(m, "", " ", "\x00", "é", "É", "a", "A", "'", "\\")
}

// Remembered is how many orders, refunds and the like a model keeps in mind for later operations.
const Remembered = 24

// Remember appends to a short memory, in which the youngest is last.
func Remember[T any](memory []T, v T) []T {
	if len(memory) == Remembered {
		memory = memory[1:]
	}
	return append(memory, v)
}

// Lookalikes returns IDs that some collation, encoding or padding takes for each other, of so many bytes at most.
func Lookalikes(longest int) []string {
	long := strings.Repeat("x", longest-1)
	return []string{
		"order", "Order", "ORDER", "order ", " order", "order\t", "order\n", "order\x00", "order\x00\x00", "\x00order",
		"é", "e", "e\u0301", "É", "ß", "ss", "ſs", "ı", "i", "I", "ｏ", "o",
		"\xff", "\xfe", "\xff\xff", "%", "_", "'", "\"", "\\", "\\'", "`", "1", "01", "1.0", "0x31", " ", "\x00",
		long, long + "x", long + "y", long + "\x00", long + " ",
	}
}
