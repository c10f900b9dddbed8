package stocktest

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func bulkCases() []testCase {
	return []testCase{
		{Name: "ItemsOfKeysComeInTheirOrder", Run: itemsOfKeys},
		{Name: "DefineAllCreatesWhatIsNewAndKeepsTheRest", Run: defineAll},
		{Name: "DefineAllGoesInParts", Run: defineAllParts},
		{Name: "DefineAllAtOnceCreatesEachOnce", Run: defineAllAtOnce},
		{Name: "DefineWithAnotherTotalIsAMismatch", Run: defineOtherTotal},
		{Name: "DefineAllOfAnItemThatHasChangedIsAMismatch", Run: defineAllVersion},
		{Name: "ChangeTermsKeepsTheOtherTerms", Run: changeTerms},
		{Name: "ChangeTermsAtOnceLosesNoChange", Run: changeTermsAtOnce},
		{Name: "ChangeTermsAfterAnotherChange", Run: changeTermsAfter},
		{Name: "RestockAllGoesOnWhereItHasStopped", Run: restockAll},
		{Name: "RestockAllAtOnceIsOnce", Run: restockAllAtOnce},
		{Name: "CancelAllOfAStoppedSale", Run: cancelAll},
		{Name: "CancelAllAgainstPay", Run: cancelAllAgainstPay},
		{Name: "CancelAllAfterPay", Run: cancelAllAfterPay},
		{Name: "AuditAllReportsPartByPart", Run: auditAll},
		{Name: "StoreMoveAllLeavesOutWhatDoesNotMove", Run: guardMoveAll},
	}
}

// one is what an iterator returned once.
type one[T any] struct {
	Is  T
	Err error
}

// each collects all that an iterator returns, with the errors between.
func each[T any](listing iter.Seq2[T, error]) (all []one[T]) {
	for is, err := range listing {
		all = append(all, one[T]{is, err})
	}
	return all
}

func itemsOfKeys(s *scene) {
	s.fill(10, sku(1), pool(1, 7), sku(3))
	s.lock("a", units(3, 2))
	got := each(s.inv.Items(s.Context(), sku(3), sku(9), sku(1), pool(1, 7), sku(1)))
	s.Count("items", len(got), 5)
	for i, key := range []stock.Key{sku(3), sku(9), sku(1), pool(1, 7), sku(1)} {
		suite.Same(s, "key", got[i].Is.Key, key)
		if key == sku(9) {
			s.itemRefuses(got[i].Err, key, stock.ErrUnknownSKU)
			continue
		}
		s.No(got[i].Err)
		suite.Same(s, "item", got[i].Is, s.item(key))
	}
	for item, err := range s.inv.Items(s.Context(), sku(1), sku(3)) {
		s.No(err)
		suite.Same(s, "key", item.Key, sku(1))
		break
	}
	many := make([]stock.Key, stock.MaxLines+1)
	for i := range many {
		many[i] = sku(int64(i%3 + 1))
	}
	s.Count("items of more keys than one query has", len(each(s.inv.Items(s.Context(), many...))), len(many))
	s.Invalid("a key", suite.Err(suite.Gather(s.inv.Items(s.Context(), sku(1), sku(0)))))
}

