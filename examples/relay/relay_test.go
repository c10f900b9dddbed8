package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// asRelay has the test binary be a relay: the variable has its arguments.
const asRelay = "HOLDFAST_TEST_RELAY"

func TestMain(m *testing.M) {
	if args := os.Getenv(asRelay); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "|")...)
		main()
		return
	}
	os.Exit(m.Run())
}

// shop makes so many orders, each of which is paid and then refunded, and returns the DSN of its database and the events by queue.
func shop(t *testing.T, orders int) (dsn string, want map[string][]int64) {
	t.Helper()
	db := sqltest.Open(t, sqltest.Variants()[0])
	require.NoError(t, sqlstore.Migrate(t.Context(), db.DB, nil))
	inv := stock.New(sqlstore.NewStock(db.DB, &sqlstore.Options{Tell: []event.Kind{event.OrderPaid, event.OrderRefunded}}), nil)
	_, err := inv.Define(t.Context(), stock.Key{SKU: 1}, 1_000, stock.Terms{})
	require.NoError(t, err)
	for i := range orders {
		order := fmt.Sprint("order-", i)
		_, err := inv.Take(t.Context(), order, stock.Line{SKU: 1, Num: 1})
		require.NoError(t, err)
		_, err = inv.Refund(t.Context(), stock.Refund{ID: order, Order: order})
		require.NoError(t, err)
	}
	want = map[string][]int64{}
	rows, err := db.QueryContext(t.Context(), "SELECT EVENT_ID, QUEUE FROM goods_stock_event ORDER BY EVENT_ID")
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var queue string
		require.NoError(t, rows.Scan(&id, &queue))
		want[queue] = append(want[queue], id)
	}
	require.NoError(t, rows.Err())
	var name string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&name))
	config, err := mysql.ParseDSN(os.Getenv(sqltest.Variable))
	require.NoError(t, err)
	config.DBName = name
	return config.FormatDSN(), want
}

// receiver is what a receiver does: it keeps the events of each queue, but for those that it has had before.
type receiver struct {
	mu    sync.Mutex
	kept  map[string][]int64
	twice int
}

func (r *receiver) take(queue string, id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if had := r.kept[queue]; len(had) > 0 && id <= had[len(had)-1] {
		r.twice++
		return
	}
	if r.kept == nil {
		r.kept = map[string][]int64{}
	}
	r.kept[queue] = append(r.kept[queue], id)
}

// count returns how many events it has kept.
func (r *receiver) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ids := range r.kept {
		n += len(ids)
	}
	return n
}

// A relay that is killed while it passes events on to Kafka, again and again, loses none: each arrives at least once, and in order.
func TestARelayThatIsKilledLosesNoEvent(t *testing.T) {
	t.Parallel()
	const orders, topic = 150, "shop.events"
	dsn, want := shop(t, orders)
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topic))
	require.NoError(t, err)
	defer broker.Close()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(broker.ListenAddrs()...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer consumer.Close()

	relay := func() (kill func()) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		args := []string{"-dsn", dsn, "-brokers", strings.Join(broker.ListenAddrs(), ","), "-topic", topic, "-batch", "7", "-lease", "1s"}
		cmd.Env, cmd.Stderr = append(os.Environ(), asRelay+"="+strings.Join(args, "|")), os.Stderr
		require.NoError(t, cmd.Start())
		return func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	}
	var r receiver
	kills := 0
	for kill := relay(); r.count() < 2*orders; {
		before := r.count()
		consumer.PollFetches(t.Context()).EachRecord(func(record *kgo.Record) {
			id, err := strconv.ParseInt(string(record.Headers[0].Value), 10, 64)
			require.NoError(t, err)
			r.take(string(record.Key), id)
		})
		if before/60 < r.count()/60 && r.count() < 2*orders { // in the middle of its next batch, or of this one
			kill()
			kills++
			kill = relay()
		}
		if r.count() == 2*orders {
			kill()
		}
	}
	require.Equal(t, want, r.kept)
	require.Positive(t, kills)
	t.Logf("killed %d times; %d events came again", kills, r.twice)
}

// A webhook that fails at times has each event in order, under the ID that it had before.
func TestAWebhookThatFailsIsCalledAgain(t *testing.T) {
	t.Parallel()
	dsn, want := shop(t, 5)
	var r receiver
	failed := map[string]bool{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var m Message
		body, _ := io.ReadAll(req.Body)
		if err := json.Unmarshal(body, &m); err != nil || req.Header.Get(idHeader) != strconv.FormatInt(m.ID, 10) {
			t.Errorf("%s: %v", body, err)
		}
		r.mu.Lock()
		fails := !failed[m.Queue]
		failed[m.Queue] = true
		r.mu.Unlock()
		if fails {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		if r.take(m.Queue, m.ID); r.count() == 10 {
			cancel()
		}
	}))
	defer hook.Close()
	s := settings{dsn: dsn, webhook: hook.URL, Options: event.Options{RetryIn: time.Millisecond, Every: time.Millisecond}}
	require.ErrorIs(t, s.run(ctx), context.Canceled)
	require.Equal(t, want, r.kept)
}
