// Command testlog reads what "go test -json" writes and prints what a reader
// wants to know: the output of tests that failed, and one line a package. Skipped
// tests go, each with its reason, to the file that is its argument.
//
//	go test -json ./... | testlog skipped.txt
//
// It exits with 1 when a test or a build failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of go test -json, as cmd/test2json documents it.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build output
	FailedBuild                   string
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: testlog FILE")
		os.Exit(2)
	}
	skipped, err := os.Create(os.Args[1])
	if err == nil {
		var failed bool
		failed, err = digest(os.Stdin, os.Stdout, skipped)
		if failed {
			defer os.Exit(1)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testlog:", err)
		os.Exit(2)
	}
}

// digest reads events from in until its end.
func digest(in io.Reader, out, skipped io.Writer) (failed bool, err error) {
	output := make(map[string][]string) // by test, while it runs; by package for what belongs to no test
	for lines := bufio.NewReader(in); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				return failed, nil
			}
			return failed, err
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprint(out, line) // of go test itself
			continue
		}
		if e.Package == "" {
			e.Package = e.ImportPath
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "build-output":
			fmt.Fprint(out, e.Output)
		case "build-fail":
			failed = true
		case "fail":
			failed = true
			fmt.Fprint(out, strings.Join(output[key], ""))
			delete(output, key)
		case "skip":
			if e.Test != "" {
				fmt.Fprintf(skipped, "%s %s: %s\n", e.Package, e.Test, reason(output[key]))
			}
			delete(output, key)
		case "pass":
			if e.Test == "" {
				fmt.Fprint(out, summary(output[key]))
			}
			delete(output, key)
		}
	}
}

// summary is the line about a package that passed.
func summary(output []string) string {
	for _, line := range output {
		if strings.HasPrefix(line, "ok ") {
			return line
		}
	}
	return ""
}

// reason is what a test said last before it was skipped.
func reason(output []string) string {
	said := "no reason given"
	for _, line := range output {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "=== ") && !strings.HasPrefix(text, "--- ") {
			said = text
		}
	}
	return said
}
