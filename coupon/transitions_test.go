package coupon_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/stock"
)

func TestTransitionsAreInTheOrderOfTheirSteps(t *testing.T) {
	t.Parallel()
	rows := coupon.Transitions()
	require.Len(t, rows, int(coupon.StepReturn))
	for i, row := range rows {
		require.Equal(t, coupon.Step(i+1), row.Step)
		require.Equal(t, row, row.Step.Transition())
		require.Equal(t, row.Name, row.Step.String())
	}
	rows[0].Name = "spoilt"
	require.Equal(t, "reserve", coupon.StepReserve.String())
	require.Zero(t, coupon.Step(0).Transition())
	require.Zero(t, (coupon.StepReturn + 1).Transition())
}

// TestTheCouponFollowsTheUse pairs the state of the use with the one of the coupon: where no two rows of
// one state disagree, the guard on the use is the guard on the coupon too.
func TestTheCouponFollowsTheUse(t *testing.T) {
	t.Parallel()
	holds := map[coupon.UseState]coupon.State{
		coupon.UseReserved: coupon.Reserved, coupon.UseRedeemed: coupon.Redeemed,
		coupon.UseReleased: coupon.Usable, coupon.UseReturned: coupon.Usable,
	}
	for _, row := range coupon.Transitions() {
		if row.Step == coupon.StepForgo {
			require.Equal(t, coupon.None, row.Coupon, "an order that has nothing leaves the coupon to those that do")
			continue
		}
		require.Equal(t, holds[row.To], row.Coupon, row.Name)
	}
}

// TestOnlyWhatTakesBegins keeps an order from getting at a coupon that it does not have: a use that is new,
// or whose reservation has lapsed, takes the coupon by its own guard or leaves it alone.
func TestOnlyWhatTakesBegins(t *testing.T) {
	t.Parallel()
	for _, row := range coupon.Transitions() {
		mine := !row.New && row.When != stock.Dead
		require.Equal(t, row.Takes, !mine && row.Coupon != coupon.None, row.Name)
		require.Equal(t, row.New, row.When == stock.Dead, "what may be done without a use may be done after a reservation has lapsed: %s",
			row.Name)
		if row.New {
			require.Equal(t, coupon.UseReserved, row.From, row.Name)
		}
	}
}

func TestWhatIsOverStaysOver(t *testing.T) {
	t.Parallel()
	for _, row := range coupon.Transitions() {
		require.NotEqual(t, coupon.UseReleased, row.From, row.Name)
		require.NotEqual(t, coupon.UseReturned, row.From, row.Name)
		require.Equal(t, row.From == coupon.UseRedeemed, row.When == stock.Anytime, "only a reservation has a deadline: %s", row.Name)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "amount off, percent off, gift, kind 4",
		coupon.AmountOff.String()+", "+coupon.PercentOff.String()+", "+coupon.Gift.String()+", "+coupon.Kind(4).String())
	require.Equal(t, "dropped", coupon.Dropped.String())
	require.Equal(t, "state 8", coupon.State(8).String())
	require.Equal(t, "gone", coupon.StatusGone.String())
	require.Equal(t, "status 7", coupon.Status(7).String())
	require.Equal(t, "returned", coupon.UseReturned.String())
	require.Equal(t, "use state 5", coupon.UseState(5).String())
	require.Equal(t, "no such campaign", coupon.ReasonNoSuch.String())
	require.Equal(t, "reason 9", coupon.Reason(9).String())
	require.Equal(t, "campaign 7: Redeemed, RedeemedBy are 3 and 2",
		coupon.Conflict{Campaign: 7, What: "Redeemed, RedeemedBy", One: 3, Other: 2}.String())
}
