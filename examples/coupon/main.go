// Coupon is a shop that gives out coupons (领券) and accepts them at checkout (核销). It follows a few of them: claimed,
// reserved for an order, redeemed, returned, released, bought, given, revoked. Then thousands of buyers rush for a
// thousand codes at once (抢券). Finally it prints and checks its books.
//
//	go run ./examples/coupon                                              in memory
//	go run ./examples/coupon -dsn 'user:password@tcp(127.0.0.1:3306)/'    on MySQL
//
// On MySQL the shop has orders of its own: an order and its coupon change in one transaction.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func main() {
	buyers := flag.Int("buyers", 5000, "how many buyers rush")
	codes := flag.Int64("codes", 1000, "how many codes there are")
	example.Main(func(ctx context.Context, db *sql.DB, w io.Writer) error {
		_, err := run(ctx, db, w, *buyers, *codes)
		return err
	})
}

// run is the program: the set-up, the story, the rush and the books.
func run(ctx context.Context, db *sql.DB, w io.Writer, buyers int, codes int64) (books, error) {
	s, err := open(ctx, db, w)
	if err != nil {
		return books{}, err
	}
	if err := s.define(ctx, codes); err != nil {
		return books{}, err
	}
	s.checkout(ctx)
	s.gifts(ctx)
	if err := s.Err(); err != nil {
		return books{}, err
	}
	owners, err := s.rush(ctx, buyers)
	if err != nil {
		return books{}, err
	}
	fmt.Fprintf(w, "\n%s buyers rush for %s codes: %s have one.\n", example.Count(buyers), example.Count(codes), example.Count(len(owners)))
	return s.audit(ctx, w, owners)
}

// shop is the shop around the library.
type shop struct {
	*example.Story

	db      *sql.DB          // nil in memory
	store   *sqlstore.Coupon // on db
	coupons *coupon.Coupons
}

// open opens the shop. On MySQL it makes the tables of the library, and that of the shop's orders.
func open(ctx context.Context, db *sql.DB, w io.Writer) (*shop, error) {
	story := example.NewStory(w)
	if db == nil {
		return &shop{Story: story, coupons: coupon.New(new(coupon.Memory), nil)}, nil
	}
	if err := sqlstore.Migrate(ctx, db, nil); err != nil {
		return nil, err
	}
	_, err := db.ExecContext(ctx, `CREATE TABLE shop_order (
		order_no VARBINARY(64) PRIMARY KEY,
		buyer    VARBINARY(64) NOT NULL,
		total    DECIMAL(10,2) NOT NULL,
		state    VARCHAR(16) NOT NULL)`)
	store := sqlstore.NewCoupon(db, nil)
	return &shop{Story: story, db: db, store: store, coupons: coupon.New(store, nil)}, err
}

// The campaigns: coupons that buyers claim, that they buy, that the shop gives to regulars, and those of the rush.
const (
	welcome int64 = iota + 1
	bought
	thanks
	spring
)

// define makes the campaigns and the codes. Once more, it changes no units, but sets rules and terms anew.
func (s *shop) define(ctx context.Context, codes int64) error {
	hundred := stock.Quantities{Total: 100}
	for _, c := range []coupon.Campaign{
		{ID: welcome, Quantities: hundred, Terms: coupon.Terms{
			Title: "20.00 off from 100.00", Kind: coupon.AmountOff, Amount: yuan("20"), Minimum: yuan("100"),
		}},
		{ID: bought, Quantities: hundred, Terms: coupon.Terms{Title: "50.00 off", Kind: coupon.AmountOff, Amount: yuan("50")}},
		{ID: thanks, Quantities: hundred, Terms: coupon.Terms{
			Title: "15 % off, 30.00 at most", Kind: coupon.PercentOff, Percent: yuan("15"), Cap: yuan("30"),
		}},
		{ID: spring, Terms: coupon.Terms{Title: "10.00 off, by code", Kind: coupon.AmountOff, Amount: yuan("10"), Pool: true}},
	} {
		c.Places, c.ForDays, c.Zone = 2, 7, "Asia/Shanghai"
		if _, err := s.coupons.Define(ctx, c.ID, c.Total, coupon.Rules{PerBuyer: 1}, c.Terms); err != nil {
			return err
		}
	}
	_, err := s.coupons.Generate(ctx, spring, codes, nil)
	return err
}

