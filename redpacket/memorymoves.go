package redpacket

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Open implements Store.
func (m *Memory) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(ctx context.Context, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Unpaid || !now.Before(b.End) {
			return stock.Refused, nil
		}
		if err := m.shelve(ctx, b, false); err != nil {
			return stock.Refused, err
		}
		b.State, b.ConfirmedAt = Open, now
		return stock.Done, nil
	})
}

// End implements Store.
func (m *Memory) End(ctx context.Context, id int64, to State) (stock.Verdict, error) {
	return m.change(ctx, id, func(ctx context.Context, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Open || to == Expired && now.Before(b.End) {
			return stock.Refused, nil
		}
		if err := m.shelve(ctx, b, true); err != nil {
			return stock.Refused, err
		}
		b.State, b.EndedAt = to, now
		b.giveBack(now)
		return stock.Done, nil
	})
}

// Drop implements Store.
func (m *Memory) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(_ context.Context, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Unpaid {
			return stock.Refused, nil
		}
		b.State, b.EndedAt = Closed, now
		return stock.Done, nil
	})
}

// Return implements Store.
func (m *Memory) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(_ context.Context, b *booklet, now time.Time) (stock.Verdict, error) {
		switch {
		case b.State == Unpaid && !now.Before(b.End):
			b.State, b.EndedAt = Expired, now
		case b.State == Closed && b.ConfirmedAt.IsZero():
		default:
			return stock.Refused, nil
		}
		b.ConfirmedAt = now
		b.giveBack(now)
		return stock.Done, nil
	})
}

// change moves a packet, or is Refused where there is none.
func (m *Memory) change(ctx context.Context, id int64, move func(context.Context, *booklet, time.Time) (stock.Verdict, error)) (stock.Verdict, error) {
	ctx, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	b := m.packets[id]
	if b == nil {
		return stock.Refused, nil
	}
	return move(ctx, b, now)
}

// shelve takes a packet's item off the shelf, or puts it there.
func (m *Memory) shelve(ctx context.Context, b *booklet, off bool) error {
	standings, _, err := m.units.Items(ctx, "", []stock.Key{{SKU: b.ID}})
	if err != nil {
		return err
	}
	verdict, err := m.units.Change(ctx, standings[0].Item, b.terms(off), 0)
	if err == nil && verdict != stock.Done {
		err = ErrDrift
	}
	return err
}

// giveBack books what is left for the sender.
func (b *booklet) giveBack(now time.Time) {
	b.remainder = &Booked{Packet: b.ID, Person: b.Sender, Places: b.Places, Money: b.Left, CreatedAt: now, DueAt: now}
}
