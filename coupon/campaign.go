package coupon

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// Define creates a campaign, or sets the rules and terms of one that exists anew. A new campaign begins with total units, and
// an existing one keeps its units; Restock and Withdraw change them. So the same Define never changes units, but it undoes what was
// set since: it opens a campaign again that somebody has Closed. A total that an existing one neither has nor was defined with is
// ErrMismatch.
// The total must be 0 for an unlimited campaign and for one with a Pool, whose units are
// its codes. Coupons that are already claimed keep their terms.
//
// Claims end at a fixed ValidUntil at the latest: Rules.End of the campaign is the earlier of the two. The last of
// two concurrent changes wins. A campaign switches between limited and unlimited as an item does with
// stock.Inventory.Define.
//
// Errors, in the order of precedence: ErrInvalid; ErrPool and ErrNoPool, where the campaign was first
// defined with the other Terms.Pool; ErrMismatch; ErrInUse.
func (c *Coupons) Define(ctx context.Context, id, total int64, rules Rules, terms Terms) (Campaign, error) {
	if err := errors.Join(c.ready(ctx), input.Positive("campaign", id), input.NotNegative("total", total), rules.check(total, terms),
		terms.check()); err != nil {
		return Campaign{}, err
	}
	terms = terms.normal()
	no, err := c.number(ctx, id, terms)
	if err != nil {
		return Campaign{}, err
	}
	_, err = c.units.Define(ctx, stock.Key{SKU: id}, total, stock.Terms{
		SPU: no, Unlimited: rules.Unlimited, OffShelf: rules.Closed, Start: rules.Start, End: rules.ending(terms), PerBuyer: rules.PerBuyer,
	})
	if differs, ok := fault.As[*MismatchError](err); ok {
		return Campaign{}, &MismatchError{ID: strconv.FormatInt(id, 10), Field: differs.Field, Recorded: differs.Recorded, Asked: differs.Asked}
	}
	if err != nil {
		return Campaign{}, c.refused(ctx, id, "", err)
	}
	campaign, err := c.Campaign(ctx, id)
	return campaign, fault.Unread(err)
}

// number returns the number of these terms within a campaign, and records them if they are
// new. All terms of a campaign agree on Pool: whoever adds some has seen those before them.
func (c *Coupons) number(ctx context.Context, id int64, terms Terms) (int64, error) {
	item, err := c.units.Item(ctx, stock.Key{SKU: id})
	if err != nil && !errors.Is(err, stock.ErrUnknownSKU) {
		return 0, err
	}
	for no := item.SPU; ; no++ {
		if no > item.SPU {
			verdict, err := c.store.AddTerms(ctx, id, no, terms)
			if err != nil || verdict == stock.Done {
				return no, err
			}
		}
		was, known, err := c.store.Terms(ctx, id, no)
		switch {
		case err != nil:
			return 0, err
		case !known: // there is no campaign yet
		case was.Pool && !terms.Pool:
			return 0, &ClaimError{Campaign: id, Err: ErrPool}
		case !was.Pool && terms.Pool:
			return 0, &ClaimError{Campaign: id, Err: ErrNoPool}
		case was.Equal(terms):
			return no, nil
		}
	}
}

// check refuses rules that contradict themselves, the total or the terms.
func (r Rules) check(total int64, terms Terms) error {
	var err error
	if !r.Start.IsZero() {
		err = errors.Join(err, input.Time("start", r.Start))
	}
	if !r.End.IsZero() {
		err = errors.Join(err, input.Time("end", r.End))
	}
	if end := r.ending(terms); !r.Start.IsZero() && !end.IsZero() && !input.Instant(r.Start).Before(end) {
		err = errors.Join(err, fault.Invalid("start", "must be before the end and before what is claimed is no longer valid"))
	}
	if (r.Unlimited || terms.Pool) && total != 0 {
		err = errors.Join(err, fault.Invalid("total", "must be 0 for a campaign that is unlimited or has a pool, is %d", total))
	}
	if r.Unlimited && terms.Pool {
		err = errors.Join(err, fault.Invalid("unlimited", "must not be set with a pool"))
	}
	return errors.Join(err, input.NotNegative("coupons per buyer", r.PerBuyer))
}

// ending returns when claims end: no later than a claimed coupon would stop being valid.
func (r Rules) ending(terms Terms) time.Time {
	end, until := input.Instant(r.End), input.Instant(terms.ValidUntil)
	if end.IsZero() || !until.IsZero() && until.Before(end) {
		return until
	}
	return end
}

