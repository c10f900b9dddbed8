package redpackettest

import (
	"context"
	"time"

	"github.com/holdfast-go/holdfast/internal/suite"
	"github.com/holdfast-go/holdfast/redpacket"
	"github.com/holdfast-go/holdfast/stock"
)

// betweenCases have something else happen between two statements of one call: the races that
// a crowd meets by luck, each of them for sure.
func betweenCases() []testCase {
	return []testCase{
		{Name: "SendAfterTheSameSend", Run: sendAfterSend},
		{Name: "SendAfterASendThatIsUndone", Run: sendAfterUndone},
		{Name: "ConfirmAfterClose", Run: confirmAfterClose},
		{Name: "ConfirmAfterConfirm", Run: confirmAfterConfirm},
		{Name: "ConfirmWhenTheEndComes", Run: confirmAtEnd},
		{Name: "CloseAfterConfirm", Run: closeAfterConfirm},
		{Name: "CloseAfterTheLastShare", Run: closeAfterLast},
		{Name: "CloseWhenTheEndComes", Run: closeAtEnd},
		{Name: "ExpireAfterClose", Run: expireAfterClose},
		{Name: "GrabBeforeTheReasonOfItsRefusalIsSeen", Run: grabAfterConfirm},
		{Name: "TheSameGrabTakesTheLastShare", Run: sameGrabTakes},
		{Name: "GrabOvertakesResolve", Run: grabOvertakesResolve},
		{Name: "PaidOutAfterPaidOut", Run: paidAfterPaid},
		{Name: "PayoutFailedAfterIt", Run: failedAfterIt},
	}
}

// before returns packets, with the options of the scene's own, on a wire where something happens just
// before the first call of a method.
func (s *scene) before(method string, happens func()) *redpacket.Packets {
	return s.over(suite.Before(method, 1, happens))
}

func sendAfterSend(s *scene) {
	got := suite.Must(s.before("Add", func() { s.open(random(1, 100, 3)) }).Send(s.Context(), random(1, 100, 3)))
	suite.Replays(s, "packet", got, s.packet(1, redpacket.Open))
	s.only(suite.Err(s.before("Add", func() { s.send(random(2, 100, 3)) }).Send(s.Context(), random(2, 101, 3))), redpacket.ErrMismatch)
}

// undone is a store that meets another Send of the packet, which its caller rolls back.
type undone struct {
	redpacket.Store

	met bool
}

// Add implements redpacket.Store.
func (u *undone) Add(ctx context.Context, record redpacket.Record, senderMayGrab bool, liveFor time.Duration) (stock.Verdict, error) {
	if !u.met {
		u.met = true
		return stock.Exists, nil
	}
	return u.Store.Add(ctx, record, senderMayGrab, liveFor)
}

func sendAfterUndone(s *scene) {
	got := suite.Must(s.packets.On(&undone{Store: s.Store}).Send(s.Context(), random(1, 100, 3)))
	suite.Same(s, "packet", got, s.packet(1, redpacket.Unpaid))
}

func confirmAfterClose(s *scene) {
	s.send(random(1, 100, 3))
	got := suite.Must(s.before("Open", func() { s.close(1, redpacket.Closed) }).Confirm(s.Context(), 1))
	suite.Same(s, "packet", got, s.packet(1, redpacket.Closed))
	s.goesBack(1, 100)
}

// confirmAfterConfirm delivers a confirmation that is too late twice.
func confirmAfterConfirm(s *scene) {
	s.send(random(1, 100, 3))
	s.Advance(24 * time.Hour)
	got := suite.Must(s.before("Return", func() { s.confirm(1, redpacket.Expired) }).Confirm(s.Context(), 1))
	suite.Replays(s, "packet", got, s.packet(1, redpacket.Expired))
	s.goesBack(1, 100)
	s.send(random(2, 100, 3))
	got = suite.Must(s.before("Open", func() { s.confirm(2, redpacket.Open); s.grab(2, anna) }).Confirm(s.Context(), 2))
	suite.Replays(s, "packet", got, s.packet(2, redpacket.Open))
}

// confirmAtEnd has the end come before the statement, and right after it was refused.
func confirmAtEnd(s *scene) {
	s.send(random(1, 100, 3))
	s.Advance(24*time.Hour - time.Microsecond)
	got := suite.Must(s.before("Open", func() { s.Advance(time.Microsecond) }).Confirm(s.Context(), 1))
	suite.Same(s, "state", got.State, redpacket.Expired)
	s.goesBack(1, 100)
}

func closeAfterConfirm(s *scene) {
	s.send(random(1, 100, 3))
	got := suite.Must(s.before("Drop", func() { s.confirm(1, redpacket.Open); s.grab(1, anna) }).Close(s.Context(), 1))
	suite.Same(s, "packet", got, s.packet(1, redpacket.Closed))
	s.goesBack(1, s.minor(got.Left))
	s.send(random(2, 100, 3))
	s.No(suite.Err(s.before("Drop", func() { s.close(2, redpacket.Closed); s.confirm(2, redpacket.Closed) }).Close(s.Context(), 2)))
	s.goesBack(2, 100)
}

