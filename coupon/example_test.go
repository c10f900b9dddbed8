package coupon_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// A coupon from its campaign to the order that used it, in a store that forgets.
func Example() {
	ctx := context.Background()
	coupons := coupon.New(new(coupon.Memory), nil)
	_, err := coupons.Define(ctx, 7, 1000, coupon.Rules{PerBuyer: 1}, coupon.Terms{
		Title: "20 off from 100", Kind: coupon.AmountOff, Places: 2,
		Amount: decimal.RequireFromString("20"), Minimum: decimal.RequireFromString("100"),
		ForDays: 7, Zone: "Asia/Shanghai",
	})
	if err != nil {
		log.Fatal(err)
	}
	ann := coupons.For("1001")
	c, err := ann.Claim(ctx, "claim-1", 7)
	fmt.Println(c.State, err)
	_, err = ann.Claim(ctx, "claim-2", 7)
	fmt.Println(err)

	total := decimal.RequireFromString("150.00")
	use, err := ann.Reserve(ctx, c.ID, "order-1", total) // the order is placed
	fmt.Println(use.State, use.Discount.StringFixed(2), err)
	for range 2 { // it is paid, and the callback comes twice
		use, err = ann.Redeem(ctx, c.ID, "order-1", total)
		fmt.Println(use.State, err)
	}
	_, err = ann.Redeem(ctx, c.ID, "order-2", total)
	fmt.Println(err)
	// Output:
	// usable <nil>
	// coupon: the buyer has had as many as the campaign allows (campaign 7, claim "claim-2")
	// reserved 20.00 <nil>
	// redeemed <nil>
	// redeemed <nil>
	// coupon: redeemed already (coupon "claim-1", order "order-2")
}

// Define is safe at every start of a program. What was claimed before keeps its terms.
func ExampleCoupons_Define() {
	ctx := context.Background()
	coupons, _ := shop(ctx) // campaign 7: 20 off from 100, ten of them
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	terms := must(coupons.Campaign(ctx, 7)).Terms
	terms.Amount = decimal.RequireFromString("25")
	campaign, err := coupons.Define(ctx, 7, 10, coupon.Rules{}, terms)
	fmt.Println(campaign.Amount, campaign.TermsNo, campaign.Left, err)
	fmt.Println(must(coupons.Coupon(ctx, "claim-1")).Amount)
	// Output:
	// 25 2 9 <nil>
	// 20
}

// Claim gives a coupon for nothing, once for each number of a claim.
func ExampleCoupons_Claim() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for range 2 {
		c, err := coupons.For("1001").Claim(ctx, "claim-1", 7)
		fmt.Println(c.State, c.From.Format(time.DateTime), c.Until.Format(time.DateTime), err)
	}
	must(coupons.Define(ctx, 7, 10, coupon.Rules{Closed: true}, must(coupons.Campaign(ctx, 7)).Terms))
	_, err := coupons.For("1002").Claim(ctx, "claim-2", 7)
	fmt.Println(errors.Is(err, coupon.ErrClosed), err)
	// Output:
	// usable 2026-11-11 09:00:00 2026-11-17 16:00:00 <nil>
	// usable 2026-11-11 09:00:00 2026-11-17 16:00:00 <nil>
	// true coupon: the campaign is closed (campaign 7, claim "claim-2")
}

// Lock sets a coupon aside that is to be paid for; it is valid from the payment on.
func ExampleCoupons_Lock() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	c, err := coupons.For("1001").Lock(ctx, "claim-1", 7)
	fmt.Println(c.State, "until", c.Deadline.Format(time.TimeOnly), err)
	clock.pass(stock.DefaultHoldFor)
	fmt.Println(must(coupons.Coupon(ctx, "claim-1")).State)
	// Output:
	// pending until 09:15:00 <nil>
	// dropped
}

// Pay is safe to call for every delivery of a payment's callback.
func ExampleCoupons_Pay() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	must(coupons.For("1001").Lock(ctx, "claim-1", 7))
	for range 2 {
		c, err := coupons.Pay(ctx, "claim-1")
		fmt.Println(c.State, err)
	}
	must(coupons.For("1001").Lock(ctx, "claim-2", 7))
	clock.pass(stock.DefaultHoldFor)
	_, err := coupons.Pay(ctx, "claim-2")
	fmt.Println(errors.Is(err, coupon.ErrHoldExpired), err)
	// Output:
	// usable <nil>
	// usable <nil>
	// true coupon: given up before it was paid: not paid in time (claim "claim-2")
}

