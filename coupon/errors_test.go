package coupon_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// TestErrors has one of each typed error: what it matches, whether to retry, and what it says to whoever
// reads the log.
func TestErrors(t *testing.T) {
	t.Parallel()
	shortage := &stock.ShortageError{Key: stock.Key{SKU: 7}, Wanted: 1}
	(&suite.Checks{TB: t, Retryable: coupon.Retryable}).TypedErrors([]suite.TypedError{
		{
			Err:     &coupon.ClaimError{Campaign: 7, Claim: "c-1", Err: coupon.ErrSoldOut, Cause: shortage},
			Matches: []error{coupon.ErrSoldOut, stock.ErrInsufficient, shortage},
			Says:    `coupon: none is left (campaign 7, claim "c-1")`,
		},
		{
			Err:     &coupon.ClaimError{Claim: "c-1", Err: coupon.ErrHoldExpired, Cause: stock.ErrExpired},
			Matches: []error{coupon.ErrHoldExpired, coupon.ErrDropped, stock.ErrExpired},
			Says:    `coupon: given up before it was paid: not paid in time (claim "c-1")`,
		},
		{
			Err:     &coupon.ClaimError{Campaign: 7, Err: coupon.ErrPool},
			Matches: []error{coupon.ErrPool},
			Says:    "coupon: the campaign gives out codes (campaign 7)",
		},
		{
			Err:     &coupon.StateError{Coupon: "c-1", Order: "o-1", Err: coupon.ErrRedeemed},
			Matches: []error{coupon.ErrRedeemed},
			Says:    `coupon: redeemed already (coupon "c-1", order "o-1")`,
		},
		{
			Err:     &coupon.StateError{Coupon: "c-1", Err: coupon.ErrAnotherBuyer},
			Matches: []error{coupon.ErrAnotherBuyer, coupon.ErrNotFound},
			Says:    `coupon: no such coupon (coupon "c-1")`,
		},
		{
			Err:     &coupon.ValidityError{Coupon: "c-1", Err: coupon.ErrNotYetValid, From: start, Until: start.Add(time.Hour)},
			Matches: []error{coupon.ErrNotYetValid},
			Says:    `coupon: not yet valid (coupon "c-1", valid from 2026-11-11T00:00:00Z)`,
		},
		{
			Err:     &coupon.ValidityError{Coupon: "c-1", Err: coupon.ErrExpired, From: start, Until: start.Add(time.Hour)},
			Matches: []error{coupon.ErrExpired},
			Says:    `coupon: no longer valid (coupon "c-1", valid until 2026-11-11T01:00:00Z)`,
		},
		{
			Err:     &coupon.MinimumError{Places: 2, Minimum: yuan("100"), Total: yuan("99.9")},
			Matches: []error{coupon.ErrBelowMinimum},
			Says:    "coupon: the order is below its minimum: minimum 100.00, total 99.90",
		},
		{
			Err:     &coupon.PartialError{Coupon: "c-1", Order: "o-1", Places: 2, Paid: yuan("80"), Refunded: yuan("79.99")},
			Matches: []error{coupon.ErrPartial},
			Says:    `coupon: the order is not refunded in full (coupon "c-1", order "o-1": refunded 79.99 of 80.00)`,
		},
		{
			Err:     &coupon.BatchError{Batch: "b-1", Buyer: "5", Reason: coupon.ReasonPerBuyer},
			Matches: []error{coupon.ErrPerBuyer},
			Says:    `coupon: the buyer has had as many as the campaign allows (batch "b-1", buyer "5")`,
		},
		{
			Err:     &coupon.InvalidError{Field: "claim", Reason: "must be 1 to 64 bytes, has 0"},
			Matches: []error{coupon.ErrInvalid},
			Says:    "holdfast: invalid argument: claim must be 1 to 64 bytes, has 0",
		},
		{
			Err:     fmt.Errorf("%w: gone", coupon.ErrUnknown),
			Matches: []error{coupon.ErrUnknown, stock.ErrUnknown},
			Says:    coupon.ErrUnknown.Error() + ": gone",
		},
	})
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
