package main

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// act is something that happens in the sale; it returns what comes of it.
type act func(ctx context.Context) []event

// lane is where an event waits for its turn. A shop has servers for its visitors and others for
// the callbacks of payment providers, so that a queue of the former does not delay the latter.
type lane int

const (
	visits lane = iota
	callbacks
	lanes
)

// workers is how many acts of each lane happen at once.
var workers = [lanes]int{visits: 256, callbacks: 64}

// event is an act at a time.
type event struct {
	lane lane
	at   time.Time
	act  act
}

// after returns what comes next.
func after(wait time.Duration, lane lane, act act) []event {
	return []event{{lane, time.Now().Add(wait), act}}
}

// events is a heap, the earliest first.
type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// agenda is what is still going to happen, and the workers that let it. Buyers who wait are
// entries of a list, so that a million of them are still few goroutines.
type agenda struct {
	waiting [lanes]events
	start   [lanes]chan event
	finish  chan []event
	busy    int // workers that have started and not finished
}

// play lets the events happen, and what comes of them, each at its time or as soon as a worker
// of its lane is free. It returns when nothing more is to come, or with the error of ctx.
func play(ctx context.Context, first []event) error {
	a := agenda{finish: make(chan []event)}
	defer a.work(ctx)()
	a.enter(first)
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for a.busy+len(a.waiting[visits])+len(a.waiting[callbacks]) > 0 {
		if ctx.Err() != nil {
			for ; a.busy > 0; a.busy-- {
				<-a.finish // those who are at it finish; nobody else begins
			}
			return ctx.Err()
		}
		next, due, rest := a.next()
		alarm.Reset(rest)
		select {
		case due[visits] <- next[visits]:
			a.started(visits)
		case due[callbacks] <- next[callbacks]:
			a.started(callbacks)
		case come := <-a.finish:
			a.busy--
			a.enter(come)
		case <-alarm.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// work starts the workers. The function that it returns sends them home.
func (a *agenda) work(ctx context.Context) (stop func()) {
	var running sync.WaitGroup
	for lane, n := range workers {
		a.start[lane] = make(chan event)
		for range n {
			running.Go(func() {
				for e := range a.start[lane] {
					a.finish <- e.act(ctx)
				}
			})
		}
	}
	return func() {
		for _, start := range a.start {
			close(start)
		}
		running.Wait()
	}
}

// enter adds events.
func (a *agenda) enter(come []event) {
	for _, e := range come {
		heap.Push(&a.waiting[e.lane], e)
	}
}

// started removes the first event of a lane.
func (a *agenda) started(lane lane) {
	heap.Pop(&a.waiting[lane])
	a.busy++
}

// next returns the first event of each lane with the channel to send it to, which is nil, and
// blocks, where nothing is due; and how long until something will be.
func (a *agenda) next() (next [lanes]event, due [lanes]chan event, rest time.Duration) {
	rest = time.Hour
	for lane, waiting := range a.waiting {
		if len(waiting) == 0 {
			continue
		}
		next[lane] = waiting[0]
		if wait := time.Until(next[lane].at); wait > 0 {
			rest = min(rest, wait)
		} else {
			due[lane] = a.start[lane]
		}
	}
	return next, due, rest
}