// Cancel may overtake what it cancels: the Lock is refused then.
func ExampleCoupons_Cancel() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for range 2 {
		dropped, err := coupons.Cancel(ctx, "claim-1")
		fmt.Println(dropped.State, "replay", dropped.Replay, err)
	}
	_, err := coupons.For("1001").Lock(ctx, "claim-1", 7)
	fmt.Println(err)
	// Output:
	// dropped replay false <nil>
	// dropped replay true <nil>
	// coupon: given up before it was paid: cancelled (campaign 7, claim "claim-1")
}

// Refund takes a coupon back that no order has. Here it goes to somebody else.
func ExampleCoupons_Refund() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	c, err := coupons.Refund(ctx, coupon.Refund{ID: "refund-1", Coupon: "claim-1", Restock: true})
	fmt.Println(c.State, must(coupons.Campaign(ctx, 7)).Left, err)
	// Output:
	// refunded 10 <nil>
}

// Revoke and Redeem race: one of them wins.
func ExampleCoupons_Revoke() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	must(coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	_, err := coupons.Revoke(ctx, coupon.Revocation{ID: "revocation-1", Coupon: "claim-1"})
	fmt.Println(errors.Is(err, coupon.ErrRedeemed))
	must(coupons.Return(ctx, "claim-1", "order-1", decimal.NewFromInt(130)))
	c, err := coupons.Revoke(ctx, coupon.Revocation{ID: "revocation-1", Coupon: "claim-1"})
	fmt.Println(c.State, err)
	// Output:
	// true
	// revoked <nil>
}

// Issue says who was skipped and why, and says the same when it is asked again.
func ExampleCoupons_Issue() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.Define(ctx, 7, 10, coupon.Rules{PerBuyer: 1}, must(coupons.Campaign(ctx, 7)).Terms))
	must(coupons.For("1002").Claim(ctx, "claim-1", 7))
	batch := coupon.Batch{ID: "welcome", Campaign: 7, Buyers: []string{"1001", "1002", "1003"}}
	for range 2 {
		issued, err := coupons.Issue(ctx, batch)
		for _, g := range issued.Given {
			fmt.Println("given:", g.Buyer, g.Coupon == batch.CouponOf(g.Buyer))
		}
		for _, g := range issued.Skipped {
			fmt.Println("skipped:", g.Buyer, g.Reason)
		}
		fmt.Println(err)
	}
	_, err := coupons.Issue(ctx, coupon.Batch{ID: "all or none", Campaign: 7, Buyers: batch.Buyers, All: true})
	fmt.Println(err)
	// Output:
	// given: 1001 true
	// given: 1003 true
	// skipped: 1002 per buyer
	// <nil>
	// given: 1001 true
	// given: 1003 true
	// skipped: 1002 per buyer
	// <nil>
	// coupon: the buyer has had as many as the campaign allows (batch "all or none", buyer "1001")
}

// Import takes codes as people write them, and reports what it did not add.
func ExampleCoupons_Import() {
	ctx := context.Background()
	coupons, _ := shop(ctx) // campaign 8 gives out codes
	for range 2 {
		done, err := coupons.Import(ctx, 8, slices.Values([]string{"spring-1", " SPRING-1 ", "spring-2", "two words"}))
		fmt.Printf("%+v %v\n", done, err)
	}
	c := must(coupons.For("1001").Claim(ctx, "claim-1", 8))
	fmt.Println(c.Position, c.Code)
	// Output:
	// {Added:2 Known:1 Collisions:[] Invalid:[two words]} <nil>
	// {Added:0 Known:3 Collisions:[] Invalid:[two words]} <nil>
	// 1 SPRING-1
}

