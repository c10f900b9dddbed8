package suite

import (
	"context"
	"errors"
	"iter"
	"reflect"

	"github.com/holdfast-go/holdfast/internal/fault"
)

// A Broken value can do nothing, which every call says of one field.
type Broken struct {
	Name  string
	Of    any
	Field string
}

// RefuseEveryCall is RefusesEveryCall for several values.
func (c *Checks) RefuseEveryCall(broken []Broken) {
	c.Helper()
	for _, b := range broken {
		c.RefusesEveryCall(c.Context(), b.Name, b.Of, b.Field)
	}
}

// RefusesEveryCall ends the test unless each method of a value that takes a context refuses it, whatever its other
// arguments are, for one field: the value can do nothing, or the context is none. The methods are found by reflection,
// so that none is forgotten.
func (c *Checks) RefusesEveryCall(ctx context.Context, name string, v any, field string) {
	c.Helper()
	calls := 0
	for method, err := range everyCall(ctx, v) {
		calls++
		c.Invalid(method+" of "+name, err)
		if got := As[*fault.InvalidError](c, err).Field; got != field {
			c.Fatalf("%s of %s: the field is %q, want %q", method, name, got, field)
		}
	}
	if calls == 0 {
		c.Fatalf("%s has no method that takes a context", name)
	}
}

// EndedContext makes each of some calls with a context that is over, which does nothing and says so, and then again with one
// that lives, which works. Sees is everything that can be seen.
func (c *Checks) EndedContext(calls func(context.Context) []Call, sees func() any) {
	c.Helper()
	ended, end := context.WithCancel(c.Context())
	end()
	alive := calls(c.Context())
	for i, call := range calls(ended) {
		was := sees()
		if err := call.Do(); !errors.Is(err, context.Canceled) || !c.Retryable(err) {
			c.Fatalf("%s with a context that ended: %v", call.Name, err)
		}
		Same(c, "what is seen after "+call.Name+" with a context that ended", sees(), was)
		if err := alive[i].Do(); err != nil {
			c.Fatalf("%s again: %v", call.Name, err)
		}
	}
}

// everyCall makes each exported call of a value that takes a context, its other arguments being zero, and yields its
// error, or the first of its listing.
func everyCall(ctx context.Context, v any) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		value := reflect.ValueOf(v)
		for i := range value.NumMethod() {
			method := value.Method(i)
			if t := method.Type(); t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]() {
				if !yield(value.Type().Method(i).Name, errorOf(callZero(ctx, method))) {
					return
				}
			}
		}
	}
}

// callZero calls a method with a context and zero values, and returns its last result.
func callZero(ctx context.Context, method reflect.Value) reflect.Value {
	t := method.Type()
	args := make([]reflect.Value, t.NumIn())
	for i := range args {
		args[i] = reflect.Zero(t.In(i))
	}
	if ctx != nil {
		args[0] = reflect.ValueOf(ctx)
	}
	if t.IsVariadic() {
		args = args[:len(args)-1]
	}
	results := method.Call(args)
	return results[len(results)-1]
}

// errorOf returns an error, or the first of a listing.
func errorOf(result reflect.Value) error {
	if result.Kind() == reflect.Func {
		for _, second := range result.Seq2() {
			result = second
			break
		}
	}
	err, _ := result.Interface().(error)
	return err
}
