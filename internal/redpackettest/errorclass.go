package redpackettest

import (
	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// refusals returns every error by which a packet or a payout says no.
func refusals() []error {
	return []error{
		redpacket.ErrMismatch, redpacket.ErrNotFound, redpacket.ErrUnpaid, redpacket.ErrNotStarted, redpacket.ErrSender,
		redpacket.ErrCancelled, redpacket.ErrClosed, redpacket.ErrExpired, redpacket.ErrFinished, redpacket.ErrUnknownShare,
		redpacket.ErrUnknownPayout, redpacket.ErrPaidOut,
	}
}

// sentinels returns every error that the package exports.
func sentinels() []error {
	return append(refusals(),
		redpacket.ErrInvalid, redpacket.ErrOverflow, redpacket.ErrDrift, redpacket.ErrUnknown, redpacket.ErrUnavailable, redpacket.ErrStore)
}

// classOf returns the class of an error.
func classOf(err error) suite.ErrorClass {
	return suite.ClassOf(err, sentinels(),
		suite.Data[redpacket.InvalidError], mismatchData, suite.Data[redpacket.PacketError], suite.Data[redpacket.WindowError],
		suite.Data[redpacket.PayoutError], suite.Data[stock.ContentionError],
	)
}

// mismatchData returns the data of a *redpacket.MismatchError, without times: each store has a clock of its own.
func mismatchData(err error) (any, bool) {
	mismatch, ok := fault.As[*redpacket.MismatchError](err)
	if !ok {
		return nil, false
	}
	data := *mismatch
	if data.Field == "start" || data.Field == "end" {
		data.Recorded, data.Asked = "", ""
	}
	return data, true
}
