package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/internal/groupbuytest"
	"github.com/holdfast-go/holdfast/sqlstore"
	"github.com/holdfast-go/holdfast/stock"
)

// otherProduct is what the neighbours buy: the next one of the same activity.
var otherProduct = stock.Key{SKU: 2, Activity: 7}

// street is a bazaar with a second product, and calls that are made by the case.
type street struct {
	*bazaar
	codes map[int]string // of the team of a case
	other string         // code of a team of the other product that many can join
}

func openStreet(t *testing.T) *street {
	t.Helper()
	b := openBazaar(t, defaults, 3, 2_000)
	ordinary(t, b.db, 2, 3, 4)
	s := &street{bazaar: b, codes: map[int]string{}}
	require.NoError(t, of(b.Offer(t.Context(), productOf(otherProduct), 5_000)))
	p := purchase("0000", "1")
	p.Product = otherProduct
	seat := must(p.Open(t.Context(), b.Groups))(t)
	s.other = seat.Team
	return s
}

// productOf is a product whose teams are of very many people.
func productOf(key stock.Key) groupbuy.Product {
	return groupbuy.Product{Key: key, Name: "tea", Terms: groupbuy.Terms{
		Places: 2, Price: decimal.NewFromInt(10), GroupPrice: decimal.NewFromInt(8), People: 10_000,
	}}
}

// team makes a team of so many seats for a case, with so many of them paid; the last order is the newest of all.
func (s *street) teamOf(seats, paid int) func(n int) {
	return func(n int) {
		ctx := s.t.Context()
		for i := range seats {
			p := purchase(s.seat(n, i, seats), numbered(n, i))
			var seat groupbuy.Seat
			var err error
			if i == 0 {
				seat, err = p.Open(ctx, s.Groups)
				s.codes[n] = seat.Team
			} else {
				_, err = p.Join(ctx, s.Groups, s.codes[n])
			}
			require.NoError(s.t, err)
		}
		for i := range paid {
			require.NoError(s.t, of(s.Pay(ctx, s.seat(n, i, seats))))
		}
	}
}

// seat is the order of a seat of the team of a case.
func (s *street) seat(n, i, seats int) string { return numbered(n, own) + string(rune('a'+i+9-seats)) }

