package redpacket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/redpacket"
)

func TestTransitionsAreInTheOrderOfTheirSteps(t *testing.T) {
	t.Parallel()
	rows := redpacket.Transitions()
	for i, row := range rows {
		require.Equal(t, row, row.From.After(row.Step), "a step from a state is one row")
		if i > 0 {
			require.LessOrEqual(t, rows[i-1].Step, row.Step)
		}
	}
	rows[0].To = redpacket.Closed
	require.Equal(t, redpacket.Unpaid, redpacket.Transitions()[0].To, "the caller owns the rows")
	require.Zero(t, redpacket.Finished.After(redpacket.StepGrab))
	require.Zero(t, redpacket.Open.After(redpacket.StepPaidOut))
}

// TestTransitionsGiveBackWhatWasPaid follows every way of a packet to its end: money that was paid and not grabbed goes back
// once, and money that was not paid never does.
func TestTransitionsGiveBackWhatWasPaid(t *testing.T) {
	t.Parallel()
	ends := map[redpacket.State]bool{}
	var follow func(at redpacket.State, paid, back bool)
	follow = func(at redpacket.State, paid, back bool) {
		over := true
		for _, row := range redpacket.Transitions() {
			if row.From != at || row.Confirms && paid || row.Step == redpacket.StepGrab && row.Last == at {
				continue
			}
			if row.Last != redpacket.None {
				ends[row.Last] = true // nothing is left
				continue
			}
			over = false
			paid := paid || row.Confirms
			require.False(t, row.Back && (back || !paid), "%v from %v", row.Step, row.From)
			follow(row.To, paid, back || row.Back)
		}
		if over {
			require.Equal(t, paid, back, at)
			ends[at] = true
		}
	}
	follow(redpacket.None, false, false)
	require.Equal(t, map[redpacket.State]bool{redpacket.Finished: true, redpacket.Closed: true, redpacket.Expired: true}, ends)
}
