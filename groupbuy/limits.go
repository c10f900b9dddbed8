package groupbuy

import (
	"time"

	"github.com/holdfast-go/holdfast/internal/money"
	"github.com/holdfast-go/holdfast/stock"
)

// The bounds of Groups.
const (
	MaxText      = 512              // bytes of a title, name, address or reason
	MaxPlaces    = money.MaxPlaces  // decimal places of a currency
	MaxPeople    = 10_000           // of a team
	MaxFormation = stock.MaxHoldFor // of a team
	MaxOrder     = 56               // bytes of an order: the number of its refund is made of it
	MaxUnits     = 1_000_000_000    // of Terms.UnitsPerVolume
	VolumePlaces = 2                // decimal places of a volume
	CodeLength   = 10               // letters of a team's code
	minFormation = time.Minute
	maxVolume    = 1_000_000_000_000 // of a purchase, and of what a team is formed by
)

// codeLetters are what codes are made of: no I, L, O, 0 and 1. 31 of them make 49.5 bits in a code.
const codeLetters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
