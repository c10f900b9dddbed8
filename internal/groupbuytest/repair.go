package groupbuytest

import (
	"fmt"
	"slices"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// recordCases are about the record that a repair leaves.
func recordCases() []testCase {
	return []testCase{
		{Name: "RepairIsRecordedWithItsNumbersWhoAndWhy", Run: repairRecorded},
		{Name: "RepairBySomebodyUnnamedIsRecorded", Run: repairUnnamed},
		{Name: "RepairRecordsWhatGoesBackFromASettledProduct", Run: repairSettled},
		{Name: "RepairsAtOnceAreRecordedOnce", Run: repairsAtOnce},
		{Name: "RepairWhoseAnswerIsLostIsRecordedOnce", Run: repairLost},
		{Name: "RepairThatIsRefusedIsNotRecorded", Run: repairStale},
		{Name: "RepairInATransactionIsRecordedWithIt", Run: repairInTransaction, Transactions: true},
		{Name: "RepairInATransactionDoesNotRepeatThatOfAnother", Run: repairBehind, Transactions: true},
	}
}

// misformed adds to how many people of the product are counted in teams that were formed.
func (s *scene) misformed(more int64) {
	s.Helper()
	book := suite.Must(s.Store.FormedPeople(s.Context(), key()))
	book.Recount = book.Formed + more
	s.answers(stock.Done)(s.Store.CorrectFormed(s.Context(), book, stock.Change{}))
}

// misallotted adds to how many units the product says it was given.
func (s *scene) misallotted(more int64) {
	s.Helper()
	p := suite.Must(s.groups.Product(s.Context(), key())).Product
	p.Allotted += more
	s.answers(stock.Done)(s.Store.SaveProduct(s.Context(), p, stock.Change{}))
}

// corrections returns what the journal says that repairs have corrected, sorted.
func (s *scene) corrections() []string {
	s.Helper()
	var got []string
	for _, c := range suite.Paged(s, 3, func(page stock.PageRequest) (stock.Page[stock.Change], error) {
		return s.groups.ChangesPage(s.Context(), key(), page)
	}) {
		is, ok := groupbuy.CorrectionOf(c)
		if !ok {
			continue
		}
		suite.Same(s, "key", is.Key, key())
		suite.Same(s, "units that it moves", c.Entries[0].Delta, stock.Quantities{})
		got = append(got, fmt.Sprintf("%v by %s: %s", is, c.Actor, c.Reason))
	}
	slices.Sort(got)
	return got
}

// spoil makes a team of two who have paid, and a team of one, and then spoils all numbers downwards. It returns the code of the
// second team.
func (s *scene) spoil() string {
	s.Helper()
	s.opened(people(2), 90)
	s.team([]string{anna, ben}, "1", "2")
	code := s.open("3", carol).Team
	s.pay("3")
	s.join(code, "4", dan)
	s.damage(code, func(c *groupbuy.Counts) { c.Held, c.Paid, c.PaidVolume = 0, 0, dec("0.25") })
	s.misformed(-1)
	s.misallotted(5)
	return code
}

// mended ends the test unless all that spoil did is mended, and recorded once.
func (s *scene) mended(code, how string) {
	s.Helper()
	s.counts(code, 1, 1, "1")
	p := s.shown(groupbuy.Offered)
	suite.Same(s, "product", []any{p.Formed, p.Allotted}, []any{int64(2), int64(90)})
	suite.Same(s, "balanced", s.audited().Balanced(), true)
	suite.Same(s, "corrections", s.corrections(), []string{
		of("", "allotted -5", how), of("", "formed +1", how), of(code, "held +1", how), of(code, "paid +1", how), of(code, "volume +0.75", how),
	})
}

// of returns a correction as corrections does: of a team, or of the product where the code is empty.
func of(code, what, how string) string {
	if code != "" {
		code = fmt.Sprintf("team %s of ", code)
	}
	return fmt.Sprintf("%s%v: %s by %s", code, key(), what, how)
}

func repairRecorded(s *scene) {
	code := s.spoil()
	report := suite.Must(s.groups.By("Lin", "after the fire").Repair(s.Context(), key()))
	s.Count("drifts", len(report.Drifts), 5)
	s.Count("repaired", report.Repaired, 3)
	s.mended(code, "Lin: after the fire")
	s.No(suite.Err(s.groups.By("Eve", "to be sure").Repair(s.Context(), key())))
	s.mended(code, "Lin: after the fire")
	s.damage(code, func(c *groupbuy.Counts) { c.Held = 0 })
	s.misformed(3)
	s.misallotted(1)
	s.No(suite.Err(s.groups.By("Eve", "once more").RepairBackOnSale(s.Context(), key())))
	got := s.corrections()
	s.Count("corrections", len(got), 8)
	eve := "Eve: once more"
	for _, want := range []string{of("", "formed -3", eve), of("", "allotted -1", eve), of(code, "held +1", eve)} {
		suite.Same(s, want, slices.Contains(got, want), true)
	}
}

func repairUnnamed(s *scene) {
	code := s.spoil()
	s.repaired()
	s.mended(code, ": ")
}

// repairSettled finds units where none should be.
func repairSettled(s *scene) {
	s.live()
	s.No(suite.Err(s.groups.Remove(s.Context(), key())))
	s.sweep()
	s.shown(groupbuy.Settled)
	s.No(suite.Err(s.ordinary().Transfer(s.Context(), "by hand", stock.TransferLeg{SKU: goods, To: fair, Num: 4})))
	s.Count("repaired", suite.Must(s.groups.By("Lin", "somebody's mistake").Repair(s.Context(), key())).Repaired, 1)
	s.shown(groupbuy.Removed)
	suite.Same(s, "corrections", s.corrections(), []string{of("", "settled -4", "Lin: somebody's mistake")})
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock)
	suite.Same(s, "balanced", s.audited().Balanced(), true)
}

