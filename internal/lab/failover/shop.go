package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// Options are what all scenarios share.
type Options struct {
	Rounds  int
	Callers int
	Load    time.Duration // how long callers order before a failover, and after it
	Out     io.Writer     // receives a line for each round
}

// database is the name of the shop's database, and shopper its account, which may not write where a server is read-only.
const (
	database = "shop"
	shopper  = "shopper"
)

// prepare makes the database, the account and the tables, and plenty of one item.
func prepare(ctx context.Context, dsn string) error {
	admin, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer admin.Close()
	for _, statement := range []string{
		"CREATE DATABASE " + database, "CREATE USER " + shopper + "@'127.0.0.1'", "CREATE USER " + shopper + "@localhost",
		"GRANT ALL ON " + database + ".* TO " + shopper + "@'127.0.0.1'", "GRANT ALL ON " + database + ".* TO " + shopper + "@localhost",
	} {
		if _, err := admin.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	s, err := open(dsn, "")
	if err != nil {
		return err
	}
	defer s.db.Close()
	if err := sqlstore.Migrate(ctx, s.db, nil); err != nil {
		return err
	}
	_, err = s.inv.Define(ctx, stock.Key{SKU: 1}, 1_000_000_000, stock.Terms{})
	return err
}

// shop is the shop as one process has it.
type shop struct {
	db  *sql.DB
	inv *stock.Inventory
}

// open opens the shop at a server, or at another address that leads there.
func open(dsn, addr string) (*shop, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	config.User, config.DBName, config.Logger = shopper, database, &mysql.NopLogger{}
	config.Timeout = time.Second
	if addr != "" {
		config.Addr = addr
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(64)
	db.SetMaxIdleConns(64)
	return &shop{db: db, inv: stock.New(sqlstore.NewStock(db, nil), nil)}, nil
}

// addrOf returns the host and port of a DSN.
func addrOf(dsn string) string {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return ""
	}
	return config.Addr
}

// rest waits, unless the context ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// underLoad runs a crowd behind an address, and fails over in the middle. It returns the crowd, whose callers have finished.
func underLoad(ctx context.Context, o *Options, name, dsn string, relay *Relay, failOver func(moved func()) error) (*Crowd, error) {
	s, err := open(dsn, relay.Addr())
	if err != nil {
		return nil, err
	}
	defer s.db.Close()
	crowd := NewCrowd(ctx, s.inv, name, o.Callers)
	rest(ctx, o.Load)
	if err := failOver(crowd.Moved); err != nil {
		crowd.Stop()
		return crowd, err
	}
	waiting, cancel := context.WithTimeout(ctx, giveUp)
	defer cancel()
	err = crowd.AwaitFirst(waiting)
	rest(ctx, o.Load)
	crowd.Stop()
	return crowd, err
}

// compareAll compares what was acknowledged with what each of some servers has.
func compareAll(ctx context.Context, o *Options, round string, crowd *Crowd, dsns ...string) error {
	var errs []error
	for i, dsn := range dsns {
		s, err := open(dsn, "")
		if err != nil {
			return err
		}
		result, err := crowd.Compare(ctx, s.db, s.inv)
		_ = s.db.Close()
		if i == 0 {
			fmt.Fprintf(o.Out, "%s: %v\n", round, result)
		}
		if err = errors.Join(err, result.Broken()); err != nil {
			errs = append(errs, fmt.Errorf("%s, server %d: %w", round, i+1, err))
		}
	}
	return errors.Join(errs...)
}
