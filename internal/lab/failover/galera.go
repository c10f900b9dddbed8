package failover

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-go/holdfast/internal/lab/server"
)

// Galera fails over in a cluster of three nodes, one of which is written to: it kills the writer as kill -9 does, or with planned
// moves the callers while all of them live. Each round has another writer. A node that was killed comes back before the next.
func Galera(ctx context.Context, o *Options, planned bool) (err error) {
	cluster, err := server.StartCluster(ctx, 3, &server.Options{Progress: o.Out})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := prepare(ctx, cluster.Nodes[0].DSN()); err != nil {
		return err
	}
	var errs []error
	for round := range o.Rounds {
		err := galeraRound(ctx, o, cluster, round, planned)
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func galeraRound(ctx context.Context, o *Options, cluster *server.Cluster, round int, planned bool) error {
	nodes := len(cluster.Nodes)
	writer, next := cluster.Nodes[round%nodes], cluster.Nodes[(round+1)%nodes]
	relay, err := NewRelay(ctx, addrOf(writer.DSN()), 0)
	if err != nil {
		return err
	}
	defer relay.Close()
	what, name := "kill -9 of the writer", fmt.Sprintf("k%d", round+1)
	if planned {
		what, name = "planned switch", fmt.Sprintf("p%d", round+1)
	}
	crowd, err := underLoad(ctx, o, name, writer.DSN(), relay, func(moved func()) error {
		if !planned {
			writer.Kill()
		}
		relay.Move(addrOf(next.DSN()))
		relay.Cut()
		moved()
		return nil
	})
	if err != nil {
		return err
	}
	if !planned {
		if err := writer.Restart(ctx); err != nil {
			return err
		}
	}
	dsns := []string{next.DSN()}
	for _, node := range cluster.Nodes {
		if err := caughtUp(ctx, node.DSN()); err != nil {
			return err
		}
		if node != next {
			dsns = append(dsns, node.DSN())
		}
	}
	return compareAll(ctx, o, fmt.Sprintf("Galera, %s, round %d", what, round+1), crowd, dsns...)
}

// caughtUp waits until a node has applied all that the cluster has committed.
func caughtUp(ctx context.Context, dsn string) error {
	return server.Exec(ctx, dsn, "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1")
}
