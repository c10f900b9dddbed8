// Redpacket is an app in which people send red packets (红包). It follows three of them: one whose shares are all
// grabbed, one that its sender closes early, and one that expires unnoticed. Then thousands of people tap for a hundred
// shares at once (抢红包). A worker makes each payout once. Finally the app prints and checks its books.
//
//	go run ./examples/redpacket                                              in memory
//	go run ./examples/redpacket -dsn 'user:password@tcp(127.0.0.1:3306)/'    on MySQL
//
// On MySQL the app has payments and a wallet of its own: they change in one transaction with the packet.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

func main() {
	people := flag.Int("people", 2000, "how many people tap")
	shares := flag.Int64("shares", 100, "how many shares there are for them")
	example.Main(func(ctx context.Context, db *sql.DB, w io.Writer) error {
		_, err := run(ctx, db, w, *people, *shares)
		return err
	})
}

// run is the program: the story, the rush, the payouts and the books.
func run(ctx context.Context, db *sql.DB, w io.Writer, people int, shares int64) (books, error) {
	a, err := open(ctx, db, w)
	if err != nil {
		return books{}, err
	}
	a.lastShare(ctx)
	a.leftOver(ctx)
	if err := a.Err(); err != nil {
		return books{}, err
	}
	winners, err := a.rush(ctx, people, shares)
	if err != nil {
		return books{}, err
	}
	fmt.Fprintf(w, "\n%s people tap for %s shares: %s have one.\n", example.Count(people), example.Count(shares), example.Count(len(winners)))
	if err := a.payOut(ctx); err != nil {
		return books{}, err
	}
	return a.audit(ctx, w, int64(len(winners)))
}

// app is the app around the library.
type app struct {
	*example.Story

	db      *sql.DB             // nil in memory
	store   *sqlstore.RedPacket // on db
	packets *redpacket.Packets
}

// retryIn is how long a failed payout rests. It is short here, since somebody is watching.
const retryIn = 100 * time.Millisecond

// open opens the app. On MySQL it makes the tables of the library, and those of payments and the wallet.
func open(ctx context.Context, db *sql.DB, w io.Writer) (*app, error) {
	story, options := example.NewStory(w), &redpacket.Options{RetryIn: retryIn}
	if db == nil {
		return &app{Story: story, packets: redpacket.New(new(redpacket.Memory), options)}, nil
	}
	if err := sqlstore.Migrate(ctx, db, nil); err != nil {
		return nil, err
	}
	for _, table := range []string{
		"payment (packet BIGINT PRIMARY KEY, sender VARBINARY(64) NOT NULL, amount DECIMAL(10,2) NOT NULL, received BOOL NOT NULL)",
		"wallet (payout VARBINARY(64) PRIMARY KEY, person VARBINARY(64) NOT NULL, amount DECIMAL(10,2) NOT NULL)",
	} {
		if _, err := db.ExecContext(ctx, "CREATE TABLE "+table); err != nil {
			return nil, err
		}
	}
	store := sqlstore.NewRedPacket(db, nil)
	return &app{Story: story, db: db, store: store, packets: redpacket.New(store, options)}, nil
}

// inTx changes a row of the app by a statement and a packet by a call, in one transaction: both or neither. In memory the app has
// no rows.
func (a *app) inTx(ctx context.Context, call func(*redpacket.Packets) error, statement string, args ...any) error {
	if a.db == nil {
		return call(a.packets)
	}
	return example.InTx(ctx, a.db, func(tx *sql.Tx) error {
		if err := example.Exec(ctx, tx, statement, args...); err != nil {
			return err
		}
		return call(a.packets.On(a.store.WithTx(tx)))
	})
}

// send sends a packet, and asks its sender for the money.
func (a *app) send(ctx context.Context, p redpacket.Packet) (sent redpacket.Packet, err error) {
	p.Places = 2
	err = a.inTx(ctx, func(packets *redpacket.Packets) (err error) {
		sent, err = packets.Send(ctx, p)
		return err
	}, "INSERT INTO payment VALUES (?, ?, ?, FALSE)", p.ID, p.Sender, p.Total)
	return sent, err
}

// receive is the callback of the sender's payment, which may come twice.
func (a *app) receive(ctx context.Context, packet int64) (p redpacket.Packet, err error) {
	err = a.inTx(ctx, func(packets *redpacket.Packets) (err error) {
		p, err = packets.Confirm(ctx, packet)
		return err
	}, "UPDATE payment SET received = TRUE WHERE packet = ?", packet)
	return p, err
}