func defineAll(s *scene) {
	old := s.define(sku(2), 10, stock.Terms{SPU: 3})
	off := s.terms(sku(2), stock.Terms{SPU: 3, OffShelf: true})
	s.define(sku(4), 0, stock.Terms{Unlimited: true})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(2, 5))))
	fresh := newItem(1, 7)
	fresh.PerBuyer, fresh.Sold, fresh.Left = 2, 99, 99 // what is counted is not taken over
	again := old
	again.Version = 0
	for range 2 {
		got := each(s.inv.DefineAll(s.Context(), newItem(3, 8), again, fresh, newItem(4, 1)))
		s.Count("items", len(got), 4)
		for i, one := range got {
			s.No(one.Err)
			suite.Same(s, "item", one.Is, s.item(sku(int64(i+1))))
		}
		suite.Same(s, "terms of a new item", got[0].Is.Terms, stock.Terms{PerBuyer: 2})
		suite.Same(s, "terms that an operator has changed", got[1].Is.Terms, off.Terms)
		s.counts(sku(1), stock.Quantities{Total: 7, Left: 7})
		s.counts(sku(2), stock.Quantities{Total: 15, Left: 15})
	}
	record := suite.Must(s.Store.Applied(s.Context(), stock.KindDefine, sku(3).Serial(1)))
	suite.Same(s, "units recorded", record.Entries[0].Delta, stock.Quantities{Total: 8})

	got := each(s.inv.DefineAll(s.Context(), newItem(1, 9), newItem(5, 1)))
	s.differs(got[0].Err, stock.MismatchError{ID: "SKU 1", Field: "total", Recorded: "7", Asked: "9"})
	suite.Same(s, "key of the error", got[0].Is, stock.Item{Key: sku(1)})
	s.No(got[1].Err) // the others go on
	s.Invalid("a key twice", suite.Err(suite.Gather(s.inv.DefineAll(s.Context(), newItem(6, 1), newItem(6, 1)))))
	s.Invalid("a bad one", suite.Err(suite.Gather(s.inv.DefineAll(s.Context(), newItem(6, 1), newItem(7, -1)))))
	s.itemRefuses(suite.Err(s.inv.Item(s.Context(), sku(6))), sku(6), stock.ErrUnknownSKU)
	s.Count("nothing", len(each(s.inv.DefineAll(s.Context()))), 0)
}

// defineAllParts stops after the first item: those of its part are there, and the same call makes the others.
func defineAllParts(s *scene) {
	items := make([]stock.Item, stock.MaxLines+2)
	for i := range items {
		items[i] = newItem(int64(i+1), int64(i))
	}
	for _, err := range s.inv.DefineAll(s.Context(), items...) {
		s.No(err)
		break
	}
	count := func() int { return len(suite.Listed(s, s.inv.Items(s.Context()))) }
	s.Count("items of the first part", count(), stock.MaxLines)
	for i, one := range each(s.inv.DefineAll(s.Context(), items...)) {
		s.No(one.Err)
		suite.Same(s, "total", one.Is.Total, int64(i))
	}
	s.Count("items", count(), len(items))
	s.Balanced()
}

func defineAllAtOnce(s *scene) {
	items := make([]stock.Item, 40)
	for i := range items {
		items[i] = newItem(int64(i+1), 10)
	}
	s.Each(suite.Together(8, func(i int) error {
		some := slices.Concat(items[5*i:], items[:5*i])[:25]
		return suite.Err(suite.Gather(s.inv.DefineAll(s.Context(), some...)))
	}))
	for _, item := range items {
		s.counts(item.Key, stock.Quantities{Total: 10, Left: 10})
	}
	s.Balanced()
}

// defineOtherTotal defines items again as a program does at every start, and as one does that takes Define for a way to set
// stock.
func defineOtherTotal(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	other := func(key stock.Key, total int64, recorded string) {
		s.Helper()
		s.unchanged(key, func() {
			err := suite.Err(s.inv.Define(s.Context(), key, total, stock.Terms{OffShelf: true}))
			s.differs(err, stock.MismatchError{ID: key.String(), Field: "total", Recorded: recorded, Asked: strconv.FormatInt(total, 10)})
		})
	}
	other(sku(1), 80, "10")
	s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 5))))
	s.define(sku(1), 10, stock.Terms{}) // as it was defined
	s.define(sku(1), 15, stock.Terms{}) // as it is
	other(sku(1), 11, "15")
	s.define(sku(1), 0, stock.Terms{Unlimited: true})
	s.define(sku(1), 20, stock.Terms{}) // limited again
	s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 20))))
	s.define(sku(1), 20, stock.Terms{SPU: 3})
	s.No(suite.Err(s.inv.By("Lin", "a new product").Define(s.Context(), sku(1), 20, stock.Terms{SPU: 4})))
	s.define(sku(1), 20, stock.Terms{SPU: 5})
	other(sku(1), 10, "0")
	s.define(sku(2), 0, stock.Terms{Unlimited: true})
	s.define(sku(2), 0, stock.Terms{})
	s.No(suite.Err(s.inv.Restock(s.Context(), "in 2", units(2, 5))))
	s.define(sku(2), 0, stock.Terms{SPU: 3})
	other(sku(2), 7, "5")
}

