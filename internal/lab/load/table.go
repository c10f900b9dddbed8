package load

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// WriteTables prints the results of an engine, a table for each setting: a line for each contender, by the number of callers. Rates
// are the median of their rounds, ratios that of the rounds in which both took part.
func WriteTables(w io.Writer, results *Results) {
	var headings []setting
	for _, result := range results.All() {
		if !slices.Contains(headings, result.setting) {
			headings = append(headings, result.setting)
		}
	}
	for _, heading := range headings {
		fmt.Fprintf(w, "\n%s: %v\n\n", results.Engine, heading)
		writeTable(w, rowsOf(results, heading))
	}
}

// ProgressLine tells of a round as soon as it is over.
func ProgressLine(engine string, p Point, round Round, problems []string) string {
	p99 := ""
	if round.Latency != nil {
		p99 = micros(latencyOf(round.Latency).P99)
	}
	line := fmt.Sprintf("%-16s %-44s %5d callers  %-16s %9s %-10s p99 %s", engine, p.setting, p.Callers, p.Contender, thousands(round.Rate()),
		p.Scenario.describe().unit, p99)
	if len(problems) > 0 {
		line += "  " + strings.Join(problems, "; ")
	}
	return line
}

// yardstick is a contender that the others are divided by.
type yardstick struct{ name, heading string }

// Of these the first that was measured counts.
var (
	theirYardsticks = []yardstick{
		{contender.ByHand, "× by hand"}, {contender.ForUpdate, "× FOR UPDATE"}, {contender.Guarded, "× by hand"},
		{contender.Unmerged, "× unmerged"},
	}
	ourYardsticks = []yardstick{{contender.Along, "× Along"}, {contender.Ours, "× Holdfast"}, {contender.WithTx, "× WithTx"}}
)

func measuredOf(list []*Result, yardsticks []yardstick) yardstick {
	for _, y := range yardsticks {
		if slices.ContainsFunc(list, func(r *Result) bool { return r.Contender == y.name }) {
			return y
		}
	}
	return yardstick{}
}

// rowsOf are the cells of the table of a setting, the heading first.
func rowsOf(results *Results, heading setting) [][]string {
	var list []*Result
	for _, result := range results.All() {
		if result.setting == heading {
			list = append(list, result)
		}
	}
	theirs, ours := measuredOf(list, theirYardsticks), measuredOf(list, ourYardsticks)
	rows := [][]string{{
		"callers", "", heading.Scenario.describe().unit, theirs.heading, ours.heading, "p50", "p99", "p99.9", "max", "",
	}}
	kinds := contender.Kinds()
	order := func(name string) int {
		return slices.IndexFunc(kinds, func(k contender.Kind) bool { return k.Name == name })
	}
	slices.SortStableFunc(list, func(a, b *Result) int {
		if a.Callers != b.Callers {
			return a.Callers - b.Callers
		}
		return order(a.Contender) - order(b.Contender)
	})
	before := 0
	for _, result := range list {
		callers := ""
		if result.Callers != before {
			callers, before = thousands(float64(result.Callers)), result.Callers
		}
		compared := func(name string) string {
			other := results.Find(Point{heading, name, result.Callers})
			if other == nil || other.Rate == 0 || other == result {
				return ""
			}
			return ratio(compare(result, other))
		}
		rows = append(rows, []string{
			callers, kinds[order(result.Contender)].Title, thousands(result.Rate), compared(theirs.name), compared(ours.name),
			micros(result.P50), micros(result.P99), micros(result.P999), micros(result.Max), remarks(result),
		})
	}
	return rows
}

// remarks say what the figures do not.
func remarks(result *Result) string {
	var said []string
	if result.Scenario == SoldOut && result.HotRate > 0 {
		said = append(said, thousands(math.Ceil(result.HotRate))+" statements/s on the item")
	}
	if result.Beside > 0 {
		said = append(said, "beside "+thousands(result.Beside)+" locks/s of the hot SKU")
	}
	if result.Failed > 0 {
		said = append(said, fmt.Sprintf("%d calls failed: %s", result.Failed, shorten(result.LastError)))
	}
	return strings.Join(append(said, result.Problems...), "; ")
}

func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) > 120 {
		text = string([]rune(text)[:120]) + "…"
	}
	return text
}

// writeTable aligns: numbers to the right, the second column and the last to the left.
func writeTable(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 1 || i == len(row)-1 {
				line.WriteString("  " + cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// thousands writes a number with separators: whole from 10 on, else with one place.
func thousands(f float64) string {
	if f < 10 && f != math.Trunc(f) {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Round(f), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// ratio writes a factor with as many places as can matter.
func ratio(f float64) string {
	switch {
	case f >= 10:
		return thousands(f)
	case f >= 0.1:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'g', 2, 64)
}

// micros writes microseconds as a person reads them.
func micros(n int64) string {
	switch d := time.Duration(n) * time.Microsecond; {
	case n == 0:
		return ""
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", n)
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1_000)
	case d < 10*time.Second:
		return thousands(d.Seconds()*1_000) + " ms"
	default:
		return thousands(d.Seconds()) + " s"
	}
}
