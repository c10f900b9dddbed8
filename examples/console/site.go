package main

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/holdfast-go/holdfast/stock"
)

//go:embed web
var web embed.FS

// rows is how many rows a list has on a page.
const rows = 20

// site is the pages of the console.
type site struct {
	shop  *shop
	rows  int
	pages *template.Template
}

// view is a page: the name of its template, and what that shows.
type view struct {
	Template string
	Title    string
	Said     string // what the action has done that led here
	Data     any
}

// newSite returns the handler of the console.
func newSite(s *shop) http.Handler { return (&site{shop: s, rows: rows}).handler() }

// handler returns the routes. Those of GET read, and those of POST make one change each.
func (s *site) handler() http.Handler {
	s.pages = template.Must(template.New("").Funcs(s.funcs()).ParseFS(web, "web/*.html"))
	mux := http.NewServeMux()
	for path, page := range map[string]page{
		"/{$}":                    s.items,
		"/items/{sku}/{activity}": s.item,
		"/orders":                 s.orders,
		"/order":                  s.order,
		"/audit":                  s.audit,
		"/lately":                 s.latest,
		"/{anything...}":          nowhere,
	} {
		mux.Handle("GET "+path, s.show(page))
	}
	for path, act := range map[string]action{
		"/items/{sku}/{activity}/restock":  s.restock,
		"/items/{sku}/{activity}/withdraw": s.withdraw,
		"/items/{sku}/{activity}/count":    s.count,
		"/items/{sku}/{activity}/terms":    s.changeTerms,
		"/order/cancel":                    s.cancel,
		"/order/refund":                    s.refund,
		"/audit/repair":                    s.repair,
	} {
		mux.Handle("POST "+path, s.do(act))
	}
	for _, name := range []string{"console.css", "live.js"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, web, "web/"+name) })
	}
	return guard(mux)
}

// page reads what a page shows.
type page func(r *http.Request) (view, error)

// show shows a page, or why there is none.
func (s *site) show(read page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, err := read(r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		shown.Said = said[r.URL.Query().Get("said")]
		s.render(w, http.StatusOK, shown)
	})
}

// render writes a page as a whole, or an error.
func (s *site) render(w http.ResponseWriter, status int, shown view) {
	var html bytes.Buffer
	if err := s.pages.ExecuteTemplate(&html, shown.Template, shown); err != nil {
		s.shop.lately.failed("a page", err)
		http.Error(w, "The page could not be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = html.WriteTo(w) // whoever asked is gone
}

// request returns which page of a list the URL asks for, by the name of its cursor.
func (s *site) request(r *http.Request, cursor string) stock.PageRequest {
	return stock.PageRequest{Limit: s.rows, After: r.URL.Query().Get(cursor)}
}

// keyOf returns the item that the path of a URL names.
func keyOf(r *http.Request) (stock.Key, error) {
	sku, err := strconv.ParseInt(r.PathValue("sku"), 10, 64)
	activity, err2 := strconv.ParseInt(r.PathValue("activity"), 10, 64)
	if cmp.Or(err, err2) != nil {
		return stock.Key{}, errNowhere
	}
	return stock.Key{SKU: sku, Activity: activity}, nil
}

// nowhere is the page of an address that does not exist.
func nowhere(*http.Request) (view, error) { return view{}, errNowhere }
