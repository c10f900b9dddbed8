package listing

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"reflect"
	"time"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// digestSize is how many bytes of a cursor say which list it is of. A cursor keeps no secret and gives no right: it is only a
// place, so a digest that anybody can compute is enough.
const digestSize = 6

// encode returns a cursor as text that goes through a URL: a digest of the list and the place, and the place.
func encode[C any](at C, of string) string {
	place := appendPlace(nil, reflect.ValueOf(at))
	return base64.RawURLEncoding.EncodeToString(append(digest(of, place), place...))
}

// decode returns the cursor of such a text, or ErrInvalid where it is broken or of another list.
func decode[C any](text, of string) (at C, err error) {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(bytes) > digestSize {
		place := bytes[digestSize:]
		if string(digest(of, place)) == string(bytes[:digestSize]) {
			if rest, ok := readPlace(place, reflect.ValueOf(&at).Elem()); ok && len(rest) == 0 {
				return at, nil
			}
		}
	}
	return *new(C), fault.Invalid("after", "is no cursor of this list")
}

// digest tells the places of one list from those of others.
func digest(of string, place []byte) []byte {
	sum := sha256.New()
	sum.Write(binary.AppendUvarint(nil, uint64(len(of))))
	sum.Write([]byte(of))
	sum.Write(place)
	return sum.Sum(nil)[:digestSize]
}

// appendPlace writes a cursor: its numbers, its times in microseconds, and its strings behind their lengths.
func appendPlace(to []byte, v reflect.Value) []byte {
	if at, ok := v.Interface().(time.Time); ok {
		return binary.AppendVarint(to, at.UnixMicro())
	}
	switch v.Kind() { //nolint:exhaustive // no cursor has others
	case reflect.Struct:
		for i := range v.NumField() {
			to = appendPlace(to, v.Field(i))
		}
		return to
	case reflect.String:
		return append(binary.AppendUvarint(to, uint64(v.Len())), v.String()...) //nolint:gosec // a length is not negative
	case reflect.Uint8:
		return binary.AppendUvarint(to, v.Uint())
	}
	return binary.AppendVarint(to, v.Int())
}

// readPlace reads what appendPlace has written, and returns what follows it.
func readPlace(from []byte, v reflect.Value) (rest []byte, ok bool) {
	if at, is := v.Addr().Interface().(*time.Time); is {
		n, size := binary.Varint(from)
		*at = time.UnixMicro(n).UTC()
		return from[max(size, 0):], size > 0 && input.Time("after", *at) == nil || at.IsZero()
	}
	switch v.Kind() { //nolint:exhaustive // no cursor has others
	case reflect.Struct:
		for i := range v.NumField() {
			if from, ok = readPlace(from, v.Field(i)); !ok {
				return nil, false
			}
		}
		return from, true
	case reflect.String:
		n, size := binary.Uvarint(from)
		if size <= 0 || n > uint64(len(from)-size) { //nolint:gosec // it has read so many bytes of them
			return nil, false
		}
		v.SetString(string(from[size:][:n]))
		return from[size:][n:], true
	case reflect.Uint8:
		n, size := binary.Uvarint(from)
		v.SetUint(n)
		return from[max(size, 0):], size > 0
	}
	n, size := binary.Varint(from)
	v.SetInt(n)
	return from[max(size, 0):], size > 0
}
