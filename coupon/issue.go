package coupon

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// The batch sizes of Issue.
const (
	issueChunk   = 500 // buyers of one transaction, where not all have to get one
	releaseBatch = 900 // dead holds that are looked up at a time
)

// IssueResult is the outcome of a batch, each list in the order of its buyers.
type IssueResult struct {
	Given   []Grant
	Skipped []Grant // with the reason
	Replay  bool    // earlier calls had done all of it when this one began; it changed nothing
}

// Issue gives one free coupon each to many buyers. The ID of a coupon is the ID of the batch, a slash,
// and 22 letters that stand for the buyer (a digest).
//
// Without Batch.All, the buyers that the campaign accepts get one, in their order. The outcome for each buyer is
// recorded for good: repeating the batch returns the same, also for skipped buyers. With All, every buyer gets
// one or nobody does, in one transaction: if one is refused, nothing is issued, the error is a *BatchError, and
// the same batch may be tried again. The same ID with another campaign, other buyers, the same buyers in another
// order, or another All is ErrMismatch.
//
// After an error without All, some buyers may have their coupon already; repeating the batch gives the others
// theirs. Pending coupons that were not paid in time are dropped first.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownCampaign, ErrMismatch; with All also the errors
// of Reason.Err.
func (c *Coupons) Issue(ctx context.Context, batch Batch) (IssueResult, error) {
	if err := errors.Join(c.ready(ctx), batch.check()); err != nil {
		return IssueResult{}, err
	}
	batch.Digest = digest(batch.Buyers)
	known, err := c.begin(ctx, batch)
	if err != nil {
		return IssueResult{}, err
	}
	missing := make([]string, 0, len(batch.Buyers))
	for _, buyer := range batch.Buyers {
		if _, ok := known[buyer]; !ok {
			missing = append(missing, buyer)
		}
	}
	size := issueChunk
	if batch.All {
		size = MaxBuyers
	}
	for chunk := range slices.Chunk(missing, size) {
		granted, err := c.issue(ctx, batch, chunk)
		for _, g := range granted {
			known[g.Buyer] = g
		}
		if err != nil {
			return sorted(batch, known), err
		}
	}
	issued := sorted(batch, known)
	issued.Replay = len(missing) == 0
	return issued, nil
}

// begin records a batch, or finds it recorded, and returns the grants of its buyers so far.
func (c *Coupons) begin(ctx context.Context, batch Batch) (map[string]Grant, error) {
	if _, err := c.units.Item(ctx, stock.Key{SKU: batch.Campaign}); err != nil {
		return nil, c.refused(ctx, batch.Campaign, "", err)
	}
	known := map[string]Grant{}
	verdict, err := c.store.AddBatch(ctx, batch)
	if err != nil || verdict == stock.Done {
		return known, err
	}
	was, granted, err := c.store.Batch(ctx, batch.ID)
	if err == nil {
		err = fault.Mismatch(batch.ID, fault.Equal("campaign", was.Campaign, batch.Campaign), fault.Equal("all", was.All, batch.All),
			fault.Argument{Field: "list of buyers", Same: was.Digest == batch.Digest})
	}
	if err != nil {
		return nil, err
	}
	for _, g := range granted {
		known[g.Buyer] = g
	}
	return known, nil
}

// issue gives some buyers of a batch their coupons.
func (c *Coupons) issue(ctx context.Context, batch Batch, buyers []string) ([]Grant, error) {
	orders := make([]stock.Order, len(buyers))
	for i, buyer := range buyers {
		orders[i] = stock.Order{
			ID: batch.CouponOf(buyer), Buyer: buyer, Lines: []stock.Line{{SKU: batch.Campaign, Num: 1}}, Immediate: true,
			Beside: []stock.Companion{Claim{}},
		}
	}
	if err := c.release(ctx, batch.Campaign); err != nil {
		return nil, err
	}
	granted, err := c.store.Issue(ctx, batch, orders, c.opts.HoldFor, batch.All)
	if err != nil {
		return nil, err
	}
	if batch.All && len(granted) == 1 && granted[0].Reason != Given {
		return nil, &BatchError{Batch: batch.ID, Buyer: granted[0].Buyer, Reason: granted[0].Reason}
	}
	for _, g := range granted {
		if g.Reason == Given {
			c.took(ctx, Effect{Units: stock.StepTake, Coupon: g.Coupon, State: Usable, ID: batch.ID, Campaign: batch.Campaign, Num: 1})
		}
	}
	return granted, nil
}

// release drops the dead holds of a campaign, which could cause a buyer to be skipped.
func (c *Coupons) release(ctx context.Context, campaign int64) error {
	units, keys := c.store.Units(), []stock.Key{{SKU: campaign}}
	for {
		due, err := units.Due(ctx, keys, releaseBatch)
		if err != nil || len(due) == 0 {
			return err
		}
		expired, err := units.Expire(ctx, due)
		for _, claim := range expired {
			c.took(ctx, Effect{Units: stock.StepExpire, Coupon: claim, State: Dropped})
		}
		switch {
		case fault.Stops(err):
			return fault.Unsent(err)
		case len(expired) == 0, len(due) < releaseBatch: // what is left cannot be dropped, or was by others
			return nil
		}
	}
}

// sorted returns what became of the buyers of a batch, in their order.
func sorted(batch Batch, known map[string]Grant) IssueResult {
	var issued IssueResult
	for _, buyer := range batch.Buyers {
		switch g, ok := known[buyer]; {
		case !ok:
		case g.Reason == Given:
			issued.Given = append(issued.Given, g)
		default:
			issued.Skipped = append(issued.Skipped, g)
		}
	}
	return issued
}

// check refuses a batch that contradicts itself.
func (b Batch) check() error {
	if n := len(b.ID); n < 1 || n > MaxBatchID {
		return fault.Invalid("batch ID", "must be 1 to %d bytes, has %d", MaxBatchID, n)
	}
	if err := input.Positive("campaign", b.Campaign); err != nil {
		return err
	}
	if n := len(b.Buyers); n < 1 || n > MaxBuyers {
		return fault.Invalid("buyers", "must be 1 to %d, are %d", MaxBuyers, n)
	}
	seen := make(map[string]bool, len(b.Buyers))
	for _, buyer := range b.Buyers {
		if err := input.ID("buyer", buyer); err != nil {
			return err
		}
		if seen[buyer] {
			return fault.Invalid("buyers", "must name each once, name %q twice", buyer)
		}
		seen[buyer] = true
	}
	return nil
}

// CouponOf returns the ID of the coupon that a buyer of the batch gets. The buyer itself may be too long for an ID,
// and its slashes could give two batches the same ID.
func (b Batch) CouponOf(buyer string) string { return b.ID + "/" + input.Digest(buyer) }

// digest tells one list of buyers from another.
func digest(buyers []string) [32]byte {
	bytes := make([]byte, 0, 16*len(buyers))
	for _, buyer := range buyers {
		bytes = append(bytes, byte(len(buyer))) //nolint:gosec // at most input.MaxID
		bytes = append(bytes, buyer...)
	}
	return sha256.Sum256(bytes)
}
