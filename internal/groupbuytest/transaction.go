package groupbuytest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// transactionCases join a caller's transaction.
func transactionCases() []testCase {
	return []testCase{
		{name: "FullTeamRollsBackTheGoods", run: seatOfAnother, transactions: true},
		{name: "LatePaymentIsCommittedWithItsRefund", run: lateInTransaction, transactions: true},
		{name: "TransactionRolledBackLeavesNothing", run: rolledBack, transactions: true},
		{name: "TransactionCommittedIsThere", run: committed, transactions: true},
		{name: "TransactionGoesOnAfterARefusal", run: refusalInTransaction, transactions: true},
		{name: "TransactionSeesItsOwnChanges", run: ownChanges, transactions: true},
		{name: "TransactionSweepsAreRolledBackAsWell", run: rolledBackSweep, transactions: true},
		{name: "TransactionDoesNotBelieveItsSnapshotOfSeats", run: staleSeats, transactions: true},
		{name: "TransactionDoesNotBelieveItsSnapshotOfTeams", run: staleTeams, transactions: true},
		{name: "TransactionInADeadlockIsRolledBackWhole", run: deadlock, transactions: true},
	}
}

// begin opens a transaction and returns groups in it, the stock in it, and how to end it.
func (s *scene) begin() (groups *groupbuy.Groups, goods *stock.Inventory, commit, rollback func()) {
	s.Helper()
	store, c, r := s.Begin(s.TB)
	goods = stock.New(store.Units(groupbuy.Along{}), nil)
	return s.groups.On(store), goods, func() { s.Helper(); s.No(c()) }, func() { s.Helper(); s.No(r()) }
}

// behind makes calls in a transaction that has read before the world went on, and commits it.
func (s *scene) behind(meanwhile func(), calls func(groups *groupbuy.Groups)) {
	s.Helper()
	groups, _, commit, rollback := s.begin()
	meanwhile()
	if s.StartsOver(s.Conflicts, func() { calls(groups) }) {
		rollback()
		groups, _, commit, _ = s.begin()
		calls(groups)
	}
	commit()
}

// seatOfAnother locks goods and takes a seat for one order, and the seat is another's.
func seatOfAnother(s *scene) {
	s.opened(people(2), 90)
	code := s.team([]string{anna, ben})
	groups, shop, _, rollback := s.begin()
	_, err := shop.Lock(s.Context(), "goods", stock.Line{SKU: goods, Num: 1})
	s.No(err)
	_, err = groups.Join(s.Context(), code, buy("3", carol))
	s.only(err, groupbuy.ErrFull)
	rollback()
	s.shelf(inStock - 90)
	_, err = s.ordinary().Hold(s.Context(), "goods")
	s.Is(err, stock.ErrNotFound)

	s.cancel("2")
	groups, shop, commit, _ := s.begin()
	_, err = shop.Lock(s.Context(), "goods", stock.Line{SKU: goods, Num: 1})
	s.No(err)
	_, err = groups.Join(s.Context(), code, buy("3", carol))
	s.No(err)
	commit()
	suite.Same(s, "goods that are locked", s.item(stock.Key{SKU: goods}).Locked, 1)
	s.counts(code, 2, 0, "0")
}

func lateInTransaction(s *scene) {
	s.live()
	code := s.team([]string{anna, ben}, "1")
	s.Advance(hold)
	groups, _, _, rollback := s.begin()
	p, err := groups.Pay(s.Context(), "2")
	s.No(err)
	suite.Same(s, "due", p.Due, true)
	rollback()
	s.tells(code)
	s.seat("2", groupbuy.Held)
	groups, _, commit, _ := s.begin()
	p, err = groups.Pay(s.Context(), "2")
	s.No(err)
	suite.Same(s, "due", p.Due, true)
	commit()
	s.seat("2", groupbuy.RefundDue)
	s.tells(code, released("2"), owes("2"))
}

// rolledBack takes each call of a journey back before it makes it for good.
func rolledBack(s *scene) {
	for _, stage := range s.journey() {
		was := s.everything()
		groups, _, _, rollback := s.begin()
		if err := stage.call(groups); err != nil {
			s.Fatalf("%s in a transaction: %v", stage.name, err)
		}
		rollback()
		suite.Same(s, "everything after "+stage.name, s.everything(), was)
		if err := stage.call(s.groups); err != nil {
			s.Fatalf("%s: %v", stage.name, err)
		}
	}
	s.journeyEnd()
}

