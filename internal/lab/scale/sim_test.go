package scale

import (
	"math"
	"testing"
)

// near demands a value to within a share of it.
func near(t *testing.T, what string, want, got, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*want {
		t.Errorf("%s is %v, should be %v", what, got, want)
	}
}

// setup is one process on two cores.
func setup(c Costs) Setup {
	return Setup{Costs: c, Cores: 2, Processes: 1, Callers: 1_024, Batch: 900, InFlight: 2}
}

func TestOneCallerWaitsForEverything(t *testing.T) {
	t.Parallel()
	s := setup(Costs{ClientOrder: 10e-6, ClientBatch: 90e-6, ServerOrder: 20e-6, ServerBatch: 180e-6, Commit: 700e-6})
	s.Callers = 1
	got := Simulate(s, 2)
	near(t, "the Orders", 1_000, got.Orders, 0.01)
	near(t, "the batch", 1, got.Batch, 1e-9)
	near(t, "the Busy", 0.15, got.Busy, 0.01)
}

func TestCoresBoundTheRate(t *testing.T) {
	t.Parallel()
	got := Simulate(setup(Costs{ClientOrder: 30e-6, ServerOrder: 20e-6}), 2)
	near(t, "the Orders", 2/50e-6, got.Orders, 0.02)
	near(t, "the Busy", 1, got.Busy, 0.02)

	apart := setup(Costs{ClientOrder: 5e-6, ServerOrder: 20e-6})
	apart.Apart = true
	apart.Processes = 4
	near(t, "the rate of clients elsewhere", 2/20e-6, Simulate(apart, 2).Orders, 0.15)
}

// One row is locked while its transaction goes to the disk: a commit is what bounds small transactions.
func TestRowBoundsTheTransactions(t *testing.T) {
	t.Parallel()
	s := setup(Costs{ServerOrder: 1e-6, Commit: 10e-3})
	s.Batch = 10
	got := Simulate(s, 2)
	near(t, "the Orders", 10/10e-3, got.Orders, 0.02)
	near(t, "the batch", 10, got.Batch, 0.01)
	four := s
	four.Processes = 4
	near(t, "Simulate(four, 2).Orders", got.Orders, Simulate(four, 2).Orders, 0.02)
}

// Costs that were put in come out again.
func TestFitFindsTheCosts(t *testing.T) {
	t.Parallel()
	s := setup(Costs{ClientOrder: 15e-6, ClientBatch: 100e-6, ServerOrder: 25e-6, ServerBatch: 300e-6, Commit: 2e-3})
	measure := func(callers int) Measurement {
		s := s
		s.Callers = callers
		got := Simulate(s, 2)
		return Measurement{
			Rate:   got.Orders,
			Client: s.ClientOrder + s.ClientBatch/got.Batch, Server: s.ServerOrder + s.ServerBatch/got.Batch,
		}
	}
	alone, many := measure(1), measure(1_024)
	got := Calibrate(alone, many, s)
	near(t, "the ClientOrder", s.ClientOrder, got.ClientOrder, 0.05)
	near(t, "the ClientBatch", s.ClientBatch, got.ClientBatch, 0.05)
	near(t, "the ServerOrder", s.ServerOrder, got.ServerOrder, 0.05)
	near(t, "the ServerBatch", s.ServerBatch, got.ServerBatch, 0.05)
	near(t, "the Commit", s.Commit, got.Commit, 0.05)
}
