package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// The refusals of the console itself.
var (
	errNowhere   = errors.New("there is no such page")
	errStale     = errors.New("somebody else has changed the terms since this form was opened")
	errOthers    = errors.New("the drifts are not those of the form")
	errSaleTerms = errors.New("the terms of a pool follow its flash sale")
	errTooLarge  = errors.New("the form has too many bytes")
)

// problem is what an error means for an operator.
type problem struct {
	of     error
	Status int
	What   string // has happened
	Do     string // next
}

// problems are what operators may meet. The first one that matches counts, so the special ones come before the general.
var problems = []problem{
	{errNowhere, http.StatusNotFound, "There is no such page.", "Go to the items, and follow the links from there."},
	{
		errStale, http.StatusConflict, "Somebody else has changed these terms since you opened the form. Nothing was changed.",
		"Open the item again, look at what it has now, and change that if it is still needed.",
	},
	{
		errSent, http.StatusConflict, "This form was sent before, and that counts. Nothing was changed now.",
		"Open the page again: a new form has a new number. Look first at what the earlier one has done.",
	},
	{
		errOthers, http.StatusConflict, "The item has other drifts than those that you have confirmed. Nothing was changed.",
		"Run the audit again, and confirm what it finds now.",
	},
	{
		errSaleTerms, http.StatusConflict, "The terms of this pool follow its flash sale. Nothing was changed.",
		"Change the product or the times of the sale, not its pool.",
	},
	{
		errTooLarge, http.StatusRequestEntityTooLarge, "The form is too large. Nothing was changed.",
		"Go back, and shorten what you have entered.",
	},
	{
		stock.ErrUnknown, http.StatusGatewayTimeout, "No answer came back from the store. The change may have been made or not.",
		"Try again: the form keeps its number, so the change is made once at most.",
	},
	{
		stock.ErrBusy, http.StatusServiceUnavailable, "Too many calls are waiting. Nothing was changed.",
		"Wait some seconds, and try again.",
	},
	{
		stock.ErrUnavailable, http.StatusServiceUnavailable, "The store cannot do it at the moment. Nothing was changed.",
		"Try again. If that goes on, look whether the database is up.",
	},
	{
		context.Canceled, http.StatusServiceUnavailable, "The request was cut off before the store was asked. Nothing was changed.",
		"Try again.",
	},
	{
		stock.ErrInvalid, http.StatusBadRequest, "Something in the form or in the address is missing or wrong. Nothing was changed.",
		"Go back, and correct what the line below names.",
	},
	{
		stock.ErrMismatch, http.StatusConflict, "This form was sent before with other figures, and those count. Nothing was changed now.",
		"Open the page again: a new form has a new number. Look first at what the earlier one has done.",
	},
	{stock.ErrUnknownSKU, http.StatusNotFound, "There is no such item.", "Look it up in the list of items."},
	{
		stock.ErrNotFound, http.StatusNotFound, "No hold has this order number. Nothing was changed.",
		"Check the number: capitals and blanks count. If its Lock may still be under way, the program that sent it settles it with Resolve.",
	},
	{
		stock.ErrArchived, http.StatusGone, "The order was archived: only its number is left.",
		"Look it up where the shop keeps orders of long ago.",
	},
	{
		stock.ErrInsufficient, http.StatusConflict, "So many units are not there, or they are promised to orders. Nothing was changed.",
		"Take fewer, or wait until orders give some back. What the item has available is on its page.",
	},
	{
		stock.ErrUnlimited, http.StatusConflict, "The item is unlimited: it has no units to add, take away or count.",
		"Limit it first, in the program that defines it.",
	},
	{
		stock.ErrInUse, http.StatusConflict, "More units are sold and locked than that. Nothing was changed.",
		"Choose a larger number.",
	},
	{
		stock.ErrOverflow, http.StatusConflict, "A counter would become too large. Nothing was changed.",
		"Check the number for digits too many.",
	},
	{
		stock.ErrOverRefund, http.StatusConflict, "The order cannot refund so many units any more. Nothing was changed.",
		"Open the order again, and look at what is refunded already.",
	},
	{
		stock.ErrBackordered, http.StatusConflict, "Some of these units have not come yet. Nothing was changed.",
		"Refund them with “back on sale”, or wait until they have come.",
	},
	{
		stock.ErrWaiting, http.StatusConflict, "The order waits for its units and is not paid. Nothing was changed.",
		"Cancel it if it must not wait any longer.",
	},
	{stock.ErrNotPaid, http.StatusConflict, "The order is not paid, so there is nothing to refund.", "Cancel it instead."},
	{
		stock.ErrRedeemed, http.StatusConflict, "The units were handed over already. Nothing was changed.",
		"If they came back, refund the order with “also what was handed over”.",
	},
	{stock.ErrPaid, http.StatusConflict, "The order is paid: a payment was faster. Nothing was changed.", "Refund it instead."},
	{stock.ErrRefunded, http.StatusConflict, "Everything of this order is refunded already.", "There is nothing left to do."},
	{stock.ErrCancelled, http.StatusConflict, "The order is cancelled already.", "There is nothing left to do."},
	{
		stock.ErrExpired, http.StatusConflict, "The hold has expired: its units are free already. Nothing was changed.",
		"There is nothing left to do here. If a payment came too late, send the money back.",
	},
	{
		sale.ErrPreparing, http.StatusConflict, "The product has not got its units from ordinary stock yet. Nothing was changed.",
		"Let the program that offers it finish.",
	},
	{
		sale.ErrRemoved, http.StatusConflict, "The product was taken out of its sale. Nothing was changed.",
		"Its units are in ordinary stock again: look there.",
	},
	{
		sale.ErrEnded, http.StatusConflict, "The sale is over. Nothing was changed.",
		"Its units are in ordinary stock again: look there.",
	},
	{
		stock.ErrDrift, http.StatusConflict, "The counters of an item are not what its holds and changes say.",
		"Run the audit. If a counter was changed by hand and no hold was deleted, repair the item with “also take sales back”.",
	},
	{
		stock.ErrStore, http.StatusInternalServerError, "The store cannot do it until somebody mends it. Nothing was changed.",
		"Show the line below to whoever runs the database.",
	},
}

