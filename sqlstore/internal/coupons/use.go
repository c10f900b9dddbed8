package coupons

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/sqlstore/internal/ledger"
	"github.com/holdfast-go/holdfast/sqlstore/internal/mysql"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// useSQL is a step of the use of a coupon. In takeAt, begin and again, each # stands for the clock.
type useSQL struct {
	has    string // whether the order has the coupon; of a step that only continues a use
	move   string // the coupon and the use; of a step that only continues a use
	take   string // the coupon, and returns the clock; of a step that takes the coupon
	takeAt string // the same at a given time
	begin  string // a new use; of a step that may begin one
	again  string // a use that has lapsed; of a step that may begin one
}

// useRow are the columns of a use that is inserted.
const useRow = " (COUPON_NO, ORDER_NO, PLACES, TOTAL, DISCOUNT, EXPIRE_TIME, STATE, REDEEM_TIME, CREATE_TIME, UPDATE_TIME) "

// stateBeside is the state that a coupon has while the use by its order has this state.
func stateBeside(s coupon.UseState) coupon.State {
	if s == coupon.UseRedeemed {
		return coupon.Redeemed
	}
	return coupon.Reserved
}

// renderUse renders the statements of a step. Each locks the coupon before the use, as all statements that lock both do:
// calls for the same coupon take turns.
func (q *couponSQL) renderUse(t coupon.Transition) useSQL {
	records := t.To == coupon.UseReserved || t.To == coupon.UseRedeemed
	use := fmt.Sprintf("u.STATE = %d, u.UPDATE_TIME = #", t.To)
	if t.To == coupon.UseRedeemed {
		use += ", u.REDEEM_TIME = #"
	}
	if records {
		use += ", u.PLACES = ?, u.TOTAL = ?, u.DISCOUNT = ?"
	}
	if !t.New {
		return useSQL{
			has:  "SELECT 1 FROM " + q.wallet + fmt.Sprintf(" WHERE COUPON_NO = ? AND ORDER_NO = ? AND STATE = %d FOR UPDATE", stateBeside(t.From)),
			move: q.moveUse(t, strings.ReplaceAll(use, "#", mysql.Now)),
		}
	}
	if t.Step == coupon.StepReserve {
		use += ", u.EXPIRE_TIME = ?"
	}
	row, redeemed := mysql.List("?", 5), "NULL"
	if t.To == coupon.UseRedeemed {
		redeemed = "#"
	}
	row += fmt.Sprintf(", ?, %d, %s, #, #", t.To, redeemed)
	s := useSQL{
		begin: "INSERT INTO " + q.uses + useRow + "VALUES (" + row + ")",
		again: "UPDATE " + q.uses + " u " + mysql.ByKey + " SET " + use +
			fmt.Sprintf(" WHERE u.COUPON_NO = ? AND u.ORDER_NO = ? AND u.STATE = %d AND u.EXPIRE_TIME <= #", t.From),
	}
	if t.Takes {
		s.take = q.takeCoupon(t, "TIMESTAMPADD(MICROSECOND, LAST_INSERT_ID("+mysql.Micros(mysql.Now)+"), "+mysql.Epoch+")")
		s.takeAt = strings.ReplaceAll(q.takeCoupon(t, mysql.Now), mysql.Now, "#")
		return s
	}
	// The coupon does not change, but must exist.
	s.begin = strings.ReplaceAll("INSERT INTO "+q.uses+useRow+"SELECT "+strings.Replace(row, "?, ?, ?, ?, ?, ?", "?, ?, ?, ?, ?, #", 1)+
		" FROM "+q.wallet+" w WHERE w.COUPON_NO = ?", "#", mysql.Now)
	s.again = strings.ReplaceAll(s.again, "#", mysql.Now)
	return s
}

