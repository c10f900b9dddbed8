package coupon

import (
	"cmp"
	"crypto/rand"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// The defaults and bounds of the codes that Generate makes.
const (
	DefaultCodeLength = 16
	DefaultAlphabet   = "ABCDEFGHJKMNPQRSTUVWXYZ23456789" // no I, L, O, 0 and 1
	MinCodeLength     = 8
	MaxCodeLength     = 40
	MinCodeBits       = 40 // nobody guesses one of a million codes in less than half a million tries
)

// CodeStyle describes the codes that Generate makes. The zero value is the default.
type CodeStyle struct {
	Length   int    // letters, MinCodeLength to MaxCodeLength; 0 is DefaultCodeLength
	Alphabet string // upper-case letters and digits, each once; empty is DefaultAlphabet
}

// alike are the letters and digits that people confuse. An alphabet has at most one of each group.
var alike = [...]string{"O0", "IL1"} //nolint:gochecknoglobals // a constant, but for the language

// withDefaults returns the style with defaults filled in, or what is wrong with it.
func (s *CodeStyle) withDefaults() (CodeStyle, error) {
	style := CodeStyle{}
	if s != nil {
		style = *s
	}
	style.Length = cmp.Or(style.Length, DefaultCodeLength)
	style.Alphabet = cmp.Or(style.Alphabet, DefaultAlphabet)
	if n := style.Length; n < MinCodeLength || n > MaxCodeLength {
		return CodeStyle{}, fault.Invalid("length", "must be %d to %d, is %d", MinCodeLength, MaxCodeLength, n)
	}
	for i, r := range style.Alphabet {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return CodeStyle{}, fault.Invalid("alphabet", "must be upper-case letters and digits, has %q", r)
		}
		if strings.ContainsRune(style.Alphabet[:i], r) {
			return CodeStyle{}, fault.Invalid("alphabet", "must have each letter once, has %q twice", r)
		}
	}
	for _, letters := range alike {
		first := strings.IndexAny(style.Alphabet, letters)
		if first >= 0 && strings.ContainsAny(style.Alphabet[first+1:], letters) {
			return CodeStyle{}, fault.Invalid("alphabet", "must have one of %s at most: people take them for each other", letters)
		}
	}
	if bits := float64(style.Length) * math.Log2(float64(len(style.Alphabet))); bits < MinCodeBits {
		return CodeStyle{}, fault.Invalid("style", "must make codes of %d bits at least, makes %.1f", MinCodeBits, bits)
	}
	return style, nil
}

// codes returns different codes of the style, which nobody can foresee. The style must have far more codes
// than that.
func (s CodeStyle) codes(num int) []string {
	codes := make([]string, 0, num)
	for len(codes) < num {
		for len(codes) < num {
			codes = append(codes, s.code())
		}
		slices.Sort(codes)
		codes = slices.Compact(codes)
	}
	return codes
}

// code returns one code. A random byte that does not fall on a letter evenly is thrown away: all letters are
// equally likely.
func (s CodeStyle) code() string {
	code := make([]byte, 0, s.Length)
	even := 256 - 256%len(s.Alphabet)
	var random [2 * MaxCodeLength]byte
	for len(code) < s.Length {
		rand.Read(random[:]) // never fails: the program ends where there is no randomness
		for _, b := range random {
			if int(b) < even && len(code) < s.Length {
				code = append(code, s.Alphabet[int(b)%len(s.Alphabet)])
			}
		}
	}
	return string(code)
}

// Canonical returns a code as it is stored and compared: without surrounding blanks and in upper case,
// since people type codes. It returns ErrInvalid for a result that is empty, longer than 64 bytes or not
// UTF-8, or that contains a blank or an unprintable character.
func Canonical(code string) (string, error) {
	canonical := strings.ToUpper(strings.TrimSpace(code))
	if err := input.ID("code", canonical); err != nil {
		return "", err
	}
	if !utf8.ValidString(code) {
		return "", fault.Invalid("code", "must be UTF-8, is %q", code)
	}
	for _, r := range canonical {
		if !unicode.IsPrint(r) || unicode.IsSpace(r) {
			return "", fault.Invalid("code", "must be printable and without blanks inside, is %q", code)
		}
	}
	return canonical, nil
}
