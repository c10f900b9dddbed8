package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// trade makes some orders of teapots: 2 are locked, 3 sold, and of one more that was sold one is back on sale.
func trade(b *browser) {
	b.t.Helper()
	ctx := b.t.Context()
	b.lock("locked", "Ann", stock.Line{SKU: teapot, Num: 2})
	b.lock("paid", "Bo", stock.Line{SKU: teapot, Num: 2})
	b.pay("paid")
	b.lock("refunded in part", "Ann", stock.Line{SKU: teapot, Num: 2}, stock.Line{SKU: tea, Activity: flash, Num: 1})
	b.pay("refunded in part")
	_, err := b.shop.inv.By("Mo", "broken").Refund(ctx, stock.Refund{
		ID: "r1", Order: "refunded in part", Lines: []stock.Line{{SKU: teapot, Num: 1}}, Restock: true,
	})
	require.NoError(b.t, err)
}

func TestItemsHaveTheirFigures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		trade(b)
		all, page := "", "/"
		for pages := 1; page != ""; pages++ {
			body := b.get(page)
			all += body
			if page = ""; nextPage.MatchString(body) {
				page = html.UnescapeString(nextPage.FindStringSubmatch(body)[1])
			}
			require.LessOrEqual(t, pages, 3)
		}
		require.Equal(t, 9, strings.Count(all, `<td class="wide">`), "each item is on one page")
		for of, want := range map[string][]string{
			"/items/43/0": {"60", "3", "57", "2", "55", "1"},
			"/items/42/7": {"100", "1", "99", "0", "99", "0"},
			"/items/42/0": {"800", "0", "800", "0", "800", "0"},
			"/items/45/0": {"unlimited", "0", "–", "0", "any", "0"},
			"/items/49/0": {"30", "0", "30", "0", "24", "0"},
		} {
			require.Equal(t, want, b.cells(all, `"`+of+`"`)[3:9], of)
		}
		for of, want := range map[string]string{
			"/items/42/0": "on sale", "/items/44/0": "on sale", "/items/46/0": "not begun", "/items/47/0": "off the shelf",
		} {
			require.Equal(t, want, b.cells(all, `"`+of+`"`)[1], of)
		}
		require.Contains(t, b.get("/?order=sold"), "Teapot")
		require.Contains(t, b.get("/?spu=4"), "Green tea")
		require.NotContains(t, b.get("/?spu=4"), "Teapot")
	})
}

func TestItemHasItsHoldsAndChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		trade(b)
		page := b.get("/items/43/0")
		require.Equal(t, []string{"60", "3", "57", "2", "55", "1", "0", "0"}, b.cells(page, `<td class="n">60</td>`))
		require.Equal(t, []string{"locked", "locked", "Ann", "2 × Teapot"}, b.cells(page, "no=locked")[:4])
		require.Equal(t, "1 × Green tea, 100 g Double eleven 2 × Teapot, 1 refunded", b.cells(page, "no=refunded")[3])
		require.Equal(t, []string{"refund", "sold -1, left +1, refunded +1", "Mo", "broken", "r1"}, b.cells(page, "broken")[1:])
		require.Equal(t, []string{"define", "total +60", "Lin", "the shop opens"}, b.cells(page, "the shop opens")[1:5])

		page = b.get("/items/43/0?state=locked")
		require.Contains(t, page, "no=locked")
		require.NotContains(t, page, "no=paid")
		require.Contains(t, b.get("/items/42/7"), "Double eleven, running, for\n19.90 instead of 99.00")

		for n := range 4 {
			b.lock(fmt.Sprint("more-", n), "", stock.Line{SKU: teapot, Num: 1})
		}
		next := nextPage.FindStringSubmatch(b.get("/items/43/0?state=locked"))
		require.Len(t, next, 2)
		page = b.get(html.UnescapeString(next[1]))
		require.Equal(t, 2, strings.Count(page, `<a class="id" href="/order?no=`))
		require.Contains(t, page, "<b>locked</b>")
	})
}

func TestOrderHasItsLinesAndRefunds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		trade(b)
		page := b.get("/order?no=refunded+in+part")
		require.Equal(t, []string{"Teapot", "2", "–", "1", "1", "0", "0"}, b.cells(page, "/items/43/0"))
		require.Equal(t, []string{"Green tea, 100 g Double eleven", "1", "19.90", "0", "0", "0", "0"}, b.cells(page, "/items/42/7"))
		require.Equal(t, []string{"1 × Teapot", "yes", "Mo", "broken", "r1"}, b.cells(page, "broken")[1:])
		require.NotContains(t, page, "/order/cancel")
		require.Contains(t, b.get("/order?no=locked"), "It can be paid or cancelled.")
		page = b.get("/orders?buyer=Ann")
		require.Contains(t, page, "no=locked")
		require.Contains(t, page, "no=refunded%20in%20part")
		require.NotContains(t, page, "no=paid")
	})
}