// cases are all calls that may be made in a transaction, each with what it finds.
func (s *street) cases() []txCase {
	in := func(call func(ctx context.Context, g *groupbuy.Groups, n int) error) func(context.Context, sqlstore.Tx, int) error {
		return func(ctx context.Context, tx sqlstore.Tx, n int) error {
			if tx == nil {
				return call(ctx, s.Groups, n)
			}
			return call(ctx, s.On(s.store.WithTx(tx)), n)
		}
	}
	type groups = *groupbuy.Groups
	decision := groupbuy.Decision{Actor: "clerk", Reason: "why not"}
	mine := func(n, place int) groupbuytest.Basket { return purchase(numbered(n, place), numbered(n, own)) }
	on := func(what func(n int) string, call func(context.Context, groups, string) error) func(context.Context, sqlstore.Tx, int) error {
		return in(func(ctx context.Context, g groups, n int) error { return call(ctx, g, what(n)) })
	}
	seat := func(i, seats int) func(int) string { return func(n int) string { return s.seat(n, i, seats) } }
	unknown := func(n int) string { return numbered(n, own) }
	code := func(n int) string { return s.codes[n] }
	noTeam := func(int) string { return "ZZZZZZZZ" }
	pay := func(ctx context.Context, g groups, order string) error { return of(g.Pay(ctx, order)) }
	cancel := func(ctx context.Context, g groups, order string) error { return of(g.Cancel(ctx, order)) }
	resolve := func(ctx context.Context, g groups, order string) error { return of(g.Resolve(ctx, order)) }
	refund := func(ctx context.Context, g groups, order string) error {
		return of(g.Refund(ctx, groupbuy.Refund{Order: order, Actor: "clerk", Reason: "asked"}))
	}
	returned := func(ctx context.Context, g groups, order string) error { return of(g.Return(ctx, order)) }
	form := func(ctx context.Context, g groups, code string) error { return of(g.Form(ctx, code, decision)) }
	fail := func(ctx context.Context, g groups, code string) error { return of(g.Fail(ctx, code, decision)) }
	readSeat := func(ctx context.Context, g groups, order string) error { return of(g.Seat(ctx, order)) }
	readTeam := func(ctx context.Context, g groups, code string) error { return of(g.Team(ctx, code)) }
	join := func(ctx context.Context, g groups, n int) error { return of(mine(n, own+1).Join(ctx, g, s.codes[n])) }
	activity := func(id int64) groupbuy.Activity {
		return groupbuy.Activity{ID: id, Title: "week", Formation: teamTime, End: start.Add(10_000 * time.Hour)}
	}
	nothing := func(int) {}
	ordinaryOrder := func(n int) {
		require.NoError(s.t, of(s.stock.Lock(s.t.Context(), numbered(n, own), one(4))))
	}
	return []txCase{
		{"Open", nothing, in(func(ctx context.Context, g groups, n int) error { return of(mine(n, own).Open(ctx, g)) }), nil},
		{"Open again", s.teamOf(1, 0), in(func(ctx context.Context, g groups, n int) error {
			return of(purchase(s.seat(n, 0, 1), numbered(n, 0)).Open(ctx, g))
		}), nil},
		{"Open of an unknown product", nothing, in(func(ctx context.Context, g groups, n int) error {
			p := mine(n, own)
			p.Product = stock.Key{SKU: number(n, own), Activity: 7}
			return of(p.Open(ctx, g))
		}), groupbuy.ErrUnknownProduct},
		{"Open of an unknown activity", nothing, in(func(ctx context.Context, g groups, n int) error {
			p := mine(n, own)
			p.Product = stock.Key{SKU: 1, Activity: number(n, own)}
			return of(p.Open(ctx, g))
		}), groupbuy.ErrUnknownActivity},
		{"Join", s.teamOf(1, 0), in(join), nil},
		{"Join again", s.teamOf(2, 0), in(func(ctx context.Context, g groups, n int) error {
			return of(purchase(s.seat(n, 1, 2), numbered(n, 1)).Join(ctx, g, s.codes[n]))
		}), nil},
		{"Join of a full team", s.teamOf(3, 0), in(join), groupbuy.ErrFull},
		{"Join of one's own team", s.teamOf(1, 0), in(func(ctx context.Context, g groups, n int) error {
			return of(purchase(numbered(n, own+1), numbered(n, 0)).Join(ctx, g, s.codes[n]))
		}), groupbuy.ErrJoined},
		{"Join of an unknown team", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(mine(n, own).Join(ctx, g, "ZZZZZZZZ"))
		}), groupbuy.ErrUnknownTeam},
		{"Pay", s.teamOf(2, 0), on(seat(1, 2), pay), nil},
		{"Pay of the last", s.teamOf(3, 2), on(seat(2, 3), pay), nil},
		{"Pay again", s.teamOf(2, 2), on(seat(1, 2), pay), nil},
		{"Pay of an unknown order", nothing, on(unknown, pay), groupbuy.ErrNotFound},
		{"Pay of an ordinary order", ordinaryOrder, on(unknown, pay), groupbuy.ErrNotFound},
		{"Cancel", s.teamOf(2, 0), on(seat(1, 2), cancel), nil},
		{"Cancel of the sponsor", s.teamOf(2, 0), on(seat(0, 2), cancel), nil},
		{"Cancel of the only one", s.teamOf(1, 0), on(seat(0, 1), cancel), nil},
		{"Cancel of an unknown order", nothing, on(unknown, cancel), nil},
		{"Resolve", s.teamOf(1, 0), on(seat(0, 1), resolve), nil},
		{"Refund", s.teamOf(2, 2), on(seat(1, 2), refund), nil},
		{"Refund of the sponsor", s.teamOf(2, 2), on(seat(0, 2), refund), nil},
		{"Refund of a formed team", s.teamOf(3, 3), on(seat(1, 3), refund), nil},
		{"Refund of what is not paid", s.teamOf(1, 0), on(seat(0, 1), refund), groupbuy.ErrNotPaid},
		{"Refund of an unknown order", nothing, on(unknown, refund), groupbuy.ErrNotFound},
		{"Form", s.teamOf(2, 1), on(code, form), nil},
		{"Form again", s.teamOf(3, 3), on(code, form), nil},
		{"Fail", s.teamOf(2, 1), on(code, fail), nil},
		{"Fail of an unknown team", nothing, on(noTeam, fail), groupbuy.ErrUnknownTeam},
		{"Seat", s.teamOf(1, 0), on(seat(0, 1), readSeat), nil},
		{"Seat of an unknown order", nothing, on(unknown, readSeat), groupbuy.ErrNotFound},
		{"Team", s.teamOf(1, 0), on(code, readTeam), nil},
		{"Team of an unknown code", nothing, on(noTeam, readTeam), groupbuy.ErrUnknownTeam},
		{
			"Activity of an unknown ID", nothing,
			in(func(ctx context.Context, g groups, n int) error { return of(g.Activity(ctx, number(n, own))) }), groupbuy.ErrUnknownActivity,
		},
		{"Product of an unknown key", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Product(ctx, stock.Key{SKU: number(n, own), Activity: 7}))
		}), groupbuy.ErrUnknownProduct},
		{"Define", nothing, in(func(ctx context.Context, g groups, n int) error { return of(g.Define(ctx, activity(number(n, own)))) }), nil},
		{"Define again", func(n int) {
			require.NoError(s.t, of(s.Define(s.t.Context(), activity(number(n, own)))))
		}, in(func(ctx context.Context, g groups, n int) error { return of(g.Define(ctx, activity(number(n, own)))) }), nil},
		{"Offer", func(n int) { ordinary(s.t, s.db, number(n, own)) }, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Offer(ctx, productOf(stock.Key{SKU: number(n, own), Activity: 7}), 10))
		}), nil},
		{"Offer of an unknown activity", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Offer(ctx, productOf(stock.Key{SKU: 3, Activity: number(n, own)}), 10))
		}), groupbuy.ErrUnknownActivity},
		{"Revise", nothing, in(func(ctx context.Context, g groups, n int) error {
			p := productOf(teamProduct)
			p.Name, p.People = numbered(n, own), 3
			return of(g.Revise(ctx, p))
		}), nil},
		{"Restock", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Restock(ctx, numbered(n, own), teamProduct, 1))
		}), stock.ErrInsufficient},
		{"Withdraw", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Withdraw(ctx, numbered(n, own), teamProduct, 1))
		}), nil},
		{"Remove", nothing, in(func(ctx context.Context, g groups, _ int) error { return of(g.Remove(ctx, teamProduct)) }), nil},
		{"Remove of an unknown product", nothing, in(func(ctx context.Context, g groups, n int) error {
			return of(g.Remove(ctx, stock.Key{SKU: number(n, own), Activity: 7}))
		}), groupbuy.ErrUnknownProduct},
		{"Return", func(n int) {
			s.teamOf(2, 2)(n)
			require.NoError(s.t, refund(s.t.Context(), s.Groups, s.seat(n, 1, 2)))
		}, on(seat(1, 2), returned), nil},
		{"Return of an unknown order", nothing, on(unknown, returned), groupbuy.ErrNotFound},
		{"Expire", nothing, in(func(ctx context.Context, g groups, _ int) error { return of(g.Expire(ctx)) }), nil},
	}
}

