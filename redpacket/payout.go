package redpacket

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/listing"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// Payouts lists the payouts that are due now: shares owed to the people who grabbed them, and leftovers owed to
// senders, oldest due first. For each, ask the bank or wallet to pay under its number, and report PaidOut or
// PayoutFailed. While you do not know which of the two happened, report nothing: the payout is listed again, and
// you ask again under the same number.
//
// Each page is its own snapshot. Later pages leave out payouts that are paid or put off during the listing.
// The listing ends with the first error, which is ErrInvalid or comes from the store.
func (p *Packets) Payouts(ctx context.Context) iter.Seq2[Payout, error] {
	return listing.Map(listing.Pages(p.ready(ctx),
		func(after Cursor, limit int) ([]ShareRecord, error) { return p.store.Payouts(ctx, after, limit) },
		func(s ShareRecord) Cursor { return Cursor{DueAt: s.DueAt, Packet: s.Packet, No: s.No} },
	), ShareRecord.payout)
}

// Payout returns a payout by its number. Errors, in the order of precedence: ErrInvalid, also for a text that
// is not a payout number; ErrUnknownPayout.
func (p *Packets) Payout(ctx context.Context, number string) (Payout, error) {
	packet, no, err := p.readyToPay(ctx, number)
	if err != nil {
		return Payout{}, err
	}
	booked, err := p.owed(ctx, packet, no)
	if err != nil {
		return Payout{}, err
	}
	return booked.payout(), nil
}

// PaidOut records that a payout arrived. Recording it twice is safe, and so is recording it after PayoutFailed.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownPayout.
func (p *Packets) PaidOut(ctx context.Context, number string) (Payout, error) {
	packet, no, err := p.readyToPay(ctx, number)
	if err != nil {
		return Payout{}, err
	}
	for range attempts {
		verdict, err := p.store.Paid(ctx, packet, no)
		if err != nil {
			return Payout{}, err
		}
		booked, err := p.owed(ctx, packet, no)
		switch {
		case verdict == stock.Done:
			return p.tookPayout(ctx, StepPaidOut, number, booked, err)
		case err != nil:
			return Payout{}, err
		case booked.Paid:
			payout := booked.payout()
			payout.Replay = true
			return payout, nil
		}
	}
	return Payout{}, contention("pay out", number)
}

// PayoutFailed records that a payout definitely failed: nothing was paid. It stays owed to the same person
// under the same number, and is due again after a pause: Options.RetryIn, then twice as long each
// time, a day at most. The reason is for people; only its first MaxReason bytes are kept.
//
// Each call counts as a separate failure, even a retry after an error. The only effect is that the payout comes
// one pause later.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownPayout, ErrPaidOut.
func (p *Packets) PayoutFailed(ctx context.Context, number, reason string) (Payout, error) {
	packet, no, err := p.readyToPay(ctx, number)
	if err != nil {
		return Payout{}, err
	}
	reason = shorten(reason)
	for range attempts {
		booked, err := p.owed(ctx, packet, no)
		switch {
		case err != nil:
			return Payout{}, err
		case booked.Paid:
			return Payout{}, &PayoutError{Number: number, Err: ErrPaidOut}
		}
		verdict, err := p.store.Failed(ctx, packet, no, booked.Failures, reason, pause(p.opts.RetryIn, booked.Failures))
		if err != nil {
			return Payout{}, err
		}
		if verdict == stock.Done {
			booked, err := p.owed(ctx, packet, no)
			return p.tookPayout(ctx, StepFailed, number, booked, err)
		}
	}
	return Payout{}, contention("fail", number)
}

// tookPayout tells the hook of a payout that changed, and returns it as it was read afterwards.
func (p *Packets) tookPayout(ctx context.Context, step Step, number string, booked ShareRecord, err error) (Payout, error) {
	packet, _, _ := parseNumber(number)
	p.took(ctx, Effect{Step: step, Packet: packet, Payout: number})
	if err != nil {
		return Payout{}, fault.Unread(err)
	}
	return booked.payout(), nil
}

// readyToPay is ready for a call that names a payout.
func (p *Packets) readyToPay(ctx context.Context, number string) (packet, no int64, err error) {
	if err := p.ready(ctx); err != nil {
		return 0, 0, err
	}
	packet, no, ok := parseNumber(number)
	if !ok {
		return 0, 0, fault.Invalid("number", "must be the number of a payout, is %q", number)
	}
	return packet, no, nil
}

// owed returns a payout as it is kept, or ErrUnknownPayout.
func (p *Packets) owed(ctx context.Context, packet, no int64) (ShareRecord, error) {
	booked, ok, err := p.store.Payout(ctx, packet, no)
	if err == nil && !ok {
		err = &PayoutError{Number: PayoutNumber(packet, no), Err: ErrUnknownPayout}
	}
	return booked, err
}

// parseNumber returns the arguments of PayoutNumber, and false for a text that it never returns.
func parseNumber(number string) (packet, no int64, ok bool) {
	before, after, _ := strings.Cut(number, "-")
	packet, err1 := strconv.ParseInt(before, 10, 64)
	no, err2 := strconv.ParseInt(after, 10, 64)
	ok = err1 == nil && err2 == nil && packet > 0 && no >= 0 && PayoutNumber(packet, no) == number
	return packet, no, ok
}

// pause returns how long a payout rests after so many earlier failures.
func pause(first time.Duration, failures int64) time.Duration {
	for ; failures > 0 && first < MaxRetryIn; failures-- {
		first *= 2
	}
	return min(first, MaxRetryIn)
}

// shorten returns a reason as every store can keep it: UTF-8, and cut between two characters.
func shorten(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) <= MaxReason {
		return reason
	}
	end := MaxReason
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}

// payout returns a payout as its caller sees it.
func (b ShareRecord) payout() Payout {
	return Payout{
		Number: PayoutNumber(b.Packet, b.No), Packet: b.Packet, No: b.No, Person: b.Person,
		Amount: money.Decimal(b.Money, b.Places), Paid: b.Paid, Failures: b.Failures, Reason: b.Reason,
		DueAt: b.DueAt, PaidAt: b.PaidAt, CreatedAt: b.CreatedAt,
	}
}
