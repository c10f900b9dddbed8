package groupbuy

import (
	"crypto/rand"
	"strings"

	"github.com/holdfast-go/holdfast/internal/fault"
	"github.com/holdfast-go/holdfast/internal/input"
)

// Canonical returns the code of a team as it is stored and compared: without surrounding blanks and in upper
// case, since people type codes. It returns ErrInvalid for a result that is empty or longer than 64 bytes.
func Canonical(code string) (string, error) {
	canonical := strings.ToUpper(strings.TrimSpace(code))
	if err := input.ID("code", canonical); err != nil {
		return "", err
	}
	return canonical, nil
}

// newCode returns a code for a new team, or what is wrong with Options.Code.
func (g *Groups) newCode() (string, error) {
	if g.opts.Code == nil {
		return randomCode(), nil
	}
	code := g.opts.Code()
	if len(code) != CodeLength {
		return "", fault.Invalid("Code", "must make codes of %d bytes, makes %q", CodeLength, code)
	}
	if strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "", fault.Invalid("Code", "must make codes of capital letters and digits, makes %q", code)
	}
	return code, nil
}

// randomCode returns a code that nobody can guess. A random byte that does not fall on a letter evenly is thrown
// away: all letters are equally likely.
func randomCode() string {
	const even = 256 - 256%len(codeLetters)
	code := make([]byte, 0, CodeLength)
	var random [2 * CodeLength]byte
	for len(code) < CodeLength {
		_, _ = rand.Read(random[:]) // it never fails: without randomness the program ends
		for _, b := range random {
			if int(b) < even && len(code) < CodeLength {
				code = append(code, codeLetters[int(b)%len(codeLetters)])
			}
		}
	}
	return string(code)
}
