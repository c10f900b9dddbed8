package events

import (
	"testing"

	"github.com/holdfast-go/holdfast/internal/sqltest"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
)

func TestGoldenStatementsOfEvents(t *testing.T) {
	t.Parallel()
	sqltest.Golden(t, "event", "testdata/statements.sql",
		func(prefix string) []sqltest.Statement { return NewStatements(prefix).statements() })
}

// statements renders all of them; those that grow with a list for two.
func (q *Statements) statements() []sqltest.Statement {
	ids := []int64{1, 2}
	return []sqltest.Statement{
		{"Tell: two events", q.insertText(2)},
		{"Take 1: what is due", q.listDue + q.listDueOrder},
		{"Take 2: what is not done in their queues", mysql.RenderList(q.waiting, []string{"a", "b"}) + q.waitingUpTo},
		{"Take 3: the first of each queue that 2 was too short for", mysql.RenderList(q.heads, []string{"a", "b"}) + q.headsUpTo},
		{"Take 4: the first of the other queues, where it has failed", ofIDs(q.failing, ids)},
		{"Take 5: what waits for one that has failed rests with it", ofIDs(q.putOff, ids)},
		{"Take 6: lock the first of each queue, without those of others; before 5 what is to rest", ofIDs(q.lock, ids) + " SKIP LOCKED"},
		{
			"Take 7: what else is due, where that was not enough; then on with 2",
			q.listDue + q.listDueBehind + mysql.RenderList(q.listDueWithout, []string{"a", "b"}) + q.listDueOrder,
		},
		{"Take 8: nobody else gets them meanwhile", ofIDs(q.lease, ids)},
		{"Settle: done", ofIDs(q.done, ids)},
		{"Settle: given back", ofIDs(q.back, ids)},
		{"Settle: failed", ofIDs(q.failed, ids)},
		{"Settle: set aside", ofIDs(q.setAside, ids)},
		{"Redeliver: one event", q.read},
		{"Poisoned", q.listAside},
		{"Of a queue", q.listQueue},
		{"Prune 1: what was done", q.listDone},
		{"Prune 2: delete it", ofIDs(q.prune, ids)},
	}
}
