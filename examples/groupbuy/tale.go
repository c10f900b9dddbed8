package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/holdfast-go/holdfast/groupbuy"
	"github.com/holdfast-go/holdfast/stock"
)

// racers are the buyers who tap for one last seat.
const racers = 50

// operator is who forms a team by hand.
const operator = "Lin"

// tale follows a few teams through the fair, from its set-up to its end.
type tale struct {
	*shop

	people  map[string]int64 // buyers by name
	story   []step
	winners []groupbuy.Seat // of the last seat; there should be one
	told    int             // racers who were told that the team is full

	err error // the first failure; what comes after it is not told
}

// step is what happened in the tale, and what the library answered.
type step struct {
	What   string `json:"what"`
	Answer string `json:"answer"`
}

// tell tells what happens before the evening.
func (t *tale) tell(ctx context.Context) error {
	t.progress.Show("the fair")
	t.setUp(ctx)
	t.race(ctx)
	t.byVolume(ctx)
	t.byHand(ctx)
	return t.err
}

// setUp is the fair before it opens.
func (t *tale) setUp(ctx context.Context) {
	if t.err == nil {
		_, t.err = t.groups.Define(ctx, groupbuy.Activity{
			ID: fair, Title: "autumn fair", Formation: 24 * time.Hour, End: t.now().Add(7 * 24 * time.Hour),
		})
	}
	offers := func(what string, g good, units int64) {
		t.say(what, func() (string, error) {
			p, err := t.offer(ctx, fair, g, units)
			return fmt.Sprintf("%v, %s instead of %s", p.State, money(p.GroupPrice), money(p.Price)), err
		})
	}
	offers("the fair wants a million cups more than there are", goods[0], t.had[cups]+1_000_000)
	offers("it wants 180 cups, for teams of three", goods[0], unitsOfFair-20)
	offers("it wants 200 bags of 0.25 kg of rice, for teams of 10 kg", goods[1], unitsOfFair)
	adds := func() (string, error) {
		err := t.again(ctx, func() error { return t.groups.AddStock(ctx, "more-cups", in(fair, cups), 20) })
		if err != nil {
			return "", err
		}
		pool, err := t.stock.Item(ctx, in(fair, cups))
		return fmt.Sprintf("%d cups are at the fair", pool.Total), err
	}
	t.say("an operator adds 20 cups", adds)
	t.say("that job runs a second time", adds)
	if t.err == nil {
		t.deducted[cups] += 20
	}
}

// race is a team by people, for whose last seat many tap at once.
func (t *tale) race(ctx context.Context) {
	team := t.opens(ctx, "Ann opens a team for a cup", "Ann", cups, "1")
	t.joins(ctx, "Ann joins it under another order", "Ann", "A-2", team, cups, "1")
	bo := t.joins(ctx, "Bo joins", "Bo", "B-1", team, cups, "1")
	t.pays(ctx, "Ann pays", t.seats["A-1"])
	t.pays(ctx, "Bo pays", bo)
	t.say(fmt.Sprintf("%d buyers tap for the last seat at once", racers), func() (string, error) {
		err := t.runRace(ctx, team)
		return fmt.Sprintf("%d has it, %d are told that the team is full", len(t.winners), t.told), err
	})
	if t.err != nil || len(t.winners) == 0 {
		return
	}
	t.pays(ctx, "that one pays", t.winners[0])
	t.pays(ctx, "the callback of that payment comes a second time", t.winners[0])
	t.joins(ctx, "Cai joins", "Cai", "C-1", team, cups, "1")
}