// defineAllVersion gives items back as they were read, with other terms: the loser of two is told, and repeats nothing.
func defineAllVersion(s *scene) {
	form := s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 10, stock.Terms{})
	s.terms(sku(1), stock.Terms{OffShelf: true})
	late := form
	late.End = s.now().Add(hold)
	s.unchanged(sku(1), func() {
		got := each(s.inv.DefineAll(s.Context(), late))
		s.differs(got[0].Err, stock.MismatchError{ID: "SKU 1", Field: "version", Recorded: "2", Asked: "1"})
	})
	fresh := s.item(sku(1))
	fresh.End = late.End
	for range 2 { // the answer of the first may be lost
		got := each(s.inv.DefineAll(s.Context(), fresh))
		s.No(got[0].Err)
		suite.Same(s, "item", got[0].Is, s.item(sku(1)))
		suite.Same(s, "terms", got[0].Is.Terms, stock.Terms{OffShelf: true, End: late.End})
	}
	stale, unknown := s.item(sku(2)), s.item(sku(2))
	s.lock("a", units(2, 1)) // an order changes an item, too
	stale.SPU, unknown.Key = 3, sku(9)
	got := each(s.inv.DefineAll(s.Context(), stale, unknown))
	s.Is(got[0].Err, stock.ErrMismatch)
	s.itemRefuses(got[1].Err, sku(9), stock.ErrUnknownSKU)
	more := s.item(sku(2))
	more.Total = 11
	s.Is(each(s.inv.DefineAll(s.Context(), more))[0].Err, stock.ErrMismatch)
	between := s.item(sku(2))
	between.SPU = 5
	over := s.before("SetTerms", 1, func() { s.terms(sku(2), stock.Terms{SPU: 4}) })
	s.Is(each(over.DefineAll(s.Context(), between))[0].Err, stock.ErrMismatch)
	suite.Same(s, "terms", s.item(sku(2)).Terms, stock.Terms{SPU: 4})
}

func changeTerms(s *scene) {
	change := func(key stock.Key, fn func(is *stock.Item)) (stock.Item, error) {
		return s.inv.ChangeTerms(s.Context(), key, func(is stock.Item) (stock.Terms, error) { fn(&is); return is.Terms, nil })
	}
	all := stock.Terms{SPU: 9, End: s.now().Add(hold), PerOrder: 1, PerBuyer: 2, LiveHolds: 3}
	s.define(sku(1), 10, all)
	got := suite.Must(change(sku(1), func(is *stock.Item) { is.OffShelf = true }))
	all.OffShelf = true
	suite.Same(s, "terms", got.Terms, all)
	suite.Same(s, "item", got, s.item(sku(1)))
	s.unchanged(sku(1), func() { s.No(suite.Err(change(sku(1), func(is *stock.Item) { is.OffShelf = true }))) })
	s.unchanged(sku(1), func() {
		_, err := s.inv.ChangeTerms(s.Context(), sku(1), func(stock.Item) (stock.Terms, error) { return stock.Terms{}, io.ErrUnexpectedEOF })
		suite.Same(s, "error", err, io.ErrUnexpectedEOF)
		s.Invalid("terms", suite.Err(change(sku(1), func(is *stock.Item) { is.PerBuyer = -1 })))
		s.Invalid("unlimited", suite.Err(change(sku(1), func(is *stock.Item) { is.Unlimited = true })))
		s.Invalid("no func", suite.Err(s.inv.ChangeTerms(s.Context(), sku(1), nil)))
	})
	s.itemRefuses(suite.Err(change(sku(9), func(*stock.Item) {})), sku(9), stock.ErrUnknownSKU)
	version := s.item(sku(1)).Version
	back := func(is stock.Item) (stock.Terms, error) { is.OffShelf = false; return is.Terms, nil }
	s.No(suite.Err(s.inv.By("Lin", "it is back").ChangeTerms(s.Context(), sku(1), back)))
	record := suite.Must(s.Store.Applied(s.Context(), stock.KindDefine, sku(1).Serial(version+1)))
	suite.Same(s, "who and why", []string{record.Actor, record.Reason}, []string{"Lin", "it is back"})
	s.counts(sku(1), stock.Quantities{Total: 10, Left: 10})
}

