// Klamm is an in-memory broker that speaks as Apache Kafka does, for tests and
// for development on one machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"klamm/broker"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // something failed while running
	exitUsage = 2 // the command line makes no sense
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// usageError is a mistake on the command line.
type usageError struct {
	message string
	help    string // the command that says more
}

// Error is the message, and where to read on.
func (e usageError) Error() string { return fmt.Sprintf("%s; see %q", e.message, e.help) }

func usagef(format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...), "klamm help"}
}

// run does what the command line asks for and returns the exit code. What went
// wrong is said in one line on stderr.
func run(args []string, stdout, stderr io.Writer) int {
	err := command(args, stdout, stderr)
	var usage usageError
	var done status
	var unable notRunError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &done):
		return int(done)
	case errors.As(err, &unable):
		fmt.Fprintln(stderr, "klamm:", oneLine(err))
		return exitNotRun
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "klamm:", oneLine(err))
		return exitUsage
	default:
		fmt.Fprintln(stderr, "klamm:", oneLine(err))
		return exitError
	}
}

func command(args []string, stdout, stderr io.Writer) error {
	name := "serve"
	if len(args) == 1 && strings.TrimLeft(args[0], "-") == "version" {
		return version(stdout) // --version is what many programs have
	}
	if len(args) > 0 && (args[0] == "" || args[0][0] != '-') {
		name, args = args[0], args[1:]
	}
	switch name {
	case "serve":
		return serveCommand(args, stdout, stderr)
	case "conformance":
		err := conformanceCommand(args, stdout)
		var usage usageError
		if errors.As(err, &usage) {
			usage.help = "klamm conformance --help"
			return usage
		}
		return err
	case "version", "help":
		if len(args) > 0 {
			return usagef("%s takes no argument, but got %q", name, args[0])
		}
		if name == "help" {
			return help(stdout)
		}
		return version(stdout)
	}
	return usagef("unknown command %q", name)
}

// version says what this binary is.
func version(stdout io.Writer) error {
	build := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		build = info.Main.Version
	}
	_, err := fmt.Fprintf(stdout, "klamm %s (as Apache Kafka %s) %s %s/%s\n",
		build, broker.KafkaVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func help(stdout io.Writer) error {
	if _, err := io.WriteString(stdout, `klamm is an in-memory broker that speaks as Apache Kafka `+broker.KafkaVersion+` does.

Usage:
  klamm [serve] [flags]   start the broker and serve until SIGINT or SIGTERM
  klamm conformance ...   say how close a broker is to Apache Kafka, rule by rule;
                          "klamm conformance --help" says more
  klamm version           say what this binary is
  klamm help              say this

When it can serve, it prints "klamm ready HOST:PORT" on standard output. It logs
to standard error. It exits with 0 when told to end, 1 when something fails, such
as a port in use, and 2 when the command line is wrong.

Flags of serve:
`); err != nil {
		return err
	}
	fs := (&serveFlags{}).set()
	fs.SetOutput(stdout)
	fs.PrintDefaults()
	return nil
}

// parse reads args into fs, whose output is unused. It tells whether help was asked for.
func parse(fs *flag.FlagSet, args []string) (wantsHelp bool, err error) {
	if wantsHelp, err = parseFlags(fs, args); err == nil && fs.NArg() > 0 && !wantsHelp {
		err = usagef("unexpected argument %q", fs.Arg(0))
	}
	return wantsHelp, err
}

// parseFlags is parse, and leaves what follows the flags.
func parseFlags(fs *flag.FlagSet, args []string) (wantsHelp bool, err error) {
	fs.SetOutput(io.Discard)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return true, nil
	case err != nil:
		return false, usagef("%v", err)
	}
	return false, nil
}
