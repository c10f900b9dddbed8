package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/stock"
)

func TestPostOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), nil, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.furnish(t.Context(), time.Now()))
	b := visit(t, s)
	const action = "/items/43/0/restock"
	own, total := b.url, int64(60)
	for name, c := range map[string]struct {
		header http.Header
		status int
	}{
		"SameOrigin":       {http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {own}}, http.StatusSeeOther},
		"OlderBrowser":     {http.Header{"Origin": {own}}, http.StatusSeeOther},
		"CrossSite":        {http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"OtherPort":        {http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:1"}}, http.StatusForbidden},
		"OlderCrossSite":   {http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		"OpaqueOrigin":     {http.Header{"Origin": {"null"}}, http.StatusForbidden},
		"OtherScheme":      {http.Header{"Origin": {"https" + own[len("http"):]}}, http.StatusForbidden},
		"NoBrowser":        {http.Header{}, http.StatusForbidden},
		"SiteBeforeOrigin": {http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {own}}, http.StatusForbidden},
		"Rebound":          {http.Header{"Host": {"evil.example"}, "Sec-Fetch-Site": {"same-origin"}}, http.StatusMisdirectedRequest},
		"ReboundWithPort":  {http.Header{"Host": {"evil.example:80"}, "Sec-Fetch-Site": {"same-origin"}}, http.StatusMisdirectedRequest},
	} {
		fields := b.fill("/items/43/0", action, url.Values{"num": {"1"}})
		a := b.send(http.MethodPost, action, fields, c.header)
		require.Equal(t, c.status, a.status, name)
		if c.status == http.StatusSeeOther {
			total++
		}
		require.Equal(t, total, b.item(stock.Key{SKU: teapot}).Total, name)
	}
	a := b.send(http.MethodGet, "/", nil, http.Header{"Host": {"evil.example"}})
	require.Equal(t, http.StatusMisdirectedRequest, a.status)
	require.NotContains(t, a.body, "Teapot")
}

func TestPagesMayLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	s, err := open(t.Context(), nil, time.Minute)
	require.NoError(t, err)
	b := visit(t, s)
	for path, kind := range map[string]string{
		"/": "text/html", "/nowhere": "text/html", "/console.css": "text/css", "/live.js": "text/javascript",
	} {
		a := b.send(http.MethodGet, path, nil, http.Header{})
		require.Contains(t, a.header.Get("Content-Type"), kind, path)
		require.Equal(t, policy, a.header.Get("Content-Security-Policy"), path)
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), path)
		require.NotContains(t, a.body, "style=", path)
	}
	require.Contains(t, b.get("/"), "This console has no login.")
}

func TestOnlyThisMachineIsListenedOn(t *testing.T) {
	t.Parallel()
	for addr, says := range map[string]string{
		"0.0.0.0:0": "is not a loopback address", ":0": "is not a loopback address", "192.0.2.1:80": "is not a loopback address",
		"example.com:80": "is not a loopback address", "8080": "cannot be read", "127.0.0.1:99999": "cannot listen",
	} {
		_, err := listen(t.Context(), addr)
		require.ErrorContains(t, err, says, addr)
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		listener, err := listen(t.Context(), addr)
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}