// runRace lets them tap.
func (t *tale) runRace(ctx context.Context, team string) error {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i := range racers {
		all.Go(func() {
			order := fmt.Sprintf("race-%d", i+1)
			seat, err := t.join(ctx, team, t.purchase(order, order, cups, "1"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				t.winners = append(t.winners, seat)
			case errors.Is(err, groupbuy.ErrFull):
				t.told++
			default:
				failed = err
			}
		})
	}
	all.Wait()
	return failed
}

// byVolume is a team that is formed by what its members buy.
func (t *tale) byVolume(ctx context.Context) {
	team := t.opens(ctx, "Dai opens a team for 4.00 kg of rice", "Dai", rice, "4.00")
	t.pays(ctx, "Dai pays", t.seats["D-1"])
	t.joins(ctx, "Eve wants 0.30 kg", "Eve", "E-1", team, rice, "0.30")
	eve := t.joins(ctx, "Eve joins with 4.00 kg", "Eve", "E-1", team, rice, "4.00")
	t.pays(ctx, "Eve pays", eve)
	fu := t.joins(ctx, "Fu takes a seat with 0.75 kg", "Fu", "F-1", team, rice, "0.75")
	gao := t.joins(ctx, "Gao joins with 5.00 kg", "Gao", "G-1", team, rice, "5.00")
	t.pays(ctx, "Gao pays", gao)
	t.pays(ctx, "Fu, who had a seat before, pays", fu)
}

// byHand is a team that a member leaves and an operator forms.
func (t *tale) byHand(ctx context.Context) {
	team := t.opens(ctx, "Han opens a team for a cup", "Han", cups, "1")
	ivy := t.joins(ctx, "Ivy joins", "Ivy", "I-1", team, cups, "1")
	t.pays(ctx, "Ivy pays", ivy)
	t.pays(ctx, "Han pays", t.seats["H-1"])
	t.say("Han wants the money back", func() (string, error) {
		if err := t.refund(ctx, "H-1", "Han", "found it cheaper"); err != nil {
			return "", err
		}
		is, err := t.groups.Team(ctx, team)
		return fmt.Sprintf("the refund is due; the sponsor is %s now", t.name(is.Sponsor)), err
	})
	jun := t.joins(ctx, "Jun takes a seat", "Jun", "J-1", team, cups, "1")
	t.forms(ctx, operator+" forms the team by hand", team, operator, "a regular asked for it")
	t.forms(ctx, "a colleague forms it, too", team, "Mo", "closing time")
	t.pays(ctx, "Jun pays", jun)
}

// end is the end of the fair, when the evening is over.
func (t *tale) end(ctx context.Context) error {
	t.progress.Show("the fair ends")
	t.say("the shop ends the fair early", func() (string, error) {
		if err := t.again(ctx, func() error { _, err := t.groups.End(ctx, fair); return err }); err != nil {
			return "", err
		}
		return t.shelves(ctx)
	})
	t.say("three jobs try to give the remainder back at once", func() (string, error) {
		var all sync.WaitGroup
		errs := make([]error, 3)
		all.Go(func() { errs[0] = t.again(ctx, func() error { _, err := t.groups.End(ctx, fair); return err }) })
		all.Go(func() { _, errs[1] = t.expire(ctx) })
		all.Go(func() { _, errs[2] = t.expire(ctx) })
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return "", err
		}
		return t.shelves(ctx)
	})
	t.joins(ctx, "Kai wants to open a team", "Kai", "K-1", "", cups, "1")
	t.say("Bo's cup is broken: the shop refunds B-1, and the cup goes back", func() (string, error) {
		if err := t.refund(ctx, "B-1", operator, "broken"); err != nil {
			return "", err
		}
		is, err := t.groups.Team(ctx, t.seats["B-1"].Team)
		return fmt.Sprintf("the refund is due; the team stays %v", is.State), err
	})
	t.say("the sweeper comes by", func() (string, error) {
		if _, err := t.expire(ctx); err != nil {
			return "", err
		}
		return t.shelves(ctx)
	})
	return t.err
}

// shelves says what ordinary stock has, and what is still in the pools of the fair.
func (t *tale) shelves(ctx context.Context) (string, error) {
	var words []string
	for _, g := range goods {
		ordinary, err := t.stock.Item(ctx, stock.Key{SKU: g.sku})
		if err != nil {
			return "", err
		}
		pool, err := t.stock.Item(ctx, in(fair, g.sku))
		if err != nil {
			return "", err
		}
		words = append(words, fmt.Sprintf("%s: %d left at the fair, %d in ordinary stock", g.name, pool.Left, ordinary.Left))
	}
	return strings.Join(words, "; "), nil
}

// opens is a buyer who opens a team; it returns the code.
func (t *tale) opens(ctx context.Context, what, name string, sku int64, volume string) (code string) {
	return t.joins(ctx, what, name, name[:1]+"-1", "", sku, volume).Team
}