// Campaign returns a campaign as it is now. Errors: ErrInvalid, ErrUnknownCampaign.
func (c *Coupons) Campaign(ctx context.Context, id int64) (Campaign, error) {
	if err := errors.Join(c.ready(ctx), input.Positive("campaign", id)); err != nil {
		return Campaign{}, err
	}
	item, err := c.units.Item(ctx, stock.Key{SKU: id})
	if err != nil {
		return Campaign{}, c.refused(ctx, id, "", err)
	}
	return c.campaign(ctx, item)
}

// Campaigns lists all campaigns by ID. Each page is its own snapshot. The listing ends with the first
// error.
func (c *Coupons) Campaigns(ctx context.Context) iter.Seq2[Campaign, error] {
	return func(yield func(Campaign, error) bool) {
		if err := c.ready(ctx); err != nil {
			yield(Campaign{}, err)
			return
		}
		for item, err := range c.units.Items(ctx) {
			var campaign Campaign
			if err == nil {
				campaign, err = c.campaign(ctx, item)
			}
			if !yield(campaign, err) || err != nil {
				return
			}
		}
	}
}

// campaign returns the campaign of an item.
func (c *Coupons) campaign(ctx context.Context, item stock.Item) (Campaign, error) {
	terms, known, err := c.store.Terms(ctx, item.SKU, item.SPU)
	if err == nil && !known {
		err = fault.ErrDrift // an item that Define did not make
	}
	if err != nil {
		return Campaign{}, err
	}
	campaign := Campaign{
		ID:         item.SKU,
		Rules:      Rules{Unlimited: item.Unlimited, Closed: item.OffShelf, Start: item.Start, End: item.End, PerBuyer: item.PerBuyer},
		Terms:      terms,
		Quantities: item.Quantities,
		TermsNo:    item.SPU,
		CreatedAt:  item.CreatedAt,
		UpdatedAt:  item.UpdatedAt,
	}
	if terms.Pool {
		campaign.Codes, err = c.store.Codes(ctx, item.SKU)
	}
	return campaign, err
}

// Progress returns how many coupons of a campaign have each state now. Errors: ErrInvalid,
// ErrUnknownCampaign.
func (c *Coupons) Progress(ctx context.Context, id int64) (Count, error) {
	if err := errors.Join(c.ready(ctx), input.Positive("campaign", id)); err != nil {
		return Count{}, err
	}
	if _, err := c.units.Item(ctx, stock.Key{SKU: id}); err != nil {
		return Count{}, c.refused(ctx, id, "", err)
	}
	return c.store.Count(ctx, id)
}

// Restock adds coupons to a campaign that has no pool. Repeating an ID with the same campaign and number
// is a Replay, which changes nothing. An ID used with others, or for a Withdraw, is ErrMismatch.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownCampaign, ErrPool (use Import or Generate),
// ErrMismatch, ErrUnlimited, ErrOverflow.
func (c *Coupons) Restock(ctx context.Context, id string, campaign, num int64) (stock.ChangeOutcome, error) {
	if err := c.readyChange(ctx, id, campaign, num); err != nil {
		return stock.ChangeOutcome{}, err
	}
	is, err := c.Campaign(ctx, campaign)
	switch {
	case err != nil:
		return stock.ChangeOutcome{}, err
	case is.Pool:
		return stock.ChangeOutcome{}, &ClaimError{Campaign: campaign, Err: ErrPool}
	}
	outcome, err := c.units.Restock(ctx, id, stock.Line{SKU: campaign, Num: num})
	if err != nil {
		return stock.ChangeOutcome{}, c.refused(ctx, campaign, "", err)
	}
	return outcome, nil
}

// Withdraw takes coupons that nobody has claimed or locked out of a campaign. It shares its IDs with Restock.
// In a pool, the codes added last are not handed out until as many are added again.
//
// Errors, in the order of precedence: ErrInvalid, ErrMismatch, ErrUnknownCampaign, ErrUnlimited,
// ErrSoldOut. Coupons that were locked and not paid in time are dropped first.
func (c *Coupons) Withdraw(ctx context.Context, id string, campaign, num int64) (stock.ChangeOutcome, error) {
	if err := c.readyChange(ctx, id, campaign, num); err != nil {
		return stock.ChangeOutcome{}, err
	}
	outcome, err := c.units.Withdraw(ctx, id, stock.Line{SKU: campaign, Num: num})
	if err != nil {
		return stock.ChangeOutcome{}, c.refused(ctx, campaign, "", err)
	}
	return outcome, nil
}

// readyChange refuses a change of units before any I/O.
func (c *Coupons) readyChange(ctx context.Context, id string, campaign, num int64) error {
	return errors.Join(c.ready(ctx), input.ID("ID", id), input.Positive("campaign", campaign), input.Positive("num", num))
}

// Count is how many coupons of a campaign are in each state.
type Count struct {
	Pending, Usable, Reserved, Redeemed, Expired, Refunded, Revoked int64
}
