package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// The currency and the days of the shop.
const (
	places = 2
	zone   = "Asia/Shanghai"
)

// The other campaigns: a gift of the shop, and an offer that is soon over.
const (
	gift  = 2
	offer = 3
)

var giftTerms = coupon.Terms{
	Title: "15 % off, 30.00 at most", Kind: coupon.PercentOff, Places: places,
	Percent: decimal.New(15, 0), Cap: decimal.New(30, 0), ForDays: 30, Zone: zone,
}

// tale follows coupons through checkout. What the orders are besides, their rows and their goods, is the
// subject of examples/checkout.
type tale struct {
	coupons *coupon.Coupons
	result  *result
	hero    coupon.Coupon // the first of the rush; its buyer is called Ann
	offer   time.Duration // how long the offer is valid
	later   func(context.Context, time.Duration) bool

	err error // the first failure; what comes after it is not told
}

// people by their names.
func (t *tale) people() (ann, bo, chen int64) {
	others := int64(t.result.Buyers) // the numbers behind those of the rush
	return t.hero.Buyer, others + 1, others + 2
}

// tell tells the tale, and then lays out what it left behind.
func (t *tale) tell(ctx context.Context) error {
	t.carts(ctx)
	t.gifts(ctx)
	t.ends(ctx)
	if t.err != nil {
		return t.err
	}
	return t.show(ctx)
}

// carts is the coupon of the rush in three orders.
func (t *tale) carts(ctx context.Context) {
	ann, bo, _ := t.people()
	id, code := t.hero.ID, t.hero.Code
	t.types(ctx, fmt.Sprintf("Ann, buyer %s, types her code as \" %s \"", demo.Count(ann), strings.ToLower(code)), ann, " "+strings.ToLower(code)+" ")
	t.types(ctx, "Bo types the same code", bo, code)
	t.reserves(ctx, "Ann orders A-1 over 120.00 with it", id, "A-1", "120.00")
	t.reserves(ctx, "Ann orders A-2 over 150.00 with the same one", id, "A-2", "150.00")
	t.redeems(ctx, "she empties the cart of A-1 to 80.00 and pays", id, "A-1", "80.00")
	t.redeems(ctx, "she fills it to 105.00 and pays", id, "A-1", "105.00")
	t.redeems(ctx, "the callback of that payment comes a second time", id, "A-1", "105.00")
	t.returns(ctx, "the shop refunds 40.00 of A-1", id, "A-1", "40.00")
	t.returns(ctx, "the shop refunds the rest of A-1", id, "A-1", "85.00")
	t.reserves(ctx, "Ann orders A-2 over 150.00 once more", id, "A-2", "150.00")
	t.say("Ann cancels A-2", func() (string, error) {
		if _, err := t.coupons.Release(ctx, id, "A-2"); err != nil {
			return "", err
		}
		is, err := t.coupons.Coupon(ctx, id)
		return "released: the coupon is " + is.State.String() + ", the order never used it", err
	})
	t.reserves(ctx, "a request of A-2 that was on its way arrives", id, "A-2", "150.00")
}

// gifts is a campaign of which the shop gives everybody one.
func (t *tale) gifts(ctx context.Context) {
	if t.err == nil {
		_, t.err = t.coupons.Define(ctx, gift, 100, coupon.Rules{PerBuyer: 1}, giftTerms)
	}
	ann, bo, chen := t.people()
	batch := coupon.Batch{ID: "thanks", Campaign: gift, Buyers: []int64{ann, bo, chen}, All: true}
	give := func() (string, error) {
		issued, err := t.coupons.Issue(ctx, batch)
		if err != nil {
			return "", err
		}
		is, err := t.coupons.Campaign(ctx, gift)
		return fmt.Sprintf("given to %d; %d of the campaign are out", len(issued.Given), is.Sold), err
	}
	t.say("the shop gives Ann, Bo and Chen "+giftTerms.Title, give)
	t.say("that job runs a second time", give)
	annsGift, bosGift := fmt.Sprintf("thanks/%d", ann), fmt.Sprintf("thanks/%d", bo)
	t.redeems(ctx, "Bo pays B-1 over 133.33 with his", bosGift, "B-1", "133.33")
	t.revokes(ctx, "the shop revokes Ann's", annsGift)
	t.revokes(ctx, "the shop revokes Bo's", bosGift)
	t.redeems(ctx, "Ann pays A-3 over 50.00 with hers", annsGift, "A-3", "50.00")
}

// ends is an offer that ends before it is used, and the last order.
func (t *tale) ends(ctx context.Context) {
	ann, bo, _ := t.people()
	if t.err == nil {
		t.err = t.openOffer(ctx)
	}
	claims := func(claim string, buyer int64) func() (string, error) {
		return func() (string, error) {
			c, err := t.coupons.For(buyer).Claim(ctx, claim, offer)
			return "coupon " + c.ID + ", valid until " + clockTime(c.Until), err
		}
	}
	t.say("Ann claims free shipping, for orders within "+inTime(t.offer), claims("shipping-Ann", ann))
	if t.err == nil && !t.later(ctx, t.offer) {
		t.err = context.Cause(ctx)
	}
	t.redeems(ctx, inTime(t.offer)+" later she pays A-3 over 50.00 with it", "shipping-Ann", "A-3", "50.00")
	t.say("Bo claims free shipping as well", claims("shipping-Bo", bo))
	t.reserves(ctx, "Ann orders A-4 over 200.00 with the code of the rush", t.hero.ID, "A-4", "200.00")
}

