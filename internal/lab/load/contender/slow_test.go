package contender

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowConnDelaysWithoutAQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := slow(near, time.Second)
		begun := time.Now()
		for _, text := range []string{"a", "b", "c"} {
			if _, err := c.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(begun); took != 300*time.Millisecond {
			t.Errorf("the writer waited: %v", took)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "abc" {
			t.Errorf("got %q, %v", got, err)
		}
		if took := time.Since(begun); took != 1_200*time.Millisecond { // the last was written after 200 ms
			t.Errorf("arrived after %v", took)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte("d")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}
