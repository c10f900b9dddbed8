package contender

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// teamSize is how many paid members form a team.
const teamSize = 3

// groupProduct is what all teams buy.
var groupProduct = stock.Key{SKU: 1, Activity: 1}

// fillers let callers fill teams: each number of a SKU is a place where one team after the other is opened, filled
// and, by its last payment, formed.
type fillers struct {
	mu     sync.Mutex
	places map[int64]*place
}

type place struct {
	mu    sync.Mutex
	code  string // of the team that is filling
	seats int
}

// fill opens a team where there is none to fill, or joins the one that there is.
func (f *fillers) fill(sku int64, open func() (string, error), join func(code string) error) error {
	f.mu.Lock()
	p := f.places[sku]
	if p == nil {
		p = &place{}
		f.places[sku] = p
	}
	f.mu.Unlock()
	p.mu.Lock()
	if p.seats == 0 {
		defer p.mu.Unlock()
		code, err := open()
		if err == nil {
			p.code, p.seats = code, 1
		}
		return err
	}
	code := p.code
	p.seats = (p.seats + 1) % teamSize
	p.mu.Unlock()
	return join(code)
}

// groups are teams as this library has them.
type groups struct {
	fillers

	db     *sql.DB
	groups *groupbuy.Groups
}

func openGroups(ctx context.Context, cfg Config) (Contender, error) {
	db, err := openPool(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &groups{
		fillers: fillers{places: map[int64]*place{}}, db: db,
		groups: groupbuy.New(sqlstore.NewGroupBuy(db, nil), &groupbuy.Options{HoldFor: cfg.HoldFor}),
	}, nil
}

// Lock implements Contender: it takes a seat.
func (g *groups) Lock(ctx context.Context, order Order) error {
	buyer, purchase := g.groups.For(order.No), groupbuy.Purchase{Order: order.No, Product: groupProduct, Volume: decimal.NewFromInt(1)}
	return g.fill(order.sku(), func() (string, error) {
		seat, err := buyer.Open(ctx, purchase)
		return seat.Team, err
	}, func(code string) error {
		_, err := buyer.Join(ctx, code, purchase)
		return err
	})
}

// Pay implements Contender.
func (g *groups) Pay(ctx context.Context, order Order) error {
	payment, err := g.groups.Pay(ctx, order.No)
	if err == nil && payment.Due {
		return payment.Why
	}
	return err
}

// Cancel implements Contender.
func (g *groups) Cancel(ctx context.Context, order Order) error {
	_, err := g.groups.Cancel(ctx, order.No)
	return err
}

// Close implements Contender.
func (g *groups) Close() error { return g.db.Close() }

// plainGroups are two statements a transaction, in the same tables: a row of the seat and a guarded UPDATE of its
// team. It knows no stock, no limits, no repeated call and no event.
type plainGroups struct {
	fillers
	byHand
}

func openPlainGroups(ctx context.Context, cfg Config) (Contender, error) {
	h, err := openByHand(ctx, cfg)
	return &plainGroups{fillers: fillers{places: map[int64]*place{}}, byHand: h}, err
}

// The statements of plainGroups.
const (
	insertSeat = "INSERT INTO egl_group_participation (ORDER_NO, TEAM_CODE, ACTIVITY_ID, SKU_ID, BUYER_ID, VOLUME, NAME, AVATAR, ADDRESS," +
		" PLACES, SHIPPING_FEE, BALANCE_USED, SPONSOR, STATE, LIVE, START_TIME, EXPIRE_TIME, UPDATE_TIME)" +
		" VALUES (?, ?, 1, 1, ?, 1, '', '', '', 2, 0, 0, ?, 1, 1, UTC_TIMESTAMP(6), TIMESTAMPADD(MICROSECOND, ?, UTC_TIMESTAMP(6))," +
		" UTC_TIMESTAMP(6))"
	insertTeam = "INSERT INTO egl_group_team (CODE, ACTIVITY_ID, SKU_ID, PLACES, PRICE, GROUP_PRICE, MEMBER_ONLY, FREE_SHIPPING," +
		" PEOPLE_LIMIT, VOLUME_LIMIT, VOLUME_UNITS, PEOPLE_MIN, VOLUME_MIN, STATUS, SPONSOR_ID, SPONSOR_ORDER, HELD_NUM, PAID_NUM," +
		" PAID_VOLUME, START_TIME, END_TIME, UPDATE_TIME)" +
		" VALUES (?, 1, 1, 2, 1000, 800, 0, 0, ?, 0, 1, 0, 0, 0, ?, ?, 1, 0, 0, UTC_TIMESTAMP(6), TIMESTAMPADD(HOUR, 1, UTC_TIMESTAMP(6))," +
		" UTC_TIMESTAMP(6))"
	takeSeat = "UPDATE egl_group_team SET HELD_NUM = HELD_NUM + 1, UPDATE_TIME = UTC_TIMESTAMP(6), VERSION = VERSION + 1" +
		" WHERE CODE = ? AND STATUS = 0 AND END_TIME > UTC_TIMESTAMP(6) AND HELD_NUM + PAID_NUM < PEOPLE_LIMIT"
	paySeat = "UPDATE egl_group_participation SET STATE = 2, PAY_TIME = UTC_TIMESTAMP(6), UPDATE_TIME = UTC_TIMESTAMP(6)" +
		" WHERE ORDER_NO = ? AND STATE = 1 AND EXPIRE_TIME > UTC_TIMESTAMP(6)"
	payTeam = "UPDATE egl_group_team t JOIN egl_group_participation p ON p.TEAM_CODE = t.CODE" +
		" SET t.STATUS = IF(t.PAID_NUM + 1 >= t.PEOPLE_LIMIT, 1, 0), t.HELD_NUM = t.HELD_NUM - 1," +
		" t.PAID_NUM = t.PAID_NUM + 1, t.VERSION = t.VERSION + 1 WHERE p.ORDER_NO = ?"
)

// Lock implements Contender.
func (g *plainGroups) Lock(ctx context.Context, order Order) error {
	return g.fill(order.sku(), func() (string, error) {
		code := order.No[len(order.No)-10:]
		return code, g.transaction(ctx, func(tx *sql.Tx) error {
			if err := g.seat(ctx, tx, order.No, code, 1); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, insertTeam, code, teamSize, order.No, order.No)
			return err
		})
	}, func(code string) error {
		return g.transaction(ctx, func(tx *sql.Tx) error {
			if err := g.seat(ctx, tx, order.No, code, 0); err != nil {
				return err
			}
			return one(ctx, tx, ErrSoldOut, takeSeat, code)
		})
	})
}

