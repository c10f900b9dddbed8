package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// packet is an answer of a server or of a proxy in front of it.
func packet(number uint16, text string) *mysql.MySQLError {
	return &mysql.MySQLError{Number: number, Message: text}
}

// sayNothing are the answers of a proxy that has lost its server on the way: what it had sent may be done.
func sayNothing() []*mysql.MySQLError {
	return []*mysql.MySQLError{
		packet(2013, "Lost connection to server during query"),
		packet(2006, "MySQL server has gone away"),
		packet(2003, "Lost connection to backend server"),
		packet(1927, "Connection was killed"),
		packet(1053, "Server shutdown in progress"),
		packet(1105, "target: shop.0.primary: vttablet: rpc error: code = Unavailable desc = error reading from server: EOF"),
	}
}

// answering injects an answer: that of a read-only server as often as another connection is tried, which may lead to
// another server.
func answering(wire *sqltest.Wire, fault sqltest.Fault) {
	wire.Inject(fault)
	var is *mysql.MySQLError
	if errors.As(fault.Answer, &is) && is.Number == 1792 {
		for range 3 {
			wire.Inject(fault)
		}
	}
}

// verbOfOneStatement is a verb that is a transaction of one statement: what the statement contains, and what prepares the call.
type verbOfOneStatement struct {
	match string
	open  func(t *testing.T) (f fixture, call func() (replay bool, err error))
}

// oneStatement are verbs of the three domains.
func oneStatement() map[string]verbOfOneStatement {
	order := func(step func(s *shop) step) func(t *testing.T) (fixture, func() (bool, error)) {
		return func(t *testing.T) (fixture, func() (bool, error)) {
			t.Helper()
			s := open(t, nil)
			s.lock("a", one(1))
			return s.fixture, func() (bool, error) {
				outcome, err := step(s)(t.Context(), "a")
				return outcome.Replay, err
			}
		}
	}
	return map[string]verbOfOneStatement{
		"Pay":    {"h.STATE = 2", order(func(s *shop) step { return s.Pay })},
		"Cancel": {"h.STATE = 5", order(func(s *shop) step { return s.Cancel })},
		"RedeemOfACoupon": {"u.STATE = 2", func(t *testing.T) (fixture, func() (bool, error)) {
			t.Helper()
			m := openMall(t, nil)
			m.define(10, coupon.Rules{})
			m.claim("a")
			require.NoError(t, of(m.Reserve(t.Context(), "a", "order", hundred)))
			return m.fixture, func() (bool, error) {
				use, err := m.Redeem(t.Context(), "a", "order", hundred)
				return use.Replay, err
			}
		}},
		"ConfirmOfAPacket": {"p.STATE = 2", func(t *testing.T) (fixture, func() (bool, error)) {
			t.Helper()
			p := openPurse(t)
			require.NoError(t, of(p.Send(t.Context(), packetOf(1, 100, 3))))
			return p.fixture, func() (bool, error) {
				packet, err := p.Confirm(t.Context(), 1)
				return packet.Replay, err
			}
		}},
	}
}

// meet returns the error of a verb whose statement gets an answer. The same call again is done, and a replay where the
// statement was executed.
func (v verbOfOneStatement) meet(t *testing.T, answer error, kind sqltest.FaultKind) error {
	t.Helper()
	f, call := v.open(t)
	answering(f.db.Wire, sqltest.Fault{Match: v.match, Kind: kind, Answer: answer})
	_, err := call()
	require.Equal(t, kind == sqltest.LostReply, must(call())(t))
	return err
}

// An error packet that a proxy writes says nothing about a statement that it had passed on. Others say that nothing was done.
func TestAnswersSayWhatBecameOfAStatement(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "a verb is a transaction of one statement")
	for says, c := range map[string]struct {
		answers []*mysql.MySQLError
		kind    sqltest.FaultKind
		want    error
	}{
		"Nothing": {sayNothing(), sqltest.LostReply, stock.ErrUnknown},
		"NotExecuted": {[]*mysql.MySQLError{
			packet(9001, "Max connect timeout reached while reaching hostgroup 0 after 10000ms"),
			packet(3032, "The server is currently in offline mode"),
			packet(1792, "Cannot execute statement in a READ ONLY transaction."),
			packet(1105, "An error occurred in multi-table update"), // MySQL's, after KILL QUERY
		}, sqltest.LostRequest, stock.ErrUnavailable},
		// Galera could not certify a statement by itself: that was at the COMMIT that the statement implies.
		"AtItsCommit": {[]*mysql.MySQLError{packet(1180, "Got error 6 during COMMIT")}, sqltest.LostRequest, stock.ErrUnknown},
	} {
		for verb, v := range oneStatement() {
			for _, answer := range c.answers {
				t.Run(fmt.Sprint(verb, says, answer.Number), func(t *testing.T) {
					t.Parallel()
					err := v.meet(t, answer, c.kind)
					require.ErrorIs(t, err, answer)
					for _, class := range []error{stock.ErrUnknown, stock.ErrUnavailable, stock.ErrStore} {
						require.Equal(t, errors.Is(c.want, class), errors.Is(err, class), "%v: %v", err, class)
					}
					require.True(t, sqlstore.Retryable(err))
					require.True(t, !errors.Is(c.want, stock.ErrUnavailable) || sqlstore.Retryable(answer), "from a statement of the caller's own")
				})
			}
		}
	}
}