// moveUse renders the UPDATE of a use and its coupon. The guard on the use lets one step of its order through. The
// guard on the coupon stops a statement that began before a reservation lapsed, and then waited until another call had
// taken the coupon.
func (q *couponSQL) moveUse(t coupon.Transition, use string) string {
	order, deadline := "", ", w.EXPIRE_TIME = NULL"
	if t.Coupon == coupon.Usable {
		order = ", w.ORDER_NO = NULL"
	}
	text := "UPDATE " + q.wallet + " w " + mysql.ByKey + " STRAIGHT_JOIN " + q.uses + " u " + mysql.ByKey +
		" ON u.COUPON_NO = w.COUPON_NO AND u.ORDER_NO = w.ORDER_NO" +
		" SET " + use + fmt.Sprintf(", w.STATE = %d", t.Coupon) + order + deadline + ", w.UPDATE_TIME = " + mysql.Now +
		fmt.Sprintf(" WHERE w.COUPON_NO = ? AND w.ORDER_NO = ? AND w.STATE = %d AND u.STATE = %d", stateBeside(t.From), t.From)
	switch t.When {
	case stock.Live:
		text += " AND u.EXPIRE_TIME > " + mysql.Now
	case stock.Dead:
		text += " AND u.EXPIRE_TIME <= " + mysql.Now
	case stock.Anytime:
	}
	return text
}

// takeCoupon renders the UPDATE that takes a coupon for an order. Orders and refunds race for a coupon: the guard lets
// one of them through, and no order outside of the validity. The answer may have the clock, for the use.
func (q *couponSQL) takeCoupon(t coupon.Transition, clock string) string {
	deadline := "NULL"
	if t.Coupon == coupon.Reserved {
		deadline = "TIMESTAMPADD(MICROSECOND, ?, " + mysql.Now + ")"
	}
	return "UPDATE " + q.wallet + " w " + mysql.ByKey + " SET " + fmt.Sprintf("w.STATE = %d", t.Coupon) +
		", w.ORDER_NO = ?, w.EXPIRE_TIME = " + deadline +
		", w.UPDATE_TIME = " + clock +
		" WHERE w.COUPON_NO = ? AND " + freeCoupon + " AND w.VALID_FROM <= " + mysql.Now + " AND w.VALID_UNTIL > " + mysql.Now
}

// useCall is a use with its amounts in the smallest unit of their currency.
type useCall struct {
	coupon.Use
	total, discount int64
	holdFor         time.Duration
}

// amounts are the arguments that record them.
func (u useCall) amounts() []any { return []any{int64(u.Places), u.total, u.discount} }

// Use implements coupon.Store.
func (c *Store) Use(ctx context.Context, step coupon.Step, use coupon.Use, holdFor time.Duration) (stock.Verdict, error) {
	if err := cmp.Or(c.units.Ready(), money.Places(use.Places)); err != nil {
		return stock.Refused, err
	}
	total, err1 := money.Minor("total", use.Total, use.Places)
	discount, err2 := money.Minor("discount", use.Discount, use.Places)
	if err := errors.Join(err1, err2); err != nil {
		return stock.Refused, err
	}
	call := useCall{Use: use, total: total, discount: discount, holdFor: holdFor}
	switch t, statements := step.Transition(), c.sql.steps[step]; {
	case !t.New:
		return c.goOn(ctx, t, statements, call)
	case !t.Takes:
		return c.forgo(ctx, statements, call)
	default:
		return c.takeFor(ctx, t, statements, call)
	}
}

