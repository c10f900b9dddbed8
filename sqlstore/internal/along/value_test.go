package along

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/internal/sqltest"
)

type (
	status string
	cents  int32
	blob   []byte
	odd    uint8
	flag   bool
	ratio  float32
	wallet struct{ Cents int64 }
	failer struct{}
	raw    struct{}
	large  struct{}
)

// Value implements driver.Valuer.
func (w wallet) Value() (driver.Value, error) { return w.Cents, nil }
func (failer) Value() (driver.Value, error)   { return nil, errors.New("none") }
func (raw) Value() (driver.Value, error)      { return json.RawMessage(`{}`), nil }
func (large) Value() (driver.Value, error)    { return uint64(math.MaxUint64), nil }
func pointer[T any](v T) *T                   { return &v }

// Arguments become what the driver of MySQL makes of them.
func TestArgumentsAreConvertedAsByTheDriver(t *testing.T) {
	t.Parallel()
	db := sqltest.Open(t, sqltest.Variants()[0])
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	at := time.Date(2026, 11, 27, 12, 0, 0, 123456789, time.FixedZone("CST", 8*3600))
	for _, arg := range []any{
		nil, 1, int8(-1), int16(2), int32(3), int64(math.MinInt64), uint(1), uint8(2), uint16(3), uint32(4), uint64(math.MaxUint64),
		float32(1.5), 2.5, true, false, "", "x", []byte(nil), []byte{}, []byte("x"), json.RawMessage(nil), json.RawMessage(`{"a":1}`),
		at, time.Time{}, pointer(at), pointer(1), pointer(pointer("x")), (*int)(nil), (*time.Time)(nil), pointer(any(nil)),
		pointer(json.RawMessage(`[]`)), pointer([]byte("x")), pointer(uint64(math.MaxUint64)),
		status("paid"), cents(5), blob("x"), blob(nil), []odd{1, 2}, flag(true), ratio(0.25), pointer(status("paid")),
		wallet{7}, &wallet{7}, (*wallet)(nil), pointer(pointer(wallet{7})), large{},
		decimal.RequireFromString("12.340"), pointer(decimal.NewFromInt(5)), (*decimal.Decimal)(nil), decimal.NullDecimal{},
		sql.NullString{}, sql.NullString{String: "x", Valid: true}, sql.NullInt64{Int64: 3, Valid: true}, sql.NullTime{Time: at, Valid: true},
		sql.Null[int64]{V: 4, Valid: true}, sql.RawBytes("x"),

		failer{}, raw{}, struct{}{}, []string{"x"}, [2]byte{1, 2}, map[string]int{}, complex(1, 1), func() {}, make(chan int),
		sql.Named("a", 1), []any{1}, errors.New("x"),
	} {
		nv := &driver.NamedValue{Ordinal: 1, Value: arg}
		var want error
		require.NoError(t, conn.Raw(func(c any) error {
			want = c.(driver.NamedValueChecker).CheckNamedValue(nv)
			return nil
		}))
		got, err := value(arg)
		if want != nil {
			require.Error(t, err, "%T %v", arg, arg)
			continue
		}
		require.NoError(t, err, "%T %v", arg, arg)
		if b, ok := nv.Value.(sql.RawBytes); ok { // the driver would send it as it is
			nv.Value = []byte(b)
		}
		require.Equal(t, nv.Value, got, "%T %v", arg, arg)
	}
}

// What the driver takes and no server can: the call would be told to try again for ever.
func TestArgumentsThatNoServerTakes(t *testing.T) {
	t.Parallel()
	for _, arg := range []any{
		math.NaN(), math.Inf(1), float32(math.Inf(-1)), time.Date(10_000, 1, 2, 0, 0, 0, 0, time.UTC),
		pointer(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)),
	} {
		_, err := value(arg)
		require.Error(t, err, "%T %v", arg, arg)
	}
}

// What the caller changes afterwards is not what is sent.
func TestArgumentsAreCopied(t *testing.T) {
	t.Parallel()
	b, j, n := []byte("a"), json.RawMessage("1"), blob("a")
	p := &wallet{1}
	var none *Rows
	rows := none.Add("INSERT INTO t VALUES (?, ?, ?, ?)", b, j, n, p)
	require.NoError(t, rows.Err())
	b[0], j[0], n[0], p.Cents = 'z', '9', 'z', 9
	require.Equal(t, []any{[]byte("a"), json.RawMessage("1"), []byte("a"), int64(1)}, rows.statements[0].args)
}

// Values have one order, whatever their types.
func TestValuesAreOrdered(t *testing.T) {
	t.Parallel()
	now := time.Now()
	sorted := []any{
		nil, int64(-1), int64(2), uint64(1), uint64(math.MaxUint64), -1.5, 2.5, false, true, "a", "b", []byte("a"), []byte("b"),
		json.RawMessage("1"), json.RawMessage("2"), now, now.Add(1),
	}
	for i, a := range sorted {
		for j, b := range sorted {
			switch c := compare(a, b); {
			case i < j:
				require.Negative(t, c, "%v, %v", a, b)
			case i > j:
				require.Positive(t, c, "%v, %v", a, b)
			default:
				require.Zero(t, c, "%v", a)
			}
		}
	}
}
