package stock

import (
	"time"

	"github.com/holdfast-go/holdfast/stock/event"
)

// Event returns the kind of event that tells of an order that has made the step, or 0 where none does.
func (s Step) Event() event.Kind {
	switch s {
	case StepTake, StepPay, StepReacquire:
		return event.OrderPaid
	case StepCancel:
		return event.HoldCancelled
	case StepExpire:
		return event.HoldExpired
	case StepRefund, StepDiscard:
		return event.OrderRefunded
	case StepOffer:
		return event.Offered
	case StepCover:
		return event.Covered
	case StepLock, StepRedeem, StepRestock, StepWithdraw, StepAmend, StepPutBack, StepWait, StepLeave,
		StepArchive:
	}
	return 0
}

// EventsSince returns what a change has to tell of an item that is as here after it, and had so many units available before it.
// Units that are held count as gone.
func (i Item) EventsSince(before int64) (events []event.Event) {
	after := i.Available()
	for _, c := range []struct {
		kind    event.Kind
		crossed bool
	}{
		{event.LowStock, i.Low > 0 && before > i.Low && after <= i.Low},
		{event.SoldOut, before > 0 && after <= 0},
		{event.BackInStock, before <= 0 && after > 0},
	} {
		if c.crossed {
			events = append(events, event.Event{
				Kind: c.kind, Queue: event.ItemQueue(i.SKU, i.Activity), SKU: i.SKU, Activity: i.Activity, Num: after,
			})
		}
	}
	return events
}

// tell writes events, as far as they are told.
func (b *books) tell(now time.Time, events ...event.Event) {
	if b.events == nil {
		return
	}
	for _, e := range events {
		if !b.tells.Has(e.Kind) {
			continue
		}
		if e.Queue == "" {
			e.Queue = event.OrderQueue(e.Order)
		}
		b.events.Add(now, e)
	}
}

// tellStep tells of an order that has made a step.
func (b *books) tellStep(now time.Time, step Step, hold Hold) {
	b.tellOrder(now, event.Event{Kind: step.Event(), Order: hold.Order, Buyer: hold.Buyer}, hold.Asked())
}

// tellRefund tells of a refund of a hold.
func (b *books) tellRefund(now time.Time, refund RefundRecord, hold Hold) {
	b.tellOrder(now, event.Event{Kind: refund.step().Event(), Order: hold.Order, Buyer: hold.Buyer, Ref: refund.ID}, refund.Lines)
}

// tellOrder tells what became of an order, or of some of its units.
func (b *books) tellOrder(now time.Time, e event.Event, lines []Line) {
	for _, l := range lines {
		e.Num += l.Num
	}
	b.tell(now, e)
}
