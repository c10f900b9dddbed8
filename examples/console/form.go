package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/stock"
)

// form is what an operator has sent.
type form struct {
	// id is the number of the form, made when its page was shown. It is the ID of the change in the library, so a form that comes
	// twice, by a double click, a reload or a retry, changes nothing the second time.
	id     string
	by     operator
	fields url.Values
}

// formOf reads a form. Each needs its number, and says who sends it and why.
func formOf(r *http.Request) (form, error) {
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return form{}, errTooLarge
	case err != nil:
		return form{}, wrong("form", "cannot be read: "+err.Error())
	}
	f := form{fields: r.PostForm}
	f.by = operator{strings.TrimSpace(f.fields.Get("name")), strings.TrimSpace(f.fields.Get("reason"))}
	switch key := f.fields.Get("key"); {
	case key == "":
		return f, wrong("form", "has no number")
	case f.by.name == "":
		return f, wrong("your name", "is empty")
	case f.by.reason == "":
		return f, wrong("reason", "is empty")
	default:
		f.id = "console-" + key
	}
	return f, nil
}

// units returns the number of units in a field: least or more.
func (f form) units(name string, least int64) (int64, error) { return units(f.fields.Get(name), least) }

// checked reports whether a box was ticked.
func (f form) checked(name string) bool { return f.fields.Get(name) != "" }

// units reads a number of units.
func units(text string, least int64) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < least {
		return 0, wrong("units", "must be a whole number from "+strconv.FormatInt(least, 10)+" on, is "+shown(text))
	}
	return n, nil
}

// lines returns the lines of a refund: those that name a number of units.
func (f form) lines() (lines []stock.Line, err error) {
	skus, activities, nums := f.fields["sku"], f.fields["activity"], f.fields["num"]
	if len(skus) != len(nums) || len(activities) != len(nums) {
		return nil, wrong("lines", "are incomplete")
	}
	for i, num := range nums {
		key, err := keyFrom(skus[i], activities[i])
		if err != nil {
			return nil, err
		}
		n, err := units(num, 0)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			lines = append(lines, stock.Line{SKU: key.SKU, Activity: key.Activity, Num: n})
		}
	}
	if len(lines) == 0 {
		return nil, wrong("units", "are 0 in each line")
	}
	return lines, nil
}

// keyFrom reads the two numbers of an item.
func keyFrom(sku, activity string) (key stock.Key, err error) {
	key.SKU, err = strconv.ParseInt(sku, 10, 64)
	if err != nil {
		return key, wrong("SKU", "is no number: "+shown(sku))
	}
	key.Activity, err = strconv.ParseInt(activity, 10, 64)
	if err != nil {
		return key, wrong("activity", "is no number: "+shown(activity))
	}
	return key, nil
}

// wrong says what is wrong with a form.
func wrong(field, reason string) error { return &stock.InvalidError{Field: field, Reason: reason} }
