package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// twice sends a form two times at once, as a double click does, and a third time, as a reload does. Each is answered, and none is an
// error except that the form was sent before.
func (b *browser) twice(path string, fields url.Values) (last answer) {
	b.t.Helper()
	var clicks sync.WaitGroup
	answers := make([]answer, 2)
	for n := range answers {
		clicks.Add(1)
		go func() {
			defer clicks.Done()
			answers[n] = b.post(path, fields)
		}()
	}
	clicks.Wait()
	last = b.post(path, fields)
	for _, a := range []answer{answers[0], answers[1], last} {
		if a.status != http.StatusConflict {
			require.Equal(b.t, http.StatusSeeOther, a.status, a.body)
			continue
		}
		require.Contains(b.t, a.body, "This form was sent before")
	}
	return last
}

func TestActionsChangeTheBooksOnce(t *testing.T) {
	t.Parallel()
	pot := stock.Key{SKU: teapot}
	line := stock.Line{SKU: teapot, Num: 2}
	for name, c := range map[string]struct {
		orders func(b *browser)
		page   string
		action string
		fields url.Values
		want   stock.Quantities
		kind   stock.Kind // of the change that is recorded; 0 is none
	}{
		"Restock": {
			page: "/items/43/0", action: "/items/43/0/restock", fields: url.Values{"num": {"40"}},
			want: stock.Quantities{Total: 100, Left: 100}, kind: stock.KindRestock,
		},
		"Withdraw": {
			page: "/items/43/0", action: "/items/43/0/withdraw", fields: url.Values{"num": {"10"}},
			want: stock.Quantities{Total: 50, Left: 50}, kind: stock.KindWithdraw,
		},
		"Count": {
			orders: func(b *browser) { b.lock("a", "", line) },
			page:   "/items/43/0", action: "/items/43/0/count", fields: url.Values{"num": {"57"}},
			want: stock.Quantities{Total: 57, Left: 57, Locked: 2}, kind: stock.KindCount,
		},
		"Terms": {
			page: "/items/43/0", action: "/items/43/0/terms", fields: url.Values{"per_buyer": {"7"}, "off_shelf": {"on"}},
			want: stock.Quantities{Total: 60, Left: 60}, kind: stock.KindDefine,
		},
		"Cancel": {
			orders: func(b *browser) { b.lock("a", "", line) },
			page:   "/order?no=a", action: "/order/cancel?no=a", want: stock.Quantities{Total: 60, Left: 60},
		},
		"Refund": {
			orders: func(b *browser) { b.lock("a", "", line); b.pay("a") },
			page:   "/order?no=a", action: "/order/refund?no=a", fields: url.Values{"num": {"1"}},
			want: stock.Quantities{Total: 60, Left: 59, Sold: 1, Refunded: 1}, kind: stock.KindRefund,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, b *browser) {
				t.Helper()
				if c.orders != nil {
					c.orders(b)
				}
				before := len(b.changes(pot))
				b.twice(c.action, b.fill(c.page, c.action, c.fields))
				require.Equal(t, c.want, b.item(pot).Quantities)
				changes := b.changes(pot)
				if c.kind == 0 {
					require.Len(t, changes, before)
					require.Contains(t, b.get(c.page), "Lin cancelled it here: stocktaking")
					return
				}
				require.Len(t, changes, before+1)
				made := changes[0]
				require.Equal(t, []any{c.kind, "Lin", "stocktaking"}, []any{made.Kind, made.Actor, made.Reason})
			})
		})
	}
}

