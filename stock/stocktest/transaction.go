package stocktest

import (
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func transactionCases() []testCase {
	return []testCase{
		{Name: "TransactionRolledBackLeavesNothing", Run: rolledBackVerbs, Transactions: true},
		{Name: "TransactionCommittedIsThere", Run: committed, Transactions: true},
		{Name: "TransactionInADeadlockIsRolledBackWhole", Run: deadlock, Transactions: true},
		{Name: "TransactionGoesOnAfterARefusal", Run: refusalInTransaction, Transactions: true},
		{Name: "TransactionSeesItsOwnChanges", Run: ownChanges, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfHolds", Run: staleHolds, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfRecords", Run: staleRecords, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfTheDead", Run: staleDead, Transactions: true},
	}
}

// begin opens a transaction and returns an inventory in it.
func (s *scene) begin() (inv *stock.Inventory, commit, rollback func() error) {
	s.Helper()
	store, commit, rollback := s.Begin(s.TB)
	return s.inv.On(store), commit, rollback
}

func rolledBackVerbs(s *scene) { s.journey().RolledBack(s) }
func committed(s *scene)       { s.journey().Committed(s) }

func deadlock(s *scene) {
	s.fill(100, sku(1), sku(2))
	lock := func(order string, item int64) func(*stock.Inventory) error {
		return func(inv *stock.Inventory) error { return suite.Err(inv.Lock(s.Context(), order, units(item, 1))) }
	}
	suite.Deadlock(s, s.begin, [2][2]func(*stock.Inventory) error{{lock("a1", 1), lock("a2", 2)}, {lock("b1", 2), lock("b2", 1)}},
		func(i int) {
			for _, order := range [][]string{{"a1", "a2"}, {"b1", "b2"}}[i] {
				s.unheld(order)
			}
		})
	for _, order := range []string{"a1", "a2", "b1", "b2"} {
		s.state(order, stock.Locked)
	}
	s.counts(sku(1), stock.Quantities{Total: 100, Locked: 2, Left: 100})
	s.counts(sku(2), stock.Quantities{Total: 100, Locked: 2, Left: 100})
}

// refusalInTransaction has a refusal between two calls that succeed: the refused call has
// changed nothing, and the caller may go on.
func refusalInTransaction(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(sku(2), 1, stock.Terms{})
	s.lock("expired", units(1, 1))
	s.Advance(hold)
	inv, commit, _ := s.begin()
	s.No(suite.Err(inv.Lock(s.Context(), "a", units(1, 2))))
	s.shortage(suite.Err(inv.Lock(s.Context(), "b", units(1, 1), units(2, 2))), sku(2), 2, 1)
	s.Is(suite.Err(inv.Take(s.Context(), "b", units(1, 9))), stock.ErrInsufficient)
	s.Is(suite.Err(inv.Lock(s.Context(), "a", units(1, 3))), stock.ErrMismatch)
	s.Is(suite.Err(inv.Pay(s.Context(), "expired")), stock.ErrExpired)
	s.Is(suite.Err(inv.Pay(s.Context(), "unknown")), stock.ErrNotFound)
	s.Is(suite.Err(inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "a"})), stock.ErrNotPaid)
	s.Is(suite.Err(inv.Withdraw(s.Context(), "out", units(1, 9))), stock.ErrInsufficient)
	s.Is(suite.Err(inv.Restock(s.Context(), "in", units(1, 1), units(9, 1))), stock.ErrUnknownSKU)
	s.No(suite.Err(inv.Lock(s.Context(), "c", units(2, 1))))
	s.No(commit())
	s.unheld("b")
	s.state("a", stock.Locked)
	s.counts(sku(1), stock.Quantities{Total: 10, Locked: 2, Left: 10})
	s.counts(sku(2), stock.Quantities{Total: 1, Locked: 1, Left: 1})
}

func ownChanges(s *scene) {
	s.define(sku(1), 10, stock.Terms{PerBuyer: 4})
	inv, commit, _ := s.begin()
	buyer := inv.For("5")
	first := suite.Must(buyer.Lock(s.Context(), "a", units(1, 3)))
	suite.Replays(s, "replay", suite.Must(buyer.Lock(s.Context(), "a", units(1, 3))), first)
	s.Is(suite.Err(buyer.Lock(s.Context(), "b", units(1, 2))), stock.ErrPerBuyer)
	suite.Same(s, "outcome", suite.Must(inv.Pay(s.Context(), "a")), stock.Outcome{Order: "a", State: stock.Paid})
	suite.Same(s, "counters", suite.Must(inv.Item(s.Context(), sku(1))).Quantities, stock.Quantities{Total: 10, Sold: 3, Left: 7})
	s.No(suite.Err(inv.Restock(s.Context(), "in", units(1, 1))))
	s.No(suite.Err(inv.Restock(s.Context(), "in", units(1, 1))))
	s.No(commit())
	s.counts(sku(1), stock.Quantities{Total: 11, Sold: 3, Left: 8})
}

