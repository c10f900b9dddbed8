package along

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// values converts arguments as the driver does, and returns how long they are. What the caller may change afterwards is
// copied.
func values(args []any) (converted []any, size int, err error) {
	converted = make([]any, len(args))
	for i, arg := range args {
		if converted[i], err = value(arg); err != nil {
			return nil, 0, fault.Invalid("along", "has an argument %d that is no value of a statement: %v", i+1, err)
		}
		size += length(converted[i])
	}
	return converted, size, nil
}

// errValue is an argument that no statement can have.
var errValue = errors.New("not a value")

var valuerType = reflect.TypeFor[driver.Valuer]()

// value converts one argument. Beside what every driver takes, that of MySQL takes an uint64 with its highest bit, and tells
// JSON from binary strings.
func value(arg any) (any, error) {
	switch v := arg.(type) {
	case time.Time:
		if year := v.UTC().Year(); year < 0 || year > 9999 {
			return nil, fmt.Errorf("%w: the year is %d", errValue, year)
		}
		return v, nil
	case json.RawMessage:
		return json.RawMessage(bytes.Clone(v)), nil
	case []byte:
		return bytes.Clone(v), nil
	case driver.Valuer:
		return valueOf(v)
	}
	v := reflect.ValueOf(arg)
	switch v.Kind() { //nolint:exhaustive // the driver's converter knows the others
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil //nolint:nilnil // NULL
		}
		return value(v.Elem().Interface())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return bytes.Clone(v.Bytes()), nil
		}
	}
	plain, err := driver.DefaultParameterConverter.ConvertValue(arg)
	switch f, _ := plain.(float64); {
	case err != nil:
		return nil, err
	case !sendable(plain):
		return nil, fmt.Errorf("%w: the driver does not send %T", errValue, plain)
	case math.IsNaN(f), math.IsInf(f, 0):
		return nil, fmt.Errorf("%w: %v", errValue, f)
	}
	return plain, nil
}

// valueOf asks a Valuer, unless it is a nil pointer to a type that is one.
func valueOf(valuer driver.Valuer) (any, error) {
	if v := reflect.ValueOf(valuer); v.Kind() == reflect.Pointer && v.IsNil() && v.Type().Elem().Implements(valuerType) {
		return nil, nil //nolint:nilnil // NULL
	}
	v, err := valuer.Value()
	if err != nil {
		return nil, err
	}
	if _, unsigned := v.(uint64); !unsigned && !driver.IsValue(v) {
		return nil, fmt.Errorf("%w: its Value returned %T", errValue, v)
	}
	return value(v)
}

// sendable reports whether the driver sends a value as it is.
func sendable(v any) bool { return v == nil || rank(v) > 0 }

// rank orders the types of values; 0 is none of them.
func rank(v any) int {
	switch v.(type) {
	case int64:
		return 1
	case uint64:
		return 2
	case float64:
		return 3
	case bool:
		return 4
	case string:
		return 5
	case []byte:
		return 6
	case json.RawMessage:
		return 7
	case time.Time:
		return 8
	}
	return 0
}

// compare orders values: those of one type by their value.
func compare(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case float64:
		return cmp.Compare(a, b.(float64))
	case bool:
		return cmp.Compare(strconv.FormatBool(a), strconv.FormatBool(b.(bool)))
	case string:
		return cmp.Compare(a, b.(string))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	case json.RawMessage:
		return bytes.Compare(a, b.(json.RawMessage))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return 0
}

// length returns about how many bytes a value has on its way.
func length(v any) int {
	switch v := v.(type) {
	case nil, bool:
		return 4
	case string:
		return len(v)
	case []byte:
		return len(v)
	case json.RawMessage:
		return len(v)
	}
	return 20
}
