package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/sqlstore"
)

// redPackets grabs shares: each order number is another person.
type redPackets struct {
	db      *sql.DB
	packets *redpacket.Packets
}

func openRedPackets(opts *sqlstore.Options) func(context.Context, Config) (Contender, error) {
	return func(ctx context.Context, cfg Config) (Contender, error) {
		db, err := openPool(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return &redPackets{db: db, packets: redpacket.New(sqlstore.NewRedPacket(db, opts), nil)}, nil
	}
}

// Lock implements Contender: it grabs a share of the packet that the SKU numbers.
func (r *redPackets) Lock(ctx context.Context, order Order) error {
	_, err := r.packets.For(order.No).Grab(ctx, order.sku())
	if errors.Is(err, redpacket.ErrFinished) {
		return ErrSoldOut
	}
	return err
}

// Pay implements Contender.
func (r *redPackets) Pay(context.Context, Order) error { return errors.ErrUnsupported }

// Cancel implements Contender.
func (r *redPackets) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// Close implements Contender.
func (r *redPackets) Close() error { return r.db.Close() }

// packets are the tables of red packets. Each has as many shares as one can have, of 10 on average.
type packets struct{}

func (packets) prepare(ctx context.Context, cfg Config, items int, _ int64) error {
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		all := redpacket.New(sqlstore.NewRedPacket(db, nil), nil)
		for packet := range items {
			id := int64(packet) + 1
			_, err := all.Send(ctx, redpacket.Packet{
				ID: id, Sender: "1", Places: 2, Total: decimal.NewFromInt(10 * redpacket.MaxCount), Count: redpacket.MaxCount,
			})
			if err == nil {
				_, err = all.Confirm(ctx, id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (packets) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if books, err = readBooks(ctx, db, "red_packet_stock"); err != nil {
			return err
		}
		var senders int64 // who may not grab: their holds are closed beforehand, one a packet
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM red_packet_stock").Scan(&senders); err != nil {
			return err
		}
		books.Holds -= senders
		report, err := redpacket.New(sqlstore.NewRedPacket(db, nil), nil).Audit(ctx)
		for _, drift := range report.Drifts {
			books.Drifts = append(books.Drifts, drift.String())
		}
		return err
	})
	return books, err
}

func (packets) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }
