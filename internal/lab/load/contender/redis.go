package contender

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// The scripts of a careful engineer: an item is a hash of its counters, a hold is a hash under the order's number, and each step
// checks and does all in one, for a unit of each item. There is no index by deadline, which an expiry would need; that is in favour
// of Redis here.
const (
	lockScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 2 end
for i = 2, #KEYS do
  local item = redis.call('HMGET', KEYS[i], 'left', 'locked')
  if tonumber(item[1]) - tonumber(item[2]) < 1 then return 0 end
end
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
for i = 2, #KEYS do redis.call('HINCRBY', KEYS[i], 'locked', 1) end
redis.call('HSET', KEYS[1], 'skus', ARGV[1], 'num', #KEYS - 1, 'state', 1,
  'deadline', string.format('%.0f', at + ARGV[2]), 'created', string.format('%.0f', at))
return 1`
	settleScript = `
local hold = redis.call('HMGET', KEYS[1], 'state', 'deadline')
if hold[1] ~= '1' then return 0 end
local now = redis.call('TIME')
local at = now[1] * 1000000 + now[2]
if tonumber(hold[2]) <= at then return 0 end
for i = 2, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'locked', -1)
  if ARGV[1] == '2' then
    redis.call('HINCRBY', KEYS[i], 'left', -1)
    redis.call('HINCRBY', KEYS[i], 'sold', 1)
  end
end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'updated', string.format('%.0f', at))
return 1`
	// countScript adds up some of the holds: their number, and orders and units of those that are locked and of those that are paid.
	countScript = `
local page = redis.call('SCAN', ARGV[1], 'MATCH', 'hold:*', 'COUNT', 10000)
local holds, live, liveUnits, paid, paidUnits = 0, 0, 0, 0, 0
for _, key in ipairs(page[2]) do
  local hold = redis.call('HMGET', key, 'state', 'num')
  holds = holds + 1
  if hold[1] == '1' then live, liveUnits = live + 1, liveUnits + hold[2] end
  if hold[1] == '2' then paid, paidUnits = paid + 1, paidUnits + hold[2] end
end
return {tonumber(page[1]), holds, live, liveUnits, paid, paidUnits}`
)

// evaluator runs a script that Redis has.
type evaluator interface {
	EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd
}

// onRedis is a contender on Redis.
type onRedis struct {
	client       *redis.Client
	eval         evaluator
	lock, settle string // the names that Redis has given to the scripts
	holdFor      int64
}

func dialRedis(cfg Config) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: cfg.Redis, PoolSize: cfg.Pool, MinIdleConns: cfg.Pool,
		PoolTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute, // queues are what is measured
		MaxRetries: -1, DisableIdentity: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if cfg.Delay > 0 {
				return dialSlow(ctx, network, addr, cfg.Delay)
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	})
}

func openRedis(ctx context.Context, cfg Config) (Contender, error) { return connectRedis(ctx, cfg) }

func openRedisPipelined(ctx context.Context, cfg Config) (Contender, error) {
	r, err := connectRedis(ctx, cfg)
	if err != nil {
		return nil, err
	}
	pipeline, err := r.client.AutoPipeline()
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("contender: %w", err)
	}
	r.eval = pipeline
	return r, nil
}

func connectRedis(ctx context.Context, cfg Config) (*onRedis, error) {
	client := dialRedis(cfg)
	r := &onRedis{client: client, eval: client, holdFor: cfg.HoldFor.Microseconds()}
	var err error
	if r.lock, err = client.ScriptLoad(ctx, lockScript).Result(); err == nil {
		r.settle, err = client.ScriptLoad(ctx, settleScript).Result()
	}
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("contender: Redis at %s: %w", cfg.Redis, err)
	}
	return r, nil
}

// Lock implements Contender.
func (r *onRedis) Lock(ctx context.Context, order Order) error {
	return r.run(ctx, r.lock, ErrSoldOut, order, list(order.SKUs), r.holdFor)
}

// Pay implements Contender.
func (r *onRedis) Pay(ctx context.Context, order Order) error {
	return r.run(ctx, r.settle, errNotLocked, order, statePaid)
}

// Cancel implements Contender.
func (r *onRedis) Cancel(ctx context.Context, order Order) error {
	return r.run(ctx, r.settle, errNotLocked, order, stateCancelled)
}

func (r *onRedis) run(ctx context.Context, script string, refusal error, order Order, args ...any) error {
	answer, err := r.eval.EvalSha(ctx, script, keysOf(order), args...).Int()
	if err == nil && answer == 0 {
		return refusal
	}
	return err
}

// keysOf are those that a script works on.
func keysOf(order Order) []string {
	names := []string{"hold:" + order.No}
	for _, sku := range order.SKUs {
		names = append(names, itemKey(sku))
	}
	return names
}

// Close implements Contender.
func (r *onRedis) Close() error { return r.client.Close() }

func itemKey(sku int64) string { return "stock:" + strconv.FormatInt(sku, 10) }

// keys are all that Redis has: it is ours alone.
type keys struct{ fsync string }

func (k keys) prepare(ctx context.Context, cfg Config, items int, units int64) error {
	return withRedis(cfg, func(client *redis.Client) error {
		if err := client.FlushAll(ctx).Err(); err != nil {
			return err
		}
		if err := client.ConfigSet(ctx, "appendfsync", k.fsync).Err(); err != nil {
			return err
		}
		pipeline := client.Pipeline()
		for i := range items {
			pipeline.HSet(ctx, itemKey(int64(i)+1), "left", units, "locked", 0, "sold", 0, "total", units)
		}
		_, err := pipeline.Exec(ctx)
		return err
	})
}

// inspect adds up the counters of the items, as far as there are any, and the holds.
func (keys) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withRedis(cfg, func(client *redis.Client) error {
		for sku := int64(1); ; sku++ {
			var item struct {
				Locked int64 `redis:"locked"`
				Sold   int64 `redis:"sold"`
				Total  int64 `redis:"total"`
			}
			if err := client.HGetAll(ctx, itemKey(sku)).Scan(&item); err != nil {
				return err
			}
			if item.Total == 0 {
				break
			}
			books.Locked += item.Locked
			books.Sold += item.Sold
			books.Total += item.Total
		}
		return countHolds(ctx, client, &books)
	})
	return books, err
}

// countHolds adds up the holds, some at a time. Nothing moves, so none comes twice.
func countHolds(ctx context.Context, client *redis.Client, books *Books) error {
	for cursor := int64(0); ; {
		page, err := client.Eval(ctx, countScript, nil, cursor).Int64Slice()
		if err != nil {
			return err
		}
		cursor = page[0]
		books.Holds += page[1]
		books.Live += page[2]
		books.LiveUnits += page[3]
		books.Paid += page[4]
		books.PaidUnits += page[5]
		if cursor == 0 {
			return nil
		}
	}
}

func (keys) clear(ctx context.Context, cfg Config) error {
	return withRedis(cfg, func(client *redis.Client) error { return client.FlushAll(ctx).Err() })
}

func withRedis(cfg Config, do func(*redis.Client) error) error {
	client := dialRedis(Config{Redis: cfg.Redis, Pool: 1})
	defer client.Close()
	if err := do(client); err != nil {
		return fmt.Errorf("contender: Redis at %s: %w", cfg.Redis, err)
	}
	return nil
}
