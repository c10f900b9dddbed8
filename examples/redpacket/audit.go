package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
)

// audit completes a result with the books, and holds four accounts of the rain against each other: the
// packets, their shares and grabs (that is the audit of the library), what people were told, and what the
// wallet credited.
func (r *rain) audit(ctx context.Context, res *result) error {
	a := &audit{rain: r, result: res, shares: maps.Clone(r.shares)}
	a.entries, res.Drifts = r.wallet.account()
	res.Drifts = append(res.Drifts, r.doubted...)
	for number := 1; number <= r.config.packets; number++ {
		err := a.packet(ctx, newDrop(r.Seed, number, r.people))
		if err != nil && !errors.Is(err, redpacket.ErrUnknownPacket) { // which one is that did not fall
			return err
		}
	}
	for who := range a.shares {
		a.driftf("person %d was told of a share of packet %d that is not in the books", who.person, who.packet)
	}
	for number, e := range a.entries {
		if e.credited {
			a.driftf("the wallet credited payout %s, which nobody owes", number)
		}
	}
	slices.Sort(res.Drifts) // those from maps come in any order

	report, err := r.packets.Audit(ctx)
	if err != nil {
		return err
	}
	for _, drift := range report.Drifts {
		a.driftf("%v", drift)
	}
	for _, drift := range report.Units {
		a.driftf("units: %v", drift)
	}
	res.Audited = true
	return nil
}

// audit is one audit.
type audit struct {
	*rain

	result  *result
	shares  map[grab]redpacket.Share // those that people were told of and no book was seen to have
	entries map[string]entry         // those of the wallet that no book was seen to owe
}

// driftf notes something that is not as it should be.
func (a *audit) driftf(format string, args ...any) {
	a.result.Drifts = append(a.result.Drifts, fmt.Sprintf(format, args...))
}

// packet looks at one packet.
func (a *audit) packet(ctx context.Context, d drop) error {
	p, err := a.packets.Packet(ctx, d.ID)
	if err != nil {
		return err
	}
	line := packetLine{
		Packet: p.ID, Kind: d.kind.String(), State: p.State.String(), Shares: p.Count, Winners: p.Taken,
		Total: yuan{p.Total}, Grabbed: yuan{p.Grabbed}, Left: yuan{p.Left},
	}
	if !p.Total.Equal(d.Total) || !p.Total.Equal(p.Grabbed.Add(p.Left)) {
		a.driftf("packet %d: total is %v of %v, with %v grabbed and %v left", p.ID, line.Total, yuan{d.Total}, line.Grabbed, line.Left)
	}
	if err := a.sharesOf(ctx, p); err != nil {
		return err
	}
	if line.GoneBack.Decimal, err = a.remainder(ctx, p); err != nil {
		return err
	}
	a.result.add(line, !p.ConfirmedAt.IsZero())
	return nil
}

// sharesOf looks at the shares of a packet.
func (a *audit) sharesOf(ctx context.Context, p redpacket.Packet) error {
	var sum decimal.Decimal
	var best redpacket.Share
	people := map[int64]bool{}
	for share, err := range a.packets.Shares(ctx, p.ID) {
		if err != nil {
			return err
		}
		a.share(p, share)
		if people[share.Person] {
			a.driftf("packet %d: person %d has two shares", p.ID, share.Person)
		}
		people[share.Person] = true
		sum = sum.Add(share.Amount)
		if share.Amount.GreaterThan(best.Amount) {
			best = share
		}
	}
	if int64(len(people)) != p.Taken || !sum.Equal(p.Grabbed) {
		a.driftf("packet %d: %d shares of %v are grabbed, but %d people have %v", p.ID, p.Taken, yuan{p.Grabbed}, len(people), yuan{sum})
	}
	switch finished := p.State == redpacket.Finished; {
	case finished != (p.Best != nil):
		a.driftf("packet %d: it is %v, and who had the best luck is known: %t", p.ID, p.State, p.Best != nil)
	case finished && !same(*p.Best, best):
		a.driftf("packet %d: share %d is called the best, but share %d is", p.ID, p.Best.No, best.No)
	}
	return nil
}

// share looks at one share.
func (a *audit) share(p redpacket.Packet, share redpacket.Share) {
	who := grab{p.ID, share.Person}
	if !same(share, a.shares[who]) {
		a.driftf("packet %d: person %d has share %d of %v, but was not told so", p.ID, share.Person, share.No, yuan{share.Amount})
	}
	delete(a.shares, who)
	if share.Amount.LessThan(p.Min) || p.Max.IsPositive() && share.Amount.GreaterThan(p.Max) {
		a.driftf("packet %d: share %d of %v is out of bounds", p.ID, share.No, yuan{share.Amount})
	}
	a.payout(&a.result.ToWinners, share.Payout, share.Person, share.Amount, share.Paid)
	if p.ID == charted {
		best := p.Best != nil && p.Best.No == share.No
		a.result.Luck = append(a.result.Luck, luck{Share: share.No, Person: share.Person, Amount: yuan{share.Amount}, Best: best})
	}
}

// remainder looks at what was left of a packet, and returns what goes back to its sender.
func (a *audit) remainder(ctx context.Context, p redpacket.Packet) (back decimal.Decimal, err error) {
	payout, err := a.packets.Payout(ctx, redpacket.PayoutNumber(p.ID, 0))
	switch unknown := errors.Is(err, redpacket.ErrUnknownPayout); {
	case unknown && !goesBack(p):
		return back, nil
	case unknown:
		a.driftf("packet %d: nothing goes back of the %v that are left", p.ID, yuan{p.Left})
		return back, nil
	case err != nil:
		return back, err
	case !goesBack(p) || payout.Person != p.Sender || !payout.Amount.Equal(p.Left):
		a.driftf("packet %d: it is %v with %v left, but %v go back to person %d", p.ID, p.State, yuan{p.Left}, yuan{payout.Amount}, payout.Person)
	}
	a.payout(&a.result.ToSenders, payout.Number, payout.Person, payout.Amount, payout.Paid)
	return payout.Amount, nil
}

// payout holds a payout against what the wallet did.
func (a *audit) payout(line *payoutLine, number string, person int64, amount decimal.Decimal, paid bool) {
	e := a.entries[number]
	delete(a.entries, number)
	switch {
	case e.credited && (e.person != person || !e.amount.Equal(amount)):
		a.driftf("payout %s is %v for person %d, but the wallet credited %v to person %d", number, yuan{amount}, person, yuan{e.amount}, e.person)
	case paid && !e.credited:
		a.driftf("payout %s is paid in the books, but not credited", number)
	case a.paid[number] && !paid:
		a.driftf("payout %s was recorded as paid, but is owed in the books", number)
	}
	line.add(amount, paid, e)
}
