package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisRow is the script, and then the order row in MySQL: what falls between the two is lost or stays locked.
type redisRow struct {
	*onRedis

	db  *sql.DB
	cfg Config
}

func openRedisRow(ctx context.Context, cfg Config) (Contender, error) {
	return connectRedisRow(ctx, cfg)
}

func connectRedisRow(ctx context.Context, cfg Config, setup ...string) (*redisRow, error) {
	r, err := connectRedis(ctx, cfg)
	if err != nil {
		return nil, err
	}
	db, err := openPool(ctx, cfg, setup...)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &redisRow{r, db, cfg}, nil
}

// Lock implements Contender.
func (r *redisRow) Lock(ctx context.Context, order Order) error {
	if err := r.onRedis.Lock(ctx, order); err != nil {
		return err
	}
	if !r.cfg.Items {
		return insertShopRows(ctx, r.db, r.cfg, order)
	}
	return byHand{r.db, r.cfg}.transaction(ctx, func(tx *sql.Tx) error { return insertShopRows(ctx, tx, r.cfg, order) })
}

// Pay implements Contender.
func (r *redisRow) Pay(ctx context.Context, order Order) error {
	if err := r.onRedis.Pay(ctx, order); err != nil {
		return err
	}
	_, err := r.db.ExecContext(ctx, payNewRow, rowPaid, order.id())
	return err
}

// Fill implements Filler.
func (r *redisRow) Fill(ctx context.Context, orders []Order) error {
	_, err := r.client.Pipelined(ctx, func(pipeline redis.Pipeliner) error {
		for _, order := range orders {
			pipeline.EvalSha(ctx, r.lock, keysOf(order), list(order.SKUs), r.holdFor)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("contender: %w", err)
	}
	return insertShopRows(ctx, r.db, r.cfg, orders...)
}

// Close implements Contender.
func (r *redisRow) Close() error { return errors.Join(r.onRedis.Close(), r.db.Close()) }

// The queue has the columns of the orders.
const (
	queueTable  = "bench_queue"
	createQueue = "CREATE TABLE " + queueTable + " LIKE " + orderTable
	putInQueue  = "INSERT INTO " + queueTable + " (" + orderColumns + ") VALUES " + orderValues
	makeOrders  = "INSERT INTO " + orderTable + " (" + orderColumns + ") SELECT " + orderColumns + " FROM " + queueTable
	emptyQueue  = "DELETE FROM " + queueTable
	readQueue   = "SELECT ID FROM " + queueTable + " ORDER BY ID LIMIT 1000 FOR UPDATE SKIP LOCKED"
)

// redisQueue puts the order in a queue, from which a worker makes the order rows: many at a time, and later.
type redisQueue struct {
	*redisRow

	stop   chan struct{}
	worker sync.WaitGroup
	failed error
}

// At READ COMMITTED the worker does not lock the end of the queue, where the next order has to go.
func openRedisQueue(ctx context.Context, cfg Config) (Contender, error) {
	r, err := connectRedisRow(ctx, cfg, readCommitted)
	if err != nil {
		return nil, err
	}
	q := &redisQueue{redisRow: r, stop: make(chan struct{})}
	q.worker.Go(func() { q.failed = q.work(context.WithoutCancel(ctx)) })
	return q, nil
}

// Lock implements Contender.
func (q *redisQueue) Lock(ctx context.Context, order Order) error {
	if err := q.onRedis.Lock(ctx, order); err != nil {
		return err
	}
	_, err := q.db.ExecContext(ctx, putInQueue, orderArgs(order)...)
	return err
}

// work makes orders until the queue is empty and nobody fills it.
func (q *redisQueue) work(ctx context.Context) error {
	for over := false; ; {
		moved, err := q.move(ctx)
		if err != nil || over && moved == 0 {
			return err
		}
		if moved > 0 {
			continue
		}
		select {
		case <-q.stop:
			over = true
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// move makes orders of what is in the queue.
func (q *redisQueue) move(ctx context.Context) (moved int, err error) {
	err = byHand{q.db, q.cfg}.transaction(ctx, func(tx *sql.Tx) error {
		var ids []int64
		rows, err := tx.QueryContext(ctx, readQueue)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if err := rows.Err(); err != nil || len(ids) == 0 {
			return err
		}
		for _, text := range []string{makeOrders, emptyQueue} {
			if _, err := tx.ExecContext(ctx, text+" WHERE ID IN "+list(ids)); err != nil {
				return err
			}
		}
		moved = len(ids)
		return nil
	})
	return moved, err
}

// Close implements Contender. The worker empties the queue first.
func (q *redisQueue) Close() error {
	close(q.stop)
	q.worker.Wait()
	return errors.Join(q.failed, q.redisRow.Close())
}

// keysAndRows are holds in Redis and the rows of the shop in MySQL.
type keysAndRows struct{ keys }

func (k keysAndRows) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	if err := k.keys.prepare(ctx, cfg, items, units); err != nil {
		return err
	}
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if err := createShop(ctx, db, cfg); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, createQueue)
		return err
	})
}

func (k keysAndRows) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	if books, err = k.keys.inspect(ctx, cfg); err != nil {
		return books, err
	}
	books.Loose = true
	err = withDB(ctx, cfg, func(db *sql.DB) error { return readShop(ctx, db, cfg, &books) })
	return books, err
}

func (k keysAndRows) clear(ctx context.Context, cfg Config) error {
	return errors.Join(k.keys.clear(ctx, cfg), dropDatabase(ctx, cfg))
}
