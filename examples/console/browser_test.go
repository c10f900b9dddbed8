package main

import (
	"context"
	"database/sql"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
	"github.com/holdfast-go/holdfast/stock"
)

// browser is an operator in front of a console without simulated buyers. Its lists have 3 rows a page.
type browser struct {
	t    *testing.T
	shop *shop
	url  string
}

// answer is a page as it came.
type answer struct {
	status int
	header http.Header
	body   string
}

// each runs a test on a furnished shop in memory, and on one in a database of its own. The books balance in the end.
func each(t *testing.T, test func(t *testing.T, b *browser)) {
	t.Helper()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		exampletest.Complete(t, dsn, func(ctx context.Context, db *sql.DB, _ io.Writer) error {
			s, err := open(ctx, db, time.Minute)
			require.NoError(t, err)
			require.NoError(t, s.furnish(ctx, time.Now()))
			b := visit(t, s)
			test(t, b)
			report, err := s.inv.Audit(ctx)
			require.NoError(t, err)
			require.Empty(t, report.Drifts)
			return nil
		})
	})
}

// visit opens a console of a shop.
func visit(t *testing.T, s *shop) *browser {
	t.Helper()
	server := httptest.NewServer((&site{shop: s, rows: 3}).handler())
	t.Cleanup(server.Close)
	return &browser{t, s, server.URL}
}

// send sends a request and follows no redirect.
func (b *browser) send(method, path string, fields url.Values, header http.Header) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(fields.Encode()))
	require.NoError(b.t, err)
	r.Header = header.Clone()
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

// get opens a page that has to be there.
func (b *browser) get(path string) string {
	b.t.Helper()
	a := b.send(http.MethodGet, path, nil, http.Header{})
	require.Equal(b.t, http.StatusOK, a.status, a.body)
	return a.body
}

// post sends a form as a browser does.
func (b *browser) post(path string, fields url.Values) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, fields, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

// done sends a form that has to be accepted, and returns the page that it leads to.
func (b *browser) done(path string, fields url.Values) string {
	b.t.Helper()
	a := b.post(path, fields)
	require.Equal(b.t, http.StatusSeeOther, a.status, a.body)
	return b.get(a.header.Get("Location"))
}

var (
	inputs     = regexp.MustCompile(`<input ([^>]*)>`)
	attributes = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	nextPage   = regexp.MustCompile(`<a class="next" href="([^"]*)">`)
	tags       = regexp.MustCompile(`<[^>]*>`)
)

// form returns the fields of a form as a page has filled them in, with a name and a reason, and with what is given.
func (b *browser) form(page, action string, given url.Values) url.Values {
	b.t.Helper()
	_, rest, found := strings.Cut(page, `action="`+html.EscapeString(action)+`"`)
	require.True(b.t, found, "no form of %s in %s", action, page)
	rest, _, _ = strings.Cut(rest, "</form>")
	fields := url.Values{}
	for _, input := range inputs.FindAllStringSubmatch(rest, -1) {
		is := map[string]string{}
		for _, a := range attributes.FindAllStringSubmatch(input[1], -1) {
			is[a[1]] = html.UnescapeString(a[2])
		}
		_, checked := is["checked"]
		switch {
		case is["type"] != "checkbox":
			fields.Add(is["name"], is["value"])
		case checked:
			fields.Add(is["name"], "on")
		}
	}
	fields.Set("name", "Lin")
	fields.Set("reason", "stocktaking")
	maps.Copy(fields, given)
	return fields
}

// fill is form of a page that is opened for it.
func (b *browser) fill(path, action string, given url.Values) url.Values {
	b.t.Helper()
	return b.form(b.get(path), action, given)
}

// cells returns the texts of the cells of the row that has a link or a text.
func (b *browser) cells(page, of string) []string {
	b.t.Helper()
	for row := range strings.SplitSeq(page, "<tr>") {
		row, _, _ = strings.Cut(row, "</tr>")
		if !strings.Contains(row, of) {
			continue
		}
		var cells []string
		for _, cell := range strings.Split(row, "<td")[1:] {
			_, cell, _ = strings.Cut(cell, ">")
			text := html.UnescapeString(tags.ReplaceAllString(cell, " "))
			cells = append(cells, strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " ,", ","))
		}
		return cells
	}
	require.Fail(b.t, "no such row", "%s in %s", of, page)
	return nil
}

// item returns an item as it is now.
func (b *browser) item(key stock.Key) stock.Item {
	b.t.Helper()
	item, err := b.shop.inv.Item(b.t.Context(), key)
	require.NoError(b.t, err)
	return item
}

// lock locks units for an order; buyer "" is nobody.
func (b *browser) lock(order, buyer string, lines ...stock.Line) {
	b.t.Helper()
	inv := b.shop.inv
	if buyer != "" {
		inv = inv.For(buyer)
	}
	_, err := inv.Lock(b.t.Context(), order, lines...)
	require.NoError(b.t, err)
}

// pay pays an order.
func (b *browser) pay(order string) {
	b.t.Helper()
	_, err := b.shop.inv.Pay(b.t.Context(), order)
	require.NoError(b.t, err)
}

// changes returns the newest changes of an item.
func (b *browser) changes(key stock.Key) []stock.Change {
	b.t.Helper()
	page, err := b.shop.inv.ChangesPage(b.t.Context(), key, stock.PageRequest{})
	require.NoError(b.t, err)
	return page.Rows
}
