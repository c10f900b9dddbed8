package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/server"
	"github.com/holdfast-go/holdfast/stock"
)

// pair is a primary and its replica.
type pair struct {
	primary, replica *server.Server
	mysql            bool   // not MariaDB
	link             *Relay // through which the replica receives
}

// startPair starts both, with the tables of the shop. With semiSync, the primary acknowledges what the replica has received.
func startPair(ctx context.Context, o *Options, engine server.Engine, semiSync bool, delay time.Duration) (p *pair, err error) {
	p = &pair{mysql: engine == server.MySQL}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	for i, s := range []**server.Server{&p.primary, &p.replica} {
		if *s, err = server.Start(ctx, engine, &server.Options{Progress: o.Out, Args: p.settings(i+1, semiSync)}); err != nil {
			return p, err
		}
	}
	if p.link, err = NewRelay(ctx, addrOf(p.primary.DSN()), delay); err != nil {
		return p, err
	}
	_, port, err := net.SplitHostPort(p.link.Addr())
	if err != nil {
		return p, err
	}
	for _, host := range []string{"'127.0.0.1'", "localhost"} { // as a server without names or with names sees it
		account := "replica@" + host
		err := server.Exec(ctx, p.primary.DSN(), "CREATE USER "+account+" IDENTIFIED BY 'r'", "GRANT REPLICATION SLAVE ON *.* TO "+account)
		if err != nil {
			return p, err
		}
	}
	if p.mysql {
		err = server.Exec(ctx, p.replica.DSN(), "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = "+port+
			", SOURCE_USER = 'replica', SOURCE_PASSWORD = 'r', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1", "START REPLICA")
	} else {
		err = server.Exec(ctx, p.replica.DSN(), "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = "+port+
			", MASTER_USER = 'replica', MASTER_PASSWORD = 'r', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1", "START SLAVE")
	}
	if err != nil {
		return p, err
	}
	if err := prepare(ctx, p.primary.DSN()); err != nil {
		return p, err
	}
	if err := p.await(ctx); err != nil || !semiSync {
		return p, err
	}
	role := "master"
	if p.mysql {
		role = "source"
	}
	return p, server.Exec(ctx, p.primary.DSN(), "SET GLOBAL rpl_semi_sync_"+role+"_timeout = 600000", // for ever, rather than go on without
		"SET GLOBAL rpl_semi_sync_"+role+"_enabled = ON")
}