// Generate fills a pool up to a number of codes, however often it is asked to.
func ExampleCoupons_Generate() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for _, upTo := range []int64{1000, 1000, 1500} {
		done, err := coupons.Generate(ctx, 8, upTo, &coupon.CodeStyle{Length: 12})
		fmt.Println(done.Added, err)
	}
	fmt.Println(len(must(coupons.For("1001").Claim(ctx, "claim-1", 8)).Code))
	// Output:
	// 1000 <nil>
	// 0 <nil>
	// 500 <nil>
	// 12
}

// Canonical is how codes are kept and compared.
func ExampleCanonical() {
	fmt.Println(coupon.Canonical(" spring-1\n"))
	_, err := coupon.Canonical("spring 1")
	fmt.Println(err)
	// Output:
	// SPRING-1 <nil>
	// holdfast: invalid argument: code must be printable and without blanks inside, is "spring 1"
}

// ByCode finds a coupon by what its buyer types.
func ExampleCoupons_ByCode() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.Import(ctx, 8, slices.Values([]string{"SPRING-1"})))
	must(coupons.For("1001").Claim(ctx, "claim-1", 8))
	c, err := coupons.For("1001").ByCode(ctx, "spring-1 ")
	fmt.Println(c.ID, err)
	_, another := coupons.For("1002").ByCode(ctx, "spring-1")
	_, unknown := coupons.For("1002").ByCode(ctx, "spring-2")
	fmt.Println(another)
	fmt.Println(unknown)
	fmt.Println(errors.Is(another, coupon.ErrAnotherBuyer), errors.Is(unknown, coupon.ErrAnotherBuyer))
	// Output:
	// claim-1 <nil>
	// coupon: no such coupon (coupon "SPRING-1")
	// coupon: no such coupon (coupon "SPRING-2")
	// true false
}

// Reserve keeps a coupon for an order that is not paid yet.
func ExampleCoupons_Reserve() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	use, err := coupons.Reserve(ctx, "claim-1", "order-1", decimal.NewFromInt(150))
	fmt.Println(use.Discount, use.Deadline.Format(time.TimeOnly), err)
	_, err = coupons.Reserve(ctx, "claim-1", "order-2", decimal.NewFromInt(150))
	fmt.Println(err)
	clock.pass(coupon.DefaultReserveFor)
	use, err = coupons.Reserve(ctx, "claim-1", "order-2", decimal.NewFromInt(150))
	fmt.Println(use.State, err)
	// Output:
	// 20 09:30:00 <nil>
	// coupon: reserved for another order (coupon "claim-1", order "order-2")
	// reserved <nil>
}

// Redeem checks the minimum again when the cart has changed, and keeps the reservation.
func ExampleCoupons_Redeem() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	must(coupons.Reserve(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	_, err := coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(90))
	fmt.Println(err)
	use, err := coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(110))
	fmt.Println(use.State, use.Total, use.Discount, err)
	// Output:
	// coupon: the order is below its minimum: minimum 100.00, total 90.00
	// redeemed 110 20 <nil>
}

// Release gives a reservation up, and closes the coupon for that order.
func ExampleCoupons_Release() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	must(coupons.Reserve(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	for range 2 {
		use, err := coupons.Release(ctx, "claim-1", "order-1")
		fmt.Println(use.State, err)
	}
	_, err := coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150))
	fmt.Println(err)
	// Output:
	// released <nil>
	// released <nil>
	// coupon: the order has released it (coupon "claim-1", order "order-1")
}

// Return gives a coupon back when its order is refunded in full.
func ExampleCoupons_Return() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	must(coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	for _, refunded := range []int64{50, 130} {
		use, err := coupons.Return(ctx, "claim-1", "order-1", decimal.NewFromInt(refunded))
		fmt.Println(use.State, err)
	}
	fmt.Println(must(coupons.Coupon(ctx, "claim-1")).State)
	// Output:
	// redeemed coupon: the order is not refunded in full (coupon "claim-1", order "order-1": refunded 50.00 of 130.00)
	// returned <nil>
	// usable
}

