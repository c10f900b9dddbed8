package main

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// places is the currency's: yuan and fen.
const places = 2

// The activities. The fair has units enough for the tale; ordinary stock keeps some that no activity gets.
const (
	fair    = 7
	evening = 8

	unitsOfFair = 200
	unitsKept   = 500
)

// The products by their SKU.
const (
	cups = 42
	rice = 43
)

// good is what the shop sells.
type good struct {
	sku   int64
	name  string
	terms groupbuy.Terms
}

// goods are all of them: cups by people, three to a team, and rice by volume, ten kilograms to a team. A unit
// of cups is a cup, a unit of rice is a bag of 0.25 kg. Rice that has not come to ten kilograms at the
// deadline is sold from three.
var goods = []good{
	{cups, "cups", groupbuy.Terms{
		Places: places, Price: decimal.New(30, 0), GroupPrice: decimal.New(20, 0), People: 3,
	}},
	{rice, "rice", groupbuy.Terms{
		Places: places, Price: decimal.New(8, 0), GroupPrice: decimal.New(640, -places), UnitsPerVolume: 4,
		Volume: decimal.New(10, 0), MinVolume: decimal.New(3, 0),
	}},
}

// in is a product in an activity.
func in(activity, sku int64) stock.Key { return stock.Key{SKU: sku, Activity: activity} }

// activityName is the name of an activity for people.
func activityName(activity int64) string {
	if activity == fair {
		return "fair"
	}
	return "evening"
}

// termsOf returns what the shop asks of the teams of a SKU.
func termsOf(sku int64) groupbuy.Terms { return goods[sku-cups].terms }

// price is what a seat costs.
func price(s groupbuy.Seat) decimal.Decimal { return termsOf(s.SKU).GroupPrice.Mul(s.Volume) }

// unitsOf is how many units of stock a seat has.
func unitsOf(s groupbuy.Seat) int64 {
	return s.Volume.Mul(decimal.NewFromInt(max(termsOf(s.SKU).UnitsPerVolume, 1))).IntPart()
}

// money prints an amount, kilograms a volume, clockTime the time of day.
func money(amount decimal.Decimal) string { return amount.StringFixed(places) }

func kilograms(volume decimal.Decimal) string {
	return volume.StringFixed(groupbuy.VolumePlaces) + " kg"
}

func clockTime(at time.Time) string { return at.Local().Format(time.TimeOnly) }
