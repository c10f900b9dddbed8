package coupon

import (
	"context"
	"math"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// Count implements Store.
func (m *Memory) Count(ctx context.Context, campaign int64) (Count, error) {
	return during(ctx, m, func(units *stock.Memory, now time.Time) (Count, error) {
		var count Count
		for _, c := range m.coupons {
			if c.Campaign != campaign {
				continue
			}
			c, err := m.read(ctx, units, c, now)
			if err != nil {
				return Count{}, err
			}
			switch {
			case c.State == Pending:
				count.Pending++
			case c.State == Refunded:
				count.Refunded++
			case c.State == Revoked:
				count.Revoked++
			case c.Status(now) == StatusUsed:
				count.Redeemed++
			case c.Status(now) == StatusReserved:
				count.Reserved++
			case c.Status(now) == StatusExpired:
				count.Expired++
			case c.Free(now): // those that wait for their validity among them
				count.Usable++
			}
		}
		return count, nil
	})
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, campaign int64) (Book, error) {
	return during(ctx, m, func(units *stock.Memory, _ time.Time) (Book, error) {
		var book Book
		for id, c := range m.coupons {
			if c.Campaign == campaign {
				book.count(c, m.uses[useKey{id, c.Order}], m.codes[campaign])
			}
		}
		for key, use := range m.uses {
			if use.State == UseRedeemed && m.coupons[key.coupon].Campaign == campaign {
				book.RedeemedBy++
			}
		}
		key := stock.Key{SKU: campaign}
		holds, err := units.Holds(ctx, stock.Filter{Key: key, States: []stock.State{stock.Paid, stock.Redeemed, stock.Refunded}}, stock.Cursor{},
			math.MaxInt)
		if err != nil {
			return Book{}, err
		}
		book.Held = int64(len(holds))
		for _, h := range holds {
			if h.State == stock.Refunded {
				book.HeldBack++
			}
		}
		item, terms, err := m.campaign(ctx, units, campaign)
		if err != nil {
			return Book{}, err
		}
		if terms.Pool {
			book.SoldOut = item.Sold
		}
		return book, nil
	})
}

// count adds a coupon, the use of its order, and the code of its position to a book.
func (b *Book) count(c Coupon, use Use, codes []string) {
	switch c.State {
	case Reserved:
		b.Reserved++
		if use.State == UseReserved || use.State == UseReleased { // which leaves a coupon alone once it has lapsed
			b.ReservedBy++
		}
	case Redeemed:
		b.Redeemed++
	case Refunded, Revoked:
		b.Back++
	case None, Pending, Usable, Dropped:
	}
	if c.State != Pending {
		b.Coupons++
	}
	if c.Position > 0 {
		b.Positioned++
		b.LastPosition = max(b.LastPosition, c.Position)
		if c.Position <= int64(len(codes)) && codes[c.Position-1] == c.Code {
			b.Codes++
		}
	}
}
