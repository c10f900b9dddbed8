package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
)

// The statement budget of red packets: round trips in the ordinary case, transaction brackets not
// counted. What a verb returns is a read of its own behind its change.
func TestRedPacketStatementBudget(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	ctx := t.Context()
	grab := func(id int64, person string) error { return of(p.For(person).Grab(ctx, id)) }
	send := func(id, count int64) error { return of(p.Send(ctx, packetOf(id, 1000, count))) }
	refused := func(err, want error) error {
		if errors.Is(err, want) {
			return nil
		}
		return fmt.Errorf("not refused: %w", err)
	}
	p.keepsTo([]budget{
		{"Send", 5, func() error { return send(1, 2) }},
		{"Send again", 4, func() error { return send(1, 2) }},
		{"Confirm", 2, func() error { return of(p.Confirm(ctx, 1)) }},
		{"Confirm again", 2, func() error { return of(p.Confirm(ctx, 1)) }},
		{"Grab", 5, func() error { return grab(1, "1001") }},
		{"Grab again", 3, func() error { return grab(1, "1001") }},
		{"Grab of the last share", 5, func() error { return grab(1, "1002") }},
		{"Grab of a packet that is finished", 3 + sqltest.LookAtKeys(), func() error { return refused(grab(1, "1003"), redpacket.ErrFinished) }},
		{"Grab of a packet that is known to be finished", sqltest.LookAtKeys(), p.soon(func() error {
			return refused(grab(1, "1004"), redpacket.ErrFinished)
		})},
		{"Share", 1, func() error { return of(p.For("1001").Share(ctx, 1)) }},
		{"PaidOut", 2, func() error { return of(p.PaidOut(ctx, "1-1")) }},
		{"PayoutFailed", 3, func() error { return of(p.PayoutFailed(ctx, "1-2", "no account")) }},
		{"Send of one more", 5, func() error { return send(2, 3) }},
		{"Close, not paid yet", 3, func() error { return of(p.Close(ctx, 2)) }},
		{"Confirm of what was closed", 5, func() error { return of(p.Confirm(ctx, 2)) }},
		{"Send of a third", 5, func() error { return send(3, 3) }},
		{"Confirm of the third", 2, func() error { return of(p.Confirm(ctx, 3)) }},
		{"Close", 4, func() error { return of(p.Close(ctx, 3)) }},
		{"Close again", 1, func() error { return of(p.Close(ctx, 3)) }},
		{"Send of a fourth", 5, func() error { return send(4, 3) }},
		{"Confirm of the fourth", 2, func() error { return of(p.Confirm(ctx, 4)) }},
		{"Expire of one, a day later", 3, func() error {
			p.db.Wire.Advance(24 * time.Hour)
			n, err := p.Expire(ctx)
			require.Equal(t, 1, n)
			return err
		}},
		{"Expire of none", 1, func() error { return of(p.Expire(ctx)) }},
		{"Audit", 3, func() error { return of(p.Audit(ctx, 1)) }},
	})
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
	errs := p.behindOne(p.blockUnits(1), people, func(i int) error { return of(p.For(fmt.Sprint(1000+i)).Grab(t.Context(), 1)) })
	require.Equal(t, people, count(errs, nil))
	sent := strings.Join(p.db.Wire.Statements(), "\n")
	require.Less(t, strings.Count(sent, "COMMIT AND"), people/4, "transactions")
	require.Less(t, strings.Count(sent, "FORCE INDEX (red_packet_share_person)"), people/4, "reads")
	p.balanced(1, people, redpacket.Open)
}