// The same at the COMMIT of a transaction.
func TestAnswerOfAProxyToACommitLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for _, answer := range sayNothing() {
		order := fmt.Sprint("answer-", answer.Number)
		s.db.Wire.Inject(sqltest.Fault{Match: "COMMIT AND", Kind: sqltest.LostReply, Answer: answer})
		require.ErrorIs(t, of(s.Lock(t.Context(), order, one(1))), stock.ErrUnknown, order)
		require.Equal(t, stock.Locked, must(s.Resolve(t.Context(), order))(t).State, order)
	}
}

// idle is how many connections to the old server wait in the pool.
const idle = 6

// A failover behind one address: whatever a verb is, the connections to the old server are gone after a call for each at
// most, though they would go on for ever.
func TestConnectionsToAServerThatBecameReadOnlyAreDropped(t *testing.T) {
	t.Parallel()
	everyLife(t, func(t *testing.T, live life, opts *sqlstore.Options) {
		t.Helper()
		db := frozen(t, defaults, live.tables...).db
		verbs, _ := live.begin(t.Context(), db, opts, db.Wire.Advance)
		for _, verb := range verbs {
			fillPool(t, db)
			db.Wire.Failover()
			err := verb.call()
			for range idle {
				if err == nil {
					break
				}
				require.True(t, sqlstore.Retryable(err), "%s: %v", verb.name, err)
				err = verb.call()
			}
			require.NoError(t, err, verb.name)
		}
	})
}

// fillPool has some connections wait in the pool.
func fillPool(t *testing.T, db *sqltest.DB) {
	t.Helper()
	for range idle {
		conn := must(db.Conn(t.Context()))(t)
		defer func() { _ = conn.Close() }()
	}
}

// A refusal whose ROLLBACK gets no answer ends with its context. It took five seconds more once; what is demanded is less than
// half of that, for the sake of busy machines.
func TestRefusalEndsWithItsContext(t *testing.T) {
	t.Parallel()
	shortage := func(lines ...stock.Line) func(*testing.T, *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
		return func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
			t.Helper()
			s := open(t, nil).as(opts)
			return s.db, func(ctx context.Context) error { return of(s.Lock(ctx, "a", lines...)) }
		}
	}
	for name, refusal := range map[string]func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error){
		"Lock":           shortage(units(1, 11)),
		"LockOfTwoLines": shortage(one(1), units(2, 11)),
		"LockInATransaction": func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
			t.Helper()
			s := open(t, nil).as(opts)
			tx := must(s.db.BeginTx(t.Context(), nil))(t)
			t.Cleanup(func() { _ = tx.Rollback() })
			return s.db, func(ctx context.Context) error { return of(s.On(s.store.WithTx(tx)).Lock(ctx, "a", units(1, 11))) }
		},
		"Claim": func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
			t.Helper()
			m := openMall(t, nil)
			m.define(1, coupon.Rules{})
			m.claim("a")
			c := m.On(sqlstore.NewCoupon(m.db.DB, opts))
			return m.db, func(ctx context.Context) error { return of(c.For("8").Claim(ctx, "b", 1)) }
		},
		"Grab": func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
			t.Helper()
			p := openPurse(t)
			p.fill(1, 100, 1)
			require.NoError(t, of(p.For("1000").Grab(t.Context(), 1)))
			packets := redpacket.New(sqlstore.NewRedPacket(p.db.DB, opts), nil)
			return p.db, func(ctx context.Context) error { return of(packets.For("1001").Grab(ctx, 1)) }
		},
		"Join": func(t *testing.T, opts *sqlstore.Options) (*sqltest.DB, func(context.Context) error) {
			t.Helper()
			b := openBazaar(t, defaults, 2, 2)
			code, _ := b.team("full", 2)
			groups := groupbuy.New(sqlstore.NewGroupBuy(b.db.DB, opts), untilTheEnd())
			return b.db, func(ctx context.Context) error { return of(purchase("late", "9").Join(ctx, groups, code)) }
		},
	} {
		for way, opts := range ways() {
			t.Run(name+way, func(t *testing.T) {
				t.Parallel()
				db, call := refusal(t, opts)
				db.Wire.Statements()
				db.Wire.Inject(sqltest.Fault{Match: "ROLLBACK", Kind: sqltest.NoReply})
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				begun := time.Now()
				require.Error(t, call(ctx))
				require.Less(t, time.Since(begun), 2*time.Second)
				db.Wire.Forget()
			})
		}
	}
}
