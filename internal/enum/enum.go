// Package enum names the numbers of states, steps and the like.
package enum

import "fmt"

// Name returns the name of a number of some kind. One that has no name, as of a later version, is the kind and the number.
func Name[N ~uint8](kind string, n N, names ...string) string {
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("%s %d", kind, uint8(n))
}
