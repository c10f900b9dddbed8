package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// barWidth is how many characters the longest bar has.
const barWidth = 40

// writeLuck prints who got what of the first packet, in the order in which they got it.
func (r *result) writeLuck(w io.Writer) {
	if len(r.Luck) == 0 {
		return
	}
	p := r.Packets[0]
	fmt.Fprintf(w, "Who got what of packet %d, %v in %s random shares:\n\n", p.Packet, p.Total, demo.Count(p.Shares))
	most := r.Luck[0].Amount
	for _, l := range r.Luck {
		if l.Amount.GreaterThan(most.Decimal) {
			most = l.Amount
		}
	}
	rows := make([][]string, len(r.Luck))
	for i, l := range r.Luck {
		part := l.Amount.Div(most.Decimal).InexactFloat64()
		bar := bar(part, barWidth)
		if l.Best {
			bar += "  手气最佳 best luck"
		}
		rows[i] = []string{demo.Count(l.Share), fmt.Sprintf("person %d", l.Person), l.Amount.String(), bar}
	}
	demo.Table(w, "rlrl", rows)
	fmt.Fprintln(w)
}

// bar returns a bar that is a part of width characters long, to an eighth of a character, and never
// so short that it cannot be seen.
func bar(part float64, width int) string {
	const eighths = "▏▎▍▌▋▊▉"
	n := max(1, int(part*float64(width*8)+0.5))
	bar := strings.Repeat("█", n/8)
	if n%8 > 0 {
		bar += string([]rune(eighths)[n%8-1])
	}
	return bar
}
