package redpacket_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
)

// A red packet from its sending to its payouts, in a store that forgets.
func Example() {
	ctx := context.Background()
	packets := redpacket.New(new(redpacket.Memory), &redpacket.Options{Seed: knownSeed}) // leave Seed out: nobody is to know it
	must(packets.Send(ctx, redpacket.Packet{
		ID: 7, Sender: "1001", Places: 2, Total: decimal.RequireFromString("88.88"), Count: 3,
	}))

	// Nobody can grab before the sender's payment arrived, however often that is said.
	_, err := packets.For("1002").Grab(ctx, 7)
	fmt.Println(err)
	for range 2 {
		packet, err := packets.Confirm(ctx, 7)
		fmt.Println(packet.State, err)
	}

	// A person has one share, and a retry returns it; the sender has none.
	for _, person := range []int64{1002, 1002, 1001, 1003, 1004, 1005} {
		share, err := packets.For(fmt.Sprint(person)).Grab(ctx, 7)
		if err != nil {
			fmt.Println(person, err)
			continue
		}
		fmt.Println(person, "got share", share.No, "of", share.Amount.StringFixed(2))
	}

	packet := must(packets.Packet(ctx, 7))
	fmt.Println(packet.State, packet.Grabbed.StringFixed(2), "and the best luck had", packet.Best.Person)

	for payout, err := range packets.Payouts(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		must(packets.PaidOut(ctx, payout.Number)) // once a bank or wallet has paid it under this number
	}
	fmt.Println(must(packets.For("1002").Share(ctx, 7)).Paid)
	// Output:
	// redpacket: the packet is not paid yet (packet 7)
	// open <nil>
	// open <nil>
	// 1002 got share 1 of 21.96
	// 1002 got share 1 of 21.96
	// 1001 redpacket: who sent the packet cannot grab it (packet 7)
	// 1003 got share 2 of 46.23
	// 1004 got share 3 of 20.69
	// 1005 redpacket: every share is gone (packet 7)
	// finished 88.88 and the best luck had 1003
	// true
}

// The money is divided when it is grabbed: who has the seed knows each share, nobody else does.
func ExampleSplit() {
	split := redpacket.Split{Total: 10_000, Count: 5, Min: 1_000, Max: 3_500, Seed: knownSeed()}
	left := split.Total
	for taken := range split.Count {
		share := split.Next(left, taken)
		left -= share
		fmt.Println(share, "leaves", left)
	}
	// Output:
	// 1741 leaves 8259
	// 2472 leaves 5787
	// 1038 leaves 4749
	// 3370 leaves 1379
	// 1379 leaves 0
}

func ExampleSplit_Shares() {
	for share := range (redpacket.Split{Total: 10, Count: 3, Min: 1, Equal: true}).Shares() {
		fmt.Println(share)
	}
	// Output:
	// 4
	// 3
	// 3
}

// Send may be called again, as after an error; but the ID is taken.
func ExamplePackets_Send() {
	ctx := context.Background()
	packets := redpacket.New(&redpacket.Memory{Clock: newClock().now}, nil)
	packet := redpacket.Packet{ID: 7, Sender: "1001", Places: 2, Total: decimal.NewFromInt(10), Count: 4}
	for range 2 {
		sent, err := packets.Send(ctx, packet)
		fmt.Println(sent.State, sent.Min.StringFixed(2), sent.End.Format(time.DateTime), err)
	}
	packet.Count = 5
	_, err := packets.Send(ctx, packet)
	fmt.Println(errors.Is(err, redpacket.ErrMismatch))
	_, err = packets.Send(ctx, redpacket.Packet{ID: 8, Sender: "1001", Places: 2, Total: decimal.New(3, -2), Count: 4})
	fmt.Println(err)
	// Output:
	// unpaid 0.01 2026-02-18 09:00:00 <nil>
	// unpaid 0.01 2026-02-18 09:00:00 <nil>
	// true
	// holdfast: invalid argument: total is too little for 4 shares: none can be less than the smallest
}

// A payment that arrives too late does not open the packet: all of it goes back.
func ExamplePackets_Confirm_late() {
	ctx := context.Background()
	clock := newClock()
	packets := redpacket.New(&redpacket.Memory{Clock: clock.now}, &redpacket.Options{LiveFor: time.Hour})
	must(packets.Send(ctx, redpacket.Packet{ID: 7, Sender: "1001", Places: 2, Total: decimal.NewFromInt(10), Count: 4}))
	clock.advance(time.Hour)
	packet, err := packets.Confirm(ctx, 7)
	fmt.Println(packet.State, err)
	back := must(packets.Payout(ctx, redpacket.PayoutNumber(7, 0)))
	fmt.Println(back.Amount, "for", back.Person)
	// Output:
	// expired <nil>
	// 10 for 1001
}

