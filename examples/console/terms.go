package main

import (
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// clock is how a form writes a time, in UTC; brief is how browsers write one that has no seconds.
const (
	clock = "2006-01-02T15:04:05"
	brief = "2006-01-02T15:04"
)

// term is a term of an item that operators may change: a number, a time, or a box.
type term struct {
	Name, Label string
	number      func(*stock.Terms) *int64
	moment      func(*stock.Terms) *time.Time
	box         func(*stock.Terms) *bool
}

// terms are those that the form of an item has, in its order.
var terms = []term{
	{Name: "off_shelf", Label: "off the shelf", box: func(t *stock.Terms) *bool { return &t.OffShelf }},
	{Name: "start", Label: "on sale from (UTC)", moment: func(t *stock.Terms) *time.Time { return &t.Start }},
	{Name: "end", Label: "until (UTC)", moment: func(t *stock.Terms) *time.Time { return &t.End }},
	{Name: "per_buyer", Label: "units per buyer", number: func(t *stock.Terms) *int64 { return &t.PerBuyer }},
	{Name: "per_order", Label: "units per order", number: func(t *stock.Terms) *int64 { return &t.PerOrder }},
	{Name: "live_holds", Label: "unpaid orders per buyer", number: func(t *stock.Terms) *int64 { return &t.LiveHolds }},
	{Name: "low", Label: "low at", number: func(t *stock.Terms) *int64 { return &t.Low }},
	{Name: "reserve", Label: "safety stock", number: func(t *stock.Terms) *int64 { return &t.Reserve }},
	{Name: "backorder", Label: "backorders up to", number: func(t *stock.Terms) *int64 { return &t.Backorder }},
}

// text returns a term as the form shows it: nothing for a time that is not set, and for a box that is not ticked.
func (t term) text(of stock.Terms) string {
	switch {
	case t.number != nil:
		return strconv.FormatInt(*t.number(&of), 10)
	case t.moment != nil && !t.moment(&of).IsZero():
		return t.moment(&of).UTC().Format(clock)
	case t.box != nil && *t.box(&of):
		return "on"
	}
	return ""
}

// set sets a term to what the form says.
func (t term) set(of *stock.Terms, text string) (err error) {
	switch {
	case t.number != nil:
		*t.number(of), err = units(text, 0)
	case t.box != nil:
		*t.box(of) = text != ""
	case text == "":
		*t.moment(of) = time.Time{}
	default:
		*t.moment(of), err = moment(text)
	}
	if err != nil {
		return wrong(t.Label, "cannot be "+shown(text))
	}
	return nil
}

// moment reads a time of a form.
func moment(text string) (time.Time, error) {
	if at, err := time.Parse(brief, text); err == nil {
		return at, nil
	}
	return time.Parse(clock, text)
}

// terms returns the terms of an item as the form wants them. Terms that the operator has left alone stay as they are by now. Where
// somebody else has changed one of the others since the form was opened, it returns errStale.
func (f form) terms(is stock.Terms) (stock.Terms, error) {
	wanted := is
	for _, t := range terms {
		if !f.fields.Has("was-" + t.Name) { // the form did not have it
			continue
		}
		before := f.fields.Get("was-" + t.Name)
		changed := is
		if err := t.set(&changed, f.fields.Get(t.Name)); err != nil {
			return is, err
		}
		text := t.text(changed)
		switch now := t.text(is); {
		case text == before, text == now:
			continue
		case now != before:
			return is, errStale
		}
		if err := t.set(&wanted, text); err != nil {
			return is, err
		}
	}
	return wanted, nil
}

// field is a term in a form.
type field struct {
	Name, Label, Type, Value string
}

// fieldsOf returns the fields of the form of an item. An unlimited item has neither safety stock nor backorders.
func fieldsOf(is stock.Terms) (fields []field) {
	for _, t := range terms {
		if is.Unlimited && (t.Name == "reserve" || t.Name == "backorder") {
			continue
		}
		f := field{t.Name, t.Label, "number", t.text(is)}
		switch {
		case t.moment != nil:
			f.Type = "datetime-local"
		case t.box != nil:
			f.Type = "checkbox"
		}
		fields = append(fields, f)
	}
	return fields
}
