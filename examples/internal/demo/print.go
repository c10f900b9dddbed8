package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Table prints rows in columns that are aligned by a letter each: l to the left, r to the right.
func Table(w io.Writer, align string, rows [][]string) {
	widths := make([]int, len(align))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if align[i] == 'r' {
				cell = pad + cell
			} else {
				cell += pad
			}
			line.WriteString("  " + cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// Count returns a number with commas: 4,862.
func Count[N ~int | ~int64](n N) string {
	digits, sign := strconv.FormatInt(int64(n), 10), ""
	if digits[0] == '-' {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Short returns a duration with three digits: 1.24ms.
func Short(d time.Duration) string {
	unit := time.Duration(1)
	for unit*1000 <= d {
		unit *= 10
	}
	return d.Round(unit).String()
}

// Progress is a line in a terminal that is written over and over. The nil Progress prints
// nothing.
type Progress struct{ terminal io.Writer }

// NewProgress returns nil where w is no terminal: a log file wants no progress.
func NewProgress(w io.Writer) *Progress {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return nil
	}
	if stat, err := file.Stat(); err != nil || stat.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return &Progress{terminal: w}
}

// Show replaces the line. The empty text clears it.
func (p *Progress) Show(text string) {
	const width = 79
	if p == nil {
		return
	}
	fmt.Fprintf(p.terminal, "\r%-*.*s", width, width, text)
	if text == "" {
		fmt.Fprint(p.terminal, "\r")
	}
}

// Watch shows a line ten times a second, until ctx ends.
func (p *Progress) Watch(ctx context.Context, line func() string) {
	for Rest(ctx, 100*time.Millisecond) {
		p.Show(line())
	}
}
