package coupons

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
)

const (
	codeRows   = 5_000 // of one INSERT
	codeRounds = 10    // tries while other calls add the same codes
)

// AddCodes implements coupon.Store. It first assumes that all codes are new, and looks them up only if one is not.
func (c *Store) AddCodes(
	ctx context.Context, campaign, have int64, codes []string, actor, reason string,
) ([]int64, stock.Verdict, error) {
	defer c.units.Freed(stock.Key{SKU: campaign})
	owners, fresh := make([]int64, len(codes)), codes
	look := c.units.Bound() // where an INSERT that collides would lock the places of other codes
	for range codeRounds {
		if look {
			var err error
			if owners, fresh, err = c.owners(ctx, codes); err != nil {
				return nil, stock.Refused, err
			}
		}
		look = true
		kept, err := c.units.Atomically(ctx, func(q mysql.Tx) (bool, error) { return c.grow(ctx, q, campaign, have, fresh, actor, reason) })
		switch {
		case mysql.Number(err) != mysql.ErrDuplicate && (err != nil || !kept):
			return nil, stock.Refused, err
		case err == nil:
			return owners, stock.Done, nil
		}
	}
	return nil, stock.Refused, &stock.ContentionError{Verb: "add codes", ID: strconv.FormatInt(campaign, 10)}
}

// grow adds codes to a pool, and as many units to its campaign. It locks the row of the pool first: so positions have no
// gaps, and two calls that fill a pool take turns. It locks the row of the campaign last, because claims need it.
func (c *Store) grow(
	ctx context.Context, q mysql.Tx, campaign, have int64, codes []string, actor, reason string,
) (bool, error) {
	num := int64(len(codes))
	before, err := c.growPool(ctx, q, campaign, num)
	if err != nil || have >= 0 && before != have {
		return false, err
	}
	if num == 0 {
		found := false
		err := mysql.Read(ctx, q, mysql.Render(c.sql.lockCampaign, campaign), func(*sql.Rows) error { found = true; return nil })
		return found, err
	}
	behind := before
	for part := range slices.Chunk(codes, codeRows) {
		if _, err := q.ExecContext(ctx, c.sql.insertCodes(campaign, behind, part)); err != nil {
			return false, err
		}
		behind += int64(len(part))
	}
	key := stock.Key{SKU: campaign}
	err = c.units.Record(ctx, q, stock.Change{Kind: stock.KindImport, ID: key.Serial(before + 1), Entries: []stock.Entry{
		{Key: key, Delta: stock.StepRestock.Transition().Delta.Times(num)},
	}, Actor: actor, Reason: reason})
	if err != nil {
		return false, mysql.Unclaimed(err)
	}
	rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(c.sql.addUnits, num, num, campaign)))
	return rows > 0, err
}

// growPool adds to the number of codes of a pool, and returns the number before. In the caller's transaction it reads the
// number, because LAST_INSERT_ID belongs to the caller.
func (c *Store) growPool(ctx context.Context, q mysql.Tx, campaign, num int64) (before int64, err error) {
	if !c.units.Bound() {
		result, err := q.ExecContext(ctx, mysql.Render(c.sql.growPool, campaign, num, num))
		if err != nil {
			return 0, err
		}
		after, err := result.LastInsertId()
		return after - num, err
	}
	free := c.sql.blankPool.Of(campaign)
	if err := mysql.Insert(ctx, q, free.Insert, free.TakeBack); err != nil {
		return 0, err
	}
	if err := mysql.ReadRow(ctx, q, mysql.Render(c.sql.readPool, campaign)+" FOR UPDATE", &before); err != nil {
		return 0, err
	}
	_, err = q.ExecContext(ctx, mysql.Render(c.sql.growBound, num, campaign))
	return before, err
}

// owners returns the campaigns of some codes, 0 for a code without a campaign, and the codes that have none.
func (c *Store) owners(ctx context.Context, codes []string) (owners []int64, fresh []string, err error) {
	found := make(map[string]int64, len(codes))
	for part := range slices.Chunk(codes, mysql.MaxList) {
		err := c.units.QueryAmong(ctx, mysql.RenderList(c.sql.readOwners, part), func(rows *sql.Rows) (bool, error) {
			var code string
			var campaign int64
			err := rows.Scan(&code, &campaign)
			found[code] = campaign
			return campaign > 0, err
		}, c.sql.blankCodes(part...))
		if err != nil {
			return nil, nil, err
		}
	}
	owners, fresh = make([]int64, len(codes)), make([]string, 0, len(codes))
	for i, code := range codes {
		if owners[i] = found[code]; owners[i] == 0 {
			fresh = append(fresh, code)
		}
	}
	return owners, fresh, nil
}

// Codes implements coupon.Store.
func (c *Store) Codes(ctx context.Context, campaign int64) (codes int64, err error) {
	err = c.units.QueryAmong(ctx, mysql.Render(c.sql.readPool, campaign), func(rows *sql.Rows) (bool, error) {
		err := rows.Scan(&codes)
		return codes > 0, err
	}, c.sql.blankPool.Of(campaign))
	return codes, err
}
