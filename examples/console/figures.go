package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/stock"
)

// itemView is an item as pages show it.
type itemView struct {
	stock.Item

	Name   string
	Status []status
	Bar    bar
}

// itemView returns an item as pages show it.
func (s *site) itemView(item stock.Item) itemView {
	return itemView{Item: item, Name: s.shop.names[item.SKU], Status: statusOf(item, time.Now()), Bar: barOf(item)}
}

// status is a word that a buyer would see, and its class in the style sheet.
type status struct{ Class, Text string }

// statusOf returns what keeps an item from being sold, or what will soon, by the clock of this process. The clock of the store decides.
func statusOf(item stock.Item, now time.Time) (all []status) {
	if item.OffShelf {
		all = append(all, status{"off", "off the shelf"})
	}
	switch {
	case now.Before(item.Start):
		all = append(all, status{"off", "not begun"})
	case !item.End.IsZero() && !now.Before(item.End):
		all = append(all, status{"off", "over"})
	}
	switch available := item.Available(); {
	case item.Unlimited:
	case available <= 0:
		all = append(all, status{"out", "sold out"})
	case available <= item.Low:
		all = append(all, status{"low", "low"})
	}
	if item.Backordered > 0 {
		all = append(all, status{"low", example.Count(item.Backordered) + " have to come"})
	}
	if all == nil {
		all = append(all, status{"on", "on sale"})
	}
	return all
}

// barWidth is how wide a bar is, in the units of its drawing.
const barWidth = 1000

// bar is a drawing of the counters of an item. Its segments are beside each other: sold, then left, of which some is locked and some
// is safety stock. What is refunded is a line below, since it is part of none of them.
type bar struct {
	Segments []segment
	Refunded int64  // how wide that line is
	There    int64  // where what there is ends, if more is promised; 0 otherwise
	Text     string // for who cannot see it
}

// segment is a part of a bar.
type segment struct {
	Class    string
	X, Width int64
}

// barOf draws the counters of an item. Where more units are promised than there are, the bar is as wide as what is promised.
func barOf(item stock.Item) bar {
	free := max(0, item.Quantities.Available())
	if item.Unlimited {
		free = 0
	}
	reserved := min(free, item.Reserve)
	scale := float64(max(item.Total, item.Sold+item.Locked, 1))
	at := func(n int64) int64 { return int64(min(1, float64(n)/scale) * barWidth) }
	b := bar{Refunded: at(item.Refunded)}
	b.Text = fmt.Sprintf("%s sold, %s locked, %s free, %s refunded", example.Count(item.Sold), example.Count(item.Locked),
		example.Count(free), example.Count(item.Refunded))
	if item.Backordered > 0 {
		b.There = at(item.Total)
	}
	before := int64(0)
	for _, part := range []struct {
		class string
		n     int64
	}{{"sold", item.Sold}, {"locked", item.Locked}, {"free", free - reserved}, {"reserved", reserved}} {
		if part.n > 0 {
			b.Segments = append(b.Segments, segment{part.class, at(before), at(before+part.n) - at(before)})
			before += part.n
		}
	}
	return b
}

// effect says what a change did to its item.
func effect(c stock.Change) string {
	var all []string
	for _, e := range c.Entries {
		switch c.Kind {
		case stock.KindCount:
			all = append(all, example.Count(e.Asked)+" counted")
			if e.Short > 0 {
				all = append(all, example.Count(e.Short)+" short")
			}
		case stock.KindArchive:
			all = append(all, "archived lines: "+example.Count(e.Asked))
			continue // it changes no counter
		default:
		}
		all = append(all, deltas(e.Delta))
	}
	return strings.Join(slices.DeleteFunc(all, func(part string) bool { return part == "" }), "; ")
}

// deltas says by how much a change moved the counters of its item.
func deltas(q stock.Quantities) string {
	var all []string
	for _, c := range []struct {
		name string
		n    int64
	}{
		{"total", q.Total},
		{"sold", q.Sold},
		{"locked", q.Locked},
		{"left", q.Left},
		{"refunded", q.Refunded},
		{"waiting", q.Waiting},
		{"not come", q.Backordered},
	} {
		switch {
		case c.n > 0:
			all = append(all, c.name+" +"+example.Count(c.n))
		case c.n < 0:
			all = append(all, c.name+" "+example.Count(c.n))
		}
	}
	return strings.Join(all, ", ")
}

// byItem groups the drifts of an audit, which come in the order of their items.
func byItem(drifts []stock.Drift) (all []itemDrifts) {
	for _, drift := range drifts {
		if len(all) == 0 || all[len(all)-1].Key != drift.Key {
			all = append(all, itemDrifts{Key: drift.Key})
		}
		last := &all[len(all)-1]
		last.Drifts = append(last.Drifts, drift)
	}
	for i, item := range all {
		all[i].Seen = digest(item.Drifts)
	}
	return all
}

// digest says which counters of an item are wrong and by how much. Orders go on meanwhile, so what they count is left out.
func digest(drifts []stock.Drift) string {
	lines := make([]string, len(drifts))
	for i, d := range drifts {
		lines[i] = fmt.Sprintf("%q %s %d", d.Buyer, d.Quantity, d.By())
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}
