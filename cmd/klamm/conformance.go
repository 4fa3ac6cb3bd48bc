package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"klamm/conformance"
)

// Exit codes of conformance.
const (
	exitBroken = 1 // a rule is broken, or a difference is for the worse
	exitNotRun = 2 // the suite could not run, or not to its end
)

// defaultSuiteTimeout is how long a run of all rules may take.
const defaultSuiteTimeout = 10 * time.Minute

// status ends the process with an exit code, after everything has been said.
type status int

// Error is for the case that somebody prints it.
func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// conformanceFlags are the flags of conformance.
type conformanceFlags struct {
	bootstrap, against, kafka, report string
	run                               *regexp.Regexp
	timeout                           time.Duration
	parallel                          int
	diff, list                        bool
	access                            accessFlags
	random                            int
	seed                              uint64
	themes                            []string
	replay                            string
}

// set makes the flags that fill in f.
func (f *conformanceFlags) set() *flag.FlagSet {
	fs := flag.NewFlagSet("conformance", flag.ContinueOnError)
	fs.StringVar(&f.bootstrap, "bootstrap", "", "ask the broker at `HOST:PORT`")
	fs.StringVar(&f.against, "against", "", "compare with the broker at `HOST:PORT`, instead of\nwhat Apache Kafka said")
	fs.Func("run", "hold only the rules whose id matches `REGEX`", func(text string) (err error) {
		f.run, err = regexp.Compile(text)
		return err
	})
	fs.StringVar(&f.kafka, "kafka", conformance.Kafka, "compare with what Apache Kafka `RELEASE` said")
	fs.StringVar(&f.report, "report", "", "write report.txt, report.json, junit.xml and report.html\ninto `DIR`, which is made where there is none")
	fs.DurationVar(&f.timeout, "timeout", defaultSuiteTimeout, "stop after this `DURATION`; what is left then is not run")
	fs.IntVar(&f.parallel, "parallel", 16, "hold `N` rules at once")
	f.access.set(fs)
	fs.IntVar(&f.random, "random", 0, "hold `N` random sequences of requests with two brokers, instead\nof the rules")
	fs.Uint64Var(&f.seed, "seed", 1, "draw the random sequences from this `SEED`")
	fs.Func("themes", "draw the random sequences from these `THEMES`, separated by commas,\nof "+strings.Join(conformance.Themes(), ", "), func(text string) error {
		f.themes = strings.Split(text, ",")
		for _, theme := range f.themes {
			if !slices.Contains(conformance.Themes(), theme) {
				return fmt.Errorf("there is no theme %q", theme)
			}
		}
		return nil
	})
	fs.StringVar(&f.replay, "replay", "", "hold the sequence in `FILE`, which --random has printed, with\ntwo brokers")
	fs.BoolVar(&f.list, "list", false, "say what the rules are, and hold none")
	fs.BoolVar(&f.diff, "diff", false, "compare two reports, OLD.json and NEW.json")
	return fs
}

// check looks at what the flags cannot check one by one.
func (f *conformanceFlags) check() error {
	if f.kafka != conformance.Kafka {
		return usagef("there are no recordings of Apache Kafka %q, but of %s", f.kafka, conformance.Kafka)
	}
	if f.bootstrap == "" {
		return usagef("conformance needs --bootstrap HOST:PORT")
	}
	for name, addr := range map[string]string{"bootstrap": f.bootstrap, "against": f.against} {
		if host, port, err := net.SplitHostPort(addr); addr != "" && (err != nil || host == "" || !isPort(port) || port == "0") {
			return usagef("invalid value %q for flag -%s: want HOST:PORT", addr, name)
		}
	}
	if f.random < 0 {
		return usagef("invalid value \"%d\" for flag -random: want a number above 0", f.random)
	}
	if (f.random > 0 || f.replay != "") && f.against == "" {
		return usagef("--random and --replay need --against HOST:PORT")
	}
	if f.parallel < 1 {
		return usagef("invalid value \"%d\" for flag -parallel: want a number above 0", f.parallel)
	}
	if f.timeout <= 0 {
		return usagef("invalid value \"%v\" for flag -timeout: want a time above 0", f.timeout)
	}
	return nil
}

// rules are those that --run chooses.
func (f *conformanceFlags) rules() ([]conformance.Rule, error) {
	var rules []conformance.Rule
	for _, r := range conformance.Rules() {
		if f.run == nil || f.run.MatchString(r.ID) {
			rules = append(rules, r)
		}
	}
	if len(rules) == 0 {
		return nil, usagef("no rule matches --run %q", f.run)
	}
	return rules, nil
}

// sayRules writes what the chosen rules say.
func (f *conformanceFlags) sayRules(stdout io.Writer) error {
	rules, err := f.rules()
	if err != nil {
		return err
	}
	for _, r := range rules {
		if _, err := fmt.Fprintf(stdout, "%s\n    %s (%s)\n", r.ID, r.Says, r.Source); err != nil {
			return notRun(fmt.Errorf("standard output: %w", err))
		}
	}
	return nil
}

