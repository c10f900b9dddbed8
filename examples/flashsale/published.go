package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-go/holdfast/examples/internal/demo"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// published is stock as the published design has it: one row of counters that every order
// shares, and UPDATEs that do not know which order they are for. What a shop would add around
// it is here as well, and kind to it: a list of open orders whose overdue ones are cancelled.
type published struct {
	db      *sql.DB
	table   string
	holdFor time.Duration
	expired func(order string) // is told about the orders that were closed overdue

	mu    sync.Mutex
	open  map[string]time.Time // the deadline of each order that is neither paid nor closed
	ended map[string]stock.State

	countedTwice int // payments that were counted though the order was paid
	paidClosed   int // payments that were counted though the order was closed: another's lock paid for it
}

// The columns of the published table, and its UPDATEs.
const (
	publishedColumns = `
	ID             BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	SPU_ID         BIGINT NOT NULL,
	SKU_ID         BIGINT NOT NULL,
	STOCK_LEFT_NUM BIGINT NOT NULL,
	STOCK_SALE_NUM BIGINT NOT NULL,
	STOCK_LOCK_NUM BIGINT NOT NULL,
	STOCK_TOTAL_NUM BIGINT NOT NULL,
	STATUS         TINYINT NOT NULL DEFAULT 0,
	CREATE_TIME    DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
	UPDATE_TIME    DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
	VERSION        BIGINT NOT NULL DEFAULT 0,
	KEY (SKU_ID)`

	publishedLock = `UPDATE %s SET STOCK_LOCK_NUM = STOCK_LOCK_NUM + 1
	WHERE SKU_ID = ? AND STOCK_LEFT_NUM >= 1`
	publishedCancel = `UPDATE %s SET STOCK_LOCK_NUM = STOCK_LOCK_NUM - 1
	WHERE SKU_ID = ?`
	publishedPay = `UPDATE %s SET STOCK_SALE_NUM = STOCK_SALE_NUM + 1, STOCK_LOCK_NUM = STOCK_LOCK_NUM - 1, STOCK_LEFT_NUM = STOCK_LEFT_NUM - 1
	WHERE SKU_ID = ? AND STOCK_LOCK_NUM >= 1`
	publishedRefund = `UPDATE %s SET STOCK_SALE_NUM = STOCK_SALE_NUM - 1, STOCK_LEFT_NUM = STOCK_LEFT_NUM + 1
	WHERE SKU_ID = ?`
)

// newPublished creates the published table with its one row.
func newPublished(ctx context.Context, box *demo.Sandbox, units int64, holdFor time.Duration, expired func(string)) (*published, error) {
	table, err := box.CreateTable(ctx, "published", publishedColumns)
	if err != nil {
		return nil, err
	}
	_, err = box.DB.ExecContext(ctx, "INSERT INTO "+table+" (SPU_ID, SKU_ID, STOCK_LEFT_NUM, STOCK_SALE_NUM, STOCK_LOCK_NUM, STOCK_TOTAL_NUM) VALUES (1, ?, ?, 0, 0, ?)",
		item.SKU, units, units)
	if err != nil {
		return nil, box.Explain(err)
	}
	return &published{
		db: box.DB, table: table, holdFor: holdFor, expired: expired,
		open: map[string]time.Time{}, ended: map[string]stock.State{},
	}, nil
}

// Lock implements seller.
func (p *published) Lock(ctx context.Context, order string, _ ...stock.Line) (stock.Hold, error) {
	deadline := time.Now().Add(p.holdFor)
	if err := p.update(ctx, publishedLock, stock.ErrInsufficient); err != nil {
		return stock.Hold{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[order] = deadline
	return stock.Hold{Order: order, State: stock.Locked, Deadline: deadline}, nil
}

// Pay implements seller.
func (p *published) Pay(ctx context.Context, order string) (stock.Outcome, error) {
	if err := p.update(ctx, publishedPay, stock.ErrExpired); err != nil {
		return stock.Outcome{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.ended[order] {
	case stock.Paid:
		p.countedTwice++
	case stock.Expired:
		p.paidClosed++
	default:
	}
	delete(p.open, order)
	p.ended[order] = stock.Paid
	return stock.Outcome{Order: order, State: stock.Paid}, nil
}

// Cancel implements seller.
func (p *published) Cancel(ctx context.Context, order string) (stock.Outcome, error) {
	if err := p.update(ctx, publishedCancel, stock.ErrDrift); err != nil {
		return stock.Outcome{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, order)
	return stock.Outcome{Order: order, State: stock.Cancelled}, nil
}

// Refund implements seller.
func (p *published) Refund(ctx context.Context, refund stock.Refund) (stock.Refund, error) {
	return refund, p.update(ctx, publishedRefund, stock.ErrDrift)
}

// Expire implements seller: the shop cancels what it finds overdue in its own list.
func (p *published) Expire(ctx context.Context) (int, error) {
	var overdue []string
	now := time.Now()
	p.mu.Lock()
	for order, deadline := range p.open {
		if !now.Before(deadline) {
			overdue = append(overdue, order)
			delete(p.open, order)
			p.ended[order] = stock.Expired
		}
	}
	p.mu.Unlock()
	for i, order := range overdue {
		if err := p.update(ctx, publishedCancel, stock.ErrDrift); err != nil {
			return i, err
		}
		p.expired(order)
	}
	return len(overdue), nil
}

// Run implements seller.
func (p *published) Run(ctx context.Context) error {
	for demo.Rest(ctx, p.holdFor/4) {
		if _, err := p.Expire(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// update runs one of the UPDATEs. It returns the refusal where that changed no row.
func (p *published) update(ctx context.Context, statement string, refusal error) error {
	result, err := p.db.ExecContext(ctx, fmt.Sprintf(statement, p.table), item.SKU)
	switch {
	case sqlstore.Retryable(err):
		return errors.Join(stock.ErrUnavailable, err)
	case err != nil:
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed > 0 {
		return err
	}
	return refusal
}

// counters reads the row.
func (p *published) counters(ctx context.Context) (q stock.Quantities, err error) {
	err = p.db.QueryRowContext(ctx, "SELECT STOCK_TOTAL_NUM, STOCK_SALE_NUM, STOCK_LOCK_NUM, STOCK_LEFT_NUM FROM "+p.table+" WHERE SKU_ID = ?", item.SKU).
		Scan(&q.Total, &q.Sold, &q.Locked, &q.Left)
	return q, err
}
