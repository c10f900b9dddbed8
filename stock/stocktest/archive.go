package stocktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func archiveCases() []testCase {
	return []testCase{
		{Name: "ArchiveFoldsWhatIsFinished", Run: archiveFolds},
		{Name: "ArchivedOrdersRefuseEveryVerb", Run: archivedRefuse},
		{Name: "ArchiveGoesOnWhereItHasStopped", Run: archiveGoesOn},
		{Name: "ArchiveLeavesOutWhatHasChanged", Run: archiveChanged},
		{Name: "ArchiveTakesWhatIsReadTwiceOnce", Run: archiveReadTwice},
		{Name: "ArchivedRefundByHandKeepsItsNumber", Run: archivedRefund},
		{Name: "ArchiveInput", Run: archiveInput},
		{Name: "RaceArchiveAgainstRefundAndRedeem", Run: raceArchive},
	}
}

// paid are the states that Archive takes, with Paid among them.
func paid() []stock.State {
	return []stock.State{stock.Paid, stock.Redeemed, stock.Refunded, stock.Cancelled, stock.Expired}
}

// archive archives what is finished by now, and returns the orders that it was given before, in their order.
func (s *scene) archive(filter stock.Filter) (orders []string) {
	s.Helper()
	n := 0
	for part, err := range s.inv.Archive(s.Context(), s.now(), filter, func(_ context.Context, holds []stock.Hold) error {
		for _, h := range holds {
			orders = append(orders, h.Order)
			suite.Same(s, "hold", h, s.holdOf(h.Order))
		}
		return nil
	}) {
		s.No(err)
		n += part
		s.Balanced()
	}
	s.Count("orders archived", n, len(orders))
	return orders
}

// archiveFolds archives orders of three items, of which one limits its buyers: nothing but the holds changes.
func archiveFolds(s *scene) {
	s.fill(1000, sku(1), sku(2))
	s.define(sku(3), 100, stock.Terms{PerBuyer: 3})
	for state := stock.Locked; state <= stock.Expired; state++ {
		s.reach(state, state.String())
	}
	s.No(suite.Err(s.inv.For("5").Take(s.Context(), "cart", units(2, 4), units(3, 2))))
	s.discard("r1", "cart", units(2, 1))
	s.No(suite.Err(s.inv.Refund(s.Context(), stock.Refund{
		ID: "r2", Order: "cart", Restock: true, FreesBuyer: true, Lines: []stock.Line{units(3, 1)},
	})))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "cart")))
	s.No(suite.Err(s.inv.Cancel(s.Context(), "void")))
	s.Advance(2 * hold)
	s.buy("young", units(2, 2))
	s.No(suite.Err(s.inv.Redeem(s.Context(), "young")))
	items := suite.Listed(s, s.inv.Items(s.Context()))

	var effects []stock.Effect
	s.inv = s.with(stock.Options{Hook: record(&effects)}).By("eve", "last year")
	archived := s.archive(stock.Filter{})
	suite.Same(s, "archived", archived, []string{"redeemed", "refunded", "cancelled", "expired", "cart"})
	slices.Sort(archived)
	slices.SortFunc(effects, func(a, b stock.Effect) int { return strings.Compare(a.Order, b.Order) })
	for i, order := range archived {
		suite.Same(s, "effect", effects[i], stock.Effect{Step: stock.StepArchive, Order: order})
	}
	s.Count("effects", len(effects), len(archived))
	suite.Same(s, "items", suite.Listed(s, s.inv.Items(s.Context())), items)
	s.usage("5", sku(3), stock.Usage{Bought: 1})
	s.overLimit(suite.Err(s.inv.For("5").Lock(s.Context(), "more", units(3, 3))),
		stock.LimitError{Key: sku(3), Err: stock.ErrPerBuyer, Buyer: "5", Limit: 3, Has: 1, Wanted: 3})
	left := s.state("cart", stock.Archived)
	suite.Same(s, "what is left", left, stock.Hold{
		Order: "cart", State: stock.Archived, Deadline: s.now(), LockedAt: left.LockedAt, UpdatedAt: s.now(),
	})
	s.Count("archived again", len(s.archive(stock.Filter{})), 0)
	suite.Same(s, "of the rest", s.archive(stock.Filter{Key: sku(1), States: paid()}), []string{"paid"})
	suite.Same(s, "items", suite.Listed(s, s.inv.Items(s.Context())), items)

	for key, want := range map[stock.Key]stock.Entry{
		sku(1): {Delta: stock.Quantities{Sold: 4, Refunded: 2}, Asked: 5},
		sku(2): {Delta: stock.Quantities{Sold: 4, Refunded: 1}, Asked: 1},
		sku(3): {Delta: stock.Quantities{Sold: 1, Refunded: 1}, Asked: 1},
	} {
		want.Key = key
		suite.Same(s, "movement", s.movements(key)[0], stock.Change{
			Kind: stock.KindArchive, ID: key.Serial(1), At: s.now(), Actor: "eve", Reason: "last year", Entries: []stock.Entry{want},
		})
	}
	suite.Same(s, "missing", suite.Must(s.inv.Missing(s.Context(), []string{"cart", "void", "nobody's"})), []string{"void", "nobody's"})
	suite.Same(s, "all", s.orders(stock.Filter{}), []string{"locked", "void", "young"})
	suite.Same(s, "archived", s.orders(stock.Filter{States: []stock.State{stock.Archived}}),
		[]string{"cancelled", "cart", "expired", "paid", "redeemed", "refunded"})
	s.Is(suite.Err(s.inv.Pay(s.Context(), "locked")), stock.ErrExpired)
	s.Balanced()
}

