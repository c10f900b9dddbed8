package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
)

// What the wallet may answer instead of "paid".
var (
	errTrouble = errors.New("the wallet is down for maintenance") // for sure nothing was paid
	errSilence = errors.New("the wallet does not answer")         // it may be paid or not
)

// wallet is a pretended payment provider, with the troubles of a real one. Like a real one it pays once
// under one number, however often it is asked.
type wallet struct {
	seed uint64

	mu      sync.Mutex
	entries map[string]*entry
	wrong   []string // numbers that came again for somebody else, or for another amount
}

// entry is what the wallet knows of a number.
type entry struct {
	person   int64
	amount   decimal.Decimal
	trouble  trouble
	credited bool

	asked, failed int // how often
}

// pay credits a payout. It returns how many answers come back: a second one is the same again.
func (w *wallet) pay(p redpacket.Payout) (answers int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.entries[p.Number]
	if e == nil {
		e = &entry{person: p.Person, amount: p.Amount, trouble: newTrouble(w.seed, p.Packet, p.No)}
		w.entries[p.Number] = e
	}
	e.asked++
	switch {
	case e.person != p.Person || !e.amount.Equal(p.Amount):
		w.wrong = append(w.wrong, fmt.Sprintf("payout %s was %v for person %d, and came again as %v for person %d",
			p.Number, yuan{e.amount}, e.person, yuan{p.Amount}, p.Person))
		return 0, errTrouble
	case e.credited:
		return 1, nil
	case e.failed < e.trouble.failures:
		e.failed++
		return 0, errTrouble
	}
	e.credited = true
	switch {
	case e.trouble.mute:
		return 0, errSilence
	case e.trouble.echo:
		return 2, nil
	}
	return 1, nil
}

// account returns a copy of what the wallet knows, by number, and what was asked of it wrongly.
func (w *wallet) account() (entries map[string]entry, wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries = make(map[string]entry, len(w.entries))
	for number, e := range w.entries {
		entries[number] = *e
	}
	return entries, slices.Clone(w.wrong)
}
