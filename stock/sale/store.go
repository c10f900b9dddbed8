package sale

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/stock"
)

// Store keeps activities, their products, and prices by time. It is mechanical, like stock.Store, and follows the same
// rules: methods are safe for concurrent use, and a change is atomic. Errors match ErrUnavailable, ErrStore, ErrDrift
// or ErrOverflow if nothing was done, and ErrUnknown if the outcome is not known. Time is the store's own clock in whole
// microseconds, UTC, and an activity has the State of that moment. Memory and sqlstore.Sale implement it.
//
// A store may carry what the shop does in the transaction of a call; see sqlstore.Sale.Along. Calls of Units, SaveActivity and
// SaveProduct then do that where they change anything. It also has a method Plain() Store, which returns
// the same store without it, for Sales to make the calls with that are not the effect of a verb.
type Store interface {
	// Units returns the store of the units: that of the shop's ordinary stock, in which the pools of activities
	// are items like others. Where a refund puts units back into the pool of a product that is Settled, whoever makes it,
	// the product becomes Removed.
	Units() stock.Store

	// SaveActivity keeps an activity whose Version is 0 as a new one; the verdict is Exists if there is one. It keeps any
	// other as the next version; the verdict is Refused if the stored one has another Version. With ended it sets
	// EndedAt to the clock, unless it is set. The same transaction records by, unless its ID is empty; see stock.Store.Changes.
	SaveActivity(ctx context.Context, activity Activity, ended bool, by stock.Change) (stock.Verdict, error)

	// Activity returns an activity and the clock. Version is 0 where there is none.
	Activity(ctx context.Context, id int64) (Activity, time.Time, error)

	// Activities returns up to limit activities after an ID, by ID.
	Activities(ctx context.Context, after int64, limit int) ([]Activity, error)

	// ActivitiesIn returns up to limit activities in a state behind another, by End and then ID; those that are Ended or Withdrawn in
	// descending order. Of after only these two count; a zero End is the beginning.
	ActivitiesIn(ctx context.Context, state State, after Activity, limit int) ([]Activity, error)

	// DueActivities returns up to limit activities whose End has come and that have not EndedAt, by End and then ID.
	DueActivities(ctx context.Context, limit int) ([]Activity, error)

	// SaveProduct keeps a product, as SaveActivity does. A Price without PriceFrom is new. It comes into force PriceNotice after
	// the clock, or at once where the product is Preparing, and PriceFrom says when. All prices of a product are kept by this time;
	// of two of the same time the last one. A product becomes Settled only where no refund that is under way could
	// give it back units unseen.
	SaveProduct(ctx context.Context, product Product, by stock.Change) (stock.Verdict, error)

	// TellStarted writes the event SaleStarted of up to limit products that are Offered in an activity which is Running, and of which
	// none was written, and returns of how many. A product that SaveProduct makes Removed while its activity has begun, or has been
	// told of, has SaleEnded written by it, and SaleStarted before where that is missing. Both only as far as the store tells them.
	TellStarted(ctx context.Context, limit int) (int, error)

	// Offer returns a product with its activity, and the clock. Version of the product is 0 where there is none.
	Offer(ctx context.Context, key stock.Key) (Offer, time.Time, error)

	// Products returns up to limit products of an activity after a SKU, by SKU.
	Products(ctx context.Context, activity, after int64, limit int) ([]Product, error)

	// DueProducts returns up to limit products that are Removed, or Preparing or Offered in an activity that has EndedAt, after a key,
	// by activity and then SKU.
	DueProducts(ctx context.Context, after stock.Key, limit int) ([]Product, error)

	// Prices returns what products cost at a moment: the last price that had come into force, or the first one where none had.
	// Products that do not exist are left out.
	Prices(ctx context.Context, keys []stock.Key, at time.Time) (map[stock.Key]LinePrice, error)

	// Shelf returns up to limit products that match, in the order of their cursors after one of them, and the clock. Buyers is 0.
	Shelf(ctx context.Context, query ShelfQuery, after ShelfCursor, limit int) ([]ShelfItem, time.Time, error)

	// Best returns up to limit products that Shelf would list as Running and of which any are sold: those with most of them
	// first, then by activity and SKU.
	Best(ctx context.Context, limit int) ([]stock.Key, error)

	// Look returns products that exist as Shelf does, by their keys, whatever their state, and the clock.
	Look(ctx context.Context, keys []stock.Key) (map[stock.Key]ShelfItem, time.Time, error)

	// Buyers returns how many named buyers have any units of products, held or bought.
	Buyers(ctx context.Context, keys []stock.Key) (map[stock.Key]int64, error)

	// Await waits until no call that is under way in the store can still change an activity, or a product of another key than
	// zero, and the changes of such calls are visible. A refusal based on earlier reads is final only after that, since the
	// call under way may be an earlier copy of the refused one.
	Await(ctx context.Context, activity int64, product stock.Key) error
}

// LinePrice is what one line costs, or why that cannot be said.
type LinePrice struct {
	stock.Line
	Places int32           // decimal places of the currency
	Price  decimal.Decimal // of one unit
	Err    error           // of Quote: why the line could not be bought now; nil where it could. Of PriceOf: ErrUnknownProduct, or nil
}

// Sum returns what all units of the line cost.
func (l LinePrice) Sum() decimal.Decimal { return l.Price.Mul(decimal.NewFromInt(l.Num)) }

// ShelfCursor is a place on the shelf. A zero Key is the beginning.
type ShelfCursor struct {
	Rank int64 // of the activity: Sort where it is Running, Start or End in microseconds otherwise
	Sort int64 // of the product
	stock.Key
}