func closeAfterLast(s *scene) {
	s.open(random(1, 100, 2))
	s.grab(1, anna)
	suite.Replays(s, "packet", suite.Must(s.before("End", func() { s.grab(1, ben) }).Close(s.Context(), 1)), s.packet(1, redpacket.Finished))
	s.keeps(1)
	s.open(random(2, 100, 2))
	share := int64(0)
	got := suite.Must(s.before("End", func() { share = s.minor(s.grab(2, anna).Amount) }).Close(s.Context(), 2))
	suite.Same(s, "packet", got, s.packet(2, redpacket.Closed))
	s.goesBack(2, 100-share) // what is left when it ends, not when somebody looked
}

func closeAtEnd(s *scene) {
	s.open(random(1, 100, 3))
	s.Advance(24*time.Hour - time.Microsecond)
	got := suite.Must(s.before("End", func() { s.Advance(time.Microsecond); s.expire(1) }).Close(s.Context(), 1))
	suite.Replays(s, "packet", got, s.packet(1, redpacket.Expired))
	s.goesBack(1, 100)
}

func expireAfterClose(s *scene) {
	s.open(random(1, 100, 3))
	s.open(random(2, 100, 3))
	s.Advance(24 * time.Hour)
	n := suite.Must(s.before("End", func() { s.close(1, redpacket.Expired); s.close(2, redpacket.Expired) }).Expire(s.Context()))
	s.Count("packets that this call ended", n, 0)
	s.goesBack(1, 100)
	s.goesBack(2, 100)
}

// grabAfterConfirm has the reason of a refusal go away before anybody looks at it.
func grabAfterConfirm(s *scene) {
	for id, look := range []string{"Units.Items", "Record"} {
		id := int64(id + 1)
		s.send(random(id, 100, 2))
		share := suite.Must(s.before(look, func() { s.confirm(id, redpacket.Open) }).For(anna).Grab(s.Context(), id))
		suite.Replays(s, "share", s.grab(id, anna), share)
	}
	s.send(random(3, 100, 2)) // or turn into another
	s.only(suite.Err(s.before("Record", func() { s.close(3, redpacket.Closed) }).For(anna).Grab(s.Context(), 3)), redpacket.ErrClosed)
	s.open(random(4, 100, 1))
	s.only(suite.Err(s.before("Units.Lock", func() { s.grab(4, ben) }).For(anna).Grab(s.Context(), 4)), redpacket.ErrFinished)
}

// sameGrabTakes delivers a grab twice: the first delivery is refused, and the second has got what the first
// now finds missing.
func sameGrabTakes(s *scene) {
	s.send(random(1, 100, 1))
	share := suite.Must(s.before("Units.Items", func() { s.confirm(1, redpacket.Open); s.grab(1, anna) }).For(anna).Grab(s.Context(), 1))
	suite.Replays(s, "share", s.grab(1, anna), share)
	s.holds(1, 1, 100, 0)
}

func grabOvertakesResolve(s *scene) {
	s.open(random(1, 100, 2))
	share := suite.Must(s.before("Units.Void", func() { s.grab(1, anna) }).For(anna).Resolve(s.Context(), 1))
	suite.Replays(s, "share", s.grab(1, anna), share)
	s.only(suite.Err(s.before("Units.Lock", func() { s.resolved(1, ben) }).For(ben).Grab(s.Context(), 1)), redpacket.ErrCancelled)
	s.holds(1, 1, s.minor(share.Amount), 100-s.minor(share.Amount))
}

func paidAfterPaid(s *scene) {
	s.open(random(1, 100, 2))
	s.grab(1, anna)
	number := redpacket.PayoutNumber(1, 1)
	got := suite.Must(s.before("Paid", func() { s.paidOut(1, 1); s.Advance(time.Hour) }).PaidOut(s.Context(), number))
	suite.Replays(s, "payout", got, s.payout(1, 1))
	s.SameTime("paid", got.PaidAt, s.now().Add(-time.Hour))
}

func failedAfterIt(s *scene) {
	s.open(random(1, 100, 3))
	s.grabs(1, anna, ben)
	got, err := s.before("Failed", func() { s.failed(1, 1, "other") }).PayoutFailed(s.Context(), redpacket.PayoutNumber(1, 1), "this")
	s.No(err)
	suite.Same(s, "failures", got.Failures, 2)
	suite.Same(s, "reason", got.Reason, "this")
	s.SameTime("due", got.DueAt, s.now().Add(2*time.Minute))
	_, err = s.before("Failed", func() { s.paidOut(1, 2) }).PayoutFailed(s.Context(), redpacket.PayoutNumber(1, 2), "this")
	s.only(err, redpacket.ErrPaidOut)
	suite.Same(s, "failures", s.payout(1, 2).Failures, 0)
}