// committed makes the whole journey, each call in a transaction of its own and then the rest of it in one.
func committed(s *scene) {
	journey := s.journey()
	alone := len(journey) / 2
	for _, stage := range journey[:alone] {
		groups, _, commit, _ := s.begin()
		if err := stage.call(groups); err != nil {
			s.Fatalf("%s: %v", stage.name, err)
		}
		commit()
	}
	groups, _, commit, _ := s.begin()
	for _, stage := range journey[alone:] {
		if err := stage.call(groups); err != nil {
			s.Fatalf("%s: %v", stage.name, err)
		}
	}
	commit()
	s.journeyEnd()
}

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
	_, err := groups.Join(ctx, code, buy("3", carol))
	s.No(err)
	for want, call := range map[error]func() error{
		groupbuy.ErrJoined:         func() error { return suite.Outcome(groups.Join(ctx, code, buy("x", anna))) },
		groupbuy.ErrFull:           func() error { return suite.Outcome(groups.Join(ctx, full, buy("x", dan))) },
		groupbuy.ErrUnknownTeam:    func() error { return suite.Outcome(groups.Join(ctx, sample, buy("x", dan))) },
		groupbuy.ErrMismatch:       func() error { return suite.Outcome(groups.Open(ctx, buy("1", dan))) },
		groupbuy.ErrNotFound:       func() error { return suite.Outcome(groups.Pay(ctx, "unknown")) },
		groupbuy.ErrPaid:           func() error { return suite.Outcome(groups.Cancel(ctx, "1")) },
		groupbuy.ErrNotPaid:        func() error { return suite.Outcome(groups.Refund(ctx, byHand("2"))) },
		groupbuy.ErrNobodyPaid:     func() error { return suite.Outcome(groups.Form(ctx, full, decided())) },
		stock.ErrInsufficient:      func() error { return suite.Outcome(groups.Open(ctx, buyVolume("x", dan, "91"))) },
		groupbuy.ErrUnknownProduct: func() error { return groups.AddStock(ctx, "x", stock.Key{SKU: 43, Activity: fair}, 1) },
	} {
		s.only(call(), want)
	}
	_, err = groups.Pay(ctx, "3")
	s.No(err)
	commit()
	s.counts(code, 1, 2, "2")
	s.seatless("x")
	s.pool(stock.Quantities{Total: 90, Locked: 4, Sold: 2})
}

func ownChanges(s *scene) {
	s.stocked(goods, inStock)
	groups, _, commit, _ := s.begin()
	ctx := s.Context()
	_, err := groups.Define(ctx, s.activity())
	s.No(err)
	_, err = groups.Offer(ctx, product(people(2)), 90)
	s.No(err)
	seat, err := groups.Open(ctx, buy("1", anna))
	s.No(err)
	_, err = groups.Join(ctx, seat.Team, buy("2", anna))
	s.only(err, groupbuy.ErrJoined)
	_, err = groups.Join(ctx, seat.Team, buy("2", ben))
	s.No(err)
	_, err = groups.Pay(ctx, "1")
	s.No(err)
	p, err := groups.Pay(ctx, "2")
	s.No(err)
	suite.Same(s, "payment", []any{p.Formed, orders(p.Members)}, []any{true, []string{"1", "2"}})
	events, err := suite.Gather(groups.Events(ctx, seat.Team))
	s.No(err)
	s.Count("events", len(events), 1)
	_, err = suite.Gather(s.groups.Events(ctx, seat.Team)) // from outside there is nothing yet
	s.only(err, groupbuy.ErrUnknownTeam)
	s.Count("events", len(s.deliver()), 0)
	commit()
	s.Count("events", len(s.deliver()), 1)
	suite.Same(s, "people", s.shown(groupbuy.Offered).Formed, 2)
}