// settings are those of the primary or the replica, which change roles.
func (p *pair) settings(id int, semiSync bool) []string {
	args := []string{fmt.Sprintf("--server-id=%d", id), "--innodb-buffer-pool-size=256M"}
	if p.mysql {
		args = append(args, "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
	}
	switch {
	case !semiSync:
	case p.mysql && id == 1:
		args = append(args, "--plugin-load-add=semisync_source.so")
	case p.mysql:
		args = append(args, "--plugin-load-add=semisync_replica.so", "--rpl-semi-sync-replica-enabled=ON")
	case id == 2:
		args = append(args, "--rpl-semi-sync-slave-enabled=ON")
	}
	return args
}

// stop ends both.
func (p *pair) stop() error {
	var errs []error
	for _, s := range []*server.Server{p.replica, p.primary} {
		if s != nil {
			errs = append(errs, s.Discard())
		}
	}
	if p.link != nil {
		errs = append(errs, p.link.Close())
	}
	return errors.Join(errs...)
}

// await waits until the replica has applied what the primary has.
func (p *pair) await(ctx context.Context) error {
	where := "SELECT @@gtid_binlog_pos"
	if p.mysql {
		where = "SELECT @@gtid_executed"
	}
	var done string
	if err := read(ctx, p.primary.DSN(), where, &done); err != nil {
		return err
	}
	return p.applied(ctx, done)
}

// applied waits until the replica has applied what a position says.
func (p *pair) applied(ctx context.Context, position string) error {
	wait := "MASTER_GTID_WAIT"
	if p.mysql {
		wait = "WAIT_FOR_EXECUTED_GTID_SET"
	}
	var late int // it is not 0 where 60 seconds are over
	err := read(ctx, p.replica.DSN(), fmt.Sprintf("SELECT %s('%s', 60)", wait, position), &late)
	if err == nil && late != 0 {
		return errors.New("the replica does not apply what it has received")
	}
	return err
}

// promote makes the replica a primary, once it has applied what it has received. It receives nothing any more.
func (p *pair) promote(ctx context.Context) error {
	if p.mysql {
		if err := server.Exec(ctx, p.replica.DSN(), "STOP REPLICA IO_THREAD"); err != nil {
			return err
		}
		var received string
		if err := read(ctx, p.replica.DSN(), "SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status",
			&received); err != nil {
			return err
		}
		if err := p.applied(ctx, received); err != nil {
			return err
		}
		return server.Exec(ctx, p.replica.DSN(), "STOP REPLICA", "RESET REPLICA ALL", "SET GLOBAL super_read_only = 0",
			"SET GLOBAL read_only = 0")
	}
	if err := server.Exec(ctx, p.replica.DSN(), "STOP SLAVE IO_THREAD"); err != nil {
		return err
	}
	for {
		status, err := row(ctx, p.replica.DSN(), "SHOW SLAVE STATUS")
		if err != nil {
			return err
		}
		if status["Exec_Master_Log_Pos"] == status["Read_Master_Log_Pos"] && status["Relay_Master_Log_File"] == status["Master_Log_File"] {
			break
		}
		rest(ctx, 20*time.Millisecond)
	}
	return server.Exec(ctx, p.replica.DSN(), "STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = 0")
}

// SemiSync kills a primary that acknowledges only what its replica has received, and promotes that. Nothing is lost.
func SemiSync(ctx context.Context, o *Options, engine server.Engine) error {
	return rounds(ctx, o, func(round int) (err error) {
		p, err := startPair(ctx, o, engine, true, 2*time.Millisecond)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		crowd, err := p.killUnderLoad(ctx, o, fmt.Sprintf("s%d", round))
		if err != nil {
			return err
		}
		return compareAll(ctx, o, fmt.Sprintf("semi-synchronous promotion, round %d", round), crowd, p.replica.DSN())
	})
}

// killUnderLoad kills the primary under callers, and promotes the replica.
func (p *pair) killUnderLoad(ctx context.Context, o *Options, name string) (*Crowd, error) {
	address, err := NewRelay(ctx, addrOf(p.primary.DSN()), 0)
	if err != nil {
		return nil, err
	}
	defer address.Close()
	return underLoad(ctx, o, name, p.primary.DSN(), address, func(moved func()) error {
		p.primary.Kill()
		if err := p.promote(ctx); err != nil {
			return err
		}
		address.Move(addrOf(p.replica.DSN()))
		moved()
		return nil
	})
}

// Async kills a primary whose replica is 100 ms behind, and promotes that. What is lost is asked of Missing, and compared with
// what the dead primary still has on its disk. Then the shop repairs it: it takes again what is lost and paid, and pays the others.
func Async(ctx context.Context, o *Options, engine server.Engine) error {
	return rounds(ctx, o, func(round int) (err error) {
		p, err := startPair(ctx, o, engine, false, 100*time.Millisecond)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		s, err := open(p.primary.DSN(), "")
		if err != nil {
			return err
		}
		crowd := NewCrowd(ctx, s.inv, fmt.Sprintf("a%d", round), o.Callers)
		rest(ctx, o.Load)
		p.primary.Kill()
		crowd.abandon()
		_ = s.db.Close()
		if err := p.promote(ctx); err != nil {
			return err
		}
		if err := p.primary.Restart(ctx); err != nil { // to be asked only
			return err
		}
		return p.compareLoss(ctx, o, crowd, round)
	})
}

// abandon stops the callers where they are.
func (c *Crowd) abandon() {
	c.over.Store(true)
	c.dead.Store(true)
	c.all.Wait()
}

// compareLoss demands that Missing names what the dead primary had and the new one has not.
func (p *pair) compareLoss(ctx context.Context, o *Options, crowd *Crowd, round int) error {
	old, err := open(p.primary.DSN(), "")
	if err != nil {
		return err
	}
	defer old.db.Close()
	now, err := open(p.replica.DSN(), "")
	if err != nil {
		return err
	}
	defer now.db.Close()
	had, err := statesOf(ctx, old.db)
	if err != nil {
		return err
	}
	has, err := statesOf(ctx, now.db)
	if err != nil {
		return err
	}
	var lost []string
	for _, order := range crowd.Orders() {
		if _, ok := had[order]; !ok {
			return fmt.Errorf("the primary has lost %s, which it had acknowledged", order)
		}
		if _, ok := has[order]; !ok {
			lost = append(lost, order)
		}
	}
	missing, err := missingOf(ctx, now.inv, crowd.Orders())
	if err != nil {
		return err
	}
	report, err := now.inv.Audit(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "asynchronous promotion, round %d: of %d acknowledged orders %d were lost, Missing names %d, drifts %d\n",
		round, len(crowd.Orders()), len(lost), len(missing), len(report.Drifts))
	if !slices.Equal(missing, lost) {
		return fmt.Errorf("round %d: Missing names %d orders, %d are lost", round, len(missing), len(lost))
	}
	return crowd.mend(ctx, now, missing)
}

// missingOf asks for all orders, so many at a time.
func missingOf(ctx context.Context, inv *stock.Inventory, orders []string) (missing []string, err error) {
	for part := range slices.Chunk(orders, stock.MaxMissing) {
		some, err := inv.Missing(ctx, part)
		if err != nil {
			return nil, err
		}
		missing = append(missing, some...)
	}
	return missing, nil
}

// mend makes again what was lost of the orders that were paid, and demands that each is paid then.
func (c *Crowd) mend(ctx context.Context, s *shop, missing []string) error {
	lost := map[string]bool{}
	for _, order := range missing {
		lost[order] = true
	}
	for order, state := range c.states {
		if state != stock.Paid {
			continue
		}
		var err error
		if lost[order] {
			_, err = s.inv.Take(ctx, order, stock.Line{SKU: 1, Num: 1})
		} else {
			_, err = s.inv.Pay(ctx, order)
		}
		if err != nil {
			return fmt.Errorf("%s, which was paid: %w", order, err)
		}
	}
	return nil
}

// ReadOnly switches from a primary that becomes read-only to its replica, behind one address. Connections that are open stay where
// they are.
func ReadOnly(ctx context.Context, o *Options, engine server.Engine) error {
	return rounds(ctx, o, func(round int) (err error) {
		p, err := startPair(ctx, o, engine, false, 0)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop()) }()
		address, err := NewRelay(ctx, addrOf(p.primary.DSN()), 0)
		if err != nil {
			return err
		}
		defer address.Close()
		readOnly := "SET GLOBAL read_only = 1"
		if p.mysql {
			readOnly = "SET GLOBAL super_read_only = 1"
		}
		crowd, err := underLoad(ctx, o, fmt.Sprintf("r%d", round), p.primary.DSN(), address, func(moved func()) error {
			if err := server.Exec(ctx, p.primary.DSN(), readOnly); err != nil {
				return err
			}
			if err := errors.Join(p.await(ctx), p.promote(ctx)); err != nil {
				return err
			}
			address.Move(addrOf(p.replica.DSN()))
			moved()
			return nil
		})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("read-only switch, %s, round %d", p.primary.Version(), round)
		err = compareAll(ctx, o, what, crowd, p.replica.DSN())
		if crowd.first > time.Second {
			err = errors.Join(err, fmt.Errorf("%s: the first success came after %v", what, crowd.first))
		}
		return err
	})
}

// rounds runs all rounds, and returns the errors of each.
func rounds(ctx context.Context, o *Options, run func(round int) error) error {
	var errs []error
	for round := range o.Rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		errs = append(errs, run(round+1))
	}
	return errors.Join(errs...)
}

// read reads one value.
func read(ctx context.Context, dsn, query string, value any) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.QueryRowContext(ctx, query).Scan(value)
}

// row reads one row, by the names of its columns.
func row(ctx context.Context, dsn, query string) (map[string]string, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	found := map[string]string{}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i, name := range names {
			found[name] = values[i].String
		}
	}
	return found, rows.Err()
}
