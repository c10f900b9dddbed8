// Groupbuy is a shop that sells to groups (拼团). It follows three teams: one formed by its last payment, one that loses
// its sponsor and is formed by an operator, and one formed by weight. Then many teams are opened at once, with more
// buyers than places. Some buyers do not pay: their teams fail, and the members who paid get their money back. Unsold
// units go back to ordinary stock. Finally the shop prints and checks its books.
//
//	go run ./examples/groupbuy                                              in memory
//	go run ./examples/groupbuy -dsn 'user:password@tcp(127.0.0.1:3306)/'    on MySQL
//
// On MySQL the shop has orders of its own: an order, which comes with the payment, and its seat change in one transaction.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

func main() {
	teams := flag.Int("teams", 50, "how many teams are opened in the rush")
	example.Main(func(ctx context.Context, db *sql.DB, w io.Writer) error {
		_, err := run(ctx, db, w, *teams)
		return err
	})
}

// run is the program: the set-up, the story, the rush, what becomes of it, and the books.
func run(ctx context.Context, db *sql.DB, w io.Writer, teams int) (books, error) {
	s, err := open(ctx, db, w)
	if err != nil {
		return books{}, err
	}
	if err := s.fill(ctx, teams); err != nil {
		return books{}, err
	}
	s.byPeople(ctx)
	s.byHand(ctx)
	s.byWeight(ctx)
	if err := s.Err(); err != nil {
		return books{}, err
	}
	away, err := s.rush(ctx, teams)
	if err != nil {
		return books{}, err
	}
	fmt.Fprintf(w, "\n%s buyers open teams of %d, and %s more buyers tap: %s find no place.\n",
		example.Count(teams), teamSize, example.Count(tappers*teams), example.Count(away))
	if err := s.settle(ctx); err != nil {
		return books{}, err
	}
	return s.audit(ctx, w)
}

// shop is the shop around the library.
type shop struct {
	*example.Story

	db     *sql.DB            // nil in memory
	store  *sqlstore.GroupBuy // on db
	stock  *stock.Inventory   // ordinary stock, and the pools of activities
	groups *groupbuy.Groups
	events *event.Events
	made   map[string]string // what was made of events in memory: the states of orders
}

// open opens the shop. On MySQL it makes the tables of the library, and that of the shop's orders.
func open(ctx context.Context, db *sql.DB, w io.Writer) (*shop, error) {
	story := example.NewStory(w)
	if db == nil {
		units := &stock.Memory{Events: new(event.Memory)}
		groups, events := groupbuy.New(&groupbuy.Memory{Stock: units}, nil), event.New(units.Events, nil)
		return &shop{Story: story, stock: stock.New(units, nil), groups: groups, events: events, made: map[string]string{}}, nil
	}
	if err := sqlstore.Migrate(ctx, db, nil); err != nil {
		return nil, err
	}
	_, err := db.ExecContext(ctx, `CREATE TABLE shop_order (
		order_no VARBINARY(64) PRIMARY KEY,
		state    VARCHAR(16) NOT NULL) -- paid, to ship, refunded`)
	inv, store := stock.New(sqlstore.NewStock(db, nil), nil), sqlstore.NewGroupBuy(db, nil)
	events := event.New(sqlstore.NewEvents(db, nil), nil)
	return &shop{Story: story, db: db, store: store, stock: inv, groups: groupbuy.New(store, nil), events: events}, err
}

// The products by their SKU, and the activities.
const (
	cups = 42
	rice = 43

	fair    = 7
	evening = 8
)

const (
	teamSize = 3
	tappers  = 4           // for each team of the rush, which has two places for them
	reserve  = 1 + tappers // cups for it: who asks for a seat takes a unit, before the team is found to be full
)

// products are what the shop sells to groups: cups by people, and rice by weight, in bags of 250 g.
var products = map[int64]groupbuy.Terms{
	cups: {Places: 2, Price: decimal.NewFromInt(30), GroupPrice: decimal.NewFromInt(20), People: teamSize},
	rice: {Places: 2, Price: decimal.NewFromInt(8), GroupPrice: decimal.NewFromInt(6), Volume: decimal.NewFromInt(10), UnitsPerVolume: 4},
}

