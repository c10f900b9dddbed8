package sqlstore

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

var update = flag.Bool("update", false, "write the golden files in testdata anew")

// golden is every statement of a store, in a file for a DBA to read and for a review to see changes in.
type golden struct {
	store, file string
	statements  func(prefix string) []statement
}

// goldens are those of all stores.
func goldens() []golden {
	return []golden{
		{"stock", "testdata/statements.sql", func(prefix string) []statement { return newStockSQL(prefix + goodsStock).statements() }},
		{"coupon", "testdata/coupon.sql", func(prefix string) []statement { return newCouponSQL(prefix).statements() }},
		{"red packet", "testdata/redpacket.sql", func(prefix string) []statement { return newRedPacketSQL(prefix).statements() }},
		{"group buying", "testdata/groupbuy.sql", func(prefix string) []statement { return newGroupBuySQL(prefix).statements() }},
	}
}

// statement is one of them, with the call that sends it.
type statement struct{ name, text string }

// statements renders all of them; those that grow with the lines of an order for one and two.
func (q *stockSQL) statements() []statement {
	lock, take := stock.StepLock.Transition(), stock.StepTake.Transition()
	entry := stock.Entry{Key: stock.Key{SKU: 42, Activity: 7}, Delta: stock.Quantities{Total: -3, Left: -3}, Exactly: true}
	all := []statement{
		{"Define: a new item", q.createItem},
		{"Define: other terms", q.changeTerms},
		{"Define: limited to unlimited, or back", q.changeLimit},
		{"Lock 1: claim the order, one line", q.insertHoldsText(lock, 1, false)},
		{"Lock 1: claim the order, two lines", q.insertHoldsText(lock, 2, false)},
		{"Lock 1: the same, with a time at which it dies at the latest", q.insertHoldsText(lock, 2, true)},
		{"Lock: count it for its buyer, two lines", q.countHoldsText(2)},
		{"Lock 2: one line, no buyer", q.lockItemsText(lock, 1, false)},
		{"Lock 2: one line, with a buyer", q.lockItemsText(lock, 1, true)},
		{"Lock 2: two lines, no buyer", q.lockItemsText(lock, 2, false)},
		{"Lock 2: two lines, with a buyer", q.lockItemsText(lock, 2, true)},
		{"Take 1: claim the order, two lines", q.insertHoldsText(take, 2, false)},
		{"Take 2: one line, no buyer", q.lockItemsText(take, 1, false)},
		{"Take 2: two lines, with a buyer", q.lockItemsText(take, 2, true)},
	}
	for _, t := range stock.Transitions() {
		if text, ok := q.moves[t.Step]; ok {
			all = append(all, statement{"Step " + t.Name, text})
		}
		if many, ok := q.many[t.Step]; ok {
			all = append(all,
				statement{"Merged " + t.Name + " 1: lock the holds", many.lock},
				statement{"Merged " + t.Name + " 2: the holds", many.moved(time.UnixMicro(0), []string{"a", "b"})})
		}
	}
	return append(all,
		statement{"Merged steps 3: the buyers", q.tallyBuyersText(2)},
		statement{"Merged steps 4: the items", q.tallyItems(2)},
		statement{"Step reacquire 2: all lines, or roll back", q.countState},
		statement{"Cancel, Resolve: close an unknown order", q.closeOrder},
		statement{"Resolve: fence the order", q.fenceOrder},
		statement{"Extend, Shorten", q.setDeadline},
		statement{"Refund 1: claim the number", q.insertRefundText(1)},
		statement{"Refund 1: lock the lines of the order (here two)", q.lockRefundedText(2)},
		statement{"Refund 3: each line, back on sale", q.refundLineText(stock.StepRefund.Transition(), "3")},
		statement{"Refund 3: each line, not back on sale", q.refundLineText(stock.StepDiscard.Transition(), "3")},
		statement{"Refund 4: every unit is refunded now", q.setStateText(2)},
		statement{"Merged Refund 1: lock the orders", q.lockRefunds},
		statement{"Merged Refund 2: claim the numbers, two", q.insertRefundText(2)},
		statement{"Merged Refund 3: the holds of which the same is refunded", q.refundHoldsText() + " AND ORDER_NO IN (?)"},
		statement{"Restock, Withdraw, Transfer, Repair 1: claim the number", q.insertChangeText(1)},
		statement{"Restock, Withdraw, Transfer, Repair 2: each item (here the rest, 3 units, goes)", q.applyToItem(entry)},
		statement{"Repair 2: a buyer's row, if need be", q.makeBuyersText(1)},
		statement{"Repair 3: a buyer's row", q.changeBuyer},
		statement{"Merged Lock: which orders are known", q.known},
		statement{"Merged Lock: the clock", readClock},
		statement{"Merged Lock 1: claim the orders, two", q.insertMany(time.UnixMicro(0).UTC(), []lockCall{
			{order: stock.Order{ID: "a", Lines: []stock.Line{{SKU: 42, Num: 2}}}, holdFor: time.Minute},
			{order: stock.Order{ID: "b", Buyer: "7", Lines: []stock.Line{{SKU: 42, Num: 1}}}, holdFor: time.Minute},
		})},
		statement{"Merged Lock 2: the item, no buyers", q.lockItemText(lock, true, 0)},
		statement{"Merged Lock 2: the item, two buyers", q.lockItemText(lock, false, 2)},
		statement{"Merged Take 1: claim the orders, two", q.insertMany(time.UnixMicro(0).UTC(), []lockCall{
			{order: stock.Order{ID: "a", Lines: []stock.Line{{SKU: 42, Num: 2}}, Taken: true}, holdFor: time.Minute},
			{order: stock.Order{ID: "b", Buyer: "7", Lines: []stock.Line{{SKU: 42, Num: 1}}, Taken: true}, holdFor: time.Minute},
		})},
		statement{"Merged Take 2: the item, two buyers", q.lockItemText(take, false, 2)},
		statement{"Merged Lock: what the item has, and when its first hold dies", q.lookAtItem},
		statement{"Merged Lock: what its buyers have", q.readUsages(2)},
		statement{"Read items", q.readItems(1)},
		statement{"List items", q.listItems},
		statement{"Read a hold", q.readHold},
		statement{"Read several holds", q.readHolds},
		statement{"List holds by order", q.holdsByOrder(1)},
		statement{"List holds of an item", q.holdsByItem},
		statement{"Dead holds of an item", q.dueOfItem},
		statement{"Dead holds of all items", q.dueOfAll},
		statement{"Read a refund", q.readRefund},
		statement{"Read a change", q.readChange},
		statement{"In the caller's transaction: blank holds", q.blankHoldsText(2)},
		statement{"In the caller's transaction: lock an order", q.lockOrder},
		statement{"In the caller's transaction: read its lines, two", q.currentHold(2)},
		statement{"In the caller's transaction: which orders are known", q.knownNow},
		statement{"In the caller's transaction: Pay of two lines", q.renderMove(stock.StepPay.Transition(), 2)},
		statement{"In the caller's transaction: Redeem of two lines", q.renderMove(stock.StepRedeem.Transition(), 2)},
		statement{"In the caller's transaction: Reacquire 2: all lines, or roll back", q.countCurrent(2)},
		statement{"In the caller's transaction: Resolve of two lines", q.fenceOrder + wholeKeys(2)},
		statement{"In the caller's transaction: no blank hold any more", q.blankHold.takeBack},
		statement{"In the caller's transaction: the hold of two lines of a refused Lock goes", q.deleteHoldsText(2)},
		statement{"In the caller's transaction: a refused refund of two lines goes", q.deleteRefundText(2)},
		statement{"In the caller's transaction: a refused change of two lines goes", q.deleteChangeText(2)},
		statement{"In the caller's transaction: a blank refund", q.blankRefund.insert},
		statement{"In the caller's transaction: no blank refund any more", q.blankRefund.takeBack},
		statement{"In the caller's transaction: lock a refund", q.lockRefund},
		statement{"In the caller's transaction: read its lines, two", q.currentRefund(2)},
		statement{"In the caller's transaction: a blank change", q.blankChange.insert},
		statement{"In the caller's transaction: no blank change any more", q.blankChange.takeBack},
		statement{"In the caller's transaction: lock a change", q.lockChange},
		statement{"In the caller's transaction: read its lines, two", q.currentChange(2)},
		statement{"In the caller's transaction: blank items", q.blankItemsText(1)},
		statement{"In the caller's transaction: no blank item any more", q.deleteBlankItems(1)},
		statement{"In the caller's transaction: which of the dead holds are dead now", q.stillDue},
		statement{"Audit an item", q.bookItem},
		statement{"Audit its buyers", q.bookBuyers},
	)
}