func yuan(amount string) decimal.Decimal { return decimal.RequireFromString(amount) }

// inTx changes an order of the shop by a statement and its coupon by a call, in one transaction: both or neither. In memory the
// shop keeps no orders.
func (s *shop) inTx(ctx context.Context, call func(*coupon.Coupons) error, statement string, args ...any) error {
	if s.db == nil {
		return call(s.coupons)
	}
	return example.InTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := example.Exec(ctx, tx, statement, args...); err != nil {
			return err
		}
		return call(s.coupons.On(s.store.WithTx(tx)))
	})
}

// place places an order with a coupon. Its statement is safe to repeat, and a coupon that refuses leaves no order behind.
func (s *shop) place(ctx context.Context, order, buyer, id, total string) (use coupon.Use, err error) {
	err = s.inTx(ctx, func(coupons *coupon.Coupons) (err error) {
		use, err = coupons.For(buyer).Reserve(ctx, id, order, yuan(total))
		return err
	}, "INSERT INTO shop_order VALUES (?, ?, ?, 'placed')", order, buyer, total)
	return use, err
}

// pay is the callback of a payment, which may come twice. The total is that of the cart, before the discount.
func (s *shop) pay(ctx context.Context, order, id, total string) (use coupon.Use, err error) {
	err = s.inTx(ctx, func(coupons *coupon.Coupons) (err error) {
		use, err = coupons.Redeem(ctx, id, order, yuan(total))
		return err
	}, "UPDATE shop_order SET state = 'paid', total = ? WHERE order_no = ? AND state = 'placed'", total, order)
	return use, err
}

// refund refunds an order; refunded is the amount in all. The coupon returns only if that is all that was paid. After
// coupon.ErrPartial a real shop refunds the money all the same, without Return.
func (s *shop) refund(ctx context.Context, order, id, refunded string) error {
	return s.inTx(ctx, func(coupons *coupon.Coupons) error {
		_, err := coupons.Return(ctx, id, order, yuan(refunded))
		return err
	}, "UPDATE shop_order SET state = 'refunded' WHERE order_no = ? AND state = 'paid'", order)
}

// cancel closes an order that is not paid.
func (s *shop) cancel(ctx context.Context, order, id string) error {
	return s.inTx(ctx, func(coupons *coupon.Coupons) error {
		_, err := coupons.Release(ctx, id, order)
		return err
	}, "UPDATE shop_order SET state = 'cancelled' WHERE order_no = ? AND state = 'placed'", order)
}

// The buyers of the story; those of the rush are a crowd.
const (
	ann  = "u-ann"
	bo   = "u-bo"
	chen = "u-chen"
)

func crowd(i int) string { return fmt.Sprintf("u-%d", i) }

