package coupontest

import (
	"fmt"
	"time"

	"github.com/holdfast-go/holdfast/coupon"
	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/stock"
)

// guardUseCases try every step of a use from every state that there is: the table says which of them
// happen, and what they leave behind.
func guardUseCases() []testCase {
	return []testCase{
		{Name: "StoreUseFromEveryStateByTheTable", Run: guardUse},
		{Name: "StoreUseBesideAnotherOrder", Run: guardUseBeside},
		{Name: "StoreUseOnTheRightSideOfTheDeadline", Run: guardUseDeadline},
		{Name: "StoreUseWithinTheValidity", Run: guardUseValidity},
		{Name: "StoreUseOfWhatCannotBeHad", Run: guardUseGone},
	}
}

// ways returns what an order may have done with a coupon before, by name; what lapses does so within
// a minute.
func ways() map[string][]coupon.Step {
	return map[string][]coupon.Step{
		"nothing":  {},
		"reserved": {coupon.StepReserve},
		"redeemed": {coupon.StepReserve, coupon.StepRedeem},
		"spent":    {coupon.StepSpend},
		"released": {coupon.StepReserve, coupon.StepRelease},
		"forgone":  {coupon.StepForgo},
		"returned": {coupon.StepSpend, coupon.StepReturn},
	}
}

// steps makes some steps of a use, each of which has to happen.
func (s *scene) steps(id, order string, steps ...coupon.Step) {
	s.Helper()
	for _, step := range steps {
		s.Answers(stock.Done)(s.Store.Use(s.Context(), step, useOf(id, order, "100"), time.Minute))
	}
}

// useOf returns what a call says of a use.
func useOf(id, order, total string) coupon.Use {
	return coupon.Use{Coupon: id, Order: order, Places: 2, Total: dec(total), Discount: dec("10")}
}

func guardUse(s *scene) {
	s.open(1000)
	for name, way := range ways() {
		for _, row := range coupon.Transitions() {
			for _, lapses := range []bool{false, true} {
				id := fmt.Sprintf("%s/%v/%v", name, row.Name, lapses)
				s.claim(id, "5")
				s.steps(id, "A", way...)
				if lapses {
					s.Advance(time.Minute)
				}
				s.byTheTable(row, id, "A")
			}
		}
	}
}

// byTheTable makes a step and ends the test unless it does what the table says.
func (s *scene) byTheTable(row coupon.Transition, id, order string) {
	s.Helper()
	now, use, c := s.now(), s.use(id, order), s.raw(id)
	lapsed := use.Lapsed(now)
	lets := row.New
	if use.State != coupon.Unused {
		lets = use.State == row.From && (row.When == stock.Anytime || lapsed == (row.When == stock.Dead))
	}
	if row.Takes {
		lets = lets && c.Free(now) && !now.Before(c.From) && now.Before(c.Until)
	}
	asked := useOf(id, order, "77.7")
	asked.Discount = dec("7.7")
	verdict, err := s.Store.Use(s.Context(), row.Step, asked, time.Hour)
	if !lets {
		s.Answers(stock.Refused)(verdict, err)
		suite.Same(s, "use after "+row.Name, s.use(id, order), use)
		suite.Same(s, "coupon after "+row.Name, s.raw(id), c)
		return
	}
	s.Answers(stock.Done)(verdict, err)
	suite.Same(s, "use after "+row.Name, s.use(id, order), after(row, use, asked, now))
	if row.Coupon != coupon.None {
		c.State, c.Order, c.Deadline, c.UpdatedAt = row.Coupon, order, time.Time{}, now
		switch row.Coupon { //nolint:exhaustive // those that the table names
		case coupon.Usable:
			c.Order = ""
		case coupon.Reserved:
			c.Deadline = now.Add(time.Hour)
		}
	}
	suite.Same(s, "coupon after "+row.Name, s.raw(id), c)
}

