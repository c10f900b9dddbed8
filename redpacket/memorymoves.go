package redpacket

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Open implements Store.
func (m *Memory) Open(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepConfirm, Unpaid)
}

// End implements Store.
func (m *Memory) End(ctx context.Context, id int64, to State) (stock.Verdict, error) {
	step := StepClose
	if to == Expired {
		step = StepExpire
	}
	return m.move(ctx, id, step, Open)
}

// Drop implements Store.
func (m *Memory) Drop(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepClose, Unpaid)
}

// Return implements Store.
func (m *Memory) Return(ctx context.Context, id int64) (stock.Verdict, error) {
	return m.move(ctx, id, StepReturn, Unpaid, Closed)
}

// move applies the row of a step to a packet that is in one of the states, or is Refused.
func (m *Memory) move(ctx context.Context, id int64, step Step, from ...State) (stock.Verdict, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return stock.Refused, err
	}
	defer end()
	b := m.packets[id]
	if b == nil || !slices.Contains(from, b.State) {
		return stock.Refused, nil
	}
	t := b.State.After(step)
	late := !now.Before(b.End)
	if t.When == stock.Live && late || t.When == stock.Dead && !late || t.Confirms && !b.ConfirmedAt.IsZero() {
		return stock.Refused, nil
	}
	if (t.From == Open) != (t.To == Open) {
		if err := shelve(ctx, units, b, t.To != Open); err != nil {
			return stock.Refused, err
		}
	}
	b.State = t.To
	if t.Confirms {
		b.ConfirmedAt = now
	}
	if t.To != Open && b.EndedAt.IsZero() {
		b.EndedAt = now
	}
	if t.Back {
		b.giveBack(now)
	}
	return stock.Done, nil
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
