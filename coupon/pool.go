package coupon

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
	"github.com/holdfast-go/holdfast/stock"
)

// codeChunk is how many codes are added in one transaction.
const codeChunk = 1000

// anyNumber lets the pool have any number of codes.
const anyNumber = -1

// ImportResult is the outcome of adding codes to a pool.
type ImportResult struct {
	Added      int64       // are new in the pool, each with a unit
	Known      int64       // were in it before, or came twice
	Collisions []Collision // are in the pool of another campaign, and stay there
	Invalid    []string    // are no codes; as they were given
}

// Collision is a code that another campaign has.
type Collision struct {
	Code     string // in its canonical form
	Campaign int64  // which has it
}

// Import adds codes to the pool of a campaign, and a unit for each new one. Coupons get the codes in their
// order. Codes are stored in their Canonical form. A code that cannot be added is reported, and the others are
// still added.
//
// It reads all codes and adds them in chunks. Repeated codes are Known, so the same call continues after an
// error. The result that comes with an error says what was done before it.
//
// Errors, in the order of precedence: ErrInvalid, ErrUnknownCampaign, ErrNoPool, ErrOverflow.
func (c *Coupons) Import(ctx context.Context, campaign int64, codes iter.Seq[string]) (ImportResult, error) {
	err := errors.Join(c.ready(ctx), input.Positive("campaign", campaign))
	if codes == nil {
		err = errors.Join(err, fault.Invalid("codes", "must not be nil"))
	}
	if err != nil {
		return ImportResult{}, err
	}
	if err := c.pooled(ctx, campaign); err != nil {
		return ImportResult{}, err
	}
	var done ImportResult
	chunk, seen := make([]string, 0, codeChunk), make(map[string]bool, codeChunk)
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := c.add(ctx, campaign, anyNumber, chunk, &done)
		chunk = chunk[:0]
		clear(seen)
		return err
	}
	for given := range codes {
		code, err := Canonical(given)
		switch {
		case err != nil:
			done.Invalid = append(done.Invalid, given)
			continue
		case seen[code]:
			done.Known++
			continue
		}
		chunk, seen[code] = append(chunk, code), true
		if len(chunk) == codeChunk {
			if err := flush(); err != nil {
				return done, err
			}
		}
	}
	return done, flush()
}

// Generate makes codes with crypto/rand that cannot be guessed, and adds them to the pool of a campaign
// until it has had upTo codes, including those that were handed out or imported. The same call again, or
// at the same time, adds none. A nil style is the default.
//
// Errors are those of Import; the result that comes with one says what was done before it.
func (c *Coupons) Generate(ctx context.Context, campaign, upTo int64, style *CodeStyle) (ImportResult, error) {
	if err := errors.Join(c.ready(ctx), input.Positive("campaign", campaign), input.Positive("upTo", upTo)); err != nil {
		return ImportResult{}, err
	}
	complete, err := style.withDefaults()
	if err != nil {
		return ImportResult{}, err
	}
	if err := c.pooled(ctx, campaign); err != nil {
		return ImportResult{}, err
	}
	var done ImportResult
	for range attempts {
		have, err := c.store.Codes(ctx, campaign)
		if err != nil {
			return done, err
		}
		added := int64(1)
		for have < upTo && added > 0 { // until another call adds codes as well
			var made ImportResult // a code that was there before is not the caller's: another takes its place
			err := c.add(ctx, campaign, have, complete.codes(int(min(upTo-have, codeChunk))), &made)
			added = made.Added
			done.Added, have = done.Added+added, have+added
			if err != nil {
				return done, err
			}
		}
		if have >= upTo {
			return done, nil
		}
	}
	return done, contention("generate", strconv.FormatInt(campaign, 10))
}

// pooled refuses a campaign that has no pool.
func (c *Coupons) pooled(ctx context.Context, campaign int64) error {
	is, err := c.Campaign(ctx, campaign)
	switch {
	case err != nil:
		return err
	case !is.Pool:
		return &ClaimError{Campaign: campaign, Err: ErrNoPool}
	}
	return nil
}

// add adds codes to a pool that has had have codes so far, and counts the results. It adds nothing
// if the pool has had another number.
func (c *Coupons) add(ctx context.Context, campaign, have int64, codes []string, done *ImportResult) error {
	owners, verdict, err := c.store.AddCodes(ctx, campaign, have, codes, c.actor, c.reason)
	switch {
	case err != nil:
		return err
	case verdict != stock.Done && have == anyNumber:
		return ErrDrift // the campaign was there a moment ago, and none ever goes
	case verdict != stock.Done:
		return nil
	}
	added := int64(0)
	for i, owner := range owners {
		switch owner {
		case 0:
			added++
		case campaign:
			done.Known++
		default:
			done.Collisions = append(done.Collisions, Collision{Code: codes[i], Campaign: owner})
		}
	}
	if done.Added += added; added > 0 {
		c.took(ctx, Effect{Units: stock.StepRestock, Campaign: campaign, Num: added})
	}
	return nil
}
