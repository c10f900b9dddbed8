package coupontest

import (
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

func transactionCases() []testCase {
	return []testCase{
		{Name: "CouponOfAnotherOrderRollsBackTheGoods", Run: couponOfAnother, Transactions: true, Beside: true},
		{Name: "GoodsWhoseHoldHasExpiredRollBackTheCoupon", Run: goodsExpired, Transactions: true, Beside: true},
		{Name: "CouponThatHasExpiredRollsBackTheGoods", Run: couponExpired, Transactions: true, Beside: true},
		{Name: "TransactionRolledBackLosesNoCode", Run: rolledBackCode, Transactions: true},
		{Name: "TransactionRolledBackLeavesNothing", Run: rolledBack, Transactions: true},
		{Name: "TransactionCommittedIsThere", Run: committed, Transactions: true},
		{Name: "TransactionGoesOnAfterARefusal", Run: refusalInTransaction, Transactions: true},
		{Name: "TransactionSeesItsOwnChanges", Run: ownChanges, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfCoupons", Run: staleCoupons, Transactions: true},
		{Name: "TransactionDoesNotBelieveItsSnapshotOfClaims", Run: staleClaims, Transactions: true},
	}
}

// bound is what is bound to a transaction.
type bound struct {
	shop  *coupon.Coupons
	goods *stock.Inventory // nil where the scene has none
}

// begin opens a transaction.
func (s *scene) begin() (tx bound, commit, rollback func() error) {
	s.Helper()
	in, commit, rollback := s.Begin(s.TB)
	tx.shop = s.shop.On(in.Store)
	if in.Stock != nil {
		tx.goods = s.goods().On(in.Stock)
	}
	return tx, commit, rollback
}

// behind makes calls in a transaction that has read before the world went on, and commits it: a read of the store may lock what it
// has read, so that the harness takes the snapshot.
func (s *scene) behind(meanwhile func(), calls func(tx bound)) {
	s.Helper()
	suite.Behind(s, s.Conflicts, s.begin, meanwhile, calls)
}

func couponOfAnother(s *scene) {
	s.stocked()
	s.reserve("c", "another")
	tx, _, rollback := s.begin()
	s.No(suite.Err(tx.goods.Lock(s.Context(), "order", one())))
	s.Is(suite.Err(tx.shop.Reserve(s.Context(), "c", "order", dec("100"))), coupon.ErrReserved)
	s.No(rollback())
	s.left(stock.Quantities{Total: 10, Left: 10})
	s.Is(suite.Err(s.goods().Hold(s.Context(), "order")), stock.ErrNotFound)
	s.used("c", "order", coupon.Unused)
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "another")

	s.release("c", "another")
	tx, commit, _ := s.begin()
	s.No(suite.Err(tx.goods.Lock(s.Context(), "order", one())))
	s.No(suite.Err(tx.shop.Reserve(s.Context(), "c", "order", dec("100"))))
	s.No(commit())
	s.left(stock.Quantities{Total: 10, Locked: 1, Left: 10})
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "order")
}

// goodsExpired pays in one transaction for goods that are not held any more and uses the coupon first:
// the error is one of the stock, and names its order.
func goodsExpired(s *scene) {
	goods := s.stocked()
	s.No(suite.Err(goods.Lock(s.Context(), "order", one())))
	s.reserve("c", "order")
	s.Advance(hold)
	was := s.use("c", "order")
	tx, _, rollback := s.begin()
	s.No(suite.Err(tx.shop.Redeem(s.Context(), "c", "order", dec("100"))))
	_, err := tx.goods.Pay(s.Context(), "order")
	s.Is(err, stock.ErrExpired)
	suite.Same(s, "order", suite.As[*stock.StateError](s, err).Order, "order")
	s.IsNot(err, refusals()...)
	s.No(rollback())
	suite.Same(s, "use", s.use("c", "order"), was)
	suite.Same(s, "order", s.state("c", coupon.Reserved).Order, "order")
	s.progress(coupon.Count{Reserved: 1})
}

// couponExpired does it the other way round: the error is one of the coupons.
func couponExpired(s *scene) {
	goods := s.goods()
	s.No(suite.Err(goods.Define(s.Context(), item(1), 10, stock.Terms{})))
	s.define(1, 10, coupon.Rules{}, until(tenOff(), s.now().Add(time.Minute)))
	s.claim("c", "5")
	s.No(suite.Err(goods.Lock(s.Context(), "order", one())))
	s.Advance(time.Minute)
	tx, _, rollback := s.begin()
	s.No(suite.Err(tx.goods.Pay(s.Context(), "order")))
	_, err := tx.shop.Redeem(s.Context(), "c", "order", dec("100"))
	s.Is(err, coupon.ErrExpired)
	s.IsNot(err, stock.ErrExpired, stock.ErrNotPaid)
	suite.Same(s, "coupon", suite.As[*coupon.ValidityError](s, err).Coupon, "c")
	s.No(rollback())
	s.left(stock.Quantities{Total: 10, Locked: 1, Left: 10})
	s.used("c", "order", coupon.Unused)
	s.status("c", coupon.StatusExpired)
}

