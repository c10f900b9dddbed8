package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// older returns the same groups in a transaction that has its snapshot now. What a transaction has changed itself it sees in its newest
// version; what others have added since its snapshot it does not see.
func (b *bazaar) older(options *groupbuy.Options) (in *groupbuy.Groups, commit func()) {
	b.t.Helper()
	if conflicts(b.t, b.db) {
		b.t.Skip("the server tells such a transaction to start over")
	}
	tx := reader(b.t, b.db, "egl_group_team")
	return groupbuy.New(b.store.WithTx(tx), options), func() { require.NoError(b.t, tx.Commit()) }
}

// olderTeam returns a team of so many of three, and the groups in a transaction whose snapshot has only these.
func olderTeam(t *testing.T, members int) (b *bazaar, in *groupbuy.Groups, code string, orders []string, commit func()) {
	t.Helper()
	b = openBazaar(t, defaults, 3, 100)
	code, orders = b.team("T", members)
	in, commit = b.older(untilTheEnd())
	return b, in, code, orders, commit
}

// joins has another buyer join a team, and pay.
func (b *bazaar) joins(code, order, buyer string) {
	b.t.Helper()
	require.NoError(b.t, of(purchase(order, buyer).Join(b.t.Context(), b.Groups, code)))
	require.NoError(b.t, of(b.Pay(b.t.Context(), order)))
}

// A team that is ended in a transaction that has changed it leaves nobody behind who has joined it since the snapshot.
func TestFailAfterAChangeOfOnesOwnRefundsWhoHasJoinedSince(t *testing.T) {
	t.Parallel()
	for _, leaves := range []bool{false, true} { // then the team has as many seats as the snapshot, but others
		t.Run(fmt.Sprint("somebody leaves ", leaves), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			b, in, code, orders, commit := olderTeam(t, 2)
			b.joins(code, "carol", "3")
			if leaves {
				require.NoError(t, of(b.Cancel(ctx, orders[1])))
			}
			require.NoError(t, of(in.Pay(ctx, orders[0])))
			team := must(in.Fail(ctx, code, groupbuy.Decision{Actor: "clerk", Reason: "asked"}))(t)
			require.Equal(t, [3]int64{int64(groupbuy.Failed), 0, 0}, [3]int64{int64(team.State), team.Held, team.Paid})
			commit()
			require.Equal(t, groupbuy.RefundDue, must(b.Seat(ctx, "carol"))(t).State)
			owed := 0
			for _, kind := range b.told(code) {
				if kind == event.RefundOwed {
					owed++
				}
			}
			require.Equal(t, 2, owed)
			b.balanced()
		})
	}
}

// The last payment forms a team also where the snapshot of its transaction does not have all members.
func TestPayAfterAChangeOfOnesOwnFormsATeamWithWhoHasJoinedSince(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b, in, code, orders, commit := olderTeam(t, 2)
	b.joins(code, "carol", "3")
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	payment := must(in.Pay(ctx, orders[1]))(t)
	require.True(t, payment.Formed)
	commit()
	require.Equal(t, groupbuy.Formed, must(b.Seat(ctx, "carol"))(t).Status)
	require.Equal(t, groupbuy.Formed, must(b.Team(ctx, code))(t).State)
	b.balanced()
}

// The same of a team that an operator forms, which releases who has joined since and has not paid.
func TestFormAfterAChangeOfOnesOwnReleasesWhoHasJoinedSince(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b, in, code, orders, commit := olderTeam(t, 2)
	require.NoError(t, of(purchase("carol", "3").Join(ctx, b.Groups, code)))
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	require.NoError(t, of(in.Form(ctx, code, groupbuy.Decision{Actor: "clerk", Reason: "asked"})))
	commit()
	require.Equal(t, groupbuy.Cancelled, must(b.Seat(ctx, "carol"))(t).State)
	b.balanced()
}

