package redpacket

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Open implements Store.
func (m *Memory) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(units *stock.Memory, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Unpaid || !now.Before(b.End) {
			return stock.Refused, nil
		}
		if err := shelve(ctx, units, b, false); err != nil {
			return stock.Refused, err
		}
		b.State, b.ConfirmedAt = Open, now
		return stock.Done, nil
	})
}

// End implements Store.
func (m *Memory) End(ctx context.Context, id int64, to State) (stock.Verdict, error) {
	return m.change(ctx, id, func(units *stock.Memory, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Open || to == Expired && now.Before(b.End) {
			return stock.Refused, nil
		}
		if err := shelve(ctx, units, b, true); err != nil {
			return stock.Refused, err
		}
		b.State, b.EndedAt = to, now
		b.giveBack(now)
		return stock.Done, nil
	})
}

// Drop implements Store.
func (m *Memory) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(_ *stock.Memory, b *booklet, now time.Time) (stock.Verdict, error) {
		if b.State != Unpaid {
			return stock.Refused, nil
		}
		b.State, b.EndedAt = Closed, now
		return stock.Done, nil
	})
}

// Return implements Store.
func (m *Memory) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.change(ctx, id, func(_ *stock.Memory, b *booklet, now time.Time) (stock.Verdict, error) {
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
func (m *Memory) change(ctx context.Context, id int64, move func(*stock.Memory, *booklet, time.Time) (stock.Verdict, error)) (stock.Verdict, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	b := m.packets[id]
	if b == nil {
		return stock.Refused, nil
	}
	return move(units, b, now)
}

// shelve takes a packet's item off the shelf, or puts it there.
func shelve(ctx context.Context, units *stock.Memory, b *booklet, off bool) error {
	standings, _, err := units.Items(ctx, "", []stock.Key{{SKU: b.ID}})
	if err != nil {
		return err
	}
	verdict, err := units.SetTerms(ctx, standings[0].Item, b.terms(off), 0)
	if err == nil && verdict != stock.Done {
		err = ErrDrift
	}
	return err
}

// giveBack books what is left for the sender.
func (b *booklet) giveBack(now time.Time) {
	b.remainder = &ShareRecord{Packet: b.ID, Person: b.Sender, Places: b.Places, Money: b.Left, CreatedAt: now, DueAt: now}
}