func TestStatementsAreAsTheGoldenFileHasThem(t *testing.T) {
	t.Parallel()
	breaks := strings.NewReplacer(" SET ", "\n   SET ", " WHERE ", "\n WHERE ", " FROM ", "\n  FROM ", " VALUES ", "\nVALUES ", " AND ", "\n   AND ",
		" LEFT JOIN ", "\n  LEFT JOIN ", " STRAIGHT_JOIN ", "\n  STRAIGHT_JOIN ", " CROSS JOIN ", "\n  CROSS JOIN ", " ON DUPLICATE ", "\n    ON DUPLICATE ",
		" GROUP BY ", "\n GROUP BY ", " ORDER BY ", "\n ORDER BY ", " UNION ALL ", "\n UNION ALL ")
	for _, g := range goldens() {
		var b strings.Builder
		b.WriteString("-- Every statement of the " + g.store + " store. Written by: go test ./sqlstore -run Golden -update\n")
		for _, s := range g.statements("") {
			require.NotEmpty(t, s.text, s.name)
			b.WriteString("\n-- " + s.name + "\n" + breaks.Replace(s.text) + ";\n")
		}
		if *update {
			require.NoError(t, os.WriteFile(g.file, []byte(b.String()), 0o600))
		}
		want, err := os.ReadFile(g.file)
		require.NoError(t, err)
		require.Equal(t, string(want), b.String(), "run: go test ./sqlstore -run Golden -update")
	}
}

