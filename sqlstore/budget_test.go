package sqlstore_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/stock"
)

// The statement budget: round trips of the store's own making in the ordinary case, transaction
// brackets not counted.
func TestStatementBudget(t *testing.T) {
	t.Parallel()
	s := open(t, &stock.Options{RefundRedeemed: true})
	ctx := t.Context()
	s.keepsTo([]budget{
		{"Lock", 2, func() error { return of(s.Lock(ctx, "one", one(1))) }},
		{"Lock of three lines", 2, func() error { return of(s.Lock(ctx, "three", one(1), one(2), one(3))) }},
		{"Lock for a buyer", 3, func() error { return of(s.For("7").Lock(ctx, "buyer", one(1), one(2))) }},
		{"Lock that is cancelled", 2, func() error { return of(s.Lock(ctx, "off", one(1), one(2))) }},
		{"Pay", sqltest.Step(2), func() error { return of(s.Pay(ctx, "one")) }},
		{"Pay of three lines", sqltest.Step(3), func() error { return of(s.Pay(ctx, "three")) }},
		{"Pay for a buyer", sqltest.Step(5), func() error { return of(s.Pay(ctx, "buyer")) }},
		{"Pay again", 2, func() error { return of(s.Pay(ctx, "one")) }},
		{"Cancel", sqltest.Step(3), func() error { return of(s.Cancel(ctx, "off")) }},
		{"Cancel first", 3, func() error { return of(s.Cancel(ctx, "never")) }},
		{"Redeem", sqltest.Step(1), func() error { return of(s.Redeem(ctx, "one")) }},
		{"Refund of one line, not the last", 4, func() error {
			return of(s.Refund(ctx, stock.Refund{ID: "r", Order: "three", Lines: []stock.Line{one(2)}}))
		}},
		{"PutBack of one line", 7, func() error { return of(s.PutBack(ctx, "r")) }}, // as an Amend, once the refund is read and settled
		{"Lock that is amended", 2, func() error { return of(s.Lock(ctx, "more", one(2))) }},
		// the hold is read; it is changed, and the ID claimed; the items are locked, and changed
		{"Amend of one line", 5, func() error { return of(s.Amend(ctx, amendAs("a1", "more", units(2, 2)))) }},
		{"Amend to another item", 5, func() error { return of(s.Amend(ctx, amendAs("a2", "more", one(3)))) }},
		{"Amend to more lines", 6, func() error { return of(s.Amend(ctx, amendAs("a3", "more", one(2), one(3)))) }},
		{"Amend to fewer lines", 5, func() error { return of(s.Amend(ctx, amendAs("a4", "more", one(2)))) }},
		{"Amend that pays", 6, func() error { // and the hold is read again
			return of(s.Amend(ctx, stock.Amendment{ID: "a5", Order: "more", Pay: true}))
		}},
		{"RedeemPart", 3, func() error { return of(s.RedeemPart(ctx, "p", "three", one(3))) }},
	})
	s.counters(1, 3, 0, 7)
}

// Statements carry no arguments, so that the driver sends each in one round trip.
func TestStatementsAreNotPrepared(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "the server counts what a session has prepared")
	s := open(t, nil)
	before := s.prepared()
	for i := range 5 {
		require.NoError(t, of(s.Lock(t.Context(), strconv.Itoa(i), one(1))))
	}
	require.Equal(t, before, s.prepared())
}

// prepared returns how many statements the server has prepared for one of the pool's connections.
func (s *shop) prepared() (n int64) {
	s.t.Helper()
	s.db.SetMaxOpenConns(1)
	var name string
	require.NoError(s.t, s.db.QueryRowContext(s.t.Context(), "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'").Scan(&name, &n))
	return n
}
