package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/examples/internal/demo"
)

// visitors is how many buyers are served at once.
const visitors = 256

// spring is the campaign of the rush.
const spring = 1

// springTerms are what its coupons promise: 20.00 off an order of 100.00 or more, for a week.
var springTerms = coupon.Terms{
	Title: "20.00 off 100.00", Kind: coupon.AmountOff, Places: places, Pool: true,
	Amount: decimal.New(20, 0), Minimum: decimal.New(100, 0), ForDays: 7, Zone: zone,
}

// openCampaign makes the campaign and its codes. Both calls are safe at every start of a shop.
func openCampaign(ctx context.Context, coupons *coupon.Coupons, codes int64) error {
	if _, err := coupons.Define(ctx, spring, 0, coupon.Rules{PerBuyer: 1}, springTerms); err != nil {
		return err
	}
	_, err := coupons.Generate(ctx, spring, codes, nil)
	return err
}

// rush is one rush for codes. It keeps what buyers were told, apart from the books of the store.
type rush struct {
	*config
	coupons  *coupon.Coupons
	progress *demo.Progress
	abort    context.CancelCauseFunc

	opened time.Time
	took   time.Duration
	first  coupon.Coupon // the first that anybody was told of

	mu        sync.Mutex
	owners    map[string]coupon.Coupon // what was told of each code
	served    int
	soldOut   int // buyers who went home without
	overLimit int // buyers who got more than one
	seconds   int // tries for a second coupon that were refused
	replays   int // claims made again that gave the same coupon
	retries   int // calls made again because the store asked for it
	calls     int // claims
	waits     []time.Duration
	wrong     []string // codes that are not what their owner was told
	unsettled []claim  // whose last call was cut off
}

// claim is a claim of one buyer.
type claim struct {
	number string
	buyer  int64
}

// newRush returns a rush for the codes of the spring campaign.
func newRush(c *config, coupons *coupon.Coupons, progress *demo.Progress) *rush {
	return &rush{config: c, coupons: coupons, progress: progress, owners: map[string]coupon.Coupon{}}
}

// hold makes the codes, lets the buyers come, and looks up what they got.
func (r *rush) hold(ctx context.Context) error {
	r.progress.Show("making " + demo.Count(r.codes) + " codes")
	if err := openCampaign(ctx, r.coupons, r.codes); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	return r.check(ctx)
}

// open opens the doors and returns when the last buyer has left, or with the error that ended it early.
func (r *rush) open(ctx context.Context) error {
	ctx, r.abort = context.WithCancelCause(ctx)
	defer r.abort(nil)
	r.opened = time.Now()
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { r.progress.Watch(watching, r.line) })
	err := inParallel(ctx, slices.Values(queue(r.Seed, r.buyers)), func(number int64) {
		r.serve(ctx, newBuyer(r.Seed, number))
	})
	r.took = time.Since(r.opened)
	stop()
	watch.Wait()
	return err
}

// inParallel does something with each value, visitors at once, and returns the cause of ctx where it
// ends before that.
func inParallel[V any](ctx context.Context, values iter.Seq[V], do func(V)) error {
	next := make(chan V)
	var working sync.WaitGroup
	for range visitors {
		working.Go(func() {
			for v := range next {
				do(v)
			}
		})
	}
	for v := range values {
		if ctx.Err() != nil {
			break
		}
		next <- v
	}
	close(next)
	working.Wait()
	return context.Cause(ctx)
}

// answer is what a buyer is told about a claim.
type answer struct {
	coupon coupon.Coupon
	err    error
}

// serve is a buyer at the counter.
func (r *rush) serve(ctx context.Context, b buyer) {
	numbers, atOnce := b.claims()
	answers := make([]answer, len(numbers))
	var taps sync.WaitGroup
	for i, number := range numbers {
		tap := func() { answers[i] = r.claim(ctx, claim{number, b.number}) }
		if atOnce {
			taps.Go(tap)
		} else {
			tap()
		}
	}
	taps.Wait()
	r.note(ctx, b, answers)
}

