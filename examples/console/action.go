package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/holdfast-go/holdfast/stock"
)

// said is what an action has done, by the word that the address of the next page carries. A link cannot make a page say anything else.
var said = map[string]string{
	"restocked": "The units were added.",
	"withdrawn": "The units were taken away.",
	"counted":   "The count was recorded. The changes below say what it changed.",
	"changed":   "The terms were changed.",
	"same":      "The item already has these terms. Nothing was changed.",
	"cancelled": "The order was cancelled, and its units are free.",
	"refunded":  "The refund was recorded.",
	"repaired":  "The counters were corrected, and that was recorded.",
	"balanced":  "The books of the item balance. There was nothing to correct.",
	"replay":    "This form was sent before and counts once. Nothing was changed now.",
}

// action makes the change that a form asks for, and returns the address of the page that shows it.
type action func(r *http.Request, f form) (to string, err error)

// do makes a change, or says why it was not made. The answer leads to a page, so that a reload of it sends no form.
func (s *site) do(act action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := formOf(r)
		var to string
		if err == nil {
			to, err = act(r, f)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

// toItem returns the address of the page of an item.
func toItem(key stock.Key, word string, replay bool) string {
	if replay {
		word = "replay"
	}
	return fmt.Sprintf("/items/%d/%d?said=%s", key.SKU, key.Activity, word)
}

// toOrder returns the address of the page of an order. Its number may have any bytes.
func toOrder(order, word string, replay bool) string {
	if replay {
		word = "replay"
	}
	return "/order?no=" + url.QueryEscape(order) + "&said=" + word
}

// restock adds units to an item.
func (s *site) restock(r *http.Request, f form) (string, error) {
	line, err := lineOf(r, f)
	if err != nil {
		return "", err
	}
	outcome, err := s.shop.restock(r.Context(), f.by, f.id, line)
	return toItem(line.Key(), "restocked", outcome.Replay), err
}

// withdraw takes units away from an item.
func (s *site) withdraw(r *http.Request, f form) (string, error) {
	line, err := lineOf(r, f)
	if err != nil {
		return "", err
	}
	outcome, err := s.shop.withdraw(r.Context(), f.by, f.id, line)
	return toItem(line.Key(), "withdrawn", outcome.Replay), err
}

// count records how many units of an item are in the warehouse.
func (s *site) count(r *http.Request, f form) (string, error) {
	key, err := keyOf(r)
	if err != nil {
		return "", err
	}
	counted, err := f.units("num", 0)
	if err != nil {
		return "", err
	}
	outcome, err := s.shop.inv.By(f.by.name, f.by.reason).Count(r.Context(), f.id, key, counted)
	return toItem(key, "counted", outcome.Replay), err
}

// lineOf returns the item of a path, and the units of a form.
func lineOf(r *http.Request, f form) (stock.Line, error) {
	key, err := keyOf(r)
	if err != nil {
		return stock.Line{}, err
	}
	num, err := f.units("num", 1)
	return stock.Line{SKU: key.SKU, Activity: key.Activity, Num: num}, err
}

// changeTerms changes those terms of an item that the operator has changed in the form.
func (s *site) changeTerms(r *http.Request, f form) (string, error) {
	key, err := keyOf(r)
	if err != nil {
		return "", err
	}
	var done bool
	err = s.shop.changeTerms(r.Context(), f.by, f.id, key, func(is stock.Item) (stock.Terms, error) {
		terms, err := f.terms(is.Terms)
		done = terms != is.Terms
		return terms, err
	})
	if !done {
		return toItem(key, "same", false), err
	}
	return toItem(key, "changed", false), err
}

// cancel closes an order that is not paid.
func (s *site) cancel(r *http.Request, f form) (string, error) {
	order := orderOf(r)
	outcome, err := s.shop.cancel(r.Context(), f.by, f.id, order)
	return toOrder(order, "cancelled", outcome.Replay), err
}

// refund gives units of a paid order back.
func (s *site) refund(r *http.Request, f form) (string, error) {
	lines, err := f.lines()
	if err != nil {
		return "", err
	}
	order := orderOf(r)
	outcome, err := s.shop.inv.By(f.by.name, f.by.reason).Refund(r.Context(), stock.Refund{
		ID: f.id, Order: order, Lines: lines,
		Restock: f.checked("restock"), FreesBuyer: f.checked("frees"), Redeemed: f.checked("redeemed"),
	})
	return toOrder(order, "refunded", outcome.Replay), err
}

// repair corrects the drifts of an item that the operator has seen and confirmed. Where they are others by now, nothing is corrected.
func (s *site) repair(r *http.Request, f form) (string, error) {
	key, err := keyFrom(f.fields.Get("sku"), f.fields.Get("activity"))
	switch {
	case err != nil:
		return "", err
	case !f.checked("confirm"):
		return "", wrong("confirmation", "is missing: tick the box once you have read the drifts")
	}
	ctx, to := r.Context(), fmt.Sprintf("/audit?run=1&sku=%d&activity=%d&said=", key.SKU, key.Activity)
	found, err := s.shop.inv.Audit(ctx, key)
	switch {
	case err != nil:
		return "", err
	case found.Balanced():
		return to + "balanced", nil
	case digest(found.Drifts) != f.fields.Get("seen"):
		return "", errOthers
	}
	inv := s.shop.inv.By(f.by.name, f.by.reason)
	if f.checked("sales") {
		_, err = inv.RepairBackOnSale(ctx, key)
	} else {
		_, err = inv.Repair(ctx, key)
	}
	return to + "repaired", err
}

// orderOf returns the order that the query of a URL names: a path would lose some of the bytes that an order number may have.
func orderOf(r *http.Request) string { return r.URL.Query().Get("no") }
