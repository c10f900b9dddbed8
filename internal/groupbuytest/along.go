package groupbuytest

import (
	"context"
	"testing"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// Along proves of each verb that rows of a shop go along with it.
func Along(t *testing.T, h Harness, shop suite.Shop[groupbuy.Store]) {
	t.Helper()
	c := carrier{scene: newScene(t, h)}
	c.stocked(goods, inStock)
	for _, calls := range [][]carryCase{c.products(), c.seats(), c.endings()} {
		suite.Carry(c.scene, shop, c.everything, calls)
	}
	c.Balanced()
}

// carryCase is a call of Along.
type carryCase = suite.CarryCase[groupbuy.Store]

// carrier makes the calls of Along.
type carrier struct {
	*scene

	code string // of the latest team
}

// by returns a call of groups.
func (c *carrier) by(verb func(ctx context.Context, g *groupbuy.Groups) error) func(groupbuy.Store) error {
	return func(store groupbuy.Store) error { return verb(c.Context(), c.groups.On(store)) }
}

func (c *carrier) opens(order, buyer string) func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error {
		seat, err := buy(order, buyer).Open(ctx, g)
		c.code = seat.Team
		return err
	})
}

func (c *carrier) joins(order, buyer string) func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error {
		return suite.Err(buy(order, buyer).Join(ctx, g, c.code))
	})
}

func (c *carrier) pays(order string) func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Pay(ctx, order)) })
}

func (c *carrier) cancels(order string) func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Cancel(ctx, order)) })
}

func (c *carrier) refunds(order string) func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Refund(ctx, byHand(order))) })
}

func (c *carrier) forms() func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Form(ctx, c.code, decided())) })
}

func (c *carrier) fails() func(groupbuy.Store) error {
	return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Fail(ctx, c.code, decided())) })
}

// opened returns what opens a team, whose seat is paid or not.
func (c *carrier) opened(order string, paid bool) func() {
	return func() {
		c.No(c.opens(order, anna)(c.Store))
		if paid {
			c.No(c.pays(order)(c.Store))
		}
	}
}

// products returns the calls of operators.
func (c *carrier) products() []carryCase {
	defines := func(title string) func(groupbuy.Store) error {
		a := c.activity()
		a.Title = title
		return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Define(ctx, a)) })
	}
	offers := func(units int64) func(groupbuy.Store) error {
		return c.by(func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Err(g.Offer(ctx, product(people(2)), units))
		})
	}
	revises := func(activity int64) func(groupbuy.Store) error {
		p := product(people(2))
		p.Name, p.Activity = "Green tea", activity
		return c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Revise(ctx, p)) })
	}
	restocks := func(units int64) func(groupbuy.Store) error {
		return c.by(func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Err(g.Restock(ctx, "r", key(), units))
		})
	}
	withdraws := c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Withdraw(ctx, "w", key(), 5)) })
	return []carryCase{
		{Name: "Define", Call: defines("Fair")},
		{Name: "Define other words", Call: defines("Spring fair")},
		{Name: "Offer too many", Call: offers(inStock + 1), Refusal: stock.ErrInsufficient, Helps: true},
		{Name: "Offer", Call: offers(90), Helps: true},
		{Name: "Offer others", Call: offers(91), Refusal: groupbuy.ErrMismatch},
		{Name: "Revise", Call: revises(fair)},
		{Name: "Revise nothing", Call: revises(99), Refusal: groupbuy.ErrUnknownProduct},
		{Name: "Restock", Call: restocks(5)},
		{Name: "Restock others", Call: restocks(6), Refusal: groupbuy.ErrMismatch},
		{Name: "Withdraw", Call: withdraws},
	}
}

// seats returns the calls of buyers, in teams of two.
func (c *carrier) seats() []carryCase {
	resolves := c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Resolve(ctx, "4")) })
	regains := func(store groupbuy.Store) error {
		return suite.Err(c.with(groupbuy.Options{LatePay: stock.Reacquire}).On(store).Pay(c.Context(), "9"))
	}
	return []carryCase{
		{Name: "Open", Call: c.opens("1", anna)},
		{Name: "Join", Call: c.joins("2", ben)},
		{Name: "Join a full team", Call: c.joins("3", carol), Refusal: groupbuy.ErrFull},
		{Name: "Pay", Call: c.pays("1")},
		{Name: "Pay that forms the team", Call: c.pays("2")},
		{Name: "Pay nothing", Call: c.pays("none"), Refusal: groupbuy.ErrNotFound},
		{Name: "Cancel what is paid", Call: c.cancels("1"), Refusal: groupbuy.ErrPaid},
		{Name: "Cancel an unknown order", Call: c.cancels("unknown")},
		{Name: "Refund", Call: c.refunds("2")},
		{Name: "Refund what is not paid", Before: c.opened("4", false), Call: c.refunds("4"), Refusal: groupbuy.ErrNotPaid},
		{Name: "Cancel", Call: c.cancels("4")},
		{Name: "Pay what was cancelled", Call: c.pays("4")},
		{Name: "Resolve", Call: resolves, Each: true},
		{Name: "Join in place of a dead seat", Before: func() {
			c.opened("5", true)()
			c.No(c.joins("6", ben)(c.Store))
			c.Advance(hold)
		}, Call: c.joins("7", carol), Helps: true},
		{Name: "Pay too late", Before: func() { c.opened("8", false)(); c.Advance(hold) }, Call: c.pays("8"), Helps: true},
		{Name: "Pay for a place that is taken again", Before: func() {
			c.opened("10", true)()
			c.No(c.joins("9", ben)(c.Store))
			c.Advance(hold)
		}, Call: regains, Helps: true},
		{Name: "Pay when the team is over", Before: func() {
			c.opened("11", true)()
			c.No(c.joins("12", ben)(c.Store))
			c.Advance(forming)
		}, Call: c.pays("12"), Helps: true},
	}
}

// endings returns the calls that end teams, products and activities, and the sweeps.
func (c *carrier) endings() []carryCase {
	const other = fair + 1
	removes := c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.Remove(ctx, key())) })
	ends := c.by(func(ctx context.Context, g *groupbuy.Groups) error { return suite.Err(g.End(ctx, other)) })
	overdue := func(order string) func() {
		return func() { c.opened(order, true)(); c.Advance(forming) }
	}
	return []carryCase{
		{Name: "Form nobody", Before: c.opened("20", false), Call: c.forms(), Refusal: groupbuy.ErrNobodyPaid},
		{Name: "Form", Before: c.opened("21", true), Call: c.forms()},
		{Name: "Fail what is formed", Call: c.fails(), Refusal: groupbuy.ErrTeamFormed},
		{Name: "Fail", Before: c.opened("22", true), Call: c.fails()},
		{Name: "Form when the time is over", Before: overdue("23"), Call: c.forms(), Refusal: groupbuy.ErrTeamOver},
		{Name: "Fail when the time is over", Call: c.fails()},
		{Name: "Expire", Before: overdue("24"), Call: c.by(func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Err(g.Expire(ctx))
		}), Sweeps: true},
		{Name: "Return", Call: c.by(func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Err(g.Return(ctx, "24"))
		}), Sweeps: true},
		{Name: "Remove", Call: removes},
		{Name: "End", Before: func() { c.offerIn(other, 2, 5) }, Call: ends, Helps: true},
		{Name: "End nothing", Call: c.by(func(ctx context.Context, g *groupbuy.Groups) error {
			return suite.Err(g.End(ctx, 99))
		}), Refusal: groupbuy.ErrUnknownActivity},
	}
}
