package scale

import "fmt"

// Here are the costs that one of the quieter rounds of cmd/scale has measured, on MariaDB 10.11 and MySQL 9.7: internal/SCALE.md
// says when.
var Here = map[string]Costs{
	"MariaDB 10.11": {ClientOrder: 15e-6, ClientBatch: 740e-6, ServerOrder: 22e-6, ServerBatch: 880e-6, Commit: 500e-6},
	"MySQL 9.7":     {ClientOrder: 15e-6, ClientBatch: 780e-6, ServerOrder: 38e-6, ServerBatch: 1600e-6, Commit: 1500e-6},
}

// Step is a size of a shop.
type Step struct {
	Cores, Processes, Callers int // of the server; processes elsewhere; callers of all
}

// Steps are sizes of one server with one hot SKU, and the processes that it takes to keep it busy.
var Steps = []Step{{2, 2, 1_024}, {4, 2, 2_048}, {8, 4, 4_096}, {16, 4, 4_096}, {16, 8, 8_192}}

// Paper computes what a step reaches, on a server of its own with processes elsewhere. Of many SKUs, no row is waited for:
// what is left is the cores of the server.
func Paper(c Costs, s Step) (one Rate, many float64) {
	setup := Setup{
		Costs: c, Cores: float64(s.Cores), Apart: true, Processes: s.Processes, Callers: s.Callers, Batch: 900, InFlight: 2,
	}
	one = Simulate(setup, 5)
	return one, setup.Cores / (c.ServerOrder + c.ServerBatch/one.Batch)
}

// String describes a step in a line.
func (s Step) String() string {
	return fmt.Sprintf("%d cores, %d processes, %d callers", s.Cores, s.Processes, s.Callers)
}