// The rules of the statements, held for all of them at once.
func TestStatementsKeepTheRules(t *testing.T) {
	t.Parallel()
	for _, g := range goldens() {
		for _, s := range g.statements("") {
			keepsTheRules(t, s)
		}
	}
}

// keepsTheRules looks at one statement.
func keepsTheRules(t *testing.T, s statement) {
	t.Helper()
	require.NotContains(t, s.text, "IGNORE", "%s: INSERT IGNORE truncates", s.name)
	require.NotContains(t, s.text, "NOW()", "%s: the session's time zone", s.name)
	require.NotContains(t, s.text, ";", "%s: one statement only", s.name)
	if strings.HasSuffix(s.text, "FOR UPDATE") || strings.HasPrefix(s.text, "DELETE") {
		require.NotContains(t, s.text, " LIMIT ?", "%s: a lock on a range is one on the places beside its rows", s.name)
		require.True(t, strings.Contains(s.text, "FORCE INDEX (PRIMARY)") || !strings.Contains(s.text, " IN ("), "%s: a list of keys may be found by another index", s.name)
	}
	set, _, _ := strings.Cut(after(s.text, " SET "), " WHERE ")
	written := map[string]bool{}
	var assignments []string
	for a := range strings.SplitSeq(set, ", ") {
		column, _, ok := strings.Cut(a, " = ")
		switch {
		case ok && !strings.ContainsAny(column, "( "):
			written[column] = true
			assignments = append(assignments, a)
		case len(assignments) > 0: // the rest of a function's arguments
			assignments[len(assignments)-1] += ", " + a
		}
	}
	for _, a := range assignments {
		column, value, _ := strings.Cut(a, " = ")
		for other := range written {
			if other != column {
				require.NotRegexp(t, `\b`+strings.ReplaceAll(other, ".", `\.`)+`\b`, value, "%s: a SET reads what another one writes", s.name)
			}
		}
	}
}

// after returns what follows the first separator; empty where there is none.
func after(s, separator string) string {
	_, rest, _ := strings.Cut(s, separator)
	return rest
}

func TestPrefixIsInFrontOfEveryName(t *testing.T) {
	t.Parallel()
	bare := regexp.MustCompile(`(^|[^_])\b(goods_stock|coupon_|red_packet|egl_group)`)
	for _, g := range goldens() {
		for _, s := range g.statements("shop_") {
			require.NotRegexp(t, bare, s.text, s.name)
		}
	}
	schema := (&Options{Prefix: "shop_"}).Schema()
	all, err := migrationsOf(schema)
	require.NoError(t, err)
	for _, m := range all {
		for _, s := range m.statements {
			require.NotRegexp(t, bare, s)
		}
	}
}

func TestLiteralsAreThoseOfEverySQLMode(t *testing.T) {
	t.Parallel()
	require.Equal(t, "SELECT -7, x'27206f7227', x'', NULL, 1, 0", render("SELECT ?, ?, ?, ?, ?, ?", int64(-7), "' or'", "", nil, true, false))
}