// problemOf returns what an error means.
func problemOf(err error) problem {
	for _, p := range problems {
		if errors.Is(err, p.of) {
			return p
		}
	}
	return problem{
		err, http.StatusInternalServerError, "Something failed that should not.", "Show the line below to whoever runs the console.",
	}
}

// refusal is the page of a problem. Where the same request may help, it is in it again: a form with all of its fields, its number too.
type refusal struct {
	problem

	Words  string // of the library
	Back   string // address of the page that the form was on; empty for none
	Retry  bool
	To     string // address of the request
	Fields url.Values
}

// refuse shows why something was not done.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	shown := refusal{
		problem: p, Words: err.Error(), Back: back(r), Retry: stock.Retryable(err), To: r.URL.RequestURI(), Fields: r.PostForm,
	}
	if shown.Retry {
		w.Header().Set("Retry-After", "1")
	}
	s.render(w, p.Status, view{Template: "problem.html", Title: http.StatusText(p.Status), Data: shown})
}

// back returns the address of the page that has the form of a request.
func back(r *http.Request) string {
	switch {
	case r.Method != http.MethodPost:
		return ""
	case strings.HasPrefix(r.URL.Path, "/order/"):
		return "/order?no=" + url.QueryEscape(orderOf(r))
	case strings.HasPrefix(r.URL.Path, "/audit/"):
		return "/audit?run=1"
	}
	return "/items/" + url.PathEscape(r.PathValue("sku")) + "/" + url.PathEscape(r.PathValue("activity"))
}
