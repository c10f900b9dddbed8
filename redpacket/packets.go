package redpacket

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/internal/enum"
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// The defaults and bounds of Packets.
const (
	MaxCount       = 1_000_000        // shares of one packet
	MaxReason      = 1024             // bytes of a reason that are kept
	DefaultLiveFor = 24 * time.Hour   // how long a packet without an End lives
	MaxLiveFor     = stock.MaxHoldFor // the longest it can be asked to
	DefaultRetryIn = time.Minute      // the first pause of a payout that failed
	MaxRetryIn     = 24 * time.Hour   // the longest pause
	DefaultSweep   = time.Second      // how long Run rests between two sweeps
)

// attempts bounds how often a call starts over because the state changed between a refusal and the
// lookup of its reason.
const attempts = 100

// Options are the rules of Packets. The zero value is the default.
type Options struct {
	LiveFor       time.Duration // how long a packet without an End lives, 1 µs to MaxLiveFor; 0 is DefaultLiveFor
	SenderMayGrab bool          // the sender of a packet may grab a share of it; decided by Send
	// the first pause after a failed payout, 1 µs to MaxRetryIn; each further one is twice as long; 0 is DefaultRetryIn
	RetryIn time.Duration
	// draws the seed of a packet's shares; nil is crypto/rand, and a seed that can be guessed lets shares be guessed
	Seed func() [32]byte

	// Hook is called after each effect, in the goroutine of the call. On a store that is bound to a
	// caller's transaction the effect is not committed yet. It must not block.
	Hook func(context.Context, Effect)

	Sweep   time.Duration // how long Run rests between two sweeps; 0 is DefaultSweep
	OnError func(error)   // what Run does with an error of a sweep; nil drops it and goes on
}

// Step names what happened to a packet or a payout.
type Step uint8

// The steps.
const (
	StepSend    Step = iota + 1 // the packet was recorded
	StepConfirm                 // it is paid and can be grabbed
	StepGrab                    // somebody got a share
	StepClose                   // its sender ended it
	StepExpire                  // its window ended
	StepReturn                  // it was paid too late, and all of it goes back
	StepPaidOut                 // a payout arrived
	StepFailed                  // a payout failed, and will be tried again
)

// String returns the name of the step.
func (s Step) String() string {
	return enum.Name("step", s, "", "send", "confirm", "grab", "close", "expire", "return", "paid out", "payout failed")
}

// Effect is one step that took effect. A replay has none.
type Effect struct {
	Step   Step
	Packet int64
	Share  Share  // what was grabbed, with StepGrab alone
	Payout string // its number; with StepPaidOut and StepFailed alone
}

// Packets manages red packets. All rules live here; the Store keeps the books.
//
// It is safe for concurrent use. On and For return a changed copy and leave the receiver alone. The zero
// Packets refuses every call with ErrInvalid; use New.
type Packets struct {
	store  Store
	units  *stock.Inventory
	opts   Options
	person string
	broken error // what is wrong with the arguments of New, On or For; every call returns it
}

// New returns Packets over a store. Nil options are the defaults. Bad options are reported by every
// call as ErrInvalid.
func New(store Store, opts *Options) *Packets {
	p := &Packets{}
	if opts != nil {
		p.opts = *opts
	}
	o := &p.opts
	if o.Seed == nil {
		o.Seed = randomSeed
	}
	p.broken = cmp.Or(
		input.Span("LiveFor", &o.LiveFor, DefaultLiveFor, MaxLiveFor),
		input.Span("RetryIn", &o.RetryIn, DefaultRetryIn, MaxRetryIn),
		input.Interval("Sweep", &o.Sweep, DefaultSweep),
	)
	return p.over(store)
}

// over puts the packets on a store.
func (p *Packets) over(store Store) *Packets {
	p.store = store
	if store == nil {
		p.broken = cmp.Or(p.broken, fault.Invalid("store", "must not be nil"))
	}
	if p.broken == nil {
		p.units = stock.New(store.Units(), nil)
	}
	return p
}

// randomSeed returns a seed that nobody can guess.
func randomSeed() (seed [32]byte) {
	_, _ = rand.Read(seed[:]) // it never fails: without randomness the program ends
	return seed
}

// On returns the same packets on another store, usually on the caller's transaction:
//
//	packets.On(store.WithTx(tx)).Confirm(ctx, id)
func (p *Packets) On(store Store) *Packets { return p.copy().over(store) }

// For returns the same packets for one person, for Grab, Share and Resolve: any 1 to 64 bytes, compared byte for
// byte. The other calls need no person.
//
//	packets.For(person).Grab(ctx, id)
func (p *Packets) For(person string) *Packets {
	bound := p.copy()
	if bound.broken == nil {
		bound.person, bound.broken = person, input.ID("person", person)
	}
	return bound
}

// plain returns the same packets whose calls carry nothing of the shop, for what a sweep does.
func (p *Packets) plain() *Packets {
	if store, ok := p.store.(interface{ Plain() Store }); ok {
		return p.On(store.Plain())
	}
	return p
}

// copy returns a copy to bind. A copy of Packets that New did not make stays unusable.
func (p *Packets) copy() *Packets {
	if err := p.fault(); err != nil {
		return &Packets{broken: err}
	}
	bound := *p
	return &bound
}

// fault returns what is wrong with the packets.
func (p *Packets) fault() error {
	if p == nil {
		p = &Packets{}
	}
	return input.Made("packets", p.store != nil, p.broken)
}

// ready refuses a call before any I/O.
func (p *Packets) ready(ctx context.Context) error { return cmp.Or(p.fault(), input.Context(ctx)) }

// readyPacket is ready for a call that names a packet.
func (p *Packets) readyPacket(ctx context.Context, id int64) error {
	return errors.Join(p.ready(ctx), input.Positive("packet", id))
}

// readyFor is ready for a call that names a packet and needs a person.
func (p *Packets) readyFor(ctx context.Context, id int64) error {
	if err := p.readyPacket(ctx, id); err != nil {
		return err
	}
	return p.readyPerson(ctx)
}

// readyPerson is ready for a call that needs a person.
func (p *Packets) readyPerson(ctx context.Context) error {
	if err := p.ready(ctx); err != nil {
		return err
	}
	return input.Named("person", p.person)
}

// took tells the hook.
func (p *Packets) took(ctx context.Context, e Effect) {
	if p.opts.Hook != nil {
		p.opts.Hook(ctx, e)
	}
}

// contention is the answer when the state kept changing under a call.
func contention(verb string, id any) error {
	return &stock.ContentionError{Verb: verb, ID: fmt.Sprint(id)}
}
