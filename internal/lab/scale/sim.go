// Package scale computes how many orders a shop can take, from what an order costs. Simulate plays what callers, processes
// and one database server do to each other; Steps goes on, on paper, from there to many servers.
package scale

import "math"

// Costs are what one order, order row and Lock of one unit in one transaction, costs here. Times are in seconds; those of a
// processor do not count what it waits.
type Costs struct {
	ClientOrder, ClientBatch float64 // of the process that has the library in it: for each order, and for each transaction
	ServerOrder, ServerBatch float64 // of the database server
	Commit                   float64 // until a transaction is on disk, which nobody computes meanwhile
}

// Setup is what the load consists of.
type Setup struct {
	Costs

	Cores     float64 // that client and server share; with Apart those of the server, beside clients that have enough
	Apart     bool
	Processes int
	Callers   int // of all processes: each orders the same SKU, again as soon as it has its answer
	Batch     int // the most orders of a transaction
	InFlight  int // transactions that a process has on one SKU at a time
}

// Rate is what a simulation comes to.
type Rate struct {
	Orders float64 // a second
	Batch  float64 // orders of a transaction, on average
	Busy   float64 // of the cores, from 0 to 1
}

// stage is where a transaction is. The row of the SKU is locked from the UPDATE until the commit is on disk, so these
// two stages are those of one transaction at a time, whichever process it is of.
type stage int

const (
	client   stage = iota // the process makes statements of the orders that wait
	inserts               // the server writes holds and order rows, of several transactions at a time
	updates               // the server changes the item, with its row locked
	commits               // the row is still locked
	answers               // the process gives its callers their answers, who come back with their next orders
	finished              //
)

// portions is in how many parts the callers of a transaction come back: those who have their answer first do not wait for the
// others, so a transaction has fewer orders than there are callers.
const portions = 4

// updateShare is the part of the server's work for a transaction that it does with the row of the item locked: one of five
// statements, but none that grows with the orders.
const updateShare = 0.2

// batch is a transaction on its way.
type batch struct {
	orders  int
	back    int // of their callers, those who have come back
	process int
	at      stage
	left    float64 // seconds of a core, or until it is on disk
	waits   bool    // for the row
}

// world is the state of a simulation.
type world struct {
	Setup

	waiting []int // callers of each process that have no transaction yet
	flights []int // transactions of each process
	batches []*batch
	row     *batch   // who has the row locked
	queue   []*batch // for the row, in the order of their arrival
	busy    float64
}

// Simulate plays the load for so many seconds, the first tenth of which does not count.
func Simulate(s Setup, seconds float64) Rate {
	w := &world{Setup: s, waiting: make([]int, s.Processes), flights: make([]int, s.Processes)}
	for i := range s.Callers {
		w.waiting[i%s.Processes]++
	}
	var orders, transactions float64
	for now := 0.0; now < seconds; {
		w.depart()
		step, speed := w.next()
		now += step
		count := now > seconds/10
		for _, b := range w.move(step, speed) {
			if count {
				orders += float64(b.orders)
				transactions++
			}
		}
		if !count {
			w.busy = 0
		}
	}
	measured := 0.9 * seconds
	return Rate{Orders: orders / measured, Batch: orders / math.Max(transactions, 1), Busy: w.busy / measured / s.Cores}
}

// depart begins a transaction of all who wait, where a process has none or may have another.
func (w *world) depart() {
	for p := range w.Processes {
		for w.waiting[p] > 0 && w.flights[p] < w.InFlight {
			n := min(w.waiting[p], w.Batch)
			w.waiting[p] -= n
			w.flights[p]++
			w.batches = append(w.batches, &batch{orders: n, process: p, left: w.ClientBatch})
		}
	}
}

// computes reports whether a batch wants one of the cores that are counted.
func (w *world) computes(b *batch) bool {
	return !b.waits && b.at != commits && (b.at != client && b.at != answers || !w.Apart)
}

// next returns how long nothing but time passes, and how fast each of those who compute goes meanwhile: they share the cores.
func (w *world) next() (step, speed float64) {
	computing := 0.0
	for _, b := range w.batches {
		if w.computes(b) {
			computing++
		}
	}
	speed = math.Min(1, w.Cores/math.Max(computing, 1))
	step = math.Inf(1)
	for _, b := range w.batches {
		switch {
		case b.waits:
		case w.computes(b):
			step = math.Min(step, b.left/speed)
		default:
			step = math.Min(step, b.left)
		}
	}
	return step, speed
}

// move lets time pass, and returns the transactions that ended then.
func (w *world) move(step, speed float64) (ended []*batch) {
	var still []*batch
	for _, b := range w.batches {
		switch {
		case b.waits:
		case w.computes(b):
			b.left -= step * speed
			w.busy += step * speed
		default:
			b.left -= step
		}
		const nothing = 1e-12
		if !b.waits && b.left <= nothing {
			w.enter(b, b.at+1)
		}
		if b.at == finished {
			ended = append(ended, b)
			continue
		}
		still = append(still, b)
	}
	w.batches = still
	return ended
}

// enter begins the next stage of a transaction.
func (w *world) enter(b *batch, next stage) {
	b.at = next
	switch next {
	case client: // where a batch begins
	case inserts:
		b.left = (1-updateShare)*w.ServerBatch + float64(b.orders)*w.ServerOrder
	case updates:
		b.left = updateShare * w.ServerBatch
		if w.row == nil {
			w.row = b
			return
		}
		b.waits = true
		w.queue = append(w.queue, b)
	case commits:
		b.left = w.Commit
	case answers:
		w.flights[b.process]--
		w.row = nil
		if len(w.queue) > 0 {
			w.row, w.queue = w.queue[0], w.queue[1:]
			w.row.waits = false
		}
		b.left = w.portion(b) * w.ClientOrder
	case finished:
		n := int(w.portion(b))
		b.back += n
		w.waiting[b.process] += n
		if b.back < b.orders {
			b.at, b.left = answers, w.portion(b)*w.ClientOrder
		}
	}
}

// portion is how many callers of a transaction come back next.
func (w *world) portion(b *batch) float64 {
	return float64(min((b.orders+portions-1)/portions, b.orders-b.back))
}

// Measurement is the rate of a run, and the processor time of an order.
type Measurement struct {
	Rate           float64 // orders/s
	Client, Server float64 // seconds of a core
}

// Fit derives the costs from two runs of one process, with one caller and with many: what an order costs alone is what it
// costs in company, and a transaction. batch is how many orders a transaction of many had.
func Fit(alone, many Measurement, batch float64) Costs {
	split := func(alone, many float64) (order, transaction float64) {
		transaction = math.Max(0, (alone-many)/(1-1/batch))
		return math.Max(0, many-transaction/batch), transaction
	}
	var c Costs
	c.ClientOrder, c.ClientBatch = split(alone.Client, many.Client)
	c.ServerOrder, c.ServerBatch = split(alone.Server, many.Server)
	c.Commit = math.Max(0, 1/alone.Rate-alone.Client-alone.Server)
	return c
}

// Calibrate is Fit with the size of the transactions that a simulation of the costs comes to.
func Calibrate(alone, many Measurement, s Setup) Costs {
	const often = 8
	size := float64(min(s.Callers, s.Batch)) / 2
	for range often {
		s.Costs = Fit(alone, many, size)
		size = math.Max(2, Simulate(s, 1).Batch)
	}
	return s.Costs
}
