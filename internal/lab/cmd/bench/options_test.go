package main

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/internal/lab/load"
	"github.com/holdfast-go/holdfast/internal/lab/load/contender"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o, err := parse([]string{"-engine", "mysql", "-contender", "ours,limit", "-callers", "1, 64", "-delay", "0,1ms", "-seconds", "0.5", "-dir",
		"/out", "-json", "a.json", "-svg", "/b"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.engines) != 1 || o.measure != 500*time.Millisecond || o.jsonFile != "/out/a.json" || o.svgDir != "/b" || len(o.plan) == 0 {
		t.Errorf("got %+v", o)
	}
	for _, step := range load.Steps(o.plan) {
		if step.Contender != contender.Ours && step.Contender != contender.Limit || step.Callers != 1 && step.Callers != 64 {
			t.Errorf("got %v", step)
		}
	}
	o, err = parse([]string{"-smoke", "-seconds", "1"}, &out)
	if err != nil || o.measure != time.Second || o.warmup >= 100*time.Millisecond || o.engines[0] != "mariadb" {
		t.Errorf("got %+v, %v: what is given counts, the rest is small", o, err)
	}
}

func TestFlagsThatMeanNothingAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-engine oracle", "-engine ,", "-seconds 0", "-pool 0", "-callers x", "-callers 0", "-scenario x",
		"-contender x", "-rounds -1", "-delay 1", "more"} {
		if _, err := parse(strings.Fields(args), new(strings.Builder)); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

func TestWhoChoosesChoosesFromEverything(t *testing.T) {
	t.Parallel()
	shown, full := load.Describe(load.Shown()), load.Describe(load.Full())
	if shown == full {
		t.Fatal("the plans are the same")
	}
	for args, want := range map[string]string{"": shown, "-callers 7": "", "-full": full, "-scenario claim": ""} {
		o, err := parse(strings.Fields(args), new(strings.Builder))
		if err != nil || want != "" && load.Describe(o.plan) != want {
			t.Errorf("%q: got %s, %v", args, load.Describe(o.plan), err)
		}
	}
}

func TestHelpNamesEveryContenderAndScenario(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if _, err := parse([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, kind := range contender.Kinds() {
		if !strings.Contains(out.String(), "\n  "+kind.Name+" ") {
			t.Errorf("no word of %s", kind.Name)
		}
	}
	for _, scenario := range load.Scenarios() {
		if scenario.About() == "" || !strings.Contains(out.String(), "\n  "+string(scenario)+" ") {
			t.Errorf("no word of %s", scenario)
		}
	}
}
