package load

import (
	"slices"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

// hot is the number of callers that most is asked about, and coldCallers how many there are beside them, of the other SKUs.
const (
	hot         = 1_024
	coldCallers = 16
)

// known leaves out the contenders that this program was built without.
func known(names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := contender.Find(name)
		return err != nil
	})
}

// everybody are the contenders that lock one unit, and whose rate depends on the number of callers.
func everybody() []string {
	var names []string
	for _, kind := range contender.Kinds() {
		if kind.Stock() && kind.Name != contender.ColdByHand {
			names = append(names, kind.Name)
		}
	}
	return names
}

// The contenders of the scenarios.
func sellers() []string {
	return known(contender.ByHand, contender.UnitRows, contender.RedisRow, contender.RedisQueue, contender.WithTx, contender.Along)
}

func itemSellers() []string {
	return known(contender.ByHand, contender.RedisRow, contender.WithTx, contender.Along, contender.Batches)
}

func payers() []string {
	return known(contender.ByHand, contender.RedisRow, contender.WithTx, contender.Along)
}

func carts() []string {
	return []string{contender.Guarded, contender.RedisAlways, contender.Unmerged, contender.Ours, contender.Batches}
}

func colds() []string { return []string{contender.Guarded, contender.ColdByHand, contender.Ours} }

func buyers() []string { return []string{contender.Unmerged, contender.Ours} }

func claims() []string { return []string{contender.CouponUnmerged, contender.Coupon} }

func grabs() []string { return []string{contender.RedPacketUnmerged, contender.RedPacket} }

func fills() []string { return []string{contender.GroupsPlain, contender.Groups} }

// whatShopsDo are the measurements of orders, with the bare Lock last, for the rounds that the verdicts compare.
func whatShopsDo() []Measurement {
	tied := known(contender.ByHand, contender.Along)
	return []Measurement{
		{Scenario: Order, Contenders: append(sellers(), contender.Batches), Callers: []int{hot}},
		{Scenario: Order, Contenders: tied, Callers: []int{1}},
		{Scenario: Order, Contenders: tied, Callers: []int{hot}, Processes: 4},
		{Scenario: OrderItems, Contenders: itemSellers(), Callers: []int{hot}, SKUs: 1_000},
		{Scenario: Cart, Contenders: []string{contender.Guarded, contender.Ours, contender.Batches}, Callers: []int{hot}, SKUs: 1_000},
		{Scenario: Catalogue, Contenders: []string{contender.Unmerged, contender.Ours, contender.Batches}, Callers: []int{hot}, SKUs: 1_000},
		{Scenario: Pay, Contenders: payers(), Callers: []int{hot}},
		{Scenario: ColdBesideHot, Contenders: colds(), Callers: []int{hot}, SKUs: 101},
		{Scenario: LockPay, Contenders: []string{contender.RedisAlways, contender.Ours}, Callers: []int{hot}},
		{
			Scenario: Lock, Callers: []int{hot},
			Contenders: []string{contender.ForUpdate, contender.RedisAlways, contender.Ours, contender.Batches, contender.Limit},
		},
	}
}

// Shown is what README and the charts show of an engine, in 12 minutes.
func Shown() []Comparison {
	lockers := []string{contender.ForUpdate, contender.Guarded, contender.Ours, contender.RedisAlways, contender.RedisPipelined}
	return []Comparison{
		once(
			Measurement{Scenario: Order, Contenders: sellers(), Callers: []int{1, 64, hot, 4_096}},
			Measurement{Scenario: Lock, Contenders: lockers, Callers: []int{1, 64, hot, 4_096}},
			Measurement{Scenario: SoldOut, Contenders: []string{contender.Ours}, Callers: []int{hot}},
		),
		{Rounds: 3, Measurements: whatShopsDo()},
	}
}