func TestUnitsOfAFlashSaleComeOutOfOrdinaryStock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		b.twice("/items/42/7/restock", b.fill("/items/42/7", "/items/42/7/restock", url.Values{"num": {"50"}}))
		b.twice("/items/42/7/withdraw", b.fill("/items/42/7", "/items/42/7/withdraw", url.Values{"num": {"20"}}))
		require.Equal(t, int64(130), b.item(stock.Key{SKU: tea, Activity: flash}).Left)
		require.Equal(t, int64(770), b.item(stock.Key{SKU: tea}).Left)
		require.NotContains(t, b.get("/items/42/7"), "/terms")
		fields := b.fill("/items/42/7", "/items/42/7/restock", url.Values{"was-per_buyer": {"2"}, "per_buyer": {"9"}})
		a := b.post("/items/42/7/terms", fields)
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "follow its flash sale")
	})
}

func TestSaleThatIsOverTakesNoUnits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		fields := b.fill("/items/42/7", "/items/42/7/restock", url.Values{"num": {"50"}})
		_, err := b.shop.sales.By("Mo", "a wrong price").End(t.Context(), flash)
		require.NoError(t, err)
		a := b.post("/items/42/7/restock", fields)
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "Its units are in ordinary stock again")
		require.Equal(t, int64(900), b.item(stock.Key{SKU: tea}).Left)
	})
}

func TestCountSaysWhatIsShort(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		b.lock("a", "", stock.Line{SKU: teapot, Num: 2})
		page := b.done("/items/43/0/count", b.fill("/items/43/0", "/items/43/0/count", url.Values{"num": {"1"}}))
		require.Equal(t, "1 counted; 1 short; total -59, left -59, not come +1", b.cells(page, "stocktaking")[2])
		require.Contains(t, page, "1 have to come")
		require.Contains(t, b.get("/items/43/0?state=backordered"), "2 × <a")
	})
}

func TestTermsOfTwoOperators(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		key, action := stock.Key{SKU: tray}, "/items/49/0/terms"
		page := b.get("/items/49/0")
		end := b.item(key).End
		fill := func(given url.Values) url.Values {
			fields := b.form(b.get("/items/49/0"), action, given) // its number
			for name, values := range b.form(page, action, given) {
				if name != "key" {
					fields[name] = values // and what the page showed at first
				}
			}
			return fields
		}
		first := fill(url.Values{"per_buyer": {"2"}, "start": {"2026-11-11T10:00"}})
		require.Contains(t, b.done(action, first), "The terms were changed.")
		require.Contains(t, b.done(action, fill(url.Values{"per_order": {"03"}})), "The terms were changed.") // another term
		require.Contains(t, b.done(action, fill(url.Values{"per_buyer": {"2"}})), "already has these terms")
		a := b.post(action, fill(url.Values{"per_buyer": {"5"}}))
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "Somebody else has changed these terms")

		page = b.get("/items/49/0")
		require.Contains(t, b.done(action, fill(url.Values{"per_buyer": {"0"}})), "The terms were changed.")
		a = b.post(action, first) // the first form comes once more, when its wish would fit again
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "This form was sent before")
		require.Equal(t, stock.Terms{
			Start: time.Date(2026, 11, 11, 10, 0, 0, 0, time.UTC), End: end, PerOrder: 3, Reserve: 6,
		}, b.item(key).Terms)
	})
}