func rolledBackSweep(s *scene) {
	s.live()
	s.team([]string{anna, ben}, "1")
	s.Advance(runs)
	was := s.everything()
	groups, _, _, rollback := s.begin()
	n, err := groups.Expire(s.Context())
	s.No(err)
	suite.Same(s, "something expired", n > 0, true)
	rollback()
	suite.Same(s, "everything", s.everything(), was)
	groups, _, commit, _ := s.begin()
	_, err = groups.Expire(s.Context())
	s.No(err)
	commit()
	s.sweep()
	s.seat("1", groupbuy.RefundDue)
	s.shelf(inStock)
	groups, _, _, rollback = s.begin()
	given := 0
	_, err = groups.Deliver(s.Context(), func(context.Context, groupbuy.Event) error { given++; return nil })
	s.No(err)
	rollback()
	s.Count("events", len(s.deliver()), given)
}

// staleSeats pays and cancels, in a transaction, seats that were moved after it began.
func staleSeats(s *scene) {
	s.live()
	code := s.team([]string{anna, ben, carol})
	s.behind(func() {
		s.pay("1")
		s.cancel("2")
	}, func(groups *groupbuy.Groups) {
		_, err := groups.Cancel(s.Context(), "1")
		s.only(err, groupbuy.ErrPaid)
		p, err := groups.Pay(s.Context(), "1")
		s.No(err)
		suite.Same(s, "state", p.Seat.State, groupbuy.Paid)
		seat, err := groups.Cancel(s.Context(), "2")
		s.No(err)
		suite.Same(s, "state", seat.State, groupbuy.Cancelled)
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
		p, err := groups.Pay(s.Context(), "3")
		s.No(err)
		suite.Same(s, "payment", []any{p.Formed, orders(p.Members), p.Team.Paid}, []any{true, []string{"1", "2", "3"}, int64(3)})
		_, err = groups.Join(s.Context(), full, buy("7", dan))
		s.only(err, groupbuy.ErrFull)
		_, err = groups.Fail(s.Context(), full, decided())
		s.No(err)
	})
	s.is(code, groupbuy.Formed)
	s.is(full, groupbuy.Failed)
	s.counts(full, 0, 0, "0")
}

// deadlock makes two transactions want what the other one has. The library must neither wait for ever nor run a part
// of a transaction again: the victim is told to, from its beginning.
func deadlock(s *scene) {
	s.define(s.activity())
	var codes [2]string
	for i := range codes {
		p := product(people(9))
		p.SKU = int64(100 + i)
		s.stocked(p.SKU, 20)
		s.offer(p, 20)
		b := buy(numbered(0, i), anna)
		b.Product = p.Key
		codes[i] = s.openAs(b).Team
	}
	var met sync.WaitGroup
	met.Add(len(codes))
	bodies := make([]func() error, len(codes))
	for i := range codes {
		bodies[i] = s.joinBoth(i, codes, func() { met.Done(); met.Wait() })
	}
	errs := suite.Together(len(codes), func(i int) error { return bodies[i]() })
	if errs[0] != nil && errs[1] != nil {
		s.Fatalf("both failed: %v; %v", errs[0], errs[1])
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !groupbuy.Retryable(err) {
			s.Fatalf("the victim cannot know that it may run again: %v", err)
		}
		for k := range codes { // nothing of it is half done
			s.seatless(numbered(1+i, k))
		}
		s.No(s.joinBoth(i, codes, func() {})())
	}
	for _, code := range codes {
		s.counts(code, 3, 0, "0")
	}
}

// joinBoth opens a transaction and returns what it does: two joins, with something in between, and a commit, or a
// rollback at the first error.
func (s *scene) joinBoth(i int, codes [2]string, between func()) func() error {
	s.Helper()
	store, commit, rollback := s.Begin(s.TB)
	groups := s.groups.On(store)
	join := func(k int) error {
		p := buy(numbered(1+i, k), fmt.Sprint(100+i))
		p.Product.SKU = int64(100 + k)
		return suite.Outcome(groups.Join(s.Context(), codes[k], p))
	}
	return func() error {
		err := join(i)
		between() // each has its first team before either asks for its second
		if err == nil {
			err = join(1 - i)
		}
		if err != nil {
			return errors.Join(err, rollback())
		}
		return commit()
	}
}