// archivedRefuse calls each verb for orders that are archived, as new calls and as those that were made before.
func archivedRefuse(s *scene) {
	s.fill(1000, sku(1), sku(2))
	lines := []stock.Line{units(1, 2)}
	amendment := stock.Amendment{ID: "a1", Order: "amended", Lines: lines}
	s.lock("amended", units(1, 1), units(2, 1))
	s.No(s.amends(amendment))
	s.pay("amended")
	s.No(s.redeems("p1", "amended", units(1, 2)))
	for _, state := range paid() {
		s.reach(state, state.String())
	}
	s.Advance(2 * hold)
	s.Count("archived", len(s.archive(stock.Filter{States: paid()})), 6)
	verbs := map[string]func(order string) error{
		"Lock":      func(o string) error { return suite.Err(s.inv.Lock(s.Context(), o, lines...)) },
		"Lock more": func(o string) error { return suite.Err(s.inv.Lock(s.Context(), o, units(2, 7))) },
		"Take":      func(o string) error { return suite.Err(s.inv.Take(s.Context(), o, lines...)) },
		"Pay":       func(o string) error { return suite.Err(s.inv.Pay(s.Context(), o)) },
		"Cancel":    func(o string) error { return suite.Err(s.inv.Cancel(s.Context(), o)) },
		"Redeem":    func(o string) error { return suite.Err(s.inv.Redeem(s.Context(), o)) },
		"Extend":    func(o string) error { return suite.Err(s.inv.Extend(s.Context(), o, s.now().Add(hold))) },
		"Shorten":   func(o string) error { return suite.Err(s.inv.Shorten(s.Context(), o, s.now())) },
		"Amend":     func(o string) error { return s.amends(stock.Amendment{ID: "a2", Order: o, Lines: lines}) },
		"Refund":    func(o string) error { return s.giveBack("of "+o, o) },
		"Part":      func(o string) error { return s.redeems("p2", o, lines...) },
	}
	was := s.item(sku(1))
	for name, verb := range verbs {
		for _, order := range []string{"paid", "redeemed", "refunded", "cancelled", "expired", "amended"} {
			if err := verb(order); !errors.Is(err, stock.ErrArchived) {
				s.Fatalf("%s of %q: %v", name, order, err)
			} else {
				s.inState(err, order, stock.Archived, stock.ErrArchived)
			}
		}
	}
	s.inState(s.amends(amendment), "amended", stock.Archived, stock.ErrArchived) // the retry of a call that was made
	s.inState(s.redeems("p1", "amended", units(1, 2)), "amended", stock.Archived, stock.ErrArchived)
	s.Is(suite.Err(s.inv.PutBack(s.Context(), "of refunded")), stock.ErrNotFound)
	suite.Same(s, "resolved", suite.Must(s.inv.Resolve(s.Context(), "paid")).State, stock.Archived)
	s.lock("another", lines...)
	s.Is(s.amends(stock.Amendment{ID: "a3", Order: "another", NewOrder: "paid"}), stock.ErrMismatch)
	s.No(suite.Err(s.inv.Cancel(s.Context(), "another")))
	suite.Same(s, "item", s.item(sku(1)).Quantities, was.Quantities)
	s.Balanced()
}

