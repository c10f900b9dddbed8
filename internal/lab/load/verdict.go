package load

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// Verdict is one line of what must hold.
type Verdict struct {
	Engine   string  `json:"engine"`
	Claim    string  `json:"claim"`
	Required string  `json:"required"` // such as ">= 30"
	Measured float64 `json:"measured"`
	Known    bool    `json:"known"` // it was measured in this run
	Held     bool    `json:"held"`
	Figures  string  `json:"figures"` // what was divided by what
}

// requirement is a claim of the kind a ÷ b: held where that is at least the bound, or with below less than it.
type requirement struct {
	claim string
	bound float64
	below bool // held where it is below the bound
	value func(*Results) (value float64, figures string, ok bool)
}

// Judge holds the results of an engine, mariadb, mysql or tidb, against what must hold on it.
func Judge(results *Results, engine string) []Verdict {
	var verdicts []Verdict
	for _, r := range requirements(engine) {
		v := Verdict{Engine: results.Engine, Claim: r.claim, Required: "≥ " + strconv.FormatFloat(r.bound, 'g', -1, 64)}
		if r.below {
			v.Required = "< " + strconv.FormatFloat(r.bound, 'g', -1, 64)
		}
		v.Measured, v.Figures, v.Known = r.value(results)
		v.Held = v.Known && (v.Measured >= r.bound) != r.below
		verdicts = append(verdicts, v)
	}
	clean := Verdict{
		Engine: results.Engine, Claim: "no oversell, no lost hold, zero drift: points with wrong books", Required: "0",
		Known: len(results.All()) > 0,
	}
	clean.Measured = float64(len(results.Wrong()))
	clean.Held = clean.Known && clean.Measured == 0
	clean.Figures = fmt.Sprintf("%d points", len(results.All()))
	return append(verdicts, clean)
}

// requirements are those on two cores, with the load on the same machine.
func requirements(engine string) []requirement {
	if engine == "tidb" {
		return tidbRequirements()
	}
	all := slices.Concat(orderRequirements(engine == "mariadb"), lockRequirements(engine == "mariadb"), domainRequirements())
	return slices.DeleteFunc(all, func(r requirement) bool { return r.value == nil })
}

// at is a point of 1,024 callers in one process.
func at(s Scenario, name string, skus int) Point {
	return Point{setting{Scenario: s, SKUs: skus, Processes: 1}, name, hot}
}

// with changes the number of callers and of processes.
func (p Point) with(callers, processes int) Point {
	p.Callers, p.Processes = callers, processes
	return p
}

// orderRequirements are those of what shops do.
func orderRequirements(mariadb bool) []requirement {
	order := func(name string) Point { return at(Order, name, 1) }
	along := order(contender.Along)
	items := func(name string) Point { return at(OrderItems, name, 1_000) }
	pay := func(name string) Point { return at(Pay, name, 1) }
	catalogue := func(name string) Point { return at(Catalogue, name, 1_000) }
	cold := func(name string) Point { return at(ColdBesideHot, name, 101) }
	byEngine := func(mysql, maria float64) float64 {
		if mariadb {
			return maria
		}
		return mysql
	}
	return []requirement{
		{claim: "order row and Lock: Along ÷ by hand", bound: byEngine(20, 12), value: rates(along, order(contender.ByHand))},
		{claim: "order row and Lock: Along ÷ Redis Lua, then the order row", bound: 4, value: rates(along, order(contender.RedisRow))},
		{claim: "order row and Lock: Along ÷ a row per unit", bound: byEngine(8, 5), value: rates(along, order(contender.UnitRows))},
		{claim: "order row and Lock: Along ÷ batches of 256", bound: 0.6, value: rates(along, order(contender.Batches))},
		{
			claim: "order row and Lock, 1 caller: Along ÷ by hand", bound: 0.85,
			value: rates(along.with(1, 1), order(contender.ByHand).with(1, 1)),
		},
		{
			claim: "order row and Lock, 4 processes: Along ÷ by hand", bound: byEngine(12, 8),
			value: rates(along.with(hot, 4), order(contender.ByHand).with(hot, 4)),
		},
		{claim: "order row and Lock, Along: 4 processes ÷ 1", bound: 0.5, value: rates(along.with(hot, 4), along)},
		{
			claim: "two item rows and lines: Along ÷ by hand", bound: byEngine(12, 8),
			value: rates(items(contender.Along), items(contender.ByHand)),
		},
		{claim: "1,000 SKUs: Holdfast ÷ batches of 256", bound: 0.5, value: rates(catalogue(contender.Ours), catalogue(contender.Batches))},
		{claim: "1,000 SKUs: Holdfast ÷ unmerged", bound: 5, value: rates(catalogue(contender.Ours), catalogue(contender.Unmerged))},
		{
			claim: "Pay and the order's status: Along ÷ by hand", bound: byEngine(10, 8),
			value: rates(pay(contender.Along), pay(contender.ByHand)),
		},
		{
			claim: "Lock→Pay: Holdfast ÷ Redis Lua, fsync always", bound: 1.4,
			value: rates(at(LockPay, contender.Ours, 1), at(LockPay, contender.RedisAlways, 1)),
		},
		{
			claim: "cold SKUs beside a hot one: p99 of Holdfast ÷ p99 by hand", bound: 1.5, below: true,
			value: p99s(cold(contender.Ours), cold(contender.ColdByHand)),
		},
	}
}