// A sponsor who leaves hands over to a member who is still there.
func TestSponsorAfterAChangeOfOnesOwnHandsOverToWhoIsStillThere(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b, in, code, orders, commit := olderTeam(t, 3)
	require.NoError(t, of(b.Cancel(ctx, orders[1])))
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	require.NoError(t, of(in.Refund(ctx, groupbuy.Refund{Order: orders[0], Actor: "clerk", Reason: "asked"})))
	commit()
	require.Equal(t, orders[2], must(b.Team(ctx, code))(t).SponsorOrder)
	b.balanced()

	b, in, code, orders, commit = olderTeam(t, 1)
	b.joins(code, "carol", "3")
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	require.NoError(t, of(in.Refund(ctx, groupbuy.Refund{Order: orders[0], Actor: "clerk", Reason: "asked"})))
	commit()
	require.Equal(t, "carol", must(b.Team(ctx, code))(t).SponsorOrder)
	b.balanced()
}

// Who is in the team already is refused, and who has left it is not.
func TestJoinAfterAChangeOfOnesOwnKnowsWhoIsInTheTeam(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b, in, code, orders, commit := olderTeam(t, 2)
	require.NoError(t, of(b.Cancel(ctx, orders[1])))
	b.joins(code, "carol", "3")
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	require.ErrorIs(t, of(purchase("carol again", "3").Join(ctx, in, code)), groupbuy.ErrJoined)
	require.NoError(t, of(purchase("bob again", "2").Join(ctx, in, code)))
	commit()
	b.balanced()
}

// A late payment does not take a seat of who has taken another one since.
func TestLatePayAfterAChangeOfOnesOwnKnowsWhoIsInTheTeam(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := openBazaar(t, defaults, 5, 100)
	code, orders := b.team("T", 1)
	options := &groupbuy.Options{HoldFor: time.Minute, LatePay: stock.Reacquire}
	short := groupbuy.New(b.store, options)
	require.NoError(t, of(purchase("late", "2").Join(ctx, short, code)))
	b.db.Wire.Advance(2 * time.Minute)
	require.NoError(t, of(b.Expire(ctx)))
	in, commit := b.older(options)
	b.joins(code, "again", "2")
	require.NoError(t, of(in.Pay(ctx, orders[0])))
	payment := must(in.Pay(ctx, "late"))(t)
	require.True(t, payment.Due)
	require.ErrorIs(t, payment.Why, groupbuy.ErrJoined)
	commit()
	b.balanced()
}

// A product is not settled while a team lives that was opened since the snapshot.
func TestUnfinishedAfterAChangeOfOnesOwnFindsTeamsOpenedSince(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := openBazaar(t, defaults, 3, 3)
	in, commit := b.older(untilTheEnd())
	b.team("T", 1)
	require.NoError(t, of(in.Withdraw(ctx, "back", teamProduct, 2)))
	require.NoError(t, of(in.Remove(ctx, teamProduct)))
	commit()
	require.Equal(t, groupbuy.Removed, must(b.Product(ctx, teamProduct))(t).State)
	b.balanced()
}

// People type codes. A long one is that of no team, and the transaction goes on.
func TestALongCodeInATransactionIsThatOfNoTeam(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := openBazaar(t, defaults, 3, 100)
	_, orders := b.team("T", 1)
	for n := 16; n <= 64; n += 16 {
		long := strings.Repeat("A", n)
		tx := must(b.db.BeginTx(ctx, nil))(t)
		in := groupbuy.New(b.store.WithTx(tx), untilTheEnd())
		by := groupbuy.Decision{Actor: "clerk", Reason: "asked"}
		for _, g := range []*groupbuy.Groups{b.Groups, in} {
			require.ErrorIs(t, of(purchase("x", "9").Join(ctx, g, long)), groupbuy.ErrUnknownTeam)
			require.ErrorIs(t, of(g.Team(ctx, long)), groupbuy.ErrUnknownTeam)
			require.ErrorIs(t, of(g.Form(ctx, long, by)), groupbuy.ErrUnknownTeam)
			require.ErrorIs(t, of(g.Fail(ctx, long, by)), groupbuy.ErrUnknownTeam)
		}
		require.NoError(t, of(in.Pay(ctx, orders[0])))
		require.NoError(t, tx.Commit())
	}
}