// changeTermsAtOnce has each of many add to a term of its own, while the item sells.
func changeTermsAtOnce(s *scene) {
	s.define(sku(1), 1000, stock.Terms{PerBuyer: 1, PerOrder: 1, LiveHolds: 1})
	const times = 4
	s.Each(suite.Together(8, func(worker int) (err error) {
		for n := 0; n < times && err == nil; n++ {
			if worker > 5 {
				err = s.serve(s.inv.For(fmt.Sprint(worker, n)), fmt.Sprintf("%d/%d", worker, n), n%2 == 0)
				if suite.Matches(err, stock.ErrLimit) {
					err = nil
				}
				continue
			}
			_, err = s.inv.ChangeTerms(s.Context(), sku(1), func(is stock.Item) (stock.Terms, error) {
				*[]*int64{&is.PerBuyer, &is.PerOrder, &is.LiveHolds}[worker%3]++
				return is.Terms, nil
			})
		}
		return err
	}))
	suite.Same(s, "terms", s.item(sku(1)).Terms, stock.Terms{PerBuyer: 1 + 2*times, PerOrder: 1 + 2*times, LiveHolds: 1 + 2*times})
	s.Balanced()
}

func changeTermsAfter(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	asked := 0
	got := suite.Must(s.before("SetTerms", 1, func() {
		s.terms(sku(1), stock.Terms{OffShelf: true})
		s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 1))))
	}).ChangeTerms(s.Context(), sku(1), func(is stock.Item) (stock.Terms, error) {
		asked++
		is.SPU = 3
		return is.Terms, nil
	}))
	suite.Same(s, "terms", got.Terms, stock.Terms{SPU: 3, OffShelf: true})
	s.Count("times that it was asked", asked, 2)
	got = suite.Must(s.before("SetTerms", 1, func() { s.No(suite.Err(s.inv.Restock(s.Context(), "in 2", units(1, 1)))) }).
		ChangeTerms(s.Context(), sku(1), func(stock.Item) (stock.Terms, error) { asked++; return stock.Terms{}, nil }))
	suite.Same(s, "terms", got.Terms, stock.Terms{})
	s.Count("times that it was asked", asked, 3) // units that come are not the terms
}

// manyItems defines more items than one part has, and returns a unit of each.
func (s *scene) manyItems() []stock.Line {
	s.Helper()
	items, lines := make([]stock.Item, stock.MaxLines+2), make([]stock.Line, stock.MaxLines+2)
	for i := range items {
		items[i], lines[i] = newItem(int64(i+1), 0), units(int64(i+1), 1)
	}
	s.No(suite.Err(suite.Gather(s.inv.DefineAll(s.Context(), items...))))
	return lines
}

func restockAll(s *scene) {
	lines := s.manyItems()
	all := len(lines)
	missing := append(slices.Clone(lines[:all-1]), units(9999, 1))
	got := each(s.inv.RestockAll(s.Context(), "in", missing...))
	s.Count("parts", len(got), 2)
	suite.Same(s, "first part", got[0].Is, stock.ChangeOutcome{ID: "in", Lines: stock.MaxLines})
	s.itemRefuses(got[1].Err, sku(9999), stock.ErrUnknownSKU)
	s.counts(sku(1), stock.Quantities{Total: 1, Left: 1})
	s.counts(sku(int64(all-1)), stock.Quantities{})
	s.define(sku(9999), 0, stock.Terms{})
	for n := range 2 {
		got = each(s.inv.RestockAll(s.Context(), "in", missing...))
		suite.Same(s, "parts", got, []one[stock.ChangeOutcome]{
			{Is: stock.ChangeOutcome{ID: "in", Replay: true, Lines: stock.MaxLines}},
			{Is: stock.ChangeOutcome{ID: "in/2", Replay: n > 0, Lines: all}},
		})
	}
	s.counts(sku(9999), stock.Quantities{Total: 1, Left: 1})
	s.Is(each(s.inv.RestockAll(s.Context(), "in", lines...))[1].Err, stock.ErrMismatch)
	err := each(s.inv.RestockAll(s.Context(), "in", missing[:all-1]...))[0].Err
	s.differs(err, stock.MismatchError{ID: "in", Field: "lines", Recorded: strconv.Itoa(all), Asked: strconv.Itoa(all - 1)})
	s.Is(suite.Err(s.inv.Restock(s.Context(), "in", missing[:stock.MaxLines]...)), stock.ErrMismatch)

	few := []stock.Line{units(2, 1), units(1, 2)} // what fits into one part is a Restock
	suite.Same(s, "outcome", each(s.inv.RestockAll(s.Context(), "few", few...)), []one[stock.ChangeOutcome]{
		{Is: stock.ChangeOutcome{ID: "few", Lines: 2}},
	})
	suite.Same(s, "replay", suite.Must(s.inv.Restock(s.Context(), "few", few...)), stock.ChangeOutcome{ID: "few", Replay: true})
	s.counts(sku(1), stock.Quantities{Total: 3, Left: 3})
	long := make([]byte, 57)
	s.Invalid("an ID without room for the parts", each(s.inv.RestockAll(s.Context(), string(long), few...))[0].Err)
	s.Invalid("no lines", each(s.inv.RestockAll(s.Context(), "none"))[0].Err)
	s.Balanced()
}