func rolledBackCode(s *scene) {
	s.pool("A", "B", "C")
	tx, _, rollback := s.begin()
	suite.Same(s, "code", suite.Must(tx.shop.For("5").Claim(s.Context(), "lost", 1)).Code, "A")
	s.No(suite.Err(tx.shop.Issue(s.Context(), gift("b", "1"))))
	s.No(rollback())
	s.unclaimed("lost")
	s.unclaimed(gifted("b", "1"))
	for _, want := range []string{"A", "B", "C"} {
		suite.Same(s, "code", s.claim(want, "5").Code, want)
	}
	s.counts(stock.Quantities{Total: 3, Sold: 3})
}

func rolledBack(s *scene) { s.journey().RolledBack(s) }
func committed(s *scene)  { s.journey().Committed(s) }

// refusalInTransaction has refusals between calls that succeed: a refused call has changed nothing,
// and the caller may go on.
func refusalInTransaction(s *scene) {
	s.define(1, 4, coupon.Rules{PerBuyer: 2}, tenOff())
	s.define(2, 0, coupon.Rules{}, tenOff())
	s.claim("c", "5")
	s.reserve("c", "another")
	s.lock("dead", "6")
	s.Advance(hold)
	tx, commit, _ := s.begin()
	buyer := tx.shop.For("5")
	s.No(suite.Err(buyer.Claim(s.Context(), "d", 1)))
	refused := map[error]error{}
	_, refused[coupon.ErrPerBuyer] = buyer.Claim(s.Context(), "e", 1)
	_, refused[coupon.ErrSoldOut] = buyer.Claim(s.Context(), "e", 2)
	_, refused[coupon.ErrUnknownCampaign] = buyer.Claim(s.Context(), "e", 3)
	_, refused[coupon.ErrMismatch] = buyer.Claim(s.Context(), "d", 2)
	_, refused[coupon.ErrReserved] = tx.shop.Redeem(s.Context(), "c", "order", dec("100"))
	_, refused[coupon.ErrBelowMinimum] = tx.shop.Redeem(s.Context(), "d", "order", dec("1"))
	_, refused[coupon.ErrNotFound] = tx.shop.Redeem(s.Context(), "unknown", "order", dec("100"))
	_, refused[coupon.ErrHoldExpired] = tx.shop.Pay(s.Context(), "dead")
	_, refused[coupon.ErrNotRedeemed] = tx.shop.Return(s.Context(), "d", "order", dec("100"))
	_, refused[coupon.ErrPaid] = tx.shop.Cancel(s.Context(), "c")
	for want, err := range refused {
		s.Is(err, want)
	}
	s.No(suite.Err(tx.shop.Redeem(s.Context(), "d", "order", dec("100"))))
	s.No(commit())
	s.unclaimed("e")
	suite.Same(s, "order", s.state("d", coupon.Redeemed).Order, "order")
	s.counts(stock.Quantities{Total: 4, Sold: 2, Left: 2})
}

func ownChanges(s *scene) {
	s.pool("A", "B", "C", "D")
	tx, commit, _ := s.begin()
	buyer := tx.shop.For("5")
	for i, want := range []string{"A", "B", "C"} {
		id := fmt.Sprint("c", i)
		c := suite.Must(buyer.Claim(s.Context(), id, 1))
		suite.Same(s, "code", c.Code, want)
		suite.Replays(s, "replay", suite.Must(buyer.Claim(s.Context(), id, 1)), c)
		suite.Same(s, "coupon by code", suite.Must(buyer.ByCode(s.Context(), want)).ID, id)
	}
	use := suite.Must(tx.shop.Reserve(s.Context(), "c0", "order", dec("100")))
	suite.Replays(s, "replay", suite.Must(tx.shop.Reserve(s.Context(), "c0", "order", dec("100"))), use)
	s.Is(suite.Err(tx.shop.Reserve(s.Context(), "c0", "another", dec("100"))), coupon.ErrReserved)
	s.No(suite.Err(tx.shop.Redeem(s.Context(), "c0", "order", dec("100"))))
	s.No(suite.Err(tx.shop.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "c1"})))
	uses := suite.Must(tx.shop.UsedBy(s.Context(), "order"))
	s.Count("uses", len(uses), 1)
	suite.Same(s, "progress", suite.Must(tx.shop.Progress(s.Context(), 1)), coupon.Count{Usable: 1, Redeemed: 1, Revoked: 1})
	report := suite.Must(tx.shop.Audit(s.Context()))
	suite.Same(s, "balanced", report.Balanced(), true)
	s.No(commit())
	s.progress(coupon.Count{Usable: 1, Redeemed: 1, Revoked: 1})
}