func TestSoldOutAndWaiting(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		for n := range 12 {
			b.lock(fmt.Sprint("tin-", n), fmt.Sprint("u-", n), stock.Line{SKU: tin, Num: 1})
		}
		_, err := b.shop.inv.For("Ann").Wait(t.Context(), "patient", stock.Line{SKU: tin, Num: 1})
		require.NoError(t, err)
		require.Contains(t, b.get("/items/44/0"), "sold out")
		require.Contains(t, b.get("/order?no=patient"), "It is number 1 of 1 in the queue.")

		b.lock("ahead", "", stock.Line{SKU: cup, Num: 10})
		page := b.get("/items/48/0?state=backordered")
		require.Equal(t, "10 × Cup, next batch, 2 not come yet", b.cells(page, "no=ahead")[3])
	})
}

func TestLatelyHasTheNewestEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		trade(b)
		_, err := b.shop.events.Deliver(t.Context(), b.shop.lately.handle)
		require.NoError(t, err)
		page := b.get("/lately")
		require.Contains(t, b.cells(page, "no=paid"), "Bo")
		require.Contains(t, page, event.OrderRefunded.String())
	})
}

func TestJournalKeepsAnEventOnceAndTheNewest(t *testing.T) {
	t.Parallel()
	var j journal
	for id := range int64(journalSize + 50) {
		require.NoError(t, j.handle(t.Context(), event.Event{ID: id + 1, Order: "a"}))
		require.NoError(t, j.handle(t.Context(), event.Event{ID: id + 1, Order: "a"}))
	}
	require.NoError(t, j.handle(t.Context(), event.Event{ID: 1, SKU: teapot}))
	items, orders := j.newest()
	require.Len(t, items, 1)
	require.Len(t, orders, journalSize)
	require.Equal(t, int64(journalSize+50), orders[0].ID)
	require.Equal(t, int64(51), orders[journalSize-1].ID)
}

func TestBarsAddUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is   stock.Item
		want string
	}{
		"Plain": {
			stock.Item{Quantities: stock.Quantities{Total: 10, Sold: 5, Left: 5, Locked: 2}}, "sold 0-500 locked 500-700 free 700-1000 ",
		},
		"Reserve": {
			stock.Item{Quantities: stock.Quantities{Total: 10, Left: 10}, Terms: stock.Terms{Reserve: 4}}, "free 0-600 reserved 600-1000 ",
		},
		"MorePromisedThanThere": {
			stock.Item{Quantities: stock.Quantities{Total: 10, Sold: 15, Left: -5, Locked: 5, Backordered: 10}},
			"sold 0-750 locked 750-1000 ",
		},
		"Unlimited": {
			stock.Item{Quantities: stock.Quantities{Sold: 3, Locked: 1}, Terms: stock.Terms{Unlimited: true}}, "sold 0-750 locked 750-1000 ",
		},
		"Empty": {stock.Item{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			for _, s := range barOf(c.is).Segments {
				fmt.Fprintf(&got, "%s %d-%d ", s.Class, s.X, s.X+s.Width)
			}
			require.Equal(t, c.want, got.String())
		})
	}
}

func TestStatusSaysWhatKeepsAnItemFromBeingSold(t *testing.T) {
	t.Parallel()
	now := time.Now()
	some := stock.Quantities{Total: 5, Left: 5}
	for name, c := range map[string]struct {
		terms stock.Terms
		is    stock.Quantities
		want  string
	}{
		"OnSale":           {stock.Terms{Low: 4, End: now.Add(1)}, some, "on sale"},
		"Low":              {stock.Terms{Low: 5}, some, "low"},
		"SoldOut":          {stock.Terms{Reserve: 5}, some, "sold out"},
		"OrderedAhead":     {stock.Terms{Reserve: 5, Backorder: 1}, some, "on sale"},
		"NotBegun":         {stock.Terms{Start: now.Add(1)}, some, "not begun"},
		"Over":             {stock.Terms{End: now}, some, "over"},
		"OffAndSoldOut":    {stock.Terms{OffShelf: true}, stock.Quantities{}, "off the shelf, sold out"},
		"UnlimitedHasSome": {stock.Terms{Unlimited: true}, stock.Quantities{Sold: 5}, "on sale"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range statusOf(stock.Item{Terms: c.terms, Quantities: c.is}, now) {
				got = append(got, s.Text)
			}
			require.Equal(t, c.want, strings.Join(got, ", "))
		})
	}
}

func TestMeaningOfAnOrderIsThatOfItsState(t *testing.T) {
	t.Parallel()
	now := time.Now()
	require.Contains(t, meaning(stock.Hold{State: stock.Locked, Deadline: now}, now), "Its deadline has passed")
	require.Contains(t, meaning(stock.Hold{State: stock.Locked, Deadline: now.Add(1)}, now), "It can be paid or cancelled")
	seen := map[string]bool{"": true}
	for _, state := range append(states, stock.Archived) {
		says := meaning(stock.Hold{State: state}, now)
		require.False(t, seen[says], state)
		seen[says] = true
	}
	require.Empty(t, meaning(stock.Hold{}, now))
}