func repairsAtOnce(s *scene) {
	code := s.spoil()
	by := s.groups.By("Lin", "all at once")
	s.Each(suite.Together(8, func(int) error {
		for {
			if _, err := by.Repair(s.Context(), key()); !groupbuy.Retryable(err) {
				return err
			}
		}
	}))
	s.mended(code, "Lin: all at once")
}

// repairLost loses the answer of the first change that a repair sends, then that of the second, and so on: the next repair goes on.
func repairLost(s *scene) {
	code := s.spoil()
	for n := 1; ; n++ {
		_, err := s.lossy(1).By("Lin", "the line was bad").Repair(s.Context(), key())
		if err == nil {
			s.Count("answers lost", n-1, 3)
			break
		}
		s.only(err, groupbuy.ErrUnknown)
	}
	s.mended(code, "Lin: the line was bad")
}

// repairStale corrects from books that are not of now: nothing happens, and nothing is recorded.
func repairStale(s *scene) {
	code := s.spoil()
	record := stock.Change{Kind: groupbuy.KindRevise, ID: "stale", Entries: []stock.Entry{{Key: key(), Asked: 1}}}
	formed, teams := suite.Must(s.Store.FormedPeople(s.Context(), key())), s.books()
	s.No(suite.Err(s.groups.By("Lin", "in time").Repair(s.Context(), key())))
	s.unchanged(func() {
		s.answers(stock.Refused)(s.Store.CorrectFormed(s.Context(), formed, record))
		for _, book := range teams {
			if book.Code == code {
				s.answers(stock.Refused)(s.Store.Correct(s.Context(), book, record))
			}
		}
	})
	suite.Same(s, "recorded", suite.Must(s.Store.Units().Applied(s.Context(), groupbuy.KindRevise, "stale")).ID, "")
	s.mended(code, "Lin: in time")

	formed = suite.Must(s.Store.FormedPeople(s.Context(), key())) // a team that is formed leaves a book as it is: the difference is the same
	s.pay("4")
	formed.Recount += 4
	s.answers(stock.Done)(s.Store.CorrectFormed(s.Context(), formed, record))
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 8)
	suite.Same(s, "record", suite.Must(s.Store.Units().Applied(s.Context(), groupbuy.KindRevise, "stale")).Entries, record.Entries)
	s.No(suite.Err(s.groups.RepairBackOnSale(s.Context(), key())))
}

// repairInTransaction repairs in a transaction that is rolled back, and then in one that is committed.
func repairInTransaction(s *scene) {
	code := s.spoil()
	repair := func() (commit, rollback func() error) {
		groups, commit, rollback := s.beginGroups()
		s.Count("repaired", suite.Must(groups.By("Lin", "with the order").Repair(s.Context(), key())).Repaired, 3)
		return commit, rollback
	}
	_, rollback := repair()
	s.No(rollback())
	s.Count("corrections", len(s.corrections()), 0)
	s.Count("drifts", len(s.audited().Drifts), 5)
	commit, _ := repair()
	s.No(commit())
	s.mended(code, "Lin: with the order")
}

// repairBehind repairs in a transaction whose snapshot still has what another repair has corrected.
func repairBehind(s *scene) {
	code := s.spoil()
	s.behind(func() {
		s.No(suite.Err(s.groups.By("Lin", "first").Repair(s.Context(), key())))
	}, func(groups *groupbuy.Groups) {
		if _, err := groups.By("Eve", "too late").Repair(s.Context(), key()); err != nil && !groupbuy.Retryable(err) {
			s.Fatalf("Repair behind another one: %v", err)
		}
	})
	s.mended(code, "Lin: first")
}