func restockAllAtOnce(s *scene) {
	lines := s.manyItems()
	s.Each(suite.Together(4, func(int) error { return suite.Err(suite.Gather(s.inv.RestockAll(s.Context(), "in", lines...))) }))
	for _, item := range suite.Listed(s, s.inv.Items(s.Context())) {
		suite.Same(s, item.Key.String(), item.Quantities, stock.Quantities{Total: 1, Left: 1})
	}
	s.Balanced()
}

func cancelAll(s *scene) {
	s.fill(10_000, sku(1), sku(2), pool(1, 7))
	s.lock("dead", units(1, 3))
	s.Advance(hold)
	var locked []string
	for n := range 7 {
		order := fmt.Sprint("locked ", n)
		locked = append(locked, order)
		s.lock(order, units(1, 2), units(2, 1))
	}
	s.No(suite.Err(s.inv.Resolve(s.Context(), locked[3]))) // its fence is raised
	s.buy("paid", units(1, 4))
	s.lock("another pool", stock.Line{SKU: 1, Activity: 7, Num: 1})
	s.lock("another item", units(2, 1))
	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)})
	var cancelled []string
	for _, one := range each(s.inv.CancelAll(s.Context(), stock.Filter{Key: sku(1)})) {
		s.No(one.Err)
		suite.Same(s, "outcome", one.Is, stock.Outcome{Order: one.Is.Order, State: stock.Cancelled})
		cancelled = append(cancelled, one.Is.Order)
	}
	slices.Sort(cancelled)
	suite.Same(s, "cancelled", cancelled, locked)
	s.Count("effects", len(effects), len(locked)+1) // and the release of the dead one
	s.counts(sku(1), stock.Quantities{Total: 10_000, Sold: 4, Left: 9996})
	s.counts(sku(2), stock.Quantities{Total: 10_000, Locked: 1, Left: 10_000})
	s.state("another pool", stock.Locked)
	s.state("paid", stock.Paid)
	s.state("dead", stock.Expired)
	again := stock.Filter{Key: sku(1), States: []stock.State{stock.Locked}}
	s.Count("what is left to cancel", len(each(s.inv.CancelAll(s.Context(), again))), 0)
	s.Is(suite.Err(s.inv.Lock(s.Context(), locked[0], units(1, 2), units(2, 1))), stock.ErrCancelled)
	for _, filter := range []stock.Filter{{}, {States: []stock.State{stock.Locked}}, {Key: sku(1), States: []stock.State{stock.Paid}}} {
		s.Invalid("a filter", each(s.inv.CancelAll(s.Context(), filter))[0].Err)
	}
	s.Balanced()
}

