package main

import (
	"net"
	"net/http"
	"net/url"
)

// maxForm is how many bytes a form may have.
const maxForm = 1 << 16

// policy allows nothing but what this server serves itself, no script or style within a page, and no frame of another site.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// guard keeps pages of other sites out: they can neither post to the console, nor read it, nor show it in a frame.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case !ownHost(r.Host):
			http.Error(w, "Nothing was done. This console answers to the address that it has printed, and to no other name.",
				http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && !sameOrigin(r):
			http.Error(w, "Nothing was done. The form was not sent by a page of this console. Open the console, and send the form there.",
				http.StatusForbidden)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			next.ServeHTTP(w, r)
		}
	})
}

// ownHost reports whether a request names this machine. A hostile name that resolves to it would make its pages ours in the eyes of a
// browser (DNS rebinding). Behind a login of its own, a shop compares with its own name, and below with https.
func ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return loopback(host)
}

// sameOrigin reports whether a browser says that a page of this console sent a request: by Sec-Fetch-Site, or by Origin where it is an
// older browser. Each browser sends one of them with a form, so a request without them is refused as well.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Scheme == "http" && origin.Host == r.Host
}