// joins is a buyer who joins a team, or opens one where there is no code.
func (t *tale) joins(ctx context.Context, what, name, order, code string, sku int64, volume string) (seat groupbuy.Seat) {
	t.say(what, func() (string, error) {
		purchase := t.purchase(name, order, sku, volume)
		var err error
		if code == "" {
			seat, err = t.open(ctx, purchase)
		} else {
			seat, err = t.join(ctx, code, purchase)
		}
		if err != nil {
			return "", err
		}
		team, err := t.groups.Team(ctx, seat.Team)
		return fmt.Sprintf("a seat until %s; %s", clockTime(seat.Deadline), progressOf(team)), err
	})
	return seat
}

// pays is a buyer who pays.
func (t *tale) pays(ctx context.Context, what string, seat groupbuy.Seat) {
	t.say(what, func() (string, error) {
		payment, err := t.pay(ctx, seat)
		switch {
		case err != nil:
			return "", err
		case payment.Due:
			return "too late, the money goes back: " + inWords(payment.Why), nil
		case payment.Seat.Added:
			return "added to the team, " + progressOf(payment.Team), nil
		case payment.Formed:
			return fmt.Sprintf("%s, by %s; it has %d members", progressOf(payment.Team), payment.Team.FormedBy, len(payment.Members)), nil
		}
		return progressOf(payment.Team), nil
	})
}

// forms is an operator who forms a team.
func (t *tale) forms(ctx context.Context, what, code, actor, reason string) {
	t.say(what, func() (string, error) {
		var team groupbuy.Team
		err := t.again(ctx, func() (err error) {
			team, err = t.groups.Form(ctx, code, groupbuy.Decision{Actor: actor, Reason: reason})
			return err
		})
		return fmt.Sprintf("%s, by %s: %s", progressOf(team), team.Actor, team.Reason), err
	})
}

// progressOf says how far a team is.
func progressOf(t groupbuy.Team) string {
	if t.ByVolume() {
		return fmt.Sprintf("%v with %s of %s paid", t.State, t.PaidVolume.StringFixed(groupbuy.VolumePlaces), kilograms(t.Volume))
	}
	return fmt.Sprintf("%v with %d of %d paid", t.State, t.Paid, t.People)
}

// purchase is what a buyer of the tale wants. Their numbers follow those of the evening's buyers.
func (t *tale) purchase(name, order string, sku int64, volume string) groupbuy.Purchase {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.people == nil {
		t.people = map[string]int64{}
	}
	if t.people[name] == 0 {
		t.people[name] = int64(t.buyers + len(t.people) + 1)
	}
	return groupbuy.Purchase{
		Order: order, Buyer: t.people[name], Product: in(fair, sku), Volume: decimal.RequireFromString(volume),
		Guest: groupbuy.Guest{Name: name},
	}
}

// name returns who a buyer is.
func (t *tale) name(buyer int64) string {
	for name, number := range t.people {
		if number == buyer {
			return name
		}
	}
	return fmt.Sprintf("buyer %d", buyer)
}

// say tells one step: what happened, and what the library answered.
func (t *tale) say(what string, call func() (string, error)) {
	if t.err != nil {
		return
	}
	answer, err := call()
	if err != nil {
		if answer = inWords(err); answer == "" {
			t.err = err
			return
		}
		answer = "refused: " + answer
	}
	t.story = append(t.story, step{what, answer})
}

// inWords says why the library refused; it is empty for an error that is none of the tale's.
func inWords(err error) string {
	if e, ok := errors.AsType[*stock.ShortageError](err); ok {
		return fmt.Sprintf("there are %d of %d", e.Available, e.Wanted)
	}
	if e, ok := errors.AsType[*groupbuy.InvalidError](err); ok {
		return e.Field + " " + e.Reason
	}
	var reason error
	if e, ok := errors.AsType[*groupbuy.TeamError](err); ok {
		reason = e.Err
	} else if e, ok := errors.AsType[*groupbuy.SeatError](err); ok {
		reason = e.Err
	} else if e, ok := errors.AsType[*groupbuy.ProductError](err); ok {
		reason = e.Err
	}
	if reason == nil {
		return ""
	}
	return strings.TrimPrefix(reason.Error(), "groupbuy: ")
}