// cancelAllAgainstPay stops a sale while its orders are paid: each is paid or cancelled, and nobody is told both.
func cancelAllAgainstPay(s *scene) {
	s.define(sku(1), 1000, stock.Terms{})
	const orders = 40
	for n := range orders {
		s.lock(strconv.Itoa(n), units(1, 1))
	}
	cancelled := make([][]one[stock.Outcome], 2)
	errs := suite.Together(6, func(worker int) (err error) {
		if worker < 2 {
			cancelled[worker] = each(s.inv.CancelAll(s.Context(), stock.Filter{Key: sku(1)}))
			return nil
		}
		for n := worker; n < orders && err == nil; n += 5 {
			if _, err = s.inv.Pay(s.Context(), strconv.Itoa(n)); errors.Is(err, stock.ErrCancelled) {
				err = nil
			}
		}
		return err
	})
	s.Each(errs)
	told := map[string]bool{}
	for _, one := range slices.Concat(cancelled...) {
		s.No(one.Err)
		if told[one.Is.Order] {
			s.Fatalf("order %q was cancelled twice", one.Is.Order)
		}
		told[one.Is.Order] = true
		s.state(one.Is.Order, stock.Cancelled)
	}
	q := s.item(sku(1)).Quantities
	suite.Same(s, "counters", q, stock.Quantities{Total: 1000, Sold: orders - int64(len(told)), Left: 1000 - orders + int64(len(told))})
	s.Balanced()
}

func cancelAllAfterPay(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, order := range []string{"a", "b", "c"} {
		s.lock(order, units(1, 1))
	}
	got := each(s.before("MoveAll", 1, func() {
		s.pay("a")
		s.No(suite.Err(s.inv.Resolve(s.Context(), "b"))) // which goes alone
	}).CancelAll(s.Context(), stock.Filter{Key: sku(1)}))
	s.Count("cancelled", len(got), 2)
	s.state("a", stock.Paid)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 1, Left: 9})
}

func auditAll(s *scene) {
	lines := s.manyItems()
	last := lines[len(lines)-1].Key()
	s.No(suite.Err(suite.Gather(s.inv.RestockAll(s.Context(), "in", lines...))))
	s.No(suite.Err(s.inv.For("5").Take(s.Context(), "a", lines[0], lines[len(lines)-1])))
	s.damage("damage", stock.Entry{Key: last, Delta: stock.Quantities{Refunded: 2}}, stock.Entry{Key: last, Buyer: "5", Holds: 1})
	want := []stock.Drift{{Key: last, Quantity: "refunded", Counted: 2}, {Key: last, Buyer: "5", Quantity: "holds", Counted: 1}}
	got := each(s.inv.AuditAll(s.Context()))
	suite.Same(s, "reports", got, []one[stock.Report]{{Is: stock.Report{Items: stock.MaxLines}}, {Is: stock.Report{Items: 2, Drifts: want}}})
	suite.Same(s, "audit", suite.Must(s.inv.Audit(s.Context())), stock.Report{Items: len(lines), Drifts: want})
	suite.Same(s, "reports of some", each(s.inv.AuditAll(s.Context(), last, sku(1), last)), []one[stock.Report]{
		{Is: stock.Report{Items: 2, Drifts: want}},
	})
	got = each(s.inv.AuditAll(s.Context(), sku(1), sku(9999)))
	s.itemRefuses(got[0].Err, sku(9999), stock.ErrUnknownSKU)
	s.No(suite.Err(s.inv.RepairBackOnSale(s.Context(), last)))
	s.Balanced()
}

// guardMoveAll asks the store to cancel orders of which some cannot be.
func guardMoveAll(s *scene) {
	s.fill(10, sku(1), sku(2))
	s.lock("a", units(1, 1), units(2, 1))
	s.lock("b", units(1, 2))
	s.buy("paid", units(1, 1))
	s.lock("fenced", units(1, 1))
	s.No(suite.Err(s.inv.Resolve(s.Context(), "fenced")))
	var moves []stock.Movement
	for _, order := range []string{"fenced", "paid", "b", "nobody's", "a"} {
		moves = append(moves, stock.Movement{Step: stock.StepCancel, Order: order})
	}
	moved := suite.Must(s.Store.MoveAll(s.Context(), moves))
	slices.Sort(moved)
	suite.Same(s, "moved", moved, []string{"a", "b"})
	s.state("fenced", stock.Locked)
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 1, Locked: 1, Left: 9})
	s.Count("moved again", len(suite.Must(s.Store.MoveAll(s.Context(), moves))), 0)
	s.Count("moved of none", len(suite.Must(s.Store.MoveAll(s.Context(), nil))), 0)
}
