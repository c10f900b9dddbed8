package orm

import (
	"context"
	"database/sql"
	"reflect"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/mysqldialect"
	"github.com/uptrace/bun/schema"
)

// bunOrder is a row of shop_order.
type bunOrder struct {
	bun.BaseModel `bun:"table:shop_order"`

	No        int64 `bun:",pk,autoincrement"`
	ID        string
	Buyer     string
	Cents     int64
	Status    string
	CreatedAt time.Time
}

// Bun builds statements by bun. It is safe for concurrent use.
type Bun struct{ db *bun.DB }

// OpenBun returns bun on the pool of the store.
func OpenBun(pool *sql.DB) *Bun { return &Bun{bun.NewDB(pool, mysqldialect.New())} }

// marks is a dialect that has no name: bun then writes ? in place of each value. By itself it writes values into the text. Such
// texts do not merge, and Along refuses them where a value has a backslash.
type marks struct{ schema.Dialect }

// Name implements schema.Dialect.
func (marks) Name() dialect.Name { return dialect.Invalid }

// text is a query with a mark for each value.
func (b *Bun) text(query schema.QueryAppender) (string, error) {
	text, err := query.AppendQuery(schema.NewQueryGen(marks{b.db.Dialect()}), nil)
	return string(text), err
}

// Insert is the INSERT of an order.
func (b *Bun) Insert(_ context.Context, o Order) (Statement, error) {
	return b.insert(&bunOrder{ID: o.ID, Buyer: o.Buyer, Cents: o.Cents, Status: "new", CreatedAt: o.CreatedAt})
}

// insert is the INSERT of any model, with all columns but the one that the server counts.
func (b *Bun) insert(model any) (s Statement, err error) {
	row := reflect.ValueOf(model).Elem()
	query := b.db.NewInsert().Model(model)
	for _, field := range b.db.Table(row.Type()).Fields {
		if !field.AutoIncrement {
			query.Column(field.Name)
			s.Args = append(s.Args, field.Value(row).Interface())
		}
	}
	s.Text, err = b.text(query)
	return s, err
}

// Paid is the UPDATE of its status.
func (b *Bun) Paid(_ context.Context, id string) (Statement, error) {
	text, err := b.text(b.db.NewUpdate().Model((*bunOrder)(nil)).Set("status = ?").Where("id = ?"))
	return Statement{text, []any{"paid", id}}, err
}
