// Checkout is order code as a shop writes it. One transaction writes the row of an order and locks its units. Payments
// arrive twice or too late, buyers cancel, and a worker closes orders that are not paid in time.
//
//	go run ./examples/checkout -dsn 'user:password@tcp(127.0.0.1:3306)/'
//
// The code to copy is shop.go. This file tells a story with it and shows the books.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/stock"
)

// errServer says how to start what this example needs.
var errServer = errors.New(`checkout needs MySQL or MariaDB. Start one, and pass its address:

  docker run --rm -d -p 3306:3306 -e MYSQL_ALLOW_EMPTY_PASSWORD=1 mysql:9
  go run ./examples/checkout -dsn 'root@tcp(127.0.0.1:3306)/'`)

func main() { example.Main(new(books).run) }

// run opens the shop, tells the story and fills the books.
func (b *books) run(ctx context.Context, db *sql.DB, w io.Writer) error {
	if db == nil {
		return errServer
	}
	s, err := open(ctx, db)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d units of SKU %d, %d for each buyer. An order that is not paid within %v is closed.\n\n", units, sku, perBuyer, holdFor)
	for i, step := range s.story(ctx) {
		answer, err := s.tell(ctx, step)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%3d. %s: %-44s → %s\n", i+1, step.order, step.what, answer)
	}
	return b.close(ctx, s, w)
}

// step is something that happens to an order.
type step struct {
	order, what string
	do          func() error
}

// story returns what happens.
func (s *shop) story(ctx context.Context) []step {
	place := func(order, buyer string, num int64, note string) step {
		return step{order, fmt.Sprintf("%s orders %d%s", buyer, num, note), func() error { return s.place(ctx, order, buyer, num) }}
	}
	pay := func(order, payment, note string) step {
		return step{order, payment + " arrives" + note, func() error { return s.paymentArrived(ctx, payment, order) }}
	}
	cancel := func(order, note string) step {
		return step{order, "the buyer cancels" + note, func() error { return s.cancel(ctx, order) }}
	}
	return []step{
		place("order-A", "Ann", 2, ""),
		place("order-A", "Ann", 2, " and presses the button twice"),
		place("order-B", "Bo", 2, ""),
		place("order-C", "Chen", 2, ""),
		place("order-D", "Dora", 1, ""),
		pay("order-A", "pay-1", ""),
		pay("order-A", "pay-1", " a second time"),
		pay("order-A", "pay-2", " from another card"),
		cancel("order-B", ""),
		cancel("order-B", " a second time"),
		place("order-E", "Dora", 2, ""),
		place("order-F", "Ann", 2, ""),
		{"order-C", fmt.Sprintf("%v pass", holdFor), func() error {
			example.Rest(ctx, holdFor)
			return ctx.Err()
		}},
		pay("order-C", "pay-3", " too late"),
		{"order-E", "the timeout worker comes by", func() error { return s.closeOverdue(ctx) }},
		cancel("order-A", ", who has paid"),
		place("order-G", "Eve", 1, ""),
		place("order-H", "Bo", 3, ""),
		pay("order-H", "pay-4", ""),
	}
}

// tell makes a step happen and returns the refusal, or what the order and the item are then.
func (s *shop) tell(ctx context.Context, step step) (string, error) {
	err := step.do()
	switch {
	case errors.Is(err, stock.ErrInsufficient), errors.Is(err, stock.ErrLimit):
		return err.Error(), nil
	case err != nil:
		return "", err
	}
	var state string
	if err := s.db.QueryRowContext(ctx, "SELECT STATE FROM orders WHERE ID = ?", step.order).Scan(&state); err != nil {
		return "", err
	}
	item, err := s.inv.Item(ctx, stock.Key{SKU: sku})
	return fmt.Sprintf("%-9s item: %d sold, %d locked, %d left", state+";", item.Sold, item.Locked, item.Left), err
}

// books are what the tables say in the end.
type books struct {
	sums   map[string]int64 // units of orders, and payments, by their state
	item   stock.Quantities
	drifts []stock.Drift
}

// close reads the books, shows them and compares them.
func (b *books) close(ctx context.Context, s *shop, w io.Writer) error {
	if err := b.read(ctx, s); err != nil {
		return err
	}
	example.Table(w,
		example.Row{"orders", "units", "the item's counter", ""},
		example.Row{"placed", b.sums["placed"], "locked", b.item.Locked},
		example.Row{"paid", b.sums["paid"], "sold", b.item.Sold},
		example.Row{"refunded", b.sums["refunded"], "refunded", b.item.Refunded},
		example.Row{"closed", b.sums["closed"], "left", b.item.Left},
	)
	fmt.Fprintf(w, "\nPayments: %d kept, %d to send back.\n", b.sums["kept"], b.sums["back"])
	if len(b.drifts) > 0 || b.sums["placed"] != b.item.Locked || b.sums["paid"] != b.item.Sold || b.sums["refunded"] != b.item.Refunded {
		return fmt.Errorf("the books do not balance: %v", b.drifts)
	}
	fmt.Fprintln(w, "Audit: the books balance.")
	return nil
}

// read sums up the tables and has the stock audited.
func (b *books) read(ctx context.Context, s *shop) error {
	rows, err := s.db.QueryContext(ctx, `SELECT STATE, SUM(NUM) FROM orders GROUP BY STATE
		UNION ALL SELECT STATE, COUNT(*) FROM payments GROUP BY STATE`)
	if err != nil {
		return err
	}
	defer rows.Close()
	b.sums = map[string]int64{}
	for rows.Next() {
		var state string
		var sum int64
		if err := rows.Scan(&state, &sum); err != nil {
			return err
		}
		b.sums[state] = sum
	}
	item, err := s.inv.Item(ctx, stock.Key{SKU: sku})
	if err = errors.Join(rows.Err(), err); err != nil {
		return err
	}
	report, err := s.inv.Audit(ctx)
	b.item, b.drifts = item.Quantities, report.Drifts
	return err
}
