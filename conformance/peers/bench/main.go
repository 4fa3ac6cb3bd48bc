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
	fmt.Print(head())
	for _, m := range measures(full()) {
		if !match.MatchString(m.name) {
			continue
		}
		all, err := m.take(*rounds)
		exitOn(err)
		fmt.Print(m.lines(all))
	}
	fmt.Println(machine(*rounds))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