func (g *plainGroups) seat(ctx context.Context, tx *sql.Tx, order, code string, sponsor int) error {
	_, err := tx.ExecContext(ctx, insertSeat, order, code, order, sponsor, g.cfg.HoldFor.Microseconds())
	return err
}

// Pay implements Contender.
func (g *plainGroups) Pay(ctx context.Context, order Order) error {
	return g.transaction(ctx, func(tx *sql.Tx) error {
		if err := one(ctx, tx, errNotLocked, paySeat, order.No); err != nil {
			return err
		}
		return one(ctx, tx, errNotLocked, payTeam, order.No)
	})
}

// Cancel implements Contender.
func (*plainGroups) Cancel(context.Context, Order) error { return errors.ErrUnsupported }

// teams are the tables of group buying, with one product that has units for all.
type teams struct{ plain bool }

func (teams) prepare(ctx context.Context, cfg Config, _ int, units int64) error {
	if err := createDatabase(ctx, cfg); err != nil {
		return err
	}
	return withDB(ctx, cfg, func(db *sql.DB) error {
		if err := sqlstore.Migrate(ctx, db, nil); err != nil {
			return fmt.Errorf("contender: %w", err)
		}
		if _, err := stock.New(sqlstore.NewStock(db, nil), nil).Define(ctx, stock.Key{SKU: 1}, units, stock.Terms{}); err != nil {
			return err
		}
		all := groupbuy.New(sqlstore.NewGroupBuy(db, nil), nil)
		_, err := all.Define(ctx, groupbuy.Activity{ID: 1, Title: "bench", Formation: time.Hour, End: time.Now().Add(24 * time.Hour)})
		if err != nil {
			return err
		}
		_, err = all.Offer(ctx, groupbuy.Product{Key: groupProduct, Name: "bench", Terms: groupbuy.Terms{
			Places: 2, Price: decimal.NewFromInt(10), GroupPrice: decimal.NewFromInt(8), People: teamSize, UnitsPerVolume: 1,
		}}, units)
		return err
	})
}

func (t teams) inspect(ctx context.Context, cfg Config) (books Books, err error) {
	err = withDB(ctx, cfg, func(db *sql.DB) error {
		if t.plain {
			books.NoHolds = true
			row := db.QueryRowContext(ctx, "SELECT COALESCE(SUM(HELD_NUM), 0), COALESCE(SUM(PAID_NUM), 0), COALESCE(SUM(PEOPLE_LIMIT), 0)"+
				" FROM egl_group_team")
			err := row.Scan(&books.Locked, &books.Sold, &books.Total)
			books.Live, books.Paid = books.Locked, books.Sold
			books.LiveUnits, books.PaidUnits = books.Locked, books.Sold
			return err
		}
		if books, err = readBooks(ctx, db, itemTable); err != nil {
			return err
		}
		report, err := groupbuy.New(sqlstore.NewGroupBuy(db, nil), nil).Audit(ctx)
		for _, drift := range report.Drifts {
			books.Drifts = append(books.Drifts, drift.String())
		}
		for _, drift := range report.Units.Drifts {
			books.Drifts = append(books.Drifts, drift.String())
		}
		for _, seat := range report.Mismatched {
			books.Drifts = append(books.Drifts, fmt.Sprintf("seat %s is %v, its hold %v", seat.Order, seat.State, seat.Hold))
		}
		return err
	})
	return books, err
}

func (teams) clear(ctx context.Context, cfg Config) error { return dropDatabase(ctx, cfg) }