// openOffer makes the campaign that ends soon, by the store's clock: that of this machine may be another.
func (t *tale) openOffer(ctx context.Context) error {
	marked, err := t.coupons.Coupon(ctx, fmt.Sprintf("thanks/%d", t.hero.Buyer)) // it was revoked just now
	if err != nil {
		return err
	}
	_, err = t.coupons.Define(ctx, offer, 100, coupon.Rules{PerBuyer: 1}, coupon.Terms{
		Title: "free shipping", Kind: coupon.Gift, Places: places, ValidUntil: marked.UpdatedAt.Add(t.offer),
	})
	return err
}

// types is a buyer who types a code.
func (t *tale) types(ctx context.Context, what string, buyer int64, code string) {
	t.say(what, func() (string, error) {
		c, err := t.coupons.For(buyer).ByCode(ctx, code)
		return fmt.Sprintf("coupon %s: %s, %v", c.ID, c.Title, c.State), err
	})
}

// reserves is an order that is placed with a coupon.
func (t *tale) reserves(ctx context.Context, what, id, order, total string) {
	t.say(what, func() (string, error) {
		use, err := t.coupons.Reserve(ctx, id, order, decimal.RequireFromString(total))
		return fmt.Sprintf("reserved until %s, %s off", clockTime(use.Deadline), money(use.Discount)), err
	})
}

// redeems is an order that is paid with a coupon.
func (t *tale) redeems(ctx context.Context, what, id, order, total string) {
	t.say(what, func() (string, error) {
		use, err := t.coupons.Redeem(ctx, id, order, decimal.RequireFromString(total))
		return fmt.Sprintf("redeemed: %s off, %s paid", money(use.Discount), money(use.Total.Sub(use.Discount))), err
	})
}

// returns is an order of which so much was refunded in all.
func (t *tale) returns(ctx context.Context, what, id, order, refunded string) {
	t.say(what, func() (string, error) {
		_, err := t.coupons.Return(ctx, id, order, decimal.RequireFromString(refunded))
		return "returned: the coupon can be used again", err
	})
}

// revokes is the shop that takes a coupon back.
func (t *tale) revokes(ctx context.Context, what, id string) {
	t.say(what, func() (string, error) {
		c, err := t.coupons.Revoke(ctx, coupon.Revocation{ID: "revoke-" + id, Coupon: id})
		return c.State.String(), err
	})
}

// say tells one step: what happened, and what the library answered.
func (t *tale) say(what string, call func() (string, error)) {
	if t.err != nil {
		return
	}
	answer, err := call()
	if err != nil {
		if answer = inWords(err); answer == "" {
			t.err = err
			return
		}
	}
	t.result.Tale = append(t.result.Tale, step{what, answer})
}

// inWords says why the library refused, with the numbers; it is empty for an error that is none of the tale's.
func inWords(err error) string {
	const prefix = "refused: "
	if e, ok := errors.AsType[*coupon.MinimumError](err); ok {
		return fmt.Sprintf(prefix+"for orders of %s or more, this one is %s", money(e.Minimum), money(e.Total))
	}
	if e, ok := errors.AsType[*coupon.PartialError](err); ok {
		return fmt.Sprintf("the coupon stays used: only %s of the %s paid are refunded", money(e.Refunded), money(e.Paid))
	}
	if e, ok := errors.AsType[*coupon.ValidityError](err); ok {
		return prefix + "it was valid until " + clockTime(e.Until)
	}
	var reason error
	if e, ok := errors.AsType[*coupon.StateError](err); ok {
		reason = e.Err
	} else if e, ok := errors.AsType[*coupon.ClaimError](err); ok {
		reason = e.Err
	}
	if reason == nil {
		return ""
	}
	return prefix + strings.TrimPrefix(reason.Error(), "coupon: ")
}

// show lays out the wallet of Ann, by the statuses that the store's clock gives her coupons, and the history of
// the first of them.
func (t *tale) show(ctx context.Context) error {
	for _, status := range coupon.Statuses() {
		for c, err := range t.coupons.For(t.hero.Buyer).Wallet(ctx, status) {
			if err != nil {
				return err
			}
			t.result.Wallet = append(t.result.Wallet, walletRow{
				Coupon: c.ID, Title: c.Title, Status: status.String(), Code: c.Code, Order: c.Order, Until: c.Until,
			})
		}
	}
	history, err := t.coupons.History(ctx, t.hero.ID)
	t.result.History = append(t.result.History, historyRow{State: "claimed", Code: history.Code, At: history.Hold.PaidAt})
	for _, use := range history.Uses {
		t.result.History = append(t.result.History, rowsOf(use)...)
	}
	return err
}

// rowsOf returns what happened in one use. Its amounts are those of its latest total, and stand where that was said.
func rowsOf(use coupon.Use) []historyRow {
	rows := []historyRow{{State: coupon.UseReserved.String(), Order: use.Order, At: use.CreatedAt}}
	if !use.RedeemedAt.IsZero() {
		rows = append(rows, historyRow{State: coupon.UseRedeemed.String(), Order: use.Order, At: use.RedeemedAt})
	}
	said := &rows[len(rows)-1]
	said.Total, said.Discount = money(use.Total), money(use.Discount)
	if use.State == coupon.UseReleased || use.State == coupon.UseReturned {
		rows = append(rows, historyRow{State: use.State.String(), Order: use.Order, At: use.UpdatedAt})
	}
	return rows
}

// inTime prints how long the offer is valid.
func inTime(d time.Duration) string {
	if d >= time.Hour {
		return fmt.Sprintf("%d hour", d/time.Hour)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// money prints an amount, clockTime the time of day where the shop is.
func money(amount decimal.Decimal) string { return amount.StringFixed(places) }

func clockTime(at time.Time) string { return at.In(shopTime).Format(time.TimeOnly) }

// shopTime is the time of the shop's zone, which package coupon knows whatever the host does.
var shopTime, _ = time.LoadLocation(zone)
