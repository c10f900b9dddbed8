package saletest

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/sale"
)

// seriesCases are about sales that repeat.
func seriesCases() []testCase {
	return []testCase{
		{Name: "SeriesMakesSessionsAWeekAhead", Run: seriesAhead},
		{Name: "SeriesLeavesAloneWhatAnOperatorHasChanged", Run: seriesChanged},
		{Name: "SeriesReportsWhatItCannotOfferAndGoesOn", Run: seriesShort},
		{Name: "SeriesIsScheduledByManyAtOnceAndMadeOnce", Run: seriesRace},
	}
}

// series returns two sessions a day, at 10:00 and 20:00 in Shanghai, of ten units each for two hours.
func series() sale.Series {
	p := product()
	p.Activity = 0
	return sale.Series{
		Activity: sale.Activity{Title: "Daily", Places: 2}, Zone: "Asia/Shanghai", Times: []time.Duration{10 * hour, 20 * hour}, Lasts: runs,
		Lots: []sale.Lot{{Product: p, Units: 10}}, ID: func(start time.Time) int64 { return start.Unix() },
	}
}

// schedule schedules series, and returns how many sessions that made.
func (s *scene) schedule(all ...sale.Series) int {
	return suite.Must(s.sales.Schedule(s.Context(), all...))
}

func seriesAhead(s *scene) {
	s.stocked(goods, inStock)
	zone := suite.Must(time.LoadLocation("Asia/Shanghai"))
	made := s.schedule(series())
	activities := suite.Listed(s, s.sales.Activities(s.Context()))
	s.Count("sessions", len(activities), made)
	if made < 14 || made > 15 {
		s.Fatalf("%d sessions in a week, at two a day", made)
	}
	for _, a := range activities {
		if hour := a.Start.In(zone).Hour(); hour != 10 && hour != 20 || !a.Start.Before(s.now().Add(sale.ScheduleAhead)) || !a.End.After(s.now()) {
			s.Fatalf("a session begins at %v", a.Start.In(zone))
		}
		suite.Same(s, "session", []any{a.ID, a.Title, a.End.Sub(a.Start), a.ApprovedAt.IsZero()}, []any{a.Start.Unix(), "Daily", runs, false})
		suite.Same(s, "units", s.item(stock.Key{SKU: goods, Activity: a.ID}).Total, 10)
	}
	s.ordinary(int64(inStock - 10*made))
	s.unchanged(func() { s.Count("sessions that are made again", s.schedule(series()), 0) })
	s.Advance(day)
	s.Count("sessions of another day", s.schedule(series()), 2)
	s.Advance(30 * day)
	s.expire()
	s.ordinary(inStock)
	limited := series()
	limited.From, limited.Until = s.now().Add(day), s.now().Add(2*day)
	s.Count("sessions of one day", s.schedule(limited), 2)
}

func seriesChanged(s *scene) {
	s.stocked(goods, inStock)
	s.schedule(series())
	activities := suite.Listed(s, s.sales.Activities(s.Context()))
	of := func(i int) stock.Key { return stock.Key{SKU: goods, Activity: activities[i].ID} }
	s.No(suite.Err(s.sales.End(s.Context(), activities[2].ID)))
	s.No(suite.Err(s.sales.WithdrawSale(s.Context(), activities[3].ID)))
	s.No(suite.Err(s.sales.Remove(s.Context(), of(4))))
	p := product()
	p.Key, p.Price = of(5), dec("1")
	s.No(suite.Err(s.sales.Revise(s.Context(), p)))
	moved := activities[6]
	moved.Start = moved.Start.Add(hour)
	s.define(moved)
	s.unchanged(func() { s.Count("sessions", s.schedule(series()), 0) })
}

func seriesShort(s *scene) {
	s.stocked(goods, inStock)
	s.stocked(43, 15)
	both := series()
	p := both.Lots[0].Product
	p.SKU = 43
	both.Until = s.now().Add(2 * day)
	both.Lots = append([]sale.Lot{{Product: p, Units: 10}}, both.Lots...)
	made, err := s.sales.Schedule(s.Context(), both)
	s.Is(err, stock.ErrInsufficient)
	suite.Same(s, "ordinary stock", s.item(stock.Key{SKU: 43}).Left, 5)
	s.ordinary(int64(inStock - 10*made))
	s.No(suite.Err(s.shop.Restock(s.Context(), "more", stock.Line{SKU: 43, Num: 100})))
	s.owned[43] += 100
	s.Count("sessions", s.schedule(both), 0)
	suite.Same(s, "ordinary stock", s.item(stock.Key{SKU: 43}).Left, int64(115-10*made))
	same := series()
	same.ID = func(time.Time) int64 { return 1 }
	s.Is(suite.Err(s.sales.Schedule(s.Context(), same)), sale.ErrMismatch)
	for name, change := range map[string]func(*sale.Series){
		"zone":  func(r *sale.Series) { r.Zone = "Nowhere" },
		"times": func(r *sale.Series) { r.Times = nil },
		"time":  func(r *sale.Series) { r.Times = []time.Duration{day} },
		"lasts": func(r *sale.Series) { r.Lasts = 0 },
		"units": func(r *sale.Series) { r.Lots = []sale.Lot{{Product: p}} },
		"ID":    func(r *sale.Series) { r.ID = nil },
	} {
		bad := series()
		change(&bad)
		s.Invalid(name, suite.Err(s.sales.Schedule(s.Context(), bad)))
	}
}

func seriesRace(s *scene) {
	s.stocked(goods, inStock)
	once := series()
	once.Until = s.now().Add(day)
	s.Each(suite.Together(4, func(int) error { return suite.Err(s.sales.Schedule(s.Context(), once)) }))
	n := len(suite.Listed(s, s.sales.Activities(s.Context())))
	s.ordinary(int64(inStock - 10*n))
	for _, a := range suite.Listed(s, s.sales.Activities(s.Context())) {
		suite.Same(s, "approved", a.ApprovedAt.IsZero(), false)
	}
}
