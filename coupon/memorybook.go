package coupon

import (
	"context"
	"math"

	"github.com/holdfast-go/holdfast/stock"
)

// Count implements Store.
func (m *Memory) Count(ctx context.Context, campaign int64) (Count, error) {
	units, now, end, err := m.begin(ctx)
	if err != nil {
		return Count{}, err
	}
	defer end()
	var count Count
	for _, c := range m.coupons {
		if c.Campaign != campaign {
			continue
		}
		c, err := m.read(ctx, units, c)
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
}

// Book implements Store.
func (m *Memory) Book(ctx context.Context, campaign int64) (Book, error) {
	units, _, end, err := m.begin(ctx)
	if err != nil {
		return Book{}, err
	}
	defer end()
	var book Book
	for id, c := range m.coupons {
		if c.Campaign == campaign {
			book.count(c, m.uses[usage{id, c.Order}], m.codes[campaign])
		}
	}
	for key, use := range m.uses {
		if use.State == UseRedeemed && m.coupons[key.coupon].Campaign == campaign {
			book.RedeemedBy++
		}
	}
	if err := m.bookUnits(ctx, units, campaign, &book); err != nil {
		return Book{}, err
	}
	return book, nil
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

// bookUnits adds what the units of a campaign say to a book.
func (m *Memory) bookUnits(ctx context.Context, units *stock.Memory, campaign int64, book *Book) error {
	key := stock.Key{SKU: campaign}
	holds, err := units.Holds(ctx, stock.Filter{Key: key, States: []stock.State{stock.Paid, stock.Redeemed, stock.Refunded}}, stock.Cursor{},
		math.MaxInt)
	if err != nil {
		return err
	}
	for _, h := range holds {
		book.Held++
		if h.State == stock.Refunded {
			book.HeldBack++
		}
	}
	item, terms, err := m.campaign(ctx, units, campaign)
	if err == nil && terms.Pool {
		book.SoldOut = item.Sold
	}
	return err
}