// behind makes calls in a transaction that has read before the world went on, and commits it. It reads what nobody else
// touches, so that a store that keeps snapshots has taken one.
func (s *scene) behind(meanwhile func(), calls func(inv *stock.Inventory)) {
	s.Helper()
	s.define(sku(99), 1, stock.Terms{})
	suite.Behind(s, s.Conflicts, func() (*stock.Inventory, func() error, func() error) {
		inv, commit, rollback := s.begin()
		s.No(suite.Err(inv.Item(s.Context(), sku(99))))
		return inv, commit, rollback
	}, meanwhile, calls)
}

// staleHolds lets the world go on between the snapshot of a transaction and its steps: what
// it has read is no reason for anything.
func staleHolds(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	for _, order := range []string{"cancelled", "paid", "resolved", "extended"} {
		s.lock(order, units(1, 1))
	}
	s.behind(func() {
		s.No(suite.Err(s.inv.Cancel(s.Context(), "cancelled")))
		s.pay("paid")
		s.No(suite.Err(s.inv.Resolve(s.Context(), "resolved")))
		s.No(suite.Err(s.inv.Extend(s.Context(), "extended", s.now().Add(2*hold))))
		s.No(suite.Err(s.inv.Cancel(s.Context(), "never locked")))
		s.lock("new", units(1, 1))
	}, func(inv *stock.Inventory) {
		s.inState(suite.Err(inv.Pay(s.Context(), "cancelled")), "cancelled", stock.Cancelled, stock.ErrCancelled)
		suite.Same(s, "outcome", suite.Must(inv.Pay(s.Context(), "paid")), replay("paid", stock.Paid))
		suite.Same(s, "outcome", suite.Must(inv.Pay(s.Context(), "resolved")), stock.Outcome{Order: "resolved", State: stock.Paid})
		s.SameTime("deadline", suite.Must(inv.Extend(s.Context(), "extended", s.now().Add(3*hold))).Deadline, s.now().Add(3*hold))
		s.Is(suite.Err(inv.Lock(s.Context(), "never locked", units(1, 1))), stock.ErrCancelled)
		suite.Same(s, "state", suite.Must(inv.Lock(s.Context(), "new", units(1, 1))).State, stock.Locked)
		s.Is(suite.Err(inv.Lock(s.Context(), "new", units(1, 2))), stock.ErrMismatch)
	})
	s.counts(sku(1), stock.Quantities{Total: 10, Sold: 2, Locked: 2, Left: 8})
}

// staleRecords does the same with refunds, changes and items.
func staleRecords(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.buy("refunded", units(1, 2))
	s.behind(func() {
		s.refund("elsewhere", "refunded", units(1, 1))
		s.No(suite.Err(s.inv.Restock(s.Context(), "in", units(1, 3))))
		s.No(suite.Err(s.inv.Withdraw(s.Context(), "out", units(1, 10))))
		s.define(sku(2), 5, stock.Terms{})
	}, func(inv *stock.Inventory) {
		_, err := inv.Refund(s.Context(), stock.Refund{ID: "r", Order: "refunded", Restock: true, Lines: []stock.Line{units(1, 2)}})
		s.Is(err, stock.ErrOverRefund)
		_, err = inv.Refund(s.Context(), stock.Refund{ID: "elsewhere", Order: "refunded", Restock: true, Lines: []stock.Line{units(1, 1)}})
		s.No(err)
		s.No(suite.Err(inv.Restock(s.Context(), "in", units(1, 3))))
		s.Is(suite.Err(inv.Restock(s.Context(), "in", units(1, 4))), stock.ErrMismatch)
		s.shortage(suite.Err(inv.Lock(s.Context(), "too many", units(1, 3))), sku(1), 3, 2)
		s.No(suite.Err(inv.Lock(s.Context(), "a", units(1, 2), units(2, 5))))
	})
	s.counts(sku(1), stock.Quantities{Total: 3, Sold: 1, Locked: 2, Left: 2, Refunded: 1})
}

// staleDead lets somebody else release what a transaction has seen dead: it does not wait for
// it to die again.
func staleDead(s *scene) {
	s.define(sku(1), 10, stock.Terms{})
	s.define(pool(1, 7), 0, stock.Terms{})
	s.lock("dead", units(1, 4))
	s.Advance(hold)
	s.behind(func() {
		s.Count("released", suite.Must(s.inv.Expire(s.Context())), 1)
	}, func(inv *stock.Inventory) {
		s.Is(suite.Err(inv.Lock(s.Context(), "too many", units(1, 1000))), stock.ErrInsufficient)
		s.Count("released again", suite.Must(inv.Expire(s.Context())), 0)
		moved := suite.Must(inv.Transfer(s.Context(), "rest", stock.TransferLeg{SKU: 1, From: 0, To: 7, Num: stock.Rest}))
		suite.Same(s, "units moved", moved.Moves[0].Num, 10)
	})
	s.counts(pool(1, 7), stock.Quantities{Total: 10, Left: 10})
}
