package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
)

// kind is what is special about a packet.
type kind uint8

const (
	lucky   kind = iota // random shares (拼手气红包)
	equal               // equal shares (普通红包)
	bounded             // random shares within bounds
	closed              // its sender ends it in the middle of the rush
	expires             // few people notice it, and its time ends with shares left
	late                // its sender's payment comes when its time is over
	kinds
)

// String returns the kind as the table has it.
func (k kind) String() string {
	return [...]string{"lucky", "equal", "bounded", "closed early", "hardly seen", "paid late"}[k]
}

// The times of the rain.
const (
	every    = 150 * time.Millisecond // from one packet to the next
	payment  = 30 * time.Millisecond  // from the packet to its sender's payment
	rush     = 300 * time.Millisecond // in which everybody taps on a packet
	life     = time.Second            // of a packet that is too long about it
	margin   = 50 * time.Millisecond  // after the end of a life, for certain
	patience = time.Second            // with a packet that is not paid yet
)

// places is the currency's: yuan and fen.
const places = 2

// charted is the packet whose shares are shown one by one, and how many it has at most.
const (
	charted       = 1
	chartedShares = 20
)

// drop is one packet of the rain.
type drop struct {
	redpacket.Packet

	kind kind
	at   time.Duration // since the rain began
	live time.Duration // how long it can be grabbed
	seed [32]byte      // what its shares follow from
	taps []tap         // by their time
}

// newDrop writes the script of a packet. It depends on the seed, the number of the packet and how many
// people there are. Senders are people beyond those who grab.
func newDrop(seed uint64, number, people int) drop {
	d := drop{seed: draw(seed, int64(number)), kind: kind(number - 1), at: time.Duration(number-1) * every, live: redpacket.DefaultLiveFor}
	random := rand.New(rand.NewChaCha8(draw(seed, int64(number), -1)))
	if d.kind >= kinds { // there was one of each; what follows is ordinary
		d.kind = kind(random.IntN(int(closed)))
	}
	count, mean := max(1, people/4), 100+random.IntN(200)
	least, most := 0, 0
	switch d.kind {
	case lucky:
		if number == charted {
			count = min(count, chartedShares)
		}
	case bounded:
		least, most = mean/2, 2*mean
	case closed:
		count = people + 1
	case expires:
		count, d.live = people+1, life
	case late:
		d.live = life
	default: // equal, kinds
	}
	d.Packet = redpacket.Packet{
		ID: int64(number), Sender: int64(people + number), Places: places,
		Total: decimal.New(int64(count*mean+random.IntN(count)), -places), Count: int64(count), Equal: d.kind == equal,
		Min: decimal.New(int64(least), -places), Max: decimal.New(int64(most), -places),
	}
	d.taps = append(d.taps, tap{person: d.Sender, at: rush / 2, pause: payment})
	for person := range people {
		if d.kind != expires || random.IntN(4) == 0 {
			d.taps = append(d.taps, newTap(random, int64(person+1)))
		}
	}
	slices.SortStableFunc(d.taps, func(a, b tap) int { return cmp.Compare(a.at, b.at) })
	return d
}

// tap is one person who grabs.
type tap struct {
	person int64
	at     time.Duration // since the packet fell
	twice  bool          // with two fingers at once
	loses  bool          // the answer, and taps again
	pause  time.Duration // before the next look at a packet that is not paid yet; then twice as long
}

// newTap writes the script of a person.
func newTap(random *rand.Rand, person int64) tap {
	t := tap{person: person, at: time.Duration(random.Int64N(int64(rush))), pause: payment + time.Duration(random.Int64N(int64(payment)))}
	switch roll := random.IntN(100); {
	case roll < 15:
		t.twice = true
	case roll < 30:
		t.loses = true
	}
	return t
}

// trouble is what a payout meets at the wallet.
type trouble struct {
	failures int  // so often nothing is paid
	mute     bool // then it is paid, but no answer comes
	echo     bool // or the answer comes twice
}

// newTrouble writes the script of a payout.
func newTrouble(seed uint64, packet, no int64) trouble {
	const mostFailures = 3
	random := rand.New(rand.NewChaCha8(draw(seed, packet, no)))
	var t trouble
	for t.failures < mostFailures && random.IntN(100) < 20 {
		t.failures++
	}
	switch roll := random.IntN(100); {
	case roll < 10:
		t.mute = true
	case roll < 25:
		t.echo = true
	}
	return t
}

// draw returns a seed of its own for what has these numbers.
func draw(seed uint64, numbers ...int64) [32]byte {
	name := binary.BigEndian.AppendUint64(nil, seed)
	for _, n := range numbers {
		name = binary.BigEndian.AppendUint64(name, uint64(n))
	}
	return sha256.Sum256(name)
}
