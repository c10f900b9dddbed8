package coupon_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

// TestErrors has one of each typed error: what it matches, whether to retry, and what it says to whoever
// reads the log.
func TestErrors(t *testing.T) {
	t.Parallel()
	shortage := &stock.ShortageError{Key: stock.Key{SKU: 7}, Wanted: 1}
	for _, c := range []struct {
		err     error
		matches []error
		retry   bool
		says    string
	}{
		{
			&coupon.ClaimError{Campaign: 7, Claim: "c-1", Err: coupon.ErrSoldOut, Cause: shortage},
			[]error{coupon.ErrSoldOut, stock.ErrInsufficient, shortage}, false,
			`coupon: none is left (campaign 7, claim "c-1")`,
		},
		{
			&coupon.ClaimError{Claim: "c-1", Err: coupon.ErrHoldExpired, Cause: stock.ErrExpired},
			[]error{coupon.ErrHoldExpired, coupon.ErrDropped, stock.ErrExpired}, false,
			`coupon: given up before it was paid: not paid in time (claim "c-1")`,
		},
		{
			&coupon.ClaimError{Campaign: 7, Err: coupon.ErrPool},
			[]error{coupon.ErrPool}, false,
			"coupon: the campaign gives out codes (campaign 7)",
		},
		{
			&coupon.StateError{Coupon: "c-1", Order: "o-1", Err: coupon.ErrRedeemed},
			[]error{coupon.ErrRedeemed}, false,
			`coupon: redeemed already (coupon "c-1", order "o-1")`,
		},
		{
			&coupon.StateError{Coupon: "c-1", Err: coupon.ErrAnotherBuyer},
			[]error{coupon.ErrAnotherBuyer, coupon.ErrNotFound}, false,
			`coupon: no such coupon (coupon "c-1")`,
		},
		{
			&coupon.ValidityError{Coupon: "c-1", Err: coupon.ErrNotYetValid, From: start, Until: start.Add(time.Hour)},
			[]error{coupon.ErrNotYetValid}, false,
			`coupon: not yet valid (coupon "c-1", valid from 2026-11-11T00:00:00Z)`,
		},
		{
			&coupon.ValidityError{Coupon: "c-1", Err: coupon.ErrExpired, From: start, Until: start.Add(time.Hour)},
			[]error{coupon.ErrExpired}, false,
			`coupon: no longer valid (coupon "c-1", valid until 2026-11-11T01:00:00Z)`,
		},
		{
			&coupon.MinimumError{Places: 2, Minimum: yuan("100"), Total: yuan("99.9")},
			[]error{coupon.ErrBelowMinimum}, false,
			"coupon: the order is below its minimum: minimum 100.00, total 99.90",
		},
		{
			&coupon.PartialError{Coupon: "c-1", Order: "o-1", Places: 2, Paid: yuan("80"), Refunded: yuan("79.99")},
			[]error{coupon.ErrPartial}, false,
			`coupon: the order is not refunded in full (coupon "c-1", order "o-1": refunded 79.99 of 80.00)`,
		},
		{
			&coupon.BatchError{Batch: "b-1", Buyer: "5", Reason: coupon.ReasonPerBuyer},
			[]error{coupon.ErrPerBuyer}, false,
			`coupon: the buyer has had as many as the campaign allows (batch "b-1", buyer "5")`,
		},
		{
			&coupon.InvalidError{Field: "claim", Reason: "must be 1 to 64 bytes, has 0"},
			[]error{coupon.ErrInvalid}, false,
			"holdfast: invalid argument: claim must be 1 to 64 bytes, has 0",
		},
		{fmt.Errorf("%w: gone", coupon.ErrUnknown), []error{coupon.ErrUnknown, stock.ErrUnknown}, true, coupon.ErrUnknown.Error() + ": gone"},
	} {
		for _, wrapped := range []error{c.err, fmt.Errorf("checkout: %w", c.err), errors.Join(stock.ErrLimit, c.err)} {
			for _, target := range c.matches {
				require.ErrorIs(t, wrapped, target)
			}
			require.Equal(t, c.retry, coupon.Retryable(wrapped))
			require.NotErrorIs(t, wrapped, coupon.ErrDrift)
		}
		require.EqualError(t, c.err, c.says)
	}
	require.False(t, coupon.Retryable(nil))
}

// TestAnotherBuyersCouponReadsAsNone keeps the two errors apart for the program and alike for who reads them.
func TestAnotherBuyersCouponReadsAsNone(t *testing.T) {
	t.Parallel()
	require.Equal(t, coupon.ErrNotFound.Error(), coupon.ErrAnotherBuyer.Error())
	require.ErrorIs(t, coupon.ErrAnotherBuyer, coupon.ErrNotFound)
	require.NotErrorIs(t, coupon.ErrNotFound, coupon.ErrAnotherBuyer)
}

// TestReasonsOfABatchAreThoseOfAClaim goes from what refuses a unit to the reason of a batch and on to its
// error.
func TestReasonsOfABatchAreThoseOfAClaim(t *testing.T) {
	t.Parallel()
	key := stock.Key{SKU: 7}
	for reason, c := range map[coupon.Reason]struct{ refusal, err error }{
		coupon.Given:          {nil, nil},
		coupon.ReasonSoldOut:  {&stock.ShortageError{Key: key}, coupon.ErrSoldOut},
		coupon.ReasonPerBuyer: {&stock.LimitError{Key: key, Err: stock.ErrPerBuyer}, coupon.ErrPerBuyer},
		coupon.ReasonClosed:   {&stock.ItemError{Key: key, Err: stock.ErrOffShelf}, coupon.ErrClosed},
		coupon.ReasonNotYet:   {&stock.WindowError{Key: key, Err: stock.ErrNotStarted}, coupon.ErrNotStarted},
		coupon.ReasonEnded:    {&stock.WindowError{Key: key, Err: stock.ErrEnded}, coupon.ErrEnded},
		coupon.ReasonOverflow: {stock.ErrOverflow, coupon.ErrOverflow},
		coupon.ReasonNoSuch:   {&stock.ItemError{Key: key, Err: stock.ErrUnknownSKU}, coupon.ErrUnknownCampaign},
	} {
		require.Equal(t, reason, coupon.ReasonFor(c.refusal))
		require.Equal(t, c.err, reason.Err())
	}
	require.Equal(t, coupon.ErrMismatch, coupon.ReasonTaken.Err())
	require.Equal(t, coupon.ErrStore, coupon.Reason(200).Err())
}
