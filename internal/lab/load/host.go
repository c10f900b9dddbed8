package load

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/go-sql-driver/mysql"
)

// Host is the machine of a run. Load and servers share it.
type Host struct {
	System string  `json:"system"`
	Kernel string  `json:"kernel"`
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Memory float64 `json:"memory_gib"`
	Go     string  `json:"go"`
}

// ThisHost looks at the machine. What it cannot find out is empty.
func ThisHost() Host {
	return Host{
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel: firstLine("/proc/sys/kernel/osrelease"),
		CPU:    field("/proc/cpuinfo", "model name"),
		Cores:  runtime.NumCPU(),
		Memory: kibibytes(field("/proc/meminfo", "MemTotal")) / (1 << 20),
		Go:     runtime.Version(),
	}
}

func firstLine(path string) string {
	text, _ := os.ReadFile(path)
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// field returns the first value of a name in one of the lists that Linux has under /proc.
func field(path, name string) string {
	text, _ := os.ReadFile(path)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kibibytes(text string) float64 {
	n, _ := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
	return n
}

// Fsync is how long it takes to make 4 KiB durable at the end of a file.
type Fsync struct {
	P50 int64 `json:"p50_us"`
	P99 int64 `json:"p99_us"`
}

// MeasureFsync measures it in a folder.
func MeasureFsync(folder string) (Fsync, error) {
	f, err := os.Create(filepath.Join(folder, "fsync"))
	if err != nil {
		return Fsync{}, fmt.Errorf("load: measuring fsync: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	h := hdrhistogram.New(1, 60_000_000, 3)
	block := make([]byte, 4_096)
	for range 200 {
		begun := time.Now()
		_, err := f.Write(block)
		if err = cmp.Or(err, f.Sync()); err != nil {
			return Fsync{}, fmt.Errorf("load: measuring fsync: %w", err)
		}
		record(h, time.Since(begun).Microseconds())
	}
	return Fsync{P50: h.ValueAtPercentile(50), P99: h.ValueAtPercentile(99)}, nil
}

// settings are the variables of a server that the figures depend on.
var settings = []string{
	"log_bin", "sync_binlog", "innodb_flush_log_at_trx_commit", "innodb_doublewrite", "innodb_flush_method",
	"innodb_buffer_pool_size", "innodb_log_file_size", "innodb_redo_log_capacity", "transaction_isolation", "tx_isolation",
}

// Settings asks a server how it is set, in the form name=value.
func Settings(ctx context.Context, dsn string) ([]string, error) {
	parsed, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	connector, err := mysql.NewConnector(parsed)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('"+strings.Join(settings, "', '")+"')")
	if err != nil {
		return nil, fmt.Errorf("load: reading the settings of the server: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("load: reading the settings of the server: %w", err)
		}
		found = append(found, name+"="+value)
	}
	slices.Sort(found)
	return found, rows.Err()
}
