package ledger

import (
	"context"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/sqlstore/internal/batch"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// Why calls are not made, as tries are told.
var (
	errRefused   = errors.New("ledger: a guard has refused the call")
	errKnown     = errors.New("ledger: the number of a call is known")
	errAlone     = errors.New("ledger: the call has to be made alone")
	errManyLines = errors.New("ledger: the orders have too many lines for one transaction")
)

// tries makes the calls of a batch in as few transactions as they allow. A call that is refused by name is left out,
// and the others go again together. Where nothing names the bad call, each half of the calls has a transaction of its
// own, down to a call that is alone with its error: one bad call among n costs some 2·log2(n) transactions.
type tries struct {
	// try makes calls, by their numbers, in one transaction. It returns why it has left single calls out, or an error
	// of the transaction, which has made none then. Judged calls are judged one by one before any of them is made.
	try func(in []int, judged bool) (why []error, err error)

	tried func() // is told of each try

	// stuck returns which calls others keep from being made.
	stuck func(in []int) ([]*stuckError, error)

	// leave is told why a call is not made.
	leave func(i int, why error)

	broken error // of the store: nothing else can be done
}

// run makes calls, and reports whether their first try was the last.
func (t *tries) run(in []int, judged bool) (first bool) {
	for first = true; len(in) > 0; first = false {
		if t.broken != nil { // the rest was never sent
			t.leaveAll(in, fault.Unsent(t.broken))
			return false
		}
		t.tried()
		why, err := t.try(in, judged)
		refusal, _ := fault.As[*mysql.RefusalError](err)
		switch {
		case err == nil:
			for n, i := range in {
				if why[n] != nil {
					t.leave(i, why[n])
				}
			}
			return first
		case errors.Is(err, mysql.ErrStuck):
			in = t.withoutStuck(in, judged)
		case refusal.Names():
			in = t.withoutThese(in, refusal.Why, judged)
		case errors.Is(err, fault.ErrDrift) && !judged:
			judged = true
		case !divides(err):
			t.broken = err
			t.leaveAll(in, err)
			return false
		case len(in) == 1:
			t.leave(in[0], mysql.Reason(err))
			return false
		default:
			half := len(in) / 2
			t.run(in[:half], judged)
			in = in[half:]
		}
	}
	return first
}

// withoutThese makes the calls that are not refused, and returns the refused ones that have to go again: others may
// have been the reason, and these were not all made as they were then.
func (t *tries) withoutThese(in []int, why []error, judged bool) []int {
	var others, refused []int
	for n, i := range in {
		if why[n] == nil {
			others = append(others, i)
		} else {
			refused = append(refused, n)
		}
	}
	settled := t.run(others, judged)
	var again []int
	for _, n := range refused {
		if settled {
			t.leave(in[n], why[n])
		} else {
			again = append(again, in[n])
		}
	}
	return again
}

// withoutStuck returns the calls that are not stuck, which go again. Where nobody knows which are, it makes the first half.
func (t *tries) withoutStuck(in []int, judged bool) []int {
	stuck, err := t.stuck(in)
	if err != nil {
		t.broken = err
		return in
	}
	var others []int
	for n, i := range in {
		if stuck[n] == nil {
			others = append(others, i)
		} else {
			t.leave(i, stuck[n])
		}
	}
	switch {
	case len(others) < len(in):
		return others
	case len(in) == 1:
		t.leave(in[0], errAlone)
		return nil
	}
	half := len(in) / 2
	t.run(in[:half], judged)
	return in[half:]
}

// stuckAmong finds, for tries, the calls that others keep from being made, by the rows of each.
func stuckAmong[C any](ctx context.Context, s *Store, calls []C, rows func(C) callRows) func(in []int) ([]*stuckError, error) {
	return func(in []int) ([]*stuckError, error) {
		of := make([]callRows, len(in))
		for n, i := range in {
			of[n] = rows(calls[i])
		}
		return s.stuckOn(ctx, of)
	}
}

// leaveIn answers, for tries, the calls that are not made. Refused is the reply of one that a guard refuses, and known the answer of
// one whose number is known.
func leaveIn[A any](replies []batch.Reply[A], refused batch.Reply[A], known A) func(i int, why error) {
	return func(i int, why error) {
		switch {
		case errors.Is(why, errRefused):
			replies[i] = refused
		case errors.Is(why, errAlone):
			replies[i].Alone = batch.Unsettled
		case errors.Is(why, errKnown):
			replies[i].Answer = known
		default:
			replies[i].Err = why
		}
	}
}

// firstOfEach returns the calls that no call before shares a name with. The others go alone, after these.
func firstOfEach[C, A any](calls []C, replies []batch.Reply[A], names func(C) []string) (firsts []int) {
	seen := map[string]bool{}
	for i, c := range calls {
		of := names(c)
		if slices.ContainsFunc(of, func(name string) bool { return seen[name] }) {
			replies[i].Alone = batch.Known
			continue
		}
		for _, name := range of {
			seen[name] = true
		}
		firsts = append(firsts, i)
	}
	return firsts
}

// leaveAll leaves calls for one reason.
func (t *tries) leaveAll(in []int, why error) {
	for _, i := range in {
		t.leave(i, why)
	}
}

// divides reports whether an error may be that of a few of the calls of a transaction, or of their number.
func divides(err error) bool {
	return errors.Is(err, fault.ErrDrift) || errors.Is(err, fault.ErrOverflow) || errors.Is(err, errKnown) ||
		errors.Is(err, errManyLines) || mysql.IsRefusal(err) || mysql.TooLarge(err)
}

// numbers returns the numbers of n calls.
func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// pick returns the calls of some numbers.
func pick[C any](calls []C, in []int) []C {
	picked := make([]C, len(in))
	for n, i := range in {
		picked[n] = calls[i]
	}
	return picked
}

// namedOf returns an error with the reasons of some calls put at the places that these have among n calls.
func namedOf(err error, n int, at []int) error {
	refusal, ok := fault.As[*mysql.RefusalError](err)
	if !ok || !refusal.Names() {
		return err
	}
	why := make([]error, n)
	for i, reason := range refusal.Why {
		why[at[i]] = reason
	}
	return &mysql.RefusalError{Why: why}
}
