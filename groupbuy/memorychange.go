package groupbuy

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/stock"
	"github.com/holdfast-go/holdfast/stock/event"
)

// memoryChange is the change of one call to teams and their seats. It changes copies, and keep stores them.
type memoryChange struct {
	m      *Memory
	now    time.Time
	teams  map[string]*TeamRecord
	seats  map[string]Seat
	events []event.Event
	back   map[stock.Key]bool // products to which units have come back
}

// change begins a change at a moment.
func (m *Memory) change(now time.Time) *memoryChange {
	return &memoryChange{m: m, now: now, teams: map[string]*TeamRecord{}, seats: map[string]Seat{}, back: map[stock.Key]bool{}}
}

// team returns a team with the change.
func (c *memoryChange) team(code string) *TeamRecord {
	team := c.teams[code]
	if team == nil {
		team = &TeamRecord{Team: c.m.team(code)}
		team.Code = code
		c.teams[code] = team
	}
	return team
}

// seat returns a seat with the change.
func (c *memoryChange) seat(order string) Seat {
	if seat, ok := c.seats[order]; ok {
		return seat
	}
	return c.m.seats[order]
}

// take takes the seat of a request, and returns the request with the seat and its team.
func (c *memoryChange) take(request SeatRequest, deadline time.Time) (SeatRequest, error) {
	code := request.Team.Code
	if request.Opens {
		if _, duplicate := c.m.teams[code]; duplicate {
			return SeatRequest{}, ErrDuplicateCode
		}
		var err error
		if request, err = request.Open(c.now, deadline); err != nil {
			return SeatRequest{}, err
		}
		c.teams[code] = &TeamRecord{Team: request.Team}
	} else {
		team := c.team(code)
		request.Seat.Team = code
		if err := team.Take(&request.Seat, c.m.hasOther(request.Seat), c.now, deadline); err != nil {
			return SeatRequest{}, err
		}
		request.Team = team.Team
	}
	c.seats[request.Seat.Order] = request.Seat
	return request, nil
}

// move moves the seat of an order by a step, with a step of its hold; 0 is none.
func (c *memoryChange) move(step Step, with stock.Step, order string) error {
	seat := c.seat(order)
	team, joined := c.team(seat.Team), c.m.hasOther(seat)
	if with == stock.StepReacquire {
		if err := team.RefusesRegain(seat, joined, c.now); err != nil {
			return err
		}
	}
	events, err := team.Move(step, &seat, joined, c.now)
	if err != nil {
		return err
	}
	c.seats[order] = seat
	c.events = append(c.events, events...)
	c.returns(seat.Key, with)
	if slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.TeamFormed }) {
		for _, other := range c.seatsOf(team.Code) {
			if other.State == Paid && other.Status == Forming {
				other.Status = Formed
				c.seats[other.Order] = other
			}
		}
	}
	return nil
}

// returns remembers the product if a step of a hold gives units back to it.
func (c *memoryChange) returns(key stock.Key, with stock.Step) {
	if change := with.Transition().Delta; change.Left > change.Locked {
		c.back[key] = true
	}
}

// seatsOf returns the seats of a team with the change.
func (c *memoryChange) seatsOf(code string) []Seat {
	orders := c.m.teams[code].orders
	seats := make([]Seat, len(orders))
	for i, order := range orders {
		seats[i] = c.seat(order)
	}
	return seats
}

// live returns the live seats of a team with the change, in the order of CompareSuccessors.
func (c *memoryChange) live(code string) []Seat {
	seats := slices.DeleteFunc(c.seatsOf(code), func(s Seat) bool { return !s.State.Live() })
	slices.SortFunc(seats, CompareSuccessors)
	return seats
}

// keep stores the change.
func (c *memoryChange) keep() {
	for code, team := range c.teams {
		if !team.NeedsSponsor() {
			continue
		}
		if live := c.live(code); len(live) > 0 {
			team.SetSponsor(live[0])
		} else {
			c.events = append(c.events, team.Close(c.now))
		}
	}
	for _, team := range c.teams {
		c.m.keepTeam(team.Team)
	}
	for _, seat := range c.seats {
		c.m.keepSeat(seat)
	}
	if events := c.m.units.Events; events != nil {
		events.Add(c.now, c.events...)
	}
	for key := range c.back {
		c.m.Reopen(key, c.now)
	}
}

// keepTeam stores a team that is new or has changed. Several steps of one change are one version.
func (m *Memory) keepTeam(is Team) {
	pool, team := m.pool(is.Key), m.teams[is.Code]
	was := Failed
	if team == nil {
		team = &memoryTeam{live: map[string]string{}}
		m.teams[is.Code], pool.teams = team, append(pool.teams, team)
		m.lateTeams.add(is.Deadline, is.Code)
	} else if was = team.State; is.Version != team.Version {
		is.Version = team.Version + 1
	}
	pool.forming += count(is.State == Forming) - count(was == Forming)
	team.Team = is
}

// keepSeat stores a seat that is new or has changed, after its team.
func (m *Memory) keepSeat(is Seat) {
	pool, team := m.pool(is.Key), m.teams[is.Team]
	was, known := m.seats[is.Order]
	if !known {
		team.orders = append(team.orders, is.Order)
		m.buyers[is.Buyer] = append(m.buyers[is.Buyer], is.Order)
		m.lateSeats.add(is.Deadline, is.Order)
	}
	pool.held += count(is.State == Held) - count(was.State == Held)
	switch {
	case is.State.Live():
		team.live[is.Buyer] = is.Order
	case was.State.Live():
		delete(team.live, is.Buyer)
	}
	if product, ok := m.Rows.Products[is.Key]; ok && is.Status == Formed && was.Status != Formed {
		product.Formed++
		m.Rows.Products[is.Key] = product
	}
	m.seats[is.Order] = is
}

// count is 1 for true and 0 for false.
func count(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// memoryQueue is a heap of entries by due time, the earliest first. It may have outdated entries, which first drops.
type memoryQueue []memoryDue

type memoryDue struct {
	at time.Time
	id string
}

func (d memoryDue) compare(other memoryDue) int {
	return cmp.Or(d.at.Compare(other.at), strings.Compare(d.id, other.id))
}

// add adds an entry.
func (q *memoryQueue) add(at time.Time, id string) { heap.Push(q, memoryDue{at, id}) }

// first returns up to limit entries that are due, and leaves them in the queue. It drops entries that are not good.
func (q *memoryQueue) first(now time.Time, limit int, good func(memoryDue) bool) []memoryDue {
	var due []memoryDue
	for len(due) < limit && q.Len() > 0 && !now.Before((*q)[0].at) {
		d := heap.Pop(q).(memoryDue)
		if good(d) && (len(due) == 0 || due[len(due)-1] != d) {
			due = append(due, d)
		}
	}
	for _, d := range due {
		heap.Push(q, d)
	}
	return due
}

func (q memoryQueue) Len() int           { return len(q) }
func (q memoryQueue) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }
func (q memoryQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *memoryQueue) Push(x any)        { *q = append(*q, x.(memoryDue)) }
func (q *memoryQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
