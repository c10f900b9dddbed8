package orm

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// gormOrder is a row of shop_order.
type gormOrder struct {
	No        int64 `gorm:"primaryKey"`
	ID        string
	Buyer     string
	Cents     int64
	Status    string
	CreatedAt time.Time
}

// TableName implements schema.Tabler.
func (*gormOrder) TableName() string { return "shop_order" }

// BeforeCreate is a hook. It runs with DryRun, and so does AfterCreate, though there is no row yet.
func (o *gormOrder) BeforeCreate(*gorm.DB) error {
	o.Status = "new"
	return nil
}

// GORM builds statements by GORM. It is safe for concurrent use.
type GORM struct{ db *gorm.DB }

// OpenGORM returns GORM on the pool of the store.
func OpenGORM(pool *sql.DB) (*GORM, error) {
	db, err := gorm.Open(mysql.New(mysql.Config{
		Conn:                 pool,
		DisableWithReturning: true, // on MariaDB; an INSERT with RETURNING does not merge
	}), nil)
	if err != nil {
		return nil, err
	}
	// DryRun alone would still send BEGIN and COMMIT.
	return &GORM{db.Session(&gorm.Session{DryRun: true, SkipDefaultTransaction: true})}, nil
}

// Insert is the INSERT of an order.
func (g *GORM) Insert(ctx context.Context, o Order) (Statement, error) {
	return built(g.db.WithContext(ctx).Create(&gormOrder{ID: o.ID, Buyer: o.Buyer, Cents: o.Cents, CreatedAt: o.CreatedAt}))
}

// Paid is the UPDATE of its status. Update would set updated_at as well, to another time for each order, and would not merge.
func (g *GORM) Paid(ctx context.Context, id string) (Statement, error) {
	return built(g.db.WithContext(ctx).Model(&gormOrder{}).Where("id = ?", id).UpdateColumn("status", "paid"))
}

func built(db *gorm.DB) (Statement, error) {
	return Statement{db.Statement.SQL.String(), db.Statement.Vars}, db.Error
}