// fill fills ordinary stock, of which activities take their units, and begins the fair.
func (s *shop) fill(ctx context.Context, teams int) error {
	for sku := range products {
		if _, err := s.stock.Define(ctx, stock.Key{SKU: sku}, 500+reserve*int64(teams), stock.Terms{}); err != nil {
			return err
		}
	}
	return s.begin(ctx, fair, 24*time.Hour, map[int64]int64{cups: 100, rice: 200})
}

// begin begins an activity, which lasts so long by the clock of the store, with so many units of each SKU.
func (s *shop) begin(ctx context.Context, id int64, lasts time.Duration, units map[int64]int64) error {
	a, err := s.groups.Define(ctx, groupbuy.Activity{ID: id, Formation: time.Hour, End: time.Now().AddDate(1, 0, 0)})
	if err == nil {
		a.End = a.CreatedAt.Add(lasts)
		_, err = s.groups.Define(ctx, a)
	}
	for sku, units := range units {
		if err == nil {
			_, err = s.groups.Offer(ctx, groupbuy.Product{Key: stock.Key{SKU: sku, Activity: id}, Terms: products[sku]}, units)
		}
	}
	return err
}

// purchase is what an order asks for.
func purchase(order string, product stock.Key, volume string) groupbuy.Purchase {
	return groupbuy.Purchase{Order: order, Product: product, Volume: decimal.RequireFromString(volume)}
}

// pay is the callback of a payment, which may come twice or too late. For a late one, Payment.Due says that the money
// goes back. On MySQL the row of the order and its seat change in one transaction. A real shop keeps the payment's number in that row,
// and sends a second payment back.
func (s *shop) pay(ctx context.Context, order string) (payment groupbuy.Payment, err error) {
	if s.db == nil {
		return s.groups.Pay(ctx, order)
	}
	err = example.InTx(ctx, s.db, func(tx *sql.Tx) error {
		err := example.Exec(ctx, tx, "INSERT INTO shop_order VALUES (?, 'paid')", order)
		if err == nil {
			payment, err = s.groups.On(s.store.WithTx(tx)).Pay(ctx, order)
		}
		return err
	})
	return payment, err
}

// handle does what an event asks for. An event may come more than once, so all of this is safe to repeat.
func (s *shop) handle(ctx context.Context, e groupbuy.Event) error {
	switch e.Kind {
	case event.TeamFormed:
		for _, member := range e.Members {
			if err := s.set(ctx, member.Order, "to ship"); err != nil {
				return err
			}
		}
	case event.MemberAdded: // to a team that was formed before
		return s.set(ctx, e.Order, "to ship")
	case event.RefundOwed: // the payment provider is asked under e.Refund(), the same number each time
		return s.set(ctx, e.Order, "refunded")
	default: // the order of a released seat was never made, and the refunds of a team that has failed are events of their own
	}
	return nil
}

// set sets the state of an order.
func (s *shop) set(ctx context.Context, order, state string) error {
	if s.db == nil {
		s.made[order] = state
		return nil
	}
	_, err := s.db.ExecContext(ctx, "UPDATE shop_order SET state = ? WHERE order_no = ?", state, order)
	return err
}

// tellPaid tells of a payment.
func (s *shop) tellPaid(ctx context.Context, what, order string) {
	p, err := s.pay(ctx, order)
	s.Tell(what, err, "the team is %v, %d paid", p.Team.State, p.Team.Paid)
}