func TestEachProblemIsMetByItsError(t *testing.T) {
	t.Parallel()
	for _, p := range problems {
		require.Equal(t, p, problemOf(fmt.Errorf("wrapped: %w", p.of)), p.of.Error())
		require.GreaterOrEqual(t, p.Status, 400)
	}
	require.Equal(t, http.StatusInternalServerError, problemOf(io.EOF).Status)
}

func TestOrdersThatAreOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		ctx := t.Context()
		_, err := b.shop.inv.Cancel(ctx, "never placed")
		require.NoError(t, err)
		require.Contains(t, b.get("/order?no=never+placed"), "It has no lines.")

		b.lock("old", "Ann", stock.Line{SKU: teapot, Num: 1})
		b.pay("old")
		_, err = b.shop.inv.Redeem(ctx, "old")
		require.NoError(t, err)
		for _, err := range b.shop.inv.By("Lin", "of last year").Archive(ctx, time.Now().Add(time.Hour), stock.Filter{}, nil) {
			require.NoError(t, err)
		}
		require.Contains(t, b.get("/order?no=old"), "Only its number is left.")
		cells := b.cells(b.get("/items/43/0"), "of last year")
		require.Equal(t, []string{"archive", "archived lines: 1", "Lin", "of last year"}, cells[1:5])
	})
}

func TestFailuresOfJobsAreShown(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), nil, time.Minute)
	require.NoError(t, err)
	s.lately.failed("a job of the shop", stock.ErrUnavailable)
	require.Contains(t, visit(t, s).get("/lately"), "a job of the shop: holdfast: store unavailable")
}

// hostile are order numbers and buyers that a page must show and link to as what they are.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.}}`, `javascript:alert(1)`,
	`../../audit?run=1&no=x#y`, "trailing ", " ", "a\x00b\xff", "\u202egnp.exe", "7%20", "a&said=restocked", `"7"`,
}

func TestHostileNumbersAreEscaped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		for n, text := range hostile {
			b.lock(text, text, stock.Line{SKU: cup, Num: 1})
			for _, path := range []string{toOrder(text, "", false), "/items/48/0?state=locked"} {
				page := b.get(path)
				require.NotContains(t, page, "<script>alert")
				require.NotContains(t, page, "<img")
				require.NotContains(t, page, "onmouseover='")
				require.NotContains(t, page, "\u202e")
				require.Contains(t, html.UnescapeString(page), shown(text))
			}
			page := b.get(toOrder(text, "", false))
			_, action, _ := strings.Cut(page, `method="post" action="`)
			action, _, _ = strings.Cut(action, `"`)
			action = html.UnescapeString(action)
			page = b.done(action, b.form(page, action, nil))
			require.Contains(t, page, "The order was cancelled", "%q", text)
			hold, err := b.shop.inv.Hold(t.Context(), text)
			require.NoError(t, err)
			require.Equal(t, stock.Cancelled, hold.State, "%d: %q", n, text)
		}
	})
}

func TestPagesThatAreNotThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *browser) {
		t.Helper()
		b.lock("paid", "", stock.Line{SKU: teapot, Num: 1})
		for path, c := range map[string]struct {
			status int
			says   string
		}{
			"/nowhere":              {http.StatusNotFound, "There is no such page."},
			"/items/x/0":            {http.StatusNotFound, "There is no such page."},
			"/items/999/0":          {http.StatusNotFound, "There is no such item."},
			"/items/0/0":            {http.StatusBadRequest, "in the address"},
			"/order?no=unknown":     {http.StatusNotFound, "No hold has this order number."},
			"/order":                {http.StatusBadRequest, "in the address"},
			"/orders":               {http.StatusBadRequest, "buyer"},
			"/?after=broken":        {http.StatusBadRequest, "is no cursor of this list"},
			"/?spu=x":               {http.StatusBadRequest, "SPU"},
			"/audit?run=1&sku=999":  {http.StatusNotFound, "There is no such item."},
			"/audit?run=1&sku=x":    {http.StatusBadRequest, "SKU"},
			"/items/43/0/restock":   {http.StatusNotFound, "There is no such page."},
			"/order/cancel?no=paid": {http.StatusNotFound, "There is no such page."}, // a GET changes nothing
		} {
			a := b.send(http.MethodGet, path, nil, http.Header{})
			require.Equal(t, c.status, a.status, path)
			require.Contains(t, a.body, c.says, path)
		}
		require.Equal(t, int64(1), b.item(stock.Key{SKU: teapot}).Locked)
		require.NotContains(t, b.get("/?said=%3Cb%3Ehacked"), "hacked")
	})
}
