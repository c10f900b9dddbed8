package sale

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/internal/allot"
	"github.com/holdfast-go/holdfast/internal/enum"
	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of Sales.
const (
	MaxText   = allot.MaxText   // bytes of a title, an image or a name
	MaxNote   = 4096            // bytes of a note
	MaxLabel  = 64              // bytes of a price label
	MaxPlaces = money.MaxPlaces // decimal places of a currency

	// PriceNotice is how long after Revise a new price comes into force. Whoever was shown the old price just before
	// still locks at it, and no hold is ever locked at a price that was not yet written. A Revise in a caller's transaction must be
	// committed within this time: a hold that is locked later than that and before the commit costs what nobody could see.
	PriceNotice = time.Second
)

// Price labels that shops use. Any other text will do as well.
const (
	LabelCrowd     = "万人团价" // bought by ten thousand
	LabelSubsidy   = "补贴价"  // subsidized
	LabelClearance = "清仓价"  // clearance
	LabelOddSizes  = "断码价"  // the last sizes
)

// State is the state of an activity at one moment.
type State uint8

// The states of an activity.
const (
	Draft     State = 1 // not approved yet: nothing can be bought
	Approved  State = 2 // it has not begun
	Running   State = 3
	Ended     State = 4 // its end has come, or End was called
	Withdrawn State = 5 // by WithdrawSale
)

// String returns the state in lower case.
func (s State) String() string {
	return enum.Name("state", s, "no state", "draft", "approved", "running", "ended", "withdrawn")
}

// Activity is a flash sale (秒杀, 限时抢购): a period in which some products have another price. The pools of its products
// have its ID as their Activity. Activities of sales and of group buying share one set of IDs.
type Activity struct {
	ID     int64     // at least 1
	Title  string    // up to MaxText bytes
	Image  string    // where it is, up to MaxText bytes
	Note   string    // up to MaxNote bytes
	Label  string    // of the prices of its products, such as LabelSubsidy; up to MaxLabel bytes
	Hidden bool      // it is on no Shelf; its products can be bought by whoever has them
	Start  time.Time // inclusive; zero is always
	End    time.Time // exclusive
	Sort   int64     // the Shelf shows low numbers first
	Places int32     // decimal places of the currency, 0 to MaxPlaces; they stay as they are

	// What the store keeps; Define ignores it.
	State       State     // by the store's clock when it was read
	ApprovedAt  time.Time // zero before
	WithdrawnAt time.Time // zero before
	EndedAt     time.Time // when it was ended, by End, WithdrawSale, or since End has come; zero before
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Version     int64 // grows with every change; 0 is an activity that does not exist

	Replay bool // set by Approve, End and WithdrawSale: an earlier call had done it, and this one changed nothing
}

// StateAt returns the state of an activity at a moment.
func (a Activity) StateAt(now time.Time) State {
	switch period := (Kind{}).Period(a); {
	case !a.WithdrawnAt.IsZero():
		return Withdrawn
	case period.Ended(now):
		return Ended
	case a.ApprovedAt.IsZero():
		return Draft
	case now.Before(a.Start):
		return Approved
	}
	return Running
}

// Begun reports whether an activity was approved and its Start has come at a moment, whether or not it is over.
func (a Activity) Begun(now time.Time) bool { return !a.ApprovedAt.IsZero() && !now.Before(a.Start) }

// at returns the activity with its state at a moment.
func (a Activity) at(now time.Time) Activity {
	if a.Version != 0 {
		a.State = a.StateAt(now)
	}
	return a
}

// ProductState is the state of a product.
type ProductState = allot.State

// The states of a product. The numbers are those of the tables.
const (
	Preparing = allot.Preparing // its units are being taken out of ordinary stock
	Offered   = allot.Offered   // it can be bought while its activity runs
	Removed   = allot.Removed   // nobody can buy it; holds may still be paid, and units that are left go back
	Settled   = allot.Settled   // nothing is held any more, and all units that were left went back
)