// Full is the plan of a whole run, of 45 minutes for an engine: everything once, and what the verdicts divide by each other
// in several rounds.
func Full() []Comparison {
	ours := []string{contender.Ours}
	callers, more := []int{1, 64, hot, 4_096}, []int{1, 16, 64, 256, hot, 4_096}
	some := []string{contender.ForUpdate, contender.Guarded, contender.Unmerged, contender.Ours, contender.RedisAlways}
	most := slices.Insert(slices.Clone(some), 1, contender.Optimistic, contender.Published)
	return []Comparison{
		once(
			Measurement{Scenario: Order, Contenders: sellers(), Callers: callers},
			Measurement{Scenario: Order, Contenders: sellers(), Callers: callers, Processes: 4},
			Measurement{Scenario: Order, Contenders: append(sellers(), contender.Batches), Callers: []int{hot}, SKUs: 1_000},
			Measurement{Scenario: Order, Contenders: sellers(), Callers: []int{64, hot}, Delay: time.Millisecond},
			Measurement{Scenario: OrderItems, Contenders: itemSellers(), Callers: callers, SKUs: 1_000},
			Measurement{Scenario: Cart, Contenders: carts(), Callers: callers, SKUs: 1_000},
			Measurement{Scenario: Catalogue, Contenders: append(slices.Clone(some), contender.Batches), Callers: callers, SKUs: 1_000},
			Measurement{Scenario: Catalogue, Contenders: some, Callers: []int{hot}, SKUs: 1_000, Processes: 4},
			Measurement{Scenario: Pay, Contenders: payers(), Callers: callers},
			Measurement{Scenario: Lock, Contenders: everybody(), Callers: more},
		),
		{Rounds: 3, Measurements: whatShopsDo()},
		{Rounds: 4, Measurements: []Measurement{
			{Scenario: Lock, Contenders: []string{contender.RedisAlways, contender.Ours, contender.Limit}, Callers: []int{hot}},
			{Scenario: SoldOut, Contenders: ours, Callers: []int{hot}},
			{Scenario: LockBuyer, Contenders: ours, Callers: []int{hot}},
			{Scenario: LockPay, Contenders: ours, Callers: []int{hot}},
			{Scenario: Expire, Contenders: ours, Callers: []int{hot}},
			{Scenario: Lock, Contenders: []string{contender.RedisAlways, contender.Ours}, Callers: []int{2_048}},
			{Scenario: Lock, Contenders: ours, Callers: []int{4_096, 256}},
		}},
		{Rounds: 5, Measurements: []Measurement{
			{Scenario: Lock, Contenders: []string{contender.Guarded, contender.Ours}, Callers: []int{1}},
			{Scenario: Catalogue, Contenders: []string{contender.Unmerged, contender.Ours}, Callers: []int{64}, SKUs: 1_000},
		}},
		{Rounds: 3, Measurements: []Measurement{
			{Scenario: Claim, Contenders: append(claims(), contender.CouponMillion), Callers: []int{hot}},
			{Scenario: Claim, Contenders: claims(), Callers: []int{hot}, SKUs: 1_000},
			{Scenario: Grab, Contenders: grabs(), Callers: []int{hot}},
			{Scenario: Grab, Contenders: grabs(), Callers: []int{hot}, SKUs: 1_000},
			{Scenario: Fill, Contenders: fills(), Callers: []int{256}, SKUs: 10_000},
		}},
		once(
			Measurement{Scenario: Lock, Contenders: some, Callers: []int{hot}, Processes: 4},
			Measurement{Scenario: Lock, Contenders: some, Callers: []int{64, hot}, Delay: time.Millisecond},
			Measurement{Scenario: LockBuyer, Contenders: buyers(), Callers: []int{hot}},
			Measurement{Scenario: LockPay, Contenders: most, Callers: []int{hot}},
			Measurement{Scenario: LockCancel, Contenders: most, Callers: []int{hot}},
			Measurement{Scenario: SoldOut, Contenders: most, Callers: []int{hot}},
		),
	}
}

// Smoke has everything once and small: it shows that all of it works, and no figure.
func Smoke() []Comparison {
	pairs := slices.DeleteFunc(everybody(), func(name string) bool { return name == contender.RedisEverysec })
	return []Comparison{once(
		Measurement{Scenario: Order, Contenders: append(sellers(), contender.Batches), Callers: []int{64}},
		Measurement{Scenario: Order, Contenders: sellers(), Callers: []int{64}, Processes: 4},
		Measurement{Scenario: OrderItems, Contenders: itemSellers(), Callers: []int{64}, SKUs: 50},
		Measurement{Scenario: Cart, Contenders: carts(), Callers: []int{64}, SKUs: 50},
		Measurement{Scenario: Catalogue, Contenders: carts(), Callers: []int{64}, SKUs: 50},
		Measurement{Scenario: Pay, Contenders: payers(), Callers: []int{64}},
		Measurement{Scenario: ColdBesideHot, Contenders: colds(), Callers: []int{64}, SKUs: 50},
		Measurement{Scenario: Lock, Contenders: append(everybody(), contender.Limit), Callers: []int{64}},
		Measurement{Scenario: Lock, Contenders: []string{contender.Ours, contender.RedisAlways, contender.Limit}, Callers: []int{hot}},
		Measurement{Scenario: Lock, Contenders: []string{contender.Guarded, contender.Ours}, Callers: []int{1}},
		Measurement{Scenario: Catalogue, Contenders: []string{contender.Unmerged, contender.Ours}, Callers: []int{64}, SKUs: 50, Processes: 4},
		Measurement{Scenario: Lock, Contenders: []string{contender.Ours, contender.RedisPipelined}, Callers: []int{64}, Delay: time.Millisecond},
		Measurement{Scenario: LockBuyer, Contenders: buyers(), Callers: []int{64}},
		Measurement{Scenario: LockPay, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: LockCancel, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: SoldOut, Contenders: pairs, Callers: []int{64}},
		Measurement{Scenario: Expire, Contenders: []string{contender.Ours, contender.Unmerged}, Callers: []int{64}},
		Measurement{Scenario: Claim, Contenders: append(claims(), contender.CouponMillion), Callers: []int{64}},
		Measurement{Scenario: Grab, Contenders: grabs(), Callers: []int{64}},
		Measurement{Scenario: Fill, Contenders: fills(), Callers: []int{64}, SKUs: 50},
	)}
}