func TestRefusalsSayWhatHappened(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		b.lock("locked", "", stock.Line{SKU: teapot, Num: 2})
		b.lock("paid", "", stock.Line{SKU: teapot, Num: 1})
		b.pay("paid")
		const restock, terms = "/items/43/0/restock", "/items/43/0/terms"
		with := func(more ...string) url.Values {
			fields := url.Values{"key": {"k"}, "name": {"Lin"}, "reason": {"a test"}}
			for pair := range slices.Chunk(more, 2) {
				fields.Set(pair[0], pair[1])
			}
			return fields
		}
		line := func(num int) []string { return []string{"sku", "43", "activity", "0", "num", strconv.Itoa(num)} }
		b.done(restock, with("key", "used", "num", "1"))
		was := b.item(stock.Key{SKU: teapot}).Quantities
		for name, c := range map[string]struct {
			path   string
			fields url.Values
			status int
			says   string
		}{
			"NoName":       {restock, with("num", "1", "name", " "), http.StatusBadRequest, "your name is empty"},
			"NoReason":     {restock, with("num", "1", "reason", ""), http.StatusBadRequest, "reason is empty"},
			"NoNumber":     {restock, with("num", "1", "key", ""), http.StatusBadRequest, "form has no number"},
			"LongName":     {restock, with("num", "1", "name", strings.Repeat("n", 65)), http.StatusBadRequest, "actor"},
			"NoUnits":      {restock, with("num", "0"), http.StatusBadRequest, "whole number from 1 on"},
			"NotANumber":   {"/items/43/0/withdraw", with("num", "1e3"), http.StatusBadRequest, "whole number"},
			"Negative":     {"/items/43/0/count", with("num", "-1"), http.StatusBadRequest, "whole number from 0 on"},
			"TooMany":      {"/items/43/0/withdraw", with("num", "100"), http.StatusConflict, "promised to orders"},
			"Overflow":     {restock, with("num", "9223372036854775807"), http.StatusConflict, "too large"},
			"UsedNumber":   {restock, with("num", "2", "key", "used"), http.StatusConflict, "with other figures"},
			"NoItem":       {"/items/999/0/restock", with("num", "1"), http.StatusNotFound, "no such item"},
			"NoPool":       {"/items/43/7/restock", with("num", "1"), http.StatusNotFound, "no such item"},
			"NoPath":       {"/items/x/0/restock", with("num", "1"), http.StatusNotFound, "no such page"},
			"Unlimited":    {"/items/45/0/restock", with("num", "1"), http.StatusConflict, "The item is unlimited"},
			"BadTime":      {terms, with("was-start", "", "start", "noon"), http.StatusBadRequest, "on sale from"},
			"EndsTooEarly": {terms, with("was-start", "", "start", "2026-01-02T00:00", "was-end", "", "end", "2026-01-01T00:00"), 400, "end"},
			"CancelPaid":   {"/order/cancel?no=paid", with(), http.StatusConflict, "Refund it instead"},
			"CancelNobody": {"/order/cancel?no=unknown", with(), http.StatusNotFound, "No hold has this order number"},
			"LongReason":   {"/order/cancel?no=locked", with("reason", strings.Repeat("r", 513)), http.StatusBadRequest, "reason"},
			"RefundLocked": {"/order/refund?no=locked", with(line(1)...), http.StatusConflict, "Cancel it instead"},
			"RefundMore":   {"/order/refund?no=paid", with(line(2)...), http.StatusConflict, "cannot refund so many"},
			"RefundNone":   {"/order/refund?no=paid", with(line(0)...), http.StatusBadRequest, "are 0 in each line"},
			"RefundHalf":   {"/order/refund?no=paid", with("num", "1"), http.StatusBadRequest, "are incomplete"},
			"NoConfirm":    {"/audit/repair", with(line(1)...), http.StatusBadRequest, "confirmation"},
			"NoSuchForm":   {"/audit", with(), http.StatusMethodNotAllowed, ""},
			"TooLarge":     {restock, with("reason", strings.Repeat("r", maxForm)), http.StatusRequestEntityTooLarge, "too large"},
		} {
			a := b.post(c.path, c.fields)
			require.Equal(t, c.status, a.status, name)
			require.Contains(t, a.body, c.says, name)
		}
		require.Equal(t, was, b.item(stock.Key{SKU: teapot}).Quantities)
		b.lock("unknown", "", stock.Line{SKU: teapot, Num: 1}) // its number was not closed
	})
}

