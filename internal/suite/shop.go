package suite

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/stock"
)

// Row is the statement of a shop that a call carries.
type Row int

// The rows.
const (
	GoodRow  Row = iota
	TakenRow     // its key is taken in the shop's table
	ShortRow     // it affects fewer rows than it must
	BadRow       // it is no statement that a call may carry
)

// Shop is what a test of rows that go along needs beside a store.
type Shop[S any] struct {
	// With makes a call on a store that carries a row about something, and returns the error of the call.
	With func(row Row, about string, call func(store S) error) error

	// Refuses has the rows that cannot be, each with what the error has to be.
	Refuses map[Row]func(err error) bool

	// Rows returns what the good rows in the shop's table are about, and removes them.
	Rows func() []string
}

// CarryCase is a call that carries a row.
type CarryCase[S any] struct {
	Name   string
	Before func() // what has to be done first; nil is nothing
	Call   func(store S) error

	Refusal error // why the call is refused; nil where it takes effect
	Answer  error // the error of a call that takes effect
	Sweeps  bool  // it is a sweep, which runs no rows
	Each    bool  // it takes effect each time
	Helps   bool  // what it does before its effect stays
}

// runs reports whether a call runs its rows.
func (c CarryCase[S]) runs() bool { return c.Refusal == nil && !c.Sweeps }

// Carry makes calls, one after the other. The row of a call takes effect with it: once, not for a replay, and not for a refusal. A row
// that cannot be refuses the call, unless that is refused by itself, and leaves everything as it was.
func Carry[S any](s Checker, shop Shop[S], everything func() any, calls []CarryCase[S]) {
	t := s.checks()
	t.Helper()
	for _, c := range calls {
		if c.Before != nil {
			c.Before()
		}
		shop.carryBad(t, c, everything)
		rows := []string{}
		for _, about := range []string{c.Name, c.Name + " again"} {
			err := shop.With(GoodRow, about, c.Call)
			if want := cmp.Or(c.Refusal, c.Answer); !answers(err, want) {
				t.Fatalf("%s: got %v, want %v", about, err, want)
			}
			if c.runs() && (c.Each || len(rows) == 0) {
				rows = append(rows, about)
			}
		}
		if got := shop.Rows(); !slices.Equal(got, rows) {
			t.Fatalf("%s: the shop has rows about %q, want %q", c.Name, got, rows)
		}
	}
}

// carryBad makes a call with each row that cannot be.
func (s Shop[S]) carryBad(t *Checks, c CarryCase[S], everything func() any) {
	t.Helper()
	was := everything()
	for row, refuses := range s.Refuses {
		err := s.With(row, c.Name, c.Call)
		switch {
		case row == BadRow || c.runs():
			if !refuses(err) {
				t.Fatalf("%s: got %v with row %d", c.Name, err, row)
			}
		case !answers(err, c.Refusal):
			t.Fatalf("%s: got %v with row %d, want %v", c.Name, err, row, c.Refusal)
		}
		if rows := s.Rows(); len(rows) > 0 {
			t.Fatalf("%s: the shop has rows about %q, although row %d cannot be", c.Name, rows, row)
		}
	}
	if !c.Helps && !c.Sweeps {
		Same(t, c.Name, everything(), was)
	}
}

// answers reports whether an error is as it is wanted: nil where that is nil.
func answers(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// MemoryShop returns the shop of a store in memory, and what the store calls. Along returns the store with a row.
func MemoryShop[S any](along func(text string, args ...any) S) (shop Shop[S], onAlong func(context.Context, []stock.MemoryRow) error) {
	var kept []string
	taken := errors.New("the shop's key is taken") //nolint:err113 // of this shop alone
	const takenText = "taken"
	shop = Shop[S]{
		With: func(row Row, about string, call func(S) error) error {
			text := "note"
			if row == TakenRow {
				text = takenText
			}
			return call(along(text, about))
		},
		Refuses: map[Row]func(error) bool{TakenRow: func(err error) bool { return errors.Is(err, taken) }},
		Rows:    func() []string { was := kept; kept = nil; return was },
	}
	return shop, func(_ context.Context, rows []stock.MemoryRow) error {
		if rows[0].Text == takenText {
			return taken
		}
		kept = append(kept, rows[0].Args[0].(string))
		return nil
	}
}
