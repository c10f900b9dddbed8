package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/redpacket"
)

// grab is one person at one packet.
type grab struct{ packet, person int64 }

// answer is what a tap may come to.
type answer uint8

const (
	won      answer = iota
	again           // the share that this person has already
	tooEarly        // the packet is not paid yet
	own             // nobody grabs what he sent
	gone            // every share is
	ended           // by the sender
	over            // its time
	answers
)

// refusals are the errors that belong to answers.
var refusals = [answers]error{
	tooEarly: redpacket.ErrUnpaid, own: redpacket.ErrSender, gone: redpacket.ErrFinished,
	ended: redpacket.ErrClosed, over: redpacket.ErrExpired,
}

// enter waits for a place at the counter.
func (r *rain) enter(ctx context.Context) bool {
	select {
	case r.counter <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// visit is a person at a packet, who has entered, and comes again while it is not paid yet.
func (r *rain) visit(ctx context.Context, packet int, t tap) {
	who := grab{int64(packet), t.person}
	for pause := t.pause; ; pause *= 2 {
		wait := r.tap(ctx, who, t)
		<-r.counter
		if !wait || pause > patience || !demo.Rest(ctx, pause) || !r.enter(ctx) {
			return
		}
	}
}

// tap is a person who taps, as often as his script says. It reports whether the packet is not paid yet.
func (r *rain) tap(ctx context.Context, who grab, t tap) (early bool) {
	switch {
	case t.twice:
		var otherFinger sync.WaitGroup
		otherFinger.Go(func() { r.grab(ctx, who) })
		early = r.grab(ctx, who)
		otherFinger.Wait()
	case t.loses:
		if early = r.grab(ctx, who); !early { // it took effect, but nobody sees it
			r.count(&r.lost)
			r.grab(ctx, who)
		}
	default:
		early = r.grab(ctx, who)
	}
	return early
}

// grab is one tap on the server. It reports whether the packet is not paid yet.
func (r *rain) grab(ctx context.Context, who grab) (early bool) {
	began, unknown := time.Now(), false
	var share redpacket.Share
	err := demo.Again(ctx, func() (err error) {
		share, err = r.packets.Grab(ctx, who.packet, who.person)
		unknown = unknown || errors.Is(err, redpacket.ErrUnknown)
		return err
	}, func() { r.count(&r.retries) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = append(r.waits, time.Since(began))
	if err == nil {
		r.tell(who, share)
		return false
	}
	for a, refusal := range refusals {
		if refusal != nil && errors.Is(err, refusal) {
			r.tally[a]++
			return answer(a) == tooEarly
		}
	}
	if unknown {
		r.unsettled = append(r.unsettled, who)
	}
	if ctx.Err() == nil {
		r.abort(err)
	}
	return false
}

// tell notes what a person was told, and whether it is what he was told before.
func (r *rain) tell(who grab, share redpacket.Share) {
	before, known := r.shares[who]
	switch {
	case !known:
		r.shares[who] = share
		r.tally[won]++
		return
	case !same(before, share):
		r.doubted = append(r.doubted, fmt.Sprintf("person %d was told share %d of %v, then share %d of %v of packet %d",
			who.person, before.No, yuan{before.Amount}, share.No, yuan{share.Amount}, who.packet))
	}
	r.tally[again]++
}

// same reports whether two answers are about one share.
func same(a, b redpacket.Share) bool {
	return a.Packet == b.Packet && a.No == b.No && a.Person == b.Person && a.Amount.Equal(b.Amount) && a.Payout == b.Payout
}
