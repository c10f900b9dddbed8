package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// scramble has people grab a packet at once, by turns from several processes, and returns what each was told.
func scramble(t testing.TB, id int64, people int, processes ...*redpacket.Packets) []error {
	t.Helper()
	return byTurns(people, processes, func(p *redpacket.Packets, i int) error { return of(p.For(fmt.Sprint(1000+i)).Grab(t.Context(), id)) })
}

// A sender who closes while others grab, and another process that thinks it is time: every grab that was
// told so has its share, and the rest goes back once.
func TestCloseAgainstGrabsFromTwoProcesses(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	other := p.process(nil)
	for id := int64(1); id <= 6; id++ {
		p.fill(id, 10_000, 100)
		var group suite.Group
		for _, packets := range []*redpacket.Packets{p.Packets, other} {
			group.Go(func() {
				if _, err := packets.Close(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		errs := scramble(t, id, 80, p.Packets, other)
		group.Wait()
		won := count(errs, nil)
		require.Equal(t, len(errs), won+count(errs, redpacket.ErrClosed))
		p.balanced(id, int64(won), redpacket.Closed)
	}
}

// Close waits for a grab that has its share but has not committed yet: it is not counted twice.
func TestCloseWaitsForAGrabThatIsUnderWay(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	p.fill(1, 100, 3)
	closed := make(chan error, 1)
	p.db.Wire.After("INSERT INTO red_packet_share", func() {
		go func() { _, err := p.Close(t.Context(), 1); closed <- err }()
		p.waiting()
	})
	require.NoError(t, of(p.For("1000").Grab(t.Context(), 1)))
	require.NoError(t, <-closed)
	p.balanced(1, 1, redpacket.Closed)
}

// Whatever changes a packet and its item locks the item first, as a grab does, so that the two cannot
// deadlock.
func TestItemIsLockedBeforeThePacket(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	p.fill(1, 100, 3)
	require.NoError(t, of(p.Send(t.Context(), packetOf(2, 100, 3))))
	for id, call := range map[int64]func() error{
		1: func() error { return of(p.Close(t.Context(), 1)) },
		2: func() error { return of(p.Confirm(t.Context(), 2)) },
	} {
		release := p.blockPacket(id)
		done := going(func() error { return call() })
		p.waiting()
		ctx := soon(t)
		for p.unitsAreFree(ctx, id) { // until it has locked the item, and waits for the packet
			continue
		}
		require.NoError(t, ctx.Err(), "nobody locks the item")
		release()
		require.NoError(t, <-done)
	}
	p.balanced(1, 0, redpacket.Closed)
	p.balanced(2, 0, redpacket.Open)
}

// Connections that are killed in the middle of grabs: every caller makes the same call again until it
// has an answer, and no share and no cent is lost or given twice.
func TestKilledConnectionsLoseNothing(t *testing.T) {
	t.Parallel()
	const people, shares = 40, 30
	p := openPurse(t)
	p.fill(1, 12_345, shares)
	kill, kills := killing(t, p.db)
	for range 2 {
		for _, match := range []string{"INSERT INTO red_packet_share", "UPDATE red_packet FORCE INDEX (PRIMARY) SET", "UPDATE red_packet_stock s",
			"FORCE INDEX (red_packet_share_person)"} {
			p.db.Wire.After(match, kill)
		}
	}
	got := make([]decimal.Decimal, people)
	var group suite.Group
	for i := range people {
		group.Go(func() {
			err := settle(t, func() error {
				share, err := p.For(fmt.Sprint(1000+i)).Grab(t.Context(), 1)
				got[i] = share.Amount
				return err
			})
			if err != nil {
				require.ErrorIs(t, err, redpacket.ErrFinished)
			}
		})
	}
	group.Wait()
	require.Positive(t, kills.Load())
	require.Equal(t, "123.45", decimal.Sum(decimal.Zero, got...).StringFixed(2))
	p.balanced(1, shares, redpacket.Finished)
}

// What a process remembers of a packet that could not be grabbed ends with the Confirm, also with one that
// another process makes, or a caller's transaction.
func TestConfirmEndsWhatIsRemembered(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	other := p.process(nil)
	for id := int64(1); id <= 3; id++ {
		require.NoError(t, of(p.Send(t.Context(), packetOf(id, 1000, 60))))
		require.Equal(t, 50, count(scramble(t, id, 50, p.Packets), redpacket.ErrUnpaid))
		switch id {
		case 1:
			require.NoError(t, of(p.Confirm(t.Context(), id)))
		case 2:
			require.NoError(t, of(other.Confirm(t.Context(), id)))
		case 3:
			tx := must(p.db.BeginTx(t.Context(), nil))(t)
			require.NoError(t, of(p.On(p.store.WithTx(tx)).Confirm(t.Context(), id)))
			require.NoError(t, tx.Commit())
		}
		require.Equal(t, 50, count(scramble(t, id, 50, p.Packets), nil))
		p.balanced(id, 50, redpacket.Open)
	}
}