// Product is a SKU on sale in an activity. Its Key is the key of its pool: the SKU in the activity.
type Product struct {
	stock.Key
	SPU       int64           // what the SKU belongs to; 0 where there is none
	Name      string          // up to MaxText bytes
	Spec      string          // its specification, up to MaxText bytes
	Label     string          // of its price; empty is that of the activity
	ListPrice decimal.Decimal // the price that is struck through, at least Price; 0 is none
	Price     decimal.Decimal // of one unit
	PerOrder  int64           // units per order at most; 0 is no limit
	PerBuyer  int64           // units per buyer at most, held and bought; 0 is no limit
	Sort      int64           // within its activity, the Shelf shows low numbers first

	// What the store keeps; Offer and Revise ignore it.
	Places    int32     // of its activity
	PriceFrom time.Time // when Price comes or came into force
	State     ProductState
	Allotted  int64 // units that Offer took out of ordinary stock
	Returns   int64 // how often units that were left went back to ordinary stock
	Returned  int64 // how many of them there were
	CreatedAt time.Time
	UpdatedAt time.Time
	Version   int64 // grows with every change; 0 is a product that does not exist

	Replay bool // set by Offer and Remove: an earlier call had done it, and this one changed nothing
}

// String returns the product, its price and its state.
func (p Product) String() string {
	return fmt.Sprintf("%v at %s: %v", p.Key, p.Price.StringFixed(p.Places), p.State)
}

// Offer is a product with its activity.
type Offer struct {
	Product
	Activity Activity
}

// The kinds of the changes to activities and products that move no units. They are recorded where Sales.By named somebody;
// stock.KindDefine records a definition of an activity.
const (
	KindApprove      = allot.KindApprove
	KindEnd          = allot.KindEnd
	KindWithdrawSale = allot.KindWithdrawSale // of an activity, by WithdrawSale
	KindRevise       = allot.KindRevise
	KindRemove       = allot.KindRemove
)

// Kind tells the bookkeeping of this module what activities and products of sales are. It is for authors of a store.
type Kind struct{}

// Period implements allot.Kind.
func (Kind) Period(a Activity) allot.Period {
	period := allot.Period{
		ID: a.ID, Start: a.Start, End: a.End, Closes: a.End, EndedAt: a.EndedAt, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		Version: a.Version,
	}
	if !a.WithdrawnAt.IsZero() {
		period.Over = ErrWithdrawn
	}
	return period
}

// SetPeriod implements allot.Kind.
func (Kind) SetPeriod(a Activity, to allot.Period) Activity {
	a.EndedAt, a.CreatedAt, a.UpdatedAt, a.Version = to.EndedAt, to.CreatedAt, to.UpdatedAt, to.Version
	return a
}

// KeepActivity implements allot.Kind: Define neither approves nor withdraws.
func (Kind) KeepActivity(asked, was Activity) Activity {
	asked.State, asked.ApprovedAt, asked.WithdrawnAt = was.State, was.ApprovedAt, was.WithdrawnAt
	return asked
}

// Share implements allot.Kind.
func (Kind) Share(p Product) allot.Share {
	return allot.Share{
		Key: p.Key, State: p.State, Allotted: p.Allotted, Returns: p.Returns, Returned: p.Returned,
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, Version: p.Version,
	}
}

// SetShare implements allot.Kind.
func (Kind) SetShare(p Product, to allot.Share) Product {
	p.State, p.Allotted, p.Returns, p.Returned = to.State, to.Allotted, to.Returns, to.Returned
	p.CreatedAt, p.UpdatedAt, p.Version = to.CreatedAt, to.UpdatedAt, to.Version
	return p
}

// KeepProduct implements allot.Kind: a price that stays is in force since it came.
func (Kind) KeepProduct(asked, was Product) Product {
	asked.PriceFrom = time.Time{}
	if was.Version != 0 && asked.Price.Equal(was.Price) {
		asked.PriceFrom = was.PriceFrom
	}
	return asked
}

// Mismatch implements allot.Kind.
func (Kind) Mismatch(was, asked Product) error { return was.mismatch(asked) }

// Terms implements allot.Kind. The pool is on the shelf only where everything allows it, since an order locks its units
// without a look at the activity.
func (Kind) Terms(a Activity, p Product) stock.Terms {
	return stock.Terms{
		SPU: p.SPU, OffShelf: p.State != Offered || a.ApprovedAt.IsZero() || !a.WithdrawnAt.IsZero() || !a.EndedAt.IsZero(),
		Start: a.Start, End: a.End, PerOrder: p.PerOrder, PerBuyer: p.PerBuyer,
	}
}