// conformanceCommand holds the rules with a target, or compares two reports.
func conformanceCommand(args []string, stdout io.Writer) error {
	var f conformanceFlags
	fs := f.set()
	wantsHelp, err := parseFlags(fs, args)
	switch {
	case err != nil:
		return err
	case wantsHelp:
		return conformanceHelp(stdout)
	case f.diff && fs.NArg() != 2:
		return usagef("--diff needs two reports, OLD.json and NEW.json")
	case f.diff:
		return diffReports(stdout, fs.Arg(0), fs.Arg(1))
	case fs.NArg() > 0:
		return usagef("unexpected argument %q", fs.Arg(0))
	}
	if f.list {
		return f.sayRules(stdout)
	}
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	switch {
	case f.replay != "":
		return f.holdReplay(ctx, stdout)
	case f.random > 0:
		return f.holdRandom(ctx, stdout)
	}
	return f.hold(ctx, stdout)
}

// hold holds the rules with the target.
func (f *conformanceFlags) hold(ctx context.Context, stdout io.Writer) error {
	rules, err := f.rules()
	if err != nil {
		return err
	}
	if f.report != "" { // before anything is asked: a run is long
		if err := os.MkdirAll(f.report, 0o777); err != nil {
			return notRun(err)
		}
	}
	target, err := f.access.target(f.bootstrap)
	if err != nil {
		return err
	}
	suite := conformance.Suite{Rules: rules, Target: target, Parallel: f.parallel}
	if f.against != "" {
		target.Addr = f.against
		suite.Against = &target
	}
	p := newProgress(stdout, len(rules))
	p.asking(f.bootstrap)
	run, err := suite.Begin(ctx)
	if err != nil {
		p.end()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return notRun(fmt.Errorf("time was over (--timeout %v) before %s had answered", f.timeout, f.bootstrap))
	case err != nil:
		return notRun(err)
	}
	for result := range run.Results(ctx) {
		p.add(result)
	}
	p.end()
	report := run.Report()
	if err := report.WriteText(stdout); err != nil {
		return notRun(fmt.Errorf("standard output: %w", err))
	}
	if err := writeReports(f.report, report); err != nil {
		return notRun(err)
	}
	return verdict(report)
}

// verdict is the exit code of a run.
func verdict(report conformance.Report) error {
	switch {
	case report.Count().Broken > 0:
		return status(exitBroken)
	case report.Unasked() > 0, report.Count().Asked() == 0:
		return status(exitNotRun)
	}
	return nil
}

// notRunError is why the suite could not run.
type notRunError struct{ error }

// Unwrap is the reason.
func (e notRunError) Unwrap() error { return e.error }

func notRun(err error) error { return notRunError{err} }

func writeReports(dir string, report conformance.Report) error {
	if dir == "" {
		return nil
	}
	for name, write := range map[string]func(io.Writer) error{
		"report.txt": report.WriteText, "report.json": report.WriteJSON, "junit.xml": report.WriteJUnit, "report.html": report.WriteHTML,
	} {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := errors.Join(write(file), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// diffReports compares two reports of --report.
func diffReports(stdout io.Writer, names ...string) error {
	var reports [2]conformance.Report
	for i, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return notRun(err)
		}
		reports[i], err = conformance.ReadReport(file)
		file.Close()
		if err != nil {
			return notRun(fmt.Errorf("%s: %w", name, err))
		}
	}
	worse, err := conformance.WriteDiff(stdout, conformance.Diff(reports[0], reports[1]))
	switch {
	case err != nil:
		return notRun(fmt.Errorf("standard output: %w", err))
	case worse:
		return status(exitBroken)
	}
	return nil
}

func conformanceHelp(stdout io.Writer) error {
	if _, err := fmt.Fprintf(stdout, `klamm conformance says how close a broker is to Apache Kafka %s, rule by rule.

Usage:
  klamm conformance --bootstrap HOST:PORT [flags]   hold the rules with a broker
  klamm conformance --bootstrap HOST:PORT --against HOST:PORT --random N [--seed S] [--themes T,...]
                                                    compare two brokers by random sequences
  klamm conformance --diff OLD.json NEW.json        compare two reports
  klamm conformance --list [--run REGEX]            say what the rules are

A rule is a conversation over the wire, and kept when the broker says what Apache
Kafka said. It is broken when it says something else, in details only when that is
something that no client can act on, such as the words of an error message; not
offered when it does not advertise an API or version that the rule needs; not run
when it lacks a setting, or time was over. The rules make topics and groups of names of their own, and delete
the topics. On a terminal one line shows how far it is; else there is a line for
each rule.

--sasl, --tls and --tls-ca hold for both brokers. A password in the environment does
not show in the list of processes:

  KLAMM_SASL_PASSWORD=... klamm conformance --bootstrap HOST:PORT --sasl PLAIN:admin

It exits with 0 when all rules that were held are kept, 1 when one is broken (with
--diff: when one is for the worse), and 2 when the suite could not run to its end.

Flags:
`, conformance.Kafka); err != nil {
		return err
	}
	fs := (&conformanceFlags{}).set()
	fs.SetOutput(stdout)
	fs.PrintDefaults()
	return nil
}
