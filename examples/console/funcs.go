package main

import (
	"crypto/rand"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/examples/internal/example"
)

// funcs are those that pages use.
func (s *site) funcs() template.FuncMap {
	return template.FuncMap{
		"count":  example.Count[int64],
		"name":   func(sku int64) string { return s.shop.names[sku] },
		"pool":   s.shop.pool,
		"number": rand.Text, // of a form
		"at":     at,
		"when":   func(t time.Time) string { return when(t, time.Now()) },
		"shown":  shown,
		"effect": effect,
		"minus":  func(a, b int64) int64 { return a - b },
	}
}

// at returns a time as pages show it.
func at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// when returns how far a time is from now, in words.
func when(t, now time.Time) string {
	switch d := t.Sub(now).Round(time.Second); {
	case t.IsZero():
		return ""
	case d > 0:
		return "in " + span(d)
	case d < 0:
		return span(-d) + " ago"
	}
	return "now"
}

// span returns a duration in its largest unit.
func span(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, " days"}, {time.Hour, " h"}, {time.Minute, " min"}} {
		if d >= 2*unit.of {
			return strconv.FormatInt(int64(d/unit.of), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}

// shown returns a text of a caller so that an operator sees each byte of it. An order number may have any bytes, and “7” and “7 ” are two
// orders; so what does not show, or could be taken for something else, is written in quotes.
func shown(text string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if text == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) || strings.TrimSpace(text) != text ||
		strings.Contains(text, "  ") || strings.HasPrefix(text, `"`) {
		return strconv.Quote(text)
	}
	return text
}
