package saletest

import (
	"fmt"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// What pages ask in a model.

// read draws a reading.
func (m *model) read() operation {
	switch m.IntN(7) {
	case 0:
		return m.quote()
	case 1:
		limit := m.IntN(5)
		return operation{Name: fmt.Sprintf("Best(%d)", limit), Call: func(s *side) (any, error) { return s.sales.Best(s.Context(), limit) }}
	case 2:
		return m.activitiesIn(suite.Pick(m, 0, sale.Draft, sale.Approved, sale.Running, sale.Ended, sale.Withdrawn, sale.Withdrawn+1))
	case 3:
		return changesOf(m.product())
	case 4:
		return changesOf(stock.Key{Activity: max(m.activity(), 1)})
	}
	query := sale.ShelfQuery{State: suite.Pick(m, 0, sale.Running, sale.Approved, sale.Ended, sale.Ended)}
	switch m.IntN(5) {
	case 0:
		query.Activity = m.activity()
	case 1:
		query.SKU = m.Int64N(skusOfModel + 1)
	case 2:
		query.SPU = m.Int64N(3)
	}
	return operation{Name: fmt.Sprintf("Shelf(%+v)", query), Call: func(s *side) (any, error) {
		return suite.Gather(s.sales.Shelf(s.Context(), query))
	}}
}

// quote asks what some lines cost, and whether they could be bought.
func (m *model) quote() operation {
	lines := make([]stock.Line, m.IntN(3))
	for i := range lines {
		lines[i] = of(m.product(), m.Int64N(5)+1)
	}
	buyer := suite.Pick(m, buyersOfModel()...)
	return operation{Name: fmt.Sprintf("Quote(%+v for %q)", lines, buyer), Call: func(s *side) (any, error) {
		prices, err := s.sales.For(buyer).Quote(s.Context(), lines...)
		return m.answers(s, prices), err
	}}
}

// priceOf asks what an order costs.
func priceOf(order string) operation {
	return operation{Name: fmt.Sprintf("PriceOf(%q)", order), Call: func(s *side) (any, error) {
		prices, err := s.sales.PriceOf(s.Context(), order)
		for i := range prices {
			if prices[i].Err != nil {
				prices[i].Err = sale.ErrUnknownProduct
			}
		}
		return prices, err
	}}
}

// A lineOfModel is a sale.LinePrice with what its error says.
type lineOfModel struct {
	sale.LinePrice

	Refusal suite.Answer
}

// answers returns prices with their errors in the form of a side.
func (m *model) answers(s *side, prices []sale.LinePrice) (answers []lineOfModel) {
	for _, p := range prices {
		q := lineOfModel{LinePrice: p, Refusal: m.Told(s, nil, p.Err)}
		q.Err = nil
		answers = append(answers, q)
	}
	return answers
}

// activitiesIn lists the activities in a state, in small pages.
func (m *model) activitiesIn(state sale.State) operation {
	limit := suite.Pick(m, 1, 2, 50)
	return operation{Name: fmt.Sprintf("ActivitiesPage(%v) by %d", state, limit), Call: func(s *side) (any, error) {
		return suite.GatherPages(limit, func(ask stock.PageRequest) (stock.Page[sale.Activity], error) {
			return s.sales.ActivitiesPage(s.Context(), state, ask)
		})
	}}
}

// changesOf lists the changes of a product, or of an activity.
func changesOf(key stock.Key) operation {
	return operation{Name: fmt.Sprintf("ChangesPage(%+v)", key), Call: func(s *side) (any, error) {
		return suite.GatherChanges(7, func(ask stock.PageRequest) (stock.Page[stock.Change], error) {
			return s.sales.ChangesPage(s.Context(), key, ask)
		})
	}}
}

// productsOf reads the products of an activity.
func productsOf(activity int64) operation {
	return operation{Name: fmt.Sprintf("Products(%d)", activity), Call: func(s *side) (any, error) {
		return suite.Gather(s.sales.Products(s.Context(), activity))
	}}
}

// lookAt reads what became of a product and its units.
func lookAt(key stock.Key) []operation {
	if key.SKU < 1 || key.Activity < 1 {
		return nil
	}
	return []operation{
		{Name: fmt.Sprintf("Product(%v)", key), Call: func(s *side) (any, error) { return s.sales.Product(s.Context(), key) }},
		{Name: fmt.Sprintf("Items of SKU %d", key.SKU), Call: func(s *side) (any, error) {
			items, _, err := s.Stock.Items(s.Context(), "", []stock.Key{{SKU: key.SKU}, key})
			return items, err
		}},
	}
}
