package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/holdfast-go/holdfast/stock/event"
)

// Webhook passes events on to a URL, one request each.
type Webhook struct {
	url    string
	client *http.Client
}

// Send is an event.BatchHandler. It returns nil once the receiver has answered every event with a status of 2xx. An event that the
// receiver had before one that failed comes again with it.
func (w *Webhook) Send(ctx context.Context, events []event.Event) error {
	for _, e := range events {
		if err := w.send(ctx, e); err != nil {
			return fmt.Errorf("%v: %w", e, err)
		}
	}
	return nil
}

func (w *Webhook) send(ctx context.Context, e event.Event) error {
	body, err := encode(e)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(idHeader, idOf(e))
	response, err := w.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil { // so that the connection can be used again
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", w.url, response.Status)
	}
	return nil
}
