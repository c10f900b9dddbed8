package main

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// itemsView is the list of all items of all pools.
type itemsView struct {
	Items []itemView
	SPU   string
	Order string // "", "least" or "sold"
	Next  string // address of the next page; empty on the last
}

// items shows the items of all pools.
func (s *site) items(r *http.Request) (view, error) {
	query := r.URL.Query()
	shown := itemsView{SPU: query.Get("spu"), Order: query.Get("order")}
	filter := stock.ItemFilter{LeastAvailable: shown.Order == "least", MostSold: shown.Order == "sold"}
	if shown.SPU != "" {
		var err error
		if filter.SPU, err = strconv.ParseInt(shown.SPU, 10, 64); err != nil {
			return view{}, wrong("SPU", "is no number")
		}
	}
	found, err := s.shop.inv.ItemsPage(r.Context(), filter, s.request(r, "after"))
	if err != nil {
		return view{}, err
	}
	for _, item := range found.Rows {
		shown.Items = append(shown.Items, s.itemView(item))
	}
	shown.Next = next(r, "after", found.Next)
	return view{Template: "items.html", Title: "Items", Data: shown}, nil
}

// itemPage is all of one item.
type itemPage struct {
	itemView

	Offer   sale.Offer // its Version is 0 where no flash sale sells the item
	Fields  []field
	States  []choice
	Holds   []stock.Hold
	Changes []stock.Change

	NextHolds, NextChanges string // addresses
}

// choice is a link that chooses which holds are listed.
type choice struct {
	Name, Text string
	Chosen     bool
}

// backordered is the choice of the holds that wait for units which have not come.
const backordered = "backordered"

// states are the states of holds, in the order of the life of an order.
var states = []stock.State{
	stock.Waiting, stock.Locked, stock.Paid, stock.Redeemed, stock.Refunded, stock.Cancelled, stock.Expired,
}

// item shows one item: its counters, terms, holds and changes, and the forms that change it.
func (s *site) item(r *http.Request) (view, error) {
	key, err := keyOf(r)
	if err != nil {
		return view{}, err
	}
	ctx, chosen := r.Context(), r.URL.Query().Get("state")
	item, err := s.shop.inv.Item(ctx, key)
	if err != nil {
		return view{}, err
	}
	offer, err := s.shop.offer(ctx, key)
	if err != nil {
		return view{}, err
	}
	holds, err := s.shop.inv.HoldsPage(ctx, filterOf(chosen, key), s.request(r, "after"))
	if err != nil {
		return view{}, err
	}
	changes, err := s.shop.inv.ChangesPage(ctx, key, s.request(r, "changes"))
	if err != nil {
		return view{}, err
	}
	return view{Template: "item.html", Title: key.String(), Data: itemPage{
		itemView: s.itemView(item), Offer: offer, Fields: fieldsOf(item.Terms), States: choices(chosen),
		Holds: holds.Rows, Changes: changes.Rows,
		NextHolds: next(r, "after", holds.Next), NextChanges: next(r, "changes", changes.Next),
	}}, nil
}

// filterOf returns the filter of the holds of an item that a choice names. A word that is no choice lists all of them.
func filterOf(chosen string, key stock.Key) stock.Filter {
	filter := stock.Filter{Key: key, Backordered: chosen == backordered}
	for _, state := range states {
		if state.String() == chosen {
			filter.States = []stock.State{state}
		}
	}
	return filter
}

// choices returns the links that choose which holds of an item are listed.
func choices(chosen string) []choice {
	all := []choice{{"", "all", chosen == ""}}
	for _, state := range states {
		all = append(all, choice{state.String(), state.String(), chosen == state.String()})
	}
	return append(all, choice{backordered, "units have not come", chosen == backordered})
}

// ordersView is the list of the orders of a buyer.
type ordersView struct {
	Buyer string
	Holds []stock.Hold
	Next  string
}

// orders shows the orders of a buyer, the newest first.
func (s *site) orders(r *http.Request) (view, error) {
	shown := ordersView{Buyer: r.URL.Query().Get("buyer")}
	if shown.Buyer == "" {
		return view{}, wrong("buyer", "is empty")
	}
	found, err := s.shop.inv.HoldsPage(r.Context(), stock.Filter{Buyer: shown.Buyer}, s.request(r, "after"))
	if err != nil {
		return view{}, err
	}
	shown.Holds, shown.Next = found.Rows, next(r, "after", found.Next)
	return view{Template: "orders.html", Title: "Orders of a buyer", Data: shown}, nil
}

// orderView is one order.
type orderView struct {
	stock.Hold

	Prices        map[stock.Key]sale.LinePrice // of the lines that a flash sale has sold
	Place, Length int64                        // in the queue; 0 where it does not wait
	CancelledBy   string                       // who cancelled it here; "" where nobody did
	Why           string                       // and why
	Meaning       string
	Refunds       []stock.RefundRecord
	Next          string // address of the next page of refunds
}