// archiveGoesOn stops after a part, at an error of the func, and where an answer is lost: the same call goes on, and nothing is
// counted twice.
func archiveGoesOn(s *scene) {
	lines := s.manyItems()[:stock.MaxLines-20] // two such orders are two parts
	for _, id := range []string{"in", "more"} {
		s.No(suite.Err(suite.Gather(s.inv.RestockAll(s.Context(), id, lines...))))
	}
	for i, order := range []string{"a", "b"} {
		s.No(suite.Err(s.inv.For(strconv.Itoa(i)).Take(s.Context(), order, lines...)))
		s.No(suite.Err(s.inv.Redeem(s.Context(), order)))
	}
	s.Advance(2 * hold)
	filter := stock.Filter{Key: sku(1)}
	archived := func() int { return len(s.orders(stock.Filter{States: []stock.State{stock.Archived}})) }
	for n, err := range s.inv.Archive(s.Context(), s.now(), filter, nil) {
		s.No(err)
		s.Count("orders of a part", n, 1)
		break
	}
	s.Count("archived", archived(), 1)
	broken := func(context.Context, []stock.Hold) error { return io.ErrUnexpectedEOF }
	got := each(s.inv.Archive(s.Context(), s.now(), filter, broken))
	suite.Same(s, "answers", got, []one[int]{{Err: io.ErrUnexpectedEOF}})
	s.Count("archived", archived(), 1)
	got = each(s.over(suite.LosesAnswer(1)).Archive(s.Context(), s.now(), filter, nil))
	s.Count("answers", len(got), 1)
	s.Is(got[0].Err, stock.ErrUnknown)
	s.Count("archived", archived(), 2)
	s.Count("archived again", len(each(s.inv.Archive(s.Context(), s.now(), filter, nil))), 0)
	s.usage("1", sku(1), stock.Usage{Bought: 1})
	s.counts(sku(1), stock.Quantities{Total: 2, Sold: 2})
	s.Balanced()
}

// archiveChanged changes orders between the look and the transaction.
func archiveChanged(s *scene) {
	s.fill(100, sku(1), sku(2))
	for _, order := range []string{"redeemed", "refunded", "resolved", "same"} {
		s.buy(order, units(1, 2), units(2, 2))
	}
	s.Advance(2 * hold)
	inv := s.before("Archive", 1, func() {
		s.No(suite.Err(s.inv.Redeem(s.Context(), "redeemed")))
		s.refund("r", "refunded", units(2, 1))
		s.No(suite.Err(s.inv.Resolve(s.Context(), "resolved")))
	})
	filter := stock.Filter{States: paid(), Key: sku(1)}
	suite.Same(s, "answers", each(inv.Archive(s.Context(), s.now(), filter, nil)), []one[int]{{Is: 1}})
	for order, want := range map[string]stock.State{
		"same": stock.Archived, "redeemed": stock.Redeemed, "refunded": stock.Paid, "resolved": stock.Paid,
	} {
		s.state(order, want)
	}
	s.Balanced()
	s.Advance(time.Second)
	s.Count("archived", len(s.archive(filter)), 3)
	s.counts(sku(2), stock.Quantities{Total: 100, Sold: 7, Left: 93, Refunded: 1})
}