// neighbours are calls of the other product and of what is new.
func (s *street) neighbours() []neighbour {
	pool := elsewhere(s.t, s.db)
	store := sqlstore.NewGroupBuy(pool.DB, &sqlstore.Options{Unmerged: true})
	g := groupbuy.New(store, untilTheEnd())
	inv := stock.New(sqlstore.NewStock(pool.DB, &sqlstore.Options{Unmerged: true}), nil)
	theirs := func(order string, buyer string) groupbuytest.Basket {
		p := purchase(order, buyer)
		p.Product = otherProduct
		return p
	}
	return []neighbour{
		{"a later order", func(ctx context.Context, n int) error { return of(inv.Lock(ctx, numbered(n, later), one(3))) }},
		{"an earlier order", func(ctx context.Context, n int) error { return of(inv.Lock(ctx, numbered(n, earlier), one(3))) }},
		{"later teams", func(ctx context.Context, n int) error {
			return both(of(theirs(numbered(n, later)+"o", numbered(n, later)).Open(ctx, g)),
				of(theirs(numbered(n, later)+"p", numbered(n, later)).Open(ctx, g)),
				of(theirs(numbered(n, later)+"q", numbered(n, later)).Open(ctx, g)))
		}},
		{"an earlier team", func(ctx context.Context, n int) error {
			return of(theirs(numbered(n, earlier)+"o", numbered(n, earlier)).Open(ctx, g))
		}},
		{"a later seat", func(ctx context.Context, n int) error {
			return of(theirs(numbered(n, later)+"j", numbered(n, later)).Join(ctx, g, s.other))
		}},
		{"an earlier seat", func(ctx context.Context, n int) error {
			return of(theirs(numbered(n, earlier)+"j", numbered(n, earlier)).Join(ctx, g, s.other))
		}},
		{"payments", func(ctx context.Context, n int) error {
			return both(of(g.Pay(ctx, numbered(n, later)+"j")), of(g.Pay(ctx, numbered(n, earlier)+"j")))
		}},
		{"a refund", func(ctx context.Context, n int) error {
			return of(g.Refund(ctx, groupbuy.Refund{Order: numbered(n, later) + "j", Actor: "clerk", Reason: "asked"}))
		}},
		{"activities", func(ctx context.Context, n int) error {
			for _, place := range []int{earlier, later} {
				_, err := g.Define(ctx, groupbuy.Activity{ID: number(n, place), Title: "week", Formation: teamTime, End: start.Add(10_000 * time.Hour)})
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"products", func(ctx context.Context, n int) error {
			for _, place := range []int{earlier, later} {
				sku := number(n, place)
				if _, err := inv.Define(ctx, stock.Key{SKU: sku}, 10, stock.Terms{}); err != nil {
					return err
				}
				if _, err := g.Offer(ctx, productOf(stock.Key{SKU: sku, Activity: 7}), 5); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}

// What group buying does in a caller's transaction keeps nobody waiting who has other orders, teams and products.
func TestSeatsInATransactionKeepNoOthersWaiting(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	keepNobodyWaiting(t, s.db, s.cases(), s.neighbours())
}

// And LAST_INSERT_ID stays the caller's.
func TestSeatsInATransactionLeaveTheInsertID(t *testing.T) {
	t.Parallel()
	s := openStreet(t)
	leaveTheInsertID(t, s.db, s.cases())
}
