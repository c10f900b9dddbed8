package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// life is every verb of a domain that changes something, in an order in which each does.
type life struct {
	tables []string

	// begin returns the verbs on a pool, and what reads all that they change; wait lets time pass.
	begin func(ctx context.Context, db *sqltest.DB, opts *sqlstore.Options, wait func(time.Duration)) (verbs []verb, read func() []string)
}

// verb is a call that changes something.
type verb struct {
	name string
	call func() error
}

// lives are those of the four domains.
func lives() map[string]life {
	return map[string]life{
		"Stock":     {[]string{stockTables}, stockLife},
		"Coupon":    {[]string{couponTables}, couponLife},
		"RedPacket": {[]string{redPacketTables}, redPacketLife},
		"GroupBuy":  {[]string{stockTables, groupBuyTables}, groupBuyLife},
	}
}

// listing is what a listing says.
func listing[T any](seq iter.Seq2[T, error]) string {
	var looks []string
	for v, err := range seq {
		looks = append(looks, look(v, err))
	}
	return strings.Join(looks, "")
}

// told is what a team has told, without the IDs of the events: a database that was used before goes on counting.
func told(ctx context.Context, events *event.Events, code string) string {
	var looks []string
	for e, err := range events.Of(ctx, event.TeamQueue(code)) {
		e.ID = 0
		looks = append(looks, look(e, err))
	}
	return strings.Join(looks, "")
}

// look is what a look at one thing says, with every field.
func look[T any](v T, err error) string {
	text, failed := json.Marshal(v)
	return fmt.Sprintf("%s %v\n", text, errors.Join(err, failed))
}

func stockLife(ctx context.Context, db *sqltest.DB, opts *sqlstore.Options, wait func(time.Duration)) (verbs []verb, read func() []string) {
	inv := stock.New(sqlstore.NewStock(db.DB, opts), nil)
	first, second := stock.Key{SKU: 1}, stock.Key{SKU: 1, Activity: 2}
	lock := func(order string) verb {
		return verb{"Lock of " + order, func() error { return of(inv.For("7").Lock(ctx, order, one(1))) }}
	}
	pay := func(order string) verb {
		return verb{"Pay of " + order, func() error { return of(inv.Pay(ctx, order)) }}
	}
	refund := stock.Refund{ID: "r", Order: "a", Restock: true}
	verbs = []verb{
		{"Define", func() error { return of(inv.Define(ctx, first, 100, stock.Terms{})) }},
		{"Define of another", func() error { return of(inv.Define(ctx, second, 100, stock.Terms{})) }},
		{"Define of other terms", func() error { return of(inv.Define(ctx, first, 100, stock.Terms{PerBuyer: 50})) }},
		lock("a"),
		{"Extend", func() error { return of(inv.Extend(ctx, "a", start.Add(2*time.Hour))) }},
		{"Shorten", func() error { return of(inv.Shorten(ctx, "a", start.Add(time.Hour))) }},
		pay("a"),
		{"Refund", func() error { return of(inv.Refund(ctx, refund)) }},
		lock("b"),
		{"Cancel", func() error { return of(inv.Cancel(ctx, "b")) }},
		{"Cancel before Lock", func() error { return of(inv.Cancel(ctx, "never")) }},
		{"Resolve before Lock", func() error { return of(inv.Resolve(ctx, "lost")) }},
		{"Take", func() error { return of(inv.For("7").Take(ctx, "c", one(1))) }},
		{"Redeem", func() error { return of(inv.Redeem(ctx, "c")) }},
		{"Lock of two lines", func() error {
			return of(inv.For("7").Lock(ctx, "d", one(1), stock.Line{SKU: 1, Activity: 2, Num: 2}))
		}},
		pay("d"),
		{"Restock", func() error { return of(inv.Restock(ctx, "more", one(1))) }},
		{"Withdraw", func() error { return of(inv.Withdraw(ctx, "less", one(1))) }},
		{"Transfer", func() error { return of(inv.Transfer(ctx, "move", stock.TransferLeg{SKU: 1, To: 2, Num: 3})) }},
		lock("e"),
		{"Expire", func() error { wait(stock.DefaultHoldFor); return of(inv.Expire(ctx)) }},
	}
	return verbs, func() []string {
		looks := []string{
			look(inv.Item(ctx, first)), look(inv.Item(ctx, second)), look(inv.For("7").Usage(ctx, first)), listing(inv.Items(ctx)),
		}
		for _, order := range []string{"a", "b", "c", "d", "e", "never", "lost"} {
			looks = append(looks, look(inv.Hold(ctx, order)))
		}
		return append(looks, listing(inv.Holds(ctx, stock.Filter{})), look(inv.Audit(ctx)))
	}
}