// History is the whole life of a coupon.
func ExampleCoupons_History() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	must(coupons.For("1001").Lock(ctx, "claim-1", 7))
	must(coupons.Pay(ctx, "claim-1"))
	must(coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	must(coupons.Return(ctx, "claim-1", "order-1", decimal.NewFromInt(130)))
	clock.pass(time.Hour)
	must(coupons.Reserve(ctx, "claim-1", "order-2", decimal.NewFromInt(200)))
	history, err := coupons.History(ctx, "claim-1")
	fmt.Println(history.State, history.Hold.State, err)
	for _, use := range history.Uses {
		fmt.Println(use.Order, use.State, use.CreatedAt.Format(time.TimeOnly))
	}
	// Output:
	// reserved paid <nil>
	// order-1 returned 09:00:00
	// order-2 reserved 10:00:00
}

// UsedBy is what an order did with coupons.
func ExampleCoupons_UsedBy() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for _, claim := range []string{"claim-1", "claim-2"} {
		must(coupons.For("1001").Claim(ctx, claim, 7))
		must(coupons.Redeem(ctx, claim, "order-1", decimal.NewFromInt(150)))
	}
	for _, use := range must(coupons.UsedBy(ctx, "order-1")) {
		fmt.Println(use.Coupon, use.State, use.Discount)
	}
	// Output:
	// claim-1 redeemed 20
	// claim-2 redeemed 20
}

// Wallet is what a buyer has, by when it ends.
func ExampleCoupons_Wallet() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	ann := coupons.For("1001")
	must(ann.Claim(ctx, "claim-1", 7))
	must(ann.Claim(ctx, "claim-2", 7))
	must(ann.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	for c, err := range ann.Wallet(ctx, coupon.StatusUsable) {
		fmt.Println(c.ID, c.Status(clock.now()), err)
	}
	for c, err := range ann.Wallet(ctx) {
		fmt.Println(c.ID, c.Status(clock.now()), err)
	}
	// Output:
	// claim-2 usable <nil>
	// claim-1 used <nil>
	// claim-2 usable <nil>
}

// Progress counts the coupons of a campaign by their state; the campaign itself counts its units.
func ExampleCoupons_Progress() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for _, claim := range []string{"claim-1", "claim-2", "claim-3"} {
		must(coupons.For("1001").Claim(ctx, claim, 7))
	}
	must(coupons.Redeem(ctx, "claim-1", "order-1", decimal.NewFromInt(150)))
	must(coupons.Reserve(ctx, "claim-2", "order-2", decimal.NewFromInt(150)))
	fmt.Printf("%+v\n", must(coupons.Progress(ctx, 7)))
	fmt.Printf("%+v\n", must(coupons.Campaign(ctx, 7)).Quantities)
	// Output:
	// {Pending:0 Usable:1 Reserved:1 Redeemed:1 Expired:0 Refunded:0 Revoked:0}
	// {Total:10 Sold:3 Locked:0 Left:7 Refunded:0 Waiting:0 Backordered:0}
}

// Campaigns lists what a shop gives out.
func ExampleCoupons_Campaigns() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for campaign, err := range coupons.Campaigns(ctx) {
		fmt.Println(campaign.ID, campaign.Title, campaign.Kind, campaign.Total, err)
	}
	// Output:
	// 7 20 off from 100 amount off 10 <nil>
	// 8 20 off from 100, with a code amount off 0 <nil>
}

// Restock and Withdraw change how many coupons there are, once for each number.
func ExampleCoupons_Restock() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	for range 2 {
		fmt.Println(must(coupons.Restock(ctx, "more", 7, 5)).Replay)
		fmt.Println(must(coupons.Withdraw(ctx, "less", 7, 2)).Replay)
	}
	fmt.Println(must(coupons.Campaign(ctx, 7)).Total)
	_, err := coupons.Restock(ctx, "codes", 8, 5)
	fmt.Println(err)
	// Output:
	// false
	// false
	// true
	// true
	// 13
	// coupon: the campaign gives out codes (campaign 8)
}

// Resolve settles a claim whose answer was lost: afterwards it can no longer take effect.
func ExampleCoupons_Resolve() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	c, err := coupons.Resolve(ctx, "claim-1")
	fmt.Println(c.State, err)
	_, err = coupons.For("1001").Claim(ctx, "claim-1", 7)
	fmt.Println(errors.Is(err, coupon.ErrCancelled))
	// Output:
	// dropped <nil>
	// true
}

