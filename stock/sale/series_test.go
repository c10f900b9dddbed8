package sale

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A time that the clocks skip moves to the next minute that they show; one that they show twice is the first.
func TestSessionsBeginWhenTheClocksShowTheirTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone  string
		day   time.Time
		since time.Duration
		want  string
	}{
		{"Asia/Shanghai", date(2026, 11, 11), 10 * time.Hour, "2026-11-11T02:00:00Z"},
		{"America/New_York", date(2027, 3, 14), 2*time.Hour + 30*time.Minute, "2027-03-14T07:00:00Z"}, // 03:00, the first after 01:59
		{"America/New_York", date(2027, 3, 14), 3 * time.Hour, "2027-03-14T07:00:00Z"},
		{"America/New_York", date(2026, 11, 1), time.Hour + 30*time.Minute, "2026-11-01T05:30:00Z"}, // and at 06:30 once more
		{"America/New_York", date(2026, 11, 1), 2 * time.Hour, "2026-11-01T07:00:00Z"},
		{"Australia/Lord_Howe", date(2026, 10, 4), 2*time.Hour + 10*time.Minute, "2026-10-03T15:30:00Z"}, // which skips half an hour
		{"Pacific/Apia", date(2011, 12, 30), 10 * time.Hour, "2011-12-30T10:00:00Z"},                     // which skipped that day
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		year, month, day := c.day.Date()
		require.Equal(t, c.want, clockTime(year, month, day, c.since, zone).Format(time.RFC3339), "%s %v", c.zone, c.since)
	}
}

// date is the beginning of a day.
func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// However often it is looked, each day has its sessions once, also around a change of the clocks.
func TestSessionsOfEachDayAreFoundOnce(t *testing.T) {
	t.Parallel()
	series := Series{Zone: "America/New_York", Times: []time.Duration{10 * time.Hour, 20 * time.Hour}, Lasts: 2 * time.Hour}
	seen := map[time.Time]bool{}
	now := date(2027, 3, 1)
	for range 30 * 24 {
		for _, start := range series.sessions(now) {
			require.True(t, start.Add(series.Lasts).After(now) && start.Before(now.Add(ScheduleAhead)))
			seen[start] = true
		}
		now = now.Add(time.Hour)
	}
	require.Len(t, seen, 2*37) // thirty days and a week ahead
}