func couponLife(
	ctx context.Context, db *sqltest.DB, opts *sqlstore.Options, wait func(time.Duration),
) (verbs []verb, read func() []string) {
	c := coupon.New(sqlstore.NewCoupon(db.DB, opts), nil)
	pool := tenOff()
	pool.Pool = true
	claim := func(id string, campaign int64) verb {
		return verb{"Claim of " + id, func() error { return of(c.For("7").Claim(ctx, id, campaign)) }}
	}
	lock := func(id string) verb {
		return verb{"Lock of " + id, func() error { return of(c.For("7").Lock(ctx, id, 1)) }}
	}
	reserve := func(order string) verb {
		return verb{"Reserve for " + order, func() error { return of(c.Reserve(ctx, "a", order, hundred)) }}
	}
	verbs = []verb{
		{"Define", func() error { return of(c.Define(ctx, 1, 100, coupon.Rules{}, tenOff())) }},
		{"Define of other rules", func() error { return of(c.Define(ctx, 1, 100, coupon.Rules{PerBuyer: 50}, tenOff())) }},
		{"Define with codes", func() error { return of(c.Define(ctx, 2, 0, coupon.Rules{}, pool)) }},
		{"Import", func() error { return of(c.Import(ctx, 2, slices.Values([]string{"ONE", "TWO"}))) }},
		claim("a", 1), claim("b", 2), lock("c"),
		{"Pay", func() error { return of(c.Pay(ctx, "c")) }},
		lock("d"),
		{"Cancel", func() error { return of(c.Cancel(ctx, "d")) }},
		reserve("1"),
		{"Release", func() error { return of(c.Release(ctx, "a", "1")) }},
		{"Release before Reserve", func() error { return of(c.Release(ctx, "a", "2")) }},
		reserve("3"),
		{"Redeem", func() error { return of(c.Redeem(ctx, "a", "3", hundred)) }},
		{"Return", func() error { return of(c.Return(ctx, "a", "3", hundred)) }},
		{"Redeem at once", func() error { return of(c.Redeem(ctx, "a", "4", hundred)) }},
		{"Refund", func() error { return of(c.Refund(ctx, coupon.Refund{ID: "r", Coupon: "c", Restock: true})) }},
		{"Revoke", func() error { return of(c.Revoke(ctx, coupon.Revocation{ID: "v", Coupon: "b"})) }},
		{"Restock", func() error { return of(c.Restock(ctx, "more", 1, 1)) }},
		{"Withdraw", func() error { return of(c.Withdraw(ctx, "less", 1, 2)) }},
		{"Issue", func() error {
			return of(c.Issue(ctx, coupon.Batch{ID: "i", Campaign: 1, Buyers: []string{"8", "9"}}))
		}},
		lock("e"),
		{"Expire", func() error { wait(holdFor); return of(c.Expire(ctx)) }},
	}
	return verbs, func() []string {
		looks := []string{
			look(c.Campaign(ctx, 1)), look(c.Campaign(ctx, 2)), listing(c.Campaigns(ctx)), look(c.Progress(ctx, 1)),
		}
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			looks = append(looks, look(c.Coupon(ctx, id)), look(c.History(ctx, id)))
		}
		for _, order := range []string{"1", "2", "3", "4"} {
			looks = append(looks, look(c.UsedBy(ctx, order)))
		}
		return append(looks, listing(c.For("7").Wallet(ctx)), listing(c.For("8").Wallet(ctx)), look(c.Audit(ctx)))
	}
}

func redPacketLife(
	ctx context.Context, db *sqltest.DB, opts *sqlstore.Options, wait func(time.Duration),
) (verbs []verb, read func() []string) {
	p := redpacket.New(sqlstore.NewRedPacket(db.DB, opts), nil)
	send := func(id int64) verb {
		packet := packetOf(id, 300, 3)
		packet.Equal, packet.End = true, start.Add(time.Hour)
		return verb{fmt.Sprint("Send of ", id), func() error { return of(p.Send(ctx, packet)) }}
	}
	confirm := func(id int64) verb {
		return verb{fmt.Sprint("Confirm of ", id), func() error { return of(p.Confirm(ctx, id)) }}
	}
	grab := func(person string) verb {
		return verb{fmt.Sprint("Grab of ", person), func() error { return of(p.For(person).Grab(ctx, 1)) }}
	}
	shut := func(id int64) verb {
		return verb{fmt.Sprint("Close of ", id), func() error { return of(p.Close(ctx, id)) }}
	}
	verbs = []verb{
		send(1), confirm(1), grab("1000"), grab("1001"),
		{"PaidOut", func() error { return of(p.PaidOut(ctx, redpacket.PayoutNumber(1, 1))) }},
		{"PayoutFailed", func() error { return of(p.PayoutFailed(ctx, redpacket.PayoutNumber(1, 2), "no account")) }},
		shut(1), send(2), shut(2), confirm(2), send(3), confirm(3),
		{"Expire", func() error { wait(time.Hour); return of(p.Expire(ctx)) }},
	}
	return verbs, func() []string {
		var looks []string
		for id := range int64(3) {
			looks = append(looks, look(p.Packet(ctx, id+1)), listing(p.Shares(ctx, id+1)))
		}
		return append(looks, look(p.For("1000").Share(ctx, 1)), look(p.Payout(ctx, redpacket.PayoutNumber(1, 2))), listing(p.Payouts(ctx)),
			look(p.Audit(ctx)))
	}
}