// pay credits a payout to the wallet, which is a table beside those of the library: both change at once. A wallet elsewhere would be
// asked under the payout's number, the same each time, until it answers; PaidOut follows its answer.
func (a *app) pay(ctx context.Context, p redpacket.Payout) error {
	if p.Person == dora && p.Failures == 0 {
		_, err := a.packets.PayoutFailed(ctx, p.Number, "the account is frozen")
		return err
	}
	return a.inTx(ctx, func(packets *redpacket.Packets) error {
		_, err := packets.PaidOut(ctx, p.Number)
		return err
	}, "INSERT INTO wallet VALUES (?, ?, ?)", p.Number, p.Person, p.Amount)
}

// The people of the story; those of the rush are a crowd.
const (
	ann  = "u-ann"
	bo   = "u-bo"
	chen = "u-chen"
	dora = "u-dora"
)

func crowd(i int) string { return fmt.Sprintf("u-%d", i) }

// The packets.
const (
	lucky int64 = iota + 1
	closed
	unseen
	rain
)

// lastShare follows a packet to its last share.
func (a *app) lastShare(ctx context.Context) {
	_, err := a.send(ctx, redpacket.Packet{ID: lucky, Sender: ann, Total: decimal.NewFromInt(10), Count: 3})
	a.Tell("Ann sends 10.00 in 3 random shares", err, "she is asked to pay")
	_, err = a.packets.For(bo).Grab(ctx, lucky)
	a.Refused("Bo taps on it", err, redpacket.ErrUnpaid)
	for _, what := range []string{"Ann's payment arrives", "its callback comes again"} {
		p, err := a.receive(ctx, lucky)
		a.Tell(what, err, "the packet is %v", p.State)
	}
	_, err = a.packets.For(ann).Grab(ctx, lucky)
	a.Refused("Ann taps on her own packet", err, redpacket.ErrSender)
	for _, tap := range [][2]string{{"Bo taps", bo}, {"Bo taps again", bo}, {"Chen taps", chen}, {"Dora taps", dora}} {
		share, err := a.packets.For(tap[1]).Grab(ctx, lucky)
		a.Tell(tap[0], err, "share %d: %s", share.No, yuan(share.Amount))
	}
	_, err = a.packets.For("u-emil").Grab(ctx, lucky)
	a.Refused("Emil taps", err, redpacket.ErrFinished)
	p, err := a.packets.Packet(ctx, lucky)
	if err == nil && p.Best != nil {
		a.Tell("they look who had the best luck", err, "share %d with %s", p.Best.No, yuan(p.Best.Amount))
	}
}

// leftOver follows two packets with money that goes back.
func (a *app) leftOver(ctx context.Context) {
	p, err := a.send(ctx, redpacket.Packet{ID: closed, Sender: ann, Total: decimal.NewFromInt(20), Count: 4, Equal: true})
	a.Tell("Ann sends 20.00 in 4 equal shares", err, "she is asked to pay")
	_, err = a.send(ctx, redpacket.Packet{ID: unseen, Sender: bo, Total: decimal.NewFromInt(8), Count: 8, End: p.CreatedAt.Add(time.Second)})
	a.Tell("Bo sends 8.00, for a second only", err, "he is asked to pay")
	_, err = a.receive(ctx, closed)
	a.Tell("Ann pays", err, "her packet can be grabbed")
	_, err = a.receive(ctx, unseen)
	a.Tell("Bo pays", err, "his packet can be grabbed, but nobody looks")
	share, err := a.packets.For(chen).Grab(ctx, closed)
	a.Tell("Chen taps on Ann's", err, "share %d: %s", share.No, yuan(share.Amount))
	p, err = a.packets.Close(ctx, closed)
	a.Tell("Ann closes it", err, "%s go back to her", yuan(p.Left))
	_, err = a.packets.For(dora).Grab(ctx, closed)
	a.Refused("Dora taps on it", err, redpacket.ErrClosed)
}

