package sqlstore_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

// The statement budget: round trips of the store's own making in the ordinary case, transaction
// brackets not counted.
func TestStatementBudget(t *testing.T) {
	t.Parallel()
	s := open(t, &stock.Options{RefundRedeemed: true})
	ctx := t.Context()
	for _, c := range []struct {
		name   string
		budget int
		call   func() error
	}{
		{"Lock", 2, func() error { _, err := s.Lock(ctx, "one", one(1)); return err }},
		{"Lock of three lines", 2, func() error { _, err := s.Lock(ctx, "three", one(1), one(2), one(3)); return err }},
		{"Lock for a buyer", 3, func() error { _, err := s.For("7").Lock(ctx, "buyer", one(1), one(2)); return err }},
		{"Lock that is cancelled", 2, func() error { _, err := s.Lock(ctx, "off", one(1), one(2)); return err }},
		{"Pay", 1, func() error { _, err := s.Pay(ctx, "one"); return err }},
		{"Pay of three lines", 1, func() error { _, err := s.Pay(ctx, "three"); return err }},
		{"Pay for a buyer", 1, func() error { _, err := s.Pay(ctx, "buyer"); return err }},
		{"Pay again", 2, func() error { _, err := s.Pay(ctx, "one"); return err }},
		{"Cancel", 1, func() error { _, err := s.Cancel(ctx, "off"); return err }},
		{"Cancel first", 3, func() error { _, err := s.Cancel(ctx, "never"); return err }},
		{"Redeem", 1, func() error { _, err := s.Redeem(ctx, "one"); return err }},
		{"Refund of one line, not the last", 4, func() error {
			_, err := s.Refund(ctx, stock.Refund{ID: "r", Order: "three", Lines: []stock.Line{one(2)}})
			return err
		}},
	} {
		s.db.Wire.Statements()
		require.NoError(t, c.call(), c.name)
		var sent []string
		for _, statement := range s.db.Wire.Statements() {
			if !bracket(statement) {
				sent = append(sent, statement)
			}
		}
		require.Len(t, sent, c.budget, "%s:\n%s", c.name, strings.Join(sent, "\n"))
	}
	s.counters(1, 3, 0, 7)
}

// Statements carry no arguments, so that the driver sends each in one round trip.
func TestStatementsAreNotPrepared(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	before := s.prepared()
	for i := range 5 {
		_, err := s.Lock(t.Context(), strconv.Itoa(i), one(1))
		require.NoError(t, err)
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