// goOn makes a step of an existing use, in one guarded UPDATE of the use and its coupon. A caller's transaction first asks
// whether the order has the coupon: the servers look a use up before they look at its coupon, and where there is none
// they lock the gap, where the uses of other orders go, to the end of the transaction.
func (c *Store) goOn(ctx context.Context, t coupon.Transition, statements useSQL, call useCall) (stock.Verdict, error) {
	var args []any
	if t.To == coupon.UseRedeemed {
		args = call.amounts()
	}
	move := mysql.Render(statements.move, append(args, call.Coupon, call.Order)...)
	tells := t.To == coupon.UseReturned && c.tells.Has(event.CouponReturned)
	if !c.units.Bound() && !tells {
		verdict, err := c.units.ChangeBy(ctx, nil, move)
		return verdict, mysql.Reason(err)
	}
	kept, err := c.units.Alongside(ctx, func(q mysql.Tx) (bool, error) {
		has := false
		query := mysql.Render(statements.has, call.Coupon, call.Order)
		err := mysql.Read(ctx, q, query, func(*sql.Rows) error { has = true; return nil })
		if err != nil || !has {
			return false, err
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, move))
		if err != nil || rows == 0 || !tells {
			return rows > 0, err
		}
		return true, c.tellReturned(ctx, q, call.Coupon, call.Order)
	})
	return ledger.DoneIf(kept), mysql.Reason(err)
}

// forgo makes a step that leaves the coupon as it is: it begins a use, or ends one that has lapsed.
func (c *Store) forgo(ctx context.Context, statements useSQL, call useCall) (stock.Verdict, error) {
	args := append([]any{call.Coupon, call.Order}, call.amounts()...)
	verdict, err := c.units.ChangeBy(ctx, nil, mysql.Render(statements.begin, append(args, call.Coupon)...))
	if mysql.Number(err) == mysql.ErrDuplicate {
		verdict, err = c.units.ChangeBy(ctx, nil, mysql.Render(statements.again, call.Coupon, call.Order))
	}
	return verdict, mysql.Reason(err)
}

// takeFor makes a step that takes a coupon for an order: first the coupon, then a new use. If the order has a use
// already, both are done again, for a use that has lapsed.
func (c *Store) takeFor(ctx context.Context, t coupon.Transition, statements useSQL, call useCall) (stock.Verdict, error) {
	take := func(statement string, args func(at time.Time) []any) (bool, error) {
		return c.units.Alongside(ctx, func(q mysql.Tx) (bool, error) {
			at, ok, err := c.takeCoupon(ctx, q, t, statements, call)
			if err != nil || !ok {
				return false, err
			}
			rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(atTime(statement, at), args(at)...)))
			return rows > 0, err
		})
	}
	key, lives := []any{call.Coupon, call.Order}, t.Coupon == coupon.Reserved
	kept, err := take(statements.begin, func(at time.Time) []any {
		if lives {
			at = at.Add(call.holdFor)
		}
		return slices.Concat(key, call.amounts(), []any{at})
	})
	if mysql.Number(err) == mysql.ErrDuplicate {
		kept, err = take(statements.again, func(at time.Time) []any {
			args := call.amounts()
			if lives {
				args = append(args, at.Add(call.holdFor))
			}
			return append(args, key...)
		})
	}
	return ledger.DoneIf(kept), mysql.Reason(err)
}

// takeCoupon takes the coupon of a call, and returns the clock.
func (c *Store) takeCoupon(ctx context.Context, q mysql.Tx, t coupon.Transition, statements useSQL, call useCall) (time.Time, bool, error) {
	args := []any{call.Order}
	if t.Coupon == coupon.Reserved {
		args = append(args, call.holdFor.Microseconds())
	}
	args = append(args, call.Coupon)
	if c.units.Bound() { // LAST_INSERT_ID belongs to the caller
		at, err := mysql.ClockIn(ctx, q)
		if err != nil {
			return at, false, err
		}
		rows, err := mysql.Affected(q.ExecContext(ctx, mysql.Render(atTime(statements.takeAt, at), args...)))
		return at, rows > 0, err
	}
	result, err := q.ExecContext(ctx, mysql.Render(statements.take, args...))
	rows, err := mysql.Affected(result, err)
	if err != nil || rows == 0 {
		return time.Time{}, false, err
	}
	clock, err := result.LastInsertId()
	return mysql.FromMicros(clock), true, err
}

// atTime puts a time into a statement.
func atTime(statement string, at time.Time) string {
	return strings.ReplaceAll(statement, "#", mysql.Render("?", at))
}
