package demo

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for n, text := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -193: "-193", -123456: "-123,456"} {
		require.Equal(t, text, Count(n))
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for d, text := range map[time.Duration]string{
		0: "0s", 12: "12ns", 1234 * time.Nanosecond: "1.23µs", 12345678: "12.3ms", 76300 * time.Millisecond: "1m16.3s",
	} {
		require.Equal(t, text, Short(d))
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	Table(&out, "lrl", [][]string{{"item", "left", "note"}, {"紅包", "1,000", ""}})
	require.Equal(t, "  item   left  note\n  紅包    1,000\n", out.String())
}

func TestServerName(t *testing.T) {
	t.Parallel()
	for version, name := range map[string]string{
		"9.7.0":                          "MySQL 9.7.0",
		"8.0.36-28.1":                    "MySQL 8.0.36",
		"10.11.19-MariaDB-0+deb12u1-log": "MariaDB 10.11.19",
		"8.0.11-TiDB-v8.5.0":             "TiDB v8.5.0",
	} {
		require.Equal(t, name, serverName(version))
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.Equal(t, OK, End(&out, "demo", nil))
	require.Equal(t, Interrupted, End(&out, "demo", errors.Join(context.Canceled, nil)))
	require.Empty(t, out.String())
	require.Equal(t, Failed, End(&out, "demo", errors.Join(errInterrupted, errLeft)))
	require.Equal(t, "demo: interrupted: context canceled; tables are left behind\n", out.String())
}

func TestNoProgressWithoutATerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	NewProgress(&out).Show("anything")
	require.Empty(t, out.String())
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 550*time.Millisecond)
		defer cancel()
		var p *Progress
		lines := 0
		p.Watch(ctx, func() string {
			lines++
			return "so far"
		})
		require.Equal(t, 5, lines)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	})
}

func TestSandboxInMemory(t *testing.T) {
	t.Parallel()
	box, err := Open(t.Context(), "", 1)
	require.NoError(t, err)
	require.Nil(t, box.DB)
	require.Equal(t, "memory", box.Server)
	failure := errors.New("as it is")
	require.Equal(t, failure, box.Explain(failure))
	require.NoError(t, box.Close(t.Context()))
}
