package suite

import (
	"fmt"
	"reflect"
	"strings"
)

// mostPlaces is how many places a report names at most.
const mostPlaces = 12

// places names where two answers differ, with both values: what is printed of a structure need not show it.
func places(a, b any) string {
	var found []string
	differ(&found, "", reflect.ValueOf(a), reflect.ValueOf(b))
	return strings.Join(found, "\n  ")
}

// differ looks for places at which two values of one form differ.
func differ(found *[]string, at string, a, b reflect.Value) {
	for a.IsValid() && b.IsValid() && (a.Kind() == reflect.Interface || a.Kind() == reflect.Pointer) && a.Kind() == b.Kind() {
		a, b = a.Elem(), b.Elem()
	}
	switch {
	case len(*found) == mostPlaces || a.IsValid() && b.IsValid() && a.CanInterface() && reflect.DeepEqual(a.Interface(), b.Interface()):
		return
	case a.IsValid() && b.IsValid() && a.Type() == b.Type() && a.Kind() == reflect.Struct && exports(a.Type()):
		for i := range a.NumField() {
			if field := a.Type().Field(i); field.IsExported() {
				differ(found, at+"."+field.Name, a.Field(i), b.Field(i))
			}
		}
	case a.IsValid() && b.IsValid() && a.Type() == b.Type() && a.Kind() == reflect.Slice && a.Len() == b.Len():
		for i := range a.Len() {
			differ(found, fmt.Sprintf("%s[%d]", at, i), a.Index(i), b.Index(i))
		}
	default:
		*found = append(*found, fmt.Sprintf("%s: %.200s | %.200s", at, show(a), show(b)))
	}
}

// exports reports whether a structure shows anything of itself.
func exports(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			return true
		}
	}
	return false
}

// show prints a value.
func show(v reflect.Value) string {
	if !v.IsValid() {
		return "nothing"
	}
	return fmt.Sprintf("%+v", v)
}
