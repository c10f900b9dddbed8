package groupbuytest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// transactionCases join a caller's transaction.
func transactionCases() []testCase {
	return []testCase{
		{Name: "FullTeamRollsBackTheGoods", Run: seatOfAnother, Transactions: true},
		{Name: "LatePaymentIsCommittedWithItsRefund", Run: lateInTransaction, Transactions: true},
		{Name: "TransactionRolledBackLeavesNothing", Run: rolledBack, Transactions: true},
		{Name: "TransactionCommittedIsThere", Run: committed, Transactions: true},
		{Name: "TransactionGoesOnAfterARefusal", Run: refusalInTransaction, Transactions: true},
		{Name: "TransactionSeesItsOwnChanges", Run: ownChanges, Transactions: true},
		{Name: "TransactionSweepsAreRolledBackAsWell", Run: rolledBackSweep, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfSeats", Run: staleSeats, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfTeams", Run: staleTeams, Transactions: true},
		{Name: "TransactionThatEndsGivesBackWhatItsSnapshotDoesNotShow", Run: endBehind, Transactions: true},
		{Name: "TransactionInADeadlockIsRolledBackWhole", Run: deadlock, Transactions: true},
	}
}

// begin opens a transaction and returns groups in it, the stock in it, and how to end it.
func (s *scene) begin() (groups *groupbuy.Groups, goods *stock.Inventory, commit, rollback func() error) {
	s.Helper()
	store, commit, rollback := s.Begin(s.TB)
	return s.groups.On(store), stock.New(store.Units(), nil), commit, rollback
}

// beginGroups opens one for groups alone.
func (s *scene) beginGroups() (groups *groupbuy.Groups, commit, rollback func() error) {
	s.Helper()
	groups, _, commit, rollback = s.begin()
	return groups, commit, rollback
}

// behind makes calls in a transaction that has read before the world went on, and commits it.
func (s *scene) behind(meanwhile func(), calls func(groups *groupbuy.Groups)) {
	s.Helper()
	suite.Behind(s, s.Conflicts, s.beginGroups, meanwhile, calls)
}

// seatOfAnother locks goods and takes a seat for one order, and the seat is another's.
func seatOfAnother(s *scene) {
	s.opened(people(2), 90)
	code := s.team([]string{anna, ben})
	groups, shop, _, rollback := s.begin()
	s.No(suite.Err(shop.Lock(s.Context(), "goods", stock.Line{SKU: goods, Num: 1})))
	s.only(suite.Err(buy("3", carol).Join(s.Context(), groups, code)), groupbuy.ErrFull)
	s.No(rollback())
	s.shelf(inStock - 90)
	s.Is(suite.Err(s.ordinary().Hold(s.Context(), "goods")), stock.ErrNotFound)

	s.cancel("2")
	groups, shop, commit, _ := s.begin()
	s.No(suite.Err(shop.Lock(s.Context(), "goods", stock.Line{SKU: goods, Num: 1})))
	s.No(suite.Err(buy("3", carol).Join(s.Context(), groups, code)))
	s.No(commit())
	suite.Same(s, "goods that are locked", s.item(stock.Key{SKU: goods}).Locked, 1)
	s.counts(code, 2, 0, "0")
}

func lateInTransaction(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	groups, _, _, rollback := s.begin()
	suite.Same(s, "due", suite.Must(groups.Pay(s.Context(), "2")).Due, true)
	s.No(rollback())
	s.tells(code)
	s.seat("2", groupbuy.Held)
	groups, _, commit, _ := s.begin()
	suite.Same(s, "due", suite.Must(groups.Pay(s.Context(), "2")).Due, true)
	s.No(commit())
	s.seat("2", groupbuy.RefundDue)
	s.tells(code, released("2"), owes("2"))
}

func rolledBack(s *scene) { s.journey().RolledBack(s) }
func committed(s *scene)  { s.journey().Committed(s) }

// refusalInTransaction has refusals between calls that succeed: a refused call has changed nothing, and the caller may
// go on.
func refusalInTransaction(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	full := s.open("f", anna).Team
	s.join(full, "g", ben)
	s.join(full, "h", carol)
	groups, _, commit, _ := s.begin()
	ctx := s.Context()
	s.No(suite.Err(buy("3", carol).Join(ctx, groups, code)))
	for want, call := range map[error]func() error{
		groupbuy.ErrJoined:         func() error { return suite.Err(buy("x", anna).Join(ctx, groups, code)) },
		groupbuy.ErrFull:           func() error { return suite.Err(buy("x", dan).Join(ctx, groups, full)) },
		groupbuy.ErrUnknownTeam:    func() error { return suite.Err(buy("x", dan).Join(ctx, groups, sample)) },
		groupbuy.ErrMismatch:       func() error { return suite.Err(buy("1", dan).Open(ctx, groups)) },
		groupbuy.ErrNotFound:       func() error { return suite.Err(groups.Pay(ctx, "unknown")) },
		groupbuy.ErrPaid:           func() error { return suite.Err(groups.Cancel(ctx, "1")) },
		groupbuy.ErrNotPaid:        func() error { return suite.Err(groups.Refund(ctx, byHand("2"))) },
		groupbuy.ErrNobodyPaid:     func() error { return suite.Err(groups.Form(ctx, full, decided())) },
		stock.ErrInsufficient:      func() error { return suite.Err(buyVolume("x", dan, "91").Open(ctx, groups)) },
		groupbuy.ErrUnknownProduct: func() error { return suite.Err(groups.Restock(ctx, "x", stock.Key{SKU: 43, Activity: fair}, 1)) },
	} {
		s.only(call(), want)
	}
	s.No(suite.Err(groups.Pay(ctx, "3")))
	s.No(commit())
	s.counts(code, 1, 2, "2")
	s.seatless("x")
	s.pool(stock.Quantities{Total: 90, Locked: 4, Sold: 2})
}

