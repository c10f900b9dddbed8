package example

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Row is a row of a table: numbers stand to the right, and all else to the left.
type Row []any

// Table prints an empty line and rows in columns. The first row is the head.
func Table(w io.Writer, rows ...Row) {
	var widths []int
	var numbers []bool // which columns are numbers
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths, numbers = append(widths, 0), append(numbers, false)
			}
			text, number := cellText(cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
			numbers[i] = numbers[i] || number
		}
	}
	fmt.Fprintln(w)
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			text, _ := cellText(cell)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if numbers[i] {
				line.WriteString("  " + pad + text)
			} else {
				line.WriteString("  " + text + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// cellText returns the text of a cell, and whether it is a number.
func cellText(cell any) (text string, number bool) {
	switch n := cell.(type) {
	case int:
		return Count(n), true
	case int64:
		return Count(n), true
	}
	return fmt.Sprint(cell), false
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
