package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// A server that goes away in the middle of a statement, stays away, and comes back.
func TestServerIsGone(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	proxy := s.db.NewProxy(t)
	pool := s.db.As(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.Net, c.Addr = "tcp", proxy.Address }})
	pool.Wire.Freeze(start)
	inv := s.On(sqlstore.NewStock(pool.DB, nil))
	require.NoError(t, of(inv.Lock(t.Context(), "a", one(1))))

	release := s.blockItem(1)
	pay := going(func() error { return of(inv.Pay(t.Context(), "a")) })
	s.waiting()
	lock := going(func() error { return of(inv.Lock(t.Context(), "b", one(1))) })
	proxy.Down()
	if !sqltest.TiDB() { // where it had not come to its COMMIT
		require.ErrorIs(t, <-pay, stock.ErrUnknown, "a step that was under way")
	}
	err := <-lock
	require.ErrorIs(t, err, stock.ErrUnavailable, "a Lock before its COMMIT")
	require.True(t, sqlstore.Retryable(err))
	for name, call := range map[string]func() error{
		"Lock":    func() error { return of(inv.Lock(t.Context(), "c", one(1))) },
		"Pay":     func() error { return of(inv.Pay(t.Context(), "a")) },
		"Cancel":  func() error { return of(inv.Cancel(t.Context(), "a")) },
		"Refund":  func() error { return of(inv.Refund(t.Context(), stock.Refund{ID: "r", Order: "a"})) },
		"Resolve": func() error { return of(inv.Resolve(t.Context(), "a")) },
		"Audit":   func() error { return of(inv.Audit(t.Context())) },
		"Migrate": func() error { return sqlstore.Migrate(t.Context(), pool.DB, nil) },
		"Check":   func() error { return sqlstore.Check(t.Context(), pool.DB, nil) },
	} {
		err := call()
		require.ErrorIs(t, err, stock.ErrUnavailable, name)
		require.NotErrorIs(t, err, stock.ErrUnknown, name)
	}
	release()
	proxy.Up(t)

	require.NoError(t, of(inv.Pay(t.Context(), "a")))
	require.NoError(t, of(inv.Resolve(t.Context(), "b")))
	s.counters(1, 1, 0, 9)
}

// login makes an account that may do everything in the test's database, within the limits.
func (s *shop) login(limits string) *sqltest.DB {
	s.t.Helper()
	pool := account(s.t, s.db, "ALL", limits)
	pool.Wire.Freeze(start)
	return pool
}

// account makes an account that has these rights in the test's database, and opens it with that.
func account(t testing.TB, db *sqltest.DB, rights, limits string) *sqltest.DB {
	t.Helper()
	name := "hf_" + strings.TrimPrefix(db.Config.DBName, "holdfast_test_")
	admin := sqltest.Admin(t)
	for _, host := range []string{"%", "localhost"} { // an account without a name may stand before the first
		for _, statement := range []string{
			fmt.Sprintf("CREATE USER '%s'@'%s' IDENTIFIED BY 'secret' %s", name, host, limits),
			fmt.Sprintf("GRANT %s ON %s.* TO '%s'@'%s'", rights, db.Config.DBName, name, host),
		} {
			require.NoError(t, of(admin.ExecContext(t.Context(), statement)))
		}
		t.Cleanup(func() {
			_, err := admin.Exec(fmt.Sprintf("DROP USER '%s'@'%s'", name, host)) //nolint:noctx // the test's context has ended
			require.NoError(t, err)
		})
	}
	return db.As(t, sqltest.Variant{Apply: func(c *mysql.Config) { c.User, c.Passwd = name, "secret" }})
}

// What is done to accounts and to the server as a whole, one after the other and before the tests that are
// parallel: each would see the other's.
//
//nolint:paralleltest // see above
func TestServerRefusesItsUsers(t *testing.T) {
	serverIsOutOfConnections(t)
	serverIsReadOnly(t)
}

func serverIsOutOfConnections(t *testing.T) {
	t.Helper()
	s := open(t, nil)
	pool := s.login("WITH MAX_USER_CONNECTIONS 1")
	busy := must(pool.Conn(t.Context()))(t)
	inv := s.On(sqlstore.NewStock(pool.DB, nil))
	_, err := inv.Lock(t.Context(), "a", one(1))
	require.ErrorIs(t, err, stock.ErrUnavailable)
	require.True(t, sqlstore.Retryable(err))
	require.NoError(t, busy.Close())
	require.NoError(t, of(inv.Lock(t.Context(), "a", one(1))))
	s.counters(1, 0, 1, 10)
}

// A server that has become read-only, as in a failover. It is set for the whole server and spares
// only its administrators, so it is done to a server of the tests' own.
func serverIsReadOnly(t *testing.T) {
	t.Helper()
	sqltest.NeedsPrivate(t)
	s := open(t, nil)
	pool := s.login("")
	require.NoError(t, of(s.Lock(t.Context(), "a", one(1))))
	admin := sqltest.Admin(t)
	require.NoError(t, of(admin.ExecContext(t.Context(), "SET GLOBAL "+sqltest.ReadOnlyVariable()+" = 1")))
	inv := s.On(sqlstore.NewStock(pool.DB, nil))
	_, locking := inv.Lock(t.Context(), "b", one(1))
	_, paying := inv.Pay(t.Context(), "a")
	require.NoError(t, of(admin.ExecContext(t.Context(), "SET GLOBAL "+sqltest.ReadOnlyVariable()+" = 0")))
	for _, err := range []error{locking, paying} {
		require.ErrorIs(t, err, stock.ErrUnavailable)
		require.True(t, sqlstore.Retryable(err))
	}
	require.NoError(t, of(inv.Pay(t.Context(), "a")))
	s.counters(1, 1, 0, 9)
}

// No rights and no database are for somebody to mend.
func TestServerRefusesTheAccount(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for name, change := range map[string]func(*mysql.Config){
		"wrong password":   func(c *mysql.Config) { c.User, c.Passwd = "hf_nobody", "wrong" },
		"unknown database": func(c *mysql.Config) { c.DBName = "holdfast_test_none" },
		"no database":      func(c *mysql.Config) { c.DBName = "" },
	} {
		pool := s.db.As(t, sqltest.Variant{Apply: change})
		_, err := s.On(sqlstore.NewStock(pool.DB, nil)).Lock(t.Context(), "a", one(1))
		require.ErrorIs(t, err, stock.ErrStore, name)
		require.False(t, sqlstore.Retryable(err), name)
		require.ErrorIs(t, sqlstore.Migrate(t.Context(), pool.DB, nil), stock.ErrStore, name)
	}
}