// after returns the use that a step leaves behind.
func after(row coupon.Transition, was, asked coupon.Use, now time.Time) coupon.Use {
	is, begins := was, was.State == coupon.Unused
	if begins {
		is = asked
		is.CreatedAt, is.Deadline = now, now
	}
	switch row.Step {
	case coupon.StepReserve:
		is.Deadline = now.Add(time.Hour)
	case coupon.StepRedeem, coupon.StepSpend:
		is.RedeemedAt = now
	case coupon.StepRelease, coupon.StepForgo, coupon.StepReturn:
	}
	if step := row.Step; begins || step == coupon.StepReserve || step == coupon.StepRedeem || step == coupon.StepSpend {
		is.Places, is.Total, is.Discount = asked.Places, asked.Total, asked.Discount
	}
	is.State, is.UpdatedAt = row.To, now
	return is
}

// guardUseBeside has another order in each of the states, too.
func guardUseBeside(s *scene) {
	s.open(1000)
	for name, way := range ways() {
		for _, row := range coupon.Transitions() {
			id := fmt.Sprintf("%s/%v", name, row.Name)
			s.claim(id, "5")
			s.steps(id, "B", way...)
			was := s.use(id, "B")
			s.byTheTable(row, id, "A")
			suite.Same(s, "use of the other order", s.use(id, "B"), was)
		}
	}
}

func guardUseDeadline(s *scene) {
	s.open(100)
	for _, row := range coupon.Transitions() {
		if row.From != coupon.UseReserved {
			continue
		}
		for _, early := range []time.Duration{time.Microsecond, 0} {
			id := fmt.Sprint(row.Name, early)
			s.claim(id, "5")
			s.steps(id, "A", coupon.StepReserve)
			s.Advance(time.Minute - early)
			want := stock.Refused
			if (row.When == stock.Live) == (early > 0) {
				want = stock.Done
			}
			s.Answers(want)(s.Store.Use(s.Context(), row.Step, useOf(id, "A", "100"), time.Minute))
		}
	}
}

// guardUseValidity tries each step just before and just after each end of the validity: those that do
// not take the coupon do not ask.
func guardUseValidity(s *scene) {
	for i, at := range []struct {
		from, until time.Duration
		valid       bool
	}{
		{time.Microsecond, time.Hour, false}, {0, time.Hour, true}, {-time.Hour, time.Microsecond, true},
	} {
		now := s.now()
		s.define(1, 1000, coupon.Rules{}, between(tenOff(), now.Add(at.from), now.Add(at.until)))
		for _, row := range coupon.Transitions() {
			if !row.New {
				continue
			}
			id := fmt.Sprint(i, row.Name)
			s.claim(id, "5")
			want := stock.Done
			if row.Takes && !at.valid {
				want = stock.Refused
			}
			s.Answers(want)(s.Store.Use(s.Context(), row.Step, useOf(id, "A", "100"), time.Hour))
		}
	}
	s.claim("over", "5")
	s.claim("reserved", "5")
	s.steps("reserved", "A", coupon.StepReserve)
	s.Advance(time.Microsecond)
	for _, step := range []coupon.Step{coupon.StepReserve, coupon.StepSpend} {
		s.Answers(stock.Refused)(s.Store.Use(s.Context(), step, useOf("over", "A", "100"), time.Hour))
	}
	s.steps("reserved", "A", coupon.StepRedeem, coupon.StepReturn)
	s.steps("over", "A", coupon.StepForgo)
}

// guardUseGone tries each step on coupons that nobody has.
func guardUseGone(s *scene) {
	s.open(10)
	s.lock("pending", "5")
	s.claim("refunded", "5")
	s.refund("r1", "refunded")
	s.claim("revoked", "5")
	s.revoke("r2", "revoked")
	for _, id := range []string{"unknown", "pending", "refunded", "revoked"} {
		was := s.raw(id)
		for _, row := range coupon.Transitions() {
			verdict, err := s.Store.Use(s.Context(), row.Step, useOf(id, row.Name, "100"), time.Hour)
			if row.Step == coupon.StepForgo && id != "unknown" {
				s.Answers(stock.Done)(verdict, err) // to give up what one cannot have is nothing
				continue
			}
			s.Answers(stock.Refused)(verdict, err)
			s.used(id, row.Name, coupon.Unused)
		}
		suite.Same(s, "coupon", s.raw(id), was)
	}
}