// staleCoupons lets the world go on between the snapshot of a transaction and its calls: what it has
// read is no reason for anything.
func staleCoupons(s *scene) {
	s.open(20)
	for _, id := range []string{"reserved", "released", "redeemed", "returned", "revoked", "mine", "forgone"} {
		s.claim(id, "5")
	}
	s.reserve("released", "B")
	s.redeem("returned", "B")
	s.behind(func() {
		s.reserve("reserved", "B")
		s.release("released", "B")
		s.redeem("redeemed", "B")
		s.giveBack("returned", "B")
		s.revoke("r", "revoked")
		s.redeem("mine", "A")
		s.release("forgone", "A")
		s.claim("new", "5")
	}, func(tx bound) {
		s.Is(suite.Err(tx.shop.Reserve(s.Context(), "reserved", "A", dec("100"))), coupon.ErrReserved)
		s.Is(suite.Err(tx.shop.Reserve(s.Context(), "redeemed", "A", dec("100"))), coupon.ErrRedeemed)
		s.Is(suite.Err(tx.shop.Redeem(s.Context(), "revoked", "A", dec("100"))), coupon.ErrRevoked)
		s.Is(suite.Err(tx.shop.Redeem(s.Context(), "forgone", "A", dec("100"))), coupon.ErrReleased)
		s.Is(suite.Err(tx.shop.Revoke(s.Context(), coupon.Revocation{ID: "r2", Coupon: "redeemed", Restock: true})), coupon.ErrRedeemed)
		s.Is(suite.Err(tx.shop.Refund(s.Context(), coupon.Refund{ID: "r3", Coupon: "revoked", Restock: true})), coupon.ErrRevoked)
		s.No(suite.Err(tx.shop.Revoke(s.Context(), coupon.Revocation{ID: "r", Coupon: "revoked", Restock: true})))
		for _, id := range []string{"released", "returned", "new"} {
			s.No(suite.Err(tx.shop.Redeem(s.Context(), id, "A", dec("100"))))
		}
		suite.Same(s, "state", suite.Must(tx.shop.Redeem(s.Context(), "mine", "A", dec("100"))).State, coupon.UseRedeemed)
	})
	s.progress(coupon.Count{Usable: 1, Reserved: 1, Redeemed: 5, Revoked: 1})
}

// staleClaims does the same with claims, codes and batches.
func staleClaims(s *scene) {
	s.pool("A", "B", "C", "D")
	s.lock("paid", "5")
	s.lock("cancelled", "5")
	s.behind(func() {
		suite.Same(s, "code", s.pay("paid").Code, "A")
		s.cancel("cancelled")
		s.cancel("closed")
		suite.Same(s, "code", s.claim("new", "5").Code, "B")
		s.issue(gift("b", "1"), granted("b", coupon.Given, "1"), nil)
		s.load(1, "E")
	}, func(tx bound) {
		buyer := tx.shop.For("5")
		suite.Same(s, "code", suite.Must(buyer.Claim(s.Context(), "mine", 1)).Code, "D")
		s.Is(suite.Err(buyer.Claim(s.Context(), "closed", 1)), coupon.ErrCancelled)
		s.Is(suite.Err(tx.shop.Pay(s.Context(), "cancelled")), coupon.ErrCancelled)
		suite.Same(s, "code", suite.Must(tx.shop.Pay(s.Context(), "paid")).Code, "A")
		suite.Same(s, "code", suite.Must(buyer.Claim(s.Context(), "new", 1)).Code, "B")
		issued := suite.Must(tx.shop.Issue(s.Context(), gift("b", "1")))
		suite.Same(s, "batch", issued, coupon.IssueResult{Given: granted("b", coupon.Given, "1"), Replay: true})
		got := suite.Must(tx.shop.Import(s.Context(), 1, slices.Values([]string{"E", "F"})))
		suite.Same(s, "imported", got, coupon.ImportResult{Added: 1, Known: 1})
		suite.Same(s, "code", suite.Must(buyer.Claim(s.Context(), "last", 1)).Code, "E")
	})
	s.counts(stock.Quantities{Total: 6, Sold: 5, Left: 1})
}