// tidbRequirements are those of TiDB with its test store.
func tidbRequirements() []requirement {
	return []requirement{
		{claim: "Lock: Holdfast ÷ INSERT + guarded UPDATE", bound: 20, value: rates(at(Lock, contender.Ours, 1), at(Lock, contender.Guarded, 1))},
		{
			claim: "1,000 SKUs: Holdfast ÷ INSERT + guarded UPDATE", bound: 10,
			value: rates(at(Catalogue, contender.Ours, 1_000), at(Catalogue, contender.Guarded, 1_000)),
		},
		{claim: "order row and Lock: Along ÷ by hand", bound: 10, value: rates(at(Order, contender.Along, 1), at(Order, contender.ByHand, 1))},
		{
			claim: "Lock→Pay: unmerged ÷ INSERT + guarded UPDATE", bound: 0.8,
			value: rates(at(LockPay, contender.Unmerged, 1), at(LockPay, contender.Guarded, 1)),
		},
	}
}

// lockRequirements are those of the bare Lock.
func lockRequirements(mariadb bool) []requirement {
	timesForUpdate, timesRedis := 30.0, 1.5
	if mariadb {
		timesForUpdate, timesRedis = 20, 2
	}
	of := func(s Scenario, name string) Point { return at(s, name, 1) }
	lock, redis, limit := of(Lock, contender.Ours), of(Lock, contender.RedisAlways), of(Lock, contender.Limit)
	soldOut := of(SoldOut, contender.Ours)
	catalogue := func(name string) Point { return at(Catalogue, name, 1_000).with(64, 1) }
	return []requirement{
		{claim: "1,024 callers: Holdfast ÷ FOR UPDATE", bound: timesForUpdate, value: rates(lock, of(Lock, contender.ForUpdate))},
		{claim: "1,024 callers: Holdfast ÷ Redis Lua, fsync always", bound: timesRedis, value: rates(lock, redis)},
		{claim: "1,024 callers: Holdfast ÷ raw INSERT", bound: 0.6, value: rates(lock, limit)},
		{claim: "no collapse: 4,096 callers ÷ the maximum", bound: 0.8, value: collapse(lock.with(4_096, 1))},
		{claim: "1,024 callers: p99 of Redis ÷ p99 of Holdfast", bound: 1, value: p99s(redis, lock)},
		{claim: "2,048 callers: p99 of Redis ÷ p99 of Holdfast", bound: 1, value: p99s(redis.with(2_048, 1), lock.with(2_048, 1))},
		{
			claim: "no tax: 1 caller, Holdfast ÷ INSERT + guarded UPDATE", bound: 0.85,
			value: rates(lock.with(1, 1), of(Lock, contender.Guarded).with(1, 1)),
		},
		{
			claim: "1,000 SKUs, 64 callers: Holdfast ÷ unmerged", bound: 1,
			value: rates(catalogue(contender.Ours), catalogue(contender.Unmerged)),
		},
		{claim: "sold out: refusals ÷ raw INSERT", bound: 5, value: rates(soldOut, limit)},
		{claim: "sold out: statements/s that reach the item", bound: 10, below: true, value: func(r *Results) (float64, string, bool) {
			result := r.Find(soldOut)
			if result == nil {
				return 0, "", false
			}
			return result.HotRate, "at " + thousands(result.Rate) + " refusals/s", true
		}},
		{claim: "Lock for a buyer ÷ Lock", bound: 0.4, value: rates(of(LockBuyer, contender.Ours), lock)},
		{claim: "Lock→Pay ÷ Lock", bound: 0.4, value: rates(of(LockPay, contender.Ours), lock)},
		{claim: "expiry of dead holds ÷ Lock", bound: 0.5, value: rates(of(Expire, contender.Ours), lock)},
	}
}

