package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/redpacket"
)

// The statement budget of red packets: round trips in the ordinary case, transaction brackets not
// counted. What a verb returns is a read of its own behind its change.
func TestRedPacketStatementBudget(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	ctx := t.Context()
	grab := func(id int64, person string) error { _, err := p.For(person).Grab(ctx, id); return err }
	send := func(id, count int64) error { _, err := p.Send(ctx, packetOf(id, 1000, count)); return err }
	refused := func(err, want error) error {
		if errors.Is(err, want) {
			return nil
		}
		return fmt.Errorf("not refused: %w", err)
	}
	for _, c := range []struct {
		name   string
		budget int
		call   func() error
	}{
		{"Send", 5, func() error { return send(1, 2) }},
		{"Send again", 4, func() error { return send(1, 2) }},
		{"Confirm", 2, func() error { _, err := p.Confirm(ctx, 1); return err }},
		{"Confirm again", 2, func() error { _, err := p.Confirm(ctx, 1); return err }},
		{"Grab", 5, func() error { return grab(1, "1001") }},
		{"Grab again", 3, func() error { return grab(1, "1001") }},
		{"Grab of the last share", 5, func() error { return grab(1, "1002") }},
		{"Grab of a packet that is finished", 4, func() error { return refused(grab(1, "1003"), redpacket.ErrFinished) }},
		{"Grab of a packet that is known to be finished", 1, func() error { return refused(grab(1, "1004"), redpacket.ErrFinished) }},
		{"Share", 1, func() error { _, err := p.For("1001").Share(ctx, 1); return err }},
		{"PaidOut", 2, func() error { _, err := p.PaidOut(ctx, "1-1"); return err }},
		{"PayoutFailed", 3, func() error { _, err := p.PayoutFailed(ctx, "1-2", "no account"); return err }},
		{"Send of one more", 5, func() error { return send(2, 3) }},
		{"Close, not paid yet", 3, func() error { _, err := p.Close(ctx, 2); return err }},
		{"Confirm of what was closed", 5, func() error { _, err := p.Confirm(ctx, 2); return err }},
		{"Send of a third", 5, func() error { return send(3, 3) }},
		{"Confirm of the third", 2, func() error { _, err := p.Confirm(ctx, 3); return err }},
		{"Close", 4, func() error { _, err := p.Close(ctx, 3); return err }},
		{"Close again", 1, func() error { _, err := p.Close(ctx, 3); return err }},
		{"Send of a fourth", 5, func() error { return send(4, 3) }},
		{"Confirm of the fourth", 2, func() error { _, err := p.Confirm(ctx, 4); return err }},
		{"Expire of one, a day later", 3, func() error {
			p.db.Wire.Advance(24 * time.Hour)
			n, err := p.Expire(ctx)
			require.Equal(t, 1, n)
			return err
		}},
		{"Expire of none", 1, func() error { _, err := p.Expire(ctx); return err }},
		{"Audit", 3, func() error { _, err := p.Audit(ctx, 1); return err }},
	} {
		p.db.Wire.Statements()
		require.NoError(t, c.call(), c.name)
		var sent []string
		for _, statement := range p.db.Wire.Statements() {
			if !bracket(statement) {
				sent = append(sent, statement)
			}
		}
		require.Len(t, sent, c.budget, "%s:\n%s", c.name, strings.Join(sent, "\n"))
	}
	p.balanced(1, 2, redpacket.Finished)
	p.balanced(2, 0, redpacket.Closed)
	p.balanced(3, 0, redpacket.Closed)
	p.balanced(4, 0, redpacket.Expired)
}

// However many grab one packet, they share transactions, and so do the reads of what they got.
func TestConcurrentGrabsShareTransactions(t *testing.T) {
	t.Parallel()
	const people = 400
	p := openPurse(t)
	p.fill(1, 1_000_000, 1000)
	p.db.Wire.Statements()
	release := p.blockUnits(1)
	errs := make(chan error, people)
	grab := func(person string) { _, err := p.For(person).Grab(t.Context(), 1); errs <- err }
	go grab("1000")
	p.waiting() // the first is in flight; the others form the next batch
	for i := range people - 1 {
		go grab(fmt.Sprint(1001 + i))
	}
	release()
	for range people {
		require.NoError(t, <-errs)
	}
	sent := strings.Join(p.db.Wire.Statements(), "\n")
	require.Less(t, strings.Count(sent, "COMMIT AND"), people/4, "transactions")
	require.Less(t, strings.Count(sent, "FORCE INDEX (red_packet_share_person)"), people/4, "reads")
	p.balanced(1, people, redpacket.Open)
}