func ExamplePackets_Confirm() {
	ctx := context.Background()
	packets := redpacket.New(new(redpacket.Memory), nil)
	must(packets.Send(ctx, redpacket.Packet{ID: 7, Sender: "1001", Places: 2, Total: decimal.NewFromInt(10), Count: 4}))
	for range 2 { // the payment's callback comes twice
		packet, err := packets.Confirm(ctx, 7)
		fmt.Println(packet.State, err)
	}
	// Output:
	// open <nil>
	// open <nil>
}

// Grab says why there is no share, as exactly as it is known.
func ExamplePackets_Grab() {
	ctx := context.Background()
	packets, clock := chat(ctx) // packet 7 has four equal shares of 2.50
	share, err := packets.For("1002").Grab(ctx, 7)
	fmt.Println(share.Amount.StringFixed(2), share.Payout, err)
	clock.advance(24 * time.Hour)
	_, err = packets.For("1003").Grab(ctx, 7)
	var window *redpacket.WindowError
	switch {
	case errors.As(err, &window): // ErrNotStarted or ErrExpired
		fmt.Println(err)
	case errors.Is(err, redpacket.ErrFinished): // the usual end
	case redpacket.Retryable(err): // the same call again is safe, and settles it
		fmt.Println("try again")
	}
	share, err = packets.For("1002").Grab(ctx, 7) // who has a share keeps it
	fmt.Println(share.Amount.StringFixed(2), err)
	// Output:
	// 2.50 7-1 <nil>
	// redpacket: the packet has expired (packet 7 ended at 2026-02-18T09:00:00Z)
	// 2.50 <nil>
}

// Resolve is for a caller whom no answer reached and who wants to know: from then on the lost grab cannot
// take effect any more.
func ExamplePackets_Resolve() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	share, err := packets.For("1002").Resolve(ctx, 7)
	fmt.Println(share.Amount.StringFixed(2), err)
	_, err = packets.For("1003").Resolve(ctx, 7)
	fmt.Println(err)
	// Output:
	// 2.50 <nil>
	// redpacket: the grab was resolved as not made (packet 7)
}

// Close gives back what nobody grabbed, once.
func ExamplePackets_Close() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	for range 2 {
		packet, err := packets.Close(ctx, 7)
		fmt.Println(packet.State, packet.Left.StringFixed(2), err)
	}
	for payout, err := range packets.Payouts(ctx) {
		fmt.Println(payout.Number, payout.Amount.StringFixed(2), "for", payout.Person, err)
	}
	// Output:
	// closed 7.50 <nil>
	// closed 7.50 <nil>
	// 7-0 7.50 for 1001 <nil>
	// 7-1 2.50 for 1002 <nil>
}

func ExamplePackets_Expire() {
	ctx := context.Background()
	packets, clock := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	clock.advance(24 * time.Hour)
	for range 2 {
		ended, err := packets.Expire(ctx)
		fmt.Println(ended, err)
	}
	fmt.Println(must(packets.Payout(ctx, redpacket.PayoutNumber(7, 0))).Amount.StringFixed(2))
	// Output:
	// 1 <nil>
	// 0 <nil>
	// 7.50
}

// Run ends packets in the background until its context ends; it may run in every process.
func ExamplePackets_Run() {
	ctx, stop := context.WithCancel(context.Background())
	packets := redpacket.New(new(redpacket.Memory), &redpacket.Options{
		Sweep:   time.Second,
		OnError: func(err error) { log.Print(err) },
	})
	done := make(chan error)
	go func() { done <- packets.Run(ctx) }()
	stop()
	fmt.Println(<-done)
	// Output:
	// context canceled
}

// On binds packets to another store: with sqlstore, to the caller's transaction.
func ExamplePackets_On() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	tx := new(redpacket.Memory) // stands for store.WithTx(tx)
	_, err := packets.On(tx).Confirm(ctx, 7)
	fmt.Println(err) // this store is empty; the rules are those of packets
	// Output:
	// redpacket: no such packet (packet 7)
}

func ExamplePackets_Packet() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	packet, err := packets.Packet(ctx, 7)
	fmt.Println(packet.State, packet.Taken, "of", packet.Count, err)
	fmt.Println(packet.Grabbed.StringFixed(2), "+", packet.Left.StringFixed(2), "=", packet.Total.StringFixed(2))
	// Output:
	// open 1 of 4 <nil>
	// 2.50 + 7.50 = 10.00
}

