package demo

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// Flags are what the examples have in common that let a crowd play. An example adds its own to them.
type Flags struct {
	DSN  string // of the database; empty is memory
	Seed uint64
	JSON bool

	program string
}

// Set returns the flags of a program with -dsn, -seed and -json among them; dsn and seed are their usage.
func (f *Flags) Set(program, dsn, seed string) *flag.FlagSet {
	f.program = program
	flags := flag.NewFlagSet(program, flag.ContinueOnError)
	flags.StringVar(&f.DSN, "dsn", "", dsn)
	flags.Uint64Var(&f.Seed, "seed", 1, seed)
	flags.BoolVar(&f.JSON, "json", false, "print the result as JSON, and nothing else")
	return flags
}

// Parse parses the flags of an example, which takes no other arguments, and then asks check what
// is wrong with them. It reports false with the exit code where the example should not go on.
func Parse(flags *flag.FlagSet, args []string, stderr io.Writer, check func() error) (code int, ok bool) {
	flags.SetOutput(stderr)
	err := flags.Parse(args) // prints what is wrong, and the usage
	switch {
	case errors.Is(err, flag.ErrHelp):
		return OK, false
	case err != nil:
		return Usage, false
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	default:
		err = check()
	}
	flags.Visit(func(f *flag.Flag) {
		if f.Name == "dsn" && f.Value.String() == "" { // a shell variable that is not set
			err = errors.New("-dsn is empty; it looks like " + DSNForm)
		}
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
		return Usage, false
	}
	return OK, true
}