// CanCancel reports whether the order has units, or waits for some, and is not paid.
func (o orderView) CanCancel() bool { return o.State == stock.Locked || o.State == stock.Waiting }

// CanRefund reports whether units of the order could be refunded.
func (o orderView) CanRefund() bool { return o.State == stock.Paid || o.State == stock.Redeemed }

// order shows one order: its hold, its lines, its refunds, and the forms that change it.
func (s *site) order(r *http.Request) (view, error) {
	ctx, no := r.Context(), orderOf(r)
	hold, err := s.shop.inv.Hold(ctx, no)
	if err != nil {
		return view{}, err
	}
	shown := orderView{Hold: hold, Meaning: meaning(hold, time.Now()), Prices: map[stock.Key]sale.LinePrice{}}
	if shown.Place, shown.Length, err = s.shop.inv.Position(ctx, no); err != nil {
		return view{}, err
	}
	by, err := s.shop.notes.of(ctx, no)
	if err != nil {
		return view{}, err
	}
	shown.CancelledBy, shown.Why = by.name, by.reason
	prices, err := s.shop.sales.PriceOf(ctx, no)
	if err != nil {
		return view{}, err
	}
	for _, price := range prices {
		if price.Err == nil {
			shown.Prices[price.Key()] = price
		}
	}
	refunds, err := s.shop.inv.RefundsPage(ctx, no, s.request(r, "after"))
	if err != nil {
		return view{}, err
	}
	shown.Refunds, shown.Next = refunds.Rows, next(r, "after", refunds.Next)
	return view{Template: "order.html", Title: "Order", Data: shown}, nil
}

// auditView is the result of an audit.
type auditView struct {
	Ran           bool
	SKU, Activity string // of the item that was asked for; empty for all items
	Items         int
	Drifting      []itemDrifts
}

// itemDrifts is an item with the counters that are not what its holds and changes say.
type itemDrifts struct {
	stock.Key

	Drifts []stock.Drift
	Seen   string // goes with the form that confirms them
}

// audit recounts the books, of all items or of one, where the address asks for that. It changes nothing.
func (s *site) audit(r *http.Request) (view, error) {
	query := r.URL.Query()
	shown := auditView{Ran: query.Get("run") != "", SKU: query.Get("sku"), Activity: query.Get("activity")}
	if !shown.Ran {
		return view{Template: "audit.html", Title: "Audit", Data: shown}, nil
	}
	var keys []stock.Key
	if shown.SKU != "" {
		key, err := keyFrom(shown.SKU, cmp.Or(shown.Activity, "0"))
		if err != nil {
			return view{}, err
		}
		keys = append(keys, key)
	}
	report, err := s.shop.inv.Audit(r.Context(), keys...)
	if err != nil {
		return view{}, err
	}
	shown.Items, shown.Drifting = report.Items, byItem(report.Drifts)
	return view{Template: "audit.html", Title: "Audit", Data: shown}, nil
}

// latelyView is what happened lately, the newest first.
type latelyView struct{ Items, Orders []entry }

// latest shows what happened lately.
func (s *site) latest(*http.Request) (view, error) {
	items, orders := s.shop.lately.newest()
	return view{Template: "lately.html", Title: "Lately", Data: latelyView{items, orders}}, nil
}

// next returns the address of the next page of a list, or nothing where there is none. Other lists of the page stay where they are.
func next(r *http.Request, name, cursor string) string {
	if cursor == "" {
		return ""
	}
	query := r.URL.Query()
	query.Del("said")
	query.Set(name, cursor)
	return (&url.URL{Path: r.URL.Path, RawQuery: query.Encode()}).String()
}

// meaning says what the state of an order means, which is what Resolve would answer: every call of it that is known to the store is in
// its hold.
func meaning(hold stock.Hold, now time.Time) string {
	switch hold.State {
	case stock.Waiting:
		return "It has no units yet, and gets them in its turn."
	case stock.Locked:
		if !now.Before(hold.Deadline) {
			return "Its deadline has passed: a payment is refused, and its units are about to be free."
		}
		return "Its units are set aside until the deadline. It can be paid or cancelled."
	case stock.Paid:
		return "Its units are sold, and not handed over as a whole."
	case stock.Redeemed:
		return "Its units are sold and handed over."
	case stock.Refunded:
		return "Everything of it was refunded."
	case stock.Cancelled:
		return "It is closed. A Lock or a payment that arrives now is refused."
	case stock.Expired:
		return "It was not paid in time, and its units are free. If a payment came too late, the money has to go back."
	case stock.Archived:
		return "It was finished long ago. Only its number is left."
	default:
		return ""
	}
}