func ExamplePackets_Share() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	share, err := packets.For("1002").Share(ctx, 7)
	fmt.Println(share.No, share.Amount.StringFixed(2), share.Paid, err)
	_, err = packets.For("1003").Share(ctx, 7)
	fmt.Println(err)
	// Output:
	// 1 2.50 false <nil>
	// redpacket: this person has no share (packet 7)
}

func ExamplePackets_Shares() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1003").Grab(ctx, 7))
	must(packets.For("1002").Grab(ctx, 7))
	for share, err := range packets.Shares(ctx, 7) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(share.No, share.Person, share.Amount.StringFixed(2))
	}
	// Output:
	// 1 1003 2.50
	// 2 1002 2.50
}

// Payouts is what a worker goes through: what the bank did not answer is asked for again under the same
// number, which pays once.
func ExamplePackets_Payouts() {
	ctx := context.Background()
	packets, clock := chat(ctx)
	for person := int64(1002); person <= 1004; person++ {
		must(packets.For(fmt.Sprint(person)).Grab(ctx, 7))
	}
	for range 2 {
		for payout, err := range packets.Payouts(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			answer := bank(payout)
			fmt.Println(payout.Number, payout.Person, answer)
			switch answer {
			case "paid":
				must(packets.PaidOut(ctx, payout.Number))
			case "no account":
				must(packets.PayoutFailed(ctx, payout.Number, answer))
			default: // nobody knows: report nothing
			}
		}
		clock.advance(time.Second)
	}
	// Output:
	// 7-1 1002 paid
	// 7-2 1003 no account
	// 7-3 1004 no answer
	// 7-3 1004 no answer
}

func ExamplePackets_PaidOut() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	share := must(packets.For("1002").Grab(ctx, 7))
	for range 2 { // the bank's callback comes twice
		payout, err := packets.PaidOut(ctx, share.Payout)
		fmt.Println(payout.Paid, payout.PaidAt.Format(time.TimeOnly), err)
	}
	_, err := packets.PayoutFailed(ctx, share.Payout, "no account")
	fmt.Println(err)
	// Output:
	// true 09:00:00 <nil>
	// true 09:00:00 <nil>
	// redpacket: the payout is paid (7-1)
}

// A payout that failed stays owed, and comes up again after longer and longer pauses.
func ExamplePackets_PayoutFailed() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	share := must(packets.For("1002").Grab(ctx, 7))
	for range 3 {
		payout, err := packets.PayoutFailed(ctx, share.Payout, "no account")
		fmt.Println(payout.Failures, payout.Reason, payout.DueAt.Format(time.TimeOnly), err)
	}
	// Output:
	// 1 no account 09:01:00 <nil>
	// 2 no account 09:02:00 <nil>
	// 3 no account 09:04:00 <nil>
}

func ExamplePackets_Payout() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	payout, err := packets.Payout(ctx, redpacket.PayoutNumber(7, 1))
	fmt.Println(payout.Person, payout.Amount.StringFixed(2), payout.Paid, err)
	_, err = packets.Payout(ctx, redpacket.PayoutNumber(7, 2))
	fmt.Println(err)
	// Output:
	// 1002 2.50 false <nil>
	// redpacket: no such payout (7-2)
}

// Audit recounts packets from their shares, while traffic runs.
func ExamplePackets_Audit() {
	ctx := context.Background()
	packets, _ := chat(ctx)
	must(packets.For("1002").Grab(ctx, 7))
	report, err := packets.Audit(ctx)
	fmt.Println(report.Packets, report.Drifts, report.Units, err)
	// Output:
	// 1 [] [] <nil>
}

// chat returns packets of which 7 is open: ten yuan in four equal shares, sent at nine in the morning.
func chat(ctx context.Context) (*redpacket.Packets, *clock) {
	clock := newClock()
	packets := redpacket.New(&redpacket.Memory{Clock: clock.now}, nil)
	must(packets.Send(ctx, redpacket.Packet{
		ID: 7, Sender: "1001", Places: 2, Total: decimal.NewFromInt(10), Count: 4, Equal: true,
	}))
	must(packets.Confirm(ctx, 7))
	return packets, clock
}

// bank stands for what pays, and does not always answer.
func bank(payout redpacket.Payout) string {
	answers := map[string]string{"1002": "paid", "1003": "no account", "1004": "no answer"}
	return answers[payout.Person]
}

// knownSeed is for examples, whose output has to be known.
func knownSeed() [32]byte { return [32]byte{42} }

// must is for examples, whose subject is something else.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// clock is a clock that stands still until it is told.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, time.February, 17, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time          { return c.at }
func (c *clock) advance(d time.Duration) { c.at = c.at.Add(d) }
