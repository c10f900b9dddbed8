package ledger

import (
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

func TestGoldenStatements(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "stock", "testdata/statements.sql",
		func(prefix string) []sqltest.Statement { return NewStatements(prefix + GoodsStock).statements() })
}

// statements renders all of them; those that grow with the lines of an order for one and two.
func (q *Statements) statements() []sqltest.Statement {
	lock, take := stock.StepLock.Transition(), stock.StepTake.Transition()
	entry := stock.Entry{Key: stock.Key{SKU: 42, Activity: 7}, Delta: stock.Quantities{Total: -3, Left: -3}, Exactly: true}
	all := []sqltest.Statement{
		{"Define: new items, two", q.createItemsText(2)},
		{"Define: other terms", q.changeTerms},
		{"Define: limited to unlimited, or back", q.changeLimit},
		{"Define: the total that two items were last defined with", q.definedText(2)},
		{"Lock 1: claim the order, one line", q.insertHoldsText(lock, 1, false)},
		{"Lock 1: claim the order, two lines", q.insertHoldsText(lock, 2, false)},
		{"Lock 1: the same, with a time at which it dies at the latest", q.insertHoldsText(lock, 2, true)},
		{"Lock: count it for its buyer, two lines", q.countHoldsText(2)},
		{"Lock 2: one line, no buyer", q.lockItemsText(lock, 1, false, true)},
		{"Lock 2: one line, with a buyer", q.lockItemsText(lock, 1, true, true)},
		{"Lock 2: two lines, no buyer", q.lockItemsText(lock, 2, false, true)},
		{"Lock 2: two lines, with a buyer", q.lockItemsText(lock, 2, true, true)},
		{"Lock 2: the guard also asks whether the item may be sold out or low now", q.lockItemText(lock, true, true, 0) + asksNear(3)},
		{"Take 1: claim the order, two lines", q.insertHoldsText(take, 2, false)},
		{"Take 2: one line, no buyer", q.lockItemsText(take, 1, false, true)},
		{"Take 2: two lines, with a buyer", q.lockItemsText(take, 2, true, true)},
	}
	counted := stock.Entry{Key: entry.Key, Delta: stock.Quantities{Total: 5, Left: 5}, From: 100}
	short := stock.Entry{Key: entry.Key, Delta: stock.Quantities{Total: -80, Left: -80, Backordered: 14}, From: 100, Short: 14, Exactly: true}
	var sums []itemSum
	for n := range int64(3) {
		sums = append(sums, itemSum{Key: stock.Key{SKU: 41 + n}, num: 1 + n, most: 1, anonymous: true, yields: true})
	}
	one, two := lineKeys{"1": {"a", "b"}}, lineKeys{"1": {"a", "b"}, "1, 2": {"c"}}
	for _, t := range stock.Transitions() {
		if text, ok := q.Moves[t.Step]; ok {
			all = append(all, sqltest.Statement{"Step " + t.Name, text})
		}
		if many, ok := q.Many[t.Step]; ok {
			all = append(all,
				sqltest.Statement{"Merged " + t.Name + " 1: lock the holds", many.lock},
				sqltest.Statement{"Merged " + t.Name + " 2: the holds", many.Moved(time.UnixMicro(0), two)})
		}
	}
	return append(all,
		sqltest.Statement{"Merged steps 1: lock the other lines", q.lockLines(lineKeys{"2": {"a", "b"}, "2, 3": {"c"}})},
		sqltest.Statement{"Merged steps that draw, or whose books refuse: lock the buyers", q.readUsagesText(2) + " FOR UPDATE"},
		sqltest.Statement{"Merged steps that draw, or whose books refuse: lock the items", q.lockItemRowsText(2)},
		sqltest.Statement{"Merged steps 3: the buyers", q.tallyBuyersText(2)},
		sqltest.Statement{"Merged steps 3: buyers with many different changes", q.tallyEachBuyerText(2)},
		sqltest.Statement{"Merged steps 4: the item", q.tallyItem},
		sqltest.Statement{"Merged steps 4: the items", q.tallyItems(2)},
		sqltest.Statement{"Merged calls that are stuck: the lines of their orders", q.lockLinesOf},
		sqltest.Statement{"Wait 1: claim the order, two", q.insertWaitersText(2)},
		sqltest.Statement{"Wait 2: the item", q.queueUp},
		sqltest.Statement{"Hand over: who waits", q.queue},
		sqltest.Statement{"Hand over: for what an order has made available, by itself", q.waitedFor(0)},
		sqltest.Statement{"Hand over: for what an order of two lines has made available, in the caller's transaction", q.waitedFor(2)},
		sqltest.Statement{"Expire: items that have units for those who wait", q.leftBehind},
		sqltest.Statement{"Position", q.ahead},
		sqltest.Statement{"Step reacquire 2: all lines, or roll back", q.countState},
		sqltest.Statement{"Cancel, Resolve: close an unknown order", q.CloseOrder},
		sqltest.Statement{"Resolve: fence the order", q.fenceOrder},
		sqltest.Statement{"Extend, Shorten", q.setDeadline},
		sqltest.Statement{"Refund 1: claim the number", q.insertRefundText(1)},
		sqltest.Statement{"Refund 1: lock the lines of the order (here two)", q.lockRefundedText(2)},
		sqltest.Statement{"Refund 3: each line, back on sale", q.refundLineText(stock.StepRefund.Transition(), "3", 0)},
		sqltest.Statement{
			"Refund 3: each line, of which 2 units have not come yet", q.refundLineText(stock.StepRefund.Transition(), "3", 2),
		},
		sqltest.Statement{"Refund 3: each line, not back on sale", q.refundLineText(stock.StepDiscard.Transition(), "3", 0)},
		sqltest.Statement{"Refund 4: every unit is refunded now", q.setStateText(2)},
		sqltest.Statement{"Merged Refund 1: lock the orders", q.lockRefunds(two)},
		sqltest.Statement{"Merged Refund 2: claim the numbers, two", q.insertRefundText(2)},
		sqltest.Statement{"Merged Refund 3: the holds of which the same is refunded", q.refundHoldsText() + one.where()},
		sqltest.Statement{"Amend, RedeemPart, PutBack 1: the lines of the hold, two", q.amendHoldsText(2, true)},
		sqltest.Statement{"Amend 1: the lines that it has more, two", q.addLinesText(2)},
		sqltest.Statement{"Merged Amend 1: lock the orders", q.lockAmended(two)},
		sqltest.Statement{"Restock, Withdraw, Transfer, Repair, Amend, RedeemPart, PutBack 1: claim the number", q.insertChangeText(1)},
		sqltest.Statement{"Restock, Withdraw, Transfer, Repair, Amend, RedeemPart, PutBack 1: claim the number", q.insertChangeText(1)},
		sqltest.Statement{"Restock, Withdraw, Transfer 2: all items, two", q.moveUnitsText(2)},
		sqltest.Statement{
			"Restock, Withdraw, Transfer, Repair 2: each item (here the rest, 3 units, goes)", q.applyToItem(stock.KindTransfer, entry),
		},
		sqltest.Statement{"Count 2: 5 units more", q.applyToItem(stock.KindCount, counted)},
		sqltest.Statement{"Count 1: the newest lines of the item, where units are short", q.newest},
		sqltest.Statement{"Count 1, Cover 2: lock the lines", q.lockBacks(two)},
		sqltest.Statement{"Count 1: what they lack", mysql.Render(q.changeBack, 3) + one.where()},
		sqltest.Statement{"Count 3: 14 units short", q.applyToItem(stock.KindCount, short)},
		sqltest.Statement{
			"Lock, Take, Reacquire, Amend of units that are not there 1: what the lines lack", mysql.Render(q.setBack, 3) + one.where(),
		},
		sqltest.Statement{"Lock, Take, Reacquire, Amend, Count of units that are not there 2: the lines wait", q.insertBackordersText(two)},
		sqltest.Statement{"Cover: the items with something to give", q.coverable},
		sqltest.Statement{"Cover 1: the lines that have waited longest", q.backorderQueue},
		sqltest.Statement{"Cover 3: what they lack then", mysql.Render(q.changeBack, 0) + one.where()},
		sqltest.Statement{"Cover 4: lines that wait no more", q.endBackorders(entry.Key, one)},
		sqltest.Statement{"Cover 5: the item", q.coverItem},
		sqltest.Statement{"List holds that wait for units of an item", q.holdsThatWait()},
		sqltest.Statement{"Repair 2: a buyer's row, if need be", q.makeBuyersText(1)},
		sqltest.Statement{"Repair 3: a buyer's row", q.changeBuyer},
		sqltest.Statement{"Merged Lock: which orders are known", q.known},
		sqltest.Statement{"Merged Lock: the clock", mysql.ReadClock},
		sqltest.Statement{"Merged Lock 1: claim the orders, two", q.insertMany(time.UnixMicro(0).UTC(), []LockCall{
			{Order: stock.Order{ID: "a", Lines: []stock.Line{{SKU: 42, Num: 2}}}, HoldFor: time.Minute},
			{Order: stock.Order{ID: "b", Buyer: "7", Lines: []stock.Line{{SKU: 42, Num: 1}}}, HoldFor: time.Minute},
		})},
		sqltest.Statement{"Merged Lock 2: the item, no buyers", q.lockItemText(lock, true, true, 0)},
		sqltest.Statement{"Merged Lock 2: the item, two buyers", q.lockItemText(lock, false, true, 2)},
		sqltest.Statement{"Merged Take 1: claim the orders, two", q.insertMany(time.UnixMicro(0).UTC(), []LockCall{
			{Order: stock.Order{ID: "a", Lines: []stock.Line{{SKU: 42, Num: 2}}, Immediate: true}, HoldFor: time.Minute},
			{Order: stock.Order{ID: "b", Buyer: "7", Lines: []stock.Line{{SKU: 42, Num: 1}}, Immediate: true}, HoldFor: time.Minute},
		})},
		sqltest.Statement{"Merged Take 2: the item, two buyers", q.lockItemText(take, false, true, 2)},
		sqltest.Statement{"Merged Lock 2: three items of a pool, of which 1, 2 and 3 units are locked, no buyers", q.lockSums(lock, sums, nil)},
		sqltest.Statement{"Merged Lock 2: the same of two pools", q.lockSumsText(lock, 2, 0)},
		sqltest.Statement{"Merged Lock 2: the same with two buyers", q.lockSumsText(lock, 2, 2)},
		sqltest.Statement{"Merged Lock: what the item has, and when its first hold dies", q.lookAtItemsText(1, true, 0)},
		sqltest.Statement{"Merged Lock: the same of two items", q.lookAtItemsText(2, true, 0)},
		sqltest.Statement{"Merged Lock: what the locked items have", q.lookAtItemsText(2, false, 0) + " FOR UPDATE"},
		sqltest.Statement{"Merged Lock: what its buyers have", q.readUsagesText(2)},
		sqltest.Statement{"Merged Lock: the same without holds that cannot be released", q.lookAtItemsText(2, true, 2)},
		sqltest.Statement{"Read items", q.readItems(1)},
		sqltest.Statement{"List items", q.listItems(false)},
		sqltest.Statement{"List items of a product", q.listItems(true)},
		sqltest.Statement{"Read a hold", q.readHold},
		sqltest.Statement{"Read several holds", q.readHolds},
		sqltest.Statement{"Missing: which orders have a hold", q.heldOrders},
		sqltest.Statement{"List holds by order", q.holdsByOrder(1)},
		sqltest.Statement{"List holds of an item", q.holdsByItem()},
		sqltest.Statement{"List holds of an item that were finished before a time", q.finishedByItem()},
		sqltest.Statement{"List holds by deadline", q.holdsByState()},
		sqltest.Statement{"List holds of a buyer, in two states", q.holdsByBuyer(2)},
		sqltest.Statement{"List refunds of an order", q.listRefunds},
		sqltest.Statement{"List changes of an item", q.listChanges},
		sqltest.Statement{"Dead holds of an item", q.dueOfItem},
		sqltest.Statement{"Dead holds of all items", q.dueOfAll},
		sqltest.Statement{"Read a refund", q.readRefund},
		sqltest.Statement{"Read a change", q.readChange},
		sqltest.Statement{"In the caller's transaction: blank holds", q.blankHoldsText(2)},
		sqltest.Statement{"In the caller's transaction: lock an order", q.lockOrder},
		sqltest.Statement{"In the caller's transaction: read its lines, two", q.currentHold(2)},
		sqltest.Statement{"In the caller's transaction: which orders are known", q.knownNow},
		sqltest.Statement{"In the caller's transaction: what the buyer of two lines has, before their items", q.lockBuyersOfOrder(2)},
		sqltest.Statement{"In the caller's transaction: Pay of two lines", q.renderMove(stock.StepPay.Transition(), 2)},
		sqltest.Statement{"In the caller's transaction: Redeem of two lines", q.renderMove(stock.StepRedeem.Transition(), 2)},
		sqltest.Statement{"In the caller's transaction: Reacquire 2: all lines, or roll back", q.countCurrent(2)},
		sqltest.Statement{"In the caller's transaction: Resolve of two lines", q.fenceOrder + wholeKeys(2)},
		sqltest.Statement{"In the caller's transaction: no blank hold any more", q.blankHold.TakeBack},
		sqltest.Statement{"In the caller's transaction: the hold of two lines of a refused Lock goes", q.deleteHoldsText(2)},
		sqltest.Statement{"In the caller's transaction: a refused refund of two lines goes", q.deleteRefundText(2)},
		sqltest.Statement{"In the caller's transaction: a refused change of two lines goes", q.deleteChangeText(2)},
		sqltest.Statement{"In the caller's transaction: refused definitions go", q.deleteChanges([]stock.Change{
			{Kind: stock.KindDefine, ID: "1/0/1"}, {Kind: stock.KindDefine, ID: "2/0/1"},
		})},
		sqltest.Statement{"In the caller's transaction: a blank refund", q.blankRefund.Insert},
		sqltest.Statement{"In the caller's transaction: no blank refund any more", q.blankRefund.TakeBack},
		sqltest.Statement{"In the caller's transaction: lock a refund", q.lockRefund},
		sqltest.Statement{"In the caller's transaction: read its lines, two", q.currentRefund(2)},
		sqltest.Statement{"In the caller's transaction: a blank change", q.blankChange.Insert},
		sqltest.Statement{"In the caller's transaction: no blank change any more", q.blankChange.TakeBack},
		sqltest.Statement{"In the caller's transaction: lock a change", q.lockChange},
		sqltest.Statement{"In the caller's transaction: read its lines, two", q.currentChange(2)},
		sqltest.Statement{"In the caller's transaction: blank items", q.blankItemsText(1)},
		sqltest.Statement{"In the caller's transaction: no blank item any more", q.deleteBlankItems(1)},
		sqltest.Statement{"In the caller's transaction: which of the dead holds are dead now", q.stillDue + " SKIP LOCKED"},
		sqltest.Statement{"Archive 1: lock the orders", q.lockFinished + " SKIP LOCKED"},
		sqltest.Statement{"Archive 1: lock all lines", q.lockWholeHolds(two)},
		sqltest.Statement{"Archive: which refunds they have", q.refundsOf},
		sqltest.Statement{"Archive 2: the refunds go", q.deleteRefunds(two)},
		sqltest.Statement{"Archive: which places they had in queues", q.backordersOf},
		sqltest.Statement{"Archive 3: the places go", q.deleteBackorders([]any{"a", 1, 0, "b", 2, 7})},
		sqltest.Statement{"Archive: the last row of orders that were amended", q.lastLines},
		sqltest.Statement{"Archive 4: the lines behind the first go", q.deleteLines(lineKeys{"2": {"a", "b"}})},
		sqltest.Statement{"Archive 5: the first lines", q.archiveHolds},
		sqltest.Statement{"Archive 6: the buyers, two", q.archiveBuyersText(2)},
		sqltest.Statement{"Archive 7: the items, two", q.insertChangeText(2) + q.addsUp},
		sqltest.Statement{"Audit items, two", q.bookItems(rangesOf([]stock.Key{{SKU: 41}, {SKU: 42, Activity: 7}}))},
		sqltest.Statement{"Audit their buyers", q.bookBuyers(rangesOf([]stock.Key{{SKU: 41}, {SKU: 42, Activity: 7}}))},
	)
}