func ownChanges(s *scene) {
	s.stocked(goods, inStock)
	groups, _, commit, _ := s.begin()
	ctx := s.Context()
	s.No(suite.Err(groups.Define(ctx, s.activity())))
	s.No(suite.Err(groups.Offer(ctx, product(people(2)), 90)))
	seat := suite.Must(buy("1", anna).Open(ctx, groups))
	s.only(suite.Err(buy("2", anna).Join(ctx, groups, seat.Team)), groupbuy.ErrJoined)
	s.No(suite.Err(buy("2", ben).Join(ctx, groups, seat.Team)))
	s.No(suite.Err(groups.Pay(ctx, "1")))
	p := suite.Must(groups.Pay(ctx, "2"))
	suite.Same(s, "payment", []any{p.Formed, orders(p.Members)}, []any{true, []string{"1", "2"}})
	s.Count("events, which are told with the commit", len(s.deliver()), 0)
	s.No(commit())
	s.Count("events", len(s.deliver()), 1)
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 2)
}

func rolledBackSweep(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	s.Advance(runs)
	was := s.everything()
	groups, _, _, rollback := s.begin()
	n := suite.Must(groups.Expire(s.Context()))
	suite.Same(s, "something expired", n > 0, true)
	s.No(rollback())
	suite.Same(s, "everything", s.everything(), was)
	groups, _, commit, _ := s.begin()
	s.No(suite.Err(groups.Expire(s.Context())))
	s.No(commit())
	s.sweep()
	s.seat("1", groupbuy.RefundDue)
	s.shelf(inStock)
	groups, _, _, rollback = s.begin()
	suite.Same(s, "state", suite.Must(groups.Return(s.Context(), "1")).State, groupbuy.Refunded)
	s.No(rollback())
	s.seat("1", groupbuy.RefundDue)
}

// staleSeats pays and cancels, in a transaction, seats that were moved after it began.
func staleSeats(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	s.behind(func() {
		s.pay("1")
		s.cancel("2")
	}, func(groups *groupbuy.Groups) {
		s.only(suite.Err(groups.Cancel(s.Context(), "1")), groupbuy.ErrPaid)
		suite.Same(s, "state", suite.Must(groups.Pay(s.Context(), "1")).Seat.State, groupbuy.Paid)
		suite.Same(s, "state", suite.Must(groups.Cancel(s.Context(), "2")).State, groupbuy.Cancelled)
	})
	s.counts(code, 1, 1, "1")
}

// staleTeams makes, in a transaction, the last payment of a team that others have paid since it began.
func staleTeams(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	full := s.open("4", anna).Team
	s.behind(func() {
		s.pay("1")
		s.pay("2")
		s.join(full, "5", ben)
		s.join(full, "6", carol)
	}, func(groups *groupbuy.Groups) {
		p := suite.Must(groups.Pay(s.Context(), "3"))
		suite.Same(s, "payment", []any{p.Formed, orders(p.Members), p.Team.Paid}, []any{true, []string{"1", "2", "3"}, int64(3)})
		s.only(suite.Err(buy("7", dan).Join(s.Context(), groups, full)), groupbuy.ErrFull)
		s.No(suite.Err(groups.Fail(s.Context(), full, decided())))
	})
	s.is(code, groupbuy.Formed)
	s.is(full, groupbuy.Failed)
	s.counts(full, 0, 0, "0")
}

func deadlock(s *scene) {
	s.define(s.activity())
	var codes [2]string
	for i := range codes {
		p := product(people(9))
		p.SKU = int64(100 + i)
		s.stocked(p.SKU, 20)
		s.offer(p, 20)
		codes[i] = s.openAs(buy(numbered(0, i), anna).of(p.Key)).Team
	}
	join := func(i, team int) func(*groupbuy.Groups) error {
		p := buy(numbered(1+i, team), fmt.Sprint(100+i))
		p.Product.SKU = int64(100 + team)
		return func(g *groupbuy.Groups) error { return suite.Err(p.Join(s.Context(), g, codes[team])) }
	}
	calls := [2][2]func(*groupbuy.Groups) error{{join(0, 0), join(0, 1)}, {join(1, 1), join(1, 0)}}
	suite.Deadlock(s, s.beginGroups, calls, func(i int) {
		for team := range codes {
			s.seatless(numbered(1+i, team))
		}
	})
	for _, code := range codes {
		s.counts(code, 3, 0, "0")
	}
}

// endBehind ends an activity in a transaction that has read before a product was offered.
func endBehind(s *scene) {
	s.stocked(goods, inStock)
	s.define(s.activity())
	s.behind(func() { s.offer(product(people(2)), 90) },
		func(groups *groupbuy.Groups) { s.No(suite.Err(groups.End(s.Context(), fair))) })
	s.sweep()
	s.shown(groupbuy.Settled)
	s.shelf(inStock)
	s.pool(stock.Quantities{})
}
