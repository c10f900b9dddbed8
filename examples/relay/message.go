package main

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/stock/event"
)

// Message is an event as receivers get it, in JSON.
type Message struct {
	ID       int64     `json:"id"`
	Kind     string    `json:"kind"` // in words, such as "sold out"
	Queue    string    `json:"queue"`
	SKU      int64     `json:"sku,omitempty"`
	Activity int64     `json:"activity,omitempty"`
	Order    string    `json:"order,omitempty"`
	Buyer    string    `json:"buyer,omitempty"`
	Ref      string    `json:"ref,omitempty"`
	Num      int64     `json:"num"`
	At       time.Time `json:"at"`
}

// encode returns the message of an event.
func encode(e event.Event) ([]byte, error) {
	return json.Marshal(Message{
		ID: e.ID, Kind: e.Kind.String(), Queue: e.Queue, SKU: e.SKU, Activity: e.Activity, Order: e.Order, Buyer: e.Buyer, Ref: e.Ref,
		Num: e.Num, At: e.At,
	})
}

// idHeader has the ID of an event, which is the same each time. A receiver that keeps the highest ID of each queue drops what it has
// had before: the IDs of one queue grow.
const idHeader = "Idempotency-Key"

func idOf(e event.Event) string { return strconv.FormatInt(e.ID, 10) }