// archiveReadTwice redeems an order between the reads of what is Paid and of what is Redeemed: both have it. It is
// given and archived once, as it is now.
func archiveReadTwice(s *scene) {
	s.fill(100, sku(1))
	for _, order := range []string{"moved", "paid"} {
		s.buy(order, units(1, 2))
	}
	s.Advance(2 * hold)
	inv := s.before("Holds", 2, func() { s.No(suite.Err(s.inv.Redeem(s.Context(), "moved"))) })
	var given []string
	archived := each(inv.Archive(s.Context(), s.now().Add(hold), stock.Filter{States: paid(), Key: sku(1)},
		func(_ context.Context, holds []stock.Hold) error {
			for _, h := range holds {
				given = append(given, fmt.Sprint(h.Order, " ", h.State))
			}
			return nil
		}))
	suite.Same(s, "answers", archived, []one[int]{{Is: 2}})
	suite.Same(s, "given", given, []string{"paid " + stock.Paid.String(), "moved " + stock.Redeemed.String()})
	s.Balanced()
}

func archiveInput(s *scene) {
	s.fill(10, sku(1))
	before := s.now()
	for what, call := range map[string]func() error{
		"no time": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), time.Time{}, stock.Filter{}, nil)))
		},
		"a key": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), before, stock.Filter{Key: sku(-1)}, nil)))
		},
		"a buyer": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), before, stock.Filter{Buyer: "5"}, nil)))
		},
		"for a buyer": func() error {
			return suite.Err(suite.Gather(s.inv.For("5").Archive(s.Context(), before, stock.Filter{}, nil)))
		},
		"by deadline": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), before, stock.Filter{ByDeadline: true}, nil)))
		},
		"locked ones": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), before, stock.Filter{States: []stock.State{stock.Locked}}, nil)))
		},
		"archived ones": func() error {
			return suite.Err(suite.Gather(s.inv.Archive(s.Context(), before, stock.Filter{States: []stock.State{stock.Archived}}, nil)))
		},
	} {
		s.Invalid(what, call())
	}
	s.Invalid("a list without a key", suite.Err(suite.Gather(s.inv.Holds(s.Context(), stock.Filter{FinishedBefore: before}))))
}

// raceArchive refunds and redeems orders while they are archived: each call is made or told that it comes too late, and the books
// balance.
func raceArchive(s *scene) {
	s.fill(1000, sku(1))
	refunds := 0
	for round := range rounds {
		order := strconv.Itoa(round)
		s.buy(order, units(1, 2))
		s.Advance(2 * hold)
		soon := s.now().Add(hold)
		errs := suite.Meet(6,
			func() error { return suite.Err(s.inv.Redeem(s.Context(), order)) },
			func() error { return s.giveBack(order, order, units(1, 1)) },
			func() error {
				return suite.Err(suite.Gather(s.inv.Archive(s.Context(), soon, stock.Filter{Key: sku(1), States: paid()}, nil)))
			},
		)
		s.Succeeded(errs, stock.ErrArchived, stock.ErrRedeemed)
		refunds += btoi(errs[1] == nil || errs[4] == nil)
	}
	s.No(suite.Err(suite.Gather(s.inv.Archive(s.Context(), s.now().Add(hold), stock.Filter{States: paid()}, nil))))
	s.Count("archived", len(s.orders(stock.Filter{States: []stock.State{stock.Archived}})), rounds)
	s.counts(sku(1), stock.Quantities{
		Total: 1000, Sold: 2*rounds - int64(refunds), Left: 1000 - 2*rounds + int64(refunds), Refunded: int64(refunds),
	})
	s.Balanced()
}

// archivedRefund uses the number of a refund that somebody made by hand once more, for another order: it is refused for good.
func archivedRefund(s *scene) {
	s.fill(10, sku(1))
	by := s.inv.By("eve", "damaged")
	for _, order := range []string{"old", "young"} {
		s.buy(order, units(1, 2))
		if order == "old" {
			s.No(suite.Err(by.Refund(s.Context(), stock.Refund{ID: "r", Order: order, Restock: true})))
			s.Advance(2 * hold)
			suite.Same(s, "archived", s.archive(stock.Filter{}), []string{order})
		}
	}
	refund := stock.Refund{ID: "r", Order: "young", Restock: true}
	s.Is(suite.Err(by.Refund(s.Context(), refund)), stock.ErrMismatch)
	s.Is(suite.Err(by.Refund(s.Context(), stock.Refund{ID: "r", Order: "old", Restock: true})), stock.ErrArchived)
	refund.ID = "r2"
	s.No(suite.Err(by.Refund(s.Context(), refund)))
	s.Balanced()
}
