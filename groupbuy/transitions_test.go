package groupbuy_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// counts is what a seat in a state counts in its team.
func counts(s groupbuy.SeatState) (held, paid int64) {
	switch s {
	case groupbuy.Held:
		return 1, 0
	case groupbuy.Paid:
		return 0, 1
	case groupbuy.NoSeat, groupbuy.Cancelled, groupbuy.Expired, groupbuy.RefundDue, groupbuy.Refunded:
	}
	return 0, 0
}

// Every step changes the counts of a team by what its seat counted before and counts afterwards.
func TestEveryStepCountsItsSeat(t *testing.T) {
	t.Parallel()
	for i, row := range groupbuy.Transitions() {
		require.Equal(t, groupbuy.Step(i+1), row.Step)
		require.Equal(t, row, row.Step.Transition())
		require.Equal(t, row.Name, row.Step.String())
		require.NotEmpty(t, row.From, row.Name)
		for _, from := range row.From {
			heldBefore, paidBefore := counts(from)
			held, paid := counts(row.To)
			require.Equal(t, [2]int64{held - heldBefore, paid - paidBefore}, [2]int64{row.Held, row.Paid}, "%s from %v", row.Name, from)
			require.Equal(t, held+paid > 0, row.To.Live())
		}
	}
	require.Zero(t, groupbuy.Step(0).Transition())
	require.Zero(t, groupbuy.Step(99).Transition())
}

// A step of a hold takes the seat that agrees with it to where it agrees again.
func TestSeatsAgreeWithTheirHolds(t *testing.T) {
	t.Parallel()
	for seat := groupbuy.NoSeat; seat <= groupbuy.Refunded; seat++ {
		for _, hold := range stock.Transitions() {
			step := seat.StepFor(hold.Step)
			if step == 0 || hold.Step == stock.StepReacquire && seat == groupbuy.Held {
				continue
			}
			to := hold.To
			if to == stock.Unheld { // a refund of everything
				to = stock.Refunded
			}
			require.True(t, step.Transition().To.Matches(to, false), "%v, %s", seat, hold.Name)
		}
	}
}

// Where a step brings a seat behind its hold, the two do not agree; and where they do not, a step or a repair of the
// stock has to.
func TestSeatsThatAreBehindDoNotAgree(t *testing.T) {
	t.Parallel()
	for seat := groupbuy.NoSeat; seat <= groupbuy.Refunded; seat++ {
		for hold := stock.Unheld; hold <= stock.Expired; hold++ {
			for _, formed := range []bool{false, true} {
				step := seat.CatchUpStep(hold, formed)
				if step == 0 {
					continue
				}
				require.False(t, seat.Matches(hold, formed), "%v, %v", seat, hold)
				require.Contains(t, step.Transition().From, seat)
			}
		}
	}
	require.Zero(t, groupbuy.Paid.CatchUpStep(stock.Refunded, true), "the refund of an order")
}

func TestStatesAreForReading(t *testing.T) {
	t.Parallel()
	key := stock.Key{SKU: 42, Activity: 7}
	volume := decimal.RequireFromString("4.5")
	require.Equal(t, "SKU 42 of activity 7: offered, 3 people in teams that were formed",
		groupbuy.Product{Key: key, State: groupbuy.Offered, Formed: 3}.String())
	require.Equal(t, `seat "o" of buyer "9" in team ABC: refund due`,
		groupbuy.Seat{Key: key, Order: "o", Buyer: "9", Team: "ABC", State: groupbuy.RefundDue}.String())
	require.Equal(t, "team ABC of SKU 42 of activity 7, by 3 people: forming, held 1, paid 2, volume 4.50",
		groupbuy.Team{Key: key, Code: "ABC", Terms: groupbuy.Terms{People: 3}, Held: 1, Paid: 2, PaidVolume: volume}.String())
	require.Equal(t, "team ABC of SKU 42 of activity 7, by a volume of 4.50: failed, held 0, paid 0, volume 0.00",
		groupbuy.Team{Key: key, Code: "ABC", Terms: groupbuy.Terms{Volume: volume}, State: groupbuy.Failed}.String())
	for text, s := range map[string]interface{ String() string }{
		"settled": groupbuy.Settled, "state 9": groupbuy.ProductState(9), "formed": groupbuy.Formed, "failed": groupbuy.Failed,
		"state 5": groupbuy.TeamState(5),
		"leaving": groupbuy.ByLeaving, "cause 9": groupbuy.Cause(9), "refunded": groupbuy.Refunded, "state 12": groupbuy.SeatState(12),
		"refund owed": event.RefundOwed, "event kind 0": event.Kind(0), "regain": groupbuy.StepRegain,
	} {
		require.Equal(t, text, s.String())
	}
}