// domainRequirements are those of coupons, red packets and teams.
func domainRequirements() []requirement {
	claim := func(name string, skus int) Point { return at(Claim, name, skus) }
	grab := func(name string, skus int) Point { return at(Grab, name, skus) }
	fill := func(name string) Point { return at(Fill, name, 10_000).with(256, 1) }
	return []requirement{
		{claim: "claims of coupons ÷ unmerged", bound: 20, value: rates(claim(contender.Coupon, 1), claim(contender.CouponUnmerged, 1))},
		{
			claim: "claims of 1,000 campaigns ÷ unmerged", bound: 5,
			value: rates(claim(contender.Coupon, 1_000), claim(contender.CouponUnmerged, 1_000)),
		},
		{
			claim: "claims with a million codes ÷ without codes", bound: 0.8,
			value: rates(claim(contender.CouponMillion, 1), claim(contender.Coupon, 1)),
		},
		{
			claim: "seats of 10,000 teams, 256 callers ÷ two plain statements", bound: 0.5,
			value: rates(fill(contender.Groups), fill(contender.GroupsPlain)),
		},
		{
			claim: "grabs of red packets ÷ unmerged", bound: 20,
			value: rates(grab(contender.RedPacket, 1), grab(contender.RedPacketUnmerged, 1)),
		},
		{
			claim: "grabs of 1,000 red packets ÷ unmerged", bound: 5,
			value: rates(grab(contender.RedPacket, 1_000), grab(contender.RedPacketUnmerged, 1_000)),
		},
	}
}

// p99s divides the 99th percentiles of the latency of two points.
func p99s(a, b Point) func(*Results) (float64, string, bool) {
	return divided(a, b, compareP99, func(r *Result) string { return micros(r.P99) })
}

// rates divides the rates of two points.
func rates(a, b Point) func(*Results) (float64, string, bool) {
	return divided(a, b, compare, func(r *Result) string { return thousands(r.Rate) })
}

// divided returns nil where this program was built without one of the contenders.
func divided(a, b Point, by func(a, b *Result) float64, figure func(*Result) string) func(*Results) (float64, string, bool) {
	if len(known(a.Contender, b.Contender)) < 2 {
		return nil
	}
	return func(r *Results) (float64, string, bool) {
		left, right := r.Find(a), r.Find(b)
		if left == nil || right == nil {
			return 0, "", false
		}
		ratio := by(left, right)
		return ratio, figure(left) + " ÷ " + figure(right), ratio > 0
	}
}

// collapse divides the rate of a point by that of the same contender with the number of callers that it does best with.
func collapse(p Point) func(*Results) (float64, string, bool) {
	return func(r *Results) (float64, string, bool) {
		last := r.Find(p)
		if last == nil || last.Rate == 0 {
			return 0, "", false
		}
		least, figures := 1.0, thousands(last.Rate)+" is the maximum"
		for _, result := range r.All() {
			if result.setting != p.setting || result.Contender != p.Contender {
				continue
			}
			if c := compare(last, result); c < least {
				least, figures = c, thousands(last.Rate)+" ÷ "+thousands(result.Rate)+", of "+count(result.Callers, "caller", "callers")
			}
		}
		return least, figures, len(r.All()) > 1
	}
}

// WriteVerdicts prints them as a table.
func WriteVerdicts(w io.Writer, verdicts []Verdict) {
	rows := [][]string{{"required", "what must hold", "measured", "", ""}}
	for _, v := range verdicts {
		measured, word := ratio(v.Measured), "NOT HELD"
		if v.Held {
			word = "held"
		}
		if !v.Known {
			measured, word = "", "not measured"
		}
		rows = append(rows, []string{v.Required, v.Engine + ": " + v.Claim, measured, word, v.Figures})
	}
	writeTable(w, rows)
}