// checkout follows a coupon through the orders of Ann.
func (s *shop) checkout(ctx context.Context) {
	c, err := s.coupons.For(ann).Claim(ctx, "ann-1", welcome)
	s.Tell("Ann claims a coupon", err, "%s, until %s", c.Title, c.Until.Format(time.DateOnly))
	_, err = s.coupons.For(ann).Claim(ctx, "ann-1", welcome)
	s.Tell("her phone sends that once more", err, "the same coupon")
	_, err = s.coupons.For(ann).Claim(ctx, "ann-2", welcome)
	s.Refused("she claims another", err, coupon.ErrPerBuyer)

	use, err := s.place(ctx, "A-1", ann, c.ID, "150.00")
	s.Tell("she orders A-1 for 150.00 with it", err, "reserved, %s off", use.Discount.StringFixed(2))
	_, err = s.place(ctx, "A-2", ann, c.ID, "120.00")
	s.Refused("she orders A-2 with it", err, coupon.ErrReserved)
	_, err = s.pay(ctx, "A-1", c.ID, "80.00")
	s.Refused("she empties the cart of A-1 to 80.00 and pays", err, coupon.ErrBelowMinimum)
	for _, what := range []string{"she fills it to 105.00 and pays", "the callback of that payment comes again"} {
		use, err = s.pay(ctx, "A-1", c.ID, "105.00")
		s.Tell(what, err, "redeemed, %s off", use.Discount.StringFixed(2))
	}
	s.Refused("the shop refunds 40.00 of A-1", s.refund(ctx, "A-1", c.ID, "40.00"), coupon.ErrPartial)
	s.Tell("the shop refunds all of A-1", s.refund(ctx, "A-1", c.ID, "85.00"), "the coupon is hers again")

	_, err = s.place(ctx, "A-3", ann, c.ID, "130.00")
	s.Tell("she orders A-3 for 130.00 with it", err, "reserved")
	s.Tell("she cancels A-3", s.cancel(ctx, "A-3", c.ID), "released")
	_, err = s.place(ctx, "A-3", ann, c.ID, "130.00")
	s.Refused("a late request for A-3 arrives", err, coupon.ErrReleased)
	_, err = s.place(ctx, "A-4", ann, c.ID, "200.00")
	s.Tell("she orders A-4 for 200.00 with it", err, "reserved")
}

// gifts are coupons that buyers pay for, and coupons that the shop gives and takes back.
func (s *shop) gifts(ctx context.Context) {
	c, err := s.coupons.For(bo).Lock(ctx, "bo-1", bought)
	s.Tell("Bo buys a coupon for 40.00", err, "%s, %v until %s", c.Title, c.State, c.Deadline.Format(time.TimeOnly))
	c, err = s.coupons.Pay(ctx, "bo-1")
	s.Tell("his 40.00 arrive", err, "%v", c.State)
	_, err = s.coupons.For(chen).Lock(ctx, "chen-1", bought)
	s.Tell("Chen buys one, too", err, "pending")
	dropped, err := s.coupons.Cancel(ctx, "chen-1")
	s.Tell("Chen does not want it any more", err, "%v", dropped.State)
	_, err = s.place(ctx, "B-1", bo, c.ID, "60.00")
	s.Tell("Bo orders B-1 for 60.00 with his", err, "reserved")
	use, err := s.pay(ctx, "B-1", c.ID, "60.00")
	s.Tell("Bo pays B-1", err, "redeemed, %s off", use.Discount.StringFixed(2))

	regulars := coupon.Batch{ID: "regulars", Campaign: thanks, Buyers: []string{ann, bo, chen}, All: true}
	var issued coupon.IssueResult
	for _, what := range []string{"the shop gives three regulars a coupon", "that job runs again"} {
		issued, err = s.coupons.Issue(ctx, regulars)
		s.Tell(what, err, "%d have one", len(issued.Given))
	}
	if err != nil {
		return
	}
	id := issued.Given[2].Coupon
	c, err = s.coupons.Revoke(ctx, coupon.Revocation{ID: "r-1", Coupon: id})
	s.Tell("the shop takes Chen's back", err, "%v", c.State)
	_, err = s.place(ctx, "C-1", chen, id, "70.00")
	s.Refused("Chen orders C-1 with it", err, coupon.ErrRevoked)
}