func groupBuyLife(
	ctx context.Context, db *sqltest.DB, opts *sqlstore.Options, wait func(time.Duration),
) (verbs []verb, read func() []string) {
	inv := stock.New(sqlstore.NewStock(db.DB, opts), nil)
	g := groupbuy.New(sqlstore.NewGroupBuy(db.DB, opts), untilTheEnd())
	activity := groupbuy.Activity{ID: 7, Title: "week", Formation: teamTime, End: start.Add(100 * time.Hour)}
	product := groupbuy.Product{Key: teamProduct, Name: "tea", Terms: groupbuy.Terms{
		Places: 2, Price: decimal.NewFromInt(10), GroupPrice: decimal.NewFromInt(8), People: 2,
	}}
	revised := product
	revised.Name = "green tea"
	decision := groupbuy.Decision{Actor: "clerk", Reason: "asked"}
	codes := map[string]string{} // of the teams that were opened here, by the order that opened them
	teamOf := func(order string) string {
		if codes[order] == "" {
			seat, _ := g.Seat(ctx, order)
			return seat.Team
		}
		return codes[order]
	}
	begin := func(order string, buyer string) verb {
		return verb{"Open by " + order, func() error {
			seat, err := purchase(order, buyer).Open(ctx, g)
			codes[order] = seat.Team
			return err
		}}
	}
	join := func(order string, buyer string) verb {
		return verb{"Join by " + order, func() error { return of(purchase(order, buyer).Join(ctx, g, teamOf("a1"))) }}
	}
	pay := func(order string) verb {
		return verb{"Pay of " + order, func() error { return of(g.Pay(ctx, order)) }}
	}
	events := event.New(sqlstore.NewEvents(db.DB, opts), nil)
	none := g.Handle(func(context.Context, groupbuy.Event) error { return nil })
	verbs = []verb{
		{"Define of the stock", func() error { return of(inv.Define(ctx, stock.Key{SKU: 1}, 100, stock.Terms{})) }},
		{"Define", func() error { return of(g.Define(ctx, activity)) }},
		{"Offer", func() error { return of(g.Offer(ctx, product, 50)) }},
		begin("a1", "1"), pay("a1"), join("a2", "2"),
		{"Cancel", func() error { return of(g.Cancel(ctx, "a2")) }},
		join("a3", "3"), pay("a3"),
		{"Deliver", func() error { return of(events.Deliver(ctx, none)) }},
		begin("b1", "4"), pay("b1"),
		{"Refund", func() error { return of(g.Refund(ctx, groupbuy.Refund{Order: "b1", Actor: "clerk"})) }},
		{"Return", func() error { return of(g.Return(ctx, "b1")) }},
		begin("c1", "5"), pay("c1"),
		{"Fail", func() error { return of(g.Fail(ctx, teamOf("c1"), decision)) }},
		begin("d1", "6"), pay("d1"),
		{"Form", func() error { return of(g.Form(ctx, teamOf("d1"), decision)) }},
		{"Revise", func() error { return of(g.Revise(ctx, revised)) }},
		{"Restock", func() error { return of(g.Restock(ctx, "more", teamProduct, 5)) }},
		{"Withdraw", func() error { return of(g.Withdraw(ctx, "less", teamProduct, 4)) }},
		begin("e1", "8"),
		{"Expire", func() error { wait(2 * teamTime); return of(g.Expire(ctx)) }},
		{"Remove", func() error { return of(g.Remove(ctx, teamProduct)) }},
		{"End", func() error { return of(g.End(ctx, 7)) }},
	}
	return verbs, func() []string {
		looks := []string{
			look(inv.Item(ctx, stock.Key{SKU: 1})), look(g.Activity(ctx, 7)), look(g.Product(ctx, teamProduct)),
			listing(g.Activities(ctx)), listing(g.Products(ctx, 7)), listing(g.Shelf(ctx)), listing(g.Teams(ctx, groupbuy.TeamFilter{})),
			listing(g.Joinable(ctx, teamProduct)), listing(g.For("1").Seats(ctx)),
		}
		for _, order := range []string{"a1", "a2", "a3", "b1", "c1", "d1", "e1"} {
			looks = append(looks, look(g.Seat(ctx, order)))
		}
		for _, order := range []string{"a1", "b1", "c1", "d1", "e1"} {
			code := teamOf(order)
			looks = append(looks, look(g.Team(ctx, code)), listing(g.Members(ctx, code)), told(ctx, events, code))
		}
		return append(looks, look(g.Audit(ctx)))
	}
}