// claim makes a claim, and makes it again while the store asks for it.
func (r *rush) claim(ctx context.Context, c claim) (told answer) {
	began, unknown := time.Now(), false
	told.err = demo.Again(ctx, func() error {
		var err error
		told.coupon, err = r.coupons.For(c.buyer).Claim(ctx, c.number, spring)
		unknown = unknown || errors.Is(err, coupon.ErrUnknown)
		return err
	}, func() { r.count(&r.retries) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.waits = append(r.waits, time.Since(began))
	if unknown && coupon.Retryable(told.err) {
		r.unsettled = append(r.unsettled, c)
	}
	return told
}

// note keeps what a buyer was told.
func (r *rush) note(ctx context.Context, b buyer, answers []answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, refused, failed := map[string]int{}, 0, false
	for _, a := range answers {
		switch {
		case a.err == nil:
			got[a.coupon.ID]++
			r.own(b.number, a.coupon)
		case errors.Is(a.err, coupon.ErrSoldOut), errors.Is(a.err, coupon.ErrPerBuyer):
			refused++
		default:
			failed = true
			if ctx.Err() == nil {
				r.abort(a.err)
			}
		}
	}
	if failed {
		return
	}
	r.served++
	switch {
	case len(got) == 0:
		r.soldOut++
		return
	case len(got) > 1:
		r.overLimit++
	}
	r.seconds += refused
	for _, times := range got {
		r.replays += times - 1
	}
}

// own notes whose code it is, as a buyer was told.
func (r *rush) own(buyer int64, c coupon.Coupon) {
	if len(r.owners) == 0 {
		r.first = c
	}
	was, known := r.owners[c.Code]
	if c.Code == "" || c.Buyer != buyer || known && was.ID != c.ID {
		r.wrong = append(r.wrong, fmt.Sprintf("buyer %d was told that code %q of coupon %s is his", buyer, c.Code, c.ID))
		return
	}
	r.owners[c.Code] = c
}

// settle finds out what became of the claims that were cut off. Afterwards none of them can still
// take effect.
func (r *rush) settle(ctx context.Context) error {
	for _, c := range r.unsettled {
		settled, err := r.coupons.For(c.buyer).Resolve(ctx, c.number)
		if err != nil {
			return fmt.Errorf("claim %s cannot be settled: %w", c.number, err)
		}
		if settled.State == coupon.Usable {
			r.own(c.buyer, settled)
		}
	}
	return nil
}

// check looks each code up, as a cash desk does: it must be the coupon that its owner was told of.
func (r *rush) check(ctx context.Context) error {
	ctx, r.abort = context.WithCancelCause(ctx)
	defer r.abort(nil)
	r.progress.Show("looking every code up")
	return inParallel(ctx, maps.Values(r.owners), func(told coupon.Coupon) {
		var found coupon.Coupon
		err := demo.Again(ctx, func() (err error) {
			found, err = r.coupons.ByCode(ctx, told.Code)
			return err
		}, func() { r.count(&r.retries) })
		switch {
		case err == nil && found.ID == told.ID && found.Buyer == told.Buyer:
		case err == nil, errors.Is(err, coupon.ErrUnknownCoupon):
			r.mu.Lock()
			defer r.mu.Unlock()
			r.wrong = append(r.wrong, fmt.Sprintf("code %s of coupon %s is found to be that of %q", told.Code, told.ID, found.ID))
		case ctx.Err() == nil:
			r.abort(err)
		}
	})
}

// count adds one.
func (r *rush) count(n *int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// line is the rush in a line of progress.
func (r *rush) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%4.1fs  %s of %s served  %s of %s codes  sold out %s  second tries %s",
		time.Since(r.opened).Seconds(), demo.Count(r.served), demo.Count(r.buyers),
		demo.Count(len(r.owners)), demo.Count(r.codes), demo.Count(r.soldOut), demo.Count(r.seconds))
}
