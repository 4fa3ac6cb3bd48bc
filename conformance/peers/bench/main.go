package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	if kind := os.Getenv(serveEnv); kind != "" {
		exitOn(serve(kind))
		return
	}
	rounds := flag.Int("rounds", 5, "how often each measure is taken; the medians are printed")
	run := flag.String("run", "", "take only the measures whose name matches")
	flag.Parse()
	match, err := regexp.Compile(*run)
	exitOn(err)
	fmt.Printf("%-46s %12s %12s %12s   %s\n", "measure", "klamm", "kfake", "limit", "to reach")
	for _, m := range measures() {
		if !match.MatchString(m.name) {
			continue
		}
		row, err := m.take(*rounds)
		exitOn(err)
		fmt.Println(row)
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