// rush lets everybody tap twice at once. It returns who has which share. Shares that are left are closed.
func (a *app) rush(ctx context.Context, people int, shares int64) (map[string]redpacket.Share, error) {
	_, err := a.send(ctx, redpacket.Packet{ID: rain, Sender: ann, Total: decimal.NewFromInt(2 * shares), Count: shares})
	if err == nil {
		_, err = a.receive(ctx, rain)
	}
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	winners := map[string]redpacket.Share{}
	err = example.Rush(ctx, 2*people, func(ctx context.Context, tap int) error {
		person := crowd(tap % people)
		var share redpacket.Share
		err := example.Again(ctx, func() (err error) {
			share, err = a.packets.For(person).Grab(ctx, rain)
			return err
		})
		switch {
		case errors.Is(err, redpacket.ErrFinished):
			return nil
		case err != nil:
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if told, known := winners[person]; known && told.No != share.No {
			return fmt.Errorf("%s has shares %d and %d", person, told.No, share.No)
		}
		winners[person] = share
		return nil
	})
	if err == nil {
		_, err = a.packets.Close(ctx, rain)
	}
	return winners, err
}

// payOut ends expired packets and makes payouts until all are paid. A real app leaves the first job to Packets.Run and
// the second to any number of workers.
func (a *app) payOut(ctx context.Context) error {
	for {
		if _, err := a.packets.Expire(ctx); err != nil {
			return err
		}
		for payout, err := range a.packets.Payouts(ctx) {
			if err == nil {
				err = a.pay(ctx, payout)
			}
			if err != nil {
				return err
			}
		}
		b, err := a.read(ctx)
		if err != nil || b.owed == 0 {
			return err
		}
		if !example.Rest(ctx, retryIn) {
			return ctx.Err()
		}
	}
}

// books are what the program ends with.
type books struct {
	packets []packetLine // by their number

	received, grabbed, wentBack decimal.Decimal // what senders paid, and what was paid out of that to winners and back to senders
	owed                        int             // payouts that are not paid yet, and packets that can still be grabbed
}

// packetLine is a packet, with what went back of it to its sender.
type packetLine struct {
	state                    redpacket.State
	winners                  int64
	total, grabbed, wentBack string
}

// read reads the books.
func (a *app) read(ctx context.Context) (b books, err error) {
	for id := lucky; id <= rain; id++ {
		p, err := a.packets.Packet(ctx, id)
		if err != nil {
			return b, err
		}
		if p.State == redpacket.Open {
			b.owed++
		}
		b.received = b.received.Add(p.Total)
		for share, err := range a.packets.Shares(ctx, id) {
			switch {
			case err != nil:
				return b, err
			case share.Paid:
				b.grabbed = b.grabbed.Add(share.Amount)
			default:
				b.owed++
			}
		}
		back, err := a.packets.Payout(ctx, redpacket.PayoutNumber(id, 0)) // number 0 is what was left
		switch {
		case errors.Is(err, redpacket.ErrUnknownPayout): // nothing was
		case err != nil:
			return b, err
		case back.Paid:
			b.wentBack = b.wentBack.Add(back.Amount)
		default:
			b.owed++
		}
		b.packets = append(b.packets, packetLine{p.State, p.Taken, yuan(p.Total), yuan(p.Grabbed), yuan(back.Amount)})
	}
	return b, nil
}

func yuan(amount decimal.Decimal) string { return amount.StringFixed(2) }

// audit prints the books and checks that they agree: the packets with their shares, the money that came in with the
// money that went out, the answers that people got, and the tables of the app.
func (a *app) audit(ctx context.Context, w io.Writer, winners int64) (books, error) {
	b, err := a.read(ctx)
	if err != nil {
		return b, err
	}
	rows := []example.Row{{"packet", "state", "total", "grabbed", "winners", "went back"}}
	for i, p := range b.packets {
		rows = append(rows, example.Row{i + 1, p.state, p.total, p.grabbed, p.winners, p.wentBack})
	}
	example.Table(w, rows...)
	report, err := a.packets.Audit(ctx)
	switch {
	case err != nil:
		return b, err
	case len(report.Drifts)+len(report.Units) > 0:
		return b, fmt.Errorf("the books do not balance: %v %v", report.Drifts, report.Units)
	case !b.received.Equal(b.grabbed.Add(b.wentBack)):
		return b, fmt.Errorf("senders paid %v, but %v and %v were paid out", b.received, b.grabbed, b.wentBack)
	case winners != b.packets[rain-1].winners:
		return b, fmt.Errorf("%d people were told of a share of packet %d", winners, rain)
	}
	if a.db != nil {
		var received, credited decimal.Decimal
		sums := a.db.QueryRowContext(ctx, "SELECT (SELECT SUM(amount) FROM payment WHERE received), (SELECT SUM(amount) FROM wallet)")
		if err := sums.Scan(&received, &credited); err != nil {
			return b, err
		}
		if !received.Equal(b.received) || !credited.Equal(b.received) {
			return b, fmt.Errorf("the app received %v and credited %v, but the packets have %v", received, credited, b.received)
		}
	}
	fmt.Fprintf(w, "\nAudit: the books balance. Of %s that senders paid, %s are with those who grabbed and %s went back.\n",
		yuan(b.received), yuan(b.grabbed), yuan(b.wentBack))
	return b, nil
}
