package ledger

import (
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

// maxLines bounds the lines of the orders of one batch. One statement names all of them, and beyond some 30,000 keys
// a server looks at a table rather than at keys (optimizer_max_sel_arg_weight, range_optimizer_max_mem_size).
const maxLines = 5 * mysql.MaxList

// lineKeys are lines of orders by the whole of their keys. Orders with the same line numbers are together.
type lineKeys map[string][]string

// add adds lines of an order.
func (k lineKeys) add(order string, numbers ...int) {
	texts := make([]string, len(numbers))
	for i, no := range numbers {
		texts[i] = strconv.Itoa(no)
	}
	list := strings.Join(texts, ", ")
	k[list] = append(k[list], order)
}

// addSpan adds all lines of an order from one number to another.
func (k lineKeys) addSpan(order string, from, to int) {
	numbers := make([]int, 0, to-from+1)
	for no := from; no <= to; no++ {
		numbers = append(numbers, no)
	}
	k.add(order, numbers...)
}

// rows is how many lines they are.
func (k lineKeys) rows() (n int64) {
	for list, orders := range k {
		n += int64(len(orders) * (1 + strings.Count(list, ",")))
	}
	return n
}

// where renders the condition of a statement on holds. No order is named with a line that it does not have: a lock on
// a key that does not exist is one on the gap around it.
func (k lineKeys) where() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, list := range k.lists() {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString(mysql.RenderList("ORDER_NO IN (?) AND LINE_NO IN ("+list+")", k[list]))
	}
	b.WriteByte(')')
	return b.String()
}

// lists returns the lists of line numbers, sorted, so that the text of a statement is always the same.
func (k lineKeys) lists() []string {
	lists := make([]string, 0, len(k))
	for list := range k {
		lists = append(lists, list)
	}
	slices.Sort(lists)
	return lists
}

// delete renders the DELETE of the lines, which are those of what has its number in a column of a table.
func (k lineKeys) delete(table, number string) string {
	var orders []string
	lines := map[string]string{}
	for list, some := range k {
		orders = append(orders, some...)
		for _, order := range some {
			lines[order] = list
		}
	}
	slices.Sort(orders)
	var args []any
	for _, order := range orders {
		for no := range strings.SplitSeq(lines[order], ", ") {
			args = append(args, order, mysql.Expr(no))
		}
	}
	return deleteByKeys(table, []string{number, "LINE_NO"}, args)
}