// byPeople follows a team that is formed by its last payment.
func (s *shop) byPeople(ctx context.Context) {
	key := stock.Key{SKU: cups, Activity: fair}
	seat, err := s.groups.For("u-ann").Open(ctx, purchase("A-1", key, "1"))
	s.Tell("Ann opens a team of 3 for cups", err, "its code is %s", seat.Team)
	code := seat.Team
	_, err = s.groups.For("u-ann").Join(ctx, code, purchase("A-2", key, "1"))
	s.Refused("Ann joins it once more", err, groupbuy.ErrJoined)
	for _, joins := range [][3]string{{"Bo joins", "B-1", "u-bo"}, {"Chen joins", "C-1", "u-chen"}} {
		seat, err = s.groups.For(joins[2]).Join(ctx, code, purchase(joins[1], key, "1"))
		s.Tell(joins[0], err, "%v", seat.State)
	}
	_, err = s.groups.For("u-dora").Join(ctx, code, purchase("D-1", key, "1"))
	s.Refused("Dora joins", err, groupbuy.ErrFull)
	s.tellPaid(ctx, "Bo pays", "B-1")
	s.tellPaid(ctx, "the callback of that payment comes again", "B-1")
	_, err = s.groups.Cancel(ctx, "C-1")
	s.Tell("Chen cancels", err, "the seat is free")
	seat, err = s.groups.For("u-dora").Join(ctx, code, purchase("D-1", key, "1"))
	s.Tell("Dora joins", err, "%v", seat.State)
	s.tellPaid(ctx, "Dora pays", "D-1")
	s.tellPaid(ctx, "Ann pays", "A-1")
	_, err = s.groups.For("u-emil").Join(ctx, code, purchase("E-1", key, "1"))
	s.Refused("Emil joins", err, groupbuy.ErrTeamFormed)
}

// byHand follows a team whose sponsor leaves, and that an operator forms.
func (s *shop) byHand(ctx context.Context) {
	key := stock.Key{SKU: cups, Activity: fair}
	seat, err := s.groups.For("u-fay").Open(ctx, purchase("F-1", key, "1"))
	s.Tell("Fay opens a team", err, "its code is %s", seat.Team)
	_, err = s.groups.For("u-gus").Join(ctx, seat.Team, purchase("G-1", key, "1"))
	s.Tell("Gus joins", err, "held")
	s.tellPaid(ctx, "Fay pays", "F-1")
	s.tellPaid(ctx, "Gus pays", "G-1")
	seat, err = s.groups.Refund(ctx, groupbuy.Refund{Order: "F-1", Actor: "Lin", Reason: "Fay called"})
	s.Tell("Fay leaves", err, "%v", seat.State)
	team, err := s.groups.Form(ctx, seat.Team, groupbuy.Decision{Actor: "Lin", Reason: "a regular asked for it"})
	s.Tell("Lin of the shop forms the team of Gus", err, "%v with %d paid, its sponsor is %s", team.State, team.Paid, team.Sponsor)
}

// byWeight follows a team that is formed by what its members buy, and the end of the fair.
func (s *shop) byWeight(ctx context.Context) {
	key := stock.Key{SKU: rice, Activity: fair}
	seat, err := s.groups.For("u-hal").Open(ctx, purchase("H-1", key, "4.25"))
	s.Tell("Hal opens a team for 10 kg of rice with 4.25", err, "its code is %s", seat.Team)
	_, err = s.groups.For("u-ida").Join(ctx, seat.Team, purchase("I-1", key, "6.50"))
	s.Tell("Ida joins with 6.50", err, "held")
	s.tellPaid(ctx, "Hal pays", "H-1")
	s.tellPaid(ctx, "Ida pays", "I-1")
	_, err = s.groups.End(ctx, fair)
	s.Tell("the shop ends the fair", err, "what is left goes back to ordinary stock")
}

// rush opens teams at once, in an activity that is soon over, and then lets everybody join at once, more than there are places. One in
// seven does not pay. It returns how many found no place.
func (s *shop) rush(ctx context.Context, teams int) (turnedAway int64, err error) {
	lasts := 2 * time.Second
	if s.db != nil { // each payment is a COMMIT
		lasts += time.Duration(teams) * 60 * time.Millisecond
	}
	if err := s.begin(ctx, evening, lasts, map[int64]int64{cups: reserve * int64(teams)}); err != nil {
		return 0, err
	}
	codes := make([]string, teams)
	err = example.Rush(ctx, teams, func(ctx context.Context, caller int) error {
		seat, err := s.buy(ctx, "", fmt.Sprintf("T-%d", caller), true)
		codes[caller%teams] = seat.Team
		return err
	})
	if err != nil {
		return 0, err
	}
	var away atomic.Int64
	err = example.Rush(ctx, tappers*teams, func(ctx context.Context, caller int) error {
		seat, err := s.buy(ctx, codes[caller%teams], fmt.Sprintf("J-%d", caller), caller%7 > 0)
		if seat.Team == "" {
			away.Add(1)
		}
		return err
	})
	return away.Load(), err
}

