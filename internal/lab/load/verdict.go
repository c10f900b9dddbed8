package load

import (
	"fmt"
	"io"
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

// requirement is a claim of the kind a ÷ b: held where that is at least, or with most below, the bound.
type requirement struct {
	claim string
	bound float64
	below bool // held where it is below the bound
	value func(*Results) (value float64, figures string, ok bool)
}

// Judge holds the results of an engine, mariadb or mysql, against what must hold on it.
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

// requirements are those of one SKU on two cores, with the load on the same machine.
func requirements(engine string) []requirement {
	timesForUpdate, timesRedis := 30.0, 1.5
	if engine == "mariadb" {
		timesForUpdate, timesRedis = 20, 2
	}
	oneSKU := setting{Scenario: Lock, SKUs: 1, Processes: 1}
	manySKUs := setting{Scenario: Lock, SKUs: 1_000, Processes: 1}
	of := func(s setting, name string, callers int) Point { return Point{s, name, callers} }
	lock := of(oneSKU, contender.Ours, hot)
	p99 := func(callers int) func(*Results) (float64, string, bool) {
		return func(r *Results) (float64, string, bool) {
			ours, redis := r.Find(of(oneSKU, contender.Ours, callers)), r.Find(of(oneSKU, contender.RedisAlways, callers))
			if ours == nil || redis == nil || ours.P99 == 0 {
				return 0, "", false
			}
			return float64(redis.P99) / float64(ours.P99), micros(redis.P99) + " ÷ " + micros(ours.P99), true
		}
	}
	fill := func(name string) Point { return of(setting{Scenario: Fill, SKUs: 10_000, Processes: 1}, name, 256) }
	at := func(s Scenario, name string) Point { return of(setting{Scenario: s, SKUs: 1, Processes: 1}, name, hot) }
	soldOut := at(SoldOut, contender.Ours)
	return []requirement{
		{claim: "1,024 callers: Holdfast ÷ FOR UPDATE", bound: timesForUpdate, value: rates(lock, of(oneSKU, contender.ForUpdate, hot))},
		{
			claim: "1,024 callers: Holdfast ÷ Redis Lua, fsync always", bound: timesRedis,
			value: rates(lock, of(oneSKU, contender.RedisAlways, hot)),
		},
		{claim: "1,024 callers: Holdfast ÷ raw INSERT", bound: 0.6, value: rates(lock, of(oneSKU, contender.Limit, hot))},
		{claim: "no collapse: 4,096 callers ÷ the maximum", bound: 0.8, value: collapse(of(oneSKU, contender.Ours, 4_096))},
		{claim: "1,024 callers: p99 of Redis ÷ p99 of Holdfast", bound: 1, value: p99(hot)},
		{claim: "2,048 callers: p99 of Redis ÷ p99 of Holdfast", bound: 1, value: p99(2_048)},
		{
			claim: "no tax: 1 caller, Holdfast ÷ INSERT + guarded UPDATE", bound: 0.85,
			value: rates(of(oneSKU, contender.Ours, 1), of(oneSKU, contender.Guarded, 1)),
		},
		{
			claim: "1,000 SKUs, 64 callers: Holdfast ÷ unmerged", bound: 1,
			value: rates(of(manySKUs, contender.Ours, 64), of(manySKUs, contender.Unmerged, 64)),
		},
		{claim: "sold out: refusals ÷ raw INSERT", bound: 5, value: rates(soldOut, of(oneSKU, contender.Limit, hot))},
		{claim: "sold out: statements/s that reach the item", bound: 10, below: true, value: func(r *Results) (float64, string, bool) {
			result := r.Find(soldOut)
			if result == nil {
				return 0, "", false
			}
			return result.HotRate, "at " + thousands(result.Rate) + " refusals/s", true
		}},
		{claim: "Lock for a buyer ÷ Lock", bound: 0.4, value: rates(at(LockBuyer, contender.Ours), lock)},
		{claim: "Lock→Pay ÷ Lock", bound: 0.4, value: rates(at(LockPay, contender.Ours), lock)},
		{claim: "expiry of dead holds ÷ Lock", bound: 0.5, value: rates(at(Expire, contender.Ours), lock)},
		{claim: "claims of coupons ÷ unmerged", bound: 20, value: rates(at(Claim, contender.Coupon), at(Claim, contender.CouponUnmerged))},
		{
			claim: "claims with a million codes ÷ without codes", bound: 0.8,
			value: rates(at(Claim, contender.CouponMillion), at(Claim, contender.Coupon)),
		},
		{
			claim: "seats of 10,000 teams, 256 callers ÷ two plain statements", bound: 0.5,
			value: rates(fill(contender.Groups), fill(contender.GroupsPlain)),
		},
		{claim: "grabs of red packets ÷ unmerged", bound: 20, value: rates(at(Grab, contender.RedPacket), at(Grab, contender.RedPacketUnmerged))},
	}
}

// rates divides the rate of one point by that of another.
func rates(a, b Point) func(*Results) (float64, string, bool) {
	return func(r *Results) (float64, string, bool) {
		left, right := r.Find(a), r.Find(b)
		if left == nil || right == nil || right.Rate == 0 {
			return 0, "", false
		}
		return compare(left, right), thousands(left.Rate) + " ÷ " + thousands(right.Rate), true
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
