package linear

import (
	"fmt"
	"testing"
)

// counter is a model with one number.
type counter struct{ n int }

func (c *counter) add() string { c.n++; return fmt.Sprint(c.n) }
func (c *counter) get() string { return fmt.Sprint(c.n) }

// call is one on a counter.
func call(began, ended int64, answer string, do func(*counter) string) Call[*counter] {
	return Call[*counter]{Began: began, Ended: ended, Answer: answer, Do: do}
}

func TestOrderFindsWhetherAnswersAreTrue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		calls []Call[*counter]
		holds bool
	}{
		"one by one":                   {[]Call[*counter]{call(1, 2, "1", (*counter).add), call(3, 4, "1", (*counter).get)}, true},
		"a look older than an answer":  {[]Call[*counter]{call(1, 2, "1", (*counter).add), call(3, 4, "0", (*counter).get)}, false},
		"a look while it goes on":      {[]Call[*counter]{call(1, 4, "1", (*counter).add), call(2, 3, "0", (*counter).get)}, true},
		"two at once, in either order": {[]Call[*counter]{call(1, 4, "2", (*counter).add), call(2, 3, "1", (*counter).add)}, true},
		"two at once, both the first":  {[]Call[*counter]{call(1, 4, "1", (*counter).add), call(2, 3, "1", (*counter).add)}, false},
		"one that has never been": {[]Call[*counter]{
			call(1, 2, "1", (*counter).add), call(3, 4, "2", (*counter).get), call(3, 5, "2", (*counter).add), call(6, 7, "3", (*counter).get),
		}, false},
		"a look before and one after": {[]Call[*counter]{
			call(1, 8, "1", (*counter).add), call(2, 3, "0", (*counter).get), call(4, 5, "1", (*counter).get),
		}, true},
		"a look after and one before": {[]Call[*counter]{
			call(1, 8, "1", (*counter).add), call(2, 3, "1", (*counter).get), call(4, 5, "0", (*counter).get),
		}, false},
	} {
		order := Order(c.calls, func() *counter { return &counter{} }, (*counter).get)
		if (order != nil) != c.holds {
			t.Errorf("%s: got %v", name, order)
		}
	}
}