// noPlace are the refusals of the rush: there are others in the team, or it is too late.
var noPlace = []error{groupbuy.ErrFull, groupbuy.ErrTeamFormed, groupbuy.ErrTeamOver, groupbuy.ErrTeamFailed, groupbuy.ErrEnded}

// buy is a buyer of the rush, identified by the order. The seat is empty if there is no place.
func (s *shop) buy(ctx context.Context, code, order string, pays bool) (seat groupbuy.Seat, err error) {
	buyer, p := s.groups.For("u-"+order), purchase(order, stock.Key{SKU: cups, Activity: evening}, "1")
	err = example.Again(ctx, func() (err error) {
		if code == "" {
			seat, err = buyer.Open(ctx, p)
		} else {
			seat, err = buyer.Join(ctx, code, p)
		}
		return err
	})
	switch {
	case slices.ContainsFunc(noPlace, func(refusal error) bool { return errors.Is(err, refusal) }):
		return groupbuy.Seat{}, nil
	case err == nil && pays:
		_, err = s.pay(ctx, order)
	}
	return seat, err
}

// settle ends teams and activities that are over and delivers events, until nothing is left to do. A real shop leaves
// this to Groups.Run and Events.Run, in any number of processes.
func (s *shop) settle(ctx context.Context) error {
	for {
		if _, err := s.groups.Expire(ctx); err != nil {
			return err
		}
		delivered, err := s.events.Deliver(ctx, s.groups.Handle(s.handle))
		if err != nil {
			return err
		}
		product, err := s.groups.Product(ctx, stock.Key{SKU: cups, Activity: evening})
		if err != nil || delivered == 0 && product.State == groupbuy.Settled {
			return err
		}
		if !example.Rest(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// books are what the program ends with.
type books struct {
	teams  map[groupbuy.TeamState]int
	orders map[string]int // by state; in memory those that events made
	items  map[stock.Key]stock.Quantities
}

// audit prints the books and checks that they agree: teams with their seats and units, and seats with their orders.
func (s *shop) audit(ctx context.Context, w io.Writer) (books, error) {
	b := books{teams: map[groupbuy.TeamState]int{}, orders: map[string]int{}, items: map[stock.Key]stock.Quantities{}}
	for _, state := range []groupbuy.TeamState{groupbuy.Forming, groupbuy.Formed, groupbuy.Failed} {
		for team, err := range s.groups.Teams(ctx, groupbuy.TeamFilter{State: state}) {
			if err == nil {
				b.teams[state]++
				err = s.orders(ctx, team.Code, b.orders)
			}
			if err != nil {
				return b, err
			}
		}
	}
	rows := []example.Row{{"product", "total", "sold", "left"}}
	for item, err := range s.stock.Items(ctx) {
		if err != nil {
			return b, err
		}
		b.items[item.Key] = item.Quantities
		rows = append(rows, example.Row{item.Key, item.Total, item.Sold, item.Left})
	}
	example.Table(w, rows...)
	report, err := s.groups.Audit(ctx)
	if err == nil && !report.Balanced() {
		err = fmt.Errorf("the books do not balance: %+v", report)
	}
	if err != nil {
		return b, err
	}
	fmt.Fprintf(w, "\n%d teams are formed, %d have failed. %d orders are to ship, %d are refunded.\nAudit: the books balance.\n",
		b.teams[groupbuy.Formed], b.teams[groupbuy.Failed], b.orders["to ship"], b.orders["refunded"])
	return b, nil
}

// orders counts the orders of a team by their state, and compares each with its seat.
func (s *shop) orders(ctx context.Context, team string, count map[string]int) error {
	for seat, err := range s.groups.Members(ctx, team) {
		if err != nil {
			return err
		}
		state := s.made[seat.Order]
		if s.db != nil {
			err := s.db.QueryRowContext(ctx, "SELECT state FROM shop_order WHERE order_no = ?", seat.Order).Scan(&state)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		if (seat.State == groupbuy.Paid) != (state == "to ship") || (seat.State == groupbuy.Refunded) != (state == "refunded") {
			return fmt.Errorf("order %s is %q, but its seat is %v", seat.Order, state, seat.State)
		}
		if state != "" { // nobody has paid for the others
			count[state]++
		}
	}
	return nil
}
