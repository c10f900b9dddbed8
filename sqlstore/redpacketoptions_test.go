package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

func TestRedPacketRefusesBadOptionsBeforeAnyIO(t *testing.T) {
	t.Parallel()
	bad := &sqlstore.Options{Prefix: "Shop-"}
	ctx := t.Context()
	db := must(sql.Open("mysql", "nobody@tcp(127.0.0.1:1)/none"))(t)
	defer func() { _ = db.Close() }()
	for name, store := range map[string]*sqlstore.RedPacket{
		"no pool":                       sqlstore.NewRedPacket(nil, nil),
		"options":                       sqlstore.NewRedPacket(db, bad),
		"options, in a transaction":     sqlstore.NewRedPacket(db, bad).WithTx(&sql.Tx{}),
		"no transaction":                sqlstore.NewRedPacket(db, nil).WithTx(nil),
		"a pool that is no transaction": sqlstore.NewRedPacket(db, nil).WithTx(db),
	} {
		packets := redpacket.New(store, nil)
		require.ErrorIs(t, of(packets.Send(ctx, packetOf(1, 100, 3))), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.Confirm(ctx, 1)), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.For("1000").Grab(ctx, 1)), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.Close(ctx, 1)), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.Expire(ctx)), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.PaidOut(ctx, "1-1")), stock.ErrInvalid, name)
		require.ErrorIs(t, of(packets.Audit(ctx)), stock.ErrInvalid, name)
	}
	_, err := redpacket.New(sqlstore.NewRedPacket(db, nil), nil).For("1000").Grab(ctx, 1)
	require.ErrorIs(t, err, stock.ErrUnavailable, "nobody listens there")
}

// Red packets of two shops live in one database, as other stores do.
func TestRedPacketsOfTwoPrefixes(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, defaults)
	for _, prefix := range []string{"one_", "two_"} {
		opts := &sqlstore.Options{Prefix: prefix}
		require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, opts))
		p := &purse{Packets: redpacket.New(sqlstore.NewRedPacket(db.DB, opts), nil), fixture: fixture{t, db}}
		p.fill(1, 100, 3)
		require.NoError(t, of(p.For("1000").Grab(t.Context(), 1)))
		require.NoError(t, of(p.PaidOut(t.Context(), "1-1")))
		require.NoError(t, of(p.Close(t.Context(), 1)))
		p.balanced(1, 1, redpacket.Closed)
	}
}

// The order of a shop and what it does with red packets are one transaction, whatever hands it out.
func TestRedPacketsJoinAWrappedTransaction(t *testing.T) {
	t.Parallel()
	p := openPurse(t)
	p.fill(1, 100, 3)
	for _, end := range []func(*sql.Tx) error{(*sql.Tx).Rollback, (*sql.Tx).Commit} {
		tx := must(p.db.BeginTx(t.Context(), nil))(t)
		packets := p.On(p.store.WithTx(wrapper{tx}))
		require.NoError(t, of(packets.Send(t.Context(), packetOf(2, 100, 3))))
		require.NoError(t, of(packets.For("1000").Grab(t.Context(), 1)))
		require.NoError(t, of(packets.PaidOut(t.Context(), "1-1")))
		require.NoError(t, end(tx))
	}
	p.balanced(1, 1, redpacket.Open)
	p.balanced(2, 0, redpacket.Unpaid)
}
