// Package redpackettest is the conformance suite of redpacket.Store: what every store must do, proved through the public
// methods of redpacket.Packets and, where those ask only in a race, of the store itself. Store and its suite are a seam
// of v0: they change without notice, so the suite is for the stores of this module.
//
// Model is the other half: it drives two stores with the same random operations and compares them after each.
package redpackettest

import (
	"slices"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
)

// Harness is one fresh, empty store and what a test needs to drive it.
type Harness = suite.Harness[redpacket.Store, redpacket.Store]

// Run runs every case against stores that open makes, one for each case. The cases run in
// parallel; open is called from the goroutine of the case.
func Run(t *testing.T, open func(t testing.TB) Harness) {
	t.Helper()
	suite.Run(t, cases(), func(t testing.TB) *scene { t.Helper(); return newScene(t, open(t)) })
}

// a testCase is one sentence of the contract.
type testCase = suite.Case[*scene]

// cases returns the suite, in the order of the life cycle.
func cases() []testCase {
	return slices.Concat(
		inputCases(), sendCases(), confirmCases(), grabCases(), splitCases(), luckCases(),
		closeCases(), expiryCases(), payoutCases(), resolveCases(), readingCases(), auditCases(),
		raceCases(), lostCases(), historyCases(), betweenCases(), transactionCases(),
		guardCases(), guardPayoutCases(), guardReadingCases(),
	)
}

// The people of a scene. Everybody else is a number in decimal digits.
const (
	sender = "sender"
	anna   = "anna"
	ben    = "ben"
	carol  = "carol"
	dan    = "dan"
)

// A scene is one case on its own store: packets with the default options, and helpers that end the
// test where something is not as it should be. They must not be called from other goroutines;
// suite.Together collects what those found.
type scene struct {
	suite.Checks
	Harness

	packets *redpacket.Packets
}

// newScene returns a scene on a fresh store.
func newScene(t testing.TB, h Harness) *scene {
	t.Helper()
	checks := suite.Checks{TB: t, Retryable: redpacket.Retryable, Normal: suite.Form{Fix: plain}.Normal}
	return &scene{Checks: checks, Harness: h, packets: redpacket.New(h.Store, nil)}
}

// with returns packets with other options on the store of the scene.
func (s *scene) with(opts redpacket.Options) *redpacket.Packets { return redpacket.New(s.Store, &opts) }

// now returns the store's clock.
func (s *scene) now() time.Time {
	s.Helper()
	_, now, err := s.Store.Record(s.Context(), 1)
	s.No(err)
	return now
}
