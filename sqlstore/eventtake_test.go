package sqlstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock/event"
)

// openRow is an event of a queue that is not done: when it is due, counted from the start, and how often it has failed.
type openRow struct {
	queue    string
	due      time.Duration
	failures int
}

// tells writes events that are not done, in this order.
func (f fixture) tells(rows ...openRow) {
	f.t.Helper()
	values := make([]string, len(rows))
	for i, r := range rows {
		values[i] = fmt.Sprintf("('%s', 6, TIMESTAMPADD(MICROSECOND, %d, TIMESTAMP'%s'), %d, %[4]d, UTC_TIMESTAMP(6))",
			r.queue, r.due.Microseconds(), start.UTC().Format("2006-01-02 15:04:05.000000"), r.failures)
	}
	const insert = "INSERT INTO goods_stock_event (QUEUE, KIND, DUE_TIME, FAILURES, DELIVERIES, CREATE_TIME) VALUES "
	run(f.t, f.db, insert+strings.Join(values, ", "))
}

// repeat returns so many events alike.
func repeat(n int, row openRow) []openRow {
	rows := make([]openRow, n)
	for i := range rows {
		rows[i] = row
	}
	return rows
}

// takes returns the queues of the events that a Take gets.
func takes(t testing.TB, store event.Store, limit int) (queues []string) {
	t.Helper()
	for _, e := range must(store.Take(t.Context(), limit, time.Minute))(t) {
		queues = append(queues, e.Queue)
	}
	return queues
}

// A deliverer looks just before an event that has failed is due again, and wants its followers to rest. Before it comes to that,
// another one has leased all of them: the lease stays as long as it was promised.
func TestWhatRestsBehindAFailureKeepsTheLeaseThatItHasMeanwhile(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"FROM goods_stock_event FORCE INDEX (goods_stock_event_queue)", "SET DUE_TIME = LEAST("} {
		f := frozen(t, defaults, stockTables)
		f.tells(openRow{"order/a", time.Millisecond, 1}, openRow{"order/a", 0, 0}, openRow{"order/a", 0, 0})
		other := f.another()
		other.Wire.Advance(time.Millisecond)
		early, late := sqlstore.NewEvents(other.DB, nil), sqlstore.NewEvents(f.db.DB, nil)
		var leased []event.Event
		interfere := func() { leased = must(early.Take(t.Context(), 2, time.Minute))(t) }
		if strings.HasPrefix(when, "SET") {
			f.db.Wire.Before(when, interfere)
		} else {
			f.db.Wire.After(when, interfere)
		}
		require.Empty(t, takes(t, late, 3))
		require.NotEmpty(t, leased)
		require.NoError(t, of(early.Settle(t.Context(), []event.Result{{Event: leased[0], Done: true}})))
		f.db.Wire.Advance(20 * time.Second) // the second of them is at the handler, unless it rested first
		for _, e := range must(late.Take(t.Context(), 3, time.Minute))(t) {
			require.Len(t, leased, 1, "%s: %v is taken, which is leased", when, e)
		}
	}
}

// However long a queue is whose first event is at a slow handler: the others are found.
func TestALongQueueAtAHandlerHidesNobody(t *testing.T) {
	t.Parallel()
	for name, behind := range map[string][]openRow{
		"due":         repeat(3_700, openRow{queue: "item/1/0"}),
		"put off":     append(repeat(3_700, openRow{queue: "item/1/0", due: 5 * time.Second}), openRow{queue: "item/1/0"}),
		"some of all": append(repeat(100, openRow{queue: "item/1/0"}), repeat(3_700, openRow{queue: "item/1/0", due: 5 * time.Second})...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := frozen(t, defaults, stockTables)
			f.tells(openRow{queue: "item/1/0", due: time.Minute})
			f.tells(behind...)
			f.tells(openRow{queue: "order/z"})
			require.Equal(t, []string{"order/z"}, takes(t, sqlstore.NewEvents(f.db.DB, nil), 16))
		})
	}
}

// The same for more queues than one statement names.
func TestManyQueuesAtHandlersHideNobody(t *testing.T) {
	t.Parallel()
	f := frozen(t, defaults, stockTables)
	var rows []openRow
	for i := range 1_200 {
		queue := fmt.Sprintf("item/%d/0", i)
		rows = append(rows, openRow{queue: queue, due: time.Minute}, openRow{queue: queue}, openRow{queue: queue})
	}
	for i := range 1_200 {
		rows = append(rows, openRow{queue: fmt.Sprintf("item/%d/0", i)})
	}
	f.tells(append(rows, openRow{queue: "order/z"}, openRow{queue: "order/z"})...)
	require.Equal(t, []string{"order/z", "order/z"}, takes(t, sqlstore.NewEvents(f.db.DB, nil), 16))
}

// While one deliverer is about to lease the first events of a long queue, another one goes on with what is behind that queue.
func TestALongQueueThatIsBeingTakenHidesNobody(t *testing.T) {
	t.Parallel()
	f := frozen(t, defaults, stockTables)
	f.tells(append(repeat(100, openRow{queue: "item/1/0"}), openRow{queue: "order/z"})...)
	var others []string
	f.db.Wire.Before("DELIVERIES = DELIVERIES + 1", func() { others = takes(t, sqlstore.NewEvents(f.another().DB, nil), 16) })
	require.Len(t, takes(t, sqlstore.NewEvents(f.db.DB, nil), 16), 16)
	require.Equal(t, []string{"order/z"}, others)
}

// What a Take reads and changes where many queues wait is found by an index as well, and none of it is sorted.
func TestTakeBehindWhatWaitsScansNoTable(t *testing.T) {
	t.Parallel()
	sqltest.NeedsInnoDB(t, "which index a plan uses")
	f := frozen(t, defaults, stockTables)
	done := make([]string, 4_000)
	for i := range done {
		done[i] = fmt.Sprintf("('item/%d/0', 6, 1, TIMESTAMP'2020-01-01 00:00:00', UTC_TIMESTAMP(6))", i%20)
	}
	run(t, f.db, "INSERT INTO goods_stock_event (QUEUE, KIND, STATE, DUE_TIME, CREATE_TIME) VALUES "+strings.Join(done, ", "))
	for i := range 20 {
		queue := fmt.Sprintf("item/%d/0", i)
		f.tells(append(repeat(30, openRow{queue: queue}), openRow{queue: queue, due: time.Minute}, openRow{queue: queue})...)
		if i < 10 {
			f.tells(openRow{queue: fmt.Sprint("order/", i), due: time.Minute, failures: i % 2})
			f.tells(repeat(20, openRow{queue: fmt.Sprint("order/", i)})...)
		}
	}
	run(t, f.db, "ANALYZE TABLE goods_stock_event")
	store, sent := sqlstore.NewEvents(f.db.DB, nil), map[string]bool{}
	for _, part := range []string{"MIN(EVENT_ID)", "ORDER BY QUEUE, EVENT_ID", "FAILURES > 0", "LEAST(", "NOT IN"} {
		sent[part] = false
		f.db.Wire.Before(part, func() { sent[part] = true })
	}
	scansNoTable(t, f.db, []planCase{
		{"Take", "goods_stock_event_queue", false, func() error { return of(store.Take(t.Context(), 200, time.Minute)) }},
		{"Take of the rest", "goods_stock_event_due", false, func() error { return of(store.Take(t.Context(), 900, time.Minute)) }},
		{"Take of nothing", "PRIMARY", false, func() error { return of(store.Take(t.Context(), 16, time.Minute)) }},
	})
	for part, is := range sent {
		require.True(t, is, part)
	}
}