// rush lets every buyer tap three times at once: two taps send the same claim, and one asks for a second coupon. It
// returns the owner of each code.
func (s *shop) rush(ctx context.Context, buyers int) (map[string]string, error) {
	var mu sync.Mutex
	owners := map[string]string{}
	err := example.Rush(ctx, 3*buyers, func(ctx context.Context, tap int) error {
		buyer, claim := crowd(tap%buyers), fmt.Sprintf("rush-%d", tap%buyers)
		if tap > 2*buyers {
			claim += "-second"
		}
		var c coupon.Coupon
		err := example.Again(ctx, func() (err error) {
			c, err = s.coupons.For(buyer).Claim(ctx, claim, spring)
			return err
		})
		switch {
		case errors.Is(err, coupon.ErrPerBuyer), errors.Is(err, coupon.ErrSoldOut):
			return nil
		case err != nil:
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if owner, known := owners[c.Code]; known && owner != buyer {
			return fmt.Errorf("code %s has two owners", c.Code)
		}
		owners[c.Code] = buyer
		return nil
	})
	return owners, err
}

// books are what the program ends with.
type books struct {
	rush   coupon.Campaign
	counts map[int64]coupon.Count
	orders []orderLine // none in memory
}

// orderLine is an order of the shop beside what it did with its coupon.
type orderLine struct {
	order, total, state string
	use                 coupon.UseState
}

// agrees says what an order did with its coupon.
var agrees = map[string]coupon.UseState{
	"placed": coupon.UseReserved, "paid": coupon.UseRedeemed, "refunded": coupon.UseReturned, "cancelled": coupon.UseReleased,
}

// audit prints the books and checks that they agree: the counters of the campaigns with their coupons and codes, these
// with the answers that buyers got, and the orders of the shop with the uses in the library.
func (s *shop) audit(ctx context.Context, w io.Writer, owners map[string]string) (b books, err error) {
	b.counts = map[int64]coupon.Count{}
	rows := []example.Row{{"campaign", "coupons", "claimed", "left", "usable", "reserved", "redeemed", "revoked"}}
	for c, err := range s.coupons.Campaigns(ctx) {
		if err != nil {
			return b, err
		}
		n, err := s.coupons.Progress(ctx, c.ID)
		if err != nil {
			return b, err
		}
		rows = append(rows, example.Row{c.Title, c.Total, c.Sold, c.Left, n.Usable, n.Reserved, n.Redeemed, n.Revoked})
		b.counts[c.ID], b.rush = n, c // the rush is the last one
	}
	example.Table(w, rows...)
	if b.orders, err = s.orders(ctx); err != nil {
		return b, err
	}
	if s.db != nil {
		rows = []example.Row{{"order", "total", "state", "its coupon"}}
		for _, o := range b.orders {
			rows = append(rows, example.Row{o.order, o.total, o.state, o.use})
		}
		example.Table(w, rows...)
	}
	report, err := s.coupons.Audit(ctx)
	switch {
	case err != nil:
		return b, err
	case !report.Balanced():
		return b, fmt.Errorf("the books do not balance: %v %v", report.Drifts, report.Conflicts)
	case int64(len(owners)) != b.rush.Sold:
		return b, fmt.Errorf("%d codes are claimed, but buyers were told of %d", b.rush.Sold, len(owners))
	}
	fmt.Fprintf(w, "\nAudit: the books balance. Each code that is out has one owner.\n")
	return b, nil
}

// orders reads the orders of the shop.
func (s *shop) orders(ctx context.Context) (lines []orderLine, err error) {
	if s.db == nil {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, "SELECT order_no, total, state FROM shop_order ORDER BY order_no")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o orderLine
		if err := rows.Scan(&o.order, &o.total, &o.state); err != nil {
			return nil, err
		}
		uses, err := s.coupons.UsedBy(ctx, o.order)
		if err != nil {
			return nil, err
		}
		if len(uses) != 1 || uses[0].State != agrees[o.state] {
			return nil, fmt.Errorf("order %s is %s, but its coupon is %v", o.order, o.state, uses)
		}
		o.use = uses[0].State
		lines = append(lines, o)
	}
	return lines, rows.Err()
}