func TestAuditShowsDriftsAndRepairsWhatWasConfirmed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		require.Contains(t, b.get("/audit"), "Run the audit")
		require.Contains(t, b.get("/audit?run=1"), "Items counted: 9.\nThe books balance.")
		require.NoError(t, b.shop.tamper(t.Context()))
		page := b.get("/audit?run=1")
		require.Equal(t, []string{"locked", "", "3", "0", "3"}, b.cells(page, "<td>locked</td>"))

		fields := b.form(page, "/audit/repair", nil)
		require.Equal(t, http.StatusBadRequest, b.post("/audit/repair", fields).status)
		fields.Set("confirm", "on")
		stale := url.Values{"confirm": {"on"}, "seen": {"other"}}
		a := b.post("/audit/repair", b.form(page, "/audit/repair", stale))
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "other drifts than those that you have confirmed")

		last := b.twice("/audit/repair", fields)
		require.Contains(t, b.get(last.header.Get("Location")), "There was nothing to correct.")
		key := stock.Key{SKU: kettle}
		require.Zero(t, b.item(key).Locked)
		repairs := 0
		for _, c := range b.changes(key) {
			if c.Kind == stock.KindRepair && c.Actor == "Lin" {
				require.Equal(t, "stocktaking", c.Reason)
				repairs++
			}
		}
		require.Equal(t, 1, repairs)
	})
}

func TestSalesAreTakenBackOnRequestOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		by := stock.Entry{Key: stock.Key{SKU: kettle}, Delta: stock.Quantities{Sold: 5, Left: -5}}
		_, err := b.shop.goods.Apply(t.Context(), stock.Change{Kind: stock.KindRepair, ID: "by hand", Entries: []stock.Entry{by}})
		require.NoError(t, err)
		confirmed := url.Values{"confirm": {"on"}}
		a := b.post("/audit/repair", b.fill("/audit?run=1&sku=47", "/audit/repair", confirmed))
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "also take sales back")
		require.Equal(t, int64(5), b.item(stock.Key{SKU: kettle}).Sold)
		confirmed.Set("sales", "on")
		require.Contains(t, b.done("/audit/repair", b.fill("/audit?run=1&sku=47", "/audit/repair", confirmed)), "were corrected")
		require.Zero(t, b.item(stock.Key{SKU: kettle}).Sold)
	})
}

// flaky is a store that cannot make a change, or makes it and loses the answer.
type flaky struct {
	stock.Store

	err error
}

// Apply implements stock.Store.
func (f *flaky) Apply(ctx context.Context, change stock.Change, beside ...stock.Companion) (stock.Verdict, error) {
	if f.err != nil && !errors.Is(f.err, stock.ErrUnknown) {
		return stock.Refused, f.err
	}
	verdict, err := f.Store.Apply(ctx, change, beside...)
	return verdict, errors.Join(err, f.err)
}

func TestFormIsSentAgainWithItsNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		again  string
	}{
		"Unknown":     {stock.ErrUnknown, http.StatusGatewayTimeout, "This form was sent before and counts once."},
		"Unavailable": {stock.ErrUnavailable, http.StatusServiceUnavailable, "The units were added."},
		"Busy":        {stock.ErrBusy, http.StatusServiceUnavailable, "The units were added."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := open(t.Context(), nil, time.Minute)
			require.NoError(t, err)
			require.NoError(t, s.furnish(t.Context(), time.Now()))
			store := &flaky{s.goods, c.err}
			s.inv = stock.New(store, nil)
			b := visit(t, s)
			const action = "/items/43/0/restock"
			a := b.post(action, b.fill("/items/43/0", action, url.Values{"num": {"5"}, "name": {`<"Lin">`}}))
			require.Equal(t, c.status, a.status)
			require.Equal(t, "1", a.header.Get("Retry-After"))
			store.err = nil
			require.Contains(t, b.done(action, b.form(a.body, action, url.Values{"name": {`<"Lin">`}})), c.again)
			require.Equal(t, int64(65), b.item(stock.Key{SKU: teapot}).Total)
		})
	}
}

func TestEndOfARequestEndsItsCalls(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), nil, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.furnish(t.Context(), time.Now()))
	ctx, gone := context.WithCancel(t.Context())
	gone()
	_, err = (&site{shop: s, rows: rows}).items((&http.Request{URL: &url.URL{Path: "/"}}).WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
}
