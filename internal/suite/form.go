package suite

import (
	"reflect"
	"time"
)

// A Form says what two values need not agree about. By the zero Form that is nothing but whether an empty list is
// nil.
type Form struct {
	// Epoch is when times count from. Where it is zero, times are what they are; the zero time is nothing always.
	Epoch time.Time

	// Fix replaces a structure or a text by another of its type, before what is in it is looked at. It may be nil.
	Fix func(v any) any
}

// Normal returns a deep copy of a value in this form: two values that differ in nothing that counts are then deeply
// equal.
func (f Form) Normal(v any) any {
	if v == nil {
		return nil
	}
	return f.normal(reflect.ValueOf(v)).Interface()
}

// normal copies what v has in exported fields, pointers and lists.
func (f Form) normal(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		f.fix(out)
	case reflect.Struct:
		f.fix(out)
		f.structure(out)
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(f.normal(v.Elem()))
		}
	case reflect.Slice:
		if v.Len() == 0 { // nil or not says nothing
			return reflect.Zero(v.Type())
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(f.normal(v.Index(i)))
		}
	default: // numbers are what they are; so are the sentinels in errors
	}
	return out
}

// fix replaces what stands in v.
func (f Form) fix(v reflect.Value) {
	if f.Fix != nil {
		v.Set(reflect.ValueOf(f.Fix(v.Interface())))
	}
}

// structure brings a structure into the form, in its place.
func (f Form) structure(v reflect.Value) {
	if t, ok := v.Interface().(time.Time); ok {
		if !t.IsZero() && !f.Epoch.IsZero() {
			v.Set(reflect.ValueOf(t.Add(-f.Epoch.Sub(time.Unix(0, 0)))))
		}
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			v.Field(i).Set(f.normal(v.Field(i)))
		}
	}
}
