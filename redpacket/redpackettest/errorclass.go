package redpackettest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// errorClass is everything that a caller can tell about an error: which sentinels it matches,
// and the data of the typed errors in it.
type errorClass struct {
	Matches []error
	Typed   []any
}

// none reports whether there was no error.
func (c errorClass) none() bool { return len(c.Matches) == 0 }

// String returns the class for a report.
func (c errorClass) String() string {
	if c.none() {
		return "none"
	}
	parts := make([]string, 0, len(c.Matches)+len(c.Typed))
	for _, e := range c.Matches {
		parts = append(parts, e.Error())
	}
	for _, typed := range c.Typed {
		parts = append(parts, fmt.Sprintf("%+v", typed))
	}
	return strings.Join(parts, "; ")
}

// errOther stands for an error that matches none of the package's sentinels; there must be
// none such.
var errOther = errors.New("redpackettest: an error of no known kind")

// refusals returns every error by which a packet or a payout says no.
func refusals() []error {
	return []error{
		redpacket.ErrMismatch, redpacket.ErrUnknownPacket, redpacket.ErrUnpaid, redpacket.ErrNotStarted, redpacket.ErrSender,
		redpacket.ErrCancelled, redpacket.ErrClosed, redpacket.ErrExpired, redpacket.ErrFinished, redpacket.ErrNoShare,
		redpacket.ErrUnknownPayout, redpacket.ErrPaidOut,
	}
}

// sentinels returns every error that the package exports.
func sentinels() []error {
	return append(refusals(),
		redpacket.ErrInvalid, redpacket.ErrOverflow, redpacket.ErrDrift, redpacket.ErrUnknown, redpacket.ErrUnavailable, redpacket.ErrStore)
}

// classOf returns the class of an error. Times in it count from the side's beginning.
func classOf(s *side, err error) errorClass {
	var c errorClass
	if err == nil {
		return c
	}
	for _, sentinel := range sentinels() {
		if errors.Is(err, sentinel) {
			c.Matches = append(c.Matches, sentinel)
		}
	}
	if len(c.Matches) == 0 {
		c.Matches = append(c.Matches, errOther)
	}
	typed(s, &c, new(redpacket.InvalidError), err)
	typed(s, &c, new(redpacket.PacketError), err)
	typed(s, &c, new(redpacket.WindowError), err)
	typed(s, &c, new(redpacket.PayoutError), err)
	typed(s, &c, new(stock.ContentionError), err)
	return c
}

// typed adds the data of one type of error, if it is there.
func typed[T any, E interface {
	*T
	error
}](s *side, c *errorClass, target E, err error) {
	if errors.As(err, &target) {
		c.Typed = append(c.Typed, s.normal(*target))
	}
}