// Expire gives what was not paid in time back at once, rather than when somebody asks for it.
func ExampleCoupons_Expire() {
	ctx := context.Background()
	coupons, clock := shop(ctx)
	must(coupons.For("1001").Lock(ctx, "claim-1", 7))
	clock.pass(stock.DefaultHoldFor)
	fmt.Println(must(coupons.Campaign(ctx, 7)).Locked)
	fmt.Println(coupons.Expire(ctx))
	fmt.Println(must(coupons.Campaign(ctx, 7)).Locked)
	// Output:
	// 1
	// 1 <nil>
	// 0
}

// Audit recounts the units and compares what coupons, claims, codes and uses say of each other.
func ExampleCoupons_Audit() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	report, err := coupons.Audit(ctx)
	fmt.Println(report.Campaigns, report.Balanced(), err)
	// Output:
	// 2 true <nil>
}

// On binds coupons to another store: with sqlstore, to the caller's transaction.
func ExampleCoupons_On() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	tx := new(coupon.Memory) // stands for store.WithTx(tx)
	_, err := coupons.On(tx).Campaign(ctx, 7)
	fmt.Println(err) // this store is empty; the rules are those of coupons
	// Output:
	// coupon: no such campaign (campaign 7)
}

// For shows a buyer no coupons but the buyer's own.
func ExampleCoupons_For() {
	ctx := context.Background()
	coupons, _ := shop(ctx)
	must(coupons.For("1001").Claim(ctx, "claim-1", 7))
	_, err := coupons.For("1002").Reserve(ctx, "claim-1", "order-1", decimal.NewFromInt(150))
	fmt.Println(err)
	// Output:
	// coupon: no such coupon (coupon "claim-1", order "order-1")
}

// Discount and Validity work without a store, for a preview.
func ExampleTerms_Discount() {
	terms := coupon.Terms{
		Kind: coupon.PercentOff, Places: 2, Percent: decimal.NewFromInt(15), Cap: decimal.NewFromInt(30), Minimum: decimal.NewFromInt(50),
	}
	for _, total := range []string{"99.99", "1000", "49.99"} {
		off, err := terms.Discount(decimal.RequireFromString(total))
		fmt.Println(off.StringFixed(2), err)
	}
	// Output:
	// 14.99 <nil>
	// 30.00 <nil>
	// 0.00 coupon: the order is below its minimum: minimum 50.00, total 49.99
}

// A coupon of two days from tomorrow, claimed on a Wednesday evening in Shanghai.
func ExampleTerms_Validity() {
	terms := coupon.Terms{AfterDays: 1, ForDays: 2, Zone: "Asia/Shanghai"}
	shanghai, err := time.LoadLocation(terms.Zone)
	if err != nil {
		log.Fatal(err)
	}
	from, until := terms.Validity(time.Date(2026, time.November, 11, 20, 15, 0, 0, shanghai))
	fmt.Println(from.In(shanghai))
	fmt.Println(until.In(shanghai))
	// Output:
	// 2026-11-12 00:00:00 +0800 CST
	// 2026-11-14 00:00:00 +0800 CST
}

// shop returns coupons on a fresh store with two campaigns that take 20 off from 100 on: 7 has ten, 8 gives
// out codes of which it has none yet.
func shop(ctx context.Context) (*coupon.Coupons, *clock) {
	c := &clock{at: time.Date(2026, time.November, 11, 9, 0, 0, 0, time.UTC)}
	coupons := coupon.New(&coupon.Memory{Clock: c.now}, nil)
	terms := coupon.Terms{
		Title: "20 off from 100", Kind: coupon.AmountOff, Places: 2, Amount: decimal.NewFromInt(20), Minimum: decimal.NewFromInt(100),
		ForDays: 7, Zone: "Asia/Shanghai",
	}
	must(coupons.Define(ctx, 7, 10, coupon.Rules{}, terms))
	terms.Title, terms.Pool = "20 off from 100, with a code", true
	must(coupons.Define(ctx, 8, 0, coupon.Rules{}, terms))
	return coupons, c
}

// clock is a clock that moves when it is told to.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

// must ends the example on an error.
func must[T any](result T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return result
}
