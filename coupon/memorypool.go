package coupon

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/stock"
)

// AddCodes implements Store.
func (m *Memory) AddCodes(
	ctx context.Context, campaign, have int64, codes []string, actor, reason string,
) ([]int64, stock.Verdict, error) {
	units, _, end, err := m.begin(ctx)
	if err != nil {
		return nil, stock.Refused, err
	}
	defer end()
	had := int64(len(m.codes[campaign]))
	item, _, err := m.campaign(ctx, units, campaign)
	if err != nil || item.Version == 0 || have >= 0 && have != had {
		return nil, stock.Refused, err
	}
	owners := make([]int64, len(codes))
	var fresh []string
	for i, code := range codes {
		if owners[i] = m.owners[code].campaign; owners[i] == 0 {
			fresh = append(fresh, code)
		}
	}
	if len(fresh) == 0 {
		return owners, stock.Done, nil
	}
	if err := grow(ctx, units, item, had, int64(len(fresh)), actor, reason); err != nil {
		return nil, stock.Refused, err
	}
	for i, code := range fresh {
		m.owners[code] = campaignNo{campaign, had + int64(i) + 1}
	}
	m.codes[campaign] = append(m.codes[campaign], fresh...)
	return owners, stock.Done, nil
}

// grow adds the units of codes to a campaign that had so many codes before.
func grow(ctx context.Context, units *stock.Memory, item stock.Item, had, num int64, actor, reason string) error {
	delta := stock.StepRestock.Transition().Delta.Times(num)
	if _, err := item.Plus(delta); err != nil {
		return err
	}
	verdict, err := units.Apply(ctx, stock.Change{
		Kind: stock.KindImport, ID: item.Serial(had + 1), Entries: []stock.Entry{{Key: item.Key, Delta: delta}}, Actor: actor, Reason: reason,
	})
	if err == nil && verdict != stock.Done {
		err = ErrDrift
	}
	return err
}

// Codes implements Store.
func (m *Memory) Codes(ctx context.Context, campaign int64) (int64, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) (int64, error) {
		return int64(len(m.codes[campaign])), nil
	})
}

// AddBatch implements Store.
func (m *Memory) AddBatch(ctx context.Context, batch Batch) (stock.Verdict, error) {
	return during(ctx, m, func(*stock.Memory, time.Time) (stock.Verdict, error) {
		if _, ok := m.batches[batch.ID]; ok {
			return stock.Exists, nil
		}
		batch.Buyers = nil
		m.batches[batch.ID] = batch
		return stock.Done, nil
	})
}

// Batch implements Store.
func (m *Memory) Batch(ctx context.Context, id string) (Batch, []Grant, error) {
	_, _, end, err := m.begin(ctx)
	if err != nil {
		return Batch{}, nil, err
	}
	defer end()
	return m.batches[id], slices.Clone(m.granted[id]), nil
}

// Issue implements Store.
func (m *Memory) Issue(ctx context.Context, batch Batch, orders []stock.Order, holdFor time.Duration, all bool) ([]Grant, error) {
	return during(ctx, m, func(units *stock.Memory, _ time.Time) ([]Grant, error) {
		plan, err := m.plan(ctx, units, batch, orders)
		if err != nil {
			return nil, err
		}
		refused := slices.IndexFunc(plan, func(g Grant) bool { return g.Reason != Given })
		if all && refused >= 0 {
			return plan[refused : refused+1], nil
		}
		recorded := m.recorded(batch.ID)
		for i, g := range plan {
			if _, ok := recorded[g.Coupon]; ok {
				continue
			}
			if g.Reason == Given {
				if result, err := units.With(memoryCompanions{m: m}).Lock(ctx, orders[i], holdFor); err != nil || result.Verdict != stock.Done {
					return nil, ErrDrift // the plan allowed it, at this very moment
				}
			}
			m.granted[batch.ID] = append(m.granted[batch.ID], g)
		}
		return plan, nil
	})
}

// recorded returns what became of the buyers of a batch so far, by coupon.
func (m *Memory) recorded(batch string) map[string]Grant {
	recorded := make(map[string]Grant, len(m.granted[batch]))
	for _, g := range m.granted[batch] {
		recorded[g.Coupon] = g
	}
	return recorded
}

// plan returns what becomes of each order of a batch, and changes nothing.
func (m *Memory) plan(ctx context.Context, units *stock.Memory, batch Batch, orders []stock.Order) ([]Grant, error) {
	item, terms, err := m.campaign(ctx, units, batch.Campaign)
	if err != nil {
		return nil, err
	}
	recorded := m.recorded(batch.ID)
	plan := make([]Grant, len(orders))
	taken := int64(0)
	for i, order := range orders {
		was, known := recorded[order.ID]
		if known {
			plan[i] = was
			continue
		}
		plan[i] = Grant{Buyer: order.Buyer, Coupon: order.ID}
		if plan[i].Reason, err = refusal(ctx, units, order, taken); err != nil {
			return nil, err
		}
		if plan[i].Reason == Given {
			if taken++; m.handedOut(terms, item.SKU, item.Sold+taken) {
				return nil, ErrDrift
			}
		}
	}
	return plan, nil
}

// refusal returns why an order gets no coupon, when so many others have taken one before it.
func refusal(ctx context.Context, units *stock.Memory, order stock.Order, taken int64) (Reason, error) {
	hold, now, err := units.Hold(ctx, order.ID)
	if err != nil {
		return Given, err
	}
	if hold.State != stock.Unheld {
		return ReasonTaken, nil
	}
	standings, _, err := units.Items(ctx, order.Buyer, []stock.Key{order.Lines[0].Key()})
	if err != nil {
		return Given, err
	}
	standing := standings[0]
	if standing.Sold += taken; !standing.Unlimited {
		standing.Left -= taken
	}
	return ReasonFor(standing.Refuses(order.Step(), order.Lines[0], order.Buyer, now)), nil
}
