// Schemagen writes the request schemas of package protocol from the message
// descriptions (common/message/*Request.json) that the jar of kafka-clients
// carries. It runs in the package's directory:
//
//	go run ./internal/schemagen -jar=path/to/kafka-clients-4.4.0.jar -version=4.4.0
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("schemagen: ")
	jar := flag.String("jar", "", "path of the jar of kafka-clients")
	version := flag.String("version", "", "version of Kafka that the files name")
	flag.Parse()
	if *jar == "" || *version == "" || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	messages, err := readJar(*jar)
	if err != nil {
		log.Fatal(err)
	}
	files, err := render(messages, *version)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(f.name, f.text, 0o666); err != nil {
			log.Fatal(fmt.Errorf("write %s: %w", f.name, err))
		}
	}
}
