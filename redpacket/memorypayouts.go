package redpacket

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Share implements Store.
func (m *Memory) Share(ctx context.Context, packet int64, person string) (ShareRecord, bool, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return ShareRecord{}, false, err
	}
	defer end()
	b := m.packets[packet]
	if b == nil || b.of[person] == 0 {
		return ShareRecord{}, false, nil
	}
	return *b.booked(b.of[person]), true, nil
}

// booked returns a share, or with No 0 what was left; nil where there is none.
func (b *booklet) booked(no int64) *ShareRecord {
	switch {
	case b == nil:
	case no == 0:
		return b.remainder
	case no <= int64(len(b.shares)):
		return &b.shares[no-1]
	}
	return nil
}

// Shares implements Store.
func (m *Memory) Shares(ctx context.Context, packet, after int64, limit int) ([]ShareRecord, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) ([]ShareRecord, error) {
		b := m.packets[packet]
		if b == nil || after >= int64(len(b.shares)) {
			return nil, nil
		}
		rest := b.shares[after:]
		return slices.Clone(rest[:min(limit, len(rest))]), nil
	})
}

// Mine implements Store.
func (m *Memory) Mine(ctx context.Context, person string, after ShareRecord, limit int) ([]ShareRecord, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) ([]ShareRecord, error) {
		newest := func(a, b ShareRecord) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Packet, a.Packet))
		}
		var mine []ShareRecord
		for _, b := range m.packets {
			if no := b.of[person]; no > 0 && (after.CreatedAt.IsZero() || newest(b.shares[no-1], after) > 0) {
				mine = append(mine, b.shares[no-1])
			}
		}
		slices.SortFunc(mine, newest)
		return mine[:min(limit, len(mine))], nil
	})
}

// Payouts implements Store.
func (m *Memory) Payouts(ctx context.Context, after Cursor, limit int) ([]ShareRecord, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) ([]ShareRecord, error) {
		var due []ShareRecord
		add := func(p ShareRecord) {
			if !p.Paid && !p.DueAt.After(now) && (after.Packet == 0 || p.cursor().compare(after) > 0) {
				due = append(due, p)
			}
		}
		for _, b := range m.packets {
			for _, share := range b.shares {
				add(share)
			}
			if b.remainder != nil {
				add(*b.remainder)
			}
		}
		slices.SortFunc(due, func(a, b ShareRecord) int { return a.cursor().compare(b.cursor()) })
		return due[:min(limit, len(due))], nil
	})
}

// cursor returns the place of a payout in the list.
func (b ShareRecord) cursor() Cursor { return Cursor{DueAt: b.DueAt, Packet: b.Packet, No: b.No} }

// compare orders places.
func (c Cursor) compare(other Cursor) int {
	return cmp.Or(c.DueAt.Compare(other.DueAt), cmp.Compare(c.Packet, other.Packet), cmp.Compare(c.No, other.No))
}

// Payout implements Store.
func (m *Memory) Payout(ctx context.Context, packet, no int64) (ShareRecord, bool, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return ShareRecord{}, false, err
	}
	defer end()
	p := m.packets[packet].booked(no)
	if p == nil {
		return ShareRecord{}, false, nil
	}
	return *p, true, nil
}

// Paid implements Store.
func (m *Memory) Paid(ctx context.Context, packet, no int64) (stock.Verdict, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		p := m.packets[packet].booked(no)
		if p == nil || p.Paid {
			return stock.Refused, nil
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		p.Paid, p.PaidAt = true, now
		return stock.Done, nil
	})
}

// Failed implements Store.
func (m *Memory) Failed(ctx context.Context, packet, no, failures int64, reason string, retryIn time.Duration) (stock.Verdict, error) {
	return during(ctx, m, func(_ *stock.Memory, now time.Time) (stock.Verdict, error) {
		p := m.packets[packet].booked(no)
		if p == nil || p.Paid || p.Failures != failures {
			return stock.Refused, nil
		}
		if err := m.alongside(ctx); err != nil {
			return stock.Refused, err
		}
		p.Failures++
		p.Reason, p.DueAt = reason, now.Add(retryIn)
		return stock.Done, nil
	})
}
