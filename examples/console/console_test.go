package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/examples/internal/example"
	"github.com/holdfast-go/holdfast/examples/internal/example/exampletest"
)

// printer keeps what is printed, and sends the address that is in it.
type printer struct {
	mu      sync.Mutex
	all     bytes.Buffer
	address chan string
}

var printedAddress = regexp.MustCompile(`http://[0-9.:]+`)

// Write implements io.Writer.
func (p *printer) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if address := printedAddress.Find(text); address != nil {
		p.address <- string(address)
	}
	return p.all.Write(text)
}

func TestStoryEndsWithBalancedBooks(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		c := console{addr: "127.0.0.1:0", every: 2 * time.Millisecond, holdFor: 200 * time.Millisecond}
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		printed := &printer{address: make(chan string, 1)}
		ended := make(chan error, 1)
		go func() { ended <- example.Run(ctx, dsn, printed, c.run) }()
		var b *browser
		select {
		case err := <-ended:
			require.NoError(t, err)
		case address := <-printed.address:
			b = &browser{t: t, url: address}
		}
		require.Eventually(t, func() bool { // the tin is sold out, and what happened is told
			return strings.Contains(b.get("/items/44/0"), "sold out") &&
				strings.Contains(b.get("/lately"), "/order?no=")
		}, time.Minute, 50*time.Millisecond)
		b.done("/items/43/0/restock", b.fill("/items/43/0", "/items/43/0/restock", url.Values{"num": {"25"}}))
		require.Contains(t, b.get("/audit?run=1"), "The books balance.")
		require.NotContains(t, b.get("/lately"), `class="failure"`)

		interrupt()
		require.ErrorIs(t, <-ended, example.ErrInterrupted)
		require.Contains(t, printed.all.String(), "Audit: 9 items, 0 drifts.")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url, nil)
		require.NoError(t, err)
		response, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			response.Body.Close()
		}
		require.Error(t, err, "nobody listens any more")
	})
}

func TestInterruptedConsoleLeavesNothing(t *testing.T) {
	t.Parallel()
	exampletest.Each(t, func(t *testing.T, dsn string) {
		c := console{addr: "127.0.0.1:0", every: time.Millisecond, holdFor: time.Minute, drift: true}
		exampletest.Interrupt(t, dsn, "Ctrl-C ends it", c.run)
	})
}

func TestRequestsUnderWayAreAnswered(t *testing.T) {
	t.Parallel()
	listener, err := listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		interrupt()
		select {
		case <-r.Context().Done():
			http.Error(w, "cut off", http.StatusServiceUnavailable)
		case <-time.After(50 * time.Millisecond):
			w.WriteHeader(http.StatusNoContent)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, handler) }()
	b := &browser{t: t, url: "http://" + listener.Addr().String()}
	require.Equal(t, http.StatusNoContent, b.send(http.MethodGet, "/", nil, http.Header{}).status)
	require.NoError(t, <-ended)
}
