package load

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// CPU is the time that processors have worked for a measurement, with its warm-up and its end.
type CPU struct {
	Client, Server time.Duration
	Took           time.Duration // by the clock
}

// tick is the unit of /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs on (man 5 proc, man 7 time).
const tick = 10 * time.Millisecond

// cpuTime is what a process has used so far, in user and kernel mode.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("load: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may have anything in it
	fields := strings.Fields(rest)
	const user, kernel = 11, 12 // of those behind the name
	if len(fields) <= kernel {
		return 0, fmt.Errorf("load: /proc/%d/stat is %q", pid, text)
	}
	var sum int64
	for _, field := range fields[user : kernel+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("load: /proc/%d/stat: %w", pid, err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// cpu is what the server and the workers have used so far. Without a server to look at, it is nothing.
func (b *Bench) cpu(workers []*child) (c CPU, err error) {
	if b.Server == 0 {
		return CPU{}, nil
	}
	if c.Server, err = cpuTime(b.Server); err != nil {
		return CPU{}, err
	}
	for _, w := range workers {
		used, err := cpuTime(w.cmd.Process.Pid)
		if err != nil {
			return CPU{}, err
		}
		c.Client += used
	}
	return c, nil
}
