package stocktest

import (
	"context"
	"fmt"
	"iter"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// bulk draws a call for many items or orders.
func (m *model) bulk() operation {
	key := suite.Pick(m, keys()...)
	switch m.IntN(12) {
	case 0:
		keys := []stock.Key{m.key(), m.key(), m.key()}
		return bulkOf(m, fmt.Sprintf("Items(%v)", keys), func(s *side) iter.Seq2[stock.Item, error] { return s.inv.Items(s.Context(), keys...) })
	case 1:
		return m.defineAll()
	case 2:
		id, lines := m.ID("c"), m.lines()
		op := bulkOf(m, fmt.Sprintf("RestockAll(%q, %v)", id, lines), func(s *side) iter.Seq2[stock.ChangeOutcome, error] {
			return s.inv.RestockAll(s.Context(), id, lines...)
		})
		m.changes = suite.Remember(m.changes, op)
		return op
	case 3:
		op := bulkOf(m, fmt.Sprintf("CancelAll of %v", key), func(s *side) iter.Seq2[stock.Outcome, error] {
			return s.inv.CancelAll(s.Context(), stock.Filter{Key: key})
		})
		return op
	case 4:
		return bulkOf(m, fmt.Sprintf("AuditAll(%v)", key), func(s *side) iter.Seq2[stock.Report, error] {
			return s.inv.AuditAll(s.Context(), key, stock.Key{SKU: 1})
		})
	case 5, 6:
		id, units := m.ID("c"), m.Int64N(60)
		op := operation{Name: fmt.Sprintf("Count(%q, %v, %d)", id, key, units), Call: func(s *side) (any, error) {
			return s.inv.Count(s.Context(), id, key, units)
		}}
		m.changes = suite.Remember(m.changes, op)
		return op
	case 8, 9:
		return m.archive(key)
	case 7:
		lines, buyer := m.lines(), suite.Pick(m, buyers()...)
		return operation{Name: fmt.Sprintf("Check(%v) of %q", lines, buyer), Call: func(s *side) (any, error) {
			all, err := s.inv.For(buyer).Check(s.Context(), lines...)
			var answers []suite.Answer
			for _, a := range all {
				why := a.Why
				a.Why = nil
				answers = append(answers, m.Told(s, a, why))
			}
			return answers, err
		}}
	}
	return m.changeTerms(key)
}

// archive archives what was finished some time ago, of an item or of all.
func (m *model) archive(key stock.Key) operation {
	ago := suite.Pick(m, 0, m.opts.HoldFor, 3*m.opts.HoldFor)
	filter := stock.Filter{Key: suite.Pick(m, key, stock.Key{}), States: suite.Pick(m, nil, nil, paid(), []stock.State{m.state()})}
	before := m.now().Sub(m.Sides[0].Epoch) - ago
	return operation{Name: fmt.Sprintf("Archive(%v, %+v)", before, filter), Call: func(s *side) (any, error) {
		var given struct {
			Holds []stock.Hold
			Parts []int
		}
		archive := s.inv.Archive(s.Context(), s.Epoch.Add(before), filter, func(_ context.Context, some []stock.Hold) error {
			given.Holds = append(given.Holds, some...)
			return nil
		})
		var err error
		given.Parts, err = suite.Gather(archive)
		return given, err
	}}
}

// bulkOf is an operation whose result is all that an iterator returns, with the errors between.
func bulkOf[T any](m *model, name string, call func(s *side) iter.Seq2[T, error]) operation {
	return operation{Name: name, Call: func(s *side) (any, error) {
		var answers []suite.Answer
		for is, err := range call(s) {
			answers = append(answers, m.Told(s, is, err))
		}
		return answers, nil
	}}
}

// defineAll defines what is there and what was read.
func (m *model) defineAll() operation {
	key, read := suite.Pick(m, keys()...), suite.Pick(m, keys()...)
	total, spu := m.Int64N(60), m.Int64N(3)
	return bulkOf(m, fmt.Sprintf("DefineAll(%v with %d, %v as it was read with SPU %d)", key, total, read, spu),
		func(s *side) iter.Seq2[stock.Item, error] {
			item, err := s.inv.Item(s.Context(), read)
			if err != nil { // its first definition was refused
				return func(yield func(stock.Item, error) bool) { yield(item, err) }
			}
			item.SPU = spu
			items := []stock.Item{item}
			if key != read {
				items = append(items, stock.Item{Key: key, Quantities: stock.Quantities{Total: total}})
			}
			return s.inv.DefineAll(s.Context(), items...)
		})
}

// changeTerms changes one term of an item.
func (m *model) changeTerms(key stock.Key) operation {
	term, limit := m.IntN(6), m.Int64N(60)
	return operation{Name: fmt.Sprintf("ChangeTerms(%v, term %d, %d)", key, term, limit), Call: func(s *side) (any, error) {
		return s.inv.ChangeTerms(s.Context(), key, func(is stock.Item) (stock.Terms, error) {
			switch term {
			case 0:
				is.OffShelf = limit == 0
			case 1:
				is.PerBuyer = limit
			case 2:
				is.PerOrder = limit / 8
			case 3:
				is.LiveHolds = limit / 12
			case 4:
				is.Reserve = limit / 6
			case 5:
				is.Backorder = limit
			}
			return is.Terms, nil
		})
	}}
}
